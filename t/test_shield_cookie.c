// SPDX-License-Identifier: GPL-2.0-only
/* test_shield_cookie.c - the handler shield: cookies, what services answer, and a table that is full */
#include "shield_talk.h"

/* What a SYN has, and what is echoed of the answer. */
struct syn {
	int	v6, mss, wscale, sack, ts, ecn;	/* below 0: no such option */
	uint32_t isn, tsval;
};

static int syn_options(const struct syn *s, char *buf)
{
	int len = 0;

	if (s->mss >= 0) {
		memcpy(buf, "\2\4", 2);
		put16((uint8_t *)buf + 2, s->mss);
		len = 4;
	}
	if (s->sack) {
		memcpy(buf + len, "\1\1\4\2", 4);
		len += 4;
	}
	if (s->ts) {
		memcpy(buf + len, "\1\1\x8\xa\1\2\3\4\0\0\0\0", 12);
		len += 12;
	}
	if (s->wscale >= 0) {
		memcpy(buf + len, "\1\3\3", 3);
		buf[len + 3] = s->wscale;
		len += 4;
	}
	return len;
}

static void build_syn(const struct syn *s)
{
	char options[40];
	const struct pkt_layer tcp = TCP(.dport = PORT, .seq = C, .flags = TH_SYN | (s->ecn ? 0xc0 : 0),
					 .option_len = syn_options(s, options), .options = options);

	build(s->v6, 0, &tcp, 0);
}

static void build_ack(const struct syn *s, uint32_t ack, uint32_t tsecr)
{
	char ts[12] = "\1\1\x8\xa\1\2\3\5";
	const struct pkt_layer tcp = TCP(.dport = PORT, .seq = C + 1, .ack = ack, .flags = TH_ACK, .options = ts,
					 .option_len = s->ts ? 12 : 0);

	put32((uint8_t *)ts + 8, tsecr);
	build(s->v6, 0, &tcp, 0);
}

/* SYN, and its answer: takes from it what the client has to know. */
static void dial(const char *name, struct syn *s)
{
	const uint8_t *tcp;
	size_t i;

	build_syn(s);
	if (arrive(name) != ANSWER)
		fail_msg("%s: no answer to the SYN", name);
	tcp = out.data + (s->v6 ? 54 : 34);
	s->isn = get32(tcp + 4);
	s->tsval = 0;
	for (i = 24; s->ts && i < (size_t)(tcp[12] >> 4) * 4; i += 4)
		if (tcp[i + 2] == 8 && tcp[i + 3] == 10)
			s->tsval = get32(tcp + i + 4);
	if (get32(tcp + 8) != C + 1 || tcp[13] != (SA | (s->ecn ? 0x40 : 0)))
		fail_msg("%s: wrong SYN-ACK", name);
}

static int answer(const char *name, const struct syn *s)
{
	build_ack(s, s->isn + 1, s->tsval);
	return arrive(name);
}

/* The options of the answer are those that were offered, in Linux's order. */
static void check_answer(const char *name, const struct syn *s)
{
	const uint8_t *tcp = out.data + (s->v6 ? 54 : 34), *o = tcp + 20;
	uint8_t want[24] = { 2, 4, 1460 >> 8, 1460 & 255 };
	int len = 4;

	if (s->ts) {
		memcpy(want + len, s->sack ? "\4\2\x8\xa" : "\1\1\x8\xa", 4);
		put32(want + len + 4, s->tsval);
		put32(want + len + 8, 0x01020304);
		len += 12;
	} else if (s->sack) {
		memcpy(want + len, "\1\1\4\2", 4);
		len += 4;
	}
	if (s->wscale >= 0) {
		memcpy(want + len, "\1\3\3\7", 4);
		len += 4;
	}
	if ((tcp[12] >> 4) * 4 != 20 + len || memcmp(o, want, len))
		fail_msg("%s: wrong options in the SYN-ACK", name);
	if (!get16(tcp + 14))
		fail_msg("%s: the window is 0", name);
}

static const char *describe(const struct syn *s)
{
	static char text[100];

	snprintf(text, sizeof(text), "v%d mss %d wscale %d sack %d ts %d ecn %d", s->v6 ? 6 : 4, s->mss, s->wscale,
		 s->sack, s->ts, s->ecn);
	return text;
}

/* Every combination of options: the answer has them, and its acknowledgement opens a flow. */
static void test_offers(void **state)
{
	const int mss[] = { 1220, 1300, 1360, 1440, 1460, 8960, 65535 };
	struct syn s;
	size_t m;
	int i, w;

	begin(PLAIN);
	teach(&shield_server);
	for (m = 0; m < sizeof(mss) / sizeof(mss[0]); m++)
		for (w = -1; w <= 14; w++)
			for (i = 0; i < 16; i++) {
				s = (struct syn){ .v6 = i & 1, .mss = mss[m], .wscale = w, .sack = i >> 1 & 1,
						  .ts = i >> 2 & 1, .ecn = i >> 3 & 1 };
				assert_int_equal(shield_clear(&run, who), 0);
				dial(describe(&s), &s);
				check_answer(describe(&s), &s);
				assert_int_equal(answer(describe(&s), &s), PASS);
				assert_int_equal(state_of(describe(&s)), FLOW_OPENING);
			}
}

static const struct syn linux_syn = { .mss = 1460, .wscale = 7, .sack = 1, .ts = 1 };
static const struct syn windows_syn = { .mss = 1460, .wscale = 8, .sack = 1 };

/* How long a cookie is good. <made>: ms into an epoch of 65536 ms; <age>: ms. */
struct age_row {
	const char *name;
	const struct syn *syn;
	uint64_t made, age;
	int	good;
};

static const struct age_row ages[] = {
	{ "timestamps, at once", &linux_syn, 100, 0, 1 },
	{ "timestamps, 80 s", &linux_syn, 100, 80000, 1 },
	{ "timestamps, 84 s", &linux_syn, 100, 84000, 0 },
	{ "timestamps, from the end of an epoch", &linux_syn, 65000, 60000, 1 },
	{ "timestamps, over the wrap of their clock", &linux_syn, (1ULL << 32) - 1000, 60000, 1 },
	{ "plain, at once", &windows_syn, 100, 0, 1 },
	{ "plain, same epoch", &windows_syn, 100, 65000, 1 },
	{ "plain, 16 s into the next one", &windows_syn, 65000, 500 + 16000, 1 },
	{ "plain, 17 s into the next one", &windows_syn, 65000, 500 + 17000, 0 },
	{ "plain, two epochs later", &windows_syn, 100, 2 * 65536, 0 },
};

/* A time in ns whose milliseconds are <ms>, as the datapath counts them, in an epoch that is far from 0. */
static uint64_t ns_of(uint64_t ms)
{
	ms += 64 << 16;
	return ((ms << 24) / 17592186 + 1) << 20;
}

static void test_age(void **state)
{
	const struct age_row *row = *state;
	struct syn s = *row->syn;
	int got;

	begin(PLAIN);
	set_now(ns_of(row->made));
	teach(&shield_server);
	dial(row->name, &s);
	set_now(ns_of(row->made + row->age));
	teach(&shield_server);
	got = answer(row->name, &s);
	if (got != (row->good ? PASS : R_COOKIE))
		fail_msg("%s: %#x", row->name, got);
}

/* Nothing but the very packet that the cookie was made for opens a connection: any bit of it turned, and it does not.
 */
static void test_forged(void **state)
{
	const struct syn *syns[] = { &linux_syn, &windows_syn };
	struct syn s;
	size_t i;
	int bit, v6;

	for (i = 0; i < 2; i++)
		for (v6 = 0; v6 < 2; v6++) {
			begin(PLAIN);
			teach(&shield_server);
			s = *syns[i];
			s.v6 = v6;
			dial("forged", &s);
			for (bit = 0; bit < 32; bit++) {
				build_ack(&s, (s.isn + 1) ^ 1U << bit, s.tsval);
				assert_int_equal(arrive("another acknowledgement"), R_COOKIE);
				build_ack(&s, s.isn + 1, s.tsval);
				put32(in.data + in.l4 + 4, (C + 1) ^ 1U << bit);
				pkt_resum(&in);
				assert_int_equal(arrive("another sequence number"), R_COOKIE);
				build_ack(&s, s.isn + 1, s.tsval);
				put32(in.data + in.l3 + (v6 ? 20 : 12),
				      get32(in.data + in.l3 + (v6 ? 20 : 12)) ^ 1U << bit);
				pkt_resum(&in);
				assert_int_equal(arrive("another source"), R_COOKIE);
				if (!s.ts)
					continue;
				build_ack(&s, s.isn + 1, s.tsval ^ 1U << bit);
				assert_int_equal(arrive("another timestamp"), R_COOKIE);
			}
			for (bit = 0; bit < 16; bit++) {
				build_ack(&s, s.isn + 1, s.tsval);
				put16(in.data + in.l4, 40000 ^ 1 << bit);
				pkt_resum(&in);
				assert_int_equal(arrive("another port"), R_COOKIE);
			}
			assert_int_equal(state_of("forged"), -1);
			assert_int_equal(answer("the right one", &s), PASS);
		}
}

/*
 * Blind ACKs: of 200000 random ones none is taken. With 243 of 2^32 good ones on the average, the chance that one is is
 * 1 in 88; since key, clock and numbers are fixed, it is always the same ones.
 */
static void test_blind(void **state)
{
	struct syn s = windows_syn;
	int i;

	begin(PLAIN);
	teach(&shield_server);
	srandom(7);
	for (i = 0; i < 200000; i++) {
		build_ack(&s, (uint32_t)random() << 16 ^ random(), 0);
		set_now(now);
		if (run_rx(&run, in.data, in.len, &out) || out.act != XDP_DROP)
			fail_msg("blind ACK %d was taken", i);
	}
	assert_int_equal(state_of("blind"), -1);
}

/* --- SYNs ----------------------------------------------------------------------------------------------------- */

static int syn_now(void)
{
	struct syn s = linux_syn;

	build_syn(&s);
	return arrive("SYN");
}

/*
 * The next one: 5 ms later, so that it is later by shield's clock, too, whatever its tick is; but too soon for a limit
 * of 10 a second to allow another one meanwhile.
 */
static int next_syn(void)
{
	set_now(now + SECOND / 200);
	return syn_now();
}

/* To a service that is not known as many are passed as the option says, here 10 at once. */
static void test_unknown(void **state)
{
	int i;

	begin(LOOSE);
	set_now(START + 3600 * SECOND);
	for (i = 0; i < 10; i++)
		assert_int_equal(next_syn(), PASS);
	assert_int_equal(next_syn(), R_SYN_LIMIT);
	set_now(now + SECOND);
	assert_int_equal(syn_now(), PASS);
}

/* Once a second one SYN is passed; and what has not answered for two minutes is not known any more. */
static void test_probe(void **state)
{
	struct shield_service svc = shield_server;

	begin(PLAIN);
	svc.probe = 0;
	teach(&svc);
	assert_int_equal(syn_now(), PASS);
	assert_int_equal(counted(NDIV_CPU_RX, 3), 1);
	assert_int_equal(syn_now(), ANSWER);
	assert_int_equal(syn_now(), ANSWER);
	set_now(now + SECOND + SECOND / 10);
	assert_int_equal(syn_now(), PASS);
	assert_int_equal(syn_now(), ANSWER);
	set_now(now + 121 * SECOND);
	assert_int_equal(syn_now(), PASS);
	assert_int_equal(syn_now(), PASS);
}

/* A reset of the host in answer to a SYN: nobody listens there any more. */
static void test_closed_port(void **state)
{
	const struct pkt_layer rst =
		TCP(.sport = PORT, .dport = 40000, .seq = 0, .ack = C + 1, .flags = TH_RST | TH_ACK);

	begin(PLAIN);
	teach(&shield_server);
	assert_int_equal(syn_now(), ANSWER);
	build(0, 1, &rst, 0);
	send_out("reset");
	assert_int_equal(syn_now(), PASS);
}

/* Above the rate (here 10 at once) cookies, and for ten seconds more. */
static void test_above(void **state)
{
	int i;

	begin(ABOVE);
	set_now(START + 7200 * SECOND);
	teach(&shield_server);
	for (i = 0; i < 10; i++)
		assert_int_equal(next_syn(), PASS);
	assert_int_equal(next_syn(), ANSWER);
	set_now(now + 9 * SECOND);
	assert_int_equal(syn_now(), ANSWER);
	set_now(now + 11 * SECOND);
	assert_int_equal(syn_now(), PASS);
}

/* What a service cannot promise is not promised; what a cookie cannot keep is for the stack. */
static void test_service(void **state)
{
	struct shield_service svc = shield_server;
	struct syn s = linux_syn;

	begin(PLAIN);
	svc.flags = SERVICE_KNOWN;
	teach(&svc);
	dial("nothing allowed", &s);
	s.ts = s.sack = 0;
	s.wscale = -1;
	check_answer("nothing allowed", &s);
	svc.flags = shield_server.flags & ~SERVICE_SCALED;
	teach(&svc);
	assert_int_equal(syn_now(), PASS);
	svc.flags = shield_server.flags | SERVICE_REFUSES;
	teach(&svc);
	assert_int_equal(syn_now(), PASS);
	svc = shield_server;
	teach(&svc);
	s = (struct syn){ .mss = 300, .wscale = -1 };
	build_syn(&s);
	assert_int_equal(arrive("MSS too small"), PASS);
	s = (struct syn){ .mss = -1, .wscale = -1, .v6 = 1 };
	build_syn(&s);
	assert_int_equal(arrive("v6, no MSS"), PASS);
	s.v6 = 0;
	build_syn(&s);
	assert_int_equal(arrive("v4, no MSS"), ANSWER);
}

static void test_bad_syn(void **state)
{
	struct pkt_layer l[] = { IP4(),
				 TCP(.dport = PORT, .seq = C, .flags = TH_SYN, .options = "\2\1\5\xb4",
				     .option_len = 4),
				 { 0 },
				 { 0 } };
	uint32_t key = NDIV_CPU_RX;
	int i;

	begin(PLAIN);
	teach(&shield_server);
	pkt_build(&in, l);
	assert_int_equal(arrive("bad options"), R_OPTIONS);
	l[1].tcp.options = "\2\4\5\xb4";
	l[2] = (struct pkt_layer)BAD_SUM(SUM_L4);
	pkt_build(&in, l);
	assert_int_equal(arrive("wrong checksum"), R_CHECKSUM);
	for (i = 0; i < run.cpu_count; i++)
		run.values[i].pressure = UINT64_MAX;
	assert_int_equal(bpf_map_update_elem(run.cpus, &key, run.values, 0), 0);
	assert_int_equal(syn_now(), R_TX_FULL);
}

/* --- a full table --------------------------------------------------------------------------------------------- */

/* All slots taken by flows like <f>. */
static void fill(const struct shield_flow *f)
{
	assert_int_equal(shield_fill(&run, who, f), 0);
}

static uint16_t stamp(uint64_t age_ms)
{
	return (shield_clock_ms(now) - age_ms) >> 11;
}

static void count_tag(struct shield_flow *f, void *arg)
{
	*(int *)arg += f->tag != 4711;
}

/* Does a cookie's flow find a place where all others are like <f>? */
static int finds_place(const struct shield_flow *f)
{
	struct syn s = linux_syn;
	int others = 0, got;

	begin(PLAIN);
	teach(&shield_server);
	dial("full", &s);
	fill(f);
	got = answer("full", &s);
	assert_int_equal(shield_each(&run, who, count_tag, &others), FLOW_SLOTS);
	assert_int_equal(others, got == PASS);
	return got;
}

static void test_full(void **state)
{
	struct shield_flow f = { .tag = 4711, .bits = { FLOW_SYN | FLOW_SEEN, FLOW_SYN | FLOW_SEEN } };

	begin(PLAIN);
	f.stamp = stamp(0);
	assert_int_equal(finds_place(&f), R_TABLE_FULL);
	f.stamp = stamp(11 * 3600000);
	assert_int_equal(finds_place(&f), R_TABLE_FULL);
	f.stamp = stamp(13 * 3600000);
	assert_int_equal(finds_place(&f), PASS);
	assert_int_equal(counted(NDIV_CPU_RX, 7), 0);
	f.stamp = stamp(0);
	f.bits[0] = FLOW_SYN | FLOW_SEEN | FLOW_COOKIE;	/* opened by a cookie, no answer yet */
	f.bits[1] = FLOW_SYN;
	assert_int_equal(finds_place(&f), R_TABLE_FULL);
	f.bits[0] = FLOW_SYN;				/* half open */
	assert_int_equal(finds_place(&f), PASS);
	assert_int_equal(counted(NDIV_CPU_RX, 7), 1);
	f.bits[0] = FLOW_SYN | FLOW_SEEN | FLOW_RST;	/* reset */
	assert_int_equal(finds_place(&f), PASS);
	f.bits[0] = FLOW_SYN | FLOW_SEEN | FLOW_FIN;	/* closing */
	assert_int_equal(finds_place(&f), R_TABLE_FULL);
}

/* Before Linux 6.9 nobody could hand a connection to its listener: so SYNs are passed, though the service is known. */
static void test_old_kernel(void **state)
{
	begin(PLAIN);
	teach(&shield_server);
	assert_int_equal(syn_now(), PASS);
}

static const struct CMUnitTest cookies[] = {
	cmocka_unit_test(test_offers),	cmocka_unit_test(test_forged),	cmocka_unit_test(test_blind),
	cmocka_unit_test(test_probe),	cmocka_unit_test(test_above),	cmocka_unit_test(test_service),
	cmocka_unit_test(test_full),	cmocka_unit_test(test_bad_syn),	cmocka_unit_test(test_closed_port),
};

#define AGES	(sizeof(ages) / sizeof(ages[0]))
#define COOKIES	(sizeof(cookies) / sizeof(cookies[0]))

int main(void)
{
	static struct CMUnitTest tests[AGES + COOKIES + 2];
	size_t n = 0, i;

	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_unknown);
	if (!shield_hands_over()) {
		tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_old_kernel);
		return _cmocka_run_group_tests("shield-cookie", tests, n, setup, teardown);
	}
	for (i = 0; i < AGES; i++)
		tests[n++] = (struct CMUnitTest){ ages[i].name, test_age, NULL, NULL, (void *)&ages[i] };
	memcpy(tests + n, cookies, sizeof(cookies));
	return _cmocka_run_group_tests("shield-cookie", tests, n + COOKIES, setup, teardown);
}

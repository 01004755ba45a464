// SPDX-License-Identifier: GPL-2.0-only
/* test_shield.c - the handler shield: flows in every state, what belongs to none, and options */
#include "policy.h"
#include "shield_talk.h"

/* --- conversations -------------------------------------------------------------------------------------------- */

enum step_kind { END, IN, OUT, WAIT };

/* One packet of a conversation, its numbers counted from the initial ones; or a time in which nothing happens. */
struct step {
	int	flags;		/* WAIT: milliseconds */
	int64_t	seq, ack;
	int	len;
	int	want;		/* IN: PASS or a reason */
	int	state;		/* afterwards, plus 1; 0: no matter */
	int	window;
	enum step_kind kind;
};

#define ST(s)		((s) + 1)
#define NONE		((int)0x7fff)	/* no flow */

struct talk_row {
	const char *name;
	struct step step[16];
};

/* clang-format off */
#define SYN_PASSED	{ TH_SYN, 0, .kind = IN }, { SA, 0, 1, .state = ST(FLOW_SYN_RECV), .kind = OUT }
#define OPENED		SYN_PASSED, { TH_ACK, 1, 1, .state = ST(FLOW_OPEN), .kind = IN }
#define GONE		.want = R_COOKIE

static const struct talk_row talks[] = {
	{ "a connection from its beginning to its end", { OPENED,
		{ TH_ACK | TH_PSH, 1, 1, 100, .kind = IN }, { TH_ACK, 1, 101, .kind = OUT }, { TH_ACK, 1, 101, 1000, .kind = OUT },
		{ TH_ACK, 101, 1001, .kind = IN },
		{ FA, 101, 1001, .state = ST(FLOW_CLOSING), .kind = IN }, { TH_ACK, 1001, 102, .state = ST(FLOW_CLOSING), .kind = OUT },
		{ FA, 1001, 102, .state = ST(FLOW_LAST_ACK), .kind = OUT }, { TH_ACK, 102, 1002, .state = ST(FLOW_TIME_WAIT), .kind = IN },
		{ FA, 101, 1001, .state = ST(FLOW_TIME_WAIT), .kind = IN } } },
	{ "the server closes first", { OPENED,
		{ FA, 1, 1, .state = ST(FLOW_CLOSING), .kind = OUT }, { TH_ACK, 1, 2, .state = ST(FLOW_CLOSING), .kind = IN },
		{ TH_ACK, 1, 2, 500, .kind = IN }, { TH_ACK, 2, 501, .kind = OUT },
		{ FA, 501, 2, .state = ST(FLOW_LAST_ACK), .kind = IN }, { TH_ACK, 2, 502, .state = ST(FLOW_TIME_WAIT), .kind = OUT } } },
	{ "both close at once", { OPENED,
		{ FA, 1, 1, .kind = OUT }, { FA, 1, 1, .state = ST(FLOW_LAST_ACK), .kind = IN }, { TH_ACK, 2, 2, .state = ST(FLOW_LAST_ACK), .kind = OUT },
		{ TH_ACK, 2, 2, .state = ST(FLOW_TIME_WAIT), .kind = IN } } },
	{ "SYN again", { SYN_PASSED, { TH_SYN, 0, .state = ST(FLOW_SYN_RECV), .kind = IN },
		{ SA, 0, 1, .state = ST(FLOW_SYN_RECV), .kind = OUT }, { TH_ACK, 1, 1, .state = ST(FLOW_OPEN), .kind = IN } } },
	{ "data with the third packet", { SYN_PASSED, { TH_ACK, 1, 1, 200, .state = ST(FLOW_OPEN), .kind = IN } } },
	{ "a SYN in an open connection is for the stack", { OPENED, { TH_SYN, 7777777, .state = ST(FLOW_OPEN), .kind = IN } } },
	{ "a SYN in TIME-WAIT begins anew", { OPENED, { FA, 1, 1, .kind = OUT }, { FA, 1, 2, .kind = IN }, { TH_ACK, 2, 2, .kind = OUT },
		{ TH_SYN, 900000, .state = ST(FLOW_TIME_WAIT), .kind = IN }, { SA, 800000, 900001, .state = ST(FLOW_SYN_RECV), .kind = OUT },
		{ TH_ACK, 900001, 800001, .state = ST(FLOW_OPEN), .kind = IN } } },
	/* resets */
	{ "reset, exact", { OPENED, { TH_RST, 1, 0, .state = ST(FLOW_CLOSED), .kind = IN } } },
	{ "reset in the window: the stack asks back", { OPENED, { TH_RST, 1000, 0, .state = ST(FLOW_OPEN), .kind = IN } } },
	{ "reset beyond the window", { OPENED, { TH_RST, 1 + 65160 + 1, 0, .want = R_WINDOW, .state = ST(FLOW_OPEN), .kind = IN } } },
	{ "reset of the server", { OPENED, { TH_RST, 1, 0, .state = ST(FLOW_CLOSED), .kind = OUT } } },
	{ "SYN after a reset: a new one", { OPENED, { TH_RST, 1, 0, .state = ST(FLOW_CLOSED), .kind = IN },
		{ TH_SYN, 500000, .kind = IN }, { SA, 700000, 500001, .state = ST(FLOW_SYN_RECV), .kind = OUT } } },
	{ "a refused connection", { { TH_SYN, 0, 0, .state = ST(FLOW_SYN_SENT), .kind = OUT },
		{ TH_RST | TH_ACK, 0, 1, .state = ST(FLOW_CLOSED), .kind = IN } } },
	{ "a forged refusal", { { TH_SYN, 0, 0, .kind = OUT },
		{ TH_RST | TH_ACK, 0, 2, .want = R_WINDOW, .state = ST(FLOW_SYN_SENT), .kind = IN },
		{ TH_RST, 0, 0, .want = R_WINDOW, .state = ST(FLOW_SYN_SENT), .kind = IN } } },
	/* connections of the host's own */
	{ "outbound", { { TH_SYN, 0, 0, .state = ST(FLOW_SYN_SENT), .kind = OUT }, { SA, 0, 1, .kind = IN }, { TH_ACK, 1, 1, .state = ST(FLOW_OPEN), .kind = OUT },
		{ TH_ACK, 1, 1, 1000, .state = ST(FLOW_OPEN), .kind = IN }, { TH_ACK, 1, 1001, .kind = OUT }, { FA, 1001, 1, .state = ST(FLOW_CLOSING), .kind = IN } } },
	{ "outbound, a forged answer", { { TH_SYN, 0, 0, .kind = OUT }, { SA, 0, 2, .want = R_WINDOW, .kind = IN },
		{ SA, 0, 0, .want = R_WINDOW, .kind = IN }, { TH_ACK, 1, 1, .want = R_WINDOW, .state = ST(FLOW_SYN_SENT), .kind = IN } } },
	/* in the middle of it */
	{ "what the host sends makes a flow", { { TH_ACK, 5000, 6000, 100, .state = ST(FLOW_OPEN), .kind = OUT },
		{ TH_ACK, 6000, 5100, .state = ST(FLOW_OPEN), .kind = IN }, { TH_ACK, 99999999, 5100, .state = ST(FLOW_OPEN), .kind = IN } } },
	{ "but no reset does", { { TH_RST, 5000, 0, .state = NONE, .kind = OUT }, { TH_RST | TH_ACK, 0, 1, .state = NONE, .kind = OUT } } },
	/* windows: the server takes 65160 bytes from 1 on, has been sent nothing */
	{ "begins at the end of the window", { OPENED, { TH_ACK, 1 + 65160, 1, 1, .kind = IN } } },
	{ "begins behind the window", { OPENED, { TH_ACK, 1 + 65160 + 1, 1, 1, .want = R_WINDOW, .kind = IN } } },
	{ "ends as long ago as the window is", { OPENED, { TH_ACK, 1 - 65160 - 1, 1, 0, .kind = IN } } },
	{ "ends longer ago", { OPENED, { TH_ACK, 1 - 65160 - 2, 1, 0, .want = R_WINDOW, .kind = IN } } },
	{ "keep-alive", { OPENED, { TH_ACK, 0, 1, 0, .kind = IN } } },
	{ "acknowledges what was not sent", { OPENED, { TH_ACK, 1, 2, 0, .want = R_WINDOW, .kind = IN } } },
	{ "acknowledges what was sent", { OPENED, { TH_ACK, 1, 1, 1000, .kind = OUT }, { TH_ACK, 1, 1001, .kind = IN } } },
	{ "acknowledges as long ago as may be", { OPENED, { TH_ACK, 1, 1 - 66000, 0, .kind = IN } } },
	{ "acknowledges longer ago", { OPENED, { TH_ACK, 1, 1 - 66001, 0, .want = R_WINDOW, .kind = IN } } },
	{ "the window moves", { OPENED, { TH_ACK, 1, 1, 1000, .kind = IN }, { TH_ACK, 1, 1001, .kind = OUT }, { TH_ACK, 1001 + 65160, 1, 1, .kind = IN } } },
	{ "a closed window may be probed", { { TH_SYN, 0, .kind = IN }, { SA, 0, 1, .window = 1000, .kind = OUT },
		{ TH_ACK, 1, 1, 1000, .kind = IN }, { TH_ACK, 1, 1001, .window = -1, .kind = OUT },
		{ TH_ACK, 1002, 1, 1, .kind = IN }, { TH_ACK, 1003, 1, 1, .want = R_WINDOW, .kind = IN } } },
	/* time-outs: 2.048 s a unit, so half of it passes before it counts */
	{ "half open for 61 s", { SYN_PASSED, { 61000, .kind = WAIT }, { TH_ACK, 1, 1, .state = ST(FLOW_OPEN), .kind = IN } } },
	{ "half open for 64 s", { SYN_PASSED, { 64000, .kind = WAIT }, { TH_ACK, 1, 1, GONE, .kind = IN } } },
	{ "open and idle for 11 hours", { OPENED, { 11 * 3600000, .kind = WAIT }, { TH_ACK, 1, 1, 1, .kind = IN } } },
	{ "open and idle for 12 hours and 3 s", { OPENED, { 12 * 3600000 + 3000, .kind = WAIT }, { TH_ACK, 1, 1, 1, GONE, .kind = IN } } },
	{ "each packet begins the time anew", { OPENED, { 11 * 3600000, .kind = WAIT }, { TH_ACK, 1, 1, 1, .kind = OUT }, { 11 * 3600000, .kind = WAIT },
		{ TH_ACK, 1, 1, 1, .kind = IN } } },
	{ "one FIN, 5 minutes", { OPENED, { FA, 1, 1, .kind = OUT }, { 300000, .kind = WAIT }, { TH_ACK, 1, 1, 1, .kind = IN } } },
	{ "one FIN, 5 minutes and 5 s", { OPENED, { FA, 1, 1, .kind = OUT }, { 305000, .kind = WAIT }, { TH_ACK, 1, 1, 1, GONE, .kind = IN } } },
	{ "two FINs, 61 s", { OPENED, { FA, 1, 1, .kind = OUT }, { FA, 1, 1, .kind = IN }, { 61000, .kind = WAIT }, { TH_ACK, 2, 2, .kind = IN } } },
	{ "two FINs, 64 s", { OPENED, { FA, 1, 1, .kind = OUT }, { FA, 1, 1, .kind = IN }, { 64000, .kind = WAIT }, { TH_ACK, 2, 2, GONE, .kind = IN } } },
	{ "TIME-WAIT, 2 minutes", { OPENED, { FA, 1, 1, .kind = OUT }, { FA, 1, 2, .kind = IN }, { TH_ACK, 2, 2, .kind = OUT }, { 120000, .kind = WAIT },
		{ FA, 1, 2, .kind = IN } } },
	{ "TIME-WAIT, 2 minutes and 3 s", { OPENED, { FA, 1, 1, .kind = OUT }, { FA, 1, 2, .kind = IN }, { TH_ACK, 2, 2, .kind = OUT }, { 123000, .kind = WAIT },
		{ FA, 1, 2, GONE, .kind = IN } } },
	{ "reset, 10 s", { OPENED, { TH_RST, 1, 0, .kind = OUT }, { 10000, .kind = WAIT }, { TH_ACK, 1, 1, .kind = IN } } },
	{ "reset, 13 s", { OPENED, { TH_RST, 1, 0, .kind = OUT }, { 13000, .kind = WAIT }, { TH_ACK, 1, 1, GONE, .kind = IN } } },
	{ "no answer for 61 s", { { TH_SYN, 0, 0, .kind = OUT }, { 61000, .kind = WAIT }, { SA, 0, 1, .kind = IN } } },
	{ "no answer for 64 s", { { TH_SYN, 0, 0, .kind = OUT }, { 64000, .kind = WAIT }, { SA, 0, 1, .want = R_NO_FLOW, .kind = IN } } },
	{ "a SYN after the time is a new one", { OPENED, { 13 * 3600000, .kind = WAIT }, { TH_SYN, 70000, .kind = IN },
		{ SA, 90000, 70001, .state = ST(FLOW_SYN_RECV), .kind = OUT } } },
	/* no flow */
	{ "ACK", { { TH_ACK, 1, 1, GONE, .state = NONE, .kind = IN } } },
	{ "data", { { TH_ACK, 1, 1, 100, GONE, .state = NONE, .kind = IN } } },
	{ "FIN", { { FA, 1, 1, GONE, .state = NONE, .kind = IN } } },
	{ "reset without a flow", { { TH_RST, 1, 0, .want = R_NO_FLOW, .state = NONE, .kind = IN } } },
	{ "reset and ACK without a flow", { { TH_RST | TH_ACK, 1, 1, .want = R_NO_FLOW, .state = NONE, .kind = IN } } },
	{ "SYN-ACK without a flow", { { SA, 0, 1, .want = R_NO_FLOW, .state = NONE, .kind = IN } } },
};
/* clang-format on */

/* A window of -1 is 0: a layer without one has a default. */
static void fix_window(int window)
{
	if (window >= 0)
		return;
	put16(in.data + in.l4 + 14, 0);
	pkt_resum(&in);
}

static void one_step(const char *name, const struct step *s, int v6, int n)
{
	struct pkt_layer tcp =
		TCP(.sport = 40000, .dport = PORT, .seq = C + s->seq, .ack = s->flags & TH_ACK ? S + s->ack : 0,
		    .flags = s->flags, .window = s->window > 0 ? s->window : 65160);
	int got;

	if (s->kind == WAIT) {
		set_now(now + s->flags * 1000000ULL);
		return;
	}
	if (s->kind == OUT) {
		tcp.tcp.sport = PORT;
		tcp.tcp.dport = 40000;
		tcp.tcp.seq = S + s->seq;
		tcp.tcp.ack = s->flags & TH_ACK ? C + s->ack : 0;
	}
	build(v6, s->kind == OUT, &tcp, s->len);
	fix_window(s->window);
	if (s->kind == OUT) {
		send_out(name);
	} else {
		got = arrive(name);
		if (got != s->want)
			fail_msg("%s, v%d, step %d: %#x and not %#x", name, v6 ? 6 : 4, n, got, s->want);
	}
	got = s->state ? state_of(name) : 0;
	if (s->state && got != (s->state == NONE ? -1 : s->state - 1))
		fail_msg("%s, v%d, step %d: state %d and not %d", name, v6 ? 6 : 4, n, got, s->state - 1);
}

static void test_talk(void **state)
{
	const struct talk_row *row = *state;
	int v6, i;

	for (v6 = 0; v6 < 2; v6++) {
		begin(PLAIN);
		for (i = 0; row->step[i].kind; i++)
			one_step(row->name, &row->step[i], v6, i);
	}
}

/* Every combination of flags, without a flow and in one. */
static void test_flags(void **state)
{
	const int sound[] = { TH_SYN, SA, TH_ACK, FA, TH_RST, TH_RST | TH_ACK };
	const struct step open[] = { OPENED };
	int flags, i, is_sound, got;
	size_t n;

	for (flags = 0; flags < 256; flags++) {
		is_sound = 0;
		for (n = 0; n < sizeof(sound) / sizeof(sound[0]); n++)
			is_sound |= (flags & (TH_SYN | TH_ACK | TH_FIN | TH_RST)) == sound[n];
		for (i = 0; i < 2; i++) {
			const struct pkt_layer tcp = TCP(.dport = PORT, .seq = C + 1, .ack = S + 1, .flags = flags);

			begin(PLAIN);
			for (n = 0; i && n < sizeof(open) / sizeof(open[0]); n++)
				one_step("flags", &open[n], 0, n);
			build(0, 0, &tcp, 0);
			got = arrive("flags");
			if ((got == R_FLAGS) == is_sound)
				fail_msg("flags %#x, %s: %#x", flags, i ? "in a flow" : "without a flow", got);
		}
	}
}

/* Not TCP, not for this host: not shield's business. Fragments of TCP: never. */
static void test_others(void **state)
{
	static const struct pkt_layer rows[][4] = {
		{ IP4(), UDP(.dport = PORT), DATA(9) },
		{ IP6(), ICMP6(), DATA(9) },
		{ ETH(.dst = { 2, 0, 0, 0, 0x77, 9 }), IP4(), TCP(.dport = PORT, .flags = TH_ACK) },
		{ ETH(.proto = 0x0806), DATA(46) },
		{ IP4(.frag = 0x2001, .proto = 17), DATA(48) },
	};
	static const struct pkt_layer frags[][4] = {
		{ IP4(.frag = 0x2000), TCP(.dport = PORT, .flags = TH_ACK), DATA(44) },
		{ IP4(.frag = 0x0005, .proto = 6), DATA(48) },
		{ IP6(), FRAG(.off = 8, .next = 6), DATA(48) },
	};
	size_t i;

	begin(PLAIN);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pkt_build(&in, rows[i]);
		assert_int_equal(arrive("others"), PASS);
	}
	for (i = 0; i < sizeof(frags) / sizeof(frags[0]); i++) {
		pkt_build(&in, frags[i]);
		assert_int_equal(arrive("fragments"), R_FRAGMENT);
	}
}

/* --- many flows ----------------------------------------------------------------------------------------------- */

/* Another remote end for the packet <in> of the host, by number. */
static void set_remote(int v6, uint32_t i)
{
	uint32_t n = i * 2654435761u;

	put16(in.data + in.l4 + 2, 1024 + (n & 0x3ff));
	if (v6) {
		put32(in.data + in.l3 + 24 + 4, n >> 10);	/* each has a network of its own */
		return;
	}
	put32(in.data + in.l3 + 16, 0x0a400000 | n >> 10);
	memset(in.data + in.l3 + 10, 0, 2);
	put16(in.data + in.l3 + 10, ~pkt_fold(pkt_sum(in.data + in.l3, 20, 0)));
}

/* These million flows find a place, each its own (of others, one in 300000 might not). */
static void test_million(void **state)
{
	const struct pkt_layer tcp = TCP(.sport = PORT, .dport = 40000, .seq = S, .ack = C, .flags = TH_ACK);
	uint32_t i;
	int v6;

	for (v6 = 0; v6 < 2; v6++) {
		begin(PLAIN);
		build(v6, 1, &tcp, 0);
		for (i = 0; i < 1000000; i++) {
			set_remote(v6, i);
			set_now(now);
			if (run_tx(&run, in.data, in.len, &out))
				fail_msg("test run failed");
		}
		assert_int_equal(counted(NDIV_CPU_TX, 9), 0);
		assert_int_equal(counted(NDIV_CPU_TX, 5), 1000000);
		assert_int_equal(shield_each(&run, who, NULL, NULL), 1000000);
	}
}

/* --- options -------------------------------------------------------------------------------------------------- */

static void test_loose(void **state)
{
	const struct step open[] = { OPENED };
	const struct step far = { TH_ACK, 99999999, 99999999, 1, .kind = IN };
	size_t n;

	begin(LOOSE);
	set_now(START + 9000 * SECOND);
	for (n = 0; n < sizeof(open) / sizeof(open[0]); n++)
		one_step("window=ignore", &open[n], 0, n);
	one_step("window=ignore", &far, 0, n);
}

/* A UDP packet behind <n> extension headers, from the lab's client to <dst>. */
static void build_headers(int n, const uint8_t *dst)
{
	struct pkt_layer layers[16] = { ETH(), IP6() };
	int i;

	memcpy(layers[0].eth.dst, dst, 6);
	for (i = 0; i < n; i++)
		layers[2 + i] = (struct pkt_layer)EXT(60);
	layers[2 + n] = (struct pkt_layer)UDP();
	layers[3 + n] = (struct pkt_layer)DATA(20);
	pkt_build(&in, layers);
}

/* Of IPv6, as many extension headers as are read; with more, only who is trusted. What the host sends is left alone. */
static void test_headers(void **state)
{
	static const uint8_t server[] = PKT_MAC_SERVER, other[] = { 2, 0, 0, 0, 0x77, 9 };
	const uint32_t zero = 0;

	begin(PLAIN);
	build_headers(NDIV_EXT_MAX, server);
	assert_int_equal(arrive("eight"), PASS);
	build_headers(NDIV_EXT_MAX + 1, server);
	assert_int_equal(arrive("nine"), R_HEADERS);
	send_out("nine, sent");
	build_headers(NDIV_EXT_MAX + 1, other);
	assert_int_equal(arrive("nine, to another host"), PASS);
	build_headers(NDIV_EXT_MAX + 1, server);
	assert_int_equal(shield_policy(&run, who, "trust fd77::1"), 0);
	assert_int_equal(arrive("nine, trusted"), PASS);
	assert_int_equal(shield_policy(&run, who, "trust fd77::2\nallow fd77::1"), 0);
	assert_int_equal(arrive("nine, allowed"), R_HEADERS);
	assert_int_equal(bpf_map_delete_elem(run_map(&run, who, "shield_policy"), &zero), 0);
	build(1, 0, &(struct pkt_layer)TCP(.dport = PORT, .flags = TH_SYN), 0);
	in.data[in.l3 + 6] = 0xff;	/* of a protocol that nobody knows */
	assert_int_equal(arrive("another protocol"), PASS);
}

/* The names behind the numbers of this test. */
static void test_names(void **state)
{
	struct bpf_map *map = bpf_object__find_map_by_name(run.handler[PLAIN].obj, ".rodata.ndiv");
	const struct ndiv_info *info = map ? bpf_map__initial_value(map, &(size_t){ 0 }) : NULL;

	assert_non_null(info);
	assert_string_equal(info->counters[3], "syn-probe");
	assert_string_equal(info->counters[5], "flow-sent");
	assert_string_equal(info->counters[7], "evicted");
	assert_string_equal(info->counters[9], "untracked");
	assert_string_equal(info->reasons[REASON(R_FLAGS)], "bad-flags");
	assert_string_equal(info->reasons[REASON(R_COOKIE)], "bad-cookie");
	assert_string_equal(info->reasons[REASON(R_NO_FLOW)], "no-flow");
	assert_string_equal(info->reasons[REASON(R_WINDOW)], "out-of-window");
	assert_string_equal(info->reasons[REASON(R_CHECKSUM)], "bad-checksum");
	assert_string_equal(info->reasons[REASON(R_OPTIONS)], "bad-options");
	assert_string_equal(info->reasons[REASON(R_SYN_LIMIT)], "syn-limit");
	assert_string_equal(info->reasons[REASON(R_TX_FULL)], "tx-full");
	assert_string_equal(info->reasons[REASON(R_TABLE_FULL)], "table-full");
	assert_string_equal(info->reasons[REASON(R_FRAGMENT)], "fragment");
	assert_string_equal(info->reasons[REASON(R_NOT_OPEN)], "not-open");
	assert_string_equal(info->reasons[REASON(R_REFUSED)], "refused");
	assert_string_equal(info->reasons[REASON(R_HEADERS)], "ip-headers");
}

int main(void)
{
	static struct CMUnitTest tests[sizeof(talks) / sizeof(talks[0]) + 6];
	size_t n = 0, i;

	for (i = 0; i < sizeof(talks) / sizeof(talks[0]); i++)
		tests[n++] = (struct CMUnitTest){ talks[i].name, test_talk, NULL, NULL, (void *)&talks[i] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_names);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_flags);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_headers);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_others);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_million);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_loose);
	return _cmocka_run_group_tests("shield", tests, n, setup, teardown);
}

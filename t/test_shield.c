// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_shield.c - the handler shield: cookies, flows in every state, and what belongs to none
 *
 * The clock stands still but for what a test adds to it. Behind shield there is no stack: what the host would send is
 * run through the transmit path.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include "oracle.h"
#include "rows.h"
#include "shield.h"

#define PORT		8000
#define START		(1ULL << 40)	/* ns: 50 s into an epoch */
#define SECOND		1000000000ULL
#define C		ROWS_CLIENT_ISN
#define S		5000000		/* the server's initial sequence number, where the stack answers */
#define SA		(TH_SYN | TH_ACK)
#define FA		(TH_FIN | TH_ACK)

enum { PASS, ANSWER, R_FLAGS = 1 << 8, R_COOKIE, R_NO_FLOW, R_WINDOW, R_CHECKSUM, R_OPTIONS, R_SYN_LIMIT, R_TX_FULL,
       R_TABLE_FULL, R_FRAGMENT, R_NOT_OPEN, R_REFUSED };
#define REASON(r)	((r) - R_FLAGS + 1)

/* Instances: no learning and cookies always; cookies above a rate; no check of windows. */
enum { PLAIN = 1, ABOVE, LOOSE };

static struct run run;
static struct pkt in;
static struct run_out out;
static struct ndiv_cpu sum;
static uint64_t now;
static uint32_t who;

static void set_now(uint64_t ns)
{
	now = ns;
	assert_int_equal(shield_set_clock(&run, who, ns), 0);
}

static void forget_service(int v6)
{
	const struct shield_service nothing = { 0 };

	assert_int_equal(shield_teach(&run, who, v6, PORT, START, &nothing), 0);
}

static void teach(const struct shield_service *what)
{
	assert_int_equal(shield_teach(&run, who, 0, PORT, now, what), 0);
	assert_int_equal(shield_teach(&run, who, 1, PORT, now, what), 0);
}

/* Instance <id>, with nothing in its tables. */
static void begin(uint32_t id)
{
	who = id;
	assert_int_equal(run_order(&run, &id, 1), 0);
	assert_int_equal(run_reset(&run), 0);
	assert_int_equal(shield_clear(&run, id), 0);
	set_now(START);
	forget_service(0);
	forget_service(1);
}

static uint64_t counted(enum ndiv_cpu_index path, uint32_t n)
{
	assert_int_equal(run_sum(&run, path, &sum), 0);
	return sum.counter[who][n];
}

/* Runs <in>: PASS, ANSWER, or the reason why it was dropped. What is passed is unchanged, what is sent is sound. */
static int arrive(const char *name)
{
	static struct ndiv_cpu before;
	struct ndiv_pkt pkt;
	const char *bad;
	int r;

	assert_int_equal(run_sum(&run, NDIV_CPU_RX, &before), 0);
	if (run_rx(&run, in.data, in.len, &out))
		fail_msg("%s: test run failed", name);
	if (out.act == XDP_PASS && (out.len != in.len || memcmp(out.data, in.data, in.len)))
		fail_msg("%s: passed, but changed", name);
	if (out.act == XDP_PASS)
		return PASS;
	bad = out.act == XDP_TX ? oracle_judge(out.data, out.len, &pkt) : NULL;
	if (bad)
		fail_msg("%s: the answer is wrong: %s", name, bad);
	if (out.act == XDP_TX)
		return ANSWER;
	assert_int_equal(run_sum(&run, NDIV_CPU_RX, &sum), 0);
	for (r = 1; r < NDIV_REASONS_MAX; r++)
		if (sum.reason[who][r] != before.reason[who][r])
			return r + R_FLAGS - 1;
	fail_msg("%s: dropped without a reason", name);
	return -1;
}

static void keep(struct shield_flow *f, void *arg)
{
	*(struct shield_flow *)arg = *f;
}

/* State of the only flow; -1: there is none. */
static int state_of(const char *name)
{
	struct shield_flow f;
	int count = shield_each(&run, who, keep, &f);

	if (count < 0 || count > 1)
		fail_msg("%s: %d flows", name, count);
	return count ? (int)flow_state(&f) : -1;
}

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

static void build(int v6, int back, const struct pkt_layer *tcp, int len)
{
	const struct pkt_layer v4l[] = { ETH(), IP4(), *tcp, DATA(len), { 0 } };
	const struct pkt_layer v6l[] = { ETH(), IP6(), *tcp, DATA(len), { 0 } };
	const struct pkt_layer v4b[] = { ETH(.dst = PKT_MAC_CLIENT, .src = PKT_MAC_SERVER),
					 IP4(.src = PKT_IP4_SERVER, .dst = PKT_IP4_CLIENT), *tcp, DATA(len), { 0 } };
	const struct pkt_layer v6b[] = { ETH(.dst = PKT_MAC_CLIENT, .src = PKT_MAC_SERVER),
					 IP6(.src = PKT_IP6_SERVER, .dst = PKT_IP6_CLIENT), *tcp, DATA(len), { 0 } };
	struct pkt_layer chosen[5];

	memcpy(chosen, back ? (v6 ? v6b : v4b) : (v6 ? v6l : v4l), sizeof(chosen));
	if (!len)
		chosen[3] = (struct pkt_layer){ 0 };
	pkt_build(&in, chosen);
}

/* A window of -1 is 0: a layer without one has a default. */
static void fix_window(int window)
{
	if (window >= 0)
		return;
	put16(in.data + in.l4 + 14, 0);
	pkt_resum(&in);
}

static void send_out(const char *name)
{
	if (run_tx(&run, in.data, in.len, &out) || out.act != TC_ACT_UNSPEC)
		fail_msg("%s: what the host sends is dropped", name);
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

/* --- cookies -------------------------------------------------------------------------------------------------- */

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

/* To a service that is not known as many are passed as the option says, here 10 at once. */
static void test_unknown(void **state)
{
	int i;

	begin(LOOSE);
	set_now(START + 3600 * SECOND);
	for (i = 0; i < 10; i++)
		assert_int_equal(syn_now(), PASS);
	assert_int_equal(syn_now(), R_SYN_LIMIT);
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
		assert_int_equal(syn_now(), PASS);
	assert_int_equal(syn_now(), ANSWER);
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

/* Before Linux 6.9 nobody could hand a connection to its listener: so SYNs are passed, though the service is known. */
static void test_old_kernel(void **state)
{
	begin(PLAIN);
	teach(&shield_server);
	assert_int_equal(syn_now(), PASS);
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
}

static int setup(void **state)
{
	static const uint32_t zero, one = 1, ten = 10;
	static const uint8_t ignore = 1;
	const struct run_option plain[] = { { "learn", &zero, 4 }, { "lookups", &one, 4 }, { 0 } };
	const struct run_option above[] = { { "learn", &zero, 4 }, { "above", &ten, 4 }, { 0 } };
	const struct run_option loose[] = { { "window", &ignore, 1 }, { "unknown", &ten, 4 }, { 0 } };
	const char *path = "handlers/shield.bpf.o";

	if (run_open(&run, NULL) || run_add(&run, run_path(path), plain) != PLAIN ||
	    run_add(&run, run_path(path), above) != ABOVE || run_add(&run, run_path(path), loose) != LOOSE)
		return -1;
	return 0;
}

static int teardown(void **state)
{
	run_close(&run);
	return 0;
}

#define TESTS_MAX	128

static size_t add(struct CMUnitTest *to, const struct CMUnitTest *tests, size_t count)
{
	memcpy(to, tests, count * sizeof(*to));
	return count;
}

#define ADD(list)	add(tests + n, list, sizeof(list) / sizeof((list)[0]))

int main(void)
{
	static struct CMUnitTest tests[TESTS_MAX];
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_names),	cmocka_unit_test(test_flags),	cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_others),	cmocka_unit_test(test_million), cmocka_unit_test(test_loose),
	};
	const struct CMUnitTest cookies[] = {
		cmocka_unit_test(test_offers),	    cmocka_unit_test(test_forged),  cmocka_unit_test(test_blind),
		cmocka_unit_test(test_probe),	    cmocka_unit_test(test_above),   cmocka_unit_test(test_service),
		cmocka_unit_test(test_closed_port), cmocka_unit_test(test_bad_syn), cmocka_unit_test(test_full),
	};
	const struct CMUnitTest none[] = { cmocka_unit_test(test_old_kernel) };
	size_t n = 0, i;

	for (i = 0; i < sizeof(talks) / sizeof(talks[0]); i++)
		tests[n++] = (struct CMUnitTest){ talks[i].name, test_talk, NULL, NULL, (void *)&talks[i] };
	n += ADD(all);
	if (shield_hands_over()) {
		for (i = 0; i < sizeof(ages) / sizeof(ages[0]); i++)
			tests[n++] = (struct CMUnitTest){ ages[i].name, test_age, NULL, NULL, (void *)&ages[i] };
		n += ADD(cookies);
	} else {
		n += ADD(none);
	}
	return _cmocka_run_group_tests("shield", tests, n, setup, teardown);
}

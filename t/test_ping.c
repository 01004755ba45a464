// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_ping.c - the handler ping: what it answers, byte by byte, and what it does not
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/bpf.h>
#include "oracle.h"
#include "rows.h"
#include "suite.h"

#define SEED		99
#define MUTATIONS	50000
#define NONE		-1

/* Instances, with other options each. */
enum who { PLAIN = 1, LISTED4, LISTED6, LISTED_BOTH, FIVE, FIVE_PASS, SOURCE, SOURCE_PASS, BOTH, QUICK, DEFAULT };

/* Its counters and reasons, as in handlers/ping/ping.bpf.c; checked by name in test_names(). */
enum { ECHO4, ECHO6, BAD_CHECKSUM, FRAGMENT, OPTIONS, NOT_MINE, NO_VLAN, TX_FULL, RATE_PASSED, SOURCE_PASSED };
enum { OVER_RATE = 1, OVER_SOURCE_RATE };
enum { OVER_DROP, OVER_PASS };

struct row {
	const char *name;
	struct pkt_layer in[PKT_LAYERS];
	struct pkt_layer out[PKT_LAYERS]; /* none: passed as it is */
	int	counter;
	enum who who;		/* 0: PLAIN */
	int	pressure;
};

static struct run run;
static struct pkt in, expected;
static struct run_out out;
static struct ndiv_cpu got;

#define TO_CLIENT	ETH(.dst = PKT_MAC_CLIENT, .src = PKT_MAC_SERVER)
#define BACK4		IP4(.src = PKT_IP4_SERVER, .dst = PKT_IP4_CLIENT)
#define BACK6		IP6(.src = PKT_IP6_SERVER, .dst = PKT_IP6_CLIENT)
#define ASK(i, s)	ICMP(.id = (i), .seq = (s))
#define ASK6(i, s)	ICMP6(.id = (i), .seq = (s))
#define TELL(i, s)	ICMP(.type = 0xff, .id = (i), .seq = (s))
#define TELL6(i, s)	ICMP6(.type = 129, .id = (i), .seq = (s))

/* clang-format off */
static const struct row rows[] = {
	/* --- answered --------------------------------------------------------------------------------------- */
	{ "v4", { IP4(), ASK(1, 2), DATA(56) }, { TO_CLIENT, BACK4, TELL(1, 2), DATA(56) }, .counter = ECHO4 },
	{ "v6", { IP6(), ASK6(1, 2), DATA(56) }, { TO_CLIENT, BACK6, TELL6(1, 2), DATA(56) }, .counter = ECHO6 },
	{ "v4, no data", { IP4(), ASK(1, 2) }, { TO_CLIENT, BACK4, TELL(1, 2) }, .counter = ECHO4 },
	{ "v6, no data", { IP6(), ASK6(1, 2) }, { TO_CLIENT, BACK6, TELL6(1, 2) }, .counter = ECHO6 },
	{ "v4, one byte", { IP4(), ASK(1, 2), DATA(1) }, { TO_CLIENT, BACK4, TELL(1, 2), DATA(1) },
	  .counter = ECHO4 },
	{ "v6, one byte", { IP6(), ASK6(1, 2), DATA(1) }, { TO_CLIENT, BACK6, TELL6(1, 2), DATA(1) },
	  .counter = ECHO6 },
	{ "v4, padded", { IP4(), ASK(1, 2), DATA(3), PAD(60) }, { TO_CLIENT, BACK4, TELL(1, 2), DATA(3), PAD(60) },
	  .counter = ECHO4 },
	{ "v4, trailer is not sent back", { IP4(), ASK(1, 2), DATA(100), PAD(300) },
	  { TO_CLIENT, BACK4, TELL(1, 2), DATA(100) }, .counter = ECHO4 },
	{ "v6, trailer is not sent back", { IP6(), ASK6(1, 2), DATA(100), PAD(300) },
	  { TO_CLIENT, BACK6, TELL6(1, 2), DATA(100) }, .counter = ECHO6 },
	{ "v4, trailer of a short one", { IP4(), ASK(1, 2), PAD(200) }, { TO_CLIENT, BACK4, TELL(1, 2), PAD(60) },
	  .counter = ECHO4 },
	{ "v4, 1472 bytes", { IP4(), ASK(1, 2), DATA(1472) }, { TO_CLIENT, BACK4, TELL(1, 2), DATA(1472) },
	  .counter = ECHO4 },
	{ "v6, 1452 bytes", { IP6(), ASK6(1, 2), DATA(1452) }, { TO_CLIENT, BACK6, TELL6(1, 2), DATA(1452) },
	  .counter = ECHO6 },
	{ "v4, jumbo", { IP4(), ASK(1, 2), DATA(8972) }, { TO_CLIENT, BACK4, TELL(1, 2), DATA(8972) },
	  .counter = ECHO4 },
	{ "v6, jumbo", { IP6(), ASK6(1, 2), DATA(8951) }, { TO_CLIENT, BACK6, TELL6(1, 2), DATA(8951) },
	  .counter = ECHO6 },
	{ "v4, vlan", { VLAN(.tci = 0x600a), IP4(), ASK(1, 2), DATA(56) },
	  { TO_CLIENT, VLAN(.tci = 0x600a), BACK4, TELL(1, 2), DATA(56) }, .counter = ECHO4 },
	{ "v6, vlan", { VLAN(.tci = 10), IP6(), ASK6(1, 2), DATA(56) },
	  { TO_CLIENT, VLAN(.tci = 10), BACK6, TELL6(1, 2), DATA(56) }, .counter = ECHO6 },
	{ "v4, vlan, padded", { VLAN(.tci = 10), IP4(), ASK(1, 2), PAD(64) },
	  { TO_CLIENT, VLAN(.tci = 10), BACK4, TELL(1, 2), PAD(60) }, .counter = ECHO4 },
	{ "v4, 802.1ad and 802.1q", { VLAN(.tci = 5, .tpid = 0x88a8), VLAN(.tci = 10), IP4(), ASK(1, 2), DATA(56) },
	  { TO_CLIENT, VLAN(.tci = 5, .tpid = 0x88a8), VLAN(.tci = 10), BACK4, TELL(1, 2), DATA(56) },
	  .counter = ECHO4 },
	{ "v6, vlan, jumbo", { VLAN(.tci = 10), IP6(), ASK6(1, 2), DATA(8000) },
	  { TO_CLIENT, VLAN(.tci = 10), BACK6, TELL6(1, 2), DATA(8000) }, .counter = ECHO6 },
	{ "v4, ttl 1", { IP4(.ttl = 1), ASK(1, 2), DATA(9) }, { TO_CLIENT, BACK4, TELL(1, 2), DATA(9) },
	  .counter = ECHO4 },
	{ "v4, ttl 255", { IP4(.ttl = 255), ASK(1, 2), DATA(9) }, { TO_CLIENT, BACK4, TELL(1, 2), DATA(9) },
	  .counter = ECHO4 },
	{ "v6, hop limit 255", { IP6(.hops = 255), ASK6(1, 2), DATA(9) }, { TO_CLIENT, BACK6, TELL6(1, 2), DATA(9) },
	  .counter = ECHO6 },
	{ "v4, dont-fragment and an id", { IP4(.frag = 0x4000, .id = 0xbeef), ASK(1, 2), DATA(9) },

	   { TO_CLIENT, IP4(.frag = 0x4000, .id = 0xbeef, .src = PKT_IP4_SERVER, .dst = PKT_IP4_CLIENT), TELL(1, 2),
	  DATA(9) },
	  .counter = ECHO4 },
	{ "v4, the reply's checksum is 0xffff", { IP4(), ICMP() }, { TO_CLIENT, BACK4, ICMP(.type = 0xff) },
	  .counter = ECHO4 },
	{ "v4, the request's checksum is 0", { IP4(), ASK(0xf7ff, 0) }, { TO_CLIENT, BACK4, TELL(0xf7ff, 0) },
	  .counter = ECHO4 },
	{ "v4, id and sequence 0xffff", { IP4(), ASK(0xffff, 0xffff), DATA(2) },
	  { TO_CLIENT, BACK4, TELL(0xffff, 0xffff), DATA(2) }, .counter = ECHO4 },
	{ "v4, an address that is nobody's", { IP4(.dst = "10.78.9.9"), ASK(1, 2), DATA(9) },
	  { TO_CLIENT, IP4(.src = "10.78.9.9", .dst = PKT_IP4_CLIENT), TELL(1, 2), DATA(9) }, .counter = ECHO4 },
	{ "v4, first and last unicast addresses", { IP4(.src = "1.0.0.0", .dst = "223.255.255.255"), ASK(1, 2) },
	  { TO_CLIENT, IP4(.src = "223.255.255.255", .dst = "1.0.0.0"), TELL(1, 2) }, .counter = ECHO4 },
	{ "v6, link-local", { IP6(.src = "fe80::1", .dst = "fe80::2"), ASK6(1, 2), DATA(9) },
	  { TO_CLIENT, IP6(.src = "fe80::2", .dst = "fe80::1"), TELL6(1, 2), DATA(9) }, .counter = ECHO6 },

	/* --- not its business: passed, and not even counted ------------------------------------------------- */
	{ "arp", { ETH(.proto = 0x0806), DATA(46) }, .counter = NONE },
	{ "v4 tcp", { IP4(), TCP(), DATA(9) }, .counter = NONE },
	{ "v6 udp", { IP6(), UDP(), DATA(9) }, .counter = NONE },
	{ "v4 echo reply", { IP4(), TELL(1, 2), DATA(9) }, .counter = NONE },
	{ "v6 echo reply", { IP6(), TELL6(1, 2), DATA(9) }, .counter = NONE },
	{ "v4 echo with a code", { IP4(), ICMP(.type = 8, .code = 1), DATA(9) }, .counter = NONE },
	{ "v6 echo with a code", { IP6(), ICMP6(.type = 128, .code = 1), DATA(9) }, .counter = NONE },
	{ "v4 destination unreachable", { IP4(), ICMP(.type = 3, .code = 4), DATA(40) }, .counter = NONE },
	{ "v4 timestamp", { IP4(), ICMP(.type = 13), DATA(12) }, .counter = NONE },
	{ "v4 redirect", { IP4(), ICMP(.type = 5), DATA(12) }, .counter = NONE },
	{ "v6 neighbour solicitation", { IP6(), ICMP6(.type = 135), DATA(24) }, .counter = NONE },
	{ "v6 packet too big", { IP6(), ICMP6(.type = 2), DATA(60) }, .counter = NONE },
	{ "v4 type 128 is no echo", { IP4(), ICMP(.type = 128), DATA(9) }, .counter = NONE },
	{ "v6 type 8 is no echo", { IP6(), ICMP6(.type = 8), DATA(9) }, .counter = NONE },
	{ "icmp in v6", { IP6(.next = 1), DATA(40) }, .counter = NONE },
	{ "v4 later fragment", { IP4(.frag = 0x2001, .proto = 1), DATA(48) }, .counter = NONE },
	{ "v6 later fragment", { IP6(), FRAG(.off = 8, .next = 58), DATA(48) }, .counter = NONE },

	/* --- refused: passed, and counted ------------------------------------------------------------------- */
	{ "v4 first fragment", { IP4(.frag = 0x2000), ASK(1, 2), DATA(48) }, .counter = FRAGMENT },
	{ "v6 first fragment", { IP6(), FRAG(.more = 1), ASK6(1, 2), DATA(48) }, .counter = FRAGMENT },
	{ "v4 options", { IP4(.options = 4), ASK(1, 2), DATA(9) }, .counter = OPTIONS },
	{ "v6 hop-by-hop options", { IP6(), EXT(0), ASK6(1, 2), DATA(9) }, .counter = OPTIONS },
	{ "v6 atomic fragment", { IP6(), FRAG(), ASK6(1, 2), DATA(9) }, .counter = OPTIONS },
	{ "another host's mac", { ETH(.dst = { 2, 0, 0, 0, 0x77, 3 }), IP4(), ASK(1, 2), DATA(9) },
	  .counter = NOT_MINE },
	{ "broadcast mac", { ETH(.dst = { 255, 255, 255, 255, 255, 255 }), IP4(), ASK(1, 2), DATA(9) },
	  .counter = NOT_MINE },
	{ "multicast mac", { ETH(.dst = { 0x33, 0x33, 0, 0, 0, 1 }), IP6(), ASK6(1, 2), DATA(9) },
	  .counter = NOT_MINE },
	{ "multicast mac as source", { ETH(.src = { 1, 0, 0x5e, 0, 0, 1 }), IP4(), ASK(1, 2), DATA(9) },
	  .counter = NOT_MINE },
	{ "v4 from 0.0.0.0", { IP4(.src = "0.0.0.0"), ASK(1, 2) }, .counter = NOT_MINE },
	{ "v4 from 0.1.2.3", { IP4(.src = "0.1.2.3"), ASK(1, 2) }, .counter = NOT_MINE },
	{ "v4 from loopback", { IP4(.src = "127.0.0.1"), ASK(1, 2) }, .counter = NOT_MINE },
	{ "v4 from multicast", { IP4(.src = "224.0.0.1"), ASK(1, 2) }, .counter = NOT_MINE },
	{ "v4 from class e", { IP4(.src = "240.0.0.1"), ASK(1, 2) }, .counter = NOT_MINE },
	{ "v4 from broadcast", { IP4(.src = "255.255.255.255"), ASK(1, 2) }, .counter = NOT_MINE },
	{ "v4 to 0.0.0.0", { IP4(.dst = "0.0.0.0"), ASK(1, 2) }, .counter = NOT_MINE },
	{ "v4 to loopback", { IP4(.dst = "127.1.2.3"), ASK(1, 2) }, .counter = NOT_MINE },
	{ "v4 to multicast", { IP4(.dst = "239.1.2.3"), ASK(1, 2) }, .counter = NOT_MINE },
	{ "v4 to broadcast", { IP4(.dst = "255.255.255.255"), ASK(1, 2) }, .counter = NOT_MINE },
	{ "v4 to itself", { IP4(.src = PKT_IP4_SERVER), ASK(1, 2) }, .counter = NOT_MINE },
	{ "v6 from ::", { IP6(.src = "::"), ASK6(1, 2) }, .counter = NOT_MINE },
	{ "v6 from loopback", { IP6(.src = "::1"), ASK6(1, 2) }, .counter = NOT_MINE },
	{ "v6 from multicast", { IP6(.src = "ff02::1"), ASK6(1, 2) }, .counter = NOT_MINE },
	{ "v6 from a mapped v4 address", { IP6(.src = "::ffff:10.0.0.1"), ASK6(1, 2) }, .counter = NOT_MINE },
	{ "v6 to ::", { IP6(.dst = "::"), ASK6(1, 2) }, .counter = NOT_MINE },
	{ "v6 to loopback", { IP6(.dst = "::1"), ASK6(1, 2) }, .counter = NOT_MINE },
	{ "v6 to multicast", { IP6(.dst = "ff05::2"), ASK6(1, 2) }, .counter = NOT_MINE },
	{ "v6 to itself", { IP6(.src = PKT_IP6_SERVER), ASK6(1, 2) }, .counter = NOT_MINE },
	{ "v4, wrong checksum", { IP4(), ASK(1, 2), DATA(9), BAD_SUM(SUM_L4) }, .counter = BAD_CHECKSUM },
	{ "v6, wrong checksum", { IP6(), ASK6(1, 2), DATA(9), BAD_SUM(SUM_L4) }, .counter = BAD_CHECKSUM },
	{ "v4, checksum 0", { IP4(), ASK(1, 2), DATA(9), BAD_SUM(SUM_NONE) }, .counter = BAD_CHECKSUM },
	{ "v4, wrong checksum, jumbo", { IP4(), ASK(1, 2), DATA(8972), BAD_SUM(SUM_L4) }, .counter = BAD_CHECKSUM },
	{ "v4, the transmit ring is full", { IP4(), ASK(1, 2), DATA(9) }, .counter = TX_FULL, .pressure = 1 },

	/* --- option addr ------------------------------------------------------------------------------------ */
	{ "listed v4", { IP4(), ASK(1, 2) }, { TO_CLIENT, BACK4, TELL(1, 2) }, .counter = ECHO4, .who = LISTED4 },
	{ "listed v4, last prefix", { IP4(.dst = "10.79.255.255"), ASK(1, 2) },
	  { TO_CLIENT, IP4(.src = "10.79.255.255", .dst = PKT_IP4_CLIENT), TELL(1, 2) },
	  .counter = ECHO4, .who = LISTED4 },
	{ "not listed v4", { IP4(.dst = "10.77.0.3"), ASK(1, 2) }, .counter = NOT_MINE, .who = LISTED4 },
	{ "not listed v4, just beyond", { IP4(.dst = "10.80.0.0"), ASK(1, 2) }, .counter = NOT_MINE, .who = LISTED4 },
	{ "v4 listed only, v6", { IP6(), ASK6(1, 2) }, .counter = NOT_MINE, .who = LISTED4 },
	{ "listed v6", { IP6(), ASK6(1, 2) }, { TO_CLIENT, BACK6, TELL6(1, 2) }, .counter = ECHO6, .who = LISTED6 },
	{ "not listed v6", { IP6(.dst = "fd77:0:0:1::2"), ASK6(1, 2) }, .counter = NOT_MINE, .who = LISTED6 },
	{ "v6 listed only, v4", { IP4(), ASK(1, 2) }, .counter = NOT_MINE, .who = LISTED6 },
	{ "both listed, v4", { IP4(), ASK(1, 2) }, { TO_CLIENT, BACK4, TELL(1, 2) },
	  .counter = ECHO4, .who = LISTED_BOTH },
	{ "both listed, v6", { IP6(), ASK6(1, 2) }, { TO_CLIENT, BACK6, TELL6(1, 2) },
	  .counter = ECHO6, .who = LISTED_BOTH },
	{ "both listed, another v6", { IP6(.dst = "fd78::2"), ASK6(1, 2) }, .counter = NOT_MINE, .who = LISTED_BOTH },
};
/* clang-format on */

/* Runs <in>. Whatever happens, nothing but a right reply leaves, and it is no longer than the request. */
static int ask(const char *name)
{
	struct ndiv_pkt pkt;
	const char *bad;
	int err = run_rx(&run, in.data, in.len, &out);

	if (err)
		fail_msg("%s: test run failed: %d", name, err);
	if (out.act != XDP_TX && out.act != XDP_DROP && (out.len != in.len || memcmp(out.data, in.data, in.len)))
		fail_msg("%s: passed, but changed", name);
	if (out.act != XDP_TX)
		return out.act;
	bad = oracle_judge(out.data, out.len, &pkt);
	if (bad)
		fail_msg("%s: the reply is wrong: %s", name, bad);
	if (out.len > in.len)
		fail_msg("%s: the reply is longer than the request: %zu, %zu", name, out.len, in.len);
	return out.act;
}

/* All counters but <want> are 0. */
static void check_counters(const char *name, enum who who, int want)
{
	int i;

	run_sum(&run, NDIV_CPU_RX, &got);
	for (i = 0; i < NDIV_COUNTERS_MAX; i++)
		if (got.counter[who][i] != (i == want))
			fail_msg("%s: counter %d is %llu", name, i, got.counter[who][i]);
	for (i = 0; i < NDIV_REASONS_MAX; i++)
		if (got.reason[who][i])
			fail_msg("%s: reason %d is %llu", name, i, got.reason[who][i]);
	i = want == ECHO4 || want == ECHO6 ? NDIV_REPLY : NDIV_NEXT;
	if (got.verdict[who][i].packets != 1 || got.verdict[who][i].bytes != in.len)
		fail_msg("%s: verdict not counted", name);
}

static void test_row(void **state)
{
	const struct row *row = *state;
	enum who who = row->who ? row->who : PLAIN;

	use(&run, who);
	if (row->pressure)
		assert_int_equal(run_pressure(&run), 0);
	pkt_build(&in, row->in);
	if (ask(row->name) != (row->out[0].type ? XDP_TX : XDP_PASS))
		fail_msg("%s: action %d", row->name, out.act);
	check_counters(row->name, who, row->counter);
	if (!row->out[0].type)
		return;
	pkt_build(&expected, row->out);
	must_equal(row->name, out.data, out.len, expected.data, expected.len);
}

/* All lengths, with a random payload: the reply is the request but for addresses, type and checksum. */
static void test_lengths(void **state)
{
	size_t len, i;
	int v6;

	srandom(SEED);
	use(&run, PLAIN);
	for (len = 0; len <= 1472; len++) {
		for (v6 = 0; v6 < 2; v6++) {
			rows_echo(&in, (struct flow){ random() & 0xffffff, v6 }, random(), len);
			for (i = in.l4 + 8; i < in.len; i++)
				in.data[i] = random();
			pkt_resum(&in);
			if (ask("lengths") != XDP_TX || out.len != in.len ||
			    memcmp(out.data + in.l4 + 4, in.data + in.l4 + 4, in.len - in.l4 - 4))
				fail_msg("%zu bytes, v%d: not answered right", len, v6 ? 6 : 4);
		}
	}
}

/* A request of which bytes are missing is not answered. */
static void test_truncated(void **state)
{
	const struct row *row = *state;
	static struct pkt whole;

	use(&run, row->who ? row->who : PLAIN);
	pkt_build(&whole, row->in);
	in = whole;
	for (in.len = 14; in.len < whole.end && in.len < 3000; in.len++)
		if (ask(row->name) != XDP_PASS)
			fail_msg("%s: truncated to %zu bytes: action %d", row->name, in.len, out.act);
}

/* One bit turned in what the checksum covers: no answer. */
static void test_one_bit(void **state)
{
	size_t bit;
	int v6;

	use(&run, PLAIN);
	for (v6 = 0; v6 < 2; v6++) {
		rows_echo(&in, (struct flow){ 0, v6 }, 1, 40);
		for (bit = in.l4 * 8; bit < in.len * 8; bit++) {
			in.data[bit / 8] ^= 1 << bit % 8;
			if (ask("one bit") != XDP_PASS)
				fail_msg("v%d, bit %zu turned, but answered", v6 ? 6 : 4, bit);
			in.data[bit / 8] ^= 1 << bit % 8;
		}
	}
}

/* Anything at all: ask() checks that what is sent is right and not longer, and that what is passed is unchanged. */
static void test_mutations(void **state)
{
	size_t count = sizeof(rows) / sizeof(rows[0]);
	int i, n, replies = 0;

	srandom(SEED);
	use(&run, PLAIN);
	for (i = 0; i < MUTATIONS; i++) {
		pkt_build(&in, rows[random() % count].in);
		if (in.len > 3000)
			continue;
		for (n = random() % 4; n >= 0; n--)
			in.data[12 + random() % (in.len < 80 ? in.len - 12 : 68)] = random();
		if (in.l3 && random() % 4)
			pkt_resum(&in);
		replies += ask("mutation") == XDP_TX;
	}
	/* else the mutations are so wild that nothing was tested */
	assert_true(replies > MUTATIONS / 100);
}

/* <n> requests of flow <flow>; returns how many were answered, and <other> how many had action <act>. */
static int ask_many(int n, uint32_t flow, int act, int *other)
{
	int i, answered = 0;

	*other = 0;
	for (i = 0; i < n; i++) {
		rows_echo(&in, (struct flow){ flow, 0 }, i, 20);
		ask("many");
		answered += out.act == XDP_TX;
		*other += out.act == act;
	}
	return answered;
}

/* An ICMP error is never limited. */
static void ask_error(enum who who)
{
	static const struct pkt_layer error[] = { IP4(), ICMP(.type = 3, .code = 1), DATA(30), { 0 } };

	pkt_build(&in, error);
	assert_int_equal(ask("icmp error"), XDP_PASS);
}

static void test_rate(void **state)
{
	int other;

	use(&run, FIVE);
	assert_int_equal(ask_many(50, 0, XDP_DROP, &other), 5);
	assert_int_equal(other, 45);
	ask_error(FIVE);
	run_sum(&run, NDIV_CPU_RX, &got);
	assert_int_equal(got.reason[FIVE][OVER_RATE], 45);
	assert_int_equal(got.verdict[FIVE][NDIV_DROP].packets, 45);
	assert_int_equal(got.counter[FIVE][ECHO4], 5);
}

static void test_rate_pass(void **state)
{
	int other;

	use(&run, FIVE_PASS);
	assert_int_equal(ask_many(50, 0, XDP_PASS, &other), 5);
	assert_int_equal(other, 45);
	run_sum(&run, NDIV_CPU_RX, &got);
	assert_int_equal(got.counter[FIVE_PASS][RATE_PASSED], 45);
	assert_int_equal(got.verdict[FIVE_PASS][NDIV_NEXT].packets, 45);
}

/* Each source network has a limit of its own; the flows are in different networks. */
static void test_source_rate(void **state)
{
	int other, flow;

	use(&run, SOURCE);
	for (flow = 1; flow <= 10; flow++) {
		assert_int_equal(ask_many(20, flow, XDP_DROP, &other), 3);
		assert_int_equal(other, 17);
	}
	ask_error(SOURCE);
	run_sum(&run, NDIV_CPU_RX, &got);
	assert_int_equal(got.reason[SOURCE][OVER_SOURCE_RATE], 170);
	use(&run, SOURCE_PASS);
	assert_int_equal(ask_many(20, 1, XDP_PASS, &other), 3);
	run_sum(&run, NDIV_CPU_RX, &got);
	assert_int_equal(got.counter[SOURCE_PASS][SOURCE_PASSED], 17);
}

/* Hosts of one /24, of one /64, share a limit. */
static void test_source_network(void **state)
{
	const struct pkt_layer a4[] = { IP4(.src = "10.9.9.1"), ASK(1, 1), { 0 } };
	const struct pkt_layer b4[] = { IP4(.src = "10.9.9.254"), ASK(1, 1), { 0 } };
	const struct pkt_layer a6[] = { IP6(.src = "fd99::1"), ASK6(1, 1), { 0 } };
	const struct pkt_layer b6[] = { IP6(.src = "fd99::ffff:0:0:9"), ASK6(1, 1), { 0 } };
	const struct pkt_layer *const pairs[2][2] = { { a4, b4 }, { a6, b6 } };
	int i, v6, answered;

	use(&run, SOURCE);
	for (v6 = 0; v6 < 2; v6++) {
		answered = 0;
		for (i = 0; i < 20; i++) {
			pkt_build(&in, pairs[v6][i % 2]);
			answered += ask("network") == XDP_TX;
		}
		assert_int_equal(answered, 3);
	}
}

/* A source above its own limit takes nothing from that of all. */
static void test_both_rates(void **state)
{
	int other, answered = 0, flow;

	use(&run, BOTH);
	assert_int_equal(ask_many(100, 100, XDP_DROP, &other), 2);
	for (flow = 101; flow < 120; flow++)
		answered += ask_many(5, flow, XDP_DROP, &other);
	assert_int_equal(answered, 8);
	run_sum(&run, NDIV_CPU_RX, &got);
	assert_true(got.reason[BOTH][OVER_RATE] > 0 && got.reason[BOTH][OVER_SOURCE_RATE] > 0);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* 100 a second, 2 at once: once these are gone they come again, neither sooner nor much later. */
static void test_refill(void **state)
{
	double begin = seconds(), elapsed;
	int answered = 0;

	use(&run, QUICK);
	while (answered < 22 && seconds() < begin + 10) {
		rows_echo(&in, (struct flow){ 0, 0 }, answered, 20);
		answered += ask("refill") == XDP_TX;
	}
	elapsed = seconds() - begin;
	assert_int_equal(answered, 22);
	/* 20 of them had to be waited for, 10 ms each; the clock has ticks */
	if (elapsed < 0.180 || elapsed > 5)
		fail_msg("22 answers took %.3f s", elapsed);
}

/* Without options: 10000 a second, a tenth of a second's at once. */
static void test_default(void **state)
{
	struct timespec from, to;
	int other, answered;
	long ms;

	use(&run, DEFAULT);
	clock_gettime(CLOCK_MONOTONIC, &from);
	answered = ask_many(3000, 0, XDP_DROP, &other);
	clock_gettime(CLOCK_MONOTONIC, &to);
	/* The burst, and ten for each millisecond that it took (emulated machines are slow), a tick more. */
	ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
	assert_in_range(answered, 1000, 1000 + 10 * (ms + 20));
}

/* The numbers above are those of the handler. */
static void test_names(void **state)
{
	static const char *const counters[] = { "echo4", "echo6", "bad-checksum", "fragment", "options", "not-mine",
						"no-vlan", "tx-full", "over-rate-passed", "over-source-rate-passed" };
	static const char *const reasons[] = { "over-rate", "over-source-rate" };

	must("names", run_names(&run, PLAIN, "ping", counters, COUNT(counters), reasons, COUNT(reasons)));
}

static int load(void)
{
	static struct ndiv_prefixes v4, v6, both;
	const struct run_option options[][5] = {
		[PLAIN] = { U32("rate", 0) },
		[LISTED4] = { U32("rate", 0), PREFIXES("addr", v4) },
		[LISTED6] = { U32("rate", 0), PREFIXES("addr", v6) },
		[LISTED_BOTH] = { U32("rate", 0), PREFIXES("addr", both) },
		[FIVE] = { U32("rate", 1), U32("burst", 5) },
		[FIVE_PASS] = { U32("rate", 1), U32("burst", 5), CHOICE("over", OVER_PASS) },
		[SOURCE] = { U32("rate", 0), U32("per-source-rate", 1), U32("per-source-burst", 3) },
		[SOURCE_PASS] = { U32("rate", 0), U32("per-source-rate", 1), U32("per-source-burst", 3),
				  CHOICE("over", OVER_PASS) },
		[BOTH] = { U32("rate", 1), U32("burst", 10), U32("per-source-rate", 1), U32("per-source-burst", 2) },
		[QUICK] = { U32("rate", 100), U32("burst", 2) },
		[DEFAULT] = { { .name = NULL } },
	};
	int who;

	run_prefix(&v4, PKT_IP4_SERVER, 32);
	run_prefix(&v4, "10.78.0.0", 15);
	run_prefix(&v6, "fd77::", 64);
	run_prefix(&both, PKT_IP4_SERVER, 32);
	run_prefix(&both, PKT_IP6_SERVER, 128);
	for (who = PLAIN; who <= DEFAULT; who++)
		if (run_add(&run, run_path("handlers/ping.bpf.o"), options[who]) != who)
			return -1;
	return 0;
}

int main(void)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		add(rows[i].name, test_row, &rows[i]);
		add_also(rows[i].name, "truncated", test_truncated, &rows[i]);
	}
	add("all lengths", test_lengths, NULL);
	add("one bit turned", test_one_bit, NULL);
	add("mutations", test_mutations, NULL);
	add("limit, drop", test_rate, NULL);
	add("limit, pass", test_rate_pass, NULL);
	add("limit of each source", test_source_rate, NULL);
	add("limit of each source, networks", test_source_network, NULL);
	add("both limits", test_both_rates, NULL);
	add("a limit goes on", test_refill, NULL);
	add("limit by default", test_default, NULL);
	add("names", test_names, NULL);
	return suite_run("ping", &run, load);
}

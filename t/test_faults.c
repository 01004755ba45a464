// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_faults.c - the handler faults: which packets meet a fault, what it is, how often, and the same again
 *
 * All draws come from sequences with a fixed seed, so nothing here depends on chance; the bounds are those within which
 * a fair sequence lies but once in some 30000 runs (four sigma).
 */
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include "oracle.h"
#include "pkt.h"
#include "suite.h"
#include "handlers/csum.h"

#define DRAWS		20000
#define MUTATIONS	20000
#define SEED		77

/* Instances, with other options each. */
enum who {
	QUIET = 1, DROP, CORRUPT, TWICE, DELAY, REORDER, PORTS, SOME, SAME, OTHER, MIXED, RANDOM, VERIFY, DATA_ONLY,
	BARE_ONLY,
};

/* Its counters and reasons, as in handlers/faults/faults.bpf.c; checked by name in test_names(). */
enum { SEEN, CORRUPTED, DUPLICATED, DELAYED, REORDERED, AGAIN, TOO_LONG };
enum { FAULT = 1 };

struct row {
	const char *name;
	enum who who;
	struct pkt_layer in[PKT_LAYERS];
	int	act;
	enum ndiv_verdict verdict;	/* of the handler */
	int	counter;		/* besides SEEN */
	int	unseen;
	int	rounds;			/* presented again */
	int	no_agent;
	int	reason;			/* of the core */
};

static struct run run;
static struct pkt in;
static struct run_out out;
static struct ndiv_cpu got;

/* clang-format off */
static const struct row rows[] = {
	/* --- each fault ------------------------------------------------------------------------------------- */
	{ "no rate, no fault", QUIET, { IP4(), TCP(), DATA(9) }, .act = XDP_PASS, .verdict = NDIV_NEXT },
	{ "drop", DROP, { IP4(), TCP(), DATA(9) }, .act = XDP_DROP, .verdict = NDIV_DROP },
	{ "drop, v6 udp", DROP, { IP6(), UDP(), DATA(9) }, .act = XDP_DROP, .verdict = NDIV_DROP },
	{ "drop, vlan", DROP, { VLAN(.tci = 10), IP4(), UDP(), DATA(9) }, .act = XDP_DROP, .verdict = NDIV_DROP },
	{ "drop, several buffers", DROP, { IP4(), UDP(), DATA(9000) }, .act = XDP_DROP, .verdict = NDIV_DROP },
	{ "drop, first fragment", DROP, { IP4(.frag = 0x2000), UDP(), DATA(32) },
	  .act = XDP_DROP, .verdict = NDIV_DROP },
	{ "duplicate", TWICE, { IP4(), TCP(), DATA(9) },
	  .act = XDP_PASS, .verdict = NDIV_REPEAT, .counter = DUPLICATED },
	{ "duplicate, no agent", TWICE, { IP4(), TCP(), DATA(9) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT, .counter = DUPLICATED,
	  .no_agent = 1, .reason = NDIV_R_NO_AGENT },
	{ "delay", DELAY, { IP4(), TCP(), DATA(9) }, .act = XDP_DROP, .verdict = NDIV_POSTPONE, .counter = DELAYED },
	{ "delay, no agent", DELAY, { IP4(), TCP(), DATA(9) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .counter = DELAYED,
	  .no_agent = 1, .reason = NDIV_R_NO_AGENT },
	{ "reorder", REORDER, { IP4(), TCP(), DATA(9) },
	  .act = XDP_DROP, .verdict = NDIV_POSTPONE, .counter = REORDERED },

	/* --- seen again: spared ----------------------------------------------------------------------------- */
	{ "drop, presented again", DROP, { IP4(), TCP(), DATA(9) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT, .counter = AGAIN, .rounds = 1 },
	{ "corrupt, presented again", CORRUPT, { IP4(), TCP(), DATA(9) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT, .counter = AGAIN, .rounds = 1 },
	{ "duplicate, presented again", TWICE, { IP4(), TCP(), DATA(9) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT, .counter = AGAIN, .rounds = 1 },
	{ "delay, presented again", DELAY, { IP4(), TCP(), DATA(9) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT, .counter = AGAIN, .rounds = 8 },

	/* --- too long to be postponed ----------------------------------------------------------------------- */
	{ "duplicate, the longest", TWICE, { IP4(), UDP(), DATA(NDIV_POSTPONE_LEN - 42) },
	  .act = XDP_PASS, .verdict = NDIV_REPEAT, .counter = DUPLICATED },
	{ "duplicate, too long", TWICE, { IP4(), UDP(), DATA(NDIV_POSTPONE_LEN - 41) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT, .counter = TOO_LONG },
	{ "delay, too long", DELAY, { IP4(), UDP(), DATA(9000) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT, .counter = TOO_LONG },
	{ "reorder, too long", REORDER, { IP4(), UDP(), DATA(9000) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT, .counter = TOO_LONG },
	{ "too long, and no fault anyway", QUIET, { IP4(), UDP(), DATA(9000) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT },

	/* --- which packets ---------------------------------------------------------------------------------- */
	{ "to the first port", PORTS, { IP4(), TCP(.sport = 40000, .dport = 8000) },
	  .act = XDP_DROP, .verdict = NDIV_DROP },
	{ "to the last port", PORTS, { IP4(), UDP(.sport = 40000, .dport = 8009) },
	  .act = XDP_DROP, .verdict = NDIV_DROP },
	{ "from the first port", PORTS, { IP6(), TCP(.sport = 8000, .dport = 40000) },
	  .act = XDP_DROP, .verdict = NDIV_DROP },
	{ "from the last port", PORTS, { IP4(), UDP(.sport = 8009, .dport = 40000) },
	  .act = XDP_DROP, .verdict = NDIV_DROP },
	{ "below the ports", PORTS, { IP4(), TCP(.sport = 40000, .dport = 7999) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT, .unseen = 1 },
	{ "above the ports", PORTS, { IP4(), TCP(.sport = 40000, .dport = 8010) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT, .unseen = 1 },
	{ "above the ports, from", PORTS, { IP4(), UDP(.sport = 8010, .dport = 40000) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT, .unseen = 1 },
	{ "only data, data", DATA_ONLY, { IP4(), TCP(.flags = TH_ACK), DATA(1) },
	  .act = XDP_DROP, .verdict = NDIV_DROP },
	{ "only data, none", DATA_ONLY, { IP4(), TCP(.flags = TH_SYN), PAD(60) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT, .unseen = 1 },
	{ "only bare, data", BARE_ONLY, { IP6(), UDP(), DATA(1) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT, .unseen = 1 },
	{ "only bare, none", BARE_ONLY, { IP6(), TCP(.flags = TH_FIN | TH_ACK) },
	  .act = XDP_DROP, .verdict = NDIV_DROP },
	{ "no ip", DROP, { ETH(.proto = 0x0806), DATA(46) }, .act = XDP_PASS, .verdict = NDIV_NEXT, .unseen = 1 },
	{ "icmp", DROP, { IP4(), ICMP(), DATA(9) }, .act = XDP_PASS, .verdict = NDIV_NEXT, .unseen = 1 },
	{ "icmp6", DROP, { IP6(), ICMP6(.type = 135), DATA(24) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT, .unseen = 1 },
	{ "later fragment", DROP, { IP4(.frag = 0x2001, .proto = 17), DATA(48) },
	  .act = XDP_PASS, .verdict = NDIV_NEXT, .unseen = 1 },
};
/* clang-format on */

/* <who> alone, counters at 0, an agent taken to be alive. */
static void prepare(enum who who)
{
	use(&run, who);
	run_agent(&run, 1);
}

static void check_counters(const struct row *row)
{
	uint64_t want[NDIV_COUNTERS_MAX] = { 0 };
	int i;

	want[SEEN] = !row->unseen && !row->rounds;
	if (row->counter)
		want[row->counter] = 1;
	for (i = 0; i < NDIV_COUNTERS_MAX; i++)
		if (got.counter[row->who][i] != want[i])
			fail_msg("%s: counter %d is %llu", row->name, i, got.counter[row->who][i]);
	for (i = 0; i < NDIV_VERDICTS; i++)
		if (got.verdict[row->who][i].packets != (i == (int)row->verdict))
			fail_msg("%s: verdict %d is %llu", row->name, i, got.verdict[row->who][i].packets);
	for (i = 0; i < NDIV_REASONS_MAX; i++)
		if (got.reason[0][i] != (row->reason && i == row->reason))
			fail_msg("%s: reason %d of the core is %llu", row->name, i, got.reason[0][i]);
	if (got.reason[row->who][FAULT] != (row->verdict == NDIV_DROP && !row->reason))
		fail_msg("%s: reason \"fault\" is %llu", row->name, got.reason[row->who][FAULT]);
}

static void test_row(void **state)
{
	const struct row *row = *state;
	int err;

	prepare(row->who);
	if (row->no_agent)
		run_agent(&run, 0);
	pkt_build(&in, row->in);
	err = row->rounds ? run_again(&run, in.data, in.len, row->rounds, &out) : run_rx(&run, in.data, in.len, &out);
	if (err)
		fail_msg("%s: test run failed: %d", row->name, err);
	if (out.act != row->act)
		fail_msg("%s: action %d and not %d", row->name, out.act, row->act);
	if (out.act == XDP_PASS && (out.len != in.len || memcmp(out.data, in.data, in.len)))
		fail_msg("%s: changed", row->name);
	run_sum(&run, NDIV_CPU_RX, &got);
	check_counters(row);
}

/* Runs one packet <n> times through <who>; <drops>, if not NULL, tells which were dropped. */
static void draws(enum who who, int n, uint8_t *drops)
{
	static const struct pkt_layer any[] = { IP4(), TCP(), DATA(20), { 0 } };
	int i;

	prepare(who);
	pkt_build(&in, any);
	for (i = 0; i < n; i++) {
		assert_int_equal(run_rx(&run, in.data, in.len, &out), 0);
		if (drops)
			drops[i] = out.act == XDP_DROP;
	}
	run_sum(&run, NDIV_CPU_RX, &got);
}

/* <got> is about <p> * <n>: within four sigma. */
static void assert_share(const char *what, double got, double n, double p)
{
	double off = got - n * p;

	if (off * off > 16 * n * p * (1 - p))
		fail_msg("%s: %.0f of %.0f, expected %.0f", what, got, n, n * p);
}

/* 50 in 1000 are dropped, and whether one is has nothing to do with the one before. */
static void test_drop_rate(void **state)
{
	static uint8_t drops[DRAWS];
	int i, lost = 0, pairs = 0;

	draws(SOME, DRAWS, drops);
	for (i = 0; i < DRAWS; i++) {
		lost += drops[i];
		pairs += i && drops[i] && drops[i - 1];
	}
	assert_share("drops", lost, DRAWS, 0.05);
	assert_share("drops, two in a row", pairs, DRAWS, 0.05 * 0.05);
	assert_int_equal(got.reason[SOME][FAULT], lost);
	assert_int_equal(got.counter[SOME][SEEN], DRAWS);
}

/* Each has the rate that it was given, of what the ones before it let by. */
static void test_mixed_rates(void **state)
{
	double n = DRAWS, n2;

	draws(MIXED, DRAWS, NULL);
	assert_share("dropped", got.reason[MIXED][FAULT], n, 0.1);
	n -= got.reason[MIXED][FAULT];
	assert_share("corrupted", got.counter[MIXED][CORRUPTED], n, 0.2);
	assert_share("duplicated", got.counter[MIXED][DUPLICATED], n, 0.3);
	n2 = n - got.counter[MIXED][DUPLICATED];
	assert_share("delayed", got.counter[MIXED][DELAYED], n2, 0.15);
	n2 -= got.counter[MIXED][DELAYED];
	assert_share("reordered", got.counter[MIXED][REORDERED], n2, 0.05);
}

/* Another seed gives other faults, and so does a sequence as it goes on. */
static void test_seed(void **state)
{
	static uint8_t a[DRAWS], b[DRAWS];

	draws(SAME, DRAWS, a);
	draws(OTHER, DRAWS, b);
	assert_memory_not_equal(a, b, DRAWS);
	draws(SAME, DRAWS, b);
	assert_memory_not_equal(a, b, DRAWS);
}

static void forget(enum who who)
{
	uint8_t *nothing = calloc(run.cpu_count, 16);
	uint32_t zero = 0;

	assert_non_null(nothing);
	assert_int_equal(bpf_map_update_elem(run_map(&run, who, "sequences"), &zero, nothing, 0), 0);
	free(nothing);
}

/* From its beginning, a sequence is the same again, in another instance, too; but not with the seed 0. */
static void test_again(void **state)
{
	static uint8_t a[DRAWS], b[DRAWS];

	forget(SOME);
	forget(SAME);
	draws(SOME, DRAWS, a);
	draws(SAME, DRAWS, b);
	assert_memory_equal(a, b, DRAWS);
	forget(RANDOM);
	draws(RANDOM, DRAWS, a);
	forget(RANDOM);
	draws(RANDOM, DRAWS, b);
	assert_memory_not_equal(a, b, DRAWS);
}

/* One bit differs, and it lies in [from, to). Returns which, counted from there. */
static size_t turned_bit(size_t from, size_t to)
{
	size_t i, bit = 0, n = 0;

	assert_int_equal(out.len, in.len);
	for (i = 0; i < in.len * 8; i++) {
		if (!((out.data[i / 8] ^ in.data[i / 8]) >> i % 8 & 1))
			continue;
		bit = i;
		n++;
	}
	if (n != 1 || bit < from * 8 || bit >= to * 8)
		fail_msg("%zu bits turned, the last at byte %zu, not in %zu to %zu", n, bit / 8, from, to);
	return bit - from * 8;
}

/* Runs <in> so often that each bit of [from, to) has been turned. */
static void turn_each(size_t from, size_t to)
{
	uint8_t turned[64] = { 0 };
	size_t i, bits = (to - from) * 8, n = 0;
	struct ndiv_pkt pkt;

	assert_true(bits <= sizeof(turned));
	prepare(CORRUPT);
	for (i = 0; i < bits * 30 && n < bits; i++) {
		assert_int_equal(run_rx(&run, in.data, in.len, &out), 0);
		assert_int_equal(out.act, XDP_PASS);
		n += !turned[turned_bit(from, to)]++;
		if (!oracle_judge(out.data, out.len, &pkt))
			fail_msg("a bit turned, and the checksum is right");
	}
	assert_int_equal(n, bits);
	run_sum(&run, NDIV_CPU_RX, &got);
	assert_int_equal(got.counter[CORRUPT][CORRUPTED], i);
}

/* In the payload, and nowhere in the padding; without one, in the checksum. */
static void test_corrupt(void **state)
{
	static const struct pkt_layer tcp4[] = { IP4(), TCP(), DATA(5), { 0 } };
	static const struct pkt_layer udp6[] = { IP6(), UDP(), DATA(3), { 0 } };
	static const struct pkt_layer padded[] = { IP4(), UDP(), DATA(4), PAD(60), { 0 } };
	static const struct pkt_layer bare_tcp[] = { IP4(), TCP(.flags = TH_SYN), PAD(60), { 0 } };
	static const struct pkt_layer bare_udp[] = { IP6(), UDP(), { 0 } };
	const struct pkt_layer *const with[] = { tcp4, udp6, padded };
	size_t i;

	for (i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
		pkt_build(&in, with[i]);
		turn_each(in.payload, in.end);
	}
	pkt_build(&in, bare_tcp);
	turn_each(in.l4 + 16, in.l4 + 18);
	pkt_build(&in, bare_udp);
	turn_each(in.l4 + 6, in.l4 + 8);
}

/* Of a packet in several buffers, the first one is hit. */
static void test_corrupt_split(void **state)
{
	static const struct pkt_layer jumbo[] = { IP4(), UDP(), DATA(8900), { 0 } };
	int i;

	prepare(CORRUPT);
	pkt_build(&in, jumbo);
	for (i = 0; i < 200; i++) {
		assert_int_equal(run_rx_split(&run, in.data, in.len, 1000, &out), 0);
		turned_bit(in.payload, 1000);
	}
}

/* What another handler found out about the checksum is not true any more. */
static void test_corrupt_verified(void **state)
{
	static const struct pkt_layer any[] = { IP4(), TCP(), DATA(20), { 0 } };
	const uint32_t ids[2][2] = { { VERIFY, QUIET }, { VERIFY, CORRUPT } };
	struct csum_call call = { .op = CSUM_VERIFY };
	uint32_t zero = 0, flags[2];
	int i;

	assert_int_equal(bpf_map_update_elem(run_map(&run, VERIFY, "csum_call"), &zero, &call, 0), 0);
	pkt_build(&in, any);
	for (i = 0; i < 2; i++) {
		assert_int_equal(run_order(&run, ids[i], 2), 0);
		assert_int_equal(run_reset(&run), 0);
		assert_int_equal(run_rx(&run, in.data, in.len, &out), 0);
		run_sum(&run, NDIV_CPU_RX, &got);
		flags[i] = got.pkt.flags & (NDIV_F_L4_GOOD | NDIV_F_L4_BAD);
	}
	assert_int_equal(flags[0], NDIV_F_L4_GOOD);
	assert_int_equal(flags[1], 0);
}

/* When postponed packets are due, in ns from before, and from after, the run that postponed them: from between. */
struct delays {
	int	count;
	uint64_t before, after;
	uint64_t least_since_before, most_since_before;
	uint64_t least_since_after, most_since_after;
};

static void note(uint64_t delay, uint64_t *least, uint64_t *most)
{
	if (delay < *least)
		*least = delay;
	if (delay > *most)
		*most = delay;
}

static int take(void *ctx, void *data, size_t len)
{
	const struct ndiv_postponed *head = data;
	struct delays *d = ctx;

	d->count++;
	note(head->due - d->before, &d->least_since_before, &d->most_since_before);
	/* a slow run may end after that */
	note(head->due > d->after ? head->due - d->after : 0, &d->least_since_after, &d->most_since_after);
	return 0;
}

/* The delays that <who> gives to 300 packets. */
static struct delays delays(enum who who)
{
	static const struct pkt_layer any[] = { IP4(), TCP(), DATA(20), { 0 } };
	struct bpf_map *map = bpf_object__find_map_by_name(run.core, "ndiv_queue");
	struct delays d;
	struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(map), take, &d, NULL);
	int i;

	assert_non_null(ring);
	ring_buffer__consume(ring);	/* what other tests left */
	d = (struct delays){ .least_since_before = UINT64_MAX, .least_since_after = UINT64_MAX };
	prepare(who);
	pkt_build(&in, any);
	for (i = 0; i < 300; i++) {
		d.before = run_now();
		assert_int_equal(run_rx(&run, in.data, in.len, &out), 0);
		d.after = run_now();
		ring_buffer__consume(ring);
	}
	ring_buffer__free(ring);
	assert_int_equal(d.count, 300);
	return d;
}

#define MS	1000000ULL

/* From delay-ms to delay-ms + jitter-ms, and both ends are reached; a duplicate waits as long as it is told. */
static void test_delay(void **state)
{
	struct delays d = delays(DELAY);

	assert_true(d.least_since_before >= 200 * MS && d.least_since_after <= 200 * MS);
	assert_true(d.most_since_before >= 240 * MS && d.most_since_after <= 240 * MS);
	d = delays(TWICE);
	assert_true(d.least_since_before >= 70 * MS && d.most_since_after <= 70 * MS);
	d = delays(REORDER);
	assert_true(d.least_since_before >= 3 * MS && d.most_since_after <= 3 * MS);
}

/* Anything at all: nothing is changed or lost, if no fault is wanted. */
static void test_mutations(void **state)
{
	size_t count = sizeof(rows) / sizeof(rows[0]);
	int i, n;

	srandom(SEED);
	prepare(QUIET);
	for (i = 0; i < MUTATIONS; i++) {
		pkt_build(&in, rows[random() % count].in);
		for (n = random() % 4; n >= 0; n--)
			in.data[12 + random() % (in.len < 80 ? in.len - 12 : 68)] = random();
		assert_int_equal(run_rx(&run, in.data, in.len, &out), 0);
		if (out.act != XDP_PASS || out.len != in.len || memcmp(out.data, in.data, in.len))
			fail_msg("mutation %d: action %d, or changed", i, out.act);
	}
	run_sum(&run, NDIV_CPU_RX, &got);
	/* else the mutations are so wild that nothing was tested */
	assert_true(got.counter[QUIET][SEEN] > MUTATIONS / 20);
}

/* The numbers above are those of the handler. */
static void test_names(void **state)
{
	static const char *const counters[] = { "seen",	   "corrupted", "duplicated", "delayed",
						"reordered", "again",	  "too-long" };
	static const char *const reasons[] = { "fault" };

	must("names", run_names(&run, QUIET, "faults", counters, COUNT(counters), reasons, COUNT(reasons)));
}

static int load(void)
{
	static const struct ndiv_ports ports = { 8000, 8009 };
	const struct run_option options[][7] = {
		[QUIET] = { U16("drop", 0) },
		[DROP] = { U16("drop", 1000) },
		[CORRUPT] = { U16("corrupt", 1000) },
		[TWICE] = { U16("duplicate", 1000), U16("duplicate-ms", 70) },
		[DELAY] = { U16("delay", 1000), U16("delay-ms", 200), U16("jitter-ms", 40) },
		[REORDER] = { U16("reorder", 1000), U16("reorder-ms", 3) },
		[PORTS] = { U16("drop", 1000), { "ports", &ports, sizeof(ports) } },
		[SOME] = { U16("drop", 50), U32("seed", 7) },
		[SAME] = { U16("drop", 50), U32("seed", 7) },
		[OTHER] = { U16("drop", 50), U32("seed", 8) },
		[MIXED] = { U16("drop", 100), U16("corrupt", 200), U16("duplicate", 300), U16("delay", 150),
			    U16("reorder", 50) },
		[RANDOM] = { U16("drop", 50), U32("seed", 0) },
		[VERIFY] = { { .name = NULL } },
		[DATA_ONLY] = { U16("drop", 1000), CHOICE("only", 1) },
		[BARE_ONLY] = { U16("drop", 1000), CHOICE("only", 2) },
	};
	int who;

	for (who = QUIET; who <= BARE_ONLY; who++)
		if (run_add(&run, run_path(who == VERIFY ? "t/handlers/csum.bpf.o" : "handlers/faults.bpf.o"),
			    options[who]) != who)
			return -1;
	return 0;
}

int main(void)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		add(rows[i].name, test_row, &rows[i]);
	add("rate of drops", test_drop_rate, NULL);
	add("rates of several faults", test_mixed_rates, NULL);
	add("another seed", test_seed, NULL);
	add("the same again", test_again, NULL);
	add("each bit", test_corrupt, NULL);
	add("each bit, several buffers", test_corrupt_split, NULL);
	add("what was verified before", test_corrupt_verified, NULL);
	add("how long it is postponed", test_delay, NULL);
	add("mutations", test_mutations, NULL);
	add("names", test_names, NULL);
	return suite_run("faults", &run, load);
}

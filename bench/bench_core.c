// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_core.c - what the diverter itself costs: entry and verdict, each hop, and through the lab
 */
#include <string.h>
#include <netinet/in.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include "case.h"
#include "lab.h"
#include "rows.h"
#include "suite.h"
#include "layout.h"

#define HOPS	8

static struct run run;
static struct bpf_object *bare;
static struct pkt pkt;
static struct run_out out;

static int bare_prog(const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(bare, name));
}

static int load(void)
{
	if (run_open(&run, NULL))
		return -1;
	run.conf->sample = 1023;	/* as it is on an interface */
	bare = bpf_object__open_file(run_path("bench/bare.bpf.o"), NULL);
	if (!bare || bpf_object__load(bare))
		return suite_fault("core", "cannot load %s", run_path("bench/bare.bpf.o"));
	return 0;
}

static void unload(void)
{
	bpf_object__close(bare);
	bare = NULL;
	run_close(&run);
}

/* The packet must come out of <prog> as it is, and be passed. */
static int check_pass(const char *name, int prog)
{
	if (run_once(prog, pkt.data, pkt.len, &out))
		return suite_fault(name, "test run failed");
	if (out.act != XDP_PASS || out.len != pkt.len || memcmp(out.data, pkt.data, pkt.len))
		return suite_fault(name, "the packet was not passed as it is: action %d", out.act);
	return 0;
}

/* The datapath must have passed <packets>, each of them sound and through <hops> handlers. */
static int check_counters(const char *name, uint64_t packets, uint64_t hops)
{
	static struct ndiv_cpu sum;
	uint64_t next = 0;
	uint32_t id, r;

	if (run_sum(&run, NDIV_CPU_RX, &sum))
		return suite_fault(name, "cannot read the counters");
	for (id = 1; id < NDIV_HANDLERS_MAX; id++)
		next += sum.verdict[id][NDIV_NEXT].packets;
	for (r = 0; r < NDIV_REASONS_MAX; r++)
		if (sum.reason[0][r] || sum.counter[0][r])
			return suite_fault(name, "packets were malformed or dropped: reason %u", r);
	if (sum.seq != packets || sum.verdict[0][NDIV_PASS].packets != packets || next != hops)
		return suite_fault(name, "%llu packets given, %llu passed, in %llu hops and not %llu: wrong path",
				   (unsigned long long)packets, (unsigned long long)sum.verdict[0][NDIV_PASS].packets,
				   (unsigned long long)next, (unsigned long long)hops);
	return 0;
}

/* --- entry and verdict -------------------------------------------------------------------------------------- */

struct entry_case {
	const char *name;
	struct pkt_layer in[PKT_LAYERS];
	const char *bare;	/* NULL: the bare program does not know such packets */
};

static const struct entry_case entry_cases[] = {
	{ "core/entry", { IP4(), TCP(.flags = TH_ACK), PAD(60), { 0 } }, "core/entry-bare" },
	{ "core/entry-v6", { IP6(), TCP(.flags = TH_ACK), { 0 } }, "core/entry-v6-bare" },
	{ "core/entry-vlan2", { VLAN(.tci = 10), VLAN(.tci = 20), IP4(), TCP(.flags = TH_ACK), { 0 } },
	  "core/entry-vlan2-bare" },
	{ "core/entry-exthdrs", { IP6(), EXT(IPPROTO_HOPOPTS), EXT(IPPROTO_DSTOPTS), TCP(.flags = TH_ACK), { 0 } },
	  NULL },
};

/* What a run of an entry case yields. */
struct entry_samples {
	struct samples net, bare, harness;
};

static int entry_run(const char *name, struct entry_samples *to)
{
	struct side sides[BENCH_SLOTS] = {
		[BENCH_EMPTY] = { .name = "the empty program", .prog = bare_prog("bare_pass") },
		[BENCH_SUBJECT] = { .name = "ndiv_entry", .prog = run.entry },
		[BENCH_BARE] = { .name = "bare_parse", .prog = bare_prog("bare_parse") },
	};
	int who;

	for (who = 0; who < BENCH_SLOTS; who++)
		if (check_pass(name, sides[who].prog))
			return -1;
	if (run_reset(&run) || measure(sides, BENCH_SLOTS, pkt.data, pkt.len, 0))
		return -1;
	if (check_counters(name, sides[BENCH_SUBJECT].packets, 0))
		return -1;
	samples_add(&to->net, measure_net(&sides[BENCH_SUBJECT], &sides[BENCH_EMPTY]));
	samples_add(&to->bare, measure_net(&sides[BENCH_BARE], &sides[BENCH_EMPTY]));
	samples_add(&to->harness, measure_gross(&sides[BENCH_EMPTY]));
	return 0;
}

static void entry_rows(struct suite *s, const struct entry_case *c, const struct entry_samples *v, int first)
{
	double less = samples_median(&v->harness);

	if (first)
		suite_row(s, &(struct row){ .name = "core/harness", .unit = "ns", .value = &v->harness });
	suite_row(s, &(struct row){ .name = c->name, .unit = "ns", .value = &v->net, .baseline = c->bare,
				    .than = &v->bare, .less = less });
	if (c->bare)
		suite_row(s, &(struct row){ .name = c->bare, .unit = "ns", .value = &v->bare, .less = less });
}

/* With an empty chain. The packet is not changed, so nothing has to be restored. */
static int bench_entry(struct suite *s, const struct entry_case *c, int first)
{
	struct entry_samples v = { 0 };
	uint32_t i;
	int err = 0;

	pkt_build(&pkt, c->in);
	for (i = 0; !err && i < s->runs; i++) {
		err = load();
		if (!err)
			err = entry_run(c->name, &v);
		unload();
	}
	if (!err)
		entry_rows(s, c, &v, first);
	return err;
}

static void build_random(struct pkt *p, struct flow flow, const struct talk *talk)
{
	rows_ack(p, flow, 8000, 0);
}

static const struct bench_case random_case = {
	"core/entry", .verdict = NDIV_PASS, .build = build_random, .bare = "bare_parse",
};

/* --- a hop -------------------------------------------------------------------------------------------------- */

/* Least squares: what one more of 0..<n> - 1 adds to <y>. */
static double slope(const double *y, size_t n)
{
	double mid = (n - 1) / 2.0, up = 0, down = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		up += (i - mid) * y[i];
		down += (i - mid) * (i - mid);
	}
	return up / down;
}

static int set_slot(int map, uint32_t slot, int prog)
{
	return bpf_map_update_elem(map, &slot, &prog, 0);
}

/*
 * Makes the chain of <hops> handlers. Only the last one's slot is switched, which costs next to nothing; all
 * others lead where they always do.
 */
static int set_hops(void *arg, uint32_t hops)
{
	int verdict = bpf_program__fd(bpf_object__find_program_by_name(run.core, "ndiv_verdict"));
	uint32_t id;
	int err = 0, to;

	for (id = 0; !err && id <= HOPS; id++) {
		to = id < hops ? run.handler[id + 1].rx : verdict;
		err = set_slot(run.chain, NDIV_SLOT_NEXT + id * NDIV_PATHS, to);
	}
	return err;
}

static int load_hops(void)
{
	static const uint8_t next = 0;
	static const struct run_option options[] = { { "verdict", &next, sizeof(next) }, { 0 } };
	uint32_t i;

	for (i = 0; i < HOPS; i++)
		if (run_add(&run, run_path("bench/verdict.bpf.o"), options) < 0)
			return -1;
	return 0;
}

static int load_tails(void)
{
	int map = bpf_object__find_map_fd_by_name(bare, "tails");
	char name[16];
	uint32_t i;

	for (i = 0; i <= HOPS; i++) {
		snprintf(name, sizeof(name), "bare_tail_%u", i);
		if (set_slot(map, i, bare_prog(name)))
			return suite_fault("core/tail-call", "cannot fill the chain");
	}
	return 0;
}

/* One side for each number of hops; of bare tail calls, only none and all. */
static void hop_sides(struct side *chain, struct side *tails)
{
	uint32_t n;

	for (n = 0; n <= HOPS; n++)
		chain[n] = (struct side){ .name = "the chain", .prog = run.entry, .before = set_hops, .n = n };
	tails[0] = (struct side){ .name = "no tail call", .prog = bare_prog("bare_tail_8") };
	tails[1] = (struct side){ .name = "8 tail calls", .prog = bare_prog("bare_tail_0") };
}

static int check_hops(const struct side *chain, const struct side *tails)
{
	uint32_t n;

	for (n = 0; n <= HOPS; n++) {
		if (run_reset(&run) || set_hops(NULL, n) || check_pass("core/hop", chain[n].prog))
			return -1;
		if (check_counters("core/hop", 1, n))
			return -1;
	}
	for (n = 0; n < 2; n++)
		if (check_pass("core/tail-call", tails[n].prog))
			return -1;
	return run_reset(&run);
}

/* What one hop costs, by the slope over 0 to 8 of them. */
static double per_hop(const struct side *sides)
{
	double y[HOPS + 1];
	uint32_t n;

	for (n = 0; n <= HOPS; n++)
		y[n] = measure_gross(&sides[n]);
	return slope(y, HOPS + 1);
}

static int hop_run(struct samples *hop, struct samples *tail)
{
	struct side sides[HOPS + 3], *chain = sides, *tails = sides + HOPS + 1;
	uint64_t packets = 0, hops = 0;
	uint32_t n;

	if (load_hops() || load_tails())
		return -1;
	hop_sides(chain, tails);
	if (check_hops(chain, tails) || measure(sides, HOPS + 3, pkt.data, pkt.len, 0))
		return -1;
	for (n = 0; n <= HOPS; n++) {
		packets += chain[n].packets;
		hops += chain[n].packets * n;
	}
	if (check_counters("core/hop", packets, hops))
		return -1;
	samples_add(hop, per_hop(chain));
	samples_add(tail, measure_net(&tails[1], &tails[0]) / HOPS);
	return 0;
}

static int bench_hop(struct suite *s)
{
	struct samples hop = { 0 }, tail = { 0 };
	uint32_t i;
	int err = 0;

	pkt_build(&pkt, entry_cases[0].in);
	for (i = 0; !err && i < s->runs; i++) {
		err = load();
		if (!err)
			err = hop_run(&hop, &tail);
		unload();
	}
	if (err)
		return err;
	suite_row(s, &(struct row){ .name = "core/hop", .unit = "ns", .value = &hop, .baseline = "core/tail-call",
				    .than = &tail });
	suite_row(s, &(struct row){ .name = "core/tail-call", .unit = "ns", .value = &tail });
	return 0;
}

int main(int argc, char **argv)
{
	struct suite s;
	size_t i;
	int err;

	err = suite_begin(&s, "core", argc, argv);
	for (i = 0; !err && i < sizeof(entry_cases) / sizeof(entry_cases[0]); i++)
		err = bench_entry(&s, &entry_cases[i], !i);
	if (!err)
		err = case_bench(&s, &random_case, 1);
	if (!err)
		err = bench_hop(&s);
	if (!err && s.lab)
		err = lab_bench(&s);
	return suite_end(&s, err);
}

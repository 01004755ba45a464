// SPDX-License-Identifier: GPL-2.0-only
/* lab.c - packets per second through a lab */
#include <string.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <bpf/bpf.h>
#include <ndiv/ndiv.h>
#include "lab.h"
#include "wire.h"

#define BATCH	50000	/* frames: some 20 ms */
#define BATCHES	9	/* of a run */
#define WAIT_MS	1000	/* for what is under way when the generator has returned */
#define SETTLE	50000	/* us: the change of a program makes the interface tell its groups (MLD) */
#define STRAYS	100	/* packets of others that may arrive all the same */

struct lab_case {
	const char *name;
	const char *bare;		/* program of bare.bpf.c that does the same */
	const char *option;		/* of verdict.bpf.c */
	enum ndiv_verdict verdict;
};

static const struct lab_case cases[] = {
	{ "core/lab-drop", "bare_drop", "verdict=drop", NDIV_DROP },
	{ "core/lab-reply", "bare_reply", "verdict=reply", NDIV_REPLY },
	{ "core/lab-pass", "bare_pass", "verdict=pass", NDIV_PASS },
};

static struct wire wire;
static struct bpf_object *bare;
static struct ndiv *nd;			/* NULL: the bare program is attached */

/* --- the server's program ----------------------------------------------------------------------------------- */

static int attach_ndiv(const struct lab_case *c)
{
	const struct ndiv_attach_opts opts = {
		.sz = sizeof(opts), .mode = NDIV_MODE_NATIVE, .at = -1, .options = &c->option, .option_count = 1,
	};
	char err[1024] = "";

	if (ndiv_open(&nd, "lab0", 0, err, sizeof(err)))
		return suite_fault(c->name, "%s", err);
	if (ndiv_attach(nd, run_path("bench/verdict.bpf.o"), &opts))
		return suite_fault(c->name, "%s", ndiv_error(nd));
	return 0;
}

static int attach_bare(const struct lab_case *c)
{
	int prog = bpf_program__fd(bpf_object__find_program_by_name(bare, c->bare));
	int flags = XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST;
	int err = bpf_xdp_attach(wire.ends.link[END_SERVER].ifindex, prog, flags, NULL);

	return err ? suite_fault(c->name, "cannot attach %s: %s", c->bare, strerror(-err)) : 0;
}

static int attach(const struct lab_case *c, int is_bare)
{
	int err = ends_enter(&wire.ends, END_SERVER);

	nd = NULL;
	if (err)
		return err;
	err = is_bare ? attach_bare(c) : attach_ndiv(c);
	usleep(SETTLE);
	return err;
}

static int detach(const struct lab_case *c, int is_bare)
{
	int err = ends_enter(&wire.ends, END_SERVER);

	if (err)
		return err;
	if (is_bare)
		return bpf_xdp_detach(wire.ends.link[END_SERVER].ifindex, XDP_FLAGS_DRV_MODE, NULL);
	err = nd ? ndiv_detach(nd, NULL) : 0;
	if (err)
		suite_fault(c->name, "%s", ndiv_error(nd));
	ndiv_close(nd);
	nd = NULL;
	return err;
}

/* --- did the packets do what they should? ------------------------------------------------------------------- */

/* How many packets ndiv gave the case's verdict; <all>: how many it saw. */
static int verdicts(const struct lab_case *c, uint64_t *count, uint64_t *all)
{
	static struct ndiv_stats stats;
	uint32_t id;

	*count = 0;
	if (ends_enter(&wire.ends, END_SERVER) || ndiv_stats(nd, NDIV_CPU_RX, -1, &stats))
		return -1;
	for (id = 0; id < NDIV_HANDLERS_MAX; id++)
		*count += stats.verdict[id][c->verdict].packets;
	*all = stats.packets;
	return 0;
}

/* Is it <n>, but for strays? */
static int about(uint64_t count, uint64_t n)
{
	return count >= n && count - n <= STRAYS;
}

/* Says where <n> packets since <then> should be and are not, or NULL. */
static const char *missing(const struct lab_case *c, const struct wire_counts *then, uint64_t n)
{
	struct wire_counts now;

	if (wire_count(&wire, &now))
		return "counters";
	if (!about(now.arrived - then->arrived, n))
		return "the server's driver";
	if (now.back - then->back != (c->verdict == NDIV_REPLY ? n : 0))
		return "the client's sink";
	if (now.stack - then->stack != (c->verdict == NDIV_PASS ? n : 0))
		return "the server's socket";
	return NULL;
}

/* Since <then>, <n> packets were sent: each must have met its verdict. */
static int check(const struct lab_case *c, const struct wire_counts *then, uint64_t n)
{
	const char *where = missing(c, then, n);
	uint64_t count = 0, all = 0;
	int ms;

	for (ms = 0; where && ms < WAIT_MS; ms++) {
		usleep(1000);
		where = missing(c, then, n);
	}
	if (where)
		return suite_fault(c->name, "%llu packets were sent, and not all or too many were seen: %s",
				   (unsigned long long)n, where);
	if (!nd)
		return 0;
	if (verdicts(c, &count, &all) || !about(count, n) || !about(all, n))
		return suite_fault(c->name, "%llu packets were sent, ndiv saw %llu, of which %llu had the verdict %s",
				   (unsigned long long)n, (unsigned long long)all, (unsigned long long)count,
				   ndiv_verdict_name(c->verdict));
	return 0;
}

/* --- one run ------------------------------------------------------------------------------------------------ */

/* First one packet alone, then all. */
static int send_all(const struct lab_case *c, struct samples *mpps)
{
	struct wire_counts then;
	uint32_t ns;
	int i;

	if (wire_count(&wire, &then) || wire_send(&wire, 1, &ns) || check(c, &then, 1))
		return -1;
	for (i = 0; i < BATCHES; i++) {
		if (wire_send(&wire, BATCH, &ns) || !ns)
			return suite_fault(c->name, "the generator failed");
		samples_add(mpps, 1e3 / ns);
	}
	return check(c, &then, 1 + (uint64_t)BATCHES * BATCH);
}

static int one_side(const struct lab_case *c, int is_bare, struct samples *to)
{
	struct samples mpps = { 0 };
	int err = attach(c, is_bare);

	if (!err)
		err = send_all(c, &mpps);
	if (detach(c, is_bare))
		err = -1;
	samples_add(to, samples_median(&mpps));
	return err;
}

static int bench_case(struct suite *s, const struct lab_case *c)
{
	struct samples with = { 0 }, without = { 0 };
	char name[64];
	uint32_t i;
	int err = 0;

	for (i = 0; !err && i < s->runs; i++) {
		err = one_side(c, i & 1, i & 1 ? &without : &with);
		if (!err)
			err = one_side(c, !(i & 1), i & 1 ? &with : &without);
	}
	if (err)
		return err;
	snprintf(name, sizeof(name), "%s-bare", c->name);
	suite_row(s,
		  &(struct row){ .name = c->name, .unit = "Mpps", .value = &with, .baseline = name, .than = &without });
	suite_row(s, &(struct row){ .name = name, .unit = "Mpps", .value = &without });
	return 0;
}

int lab_bench(struct suite *s)
{
	const struct pkt_layer layers[] = { IP4(), UDP(.dport = 9), DATA(18), { 0 } };	/* 60 bytes */
	static struct pkt pkt;
	size_t i;
	int err;

	pkt_build(&pkt, layers);
	err = wire_open(&wire, s->lab, &pkt);
	if (!err) {
		bare = bpf_object__open_file(run_path("bench/bare.bpf.o"), NULL);
		if (!bare || bpf_object__load(bare))
			err = suite_fault("core/lab", "cannot load %s", run_path("bench/bare.bpf.o"));
	}
	for (i = 0; !err && i < sizeof(cases) / sizeof(cases[0]); i++)
		err = bench_case(s, &cases[i]);
	bpf_object__close(bare);
	wire_close(&wire);
	return err;
}

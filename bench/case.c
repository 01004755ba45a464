// SPDX-License-Identifier: GPL-2.0-only
/* case.c - one kind of packet that changes hands */
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include "case.h"
#include "oracle.h"

#define CHECKED	1000	/* flows that are looked at one by one */
#define PREPARED 1024	/* flows that are built before the handler is prepared again */

/* A case that is being measured. */
struct job {
	const struct bench_case *c;
	char	name[64];
	struct bench_flow *flows;	/* NULL: one flow */
	struct pkt pkt;			/* of the first flow */
	struct bpf_object *bare;	/* bare.bpf.c */
	struct bpf_object *other;	/* the case's, or NULL */
	struct run run;
	struct wrap wrap;
	struct samples net, bare_net, empty;
};

/* A number for the i-th flow: each one is another, and none is 0. The steps are MurmurHash3's last ones. */
static struct flow flow_of(const struct job *job, uint32_t i)
{
	uint32_t n = i + 1;

	if (!job->flows)
		return (struct flow){ .v6 = job->c->v6 };
	n = (n ^ n >> 16) * 0x85ebca6b;
	n = (n ^ n >> 13) * 0xc2b2ae35;
	return (struct flow){ .n = n ^ n >> 16, .v6 = job->c->v6 };
}

/* --- is it the right answer? -------------------------------------------------------------------------------- */

static int swapped(const uint8_t *sent, const uint8_t *got, size_t len)
{
	return !memcmp(sent, got + len, len) && !memcmp(sent + len, got, len);
}

static int same(const struct pkt *sent, const struct run_out *got)
{
	return got->len == sent->len && !memcmp(got->data, sent->data, got->len);
}

/* NULL, or why <got> is no sound packet back to where <sent> came from. <pkt> is filled. */
static const char *reply_fault(const struct pkt *sent, const struct run_out *got, struct ndiv_pkt *pkt)
{
	size_t addr = sent->l3 + (sent->v6 ? 8 : 12), len = sent->v6 ? 16 : 4;
	const char *fault = oracle_judge(got->data, got->len, pkt);

	if (fault)
		return fault;
	if (!swapped(sent->data, got->data, 6))
		return "MAC addresses are not swapped";
	if (pkt->l3 != sent->l3 || !swapped(sent->data + addr, got->data + addr, len))
		return "IP addresses are not swapped";
	if (pkt->flags & NDIV_F_TCP && !swapped(sent->data + sent->l4, got->data + pkt->l4, 2))
		return "ports are not swapped";
	return NULL;
}

/* What comes out of <who> for packet <sent>. */
static const char *fault_of(const struct job *job, enum bench_slot who, const struct pkt *sent,
			    const struct run_out *got)
{
	static const int acts[NDIV_VERDICTS] = {
		[NDIV_NEXT] = XDP_PASS, [NDIV_PASS] = XDP_PASS, [NDIV_DROP] = XDP_DROP, [NDIV_REPLY] = XDP_TX,
	};
	enum ndiv_verdict verdict = who == BENCH_EMPTY ? NDIV_PASS : job->c->verdict;
	struct ndiv_pkt pkt;
	const char *fault;

	if (got->act != acts[verdict])
		return "wrong verdict";
	if (verdict != NDIV_REPLY)
		return same(sent, got) ? NULL : "the packet was changed";
	if (who == BENCH_BARE && !job->c->bare_answers)
		return swapped(sent->data, got->data, 6) ? NULL : "MAC addresses are not swapped";
	fault = job->c->to_group ? NULL : reply_fault(sent, got, &pkt);
	return fault ? fault : job->c->judge(sent, got, &pkt);
}

static int prepare(void *arg, uint32_t n)
{
	struct job *job = arg;

	return job->c->prepare ? job->c->prepare(&job->run) : 0;
}

/* --- packets and flows -------------------------------------------------------------------------------------- */

/* The flows of rows.h are in one /64: gives each one of its own. */
static void spread(struct pkt *p, struct flow flow)
{
	if (!flow.v6 || !flow.n)
		return;
	memcpy(p->data + p->l3 + 12, p->data + p->l3 + 20, 4);
	put32(p->data + p->l3 + 20, 1);
	pkt_resum(p);
}

/* What is sent before must be answered. */
static int ask(struct job *job, const struct pkt *p, struct run_out *out, struct ndiv_pkt *pkt)
{
	const char *fault;

	if (run_rx(&job->run, p->data, p->len, out))
		return suite_fault(job->name, "test run failed");
	fault = out->act == XDP_TX ? reply_fault(p, out, pkt) : "no answer";
	return fault ? suite_fault(job->name, "what comes before in the connection: %s", fault) : 0;
}

/* The connection up to where the packet to be measured comes. */
static int converse(struct job *job, struct flow flow, struct talk *talk)
{
	static struct run_out out;
	static struct pkt p;
	struct ndiv_pkt pkt;

	memset(talk, 0, sizeof(*talk));
	if (!job->c->opening)
		return 0;
	job->c->opening(&p, flow);
	spread(&p, flow);
	if (ask(job, &p, &out, &pkt))
		return -1;
	talk->isn = rows_isn(out.data, out.len);
	talk->tsval = rows_tsval(out.data);
	if (!job->c->request)
		return 0;
	job->c->request(&p, flow, talk);
	spread(&p, flow);
	if (ask(job, &p, &out, &pkt))
		return -1;
	talk->sent = p.end - p.payload;
	talk->received = pkt.end - pkt.payload;
	return 0;
}

/* Builds the packet of flow <flow>. */
static int build(struct job *job, struct flow flow, struct pkt *p)
{
	struct talk talk;

	if (converse(job, flow, &talk))
		return -1;
	job->c->build(p, flow, &talk);
	spread(p, flow);
	return 0;
}

/* All flows, of packets that differ in nothing but what struct bench_flow holds. */
static int build_flows(struct job *job)
{
	static struct pkt p;
	static uint8_t frame[PKT_MAX];
	struct bench_layout layout;
	uint32_t i;

	memcpy(frame, job->pkt.data, job->pkt.len);
	wrap_layout(&layout, &job->pkt);
	for (i = 0; i < BENCH_FLOWS; i++) {
		if (i % PREPARED == 0 && prepare(job, 0))
			return suite_fault(job->name, "cannot prepare the handler");
		if (build(job, flow_of(job, i), &p))
			return -1;
		wrap_take(&layout, &p, &job->flows[i]);
		wrap_put(&layout, frame, &job->flows[i]);
		if (p.len != job->pkt.len || memcmp(p.data, frame, p.len))
			return suite_fault(job->name, "the packet of flow %u differs in more than it should", i);
	}
	return 0;
}

/* --- one run ------------------------------------------------------------------------------------------------ */

/* What the datapath counted, for the message. */
static void tell_reasons(struct job *job)
{
	static struct ndiv_cpu sum;
	uint32_t id, r;

	if (run_sum(&job->run, NDIV_CPU_RX, &sum))
		return;
	for (id = 0; id <= job->run.count; id++)
		for (r = 1; r < NDIV_REASONS_MAX; r++)
			if (sum.reason[id][r])
				suite_fault(job->name, "handler %u dropped %llu for its reason %u", id,
					    (unsigned long long)sum.reason[id][r], r);
}

/* Sends packets through, one by one; of random flows the next ones, whose turn is common to all wrappers. */
static int check(struct job *job, enum bench_slot who)
{
	const char *const names[BENCH_SLOTS] = {
		[BENCH_EMPTY] = "the empty program", [BENCH_SUBJECT] = "ndiv", [BENCH_BARE] = job->c->bare,
	};
	uint32_t i, count = job->flows ? CHECKED : 2;
	struct bench_layout layout;
	static struct run_out out;
	static struct pkt sent;
	const char *fault;

	sent = job->pkt;
	wrap_layout(&layout, &sent);
	for (i = 0; i < count; i++) {
		if (job->flows)
			wrap_put(&layout, sent.data, &job->flows[who * CHECKED + i]);
		if (run_once(job->wrap.prog[who], sent.data, sent.len, &out))
			return suite_fault(job->name, "test run failed");
		fault = fault_of(job, who, &sent, &out);
		if (!fault)
			continue;
		tell_reasons(job);
		return suite_fault(job->name, "%s, packet %u: %s (action %d)", names[who], i, fault, out.act);
	}
	return 0;
}

/* Every packet must have met its verdict, given by the handler. */
static int check_counters(struct job *job, uint64_t packets)
{
	uint32_t id = job->c->handler ? 1 : 0;
	static struct ndiv_cpu sum;
	uint64_t right, strays = packets * job->c->strays / 1000000;

	if (run_sum(&job->run, NDIV_CPU_RX, &sum))
		return suite_fault(job->name, "cannot read the counters");
	right = job->c->reason ? sum.reason[id][job->c->reason] : sum.verdict[id][job->c->verdict].packets;
	if (sum.seq != packets || right > packets || right + strays < packets)
		return suite_fault(job->name, "%llu packets given, %llu seen, %llu with the right verdict",
				   (unsigned long long)packets, (unsigned long long)sum.seq, (unsigned long long)right);
	return 0;
}

/* The object at <path>, below the build directory, with program <name>. */
static int load_object(struct job *job, struct bpf_object **obj, const char *path, const char *name)
{
	struct bpf_program *prog;

	*obj = bpf_object__open_file(run_path(path), NULL);
	prog = *obj ? bpf_object__find_program_by_name(*obj, name) : NULL;
	if (!prog || bpf_program__set_autoload(prog, true) || bpf_object__load(*obj))
		return suite_fault(job->name, "cannot load %s with %s", run_path(path), name);
	return 0;
}

/* For all runs: to fill it takes seconds. */
static int load_other(struct job *job)
{
	const struct bench_other *other = job->c->other;
	int err = load_object(job, &job->other, other->object, job->c->bare);

	if (!err && other->fill(job->other, &job->pkt, job->flows))
		err = suite_fault(job->name, "cannot fill the maps of %s", other->object);
	return err;
}

/* What it is compared with, when the packets are known. */
static int load_bare(struct job *job)
{
	const struct bench_other *other = job->c->other;
	int err = load_object(job, &job->bare, "bench/bare.bpf.o", other ? "bare_pass" : job->c->bare);

	return err || !other || job->other ? err : load_other(job);
}

/* How many packets have met the outcome of the case in the other program, since it was loaded. */
static int count_other(struct job *job, uint64_t *count)
{
	uint32_t key = job->c->other->outcome;
	uint64_t *values = calloc(job->run.cpu_count, sizeof(*values));
	int fd = bpf_object__find_map_fd_by_name(job->other, "outcomes");
	int i, err = values ? bpf_map_lookup_elem(fd, &key, values) : -1;

	*count = 0;
	for (i = 0; !err && i < job->run.cpu_count; i++)
		*count += values[i];
	free(values);
	return err ? suite_fault(job->name, "cannot read the counters of %s", job->c->other->object) : 0;
}

/* Each of <packets> that the other program has been given since <before> must have met it. */
static int check_other(struct job *job, uint64_t before, uint64_t packets)
{
	uint64_t count;

	if (count_other(job, &count))
		return -1;
	if (count - before != packets)
		return suite_fault(job->name, "%llu packets given to %s, %llu had the right outcome",
				   (unsigned long long)packets, job->c->bare, (unsigned long long)(count - before));
	return 0;
}

static int load(struct job *job)
{
	if (run_open(&job->run, NULL))
		return -1;
	job->run.conf->sample = 1023;	/* as it is on an interface */
	if (job->c->handler && run_add(&job->run, run_path(job->c->handler), job->c->options) < 0)
		return -1;
	if (job->c->setup && job->c->setup(&job->run))
		return -1;
	return prepare(job, 0) ? suite_fault(job->name, "cannot prepare the handler") : 0;
}

/* Every flow's packet, once. */
static int warm(struct job *job)
{
	static uint8_t out[RUN_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = job->pkt.data, .data_size_in = job->pkt.len, .data_out = out,
		    .data_size_out = sizeof(out), .repeat = job->flows ? BENCH_FLOWS : 1);

	if (!job->c->warm)
		return 0;
	return bpf_prog_test_run_opts(job->wrap.prog[BENCH_SUBJECT], &opts) ? suite_fault(job->name, "test run failed")
									    : 0;
}

static int load_wrap(struct job *job)
{
	struct bpf_object *obj = job->other ? job->other : job->bare;
	const int targets[BENCH_SLOTS] = {
		[BENCH_EMPTY] = bpf_program__fd(bpf_object__find_program_by_name(job->bare, "bare_pass")),
		[BENCH_SUBJECT] = job->run.entry,
		[BENCH_BARE] = bpf_program__fd(bpf_object__find_program_by_name(obj, job->c->bare)),
	};

	return wrap_open(&job->wrap, &job->pkt, job->flows, targets);
}

static int run_sides(struct job *job)
{
	struct side sides[BENCH_SLOTS] = {
		[BENCH_EMPTY] = { .name = "the empty program", .prog = job->wrap.prog[BENCH_EMPTY] },
		[BENCH_SUBJECT] = { .name = "ndiv", .prog = job->wrap.prog[BENCH_SUBJECT], .before = prepare,
				    .arg = job },
		[BENCH_BARE] = { .name = job->c->bare, .prog = job->wrap.prog[BENCH_BARE] },
	};
	uint64_t others = 0;
	int who;

	for (who = 0; who < BENCH_SLOTS; who++)
		if (check(job, who))
			return -1;
	if (job->other && count_other(job, &others))
		return -1;
	if (warm(job) || run_reset(&job->run) ||
	    measure(sides, BENCH_SLOTS, job->pkt.data, job->pkt.len, job->flows ? BENCH_FLOWS : 0))
		return -1;
	if (check_counters(job, sides[BENCH_SUBJECT].packets))
		return -1;
	if (job->other && check_other(job, others, sides[BENCH_BARE].packets))
		return -1;
	samples_add(&job->net, measure_net(&sides[BENCH_SUBJECT], &sides[BENCH_EMPTY]));
	samples_add(&job->bare_net, measure_net(&sides[BENCH_BARE], &sides[BENCH_EMPTY]));
	samples_add(&job->empty, measure_gross(&sides[BENCH_EMPTY]));
	return 0;
}

/* The first run also builds the packets. */
static int one_run(struct job *job, int first)
{
	int err = load(job);

	if (!err && first) {
		err = build(job, flow_of(job, 0), &job->pkt);
		if (!err && job->flows)
			err = build_flows(job);
	}
	if (!err)
		err = load_bare(job);
	if (!err)
		err = load_wrap(job);
	if (!err)
		err = run_sides(job);
	wrap_close(&job->wrap);
	bpf_object__close(job->bare);
	job->bare = NULL;
	run_close(&job->run);
	return err;
}

static void add_rows(struct suite *s, const struct job *job)
{
	double less = samples_median(&job->empty);
	const struct bench_other *other = job->c->other;
	char bare[80];

	if (other)
		snprintf(bare, sizeof(bare), "%s%s", other->row, job->flows ? "-random" : "");
	else
		snprintf(bare, sizeof(bare), "%s-bare", job->name);
	suite_row(s, &(struct row){ .name = job->name, .unit = "ns", .value = &job->net, .baseline = bare,
				    .than = &job->bare_net, .less = less });
	suite_row(s, &(struct row){ .name = bare, .unit = "ns", .value = &job->bare_net, .less = less });
}

int case_bench(struct suite *s, const struct bench_case *c, int random)
{
	struct job *job = calloc(1, sizeof(*job));
	int err = job ? 0 : -1;
	uint32_t i;

	if (!job)
		return -1;
	job->c = c;
	snprintf(job->name, sizeof(job->name), "%s%s", c->name, random ? "-random" : "");
	if (random)
		job->flows = calloc(BENCH_FLOWS, sizeof(*job->flows));
	if (random && !job->flows)
		err = suite_fault(job->name, "no memory");
	for (i = 0; !err && i < s->runs; i++)
		err = one_run(job, !i);
	if (!err)
		add_rows(s, job);
	bpf_object__close(job->other);
	free(job->flows);
	free(job);
	return err;
}

int case_bench_all(struct suite *s, const struct bench_case *cases, size_t count)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < count; i++) {
		err = case_bench(s, &cases[i], 0);
		if (!err)
			err = case_bench(s, &cases[i], 1);
	}
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay.c - packets out of a file through shield, which is attached to nothing
 *
 * Core and handler are loaded as for an interface, and the chain is filled; but the entry program is run by
 * BPF_PROG_TEST_RUN, for one packet after the other. What the host has sent itself goes through the transmit path, so
 * that connections enter the table. A tap at the verdict notes what became of each packet (bpf/note.bpf.c).
 */
#define _GNU_SOURCE	/* sched_setaffinity() */
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "ban.h"
#include "policy.h"
#include "segment.h"
#include "core.skel.h"
#include "note.skel.h"

#define ID		1			/* of shield */
#define CLOCK_BEGIN	(1ULL << 40)		/* ns: the clock at the first packet; 0 would be "never" for shield */
#define CLOCK_MAX	(1ULL << 59)		/* 18 years: what shield_ms() can take */
#define TX_MAX		3000			/* bytes of a packet that the kernel takes for a test run at tc */

/* The same in each run, so that the outcome is. */
static const __u64 fixed_key[2] = { 0x6469766e2d736869ULL, 0x656c642d72706c79ULL };

struct ndiv_replay {
	struct ndiv nd;				/* of no interface: for messages */
	struct core_bpf *core;
	struct note_bpf *note;
	struct loaded ld;
	struct table *tab;			/* for the words of outcomes */
	struct policy_maps maps;		/* of <ld> */
	struct shield_clock *clock;		/* mapped */
	__u64	first, now;			/* ns: time of the first packet; clock of the last one */
	int	begun;
	cpu_set_t cpus;				/* where the thread may run again at the end */
	int	bound;
	__u8	mac[6];
	char	why[NDIV_COMMENT_LEN + NDIV_POLICY_TEXT + 32];
	__u8	frame[NDIV_REPLAY_MAX];
};

/* --- to set it up */

/* What is counted for each CPU, and what is at hand on one, has to stay on one. */
static int bind_cpu(struct ndiv_replay *rp)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	if (sched_getaffinity(0, sizeof(rp->cpus), &rp->cpus) || sched_setaffinity(0, sizeof(set), &set))
		return fail(&rp->nd, errno, "cannot bind to a CPU: %s", strerror(errno));
	rp->bound = 1;
	return 0;
}

static int set_slot(const struct bpf_map *map, __u32 slot, const struct bpf_program *prog)
{
	int fd = bpf_program__fd(prog);

	return bpf_map_update_elem(bpf_map__fd(map), &slot, &fd, BPF_ANY) ? -errno : 0;
}

/* One path: <prog>, then the <verdict>; the verdict alone, if shield does <skip> it. */
static int fill_path(const struct bpf_map *chain, __u32 path, const struct bpf_program *prog,
		     const struct bpf_program *verdict, int skip)
{
	const __u32 first = NDIV_SLOT_NEXT + path, next = first + ID * NDIV_PATHS;
	int err = set_slot(chain, first, skip ? verdict : prog);

	return err ? err : set_slot(chain, next, verdict);
}

/* entry -> shield -> verdict, received and sent, sound and malformed. */
static int fill_chain(struct ndiv_replay *rp)
{
	struct core_bpf *core = rp->core;
	int skip, err = 0;
	__u32 path;

	for (path = 0; path <= NDIV_PATH_MALFORMED && !err; path += NDIV_PATH_MALFORMED) {
		skip = path && !(rp->ld.info.want & NDIV_WANT_MALFORMED);
		err = fill_path(core->maps.ndiv_chain, path, rp->ld.rx, core->progs.ndiv_verdict, skip);
		if (!err)
			err = fill_path(core->maps.ndiv_tx_chain, path, rp->ld.tx, core->progs.ndiv_tx_verdict, skip);
	}
	if (!err)
		err = set_slot(core->maps.ndiv_taps, NDIV_TAP_VERDICT, rp->note->progs.ndiv_note_pkt);
	return err ? fail(&rp->nd, -err, "cannot fill the chain: %s", strerror(-err)) : 0;
}

static int load_note(struct ndiv_replay *rp)
{
	struct note_bpf *note = note_bpf__open();
	int err;

	if (!note)
		return fail(&rp->nd, errno, "cannot open the BPF object of the tap: %s", strerror(errno));
	rp->note = note;
	err = bpf_map__reuse_fd(note->maps.ndiv_cpus, bpf_map__fd(rp->core->maps.ndiv_cpus));
	if (!err)
		err = bpf_map__reuse_fd(note->maps.ndiv_chain, bpf_map__fd(rp->core->maps.ndiv_chain));
	if (!err)
		err = bpf_map__set_autocreate(note->maps.ndiv_skb, false);
	if (!err)
		err = note_bpf__load(note);
	return err ? fail(&rp->nd, -err, "cannot load the tap: %s", err_text(err)) : 0;
}

static int load_shield(struct ndiv_replay *rp, const char *opts)
{
	struct ndiv_self self = { .id = ID, .ifindex = rp->nd.ifindex, .netns = netns_inode(), .mtu = 1500 };
	const __u8 yes = 1;
	const struct constant constants[] = {
		{ ".rodata.self", &self, sizeof(self) },
		{ ".rodata.key", fixed_key, sizeof(fixed_key) },
		{ ".rodata.replay", &yes, sizeof(yes) },
		{ ".rodata.clock", &yes, sizeof(yes) },
		{ 0 },
	};
	const struct alone alone = { .core = rp->core->obj, .constants = constants };
	char path[PATH_MAX] = "";
	int err = ndiv_find("shield", path, sizeof(path));

	memcpy(self.mac, rp->mac, sizeof(self.mac));
	if (err)
		return fail(&rp->nd, -err, "no handler \"shield\": %s: %s", path, strerror(-err));
	err = object_load_alone(&rp->nd, path, opts, &alone, &rp->ld);
	if (err)
		return err;
	rp->tab->e[ID].used = 1;
	rp->tab->e[ID].info = rp->ld.info;
	return rp->ld.tx ? 0 : fail(&rp->nd, EPROTO, "%s: it has no program for what the host sends", path);
}

static int shield_map(const struct ndiv_replay *rp, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(rp->ld.obj, name);

	return map ? bpf_map__fd(map) : -1;
}

static int find_maps(struct ndiv_replay *rp)
{
	void *p = mmap(NULL, sizeof(struct shield_clock), PROT_READ | PROT_WRITE, MAP_SHARED,
		       shield_map(rp, ".data.clock"), 0);

	if (p == MAP_FAILED)
		return fail(&rp->nd, errno, "cannot map shield's clock: %s", strerror(errno));
	rp->clock = p;
	rp->maps.slot = shield_map(rp, "shield_policy");
	rp->maps.counts = shield_map(rp, "shield_rules");
	rp->maps.buckets = shield_map(rp, "shield_buckets");
	if (rp->maps.slot < 0 || rp->maps.counts < 0 || rp->maps.buckets < 0)
		return fail(&rp->nd, EPROTO, "shield has no maps for a policy: was it built with another ndiv?");
	return 0;
}

static int set_up(struct ndiv_replay *rp, const struct ndiv_replay_opts *o, const struct ndiv_policy *policy)
{
	char opts[NDIV_OPTS_LEN];
	int err = check_caps(&rp->nd);

	if (!err)
		err = option_join(&rp->nd, "", o->options, o->option_count, opts, sizeof(opts));
	if (!err)
		err = bind_cpu(rp);
	if (!err)
		err = core_alone(&rp->nd, &rp->core);
	if (!err)
		err = load_note(rp);
	if (!err)
		err = load_shield(rp, opts);
	if (!err)
		err = fill_chain(rp);
	if (!err)
		err = find_maps(rp);
	if (!err && policy && policy_bans(policy))
		err = bans_alone(&rp->nd, &rp->ld.info, shield_map(rp, ".rodata.config"),
				 shield_map(rp, "shield_bans"));
	if (!err && policy)
		err = policy_put(&rp->nd, &rp->maps, policy);
	return err;
}

int ndiv_replay_open(struct ndiv_replay **out, const struct ndiv_replay_opts *o, const struct ndiv_policy *policy,
		     char *err, size_t err_len)
{
	struct ndiv_replay *rp = calloc(1, sizeof(*rp));
	struct table *tab = calloc(1, sizeof(*tab));
	struct ndiv_replay_opts opts = { 0 };
	int ret;

	memcpy(&opts, o, o->sz < sizeof(opts) ? o->sz : sizeof(opts));
	if (!rp || !tab) {
		free(rp);
		free(tab);
		if (err && err_len)
			snprintf(err, err_len, "out of memory");
		return -ENOMEM;
	}
	rp->nd.lock = -1;
	rp->nd.ifindex = 1;
	rp->tab = tab;
	memcpy(rp->mac, opts.mac, sizeof(rp->mac));
	ret = set_up(rp, &opts, policy);
	if (!ret) {
		*out = rp;
		return 0;
	}
	if (err && err_len)
		snprintf(err, err_len, "%s", rp->nd.err);
	ndiv_replay_close(rp);
	return ret;
}

void ndiv_replay_close(struct ndiv_replay *rp)
{
	if (!rp)
		return;
	if (rp->clock)
		munmap(rp->clock, sizeof(*rp->clock));
	if (rp->bound)
		sched_setaffinity(0, sizeof(rp->cpus), &rp->cpus);
	object_close(&rp->ld);
	note_bpf__destroy(rp->note);
	core_bpf__destroy(rp->core);
	free(rp->tab);
	free(rp);
}

const char *ndiv_replay_error(const struct ndiv_replay *rp)
{
	return rp->nd.err;
}

/* --- packets */

/* Shield's clock goes with the packets, but not back, and not further than it can. */
static void set_clock(struct ndiv_replay *rp, __u64 ns)
{
	__u64 now;

	if (!rp->begun) {
		rp->begun = 1;
		rp->first = ns;
	}
	now = ns > rp->first ? ns - rp->first : 0;
	now = CLOCK_BEGIN + (now < CLOCK_MAX ? now : CLOCK_MAX);
	if (now > rp->now)
		rp->now = now;
	__atomic_store_n(&rp->clock->skew, rp->now, __ATOMIC_RELAXED);
}

/* Runs the first <len> bytes of the frame. 0 and what the program returned, or -errno. */
static int run(struct ndiv_replay *rp, const struct bpf_program *prog, __u32 len, __u32 *act)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = rp->frame, .data_size_in = len, .repeat = 1);

	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
		return fail(&rp->nd, errno, "the kernel cannot run a packet of %u bytes: %s", len, strerror(errno));
	*act = opts.retval;
	return 0;
}

/* Of what is too long for the kernel, the end will do. */
static int run_sent(struct ndiv_replay *rp, __u32 len)
{
	__u32 act;
	int err;

	if (len > TX_MAX)
		len = segment_shorten(rp->frame, len, TX_MAX);
	if (len < SEGMENT_MIN)
		return NDIV_REPLAY_SENT;	/* no TCP */
	err = run(rp, rp->core->progs.ndiv_tx_entry, len, &act);
	return err ? err : NDIV_REPLAY_SENT;
}

static int run_received(struct ndiv_replay *rp, __u32 len)
{
	__u32 act;
	int err = run(rp, rp->core->progs.ndiv_entry, len, &act);

	if (err)
		return err;
	if (act == XDP_PASS)
		return NDIV_REPLAY_PASSED;
	return act == XDP_DROP ? NDIV_REPLAY_DROPPED : NDIV_REPLAY_ANSWERED;
}

int ndiv_replay_run(struct ndiv_replay *rp, const struct ndiv_replay_packet *pkt)
{
	__u32 known = pkt->captured < pkt->len ? pkt->captured : pkt->len;

	if (pkt->len < NDIV_REPLAY_MIN || pkt->len > NDIV_REPLAY_MAX)
		return fail(&rp->nd, ERANGE, "a packet of %u bytes: %d to %d are possible", pkt->len, NDIV_REPLAY_MIN,
			    NDIV_REPLAY_MAX);
	memcpy(rp->frame, pkt->data, known);
	memset(rp->frame + known, 0, pkt->len - known);
	set_clock(rp, pkt->ns);
	if (!memcmp(rp->frame + 6, rp->mac, 6) && memcmp(rp->frame, rp->mac, 6))
		return run_sent(rp, pkt->len);
	return run_received(rp, pkt->len);
}

/* --- words */

struct wanted {
	__u32	number;
	struct ndiv_replay *rp;
	size_t	len;			/* of rp->why so far */
};

static int add_rule(__u32 number, const struct policy_rule *rule, const struct policy_text *text, void *arg)
{
	struct wanted *w = arg;

	if (number != w->number)
		return 0;
	rule_text(text, w->rp->why + w->len, sizeof(w->rp->why) - w->len);
	return 1;
}

const char *ndiv_replay_why(struct ndiv_replay *rp)
{
	const volatile struct ndiv_note *note = &rp->note->data_note->ndiv_note;
	__u32 outcome = note->outcome & (NDIV_OUTCOMES - 1);
	struct wanted w = { .number = note->rule, .rp = rp };
	struct ndiv_comment c;

	outcome_text(rp->tab, outcome, &c);
	w.len = snprintf(rp->why, sizeof(rp->why), "%.*s", (int)sizeof(c.text), c.text);
	if (outcome_has_rule(rp->tab, outcome))
		policy_texts(rp->maps.slot, add_rule, &w);
	return rp->why;
}

size_t ndiv_replay_head(const struct ndiv_replay *rp, const char *name, void *buf)
{
	size_t len = pcapng_section(buf);

	return len + pcapng_interface((char *)buf + len, name, "replayed, with what became of it", NULL, 0);
}

size_t ndiv_replay_block(const struct ndiv_replay_packet *pkt, const char *comment, void *buf)
{
	const struct pcapng_packet p = { .ns = pkt->ns, .data = pkt->data, .captured = pkt->captured, .len = pkt->len,
					 .comment = comment };

	return pcapng_packet(buf, &p);
}

/* --- counters */

int ndiv_replay_stats(struct ndiv_replay *rp, int which, struct ndiv_stats *stats)
{
	int err = stats_read(bpf_map__fd(rp->core->maps.ndiv_cpus), which, -1, stats);

	return err ? fail(&rp->nd, -err, "cannot read the counters: %s", strerror(-err)) : 0;
}

const struct ndiv_info *ndiv_replay_info(const struct ndiv_replay *rp)
{
	return &rp->ld.info;
}

int ndiv_replay_policy(struct ndiv_replay *rp, struct ndiv_policy_state *state)
{
	return policy_state(&rp->nd, &rp->maps, state);
}

int ndiv_replay_rules(struct ndiv_replay *rp, ndiv_policy_fn *fn, void *arg)
{
	return policy_each(&rp->nd, &rp->maps, fn, arg);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * faults - a bad network: drops, corrupts, duplicates, delays and reorders what is received, at chosen rates
 *
 * For tests of what ought to stand it. Each fault is drawn for by itself, out of a pseudo-random sequence that a seed
 * determines, so that a run can be repeated. docs/faults.md is the guide.
 */
#include <ndiv/handler.h>
#include <ndiv/hash.h>

#define PER_MILLE	1000

struct faults_config {
	struct ndiv_ports ports;
	__u32	seed;
	__u16	drop;		/* rates, in 1/1000 */
	__u16	corrupt;
	__u16	duplicate;
	__u16	delay;
	__u16	reorder;
	__u16	delay_ms;
	__u16	jitter_ms;
	__u16	duplicate_ms;
	__u16	reorder_ms;
	__u8	only;		/* enum faults_only */
	__u8	pad;
};

enum faults_only { FAULTS_ALL, FAULTS_DATA, FAULTS_BARE };

enum {				/* counters */
	FAULTS_SEEN,
	FAULTS_CORRUPT,
	FAULTS_DUPLICATE,
	FAULTS_DELAY,
	FAULTS_REORDER,
	FAULTS_AGAIN,
	FAULTS_LONG,
};

enum { FAULTS_DROP = 1 };	/* drop reasons */

const volatile struct faults_config config SEC(".rodata.config") = {
	.ports = { 1, 65535 }, .seed = 1, .delay_ms = 10, .reorder_ms = 1,
};

#define RATE(option, about) \
	{                                                                                                              \
		.name = #option, .help = about ", in 1/1000 of the packets", .type = NDIV_OPT_U16,                     \
		.offset = offsetof(struct faults_config, option), .max = PER_MILLE                                     \
	}

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "faults",
	.about = "drops, corrupts, duplicates, delays, reorders at chosen rates",
	.counters = {
		[FAULTS_SEEN] = "seen",
		[FAULTS_CORRUPT] = "corrupted",
		[FAULTS_DUPLICATE] = "duplicated",
		[FAULTS_DELAY] = "delayed",
		[FAULTS_REORDER] = "reordered",
		[FAULTS_AGAIN] = "again",
		[FAULTS_LONG] = "too-long",
	},
	.reasons = {
		[FAULTS_DROP] = "fault",
	},
	.options = {
		{ .name = "ports", .help = "TCP and UDP ports; packets from or to them meet faults",
		  .type = NDIV_OPT_PORTS, .offset = offsetof(struct faults_config, ports) },
		{ .name = "only", .help = "packets with a payload (data), or without one (bare), or all",
		  .choices = "all,data,bare", .type = NDIV_OPT_CHOICE, .offset = offsetof(struct faults_config, only) },
		RATE(drop, "dropped"),
		RATE(corrupt, "one bit turned"),
		RATE(duplicate, "come twice"),
		RATE(delay, "come later"),
		RATE(reorder, "overtaken by those behind"),
		{ .name = "delay-ms", .help = "how much later", .type = NDIV_OPT_U16,
		  .offset = offsetof(struct faults_config, delay_ms), .max = NDIV_DELAY_MAX },
		{ .name = "jitter-ms", .help = "and up to so much more, at random", .type = NDIV_OPT_U16,
		  .offset = offsetof(struct faults_config, jitter_ms), .max = NDIV_DELAY_MAX },
		{ .name = "duplicate-ms", .help = "how long after the packet its duplicate comes",
		  .type = NDIV_OPT_U16, .offset = offsetof(struct faults_config, duplicate_ms),
		  .max = NDIV_DELAY_MAX },
		{ .name = "reorder-ms", .help = "how much later: what follows within it overtakes",
		  .type = NDIV_OPT_U16, .offset = offsetof(struct faults_config, reorder_ms), .max = NDIV_DELAY_MAX },
		{ .name = "seed", .help = "of the pseudo-random sequence; 0: another one each time",
		  .type = NDIV_OPT_U32, .offset = offsetof(struct faults_config, seed), .max = 0xffffffff },
	},
};

/* Where a CPU is in its sequence: a counter that ndiv_mix() turns into numbers (splitmix64). */
struct sequence {
	__u64	at;
	__u32	seed;		/* that it began with */
	__u32	begun;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sequence);
} sequences SEC(".maps");

/* A number from 0 to <n> - 1. */
static __always_inline __u32 draw(struct sequence *seq, __u32 n)
{
	seq->at += 0x9e3779b97f4a7c15ULL;
	return (ndiv_mix(seq->at) >> 32) * n >> 32;
}

/* The map outlives a replacement, and the sequence goes on with it; another seed begins it anew. */
static __always_inline struct sequence *sequence(void)
{
	__u32 zero = 0, seed = config.seed;
	struct sequence *seq = bpf_map_lookup_elem(&sequences, &zero);

	if (!seq || (seq->begun && seq->seed == seed))
		return seq;
	seq->at = ndiv_mix((__u64)(seed ? seed : bpf_get_prandom_u32()) << 32 | bpf_get_smp_processor_id());
	seq->seed = seed;
	seq->begun = 1;
	return seq;
}

/* Does it meet the fault whose rate is <rate>? No number is drawn for a fault that never happens. */
static __always_inline int meets(struct sequence *seq, __u16 rate)
{
	return rate && draw(seq, PER_MILLE) < rate;
}

static __always_inline int is_ours(__be16 port)
{
	__u16 n = bpf_ntohs(port);

	return n >= config.ports.lo && n <= config.ports.hi;
}

/* With or without a payload, as it was asked for? */
static __always_inline int is_kind(const struct ndiv_pkt *pkt)
{
	if (config.only == FAULTS_ALL)
		return 1;
	return (pkt->end > pkt->payload) == (config.only == FAULTS_DATA);
}

/* From or to one of the ports? TCP and UDP headers both begin with them. */
static __always_inline int is_chosen(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	const __be16 *ports;

	if (!(pkt->flags & (NDIV_F_TCP | NDIV_F_UDP)) || !is_kind(pkt))
		return 0;
	ports = ndiv_ptr(ctx, pkt->l4, 2 * sizeof(*ports));
	return ports && (is_ours(ports[0]) || is_ours(ports[1]));
}

/*
 * Turns one bit of the payload; where there is none, of the checksum. The headers stay as they were parsed, for the
 * handlers that follow; but the checksum is wrong now, whatever was known of it.
 */
static __always_inline void corrupt(struct xdp_md *ctx, struct ndiv_pkt *pkt, struct sequence *seq)
{
	__u32 check = pkt->flags & NDIV_F_TCP ? offsetof(struct tcphdr, check) : offsetof(struct udphdr, check);
	__u32 from = pkt->l4 + check, bytes = sizeof(__be16), end = ndiv_linear(ctx);
	__u8 *p;

	if (end > pkt->end)
		end = pkt->end;
	if (end > pkt->payload) {
		from = pkt->payload;
		bytes = end - from;
	}
	p = ndiv_ptr(ctx, from + draw(seq, bytes), 1);
	if (!p)
		return;
	*p ^= 1 << draw(seq, 8);
	pkt->flags &= ~(NDIV_F_L4_GOOD | NDIV_F_L4_BAD);
	ndiv_count(pkt, FAULTS_CORRUPT);
}

static __always_inline enum ndiv_verdict later(struct ndiv_pkt *pkt, __u32 counter, __u32 ms)
{
	ndiv_count(pkt, counter);
	return ndiv_postpone(pkt, ms);
}

/* The faults that take a second look at the packet. */
static __always_inline enum ndiv_verdict present_again(struct ndiv_pkt *pkt, struct sequence *seq)
{
	if (meets(seq, config.duplicate)) {
		ndiv_count(pkt, FAULTS_DUPLICATE);
		return ndiv_repeat(pkt, config.duplicate_ms);
	}
	if (meets(seq, config.delay))
		return later(pkt, FAULTS_DELAY, config.delay_ms + draw(seq, config.jitter_ms + 1));
	if (meets(seq, config.reorder))
		return later(pkt, FAULTS_REORDER, config.reorder_ms);
	return NDIV_NEXT;
}

/*
 * What comes again has had its fault, or been spared. What is too long to be postponed would be dropped, which nobody
 * asked for.
 */
static __always_inline enum ndiv_verdict faults_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	struct sequence *seq;

	if (!is_chosen(ctx, pkt))
		return NDIV_NEXT;
	if (pkt->flags & NDIV_F_AGAIN) {
		ndiv_count(pkt, FAULTS_AGAIN);
		return NDIV_NEXT;
	}
	ndiv_count(pkt, FAULTS_SEEN);
	seq = sequence();
	if (!seq)
		return NDIV_NEXT;
	if (meets(seq, config.drop))
		return ndiv_drop(pkt, FAULTS_DROP);
	if (meets(seq, config.corrupt))
		corrupt(ctx, pkt, seq);
	if (pkt->len <= NDIV_POSTPONE_LEN)
		return present_again(pkt, seq);
	if (config.duplicate || config.delay || config.reorder)
		ndiv_count(pkt, FAULTS_LONG);
	return NDIV_NEXT;
}

SEC("xdp.frags")
int faults(struct xdp_md *ctx)
{
	return ndiv_run(ctx, faults_handle, NULL);
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * flood.bpf.c - a flood from addresses that nobody has
 *
 * Test-run with live frames for the client's end of a lab, as gen.bpf.c. Each frame is one of the shapes, in turn, with
 * another source, other ports and numbers, and right checksums. What is sent back to sources of FLOOD_NET4 or
 * FLOOD_NET6 ends at the client's end of the wire; what is for the client itself passes.
 */
#include <ndiv/csum.h>
#include <ndiv/hash.h>
#include "flood.h"

#define SPINS	(1 << 16)	/* looks at the clock, at most */

const volatile struct flood_conf conf SEC(".rodata.conf") = { .shapes = 1, .len = ETH_HLEN };

/* Of the next frame, and when the next burst is due: one CPU sends. */
__u64 number SEC(".data.number") = 0;
__u64 due SEC(".data.due") = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FLOOD_SHAPES);
	__type(key, __u32);
	__type(value, struct flood_shape);
} shapes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flood_count);
} counts SEC(".maps");

/* Number <i> of splitmix64: the same ones in each run of a kind. */
static __always_inline __u64 splitmix(__u64 i)
{
	return ndiv_mix(i * 0x9e3779b97f4a7c15ULL);
}

static __always_inline int put_sum(struct xdp_md *ctx, __u32 off, __u64 sum)
{
	__u16 *p = ndiv_ptr(ctx, off, sizeof(*p));

	if (!p)
		return -1;
	*p = ~ndiv_csum_fold(sum);
	if (!*p)
		*p = 0xffff;	/* the same number, and of UDP not "none" */
	return 0;
}

/* The bits of word <i> that are others in frame <n>. The first word is the source. */
static __always_inline __be32 more_of(const struct flood_word *word, __u64 n, __u32 i)
{
	__u32 chance = splitmix(((__u64)conf.seed << 40) + n * FLOOD_WORDS + i);

	return conf.far && !i ? bpf_htonl(flood_far(chance)) : chance & word->mask;
}

/* Writes what is different in frame <n>. */
static __always_inline int vary(struct xdp_md *ctx, const struct flood_shape *shape, __u64 n)
{
	__u64 ip = shape->ip_base, l4 = shape->l4_base;
	const struct flood_word *word;
	__u32 i, more;
	__be32 *p;

	for (i = 0; i < FLOOD_WORDS; i++) {
		word = &shape->word[i];
		if (!word->off)
			break;
		more = more_of(word, n, i);
		p = ndiv_ptr(ctx, word->off, sizeof(*p));
		if (!p)
			return -1;
		*p |= more;
		ip += word->in_ip ? more : 0;
		l4 += word->in_l4 ? more : 0;
	}
	if (shape->ip_sum && put_sum(ctx, shape->ip_sum, ip))
		return -1;
	return shape->l4_sum ? put_sum(ctx, shape->l4_sum, l4) : 0;
}

static long is_due(__u32 i, void *until)
{
	return bpf_ktime_get_ns() >= *(__u64 *)until;
}

/* Until the next burst is due. Who is late makes up for a few of them, not for all. */
static __always_inline void wait_due(void)
{
	__u64 until = due, now = bpf_ktime_get_ns();

	if (now < until)
		bpf_loop(SPINS, is_due, &until, 0);
	due = (until + 4 * conf.gap < now ? now : until) + conf.gap;
}

SEC("xdp.frags")
int flood_send(struct xdp_md *ctx)
{
	__u64 n = number;
	__u32 i = n % conf.shapes, len;
	struct flood_shape *shape = bpf_map_lookup_elem(&shapes, &i);

	if (!shape)
		return XDP_ABORTED;
	if (conf.gap && n % FLOOD_BURST == 0)
		wait_due();
	len = shape->len;
	if (len < ETH_HLEN || len > FLOOD_FRAME_MAX || bpf_xdp_store_bytes(ctx, 0, shape->frame, len))
		return XDP_ABORTED;
	if (vary(ctx, shape, n) || (len < conf.len && bpf_xdp_adjust_tail(ctx, (int)len - (int)conf.len)))
		return XDP_ABORTED;
	number = n + 1;
	return conf.dry ? XDP_DROP : XDP_TX;
}

/* Is it for one of the sources that the flood has made up? */
static __always_inline int is_answer(struct xdp_md *ctx)
{
	const __be16 *proto = ndiv_ptr(ctx, 12, 2);
	const __be32 *to;

	if (!proto)
		return 0;
	if (*proto == bpf_htons(ETH_P_IP)) {
		to = ndiv_ptr(ctx, ETH_HLEN + 16, 4);
		return to && (*to & bpf_htonl(FLOOD_MASK4)) == bpf_htonl(FLOOD_NET4);
	}
	to = ndiv_ptr(ctx, ETH_HLEN + 24, 4);
	return *proto == bpf_htons(ETH_P_IPV6) && to && *to == bpf_htonl(FLOOD_NET6);
}

SEC("xdp.frags")
int flood_sink(struct xdp_md *ctx)
{
	struct flood_count *c;
	__u32 zero = 0;

	if (!is_answer(ctx))
		return XDP_PASS;
	c = bpf_map_lookup_elem(&counts, &zero);
	if (c)
		c->answers++;
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";

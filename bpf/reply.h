/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reply.h - replies that do not fit in place, and bursts: one packet in, several out
 *
 * Redirecting a frame to a devmap with n entries makes n - 1 clones, each in a page of its own; the last entry gets the
 * frame itself. All entries are the interface itself. The devmap's program then writes what is to be sent, for
 * each in turn; it runs when the driver's batch is flushed, so all it needs travels in the metadata. Since one program serves
 * all entries of a device (the kernel takes the first entry's), it counts copies to know which one it has.
 */
#ifndef NDIV_REPLY_H
#define NDIV_REPLY_H

#include "maps.h"

/* Can the frame itself hold the longest packet of a burst? Else it is sent to one entry more, and dropped there. */
static __always_inline int can_grow(struct xdp_md *ctx, __u32 len)
{
	int delta = (int)len - (int)ndiv_linear(ctx);

	if (delta <= 0)
		return 1;
	if (bpf_xdp_adjust_tail(ctx, delta))
		return 0;
	return !bpf_xdp_adjust_tail(ctx, -delta);
}

static __always_inline void fill_meta(struct ndiv_meta *meta, struct ndiv_cpu *cpu)
{
	struct ndiv_pkt *pkt = &cpu->pkt;

	meta->magic = NDIV_META_CLONE;
	meta->handler = pkt->handler;
	meta->count = pkt->out_count;
	meta->burst = ++cpu->burst;
	meta->out_len = pkt->out_len;
	meta->l4 = pkt->l4;
	meta->l3 = pkt->l3;
	meta->flags = pkt->flags;
	__builtin_memcpy(meta->args, pkt->args, NDIV_ARGS_LEN);
}

/* Makes the clones of a reply or burst. Returns 0, or the reason why it cannot. */
static __always_inline int clone(struct xdp_md *ctx, struct ndiv_cpu *cpu)
{
	struct ndiv_pkt *pkt = &cpu->pkt;
	struct ndiv_meta *meta;
	__u32 n = pkt->out_count;
	void *copies;

	if (!n || n > NDIV_BURST_MAX)
		return NDIV_R_VERDICT;
	if (pkt->out_len > NDIV_REPLY_MAX || pkt->len > ndiv_linear(ctx))
		return NDIV_R_NO_ROOM;
	if (pkt->flags & NDIV_F_CLONE || !can_grow(ctx, pkt->out_len))
		n++;
	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*meta)))
		return NDIV_R_NO_ROOM;
	meta = (void *)(long)ctx->data_meta;
	if ((void *)(meta + 1) > (void *)(long)ctx->data)
		return NDIV_R_NO_ROOM;
	fill_meta(meta, cpu);
	if (ndiv_self.generic)
		return 0;
	copies = bpf_map_lookup_elem(&ndiv_copies, &n);
	if (!copies || bpf_redirect_map(copies, 0, BPF_F_BROADCAST) != XDP_REDIRECT)
		return NDIV_R_REDIRECT;
	return 0;
}

/* What the builder may know of the packet. */
static __always_inline void meta_to_pkt(const struct ndiv_meta *meta, struct ndiv_cpu *cpu)
{
	struct ndiv_pkt *pkt = &cpu->pkt;

	pkt->flags = meta->flags | NDIV_F_COPY;
	pkt->l3 = meta->l3;
	pkt->l4 = meta->l4;
	pkt->out_len = meta->out_len;
	pkt->out_count = meta->count;
	__builtin_memcpy(pkt->args, meta->args, NDIV_ARGS_LEN);
}

/*
 * First half of ndiv_copy: XDP_PASS for a frame that is none of ours, XDP_DROP for the spare copy or on failure; XDP_TX when
 * the builder of <handler> is to write it.
 */
static __always_inline int copy_begin(struct xdp_md *ctx, struct ndiv_cpu *cpu, __u32 *handler)
{
	struct ndiv_meta *meta = (void *)(long)ctx->data_meta;

	if ((void *)(meta + 1) > (void *)(long)ctx->data || meta->magic != NDIV_META_CLONE)
		return XDP_PASS;
	if (meta->burst != cpu->copy_burst) {
		cpu->copy_burst = meta->burst;
		cpu->copy = 0;
	} else {
		cpu->copy++;
	}
	if (cpu->copy >= meta->count)
		return XDP_DROP;
	meta_to_pkt(meta, cpu);
	*handler = meta->handler;
	bpf_xdp_adjust_meta(ctx, sizeof(*meta));
	if (ndiv_set_len(ctx, cpu->pkt.out_len)) {
		cpu->reason[0][NDIV_R_NO_ROOM]++;
		return XDP_DROP;
	}
	return XDP_TX;
}

#endif

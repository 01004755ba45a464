/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reply.h - replies that do not fit in place, and bursts: one packet in, several out
 *
 * Redirecting a frame to a devmap with n entries makes n - 1 clones, each in a page of its own; the last entry gets the
 * frame itself. All entries are the interface itself. The devmap's program then writes what is to be sent, for
 * each in turn; it runs when the driver's batch is flushed, so all it needs travels in the metadata. Since one program
 * serves all entries of a device (the kernel takes the first entry's), it counts copies to know which one it has.
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

/* Where the builders of the handler that decided are: those that were there when it did. */
static __always_inline __u8 ndiv_builder_slot(const struct ndiv_pkt *pkt)
{
	return pkt->handler | (pkt->path & NDIV_PATH_BANK ? NDIV_HANDLERS_MAX : 0);
}

static __always_inline void fill_meta(struct ndiv_meta *meta, struct ndiv_cpu *cpu)
{
	struct ndiv_pkt *pkt = &cpu->pkt;

	meta->magic = NDIV_META_CLONE;
	meta->handler = ndiv_builder_slot(pkt);
	meta->count = pkt->out_count;
	meta->burst = ++cpu->burst;
	meta->out_len = pkt->out_len;
	meta->l4 = pkt->l4;
	meta->l3 = pkt->l3;
	meta->flags = (pkt->flags & ~NDIV_META_VLAN) | (pkt->flags & NDIV_F_VLAN1 ? NDIV_META_VLAN : 0);
	__builtin_memcpy(meta->args, pkt->args, NDIV_ARGS_LEN);
}

/*
 * What stands for metadata where the driver leaves no room for it (vmxnet3, mvneta) or the card has filled it: the same
 * as the first bytes of the frame itself. There it could be anybody's packet, so it has a seal that only we know.
 */
struct sealed {
	__u64 seal[2];
	struct ndiv_meta meta;
};

/* Random, set when the core is loaded. */
const volatile __u64 ndiv_seal[2] SEC(".rodata.seal") = { 0 };

/* Longer than the interface sends, the frame would not be redirected, and nobody would tell. */
static __always_inline int too_long(struct xdp_md *ctx)
{
	__u32 mtu = 0;

	return bpf_check_mtu(ctx, 0, &mtu, 0, 0);
}

static __always_inline int put_sealed(struct xdp_md *ctx, struct ndiv_cpu *cpu)
{
	struct sealed *front;

	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(*front)) || too_long(ctx))
		return NDIV_R_NO_ROOM;
	front = (void *)(long)ctx->data;
	if ((void *)(front + 1) > (void *)(long)ctx->data_end)
		return NDIV_R_NO_ROOM;
	front->seal[0] = ndiv_seal[0];
	front->seal[1] = ndiv_seal[1];
	fill_meta(&front->meta, cpu);
	return 0;
}

/* Metadata in front of the frame; 0, or the reason why it cannot be. */
static __always_inline int put_meta(struct xdp_md *ctx, struct ndiv_cpu *cpu)
{
	__u32 pad = NDIV_META_PAD;
	struct ndiv_meta *meta;

	if (!ndiv_self.generic || bpf_xdp_adjust_meta(ctx, -(int)sizeof(*meta) - NDIV_META_PAD)) {
		pad = 0;
		if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*meta)))
			return ndiv_self.generic ? NDIV_R_NO_ROOM : put_sealed(ctx, cpu);
	}
	meta = (void *)(long)ctx->data_meta + pad;
	if ((void *)(meta + 1) > (void *)(long)ctx->data)
		return NDIV_R_NO_ROOM;
	fill_meta(meta, cpu);
	return 0;
}

/* Frames of the driver's batch (DEV_MAP_BULK_SIZE of the kernel). */
#define BATCH	16

/*
 * A batch out of which our program drops every frame is not handed to the driver, and the driver is not told either
 * that what it got before is all: packets would wait in its ring for the next ones. So a spare copy must not be alone
 * in a batch: if the last true copy would fill one, the first copy is dropped, too, and all move up by one.
 */
static __always_inline int must_skip(const struct ndiv_cpu *cpu, __u32 n)
{
	return (cpu->queued + n) % BATCH == 0;
}

/* Makes the clones of a reply or burst. Returns 0, or the reason why it cannot. */
static __always_inline int clone(struct xdp_md *ctx, struct ndiv_cpu *cpu)
{
	struct ndiv_pkt *pkt = &cpu->pkt;
	__u32 n = pkt->out_count;
	void *copies;
	int bad;

	if (!n || n > NDIV_BURST_MAX)
		return NDIV_R_VERDICT;
	if (pkt->out_len > NDIV_REPLY_MAX || pkt->len > ndiv_linear(ctx))
		return NDIV_R_NO_ROOM;
	if (!ndiv_self.generic && (pkt->flags & NDIV_F_CLONE || !can_grow(ctx, pkt->out_len))) {
		if (must_skip(cpu, n)) {
			pkt->out_count |= NDIV_META_SKIP;
			n++;
		}
		n++;
	}
	bad = put_meta(ctx, cpu);
	if (bad || ndiv_self.generic)
		return bad;
	copies = bpf_map_lookup_elem(&ndiv_copies, &n);
	if (!copies || bpf_redirect_map(copies, 0, BPF_F_BROADCAST) != XDP_REDIRECT)
		return NDIV_R_REDIRECT;
	cpu->queued += n;
	return 0;
}

/* What the builder may know of the packet. */
static __always_inline void meta_to_pkt(const struct ndiv_meta *meta, struct ndiv_cpu *cpu)
{
	struct ndiv_pkt *pkt = &cpu->pkt;

	pkt->flags = (meta->flags & ~NDIV_META_VLAN) | NDIV_F_COPY;
	pkt->l3 = meta->l3;
	pkt->l4 = meta->l4;
	pkt->out_len = meta->out_len;
	pkt->out_count = meta->count & ~NDIV_META_SKIP;
	__builtin_memcpy(pkt->args, meta->args, NDIV_ARGS_LEN);
}

/* Which copy is this? Not below the count: one that is not sent. */
static __always_inline __u32 copy_index(const struct ndiv_meta *meta, struct ndiv_cpu *cpu)
{
	__u32 skip = !!(meta->count & NDIV_META_SKIP), index;

	if (meta->burst != cpu->copy_burst) {
		cpu->copy_burst = meta->burst;
		cpu->copy = 0;
	} else {
		cpu->copy++;
	}
	index = cpu->copy;
	/* The end of the last one: whatever was lost on the way, nothing is queued now. */
	if (cpu->queued)
		cpu->queued--;
	if (meta->burst == cpu->burst && index >= (meta->count & ~NDIV_META_SKIP) + skip)
		cpu->queued = 0;
	return index - skip;
}

/* Takes away what put_sealed() put there. Returns as take_meta(). */
static __always_inline int take_sealed(struct xdp_md *ctx, struct ndiv_meta *meta)
{
	const struct sealed *front = (void *)(long)ctx->data;

	if ((void *)(front + 1) > (void *)(long)ctx->data_end)
		return 0;
	if (front->seal[0] != ndiv_seal[0] || front->seal[1] != ndiv_seal[1] || front->meta.magic != NDIV_META_CLONE)
		return 0;
	*meta = front->meta;
	return bpf_xdp_adjust_head(ctx, sizeof(*front)) ? -1 : 1;
}

/* Takes away what put_meta() put there: 1; 0 if the frame is none of ours, below 0 if that fails. */
static __always_inline int take_meta(struct xdp_md *ctx, struct ndiv_meta *meta)
{
	const struct ndiv_meta *front = (void *)(long)ctx->data_meta;

	if ((void *)(front + 1) > (void *)(long)ctx->data || front->magic != NDIV_META_CLONE)
		return take_sealed(ctx, meta);
	*meta = *front;
	return bpf_xdp_adjust_meta(ctx, sizeof(*front)) ? -1 : 1;
}

/* A clone that cannot become the packet that it should. */
static __always_inline int copy_fails(struct ndiv_cpu *cpu)
{
	cpu->reason[0][NDIV_R_NO_ROOM]++;
	cpu->copy_drops++;
	return XDP_DROP;
}

/*
 * First half of ndiv_copy: XDP_PASS for a frame that is none of ours, XDP_DROP for a spare copy or on failure; XDP_TX
 * when the builder of <handler> is to write it.
 */
static __always_inline int copy_begin(struct xdp_md *ctx, struct ndiv_cpu *cpu, __u32 *handler)
{
	struct ndiv_meta meta;
	int taken = take_meta(ctx, &meta);

	if (!taken)
		return XDP_PASS;
	if (taken < 0)
		return copy_fails(cpu);
	meta_to_pkt(&meta, cpu);
	*handler = meta.handler;
	cpu->index = copy_index(&meta, cpu);
	if (cpu->index >= cpu->pkt.out_count) {
		cpu->copy_drops++;
		return XDP_DROP;
	}
	return ndiv_set_len(ctx, cpu->pkt.out_len) ? copy_fails(cpu) : XDP_TX;
}

#endif

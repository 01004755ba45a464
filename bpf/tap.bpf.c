// SPDX-License-Identifier: GPL-2.0-only
/*
 * tap.bpf.c - a capture's programs: copy packets into the rings, with what is known of them, and go on
 *
 *	rx		in front of the parser, called by the entry; goes on to ndiv_parse_pkt
 *	verdict		behind what was decided, called by the verdict; returns the action that it left
 *	tx		at tc egress
 *
 * They are in the array of taps (abi.h) while a capture runs, and in the kernel no longer than the process that put
 * them there. Where a filter is set it comes first, and leads to the program that copies, or to the one that skips.
 */
#include "block.h"

char _license[] SEC("license") = "GPL";

/* What each outcome is in words; <len> 0: such packets are not wanted. The reader may change it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NDIV_OUTCOMES);
	__type(key, __u32);
	__type(value, struct ndiv_comment);
} ndiv_outcomes SEC(".maps");

/* Likewise for rules of shield's policy; a single empty entry where nobody asked for them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NDIV_RULES);
	__type(key, __u32);
	__type(value, struct ndiv_rule_comment);
} ndiv_rules SEC(".maps");

/* Of the transmit path, where the filter is attached itself: the slots to which it leads are as in the other array. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NDIV_TAP_RX_SKIP + 1);
	__type(key, __u32);
	__type(value, __u32);
} ndiv_tx_taps SEC(".maps");

static __always_inline __u32 shorter(__u32 len)
{
	return len < tap_conf.snaplen ? len : tap_conf.snaplen;
}

/* Copies a frame of XDP, <len> bytes long, into the block. */
static __always_inline int copy_frame(struct xdp_md *ctx, struct block *b, __u32 point, __u32 len)
{
	__u32 captured = shorter(len);
	void *to;

	if (ndiv_is_zero(&captured) || captured > tap_conf.snaplen)
		return -1;
	if (block_begin(b, point, captured, len))
		return -1;
	to = block_data(b, captured);
	if (bpf_xdp_load_bytes(ctx, 0, to, captured)) {
		block_cancel(b);
		return -1;
	}
	return 0;
}

/* The same number for the same packet at both points of the receive path. */
static __always_inline __u64 packet_id(const struct ndiv_cpu *cpu)
{
	return (__u64)bpf_get_smp_processor_id() << 48 | cpu->seq;
}

static __always_inline void put_id(struct block *b, const struct ndiv_cpu *cpu)
{
	if (tap_conf.ids)
		put_option64(b, EPB_PACKETID, packet_id(cpu));
}

/* What the entry has asked the card for. A packet that comes again was not received just now. */
static __always_inline void take_stamp(struct block *b, const struct ndiv_cpu *cpu)
{
	if (tap_conf.card && cpu->pkt.flags & NDIV_F_HW_TSTAMP)
		b->stamp = cpu->pkt.hw_tstamp;
}

static __always_inline void tap_rx(struct xdp_md *ctx)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);
	struct block b;

	if (!cpu || block_ring(&b, NDIV_POINT_RX) || !is_sampled(&b, packet_id(cpu)))
		return;
	if (copy_frame(ctx, &b, NDIV_POINT_RX, bpf_xdp_get_buff_len(ctx)))
		return;
	put_option32(&b, EPB_FLAGS, EPB_INBOUND);
	put_option32(&b, EPB_QUEUE, ctx->rx_queue_index);
	put_id(&b, cpu);
	take_stamp(&b, cpu);
	block_end(&b);
}

static __always_inline int go_on(struct xdp_md *ctx)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);

	bpf_tail_call_static(ctx, &ndiv_chain, NDIV_SLOT_PARSE);
	if (cpu)
		cpu->reason[0][NDIV_R_CHAIN]++;
	return XDP_DROP;
}

SEC("xdp.frags")
int ndiv_tap_rx(struct xdp_md *ctx)
{
	tap_rx(ctx);
	return go_on(ctx);
}

SEC("xdp.frags")
int ndiv_tap_rx_skip(struct xdp_md *ctx)
{
	struct block b;

	if (!block_ring(&b, NDIV_POINT_RX))
		b.count->rejected++;
	return go_on(ctx);
}

/* XDP's action in Wireshark's words. */
static __always_inline void put_verdict(struct block *b, __u32 act)
{
	__u32 little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	put32(b, option(EPB_VERDICT, 9));
	put32(b, little ? 2 | act << 8 : 2U << 24);
	put32(b, 0);
	put32(b, little ? 0 : act << 24);
}

/* Ours as a comment. */
static __always_inline void put_comment(struct block *b, const struct ndiv_comment *text)
{
	const __u32 *from = (const __u32 *)text;
	__u32 i;

	for (i = 0; i < sizeof(*text) / 4; i++)
		*(__u32 *)block_at(b, b->at + 4 * i) = from[i];
	b->at += 4 + ((text->len + 3) & (NDIV_COMMENT_LEN | 3) & ~3U);
}

/* The same with the rule. */
static __always_inline void put_rule(struct block *b, const struct ndiv_rule_comment *text)
{
	const __u32 *from = (const __u32 *)&text->code;
	__u32 i;

	for (i = 0; i < 1 + NDIV_RULE_COMMENT_LEN / 4; i++)
		*(__u32 *)block_at(b, b->at + 4 * i) = from[i];
	b->at += 4 + ((text->len + 3) & NDIV_RULE_COMMENT_LEN);
}

/* The rule that was it, if shield has left one and somebody wants to know. */
static __always_inline const struct ndiv_rule_comment *find_rule(const struct ndiv_cpu *cpu, __u32 outcome)
{
	__u32 rule = cpu->pkt.rule;
	const struct ndiv_rule_comment *text = bpf_map_lookup_elem(&ndiv_rules, &rule);

	return text && text->len && text->outcome == outcome ? text : NULL;
}

static __always_inline void tap_verdict(struct xdp_md *ctx, const struct ndiv_cpu *cpu)
{
	__u32 outcome = cpu->pkt.outcome & (NDIV_OUTCOMES - 1), act = cpu->pkt.outcome >> 16;
	const struct ndiv_comment *text = bpf_map_lookup_elem(&ndiv_outcomes, &outcome);
	const struct ndiv_rule_comment *rule;
	struct block b;

	if (!text || block_ring(&b, NDIV_POINT_VERDICT))
		return;
	if (!text->len) {
		b.count->rejected++;
		return;
	}
	if (!is_sampled(&b, packet_id(cpu)) || is_too_much(&b))
		return;
	if (copy_frame(ctx, &b, NDIV_POINT_VERDICT, bpf_xdp_get_buff_len(ctx)))
		return;
	put_option32(&b, EPB_FLAGS, act == XDP_TX ? EPB_OUTBOUND : EPB_INBOUND);
	put_option32(&b, EPB_QUEUE, ctx->rx_queue_index);
	put_id(&b, cpu);
	put_verdict(&b, act);
	rule = find_rule(cpu, outcome);
	if (rule)
		put_rule(&b, rule);
	else
		put_comment(&b, text);
	take_stamp(&b, cpu);
	block_end(&b);
}

SEC("xdp.frags")
int ndiv_tap_verdict(struct xdp_md *ctx)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);

	if (!cpu)
		return XDP_ABORTED;
	tap_verdict(ctx, cpu);
	return cpu->pkt.outcome >> 16;
}

SEC("xdp.frags")
int ndiv_tap_verdict_skip(struct xdp_md *ctx)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);
	struct block b;

	if (!cpu)
		return XDP_ABORTED;
	if (!block_ring(&b, NDIV_POINT_VERDICT))
		b.count->rejected++;
	return cpu->pkt.outcome >> 16;
}

#define MACS	12	/* bytes in front of a VLAN tag */

/* A tag that waits for the card to be put in: it belongs into the packet, behind the addresses. */
static __always_inline int copy_tagged(struct __sk_buff *skb, void *to, __u32 captured)
{
	__u32 rest = captured - MACS - 4;

	if (bpf_skb_load_bytes(skb, 0, to, MACS))
		return -1;
	*(__u16 *)(to + MACS) = skb->vlan_proto;
	*(__u16 *)(to + MACS + 2) = bpf_htons(skb->vlan_tci);
	if (ndiv_is_zero(&rest) || rest > tap_conf.snaplen - MACS - 4)
		return 0;
	return bpf_skb_load_bytes(skb, MACS, to + MACS + 4, rest);
}

static __always_inline void tap_tx(struct __sk_buff *skb)
{
	__u32 tag = skb->vlan_present ? 4 : 0, len = skb->len + tag, captured = shorter(len);
	struct block b;
	void *to;
	int err;

	if (block_ring(&b, NDIV_POINT_TX) || !is_sampled(&b, b.count->seen))
		return;
	if (ndiv_is_zero(&captured) || captured > tap_conf.snaplen)
		return;
	if (block_begin(&b, NDIV_POINT_TX, captured, len))
		return;
	to = block_data(&b, captured);
	err = tag ? copy_tagged(skb, to, captured) : bpf_skb_load_bytes(skb, 0, to, captured);
	if (err) {
		block_cancel(&b);
		return;
	}
	/* its queue is chosen later */
	put_option32(&b, EPB_FLAGS, EPB_OUTBOUND | (skb->gso_size ? EPB_TSO : 0));
	block_end(&b);
}

/* TC_ACT_UNSPEC: whatever else is attached decides. */
SEC("tc")
int ndiv_tap_tx(struct __sk_buff *skb)
{
	tap_tx(skb);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int ndiv_tap_tx_skip(struct __sk_buff *skb)
{
	struct block b;

	if (!block_ring(&b, NDIV_POINT_TX))
		b.count->rejected++;
	return TC_ACT_UNSPEC;
}

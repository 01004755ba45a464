/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * generic.h - replies that grow, and bursts, in generic mode
 *
 * Behind the driver a packet is an skb; its clones share their data, so the way of reply.h is barred. The verdict
 * passes the frame with its metadata, and a program at tc ingress takes it up: for each packet it
 * gives the skb the right length, lets the builder write it (which sends a clone, see ndiv_run_skb()), and restores the frame as
 * received for the next one. Tail calls: 2 for each packet, so NDIV_BURST_MAX is within the kernel's 33.
 */
#ifndef NDIV_GENERIC_H
#define NDIV_GENERIC_H

#include "maps.h"

/* Fits the skb to the builder of the packet at hand, and calls it. */
static __always_inline int build_skb(struct __sk_buff *skb, struct ndiv_cpu *cpu)
{
	if (bpf_skb_change_tail(skb, cpu->pkt.out_len, 0)) {
		cpu->reason[0][NDIV_R_NO_ROOM]++;
		return TC_ACT_SHOT;
	}
	if (bpf_skb_pull_data(skb, cpu->pkt.out_len))
		return TC_ACT_SHOT;
	bpf_tail_call(skb, &ndiv_skb, cpu->pkt.handler);
	cpu->reason[0][NDIV_R_CHAIN]++;
	return TC_ACT_SHOT;
}

/* Keeps the frame as received. 0, or below 0. */
static __always_inline int save_skb(struct __sk_buff *skb)
{
	__u32 len = skb->len, zero = 0;
	struct ndiv_scratch *s;

	s = bpf_map_lookup_elem(&ndiv_scratch, &zero);
	if (!s || !len || len > NDIV_POSTPONE_LEN)
		return -1;
	s->head.len = len;
	return bpf_skb_load_bytes(skb, 0, s->data, len);
}

SEC("tc")
int ndiv_rx_skb(struct __sk_buff *skb)
{
	struct ndiv_meta *meta = (void *)(long)skb->data_meta;
	struct ndiv_cpu *cpu;

	if ((void *)(meta + 1) > (void *)(long)skb->data || meta->magic != NDIV_META_CLONE)
		return TC_ACT_UNSPEC;
	cpu = ndiv_cpu(NDIV_CPU_RX);
	if (!cpu)
		return TC_ACT_SHOT;
	meta_to_pkt(meta, cpu);
	cpu->pkt.handler = meta->handler;
	cpu->copy = 0;
	if (meta->count > 1 && save_skb(skb)) {
		cpu->reason[0][NDIV_R_NO_ROOM]++;
		return TC_ACT_SHOT;
	}
	return build_skb(skb, cpu);
}

/* Called by ndiv_run_skb() for each packet of a burst but the first. */
SEC("tc")
int ndiv_rx_skb_more(struct __sk_buff *skb)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);
	struct ndiv_scratch *s;
	__u32 len, zero = 0;

	s = bpf_map_lookup_elem(&ndiv_scratch, &zero);
	if (!cpu || !s)
		return TC_ACT_SHOT;
	len = s->head.len;
	if (!len || len > NDIV_POSTPONE_LEN || bpf_skb_change_tail(skb, len, 0) ||
	    bpf_skb_store_bytes(skb, 0, s->data, len, 0)) {
		cpu->reason[0][NDIV_R_NO_ROOM]++;
		return TC_ACT_SHOT;
	}
	return build_skb(skb, cpu);
}

#endif

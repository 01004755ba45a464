/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * generic.h - replies that grow, and bursts, in generic mode
 *
 * Behind the driver a packet is an skb; its clones share their data, so the way of reply.h is barred. The verdict
 * passes the frame with its metadata, and a program at tc ingress takes it up: for each packet it
 * gives the skb the right length, lets the builder write it (which sends a clone, see ndiv_run_skb()), and restores the
 * frame as received for the next one. Tail calls: 2 for each packet, so NDIV_BURST_MAX is within the kernel's 33.
 *
 * Two things happen to the skb between XDP and tc. A VLAN tag in the frame is moved out of it. And where the kernel
 * copied the skb to make room for XDP (skb_pp_cow_data() from 6.9 on), it forgets the length of the MAC header, so that
 * tc sees the packet from its IP header on, and the metadata 14 bytes too far ahead. So there are 16 bytes of nothing
 * in front of the metadata where the kernel allows it: then it is found in either place, with the MAC header behind it.
 */
#ifndef NDIV_GENERIC_H
#define NDIV_GENERIC_H

#include "maps.h"

/* What is in front of the packet. */
struct front {
	struct ndiv_meta meta;
	struct ethhdr eth;		/* if the kernel has lost sight of it */
	int lost;
};

/* Reads our metadata at <off> from where the kernel believes it begins. */
static __always_inline int read_meta(struct __sk_buff *skb, __u32 off, struct ndiv_meta *meta)
{
	void *p = (void *)(long)skb->data_meta + off;

	if (p + sizeof(*meta) > (void *)(long)skb->data)
		return 0;
	if (*(__u16 *)p != NDIV_META_CLONE)
		return 0;
	__builtin_memcpy(meta, p, sizeof(*meta));
	return 1;
}

static __always_inline int read_lost(struct __sk_buff *skb, struct front *front)
{
	__u32 off = NDIV_META_PAD - ETH_HLEN;
	void *p = (void *)(long)skb->data_meta + off + sizeof(front->meta);

	if (p + ETH_HLEN > (void *)(long)skb->data || !read_meta(skb, off, &front->meta))
		return 0;
	__builtin_memcpy(&front->eth, p, ETH_HLEN);
	front->lost = 1;
	return 1;
}

static __always_inline int read_front(struct __sk_buff *skb, struct front *front)
{
	front->lost = 0;
	return read_meta(skb, NDIV_META_PAD, &front->meta) || read_lost(skb, front) || read_meta(skb, 0, &front->meta);
}

/* Puts the MAC header back into sight. */
static __always_inline int restore_mac(struct __sk_buff *skb, const struct front *front)
{
	if (!front->lost)
		return 0;
	if (bpf_skb_change_head(skb, ETH_HLEN, 0))
		return -1;
	return bpf_skb_store_bytes(skb, 0, &front->eth, ETH_HLEN, 0);
}

/* Fits the skb to the builder of the packet at hand, and calls it. */
static __always_inline int build_skb(struct __sk_buff *skb, struct ndiv_cpu *cpu)
{
	if (bpf_skb_change_tail(skb, cpu->pkt.out_len, 0) || bpf_skb_pull_data(skb, cpu->pkt.out_len)) {
		cpu->reason[0][NDIV_R_NO_ROOM]++;
		return TC_ACT_SHOT;
	}
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
	if (!s || len > NDIV_POSTPONE_LEN || ndiv_is_zero(&len))
		return -1;
	s->head.len = len;
	return bpf_skb_load_bytes(skb, 0, s->data, len);
}

SEC("tc")
int ndiv_rx_skb(struct __sk_buff *skb)
{
	struct ndiv_cpu *cpu;
	struct front front;

	if (!read_front(skb, &front))
		return TC_ACT_UNSPEC;
	cpu = ndiv_cpu(NDIV_CPU_RX);
	if (!cpu)
		return TC_ACT_SHOT;
	meta_to_pkt(&front.meta, cpu);
	cpu->pkt.handler = front.meta.handler;
	if (front.meta.flags & NDIV_META_VLAN && skb->vlan_present) {
		cpu->pkt.l3 -= 4;
		cpu->pkt.l4 -= 4;
		cpu->pkt.out_len -= 4;
	}
	cpu->index = 0;
	if (restore_mac(skb, &front) || (front.meta.count > 1 && save_skb(skb))) {
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
	if (len > NDIV_POSTPONE_LEN || ndiv_is_zero(&len) || bpf_skb_change_tail(skb, len, 0) ||
	    bpf_skb_store_bytes(skb, 0, s->data, len, 0)) {
		cpu->reason[0][NDIV_R_NO_ROOM]++;
		return TC_ACT_SHOT;
	}
	return build_skb(skb, cpu);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * egress.h - the tc hooks: what the local stack sends, and what goes up to it
 *
 * Each is attached only while some handler has a program for it. The same shape as the receive path: parse, chain,
 * verdict.
 */
#ifndef NDIV_EGRESS_H
#define NDIV_EGRESS_H

#include "maps.h"
#include "parse.h"

/* Bytes that the parser may need in the linear part: Ethernet, two tags, IP with options or extensions, TCP. */
#define SKB_PULL	256

/*
 * Has the kernel lost sight of the Ethernet header? It does in generic mode, at ingress (generic.h). Then the skb
 * begins with its IP header, and not with our MAC address; what is for others may be taken for such a one, but is not
 * for the stack either.
 */
static __always_inline int is_headless(struct __sk_buff *skb)
{
	const volatile __u16 *mac = (const volatile __u16 *)ndiv_self.mac;
	const __u16 *p = ndiv_skb_ptr(skb, 0, ETH_HLEN);
	__u8 version;

	if (!ndiv_self.generic || !p || (p[0] == mac[0] && p[1] == mac[1] && p[2] == mac[2]))
		return 0;
	version = *(const __u8 *)p >> 4;
	return (skb->protocol == bpf_htons(ETH_P_IP) && version == 4) ||
	       (skb->protocol == bpf_htons(ETH_P_IPV6) && version == 6);
}

static __always_inline int parse_headless(struct __sk_buff *skb, const struct cursor *cur, struct ndiv_pkt *pkt)
{
	pkt->end = pkt->len;
	pkt->eth_proto = skb->protocol;
	return parse_l3(cur, cur->data, pkt);
}

/* Parses, and calls the first handler of <chain>. <flags>: what is known already. */
static __always_inline int skb_enter(struct __sk_buff *skb, enum ndiv_cpu_index which, void *chain, __u32 bank,
				     __u32 flags)
{
	struct ndiv_cpu *cpu = ndiv_cpu(which);
	struct cursor cur = { .len = skb->len };
	struct ndiv_pkt *pkt;

	if (!cpu)
		return TC_ACT_UNSPEC;
	pkt = &cpu->pkt;
	if (ndiv_skb_linear(skb) < SKB_PULL && ndiv_skb_linear(skb) < skb->len)
		bpf_skb_pull_data(skb, skb->len < SKB_PULL ? skb->len : SKB_PULL);
	cur.data = (void *)(long)skb->data;
	cur.end = (void *)(long)skb->data_end;
	cpu->seq++;
	pkt->flags = flags;
	pkt->len = cur.len;
	pkt->proto = 0;
	pkt->verdict = NDIV_NEXT;
	pkt->handler = 0;
	if (which == NDIV_CPU_IN && is_headless(skb))
		pkt->reason = parse_headless(skb, &cur, pkt);
	else
		pkt->reason = ndiv_parse(&cur, pkt);
	if (skb->vlan_present) {
		pkt->flags |= NDIV_F_HW_VLAN;
		pkt->hw_vlan = skb->vlan_tci;
		pkt->hw_vlan_proto = skb->vlan_proto;
	}
	pkt->path = bank;
	if (pkt->reason) {
		pkt->flags |= NDIV_F_MALFORMED;
		pkt->path |= NDIV_PATH_MALFORMED;
	}
	ndiv_jump(skb, chain, 0, pkt->path);
	cpu->reason[0][NDIV_R_CHAIN]++;
	return TC_ACT_UNSPEC;
}

/* TC_ACT_UNSPEC: whatever else is attached behind decides. */
static __always_inline int skb_verdict(enum ndiv_cpu_index which)
{
	struct ndiv_cpu *cpu = ndiv_cpu(which);
	__u32 handler, verdict;
	struct ndiv_count *c;
	struct ndiv_pkt *pkt;

	if (!cpu)
		return TC_ACT_UNSPEC;
	pkt = &cpu->pkt;
	handler = pkt->handler & (NDIV_HANDLERS_MAX - 1);
	verdict = pkt->verdict == NDIV_DROP ? NDIV_DROP : NDIV_PASS;
	if (pkt->verdict > NDIV_DROP)
		cpu->reason[0][NDIV_R_VERDICT]++;
	if (verdict == NDIV_DROP)
		cpu->reason[handler][pkt->reason & (NDIV_REASONS_MAX - 1)]++;
	c = &cpu->verdict[handler][verdict];
	c->packets++;
	c->bytes += pkt->len;
	return verdict == NDIV_DROP ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

SEC("tc")
int ndiv_tx_entry(struct __sk_buff *skb)
{
	return skb_enter(skb, NDIV_CPU_TX, &ndiv_tx_chain, ndiv_conf.tx_bank, NDIV_F_TX);
}

SEC("tc")
int ndiv_tx_verdict(struct __sk_buff *skb)
{
	return skb_verdict(NDIV_CPU_TX);
}

SEC("tc")
int ndiv_in_entry(struct __sk_buff *skb)
{
	return skb_enter(skb, NDIV_CPU_IN, &ndiv_in_chain, ndiv_conf.in_bank, 0);
}

SEC("tc")
int ndiv_in_verdict(struct __sk_buff *skb)
{
	return skb_verdict(NDIV_CPU_IN);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * egress.h - the transmit path: what the local stack sends, by tc
 *
 * Attached only while some handler has a transmit program. The same shape as the receive path: parse, chain, verdict.
 */
#ifndef NDIV_EGRESS_H
#define NDIV_EGRESS_H

#include "maps.h"
#include "parse.h"

/* Bytes that the parser may need in the linear part: Ethernet, two tags, IP with options or extensions, TCP. */
#define TX_PULL		256

SEC("tc")
int ndiv_tx_entry(struct __sk_buff *skb)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_TX);
	struct cursor cur = { .len = skb->len };
	struct ndiv_pkt *pkt;

	if (!cpu)
		return TC_ACT_UNSPEC;
	pkt = &cpu->pkt;
	if (ndiv_tx_linear(skb) < TX_PULL && ndiv_tx_linear(skb) < skb->len)
		bpf_skb_pull_data(skb, skb->len < TX_PULL ? skb->len : TX_PULL);
	cur.data = (void *)(long)skb->data;
	cur.end = (void *)(long)skb->data_end;
	cpu->seq++;
	pkt->flags = NDIV_F_TX;
	pkt->len = cur.len;
	pkt->proto = 0;
	pkt->verdict = NDIV_NEXT;
	pkt->handler = 0;
	pkt->reason = ndiv_parse(&cur, pkt);
	if (skb->vlan_present) {
		pkt->flags |= NDIV_F_HW_VLAN;
		pkt->hw_vlan = skb->vlan_tci;
		pkt->hw_vlan_proto = skb->vlan_proto;
	}
	pkt->path = ndiv_conf.tx_bank;
	if (pkt->reason) {
		pkt->flags |= NDIV_F_MALFORMED;
		pkt->path |= NDIV_PATH_MALFORMED;
	}
	ndiv_jump(skb, &ndiv_tx_chain, 0, pkt->path);
	cpu->reason[0][NDIV_R_CHAIN]++;
	return TC_ACT_UNSPEC;
}

/* TC_ACT_UNSPEC: whatever else is attached behind decides. */
SEC("tc")
int ndiv_tx_verdict(struct __sk_buff *skb)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_TX);
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

#endif

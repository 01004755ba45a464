/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * tx.h - handlers on the transmit path
 *
 * A handler may have a program in the section "tc" besides its receive program, which sees what the local stack sends
 * out of the interface (tcx or clsact egress), after the packet has been parsed:
 *
 *	SEC("tc")
 *	int hello_tx(struct __sk_buff *skb)
 *	{
 *		return ndiv_run_tx(skb, hello_sent);
 *	}
 *
 * The name of the function must end in "_tx". Verdicts: NDIV_NEXT, NDIV_PASS, NDIV_DROP; any other one passes the
 * packet and counts it under the core's reason "verdict". Packets that XDP sends (replies, bursts, forwarded) do not
 * come here; in generic mode, bursts and replies that grow are not sent by XDP, and do.
 */
#ifndef NDIV_TX_H
#define NDIV_TX_H

#include <ndiv/handler.h>

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NDIV_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} ndiv_tx_chain SEC(".maps");

/* Decides about a packet that is sent. <pkt> is never NULL, and has NDIV_F_TX. */
typedef enum ndiv_verdict ndiv_sent_fn(struct __sk_buff *skb, struct ndiv_pkt *pkt);

/* Pointer to <len> bytes (a constant) of the linear part at <off>, or NULL. */
static __always_inline void *ndiv_tx_ptr(struct __sk_buff *skb, __u32 off, __u32 len)
{
	void *p = (void *)(long)skb->data + (off & NDIV_OFF_MASK);

	if (p + len > (void *)(long)skb->data_end)
		return NULL;
	return p;
}

/* Bytes in the linear part; see ndiv_linear(). */
static __always_inline __u32 ndiv_tx_linear(struct __sk_buff *skb)
{
	return (void *)(long)skb->data_end - (void *)(long)skb->data;
}

/* The body of a handler's transmit program. */
static __always_inline int ndiv_run_tx(struct __sk_buff *skb, ndiv_sent_fn *handle)
{
	__u32 id = ndiv_self.id & (NDIV_HANDLERS_MAX - 1);
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_TX);
	enum ndiv_verdict verdict;
	struct ndiv_pkt *pkt;
	struct ndiv_count *next;

	if (!cpu)
		return TC_ACT_UNSPEC;
	pkt = &cpu->pkt;
	verdict = handle(skb, pkt);
	if (verdict == NDIV_NEXT) {
		next = &cpu->verdict[id][NDIV_NEXT];
		next->packets++;
		next->bytes += pkt->len;
		ndiv_jump(skb, &ndiv_tx_chain, id, pkt->path);
		return TC_ACT_UNSPEC;
	}
	pkt->handler = id;
	pkt->verdict = verdict <= NDIV_INVALID ? verdict : NDIV_INVALID;
	bpf_tail_call_static(skb, &ndiv_tx_chain, NDIV_SLOT_VERDICT);
	return TC_ACT_UNSPEC;
}

#endif

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * skb.h - what handlers at the two tc hooks have in common: tx.h (what the stack sends), in.h (what goes up to it)
 */
#ifndef NDIV_SKB_H
#define NDIV_SKB_H

#include <ndiv/handler.h>

/* Decides about an skb. <pkt> is never NULL. */
typedef enum ndiv_verdict ndiv_skb_fn(struct __sk_buff *skb, struct ndiv_pkt *pkt);

/* Pointer to <len> bytes (a constant) of the linear part at <off>, or NULL. */
static __always_inline void *ndiv_skb_ptr(struct __sk_buff *skb, __u32 off, __u32 len)
{
	void *p = (void *)(long)skb->data + (off & NDIV_OFF_MASK);

	if (p + len > (void *)(long)skb->data_end)
		return NULL;
	return p;
}

/* Bytes in the linear part; see ndiv_linear(). */
static __always_inline __u32 ndiv_skb_linear(struct __sk_buff *skb)
{
	return (void *)(long)skb->data_end - (void *)(long)skb->data;
}

/* Private: the body of a handler's program for path <which>, whose chain is <chain>. */
static __always_inline int ndiv_run_stack(struct __sk_buff *skb, enum ndiv_cpu_index which, void *chain,
					  ndiv_skb_fn *handle)
{
	__u32 id = ndiv_self.id & (NDIV_HANDLERS_MAX - 1);
	struct ndiv_cpu *cpu = ndiv_cpu(which);
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
		ndiv_jump(skb, chain, id, pkt->path);
		return TC_ACT_UNSPEC;
	}
	pkt->handler = id;
	pkt->verdict = verdict <= NDIV_INVALID ? verdict : NDIV_INVALID;
	bpf_tail_call_static(skb, chain, NDIV_SLOT_VERDICT);
	return TC_ACT_UNSPEC;
}

#endif

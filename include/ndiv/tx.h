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

#include <ndiv/skb.h>

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NDIV_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} ndiv_tx_chain SEC(".maps");

/* Pointer to <len> bytes (a constant) of the linear part at <off>, or NULL. */
static __always_inline void *ndiv_tx_ptr(struct __sk_buff *skb, __u32 off, __u32 len)
{
	return ndiv_skb_ptr(skb, off, len);
}

/* Bytes in the linear part; see ndiv_linear(). */
static __always_inline __u32 ndiv_tx_linear(struct __sk_buff *skb)
{
	return ndiv_skb_linear(skb);
}

/* The body of a handler's transmit program: <handle> sees packets that have NDIV_F_TX. */
static __always_inline int ndiv_run_tx(struct __sk_buff *skb, ndiv_skb_fn *handle)
{
	return ndiv_run_stack(skb, NDIV_CPU_TX, &ndiv_tx_chain, handle);
}

#endif

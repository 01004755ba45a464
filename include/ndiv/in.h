/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * in.h - handlers at tc ingress: what goes up to the local stack
 *
 * A handler may have a program in the section "tc" that sees what the driver and XDP let through, as an skb, before the
 * stack does. It is slower than the receive program by the cost of the skb, and can do what XDP cannot: look at the
 * skb's fields, hand it to a socket (bpf_sk_assign(), bpf_sk_assign_tcp_reqsk()).
 *
 *	SEC("tc")
 *	int hello_in(struct __sk_buff *skb)
 *	{
 *		return ndiv_run_in(skb, hello_arrived);
 *	}
 *
 * The name of the function must end in "_in". The packet has been parsed again, as it is now: a VLAN tag is beside it
 * (NDIV_F_HW_VLAN), what GRO merged is one packet, which may be longer than the MTU, and in generic mode it may begin
 * with its IP header (pkt->l3 is 0 then). Verdicts as on the transmit
 * path: NDIV_NEXT, NDIV_PASS, NDIV_DROP; any other one passes the packet and counts it under the core's reason
 * "verdict". What is counted is listed by itself, as "in".
 */
#ifndef NDIV_IN_H
#define NDIV_IN_H

#include <ndiv/skb.h>

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NDIV_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} ndiv_in_chain SEC(".maps");

/* The body of a handler's program at tc ingress. */
static __always_inline int ndiv_run_in(struct __sk_buff *skb, ndiv_skb_fn *handle)
{
	return ndiv_run_stack(skb, NDIV_CPU_IN, &ndiv_in_chain, handle);
}

#endif

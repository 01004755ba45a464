/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * layout.h - what wrap.bpf.c and its loader share
 */
#ifndef BENCH_LAYOUT_H
#define BENCH_LAYOUT_H

#include <linux/types.h>

#define BENCH_FLOWS	(1 << 20)
#define BENCH_FRAME_MAX	2048	/* a power of two */

/* In which bytes the packets of two flows differ, as they stand in the packet. */
struct bench_flow {
	__u32	addr;		/* source: all of IPv4, the second word of IPv6, so that its /64 differs, too */
	__u32	ack;		/* TCP */
	__u16	ip_check;	/* IPv4 */
	__u16	port;		/* TCP, UDP: source port; ICMP: id */
	__u16	l4_check;
	__u16	pad;
};
_Static_assert(sizeof(struct bench_flow) == 16, "four flows are one cache line");

/* Where these bytes are in the frame; 0: this kind of packet has no such field. */
struct bench_layout {
	__u16	len;		/* of the frame */
	__u16	random;		/* 1: each packet is of another flow; 0: the frame as it is */
	__u16	addr;
	__u16	ack;
	__u16	ip_check;
	__u16	port;
	__u16	l4_check;
	__u16	pad;
};
_Static_assert(sizeof(struct bench_layout) == 16, "struct bench_layout");

/* Which program follows, by slot of the program array. There is one wrapper for each, all alike. */
enum bench_slot {
	BENCH_EMPTY = 0,	/* returns at once: what restoring costs, and the harness */
	BENCH_SUBJECT,		/* ndiv's entry */
	BENCH_BARE,		/* a program without ndiv that does the same */
	BENCH_SLOTS,
};

#endif

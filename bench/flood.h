/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flood.h - what flood.bpf.c and its user side (attack.c) share
 */
#ifndef BENCH_FLOOD_H
#define BENCH_FLOOD_H

#include <linux/types.h>

#define FLOOD_SHAPES	40	/* kinds of frames that take turns */
#define FLOOD_WORDS	5
#define FLOOD_FRAME_MAX	1520
#define FLOOD_BURST	64	/* frames that are sent without a pause */

/* Four bytes that are others in each frame, where <mask> has bits: the template has none there. */
struct flood_word {
	__u16	off;		/* 0: none, and no more of them */
	__u8	in_ip;		/* the sum of the IPv4 header has them */
	__u8	in_l4;		/* that of the transport has them */
	__be32	mask;
};

struct flood_shape {
	__u16	len;		/* bytes of the frame */
	__u16	ip_sum, l4_sum;	/* where the checksums are; 0: nowhere */
	__u16	ip_base, l4_base; /* of the template, inverted */
	__u16	pad[3];
	struct flood_word word[FLOOD_WORDS];
	__u8	frame[FLOOD_FRAME_MAX];
};
_Static_assert(sizeof(struct flood_shape) == 1576, "struct flood_shape");

struct flood_conf {
	__u64	gap;		/* ns from burst to burst; 0: as fast as it goes */
	__u32	shapes;
	__u32	len;		/* of the longest: so long is each frame that comes */
	__u32	dry;		/* all that it takes, but nothing is sent */
	__u32	seed;		/* another one, other addresses */
	__u32	far;		/* sources are flood_far() */
	__u32	pad;
};
_Static_assert(sizeof(struct flood_conf) == 32, "struct flood_conf");

/* What the frames' sources have in common, in host byte order; the client's own addresses are others. */
#define FLOOD_NET4	0xc6120000U	/* 198.18.0.0/15: made for it (RFC 2544) */
#define FLOOD_MASK4	0xfffe0000U
#define FLOOD_NET6	0x20010db8U	/* 2001:db8::/32 */

#define FLOOD_MANY	(1U << 20)

/* One of so many sources, by number: anywhere in IPv4, in host byte order. */
static inline __u32 flood_far(__u32 n)
{
	return (n % FLOOD_MANY + 1) * 2654435761U;
}

struct flood_count {
	__u64	answers;	/* to frames of ours, that came back to the client's end */
};

#endif

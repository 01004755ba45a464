/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gen.h - what gen.bpf.c and its loader share
 */
#ifndef BENCH_GEN_H
#define BENCH_GEN_H

#include <linux/types.h>

#define GEN_FRAME_MAX	2048

struct gen_conf {
	__u32	len;		/* of the frame */
	__u32	back[3];	/* its first 12 bytes when it comes back: MAC addresses */
	__u32	number;		/* where each frame gets its number, of 64 bits; 0: nowhere */
	__u32	mixed;		/* by their numbers, frames have all of their bytes or less: gen_cut() */
};

#define GEN_SHORT	60
#define GEN_MIDDLE	590

/* How many of <len> bytes frame <n> lacks, of every three. */
static inline __u32 gen_cut(__u64 n, __u32 len)
{
	__u32 keep = n % 3 == 0 ? GEN_SHORT : n % 3 == 1 ? GEN_MIDDLE : len;

	return keep < len ? len - keep : 0;
}

struct gen_count {
	__u64	back;		/* frames of ours that came back */
};

#endif

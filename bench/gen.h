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
};

struct gen_count {
	__u64	back;		/* frames of ours that came back */
};

#endif

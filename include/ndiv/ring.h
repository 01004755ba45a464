/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * ring.h - what a capture's programs and its reader share: rings of finished pcapng blocks
 *
 * There is one ring for each CPU, all of them values of one memory-mapped array. The programs of that CPU write
 * enhanced packet blocks, one behind the other; the reader hands them on as they are. A block is never cut in two: the
 * one that reaches or crosses <size> is the last of its lap, and ends in the slack behind; the next one is at 0 again.
 *
 * A position is lap << 32 | offset. The writer is at most one lap ahead. (k) and (u) as in abi.h.
 *
 * A flight recorder's rings are gone around without a reader, and old blocks are written over. Who wants what is there
 * copies it, and has to find a block to begin with. So the ring is divided into NDIV_RING_MARKS parts, and a mark tells
 * for each of them where the first block begins that begins there. A position is good as long as the writer has not
 * come to it again: it says beforehand how far it may write, in <reach>.
 *
 * With the card's clock, blocks still bear the host's time, by which the rings are merged: clocks of cards tell nothing
 * about when a ring that is empty will have something. The card's time waits where a block ends: in place of the two
 * words that are known beforehand (end of options, and the length once more). The reader puts it where it belongs.
 */
#ifndef NDIV_RING_H
#define NDIV_RING_H

#include <linux/types.h>
#include <ndiv/abi.h>

/*
 * Where packets are captured; each point is an interface of the file. With the card's clock, each is two: <interface>
 * is of those packets for which the card gave a time, and the one as many further on as there are points, of the
 * others.
 */
enum ndiv_point {
	NDIV_POINT_RX = 0,	/* as the driver hands them in, before the handlers */
	NDIV_POINT_VERDICT,	/* behind the handlers, with what became of them */
	NDIV_POINT_TX,		/* what the local stack sends */
	NDIV_POINTS,
};

struct ndiv_ring_count {
	__u64	seen;		/* (k) packets that came to the point */
	__u64	rejected;	/* (k) which the filter did not want */
	__u64	skipped;	/* (k) which the filter wanted, and sampling or the rate left out */
	__u64	lost;		/* (k) for which the ring had no room */
	__u64	told;		/* (k) of the lost ones: told in the blocks written so far */
};

#define NDIV_RING_MARKS	64

#define NDIV_RING_BUSY	1U	/* in head: a block is being written, whose time is not older than this */

struct ndiv_ring {
	__u64	head;		/* (k) where the next block will be, and NDIV_RING_BUSY */
	__u32	end[2];		/* (k) where the last block of a lap ends, by the lowest bit of its number */
	__u64	reach;		/* (k) of a recorder: nothing is written from here on */
	__u64	pad1[5];
	__u64	tail;		/* (u) where the reader is: in a cache line of its own */
	__u64	pad2[7];
	__u64	seen_tail;	/* (k) tail, when it was last looked at */
	struct ndiv_ring_count count[NDIV_POINTS];
	__u64	mark[NDIV_RING_MARKS]; /* (k) of a recorder: positions of blocks */
};
NDIV_ASSERT(sizeof(struct ndiv_ring) == 768, "struct ndiv_ring is twelve cache lines");

/* The blocks: <size> bytes and the slack, behind the counters. */
static inline __u8 *ndiv_ring_data(struct ndiv_ring *ring)
{
	return (__u8 *)(ring + 1);
}

/* Bytes of a block besides the packet, at most; and so the slack behind <size>, with the longest packet. */
#define NDIV_BLOCK_EXTRA	352

/*
 * What a verdict was, as an option of the block: a comment, its text padded with zeros to four bytes. By
 * the number of abi.h, NDIV_OUTCOME(). A packet whose outcome has <len> 0 is not wanted.
 */
#define NDIV_COMMENT_LEN	60

struct ndiv_comment {
	__u16	code;		/* 1 */
	__u16	len;		/* of the text */
	char	text[NDIV_COMMENT_LEN];
};
NDIV_ASSERT(sizeof(struct ndiv_comment) == 64, "struct ndiv_comment is a cache line");

#define NDIV_OUTCOMES		1024

/*
 * The same with a rule of shield's policy, by the number that shield leaves in struct ndiv_pkt: in place of the other
 * one, where the outcome is the one that it is for. <len> 0: there is no such rule.
 */
#define NDIV_RULES		2048
#define NDIV_RULE_COMMENT_LEN	252	/* a power of 2, less 4: the verifier has to see it */

struct ndiv_rule_comment {
	__u32	outcome;
	__u16	code;		/* 1 */
	__u16	len;
	char	text[NDIV_RULE_COMMENT_LEN];
};
NDIV_ASSERT(sizeof(struct ndiv_rule_comment) == 260, "struct ndiv_rule_comment");

/* Set before the programs are loaded, constants for them. */
struct ndiv_tap_conf {
	__u32	size;		/* of a ring: a power of 2 */
	__u32	snaplen;	/* bytes of a packet that are kept, at most */
	__u64	epoch;		/* ns to be added to the clock of the kernel for time since 1970 */
	__u32	coarse;		/* take the coarse clock */
	__u32	barrier;	/* the CPU needs a barrier between block and head */
	__u32	ids;		/* number the packets: 1 if more than one point of the receive path is captured */
	__u32	interface[NDIV_POINTS]; /* number of the point's interface in the file */
	__u32	sample;		/* so many of 2^32 packets are kept, at random; 0: all */
	__u32	mark_shift;	/* 2^n bytes are one part of a recorder's ring; 0: it has a reader, who is waited for */
	__u64	key;		/* of that choice */
	__u64	gap, depth;	/* at most so many packets a second, of all CPUs: struct ndiv_limit; 0: no limit */
	__u32	card;		/* take the card's clock; a block ends with its time, 0: it gave none */
	__u32	pad;
};
NDIV_ASSERT(sizeof(struct ndiv_tap_conf) == 80, "struct ndiv_tap_conf");

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ban.h - the table of bans, as libndiv makes it, and both sides read and write it
 *
 * An array map in the only slot of the array of maps shield_bans: none, and nothing is banned. Its first line is the
 * head, all others are buckets of four bans. A keyed hash of the address leads to two of them. A ban is in the first
 * one, or, if that was full, in the second one; then the first one says until when it has to be looked for there. So an
 * address costs one line, rarely two.
 *
 * What is banned is the first bits of an address: up to 32 of IPv4, up to 64 of IPv6, of which the last 64 are the
 * host's own choice. All lengths that there are have to be looked for: that of hosts, and up to three others. Each says
 * until when there are bans of it, so that those of which all have ended cost nothing.
 *
 * A ban whose time is over is a free place: nothing ever has to be removed. Who writes one takes its place first, by
 * BAN_BUSY for its end; the end is written last, and read first.
 *
 * The address is 64 bits, an IPv4 one the first 32 of them. Ends are ticks of shield's clock: 256 ms.
 */
#ifndef NDIV_SHIELD_BAN_H
#define NDIV_SHIELD_BAN_H

#include "table.h"

#define BAN_MAGIC	0x736e6162U
#define BAN_SLOTS	4		/* of a bucket */
#define BAN_LENGTHS	4		/* of a family: the first one is that of hosts */
#define BAN_TICK_SHIFT	8		/* ms */
#define BAN_FREE	0U		/* ends: there never was a ban */
#define BAN_BUSY	1U		/* being written; over, for all others */
#define BAN_FOREVER	(~0U)
#define BAN_LINE_MAX	0xffffU		/* and all lines behind it */

/* What <addr> is: the family, and how many bits of it. */
#define BAN_SHAPE(v6, len)	((__u8)((v6) << 7 | (len)))
#define BAN_SHAPE_V6(shape)	((shape) >> 7 & 1)
#define BAN_SHAPE_LEN(shape)	((shape) & 127)
#define BAN_HOST4		BAN_SHAPE(0, 32)
#define BAN_HOST6		BAN_SHAPE(1, 64)

struct ban_head {
	__u64	key[2];				/* (u) of the hash */
	__u32	until[2][BAN_LENGTHS];		/* by family: the end of the last ban of this length */
	__u8	len[2][BAN_LENGTHS];		/* (u) */
	__u32	mask;				/* (u) buckets less 1: a power of two */
	__u32	magic;
};
_Static_assert(sizeof(struct ban_head) == 64, "struct ban_head");

struct ban_bucket {
	__u64	addr[BAN_SLOTS];
	__u32	until[BAN_SLOTS];
	__u16	line[BAN_SLOTS];		/* of the policy whose rule has set it; 0: a person has */
	__u8	shape[BAN_SLOTS];
	__u32	more;				/* until when bans of this bucket are in their second one */
};
_Static_assert(sizeof(struct ban_bucket) == 64, "struct ban_bucket");

/* One ban, by itself. */
struct ban {
	__u64	addr;
	__u32	until;
	__u16	line;
	__u8	shape;
};

#define BAN_READ(x)	(*(const volatile __typeof__(x) *)&(x))
#define BAN_WRITE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))

/* Where <hash> leads to: the first bucket (0) or the second one (1), which is another. */
static SHIELD_INLINE __u32 ban_bucket_of(__u64 hash, __u32 mask, int second)
{
	__u32 a = hash & mask, b = hash >> 32 & mask;

	if (!second)
		return a;
	return a == b ? b ^ 1 : b;
}

static SHIELD_INLINE int ban_same(const struct ban_bucket *b, __u32 i, __u64 addr, __u8 shape)
{
	return BAN_READ(b->addr[i]) == addr && BAN_READ(b->shape[i]) == shape;
}

/* Is it banned in bucket <b>? The slot, or below 0. */
static SHIELD_INLINE int ban_find(const struct ban_bucket *b, __u64 addr, __u8 shape, __u32 tick)
{
	__u32 i;

	for (i = 0; i < BAN_SLOTS; i++)
		if (BAN_READ(b->until[i]) > tick && ban_same(b, i, addr, shape))
			return i;
	return -1;
}

#define BAN_YIELDS_ALL	(~0U)

/*
 * How readily a ban of end <until>, set by <line>, makes room for an automatic one: 0: it stays, a person has set it;
 * BAN_YIELDS_ALL: its time is over; else the sooner it ends the more.
 */
static SHIELD_INLINE __u32 ban_yields(__u32 until, __u16 line, __u32 tick)
{
	if (until == BAN_BUSY)
		return 0;
	if (until <= tick)
		return BAN_YIELDS_ALL;
	return line ? ~until | 1 : 0;
}

/* Takes slot <i>, if it still yields: 0, or below 0. */
static SHIELD_INLINE int ban_take(struct ban_bucket *b, __u32 i, __u32 tick)
{
	__u32 until = BAN_READ(b->until[i]);

	if (!ban_yields(until, BAN_READ(b->line[i]), tick))
		return -1;
	return __sync_val_compare_and_swap(&b->until[i], until, BAN_BUSY) == until ? 0 : -1;
}

/* Writes a slot that was taken. */
static SHIELD_INLINE void ban_write(struct ban_bucket *b, __u32 i, const struct ban *ban)
{
	BAN_WRITE(b->addr[i], ban->addr);
	BAN_WRITE(b->line[i], ban->line);
	BAN_WRITE(b->shape[i], ban->shape);
	__asm__ volatile("" ::: "memory");
	BAN_WRITE(b->until[i], ban->until);
}

/* <*at> is <until> at least. Those who are in the way raise it, too, so a few tries are enough. */
static SHIELD_INLINE void ban_raise(__u32 *at, __u32 until)
{
	__u32 old;
	int i;

	for (i = 0; i < 4; i++) {
		old = BAN_READ(*at);
		if (old >= until || __sync_val_compare_and_swap(at, old, until) == old)
			return;
	}
	if (BAN_READ(*at) < until)
		BAN_WRITE(*at, until);
}

static SHIELD_INLINE __u32 ban_tick(__u64 ms)
{
	return ms >> BAN_TICK_SHIFT;
}

#endif

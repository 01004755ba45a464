/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * block.h - writes pcapng blocks into this CPU's ring (ring.h)
 *
 *	block_begin()	room for the longest form of the block; the head says that it is busy, then the clock is read
 *	...		the packet's bytes, then options, in any number
 *	block_end()	the block's length in front and at the end; the head moves, and the reader sees it
 *
 * In between, nothing of it is visible. One CPU has one ring for all points: none of their programs interrupts another
 * one; should it ever, the one that finds the ring busy counts its packet as lost.
 */
#ifndef NDIV_BLOCK_H
#define NDIV_BLOCK_H

#include <ndiv/handler.h>
#include <ndiv/limit.h>
#include <ndiv/ring.h>

const volatile struct ndiv_tap_conf tap_conf SEC(".rodata.tap") = { .size = 1 << 16, .snaplen = 1 << 12 };

/* The loader sets the real number of entries, and the size of a value. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct ndiv_ring) + (1 << 16) + (1 << 12) + NDIV_BLOCK_EXTRA);
} ndiv_rings SEC(".maps");

/* Enhanced packet block, of the pcapng format: bytes of its fixed part, and where its length is in it. */
#define EPB_TYPE	6
#define EPB_HEAD	28
#define EPB_LEN		4

/* Its options. */
enum {
	EPB_FLAGS	= 2,
	EPB_DROPCOUNT	= 4,
	EPB_PACKETID	= 5,
	EPB_QUEUE	= 6,
	EPB_VERDICT	= 7,
};

#define EPB_INBOUND	1
#define EPB_OUTBOUND	2
#define EPB_TSO		(1U << 11)

/* What the options of a block take, at most: flags, queue, id, verdict, comment, losses; end, and length behind it. */
_Static_assert(EPB_HEAD + 8 + 8 + 12 + 16 + sizeof(struct ndiv_rule_comment) + 12 + 4 + 4 <= NDIV_BLOCK_EXTRA, "block");

struct block {
	struct ndiv_ring *ring;
	struct ndiv_ring_count *count;
	__u64	head;			/* where it begins */
	__u32	at;			/* bytes so far */
	__u64	stamp;			/* of the card; 0: none */
};

/* This CPU's ring, and the counters of <point>, which is a constant. One packet more has come to it. */
static __always_inline int block_ring(struct block *b, __u32 point)
{
	__u32 cpu = bpf_get_smp_processor_id();

	b->ring = bpf_map_lookup_elem(&ndiv_rings, &cpu);
	if (!b->ring)
		return -1;
	b->count = &b->ring->count[point];
	b->count->seen++;
	b->stamp = 0;
	return 0;
}

/*
 * Is the packet of this number one of those that are kept? It looks random, but numbers decide: so that a packet which
 * has the same one at two points is kept at both of them, or at none.
 */
static __always_inline int is_sampled(struct block *b, __u64 number)
{
	__u64 x = (number ^ tap_conf.key) * 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	if (!tap_conf.sample || (__u32)(x >> 32) < tap_conf.sample)
		return 1;
	b->count->skipped++;
	return 0;
}

/* Packets that may be copied; shared by all CPUs, who only read it as long as it is empty. */
__u64 tap_bucket SEC(".data.bucket") __attribute__((aligned(64))) = 0;

/* Is there a rate, and does it leave the packet out? */
static __always_inline int is_too_much(struct block *b)
{
	struct ndiv_limit limit = { .gap = tap_conf.gap, .depth = tap_conf.depth };

	if (!tap_conf.gap || ndiv_limit_take(&tap_bucket, &limit, ndiv_limit_now()))
		return 0;
	b->count->skipped++;
	return 1;
}

/* Pointer to <at> bytes behind the beginning of the block: always within the ring and its slack. */
static __always_inline void *block_at(const struct block *b, __u32 at)
{
	__u32 off = b->head & (tap_conf.size - 4);

	barrier_var(off);
	off &= tap_conf.size - 4;
	return ndiv_ring_data(b->ring) + off + at;
}

static __always_inline void put32(struct block *b, __u32 value)
{
	*(__u32 *)block_at(b, b->at) = value;
	b->at += 4;
}

/* The head of an option. */
static __always_inline __u32 option(__u16 code, __u16 len)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? code | (__u32)len << 16 : len | (__u32)code << 16;
}

/* An option of one number of 64 bits, whose bytes are in the order of this machine. */
static __always_inline void put_option64(struct block *b, __u16 code, __u64 value)
{
	int little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	put32(b, option(code, 8));
	put32(b, little ? value : value >> 32);
	put32(b, little ? value >> 32 : value);
}

static __always_inline void put_option32(struct block *b, __u16 code, __u32 value)
{
	put32(b, option(code, 4));
	put32(b, value);
}

/* Is there room for <need> bytes? The reader's cache line is touched only if there seems to be none. */
static __always_inline int has_room(struct block *b, __u32 need)
{
	struct ndiv_ring *ring = b->ring;
	__u32 lap = b->head >> 32, off = b->head;

	if (lap == (__u32)(ring->seen_tail >> 32) || off + need <= (__u32)ring->seen_tail)
		return 1;
	ring->seen_tail = *(volatile __u64 *)&ring->tail;
	return lap == (__u32)(ring->seen_tail >> 32) || off + need <= (__u32)ring->seen_tail;
}

/* Of a recorder: from here on, blocks up to <to> may be written over. */
static __always_inline void announce(struct ndiv_ring *ring, __u64 to)
{
	if (tap_conf.barrier)
		__sync_lock_test_and_set(&ring->reach, to);
	else
		*(volatile __u64 *)&ring->reach = to;
	barrier();
}

static __always_inline __u64 now(void)
{
	return tap_conf.epoch + (tap_conf.coarse ? bpf_ktime_get_coarse_ns() : bpf_ktime_get_ns());
}

/*
 * Begins the block of a packet of <len> bytes, of which <captured> are kept (1 to snaplen). 0, or -1: it is lost, and
 * counted.
 */
static __always_inline int block_begin(struct block *b, __u32 point, __u32 captured, __u32 len)
{
	struct ndiv_ring *ring = b->ring;
	__u64 time;

	b->head = ring->head;
	if (b->head & NDIV_RING_BUSY || (!tap_conf.mark_shift && !has_room(b, captured + NDIV_BLOCK_EXTRA))) {
		b->count->lost++;
		return -1;
	}
	if (tap_conf.mark_shift)
		announce(ring, b->head + captured + NDIV_BLOCK_EXTRA);
	*(volatile __u64 *)&ring->head = b->head | NDIV_RING_BUSY;
	time = now();
	b->at = 0;
	put32(b, EPB_TYPE);
	put32(b, 0);
	put32(b, tap_conf.interface[point]);
	put32(b, time >> 32);
	put32(b, time);
	put32(b, captured);
	put32(b, len);
	return 0;
}

/* Where the packet's bytes belong: <captured> of them, and zeros to the next word. */
static __always_inline void *block_data(struct block *b, __u32 captured)
{
	*(__u32 *)block_at(b, EPB_HEAD + ((captured - 1) & ~3U)) = 0;
	b->at = EPB_HEAD + ((captured + 3) & ~3U);
	return block_at(b, EPB_HEAD);
}

/* The packet could not be read after all. */
static __always_inline void block_cancel(struct block *b)
{
	*(volatile __u64 *)&b->ring->head = b->head;
	b->count->lost++;
}

/* <lost> of the packets before are told in this block. */
static __always_inline void put_losses(struct block *b)
{
	__u64 lost = b->count->lost - b->count->told;

	if (!lost)
		return;
	b->count->told += lost;
	put_option64(b, EPB_DROPCOUNT, lost);
}

static __always_inline void publish(struct ndiv_ring *ring, __u64 head)
{
	if (tap_conf.barrier)
		__sync_lock_test_and_set(&ring->head, head);
	else
		*(volatile __u64 *)&ring->head = head;
}

/* The next block begins at <next>: is it the first one in its part of the ring? */
static __always_inline void put_mark(const struct block *b, __u64 next)
{
	__u32 part = (__u32)next >> (tap_conf.mark_shift & 31);

	if (tap_conf.mark_shift && (b->head ^ next) >> (tap_conf.mark_shift & 31))
		*(volatile __u64 *)&b->ring->mark[part & (NDIV_RING_MARKS - 1)] = next;
}

/* End of options, and the block's length: or the card's time until it is read (ring.h). */
static __always_inline void put_end(struct block *b)
{
	__u32 len = b->at + 8;

	put32(b, tap_conf.card ? b->stamp >> 32 : 0);
	put32(b, tap_conf.card ? b->stamp : len);
	*(__u32 *)block_at(b, EPB_LEN) = len;
}

static __always_inline void block_end(struct block *b)
{
	struct ndiv_ring *ring = b->ring;
	__u32 lap = b->head >> 32, end;
	__u64 next;

	put_losses(b);
	put_end(b);
	end = (__u32)b->head + b->at;
	next = (__u64)lap << 32 | end;
	if (end >= tap_conf.size) {
		*(volatile __u32 *)&ring->end[lap & 1] = end;
		next = (__u64)(lap + 1) << 32;
	}
	publish(ring, next);
	put_mark(b, next);
}

#endif

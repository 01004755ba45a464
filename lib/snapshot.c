// SPDX-License-Identifier: GPL-2.0-only
/*
 * snapshot.c - what the rings of a flight recorder hold, copied while they go on
 *
 * First the copy, then the question how far the writer has come meanwhile: what it may have written over is not used.
 * Of the rest, the first block is found by the marks (ring.h). So at most one part of NDIV_RING_MARKS is given away.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "internal.h"

static __u32 lap_of(__u64 pos)
{
	return pos >> 32;
}

static __u32 off_of(__u64 pos)
{
	return pos;
}

/* Is the block at <pos> still there when the writer is, or may be, at <writer>? */
static int is_there(__u64 pos, __u64 writer)
{
	if (lap_of(pos) == lap_of(writer))
		return 1;
	return lap_of(pos) + 1 == lap_of(writer) && off_of(pos) >= off_of(writer);
}

/* The oldest block before <head> that is still there; <head> itself if none is. */
static __u64 oldest_block(const struct ndiv_ring *ring, __u64 head, __u64 writer)
{
	__u64 best = head, pos;
	int i;

	for (i = 0; i < NDIV_RING_MARKS; i++) {
		pos = __atomic_load_n(&ring->mark[i], __ATOMIC_RELAXED);
		if (pos < best && is_there(pos, writer))
			best = pos;
	}
	return best;
}

/* How far the writer may have come. */
static __u64 writer_at(const struct ndiv_ring *ring)
{
	__u64 reach, head;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	reach = __atomic_load_n(&ring->reach, __ATOMIC_ACQUIRE);
	head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) & ~(__u64)NDIV_RING_BUSY;
	return reach > head ? reach : head;
}

/* The blocks of this lap, and those of the lap before that are behind them. */
static void copy_blocks(const struct ndiv_capture *cap, struct ndiv_ring *from, struct ndiv_ring *to, __u64 head)
{
	__u32 off = off_of(head), lap = lap_of(head), end = 0;
	__u32 limit = cap->conf.size + cap->conf.snaplen + NDIV_BLOCK_EXTRA;

	if (lap)
		end = __atomic_load_n(&from->end[(lap - 1) & 1], __ATOMIC_RELAXED);
	to->head = head;
	to->end[(lap - 1) & 1] = end;
	if (end > off && end <= limit)
		memcpy(ndiv_ring_data(to) + off, ndiv_ring_data(from) + off, end - off);
	memcpy(ndiv_ring_data(to), ndiv_ring_data(from), off);
}

/* Of packets since <since>; the oldest one's time is <*first>. */
static int take_ring(const struct ndiv_capture *cap, struct ndiv_capture *snap, int cpu, __u64 since, __u64 *first)
{
	struct ndiv_ring *from = cap->reader[cpu].ring;
	__u64 head = __atomic_load_n(&from->head, __ATOMIC_ACQUIRE) & ~(__u64)NDIV_RING_BUSY;
	struct ndiv_ring *to = (struct ndiv_ring *)((char *)snap->map + cpu * capture_ring_bytes(cap));
	struct reader *r = &snap->reader[cpu];

	memcpy(to->count, from->count, sizeof(to->count));
	copy_blocks(cap, from, to, head);
	r->ring = to;
	r->pos = oldest_block(from, head, writer_at(from));
	return reader_skip(snap, r, since, first);
}

static struct ndiv_capture *allocate(const struct ndiv_capture *cap)
{
	struct ndiv_capture *snap = calloc(1, sizeof(*snap));

	if (!snap)
		return NULL;
	snap->nd = cap->nd;
	snap->opts = cap->opts;
	snap->conf = cap->conf;
	snap->start = cap->start;
	snap->stopped = 1;
	snap->link = snap->taps = snap->tx_link = -1;
	snap->filter[0] = snap->filter[1] = snap->filter[2] = -1;
	snap->cpus = cap->cpus;
	memcpy(snap->ifname, cap->ifname, sizeof(snap->ifname));
	snap->map_len = cap->map_len;
	snap->map = mmap(NULL, snap->map_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	snap->reader = calloc(snap->cpus, sizeof(*snap->reader));
	if (snap->map != MAP_FAILED && snap->reader)
		return snap;
	ndiv_capture_close(snap);
	return NULL;
}

int ndiv_capture_snapshot(struct ndiv_capture **out, const struct ndiv_capture *cap, uint64_t ms)
{
	__u64 now = capture_clock(cap), since = ms && ms < now / 1000000 ? now - ms * 1000000 : 0;
	__u64 oldest = ~0ULL, first;
	struct ndiv_capture *snap;
	int i, err = 0;

	if (!cap->conf.mark_shift)
		return -EINVAL;
	snap = allocate(cap);
	if (!snap)
		return -ENOMEM;
	for (i = 0; i < cap->cpus && !err; i++) {
		err = take_ring(cap, snap, i, since, &first);
		if (first < oldest)
			oldest = first;
	}
	snap->span = oldest < now ? now - oldest : 0;
	if (err)
		ndiv_capture_close(snap);
	else
		*out = snap;
	return err;
}

uint64_t ndiv_capture_span(const struct ndiv_capture *snapshot)
{
	return snapshot->span;
}

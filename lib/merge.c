// SPDX-License-Identifier: GPL-2.0-only
/*
 * merge.c - reads the rings of a capture, in the order of time over all CPUs
 *
 * A CPU's blocks are in order by themselves. The earliest of all may be handed out once no other ring can still bring
 * an earlier one. A ring that is empty can bring none that is older than now, unless a block is being written into it
 * just now: then none that is older than its last one. So the order is right without waiting for a fixed time; only if
 * a ring is getting full, its blocks go out whatever the others may bring.
 */
#include <string.h>
#include "internal.h"

#define MARGIN_NS	10000	/* that the clocks of CPUs, and what they see of each other, may differ at most */
#define FULL(size)	((size) / 4 * 3)

static __u32 lap_of(__u64 pos)
{
	return pos >> 32;
}

static __u32 off_of(__u64 pos)
{
	return pos;
}

/* Bytes between two positions, not more than a lap apart. */
static __u32 distance(const struct ndiv_capture *cap, __u64 from, __u64 to)
{
	return off_of(to) - off_of(from) + (lap_of(to) == lap_of(from) ? 0 : cap->conf.size);
}

/* Bytes that wait in the ring. */
__u64 ring_used(const struct ndiv_capture *cap, const struct reader *r)
{
	__u64 head = __atomic_load_n(&r->ring->head, __ATOMIC_RELAXED) & ~(__u64)NDIV_RING_BUSY;

	if (cap->conf.mark_shift)
		return lap_of(head) ? cap->conf.size : off_of(head);
	return distance(cap, __atomic_load_n(&r->ring->tail, __ATOMIC_RELAXED), head);
}

static void look_at(const struct ndiv_capture *cap, struct reader *r)
{
	__u64 head = __atomic_load_n(&r->ring->head, __ATOMIC_ACQUIRE);

	r->busy = !cap->stopped && head & NDIV_RING_BUSY;
	r->limit = head & ~(__u64)NDIV_RING_BUSY;
}

/*
 * Looks how far each ring is. Returns the time before which nothing new can come into a ring that was idle. Where
 * nothing is captured any more, that is the end of time.
 */
static __u64 look(struct ndiv_capture *cap)
{
	__u64 now = cap->stopped ? ~0ULL : capture_clock(cap) - MARGIN_NS;
	int i;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (i = 0; i < cap->cpus; i++)
		look_at(cap, &cap->reader[i]);
	return now;
}

/* The reader's next block and the time it bears; NULL: there is none. -EBADMSG in <*err> if it cannot be one. */
static struct epb *peek(const struct ndiv_capture *cap, struct reader *r, __u64 *time, int *err)
{
	struct ndiv_ring *ring = r->ring;
	struct epb *b;
	__u32 end;

	if (r->pos == r->limit)
		return NULL;
	end = lap_of(r->pos) == lap_of(r->limit) ? off_of(r->limit) : ring->end[lap_of(r->pos) & 1];
	b = (struct epb *)(ndiv_ring_data(ring) + off_of(r->pos));
	if (off_of(r->pos) >= cap->conf.size || end <= off_of(r->pos) || b->len % 4 || b->len < sizeof(*b) + 8 ||
	    b->len > end - off_of(r->pos) || end > cap->conf.size + cap->conf.snaplen + NDIV_BLOCK_EXTRA ||
	    b->interface >= NDIV_POINTS) {
		*err = -EBADMSG;
		return NULL;
	}
	*time = (__u64)b->time_high << 32 | b->time_low;
	return b;
}

/* Over <b>, and from the end of a lap to the next one. */
static void advance(struct reader *r, const struct epb *b, __u64 time)
{
	__u32 lap = lap_of(r->pos), off = off_of(r->pos) + b->len;

	r->last = time;
	if (lap != lap_of(r->limit) && off == r->ring->end[lap & 1])
		r->pos = (__u64)(lap + 1) << 32;
	else
		r->pos = (__u64)lap << 32 | off;
}

/*
 * Leaves out what is older than <since>, in a ring that nobody writes into. 0 or -EBADMSG; in <*first> the time of the
 * first block, or the end of time if there is none.
 */
int reader_skip(const struct ndiv_capture *cap, struct reader *r, __u64 since, __u64 *first)
{
	const struct epb *b;
	__u64 time;
	int err = 0;

	look_at(cap, r);
	while ((b = peek(cap, r, &time, &err)) && time < since)
		advance(r, b, time);
	*first = b ? time : ~0ULL;
	return err;
}

/* Before this time nothing comes from <r> any more. */
static __u64 bound(const struct ndiv_capture *cap, struct reader *r, __u64 now, int *err)
{
	__u64 time;

	if (peek(cap, r, &time, err))
		return time;
	return r->busy ? r->last : now;
}

/* The reader whose block is to go out next, and in <*until> the time up to which it may go on; NULL: none may. */
static struct reader *choose(struct ndiv_capture *cap, __u64 now, __u64 *until, int *err)
{
	__u64 best = ~0ULL, second = ~0ULL, t;
	struct reader *first = NULL, *r, *full = NULL;
	int i;

	for (i = 0; i < cap->cpus; i++) {
		r = &cap->reader[i];
		t = bound(cap, r, now, err);
		if (*err)
			return NULL;
		if (distance(cap, r->pos, r->limit) > FULL(cap->conf.size))
			full = r;
		/* of equal ones, the one that has a block */
		if (t < best || (t == best && r->pos != r->limit)) {
			second = best;
			best = t;
			first = r;
		} else if (t < second) {
			second = t;
		}
	}
	if (first && first->pos != first->limit) {
		*until = second;
		return first;
	}
	*until = ~0ULL;
	return full;
}

/* How much may still be handed out. */
struct budget {
	uint64_t packets, bytes;
	int	first;			/* nothing was handed out yet: one block is, however long */
};

static int affords(const struct budget *left, __u32 len)
{
	return left->packets && (left->bytes >= len || left->first);
}

static void spend(struct budget *left, __u32 len)
{
	left->packets--;
	left->bytes -= left->bytes < len ? left->bytes : len;
	left->first = 0;
}

/* A span: what <r> has up to the time <until>, in one piece. 0 bytes: the budget is used up. */
static struct iovec take(struct ndiv_capture *cap, struct reader *r, __u64 until, struct budget *left, int *err)
{
	struct iovec span = { .iov_base = ndiv_ring_data(r->ring) + off_of(r->pos) };
	__u32 lap = lap_of(r->pos);
	struct epb *b;
	__u64 time;

	while (lap_of(r->pos) == lap) {
		b = peek(cap, r, &time, err);
		if (!b || time > until || !affords(left, b->len))
			break;
		spend(left, b->len);
		span.iov_len += b->len;
		if (cap->conf.card)
			card_time(cap, r, b);
		advance(r, b, time);
	}
	return span;
}

int ndiv_capture_read(struct ndiv_capture *cap, struct iovec *iov, int count, uint64_t max_packets,
		      uint64_t max_bytes, uint64_t *packets)
{
	struct budget left = { max_packets ? max_packets : UINT64_MAX, max_bytes ? max_bytes : UINT64_MAX, 1 };
	uint64_t all = left.packets;
	__u64 now = look(cap), until;
	struct reader *r;
	int n = 0, err = 0;

	while (n < count) {
		r = choose(cap, now, &until, &err);
		if (!r)
			break;
		iov[n] = take(cap, r, until, &left, &err);
		if (err || !iov[n].iov_len)
			break;
		n++;
	}
	if (err)
		return err;
	*packets = all - left.packets;
	return n;
}

int ndiv_capture_cpu_read(struct ndiv_capture *cap, int cpu, struct iovec *iov, int count, uint64_t max_bytes,
			  uint64_t *packets)
{
	struct budget left = { UINT64_MAX, max_bytes ? max_bytes : UINT64_MAX, 1 };
	struct reader *r = &cap->reader[cpu];
	int n = 0, err = 0;

	look_at(cap, r);
	while (n < count && r->pos != r->limit) {
		iov[n] = take(cap, r, ~0ULL, &left, &err);
		if (err || !iov[n].iov_len)
			break;
		n++;
	}
	if (err)
		return err;
	*packets = UINT64_MAX - left.packets;
	return n;
}

void ndiv_capture_cpu_release(struct ndiv_capture *cap, int cpu)
{
	struct reader *r = &cap->reader[cpu];

	__atomic_store_n(&r->ring->tail, r->pos, __ATOMIC_RELEASE);
}

void ndiv_capture_release(struct ndiv_capture *cap)
{
	int i;

	for (i = 0; i < cap->cpus; i++)
		ndiv_capture_cpu_release(cap, i);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * stream.c - one reader's file of a capture that has several: blocks of one point, through a buffer of its own
 *
 * A block is changed on the way: its interface is the only one of the file, and what the buffer had no room for is
 * added to what the ring had none for.
 */
#include <stdlib.h>
#include <string.h>
#include "internal.h"

#define EPB_DROPCOUNT	4
#define EPB_HEAD	28
#define DROPCOUNT_LEN	12	/* with the option's head */
#define PCAP_NS		0xa1b23c4dU
#define LINK_ETHERNET	1
#define TAIL		256	/* bytes that are left for what ends the file */

/* Of a pcap file, and of a packet therein. */
struct pcap_head {
	__u32	magic;
	__u16	major, minor;
	__u32	zone, sigfigs, snaplen, link;
};

struct pcap_packet {
	__u32	seconds, ns, captured, original;
};

struct ndiv_stream {
	const struct ndiv_capture *cap;
	enum ndiv_point point;
	enum ndiv_format format;
	__u64	start;			/* time when it was opened */
	struct ndiv_ring_count before;	/* what was counted until then */
	__u64	delivered, lost, told;	/* packets; <told>: of the lost ones, in blocks so far */
	__u64	head, tail;		/* bytes that were put in, and taken out */
	size_t	size;
	char	buf[];
};

/* --- the buffer */

static size_t room(const struct ndiv_stream *st)
{
	return st->size - (st->head - st->tail);
}

/* There is room for it. */
static void put(struct ndiv_stream *st, const void *data, size_t len)
{
	size_t at = st->head % st->size, first = st->size - at < len ? st->size - at : len;

	memcpy(st->buf + at, data, first);
	memcpy(st->buf, (const char *)data + first, len - first);
	st->head += len;
}

size_t ndiv_stream_waiting(const struct ndiv_stream *st)
{
	return st->head - st->tail;
}

size_t ndiv_stream_get(struct ndiv_stream *st, void *buf, size_t len)
{
	size_t at = st->tail % st->size, first;

	if (len > st->head - st->tail)
		len = st->head - st->tail;
	first = st->size - at < len ? st->size - at : len;
	memcpy(buf, st->buf + at, first);
	memcpy((char *)buf + first, st->buf, len - first);
	st->tail += len;
	return len;
}

/* --- blocks */

/* Where the block's options end, in front of their last one: the losses, or the end itself. */
static __u32 options_end(const struct epb *b, __u64 *told)
{
	__u32 off = EPB_HEAD + ((b->captured + 3) & ~3U);
	struct {
		__u16	code, len;
	} o;

	*told = 0;
	while (off + 8 <= b->len) {
		memcpy(&o, (const char *)b + off, sizeof(o));
		if (o.code == EPB_DROPCOUNT)
			memcpy(told, (const char *)b + off + 4, sizeof(*told));
		if (!o.code || o.code == EPB_DROPCOUNT)
			break;
		off += 4 + ((o.len + 3) & ~3U);
	}
	return off;
}

static void put_word(struct ndiv_stream *st, __u32 v)
{
	put(st, &v, sizeof(v));
}

static int put_pcapng(struct ndiv_stream *st, const struct epb *b)
{
	static const __u16 option[] = { EPB_DROPCOUNT, 8 };
	struct epb head = *b;
	__u64 told, lost;
	__u32 end = options_end(b, &told);

	lost = told + st->lost - st->told;
	head.interface = 0;
	head.len = end + (lost ? DROPCOUNT_LEN : 0) + 8;
	if (room(st) < head.len + TAIL)
		return -1;
	put(st, &head, sizeof(head));
	put(st, b + 1, end - sizeof(head));
	if (lost) {
		put(st, option, sizeof(option));
		put(st, &lost, sizeof(lost));
	}
	put_word(st, 0);
	put_word(st, head.len);
	st->told = st->lost;
	return 0;
}

static int put_pcap(struct ndiv_stream *st, const struct epb *b)
{
	__u64 ns = (__u64)b->time_high << 32 | b->time_low;
	struct pcap_packet p = { .seconds = ns / 1000000000, .ns = ns % 1000000000, .captured = b->captured,
				 .original = b->original };

	if (room(st) < sizeof(p) + b->captured)
		return -1;
	put(st, &p, sizeof(p));
	put(st, b + 1, b->captured);
	return 0;
}

static void put_block(struct ndiv_stream *st, const struct epb *b)
{
	int err;

	if (b->interface != st->cap->conf.interface[st->point])
		return;
	err = st->format == NDIV_PCAP ? put_pcap(st, b) : put_pcapng(st, b);
	if (err)
		st->lost++;
	else
		st->delivered++;
}

void ndiv_stream_put(struct ndiv_stream *st, const struct iovec *iov, int count)
{
	const struct epb *b;
	size_t off;
	int i;

	for (i = 0; i < count; i++)
		for (off = 0; off < iov[i].iov_len; off += b->len) {
			b = (const struct epb *)((const char *)iov[i].iov_base + off);
			put_block(st, b);
		}
}

/* --- beginning and end */

static void put_head(struct ndiv_stream *st)
{
	const struct pcap_head pcap = { .magic = PCAP_NS, .major = 2, .minor = 4, .snaplen = st->cap->conf.snaplen,
					.link = LINK_ETHERNET };
	char buf[NDIV_CAPTURE_HEAD];

	if (st->format == NDIV_PCAP)
		put(st, &pcap, sizeof(pcap));
	else
		put(st, buf, capture_head(st->cap, 1U << st->point, buf));
}

int ndiv_stream_open(struct ndiv_stream **out, const struct ndiv_capture *cap, enum ndiv_point point,
		     enum ndiv_format format, size_t size)
{
	struct ndiv_stream *st;

	/* a stream is of one interface, and the card's clock needs two */
	if (point >= NDIV_POINTS || !(cap->opts.points >> point & 1) || cap->conf.card || size < 2 * NDIV_CAPTURE_HEAD)
		return -EINVAL;
	st = malloc(sizeof(*st) + size);
	if (!st)
		return -ENOMEM;
	*st = (struct ndiv_stream){ .cap = cap, .point = point, .format = format, .size = size,
				    .start = capture_clock(cap) };
	capture_count(cap, ALL_CPUS, point, &st->before);
	put_head(st);
	*out = st;
	return 0;
}

void ndiv_stream_end(struct ndiv_stream *st)
{
	struct pcapng_stats s = { .start = st->start, .now = capture_clock(st->cap), .delivered = st->delivered };
	struct ndiv_ring_count now;
	char buf[TAIL];

	if (st->format == NDIV_PCAP)
		return;
	capture_count(st->cap, ALL_CPUS, st->point, &now);
	s.received = now.seen - st->before.seen;
	s.accepted = s.received - (now.rejected - st->before.rejected);
	s.lost = now.lost - st->before.lost + st->lost;
	put(st, buf, pcapng_stats(buf, &s));
}

uint64_t ndiv_stream_lost(const struct ndiv_stream *st)
{
	return st->lost;
}

void ndiv_stream_close(struct ndiv_stream *st)
{
	free(st);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load_answer.h - is it the right answer?
 *
 * The object's size is known, so the body is at the packet's end, and the header in front of it. Every answer is looked
 * at: its status, the line with the length, the header's end, and three places of the body; the TCP checksum covers all
 * of it.
 */
#ifndef BENCH_LOAD_ANSWER_H
#define BENCH_LOAD_ANSWER_H

#include <ndiv/handler.h>
#include "load.h"
#include "load_conn.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "text is compared as little-endian words");

#define HEADER_MAX	1024	/* bytes that are searched for the length */
#define TEXT8(a, b, c, d, e, f, g, h)                                                                                  \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 | (__u64)(f) << 40 |    \
	 (__u64)(g) << 48 | (__u64)(h) << 56)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct load_job);
} load_job SEC(".maps");

static __always_inline struct load_job *job_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&load_job, &zero);
}

/* The number in <lo> and <hi>, 16 characters: blanks, digits, the line's end. -1: it is none. */
static __always_inline __s64 length_of(const struct ndiv_pkt *pkt, __u64 lo, __u64 hi)
{
	__u32 value = 0, digits = 0, i;
	__u8 c;

	for (i = 0; i < 16; i++) {
		value = ndiv_forget(pkt, value, 0xffffff);
		digits = ndiv_forget(pkt, digits, 15);
		c = lo;
		lo = lo >> 8 | hi << 56;
		hi >>= 8;
		if ((__u8)(c - '0') < 10) {
			value = value * 10 + (c - '0');
			if (++digits > 6)
				return -1;
		} else if (digits || (c != ' ' && c != '\t')) {
			return digits && c == '\r' ? value : -1;
		}
	}
	return -1;
}

/* Is <w> "t-length", in upper or lower case? 1 or 0, without a branch: see length_find(). */
static __always_inline __u32 is_length(__u64 w)
{
	__u64 x = (w | TEXT8(' ', 0, ' ', ' ', ' ', ' ', ' ', ' ')) ^ TEXT8('t', '-', 'l', 'e', 'n', 'g', 't', 'h');

	return (x | -x) >> 63 ^ 1;
}

/* Is a line with the length <size> at <off>? */
static __always_inline int length_at(struct xdp_md *ctx, const struct ndiv_pkt *pkt, __u32 off, __u32 size)
{
	const __u64 *p = ndiv_ptr(ctx, off, 17 + 16);
	const __u8 *c = (const __u8 *)p;
	__u64 lo, hi;

	if (!p || !is_length(p[1]) || c[16] != ':' ||
	    (p[0] | TEXT8(0, 0, ' ', ' ', ' ', ' ', ' ', ' ')) != TEXT8('\r', '\n', 'c', 'o', 'n', 't', 'e', 'n'))
		return 0;
	__builtin_memcpy(&lo, c + 17, 8);
	__builtin_memcpy(&hi, c + 25, 8);
	return length_of(pkt, lo, hi) == size;
}

/*
 * Offset in the header of <len> bytes of what may be the line with the length. A function of its own, and without
 * branches: each one would double the verifier's ways.
 */
__noinline int length_find(struct xdp_md *ctx, const struct ndiv_pkt *pkt, __u32 len)
{
	__u32 found = 0, off, i, is;
	const __u64 *p;

	if (!ctx || !pkt)
		return 0;
	off = pkt->payload;
	for (i = 0; i < HEADER_MAX; i++) {
		found = ndiv_forget(pkt, found, HEADER_MAX - 1);
		p = i + 8 < len ? ndiv_ptr(ctx, off + i + 8, sizeof(*p)) : NULL;
		if (!p)
			break;
		is = is_length(*p);
		found = found * (is ^ 1) + i * is;
	}
	return found;
}

/* In the header of <len> bytes: at the place where it was in the last answer, else anywhere. */
static __always_inline int length_check(struct xdp_md *ctx, const struct ndiv_pkt *pkt, struct load_live *live,
					__u32 len, __u32 size)
{
	__u32 i = live->hint & (HEADER_MAX - 1);

	if (i < len && length_at(ctx, pkt, pkt->payload + i, size))
		return 1;
	i = length_find(ctx, pkt, len) & (HEADER_MAX - 1);
	if (!length_at(ctx, pkt, pkt->payload + i, size))
		return 0;
	live->hint = i;
	return 1;
}

/* Eight bytes of the body at <i>. Linux 6.1 has to see the bound, which the compiler knows already, and would leave
 * out. */
static __always_inline int body_is(struct xdp_md *ctx, const struct ndiv_pkt *pkt, const struct load_job *job,
				   __u32 body, __u32 i)
{
	const __u64 *p = ndiv_ptr(ctx, body + i, sizeof(*p));

	i = ndiv_forget(pkt, i, NDIV_OFF_MASK);
	if (!p || i > LOAD_BODY_MAX)
		return 0;
	return *p == *(const __u64 *)(job->body + i);
}

/*
 * 0, or what is wrong with it: a counter. <random>: chooses one of the places in the body.
 */
__noinline int answer_check(struct xdp_md *ctx, const struct ndiv_pkt *pkt, __u32 size, __u32 random)
{
	const __u64 *first;
	const struct load_job *job = job_get();
	struct load_live *live = live_get();
	__u32 len, head, body;
	const __u32 *empty;

	if (!ctx || !pkt || !job || !live || size < LOAD_BODY_MIN || size > LOAD_BODY_MAX)
		return LOAD_WRONG_SHORT;
	len = pkt->end - pkt->payload;
	head = len - size;
	body = pkt->end - size;
	first = ndiv_ptr(ctx, pkt->payload, 16);
	if (!first || len < 16)
		return LOAD_WRONG_SHORT;
	if ((first[0] != TEXT8('H', 'T', 'T', 'P', '/', '1', '.', '1') &&
	     first[0] != TEXT8('H', 'T', 'T', 'P', '/', '1', '.', '0')) ||
	    (first[1] & 0xffffffffffULL) != TEXT8(' ', '2', '0', '0', ' ', 0, 0, 0))
		return LOAD_WRONG_STATUS;
	if (len < size + 16)
		return LOAD_WRONG_SHORT;
	empty = ndiv_ptr(ctx, body - 4, sizeof(*empty));
	if (!empty || *empty != ('\r' | '\n' << 8 | '\r' << 16 | '\n' << 24))
		return LOAD_WRONG_HEADER;
	if (!length_check(ctx, pkt, live, head, size))
		return LOAD_WRONG_HEADER;
	random = (__u64)(random * 0x9e3779b1) * (size - 7) >> 32;
	if (!body_is(ctx, pkt, job, body, 0) || !body_is(ctx, pkt, job, body, size - 8) ||
	    !body_is(ctx, pkt, job, body, random))
		return LOAD_WRONG_BODY;
	return 0;
}

#endif

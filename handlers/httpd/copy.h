/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * copy.h - short copies, word by word
 *
 * The kernel's helpers copy by one instruction ("rep movsb") on CPUs that have it, which takes some 20 ns to begin
 * with. So they are for what is long.
 */
#ifndef NDIV_HTTPD_COPY_H
#define NDIV_HTTPD_COPY_H

#include <ndiv/handler.h>

#define COPY_UNIT	32	/* bytes at a time */
#define COPY_MAX	512	/* bytes that are copied so; a multiple of COPY_LONG */
#define COPY_LONG	128	/* or so many at a time */

/* <len> bytes, a constant and a multiple of 8. */
static __always_inline void copy_words(void *to, const void *from, __u32 len)
{
	const __u64 *f = from;
	__u64 *t = to;
	__u32 i;

#pragma unroll
	for (i = 0; i < len / 8; i++)
		t[i] = f[i];
}

/*
 * Copies <len> bytes, a multiple of COPY_UNIT and up to COPY_MAX, from <from>, where COPY_MAX bytes are, to offset
 * <off> of the frame. 0, or below 0.
 */
static __always_inline int put_units(const struct ndiv_frame *frame, __u32 off, const void *from, __u32 len)
{
	__u32 at = 0, i;
	void *p;

	for (i = 0; i < COPY_MAX / COPY_LONG && len - at >= COPY_LONG; i++) {
		barrier_var(at);
		at &= COPY_MAX - COPY_LONG;
		p = ndiv_frame_ptr(frame, off + at, COPY_LONG);
		if (!p)
			return -1;
		copy_words(p, from + at, COPY_LONG);
		at += COPY_LONG;
	}
	for (i = 0; i < COPY_LONG / COPY_UNIT && at < len; i++) {
		barrier_var(at);
		at &= COPY_MAX - COPY_UNIT;
		p = ndiv_frame_ptr(frame, off + at, COPY_UNIT);
		if (!p)
			return -1;
		copy_words(p, from + at, COPY_UNIT);
		at += COPY_UNIT;
	}
	return at < len ? -1 : 0;
}

/* Copies <len> bytes, COPY_UNIT to COPY_MAX, at <off> of the packet to <to>. 0; below 0: not in its linear part. */
static __always_inline int take_bytes(struct xdp_md *ctx, const struct ndiv_pkt *pkt, __u32 off, char *to, __u32 len)
{
	__u32 last = len - COPY_UNIT, at = 0, i;
	const void *p;

	if (last > COPY_MAX - COPY_UNIT)
		return -1;
	for (i = 0; i < COPY_MAX / COPY_UNIT; i++) {
		at = ndiv_forget(pkt, at, COPY_MAX - 1);
		p = ndiv_ptr(ctx, off + at, COPY_UNIT);
		if (!p)
			return -1;
		copy_words(to + at, p, COPY_UNIT);
		if (at == last)
			return 0;
		/* the last ones once more, as far as they are no whole unit */
		at += COPY_UNIT;
		if (at > last)
			at = last;
	}
	return -1;
}

#endif

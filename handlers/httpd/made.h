/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * made.h - the payload that was made last
 *
 * Of an object's response, whose first segment says the same each time it is asked for: if the last one was the same,
 * it is copied as a whole, and its sum is known. It is kept when it is made the second time: so objects that take turns
 * cost nothing more.
 */
#ifndef NDIV_HTTPD_MADE_H
#define NDIV_HTTPD_MADE_H

#include "copy.h"
#include "httpd.h"

#define MADE_MAX	1536	/* bytes of a payload: what fits an Ethernet frame */

struct made {
	__u64	what;		/* made_what(); 0: nothing yet */
	__u32	rem;
	__u32	len;		/* bytes that are kept, or 0 */
	__u64	sum;		/* of them */
	__u8	bytes[MADE_MAX];
};

/* As all whose names begin so, it is no other build's after a replacement. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct made);
} ndiv_made SEC(".maps");

/* With args->rem, all that the payload of a first segment depends on. */
static __always_inline __u64 made_what(const struct httpd_args *args)
{
	return (__u64)args->first << 32 | (__u32)args->kind << 24 | args->flags << 16 | args->page << 8 | args->pad;
}

static __always_inline struct made *last_made(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ndiv_made, &zero);
}

static __always_inline int is_made(const struct made *m, const struct httpd_args *args)
{
	return m->what == made_what(args) && m->rem == args->rem;
}

/* Copies what is kept to <off>, if it is what <args> asks for. Its sum, or below 0. */
static __always_inline __s64 write_made(const struct ndiv_frame *frame, const struct httpd_args *args, __u32 off)
{
	struct made *m = last_made();

	if (!m || !m->len || !is_made(m, args))
		return -1;
	if (m->len <= COPY_MAX && m->len % COPY_UNIT == 0)
		return put_units(frame, off, m->bytes, m->len) ? -1 : (__s64)m->sum;
	return ndiv_frame_store_max(frame, off, m->bytes, m->len, MADE_MAX) ? -1 : (__s64)m->sum;
}

/* The payload that <args> asks for is at <off>, <len> bytes, whose sum is <sum>: the second time, it is kept. */
static __always_inline void keep_made(const struct ndiv_frame *frame, const struct httpd_args *args, __u32 off,
				      __u32 len, __u64 sum)
{
	struct made *m = last_made();
	__u64 last = (__u64)len - 1;

	if (!m)
		return;
	if (!is_made(m, args)) {
		m->what = made_what(args);
		m->rem = args->rem;
		m->len = 0;
		return;
	}
	barrier_var(last);
	if (last > MADE_MAX - 1)
		return;
	barrier_var(last);
	if (bpf_xdp_load_bytes(frame->xdp, off, m->bytes, last + 1))
		return;
	m->sum = sum;
	m->len = len;
}

#endif

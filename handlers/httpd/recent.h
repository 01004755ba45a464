/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recent.h - has this just been sent?
 *
 * A small table of what acknowledgements were answered last, by their hash. Nothing depends on it but how often a
 * segment is sent: whoever is forgotten, or takes another one's place, is sent a burst twice.
 */
#ifndef NDIV_HTTPD_RECENT_H
#define NDIV_HTTPD_RECENT_H

#include "httpd.h"

#define RECENT_BITS	10
#define RECENT_TICKS	2	/* of the kernel's clock: 8 ms with 250 a second */

struct recent {
	__u32	what;		/* hash of connection, acknowledgement number, and whether it told of a hole */
	__u32	when;		/* low bits of the clock */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1 << RECENT_BITS);
	__type(key, __u32);
	__type(value, struct recent);
} recents SEC(".maps");

/* Asks, and remembers. */
static __always_inline int is_recent(__u64 hash, __u32 ack, int hole)
{
	__u32 i = hash >> (32 - RECENT_BITS) & ((1 << RECENT_BITS) - 1),
	      what = (__u32)(hash >> 16) ^ ack ^ (hole ? 1U << 31 : 0);
	struct recent *r = bpf_map_lookup_elem(&recents, &i);
	__u32 now = bpf_jiffies64();

	if (!r)
		return 0;
	if (r->what == what && now - r->when <= RECENT_TICKS)
		return 1;
	r->what = what;
	r->when = now;
	return 0;
}

#endif

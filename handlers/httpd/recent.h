/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recent.h - has this just been sent?
 *
 * A small table of how far acknowledgements were answered last, by the connection's hash. Nothing depends on it but how
 * often a segment is sent: whoever is forgotten, or takes another one's place, is sent a burst twice. Older ones are
 * not answered either: two that come again and again, in turn, would each make the other one forgotten.
 */
#ifndef NDIV_HTTPD_RECENT_H
#define NDIV_HTTPD_RECENT_H

#include "httpd.h"

#define RECENT_BITS	10
#define RECENT_TICKS	2	/* of the kernel's clock: 8 ms with 250 a second */

struct recent {
	__u32	ack;		/* the highest one */
	__u16	tag;		/* of the connection's hash */
	__u16	when;		/* low bits of the clock */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1 << RECENT_BITS);
	__type(key, __u32);
	__type(value, struct recent);
} recents SEC(".maps");

/* Asks, and remembers. Acknowledgements that tell of a <hole> (0 or 1) have entries of their own. */
static __always_inline int is_recent(__u64 hash, __u32 ack, __u32 hole)
{
	__u32 i = (hash >> (32 - RECENT_BITS) & ((1 << RECENT_BITS) - 2)) | hole;
	struct recent *r = bpf_map_lookup_elem(&recents, &i);
	__u16 now = bpf_jiffies64(), tag = hash >> 48;

	if (!r)
		return 0;
	if (r->tag == tag && (__u16)(now - r->when) <= RECENT_TICKS && (__s32)(ack - r->ack) <= 0)
		return 1;
	r->ack = ack;
	r->tag = tag;
	r->when = now;
	return 0;
}

#endif

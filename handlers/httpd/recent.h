/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recent.h - has this just been sent?
 *
 * A small table of how far acknowledgements were answered last, and where the burst ended that was sent then, by the
 * connection's hash. Nothing depends on it but how often a segment is sent, and how soon: whoever is forgotten, or
 * takes another one's place, is sent a burst twice, or has to ask again. Older ones are not answered either: two that
 * come again and again, in turn, would each make the other one forgotten.
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
	__u32	end;		/* sequence number behind the last burst */
	__u32	unused;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1 << RECENT_BITS);
	__type(key, __u32);
	__type(value, struct recent);
} recents SEC(".maps");

/* Acknowledgements that tell of a <hole> (0 or 1) have entries of their own. */
static __always_inline struct recent *find_recent(__u64 hash, __u32 hole)
{
	__u32 i = (hash >> (32 - RECENT_BITS) & ((1 << RECENT_BITS) - 2)) | hole;

	return bpf_map_lookup_elem(&recents, &i);
}

static __always_inline __u16 recent_tag(__u64 hash)
{
	return hash >> 48;
}

/* Asks, and remembers. */
static __always_inline int is_recent(__u64 hash, __u32 ack, __u32 hole)
{
	struct recent *r = find_recent(hash, hole);
	__u16 now = bpf_jiffies64(), tag = recent_tag(hash);

	if (!r)
		return 0;
	if (r->tag == tag && (__u16)(now - r->when) <= RECENT_TICKS && (__s32)(ack - r->ack) <= 0)
		return 1;
	r->ack = ack;
	r->tag = tag;
	r->when = now;
	r->end = ack;
	return 0;
}

/* A burst that answers the acknowledgement <ack> ends before <end>. */
static __always_inline void remember_burst(__u64 hash, __u32 ack, __u32 end)
{
	struct recent *r = find_recent(hash, 0);

	if (!r)
		return;
	if (r->tag != recent_tag(hash)) {
		r->ack = ack - 1;
		r->tag = recent_tag(hash);
	}
	r->end = end;
}

static __always_inline int is_burst_end(__u64 hash, __u32 ack)
{
	struct recent *r = find_recent(hash, 0);

	return r && r->tag == recent_tag(hash) && r->end == ack;
}

#endif

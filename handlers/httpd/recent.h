/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recent.h - has this just been sent?
 *
 * A table of how far acknowledgements were answered last, and where the burst ended that was sent then. Nothing depends
 * on it but how often a segment is sent, and how soon: whoever is forgotten, or takes another one's place, is sent a
 * burst twice, or has to ask again.
 *
 * But who is sent a burst twice acknowledges each of its segments once more, all with the same number, as slowly as the
 * wire is. If these were answered, too, by a burst each, there would be more of them each time, and the wire full of
 * nothing else. So what was answered is remembered for longer than a slow wire takes for a burst. Nobody needs the
 * answer again before: if it got lost, it is the client's timer that asks.
 */
#ifndef NDIV_HTTPD_RECENT_H
#define NDIV_HTTPD_RECENT_H

#include "tcp.h"

#define RECENT_BITS	13
#define RECENT_TICKS	4096	/* of the kernel's clock: 4 s with 1000 a second, 16 s with 250 */

struct recent {
	__u32	ack;		/* the highest one */
	__u16	tag;		/* of the response */
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

/*
 * Of a response: of its connection, and where its request ends in the client's numbers. A new connection from the same
 * port has the same sequence numbers of ours, but others of the client.
 */
static __always_inline __u16 recent_tag(const struct conn *conn)
{
	__u32 next = conn->seq + conn->plen;

	return conn->hash >> 48 ^ next ^ next >> 16;
}

/*
 * Asks, and remembers. What lies in the middle of the last burst asks for nothing, either, even if a smaller one could
 * begin there: the rest is on its way.
 */
static __always_inline int is_recent(const struct conn *conn, __u32 hole)
{
	struct recent *r = find_recent(conn->hash, hole);
	__u16 now = bpf_jiffies64(), tag = recent_tag(conn);

	if (!r)
		return 0;
	if (r->tag == tag && (__u16)(now - r->when) <= RECENT_TICKS &&
	    ((__s32)(conn->ack - r->ack) <= 0 || (__s32)(conn->ack - r->end) < 0))
		return 1;
	r->ack = conn->ack;
	r->tag = tag;
	r->when = now;
	r->end = conn->ack;
	return 0;
}

/* A burst that goes on where the client is ends before <end>. */
static __always_inline void remember_burst(const struct conn *conn, __u32 end)
{
	struct recent *r = find_recent(conn->hash, 0);

	if (!r)
		return;
	if (r->tag != recent_tag(conn)) {
		r->ack = conn->ack - 1;
		r->tag = recent_tag(conn);
	}
	r->end = end;
}

static __always_inline int is_burst_end(const struct conn *conn)
{
	struct recent *r = find_recent(conn->hash, 0);

	return r && r->tag == recent_tag(conn) && r->end == conn->ack;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flow.h - the table of connections: what it holds, how they end, and who has to go when it is full
 *
 * An array of buckets of one cache line, two flows each. A flow has a place in either of two buckets, which a keyed hash
 * chooses; a packet reads one cache line, or two if the flow is not in the first. The hash stands for addresses and
 * ports: 64 bits of it tell one flow from another.
 *
 * A flow has two sides, remote (0) and local (1). What one side's packets change is written by the path they come along
 * alone (receive path: remote), so nothing has to be locked. A new flow takes a place that is empty, or whose flow has
 * timed out, or else the oldest one that is half open or closed. Flows that are open stay: where four of them share both
 * buckets, the new one finds no place.
 */
#ifndef NDIV_SHIELD_FLOW_H
#define NDIV_SHIELD_FLOW_H

#include "shield.h"

#define FLOW_BUCKETS	(1U << 20)	/* each has room for two flows, so that a million fit */
#define FLOW_TAG_BUSY	1U		/* is being written */

enum flow_bits {
	FLOW_SYN	= 1,	/* this side has sent a SYN */
	FLOW_SEEN	= 2,	/* ... something with an ACK and no SYN */
	FLOW_FIN	= 4,
	FLOW_FIN_TAKEN	= 8,	/* ... an ACK of the other side's FIN */
	FLOW_RST	= 16,
	FLOW_LIBERAL	= 32,	/* remote: entered in the middle, so nobody knows the windows */
	FLOW_COOKIE	= 64,	/* remote: opened by a cookie */
};

enum flow_state {
	FLOW_SYN_SENT,		/* by the local side */
	FLOW_SYN_RECV,		/* the local side has answered one */
	FLOW_OPENING,		/* a good cookie came, the local side has sent nothing yet */
	FLOW_OPEN,
	FLOW_CLOSING,		/* one FIN */
	FLOW_LAST_ACK,		/* two, not all acknowledged */
	FLOW_TIME_WAIT,
	FLOW_CLOSED,		/* reset */
};

struct flow {
	__u32	tag;		/* 0: empty */
	__u16	tag2;
	__u16	stamp;		/* of its last packet, units of 2.048 s */
	__u32	end[2];		/* behind the last that a side has sent */
	__u32	max[2];		/* up to which it may send: what the other side takes */
	__u16	window[2];	/* largest one that a side has announced, not scaled */
	__u8	bits[2];	/* enum flow_bits */
	__u8	scale;		/* remote side's: low half; local side's: high half */
	__u8	pad;
};
_Static_assert(sizeof(struct flow) == 32, "struct flow");

struct flow_bucket {
	struct flow flow[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FLOW_BUCKETS);
	__type(key, __u32);
	__type(value, struct flow_bucket);
} shield_flows SEC(".maps");

/* Where a flow's places are. */
struct flow_key {
	__u32	tag;
	__u16	tag2;
	__u32	index[2];
};

#define FLOW_MIX	0x9e3779b97f4a7c15ULL

static __always_inline __u64 flow_mix(__u64 h, __u64 word, __u64 key)
{
	h = (h ^ word ^ key) * (key | 1);
	return h ^ h >> 32;
}

/*
 * Not SipHash, which takes four times as long: multiplications by secret numbers. Who wants to crowd the buckets of
 * others has to open connections, of which he sees nothing but whether they work.
 */
static __always_inline void flow_hash(const struct shield_tcp *tcp, struct flow_key *key)
{
	__u64 k0 = ndiv_key.k[0], k1 = ndiv_key.k[1], h = k1;

	h = flow_mix(h, (__u64)tcp->remote[0] << 32 | tcp->local[0], k0);
	if (tcp->v6) {
		h = flow_mix(h, (__u64)tcp->remote[1] << 32 | tcp->local[1], k1);
		h = flow_mix(h, (__u64)tcp->remote[2] << 32 | tcp->local[2], k0);
		h = flow_mix(h, (__u64)tcp->remote[3] << 32 | tcp->local[3], k1);
	}
	h = flow_mix(h, (__u64)tcp->rport << 16 | tcp->lport, k1);
	h *= FLOW_MIX;
	h ^= h >> 29;
	key->tag = h >> 32;
	if (key->tag <= FLOW_TAG_BUSY)
		key->tag += 2;
	key->tag2 = h >> 16;
	key->index[0] = h & (FLOW_BUCKETS - 1);
	key->index[1] = (key->index[0] ^ (key->tag * 0x9e3779b1U >> 8 | 1)) & (FLOW_BUCKETS - 1);
}

static __always_inline struct flow *flow_in(struct flow_bucket *b, const struct flow_key *key)
{
	if (b->flow[0].tag == key->tag && b->flow[0].tag2 == key->tag2)
		return &b->flow[0];
	if (b->flow[1].tag == key->tag && b->flow[1].tag2 == key->tag2)
		return &b->flow[1];
	return NULL;
}

static __always_inline struct flow *flow_find(const struct flow_key *key)
{
	struct flow_bucket *b = bpf_map_lookup_elem(&shield_flows, &key->index[0]);
	struct flow *flow;

	if (!b)
		return NULL;
	flow = flow_in(b, key);
	if (flow)
		return flow;
	b = bpf_map_lookup_elem(&shield_flows, &key->index[1]);
	return b ? flow_in(b, key) : NULL;
}

static __always_inline enum flow_state flow_state(const struct flow *f)
{
	__u8 remote = f->bits[0], local = f->bits[1], fins = (remote & FLOW_FIN) + (local & FLOW_FIN);

	if ((remote | local) & FLOW_RST)
		return FLOW_CLOSED;
	if (fins == 2 * FLOW_FIN)
		return remote & local & FLOW_FIN_TAKEN ? FLOW_TIME_WAIT : FLOW_LAST_ACK;
	if (fins)
		return FLOW_CLOSING;
	if (remote & FLOW_COOKIE && !(local & FLOW_SEEN))
		return FLOW_OPENING;
	if (remote & local & FLOW_SEEN)
		return FLOW_OPEN;
	if (remote & FLOW_SEEN)
		return remote & FLOW_LIBERAL || local & FLOW_SYN ? FLOW_OPEN : FLOW_SYN_RECV;
	if (local & FLOW_SEEN)
		return FLOW_OPEN;
	return remote & FLOW_SYN ? FLOW_SYN_RECV : FLOW_SYN_SENT;
}

/* Units of 2.048 s without a packet after which a flow in <state> has timed out. */
static __always_inline __u32 flow_timeout(enum flow_state state)
{
	switch (state) {
	case FLOW_SYN_SENT:
	case FLOW_SYN_RECV:
	case FLOW_OPENING:
		return 30;		/* 1 minute */
	case FLOW_OPEN:
		return 21094;		/* 12 hours */
	case FLOW_CLOSING:
		return 147;		/* 5 minutes: the other side may have much to send yet */
	case FLOW_LAST_ACK:
		return 30;
	case FLOW_TIME_WAIT:
		return 59;		/* 2 minutes */
	case FLOW_CLOSED:
		return 5;		/* 10 s */
	}
	return 0;
}

static __always_inline __u16 flow_clock(__u64 ms)
{
	return ms >> 11;
}

static __always_inline __u32 flow_age(const struct flow *f, __u64 ms)
{
	return (__u16)(flow_clock(ms) - f->stamp);
}

static __always_inline int flow_expired(const struct flow *f, __u64 ms)
{
	return flow_age(f, ms) > flow_timeout(flow_state(f));
}

/* How good a place is that <f> has: 0 it stays, then the older the better, timed out, empty. */
static __always_inline __u32 flow_yields(const struct flow *f, __u64 ms)
{
	enum flow_state state;

	if (f->tag == FLOW_TAG_BUSY)
		return 0;
	if (!f->tag)
		return 1U << 18;
	state = flow_state(f);
	if (flow_age(f, ms) > flow_timeout(state))
		return 1U << 17;
	if (state == FLOW_SYN_SENT || state == FLOW_SYN_RECV || state == FLOW_TIME_WAIT || state == FLOW_CLOSED)
		return 1 + flow_age(f, ms);
	return 0;
}

struct flow_place {
	struct flow *flow;
	__u32	yields;
};

static __always_inline void flow_consider(struct flow_place *best, struct flow *f, __u64 ms)
{
	__u32 yields = flow_yields(f, ms);

	if (yields > best->yields) {
		best->flow = f;
		best->yields = yields;
	}
}

/*
 * A place for the flow with <key>: that of <former>, if the table has one of that key, which has come to its end; else
 * of one that yields. The caller fills all but the tag, and then calls flow_commit(). NULL if none yields, or if another
 * CPU has just taken that place. <evicted>: that of a flow whose time had not come.
 */
static __always_inline struct flow *flow_claim(const struct flow_key *key, struct flow *former, __u64 ms, int *evicted)
{
	struct flow_bucket *a = bpf_map_lookup_elem(&shield_flows, &key->index[0]);
	struct flow_bucket *b = bpf_map_lookup_elem(&shield_flows, &key->index[1]);
	struct flow_place best = { .flow = former, .yields = former ? 1U << 19 : 0 };
	__u32 tag;

	if (!a || !b)
		return NULL;
	flow_consider(&best, &a->flow[0], ms);
	flow_consider(&best, &a->flow[1], ms);
	flow_consider(&best, &b->flow[0], ms);
	flow_consider(&best, &b->flow[1], ms);
	if (!best.flow)
		return NULL;
	tag = best.flow->tag;
	if (tag == FLOW_TAG_BUSY || __sync_val_compare_and_swap(&best.flow->tag, tag, FLOW_TAG_BUSY) != tag)
		return NULL;
	*evicted = best.yields < 1U << 17;
	return best.flow;
}

static __always_inline void flow_commit(struct flow *f, const struct flow_key *key)
{
	f->tag2 = key->tag2;
	barrier();
	*(volatile __u32 *)&f->tag = key->tag;
}

/* --- sequence numbers ----------------------------------------------------------------------------------------- */

static __always_inline int before(__u32 a, __u32 b)
{
	return (__s32)(a - b) < 0;
}

static __always_inline __u32 flow_scaled(const struct flow *f, __u32 side, __u16 window)
{
	return (__u32)window << (side ? f->scale >> 4 : f->scale & 15);
}

#define FLOW_ACK_BACK	66000U		/* acknowledgements may be that old, at least */

/*
 * Can <tcp>, sent by <side>, be part of the flow? By both windows: it begins where the other side takes data, and ends
 * behind what the other side has taken for certain; it acknowledges what has been sent, and not long ago.
 */
static __always_inline int flow_fits(const struct flow *f, __u32 side, const struct shield_tcp *tcp)
{
	__u32 other = !side, back = flow_scaled(f, side, f->window[side]);

	if (f->bits[0] & FLOW_LIBERAL)
		return 1;
	if (before(f->max[side], tcp->seq))
		return 0;
	if (before(tcp->seq + tcp->len, f->end[side] - flow_scaled(f, other, f->window[other]) - 1))
		return 0;
	if (!(tcp->flags & TCP_ACK))
		return 1;
	if (back < FLOW_ACK_BACK)
		back = FLOW_ACK_BACK;
	return !before(f->end[other], tcp->ack) && !before(tcp->ack, f->end[other] - back);
}

/* Only what changes is written: most packets of a flow leave most of it as it was. */
static __always_inline void flow_bits(struct flow *f, __u32 side, __u8 bits)
{
	if ((f->bits[side] | bits) != f->bits[side])
		f->bits[side] |= bits;
}

/* What packet <tcp> of <side>, which fits, says. */
static __always_inline void flow_update(struct flow *f, __u32 side, const struct shield_tcp *tcp, __u64 ms)
{
	__u32 end = tcp->seq + tcp->len, other = !side, max;
	__u8 bits = 0;

	if (before(f->end[side], end))
		f->end[side] = end;
	if (tcp->flags & TCP_ACK) {
		max = tcp->ack + flow_scaled(f, side, tcp->window);
		/* A closed window may be probed. */
		if (!tcp->window)
			max++;
		if (before(f->max[other], max))
			f->max[other] = max;
		bits |= tcp->flags & (TCP_SYN | TCP_RST) ? 0 : FLOW_SEEN;
		if (f->bits[other] & FLOW_FIN && !before(tcp->ack, f->end[other]))
			bits |= FLOW_FIN_TAKEN;
	}
	if (f->window[side] < tcp->window)
		f->window[side] = tcp->window;
	if (tcp->flags & TCP_FIN)
		bits |= FLOW_FIN;
	if (tcp->flags & TCP_SYN)
		bits |= FLOW_SYN;
	if (tcp->flags & TCP_RST)
		bits |= FLOW_RST;
	flow_bits(f, side, bits);
	if (f->stamp != flow_clock(ms))
		f->stamp = flow_clock(ms);
}

/*
 * A flow, new or anew, of which <tcp>, sent by <side>, is the first packet seen. <scale>: of the remote side and of the
 * local one, as far as they are known.
 */
static __always_inline void flow_begin(struct flow *f, __u32 side, const struct shield_tcp *tcp, __u8 scale, __u64 ms)
{
	__u32 other = !side;

	f->bits[0] = 0;
	f->bits[1] = 0;
	f->scale = scale;
	f->end[side] = tcp->seq + tcp->len;
	f->max[side] = f->end[side];
	f->end[other] = tcp->ack;
	f->max[other] = tcp->ack;
	f->window[side] = tcp->window;
	f->window[other] = 0;
	flow_update(f, side, tcp, ms);
}

static __always_inline __u8 flow_scales(__u32 remote, __u32 local)
{
	return (remote & 15) | (local & 15) << 4;
}

/*
 * Both SYNs have been seen, so the windows that follow are scaled; those in the SYNs were not: they are rounded up.
 */
static __always_inline void flow_set_scale(struct flow *f, __u8 scale)
{
	f->scale = scale;
	f->window[0] = (f->window[0] >> (scale & 15)) + 1;
	f->window[1] = (f->window[1] >> (scale >> 4)) + 1;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flow.h - the table of connections: what it holds, how they end, and who has to go when it is full
 *
 * Two arrays. The flows themselves, 32 bytes each, 64 MB; and a hint of one byte for each of their slots, 2 MB, which
 * the caches can hold. The hints of eight slots, a group, are one word. A keyed hash chooses two groups, neighbours in
 * one cache line of hints, in either of which a flow may be, and a third one for when they have no empty slot. So what
 * belongs to no flow, which is what a flood consists of, reads one line of hints, and one time in 30 a flow whose hint
 * is the same; what does, the flow's line as well. The hash stands for addresses and ports: 64 bits of it tell one flow
 * from another.
 *
 * A flow has two sides, remote (0) and local (1). What one side's packets change is written by the path they come along
 * alone (receive path: remote), so nothing has to be locked. A new flow takes an empty slot; if there is none, that of
 * a flow of the first two groups that has timed out, or else of the oldest one there that is half open or closed. Flows
 * that are open stay: where twenty-four of them fill all three groups, the new one finds no place.
 */
#ifndef NDIV_SHIELD_FLOW_H
#define NDIV_SHIELD_FLOW_H

#include "shield.h"

#define FLOW_TAG_BUSY	1U		/* is being written */

/* By group. Byte n of a word: eight bits of the tag of the group's slot n; 0: empty. */
__u64 shield_hints[FLOW_GROUPS] SEC(".bss.hints") __attribute__((aligned(64)));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FLOW_SLOTS);
	__type(key, __u32);
	__type(value, struct shield_flow);
} shield_flows SEC(".maps");

/* Where a flow's places are. */
struct flow_key {
	__u32	tag;
	__u16	tag2;
	__u8	hint;		/* 1 to 255 */
	__u32	group[3];
};

#define FLOW_NEIGHBOURS	7		/* groups less 1 whose hints are one cache line: both of a flow are among them */
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
	__u32 step;

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
	key->hint = key->tag;
	if (!key->hint)
		key->hint = 1;
	key->group[0] = h & (FLOW_GROUPS - 1);
	step = (key->tag >> 8 & 1023) * FLOW_NEIGHBOURS >> 10;
	key->group[1] = key->group[0] ^ (step + 1);
	key->group[2] = key->group[0] ^ (step + 1 < FLOW_NEIGHBOURS ? step + 2 : 1);
}

#define FLOW_ONES	0x0101010101010101ULL	/* a word with each byte 1 */
#define FLOW_TOPS	0x8080808080808080ULL

/* The top bit of each byte of <word> that is 0; also of one that is 1, if it is above such a one. */
static __always_inline __u64 flow_zeros(__u64 word)
{
	return (word - FLOW_ONES) & ~word & FLOW_TOPS;
}

/* Number of the lowest byte of <tops>, which are top bits. */
static __always_inline __u32 flow_first(__u64 tops)
{
	return ((tops & -tops) >> 7) * 0x0001020304050607ULL >> 56;
}

/* How many there are. */
static __always_inline __u32 flow_count(__u64 tops)
{
	return (tops >> 7) * FLOW_ONES >> 56;
}

static __always_inline struct shield_flow *flow_at(__u32 slot)
{
	slot &= FLOW_SLOTS - 1;
	return bpf_map_lookup_elem(&shield_flows, &slot);
}

/* Masked where the compiler cannot see that it needs not be: Linux 6.1 does not. */
static __always_inline __u64 flow_hints(const struct flow_key *key, __u32 nr)
{
	__u32 group = key->group[nr];

	barrier_var(group);
	return *(volatile __u64 *)&shield_hints[group & (FLOW_GROUPS - 1)];
}

/* The flow, if it is in group <nr> of its three, whose <hints> have it or others like it: three are looked at.
 */
static __always_inline struct shield_flow *flow_in(const struct flow_key *key, __u32 nr, __u64 hints)
{
	__u64 same = flow_zeros(hints ^ key->hint * FLOW_ONES);
	struct shield_flow *f;
	__u32 i;

	for (i = 0; i < 3 && same; i++) {
		f = flow_at(key->group[nr] * FLOW_GROUP + flow_first(same));
		if (f && f->tag == key->tag && f->tag2 == key->tag2)
			return f;
		same &= same - 1;
	}
	return NULL;
}

/* Is there no empty slot among these hints? Then there never is one again. */
static __always_inline int flow_crowded(__u64 first, __u64 second)
{
	return !(flow_zeros(first) | flow_zeros(second));
}

static __always_inline struct shield_flow *flow_find(const struct flow_key *key)
{
	__u64 first = flow_hints(key, 0), second = flow_hints(key, 1);
	struct shield_flow *f = flow_in(key, 0, first);

	if (!f)
		f = flow_in(key, 1, second);
	if (f || !flow_crowded(first, second))
		return f;
	return flow_in(key, 2, flow_hints(key, 2));
}

/* Units of 2.048 s without a packet after which a flow of this state has timed out. */
static const volatile __u16 flow_timeouts[8] = {
	[FLOW_SYN_SENT] = 30,		/* 1 minute */
	[FLOW_SYN_RECV] = 30,
	[FLOW_OPENING] = 30,
	[FLOW_OPEN] = 21094,		/* 12 hours */
	[FLOW_CLOSING] = 147,		/* 5 minutes: the other side may have much to send yet */
	[FLOW_LAST_ACK] = 30,
	[FLOW_TIME_WAIT] = 59,		/* 2 minutes */
	[FLOW_CLOSED] = 5,		/* 10 s */
};

/* States of flows that go if there is no room. */
#define FLOW_WEAK	(1U << FLOW_SYN_SENT | 1U << FLOW_SYN_RECV | 1U << FLOW_TIME_WAIT | 1U << FLOW_CLOSED)

static __always_inline __u32 flow_timeout(enum flow_state state)
{
	return flow_timeouts[state & 7];
}

#define FLOW_EXPIRED	(1U << 17)	/* above any age */

static __always_inline __u16 flow_clock(__u64 ms)
{
	return ms >> 11;
}

static __always_inline __u32 flow_age(const struct shield_flow *f, __u64 ms)
{
	return (__u16)(flow_clock(ms) - f->stamp);
}

/* Always 0, but the verifier does not know: see ndiv_forget(). */
static __always_inline __u32 flow_zero(const struct shield_flow *f)
{
	return *(const volatile __u8 *)&f->pad;
}

/* How good a place is that <f> has: 0 it stays, then the older the better, or timed out. */
static __always_inline __u32 flow_yields(const struct shield_flow *f, __u64 ms)
{
	__u32 state = (flow_state(f) + flow_zero(f)) & 7, age = flow_age(f, ms);

	if (f->tag == FLOW_TAG_BUSY)
		return 0;
	if (age > flow_timeouts[state])
		return FLOW_EXPIRED;
	return FLOW_WEAK >> state & 1 ? 1 + age : 0;
}

/* A slot for a new flow. */
struct flow_place {
	struct shield_flow *flow;	/* NULL: there is none */
	__u32	slot;
	__u32	evicts;			/* the flow there had time left */
};

/* An empty slot: in the emptier one of the first two groups, or if there is none, in the third. 0, or below 0. */
static __always_inline int flow_empty(const struct flow_key *key, struct flow_place *place)
{
	__u64 first = flow_zeros(flow_hints(key, 0)), second = flow_zeros(flow_hints(key, 1)), third;

	if (!(first | second)) {
		third = flow_zeros(flow_hints(key, 2));
		place->slot = key->group[2] * FLOW_GROUP + flow_first(third);
		return third ? 0 : -1;
	}
	if (flow_count(first) >= flow_count(second))
		place->slot = key->group[0] * FLOW_GROUP + flow_first(first);
	else
		place->slot = key->group[1] * FLOW_GROUP + flow_first(second);
	return 0;
}

/*
 * Of two groups, the flow that yields most: its slot, and how good it is in the upper half; 0: none does. A function by
 * itself, which the verifier looks at once.
 */
__noinline __u64 shield_yielding(__u32 first, __u32 second, __u64 ms)
{
	const struct shield_flow *f;
	__u64 best = 0, yields;
	__u32 slot, i;

	for (i = 0; i < 2 * FLOW_GROUP; i++) {
		slot = ((i < FLOW_GROUP ? first : second) * FLOW_GROUP + i % FLOW_GROUP) & (FLOW_SLOTS - 1);
		f = flow_at(slot);
		if (!f)
			return 0;
		yields = (__u64)flow_yields(f, ms) << 32 | slot;
		if (yields > best && yields >> 32)
			best = yields;
		best += flow_zero(f);
	}
	return best;
}

static __always_inline int flow_yielding(const struct flow_key *key, __u64 ms, struct flow_place *place)
{
	__u64 best = shield_yielding(key->group[0], key->group[1], ms);

	place->slot = best;
	place->evicts = best >> 32 < FLOW_EXPIRED;
	return best ? 0 : -1;
}

/*
 * A place for the flow with <key>, which is not in the table. The caller fills all but the tag, and then calls
 * flow_commit(). There is none if no flow yields, or if another CPU has just taken that place.
 */
static __always_inline struct flow_place flow_claim(const struct flow_key *key, __u64 ms)
{
	struct flow_place place = { 0 };
	struct shield_flow *f;
	__u32 tag;

	if (flow_empty(key, &place) && flow_yielding(key, ms, &place))
		return place;
	f = flow_at(place.slot);
	if (!f)
		return place;
	tag = f->tag;
	if (tag != FLOW_TAG_BUSY && __sync_val_compare_and_swap(&f->tag, tag, FLOW_TAG_BUSY) == tag)
		place.flow = f;
	return place;
}

static __always_inline void flow_commit(const struct flow_place *place, const struct flow_key *key)
{
	__u8 *hints = (__u8 *)shield_hints;
	__u32 slot = place->slot;

	place->flow->tag2 = key->tag2;
	barrier();
	*(volatile __u32 *)&place->flow->tag = key->tag;
	barrier_var(slot);
	hints[slot & (FLOW_SLOTS - 1)] = key->hint;
}

/* --- sequence numbers ----------------------------------------------------------------------------------------- */

static __always_inline int before(__u32 a, __u32 b)
{
	return (__s32)(a - b) < 0;
}

static __always_inline __u32 flow_scaled(const struct shield_flow *f, __u32 side, __u16 window)
{
	return (__u32)window << (side ? f->scale >> 4 : f->scale & 15);
}

#define FLOW_ACK_BACK	66000U		/* acknowledgements may be that old, at least */

/*
 * Can <tcp>, sent by <side>, be part of the flow? By both windows: it begins where the other side takes data, and ends
 * behind what the other side has taken for certain; it acknowledges what has been sent, and not long ago.
 */
static __always_inline int flow_fits(const struct shield_flow *f, __u32 side, const struct shield_tcp *tcp)
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
static __always_inline void flow_bits(struct shield_flow *f, __u32 side, __u8 bits)
{
	if ((f->bits[side] | bits) != f->bits[side])
		f->bits[side] |= bits;
}

/* What packet <tcp> of <side>, which fits, says. */
static __always_inline void flow_update(struct shield_flow *f, __u32 side, const struct shield_tcp *tcp, __u64 ms)
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
static __always_inline void flow_begin(struct shield_flow *f, __u32 side, const struct shield_tcp *tcp, __u8 scale,
				       __u64 ms)
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
static __always_inline void flow_set_scale(struct shield_flow *f, __u8 scale)
{
	f->scale = scale;
	f->window[0] = (f->window[0] >> (scale & 15)) + 1;
	f->window[1] = (f->window[1] >> (scale >> 4)) + 1;
}

#endif

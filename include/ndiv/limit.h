/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * limit.h - rate limits for handlers
 *
 * A token bucket in one 64-bit word: the time at which everything that was let through so far would have been due at
 * the configured rate (theoretical arrival time, in ns; GCRA, ITU-T I.371). It may be ahead of the clock by the burst.
 * A word of 0 is a full bucket, so a zeroed map needs no preparation, and nothing has to be refilled.
 *
 *	__u64 bucket SEC(".data.bucket") __attribute__((aligned(64)));
 *
 *	struct ndiv_limit limit = ndiv_limit(config.rate, config.burst);
 *
 *	if (!ndiv_limit_take(&bucket, &limit, ndiv_limit_now()))
 *		return ndiv_drop(pkt, TOO_MANY);
 *
 * A bucket may be shared by all CPUs. Give it a cache line of its own if each packet takes from it.
 */
#ifndef NDIV_LIMIT_H
#define NDIV_LIMIT_H

#include <ndiv/hash.h>

#define NDIV_LIMIT_RATE_MAX	10000000	/* packets per second: 100 ns, above which whole ns are too coarse */
#define NDIV_LIMIT_BURST_MAX	1000000		/* packets */
#define NDIV_LIMIT_SOURCES	65536		/* buckets of a map that is indexed by ndiv_limit_source() */

/* The clock's longest tick, at CONFIG_HZ=100. */
#define NDIV_LIMIT_TICK		10000000U
/* What a bucket without a configured burst holds: so many ns of its rate, and so many packets at least. */
#define NDIV_LIMIT_AUTO_NS	100000000U
#define NDIV_LIMIT_AUTO_BURST	10
/* How often a bucket that others take from at the same time is tried anew. */
#define NDIV_LIMIT_TRIES	4

struct ndiv_limit {
	__u64	gap;	/* ns from one packet to the next */
	__u64	depth;	/* ns that a full bucket holds: the burst */
};

/*
 * <rate>: packets per second, above 0. <burst>: packets that may come at once; 0: a tenth of a second's, at least 10.
 * A burst shorter than the clock's tick is raised to it (10 ms of the rate): otherwise the rate could not be reached,
 * because all packets of a tick come at once for this clock.
 *
 * Nobody can divide when the handler is loaded: the rate is a constant of the program, but not one of the compiler. It
 * costs 1 ns here, in 32 bits, which is not worth a place to keep the result in.
 */
static __always_inline struct ndiv_limit ndiv_limit(__u32 rate, __u32 burst)
{
	struct ndiv_limit limit = { .gap = 1000000000U / rate };

	limit.depth = limit.gap * (burst ? burst : NDIV_LIMIT_AUTO_BURST);
	if (!burst && limit.depth < NDIV_LIMIT_AUTO_NS)
		limit.depth = NDIV_LIMIT_AUTO_NS;
	if (limit.depth < NDIV_LIMIT_TICK)
		limit.depth = NDIV_LIMIT_TICK;
	return limit;
}

/* The clock of the buckets: ticks only, but it costs a few ns, the exact one 44. */
static __always_inline __u64 ndiv_limit_now(void)
{
	return bpf_ktime_get_coarse_ns();
}

/* Private: is a bucket whose word is <tat> empty? */
static __always_inline int ndiv_limit_over(__u64 *bucket, __u64 tat, const struct ndiv_limit *limit, __u64 now)
{
	if (tat + limit->gap <= now + limit->depth)
		return 0;
	/* Charged at a slower rate, before the handler was replaced: it might take days to be due. */
	if (tat > now + 2 * limit->depth)
		__sync_val_compare_and_swap(bucket, tat, now + limit->depth);
	return 1;
}

/* Is <bucket> empty? It is only read: in a flood beyond the limit, all CPUs can share its cache line. */
static __always_inline int ndiv_limit_empty(__u64 *bucket, const struct ndiv_limit *limit, __u64 now)
{
	return ndiv_limit_over(bucket, *(volatile __u64 *)bucket, limit, now);
}

/*
 * Takes one packet out of <bucket>: 1, or 0 if it is empty (then it is only read).
 *
 * A packet that others beat NDIV_LIMIT_TRIES times to it is let through and charged all the same: so no loop depends on
 * them. A burst may be longer by a packet for each CPU then, but the rate not higher.
 */
static __always_inline int ndiv_limit_take(__u64 *bucket, const struct ndiv_limit *limit, __u64 now)
{
	__u64 tat;
	int i;

	for (i = 0; i < NDIV_LIMIT_TRIES; i++) {
		tat = *(volatile __u64 *)bucket;
		if (ndiv_limit_over(bucket, tat, limit, now))
			return 0;
		if (__sync_val_compare_and_swap(bucket, tat, (tat > now ? tat : now) + limit->gap) == tat)
			return 1;
	}
	__sync_fetch_and_add(bucket, limit->gap);
	return 1;
}

/*
 * Which of NDIV_LIMIT_SOURCES buckets the source network of <pkt> has: the /24 of an IPv4 address, the /64 of an IPv6
 * one. Networks that share a bucket share its rate. Strangers can neither choose who shares theirs, because the hash is
 * keyed, nor fill the table, because nothing is ever inserted.
 */
static __always_inline __u32 ndiv_limit_source(struct xdp_md *ctx, const struct ndiv_pkt *pkt,
					       const volatile struct ndiv_key *key)
{
	const struct ipv6hdr *ip6;
	const struct iphdr *ip4;
	struct ndiv_sip s;
	__u64 net = 0;

	if (pkt->flags & NDIV_F_IPV4) {
		ip4 = ndiv_ptr(ctx, pkt->l3, sizeof(*ip4));
		if (ip4)
			net = ip4->saddr & bpf_htonl(0xffffff00);
	} else {
		ip6 = ndiv_ptr(ctx, pkt->l3, sizeof(*ip6));
		if (ip6)
			net = (__u64)ip6->saddr.in6_u.u6_addr32[1] << 32 | ip6->saddr.in6_u.u6_addr32[0];
	}
	ndiv_sip_init(&s, key);
	ndiv_sip_word(&s, net);
	return ndiv_sip_end(&s, sizeof(net), 0) & (NDIV_LIMIT_SOURCES - 1);
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * ping - answers ICMP and ICMPv6 echo requests in the driver
 *
 * The request becomes the reply in place: addresses swapped, type changed, TTL or hop limit 64. What is not a plain
 * request for this host goes to the stack untouched. docs/ping.md is the guide.
 */
#include <ndiv/handler.h>
#include <ndiv/addr.h>
#include <ndiv/limit.h>
#include <ndiv/prefix.h>
#include <ndiv/rewrite.h>

struct ping_config {
	__u32	rate;
	__u32	burst;
	__u32	source_rate;
	__u32	source_burst;
	__u8	over;		/* enum ping_over */
	__u8	pad[3];
	struct ndiv_prefixes addr;
};

enum ping_over { PING_OVER_DROP, PING_OVER_PASS };

enum {				/* counters */
	PING_ECHO4,
	PING_ECHO6,
	PING_BAD_CHECKSUM,
	PING_FRAGMENT,
	PING_OPTIONS,
	PING_NOT_MINE,
	PING_NO_VLAN,
	PING_TX_FULL,
	PING_RATE_PASSED,
	PING_SOURCE_RATE_PASSED,
};

enum {				/* drop reasons */
	PING_RATE = 1,
	PING_SOURCE_RATE,
};

const volatile struct ping_config config SEC(".rodata.config") = { .rate = 10000 };

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "ping",
	.about = "answers ICMP and ICMPv6 echo requests",
	.counters = {
		[PING_ECHO4] = "echo4",
		[PING_ECHO6] = "echo6",
		[PING_BAD_CHECKSUM] = "bad-checksum",
		[PING_FRAGMENT] = "fragment",
		[PING_OPTIONS] = "options",
		[PING_NOT_MINE] = "not-mine",
		[PING_NO_VLAN] = "no-vlan",
		[PING_TX_FULL] = "tx-full",
		[PING_RATE_PASSED] = "over-rate-passed",
		[PING_SOURCE_RATE_PASSED] = "over-source-rate-passed",
	},
	.reasons = {
		[PING_RATE] = "over-rate",
		[PING_SOURCE_RATE] = "over-source-rate",
	},
	.options = {
		{ .name = "rate", .help = "answers per second, all sources together; 0: no limit",
		  .type = NDIV_OPT_U32, .offset = offsetof(struct ping_config, rate), .max = NDIV_LIMIT_RATE_MAX },
		{ .name = "burst", .help = "answers at once; 0: a tenth of a second's, at least 10",
		  .type = NDIV_OPT_U32, .offset = offsetof(struct ping_config, burst), .max = NDIV_LIMIT_BURST_MAX },
		{ .name = "per-source-rate", .help = "answers per second to an IPv4 /24 or IPv6 /64; 0: no limit",
		  .type = NDIV_OPT_U32, .offset = offsetof(struct ping_config, source_rate),
		  .max = NDIV_LIMIT_RATE_MAX },
		{ .name = "per-source-burst", .help = "answers at once to a source network; 0: as for burst",
		  .type = NDIV_OPT_U32, .offset = offsetof(struct ping_config, source_burst),
		  .max = NDIV_LIMIT_BURST_MAX },
		{ .name = "over", .help = "requests above a limit: drop them, or pass them to the stack",
		  .choices = "drop,pass", .type = NDIV_OPT_CHOICE, .offset = offsetof(struct ping_config, over) },
		{ .name = "addr", .help = "destinations to answer for; none: whatever is sent to this MAC address",
		  .type = NDIV_OPT_PREFIXES, .offset = offsetof(struct ping_config, addr) },
	},
};

/* Random, so that nobody can tell which sources share a bucket. */
const volatile struct ndiv_key ndiv_key SEC(".rodata.key") = { 0 };

/* Of all sources and all CPUs; alone in its section, and so in its cache line. */
__u64 bucket SEC(".data.bucket") __attribute__((aligned(64))) = 0;

/* By ndiv_limit_source(). Unused, and then never touched, unless there is a limit per source. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NDIV_LIMIT_SOURCES);
	__type(key, __u32);
	__type(value, __u64);
} sources SEC(".maps");

static __always_inline int is_echo(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	const struct ndiv_icmp *icmp;

	if (!(pkt->flags & (NDIV_F_ICMP | NDIV_F_ICMP6)))
		return 0;
	icmp = ndiv_ptr(ctx, pkt->l4, sizeof(*icmp));
	if (!icmp || icmp->code)
		return 0;
	return icmp->type == (pkt->flags & NDIV_F_ICMP ? NDIV_ICMP_ECHO : NDIV_ICMP6_ECHO);
}

static __always_inline int is_between4(const struct iphdr *ip)
{
	if (!ip || !ndiv_is_host4(ip->saddr) || !ndiv_is_host4(ip->daddr) || ip->saddr == ip->daddr)
		return 0;
	return ndiv_prefixes_have4(&config.addr, ip->daddr);
}

static __always_inline int is_between6(const struct ipv6hdr *ip)
{
	if (!ip || !ndiv_is_host6(&ip->saddr) || !ndiv_is_host6(&ip->daddr) || ndiv_is_same6(&ip->saddr, &ip->daddr))
		return 0;
	return ndiv_prefixes_have6(&config.addr, &ip->daddr);
}

/* From one host, to this one? An answer to a group, by MAC or IP address, would multiply the request. */
static __always_inline int is_mine(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	const struct ethhdr *eth = ndiv_ptr(ctx, 0, sizeof(*eth));

	if (!eth || eth->h_source[0] & 1 || !ndiv_to_me(ctx))
		return 0;
	if (pkt->flags & NDIV_F_IPV4)
		return is_between4(ndiv_ptr(ctx, pkt->l3, sizeof(struct iphdr)));
	return is_between6(ndiv_ptr(ctx, pkt->l3, sizeof(struct ipv6hdr)));
}

static __always_inline int source_is_over(struct xdp_md *ctx, const struct ndiv_pkt *pkt, __u64 now)
{
	struct ndiv_limit limit = ndiv_limit(config.source_rate, config.source_burst);
	__u32 i = ndiv_limit_source(ctx, pkt, &ndiv_key);
	__u64 *source = bpf_map_lookup_elem(&sources, &i);

	return source && !ndiv_limit_take(source, &limit, now);
}

/*
 * 0, or the drop reason of the limit that the request exceeds. The bucket of all sources is looked at first and taken
 * from last: a flood from many sources costs no hash, and one source above its limit takes nothing from the others.
 */
static __always_inline __u8 over_limit(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	struct ndiv_limit all;
	__u64 now;

	if (!config.rate && !config.source_rate)
		return 0;
	now = ndiv_limit_now();
	all = ndiv_limit(config.rate, config.burst);
	if (config.source_rate) {
		if (config.rate && ndiv_limit_empty(&bucket, &all, now))
			return PING_RATE;
		if (source_is_over(ctx, pkt, now))
			return PING_SOURCE_RATE;
	}
	return config.rate && !ndiv_limit_take(&bucket, &all, now) ? PING_RATE : 0;
}

static __always_inline enum ndiv_verdict next(struct ndiv_pkt *pkt, __u32 counter)
{
	ndiv_count(pkt, counter);
	return NDIV_NEXT;
}

static __always_inline enum ndiv_verdict refuse(struct ndiv_pkt *pkt, __u8 reason)
{
	if (config.over == PING_OVER_DROP)
		return ndiv_drop(pkt, reason);
	return next(pkt, reason == PING_RATE ? PING_RATE_PASSED : PING_SOURCE_RATE_PASSED);
}

/* What follows the IP packet is not part of the request, so it is not sent back beyond the shortest Ethernet frame. */
static __always_inline int trim(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	__u32 len = pkt->end > ETH_ZLEN ? pkt->end : ETH_ZLEN;

	return pkt->len > len ? ndiv_set_len(ctx, len) : 0;
}

/*
 * Of what the ICMP checksum covers, only the first word (type and code) changes: the pseudo header of ICMPv6 is the
 * same both ways. Not by ndiv_csum_replace2(): an IPv4 reply whose other bytes are all 0 has the checksum 0xffff, where
 * RFC 1624's formula yields 0, which is wrong for it. The sum of checksum and difference is never 0, and always right.
 */
static __always_inline void set_type(struct ndiv_icmp *icmp, __u8 type)
{
	__u16 *word = (__u16 *)icmp;
	__u16 from = *word;

	icmp->type = type;
	icmp->check = ndiv_csum_fold((__u32)icmp->check + from + (__u16) ~*word);
}

static __always_inline enum ndiv_verdict answer(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	int v4 = pkt->flags & NDIV_F_ICMP;
	struct ndiv_icmp *icmp;

	if (trim(ctx, pkt))
		return NDIV_NEXT;
	icmp = ndiv_ptr(ctx, pkt->l4, sizeof(*icmp));
	if (!icmp || ndiv_turn_round(ctx, pkt))
		return NDIV_NEXT;
	set_type(icmp, v4 ? NDIV_ICMP_ECHO_REPLY : NDIV_ICMP6_ECHO_REPLY);
	ndiv_count(pkt, v4 ? PING_ECHO4 : PING_ECHO6);
	return NDIV_REPLY;
}

/*
 * The limits come before the checksum, whose verification is most of the work: they bound that as well. The stack drops
 * and counts what has a wrong one.
 */
static __always_inline enum ndiv_verdict ping_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	__u8 reason;

	if (!is_echo(ctx, pkt))
		return NDIV_NEXT;
	if (pkt->flags & NDIV_F_FRAG)
		return next(pkt, PING_FRAGMENT);
	if (pkt->flags & NDIV_F_IP_EXT)
		return next(pkt, PING_OPTIONS);
	if (pkt->flags & NDIV_F_HW_VLAN)
		return next(pkt, PING_NO_VLAN);
	if (!is_mine(ctx, pkt))
		return next(pkt, PING_NOT_MINE);
	reason = over_limit(ctx, pkt);
	if (reason)
		return refuse(pkt, reason);
	if (!ndiv_can_reply(pkt))
		return next(pkt, PING_TX_FULL);
	if (!ndiv_l4_verify(ctx, pkt))
		return next(pkt, PING_BAD_CHECKSUM);
	return answer(ctx, pkt);
}

SEC("xdp.frags")
int ping(struct xdp_md *ctx)
{
	return ndiv_run(ctx, ping_handle, NULL);
}

char _license[] SEC("license") = "GPL";

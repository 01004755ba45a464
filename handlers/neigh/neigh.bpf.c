// SPDX-License-Identifier: GPL-2.0-only
/*
 * neigh - answers ARP and IPv6 neighbour discovery for addresses that nobody has, so that a range of servers exists
 *
 * A request for one of them is answered with the MAC address of the interface; then packets for it come here, to the
 * handlers that serve it. All others go to the stack untouched. docs/neigh.md is the guide.
 */
#include <ndiv/handler.h>
#include <ndiv/limit.h>
#include "neigh.h"
#include "arp.h"
#include "ns.h"

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "neigh",
	.about = "answers ARP and neighbour discovery for addresses to be simulated",
	.counters = {
		[NEIGH_ARP] = "arp",
		[NEIGH_ARP_PROBE] = "arp-probe",
		[NEIGH_NS] = "ns",
		[NEIGH_DAD] = "dad",
		[NEIGH_MALFORMED] = "malformed",
		[NEIGH_HOP_LIMIT] = "hop-limit",
		[NEIGH_BAD_CHECKSUM] = "bad-checksum",
		[NEIGH_FRAGMENT] = "fragment",
		[NEIGH_OPTIONS] = "options",
		[NEIGH_NOT_MINE] = "not-mine",
		[NEIGH_CLAIMED] = "claimed",
		[NEIGH_OTHER_SENDER] = "other-sender",
		[NEIGH_NO_VLAN] = "no-vlan",
		[NEIGH_BUFFERS] = "several-buffers",
		[NEIGH_TX_FULL] = "tx-full",
		[NEIGH_RATE_PASSED] = "over-rate-passed",
	},
	.reasons = {
		[NEIGH_RATE] = "over-rate",
	},
	.options = {
		{ .name = "addr", .help = "addresses to answer for; none: no answer at all",
		  .type = NDIV_OPT_PREFIXES, .offset = offsetof(struct neigh_config, addr) },
		{ .name = "except", .help = "those of them that real machines have",
		  .type = NDIV_OPT_PREFIXES, .offset = offsetof(struct neigh_config, except) },
		{ .name = "rate", .help = "answers per second; 0: no limit",
		  .type = NDIV_OPT_U32, .offset = offsetof(struct neigh_config, rate), .max = NDIV_LIMIT_RATE_MAX },
		{ .name = "burst", .help = "answers at once; 0: a tenth of a second's, at least 10",
		  .type = NDIV_OPT_U32, .offset = offsetof(struct neigh_config, burst), .max = NDIV_LIMIT_BURST_MAX },
		{ .name = "over", .help = "requests above the limit: drop them, or pass them to the stack",
		  .choices = "drop,pass", .type = NDIV_OPT_CHOICE, .offset = offsetof(struct neigh_config, over) },
	},
};

/* Of all CPUs; alone in its section, and so in its cache line. */
__u64 bucket SEC(".data.bucket") __attribute__((aligned(64))) = 0;

static __always_inline enum ndiv_verdict next(struct ndiv_pkt *pkt, enum neigh_counter counter)
{
	ndiv_count(pkt, counter);
	return NDIV_NEXT;
}

static __always_inline int is_over_limit(void)
{
	struct ndiv_limit limit;

	if (!config.rate)
		return 0;
	limit = ndiv_limit(config.rate, config.burst);
	return !ndiv_limit_take(&bucket, &limit, ndiv_limit_now());
}

static __always_inline enum ndiv_verdict refuse(struct ndiv_pkt *pkt)
{
	if (config.over == NEIGH_OVER_DROP)
		return ndiv_drop(pkt, NEIGH_RATE);
	return next(pkt, NEIGH_RATE_PASSED);
}

/* What no answer can be made of, whatever it asks: its counter, or 0. */
static __always_inline enum neigh_counter frame_fault(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	if (pkt->flags & NDIV_F_HW_VLAN)
		return NEIGH_NO_VLAN;
	if (pkt->flags & NDIV_F_FRAG)
		return NEIGH_FRAGMENT;
	if (pkt->flags & NDIV_F_IP_EXT)
		return NEIGH_OPTIONS;
	/* no such packet needs more than one, and an answer that grows could not be cloned */
	return pkt->len > ndiv_linear(ctx) ? NEIGH_BUFFERS : 0;
}

/* What follows the request in the frame is not sent back, beyond the shortest Ethernet frame. */
static __always_inline enum ndiv_verdict answer_arp(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	__u32 end = pkt->l3 + sizeof(struct arp);
	struct ethhdr *eth;
	struct arp *arp;

	if (end < ETH_ZLEN)
		end = ETH_ZLEN;
	if (pkt->len > end && ndiv_set_len(ctx, end))
		return NDIV_NEXT;
	eth = ndiv_ptr(ctx, 0, sizeof(*eth));
	arp = ndiv_ptr(ctx, pkt->l3, sizeof(*arp));
	if (!eth || !arp)
		return NDIV_NEXT;
	ndiv_count(pkt, arp->sender_ip ? NEIGH_ARP : NEIGH_ARP_PROBE);
	arp_turn(eth, arp);
	return NDIV_REPLY;
}

static __always_inline enum ndiv_verdict handle_arp(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	const struct ethhdr *eth = ndiv_ptr(ctx, 0, sizeof(*eth));
	const struct arp *arp = ndiv_ptr(ctx, pkt->l3, sizeof(*arp));
	enum neigh_counter fault;

	if (!eth || !arp)
		return next(pkt, NEIGH_MALFORMED);
	if (arp->op != bpf_htons(ARP_REQUEST))
		return NDIV_NEXT;
	fault = frame_fault(ctx, pkt);
	if (!fault)
		fault = arp_fault(eth, arp);
	if (fault)
		return next(pkt, fault);
	if (is_over_limit())
		return refuse(pkt);
	if (!ndiv_can_reply(pkt))
		return next(pkt, NEIGH_TX_FULL);
	return answer_arp(ctx, pkt);
}

/* The limit comes before the checksum, whose verification is most of the work. */
static __always_inline enum ndiv_verdict answer_ns(struct xdp_md *ctx, struct ndiv_pkt *pkt, int dad)
{
	if (is_over_limit())
		return refuse(pkt);
	if (!ndiv_can_reply(pkt))
		return next(pkt, NEIGH_TX_FULL);
	if (!ndiv_l4_verify(ctx, pkt))
		return next(pkt, NEIGH_BAD_CHECKSUM);
	ndiv_count(pkt, dad ? NEIGH_DAD : NEIGH_NS);
	return ndiv_reply(pkt, pkt->l4 + sizeof(struct na));
}

static __always_inline enum ndiv_verdict handle_ns(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	const struct ethhdr *eth = ndiv_ptr(ctx, 0, sizeof(*eth));
	const struct ipv6hdr *ip = ndiv_ptr(ctx, pkt->l3, sizeof(*ip));
	const struct nd *ns = ndiv_ptr(ctx, pkt->l4, sizeof(*ns));
	enum neigh_counter fault = frame_fault(ctx, pkt);
	int dad;

	if (fault)
		return next(pkt, fault);
	if (!eth || !ip || !ns)
		return next(pkt, NEIGH_MALFORMED);
	fault = ns_fault(pkt, eth, ip, ns);
	if (fault)
		return next(pkt, fault);
	dad = is_unspecified(&ip->saddr);
	fault = options_fault(ctx, pkt, eth, dad);
	if (fault)
		return next(pkt, fault);
	return answer_ns(ctx, pkt, dad);
}

static __always_inline int is_ns(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	const struct ndiv_icmp *icmp;

	if (!(pkt->flags & NDIV_F_ICMP6))
		return 0;
	icmp = ndiv_ptr(ctx, pkt->l4, sizeof(*icmp));
	return icmp && icmp->type == ND_SOLICITATION;
}

static __always_inline enum ndiv_verdict neigh_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	if (pkt->eth_proto == bpf_htons(ETH_P_ARP))
		return handle_arp(ctx, pkt);
	return is_ns(ctx, pkt) ? handle_ns(ctx, pkt) : NDIV_NEXT;
}

SEC("xdp.frags")
int neigh(struct xdp_md *ctx)
{
	return ndiv_run(ctx, neigh_handle, na_build);
}

SEC("xdp.frags/devmap")
int neigh_clone(struct xdp_md *ctx)
{
	return ndiv_run_clone(ctx, na_build);
}

SEC("tc")
int neigh_skb(struct __sk_buff *skb)
{
	return ndiv_run_skb(skb, na_build);
}

char _license[] SEC("license") = "GPL";

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ns.h - neighbour solicitations and their answer (RFC 4861, RFC 4862)
 */
#ifndef NEIGH_NS_H
#define NEIGH_NS_H

#include <ndiv/csum.h>
#include "neigh.h"

/* Of both kinds, without options. */
struct nd {
	__u8	type;
	__u8	code;
	__be16	check;
	__be32	flags;		/* of a solicitation: reserved */
	struct in6_addr target;
};
_Static_assert(sizeof(struct nd) == 24, "struct nd");

struct nd_option {
	__u8	type;
	__u8	len;		/* in units of 8 bytes */
	__u8	mac[ETH_ALEN];	/* of those that hold one */
};
_Static_assert(sizeof(struct nd_option) == 8, "struct nd_option");

/* The answer: always as long. */
struct na {
	struct nd nd;
	struct nd_option mac;
};

enum {
	ND_SOLICITATION		= 135,
	ND_ADVERTISEMENT	= 136,
	ND_SOURCE_MAC		= 1,
	ND_TARGET_MAC		= 2,
	ND_SOLICITED		= 0x40000000,
	ND_OVERRIDE		= 0x20000000,
	ND_HOPS			= 255,	/* nobody can send that from behind a router */
	ND_OPTIONS_MAX		= 8,	/* more than anybody sends: a secured solicitation has five (RFC 3971) */
};

static __always_inline int is_unspecified(const struct in6_addr *addr)
{
	const __be32 *a = addr->in6_u.u6_addr32;

	return !(a[0] | a[1] | a[2] | a[3]);
}

/* Is <group> the solicited-node group of <target>, ff02::1:ffXX:XXXX? */
static __always_inline int is_group_of(const struct in6_addr *group, const struct in6_addr *target)
{
	const __be32 *g = group->in6_u.u6_addr32;

	return g[0] == bpf_htonl(0xff020000) && !g[1] && g[2] == bpf_htonl(1) &&
	       g[3] == (target->in6_u.u6_addr32[3] | bpf_htonl(0xff000000));
}

/* Is <mac> that of a group, 33:33 and the end of its address? */
static __always_inline int is_group_mac(const void *mac, const struct in6_addr *group)
{
	const __u16 *w = mac, *g = group->in6_u.u6_addr16;

	return w[0] == bpf_htons(0x3333) && w[1] == g[6] && w[2] == g[7];
}

/* Sent to the target itself, or to its group; a group's packet may come in a frame to one host (RFC 6085). */
static __always_inline int ns_is_mine(const struct ethhdr *eth, const struct ipv6hdr *ip, const struct nd *ns)
{
	if (!is_from_host(eth) || !is_simulated6(&ns->target))
		return 0;
	if (ndiv_is_same6(&ip->daddr, &ns->target))
		return is_my_mac(eth->h_dest);
	return is_group_of(&ip->daddr, &ns->target) &&
	       (is_my_mac(eth->h_dest) || is_group_mac(eth->h_dest, &ip->daddr));
}

/* Why the solicitation <ns> is not answered, but for its options: its counter, or 0. */
static __always_inline enum neigh_counter ns_fault(const struct ndiv_pkt *pkt, const struct ethhdr *eth,
						   const struct ipv6hdr *ip, const struct nd *ns)
{
	__u32 len = pkt->end - pkt->l4;

	if (ip->hop_limit != ND_HOPS)
		return NEIGH_HOP_LIMIT;
	if (ns->code || len < sizeof(*ns))
		return NEIGH_MALFORMED;
	if (!ns_is_mine(eth, ip, ns))
		return NEIGH_NOT_MINE;
	if (is_unspecified(&ip->saddr))
		return is_group_of(&ip->daddr, &ns->target) ? 0 : NEIGH_MALFORMED;
	if (ndiv_is_same6(&ip->saddr, &ns->target))
		return NEIGH_CLAIMED;
	return ndiv_is_host6(&ip->saddr) ? 0 : NEIGH_OTHER_SENDER;
}

/* One option, which is within the packet. <dad>: its sender has no address yet, so he must not say a MAC either. */
static __always_inline enum neigh_counter option_fault(const struct nd_option *option, const struct ethhdr *eth,
						       int dad)
{
	if (option->type != ND_SOURCE_MAC)
		return 0;
	if (dad || option->len != 1)
		return NEIGH_MALFORMED;
	return is_same_mac(option->mac, eth->h_source) ? 0 : NEIGH_OTHER_SENDER;
}

/* What is wrong with the options: a counter, or 0. */
static __always_inline enum neigh_counter options_fault(struct xdp_md *ctx, const struct ndiv_pkt *pkt,
							const struct ethhdr *eth, int dad)
{
	__u32 off = pkt->l4 + sizeof(struct nd);
	const struct nd_option *option;
	enum neigh_counter fault;
	int i;

	for (i = 0; i < ND_OPTIONS_MAX; i++) {
		off = ndiv_forget(pkt, off, NDIV_OFF_MASK);
		if (off >= pkt->end)
			return 0;
		option = ndiv_ptr(ctx, off, sizeof(*option));
		if (!option || !option->len || off + option->len * 8 > pkt->end)
			return NEIGH_MALFORMED;
		fault = option_fault(option, eth, dad);
		if (fault)
			return fault;
		off += option->len * 8;
	}
	return off == pkt->end ? 0 : NEIGH_MALFORMED;
}

/* The checksum of an answer whose check is 0. */
static __always_inline __be16 na_sum(const struct ipv6hdr *ip, const struct na *na)
{
	__u64 sum = ndiv_csum_pseudo6(ip, IPPROTO_ICMPV6, sizeof(*na));
	const __u32 *w = (const void *)na;
	__u32 i;

	for (i = 0; i < sizeof(*na) / 4; i++)
		sum += w[i];
	return ~ndiv_csum_fold(sum);
}

static __always_inline void na_write(struct na *na, int dad)
{
	na->nd.type = ND_ADVERTISEMENT;
	na->nd.code = 0;
	na->nd.check = 0;
	na->nd.flags = dad ? bpf_htonl(ND_OVERRIDE) : bpf_htonl(ND_OVERRIDE | ND_SOLICITED);
	na->mac.type = ND_TARGET_MAC;
	na->mac.len = 1;
	my_mac(na->mac.mac);
}

/* ff02::1. Word by word: a constant would get a section of its own, which libbpf knows nothing to do with. */
static __always_inline void write_all_nodes(struct in6_addr *addr)
{
	__be32 *a = addr->in6_u.u6_addr32;

	a[0] = bpf_htonl(0xff020000);
	a[1] = 0;
	a[2] = 0;
	a[3] = bpf_htonl(1);
	barrier();
}

/* From the target, to the asker; to all nodes if he has no address yet (RFC 4861, 7.2.4). */
static __always_inline void na_write_ip(struct ipv6hdr *ip, const struct in6_addr *target, int dad)
{
	*(__be32 *)ip = bpf_htonl(6U << 28);
	ip->payload_len = bpf_htons(sizeof(struct na));
	ip->hop_limit = ND_HOPS;
	if (dad)
		write_all_nodes(&ip->daddr);
	else
		ip->daddr = ip->saddr;
	ip->saddr = *target;
}

/*
 * The builder: turns the solicitation into its answer. Even what goes to all nodes goes in a frame to the asker alone
 * (RFC 6085): it is he who must not take the address, and the others need not be woken.
 */
static __always_inline int na_build(const struct ndiv_frame *frame, struct ndiv_pkt *pkt, __u32 index)
{
	struct ethhdr *eth = ndiv_frame_ptr(frame, 0, sizeof(*eth));
	struct ipv6hdr *ip = ndiv_frame_ptr(frame, pkt->l3, sizeof(*ip));
	struct na *na = ndiv_frame_ptr(frame, pkt->l4, sizeof(*na));
	int dad;

	if (!eth || !ip || !na)
		return -1;
	dad = is_unspecified(&ip->saddr);
	turn_eth(eth);
	na_write_ip(ip, &na->nd.target, dad);
	na_write(na, dad);
	na->nd.check = na_sum(ip, na);
	return 0;
}

#endif

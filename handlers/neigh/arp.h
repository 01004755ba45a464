/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arp.h - ARP for IPv4 on Ethernet (RFC 826, RFC 5227)
 */
#ifndef NEIGH_ARP_H
#define NEIGH_ARP_H

#include "neigh.h"

/* <linux/if_arp.h> ends before the addresses, whose lengths it does not know. */
struct arp {
	__be16	hw_type;
	__be16	proto;
	__u8	hw_len;
	__u8	proto_len;
	__be16	op;
	__u8	sender_mac[ETH_ALEN];
	__be32	sender_ip;
	__u8	target_mac[ETH_ALEN];
	__be32	target_ip;
} __attribute__((packed, aligned(2)));
_Static_assert(sizeof(struct arp) == 28, "struct arp");

enum {
	ARP_ETHERNET	= 1,
	ARP_REQUEST	= 1,
	ARP_REPLY	= 2,
};

static __always_inline int arp_is_sound(const struct arp *arp)
{
	return arp->hw_type == bpf_htons(ARP_ETHERNET) && arp->proto == bpf_htons(ETH_P_IP) &&
	       arp->hw_len == ETH_ALEN && arp->proto_len == sizeof(arp->sender_ip);
}

static __always_inline int is_broadcast_mac(const void *mac)
{
	const __u16 *w = mac;

	return (w[0] & w[1] & w[2]) == 0xffff;
}

/*
 * Why the request <arp> in frame <eth> is not answered: its counter, or 0.
 *
 * Who asks for the address that he has announces it, and wants no answer. Who has none yet probes the one that he wants
 * (sender 0.0.0.0), and must be told that it is taken.
 */
static __always_inline enum neigh_counter arp_fault(const struct ethhdr *eth, const struct arp *arp)
{
	if (!arp_is_sound(arp))
		return NEIGH_MALFORMED;
	if (!is_from_host(eth) || (!is_my_mac(eth->h_dest) && !is_broadcast_mac(eth->h_dest)))
		return NEIGH_NOT_MINE;
	if (!is_simulated4(arp->target_ip))
		return NEIGH_NOT_MINE;
	if (arp->sender_ip == arp->target_ip)
		return NEIGH_CLAIMED;
	if (!is_same_mac(arp->sender_mac, eth->h_source) || (arp->sender_ip && !ndiv_is_host4(arp->sender_ip)))
		return NEIGH_OTHER_SENDER;
	return 0;
}

/* Turns the request into its reply, in place. */
static __always_inline void arp_turn(struct ethhdr *eth, struct arp *arp)
{
	__be32 target = arp->target_ip;

	turn_eth(eth);
	arp->op = bpf_htons(ARP_REPLY);
	__builtin_memcpy(arp->target_mac, arp->sender_mac, ETH_ALEN);
	arp->target_ip = arp->sender_ip;
	my_mac(arp->sender_mac);
	arp->sender_ip = target;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bare.h - the parser of plain XDP programs: two VLAN tags, IPv4, IPv6
 *
 * Neither lengths nor checksums are verified, nor IPv6 extension headers followed.
 */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <stddef.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct tag {
	__be16	tci;
	__be16	proto;
};

/* What follows the tags at <p>; NULL if there is none. */
static __always_inline void *skip_tags(void *p, void *end, __be16 *proto)
{
	struct tag *tag;
	int i;

	for (i = 0; i < 2 && (*proto == bpf_htons(ETH_P_8021Q) || *proto == bpf_htons(ETH_P_8021AD)); i++) {
		tag = p;
		if ((void *)(tag + 1) > end)
			return NULL;
		*proto = tag->proto;
		p = tag + 1;
	}
	return p;
}

/* What follows the IP header at <p>; NULL if there is none. */
static __always_inline void *skip_ip(void *p, void *end, __be16 eth_proto, __u8 *proto)
{
	struct ipv6hdr *ip6 = p;
	struct iphdr *ip = p;

	if (eth_proto == bpf_htons(ETH_P_IP)) {
		if (!p || (void *)(ip + 1) > end || ip->ihl < 5)
			return NULL;
		*proto = ip->protocol;
		return p + ip->ihl * 4;
	}
	if (!p || eth_proto != bpf_htons(ETH_P_IPV6) || (void *)(ip6 + 1) > end)
		return NULL;
	*proto = ip6->nexthdr;
	return ip6 + 1;
}

#endif

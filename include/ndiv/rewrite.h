/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * rewrite.h - turning a packet round: addresses, ports, lengths
 *
 * None of these changes the length of the frame, so pointers stay valid.
 */
#ifndef NDIV_REWRITE_H
#define NDIV_REWRITE_H

#include <ndiv/csum.h>

/* Swaps the MAC addresses. */
static __always_inline void ndiv_swap_eth(struct ethhdr *eth)
{
	__u16 *h = (void *)eth;
	__u16 a = h[0], b = h[1], c = h[2];

	h[0] = h[3];
	h[1] = h[4];
	h[2] = h[5];
	h[3] = a;
	h[4] = b;
	h[5] = c;
}

/* Swaps source and destination; the header checksum stays right. */
static __always_inline void ndiv_swap_ip4(struct iphdr *ip)
{
	__be32 a = ip->saddr;

	ip->saddr = ip->daddr;
	ip->daddr = a;
}

static __always_inline void ndiv_swap_ip6(struct ipv6hdr *ip)
{
	struct in6_addr a = ip->saddr;

	ip->saddr = ip->daddr;
	ip->daddr = a;
}

/* Swaps the ports of a TCP or UDP header; both begin with them. */
static __always_inline void ndiv_swap_ports(struct udphdr *udp)
{
	__be16 a = udp->source;

	udp->source = udp->dest;
	udp->dest = a;
}

/* Sets the TTL, and the checksum accordingly. */
static __always_inline void ndiv_set_ttl(struct iphdr *ip, __u8 ttl)
{
	__u16 *word = (void *)&ip->ttl;
	__u16 from = *word;

	ip->ttl = ttl;
	ip->check = ndiv_csum_replace2(ip->check, from, *word);
}

/* Sets the total length to <len> bytes, and the checksum accordingly. */
static __always_inline void ndiv_set_ip4_len(struct iphdr *ip, __u16 len)
{
	__be16 to = bpf_htons(len);

	ip->check = ndiv_csum_replace2(ip->check, ip->tot_len, to);
	ip->tot_len = to;
}

/* Swaps MAC and IP addresses of <pkt>, and sets TTL or hop limit to 64. 0, or below 0 if it is no IP packet. */
static __always_inline int ndiv_turn_round(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	struct ethhdr *eth = ndiv_ptr(ctx, 0, sizeof(*eth));
	struct ipv6hdr *ip6;
	struct iphdr *ip4;

	if (!eth)
		return -1;
	if (pkt->flags & NDIV_F_IPV4) {
		ip4 = ndiv_ptr(ctx, pkt->l3, sizeof(*ip4));
		if (!ip4)
			return -1;
		ndiv_swap_ip4(ip4);
		ndiv_set_ttl(ip4, 64);
	} else {
		ip6 = ndiv_ptr(ctx, pkt->l3, sizeof(*ip6));
		if (!ip6 || !(pkt->flags & NDIV_F_IPV6))
			return -1;
		ndiv_swap_ip6(ip6);
		ip6->hop_limit = 64;
	}
	ndiv_swap_eth(eth);
	return 0;
}

/* Private: ndiv_renew_ip() for IPv4. In whole words, of which the checksum is made at once. */
static __always_inline __s64 ndiv_renew_ip4(struct iphdr *ip, __u8 proto, __u32 len)
{
	__be32 *w = (__be32 *)ip, from, to, first, second, third;

	if (!ip)
		return -1;
	from = ip->daddr;
	to = ip->saddr;
	first = bpf_htonl(0x45000000 | (sizeof(*ip) + len));
	second = bpf_htonl(0x4000);	/* don't fragment */
	third = bpf_htonl(64 << 24 | proto << 16);
	third |= (__u32)(__u16)~ndiv_csum_fold((__u64)first + second + third + from + to) << 16;
	w[0] = first;
	w[1] = second;
	w[2] = third;
	w[3] = from;
	w[4] = to;
	return (__u64)from + to + bpf_htons(proto) + bpf_htons(len);
}

/*
 * For builders: a new IP header in the place of that of <pkt>, which has neither options nor extension headers; for a
 * packet that goes back, with <len> bytes (host byte order) of protocol <proto> behind the header. Addresses are
 * swapped, TTL or hop limit is 64, IPv4 is not to be fragmented. Returns the sum of the pseudo header, or below 0.
 */
static __always_inline __s64 ndiv_renew_ip(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt, __u8 proto,
					   __u32 len)
{
	struct ipv6hdr *ip6;

	if (pkt->flags & NDIV_F_IPV4)
		return ndiv_renew_ip4(ndiv_frame_ptr(frame, pkt->l3, sizeof(struct iphdr)), proto, len);
	ip6 = ndiv_frame_ptr(frame, pkt->l3, sizeof(*ip6));
	if (!ip6)
		return -1;
	ndiv_swap_ip6(ip6);
	*(__be32 *)ip6 = bpf_htonl(0x60000000);
	ip6->payload_len = bpf_htons(len);
	ip6->nexthdr = proto;
	ip6->hop_limit = 64;
	return ndiv_csum_pseudo6(ip6, proto, len);
}

#endif

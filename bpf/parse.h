/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse.h - the parser: the only place that walks headers
 *
 * Fills struct ndiv_pkt from the linear part of a packet. Returns 0, or the reason (enum ndiv_reason) why the packet is
 * malformed; the flags and offsets found until then stay, so that a handler of malformed packets knows how far it is
 * sound. Called at the start of both paths, with pointers of the one or the other.
 */
#ifndef NDIV_PARSE_H
#define NDIV_PARSE_H

#include <ndiv/csum.h>

struct vlan_tag {
	__be16	tci;
	__be16	proto;		/* EtherType of what follows */
};

struct frag6 {
	__u8	next;
	__u8	reserved;
	__be16	off;		/* in units of 8 bytes << 3, and the flag "more" */
	__be32	id;
};

/* What the parser walks over. */
struct cursor {
	void	*data;
	void	*end;		/* of the linear part */
	__u32	len;		/* of the frame */
};

static __always_inline int is_vlan(__be16 proto)
{
	return proto == bpf_htons(ETH_P_8021Q) || proto == bpf_htons(ETH_P_8021AD);
}

/* Removes nothing: steps over up to two tags. <p> follows the Ethernet header. */
static __always_inline int parse_vlans(const struct cursor *cur, void **p, struct ndiv_pkt *pkt)
{
	__be16 proto = pkt->eth_proto;
	struct vlan_tag *tag;
	int i;

	for (i = 0; i < 2 && is_vlan(proto); i++) {
		tag = *p;
		if ((void *)(tag + 1) > cur->end)
			return NDIV_R_VLAN_SHORT;
		pkt->vlan[i] = bpf_ntohs(tag->tci);
		pkt->vlan_proto[i] = proto;
		pkt->flags |= i ? NDIV_F_VLAN2 : NDIV_F_VLAN1;
		proto = tag->proto;
		*p = tag + 1;
	}
	pkt->eth_proto = proto;
	return 0;
}

static __always_inline int parse_tcp(const struct cursor *cur, void *p, struct ndiv_pkt *pkt)
{
	struct tcphdr *tcp = p;
	__u32 doff;

	if ((void *)(tcp + 1) > cur->end || pkt->l4 + sizeof(*tcp) > pkt->end)
		return NDIV_R_L4_SHORT;
	doff = tcp->doff * 4;
	if (doff < sizeof(*tcp) || pkt->l4 + doff > pkt->end)
		return NDIV_R_TCP_DOFF;
	pkt->payload = pkt->l4 + doff;
	pkt->flags |= NDIV_F_TCP;
	return 0;
}

static __always_inline int parse_udp(const struct cursor *cur, void *p, struct ndiv_pkt *pkt)
{
	struct udphdr *udp = p;
	__u32 len;

	if ((void *)(udp + 1) > cur->end || pkt->l4 + sizeof(*udp) > pkt->end)
		return NDIV_R_L4_SHORT;
	len = bpf_ntohs(udp->len);
	if (len < sizeof(*udp))
		return NDIV_R_UDP_LEN;
	if (pkt->l4 + len > pkt->end && !(pkt->flags & NDIV_F_FRAG))
		return NDIV_R_UDP_LEN;
	pkt->payload = pkt->l4 + sizeof(*udp);
	pkt->flags |= NDIV_F_UDP;
	return 0;
}

static __always_inline int parse_icmp(const struct cursor *cur, void *p, struct ndiv_pkt *pkt, __u32 flag)
{
	struct ndiv_icmp *icmp = p;

	if ((void *)(icmp + 1) > cur->end || pkt->l4 + sizeof(*icmp) > pkt->end)
		return NDIV_R_L4_SHORT;
	pkt->flags |= flag;
	return 0;
}

/* The header at pkt->l4. */
static __always_inline int parse_l4(const struct cursor *cur, struct ndiv_pkt *pkt)
{
	void *p = cur->data + (pkt->l4 & NDIV_OFF_MASK);

	pkt->payload = pkt->l4;
	if (pkt->flags & NDIV_F_FRAG_LATER)
		return 0;
	/* Behind so many extension headers nobody could reach it: NDIV_OFF_MASK. 60 is the longest header. */
	if (pkt->l4 > NDIV_OFF_MASK - 60)
		return NDIV_R_L4_SHORT;
	switch (pkt->proto) {
	case IPPROTO_TCP:
		return parse_tcp(cur, p, pkt);
	case IPPROTO_UDP:
		return parse_udp(cur, p, pkt);
	case IPPROTO_ICMP:
		return pkt->flags & NDIV_F_IPV4 ? parse_icmp(cur, p, pkt, NDIV_F_ICMP) : 0;
	case IPPROTO_ICMPV6:
		return pkt->flags & NDIV_F_IPV6 ? parse_icmp(cur, p, pkt, NDIV_F_ICMP6) : 0;
	}
	return 0;
}

/* Offset <off> in bytes, with <more> to follow, <len> bytes of data. */
static __always_inline int parse_frag(struct ndiv_pkt *pkt, __u32 off, __u32 more, __u32 len, int bad)
{
	pkt->flags |= off ? NDIV_F_FRAG_LATER : NDIV_F_FRAG_FIRST;
	if (off + len > 65535 || (more && (len & 7)))
		return bad;
	return 0;
}

static __always_inline int ip4_sum_wrong(const struct cursor *cur, const struct iphdr *ip, __u32 hlen)
{
	const __u32 *w = (const void *)(ip + 1);
	__u64 sum = ndiv_csum_ip4(ip);
	__u32 i;

	for (i = 5; i < 15; i++) {
		if (i >= hlen / 4)
			break;
		/* Else clang counts words instead of comparing pointers, and the verifier is lost. */
		barrier_var(w);
		if ((void *)(w + 1) > cur->end)
			return 1;
		sum += *w++;
	}
	return ndiv_csum_fold(sum) != 0xffff;
}

static __always_inline int parse_ip4(const struct cursor *cur, void *p, struct ndiv_pkt *pkt)
{
	struct iphdr *ip = p;
	__u32 hlen, len, off;
	int bad;

	if ((void *)(ip + 1) > cur->end)
		return NDIV_R_IP4_SHORT;
	if (ip->version != 4)
		return NDIV_R_IP4_VERSION;
	hlen = ip->ihl * 4;
	len = bpf_ntohs(ip->tot_len);
	if (hlen < sizeof(*ip) || hlen > len)
		return NDIV_R_IP4_IHL;
	if (pkt->l3 + len > cur->len)
		return NDIV_R_IP4_LEN;
	pkt->end = pkt->l3 + len;
	if (p + hlen > cur->end)
		return NDIV_R_IP4_SHORT;
	if (ip4_sum_wrong(cur, ip, hlen)) {
		pkt->flags |= NDIV_F_L3_BAD;
		return NDIV_R_IP4_CSUM;
	}
	pkt->flags |= NDIV_F_IPV4;
	if (hlen > sizeof(*ip))
		pkt->flags |= NDIV_F_IP_EXT;
	pkt->proto = ip->protocol;
	off = bpf_ntohs(ip->frag_off);
	if (off & 0x3fff) {
		bad = parse_frag(pkt, (off & 0x1fff) * 8, off & 0x2000, len - hlen, NDIV_R_IP4_FRAG);
		if (bad)
			return bad;
	}
	pkt->l4 = pkt->l3 + hlen;
	barrier();
	return parse_l4(cur, pkt);
}

static __always_inline int is_ext6(__u8 proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_DSTOPTS || proto == IPPROTO_AH;
}

/* A fragment header at <p>. An atomic fragment (RFC 6946) is no fragment. */
static __always_inline int parse_frag6(struct frag6 *frag, struct ndiv_pkt *pkt, __u32 at)
{
	__u32 off = bpf_ntohs(frag->off);

	pkt->proto = frag->next;
	if (!(off & 0xfff9))
		return 0;
	return parse_frag(pkt, off & 0xfff8, off & 1, pkt->end - at - sizeof(*frag), NDIV_R_IP6_FRAG);
}

/*
 * One extension header, at pkt->l4, whose type is pkt->proto. What the loop carries lives in <pkt> only, and the
 * caller's barrier makes the compiler believe it: so the verifier sees the same state in each round, and does not try
 * all chains.
 */
static __always_inline int parse_ext6(const struct cursor *cur, struct ndiv_pkt *pkt)
{
	__u32 at = pkt->l4, len = 8;
	__u8 type = pkt->proto;
	__u8 *ext = cur->data + (at & NDIV_OFF_MASK);
	int bad = 0;

	if (at > NDIV_OFF_MASK || ext + 8 > (__u8 *)cur->end || at + 8 > pkt->end)
		return NDIV_R_IP6_EXT;
	if (type == IPPROTO_FRAGMENT) {
		bad = parse_frag6((struct frag6 *)ext, pkt, at);
	} else {
		len = type == IPPROTO_AH ? (ext[1] + 2) * 4 : (ext[1] + 1) * 8;
		pkt->proto = ext[0];
	}
	if (at + len > pkt->end)
		return NDIV_R_IP6_EXT;
	pkt->flags |= NDIV_F_IP_EXT;
	pkt->l4 = at + len;
	return bad;
}

static __always_inline int is_frag_or_ext6(__u8 proto)
{
	return is_ext6(proto) || proto == IPPROTO_FRAGMENT;
}

/* Steps over extension headers; behind a later fragment's header there are none, whatever it says comes next. */
static __always_inline int parse_exts6(const struct cursor *cur, struct ndiv_pkt *pkt)
{
	int bad, i;

	for (i = 0; i < NDIV_EXT_MAX; i++) {
		barrier();
		if (!is_frag_or_ext6(pkt->proto) || pkt->flags & NDIV_F_FRAG_LATER)
			return 0;
		bad = parse_ext6(cur, pkt);
		if (bad)
			return bad;
	}
	barrier();
	return is_frag_or_ext6(pkt->proto) && !(pkt->flags & NDIV_F_FRAG_LATER) ? NDIV_R_IP6_EXT : 0;
}

static __always_inline int parse_ip6(const struct cursor *cur, void *p, struct ndiv_pkt *pkt)
{
	struct ipv6hdr *ip = p;
	__u32 end;
	int bad;

	if ((void *)(ip + 1) > cur->end)
		return NDIV_R_IP6_SHORT;
	if (ip->version != 6)
		return NDIV_R_IP6_VERSION;
	end = pkt->l3 + sizeof(*ip) + bpf_ntohs(ip->payload_len);
	if (end > cur->len || (!ip->payload_len && ip->nexthdr != IPPROTO_NONE))
		return NDIV_R_IP6_LEN;
	pkt->end = end;
	pkt->flags |= NDIV_F_IPV6;
	pkt->proto = ip->nexthdr;
	pkt->l4 = pkt->l3 + sizeof(*ip);
	if (is_frag_or_ext6(pkt->proto)) {
		bad = parse_exts6(cur, pkt);
		pkt->payload = pkt->l4;
		if (bad)
			return bad;
	}
	barrier();
	return parse_l4(cur, pkt);
}

static __always_inline int parse_l3(const struct cursor *cur, void *p, struct ndiv_pkt *pkt)
{
	pkt->l3 = p - cur->data;
	pkt->l4 = pkt->l3;
	pkt->payload = pkt->l3;
	if (pkt->eth_proto == bpf_htons(ETH_P_IP))
		return parse_ip4(cur, p, pkt);
	if (pkt->eth_proto == bpf_htons(ETH_P_IPV6))
		return parse_ip6(cur, p, pkt);
	return 0;
}

/* All fields that the parser does not set on every packet are set to "nothing" by the caller. */
static __always_inline int ndiv_parse(const struct cursor *cur, struct ndiv_pkt *pkt)
{
	struct ethhdr *eth = cur->data;
	void *p = eth + 1;
	int bad;

	pkt->end = pkt->len;
	pkt->l3 = 0;
	pkt->l4 = 0;
	pkt->payload = 0;
	pkt->eth_proto = 0;
	if (p > cur->end)
		return NDIV_R_ETH_SHORT;
	pkt->eth_proto = eth->h_proto;
	if (is_vlan(eth->h_proto)) {
		bad = parse_vlans(cur, &p, pkt);
		if (bad)
			return bad;
	}
	return parse_l3(cur, p, pkt);
}

#endif

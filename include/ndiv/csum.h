/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * csum.h - Internet checksums for handlers (RFC 1071, incremental: RFC 1624)
 *
 * Sums are kept unfolded in 32 bits and in the byte order of the packet: a sum of 16-bit words of the packet as the
 * CPU reads them. All functions are inlined.
 */
#ifndef NDIV_CSUM_H
#define NDIV_CSUM_H

#include <ndiv/handler.h>

/* Folds <sum> to 16 bits, not inverted. With its halves swapped and added, the upper one is the sum, carry included. */
static __always_inline __u16 ndiv_csum_fold(__u64 sum)
{
	__u32 half;

	sum += sum << 32 | sum >> 32;
	half = sum >> 32;
	half += half << 16 | half >> 16;
	return half >> 16;
}

/* Checksum field <old> after a 16-bit word of the packet changed <from> -> <to> (RFC 1624, eqn. 3). */
static __always_inline __u16 ndiv_csum_replace2(__u16 old, __u16 from, __u16 to)
{
	return ~ndiv_csum_fold((__u32)(__u16)~old + (__u16)~from + to);
}

/* Likewise for a 32-bit word. */
static __always_inline __u16 ndiv_csum_replace4(__u16 old, __u32 from, __u32 to)
{
	return ~ndiv_csum_fold((__u64)(__u16)~old + (__u32)~from + to);
}

/* Sum of the IPv4 header <ip> without options; a right header folds to 0xffff. */
static __always_inline __u64 ndiv_csum_ip4(const struct iphdr *ip)
{
	const __u32 *w = (const void *)ip;

	return (__u64)w[0] + w[1] + w[2] + w[3] + w[4];
}

/* Writes the header checksum of <ip>, which has no options. */
static __always_inline void ndiv_csum_ip4_set(struct iphdr *ip)
{
	ip->check = 0;
	ip->check = ~ndiv_csum_fold(ndiv_csum_ip4(ip));
}

/* Sum of the IPv4 pseudo header for <len> bytes (host byte order) of protocol <proto>. */
static __always_inline __u64 ndiv_csum_pseudo4(const struct iphdr *ip, __u8 proto, __u32 len)
{
	return (__u64)ip->saddr + ip->daddr + bpf_htons(proto) + bpf_htons(len);
}

/* Likewise for IPv6 (RFC 8200, 8.1). */
static __always_inline __u64 ndiv_csum_pseudo6(const struct ipv6hdr *ip, __u8 proto, __u32 len)
{
	const __u32 *s = ip->saddr.in6_u.u6_addr32;
	const __u32 *d = ip->daddr.in6_u.u6_addr32;

	return (__u64)s[0] + s[1] + s[2] + s[3] + d[0] + d[1] + d[2] + d[3] + bpf_htonl(proto) + bpf_htonl(len);
}

/* Sum of four words. */
static __always_inline __u64 ndiv_csum_words(const __u32 *w)
{
	return (__u64)w[0] + w[1] + w[2] + w[3];
}

/* Adds <len> bytes (below 64) at <p> to <sum>, in pieces of half the length each. <end> bounds the packet. */
static __always_inline __s64 ndiv_csum_rest(const void *p, const void *end, __u32 len, __u64 sum)
{
	if (len & 32) {
		if (p + 32 > end)
			return -1;
		sum += ndiv_csum_words(p) + ndiv_csum_words(p + 16);
		p += 32;
	}
	if (len & 16) {
		if (p + 16 > end)
			return -1;
		sum += ndiv_csum_words(p);
		p += 16;
	}
	if (len & 8) {
		if (p + 8 > end)
			return -1;
		sum += (__u64) * (const __u32 *)p + *(const __u32 *)(p + 4);
		p += 8;
	}
	if (len & 4) {
		if (p + 4 > end)
			return -1;
		sum += *(const __u32 *)p;
		p += 4;
	}
	if (len & 2) {
		if (p + 2 > end)
			return -1;
		sum += *(const __u16 *)p;
		p += 2;
	}
	if (len & 1) {
		if (p + 1 > end)
			return -1;
		sum += bpf_htons(*(const __u8 *)p << 8);
	}
	return ndiv_csum_fold(sum);
}

/* Private: end of the linear part of <frame>. */
static __always_inline const void *ndiv_frame_end(const struct ndiv_frame *frame)
{
	return frame->is_skb ? ndiv_skb_data_end(frame->skb) : ndiv_data_end(frame->xdp);
}

/*
 * Sum of <len> bytes at offset <off> of the linear part, added to <sum>; folded to 16 bits, not inverted. Below 0 if
 * they are not all there, or lie beyond 16 kB.
 *
 * <off> is masked in each round, behind the compiler's back: for the verifier, it is the same in all rounds and at all
 * exits then. Otherwise it follows the 32 x 7 x 15 ways through the loops one by one, 750000 instructions.
 */
static __always_inline __s64 ndiv_csum_frame(const struct ndiv_frame *frame, __u32 off, __u32 len, __u64 sum)
{
	__u32 acc = ndiv_csum_fold(sum);
	const void *p;
	__u32 i;

	if (off > NDIV_OFF_MASK || len > NDIV_OFF_MASK || off + len > NDIV_OFF_MASK)
		return -1;
	for (i = 0; i < 32 && len >= 512; i++) {
		barrier_var(off);
		off &= NDIV_OFF_MASK;
		p = ndiv_frame_ptr(frame, off, 512);
		if (!p)
			return -1;
		acc = bpf_csum_diff(NULL, 0, (__be32 *)p, 512, acc);
		off += 512;
		len -= 512;
	}
	for (i = 0; i < 7 && len >= 64; i++) {
		barrier_var(off);
		off &= NDIV_OFF_MASK;
		p = ndiv_frame_ptr(frame, off, 64);
		if (!p)
			return -1;
		acc = bpf_csum_diff(NULL, 0, (__be32 *)p, 64, acc);
		off += 64;
		len -= 64;
	}
	if (len >= 64)
		return -1;
	if (!len)
		return ndiv_csum_fold(acc);
	barrier_var(off);
	p = ndiv_frame_ptr(frame, off, 1);
	return p ? ndiv_csum_rest(p, ndiv_frame_end(frame), len, acc) : -1;
}

/* The same for a packet in the receive path. */
static __always_inline __s64 ndiv_csum_linear(struct xdp_md *ctx, __u32 off, __u32 len, __u64 sum)
{
	struct ndiv_frame frame = { .xdp = ctx };

	return ndiv_csum_frame(&frame, off, len, sum);
}

/* Bytes of a chunk that is copied out of a packet of several buffers to be summed: few, as the stack has 512 in all. */
#define NDIV_CSUM_CHUNK	112

/* As ndiv_csum_linear(), for bytes anywhere in a packet of several buffers, by copies. Slower. */
static __always_inline __s64 ndiv_csum_frags(struct xdp_md *ctx, __u32 off, __u32 len, __u64 sum)
{
	__u32 acc = ndiv_csum_fold(sum);
	__u8 chunk[NDIV_CSUM_CHUNK];
	__u64 last;
	__u32 i;

	for (i = 0; i < 65536 / NDIV_CSUM_CHUNK && len >= NDIV_CSUM_CHUNK; i++) {
		if (bpf_xdp_load_bytes(ctx, off, chunk, NDIV_CSUM_CHUNK))
			return -1;
		acc = bpf_csum_diff(NULL, 0, (__be32 *)chunk, NDIV_CSUM_CHUNK, acc);
		off += NDIV_CSUM_CHUNK;
		len -= NDIV_CSUM_CHUNK;
	}
	if (!len)
		return ndiv_csum_fold(acc);
	last = (__u64)len - 1;
	barrier_var(last);
	if (last >= NDIV_CSUM_CHUNK - 1)
		return -1;
	barrier_var(last);	/* the register that was compared, so that Linux 6.1 sees both bounds of the length */
	__builtin_memset(chunk, 0, sizeof(chunk));
	if (bpf_xdp_load_bytes(ctx, off, chunk, last + 1))
		return -1;
	return ndiv_csum_fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)chunk, NDIV_CSUM_CHUNK, acc));
}

/* Sum of the pseudo header of <pkt>, for <len> bytes. Below 0 if there is no IP header. */
static __always_inline __s64 ndiv_csum_pseudo(struct xdp_md *ctx, const struct ndiv_pkt *pkt, __u32 len)
{
	const struct ipv6hdr *ip6;
	const struct iphdr *ip4;

	if (pkt->flags & NDIV_F_IPV4) {
		ip4 = ndiv_ptr(ctx, pkt->l3, sizeof(*ip4));
		return ip4 ? (__s64)ndiv_csum_pseudo4(ip4, pkt->proto, len) : -1;
	}
	ip6 = ndiv_ptr(ctx, pkt->l3, sizeof(*ip6));
	return ip6 ? (__s64)ndiv_csum_pseudo6(ip6, pkt->proto, len) : -1;
}

/* Private: bytes that the checksum covers. UDP has a length of its own, which may be shorter than the IP packet's. */
static __always_inline __u32 ndiv_l4_len(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	const struct udphdr *udp;

	if (pkt->flags & NDIV_F_UDP) {
		udp = ndiv_ptr(ctx, pkt->l4, sizeof(*udp));
		if (udp)
			return bpf_ntohs(udp->len);
	}
	return pkt->end - pkt->l4;
}

/* Private: folded sum of pseudo header (none for ICMP) and L4 part, or below 0. */
static __always_inline __s64 ndiv_l4_sum(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	__u32 linear = ndiv_linear(ctx);
	__u32 len = ndiv_l4_len(ctx, pkt);
	__s64 sum = 0;

	if (!(pkt->flags & NDIV_F_ICMP))
		sum = ndiv_csum_pseudo(ctx, pkt, len);
	if (sum < 0)
		return sum;
	if (pkt->end <= linear)
		return ndiv_csum_linear(ctx, pkt->l4, len, sum);
	return ndiv_csum_frags(ctx, pkt->l4, len, sum);
}

/*
 * Verifies the checksum of a TCP, UDP, ICMP or ICMPv6 packet that is no fragment, once: the result stays in pkt->flags
 * for the handlers that follow. 1: right (or UDP over IPv4 without one, RFC 768). 0: wrong, or there is none to verify.
 */
static __always_inline int ndiv_l4_verify(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	const struct udphdr *udp;

	if (pkt->flags & (NDIV_F_L4_GOOD | NDIV_F_L4_BAD))
		return !!(pkt->flags & NDIV_F_L4_GOOD);
	if (pkt->flags & NDIV_F_FRAG)
		return 0;
	if (!(pkt->flags & (NDIV_F_TCP | NDIV_F_UDP | NDIV_F_ICMP | NDIV_F_ICMP6)))
		return 0;
	if (pkt->flags & NDIV_F_UDP) {
		udp = ndiv_ptr(ctx, pkt->l4, sizeof(*udp));
		if (udp && !udp->check) {
			pkt->flags |= pkt->flags & NDIV_F_IPV4 ? NDIV_F_L4_GOOD : NDIV_F_L4_BAD;
			return !!(pkt->flags & NDIV_F_IPV4);
		}
	}
	if (ndiv_l4_sum(ctx, pkt) == 0xffff) {
		pkt->flags |= NDIV_F_L4_GOOD;
		return 1;
	}
	pkt->flags |= NDIV_F_L4_BAD;
	return 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build.h - the builder that "long" and "burst" share: a UDP reply of any length, made out of what was received
 */
#ifndef T_BUILD_H
#define T_BUILD_H

#include "t.h"
#include <ndiv/rewrite.h>

#define BUILD_MAX	4000	/* bytes of payload */

#define BUILD_4(s)	s s s s
#define BUILD_16(s)	BUILD_4(BUILD_4(s))

/* At least BUILD_MAX + 15 bytes; packet <index> begins with byte <index> of it. */
static const char build_fill[] = BUILD_16(BUILD_16("ABCDEFGHIJKLMNOP"));
_Static_assert(sizeof(build_fill) > BUILD_MAX + 15, "build_fill");

/* Header of the reply of <len> bytes: turned round, lengths and checksums right; no UDP checksum in IPv4. */
static __always_inline int build_headers(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt, __u32 len)
{
	struct ethhdr *eth = ndiv_frame_ptr(frame, 0, sizeof(*eth));
	struct iphdr *ip = ndiv_frame_ptr(frame, pkt->l3, sizeof(*ip));
	struct udphdr *udp = ndiv_frame_ptr(frame, pkt->l4, sizeof(*udp));

	if (!eth || !ip || !udp || !(pkt->flags & NDIV_F_IPV4))
		return -1;
	ndiv_swap_eth(eth);
	ndiv_swap_ip4(ip);
	ndiv_set_ttl(ip, 64);
	ndiv_set_ip4_len(ip, len - pkt->l3);
	ndiv_swap_ports(udp);
	udp->len = bpf_htons(len - pkt->l4);
	udp->check = 0;
	return 0;
}

/* Packet <index>, <len> bytes long; its payload is the pattern T_FILL(). */
static __always_inline int build_packet(const struct ndiv_frame *frame, struct ndiv_pkt *pkt, __u32 index, __u32 len)
{
	__u32 off = pkt->l4 + sizeof(struct udphdr);
	__u32 n = len - off;

	if (len < pkt->out_len && ndiv_frame_trim(frame, len))
		return -1;
	if (build_headers(frame, pkt, len))
		return -1;
	/* else clang tests <len> instead, which tells the verifier nothing about <n> */
	barrier_var(n);
	if (!n || n > BUILD_MAX)
		return -1;
	return ndiv_frame_store(frame, off, build_fill + (index & 15), n);
}

#endif

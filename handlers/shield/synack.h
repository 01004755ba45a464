/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * synack.h - writes the SYN-ACK over the SYN, its options in the order in which Linux has them
 */
#ifndef NDIV_SHIELD_SYNACK_H
#define NDIV_SHIELD_SYNACK_H

#include <ndiv/rewrite.h>
#include "options.h"

/* From handler to builder. */
struct synack_args {
	__u32	isn, tsval;
	__be32	tsecr;
	__u16	window;
	__u16	mss;
	__u8	wscale;			/* the service's; WSCALE_NONE: not offered */
	__u8	sack, ts, ecn;
};
_Static_assert(sizeof(struct synack_args) <= NDIV_ARGS_LEN, "struct synack_args");

/* Words of options: MSS; timestamps, with SACK in front; SACK alone; scale. */
static __always_inline __u32 synack_words(const struct synack_args *args)
{
	return 1 + (args->ts ? 3 : args->sack) + (args->wscale != WSCALE_NONE);
}

static __always_inline __u32 synack_len(const struct synack_args *args)
{
	return TCP_LEN + 4 * synack_words(args);
}

/* One word of options at *<off>, which it moves on. Its sum, or below 0. */
static __always_inline __s64 put_word(const struct ndiv_frame *frame, __u32 *off, __be32 word)
{
	__be32 *p = ndiv_frame_ptr(frame, *off, sizeof(*p));

	if (!p)
		return -1;
	*p = word;
	*off += sizeof(*p);
	return word;
}

/* Timestamps, with SACK in front or alone. Their sum, or below 0. */
static __always_inline __s64 put_stamps(const struct ndiv_frame *frame, __u32 *off, const struct synack_args *args)
{
	__be32 *p = ndiv_frame_ptr(frame, *off, 12), head = bpf_htonl(args->sack ? LINUX_SACK_TS : LINUX_TS);
	__be32 tsval = bpf_htonl(args->tsval);

	if (!p)
		return -1;
	p[0] = head;
	p[1] = tsval;
	p[2] = args->tsecr;
	*off += 12;
	return (__u64)head + tsval + args->tsecr;
}

static __always_inline __s64 put_options(const struct ndiv_frame *frame, __u32 off, const struct synack_args *args)
{
	__s64 sum = put_word(frame, &off, bpf_htonl(LINUX_MSS | args->mss)), more = 0;

	if (sum < 0)
		return -1;
	if (args->ts)
		more = put_stamps(frame, &off, args);
	else if (args->sack)
		more = put_word(frame, &off, bpf_htonl(0x01010402));
	if (more < 0)
		return -1;
	sum += more;
	if (args->wscale == WSCALE_NONE)
		return sum;
	more = put_word(frame, &off, bpf_htonl(LINUX_WSCALE | args->wscale));
	return more < 0 ? -1 : sum + more;
}

/* The TCP header with a checksum of 0. Sum of header and options, or below 0. */
static __always_inline __s64 put_tcp(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
				     const struct synack_args *args)
{
	__u32 flags = TCP_SYN | TCP_ACK | (args->ecn ? TCP_ECE : 0);
	__be32 *tcp, ports, seq, ack, rest;
	__s64 options;

	options = put_options(frame, pkt->l4 + TCP_LEN, args);
	tcp = ndiv_frame_ptr(frame, pkt->l4, TCP_LEN);
	if (options < 0 || !tcp)
		return -1;
	ports = tcp[0] << 16 | tcp[0] >> 16;
	seq = bpf_htonl(args->isn);
	ack = bpf_htonl(bpf_ntohl(tcp[1]) + 1);
	rest = bpf_htonl(synack_len(args) << 26 | flags << 16 | args->window);
	tcp[0] = ports;
	tcp[1] = seq;
	tcp[2] = ack;
	tcp[3] = rest;
	tcp[4] = 0;
	return (__u64)ports + seq + ack + rest + options;
}

static __always_inline int synack_build(const struct ndiv_frame *frame, struct ndiv_pkt *pkt, __u32 index)
{
	const struct synack_args *args = ndiv_args(pkt);
	__u32 len = synack_len(args);
	__s64 header, pseudo;
	struct ethhdr *eth;
	struct tcphdr *tcp;

	header = put_tcp(frame, pkt, args);
	pseudo = ndiv_renew_ip(frame, pkt, IPPROTO_TCP, len);
	eth = ndiv_frame_ptr(frame, 0, sizeof(*eth));
	tcp = ndiv_frame_ptr(frame, pkt->l4, sizeof(*tcp));
	if (header < 0 || pseudo < 0 || !eth || !tcp)
		return -1;
	ndiv_swap_eth(eth);
	tcp->check = ~ndiv_csum_fold(header + pseudo);
	return ndiv_frame_clear(frame, pkt->l4 + len, pkt->out_len);
}

#endif

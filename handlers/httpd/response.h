/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * response.h - writes a packet, over the one that asks for it
 */
#ifndef NDIV_HTTPD_RESPONSE_H
#define NDIV_HTTPD_RESPONSE_H

#include <ndiv/rewrite.h>
#include "pages.h"
#include "tcp.h"

/* What the asking packet's TCP header says, before it is overwritten. */
struct asked {
	__be32	ack_seq;
	__be32	tsval, tsecr;	/* the client's timestamp, and ours, which it echoes */
};

static __always_inline __u32 tcp_len(const struct httpd_args *args)
{
	return TCP_LEN + (args->kind == HTTPD_K_SYNACK ? MSS_LEN : 0) + (args->ts ? TS_LEN : 0);
}

static __always_inline int read_asked(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
				      const struct httpd_args *args, struct asked *asked)
{
	const struct tcphdr *tcp = ndiv_frame_ptr(frame, pkt->l4, sizeof(*tcp));
	const __be32 *ts;

	if (!tcp)
		return -1;
	asked->ack_seq = tcp->ack_seq;
	asked->tsval = args->tsecr;
	asked->tsecr = args->tsval;
	if (!args->ts || args->kind != HTTPD_K_RESPONSE)
		return 0;
	ts = ndiv_frame_ptr(frame, pkt->l4 + args->ts + 2, 8);
	if (!ts)
		return -1;
	asked->tsval = ts[0];
	asked->tsecr = ts[1];
	return 0;
}

static __always_inline __u32 flags_of(const struct httpd_args *args)
{
	switch (args->kind) {
	case HTTPD_K_SYNACK:
		return TCP_SYN | TCP_ACK;
	case HTTPD_K_RST:
		return TCP_RST;
	case HTTPD_K_FIN:
		return TCP_FIN | TCP_ACK;
	case HTTPD_K_RESPONSE:
		return TCP_ACK | 8 | (args->fin ? TCP_FIN : 0);	/* 8: push */
	}
	return TCP_ACK;
}

/* Timestamp option at <off>: ours is the hash that the client echoes, or that it is going to. */
static __always_inline int write_ts(const struct ndiv_frame *frame, __u32 off, const struct asked *asked)
{
	__be32 *opt = ndiv_frame_ptr(frame, off, TS_LEN);

	if (!opt)
		return -1;
	opt[0] = bpf_htonl(0x0101080a);
	opt[1] = asked->tsecr;
	opt[2] = asked->tsval;
	return 0;
}

static __always_inline int write_tcp(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
				     const struct httpd_args *args)
{
	struct asked asked;
	struct tcphdr *tcp;
	__u32 off = pkt->l4 + TCP_LEN;
	__be32 *mss;

	if (read_asked(frame, pkt, args, &asked))
		return -1;
	tcp = ndiv_frame_ptr(frame, pkt->l4, sizeof(*tcp));
	if (!tcp)
		return -1;
	ndiv_swap_ports((struct udphdr *)tcp);
	tcp->seq = args->kind == HTTPD_K_SYNACK ? bpf_htonl(args->isn) : asked.ack_seq;
	tcp->ack_seq = args->kind == HTTPD_K_RST ? 0 : bpf_htonl(args->ack);
	((__be16 *)tcp)[6] = bpf_htons(tcp_len(args) << 10 | flags_of(args));
	tcp->window = 0xffff;
	tcp->check = 0;
	tcp->urg_ptr = 0;
	if (args->kind == HTTPD_K_SYNACK) {
		mss = ndiv_frame_ptr(frame, off, MSS_LEN);
		if (!mss)
			return -1;
		*mss = bpf_htonl(0x02040000 | (pkt->flags & NDIV_F_IPV4 ? 1460 : 1440));
		off += MSS_LEN;
	}
	return args->ts ? write_ts(frame, off, &asked) : 0;
}

/*
 * ndiv_frame_store() of 1 to <max> bytes. Linux 6.1 has to see both bounds in the very register that goes to the
 * helper: so it is made from the one that is compared, and the compiler must not know that it had the sum before.
 */
static __always_inline int store(const struct ndiv_frame *frame, __u32 off, const void *from, __u32 len, __u32 max)
{
	__u64 last = (__u64)len - 1;

	barrier_var(last);
	if (last > max - 1)
		return -1;
	barrier_var(last);
	if (!frame->is_skb)
		return bpf_xdp_store_bytes(frame->xdp, off, (void *)from, last + 1);
	return bpf_skb_store_bytes(frame->skb, off, from, last + 1, 0);
}

/* The object's first part and dots are written whole; the rest comes over the dots that are too many. */
static __always_inline int write_object(const struct ndiv_frame *frame, const struct httpd_args *args, __u32 off)
{
	__u32 len = (args->fin ? CLOSE_REST : KEEP_REST) + args->body;
	struct object_page *page = args->fin ? &object_close : &object_keep;
	char *first = ndiv_frame_ptr(frame, off, sizeof(page->first));

	if (!first)
		return -1;
	__builtin_memcpy(first, page->first, sizeof(page->first));
	return store(frame, off + OBJECT_FIRST + args->pad, page->rest, len, sizeof(page->rest));
}

static __always_inline int write_text(const struct ndiv_frame *frame, const struct httpd_args *args, __u32 off)
{
	struct text_page *page = text_page(args->page, args->fin);
	__u32 first = page->first_len + args->pad, rest = page->rest_len + args->body;

	if (store(frame, off, page->first, first, sizeof(page->first)))
		return -1;
	return store(frame, off + first, page->rest, rest, sizeof(page->rest));
}

static __always_inline int write_payload(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
					 const struct httpd_args *args)
{
	__u32 off = pkt->l4 + tcp_len(args);
	char *digits;
	int err;

	if (args->page == HTTPD_PAGE_OK)
		err = write_object(frame, args, off);
	else
		err = write_text(frame, args, off);
	if (err)
		return err;
	digits = ndiv_frame_ptr(frame, args->end - args->body - NUMBER_LEN, HTTPD_DIGITS);
	if (!digits)
		return -1;
	__builtin_memcpy(digits, args->digits, HTTPD_DIGITS);
	return 0;
}

/* Header of IPv4 or IPv6, new but for the addresses; returns the sum of the pseudo header, or below 0. */
static __always_inline __s64 write_ip(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
				      const struct httpd_args *args)
{
	__u32 len = args->end - pkt->l3;
	struct ipv6hdr *ip6;
	struct iphdr *ip4;

	if (pkt->flags & NDIV_F_IPV4) {
		ip4 = ndiv_frame_ptr(frame, pkt->l3, sizeof(*ip4));
		if (!ip4)
			return -1;
		ndiv_swap_ip4(ip4);
		*(__be16 *)ip4 = bpf_htons(0x4500);
		ip4->tot_len = bpf_htons(len);
		ip4->id = 0;
		ip4->frag_off = bpf_htons(0x4000);	/* don't fragment */
		ip4->ttl = 64;
		ndiv_csum_ip4_set(ip4);
		return ndiv_csum_pseudo4(ip4, IPPROTO_TCP, args->end - pkt->l4);
	}
	ip6 = ndiv_frame_ptr(frame, pkt->l3, sizeof(*ip6));
	if (!ip6)
		return -1;
	ndiv_swap_ip6(ip6);
	*(__be32 *)ip6 = bpf_htonl(0x60000000);
	ip6->payload_len = bpf_htons(len - sizeof(*ip6));
	ip6->hop_limit = 64;
	return ndiv_csum_pseudo6(ip6, IPPROTO_TCP, args->end - pkt->l4);
}

/* Bytes of the asking packet must not be sent back as padding. */
static __always_inline int clear_padding(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
					 const struct httpd_args *args)
{
	static const __u8 zeros[8];
	__u32 len = pkt->out_len - args->end;

	if (!len)
		return 0;
	return store(frame, args->end, zeros, len, sizeof(zeros));
}

static __always_inline int httpd_build(const struct ndiv_frame *frame, struct ndiv_pkt *pkt, __u32 index)
{
	const struct httpd_args *args = ndiv_args(pkt);
	struct ethhdr *eth;
	struct tcphdr *tcp;
	__s64 sum;

	if (write_tcp(frame, pkt, args))
		return -1;
	if (args->kind == HTTPD_K_RESPONSE && write_payload(frame, pkt, args))
		return -1;
	if (clear_padding(frame, pkt, args))
		return -1;
	eth = ndiv_frame_ptr(frame, 0, sizeof(*eth));
	if (!eth)
		return -1;
	ndiv_swap_eth(eth);
	sum = write_ip(frame, pkt, args);
	if (sum < 0)
		return -1;
	sum = ndiv_csum_frame(frame, pkt->l4, args->end - pkt->l4, sum);
	tcp = ndiv_frame_ptr(frame, pkt->l4, sizeof(*tcp));
	if (sum < 0 || !tcp)
		return -1;
	tcp->check = ~sum;
	return 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * response.h - writes a packet, over the one that asks for it
 *
 * What is written is not read again for the checksum: headers are summed on the way, the sums of texts are known to the
 * compiler, those of pieces of the pattern are in a table.
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

/* Timestamp option at <off>: ours is the hash that the client echoes, or that it is going to. Returns its sum, or below
 * 0. */
static __always_inline __s64 write_ts(const struct ndiv_frame *frame, __u32 off, const struct asked *asked)
{
	__be32 *opt = ndiv_frame_ptr(frame, off, TS_LEN);

	if (!opt)
		return -1;
	opt[0] = bpf_htonl(0x0101080a);
	opt[1] = asked->tsecr;
	opt[2] = asked->tsval;
	return (__u64)bpf_htonl(0x0101080a) + asked->tsecr + asked->tsval;
}

/* Options behind the TCP header. Returns their sum, or below 0. */
static __always_inline __s64 write_options(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
					   const struct httpd_args *args, const struct asked *asked)
{
	__u32 off = pkt->l4 + TCP_LEN;
	__be32 mss = 0, *opt;
	__s64 sum;

	if (args->kind == HTTPD_K_SYNACK) {
		opt = ndiv_frame_ptr(frame, off, MSS_LEN);
		if (!opt)
			return -1;
		mss = bpf_htonl(0x02040000 | (pkt->flags & NDIV_F_IPV4 ? 1460 : 1440));
		*opt = mss;
		off += MSS_LEN;
	}
	if (!args->ts)
		return mss;
	sum = write_ts(frame, off, asked);
	return sum < 0 ? sum : sum + mss;
}

/* TCP header, with a checksum of 0. Returns its sum, or below 0. In whole words: what is summed is in registers. */
static __always_inline __s64 write_tcp(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
				       const struct httpd_args *args)
{
	__be32 *tcp, ports, seq, ack, rest;
	struct asked asked;
	__s64 options;

	if (read_asked(frame, pkt, args, &asked))
		return -1;
	options = write_options(frame, pkt, args, &asked);
	tcp = ndiv_frame_ptr(frame, pkt->l4, TCP_LEN);
	if (options < 0 || !tcp)
		return -1;
	ports = tcp[0] << 16 | tcp[0] >> 16;
	seq = args->kind == HTTPD_K_SYNACK ? bpf_htonl(args->isn) : asked.ack_seq;
	ack = args->kind == HTTPD_K_RST ? 0 : bpf_htonl(args->ack);
	rest = bpf_htonl(tcp_len(args) << 26 | flags_of(args) << 16 | 0xffff);
	tcp[0] = ports;
	tcp[1] = seq;
	tcp[2] = ack;
	tcp[3] = rest;
	tcp[4] = 0;
	return (__u64)ports + seq + ack + rest + options;
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

/* Sum of the <len> (at most 64) characters of the constant <text>, the first one at an even offset. */
static __always_inline __u32 sum_text(const char *text, __u32 len)
{
	__u32 sum = 0, i;

#pragma unroll
	for (i = 0; i < 64; i++)
		if (i < len)
			sum += (__u32)(__u8)text[i] << (i & 1 ? 8 : 0);
	return sum;
}

/* <sum> of what begins at the offset <off>, even or odd. */
static __always_inline __u32 sum_at(__u32 sum, __u32 off)
{
	__u32 folded = ndiv_csum_fold(sum);

	return off & 1 ? (folded << 8 & 0xffff) | folded >> 8 : folded;
}

/* Sums of the first 0 to 63 characters of P64. */
static const __u32 pattern_sums[64] SEC(".rodata.sums") = {
	0x00000, 0x00030, 0x03130, 0x03162, 0x06462, 0x06496, 0x09996, 0x099cc,
	0x0d0cc, 0x0d104, 0x10a04, 0x10a65, 0x16c65, 0x16cc8, 0x1d0c8, 0x1d12d,
	0x2372d, 0x23794, 0x29f94, 0x29ffd, 0x309fd, 0x30a68, 0x37668, 0x376d5,
	0x3e4d5, 0x3e544, 0x45544, 0x455b5, 0x4c7b5, 0x4c828, 0x53c28, 0x53c9d,
	0x5b29d, 0x5b314, 0x62b14, 0x62b8d, 0x6a58d, 0x6a5ba, 0x6e6ba, 0x6e6fc,
	0x729fc, 0x72a40, 0x76f40, 0x76f86, 0x7b686, 0x7b6ce, 0x7ffce, 0x80018,
	0x84b18, 0x84b64, 0x89864, 0x898b2, 0x8e7b2, 0x8e802, 0x93902, 0x93954,
	0x98c54, 0x98ca8, 0x9e1a8, 0x9e1fe, 0xa38fe, 0xa3956, 0xa9256, 0xa92b0,
};

/* Sum of an object of <len> bytes. */
static __always_inline __u32 sum_body(__u32 len)
{
	return len / 64 * sum_text(P64, 64) + pattern_sums[len % 64];
}

static __always_inline __u32 sum_digits(const struct httpd_args *args)
{
	const __u16 *w = (const __u16 *)args->digits;

	return (__u32)w[0] + w[1] + (__u8)args->digits[4];
}

/* Sum of all of an object's response. */
static __always_inline __u32 sum_object(const struct httpd_args *args)
{
	__u32 rest = OBJECT_FIRST + args->pad, body, sum;

	if (args->fin) {
		body = rest + CLOSE_REST;
		sum = sum_at(sum_text(CLOSE NO_NUMBER, CLOSE_REST), rest);
	} else {
		body = rest + KEEP_REST;
		sum = sum_at(sum_text(KEEP NO_NUMBER, KEEP_REST), rest);
	}
	sum += sum_text(OK_FIRST, OBJECT_FIRST) + args->pad / 2 * sum_text("..", 2) + (args->pad & 1) * '.';
	return sum + sum_at(sum_digits(args), body - NUMBER_LEN) + sum_at(sum_body(args->body), body);
}

/* The constant text <from>, of <len> bytes, a multiple of 8. */
static __always_inline void put_text(void *to, const char *from, __u32 len)
{
	__u64 w, *p = to;
	__u32 i;

#pragma unroll
	for (i = 0; i < len / 8; i++) {
		__builtin_memcpy(&w, from + 8 * i, 8);
		p[i] = w;
	}
}

/*
 * The object's first part and dots are written whole, and a byte more; the rest comes over what is too much. Returns
 * the sum, or below 0.
 */
static __always_inline __s64 write_object(const struct ndiv_frame *frame, const struct httpd_args *args, __u32 off)
{
	__u32 len = (args->fin ? CLOSE_REST : KEEP_REST) + args->body;
	struct object_page *page = args->fin ? &object_close : &object_keep;
	void *first = ndiv_frame_ptr(frame, off, OBJECT_FIRST + 16);

	if (!first)
		return -1;
	put_text(first, OK_FIRST DOTS, OBJECT_FIRST + 16);
	if (store(frame, off + OBJECT_FIRST + args->pad, page->rest, len, sizeof(page->rest)))
		return -1;
	return sum_object(args);
}

static __always_inline __s64 write_text(const struct ndiv_frame *frame, const struct httpd_args *args, __u32 off)
{
	struct text_page *page = text_page(args->page, args->fin);
	__u32 first = page->first_len + args->pad, rest = page->rest_len + args->body;

	if (store(frame, off, page->first, first, sizeof(page->first)))
		return -1;
	return store(frame, off + first, page->rest, rest, sizeof(page->rest));
}

/* Where the IP packet ends. In generic mode, the tag may have gone from the frame meanwhile, and l4 with it. */
static __always_inline __u32 end_of(const struct ndiv_pkt *pkt, const struct httpd_args *args)
{
	return pkt->l4 + args->len;
}

/* Returns the sum of the payload, or below 0. */
static __always_inline __s64 write_payload(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
					   const struct httpd_args *args)
{
	__u32 off = pkt->l4 + tcp_len(args);
	__s64 sum;
	char *digits;

	if (args->page == HTTPD_PAGE_OK)
		sum = write_object(frame, args, off);
	else
		sum = write_text(frame, args, off);
	if (sum < 0)
		return sum;
	digits = ndiv_frame_ptr(frame, end_of(pkt, args) - args->body - NUMBER_LEN, HTTPD_DIGITS);
	if (!digits)
		return -1;
	*(__u32 *)digits = *(const __u32 *)args->digits;
	digits[4] = args->digits[4];
	return args->page == HTTPD_PAGE_OK ? sum : ndiv_csum_frame(frame, off, end_of(pkt, args) - off, 0);
}

/* In whole words, too. */
static __always_inline __s64 write_ip4(struct iphdr *ip, __u32 len)
{
	__be32 *w = (__be32 *)ip, from, to, first, second, third;

	if (!ip)
		return -1;
	from = ip->daddr;
	to = ip->saddr;
	first = bpf_htonl(0x45000000 | len);
	second = bpf_htonl(0x4000);	/* don't fragment */
	third = bpf_htonl(64 << 24 | IPPROTO_TCP << 16);
	third |= (__u32)(__u16)~ndiv_csum_fold((__u64)first + second + third + from + to) << 16;
	w[0] = first;
	w[1] = second;
	w[2] = third;
	w[3] = from;
	w[4] = to;
	return (__u64)from + to + bpf_htons(IPPROTO_TCP) + bpf_htons(len - sizeof(*ip));
}

/* Header of IPv4 or IPv6, new but for the addresses; returns the sum of the pseudo header, or below 0. */
static __always_inline __s64 write_ip(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
				      const struct httpd_args *args)
{
	__u32 len = end_of(pkt, args) - pkt->l3;
	struct ipv6hdr *ip6;

	if (pkt->flags & NDIV_F_IPV4)
		return write_ip4(ndiv_frame_ptr(frame, pkt->l3, sizeof(struct iphdr)), len);
	ip6 = ndiv_frame_ptr(frame, pkt->l3, sizeof(*ip6));
	if (!ip6)
		return -1;
	ndiv_swap_ip6(ip6);
	*(__be32 *)ip6 = bpf_htonl(0x60000000);
	ip6->payload_len = bpf_htons(len - sizeof(*ip6));
	ip6->hop_limit = 64;
	return ndiv_csum_pseudo6(ip6, IPPROTO_TCP, end_of(pkt, args) - pkt->l4);
}

/* Bytes of the asking packet must not be sent back as padding. */
static __always_inline int clear_padding(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
					 const struct httpd_args *args)
{
	static const __u8 zeros[8];
	__u32 len = pkt->out_len - end_of(pkt, args);

	if (!len)
		return 0;
	return store(frame, end_of(pkt, args), zeros, len, sizeof(zeros));
}

static __always_inline int httpd_build(const struct ndiv_frame *frame, struct ndiv_pkt *pkt, __u32 index)
{
	const struct httpd_args *args = ndiv_args(pkt);
	__s64 header, payload = 0, pseudo;
	struct ethhdr *eth;
	struct tcphdr *tcp;

	header = write_tcp(frame, pkt, args);
	if (header < 0)
		return -1;
	if (args->kind == HTTPD_K_RESPONSE)
		payload = write_payload(frame, pkt, args);
	if (payload < 0 || clear_padding(frame, pkt, args))
		return -1;
	eth = ndiv_frame_ptr(frame, 0, sizeof(*eth));
	if (!eth)
		return -1;
	ndiv_swap_eth(eth);
	pseudo = write_ip(frame, pkt, args);
	tcp = ndiv_frame_ptr(frame, pkt->l4, sizeof(*tcp));
	if (pseudo < 0 || !tcp)
		return -1;
	tcp->check = ~ndiv_csum_fold(header + payload + pseudo);
	return 0;
}

#endif

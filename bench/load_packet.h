/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load_packet.h - reads the server's packets, and writes those of the load source over them
 */
#ifndef BENCH_LOAD_PACKET_H
#define BENCH_LOAD_PACKET_H

#include <ndiv/csum.h>
#include <ndiv/rewrite.h>
#include "load.h"
#include "load_conn.h"
#include "load_answer.h"

/* The options. */
const volatile struct load_config config SEC(".rodata.config") = { .port = 8000, .ports = { 1024, 65535 } };

enum {
	TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16,

	TCP_LEN = 20,		/* header without options */
	TS_LEN = 12,		/* timestamp option, with two NOPs in front */
	MSS_LEN = 4,
};

/* A packet of the server. Numbers in host byte order. */
struct seen {
	__u32	seq, ack;
	__u32	pos;		/* what it has acknowledged: see load.h */
	__u32	tsecr;		/* our timestamp */
	__be32	tsval;		/* the server's */
	__u32	len;		/* bytes of data */
	__u8	flags;
};

enum load_kind {
	LOAD_K_SYN,
	LOAD_K_REQUEST,
	LOAD_K_FIN,
	LOAD_K_RST,
};

/* From handler to builder. */
struct load_args {
	__u8	kind;
	__u8	text;		/* enum load_text_kind, and how far it moves the mark in 6 bits */
	__u16	end;		/* offset of the end of the IP packet: what follows is padding */
	__u32	seq;
	union {
		__u32	ack;
		__u32	port;	/* of a SYN: the client's */
	};
	__u32	tsval;
	__be32	tsecr;
};
_Static_assert(sizeof(struct load_args) == 20 && sizeof(struct load_args) <= NDIV_ARGS_LEN, "struct load_args");

/* --- reading ------------------------------------------------------------------------------------------------ */

/* From the server to one of our ports, and neither a fragment nor with IP options? */
static __always_inline int packet_is_ours(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	const struct tcphdr *tcp = ndiv_ptr(ctx, pkt->l4, sizeof(*tcp));
	__u16 port;

	if ((pkt->flags & (NDIV_F_TCP | NDIV_F_FRAG | NDIV_F_IP_EXT | NDIV_F_HW_VLAN)) != NDIV_F_TCP || !tcp)
		return 0;
	port = bpf_ntohs(tcp->dest);
	return tcp->source == bpf_htons(config.port) && port >= config.ports.lo && port <= config.ports.hi &&
	       ndiv_to_me(ctx);
}

/* The timestamps; a SYN-ACK has its MSS in front of them. 0, or below 0: there are none where they have to be. */
static __always_inline int read_stamps(struct xdp_md *ctx, const struct ndiv_pkt *pkt, struct seen *seen)
{
	__u32 off = pkt->l4 + TCP_LEN + (seen->flags & TCP_SYN ? MSS_LEN : 0);
	const __be32 *p = ndiv_ptr(ctx, off, TS_LEN);

	if (!p || off + TS_LEN > pkt->payload || p[0] != bpf_htonl(0x0101080a))
		return -1;
	seen->tsval = p[1];
	seen->tsecr = bpf_ntohl(p[2]);
	return 0;
}

/* 0, or the drop reason. */
static __always_inline int packet_read(struct xdp_md *ctx, const struct ndiv_pkt *pkt, struct seen *seen)
{
	const struct tcphdr *tcp = ndiv_ptr(ctx, pkt->l4, sizeof(*tcp));

	if (!tcp)
		return LOAD_R_FLAGS;
	seen->flags = ((const __u8 *)tcp)[13];
	seen->seq = bpf_ntohl(tcp->seq);
	seen->ack = bpf_ntohl(tcp->ack_seq);
	seen->pos = seen->ack - load_base(bpf_ntohs(tcp->dest)) - 1;
	seen->len = pkt->end - pkt->payload;
	seen->tsval = 0;
	seen->tsecr = 0;
	if (seen->flags & TCP_RST)
		return LOAD_R_RST;
	if (!(seen->flags & TCP_ACK) || (seen->flags & TCP_SYN && (seen->flags & TCP_FIN || seen->len)))
		return LOAD_R_FLAGS;
	return config.stamps && read_stamps(ctx, pkt, seen) ? LOAD_R_NO_STAMP : 0;
}

/* --- writing ------------------------------------------------------------------------------------------------ */

static __always_inline const struct load_text *text_of(const struct load_args *args)
{
	const struct load_job *job = job_get();
	__u32 i = args->text & (LOAD_KINDS * LOAD_MOVES - 1);

	return job ? &job->text[0][0] + i : NULL;
}

static __always_inline __u32 tcp_len(const struct load_args *args)
{
	return TCP_LEN + (args->kind == LOAD_K_SYN ? MSS_LEN : 0) + (config.stamps ? TS_LEN : 0);
}

static __always_inline enum ndiv_verdict packet_reply(struct ndiv_pkt *pkt, struct load_args *args)
{
	const struct load_text *text = text_of(args);
	__u32 end = pkt->l4 + tcp_len(args);

	if (args->kind == LOAD_K_REQUEST && text)
		end += text->len;
	args->end = end;
	return ndiv_reply(pkt, end < ETH_ZLEN ? ETH_ZLEN : end);
}

static __always_inline __u32 flags_of(const struct load_args *args)
{
	switch (args->kind) {
	case LOAD_K_SYN:
		return TCP_SYN;
	case LOAD_K_REQUEST:
		return TCP_ACK | TCP_PSH;
	case LOAD_K_FIN:
		return TCP_ACK | TCP_FIN;
	}
	return TCP_RST;
}

/* Options behind the TCP header. Returns their sum, or below 0. */
static __always_inline __s64 write_options(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
					   const struct load_args *args)
{
	__u32 off = pkt->l4 + TCP_LEN;
	__be32 mss = 0, *opt;

	if (args->kind == LOAD_K_SYN) {
		opt = ndiv_frame_ptr(frame, off, MSS_LEN);
		if (!opt)
			return -1;
		mss = bpf_htonl(0x02040000 | (ndiv_self.mtu - (pkt->l4 - pkt->l3) - TCP_LEN));
		*opt = mss;
		off += MSS_LEN;
	}
	if (!config.stamps)
		return mss;
	opt = ndiv_frame_ptr(frame, off, TS_LEN);
	if (!opt)
		return -1;
	opt[0] = bpf_htonl(0x0101080a);
	opt[1] = bpf_htonl(args->tsval);
	opt[2] = args->tsecr;
	return (__u64)mss + opt[0] + opt[1] + opt[2];
}

/* TCP header, with a checksum of 0. Returns its sum, or below 0. */
static __always_inline __s64 write_tcp(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
				       const struct load_args *args)
{
	__be32 *tcp = ndiv_frame_ptr(frame, pkt->l4, TCP_LEN), ports, ack = 0;
	__s64 options;

	if (!tcp)
		return -1;
	ports = tcp[0] << 16 | tcp[0] >> 16;
	if (args->kind == LOAD_K_SYN)
		ports = (ports & bpf_htonl(0xffff)) | bpf_htonl(args->port << 16);
	else if (args->kind != LOAD_K_RST)
		ack = bpf_htonl(args->ack);
	tcp[0] = ports;
	tcp[1] = bpf_htonl(args->seq);
	tcp[2] = ack;
	tcp[3] = bpf_htonl(tcp_len(args) << 26 | flags_of(args) << 16 | 0xffff);
	tcp[4] = 0;
	options = write_options(frame, pkt, args);
	if (options < 0)
		return -1;
	return options + ports + bpf_htonl(args->seq) + ack +
	       bpf_htonl(tcp_len(args) << 26 | flags_of(args) << 16 | 0xffff);
}

/* What follows the TCP header: the request, or padding, of which nothing of the server's packet is to be left. */
static __always_inline __s64 write_payload(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
					   const struct load_args *args)
{
	const struct load_text *text = text_of(args);

	if (args->kind != LOAD_K_REQUEST)
		return ndiv_frame_clear(frame, args->end, pkt->out_len);
	if (!text || ndiv_frame_store_max(frame, pkt->l4 + tcp_len(args), text->bytes, text->len, LOAD_TEXT_MAX))
		return -1;
	return text->sum;
}

static __always_inline int packet_build(const struct ndiv_frame *frame, struct ndiv_pkt *pkt, __u32 index)
{
	const struct load_args *args = ndiv_args(pkt);
	__s64 header, payload, pseudo;
	struct ethhdr *eth;
	struct tcphdr *tcp;

	header = write_tcp(frame, pkt, args);
	if (header < 0)
		return -1;
	payload = write_payload(frame, pkt, args);
	eth = ndiv_frame_ptr(frame, 0, sizeof(*eth));
	if (payload < 0 || !eth)
		return -1;
	ndiv_swap_eth(eth);
	pseudo = ndiv_renew_ip(frame, pkt, IPPROTO_TCP, args->end - pkt->l4);
	tcp = ndiv_frame_ptr(frame, pkt->l4, sizeof(*tcp));
	if (pseudo < 0 || !tcp)
		return -1;
	tcp->check = ~ndiv_csum_fold(header + payload + pseudo);
	return 0;
}

#endif

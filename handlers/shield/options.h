/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * options.h - what the options of a TCP header say
 *
 * Nearly all SYNs have none, or those of Linux in its order: these two are looked at as a whole, others are walked.
 */
#ifndef NDIV_SHIELD_OPTIONS_H
#define NDIV_SHIELD_OPTIONS_H

#include <ndiv/tcp.h>
#include "cookie.h"

#define WSCALE_MAX	14

#define LINUX_MSS	0x02040000U	/* the words of Linux's SYN */
#define LINUX_SACK_TS	0x0402080aU
#define LINUX_WSCALE	0x01030300U
#define LINUX_TS	0x0101080aU

/* <ts>: offset of the option in the header, 0: none. <mss>: 0 if there is none. <odd>: a signed segment (MD5, AO). */
struct options {
	__u32	mss, wscale, sack, ts, odd;
};

/* One option, whose <len> is right, at offset <o> of the header. */
static __always_inline void read_option(const struct ndiv_frame *frame, __u32 l4, __u32 o, __u32 kind,
					__u32 len, struct options *found)
{
	const __u8 *p;

	if (kind == NDIV_TCPOPT_MSS && len == 4) {
		p = ndiv_frame_ptr(frame, l4 + o + 2, 2);
		if (p)
			found->mss = p[0] << 8 | p[1];
	} else if (kind == NDIV_TCPOPT_WSCALE && len == 3) {
		p = ndiv_frame_ptr(frame, l4 + o + 2, 1);
		if (p)
			found->wscale = p[0] < WSCALE_MAX ? p[0] : WSCALE_MAX;
	} else if (kind == NDIV_TCPOPT_SACK_OK && len == 2) {
		found->sack = 1;
	} else if (kind == NDIV_TCPOPT_TS && len == 10) {
		found->ts = o;
	} else if (kind == NDIV_TCPOPT_MD5 || kind == NDIV_TCPOPT_AO) {
		found->odd = 1;
	}
}

/* Walks all options. 0, or below 0 if they are malformed. */
static __always_inline int walk_frame(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt, struct options *found)
{
	__u32 o = TCP_LEN, i;
	int option;

	barrier_var(found);	/* kept in memory: with clang 14, a third of what it costs the verifier in registers */
	for (i = 0; i < NDIV_TCPOPTS_MAX; i++) {
		o = ndiv_forget(pkt, o, 63);
		found->mss = ndiv_forget(pkt, found->mss, 0xffff);
		found->ts = ndiv_forget(pkt, found->ts, 63);
		found->wscale = ndiv_forget(pkt, found->wscale, 15);
		found->sack = ndiv_forget(pkt, found->sack, 1);
		found->odd = ndiv_forget(pkt, found->odd, 1);
		option = ndiv_tcp_option(frame, pkt, o);
		if (option <= 0)
			return option;
		read_option(frame, pkt->l4, o, option & 0xff, option >> 8, found);
		o += option >> 8;
	}
	return 0;
}

/*
 * What was found, in one word: a function that the verifier looks at by itself, once, and not from each place that
 * calls it, can take and return no more. Below 0: malformed.
 */
static __always_inline __s64 walk_packed(const struct ndiv_frame *frame, enum ndiv_cpu_index which)
{
	struct options found = { .wscale = WSCALE_NONE };
	struct ndiv_cpu *cpu = ndiv_cpu(which);

	if (!cpu || walk_frame(frame, &cpu->pkt, &found))
		return -1;
	return (__u64)found.mss << 32 | found.ts << 8 | found.wscale << 4 | found.sack << 1 | found.odd;
}

__noinline __s64 shield_walk_xdp(struct xdp_md *ctx)
{
	struct ndiv_frame frame = { .xdp = ctx };

	return walk_packed(&frame, NDIV_CPU_RX);
}

__noinline __s64 shield_walk_in(struct __sk_buff *skb)
{
	struct ndiv_frame frame = { .is_skb = 1, .skb = skb };

	return walk_packed(&frame, NDIV_CPU_IN);
}

__noinline __s64 shield_walk_tx(struct __sk_buff *skb)
{
	struct ndiv_frame frame = { .is_skb = 1, .skb = skb };

	return walk_packed(&frame, NDIV_CPU_TX);
}

static __always_inline int walk(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt, enum ndiv_cpu_index which,
				struct options *found)
{
	__s64 w;

	if (which == NDIV_CPU_RX)
		w = shield_walk_xdp(frame->xdp);
	else
		w = which == NDIV_CPU_IN ? shield_walk_in(frame->skb) : shield_walk_tx(frame->skb);
	if (w < 0)
		return -1;
	found->mss = w >> 32 & 0xffff;
	found->ts = w >> 8 & 63;
	found->wscale = w >> 4 & 15;
	found->sack = w >> 1 & 1;
	found->odd = w & 1;
	return 0;
}

/* The options of a SYN. 0, or below 0 if they are malformed. */
static __always_inline int read_options(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
					enum ndiv_cpu_index which, struct options *found)
{
	__u32 doff = pkt->payload - pkt->l4;
	const __be32 *w;

	*found = (struct options){ .wscale = WSCALE_NONE };
	if (doff == TCP_LEN)
		return 0;
	w = ndiv_frame_ptr(frame, pkt->l4 + TCP_LEN, 20);
	if (doff == TCP_LEN + 20 && w && w[1] == bpf_htonl(LINUX_SACK_TS) &&
	    (w[0] & bpf_htonl(0xffff0000)) == bpf_htonl(LINUX_MSS) &&
	    (w[4] & bpf_htonl(0xffffff00)) == bpf_htonl(LINUX_WSCALE)) {
		found->mss = bpf_ntohl(w[0]) & 0xffff;
		found->ts = TCP_LEN + 6;
		found->sack = 1;
		found->wscale = bpf_ntohl(w[4]) & 0xff;
		if (found->wscale > WSCALE_MAX)
			found->wscale = WSCALE_MAX;
		return 0;
	}
	return walk(frame, pkt, which, found);
}

/* Offset of the timestamp option of any other segment; 0: none. Below 0: malformed. */
static __always_inline int find_ts(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
				   enum ndiv_cpu_index which)
{
	__u32 doff = pkt->payload - pkt->l4;
	struct options found = { 0 };
	const __be32 *w;

	if (doff == TCP_LEN)
		return 0;
	w = ndiv_frame_ptr(frame, pkt->l4 + TCP_LEN, 4);
	if (doff == TCP_LEN + 12 && w && *w == bpf_htonl(LINUX_TS))
		return TCP_LEN + 2;
	if (walk(frame, pkt, which, &found))
		return -1;
	return found.ts;
}

#endif

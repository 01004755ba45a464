/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tcp.h - a TCP server's end without a connection table
 *
 * All that a connection needs is in its packets:
 *
 *	- The initial sequence number is a keyed hash of addresses and ports, but for its low bits: twice the number of
 * the client's class, which tells its MSS and the scale of its windows. Each response is a multiple of 32 bytes long,
 * so these bits stay what they are; when the client has acknowledged our FIN, they are odd.
 *	- The timestamp that the client echoes tells where the connection stands, and that it has seen our packets: see
 *	position.h.
 *	- A client without timestamps must have an acknowledgement number near the initial one: its connections end
 * after HTTPD_NEAR bytes. Its windows are not scaled. Its responses are multiples of 128 bytes long, and of eight
 * segments at most: each but the first one adds 16 to the seven low bits, so that they also tell how many are missing.
 *
 * Packets are answered for what they are: a retransmitted one gets the same answer again.
 */
#ifndef NDIV_HTTPD_TCP_H
#define NDIV_HTTPD_TCP_H

#include <ndiv/hash.h>
#include <ndiv/tcp.h>
#include "position.h"

enum {
	TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16,

	TCP_LEN = 20,		/* header without options */
	TS_LEN = 12,		/* timestamp option, with two NOPs in front, or SACK-permitted */
	MSS_LEN = 4,
	WSCALE_LEN = 4,		/* with a NOP in front */

	/* of the low bits of a sequence number */
	POS_MASK_TS = 31, POS_MASK = 127, POS_MASK_CLASS = 15, SEGMENTS_MAX = 8,

	UNIT_MIN = 400,		/* without timestamps, of responses of several segments: room for a header and all padding */
};

/* First words of options. */
#define TS_AND_NOPS	0x0101080aU
#define TS_AND_SACK_OK	0x0402080aU
#define SACK_OK_AND_NOPS 0x01010402U
#define SACK_OK_AND_END	0x04020000U

#define HTTPD_NEAR	(1U << 20)	/* bytes from the initial sequence number without timestamps: 1 of 4096 guesses */
#define HTTPD_NEAR_END	(HTTPD_NEAR - (1U << 16)) /* bytes after which such a connection is closed */

const volatile struct ndiv_key ndiv_key SEC(".rodata.key") = { 0 };

/*
 * MSS classes: what common paths have (minimum of IPv4, of IPv6, tunnels, Ethernet, jumbo frames), rounded down to. The
 * first one has room for any error; smaller ones, which no path needs, get it as well.
 */
static const __u16 mss_classes[8] SEC(".rodata.classes") = { 256, 536, 1220, 1360, 1400, 1440, 1460, 8940 };

/*
 * With timestamps, there are classes of MSS and of what the client scales its windows by, both rounded down, too. Who
 * scales by less than 5 is told that nothing is scaled: the windows are large enough so.
 */
const volatile struct tcp_class {
	__u16	mss;
	__u16	wscale;		/* 0: not scaled */
} tcp_classes[16] = {
	{ 256, 0 }, { 536, 0 }, { 1220, 0 }, { 1440, 0 },
	{ 1220, 5 }, { 1440, 5 },
	{ 536, 7 }, { 1220, 7 }, { 1360, 7 }, { 1440, 7 }, { 1460, 7 }, { 8940, 7 },
	{ 1220, 10 }, { 1360, 10 }, { 1440, 10 }, { 8940, 10 },
};

/*
 * The class, by the client's scale and the number of its MSS class. By so much may its scale be more than that of the
 * class that two segments still fit what it begins with: 64,240 bytes.
 */
const volatile __u8 class_of[16][8] = {
	{ 0, 1, 2, 2, 2, 3, 3, 3 }, { 0, 1, 2, 2, 2, 3, 3, 3 }, { 0, 1, 2, 2, 2, 3, 3, 3 },
	{ 0, 1, 2, 2, 2, 3, 3, 3 }, { 0, 1, 2, 2, 2, 3, 3, 3 },
	{ 0, 1, 4, 4, 4, 5, 5, 5 }, { 0, 1, 4, 4, 4, 5, 5, 5 },
	{ 0, 6, 7, 8, 8, 9, 10, 11 }, { 0, 6, 7, 8, 8, 9, 10, 11 }, { 0, 6, 7, 8, 8, 9, 10, 10 },
	{ 0, 6, 12, 13, 13, 14, 14, 15 }, { 0, 6, 12, 13, 13, 14, 14, 15 }, { 0, 6, 12, 13, 13, 14, 14, 14 },
	{ 0, 1, 12, 13, 13, 14, 14, 14 }, { 0, 1, 12, 13, 13, 14, 14, 14 },
};

/* The class of a SYN with such options. 14 is the highest scale (RFC 7323, 2.3). */
static __always_inline __u32 find_class(__u32 mss, __u32 wscale, int ts)
{
	__u32 i, n = 0;

	for (i = 1; i < 8; i++)
		n += mss >= mss_classes[i];
	return ts ? class_of[(wscale > 14 ? 14 : wscale) & 15][n & 7] & 15 : n;
}

/* A connection as one of its packets shows it. */
struct conn {
	__u64	hash;
	__u32	seq, ack;	/* of the packet */
	__u32	plen;		/* bytes of the sequence space that it takes, with FIN */
	__u32	pos;		/* bytes that we have sent and the client has acknowledged, with SYN and FIN */
	__u32	left;		/* with timestamps: what is left to do, see position.h */
	__u32	file;		/* what the id of a file had added to that, or 0: pos_of_file() */
	__u32	room;		/* bytes of payload that a segment may have */
	__u32	unit;		/* bytes of payload of a segment among others */
	__u32	window;		/* that the client announces, at least, in bytes */
	__u32	tsval, tsecr;
	__u8	fin;		/* our FIN has been acknowledged */
	__u8	ts;		/* offset of the timestamp option in the TCP header, or 0 */
};

/* Low bits of a sequence number that are no hash. */
static __always_inline __u32 conn_mask(int ts)
{
	return ts ? POS_MASK_TS : POS_MASK;
}

/* Those that tell the client's class, and whether our FIN has been acknowledged. */
static __always_inline __u32 conn_mask_class(int ts)
{
	return ts ? POS_MASK_TS : POS_MASK_CLASS;
}

static __always_inline __u32 conn_isn(__u64 hash, int ts)
{
	return (__u32)hash & ~conn_mask(ts);
}

/* Bytes of payload that a segment may have: what the client takes, in a frame that any driver can send. */
static __always_inline __u32 conn_room(const struct ndiv_pkt *pkt, __u32 mss, int ts)
{
	__u32 head = pkt->l4 + TCP_LEN + (ts ? TS_LEN : 0), room = NDIV_REPLY_MAX - head;
	__u32 mtu = ndiv_self.mtu - (head - pkt->l3), segment = mss - (ts ? TS_LEN : 0);

	if (mtu < room)
		room = mtu;
	return segment < room ? segment : room;
}

/* Bytes of payload of a segment among others: what the numbers need, see above. */
static __always_inline __u32 conn_unit(__u32 room, int ts)
{
	return ts ? room & ~(__u32)POS_MASK_TS : ((room - 16) & ~127U) + 16;
}

/* Keyed hash of both addresses and ports of a packet from the client. */
static __always_inline __u64 conn_hash(struct xdp_md *ctx, const struct ndiv_pkt *pkt, const struct tcphdr *tcp)
{
	__u32 ports = *(const __u32 *)&tcp->source;
	const struct ipv6hdr *ip6;
	const struct iphdr *ip4;
	const __be32 *s, *d;
	struct ndiv_sip sip;

	ndiv_sip_init(&sip, &ndiv_key);
	if (pkt->flags & NDIV_F_IPV4) {
		ip4 = ndiv_ptr(ctx, pkt->l3, sizeof(*ip4));
		if (!ip4)
			return 0;
		ndiv_sip_word(&sip, (__u64)ip4->saddr << 32 | ip4->daddr);
		return ndiv_sip_end(&sip, 12, ports);
	}
	ip6 = ndiv_ptr(ctx, pkt->l3, sizeof(*ip6));
	if (!ip6)
		return 0;
	s = ip6->saddr.in6_u.u6_addr32;
	d = ip6->daddr.in6_u.u6_addr32;
	ndiv_sip_word(&sip, (__u64)s[0] << 32 | s[1]);
	ndiv_sip_word(&sip, (__u64)s[2] << 32 | s[3]);
	ndiv_sip_word(&sip, (__u64)d[0] << 32 | d[1]);
	ndiv_sip_word(&sip, (__u64)d[2] << 32 | d[3]);
	return ndiv_sip_end(&sip, 36, ports);
}

/* What options() finds. */
struct options {
	__u32	mss;		/* 0: none */
	__u32	ts;		/* offset of the option in the TCP header; 0: none */
	__u32	sack;		/* likewise of SACK */
	__u32	sack_ok;	/* SACK is permitted */
	__u32	wscale;		/* 0: none, or by nothing */
};

static __always_inline __u32 read_mss(struct xdp_md *ctx, __u32 off)
{
	const __be16 *mss = ndiv_ptr(ctx, off + 2, sizeof(*mss));

	return mss ? bpf_ntohs(*mss) : 0;
}

static __always_inline __u32 read_byte(struct xdp_md *ctx, __u32 off)
{
	const __u8 *p = ndiv_ptr(ctx, off, 1);

	return p ? *p : 0;
}

/*
 * The options of a SYN as most of them have them, those of Linux: MSS, SACK permitted, timestamps, NOP, window scale.
 * 0: these are others.
 */
static __always_inline int options_of_linux(struct xdp_md *ctx, const struct ndiv_pkt *pkt, struct options *found)
{
	const __be32 *w = ndiv_ptr(ctx, pkt->l4 + TCP_LEN, 20);

	if (!w || pkt->payload - pkt->l4 != TCP_LEN + 20 || w[1] != bpf_htonl(TS_AND_SACK_OK))
		return 0;
	if ((w[0] & bpf_htonl(0xffff0000)) != bpf_htonl(NDIV_TCPOPT_MSS << 24 | MSS_LEN << 16) ||
	    (w[4] & bpf_htonl(0xffffff00)) != bpf_htonl(NDIV_TCPOPT_NOP << 24 | NDIV_TCPOPT_WSCALE << 16 | 3 << 8))
		return 0;
	found->mss = bpf_ntohl(w[0]) & 0xffff;
	found->ts = TCP_LEN + 6;
	found->sack_ok = 1;
	found->wscale = bpf_ntohl(w[4]) & 0xff;
	return 1;
}

#define OPTIONS_END	128	/* beyond any offset */

/* Takes what the word <w> at <o> begins. Returns how many bytes that is, or OPTIONS_END; 0: something else. */
static __always_inline __u32 take_word(struct options *found, __u32 w, __u32 o)
{
	__u32 len = w & 0xff;

	if (w >> 16 == (NDIV_TCPOPT_MSS << 8 | MSS_LEN)) {
		found->mss = w & 0xffff;
		return 4;
	}
	if (w == TS_AND_NOPS || w == TS_AND_SACK_OK) {
		found->ts = o + 2;
		found->sack_ok |= w == TS_AND_SACK_OK;
		return TS_LEN;
	}
	if (w >> 8 == (NDIV_TCPOPT_NOP << 16 | NDIV_TCPOPT_WSCALE << 8 | 3)) {
		found->wscale = len;
		return 4;
	}
	if (w == SACK_OK_AND_NOPS || w == SACK_OK_AND_END) {
		found->sack_ok = 1;
		return w == SACK_OK_AND_END ? OPTIONS_END : 4;
	}
	if (w >> 8 == (NDIV_TCPOPT_NOP << 16 | NDIV_TCPOPT_NOP << 8 | NDIV_TCPOPT_SACK) &&
	    (len == 10 || len == 18 || len == 26 || len == 34)) {
		found->sack = o + 2;
		return len + 2;
	}
	return 0;
}

/* The options as nearly all stacks have them, in whole words. 0: these are others. */
static __always_inline int options_in_words(struct xdp_md *ctx, const struct ndiv_pkt *pkt, struct options *found)
{
	__u32 doff = pkt->payload - pkt->l4, o = TCP_LEN, i, n;
	const __be32 *w;

	for (i = 0; i < 10; i++) {
		o = ndiv_forget(pkt, o, 255);
		if (o >= doff)
			return o == doff || o >= OPTIONS_END;
		w = ndiv_ptr(ctx, pkt->l4 + o, sizeof(*w));
		if (!w)
			return 0;
		n = take_word(found, bpf_ntohl(*w), o);
		if (!n)
			return 0;
		o += n;
	}
	return 0;
}

/*
 * Walks the options of the TCP header. 0, or below 0 if they are malformed. A function of its own: the verifier looks
 * at it once, whatever came before.
 */
__noinline int options(struct xdp_md *ctx, const struct ndiv_pkt *pkt, struct options *found)
{
	struct ndiv_frame frame = { .xdp = ctx };
	__u32 o = TCP_LEN, kind, len, i;
	int option;

	if (!pkt || !found)
		return -1;
	if (options_of_linux(ctx, pkt, found) || options_in_words(ctx, pkt, found))
		return 0;
	for (i = 0; i < NDIV_TCPOPTS_MAX; i++) {
		o = ndiv_forget(pkt, o, 63);
		found->mss = ndiv_forget(pkt, found->mss, 0xffff);
		found->ts = ndiv_forget(pkt, found->ts, 63);
		found->sack = ndiv_forget(pkt, found->sack, 63);
		found->sack_ok = ndiv_forget(pkt, found->sack_ok, 1);
		found->wscale = ndiv_forget(pkt, found->wscale, 0xff);
		option = ndiv_tcp_option(&frame, pkt, o);
		if (option <= 0)
			return option;
		kind = option & 0xff;
		len = option >> 8;
		if (kind == NDIV_TCPOPT_MSS && len == MSS_LEN)
			found->mss = read_mss(ctx, pkt->l4 + o);
		if (kind == NDIV_TCPOPT_TS && len == 10)
			found->ts = o;
		if (kind == NDIV_TCPOPT_SACK_OK && len == 2)
			found->sack_ok = 1;
		if (kind == NDIV_TCPOPT_WSCALE && len == 3)
			found->wscale = read_byte(ctx, pkt->l4 + o + 2);
		if (kind == NDIV_TCPOPT_SACK && len >= 10)
			found->sack = o;
		o += len;
	}
	return 0;
}

/* Offset of the timestamp option: where nearly every stack has it, else by walking. 0: none. Below 0: malformed. */
static __always_inline int find_ts(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	__u32 doff = pkt->payload - pkt->l4;
	struct options found = { 0 };
	const __u32 *p;

	if (doff == TCP_LEN)
		return 0;
	p = ndiv_ptr(ctx, pkt->l4 + TCP_LEN, TS_LEN);
	if (doff == TCP_LEN + TS_LEN && p && *p == bpf_htonl(0x0101080a))
		return TCP_LEN + 2;
	if (options(ctx, pkt, &found))
		return -1;
	return found.ts;
}

/* With timestamps: fills what they tell. 0, or the drop reason. */
static __always_inline int conn_read_ts(struct xdp_md *ctx, const struct ndiv_pkt *pkt, struct conn *conn)
{
	const __be32 *stamps = ndiv_ptr(ctx, pkt->l4 + conn->ts + 2, 8);
	__u32 left;

	if (!stamps)
		return HTTPD_R_OPTIONS;
	conn->tsval = bpf_ntohl(stamps[0]);
	conn->tsecr = bpf_ntohl(stamps[1]);
	left = conn->tsecr - (__u32)(conn->hash >> 32) - conn->seq - conn->ack;
	conn->file = pos_file(left & ~POS_HALF);
	conn->left = (left - conn->file) & ~POS_HALF;
	return 0;
}

/*
 * What the packet tells of its connection. 0, or the drop reason. Without timestamps, it belongs to a connection whose
 * SYN we have answered then; with them, what is left tells.
 */
static __always_inline int conn_read(struct xdp_md *ctx, const struct ndiv_pkt *pkt, const struct tcphdr *tcp,
				     struct conn *conn)
{
	const volatile struct tcp_class *class;
	__u32 ack = bpf_ntohl(tcp->ack_seq), low;
	int ts;

	conn->seq = bpf_ntohl(tcp->seq);
	conn->ack = ack;
	conn->plen = pkt->end - pkt->payload + (((const __u8 *)tcp)[13] & TCP_FIN);
	conn->hash = conn_hash(ctx, pkt, tcp);
	ts = find_ts(ctx, pkt);
	if (ts < 0)
		return HTTPD_R_OPTIONS;
	ts = ndiv_forget(pkt, ts, 63);
	conn->ts = ts;
	conn->pos = ack - 1 - conn_isn(conn->hash, ts);
	low = (ack - 1) & conn_mask_class(ts);
	class = &tcp_classes[low >> 1 & 15];
	conn->fin = low & 1;
	conn->window = (__u32)bpf_ntohs(tcp->window) << (ts ? class->wscale & 15 : 0);
	conn->room = conn_room(pkt, ts ? class->mss : mss_classes[low >> 1 & 7], ts);
	conn->unit = conn_unit(conn->room, ts);
	if (ts)
		return conn_read_ts(ctx, pkt, conn);
	conn->left = 0;
	conn->file = 0;
	return conn->pos < HTTPD_NEAR ? 0 : HTTPD_R_COOKIE;
}

/* A SYN: what its SYN-ACK is to be. 0, or the drop reason. */
static __always_inline int conn_open(struct xdp_md *ctx, const struct ndiv_pkt *pkt, const struct tcphdr *tcp,
				     struct httpd_args *args)
{
	__u64 hash = conn_hash(ctx, pkt, tcp);
	struct options found = { 0 };
	const __be32 *tsval;
	__u32 class;

	if (options(ctx, pkt, &found))
		return HTTPD_R_OPTIONS;
	tsval = ndiv_ptr(ctx, pkt->l4 + found.ts + 2, sizeof(*tsval));
	if (!tsval)
		return HTTPD_R_OPTIONS;
	if (!found.mss)
		found.mss = pkt->flags & NDIV_F_IPV4 ? 536 : 1220;
	args->kind = HTTPD_K_SYNACK;
	args->ts = found.ts;
	class = find_class(found.mss, found.wscale, found.ts);
	args->flags = (found.sack_ok ? HTTPD_A_SACK : 0) | (found.ts && tcp_classes[class].wscale ? HTTPD_A_WSCALE : 0);
	args->seq = conn_isn(hash, found.ts) | class << 1;
	args->ack = bpf_ntohl(tcp->seq) + 1;
	args->tsval = bpf_htonl((__u32)(hash >> 32) + args->ack + args->seq + 1);
	args->tsecr = *tsval;
	return 0;
}

#endif

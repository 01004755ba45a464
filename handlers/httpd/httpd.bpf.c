// SPDX-License-Identifier: GPL-2.0-only
/*
 * httpd - a stateless HTTP server in the driver, for tests of load balancers, firewalls and proxies
 *
 * Every packet is answered for what it says: a SYN by a SYN-ACK, a request by its response, a FIN by a FIN. Nothing is
 * kept for a connection, see tcp.h. The handler decides and leaves struct httpd_args; the builder writes the packet,
 * see response.h. docs/httpd.md is the guide.
 */
#include <ndiv/handler.h>
#include <ndiv/addr.h>
#include <ndiv/prefix.h>
#include "httpd.h"
#include "tcp.h"
#include "request.h"
#include "pages.h"
#include "response.h"

const volatile struct httpd_config config SEC(".rodata.config") = { .ports = { 8000, 8000 } };

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "httpd",
	.about = "stateless HTTP server: GET /N gives N bytes",
	.counters = {
		[HTTPD_SYN] = "syn",
		[HTTPD_GET] = "get",
		[HTTPD_HEAD] = "head",
		[HTTPD_OTHER_METHOD] = "other-method",
		[HTTPD_2XX] = "status-2xx",
		[HTTPD_4XX] = "status-4xx",
		[HTTPD_CLOSE] = "close",
		[HTTPD_FIN] = "fin",
		[HTTPD_RST_SENT] = "rst-sent",
	},
	.reasons = {
		[HTTPD_R_ACK] = "ack",
		[HTTPD_R_RST] = "rst",
		[HTTPD_R_FLAGS] = "flags",
		[HTTPD_R_COOKIE] = "bad-cookie",
		[HTTPD_R_CHECKSUM] = "bad-checksum",
		[HTTPD_R_OPTIONS] = "bad-options",
		[HTTPD_R_TX_FULL] = "tx-full",
		[HTTPD_R_UNREADABLE] = "unreadable",
	},
	.options = {
		{ .name = "ports", .help = "port, or range of ports, to serve",
		  .type = NDIV_OPT_PORTS, .offset = offsetof(struct httpd_config, ports) },
		{ .name = "addr", .help = "destinations to serve; none: whatever is sent to this MAC address",
		  .type = NDIV_OPT_PREFIXES, .offset = offsetof(struct httpd_config, addr) },
	},
};

/* Offset of the TCP payload in the answer, whose header has <len> bytes. */
static __always_inline enum ndiv_verdict send(struct ndiv_pkt *pkt, struct httpd_args *args, __u32 len)
{
	__u32 end = pkt->l4 + len;

	args->len = len;
	/* A frame that came padded goes padded: not every driver does it. */
	if (end < ETH_ZLEN && pkt->len >= ETH_ZLEN)
		end = ETH_ZLEN;
	return ndiv_reply(pkt, end);
}

static __always_inline enum ndiv_verdict answer_syn(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct tcphdr *tcp)
{
	struct httpd_args *args = ndiv_args(pkt);
	__u32 seq = bpf_ntohl(tcp->seq), len = 0;
	int bad;

	bad = conn_open(ctx, pkt, tcp, args, &len);
	if (bad)
		return ndiv_drop(pkt, bad);
	if (!ndiv_l4_verify(ctx, pkt))
		return ndiv_drop(pkt, HTTPD_R_CHECKSUM);
	args->ack = seq + 1;
	ndiv_count(pkt, HTTPD_SYN);
	return send(pkt, args, len);
}

/* Data behind our FIN: nobody can take it any more (RFC 9293, 3.10.7.4). */
static __always_inline enum ndiv_verdict reset(struct ndiv_pkt *pkt, struct httpd_args *args)
{
	args->kind = HTTPD_K_RST;
	args->ts = 0;
	ndiv_count(pkt, HTTPD_RST_SENT);
	return send(pkt, args, TCP_LEN);
}

/* The client closes: so do we, unless we have already. */
static __always_inline enum ndiv_verdict answer_fin(struct ndiv_pkt *pkt, struct httpd_args *args,
						    const struct conn *conn, __u32 seq)
{
	args->kind = conn->fin ? HTTPD_K_ACK : HTTPD_K_FIN;
	args->tsval = conn_tsval(conn->hash);
	args->tsecr = conn->tsval;
	args->ack = seq + 1;
	ndiv_count(pkt, HTTPD_FIN);
	return send(pkt, args, tcp_len(args));
}

static __always_inline void count_request(struct ndiv_pkt *pkt, const struct request *req)
{
	__u32 method = req->head ? HTTPD_HEAD : HTTPD_GET;

	if (req->page == HTTPD_PAGE_BAD || req->page == HTTPD_PAGE_METHOD)
		method = HTTPD_OTHER_METHOD;
	ndiv_count(pkt, method);
	ndiv_count(pkt, req->page < HTTPD_PAGE_BAD ? HTTPD_2XX : HTTPD_4XX);
	if (req->close)
		ndiv_count(pkt, HTTPD_CLOSE);
}

/* Content-Length of a page with text, whose length is below 100. */
static __always_inline __u64 two_digits(__u32 n)
{
	return WORD(' ', ' ', ' ', '0' + n / 10, '0' + n % 10, 0, 0, 0);
}

/* Turns what was asked for into lengths; an object that does not fit becomes an error. Returns the payload's length. */
static __always_inline __u32 lay_out(struct httpd_args *args, struct request *req, __u32 room)
{
	__u32 len, size = req->size;
	struct page_lens lens;
	__u64 digits;

	if (req->page == HTTPD_PAGE_OK && (size > BODY_MAX || OBJECT_FIRST + 15 + KEEP_REST + size > room)) {
		req->page = HTTPD_PAGE_TOO_LARGE;
		req->close = 1;
	}
	page_lens(req->page, req->close, size, &lens);
	digits = req->page == HTTPD_PAGE_OK ? req->digits : two_digits(lens.body);
	if (req->head)
		lens.body = 0;
	len = lens.first + lens.rest + lens.body;
	args->page = req->page;
	args->fin = req->close;
	args->body = lens.body;
	args->pad = -len & 15;
	__builtin_memcpy(args->digits, &digits, HTTPD_DIGITS);
	return len + args->pad;
}

/* Payload bytes that the response may have: what a segment holds, and a frame that any driver can send. */
static __always_inline __u32 room_for(const struct ndiv_pkt *pkt, const struct httpd_args *args,
				      const struct conn *conn)
{
	__u32 segment = conn->mss - (conn->ts ? TS_LEN : 0), frame = NDIV_REPLY_MAX - pkt->l4 - tcp_len(args);
	__u32 mtu = ndiv_self.mtu - (pkt->l4 - pkt->l3) - tcp_len(args);

	if (mtu < frame)
		frame = mtu;
	return segment < frame ? segment : frame;
}

static __always_inline enum ndiv_verdict answer_data(struct xdp_md *ctx, struct ndiv_pkt *pkt, struct httpd_args *args,
						     const struct conn *conn, __u32 seq, int fin)
{
	__u32 len, all = pkt->end - pkt->payload;
	struct request *req;

	if (conn->fin)
		return reset(pkt, args);
	req = read_request(ctx, pkt);
	if (!req)
		return ndiv_drop(pkt, HTTPD_R_UNREADABLE);
	/* A connection without timestamps ends while its packets can still be told from others. */
	if (fin || (!conn->ts && conn->pos >= HTTPD_NEAR_END))
		req->close = 1;
	args->kind = HTTPD_K_RESPONSE;
	len = lay_out(args, req, room_for(pkt, args, conn));
	if (req->close)
		req->end = all;
	/* What follows the request is not acknowledged: the client sends it again, and it is answered then. */
	args->ack = seq + req->end + (fin && req->end == all);
	count_request(pkt, req);
	return send(pkt, args, tcp_len(args) + len);
}

/* A packet of a connection, with data or a FIN. */
static __always_inline enum ndiv_verdict answer(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct tcphdr *tcp,
						__u8 flags)
{
	struct httpd_args *args = ndiv_args(pkt);
	__u32 seq = bpf_ntohl(tcp->seq);
	struct conn conn;
	int bad;

	bad = conn_check(ctx, pkt, tcp, &conn);
	if (bad)
		return ndiv_drop(pkt, bad);
	if (!ndiv_l4_verify(ctx, pkt))
		return ndiv_drop(pkt, HTTPD_R_CHECKSUM);
	args->ts = conn.ts;
	if (pkt->payload < pkt->end)
		return answer_data(ctx, pkt, args, &conn, seq, flags & TCP_FIN);
	return answer_fin(pkt, args, &conn, seq);
}

static __always_inline enum ndiv_verdict handle_tcp(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct tcphdr *tcp)
{
	__u8 flags = ((const __u8 *)tcp)[13];

	if (flags & TCP_RST)
		return ndiv_drop(pkt, HTTPD_R_RST);
	if ((flags & (TCP_SYN | TCP_ACK | TCP_FIN)) != TCP_SYN && (flags & (TCP_SYN | TCP_ACK)) != TCP_ACK)
		return ndiv_drop(pkt, HTTPD_R_FLAGS);
	if (!(flags & (TCP_SYN | TCP_FIN)) && pkt->payload == pkt->end)
		return ndiv_drop(pkt, HTTPD_R_ACK);
	if (!ndiv_can_reply(pkt))
		return ndiv_drop(pkt, HTTPD_R_TX_FULL);	/* the client will ask again */
	return flags & TCP_SYN ? answer_syn(ctx, pkt, tcp) : answer(ctx, pkt, tcp, flags);
}

/* Neither fragments nor packets with IP options, whose answer would need them turned round: the stack may have them. */
static __always_inline int is_plain_tcp(const struct ndiv_pkt *pkt)
{
	return (pkt->flags & (NDIV_F_TCP | NDIV_F_FRAG | NDIV_F_IP_EXT | NDIV_F_HW_VLAN)) == NDIV_F_TCP;
}

/* From one host, to this one? */
static __always_inline int is_mine(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	const struct ethhdr *eth = ndiv_ptr(ctx, 0, sizeof(*eth));
	const struct ipv6hdr *ip6;
	const struct iphdr *ip4;

	if (!eth || eth->h_source[0] & 1 || !ndiv_to_me(ctx))
		return 0;
	if (pkt->flags & NDIV_F_IPV4) {
		ip4 = ndiv_ptr(ctx, pkt->l3, sizeof(*ip4));
		return ip4 && ndiv_is_host4(ip4->saddr) && ndiv_is_host4(ip4->daddr);
	}
	ip6 = ndiv_ptr(ctx, pkt->l3, sizeof(*ip6));
	return ip6 && ndiv_is_host6(&ip6->saddr) && ndiv_is_host6(&ip6->daddr);
}

static __always_inline enum ndiv_verdict httpd_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	struct tcphdr *tcp;
	__u16 port;

	if (!is_plain_tcp(pkt))
		return NDIV_NEXT;
	tcp = ndiv_ptr(ctx, pkt->l4, sizeof(*tcp));
	if (!tcp)
		return NDIV_NEXT;
	port = bpf_ntohs(tcp->dest);
	if (port < config.ports.lo || port > config.ports.hi)
		return NDIV_NEXT;
	if (!is_mine(ctx, pkt) || !ndiv_prefixes_have_dst(ctx, pkt, &config.addr))
		return NDIV_NEXT;
	return handle_tcp(ctx, pkt, tcp);
}

SEC("xdp.frags")
int httpd(struct xdp_md *ctx)
{
	return ndiv_run(ctx, httpd_handle, httpd_build);
}

SEC("xdp.frags/devmap")
int httpd_clone(struct xdp_md *ctx)
{
	return ndiv_run_clone(ctx, httpd_build);
}

SEC("tc")
int httpd_skb(struct __sk_buff *skb)
{
	return ndiv_run_skb(skb, httpd_build);
}

char _license[] SEC("license") = "GPL";

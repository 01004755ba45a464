// SPDX-License-Identifier: GPL-2.0-only
/*
 * httpd - a stateless HTTP server in the driver, for tests of load balancers, firewalls and proxies
 *
 * Every packet is answered for what it says: a SYN by a SYN-ACK, a request by the first burst of its response, an
 * acknowledgement of that by the next burst, a FIN by a FIN. Nothing is kept for a connection, see tcp.h and
 * position.h. A request is read (request.h) and answered (answer.h), a response goes on (again.h): that leaves struct
 * httpd_args, and the builder writes the packets (response.h). docs/httpd.md is the guide.
 */
#include <ndiv/handler.h>
#include <ndiv/addr.h>
#include <ndiv/limit.h>
#include <ndiv/prefix.h>
#include "httpd.h"
#include "tcp.h"
#include "answer.h"
#include "again.h"

const volatile struct httpd_config config SEC(".rodata.config") = { .ports = { 8000, 8000 } };

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "httpd",
	.about = "stateless HTTP server: GET /N gives N bytes, up to 1g",
	.counters = {
		[HTTPD_SYN] = "syn",
		[HTTPD_GET] = "get",
		[HTTPD_HEAD] = "head",
		[HTTPD_POST] = "post",
		[HTTPD_OTHER_METHOD] = "other-method",
		[HTTPD_2XX] = "status-2xx",
		[HTTPD_3XX] = "status-3xx",
		[HTTPD_4XX] = "status-4xx",
		[HTTPD_5XX] = "status-5xx",
		[HTTPD_CLOSE] = "close",
		[HTTPD_FIN] = "fin",
		[HTTPD_BYTES] = "bytes",
		[HTTPD_SEGMENTS] = "segments",
		[HTTPD_NEXT_BURST] = "next-burst",
		[HTTPD_AGAIN] = "asked-again",
		[HTTPD_HOLE] = "hole-filled",
		[HTTPD_BODY] = "body",
		[HTTPD_PROBE] = "probe",
		[HTTPD_LAST_ACK] = "last-ack",
		[HTTPD_FILE] = "file",
		[HTTPD_STALE] = "stale",
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
		[HTTPD_R_EARLY] = "early",
		[HTTPD_R_WINDOW] = "window",
		[HTTPD_R_SYN_RATE] = "over-syn-rate",
		[HTTPD_R_JUST_SENT] = "just-sent",
		[HTTPD_R_STALE] = "stale",
	},
	.options = {
		{ .name = "ports", .help = "port, or range of ports, to serve",
		  .type = NDIV_OPT_PORTS, .offset = offsetof(struct httpd_config, ports) },
		{ .name = "addr", .help = "destinations to serve; none: whatever is sent to this MAC address",
		  .type = NDIV_OPT_PREFIXES, .offset = offsetof(struct httpd_config, addr) },
		{ .name = "syn-rate", .help = "SYN-ACKs per second; 0: no limit",
		  .type = NDIV_OPT_U32, .offset = offsetof(struct httpd_config, syn_rate), .max = NDIV_LIMIT_RATE_MAX },
	},
};

/* Of SYN-ACKs, all CPUs together. Never touched without a limit. */
__u64 syn_bucket SEC(".data.bucket") __attribute__((aligned(64)));

static __always_inline int is_over_syn_rate(void)
{
	struct ndiv_limit limit;

	if (!config.syn_rate)
		return 0;
	limit = ndiv_limit(config.syn_rate, 0);
	return !ndiv_limit_take(&syn_bucket, &limit, ndiv_limit_now());
}

static __always_inline enum ndiv_verdict answer_syn(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct tcphdr *tcp)
{
	struct httpd_args *args = ndiv_args(pkt);
	int bad;

	bad = conn_open(ctx, pkt, tcp, args);
	if (bad)
		return ndiv_drop(pkt, bad);
	if (!verify(ctx, pkt))
		return ndiv_drop(pkt, HTTPD_R_CHECKSUM);
	if (is_over_syn_rate())
		return ndiv_drop(pkt, HTTPD_R_SYN_RATE);
	ndiv_count(pkt, HTTPD_SYN);
	return send(pkt, 1, tcp_len(args), 0);
}

static __always_inline enum ndiv_verdict answer_data(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct conn *conn,
						     int fin)
{
	__u32 gone = conn->ts ? 0 : (conn->pos & POS_MASK) >> 4;
	struct text *text = find_text(ctx, pkt, 1);
	struct request *req;

	if (!text)
		return ndiv_drop(pkt, pkt->flags & NDIV_F_L4_BAD ? HTTPD_R_CHECKSUM : HTTPD_R_UNREADABLE);
	if (!gone && is_answered(conn, text, fin))
		return answer_same(pkt, conn, text);
	req = take_request(pkt, text);
	if (gone)
		return answer_segments(pkt, conn, req, SEGMENTS_MAX - gone, fin);
	return answer_request(pkt, conn, req, fin);
}

/* A part of a request's body that is waited for: all of it is acknowledged; the last one is answered. */
static __always_inline enum ndiv_verdict answer_body(struct ndiv_pkt *pkt, const struct conn *conn)
{
	int close = conn->left >= POS_BODY_CLOSE;
	__u32 left = conn->left - (close ? POS_BODY_CLOSE : POS_BODY), all = pkt->end - pkt->payload;
	struct httpd_args *args = ndiv_args(pkt);

	if (conn->pos >= POS_NEAR)
		return ndiv_drop(pkt, HTTPD_R_COOKIE);
	ndiv_count(pkt, HTTPD_BODY);
	if (all < left && conn->plen == all)
		return acknowledge(pkt, conn, HTTPD_K_ACK, 0);
	if (conn->plen > all)
		close = 1;
	if (close)
		ndiv_count(pkt, HTTPD_CLOSE);
	args->flags = close ? HTTPD_A_FIN : 0;
	return send_text(pkt, conn, HTTPD_PAGE_GOT_BODY, close || left == all ? conn->plen : left, POS_HALF);
}

/* Behind our FIN: the client may still send, which is acknowledged and thrown away, until it closes, too. */
static __always_inline enum ndiv_verdict answer_closed(struct ndiv_pkt *pkt, const struct conn *conn)
{
	__u32 ahead = conn->left >= POS_EARLY ? POS_HALF - conn->left : 0, open = 1 + POS_PAID + POS_LOSSY;

	/* Nothing is left; or it is the request that has come again. */
	if (conn->ts && conn->left > open && !ahead && conn->left - conn->plen > open)
		return ndiv_drop(pkt, HTTPD_R_COOKIE);
	if (pkt->payload == pkt->end)
		ndiv_count(pkt, HTTPD_FIN);
	else
		ndiv_count(pkt, HTTPD_BODY);
	return acknowledge(pkt, conn, HTTPD_K_ACK, conn->plen + open + (ahead ? ahead : -conn->left));
}

/*
 * A packet of a connection, with data or a FIN; <cpu> begins with struct ndiv_pkt. A function of its own as
 * parse_request() is: the verifier looks at it once, for all kinds of packets.
 */
__noinline int answer(struct xdp_md *ctx, struct ndiv_cpu *cpu, const struct conn *conn, int fin)
{
	struct ndiv_pkt *pkt;
	__u32 left, all;

	if (!cpu || !conn)
		return NDIV_NEXT;
	pkt = &cpu->pkt;
	left = conn->left;
	all = pkt->end - pkt->payload;
	/* A request where nothing is left to be done, as nearly all are: its reader verifies it. */
	if (!conn->fin && !left && all > 1)
		return answer_data(ctx, pkt, conn, fin);
	if (!verify(ctx, pkt))
		return ndiv_drop(pkt, HTTPD_R_CHECKSUM);
	if (conn->fin)
		return answer_closed(pkt, conn);
	if (all == 1 && pos_is_idle(left, 1)) {
		ndiv_count(pkt, HTTPD_PROBE);
		return acknowledge(pkt, conn, HTTPD_K_ACK, 0);
	}
	if (all && pos_owes(left, conn->plen))
		return acknowledge_last(pkt, conn, conn->plen);
	/* The same, with a FIN that was not known yet. */
	if (all && conn->plen > all && pos_owes(left, all)) {
		ndiv_count(pkt, HTTPD_FIN);
		return acknowledge(pkt, conn, HTTPD_K_FIN, conn->plen - all + POS_CLOSE + POS_OWES);
	}
	/* Nothing is left to be done, or only what this packet brings again. */
	if (all && (pos_is_idle(left, 0) || pos_is_idle(left, conn->plen)))
		return answer_data(ctx, pkt, conn, fin);
	if (pos_is_idle(left, 0) || pos_is_idle(left, conn->plen)) {
		ndiv_count(pkt, HTTPD_FIN);
		return acknowledge(pkt, conn, HTTPD_K_FIN,
				   conn->plen + POS_CLOSE - (left & ~POS_STAYS) + (left & POS_OWES));
	}
	if (all && left < POS_BODY)
		return answer_again(ctx, pkt, conn);
	if (all && left < POS_BODY_END)
		return answer_body(pkt, conn);
	return ndiv_drop(pkt, left >= POS_EARLY || left < POS_BODY ? HTTPD_R_EARLY : HTTPD_R_COOKIE);
}

/* Has the client told of a hole behind what it acknowledges? By SACK: the first block lies beyond it. */
static __always_inline int has_hole(struct xdp_md *ctx, const struct ndiv_pkt *pkt, const struct conn *conn)
{
	struct options found = { 0 };
	const __be32 *left;

	if (pkt->payload - pkt->l4 <= TCP_LEN + TS_LEN || options(ctx, pkt, &found) || !found.sack)
		return 0;
	left = ndiv_ptr(ctx, pkt->l4 + found.sack + 2, sizeof(*left));
	return left && (__s32)(bpf_ntohl(*left) - conn->ack) > 0;
}

/*
 * An acknowledgement while a response is on its way, <rem> bytes from its end. At the end of a burst, the next one
 * follows: that is where bursts of this size end, or where the last one did, which was smaller as the window was.
 * Anywhere else it is none of a whole burst, or it tells of a hole, and the segment there is sent again. One
 * that comes again within some seconds changes nothing: so copies and updates of the window, which may come in
 * any number, cannot become a storm.
 */
static __always_inline enum ndiv_verdict answer_ack(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct conn *conn,
						    __u32 rem, __u32 mark, __u32 fin)
{
	int hole = has_hole(ctx, pkt, conn);
	struct httpd_args *args = ndiv_args(pkt);
	__u32 count = burst(conn, mark);

	if (!count)
		return ndiv_drop(pkt, HTTPD_R_WINDOW);
	if (!hole && rem / conn->unit % count) {
		if (!is_burst_end(conn))
			return ndiv_drop(pkt, HTTPD_R_ACK);
		count = rest_of_burst(conn, rem, mark);
	}
	if (!verify(ctx, pkt))
		return ndiv_drop(pkt, HTTPD_R_CHECKSUM);
	if (!ndiv_can_reply(pkt))
		return ndiv_drop(pkt, HTTPD_R_TX_FULL);
	if (is_recent(conn, hole))
		return ndiv_drop(pkt, HTTPD_R_JUST_SENT);
	args->delta = 0;
	args->flags = HTTPD_A_KEEP;
	if (hole) {
		mark = mark_lossy(pkt, mark);
		count = 1;
	} else {
		end_burst(conn, rem, count);
	}
	args->delta += fin * (1 + (~mark & POS_CLOSE));
	mark |= fin * POS_CLOSE;
	return go_on(pkt, conn, rem, mark, count, 0, hole ? HTTPD_HOLE : HTTPD_NEXT_BURST);
}

/*
 * Nothing is left, but an answer is wanted: the request is to be acknowledged, or it is a keep-alive probe (RFC 9293,
 * 3.8.4), one byte before what we expect.
 */
static __always_inline enum ndiv_verdict answer_idle(struct xdp_md *ctx, struct ndiv_pkt *pkt, struct conn *conn,
						     int probe)
{
	if (!verify(ctx, pkt))
		return ndiv_drop(pkt, HTTPD_R_CHECKSUM);
	if (!ndiv_can_reply(pkt))
		return ndiv_drop(pkt, HTTPD_R_TX_FULL);
	if (!probe)
		return acknowledge_last(pkt, conn, 0);
	ndiv_count(pkt, HTTPD_PROBE);
	conn->plen = 1;
	return acknowledge(pkt, conn, HTTPD_K_ACK, 0);
}

/* An acknowledgement that may ask for something. A function of its own, too. */
__noinline int handle_ack(struct xdp_md *ctx, struct ndiv_cpu *cpu, struct conn *conn)
{
	__u32 left, rem, mark = 0, fin;
	struct ndiv_pkt *pkt;

	if (!cpu || !conn)
		return NDIV_NEXT;
	pkt = &cpu->pkt;
	left = conn->left;
	/* Behind our FIN, one is left. */
	if (pos_owes(left, conn->fin))
		return answer_idle(ctx, pkt, conn, 0);
	if (conn->fin)
		return ndiv_drop(pkt, HTTPD_R_ACK);
	if (pos_is_idle(left, 1))
		return answer_idle(ctx, pkt, conn, 1);
	rem = pos_rem(left, conn->unit, &mark);
	/*
	 * The client has sent a FIN that we have not taken yet: one less is left. The response's end acknowledges it:
	 * so that has to be ours, too.
	 */
	fin = !rem;
	if (fin)
		rem = pos_rem(left + 1, conn->unit, &mark);
	rem = ndiv_forget(pkt, rem, ~0U);
	mark = ndiv_forget(pkt, mark, 15);
	fin = ndiv_forget(pkt, fin, 1);
	if (!rem)
		return ndiv_drop(pkt, HTTPD_R_EARLY);
	return answer_ack(ctx, pkt, conn, rem, mark, fin);
}

/*
 * May an acknowledgement ask for anything? The one that completes the handshake does not, whatever timestamp it echoes:
 * Linux's SYNPROXY echoes one in it that was never sent. A probe does.
 */
static __always_inline int may_ask(const struct conn *conn)
{
	if (!conn->ts || !(conn->left & ~POS_LOSSY) || conn->left >= POS_BODY)
		return 0;
	return conn->pos > POS_MASK_TS || conn->left == 1;
}

static __always_inline enum ndiv_verdict handle_tcp(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct tcphdr *tcp)
{
	__u8 flags = ((const __u8 *)tcp)[13];
	struct ndiv_cpu *cpu = (struct ndiv_cpu *)pkt;
	struct conn conn = { 0 };
	int bad;

	if (flags & TCP_RST)
		return ndiv_drop(pkt, HTTPD_R_RST);
	if ((flags & (TCP_SYN | TCP_ACK | TCP_FIN)) != TCP_SYN && (flags & (TCP_SYN | TCP_ACK)) != TCP_ACK)
		return ndiv_drop(pkt, HTTPD_R_FLAGS);
	if (flags & TCP_SYN)
		return ndiv_can_reply(pkt) ? answer_syn(ctx, pkt, tcp) : ndiv_drop(pkt, HTTPD_R_TX_FULL);
	bad = conn_read(ctx, pkt, tcp, &conn);
	if (bad)
		return ndiv_drop(pkt, bad);
	if (!conn.plen)
		return may_ask(&conn) ? handle_ack(ctx, cpu, &conn) : ndiv_drop(pkt, HTTPD_R_ACK);
	if (!ndiv_can_reply(pkt))
		return ndiv_drop(pkt, HTTPD_R_TX_FULL);	/* the client will ask again */
	return answer(ctx, cpu, &conn, flags & TCP_FIN);
}

/* Neither fragments nor packets with IP options, whose answer would need them turned round: the stack may have them. */
static __always_inline int is_plain_tcp(const struct ndiv_pkt *pkt)
{
	return (pkt->flags & (NDIV_F_TCP | NDIV_F_FRAG | NDIV_F_IP_EXT | NDIV_F_HW_VLAN)) == NDIV_F_TCP;
}

/* From one host, to this one? */
static __always_inline int is_mine(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	const volatile __u16 *mac = (const volatile __u16 *)ndiv_self.mac;
	const __u16 *eth = ndiv_ptr(ctx, 0, ETH_HLEN);
	const struct ipv6hdr *ip6;
	const struct iphdr *ip4;

	/* As ndiv_to_me(), with the packet at hand. */
	if (!eth || eth[3] & bpf_htons(0x0100) || eth[0] != mac[0] || eth[1] != mac[1] || eth[2] != mac[2])
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
	if (!is_mine(ctx, pkt))
		return NDIV_NEXT;
	if (!ndiv_prefixes_empty(&config.addr) && !ndiv_prefixes_have_dst(ctx, pkt, &config.addr))
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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * httpd - a stateless HTTP server in the driver, for tests of load balancers, firewalls and proxies
 *
 * Every packet is answered for what it says: a SYN by a SYN-ACK, a request by the first burst of its response, an
 * acknowledgement of that by the next burst, a FIN by a FIN. Nothing is kept for a connection, see tcp.h and
 * position.h. The handler decides and leaves struct httpd_args; the builder writes the packets, see response.h.
 * docs/httpd.md is the guide.
 */
#include <ndiv/handler.h>
#include <ndiv/addr.h>
#include <ndiv/limit.h>
#include <ndiv/prefix.h>
#include "httpd.h"
#include "tcp.h"
#include "request.h"
#include "pages.h"
#include "response.h"
#include "recent.h"

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

/* Sends <count> packets, whose TCP header has <len> bytes and whose longest one ends with <payload> bytes. */
static __always_inline enum ndiv_verdict send(struct ndiv_pkt *pkt, __u32 count, __u32 len, __u32 payload)
{
	__u32 end = pkt->l4 + len + payload;

	/* A frame that came padded goes padded: not every driver does it. */
	if (end < ETH_ZLEN && pkt->len >= ETH_ZLEN)
		end = ETH_ZLEN;
	return count > 1 ? ndiv_burst(pkt, count, end) : ndiv_reply(pkt, end);
}

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

/* Is the checksum right? A function of its own, see options(). */
__noinline int verify(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	return pkt ? ndiv_l4_verify(ctx, pkt) : 0;
}

static __always_inline enum ndiv_verdict answer_syn(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct tcphdr *tcp)
{
	struct httpd_args *args = ndiv_args(pkt);
	__u32 len = 0;
	int bad;

	bad = conn_open(ctx, pkt, tcp, args, &len);
	if (bad)
		return ndiv_drop(pkt, bad);
	if (!verify(ctx, pkt))
		return ndiv_drop(pkt, HTTPD_R_CHECKSUM);
	if (is_over_syn_rate())
		return ndiv_drop(pkt, HTTPD_R_SYN_RATE);
	ndiv_count(pkt, HTTPD_SYN);
	return send(pkt, 1, len, 0);
}

/* A packet without payload, that acknowledges all that the asking one had. The timestamp grows by <delta>. */
static __always_inline enum ndiv_verdict acknowledge(struct ndiv_pkt *pkt, const struct conn *conn, __u8 kind,
						     __u32 delta)
{
	struct httpd_args *args = ndiv_args(pkt);

	args->kind = kind;
	args->ts = conn->ts;
	args->seq = conn->ack;
	args->ack = conn->seq + conn->plen;
	args->tsval = bpf_htonl(conn->tsecr + delta + pos_grow(conn->file, 0));
	args->tsecr = bpf_htonl(conn->tsval);
	return send(pkt, 1, tcp_len(args), 0);
}

/*
 * <count> segments of an object's or a file's response, from <args> on; all that is left of it has <rem> bytes.
 * <acked>: bytes of the asking packet that its end acknowledges.
 */
static __always_inline enum ndiv_verdict send_segments(struct ndiv_pkt *pkt, const struct conn *conn, __u32 count,
						       __u32 acked)
{
	struct httpd_args *args = ndiv_args(pkt);
	__u32 longest = args->first;
	struct segment last;

	if (count > 1 && longest < args->unit)
		longest = args->unit;
	find_segment(args, count - 1, &last);
	args->ts = conn->ts;
	args->acked = acked;
	if (args->flags & HTTPD_A_TWICE) {
		count++;
		ndiv_add(pkt, HTTPD_BYTES, last.len);
	}
	ndiv_add(pkt, HTTPD_SEGMENTS, count);
	ndiv_add(pkt, HTTPD_BYTES, last.at + last.len);
	return send(pkt, count, tcp_len(args), longest);
}

static __always_inline void count_status(struct ndiv_pkt *pkt, __u32 status)
{
	__u32 n = HTTPD_2XX;

	if (status >= 300)
		n = status < 400 ? HTTPD_3XX : status < 500 ? HTTPD_4XX : HTTPD_5XX;
	ndiv_count(pkt, n);
}

/* Of a text's response. Those behind are errors. */
static __always_inline void count_page(struct ndiv_pkt *pkt, __u32 page)
{
	if (page == HTTPD_PAGE_MAINTENANCE)
		ndiv_count(pkt, HTTPD_5XX);
	else if (page != HTTPD_PAGE_CONTINUE)
		ndiv_count(pkt, page < HTTPD_PAGE_CONTINUE ? HTTPD_2XX : HTTPD_4XX);
}

static __always_inline void count_method(struct ndiv_pkt *pkt, const struct request *req)
{
	__u32 method = HTTPD_OTHER_METHOD;

	if (req->method == METHOD_GET)
		method = HTTPD_GET;
	if (req->method == METHOD_HEAD)
		method = HTTPD_HEAD;
	if (req->method == METHOD_POST)
		method = HTTPD_POST;
	if (req->page == HTTPD_PAGE_BAD)
		method = HTTPD_OTHER_METHOD;
	ndiv_count(pkt, method);
}

/*
 * A text, in one segment. <acked>: bytes of the asking packet that it acknowledges. <state>: of the connection then,
 * see position.h.
 */
static __always_inline enum ndiv_verdict send_text(struct ndiv_pkt *pkt, const struct conn *conn, __u32 page,
						   __u32 acked, __u32 state)
{
	struct httpd_args *args = ndiv_args(pkt);
	int close = args->flags & HTTPD_A_FIN;
	struct text_page *text = text_page(page, close);
	__u32 len = text->first_len + text->rest_len + (args->flags & HTTPD_A_HEAD ? 0 : text->body_len);

	args->kind = HTTPD_K_TEXT;
	args->ts = conn->ts;
	args->page = page;
	args->pad = -len & (close ? POS_MASK_TS : conn_mask(conn->ts));
	len += args->pad;
	args->first = len;
	args->acked = acked;
	args->delta = conn->plen + len + (close ? POS_CLOSE : 0) + state - conn->left + pos_grow(conn->file, 0);
	count_page(pkt, page);
	ndiv_add(pkt, HTTPD_SEGMENTS, 1);
	ndiv_add(pkt, HTTPD_BYTES, len);
	return send(pkt, 1, tcp_len(args), len);
}

/*
 * How an object's response is cut into segments: units, counted from its end, so that what is left tells where one
 * begins. The header has to be whole in the first one; where that would be too short, it takes from the second one.
 * Returns the response's bytes; more than this connection can be sent: 0.
 */
static __always_inline __u32 lay_out(struct httpd_args *args, const struct conn *conn, const struct request *req)
{
	__u32 size = req->method == METHOD_HEAD ? 0 : req->size, mask = conn_mask(conn->ts), header, len, first;

	header = object_header(req->status, args->flags & HTTPD_A_FIN);
	len = header + size;
	if (args->flags & HTTPD_A_FIN && len + POS_MASK_TS <= conn->room)
		mask = POS_MASK_TS;	/* where nothing follows, nothing has to be told */
	args->page = req->status;
	args->unit = conn->unit;
	args->pad = -len & mask;
	len += args->pad;
	first = len;
	if (len > conn->room) {
		if (!conn->ts && (len > SEGMENTS_MAX * conn->unit || len > conn->window || conn->unit < UNIT_MIN))
			return 0;
		first = (len - 1) % conn->unit + 1;
		if (first < header + args->pad)
			first += (header + args->pad - first + mask) & ~mask;
	}
	args->first = first;
	return len;
}

/* The number of segments of a response of <len> bytes, of which the first one has <first>. */
static __always_inline __u32 segments(const struct httpd_args *args, __u32 len)
{
	return len == args->first ? 1 : 1 + (len - args->first + args->unit - 1) / args->unit;
}

/* Marks of a response of <n> segments. */
static __always_inline __u32 end_mark(struct httpd_args *args, const struct conn *conn, __u32 n)
{
	__u32 mark = args->flags & HTTPD_A_FIN ? POS_CLOSE : 0;

	if (!conn->ts || n < 2)
		return mark;
	args->flags |= HTTPD_A_OWES;
	return mark | POS_OWES;
}

/*
 * The first burst of an object's response of <len> bytes. The last segment acknowledges <acked> bytes of the asking
 * packet. What is longer than one burst has to be continued, which takes timestamps.
 */
static __always_inline enum ndiv_verdict answer_object(struct ndiv_pkt *pkt, const struct conn *conn,
						       const struct request *req, __u32 len, __u32 acked)
{
	struct httpd_args *args = ndiv_args(pkt);
	__u32 n = segments(args, len), count = n;

	if (conn->ts && (n > 2 || len > conn->window))
		count = pos_first_burst(n, conn->window, conn->unit);
	if (!count)
		return ndiv_drop(pkt, HTTPD_R_WINDOW);
	args->kind = HTTPD_K_OBJECT;
	args->flags |= HTTPD_A_HEADER;
	args->rem = req->method == METHOD_HEAD ? req->size : len;
	args->delta = conn->plen + len + end_mark(args, conn, n) - conn->left + pos_grow(conn->file, 0);
	count_status(pkt, statuses[req->status & 31]);
	return send_segments(pkt, conn, count, acked);
}

/* A text instead of what was asked for, which closes. */
static __always_inline enum ndiv_verdict answer_instead(struct ndiv_pkt *pkt, const struct conn *conn, __u32 page)
{
	struct httpd_args *args = ndiv_args(pkt);

	args->flags |= HTTPD_A_FIN;
	return send_text(pkt, conn, page, conn->plen, conn->left);
}

/*
 * How the file's response of <len> bytes is cut into segments, which is as an object's is, but that its head may be
 * cut, too. Returns how many go first, *<n> of all; 0: none fits the window.
 */
static __always_inline __u32 lay_file(struct httpd_args *args, const struct conn *conn, __u32 len, __u32 *n)
{
	args->unit = conn->unit;
	args->first = len <= conn->room ? len : (len - 1) % conn->unit + 1;
	args->rem = len;
	*n = segments(args, len);
	if ((*n <= 2 || !conn->ts) && len <= conn->window)
		return *n;
	return pos_first_burst(*n, conn->window, conn->unit);
}

/* What is sent instead of the file of <req>, which is too long for one burst where only one can be. */
static __always_inline __u32 page_instead(const struct conn *conn, const struct request *req)
{
	if (req->page != HTTPD_PAGE_FILE)
		return req->page;
	return conn->ts ? HTTPD_PAGE_LONG : HTTPD_PAGE_TOO_LARGE;
}

/*
 * The first burst of a file's response. Of several segments, what is left has to be told, and the file: so only a whole
 * body can be sent thus, to a request that nothing follows. If something does, the connection closes; a 304 becomes a
 * 200; of what cannot be sent, a text tells. Without timestamps, there are eight segments at most.
 */
static __always_inline enum ndiv_verdict answer_file(struct ndiv_pkt *pkt, const struct conn *conn, struct request *req,
						     __u32 acked)
{
	__u32 all = pkt->end - pkt->payload, count, n, bias = 0;
	struct httpd_args *args = ndiv_args(pkt);

	if (choose_file(req, args->flags & HTTPD_A_FIN))
		return ndiv_drop(pkt, HTTPD_R_STALE);
	count = lay_file(args, conn, req->hit.len, &n);
	if (n > 1 && (req->end < all || req->flags & REQUEST_ETAG)) {
		req->flags &= ~REQUEST_ETAG;
		if (conn->ts && req->end < all && !(args->flags & HTTPD_A_FIN)) {
			ndiv_count(pkt, HTTPD_CLOSE);
			args->flags |= HTTPD_A_FIN;
			acked = conn->plen;
		}
		if (choose_file(req, args->flags & HTTPD_A_FIN))
			return ndiv_drop(pkt, HTTPD_R_STALE);
		count = lay_file(args, conn, req->hit.len, &n);
	}
	if (n > 1 && req->hit.variant > NDIV_CONTENT_CLOSE)
		return answer_instead(pkt, conn, page_instead(conn, req));
	if (!conn->ts && n > 1 && (n > SEGMENTS_MAX || count < n))
		return answer_instead(pkt, conn, page_instead(conn, req));
	if (count < n && (!req->whole || req->end > all))
		return answer_instead(pkt, conn, page_instead(conn, req));
	if (!count)
		return ndiv_drop(pkt, HTTPD_R_WINDOW);
	if (n > 1)
		bias = pos_of_file(req->hit.id);
	args->kind = HTTPD_K_FILE;
	args->page = req->hit.variant;
	args->id = req->hit.id;
	args->flags = (args->flags & HTTPD_A_FIN) | (n > 1 ? HTTPD_A_PARTS : 0);
	args->delta = conn->plen + req->hit.len + end_mark(args, conn, n) - conn->left + pos_grow(conn->file, bias);
	ndiv_count(pkt, HTTPD_FILE);
	count_status(pkt, req->hit.status);
	content_count(req->hit.id);
	return send_segments(pkt, conn, count, acked);
}

/*
 * A body is waited for only if the client can tell us then that it was (see position.h). Else, it is answered now, and
 * what comes behind is thrown away.
 */
static __always_inline enum ndiv_verdict answer_post(struct ndiv_pkt *pkt, const struct conn *conn, struct request *req)
{
	struct httpd_args *args = ndiv_args(pkt);
	__u32 all = pkt->end - pkt->payload, total = req->end + req->body, state;

	if (total <= all)
		return send_text(pkt, conn, HTTPD_PAGE_GOT_BODY, total == all ? conn->plen : total, conn->left);
	if (!conn->ts || conn->pos >= POS_NEAR || req->body > BODY_MAX || conn->plen != all || !req->whole) {
		args->flags |= HTTPD_A_FIN;
		return send_text(pkt, conn, HTTPD_PAGE_GOT_BODY, conn->plen, conn->left);
	}
	/* The number that the client is to echo counts to the body's end. */
	state = (args->flags & HTTPD_A_FIN ? POS_BODY_CLOSE : POS_BODY) + total - all;
	args->flags &= ~HTTPD_A_FIN;
	if (req->flags & REQUEST_EXPECT && req->end == all)
		return send_text(pkt, conn, HTTPD_PAGE_CONTINUE, all, state);
	return acknowledge(pkt, conn, HTTPD_K_ACK, conn->plen + state - conn->left);
}

/* The request gets the error <page>, or what the site has for it. */
static __always_inline void fail_request(struct request *req, __u8 page)
{
	req->page = page;
	if (req->now)
		find_page(req);
}

/* A new request, in <req>. */
static __always_inline enum ndiv_verdict answer_request(struct ndiv_pkt *pkt, const struct conn *conn,
							struct request *req, int fin)
{
	struct httpd_args *args = ndiv_args(pkt);
	__u32 all = pkt->end - pkt->payload, acked, len;

	if (req->delay && !(pkt->flags & NDIV_F_AGAIN) && req->page == HTTPD_PAGE_OBJECT)
		return ndiv_postpone(pkt, req->delay);
	/* A connection without timestamps ends while its packets can still be told from others. */
	if (fin || (!conn->ts && conn->pos >= HTTPD_NEAR_END))
		req->close = 1;
	/* The body of a request that has none to have: it is thrown away, the more so if it is not whole. */
	if (req->page != HTTPD_PAGE_GOT_BODY && req->body) {
		req->end += req->body;
		if (req->end > all)
			req->close = 1;
	}
	/*
	 * What acknowledges a response of several segments acknowledges the request up to the packet's end: so nothing
	 * else may be in it. To go on with later bursts, all of it has to be.
	 */
	if (req->page == HTTPD_PAGE_OBJECT && req->method == METHOD_GET && req->size + HEADER_MAX > conn->room) {
		if (req->end < all)
			req->close = 1;
		if (!req->whole && req->size > (NDIV_BURST_MAX - 1) * conn->unit)
			fail_request(req, HTTPD_PAGE_LONG);
	}
	acked = conn->plen;
	if (!req->close && req->end < all)
		acked = req->end;
	args->flags = (req->close ? HTTPD_A_FIN : 0) | (req->method == METHOD_HEAD ? HTTPD_A_HEAD : 0);
	count_method(pkt, req);
	if (req->close)
		ndiv_count(pkt, HTTPD_CLOSE);
	if (req->page == HTTPD_PAGE_OBJECT) {
		len = lay_out(args, conn, req);
		if (len)
			return answer_object(pkt, conn, req, len, acked);
		args->flags |= HTTPD_A_FIN;
		acked = conn->plen;
		fail_request(req, HTTPD_PAGE_TOO_LARGE);
	}
	if (req->file)
		return answer_file(pkt, conn, req, acked);
	if (req->page == HTTPD_PAGE_GOT_BODY)
		return answer_post(pkt, conn, req);
	return send_text(pkt, conn, req->page, acked, conn->left);
}

/* A transfer whose file has been taken away: there is nothing to go on with. */
static __always_inline enum ndiv_verdict reset_stale(struct ndiv_pkt *pkt, const struct conn *conn)
{
	ndiv_count(pkt, HTTPD_STALE);
	return acknowledge(pkt, conn, HTTPD_K_RST, 0);
}

/* go_on() with a file, if it is there. */
static __always_inline enum ndiv_verdict go_on_file(struct ndiv_pkt *pkt, const struct conn *conn, __u32 mark,
						    __u32 count, __u32 acked, enum httpd_counter why)
{
	__u32 id = pos_file_id(conn->file), variant = mark & POS_CLOSE ? NDIV_CONTENT_CLOSE : NDIV_CONTENT_FULL, len;
	struct httpd_args *args = ndiv_args(pkt);

	len = file_len(id, variant);
	if (!len)
		return reset_stale(pkt, conn);
	if (args->rem >= len)
		return ndiv_drop(pkt, HTTPD_R_COOKIE);
	args->kind = HTTPD_K_FILE;
	args->page = variant;
	args->id = id;
	args->flags |= HTTPD_A_PARTS;
	ndiv_count(pkt, why);
	return send_segments(pkt, conn, count, acked);
}

/*
 * The response goes on where the client is, <rem> bytes from its end: <count> segments. Where it began, the client has
 * seen: so an object's header is not needed. Where packets get lost, the last segment is sent twice: its loss, or that
 * of the acknowledgement, would be found by the client's timer only. <why> is counted.
 */
static __always_inline enum ndiv_verdict go_on(struct ndiv_pkt *pkt, const struct conn *conn, __u32 rem, __u32 mark,
					       __u32 count, __u32 acked, enum httpd_counter why)
{
	struct httpd_args *args = ndiv_args(pkt);

	args->flags |= (mark & POS_CLOSE ? HTTPD_A_FIN : 0) | (mark & POS_LOSSY ? HTTPD_A_TWICE : 0) |
		       (mark & POS_OWES ? HTTPD_A_OWES : 0);
	args->unit = conn->unit;
	args->first = (rem - 1) % conn->unit + 1;
	args->rem = rem;
	if (conn->file)
		return go_on_file(pkt, conn, mark, count, acked, why);
	args->kind = HTTPD_K_OBJECT;
	args->page = 0;
	args->pad = 0;
	ndiv_count(pkt, why);
	return send_segments(pkt, conn, count, acked);
}

/* Segments of a burst in the client's window. Where packets get lost, fewer. */
static __always_inline __u32 burst(const struct conn *conn, __u32 mark)
{
	__u32 n = pos_burst(conn->window, conn->unit);

	return mark & POS_LOSSY && n > 6 ? 6 : n;
}

/* What the packet tells that packets get lost, the timestamp tells from now on. */
static __always_inline __u32 mark_lossy(struct ndiv_pkt *pkt, __u32 mark)
{
	struct httpd_args *args = ndiv_args(pkt);

	args->delta = mark & POS_LOSSY ? 0 : POS_LOSSY;
	return mark | POS_LOSSY;
}

/* Segments up to where a later burst begins, from <rem> bytes before the end on, in the client's window. */
static __always_inline __u32 rest_of_burst(const struct conn *conn, __u32 rem, __u32 mark)
{
	__u32 n = (rem + conn->unit - 1) / conn->unit, k = burst(conn, mark), count;

	if (!k)
		return 0;
	count = n % k;
	return count ? count : k;
}

/* Is <rem> what is left behind the first segment of the response to <req>, which need not be a multiple of units? */
static __always_inline int is_second(struct ndiv_pkt *pkt, const struct conn *conn, const struct request *req,
				     __u32 rem, __u32 mark)
{
	struct httpd_args *args = ndiv_args(pkt);
	__u32 len;

	if (!rem || req->page != HTTPD_PAGE_OBJECT || req->method != METHOD_GET)
		return 0;
	args->flags = mark & POS_CLOSE ? HTTPD_A_FIN : 0;
	len = lay_out(args, conn, req);
	return len > args->first && rem == len - args->first;
}

/* What is left of the response if <taken> bytes of the packet were known when the client got its timestamp; 0: none. */
static __always_inline __u32 rem_behind(const struct conn *conn, __u32 taken, __u32 unit, __u32 *mark)
{
	return conn->left > taken ? pos_rem(conn->left - taken, unit, mark) : 0;
}

/* The same of a packet that begins with the request, of which more may have come with it. <taken>: bytes of the
 * request. */
static __always_inline __u32 rem_of_request(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct conn *conn,
					    __u32 *mark, __u32 *taken)
{
	struct request *req = read_request(ctx, pkt, conn->file ? content_now() : 0);
	__u32 rem;

	if (!req)
		return 0;
	if (conn->file) {
		*taken = req->end;
		return rem_behind(conn, req->end, conn->unit, mark);
	}
	rem = rem_behind(conn, *taken, 1, mark);
	if (is_second(pkt, conn, req, rem, *mark))
		return rem;
	*taken = req->end;
	rem = rem_behind(conn, req->end, 1, mark);
	if (is_second(pkt, conn, req, rem, *mark))
		return rem;
	return rem % conn->unit || req->page != HTTPD_PAGE_OBJECT ? 0 : rem;
}

/*
 * What is left of a response, whose request, or its last bytes, have come again, because something was lost. The
 * timestamp counts to the end of the packet that asked first: it had what this one has, or no FIN, or only the request.
 */
static __always_inline __u32 rem_of_data(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct conn *conn, __u32 *mark,
					 __u32 *taken)
{
	__u32 all = pkt->end - pkt->payload, rem;

	*taken = conn->plen;
	rem = rem_behind(conn, conn->plen, conn->unit, mark);
	if (!rem && conn->plen > all) {
		*taken = all;
		rem = rem_behind(conn, all, conn->unit, mark);
	}
	if (!rem && all > POS_KEEP)
		rem = rem_of_request(ctx, pkt, conn, mark, taken);
	return rem;
}

/* All of the response has arrived: now the request is acknowledged, <taken> bytes of the packet. */
static __always_inline enum ndiv_verdict acknowledge_last(struct ndiv_pkt *pkt, const struct conn *conn, __u32 taken)
{
	struct conn last = *conn;

	last.plen = taken;
	ndiv_count(pkt, HTTPD_LAST_ACK);
	return acknowledge(pkt, &last, HTTPD_K_ACK, 0);
}

/* Is <taken> where a header ends and the next request begins, in the packet? */
static __always_inline int is_next(struct xdp_md *ctx, const struct ndiv_pkt *pkt, __u32 taken)
{
	const __u8 *p = ndiv_ptr(ctx, pkt->payload + taken - 1, 2);

	return taken && pkt->payload + taken < pkt->end && p && p[0] == '\n' && p[1] >= 'A' && p[1] <= 'Z';
}

/* The request of a response that has arrived whole, or its last bytes, and the next request in one packet: how many
 * bytes the former has. */
static __always_inline __u32 owed_before(struct xdp_md *ctx, const struct ndiv_pkt *pkt, const struct conn *conn)
{
	__u32 taken = conn->left - POS_OWES;

	if (conn->left <= POS_STAYS || conn->left > TEXT_MAX)
		return 0;
	if (is_next(ctx, pkt, taken))
		return taken;
	taken -= POS_LOSSY;
	return is_next(ctx, pkt, taken) ? taken : 0;
}

/* Data while a response is on its way. What is none of its request came too early: the client will send it again. */
static __always_inline enum ndiv_verdict answer_again(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct conn *conn)
{
	__u32 taken = 0, mark = 0, rem = rem_of_data(ctx, pkt, conn, &mark, &taken), count;
	struct httpd_args *args = ndiv_args(pkt);

	if (!rem) {
		taken = owed_before(ctx, pkt, conn);
		return taken ? acknowledge_last(pkt, conn, taken) : ndiv_drop(pkt, HTTPD_R_EARLY);
	}
	mark = mark_lossy(pkt, mark);
	count = rest_of_burst(conn, rem, mark);
	if (!count)
		return ndiv_drop(pkt, HTTPD_R_WINDOW);
	args->flags = 0;
	if (taken <= POS_KEEP)
		args->flags = taken > 1 ? HTTPD_A_ONE : 0;
	else if (rem % conn->unit == 0)
		args->flags = HTTPD_A_KEEP;
	return go_on(pkt, conn, rem, mark, count, taken, HTTPD_AGAIN);
}

/* Without timestamps: how the file's response was cut, in <args>, or the object's. Its length, or 0: neither. */
static __always_inline __u32 lay_again(struct httpd_args *args, const struct conn *conn, struct request *req)
{
	__u32 n;

	if (req->file) {
		if (choose_file(req, args->flags & HTTPD_A_FIN))
			return 0;
		lay_file(args, conn, req->hit.len, &n);
		args->kind = HTTPD_K_FILE;
		args->page = req->hit.variant;
		args->id = req->hit.id;
		return req->hit.len;
	}
	if (req->page != HTTPD_PAGE_OBJECT || req->method != METHOD_GET)
		return 0;
	n = lay_out(args, conn, req);
	args->kind = HTTPD_K_OBJECT;
	args->page = 0;
	args->pad = 0;
	return n;
}

/* Without timestamps, the acknowledgement number tells how many segments are missing. */
static __always_inline enum ndiv_verdict answer_segments(struct ndiv_pkt *pkt, const struct conn *conn,
							 struct request *req, __u32 count, int fin)
{
	struct httpd_args *args = ndiv_args(pkt);
	__u32 rem = count * conn->unit, acked = conn->plen, len;
	int close = req->close | !!fin | (conn->pos >= HTTPD_NEAR_END);

	if (!content_settled())
		return reset_stale(pkt, conn);
	args->flags = close ? HTTPD_A_FIN : 0;
	len = lay_again(args, conn, req);
	if (count + 1 == segments(args, len))
		rem = len - args->first;
	if (!len || count >= segments(args, len) || rem > conn->window)
		return ndiv_drop(pkt, HTTPD_R_EARLY);
	if (!close && req->end < pkt->end - pkt->payload)
		acked = req->end;
	ndiv_count(pkt, HTTPD_AGAIN);
	args->unit = conn->unit;
	args->first = (rem - 1) % conn->unit + 1;
	args->rem = rem;
	return send_segments(pkt, conn, count, acked);
}

static __always_inline enum ndiv_verdict answer_data(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct conn *conn,
						     int fin)
{
	__u32 gone = conn->ts ? 0 : (conn->pos & POS_MASK) >> 4;
	struct request *req = read_request(ctx, pkt, content_now());

	if (!req)
		return ndiv_drop(pkt, HTTPD_R_UNREADABLE);
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
 * follows. Anywhere else it is none of a whole burst, or it tells of a hole, and the segment there is sent again. One
 * that comes again within a few milliseconds changes nothing: so copies and updates of the window, which may come in
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
	if (!hole && rem / conn->unit % count)
		return ndiv_drop(pkt, HTTPD_R_ACK);
	if (!verify(ctx, pkt))
		return ndiv_drop(pkt, HTTPD_R_CHECKSUM);
	if (!ndiv_can_reply(pkt))
		return ndiv_drop(pkt, HTTPD_R_TX_FULL);
	if (is_recent(conn->hash, conn->ack, hole))
		return ndiv_drop(pkt, HTTPD_R_JUST_SENT);
	args->delta = 0;
	args->flags = HTTPD_A_KEEP;
	if (hole) {
		mark = mark_lossy(pkt, mark);
		count = 1;
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
	if (!conn.plen && (!conn.ts || !(conn.left & ~POS_LOSSY) || conn.left >= POS_BODY))
		return ndiv_drop(pkt, HTTPD_R_ACK);
	if (!conn.plen)
		return handle_ack(ctx, cpu, &conn);
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

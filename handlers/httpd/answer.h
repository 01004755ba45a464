/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * answer.h - a new request: its response, or the first burst of it
 */
#ifndef NDIV_HTTPD_ANSWER_H
#define NDIV_HTTPD_ANSWER_H

#include "layout.h"
#include "send.h"

/*
 * Keeps the answer <args> of <len> bytes to <req>, unless it depends on more than the text and what answer_same()
 * compares.
 */
static __always_inline void keep_answer(const struct httpd_args *args, const struct conn *conn, struct request *req,
					__u32 len)
{
	struct answered *last = &((struct text *)req)->answered;

	last->args = *args;
	last->len = len;
	last->room = conn->room;
	last->ts = !!conn->ts;
	last->method = method_counter(req);
	last->status = status_counter(statuses[req->status & 31]);
}

/* What tells the client that a response of one segment has arrived: its bytes, and that it closes. */
static __always_inline __u32 grow_by(const struct httpd_args *args, const struct conn *conn, __u32 len)
{
	return conn->plen + len + (args->flags & HTTPD_A_FIN ? POS_CLOSE : 0) - conn->left + pos_grow(conn->file, 0);
}

/* Was the same text answered by one segment last, which fits this connection, too? Not if a FIN comes with it. */
static __always_inline int is_answered(const struct conn *conn, const struct text *text, int fin)
{
	const struct answered *last = &text->answered;

	if (last->room != conn->room || last->ts != !!conn->ts || fin)
		return 0;
	return conn->ts ? last->len <= conn->window : conn->pos < HTTPD_NEAR_END;
}

/* The same answer again. */
static __always_inline enum ndiv_verdict answer_same(struct ndiv_pkt *pkt, const struct conn *conn,
						     const struct text *text)
{
	const struct answered *last = &text->answered;
	struct httpd_args *args = ndiv_args(pkt);
	__u32 len = last->len;

	*args = last->args;
	args->ts = conn->ts;
	args->delta = grow_by(args, conn, len);
	ndiv_count(pkt, last->method);
	ndiv_count(pkt, last->status);
	if (args->flags & HTTPD_A_FIN)
		ndiv_count(pkt, HTTPD_CLOSE);
	ndiv_count(pkt, HTTPD_SEGMENTS);
	ndiv_add(pkt, HTTPD_BYTES, len);
	return send(pkt, 1, tcp_len(args), len);
}

/*
 * The first burst of an object's response of <len> bytes. The last segment acknowledges <acked> bytes of the asking
 * packet. What is longer than one burst has to be continued, which takes timestamps.
 */
static __always_inline enum ndiv_verdict answer_object(struct ndiv_pkt *pkt, const struct conn *conn,
						       struct request *req, __u32 len, __u32 acked)
{
	struct httpd_args *args = ndiv_args(pkt);
	__u32 n = segments(args, len), count = n;
	enum ndiv_verdict verdict;

	if (conn->ts && (n > 2 || len > conn->window))
		count = pos_first_burst(n, conn->window, conn->unit);
	if (!count)
		return ndiv_drop(pkt, HTTPD_R_WINDOW);
	args->kind = HTTPD_K_OBJECT;
	args->flags |= HTTPD_A_HEADER;
	args->rem = req->method == METHOD_HEAD ? req->size : len;
	args->delta = conn->plen + len + end_mark(args, conn, n) - conn->left + pos_grow(conn->file, 0);
	count_status(pkt, statuses[req->status & 31]);
	verdict = send_segments(pkt, conn, count, acked);
	if (n == 1 && !req->unlike)
		keep_answer(args, conn, req, len);
	return verdict;
}

/* A text instead of what was asked for, which closes. */
static __always_inline enum ndiv_verdict answer_instead(struct ndiv_pkt *pkt, const struct conn *conn, __u32 page)
{
	struct httpd_args *args = ndiv_args(pkt);

	args->flags |= HTTPD_A_FIN;
	return send_text(pkt, conn, page, conn->plen, conn->left);
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
	if ((req->flags & (REQUEST_EXPECT | REQUEST_OLD)) == REQUEST_EXPECT && req->end == all)
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
	req->unlike = !!req->delay;
	/* A connection without timestamps ends while its packets can still be told from others. */
	if (fin || (!conn->ts && conn->pos >= HTTPD_NEAR_END)) {
		req->close = 1;
		req->unlike = 1;
	}
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

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * send.h - what is sent, as the handler leaves it for the builder, and what is counted of it
 */
#ifndef NDIV_HTTPD_SEND_H
#define NDIV_HTTPD_SEND_H

#include "request.h"
#include "response.h"

/* Sends <count> packets, whose TCP header has <len> bytes and whose longest one ends with <payload> bytes. */
static __always_inline enum ndiv_verdict send(struct ndiv_pkt *pkt, __u32 count, __u32 len, __u32 payload)
{
	__u32 end = pkt->l4 + len + payload;

	/* A frame that came padded goes padded: not every driver does it. */
	if (end < ETH_ZLEN && pkt->len >= ETH_ZLEN)
		end = ETH_ZLEN;
	return count > 1 ? ndiv_burst(pkt, count, end) : ndiv_reply(pkt, end);
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

static __always_inline __u32 status_counter(__u32 status)
{
	if (status < 300)
		return HTTPD_2XX;
	return status < 400 ? HTTPD_3XX : status < 500 ? HTTPD_4XX : HTTPD_5XX;
}

static __always_inline void count_status(struct ndiv_pkt *pkt, __u32 status)
{
	ndiv_count(pkt, status_counter(status));
}

/* Of a text's response. Those behind are errors. */
static __always_inline void count_page(struct ndiv_pkt *pkt, __u32 page)
{
	if (page == HTTPD_PAGE_MAINTENANCE)
		ndiv_count(pkt, HTTPD_5XX);
	else if (page != HTTPD_PAGE_CONTINUE)
		ndiv_count(pkt, page < HTTPD_PAGE_CONTINUE ? HTTPD_2XX : HTTPD_4XX);
}

static __always_inline __u32 method_counter(const struct request *req)
{
	if (req->page == HTTPD_PAGE_BAD)
		return HTTPD_OTHER_METHOD;
	if (req->method == METHOD_GET)
		return HTTPD_GET;
	if (req->method == METHOD_HEAD)
		return HTTPD_HEAD;
	return req->method == METHOD_POST ? HTTPD_POST : HTTPD_OTHER_METHOD;
}

static __always_inline void count_method(struct ndiv_pkt *pkt, const struct request *req)
{
	ndiv_count(pkt, method_counter(req));
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
	args->pad = -len & (close ? conn_mask_class(conn->ts) : conn_mask(conn->ts));
	len += args->pad;
	args->first = len;
	args->acked = acked;
	args->delta = conn->plen + len + (close ? POS_CLOSE : 0) + state - conn->left + pos_grow(conn->file, 0);
	count_page(pkt, page);
	ndiv_add(pkt, HTTPD_SEGMENTS, 1);
	ndiv_add(pkt, HTTPD_BYTES, len);
	return send(pkt, 1, tcp_len(args), len);
}

#endif

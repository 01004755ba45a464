/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * again.h - a response goes on: by what the client has acknowledged, or because its request has come again
 */
#ifndef NDIV_HTTPD_AGAIN_H
#define NDIV_HTTPD_AGAIN_H

#include "layout.h"
#include "recent.h"
#include "send.h"

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

/* Remembers where <count> segments end that go on with <rem> bytes. */
static __always_inline void end_burst(const struct conn *conn, __u32 rem, __u32 count)
{
	__u32 first = (rem - 1) % conn->unit + 1;

	remember_burst(conn, conn->ack + first + (count - 1) * conn->unit);
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
	struct request *req = read_request(ctx, pkt, !!conn->file);
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
	end_burst(conn, rem, count);
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

#endif

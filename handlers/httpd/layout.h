/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * layout.h - how a response is cut into segments
 */
#ifndef NDIV_HTTPD_LAYOUT_H
#define NDIV_HTTPD_LAYOUT_H

#include "request.h"
#include "response.h"

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
	if (args->flags & HTTPD_A_FIN && len + conn_mask_class(conn->ts) <= conn->room)
		mask = conn_mask_class(conn->ts);	/* where nothing follows, nothing has to be told */
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

#endif

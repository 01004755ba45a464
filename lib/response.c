// SPDX-License-Identifier: GPL-2.0-only
/* response.c - the head of a response, in all its variants */
#include <inttypes.h>
#include <string.h>
#include "content.h"

/* A strong one: equal for equal content of the same type, on every machine. */
__u64 response_etag(const struct response *r)
{
	__u64 key[2] = { 0, 0 }, etag;

	key[0] = sip_hash(2, 4, key, r->type, strlen(r->type));
	etag = sip_hash(2, 4, key, r->body, r->len);
	return etag ? etag : 1;
}

/* The lines of the head that come before the padding. */
static size_t lines(const struct response *r, unsigned int variant, char *buf)
{
	__u32 status = (variant & ~NDIV_CONTENT_CLOSE) == NDIV_CONTENT_SAME ? 304 : r->status;
	size_t n;

	n = snprintf(buf, HEAD_MAX, "HTTP/1.1 %" PRIu32 " %s\r\n", status, status_text(status));
	if (status != 304)
		n += snprintf(buf + n, HEAD_MAX - n, "Content-Type: %s\r\nContent-Length: %" PRIu32 "\r\n", r->type,
			      r->len);
	if (r->etag)
		n += snprintf(buf + n, HEAD_MAX - n, "ETag: \"%016" PRIx64 "\"\r\n", (uint64_t)r->etag);
	if (status == 405)
		n += snprintf(buf + n, HEAD_MAX - n, "Allow: GET, HEAD\r\n");
	if (r->to)
		n += snprintf(buf + n, HEAD_MAX - n, "Location: %s\r\n", r->to);
	if (r->retry_s)
		n += snprintf(buf + n, HEAD_MAX - n, "Retry-After: %" PRIu32 "\r\n", r->retry_s);
	n += snprintf(buf + n, HEAD_MAX - n, "Connection: %s\r\nX-Pad: ",
		      variant & NDIV_CONTENT_CLOSE ? "close" : "keep-alive");
	return n;
}

/*
 * Writes the head of <variant> into <buf> (HEAD_MAX bytes) and returns its length: padded so that what is sent, which
 * is the body as well if the variant has one, is a multiple of NDIV_CONTENT_WHOLE.
 */
size_t response_head(const struct response *r, unsigned int variant, char *buf)
{
	static const char end[] = "\r\n\r\n";
	size_t n = lines(r, variant, buf), pad, sent;

	sent = n + strlen(end) + (variant <= NDIV_CONTENT_CLOSE ? r->len : 0);
	pad = -sent % NDIV_CONTENT_WHOLE;
	memset(buf + n, '.', pad);
	memcpy(buf + n + pad, end, strlen(end));
	return n + pad + strlen(end);
}

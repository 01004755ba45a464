/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages.h - what is sent: headers and bodies, ready-made
 *
 * A response is a first line with a field X-Pad, as many dots as make its length a multiple of what tcp.h wants, the
 * rest of the header, and the body. The Content-Length is written over the rest.
 *
 * The body of an object is a pattern of 64 bytes, repeated, that ends with the object: so what lies at some place
 * depends on nothing but the distance from the end, which is what we know when the client has told where it is.
 */
#ifndef NDIV_HTTPD_PAGES_H
#define NDIV_HTTPD_PAGES_H

#include "httpd.h"
#include "request.h"

#define DOTS16		"................"
#define DOTS128		DOTS16 DOTS16 DOTS16 DOTS16 DOTS16 DOTS16 DOTS16 DOTS16
#define P64		"0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ\n"
#define P512		P64 P64 P64 P64 P64 P64 P64 P64

#define OK_FIRST	"HTTP/1.1 200 OK\r\nX-Pad: "
#define KEEP		"\r\nConnection: keep-alive\r\nContent-Length: "
#define CLOSE		"\r\nConnection: close\r\nContent-Length: "
#define NUMBER		"          \r\n\r\n"	/* the last thing in front of the body */
#define NO_NUMBER	"\0\0\0\0\0\0\0\0\0\0\r\n\r\n" /* for its sum */
#define NUMBER_LEN	14

_Static_assert(sizeof(P64) == 65 && sizeof(NUMBER) - 1 == NUMBER_LEN, "P64, NUMBER");

#define KEEP_REST	(sizeof(KEEP NUMBER) - 1)
#define CLOSE_REST	(sizeof(CLOSE NUMBER) - 1)
#define OK_FIRST_LEN	(sizeof(OK_FIRST) - 1)

#define UNIT_MAX	3072	/* bytes of a segment, at most; see NDIV_REPLY_MAX */

/* Not constant for the kernel: some take the source of a copy into a packet for its destination. */
char pattern[UNIT_MAX + 65] SEC(".data.const.pages") = P512 P512 P512 P512 P512 P512 P64;
char dots[129] SEC(".data.const.pages") = DOTS128;

#define FIRST_MAX	64
#define HEADER_MAX	(FIRST_MAX + KEEP_REST + 32)	/* of an object, with timestamps */

/* First line of an object's response: its status. */
struct status_line {
	__u32	len;
	char	text[FIRST_MAX];
};

#define STATUS_LINE(line)	{ sizeof("HTTP/1.1 " line "\r\nX-Pad: ") - 1, "HTTP/1.1 " line "\r\nX-Pad: " }

/* In the order of statuses[]. */
struct status_line status_lines[32] SEC(".data.const.pages") = {
	STATUS_LINE("200 OK"),
	STATUS_LINE("201 Created"),
	STATUS_LINE("202 Accepted"),
	STATUS_LINE("203 Non-Authoritative Information"),
	STATUS_LINE("300 Multiple Choices"),
	STATUS_LINE("301 Moved Permanently"),
	STATUS_LINE("302 Found"),
	STATUS_LINE("303 See Other"),
	STATUS_LINE("307 Temporary Redirect"),
	STATUS_LINE("308 Permanent Redirect"),
	STATUS_LINE("400 Bad Request"),
	STATUS_LINE("401 Unauthorized"),
	STATUS_LINE("402 Payment Required"),
	STATUS_LINE("403 Forbidden"),
	STATUS_LINE("404 Not Found"),
	STATUS_LINE("405 Method Not Allowed"),
	STATUS_LINE("406 Not Acceptable"),
	STATUS_LINE("408 Request Timeout"),
	STATUS_LINE("409 Conflict"),
	STATUS_LINE("410 Gone"),
	STATUS_LINE("411 Length Required"),
	STATUS_LINE("413 Content Too Large"),
	STATUS_LINE("414 URI Too Long"),
	STATUS_LINE("415 Unsupported Media Type"),
	STATUS_LINE("418 I'm a teapot"),
	STATUS_LINE("421 Misdirected Request"),
	STATUS_LINE("429 Too Many Requests"),
	STATUS_LINE("500 Internal Server Error"),
	STATUS_LINE("501 Not Implemented"),
	STATUS_LINE("502 Bad Gateway"),
	STATUS_LINE("503 Service Unavailable"),
	STATUS_LINE("504 Gateway Timeout"),
};

#define TEXT_FIRST_MAX	80
#define TEXT_REST_MAX	240

/* Any other response: its body is text. */
struct text_page {
	__u8	first_len;	/* without dots */
	__u8	rest_len;	/* without the body */
	__u8	body_len;
	__u8	pad;
	char	first[TEXT_FIRST_MAX];
	char	rest[TEXT_REST_MAX];
};

#define TEXT_PAGE(status, headers, text) {                                                                             \
	sizeof("HTTP/1.1 " status "\r\nX-Pad: ") - 1, sizeof(headers NUMBER) - 1, sizeof(text) - 1, 0,                 \
	"HTTP/1.1 " status "\r\nX-Pad: ", headers NUMBER text }

#define TEXT_PAGES	16	/* a power of two, for the mask; what is not used is empty, which the builder refuses */

#define HELP_TEXT	"ndiv httpd: GET /N gives N bytes; k, m and g are units.\n"
#define BODY_TEXT	"Received.\n"
#define CONTINUE	"HTTP/1.1 100 Continue\r\nX-Pad: "
#define CONTINUE_LEN	(sizeof(CONTINUE) - 1)

_Static_assert(HTTPD_PAGES + 2 <= TEXT_PAGES, "text_pages");

/* Those that keep the connection, and those that close it, which errors do. */
struct text_page text_pages[TEXT_PAGES] SEC(".data.const.pages") = {
	[HTTPD_PAGE_HELP] = TEXT_PAGE("200 OK", CLOSE, HELP_TEXT),
	[HTTPD_PAGE_GOT_BODY] = TEXT_PAGE("200 OK", CLOSE, BODY_TEXT),
	[HTTPD_PAGE_CONTINUE] = { CONTINUE_LEN, 4, 0, 0, CONTINUE, "\r\n\r\n" },
	[HTTPD_PAGE_BAD] = TEXT_PAGE("400 Bad Request", CLOSE, "This is no HTTP/1.x request.\n"),
	[HTTPD_PAGE_NOT_FOUND] = TEXT_PAGE("404 Not Found", CLOSE, "There are objects /N only, of N bytes.\n"),
	[HTTPD_PAGE_METHOD] = TEXT_PAGE("405 Method Not Allowed", "\r\nAllow: GET, HEAD, POST, PUT" CLOSE,
					"GET, HEAD, POST and PUT only.\n"),
	[HTTPD_PAGE_NO_LENGTH] = TEXT_PAGE("411 Length Required", CLOSE, "Bodies in chunks are not taken.\n"),
	[HTTPD_PAGE_TOO_LARGE] = TEXT_PAGE("416 Range Not Satisfiable", CLOSE,
					   "Too large: 1g is the limit; without TCP timestamps, eight segments.\n"),
	[HTTPD_PAGE_LONG] = TEXT_PAGE("431 Request Header Fields Too Large", CLOSE,
				      "A header longer than a packet: 16 segments are the limit.\n"),
	[HTTPD_PAGE_MAINTENANCE] = TEXT_PAGE("503 Service Unavailable", CLOSE, "Down for maintenance.\n"),
	[HTTPD_PAGES] = TEXT_PAGE("200 OK", KEEP, HELP_TEXT),
	[HTTPD_PAGES + 1] = TEXT_PAGE("200 OK", KEEP, BODY_TEXT),
};

static __always_inline struct text_page *text_page(__u32 page, int close)
{
	__u32 i = page;

	if (!close && page == HTTPD_PAGE_HELP)
		i = HTTPD_PAGES;
	if (!close && page == HTTPD_PAGE_GOT_BODY)
		i = HTTPD_PAGES + 1;
	return &text_pages[i & (TEXT_PAGES - 1)];
}

/* Bytes of an object's header without dots. */
static __always_inline __u32 object_header(__u32 status, int close)
{
	return status_lines[status & 31].len + (close ? CLOSE_REST : KEEP_REST);
}

#endif

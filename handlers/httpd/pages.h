/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages.h - what is sent: headers and bodies, ready-made
 *
 * A response is a first part, as many dots as make its length a multiple of 16 (see tcp.h), and a rest that the body
 * follows without a gap. So two copies make a response, and the Content-Length is written over the rest. The
 * body of an object is a pattern of 64 bytes, repeated.
 */
#ifndef NDIV_HTTPD_PAGES_H
#define NDIV_HTTPD_PAGES_H

#include "httpd.h"
#include "request.h"

#define BODY_MAX	8960

#define DOTS		"..............."	/* 15 */
#define P64		"0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ\n"
#define P512		P64 P64 P64 P64 P64 P64 P64 P64
#define P4K		P512 P512 P512 P512 P512 P512 P512 P512
#define PATTERN		P4K P4K P512 P64 P64 P64 P64

#define OK_FIRST	"HTTP/1.1 200 OK\r\nX-Pad: "
#define KEEP		"\r\nConnection: keep-alive\r\nContent-Length: "
#define CLOSE		"\r\nConnection: close\r\nContent-Length: "
#define NUMBER		"     \r\n\r\n"	/* the last thing in front of the body */
#define NO_NUMBER	"\0\0\0\0\0\r\n\r\n" /* for its sum */
#define NUMBER_LEN	9

_Static_assert(sizeof(P64) == 65, "P64");

/* An object's response. */
struct object_page {
	char	first[sizeof(OK_FIRST DOTS)];
	char	rest[sizeof(KEEP NUMBER) + BODY_MAX];
};

/* Not constant for the kernel: some take the source of a copy into a packet for its destination. */
struct object_page object_keep SEC(".data.const.pages") = { OK_FIRST DOTS, KEEP NUMBER PATTERN };
struct object_page object_close SEC(".data.const.pages") = { OK_FIRST DOTS, CLOSE NUMBER PATTERN };

#define OBJECT_FIRST	(sizeof(OK_FIRST) - 1)
#define KEEP_REST	(sizeof(KEEP NUMBER) - 1)
#define CLOSE_REST	(sizeof(CLOSE NUMBER) - 1)

#define TEXT_FIRST_MAX	80
#define TEXT_REST_MAX	240

/* Any other response: its body is text. Errors close. */
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
	"HTTP/1.1 " status "\r\nX-Pad: " DOTS, headers NUMBER text }

#define TEXT_PAGES	8	/* a power of two, for the mask; what is not used is empty, which the builder refuses */

#define HELP_TEXT	"ndiv httpd: GET /N gives N bytes, as many as fit one segment.\n"

_Static_assert(HTTPD_PAGES <= TEXT_PAGES, "text_pages");

struct text_page text_pages[TEXT_PAGES] SEC(".data.const.pages") = {
	[HTTPD_PAGE_OK] = TEXT_PAGE("200 OK", KEEP, HELP_TEXT),		/* of "GET /", kept */
	[HTTPD_PAGE_HELP] = TEXT_PAGE("200 OK", CLOSE, HELP_TEXT),
	[HTTPD_PAGE_BAD] = TEXT_PAGE("400 Bad Request", CLOSE, "This is no HTTP/1.x request.\n"),
	[HTTPD_PAGE_NOT_FOUND] = TEXT_PAGE("404 Not Found", CLOSE, "There are objects /N only, of N bytes.\n"),
	[HTTPD_PAGE_METHOD] = TEXT_PAGE("405 Method Not Allowed", "\r\nAllow: GET, HEAD" CLOSE, "GET and HEAD only.\n"),
	[HTTPD_PAGE_TOO_LARGE] = TEXT_PAGE("416 Range Not Satisfiable", CLOSE,
					   "Too large: header and body must fit one segment of this connection.\n"),
	[HTTPD_PAGE_LONG] = TEXT_PAGE("431 Request Header Fields Too Large", CLOSE,
				      "The request must be in one segment, of up to about 1400 bytes.\n"),
};

/* Lengths of a response's parts. */
struct page_lens {
	__u32	first, rest, body;
};

/* Which of the text pages? "GET /" has two. */
static __always_inline __u32 text_index(__u32 page, int close)
{
	return page == HTTPD_PAGE_HELP && !close ? HTTPD_PAGE_OK : page;
}

static __always_inline struct text_page *text_page(__u32 page, int close)
{
	return &text_pages[text_index(page, close) & (TEXT_PAGES - 1)];
}

static __always_inline void page_lens(__u32 page, int close, __u32 size, struct page_lens *lens)
{
	const struct text_page *text;

	if (page == HTTPD_PAGE_OK) {
		lens->first = OBJECT_FIRST;
		lens->rest = close ? CLOSE_REST : KEEP_REST;
		lens->body = size;
		return;
	}
	text = text_page(page, close);
	lens->first = text->first_len;
	lens->rest = text->rest_len;
	lens->body = text->body_len;
}

#endif

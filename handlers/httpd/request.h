/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * request.h - reads a request: method, URL, version, and the header fields that matter
 *
 * Eight bytes at a time, so that lines without interest cost little. The verifier has to follow every step of a loop:
 * what it carries is forgotten (ndiv_forget()), so that every round looks the same.
 */
#ifndef NDIV_HTTPD_REQUEST_H
#define NDIV_HTTPD_REQUEST_H

#include "position.h"
#include "text.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "text is compared as little-endian words");

enum httpd_page {
	HTTPD_PAGE_OBJECT,
	HTTPD_PAGE_FILE,	/* of the site that is loaded */
	HTTPD_PAGE_HELP,	/* "GET /" */
	HTTPD_PAGE_GOT_BODY,	/* of POST and PUT */
	HTTPD_PAGE_CONTINUE,	/* 100 */
	HTTPD_PAGE_BAD,		/* 400, and so on */
	HTTPD_PAGE_NOT_FOUND,
	HTTPD_PAGE_METHOD,
	HTTPD_PAGE_NO_LENGTH,
	HTTPD_PAGE_TOO_LARGE,
	HTTPD_PAGE_LONG,
	HTTPD_PAGE_MAINTENANCE,	/* 503 */
	HTTPD_PAGES,
};

enum httpd_method {
	METHOD_NONE,		/* none that there is */
	METHOD_OTHER,		/* one that is not served */
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,		/* or PUT */
};

#define STEPS		80	/* of the loop over the header, 16 bytes or the end of a line each: about 1200 bytes */
#define LIST_STEPS	32	/* of the one over the words of "Connection" */
#define ARG_STEPS	250	/* of the ones over arguments, and over a host's name, byte by byte */
#define URL_STEPS	32	/* of the one over the URL: about 256 bytes */
#define WORD(a, b, c, d, e, f, g, h)                                                                                   \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 | (__u64)(f) << 40 |    \
	 (__u64)(g) << 48 | (__u64)(h) << 56)
#define ALL(c)	((c) * 0x0101010101010101ULL)
#define LOWER	ALL(0x20)	/* makes letters lower case; of others it makes what they are not */
#define LOWER_5	(LOWER >> 24)	/* likewise, but of the first five bytes only */
#define LOWER_7	(LOWER >> 8)	/* of the first seven */
#define LOWER_4	(LOWER & ~(0xffULL << 32))	/* likewise, but leaves alone what is behind four letters */

/* Why the connection is to be closed, bits. */
enum closing {
	CLOSE_DEFAULT = 1,	/* "keep-alive" takes it back */
	CLOSE_ASKED = 2,	/* "close", which is stronger, wherever it stands (RFC 9112, 9.3) */
};

enum request_flag {
	REQUEST_LENGTH = 1,	/* Content-Length was there */
	REQUEST_CHUNKED = 2,	/* Transfer-Encoding, whatever it says */
	REQUEST_EXPECT = 4,	/* Expect, whatever it says: RFC 9110 has 100-continue only */
	REQUEST_BAD = 8,	/* Content-Length is no number, or there are two */
	REQUEST_ETAG = 16,	/* If-None-Match, with an ETag that may be ours */
	REQUEST_OLD = 32,	/* HTTP/1.0, whose Expect is not heeded (RFC 9110, 10.1.1) */
};

/* A bit set in the first byte of <w> that is <c> (in later ones, perhaps wrongly), or 0. */
static __always_inline __u64 find_byte(__u64 w, __u8 c)
{
	__u64 x = w ^ ALL(c);

	return (x - ALL(1)) & ~x & ALL(0x80);
}

/* Number of the byte with the lowest bit set in <m>, which is not 0, and has bits 7, 15... only. */
static __always_inline __u32 first_byte(__u64 m)
{
	/* All bits below it, of which bits 0, 8... are one more than the bytes before it; the product adds them up. */
	m = (m - 1) & ~m & ALL(1);
	return (m * ALL(1) >> 56) - 1;
}

static __always_inline int is_digit(__u8 c)
{
	return (__u8)(c - '0') < 10;
}

#define NUMBER_MAX	10	/* digits */

/* The number at <pos>, with k, m or g behind it if <units>. Behind it, or 0: there is none, or it is beyond 2^32 - 1.
 */
static __always_inline __u32 number(const struct text *text, __u32 pos, int units, __u32 *value)
{
	__u64 w = load8(text, pos), n = 0;
	__u32 i;

	for (i = 0; i < NUMBER_MAX; i++) {
		if (i == 8)
			w = load8(text, pos + 8);
		if (!is_digit(w))
			break;
		n = n * 10 + ((__u8)w - '0');
		w >>= 8;
	}
	if (!i || (i == NUMBER_MAX && is_digit(load8(text, pos + i))))
		return 0;
	pos += i;
	w = load8(text, pos);
	i = (((__u8)w | 0x20) == 'k') * 10 + (((__u8)w | 0x20) == 'm') * 20 + (((__u8)w | 0x20) == 'g') * 30;
	if (units && i) {
		n <<= i;
		pos++;
	}
	*value = n;
	return n >> 32 ? 0 : pos;
}

/* Statuses that an object may be asked for with. Without those that have no body, and 206, which is a part. */
static const volatile __u16 statuses[32] = {
	200, 201, 202, 203, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405,
	406, 408, 409, 410, 411, 413, 414, 415, 418, 421, 429, 500, 501, 502, 503, 504,
};

/* Index of status <n>; 0: there is none such. */
static __always_inline __u32 status_index(__u32 n)
{
	__u32 i, found = 0;

	for (i = 1; i < 32; i++)
		found |= statuses[i] == n ? i : 0;
	return found;
}

/*
 * One argument, at <pos>: "s=10k" (size), "r=404" (status), "t=100" (delay), "C" (close), "K" (keep). 0, or it is bad.
 * A function of its own as parse_request() is.
 */
__noinline int parse_argument(struct text *text, __u32 pos)
{
	struct request *req;
	__u64 w;
	__u32 n;

	if (!text)
		return 0;
	req = &text->req;
	w = load8(text, pos);
	if ((__u8)w == 'C')
		req->close |= CLOSE_ASKED;
	if ((__u8)w == 'K')
		req->close &= ~CLOSE_DEFAULT;
	if ((__u16)w == ('t' | '=' << 8))
		return !number(text, pos + 2, 0, &req->delay);
	if ((__u16)w == ('s' | '=' << 8))
		return !number(text, pos + 2, 1, &req->size);
	if ((__u16)w != ('r' | '=' << 8))
		return 0;
	if (!number(text, pos + 2, 0, &n))
		return 1;
	req->status = status_index(n);
	return n != 200 && !req->status;
}

/*
 * Is bit <c> of <set> set? Above 63: no. Without a branch, also where the compiler would like one: each doubles the
 * verifier's ways through a loop.
 */
static __always_inline __u32 is_in_set(__u64 set, __u32 c)
{
	__u32 below = c - 64;

	barrier_var(below);
	return (set >> (c & 63) & 1) & below >> 31;
}

/* Behind the separator that ends the argument at <pos>; 0: it is the last one. A function of its own, too. */
__noinline __u32 next_argument(const struct text *text, const struct ndiv_pkt *pkt, __u32 pos, __u32 end)
{
	__u64 w, m;
	__u32 i;

	if (!text || !pkt)
		return 0;
	for (i = 0; i < URL_STEPS; i++) {
		pos = ndiv_forget(pkt, pos, TEXT_MASK);
		w = load8(text, pos);
		m = find_byte(w, '/') | find_byte(w, '&') | find_byte(w, ' ') | find_byte(w, '\n');
		if (!m) {
			pos += 8;
			continue;
		}
		pos += first_byte(m);
		w = load8(text, pos);
		return pos < end && ((__u8)w == '/' || (__u8)w == '&') ? pos + 1 : 0;
	}
	return 0;
}

/*
 * The arguments of "/?", from <pos> on, as httpterm has them: separated by "/" or "&"; what is not known is skipped.
 * Sets what is asked for.
 */
__noinline int parse_arguments(struct text *text, const struct ndiv_pkt *pkt, __u32 pos, __u32 end)
{
	__u32 i;

	if (!text || !pkt)
		return 0;
	text->req.page = HTTPD_PAGE_OBJECT;
	for (i = 0; i < ARG_STEPS; i++) {
		pos = ndiv_forget(pkt, pos, TEXT_MASK);
		if (parse_argument(text, pos))
			break;
		pos = next_argument(text, pkt, pos, end);
		if (!pos)
			return 0;
	}
	text->req.page = HTTPD_PAGE_BAD;
	return 0;
}

/* The method at <pos>; <len>: with the blank behind it. */
static __always_inline __u32 method(const struct text *text, __u32 pos, __u32 *len)
{
	__u64 w = load8(text, pos);

	*len = 4;
	if ((__u32)w == WORD('G', 'E', 'T', ' ', 0, 0, 0, 0))
		return METHOD_GET;
	if ((__u32)w == WORD('P', 'U', 'T', ' ', 0, 0, 0, 0))
		return METHOD_POST;
	*len = 5;
	if ((w & 0xffffffffffULL) == WORD('P', 'O', 'S', 'T', ' ', 0, 0, 0))
		return METHOD_POST;
	if ((w & 0xffffffffffULL) == WORD('H', 'E', 'A', 'D', ' ', 0, 0, 0))
		return METHOD_HEAD;
	switch ((__u32)w) {
	case 'P' | 'A' << 8 | 'T' << 16 | 'C' << 24:
	case 'D' | 'E' << 8 | 'L' << 16 | 'E' << 24:
	case 'O' | 'P' << 8 | 'T' << 16 | 'I' << 24:
	case 'T' | 'R' << 8 | 'A' << 16 | 'C' << 24:
	case 'C' | 'O' << 8 | 'N' << 16 | 'N' << 24:
		return METHOD_OTHER;
	}
	return METHOD_NONE;
}

/* From <pos> to the blank that ends the URL. Returns the offset behind it; 0: there is none. */
static __always_inline __u32 skip_url(const struct text *text, const struct ndiv_pkt *pkt, __u32 pos, __u32 end)
{
	__u64 w, m;
	__u32 i;

	for (i = 0; i < URL_STEPS; i++) {
		pos = ndiv_forget(pkt, pos, TEXT_MASK);
		if (pos >= end)
			return 0;
		w = load8(text, pos);
		m = find_byte(w, ' ') | find_byte(w, '\n');
		if (!m) {
			pos += 8;
			continue;
		}
		pos += first_byte(m);
		w = load8(text, pos);
		return (__u8)w == ' ' ? pos + 1 : 0;
	}
	return 0;
}

/* The URL at <pos> may begin with "http://host" (RFC 9112, 3.2.2). Returns the offset of its path; 0: there is none. */
__noinline int skip_authority(const struct text *text, const struct ndiv_pkt *pkt, __u32 pos, __u32 end)
{
	__u32 i;
	__u8 c;

	if (!text || !pkt ||
	    ((load8(text, pos) | LOWER_5) & 0xffffffffffffffULL) != WORD('h', 't', 't', 'p', ':', '/', '/', 0))
		return 0;
	pos += 7;
	for (i = 0; i < ARG_STEPS; i++) {
		pos = ndiv_forget(pkt, pos, TEXT_MASK);
		c = load8(text, pos);
		if (pos >= end || c == ' ' || c == '\n')
			return 0;
		if (c == '/')
			return pos;
		pos++;
	}
	return 0;
}

/* What the path at <pos> asks for. */
static __always_inline void read_path(struct text *text, const struct ndiv_pkt *pkt, __u32 pos, __u32 end)
{
	struct request *req = &text->req;
	__u64 w = load8(text, pos);
	__u32 behind;

	if ((__u16)w == ('/' | ' ' << 8)) {
		req->page = HTTPD_PAGE_HELP;
		return;
	}
	if ((__u16)w == ('/' | '?' << 8)) {
		parse_arguments(text, pkt, pos + 2, end);
		return;
	}
	req->page = HTTPD_PAGE_NOT_FOUND;
	if (!is_digit(w >> 8))
		return;
	behind = number(text, pos + 1, 1, &req->size);
	if (!behind)
		req->page = HTTPD_PAGE_TOO_LARGE;
	else if ((__u8)load8(text, behind) == ' ' || (__u8)load8(text, behind) == '?')
		req->page = HTTPD_PAGE_OBJECT;
}

/* Is a line's end at <pos>, or the text's? */
static __always_inline int is_end_of_line(const struct text *text, __u32 pos, __u32 end)
{
	__u64 w = load8(text, pos);

	return (__u8)w == '\n' || (__u16)w == ('\r' | '\n' << 8) || pos + 1 >= end;
}

/* Offset of the version behind the URL at <pos>; 0: there is none. "1.0" closes unless asked otherwise. */
static __always_inline __u32 read_version(struct text *text, const struct ndiv_pkt *pkt, __u32 pos, __u32 end)
{
	__u64 w;

	pos = skip_url(text, pkt, pos, end);
	if (!pos)
		return 0;
	w = load8(text, pos);
	if ((w & 0xffffffffffffffULL) != WORD('H', 'T', 'T', 'P', '/', '1', '.', 0) || !is_digit(w >> 56))
		return 0;
	text->req.close = w >> 56 == '0' ? CLOSE_DEFAULT : 0;
	text->req.flags = w >> 56 == '0' ? REQUEST_OLD : 0;
	return is_end_of_line(text, pos + 8, end) ? pos + 8 : 0;
}

/* An empty line before a request is not meant (RFC 9112, 2.2). */
static __always_inline __u32 skip_empty_line(const struct text *text)
{
	__u64 w = load8(text, 0);

	return (__u16)w == ('\r' | '\n' << 8) ? 2 : (__u8)w == '\n';
}

/*
 * Is there a file for the path at <pos>, which ends with a blank? A function of its own as parse_request() is: not
 * called if nothing is loaded.
 */
__noinline int parse_file(struct text *text, const struct ndiv_pkt *pkt, __u32 pos)
{
	__u32 at = pos, i;
	__s32 id;
	__u64 w, m;

	if (!text || !pkt)
		return 0;
	for (i = 0; i < URL_STEPS; i++) {
		at = ndiv_forget(pkt, at, TEXT_MASK);
		w = load8(text, at);
		m = find_byte(w, ' ') | find_byte(w, '?');
		if (m) {
			at += first_byte(m);
			break;
		}
		at += 8;
	}
	if (at <= pos || at - pos > NDIV_CONTENT_PATH)
		return 0;
	id = content_find(text->req.now, content_hash(pkt, text->bytes, TEXT_MAX - 1, pos, at - pos));
	text->req.file = id < 0 ? 0 : id + 1;
	return 0;
}

/* The first line: method, URL, version. Returns the offset behind it, or 0 if the request is bad. */
static __always_inline __u32 first_line(struct text *text, const struct ndiv_pkt *pkt, __u32 end)
{
	__u32 pos = ndiv_forget(pkt, skip_empty_line(text), 3), behind, len;
	struct request *req = &text->req;

	req->method = method(text, pos, &len);
	if (req->method == METHOD_NONE)
		return 0;
	if (req->method == METHOD_OTHER) {
		req->page = HTTPD_PAGE_METHOD;
		return 0;
	}
	pos = ndiv_forget(pkt, pos + len, 15);
	if ((__u8)load8(text, pos) != '/')
		pos = ndiv_forget(pkt, skip_authority(text, pkt, pos, end), TEXT_MASK);
	if (!pos)
		return 0;
	behind = read_version(text, pkt, pos, end);
	if (!behind)
		return 0;
	if (req->now)
		parse_file(text, pkt, pos);
	if (req->file)
		req->page = HTTPD_PAGE_FILE;
	else
		read_path(text, pkt, pos, end);
	return behind;
}

static __always_inline __u32 is_end_of_word(__u8 c)
{
	return is_in_set(1ULL << ',' | 1ULL << ' ' | 1ULL << '\t' | 1ULL << '\r' | 1ULL << '\n', c);
}

/* A word of the "Connection" header, at <pos>. */
static __always_inline void connection_word(const struct text *text, __u32 pos, struct request *req)
{
	__u64 w = load8(text, pos), v;

	if (((w | LOWER) & 0xffffffffffULL) == WORD('c', 'l', 'o', 's', 'e', 0, 0, 0)) {
		req->close |= is_end_of_word(w >> 40) * CLOSE_ASKED;
	} else if ((w | LOWER_4) == WORD('k', 'e', 'e', 'p', '-', 'a', 'l', 'i')) {
		v = load8(text, pos + 8);
		if (((v | LOWER) & 0xffff) == ('v' | 'e' << 8))
			req->close &= ~(is_end_of_word(v >> 16) * CLOSE_DEFAULT);
	}
}

/*
 * The value of "Connection", a list of words, from <pos> on. A function of its own as parse_request() is: seldom
 * called, and not to be looked at anew for each line.
 */
__noinline int parse_connection(struct text *text, const struct ndiv_pkt *pkt, __u32 pos, __u32 end)
{
	__u32 in_word = 0, i;
	__u64 w, m;

	if (!text || !pkt)
		return 0;
	for (i = 0; i < LIST_STEPS; i++) {
		pos = ndiv_forget(pkt, pos, TEXT_MASK);
		in_word = ndiv_forget(pkt, in_word, 1);
		if (pos >= end)
			break;
		w = load8(text, pos);
		if (!in_word && ((__u8)w == ' ' || (__u8)w == '\t')) {
			pos++;
			continue;
		}
		if (!in_word)
			connection_word(text, pos, &text->req);
		in_word = 1;
		m = find_byte(w, '\n') | find_byte(w, ',');
		if (!m) {
			pos += 8;
			continue;
		}
		pos += first_byte(m);
		if ((__u8)load8(text, pos) == '\n')
			break;
		pos++;
		in_word = 0;
	}
	return 0;
}

/* The value of "Content-Length", from <pos> on. */
static __always_inline void read_length(struct text *text, __u32 pos, __u32 end)
{
	struct request *req = &text->req;
	__u32 i, n = 0, behind;

	for (i = 0; i < 4 && ((__u8)load8(text, pos) == ' ' || (__u8)load8(text, pos) == '\t'); i++)
		pos++;
	behind = number(text, pos, 0, &n);
	if (!behind || !is_end_of_line(text, behind, end) || (req->flags & REQUEST_LENGTH && n != req->body))
		req->flags |= REQUEST_BAD;
	req->flags |= REQUEST_LENGTH;
	req->body = n;
}

/*
 * What follows the name "Content-Length", from <pos> on. A blank before the colon is bad (RFC 9112, 5.1): who overlooks
 * the field takes its body for the next request.
 */
static __always_inline void read_length_field(struct text *text, __u32 pos, __u32 end)
{
	__u8 c = load8(text, pos);

	if (c == ':')
		read_length(text, pos + 1, end);
	if (c == ' ' || c == '\t')
		text->req.flags |= REQUEST_BAD;
}

/* The value of "If-None-Match", from <pos> on. Of a list, the first one: a client that has several gets it all. */
static __always_inline void read_etag(struct text *text, __u32 pos)
{
	struct request *req = &text->req;
	__u32 i;

	for (i = 0; i < 4 && ((__u8)load8(text, pos) == ' ' || (__u8)load8(text, pos) == '\t'); i++)
		pos++;
	if ((__u16)load8(text, pos) == ('W' | '/' << 8))
		pos += 2;
	if ((__u8)load8(text, pos) != '"' || (__u8)load8(text, pos + 17) != '"')
		return;
	req->etag = content_etag(load8(text, pos + 1), load8(text, pos + 9));
	req->flags |= REQUEST_ETAG;
}

/* The field at <pos>, whose name begins with a letter that ours have. A function of its own, for the same reason. */
__noinline int parse_field(struct text *text, const struct ndiv_pkt *pkt, __u32 pos, __u32 end)
{
	__u64 w, v;

	if (!text || !pkt)
		return 0;
	pos = ndiv_forget(pkt, pos, TEXT_MASK);
	w = load8(text, pos);
	v = load8(text, pos + 8);
	if ((w | LOWER) == WORD('c', 'o', 'n', 'n', 'e', 'c', 't', 'i')) {
		if (((v | LOWER) & 0xffff) == ('o' | 'n' << 8) && (__u8)(v >> 16) == ':')
			parse_connection(text, pkt, pos + 11, end);
	} else if ((w | LOWER_7) == WORD('c', 'o', 'n', 't', 'e', 'n', 't', '-')) {
		if (((v | LOWER) & 0xffffffffffffULL) == WORD('l', 'e', 'n', 'g', 't', 'h', 0, 0))
			read_length_field(text, pos + 14, end);
	} else if ((w | LOWER) == WORD('t', 'r', 'a', 'n', 's', 'f', 'e', 'r')) {
		if ((v | (LOWER << 8)) == WORD('-', 'e', 'n', 'c', 'o', 'd', 'i', 'n'))
			text->req.flags |= REQUEST_CHUNKED;
	} else if (((w | LOWER) & 0xffffffffffffULL) == WORD('e', 'x', 'p', 'e', 'c', 't', 0, 0) &&
		   (__u8)(w >> 48) == ':') {
		text->req.flags |= REQUEST_EXPECT;
	} else if ((w | (LOWER & ~(0xffULL << 16 | 0xffULL << 56))) == WORD('i', 'f', '-', 'n', 'o', 'n', 'e', '-')) {
		if (((v | LOWER_5) & 0xffffffffffffULL) == WORD('m', 'a', 't', 'c', 'h', ':', 0, 0))
			read_etag(text, pos + 14);
	}
	return 0;
}

/* Names of fields that matter begin with one of these. Without a branch, see is_in_set(). */
static __always_inline int may_matter(__u8 c)
{
	const __u32 letters = 1 << ('c' & 31) | 1 << ('e' & 31) | 1 << ('i' & 31) | 1 << ('t' & 31);

	return letters >> (c & 31) & 1;
}

/* The line at <pos>: its length if it is the empty one that ends the header, else 0. */
static __always_inline __u32 header_line(struct text *text, const struct ndiv_pkt *pkt, __u32 pos, __u32 end)
{
	__u64 w = load8(text, pos);

	if ((__u8)w == '\n')
		return 1;
	if ((__u16)w == ('\r' | '\n' << 8))
		return 2;
	if (may_matter(w))
		parse_field(text, pkt, pos, end);
	return 0;
}

/*
 * The header lines from <pos> on. Returns the offset behind the header, or 0 if its end is not in this packet. The
 * place of the next look mostly does not depend on what this one shows: so the CPU need not wait for it.
 */
static __always_inline __u32 header_lines(struct text *text, const struct ndiv_pkt *pkt, __u32 pos, __u32 end)
{
	__u64 m, more;
	__u32 i, n, at;

	for (i = 0; i < STEPS; i++) {
		pos = ndiv_forget(pkt, pos, TEXT_MASK);
		if (pos >= end)
			return 0;
		m = find_byte(load8(text, pos), '\n');
		more = find_byte(load8(text, pos + 8), '\n');
		if (!(m | more)) {
			pos += 16;
			continue;
		}
		if (!m) {
			pos += 8;
			m = more;
		}
		at = pos + first_byte(m) + 1;
		n = header_line(text, pkt, at, end);
		if (n)
			return at + n;
		/* Behind the word, unless there is another line's end in it. */
		pos = m & (m - 1) ? at : pos + 8;
	}
	return 0;
}

/* What was read, as a whole: where that is a fault, the page says it. */
static __always_inline void judge(struct request *req)
{
	if (req->page == HTTPD_PAGE_METHOD)
		return;
	if (req->whole && (req->flags & REQUEST_BAD || req->body > (1U << 31)))
		req->page = HTTPD_PAGE_BAD;
	else if (req->flags & REQUEST_CHUNKED)
		req->page = HTTPD_PAGE_NO_LENGTH;
	else if (req->method == METHOD_POST)
		req->page = HTTPD_PAGE_GOT_BODY;
	else if (req->page == HTTPD_PAGE_OBJECT && req->size > OBJECT_MAX)
		req->page = HTTPD_PAGE_TOO_LARGE;
}

/* Statuses of pages that are errors. */
static const volatile __u16 page_statuses[HTTPD_PAGES - HTTPD_PAGE_BAD] = { 400, 404, 405, 411, 416, 431, 503 };

/*
 * What the site that is loaded has for an error, or, in maintenance mode, for every request: sets req->file, and, for
 * the latter, req->page. A function of its own, too.
 */
__noinline int find_page(struct request *req)
{
	__u32 n;
	__s32 id;

	if (!req)
		return 0;
	n = req->page - HTTPD_PAGE_BAD;
	if (content_maintenance(req->now)) {
		req->file = content_maintenance_id(req->now) + 1;
		req->page = HTTPD_PAGE_MAINTENANCE;
	} else if (n < HTTPD_PAGES - HTTPD_PAGE_BAD) {
		id = content_error(req->now, page_statuses[n]);
		req->file = id < 0 ? 0 : id + 1;
	} else if (req->page != HTTPD_PAGE_FILE) {
		req->file = 0;
	}
	return 0;
}

/* The response req->file, with "Connection: close" or not, in req->hit. 0, or -1: it is no longer there. */
__noinline int choose_file(struct request *req, int close)
{
	__u32 want;

	if (!req)
		return -1;
	want = (close ? CONTENT_W_CLOSE : 0) | (req->method == METHOD_HEAD ? CONTENT_W_HEAD : 0);
	if (req->page == HTTPD_PAGE_FILE && req->flags & REQUEST_ETAG)
		want |= CONTENT_W_ETAG;
	return content_choose(req->file - 1, want, req->etag, &req->hit);
}

/* Bytes of the response of a transfer that goes on, or 0: it is no longer there. A function of its own, too. */
__noinline __u32 file_len(__u32 id, __u32 variant)
{
	struct content_hit hit = { 0 };

	return content_open(id, variant, &hit) ? 0 : hit.len;
}

/*
 * Reads the request of <len> bytes in <text>; text->req tells what is to be answered. A function of its own: the
 * verifier looks at it once, whatever came before, and takes its results for any numbers. (Inlined, it was 600000
 * instructions.)
 */
__noinline int parse_request(struct text *text, const struct ndiv_pkt *pkt, __u32 len, __u32 now)
{
	struct request *req;
	__u32 pos;

	if (!text || !pkt)
		return 0;
	req = &text->req;
	__builtin_memset(req, 0, sizeof(*req));
	req->page = HTTPD_PAGE_BAD;
	req->close = CLOSE_DEFAULT;
	req->now = now;
	req->end = len;
	pos = first_line(text, pkt, len);
	if (!pos)
		return 0;
	pos = header_lines(text, pkt, pos, len);
	if (pos && pos <= len) {
		req->whole = 1;
		req->end = pos;
	}
	judge(req);
	return 0;
}

/* Copies the payload of <pkt>, of <len> bytes, at most TEXT_MAX of them. How many, or 0. */
static __always_inline __u32 load_text(struct xdp_md *ctx, const struct ndiv_pkt *pkt, struct text *text, __u32 len)
{
	__u64 last, *behind;

	if (len > TEXT_MAX)
		len = TEXT_MAX;
	/* Both bounds in the register that goes to the helper, see ndiv_frame_store_max(). */
	last = (__u64)len - 1;
	barrier_var(last);
	if (last > TEXT_MAX - 1)
		return 0;
	barrier_var(last);
	if (take_bytes(ctx, pkt, pkt->payload, text->bytes, len) &&
	    bpf_xdp_load_bytes(ctx, pkt->payload, text->bytes, last + 1))
		return 0;
	behind = (__u64 *)(text->bytes + last + 1);
	behind[0] = 0;
	behind[1] = 0;
	behind[2] = 0;
	return last + 1;
}

/*
 * Copies and sums the payload of <pkt>, if it is not what was copied last. How many bytes are there, or below 0. A
 * function of its own, too.
 */
__noinline int copy_text(struct xdp_md *ctx, const struct ndiv_pkt *pkt, struct text *text)
{
	__u32 len;

	if (!pkt || !text)
		return -1;
	if (is_same(ctx, pkt, text))
		return text->len;
	text->len = 0;
	text->kept.end = 0;
	len = load_text(ctx, pkt, text, pkt->end - pkt->payload);
	if (!len)
		return -1;
	text->sum = sum_of_text(pkt, text, len);
	text->len = pkt->end - pkt->payload;
	return len;
}

/*
 * The text of the request in the payload of <pkt>, whose checksum is verified; text->kept tells what it says. <site>:
 * with what is loaded. NULL: it is wrong (NDIV_F_L4_BAD), or cannot be read.
 */
static __always_inline struct text *find_text(struct xdp_md *ctx, struct ndiv_pkt *pkt, int site)
{
	__u32 i = (pkt->end - pkt->payload) & (TEXTS - 1), now;
	struct text *text = bpf_map_lookup_elem(&ndiv_texts, &i);
	__u64 changes = ndiv_content.changes;	/* before <now>, which is written last */
	int len = text ? copy_text(ctx, pkt, text) : -1;

	if (len < 0)
		return NULL;
	if ((__u32)len < text->len ? !verify(ctx, pkt) : !verify_text(ctx, pkt, text->sum))
		return NULL;
	now = site ? content_now() : 0;
	if (text->kept.end && text->kept.now == now && (!now || text->changes == changes))
		return text;
	parse_request(text, pkt, len, now);
	text->answered.room = 0;
	text->changes = changes;
	text->kept = text->req;
	return text;
}

/*
 * The request that <text> says. Errors close, and take all there is; so does a header that is not whole: what the first
 * line says is answered, and the rest is thrown away when it comes.
 */
static __always_inline struct request *take_request(const struct ndiv_pkt *pkt, struct text *text)
{
	struct request *req = &text->req;

	*req = text->kept;
	req->close = !!req->close;
	if (req->page >= HTTPD_PAGE_BAD || !req->whole) {
		req->close = 1;
		req->end = pkt->end - pkt->payload;
	}
	if (req->now)
		find_page(req);
	return req;
}

/*
 * Reads the request in the payload of <pkt>, and verifies its checksum. <site>: 0: no matter what is loaded. NULL: it
 * is wrong (NDIV_F_L4_BAD), or it cannot be read.
 */
static __always_inline struct request *read_request(struct xdp_md *ctx, struct ndiv_pkt *pkt, int site)
{
	struct text *text = find_text(ctx, pkt, site);

	return text ? take_request(pkt, text) : NULL;
}

#endif

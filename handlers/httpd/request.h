/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * request.h - reads a request: method, number in the URL, version, and whether the connection is to be kept
 *
 * Eight bytes at a time, so that lines without interest cost little. The verifier has to follow every step of a loop:
 * what it carries is forgotten (ndiv_forget()), so that every round looks the same.
 */
#ifndef NDIV_HTTPD_REQUEST_H
#define NDIV_HTTPD_REQUEST_H

#include "httpd.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "text is compared as little-endian words");

enum httpd_page {
	HTTPD_PAGE_OK,
	HTTPD_PAGE_HELP,	/* "GET /" */
	HTTPD_PAGE_BAD,		/* 400 */
	HTTPD_PAGE_NOT_FOUND,	/* 404 */
	HTTPD_PAGE_METHOD,	/* 405 */
	HTTPD_PAGE_TOO_LARGE,	/* 416 */
	HTTPD_PAGE_LONG,	/* 431 */
	HTTPD_PAGES,
};

#define STEPS		80	/* of the loop over the header, 16 bytes or the end of a line each: about 1200 bytes */
#define LIST_STEPS	32	/* of the one over the words of "Connection" */
#define URL_STEPS	32	/* of the one over the URL: about 256 bytes */
#define WORD(a, b, c, d, e, f, g, h)                                                                                   \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 | (__u64)(f) << 40 |    \
	 (__u64)(g) << 48 | (__u64)(h) << 56)
#define ALL(c)	((c) * 0x0101010101010101ULL)
#define LOWER	ALL(0x20)	/* makes letters lower case; of others it makes what they are not */
#define LOWER_4	(LOWER & ~(0xffULL << 32))	/* likewise, but leaves alone what is behind four letters */

/*
 * The request is copied here, with zeros behind it: then no look at it needs a check of bounds, which would cost time
 * and, in the verifier, a way through the rest of the program each.
 */
#define TEXT_MAX	2048	/* a power of two */
#define TEXT_MASK	(2 * TEXT_MAX - 1) /* of offsets, the end included */

/* Why the connection is to be closed, bits. */
enum closing {
	CLOSE_DEFAULT = 1,	/* "keep-alive" takes it back */
	CLOSE_ASKED = 2,	/* "close", which is stronger, wherever it stands (RFC 9112, 9.3) */
};

/* What was read. In memory, not in registers: see parse_request(). */
struct request {
	__u64	digits;		/* of the object's size: five characters, right-aligned, the first one in the low byte */
	__u32	size;		/* of the object */
	__u32	end;		/* of the request's header in the text */
	__u8	page;		/* enum httpd_page */
	__u8	head;
	__u8	close;		/* while the header is read: enum closing */
	__u8	pad[5];
};

struct text {
	struct request req;
	char	bytes[TEXT_MAX + 24];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct text);
} texts SEC(".maps");

/* Copies the payload of <pkt>. Its length, at most TEXT_MAX, or 0. */
static __always_inline __u32 load_text(struct xdp_md *ctx, const struct ndiv_pkt *pkt, struct text **out)
{
	__u32 zero = 0, len = pkt->end - pkt->payload;
	struct text *text = bpf_map_lookup_elem(&texts, &zero);
	__u64 last;

	if (len > TEXT_MAX)
		len = TEXT_MAX;
	/* Both bounds in the register that goes to the helper, see store() in response.h. */
	last = (__u64)len - 1;
	barrier_var(last);
	if (!text || last > TEXT_MAX - 1)
		return 0;
	barrier_var(last);
	if (bpf_xdp_load_bytes(ctx, pkt->payload, text->bytes, last + 1))
		return 0;
	__builtin_memset(text->bytes + last + 1, 0, 24);
	*out = text;
	return last + 1;
}

/* Eight bytes at <pos>. */
static __always_inline __u64 load8(const struct text *text, __u32 pos)
{
	return *(const __u64 *)(text->bytes + (pos & (TEXT_MAX - 1)));
}

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

/* The number at <pos>, up to eight digits, into the request. Returns how many digits; nine: too many. */
static __always_inline __u32 number(struct text *text, __u32 pos)
{
	__u64 w = load8(text, pos), digits = WORD(' ', ' ', ' ', ' ', ' ', 0, 0, 0);
	__u32 n, size = 0;

	for (n = 0; n < 8; n++) {
		if (!is_digit(w))
			break;
		size = size * 10 + ((__u8)w - '0');
		digits = digits >> 8 | (w & 0xff) << (8 * (HTTPD_DIGITS - 1));
		w >>= 8;
	}
	text->req.digits = digits;
	text->req.size = size;
	return n == 8 && is_digit(load8(text, pos + 8)) ? 9 : n;
}

/* Is the word at hand one of the methods that there are, but that are not served? */
static __always_inline int other_method(__u64 w)
{
	switch ((__u32)w) {
	case 'P' | 'O' << 8 | 'S' << 16 | 'T' << 24:
	case 'P' | 'U' << 8 | 'T' << 16 | ' ' << 24:
	case 'P' | 'A' << 8 | 'T' << 16 | 'C' << 24:
	case 'D' | 'E' << 8 | 'L' << 16 | 'E' << 24:
	case 'O' | 'P' << 8 | 'T' << 16 | 'I' << 24:
	case 'T' | 'R' << 8 | 'A' << 16 | 'C' << 24:
	case 'C' | 'O' << 8 | 'N' << 16 | 'N' << 24:
		return 1;
	}
	return 0;
}

/* "GET /" or "HEAD /": returns its length; 0: neither. */
static __always_inline __u32 method(__u64 w, struct request *req)
{
	if ((w & 0xffffffffffULL) == WORD('G', 'E', 'T', ' ', '/', 0, 0, 0))
		return 5;
	if ((w & 0xffffffffffffULL) == WORD('H', 'E', 'A', 'D', ' ', '/', 0, 0)) {
		req->head = 1;
		return 6;
	}
	return 0;
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

/* What a URL with <digits> digits and then <next> asks for. */
static __always_inline __u32 page_of(__u32 digits, __u8 next)
{
	if (digits > 8)
		return HTTPD_PAGE_TOO_LARGE;	/* more may follow */
	if (next != ' ' && next != '?')
		return HTTPD_PAGE_NOT_FOUND;
	if (!digits)
		return HTTPD_PAGE_HELP;
	return digits > HTTPD_DIGITS ? HTTPD_PAGE_TOO_LARGE : HTTPD_PAGE_OK;
}

/* Is a line's end at <pos>, or the text's? */
static __always_inline int is_end_of_line(const struct text *text, __u32 pos, __u32 end)
{
	__u64 w = load8(text, pos);

	return (__u8)w == '\n' || (__u16)w == ('\r' | '\n' << 8) || pos + 1 >= end;
}

/*
 * The first line: method, URL, version. Returns the offset behind the version, or 0 if the request is bad. "1.0" closes
 * unless asked otherwise.
 */
static __always_inline __u32 first_line(struct text *text, const struct ndiv_pkt *pkt, __u32 end)
{
	struct request *req = &text->req;
	__u64 w = load8(text, 0);
	__u32 n = method(w, req), digits, page, pos;

	if (!n) {
		req->page = other_method(w) ? HTTPD_PAGE_METHOD : HTTPD_PAGE_BAD;
		return 0;
	}
	pos = ndiv_forget(pkt, n, 7);
	digits = ndiv_forget(pkt, number(text, pos), 15);
	pos += digits;
	page = ndiv_forget(pkt, page_of(digits, load8(text, pos)), 7);
	pos = skip_url(text, pkt, pos, end);
	if (!pos)
		return 0;
	w = load8(text, pos);
	if ((w & 0xffffffffffffffULL) != WORD('H', 'T', 'T', 'P', '/', '1', '.', 0))
		return 0;
	if (!is_digit(w >> 56))
		return 0;
	req->close = w >> 56 == '0' ? CLOSE_DEFAULT : 0;
	pos += 8;
	if (!is_end_of_line(text, pos, end))
		return 0;
	req->page = page;
	return pos;
}

/* Without a branch: each one doubles the verifier's ways through the loop. */
static __always_inline __u32 is_end_of_word(__u8 c)
{
	const __u64 ends = 1ULL << ',' | 1ULL << ' ' | 1ULL << '\t' | 1ULL << '\r' | 1ULL << '\n';

	return (ends >> (c & 63) & 1) & !(c >> 6);
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

/* The line at <pos>: its length if it is the empty one that ends the header, else 0. */
static __always_inline __u32 header_line(struct text *text, const struct ndiv_pkt *pkt, __u32 pos, __u32 end)
{
	__u64 w = load8(text, pos), v;

	if ((__u8)w == '\n')
		return 1;
	if ((__u16)w == ('\r' | '\n' << 8))
		return 2;
	if ((w | LOWER) != WORD('c', 'o', 'n', 'n', 'e', 'c', 't', 'i'))
		return 0;
	v = load8(text, pos + 8);
	if (((v | LOWER) & 0xffff) == ('o' | 'n' << 8) && (__u8)(v >> 16) == ':')
		parse_connection(text, pkt, pos + 11, end);
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

/*
 * Reads the request of <len> bytes in <text>; text->req tells what is to be answered. A function of its own: the
 * verifier looks at it once, whatever came before, and takes its results for any numbers. (Inlined, it was 600000
 * instructions.)
 */
__noinline int parse_request(struct text *text, const struct ndiv_pkt *pkt, __u32 len)
{
	__u32 pos;

	if (!text || !pkt)
		return 0;
	text->req.page = HTTPD_PAGE_BAD;
	text->req.head = 0;
	text->req.close = CLOSE_DEFAULT;
	text->req.end = len;
	pos = first_line(text, pkt, len);
	if (!pos)
		return 0;
	pos = header_lines(text, pkt, pos, len);
	if (!pos || pos > len)
		text->req.page = HTTPD_PAGE_LONG;
	else
		text->req.end = pos;
	return 0;
}

/* Reads the request in the payload of <pkt>. NULL: it cannot be read. Errors close, and take all there is. */
static __always_inline struct request *read_request(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	struct text *text = NULL;
	struct request *req;
	__u32 len;

	len = load_text(ctx, pkt, &text);
	if (!len)
		return NULL;
	parse_request(text, pkt, len);
	req = &text->req;
	req->close = !!req->close;
	if (req->page >= HTTPD_PAGE_BAD) {
		req->close = 1;
		req->end = pkt->end - pkt->payload;
	}
	return req;
}

#endif

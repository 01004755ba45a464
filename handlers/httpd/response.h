/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * response.h - writes a packet, over the one that asks for it
 *
 * What is written is not read again for the checksum: headers are summed on the way, the sums of texts are known to the
 * compiler, those of pieces of the pattern are in a table.
 */
#ifndef NDIV_HTTPD_RESPONSE_H
#define NDIV_HTTPD_RESPONSE_H

#include <ndiv/rewrite.h>
#include "content.h"
#include "made.h"
#include "pages.h"
#include "tcp.h"

/* What the asking packet's TCP header says, before it is overwritten. */
struct asked {
	__u32	seq, ack;
	__be32	tsval;
	__u32	tsecr;
};

/* One segment of a response. */
struct segment {
	__u32	at;		/* bytes of the response before it, from the first segment of this burst on */
	__u32	len;
	__u32	rem;		/* bytes from the end of the object's body, or of the file's response, to where this
		    * segment's part of it begins */
	__u32	header;		/* bytes of it that are the response's header */
	int	last;		/* of the response */
};

static __always_inline int has_payload(const struct httpd_args *args)
{
	return args->kind == HTTPD_K_OBJECT || args->kind == HTTPD_K_FILE || args->kind == HTTPD_K_TEXT;
}

static __always_inline __u32 tcp_len(const struct httpd_args *args)
{
	__u32 len = TCP_LEN + (args->ts ? TS_LEN : 0);

	if (args->kind != HTTPD_K_SYNACK)
		return len;
	return len + MSS_LEN + (args->flags & HTTPD_A_WSCALE ? WSCALE_LEN : 0);
}

/* Bytes of the response's header, without those of the body. */
static __always_inline __u32 header_len(const struct httpd_args *args)
{
	if (!(args->flags & HTTPD_A_HEADER))
		return 0;
	return object_header(args->page, args->flags & HTTPD_A_FIN) + args->pad;
}

/* Number of the segment that packet <index> of <count> has. */
static __always_inline __u32 segment_of(const struct httpd_args *args, __u32 index, __u32 count)
{
	return args->flags & HTTPD_A_TWICE && index + 1 == count ? index - 1 : index;
}

/* Segment <index> of what <args> says. The second one may be shorter, see lay_out(). */
static __always_inline void find_segment(const struct httpd_args *args, __u32 index, struct segment *seg)
{
	__u32 all = args->rem, unit = args->unit, second;

	seg->header = index ? 0 : header_len(args);
	if (args->flags & HTTPD_A_HEAD)
		all = args->first;
	seg->at = 0;
	seg->len = args->first;
	if (index && unit) {
		second = (all - args->first - 1) % unit + 1;
		seg->at = args->first + (index == 1 ? 0 : second + (index - 2) * unit);
		seg->len = index == 1 ? second : unit;
	}
	seg->rem = all - seg->at - seg->header;
	seg->last = seg->at + seg->len == all;
}

static __always_inline int read_asked(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
				      const struct httpd_args *args, struct asked *asked)
{
	const struct tcphdr *tcp = ndiv_frame_ptr(frame, pkt->l4, sizeof(*tcp));
	const __be32 *ts;

	if (!tcp)
		return -1;
	asked->seq = bpf_ntohl(tcp->seq);
	asked->ack = bpf_ntohl(tcp->ack_seq);
	asked->tsval = 0;
	asked->tsecr = 0;
	if (!args->ts || !has_payload(args))
		return 0;
	ts = ndiv_frame_ptr(frame, pkt->l4 + args->ts + 2, 8);
	if (!ts)
		return -1;
	asked->tsval = ts[0];
	asked->tsecr = bpf_ntohl(ts[1]);
	return 0;
}

/* By what the timestamp of a response's last segment is ahead of those of the others. */
static __always_inline __u32 last_delta(const struct httpd_args *args)
{
	return args->flags & HTTPD_A_PARTS ? pos_grow(pos_of_file(args->id), 0) : 0;
}

/* Numbers of the answer's header, host byte order but for the timestamps. */
struct answer {
	__u32	seq, ack, flags;
	__be32	tsval, tsecr;
};

static __always_inline void fill_answer(const struct ndiv_pkt *pkt, const struct httpd_args *args,
					const struct asked *asked, const struct segment *seg, __u32 index,
					struct answer *answer)
{
	if (has_payload(args)) {
		answer->seq = asked->ack + seg->at;
		answer->ack = asked->seq;
		if (seg->last && !(args->flags & HTTPD_A_OWES))
			answer->ack += args->acked;
		else if (args->flags & HTTPD_A_KEEP)
			answer->ack += args->acked - POS_KEEP;
		else if (args->flags & HTTPD_A_ONE)
			answer->ack++;
		answer->flags = TCP_ACK | (index + 1 == pkt->out_count ? TCP_PSH : 0) |
				(seg->last && args->flags & HTTPD_A_FIN ? TCP_FIN : 0);
		answer->tsval = bpf_htonl(asked->tsecr + args->delta + (seg->last ? last_delta(args) : 0));
		answer->tsecr = asked->tsval;
		return;
	}
	answer->seq = args->seq;
	answer->ack = args->ack;
	answer->flags = TCP_ACK;
	if (args->kind == HTTPD_K_SYNACK)
		answer->flags |= TCP_SYN;
	if (args->kind == HTTPD_K_FIN)
		answer->flags |= TCP_FIN;
	if (args->kind == HTTPD_K_RST)
		answer->flags |= TCP_RST;
	answer->tsval = args->tsval;
	answer->tsecr = args->tsecr;
}

/* Those of a SYN-ACK but for the timestamp, which comes between them; returns their sum, or below 0. */
static __always_inline __s64 write_syn_options(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
					       const struct httpd_args *args)
{
	__be32 *mss = ndiv_frame_ptr(frame, pkt->l4 + TCP_LEN, MSS_LEN), *wscale;
	__u64 sum;

	if (!mss)
		return -1;
	*mss = bpf_htonl(NDIV_TCPOPT_MSS << 24 | MSS_LEN << 16 | (pkt->flags & NDIV_F_IPV4 ? 1460 : 1440));
	sum = *mss;
	if (!(args->flags & HTTPD_A_WSCALE))
		return sum;
	wscale = ndiv_frame_ptr(frame, pkt->l4 + TCP_LEN + MSS_LEN + TS_LEN, WSCALE_LEN);
	if (!wscale)
		return -1;
	*wscale = bpf_htonl(NDIV_TCPOPT_NOP << 24 | NDIV_TCPOPT_WSCALE << 16 | 3 << 8);
	return sum + *wscale;
}

/* Writes the options; returns their sum, or below 0. */
static __always_inline __s64 write_options(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
					   const struct httpd_args *args, const struct answer *answer)
{
	__u32 off = pkt->l4 + TCP_LEN;
	__s64 sum = 0;
	__be32 *w;

	if (args->kind == HTTPD_K_SYNACK) {
		sum = write_syn_options(frame, pkt, args);
		if (sum < 0)
			return -1;
		off += MSS_LEN;
	}
	if (!args->ts)
		return sum;
	w = ndiv_frame_ptr(frame, off, TS_LEN);
	if (!w)
		return -1;
	w[0] = args->kind == HTTPD_K_SYNACK && args->flags & HTTPD_A_SACK ? bpf_htonl(0x0402080a)
									  : bpf_htonl(0x0101080a);
	w[1] = answer->tsval;
	w[2] = answer->tsecr;
	return sum + w[0] + w[1] + w[2];
}

/* In whole words, and last: <sum> is that of all else that the checksum covers. 0, or below 0. */
static __always_inline int write_tcp(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt,
				     const struct httpd_args *args, const struct answer *answer, __u64 sum)
{
	__be32 *tcp, ports, seq, ack, rest;
	__s64 options;

	options = write_options(frame, pkt, args, answer);
	tcp = ndiv_frame_ptr(frame, pkt->l4, TCP_LEN);
	if (options < 0 || !tcp)
		return -1;
	ports = tcp[0] << 16 | tcp[0] >> 16;
	seq = bpf_htonl(answer->seq);
	ack = bpf_htonl(answer->ack);
	rest = bpf_htonl(tcp_len(args) << 26 | answer->flags << 16 | 0xffff);
	tcp[0] = ports;
	tcp[1] = seq;
	tcp[2] = ack;
	tcp[3] = rest;
	tcp[4] = (__u16)~ndiv_csum_fold(sum + ports + seq + ack + rest + options);
	return 0;
}

/* Sum of the <len> (at most 64) characters of the constant <text>, the first one at an even offset. */
static __always_inline __u32 sum_text(const char *text, __u32 len)
{
	__u32 sum = 0, i;

#pragma unroll
	for (i = 0; i < 64; i++)
		if (i < len)
			sum += (__u32)(__u8)text[i] << (i & 1 ? 8 : 0);
	return sum;
}

/* <sum> of what begins at the offset <off>, even or odd. */
static __always_inline __u32 sum_at(__u32 sum, __u32 off)
{
	__u32 folded = ndiv_csum_fold(sum);

	return off & 1 ? (folded << 8 & 0xffff) | folded >> 8 : folded;
}

/* Sums of the first 0 to 63 characters of P64. */
static const __u32 pattern_sums[64] SEC(".rodata.sums") = {
	0x00000, 0x00030, 0x03130, 0x03162, 0x06462, 0x06496, 0x09996, 0x099cc,
	0x0d0cc, 0x0d104, 0x10a04, 0x10a65, 0x16c65, 0x16cc8, 0x1d0c8, 0x1d12d,
	0x2372d, 0x23794, 0x29f94, 0x29ffd, 0x309fd, 0x30a68, 0x37668, 0x376d5,
	0x3e4d5, 0x3e544, 0x45544, 0x455b5, 0x4c7b5, 0x4c828, 0x53c28, 0x53c9d,
	0x5b29d, 0x5b314, 0x62b14, 0x62b8d, 0x6a58d, 0x6a5ba, 0x6e6ba, 0x6e6fc,
	0x729fc, 0x72a40, 0x76f40, 0x76f86, 0x7b686, 0x7b6ce, 0x7ffce, 0x80018,
	0x84b18, 0x84b64, 0x89864, 0x898b2, 0x8e7b2, 0x8e802, 0x93902, 0x93954,
	0x98c54, 0x98ca8, 0x9e1a8, 0x9e1fe, 0xa38fe, 0xa3956, 0xa9256, 0xa92b0,
};

/* Sum of the first <len> bytes of the pattern, repeated. */
static __always_inline __u32 sum_pattern(__u32 len)
{
	return len / 64 * sum_text(P64, 64) + pattern_sums[len % 64];
}

/* <n> in ten characters, with blanks in front. */
struct decimal {
	__u16	high;
	__u64	low;
};

/* Eight digits at once: pairs of four, of two, of one (<n>: below 100,000,000). The first one is in the low byte. */
static __always_inline __u64 digits8(__u32 n)
{
	__u64 a = (__u64)n * 3518437209ULL >> 45, v = a | (__u64)(n - (__u32)a * 10000) << 32, t;

	t = v * 5243 >> 19 & 0x0000007f0000007fULL;
	v = t | (v - 100 * t) << 16;
	t = v * 103 >> 10 & 0x000f000f000f000fULL;
	return t | (v - 10 * t) << 8;
}

static __always_inline void to_decimal(__u32 n, struct decimal *d)
{
	__u32 high = 0;
	__u64 v;

	if (n >= 100000000) {
		high = n / 100000000;
		n -= high * 100000000;
	}
	v = digits8(n);
	d->low = v | ALL('0');
	d->high = ' ' | ' ' << 8;
	if (high) {
		d->high = (high >= 10 ? '0' + high / 10 : ' ') | ('0' + high % 10) << 8;
		return;
	}
	/* Zeros in front of the first other digit, or of the last one, become blanks: bit 4 tells them apart. */
	v |= 1ULL << 56;
	d->low &= ~(((v & -v) - 1) & ALL(0x10));
}

static __always_inline int write_decimal(const struct ndiv_frame *frame, __u32 off, const struct decimal *d)
{
	__u16 *p = ndiv_frame_ptr(frame, off, 10);

	if (!p)
		return -1;
	*p = d->high;
	__builtin_memcpy(p + 1, &d->low, 8);
	return 0;
}

/* The constant text <from>, of <len> bytes, a multiple of 8. */
static __always_inline void put_text(void *to, const char *from, __u32 len)
{
	__u64 w, *p = to;
	__u32 i;

#pragma unroll
	for (i = 0; i < len / 8; i++) {
		__builtin_memcpy(&w, from + 8 * i, 8);
		p[i] = w;
	}
}

/* <len> dots from <off> on, if there are more than the 32 that are there already. 0, or below 0. */
static __always_inline int put_dots(const struct ndiv_frame *frame, __u32 off, __u32 len)
{
	__u32 at, i;
	void *p;

	for (i = 1; i < 4 && i * 32 < len; i++) {
		at = len < i * 32 + 32 ? len - 32 : i * 32;
		p = ndiv_frame_ptr(frame, off + at, 32);
		if (!p)
			return -1;
		put_text(p, DOTS16 DOTS16, 32);
	}
	return 0;
}

/* First line and X-Pad at <off>. Dots are written with the line, as many as there mostly are. 0, or below 0. */
static __always_inline int write_first(const struct ndiv_frame *frame, const struct httpd_args *args, __u32 off)
{
	struct status_line *line = &status_lines[args->page & 31];
	void *first;

	if (args->page) {
		if (ndiv_frame_store_max(frame, off, line->text, line->len, sizeof(line->text)))
			return -1;
		return args->pad ? ndiv_frame_store_max(frame, off + line->len, dots, args->pad, 128) : 0;
	}
	first = ndiv_frame_ptr(frame, off, OK_FIRST_LEN + 32);
	if (!first)
		return -1;
	put_text(first, OK_FIRST DOTS16 DOTS16, OK_FIRST_LEN + 32);
	return put_dots(frame, off + OK_FIRST_LEN, args->pad);
}

/* Sum of what write_first() writes, and the rest without the number. */
static __always_inline __u32 sum_header(const struct httpd_args *args, __u32 rest)
{
	__u32 sum = sum_text(OK_FIRST, OK_FIRST_LEN) + args->pad / 2 * sum_text("..", 2) + (args->pad & 1) * '.';

	if (args->flags & HTTPD_A_FIN)
		return sum + sum_at(sum_text(CLOSE NO_NUMBER, CLOSE_REST), rest);
	return sum + sum_at(sum_text(KEEP NO_NUMBER, KEEP_REST), rest);
}

/* An object's header at <off>, <len> bytes. Returns its sum, or below 0. */
static __always_inline __s64 write_header(const struct ndiv_frame *frame, const struct httpd_args *args, __u32 off,
					  __u32 len, __u32 size)
{
	__u32 rest = status_lines[args->page & 31].len + args->pad;
	struct decimal d;
	void *p;

	if (write_first(frame, args, off))
		return -1;
	if (args->flags & HTTPD_A_FIN) {
		if (ndiv_frame_store(frame, off + rest, CLOSE NUMBER, CLOSE_REST))
			return -1;
	} else {
		p = ndiv_frame_ptr(frame, off + rest, KEEP_REST);
		if (!p)
			return -1;
		put_text(p, KEEP NUMBER, KEEP_REST);
	}
	to_decimal(size, &d);
	if (write_decimal(frame, off + len - NUMBER_LEN, &d))
		return -1;
	if (args->page)
		return ndiv_csum_frame(frame, off, len, 0);
	return (__u64)sum_header(args, rest) + sum_at(d.high + (d.low & 0xffffffff) + (d.low >> 32), len);
}

/*
 * The segment's part of an object's body, at <off>. Returns its sum, as it would be at offset 0, or below 0. Behind a
 * header it may be written in whole units, the first of which begins in the header: that is written afterwards.
 */
static __always_inline __s64 write_body(const struct ndiv_frame *frame, __u32 off, __u32 rem, __u32 len, int header)
{
	__u32 shift = -rem & 63, more = -len & (COPY_UNIT - 1);

	/* Where the linear part ends too soon, the helper finds its way. */
	if ((!header || len > COPY_MAX || put_units(frame, off - more, pattern + ((shift - more) & 63), len + more)) &&
	    ndiv_frame_store_max(frame, off, pattern + shift, len, UNIT_MAX))
		return -1;
	return sum_at(sum_pattern(shift + len) - sum_pattern(shift), shift);
}

static __always_inline __s64 make_object(const struct ndiv_frame *frame, const struct httpd_args *args,
					 const struct segment *seg, __u32 off)
{
	__u32 size = args->flags & HTTPD_A_HEAD ? args->rem : seg->rem, body = seg->len - seg->header;
	__s64 sum = 0, more = 0;

	if (seg->len > seg->header)
		more = write_body(frame, off + seg->header, seg->rem, body, !!seg->header);
	if (more < 0 || !seg->header)
		return more;
	sum = write_header(frame, args, off, seg->header, size);
	return sum < 0 ? sum : sum + sum_at(more, seg->header);
}

/* An object's segment: the first one as it was made last, if it was the same. */
static __always_inline __s64 write_object(const struct ndiv_frame *frame, const struct httpd_args *args,
					  const struct segment *seg, __u32 off)
{
	int may_be_made = !frame->is_skb && !seg->at;
	__s64 sum = may_be_made ? write_made(frame, args, off) : -1;

	if (sum >= 0)
		return sum;
	sum = make_object(frame, args, seg, off);
	if (sum >= 0 && may_be_made)
		keep_made(frame, args, off, seg->len, sum);
	return sum;
}

static __always_inline __s64 write_text(const struct ndiv_frame *frame, const struct httpd_args *args, __u32 off)
{
	struct text_page *page = text_page(args->page, args->flags & HTTPD_A_FIN);
	__u32 body = args->flags & HTTPD_A_HEAD ? 0 : page->body_len;
	__u32 rest = off + page->first_len + args->pad;
	struct decimal d;

	if (ndiv_frame_store_max(frame, off, page->first, page->first_len, sizeof(page->first)))
		return -1;
	if (args->pad && ndiv_frame_store_max(frame, off + page->first_len, dots, args->pad, 128))
		return -1;
	if (ndiv_frame_store_max(frame, rest, page->rest, page->rest_len + body, sizeof(page->rest)))
		return -1;
	if (args->page != HTTPD_PAGE_CONTINUE) {
		to_decimal(page->body_len, &d);
		if (write_decimal(frame, rest + page->rest_len - NUMBER_LEN, &d))
			return -1;
	}
	return ndiv_csum_frame(frame, off, args->first, 0);
}

/* Length of a frame that ends at <end>. One that came padded goes padded: not every driver does it. */
static __always_inline __u32 frame_len(const struct ndiv_pkt *pkt, __u32 end)
{
	return end < ETH_ZLEN && pkt->out_len >= ETH_ZLEN ? ETH_ZLEN : end;
}

static __always_inline __s64 write_payload(const struct ndiv_frame *frame, const struct httpd_args *args,
					   const struct segment *seg, __u32 off)
{
	if (args->kind == HTTPD_K_OBJECT)
		return write_object(frame, args, seg, off);
	if (args->kind == HTTPD_K_FILE)
		return content_write(frame, off, args->id, args->page, seg->rem, seg->len);
	return args->kind == HTTPD_K_TEXT ? write_text(frame, args, off) : 0;
}

static __always_inline int httpd_build(const struct ndiv_frame *frame, struct ndiv_pkt *pkt, __u32 index)
{
	const struct httpd_args *args = ndiv_args(pkt);
	__u32 off = pkt->l4 + tcp_len(args), end;
	struct segment seg = { .last = 1 };
	__s64 payload, pseudo;
	struct answer answer;
	struct asked asked;
	struct ethhdr *eth;

	if (args->kind == HTTPD_K_OBJECT || args->kind == HTTPD_K_FILE)
		find_segment(args, segment_of(args, index, pkt->out_count), &seg);
	else if (args->kind == HTTPD_K_TEXT)
		seg.len = args->first;
	end = off + seg.len;
	if (read_asked(frame, pkt, args, &asked))
		return -1;
	if (frame_len(pkt, end) != pkt->out_len && ndiv_frame_trim(frame, frame_len(pkt, end)))
		return -1;
	fill_answer(pkt, args, &asked, &seg, index, &answer);
	payload = write_payload(frame, args, &seg, off);
	if (payload < 0 || ndiv_frame_clear(frame, end, frame_len(pkt, end)))
		return -1;
	eth = ndiv_frame_ptr(frame, 0, sizeof(*eth));
	if (!eth)
		return -1;
	ndiv_swap_eth(eth);
	pseudo = ndiv_renew_ip(frame, pkt, IPPROTO_TCP, end - pkt->l4);
	return pseudo < 0 ? -1 : write_tcp(frame, pkt, args, &answer, payload + pseudo);
}

#endif

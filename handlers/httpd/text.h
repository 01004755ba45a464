/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text.h - the payload of a request: a copy to be read, its sum, and what was read of it last
 *
 * It is copied, with zeros behind it: then no look at it needs a check of bounds, which would cost time and, in the
 * verifier, a way through the rest of the program each. Its checksum is made of the copy, too.
 *
 * Clients send the same text over and over. So the copy stays where it is, with what parse_request() said of it, which
 * depends on nothing else but what is loaded: a payload that is the same, byte for byte, need neither be copied nor
 * summed nor read again.
 */
#ifndef NDIV_HTTPD_TEXT_H
#define NDIV_HTTPD_TEXT_H

#include <ndiv/csum.h>
#include "content.h"
#include "copy.h"
#include "tcp.h"

#define TEXT_MAX	2048	/* a power of two */
#define TEXT_MASK	(2 * TEXT_MAX - 1) /* of offsets, the end included */
#define TEXTS		4	/* copies: of payloads whose lengths differ by less, none takes another's place */

/* What is read of a request. In memory, not in registers: see parse_request(). */
struct request {
	__u32	size;		/* of the object */
	__u32	end;		/* of the request's header in the text */
	__u32	body;		/* bytes behind it */
	__u32	delay;		/* ms until it is answered */
	__u32	now;		/* content_now() */
	__u32	file;		/* id + 1 of the file that is the response; 0: none is, but <page> */
	__u64	etag;		/* of If-None-Match */
	struct content_hit hit;	/* see choose_file() */
	__u8	page;		/* enum httpd_page; with a file: what is sent if that cannot be */
	__u8	method;		/* enum httpd_method */
	__u8	close;		/* while the header is read: enum closing */
	__u8	status;		/* of an object's response: index of statuses[] */
	__u8	flags;		/* enum request_flag */
	__u8	whole;		/* the header's end was seen */
	__u8	unlike;		/* the answer closes or waits for a reason that is not in the text alone */
	__u8	pad;
};

/* The answer in one segment that a request got last: see answer_same(). */
struct answered {
	struct httpd_args args;
	__u32	len;		/* of the payload */
	__u16	room;		/* of a segment of the connection; 0: there is no such answer */
	__u8	ts;		/* with timestamps */
	__u8	method, status;	/* counters */
	__u8	pad[3];
};

struct text {
	struct request req;
	struct request kept;	/* what parse_request() left in <req> */
	struct answered answered;
	__u32	len;		/* of the payload that <kept> is of; 0: there is none */
	__u32	sum;		/* of its 16-bit words, folded */
	__u64	changes;	/* of what is loaded, when it was read: see struct ndiv_content */
	char	bytes[TEXT_MAX + 32];
};

/* As all whose names begin so, they are no other build's after a replacement. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TEXTS);
	__type(key, __u32);
	__type(value, struct text);
} ndiv_texts SEC(".maps");

/* Eight bytes at <pos>. */
static __always_inline __u64 load8(const struct text *text, __u32 pos)
{
	return *(const __u64 *)(text->bytes + (pos & (TEXT_MAX - 1)));
}

/* Is the checksum of <pkt> right? A function of its own, see options(). */
__noinline int verify(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	return pkt ? ndiv_l4_verify(ctx, pkt) : 0;
}

/* Likewise, where the <sum> of the payload is known. */
static __always_inline int verify_text(struct xdp_md *ctx, struct ndiv_pkt *pkt, __u64 sum)
{
	__u32 doff = pkt->payload - pkt->l4;
	const __u32 *w = ndiv_ptr(ctx, pkt->l4, TCP_LEN), *ts = ndiv_ptr(ctx, pkt->l4 + TCP_LEN, TS_LEN);
	__s64 pseudo;

	if (!w || pkt->flags & (NDIV_F_L4_GOOD | NDIV_F_L4_BAD) || (doff != TCP_LEN && doff != TCP_LEN + TS_LEN))
		return verify(ctx, pkt);
	sum += (__u64)w[0] + w[1] + w[2] + w[3] + w[4];
	if (doff != TCP_LEN) {
		if (!ts)
			return verify(ctx, pkt);
		sum += (__u64)ts[0] + ts[1] + ts[2];
	}
	pseudo = ndiv_csum_pseudo(ctx, pkt, pkt->end - pkt->l4);
	if (pseudo >= 0 && ndiv_csum_fold(sum + pseudo) == 0xffff) {
		pkt->flags |= NDIV_F_L4_GOOD;
		return 1;
	}
	pkt->flags |= NDIV_F_L4_BAD;
	return 0;
}

#define SAME_STEP	32	/* bytes that are compared at a time: what is shorter is read anew, */
#define SAME_STEPS	32	/* and so is what is longer than so many of them */

static __always_inline int differ(const __u64 *a, const __u64 *b)
{
	return a[0] != b[0] || a[1] != b[1] || a[2] != b[2] || a[3] != b[3];
}

/*
 * Is the payload of <pkt> the text that is there? The last bytes are compared with those before them, twice if need be.
 */
static __always_inline int is_same(struct xdp_md *ctx, const struct ndiv_pkt *pkt, const struct text *text)
{
	__u32 last = pkt->end - pkt->payload - SAME_STEP, at = 0, i;
	const __u64 *p;

	if (text->len != last + SAME_STEP || last > (SAME_STEPS - 1) * SAME_STEP)
		return 0;
	for (i = 0; i < SAME_STEPS; i++) {
		at = ndiv_forget(pkt, at, TEXT_MAX - 1);
		p = ndiv_ptr(ctx, pkt->payload + at, SAME_STEP);
		if (!p || differ(p, (const __u64 *)(text->bytes + at)))
			return 0;
		if (at == last)
			return 1;
		at += SAME_STEP;
		if (at > last)
			at = last;
	}
	return 0;
}

/* Sum of the first <len> bytes of the copy, folded. By 512 at a time: before Linux 6.13 the helper takes no more. */
static __always_inline __u32 sum_of_text(const struct ndiv_pkt *pkt, struct text *text, __u32 len)
{
	__u32 sum = 0, at = 0, i;

	for (i = 0; i < TEXT_MAX / 512 && len >= 512; i++) {
		at = ndiv_forget(pkt, at, TEXT_MAX - 512);
		sum = bpf_csum_diff(NULL, 0, (__be32 *)(text->bytes + at), 512, sum);
		at += 512;
		len -= 512;
	}
	/* in whole words: behind the text there are zeros */
	at = ndiv_forget(pkt, at, TEXT_MAX - 512);
	len = ndiv_forget(pkt, len + 3, 0x3fc);
	if (len > 512)
		return 0;
	return ndiv_csum_fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)(text->bytes + at), len, sum));
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pcapng.c - the blocks of a capture file that are no packets: section header, interface description, statistics
 *
 * Format: draft-ietf-opsawg-pcapng. The blocks of packets are written by the kernel's side (bpf/block.h).
 */
#include <string.h>
#include <sys/utsname.h>
#include "internal.h"

enum {
	BLOCK_INTERFACE	= 1,
	BLOCK_STATS	= 5,
	BLOCK_PACKET	= 6,
	BLOCK_SECTION	= 0x0a0d0d0a,
};

enum {
	COMMENT		= 1,
	SHB_OS		= 3,
	SHB_USERAPPL	= 4,
	IF_NAME		= 2,
	IF_DESCRIPTION	= 3,
	IF_TSRESOL	= 9,
	IF_FILTER	= 11,
	ISB_STARTTIME	= 2,
	ISB_ENDTIME	= 3,
	ISB_IFRECV	= 4,
	ISB_FILTERACCEPT = 6,
	ISB_OSDROP	= 7,
	ISB_USRDELIV	= 8,
};

#define LINK_ETHERNET	1
#define FILTER_MAX	900	/* bytes of an expression, so that NDIV_CAPTURE_HEAD is enough */
#define COMMENT_MAX	(PCAPNG_PACKET_EXTRA - 64)
#define NANOSECONDS	9	/* 10^-9 */

/* A block that grows. */
struct out {
	unsigned char *at;
	size_t len;
};

static void put(struct out *o, const void *data, size_t len)
{
	memcpy(o->at + o->len, data, len);
	o->len += len;
}

static void put16(struct out *o, __u16 v)
{
	put(o, &v, sizeof(v));
}

static void put32(struct out *o, __u32 v)
{
	put(o, &v, sizeof(v));
}

static void put64(struct out *o, __u64 v)
{
	put(o, &v, sizeof(v));
}

static void put_option(struct out *o, __u16 code, const void *data, __u16 len)
{
	put16(o, code);
	put16(o, len);
	put(o, data, len);
	put(o, "\0\0", -len & 3);
}

static void put_text(struct out *o, __u16 code, const char *text)
{
	put_option(o, code, text, strlen(text));
}

static void put_number(struct out *o, __u16 code, __u64 v)
{
	put_option(o, code, &v, sizeof(v));
}

/* A time is two words, the high one first whatever the order of bytes. */
static void put_time(struct out *o, __u16 code, __u64 ns)
{
	const __u32 v[2] = { ns >> 32, ns };

	put_option(o, code, v, sizeof(v));
}

static struct out begin(void *buf, __u32 type)
{
	struct out o = { .at = buf };

	put32(&o, type);
	put32(&o, 0);
	return o;
}

static size_t end(struct out *o)
{
	__u32 len = o->len + 8;

	put32(o, 0);
	put32(o, len);
	memcpy(o->at + 4, &len, sizeof(len));
	return len;
}

size_t pcapng_section(void *buf)
{
	struct out o = begin(buf, BLOCK_SECTION);
	char os[160] = "Linux";
	struct utsname u;

	put32(&o, 0x1a2b3c4d);
	put16(&o, 1);
	put16(&o, 0);
	put64(&o, ~0ULL);	/* the section's length is not known */
	if (!uname(&u))
		snprintf(os, sizeof(os), "%s %s", u.sysname, u.release);
	put_text(&o, SHB_OS, os);
	put_text(&o, SHB_USERAPPL, "ndiv " NDIV_VERSION);
	return end(&o);
}

/* libpcap's expression, behind a byte that says so. One that is too long to be kept is cut. */
static void put_filter(struct out *o, const char *filter)
{
	char text[FILTER_MAX + 1] = "";
	size_t len = strlen(filter);

	if (len > FILTER_MAX)
		len = FILTER_MAX;
	memcpy(text + 1, filter, len);
	put_option(o, IF_FILTER, text, len + 1);
}

size_t pcapng_interface(void *buf, const char *name, const char *about, const char *filter, __u32 snaplen)
{
	struct out o = begin(buf, BLOCK_INTERFACE);
	const __u8 resolution = NANOSECONDS;

	put16(&o, LINK_ETHERNET);
	put16(&o, 0);
	put32(&o, snaplen);
	put_text(&o, IF_NAME, name);
	put_text(&o, IF_DESCRIPTION, about);
	put_option(&o, IF_TSRESOL, &resolution, 1);
	if (filter && *filter)
		put_filter(&o, filter);
	return end(&o);
}

size_t pcapng_stats(void *buf, const struct pcapng_stats *st)
{
	struct out o = begin(buf, BLOCK_STATS);

	put32(&o, st->interface);
	put32(&o, st->now >> 32);
	put32(&o, st->now);
	put_time(&o, ISB_STARTTIME, st->start);
	put_time(&o, ISB_ENDTIME, st->now);
	put_number(&o, ISB_IFRECV, st->received);
	put_number(&o, ISB_FILTERACCEPT, st->accepted);
	put_number(&o, ISB_OSDROP, st->lost);
	if (st->delivered != PCAPNG_UNKNOWN)
		put_number(&o, ISB_USRDELIV, st->delivered);
	return end(&o);
}

size_t pcapng_packet(void *buf, const struct pcapng_packet *p)
{
	struct out o = begin(buf, BLOCK_PACKET);
	size_t len = strlen(p->comment);

	put32(&o, 0);		/* the first interface */
	put32(&o, p->ns >> 32);
	put32(&o, p->ns);
	put32(&o, p->captured);
	put32(&o, p->len);
	put(&o, p->data, p->captured);
	put(&o, "\0\0", -p->captured & 3);
	put_option(&o, COMMENT, p->comment, len < COMMENT_MAX ? len : COMMENT_MAX);
	return end(&o);
}

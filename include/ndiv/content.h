/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * content.h - ready-made HTTP responses: what libndiv loads and a handler serves (handlers/httpd/content.h)
 *
 * A site is all that is loaded at a time. It is an array map of pages of its own, as many as it needs; the array of
 * maps "content_sites" has a slot for each site that can be there:
 *
 *	slots 0, 1	files of a directory, the old and the new ones
 *	slots 2, 3	the page of the maintenance mode, likewise
 *
 * One word, ndiv_content.now, says what is served. A site is complete before its slot is written, its slot is written
 * before the word, and the site that was served until then stays where it is: transfers from it go on.
 *
 * A response has an id below 512, which names slot and entry: transfers carry it. An id that a site has left is not
 * given to another response before NDIV_CONTENT_REST_S seconds have passed, so a transfer never goes on with other
 * bytes: if its site is gone, its id has no entry.
 *
 * Page 0 is the directory (struct ndiv_content_dir), the others are one stream of bytes (struct ndiv_content_page).
 * Each response is a head and a body; both begin at multiples of 16 in the stream, and have multiples of 16 bytes:
 * the head is padded until head and body together have a multiple of 128, which httpd wants of clients without
 * timestamps, and then holds the first bytes of the body, too, which are those that are too many for the body. So heads
 * that differ share one body.
 */
#ifndef NDIV_CONTENT_H
#define NDIV_CONTENT_H

#include <linux/types.h>
#include <ndiv/abi.h>

#define NDIV_CONTENT_MAGIC	0x31636e64U	/* another one for each layout */
#define NDIV_CONTENT_SLOTS	4
#define NDIV_CONTENT_HALF	256		/* ids of a directory's entries; plus 256 in slots 1 and 3 */
#define NDIV_CONTENT_FILES	240		/* entries of files; those behind are for maintenance pages */
#define NDIV_CONTENT_IDS	(2 * NDIV_CONTENT_HALF)
#define NDIV_CONTENT_REST_S	60
#define NDIV_CONTENT_UNIT	16		/* bytes: parts of responses are multiples of it ... */
#define NDIV_CONTENT_WHOLE	128		/* ... and whole ones of that */
#define NDIV_CONTENT_RESPONSE	((1U << 20) - 8192) /* a response is shorter than that */
#define NDIV_CONTENT_PAGE	65536U		/* bytes of the stream in one page ... */
#define NDIV_CONTENT_TAIL	4096U		/* ... and then the first ones of the next, for what crosses the border */
#define NDIV_CONTENT_PATH	255		/* bytes of a URL's path */
#define NDIV_CONTENT_BUCKETS	512
#define NDIV_CONTENT_WAYS	4
#define NDIV_CONTENT_URLS	1024		/* half of what fits */
#define NDIV_CONTENT_STATUS	400		/* the lowest one that has a page: error[] begins with it */
#define NDIV_CONTENT_ERRORS	200
#define NDIV_CONTENT_DIR_LEN	4096

/* Why an entry has several heads. Add NDIV_CONTENT_CLOSE for the one that says "Connection: close". */
enum ndiv_content_variant {
	NDIV_CONTENT_CLOSE	= 1,
	NDIV_CONTENT_FULL	= 0,	/* head and body */
	NDIV_CONTENT_HEAD	= 2,	/* for HEAD: no body */
	NDIV_CONTENT_SAME	= 4,	/* 304: the client has it */
	NDIV_CONTENT_VARIANTS	= 6,
};

/* Bits of ndiv_content.now. 0: nothing is served. */
enum ndiv_content_now {
	NDIV_CONTENT_ON		= 1U << 0,	/* files, of slot ... */
	NDIV_CONTENT_SLOT	= 1U << 1,
	NDIV_CONTENT_MAINT	= 1U << 2,	/* every request gets the maintenance page, of slot 2 + ... */
	NDIV_CONTENT_MAINT_SLOT	= 1U << 3,
	NDIV_CONTENT_MAINT_ID	= 8,		/* shift: its entry, 8 bits */
};

/* The handler's variable "ndiv_content", in section .data.content; inherited when the handler is replaced. */
struct ndiv_content {
	__u32	now;		/* (u) enum ndiv_content_now */
	__u32	changed;	/* (u) when that last did: seconds since boot; 0: never */
	__u64	key[2];		/* (u) of the hashes of URLs: random, set before the first site, and never changed */
	__u64	left[NDIV_CONTENT_SLOTS]; /* (u) when the slot's site was last served: seconds since boot; 0: never */
	__u64	changes;	/* (u) how often <now> was written */
};

/* Where a part of a response is in the stream. */
struct ndiv_content_head {
	__u32	off;
	__u16	len;		/* 0: there is no such variant */
	__u16	status;
};

struct ndiv_content_entry {
	__u32	body;		/* where the rest of the body is */
	__u32	len;		/* of it; the first bytes are in the head */
	__u64	etag;		/* 16 hexadecimal digits; 0: none */
	struct ndiv_content_head head[NDIV_CONTENT_VARIANTS];
};

/* A URL's hash and its entry. Free if the hash is 0. */
struct ndiv_content_url {
	__u64	hash;
	__u16	entry;
	__u16	pad[3];
};

/* One cache line. A URL is in the bucket that bits 0-8 of its hash name, or in that of bits 9-17. */
struct ndiv_content_bucket {
	struct ndiv_content_url way[NDIV_CONTENT_WAYS];
};

struct ndiv_content_dir {
	__u32	magic;
	__u32	count;		/* of entries in use */
	__u32	list, list_len;	/* where the list of files is in the stream: see struct ndiv_content_item */
	__u64	since;		/* when it was loaded: seconds since 1970 */
	__u64	bytes;		/* of the stream */
	__u32	skipped;	/* hidden files that were left out */
	__u32	unused;
	__u16	error[NDIV_CONTENT_ERRORS];	/* by status: entry + 1 of its page, or 0 */
	__u32	rest[NDIV_CONTENT_HALF];	/* until when an id that is not used here rests: seconds since boot */
	__u64	print[NDIV_CONTENT_HALF];	/* hash of the whole response, by entry: is it the same as before? */
	char	from[NDIV_CONTENT_DIR_LEN];	/* the directory, or the page's file */
	__u8	pad[72];
	struct ndiv_content_entry entry[NDIV_CONTENT_HALF];
	struct ndiv_content_bucket bucket[NDIV_CONTENT_BUCKETS];
};

struct ndiv_content_page {
	/* Of the 16-bit words before unit i of data[]: one's complement sums, folded, as the CPU reads the words. So
	 * the sum of units a to b is sums[b] + ~sums[a]. */
	__u16	sums[(NDIV_CONTENT_PAGE + NDIV_CONTENT_TAIL) / NDIV_CONTENT_UNIT + 8];
	__u8	data[NDIV_CONTENT_PAGE + NDIV_CONTENT_TAIL];
};

/* What the list says of one file; its names follow: URL path and content type, without a 0. For people only. */
struct ndiv_content_item {
	__u32	entry;
	__u32	size;		/* of the body */
	__u64	etag;
	__u16	status;
	__u16	url_len;
	__u16	type_len;
	__u16	pad;
};

NDIV_ASSERT(sizeof(struct ndiv_content) == 64, "struct ndiv_content");
NDIV_ASSERT(sizeof(struct ndiv_content_entry) == 64, "struct ndiv_content_entry");
NDIV_ASSERT(sizeof(struct ndiv_content_bucket) == 64, "struct ndiv_content_bucket");
NDIV_ASSERT(sizeof(struct ndiv_content_dir) == 7680 + 16384 + 32768, "struct ndiv_content_dir");
NDIV_ASSERT(sizeof(struct ndiv_content_page) == 8720 + 69632, "struct ndiv_content_page");
NDIV_ASSERT(sizeof(struct ndiv_content_item) == 24, "struct ndiv_content_item");

#endif

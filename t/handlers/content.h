/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * content.h - a call of handlers/httpd/content.h, as test_content.c makes it
 */
#ifndef T_CONTENT_H
#define T_CONTENT_H

#include <linux/types.h>

#define CALL_TEXT	512	/* a power of two: the mask */

enum call_what {
	CALL_FIND,	/* receive program */
	CALL_ERROR,
	CALL_OPEN,
};

struct content_call {
	__u32	what;		/* enum call_what; the builders write, whatever it is */
	__u32	want;
	__u64	etag[2];	/* 16 characters */
	__u32	status;
	__u32	id;
	__u32	variant;
	__u32	rem, bytes;	/* what is written: so many bytes, so far from the end */
	__u32	off;		/* in the frame */
	__u32	pos, len;	/* of the URL in text[] */
	char	text[CALL_TEXT + 8];

	/* result */
	__u64	hash;
	__s64	result;
	__u32	hit_len;
	__u16	hit_id;
	__u16	hit_status;
	__u32	hit_variant;
	__u32	calls;
};

#endif

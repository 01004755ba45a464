/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * csum.h - what test_csum asks the handler "csum" to compute
 */
#ifndef T_CSUM_H
#define T_CSUM_H

#include <linux/types.h>

enum csum_op {
	CSUM_FOLD = 0,		/* of <sum> */
	CSUM_LINEAR,		/* of <len> bytes at <off>, added to <sum> */
	CSUM_FRAGS,		/* likewise */
	CSUM_REPLACE2,		/* <old>, <from>, <to> */
	CSUM_REPLACE4,		/* likewise */
	CSUM_IP4,		/* of the packet's IPv4 header, folded */
	CSUM_IP4_SET,		/* writes it */
	CSUM_PSEUDO,		/* of the packet, for <len>, folded */
	CSUM_VERIFY,		/* the packet's L4 checksum: result, and flags */
	CSUM_VERIFY_TWICE,	/* likewise; in between a byte of the packet changes */
	CSUM_TTL,		/* sets the TTL to <to> */
	CSUM_IP4_LEN,		/* sets the total length to <to> */
	CSUM_HASH,		/* SipHash of <sum> and <from> << 32 | <to> */
};

struct csum_call {
	__u32	op;
	__u32	off;
	__u32	len;
	__u32	old;
	__u32	from;
	__u32	to;
	__u64	sum;
	__s64	result;
	__u32	flags;
	__u32	calls;		/* how often it was asked */
};

#endif

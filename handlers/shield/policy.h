/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy.h - a compiled policy, as libndiv makes it and shield reads it
 *
 * All of it is one array map of lines of 64 bytes, its image, in the only slot of the array of maps shield_policy. A
 * new policy is a new image, complete before the slot is written: each packet meets the old one or the new one.
 *
 * Which rule is about an address is found in a trie. Its root is an array that the first bits of the address choose
 * from; each node below it is one line, which four more bits choose from. An entry is
 *
 *	a value		this is it
 *	a node		go on there
 *	a leaf		only one prefix lies below: a value for addresses that have it, and one for the others
 *	a last byte	a leaf of IPv4 where 24 bits have led to, which is all in the entry but for the two values, of
 * which there are few pairs: so with a root of 24 bits, one line out of a large table is all it takes
 *
 * There are four: sources and destinations, each for IPv4 and IPv6. Sources lead to rules. Destinations lead to a row,
 * and what a packet is (protocol and port, or ICMP's type) to a column: the cell where they meet has the rules. Where
 * rules ask for source ports or IP options, too, there are several planes of cells, and these two choose the plane.
 *
 * Rules have numbers from 1 on. A cell, and the value of a source, holds two of them: the rule that decides, and one
 * that only says what it would have decided (dry), because it stands before the other.
 */
#ifndef NDIV_SHIELD_POLICY_H
#define NDIV_SHIELD_POLICY_H

#include <linux/types.h>

#define POLICY_MAGIC	0x796c6f70U
#define POLICY_LINE	64
#define POLICY_RULES	1024		/* numbers of one bank; 0 is no rule */
#define POLICY_BANKS	2		/* of counters and buckets: that of the policy before, and the one at work */
#define POLICY_NETWORKS	(1 << 18)	/* buckets of source networks: those that share one share its rate */
#define POLICY_PLANES	256		/* of cells */
#define POLICY_FROM	192		/* of the file's name */

/* Entries of tries. */
#define POLICY_KIND(e)	((e) >> 30)
#define POLICY_REST(e)	((e) & 0x3fffffffU)
#define POLICY_VALUE	0U
#define POLICY_NODE	1U
#define POLICY_LEAF	2U
#define POLICY_BYTE	3U
#define POLICY_STRIDE	4		/* bits of an address that choose from a node */

/* What is in an entry for a last byte: the byte, how many of its bits the prefix has less 1, and which pair. */
#define POLICY_BYTE_ENTRY(byte, bits, pair)	(POLICY_BYTE << 30 | (byte) << 22 | ((bits) - 1) << 18 | (pair))
#define POLICY_BYTE_OF(e)			((e) >> 22 & 255)
#define POLICY_BYTE_BITS(e)			(((e) >> 18 & 7) + 1)
#define POLICY_BYTE_PAIR(e)			((e) & 0x3ffffU)
#define POLICY_PAIRS				256

/* Cells, and values of sources. */
#define POLICY_CELL(rule, dry)	((rule) | (dry) << 12)
#define POLICY_CELL_RULE(cell)	((cell) & (POLICY_RULES - 1))
#define POLICY_CELL_DRY(cell)	((cell) >> 12 & (POLICY_RULES - 1))

/* What a packet is, by number. */
enum policy_selector {
	POLICY_TCP	= 0,			/* + port */
	POLICY_UDP	= 1 << 16,
	POLICY_ICMP	= 2 << 16,		/* + type */
	POLICY_ICMP6	= POLICY_ICMP + 256,
	POLICY_PROTO	= POLICY_ICMP6 + 256,	/* + protocol: all others */
	POLICY_FRAGMENT	= POLICY_PROTO + 256,
	POLICY_SELECTORS = POLICY_FRAGMENT + 1,
};

/* Where it comes from, by number: its source port, or that it has none; and behind these, the same with IP options. */
enum policy_origin {
	POLICY_NO_PORT	= 1 << 16,
	POLICY_OPTIONS	= POLICY_NO_PORT + 64,	/* + one of the above: with options or extension headers */
	POLICY_ORIGINS	= 2 * POLICY_OPTIONS,
};

enum policy_action {
	POLICY_ALLOW = 1,
	POLICY_DENY,
	POLICY_TRUST,				/* sources only: services are not asked */
	POLICY_LIMIT,
};

/* Whom a rate is for. */
enum policy_per {
	POLICY_PER_RULE,
	POLICY_PER_NETWORK,			/* each /24 of IPv4, /64 of IPv6: POLICY_NETWORKS buckets */
	POLICY_PER_ADDRESS,			/* likewise */
};

/* The root of a trie. */
struct policy_root {
	__u32	line;				/* its first one; 0: there is none, and the value is 0 */
	__u32	bits;				/* that choose from it: 16 or 24 */
};

enum policy_trie {
	POLICY_SOURCE4,
	POLICY_SOURCE6,
	POLICY_DEST4,
	POLICY_DEST6,
	POLICY_TRIES,
};

/* The first lines of an image. */
struct policy_head {
	__u32	origins;			/* first line of them: see below; 0: there is but one plane */
	__u32	pairs;				/* first line of struct policy_pair */
	struct policy_root root[POLICY_TRIES];
	__u32	bank;
	__u32	leaves;				/* first line of struct policy_leaf */
	__u32	columns;			/* first line of the columns (u16), by selector */
	__u32	cells;				/* first line of the cells (u32), of the only plane */
	__u32	width;				/* of a row of cells */
	__u32	rules;				/* first line of struct policy_rule, by number */
	/* second line on: for user space */
	__u32	magic;
	__u32	texts;				/* first line of struct policy_text, by number */
	__u32	count;				/* of rules, the first one being 1 */
	__u32	dry;				/* the whole of it */
	__u32	prefixes;			/* of sources */
	__u32	lines;				/* of the image */
	__u64	since;				/* s since 1970 */
	char	from[POLICY_FROM];
	__u32	pad2[8];
};
_Static_assert(sizeof(struct policy_head) == 5 * POLICY_LINE, "struct policy_head");

/* By origin; POLICY_ORIGINS / POLICY_LINE lines of planes follow the lines with their first cells. */
#define POLICY_PLANE_LINES	(POLICY_PLANES * sizeof(__u32) / POLICY_LINE)

/* An address is 128 bits, an IPv4 one the first 32 of them. */
struct policy_leaf {
	__u64	hi, lo;
	__u32	len;				/* bits of the prefix */
	__u32	in, out;
	__u32	pad;
};
_Static_assert(sizeof(struct policy_leaf) == 32, "struct policy_leaf");

struct policy_pair {
	__u32	in, out;
};

struct policy_rule {
	__u64	gap, depth;			/* POLICY_LIMIT: struct ndiv_limit; but see by_bytes */
	__u32	action;				/* enum policy_action */
	__u8	per;				/* enum policy_per */
	__u8	by_bytes;			/* gap is that of a byte, in ns / 65536 */
	__u16	after;				/* who has exceeded it that often is banned */
	__u32	ban;				/* for so long: ticks of ban.h; 0: not at all */
	__u32	line;				/* of the file: BAN_LINE_MAX at most */
};
_Static_assert(sizeof(struct policy_rule) == 32, "struct policy_rule");

struct policy_text {
	__u32	line;				/* of the file */
	__u32	dry;
	char	text[248];
};
_Static_assert(sizeof(struct policy_text) == 4 * POLICY_LINE, "struct policy_text");

/* Of a rule: what it was about, and what of that it refused, or would have refused (dry). */
struct policy_count {
	__u64	packets, bytes;
	__u64	refused, refused_bytes;
};

/* Of a rule; shared by all CPUs, see limit.h. */
struct policy_bucket {
	__u64	word;
	__u64	pad[7];
};

#endif

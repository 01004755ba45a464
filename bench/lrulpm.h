/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lrulpm.h - what shield does to a packet, made of the kernel's own maps: a trie of prefixes, a table of flows
 *
 * Shared by lrulpm.bpf.c and its user side.
 */
#ifndef BENCH_LRULPM_H
#define BENCH_LRULPM_H

#include <linux/types.h>

#define LRULPM_PREFIXES	(1 << 20)
#define LRULPM_FLOWS	(1 << 21)	/* as many as shield has: so a million of them stay */

/* Of a prefix; and what was done with a packet, which is counted. */
enum lrulpm {
	LRULPM_ALLOW = 1,	/* passed: its source may, and its flow is known */
	LRULPM_DENY,		/* dropped: its source may not */
	LRULPM_STRANGE,		/* dropped: it is of no flow that is known */
	LRULPM_OUTCOMES,
};

/* Key of the trie. */
struct lrulpm_prefix {
	__u32	len;
	__be32	addr;
};
_Static_assert(sizeof(struct lrulpm_prefix) == 8, "struct lrulpm_prefix");

struct lrulpm_tuple {
	__be32	source, dest;
	__be16	source_port, dest_port;
	__u32	proto;
};
_Static_assert(sizeof(struct lrulpm_tuple) == 16, "struct lrulpm_tuple");

struct lrulpm_flow {
	__u64	packets;
	__u64	bytes;
};

#endif

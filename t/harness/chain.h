/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chain.h - chains of the test handlers (t/handlers/), and what they have counted
 */
#ifndef T_CHAIN_H
#define T_CHAIN_H

#include "../handlers/t.h"
#include "run.h"

#define CHAIN_MAX	4
#define LONGEST		3000	/* NDIV_REPLY_MAX */

/* Instances of the test handlers. Two sets, because one chain holds 15. */
enum who {
	CORE = 0,
	/* set 0 */
	ACCEPT = 1, UNTAG, DROP, REPLY, LONG, REFUSE, BURST, POSTPONE, FORWARD, BAD, MARK1, MARK2, TX, MALFORMED, DONE,
	/* set 1 */
	TOO_LONG = 1, LONG_3000, BURST_0, BURST_1, BURST_16, BURST_17, BURST_LONG, BURST_3000, BURST_FAIL, POSTPONE_9,
	POSTPONE_SLOW, FORWARD_BACK, FULL, REPEAT,
};

/* By set: two cores, each with its handlers. */
extern struct run chain_runs[2];

/* See T_FILL. */
extern char chain_fill[4096];

/* Layers of what they are asked, and of what they answer. */
#define FILLED(index, n)	{ .type = PKT_DATA, .data = { .text = chain_fill + (index), .len = (n) } }

#define BACK_ETH	ETH(.dst = PKT_MAC_CLIENT, .src = PKT_MAC_SERVER)
#define BACK_IP4(...)	IP4(.src = PKT_IP4_SERVER, .dst = PKT_IP4_CLIENT, __VA_ARGS__)
#define BACK_IP6	IP6(.src = PKT_IP6_SERVER, .dst = PKT_IP6_CLIENT)
#define TO(port)	UDP(.dport = (port))
#define FROM(port)	UDP(.sport = (port), .dport = 40000)

/* Loads all of them. 0, or below 0; then something was printed. As cmocka wants it, who gives <state>: unused. */
int chain_open(void **state);
int chain_close(void **state);

/* The handlers at <chain>, CHAIN_MAX of them or ended by CORE, are the chain; counters are 0. 0, or below 0. */
int chain_use(struct run *r, const enum who *chain);

/* Are all counters of all handlers the same? NULL, or the first that is not, in static memory until the next call. */
const char *chain_differs(const struct ndiv_cpu *got, const struct ndiv_cpu *want);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guards.h - what can stand before a server that is flooded, side by side: shield, the kernel's cookies, nftables
 *
 * One CPU does both ends of the wire, by turns: so a frame's time is the sum of both, and nothing is lost.
 */
#ifndef BENCH_GUARDS_H
#define BENCH_GUARDS_H

#include "suite.h"

/* Adds the rows shield/lab-synflood, shield/lab-deny, and those beside them. 0, or below 0 and a message. */
int guards_bench(struct suite *s);

#endif

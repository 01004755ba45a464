/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shield_rules.h - what the tests of shield's policy and bans share: an instance, its clock, and what drops a packet
 *
 * The clock stands still but for what a test adds to it. Counters go on, so that a test can ask what many packets came
 * to.
 */
#ifndef T_SHIELD_RULES_H
#define T_SHIELD_RULES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include "rows.h"
#include "shield.h"

#define START	(1ULL << 40)	/* ns */
#define SECOND	1000000000ULL

enum { PASS, NO_FLOW = 2, DENIED = 13, LIMITED, BANNED };	/* PASS, or drop reasons */

static struct run run;
static struct pkt in;
static struct run_out out;
static struct ndiv_cpu sum;
static uint32_t who = 1;	/* instance */
static uint64_t now = START;	/* ns */

/* Runs <in>: PASS, or the reason why it was dropped. */
static inline int arrive(const char *name)
{
	static struct ndiv_cpu before;
	int r;

	assert_int_equal(run_sum(&run, NDIV_CPU_RX, &before), 0);
	assert_int_equal(shield_set_clock(&run, who, now), 0);
	if (run_rx(&run, in.data, in.len, &out))
		fail_msg("%s: test run failed", name);
	if (out.act == XDP_PASS)
		return PASS;
	assert_int_equal(out.act, XDP_DROP);
	assert_int_equal(run_sum(&run, NDIV_CPU_RX, &sum), 0);
	for (r = 1; r < NDIV_REASONS_MAX; r++)
		if (sum.reason[who][r] != before.reason[who][r])
			return r;
	fail_msg("%s: dropped without a reason", name);
	return -1;
}

/* Another source address of <in>, as text. */
static inline void set_source(const char *text)
{
	int v6 = !!strchr(text, ':');
	size_t at = in.l3 + (v6 ? 8 : 12);

	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, in.data + at) != 1)
		fail_msg("%s is no address", text);
	pkt_resum(&in);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shield_talk.h - what the tests of shield's flows and cookies share: instances, their clock, and what becomes of a
 * packet
 *
 * The clock stands still but for what a test adds to it: it is set back for each packet. Behind shield there is no
 * stack: what the host would send is run through the transmit path.
 */
#ifndef T_SHIELD_TALK_H
#define T_SHIELD_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include "oracle.h"
#include "rows.h"
#include "shield.h"

#define PORT		8000
#define START		(1ULL << 40)	/* ns: 50 s into an epoch */
#define SECOND		1000000000ULL
#define C		ROWS_CLIENT_ISN
#define S		5000000		/* the server's initial sequence number, where the stack answers */
#define SA		(TH_SYN | TH_ACK)
#define FA		(TH_FIN | TH_ACK)

enum { PASS, ANSWER, R_FLAGS = 1 << 8, R_COOKIE, R_NO_FLOW, R_WINDOW, R_CHECKSUM, R_OPTIONS, R_SYN_LIMIT, R_TX_FULL,
       R_TABLE_FULL, R_FRAGMENT, R_NOT_OPEN, R_REFUSED, R_DENIED, R_LIMITED, R_BANNED, R_HEADERS };
#define REASON(r)	((r) - R_FLAGS + 1)

/* Instances: no learning and cookies always; cookies above a rate; no check of windows. */
enum { PLAIN = 1, ABOVE, LOOSE };

static struct run run;
static struct pkt in;
static struct run_out out;
static struct ndiv_cpu sum;
static uint64_t now;
static uint32_t who;

static inline void set_now(uint64_t ns)
{
	now = ns;
	assert_int_equal(shield_set_clock(&run, who, ns), 0);
}

static inline void forget_service(int v6)
{
	const struct shield_service nothing = { 0 };

	assert_int_equal(shield_teach(&run, who, v6, PORT, START, &nothing), 0);
}

static inline void teach(const struct shield_service *what)
{
	assert_int_equal(shield_teach(&run, who, 0, PORT, now, what), 0);
	assert_int_equal(shield_teach(&run, who, 1, PORT, now, what), 0);
}

/* Instance <id>, with nothing in its tables. */
static inline void begin(uint32_t id)
{
	who = id;
	assert_int_equal(run_order(&run, &id, 1), 0);
	assert_int_equal(run_reset(&run), 0);
	assert_int_equal(shield_clear(&run, id), 0);
	set_now(START);
	forget_service(0);
	forget_service(1);
}

static inline uint64_t counted(enum ndiv_cpu_index path, uint32_t n)
{
	assert_int_equal(run_sum(&run, path, &sum), 0);
	return sum.counter[who][n];
}

/* Runs <in>: PASS, ANSWER, or the reason why it was dropped. What is passed is unchanged, what is sent is sound. */
static inline int arrive(const char *name)
{
	static struct ndiv_cpu before;
	struct ndiv_pkt pkt;
	const char *bad;
	int r;

	assert_int_equal(run_sum(&run, NDIV_CPU_RX, &before), 0);
	set_now(now);
	if (run_rx(&run, in.data, in.len, &out))
		fail_msg("%s: test run failed", name);
	if (out.act == XDP_PASS && (out.len != in.len || memcmp(out.data, in.data, in.len)))
		fail_msg("%s: passed, but changed", name);
	if (out.act == XDP_PASS)
		return PASS;
	bad = out.act == XDP_TX ? oracle_judge(out.data, out.len, &pkt) : NULL;
	if (bad)
		fail_msg("%s: the answer is wrong: %s", name, bad);
	if (out.act == XDP_TX)
		return ANSWER;
	assert_int_equal(run_sum(&run, NDIV_CPU_RX, &sum), 0);
	for (r = 1; r < NDIV_REASONS_MAX; r++)
		if (sum.reason[who][r] != before.reason[who][r])
			return r + R_FLAGS - 1;
	fail_msg("%s: dropped without a reason", name);
	return -1;
}

static inline void keep(struct shield_flow *f, void *arg)
{
	*(struct shield_flow *)arg = *f;
}

/* State of the only flow; -1: there is none. */
static inline int state_of(const char *name)
{
	struct shield_flow f;
	int count = shield_each(&run, who, keep, &f);

	if (count < 0 || count > 1)
		fail_msg("%s: %d flows", name, count);
	return count ? (int)flow_state(&f) : -1;
}

/* From the client to port PORT, or <back>. */
static inline void build(int v6, int back, const struct pkt_layer *tcp, int len)
{
	const struct pkt_layer v4l[] = { ETH(), IP4(), *tcp, DATA(len), { 0 } };
	const struct pkt_layer v6l[] = { ETH(), IP6(), *tcp, DATA(len), { 0 } };
	const struct pkt_layer v4b[] = { ETH(.dst = PKT_MAC_CLIENT, .src = PKT_MAC_SERVER),
					 IP4(.src = PKT_IP4_SERVER, .dst = PKT_IP4_CLIENT), *tcp, DATA(len), { 0 } };
	const struct pkt_layer v6b[] = { ETH(.dst = PKT_MAC_CLIENT, .src = PKT_MAC_SERVER),
					 IP6(.src = PKT_IP6_SERVER, .dst = PKT_IP6_CLIENT), *tcp, DATA(len), { 0 } };
	struct pkt_layer chosen[5];

	memcpy(chosen, back ? (v6 ? v6b : v4b) : (v6 ? v6l : v4l), sizeof(chosen));
	if (!len)
		chosen[3] = (struct pkt_layer){ 0 };
	pkt_build(&in, chosen);
}

static inline void send_out(const char *name)
{
	set_now(now);
	if (run_tx(&run, in.data, in.len, &out) || out.act != TC_ACT_UNSPEC)
		fail_msg("%s: what the host sends is dropped", name);
}

static inline int setup(void **state)
{
	static const uint32_t zero, one = 1, ten = 10;
	static const uint8_t ignore = 1;
	const struct run_option plain[] = { { "learn", &zero, 4 }, { "lookups", &one, 4 }, { 0 } };
	const struct run_option above[] = { { "learn", &zero, 4 }, { "above", &ten, 4 }, { 0 } };
	const struct run_option loose[] = { { "window", &ignore, 1 }, { "unknown", &ten, 4 }, { 0 } };
	const char *path = "handlers/shield.bpf.o";

	if (shield_open(&run) || run_add(&run, run_path(path), plain) != PLAIN ||
	    run_add(&run, run_path(path), above) != ABOVE || run_add(&run, run_path(path), loose) != LOOSE)
		return -1;
	return 0;
}

static inline int teardown(void **state)
{
	run_close(&run);
	return 0;
}

#endif

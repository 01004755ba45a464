/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * capture_talk.h - what the tests of captures share: a capture of the datapath that runs here, random packets for it,
 * and the strict reader of what comes out
 */
#ifndef T_CAPTURE_TALK_H
#define T_CAPTURE_TALK_H

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include "../lib/internal.h"	/* before cmocka.h, which has another fail() */
#include "tap.skel.h"
#include <cmocka.h>
#include "pcapng.h"
#include "run.h"

#define LEN_MIN		14
#define LEN_MAX		2000
#define SPANS		64

/* The chain: what each of the packets meets. */
enum { CORE, DROP, REPLY };

static struct run run;
static struct ndiv nd = { .ifname = "lab0", .ifindex = 1, .lock = -1 };
static struct ndiv_capture *cap;
static struct ng ng;
/* What user space knows about the handlers. */
static const struct ndiv_entry drop_entry = { .used = 1, .info = { .name = "drop", .reasons = { [1] = "even",
							       [31] = "odd" } } };
static const struct ndiv_entry reply_entry = { .used = 1, .info = { .name = "reply" } };

static uint8_t buf[LEN_MAX + 64];
static struct run_out out;

/* --- numbers that look random, and are the same in every run */

static inline uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* Length and bytes of packet <n>. No IP: the parser has nothing to say about it. */
static inline uint32_t make_packet(uint64_t n, uint8_t *to)
{
	uint32_t len = LEN_MIN + mix(n) % (LEN_MAX - LEN_MIN + 1), i;
	uint64_t word;

	for (i = 0; i < len; i += 8) {
		word = mix(n << 16 | i);
		memcpy(to + i, &word, 8);
	}
	to[12] = 0x88;
	to[13] = 0xb5;
	return len;
}

/* --- a capture of the datapath that runs here */

static inline int open_capture(const struct ndiv_capture_opts *opts)
{
	struct tap_maps maps = { .cpus = run.cpus, .chain = run.chain };

	cap = calloc(1, sizeof(*cap));
	cap->nd = &nd;
	cap->opts = *opts;
	cap->cpus = run.cpu_count;
	cap->link = cap->tx_link = -1;
	cap->filter[0] = cap->filter[1] = cap->filter[2] = -1;
	cap->taps = dup(bpf_object__find_map_fd_by_name(run.core, "ndiv_taps"));
	cap->tab = calloc(1, sizeof(*cap->tab));
	cap->tab->map = -1;
	cap->outcomes = calloc(NDIV_OUTCOMES, sizeof(*cap->outcomes));
	snprintf(cap->ifname, sizeof(cap->ifname), "lab0");
	cap->tab->e[DROP] = drop_entry;
	cap->tab->e[REPLY] = reply_entry;
	if (tap_load(cap, &maps) || tap_filter(cap, &maps) || tap_rings(cap) || outcomes_check(cap))
		return -1;
	cap->start = capture_clock(cap);
	return 0;
}

/* Begins a capture of <points>, and the file that it is read into. */
static inline void begin(unsigned int points, uint32_t ring, uint32_t snaplen, struct ndiv_capture_opts more)
{
	uint8_t head[NDIV_CAPTURE_HEAD];

	more.points = points;
	more.ring = ring;
	more.snaplen = snaplen;
	if (open_capture(&more))
		fail_msg("%s", nd.err);
	/* there is no interface that sends: that program runs by itself */
	if (points != 1 << NDIV_POINT_TX)
		assert_int_equal(tap_in(cap), 0);
	memset(&ng, 0, sizeof(ng));
	assert_int_equal(ng_read(&ng, head, ndiv_capture_head(cap, head)), 0);
}

static inline uint64_t waiting(void)
{
	struct ndiv_capture_stats st;

	ndiv_capture_stats(cap, &st);
	return st.used;
}

/* Reads not more than <max> packets, of those that are old enough (0: all there are), for the strict reader. */
static inline void drain(uint64_t max)
{
	struct iovec iov[SPANS];
	uint64_t packets, before, all = 0;
	int n, i;

	do {
		before = ng.packets;
		n = ndiv_capture_read(cap, iov, SPANS, max ? max - all : 0, 0, &packets);
		assert_true(n >= 0);
		for (i = 0; i < n; i++)
			if (ng_read(&ng, iov[i].iov_base, iov[i].iov_len))
				fail_msg("%s", ng.fault);
		ndiv_capture_release(cap);
		assert_int_equal(ng.packets - before, packets);
		all += packets;
	} while (max ? n && all < max : waiting());
	assert_true(!max || all <= max);
}

/* The file ends: with statistics for each interface. */
static inline void end(void)
{
	uint8_t tail[NDIV_CAPTURE_HEAD];
	uint32_t i;

	assert_int_equal(ng_read(&ng, tail, ndiv_capture_tail(cap, tail)), 0);
	for (i = 0; i < ng.count; i++) {
		assert_int_equal(ng.interface[i].stats, 1);
		assert_int_equal(ng.interface[i].delivered, ng.interface[i].packets);
		assert_int_equal(ng.interface[i].accepted,
				 ng.interface[i].packets + ng.interface[i].dropped + ng.skipped);
	}
	ndiv_capture_close(cap);
	cap = NULL;
}

static inline void send_packet(uint64_t n, int act)
{
	uint32_t len = make_packet(n, buf);

	assert_int_equal(run_rx(&run, buf, len, &out), 0);
	assert_int_equal(out.act, act);
	assert_int_equal(out.len, len);
}

/* --- intact, in order, each once */

struct expect {
	uint64_t next;			/* number of the packet that comes next */
	uint64_t wrong;
	uint32_t snaplen;
};

/* Losses are told in the packet behind them: skips as many. */
static inline int is_next(const struct ng_packet *p, void *arg)
{
	static uint8_t want[LEN_MAX + 64];
	struct expect *e = arg;
	uint32_t len, kept;

	e->next += p->lost;
	len = make_packet(e->next++, want);
	kept = len < e->snaplen ? len : e->snaplen;
	return p->original != len || p->captured != kept || memcmp(p->data, want, kept) || p->flags != 1;
}

static inline int up(void **state)
{
	const struct run_option tag[] = { { "tag", &(uint16_t){ 'R' }, 2 }, { 0 } };

	if (run_open(&run, NULL) || run_add(&run, run_path("t/handlers/drop.bpf.o"), NULL) != DROP ||
	    run_add(&run, run_path("t/handlers/reply.bpf.o"), tag) != REPLY)
		return -1;
	return 0;
}

static inline int down(void **state)
{
	run_close(&run);
	return 0;
}

/* After a test that failed. */
static inline int clean(void **state)
{
	ndiv_capture_close(cap);
	cap = NULL;
	return 0;
}

#define TEST(name)	cmocka_unit_test_teardown(name, clean)

#endif

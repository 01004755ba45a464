// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_capture.c - what a capture's programs write into the rings, and how it is read
 *
 * Packets of random sizes run through the datapath with its taps; what comes out of the ring is read by a strict reader
 * of pcapng of its own (harness/pcapng.h), and compared with what went in, byte for byte.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include "../lib/internal.h"	/* before cmocka.h, which has another fail() */
#include "tap.skel.h"
#include <cmocka.h>
#include "handlers/t.h"
#include "pcapng.h"
#include "run.h"

#define MILLION		1000000
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

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* Length and bytes of packet <n>. No IP: the parser has nothing to say about it. */
static uint32_t make_packet(uint64_t n, uint8_t *to)
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

static int open_capture(const struct ndiv_capture_opts *opts)
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
static void begin(unsigned int points, uint32_t ring, uint32_t snaplen, struct ndiv_capture_opts more)
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

static uint64_t waiting(void)
{
	struct ndiv_capture_stats st;

	ndiv_capture_stats(cap, &st);
	return st.used;
}

/* Reads not more than <max> packets, of those that are old enough (0: all there are), for the strict reader. */
static void drain(uint64_t max)
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
static void end(void)
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

static void send_packet(uint64_t n, int act)
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
static int is_next(const struct ng_packet *p, void *arg)
{
	static uint8_t want[LEN_MAX + 64];
	struct expect *e = arg;
	uint32_t len, kept;

	e->next += p->lost;
	len = make_packet(e->next++, want);
	kept = len < e->snaplen ? len : e->snaplen;
	return p->original != len || p->captured != kept || memcmp(p->data, want, kept) || p->flags != 1;
}

/* <count> packets, read now and then; the ring has room for all of them. */
static void run_many(uint64_t count, uint32_t ring, uint32_t snaplen)
{
	struct expect e = { .snaplen = snaplen };
	uint64_t n;

	begin(1 << NDIV_POINT_RX, ring, snaplen, (struct ndiv_capture_opts){ 0 });
	ng.fn = is_next;
	ng.arg = &e;
	for (n = 0; n < count; n++) {
		send_packet(n, XDP_PASS);
		if (!(mix(n ^ 1) % 13))
			drain(mix(n ^ 2) % 2 ? 0 : 1 + mix(n ^ 3) % 7);
	}
	drain(0);
	assert_int_equal(ng.packets, count);
	assert_int_equal(ng.interface[0].told, 0);
	assert_int_equal(ng.unordered, 0);
	end();
	assert_int_equal(ng.interface[0].received, count);
	assert_int_equal(ng.interface[0].dropped, 0);
}

/* In a ring of 1 MB that is never full; it is gone around a thousand times. */
static void a_million(void **state)
{
	run_many(MILLION, 1 << 20, NDIV_SNAPLEN_MAX);
}

static void a_million_cut(void **state)
{
	run_many(MILLION / 10, 1 << 20, 64);
	run_many(MILLION / 10, 1 << 20, 333);
}

/* What CPUs need that do not keep the order of stores. */
static void with_barrier(void **state)
{
	struct expect e = { .snaplen = 1000 };
	struct tap_maps maps = { .cpus = run.cpus, .chain = run.chain };
	uint64_t n;

	begin(1 << NDIV_POINT_RX, 1 << 16, 1000, (struct ndiv_capture_opts){ 0 });
	assert_int_equal(cap->conf.barrier, 0);
	ndiv_capture_stop(cap);
	tap_unload(cap);
	cap->force_barrier = 1;
	cap->stopped = 0;
	assert_int_equal(tap_load(cap, &maps) || tap_rings(cap) || tap_in(cap), 0);
	assert_int_equal(cap->conf.barrier, 1);
	ng.fn = is_next;
	ng.arg = &e;
	for (n = 0; n < 10000; n++) {
		send_packet(n, XDP_PASS);
		drain(0);
	}
	assert_int_equal(ng.packets, 10000);
	end();
}

/* --- losses */

/* Nobody reads: what does not fit is lost, and counted; and the next packet tells how many. */
static void overrun(void **state)
{
	struct expect e = { .snaplen = NDIV_SNAPLEN_MAX };
	uint64_t n = 0, kept, round;
	struct ndiv_capture_stats st;

	begin(1 << NDIV_POINT_RX, NDIV_RING_MIN, NDIV_SNAPLEN_MAX, (struct ndiv_capture_opts){ 0 });
	ng.fn = is_next;
	ng.arg = &e;
	for (round = 0; round < 200; round++) {
		for (kept = n + 50 + mix(round) % 200; n < kept; n++)
			send_packet(n, XDP_PASS);
		drain(mix(round ^ 5) % 2 ? 0 : 1 + mix(round) % 20);
		ndiv_capture_stats(cap, &st);
		assert_true(st.used <= st.size + NDIV_SNAPLEN_MAX + NDIV_BLOCK_EXTRA);
		assert_int_equal(st.point[0].seen, n);
	}
	drain(0);
	send_packet(n++, XDP_PASS);
	drain(0);
	assert_int_equal(e.next, n);
	assert_true(ng.interface[0].told > 1000);
	assert_int_equal(ng.packets + ng.interface[0].told, n);
	end();
	assert_int_equal(ng.interface[0].dropped, ng.interface[0].told);
	assert_int_equal(ng.interface[0].received, n);
}

/* --- verdicts */

/* A packet that its port sends to one of the handlers. */
static void make_udp(struct pkt *p, uint16_t sport, uint16_t dport)
{
	const struct pkt_layer layers[] = { IP4(), UDP(.sport = sport, .dport = dport), DATA(18), { 0 } };

	pkt_build(p, layers);
}

struct want {
	uint32_t interface, flags;
	int	xdp;
	const char *comment;
	const uint8_t *data;
};

static int is_wanted(const struct ng_packet *p, void *arg)
{
	const struct want *w = (const struct want *)arg + ng.packets;

	return p->interface != w->interface || p->flags != w->flags || p->xdp != w->xdp || !p->id || p->queue ||
	       strcmp(p->comment, w->comment) || memcmp(p->data, w->data, p->captured);
}

/* One packet before the handlers and behind them: what it became, and as it left. */
static void outcome(uint16_t sport, uint16_t dport, int act, const char *comment)
{
	struct pkt p;
	struct want w[] = {
		{ 0, 1, -1, "", p.data },
		{ 1, act == XDP_TX ? 2 : 1, act, comment, out.buf },
	};

	make_udp(&p, sport, dport);
	begin(1 << NDIV_POINT_RX | 1 << NDIV_POINT_VERDICT, NDIV_RING_MIN, 1000, (struct ndiv_capture_opts){ 0 });
	ng.fn = is_wanted;
	ng.arg = w;
	assert_int_equal(run_rx(&run, p.data, p.len, &out), 0);
	assert_int_equal(out.act, act);
	assert_int_equal(out.meta, 0);
	drain(0);
	assert_int_equal(ng.packets, 2);
	end();
}

static void verdicts(void **state)
{
	outcome(1000, 9, XDP_PASS, "core: pass");
	outcome(1000, T_DROP, XDP_DROP, "drop: drop even");
	outcome(1001, T_DROP, XDP_DROP, "drop: drop odd");
	outcome(1000, T_REPLY, XDP_TX, "reply: reply");
}

static uint64_t count_wanted(struct ndiv_capture_opts opts)
{
	const uint16_t dports[] = { 9, T_DROP, T_DROP, T_REPLY };
	uint64_t packets;
	struct pkt p;
	uint32_t i;

	begin(1 << NDIV_POINT_VERDICT, NDIV_RING_MIN, 1000, opts);
	for (i = 0; i < 4; i++) {
		make_udp(&p, 1000 + i, dports[i]);
		assert_int_equal(run_rx(&run, p.data, p.len, &out), 0);
	}
	drain(0);
	packets = ng.packets;
	end();
	assert_int_equal(ng.interface[0].received, 4);
	return packets;
}

static void verdict_filters(void **state)
{
	struct ndiv_capture_opts none = { .reason = "ood" };

	assert_int_equal(count_wanted((struct ndiv_capture_opts){ 0 }), 4);
	assert_int_equal(count_wanted((struct ndiv_capture_opts){ .verdicts = 1 << NDIV_DROP }), 2);
	assert_int_equal(count_wanted((struct ndiv_capture_opts){ .verdicts = 1 << NDIV_DROP | 1 << NDIV_PASS }), 3);
	assert_int_equal(count_wanted((struct ndiv_capture_opts){ .verdicts = 1 << NDIV_BURST }), 0);
	assert_int_equal(count_wanted((struct ndiv_capture_opts){ .handler = "reply" }), 1);
	assert_int_equal(count_wanted((struct ndiv_capture_opts){ .handler = "core" }), 1);
	assert_int_equal(count_wanted((struct ndiv_capture_opts){ .reason = "odd" }), 1);
	none.points = 1 << NDIV_POINT_VERDICT;
	none.ring = NDIV_RING_MIN;
	none.snaplen = 1000;
	assert_int_equal(open_capture(&none), -1);
	assert_string_equal(nd.err, "nothing on it has verdict and handler (any) and reason ood (`ndiv show -a lab0` "
				    "lists what there is)");
	ndiv_capture_close(cap);
	cap = NULL;
}

/* --- sampling */

/* Numbers of the packets at each point, in order. */
struct sampled {
	uint64_t id[2][4000];
	uint64_t count[2];
};

static int note_id(const struct ng_packet *p, void *arg)
{
	struct sampled *s = arg;

	s->id[p->interface][s->count[p->interface]++] = p->id;
	return !p->id;
}

/*
 * One of 10: of 20000 packets 2000 with a standard deviation of 42. No two captures choose the same ones; but the two
 * points of one capture do.
 */
static void sampling(void **state)
{
	static struct sampled s[2];
	struct ndiv_capture_stats st;
	uint64_t n;
	int i;

	for (i = 0; i < 2; i++) {
		memset(&s[i], 0, sizeof(s[i]));
		begin(1 << NDIV_POINT_RX | 1 << NDIV_POINT_VERDICT, 1 << 20, 64,
		      (struct ndiv_capture_opts){ .sample = 10 });
		ng.fn = note_id;
		ng.arg = &s[i];
		for (n = 0; n < 20000; n++) {
			send_packet(n, XDP_PASS);
			drain(0);
		}
		ndiv_capture_stats(cap, &st);
		ng.skipped = st.point[NDIV_POINT_RX].skipped;
		assert_int_equal(st.point[NDIV_POINT_RX].seen, 20000);
		assert_int_equal(st.point[NDIV_POINT_RX].skipped + s[i].count[0], 20000);
		assert_in_range(s[i].count[0], 2000 - 250, 2000 + 250);
		assert_int_equal(s[i].count[0], s[i].count[1]);
		assert_memory_equal(s[i].id[0], s[i].id[1], s[i].count[0] * sizeof(uint64_t));
		end();
	}
	/* by their place in each run */
	for (n = s[0].count[0]; n--;) {
		s[0].id[0][n] -= s[0].id[0][0];
		s[1].id[0][n] -= s[1].id[0][0];
	}
	assert_memory_not_equal(s[0].id[0], s[1].id[0], 1000 * sizeof(uint64_t));
}

/* One in a row of a filter: only what it wants is counted out. And what the host sends has no number but its own. */
static void sampling_elsewhere(void **state)
{
	LIBBPF_OPTS(bpf_test_run_opts, t, .data_in = buf, .repeat = 20000);
	struct ndiv_capture_stats st;

	begin(1 << NDIV_POINT_TX, 1 << 23, 64, (struct ndiv_capture_opts){ .sample = 10 });
	t.data_size_in = make_packet(1, buf);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(cap->tap->progs.ndiv_tap_tx), &t), 0);
	ndiv_capture_stats(cap, &st);
	drain(0);
	ng.skipped = st.point[NDIV_POINT_TX].skipped;
	assert_int_equal(st.point[NDIV_POINT_TX].seen, 20000);
	assert_in_range(ng.packets, 2000 - 250, 2000 + 250);
	end();
	begin(1 << NDIV_POINT_RX, 1 << 20, 64, (struct ndiv_capture_opts){ .sample = 1000000, .filter = "udp" });
	send_packet(1, XDP_PASS);
	ndiv_capture_stats(cap, &st);
	assert_int_equal(st.point[NDIV_POINT_RX].rejected, 1);
	assert_int_equal(st.point[NDIV_POINT_RX].skipped, 0);
	ndiv_capture_close(cap);
	cap = NULL;
}

/* --- filters */

/* Runs a UDP packet to each of some ports, by chain and taps. Returns how many were captured at <points>. */
static uint64_t count_filtered(unsigned int points, const char *filter, uint64_t *rejected)
{
	static const uint16_t dports[] = { 9, T_DROP, T_REPLY };
	static const int acts[] = { XDP_PASS, XDP_DROP, XDP_TX };
	uint64_t packets;
	struct pkt p;
	uint32_t i;

	begin(points, NDIV_RING_MIN, 1000, (struct ndiv_capture_opts){ .filter = filter });
	for (i = 0; i < 3; i++) {
		make_udp(&p, 1000, dports[i]);
		assert_int_equal(run_rx(&run, p.data, p.len, &out), 0);
		assert_int_equal(out.act, acts[i]);
	}
	drain(0);
	packets = ng.packets;
	end();
	*rejected = 0;
	for (i = 0; i < ng.count; i++) {
		assert_int_equal(ng.interface[i].received, 3);
		*rejected += ng.interface[i].received - ng.interface[i].accepted;
	}
	return packets;
}

static void filters(void **state)
{
	const unsigned int rx = 1 << NDIV_POINT_RX, verdict = 1 << NDIV_POINT_VERDICT;
	uint64_t rejected;

	assert_int_equal(count_filtered(rx, "udp", &rejected), 3);
	assert_int_equal(rejected, 0);
	assert_int_equal(count_filtered(rx, "dst port 7003", &rejected), 1);
	assert_int_equal(rejected, 2);
	assert_int_equal(count_filtered(rx, "tcp", &rejected), 0);
	assert_int_equal(rejected, 3);
	assert_int_equal(count_filtered(verdict, "dst port 7003", &rejected), 1);
	assert_int_equal(rejected, 2);
	/* behind the handlers a reply goes the other way */
	assert_int_equal(count_filtered(rx | verdict, "src port 7004", &rejected), 1);
	assert_int_equal(rejected, 5);
	assert_int_equal(count_filtered(rx | verdict, "port 7004", &rejected), 2);
}

/*
 * The kernel may have taken what the filter leads to, when a capture is killed, and not yet the filter: then packets go
 * on as without it.
 */
static void filter_without_end(void **state)
{
	static const uint32_t slots[] = { NDIV_TAP_RX_COPY, NDIV_TAP_RX_SKIP, NDIV_TAP_VERDICT_COPY,
					  NDIV_TAP_VERDICT_SKIP };
	struct ndiv_capture_stats st;
	struct pkt p;
	uint32_t i;

	begin(1 << NDIV_POINT_RX | 1 << NDIV_POINT_VERDICT, NDIV_RING_MIN, 1000,
	      (struct ndiv_capture_opts){ .filter = "dst port 7003" });
	for (i = 0; i < 4; i++)
		assert_int_equal(bpf_map_delete_elem(cap->taps, &slots[i]), 0);
	make_udp(&p, 1000, T_DROP);
	assert_int_equal(run_rx(&run, p.data, p.len, &out), 0);
	assert_int_equal(out.act, XDP_DROP);
	make_udp(&p, 1000, T_REPLY);
	assert_int_equal(run_rx(&run, p.data, p.len, &out), 0);
	assert_int_equal(out.act, XDP_TX);
	ndiv_capture_stats(cap, &st);
	assert_int_equal(st.point[0].seen + st.point[1].seen + st.used, 0);
	end();
}

static void filter_refused(void **state)
{
	struct ndiv_capture_opts opts = { .points = 1, .ring = NDIV_RING_MIN, .snaplen = 1000, .filter = "prot 80" };

	assert_int_equal(open_capture(&opts), -1);
	assert_non_null(strstr(nd.err, "filter \"prot 80\": "));
	ndiv_capture_close(cap);
	cap = NULL;
}

/* --- several buffers, and the transmit path */

static void several_buffers(void **state)
{
	static uint8_t big[9000];
	struct iovec iov[SPANS];
	uint64_t packets;
	uint32_t i;

	for (i = 0; i < sizeof(big); i++)
		big[i] = mix(i);
	big[12] = 0x88;
	big[13] = 0xb5;
	begin(1 << NDIV_POINT_RX, NDIV_RING_MIN, NDIV_SNAPLEN_MAX, (struct ndiv_capture_opts){ 0 });
	assert_int_equal(run_rx_split(&run, big, sizeof(big), 1000, &out), 0);
	ndiv_capture_stop(cap);
	assert_int_equal(ndiv_capture_read(cap, iov, SPANS, 0, 0, &packets), 1);
	assert_int_equal(packets, 1);
	assert_memory_equal((uint8_t *)iov[0].iov_base + 28, big, sizeof(big));
	assert_int_equal(ng_read(&ng, iov[0].iov_base, iov[0].iov_len), 0);
	ndiv_capture_release(cap);
	end();
}

static int is_sent(const struct ng_packet *p, void *arg)
{
	uint32_t len = make_packet(ng.packets, buf);

	return p->flags != 2 || p->queue != ~0U || p->original != len || p->captured != len ||
	       memcmp(p->data, buf, len);
}

static void transmit(void **state)
{
	LIBBPF_OPTS(bpf_test_run_opts, t, .data_in = buf, .repeat = 1);
	uint64_t n;

	begin(1 << NDIV_POINT_TX, NDIV_RING_MIN, NDIV_SNAPLEN_MAX, (struct ndiv_capture_opts){ 0 });
	assert_string_equal(ng.interface[0].name, "lab0/tx");
	ng.fn = is_sent;
	for (n = 0; n < 1000; n++) {
		t.data_size_in = make_packet(n, buf);
		t.data_size_out = 0;
		assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(cap->tap->progs.ndiv_tap_tx), &t), 0);
		assert_int_equal((int)t.retval, TC_ACT_UNSPEC);
		drain(0);
	}
	assert_int_equal(ng.packets, 1000);
	end();
}

/* --- a recorder, whose ring is gone around without a reader */

static uint8_t text[4 << 20];
static size_t text_len;

/* The file that a snapshot of the last <ms> makes, to <text>. How many packets. */
static uint64_t take_snapshot(uint64_t ms)
{
	struct ndiv_capture *snap = NULL;
	struct iovec iov[SPANS];
	uint64_t packets, all = 0;
	int n, i;

	assert_int_equal(ndiv_capture_snapshot(&snap, cap, ms), 0);
	text_len = ndiv_capture_head(snap, text);
	do {
		n = ndiv_capture_read(snap, iov, SPANS, 0, 0, &packets);
		if (n < 0)
			fail_msg("%s", strerror(-n));
		for (i = 0; i < n; i++) {
			assert_true(text_len + iov[i].iov_len < sizeof(text) - NDIV_CAPTURE_HEAD);
			memcpy(text + text_len, iov[i].iov_base, iov[i].iov_len);
			text_len += iov[i].iov_len;
		}
		ndiv_capture_release(snap);
		all += packets;
	} while (n);
	text_len += ndiv_capture_tail(snap, text + text_len);
	ndiv_capture_close(snap);
	return all;
}

/* The last <count> of <sent> packets, in order, and nothing else. */
static void expect_last(uint64_t count, uint64_t sent, uint32_t snaplen)
{
	struct expect e = { .next = sent - count, .snaplen = snaplen };

	assert_true(count <= sent);
	memset(&ng, 0, sizeof(ng));
	ng.fn = is_next;
	ng.arg = &e;
	if (ng_read(&ng, text, text_len))
		fail_msg("%s", ng.fault);
	assert_int_equal(e.next, sent);
	assert_int_equal(ng.packets, count);
	assert_int_equal(ng.interface[0].received, sent);
	assert_int_equal(ng.interface[0].dropped, 0);
}

/* What a snapshot has to hold: all there is room for but one part of the ring, and a block at either end of that. */
static void record(uint32_t ring, uint32_t snaplen, uint64_t packets)
{
	const size_t least = ring - ring / NDIV_RING_MARKS - 3 * ((snaplen < LEN_MAX ? snaplen : LEN_MAX) +
							    NDIV_BLOCK_EXTRA);
	uint64_t n, k, sent = 0;

	begin(1 << NDIV_POINT_RX, ring, snaplen, (struct ndiv_capture_opts){ .record = 1 });
	for (n = 0; sent < packets; n++) {
		for (k = mix(n) % (n % 8 ? 20 : 2000); k--; sent++)
			send_packet(sent, XDP_PASS);
		k = take_snapshot(0);
		expect_last(k, sent, snaplen);
		if (sent * 64 > 4ULL * ring)
			assert_true(text_len > least);
		else if (sent * (LEN_MAX + NDIV_BLOCK_EXTRA) < ring)
			assert_int_equal(k, sent);
	}
	assert_true(cap->reader[run.cpu].ring->head >> 32 > 3);
	ndiv_capture_close(cap);
	cap = NULL;
}

static void recorder(void **state)
{
	record(1 << 16, 3000, 10000);
	record(1 << 20, 3000, 20000);
	record(1 << 16, 64, 20000);
	/* a block can be longer than the ring is */
	begin(1 << NDIV_POINT_RX, 1 << 16, NDIV_SNAPLEN_MAX, (struct ndiv_capture_opts){ 0 });
	assert_int_equal(ndiv_capture_snapshot(&(struct ndiv_capture *){ NULL }, cap, 0), -EINVAL);
	end();
}

/*
 * A block is just being written, over old ones: made by hand, with bytes that are no blocks. What it may reach to is
 * left out, and nothing else.
 */
static void recorder_half_a_block(void **state)
{
	static uint8_t saved[1 << 16];
	struct ndiv_ring *ring;
	uint64_t n = 0, before, with, reach;
	uint32_t len, i;

	begin(1 << NDIV_POINT_RX, 1 << 16, 1 << 15, (struct ndiv_capture_opts){ .record = 1 });
	ring = cap->reader[run.cpu].ring;
	for (i = 0; i < 300; i++) {
		len = make_packet(n, buf);
		reach = ring->head + len + NDIV_BLOCK_EXTRA;
		send_packet(n++, XDP_PASS);
		/* it said beforehand how far it would write */
		assert_int_equal(ring->reach, reach);
		before = take_snapshot(0);
		expect_last(before, n, 1 << 15);
		len = mix(i) % (1 << 15) + NDIV_BLOCK_EXTRA;
		reach = ring->reach;
		memcpy(saved, ndiv_ring_data(ring) + (uint32_t)ring->head, len);
		memset(ndiv_ring_data(ring) + (uint32_t)ring->head, 0xff, len);
		ring->head |= NDIV_RING_BUSY;
		ring->reach = (ring->head & ~(uint64_t)NDIV_RING_BUSY) + len;
		with = take_snapshot(0);
		expect_last(with, n, 1 << 15);
		assert_true(with <= before);
		assert_true(ring->head >> 32 || with == before);
		ring->head &= ~(uint64_t)NDIV_RING_BUSY;
		memcpy(ndiv_ring_data(ring) + (uint32_t)ring->head, saved, len);
		ring->reach = reach;
	}
	assert_true(ring->head >> 32 > 3);
	ndiv_capture_close(cap);
	cap = NULL;
}

static int is_young(const struct ng_packet *p, void *arg)
{
	return p->time < *(uint64_t *)arg;
}

/* Only what is young enough. */
static void last_seconds(void **state)
{
	uint64_t n, since;

	begin(1 << NDIV_POINT_RX, 1 << 20, 64, (struct ndiv_capture_opts){ .record = 1 });
	for (n = 0; n < 100; n++)
		send_packet(n, XDP_PASS);
	usleep(60000);
	for (; n < 105; n++)
		send_packet(n, XDP_PASS);
	expect_last(take_snapshot(3600000), 105, 64);
	assert_int_equal(ng.packets, 105);
	since = capture_clock(cap) - 50000000;
	/* the five of just now, unless this machine slept */
	assert_in_range(take_snapshot(50), 0, 5);
	memset(&ng, 0, sizeof(ng));
	ng.fn = is_young;
	ng.arg = &since;
	assert_int_equal(ng_read(&ng, text, text_len), 0);
	ndiv_capture_close(cap);
	cap = NULL;
}

/* Packets without end, on whatever CPU. */
static void *flood(void *arg)
{
	static uint8_t data[LEN_MAX + 64], sink[LEN_MAX + 1024];
	LIBBPF_OPTS(bpf_test_run_opts, t, .data_in = data, .data_out = sink, .repeat = 100);
	uint64_t n;

	for (n = 0; !__atomic_load_n((int *)arg, __ATOMIC_RELAXED); n++) {
		t.data_size_in = make_packet(n, data);
		t.data_size_out = sizeof(sink);
		if (bpf_prog_test_run_opts(run.entry, &t)) {
			__atomic_store_n((int *)arg, 1, __ATOMIC_RELAXED);
			return "it does not run";
		}
	}
	return NULL;
}

struct flooded {
	uint64_t last[1024];		/* id of the last packet, by CPU; 0: none */
	uint64_t gaps;
};

/* Of 64 bytes of random packets the first is there: that they are whole is known by the blocks, and by their ids. */
static int is_next_id(const struct ng_packet *p, void *arg)
{
	struct flooded *f = arg;
	uint64_t cpu = p->id >> 48;

	if (cpu >= 1024 || p->data[12] != 0x88 || p->data[13] != 0xb5)
		return -1;
	f->gaps += f->last[cpu] && p->id != f->last[cpu] + 1;
	f->last[cpu] = p->id;
	return 0;
}

/* Of all CPUs: another sum if a packet came. */
static uint64_t heads(void)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < cap->cpus; i++)
		sum += __atomic_load_n(&cap->reader[i].ring->head, __ATOMIC_RELAXED) & ~(uint64_t)NDIV_RING_BUSY;
	return sum;
}

/* Copies that are made while the ring is gone around: each of them a row of whole packets without a gap. */
static void recorder_at_work(void **state)
{
	static struct flooded f;
	cpu_set_t all, mine;
	uint64_t head, moved = 0;
	void *said = "it was not waited for";
	pthread_t thread;
	int stop = 0, i;

	assert_int_equal(sched_getaffinity(0, sizeof(mine), &mine), 0);
	memset(&all, 0xff, sizeof(all));
	/* with ids; of the point that is not captured nothing comes */
	begin(1 << NDIV_POINT_RX | 1 << NDIV_POINT_VERDICT, 1 << 16, 256, (struct ndiv_capture_opts){ .record = 1 });
	assert_int_equal(ndiv_capture_tap(cap, 1 << NDIV_POINT_RX), 0);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	assert_int_equal(pthread_create(&thread, NULL, flood, &stop), 0);
	/* until the writer was at work during so many of them, however long it has to wait for a CPU */
	for (i = 0; moved < 100 && !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		head = heads();
		take_snapshot(0);
		moved += heads() != head;
		memset(&f, 0, sizeof(f));
		memset(&ng, 0, sizeof(ng));
		ng.fn = is_next_id;
		ng.arg = &f;
		if (ng_read(&ng, text, text_len) || f.gaps)
			break;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(thread, &said), 0);
	assert_int_equal(sched_setaffinity(0, sizeof(mine), &mine), 0);
	if (said || moved < 100)
		fail_msg("%s; snapshot %d: %s, %llu gaps", said ? (char *)said : "it ran", i, ng.fault,
			 (unsigned long long)f.gaps);
	ndiv_capture_close(cap);
	cap = NULL;
}

/* --- streams */

/* All that is in a stream, in pieces of any length. */
static void get_all(struct ndiv_stream *st)
{
	size_t n, len;

	do {
		len = 1 + mix(text_len) % 3000;
		assert_true(text_len + len <= sizeof(text));
		n = ndiv_stream_get(st, text + text_len, len);
		assert_true(n <= len);
		text_len += n;
	} while (n);
	assert_int_equal(ndiv_stream_waiting(st), 0);
}

/* What is in the rings, to <count> streams. */
static void put_all(struct ndiv_stream *const *st, int count)
{
	struct iovec iov[SPANS];
	uint64_t packets;
	int n, i;

	do {
		n = ndiv_capture_read(cap, iov, SPANS, 0, 0, &packets);
		assert_true(n >= 0);
		for (i = 0; i < count; i++)
			ndiv_stream_put(st[i], iov, n);
		ndiv_capture_release(cap);
	} while (waiting());
}

static struct ndiv_stream *open_stream(enum ndiv_point point, enum ndiv_format format, size_t size)
{
	struct ndiv_stream *st = NULL;

	assert_int_equal(ndiv_stream_open(&st, cap, point, format, size), 0);
	return st;
}

/* The file of a stream, with packets from number <from> on. Returns the number behind the last one. */
static uint64_t read_stream(struct ndiv_stream *st, uint64_t from, const char *name)
{
	struct expect e = { .next = from, .snaplen = NDIV_SNAPLEN_MAX };

	memset(&ng, 0, sizeof(ng));
	ng.fn = is_next;
	ng.arg = &e;
	text_len = 0;
	get_all(st);
	ndiv_stream_end(st);
	get_all(st);
	if (ng_read(&ng, text, text_len))
		fail_msg("%s", ng.fault);
	assert_int_equal(ng.count, 1);
	assert_string_equal(ng.interface[0].name, name);
	assert_int_equal(ng.interface[0].stats, 1);
	assert_int_equal(ng.interface[0].delivered, ng.packets);
	assert_int_equal(ng.interface[0].received, ng.packets + ng.interface[0].dropped);
	return e.next;
}

/* Two readers of different points, and one who comes later; each has a file of its own, whole. */
static void streams(void **state)
{
	struct ndiv_stream *st[3];
	uint64_t n;

	begin(1 << NDIV_POINT_RX | 1 << NDIV_POINT_VERDICT, 1 << 20, NDIV_SNAPLEN_MAX,
	      (struct ndiv_capture_opts){ 0 });
	st[0] = open_stream(NDIV_POINT_RX, NDIV_PCAPNG, sizeof(text) / 2);
	st[1] = open_stream(NDIV_POINT_VERDICT, NDIV_PCAPNG, sizeof(text) / 2);
	for (n = 0; n < 1000; n++) {
		send_packet(n, XDP_PASS);
		if (n % 100 == 99)
			put_all(st, n < 500 ? 2 : 3);
		if (n == 499)
			st[2] = open_stream(NDIV_POINT_VERDICT, NDIV_PCAPNG, sizeof(text) / 2);
	}
	assert_int_equal(read_stream(st[0], 0, "lab0/rx"), 1000);
	assert_int_equal(ng.packets, 1000);
	assert_int_equal(read_stream(st[1], 0, "lab0/verdict"), 1000);
	assert_int_equal(ng.packets, 1000);
	assert_int_equal(read_stream(st[2], 500, "lab0/verdict"), 1000);
	assert_int_equal(ng.packets, 500);
	for (n = 0; n < 3; n++)
		ndiv_stream_close(st[n]);
	ndiv_capture_close(cap);
	cap = NULL;
}

/* One who does not read loses what does not fit, and is told; another one has all of it. */
static void slow_stream(void **state)
{
	struct ndiv_stream *st[2];
	uint64_t n;

	begin(1 << NDIV_POINT_RX, 1 << 20, NDIV_SNAPLEN_MAX, (struct ndiv_capture_opts){ 0 });
	st[0] = open_stream(NDIV_POINT_RX, NDIV_PCAPNG, 20000);
	st[1] = open_stream(NDIV_POINT_RX, NDIV_PCAPNG, sizeof(text) / 2);
	text_len = 0;
	for (n = 0; n < 1000; n++) {
		send_packet(n, XDP_PASS);
		put_all(st, 2);
		if (!(mix(n) % 50))
			get_all(st[0]);
	}
	/* so that the last losses are told */
	get_all(st[0]);
	send_packet(n++, XDP_PASS);
	put_all(st, 2);
	get_all(st[0]);
	ndiv_stream_end(st[0]);
	get_all(st[0]);
	memset(&ng, 0, sizeof(ng));
	ng.fn = is_next;
	ng.arg = &(struct expect){ .snaplen = NDIV_SNAPLEN_MAX };
	if (ng_read(&ng, text, text_len))
		fail_msg("%s", ng.fault);
	assert_int_equal(ng.packets + ng.interface[0].told, n);
	assert_int_equal(ng.interface[0].told, ndiv_stream_lost(st[0]));
	assert_int_equal(ng.interface[0].dropped, ndiv_stream_lost(st[0]));
	assert_int_equal(ng.interface[0].delivered, ng.packets);
	assert_in_range(ng.packets, 100, 900);
	assert_int_equal(ndiv_stream_lost(st[1]), 0);
	assert_int_equal(read_stream(st[1], 0, "lab0/rx"), n);
	ndiv_stream_close(st[0]);
	ndiv_stream_close(st[1]);
	ndiv_capture_close(cap);
	cap = NULL;
}

/* The ring loses some, and then the stream as well: told is the sum. */
static void lost_twice(void **state)
{
	struct ndiv_stream *st;
	uint64_t n = 0;

	begin(1 << NDIV_POINT_RX, NDIV_RING_MIN, NDIV_SNAPLEN_MAX, (struct ndiv_capture_opts){ 0 });
	st = open_stream(NDIV_POINT_RX, NDIV_PCAPNG, 20000);
	text_len = 0;
	while (n < 2000) {
		send_packet(n++, XDP_PASS);
		if (n % 200 == 0) {
			put_all(&st, 1);
			get_all(st);
		}
	}
	send_packet(n++, XDP_PASS);
	put_all(&st, 1);
	get_all(st);
	memset(&ng, 0, sizeof(ng));
	ng.fn = is_next;
	ng.arg = &(struct expect){ .snaplen = NDIV_SNAPLEN_MAX };
	if (ng_read(&ng, text, text_len))
		fail_msg("%s", ng.fault);
	assert_int_equal(ng.packets + ng.interface[0].told, n);
	assert_true(ng.interface[0].told > ndiv_stream_lost(st));
	assert_true(ndiv_stream_lost(st) > 0);
	ndiv_stream_close(st);
	ndiv_capture_close(cap);
	cap = NULL;
}

/* The twin has the same packets, with the same times. */
static void pcap_stream(void **state)
{
	static const uint32_t head[] = { 0xa1b23c4d, 2 | 4 << 16, 0, 0, 1000, 1 };
	struct ndiv_stream *st;
	uint32_t rec[4], len;
	uint64_t n, at = sizeof(head), time, last = 0;

	begin(1 << NDIV_POINT_RX, 1 << 20, 1000, (struct ndiv_capture_opts){ 0 });
	st = open_stream(NDIV_POINT_RX, NDIV_PCAP, sizeof(text));
	for (n = 0; n < 500; n++) {
		send_packet(n, XDP_PASS);
		put_all(&st, 1);
	}
	ndiv_stream_end(st);
	text_len = 0;
	get_all(st);
	assert_memory_equal(text, head, sizeof(head));
	for (n = 0; n < 500; n++, at += sizeof(rec) + rec[2]) {
		assert_true(at + sizeof(rec) <= text_len);
		memcpy(rec, text + at, sizeof(rec));
		len = make_packet(n, buf);
		assert_int_equal(rec[3], len);
		assert_int_equal(rec[2], len < 1000 ? len : 1000);
		assert_true(at + sizeof(rec) + rec[2] <= text_len);
		assert_memory_equal(text + at + sizeof(rec), buf, rec[2]);
		time = rec[0] * 1000000000ULL + rec[1];
		assert_true(rec[1] < 1000000000 && time >= last && time <= capture_clock(cap));
		assert_true(time >= cap->start);
		last = time;
	}
	assert_int_equal(at, text_len);
	ndiv_stream_close(st);
	ndiv_capture_close(cap);
	cap = NULL;
}

static void no_stream(void **state)
{
	struct ndiv_stream *st = NULL;

	begin(1 << NDIV_POINT_RX, NDIV_RING_MIN, 1000, (struct ndiv_capture_opts){ 0 });
	assert_int_equal(ndiv_stream_open(&st, cap, NDIV_POINT_VERDICT, NDIV_PCAPNG, 100000), -EINVAL);
	assert_int_equal(ndiv_stream_open(&st, cap, NDIV_POINTS, NDIV_PCAPNG, 100000), -EINVAL);
	assert_int_equal(ndiv_stream_open(&st, cap, NDIV_POINT_RX, NDIV_PCAPNG, 8191), -EINVAL);
	assert_null(st);
	end();
}

/* Points come and go while it runs: nothing is lost at the others. */
static void points_on_and_off(void **state)
{
	const unsigned int rx = 1 << NDIV_POINT_RX, verdict = 1 << NDIV_POINT_VERDICT;
	static const unsigned int steps[] = { 0, rx, rx | verdict, verdict, 0, verdict, rx, rx | verdict };
	uint64_t n = 0, want[2] = { 0 }, i, k;

	begin(rx | verdict, 1 << 20, 64, (struct ndiv_capture_opts){ .idle = 1 });
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(ndiv_capture_tap(cap, steps[i]), 0);
		for (k = 0; k < 10; k++) {
			send_packet(n++, XDP_PASS);
			want[0] += !!(steps[i] & rx);
			want[1] += !!(steps[i] & verdict);
		}
		drain(0);
		assert_int_equal(ng.interface[0].packets, want[0]);
		assert_int_equal(ng.interface[1].packets, want[1]);
	}
	end();
}

/* --- rings of several CPUs, made by hand */

#define HAND_SIZE	4096U

/* Two rings in memory, as the kernel's side would write them. */
static struct hand {
	struct ndiv_capture cap;
	struct reader reader[2];
	struct ndiv_ring *ring[2];
} hand;

static void hand_up(void)
{
	int i;

	memset(&hand, 0, sizeof(hand));
	hand.cap.conf.size = HAND_SIZE;
	hand.cap.conf.snaplen = 64;
	hand.cap.reader = hand.reader;
	hand.cap.cpus = 2;
	for (i = 0; i < 2; i++) {
		hand.ring[i] = calloc(1, sizeof(struct ndiv_ring) + HAND_SIZE + 64 + NDIV_BLOCK_EXTRA);
		hand.reader[i].ring = hand.ring[i];
	}
}

static void hand_down(void)
{
	free(hand.ring[0]);
	free(hand.ring[1]);
}

/* A block of 100 bytes with time <t>. */
static void hand_put(int cpu, uint64_t t)
{
	struct ndiv_ring *r = hand.ring[cpu];
	uint32_t off = r->head, lap = r->head >> 32, words[25] = { 6, 100, 0, t >> 32, t, 56, 56, [24] = 100 };

	memcpy(ndiv_ring_data(r) + off, words, sizeof(words));
	off += 100;
	if (off >= HAND_SIZE) {
		r->end[lap & 1] = off;
		r->head = (uint64_t)(lap + 1) << 32;
	} else {
		r->head = (uint64_t)lap << 32 | off;
	}
}

/* Times of the blocks of <n> spans, as text. */
static const char *hand_text(const struct iovec *iov, int n)
{
	static char said[512];
	size_t used = 0, off;
	const uint32_t *b;
	int i;

	said[0] = 0;
	if (n < 0)
		return strerror(-n);
	for (i = 0; i < n; i++)
		for (off = 0; off < iov[i].iov_len; off += 100) {
			b = (const uint32_t *)((const uint8_t *)iov[i].iov_base + off);
			used += snprintf(said + used, sizeof(said) - used, "%s%llu", used ? " " : "",
					 (unsigned long long)b[3] << 32 | b[4]);
		}
	return said;
}

/* Of what can be read now, in order. */
static const char *hand_read(uint64_t max_packets, uint64_t max_bytes)
{
	struct iovec iov[SPANS];
	uint64_t packets;
	const char *text = hand_text(iov, ndiv_capture_read(&hand.cap, iov, SPANS, max_packets, max_bytes, &packets));

	ndiv_capture_release(&hand.cap);
	return text;
}

/* Likewise of one CPU. */
static const char *hand_read_cpu(int cpu, uint64_t max_bytes)
{
	struct iovec iov[SPANS];
	uint64_t packets;
	const char *text = hand_text(iov, ndiv_capture_cpu_read(&hand.cap, cpu, iov, SPANS, max_bytes, &packets));

	ndiv_capture_cpu_release(&hand.cap, cpu);
	return text;
}

static void merged_by_time(void **state)
{
	hand_up();
	hand_put(0, 10);
	hand_put(1, 11);
	hand_put(1, 12);
	hand_put(0, 13);
	hand_put(0, 14);
	hand_put(1, 15);
	assert_string_equal(hand_read(0, 0), "10 11 12 13 14 15");
	assert_string_equal(hand_read(0, 0), "");
	hand_put(1, 20);
	assert_string_equal(hand_read(0, 0), "20");
	hand_down();
}

/* Never a part of a block, and not more than is allowed; but one at least. */
static void limits(void **state)
{
	int i;

	hand_up();
	for (i = 0; i < 6; i++)
		hand_put(i & 1, i + 1);
	assert_string_equal(hand_read(2, 0), "1 2");
	assert_string_equal(hand_read(0, 250), "3 4");
	assert_string_equal(hand_read(0, 1), "5");
	assert_string_equal(hand_read(1, 1), "6");
	hand_down();
}

/* While CPU 1 writes a block, nothing younger than its last one goes out. */
static void waits_for_busy(void **state)
{
	hand_up();
	hand_put(1, 5);
	hand_put(0, 3);
	hand_put(0, 5);
	hand_put(0, 7);
	hand.ring[1]->head |= NDIV_RING_BUSY;
	assert_string_equal(hand_read(0, 0), "3 5 5");
	assert_string_equal(hand_read(0, 0), "");
	hand.ring[1]->head &= ~(uint64_t)NDIV_RING_BUSY;
	hand_put(1, 6);
	assert_string_equal(hand_read(0, 0), "6 7");
	hand_down();
}

/* But a ring that is nearly full does not wait. */
static void full_goes_first(void **state)
{
	int i;

	hand_up();
	hand.ring[1]->head |= NDIV_RING_BUSY;
	for (i = 0; i < 32; i++)
		hand_put(0, 100 + i);
	assert_non_null(strstr(hand_read(0, 0), "100 101 102"));
	assert_int_equal(hand.ring[0]->tail, 3200);
	hand_down();
}

static void laps(void **state)
{
	uint64_t n = 0, got;
	char want[32];

	hand_up();
	for (got = 0; got < 500; got++) {
		hand_put(got & 1, ++n);
		snprintf(want, sizeof(want), "%llu", (unsigned long long)n);
		assert_string_equal(hand_read(0, 0), want);
	}
	assert_true(hand.ring[0]->tail >> 32 >= 5);
	hand_down();
}

/* Each by itself, whatever is in the other one, or is being written there. */
static void one_cpu(void **state)
{
	uint8_t tail[NDIV_CAPTURE_HEAD];
	struct ng own = { .has_section = 1, .count = 1 };
	int i;

	hand_up();
	hand_put(0, 10);
	for (i = 1; i <= 41; i++)
		hand_put(1, i);
	hand.ring[0]->head |= NDIV_RING_BUSY;
	assert_string_equal(hand_read_cpu(1, 250), "1 2");
	assert_int_equal(hand.ring[1]->tail, 200);
	assert_int_equal(hand.ring[0]->tail, 0);
	assert_string_equal(hand_read_cpu(1, 150), "3");
	assert_non_null(strstr(hand_read_cpu(1, 0), "39 40 41"));
	hand_put(1, 42);
	assert_string_equal(hand_read_cpu(1, 0), "42");
	assert_string_equal(hand_read_cpu(1, 0), "");
	assert_string_equal(hand_read_cpu(0, 0), "10");
	hand.cap.opts.points = 1 << NDIV_POINT_RX;
	hand.ring[0]->count[0].seen = 5;
	hand.ring[1]->count[0] = (struct ndiv_ring_count){ .seen = 60, .rejected = 10, .skipped = 7, .lost = 1 };
	assert_int_equal(ng_read(&own, tail, ndiv_capture_cpu_tail(&hand.cap, 1, tail)), 0);
	assert_int_equal(own.interface[0].received, 60);
	assert_int_equal(own.interface[0].accepted, 50);
	assert_int_equal(own.interface[0].delivered, 42);
	assert_int_equal(own.interface[0].dropped, 1);
	assert_int_equal(ng_read(&own, tail, ndiv_capture_tail(&hand.cap, tail)), 0);
	assert_int_equal(own.interface[0].received, 65);
	hand_put(1, 43);
	memset(ndiv_ring_data(hand.ring[1]) + (uint32_t)(hand.ring[1]->head - 100) + 4, 0, 4);
	assert_string_equal(hand_read_cpu(1, 0), strerror(EBADMSG));
	hand_down();
}

/* Whatever is in the ring, it is not believed. */
static void broken_rings(void **state)
{
	static const uint32_t lengths[] = { 0, 4, 24, 99, 104, 4096, 0xfffffffc };
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		hand_up();
		hand_put(0, 1);
		memcpy(ndiv_ring_data(hand.ring[0]) + 4, &lengths[i], 4);
		assert_string_equal(hand_read(0, 0), strerror(EBADMSG));
		hand_down();
	}
	hand_up();
	hand.ring[0]->head = (uint64_t)1 << 32;
	hand.ring[0]->end[0] = 0xffffff00;
	assert_string_equal(hand_read(0, 0), strerror(EBADMSG));
	hand_down();
}

/* A writer that died in the middle leaves whole blocks. */
static void half_a_block(void **state)
{
	hand_up();
	hand_put(0, 1);
	hand_put(0, 2);
	memset(ndiv_ring_data(hand.ring[0]) + 200, 0xff, 60);
	hand.ring[0]->head |= NDIV_RING_BUSY;
	assert_string_equal(hand_read(0, 0), "1 2");
	assert_string_equal(hand_read(0, 0), "");
	hand_down();
}

/* --- */

static int up(void **state)
{
	const struct run_option tag[] = { { "tag", &(uint16_t){ 'R' }, 2 }, { 0 } };

	if (run_open(&run, NULL) || run_add(&run, run_path("t/handlers/drop.bpf.o"), NULL) != DROP ||
	    run_add(&run, run_path("t/handlers/reply.bpf.o"), tag) != REPLY)
		return -1;
	return 0;
}

static int down(void **state)
{
	run_close(&run);
	return 0;
}

/* After a test that failed. */
static int clean(void **state)
{
	ndiv_capture_close(cap);
	cap = NULL;
	return 0;
}

#define TEST(name)	cmocka_unit_test_teardown(name, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_million),      TEST(a_million_cut),      TEST(with_barrier),   TEST(overrun),
		TEST(verdicts),       TEST(verdict_filters),    TEST(sampling),       TEST(sampling_elsewhere),
		TEST(filters),        TEST(filter_without_end), TEST(filter_refused), TEST(several_buffers),
		TEST(transmit),       TEST(recorder),           TEST(recorder_half_a_block),
		TEST(last_seconds),   TEST(recorder_at_work),
		TEST(streams),        TEST(slow_stream),        TEST(lost_twice),     TEST(pcap_stream),
		TEST(no_stream),      TEST(points_on_and_off),  TEST(merged_by_time), TEST(limits),
		TEST(waits_for_busy), TEST(full_goes_first),    TEST(laps),           TEST(one_cpu),
		TEST(broken_rings),    TEST(half_a_block),
	};

	return cmocka_run_group_tests_name("capture", tests, up, down);
}

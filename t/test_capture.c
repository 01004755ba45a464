// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_capture.c - what a capture's programs write into the rings
 *
 * Packets of random sizes run through the datapath with its taps; what comes out of the ring is read by a strict reader
 * of pcapng of its own (harness/pcapng.h), and compared with what went in, byte for byte.
 */
#include <linux/pkt_cls.h>
#include "capture_talk.h"
#include "handlers/t.h"

#define MILLION		1000000

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_million),
		TEST(a_million_cut),
		TEST(with_barrier),
		TEST(overrun),
		TEST(verdicts),
		TEST(verdict_filters),
		TEST(sampling),
		TEST(sampling_elsewhere),
		TEST(filters),
		TEST(filter_without_end),
		TEST(filter_refused),
		TEST(several_buffers),
		TEST(transmit),
	};

	return cmocka_run_group_tests_name("capture", tests, up, down);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_capture_card.c - the card's time in what a capture writes
 *
 * No test run has a card: so the packet is as the entry would leave it, and the run begins with the tap.
 */
#include "capture_talk.h"

#define POINTS	(1 << NDIV_POINT_RX | 1 << NDIV_POINT_VERDICT)

/* Of packet <n>; 0: the card gave none. They go backwards, far away from the host's clock, and fill both words. */
static uint64_t stamp_of(uint64_t n)
{
	return mix(n) % 3 ? 0x0123456789abcdefULL - n * 0x100000001ULL : 0;
}

/* The packet's beginning is as if ndiv_entry_hints had been there. */
static void prepare(uint64_t n)
{
	uint32_t key = NDIV_CPU_RX;
	struct ndiv_pkt *pkt = &run.values[run.cpu].pkt;

	assert_int_equal(bpf_map_lookup_elem(run.cpus, &key, run.values), 0);
	pkt->hw_tstamp = stamp_of(n) ? stamp_of(n) : 4711;
	pkt->flags = stamp_of(n) ? NDIV_F_HW_TSTAMP : 0;
	pkt->rounds = 0;
	assert_int_equal(bpf_map_update_elem(run.cpus, &key, run.values, 0), 0);
}

static void send_stamped(uint64_t n)
{
	uint32_t len = make_packet(n, buf);

	prepare(n);
	assert_int_equal(run_once(bpf_program__fd(cap->tap->progs.ndiv_tap_rx), buf, len, &out), 0);
	assert_int_equal(out.act, XDP_PASS);
}

/* Of each packet first the one point, then the other one. */
struct seen {
	uint64_t count, host;
	uint64_t from;			/* the host's clock at the beginning */
};

static int is_stamped(const struct ng_packet *p, void *arg)
{
	static uint8_t want[LEN_MAX + 64];
	struct seen *s = arg;
	uint64_t n = s->count / 2, stamp = stamp_of(n);
	uint32_t len = make_packet(n, want), point = s->count++ % 2;

	if (p->captured != len || memcmp(p->data, want, len))
		return -1;
	if (stamp)
		return p->interface != point || p->time != stamp;
	s->host++;
	return p->interface != 2 + point || p->time < s->from || p->time > capture_clock(cap);
}

static void begin_card(struct seen *s, unsigned int record)
{
	*s = (struct seen){ 0 };
	begin(POINTS, 1 << 21, NDIV_SNAPLEN_MAX, (struct ndiv_capture_opts){ .card = 1, .record = record });
	ng.fn = is_stamped;
	ng.arg = s;
	s->from = capture_clock(cap);
	assert_int_equal(ng.count, 4);
	assert_string_equal(ng.interface[0].name, "lab0/rx");
	assert_string_equal(ng.interface[1].name, "lab0/verdict");
	assert_string_equal(ng.interface[2].name, "lab0/rx-host");
	assert_string_equal(ng.interface[3].name, "lab0/verdict-host");
}

/* The file has the card's time, as it is; else the host's, at an interface of its own; and the statistics of both. */
static void stamps(void **state)
{
	struct ndiv_capture_stats st;
	struct seen s;
	uint64_t n;

	begin_card(&s, 0);
	for (n = 0; n < 5000; n++) {
		send_stamped(n);
		if (!(mix(n ^ 1) % 13))
			drain(mix(n ^ 2) % 2 ? 0 : 1 + mix(n ^ 3) % 7);
	}
	drain(0);
	assert_int_equal(s.count, 10000);
	assert_in_range(s.host, 2000, 8000);
	assert_int_equal(ndiv_capture_unstamped(cap), s.host);
	ndiv_capture_stats(cap, &st);
	assert_int_equal(st.point[NDIV_POINT_RX].seen, 5000);
	end();
	assert_int_equal(ng.interface[0].received, 5000 - s.host / 2);
	assert_int_equal(ng.interface[1].received, 5000 - s.host / 2);
	assert_int_equal(ng.interface[2].received, s.host / 2);
	assert_int_equal(ng.interface[3].received, s.host / 2);
}

/* A recorder's rings hold the host's time, too; a snapshot is as any file, and taking it changes nothing. */
static void recorded(void **state)
{
	struct ndiv_capture *snap, *live;
	struct iovec iov[SPANS];
	uint64_t n, packets;
	struct seen s;
	int i, round, count;

	begin_card(&s, 1);
	for (n = 0; n < 100; n++)
		send_stamped(n);
	live = cap;
	for (round = 0; round < 2; round++) {
		s.count = s.host = 0;
		assert_int_equal(ndiv_capture_snapshot(&snap, live, 0), 0);
		count = ndiv_capture_read(snap, iov, SPANS, 0, 0, &packets);
		assert_int_equal(packets, 200);
		for (i = 0; i < count; i++)
			if (ng_read(&ng, iov[i].iov_base, iov[i].iov_len))
				fail_msg("%s", ng.fault);
		assert_int_equal(s.count, 200);
		assert_int_equal(ndiv_capture_unstamped(snap), s.host);
		ndiv_capture_close(snap);
	}
}

/* Without -j, what the card knows is not asked for by anybody: the host's time. */
static int is_host(const struct ng_packet *p, void *arg)
{
	return p->interface > 1 || p->time < *(const uint64_t *)arg || p->time > capture_clock(cap);
}

static void not_wanted(void **state)
{
	uint64_t from, n;

	begin(POINTS, 1 << 20, NDIV_SNAPLEN_MAX, (struct ndiv_capture_opts){ 0 });
	from = capture_clock(cap);
	ng.fn = is_host;
	ng.arg = &from;
	for (n = 0; n < 100; n++)
		send_stamped(n);
	drain(0);
	assert_int_equal(ng.packets, 200);
	assert_int_equal(ndiv_capture_unstamped(cap), 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stamps),
		TEST(recorded),
		TEST(not_wanted),
	};

	return cmocka_run_group_tests_name("capture_card", tests, up, down);
}

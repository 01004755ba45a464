// SPDX-License-Identifier: GPL-2.0-only
/* test_capture_record.c - a flight recorder, whose rings are gone around without a reader: what snapshots of them hold
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include "capture_talk.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(recorder),
		TEST(recorder_half_a_block),
		TEST(last_seconds),
		TEST(recorder_at_work),
	};

	return cmocka_run_group_tests_name("capture-record", tests, up, down);
}

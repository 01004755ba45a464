// SPDX-License-Identifier: GPL-2.0-only
/* test_capture_merge.c - how the rings of several CPUs are read: rings that are made by hand */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/internal.h"	/* before cmocka.h, which has another fail() */
#include <cmocka.h>
#include "pcapng.h"

#define SPANS		64
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merged_by_time),
		cmocka_unit_test(limits),
		cmocka_unit_test(waits_for_busy),
		cmocka_unit_test(full_goes_first),
		cmocka_unit_test(laps),
		cmocka_unit_test(one_cpu),
		cmocka_unit_test(broken_rings),
		cmocka_unit_test(half_a_block),
	};

	return cmocka_run_group_tests_name("capture-merge", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/* test_capture_stream.c - several readers of one capture, each with a file of its own */
#include "capture_talk.h"

static uint8_t text[4 << 20];
static size_t text_len;

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

/* The file in <text> has the packets from 0 on, or tells that it has lost them: <n> in all. */
static void expect_told(uint64_t n)
{
	memset(&ng, 0, sizeof(ng));
	ng.fn = is_next;
	ng.arg = &(struct expect){ .snaplen = NDIV_SNAPLEN_MAX };
	if (ng_read(&ng, text, text_len))
		fail_msg("%s", ng.fault);
	assert_int_equal(ng.packets + ng.interface[0].told, n);
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
	expect_told(n);
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
	expect_told(n);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(streams),
		TEST(slow_stream),
		TEST(lost_twice),
		TEST(pcap_stream),
		TEST(no_stream),
		TEST(points_on_and_off),
	};

	return cmocka_run_group_tests_name("capture-stream", tests, up, down);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_parse_native.c - the parser, compiled for the host
 *
 * The same source as the kernel runs, on buffers of exactly the packet's length, so that the sanitizers see each byte
 * that is read beyond it; and on frames in one piece that the kernel's test run has no room for: up to 64 kB.
 */
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
/* the maps of the handler API are of no use here */
#undef SEC
#define SEC(name) __attribute__((unused))
/* which bpf_helpers.h does not have for a host, and the parser does not call */
#define bpf_tail_call_static(ctx, map, slot) bpf_tail_call(ctx, map, slot)
#include "../bpf/parse.h"
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "oracle.h"
#include "rows.h"

#define MUTATIONS	1000000
#define SEED		4
#define FRAME_MAX	65535

static struct pkt pkt;

/* As enter() of bpf/core.bpf.c does. */
static void parse(const uint8_t *data, size_t linear, size_t len, struct ndiv_pkt *out)
{
	struct cursor cur = { .data = (void *)data, .end = (void *)(data + linear), .len = len };

	/* what the packet before has left must not show */
	memset(out, 0xa5, sizeof(*out));
	out->flags = 0;
	out->len = len;
	out->proto = 0;
	out->reason = ndiv_parse(&cur, out);
	if (out->reason)
		out->flags |= NDIV_F_MALFORMED;
}

/* <linear> bytes at <data> are all that there is; the frame claims <len>. */
static void check(const char *name, const uint8_t *data, size_t linear, size_t len)
{
	/* two bytes in front, as in a kernel, so that IP headers are aligned */
	uint8_t *copy = malloc(linear + 2);
	struct ndiv_pkt got, want;
	const char *bad;

	assert_non_null(copy);
	memcpy(copy + 2, data, linear);
	parse(copy + 2, linear, len, &got);
	free(copy);
	oracle_parse(data, linear, len, &want);
	bad = oracle_compare(&got, &want);
	if (!bad)
		bad = oracle_invariants(&got);
	if (bad)
		fail_msg("%s: %zu bytes, %zu linear: %s", name, len, linear, bad);
}

/* From no byte at all: here there is no limit below which nothing is run. */
static void test_truncated(void **state)
{
	const struct parse_row *row;
	size_t i, n;

	for (i = 0; i < parse_row_count; i++) {
		row = &parse_rows[i];
		pkt_build(&pkt, row->in);
		for (n = 0; n <= pkt.len; n++) {
			check(row->name, pkt.data, n, n);
			check(row->name, pkt.data, n, pkt.len);
		}
	}
}

static void test_mutations(void **state)
{
	const struct parse_row *row;
	size_t at, linear, room;
	char name[160];
	int i, n;

	srandom(SEED);
	for (i = 0; i < MUTATIONS; i++) {
		row = &parse_rows[random() % parse_row_count];
		pkt_build(&pkt, row->in);
		room = pkt.len < 120 ? pkt.len : 120;
		for (n = random() % 4; n >= 0; n--) {
			at = 12 + random() % (room - 12);
			pkt.data[at] = random() % 3 ? random() : pkt.data[at] ^ 1 << random() % 8;
		}
		if (pkt.l3 && random() % 4)
			pkt_resum(&pkt);
		linear = random() % 4 ? pkt.len : random() % (pkt.len + 1);
		snprintf(name, sizeof(name), "mutation %d of \"%s\"", i, row->name);
		check(name, pkt.data, linear, random() % 4 ? pkt.len : linear);
	}
}

/* A chain of <count> destination options of 2048 bytes and then UDP, in one piece: offsets beyond 16 kB. */
static void test_long_chain(void **state)
{
	static uint8_t frame[FRAME_MAX];
	int count, extra;
	uint8_t *p;
	size_t len;

	for (count = 1; count <= 8; count++) {
		for (extra = 0; extra < 40; extra++) {
			memset(frame, 0, sizeof(frame));
			put16(frame + 12, 0x86dd);
			len = 54 + count * 2048 + 8 + extra * 8;
			frame[14] = 0x60;
			put16(frame + 18, len - 54);
			frame[20] = 60;
			for (p = frame + 54; p < frame + 54 + count * 2048; p += 2048) {
				p[0] = 60;
				p[1] = 255;
			}
			p[-2048] = 17;
			put16(p + 4, 8 + extra * 8);
			check("long chain", frame, len, len);
			/* where the offset would be if only its low 14 bits were looked at */
			put16(frame + ((p - frame) & 0x3fff) + 4, 3);
			check("long chain, two places", frame, len, len);
		}
	}
}

/* IPv4 and IPv6 packets of any length up to the longest, in one piece. */
static void test_large(void **state)
{
	static uint8_t frame[FRAME_MAX];
	size_t len, at;
	int v6;

	srandom(SEED);
	for (len = 60; len < FRAME_MAX; len += 1 + random() % 200) {
		v6 = random() & 1;
		memset(frame, 0, 80);
		put16(frame + 12, v6 ? 0x86dd : 0x0800);
		if (v6) {
			frame[14] = 0x60;
			put16(frame + 18, len - 54);
			frame[20] = 6;
		} else {
			frame[14] = 0x45;
			put16(frame + 16, len - 14);
			frame[23] = 6;
			put16(frame + 24, ~pkt_fold(pkt_sum(frame + 14, 20, 0)));
		}
		at = v6 ? 54 : 34;
		frame[at + 12] = random() & 0xf0;
		check("large", frame, len, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_long_chain),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests_name("parse_native", tests, NULL, NULL);
}

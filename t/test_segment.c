// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_segment.c - segments that are too long for a test run: what is left ends where the whole one did
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../lib/segment.h"
#include "pkt.h"

#define MAX	1000

struct segment_row {
	const char *name;
	struct pkt_layer layers[6];
	uint32_t cut;		/* bytes of data that go; 0: it is not shortened */
	uint32_t pad;		/* behind the packet */
};

/* clang-format off */
static const struct segment_row rows[] = {
	{ "IPv4", { IP4(), TCP(.seq = 7, .flags = TH_ACK), DATA(1000) }, 54, 0 },
	{ "IPv6", { IP6(), TCP(.seq = 7, .flags = TH_ACK), DATA(1000) }, 74, 0 },
	{ "one tag", { VLAN(5), IP4(), TCP(.seq = 7, .flags = TH_ACK), DATA(1000) }, 58, 0 },
	{ "two tags", { VLAN(5), VLAN(6), IP6(), TCP(.seq = 7, .flags = TH_ACK), DATA(1000) }, 82, 0 },
	{ "around the end of sequence numbers", { IP4(), TCP(.seq = 0xfffffff0, .flags = TH_ACK), DATA(1000) }, 54, 0 },
	{ "all of its data", { IP4(), TCP(.seq = 7, .flags = TH_ACK), DATA(946) }, 0, 0 },
	{ "padding first", { IP4(), TCP(.seq = 7, .flags = TH_ACK), DATA(1000) }, 54, 20 },
	{ "padding only", { IP4(), TCP(.seq = 7, .flags = TH_ACK), DATA(900) }, 0, 500 },
	{ "short enough", { IP4(), TCP(.seq = 7, .flags = TH_ACK), DATA(900) }, 0, 0 },
	{ "UDP", { IP4(), UDP(.dport = 53), DATA(1000) }, 0, 0 },
	{ "a fragment", { IP4(.frag = 0x2000), TCP(.seq = 7, .flags = TH_ACK), DATA(1000) }, 0, 0 },
	{ 0 },
};
/* clang-format on */

static uint32_t get(const uint8_t *p, int bytes)
{
	uint32_t v = 0;

	while (bytes--)
		v = v << 8 | *p++;
	return v;
}

/* Length of the IP packet by its header. */
static uint32_t ip_len(const struct pkt *p)
{
	return p->data[p->l3] >> 4 == 4 ? get(p->data + p->l3 + 2, 2) : 40 + get(p->data + p->l3 + 4, 2);
}

/* The sum of the header, its own included, as a plain sum of its words: all ones if it is right. */
static uint32_t header_sum(const struct pkt *p)
{
	uint32_t sum = 0, i;

	for (i = 0; i < 20; i += 2)
		sum += get(p->data + p->l3 + i, 2);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void check_row(const struct segment_row *row)
{
	static struct pkt before, p;
	uint32_t len;

	pkt_build(&before, row->layers);
	p = before;
	memset(p.data + p.len, 0, row->pad);
	len = segment_shorten(p.data, p.len + row->pad, MAX);
	if (!row->cut) {
		assert_memory_equal(p.data, before.data, before.len);
		assert_int_equal(len, before.len + row->pad > MAX && before.len <= MAX ? MAX : 0);
		return;
	}
	assert_int_equal(len, MAX);
	assert_int_equal(ip_len(&before) - ip_len(&p), row->cut);
	assert_int_equal(p.l3 + ip_len(&p), MAX);
	assert_int_equal(get(p.data + p.l4 + 4, 4) - get(before.data + before.l4 + 4, 4), row->cut);
	if (p.data[p.l3] >> 4 == 4)
		assert_int_equal(header_sum(&p), 0xffff);
}

static void test_rows(void **state)
{
	const struct segment_row *row;

	for (row = rows; row->name; row++) {
		print_message("# %s\n", row->name);
		check_row(row);
	}
}

/* Each byte of a header, and each length, may be anything. */
static void test_nonsense(void **state)
{
	static const struct pkt_layer layers[] = { IP4(), TCP(.seq = 7, .flags = TH_ACK), DATA(1000), { 0 } };
	static struct pkt p;
	uint32_t i, v, len;

	pkt_build(&p, layers);
	for (i = 12; i < 54; i++)
		for (v = 0; v < 256; v++) {
			uint8_t *copy = malloc(p.len);	/* as long as said, for the sanitizer */

			memcpy(copy, p.data, p.len);
			copy[i] = v;
			len = segment_shorten(copy, p.len, MAX);
			assert_true(len == 0 || len == MAX);
			free(copy);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_parse.c - the parser, as the kernel runs it
 *
 * One test for each row of the table; another one for the row truncated at every byte; then random packets. A second
 * parser (harness/oracle.c) is the judge where the table says nothing.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include "oracle.h"
#include "rows.h"
#include "run.h"

#define MUTATIONS	200000
#define SEED		20240607
#define ROWS_MAX	500
#define SHORTEST	14	/* the kernel runs no shorter frame: -EINVAL */

static struct run run;
static struct run_out out;
static struct ndiv_cpu cpu;
static struct pkt pkt;

/* Runs a frame, <linear> bytes of it in the first buffer, and has the result judged by the oracle. */
static void check(const char *name, const uint8_t *data, size_t len, size_t linear)
{
	struct ndiv_pkt want;
	const char *bad;
	int err;

	err = linear < len ? run_rx_split(&run, data, len, linear, &out) : run_rx(&run, data, len, &out);
	if (err)
		fail_msg("%s: %zu bytes: test run failed: %d", name, len, err);
	if (out.act != XDP_PASS)
		fail_msg("%s: %zu bytes: action %d", name, len, out.act);
	if (out.len != len || memcmp(out.data, data, len))
		fail_msg("%s: %zu bytes: the packet was changed", name, len);
	run_sum(&run, NDIV_CPU_RX, &cpu);
	oracle_parse(data, linear, len, &want);
	bad = oracle_compare(&cpu.pkt, &want);
	if (!bad)
		bad = oracle_invariants(&cpu.pkt);
	if (bad)
		fail_msg("%s: %zu bytes, %zu linear: %s", name, len, linear, bad);
}

/* A page, less headroom and tailroom: the kernel's first buffer in a test run. */
static size_t linear_len(size_t len)
{
	return len < 3520 ? len : 3520;
}

static void check_row(const struct parse_row *row, const struct ndiv_pkt *got)
{
	uint32_t want = row->flags | (row->reason ? NDIV_F_MALFORMED : 0);
	size_t l4 = pkt.l4 && row->flags & (NDIV_F_IPV4 | NDIV_F_IPV6) ? pkt.l4 : row->l4 ? row->l4 : got->l3;
	size_t payload = got->flags & (NDIV_F_TCP | NDIV_F_UDP) ? pkt.payload : l4;

	if ((got->flags & NDIV_F_PARSED) != want)
		fail_msg("%s: flags %s", row->name, oracle_flags(got->flags));
	if (got->reason != row->reason)
		fail_msg("%s: reason %u and not %u", row->name, got->reason, row->reason);
	if (row->reason)
		return;
	if (row->flags & (NDIV_F_IPV4 | NDIV_F_IPV6) && (got->l3 != pkt.l3 || got->end != pkt.end))
		fail_msg("%s: l3 %u end %u, built %zu %zu", row->name, got->l3, got->end, pkt.l3, pkt.end);
	if (got->l4 != l4 || got->payload != payload)
		fail_msg("%s: l4 %u payload %u, built %zu %zu", row->name, got->l4, got->payload, l4, payload);
	if (got->proto != row->proto)
		fail_msg("%s: proto %u and not %u", row->name, got->proto, row->proto);
}

static void test_row(void **state)
{
	const struct parse_row *row = *state;

	assert_int_equal(run_reset(&run), 0);
	pkt_build(&pkt, row->in);
	check(row->name, pkt.data, pkt.len, linear_len(pkt.len));
	check_row(row, &cpu.pkt);
	/* each packet is counted once, with its reason if it has one */
	if (cpu.seq != 1 || cpu.verdict[0][NDIV_PASS].packets != 1 || cpu.verdict[0][NDIV_PASS].bytes != pkt.len)
		fail_msg("%s: not counted as one passed packet", row->name);
	if (row->reason && cpu.counter[0][row->reason] != 1)
		fail_msg("%s: reason not counted", row->name);
}

/*
 * The frame ends early, and the first buffer ends early: whatever is missing, nothing breaks. Another packet comes
 * before each one, so that nothing of it shows through.
 */
static void test_truncated(void **state)
{
	static const struct pkt_layer before[] = {
		VLAN(.tci = 1), VLAN(.tci = 2), IP6(), EXT(0), TCP(), DATA(9), { 0 }
	};
	const struct parse_row *row = *state;
	static struct pkt other;
	size_t n, full;

	pkt_build(&pkt, row->in);
	pkt_build(&other, before);
	full = linear_len(pkt.len);
	for (n = SHORTEST; n <= full; n++) {
		check(row->name, other.data, other.len, other.len);
		check(row->name, pkt.data, n, n);
		check(row->name, pkt.data, pkt.len, n);
	}
}

/* Frames shorter than an Ethernet header do not come from any driver; the kernel refuses to run them. */
static void test_too_short(void **state)
{
	size_t n;

	for (n = 0; n < SHORTEST; n++)
		if (!run_rx(&run, pkt.data, n, &out))
			fail_msg("%zu bytes: the kernel ran it, so test_truncated() ought to begin here", n);
}

/* A few bytes at random, in the headers more often than not. */
static void mutate(struct pkt *p)
{
	int n = 1 + random() % 4;
	size_t at, bound;

	while (n--) {
		bound = random() % 4 && p->len > 80 ? 80 : p->len;
		at = 12 + random() % (bound - 12);
		p->data[at] = random() % 3 ? random() : p->data[at] ^ 1 << random() % 8;
	}
	/* else the checksum would hide most of what follows it */
	if (p->l3 && random() % 4)
		pkt_resum(p);
	if (!(random() % 4))
		p->len = SHORTEST + random() % (p->len - SHORTEST + 1);
}

static void test_mutations(void **state)
{
	const struct parse_row *row;
	char name[160];
	size_t linear;
	int i;

	srandom(SEED);
	for (i = 0; i < MUTATIONS; i++) {
		row = &parse_rows[random() % parse_row_count];
		pkt_build(&pkt, row->in);
		if (pkt.len > 3000)
			continue;
		mutate(&pkt);
		linear = random() % 8 ? pkt.len : SHORTEST + random() % (pkt.len - SHORTEST + 1);
		snprintf(name, sizeof(name), "mutation %d of \"%s\"", i, row->name);
		check(name, pkt.data, pkt.len, linear);
	}
}

/* Nothing but random bytes, with an EtherType that the parser follows. */
static void test_random(void **state)
{
	static const uint16_t types[] = { 0x0800, 0x86dd, 0x8100, 0x88a8, 0x0800, 0x86dd };
	char name[64];
	size_t i, len;
	int n;

	srandom(SEED + 1);
	for (n = 0; n < MUTATIONS / 10; n++) {
		len = SHORTEST + random() % 200;
		for (i = 0; i < len; i++)
			pkt.data[i] = random();
		put16(pkt.data + 12, types[random() % 6]);
		if (len > SHORTEST)
			pkt.data[14] = random() % 2 ? 0x45 : 0x60;
		snprintf(name, sizeof(name), "random bytes %d", n);
		check(name, pkt.data, len, len);
	}
}

static int open_run(void **state)
{
	return run_open(&run, NULL);
}

static int close_run(void **state)
{
	run_close(&run);
	return 0;
}

int main(void)
{
	static struct CMUnitTest tests[2 * ROWS_MAX + 3];
	static char names[ROWS_MAX][100];
	const struct CMUnitTest last[] = {
		cmocka_unit_test(test_too_short),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_random),
	};
	size_t i, n = 0;
	void *row;

	if (parse_row_count > ROWS_MAX)
		return 1;
	for (i = 0; i < parse_row_count; i++) {
		row = (void *)&parse_rows[i];
		tests[n++] = (struct CMUnitTest){ parse_rows[i].name, test_row, NULL, NULL, row };
		snprintf(names[i], sizeof(names[i]), "%s, truncated", parse_rows[i].name);
		tests[n++] = (struct CMUnitTest){ names[i], test_truncated, NULL, NULL, row };
	}
	memcpy(tests + n, last, sizeof(last));
	return _cmocka_run_group_tests("parse", tests, n + 3, open_run, close_run);
}

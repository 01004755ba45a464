// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_verdict_burst.c - the contract: what becomes of the clones of a burst, which are made at the end of a poll
 */
#include <string.h>
#include <linux/bpf.h>
#include "chain.h"
#include "suite.h"

static struct pkt in, expected;
static struct run_out out, copy;
static struct ndiv_cpu got, want;

/* One packet of a burst, as the builder of the test handlers makes it. */
static void expect_copy(struct pkt *p, int index, size_t len)
{
	const struct pkt_layer layers[] = { BACK_ETH, VLAN(.tci = 10), BACK_IP4(), FROM(T_BURST),
					    FILLED(index, len - 46), BAD_SUM(SUM_NONE), { 0 } };

	pkt_build(p, layers);
}

struct burst_case {
	const char *name;
	int	set;
	enum who who;
	int	count, size, step;
};

static const struct burst_case burst_of_four = { "clones of a burst", 0, BURST, 4, 1200, 50 };

/* Runs the copy program on <from> as often as the kernel would, spare clone included. Returns how many packets it made.
 */
static int run_copies(struct run *r, const struct burst_case *c, const struct run_out *from)
{
	int i, made = 0;

	for (i = 0; i <= c->count; i++) {
		if (run_copy(r, from, &copy))
			fail_msg("%s: copy %d: test run failed", c->name, i);
		if (copy.act == XDP_DROP)
			continue;
		if (copy.act != XDP_PASS || copy.meta)
			fail_msg("%s: copy %d: action %d, %zu bytes of metadata", c->name, i, copy.act, copy.meta);
		if (i >= c->count)
			fail_msg("%s: copy %d is one too many", c->name, i);
		made++;
		expect_copy(&expected, i, c->size - i * c->step);
		must_equal(c->name, copy.data, copy.len, expected.data, expected.len);
	}
	return made;
}

/* The clones of a burst, spare one included; twice, so that the second burst begins to count anew. */
static void test_burst(void **state)
{
	static const struct pkt_layer ask[] = { VLAN(.tci = 10), IP4(), TO(T_BURST), DATA(30), { 0 } };
	const struct burst_case *c = *state;
	const enum who chain[CHAIN_MAX] = { c->who };
	struct run *r = &chain_runs[c->set];
	uint64_t bytes = 0;
	int i, n;

	assert_int_equal(chain_use(r, chain), 0);
	pkt_build(&in, ask);
	for (n = 0; n < 2; n++) {
		assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
		if (out.act != XDP_REDIRECT || out.meta != sizeof(struct ndiv_meta))
			fail_msg("%s: action %d, %zu bytes of metadata", c->name, out.act, out.meta);
		if (run_copies(r, c, &out) != c->count)
			fail_msg("%s: not %d packets", c->name, c->count);
	}
	for (i = 0; i < c->count; i++)
		bytes += 2 * (c->size - i * c->step);
	run_sum(r, NDIV_CPU_RX, &got);
	if (got.sent.packets != 2ULL * c->count || got.sent.bytes != bytes)
		fail_msg("%s: sent %llu packets, %llu bytes", c->name, got.sent.packets, got.sent.bytes);
	if (got.verdict[c->who][NDIV_BURST].packets != 2)
		fail_msg("%s: %llu bursts", c->name, got.verdict[c->who][NDIV_BURST].packets);
}

/* Two bursts of one poll: the packet at hand has changed when their copies are made, all that counts is in the
 * metadata. */
static void test_two_bursts(void **state)
{
	static const struct pkt_layer ask[] = { VLAN(.tci = 10), IP4(), TO(T_BURST), DATA(30), { 0 } };
	const enum who chain[CHAIN_MAX] = { BURST };
	static const struct pkt_layer another[] = { IP6(), TCP(), DATA(60), { 0 } };
	static struct run_out first, second;
	struct run *r = &chain_runs[0];
	static struct pkt other;

	assert_int_equal(chain_use(r, chain), 0);
	pkt_build(&in, ask);
	pkt_build(&other, another);
	assert_int_equal(run_rx(r, in.data, in.len, &first), 0);
	assert_int_equal(run_rx(r, in.data, in.len, &second), 0);
	assert_int_equal(run_rx(r, other.data, other.len, &out), 0);
	assert_int_equal(run_copies(r, &burst_of_four, &first), 4);
	assert_int_equal(run_copies(r, &burst_of_four, &second), 4);
}

/* A builder that refuses some of its packets: these are counted, the others are sent. */
static void test_burst_fails(void **state)
{
	static const struct pkt_layer ask[] = { VLAN(.tci = 10), IP4(), TO(T_BURST), DATA(30), { 0 } };
	/* 200, 140, 80 bytes; the fourth would have 20, which is no packet */
	const struct burst_case failing = { "burst that fails", 1, BURST_FAIL, 3, 200, 60 };
	const enum who chain[CHAIN_MAX] = { BURST_FAIL };
	struct run *r = &chain_runs[1];

	assert_int_equal(chain_use(r, chain), 0);
	pkt_build(&in, ask);
	assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	assert_int_equal(run_copies(r, &failing, &out), 3);
	run_sum(r, NDIV_CPU_RX, &got);
	assert_int_equal(got.reason[CORE][NDIV_R_BUILD], 1);
	assert_int_equal(got.sent.packets, 3);
}

/* A frame that is forwarded to this interface meets the copy program, too: it goes as it is. */
static void test_foreign_copy(void **state)
{
	static const struct pkt_layer frame[] = { IP4(), TO(T_ACCEPT), DATA(30), { 0 } };
	struct run *r = &chain_runs[0];

	pkt_build(&in, frame);
	assert_int_equal(run_reset(r), 0);
	memcpy(out.buf, in.data, in.len);
	out.data = out.buf;
	out.len = in.len;
	out.meta = 0;
	assert_int_equal(run_copy(r, &out, &copy), 0);
	assert_int_equal(copy.act, XDP_PASS);
	must_equal("foreign copy", copy.data, copy.len, in.data, in.len);
	run_sum(r, NDIV_CPU_RX, &got);
	memset(&want, 0, sizeof(want));
	must("foreign copy", chain_differs(&got, &want));
}

/* Where there is no room for metadata, it travels in the frame. */
static void test_no_meta(void **state)
{
	static const struct pkt_layer ask[] = { VLAN(.tci = 10), IP4(), TO(T_BURST), DATA(126), { 0 } };
	const struct burst_case c = { "no room for metadata", 1, BURST_16, 16, 1400, 10 };
	const enum who chain[CHAIN_MAX] = { FULL, BURST_16 };
	struct run *r = &chain_runs[1];

	assert_int_equal(chain_use(r, chain), 0);
	pkt_build(&in, ask);
	assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	run_sum(r, NDIV_CPU_RX, &got);
	memset(&want, 0, sizeof(want));
	want.seq = 1;
	want.verdict[FULL][NDIV_NEXT] = (struct ndiv_count){ 1, in.len - 96 };
	want.verdict[BURST_16][NDIV_BURST] = (struct ndiv_count){ 1, in.len - 96 };
	must("no room for metadata", chain_differs(&got, &want));
	assert_int_equal(out.act, XDP_REDIRECT);
	/* a driver has no metadata, or all of it: none is given to the next test run, which allows less */
	assert_memory_equal(out.data, run_seal, sizeof(run_seal));
	memmove(out.buf, out.data, out.len);
	out.data = out.buf;
	out.meta = 0;
	assert_int_equal(run_copies(r, &c, &out), 16);
}

/* Somebody's packet that looks like it, but for one bit of the seal: it goes as it is. */
static void test_wrong_seal(void **state)
{
	static const struct pkt_layer ask[] = { VLAN(.tci = 10), IP4(), TO(T_BURST), DATA(126), { 0 } };
	const enum who chain[CHAIN_MAX] = { FULL, BURST_16 };
	struct run *r = &chain_runs[1];
	static struct run_out forged;
	size_t byte;

	assert_int_equal(chain_use(r, chain), 0);
	pkt_build(&in, ask);
	assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	for (byte = 0; byte < sizeof(run_seal); byte++) {
		forged.len = out.len;
		forged.data = forged.buf;
		memcpy(forged.buf, out.data, out.len);
		forged.buf[byte] ^= 0x10;
		assert_int_equal(run_copy(r, &forged, &copy), 0);
		assert_int_equal(copy.act, XDP_PASS);
		assert_int_equal(copy.len, forged.len);
		assert_memory_equal(copy.data, forged.data, forged.len);
	}
}

static const struct burst_case bursts[] = {
	{ "clones of a burst of four", 0, BURST, 4, 1200, 50 },
	{ "clones of a burst of one", 1, BURST_1, 1, 1200, 50 },
	{ "clones of a burst of sixteen", 1, BURST_16, 16, 1400, 10 },
	{ "clones of a burst of the longest", 1, BURST_3000, 2, LONGEST, 200 },
};

int main(void)
{
	size_t i;

	for (i = 0; i < COUNT(bursts); i++)
		add(bursts[i].name, test_burst, &bursts[i]);
	add("two bursts of one poll", test_two_bursts, NULL);
	add("a builder that fails", test_burst_fails, NULL);
	add("a frame that is no copy", test_foreign_copy, NULL);
	add("no room for metadata", test_no_meta, NULL);
	add("a wrong seal", test_wrong_seal, NULL);
	return _cmocka_run_group_tests("verdict_burst", suite_tests, suite_count, chain_open, chain_close);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_verdict_queue.c - the contract: what the agent gets of packets that are postponed or repeated
 */
#include <string.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include "chain.h"
#include "suite.h"

static struct pkt in;
static struct run_out out;
static struct ndiv_cpu got;

struct queued {
	int	count;
	struct ndiv_postponed head;
	uint8_t	data[NDIV_POSTPONE_LEN];
	size_t	len;
};

static int take(void *ctx, void *data, size_t len)
{
	struct queued *q = ctx;

	q->count++;
	memcpy(&q->head, data, sizeof(q->head));
	q->len = len - sizeof(q->head);
	memcpy(q->data, (char *)data + sizeof(q->head), q->len);
	return 0;
}

static struct ring_buffer *open_queue(struct run *r, struct queued *q)
{
	struct bpf_map *map = bpf_object__find_map_by_name(r->core, "ndiv_queue");
	struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(map), take, q, NULL);

	assert_non_null(ring);
	ring_buffer__consume(ring);	/* what other tests left */
	q->count = 0;
	return ring;
}

/*
 * Runs <ask> through <chain>, presented again <rounds> times already, with an agent: which gets it once, as it was, to
 * be presented <delay> ns later.
 */
static void ask_queue(const enum who *chain, const struct pkt_layer *ask, int rounds, uint64_t delay)
{
	static struct queued q;
	struct run *r = &chain_runs[1];
	struct ring_buffer *ring = open_queue(r, &q);
	uint64_t before, after;

	assert_int_equal(chain_use(r, chain), 0);
	run_agent(r, 1);
	pkt_build(&in, ask);
	before = run_now();
	assert_int_equal(rounds ? run_again(r, in.data, in.len, rounds, &out) : run_rx(r, in.data, in.len, &out), 0);
	after = run_now();
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	assert_int_equal(q.count, 1);
	assert_int_equal(q.head.rounds, rounds + 1);
	assert_int_equal(q.head.ifindex, 1);
	assert_int_equal(q.head.len, in.len);
	assert_true(q.len >= in.len);
	assert_memory_equal(q.data, in.data, in.len);
	assert_in_range(q.head.due, before + delay, after + delay);
}

static void test_postponed(void **state)
{
	static const struct pkt_layer ask[] = { IP4(), TO(T_POSTPONE), DATA(77), { 0 } };

	ask_queue((enum who[CHAIN_MAX]){ POSTPONE_SLOW }, ask, 3, 1500000000);
	assert_int_equal(out.act, XDP_DROP);
}

/* The copy is as the packet was, whatever became of that afterwards. */
static void test_repeated(void **state)
{
	static const struct pkt_layer ask[] = { IP4(), TO(T_LONG), DATA(77), { 0 } };

	ask_queue((enum who[CHAIN_MAX]){ REPEAT, LONG_3000 }, ask, 0, 700000000);
	assert_int_equal(out.act, XDP_TX);
}

/* More than the queue holds: what does not fit is dropped and counted; each packet is counted once. */
static void test_queue_full(void **state)
{
	static const struct pkt_layer ask[] = { IP4(), TO(T_POSTPONE), DATA(3000), { 0 } };
	const enum who chain[CHAIN_MAX] = { POSTPONE_SLOW };
	static struct queued q;
	struct run *r = &chain_runs[1];
	struct ring_buffer *ring = open_queue(r, &q);
	int i, n = 2000;

	assert_int_equal(chain_use(r, chain), 0);
	run_agent(r, 1);
	pkt_build(&in, ask);
	for (i = 0; i < n; i++)
		assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	run_sum(r, NDIV_CPU_RX, &got);
	assert_true(got.reason[CORE][NDIV_R_POSTPONE_FULL] > 0);
	assert_int_equal(got.reason[CORE][NDIV_R_POSTPONE_FULL], got.verdict[POSTPONE_SLOW][NDIV_DROP].packets);
	assert_int_equal(got.verdict[POSTPONE_SLOW][NDIV_DROP].packets +
			 got.verdict[POSTPONE_SLOW][NDIV_POSTPONE].packets, n);
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	assert_int_equal(q.count, got.verdict[POSTPONE_SLOW][NDIV_POSTPONE].packets);
}

int main(void)
{
	add("postponed", test_postponed, NULL);
	add("repeated", test_repeated, NULL);
	add("more than the queue holds", test_queue_full, NULL);
	return _cmocka_run_group_tests("verdict_queue", suite_tests, suite_count, chain_open, chain_close);
}

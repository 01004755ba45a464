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

/* What the agent gets of a postponed packet, bit by bit. */
static void test_queue(void **state)
{
	static const struct pkt_layer ask[] = { IP4(), TO(T_POSTPONE), DATA(77), { 0 } };
	const enum who chain[CHAIN_MAX] = { POSTPONE_SLOW };
	static struct queued q;
	struct run *r = &chain_runs[1];
	struct ring_buffer *ring = open_queue(r, &q);
	uint64_t before, after;

	assert_int_equal(chain_use(r, chain), 0);
	run_agent(r, 1);
	pkt_build(&in, ask);
	before = run_now();
	assert_int_equal(run_again(r, in.data, in.len, 3, &out), 0);
	after = run_now();
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	assert_int_equal(q.count, 1);
	assert_int_equal(q.head.rounds, 4);
	assert_int_equal(q.head.ifindex, 1);
	assert_int_equal(q.head.len, in.len);
	assert_true(q.len >= in.len);
	assert_memory_equal(q.data, in.data, in.len);
	assert_in_range(q.head.due, before + 1500000000ULL, after + 1500000000ULL);
}

/* What the agent gets of a repeated packet: it as it was, whatever became of it afterwards. */
static void test_copy(void **state)
{
	static const struct pkt_layer ask[] = { IP4(), TO(T_LONG), DATA(77), { 0 } };
	const enum who chain[CHAIN_MAX] = { REPEAT, LONG_3000 };
	static struct queued q;
	struct run *r = &chain_runs[1];
	struct ring_buffer *ring = open_queue(r, &q);
	uint64_t before, after;

	assert_int_equal(chain_use(r, chain), 0);
	run_agent(r, 1);
	pkt_build(&in, ask);
	before = run_now();
	assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	after = run_now();
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	assert_int_equal(out.act, XDP_TX);
	assert_int_equal(q.count, 1);
	assert_int_equal(q.head.rounds, 1);
	assert_int_equal(q.head.len, in.len);
	assert_memory_equal(q.data, in.data, in.len);
	assert_in_range(q.head.due, before + 700000000ULL, after + 700000000ULL);
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

static int open_runs(void **state)
{
	return chain_open();
}

static int close_runs(void **state)
{
	chain_close();
	return 0;
}

int main(void)
{
	add("postponed", test_queue, NULL);
	add("repeated", test_copy, NULL);
	add("more than the queue holds", test_queue_full, NULL);
	return suite_run("verdict_queue", open_runs, close_runs);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * wrap.bpf.c - runs in front of what is measured, so that each repetition of a test run gets a fresh packet
 *
 * A repeated test run keeps what the program wrote. So the frame is restored, length and bytes, and in a random run
 * made a packet of the next flow; then the program to be measured is called. The same wrapper in front of a program
 * that returns at once is what is subtracted: so it must cost the same whatever the last packet looked like when it
 * came out.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>
#include "layout.h"

const volatile struct bench_layout layout SEC(".rodata.layout") = { .len = ETH_HLEN };

__u8 frame[BENCH_FRAME_MAX] SEC(".data.frame") __attribute__((aligned(64))) = { 0 };

/* Which flow is next, and what is written to no end. */
struct {
	__u32	next;
	__u32	fence;
} turn SEC(".data.turn") __attribute__((aligned(64))) = { 0 };

/*
 * The flows are at random, and walked through one by one: so what is measured misses the cache in its own tables,
 * and the walk itself does not.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BENCH_FLOWS);
	__type(key, __u32);
	__type(value, struct bench_flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, BENCH_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} targets SEC(".maps");

/*
 * To the shortest length first: so both adjustments do the same each time, also where the program changed the length.
 * What is added is filled with zeros by the kernel.
 */
static __always_inline int restore(struct xdp_md *ctx)
{
	int now = bpf_xdp_get_buff_len(ctx);

	if (bpf_xdp_adjust_tail(ctx, ETH_HLEN - now) || bpf_xdp_adjust_tail(ctx, layout.len - ETH_HLEN))
		return -1;
	return bpf_xdp_store_bytes(ctx, 0, frame, layout.len);
}

static __always_inline int put(struct xdp_md *ctx, __u32 off, const void *from, __u32 len)
{
	void *p = (void *)(long)ctx->data + off;

	if (!off)
		return 0;
	if (p + len > (void *)(long)ctx->data_end)
		return -1;
	__builtin_memcpy(p, from, len);
	return 0;
}

static __always_inline int put_flow(struct xdp_md *ctx)
{
	__u32 i = turn.next++ & (BENCH_FLOWS - 1);
	struct bench_flow *flow = bpf_map_lookup_elem(&flows, &i);

	if (!flow)
		return -1;
	return put(ctx, layout.addr, &flow->addr, 4) | put(ctx, layout.ack, &flow->ack, 4) |
	       put(ctx, layout.ip_check, &flow->ip_check, 2) | put(ctx, layout.port, &flow->port, 2) |
	       put(ctx, layout.l4_check, &flow->l4_check, 2);
}

/*
 * A real packet was written some time before: wait until the writes have left the CPU's store buffer, else the
 * next program pays for reading too soon in other widths than were written.
 */
static __always_inline int prepare(struct xdp_md *ctx)
{
	if (restore(ctx) || (layout.random && put_flow(ctx)))
		return -1;
	__sync_fetch_and_add(&turn.fence, 1);
	return 0;
}

SEC("xdp.frags")
int wrap_empty(struct xdp_md *ctx)
{
	if (!prepare(ctx))
		bpf_tail_call_static(ctx, &targets, BENCH_EMPTY);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int wrap_subject(struct xdp_md *ctx)
{
	if (!prepare(ctx))
		bpf_tail_call_static(ctx, &targets, BENCH_SUBJECT);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int wrap_bare(struct xdp_md *ctx)
{
	if (!prepare(ctx))
		bpf_tail_call_static(ctx, &targets, BENCH_BARE);
	return XDP_ABORTED;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * gen.bpf.c - the generator, and the sink for what comes back
 *
 * The generator is run by test-run with live frames for the client's end of a lab: what it sends arrives at the
 * server's end as if a driver had received it. The frames are used again and again, as the server left them: they are
 * written anew each time.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>
#include "gen.h"

const volatile struct gen_conf conf SEC(".rodata.conf") = { .len = ETH_HLEN };

__u8 frame[GEN_FRAME_MAX] SEC(".data.frame") __attribute__((aligned(64))) = { 0 };

/* Of the next frame: one CPU sends. */
__u64 number SEC(".data.number") = 0;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gen_count);
} counts SEC(".maps");

static __always_inline int put_number(struct xdp_md *ctx)
{
	__u64 n = number++;
	__u32 cut = conf.mixed ? gen_cut(n, conf.len) : 0;

	if (bpf_xdp_store_bytes(ctx, conf.number, &n, sizeof(n)))
		return -1;
	return cut ? bpf_xdp_adjust_tail(ctx, -(int)cut) : 0;
}

SEC("xdp.frags")
int gen_send(struct xdp_md *ctx)
{
	if (bpf_xdp_store_bytes(ctx, 0, frame, conf.len) || (conf.number && put_number(ctx)))
		return XDP_DROP;
	return XDP_TX;
}

/* Is it the frame with its MAC addresses swapped? All else: see the user side, which looks at one frame. */
static __always_inline int is_back(struct xdp_md *ctx)
{
	__u32 *p = (void *)(long)ctx->data;

	if ((void *)(p + 3) > (void *)(long)ctx->data_end || ctx->data_end - ctx->data != conf.len)
		return 0;
	return p[0] == conf.back[0] && p[1] == conf.back[1] && p[2] == conf.back[2];
}

SEC("xdp.frags")
int gen_sink(struct xdp_md *ctx)
{
	struct gen_count *c;
	__u32 zero = 0;

	c = bpf_map_lookup_elem(&counts, &zero);
	if (!c)
		return XDP_ABORTED;
	if (is_back(ctx))
		c->back++;
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";

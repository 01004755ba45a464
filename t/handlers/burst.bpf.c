// SPDX-License-Identifier: GPL-2.0-only
/*
 * burst: BURST: option "count" different packets for each received
 *
 * Packet i is "size" - i * "step" bytes long.
 */
#include "build.h"

struct burst_config {
	__u16	count;
	__u16	size;
	__u16	step;
};

struct burst_args {
	__u16	step;
};

const volatile struct burst_config config SEC(".rodata.config") = { .count = 4, .size = 1200, .step = 50 };

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "burst",
	.about = "test: answers UDP packets to port 7006 with several",
	.options = {
		{ .name = "count", .help = "packets", .type = NDIV_OPT_U16,
		  .offset = offsetof(struct burst_config, count), .min = 0, .max = 100 },
		{ .name = "size", .help = "bytes of the longest frame", .type = NDIV_OPT_U16,
		  .offset = offsetof(struct burst_config, size), .min = 60, .max = 4000 },
		{ .name = "step", .help = "bytes by which each is shorter than the one before", .type = NDIV_OPT_U16,
		  .offset = offsetof(struct burst_config, step), .max = 200 },
	},
};

static __always_inline enum ndiv_verdict burst_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	struct burst_args *args = ndiv_args(pkt);

	if (!t_udp(ctx, pkt, T_BURST) || !(pkt->flags & NDIV_F_IPV4))
		return NDIV_NEXT;
	args->step = config.step;
	return ndiv_burst(pkt, config.count, config.size);
}

static __always_inline int burst_build(const struct ndiv_frame *frame, struct ndiv_pkt *pkt, __u32 index)
{
	struct burst_args *args = ndiv_args(pkt);
	__u32 len = pkt->out_len - (index & (NDIV_BURST_MAX - 1)) * args->step;

	if (len < 60 || len > 4000)
		return -1;
	return build_packet(frame, pkt, index, len);
}

SEC("xdp.frags")
int burst_rx(struct xdp_md *ctx)
{
	return ndiv_run(ctx, burst_handle, burst_build);
}

SEC("xdp.frags/devmap")
int burst_clone(struct xdp_md *ctx)
{
	return ndiv_run_clone(ctx, burst_build);
}

SEC("tc")
int burst_skb(struct __sk_buff *skb)
{
	return ndiv_run_skb(skb, burst_build);
}

char _license[] SEC("license") = "GPL";

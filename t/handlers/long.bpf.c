// SPDX-License-Identifier: GPL-2.0-only
/*
 * long: REPLY that grows: one packet of option "size" bytes for each received
 */
#include "build.h"

struct long_config {
	__u16	size;
	__u8	refuse;
};

const volatile struct long_config config SEC(".rodata.config") = { .size = 1000 };

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "long",
	.about = "test: answers UDP packets to port 7005 with long ones",
	.options = {
		{ .name = "size", .help = "bytes of the frame", .type = NDIV_OPT_U16,
		  .offset = offsetof(struct long_config, size), .min = 60, .max = 4000 },
		{ .name = "refuse", .help = "the builder fails", .type = NDIV_OPT_BOOL,
		  .offset = offsetof(struct long_config, refuse) },
	},
};

static __always_inline enum ndiv_verdict long_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	if (!t_udp(ctx, pkt, T_LONG) || !(pkt->flags & NDIV_F_IPV4))
		return NDIV_NEXT;
	return ndiv_reply(pkt, config.size);
}

static __always_inline int long_build(const struct ndiv_frame *frame, struct ndiv_pkt *pkt, __u32 index)
{
	return config.refuse ? -1 : build_packet(frame, pkt, index, pkt->out_len);
}

SEC("xdp.frags")
int long_rx(struct xdp_md *ctx)
{
	return ndiv_run(ctx, long_handle, long_build);
}

SEC("xdp.frags/devmap")
int long_clone(struct xdp_md *ctx)
{
	return ndiv_run_clone(ctx, long_build);
}

SEC("tc")
int long_skb(struct __sk_buff *skb)
{
	return ndiv_run_skb(skb, long_build);
}

char _license[] SEC("license") = "GPL";

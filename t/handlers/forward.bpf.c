// SPDX-License-Identifier: GPL-2.0-only
/*
 * forward: FORWARD, to the interface whose index is option "to"
 */
#include "t.h"

struct forward_config {
	__u32	to;
};

const volatile struct forward_config config SEC(".rodata.config") = { .to = 1 };

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "forward",
	.about = "test: forwards UDP packets to port 7008",
	.options = {
		{ .name = "to", .help = "interface index", .type = NDIV_OPT_U32,
		  .offset = offsetof(struct forward_config, to), .min = 1, .max = 0x7fffffff },
	},
};

static __always_inline enum ndiv_verdict forward_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	return t_udp(ctx, pkt, T_FORWARD) ? ndiv_forward(pkt, config.to) : NDIV_NEXT;
}

SEC("xdp.frags")
int forward(struct xdp_md *ctx)
{
	return ndiv_run(ctx, forward_handle, NULL);
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * accept: PASS, unmodified
 */
#include "t.h"

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "accept",
	.about = "test: passes UDP packets to port 7001",
};

static __always_inline enum ndiv_verdict accept_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	return t_udp(ctx, pkt, T_ACCEPT) ? NDIV_PASS : NDIV_NEXT;
}

SEC("xdp.frags")
int accept(struct xdp_md *ctx)
{
	return ndiv_run(ctx, accept_handle, NULL);
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * bad: what is no verdict: the source port of the packet
 */
#include "t.h"

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "bad",
	.about = "test: returns what is no verdict for UDP packets to port 7009",
};

static __always_inline enum ndiv_verdict bad_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	struct udphdr *udp = t_udp(ctx, pkt, T_BAD);

	return udp ? (enum ndiv_verdict)bpf_ntohs(udp->source) : NDIV_NEXT;
}

SEC("xdp.frags")
int bad(struct xdp_md *ctx)
{
	return ndiv_run(ctx, bad_handle, NULL);
}

char _license[] SEC("license") = "GPL";

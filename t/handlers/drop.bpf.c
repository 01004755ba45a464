// SPDX-License-Identifier: GPL-2.0-only
/*
 * drop: DROP, for one of two reasons
 */
#include "t.h"

enum { DROP_EVEN = 1, DROP_ODD = NDIV_REASONS_MAX - 1 };

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "drop",
	.about = "test: drops UDP packets to port 7003",
	.reasons = { [DROP_EVEN] = "even", [DROP_ODD] = "odd" },
};

static __always_inline enum ndiv_verdict drop_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	struct udphdr *udp = t_udp(ctx, pkt, T_DROP);

	if (!udp)
		return NDIV_NEXT;
	return ndiv_drop(pkt, bpf_ntohs(udp->source) & 1 ? DROP_ODD : DROP_EVEN);
}

SEC("xdp.frags")
int drop(struct xdp_md *ctx)
{
	return ndiv_run(ctx, drop_handle, NULL);
}

char _license[] SEC("license") = "GPL";

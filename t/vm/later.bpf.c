// SPDX-License-Identifier: GPL-2.0-only
/*
 * later: POSTPONE, then PASS: what was postponed has to reach the stack, once
 *
 * UDP packets to port 7107, which no handler of t/handlers takes.
 */
#include <ndiv/handler.h>

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "later",
	.about = "test: postpones UDP packets to port 7107 once, then passes them",
};

static __always_inline enum ndiv_verdict later_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	struct udphdr *udp;

	if (!(pkt->flags & NDIV_F_UDP) || pkt->flags & NDIV_F_FRAG)
		return NDIV_NEXT;
	udp = ndiv_ptr(ctx, pkt->l4, sizeof(*udp));
	if (!udp || udp->dest != bpf_htons(7107))
		return NDIV_NEXT;
	return pkt->flags & NDIV_F_AGAIN ? NDIV_PASS : ndiv_postpone(pkt, 0);
}

SEC("xdp.frags")
int later(struct xdp_md *ctx)
{
	return ndiv_run(ctx, later_handle, NULL);
}

char _license[] SEC("license") = "GPL";

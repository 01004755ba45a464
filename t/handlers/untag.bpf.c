// SPDX-License-Identifier: GPL-2.0-only
/*
 * untag: PASS, modified: the outer VLAN tag is removed
 */
#include "t.h"

enum { UNTAG_CANNOT = 1 };

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "untag",
	.about = "test: removes the VLAN tag of UDP packets to port 7002",
	.reasons = { [UNTAG_CANNOT] = "cannot" },
};

static __always_inline enum ndiv_verdict untag_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	__u8 macs[12], *p;

	if (!(pkt->flags & NDIV_F_VLAN1) || !t_udp(ctx, pkt, T_UNTAG))
		return NDIV_NEXT;
	p = ndiv_ptr(ctx, 0, sizeof(macs));
	if (!p)
		return ndiv_drop(pkt, UNTAG_CANNOT);
	__builtin_memcpy(macs, p, sizeof(macs));
	if (bpf_xdp_adjust_head(ctx, 4))
		return ndiv_drop(pkt, UNTAG_CANNOT);
	p = ndiv_ptr(ctx, 0, sizeof(macs));
	if (!p)
		return ndiv_drop(pkt, UNTAG_CANNOT);
	__builtin_memcpy(p, macs, sizeof(macs));
	return NDIV_PASS;
}

SEC("xdp.frags")
int untag(struct xdp_md *ctx)
{
	return ndiv_run(ctx, untag_handle, NULL);
}

char _license[] SEC("license") = "GPL";

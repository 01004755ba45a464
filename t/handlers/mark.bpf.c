// SPDX-License-Identifier: GPL-2.0-only
/*
 * mark: NEXT, after it has written its id into the packet: byte 0 counts who was there, bytes 1... are who
 */
#include "t.h"

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "mark",
	.about = "test: signs UDP packets to port 7010",
};

static __always_inline enum ndiv_verdict mark_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	__u8 *p;

	if (!t_udp(ctx, pkt, T_MARK))
		return NDIV_NEXT;
	p = ndiv_ptr(ctx, pkt->payload, 1);
	if (!p)
		return NDIV_NEXT;
	*p += 1;
	p = ndiv_ptr(ctx, pkt->payload + *p, 1);
	if (p)
		*p = ndiv_self.id;
	return NDIV_NEXT;
}

SEC("xdp.frags")
int mark(struct xdp_md *ctx)
{
	return ndiv_run(ctx, mark_handle, NULL);
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * full: takes all that the kernel allows for metadata, and asks the next handler
 *
 * The kernel allows more than there is room for in front of a frame of a test run. So the first 96 bytes of the frame
 * are given up: its headers move that far, over the payload.
 */
#include "t.h"

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "full",
	.about = "test: leaves no room for metadata",
};

#define FORWARDS	96

/* A tagged Ethernet header, one of IPv4, and one of UDP. */
struct headers {
	__u8 bytes[46];
};

static __always_inline enum ndiv_verdict full_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	struct headers *from = ndiv_ptr(ctx, 0, sizeof(*from)), *to = ndiv_ptr(ctx, FORWARDS, sizeof(*to));
	int i;

	if (!from || !to)
		return NDIV_PASS;
	*to = *from;
	if (bpf_xdp_adjust_head(ctx, FORWARDS))
		return NDIV_PASS;
	pkt->len -= FORWARDS;
	for (i = 0; i < 64; i++)
		if (bpf_xdp_adjust_meta(ctx, -4))
			break;
	return NDIV_NEXT;
}

SEC("xdp.frags")
int full(struct xdp_md *ctx)
{
	return ndiv_run(ctx, full_handle, NULL);
}

char _license[] SEC("license") = "GPL";

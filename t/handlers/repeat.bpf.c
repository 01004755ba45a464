// SPDX-License-Identifier: GPL-2.0-only
/*
 * repeat: REPEAT: what comes for the first time goes on, and a copy of it comes after it
 */
#include "t.h"

struct repeat_config {
	__u16	port;
	__u16	delay;
};

enum { REPEAT_FIRST, REPEAT_AGAIN };	/* counters */

const volatile struct repeat_config config SEC(".rodata.config") = { .port = T_REPLY };

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "repeat",
	.about = "test: doubles UDP packets to one port",
	.counters = { [REPEAT_FIRST] = "first", [REPEAT_AGAIN] = "again" },
	.options = {
		{ .name = "port", .help = "which", .type = NDIV_OPT_U16,
		  .offset = offsetof(struct repeat_config, port), .min = 1, .max = 65535 },
		{ .name = "delay", .help = "ms", .type = NDIV_OPT_U16,
		  .offset = offsetof(struct repeat_config, delay), .max = NDIV_DELAY_MAX },
	},
};

static __always_inline enum ndiv_verdict repeat_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	if (!t_udp(ctx, pkt, config.port))
		return NDIV_NEXT;
	ndiv_count(pkt, pkt->flags & NDIV_F_AGAIN ? REPEAT_AGAIN : REPEAT_FIRST);
	return pkt->flags & NDIV_F_AGAIN ? NDIV_NEXT : ndiv_repeat(pkt, config.delay);
}

SEC("xdp.frags")
int repeat_rx(struct xdp_md *ctx)
{
	return ndiv_run(ctx, repeat_handle, NULL);
}

char _license[] SEC("license") = "GPL";

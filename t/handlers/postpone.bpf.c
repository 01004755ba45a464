// SPDX-License-Identifier: GPL-2.0-only
/*
 * postpone: POSTPONE, option "rounds" times by "delay" ms; then the packet comes back, its first byte the rounds it
 * made
 */
#include "t.h"
#include <ndiv/rewrite.h>

struct postpone_config {
	__u32	delay;
	__u16	rounds;
};

enum { POSTPONE_FIRST, POSTPONE_AGAIN };	/* counters */

const volatile struct postpone_config config SEC(".rodata.config") = { .delay = 0, .rounds = 1 };

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "postpone",
	.about = "test: postpones UDP packets to port 7007",
	.counters = { [POSTPONE_FIRST] = "first", [POSTPONE_AGAIN] = "again" },
	.options = {
		{ .name = "delay", .help = "ms", .type = NDIV_OPT_U32,
		  .offset = offsetof(struct postpone_config, delay), .max = NDIV_DELAY_MAX },
		{ .name = "rounds", .help = "how often", .type = NDIV_OPT_U16,
		  .offset = offsetof(struct postpone_config, rounds), .min = 1, .max = 100 },
	},
};

static __always_inline enum ndiv_verdict postpone_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	struct udphdr *udp = t_udp(ctx, pkt, T_POSTPONE);
	__u8 *first;

	if (!udp)
		return NDIV_NEXT;
	ndiv_count(pkt, pkt->flags & NDIV_F_AGAIN ? POSTPONE_AGAIN : POSTPONE_FIRST);
	if (pkt->rounds < config.rounds)
		return ndiv_postpone(pkt, config.delay);
	if (ndiv_turn_round(ctx, pkt))
		return NDIV_NEXT;
	ndiv_swap_ports(udp);
	udp->check = 0;
	first = ndiv_ptr(ctx, pkt->payload, 1);
	if (first)
		*first = '0' + pkt->rounds;
	return NDIV_REPLY;
}

SEC("xdp.frags")
int postpone_rx(struct xdp_md *ctx)
{
	return ndiv_run(ctx, postpone_handle, NULL);
}

char _license[] SEC("license") = "GPL";

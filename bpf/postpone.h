/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * postpone.h - "present it again later"
 *
 * XDP cannot leave a packet in the receive ring. It is copied to the agent, which presents it again to the whole chain
 * when it is due. Bounded in length, rounds and number; without an agent there is no later, so it is dropped.
 */
#ifndef NDIV_POSTPONE_H
#define NDIV_POSTPONE_H

#include "maps.h"

/* 0, or the reason why the packet is dropped for good. */
static __always_inline int postpone(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 len = pkt->len, zero = 0;
	struct ndiv_scratch *s;

	if (ndiv_conf.agent_until < now)
		return NDIV_R_NO_AGENT;
	if (pkt->rounds >= NDIV_POSTPONE_ROUNDS)
		return NDIV_R_POSTPONE_ROUNDS;
	if (len > NDIV_POSTPONE_LEN || ndiv_is_zero(&len))
		return NDIV_R_POSTPONE_LONG;
	s = bpf_map_lookup_elem(&ndiv_scratch, &zero);
	if (!s)
		return NDIV_R_CHAIN;
	s->head.due = now + (pkt->param < NDIV_DELAY_MAX ? pkt->param : NDIV_DELAY_MAX) * 1000000ULL;
	s->head.ifindex = ndiv_self.ifindex;
	s->head.queue = ctx->rx_queue_index;
	s->head.len = len;
	s->head.rounds = pkt->rounds + 1;
	if (bpf_xdp_load_bytes(ctx, 0, s->data, len))
		return NDIV_R_POSTPONE_LONG;
	if (bpf_ringbuf_output(&ndiv_queue, s, sizeof(s->head) + len, 0))
		return NDIV_R_POSTPONE_FULL;
	return 0;
}

#endif

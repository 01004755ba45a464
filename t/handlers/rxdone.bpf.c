// SPDX-License-Identifier: GPL-2.0-only
/*
 * rxdone: rx_done: counts batches, and the packets of each; the sums must be equal
 */
#include "t.h"
#include <ndiv/rx_done.h>

enum { DONE_SEEN, DONE_BATCHES, DONE_PACKETS, DONE_EMPTY };	/* counters */

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "rxdone",
	.about = "test: counts receive batches",
	.counters = { [DONE_SEEN] = "seen", [DONE_BATCHES] = "batches", [DONE_PACKETS] = "packets",
		      [DONE_EMPTY] = "empty" },
};

static __always_inline enum ndiv_verdict rxdone_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	ndiv_count(pkt, DONE_SEEN);
	return NDIV_NEXT;
}

static __always_inline void rxdone_batch(struct ndiv_pkt *pkt, __u32 batch)
{
	struct ndiv_cpu *cpu = (struct ndiv_cpu *)pkt;

	ndiv_count(pkt, batch ? DONE_BATCHES : DONE_EMPTY);
	cpu->counter[ndiv_self.id & (NDIV_HANDLERS_MAX - 1)][DONE_PACKETS] += batch;
}

SEC("xdp.frags")
int rxdone(struct xdp_md *ctx)
{
	return ndiv_run(ctx, rxdone_handle, NULL);
}

SEC("tp_btf/napi_poll")
int BPF_PROG(rxdone_rx_done, struct napi_struct *napi, int work, int budget)
{
	ndiv_run_rx_done(rxdone_batch);
	return 0;
}

char _license[] SEC("license") = "GPL";

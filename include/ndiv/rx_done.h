/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * rx_done.h - the end of a receive batch
 *
 * A handler may have a program that is called once at the end of each NAPI poll that brought packets to its interface,
 * on the CPU that handled them:
 *
 *	static __always_inline void hello_done(struct ndiv_pkt *pkt, __u32 batch) { ... }
 *
 *	SEC("tp_btf/napi_poll")
 *	int BPF_PROG(hello_rx_done, struct napi_struct *napi, int work, int budget)
 *	{
 *		ndiv_run_rx_done(hello_done);
 *		return 0;
 *	}
 *
 * <batch> is the number of packets since the last call. <pkt> serves for ndiv_count() only: there is no packet.
 */
#ifndef NDIV_RX_DONE_H
#define NDIV_RX_DONE_H

#include <ndiv/handler.h>
#include <bpf/bpf_tracing.h>

struct napi_struct;

typedef void ndiv_done_fn(struct ndiv_pkt *pkt, __u32 batch);

/*
 * The tracepoint fires for every poll of every device. No device is looked at: a poll during which this interface's
 * counter did not move on this CPU was not one of its polls.
 */
static __always_inline void ndiv_run_rx_done(ndiv_done_fn *done)
{
	__u32 id = ndiv_self.id & (NDIV_HANDLERS_MAX - 1);
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);
	__u64 batch;

	if (!cpu)
		return;
	batch = cpu->seq - cpu->done[id];
	if (!batch)
		return;
	cpu->done[id] = cpu->seq;
	done(&cpu->pkt, batch);
}

#endif

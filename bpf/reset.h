/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reset.h - sets the counters of one handler id to 0, on the CPU it is run on
 *
 * User space cannot: writing a per-CPU value whole would overwrite the packet at hand. The id is not in the chain when
 * this is run, so nothing counts at the same time.
 */
#ifndef NDIV_RESET_H
#define NDIV_RESET_H

#include "maps.h"

SEC("raw_tp")
int ndiv_reset(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 id = ctx->args[0] & (NDIV_HANDLERS_MAX - 1), key;
	struct ndiv_cpu *cpu;

	for (key = 0; key < NDIV_CPU_COUNT; key++) {
		cpu = ndiv_cpu(key);
		if (!cpu)
			return 0;
		__builtin_memset(cpu->verdict[id], 0, sizeof(cpu->verdict[0]));
		__builtin_memset(cpu->reason[id], 0, sizeof(cpu->reason[0]));
		__builtin_memset(cpu->counter[id], 0, sizeof(cpu->counter[0]));
		__builtin_memset(&cpu->cost[id], 0, sizeof(cpu->cost[0]));
		cpu->done[id] = cpu->seq;
	}
	return 0;
}

#endif

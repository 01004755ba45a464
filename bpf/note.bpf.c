// SPDX-License-Identifier: GPL-2.0-only
/*
 * note.bpf.c - a tap at the verdict for test runs: notes what became of the packet where user space has it mapped
 */
#include <ndiv/handler.h>

char _license[] SEC("license") = "GPL";

volatile struct ndiv_note ndiv_note SEC(".data.note") = { 0 };

SEC("xdp.frags")
int ndiv_note_pkt(struct xdp_md *ctx)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);

	if (!cpu)
		return XDP_ABORTED;
	ndiv_note.outcome = cpu->pkt.outcome;
	ndiv_note.rule = cpu->pkt.rule;
	return cpu->pkt.outcome >> 16;
}

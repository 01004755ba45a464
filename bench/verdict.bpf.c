// SPDX-License-Identifier: GPL-2.0-only
/*
 * verdict.bpf.c - the handler that costs nothing: gives the same verdict on every packet
 */
#include <ndiv/handler.h>
#include <ndiv/rewrite.h>

struct verdict_config {
	__u8	verdict;	/* enum verdict_choice */
};

enum verdict_choice { VERDICT_NEXT, VERDICT_PASS, VERDICT_DROP, VERDICT_REPLY };

enum { VERDICT_ALL = 1 };	/* drop reasons */

const volatile struct verdict_config config SEC(".rodata.config") = { 0 };

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "verdict",
	.about = "benchmark: gives all packets one verdict",
	.reasons = { [VERDICT_ALL] = "all" },
	.options = {
		{ .name = "verdict", .help = "what to do with the packets", .choices = "next,pass,drop,reply",
		  .type = NDIV_OPT_CHOICE, .offset = offsetof(struct verdict_config, verdict) },
	},
};

static __always_inline enum ndiv_verdict verdict_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	struct ethhdr *eth;

	switch (config.verdict) {
	case VERDICT_PASS:
		return NDIV_PASS;
	case VERDICT_DROP:
		return ndiv_drop(pkt, VERDICT_ALL);
	case VERDICT_REPLY:
		eth = ndiv_ptr(ctx, 0, sizeof(*eth));
		if (!eth)
			return NDIV_PASS;
		ndiv_swap_eth(eth);
		return NDIV_REPLY;
	}
	return NDIV_NEXT;
}

SEC("xdp.frags")
int verdict(struct xdp_md *ctx)
{
	return ndiv_run(ctx, verdict_handle, NULL);
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * reply: REPLY, edited in place: the packet comes back, with option "tag" in its first byte
 */
#include "t.h"
#include <ndiv/rewrite.h>

struct reply_config {
	__u16	tag;
};

enum { REPLY_SUM = 1, REPLY_PRESSURE };

const volatile struct reply_config config SEC(".rodata.config") = { .tag = '0' };

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "reply",
	.about = "test: sends UDP packets to port 7004 back",
	.reasons = { [REPLY_SUM] = "checksum", [REPLY_PRESSURE] = "pressure" },
	.options = {
		{ .name = "tag", .help = "first byte of the reply", .type = NDIV_OPT_U16,
		  .offset = offsetof(struct reply_config, tag), .min = 0, .max = 255 },
	},
};

static __always_inline enum ndiv_verdict reply_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	struct udphdr *udp = t_udp(ctx, pkt, T_REPLY);
	__be16 *word;
	__be16 old;

	if (!udp)
		return NDIV_NEXT;
	if (!ndiv_l4_verify(ctx, pkt))
		return ndiv_drop(pkt, REPLY_SUM);
	if (!ndiv_can_reply(pkt))
		return ndiv_drop(pkt, REPLY_PRESSURE);
	if (ndiv_turn_round(ctx, pkt))
		return NDIV_NEXT;
	ndiv_swap_ports(udp);
	word = ndiv_ptr(ctx, pkt->payload, sizeof(*word));
	if (word && pkt->payload + sizeof(*word) <= pkt->end) {
		old = *word;
		*(__u8 *)word = config.tag;
		if (udp->check)
			udp->check = ndiv_csum_replace2(udp->check, old, *word);
	}
	return NDIV_REPLY;
}

SEC("xdp.frags")
int reply(struct xdp_md *ctx)
{
	return ndiv_run(ctx, reply_handle, NULL);
}

char _license[] SEC("license") = "GPL";

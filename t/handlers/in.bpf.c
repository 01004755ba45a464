// SPDX-License-Identifier: GPL-2.0-only
/*
 * in.bpf.c - a handler at tc ingress: counts UDP to T_IN and T_IN_DROP, and drops the latter
 */
#include <ndiv/handler.h>
#include <ndiv/in.h>
#include "t.h"

enum { IN_SEEN };
enum { IN_R_PORT = 1 };

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "in",
	.about = "drops UDP to a port at tc ingress",
	.counters = { [IN_SEEN] = "seen" },
	.reasons = { [IN_R_PORT] = "port" },
};

static __always_inline enum ndiv_verdict in_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	return NDIV_NEXT;
}

static __always_inline enum ndiv_verdict in_arrived(struct __sk_buff *skb, struct ndiv_pkt *pkt)
{
	const struct udphdr *udp = ndiv_skb_ptr(skb, pkt->l4, sizeof(*udp));

	if (!(pkt->flags & NDIV_F_UDP) || !udp)
		return NDIV_NEXT;
	if (udp->dest != bpf_htons(T_IN) && udp->dest != bpf_htons(T_IN_DROP))
		return NDIV_NEXT;
	ndiv_count(pkt, IN_SEEN);
	return udp->dest == bpf_htons(T_IN_DROP) ? ndiv_drop(pkt, IN_R_PORT) : NDIV_PASS;
}

SEC("xdp.frags")
int in(struct xdp_md *ctx)
{
	return ndiv_run(ctx, in_handle, NULL);
}

SEC("tc")
int t_in(struct __sk_buff *skb)
{
	return ndiv_run_in(skb, in_arrived);
}

char _license[] SEC("license") = "GPL";

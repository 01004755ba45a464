// SPDX-License-Identifier: GPL-2.0-only
/*
 * tx: the transmit path: drops UDP packets to port 7011, learns from those to port 7012, and has a receive path that
 * knows what was learned: it drops what comes back from where nothing was sent to
 */
#include "t.h"
#include <ndiv/tx.h>

enum { TX_DROPPED = 1, TX_UNKNOWN };		/* reasons */
enum { TX_LEARNED, TX_KNOWN, TX_SEEN };		/* counters */

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "tx",
	.about = "test: drops and learns on the transmit path",
	.reasons = { [TX_DROPPED] = "port", [TX_UNKNOWN] = "unknown" },
	.counters = { [TX_LEARNED] = "learned", [TX_KNOWN] = "known", [TX_SEEN] = "seen" },
};

/* The IPv4 address that the last packet to port T_LEARN was sent to. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} tx_learned SEC(".maps");

static __always_inline enum ndiv_verdict tx_sent(struct __sk_buff *skb, struct ndiv_pkt *pkt)
{
	struct udphdr *udp = ndiv_tx_ptr(skb, pkt->l4, sizeof(*udp));
	struct iphdr *ip = ndiv_tx_ptr(skb, pkt->l3, sizeof(*ip));
	__u32 zero = 0, *learned;

	ndiv_count(pkt, TX_SEEN);
	if (!(pkt->flags & NDIV_F_UDP) || !udp || !ip)
		return NDIV_NEXT;
	if (udp->dest == bpf_htons(T_TX))
		return ndiv_drop(pkt, TX_DROPPED);
	if (udp->dest != bpf_htons(T_LEARN) || !(pkt->flags & NDIV_F_IPV4))
		return NDIV_NEXT;
	learned = bpf_map_lookup_elem(&tx_learned, &zero);
	if (learned)
		*learned = ip->daddr;
	ndiv_count(pkt, TX_LEARNED);
	return NDIV_PASS;
}

static __always_inline enum ndiv_verdict tx_received(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	struct udphdr *udp = ndiv_ptr(ctx, pkt->l4, sizeof(*udp));
	struct iphdr *ip = ndiv_ptr(ctx, pkt->l3, sizeof(*ip));
	__u32 zero = 0, *learned;

	if ((pkt->flags & (NDIV_F_UDP | NDIV_F_IPV4)) != (NDIV_F_UDP | NDIV_F_IPV4) || !udp || !ip)
		return NDIV_NEXT;
	if (udp->source != bpf_htons(T_LEARN))
		return NDIV_NEXT;
	learned = bpf_map_lookup_elem(&tx_learned, &zero);
	if (!learned || *learned != ip->saddr)
		return ndiv_drop(pkt, TX_UNKNOWN);
	ndiv_count(pkt, TX_KNOWN);
	return NDIV_NEXT;
}

SEC("xdp.frags")
int tx_rx(struct xdp_md *ctx)
{
	return ndiv_run(ctx, tx_received, NULL);
}

SEC("tc")
int tx_tx(struct __sk_buff *skb)
{
	return ndiv_run_tx(skb, tx_sent);
}

char _license[] SEC("license") = "GPL";

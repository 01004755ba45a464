/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hints.h - what the card knows about a packet: hash, timestamp, removed VLAN tag
 *
 * By the kernel's XDP metadata kfuncs (6.3, VLAN tag 6.8), for the drivers that have them. Each is optional.
 */
#ifndef NDIV_HINTS_H
#define NDIV_HINTS_H

#include <ndiv/handler.h>

enum xdp_rss_hash_type {
	XDP_RSS_TYPE_NONE = 0,
};

extern int bpf_xdp_metadata_rx_timestamp(const struct xdp_md *ctx, __u64 *timestamp) __ksym __weak;
extern int bpf_xdp_metadata_rx_hash(const struct xdp_md *ctx, __u32 *hash, enum xdp_rss_hash_type *type) __ksym __weak;
extern int bpf_xdp_metadata_rx_vlan_tag(const struct xdp_md *ctx, __be16 *proto, __u16 *tci) __ksym __weak;

/* Fills the hw fields of <pkt>; returns the flags of those that are valid. */
static __always_inline __u32 hints(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	enum xdp_rss_hash_type type = XDP_RSS_TYPE_NONE;
	__u32 flags = 0, hash = 0;
	__be16 proto = 0;
	__u64 stamp = 0;
	__u16 tci = 0;

	if (bpf_xdp_metadata_rx_hash && !bpf_xdp_metadata_rx_hash(ctx, &hash, &type)) {
		pkt->hw_hash = hash;
		pkt->hw_hash_type = type;
		flags |= NDIV_F_HW_HASH;
	}
	/* veth, where it has an skb, tells the time of one that has none: 0 */
	if (bpf_xdp_metadata_rx_timestamp && !bpf_xdp_metadata_rx_timestamp(ctx, &stamp) && stamp) {
		pkt->hw_tstamp = stamp;
		flags |= NDIV_F_HW_TSTAMP;
	}
	if (bpf_xdp_metadata_rx_vlan_tag && !bpf_xdp_metadata_rx_vlan_tag(ctx, &proto, &tci)) {
		pkt->hw_vlan = tci;
		pkt->hw_vlan_proto = proto;
		flags |= NDIV_F_HW_VLAN;
	}
	return flags;
}

#endif

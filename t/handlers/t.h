/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t.h - what the test handlers and their tests share
 *
 * Each handler shows one row of the contract. It takes UDP packets to a port of its own and leaves the rest to the next
 * handler, so that it can run on a live interface, and all of them in one chain.
 */
#ifndef T_HANDLERS_H
#define T_HANDLERS_H

enum t_port {
	T_ACCEPT	= 7001,
	T_UNTAG		= 7002,
	T_DROP		= 7003,
	T_REPLY		= 7004,
	T_LONG		= 7005,
	T_BURST		= 7006,
	T_POSTPONE	= 7007,
	T_FORWARD	= 7008,
	T_BAD		= 7009,
	T_MARK		= 7010,
	T_TX		= 7011,
	T_LEARN		= 7012,
	T_IN		= 7013,
	T_IN_DROP	= 7014,
};

#ifdef __bpf__
#include <ndiv/handler.h>

/* The UDP header of a packet to <port>, or NULL. Never one of a fragment. */
static __always_inline struct udphdr *t_udp(struct xdp_md *ctx, const struct ndiv_pkt *pkt, __u16 port)
{
	struct udphdr *udp;

	if (!(pkt->flags & NDIV_F_UDP) || pkt->flags & NDIV_F_FRAG)
		return NULL;
	udp = ndiv_ptr(ctx, pkt->l4, sizeof(*udp));
	return udp && udp->dest == bpf_htons(port) ? udp : NULL;
}
#endif

/* Byte <i> of the payload of packet <index>, as "long" and "burst" make it. */
#define T_FILL(index, i)	('A' + ((index) + (i)) % 16)

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * neigh.h - what ARP and neighbour discovery have in common: options, counters, who is asked for and by whom
 */
#ifndef NEIGH_H
#define NEIGH_H

#include <ndiv/handler.h>
#include <ndiv/addr.h>
#include <ndiv/prefix.h>

struct neigh_config {
	__u32	rate;
	__u32	burst;
	__u8	over;		/* enum neigh_over */
	__u8	pad[3];
	struct ndiv_prefixes addr;
	struct ndiv_prefixes except;
};

enum neigh_over { NEIGH_OVER_DROP, NEIGH_OVER_PASS };

enum neigh_counter {
	NEIGH_ARP = 0,		/* answered */
	NEIGH_ARP_PROBE,
	NEIGH_NS,
	NEIGH_DAD,
	NEIGH_MALFORMED,	/* not answered: these are above 0, which stands for "nothing against it" */
	NEIGH_HOP_LIMIT,
	NEIGH_BAD_CHECKSUM,
	NEIGH_FRAGMENT,
	NEIGH_OPTIONS,
	NEIGH_NOT_MINE,
	NEIGH_CLAIMED,
	NEIGH_OTHER_SENDER,
	NEIGH_NO_VLAN,
	NEIGH_BUFFERS,
	NEIGH_TX_FULL,
	NEIGH_RATE_PASSED,
};

enum neigh_reason {
	NEIGH_RATE = 1,
};

const volatile struct neigh_config config SEC(".rodata.config") = { .rate = 10000 };

/* No prefix is no address here: whoever has none to simulate must not answer for all. */
static __always_inline int is_simulated4(__be32 addr)
{
	if (ndiv_prefixes_empty(&config.addr) || !ndiv_is_host4(addr) || !ndiv_prefixes_have4(&config.addr, addr))
		return 0;
	return ndiv_prefixes_empty(&config.except) || !ndiv_prefixes_have4(&config.except, addr);
}

static __always_inline int is_simulated6(const struct in6_addr *addr)
{
	if (ndiv_prefixes_empty(&config.addr) || !ndiv_is_host6(addr) || !ndiv_prefixes_have6(&config.addr, addr))
		return 0;
	return ndiv_prefixes_empty(&config.except) || !ndiv_prefixes_have6(&config.except, addr);
}

static __always_inline int is_same_mac(const void *a, const void *b)
{
	const __u16 *x = a, *y = b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]));
}

/* The interface's, which is read as what it is: for the compiler, a constant that is not volatile is 0. */
static __always_inline void my_mac(void *mac)
{
	const volatile __u16 *from = (const volatile __u16 *)ndiv_self.mac;
	__u16 *to = mac;

	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
}

static __always_inline int is_my_mac(const void *mac)
{
	__u16 mine[3];

	my_mac(mine);
	return is_same_mac(mac, mine);
}

/* Sent by one other machine? Our own frame may come back where the wire has a loop. */
static __always_inline int is_from_host(const struct ethhdr *eth)
{
	return !(eth->h_source[0] & 1) && !is_my_mac(eth->h_source);
}

/* The frame goes back to whom it came from, and to nobody else. */
static __always_inline void turn_eth(struct ethhdr *eth)
{
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	my_mac(eth->h_source);
}

#endif

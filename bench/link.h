/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * link.h - what the kernel knows about an interface of the current network namespace
 */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include <stdint.h>

struct link {
	uint32_t ifindex;
	uint32_t peer;		/* ifindex of the other end of a pair, in its namespace */
	int	away;		/* which is another one */
	uint32_t mtu;
	uint32_t prog;		/* id of its XDP program, 0 if there is none */
	char	kind[16];	/* "veth" ... or "" */
	char	alias[64];	/* or "" */
	uint8_t	mac[6];
	uint64_t rx_packets;
};

/* 0, or -errno. */
int link_get(const char *name, struct link *l);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pcapng.h - a strict reader of pcapng, by the draft, that shares nothing with the code under test
 *
 * It takes what ndiv may write and nothing else: each length, each pad byte, the order of blocks and options, known
 * options with their lengths. One section in the order of bytes of this machine.
 */
#ifndef T_PCAPNG_H
#define T_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

#define NG_INTERFACES	8
#define NG_TEXT		80

struct ng_interface {
	uint32_t snaplen;
	char	name[NG_TEXT];
	uint64_t packets;
	uint64_t told;			/* losses, by the packets' options */
	int	stats;			/* blocks of statistics, and what the last one said: */
	uint64_t received, accepted, dropped, delivered;
};

struct ng_packet {
	uint32_t interface, captured, original;
	uint64_t time;			/* ns */
	const uint8_t *data;
	uint32_t flags, queue;		/* ~0: no such option */
	uint64_t id, lost;		/* 0: likewise */
	int	xdp;			/* action of the verdict; -1: none */
	char	comment[NG_TEXT];
};

typedef int ng_packet_fn(const struct ng_packet *p, void *arg);

struct ng {
	int	has_section;
	uint32_t count;			/* of interfaces */
	struct ng_interface interface[NG_INTERFACES];
	uint64_t packets;
	uint64_t skipped;		/* of each interface, by sampling; for the caller */
	uint64_t time;			/* of the last packet */
	int	unordered;		/* a packet was older than the one before */
	ng_packet_fn *fn;		/* called for each packet; other than 0: a fault */
	void	*arg;
	char	fault[160];		/* what is wrong, and where */
};

/* Reads whole blocks, as many as there are; can be called again with what follows. 0, or -1 and ng->fault. */
int ng_read(struct ng *ng, const void *data, size_t len);

#endif

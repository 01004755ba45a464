/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * peer.h - the web servers that are compared, at the server's end of a lab: httpd of ndiv, nginx, haproxy
 *
 * All of them serve objects of the sizes below from memory, as their manuals tell to do it with the least work, without
 * a log, in one thread.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdint.h>
#include <sys/types.h>
#include "ends.h"

enum peer {
	PEER_NDIV,
	PEER_NGINX,
	PEER_HAPROXY,
	PEERS,
};

#define PEER_PORT	8000
#define PEER_SIZES	2

extern const uint32_t peer_sizes[PEER_SIZES];

struct peer_run {
	pid_t	pid;		/* 0: it is no process */
	struct ndiv *nd;
	char	dir[64];	/* its files */
};

/*
 * Starts <which> on <cpu>, and waits until it answers. 0, or below 0 and a message; call peer_stop() in either case.
 */
int peer_start(struct peer_run *p, enum peer which, struct ends *e, int cpu);
void peer_stop(struct peer_run *p, struct ends *e);

/* CPU time so far of the server's process, in ns: 0 for ndiv, which has none. */
uint64_t peer_ns(const struct peer_run *p);

/* Prepares a child that was forked: in the namespace of <end>, on <cpu>, with the usual priority; it ends with us. */
int child_begin(const struct ends *e, enum end end, int cpu);

/* Ends a child by <signal>, and waits for it. */
void child_end(pid_t pid, int signal);

#endif

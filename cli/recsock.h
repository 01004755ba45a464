/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recsock.h - how `ndiv capture save` tells a recorder to save: a socket of the network namespace, for each interface
 *
 * One line there, one line back. Its name is in no file system, so that it goes with the process.
 */
#ifndef NDIV_RECSOCK_H
#define NDIV_RECSOCK_H

#include <stddef.h>
#include <stdint.h>

#define RECSOCK_LINE 4352 /* a path, and some words */

/* The recorder's end. A descriptor to poll for POLLIN, or -errno; -EADDRINUSE: there is one. */
int recsock_listen(unsigned int ifindex);

/*
 * Somebody who calls: a descriptor to answer, and in <*ms> of how long the packets are to be, below 0: nothing was said
 * about that. -errno if nothing came of it; only root and who the recorder runs as may call.
 */
int recsock_accept(int fd, int64_t *ms);

/* Answers, and hangs up. <failed>: the exit status. */
void recsock_answer(int fd, int failed, const char *text);

/*
 * The caller's end: has the answer in <text>. 0; 1 if the recorder has failed; -errno; -ECONNREFUSED: there is none.
 */
int recsock_call(unsigned int ifindex, int64_t ms, char *text, size_t len);

#endif

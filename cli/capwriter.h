/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * capwriter.h - takes packets from the rings of a capture, all of them or one CPU's, to a file or a row of files
 */
#ifndef NDIV_CAPWRITER_H
#define NDIV_CAPWRITER_H

#include <unistd.h>
#include "capfile.h"
#include "cmd.h"

#define CAPWRITER_ALL (-1) /* CPUs */

struct capwriter {
	struct ndiv_capture *cap;
	int cpu; /* CAPWRITER_ALL, or the one whose packets it takes */
	uint64_t count; /* of packets, then it is done; 0: no limit */
	const volatile sig_atomic_t *ended; /* as of capfile_open() */
	struct capfile_opts opts;
	struct capfile file; /* its <packets> may be read by others */
	int lazy; /* no file before there is a packet */
	int begun; /* there is one */
	useconds_t sleep;
	uint64_t many; /* bytes */
};

/* <w> has its capture, CPU, count, options; the file is opened, unless it is to be lazy. 0, or -1 after a message. */
int capwriter_begin(struct capwriter *w, const volatile sig_atomic_t *ended);

/*
 * Writes what there is; sleeps a little if that is not much. 0; 1 if there is nothing more to be done; -1 after a
 * message.
 */
int capwriter_step(struct capwriter *w);

/* When nothing is captured any more: writes what is still in the rings, and the statistics. 0, or -1 after a message.
 */
int capwriter_finish(struct capwriter *w);

/* Closes the file. Likewise. */
int capwriter_close(struct capwriter *w);

uint64_t capwriter_packets(const struct capwriter *w);

#endif

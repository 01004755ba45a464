/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wrk.h - wrk at the client's end of a lab: one thread, for a second
 */
#ifndef BENCH_WRK_H
#define BENCH_WRK_H

#include <stdint.h>
#include "ends.h"

struct wrk_opts {
	const struct ends *ends;
	int	cpu;
	int	connections;
	int	close;			/* a connection for each request */
	uint32_t size;			/* of the object, which is one of the peers' (peer.h) */
};

struct wrk_result {
	double	requests, seconds;
	char	trouble[256];		/* what it has said of failed requests; "": none has failed */
};

/* 0, or below 0 and a message: then it was no measurement. */
int wrk_run(const struct wrk_opts *opts, struct wrk_result *res);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * attack.h - a flood over the wire of a lab, made in the kernel at the client's end
 *
 * It sends over the wire of a lab that lab/lab made, and nowhere else (ends.h).
 */
#ifndef BENCH_ATTACK_H
#define BENCH_ATTACK_H

#include <stdint.h>
#include <bpf/libbpf.h>
#include "ends.h"

struct attack_opts {
	const char *lab;
	const char *kind;	/* one of shapes_kinds */
	uint32_t families;	/* SHAPES_V4, SHAPES_V6, or both; SHAPES_FAR4 */
	uint16_t port;		/* of the server */
	uint32_t rate;		/* frames per second, evenly; 0: as fast as it goes */
	int	dry;		/* all the work, but nothing is sent: what the generator itself takes away */
};

#define ATTACK_RATE_MIN	50000	/* below, bursts are too far apart to be waited for */

struct attack {
	struct ends ends;
	struct bpf_object *obj;
	uint32_t len;		/* of the frames */
};

struct attack_counts {
	uint64_t sent;
	uint64_t answers;	/* that came back, to addresses that nobody has */
};

/* 0, or below 0 and a message; call attack_close() in either case. Nothing is sent yet. */
int attack_open(struct attack *a, const struct attack_opts *opts);
void attack_close(struct attack *a);

/*
 * Sends so many frames. <ns>: time per frame, as the kernel measured it. 0, or -errno: -EINTR if a signal came.
 */
int attack_send(struct attack *a, uint32_t frames, uint32_t *ns);

int attack_counts(const struct attack *a, struct attack_counts *c);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * source.h - a load source at the client's end of a lab: HTTP connections without a table of them
 *
 * The work is done by a handler (load.bpf.c) that makes each answer the next request. This side says what is asked,
 * begins the connections, and keeps their number: once a round those that are alive pass a mark, and are counted; for
 * those that do not, new ones are begun.
 *
 * Where the server's end has no XDP program, it gets one that passes everything, as long as the source is open.
 *
 * It sends over the wire of a lab that lab/lab made, and nowhere else (ends.h).
 */
#ifndef BENCH_SOURCE_H
#define BENCH_SOURCE_H

#include <stdint.h>
#include <bpf/libbpf.h>
#include <ndiv/ndiv.h>
#include "ends.h"
#include "load.h"

struct source_opts {
	const char *lab;
	int	v6;
	uint16_t port;			/* of the server */
	const char *path;		/* that is asked for */
	uint32_t size;			/* of the object there, LOAD_BODY_MIN to LOAD_BODY_MAX */
	const char *body;		/* the object, <size> bytes */
	uint32_t connections;		/* at a time, 1 to SOURCE_CONNECTIONS_MAX */
	uint32_t requests;		/* of a connection; 0: as many as there can be */
	int	stamps;			/* with timestamps */
};

#define SOURCE_CONNECTIONS_MAX	30000	/* half of the ports */
#define SOURCE_ROUND_MS		500	/* which an answer must not take */

struct source {
	struct source_opts o;
	struct ends ends;
	struct ndiv *nd;
	uint32_t id;			/* of the handler */
	uint32_t prog;			/* the kernel's id of it */
	struct load_config config;
	struct bpf_object *start;
	struct load_live *live;		/* mapped */
	uint64_t alive;			/* counter at the begin of this round */
	uint64_t begun;			/* connections that were begun in this round */
	uint64_t started;		/* that were begun from here, all of them */
	uint64_t restarted;		/* in place of those that were found dead */
};

struct source_counts {
	uint64_t n[LOAD_COUNTERS];	/* by enum load_counter */
	uint64_t wrong;			/* all of them that are wrong */
	uint64_t bad_checksum, no_stamp; /* packets dropped for that */
	uint64_t restarted;
	uint64_t tx_lost;
};

/* 0, or below 0 and a message; call source_close() in either case. Nothing is sent yet. */
int source_open(struct source *s, const struct source_opts *opts);
void source_close(struct source *s);

/* Begins the connections. */
int source_start(struct source *s);

/*
 * The end of a round: counts those that are alive, and begins others, or has some taken off. To be called every
 * SOURCE_ROUND_MS or more.
 */
int source_round(struct source *s);

/* Ends all connections, and waits until nothing is said any more. */
int source_stop(struct source *s);

int source_counts(struct source *s, struct source_counts *c);

/* The name of counter <i>, enum load_counter. */
const char *source_counter(int i);

/* Fills <body> with what httpd sends as object of <size> bytes. */
void source_pattern(char *body, uint32_t size);

#endif

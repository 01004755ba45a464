/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * front.h - shield in front of the server of a lab, and how that server is prepared for a flood
 */
#ifndef BENCH_FRONT_H
#define BENCH_FRONT_H

#include <ndiv/ndiv.h>
#include "ends.h"

/*
 * The server's stack has a way for its answers to sources of FLOOD_NET4, who do not exist. And it keeps no connections
 * in TIME-WAIT: of those that it had before shield was there, shield would not know. 0, or below 0 and a message, as
 * all of these.
 */
int front_prepare(const struct ends *e);

/* shield is attached at the server's end, and gone again: <nd>, NULL when it is not attached. */
int front_attach(const struct ends *e, struct ndiv **nd);
int front_detach(const struct ends *e, struct ndiv **nd);

/* It has policy <text>. */
int front_policy(const struct ends *e, struct ndiv *nd, const char *text);

/* What it counted at the receive path. */
int front_stats(const struct ends *e, struct ndiv *nd, struct ndiv_stats *stats);

/* Runs <argv> at the server's end and waits for it; <in>: its standard input, or below 0. -ENOENT: there is none. */
int front_run(const struct ends *e, char *const argv[], int in);

/* Writes <value> into /proc/sys/net/<name> of the server's end. */
int front_sysctl(const struct ends *e, const char *name, const char *value);

/* A file in memory with <text>, read from its beginning; or below 0. To be closed. */
int front_file(const char *text);

#endif

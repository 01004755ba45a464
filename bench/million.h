/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * million.h - the million sources that policies, tables and sets hold, all over IPv4
 */
#ifndef BENCH_MILLION_H
#define BENCH_MILLION_H

#include <stdint.h>
#include "flood.h"

#define MILLION		FLOOD_MANY
#define MILLION_RULES	1000	/* services that no packet of ours is for */

/*
 * A policy: <verb> for each of them by itself, MILLION_RULES services, then the statements <rest>. To be freed; NULL:
 * no memory.
 */
char *million_policy(const char *verb, const char *rest);

/* The addresses with commas between them, as the elements of a set in nftables. Likewise. */
char *million_list(void);

#endif

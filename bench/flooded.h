/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flooded.h - a web server in a lab while it is flooded, with shield and without: requests served, SYNs answered
 */
#ifndef BENCH_FLOODED_H
#define BENCH_FLOODED_H

#include "suite.h"

/* Adds the rows shield/lab-*. 0, or below 0 and a message. */
int flooded_bench(struct suite *s);

#endif

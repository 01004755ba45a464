/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * suite.h - what the main() of each suite has in common: options, the CPU, results
 */
#ifndef BENCH_SUITE_H
#define BENCH_SUITE_H

#include <stdint.h>
#include <stdio.h>
#include "measure.h"

/* CPU time in ticks, as /proc/stat counts it. */
struct machine {
	double	own;		/* s, of this process */
	double	here, others;	/* busy: on our CPU, on all the others */
	double	stolen;		/* by the host, of all CPUs */
	double	time;		/* s */
};

struct suite {
	const char *name;
	const char *lab;	/* name of a lab, or NULL */
	uint32_t runs;
	int	cpu;
	FILE	*out;		/* JSON rows, one a line; NULL: none are wanted */
	struct machine start;
};

/* One line of the result. */
struct row {
	const char *name;		/* "suite/case" */
	const char *unit;
	const struct samples *value;
	const char *baseline;		/* name of the row that it is compared with; NULL: none */
	const struct samples *than;	/* that row's values */
	double	less;			/* ns that were subtracted for the harness; 0: not said */
};

/*
 * Reads the options (see usage()), binds the process to one CPU, and prints the head of the table. Exits on wrong
 * usage.
 */
int suite_begin(struct suite *s, const char *name, int argc, char **argv);

/* Prints the row and keeps it. */
void suite_row(struct suite *s, const struct row *row);

/* Says what disturbed the measurement. <err>: below 0 if it failed. Returns the exit status. */
int suite_end(struct suite *s, int err);

/* "bench: NAME: ..." on standard error; returns -1. */
int suite_fault(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ends.h - both ends of a lab's wire
 *
 * Only a lab that lab/lab made is touched: it has a record, both its namespaces bear its mark, and their interfaces are
 * the two ends of one wire. Everything else is refused.
 */
#ifndef BENCH_ENDS_H
#define BENCH_ENDS_H

#include "link.h"

enum end { END_CLIENT, END_SERVER, ENDS };

struct ends {
	const char *lab;
	int	home;			/* namespace that we came from, or -1 */
	int	netns[ENDS];
	struct link link[ENDS];		/* lab0 */
	int	old[ENDS];		/* its program before, which nothing else may hold; -1: none */
	int	swapped[ENDS];		/* another one is in its place */
};

/*
 * Checks <lab> and opens it. 0, or below 0 and a message; call ends_close() in either case. The calling thread may be
 * in one of the lab's namespaces afterwards, until ends_close(), which also gives both back the programs they had.
 */
int ends_open(struct ends *e, const char *lab);
void ends_close(struct ends *e);

/* Enters the namespace of one end. */
int ends_enter(const struct ends *e, enum end end);

/* Puts <prog> in the place of the program that is there; -1: none. */
int ends_swap(struct ends *e, enum end end, int prog);

/* "bench: lab NAME: WHAT: error" on standard error; returns <err>. */
int ends_fault(const struct ends *e, const char *what, int err);

#endif

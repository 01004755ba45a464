/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure.h - nanoseconds per packet, by repeated test runs
 *
 * A run compares several programs ("sides") in short batches that take turns, so that all of them see the same machine.
 * A batch is timed by the CPU time of the thread: the kernel's own figure is in whole nanoseconds, which is too coarse
 * for what is measured here; and it sleeps some 20 ms in each repeated test run, to change the XDP dispatcher. Of a run
 * only medians over its batches are used: a batch that was disturbed is left out by itself.
 *
 * Where each packet is of another flow, a batch is one walk through all of them. With shorter ones, all that belongs to
 * a flow would have left the caches by the time it comes again, whether it fits them or not: the other sides run
 * between.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include "run.h"

#define ROUNDS		9	/* batches of each side in a run, at most */
#define RUNS_MIN	7
#define RUNS_MAX	99

struct side {
	const char *name;
	int	prog;
	int	(*before)(void *arg, uint32_t n);	/* called before each batch; may be NULL */
	void	*arg;
	uint32_t n;
	uint64_t packets;		/* given to the program so far, all batches */
	uint32_t rounds;		/* how many batches there were, and ... */
	double	ns[ROUNDS];		/* ... each one's ns per packet */
};

/* One value of each run. */
struct samples {
	uint32_t n;
	double	v[RUNS_MAX];
};

/* Runs all sides on <len> bytes at <data>; <flows>: of how many flows packets are, 0: one. 0, or -errno and a message.
 */
int measure(struct side *sides, size_t count, const void *data, size_t len, uint32_t flows);

/* Median of a side's batches, and of the differences of neighbouring batches of two sides. */
double measure_gross(const struct side *side);
double measure_net(const struct side *side, const struct side *empty);

void samples_add(struct samples *s, double v);
double samples_median(const struct samples *s);
double samples_min(const struct samples *s);
double samples_max(const struct samples *s);

#endif

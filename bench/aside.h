/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * aside.h - what runs beside the benchmark: processes on other CPUs, and the clock on the wall
 */
#ifndef BENCH_ASIDE_H
#define BENCH_ASIDE_H

/* Seconds since some time. */
double wall_seconds(void);

/* For a child: it dies with its parent, has common priority, and all CPUs but <cpu>, which is the benchmark's. */
void step_aside(int cpu);

/* Binds this process to a CPU that is not <cpu>, and returns it; below 0: there is none. */
int take_other(int cpu);

/* Sleeps so long, whatever signals come. */
void sleep_ms(long ms);

#endif

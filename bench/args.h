/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * args.h - arguments of the commands among the bench's programs
 */
#ifndef BENCH_ARGS_H
#define BENCH_ARGS_H

/* <text>, the argument of option -<opt>, as a number from <min> to <max>. If it is none, <program> says so and ends. */
unsigned long args_number(const char *program, int opt, const char *text, unsigned long min, unsigned long max);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sustain.h - half a minute of ndiv capture without a loss: packets have numbers, and all of their bytes are looked at
 */
#ifndef BENCH_SUSTAIN_H
#define BENCH_SUSTAIN_H

#include "suite.h"

/* 0, or below 0 and a message. */
int sustain_bench(struct suite *s);

#endif

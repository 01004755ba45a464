/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sniff.h - sniffers against each other, through a lab: at which rate does the first packet get lost?
 */
#ifndef BENCH_SNIFF_H
#define BENCH_SNIFF_H

#include "suite.h"

/* 0, or below 0 and a message. */
int sniff_bench(struct suite *s);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lab.h - packets per second through a lab: drop, reply, pass
 *
 * One CPU does all of it, by turns: the generator hands a burst to the server's end, whose receive path (driver, XDP
 * program, stack) takes it at once, in softirq. So a packet's time is the sum of both sides, and nothing is lost.
 */
#ifndef BENCH_LAB_H
#define BENCH_LAB_H

#include "suite.h"

/* Adds the rows core/lab-*. 0, or below 0 and a message. */
int lab_bench(struct suite *s);

#endif

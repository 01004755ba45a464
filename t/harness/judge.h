/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * judge.h - does a packet match an expression? By libpcap's own machine
 *
 * Apart from all else: <pcap.h> has types that others call their own.
 */
#ifndef T_JUDGE_H
#define T_JUDGE_H

#include <stddef.h>
#include <stdint.h>

struct judge;

/* NULL: libpcap does not take it. */
struct judge *judge_open(const char *expression);
int judge_match(const struct judge *j, const uint8_t *data, size_t len);
void judge_close(struct judge *j);

/* Runs <count> instructions of classic BPF, 8 bytes each. -1: they are no valid program. */
int judge_run(const void *insns, size_t count, const uint8_t *data, size_t len);

#endif

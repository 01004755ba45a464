/* SPDX-License-Identifier: GPL-2.0-only */
/* pcapcount.h - how many packets are in a capture file */
#ifndef BENCH_PCAPCOUNT_H
#define BENCH_PCAPCOUNT_H

#include <stdint.h>

/* -1: it is not whole. */
int64_t pcap_count(const char *path);

#endif

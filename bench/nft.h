/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nft.h - nftables at the server's end of a lab
 */
#ifndef BENCH_NFT_H
#define BENCH_NFT_H

#include <stdint.h>
#include "ends.h"

/* Hands <rules> to nft. 0, or below 0 and a message. */
int nft_run(const struct ends *e, const char *rules);

/* Packets that counter <name> has: the only one of that name. Likewise. */
int nft_count(const struct ends *e, const char *name, uint64_t *count);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bans.h - shield's table of bans in tests and benchmarks
 */
#ifndef T_BANS_H
#define T_BANS_H

#include "../../lib/ban.h"
#include "run.h"

/* Handler <id> has an empty table of <buckets>, with the same key in every run: <v>, to be closed. 0, or below 0. */
int shield_bans(struct run *r, uint32_t id, uint32_t buckets, struct ban_view *v);

/* It has none. */
int shield_no_bans(struct run *r, uint32_t id);

/* Sets, as a person does or (<line>) a rule of a policy, the ban of <prefix> from clock <ns> on, for <ms>. */
enum ban_put shield_set_ban(struct ban_view *v, const char *prefix, uint64_t ns, uint64_t ms, uint16_t line);

/* The number of the first bucket of <prefix>, or (<second>) of the other one. */
uint32_t shield_ban_place(const struct ban_view *v, const char *prefix, int second);

#endif

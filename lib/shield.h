/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shield.h - what the library's files about the handler shield share
 */
#ifndef NDIV_LIB_SHIELD_H
#define NDIV_LIB_SHIELD_H

#include <time.h>
#include "../handlers/shield/table.h"
#include "internal.h"

/* shield.c: where the handler's maps are pinned. <dir> has DIR_LEN bytes. */
int	shield_dir(struct ndiv *nd, const struct table *tab, char *dir);
int	shield_find(struct ndiv *nd, char *dir);
int	shield_other(struct ndiv *nd);
void	shield_tick(struct ndiv *nd);
/* A section of its data, mapped; NULL: there is none. And a clock. */
void	*shield_section(const char *dir, const char *name, size_t size, int prot);
__u64	clock_ns(clockid_t id);
/* The array map that is in the only slot of an array of maps: a new fd, -ENOENT: there is none, or -errno. */
int	slot_map(int slot, __u32 value_size, __u32 min, __u32 *entries);

/* shield_keys.c */
int	secret_parse(struct ndiv *nd, const char *path, const char *text, size_t len, __u8 *secret);
void	keys_tick(const char *dir);

#endif

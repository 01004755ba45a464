/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ban.h - shield's bans, from people and files to the kernel
 *
 *	ban_text.c	times, prefixes, and files of bans
 *	ban_table.c	the table: who finds a place, and who has to go
 *	ban_load.c	the tables of attached handlers
 */
#ifndef NDIV_LIB_BAN_H
#define NDIV_LIB_BAN_H

#include <ndiv/shield.h>
#include "../handlers/shield/ban.h"
#include "policy.h"

#define BAN_ENDLESS	(~0ULL)			/* ms: for ever */
#define BAN_MS_MAX	(3650ULL * 86400000)	/* of all others */
#define BAN_BUCKETS_MIN	2U

/* --- ban_text.c */

/* As people give it: <end>: ms since 1970, or BAN_ENDLESS. */
struct ban_wish {
	__u64	addr, end;
	__u16	line;
	__u8	shape;
};

struct ban_list {
	struct ban_wish *w;
	size_t	count, room;
};

const char *ban_time(const char *word, size_t len, __u64 *ms);
const char *ban_prefix(const char *word, size_t len, __u64 *addr, __u8 *shape);
int	ban_add(struct ban_list *list, const struct ban_wish *w);
int	ban_parse(struct ndiv *nd, const char *path, const char *text, size_t len, __u64 now, __u64 ms,
	      struct ban_list *list);

/* --- ban_table.c */

/* A table, mapped. */
struct ban_view {
	struct ban_head *head;
	struct ban_bucket *bucket;
	size_t	len;				/* of the mapping; 0: there is none */
};

enum ban_put {
	BAN_PUT_DONE,
	BAN_PUT_EVICTED,			/* an automatic ban had to go */
	BAN_PUT_LENGTHS,			/* no: prefixes of too many lengths */
	BAN_PUT_FULL,				/* no: its places are those of others, set by people */
};

__u32	ban_buckets(__u32 bans);
int	ban_make(struct ndiv *nd, __u32 buckets, const __u64 *key, struct ban_view *v);
int	ban_view(int slot, int prot, struct ban_view *v);
void	ban_close(struct ban_view *v);
enum ban_put ban_put(struct ban_view *v, const struct ban *ban, __u32 tick);
int	ban_lift(struct ban_view *v, __u64 addr, __u8 shape, __u32 tick);
int	ban_holder(const struct ban_view *v, __u64 addr, __u8 shape, __u32 tick, __u8 *by);
void	ban_settle(struct ban_view *v, __u32 tick, void (*wait)(void));
void	ban_empty(struct ban_view *v);
size_t	ban_count(const struct ban_view *v, __u32 tick);

/* Calls <fn> for each ban that is at work, until it returns other than 0; returns that. */
int	ban_each(const struct ban_view *v, __u32 tick, int (*fn)(const struct ban *ban, void *arg), void *arg);

/* --- ban_load.c */
int	bans_ready(struct ndiv *nd, const struct table *tab);
int	bans_alone(struct ndiv *nd, const struct ndiv_info *info, int config, int slot);

#endif

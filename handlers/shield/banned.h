/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * banned.h - whose packets are dropped before anything else is asked, and how rules come to ban somebody
 *
 * A rule with a ban counts how often each source address has exceeded its rate: its strikes, at most one a second, and
 * those of the last minute only. They are in an array of lines of eight, by a keyed hash; a new source takes the place
 * that was begun the longest ago. So a flood of made-up addresses can make strikes be forgotten, but not bans.
 */
#ifndef NDIV_SHIELD_BANNED_H
#define NDIV_SHIELD_BANNED_H

#include "ban.h"
#include "shield.h"

struct ban_line {
	__u64	word[8];
};

/* A table; with as many lines as the option "bans" says. */
struct ban_table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct ban_line));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct ban_table);
} shield_bans SEC(".maps");

#define STRIKE_LINES	16384		/* 1 MB */
#define STRIKE_SLOTS	8
#define STRIKE_WINDOW	59		/* units of 1.024 s in which strikes count */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STRIKE_LINES);
	__type(key, __u32);
	__type(value, struct ban_line);
} shield_strikes SEC(".maps");

static __always_inline void *bans_now(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&shield_bans, &zero);
}

static __always_inline void *ban_line(void *table, __u32 line)
{
	return bpf_map_lookup_elem(table, &line);
}

static __always_inline __u64 ban_hash(const struct ban_head *head, __u64 addr, __u8 shape)
{
	struct ndiv_key key = { { head->key[0], head->key[1] } };
	struct ndiv_sip s;

	ndiv_sip_init(&s, &key);
	ndiv_sip_word(&s, addr);
	return ndiv_sip_end(&s, sizeof(addr) + 1, shape);
}

/* Is just this prefix banned? */
static __always_inline int has_ban(void *table, const struct ban_head *head, __u64 addr, __u8 shape, __u32 tick)
{
	__u64 hash = ban_hash(head, addr, shape);
	const struct ban_bucket *b = ban_line(table, 1 + ban_bucket_of(hash, head->mask, 0));

	if (!b)
		return 0;
	if (ban_find(b, addr, shape, tick) >= 0)
		return 1;
	if (BAN_READ(b->more) <= tick)
		return 0;
	b = ban_line(table, 1 + ban_bucket_of(hash, head->mask, 1));
	return b && ban_find(b, addr, shape, tick) >= 0;
}

/* Is address <addr> banned, by itself or by a shorter prefix? A function by itself, as shield_trie(). */
__noinline int shield_banned(__u64 addr, __u32 v6, __u32 tick)
{
	void *table = bans_now();
	const struct ban_head *head = table ? ban_line(table, 0) : NULL;
	__u32 i, len;

	v6 &= 1;
	if (!head)
		return 0;
	for (i = 0; i < BAN_LENGTHS; i++) {
		if (BAN_READ(head->until[v6][i]) <= tick)
			continue;
		len = head->len[v6][i];
		if (has_ban(table, head, addr & ~0ULL << ((64 - len) & 63), BAN_SHAPE(v6, len), tick))
			return 1;
	}
	return 0;
}

/* --- bans that rules set */

/* A source's strikes by one rule, as a word; 0: none. */
#define STRIKE_TAG(word)	((__u32)((word) >> 32))
#define STRIKE_BEGAN(word)	((__u16)((word) >> 16))		/* the first one: units of 1.024 s */
#define STRIKE_LAST(word)	((__u8)((word) >> 8))		/* the last one, so many units later */
#define STRIKE_COUNT(word)	((__u8)(word))			/* 0: it was banned just then */
#define STRIKE_WORD(tag, began, last, count)	((__u64)(tag) << 32 | (__u32)(began) << 16 | (last) << 8 | (count))

/* Which word of <line> has <tag>, or is to be given up for it. Unrolled, the loop would take too much of the stack. */
static __always_inline __u32 strike_find(const struct ban_line *line, __u32 tag, __u16 now)
{
	__u32 i, age, oldest = 0, found = 0;
	__u64 word;

#pragma clang loop unroll(disable)
	for (i = 0; i < STRIKE_SLOTS; i++) {
		word = BAN_READ(line->word[i]);
		if (STRIKE_TAG(word) == tag)
			return i;
		age = word ? (__u16)(now - STRIKE_BEGAN(word)) : 1U << 16;
		if (age > oldest) {
			oldest = age;
			found = i;
		}
	}
	return found;
}

/*
 * <addr> has exceeded the rate of rule <nr>. Was it the <after>-th time? Who is beaten to it by another CPU does not
 * count it: that was the same second, or will be.
 */
__noinline int shield_strike(__u64 addr, __u32 nr, __u32 after, __u32 tick)
{
	__u64 hash = ndiv_siphash2(&ndiv_key, addr, nr), old, new;
	__u32 i = hash & (STRIKE_LINES - 1), tag = hash >> 32 | 1, count = 1;
	struct ban_line *line = bpf_map_lookup_elem(&shield_strikes, &i);
	__u16 now = tick >> 2, began = now, age;
	__u64 *word;

	if (!line)
		return 0;
	word = &line->word[strike_find(line, tag, now) & (STRIKE_SLOTS - 1)];
	old = BAN_READ(*word);
	age = now - STRIKE_BEGAN(old);
	if (STRIKE_TAG(old) == tag && age <= STRIKE_WINDOW) {
		if (age == STRIKE_LAST(old))
			return 0;
		began = STRIKE_BEGAN(old);
		count = STRIKE_COUNT(old) + 1;
	}
	if (count >= after)
		new = STRIKE_WORD(tag, now, 0, 0);
	else
		new = STRIKE_WORD(tag, began, (__u16)(now - began), count);
	return __sync_val_compare_and_swap(word, old, new) == old && !STRIKE_COUNT(new);
}

enum ban_result {
	BAN_SET,
	BAN_KEPT,		/* there is one */
	BAN_EVICTED,		/* another automatic one had to go */
	BAN_NO_ROOM,
};

/* There is one already, of slot <i>: an automatic one ends later now. */
static __always_inline enum ban_result ban_longer(struct ban_bucket *b, __u32 i, __u32 until)
{
	i &= BAN_SLOTS - 1;
	if (BAN_READ(b->line[i]))
		ban_raise(&b->until[i], until);
	return BAN_KEPT;
}

/* The slot of <b> that yields most, and in the upper half how readily; 0: none does. */
static __always_inline __u64 ban_weakest(const struct ban_bucket *b, __u32 tick)
{
	__u64 best = 0, yields;
	__u32 i;

	for (i = 0; i < BAN_SLOTS; i++) {
		yields = ban_yields(BAN_READ(b->until[i]), BAN_READ(b->line[i]), tick);
		if (yields << 32 > best)
			best = yields << 32 | i;
	}
	return best;
}

/* Bans a host, in its first bucket or its second one. */
static __always_inline enum ban_result ban_host(struct ban_bucket *first, struct ban_bucket *second,
						const struct ban *ban, __u32 *last, __u32 tick)
{
	__u64 a = ban_weakest(first, tick), b = ban_weakest(second, tick), best = a;
	struct ban_bucket *in = first;

	if (a >> 32 < BAN_YIELDS_ALL && b >> 32 > a >> 32) {
		best = b;
		in = second;
	}
	if (!best)
		return BAN_NO_ROOM;
	if (ban_take(in, best & (BAN_SLOTS - 1), tick))
		return BAN_NO_ROOM;
	ban_raise(last, ban->until);
	if (in == second)
		ban_raise(&first->more, ban->until);
	ban_write(in, best & (BAN_SLOTS - 1), ban);
	return best >> 32 == BAN_YIELDS_ALL ? BAN_SET : BAN_EVICTED;
}

/* Bans host <addr> of <shape> for <ticks>, because of the rule in <line>. enum ban_result. */
__noinline int shield_ban(__u64 addr, __u32 shape, __u32 ticks, __u32 line, __u32 tick)
{
	struct ban ban = { .addr = addr, .until = tick + ticks, .line = line, .shape = shape };
	void *table = bans_now();
	struct ban_head *head = table ? ban_line(table, 0) : NULL;
	struct ban_bucket *first, *second;
	__u64 hash;
	int i;

	if (!head)
		return BAN_NO_ROOM;
	hash = ban_hash(head, addr, ban.shape);
	first = ban_line(table, 1 + ban_bucket_of(hash, head->mask, 0));
	second = ban_line(table, 1 + ban_bucket_of(hash, head->mask, 1));
	if (!first || !second)
		return BAN_NO_ROOM;
	i = ban_find(first, addr, ban.shape, tick);
	if (i >= 0)
		return ban_longer(first, i, ban.until);
	i = ban_find(second, addr, ban.shape, tick);
	if (i >= 0)
		return ban_longer(second, i, ban.until);
	return ban_host(first, second, &ban, &head->until[BAN_SHAPE_V6(ban.shape)][0], tick);
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_trie.c - prefixes into the lines of a trie
 *
 * Prefixes come in order, so those that lie in one entry of a node are neighbours, behind those that cover the entry as
 * a whole. What belongs to no longer prefix has the value of the longest that covers it.
 */
#include <string.h>
#include "policy.h"

#define ROOT_SMALL	16
#define ROOT_LARGE	24
#define BEFORE_BYTE	24		/* bits of an IPv4 address before its last byte */
#define ROOT_MANY	65536U		/* prefixes above which the root is large: 64 MB */
#define WORDS		(POLICY_LINE / sizeof(__u32))

/* <n> bits of the address from bit <at> on; <n> is 4, or <at> is 0. */
static __u32 bits_at(const struct prefix *p, unsigned int at, unsigned int n)
{
	if (!at)
		return p->hi >> (64 - n);
	return (at < 64 ? p->hi >> (64 - n - at) : p->lo >> (128 - n - at)) & ((1U << n) - 1);
}

/* Is <b> as long as <a> or longer, and within it? */
int prefix_holds(const struct prefix *a, const struct prefix *b)
{
	if (a->v6 != b->v6 || b->len < a->len)
		return 0;
	if (a->len <= 64)
		return !a->len || !((a->hi ^ b->hi) >> (64 - a->len));
	return a->hi == b->hi && !((a->lo ^ b->lo) >> (128 - a->len));
}

static __u32 build_leaf(struct image *img, const struct prefix *p, __u32 out)
{
	const struct policy_leaf leaf = { .hi = p->hi, .lo = p->lo, .len = p->len, .in = p->value, .out = out };

	return POLICY_LEAF << 30 | image_leaf(img, &leaf);
}

/* The number of the pair of values, or POLICY_PAIRS: there are too many. */
static __u32 find_pair(struct image *img, __u32 in, __u32 out)
{
	__u32 i;

	for (i = 0; i < img->pair_count; i++)
		if (img->pair[i].in == in && img->pair[i].out == out)
			return i;
	if (i < POLICY_PAIRS)
		img->pair[img->pair_count++] = (struct policy_pair){ in, out };
	return i;
}

/* The entry for <p> alone, which is longer than <at> bits. */
static __u32 build_single(struct image *img, const struct prefix *p, unsigned int at, __u32 out)
{
	__u32 pair;

	if (p->v6 || at != BEFORE_BYTE)
		return build_leaf(img, p, out);
	pair = find_pair(img, p->value, out);
	if (pair == POLICY_PAIRS)
		return build_leaf(img, p, out);
	return POLICY_BYTE_ENTRY((__u32)(p->hi >> 32) & 255, p->len - BEFORE_BYTE, pair);
}

/* How many of the prefixes from <p> on are longer than <len>, and in the same entry as the first one. */
static size_t run_length(const struct prefix *p, size_t count, unsigned int at, unsigned int n)
{
	__u32 first = bits_at(p, at, n);
	size_t i;

	for (i = 0; i < count && p[i].len > at + n && bits_at(&p[i], at, n) == first; i++)
		;
	return i;
}

/* The entry for the <count> prefixes at <p>, which are longer than <at> bits; <value>: of what is in none of them. */
static __u32 build_node(struct image *img, const struct prefix *p, size_t count, unsigned int at, __u32 value)
{
	const unsigned int n = POLICY_STRIDE;
	__u32 words[WORDS], line, k, run;
	size_t i;

	if (!count)
		return value;
	if (count == 1)
		return build_single(img, p, at, value);
	line = image_lines(img, 1);
	for (k = 0; k < WORDS; k++)
		words[k] = value;
	for (i = 0; i < count && !img->err; i += run) {
		k = bits_at(&p[i], at, n);
		run = run_length(p + i, count - i, at, n);
		if (run) {
			words[k] = build_node(img, p + i, run, at + n, words[k]);
			continue;
		}
		run = 1;
		for (__u32 end = k + (1U << (at + n - p[i].len)); k < end; k++)
			words[k] = p[i].value;
	}
	if (!img->err)
		memcpy(image_at(img, line), words, sizeof(words));
	return POLICY_NODE << 30 | line;
}

/* Makes a trie of the <count> prefixes at <p>, all of one family. */
void trie_build(struct image *img, const struct prefix *p, size_t count, struct policy_root *root)
{
	unsigned int n = count > ROOT_MANY ? ROOT_LARGE : ROOT_SMALL;
	__u32 line, k, end, e;
	size_t i, run;

	memset(root, 0, sizeof(*root));
	if (!count)
		return;
	line = image_lines(img, (1U << n) / WORDS);
	for (i = 0; i < count && !img->err; i += run) {
		k = bits_at(&p[i], 0, n);
		run = run_length(p + i, count - i, 0, n);
		if (run) {
			e = build_node(img, p + i, run, n, ((__u32 *)image_at(img, line))[k]);
			if (!img->err)
				((__u32 *)image_at(img, line))[k] = e;
			continue;
		}
		run = 1;
		for (end = k + (1U << (n - p[i].len)); k < end; k++)
			((__u32 *)image_at(img, line))[k] = p[i].value;
	}
	root->line = line;
	root->bits = n;
}

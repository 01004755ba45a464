// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_cells.c - services into rows, columns and cells
 *
 * Addresses that the same rules are about share a row, selectors that the same rules are about share a column. So the
 * first rule that is about a packet, of however many, is found by two look-ups.
 */
#include <stdlib.h>
#include <string.h>
#include "policy.h"

#define WORDS	(POLICY_RULES / 64)

/* Rules, by number. */
struct bits {
	__u64	w[WORDS];
};

/* Different ones; a number for each. */
struct kinds {
	struct bits *set;
	size_t	count, room;
};

static void bits_add(struct bits *b, unsigned int rule)
{
	b->w[rule / 64] |= 1ULL << rule % 64;
}

/* The number of the set <b>, or below 0. */
static long kind_of(struct kinds *kinds, const struct bits *b)
{
	size_t i, room = kinds->room ? 2 * kinds->room : 64;
	struct bits *more;

	for (i = 0; i < kinds->count; i++)
		if (!memcmp(&kinds->set[i], b, sizeof(*b)))
			return (long)i;
	if (kinds->count == kinds->room) {
		more = realloc(kinds->set, room * sizeof(*more));
		if (!more)
			return -1;
		kinds->set = more;
		kinds->room = room;
	}
	kinds->set[kinds->count] = *b;
	return (long)kinds->count++;
}

/* --- rows */

static int by_prefix(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;

	return prefix_before(x, y) ? -1 : prefix_before(y, x);
}

/* All destinations, with their rules, in order. */
static int list_dests(const struct ndiv_policy *p, struct prefixes *all)
{
	struct prefix one;
	unsigned int r;
	size_t i;

	for (r = 1; r <= p->rule_count; r++)
		for (i = 0; i < p->rule[r].dest.count; i++) {
			one = p->rule[r].dest.p[i];
			one.rule = r;
			if (prefixes_add(all, &one))
				return -ENOMEM;
		}
	if (all->count)
		qsort(all->p, all->count, sizeof(*all->p), by_prefix);
	return 0;
}

/* One of each prefix, its value the row: the rules about it, and about those that hold it. <base>: about any. */
static int number_rows(struct prefixes *all, const struct bits *base, struct kinds *rows)
{
	struct prefix *list = all->p, *chain[130];	/* those that hold the current one */
	struct bits rules[130];				/* of each of them */
	size_t i, kept = 0, depth = 0;
	long row;

	for (i = 0; i < all->count;) {
		while (depth && !prefix_holds(chain[depth - 1], &list[i]))
			depth--;
		rules[depth] = depth ? rules[depth - 1] : *base;
		list[kept] = list[i];
		do
			bits_add(&rules[depth], list[i++].rule);
		while (i < all->count && !prefix_before(&list[kept], &list[i]));
		row = kind_of(rows, &rules[depth]);
		if (row < 0)
			return -ENOMEM;
		list[kept].value = row;
		chain[depth++] = &list[kept++];
	}
	all->count = kept;
	return 0;
}

static size_t count_v4(const struct prefixes *all)
{
	size_t n;

	for (n = 0; n < all->count && !all->p[n].v6; n++)
		;
	return n;
}

/* --- columns */

static int by_number(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return x < y ? -1 : x > y;
}

/* Where ranges begin, and where they have just ended: in between all selectors have the same rules. */
static __u32 *list_edges(const struct ndiv_policy *p, size_t *count)
{
	__u32 *edge = malloc((2 * p->range_count + 2) * sizeof(*edge));
	unsigned int r;
	size_t i, n = 0;

	if (!edge)
		return NULL;
	edge[n++] = 0;
	edge[n++] = POLICY_SELECTORS;
	for (r = 1; r <= p->rule_count; r++)
		for (i = 0; i < p->rule[r].range_count; i++) {
			edge[n++] = p->rule[r].range[i].first;
			edge[n++] = p->rule[r].range[i].last + 1;
		}
	qsort(edge, n, sizeof(*edge), by_number);
	*count = n;
	return edge;
}

static struct bits rules_of(const struct ndiv_policy *p, __u32 selector)
{
	struct bits b = { 0 };
	unsigned int r;
	size_t i;

	for (r = 1; r <= p->rule_count; r++)
		for (i = 0; i < p->rule[r].range_count; i++)
			if (selector >= p->rule[r].range[i].first && selector <= p->rule[r].range[i].last)
				bits_add(&b, r);
	return b;
}

static int build_columns(const struct ndiv_policy *p, struct image *img, struct policy_head *head,
			 struct kinds *columns)
{
	size_t count, i;
	__u32 *edge = list_edges(p, &count), s;
	struct bits b;
	long column = 0;

	head->columns = image_lines(img, POLICY_SELECTORS / 32 + 1);
	for (i = 0; edge && i + 1 < count && column >= 0 && !img->err; i++) {
		if (edge[i] == edge[i + 1])
			continue;
		b = rules_of(p, edge[i]);
		column = kind_of(columns, &b);
		for (s = edge[i]; s < edge[i + 1] && column >= 0; s++)
			((__u16 *)image_at(img, head->columns))[s] = column;
	}
	free(edge);
	return edge && column >= 0 ? 0 : -ENOMEM;
}

/* --- cells */

/* Of those in both sets: the first one that is not dry, and the first dry one before it. */
static __u32 cell_of(const struct ndiv_policy *p, const struct bits *row, const struct bits *column)
{
	unsigned int i, rule, dry = 0;
	__u64 both;

	for (i = 0; i < WORDS; i++)
		for (both = row->w[i] & column->w[i]; both; both &= both - 1) {
			rule = i * 64 + __builtin_ctzll(both);
			if (!p->dry && !p->rule[rule].dry)
				return POLICY_CELL(rule, dry);
			if (!dry)
				dry = rule;
		}
	return POLICY_CELL(0, dry);
}

static int build_cells(struct ndiv *nd, const struct ndiv_policy *p, struct image *img, struct policy_head *head,
		       const struct kinds *rows, const struct kinds *columns)
{
	size_t total = rows->count * columns->count, r, c;

	if (total > POLICY_CELLS_MAX)
		return fail(nd, E2BIG,
			    "%s: its services tell %zu kinds of addresses and %zu kinds of ports apart: more than "
			    "%u cells; use fewer destinations or ranges",
			    p->path, rows->count, columns->count, POLICY_CELLS_MAX);
	head->width = columns->count;
	head->cells = image_lines(img, total / 16 + 1);
	for (r = 0; r < rows->count && !img->err; r++)
		for (c = 0; c < columns->count; c++)
			((__u32 *)image_at(img, head->cells))[r * columns->count + c] =
				cell_of(p, &rows->set[r], &columns->set[c]);
	return 0;
}

static int build_all(struct ndiv *nd, const struct ndiv_policy *p, struct image *img, struct policy_head *head,
		     struct prefixes *dests, struct kinds *rows, struct kinds *columns)
{
	struct bits base = { 0 };
	unsigned int r;
	size_t v4;

	for (r = 1; r <= p->rule_count; r++)
		if (p->rule[r].is_service && !p->rule[r].dest.count)
			bits_add(&base, r);
	/* row 0: what is in no prefix */
	if (kind_of(rows, &base) || list_dests(p, dests) || number_rows(dests, &base, rows) ||
	    build_columns(p, img, head, columns))
		return fail(nd, ENOMEM, "no memory");
	v4 = count_v4(dests);
	trie_build(img, dests->p, v4, &head->root[POLICY_DEST4]);
	trie_build(img, dests->count ? dests->p + v4 : NULL, dests->count - v4, &head->root[POLICY_DEST6]);
	return build_cells(nd, p, img, head, rows, columns);
}

/* Destinations, columns and cells into <img>, and into <head> where they are. 0, or -errno. */
int cells_build(struct ndiv *nd, const struct ndiv_policy *p, struct image *img, struct policy_head *head)
{
	struct kinds rows = { 0 }, columns = { 0 };
	struct prefixes dests = { 0 };
	int err = build_all(nd, p, img, head, &dests, &rows, &columns);

	free(dests.p);
	free(rows.set);
	free(columns.set);
	return err;
}

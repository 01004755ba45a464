// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_cells.c - services into rows, columns and cells
 *
 * Addresses that the same rules are about share a row, selectors that the same rules are about share a column, origins
 * a plane. So the first rule that is about a packet, of however many, is found by two look-ups, or three.
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

/* What is told apart. */
struct axes {
	struct kinds rows, columns, planes;
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
		for (i = 0; i < p->rule[r].what.count; i++) {
			edge[n++] = p->rule[r].what.r[i].first;
			edge[n++] = p->rule[r].what.r[i].last + 1;
		}
	qsort(edge, n, sizeof(*edge), by_number);
	*count = n;
	return edge;
}

static int in_ranges(const struct ranges *ranges, __u32 n)
{
	size_t i;

	for (i = 0; i < ranges->count; i++)
		if (n >= ranges->r[i].first && n <= ranges->r[i].last)
			return 1;
	return 0;
}

static struct bits rules_of(const struct ndiv_policy *p, __u32 selector)
{
	struct bits b = { 0 };
	unsigned int r;

	for (r = 1; r <= p->rule_count; r++)
		if (in_ranges(&p->rule[r].what, selector))
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

/* --- planes */

/* Rules about packets that come from port <port>, or have none (POLICY_NO_PORT), and IP options, or not. */
static struct bits rules_from(const struct ndiv_policy *p, __u32 port, int options)
{
	struct bits b = { 0 };
	const struct rule *rule;
	unsigned int r;

	for (r = 1; r <= p->rule_count; r++) {
		rule = &p->rule[r];
		if ((!rule->from.count || in_ranges(&rule->from, port)) && (!rule->options || options))
			bits_add(&b, r);
	}
	return b;
}

/* Do any rules ask for them? */
static int has_origins(const struct ndiv_policy *p)
{
	unsigned int r;

	for (r = 1; r <= p->rule_count; r++)
		if (p->rule[r].from.count || p->rule[r].options)
			return 1;
	return 0;
}

/* Where ranges of source ports begin, and where they have just ended. */
static void mark_edges(const struct ndiv_policy *p, __u8 *edge)
{
	unsigned int r;
	size_t i;

	edge[0] = edge[POLICY_NO_PORT] = 1;
	for (r = 1; r <= p->rule_count; r++)
		for (i = 0; i < p->rule[r].from.count; i++)
			edge[p->rule[r].from.r[i].first] = edge[p->rule[r].from.r[i].last + 1] = 1;
}

/* The plane of each origin, into <table>. 0, or -errno. */
static int number_planes(const struct ndiv_policy *p, struct kinds *planes, __u8 *table)
{
	__u8 *edge = calloc(1, POLICY_NO_PORT + 1);
	__u32 port, options;
	long plane = edge ? 0 : -ENOMEM;
	struct bits b;

	if (edge)
		mark_edges(p, edge);
	for (options = 0; options < 2; options++)
		for (port = 0; port <= POLICY_NO_PORT && plane >= 0; port++) {
			if (edge[port]) {
				b = rules_from(p, port, options);
				plane = kind_of(planes, &b);
				plane = plane < 0 ? -ENOMEM : plane < POLICY_PLANES ? plane : -E2BIG;
			}
			table[options * POLICY_OPTIONS + port] = plane;
		}
	free(edge);
	return plane < 0 ? (int)plane : 0;
}

static int build_planes(struct ndiv *nd, const struct ndiv_policy *p, struct image *img, struct policy_head *head,
			struct kinds *planes)
{
	__u8 *table;
	int err;

	if (!has_origins(p)) {
		struct bits all = rules_from(p, POLICY_NO_PORT, 0);

		return kind_of(planes, &all) ? fail(nd, ENOMEM, "no memory") : 0;
	}
	table = calloc(1, POLICY_ORIGINS);
	err = table ? number_planes(p, planes, table) : -ENOMEM;
	if (err == -E2BIG)
		err = fail(nd, E2BIG, "%s: its services tell more than %d kinds of source ports apart", p->path,
			   POLICY_PLANES);
	else if (err)
		err = fail(nd, ENOMEM, "no memory");
	else
		head->origins = image_lines(img, POLICY_PLANE_LINES + POLICY_ORIGINS / POLICY_LINE);
	if (head->origins)
		memcpy(image_at(img, head->origins + POLICY_PLANE_LINES), table, POLICY_ORIGINS);
	free(table);
	return err;
}

/* --- cells */

/* Of those in all sets: the first one that is not dry, and the first dry one before it. */
static __u32 cell_of(const struct ndiv_policy *p, const struct bits *row, const struct bits *column,
		     const struct bits *plane)
{
	unsigned int i, rule, dry = 0;
	__u64 all;

	for (i = 0; i < WORDS; i++)
		for (all = row->w[i] & column->w[i] & plane->w[i]; all; all &= all - 1) {
			rule = i * 64 + __builtin_ctzll(all);
			if (!p->dry && !p->rule[rule].dry)
				return POLICY_CELL(rule, dry);
			if (!dry)
				dry = rule;
		}
	return POLICY_CELL(0, dry);
}

/* The cells of one plane: their first line. */
static __u32 build_plane(const struct ndiv_policy *p, struct image *img, const struct axes *axes, size_t plane)
{
	const struct kinds *rows = &axes->rows, *columns = &axes->columns;
	__u32 first = image_lines(img, rows->count * columns->count / 16 + 1), *cell = image_at(img, first);
	size_t r, c;

	for (r = 0; r < rows->count && !img->err; r++)
		for (c = 0; c < columns->count; c++)
			*cell++ = cell_of(p, &rows->set[r], &columns->set[c], &axes->planes.set[plane]);
	return first;
}

static int build_cells(struct ndiv *nd, const struct ndiv_policy *p, struct image *img, struct policy_head *head,
		       const struct axes *axes)
{
	size_t rows = axes->rows.count, columns = axes->columns.count, planes = axes->planes.count, i;
	__u32 first;

	if (rows * columns * planes > POLICY_CELLS_MAX)
		return fail(nd, E2BIG,
			    "%s: its services tell %zu kinds of addresses, %zu kinds of ports and %zu kinds of source "
			    "ports apart: more than %u cells; use fewer destinations or ranges",
			    p->path, rows, columns, planes, POLICY_CELLS_MAX);
	head->width = columns;
	for (i = 0; i < planes && !img->err; i++) {
		first = build_plane(p, img, axes, i);
		if (!i)
			head->cells = first;
		if (head->origins && !img->err)
			((__u32 *)image_at(img, head->origins))[i] = first;
	}
	return 0;
}

static int build_all(struct ndiv *nd, const struct ndiv_policy *p, struct image *img, struct policy_head *head,
		     struct prefixes *dests, struct axes *axes)
{
	struct bits base = { 0 };
	unsigned int r;
	size_t v4;
	int err;

	for (r = 1; r <= p->rule_count; r++)
		if (p->rule[r].is_service && !p->rule[r].dest.count)
			bits_add(&base, r);
	/* row 0: what is in no prefix */
	if (kind_of(&axes->rows, &base) || list_dests(p, dests) || number_rows(dests, &base, &axes->rows) ||
	    build_columns(p, img, head, &axes->columns))
		return fail(nd, ENOMEM, "no memory");
	err = build_planes(nd, p, img, head, &axes->planes);
	if (err)
		return err;
	v4 = count_v4(dests);
	trie_build(img, dests->p, v4, &head->root[POLICY_DEST4]);
	trie_build(img, dests->count ? dests->p + v4 : NULL, dests->count - v4, &head->root[POLICY_DEST6]);
	return build_cells(nd, p, img, head, axes);
}

/* Destinations, columns and cells into <img>, and into <head> where they are. 0, or -errno. */
int cells_build(struct ndiv *nd, const struct ndiv_policy *p, struct image *img, struct policy_head *head)
{
	struct prefixes dests = { 0 };
	struct axes axes = { 0 };
	int err = build_all(nd, p, img, head, &dests, &axes);

	free(dests.p);
	free(axes.rows.set);
	free(axes.columns.set);
	free(axes.planes.set);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/* policy_image.c - a policy as the kernel has it: handlers/shield/policy.h says how it lies there */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ban.h"
#include "policy.h"

#define LEAVES_MAX	(1U << 24)

/* What a bucket holds without a burst, as ndiv_limit() has it. */
#define AUTO_NS		100000000U
#define AUTO_BURST	10
#define AUTO_BYTES	65536
#define TICK_NS		10000000U
#define SECOND		1000000000ULL

/* --- lines */

/* <count> more lines, of zeros: the first of them; 0 (and img->err) if they cannot be had. */
__u32 image_lines(struct image *img, __u32 count)
{
	__u32 first = img->count, room = img->room ? img->room : 4096;
	__u8 *more;

	if (img->err)
		return 0;
	if (count > POLICY_LINES_MAX - first) {
		img->err = -EFBIG;
		return 0;
	}
	while (room < first + count)
		room *= 2;
	if (room != img->room) {
		more = realloc(img->line, (size_t)room * POLICY_LINE);
		if (!more) {
			img->err = -ENOMEM;
			return 0;
		}
		img->line = more;
		img->room = room;
	}
	memset(img->line + (size_t)first * POLICY_LINE, 0, (size_t)count * POLICY_LINE);
	img->count += count;
	return first;
}

void *image_at(const struct image *img, __u32 line)
{
	return img->line + (size_t)line * POLICY_LINE;
}

/* The number of one more leaf. */
__u32 image_leaf(struct image *img, const struct policy_leaf *leaf)
{
	__u32 room = img->leaf_room ? 2 * img->leaf_room : 4096;
	struct policy_leaf *more;

	if (img->err || img->leaf_count == LEAVES_MAX) {
		img->err = img->err ? img->err : -EFBIG;
		return 0;
	}
	if (img->leaf_count == img->leaf_room) {
		more = realloc(img->leaf, (size_t)room * sizeof(*more));
		if (!more) {
			img->err = -ENOMEM;
			return 0;
		}
		img->leaf = more;
		img->leaf_room = room;
	}
	img->leaf[img->leaf_count] = *leaf;
	return img->leaf_count++;
}

static void put_leaves(struct image *img, struct policy_head *head)
{
	head->leaves = image_lines(img, img->leaf_count / 2 + 1);
	if (!img->err && img->leaf_count)
		memcpy(image_at(img, head->leaves), img->leaf, (size_t)img->leaf_count * sizeof(*img->leaf));
	head->pairs = image_lines(img, sizeof(img->pair) / POLICY_LINE);
	if (!img->err)
		memcpy(image_at(img, head->pairs), img->pair, sizeof(img->pair));
}

void image_drop(struct image *img)
{
	free(img->line);
	free(img->leaf);
	memset(img, 0, sizeof(*img));
}

/* --- sources */

static int by_source(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;

	if (prefix_before(x, y))
		return -1;
	if (prefix_before(y, x))
		return 1;
	return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static int is_dry(const struct ndiv_policy *p, unsigned int rule)
{
	return p->dry || p->rule[rule].dry;
}

/*
 * The value of a prefix that all of <same> (<count>, in the order of their rules) are about: the first rule that is not
 * dry decides, and only the dry ones before it are heard; if there is none, what is <above> does.
 */
static __u32 source_value(const struct ndiv_policy *p, const struct prefix *same, size_t count, __u32 above)
{
	__u32 dry = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		if (!is_dry(p, same[i].rule))
			return POLICY_CELL(same[i].rule, dry);
		if (!dry)
			dry = same[i].rule;
	}
	return POLICY_CELL(POLICY_CELL_RULE(above), dry);
}

/* One of each prefix, with its value. Returns how many. */
static size_t number_sources(const struct ndiv_policy *p, struct prefix *list, size_t count)
{
	struct prefix *chain[130];	/* those that hold the current one */
	size_t i, same, kept = 0, depth = 0;

	for (i = 0; i < count; i += same) {
		for (same = 1; i + same < count && !prefix_before(&list[i], &list[i + same]); same++)
			;
		while (depth && !prefix_holds(chain[depth - 1], &list[i]))
			depth--;
		list[i].value = source_value(p, &list[i], same, depth ? chain[depth - 1]->value : 0);
		list[kept] = list[i];
		chain[depth++] = &list[kept++];
	}
	return kept;
}

static int build_sources(struct ndiv *nd, const struct ndiv_policy *p, struct image *img, struct policy_head *head)
{
	size_t count = p->source.count, v4;
	struct prefix *list;

	if (!count)
		return 0;
	list = malloc(count * sizeof(*list));
	if (!list)
		return fail(nd, ENOMEM, "no memory");
	memcpy(list, p->source.p, count * sizeof(*list));
	qsort(list, count, sizeof(*list), by_source);
	count = number_sources(p, list, count);
	for (v4 = 0; v4 < count && !list[v4].v6; v4++)
		;
	trie_build(img, list, v4, &head->root[POLICY_SOURCE4]);
	trie_build(img, list + v4, count - v4, &head->root[POLICY_SOURCE6]);
	head->prefixes = count;
	free(list);
	return 0;
}

/* --- rules */

static void put_rule(const struct rule *r, struct policy_rule *to)
{
	__u64 burst = r->burst ? r->burst : r->by_bytes ? AUTO_BYTES : AUTO_BURST;

	to->action = r->action;
	if (r->action != POLICY_LIMIT)
		return;
	to->per = r->per;
	to->by_bytes = r->by_bytes;
	to->ban = r->ban_ms >> BAN_TICK_SHIFT;
	to->after = r->ban_after;
	to->line = r->line < BAN_LINE_MAX ? r->line : BAN_LINE_MAX;
	to->gap = (r->by_bytes ? SECOND << 16 : SECOND) / r->rate;
	to->depth = r->by_bytes ? burst * SECOND / r->rate : burst * to->gap;
	if (!r->burst && to->depth < AUTO_NS)
		to->depth = AUTO_NS;
	if (to->depth < TICK_NS)
		to->depth = TICK_NS;
}

static void put_rules(const struct ndiv_policy *p, struct image *img, struct policy_head *head)
{
	struct policy_text *text;
	unsigned int r;

	head->rules = image_lines(img, POLICY_RULES / 2);
	head->texts = image_lines(img, (p->rule_count + 1) * 4);
	for (r = 1; r <= p->rule_count && !img->err; r++) {
		put_rule(&p->rule[r], (struct policy_rule *)image_at(img, head->rules) + r);
		text = (struct policy_text *)image_at(img, head->texts) + r;
		text->line = p->rule[r].line;
		text->dry = is_dry(p, r);
		memcpy(text->text, p->rule[r].text, sizeof(text->text));
	}
	head->count = p->rule_count;
}

static int build(struct ndiv *nd, const struct ndiv_policy *p, __u32 bank, struct image *img)
{
	struct policy_head head = { .magic = POLICY_MAGIC, .bank = bank, .dry = p->dry, .since = time(NULL) };
	int err;

	image_lines(img, sizeof(head) / POLICY_LINE);
	snprintf(head.from, sizeof(head.from), "%s", p->path);
	err = build_sources(nd, p, img, &head);
	if (!err)
		err = cells_build(nd, p, img, &head);
	if (err)
		return err;
	put_rules(p, img, &head);
	put_leaves(img, &head);
	if (img->err == -EFBIG)
		return fail(nd, EFBIG, "%s: it would take more than %u MB", p->path,
			    POLICY_LINES_MAX / (1048576 / POLICY_LINE));
	if (img->err)
		return fail(nd, -img->err, "no memory");
	head.lines = img->count;
	memcpy(image_at(img, 0), &head, sizeof(head));
	return 0;
}

/* Compiles <p>, whose rules count in <bank>. On failure there is nothing to be dropped. */
int image_make(struct ndiv *nd, const struct ndiv_policy *p, __u32 bank, struct image *img)
{
	int err;

	memset(img, 0, sizeof(*img));
	err = build(nd, p, bank, img);
	if (err)
		image_drop(img);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_policy.c - the compiler of shield's policies
 *
 * The input is a policy. What is taken is compiled, and the image must be sound: whatever a packet is, the kernel's
 * side finds its way through it, to a rule that there is.
 */
#define _GNU_SOURCE
#include <string.h>
#include "../../lib/policy.h"
#include "fuzz.h"

static const struct image *img;
static __u32 planes;

static const void *line(__u64 nr)
{
	must(nr < img->count);
	return image_at(img, nr);
}

static void check_cell(const struct policy_head *head, __u32 cell)
{
	must(POLICY_CELL_RULE(cell) <= head->count && POLICY_CELL_DRY(cell) <= head->count);
	must(cell == POLICY_CELL(POLICY_CELL_RULE(cell), POLICY_CELL_DRY(cell)));
}

/* Where the cells of plane <plane> begin. */
static __u32 plane_cells(const struct policy_head *head, __u32 plane)
{
	return head->origins ? ((const __u32 *)line(head->origins + plane / 16))[plane % 16] : head->cells;
}

/* The last plane is the last in the image, so all have as many rows as it. */
static void check_value(const struct policy_head *head, __u32 value, int is_dest)
{
	if (is_dest)
		line(plane_cells(head, planes - 1) + ((__u64)value * head->width + head->width - 1) / 16);
	else
		check_cell(head, value);
}

static void check_entry(const struct policy_head *head, __u32 e, unsigned int at, int is_dest)
{
	const struct policy_leaf *leaf;
	const __u32 *words;
	int i;

	switch (POLICY_KIND(e)) {
	case POLICY_VALUE:
		return check_value(head, POLICY_REST(e), is_dest);
	case POLICY_LEAF:
		must(POLICY_REST(e) < img->leaf_count);
		leaf = (const struct policy_leaf *)line(head->leaves + POLICY_REST(e) / 2) + POLICY_REST(e) % 2;
		must(leaf->len > at && leaf->len <= 128);
		check_value(head, leaf->in, is_dest);
		return check_value(head, leaf->out, is_dest);
	case POLICY_BYTE:
		must(at == 24 && POLICY_BYTE_PAIR(e) < img->pair_count);
		check_value(head, img->pair[POLICY_BYTE_PAIR(e)].in, is_dest);
		return check_value(head, img->pair[POLICY_BYTE_PAIR(e)].out, is_dest);
	case POLICY_NODE:
		must(at < 128);
		words = line(POLICY_REST(e));
		for (i = 0; i < 16; i++)
			check_entry(head, words[i], at + POLICY_STRIDE, is_dest);
		return;
	}
	abort();
}

static void check_trie(const struct policy_head *head, enum policy_trie which)
{
	const struct policy_root *root = &head->root[which];
	__u32 i, e, last = 0;

	if (!root->line)
		return check_value(head, 0, which >= POLICY_DEST4);
	must(root->bits == 16 || root->bits == 24);
	for (i = 0; i < 1U << root->bits; i++) {
		e = ((const __u32 *)line(root->line + i / 16))[i % 16];
		if (!i || e != last)
			check_entry(head, e, root->bits, which >= POLICY_DEST4);
		last = e;
	}
}

static __u32 count_planes(const struct policy_head *head)
{
	__u32 i, last = 0, plane;

	for (i = 0; head->origins && i < POLICY_ORIGINS; i++) {
		plane = ((const __u8 *)line(head->origins + POLICY_PLANE_LINES + i / 64))[i % 64];
		last = plane > last ? plane : last;
	}
	return last + 1;
}

static void check_image(void)
{
	const struct policy_head *head = line(0);
	__u32 i, rows;

	must(head->magic == POLICY_MAGIC && head->lines == img->count && head->count < POLICY_RULES);
	line(head->rules + head->count / 2);
	line(head->texts + 4ULL * head->count + 3);
	planes = count_planes(head);
	for (i = 0; i < POLICY_TRIES; i++)
		check_trie(head, i);
	for (i = 0; i < POLICY_SELECTORS; i++)
		must(((const __u16 *)line(head->columns + i / 32))[i % 32] < head->width);
	rows = (head->rules - head->cells) * 16;
	for (i = 0; i < rows; i++)
		check_cell(head, ((const __u32 *)line(head->cells + i / 16))[i % 16]);
	for (i = 1; i <= head->count; i++)
		must(memchr(((const struct policy_text *)line(head->texts) + i)->text, 0,
			    sizeof(((struct rule *)0)->text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ndiv_policy policy;
	static struct ndiv nd;
	struct image made;
	char *text;

	/* no files: what they hold is the same as what stands between braces */
	if (memmem(data, size, "file", 4))
		return 0;
	text = malloc(size ? size : 1);	/* as long as said */
	must(text);
	memcpy(text, data, size);
	*nd.err = 0;
	if (policy_parse(&nd, "p", text, size, &policy)) {
		must(*nd.err);
	} else if (!image_make(&nd, &policy, 1, &made)) {
		img = &made;
		check_image();
		image_drop(&made);
	} else {
		must(*nd.err);
	}
	policy_free(&policy);
	free(text);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_ban.c - files of bans, and the table that they go into
 *
 * The first byte says how long lines without a time are banned (0: they must not be); the rest is a file. What is taken
 * goes into a small table, in plain memory, where all that is said to be in it must be found.
 */
#include <string.h>
#include "../../lib/ban.h"
#include "fuzz.h"

#define BUCKETS	4
#define NOW	1764072000000ULL
#define TICK	1000U

static struct ban_bucket lines[BUCKETS + 1];
static struct ban_view view = { (struct ban_head *)lines, lines + 1, sizeof(lines) };

static void no_wait(void)
{
}

static void begin(void)
{
	memset(lines, 0, sizeof(lines));
	view.head->key[0] = 1;
	view.head->key[1] = 2;
	view.head->len[0][0] = 32;
	view.head->len[1][0] = 64;
	view.head->mask = BUCKETS - 1;
	view.head->magic = BAN_MAGIC;
}

static int check_one(const struct ban *ban, void *arg)
{
	__u32 v6 = BAN_SHAPE_V6(ban->shape), len = BAN_SHAPE_LEN(ban->shape), i;

	must(ban->until > TICK);
	for (i = 0; i < BAN_LENGTHS; i++)
		if (view.head->len[v6][i] == len && view.head->until[v6][i] >= ban->until)
			return 0;
	abort();
}

static void check_wish(const struct ban_wish *w)
{
	__u32 len = BAN_SHAPE_LEN(w->shape);

	must(len && len <= (BAN_SHAPE_V6(w->shape) ? 64 : 32));
	must(!(w->addr & ~(~0ULL << (64 - len))));
}

static void put(const struct ban_wish *w)
{
	struct ban ban = { w->addr, w->end == BAN_ENDLESS ? BAN_FOREVER : TICK + 1 + (__u32)w->end % 1000, w->line,
			   w->shape };
	size_t before = ban_count(&view, TICK);
	enum ban_put got = ban_put(&view, &ban, TICK);
	size_t after = ban_count(&view, TICK);

	must(got < BAN_PUT_LENGTHS || after == before);
	must(got != BAN_PUT_EVICTED || after == before);
	must(got != BAN_PUT_DONE || after == before || after == before + 1);
	ban_each(&view, TICK, check_one, NULL);
	if (got >= BAN_PUT_LENGTHS || w->end % 3)
		return;
	must(ban_lift(&view, w->addr, w->shape, TICK) == 1);
	ban_settle(&view, TICK, no_wait);
	must(ban_count(&view, TICK) == after - 1);
	ban_each(&view, TICK, check_one, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ndiv nd;
	struct ban_list list = { 0 };
	char *text;
	size_t i;

	if (!size)
		return 0;
	text = malloc(size);	/* as long as said */
	must(text);
	memcpy(text, data + 1, size - 1);
	*nd.err = 0;
	if (ban_parse(&nd, "p", text, size - 1, NOW, data[0] == 255 ? BAN_ENDLESS : data[0], &list)) {
		must(*nd.err);
	} else {
		begin();
		for (i = 0; i < list.count; i++) {
			check_wish(&list.w[i]);
			put(&list.w[i]);
		}
	}
	free(list.w);
	free(text);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * chain.c - chains of the test handlers
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "chain.h"

struct instance {
	int	set;
	enum who who;
	const char *object;
	struct run_option options[4];
};

static const struct instance instances[] = {
	{ 0, ACCEPT, "accept", { { 0 } } },
	{ 0, UNTAG, "untag", { { 0 } } },
	{ 0, DROP, "drop", { { 0 } } },
	{ 0, REPLY, "reply", { U16("tag", 'R') } },
	{ 0, LONG, "long", { U16("size", 1000) } },
	{ 0, REFUSE, "long", { BOOL("refuse", 1) } },
	{ 0, BURST, "burst", { U16("count", 4), U16("size", 1200), U16("step", 50) } },
	{ 0, POSTPONE, "postpone", { { 0 } } },
	{ 0, FORWARD, "forward", { U32("to", 99) } },
	{ 0, BAD, "bad", { { 0 } } },
	{ 0, MARK1, "mark", { { 0 } } },
	{ 0, MARK2, "mark", { { 0 } } },
	{ 0, TX, "tx", { { 0 } } },
	{ 0, MALFORMED, "malformed", { { 0 } } },
	{ 0, DONE, "rxdone", { { 0 } } },
	{ 1, TOO_LONG, "long", { U16("size", 3600) } },
	{ 1, LONG_3000, "long", { U16("size", LONGEST) } },
	{ 1, BURST_0, "burst", { U16("count", 0) } },
	{ 1, BURST_1, "burst", { U16("count", 1) } },
	{ 1, BURST_16, "burst", { U16("count", 16), U16("size", 1400), U16("step", 10) } },
	{ 1, BURST_17, "burst", { U16("count", 17) } },
	{ 1, BURST_LONG, "burst", { U16("size", LONGEST + 1) } },
	{ 1, BURST_3000, "burst", { U16("count", 2), U16("size", LONGEST), U16("step", 200) } },
	{ 1, BURST_FAIL, "burst", { U16("count", 4), U16("size", 200), U16("step", 60) } },
	{ 1, POSTPONE_9, "postpone", { U16("rounds", 100) } },
	{ 1, POSTPONE_SLOW, "postpone", { U32("delay", 1500), U16("rounds", 100) } },
	{ 1, FORWARD_BACK, "forward", { U32("to", 1) } },
	{ 1, FULL, "full", { { 0 } } },
	{ 1, REPEAT, "repeat", { U16("port", T_LONG), U16("delay", 700) } },
};

struct run chain_runs[2];
char chain_fill[4096];

static int load(struct run *r, int set)
{
	const struct instance *i;
	char name[64];
	size_t n;

	if (run_open(r, NULL))
		return -1;
	for (n = 0; n < sizeof(instances) / sizeof(instances[0]); n++) {
		i = &instances[n];
		if (i->set != set)
			continue;
		snprintf(name, sizeof(name), "t/handlers/%s.bpf.o", i->object);
		if (run_add(r, run_path(name), i->options) != (int)i->who)
			return -1;
	}
	return 0;
}

int chain_open(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(chain_fill); i++)
		chain_fill[i] = T_FILL(0, i);
	return load(&chain_runs[0], 0) || load(&chain_runs[1], 1) ? -1 : 0;
}

int chain_close(void **state)
{
	run_close(&chain_runs[0]);
	run_close(&chain_runs[1]);
	return 0;
}

int chain_use(struct run *r, const enum who *chain)
{
	uint32_t ids[CHAIN_MAX], n;

	for (n = 0; n < CHAIN_MAX && chain[n]; n++)
		ids[n] = chain[n];
	return run_order(r, ids, n) || run_reset(r) ? -1 : 0;
}

static const char *const verdict_names[NDIV_VERDICTS] = { "NEXT",  "PASS",     "DROP",	  "REPLY",
							  "BURST", "POSTPONE", "FORWARD", "REPEAT" };

static const char *wrong(const char *fmt, ...)
{
	static char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return text;
}

/* Of one handler. */
static const char *handler_differs(int who, const struct ndiv_cpu *a, const struct ndiv_cpu *b)
{
	int i;

	for (i = 0; i < NDIV_VERDICTS; i++)
		if (memcmp(&a->verdict[who][i], &b->verdict[who][i], sizeof(struct ndiv_count)))
			return wrong("verdict %s of handler %d: %llu packets, %llu bytes, not %llu, %llu",
				     verdict_names[i], who, a->verdict[who][i].packets, a->verdict[who][i].bytes,
				     b->verdict[who][i].packets, b->verdict[who][i].bytes);
	for (i = 0; i < NDIV_REASONS_MAX; i++)
		if (a->reason[who][i] != b->reason[who][i])
			return wrong("reason %d of handler %d: %llu and not %llu", i, who, a->reason[who][i],
				     b->reason[who][i]);
	for (i = 0; i < NDIV_COUNTERS_MAX; i++)
		if (a->counter[who][i] != b->counter[who][i])
			return wrong("counter %d of handler %d: %llu and not %llu", i, who, a->counter[who][i],
				     b->counter[who][i]);
	return NULL;
}

const char *chain_differs(const struct ndiv_cpu *got, const struct ndiv_cpu *want)
{
	const char *bad = NULL;
	int who;

	for (who = 0; who < NDIV_HANDLERS_MAX && !bad; who++)
		bad = handler_differs(who, got, want);
	if (bad)
		return bad;
	if (got->sent.packets != want->sent.packets || got->sent.bytes != want->sent.bytes)
		return wrong("sent %llu packets, %llu bytes, not %llu, %llu", got->sent.packets, got->sent.bytes,
			     want->sent.packets, want->sent.bytes);
	return got->tx_lost == want->tx_lost ? NULL : wrong("%llu lost", got->tx_lost);
}

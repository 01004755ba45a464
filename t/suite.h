/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * suite.h - what tests of handlers have in common: how they fail, and how rows become tests
 *
 * Not in harness/: benchmarks use that, too, and are linked without cmocka.
 */
#ifndef T_SUITE_H
#define T_SUITE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "run.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define SUITE_MAX	1000

static struct CMUnitTest suite_tests[SUITE_MAX];
static size_t suite_count;

/* <bad> is a fault, or NULL. */
static inline void must(const char *name, const char *bad)
{
	if (bad)
		fail_msg("%s: %s", name, bad);
}

/* The <len> bytes at <data> are those at <want>. */
static inline void must_equal(const char *name, const uint8_t *data, size_t len, const uint8_t *want, size_t want_len)
{
	must(name, pkt_differs(data, len, want, want_len));
}

/* Handler <id> is the chain, and has counted nothing. */
static inline void use(struct run *r, uint32_t id)
{
	assert_int_equal(run_order(r, &id, 1), 0);
	assert_int_equal(run_reset(r), 0);
}

/* One test more: <fn> of <row>. */
static inline void add(const char *name, CMUnitTestFunction fn, const void *row)
{
	if (suite_count == SUITE_MAX)
		abort();
	suite_tests[suite_count++] = (struct CMUnitTest){ name, fn, NULL, NULL, (void *)row };
}

/* The same of a row's <what>: "<name>, <what>". */
static inline void add_also(const char *name, const char *what, CMUnitTestFunction fn, const void *row)
{
	size_t size = strlen(name) + strlen(what) + 3;
	char *both = malloc(size);

	if (!both)
		abort();
	snprintf(both, size, "%s, %s", name, what);
	add(both, fn, row);
}

static struct run *suite_of;
static int (*suite_load)(void);

static inline int suite_open(void **state)
{
	return run_open(suite_of, NULL) || suite_load() ? -1 : 0;
}

static inline int suite_close(void **state)
{
	run_close(suite_of);
	return 0;
}

/* All that were added, in <r>, into which <load> (0, or not) puts handlers first. */
static inline int suite_run(const char *name, struct run *r, int (*load)(void))
{
	suite_of = r;
	suite_load = load;
	return _cmocka_run_group_tests(name, suite_tests, suite_count, suite_open, suite_close);
}

#endif

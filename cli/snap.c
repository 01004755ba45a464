// SPDX-License-Identifier: GPL-2.0-only
/* snap.c - state and counters of interfaces at one moment, for the listings */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "out.h"
#include "snap.h"

const char *const snap_paths[NDIV_CPU_COUNT] = { [NDIV_CPU_RX] = "rx", [NDIV_CPU_TX] = "tx", [NDIV_CPU_IN] = "in" };

struct reading {
	struct snaps *to;
	int per_cpu;
	char *err;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void snap_free(struct snap *sn)
{
	int which;

	for (which = 0; which < NDIV_CPU_COUNT; which++)
		free(sn->cpu[which]);
	free(sn);
}

/* The library tells the number of CPUs by refusing the next one. */
static void read_cpus(struct ndiv *nd, struct snap *sn, int which)
{
	struct ndiv_stats one;
	unsigned int n;

	for (n = 0; !ndiv_stats(nd, which, n, &one); n++) {
		sn->cpu[which] = out_realloc(sn->cpu[which], (n + 1) * sizeof(one));
		sn->cpu[which][n] = one;
	}
	if (which == NDIV_CPU_RX || n < sn->cpus)
		sn->cpus = n;
}

int snap_has(const struct ndiv_state *st, int which)
{
	return which == NDIV_CPU_TX ? st->tx : which == NDIV_CPU_IN ? st->in : 1;
}

static int read_one(struct ndiv *nd, struct snap *sn, int per_cpu)
{
	int which, err;

	err = ndiv_state(nd, &sn->st);
	for (which = 0; !err && sn->st.attached && which < NDIV_CPU_COUNT; which++)
		if (snap_has(&sn->st, which))
			err = ndiv_stats(nd, which, -1, &sn->stats[which]);
	sn->when = now();
	for (which = 0; !err && sn->st.attached && per_cpu && which < NDIV_CPU_COUNT; which++)
		if (snap_has(&sn->st, which))
			read_cpus(nd, sn, which);
	return err;
}

/* One that vanished while it was read is not there. */
static int add(struct ndiv *nd, void *arg)
{
	struct reading *r = arg;
	struct snap *sn = out_alloc(sizeof(*sn));
	int err;

	err = read_one(nd, sn, r->per_cpu);
	if (err || !sn->st.attached) {
		r->to->foreign = err ? 0 : sn->st.foreign;
		memcpy(r->to->foreign_name, sn->st.foreign_name, sizeof(r->to->foreign_name));
		if (err == -ENODEV || err == -ENOENT)
			err = 0;
		if (err)
			snprintf(r->err, SNAP_ERR_LEN, "%s%s%s", sn->st.ifname, *sn->st.ifname ? ": " : "",
				 ndiv_error(nd));
		snap_free(sn);
		return err;
	}
	r->to->snap = out_realloc(r->to->snap, (r->to->count + 1) * sizeof(*r->to->snap));
	r->to->snap[r->to->count++] = sn;
	return 0;
}

static int read_named(struct reading *r, const char *ifname)
{
	struct ndiv *nd = NULL;
	char text[SNAP_ERR_LEN - 64] = "";
	int err;

	err = ndiv_open(&nd, ifname, 1, text, sizeof(text));
	if (err) {
		snprintf(r->err, SNAP_ERR_LEN, "%.32s: %s", ifname, *text ? text : strerror(-err));
		return err;
	}
	err = add(nd, r);
	ndiv_close(nd);
	return err;
}

static int by_ifindex(const void *a, const void *b)
{
	uint32_t x = (*(struct snap *const *)a)->st.ifindex, y = (*(struct snap *const *)b)->st.ifindex;

	return x < y ? -1 : x > y;
}

int snaps_read(struct snaps *s, const char *ifname, int per_cpu, char *err)
{
	struct reading r = { .to = s, .per_cpu = per_cpu, .err = err };
	int ret;

	*s = (struct snaps){ 0 };
	*err = 0;
	ret = ifname ? read_named(&r, ifname) : ndiv_each(add, &r, err, SNAP_ERR_LEN);
	if (ret) {
		if (!*err)
			snprintf(err, SNAP_ERR_LEN, "%s", strerror(-ret));
		snaps_free(s);
		return ret;
	}
	if (s->count)
		qsort(s->snap, s->count, sizeof(*s->snap), by_ifindex);
	return 0;
}

void snaps_free(struct snaps *s)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		snap_free(s->snap[i]);
	free(s->snap);
	*s = (struct snaps){ 0 };
}

const struct snap *snaps_find(const struct snaps *s, uint32_t ifindex)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		if (s->snap[i]->st.ifindex == ifindex)
			return s->snap[i];
	return NULL;
}

/* --- names */

size_t snap_ids(const struct snap *sn, unsigned int *ids)
{
	size_t i;

	for (i = 0; i < sn->st.count; i++)
		ids[i] = sn->st.handler[i].id;
	ids[i] = 0;
	return i + 1;
}

static const struct ndiv_info *info(const struct snap *sn, unsigned int id)
{
	size_t i;

	for (i = 0; i < sn->st.count; i++)
		if (sn->st.handler[i].id == id)
			return &sn->st.handler[i].entry.info;
	return NULL;
}

const char *snap_handler(const struct snap *sn, unsigned int id)
{
	const struct ndiv_info *in = info(sn, id);

	return in ? in->name : "core";
}

static const char *numbered(char *buf, const char *what, unsigned int n)
{
	snprintf(buf, SNAP_NAME_LEN, "%s-%u", what, n);
	return buf;
}

static uint64_t get_verdict(const struct ndiv_stats *stats, unsigned int id, unsigned int n)
{
	return stats->verdict[id][n].packets;
}

static int has_verdict(const struct snap *sn, unsigned int id, unsigned int n)
{
	return n <= NDIV_REPEAT;
}

static const char *name_verdict(const struct snap *sn, unsigned int id, unsigned int n, char *buf)
{
	return n <= NDIV_REPEAT ? ndiv_verdict_name(n) : numbered(buf, "verdict", n);
}

static uint64_t get_reason(const struct ndiv_stats *stats, unsigned int id, unsigned int n)
{
	return stats->reason[id][n];
}

static int has_reason(const struct snap *sn, unsigned int id, unsigned int n)
{
	const struct ndiv_info *in = info(sn, id);

	return in ? in->reasons[n][0] : n > NDIV_R_NONE && n <= NDIV_R_CORE_LAST;
}

static const char *name_reason(const struct snap *sn, unsigned int id, unsigned int n, char *buf)
{
	const struct ndiv_info *in = info(sn, id);

	if (!has_reason(sn, id, n))
		return n ? numbered(buf, "reason", n) : "unspecified";
	return in ? in->reasons[n] : ndiv_core_reason(n);
}

static uint64_t get_counter(const struct ndiv_stats *stats, unsigned int id, unsigned int n)
{
	return stats->counter[id][n];
}

/* The core's counters are those of its reasons that make a packet malformed. */
static int has_counter(const struct snap *sn, unsigned int id, unsigned int n)
{
	const struct ndiv_info *in = info(sn, id);

	return in ? in->counters[n][0] : n > NDIV_R_NONE && n <= NDIV_R_MALFORMED_LAST;
}

static const char *name_counter(const struct snap *sn, unsigned int id, unsigned int n, char *buf)
{
	const struct ndiv_info *in = info(sn, id);

	if (!has_counter(sn, id, n))
		return numbered(buf, "counter", n);
	return in ? in->counters[n] : ndiv_core_reason(n);
}

const struct snap_kind snap_kinds[SNAP_KINDS] = {
	{ "verdict", "verdicts", NDIV_VERDICTS, get_verdict, has_verdict, name_verdict },
	{ "drop reason", "reasons", NDIV_REASONS_MAX, get_reason, has_reason, name_reason },
	{ "counter", "counters", NDIV_COUNTERS_MAX, get_counter, has_counter, name_counter },
};

const char *snap_hook(int kind)
{
	static const char *const names[] = { NULL, "tcx", "clsact" };

	return kind >= 0 && kind <= 2 ? names[kind] : "?";
}

const char *snap_title(const struct ndiv_state *st, int which, char *buf)
{
	snprintf(buf, SNAP_TITLE_LEN, "%s (%s)", which == NDIV_CPU_TX ? "transmit path" : "to the stack",
		 snap_hook(which == NDIV_CPU_TX ? st->tx : st->in));
	return buf;
}

/* What is kept is the number less 1, so that never is 0 less 1. */
uint32_t snap_sample(const struct ndiv_state *st)
{
	return st->conf.sample + 1;
}

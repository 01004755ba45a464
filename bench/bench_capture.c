// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_capture.c - what a capture adds to each packet
 *
 * The same entry with its tap and without takes turns; the difference is what the tap costs: clock, copy, options. The
 * ring is never full, and nobody reads it: it is gone around again and again (its reader pretends to be far ahead). It
 * has 1 MB, so that it stays in the cache, as it does where a reader keeps up.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include "../lib/internal.h"
#include "run.h"
#include "sniff.h"
#include "suite.h"
#include "sustain.h"

#define RING		(1 << 20)
#define FAR_AHEAD	0xfffffff0U	/* a tail that the writer never reaches */

struct capture_case {
	const char *name;
	uint32_t len;			/* of the packet */
	int	coarse, record;
	const char *filter;
	unsigned int points;
};

static const struct capture_case cases[] = {
	{ "capture/60", 60, .points = 1 << NDIV_POINT_RX },
	{ "capture/60-coarse", 60, .coarse = 1, .points = 1 << NDIV_POINT_RX },
	{ "capture/512", 512, .points = 1 << NDIV_POINT_RX },
	{ "capture/1500", 1500, .points = 1 << NDIV_POINT_RX },
	{ "capture/60-verdict", 60, .points = 1 << NDIV_POINT_VERDICT },
	{ "capture/60-record", 60, .record = 1, .points = 1 << NDIV_POINT_RX },
	{ "capture/60-filter", 60, .filter = "udp port 9", .points = 1 << NDIV_POINT_RX },
	{ "capture/rejected", 60, .filter = "udp port 10", .points = 1 << NDIV_POINT_RX },
};

static struct run run;
static struct ndiv nd = { .ifname = "bench", .lock = -1 };
static struct ndiv_capture *cap;
static struct pkt pkt;

static int open_capture(const struct capture_case *c)
{
	struct tap_maps maps = { .cpus = run.cpus, .chain = run.chain };
	int i;

	cap->nd = &nd;
	cap->opts = (struct ndiv_capture_opts){ .points = c->points, .ring = RING, .snaplen = NDIV_SNAPLEN_MAX,
						.coarse = c->coarse, .record = c->record,
						.filter = c->filter };
	cap->cpus = run.cpu_count;
	cap->link = cap->tx_link = -1;
	for (i = 0; i < NDIV_POINTS; i++)
		cap->filter[i] = -1;
	cap->taps = dup(bpf_object__find_map_fd_by_name(run.core, "ndiv_taps"));
	cap->tab = calloc(1, sizeof(*cap->tab));
	cap->outcomes = calloc(NDIV_OUTCOMES, sizeof(*cap->outcomes));
	if (!cap->tab || !cap->outcomes)
		return -1;
	cap->tab->map = -1;
	if (tap_load(cap, &maps) || tap_filter(cap, &maps) || tap_rings(cap) || outcomes_check(cap))
		return suite_fault(c->name, "%s", nd.err);
	cap->reader[run.cpu].ring->tail = FAR_AHEAD;
	return 0;
}

static int load(const struct capture_case *c)
{
	cap = calloc(1, sizeof(*cap));
	if (!cap || run_open(&run, NULL))
		return -1;
	run.conf->sample = 1023;
	return open_capture(c);
}

static void unload(void)
{
	ndiv_capture_close(cap);
	cap = NULL;
	run_close(&run);
}

/* What the two sides call before their batches. */
static int tap(void *arg, uint32_t n)
{
	return tap_in(cap);
}

static int untap(void *arg, uint32_t n)
{
	ndiv_capture_stop(cap);
	return 0;
}

/* All of <packets> must have come to the tap, and be captured, or rejected where the filter wants none. */
static int check(const struct capture_case *c, uint64_t packets)
{
	const struct ndiv_ring_count *n = &cap->reader[run.cpu].ring->count[c->points == 1 << NDIV_POINT_RX
									     ? NDIV_POINT_RX : NDIV_POINT_VERDICT];
	int none = !strcmp(c->name, "capture/rejected");

	if (n->seen != packets || n->lost || n->rejected != (none ? packets : 0))
		return suite_fault(c->name, "%llu packets given, %llu seen, %llu rejected, %llu lost",
				   (unsigned long long)packets, (unsigned long long)n->seen,
				   (unsigned long long)n->rejected, (unsigned long long)n->lost);
	return 0;
}

static int one_run(const struct capture_case *c, struct samples *to)
{
	struct side sides[] = {
		{ .name = "without", .prog = run.entry, .before = untap },
		{ .name = "with", .prog = run.entry, .before = tap },
	};
	int err;

	err = measure(sides, 2, pkt.data, pkt.len, 0);
	if (!err)
		err = check(c, sides[1].packets);
	samples_add(to, measure_net(&sides[1], &sides[0]));
	return err;
}

static int bench(struct suite *s, const struct capture_case *c)
{
	const struct pkt_layer layers[] = { IP4(), UDP(.dport = 9), DATA(c->len - 42), { 0 } };
	struct samples v = { 0 };
	uint32_t i;
	int err = 0;

	pkt_build(&pkt, layers);
	for (i = 0; !err && i < s->runs; i++) {
		err = load(c);
		if (!err)
			err = one_run(c, &v);
		unload();
	}
	if (!err)
		suite_row(s, &(struct row){ .name = c->name, .unit = "ns", .value = &v });
	return err;
}

int main(int argc, char **argv)
{
	struct suite s;
	size_t i;
	int err;

	err = suite_begin(&s, "capture", argc, argv);
	for (i = 0; !err && i < sizeof(cases) / sizeof(cases[0]); i++)
		err = bench(&s, &cases[i]);
	if (!err && s.lab)
		err = sniff_bench(&s);
	if (!err && s.lab)
		err = sustain_bench(&s);
	return suite_end(&s, err);
}

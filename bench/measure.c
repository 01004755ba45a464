// SPDX-License-Identifier: GPL-2.0-only
/* measure.c - nanoseconds per packet, by repeated test runs */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <bpf/bpf.h>
#include "measure.h"

/* Packets: some 10 ms, so that what is cold at first, and the system call (0.4 ms), count for little. */
#define BATCH	200000

#define ROUNDS_FLOWS	3	/* a walk through all flows takes longer */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(const double *v, size_t n)
{
	double copy[RUNS_MAX];

	if (!n)
		return 0;
	memcpy(copy, v, n * sizeof(*v));
	qsort(copy, n, sizeof(*copy), compare);
	return n & 1 ? copy[n / 2] : (copy[n / 2 - 1] + copy[n / 2]) / 2;
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int batch(struct side *s, uint32_t packets, const void *data, size_t len)
{
	static uint8_t out[RUN_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = len, .data_out = out,
		    .data_size_out = sizeof(out), .repeat = packets);
	double start;
	int err;

	err = s->before ? s->before(s->arg, s->n) : 0;
	start = cpu_ns();
	if (!err)
		err = bpf_prog_test_run_opts(s->prog, &opts);
	s->ns[s->rounds++] = (cpu_ns() - start) / packets;
	s->packets += packets;
	if (err)
		fprintf(stderr, "bench: test run of %s: %s\n", s->name, strerror(-err));
	return err;
}

int measure(struct side *sides, size_t count, const void *data, size_t len, uint32_t flows)
{
	size_t rounds = flows ? ROUNDS_FLOWS : ROUNDS, round, i;
	int err;

	for (i = 0; i < count; i++)
		sides[i].rounds = 0;
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < count; i++) {
			/* there and back, so that none always comes after the same one */
			err = batch(&sides[round & 1 ? count - 1 - i : i], flows ? flows : BATCH, data, len);
			if (err)
				return err;
		}
	}
	return 0;
}

double measure_gross(const struct side *side)
{
	return median(side->ns, side->rounds);
}

double measure_net(const struct side *side, const struct side *empty)
{
	double d[ROUNDS];
	size_t i;

	for (i = 0; i < side->rounds; i++)
		d[i] = side->ns[i] - empty->ns[i];
	return median(d, side->rounds);
}

void samples_add(struct samples *s, double v)
{
	if (s->n < RUNS_MAX)
		s->v[s->n++] = v;
}

double samples_median(const struct samples *s)
{
	return median(s->v, s->n);
}

double samples_min(const struct samples *s)
{
	double min = s->n ? s->v[0] : 0;
	uint32_t i;

	for (i = 1; i < s->n; i++)
		if (s->v[i] < min)
			min = s->v[i];
	return min;
}

double samples_max(const struct samples *s)
{
	double max = s->n ? s->v[0] : 0;
	uint32_t i;

	for (i = 1; i < s->n; i++)
		if (s->v[i] > max)
			max = s->v[i];
	return max;
}

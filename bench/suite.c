// SPDX-License-Identifier: GPL-2.0-only
/* suite.c - what the main() of each suite has in common: options, the CPU, results */
#define _GNU_SOURCE	/* sched_setaffinity() */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "suite.h"

#define RUNS	11
#define BUSY	5	/* percent of a CPU that others may have without a warning */

static void usage(FILE *to, const char *name)
{
	fprintf(to,
		"usage: bench_%s [-n RUNS] [-c CPU] [-l LAB] [-o FILE]\n"
		"  -n RUNS  measure so often, %d to %d (default %d)\n"
		"  -c CPU   run on this one (default: the last)\n"
		"  -l LAB   a lab that is up (lab/lab); without it nothing is sent\n"
		"  -o FILE  write the rows as JSON, one a line\n",
		name, RUNS_MIN, RUNS_MAX, RUNS);
}

static long number(const char *text, long min, long max)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(text, &end, 10);
	return errno || end == text || *end || v < min || v > max ? -1 : v;
}

static int bind_cpu(int cpu)
{
	cpu_set_t set;
	int i;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -errno;
	for (i = 0; cpu < 0 && i < CPU_SETSIZE; i++)
		if (CPU_ISSET(CPU_SETSIZE - 1 - i, &set))
			cpu = CPU_SETSIZE - 1 - i;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : cpu;
}

static double wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void look(const struct suite *s, struct machine *m)
{
	unsigned long long v[8];
	struct rusage own;
	char line[256] = "";
	FILE *f = fopen("/proc/stat", "r");
	int cpu;

	memset(m, 0, sizeof(*m));
	m->time = wall();
	getrusage(RUSAGE_SELF, &own);
	m->own = own.ru_utime.tv_sec + own.ru_utime.tv_usec / 1e6 + own.ru_stime.tv_sec + own.ru_stime.tv_usec / 1e6;
	while (f && fgets(line, sizeof(line), f)) {
		if (line[3] == ' ' || sscanf(line, "cpu%d %llu %llu %llu %llu %llu %llu %llu %llu", &cpu, &v[0], &v[1],
					     &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) != 9)
			continue;
		*(cpu == s->cpu ? &m->here : &m->others) += v[0] + v[1] + v[2] + v[5] + v[6];
		m->stolen += v[7];
	}
	if (f)
		fclose(f);
}

static int read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	int v = 0;

	if (f && fscanf(f, "%d", &v) != 1)
		v = 0;
	if (f)
		fclose(f);
	return v;
}

static void warn_settings(void)
{
	if (read_number("/proc/sys/kernel/bpf_stats_enabled"))
		fprintf(stderr, "bench: warning: kernel.bpf_stats_enabled is on: each packet in the lab pays for it\n");
	if (!read_number("/proc/sys/net/core/bpf_jit_enable"))
		fprintf(stderr, "bench: warning: net.core.bpf_jit_enable is off: the BPF interpreter is measured\n");
	if (read_number("/proc/sys/net/core/bpf_jit_harden"))
		fprintf(stderr, "bench: warning: net.core.bpf_jit_harden is on: programs are slower\n");
}

static void parse(struct suite *s, int argc, char **argv)
{
	const char *out = NULL;
	long v = 0;
	int opt;

	while ((opt = getopt(argc, argv, "n:c:l:o:h")) != -1) {
		if (opt == 'n')
			s->runs = v = number(optarg, RUNS_MIN, RUNS_MAX);
		else if (opt == 'c')
			s->cpu = v = number(optarg, 0, CPU_SETSIZE - 1);
		else if (opt == 'l')
			s->lab = optarg;
		else if (opt == 'o')
			out = optarg;
		else
			usage(opt == 'h' ? stdout : stderr, s->name);
		if (opt == 'h')
			exit(0);
		if (opt == '?' || v < 0) {
			if (v < 0)
				fprintf(stderr, "bench: -%c %s: out of range\n", opt, optarg);
			exit(2);
		}
	}
	s->out = out ? fopen(out, "w") : NULL;
	if (out && !s->out) {
		fprintf(stderr, "bench: cannot write %s: %s\n", out, strerror(errno));
		exit(1);
	}
}

int suite_begin(struct suite *s, const char *name, int argc, char **argv)
{
	memset(s, 0, sizeof(*s));
	s->name = name;
	s->runs = RUNS;
	s->cpu = -1;
	parse(s, argc, argv);
	s->cpu = bind_cpu(s->cpu);
	if (s->cpu < 0)
		return suite_fault(name, "cannot bind to the CPU: %s", strerror(-s->cpu));
	/* refused where even root is limited: then it is just noisier */
	if (setpriority(PRIO_PROCESS, 0, -20))
		fprintf(stderr, "bench: warning: cannot raise the priority: %s\n", strerror(errno));
	warn_settings();
	look(s, &s->start);
	printf("%-28s %9s %9s %9s       %7s  %s\n", name, "median", "min", "max", "ratio", "to");
	fflush(stdout);
	return 0;
}

/* Ratio of the medians; 0 if there is none, or nothing that could be divided by. */
static double ratio_of(const struct row *row)
{
	double than = row->baseline ? samples_median(row->than) : 0;

	return than > 0 ? samples_median(row->value) / than : 0;
}

static void print_row(const struct row *row)
{
	const struct samples *v = row->value;
	double ratio = ratio_of(row);

	printf("%-28s %9.2f %9.2f %9.2f %-5s", row->name, samples_median(v), samples_min(v), samples_max(v), row->unit);
	if (ratio)
		printf(" %7.2f  %s", ratio, row->baseline);
	if (row->less)
		printf("%s (less %.1f for the harness)", ratio ? "" : "          ", row->less);
	printf("\n");
	fflush(stdout);
}

void suite_row(struct suite *s, const struct row *row)
{
	const struct samples *v = row->value;
	double ratio = ratio_of(row);

	print_row(row);
	if (!s->out)
		return;
	fprintf(s->out,
		"{\"name\": \"%s\", \"unit\": \"%s\", \"median\": %.4g, \"min\": %.4g, \"max\": %.4g, \"runs\": %u, ",
		row->name, row->unit, samples_median(v), samples_min(v), samples_max(v), v->n);
	if (ratio)
		fprintf(s->out, "\"baseline\": \"%s\", \"ratio\": %.4g}\n", row->baseline, ratio);
	else
		fprintf(s->out, "\"baseline\": null, \"ratio\": null}\n");
}

static void warn_busy(const struct suite *s)
{
	double ticks = sysconf(_SC_CLK_TCK), here, others, stolen, time;
	struct machine end;

	look(s, &end);
	time = end.time - s->start.time;
	here = (end.here - s->start.here) / ticks - (end.own - s->start.own);
	others = (end.others - s->start.others) / ticks;
	stolen = (end.stolen - s->start.stolen) / ticks;
	here = here > 0 ? here / time * 100 : 0;
	others = others / time * 100;
	stolen = stolen / time * 100;
	if (here > BUSY || others > BUSY || stolen > BUSY)
		fprintf(stderr,
			"bench: warning: the machine was busy: other processes used %.0f %% of CPU %d and %.0f %% of "
			"another, the "
			"host kept back %.0f %%\n",
			here, s->cpu, others, stolen);
}

int suite_end(struct suite *s, int err)
{
	if (s->out && fclose(s->out)) {
		fprintf(stderr, "bench: cannot write the result: %s\n", strerror(errno));
		err = -1;
	}
	warn_busy(s);
	if (err)
		fprintf(stderr, "bench: suite %s failed\n", s->name);
	return err ? 1 : 0;
}

int suite_fault(const char *name, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "bench: %s: ", name);
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
	va_end(args);
	return -1;
}

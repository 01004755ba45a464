// SPDX-License-Identifier: GPL-2.0-only
/* flood.c - the flood as a command */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "args.h"
#include "aside.h"
#include "attack.h"
#include "shapes.h"

#define AT_ONCE	512	/* frames, without a rate; and then a pause */
#define PAUSE_MS	20

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
	stopped = 1;
}

static int is_kind(const char *kind)
{
	int i;

	for (i = 0; shapes_kinds[i]; i++)
		if (!strcmp(kind, shapes_kinds[i]))
			return 1;
	return 0;
}

static void usage(FILE *to)
{
	int i;

	fprintf(to, "usage: flood -l LAB -k KIND [OPTIONS]\n"
		    "Floods the server of a lab (lab/lab) from addresses that nobody has, until it is told to end\n"
		    "(SIGTERM, SIGINT), and tells as JSON how much was sent.\n"
		    "  -l LAB    a lab that is up\n"
		    "  -k KIND   one of");
	for (i = 0; shapes_kinds[i]; i++)
		fprintf(to, " %s", shapes_kinds[i]);
	fprintf(to,
		"\n"
		"  -n COUNT  until so many were sent\n"
		"  -p PORT   of the server, for what is TCP (default 80)\n"
		"  -r RATE   frames per second, evenly, %d or more, for which the CPU spins (default: %d at a time,\n"
		"            with pauses of %d ms)\n",
		ATTACK_RATE_MIN, AT_ONCE, PAUSE_MS);
}

static void parse(int argc, char **argv, struct attack_opts *o, uint64_t *count)
{
	int opt;

	while ((opt = getopt(argc, argv, "l:k:n:p:r:h")) != -1) {
		switch (opt) {
		case 'l': o->lab = optarg; break;
		case 'k': o->kind = optarg; break;
		case 'n': *count = args_number("flood", opt, optarg, 1, 1000000000000); break;
		case 'p': o->port = args_number("flood", opt, optarg, 1, 65535); break;
		case 'r': o->rate = args_number("flood", opt, optarg, ATTACK_RATE_MIN, 20000000); break;
		case 'h': usage(stdout); exit(0);
		default: exit(2);
		}
	}
	if (!o->lab || !o->kind || optind < argc) {
		usage(stderr);
		exit(2);
	}
	if (!is_kind(o->kind)) {
		fprintf(stderr, "flood: -k %s: there is no such kind; flood -h lists them\n", o->kind);
		exit(2);
	}
}

/* <rate>: a test run then takes a tenth of a second. */
static int run(struct attack *a, uint32_t rate, uint64_t count)
{
	uint32_t at_once = rate ? rate / 10 : AT_ONCE;
	uint64_t left = count ? count : UINT64_MAX;
	uint32_t ns;
	int err = 0;

	while (!err && !stopped && left) {
		at_once = left < at_once ? left : at_once;
		err = attack_send(a, at_once, &ns);
		left -= at_once;
		if (!rate && !stopped)
			sleep_ms(PAUSE_MS);
	}
	return err == -EINTR ? 0 : err;
}

int main(int argc, char **argv)
{
	struct attack_opts o = { .port = 80, .families = SHAPES_V4 | SHAPES_V6 };
	struct attack_counts c;
	uint64_t count = 0;
	struct attack a;
	int err;

	parse(argc, argv, &o, &count);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	err = attack_open(&a, &o);
	if (!err)
		err = run(&a, o.rate, count);
	if (!err)
		err = attack_counts(&a, &c);
	if (!err)
		printf("{\"kind\": \"%s\", \"sent\": %llu, \"answers\": %llu}\n", o.kind, (unsigned long long)c.sent,
		       (unsigned long long)c.answers);
	attack_close(&a);
	return err ? 1 : 0;
}

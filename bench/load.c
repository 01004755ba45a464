// SPDX-License-Identifier: GPL-2.0-only
/* load.c - the load source as a command */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "args.h"
#include "aside.h"
#include "source.h"

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
	stopped = 1;
}

static void usage(FILE *to)
{
	fprintf(to,
		"usage: load -l LAB [OPTIONS]\n"
		"Asks the server of a lab (lab/lab) for one object, again and again, checks the answers, and tells as "
		"JSON\n"
		"what came. An answer has to fit one segment. Exit status 1 if one was wrong, or none came.\n"
		"  -l LAB    a lab that is up\n"
		"  -6        over IPv6\n"
		"  -p PORT   of the server (default 8000)\n"
		"  -s SIZE   of the object, %d to %d bytes (default 100)\n"
		"  -u PATH   to ask for (default /SIZE)\n"
		"  -b FILE   what the object has to be (default: the pattern of httpd)\n"
		"  -c COUNT  connections at a time, up to %d (default 64)\n"
		"  -k COUNT  requests of a connection (default: as many as there can be)\n"
		"  -t SECS   run so long (default 5)\n"
		"  -n COUNT  or until so many answers came, right or wrong, or resets\n"
		"  -o        without timestamps: then sequence numbers are not checked\n",
		LOAD_BODY_MIN, LOAD_BODY_MAX, SOURCE_CONNECTIONS_MAX);
}

struct limits {
	double	seconds;
	uint64_t answers;	/* 0: no limit */
};

static void read_body(const char *path, char *body, uint32_t size)
{
	FILE *f = fopen(path, "rb");

	if (!f || fread(body, 1, size, f) != size) {
		fprintf(stderr, "load: %s: cannot read %u bytes: %s\n", path, size, strerror(f ? EINVAL : errno));
		exit(1);
	}
	fclose(f);
}

static void parse(int argc, char **argv, struct source_opts *o, struct limits *limits)
{
	static char body[LOAD_BODY_MAX], path[16];
	const char *file = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "l:6p:s:u:b:c:k:t:n:oh")) != -1) {
		switch (opt) {
		case 'l': o->lab = optarg; break;
		case '6': o->v6 = 1; break;
		case 'p': o->port = args_number("load", opt, optarg, 1, 65535); break;
		case 's': o->size = args_number("load", opt, optarg, LOAD_BODY_MIN, LOAD_BODY_MAX); break;
		case 'u': o->path = optarg; break;
		case 'b': file = optarg; break;
		case 'c': o->connections = args_number("load", opt, optarg, 1, SOURCE_CONNECTIONS_MAX); break;
		case 'k': o->requests = args_number("load", opt, optarg, 1, 1000000); break;
		case 't': limits->seconds = args_number("load", opt, optarg, 1, 86400); break;
		case 'n': limits->answers = args_number("load", opt, optarg, 1, 1000000000); break;
		case 'o': o->stamps = 0; break;
		case 'h': usage(stdout); exit(0);
		default: exit(2);
		}
	}
	if (!o->lab || optind < argc) {
		usage(stderr);
		exit(2);
	}
	if (!o->path) {
		snprintf(path, sizeof(path), "/%u", o->size);
		o->path = path;
	}
	if (file)
		read_body(file, body, o->size);
	else
		source_pattern(body, o->size);
	o->body = body;
}

static int run(struct source *s, const struct limits *limits, double *seconds)
{
	const struct timespec look = { 0, 10000000 };
	double begin = wall_seconds(), round = begin + SOURCE_ROUND_MS / 1e3;
	struct source_counts c;
	int err;

	err = source_start(s);
	while (!err && !stopped && wall_seconds() < begin + limits->seconds) {
		nanosleep(&look, NULL);
		err = source_counts(s, &c);
		if (!err && limits->answers && c.n[LOAD_RESPONSE] + c.wrong + c.n[LOAD_RESET] >= limits->answers)
			break;
		if (err || wall_seconds() < round)
			continue;
		err = source_round(s);
		round = wall_seconds() + SOURCE_ROUND_MS / 1e3;
	}
	*seconds = wall_seconds() - begin;
	return err ? err : source_stop(s);
}

static int tell(struct source *s, double seconds)
{
	struct source_counts c;
	int i;

	if (source_counts(s, &c))
		return 1;
	printf("{\"seconds\": %.3f", seconds);
	for (i = 0; i < LOAD_COUNTERS; i++)
		printf(", \"%s\": %llu", source_counter(i), (unsigned long long)c.n[i]);
	printf(", \"wrong\": %llu, \"bad_checksum\": %llu, \"no_timestamp\": %llu, \"restarted\": %llu, \"tx_lost\": "
	       "%llu}\n",
	       (unsigned long long)c.wrong, (unsigned long long)c.bad_checksum, (unsigned long long)c.no_stamp,
	       (unsigned long long)c.restarted, (unsigned long long)c.tx_lost);
	return c.wrong || c.bad_checksum || !c.n[LOAD_RESPONSE];
}

int main(int argc, char **argv)
{
	struct source_opts o = { .port = 8000, .size = 100, .connections = 64, .stamps = 1 };
	struct limits limits = { .seconds = 5 };
	struct source s;
	double seconds = 0;
	int err;

	parse(argc, argv, &o, &limits);
	libbpf_set_print(NULL);	/* what fails is told by libndiv; what it only tries is nobody's business */
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	err = source_open(&s, &o);
	if (!err)
		err = run(&s, &limits, &seconds);
	if (!err)
		err = tell(&s, seconds);
	source_close(&s);
	return err ? 1 : 0;
}

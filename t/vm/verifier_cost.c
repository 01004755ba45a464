// SPDX-License-Identifier: GPL-2.0-only
/*
 * verifier_cost.c - what the verifier of the running kernel says about each program of some BPF objects
 *
 *	verifier_cost KERNEL INTERFACE OBJECT...
 *
 * Loads one program at a time, as the library would (those that ask the card for something are bound to INTERFACE), and
 * prints one line of JSON for it:
 *
 *	{ "kernel": "6.1", "object": "core", "program": "ndiv_entry", "insns": 7342, "states": 310, "usec": 4811 }
 *
 * insns: instructions that the verifier processed; states: those it kept; usec: the time it took, the best of some
 * tries. Of a program that is refused the end of the verifier's log goes to standard error, and "error" takes the place
 * of the numbers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <net/if.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define TRIES		3
#define LOG_STATS	4
#define LOG_ALL		1
#define TAIL_LINES	25

#ifndef BPF_F_XDP_DEV_BOUND_ONLY
#define BPF_F_XDP_DEV_BOUND_ONLY	(1U << 6)
#endif

static char verifier_log[16 << 20];
static unsigned int ifindex;

struct cost {
	unsigned int insns, states, usec;
};

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

/* What asks the card has to be bound to one. */
static void bind_to_device(struct bpf_program *prog)
{
	bpf_program__set_ifindex(prog, ifindex);
	bpf_program__set_flags(prog, bpf_program__flags(prog) | BPF_F_XDP_DEV_BOUND_ONLY);
}

/* Loads program <name> alone. 0, or -errno; what the verifier says is in verifier_log. */
static int load(const char *path, const char *name, unsigned int level, int bound)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = verifier_log, .kernel_log_size = sizeof(verifier_log),
		    .kernel_log_level = level);
	struct bpf_object *obj = bpf_object__open_file(path, &opts);
	struct bpf_program *prog;
	int err;

	if (!obj)
		return -errno;
	bpf_object__for_each_program(prog, obj) {
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
		if (bound && bpf_program__autoload(prog))
			bind_to_device(prog);
	}
	verifier_log[0] = 0;
	err = bpf_object__load(obj);
	bpf_object__close(obj);
	return err;
}

static unsigned int number_after(const char *word)
{
	const char *p = strstr(verifier_log, word);

	return p ? strtoul(p + strlen(word), NULL, 10) : 0;
}

/* The kernel has what only a bound program may use, or it has not. */
static int try_load(const char *path, const char *name, unsigned int level)
{
	int err = load(path, name, level, 0);

	if (err && strstr(verifier_log, "device-bound"))
		err = load(path, name, level, 1);
	return err;
}

static int measure(const char *path, const char *name, struct cost *cost)
{
	unsigned int usec;
	int i, err;

	cost->usec = ~0U;
	for (i = 0; i < TRIES; i++) {
		err = try_load(path, name, LOG_STATS);
		if (err)
			return err;
		usec = number_after("verification time ");
		if (usec < cost->usec)
			cost->usec = usec;
	}
	cost->insns = number_after("processed ");
	cost->states = number_after("total_states ");
	return 0;
}

static void show_log(const char *object, const char *name)
{
	char *p = verifier_log + strlen(verifier_log);
	int lines = 0;

	while (p > verifier_log && lines <= TAIL_LINES)
		if (*--p == '\n')
			lines++;
	fprintf(stderr, "%s, program %s is refused; the end of the verifier's log:\n%s\n", object, name,
		p == verifier_log ? p : p + 1);
}

static int one_program(const char *kernel, const char *path, const char *object, const char *name)
{
	struct cost cost;
	int err = measure(path, name, &cost);

	printf("{ \"kernel\": \"%s\", \"object\": \"%s\", \"program\": \"%s\", ", kernel, object, name);
	if (!err) {
		printf("\"insns\": %u, \"states\": %u, \"usec\": %u }\n", cost.insns, cost.states, cost.usec);
		return 0;
	}
	printf("\"error\": \"%s\" }\n", strerror(-err));
	try_load(path, name, LOG_ALL);
	show_log(object, name);
	return 1;
}

static int one_object(const char *kernel, const char *path)
{
	struct bpf_object *obj = bpf_object__open(path);
	struct bpf_program *prog;
	const char *base = strrchr(path, '/');
	char object[256], *end;
	int failed = 0;

	if (!obj) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	snprintf(object, sizeof(object), "%s", base ? base + 1 : path);
	end = strstr(object, ".bpf.o");
	if (end)
		*end = 0;
	bpf_object__for_each_program(prog, obj)
		failed |= one_program(kernel, path, object, bpf_program__name(prog));
	bpf_object__close(obj);
	return failed;
}

int main(int argc, char **argv)
{
	int i, failed = 0;

	if (argc < 4) {
		fprintf(stderr, "usage: verifier_cost KERNEL INTERFACE OBJECT...\n");
		return 2;
	}
	ifindex = if_nametoindex(argv[2]);
	libbpf_set_print(quiet);
	for (i = 3; i < argc; i++)
		failed |= one_object(argv[1], argv[i]);
	return failed;
}

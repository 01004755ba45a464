// SPDX-License-Identifier: GPL-2.0-only
/*
 * flooded.c - a web server in a lab while it is flooded
 *
 * haproxy has the server's CPU, with all that its end receives; wrk and the flood share the other one, the flood with
 * a tenth of wrk's weight. It spins where it waits, so it takes as much from wrk when it sends nothing: the row without
 * a flood is measured beside such a one.
 */
#define _GNU_SOURCE	/* sched_setaffinity() */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include "aside.h"
#include "attack.h"
#include "flooded.h"
#include "front.h"
#include "napi.h"
#include "peer.h"
#include "shapes.h"
#include "wrk.h"

#define RUNS_MOST	5	/* more would take too long */
#define RATE		300000	/* frames per second of a flood */
#define SIZE		1000	/* of the object */
#define CONNECTIONS	64
#define SETTLE_MS	300
#define NICE		10	/* of the flood */

/* What is measured: requests on new connections, beside a flood, behind shield or not. */
struct scene {
	const char *name;	/* of the row, behind "shield/lab-" */
	const char *kind;	/* of the flood */
	int	dry;		/* nothing of it is sent */
	int	shield;
};

static const struct scene scenes[] = {
	{ "close", "syn", 1, 0 },
	{ "close-shield", "syn", 1, 1 },
	{ "close-syn", "syn", 0, 1 },
	{ "close-syn-bare", "syn", 0, 0 },
	{ "close-ack", "ack", 0, 1 },
	{ "close-ack-bare", "ack", 0, 0 },
	{ "close-mixed", "mixed", 0, 1 },
	{ "close-mixed-bare", "mixed", 0, 0 },
};

#define SCENES	(sizeof(scenes) / sizeof(scenes[0]))

struct bench {
	struct suite *s;
	struct ends ends;
	struct napi napi[ENDS];
	int	cpu[ENDS];
	struct ndiv *nd;			/* shield's, or NULL */
	struct samples served[SCENES];		/* thousands of requests per second */
	struct samples sent[SCENES];		/* thousands of frames per second */
};

/* --- a flood beside it -------------------------------------------------------------------------------------- */

static void flood_child(struct bench *b, struct attack *a)
{
	uint32_t ns;

	if (child_begin(&b->ends, END_CLIENT, b->cpu[END_CLIENT]) || setpriority(PRIO_PROCESS, 0, NICE))
		_exit(1);
	while (!attack_send(a, RATE / 10, &ns))
		;
	_exit(1);
}

/* Requests while <a> floods. */
static int serve(struct bench *b, size_t i, struct attack *a)
{
	const struct wrk_opts opts = {
		.ends = &b->ends, .cpu = b->cpu[END_CLIENT], .connections = CONNECTIONS, .close = 1, .size = SIZE,
	};
	struct attack_counts from, to;
	struct wrk_result wrk;
	double seconds;
	int err = attack_counts(a, &from);

	seconds = -wall_seconds();
	if (!err)
		err = wrk_run(&opts, &wrk);
	seconds += wall_seconds();
	if (!err)
		err = attack_counts(a, &to);
	if (err)
		return err;
	if (*wrk.trouble && (scenes[i].dry || scenes[i].shield))
		return suite_fault(scenes[i].name, "requests have failed: %s", wrk.trouble);
	samples_add(&b->served[i], wrk.requests / wrk.seconds / 1e3);
	samples_add(&b->sent[i], (double)(to.sent - from.sent) / seconds / 1e3);
	return 0;
}

static int flooded(struct bench *b, size_t i, struct attack *a)
{
	pid_t pid = fork();
	int err;

	if (!pid)
		flood_child(b, a);
	if (pid < 0)
		return suite_fault(scenes[i].name, "cannot fork");
	sleep_ms(SETTLE_MS);
	err = serve(b, i, a);
	child_end(pid, SIGKILL);
	return err;
}

static int run_scene(struct bench *b, size_t i)
{
	const struct attack_opts opts = {
		.lab = b->s->lab, .kind = scenes[i].kind, .families = SHAPES_V4, .port = PEER_PORT, .rate = RATE,
		.dry = scenes[i].dry,
	};
	struct attack a;
	int err = scenes[i].shield ? front_attach(&b->ends, &b->nd) : 0;

	if (err) {
		front_detach(&b->ends, &b->nd);
		return err;
	}
	err = attack_open(&a, &opts);
	if (!err)
		err = flooded(b, i, &a);
	attack_close(&a);
	return front_detach(&b->ends, &b->nd) ? -1 : err;
}

/* --- all of it ---------------------------------------------------------------------------------------------- */

/* From here on, what <end> receives is its own CPU's business, and comes before all else there. */
static int part(struct bench *b, enum end end)
{
	int err = napi_open(&b->napi[end], &b->ends, end);

	if (!err)
		err = napi_bind(&b->napi[end], b->cpu[end]);
	return err ? err : napi_prefer(&b->napi[end]);
}

static int run_all(struct bench *b, uint32_t runs)
{
	struct peer_run haproxy;
	int err = peer_start(&haproxy, PEER_HAPROXY, &b->ends, b->cpu[END_SERVER]);
	uint32_t r;
	size_t i;

	if (!err)
		err = part(b, END_SERVER);
	if (!err)
		err = part(b, END_CLIENT);
	for (r = 0; !err && r < runs; r++)
		for (i = 0; !err && i < SCENES; i++)
			err = run_scene(b, (i + r) % SCENES);
	peer_stop(&haproxy, &b->ends);
	return err;
}

static void add_rows(const struct bench *b)
{
	char name[64];
	size_t i;

	for (i = 0; i < SCENES; i++) {
		struct row row = { .name = name, .unit = "kreq/s", .value = &b->served[i] };

		if (i) {
			row.baseline = "shield/lab-close";
			row.than = &b->served[0];
		}
		snprintf(name, sizeof(name), "shield/lab-%s", scenes[i].name);
		suite_row(b->s, &row);
		if (scenes[i].dry)
			continue;
		snprintf(name, sizeof(name), "shield/lab-%s-flood", scenes[i].name);
		suite_row(b->s, &(struct row){ .name = name, .unit = "kpps", .value = &b->sent[i] });
	}
}

int flooded_bench(struct suite *s)
{
	struct bench *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return suite_fault("shield/lab", "no memory");
	b->s = s;
	err = ends_open(&b->ends, s->lab);
	b->cpu[END_SERVER] = s->cpu;
	b->cpu[END_CLIENT] = take_other(s->cpu);
	if (!err && b->cpu[END_CLIENT] < 0)
		err = suite_fault("shield/lab", "there is only one CPU: server and client need one each");
	if (!err)
		err = front_prepare(&b->ends);
	if (!err)
		err = run_all(b, s->runs < RUNS_MOST ? s->runs : RUNS_MOST);
	if (!err)
		add_rows(b);
	ends_close(&b->ends);
	free(b);
	return err;
}

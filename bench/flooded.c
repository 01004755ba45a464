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
#include <sys/wait.h>
#include <ndiv/ndiv.h>
#include "aside.h"
#include "attack.h"
#include "flooded.h"
#include "napi.h"
#include "peer.h"
#include "run.h"
#include "shapes.h"
#include "wrk.h"

#define RUNS_MOST	5	/* more would take too long */
#define RATE		300000	/* frames per second of a flood */
#define SIZE		1000	/* of the object */
#define CONNECTIONS	64
#define SETTLE_MS	300
#define NICE		10	/* of the flood */
#define BATCH		50000	/* SYNs that are timed */
#define BATCHES		5
#define COOKIE_SENT	0	/* shield's counter "cookie-sent" */

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
	struct samples syns;			/* millions of SYNs answered per second */
};

/* --- shield ------------------------------------------------------------------------------------------------- */

static int attach(struct bench *b)
{
	static const char *const options[] = { "learn=0" };
	const struct ndiv_attach_opts opts = {
		.sz = sizeof(opts), .mode = NDIV_MODE_NATIVE, .at = -1, .options = options, .option_count = 1,
	};
	char err[1024] = "";

	if (ends_enter(&b->ends, END_SERVER))
		return -1;
	if (ndiv_open(&b->nd, "lab0", 0, err, sizeof(err)))
		return suite_fault("shield/lab", "%s", err);
	if (ndiv_attach(b->nd, run_path("handlers/shield.bpf.o"), &opts))
		return suite_fault("shield/lab", "%s", ndiv_error(b->nd));
	return 0;
}

static int detach(struct bench *b)
{
	int err = b->nd && !ends_enter(&b->ends, END_SERVER) ? ndiv_detach(b->nd, NULL) : 0;

	if (err)
		suite_fault("shield/lab", "%s", ndiv_error(b->nd));
	ndiv_close(b->nd);
	b->nd = NULL;
	return err;
}

static int cookies(struct bench *b, uint64_t *count)
{
	static struct ndiv_stats stats;
	uint32_t id;

	*count = 0;
	if (ends_enter(&b->ends, END_SERVER) || ndiv_stats(b->nd, NDIV_CPU_RX, -1, &stats))
		return -1;
	for (id = 1; id < NDIV_HANDLERS_MAX; id++)
		*count += stats.counter[id][COOKIE_SENT];
	return 0;
}

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
	int err = scenes[i].shield ? attach(b) : 0;

	if (err) {
		detach(b);
		return err;
	}
	err = attack_open(&a, &opts);
	if (!err)
		err = flooded(b, i, &a);
	attack_close(&a);
	return detach(b) ? -1 : err;
}

/* --- SYNs by themselves ------------------------------------------------------------------------------------- */

/* One SYN after another, on one CPU, which does both ends: each of them has to be answered. */
static int time_syns(struct bench *b, struct attack *a, struct samples *mpps)
{
	struct attack_counts c;
	uint64_t from, to;
	uint32_t ns, i;
	int err = cookies(b, &from);

	for (i = 0; !err && i < BATCHES; i++) {
		err = attack_send(a, BATCH, &ns);
		if (!err && !ns)
			err = -1;
		if (!err)
			samples_add(mpps, 1e3 / ns);
	}
	if (!err)
		err = cookies(b, &to);
	if (!err)
		err = attack_counts(a, &c);
	if (err)
		return suite_fault("shield/lab-synflood", "the flood failed");
	/* one a second is passed to the stack */
	if (to - from > c.sent || c.sent - (to - from) > 10 + BATCHES)
		return suite_fault("shield/lab-synflood", "%llu SYNs were sent, and %llu answered",
				   (unsigned long long)c.sent, (unsigned long long)(to - from));
	return 0;
}

/* A request that is served, so that shield knows the service. */
static int meet(struct bench *b)
{
	const struct wrk_opts opts = {
		.ends = &b->ends, .cpu = b->cpu[END_CLIENT], .connections = 1, .close = 1, .size = SIZE,
	};
	struct wrk_result wrk;

	return wrk_run(&opts, &wrk);
}

static int run_syns(struct bench *b)
{
	const struct attack_opts opts = {
		.lab = b->s->lab, .kind = "syn", .families = SHAPES_V4, .port = PEER_PORT,
	};
	struct samples mpps = { 0 };
	struct attack a;
	int err = attach(b);

	if (!err)
		err = meet(b);
	if (err) {
		detach(b);
		return err;
	}
	err = attack_open(&a, &opts);
	if (!err)
		err = time_syns(b, &a, &mpps);
	attack_close(&a);
	samples_add(&b->syns, samples_median(&mpps));
	return detach(b) ? -1 : err;
}

/* --- all of it ---------------------------------------------------------------------------------------------- */

/*
 * The server's stack has a way for its answers to those who do not exist. And it keeps no connections in TIME-WAIT: of
 * those that it had before shield was there, shield would not know.
 */
static int prepare_server(struct bench *b)
{
	static const char command[] = "ip route replace 198.18.0.0/15 via 10.77.0.1 && "
				      "echo 0 >/proc/sys/net/ipv4/tcp_max_tw_buckets";
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		if (!child_begin(&b->ends, END_SERVER, b->s->cpu))
			execlp("sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		return suite_fault("shield/lab", "cannot prepare the server's end: %s", command);
	return 0;
}

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

	for (r = 0; !err && r < runs; r++)
		err = run_syns(b);
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

	suite_row(b->s, &(struct row){ .name = "shield/lab-synflood", .unit = "Mpps", .value = &b->syns });
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
		err = prepare_server(b);
	if (!err)
		err = run_all(b, s->runs < RUNS_MOST ? s->runs : RUNS_MOST);
	if (!err)
		add_rows(b);
	ends_close(&b->ends);
	free(b);
	return err;
}

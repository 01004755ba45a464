// SPDX-License-Identifier: GPL-2.0-only
/* http.c - requests per second through a lab, and what a request costs the server */
#define _GNU_SOURCE	/* sched_setaffinity() */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/wait.h>
#include "aside.h"
#include "http.h"
#include "napi.h"
#include "peer.h"
#include "source.h"

#define RUNS_MOST	5	/* more would take too long */
#define CONNECTIONS	64
#define SETTLE_MS	200
#define ROUNDS_TIMED	2	/* of SOURCE_ROUND_MS */

enum client { CLIENT_SOURCE, CLIENT_WRK };

/* What is measured with each server. */
struct point {
	const char *name;
	enum client client;
	enum end cpu;		/* of the client. On the server's they take turns, and nobody has to be woken elsewhere */
	int	close;		/* a connection for each request */
	uint32_t size;
};

static const struct point points[] = {
	{ "keepalive", CLIENT_SOURCE, END_SERVER, 0, 1000 },
	{ "close", CLIENT_SOURCE, END_SERVER, 1, 1000 },
	{ "keepalive-100", CLIENT_SOURCE, END_SERVER, 0, 100 },
	{ "close-100", CLIENT_SOURCE, END_SERVER, 1, 100 },
	{ "keepalive-2cpu", CLIENT_SOURCE, END_CLIENT, 0, 1000 },
	{ "close-2cpu", CLIENT_SOURCE, END_CLIENT, 1, 1000 },
	{ "keepalive-wrk", CLIENT_WRK, END_SERVER, 0, 1000 },
	{ "close-wrk", CLIENT_WRK, END_SERVER, 1, 1000 },
	{ "keepalive-100-wrk", CLIENT_WRK, END_SERVER, 0, 100 },
	{ "close-100-wrk", CLIENT_WRK, END_SERVER, 1, 100 },
};

#define POINTS	(sizeof(points) / sizeof(points[0]))

struct bench {
	struct suite *s;
	struct ends ends;
	struct napi napi[ENDS];
	int	cpu[ENDS];
	struct samples rate[PEERS][POINTS];	/* thousands of requests per second */
	struct samples cost[PEERS][POINTS];	/* ns of CPU time per request */
};

static void name_of(char *name, size_t len, enum peer peer, int i, const char *suffix)
{
	static const char *const peers[PEERS] = { "lab", "nginx", "haproxy" };

	snprintf(name, len, "httpd/%s-%s%s", peers[peer], points[i].name, suffix);
}

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* One measurement. */
struct result {
	double	requests;
	double	seconds;
	double	ns;		/* CPU time of the server's end */
	unsigned long long restarted; /* connections, by the source: a packet of theirs was lost, or late */
};

static uint64_t server_ns(const struct bench *b, const struct peer_run *run)
{
	return napi_ns(&b->napi[END_SERVER]) + peer_ns(run);
}

/* --- the clients -------------------------------------------------------------------------------------------- */

/* The fault is told by name, as in the handler's counters. */
static int check_answers(const struct source_counts *c)
{
	int i;

	for (i = LOAD_WRONG_FIRST; i <= LOAD_WRONG_LAST; i++)
		if (c->n[i])
			suite_fault("load", "%llu answers: %s", (unsigned long long)c->n[i], source_counter(i));
	if (c->bad_checksum || c->no_stamp)
		suite_fault("load", "%llu packets with a wrong checksum, %llu without timestamps",
			    (unsigned long long)c->bad_checksum, (unsigned long long)c->no_stamp);
	return c->wrong || c->bad_checksum || c->no_stamp ? -1 : 0;
}

static int time_source(struct bench *b, struct source *s, const struct peer_run *run, struct result *res)
{
	struct source_counts from, to;
	int i, err;

	sleep_ms(SETTLE_MS);
	err = source_counts(s, &from);
	res->ns = -(double)server_ns(b, run);
	res->seconds = -wall_seconds();
	for (i = 0; !err && i < ROUNDS_TIMED; i++) {
		sleep_ms(SOURCE_ROUND_MS);
		err = source_round(s);
	}
	if (!err)
		err = source_counts(s, &to);
	if (err)
		return err;
	res->ns += server_ns(b, run);
	res->seconds += wall_seconds();
	res->requests = to.n[LOAD_RESPONSE] - from.n[LOAD_RESPONSE];
	res->restarted = to.restarted;
	return check_answers(&to);
}

static int run_source(struct bench *b, const struct point *p, const struct peer_run *run, struct result *res)
{
	char body[1000], path[16];
	const struct source_opts opts = {
		.lab = b->s->lab, .port = PEER_PORT, .path = path, .size = p->size, .body = body,
		.connections = CONNECTIONS, .requests = p->close, .stamps = 1,
	};
	struct source s;
	int err;

	snprintf(path, sizeof(path), "/%u", opts.size);
	source_pattern(body, opts.size);
	err = source_open(&s, &opts);
	if (!err)
		err = source_start(&s);
	if (!err)
		err = time_source(b, &s, run, res);
	if (!err)
		err = source_stop(&s);
	source_close(&s);
	return err;
}

/* What wrk prints. */
static int read_wrk(FILE *f, struct result *res)
{
	char line[256];
	int err = 0;

	res->requests = res->seconds = 0;
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, " requests in ") &&
		    sscanf(line, "%lf requests in %lfs", &res->requests, &res->seconds) != 2)
			err = suite_fault("wrk", "what does it mean: %s", line);
		if (strstr(line, "Non-2xx") || strstr(line, "Socket errors"))
			err = suite_fault("wrk", "%s", line);
	}
	if (!err && (res->requests <= 0 || res->seconds <= 0))
		err = suite_fault("wrk", "no result; is it installed? (scripts/deps.sh bench)");
	return err;
}

static void exec_wrk(const struct bench *b, const struct point *p, int out)
{
	char count[16], url[64];

	snprintf(count, sizeof(count), "-c%d", CONNECTIONS);
	snprintf(url, sizeof(url), "http://10.77.0.2:%d/%u", PEER_PORT, p->size);
	if (child_begin(&b->ends, END_CLIENT, b->cpu[p->cpu]) || dup2(out, 1) < 0)
		return;
	if (p->close)
		execlp("wrk", "wrk", "-t1", count, "-d1s", "-H", "Connection: close", url, NULL);
	else
		execlp("wrk", "wrk", "-t1", count, "-d1s", url, NULL);
}

static int run_wrk(struct bench *b, const struct point *p, const struct peer_run *run, struct result *res)
{
	int fd[2], err;
	pid_t pid;
	FILE *f;

	if (pipe(fd))
		return suite_fault("wrk", "pipe: %s", strerror(errno));
	res->ns = -(double)server_ns(b, run);
	pid = fork();
	if (!pid) {
		exec_wrk(b, p, fd[1]);
		_exit(127);
	}
	close(fd[1]);
	f = fdopen(fd[0], "r");
	err = f && pid > 0 ? read_wrk(f, res) : suite_fault("wrk", "cannot be started");
	if (pid > 0)
		waitpid(pid, NULL, 0);
	res->ns += server_ns(b, run);
	if (f)
		fclose(f);
	return err;
}

/* --- all of it ---------------------------------------------------------------------------------------------- */

static int run_point(struct bench *b, enum peer peer, int i, const struct peer_run *run)
{
	const struct point *p = &points[i];
	struct result res = { 0 };
	char name[64];
	int err;

	err = napi_bind(&b->napi[END_CLIENT], b->cpu[p->cpu]);
	if (!err)
		err = p->client == CLIENT_WRK ? run_wrk(b, p, run, &res) : run_source(b, p, run, &res);
	if (!err && (res.requests < 1 || res.ns <= 0))
		err = -1;
	name_of(name, sizeof(name), peer, i, "");
	if (err)
		return suite_fault(name, "could not be measured");
	if (res.restarted)
		fprintf(stderr, "bench: warning: %s: %llu connections were begun again\n", name, res.restarted);
	samples_add(&b->rate[peer][i], res.requests / res.seconds / 1e3);
	samples_add(&b->cost[peer][i], res.ns / res.requests);
	return 0;
}

static int run_peer(struct bench *b, enum peer peer)
{
	struct peer_run run;
	int err = peer_start(&run, peer, &b->ends, b->cpu[END_SERVER]);
	uint32_t i;

	for (i = 0; !err && i < POINTS; i++)
		err = run_point(b, peer, i, &run);
	peer_stop(&run, &b->ends);
	return err;
}

static void add_rows(const struct bench *b, enum peer peer, int i)
{
	char name[64], than[64];
	struct row row = { .name = name, .unit = "kreq/s", .value = &b->rate[peer][i] };

	if (peer == PEER_NDIV)
		row.baseline = than;
	name_of(name, sizeof(name), peer, i, "");
	name_of(than, sizeof(than), PEER_NGINX, i, "");
	row.than = &b->rate[PEER_NGINX][i];
	suite_row(b->s, &row);
	name_of(name, sizeof(name), peer, i, "-cpu");
	name_of(than, sizeof(than), PEER_NGINX, i, "-cpu");
	row.unit = "ns";
	row.value = &b->cost[peer][i];
	row.than = &b->cost[PEER_NGINX][i];
	suite_row(b->s, &row);
}

/* The server has the suite's CPU, the client another one, and so have we. */
static int choose_cpus(struct bench *b)
{
	cpu_set_t set;
	int cpu;

	b->cpu[END_SERVER] = b->s->cpu;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (cpu != b->s->cpu && !sched_setaffinity(0, sizeof(set), &set)) {
			b->cpu[END_CLIENT] = cpu;
			return 0;
		}
	}
	return suite_fault("httpd/lab", "there is only one CPU: client and server need one each");
}

static int prepare(struct bench *b)
{
	int err = ends_open(&b->ends, b->s->lab);

	if (!err)
		err = choose_cpus(b);
	if (!err)
		err = napi_open(&b->napi[END_SERVER], &b->ends, END_SERVER);
	if (!err)
		err = napi_bind(&b->napi[END_SERVER], b->cpu[END_SERVER]);
	if (!err)
		err = napi_open(&b->napi[END_CLIENT], &b->ends, END_CLIENT);
	return err;
}

int http_bench(struct suite *s)
{
	struct bench *b = calloc(1, sizeof(*b));
	uint32_t runs = s->runs < RUNS_MOST ? s->runs : RUNS_MOST, i;
	int err, peer;

	if (!b)
		return suite_fault("httpd/lab", "no memory");
	b->s = s;
	err = prepare(b);
	for (i = 0; !err && i < runs; i++)
		for (peer = 0; !err && peer < PEERS; peer++)
			err = run_peer(b, (peer + i) % PEERS);
	for (peer = 0; !err && peer < PEERS; peer++)
		for (i = 0; i < POINTS; i++)
			add_rows(b, peer, i);
	ends_close(&b->ends);
	free(b);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/* http.c - requests per second through a lab, and what a request costs the server */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "aside.h"
#include "http.h"
#include "napi.h"
#include "peer.h"
#include "source.h"
#include "wrk.h"

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

static int run_wrk(struct bench *b, const struct point *p, const struct peer_run *run, struct result *res)
{
	const struct wrk_opts opts = {
		.ends = &b->ends, .cpu = b->cpu[p->cpu], .connections = CONNECTIONS, .close = p->close, .size = p->size,
	};
	struct wrk_result wrk;
	int err;

	res->ns = -(double)server_ns(b, run);
	err = wrk_run(&opts, &wrk);
	res->ns += server_ns(b, run);
	if (!err && *wrk.trouble)
		err = suite_fault("wrk", "%s", wrk.trouble);
	res->requests = wrk.requests;
	res->seconds = wrk.seconds;
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
	b->cpu[END_SERVER] = b->s->cpu;
	b->cpu[END_CLIENT] = take_other(b->s->cpu);
	if (b->cpu[END_CLIENT] < 0)
		return suite_fault("httpd/lab", "there is only one CPU: client and server need one each");
	return 0;
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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * flow_app.c - the application of a simulated connection: writes requests, reads and checks responses
 */
#define _GNU_SOURCE	/* memmem() */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "flow_sim.h"

#define P64		"0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ\n"
#define CONTINUE_US	1000000	/* after that the body is sent without being asked for */
#define PROBE_US	1000000
#define SLOW_US		2000000
#define READ_US		1000
#define TALKS		3	/* packets behind the server's FIN */

void flow_get(struct flow_ask *ask, uint32_t size, const char *how)
{
	*ask = (struct flow_ask){ .size = size, .status = 200 };
	snprintf(ask->head, sizeof(ask->head), "GET /%u HTTP/1.1\r\nHost: x\r\n%s\r\n", size, how);
	ask->close = !!strstr(how, "close");
}

void flow_head(struct flow_ask *ask, uint32_t size)
{
	*ask = (struct flow_ask){ .size = size, .status = 200, .head_only = 1 };
	snprintf(ask->head, sizeof(ask->head), "HEAD /%u HTTP/1.1\r\nHost: x\r\n\r\n", size);
}

void flow_post(struct flow_ask *ask, uint32_t body, int expect)
{
	*ask = (struct flow_ask){ .body = body, .status = 200, .is_text = 1, .expect = expect };
	snprintf(ask->head, sizeof(ask->head), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\n%s\r\n", body,
		 expect ? "Expect: 100-continue\r\n" : "");
}

static void write_body(struct sim *s, const struct flow_ask *ask, int edge)
{
	static const char filler[4096] = "a request's body";
	uint32_t left = ask->body, n;

	while (left) {
		n = left < sizeof(filler) ? left : sizeof(filler);
		left -= n;
		tcp_write(s, filler, n, edge && !left);
	}
}

/* Writes the next request. */
static void write_ask(struct sim *s)
{
	struct sim_app *app = &s->app;
	const struct flow_ask *ask = &app->asks[app->written];
	int edge = !sim_has(s, FLOW_ONE_PACKET) || app->written + 1 == app->count;

	tcp_write(s, ask->head, strlen(ask->head), edge && (!ask->body || ask->expect));
	if (ask->expect)
		app->talk_at = s->now + CONTINUE_US;
	else
		write_body(s, ask, edge);
	app->end[app->written++] = 1 + s->tx.len;
}

/* All of them at once, or the next one. */
static void write_on(struct sim *s)
{
	struct sim_app *app = &s->app;
	int at_once = sim_has(s, FLOW_PIPELINE | FLOW_ONE_PACKET);

	while (app->written < app->count && (at_once || app->written == app->done))
		write_ask(s);
	if (app->written < app->count)
		return;
	if (sim_has(s, FLOW_FIN_BEHIND))
		tcp_push(s);
	if (sim_has(s, FLOW_FIN_WITH | FLOW_FIN_BEHIND))
		s->tx.fin = 1;
}

/* The server is ready for the body. */
static void go_on(struct sim *s)
{
	s->app.continued = 1;
	s->app.talk_at = SIM_NEVER;
	write_body(s, &s->app.asks[s->app.done], 1);
	s->app.end[s->app.done] = 1 + s->tx.len;
	tcp_push(s);
}

static void finish_response(struct sim *s)
{
	struct sim_app *app = &s->app;
	uint32_t i = app->done++;

	app->in_body = 0;
	/* Of several requests in a packet, the server acknowledges by their common end. */
	if (app->acked_at[i] && app->acked_at[i] < app->pos && !app->asks[i].body &&
	    (!sim_has(s, FLOW_ONE_PACKET) || i + 1 == app->written))
		sim_fail(s, "request %u was acknowledged when %u of %u had been sent", i, app->acked_at[i], app->pos);
	app->continued = 0;
	if (app->closing) {
		app->count = app->done;	/* others are not answered */
		return;
	}
	if (app->done == app->count) {
		s->tx.fin = 1;
		return;
	}
	if (sim_has(s, FLOW_PROBE | FLOW_PROBE_BYTE))
		app->probe_at = s->now + PROBE_US;
	else if (app->written == app->done)
		write_on(s);
}

/* Number behind <name> in the header <h>; -1: there is none. */
static long field(const char *h, const char *name)
{
	const char *p = strstr(h, name);

	return p ? strtol(p + strlen(name), NULL, 10) : -1;
}

/* The header <h> of the next response. */
static void take_header(struct sim *s, const char *h)
{
	struct sim_app *app = &s->app;
	const struct flow_ask *ask = &app->asks[app->done];
	int status = strncmp(h, "HTTP/1.1 ", 9) ? 0 : atoi(h + 9);
	long length = field(h, "\r\nContent-Length: ");

	if (status == 100 && ask->expect && !app->continued) {
		go_on(s);
		return;
	}
	if (status != ask->status || length < 0 || (!ask->is_text && length != ask->size)) {
		sim_fail(s, "response %u has status %d and length %ld", app->done, status, length);
		return;
	}
	app->closing = !!strstr(h, "\r\nConnection: close\r\n");
	if (app->closing == !!strstr(h, "\r\nConnection: keep-alive\r\n") ||
	    (ask->close != FLOW_EITHER && app->closing != ask->close))
		sim_fail(s, "response %u ought to %s", app->done, ask->close ? "close" : "keep the connection");
	app->is_object = !ask->is_text;
	app->size = length;
	app->left = ask->head_only ? 0 : length;
	app->in_body = 1;
	if (!app->left)
		finish_response(s);
}

static void take_body(struct sim *s, uint32_t end)
{
	struct sim_app *app = &s->app;
	uint32_t n = end - app->pos < app->left ? end - app->pos : app->left, i;
	const uint8_t *b = s->rx.bytes + app->pos - 1;

	for (i = 0; app->is_object && i < n; i++)
		if (b[i] != (uint8_t)P64[(i - app->left) & 63]) {
			sim_fail(s, "response %u: byte %u of %u is %02x", app->done, app->size - app->left + i,
				 app->size, b[i]);
			return;
		}
	app->left -= n;
	app->pos += n;
	if (!app->left)
		finish_response(s);
}

/* Where the header that begins at the number <pos> ends, if it does before <end>; else 0. */
static uint32_t header_end(const struct sim *s, uint32_t pos, uint32_t end)
{
	const uint8_t *from = s->rx.bytes + pos - 1, *p;

	p = end - pos < 4 ? NULL : memmem(from, end - pos, "\r\n\r\n", 4);
	return p ? pos + (p - from) + 4 : 0;
}

/* Reads the stream up to the number <end>. */
static void parse(struct sim *s, uint32_t end)
{
	static char header[2048];
	struct sim_app *app = &s->app;
	uint32_t behind;

	while (app->pos < end && !s->bad) {
		if (app->done == app->count) {
			sim_fail(s, "%u bytes too many, at %u", end - app->pos, app->pos);
			return;
		}
		if (app->in_body) {
			take_body(s, end);
			continue;
		}
		behind = header_end(s, app->pos, end);
		if (!behind)
			return;
		if (behind - app->pos >= sizeof(header)) {
			sim_fail(s, "response %u: a header of %u bytes", app->done, behind - app->pos);
			return;
		}
		memcpy(header, s->rx.bytes + app->pos - 1, behind - app->pos);
		header[behind - app->pos] = 0;
		app->pos = behind;
		take_header(s, header);
	}
}

/* The server has closed, where it ought to. */
static void take_fin(struct sim *s)
{
	struct sim_app *app = &s->app;

	if (app->done != app->count)
		sim_fail(s, "FIN at %u, in the middle of response %u", s->rx.fin, app->done);
	if (s->tx.fin || app->talk_at != SIM_NEVER)
		return;
	if (sim_has(s, FLOW_TALK))
		app->talk_at = s->now;
	else if (sim_has(s, FLOW_SLOW_FIN))
		app->talk_at = s->now + SLOW_US;
	else
		s->tx.fin = 1;
}

void app_step(struct sim *s)
{
	uint32_t end = s->rx.nxt - (s->rx.fin && s->rx.nxt > s->rx.fin);
	struct sim_app *app = &s->app;

	if (!app->written)
		write_on(s);
	if (!s->setup->rate)
		s->rx.read = end;
	else if (s->rx.read < end && app->read_at == SIM_NEVER)
		app->read_at = s->now + READ_US;
	parse(s, s->rx.read);
	if (s->rx.fin && s->rx.nxt > s->rx.fin && s->rx.read == end)
		take_fin(s);
	tcp_push(s);
}

/* Time to read some bytes. */
static void read_some(struct sim *s)
{
	uint32_t end = s->rx.nxt - (s->rx.fin && s->rx.nxt > s->rx.fin), n = end - s->rx.read;

	s->app.read_at = SIM_NEVER;
	s->rx.read += n < s->setup->rate ? n : s->setup->rate;
	app_step(s);
	tcp_tell_window(s);
}

/* Time for a probe, or for the request that follows it. */
static void probe(struct sim *s)
{
	struct sim_app *app = &s->app;

	app->probe_at = SIM_NEVER;
	if (app->probes++ % 2 == 0) {
		app->probe_answers = s->cost->answers;
		tcp_probe(s, sim_has(s, FLOW_PROBE_BYTE));
		app->probe_at = s->now + PROBE_US;
		return;
	}
	if (!s->setup->wire.loss && s->cost->answers != app->probe_answers + 1)
		sim_fail(s, "probe: %u answers", s->cost->answers - app->probe_answers);
	write_on(s);
	tcp_push(s);
}

/* Time to say something that was not asked for: the body, words behind the end, the end. */
static void talk(struct sim *s)
{
	struct sim_app *app = &s->app;

	app->talk_at = SIM_NEVER;
	if (app->done < app->count) {
		go_on(s);
		return;
	}
	if (sim_has(s, FLOW_TALK) && app->probes++ < TALKS) {
		tcp_write(s, "GET /1000000 HTTP/1.1\r\n\r\n", 25, 1);
		app->talk_at = s->now + READ_US;
	} else {
		s->tx.fin = 1;
	}
	tcp_push(s);
}

void app_timers(struct sim *s)
{
	if (s->app.read_at <= s->now)
		read_some(s);
	if (s->app.probe_at <= s->now)
		probe(s);
	if (s->app.talk_at <= s->now)
		talk(s);
}

uint64_t app_next_timer(const struct sim *s)
{
	const struct sim_app *app = &s->app;
	uint64_t t = app->read_at < app->probe_at ? app->read_at : app->probe_at;

	return t < app->talk_at ? t : app->talk_at;
}

int app_may_end(const struct sim *s)
{
	return s->app.done == s->app.count && s->rx.fin && s->rx.nxt > s->rx.fin && s->tx.fin &&
	       s->tx.una == s->tx.max && s->tx.max == 2 + s->tx.len && s->rx.read == s->rx.fin;
}

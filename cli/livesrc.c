// SPDX-License-Identifier: GPL-2.0-only
/* livesrc.c - the captures behind the files of livefs.h */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include "cmd.h"
#include "livesrc.h"

#define SPANS	512
#define RECEIVE (1U << NDIV_POINT_RX | 1U << NDIV_POINT_VERDICT)

struct livesrc {
	struct livesrc *next;
	unsigned int ifindex;
	unsigned int points; /* what it can capture */
	struct ndiv *nd;
	struct ndiv_capture *cap;
	struct live *streams;
	int dead; /* its streams are ended, and there will be no more */
};

static struct livesrc *sources;

static struct livesrc *find(unsigned int ifindex, enum ndiv_point point)
{
	struct livesrc *s;

	for (s = sources; s; s = s->next)
		if (s->ifindex == ifindex && s->points >> point & 1 && !s->dead)
			return s;
	return NULL;
}

static void close_source(struct livesrc *s)
{
	struct livesrc **at;

	for (at = &sources; *at; at = &(*at)->next)
		if (*at == s) {
			*at = s->next;
			break;
		}
	ndiv_capture_close(s->cap);
	ndiv_close(s->nd);
	free(s);
}

/* One that captures nothing yet. */
static int open_source(struct livesrc **out, unsigned int ifindex, enum ndiv_point point,
		       const struct ndiv_capture_opts *opts, const char *what)
{
	struct ndiv_capture_opts o = *opts;
	struct livesrc *s = calloc(1, sizeof(*s));
	char name[IF_NAMESIZE], err[1024] = "";
	int ret;

	if (!s)
		return -ENOMEM;
	s->ifindex = ifindex;
	s->points = point == NDIV_POINT_TX ? 1U << point : RECEIVE;
	o.points = s->points;
	o.idle = 1;
	ret = if_indextoname(ifindex, name) ? ndiv_open(&s->nd, name, 0, err, sizeof(err)) : -errno;
	if (!ret) {
		ret = ndiv_capture_open(&s->cap, s->nd, &o);
		snprintf(err, sizeof(err), "%s", ret ? ndiv_error(s->nd) : "");
	}
	if (ret) {
		message("%s: %s", what, *err ? err : strerror(-ret));
		close_source(s);
		return ret;
	}
	s->next = sources;
	sources = s;
	*out = s;
	return 0;
}

/* Captures at those points that somebody reads. */
static int tap(struct livesrc *s)
{
	unsigned int points = 0;
	struct live *l;

	for (l = s->streams; l; l = l->next)
		points |= 1U << l->point;
	return ndiv_capture_tap(s->cap, points);
}

/* Nothing more comes from it. */
static void finish(struct livesrc *s)
{
	struct live *l;

	s->dead = 1;
	for (l = s->streams; l; l = l->next) {
		ndiv_stream_end(l->stream);
		l->ended = 1;
	}
}

/* What is in the rings goes to those who were there before. */
static size_t pump(struct livesrc *s)
{
	struct iovec iov[SPANS];
	uint64_t packets;
	size_t bytes = 0;
	struct live *l;
	int n, i;

	n = ndiv_capture_read(s->cap, iov, SPANS, 0, 0, &packets);
	if (n < 0) {
		message("capture: a ring is broken (%s): please report it", strerror(-n));
		finish(s);
		return 0;
	}
	for (l = s->streams; l; l = l->next)
		ndiv_stream_put(l->stream, iov, n);
	for (i = 0; i < n; i++)
		bytes += iov[i].iov_len;
	ndiv_capture_release(s->cap);
	return bytes;
}

int live_open(struct live **out, unsigned int ifindex, enum ndiv_point point, enum ndiv_format format, size_t buffer,
	      const struct ndiv_capture_opts *opts, const char *what)
{
	struct livesrc *s = find(ifindex, point);
	struct live *l = calloc(1, sizeof(*l));
	int err = l ? 0 : -ENOMEM;

	if (!err && s)
		pump(s);
	else if (!err)
		err = open_source(&s, ifindex, point, opts, what);
	if (!err)
		err = ndiv_stream_open(&l->stream, s->cap, point, format, buffer);
	if (err) {
		if (s && !s->streams)
			close_source(s);
		free(l);
		return err;
	}
	l->src = s;
	l->point = point;
	l->next = s->streams;
	s->streams = l;
	err = tap(s);
	if (err) {
		message("%s: %s", what, ndiv_error(s->nd));
		live_close(l);
		return err;
	}
	*out = l;
	return 0;
}

void live_close(struct live *l)
{
	struct livesrc *s = l->src;
	struct live **at;

	for (at = &s->streams; *at != l; at = &(*at)->next)
		;
	*at = l->next;
	ndiv_stream_close(l->stream);
	free(l);
	if (!s->streams)
		close_source(s);
	else if (!s->dead)
		tap(s);
}

static void end_streams(struct livesrc *s)
{
	ndiv_capture_stop(s->cap);
	while (!s->dead && pump(s))
		;
	if (!s->dead)
		finish(s);
}

size_t live_pump(void (*fn)(struct live *l))
{
	struct livesrc *s;
	struct live *l;
	size_t bytes = 0;

	for (s = sources; s; s = s->next) {
		if (!s->dead)
			bytes += pump(s);
		for (l = s->streams; l; l = l->next)
			fn(l);
	}
	return bytes;
}

void live_check(void)
{
	struct livesrc *s;
	int err;

	for (s = sources; s; s = s->next) {
		if (s->dead)
			continue;
		err = ndiv_capture_refresh(s->cap);
		if (!err)
			err = ndiv_capture_check(s->cap);
		if (err)
			end_streams(s);
	}
}

void live_end_all(void)
{
	struct livesrc *s;

	for (s = sources; s; s = s->next)
		if (!s->dead)
			end_streams(s);
}

int live_any(void)
{
	return !!sources;
}

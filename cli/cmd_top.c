// SPDX-License-Identifier: GPL-2.0-only
/* cmd_top.c - ndiv top: rates, as they come, on the screen or in plain tables */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "cmd.h"
#include "out.h"
#include "rate.h"
#include "screen.h"

struct options {
	int64_t delay; /* ms */
	int64_t count; /* 0: no end */
	int batch;
	int json;
};

#define DELAY_MIN    100 /* ms */
#define DELAY_MAX    3600000
#define DELAY_PAUSED 1000 /* how long a signal can stay unseen */

static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
	ended = 1;
}

/* Without SA_RESTART: whatever waits is to return. */
static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction sa = { .sa_handler = on_signal };
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

/* --- in plain tables */

static void wait_until(int64_t when)
{
	struct timespec ts = { .tv_sec = when / 1000, .tv_nsec = when % 1000 * 1000000 };

	while (!ended && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static void print_one(const struct options *o, const struct snaps *now, const struct snaps *before)
{
	char when[32];
	time_t t = time(NULL);

	if (o->json) {
		rate_json(stdout, now, before);
		return;
	}
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", localtime(&t));
	printf("--- %s\n", when);
	rate_text(stdout, now, before, 1);
}

/* An interface that vanishes on the way is not attached any more. */
static int batch(const struct options *o, const char *ifname, struct snaps *before)
{
	int64_t n, due = now_ms();
	char err[SNAP_ERR_LEN];
	struct snaps now;
	int ret;

	for (n = 0; !o->count || n < o->count; n++) {
		due += o->delay;
		wait_until(due);
		if (ended)
			break;
		ret = snaps_read(&now, ifname, 0, err);
		if (ret && ret != -ENODEV) {
			message("%s", err);
			return EXIT_FAILURE;
		}
		print_one(o, &now, before);
		snaps_free(before);
		*before = now;
		if (out_flush())
			return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

/* --- on the screen */

struct live {
	const char *ifname;
	int64_t delay;
	int64_t due; /* when to read again */
	int64_t shown; /* how often it was read */
	int paused;
	struct snaps before, now;
	char err[SNAP_ERR_LEN];
};

/* The new snapshot and the one before. What cannot be read is an empty one and a message, and may be back next time. */
static void next_snapshot(struct live *l)
{
	struct snaps fresh;

	snaps_read(&fresh, l->ifname, 0, l->err);
	snaps_free(&l->before);
	l->before = l->now;
	l->now = fresh;
	l->due = now_ms() + l->delay;
	l->shown++;
}

static void draw(const struct live *l)
{
	char title[120], *text = NULL;
	size_t len;
	FILE *f;

	snprintf(title, sizeof(title), "ndiv top  every %g s%s  q quit, space pause, +/- interval, arrows scroll",
		 l->delay / 1000.0, l->paused ? "  PAUSED" : "");
	f = open_memstream(&text, &len);
	if (!f)
		return;
	if (*l->err)
		out_line(f, "%s", l->err);
	else
		rate_text(f, &l->now, &l->before, 0);
	if (!fclose(f))
		screen_draw(title, text);
	free(text);
}

static void change_delay(struct live *l, int64_t delay)
{
	delay = delay < DELAY_MIN ? DELAY_MIN : delay > DELAY_MAX ? DELAY_MAX : delay;
	l->due += delay - l->delay;
	l->delay = delay;
}

static void on_key(struct live *l, enum screen_key key)
{
	switch (key) {
	case SCREEN_QUIT:
		ended = 1;
		break;
	case SCREEN_PAUSE:
		l->paused = !l->paused;
		break;
	case SCREEN_FASTER:
		change_delay(l, l->delay / 2);
		break;
	case SCREEN_SLOWER:
		change_delay(l, l->delay * 2);
		break;
	case SCREEN_NONE:
	case SCREEN_REDRAW:
		break;
	}
}

static void live_loop(struct live *l, int64_t count)
{
	int64_t left;

	while (!ended && (!count || l->shown <= count)) {
		draw(l);
		left = l->due - now_ms();
		if (left > 0 || l->paused)
			on_key(l, screen_wait(l->paused ? DELAY_PAUSED : (int)left));
		if (!l->paused && !ended && now_ms() >= l->due)
			next_snapshot(l);
	}
}

static int live(const struct options *o, const char *ifname, struct snaps *first)
{
	struct live l = { .ifname = ifname, .delay = o->delay, .now = *first };
	int failed = screen_open();

	*first = (struct snaps){ 0 };
	l.due = now_ms() + l.delay;
	if (!failed) {
		live_loop(&l, o->count);
		screen_close();
	}
	snaps_free(&l.before);
	snaps_free(&l.now);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(const void *opts, int argc, char **argv)
{
	const struct options *o = opts;
	char err[SNAP_ERR_LEN];
	struct snaps first;
	int ret;

	if (o->json && !o->batch)
		return opt_error(&cmd_top, "--json needs --batch");
	if (snaps_read(&first, argv[0], 0, err)) {
		message("%s", err);
		return EXIT_FAILURE;
	}
	catch_signals();
	ret = (o->batch ? batch : live)(o, argv[0], &first);
	snaps_free(&first);
	return ret;
}

static const struct opt opts[] = {
	{ 'd', "delay", OPT_SECONDS, offsetof(struct options, delay), "SECONDS",
	  "time between two looks, such as 0.5; 1 unless given", DELAY_MIN, DELAY_MAX, NULL },
	{ 'b', "batch", OPT_FLAG, offsetof(struct options, batch), NULL, "print plain tables, for scripts", 0, 0,
	  NULL },
	{ 'c', "count", OPT_NUMBER, offsetof(struct options, count), "COUNT",
	  "end after COUNT looks; 0 (default): never", 0, 1000000000, NULL },
	{ 'j', "json", OPT_FLAG, offsetof(struct options, json), NULL,
	  "with --batch: a JSON object per look, in one line", 0, 0, NULL },
	{ 0 },
};

static const struct arg args[] = {
	{ ARG_OUR_IF, "IF", 1, 0 },
	{ 0 },
};

static const struct options defaults = { .delay = 1000 };

const struct cmd cmd_top = {
	.name = "top",
	.about = "Shows rates while they change: packets and bits per second, by handler and verdict.",
	.text = "Keys: q quits, space pauses, + and - double and halve the interval, arrows and page keys scroll.\n"
		"The share is that of all packets that came in. ns/packet is a handler's mean over\n"
		"all its packets since it was attached.\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd_capture_record.c - ndiv capture record: a flight recorder, whose rings nobody reads until something happens
 *
 * What makes it save: `ndiv capture save`, SIGUSR1, or packets dropped for a reason, so many in a second.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "capcommon.h"
#include "capwriter.h"
#include "cmd.h"
#include "recsock.h"

#define SNAPLEN_MIN 64
#define CHECK_MS    200
#define RATE_MS	    1000 /* drops are counted over so long */
#define NEVER	    (INT64_MAX / 4) /* a limit that no file reaches */

struct options {
	const char *file, *points, *user, *verdict, *handler, *reason, *drop;
	int64_t snaplen, ring, sample, last, files, rate;
	int clock, coarse, zstd;
};

static const struct options defaults = { .rate = 1 };

struct recorder {
	const struct options *o;
	struct ndiv *nd;
	struct ndiv_capture *cap;
	int sock; /* -1: none */
	int64_t saved; /* files */
	int64_t counted; /* ms: when <drops> was read */
	uint64_t drops;
	int high; /* the rate was reached in the last second: one file is enough */
	char said[RECSOCK_LINE]; /* what became of the last save */
};

static volatile sig_atomic_t ended, asked;

static void on_ask(int sig)
{
	asked = 1;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* --- saving */

/* The file of a snapshot. 0, or -1 after a message. */
static int write_file(struct recorder *r, struct ndiv_capture *snap, struct capwriter *w)
{
	const struct options *o = r->o;
	int failed;

	*w = (struct capwriter){
		.cap = snap,
		.cpu = CAPWRITER_ALL,
		.opts = { .path = o->file, .bytes = NEVER, .seconds = strchr(o->file, '%') ? NEVER : 0,
			  .files = o->files, .first = r->saved, .zstd = o->zstd },
	};
	failed = capwriter_begin(w, &ended) || capwriter_finish(w);
	return capwriter_close(w) || failed ? -1 : 0;
}

static void describe(struct recorder *r, const struct ndiv_capture *snap, const struct capwriter *w)
{
	uint64_t unstamped = ndiv_capture_unstamped(snap);
	char more[80] = "";

	if (unstamped)
		snprintf(more, sizeof(more), ", %" PRIu64 " of them without a time of the card", unstamped);
	snprintf(r->said, sizeof(r->said), "%s: %" PRIu64 " packets of %.3f s%s", w->file.path, capwriter_packets(w),
		 ndiv_capture_span(snap) / 1e9, more);
}

/* What is there of the last <ms>. 0 or -1; r->said tells. */
static int save(struct recorder *r, int64_t ms)
{
	struct ndiv_capture *snap = NULL;
	static struct capwriter w;
	int err = ndiv_capture_snapshot(&snap, r->cap, ms);

	if (err) {
		snprintf(r->said, sizeof(r->said), "cannot copy the rings: %s", strerror(-err));
		return -1;
	}
	err = write_file(r, snap, &w);
	if (err)
		snprintf(r->said, sizeof(r->said), "cannot save to %s: see what the recorder said", w.file.path);
	else
		describe(r, snap, &w);
	r->saved += !err;
	ndiv_capture_close(snap);
	return err;
}

/* By itself, and not for somebody who waits for the answer. */
static void save_because(struct recorder *r, const char *why)
{
	save(r, r->o->last);
	message("capture: %s: %s", why, r->said);
}

static void answer_caller(struct recorder *r)
{
	int64_t ms;
	int fd = recsock_accept(r->sock, &ms), failed;

	if (fd < 0)
		return;
	failed = save(r, ms < 0 ? r->o->last : ms);
	message("capture: asked to save: %s", r->said);
	recsock_answer(fd, failed, r->said);
}

/* --- drops */

/* How many packets were dropped for the reason so far, by whichever handler. -1: no handler has that reason. */
static int64_t count_drops(struct recorder *r)
{
	static struct ndiv_state st;
	static struct ndiv_stats stats;
	int64_t n = -1;
	unsigned int k;
	size_t i;

	if (ndiv_state(r->nd, &st) || !st.attached || ndiv_stats(r->nd, NDIV_CPU_RX, -1, &stats))
		return -1;
	for (k = 0; k < NDIV_REASONS_MAX; k++)
		if (!strcmp(ndiv_core_reason(k), r->o->drop))
			n = stats.reason[0][k];
	for (i = 0; i < st.count; i++)
		for (k = 0; k < NDIV_REASONS_MAX; k++)
			if (!strcmp(st.handler[i].entry.info.reasons[k], r->o->drop))
				n = (n < 0 ? 0 : n) + stats.reason[st.handler[i].id][k];
	return n;
}

/* Every second. A rate that stays high makes one file, and not one each second. */
static void watch_drops(struct recorder *r, int64_t now)
{
	char why[160];
	int64_t n, more;

	if (!r->o->drop || now - r->counted < RATE_MS)
		return;
	n = count_drops(r);
	more = n < 0 || (uint64_t)n < r->drops ? 0 : n - r->drops;
	r->drops = n < 0 ? 0 : n;
	if (more * 1000 >= r->o->rate * (now - r->counted) && more) {
		snprintf(why, sizeof(why), "%" PRId64 " packets dropped for %s", more, r->o->drop);
		if (!r->high)
			save_because(r, why);
		r->high = 1;
	} else {
		r->high = 0;
	}
	r->counted = now;
}

static int begin_drops(struct recorder *r, const char *ifname)
{
	int64_t n = r->o->drop ? count_drops(r) : 0;

	if (n < 0) {
		message("%s: nothing on it drops for a reason \"%s\" (`ndiv show -a %s` lists what there is)", ifname,
			r->o->drop, ifname);
		return -1;
	}
	r->drops = n;
	r->counted = now_ms();
	return 0;
}

/* --- at work */

static int look_around(struct recorder *r)
{
	int err = ndiv_capture_refresh(r->cap);

	if (!err)
		err = ndiv_capture_check(r->cap);
	if (err)
		message("capture: %s", err == -ENODEV ? "the interface has vanished"
				       : err == -ENOLINK ? "ndiv was detached from the interface" : strerror(-err));
	return err ? -1 : 0;
}

static int work(struct recorder *r)
{
	struct pollfd fd = { .fd = r->sock, .events = POLLIN };
	int64_t checked = 0, now;
	int err = 0;

	while (!ended && !err) {
		if (poll(&fd, 1, CHECK_MS) > 0)
			answer_caller(r);
		if (asked) {
			asked = 0;
			save_because(r, "signal");
		}
		now = now_ms();
		watch_drops(r, now);
		if (now - checked >= CHECK_MS) {
			err = look_around(r);
			checked = now;
		}
	}
	return err;
}

/* --- from beginning to end */

/* To read the counters, root is needed again and again. */
static int drop_privileges(const struct recorder *r)
{
	struct capuser u;
	int found = capuser_find(r->o->user, &u);

	if (found <= 0)
		return found;
	if (!r->o->drop && !ndiv_capture_needs_root(r->cap))
		return capuser_become(&u);
	message("capture: privileges are kept: %s", r->o->drop
							    ? "the counters of drops have to be read"
							    : "tc has to be cleaned up at the end (Linux before 6.6)");
	return 0;
}

static int open_recorder(struct recorder *r, const char *ifname, const struct ndiv_capture_opts *c)
{
	r->nd = if_open(ifname);
	if (!r->nd || begin_drops(r, ifname))
		return -1;
	if (ndiv_capture_open(&r->cap, r->nd, c)) {
		message("%s: %s", ifname, ndiv_error(r->nd));
		return -1;
	}
	r->sock = recsock_listen(if_nametoindex(ifname));
	if (r->sock < 0) {
		message("%s: cannot listen for `ndiv capture save`: %s", ifname,
			r->sock == -EADDRINUSE ? "somebody records it already" : strerror(-r->sock));
		return -1;
	}
	return drop_privileges(r);
}

static int record(struct recorder *r, const char *ifname, const struct ndiv_capture_opts *c)
{
	struct ndiv_capture_stats st;
	int failed = open_recorder(r, ifname, c);

	if (!failed) {
		ndiv_capture_stats(r->cap, &st);
		message("capture: recording %s, the last %" PRIu64 " kB of each CPU; `ndiv capture save %s` saves them",
			ifname, st.size / 1024, ifname);
		failed = work(r);
	}
	if (r->sock >= 0)
		close(r->sock);
	ndiv_capture_close(r->cap);
	ndiv_close(r->nd);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int check_options(const struct options *o, struct ndiv_capture_opts *c)
{
	const struct cmd *me = &cmd_capture_record;

	if (!o->file || !strcmp(o->file, "-"))
		return opt_error(me, "a file is missing: -w FILE");
	if (o->files && strchr(o->file, '%'))
		return opt_error(me, "--files: names with %% are not written over again");
	if (o->snaplen && o->snaplen < SNAPLEN_MIN)
		return opt_error(me, "--snaplen: %" PRId64 " is too short; it has to be from %d on, or 0 for all",
				 o->snaplen, SNAPLEN_MIN);
	c->points = 1U << (o->verdict || o->handler || o->reason ? NDIV_POINT_VERDICT : NDIV_POINT_RX);
	if (o->points)
		c->points = points_parse(o->points);
	if (!c->points)
		return opt_error(me, "--points: \"%s\" is no list of rx, verdict and tx", o->points);
	c->verdicts = o->verdict ? verdicts_parse(o->verdict) : 0;
	if (o->verdict && !c->verdicts)
		return opt_error(me, "--verdict: \"%s\" is no list of pass, drop, reply, burst, postpone and forward",
				 o->verdict);
	return 0;
}

static int run(const void *values, int argc, char **argv)
{
	const struct options *o = values;
	struct ndiv_capture_opts c = { .sz = sizeof(c), .record = 1, .snaplen = o->snaplen, .ring = o->ring * 1024,
				       .coarse = o->coarse, .sample = o->sample, .handler = o->handler,
				       .reason = o->reason };
	static struct recorder r;
	char *filter;
	int status = check_options(o, &c);

	if (status)
		return status;
	clock_choose(o->clock, &c);
	filter = expression_join(argc - 1, argv + 1);
	if (!filter)
		return EXIT_FAILURE;
	c.filter = filter;
	r = (struct recorder){ .o = o, .sock = -1 };
	capsignal_catch(&ended);
	signal(SIGUSR1, on_ask);
	status = record(&r, argv[0], &c);
	free(filter);
	return status;
}

#define OPTION(letter, name, type, member, arg, help, min, max) \
	{                                                                                                              \
		letter, name, type, offsetof(struct options, member), arg, help, min, max, NULL                        \
	}

static const struct opt opts[] = {
	OPTION('w', "write", OPT_TEXT, file, "FILE",
	       "where it is saved; then FILE1 and so on; or a name for strftime(3)", 0, 0),
	OPTION('t', "last", OPT_SECONDS, last, "SECONDS", "save packets of so long only; 0, the default: all there are",
	       0, INT64_MAX / 1000000),
	OPTION(0, "on-drop", OPT_TEXT, drop, "REASON", "save when packets are dropped for this reason ...", 0, 0),
	OPTION(0, "rate", OPT_NUMBER, rate, "N", "... as many in a second; 1 unless given", 1, 1000000000),
	OPTION('W', "files", OPT_NUMBER, files, "N", "keep N files, then begin with the first one again", 1, 1000000),
	OPTION('s', "snaplen", OPT_NUMBER, snaplen, "BYTES", "keep so much of a packet; 0, the default: all", 0,
	       NDIV_SNAPLEN_MAX),
	OPTION('B', "buffer-size", OPT_NUMBER, ring, "KB", "size of the ring of each CPU; 4096 unless given", 64,
	       NDIV_RING_MAX / 1024),
	OPTION('P', "points", OPT_TEXT, points, "LIST", "where, as of ndiv capture", 0, 0),
	OPTION(0, "verdict", OPT_TEXT, verdict, "LIST", "likewise", 0, 0),
	OPTION(0, "handler", OPT_TEXT, handler, "NAME", "likewise", 0, 0),
	OPTION(0, "reason", OPT_TEXT, reason, "NAME", "likewise", 0, 0),
	OPTION(0, "sample", OPT_NUMBER, sample, "N", "keep one packet of N, at random", 1, 1000000000),
	OPTION(0, "zstd", OPT_FLAG, zstd, NULL, "compress, for Wireshark or zstd -d", 0, 0),
	OPTION(0, "coarse", OPT_FLAG, coarse, NULL, "cheaper times, exact to some milliseconds only", 0, 0),
	{ 'j', "time-stamp-type", OPT_CHOICE, offsetof(struct options, clock), NULL,
	  "whose clock: the host's (default), the same as --coarse, or the card's", 0, 0, clock_names },
	OPTION('Z', "user", OPT_TEXT, user, "USER",
	       "go on as this user, to whom files belong; the one who called sudo unless given", 0, 0),
	{ 0 },
};

static const struct arg args[] = {
	{ ARG_IF, "IF", 0, 0 },
	{ ARG_WORD, "EXPRESSION", 1, 1 },
	{ 0 },
};

const struct cmd cmd_capture_record = {
	.name = "capture record",
	.about = "Holds the last packets in memory, and saves them when something happens.",
	.text = "`ndiv capture save IF`, SIGUSR1, or drops for a reason make a file of what was there before.\n"
		"Nothing is written until then. See ndiv-capture(8).\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-only
/* cmd_shield_watch.c - ndiv shield watch: samples of what shield drops, with reason and rule */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <ndiv/shield.h>
#include "capcommon.h"
#include "capwriter.h"
#include "cmd.h"
#include "out.h"

#define SNAPLEN	 192 /* of packets for the screen: all headers */
#define CHECK_MS 200
#define SLEEP_US 20000
#define RING	 (256 << 10)
#define RATE	 100

struct options {
	const char *file, *reason;
	int64_t rate, sample, count;
	int json;
};

static const struct options defaults = { .rate = RATE, .sample = 1 };

struct session {
	const struct options *o;
	struct ndiv *nd;
	struct ndiv_capture *cap;
	struct capwriter writer; /* with -w */
	uint64_t packets;
	int64_t checked; /* ms */
};

static volatile sig_atomic_t ended;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* --- blocks as the kernel's side writes them: pcapng, enhanced packet blocks */

#define EPB	6
#define COMMENT 1

struct sample {
	uint64_t ns;
	const uint8_t *data;
	uint32_t captured, len;
	char comment[NDIV_RULE_COMMENT_LEN + 1];
};

static uint32_t word(const uint8_t *block, uint32_t off)
{
	uint32_t v;

	memcpy(&v, block + off, sizeof(v));
	return v;
}

/* The comment among the options of the block, which begin at <off>. */
static void read_comment(const uint8_t *block, uint32_t off, uint32_t end, struct sample *s)
{
	uint16_t code, len;

	for (; off + 4 <= end; off += 4 + ((len + 3U) & ~3U)) {
		memcpy(&code, block + off, sizeof(code));
		memcpy(&len, block + off + 2, sizeof(len));
		if (!code || off + 4 + len > end)
			return;
		if (code == COMMENT)
			snprintf(s->comment, sizeof(s->comment), "%.*s", (int)len, (const char *)block + off + 4);
	}
}

/* 0, or -1 if it is no packet. */
static int read_block(const uint8_t *block, uint32_t len, struct sample *s)
{
	memset(s, 0, sizeof(*s));
	if (word(block, 0) != EPB || len < 32)
		return -1;
	s->ns = (uint64_t)word(block, 12) << 32 | word(block, 16);
	s->captured = word(block, 20);
	s->len = word(block, 24);
	s->data = block + 28;
	if (s->captured > len - 32)
		return -1;
	read_comment(block, 28 + ((s->captured + 3) & ~3U), len - 4, s);
	return 0;
}

/* --- what is shown */

/* "shield: drop denied, line 3: deny @bad" in parts. */
struct reason {
	char name[NDIV_NAME_LEN];
	unsigned int line; /* 0: no rule */
	const char *rule;
};

static void split_comment(const char *comment, struct reason *r)
{
	const char *name = strstr(comment, ": drop "), *rule;
	int n = 0;

	memset(r, 0, sizeof(*r));
	name = name ? name + strlen(": drop ") : comment;
	rule = strchr(name, ',');
	snprintf(r->name, sizeof(r->name), "%.*s", (int)(rule ? rule - name : (int)strlen(name)), name);
	if (rule && sscanf(rule, ", line %u: %n", &r->line, &n) == 1 && n)
		r->rule = rule + n;
}

static void time_text(uint64_t ns, char *buf, size_t len)
{
	time_t t = (time_t)(ns / 1000000000);
	struct tm tm;
	size_t n = localtime_r(&t, &tm) ? strftime(buf, len, "%H:%M:%S", &tm) : 0;

	snprintf(buf + n, len - n, ".%06u", (unsigned int)(ns % 1000000000 / 1000));
}

static void show(const struct sample *s)
{
	char when[32], packet[NDIV_HEADERS_TEXT], rule[300] = "";
	struct ndiv_headers h;
	struct reason r;

	split_comment(s->comment, &r);
	ndiv_headers_read(&h, s->data, s->captured);
	ndiv_headers_text(&h, packet, sizeof(packet));
	time_text(s->ns, when, sizeof(when));
	if (r.rule)
		snprintf(rule, sizeof(rule), " by line %u (%s)", r.line, r.rule);
	out_line(stdout, "%s %s%s: %s, %" PRIu32 " bytes", when, r.name, rule, packet, s->len);
}

static void put_ports_json(struct json *j, const struct ndiv_headers *h)
{
	if (!h->ports)
		return;
	json_uint(j, "sport", h->sport);
	json_uint(j, "dport", h->dport);
}

/* An object a line. */
static void show_json(const struct sample *s)
{
	struct ndiv_headers h;
	struct reason r;
	struct json j;

	split_comment(s->comment, &r);
	ndiv_headers_read(&h, s->data, s->captured);
	json_begin(&j, stdout, 0);
	json_open(&j, NULL, '{');
	json_time(&j, "time", s->ns);
	json_text(&j, "reason", r.name);
	if (r.rule) {
		json_uint(&j, "line", r.line);
		json_text(&j, "rule", r.rule);
	}
	json_text(&j, "src", h.ip ? h.src : NULL);
	json_text(&j, "dst", h.ip ? h.dst : NULL);
	json_uint(&j, "proto", h.proto);
	put_ports_json(&j, &h);
	if (h.flags >= 0)
		json_uint(&j, "flags", h.flags);
	if (h.type >= 0)
		json_uint(&j, "type", h.type);
	json_bool(&j, "fragment", h.fragment);
	json_uint(&j, "bytes", s->len);
	json_close(&j, '}');
	json_end(&j);
}

/* --- at work */

static void show_blocks(struct session *s, const struct iovec *iov)
{
	const uint8_t *p = iov->iov_base;
	struct sample sample;
	size_t off;
	uint32_t len;

	for (off = 0; off + 12 <= iov->iov_len; off += len) {
		len = word(p + off, 4);
		if (len < 12 || len > iov->iov_len - off)
			return;
		if (read_block(p + off, len, &sample))
			continue;
		s->packets++;
		if (s->o->json)
			show_json(&sample);
		else
			show(&sample);
	}
}

/* What is there, to the screen. How many packets, or -1 after a message. */
static int64_t print_samples(struct session *s)
{
	uint64_t left = s->o->count ? s->o->count - s->packets : 0, packets = 0;
	struct iovec iov[16];
	int n = ndiv_capture_read(s->cap, iov, 16, left, 0, &packets), i;

	if (n < 0) {
		message("shield watch: a ring is broken (%s): please report it", strerror(-n));
		return -1;
	}
	for (i = 0; i < n; i++)
		show_blocks(s, &iov[i]);
	ndiv_capture_release(s->cap);
	return n && out_flush() ? -1 : (int64_t)packets;
}

static int look_around(struct session *s)
{
	int64_t now = now_ms();
	int err;

	if (now - s->checked < CHECK_MS)
		return 0;
	s->checked = now;
	err = ndiv_capture_refresh(s->cap);
	if (!err)
		err = ndiv_capture_check(s->cap);
	if (err == -ENODEV)
		message("shield watch: the interface has vanished");
	else if (err == -ENOLINK)
		message("shield watch: ndiv was detached from the interface");
	else if (err)
		message("shield watch: cannot read handlers and policy: %s", strerror(-err));
	return err ? -1 : 0;
}

static int is_done(const struct session *s)
{
	return ended || (s->o->count && s->packets >= (uint64_t)s->o->count);
}

static int watch_screen(struct session *s)
{
	int64_t n = 0;

	while (n >= 0 && !is_done(s)) {
		n = print_samples(s);
		if (!n)
			usleep(SLEEP_US);
		if (n >= 0 && look_around(s))
			n = -1;
	}
	return n < 0 ? -1 : 0;
}

static int watch_file(struct session *s)
{
	int ret = capwriter_begin(&s->writer, &ended), failed;

	while (!ret && !ended) {
		ret = capwriter_step(&s->writer);
		if (!ret)
			ret = look_around(s);
	}
	ndiv_capture_stop(s->cap);
	ended = 0;
	failed = ret < 0 || capwriter_finish(&s->writer);
	s->packets = capwriter_packets(&s->writer);
	return capwriter_close(&s->writer) || failed ? -1 : 0;
}

static void show_counts(const struct session *s)
{
	const struct ndiv_ring_count *c;
	struct ndiv_capture_stats st;

	ndiv_capture_stats(s->cap, &st);
	c = &st.point[NDIV_POINT_VERDICT];
	message("shield watch: %" PRIu64 " packets of %" PRIu64 " that were dropped, %" PRIu64
		" left out by sampling and rate, %" PRIu64 " lost", s->packets, (uint64_t)(c->seen - c->rejected),
		(uint64_t)c->skipped, (uint64_t)c->lost);
}

static int run(const void *opts, int argc, char **argv)
{
	const struct options *o = opts;
	struct ndiv_capture_opts c = {
		.sz = sizeof(c), .points = 1U << NDIV_POINT_VERDICT, .verdicts = 1U << NDIV_DROP, .handler = "shield",
		.reason = o->reason, .sample = o->sample, .rate = o->rate, .rules = 1, .ring = RING,
		.snaplen = o->file ? 0 : SNAPLEN,
	};
	struct session s = { .o = o };
	struct ndiv_policy_state policy;
	int failed;

	if (o->file && o->json)
		return opt_error(&cmd_shield_watch, "--json is for the screen, and not for a file");
	s.nd = if_open(argv[0]);
	if (!s.nd)
		return EXIT_FAILURE;
	/* says it if shield is not attached */
	if (ndiv_policy_state(s.nd, &policy))
		return if_done(s.nd, argv[0], -ENOENT);
	capsignal_catch(&ended);
	if (ndiv_capture_open(&s.cap, s.nd, &c)) {
		message("%s: %s", argv[0], ndiv_error(s.nd));
		ndiv_close(s.nd);
		return EXIT_FAILURE;
	}
	message("shield watch: listening on %s", argv[0]);
	s.writer = (struct capwriter){ .cap = s.cap, .cpu = CAPWRITER_ALL, .count = o->count, .opts.path = o->file };
	failed = o->file ? watch_file(&s) : watch_screen(&s);
	show_counts(&s);
	ndiv_capture_close(s.cap);
	ndiv_close(s.nd);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const struct opt opts[] = {
	{ 'w', "write", OPT_TEXT, offsetof(struct options, file), "FILE",
	  "write a pcapng file, whole packets with reason and rule as a comment; -: standard output", 0, 0, NULL },
	{ 0, "rate", OPT_NUMBER, offsetof(struct options, rate), "N",
	  "at most N packets a second; 100 unless given, 0: all", 0, 1000000, NULL },
	{ 0, "sample", OPT_NUMBER, offsetof(struct options, sample), "N", "one packet of N, at random", 1, 1000000000,
	  NULL },
	{ 0, "reason", OPT_TEXT, offsetof(struct options, reason), "NAME", "only what is dropped for this reason", 0,
	  0, NULL },
	{ 'c', "count", OPT_NUMBER, offsetof(struct options, count), "N", "end after N packets", 1, INT64_MAX, NULL },
	{ 'j', "json", OPT_FLAG, offsetof(struct options, json), NULL, "print JSON, an object a line", 0, 0, NULL },
	{ 0 },
};

static const struct arg args[] = {
	{ ARG_OUR_IF, "IF", 0, 0 },
	{ 0 },
};

const struct cmd cmd_shield_watch = {
	.name = "shield watch",
	.about = "Shows samples of what shield drops, with reason and rule.",
	.text = "One packet a line: time, reason, the rule that it was and its line in the policy, the packet.\n"
		"Sampling and rate are at work in the kernel, before anything is copied: a flood costs next to\n"
		"nothing. It is a capture at the verdict (`ndiv capture`): one at a time on an interface.\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run,
};

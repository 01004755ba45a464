// SPDX-License-Identifier: GPL-2.0-only
/* cmd_httpd.c - ndiv httpd: the files that the handler httpd serves, and its maintenance mode */
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "cmd.h"
#include "out.h"

#define HANDLER "httpd"
#define SHOW_NS 200000000 /* between two lines of progress */

const char *const httpd_words[] = { "root", "reload", "clear", "maintenance", "show", NULL };

struct options {
	int64_t retry;
	int json;
};

/* --- progress, for somebody who waits */

struct bar {
	int64_t last_ns;
	int shown;
};

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* Nothing is said of what is done at once. */
static void put_progress(const char *what, uint64_t done, uint64_t total, void *arg)
{
	struct bar *bar = arg;
	int64_t ns = now_ns();

	if (ns - bar->last_ns < SHOW_NS)
		return;
	bar->last_ns = ns;
	bar->shown = 1;
	if (total)
		fprintf(stderr, "\r%s: %" PRIu64 " of %" PRIu64 " pages ", what, done, total);
	else
		fprintf(stderr, "\r%s: %" PRIu64 " kB ", what, done / 1000);
}

static void end_progress(const struct bar *bar)
{
	if (bar->shown)
		fputc('\n', stderr);
}

/* --- show */

struct listing {
	struct tab t;
	struct json j;
	int json;
};

static int put_file(const struct ndiv_content_file *file, void *arg)
{
	struct listing *l = arg;
	char etag[20] = "";

	if (file->etag)
		snprintf(etag, sizeof(etag), "%016" PRIx64, file->etag);
	if (l->json) {
		json_open(&l->j, NULL, '{');
		json_text(&l->j, "url", file->status < 400 ? file->url : NULL);
		json_uint(&l->j, "status", file->status);
		json_text(&l->j, "type", file->type);
		json_uint(&l->j, "size", file->size);
		json_text(&l->j, "etag", *etag ? etag : NULL);
		json_uint(&l->j, "hits", file->hits);
		json_close(&l->j, '}');
		return 0;
	}
	if (file->status < 400)
		tab_cell(&l->t, "%s", file->url);
	else
		tab_cell(&l->t, "page of status %" PRIu32, file->status);
	tab_cell(&l->t, "%s", file->type);
	tab_cell(&l->t, "%" PRIu32, file->size);
	tab_cell(&l->t, "%s", etag);
	tab_cell(&l->t, "%" PRIu64, file->hits);
	return 0;
}

static void put_head(const char *ifname, const struct ndiv_content_state *st)
{
	char when[32] = "?";
	time_t t = (time_t)st->since;
	struct tm tm;

	if (st->maintenance)
		out_line(stdout, "%s: maintenance: every request gets %s", ifname, st->page);
	if (!st->on) {
		out_line(stdout, "%s: no files are served", ifname);
		return;
	}
	if (localtime_r(&t, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	out_line(stdout, "%s: %s, %" PRIu32 " responses, %" PRIu64 " bytes, loaded %s", ifname, st->root, st->files,
		 st->bytes, when);
	if (st->skipped)
		out_line(stdout, "  %" PRIu32 " hidden files are left out", st->skipped);
}

static int show_text(struct ndiv *nd, const char *ifname, const struct ndiv_content_state *st)
{
	struct listing l = { .json = 0 };
	int err;

	tab_begin(&l.t, "llrlr");
	tab_head(&l.t, "url|type|size|etag|hits");
	err = ndiv_content_each(nd, HANDLER, put_file, &l);
	if (err) {
		tab_drop(&l.t);
		return err;
	}
	put_head(ifname, st);
	if (tab_rows(&l.t) > 1)
		tab_end(&l.t, stdout, 2);
	else
		tab_drop(&l.t);
	return 0;
}

static int show_json(struct ndiv *nd, const char *ifname, const struct ndiv_content_state *st)
{
	struct listing l = { .json = 1 };
	int err;

	json_begin(&l.j, stdout, 1);
	json_open(&l.j, NULL, '{');
	json_text(&l.j, "interface", ifname);
	json_text(&l.j, "root", st->on ? st->root : NULL);
	json_text(&l.j, "maintenance", st->maintenance ? st->page : NULL);
	json_uint(&l.j, "since", st->since);
	json_uint(&l.j, "bytes", st->bytes);
	json_uint(&l.j, "hidden", st->skipped);
	json_open(&l.j, "files", '[');
	err = ndiv_content_each(nd, HANDLER, put_file, &l);
	json_close(&l.j, ']');
	json_close(&l.j, '}');
	json_end(&l.j);
	return err;
}

static int show(struct ndiv *nd, const char *ifname, int json)
{
	struct ndiv_content_state *st = out_alloc(sizeof(*st));
	int err = ndiv_content_state(nd, HANDLER, st);

	if (!err)
		err = json ? show_json(nd, ifname, st) : show_text(nd, ifname, st);
	free(st);
	return err;
}

/* --- the command */

static int load(struct ndiv *nd, const char *dir)
{
	struct bar bar = { .last_ns = now_ns() };
	ndiv_progress_fn *fn = isatty(STDERR_FILENO) ? put_progress : NULL;
	int err = dir ? ndiv_content_root(nd, HANDLER, dir, fn, &bar) : ndiv_content_reload(nd, HANDLER, fn, &bar);

	end_progress(&bar);
	return err;
}

static int apply(struct ndiv *nd, const struct options *o, char **argv)
{
	const char *action = argv[1], *arg = argv[2];

	if (!strcmp(action, "root"))
		return load(nd, arg);
	if (!strcmp(action, "reload"))
		return load(nd, NULL);
	if (!strcmp(action, "clear"))
		return ndiv_content_clear(nd, HANDLER);
	if (!strcmp(action, "maintenance"))
		return ndiv_content_maintenance(nd, HANDLER, strcmp(arg, "off") ? arg : NULL, o->retry);
	return show(nd, argv[0], o->json);
}

/* 0 or EXIT_USAGE: is it one of the actions, with an argument where it has one? */
static int check(int argc, char **argv)
{
	const char *action = argv[1], *wants = NULL;
	size_t i;

	for (i = 0; httpd_words[i] && strcmp(httpd_words[i], action); i++)
		;
	if (!httpd_words[i])
		return opt_error(&cmd_httpd, "\"%s\" is none of root|reload|clear|maintenance|show", action);
	if (!strcmp(action, "root"))
		wants = "DIR";
	else if (!strcmp(action, "maintenance"))
		wants = "PAGE or \"off\"";
	if (wants && argc < 3)
		return opt_error(&cmd_httpd, "%s: %s is missing", action, wants);
	if (!wants && argc > 2)
		return opt_error(&cmd_httpd, "%s: \"%s\" is one argument too many", action, argv[2]);
	return 0;
}

static int run(const void *opts, int argc, char **argv)
{
	const struct options *o = opts;
	struct ndiv *nd;

	if (check(argc, argv))
		return EXIT_USAGE;
	nd = if_open(argv[0]);
	return nd ? if_done(nd, argv[0], apply(nd, o, argv)) : EXIT_FAILURE;
}

static const struct opt opts[] = {
	{ 'j', "json", OPT_FLAG, offsetof(struct options, json), NULL, "show: print JSON", 0, 0, NULL },
	{ 0, "retry", OPT_NUMBER, offsetof(struct options, retry), "SECONDS",
	  "maintenance: when clients are to come again (Retry-After); default 60; 0: do not say", 0, 86400, NULL },
	{ 0 },
};

static const struct arg args[] = {
	{ ARG_OUR_IF, "IF", 0, 0 },
	{ ARG_CONTENT, "ACTION", 0, 0 },
	{ ARG_FILE, "DIR|PAGE", 1, 0 },
	{ 0 },
};

static const struct options defaults = { .retry = 60 };

const struct cmd cmd_httpd = {
	.name = "httpd",
	.about = "Tells the attached handler httpd which files to serve.",
	.text = "Actions:\n"
		"  root DIR          serve the files of DIR, instead of those served until now\n"
		"  reload            read that directory again\n"
		"  clear             serve no files, and free their memory\n"
		"  maintenance PAGE  answer every request with the file PAGE and status 503\n"
		"  maintenance off   end that\n"
		"  show              what is served, and how often it was asked for\n\n"
		"All files are read before anything changes. They are kept in memory: up to 240 of them,\n"
		"of 1038336 bytes each, 64 MB in total. Hidden files are left out. A file NNN.html at the top\n"
		"of DIR is the page of that error, such as 404.html. See ndiv-httpd(8).\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run,
};

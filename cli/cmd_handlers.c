// SPDX-License-Identifier: GPL-2.0-only
/* cmd_handlers.c - ndiv handlers: which there are, and what they tell about themselves */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include "cmd.h"
#include "handler.h"
#include "out.h"

struct options {
	int json;
};

/* --- for people */

typedef char defaults[NDIV_OPTIONS_MAX][NDIV_VALUE_LEN];

static void put_option(const struct ndiv_option *opt, const char *initial)
{
	char value[HANDLER_VALUE_LEN], range[48] = "";

	handler_value(opt, value);
	if (opt->type == NDIV_OPT_U16 || opt->type == NDIV_OPT_U32)
		snprintf(range, sizeof(range), " (%" PRIu32 " to %" PRIu32 ")", opt->min, opt->max);
	out_line(stdout, "  %s=%s%s%s%s", opt->name, value, range, *initial ? ", default " : "", initial);
	if (opt->help[0])
		out_line(stdout, "      %s", opt->help);
}

static void put_names(const char *title, const char names[][NDIV_NAME_LEN], size_t count)
{
	size_t i, shown = 0;

	for (i = 0; i < count; i++) {
		if (!names[i][0])
			continue;
		if (!shown++)
			printf("\n%s:\n", title);
		out_line(stdout, "  %s", names[i]);
	}
}

static void put_text(const char *path, const struct ndiv_info *info, const defaults initial)
{
	size_t i;

	out_line(stdout, "%s: %s", info->name, info->about);
	out_line(stdout, "  object  %s", path);
	if (info->want & NDIV_WANT_MALFORMED)
		printf("  wants   malformed packets\n");
	if (info->want & NDIV_WANT_HINTS)
		printf("  wants   what the card knows about a packet\n");
	for (i = 0; i < NDIV_OPTIONS_MAX && info->options[i].type; i++) {
		if (!i)
			printf("\noptions:\n");
		put_option(&info->options[i], initial[i]);
	}
	put_names("drop reasons", info->reasons, NDIV_REASONS_MAX);
	put_names("counters", info->counters, NDIV_COUNTERS_MAX);
}

/* --- JSON */

static void json_option(struct json *j, const struct ndiv_option *opt, const char *initial)
{
	char words[sizeof(opt->choices)], *rest = words, *word;

	json_open(j, opt->name, '{');
	json_text(j, "type", handler_type(opt));
	json_text(j, "help", opt->help);
	json_text(j, "default", *initial ? initial : NULL);
	if (opt->type == NDIV_OPT_U16 || opt->type == NDIV_OPT_U32) {
		json_uint(j, "min", opt->min);
		json_uint(j, "max", opt->max);
	}
	if (opt->type == NDIV_OPT_CHOICE) {
		memcpy(words, opt->choices, sizeof(words));
		json_open(j, "choices", '[');
		while ((word = strsep(&rest, ",")))
			json_text(j, NULL, word);
		json_close(j, ']');
	}
	json_close(j, '}');
}

static void json_names(struct json *j, const char *key, const char names[][NDIV_NAME_LEN], size_t count)
{
	size_t i;

	json_open(j, key, '[');
	for (i = 0; i < count; i++)
		if (names[i][0])
			json_text(j, NULL, names[i]);
	json_close(j, ']');
}

static void put_json(struct json *j, const char *path, const struct ndiv_info *info, const defaults initial)
{
	size_t i;

	json_open(j, NULL, '{');
	json_text(j, "name", info->name);
	json_text(j, "about", info->about);
	json_text(j, "path", path);
	json_bool(j, "wants_malformed", info->want & NDIV_WANT_MALFORMED);
	json_bool(j, "wants_hints", info->want & NDIV_WANT_HINTS);
	json_open(j, "options", '{');
	for (i = 0; i < NDIV_OPTIONS_MAX && info->options[i].type; i++)
		json_option(j, &info->options[i], initial[i]);
	json_close(j, '}');
	json_names(j, "reasons", info->reasons, NDIV_REASONS_MAX);
	json_names(j, "counters", info->counters, NDIV_COUNTERS_MAX);
	json_close(j, '}');
}

/* --- the commands */

static int one(const char *what, int json)
{
	char path[PATH_MAX], err[512] = "";
	struct ndiv_info info;
	defaults initial;
	struct json j;

	if (handler_read(what, path, &info, err, sizeof(err)) ||
	    ndiv_read_defaults(path, initial, err, sizeof(err))) {
		message("%s", err);
		return EXIT_FAILURE;
	}
	if (!json) {
		put_text(path, &info, initial);
		return EXIT_SUCCESS;
	}
	json_begin(&j, stdout, 1);
	json_open(&j, NULL, '[');
	put_json(&j, path, &info, initial);
	json_close(&j, ']');
	json_end(&j);
	return EXIT_SUCCESS;
}

struct listing {
	struct tab t;
	struct json j;
	int json;
	int failed;
};

/* An object that cannot be read does not hide the others. */
static int list_one(const char *name, const char *path, void *arg)
{
	struct listing *l = arg;
	struct ndiv_info info;
	char err[512] = "";
	defaults initial;

	if (ndiv_read_info(path, &info, err, sizeof(err)) || ndiv_read_defaults(path, initial, err, sizeof(err))) {
		message("handler %s: %s", name, err);
		l->failed = 1;
	} else if (l->json) {
		put_json(&l->j, path, &info, initial);
	} else {
		tab_cell(&l->t, "%s", name);
		tab_cell(&l->t, "%s", info.about);
	}
	return 0;
}

static int list(int json)
{
	struct listing l = { .json = json };
	int err;

	tab_begin(&l.t, "ll");
	json_begin(&l.j, stdout, 1);
	if (json)
		json_open(&l.j, NULL, '[');
	err = ndiv_each_builtin(list_one, &l);
	if (json) {
		json_close(&l.j, ']');
		json_end(&l.j);
	}
	tab_end(&l.t, stdout, 0);
	if (err)
		message("cannot list the handlers that come with ndiv: %s (NDIV_HANDLER_PATH tells where they are)",
			strerror(-err));
	return err || l.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(const void *opts, int argc, char **argv)
{
	const struct options *o = opts;

	return argc ? one(argv[0], o->json) : list(o->json);
}

static const struct opt opts[] = {
	{ 'j', "json", OPT_FLAG, offsetof(struct options, json), NULL, "print JSON: an array of handlers", 0, 0, NULL },
	{ 0 },
};

static const struct arg args[] = {
	{ ARG_HANDLER, "HANDLER", 1, 0 },
	{ 0 },
};

const struct cmd cmd_handlers = {
	.name = "handlers",
	.about = "Lists the handlers that come with ndiv, or tells options and counters of one.",
	.text = "HANDLER can be the path of an object, too. Environment variable NDIV_HANDLER_PATH names the\n"
		"folder of the objects, if they are not where they were installed.\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
};

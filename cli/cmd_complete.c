// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd_complete.c - ndiv complete: what can follow on a command line, for completion/ndiv
 *
 * The words of the line, the last one unfinished, are walked through with the same tables that parse them. One
 * candidate goes on a line. Whatever fails offers nothing, in silence: there is somebody at the keyboard.
 */
#include <dirent.h>
#include <limits.h>
#include <net/if.h>
#include <string.h>
#include "cmd.h"
#include "handler.h"

#define WORDS_MAX 64

/* Where the unfinished word is. */
struct place {
	const char *prefix; /* the word so far */
	const struct cmd *cmd;
	const char *words[WORDS_MAX]; /* arguments before it */
	int count;
};

static void offer(const struct place *at, const char *word, const char *end)
{
	size_t len = strlen(at->prefix);
	char text[512];

	snprintf(text, sizeof(text), "%s%s", word, end);
	if (!strncmp(text, at->prefix, len))
		puts(text);
}

static void offer_list(const struct place *at, const char *const *words)
{
	for (; *words; words++)
		offer(at, *words, "");
}

static void offer_options(const struct place *at)
{
	const struct opt *opt;
	char word[64];

	for (opt = at->cmd->opts; opt && opt->name; opt++) {
		snprintf(word, sizeof(word), "--%s", opt->name);
		offer(at, word, "");
	}
	offer(at, "--help", "");
}

static void offer_netns(const struct place *at)
{
	DIR *d = opendir("/run/netns");
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			offer(at, e->d_name, "");
	if (d)
		closedir(d);
}

static void offer_interfaces(const struct place *at)
{
	struct if_nameindex *list = if_nameindex(), *i;

	for (i = list; i && i->if_index; i++)
		offer(at, i->if_name, "");
	if (list)
		if_freenameindex(list);
}

static int offer_ours(struct ndiv *nd, void *arg)
{
	struct ndiv_state *st = calloc(1, sizeof(*st));

	if (st && !ndiv_state(nd, st))
		offer(arg, st->ifname, "");
	free(st);
	return 0;
}

static int offer_builtin(const char *name, const char *path, void *arg)
{
	offer(arg, name, "");
	return 0;
}

static int is_given(const struct place *at, const char *name)
{
	int i;

	for (i = 1; i < at->count; i++)
		if (!strcmp(at->words[i], name))
			return 1;
	return 0;
}

/* Those on the interface that is the first argument, less those that are named already. */
static void offer_attached(const struct place *at)
{
	struct ndiv_state *st = calloc(1, sizeof(*st));
	struct ndiv *nd = NULL;
	size_t i;

	if (st && !ndiv_open(&nd, at->words[0], 1, NULL, 0) && !ndiv_state(nd, st))
		for (i = 0; i < st->count; i++)
			if (!is_given(at, st->handler[i].entry.info.name))
				offer(at, st->handler[i].entry.info.name, "");
	ndiv_close(nd);
	free(st);
}

static void offer_values(const struct place *at, const struct ndiv_option *opt)
{
	char values[HANDLER_VALUE_LEN], text[NDIV_NAME_LEN + HANDLER_VALUE_LEN], *rest = values, *value;

	if (opt->type != NDIV_OPT_BOOL && opt->type != NDIV_OPT_CHOICE)
		return;
	handler_value(opt, values);
	while ((value = strsep(&rest, "|"))) {
		snprintf(text, sizeof(text), "%s=%s", opt->name, value);
		offer(at, text, "");
	}
}

/* Of <handler>: names, and behind the '=' values where they are words. */
static void offer_handler_options(const struct place *at, const char *handler)
{
	char path[PATH_MAX], err[64];
	struct ndiv_info info;
	size_t i;

	if (handler_read(handler, path, &info, err, sizeof(err)))
		return;
	for (i = 0; i < NDIV_OPTIONS_MAX && info.options[i].type; i++) {
		if (strchr(at->prefix, '='))
			offer_values(at, &info.options[i]);
		else
			offer(at, info.options[i].name, "=");
	}
}

static void offer_commands(const struct place *at)
{
	size_t i;

	for (i = 0; commands[i]; i++)
		if (!commands[i]->hidden)
			offer(at, commands[i]->name, "");
}

static void offer_argument(const struct place *at)
{
	const struct arg *arg = at->cmd->args;
	char err[256];
	int i;

	for (i = 0; at->cmd->subs && !at->count && at->cmd->subs[i]; i++)
		offer(at, at->cmd->subs[i]->name + strlen(at->cmd->name) + 1, "");
	for (i = 0; i < at->count && arg && arg->kind && !arg->many; i++)
		arg++;
	switch (arg ? arg->kind : ARG_NONE) {
	case ARG_IF:
		return offer_interfaces(at);
	case ARG_OUR_IF:
		ndiv_each(offer_ours, (void *)at, err, sizeof(err));
		return;
	case ARG_HANDLER:
		ndiv_each_builtin(offer_builtin, (void *)at);
		return;
	case ARG_ATTACHED:
		return offer_attached(at);
	case ARG_OPTION:
		if (at->count > 1)
			offer_handler_options(at, at->words[1]);
		return;
	case ARG_SHIELD_OPTION:
		return offer_handler_options(at, "shield");
	case ARG_SETTING:
		return offer_list(at, set_words);
	case ARG_CONTENT:
		return offer_list(at, httpd_words);
	case ARG_SHIELD:
		return offer_list(at, shield_words);
	case ARG_COMMAND:
		return offer_commands(at);
	case ARG_NONE:
	case ARG_FILE:
	case ARG_WORD:
		return;
	}
}

static void offer_value(const struct place *at, const struct opt *opt)
{
	if (opt->choices)
		offer_list(at, opt->choices);
	else if (opt->arg && !strcmp(opt->arg, "NETNS"))
		offer_netns(at);
}

/* Goes on to the command that the first argument names. */
static int enter(struct place *at, const char *word)
{
	at->cmd = cmd_find(word);
	at->count = 0;
	return at->cmd ? 0 : -1;
}

/*
 * Walks through <argv> up to the word before the last. Returns the option whose value is the last word, or NULL.
 * at->cmd is NULL in the end if there is no such command.
 */
static const struct opt *walk(struct place *at, int argc, char **argv)
{
	const struct opt *opt;
	int i;

	for (i = 0; i < argc - 1 && at->cmd; i++) {
		opt = opt_find(at->cmd, argv[i]);
		if (opt && opt->type != OPT_FLAG && !strchr(argv[i], '=') && (argv[i][1] == '-' || !argv[i][2])) {
			if (i + 1 == argc - 1)
				return opt;
			if (at->cmd == &cmd_ndiv && opt->letter == 'n')
				netns_enter(argv[i + 1], 1);
			i++;
		} else if (argv[i][0] != '-' && at->cmd == &cmd_ndiv) {
			enter(at, argv[i]);
		} else if (!at->count && cmd_find_sub(at->cmd, argv[i])) {
			at->cmd = cmd_find_sub(at->cmd, argv[i]);
		} else if (argv[i][0] != '-' && at->count < WORDS_MAX) {
			at->words[at->count++] = argv[i];
		}
	}
	return NULL;
}

/* <argv>: the words of the line behind "ndiv". */
static int run(const void *opts, int argc, char **argv)
{
	struct place at = { .cmd = &cmd_ndiv, .prefix = argc ? argv[argc - 1] : "" };
	const struct opt *opt;

	ndiv_set_log(NULL, 0);
	opt = walk(&at, argc, argv);
	if (!at.cmd)
		return EXIT_SUCCESS;
	if (opt)
		offer_value(&at, opt);
	else if (at.prefix[0] == '-')
		offer_options(&at);
	else
		offer_argument(&at);
	return EXIT_SUCCESS;
}

static const struct arg args[] = {
	{ ARG_WORD, "WORD", 1, 1 },
	{ 0 },
};

const struct cmd cmd_complete = {
	.name = "complete",
	.about = "Prints what can follow on a command line: ndiv complete -- WORD ... (for completion).",
	.args = args,
	.hidden = 1,
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-only
/* cmd_replace.c - ndiv replace */
#include "cmd.h"

struct options {
	int keep;
};

static int run(const void *opts, int argc, char **argv)
{
	const struct options *o = opts;
	const struct ndiv_attach_opts attach = {
		.sz = sizeof(attach),
		.at = -1,
		.options = (const char *const *)argv + 2,
		.option_count = argc - 2,
	};
	struct ndiv *nd = if_open(argv[0]);

	return nd ? if_done(nd, argv[0], ndiv_replace(nd, argv[1], &attach, !!o->keep)) : EXIT_FAILURE;
}

static const struct opt opts[] = {
	{ 'k', "keep", OPT_FLAG, offsetof(struct options, keep), NULL,
	  "options that are not named keep the values given before, instead of their defaults", 0, 0, NULL },
	{ 0 },
};

static const struct arg args[] = {
	{ ARG_OUR_IF, "IF", 0, 0 },
	{ ARG_HANDLER, "HANDLER", 0, 0 },
	{ ARG_OPTION, "NAME=VALUE", 1, 1 },
	{ 0 },
};

const struct cmd cmd_replace = {
	.name = "replace",
	.about = "Replaces an attached handler by another build of it, or changes its options.",
	.text = "HANDLER is as for `ndiv attach`; what is replaced is the attached handler of the same name.\n"
		"Each packet meets either the old handler or the new one. Maps of the same name and shape are\n"
		"taken over with what is in them.\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-only
/* cmd_attach.c - ndiv attach */
#include "cmd.h"

struct options {
	int64_t at;
	int mode;
};

static int run(const void *opts, int argc, char **argv)
{
	const struct options *o = opts;
	const struct ndiv_attach_opts attach = {
		.sz = sizeof(attach),
		.mode = (enum ndiv_mode)o->mode,
		.at = (int)o->at,
		.options = (const char *const *)argv + 2,
		.option_count = argc - 2,
	};
	struct ndiv *nd = if_open(argv[0]);

	return nd ? if_done(nd, argv[0], ndiv_attach(nd, argv[1], &attach)) : EXIT_FAILURE;
}

static const char *const modes[] = {
	[NDIV_MODE_AUTO] = "auto",
	[NDIV_MODE_NATIVE] = "native",
	[NDIV_MODE_GENERIC] = "generic",
	NULL,
};

static const struct opt opts[] = {
	{ 0, "at", OPT_NUMBER, offsetof(struct options, at), "N", "place in the chain; without it, the end", 0,
	  NDIV_HANDLERS_MAX - 2, NULL },
	{ 0, "mode", OPT_CHOICE, offsetof(struct options, mode), NULL,
	  "native: in the driver, or not at all; generic: behind the driver, slower; auto (default): native where the "
	  "driver can, else generic",
	  0, 0, modes },
	{ 0 },
};

static const struct arg args[] = {
	{ ARG_IF, "IF", 0, 0 },
	{ ARG_HANDLER, "HANDLER", 0, 0 },
	{ ARG_OPTION, "NAME=VALUE", 1, 1 },
	{ 0 },
};

static const struct options defaults = { .at = -1, .mode = NDIV_MODE_AUTO };

const struct cmd cmd_attach = {
	.name = "attach",
	.about = "Attaches a handler to an interface.",
	.text = "HANDLER is one that comes with ndiv (`ndiv handlers` lists them; `ndiv handlers HANDLER` tells\n"
		"its options, NAME=VALUE), or the path of an object: it has a '/', or ends in \".o\".\n\n"
		"Attaching what is attached with the same options changes nothing.\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-only
/* cmd_detach.c - ndiv detach */
#include "cmd.h"

static int run(const void *opts, int argc, char **argv)
{
	struct ndiv *nd = if_open(argv[0]);

	return nd ? if_done(nd, argv[0], ndiv_detach(nd, argv[1])) : EXIT_FAILURE;
}

static const struct arg args[] = {
	{ ARG_OUR_IF, "IF", 0, 0 },
	{ ARG_ATTACHED, "HANDLER", 1, 0 },
	{ 0 },
};

const struct cmd cmd_detach = {
	.name = "detach",
	.about = "Detaches a handler from an interface, or all of them and ndiv itself.",
	.text = "The last handler takes ndiv with it. Detaching what is not attached is no error.\n",
	.args = args,
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-only
/* cmd_order.c - ndiv order */
#include "cmd.h"

static int run(const void *opts, int argc, char **argv)
{
	struct ndiv *nd = if_open(argv[0]);

	return nd ? if_done(nd, argv[0], ndiv_order(nd, (const char *const *)argv + 1, argc - 1)) : EXIT_FAILURE;
}

static const struct arg args[] = {
	{ ARG_OUR_IF, "IF", 0, 0 },
	{ ARG_ATTACHED, "HANDLER", 0, 1 },
	{ 0 },
};

const struct cmd cmd_order = {
	.name = "order",
	.about = "Puts the handlers of an interface into the order given.",
	.text = "Each attached handler has to be named exactly once.\n",
	.args = args,
	.run = run,
};

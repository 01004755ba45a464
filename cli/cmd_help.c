// SPDX-License-Identifier: GPL-2.0-only
/* cmd_help.c - ndiv help: the list of commands, or the help of one */
#include <string.h>
#include "cmd.h"

static void list(void)
{
	size_t i;

	opt_help(stdout, &cmd_ndiv);
	printf("\nCommands (`ndiv help COMMAND` tells more):\n");
	for (i = 0; commands[i]; i++)
		if (!commands[i]->hidden)
			printf("  %-10s %s\n", commands[i]->name, commands[i]->about);
}

static int run(const void *opts, int argc, char **argv)
{
	const struct cmd *cmd;

	if (!argc) {
		list();
		return EXIT_SUCCESS;
	}
	cmd = cmd_find(argv[0]);
	if (!cmd)
		return opt_error(&cmd_help, "unknown command \"%s\"; `ndiv help` lists them", argv[0]);
	if (argc > 1) {
		cmd = cmd_find_sub(cmd, argv[1]);
		if (!cmd)
			return opt_error(&cmd_help, "unknown command \"%s %s\"; `ndiv help %s` tells what there is",
					 argv[0], argv[1], argv[0]);
	}
	opt_help(stdout, cmd);
	return EXIT_SUCCESS;
}

static const struct arg args[] = {
	{ ARG_COMMAND, "COMMAND", 1, 0 },
	{ ARG_WORD, "SUBCOMMAND", 1, 0 },
	{ 0 },
};

const struct cmd cmd_help = {
	.name = "help",
	.about = "Prints the commands, or the help of one.",
	.args = args,
	.run = run,
};

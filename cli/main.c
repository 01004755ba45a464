// SPDX-License-Identifier: GPL-2.0-only
/* main.c - the table of commands */
#include "cmd.h"

const struct cmd *const commands[] = {
	&cmd_attach,  &cmd_detach, &cmd_replace,  &cmd_order, &cmd_set,	  &cmd_show,    &cmd_top,
	&cmd_capture, &cmd_agent,  &cmd_handlers, &cmd_httpd, &cmd_shield, &cmd_replay, &cmd_probe,
	&cmd_version, &cmd_help,   &cmd_complete, NULL,
};

int main(int argc, char **argv)
{
	return cmd_main(argc, argv);
}

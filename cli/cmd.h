/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd.h - the commands, and what they share: messages, a handle on an interface
 */
#ifndef NDIV_CMD_H
#define NDIV_CMD_H

#include <stdlib.h>
#include <ndiv/ndiv.h>
#include "opt.h"

extern const struct cmd cmd_attach, cmd_detach, cmd_replace, cmd_order, cmd_set, cmd_show, cmd_top, cmd_capture,
	cmd_capture_mount, cmd_capture_record, cmd_capture_save, cmd_agent, cmd_handlers, cmd_httpd, cmd_shield,
	cmd_shield_watch,
	cmd_replay, cmd_probe, cmd_version, cmd_help, cmd_complete;

/* main.c: all of them, in the order of the listing, then NULL. */
extern const struct cmd *const commands[];

/* cmd.c: the command itself, with the options that go before a command's name. */
extern const struct cmd cmd_ndiv;

const struct cmd *cmd_find(const char *name);

/* The one of <cmd>'s that <word> names, or NULL. */
const struct cmd *cmd_find_sub(const struct cmd *cmd, const char *word);

/* Parses and runs. Returns the exit status of the process. */
int cmd_main(int argc, char **argv);

/* "ndiv: ..." on stderr. */
void message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same with -v only. */
void verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Enters network namespace <name>. 0, or -1 after a message unless <quiet>. */
int netns_enter(const char *name, int quiet);

/* Opens interface <ifname> to change it. NULL after a message. */
struct ndiv *if_open(const char *ifname);

/* Prints the message that belongs to <err>, if it is one, and closes. Returns an exit status. */
int if_done(struct ndiv *nd, const char *ifname, int err);

/* cmd_set.c: the settings of an interface, as completion offers them; ends with NULL. */
extern const char *const set_words[];

/* cmd_httpd.c: its actions, likewise. */
extern const char *const httpd_words[];

/* cmd_shield.c: likewise. */
extern const char *const shield_words[];

#endif

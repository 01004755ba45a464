/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * capcommon.h - what the commands that capture have in common: signals, whose files they are, the expression
 */
#ifndef NDIV_CAPCOMMON_H
#define NDIV_CAPCOMMON_H

#include <signal.h>
#include <sys/types.h>

/* SIGINT, SIGTERM, SIGQUIT, and SIGHUP unless it is ignored, set <*ended>, and end what waits. */
void capsignal_catch(volatile sig_atomic_t *ended);

struct capuser {
	uid_t uid;
	gid_t gid;
	char name[64];
};

/* User <name>, or if it is NULL who called sudo. 1; 0 if it is to stay as it is; -1 after a message. */
int capuser_find(const char *name, struct capuser *u);

/* For good. 0, or -1 after a message. */
int capuser_become(const struct capuser *u);

/* The words of an expression as one text, to be freed. NULL after a message. */
char *expression_join(int count, char **words);

/* Whose clock tells the time: tcpdump's words for it, and what that is in the options of a capture. */
struct ndiv_capture_opts;
extern const char *const clock_names[];
void clock_choose(int choice, struct ndiv_capture_opts *c);

/* "rx,tx", "drop,reply" into bits of ndiv_capture_opts. 0: a word is none of them. */
unsigned int points_parse(const char *text);
unsigned int verdicts_parse(const char *text);

#endif

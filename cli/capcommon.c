// SPDX-License-Identifier: GPL-2.0-only
/* capcommon.c - what the commands that capture have in common */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>
#include "capcommon.h"
#include "cmd.h"

static volatile sig_atomic_t *to_set;

static void on_signal(int sig)
{
	*to_set = 1;
}

/* Without SA_RESTART: a write that waits is to return. SIGHUP: not where it is ignored, for nohup(1). */
void capsignal_catch(volatile sig_atomic_t *ended)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGQUIT };
	struct sigaction sa = { .sa_handler = on_signal }, old;
	size_t i;

	to_set = ended;
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &sa, NULL);
}

static int find_named(const char *name, struct capuser *u)
{
	struct passwd *pw = getpwnam(name);

	if (!pw) {
		message("capture: --user: there is no user \"%s\"", name);
		return -1;
	}
	*u = (struct capuser){ .uid = pw->pw_uid, .gid = pw->pw_gid };
	snprintf(u->name, sizeof(u->name), "%s", name);
	return u->uid != geteuid();
}

int capuser_find(const char *name, struct capuser *u)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	struct passwd *pw;
	int64_t id;

	if (name)
		return find_named(name, u);
	if (geteuid() || !uid || !gid || parse_number(uid, 1, UINT32_MAX - 1, &id))
		return 0;
	u->uid = id;
	if (parse_number(gid, 0, UINT32_MAX - 1, &id))
		return 0;
	u->gid = id;
	pw = getpwuid(u->uid);
	snprintf(u->name, sizeof(u->name), "%s", pw ? pw->pw_name : uid);
	return 1;
}

int capuser_become(const struct capuser *u)
{
	if (initgroups(u->name, u->gid) || setresgid(u->gid, u->gid, u->gid) || setresuid(u->uid, u->uid, u->uid)) {
		message("capture: cannot become user %s: %s", u->name, strerror(errno));
		return -1;
	}
	return 0;
}

char *expression_join(int count, char **words)
{
	size_t len = 1;
	char *text;
	int i;

	for (i = 0; i < count; i++)
		len += strlen(words[i]) + 1;
	text = calloc(1, len);
	if (!text) {
		message("capture: no memory for the expression");
		return NULL;
	}
	for (i = 0; i < count; i++) {
		strcat(text, i ? " " : "");
		strcat(text, words[i]);
	}
	return text;
}

/* "rx,tx" into bits. 0: a word is none of <names>. */
static unsigned int parse_words(const char *text, const char *(*name)(unsigned int), unsigned int count)
{
	unsigned int bits = 0, i;
	size_t len;

	for (;; text += len + 1) {
		len = strcspn(text, ",");
		for (i = 0; i < count; i++)
			if (strlen(name(i)) == len && !memcmp(text, name(i), len))
				break;
		if (i == count)
			return 0;
		bits |= 1U << i;
		if (!text[len])
			return bits;
	}
}

static const char *point_name(unsigned int point)
{
	return ndiv_point_name(point);
}

unsigned int points_parse(const char *text)
{
	return parse_words(text, point_name, NDIV_POINTS);
}

unsigned int verdicts_parse(const char *text)
{
	return parse_words(text, ndiv_verdict_name, NDIV_FORWARD + 1);
}

/* Whether the card's clock is right, nobody can tell: so it is not called "adapter". */
enum { CLOCK_HOST, CLOCK_HOST_LOWPREC, CLOCK_ADAPTER_UNSYNCED };

const char *const clock_names[] = { "host", "host_lowprec", "adapter_unsynced", NULL };

void clock_choose(int choice, struct ndiv_capture_opts *c)
{
	c->coarse |= choice == CLOCK_HOST_LOWPREC;
	c->card = choice == CLOCK_ADAPTER_UNSYNCED;
}

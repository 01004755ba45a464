// SPDX-License-Identifier: GPL-2.0-only
/* cmd_shield.c - ndiv shield: what the attached handler shield is told */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <ndiv/shield.h>
#include "cmd.h"
#include "out.h"

struct options {
	int json;
};

/* --- keys */

static int genkey(void)
{
	uint8_t secret[NDIV_SHIELD_SECRET];
	size_t i;

	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret)) {
		message("no random numbers: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	for (i = 0; i < sizeof(secret); i++)
		printf("%02x", secret[i]);
	putchar('\n');
	return EXIT_SUCCESS;
}

static int keys(struct ndiv *nd, char **argv, const struct options *o)
{
	return ndiv_shield_keys(nd, strcmp(argv[2], "random") ? argv[2] : NULL);
}

/* --- show */

static int show_keys_json(const struct ndiv_shield_keys *keys, struct json *j)
{
	char mark[16];

	snprintf(mark, sizeof(mark), "%08" PRIx32, keys->mark);
	json_open(j, "keys", '{');
	json_bool(j, "shared", keys->shared);
	json_text(j, "mark", keys->shared ? mark : NULL);
	json_real(j, "clock_off_s", (double)keys->off_ms / 1000);
	json_close(j, '}');
	return 0;
}

static void show_keys(const struct ndiv_shield_keys *keys, const char *ifname)
{
	if (!keys->shared)
		out_line(stdout, "%s: keys: random, of this machine", ifname);
	else
		out_line(stdout, "%s: keys: shared, secret %08" PRIx32 ", clock off by %.1f s", ifname, keys->mark,
			 (double)keys->off_ms / 1000);
}

static int show(struct ndiv *nd, char **argv, const struct options *o)
{
	struct ndiv_shield_keys keys;
	struct json j;
	int err = ndiv_shield_keys_state(nd, &keys);

	if (err)
		return err;
	if (!o->json) {
		show_keys(&keys, argv[1]);
		return 0;
	}
	json_begin(&j, stdout, 1);
	json_open(&j, NULL, '{');
	json_text(&j, "interface", argv[1]);
	show_keys_json(&keys, &j);
	json_close(&j, '}');
	json_end(&j);
	return 0;
}

/* --- the command */

struct action {
	const char *name;
	const char *args;	/* what it wants behind its name */
	int	count;		/* of those */
	int	(*run)(struct ndiv *nd, char **argv, const struct options *o);	/* on an interface; NULL: on none */
};

static const struct action actions[] = {
	{ "show", "IF", 1, show },
	{ "keys", "IF and FILE, or IF and \"random\",", 2, keys },
	{ "genkey", "nothing", 0, NULL },
};

#define COUNT (sizeof(actions) / sizeof(actions[0]))

const char *const shield_words[] = { "show", "keys", "genkey", NULL };

static const struct action *find(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		if (!strcmp(actions[i].name, name))
			return &actions[i];
	return NULL;
}

static int run(const void *opts, int argc, char **argv)
{
	const struct options *o = opts;
	const struct action *action = find(argv[0]);
	struct ndiv *nd;

	if (!action)
		return opt_error(&cmd_shield, "\"%s\" is none of show|keys|genkey", argv[0]);
	if (argc - 1 != action->count)
		return opt_error(&cmd_shield, "%s: it takes %s behind its name", action->name, action->args);
	if (!action->run)
		return genkey();
	nd = if_open(argv[1]);
	return nd ? if_done(nd, argv[1], action->run(nd, argv, o)) : EXIT_FAILURE;
}

static const struct opt opts[] = {
	{ 'j', "json", OPT_FLAG, offsetof(struct options, json), NULL, "show: print JSON", 0, 0, NULL },
	{ 0 },
};

static const struct arg args[] = {
	{ ARG_SHIELD, "ACTION", 0, 0 },
	{ ARG_OUR_IF, "IF", 1, 0 },
	{ ARG_FILE, "FILE", 1, 0 },
	{ 0 },
};

const struct cmd cmd_shield = {
	.name = "shield",
	.about = "Tells the attached handler shield its keys.",
	.text = "Actions:\n"
		"  show IF         what it has been told\n"
		"  keys IF FILE    make cookies with the secret in FILE: machines that share it honour each other's\n"
		"  keys IF random  with a random one again\n"
		"  genkey          print a new secret: `(umask 77; ndiv shield genkey >FILE)`\n\n"
		"FILE must belong to root and be readable by nobody else. Let `ndiv agent` run beside it, so that\n"
		"the keys follow the clock when it is set. See ndiv-shield(8).\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
};

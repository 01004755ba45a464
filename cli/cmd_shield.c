// SPDX-License-Identifier: GPL-2.0-only
/* cmd_shield.c - ndiv shield: what the attached handler shield is told: its policy, its bans, its keys */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include "cmd.h"
#include "shield_ban.h"
#include "shield_policy.h"

struct options {
	int json;
	int all;
	const char *file, *save;
};

/* --- keys */

static int genkey(char **argv, const struct options *o)
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

static void show_keys_json(const struct ndiv_shield_keys *keys, struct json *j)
{
	char mark[16];

	snprintf(mark, sizeof(mark), "%08" PRIx32, keys->mark);
	json_open(j, "keys", '{');
	json_bool(j, "shared", keys->shared);
	json_text(j, "mark", keys->shared ? mark : NULL);
	json_real(j, "clock_off_s", (double)keys->off_ms / 1000);
	json_close(j, '}');
}

static void show_keys(const struct ndiv_shield_keys *keys, const char *ifname)
{
	int64_t tenths = keys->off_ms / 100;	/* -30 ms is 0.0 s, and not -0.0 */

	if (!keys->shared)
		out_line(stdout, "%s: keys: random, of this machine", ifname);
	else
		out_line(stdout, "%s: keys: shared, secret %08" PRIx32 ", clock off by %.1f s", ifname, keys->mark,
			 (double)tenths / 10);
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
		err = bans_show(nd, argv[1]);
		return err ? err : policy_show(nd, argv[1]);
	}
	json_begin(&j, stdout, 1);
	json_open(&j, NULL, '{');
	json_text(&j, "interface", argv[1]);
	show_keys_json(&keys, &j);
	err = bans_show_json(nd, &j);
	if (!err)
		err = policy_show_json(nd, &j);
	json_close(&j, '}');
	json_end(&j);
	return err;
}

/* --- policy */

/* NULL after a message. */
static struct ndiv_policy *policy_open(const char *path)
{
	struct ndiv_policy *policy = NULL;
	char err[1024] = "";

	if (!ndiv_policy_read(&policy, path, err, sizeof(err)))
		return policy;
	message("%s", err);
	return NULL;
}

static int check(char **argv, const struct options *o)
{
	struct ndiv_policy *policy = policy_open(argv[1]);
	struct ndiv_policy_size size;
	char err[1024] = "";
	struct json j;
	int ret;

	if (!policy)
		return EXIT_FAILURE;
	ret = ndiv_policy_size(policy, &size, err, sizeof(err));
	ndiv_policy_free(policy);
	if (ret) {
		message("%s", err);
		return EXIT_FAILURE;
	}
	if (!o->json) {
		out_line(stdout, "%s: good: %" PRIu32 " rules, %" PRIu32 " prefixes, %.1f MB", argv[1], size.rules,
			 size.prefixes, (double)size.bytes / 1048576);
		return EXIT_SUCCESS;
	}
	json_begin(&j, stdout, 1);
	json_open(&j, NULL, '{');
	json_text(&j, "file", argv[1]);
	json_uint(&j, "rules", size.rules);
	json_uint(&j, "prefixes", size.prefixes);
	json_uint(&j, "bytes", size.bytes);
	json_close(&j, '}');
	json_end(&j);
	return EXIT_SUCCESS;
}

/* With the policy in argv[2]. */
static int with_policy(char **argv, int (*fn)(struct ndiv *nd, struct ndiv_policy *policy))
{
	struct ndiv_policy *policy = policy_open(argv[2]);
	int status = EXIT_FAILURE;
	struct ndiv *nd;

	if (!policy)
		return EXIT_FAILURE;
	nd = if_open(argv[1]);
	if (nd)
		status = if_done(nd, argv[1], fn(nd, policy));
	ndiv_policy_free(policy);
	return status;
}

static int load_policy(struct ndiv *nd, struct ndiv_policy *policy)
{
	return ndiv_policy_load(nd, policy);
}

static int load(char **argv, const struct options *o)
{
	return with_policy(argv, load_policy);
}

static int diff_policy(struct ndiv *nd, struct ndiv_policy *policy)
{
	size_t changes;

	return policy_diff(nd, policy, &changes);
}

static int diff(char **argv, const struct options *o)
{
	return with_policy(argv, diff_policy);
}

static int unload(struct ndiv *nd, char **argv, const struct options *o)
{
	return ndiv_policy_unload(nd);
}

/* --- bans */

static int ban_file(struct ndiv *nd, char **argv, const struct options *o)
{
	struct ndiv_ban_result r;
	int err = ndiv_ban_file(nd, o->file, argv[2], &r);

	if (!err)
		out_line(stdout, "%s: %zu bans set, %zu were over already, %zu of rules had to go", argv[1], r.set,
			 r.over, r.evicted);
	return err;
}

static int ban(struct ndiv *nd, char **argv, const struct options *o)
{
	return o->file ? ban_file(nd, argv, o) : ndiv_ban(nd, argv[2], argv[3]);
}

static int unban(struct ndiv *nd, char **argv, const struct options *o)
{
	return ndiv_unban(nd, argv[2]);
}

static int bans(struct ndiv *nd, char **argv, const struct options *o)
{
	if (o->save)
		return ndiv_bans_save(nd, o->save);
	return o->json ? bans_list_json(nd, argv[1]) : bans_list(nd, argv[1]);
}

/* --- the command */

struct action {
	const char *name;
	const char *args;	/* what it wants behind its name */
	int	count;		/* of those */
	int	(*of_if)(struct ndiv *nd, char **argv, const struct options *o);	/* on interface argv[1] */
	int	(*run)(char **argv, const struct options *o);				/* or by itself */
};

static const struct action actions[] = {
	{ "show", "IF", 1, show, NULL },
	{ "check", "FILE", 1, NULL, check },
	{ "diff", "IF and FILE", 2, NULL, diff },
	{ "load", "IF and FILE", 2, NULL, load },
	{ "unload", "IF", 1, unload, NULL },
	{ "ban", "IF, PREFIX and TIME, or IF, --file and perhaps TIME,", 3, ban, NULL },
	{ "bans", "IF", 1, bans, NULL },
	{ "unban", "IF and PREFIX, or IF and --all,", 2, unban, NULL },
	{ "keys", "IF and FILE, or IF and \"random\",", 2, keys, NULL },
	{ "genkey", "nothing", 0, NULL, genkey },
};

#define COUNT (sizeof(actions) / sizeof(actions[0]))

const char *const shield_words[] = { "show",  "check", "diff", "load",	"unload", "ban",
				     "bans", "unban", "keys", "genkey", NULL };

static const struct action *find(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		if (!strcmp(actions[i].name, name))
			return &actions[i];
	return NULL;
}

/* Are there as many arguments as <action> takes with these options? */
static int enough(const struct action *action, int count, const struct options *o)
{
	if (o->file && action->of_if == ban)
		return count == 1 || count == 2;
	return count == action->count - (o->all && action->of_if == unban);
}

/* An option that <action> has nothing to do with, or NULL. */
static const char *out_of_place(const struct action *action, const struct options *o)
{
	if (o->file && action->of_if != ban)
		return "--file";
	if (o->all && action->of_if != unban)
		return "--all";
	return o->save && action->of_if != bans ? "--save" : NULL;
}

static int run(const void *opts, int argc, char **argv)
{
	const struct options *o = opts;
	const struct action *action = find(argv[0]);
	struct ndiv *nd;

	if (!action)
		return opt_error(&cmd_shield,
				 "\"%s\" is none of show|check|diff|load|unload|ban|bans|unban|keys|genkey", argv[0]);
	if (out_of_place(action, o))
		return opt_error(&cmd_shield, "%s: it takes no %s", action->name, out_of_place(action, o));
	if (!enough(action, argc - 1, o))
		return opt_error(&cmd_shield, "%s: it takes %s behind its name", action->name, action->args);
	if (action->run)
		return action->run(argv, o);
	nd = if_open(argv[1]);
	return nd ? if_done(nd, argv[1], action->of_if(nd, argv, o)) : EXIT_FAILURE;
}

static const struct opt opts[] = {
	{ 'j', "json", OPT_FLAG, offsetof(struct options, json), NULL, "show, check, bans: print JSON", 0, 0, NULL },
	{ 0, "file", OPT_TEXT, offsetof(struct options, file), "LIST", "ban: those in LIST, one a line", 0, 0, NULL },
	{ 0, "save", OPT_TEXT, offsetof(struct options, save), "LIST", "bans: write them to LIST, for ban --file", 0, 0,
	  NULL },
	{ 0, "all", OPT_FLAG, offsetof(struct options, all), NULL, "unban: all of them", 0, 0, NULL },
	{ 0 },
};

static const struct arg args[] = {
	{ ARG_SHIELD, "ACTION", 0, 0 },
	{ ARG_OUR_IF, "IF", 1, 0 },
	{ ARG_FILE, "FILE|PREFIX", 1, 0 },
	{ ARG_WORD, "TIME", 1, 0 },
	{ 0 },
};

static const struct cmd *const subs[] = { &cmd_shield_watch, NULL };

const struct cmd cmd_shield = {
	.name = "shield",
	.about = "Tells the attached handler shield its policy, its bans and its keys.",
	.text = "Actions:\n"
		"  show IF             the policy at work, what its rules counted, how many bans, and the keys\n"
		"  check FILE          is the policy in FILE good? Nothing is changed, nobody has to be root\n"
		"  diff IF FILE        which rules would go (-) and come (+) by loading it\n"
		"  load IF FILE        put it to work, between two packets; a bad one changes nothing\n"
		"  unload IF           remove the policy\n"
		"  ban IF PREFIX TIME  drop what comes from there for 30s, 10m, 2h, 7d, or forever\n"
		"  bans IF             who is banned, for how long yet, and by whom\n"
		"  unban IF PREFIX     lift a ban\n"
		"  watch IF            samples of what it drops, with reason and rule: `ndiv help shield watch`\n"
		"  keys IF FILE        make cookies with the secret in FILE: machines that share it honour each "
		"other's\n"
		"  keys IF random      with a random one again\n"
		"  genkey              print a new secret: `(umask 77; ndiv shield genkey >FILE)`\n\n"
		"FILE with a secret must belong to root and be readable by nobody else. Let `ndiv agent` run beside\n"
		"it, so that the keys follow the clock when it is set. See ndiv-shield(8).\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
	.subs = subs,
};

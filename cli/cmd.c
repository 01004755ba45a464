// SPDX-License-Identifier: GPL-2.0-only
/* cmd.c - from the command line to the command, and what commands share */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include "cmd.h"
#include "out.h"

#define NETNS_DIR "/run/netns" /* where ip-netns(8) keeps them */

struct options {
	const char *netns;
	int version;
	int verbose;
};

static int verbosity;

void message(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("ndiv: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

void verbose(const char *fmt, ...)
{
	va_list ap;

	if (!verbosity)
		return;
	va_start(ap, fmt);
	fputs("ndiv: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

/* What the library says beside errors: warnings always, the rest (libbpf, the verifier) as it comes. */
static void from_library(int level, const char *text)
{
	size_t len = strlen(text);

	fprintf(stderr, "%s%s%s", level <= 1 ? "ndiv: warning: " : "", text, len && text[len - 1] == '\n' ? "" : "\n");
}

struct ndiv *if_open(const char *ifname)
{
	struct ndiv *nd = NULL;
	char err[1024] = "";
	int ret;

	ret = ndiv_open(&nd, ifname, 0, err, sizeof(err));
	if (!ret)
		return nd;
	message("%s: %s", ifname, *err ? err : strerror(-ret));
	return NULL;
}

int if_done(struct ndiv *nd, const char *ifname, int err)
{
	if (err)
		message("%s: %s", ifname, ndiv_error(nd));
	ndiv_close(nd);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const char *netns_remedy(int err)
{
	if (err == ENOENT)
		return " (`ip netns list` shows those that there are)";
	if (err == EPERM)
		return " (CAP_SYS_ADMIN is needed: run it as root)";
	return "";
}

/*
 * Only the network namespace is entered. `ip netns exec` also mounts another /sys, where the BPF file system, and with
 * it all of ndiv's state, is out of sight.
 */
int netns_enter(const char *name, int quiet)
{
	char path[sizeof(NETNS_DIR) + 256];
	int fd = -1, err = EINVAL;

	if (*name && !strchr(name, '/') && strlen(name) < 256) {
		snprintf(path, sizeof(path), NETNS_DIR "/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		err = fd < 0 || setns(fd, CLONE_NEWNET) ? errno : 0;
	}
	if (fd >= 0)
		close(fd);
	if (err && !quiet)
		message("network namespace \"%s\" in " NETNS_DIR ": %s%s", name, strerror(err), netns_remedy(err));
	return err ? -1 : 0;
}

const struct cmd *cmd_find(const char *name)
{
	size_t i;

	for (i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

const struct cmd *cmd_find_sub(const struct cmd *cmd, const char *word)
{
	size_t i, len = strlen(cmd->name) + 1;

	for (i = 0; cmd->subs && word && cmd->subs[i]; i++)
		if (!strcmp(cmd->subs[i]->name + len, word))
			return cmd->subs[i];
	return NULL;
}

static int run(const struct cmd *cmd, const struct options *global, int argc, char **argv)
{
	union {
		max_align_t align;
		char bytes[OPT_VALUES];
	} values = { 0 };

	assert(cmd->size <= sizeof(values));
	if (cmd->defaults)
		memcpy(values.bytes, cmd->defaults, cmd->size);
	argc = opt_parse(cmd, values.bytes, argc, argv, 0);
	if (argc == OPT_HELP) {
		opt_help(stdout, cmd);
		return EXIT_SUCCESS;
	}
	if (argc < 0)
		return EXIT_USAGE;
	if (global->netns && netns_enter(global->netns, 0))
		return EXIT_FAILURE;
	ndiv_set_log(from_library, 1 + global->verbose);
	return cmd->run(values.bytes, argc, argv);
}

static int dispatch(int argc, char **argv)
{
	struct options global = { 0 };
	const struct cmd *cmd, *sub;

	argc = opt_parse(&cmd_ndiv, &global, argc, argv, 1);
	if (argc == OPT_HELP)
		return cmd_help.run(NULL, 0, argv);
	if (argc < 0)
		return EXIT_USAGE;
	if (global.version)
		return cmd_version.run(&(int){ 0 }, 0, argv);
	if (!argc)
		return opt_error(&cmd_ndiv, "COMMAND is missing");
	verbosity = global.verbose;
	cmd = cmd_find(argv[0]);
	if (!cmd)
		return opt_error(&cmd_ndiv, "unknown command \"%s\"; `ndiv help` lists them", argv[0]);
	sub = cmd_find_sub(cmd, argv[1]);
	return sub ? run(sub, &global, argc - 1, argv + 1) : run(cmd, &global, argc, argv);
}

/*
 * A descriptor of 0 to 2 that is closed would be given to the next file that is opened, and then written to. With
 * these in place, such a write fails.
 */
static void guard_descriptors(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

int cmd_main(int argc, char **argv)
{
	int status;

	guard_descriptors();
	out_begin();
	setlocale(LC_CTYPE, "");
	status = dispatch(argc, argv);
	if (out_close() && status == EXIT_SUCCESS)
		status = EXIT_FAILURE;
	return status;
}

static const struct opt opts[] = {
	{ 'n', "netns", OPT_TEXT, offsetof(struct options, netns), "NETNS",
	  "work in network namespace NETNS, as listed by `ip netns`", 0, 0, NULL },
	{ 'V', "version", OPT_FLAG, offsetof(struct options, version), NULL, "print the version, as `ndiv version`", 0,
	  0, NULL },
	{ 'v', "verbose", OPT_FLAG, offsetof(struct options, verbose), NULL,
	  "say more: the verifier's log when the kernel refuses a program; -vv: all of libbpf's log", 0, 0, NULL },
	{ 0 },
};

static const struct arg args[] = {
	{ ARG_COMMAND, "COMMAND", 1, 0 },
	{ ARG_WORD, "ARGUMENT", 1, 1 },
	{ 0 },
};

const struct cmd cmd_ndiv = {
	.name = "ndiv",
	.about = "Attaches packet handlers to network interfaces, and shows what they do.",
	.text = "-n enters the network namespace only. `ip netns exec NETNS ndiv ...` does not work: it\n"
		"mounts another /sys, where ndiv's state in the BPF file system is out of sight.\n\n"
		"Exit status: 0 done, 1 failed, 2 wrong usage. See also ndiv(8).\n",
	.args = args,
	.opts = opts,
};

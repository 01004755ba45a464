// SPDX-License-Identifier: GPL-2.0-only
/* cmd_capture_save.c - ndiv capture save: tells a recorder to save */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include "cmd.h"
#include "recsock.h"

struct options {
	int64_t last;
};

static const struct options defaults = { .last = -1 };

static int fault(const char *ifname, int err)
{
	if (err == -ECONNREFUSED)
		message("%s: nobody records it (`ndiv capture record %s -w FILE` does)", ifname, ifname);
	else if (err == -EPIPE || err == -ECONNRESET)
		message("%s: the recorder hung up: it has ended, or runs as another user (root may ask any)", ifname);
	else if (err == -EPERM)
		message("%s: who listens is neither root nor you: that is no recorder of yours", ifname);
	else
		message("%s: the recorder does not answer: %s", ifname, strerror(-err));
	return EXIT_FAILURE;
}

static int run(const void *values, int argc, char **argv)
{
	const struct options *o = values;
	unsigned int ifindex = if_nametoindex(argv[0]);
	char text[RECSOCK_LINE] = "";
	int ret;

	if (!ifindex) {
		message("%s: no such interface in this network namespace (`ip link` lists them)", argv[0]);
		return EXIT_FAILURE;
	}
	ret = recsock_call(ifindex, o->last, text, sizeof(text));
	if (ret < 0)
		return fault(argv[0], ret);
	if (ret)
		message("%s: %s", argv[0], text);
	else
		puts(text);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const struct opt opts[] = {
	{ 't', "last", OPT_SECONDS, offsetof(struct options, last), "SECONDS",
	  "packets of so long only; 0: all there are; what the recorder was told unless given", 0, INT64_MAX / 1000000,
	  NULL },
	{ 0 },
};

static const struct arg args[] = {
	{ ARG_IF, "IF", 0, 0 },
	{ 0 },
};

const struct cmd cmd_capture_save = {
	.name = "capture save",
	.about = "Has a recorder save what it holds, and prints the file's name.",
	.text = "The recorder, `ndiv capture record IF`, goes on. See ndiv-capture(8).\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-only
/* cmd_version.c - ndiv version */
#include "cmd.h"
#include "out.h"

struct options {
	int json;
};

static int run(const void *opts, int argc, char **argv)
{
	const struct options *o = opts;
	struct json j;

	if (!o->json) {
		printf("ndiv %s (ABI %d)\n", NDIV_VERSION, NDIV_ABI);
		return EXIT_SUCCESS;
	}
	json_begin(&j, stdout, 1);
	json_open(&j, NULL, '{');
	json_text(&j, "version", NDIV_VERSION);
	json_uint(&j, "abi", NDIV_ABI);
	json_close(&j, '}');
	json_end(&j);
	return EXIT_SUCCESS;
}

static const struct opt opts[] = {
	{ 'j', "json", OPT_FLAG, offsetof(struct options, json), NULL, "print JSON", 0, 0, NULL },
	{ 0 },
};

const struct cmd cmd_version = {
	.name = "version",
	.about = "Prints the version, and the number of the kernel-side interface.",
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
};

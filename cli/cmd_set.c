// SPDX-License-Identifier: GPL-2.0-only
/* cmd_set.c - ndiv set: policy of an interface */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "cmd.h"

#define SAMPLE_MAX (INT64_C(1) << 31)

const char *const set_words[] = { "malformed=drop", "malformed=pass", "sample=", NULL };

/* What has been asked for; below 0: nothing. */
struct wanted {
	int64_t malformed;
	int64_t sample;
};

static int read_malformed(const char *value, int64_t *out)
{
	if (strcmp(value, "drop") && strcmp(value, "pass"))
		return opt_error(&cmd_set, "malformed: \"%s\" is none of drop|pass", value);
	*out = !strcmp(value, "drop");
	return 0;
}

static int read_sample(const char *value, int64_t *out)
{
	int64_t n;

	if (parse_number(value, 0, SAMPLE_MAX, &n) || (n & (n - 1)))
		return opt_error(&cmd_set, "sample: \"%s\" is neither 0 nor a power of two from 1 to %" PRId64, value,
				 SAMPLE_MAX);
	*out = n;
	return 0;
}

static int read_word(const char *word, struct wanted *want)
{
	static const char malformed[] = "malformed=", sample[] = "sample=";

	if (!strncmp(word, malformed, strlen(malformed)))
		return read_malformed(word + strlen(malformed), &want->malformed);
	if (!strncmp(word, sample, strlen(sample)))
		return read_sample(word + strlen(sample), &want->sample);
	return opt_error(&cmd_set, "\"%s\" is no setting; there are malformed=drop|pass and sample=N", word);
}

static int apply(struct ndiv *nd, const struct wanted *want)
{
	int err = 0;

	if (want->malformed >= 0)
		err = ndiv_drop_malformed(nd, (int)want->malformed);
	if (!err && want->sample >= 0)
		err = ndiv_sample(nd, (unsigned int)want->sample);
	return err;
}

/* All words are read before anything is changed. */
static int run(const void *opts, int argc, char **argv)
{
	struct wanted want = { -1, -1 };
	struct ndiv *nd;
	int i;

	for (i = 1; i < argc; i++)
		if (read_word(argv[i], &want))
			return EXIT_USAGE;
	nd = if_open(argv[0]);
	return nd ? if_done(nd, argv[0], apply(nd, &want)) : EXIT_FAILURE;
}

static const struct arg args[] = {
	{ ARG_OUR_IF, "IF", 0, 0 },
	{ ARG_SETTING, "NAME=VALUE", 0, 1 },
	{ 0 },
};

const struct cmd cmd_set = {
	.name = "set",
	.about = "Sets the policy of an interface to which ndiv is attached.",
	.text = "Settings:\n"
		"  malformed=drop|pass   what becomes of malformed packets that no handler took\n"
		"  sample=N              time the handlers for one packet in N, a power of two; 0: never\n"
		"It lasts until ndiv is detached from the interface; at first it is malformed=pass sample=1024.\n",
	.args = args,
	.run = run,
};

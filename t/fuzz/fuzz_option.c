// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_option.c - the text of options, as a user gives it, for a handler with an option of each type
 *
 * The input: options of before, a zero byte, then those that are given, one in a line.
 */
#include <string.h>
#include "../../lib/internal.h"
#include "fuzz.h"

#define MAX	64

struct config {
	__u32	number;
	__u16	word;
	__u8	flag, choice;
	struct ndiv_ports ports;
	struct ndiv_prefixes nets;
};

#define AT(field)	offsetof(struct config, field)

static const struct ndiv_info info = {
	.abi = NDIV_ABI,
	.name = "fuzz",
	.options = {
		{ .name = "number", .type = NDIV_OPT_U32, .offset = AT(number), .min = 0, .max = 4294967295U },
		{ .name = "word", .type = NDIV_OPT_U16, .offset = AT(word), .min = 10, .max = 60000 },
		{ .name = "flag", .type = NDIV_OPT_BOOL, .offset = AT(flag) },
		{ .name = "choice", .type = NDIV_OPT_CHOICE, .offset = AT(choice), .choices = "drop,pass" },
		{ .name = "ports", .type = NDIV_OPT_PORTS, .offset = AT(ports) },
		{ .name = "nets", .type = NDIV_OPT_PREFIXES, .offset = AT(nets) },
	},
};

static void check_prefixes(const struct ndiv_prefixes *nets)
{
	size_t i, word;

	must(nets->count4 <= NDIV_PREFIXES_MAX && nets->count4 + nets->count6 <= NDIV_PREFIXES_MAX);
	for (i = 0; i < nets->count4 + nets->count6; i++)
		for (word = 0; word < 4; word++) {
			must(!(nets->list[i].addr[word] & ~nets->list[i].mask[word]));
			must(i >= nets->count4 || !word || !nets->list[i].mask[word]);
		}
}

static void check(const struct config *c)
{
	must(c->word >= 10 && c->word <= 60000);
	must(c->flag <= 1 && c->choice <= 1);
	must(c->ports.lo && c->ports.lo <= c->ports.hi);
	check_prefixes(&c->nets);
}

/* The lines of <text>, which is changed. */
static size_t split(char *text, const char **lines)
{
	size_t n = 0;
	char *line;

	while (n < MAX && (line = strsep(&text, "\n")))
		lines[n++] = line;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct config init = { .word = 10, .ports = { 1, 1 } };
	struct config config = init;
	char text[4096] = "", opts[NDIV_OPTS_LEN] = "";
	static struct ndiv nd;
	const char *lines[MAX];
	size_t n;
	int err;

	memcpy(text, data, size < sizeof(text) - 2 ? size : sizeof(text) - 2);
	n = split(text + strlen(text) + 1, lines);
	if (!option_join(&nd, text, lines, n, opts, sizeof(opts)))
		must(strlen(opts) < sizeof(opts));
	else
		must(!*opts && nd.err[0]);
	err = option_apply(&nd, &info, &config, sizeof(config), opts);
	must(!err || !memcmp(&config, &init, sizeof(config)));
	must(err == option_check(&nd, &info, opts));
	check(&config);
	option_apply(&nd, &info, &config, sizeof(config), text);
	check(&config);
	return 0;
}

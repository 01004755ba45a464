// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_info.c - section .rodata.ndiv of a handler's object: whoever made that, options are applied to what it says
 *
 * The input: the section, then the text of options.
 */
#include <string.h>
#include "../../lib/internal.h"
#include "fuzz.h"

static int ends(const char *s, size_t size)
{
	return memchr(s, 0, size) != NULL;
}

static void check(const struct ndiv_info *info)
{
	size_t i;

	must(info->abi == NDIV_ABI && *info->name && ends(info->name, NDIV_NAME_LEN));
	must(strcmp(info->name, "core") && !strpbrk(info->name, "/. \n"));
	must(ends(info->about, sizeof(info->about)));
	for (i = 0; i < NDIV_REASONS_MAX; i++)
		must(ends(info->reasons[i], NDIV_NAME_LEN) && ends(info->counters[i], NDIV_NAME_LEN));
	for (i = 0; i < NDIV_OPTIONS_MAX; i++)
		must(ends(info->options[i].name, NDIV_NAME_LEN) &&
		     ends(info->options[i].help, sizeof(info->options[i].help)) &&
		     ends(info->options[i].choices, sizeof(info->options[i].choices)));
}

/* Each option that the table names, with values of each kind. */
static void set_each(const struct ndiv_info *info, char *config, size_t size)
{
	static const char *const values[] = { "1", "yes", "80-90", "10.0.0.0/8,fd00::/8", "drop", "" };
	char text[64];
	struct ndiv nd = {};
	size_t i, v;

	for (i = 0; i < NDIV_OPTIONS_MAX; i++)
		for (v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
			snprintf(text, sizeof(text), "%s=%s", info->options[i].name, values[v]);
			option_apply(&nd, info, config, size, text);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t head = size < sizeof(struct ndiv_info) ? size : sizeof(struct ndiv_info);
	size_t room = size % 2 ? size % 300 : CONFIG_MAX;
	char text[NDIV_OPTS_LEN + 16], *config;
	struct ndiv nd = {};
	struct ndiv_info info;

	if (object_info(data, head, &info))
		return 0;
	check(&info);
	config = calloc(1, room + 1);	/* as long as said, so that the sanitizer sees what is written behind it */
	must(config);
	config = realloc(config, room ? room : 1);
	must(config);
	snprintf(text, sizeof(text), "%.*s", (int)(size - head), (const char *)data + head);
	option_apply(&nd, &info, config, room, text);
	set_each(&info, config, room);
	free(config);
	return 0;
}

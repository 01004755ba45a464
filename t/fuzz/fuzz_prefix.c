// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_prefix.c - files that others have made: lists of prefixes, and secrets
 *
 * The input is a file of either kind.
 */
#include <string.h>
#include "../../lib/policy.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prefixes list = { 0 };
	uint8_t secret[NDIV_SHIELD_SECRET];
	static struct ndiv nd;
	char *text = malloc(size ? size : 1);	/* as long as said */
	size_t i;

	must(text);
	memcpy(text, data, size);
	*nd.err = 0;
	if (prefixes_parse(&nd, "p", text, size, &list))
		must(*nd.err);
	for (i = 0; i < list.count; i++)
		must(list.p[i].len <= (list.p[i].v6 ? 128 : 32) && prefix_holds(&list.p[i], &list.p[i]));
	for (i = 0; nd.err[i]; i++)
		must((unsigned char)nd.err[i] >= ' ' && nd.err[i] != 0x7f);
	free(list.p);
	*nd.err = 0;
	must(!secret_parse(&nd, "p", text, size, secret) == !*nd.err);
	free(text);
	return 0;
}

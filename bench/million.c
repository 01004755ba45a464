// SPDX-License-Identifier: GPL-2.0-only
/* million.c - a million sources */
#include <stdio.h>
#include <stdlib.h>
#include "million.h"

#define ADDRESS	20	/* bytes of text, at most, with what is between two of them */
#define RULE	80

static char *write_sources(char *at, const char *between)
{
	uint32_t n, a;

	for (n = 0; n < MILLION; n++) {
		a = flood_far(n);
		at += sprintf(at, "%s%u.%u.%u.%u", n ? between : "", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
	}
	return at;
}

/* Each for a port of its own, on networks of other hosts. */
static char *write_rules(char *at)
{
	uint32_t n;

	for (n = 0; n < MILLION_RULES; n++)
		at += sprintf(at, "service %s to 192.168.%u.0/24 port %u %s\n", n & 1 ? "udp" : "tcp", n / 4, 20000 + n,
			      n & 2 ? "limit 1000/s" : "deny");
	return at;
}

char *million_policy(const char *verb, const char *rest)
{
	char *text = malloc((size_t)MILLION * ADDRESS + MILLION_RULES * RULE + 1000), *at = text;

	if (!text)
		return NULL;
	at += sprintf(at, "set sources { ");
	at = write_sources(at, " ");
	at += sprintf(at, " }\n%s @sources\n", verb);
	at = write_rules(at);
	snprintf(at, 500, "%s\n", rest);
	return text;
}

char *million_list(void)
{
	char *text = malloc((size_t)MILLION * ADDRESS);

	if (text)
		write_sources(text, ", ");
	return text;
}

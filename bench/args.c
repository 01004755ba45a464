// SPDX-License-Identifier: GPL-2.0-only
/* args.c - see args.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "args.h"

unsigned long args_number(const char *program, int opt, const char *text, unsigned long min, unsigned long max)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || v < min || v > max) {
		fprintf(stderr, "%s: -%c %s: want a number from %lu to %lu\n", program, opt, text, min, max);
		exit(2);
	}
	return v;
}

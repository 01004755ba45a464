// SPDX-License-Identifier: GPL-2.0-only
/* handler.c - what a handler's object tells about itself, in words */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "handler.h"

static const struct {
	const char *type;
	const char *value;
} types[] = {
	[NDIV_OPT_NONE] = { "none", "" },
	[NDIV_OPT_U16] = { "number", "NUMBER" },
	[NDIV_OPT_U32] = { "number", "NUMBER" },
	[NDIV_OPT_BOOL] = { "bool", "yes|no" },
	[NDIV_OPT_CHOICE] = { "choice", "" },
	[NDIV_OPT_PORTS] = { "ports", "PORT[-PORT]" },
	[NDIV_OPT_PREFIXES] = { "prefixes", "PREFIX[,PREFIX...]" },
};

#define TYPES (sizeof(types) / sizeof(types[0]))

const char *handler_type(const struct ndiv_option *opt)
{
	return opt->type < TYPES ? types[opt->type].type : "unknown";
}

void handler_value(const struct ndiv_option *opt, char *buf)
{
	char *p;

	if (opt->type != NDIV_OPT_CHOICE) {
		snprintf(buf, HANDLER_VALUE_LEN, "%s", opt->type < TYPES ? types[opt->type].value : "?");
		return;
	}
	snprintf(buf, HANDLER_VALUE_LEN, "%s", opt->choices);
	for (p = buf; (p = strchr(p, ',')); p++)
		*p = '|';
}

int handler_read(const char *what, char *path, struct ndiv_info *info, char *err, size_t err_len)
{
	int ret;

	*path = 0;
	ret = ndiv_find(what, path, PATH_MAX);
	if (ret) {
		snprintf(err, err_len,
			 "no handler \"%s\": %s%s%s (`ndiv handlers` lists those that come with ndiv; a file's "
			 "name contains a / or ends in .o)",
			 what, path, *path ? ": " : "", strerror(-ret));
		return ret;
	}
	ret = ndiv_read_info(path, info, err, err_len);
	if (ret && !*err)
		snprintf(err, err_len, "%s: %s", path, strerror(-ret));
	return ret;
}

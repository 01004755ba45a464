// SPDX-License-Identifier: GPL-2.0-only
/* err.c - messages: kept in the handle, or given to the caller's log */
#include <string.h>
#include "internal.h"

static ndiv_log_fn *log_fn;
static int log_level;

static int from_libbpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	static const int to[] = { [LIBBPF_WARN] = 2, [LIBBPF_INFO] = 2, [LIBBPF_DEBUG] = 3 };
	static char text[1 << 20];	/* a verifier log can be that long */

	if (!log_fn || to[level] > log_level)
		return 0;
	vsnprintf(text, sizeof(text), fmt, ap);
	log_fn(to[level], text);
	return 0;
}

void ndiv_set_log(ndiv_log_fn *fn, int max_level)
{
	log_fn = fn;
	log_level = max_level;
	libbpf_set_print(from_libbpf);
}

/* Of -errno or of one of libbpf's own numbers, with or without the minus. Valid until the next call. */
const char *err_text(int err)
{
	static _Thread_local char text[128];

	libbpf_strerror(err, text, sizeof(text));
	return text;
}

void log_text(int level, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (!log_fn || level > log_level)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_fn(level, text);
}

/* Keeps the message and returns -<err>, so that a caller can "return fail(...)". */
int fail(struct ndiv *nd, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(nd->err, sizeof(nd->err), fmt, ap);
	va_end(ap);
	return -err;
}

void warn(struct ndiv *nd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(nd->warn, sizeof(nd->warn), fmt, ap);
	va_end(ap);
	log_text(1, "%s: %s", nd->ifname, nd->warn);
}

void clear(struct ndiv *nd)
{
	nd->err[0] = 0;
	nd->warn[0] = 0;
}

const char *ndiv_error(const struct ndiv *nd)
{
	return nd && nd->err[0] ? nd->err : "no error";
}

const char *ndiv_warning(const struct ndiv *nd)
{
	return nd->warn;
}

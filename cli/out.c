// SPDX-License-Identifier: GPL-2.0-only
/* out.c - what goes to standard output: tables and lines for people, JSON for programs */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cmd.h"
#include "out.h"

static void *checked(void *p)
{
	if (p)
		return p;
	message("out of memory");
	exit(EXIT_FAILURE);
}

void *out_alloc(size_t size)
{
	return checked(calloc(1, size));
}

void *out_realloc(void *p, size_t size)
{
	return checked(realloc(p, size));
}

/* --- text */

/* How long the UTF-8 character that begins with <c> is; 0: none does. */
static int utf8_promised(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c < 0xe0)
		return 2;
	if (c >= 0xe0 && c < 0xf0)
		return 3;
	return c >= 0xf0 && c < 0xf5 ? 4 : 0;
}

/* Length of the UTF-8 character at <s>, 0 if it is none. */
static int utf8_length(const unsigned char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	int i, n = utf8_promised(s[0]);
	uint32_t code = n > 1 ? s[0] & (0xff >> (n + 1)) : s[0];

	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return n;
}

/* A terminal obeys these: control characters of ASCII, and U+0080 to U+009F. */
static int is_control(const unsigned char *s)
{
	return *s < ' ' || *s == 0x7f || (*s == 0xc2 && s[1] < 0xa0);
}

/* A new text, in which '?' stands for control characters and for what is no UTF-8. */
static char *format(const char *fmt, va_list ap)
{
	unsigned char *s;
	char *text = NULL;
	int n;

	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	for (s = checked(text); *s; s += n) {
		n = utf8_length(s);
		if (n && !is_control(s))
			continue;
		n = n ? n : 1;
		memset(s, '?', n);
	}
	return text;
}

void out_line(FILE *f, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	fprintf(f, "%s\n", text);
	free(text);
}

/*
 * A reader that has gone ends other programs by SIGPIPE, without a word. Here it does so too, but not before all is
 * done: a command must not end in the middle of a change. Who has the signal ignored gets a message, as for other
 * errors.
 */
static void (*on_pipe)(int);
static int reader_gone;

void out_begin(void)
{
	on_pipe = signal(SIGPIPE, SIG_IGN);
}

/* What was written first may have failed long ago, so that errno does not tell. */
static void look_for_reader(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	if (on_pipe != SIG_IGN && (errno == EPIPE || (poll(&out, 1, 0) == 1 && out.revents & POLLERR)))
		reader_gone = 1;
}

/* Says so once: the file stays in error. */
static int written(int failed)
{
	static int said;

	if (!failed)
		return 0;
	if (reader_gone || said++)
		return -1;
	message("cannot write to standard output: %s", errno ? strerror(errno) : "write error");
	return -1;
}

static int flush(void)
{
	int failed, err;

	errno = 0;
	failed = fflush(stdout) || ferror(stdout);
	err = errno;
	if (failed)
		look_for_reader();
	errno = err;
	return failed;
}

int out_flush(void)
{
	return written(flush());
}

/* Closing tells what some file systems only find out then. */
int out_close(void)
{
	int failed = flush();

	failed = written(fclose(stdout) || failed);
	if (reader_gone) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	return failed;
}

const char *out_short(char *buf, double value)
{
	static const char units[] = " kMGTPE";
	size_t unit = 0;
	int digits;

	while (value >= 999.5 && unit < sizeof(units) - 2) {
		value /= 1000;
		unit++;
	}
	digits = !unit || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
	snprintf(buf, OUT_SHORT, "%.*f%.*s", digits, value, unit != 0, units + unit);
	return buf;
}

/* --- tables */

void tab_begin(struct tab *t, const char *align)
{
	*t = (struct tab){ .align = align, .columns = strlen(align) };
}

void tab_cell(struct tab *t, const char *fmt, ...)
{
	va_list ap;

	/* grows by doubling: whenever the count is a power of two */
	if (!(t->count & (t->count - 1)))
		t->cell = out_realloc(t->cell, (t->count ? 2 * t->count : 1) * sizeof(*t->cell));
	va_start(ap, fmt);
	t->cell[t->count++] = format(fmt, ap);
	va_end(ap);
}

void tab_head(struct tab *t, const char *text)
{
	size_t len;

	for (;; text += len + 1) {
		len = strcspn(text, "|");
		tab_cell(t, "%.*s", (int)len, text);
		if (!text[len])
			return;
	}
}

size_t tab_rows(const struct tab *t)
{
	return t->count / t->columns;
}

/* Columns on the screen: bytes that continue a UTF-8 character take none. */
static int width(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

/* Nothing is printed behind the last cell that has something in it. */
static void print_row(const struct tab *t, FILE *f, char **cell, const int *widths)
{
	size_t i, used = t->columns;
	int pad;

	while (used && !*cell[used - 1])
		used--;
	for (i = 0; i < used; i++) {
		pad = widths[i] - width(cell[i]);
		if (t->align[i] == 'r')
			fprintf(f, "%*s%s", pad, "", cell[i]);
		else
			fprintf(f, "%s%*s", cell[i], i + 1 < used ? pad : 0, "");
		fputs(i + 1 < used ? "  " : "", f);
	}
	fputc('\n', f);
}

void tab_end(struct tab *t, FILE *f, int indent)
{
	int *widths = out_alloc(t->columns * sizeof(*widths));
	size_t i;
	int w;

	for (i = 0; i < t->count; i++) {
		w = width(t->cell[i]);
		if (w > widths[i % t->columns])
			widths[i % t->columns] = w;
	}
	for (i = 0; i + t->columns <= t->count; i += t->columns) {
		fprintf(f, "%*s", indent, "");
		print_row(t, f, t->cell + i, widths);
	}
	free(widths);
	tab_drop(t);
}

void tab_drop(struct tab *t)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		free(t->cell[i]);
	free(t->cell);
	t->cell = NULL;
	t->count = 0;
}

/* --- JSON */

static void string(FILE *f, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	int n;

	fputc('"', f);
	for (; *s; s += n ? n : 1) {
		n = utf8_length(s);
		if (!n)
			fputs("\\ufffd", f);
		else if (n == 1 && is_control(s))
			fprintf(f, "\\u%04x", *s);
		else
			fprintf(f, "%s%.*s", *s == '"' || *s == '\\' ? "\\" : "", n, (const char *)s);
	}
	fputc('"', f);
}

static void line(struct json *j)
{
	if (j->pretty)
		fprintf(j->f, "\n%*s", 2 * j->depth, "");
}

/* What goes before a value. */
static void value(struct json *j, const char *key)
{
	if (!j->first)
		fputc(',', j->f);
	if (j->depth)
		line(j);
	j->first = 0;
	if (!key)
		return;
	string(j->f, key);
	fputs(j->pretty ? ": " : ":", j->f);
}

void json_begin(struct json *j, FILE *f, int pretty)
{
	*j = (struct json){ .f = f, .pretty = pretty, .first = 1 };
}

void json_open(struct json *j, const char *key, char bracket)
{
	value(j, key);
	fputc(bracket, j->f);
	j->depth++;
	j->first = 1;
}

void json_close(struct json *j, char bracket)
{
	j->depth--;
	if (!j->first)
		line(j);
	fputc(bracket, j->f);
	j->first = 0;
}

void json_text(struct json *j, const char *key, const char *text)
{
	value(j, key);
	if (text)
		string(j->f, text);
	else
		fputs("null", j->f);
}

void json_uint(struct json *j, const char *key, uint64_t n)
{
	value(j, key);
	fprintf(j->f, "%" PRIu64, n);
}

void json_real(struct json *j, const char *key, double n)
{
	value(j, key);
	if (isfinite(n))
		fprintf(j->f, "%.3f", n);
	else
		fputs("null", j->f);
}

void json_time(struct json *j, const char *key, uint64_t ns)
{
	value(j, key);
	fprintf(j->f, "%" PRIu64 ".%06" PRIu64, ns / 1000000000, ns / 1000 % 1000000);
}

void json_bool(struct json *j, const char *key, int yes)
{
	value(j, key);
	fputs(yes ? "true" : "false", j->f);
}

void json_end(struct json *j)
{
	fputc('\n', j->f);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * grammar.c - what has to be the answer to a request, to a SYN: a second parser
 *
 * Written from docs/httpd.md and the RFCs, for clarity and not for speed, and with nothing of the handler's in it.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "grammar.h"

/* What the methods' names begin with that are answered by 405. */
static int is_method_of_others(const char *text)
{
	static const char *const methods[] = { "PATC", "DELE", "OPTI", "TRAC", "CONN" };
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (!strncmp(text, methods[i], 4))
			return 1;
	return 0;
}

/* A number of up to ten digits at *<text>, with a unit or not, that fits 32 bits. Below 0: there is none. */
static int64_t read_number(const char **text, int units)
{
	size_t digits = strspn(*text, "0123456789");
	static const char letters[] = "kmgKMG";
	const char *unit;
	uint64_t n;

	if (!digits || digits > 10)
		return -1;
	n = strtoull(*text, NULL, 10);
	*text += digits;
	unit = **text && units ? strchr(letters, **text) : NULL;
	if (unit) {
		n <<= 10 * ((unit - letters) % 3 + 1);
		++*text;
	}
	return n >> 32 ? -1 : (int64_t)n;
}

/* One argument of "/?". Below 0: it is bad. <keep>: "K". */
static int read_argument(const char *arg, struct grammar_said *said, int *close, int *keep)
{
	static const int statuses[] = {
		200, 201, 202, 203, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405,
		406, 408, 409, 410, 411, 413, 414, 415, 418, 421, 429, 500, 501, 502, 503, 504
	};
	const char *value = arg + 2;
	int64_t n;
	size_t i;

	*close |= *arg == 'C';
	*keep |= *arg == 'K';
	if (!strncmp(arg, "t=", 2))
		return read_number(&value, 0) < 0 ? -1 : 0;
	if (!strncmp(arg, "s=", 2)) {
		n = read_number(&value, 1);
		said->a.size = n > INT32_MAX ? INT32_MAX : n;
		return n < 0 ? -1 : 0;
	}
	if (strncmp(arg, "r=", 2))
		return 0;
	n = read_number(&value, 0);
	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i] == n) {
			said->a.status = n;
			return 0;
		}
	}
	return -1;
}

/* "/?" and arguments, up to the blank. */
static void read_arguments(const char *arg, struct grammar_said *said, int *close, int *keep)
{
	said->a.size = 0;
	for (;; arg++) {
		if (read_argument(arg, said, close, keep)) {
			said->a.status = 400;
			said->a.size = -1;
			return;
		}
		arg += strcspn(arg, "/& \n");
		if (*arg != '/' && *arg != '&')
			return;
	}
}

/* The path at <url>. */
static void read_url(const char *url, struct grammar_said *said, int *close, int *keep)
{
	int64_t n;

	said->a.status = 200;
	said->a.size = -1;
	if (*url == '?')
		return read_arguments(url + 1, said, close, keep);
	if (*url == ' ')
		return;
	said->a.status = 404;
	if (!strchr("0123456789", *url))
		return;
	n = read_number(&url, 1);
	if (n < 0) {
		said->a.status = 416;
	} else if (*url && strchr(" ?", *url)) {
		said->a.status = 200;
		said->a.size = n > INT32_MAX ? INT32_MAX : n;
	}
}

/* Is the list's element at <value>, up to a comma, this word? What follows a blank does not count. */
static int is_word(const char *value, const char *word)
{
	size_t len;

	value += strspn(value, " \t");
	len = strcspn(value, ", \t\r\n");
	return len == strlen(word) && !strncasecmp(value, word, len);
}

/* The value of one "Connection". */
static void read_connection(const char *value, int *close, int *keep)
{
	const char *end = strchr(value, '\n');

	while (value < end) {
		*close |= is_word(value, "close");
		*keep |= is_word(value, "keep-alive");
		value += strcspn(value, ",\n") + 1;
	}
}

/* What the fields say. */
struct fields {
	int	close, keep, chunked, bad, have_length;
	uint32_t length;
};

static void read_length(const char *value, const char *end, struct fields *f)
{
	size_t blanks = strspn(value, " \t");
	int64_t n;

	value += blanks > 4 ? 4 : blanks;
	n = read_number(&value, 0);
	if (n < 0 || (*value != '\n' && strncmp(value, "\r\n", 2) && value + 1 < end) ||
	    (f->have_length && n != f->length))
		f->bad = 1;
	f->have_length = 1;
	f->length = n < 0 ? 0 : n;
}

/* The lines behind the first one, which ends at <line>. Returns the end of the header, or NULL. */
static const char *read_lines(const char *line, const char *end, struct fields *f)
{
	while ((line = memchr(line, '\n', end - line))) {
		line++;
		if (line < end && *line == '\n')
			return line + 1;
		if (end - line >= 2 && !memcmp(line, "\r\n", 2))
			return line + 2;
		if (!strncasecmp(line, "Connection:", 11) && memchr(line, 0x0a, end - line))
			read_connection(line + 11, &f->close, &f->keep);
		if (!strncasecmp(line, "Content-Length:", 15))
			read_length(line + 15, end, f);
		if (!strncasecmp(line, "Content-Length", 14) && (line[14] == ' ' || line[14] == '\t'))
			f->bad = 1;
		if (!strncasecmp(line, "Transfer-Encodin", 16))
			f->chunked = 1;
	}
	return NULL;
}

/* The first line of the <len> bytes at <text>. Returns where its version ends, or NULL if the request is bad. */
static const char *read_first(const char *text, const char *end, struct grammar_said *said, struct fields *f)
{
	static const char *const methods[] = { "GET ", "HEAD ", "POST ", "PUT " };
	const char *url = NULL, *version;
	size_t i;

	text += !strncmp(text, "\r\n", 2) ? 2 : *text == '\n';
	for (i = 0; i < 4; i++)
		if (!strncmp(text, methods[i], strlen(methods[i])))
			url = text + strlen(methods[i]);
	said->a.head = !strncmp(text, "HEAD ", 5);
	said->a.post = !said->a.head && url && *text == 'P';
	if (!url && is_method_of_others(text))
		said->a.status = 405;
	if (!url)
		return NULL;
	if (!strncasecmp(url, "http://", 7)) {
		url += 7 + strcspn(url + 7, "/ \n");
	}
	if (*url != '/')
		return NULL;
	for (version = url; version < end && *version != ' ' && *version != '\n'; version++)
		;
	if (version >= end || *version++ == '\n' || strncmp(version, "HTTP/1.", 7) || version[7] < '0' ||
	    version[7] > '9')
		return NULL;
	version += 8;
	if (end - version > 1 && *version != '\n' && memcmp(version, "\r\n", 2))
		return NULL;
	read_url(url + 1, said, &f->close, &f->keep);
	return version;
}

/* A text with <status>. */
static void say_text(struct grammar_said *said, int status)
{
	said->a.status = status;
	said->a.size = -1;
}

/* What the fields make of it. */
static void say_fields(struct grammar_said *said, const struct fields *f, int whole)
{
	if (whole && (f->bad || f->length > 1U << 31))
		say_text(said, 400);
	else if (f->chunked)
		say_text(said, 411);
	else if (said->a.post)
		say_text(said, 200);
	else if (said->a.size > 1 << 30)
		say_text(said, 416);
}

void grammar_request(const char *text, size_t len, struct grammar_said *said)
{
	const char *end = text + len, *version;
	struct fields f = { 0 };
	int error;

	*said = (struct grammar_said){ .a = { .status = 400, .size = -1, .close = 1 }, .acked = len };
	version = read_first(text, end, said, &f);
	if (!version)
		return;
	end = read_lines(version, end, &f);
	say_fields(said, &f, !!end);
	error = said->a.size < 0 && said->a.status >= 400;
	said->rest = end && f.length > (size_t)(text + len - end) ? f.length - (text + len - end) : 0;
	said->a.close = error || !end || f.close || (version[-1] == '0' && !f.keep) || (said->rest && !said->a.post);
	if (end && !error && !said->rest && (!said->a.close || said->a.post))
		said->acked = end + f.length - text;
}

/*
 * The number that an initial sequence number has in its low bits, twice: the client's class. With timestamps, the last
 * one that is not above what it has, and has room for two segments in a window of 64,240 bytes.
 */
static int judge_class(int mss, int wscale, int ts)
{
	static const int plain[] = { 0, 536, 1220, 1360, 1400, 1440, 1460, 8940 };
	static const struct {
		int	mss, wscale;
	} classes[] = { { 0, 0 },    { 536, 0 },  { 1220, 0 }, { 1440, 0 }, { 1220, 5 },  { 1440, 5 },
			{ 536, 7 },  { 1220, 7 }, { 1360, 7 }, { 1440, 7 }, { 1460, 7 },  { 8940, 7 },
			{ 1220, 10 }, { 1360, 10 }, { 1440, 10 }, { 8940, 10 } };
	int i, n = 0, fits;

	if (wscale > 14)
		wscale = 14;
	for (i = 0; !ts && i < (int)(sizeof(plain) / sizeof(plain[0])); i++)
		n = mss >= plain[i] ? i : n;
	for (i = 0; ts && i < (int)(sizeof(classes) / sizeof(classes[0])); i++) {
		fits = !classes[i].wscale || 64240 >> wscale << classes[i].wscale >= 2 * classes[i].mss;
		if (mss >= classes[i].mss && wscale >= classes[i].wscale && fits)
			n = i;
	}
	return n;
}

int grammar_syn(const uint8_t *o, int len, int v6, int *ts, int *sack)
{
	int at, mss = 0, wscale = 0;

	*ts = -1;
	*sack = 0;
	for (at = 0; at < len && o[at]; at += o[at] == 1 ? 1 : o[at + 1]) {
		if (o[at] == 1)
			continue;
		if (at + 1 >= len || o[at + 1] < 2 || at + o[at + 1] > len)
			return -1;
		if (o[at] == 2 && o[at + 1] == 4)
			mss = get16(o + at + 2);
		if (o[at] == 3 && o[at + 1] == 3)
			wscale = o[at + 2];
		if (o[at] == 8 && o[at + 1] == 10)
			*ts = at;
		if (o[at] == 4 && o[at + 1] == 2)
			*sack = 1;
	}
	if (!mss)
		mss = v6 ? 1220 : 536;
	return judge_class(mss, wscale, *ts >= 0);
}

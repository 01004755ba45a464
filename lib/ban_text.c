// SPDX-License-Identifier: GPL-2.0-only
/*
 * ban_text.c - bans as people write them: times, prefixes, and files that hold one a line
 *
 *	192.0.2.1				for as long as the command says
 *	203.0.113.0/24 2h			for two hours from when the file is read
 *	2001:db8::/64 @1764072000		until that second since 1970
 *	198.51.100.7 @1764072000 line:12	... and it was set by that line of a policy
 */
#include <stdlib.h>
#include <string.h>
#include "ban.h"

#define TIME_WRONG	"is no time such as 30s, 10m, 2h, 7d or forever, up to 3650d"

/* The digits of <word> up to <end>, at most <max>. 0, or -1. */
static int digits(const char *word, const char *end, __u64 max, __u64 *out)
{
	__u64 n = 0;

	if (word == end)
		return -1;
	for (; word < end; word++) {
		if (*word < '0' || *word > '9')
			return -1;
		n = n * 10 + (*word - '0');
		if (n > max)
			return -1;
	}
	*out = n;
	return 0;
}

static int is_word(const char *word, size_t len, const char *what)
{
	return len == strlen(what) && !memcmp(word, what, len);
}

/* The <len> characters of <word> as a time. NULL, or what is wrong with them. */
const char *ban_time(const char *word, size_t len, __u64 *ms)
{
	static const struct {
		char	unit;
		__u32	ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
	__u64 n;
	size_t i;

	if (is_word(word, len, "forever")) {
		*ms = BAN_ENDLESS;
		return NULL;
	}
	for (i = 0; len && i < sizeof(units) / sizeof(units[0]); i++) {
		if (word[len - 1] != units[i].unit)
			continue;
		if (digits(word, word + len - 1, BAN_MS_MAX / units[i].ms, &n) || !n)
			break;
		*ms = n * units[i].ms;
		return NULL;
	}
	return TIME_WRONG;
}

/* Likewise as what is to be banned. An IPv6 address alone stands for its /64. */
const char *ban_prefix(const char *word, size_t len, __u64 *addr, __u8 *shape)
{
	struct prefix p;
	const char *wrong = prefix_parse(word, len, &p);

	if (wrong)
		return wrong;
	if (p.v6 && !memchr(word, '/', len)) {
		if (p.hi >> 54 == 0xfe80 >> 6)
			return "is a link-local address, whose /64 is that of everybody there: if you want that, say "
			       "fe80::/64";
		p.len = 64;
	}
	if (!p.len)
		return "is everybody: a policy can do that";
	if (p.len > 64)
		return "is longer than /64, and its host can choose another address there: ban the /64, or deny it in "
		       "a policy";
	*addr = p.hi;
	*shape = BAN_SHAPE(p.v6, p.len);
	return NULL;
}

int ban_add(struct ban_list *list, const struct ban_wish *w)
{
	size_t room = list->room ? list->room * 2 : 16;
	struct ban_wish *more;

	if (list->count == list->room) {
		more = list->count < POLICY_PREFIXES_MAX ? realloc(list->w, room * sizeof(*more)) : NULL;
		if (!more)
			return list->count < POLICY_PREFIXES_MAX ? -ENOMEM : -EFBIG;
		list->w = more;
		list->room = room;
	}
	list->w[list->count++] = *w;
	return 0;
}

/* --- files */

struct line {
	struct ndiv *nd;
	const char *path;
	unsigned int nr;
	const char *start, *at, *end;
	const char *word;		/* the one at hand */
	size_t	len;			/* 0: there is none any more */
};

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void next(struct line *l)
{
	while (l->at < l->end && is_blank(*l->at))
		l->at++;
	l->word = l->at;
	while (l->at < l->end && !is_blank(*l->at))
		l->at++;
	l->len = l->at - l->word;
}

/* What is wrong with the word. Whatever it is may go to a terminal. */
static int wrong_word(const struct line *l, const char *wrong)
{
	char text[60];
	size_t i;

	for (i = 0; i < sizeof(text) - 1 && i < l->len; i++)
		text[i] = l->word[i] < ' ' || l->word[i] == 0x7f ? '?' : l->word[i];
	text[i] = 0;
	return fail(l->nd, EINVAL, "%s:%u:%td: \"%s\" %s", l->path, l->nr, l->word - l->start + 1, text, wrong);
}

/* "2h" or "@1764072000" */
static int read_end(struct line *l, __u64 now, __u64 *end)
{
	const char *wrong;
	__u64 ms;

	if (*l->word == '@') {
		if (digits(l->word + 1, l->word + l->len, 1ULL << 40, &ms))
			return wrong_word(l, "is no second since 1970 such as @1764072000");
		*end = ms * 1000;
		return 0;
	}
	wrong = ban_time(l->word, l->len, &ms);
	if (wrong)
		return wrong_word(l, wrong);
	*end = ms == BAN_ENDLESS ? BAN_ENDLESS : now + ms;
	return 0;
}

static int read_origin(struct line *l, __u16 *line)
{
	__u64 n;

	if (l->len < 5 || memcmp(l->word, "line:", 5) || digits(l->word + 5, l->word + l->len, BAN_LINE_MAX, &n))
		return wrong_word(l, "is no line of a policy such as line:12");
	*line = n;
	return 0;
}

/* One line; <w> has the end of those that say none, 0: each has to. 1: it is empty. */
static int read_line(struct line *l, __u64 now, struct ban_wish *w)
{
	const char *wrong;
	int err = 0;

	next(l);
	if (!l->len)
		return 1;
	wrong = ban_prefix(l->word, l->len, &w->addr, &w->shape);
	if (wrong)
		return wrong_word(l, wrong);
	next(l);
	if (l->len)
		err = read_end(l, now, &w->end);
	else if (!w->end)
		return fail(l->nd, EINVAL, "%s:%u:%td: expected a time, found the end of the line; a TIME of the "
			    "command is that of all lines without one", l->path, l->nr, l->word - l->start + 1);
	if (!err && l->len)
		next(l);
	if (!err && l->len)
		err = read_origin(l, &w->line);
	if (!err && l->len)
		next(l);
	return err || !l->len ? err : wrong_word(l, "is one word too many");
}

/*
 * The bans in <text>, one a line, which comes from file <path>. <now>: ms since 1970. <ms>: the time of lines without
 * one; 0: there must not be any.
 */
int ban_parse(struct ndiv *nd, const char *path, const char *text, size_t len, __u64 now, __u64 ms,
	      struct ban_list *list)
{
	const char *at, *end, *comment, *last = text + len;
	struct line l = { .nd = nd, .path = path };
	struct ban_wish w;
	int err = 0;

	for (at = text; at < last && err >= 0; at = end + 1) {
		end = memchr(at, '\n', last - at);
		if (!end)
			end = last;
		comment = memchr(at, '#', end - at);
		l.nr++;
		l.start = l.at = at;
		l.end = comment ? comment : end;
		w = (struct ban_wish){ .end = !ms || ms == BAN_ENDLESS ? ms : now + ms };
		err = read_line(&l, now, &w);
		if (!err)
			err = ban_add(list, &w);
		if (err == -ENOMEM || err == -EFBIG)
			fail(nd, -err, "%s:%u:1: %s", path, l.nr,
			     err == -EFBIG ? "more bans than a table can have" : "no memory");
	}
	return err < 0 ? err : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* policy_prefix.c - prefixes, lists of them, and files that hold one a line */
#include <arpa/inet.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include "policy.h"

#define TEXT_MAX	(INET6_ADDRSTRLEN + 4)

static __u64 high_bits(unsigned int n)
{
	return n ? ~0ULL << (64 - n) : 0;
}

/* Are all bits behind the length 0? */
static int is_masked(const struct prefix *p)
{
	__u64 hi = high_bits(p->len < 64 ? p->len : 64), lo = high_bits(p->len > 64 ? p->len - 64 : 0);

	return !(p->hi & ~hi) && !(p->lo & ~lo);
}

/* "/24": -1 if it is none. */
static int length_parse(const char *text, int max)
{
	char *end;
	long n;

	if (*text < '0' || *text > '9')
		return -1;
	n = strtol(text, &end, 10);
	return *end || n > max ? -1 : (int)n;
}

/* The <len> characters of <word> as a prefix. NULL, or what is wrong with them. */
const char *prefix_parse(const char *word, size_t len, struct prefix *p)
{
	char text[TEXT_MAX], *slash;
	__u64 addr[2] = { 0 };
	int bits;

	if (len >= sizeof(text) || memchr(word, 0, len))
		return "is no address or prefix such as 192.0.2.0/24 or 2001:db8::/32";
	memcpy(text, word, len);
	text[len] = 0;
	slash = strchr(text, '/');
	if (slash)
		*slash++ = 0;
	memset(p, 0, sizeof(*p));
	p->v6 = !!strchr(text, ':');
	bits = slash ? length_parse(slash, p->v6 ? 128 : 32) : p->v6 ? 128 : 32;
	if (bits < 0 || inet_pton(p->v6 ? AF_INET6 : AF_INET, text, addr) != 1)
		return "is no address or prefix such as 192.0.2.0/24 or 2001:db8::/32";
	p->len = bits;
	p->hi = be64toh(addr[0]);
	p->lo = be64toh(addr[1]);
	return is_masked(p) ? NULL : "has bits set behind its length";
}

/* IPv4 first, then by address, then by length. */
int prefix_before(const struct prefix *a, const struct prefix *b)
{
	if (a->v6 != b->v6)
		return a->v6 < b->v6;
	if (a->hi != b->hi)
		return a->hi < b->hi;
	if (a->lo != b->lo)
		return a->lo < b->lo;
	return a->len < b->len;
}

int prefixes_add(struct prefixes *list, const struct prefix *p)
{
	size_t room = list->room ? list->room * 2 : 16;
	struct prefix *more;

	if (list->count == list->room) {
		more = list->count < POLICY_PREFIXES_MAX ? realloc(list->p, room * sizeof(*more)) : NULL;
		if (!more)
			return list->count < POLICY_PREFIXES_MAX ? -ENOMEM : -EFBIG;
		list->p = more;
		list->room = room;
	}
	list->p[list->count++] = *p;
	return 0;
}

/* The same for the same prefixes in the same order; tells changed lists apart, for people. */
__u64 prefixes_hash(const struct prefixes *list)
{
	__u64 h = 0, mix = 0x9e3779b97f4a7c15ULL;
	size_t i;

	for (i = 0; i < list->count; i++) {
		h = (h ^ list->p[i].hi) * mix;
		h = (h ^ h >> 32 ^ list->p[i].lo) * mix;
		h = (h ^ h >> 32 ^ list->p[i].len) * mix;
	}
	return h;
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* What is wrong, and where. Whatever stands there may go to a terminal. */
static int line_wrong(struct ndiv *nd, const char *at, const char *from, const char *end, const char *wrong)
{
	char text[60];
	size_t i;

	for (i = 0; i < sizeof(text) - 1 && from + i < end; i++)
		text[i] = from[i] < ' ' || from[i] == 0x7f ? '?' : from[i];
	text[i] = 0;
	return fail(nd, EINVAL, "%s: \"%s\" %s", at, text, wrong);
}

/* One line from <from> to <end>. */
static int line_read(struct ndiv *nd, const char *path, unsigned int line, const char *from, const char *end,
		     struct prefixes *list)
{
	const char *start = from, *comment = memchr(from, '#', end - from), *wrong;
	char at[POLICY_WORD_MAX + 32];
	struct prefix p;
	int err;

	if (comment)
		end = comment;
	while (from < end && is_blank(*from))
		from++;
	while (end > from && is_blank(end[-1]))
		end--;
	if (from == end)
		return 0;
	wrong = prefix_parse(from, end - from, &p);
	if (wrong) {
		snprintf(at, sizeof(at), "%s:%u:%td", path, line, from - start + 1);
		return line_wrong(nd, at, from, end, wrong);
	}
	err = prefixes_add(list, &p);
	return err ? fail(nd, -err, "%s:%u:1: %s", path, line,
			  err == -EFBIG ? "more prefixes than a policy can have" : "no memory")
		   : 0;
}

/* The prefixes in <text>, one a line, which comes from file <path>. */
int prefixes_parse(struct ndiv *nd, const char *path, const char *text, size_t len, struct prefixes *list)
{
	const char *at, *end, *last = text + len;
	unsigned int line = 1;
	int err = 0;

	for (at = text; at < last && !err; at = end + 1) {
		end = memchr(at, '\n', last - at);
		if (!end)
			end = last;
		err = line_read(nd, path, line++, at, end, list);
	}
	return err;
}

int prefixes_read(struct ndiv *nd, const char *path, struct prefixes *list)
{
	char *text;
	size_t len;
	int err = file_load(nd, path, &text, &len);

	if (err)
		return err;
	err = prefixes_parse(nd, path, text, len, list);
	free(text);
	return err;
}

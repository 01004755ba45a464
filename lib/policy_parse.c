// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_parse.c - the statements of a policy: one a line, docs/shield-policy.md has the language
 *
 * A statement is a function, which begins at the word behind its name and ends at the end of the line. The first error
 * ends it all.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <ndiv/ndiv.h>
#include "policy.h"
#include "ban.h"

#define RATE_MAX	10000000	/* as in ndiv/limit.h */
#define BURST_MAX	1000000
#define BYTE_RATE_MIN	1000
#define BYTE_RATE_MAX	10000000000ULL	/* above which whole ns are too coarse for short packets */
#define BYTE_BURST_MIN	64000	/* so that no packet is longer, and costs less than its length */
#define BYTE_BURST_MAX	1000000000ULL
#define BAN_RULE_MAX	(365 * 86400000ULL)	/* ms that a rule bans, at most */
#define BAN_AFTER_MAX	50			/* seconds of a minute in which a rate can be exceeded */

struct parser {
	struct lexer lx;
	struct ndiv_policy *p;
	struct rule *rule;		/* that is being read */
	size_t	text_len;		/* of its text */
};

/* --- words, which are also the text by which people are told of the rule */

static void note(struct parser *ps, const char *before, const char *word)
{
	char *text = ps->rule->text;
	size_t room = sizeof(ps->rule->text);
	int n;

	if (ps->text_len >= room - 1)
		return;
	n = snprintf(text + ps->text_len, room - ps->text_len, "%s%s", ps->text_len ? before : "", word);
	ps->text_len += n;
	if (ps->text_len >= room)
		memcpy(text + room - 4, "...", 4);
}

static int step(struct parser *ps)
{
	if (ps->rule && ps->lx.token != TOKEN_NEWLINE)
		note(ps, ps->lx.token == TOKEN_COMMA ? "" : " ", ps->lx.word);
	return lex_next(&ps->lx);
}

static int no_memory(struct parser *ps, int err)
{
	if (err == -EFBIG)
		return lex_fail(&ps->lx, "more than %u prefixes", POLICY_PREFIXES_MAX);
	return fail(ps->lx.nd, ENOMEM, "no memory");
}

/* --- numbers */

/* All of <text> up to <end> is a number up to <max>. */
static int number(const char *text, const char *end, __u64 max, __u64 *out)
{
	__u64 n = 0;

	if (text == end)
		return -1;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		n = n * 10 + (*text - '0');
		if (n > max)
			return -1;
	}
	*out = n;
	return 0;
}

/* "1" or "1-5" at most <max>: 0, or -1. */
static int span(const char *text, __u32 max, __u32 *first, __u32 *last)
{
	const char *end = text + strlen(text), *dash = strchr(text, '-');
	__u64 from, to;

	if (number(text, dash ? dash : end, max, &from))
		return -1;
	to = from;
	if (dash && number(dash + 1, end, max, &to))
		return -1;
	*first = from;
	*last = to;
	return from > to ? -1 : 0;
}

/* All of <text> up to <end> is a number of packets or of bytes: "10", "64kB". 0, or -1. */
static int amount(const char *text, const char *end, __u64 *out, int *by_bytes)
{
	static const struct {
		const char *name;
		__u64	bytes;
	} units[] = { { "kB", 1000 }, { "MB", 1000000 }, { "GB", 1000000000 } };
	size_t i;

	*by_bytes = 0;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end - text < 3 || memcmp(end - 2, units[i].name, 2))
			continue;
		*by_bytes = 1;
		if (number(text, end - 2, 1000000, out))
			return -1;
		*out *= units[i].bytes;
		return 0;
	}
	return number(text, end, RATE_MAX, out);
}

/* --- sets */

static int name_good(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return n && n < POLICY_NAME_MAX && !name[n];
}

static const struct set *set_find(const struct ndiv_policy *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->set_count; i++)
		if (!strcmp(p->set[i].name, name))
			return &p->set[i];
	return NULL;
}

/* A new one, empty. <name> is short enough. */
static int set_new(struct parser *ps, const char *name, struct set **out)
{
	struct ndiv_policy *p = ps->p;
	struct set *more = realloc(p->set, (p->set_count + 1) * sizeof(*more));

	if (!more)
		return no_memory(ps, -ENOMEM);
	p->set = more;
	*out = &more[p->set_count++];
	memset(*out, 0, sizeof(**out));
	memcpy((*out)->name, name, strlen(name));
	return 0;
}

static int set_add(struct parser *ps, struct set **out)
{
	const char *name = ps->lx.word;
	int err;

	if (ps->lx.token != TOKEN_WORD || !name_good(name))
		return lex_expected(&ps->lx, "a name of up to 31 small letters, digits, - and _");
	if (set_find(ps->p, name))
		return lex_fail(&ps->lx, "there is a set \"%s\" already", name);
	if (ps->p->set_count == POLICY_SETS_MAX)
		return lex_fail(&ps->lx, "more than %d sets", POLICY_SETS_MAX);
	err = set_new(ps, name, out);
	return err ? err : step(ps);
}

/* A prefix, into <list>. */
static int take_prefix(struct parser *ps, struct prefixes *list, const char *what)
{
	const char *wrong;
	struct prefix p;
	int err;

	if (ps->lx.token != TOKEN_WORD)
		return lex_expected(&ps->lx, what);
	wrong = prefix_parse(ps->lx.word, strlen(ps->lx.word), &p);
	if (wrong)
		return lex_fail(&ps->lx, "\"%s\" %s", ps->lx.word, wrong);
	err = prefixes_add(list, &p);
	return err ? no_memory(ps, err) : step(ps);
}

/* "{ PREFIX, ... }", over any number of lines. */
static int set_inline(struct parser *ps, struct set *set)
{
	int err = step(ps);

	while (!err && ps->lx.token != TOKEN_CLOSE) {
		if (ps->lx.token == TOKEN_COMMA || ps->lx.token == TOKEN_NEWLINE)
			err = step(ps);
		else
			err = take_prefix(ps, &set->list, "a prefix or \"}\"");
	}
	return err ? err : step(ps);
}

/* "file TEXT": a path that is relative is so to the policy's own directory. */
static int set_file(struct parser *ps, struct set *set)
{
	const char *slash = strrchr(ps->lx.path, '/');
	char path[PATH_MAX];
	int err = step(ps);

	if (err)
		return err;
	if (ps->lx.token != TOKEN_STRING && ps->lx.token != TOKEN_WORD)
		return lex_expected(&ps->lx, "the name of a file");
	if (ps->lx.word[0] == '/' || !slash)
		snprintf(path, sizeof(path), "%s", ps->lx.word);
	else
		snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - ps->lx.path), ps->lx.path, ps->lx.word);
	err = prefixes_read(ps->lx.nd, path, &set->list);
	return err ? err : step(ps);
}

static int take_set(struct parser *ps)
{
	struct set *set = NULL;
	int err = set_add(ps, &set);

	if (err)
		return err;
	if (ps->lx.token == TOKEN_OPEN)
		return set_inline(ps, set);
	if (lex_is(&ps->lx, "file"))
		return set_file(ps, set);
	return lex_expected(&ps->lx, "\"{\" and prefixes, or \"file\" and its name");
}

/* --- rules */

static int rule_begin(struct parser *ps, enum policy_action action, int is_service)
{
	struct ndiv_policy *p = ps->p;

	if (p->rule_count == POLICY_RULES - 1)
		return lex_fail(&ps->lx, "more than %d rules", POLICY_RULES - 1);
	ps->rule = &p->rule[++p->rule_count];
	memset(ps->rule, 0, sizeof(*ps->rule));
	ps->rule->action = action;
	ps->rule->is_service = is_service;
	ps->rule->line = ps->lx.at_line;
	ps->text_len = 0;
	return step(ps);
}

/* "dry" at the end, or nothing. */
static int rule_end(struct parser *ps)
{
	if (!lex_is(&ps->lx, "dry"))
		return 0;
	ps->rule->dry = 1;
	return step(ps);
}

/* The prefixes of <from>, as sources of the current rule. */
static int add_sources(struct parser *ps, const struct prefixes *from)
{
	struct prefix p;
	size_t i;
	int err;

	for (i = 0; i < from->count; i++) {
		p = from->p[i];
		p.rule = ps->p->rule_count;
		err = prefixes_add(&ps->p->source, &p);
		if (err)
			return no_memory(ps, err);
	}
	return 0;
}

/* The prefixes of a set that need not be defined, into <list>. */
static int known_prefixes(struct parser *ps, const char *const *text, struct prefixes *list)
{
	struct prefix p;
	int err = 0;

	for (; *text && !err; text++) {
		prefix_parse(*text, strlen(*text), &p);
		err = prefixes_add(list, &p);
	}
	return err ? no_memory(ps, err) : 0;
}

static int take_named_set(struct parser *ps)
{
	const char *name = ps->lx.word + 1;
	const char *const *known;
	const struct set *set = set_find(ps->p, name);
	struct prefixes list = { 0 };
	char text[64];
	int err = 0;

	/* one of the file's own comes first */
	known = set ? NULL : known_set(name);
	if (!set && !known)
		return lex_fail(&ps->lx, "no set \"%s\" is defined above", name);
	if (known)
		err = known_prefixes(ps, known, &list);
	if (!err)
		err = add_sources(ps, known ? &list : &set->list);
	if (!err)
		err = step(ps);
	if (!known) {
		snprintf(text, sizeof(text), "(%zu prefixes, %08x)", set->list.count,
			 (__u32)(prefixes_hash(&set->list) >> 32));
		note(ps, " ", text);
	}
	free(list.p);
	return err;
}

/* A prefix, or "@" and the name of a set. */
static int take_source(struct parser *ps)
{
	struct prefixes one = { 0 };
	int err;

	if (ps->lx.token == TOKEN_WORD && ps->lx.word[0] == '@')
		return take_named_set(ps);
	err = take_prefix(ps, &one, "a prefix, or @ and the name of a set");
	if (!err)
		err = add_sources(ps, &one);
	free(one.p);
	return err;
}

/* <take>, and as often again as commas follow. */
static int take_list(struct parser *ps, int (*take)(struct parser *ps))
{
	int err = take(ps);

	while (!err && ps->lx.token == TOKEN_COMMA) {
		err = step(ps);
		if (!err)
			err = take(ps);
	}
	return err;
}

/* --- services */

struct proto {
	const char *name;
	__u32	first, last;		/* selectors */
	const char *word;		/* by which a part of them is chosen */
};

static const struct proto protos[] = {
	{ "any", 0, POLICY_SELECTORS - 1, NULL },
	{ "tcp", POLICY_TCP, POLICY_TCP + 65535, "port" },
	{ "udp", POLICY_UDP, POLICY_UDP + 65535, "port" },
	{ "icmp", POLICY_ICMP, POLICY_ICMP + 255, "type" },
	{ "icmp6", POLICY_ICMP6, POLICY_ICMP6 + 255, "type" },
	{ "fragment", POLICY_FRAGMENT, POLICY_FRAGMENT, NULL },
	{ "protocol", POLICY_PROTO, POLICY_PROTO + 255, NULL },
	{ NULL, 0, 0, NULL },
};

static int add_range(struct parser *ps, struct ranges *to, __u32 first, __u32 last)
{
	struct range *more;

	if (ps->p->range_count++ == POLICY_RANGES_MAX)
		return lex_fail(&ps->lx, "more than %d ranges of ports in all services", POLICY_RANGES_MAX);
	more = realloc(to->r, (to->count + 1) * sizeof(*more));
	if (!more)
		return no_memory(ps, -ENOMEM);
	to->r = more;
	more[to->count++] = (struct range){ first, last };
	return 0;
}

/* "80,443,8000-8999": <max> at most, whose numbers in <to> begin at <base>. */
static int take_ranges(struct parser *ps, struct ranges *to, __u32 base, __u32 max, const char *what)
{
	__u32 first, last;
	int err;

	for (;;) {
		if (ps->lx.token != TOKEN_WORD || span(ps->lx.word, max, &first, &last))
			return lex_expected(&ps->lx, what);
		err = add_range(ps, to, base + first, base + last);
		if (!err)
			err = step(ps);
		if (err || ps->lx.token != TOKEN_COMMA)
			return err;
		err = step(ps);
		if (err)
			return err;
	}
}

static int take_dest(struct parser *ps)
{
	if (ps->p->dest_count++ == POLICY_DESTS_MAX)
		return lex_fail(&ps->lx, "more than %d destinations in all services", POLICY_DESTS_MAX);
	return take_prefix(ps, &ps->rule->dest, "a prefix");
}

static int take_proto(struct parser *ps, const struct proto **out)
{
	const struct proto *proto;
	int err;

	for (proto = protos; proto->name && !lex_is(&ps->lx, proto->name); proto++)
		;
	if (!proto->name)
		return lex_expected(&ps->lx, "any, tcp, udp, icmp, icmp6, fragment or protocol");
	*out = proto;
	err = step(ps);
	if (err || strcmp(proto->name, "protocol"))
		return err;
	return take_ranges(ps, &ps->rule->what, POLICY_PROTO, 255, "a protocol's number from 0 to 255");
}

static const char a_port[] = "a port from 0 to 65535, or a range such as 8000-8999";

static int take_part(struct parser *ps, const struct proto *proto)
{
	struct ranges *what = &ps->rule->what;
	int err;

	if (!proto->word || !lex_is(&ps->lx, proto->word))
		return what->count ? 0 : add_range(ps, what, proto->first, proto->last);
	err = step(ps);
	if (err)
		return err;
	if (!strcmp(proto->word, "port"))
		return take_ranges(ps, what, proto->first, 65535, a_port);
	return take_ranges(ps, what, proto->first, 255, "a type from 0 to 255, or a range such as 3-4");
}

static int take_amplifiers(struct parser *ps)
{
	int err = 0, port;
	size_t i;

	for (i = 0; (port = known_amplifier(i)) >= 0 && !err; i++)
		err = add_range(ps, &ps->rule->from, port, port);
	return err ? err : step(ps);
}

/* "from port 53,123", of UDP also "from amplifiers", or nothing. */
static int take_from(struct parser *ps, const struct proto *proto)
{
	int err;

	if (!proto->word || strcmp(proto->word, "port") || !lex_is(&ps->lx, "from"))
		return 0;
	err = step(ps);
	if (err)
		return err;
	if (proto->first == POLICY_UDP && lex_is(&ps->lx, "amplifiers"))
		return take_amplifiers(ps);
	if (!lex_is(&ps->lx, "port"))
		return lex_expected(&ps->lx, proto->first == POLICY_UDP ?
				    "port or amplifiers (for addresses there are allow, deny, trust and limit)" :
				    "port (for addresses there are allow, deny, trust and limit)");
	err = step(ps);
	return err ? err : take_ranges(ps, &ps->rule->from, 0, 65535, a_port);
}

/* "with options", or nothing. */
static int take_with(struct parser *ps)
{
	int err;

	if (!lex_is(&ps->lx, "with"))
		return 0;
	err = step(ps);
	if (err)
		return err;
	if (!lex_is(&ps->lx, "options"))
		return lex_expected(&ps->lx, "options");
	ps->rule->options = 1;
	return step(ps);
}

/* --- rates */

/* "ban 10m [after 5]" at the end, or nothing. */
static int take_ban(struct parser *ps)
{
	struct rule *r = ps->rule;
	int err;

	if (!lex_is(&ps->lx, "ban"))
		return 0;
	err = step(ps);
	if (err)
		return err;
	if (ps->lx.token != TOKEN_WORD || ban_time(ps->lx.word, strlen(ps->lx.word), &r->ban_ms) ||
	    r->ban_ms > BAN_RULE_MAX)
		return lex_expected(&ps->lx, "a time from 1s to 365d, such as 30s, 10m, 2h or 7d");
	r->ban_after = 1;
	err = step(ps);
	if (err || !lex_is(&ps->lx, "after"))
		return err;
	err = step(ps);
	if (err)
		return err;
	if (ps->lx.token != TOKEN_WORD ||
	    number(ps->lx.word, ps->lx.word + strlen(ps->lx.word), BAN_AFTER_MAX, &r->ban_after) || !r->ban_after)
		return lex_expected(&ps->lx, "a number of times from 1 to 50");
	return step(ps);
}

/* "per source [ban ...]" or "per address [ban ...]" at the end, or nothing. */
static int take_per(struct parser *ps)
{
	int err;

	if (lex_is(&ps->lx, "ban"))
		return lex_expected(&ps->lx, "\"per source\" before a ban");
	if (!lex_is(&ps->lx, "per"))
		return 0;
	err = step(ps);
	if (err)
		return err;
	if (lex_is(&ps->lx, "source"))
		ps->rule->per = POLICY_PER_NETWORK;
	else if (lex_is(&ps->lx, "address"))
		ps->rule->per = POLICY_PER_ADDRESS;
	else
		return lex_expected(&ps->lx, "source or address");
	err = step(ps);
	return err ? err : take_ban(ps);
}

static int rate_good(const struct rule *r)
{
	return r->by_bytes ? r->rate >= BYTE_RATE_MIN && r->rate <= BYTE_RATE_MAX : r->rate && r->rate <= RATE_MAX;
}

/* "burst 50" or "burst 1MB", or nothing. */
static int take_burst(struct parser *ps)
{
	const char *word = ps->lx.word;
	struct rule *r = ps->rule;
	int err, by_bytes;

	if (!lex_is(&ps->lx, "burst"))
		return 0;
	err = step(ps);
	if (err)
		return err;
	if (ps->lx.token != TOKEN_WORD || amount(word, word + strlen(word), &r->burst, &by_bytes) ||
	    by_bytes != r->by_bytes || r->burst < (by_bytes ? BYTE_BURST_MIN : 1) ||
	    r->burst > (by_bytes ? BYTE_BURST_MAX : BURST_MAX))
		return lex_expected(&ps->lx, r->by_bytes ? "a number of bytes from 64kB to 1GB" :
							   "a number of packets from 1 to 1000000");
	return step(ps);
}

/* "1000/s [burst 50] [per source [ban 10m [after 5]]]" */
static int take_rate(struct parser *ps)
{
	const char *word = ps->lx.word, *slash = strchr(word, '/');
	struct rule *r = ps->rule;
	int err;

	r->action = POLICY_LIMIT;
	if (ps->lx.token != TOKEN_WORD || !slash || strcmp(slash, "/s") ||
	    amount(word, slash, &r->rate, &r->by_bytes) || !rate_good(r))
		return lex_expected(&ps->lx, "a rate from 1/s to 10000000/s, or from 1kB/s to 10GB/s");
	err = step(ps);
	if (!err)
		err = take_burst(ps);
	return err ? err : take_per(ps);
}

static int take_action(struct parser *ps)
{
	int err;

	if (lex_is(&ps->lx, "allow")) {
		ps->rule->action = POLICY_ALLOW;
		return step(ps);
	}
	if (lex_is(&ps->lx, "deny")) {
		ps->rule->action = POLICY_DENY;
		return step(ps);
	}
	if (!lex_is(&ps->lx, "limit"))
		return lex_expected(&ps->lx, "allow, deny or limit");
	err = step(ps);
	return err ? err : take_rate(ps);
}

/* "service PROTOCOL [from ...] [to PREFIX, ...] [port RANGE, ...] [with options] ACTION [dry]" */
static int take_service(struct parser *ps)
{
	const struct proto *proto = NULL;
	int err = take_proto(ps, &proto);

	if (!err)
		err = take_from(ps, proto);
	if (!err && lex_is(&ps->lx, "to")) {
		err = step(ps);
		if (!err)
			err = take_list(ps, take_dest);
	}
	if (!err)
		err = take_part(ps, proto);
	if (!err)
		err = take_with(ps);
	if (!err)
		err = take_action(ps);
	return err ? err : rule_end(ps);
}

/* "limit SOURCE, ... rate RATE", for the others the sources only */
static int take_sources(struct parser *ps)
{
	int err = take_list(ps, take_source);

	if (!err && ps->rule->action == POLICY_LIMIT) {
		if (!lex_is(&ps->lx, "rate"))
			return lex_expected(&ps->lx, "rate, and how many packets or bytes a second");
		err = step(ps);
		if (!err)
			err = take_rate(ps);
	}
	return err ? err : rule_end(ps);
}

/* --- the file */

static int take_rule(struct parser *ps, enum policy_action action)
{
	int is_service = !action;
	int err = rule_begin(ps, action, is_service);

	if (!err)
		err = is_service ? take_service(ps) : take_sources(ps);
	ps->rule = NULL;
	return err;
}

static int take_statement(struct parser *ps)
{
	int err;

	if (lex_is(&ps->lx, "set")) {
		err = step(ps);
		return err ? err : take_set(ps);
	}
	if (lex_is(&ps->lx, "trust"))
		return take_rule(ps, POLICY_TRUST);
	if (lex_is(&ps->lx, "allow"))
		return take_rule(ps, POLICY_ALLOW);
	if (lex_is(&ps->lx, "deny"))
		return take_rule(ps, POLICY_DENY);
	if (lex_is(&ps->lx, "limit"))
		return take_rule(ps, POLICY_LIMIT);
	if (lex_is(&ps->lx, "service"))
		return take_rule(ps, 0);
	if (!lex_is(&ps->lx, "dry-run"))
		return lex_expected(&ps->lx, "set, trust, allow, deny, limit, service or dry-run");
	ps->p->dry = 1;
	return step(ps);
}

/* Reads <text>, which is in file <path>, into <p>, to be freed in any case. */
int policy_parse(struct ndiv *nd, const char *path, const char *text, size_t len, struct ndiv_policy *p)
{
	struct parser ps = { .p = p };
	int err;

	memset(p, 0, sizeof(*p));
	snprintf(p->path, sizeof(p->path), "%s", path);
	err = lex_begin(&ps.lx, nd, path, text, len);
	while (!err && ps.lx.token != TOKEN_END) {
		if (ps.lx.token == TOKEN_NEWLINE) {
			err = lex_next(&ps.lx);
			continue;
		}
		err = take_statement(&ps);
		if (!err && ps.lx.token != TOKEN_NEWLINE && ps.lx.token != TOKEN_END)
			err = lex_expected(&ps.lx, "the end of the line");
	}
	return err;
}

/* Are there rules that ban, and are not dry? */
int policy_bans(const struct ndiv_policy *p)
{
	unsigned int r;

	for (r = 1; r <= p->rule_count; r++)
		if (p->rule[r].ban_ms && !p->rule[r].dry)
			return !p->dry;
	return 0;
}

void policy_free(struct ndiv_policy *p)
{
	size_t i;

	for (i = 0; i < p->set_count; i++)
		free(p->set[i].list.p);
	free(p->set);
	for (i = 1; i <= p->rule_count; i++) {
		free(p->rule[i].dest.p);
		free(p->rule[i].what.r);
		free(p->rule[i].from.r);
	}
	free(p->source.p);
	memset(p, 0, sizeof(*p));
}

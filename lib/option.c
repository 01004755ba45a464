// SPDX-License-Identifier: GPL-2.0-only
/* option.c - "name=value" into a handler's configuration, by the table that its object carries */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

/* One option on its way into the configuration. */
struct setting {
	struct ndiv *nd;
	const struct ndiv_info *info;
	const struct ndiv_option *opt;
	const char *value;
	void *to;
};

struct shape {
	size_t size, align;
};

static struct shape option_shape(__u32 type)
{
	static const struct shape shapes[] = {
		[NDIV_OPT_U16] = { 2, 2 },
		[NDIV_OPT_U32] = { 4, 4 },
		[NDIV_OPT_BOOL] = { 1, 1 },
		[NDIV_OPT_CHOICE] = { 1, 1 },
		[NDIV_OPT_PORTS] = { sizeof(struct ndiv_ports), _Alignof(struct ndiv_ports) },
		[NDIV_OPT_PREFIXES] = { sizeof(struct ndiv_prefixes), _Alignof(struct ndiv_prefixes) },
	};
	static const struct shape none = { 0, 1 };

	return type < sizeof(shapes) / sizeof(shapes[0]) && shapes[type].size ? shapes[type] : none;
}

/* Nobody but the object's author says where an option lies: it has to lie in the section, and as its type wants it. */
static int option_lies(const struct ndiv_option *opt, size_t size)
{
	struct shape shape = option_shape(opt->type);

	return opt->offset + shape.size <= size && opt->offset % shape.align == 0;
}

/* All <len> characters of <s> are one decimal number: 0, or -EINVAL, or -ERANGE above <max>. */
static int number(const char *s, size_t len, __u32 max, __u32 *out)
{
	__u64 n = 0;
	size_t i;

	if (!len)
		return -EINVAL;
	for (i = 0; i < len; i++) {
		if (!isdigit((unsigned char)s[i]))
			return -EINVAL;
		n = n * 10 + (s[i] - '0');
		if (n > max)
			return -ERANGE;
	}
	*out = n;
	return 0;
}

static int set_number(struct setting *set)
{
	const struct ndiv_option *opt = set->opt;
	__u32 n, max = opt->max;
	__u16 n16;

	if (opt->type == NDIV_OPT_U16 && max > 65535)
		max = 65535;	/* more does not fit, whatever the table says */
	if (number(set->value, strlen(set->value), max, &n) || n < opt->min)
		return fail(set->nd, ERANGE, "%s: option %s: \"%s\" is not a number from %u to %u", set->info->name,
			    opt->name, set->value, opt->min, max);
	n16 = n;
	if (opt->type == NDIV_OPT_U16)
		memcpy(set->to, &n16, sizeof(n16));
	else
		memcpy(set->to, &n, sizeof(n));
	return 0;
}

static int set_bool(struct setting *set)
{
	int yes = !strcmp(set->value, "yes");

	if (!yes && strcmp(set->value, "no"))
		return fail(set->nd, EINVAL, "%s: option %s: \"%s\" is neither yes nor no", set->info->name,
			    set->opt->name, set->value);
	*(__u8 *)set->to = yes;
	return 0;
}

static int set_choice(struct setting *set)
{
	char words[sizeof(set->opt->choices)], *rest = words, *word;
	__u8 i;

	memcpy(words, set->opt->choices, sizeof(words));
	words[sizeof(words) - 1] = 0;
	for (i = 0; (word = strsep(&rest, ",")); i++) {
		if (!strcmp(word, set->value)) {
			*(__u8 *)set->to = i;
			return 0;
		}
	}
	return fail(set->nd, EINVAL, "%s: option %s: \"%s\" is none of %s", set->info->name, set->opt->name, set->value,
		    set->opt->choices);
}

static int set_ports(struct setting *set)
{
	size_t first = strcspn(set->value, "-");
	const char *last = set->value[first] ? set->value + first + 1 : set->value;
	struct ndiv_ports *ports = set->to;
	__u32 lo, hi;

	if (number(set->value, first, 65535, &lo) || number(last, strlen(last), 65535, &hi) || lo < 1 || lo > hi)
		return fail(set->nd, ERANGE,
			    "%s: option %s: \"%s\" is neither a port from 1 to 65535 nor a range such as "
			    "8000-8999",
			    set->info->name, set->opt->name, set->value);
	ports->lo = lo;
	ports->hi = hi;
	return 0;
}

/* <word> is "address" or "address/length". Returns 4 or 6, or 0. */
static int parse_prefix(const char *word, struct ndiv_prefix *p)
{
	char text[64], *slash;
	__u32 bits, max;
	int family, i;

	if ((size_t)snprintf(text, sizeof(text), "%s", word) >= sizeof(text))
		return 0;
	slash = strchr(text, '/');
	if (slash)
		*slash++ = 0;
	memset(p, 0, sizeof(*p));
	family = strchr(text, ':') ? AF_INET6 : AF_INET;
	max = family == AF_INET6 ? 128 : 32;
	bits = max;
	if (inet_pton(family, text, p->addr) != 1 || (slash && number(slash, strlen(slash), max, &bits)))
		return 0;
	for (i = 0; i < 4; i++) {
		if (bits >= 32U * (i + 1))
			p->mask[i] = 0xffffffff;
		else if (bits > 32U * i)
			p->mask[i] = htonl(~0U << (32 * (i + 1) - bits));
		p->addr[i] &= p->mask[i];
	}
	return family == AF_INET6 ? 6 : 4;
}

static int set_prefixes(struct setting *set)
{
	struct ndiv_prefix four[NDIV_PREFIXES_MAX], six[NDIV_PREFIXES_MAX], p;
	char text[512], *rest = text, *word;
	struct ndiv_prefixes all = {};
	int family;

	if (strlen(set->value) >= sizeof(text))
		return fail(set->nd, ERANGE, "%s: option %s: too long: %zu characters at most", set->info->name,
			    set->opt->name, sizeof(text) - 1);
	strcpy(text, set->value);
	while (*text && (word = strsep(&rest, ","))) {
		if (all.count4 + all.count6 == NDIV_PREFIXES_MAX)
			return fail(set->nd, ERANGE, "%s: option %s: more than %d prefixes", set->info->name,
				    set->opt->name, NDIV_PREFIXES_MAX);
		family = parse_prefix(word, &p);
		if (!family)
			return fail(set->nd, EINVAL,
				    "%s: option %s: \"%s\" in \"%s\" is no prefix such as 192.0.2.0/24 or "
				    "2001:db8::/32",
				    set->info->name, set->opt->name, word, set->value);
		if (family == 4)
			four[all.count4++] = p;
		else
			six[all.count6++] = p;
	}
	memcpy(all.list, four, all.count4 * sizeof(p));
	memcpy(all.list + all.count4, six, all.count6 * sizeof(p));
	memcpy(set->to, &all, sizeof(all));
	return 0;
}

static int set_option(struct setting *set)
{
	switch (set->opt->type) {
	case NDIV_OPT_U16:
	case NDIV_OPT_U32:
		return set_number(set);
	case NDIV_OPT_BOOL:
		return set_bool(set);
	case NDIV_OPT_CHOICE:
		return set_choice(set);
	case NDIV_OPT_PORTS:
		return set_ports(set);
	case NDIV_OPT_PREFIXES:
		return set_prefixes(set);
	}
	return fail(set->nd, EINVAL, "%s: option %s has the unknown type %u: the object was built for another ndiv",
		    set->info->name, set->opt->name, set->opt->type);
}

static const struct ndiv_option *find(const struct ndiv_info *info, const char *name)
{
	size_t i;

	for (i = 0; i < NDIV_OPTIONS_MAX && info->options[i].type; i++)
		if (!strcmp(info->options[i].name, name))
			return &info->options[i];
	return NULL;
}

static int unknown(struct ndiv *nd, const struct ndiv_info *info, const char *name)
{
	char known[512] = "";
	size_t i, n = 0;

	for (i = 0; i < NDIV_OPTIONS_MAX && info->options[i].type && n < sizeof(known); i++)
		n += snprintf(known + n, sizeof(known) - n, "%s%s", i ? ", " : "", info->options[i].name);
	return fail(nd, EINVAL, "%s: unknown option \"%s\"; %s%s", info->name, name, n ? "it has " : "it has none",
		    known);
}

/* Sets one "name=value" in <config>, which has <size> bytes. Changes <text>. */
static int apply_one(struct ndiv *nd, const struct ndiv_info *info, void *config, size_t size, char *text)
{
	struct setting set = { .nd = nd, .info = info };
	char *eq = strchr(text, '=');

	if (!eq)
		return fail(nd, EINVAL, "%s: \"%s\" is no option: write name=value", info->name, text);
	*eq = 0;
	set.value = eq + 1;
	set.opt = find(info, text);
	if (!set.opt)
		return unknown(nd, info, text);
	if (!option_lies(set.opt, size))
		return fail(nd, EINVAL,
			    "%s: option %s lies at %u, which is not aligned or outside of section .rodata.config "
			    "(%zu bytes)",
			    info->name, text, set.opt->offset, size);
	set.to = (char *)config + set.opt->offset;
	return set_option(&set);
}

/*
 * <opts>: as option_join() makes them. <config>: the object's initial configuration, up to CONFIG_MAX bytes; if one
 * option is refused, none is set.
 */
int option_apply(struct ndiv *nd, const struct ndiv_info *info, void *config, size_t size, const char *opts)
{
	char text[NDIV_OPTS_LEN], *rest = text, *word;
	_Alignas(8) char work[CONFIG_MAX];
	int err = 0;

	if ((size_t)snprintf(text, sizeof(text), "%s", opts) >= sizeof(text))
		return fail(nd, E2BIG, "%s: options longer than %zu bytes altogether", info->name, sizeof(text) - 1);
	if (size)
		memcpy(work, config, size);
	while (!err && (word = strsep(&rest, " ")))
		if (*word)
			err = apply_one(nd, info, work, size, word);
	if (!err && size)
		memcpy(config, work, size);
	return err;
}

/* The word of <choices> with number <i>, into <buf>. */
static void choice_text(const char *choices, unsigned int i, char *buf, size_t len)
{
	while (i-- && choices)
		choices = strchr(choices, ',') ? strchr(choices, ',') + 1 : NULL;
	if (choices)
		snprintf(buf, len, "%.*s", (int)strcspn(choices, ","), choices);
}

/* The value that <config> holds for <opt>, as it would be set; "" if there is none, or a list. */
void option_text(const struct ndiv_option *opt, const void *config, size_t size, char *buf, size_t len)
{
	const char *at = (const char *)config + opt->offset;
	struct ndiv_ports ports;
	__u16 n16;
	__u32 n32;

	*buf = 0;
	if (!opt->type || !config || !option_lies(opt, size))
		return;
	switch (opt->type) {
	case NDIV_OPT_U16:
		memcpy(&n16, at, sizeof(n16));
		snprintf(buf, len, "%u", n16);
		break;
	case NDIV_OPT_U32:
		memcpy(&n32, at, sizeof(n32));
		snprintf(buf, len, "%u", n32);
		break;
	case NDIV_OPT_BOOL:
		snprintf(buf, len, "%s", *at ? "yes" : "no");
		break;
	case NDIV_OPT_CHOICE:
		choice_text(opt->choices, *(const __u8 *)at, buf, len);
		break;
	case NDIV_OPT_PORTS:
		memcpy(&ports, at, sizeof(ports));
		snprintf(buf, len, ports.lo == ports.hi ? "%u" : "%u-%u", ports.lo, ports.hi);
		break;
	}
}

/* Would <opts> be taken? Before anything is changed. */
int option_check(struct ndiv *nd, const struct ndiv_info *info, const char *opts)
{
	char config[CONFIG_MAX] = {};

	return option_apply(nd, info, config, sizeof(config), opts);
}

static int same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return n == strcspn(b, "=") && !strncmp(a, b, n);
}

static int append(struct ndiv *nd, char *buf, size_t len, const char *opt)
{
	size_t n = strlen(buf);

	if (n + !!n + strlen(opt) >= len)
		return fail(nd, E2BIG, "options longer than %zu bytes altogether", len - 1);
	snprintf(buf + n, len - n, "%s%s", n ? " " : "", opt);
	return 0;
}

static int is_given(const char *opt, const char *const *opts, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (same_name(opt, opts[i]))
			return 1;
	return 0;
}

/* One of those that are given, as it stands. */
static int well_formed(struct ndiv *nd, const char *opt)
{
	if (!*opt)
		return fail(nd, EINVAL, "an option is empty: write name=value");
	if (strpbrk(opt, " \t\n"))
		return fail(nd, EINVAL, "option \"%s\" has a blank in it", opt);
	return 0;
}

/* Into <buf>: those of <old> ("a=1 b=2") that are not given anew, then the new ones; the last one of a name counts. */
int option_join(struct ndiv *nd, const char *old, const char *const *opts, size_t count, char *buf, size_t len)
{
	char text[NDIV_OPTS_LEN], all[NDIV_OPTS_LEN] = "", *rest = text, *word;
	size_t i;
	int err = 0;

	if (len > sizeof(all))
		len = sizeof(all);
	snprintf(text, sizeof(text), "%s", old);
	while (!err && (word = strsep(&rest, " ")))
		if (*word && !is_given(word, opts, count))
			err = append(nd, all, len, word);
	for (i = 0; !err && i < count; i++) {
		err = well_formed(nd, opts[i]);
		if (!err && !is_given(opts[i], opts + i + 1, count - i - 1))
			err = append(nd, all, len, opts[i]);
	}
	if (!err)
		memcpy(buf, all, strlen(all) + 1);
	return err;
}

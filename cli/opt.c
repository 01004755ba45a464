// SPDX-License-Identifier: GPL-2.0-only
/* opt.c - tables that describe a command: parsing, usage and help */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "cmd.h"
#include "opt.h"

#define WIDTH  80 /* of usage and help */
#define COLUMN 24 /* where the help of an option begins */

static const struct opt help_row = { 'h', "help", OPT_FLAG, 0, NULL, "print this help", 0, 0, NULL };

/* --- values */

int parse_number(const char *text, int64_t min, int64_t max, int64_t *out)
{
	const char *digits = text + (*text == '-');
	int64_t value;

	if (!*digits || strspn(digits, "0123456789") != strlen(digits))
		return -EINVAL;
	errno = 0;
	value = strtoll(text, NULL, 10);
	if (errno || value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

/* 2, 0.5, .5 or 1.25: into milliseconds. */
static int parse_seconds(const char *text, int64_t min, int64_t max, int64_t *out)
{
	size_t whole = strcspn(text, ".");
	const char *fraction = text[whole] ? text + whole + 1 : "";
	char digits[24];
	int64_t value;
	int err;

	if (whole > 12 || strlen(fraction) > 3 || !text[0] || (text[whole] && !*fraction))
		return -EINVAL;
	/* the fraction, filled with zeros to three digits */
	snprintf(digits, sizeof(digits), "%.*s%s%.*s", (int)whole, text, fraction, 3 - (int)strlen(fraction), "000");
	err = parse_number(digits, 0, INT64_MAX, &value);
	if (err)
		return err;
	if (value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

/* "0 to 14": what is allowed, in the unit in which it is given. */
static void range_text(const struct opt *opt, char *buf, size_t len)
{
	if (opt->type == OPT_SECONDS)
		snprintf(buf, len, "%g to %g", opt->min / 1000.0, opt->max / 1000.0);
	else
		snprintf(buf, len, "%" PRId64 " to %" PRId64, opt->min, opt->max);
}

static int choice_find(const struct opt *opt, const char *text)
{
	int i;

	for (i = 0; opt->choices[i]; i++)
		if (!strcmp(opt->choices[i], text))
			return i;
	return -EINVAL;
}

static void choice_list(const struct opt *opt, char *buf, size_t len)
{
	size_t used = 0;
	int i;

	for (i = 0; opt->choices[i] && used < len; i++)
		used += snprintf(buf + used, len - used, "%s%s", i ? "|" : "", opt->choices[i]);
}

static int set_choice(const struct cmd *cmd, const struct opt *opt, const char *text, int *out)
{
	char list[80];
	int i = choice_find(opt, text);

	if (i < 0) {
		choice_list(opt, list, sizeof(list));
		return opt_error(cmd, "--%s: \"%s\" is none of %s", opt->name, text, list);
	}
	*out = i;
	return 0;
}

/* 0 or EXIT_USAGE. */
static int set_value(const struct cmd *cmd, void *values, const struct opt *opt, const char *text)
{
	void *at = (char *)values + opt->offset;
	char range[64];
	int err = 0;

	switch (opt->type) {
	case OPT_FLAG:
		++*(int *)at;
		break;
	case OPT_TEXT:
		*(const char **)at = text;
		break;
	case OPT_CHOICE:
		return set_choice(cmd, opt, text, at);
	case OPT_NUMBER:
		err = parse_number(text, opt->min, opt->max, at);
		break;
	case OPT_SECONDS:
		err = parse_seconds(text, opt->min, opt->max, at);
		break;
	}
	if (!err)
		return 0;
	range_text(opt, range, sizeof(range));
	return opt_error(cmd, "--%s: \"%s\" is %s; it has to be from %s", opt->name, text,
			 err == -ERANGE ? "out of range" : "not a number", range);
}

/* --- parsing */

static const struct opt *find(const struct cmd *cmd, const char *name, size_t len, char letter)
{
	const struct opt *opt;

	for (opt = cmd->opts; opt && opt->name; opt++)
		if (letter ? opt->letter == letter : strlen(opt->name) == len && !memcmp(opt->name, name, len))
			return opt;
	if (letter ? letter == help_row.letter : len == strlen(help_row.name) && !memcmp(name, help_row.name, len))
		return &help_row;
	return NULL;
}

const struct opt *opt_find(const struct cmd *cmd, const char *word)
{
	if (word[0] != '-' || !word[1])
		return NULL;
	if (word[1] == '-')
		return word[2] ? find(cmd, word + 2, strcspn(word + 2, "="), 0) : NULL;
	return find(cmd, NULL, 0, word[1]);
}

/* Options of ndiv itself are easily put in the wrong place. */
static const char *before_command(const struct cmd *cmd, const struct opt *global)
{
	return cmd != &cmd_ndiv && global && global != &help_row ? ": it goes before the command" : "";
}

/* --name, --name=value, --name value. Returns how many words it took, or OPT_BAD or OPT_HELP. */
static int parse_long(const struct cmd *cmd, void *values, char **word)
{
	const struct opt *opt = opt_find(cmd, word[0]);
	const char *value = strchr(word[0], '=');

	if (!opt)
		return opt_error(cmd, "unknown option %s%s", word[0],
				 before_command(cmd, opt_find(&cmd_ndiv, word[0]))),
		       OPT_BAD;
	if (opt == &help_row)
		return OPT_HELP;
	if (opt->type == OPT_FLAG) {
		if (value)
			return opt_error(cmd, "--%s takes no value", opt->name), OPT_BAD;
		return set_value(cmd, values, opt, NULL) ? OPT_BAD : 1;
	}
	if (value)
		return set_value(cmd, values, opt, value + 1) ? OPT_BAD : 1;
	if (!word[1])
		return opt_error(cmd, "--%s needs a value", opt->name), OPT_BAD;
	return set_value(cmd, values, opt, word[1]) ? OPT_BAD : 2;
}

/* -x, several flags in one word, -xVALUE, -x VALUE. Returns as parse_long(). */
static int parse_short(const struct cmd *cmd, void *values, char **word)
{
	const struct opt *opt;
	const char *p;

	for (p = word[0] + 1; *p; p++) {
		opt = find(cmd, NULL, 0, *p);
		if (!opt)
			return opt_error(cmd, "unknown option -%c%s", *p,
					 before_command(cmd, find(&cmd_ndiv, NULL, 0, *p))),
			       OPT_BAD;
		if (opt == &help_row)
			return OPT_HELP;
		if (opt->type != OPT_FLAG) {
			if (p[1])
				return set_value(cmd, values, opt, p + 1) ? OPT_BAD : 1;
			if (!word[1])
				return opt_error(cmd, "-%c needs a value", *p), OPT_BAD;
			return set_value(cmd, values, opt, word[1]) ? OPT_BAD : 2;
		}
		set_value(cmd, values, opt, NULL);
	}
	return 1;
}

/* Are <count> arguments what the table asks for? */
static int check_count(const struct cmd *cmd, int count, char **args)
{
	const struct arg *arg = cmd->args;
	int i = 0;

	for (; arg && arg->kind; arg++) {
		if (i >= count)
			return arg->optional ? count : (opt_error(cmd, "%s is missing", arg->name), OPT_BAD);
		i = arg->many ? count : i + 1;
	}
	if (i < count)
		return opt_error(cmd, "\"%s\" is one argument too many", args[i]), OPT_BAD;
	return count;
}

int opt_parse(const struct cmd *cmd, void *values, int argc, char **argv, int first_only)
{
	int i, took, count = 0, plain = 0;

	for (i = 1; i < argc; i += took) {
		took = 1;
		if (plain || argv[i][0] != '-' || !argv[i][1]) {
			plain |= first_only;
			argv[count++] = argv[i];
		} else if (!strcmp(argv[i], "--")) {
			plain = 1;
		} else {
			took = (argv[i][1] == '-' ? parse_long : parse_short)(cmd, values, argv + i);
			if (took < 0)
				return took;
		}
	}
	argv[count] = NULL;
	return check_count(cmd, count, argv);
}

/* --- usage and help */

/* Puts <word> into the line, or into the next one, which is indented by <indent>. Returns the new column. */
static int put(FILE *f, int column, int indent, const char *word)
{
	int len = strlen(word);

	if (column + 1 + len > WIDTH && column > indent) {
		fprintf(f, "\n%*s", indent, "");
		column = indent;
	}
	fprintf(f, "%s%s", column > indent ? " " : "", word);
	return column + len + (column > indent);
}

/* "--at N" or "-n NETNS" or "--mode native|generic" */
static void opt_word(const struct opt *opt, int longname, char *buf, size_t len)
{
	char list[80] = "";

	if (opt->type == OPT_CHOICE)
		choice_list(opt, list, sizeof(list));
	else if (opt->arg)
		snprintf(list, sizeof(list), "%s", opt->arg);
	if (opt->letter && !longname)
		snprintf(buf, len, "-%c%s%s", opt->letter, *list ? " " : "", list);
	else
		snprintf(buf, len, "--%s%s%s", opt->name, *list ? " " : "", list);
}

void opt_usage(FILE *f, const struct cmd *cmd)
{
	const struct arg *arg;
	const struct opt *opt;
	char inner[120], word[128];
	int column, indent, top = !strcmp(cmd->name, "ndiv");

	indent = fprintf(f, "Usage: ndiv%s%s", top ? "" : " ", top ? "" : cmd->name) + 1;
	fputc(' ', f);
	column = indent;
	for (opt = cmd->opts; opt && opt->name; opt++) {
		opt_word(opt, 0, inner, sizeof(inner));
		snprintf(word, sizeof(word), "[%s]", inner);
		column = put(f, column, indent, word);
	}
	for (arg = cmd->args; arg && arg->kind; arg++) {
		snprintf(word, sizeof(word), arg->optional ? "[%s%s]" : "%s%s", arg->name, arg->many ? " ..." : "");
		column = put(f, column, indent, word);
	}
	fputc('\n', f);
}

/* Words of <text>, wrapped at <indent>, beginning in <column>. */
static void wrap(FILE *f, int column, int indent, const char *text)
{
	char word[64];
	int n;

	while (sscanf(text, "%63s%n", word, &n) == 1) {
		column = put(f, column, indent, word);
		text += n;
	}
	fputc('\n', f);
}

static void help_option(FILE *f, const struct opt *opt)
{
	int number = opt->type == OPT_NUMBER || opt->type == OPT_SECONDS, column;
	char word[120], text[320], range[64] = "";

	opt_word(opt, 1, word, sizeof(word));
	if (number)
		range_text(opt, range, sizeof(range));
	if (opt->letter)
		column = fprintf(f, "  -%c, %s", opt->letter, word);
	else
		column = fprintf(f, "      %s", word);
	if (column + 1 >= COLUMN) {
		fputc('\n', f);
		column = 0;
	}
	fprintf(f, "%*s", COLUMN - column, "");
	snprintf(text, sizeof(text), number ? "%s (%s)" : "%s%s", opt->help, range);
	wrap(f, COLUMN, COLUMN, text);
}

void opt_help(FILE *f, const struct cmd *cmd)
{
	const struct opt *opt;

	opt_usage(f, cmd);
	fprintf(f, "\n%s\n\nOptions:\n", cmd->about);
	for (opt = cmd->opts; opt && opt->name; opt++)
		help_option(f, opt);
	help_option(f, &help_row);
	if (cmd->text)
		fprintf(f, "\n%s", cmd->text);
}

int opt_error(const struct cmd *cmd, const char *fmt, ...)
{
	int top = !strcmp(cmd->name, "ndiv");
	va_list ap;

	fprintf(stderr, "ndiv%s%s: ", top ? "" : " ", top ? "" : cmd->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	opt_usage(stderr, cmd);
	return EXIT_USAGE;
}

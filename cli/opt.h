/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * opt.h - tables that describe a command: parsing, usage, --help and completion all read them
 */
#ifndef NDIV_OPT_H
#define NDIV_OPT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define EXIT_USAGE 2 /* beside EXIT_SUCCESS and EXIT_FAILURE */

enum opt_type {
	OPT_FLAG = 0, /* int: how often it was given */
	OPT_NUMBER, /* int64_t */
	OPT_SECONDS, /* int64_t: milliseconds; given in seconds: 1 or 0.25 */
	OPT_CHOICE, /* int: index of the word in <choices> */
	OPT_TEXT, /* const char * */
};

/* One option. A table ends with a row without name. */
struct opt {
	char letter; /* 0: none */
	const char *name;
	enum opt_type type;
	size_t offset; /* of the value in the command's structure of options */
	const char *arg; /* what usage calls the value */
	const char *help;
	int64_t min, max; /* of numbers, and of seconds in milliseconds */
	const char *const *choices; /* ends with NULL */
};

/* What an argument is: tells completion what to offer. */
enum arg_kind {
	ARG_NONE = 0, /* end of the table */
	ARG_IF, /* an interface */
	ARG_OUR_IF, /* one to which ndiv is attached */
	ARG_HANDLER, /* a handler that comes with ndiv, or an object */
	ARG_ATTACHED, /* a handler attached to the interface named before */
	ARG_OPTION, /* NAME=VALUE for the handler named before */
	ARG_SETTING, /* NAME=VALUE for the interface */
	ARG_CONTENT, /* what to do with httpd's files */
	ARG_SHIELD, /* what to do with shield */
	ARG_SHIELD_OPTION, /* NAME=VALUE for shield */
	ARG_FILE, /* a file or directory */
	ARG_COMMAND,
	ARG_WORD, /* anything */
};

struct arg {
	enum arg_kind kind;
	const char *name;
	int optional;
	int many; /* the last one only: any number of them */
};

struct cmd {
	const char *name;
	const char *about; /* one line */
	const char *text; /* the rest of --help; NULL: none */
	const struct arg *args; /* NULL: none */
	const struct opt *opts; /* NULL: none */
	size_t size; /* of the structure of options, up to OPT_VALUES */
	const void *defaults; /* what is in it before parsing; NULL: zeros */
	int hidden; /* not in listings */
	const struct cmd *const *subs; /* commands that its first argument names, "NAME SUB"; ends with NULL; or NULL */
	/* <opts>: the structure; <argv>: <argc> arguments, as many as <args> allows, then NULL. Returns an exit status.
	 */
	int (*run)(const void *opts, int argc, char **argv);
};

#define OPT_VALUES 256

/* What opt_parse() returns other than the number of arguments. */
#define OPT_HELP (-1)
#define OPT_BAD  (-2)

/*
 * Parses the words behind argv[0]. Options fill <values>; what is left, the arguments, is moved to the front of <argv>
 * (from argv[0] on) and ended with NULL. <first_only>: parsing ends at the first argument, and all from there on is
 * left. Returns the number of arguments, OPT_HELP if help was asked for (nothing is printed), or OPT_BAD after a
 * message on stderr.
 */
int opt_parse(const struct cmd *cmd, void *values, int argc, char **argv, int first_only);

/* The row for <word> ("-x", "--name" or "--name=value"), or NULL. The row for --help is in no table, and is found. */
const struct opt *opt_find(const struct cmd *cmd, const char *word);

void opt_usage(FILE *f, const struct cmd *cmd);
void opt_help(FILE *f, const struct cmd *cmd);

/* Prints "ndiv COMMAND: ..." and the usage to stderr. Returns EXIT_USAGE. */
int opt_error(const struct cmd *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The whole of <text> has to be a decimal number from <min> to <max>. 0, -EINVAL or -ERANGE; <*out> is set on success.
 */
int parse_number(const char *text, int64_t min, int64_t max, int64_t *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * out.h - what goes to standard output: tables and lines for people, JSON for programs
 *
 * Nothing here reports a failed write: out_close() (or out_flush(), on the way) does, for all of them.
 */
#ifndef NDIV_OUT_H
#define NDIV_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* malloc() of zeros that ends the process with a message when there is no memory. */
void *out_alloc(size_t size);
void *out_realloc(void *p, size_t size);

/* One line. Control characters, which an object's strings or a file's name may hold, become '?'. */
void out_line(FILE *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Comes first of all. */
void out_begin(void);

/*
 * 0, or -1 after a message if stdout cannot be written. out_close() comes last of all: if nobody reads what was
 * written, it ends the process by SIGPIPE.
 */
int out_flush(void);
int out_close(void);

/* <value> in few characters: 999, 12.3k, 4.56M. Returns <buf>. */
#define OUT_SHORT 16
const char *out_short(char *buf, double value);

/* --- tables */

/* Cells are kept until the table is printed, when the widths are known. */
struct tab {
	const char *align; /* a letter for each column: l left, r right */
	size_t columns;
	size_t count; /* of cells */
	char **cell;
};

/* <align> is kept, not copied. */
void tab_begin(struct tab *t, const char *align);
/* The next cell, row by row. */
void tab_cell(struct tab *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* All cells of a row that are given in one text, separated by '|'. */
void tab_head(struct tab *t, const char *text);
size_t tab_rows(const struct tab *t);
/* Prints each row, indented by <indent> blanks, and frees. */
void tab_end(struct tab *t, FILE *f, int indent);
/* Frees without printing. */
void tab_drop(struct tab *t);

/* --- JSON */

struct json {
	FILE *f;
	int pretty; /* one value a line, indented; else all in one line */
	int depth;
	int first; /* nothing has been written at this depth */
};

/* Each writes one value. <key>: its name in an object; NULL in an array and at the top. */
void json_begin(struct json *j, FILE *f, int pretty);
void json_open(struct json *j, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *j, char bracket); /* '}' or ']' */
void json_text(struct json *j, const char *key, const char *text); /* NULL: null */
void json_uint(struct json *j, const char *key, uint64_t value);
void json_real(struct json *j, const char *key, double value); /* null if it is no finite number */
void json_time(struct json *j, const char *key, uint64_t ns); /* in seconds, to the microsecond */
void json_bool(struct json *j, const char *key, int value);
void json_end(struct json *j);

#endif

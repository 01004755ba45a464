// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_lex.c - a policy's file, word by word
 *
 * Words are separated by blanks; commas and braces are words of their own; a '#' begins a comment that goes on to the
 * end of the line. Whatever comes in is plain text, or refused.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "policy.h"

/* --- messages: FILE:LINE:COLUMN: ... */

int lex_fail(const struct lexer *lx, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return fail(lx->nd, EINVAL, "%s:%u:%u: %s", lx->path, lx->at_line, lx->at_column, text);
}

/* What stands there instead of <what>. */
int lex_expected(const struct lexer *lx, const char *what)
{
	switch (lx->token) {
	case TOKEN_END:
		return lex_fail(lx, "expected %s, found the end of the file", what);
	case TOKEN_NEWLINE:
		return lex_fail(lx, "expected %s, found the end of the line", what);
	case TOKEN_STRING:
		return lex_fail(lx, "expected %s, found the text \"%s\"", what, lx->word);
	default:
		return lex_fail(lx, "expected %s, found \"%s\"", what, lx->word);
	}
}

/* --- characters */

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Those that words are made of: printable ones, but for the marks. */
static int is_plain(char c)
{
	return c > ' ' && c < 0x7f && !strchr("{},#\"", c);
}

static int more(const struct lexer *lx)
{
	return lx->pos < lx->len;
}

static void skip_blanks(struct lexer *lx)
{
	while (more(lx) && is_blank(lx->text[lx->pos]))
		lx->pos++;
	if (more(lx) && lx->text[lx->pos] == '#')
		while (more(lx) && lx->text[lx->pos] != '\n')
			lx->pos++;
}

/* --- tokens */

static int take_mark(struct lexer *lx, enum token token)
{
	lx->token = token;
	lx->word[0] = lx->text[lx->pos++];
	lx->word[1] = 0;
	if (token == TOKEN_NEWLINE) {
		lx->line++;
		lx->line_pos = lx->pos;
	}
	return 0;
}

static int take_word(struct lexer *lx)
{
	size_t n = 0;

	lx->token = TOKEN_WORD;
	while (more(lx) && is_plain(lx->text[lx->pos])) {
		if (n == POLICY_WORD_MAX - 1)
			return lex_fail(lx, "a word is longer than %d characters", POLICY_WORD_MAX - 1);
		lx->word[n++] = lx->text[lx->pos++];
	}
	lx->word[n] = 0;
	return 0;
}

/* Anything printable up to the other quote, UTF-8 included. */
static int take_string(struct lexer *lx)
{
	size_t n = 0;
	char c;

	lx->token = TOKEN_STRING;
	for (lx->pos++; more(lx); lx->pos++) {
		c = lx->text[lx->pos];
		if (c == '"') {
			lx->pos++;
			lx->word[n] = 0;
			return 0;
		}
		if ((unsigned char)c < ' ' || c == 0x7f)
			break;
		if (n == POLICY_WORD_MAX - 1)
			return lex_fail(lx, "a text is longer than %d characters", POLICY_WORD_MAX - 1);
		lx->word[n++] = c;
	}
	return lex_fail(lx, "the text that begins here has no end on its line: expected \"");
}

/* The next token. 0, or -EINVAL. */
int lex_next(struct lexer *lx)
{
	char c;

	skip_blanks(lx);
	lx->at_line = lx->line;
	lx->at_column = lx->pos - lx->line_pos + 1;
	if (!more(lx)) {
		lx->token = TOKEN_END;
		lx->word[0] = 0;
		return 0;
	}
	c = lx->text[lx->pos];
	switch (c) {
	case '\n':
		return take_mark(lx, TOKEN_NEWLINE);
	case '{':
		return take_mark(lx, TOKEN_OPEN);
	case '}':
		return take_mark(lx, TOKEN_CLOSE);
	case ',':
		return take_mark(lx, TOKEN_COMMA);
	case '"':
		return take_string(lx);
	}
	if (is_plain(c))
		return take_word(lx);
	return lex_fail(lx, "the character 0x%02x has no place outside of comments and texts", (unsigned char)c);
}

int lex_begin(struct lexer *lx, struct ndiv *nd, const char *path, const char *text, size_t len)
{
	memset(lx, 0, sizeof(*lx));
	lx->nd = nd;
	lx->path = path;
	lx->text = text;
	lx->len = len;
	lx->line = 1;
	return lex_next(lx);
}

int lex_is(const struct lexer *lx, const char *word)
{
	return lx->token == TOKEN_WORD && !strcmp(lx->word, word);
}

/* --- files */

static int read_all(int fd, char *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = read(fd, buf + done, len - done);
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += n;
	}
	return 0;
}

/* The whole of <path>, to be freed. */
int file_load(struct ndiv *nd, const char *path, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err = 0;
	struct stat st;
	char *buf = NULL;

	if (fd < 0 || fstat(fd, &st)) {
		err = fail(nd, errno, "cannot read %s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		err = fail(nd, EINVAL, "%s is no file", path);
	} else if (st.st_size > POLICY_FILE_MAX) {
		err = fail(nd, EFBIG, "%s has %lld bytes: more than %u", path, (long long)st.st_size, POLICY_FILE_MAX);
	} else {
		buf = malloc(st.st_size + 1);
		err = buf ? read_all(fd, buf, st.st_size) : -ENOMEM;
		if (err)
			err = fail(nd, -err, "cannot read %s: %s", path, strerror(-err));
	}
	if (fd >= 0)
		close(fd);
	if (err) {
		free(buf);
		return err;
	}
	*text = buf;
	*len = st.st_size;
	return 0;
}

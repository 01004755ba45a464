/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy.h - shield's policy, from the file to the kernel
 *
 *	policy_lex.c	the file, word by word
 *	policy_prefix.c	prefixes, and files of them
 *	policy_known.c	sets of them that need not be defined
 *	policy_parse.c	statements: sets, rules
 *	policy_trie.c	prefixes into the lines of a trie
 *	policy_cells.c	services into rows, columns and cells
 *	policy_image.c	all of it as the kernel has it: handlers/shield/policy.h
 *	policy_load.c	into the maps, and out of them
 */
#ifndef NDIV_LIB_POLICY_H
#define NDIV_LIB_POLICY_H

#include <ndiv/shield.h>
#include "../handlers/shield/policy.h"
#include "shield.h"

#define POLICY_FILE_MAX		(256U << 20)	/* bytes of a file */
#define POLICY_WORD_MAX		256
#define POLICY_NAME_MAX		32
#define POLICY_SETS_MAX		256
#define POLICY_PREFIXES_MAX	(16U << 20)
#define POLICY_DESTS_MAX	4096		/* prefixes of destinations, in all services */
#define POLICY_RANGES_MAX	4096		/* ranges of ports, likewise */
#define POLICY_LINES_MAX	(12U << 20)	/* 768 MB */
#define POLICY_CELLS_MAX	(1U << 20)

/* --- policy_lex.c */

enum token {
	TOKEN_END,		/* of the file */
	TOKEN_NEWLINE,
	TOKEN_WORD,
	TOKEN_STRING,		/* in quotes */
	TOKEN_OPEN,		/* { */
	TOKEN_CLOSE,
	TOKEN_COMMA,
};

struct lexer {
	struct ndiv *nd;	/* for messages */
	const char *path;
	const char *text;
	size_t	len, pos;
	size_t	line_pos;	/* where the current line begins */
	unsigned int line;
	/* the token at hand */
	enum token token;
	unsigned int at_line, at_column;
	char	word[POLICY_WORD_MAX];
};

int	lex_begin(struct lexer *lx, struct ndiv *nd, const char *path, const char *text, size_t len);
int	lex_next(struct lexer *lx);
int	lex_fail(const struct lexer *lx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int	lex_expected(const struct lexer *lx, const char *what);
int	lex_is(const struct lexer *lx, const char *word);
int	file_load(struct ndiv *nd, const char *path, char **text, size_t *len);

/* --- policy_prefix.c */

/* The first 32 bits are an IPv4 address. */
struct prefix {
	__u64	hi, lo;
	__u16	rule;		/* sources: which one it belongs to */
	__u8	len;
	__u8	v6;
	__u32	value;		/* of a trie's input: what addresses have that it is the longest prefix of */
};

struct prefixes {
	struct prefix *p;
	size_t	count, room;
};

const char *prefix_parse(const char *word, size_t len, struct prefix *p);
int	prefix_before(const struct prefix *a, const struct prefix *b);
int	prefixes_add(struct prefixes *list, const struct prefix *p);
int	prefixes_parse(struct ndiv *nd, const char *path, const char *text, size_t len, struct prefixes *list);
int	prefixes_read(struct ndiv *nd, const char *path, struct prefixes *list);
__u64	prefixes_hash(const struct prefixes *list);

/* --- policy_known.c */
const char *const *known_set(const char *name);
int	known_amplifier(size_t i);

/* --- policy_parse.c */

struct set {
	char	name[POLICY_NAME_MAX];
	struct prefixes list;
};

struct range {
	__u32	first, last;
};

struct ranges {
	struct range *r;
	size_t	count;
};

struct rule {
	enum policy_action action;
	int	dry;
	unsigned int line;
	int	is_service;
	/* POLICY_LIMIT: packets or bytes a second, packets or bytes; burst 0: not given */
	__u64	rate, burst;
	int	by_bytes;
	enum policy_per per;
	__u64	ban_ms;		/* of sources that exceed it; 0: none */
	__u64	ban_after;	/* by the how manieth time */
	/* services */
	struct prefixes dest;	/* none: any */
	struct ranges what;	/* selectors: enum policy_selector */
	struct ranges from;	/* source ports; none: any */
	int	options;	/* packets with IP options only */
	char	text[sizeof(((struct policy_text *)NULL)->text)];
};

struct ndiv_policy {
	char	path[POLICY_FROM];
	int	dry;		/* the whole of it */
	struct set *set;
	size_t	set_count;
	struct rule rule[POLICY_RULES];	/* from 1 on */
	unsigned int rule_count;
	struct prefixes source;	/* of all rules about sources */
	size_t	dest_count, range_count;
};

int	policy_bans(const struct ndiv_policy *p);
int	policy_parse(struct ndiv *nd, const char *path, const char *text, size_t len, struct ndiv_policy *p);
void	policy_free(struct ndiv_policy *p);

/* --- policy_image.c */

/* A growing array of lines; line 0 is the first of the head. */
struct image {
	__u8	*line;
	__u32	count, room;
	struct policy_leaf *leaf; /* of all tries */
	__u32	leaf_count, leaf_room;
	struct policy_pair pair[POLICY_PAIRS]; /* likewise, of last bytes */
	__u32	pair_count;
	int	err;		/* the first thing that went wrong: -ENOMEM, -EFBIG */
};

__u32	image_lines(struct image *img, __u32 count);
void	*image_at(const struct image *img, __u32 line);
__u32	image_leaf(struct image *img, const struct policy_leaf *leaf);
int	image_make(struct ndiv *nd, const struct ndiv_policy *p, __u32 bank, struct image *img);
void	image_drop(struct image *img);

/* --- policy_trie.c: sorted, no prefix twice */
int	prefix_holds(const struct prefix *a, const struct prefix *b);
void	trie_build(struct image *img, const struct prefix *p, size_t count, struct policy_root *root);

/* --- policy_load.c */
struct policy_maps {
	int	slot, counts, buckets;	/* fds of shield_policy, shield_rules, shield_buckets */
};
int	policy_put(struct ndiv *nd, const struct policy_maps *m, const struct ndiv_policy *policy);
int	policy_state(struct ndiv *nd, const struct policy_maps *m, struct ndiv_policy_state *state);
int	policy_each(struct ndiv *nd, const struct policy_maps *m, ndiv_policy_fn *fn, void *arg);
typedef int policy_text_fn(__u32 number, const struct policy_rule *rule, const struct policy_text *text, void *arg);
int	policy_texts(int slot, policy_text_fn *fn, void *arg);
void	rule_text(const struct policy_text *text, char *buf, size_t len);

/* --- policy_cells.c: the tries of destinations, columns, cells */
int	cells_build(struct ndiv *nd, const struct ndiv_policy *p, struct image *img, struct policy_head *head);

#endif

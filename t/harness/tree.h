/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tree.h - a directory of files for a test, made in a temporary place
 */
#ifndef T_TREE_H
#define T_TREE_H

#include <stddef.h>

struct tree {
	char	dir[64];
};

/* Each prints what failed and returns below 0. */
int tree_make(struct tree *t);
void tree_remove(struct tree *t);

/* Path of <name> in it. Static, valid until the next but three calls. */
const char *tree_path(const struct tree *t, const char *name);

/* A file of <len> bytes, and the directories that it needs. */
int tree_file(const struct tree *t, const char *name, const void *data, size_t len);

/* The same with bytes that differ for each <seed>. */
int tree_fill(const struct tree *t, const char *name, size_t len, unsigned int seed);

/* What tree_fill() writes. */
void tree_bytes(void *buf, size_t len, unsigned int seed);

#endif

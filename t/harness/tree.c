// SPDX-License-Identifier: GPL-2.0-only
/* tree.c - a directory of files for a test */
#define _GNU_SOURCE	/* nftw() */
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "tree.h"

static int complain(const char *what)
{
	perror(what);
	return -1;
}

int tree_make(struct tree *t)
{
	snprintf(t->dir, sizeof(t->dir), "/tmp/tree.XXXXXX");
	return mkdtemp(t->dir) ? 0 : complain(t->dir);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path) ? complain(path) : 0;
}

void tree_remove(struct tree *t)
{
	if (t->dir[0])
		nftw(t->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	t->dir[0] = 0;
}

const char *tree_path(const struct tree *t, const char *name)
{
	static char path[4][PATH_MAX];
	static unsigned int next;
	char *p = path[next++ % 4];

	snprintf(p, PATH_MAX, "%s/%s", t->dir, name);
	return p;
}

/* The directories above <path>. */
static void make_above(const struct tree *t, char *path)
{
	char *slash = path + strlen(t->dir);

	while ((slash = strchr(slash + 1, '/'))) {
		*slash = 0;
		mkdir(path, 0755);
		*slash = '/';
	}
}

int tree_file(const struct tree *t, const char *name, const void *data, size_t len)
{
	char path[PATH_MAX];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	make_above(t, path);
	f = fopen(path, "wb");
	if (!f)
		return complain(path);
	n = fwrite(data, 1, len, f);
	return fclose(f) || n != len ? complain(path) : 0;
}

void tree_bytes(void *buf, size_t len, unsigned int seed)
{
	uint32_t x = seed * 2654435761u + 1;
	uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = x >> 24;
	}
}

int tree_fill(const struct tree *t, const char *name, size_t len, unsigned int seed)
{
	void *buf = malloc(len + 1);
	int err;

	if (!buf)
		return complain(name);
	tree_bytes(buf, len, seed);
	err = tree_file(t, name, buf, len);
	free(buf);
	return err;
}

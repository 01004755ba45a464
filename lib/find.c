// SPDX-License-Identifier: GPL-2.0-only
/* find.c - where the objects of the handlers that come with ndiv are */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "internal.h"

#define SUFFIX	".bpf.o"

/* NDIV_HANDLER_PATH, else beside the program in a build tree, else where they are installed. */
static const char *handler_path(char *buf, size_t len)
{
	const char *env = getenv("NDIV_HANDLER_PATH");
	char exe[PATH_MAX], *slash;
	ssize_t n;

	if (env && *env)
		return env;
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n > 0) {
		exe[n] = 0;
		slash = strrchr(exe, '/');
		if (slash)
			*slash = 0;
		if ((size_t)snprintf(buf, len, "%s/handlers", exe) < len && !access(buf, F_OK))
			return buf;
	}
	return NDIV_HANDLERDIR;
}

/* Is <what> a file, rather than the name of a handler that comes with ndiv? */
int is_path(const char *what)
{
	size_t n = strlen(what);

	return strchr(what, '/') || (n > 2 && !strcmp(what + n - 2, ".o"));
}

int ndiv_find(const char *what, char *path, size_t len)
{
	char buf[PATH_MAX], full[PATH_MAX];
	int n;

	if (is_path(what)) {
		if (!realpath(what, full))
			return -errno;
		n = snprintf(path, len, "%s", full);
	} else {
		n = snprintf(path, len, "%s/%s" SUFFIX, handler_path(buf, sizeof(buf)), what);
	}
	if (n < 0 || (size_t)n >= len)
		return -ENAMETOOLONG;
	return access(path, R_OK) ? -errno : 0;
}

/* FNV-1a of the file's bytes: to tell builds from each other, not to trust them. */
int object_hash(const char *path, __u64 *hash)
{
	unsigned char buf[4096];
	size_t n, i;
	FILE *f = fopen(path, "re");
	int err;

	if (!f)
		return -errno;
	*hash = 0xcbf29ce484222325ULL;
	while ((n = fread(buf, 1, sizeof(buf), f)))
		for (i = 0; i < n; i++)
			*hash = (*hash ^ buf[i]) * 0x100000001b3ULL;
	err = ferror(f) ? -EIO : 0;
	fclose(f);
	return err;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_object(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > strlen(SUFFIX) && !strcmp(e->d_name + n - strlen(SUFFIX), SUFFIX);
}

int ndiv_each_builtin(int (*fn)(const char *name, const char *path, void *arg), void *arg)
{
	char buf[PATH_MAX], path[PATH_MAX], name[NAME_MAX + 1];
	const char *dir = handler_path(buf, sizeof(buf));
	struct dirent **list;
	int n, i, ret = 0;

	n = scandir(dir, &list, is_object, by_name);
	if (n < 0)
		return -errno;
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%.*s", (int)(strlen(list[i]->d_name) - strlen(SUFFIX)), list[i]->d_name);
		if (!ret && (size_t)snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name) < sizeof(path))
			ret = fn(name, path, arg);
		free(list[i]);
	}
	free(list);
	return ret;
}

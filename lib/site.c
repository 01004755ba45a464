// SPDX-License-Identifier: GPL-2.0-only
/*
 * site.c - reads the files of a directory that are to be served
 *
 * In memory, all of them, before anything is changed: what cannot be served is told, and then nothing has happened.
 * Hidden files are left out. Symbolic links are followed as long as they stay in the directory: the kernel sees to
 * that.
 */
#define _GNU_SOURCE	/* scandirat() */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/openat2.h>
#include "content.h"

struct walk {
	struct ndiv *nd;
	struct site *site;
	const struct progress *progress;
	int root;		/* fd */
};

#define SHOWN	"%.500s/%.300s"	/* a file in a message */

/* Opens what is below <root> without ever leaving it. fd or -errno. A pipe does not block. */
static int open_beneath(int root, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, root, *name ? name : ".", &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static const char *open_remedy(int err)
{
	switch (err) {
	case EXDEV:
		return "the symbolic link leaves the directory: put a copy in its place";
	case ELOOP:
		return "the symbolic links run in a circle: remove them";
	case ENOENT:
		return "the symbolic link leads nowhere: remove it";
	case ENXIO:
		return "it is no file: remove it";
	}
	return err == EACCES ? "it may not be read: give the right to, or remove it" : strerror(err);
}

/* All of a file of <size> bytes. */
static int read_all(struct ndiv *nd, const char *from, const char *name, int fd, size_t size, __u8 **out)
{
	__u8 *body = malloc(size + 1);	/* one more: to see that there is no more */
	size_t len = 0;
	ssize_t n = 1;

	if (!body)
		return fail(nd, ENOMEM, SHOWN ": no memory for %zu bytes", from, name, size);
	while (len <= size && n > 0) {
		n = read(fd, body + len, size + 1 - len);
		len += n > 0 ? n : 0;
	}
	if (n < 0 || len != size) {
		free(body);
		if (n < 0)
			return fail(nd, errno, SHOWN ": cannot read it: %s", from, name, strerror(errno));
		return fail(nd, EAGAIN, SHOWN ": it changes while it is read: try again", from, name);
	}
	*out = body;
	return 0;
}

/* The next one, with a copy of the first <len> bytes of <name> as its name. */
static int next_file(struct walk *w, const char *name, size_t len, struct file **out)
{
	struct site *site = w->site;
	struct file *file = site->file;

	if (site->count >= NDIV_CONTENT_FILES)
		return fail(w->nd, E2BIG,
			    SHOWN ": it is one too many: %u files fit, with error pages, and a redirection for each "
				  "directory that has an index.html; take some away",
			    site->from, name, NDIV_CONTENT_FILES);
	if (!file)
		site->file = file = calloc(NDIV_CONTENT_FILES, sizeof(*file));
	if (file)
		file[site->count].name = strndup(name, len);
	if (!file || !file[site->count].name)
		return fail(w->nd, ENOMEM, "no memory for the list of files");
	*out = &file[site->count++];
	return 0;
}

/*
 * From the name of <index>'s directory without a slash at its end to the one with, which are <len> bytes: so that
 * relative links in it are right.
 */
static int add_redirection(struct walk *w, const char *index, size_t len)
{
	struct file *file;
	struct urls urls;
	int err;

	err = next_file(w, index, len - 1, &file);
	if (err)
		return err;
	url_forms(index, &urls);
	file->to = strdup(urls.url[0]);
	file->body = calloc(1, 1);
	file->type = "text/plain";
	file->status = 301;
	return file->to && file->body ? 0 : fail(w->nd, ENOMEM, "no memory for a redirection");
}

/* Appends a file. */
static int add_file(struct walk *w, const char *name, int fd, size_t size)
{
	struct site *site = w->site;
	struct file *file;
	int err;

	err = next_file(w, name, strlen(name), &file);
	if (!err)
		err = read_all(w->nd, site->from, name, fd, size, &file->body);
	if (err)
		return err;
	file->len = size;
	file->type = url_type(name);
	file->status = status_of_name(name);
	site->bytes += size;
	if (url_is_index(name))
		err = add_redirection(w, name, url_is_index(name));
	if (err)
		return err;
	if (w->progress->fn)
		w->progress->fn("read", site->bytes, 0, w->progress->arg);
	return 0;
}

/* Is there room for it? The message says what there is room for. */
static int check_file(struct walk *w, const char *name, __u64 size)
{
	const struct site *site = w->site;

	if (size > SITE_FILE_MAX)
		return fail(w->nd, EFBIG,
			    SHOWN ": %" PRIu64 " bytes: a file may have up to %u; serve it from somewhere else",
			    site->from, name, (uint64_t)size, SITE_FILE_MAX);
	if (site->bytes + size > SITE_BYTES_MAX)
		return fail(w->nd, EFBIG,
			    SHOWN ": with its %" PRIu64
				  " bytes the directory has more than %u, which is what fits: take "
				  "files out of it",
			    site->from, name, (uint64_t)size, SITE_BYTES_MAX);
	return 0;
}

/* Its URL has to be short enough in all ways to write it. */
static int check_name(struct walk *w, const char *name)
{
	struct urls urls;
	size_t i, len;

	len = strlen(name);
	if (len < NDIV_CONTENT_PATH) {
		url_forms(name, &urls);
		for (i = 0; i < urls.count; i++)
			if (strlen(urls.url[i]) > len)
				len = strlen(urls.url[i]);
	}
	if (len <= NDIV_CONTENT_PATH)
		return 0;
	return fail(w->nd, ENAMETOOLONG, SHOWN ": its URL is longer than %u bytes: give it a shorter name",
		    w->site->from, name, NDIV_CONTENT_PATH);
}

static int walk(struct walk *w, const char *dir, int depth);

static int visit(struct walk *w, const char *name, int depth)
{
	int fd = open_beneath(w->root, name), err;
	struct stat st;

	if (fd < 0)
		return fail(w->nd, -fd, SHOWN ": %s", w->site->from, name, open_remedy(-fd));
	if (fstat(fd, &st)) {
		err = fail(w->nd, errno, SHOWN ": %s", w->site->from, name, strerror(errno));
	} else if (S_ISDIR(st.st_mode)) {
		err = walk(w, name, depth + 1);
	} else if (!S_ISREG(st.st_mode)) {
		err = fail(w->nd, EINVAL, SHOWN ": it is neither file nor directory: remove it", w->site->from, name);
	} else {
		err = check_name(w, name);
		if (!err)
			err = check_file(w, name, st.st_size);
		if (!err)
			err = add_file(w, name, fd, st.st_size);
	}
	close(fd);
	return err;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The entries of directory <dir>, in order. Returns how many, or -errno. */
static int list_dir(struct walk *w, const char *dir, struct dirent ***list)
{
	int fd = open_beneath(w->root, dir), n;

	if (fd < 0)
		return fd;
	n = scandirat(fd, ".", list, NULL, by_name);
	if (n < 0)
		n = -errno;
	close(fd);
	return n;
}

/* Takes entry <base> of directory <dir>. */
static int visit_entry(struct walk *w, const char *dir, const char *base, int depth)
{
	char name[PATH_MAX];

	if (base[0] == '.') {
		w->site->skipped += strcmp(base, ".") && strcmp(base, "..");
		return 0;
	}
	if ((size_t)snprintf(name, sizeof(name), "%s%s%s", dir, *dir ? "/" : "", base) >= sizeof(name))
		return fail(w->nd, ENAMETOOLONG, SHOWN ": its path is too long", w->site->from, dir);
	return visit(w, name, depth);
}

static int walk(struct walk *w, const char *dir, int depth)
{
	struct dirent **list;
	int n, i, err = 0;

	if (depth > SITE_DEPTH_MAX)
		return fail(w->nd, ELOOP,
			    SHOWN ": more than %d directories in each other: take it away (is it a symbolic link that "
				  "leads upwards?)",
			    w->site->from, dir, SITE_DEPTH_MAX);
	n = list_dir(w, dir, &list);
	if (n < 0)
		return fail(w->nd, -n, SHOWN ": cannot list it: %s", w->site->from, dir, strerror(-n));
	for (i = 0; i < n; i++) {
		if (!err)
			err = visit_entry(w, dir, list[i]->d_name, depth);
		free(list[i]);
	}
	free(list);
	return err;
}

/* The full path of <what>. */
static int find(struct ndiv *nd, const char *what, struct site *site)
{
	char full[PATH_MAX];

	memset(site, 0, sizeof(*site));
	if (!realpath(what, full))
		return fail(nd, errno, "%.500s: %s", what, strerror(errno));
	if (strlen(full) >= sizeof(site->from))
		return fail(nd, ENAMETOOLONG, "%.500s: the path is longer than %zu bytes", full,
			    sizeof(site->from) - 1);
	strcpy(site->from, full);
	return 0;
}

int site_read(struct ndiv *nd, const char *dir, const struct progress *progress, struct site *site)
{
	struct walk w = { .nd = nd, .site = site, .progress = progress };
	int err = find(nd, dir, site);

	if (err)
		return err;
	w.root = open(site->from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w.root < 0)
		return fail(nd, errno, "%.500s: %s", site->from, strerror(errno));
	err = walk(&w, "", 0);
	close(w.root);
	if (!err && !site->count)
		err = fail(nd, ENOENT, "%.500s: there is no file in it%s", site->from,
			   site->skipped ? " but hidden ones, which are not served" : "");
	if (err)
		site_free(site);
	return err;
}

/* The one file at <path>, as the page of status 503. */
int site_read_page(struct ndiv *nd, const char *path, struct site *site)
{
	static const struct progress quiet;
	struct walk w = { .nd = nd, .site = site, .progress = &quiet };
	int err = find(nd, path, site), fd;
	struct stat st;

	if (err)
		return err;
	fd = open(site->from, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st))
		err = fail(nd, errno, "%.500s: %s", site->from, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		err = fail(nd, EINVAL, "%.500s: it is no file", site->from);
	else if (st.st_size > SITE_FILE_MAX)
		err = fail(nd, EFBIG, "%.500s: %" PRIu64 " bytes: a page may have up to %u", site->from,
			   (uint64_t)st.st_size, SITE_FILE_MAX);
	if (!err)
		err = add_file(&w, strrchr(site->from, '/') + 1, fd, st.st_size);
	if (!err)
		site->file[0].status = 503;
	if (fd >= 0)
		close(fd);
	if (err)
		site_free(site);
	return err;
}

void site_free(struct site *site)
{
	size_t i;

	for (i = 0; i < site->count; i++) {
		free(site->file[i].name);
		free(site->file[i].to);
		free(site->file[i].body);
	}
	free(site->file);
	memset(site, 0, sizeof(*site));
}

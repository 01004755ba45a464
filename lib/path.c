// SPDX-License-Identifier: GPL-2.0-only
/* path.c - the state directory: where it is, who may change it, what is pinned in it */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include "internal.h"

#define BPFFS	"/sys/fs/bpf"

static unsigned long inode(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

unsigned long netns_inode(void)
{
	return inode("/proc/thread-self/ns/net");
}

static int other_mounts(const char *than, unsigned long mine)
{
	unsigned long ino = inode(than);

	return ino && ino != mine;
}

/* `ip netns exec NAME` mounts a new /sys, whose source is the namespace's name. */
static int sys_of_netns(void)
{
	char line[1024], where[256], type[64], source[256], path[300];
	int found = 0;
	FILE *f = fopen("/proc/self/mountinfo", "re");

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		char *tail = strstr(line, " - ");

		if (!tail || sscanf(line, "%*s %*s %*s %*s %255s", where) != 1 ||
		    sscanf(tail, " - %63s %255s", type, source) != 2)
			continue;
		if (strcmp(where, "/sys"))
			continue;
		snprintf(path, sizeof(path), "/run/netns/%s", source);
		found = !strcmp(type, "sysfs") && !access(path, F_OK);
	}
	fclose(f);
	return found;
}

/* A mount made here would vanish with this mount namespace, and all that is pinned in it. */
static int private_mounts(void)
{
	unsigned long mine = inode("/proc/self/ns/mnt");
	char parent[40];

	snprintf(parent, sizeof(parent), "/proc/%d/ns/mnt", getppid());
	return other_mounts("/proc/1/ns/mnt", mine) || other_mounts(parent, mine) || sys_of_netns();
}

static int is_bpffs(void)
{
	struct statfs fs;

	return !statfs(BPFFS, &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

/* Is there state that cannot be seen from here? Then "nothing is attached" would be a lie: -ENODEV. */
int root_hidden(struct ndiv *nd)
{
	if (is_bpffs() || !private_mounts())
		return 0;
	return fail(nd, ENODEV,
		    "no BPF file system at " BPFFS " in this mount namespace (`ip netns exec` hides it): "
		    "use `ndiv -n NETNS ...` from outside, or mount it: mount -t bpf -o mode=0700 bpf " BPFFS);
}

/* Mounts the BPF file system where it is missing, and makes ndiv's directory. */
int root_ready(struct ndiv *nd)
{
	char dir[DIR_LEN];
	int err;

	if (!is_bpffs()) {
		err = root_hidden(nd);
		if (err)
			return err;
		if (mount("bpf", BPFFS, "bpf", 0, "mode=0700"))
			return fail(nd, errno,
				    "cannot mount the BPF file system at " BPFFS
				    ": %s; mount it: mount -t bpf -o mode=0700 bpf " BPFFS,
				    strerror(errno));
	}
	snprintf(dir, sizeof(dir), ROOT "/%lu", netns_inode());
	err = make_dir(ROOT);
	if (!err)
		err = make_dir(dir);
	if (err)
		return fail(nd, -err, "cannot make %s: %s", dir, strerror(-err));
	return 0;
}

/* 0, also if it is there; but not if somebody else could have made it, or can change it. */
int make_dir(const char *path)
{
	struct stat st;

	if (!mkdir(path, 0700))
		return 0;
	if (errno != EEXIST || lstat(path, &st))
		return -errno;
	return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022) ? 0 : -EPERM;
}

/* The directory whose lock is that of state_lock(), for who may not open it any more when it is due. fd or -errno. */
int state_dir(void)
{
	char dir[DIR_LEN];
	int fd;

	snprintf(dir, sizeof(dir), ROOT "/%lu", netns_inode());
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * One change at a time in a namespace. The directory is removed by whoever leaves it empty, so it may be
 * another one by the time the lock is there: then again.
 */
int state_lock(struct ndiv *nd)
{
	struct stat a, b;
	char dir[DIR_LEN];
	int err, fd, i;

	snprintf(dir, sizeof(dir), ROOT "/%lu", netns_inode());
	for (i = 0; i < 100; i++) {
		err = root_ready(nd);
		if (err == -ENOENT)
			continue;	/* the directory above it went just now */
		if (err)
			return err;
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (flock(fd, LOCK_EX))
			return close(fd), fail(nd, errno, "cannot lock %s: %s", dir, strerror(errno));
		if (!fstat(fd, &a) && !stat(dir, &b) && a.st_ino == b.st_ino) {
			nd->lock = fd;
			return 0;
		}
		close(fd);
	}
	return fail(nd, EAGAIN, "cannot lock %s: it keeps vanishing", dir);
}

void state_unlock(struct ndiv *nd)
{
	char dir[DIR_LEN];

	if (nd->lock < 0)
		return;
	snprintf(dir, sizeof(dir), ROOT "/%lu", netns_inode());
	if (!rmdir(dir))
		rmdir(ROOT);
	close(nd->lock);
	nd->lock = -1;
}

int remove_tree(const char *path)
{
	struct dirent *e;
	char sub[PATH_MAX];
	DIR *d;

	d = opendir(path);
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		if (unlink(sub) && (errno == EISDIR || errno == EPERM))
			remove_tree(sub);
	}
	closedir(d);
	return rmdir(path) ? -errno : 0;
}

void pin_path(char *buf, const char *dir, const char *name)
{
	snprintf(buf, PIN_LEN, "%s/%s", dir, name);
}

int pin(const char *dir, const char *name, int fd)
{
	char path[PIN_LEN];

	pin_path(path, dir, name);
	return bpf_obj_pin(fd, path) ? -errno : 0;
}

int pin_get(const char *dir, const char *name)
{
	char path[PIN_LEN];
	int fd;

	pin_path(path, dir, name);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

__u32 prog_id(int fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

/* The kernel's id of a pinned program, or 0. */
__u32 pinned_prog_id(const char *dir, const char *name)
{
	int fd = pin_get(dir, name);
	__u32 id = fd < 0 ? 0 : prog_id(fd);

	if (fd >= 0)
		close(fd);
	return id;
}

int pinned(const char *dir, const char *name)
{
	char path[PIN_LEN];

	pin_path(path, dir, name);
	return !access(path, F_OK);
}

void unpin(const char *dir, const char *name)
{
	char path[PIN_LEN];

	pin_path(path, dir, name);
	unlink(path);
}

/* Where handler <id> is, or (<new>) where its successor is until it takes over. */
void handler_dir(const struct ndiv *nd, unsigned int id, int new, char *buf)
{
	snprintf(buf, DIR_LEN, "%s/h%u%s", nd->dir, id, new ? "_new" : "");
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * stray.c - state that is no longer where it belongs: of interfaces that were deleted, or moved to another namespace
 *
 * The kernel keeps a link on an interface that moves, and may give it another index there, on which the programs do not
 * work. So what moved is detached: by the next command in the old namespace, or by attaching in the new one.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "internal.h"

/* Is the link in the state directory the one that runs on this very interface? Indices alone are not unique. */
int state_holds(const struct ndiv *nd)
{
	struct bpf_link_info info;

	return !link_info(nd->dir, &info) && info.xdp.ifindex == nd->ifindex && info.prog_id == link_program(nd);
}

static int is_number(const struct dirent *e)
{
	return e->d_name[0] >= '0' && e->d_name[0] <= '9';
}

/*
 * Removes the state in <dir> if program <prog> (0: none), which runs on <nd>, is its; if <dead>, that of an interface
 * that is no more, too.
 */
static void remove_if(const struct ndiv *nd, const char *dir, __u32 prog, int dead)
{
	struct ndiv stray = { .lock = -1 };
	struct bpf_link_info info;

	if (link_info(dir, &info))
		return;
	if (!info.xdp.ifindex) {
		if (dead)
			remove_tree(dir);
		return;
	}
	if (!prog || info.prog_id != prog)
		return;
	snprintf(stray.dir, sizeof(stray.dir), "%s", dir);
	memcpy(stray.ifname, nd->ifname, sizeof(stray.ifname));
	stray.ifindex = nd->ifindex;
	log_text(1, "%s: it came with ndiv attached to it in another network namespace: detached there", nd->ifname);
	core_down(&stray);
}

/* Is program <prog> in state of namespace <space>? */
static int known_in(unsigned long space, __u32 prog)
{
	char root[STATE_LEN], dir[STATE_LEN];
	struct bpf_link_info info;
	struct dirent **ifs;
	int n, i, found = 0;

	snprintf(root, sizeof(root), ROOT "/%lu", space);
	n = scandir(root, &ifs, is_number, NULL);
	for (i = 0; i < n; i++) {
		snprintf(dir, sizeof(dir), ROOT "/%lu/%lu", space, strtoul(ifs[i]->d_name, NULL, 10));
		found |= !link_info(dir, &info) && info.prog_id == prog;
		free(ifs[i]);
	}
	if (n >= 0)
		free(ifs);
	return found;
}

/* The XDP program that runs on the interface, if it is none of ndiv's, not even of one in another namespace: its index,
 * else 0. <name> as for link_program_name(). */
__u32 foreign_program(const struct ndiv *nd, char *name)
{
	__u32 prog = link_program_name(nd, name);
	struct dirent **spaces;
	int n, i, known = 0;

	n = prog ? scandir(ROOT, &spaces, is_number, NULL) : -1;
	for (i = 0; i < n; i++) {
		known |= known_in(strtoul(spaces[i]->d_name, NULL, 10), prog);
		free(spaces[i]);
	}
	if (n >= 0)
		free(spaces);
	return known ? 0 : prog;
}

/* A lock on <dir>, unless somebody else has it: who detaches there has a dead link for a moment, too. fd or -1. */
static int try_lock(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || !flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	close(fd);
	return -1;
}

/* One namespace. The dead of our own are for ndiv_each(), which locks, and leaves no empty directory. */
static void remove_in(const struct ndiv *nd, unsigned long space, __u32 prog)
{
	int other = space != netns_inode(), fd, n, i;
	char root[STATE_LEN], dir[STATE_LEN];
	struct dirent **ifs;

	snprintf(root, sizeof(root), ROOT "/%lu", space);
	fd = other ? try_lock(root) : -1;
	n = scandir(root, &ifs, is_number, NULL);
	for (i = 0; i < n; i++) {
		snprintf(dir, sizeof(dir), ROOT "/%lu/%lu", space, strtoul(ifs[i]->d_name, NULL, 10));
		remove_if(nd, dir, prog, fd >= 0);
		free(ifs[i]);
	}
	if (n >= 0)
		free(ifs);
	/* If nothing is left in it, and nobody is about to put something there. */
	if (n > 0 && fd >= 0)
		rmdir(root);
	if (fd >= 0)
		close(fd);
}

/*
 * Detaches what an interface brought with it from the namespace where it was before, and removes what is left of
 * interfaces that went with their namespaces, where no command can be given any more.
 */
void strays_remove(struct ndiv *nd)
{
	__u32 prog = nd->ifindex ? link_program(nd) : 0;
	struct dirent **spaces;
	int n, i;

	n = scandir(ROOT, &spaces, is_number, NULL);
	for (i = 0; i < n; i++) {
		remove_in(nd, strtoul(spaces[i]->d_name, NULL, 10), prog);
		free(spaces[i]);
	}
	if (n >= 0)
		free(spaces);
	rmdir(ROOT);	/* likewise; who wants to lock something there makes it anew */
}

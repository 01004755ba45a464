// SPDX-License-Identifier: GPL-2.0-only
/*
 * stray.c - state that is no longer where it belongs: of interfaces that were deleted, or moved to another namespace
 *
 * The kernel keeps a link on an interface that moves, and may give it another index there, on which the programs do not
 * work. So what moved is detached: by the next command in the old namespace, or by attaching in the new one.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
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

/* Removes the state in <dir> if its interface is no more, or if program <prog> (0: none), which runs on <nd>, is its.
 */
static void remove_if(const struct ndiv *nd, const char *dir, __u32 prog)
{
	struct ndiv stray = { .lock = -1 };
	struct bpf_link_info info;

	if (link_info(dir, &info))
		return;
	if (!info.xdp.ifindex) {
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

/*
 * Detaches what an interface brought with it from the namespace where it was before, and removes what is left of
 * interfaces that went with their namespaces, where no command can be given any more.
 */
void strays_remove(struct ndiv *nd)
{
	struct dirent **spaces, **ifs;
	char dir[STATE_LEN];
	int n, m, i, j;
	__u32 prog = nd->ifindex ? link_program(nd) : 0;

	n = scandir(ROOT, &spaces, is_number, NULL);
	for (i = 0; i < n; i++) {
		snprintf(dir, sizeof(dir), ROOT "/%lu", strtoul(spaces[i]->d_name, NULL, 10));
		m = scandir(dir, &ifs, is_number, NULL);
		for (j = 0; j < m; j++) {
			snprintf(dir, sizeof(dir), ROOT "/%lu/%lu", strtoul(spaces[i]->d_name, NULL, 10),
				 strtoul(ifs[j]->d_name, NULL, 10));
			remove_if(nd, dir, prog);
			free(ifs[j]);
		}
		if (m >= 0)
			free(ifs);
		snprintf(dir, sizeof(dir), ROOT "/%lu", strtoul(spaces[i]->d_name, NULL, 10));
		if (m > 0 && strtoul(spaces[i]->d_name, NULL, 10) != netns_inode())
			rmdir(dir);	/* if nothing is left in it */
		free(spaces[i]);
	}
	if (n >= 0)
		free(spaces);
}

// SPDX-License-Identifier: GPL-2.0-only
/* shield.c - finds the attached handler shield, for what the library does with its maps */
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <ndiv/shield.h>
#include "shield.h"

#define HANDLER "shield"

static int not_there(struct ndiv *nd)
{
	return fail(nd, ENOENT, "shield is not attached: `ndiv attach %s " HANDLER "`", nd->ifname);
}

/* <tab>: NULL if ndiv is not attached. */
int shield_dir(struct ndiv *nd, const struct table *tab, char *dir)
{
	int id = tab ? table_find(tab, HANDLER) : 0;

	if (!id)
		return not_there(nd);
	handler_dir(nd, id, 0, dir);
	return 0;
}

/* The same for readers. */
int shield_find(struct ndiv *nd, char *dir)
{
	struct table tab;
	int err;

	clear(nd);
	if (!state_holds(nd))
		return not_there(nd);
	err = table_open(nd, &tab);
	if (err)
		return err;
	err = shield_dir(nd, &tab, dir);
	table_close(&tab);
	return err;
}

/* A section of its data, such as "m__data_clock", as it is pinned in <dir>. */
void *shield_section(const char *dir, const char *name, size_t size, int prot)
{
	int fd = pin_get(dir, name);
	void *p;

	if (fd < 0)
		return NULL;
	p = mmap(NULL, size, prot, MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

/* It must have values of <value_size>, and <min> of them at least; else -EPROTO. */
int slot_map(int slot, __u32 value_size, __u32 min, __u32 *entries)
{
	struct bpf_map_info info = {};
	__u32 zero = 0, id, len = sizeof(info);
	int fd;

	if (bpf_map_lookup_elem(slot, &zero, &id))
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return -errno;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.value_size == value_size && info.max_entries >= min) {
		*entries = info.max_entries;
		return fd;
	}
	close(fd);
	return -EPROTO;
}

__u64 clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Its maps are not those that this library knows. */
int shield_other(struct ndiv *nd)
{
	return fail(nd, EPROTO,
		    "the shield that is attached is of another version: `ndiv replace --keep %s " HANDLER "`",
		    nd->ifname);
}

/* What the agent does for it, once a second. */
void shield_tick(struct ndiv *nd)
{
	char dir[DIR_LEN];

	if (!shield_find(nd, dir))
		keys_tick(dir);
}

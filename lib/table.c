// SPDX-License-Identifier: GPL-2.0-only
/* table.c - which handlers are on the interface, and in which order: the map ndiv_handlers, by id */
#include <string.h>
#include <unistd.h>
#include "internal.h"

int table_open(struct ndiv *nd, struct table *tab)
{
	__u32 id;

	memset(tab, 0, sizeof(*tab));
	tab->map = pin_get(nd->dir, "ndiv_handlers");
	if (tab->map < 0)
		return fail(nd, -tab->map, "cannot read %s/ndiv_handlers: %s", nd->dir, strerror(-tab->map));
	for (id = 0; id < NDIV_HANDLERS_MAX; id++) {
		if (!bpf_map_lookup_elem(tab->map, &id, &tab->e[id]))
			continue;
		table_close(tab);
		return fail(nd, errno, "cannot read %s/ndiv_handlers: %s; was it made by another version of ndiv? "
			    "`ndiv detach %s` removes it", nd->dir, strerror(errno), nd->ifname);
	}
	return 0;
}

void table_close(struct table *tab)
{
	if (tab->map >= 0)
		close(tab->map);
	tab->map = -1;
}

/* Id of the handler called <name>, or 0. */
int table_find(const struct table *tab, const char *name)
{
	int id;

	for (id = 1; id < NDIV_HANDLERS_MAX; id++)
		if (tab->e[id].used && !strcmp(tab->e[id].info.name, name))
			return id;
	return 0;
}

int table_free_id(const struct table *tab)
{
	int id;

	for (id = 1; id < NDIV_HANDLERS_MAX; id++)
		if (!tab->e[id].used)
			return id;
	return 0;
}

size_t table_count(const struct table *tab)
{
	size_t n = 0;
	int id;

	for (id = 1; id < NDIV_HANDLERS_MAX; id++)
		n += !!tab->e[id].used;
	return n;
}

/* Fills <ids> (NDIV_HANDLERS_MAX of them) in the order of the chain; returns how many. */
int table_sorted(const struct table *tab, unsigned int *ids)
{
	int n = 0, id, i;

	for (id = 1; id < NDIV_HANDLERS_MAX; id++) {
		if (!tab->e[id].used)
			continue;
		for (i = n++; i > 0 && tab->e[ids[i - 1]].order > tab->e[id].order; i--)
			ids[i] = ids[i - 1];
		ids[i] = id;
	}
	return n;
}

int table_write(struct ndiv *nd, const struct table *tab, unsigned int id)
{
	if (bpf_map_update_elem(tab->map, &id, &tab->e[id], BPF_ANY))
		return fail(nd, errno, "cannot write %s/ndiv_handlers: %s", nd->dir, strerror(errno));
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* state.c - the calls of libndiv that read: what is attached, what it counted, which interfaces */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "internal.h"

static int read_table(struct ndiv *nd, struct ndiv_state *st)
{
	unsigned int ids[NDIV_HANDLERS_MAX];
	struct table tab;
	int i, n, err;

	err = table_open(nd, &tab);
	if (err)
		return err;
	n = table_sorted(&tab, ids);
	for (i = 0; i < n; i++) {
		st->handler[i].id = ids[i];
		st->handler[i].entry = tab.e[ids[i]];
	}
	st->count = n;
	if (st->mode == NDIV_MODE_GENERIC)
		snprintf(st->why, sizeof(st->why), "%.*s", (int)sizeof(st->why) - 1, tab.e[0].opts);
	table_close(&tab);
	return 0;
}

static int read_conf(struct ndiv *nd, struct ndiv_state *st)
{
	struct ndiv_conf *conf = conf_map(nd->dir);
	struct timespec now;

	if (!conf)
		return fail(nd, errno, "cannot map %s/conf: %s", nd->dir, strerror(errno));
	st->conf = *conf;
	conf_unmap(conf);
	clock_gettime(CLOCK_MONOTONIC, &now);
	st->agent = st->conf.agent_until > now.tv_sec * 1000000000ULL + now.tv_nsec;
	return 0;
}

int ndiv_state(struct ndiv *nd, struct ndiv_state *out)
{
	struct ndiv_state *st = calloc(1, sizeof(*st));
	struct bpf_link_info link;
	int err;

	if (!st)
		return -ENOMEM;
	clear(nd);
	err = root_hidden(nd);
	if (err) {
		free(st);
		return err;
	}
	snprintf(st->ifname, sizeof(st->ifname), "%s", nd->ifname);
	st->ifindex = nd->ifindex;
	err = link_info(nd->dir, &link);
	if (err || !state_holds(nd)) {
		err = err && err != -ENOENT ? fail(nd, -err, "cannot read %s/link: %s", nd->dir, strerror(-err)) : 0;
		st->foreign = foreign_program(nd, st->foreign_name);
		if (!err)
			*out = *st;
		free(st);
		return err;
	}
	st->attached = 1;
	st->prog_id = link.prog_id;
	err = link_mode(nd, &st->mode);
	if (err)
		fail(nd, -err, "cannot ask for the mode: %s", strerror(-err));
	if (!err)
		err = read_table(nd, st);
	if (!err)
		err = read_conf(nd, st);
	st->tx = tx_kind(nd);
	st->in = in_kind(nd);
	st->hints = st->prog_id && st->prog_id == pinned_prog_id(nd->dir, "entry_hints");
	state_warnings(nd, st);
	if (!err)
		*out = *st;
	free(st);
	return err;
}

static void add_cpu(struct ndiv_stats *to, struct ndiv_cost *cost, struct ndiv_cost *clock, const struct ndiv_cpu *from)
{
	int h, i;

	for (h = 0; h < NDIV_HANDLERS_MAX; h++) {
		for (i = 0; i < NDIV_VERDICTS; i++) {
			to->verdict[h][i].packets += from->verdict[h][i].packets;
			to->verdict[h][i].bytes += from->verdict[h][i].bytes;
		}
		for (i = 0; i < NDIV_REASONS_MAX; i++)
			to->reason[h][i] += from->reason[h][i];
		for (i = 0; i < NDIV_COUNTERS_MAX; i++)
			to->counter[h][i] += from->counter[h][i];
		cost[h].ns += from->cost[h].ns;
		cost[h].calls += from->cost[h].calls;
	}
	clock->ns += from->clock.ns;
	clock->calls += from->clock.calls;
	to->packets += from->seq;
	to->tx_lost += from->tx_lost;
	to->sent.packets += from->sent.packets;
	to->sent.bytes += from->sent.bytes;
}

static double mean(const struct ndiv_cost *c)
{
	return (double)c->ns / c->calls;
}

static void sum_up(const struct ndiv_cpu *cpus, int from, int to, struct ndiv_stats *st)
{
	struct ndiv_cost cost[NDIV_HANDLERS_MAX] = {}, clock = {};
	int i;

	memset(st, 0, sizeof(*st));
	for (i = from; i < to; i++)
		add_cpu(st, cost, &clock, &cpus[i]);
	for (i = 0; i < NDIV_HANDLERS_MAX; i++) {
		st->ns[i] = -1;
		if (!cost[i].calls || !clock.calls)
			continue;
		st->ns[i] = mean(&cost[i]) - mean(&clock);
		if (st->ns[i] < 0)
			st->ns[i] = 0;
	}
}

int ndiv_cpu_count(void)
{
	return libbpf_num_possible_cpus();
}

/* Of the core's map <map>. 0 or -errno. */
int stats_read(int map, int which, int cpu, struct ndiv_stats *stats)
{
	int cpus = ndiv_cpu_count(), err = 0;
	struct ndiv_cpu *values = calloc(cpus > 0 ? cpus : 1, sizeof(*values));
	__u32 key = which;

	if (!values || cpus < 0)
		err = -ENOMEM;
	else if (bpf_map_lookup_elem(map, &key, values))
		err = -errno;
	else
		sum_up(values, cpu < 0 ? 0 : cpu, cpu < 0 ? cpus : cpu + 1, stats);
	free(values);
	return err;
}

int ndiv_stats(struct ndiv *nd, int which, int cpu, struct ndiv_stats *stats)
{
	int cpus = ndiv_cpu_count(), map, err;
	struct ndiv_conf *conf;

	clear(nd);
	if (cpu >= cpus)
		return fail(nd, ERANGE, "CPU %d: there are 0 to %d", cpu, cpus - 1);
	map = pin_get(nd->dir, "ndiv_cpus");
	if (map < 0)
		return fail(nd, -map, "ndiv is not attached");
	err = stats_read(map, which, cpu, stats);
	if (err)
		fail(nd, -err, "cannot read the counters: %s", strerror(-err));
	conf = err || cpu > 0 || which != NDIV_CPU_RX ? NULL : conf_map(nd->dir);
	if (conf)
		stats->reason[0][NDIV_R_POSTPONE_LOST] += conf->agent_lost;
	conf_unmap(conf);
	close(map);
	return err;
}

/*
 * Opens the interface of state directory <dir>, whose name is <ifindex>. 0 and NULL: it is gone, or in another
 * namespace, and what was left of it has been removed.
 */
static int open_dir(const char *dir, unsigned int ifindex, struct ndiv **out, char *err, size_t err_len)
{
	char name[IF_NAMESIZE];
	struct ndiv gone = { .lock = -1, .ifindex = ifindex };
	struct ndiv *nd = NULL;
	int ret;

	*out = NULL;
	snprintf(gone.dir, sizeof(gone.dir), "%s", dir);
	if (if_indextoname(ifindex, name)) {
		ret = ndiv_open(&nd, name, 0, err, err_len);
		if (ret == -ENODEV)
			return 0;	/* gone just now: the next one removes what is left */
		if (ret || state_holds(nd)) {
			*out = nd;
			return ret;
		}
		ndiv_close(nd);
	}
	if (!state_lock(&gone)) {
		if (!if_indextoname(ifindex, name) || !state_holds(&gone))
			core_down(&gone);
		state_unlock(&gone);
	}
	return 0;
}

static int is_number(const struct dirent *e)
{
	return e->d_name[0] >= '0' && e->d_name[0] <= '9';
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return atoi((*a)->d_name) - atoi((*b)->d_name);
}

int ndiv_each(int (*fn)(struct ndiv *nd, void *arg), void *arg, char *err, size_t err_len)
{
	char root[STATE_LEN], dir[STATE_LEN];
	unsigned int ifindex;
	struct dirent **list;
	struct ndiv nobody = { .lock = -1 };
	struct ndiv *nd;
	int n, i, ret = 0;

	strays_remove(&nobody);
	snprintf(root, sizeof(root), ROOT "/%lu", netns_inode());
	n = scandir(root, &list, is_number, by_number);
	if (n < 0 && errno == ENOENT) {
		ret = root_hidden(&nobody);
		if (ret)
			snprintf(err, err_len, "%s", nobody.err);
		return ret;
	}
	if (n < 0) {
		ret = -errno;
		snprintf(err, err_len, "cannot read %s: %s%s", root, strerror(-ret),
			 ret == -EACCES || ret == -EPERM ? ": run it as root (sudo)" : "");
		return ret;
	}
	for (i = 0; i < n; i++) {
		ifindex = strtoul(list[i]->d_name, NULL, 10);
		free(list[i]);
		if (ret)
			continue;
		snprintf(dir, sizeof(dir), ROOT "/%lu/%u", netns_inode(), ifindex);
		ret = open_dir(dir, ifindex, &nd, err, err_len);
		if (!ret && nd)
			ret = fn(nd, arg);
		ndiv_close(nd);
	}
	free(list);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/* ndiv.c - the calls of libndiv that change an interface: attach, replace, detach, order, policy */
#include <fcntl.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "internal.h"

static int check_ethernet(struct ndiv *nd)
{
	struct ifreq ifr = {};
	int fd, err;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(nd, errno, "cannot open a socket: %s", strerror(errno));
	memcpy(ifr.ifr_name, nd->ifname, sizeof(ifr.ifr_name));
	err = ioctl(fd, SIOCGIFHWADDR, &ifr) ? errno : 0;
	close(fd);
	if (err)
		return fail(nd, err, "cannot ask for the link type: %s", strerror(err));
	if (ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER && ifr.ifr_hwaddr.sa_family != ARPHRD_LOOPBACK)
		return fail(nd, EOPNOTSUPP, "it is no Ethernet interface (link type %u): ndiv needs one",
			    ifr.ifr_hwaddr.sa_family);
	return 0;
}

static int identify(struct ndiv *nd, const char *ifname)
{
	if (strlen(ifname) >= IFNAMSIZ)
		return fail(nd, ENODEV, "\"%s\" is too long for an interface's name", ifname);
	strcpy(nd->ifname, ifname);
	nd->ifindex = if_nametoindex(ifname);
	if (!nd->ifindex)
		return fail(nd, ENODEV, "no such interface in this network namespace (`ip link` lists them)");
	snprintf(nd->dir, sizeof(nd->dir), ROOT "/%lu/%u", netns_inode(), nd->ifindex);
	return 0;
}

int ndiv_open(struct ndiv **out, const char *ifname, int readonly, char *err, size_t err_len)
{
	struct ndiv *nd = calloc(1, sizeof(*nd));
	int ret;

	if (!nd) {
		if (err && err_len)
			snprintf(err, err_len, "out of memory");
		return -ENOMEM;
	}
	nd->lock = -1;
	nd->readonly = readonly;
	ret = identify(nd, ifname);
	if (!ret)
		ret = check_caps(nd);
	if (!ret)
		ret = check_ethernet(nd);
	if (ret) {
		if (err && err_len)
			snprintf(err, err_len, "%s", nd->err);
		free(nd);
		return ret;
	}
	*out = nd;
	return 0;
}

void ndiv_close(struct ndiv *nd)
{
	if (!nd)
		return;
	state_unlock(nd);
	free(nd);
}

/* The successor is in its place in the chain; it takes over the predecessor's directory. */
static int take_over(struct ndiv *nd, unsigned int id)
{
	char dir[DIR_LEN], new[DIR_LEN];

	handler_dir(nd, id, 0, dir);
	handler_dir(nd, id, 1, new);
	link_cut(dir, "done_link");
	remove_tree(dir);
	if (rename(new, dir))
		return fail(nd, errno, "cannot rename %s: %s", new, strerror(errno));
	return 0;
}

/* Numbers the handlers 0, 1, 2... again after one has gone. */
static int close_ranks(struct ndiv *nd, struct table *tab)
{
	unsigned int ids[NDIV_HANDLERS_MAX];
	int n = table_sorted(tab, ids), i, err = 0;

	for (i = 0; i < n && !err; i++) {
		if (tab->e[ids[i]].order == (__u32)i)
			continue;
		tab->e[ids[i]].order = i;
		err = table_write(nd, tab, ids[i]);
	}
	return err;
}

/*
 * A change is under way: said in the entry of id 0, which is no handler's, so that the next command sees whether it
 * came to its end.
 */
static int mark(struct ndiv *nd, struct table *tab, int under_way)
{
	tab->e[0].used = under_way;
	return table_write(nd, tab, 0);
}

static void drop_dir(const char *dir)
{
	link_cut(dir, "done_link");
	remove_tree(dir);
}

/* Makes the directories of handler <id> what the table says. 1 if something was to be done, 0 or -errno. */
static int recover_one(struct ndiv *nd, const struct table *tab, unsigned int id)
{
	char dir[DIR_LEN], new[DIR_LEN];
	int err;

	handler_dir(nd, id, 0, dir);
	handler_dir(nd, id, 1, new);
	if (access(new, F_OK) && (tab->e[id].used || access(dir, F_OK)))
		return 0;
	if (tab->e[id].used && pinned_prog_id(new, "rx") == tab->e[id].prog_id) {
		err = take_over(nd, id);
		return err ? err : 1;
	}
	drop_dir(new);
	if (!tab->e[id].used)
		drop_dir(dir);
	return 1;
}

/* What a crash in the middle of a change can leave behind. */
static int recover(struct ndiv *nd, struct table *tab)
{
	int err, found = tab->e[0].used;
	unsigned int id;

	for (id = 1; id < NDIV_HANDLERS_MAX; id++) {
		err = recover_one(nd, tab, id);
		if (err < 0)
			return err;
		found |= err;
	}
	err = found ? close_ranks(nd, tab) : 0;
	return err || !found ? err : chain_apply(nd, tab, 0);
}

/*
 * Locks, and opens the table if ndiv is attached: 1; 0 if it is not (then what is left of an earlier one is removed).
 * Attached without a handler is what is left if the first attach is killed.
 */
static int begin(struct ndiv *nd, struct table *tab)
{
	int err;

	clear(nd);
	tab->map = -1;
	if (nd->readonly)
		return fail(nd, EPERM, "the handle is read-only");
	err = state_lock(nd);
	if (err)
		return err;
	if (!state_holds(nd)) {
		core_down(nd);
		return 0;
	}
	err = table_open(nd, tab);
	if (err)
		return err;
	if (!table_count(tab)) {
		table_close(tab);
		core_down(nd);
		return 0;
	}
	err = recover(nd, tab);
	if (!err)
		err = mark(nd, tab, 1);
	return err ? err : 1;
}

static int end(struct ndiv *nd, struct table *tab, int ret)
{
	if (!ret && tab->map >= 0 && tab->e[0].used)
		ret = mark(nd, tab, 0);
	table_close(tab);
	state_unlock(nd);
	return ret;
}

static int find_object(struct ndiv *nd, const char *what, char *path, size_t len)
{
	int err = ndiv_find(what, path, len);

	if (err)
		return fail(nd, -err,
			    "no handler \"%s\": %s: %s (`ndiv handlers` lists those that come with ndiv; a file's "
			    "name contains a / or ends in .o)",
			    what, path[0] ? path : what, strerror(-err));
	return 0;
}

static int link_done(struct ndiv *nd, struct loaded *ld, const char *dir)
{
	int err = ld->done ? link_tracepoint(dir, "done_link", bpf_program__fd(ld->done)) : 0;

	return err ? fail(nd, -err, "%s: cannot attach rx_done to the tracepoint: %s", ld->info.name, strerror(-err))
		   : 0;
}

static void fill_entry(struct ndiv_entry *e, const struct loaded *ld, const char *path, const char *opts)
{
	e->used = 1;
	e->has_tx = !!ld->tx;
	e->has_in = !!ld->in;
	e->has_build = !!ld->clone;
	e->has_rx_done = !!ld->done;
	e->prog_id = prog_id(bpf_program__fd(ld->rx));
	e->since = time(NULL);
	if (object_hash(path, &e->build))
		e->build = 0;
	snprintf(e->path, sizeof(e->path), "%s", path);
	snprintf(e->opts, sizeof(e->opts), "%s", opts);
	e->info = ld->info;
}

/* The chain of before, after a change that failed, whose message stays. */
static void put_back(struct ndiv *nd, const struct table *tab)
{
	char err[sizeof(nd->err)];

	memcpy(err, nd->err, sizeof(err));
	chain_apply(nd, tab, 0);
	memcpy(nd->err, err, sizeof(err));
}

/* Loads <path> as handler <id> and puts it into the chain, in the place that tab->e[id].order says. */
static int install(struct ndiv *nd, struct table *tab, unsigned int id, const char *path, const char *opts)
{
	struct ndiv_entry before = tab->e[id];
	char new[DIR_LEN];
	struct loaded ld;
	int err;

	err = object_load(nd, path, id, opts, &ld);
	if (err)
		return err;
	handler_dir(nd, id, 1, new);
	err = object_pin(nd, &ld, new);
	if (!err)
		err = link_done(nd, &ld, new);
	if (!err) {
		fill_entry(&tab->e[id], &ld, path, opts);
		err = chain_apply(nd, tab, id);
	}
	if (!err)
		err = table_write(nd, tab, id);
	object_close(&ld);
	if (!err && tab->e[id].has_build)
		warn_clones(nd);
	if (!err)
		return take_over(nd, id);
	tab->e[id] = before;
	put_back(nd, tab);
	remove_tree(new);
	return err;
}

/* Makes room at place <at> of the order (below 0: the end), and returns that place. */
static int make_place(struct ndiv *nd, struct table *tab, int at, __u32 *order)
{
	int n = table_count(tab), err = 0;
	unsigned int id;

	if (at > n)
		return fail(nd, ERANGE, "place %d in the chain: it has %d handler%s, so 0 to %d", at, n,
			    n == 1 ? "" : "s", n);
	*order = at < 0 ? n : at;
	for (id = 1; id < NDIV_HANDLERS_MAX && !err; id++)
		if (tab->e[id].used && tab->e[id].order >= *order) {
			tab->e[id].order++;
			err = table_write(nd, tab, id);
		}
	return err;
}

/* Counters of an id that was used before are of another handler: they start at 0. */
static int reset_counters(struct ndiv *nd, unsigned int id)
{
	__u64 args[1] = { id };
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = args, .ctx_size_in = sizeof(args),
		    .flags = BPF_F_TEST_RUN_ON_CPU);
	int prog = pin_get(nd->dir, "reset"), cpus = libbpf_num_possible_cpus(), err = 0;

	if (prog < 0)
		return fail(nd, -prog, "cannot open %s/reset: %s", nd->dir, strerror(-prog));
	for (run.cpu = 0; (int)run.cpu < cpus && !err; run.cpu++)
		if (bpf_prog_test_run_opts(prog, &run) && errno != ENXIO)	/* ENXIO: not online, so it counts nothing */
			err = fail(nd, errno, "cannot reset the counters of id %u: %s", id, strerror(errno));
	close(prog);
	return err;
}

/* Attaching again what is there is no change; what would be one has a command of its own. */
static int already(struct ndiv *nd, const struct ndiv_entry *e, const char *path, const char *opts, int at)
{
	__u64 build = 0;

	if (strcmp(e->path, path) || strcmp(e->opts, opts))
		return fail(nd, EEXIST,
			    "handler %s is attached already, from %s with options \"%s\": `ndiv replace %s %s ...` "
			    "changes it", e->info.name, e->path, e->opts, nd->ifname,
			    strcmp(e->path, path) ? path : e->info.name);
	if (!object_hash(path, &build) && build != e->build)
		return fail(nd, EEXIST,
			    "handler %s is attached already, from an earlier build of %s: `ndiv replace --keep %s %s` "
			    "takes "
			    "the new one",
			    e->info.name, path, nd->ifname, e->info.name);
	if (at >= 0 && (__u32)at != e->order)
		return fail(nd, EEXIST, "handler %s is attached already, in place %u: `ndiv order %s ...` moves it",
			    e->info.name, e->order, nd->ifname);
	return 0;
}

static int add(struct ndiv *nd, struct table *tab, const char *path, const struct ndiv_info *info, const char *opts,
	       int at)
{
	int id = table_find(tab, info->name), err;

	if (id)
		return already(nd, &tab->e[id], path, opts, at);
	id = table_free_id(tab);
	if (!id)
		return fail(nd, ENOSPC, "%d handlers are attached, no more fit", NDIV_HANDLERS_MAX - 1);
	err = make_place(nd, tab, at, &tab->e[id].order);
	if (!err)
		err = reset_counters(nd, id);
	if (!err)
		err = install(nd, tab, id, path, opts);
	if (err)
		close_ranks(nd, tab);
	return err;
}

static int attach_locked(struct ndiv *nd, struct table *tab, const char *path, const struct ndiv_info *info,
			 const struct ndiv_attach_opts *o, const char *opts)
{
	enum ndiv_mode mode = o ? o->mode : NDIV_MODE_AUTO;
	int err, fresh = 0;

	if (tab->map >= 0) {
		err = core_fits(nd, mode);
	} else {
		err = core_up(nd, mode);
		fresh = !err;
		if (!err)
			err = table_open(nd, tab);
	}
	if (!err)
		err = add(nd, tab, path, info, opts, o ? o->at : -1);
	if (err && fresh)
		core_down(nd);
	return err;
}

/* Object and options of <what>, checked before anything is changed. */
static int look_up(struct ndiv *nd, const char *what, char *path, struct ndiv_info *info)
{
	int err;

	clear(nd);
	err = find_object(nd, what, path, NDIV_PATH_LEN);
	if (!err)
		err = ndiv_read_info(path, info, nd->err, sizeof(nd->err));
	return err;
}

int ndiv_attach(struct ndiv *nd, const char *what, const struct ndiv_attach_opts *o)
{
	char path[NDIV_PATH_LEN] = "", opts[NDIV_OPTS_LEN];
	struct ndiv_info info;
	struct table tab;
	int err;

	err = look_up(nd, what, path, &info);
	if (!err)
		err = option_join(nd, "", o ? o->options : NULL, o ? o->option_count : 0, opts, sizeof(opts));
	if (!err)
		err = option_check(nd, &info, opts);
	if (err)
		return err;
	err = begin(nd, &tab);
	if (err >= 0)
		err = attach_locked(nd, &tab, path, &info, o, opts);
	return end(nd, &tab, err);
}

static int not_attached(struct ndiv *nd, const char *name)
{
	return fail(nd, ENOENT, "handler %s is not attached (`ndiv show %s` lists those that are)", name, nd->ifname);
}

/* The object that is to replace handler <what>: its own, or the one named. Fills <info>; returns the handler's id, or
 * -errno. */
static int find_replacement(struct ndiv *nd, const struct table *tab, const char *what, char *path,
			    struct ndiv_info *info)
{
	int id = is_path(what) ? 0 : table_find(tab, what), err;

	if (!id && !is_path(what))
		return not_attached(nd, what);
	if (id)
		snprintf(path, NDIV_PATH_LEN, "%s", tab->e[id].path);
	else
		find_object(nd, what, path, NDIV_PATH_LEN);
	err = nd->err[0] ? -ENOENT : ndiv_read_info(path, info, nd->err, sizeof(nd->err));
	if (err)
		return err;
	id = table_find(tab, info->name);
	return id ? id : not_attached(nd, info->name);
}

static int replace_locked(struct ndiv *nd, struct table *tab, const char *what, const struct ndiv_attach_opts *o,
			  int keep)
{
	char path[NDIV_PATH_LEN] = "", opts[NDIV_OPTS_LEN];
	struct ndiv_info info;
	int id, err;

	id = find_replacement(nd, tab, what, path, &info);
	if (id < 0)
		return id;
	err = option_join(nd, keep ? tab->e[id].opts : "", o ? o->options : NULL, o ? o->option_count : 0, opts,
			  sizeof(opts));
	return err ? err : install(nd, tab, id, path, opts);
}

int ndiv_replace(struct ndiv *nd, const char *what, const struct ndiv_attach_opts *o, int keep)
{
	struct table tab;
	int err;

	err = begin(nd, &tab);
	if (!err)
		err = not_attached(nd, what);
	if (err > 0)
		err = replace_locked(nd, &tab, what, o, keep);
	return end(nd, &tab, err);
}

static int remove_one(struct ndiv *nd, struct table *tab, int id)
{
	struct ndiv_entry before = tab->e[id];
	char dir[DIR_LEN];
	int err;

	memset(&tab->e[id], 0, sizeof(tab->e[id]));
	err = table_write(nd, tab, id);
	if (!err)
		err = chain_apply(nd, tab, 0);
	if (err) {
		tab->e[id] = before;
		put_back(nd, tab);
		table_write(nd, tab, id);
		return err;
	}
	handler_dir(nd, id, 0, dir);
	drop_dir(dir);
	return close_ranks(nd, tab);
}

int ndiv_detach(struct ndiv *nd, const char *name)
{
	struct table tab;
	int err, id = 0;

	err = begin(nd, &tab);
	if (nd->lock < 0)
		return err;
	if (err > 0 && name) {
		id = table_find(&tab, name);
		err = 0;
		if (!id)
			warn(nd, "handler %s is not attached: nothing to do", name);
		else if (table_count(&tab) > 1)
			err = remove_one(nd, &tab, id);
	}
	/* Whole: all was asked for, or the last one, or what is there cannot be read (another version of ndiv). */
	if (!name || (!err && id && tab.e[id].used))
		core_down(nd);
	return end(nd, &tab, name && err < 0 ? err : 0);
}

/* The table's order as <names> say; each one must be named once. */
static int reorder(struct ndiv *nd, struct table *tab, const char *const *names, size_t count)
{
	char seen[NDIV_HANDLERS_MAX] = {};
	size_t i;
	int id;

	if (count != table_count(tab))
		return fail(nd, EINVAL, "%zu handlers are named, %zu are attached: name each one once", count,
			    table_count(tab));
	for (i = 0; i < count; i++) {
		id = table_find(tab, names[i]);
		if (!id)
			return not_attached(nd, names[i]);
		if (seen[id]++)
			return fail(nd, EINVAL, "handler %s is named twice", names[i]);
		tab->e[id].order = i;
	}
	return 0;
}

int ndiv_order(struct ndiv *nd, const char *const *names, size_t count)
{
	struct table tab;
	unsigned int id;
	int err;

	err = begin(nd, &tab);
	if (!err)
		err = fail(nd, ENOENT, "ndiv is not attached");
	if (err > 0)
		err = reorder(nd, &tab, names, count);
	if (!err)
		err = chain_apply(nd, &tab, 0);
	for (id = 1; id < NDIV_HANDLERS_MAX && !err; id++)
		if (tab.e[id].used)
			err = table_write(nd, &tab, id);
	return end(nd, &tab, err);
}

/* Stores <value> into the word at <offset> of the configuration. */
static int store(struct ndiv *nd, size_t offset, __u32 value)
{
	struct ndiv_conf *conf;
	struct table tab;
	int err;

	err = begin(nd, &tab);
	if (!err)
		err = fail(nd, ENOENT, "ndiv is not attached");
	if (err > 0) {
		conf = conf_map(nd->dir);
		err = conf ? 0 : fail(nd, errno, "cannot map %s/conf: %s", nd->dir, strerror(errno));
		if (conf)
			__atomic_store_n((__u32 *)((char *)conf + offset), value, __ATOMIC_RELAXED);
		conf_unmap(conf);
	}
	return end(nd, &tab, err);
}

int ndiv_drop_malformed(struct ndiv *nd, int drop)
{
	return store(nd, offsetof(struct ndiv_conf, drop_malformed), !!drop);
}

int ndiv_sample(struct ndiv *nd, unsigned int one_in)
{
	clear(nd);
	if (one_in & (one_in - 1))
		return fail(nd, ERANGE, "%u is no power of two", one_in);
	return store(nd, offsetof(struct ndiv_conf, sample), one_in - 1);
}

/* A change that is made elsewhere: calls <fn> while no other one can be made. <tab> is NULL if ndiv is not attached. */
int change_by(struct ndiv *nd, int (*fn)(struct ndiv *nd, const struct table *tab, const void *arg), const void *arg)
{
	struct table tab;
	int err;

	err = begin(nd, &tab);
	if (err >= 0)
		err = fn(nd, err ? &tab : NULL, arg);
	return end(nd, &tab, err);
}

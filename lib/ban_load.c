// SPDX-License-Identifier: GPL-2.0-only
/*
 * ban_load.c - bans of an attached shield: set, lifted, listed, saved
 *
 * The table is made when the first ban is set, or a policy is loaded that has rules which ban; as large as the
 * handler's option says. If that is another size by then, there is a new table, and the bans go on in it.
 */
#define _GNU_SOURCE	/* mkostemp() */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "ban.h"

/* --- clocks */

/* The same moment by both clocks. */
struct now {
	__u64	own;			/* ms of shield's clock */
	__u32	tick;			/* ... of the table */
	__u64	ms;			/* since 1970 */
};

static int now_read(struct ndiv *nd, const char *dir, struct now *now)
{
	struct shield_clock *clock = shield_section(dir, "m__data_clock", sizeof(*clock), PROT_READ);

	if (!clock)
		return shield_other(nd);
	now->own = shield_ms(clock_ns(CLOCK_MONOTONIC) + clock->skew);
	now->tick = ban_tick(now->own);
	now->ms = clock_ns(CLOCK_REALTIME) / 1000000;
	munmap(clock, sizeof(*clock));
	return 0;
}

/* The end of a ban until <end> (ms since 1970); 0: it is over. */
static __u32 until_of(const struct now *now, __u64 end)
{
	__u64 until;

	if (end == BAN_ENDLESS)
		return BAN_FOREVER;
	if (end <= now->ms)
		return 0;
	until = (now->own + end - now->ms + (1 << BAN_TICK_SHIFT) - 1) >> BAN_TICK_SHIFT;
	return until < BAN_FOREVER ? until : BAN_FOREVER - 1;
}

static __u64 left_ms(const struct now *now, __u32 until)
{
	return ((__u64)until << BAN_TICK_SHIFT) - now->own;
}

/* --- the table of a handler */

static int unreadable(struct ndiv *nd, int err)
{
	if (err == -EPERM)
		return fail(nd, EPERM, "CAP_SYS_ADMIN is missing, to read what is banned: run it as root (sudo)");
	return fail(nd, -err, "cannot read the table of bans: %s", err_text(err));
}

static int slot_open(struct ndiv *nd, const char *dir)
{
	int slot = pin_get(dir, "m_shield_bans");

	return slot < 0 ? shield_other(nd) : slot;
}

/* The option "bans" of a shield described by <info>, whose options are in the map <config>. */
static int option_read(struct ndiv *nd, const struct ndiv_info *info, int config, __u32 *bans)
{
	struct bpf_map_info map = {};
	__u32 len = sizeof(map), zero = 0;
	char values[CONFIG_MAX];
	int i, err;

	err = bpf_obj_get_info_by_fd(config, &map, &len) || map.value_size > sizeof(values) ||
	      bpf_map_lookup_elem(config, &zero, values);
	for (i = 0; i < NDIV_OPTIONS_MAX && !err; i++) {
		if (strcmp(info->options[i].name, "bans") || info->options[i].type != NDIV_OPT_U32 ||
		    info->options[i].offset + sizeof(*bans) > map.value_size)
			continue;
		memcpy(bans, values + info->options[i].offset, sizeof(*bans));
		return 0;
	}
	return shield_other(nd);
}

/* The same of an attached one. */
static int option_pinned(struct ndiv *nd, const struct table *tab, const char *dir, __u32 *bans)
{
	int fd = pin_get(dir, "m__rodata_config"), err;

	if (fd < 0)
		return shield_other(nd);
	err = option_read(nd, &tab->e[table_find(tab, "shield")].info, fd, bans);
	close(fd);
	return err;
}

struct copy {
	struct ban_view *to;
	__u32	tick;
};

static int copy_one(const struct ban *ban, void *arg)
{
	struct copy *c = arg;

	return ban_put(c->to, ban, c->tick) >= BAN_PUT_LENGTHS;
}

static int too_small(struct ndiv *nd, const struct ban_view *old, __u32 tick)
{
	return fail(nd, ENOSPC,
		    "the %zu bans that there are have no room in a table as small as shield's option bans says: "
		    "`ndiv replace --keep %s shield bans=N` with a larger N",
		    ban_count(old, tick), nd->ifname);
}

/* Puts a new table of <buckets> into <slot>, with the bans of <v>, which is replaced by it. */
static int table_new(struct ndiv *nd, int slot, __u32 buckets, __u32 tick, struct ban_view *v)
{
	struct ban_view old = *v;
	struct copy c = { v, tick };
	__u32 zero = 0;
	int fd = ban_make(nd, buckets, NULL, v), err = fd < 0 ? fd : 0;

	if (!err && old.len && ban_each(&old, tick, copy_one, &c))
		err = too_small(nd, &old, tick);
	if (!err && bpf_map_update_elem(slot, &zero, &fd, BPF_ANY))
		err = fail(nd, errno, "cannot put the table of bans to work: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	if (!err && old.len) {
		/* what rules have banned meanwhile */
		wait_for_packets();
		ban_each(&old, tick, copy_one, &c);
	}
	ban_close(&old);
	if (err)
		ban_close(v);
	return err;
}

/* The table, made or made anew if need be. */
static int table_ready(struct ndiv *nd, const struct table *tab, const char *dir, __u32 tick, struct ban_view *v)
{
	int slot = slot_open(nd, dir), err;
	__u32 bans = 0;

	if (slot < 0)
		return slot;
	err = option_pinned(nd, tab, dir, &bans);
	if (!err) {
		err = ban_view(slot, PROT_READ | PROT_WRITE, v);
		if (err && err != -ENOENT && err != -EPROTO)
			err = unreadable(nd, err);
		else if (err || v->head->mask + 1 != ban_buckets(bans))
			err = table_new(nd, slot, ban_buckets(bans), tick, v);
	}
	close(slot);
	return err;
}

/* A table for a shield that is attached to nothing, into its <slot>. */
int bans_alone(struct ndiv *nd, const struct ndiv_info *info, int config, int slot)
{
	struct ban_view v = { 0 };
	__u32 bans;
	int err = option_read(nd, info, config, &bans);

	if (!err)
		err = table_new(nd, slot, ban_buckets(bans), 0, &v);
	ban_close(&v);
	return err;
}

/* That of an attached one, to be closed in any case, and the time. */
static int open_ready(struct ndiv *nd, const struct table *tab, struct now *now, struct ban_view *v)
{
	char dir[DIR_LEN];
	int err = shield_dir(nd, tab, dir);

	if (!err)
		err = now_read(nd, dir, now);
	return err ? err : table_ready(nd, tab, dir, now->tick, v);
}

/* For a policy that bans. */
int bans_ready(struct ndiv *nd, const struct table *tab)
{
	struct ban_view v = { 0 };
	struct now now;
	int err = open_ready(nd, tab, &now, &v);

	ban_close(&v);
	return err;
}

/* --- text of a ban */

static void prefix_text(__u64 addr, __u8 shape, char *text, size_t len)
{
	__u64 be[2] = { htobe64(addr) };
	__u32 v6 = BAN_SHAPE_V6(shape);

	inet_ntop(v6 ? AF_INET6 : AF_INET, be, text, len);
	if (shape != BAN_HOST4)
		snprintf(text + strlen(text), len - strlen(text), "/%u", BAN_SHAPE_LEN(shape));
}

/* --- ban */

struct order {
	const struct ban_list *list;
	struct ndiv_ban_result *result;
};

static int refused(struct ndiv *nd, const struct ban *ban, enum ban_put put, size_t done)
{
	char text[NDIV_BAN_PREFIX], before[48] = "";

	prefix_text(ban->addr, ban->shape, text, sizeof(text));
	if (done)
		snprintf(before, sizeof(before), "; the %zu before it are set", done);
	if (put == BAN_PUT_LENGTHS)
		return fail(nd, ENOSPC,
			    "cannot ban %s: there are bans of prefixes of %d other lengths, which is all that each "
			    "packet can be looked up by: ban hosts, or deny it in a policy%s",
			    text, BAN_LENGTHS - 1, before);
	return fail(nd, ENOSPC,
		    "cannot ban %s: all places that it can have are those of others, which people have set: `ndiv "
		    "replace --keep %s shield bans=N` makes a larger table%s",
		    text, nd->ifname, before);
}

static int put_all(struct ndiv *nd, struct ban_view *v, const struct now *now, const struct order *o)
{
	const struct ban_wish *w = o->list->w, *end = w + o->list->count;
	struct ndiv_ban_result *r = o->result;
	enum ban_put put;
	struct ban ban;

	for (; w < end; w++) {
		ban = (struct ban){ w->addr, until_of(now, w->end), w->line, w->shape };
		if (!ban.until) {
			r->over++;
			continue;
		}
		put = ban_put(v, &ban, now->tick);
		if (put >= BAN_PUT_LENGTHS)
			return refused(nd, &ban, put, r->set);
		r->set++;
		r->evicted += put == BAN_PUT_EVICTED;
	}
	return 0;
}

static int ban_locked(struct ndiv *nd, const struct table *tab, const void *arg)
{
	struct ban_view v = { 0 };
	struct now now;
	int err = open_ready(nd, tab, &now, &v);

	if (!err)
		err = put_all(nd, &v, &now, arg);
	ban_close(&v);
	return err;
}

static int wrong_arg(struct ndiv *nd, const char *word, const char *wrong)
{
	return fail(nd, EINVAL, "\"%s\" %s", word, wrong);
}

/* <time>: NULL: 0. */
static int time_arg(struct ndiv *nd, const char *time, __u64 *ms)
{
	const char *wrong;

	*ms = 0;
	wrong = time ? ban_time(time, strlen(time), ms) : NULL;
	return wrong ? wrong_arg(nd, time, wrong) : 0;
}

int ndiv_ban(struct ndiv *nd, const char *prefix, const char *time)
{
	struct ban_wish w = { 0 };
	struct ban_list list = { .w = &w, .count = 1 };
	struct ndiv_ban_result result = { 0 };
	struct order o = { &list, &result };
	const char *wrong;
	__u64 ms;
	int err;

	clear(nd);
	err = time_arg(nd, time, &ms);
	if (err)
		return err;
	wrong = ban_prefix(prefix, strlen(prefix), &w.addr, &w.shape);
	if (wrong)
		return wrong_arg(nd, prefix, wrong);
	w.end = ms == BAN_ENDLESS ? ms : clock_ns(CLOCK_REALTIME) / 1000000 + ms;
	return change_by(nd, ban_locked, &o);
}

int ndiv_ban_file(struct ndiv *nd, const char *path, const char *time, struct ndiv_ban_result *result)
{
	struct ban_list list = { 0 };
	struct ndiv_ban_result r = { 0 };
	struct order o = { &list, &r };
	char *text = NULL;
	size_t len = 0;
	__u64 ms;
	int err;

	clear(nd);
	err = time_arg(nd, time, &ms);
	if (!err)
		err = file_load(nd, path, &text, &len);
	if (!err)
		err = ban_parse(nd, path, text, len, clock_ns(CLOCK_REALTIME) / 1000000, ms, &list);
	free(text);
	if (!err)
		err = change_by(nd, ban_locked, &o);
	free(list.w);
	if (!err)
		*result = r;
	return err;
}

/* --- unban */

static int not_banned(struct ndiv *nd, const struct ban_view *v, const struct now *now, const struct ban_wish *w)
{
	char text[NDIV_BAN_PREFIX], holder[NDIV_BAN_PREFIX];
	__u8 by;

	prefix_text(w->addr, w->shape, text, sizeof(text));
	if (!v->len || !ban_holder(v, w->addr, w->shape, now->tick, &by))
		return fail(nd, ENOENT, "%s is not banned (`ndiv shield bans %s` lists those that are)", text,
			    nd->ifname);
	prefix_text(w->addr & ~0ULL << (64 - BAN_SHAPE_LEN(by)), by, holder, sizeof(holder));
	return fail(nd, ENOENT, "%s is not banned by itself, but %s is", text, holder);
}

/* <w>: NULL: all. */
static int lift(struct ndiv *nd, struct ban_view *v, const struct now *now, const struct ban_wish *w)
{
	if (w && (!v->len || !ban_lift(v, w->addr, w->shape, now->tick)))
		return not_banned(nd, v, now, w);
	if (!v->len)
		return 0;
	if (!w)
		ban_empty(v);
	ban_settle(v, now->tick, wait_for_packets);
	return 0;
}

static int unban_locked(struct ndiv *nd, const struct table *tab, const void *arg)
{
	struct ban_view v = { 0 };
	char dir[DIR_LEN];
	struct now now;
	int slot, err = shield_dir(nd, tab, dir);

	if (!err)
		err = now_read(nd, dir, &now);
	slot = err ? err : slot_open(nd, dir);
	if (slot < 0)
		return slot;
	err = ban_view(slot, PROT_READ | PROT_WRITE, &v);
	err = err && err != -ENOENT ? unreadable(nd, err) : lift(nd, &v, &now, arg);
	ban_close(&v);
	close(slot);
	return err;
}

int ndiv_unban(struct ndiv *nd, const char *prefix)
{
	struct ban_wish w = { 0 };
	const char *wrong;

	clear(nd);
	wrong = prefix ? ban_prefix(prefix, strlen(prefix), &w.addr, &w.shape) : NULL;
	if (wrong)
		return wrong_arg(nd, prefix, wrong);
	return change_by(nd, unban_locked, prefix ? &w : NULL);
}

/* --- what there is */

/* 0; 1: there is no table; or -errno. */
static int view_readonly(struct ndiv *nd, struct ban_view *v, struct now *now)
{
	char dir[DIR_LEN];
	int slot, err = shield_find(nd, dir);

	if (!err)
		err = now_read(nd, dir, now);
	slot = err ? err : slot_open(nd, dir);
	if (slot < 0)
		return slot;
	err = ban_view(slot, PROT_READ, v);
	close(slot);
	if (err == -ENOENT)
		return 1;
	return err ? unreadable(nd, err) : 0;
}

int ndiv_bans_state(struct ndiv *nd, struct ndiv_bans_state *state)
{
	struct ndiv_bans_state st = { 0 };
	struct ban_view v = { 0 };
	struct now now;
	int err = view_readonly(nd, &v, &now);

	if (err < 0)
		return err;
	if (!err) {
		st.count = ban_count(&v, now.tick);
		st.room = ((uint64_t)v.head->mask + 1) * (BAN_SLOTS / 2);
		st.bytes = v.len;
	}
	ban_close(&v);
	*state = st;
	return 0;
}

struct heap {
	struct ban *ban;
	size_t	count, room;
};

static int keep(const struct ban *ban, void *arg)
{
	struct heap *h = arg;
	size_t room = h->room ? 2 * h->room : 1024;
	struct ban *more;

	if (h->count == h->room) {
		more = realloc(h->ban, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		h->ban = more;
		h->room = room;
	}
	h->ban[h->count++] = *ban;
	return 0;
}

/* IPv4 first, then by address, then the shorter prefix. */
static int by_address(const void *a, const void *b)
{
	const struct ban *x = a, *y = b;

	if (BAN_SHAPE_V6(x->shape) != BAN_SHAPE_V6(y->shape))
		return BAN_SHAPE_V6(x->shape) ? 1 : -1;
	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->shape < y->shape ? -1 : x->shape > y->shape;
}

static int tell(const struct heap *h, const struct now *now, ndiv_ban_fn *fn, void *arg)
{
	struct ndiv_ban out;
	size_t i;
	int ret = 0;

	for (i = 0; i < h->count && !ret; i++) {
		/* two CPUs may have set it at once */
		if (i && !by_address(&h->ban[i], &h->ban[i - 1]))
			continue;
		memset(&out, 0, sizeof(out));
		prefix_text(h->ban[i].addr, h->ban[i].shape, out.prefix, sizeof(out.prefix));
		out.line = h->ban[i].line;
		out.forever = h->ban[i].until == BAN_FOREVER;
		out.left_ms = out.forever ? 0 : left_ms(now, h->ban[i].until);
		out.end_ms = out.forever ? 0 : now->ms + out.left_ms;
		ret = fn(&out, arg);
	}
	return ret;
}

int ndiv_bans_each(struct ndiv *nd, ndiv_ban_fn *fn, void *arg)
{
	struct ban_view v = { 0 };
	struct heap h = { 0 };
	struct now now;
	int err = view_readonly(nd, &v, &now);

	if (err)
		return err < 0 ? err : 0;
	if (ban_each(&v, now.tick, keep, &h))
		err = fail(nd, ENOMEM, "no memory");
	ban_close(&v);
	if (!err && h.count)
		qsort(h.ban, h.count, sizeof(*h.ban), by_address);
	if (!err)
		err = tell(&h, &now, fn, arg);
	free(h.ban);
	return err;
}

/* --- save */

static int save_one(const struct ndiv_ban *ban, void *arg)
{
	FILE *f = arg;

	fputs(ban->prefix, f);
	if (ban->forever)
		fputs(" forever", f);
	else
		fprintf(f, " @%" PRIu64, (ban->end_ms + 500) / 1000);
	if (ban->line)
		fprintf(f, " line:%u", ban->line);
	fputc('\n', f);
	return 0;
}

/* A new file, for nobody else's eyes. */
static FILE *open_beside(char *name)
{
	int fd = mkostemp(name, O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (fd >= 0 && !f)
		close(fd);
	return f;
}

/* A file beside it first, so that there is an old one or a new one, never half of one. */
int ndiv_bans_save(struct ndiv *nd, const char *path)
{
	struct ndiv_bans_state state;
	char beside[512];
	struct stat st;
	FILE *f;
	int err = ndiv_bans_state(nd, &state);

	if (err)
		return err;
	if (!lstat(path, &st)) {
		if (!S_ISREG(st.st_mode))
			return fail(nd, EINVAL, "%s is no file that could be replaced: name another one", path);
		/* Nobody has been banned since shield was attached: what is there waits for being set again. */
		if (!state.room)
			return 0;
	}
	if (snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= (int)sizeof(beside))
		return fail(nd, ENAMETOOLONG, "%s: the name is too long", path);
	f = open_beside(beside);
	if (!f)
		return fail(nd, errno, "cannot write %s: %s", path, strerror(errno));
	err = ndiv_bans_each(nd, save_one, f);
	if (!err && (ferror(f) || fflush(f) || fsync(fileno(f))))
		err = fail(nd, errno, "cannot write %s: %s", path, strerror(errno));
	if (fclose(f) && !err)
		err = fail(nd, errno, "cannot write %s: %s", path, strerror(errno));
	if (!err && rename(beside, path))
		err = fail(nd, errno, "cannot replace %s: %s", path, strerror(errno));
	if (err)
		unlink(beside);
	return err;
}

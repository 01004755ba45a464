// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_load.c - policies into the maps of shield, and out of them
 *
 * An image is a map of its own, which is complete before the slot points to it. Counters and buckets have two banks, so
 * those of the new policy are 0 before, and packets that still meet the old one count where they did.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "ban.h"
#include "policy.h"

/* --- read, and what it would be */

static int copy_error(const struct ndiv *nd, int ret, char *err, size_t err_len)
{
	if (ret && err && err_len)
		snprintf(err, err_len, "%s", nd->err);
	return ret;
}

int ndiv_policy_read(struct ndiv_policy **out, const char *path, char *err, size_t err_len)
{
	struct ndiv_policy *p = calloc(1, sizeof(*p));
	struct ndiv nobody = { .lock = -1 };
	char *text = NULL;
	size_t len = 0;
	int ret;

	ret = p ? file_load(&nobody, path, &text, &len) : fail(&nobody, ENOMEM, "no memory");
	if (!ret)
		ret = policy_parse(&nobody, path, text, len, p);
	free(text);
	if (ret)
		ndiv_policy_free(p);
	else
		*out = p;
	return copy_error(&nobody, ret, err, err_len);
}

void ndiv_policy_free(struct ndiv_policy *policy)
{
	if (policy)
		policy_free(policy);
	free(policy);
}

int ndiv_policy_size(const struct ndiv_policy *policy, struct ndiv_policy_size *size, char *err, size_t err_len)
{
	struct ndiv nobody = { .lock = -1 };
	const struct policy_head *head;
	struct image img;
	int ret = image_make(&nobody, policy, 0, &img);

	if (ret)
		return copy_error(&nobody, ret, err, err_len);
	head = image_at(&img, 0);
	size->rules = head->count;
	size->prefixes = head->prefixes;
	size->bytes = (uint64_t)img.count * POLICY_LINE;
	image_drop(&img);
	return 0;
}

int ndiv_policy_rules(const struct ndiv_policy *policy, ndiv_policy_fn *fn, void *arg)
{
	struct ndiv_policy_rule rule;
	unsigned int r;
	int ret = 0;

	for (r = 1; r <= policy->rule_count && !ret; r++) {
		memset(&rule, 0, sizeof(rule));
		rule.line = policy->rule[r].line;
		rule.dry = policy->dry || policy->rule[r].dry;
		memcpy(rule.text, policy->rule[r].text, sizeof(rule.text));
		ret = fn(&rule, arg);
	}
	return ret;
}

/* --- an image in the kernel */

struct view {
	const __u8 *line;
	size_t	len;
	const struct policy_head *head;
};

static void view_close(struct view *v)
{
	if (v->line)
		munmap((void *)v->line, v->len);
}

static int view_sound(const struct view *v)
{
	const struct policy_head *h = v->head;
	__u64 lines = v->len / POLICY_LINE;

	return h->magic == POLICY_MAGIC && h->lines == lines && h->count < POLICY_RULES && h->bank < POLICY_BANKS &&
	       (__u64)h->texts + 4ULL * (h->count + 1) <= lines && (__u64)h->rules + h->count / 2 + 1 <= lines;
}

/* The image that is at work. 0, -ENOENT: there is none, or -errno. */
static int view_open(int slot, struct view *v)
{
	__u32 lines;
	int fd;
	void *p;

	memset(v, 0, sizeof(*v));
	fd = slot_map(slot, POLICY_LINE, sizeof(struct policy_head) / POLICY_LINE, &lines);
	if (fd < 0)
		return fd;
	v->len = (size_t)lines * POLICY_LINE;
	p = mmap(NULL, v->len, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return -errno;
	v->line = p;
	v->head = p;
	if (view_sound(v))
		return 0;
	view_close(v);
	return -EPROTO;
}

/* A map of <img>: fd, or -errno. */
static int image_load(struct ndiv *nd, const struct image *img)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	size_t len = (size_t)img->count * POLICY_LINE;
	int fd, err;
	void *p;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "shield_image", sizeof(__u32), POLICY_LINE, img->count, &opts);
	if (fd < 0)
		return fail(nd, errno, "cannot create a map of %zu bytes for the policy: %s", len, strerror(errno));
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		err = fail(nd, errno, "cannot map %zu bytes of the policy: %s", len, strerror(errno));
		close(fd);
		return err;
	}
	memcpy(p, img->line, len);
	munmap(p, len);
	return fd;
}

/* --- the handler's maps */

static void maps_close(struct policy_maps *m)
{
	if (m->slot >= 0)
		close(m->slot);
	if (m->counts >= 0)
		close(m->counts);
	if (m->buckets >= 0)
		close(m->buckets);
}

static int maps_open(struct ndiv *nd, const char *dir, struct policy_maps *m)
{
	m->slot = pin_get(dir, "m_shield_policy");
	m->counts = pin_get(dir, "m_shield_rules");
	m->buckets = pin_get(dir, "m_shield_buckets");
	if (m->slot >= 0 && m->counts >= 0 && m->buckets >= 0)
		return 0;
	maps_close(m);
	return shield_other(nd);
}

/* Counters and buckets of <bank> begin anew. */
static int bank_clear(struct ndiv *nd, const struct policy_maps *m, __u32 bank)
{
	int cpus = libbpf_num_possible_cpus(), err = 0;
	struct policy_count *zeros = calloc(cpus > 0 ? cpus : 1, sizeof(*zeros));
	const struct policy_bucket full = { 0 };
	__u32 i;

	if (!zeros || cpus < 0) {
		free(zeros);
		return fail(nd, ENOMEM, "no memory");
	}
	for (i = bank * POLICY_RULES; i < (bank + 1) * POLICY_RULES && !err; i++)
		if (bpf_map_update_elem(m->counts, &i, zeros, BPF_ANY) ||
		    bpf_map_update_elem(m->buckets, &i, &full, BPF_ANY))
			err = fail(nd, errno, "cannot reset the counters of rules: %s", strerror(errno));
	free(zeros);
	return err;
}

static int unreadable(struct ndiv *nd, int err)
{
	if (err == -EPERM)
		return fail(nd, EPERM, "CAP_SYS_ADMIN is missing, to read what is loaded: run it as root (sudo)");
	return fail(nd, -err, "cannot read the policy that is at work: %s; `ndiv shield unload %s` removes it",
		    err_text(err), nd->ifname);
}

/* The bank that nobody uses. */
static int bank_free(struct ndiv *nd, const struct policy_maps *m, __u32 *bank)
{
	struct view old;
	int err = view_open(m->slot, &old);

	*bank = 0;
	if (err)
		return err == -ENOENT || err == -EPROTO ? 0 : unreadable(nd, err);
	*bank = !old.head->bank;
	view_close(&old);
	return 0;
}

/* Puts <policy> to work. 0, or -errno: then the old one stays. */
int policy_put(struct ndiv *nd, const struct policy_maps *m, const struct ndiv_policy *policy)
{
	__u32 bank, zero = 0;
	struct image img;
	int err = bank_free(nd, m, &bank), fd;

	if (!err)
		err = image_make(nd, policy, bank, &img);
	if (err)
		return err;
	fd = image_load(nd, &img);
	image_drop(&img);
	if (fd < 0)
		return fd;
	err = bank_clear(nd, m, bank);
	if (!err && bpf_map_update_elem(m->slot, &zero, &fd, BPF_ANY))
		err = fail(nd, errno, "cannot put the policy to work: %s", strerror(errno));
	close(fd);
	return err;
}

static int load_locked(struct ndiv *nd, const struct table *tab, const void *policy)
{
	char dir[DIR_LEN];
	struct policy_maps m;
	__u32 zero = 0;
	int err = shield_dir(nd, tab, dir);

	if (!err)
		err = maps_open(nd, dir, &m);
	if (err)
		return err;
	if (policy && policy_bans(policy))
		err = bans_ready(nd, tab);
	if (!err && policy)
		err = policy_put(nd, &m, policy);
	else if (!err && bpf_map_delete_elem(m.slot, &zero) && errno != ENOENT)
		err = fail(nd, errno, "cannot remove the policy: %s", strerror(errno));
	maps_close(&m);
	return err;
}

int ndiv_policy_load(struct ndiv *nd, const struct ndiv_policy *policy)
{
	return change_by(nd, load_locked, policy);
}

int ndiv_policy_unload(struct ndiv *nd)
{
	return change_by(nd, load_locked, NULL);
}

/* --- what is there */

/* 0; 1: there is no policy, and nothing is open; or -errno. */
static int open_readonly(struct ndiv *nd, struct policy_maps *m, struct view *v)
{
	char dir[DIR_LEN];
	int err = shield_find(nd, dir);

	if (!err)
		err = maps_open(nd, dir, m);
	if (err)
		return err;
	err = view_open(m->slot, v);
	if (!err)
		return 0;
	maps_close(m);
	return err == -ENOENT ? 1 : unreadable(nd, err);
}

static void state_take(const struct view *v, struct ndiv_policy_state *st)
{
	st->loaded = 1;
	st->dry = !!v->head->dry;
	st->since = v->head->since;
	st->size.rules = v->head->count;
	st->size.prefixes = v->head->prefixes;
	st->size.bytes = v->len;
	memcpy(st->from, v->head->from, sizeof(st->from) - 1);
}

int ndiv_policy_state(struct ndiv *nd, struct ndiv_policy_state *state)
{
	struct ndiv_policy_state st = {};
	struct policy_maps m;
	struct view v;
	int err = open_readonly(nd, &m, &v);

	if (err < 0)
		return err;
	if (!err) {
		state_take(&v, &st);
		view_close(&v);
		maps_close(&m);
	}
	*state = st;
	return 0;
}

/* The sum over all CPUs. */
static int count_read(const struct policy_maps *m, __u32 i, struct policy_count *values, int cpus,
		      struct ndiv_policy_rule *rule)
{
	int c;

	if (bpf_map_lookup_elem(m->counts, &i, values))
		return -errno;
	for (c = 0; c < cpus; c++) {
		rule->packets += values[c].packets;
		rule->bytes += values[c].bytes;
		rule->refused += values[c].refused;
		rule->refused_bytes += values[c].refused_bytes;
	}
	return 0;
}

static int each_rule(struct ndiv *nd, const struct policy_maps *m, const struct view *v, ndiv_policy_fn *fn, void *arg)
{
	const struct policy_text *text = (const void *)(v->line + (size_t)v->head->texts * POLICY_LINE);
	int cpus = libbpf_num_possible_cpus(), ret = 0;
	struct policy_count *values = calloc(cpus > 0 ? cpus : 1, sizeof(*values));
	struct ndiv_policy_rule rule;
	__u32 r;

	if (!values || cpus < 0)
		ret = fail(nd, ENOMEM, "no memory");
	for (r = 1; r <= v->head->count && !ret; r++) {
		memset(&rule, 0, sizeof(rule));
		rule.line = text[r].line;
		rule.dry = !!text[r].dry;
		memcpy(rule.text, text[r].text, sizeof(rule.text) - 1);
		ret = count_read(m, v->head->bank * POLICY_RULES + r, values, cpus, &rule);
		ret = ret ? unreadable(nd, ret) : fn(&rule, arg);
	}
	free(values);
	return ret;
}

int ndiv_policy_each(struct ndiv *nd, ndiv_policy_fn *fn, void *arg)
{
	struct policy_maps m;
	struct view v;
	int err = open_readonly(nd, &m, &v);

	if (err)
		return err < 0 ? err : 0;
	err = each_rule(nd, &m, &v, fn, arg);
	view_close(&v);
	maps_close(&m);
	return err;
}

/* The same two of maps that are at hand. */
int policy_state(struct ndiv *nd, const struct policy_maps *m, struct ndiv_policy_state *state)
{
	struct view v;
	int err = view_open(m->slot, &v);

	memset(state, 0, sizeof(*state));
	if (err)
		return err == -ENOENT ? 0 : unreadable(nd, err);
	state_take(&v, state);
	view_close(&v);
	return 0;
}

int policy_each(struct ndiv *nd, const struct policy_maps *m, ndiv_policy_fn *fn, void *arg)
{
	struct view v;
	int err = view_open(m->slot, &v);

	if (err)
		return err == -ENOENT ? 0 : unreadable(nd, err);
	err = each_rule(nd, m, &v, fn, arg);
	view_close(&v);
	return err;
}

/*
 * Calls <fn> for each rule of the policy behind <slot>, with its number as in struct ndiv_pkt, until it returns other
 * than 0; returns that, or -errno.
 */
int policy_texts(int slot, policy_text_fn *fn, void *arg)
{
	const struct policy_text *text;
	const struct policy_rule *rule;
	struct view v;
	int ret = view_open(slot, &v);
	__u32 r;

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	text = (const void *)(v.line + (size_t)v.head->texts * POLICY_LINE);
	rule = (const void *)(v.line + (size_t)v.head->rules * POLICY_LINE);
	for (r = 1; r <= v.head->count && !ret; r++)
		ret = fn(v.head->bank * POLICY_RULES + r, &rule[r], &text[r], arg);
	view_close(&v);
	return ret;
}

/* How the rule is told behind the reason of a drop. */
void rule_text(const struct policy_text *text, char *buf, size_t len)
{
	snprintf(buf, len, ", line %u: %.*s", text->line, (int)sizeof(text->text), text->text);
}

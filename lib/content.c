// SPDX-License-Identifier: GPL-2.0-only
/*
 * content.c - loads ready-made responses into a handler's maps, switches between them, and reads them back
 *
 * ndiv/content.h has the rules. A site is a map of its own, complete before anything points to it. What follows is
 * stores of single words, so at every moment one site or the other is served.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include "content.h"

#define RETRY_MAX_S	86400

static __u32 boot_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec;
}

static __u32 now_of(const struct content_maps *maps)
{
	return __atomic_load_n(&maps->state->now, __ATOMIC_ACQUIRE);
}

/* Serves what <now> says. */
static void set_now(const struct content_maps *maps, __u32 now)
{
	maps->state->changed = boot_s();
	maps->state->changes++;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(&maps->state->now, now, __ATOMIC_RELEASE);
}

static unsigned int files_slot(__u32 now)
{
	return !!(now & NDIV_CONTENT_SLOT);
}

static unsigned int maint_slot(__u32 now)
{
	return 2 + !!(now & NDIV_CONTENT_MAINT_SLOT);
}

/* The slot for what comes next, of <first> and the one behind it: the one that is not served, or was left earlier. */
static unsigned int next_slot(const struct content_maps *maps, unsigned int first, int served, unsigned int slot)
{
	volatile __u64 *left = maps->state->left;

	if (served)
		return first + !(slot - first);
	return first + (left[first] > left[first + 1]);
}

/* --- a site's map */

/* The map in <slot>: fd, -ENOENT if it is empty, or -errno. */
static int site_fd(const struct content_maps *maps, unsigned int slot)
{
	struct bpf_map_info info = {};
	__u32 id, len = sizeof(info);
	int fd;

	if (bpf_map_lookup_elem(maps->sites, &slot, &id))
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.value_size != sizeof(struct ndiv_content_page)) {
		close(fd);
		return -EPROTO;
	}
	return fd;
}

static int read_page(int fd, __u32 nr, struct ndiv_content_page *page)
{
	return bpf_map_lookup_elem(fd, &nr, page) ? -errno : 0;
}

static int site_unreadable(struct ndiv *nd, unsigned int slot, int err)
{
	if (err == -EPERM)
		return fail(nd, EPERM, "CAP_SYS_ADMIN is missing, to read what is loaded: run it as root (sudo)");
	return fail(nd, -err,
		    "cannot read the content in slot %u: %s; was it loaded by another version of ndiv? Detach "
		    "and attach the handler",
		    slot, err_text(err));
}

/* The directory in <slot>: to be freed. *<out> is NULL if the slot is empty. */
static int read_dir(struct ndiv *nd, const struct content_maps *maps, unsigned int slot, struct ndiv_content_dir **out)
{
	struct ndiv_content_page *page;
	int fd = site_fd(maps, slot), err;

	*out = NULL;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return site_unreadable(nd, slot, fd);
	page = malloc(sizeof(*page));
	err = page ? read_page(fd, 0, page) : -ENOMEM;
	close(fd);
	if (!err && ((struct ndiv_content_dir *)page)->magic != NDIV_CONTENT_MAGIC)
		err = -EPROTO;
	if (err) {
		free(page);
		return site_unreadable(nd, slot, err);
	}
	((struct ndiv_content_dir *)page)->from[NDIV_CONTENT_DIR_LEN - 1] = 0;
	*out = (struct ndiv_content_dir *)page;
	return 0;
}

/* Makes a map of <img>: fd. */
static int load_image(struct ndiv *nd, const struct image *img, const struct progress *progress)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	struct ndiv_content_page *page = malloc(sizeof(*page));
	__u32 count = image_pages(img), nr;
	int fd, err = 0;

	if (!page)
		return fail(nd, ENOMEM, "no memory");
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "content_site", sizeof(__u32), sizeof(*page), count, &opts);
	for (nr = 0; nr < count && fd >= 0 && !err; nr++) {
		image_page(img, nr, page);
		err = bpf_map_update_elem(fd, &nr, page, BPF_ANY) ? errno : 0;
		if (progress->fn)
			progress->fn("load", nr + 1, count, progress->arg);
	}
	free(page);
	if (fd < 0)
		return fail(nd, errno, "cannot create a map of %u pages of %zu bytes: %s", count, sizeof(*page),
			    strerror(errno));
	if (!err)
		return fd;
	close(fd);
	return fail(nd, err, "cannot load page %u of %u: %s", nr, count, strerror(err));
}

/* Counters of the ids of <slot> begin anew. */
static int clear_hits(struct ndiv *nd, const struct content_maps *maps, unsigned int slot)
{
	unsigned int first = slot < 2 ? 0 : NDIV_CONTENT_FILES,
		     last = slot < 2 ? NDIV_CONTENT_FILES : NDIV_CONTENT_HALF;
	int cpus = libbpf_num_possible_cpus(), err = 0;
	__u64 *zeros = calloc(cpus > 0 ? cpus : 1, sizeof(*zeros));
	__u32 id;

	if (!zeros || cpus < 0) {
		free(zeros);
		return fail(nd, ENOMEM, "no memory");
	}
	for (id = first; id < last && !err; id++)
		if (bpf_map_update_elem(maps->hits, &(__u32){ id + (slot & 1) * NDIV_CONTENT_HALF }, zeros, BPF_ANY))
			err = fail(nd, errno, "cannot reset counters: %s", strerror(errno));
	free(zeros);
	return err;
}

/* The key of the hashes of URLs, once. */
static int make_key(struct ndiv *nd, const struct content_maps *maps, __u64 *key)
{
	volatile struct ndiv_content *state = maps->state;

	if (!state->key[0] && !state->key[1]) {
		if (getrandom(key, 16, 0) != 16)
			return fail(nd, errno, "no random numbers: %s", strerror(errno));
		state->key[0] = key[0];
		state->key[1] = key[1] | 1;
	}
	key[0] = state->key[0];
	key[1] = state->key[1];
	return 0;
}

/* Puts <site> into <slot>, which is not being served. */
int content_put(struct ndiv *nd, const struct content_maps *maps, unsigned int slot, const struct site *site,
		__u32 retry_s, const struct progress *progress)
{
	struct ndiv_content_dir *old = NULL;
	struct image_for f = {
		.first = slot < 2 ? 0 : NDIV_CONTENT_FILES,
		.last = slot < 2 ? NDIV_CONTENT_FILES : NDIV_CONTENT_HALF,
		.left_s = maps->state->left[slot],
		.now_s = boot_s(),
		.retry_s = retry_s,
	};
	struct image img = {};
	__u64 key[2];
	int err, fd;

	f.key = key;
	err = make_key(nd, maps, key);
	if (!err)
		err = read_dir(nd, maps, slot, &old);
	f.old = old;
	if (!err)
		err = image_build(nd, site, &f, &img);
	free(old);
	if (err)
		return err;
	fd = load_image(nd, &img, progress);
	image_free(&img);
	if (fd < 0)
		return fd;
	err = clear_hits(nd, maps, slot);
	if (!err && bpf_map_update_elem(maps->sites, &slot, &fd, BPF_ANY))
		err = fail(nd, errno, "cannot put the content into slot %u: %s", slot, strerror(errno));
	close(fd);
	return err;
}

/* Takes away what is in <slot>, but for which ids have to rest. */
static int empty_slot(struct ndiv *nd, const struct content_maps *maps, unsigned int slot)
{
	static const struct progress quiet;
	static const struct site nothing;
	__u32 id;

	if (bpf_map_lookup_elem(maps->sites, &slot, &id))
		return errno == ENOENT ? 0 : site_unreadable(nd, slot, -errno);
	return content_put(nd, maps, slot, &nothing, 0, &quiet);
}

/* Serves <site> instead of what is served; NULL: no files, and those that were are taken away. */
int content_serve(struct ndiv *nd, const struct content_maps *maps, const struct site *site,
		  const struct progress *progress)
{
	__u32 now = now_of(maps), next = now & ~(NDIV_CONTENT_ON | NDIV_CONTENT_SLOT);
	unsigned int slot = next_slot(maps, 0, now & NDIV_CONTENT_ON, files_slot(now));
	int err = 0;

	if (site)
		err = content_put(nd, maps, slot, site, 0, progress);
	if (err)
		return err;
	if (site)
		next |= NDIV_CONTENT_ON | (slot ? NDIV_CONTENT_SLOT : 0);
	if (now & NDIV_CONTENT_ON)
		maps->state->left[!slot] = boot_s();
	set_now(maps, next);
	if (!site)
		err = empty_slot(nd, maps, 0);
	if (!site && !err)
		err = empty_slot(nd, maps, 1);
	return err;
}

/* Serves the page in <page> for every request; NULL: no longer. */
int content_maintain(struct ndiv *nd, const struct content_maps *maps, const struct site *page, __u32 retry_s)
{
	static const struct progress quiet;
	__u32 now = now_of(maps), next = now & (NDIV_CONTENT_ON | NDIV_CONTENT_SLOT);
	unsigned int slot = next_slot(maps, 2, now & NDIV_CONTENT_MAINT, maint_slot(now));
	struct ndiv_content_dir *dir = NULL;
	int err = 0;

	if (page)
		err = content_put(nd, maps, slot, page, retry_s, &quiet);
	if (!err && page)
		err = read_dir(nd, maps, slot, &dir);
	if (err)
		return err;
	if (page)
		next |= NDIV_CONTENT_MAINT | (slot == 3 ? NDIV_CONTENT_MAINT_SLOT : 0) |
			(dir->error[503 - NDIV_CONTENT_STATUS] - 1U) << NDIV_CONTENT_MAINT_ID;
	free(dir);
	if (now & NDIV_CONTENT_MAINT)
		maps->state->left[5 - slot] = boot_s();
	set_now(maps, next);
	return 0;
}

/* --- the maps of a handler */

static void close_maps(struct content_maps *maps)
{
	if (maps->sites >= 0)
		close(maps->sites);
	if (maps->hits >= 0)
		close(maps->hits);
	if (maps->state)
		munmap((void *)maps->state, sizeof(*maps->state));
}

static int open_maps(struct ndiv *nd, const char *handler, const char *dir, int prot, struct content_maps *maps)
{
	int fd, err = 0;
	void *p;

	maps->state = NULL;
	maps->sites = pin_get(dir, "m_content_sites");
	maps->hits = pin_get(dir, "m_content_hits");
	fd = pin_get(dir, "m__data_content");
	if (maps->sites < 0 || maps->hits < 0 || fd < 0)
		err = fail(nd, EOPNOTSUPP, "handler %s serves no content: it has no map for it", handler);
	p = err ? MAP_FAILED : mmap(NULL, sizeof(*maps->state), prot, MAP_SHARED, fd, 0);
	if (!err && p == MAP_FAILED)
		err = fail(nd, errno, "cannot map %s/m__data_content: %s", dir, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (!err)
		maps->state = p;
	else
		close_maps(maps);
	return err;
}

static int not_attached(struct ndiv *nd, const char *handler)
{
	return fail(nd, ENOENT, "ndiv is not attached: `ndiv attach %s %s`", nd->ifname, handler);
}

/* The maps of handler <name> in <tab>. */
static int find_maps(struct ndiv *nd, const struct table *tab, const char *name, int prot, struct content_maps *maps)
{
	char dir[DIR_LEN];
	int id = table_find(tab, name);

	if (!id)
		return fail(nd, ENOENT, "handler %s is not attached: `ndiv attach %s %s`", name, nd->ifname, name);
	handler_dir(nd, id, 0, dir);
	return open_maps(nd, name, dir, prot, maps);
}

/* What a change does. */
struct change {
	const char *handler;
	const struct site *site;	/* of its files; NULL: none */
	const struct site *page;	/* maintenance */
	int	maintain;		/* it is about <page> */
	__u32	retry_s;
	struct progress progress;
};

static int change_locked(struct ndiv *nd, const struct table *tab, const void *arg)
{
	const struct change *c = arg;
	struct content_maps maps;
	int err;

	if (!tab)
		return not_attached(nd, c->handler);
	err = find_maps(nd, tab, c->handler, PROT_READ | PROT_WRITE, &maps);
	if (err)
		return err;
	if (c->maintain)
		err = content_maintain(nd, &maps, c->page, c->retry_s);
	else
		err = content_serve(nd, &maps, c->site, &c->progress);
	close_maps(&maps);
	return err;
}

static int change(struct ndiv *nd, const struct change *c)
{
	return change_by(nd, change_locked, c);
}

int ndiv_content_root(struct ndiv *nd, const char *handler, const char *dir, ndiv_progress_fn *fn, void *arg)
{
	struct change c = { .handler = handler, .progress = { fn, arg } };
	struct site site;
	int err;

	clear(nd);
	err = site_read(nd, dir, &c.progress, &site);
	if (err)
		return err;
	c.site = &site;
	err = change(nd, &c);
	site_free(&site);
	return err;
}

int ndiv_content_reload(struct ndiv *nd, const char *handler, ndiv_progress_fn *fn, void *arg)
{
	struct ndiv_content_state st;
	int err = ndiv_content_state(nd, handler, &st);

	if (err)
		return err;
	if (!st.on)
		return fail(nd, ENOENT, "no files are loaded: `ndiv %s %s root DIR` does it", handler, nd->ifname);
	return ndiv_content_root(nd, handler, st.root, fn, arg);
}

int ndiv_content_clear(struct ndiv *nd, const char *handler)
{
	struct change c = { .handler = handler };

	return change(nd, &c);
}

int ndiv_content_maintenance(struct ndiv *nd, const char *handler, const char *page, unsigned int retry_s)
{
	struct change c = { .handler = handler, .maintain = 1, .retry_s = retry_s };
	struct site site;
	int err;

	clear(nd);
	if (retry_s > RETRY_MAX_S)
		return fail(nd, ERANGE, "retry after %u s: it has to be from 0 to %u", retry_s, RETRY_MAX_S);
	if (!page)
		return change(nd, &c);
	err = site_read_page(nd, page, &site);
	if (err)
		return err;
	c.page = &site;
	err = change(nd, &c);
	site_free(&site);
	return err;
}

/* --- what is there */

/* Opens the maps for reading. */
static int open_readonly(struct ndiv *nd, const char *handler, struct content_maps *maps)
{
	struct table tab;
	int err;

	clear(nd);
	if (!state_holds(nd))
		return not_attached(nd, handler);
	err = table_open(nd, &tab);
	if (err)
		return err;
	err = find_maps(nd, &tab, handler, PROT_READ, maps);
	table_close(&tab);
	return err;
}

static int read_state(struct ndiv *nd, const struct content_maps *maps, struct ndiv_content_state *st)
{
	struct ndiv_content_dir *dir = NULL;
	__u32 now = now_of(maps);
	int err = 0;

	memset(st, 0, sizeof(*st));
	if (now & NDIV_CONTENT_ON)
		err = read_dir(nd, maps, files_slot(now), &dir);
	if (!err && dir) {
		st->on = 1;
		st->since = dir->since;
		st->files = dir->count;
		st->skipped = dir->skipped;
		st->bytes = dir->bytes;
		memcpy(st->root, dir->from, sizeof(st->root));
	}
	free(dir);
	dir = NULL;
	if (!err && now & NDIV_CONTENT_MAINT)
		err = read_dir(nd, maps, maint_slot(now), &dir);
	if (!err && dir) {
		st->maintenance = 1;
		memcpy(st->page, dir->from, sizeof(st->page));
	}
	free(dir);
	return err;
}

int ndiv_content_state(struct ndiv *nd, const char *handler, struct ndiv_content_state *out)
{
	struct ndiv_content_state st;
	struct content_maps maps;
	int err = open_readonly(nd, handler, &maps);

	if (err)
		return err;
	err = read_state(nd, &maps, &st);
	close_maps(&maps);
	if (!err)
		*out = st;
	return err;
}

/* <len> bytes at <at> of the stream in map <fd>: to be freed, or NULL with errno set. */
static char *read_stream(int fd, size_t at, size_t len)
{
	struct ndiv_content_page *page = malloc(sizeof(*page));
	char *buf = calloc(1, len + 1);
	size_t done, off, n;
	int err = page && buf ? 0 : -ENOMEM;

	for (done = 0; done < len && !err; done += n) {
		off = (at + done) % NDIV_CONTENT_PAGE;
		n = NDIV_CONTENT_PAGE - off < len - done ? NDIV_CONTENT_PAGE - off : len - done;
		err = read_page(fd, 1 + (at + done) / NDIV_CONTENT_PAGE, page);
		if (!err)
			memcpy(buf + done, page->data + off, n);
	}
	free(page);
	if (!err)
		return buf;
	free(buf);
	errno = -err;
	return NULL;
}

static __u64 hits_of(const struct content_maps *maps, __u32 id)
{
	int cpus = libbpf_num_possible_cpus(), i;
	__u64 *values, sum = 0;

	values = calloc(cpus > 0 ? cpus : 1, sizeof(*values));
	if (values && cpus > 0 && !bpf_map_lookup_elem(maps->hits, &id, values))
		for (i = 0; i < cpus; i++)
			sum += values[i];
	free(values);
	return sum;
}

/* Tells <fn> of each file in <list>. */
static int each_item(struct ndiv *nd, const struct content_maps *maps, unsigned int slot, const char *list, size_t len,
		     ndiv_content_fn *fn, void *arg)
{
	struct ndiv_content_file file;
	struct item item;
	size_t pos = 0;
	int ret;

	while ((ret = list_next(list, len, &pos, &item)) > 0) {
		memset(&file, 0, sizeof(file));
		snprintf(file.url, sizeof(file.url), "%.*s", item.head.url_len, item.url);
		snprintf(file.type, sizeof(file.type), "%.*s", item.head.type_len, item.type);
		file.status = item.head.status;
		file.size = item.head.size;
		file.etag = item.head.etag;
		file.hits = hits_of(maps, (slot & 1) * NDIV_CONTENT_HALF + item.head.entry);
		ret = fn(&file, arg);
		if (ret)
			return ret;
	}
	return ret < 0 ? site_unreadable(nd, slot, -EPROTO) : 0;
}

static int each_of_slot(struct ndiv *nd, const struct content_maps *maps, unsigned int slot, ndiv_content_fn *fn,
			void *arg)
{
	struct ndiv_content_dir *dir = NULL;
	int fd = site_fd(maps, slot), err;
	char *list = NULL;

	if (fd < 0)
		return site_unreadable(nd, slot, fd);
	err = read_dir(nd, maps, slot, &dir);
	if (!err && dir->list_len > SITE_BYTES_MAX)
		err = site_unreadable(nd, slot, -EPROTO);
	if (!err) {
		list = read_stream(fd, dir->list, dir->list_len);
		err = list ? each_item(nd, maps, slot, list, dir->list_len, fn, arg)
			   : site_unreadable(nd, slot, -errno);
	}
	free(list);
	free(dir);
	close(fd);
	return err;
}

int ndiv_content_each(struct ndiv *nd, const char *handler, ndiv_content_fn *fn, void *arg)
{
	struct content_maps maps;
	int err = open_readonly(nd, handler, &maps);
	__u32 now;

	if (err)
		return err;
	now = now_of(&maps);
	if (now & NDIV_CONTENT_MAINT)
		err = each_of_slot(nd, &maps, maint_slot(now), fn, arg);
	if (!err && now & NDIV_CONTENT_ON)
		err = each_of_slot(nd, &maps, files_slot(now), fn, arg);
	close_maps(&maps);
	return err;
}

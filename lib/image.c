// SPDX-License-Identifier: GPL-2.0-only
/*
 * image.c - a site as it will be in the kernel: ndiv/content.h has the layout
 *
 * The stream is made first, in one piece; pages are cut from it when they are loaded.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "content.h"

#define KICKS	500	/* URLs that are moved to make room for one: with half of the places free, one or two do */

/* --- the stream */

/* Appends <len> bytes. Returns where they are, or below 0. */
static __s64 append(struct ndiv *nd, struct image *img, const void *p, size_t len)
{
	size_t room = img->room, at = img->len;
	__u8 *stream;

	while (at + len > room)
		room = room ? 2 * room : NDIV_CONTENT_PAGE;
	if (room != img->room) {
		stream = realloc(img->stream, room);
		if (!stream)
			return fail(nd, ENOMEM, "no memory for %zu bytes of content", room);
		img->stream = stream;
		img->room = room;
	}
	if (len)
		memcpy(img->stream + at, p, len);
	img->len += len;
	return at;
}

/* Fills up to a whole unit. */
static int align(struct ndiv *nd, struct image *img)
{
	static const __u8 zeros[NDIV_CONTENT_UNIT];
	__s64 at = append(nd, img, zeros, -img->len % NDIV_CONTENT_UNIT);

	return at < 0 ? at : 0;
}

/* --- responses */

static struct response response_of(const struct file *file, __u32 retry_s)
{
	struct response r = { .status = file->status, .type = file->type, .body = file->body, .len = file->len,
			      .to = file->to };

	if (r.status == 200)
		r.etag = response_etag(&r);
	if (r.status == 503)
		r.retry_s = retry_s;
	return r;
}

/* Appends the head of <variant>; for that with a body, the body's first bytes are part of it. */
static int put_head(struct ndiv *nd, struct image *img, const struct response *r, unsigned int variant,
		    struct ndiv_content_head *head)
{
	size_t first = variant <= NDIV_CONTENT_CLOSE ? r->len % NDIV_CONTENT_UNIT : 0, n;
	char buf[HEAD_MAX + NDIV_CONTENT_UNIT];
	__s64 at;

	n = response_head(r, variant, buf);
	if (first)
		memcpy(buf + n, r->body, first);
	at = append(nd, img, buf, n + first);
	if (at < 0)
		return at;
	head->off = at;
	head->len = n + first;
	head->status = (variant & ~NDIV_CONTENT_CLOSE) == NDIV_CONTENT_SAME ? 304 : r->status;
	return 0;
}

static int put_response(struct ndiv *nd, struct image *img, const struct response *r, struct ndiv_content_entry *e)
{
	unsigned int variant, last = r->etag ? NDIV_CONTENT_VARIANTS : NDIV_CONTENT_SAME;
	size_t first = r->len % NDIV_CONTENT_UNIT;
	int err = 0;
	__s64 at;

	for (variant = 0; variant < last && !err; variant++)
		err = put_head(nd, img, r, variant, &e->head[variant]);
	if (err)
		return err;
	at = append(nd, img, r->body + first, r->len - first);
	if (at < 0)
		return at;
	e->body = at;
	e->len = r->len - first;
	e->etag = r->etag;
	return 0;
}

/* All that a transfer of it could carry: equal prints, equal bytes. */
static __u64 print_of(const struct response *r)
{
	__u64 key[2] = { response_etag(r), r->len };
	char buf[HEAD_MAX];
	size_t n = response_head(r, NDIV_CONTENT_FULL, buf);

	return sip_hash(2, 4, key, buf, n);
}

/* --- which entry: see NDIV_CONTENT_REST_S */

static int was_used(const struct ndiv_content_dir *old, unsigned int i)
{
	return old && old->entry[i].head[NDIV_CONTENT_FULL].len;
}

/* Until when entry <i> rests, if it is not taken. */
static __u32 rest_of(const struct image_for *f, unsigned int i)
{
	if (was_used(f->old, i))
		return f->left_s + NDIV_CONTENT_REST_S;
	return f->old ? f->old->rest[i] : 0;
}

/* The entry that the same response had before, or below 0. */
static int same_entry(const struct image_for *f, const struct image *img, __u64 print)
{
	unsigned int i;

	for (i = f->first; i < f->last; i++)
		if (was_used(f->old, i) && f->old->print[i] == print && !img->dir->print[i])
			return i;
	return -1;
}

/* The free one that has rested for longest. */
static int free_entry(struct ndiv *nd, const struct image_for *f, const struct image *img)
{
	unsigned int i, best = f->last;
	__u32 rest;

	for (i = f->first; i < f->last; i++)
		if (!img->dir->print[i] && (best == f->last || rest_of(f, i) < rest_of(f, best)))
			best = i;
	if (best == f->last)
		return fail(nd, E2BIG, "more than %u responses", f->last - f->first);
	rest = rest_of(f, best);
	if (rest > f->now_s)
		return fail(nd, EAGAIN,
			    "transfers of what was there until %u s ago may be under way, and too few of the %u places "
			    "for responses are free beside them: try again in %" PRIu32 " s",
			    NDIV_CONTENT_REST_S - (rest - f->now_s), f->last - f->first, rest - f->now_s);
	return best;
}

/* Chooses entries for all files: first for those that can keep theirs. */
static int choose(struct ndiv *nd, const struct site *site, const struct image_for *f, struct image *img, int *entry)
{
	struct response r;
	__u64 *print;
	size_t i;
	int err = 0;

	print = calloc(site->count + 1, sizeof(*print));
	if (!print)
		return fail(nd, ENOMEM, "no memory");
	for (i = 0; i < site->count; i++) {
		r = response_of(&site->file[i], f->retry_s);
		print[i] = print_of(&r) | 1;
		entry[i] = same_entry(f, img, print[i]);
		if (entry[i] >= 0)
			img->dir->print[entry[i]] = print[i];
	}
	for (i = 0; i < site->count && !err; i++) {
		if (entry[i] >= 0)
			continue;
		entry[i] = free_entry(nd, f, img);
		if (entry[i] >= 0)
			img->dir->print[entry[i]] = print[i];
		else
			err = entry[i];
	}
	free(print);
	return err;
}

/* --- URLs */

static struct ndiv_content_bucket *bucket(struct ndiv_content_dir *dir, __u64 hash, int second)
{
	return &dir->bucket[(second ? hash >> 9 : hash) & (NDIV_CONTENT_BUCKETS - 1)];
}

static struct ndiv_content_url *find_url(struct ndiv_content_bucket *b, __u64 hash)
{
	size_t i;

	for (i = 0; i < NDIV_CONTENT_WAYS; i++)
		if (b->way[i].hash == hash)
			return &b->way[i];
	return NULL;
}

/* Puts <url> into one of its buckets. If both are full, it takes a place there, and who had it goes to its other one.
 */
static int put_url(struct ndiv_content_dir *dir, struct ndiv_content_url url)
{
	struct ndiv_content_url *free, out;
	struct ndiv_content_bucket *b;
	int kick;

	for (kick = 0; kick < KICKS; kick++) {
		free = find_url(bucket(dir, url.hash, 0), 0);
		if (!free)
			free = find_url(bucket(dir, url.hash, 1), 0);
		if (free) {
			*free = url;
			return 0;
		}
		b = bucket(dir, url.hash, kick & 1);
		out = b->way[kick / 2 % NDIV_CONTENT_WAYS];
		b->way[kick / 2 % NDIV_CONTENT_WAYS] = url;
		url = out;
	}
	return -ENOSPC;
}

static int add_url(struct ndiv *nd, const struct image_for *f, struct image *img, const char *path, int entry,
		   unsigned int *count)
{
	struct ndiv_content_url url = { .hash = sip_hash(1, 3, f->key, path, strlen(path)), .entry = entry };

	url.hash = url.hash ? url.hash : 1;
	if (find_url(bucket(img->dir, url.hash, 0), url.hash) || find_url(bucket(img->dir, url.hash, 1), url.hash))
		return fail(nd, EEXIST,
			    "URL \"%s\" has the same hash as that of another file: give the file another name", path);
	if (++*count > NDIV_CONTENT_URLS)
		return fail(
			nd, E2BIG,
			"URL \"%s\" is one too many: %u fit, and a name with special characters is written in several "
			"ways, each a URL of its own; give files simpler names",
			path, NDIV_CONTENT_URLS);
	if (put_url(img->dir, url))
		return fail(nd, ENOSPC, "URL \"%s\": no place for it among the hashes of the others: rename a file",
			    path);
	return 0;
}

static int add_urls(struct ndiv *nd, const struct site *site, const struct image_for *f, struct image *img,
		    const int *entry)
{
	unsigned int count = 0;
	struct urls urls;
	size_t i, n;
	int err = 0;

	for (i = 0; i < site->count && !err; i++) {
		if (site->file[i].status >= NDIV_CONTENT_STATUS) {
			img->dir->error[site->file[i].status - NDIV_CONTENT_STATUS] = entry[i] + 1;
			continue;
		}
		url_forms(site->file[i].name, &urls);
		for (n = 0; n < urls.count && !err; n++)
			err = add_url(nd, f, img, urls.url[n], entry[i], &count);
	}
	return err;
}

/* --- the list of files */

static int put_item(struct ndiv *nd, struct image *img, const struct file *file, int entry)
{
	struct ndiv_content_item item = { .entry = entry, .size = file->len, .status = file->status };
	struct urls urls;
	__s64 at;

	item.etag = img->dir->entry[entry].etag;
	url_forms(file->name, &urls);
	item.url_len = strlen(urls.url[0]);
	item.type_len = strlen(file->type);
	at = append(nd, img, &item, sizeof(item));
	if (at >= 0)
		at = append(nd, img, urls.url[0], item.url_len);
	if (at >= 0)
		at = append(nd, img, file->type, item.type_len);
	return at < 0 ? at : 0;
}

static int put_list(struct ndiv *nd, const struct site *site, struct image *img, const int *entry)
{
	size_t i, at = img->len;
	int err = 0;

	for (i = 0; i < site->count && !err; i++)
		err = put_item(nd, img, &site->file[i], entry[i]);
	img->dir->list = at;
	img->dir->list_len = img->len - at;
	return err;
}

int list_next(const void *list, size_t len, size_t *pos, struct item *item)
{
	size_t left = len - *pos;
	const char *at = (const char *)list + *pos;

	if (!left)
		return 0;
	if (left < sizeof(item->head))
		return -1;
	memcpy(&item->head, at, sizeof(item->head));
	left -= sizeof(item->head);
	if (left < (size_t)item->head.url_len + item->head.type_len || item->head.entry >= NDIV_CONTENT_HALF)
		return -1;
	item->url = at + sizeof(item->head);
	item->type = item->url + item->head.url_len;
	*pos += sizeof(item->head) + item->head.url_len + item->head.type_len;
	return 1;
}

/* --- all of it */

static int fill(struct ndiv *nd, const struct site *site, const struct image_for *f, struct image *img, int *entry)
{
	struct ndiv_content_dir *dir = img->dir;
	struct response r;
	unsigned int i;
	size_t n;
	int err;

	err = choose(nd, site, f, img, entry);
	for (n = 0; n < site->count && !err; n++) {
		r = response_of(&site->file[n], f->retry_s);
		err = put_response(nd, img, &r, &dir->entry[entry[n]]);
	}
	if (!err)
		err = add_urls(nd, site, f, img, entry);
	if (!err)
		err = put_list(nd, site, img, entry);
	if (!err)
		err = align(nd, img);
	for (i = f->first; i < f->last; i++)
		if (!dir->print[i])
			dir->rest[i] = rest_of(f, i);
	dir->magic = NDIV_CONTENT_MAGIC;
	dir->count = site->count;
	dir->since = time(NULL);
	dir->bytes = img->len;
	dir->skipped = site->skipped;
	memcpy(dir->from, site->from, sizeof(dir->from));
	return err;
}

int image_build(struct ndiv *nd, const struct site *site, const struct image_for *f, struct image *img)
{
	int *entry = calloc(site->count + 1, sizeof(*entry)), err;

	memset(img, 0, sizeof(*img));
	img->dir = calloc(1, sizeof(*img->dir));
	err = entry && img->dir ? fill(nd, site, f, img, entry) : fail(nd, ENOMEM, "no memory");
	if (err)
		image_free(img);
	free(entry);
	return err;
}

void image_free(struct image *img)
{
	free(img->dir);
	free(img->stream);
	memset(img, 0, sizeof(*img));
}

/* How many pages it has, with the directory. */
__u32 image_pages(const struct image *img)
{
	return 1 + (img->len + NDIV_CONTENT_PAGE - 1) / NDIV_CONTENT_PAGE;
}

static __u16 add16(__u16 a, __u16 b)
{
	__u32 sum = (__u32)a + b;

	return sum + (sum >> 16);
}

/* Makes page <nr>: 0 is the directory. */
void image_page(const struct image *img, __u32 nr, struct ndiv_content_page *page)
{
	size_t from = (size_t)(nr - 1) * NDIV_CONTENT_PAGE, n, i;
	__u16 sum = 0, word;

	memset(page, 0, sizeof(*page));
	if (!nr) {
		memcpy(page, img->dir, sizeof(*img->dir));
		return;
	}
	n = img->len - from;
	memcpy(page->data, img->stream + from, n < sizeof(page->data) ? n : sizeof(page->data));
	for (i = 0; i < sizeof(page->data); i += 2) {
		if (i % NDIV_CONTENT_UNIT == 0)
			page->sums[i / NDIV_CONTENT_UNIT] = sum;
		memcpy(&word, page->data + i, 2);
		sum = add16(sum, word);
	}
	page->sums[i / NDIV_CONTENT_UNIT] = sum;
}

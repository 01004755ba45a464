// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_content.c - names of files, whoever made them, and the list of files that comes back from the kernel
 *
 * The input: a name, a 0, and the list. A site of that file is made into an image, which must be sound.
 */
#include <ctype.h>
#include <string.h>
#include "../../lib/content.h"
#include "fuzz.h"

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* A URL's path is one word of visible characters, and what it stands for is the name, or its directory. */
static void check_url(const char *url, const char *name)
{
	char text[URL_LEN];
	size_t n = 0;

	must(*url == '/' && strlen(url) <= URL_LEN - 1);
	for (url++; *url; url++) {
		must((unsigned char)*url > ' ' && *url != 0x7f && *url != '?' && *url != '#');
		if (*url == '%') {
			must(isxdigit((unsigned char)url[1]) && isxdigit((unsigned char)url[2]));
			text[n++] = (char)(digit(url[1]) << 4 | digit(url[2]));
			url += 2;
		} else {
			text[n++] = *url;
		}
	}
	text[n] = 0;
	must(!strncmp(text, name, n) && (!name[n] || !strcmp(name + n, "index.html")));
}

/* Each part of each response is where the stream is, in whole units. */
static void check_entry(const struct image *img, const struct ndiv_content_entry *e, size_t len)
{
	size_t i;

	for (i = 0; i < NDIV_CONTENT_VARIANTS; i++)
		must(e->head[i].off % 16 == 0 && e->head[i].len % 16 == 0 &&
		     e->head[i].off + e->head[i].len <= img->len);
	must(e->body % 16 == 0 && e->len % 16 == 0 && e->body + e->len <= img->len);
	must(e->head[0].len && e->head[0].len + e->len < HEAD_MAX + 16 + len);
}

static void check_image(const char *name, const void *body, size_t len)
{
	struct file file = { .name = (char *)name, .type = url_type(name), .status = status_of_name(name),
			     .body = (__u8 *)body, .len = len };
	struct site site = { .file = &file, .count = 1 };
	static const __u64 key[2] = { 1, 2 };
	const struct image_for f = { .key = key, .last = NDIV_CONTENT_FILES };
	static struct ndiv_content_page page;
	struct ndiv nd = {};
	struct image img;
	struct item item;
	size_t pos = 0;

	if (image_build(&nd, &site, &f, &img))
		abort();
	check_entry(&img, &img.dir->entry[0], len);
	must(list_next(img.stream + img.dir->list, img.dir->list_len, &pos, &item) == 1);
	must(list_next(img.stream + img.dir->list, img.dir->list_len, &pos, &item) == 0);
	image_page(&img, image_pages(&img) - 1, &page);
	image_free(&img);
}

static void check_list(const uint8_t *data, size_t size)
{
	char *list = malloc(size ? size : 1);	/* as long as said */
	struct item item;
	size_t pos = 0, before;
	int ret;

	must(list);
	memcpy(list, data, size);
	do {
		before = pos;
		ret = list_next(list, size, &pos, &item);
		must(ret > 0 ? pos > before && pos <= size : pos == before);
		if (ret > 0)
			must(item.url >= list && item.type + item.head.type_len <= list + size);
	} while (ret > 0);
	free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[NDIV_CONTENT_PATH + 1];
	struct urls urls;
	size_t len, i;

	len = strnlen((const char *)data, size < NDIV_CONTENT_PATH ? size : NDIV_CONTENT_PATH);
	memcpy(name, data, len);
	name[len] = 0;
	url_forms(name, &urls);
	must(urls.count && urls.count <= URL_FORMS);
	for (i = 0; i < urls.count; i++)
		check_url(urls.url[i], name);
	check_image(name, data, size);
	check_list(data + len, size - len);
	if (len < size)
		check_list(data + len + 1, size - len - 1);
	return 0;
}

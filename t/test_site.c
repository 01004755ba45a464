// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_site.c - what is loaded of a directory and what is refused, and how it lies in memory
 *
 * Without a kernel: trees of all kinds are read, images are made of them, and walked through as a handler would.
 */
#define _GNU_SOURCE	/* memfd_create() */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/capability.h>
#include "../lib/content.h"	/* before cmocka.h, which has another fail() */
#include <cmocka.h>
#include "tree.h"

static struct tree tree;
static struct ndiv nd;
static struct site site;
static struct image img;
static const struct progress quiet;
static const __u64 key[2] = { 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL };

/* --- trees */

static int start(void **state)
{
	return tree_make(&tree);
}

static int finish(void **state)
{
	image_free(&img);
	site_free(&site);
	tree_remove(&tree);
	return 0;
}

static int read_tree(void)
{
	memset(&site, 0, sizeof(site));
	nd.err[0] = 0;
	return site_read(&nd, tree.dir, &quiet, &site);
}

/* It is refused with <err>, and the message names file <name> and then says <what>. */
static void refused(int err, const char *name, const char *what)
{
	char want[1024];

	snprintf(want, sizeof(want), "%s%s%s: %s", tree.dir, *name ? "/" : "", name, what);
	assert_int_equal(read_tree(), -err);
	assert_string_equal(nd.err, want);
	assert_null(site.file);
}

static void file(const char *name)
{
	assert_int_equal(tree_file(&tree, name, name, strlen(name)), 0);
}

static void link_to(const char *to, const char *name)
{
	assert_int_equal(symlink(to, tree_path(&tree, name)), 0);
}

static void test_empty(void **state)
{
	refused(ENOENT, "", "there is no file in it");
	mkdir(tree_path(&tree, "sub"), 0755);
	refused(ENOENT, "", "there is no file in it");
	file(".hidden");
	refused(ENOENT, "", "there is no file in it but hidden ones, which are not served");
}

static void test_sizes(void **state)
{
	assert_int_equal(tree_fill(&tree, "a", 0, 1) | tree_fill(&tree, "b", SITE_FILE_MAX, 1), 0);
	assert_int_equal(read_tree(), 0);
	assert_int_equal(site.count, 2);
	assert_int_equal(site.bytes, SITE_FILE_MAX);
	site_free(&site);
	assert_int_equal(tree_fill(&tree, "c", SITE_FILE_MAX + 1, 1), 0);
	refused(EFBIG, "c", "1038337 bytes: a file may have up to 1038336; serve it from somewhere else");
	assert_int_equal(truncate(tree_path(&tree, "c"), 1LL << 40), 0);
	refused(EFBIG, "c", "1099511627776 bytes: a file may have up to 1038336; serve it from somewhere else");
}

static void test_total(void **state)
{
	char name[8];
	int i;

	for (i = 0; i < 65; i++) {
		snprintf(name, sizeof(name), "f%02d", i);
		assert_int_equal(tree_file(&tree, name, "", 0), 0);
		assert_int_equal(truncate(tree_path(&tree, name), SITE_FILE_MAX), 0);
	}
	refused(EFBIG, "f64",
		"with its 1038336 bytes the directory has more than 67108864, which is what fits: take files "
		"out of it");
}

static void test_count(void **state)
{
	char name[8];
	int i;

	for (i = 0; i < NDIV_CONTENT_FILES; i++) {
		snprintf(name, sizeof(name), "f%03d", i);
		file(name);
	}
	assert_int_equal(read_tree(), 0);
	assert_int_equal(site.count, NDIV_CONTENT_FILES);
	site_free(&site);
	file("g");
	refused(E2BIG, "g",
		"it is one too many: 240 files fit, with error pages, and a redirection for each directory that "
		"has an index.html; take some away");
}

/* The redirection of the last directory is the one too many. */
static void test_count_redirections(void **state)
{
	char name[32];
	int i;

	for (i = 0; i <= NDIV_CONTENT_FILES / 2; i++) {
		snprintf(name, sizeof(name), "d%03d/index.html", i);
		file(name);
		if (i == NDIV_CONTENT_FILES / 2 - 1) {
			assert_int_equal(read_tree(), 0);
			assert_int_equal(site.count, NDIV_CONTENT_FILES);
			site_free(&site);
		}
	}
	refused(E2BIG, name,
		"it is one too many: 240 files fit, with error pages, and a redirection for each directory "
		"that has an index.html; take some away");
}

static void test_links(void **state)
{
	static const char leaves[] = "the symbolic link leaves the directory: put a copy in its place";

	file("sub/file");
	link_to("sub/file", "good");
	link_to("sub", "dir");
	assert_int_equal(read_tree(), 0);
	assert_int_equal(site.count, 3);
	assert_string_equal(site.file[0].name, "dir/file");
	assert_string_equal(site.file[1].name, "good");
	site_free(&site);
	link_to("/etc/passwd", "out");
	refused(EXDEV, "out", leaves);
	unlink(tree_path(&tree, "out"));
	link_to("../../etc/passwd", "out");
	refused(EXDEV, "out", leaves);
	unlink(tree_path(&tree, "out"));
	link_to("/proc/self/exe", "out");
	refused(EXDEV, "out", leaves);
	unlink(tree_path(&tree, "out"));
	link_to("/etc", "out");
	refused(EXDEV, "out", leaves);
	unlink(tree_path(&tree, "out"));
	link_to("nowhere", "out");
	refused(ENOENT, "out", "the symbolic link leads nowhere: remove it");
	unlink(tree_path(&tree, "out"));
	link_to("out", "out");
	refused(ELOOP, "out", "the symbolic links run in a circle: remove them");
}

static void test_upwards(void **state)
{
	file("sub/file");
	link_to("..", "sub/up");
	assert_int_equal(read_tree(), -ELOOP);
	assert_non_null(strstr(nd.err,
			       "/sub/up/sub: more than 16 directories in each other: take it away (is it a symbolic "
			       "link that leads upwards?)"));
}

static void test_no_files(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", tree_path(&tree, "x"));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	refused(ENXIO, "x", "it is no file: remove it");
	close(fd);
	unlink(tree_path(&tree, "x"));
	assert_int_equal(mkfifo(tree_path(&tree, "x"), 0644), 0);
	refused(EINVAL, "x", "it is neither file nor directory: remove it");
	unlink(tree_path(&tree, "x"));
	assert_int_equal(mknod(tree_path(&tree, "x"), S_IFCHR | 0644, 1 << 8 | 5), 0);	/* /dev/zero */
	refused(EINVAL, "x", "it is neither file nor directory: remove it");
}

/* Root may read everything, by these capabilities. */
static void read_anything(int may)
{
	const __u32 bits = 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH;
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	assert_int_equal(syscall(SYS_capget, &head, data), 0);
	data[0].effective = may ? data[0].effective | bits : data[0].effective & ~bits;
	assert_int_equal(syscall(SYS_capset, &head, data), 0);
}

static void test_unreadable(void **state)
{
	int err;

	file("x");
	chmod(tree_path(&tree, "x"), 0);
	read_anything(0);
	err = read_tree();
	read_anything(1);
	assert_int_equal(err, -EACCES);
	assert_non_null(strstr(nd.err, "/x: it may not be read: give the right to, or remove it"));
}

static void test_long_name(void **state)
{
	char name[300];

	memset(name, 'n', 254);
	name[254] = 0;
	file(name);
	assert_int_equal(read_tree(), 0);
	site_free(&site);
	memset(name, ' ', 85);	/* 255 when escaped, and a slash */
	name[85] = 0;
	file(name);
	refused(ENAMETOOLONG, name, "its URL is longer than 255 bytes: give it a shorter name");
}

static void test_bad_root(void **state)
{
	file("x");
	assert_int_equal(site_read(&nd, tree_path(&tree, "nope"), &quiet, &site), -ENOENT);
	assert_int_equal(site_read(&nd, tree_path(&tree, "x"), &quiet, &site), -ENOTDIR);
	assert_int_equal(site_read_page(&nd, tree_path(&tree, "nope"), &site), -ENOENT);
	assert_int_equal(site_read_page(&nd, tree.dir, &site), -EINVAL);
	assert_null(site.file);
}

static void note(const char *what, uint64_t done, uint64_t total, void *arg)
{
	int *last = arg;

	assert_string_equal(what, "read");
	assert_true((int)done > *last);
	*last = done;
}

static void test_progress(void **state)
{
	int last = 0;
	const struct progress p = { note, &last };

	assert_int_equal(tree_fill(&tree, "a", 10, 1) | tree_fill(&tree, "b", 20, 1) | tree_fill(&tree, "c", 30, 1), 0);
	assert_int_equal(site_read(&nd, tree.dir, &p, &site), 0);
	assert_int_equal(last, 60);
}

/* --- names */

static void test_types(void **state)
{
	static const char *const rows[][2] = {
		{ "a.html", "text/html; charset=utf-8" }, { "A.HTML", "text/html; charset=utf-8" },
		{ "a.tar.gz", "application/gzip" },	  { "a.html/b", "application/octet-stream" },
		{ "html", "application/octet-stream" },	  { "a.", "application/octet-stream" },
		{ "a/b.ico", "image/x-icon" },		  { "a.js", "text/javascript; charset=utf-8" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(url_type(rows[i][0]), rows[i][1]);
}

static void test_statuses(void **state)
{
	assert_int_equal(status_of_name("404.html"), 404);
	assert_int_equal(status_of_name("503.html"), 503);
	assert_int_equal(status_of_name("301.html"), 200);
	assert_int_equal(status_of_name("200.html"), 200);
	assert_int_equal(status_of_name("499.html"), 200);
	assert_int_equal(status_of_name("999.html"), 200);
	assert_int_equal(status_of_name("4O4.html"), 200);
	assert_int_equal(status_of_name("404.htm"), 200);
	assert_int_equal(status_of_name("404.html.html"), 200);
	assert_int_equal(status_of_name("a/404.html"), 200);
}

/* --- images */

/* The entry of a URL, looked for as the handler does. */
static int look(const char *url)
{
	__u64 hash = sip_hash(1, 3, key, url, strlen(url));
	size_t i;

	for (i = 0; i < NDIV_CONTENT_WAYS; i++) {
		if (img.dir->bucket[hash & 511].way[i].hash == hash)
			return img.dir->bucket[hash & 511].way[i].entry;
		if (img.dir->bucket[hash >> 9 & 511].way[i].hash == hash)
			return img.dir->bucket[hash >> 9 & 511].way[i].entry;
	}
	return -1;
}

static int make_image(const struct ndiv_content_dir *old, __u32 left_s, __u32 now_s)
{
	const struct image_for f = {
		.key = key, .last = NDIV_CONTENT_FILES, .old = old, .left_s = left_s, .now_s = now_s
	};

	return image_build(&nd, &site, &f, &img);
}

/* Files in memory: <count> of them, called by <name>, a format with a number. */
static void make_site(int count, const char *name, int first)
{
	struct file *f;
	int i;

	site = (struct site){ .file = calloc(count, sizeof(*site.file)), .count = count };
	for (i = 0; i < count; i++) {
		f = &site.file[i];
		assert_true(asprintf(&f->name, name, first + i) > 0);
		f->body = (__u8 *)strdup(f->name);
		f->len = strlen(f->name);
		f->type = "text/plain";
		f->status = 200;
	}
}

/* As many URLs as may be: each one has its place, and one more is refused. */
static void test_full(void **state)
{
	struct urls urls;
	size_t i, n;

	make_site(204, "%d\xc3\xa9!", 0);	/* five URLs each: 1020 */
	assert_int_equal(make_image(NULL, 0, 0), 0);
	for (i = 0; i < site.count; i++) {
		url_forms(site.file[i].name, &urls);
		assert_int_equal(urls.count, 5);
		for (n = 0; n < urls.count; n++)
			assert_int_equal(look(urls.url[n]), i);
	}
	assert_int_equal(look("/204%C3%A9!"), -1);
	image_free(&img);
	site_free(&site);
	make_site(205, "%d\xc3\xa9!", 0);
	assert_int_equal(make_image(NULL, 0, 0), -E2BIG);
	assert_non_null(strstr(nd.err, " is one too many: 1024 fit, and a name with special characters is written in "
				       "several ways, each a URL of its own; give files simpler names"));
}

/* SipHash: test vectors of its authors (2-4) and of Rust's core::hash (1-3), key 00 01 ... 0f, text 00 01 ... */
static void test_sip(void **state)
{
	static const __u8 text[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 };

	assert_int_equal(sip_hash(2, 4, key, text, 0), 0x726fdb47dd0e0e31ULL);
	assert_int_equal(sip_hash(2, 4, key, text, 1), 0x74f839c593dc67fdULL);
	assert_int_equal(sip_hash(2, 4, key, text, 8), 0x93f5f5799a932462ULL);
	assert_int_equal(sip_hash(2, 4, key, text, 15), 0xa129ca6149be45e5ULL);
	assert_int_equal(sip_hash(1, 3, key, text, 0), 0xabac0158050fc4dcULL);
	assert_int_equal(sip_hash(1, 3, key, text, 1), 0xc9f49bf37d57ca93ULL);
}

/* Equal for equal content of equal type, whatever the name: so machines that serve the same agree. */
static void test_etag(void **state)
{
	struct response a = { .type = "text/plain", .body = (const __u8 *)"x", .len = 1 }, b = a;

	assert_int_equal(response_etag(&a), response_etag(&b));
	b.type = "text/html";
	assert_int_not_equal(response_etag(&a), response_etag(&b));
	b = a;
	b.len = 0;
	assert_int_not_equal(response_etag(&a), response_etag(&b));
}

/* Ids rest for a minute after they were last served, however often the slot is loaded; unchanged responses stay. */
static void test_rest(void **state)
{
	struct ndiv_content_dir *old;

	make_site(100, "%d", 0);
	assert_int_equal(make_image(NULL, 0, 1000), 0);
	old = img.dir;
	img.dir = NULL;
	image_free(&img);
	site_free(&site);
	make_site(100, "%d", 1);	/* 1 to 99 stay */
	assert_int_equal(make_image(old, 2000, 2010), 0);
	assert_int_equal(look("/0"), -1);
	assert_int_equal(look("/1"), 1);
	assert_int_equal(look("/99"), 99);
	assert_int_equal(look("/100"), 100);
	assert_int_equal(img.dir->rest[0], 2060);
	free(old);
	old = img.dir;
	img.dir = NULL;
	image_free(&img);
	site_free(&site);
	make_site(139, "%d", 1000);	/* beside 100 that were left at 2020, and one that rests */
	assert_int_equal(make_image(old, 2020, 2030), 0);
	assert_true(look("/1000") > 100);
	image_free(&img);
	site_free(&site);
	make_site(140, "%d", 1000);
	assert_int_equal(make_image(old, 2020, 2030), -EAGAIN);
	assert_string_equal(nd.err,
			    "transfers of what was there until 30 s ago may be under way, and too few of the 240 "
			    "places for responses are free beside them: try again in 30 s");
	assert_int_equal(make_image(old, 2020, 2060), 0);	/* entry 0 has rested, those left at 2020 have not */
	assert_int_equal(look("/1139"), 0);
	image_free(&img);
	site_free(&site);
	make_site(240, "%d", 1000);
	assert_int_equal(make_image(old, 2020, 2079), -EAGAIN);
	assert_int_equal(make_image(old, 2020, 2080), 0);
	free(old);
}

/* The list of an image tells the files; one that is cut or lies is refused. */
static void test_list(void **state)
{
	struct item item;
	size_t pos = 0, n = 0, cut, one;
	char *list;
	int ret;

	make_site(3, "file %d", 0);
	assert_int_equal(make_image(NULL, 0, 0), 0);
	while ((ret = list_next(img.stream + img.dir->list, img.dir->list_len, &pos, &item)) > 0) {
		assert_int_equal(item.head.entry, n);
		assert_int_equal(item.head.size, 6);
		assert_int_equal(item.head.etag, img.dir->entry[n].etag);
		assert_int_equal(item.head.url_len, strlen("/file%200"));
		assert_memory_equal(item.url, "/file%20", 8);
		assert_int_equal(item.url[8], '0' + n++);
		assert_memory_equal(item.type, "text/plain", item.head.type_len);
	}
	assert_int_equal(ret, 0);
	assert_int_equal(n, 3);
	one = pos / 3;
	for (cut = 1; cut < one; cut++) {
		list = malloc(cut);	/* as long as said, so that the sanitizer sees what is read behind it */
		memcpy(list, img.stream + img.dir->list, cut);
		pos = 0;
		assert_int_equal(list_next(list, cut, &pos, &item), -1);
		assert_int_equal(pos, 0);
		free(list);
	}
}

#define TREE_TEST(fn)	cmocka_unit_test_setup_teardown(fn, start, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_empty),
		TREE_TEST(test_sizes),
		TREE_TEST(test_total),
		TREE_TEST(test_count),
		TREE_TEST(test_count_redirections),
		TREE_TEST(test_links),
		TREE_TEST(test_upwards),
		TREE_TEST(test_no_files),
		TREE_TEST(test_unreadable),
		TREE_TEST(test_long_name),
		TREE_TEST(test_bad_root),
		TREE_TEST(test_progress),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test_teardown(test_full, finish),
		cmocka_unit_test(test_sip),
		cmocka_unit_test(test_etag),
		cmocka_unit_test_teardown(test_rest, finish),
		cmocka_unit_test_teardown(test_list, finish),
	};

	return cmocka_run_group_tests_name("site", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_content.c - ready-made responses, from the directory to the packet
 *
 * The library loads a tree into the maps of the handler "content", which finds responses and writes parts of them, in
 * XDP frames and in skbs. Bytes are compared with the files, sums with what is added up here, word by word.
 */
#define _GNU_SOURCE	/* strcasestr() */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "serve.h"	/* before cmocka.h, which has another fail() */
#include <cmocka.h>
#include "handlers/content.h"
#include "run.h"
#include "tree.h"

#define LONGEST	(NDIV_CONTENT_RESPONSE)
#define FRAME	3400	/* bytes; what a segment is written into */
#define FILL	0x5a

static struct run run;
static int handler;
static volatile struct content_call *call;
static struct tree tree;
static struct serve served;
static struct pkt in;
static struct run_out out;
static const struct progress quiet;

/* A response as it was found. */
struct hit {
	uint32_t id, variant, status, len;
};

/* --- calls */

static int64_t ask(enum call_what what)
{
	uint32_t calls = call->calls;

	call->what = what;
	assert_int_equal(run_rx(&run, in.data, in.len, &out), 0);
	assert_int_equal(call->calls, calls + 1);
	return call->result;
}

static int answer(enum call_what what, struct hit *hit)
{
	if (ask(what))
		return -1;
	*hit = (struct hit){ call->hit_id, call->hit_variant, call->hit_status, call->hit_len };
	return 0;
}

/* What a request for <url> gets. */
static int find(const char *url, uint32_t want, struct hit *hit)
{
	size_t len = strlen(url);

	assert_true(len <= NDIV_CONTENT_PATH);
	call->pos = 5 + len % 7;
	memset((char *)call->text, 'x', sizeof(call->text));
	memcpy((char *)call->text + call->pos, url, len);
	call->len = len;
	call->want = want;
	return answer(CALL_FIND, hit);
}

static int find_error(uint32_t status, struct hit *hit)
{
	call->status = status;
	call->want = 0;
	return answer(CALL_ERROR, hit);
}

static int reopen(uint32_t id, uint32_t variant, struct hit *hit)
{
	call->id = id;
	call->variant = variant;
	return answer(CALL_OPEN, hit);
}

/* The ETag that the next requests say they have. */
static void have_etag(const char *etag)
{
	memcpy((void *)call->etag, etag, sizeof(call->etag));
}

static uint16_t add_up(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;
	uint16_t word;
	size_t i;

	for (i = 0; i < len; i += 2) {
		memcpy(&word, p + i, 2);
		sum += word;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

/* Runs builder <prog> on <frame>, which comes back as written. Below 0: it refused. */
static int64_t build(int prog, uint8_t *frame)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = FRAME, .data_out = out.buf,
		    .data_size_out = sizeof(out.buf), .repeat = 1);
	uint32_t calls = call->calls;

	call->result = -2;
	assert_int_equal(bpf_prog_test_run_opts(prog, &opts), 0);
	assert_int_equal(call->calls, calls + 1);
	assert_int_equal(opts.data_size_out, FRAME);
	memcpy(frame, out.buf, FRAME);
	return call->result;
}

/* Writes [a, b) of a response into both kinds of frame, and checks what was written, and what was not. */
static void write_part(const struct hit *hit, uint32_t a, uint32_t b, uint8_t *to)
{
	const int progs[] = { run.handler[handler].clone, run.handler[handler].skb };
	uint8_t frame[FRAME], other[FRAME];
	uint32_t off = 54 + (a / 16) % 5 * 4;
	int64_t sum;
	size_t i;

	call->id = hit->id;
	call->variant = hit->variant;
	call->rem = hit->len - a;
	call->bytes = b - a;
	call->off = off;
	memset(other, FILL, sizeof(other));
	for (i = 0; i < 2; i++) {
		memset(frame, FILL, sizeof(frame));
		sum = build(progs[i], frame);
		if (sum < 0)
			fail_msg("kind %zu: id %u variant %u: %u to %u of %u refused", i, hit->id, hit->variant, a, b,
				 hit->len);
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		if (sum % 0xffff != add_up(frame + off, b - a) % 0xffff)
			fail_msg("kind %zu: id %u: sum of %u to %u", i, hit->id, a, b);
		assert_memory_equal(frame, other, off);
		assert_memory_equal(frame + off + b - a, other, FRAME - off - (b - a));
		if (i)
			assert_memory_equal(frame + off, to, b - a);
		memcpy(to, frame + off, b - a);
	}
}

/* All of a response, cut from its end into segments of <m> bytes. */
static void fetch(const struct hit *hit, uint32_t m, uint8_t *buf)
{
	uint32_t b = hit->len, a;

	assert_true(hit->len % NDIV_CONTENT_WHOLE == 0 && hit->len < LONGEST);
	for (; b; b = a) {
		a = b > m ? b - m : 0;
		write_part(hit, a, b, buf + a);
	}
}

/* --- what a response has to be */

static const char *line(const char *head, const char *name, char *value, size_t len)
{
	const char *at = strcasestr(head, name);

	value[0] = 0;
	if (at)
		snprintf(value, len, "%.*s", (int)strcspn(at + strlen(name), "\r"), at + strlen(name));
	return value;
}

struct expect {
	const char *status, *type;
	const void *body;
	size_t	len;		/* said by Content-Length */
	size_t	sent;		/* bytes of the body */
};

static void check_response(const uint8_t *buf, const struct hit *hit, const struct expect *e)
{
	char head[HEAD_MAX + 1], value[200];
	const char *end;
	size_t n;

	snprintf(head, sizeof(head), "%.*s", (int)(hit->len < HEAD_MAX ? hit->len : HEAD_MAX), (const char *)buf);
	end = strstr(head, "\r\n\r\n");
	assert_non_null(end);
	n = end + 4 - head;
	head[n] = 0;
	assert_int_equal(strncmp(head, "HTTP/1.1 ", 9), 0);
	assert_int_equal(strncmp(head + 9, e->status, strlen(e->status)), 0);
	assert_int_equal(hit->status, atoi(e->status));
	assert_string_equal(line(head, "\r\nConnection: ", value, sizeof(value)),
			    hit->variant & NDIV_CONTENT_CLOSE ? "close" : "keep-alive");
	assert_string_equal(line(head, "\r\nContent-Type: ", value, sizeof(value)), e->type);
	if (hit->status != 304)
		assert_int_equal(strtoul(line(head, "\r\nContent-Length: ", value, sizeof(value)), NULL, 10), e->len);
	assert_int_equal(hit->len - n, e->sent);
	assert_memory_equal(buf + n, e->body, e->sent);
}

/* Without quotes. Static, valid until the next call. */
static char *etag_in(const uint8_t *buf)
{
	static char value[40];
	char head[HEAD_MAX + 1];

	snprintf(head, sizeof(head), "%.*s", HEAD_MAX, (const char *)buf);
	line(head, "\r\nETag: \"", value, sizeof(value));
	assert_true(strlen(value) == 17 && value[16] == '"');
	value[16] = 0;
	return value;
}

/* --- loading */

static void serve(void)
{
	assert_int_equal(serve_dir(&served, tree.dir), 0);
}

static void fresh_tree(void)
{
	tree_remove(&tree);
	assert_int_equal(tree_make(&tree), 0);
}

/* As if nothing had ever been loaded: otherwise ids of the test before would rest. */
static void start_over(void)
{
	serve_forget(&served);
	fresh_tree();
}

static void maintain(const char *name)
{
	assert_int_equal(serve_page(&served, tree_path(&tree, name), 90), 0);
}

/* Checks all of <url>, whose file is tree_fill(len, seed), in all variants. */
static void check_file(const char *url, const char *type, size_t len, unsigned int seed, uint32_t m)
{
	uint8_t *body = malloc(len + 1), *buf = malloc(LONGEST);
	struct expect e = { "200 OK", type, body, len, len };
	struct hit hit;
	char *etag, c;
	int i;

	assert_true(body && buf);
	tree_bytes(body, len, seed);
	if (find(url, 0, &hit))
		fail_msg("%s: not found", url);
	fetch(&hit, m, buf);
	check_response(buf, &hit, &e);
	etag = etag_in(buf);
	have_etag(etag);
	assert_int_equal(find(url, 1, &hit), 0);
	fetch(&hit, m, buf);
	check_response(buf, &hit, &e);
	e.sent = 0;
	assert_int_equal(find(url, 2, &hit), 0);
	fetch(&hit, m, buf);
	check_response(buf, &hit, &e);
	e.status = "304 Not Modified";
	e.type = "";
	assert_int_equal(find(url, 4 + len % 4, &hit), 0);
	fetch(&hit, m, buf);
	check_response(buf, &hit, &e);
	for (i = 0; i < 16; i++) {
		c = etag[i];
		etag[i] = c == 'a' ? 'b' : 'a';
		have_etag(etag);
		assert_int_equal(find(url, 4, &hit), 0);
		assert_int_equal(hit.status, 200);
		etag[i] = c;
	}
	free(body);
	free(buf);
}

/* --- tests */

static void test_nothing(void **state)
{
	struct hit hit;
	uint32_t id;

	assert_int_equal(served.maps.state->now, 0);
	assert_int_equal(find("/", 0, &hit), -1);
	assert_int_equal(find_error(404, &hit), -1);
	for (id = 0; id < 600; id += 7)
		assert_int_equal(reopen(id, 0, &hit), -1);
}

/* Bodies of all lengths around a unit, a segment, a page; segments of all sizes that there are. */
static void test_bytes(void **state)
{
	static const size_t lens[] = { 0, 1, 15, 16, 17, 31, 32, 100, 1000, 1447, 1448, 2991, 2992, 2993, 65535, 65536,
				       65537, 200001 };
	static const uint32_t cuts[] = { 16, 528, 1216, 1424, 1440, 2992 };
	char name[32], url[32];
	size_t i;

	start_over();
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		snprintf(name, sizeof(name), "f%zu.bin", lens[i]);
		assert_int_equal(tree_fill(&tree, name, lens[i], lens[i]), 0);
	}
	serve();
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		snprintf(url, sizeof(url), "/f%zu.bin", lens[i]);
		check_file(url, "application/octet-stream", lens[i], lens[i], cuts[lens[i] < 3000 ? i % 6 : 1 + i % 5]);
	}
}

/* The longest file that is allowed, at a page's border or not. */
static void test_longest(void **state)
{
	start_over();
	assert_int_equal(tree_fill(&tree, "a.css", 12345, 1), 0);
	assert_int_equal(tree_fill(&tree, "long.png", SITE_FILE_MAX, 2), 0);
	serve();
	check_file("/long.png", "image/png", SITE_FILE_MAX, 2, 1440);
	check_file("/a.css", "text/css; charset=utf-8", 12345, 1, 1440);
}

static void test_refused(void **state)
{
	const int progs[] = { run.handler[handler].clone, run.handler[handler].skb };
	/* How far from the end, and how many bytes; the last one begins before the response does. */
	static const uint32_t parts[][2] = { { 0, 0 }, { 16, 0 }, { 16, 32 }, { 3008, 3008 }, { 3008, 0xfffffff0 },
					     { 0xfffffff0, 16 }, { 13344, 16 } };
	uint8_t frame[FRAME], other[FRAME];
	struct hit hit;
	size_t i, n;

	memset(other, FILL, sizeof(other));
	assert_int_equal(find("/a.css", 0, &hit), 0);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]) + 3; i++)
		for (n = 0; n < 2; n++) {
			call->id = hit.id;
			call->variant = i == 7 ? 6 : i == 8 ? 0xffffffff : 0;
			if (i == 9)
				call->id += 512;
			call->rem = i < 7 ? parts[i][0] : 16;
			call->bytes = i < 7 ? parts[i][1] : 16;
			memset(frame, FILL, sizeof(frame));
			if (build(progs[n], frame) >= 0)
				fail_msg("part %zu was written", i);
			assert_memory_equal(frame, other, FRAME);
		}
	assert_int_equal(reopen(hit.id, 6, &hit), -1);
	assert_int_equal(reopen(hit.id + 512, 0, &hit), -1);
	assert_int_equal(reopen(0xffffffff, 0, &hit), -1);
}

/* Every way to write a name leads to the same file; others lead nowhere. */
static void test_names(void **state)
{
	static const char *const found[][2] = {
		{ "/", "index.html" },
		{ "/index.html", "index.html" },
		{ "/sub/", "sub/index.html" },
		{ "/sub/index.html", "sub/index.html" },
		{ "/sub/myindex.html", "sub/myindex.html" },
		{ "/a%20b.txt", "a b.txt" },
		{ "/caf%C3%A9.txt", "caf\xc3\xa9.txt" },
		{ "/caf%c3%a9.txt", "caf\xc3\xa9.txt" },
		{ "/caf\xc3\xa9.txt", "caf\xc3\xa9.txt" },
		{ "/it's(1),2+3=5.txt", "it's(1),2+3=5.txt" },
		{ "/it%27s%281%29%2C2%2B3%3D5.txt", "it's(1),2+3=5.txt" },
		{ "/100%25.txt", "100%.txt" },
		{ "/what%3F.txt", "what?.txt" },
		{ "/line%0Aend", "line\nend" },
	};
	static const char *const lost[] = { "",
					    "/su",
					    "/sub/my",
					    "/a b.txt",
					    "/A%20b.txt",
					    "/index.htm",
					    "//",
					    "/sub//index.html",
					    "/../etc/passwd",
					    "/.hidden",
					    "/sub/.hidden/x",
					    "/100%.txt",
					    "/what?.txt",
					    "/index.html\n" };
	struct hit hit;
	char body[64];
	uint8_t buf[4096];
	size_t i;

	start_over();
	for (i = 0; i < sizeof(found) / sizeof(found[0]); i++)
		assert_int_equal(tree_file(&tree, found[i][1], found[i][1], strlen(found[i][1])), 0);
	assert_int_equal(tree_file(&tree, ".hidden", "x", 1) | tree_file(&tree, "sub/.hidden/x", "x", 1), 0);
	serve();
	for (i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		if (find(found[i][0], 0, &hit))
			fail_msg("%s: not found", found[i][0]);
		fetch(&hit, 1440, buf);
		snprintf(body, sizeof(body), "%s", found[i][1]);
		assert_memory_equal(buf + hit.len - strlen(body), body, strlen(body));
	}
	for (i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
		if (!find(lost[i], 0, &hit))
			fail_msg("%s: found", lost[i]);
}

/* URLs of all lengths: the hash of the library is that of the handler. */
static void test_lengths(void **state)
{
	char name[256], url[257];
	struct hit hit;
	size_t len;

	start_over();
	for (len = 1; len <= 240; len++) {
		memset(name, 'n', len);
		name[len] = 0;
		assert_int_equal(tree_file(&tree, name, name, len), 0);
	}
	serve();
	for (len = 1; len <= 254; len++) {
		memset(url + 1, 'n', len);
		url[0] = '/';
		url[len + 1] = 0;
		assert_int_equal(find(url, 0, &hit), len <= 240 ? 0 : -1);
	}
}

static void test_redirection(void **state)
{
	struct expect moved = { "301 Moved Permanently", "text/plain", "", 0, 0 };
	uint8_t buf[4096];
	struct hit hit;
	char value[64];

	start_over();
	assert_int_equal(tree_file(&tree, "index.html", "x", 1) | tree_file(&tree, "a b/c/index.html", "x", 1), 0);
	serve();
	assert_int_equal(find("/a%20b/c", 0, &hit), 0);
	fetch(&hit, 1440, buf);
	check_response(buf, &hit, &moved);
	assert_string_equal(line((char *)buf, "\r\nLocation: ", value, sizeof(value)), "/a%20b/c/");
	assert_int_equal(find("/a%20b", 0, &hit), -1);
	assert_int_equal(find("/a%20b/", 0, &hit), -1);
	assert_int_equal(find("/a%20b/c/", 0, &hit), 0);
	assert_int_equal(hit.status, 200);
}

static void test_errors(void **state)
{
	static uint8_t buf[LONGEST];
	struct hit hit;

	start_over();
	assert_int_equal(tree_file(&tree, "404.html", "lost", 4), 0);
	assert_int_equal(tree_file(&tree, "405.html", "no", 2), 0);
	assert_int_equal(tree_file(&tree, "499.html", "a file", 6), 0);
	assert_int_equal(tree_file(&tree, "sub/400.html", "a file", 6), 0);
	serve();
	assert_int_equal(find_error(404, &hit), 0);
	fetch(&hit, 64, buf);
	check_response(buf, &hit, &(struct expect){ "404 Not Found", "text/html; charset=utf-8", "lost", 4, 4 });
	assert_int_equal(find_error(405, &hit), 0);
	fetch(&hit, 64, buf);
	check_response(buf, &hit, &(struct expect){ "405 Method Not Allowed", "text/html; charset=utf-8", "no", 2, 2 });
	assert_non_null(strstr((char *)buf, "\r\nAllow: GET, HEAD\r\n"));
	assert_int_equal(find_error(400, &hit), -1);
	assert_int_equal(find_error(200, &hit), -1);
	assert_int_equal(find_error(0, &hit), -1);
	assert_int_equal(find_error(600, &hit), -1);
	assert_int_equal(find("/404.html", 0, &hit), -1);
	assert_int_equal(find("/499.html", 0, &hit), 0);
	assert_int_equal(find("/sub/400.html", 0, &hit), 0);
}

/* A transfer goes on through one reload; after another one its response is gone, unless it is the same. */
static void test_reload(void **state)
{
	static uint8_t before[LONGEST], after[LONGEST];
	struct hit changing, same, hit;

	start_over();
	assert_int_equal(tree_fill(&tree, "changing", 5000, 1), 0);
	assert_int_equal(tree_fill(&tree, "same", 5000, 2), 0);
	serve();
	assert_int_equal(find("/changing", 0, &changing), 0);
	assert_int_equal(find("/same", 0, &same), 0);
	fetch(&changing, 1440, before);
	assert_int_equal(tree_fill(&tree, "changing", 5000, 3), 0);
	serve();
	assert_int_equal(find("/changing", 0, &hit), 0);
	assert_int_not_equal(hit.id, changing.id);
	assert_int_not_equal(hit.id >> 8, changing.id >> 8);
	assert_int_equal(reopen(changing.id, changing.variant, &hit), 0);
	assert_int_equal(hit.len, changing.len);
	fetch(&hit, 1440, after);
	assert_memory_equal(before, after, hit.len);
	assert_int_equal(tree_fill(&tree, "changing", 5000, 4), 0);
	serve();
	assert_int_equal(reopen(changing.id, changing.variant, &hit), -1);
	assert_int_equal(reopen(same.id, same.variant, &hit), 0);
	fetch(&same, 1440, before);
	assert_int_equal(find("/same", 0, &hit), 0);
	assert_int_equal(hit.id, same.id);
	fetch(&hit, 1440, after);
	assert_memory_equal(before, after, hit.len);
}

/* Ids of what was there a moment ago are not given away, however often it is loaded: then it is refused. */
static void test_rest(void **state)
{
	uint32_t first[64], count = 0, i, round;
	struct site site;
	struct hit hit;
	char name[16];
	int err = 0;

	start_over();
	for (round = 0; round < 40 && !err; round++) {
		fresh_tree();
		for (i = 0; i < 30; i++) {
			snprintf(name, sizeof(name), "%u", i);
			assert_int_equal(tree_fill(&tree, name, 100, 1000 * round + i), 0);
		}
		assert_int_equal(site_read(&served.nd, tree.dir, &quiet, &site), 0);
		err = content_serve(&served.nd, &served.maps, &site, &quiet);
		site_free(&site);
		if (err)
			break;
		assert_int_equal(find("/7", 0, &hit), 0);
		for (i = 0; i < count; i++)
			assert_int_not_equal(first[i], hit.id);
		first[count++] = hit.id;
	}
	assert_int_equal(err, -EAGAIN);
	assert_true(round > 8);
	assert_non_null(strstr(served.nd.err, "transfers of what was there until "));
	assert_non_null(strstr(served.nd.err, ": try again in "));
	/* what was served is served */
	assert_int_equal(find("/7", 0, &hit), 0);
	assert_int_equal(hit.id, first[count - 1]);
	/* to take it away is no way round */
	assert_int_equal(serve_dir(&served, NULL), 0);
	assert_int_equal(site_read(&served.nd, tree.dir, &quiet, &site), 0);
	assert_int_equal(content_serve(&served.nd, &served.maps, &site, &quiet), -EAGAIN);
	site_free(&site);
}

/* Requests that are counted for <id>. */
static uint64_t hits(uint32_t id)
{
	uint64_t *values = calloc(run.cpu_count, sizeof(*values)), sum = 0;
	int i;

	assert_non_null(values);
	assert_int_equal(bpf_map_lookup_elem(served.maps.hits, &id, values), 0);
	for (i = 0; i < run.cpu_count; i++)
		sum += values[i];
	free(values);
	return sum;
}

/* Requests are counted, whatever variant they get; transfers that go on are not. A reload begins anew. */
static void test_hits(void **state)
{
	struct hit hit, other;

	start_over();
	assert_int_equal(tree_file(&tree, "a", "a", 1) | tree_file(&tree, "404.html", "b", 1), 0);
	serve();
	assert_int_equal(find("/a", 0, &hit) | find("/a", 2, &hit) | find("/a", 1, &hit), 0);
	assert_int_equal(reopen(hit.id, hit.variant, &hit), 0);
	assert_int_equal(find("/b", 0, &other), -1);
	assert_int_equal(find_error(404, &other), 0);
	assert_int_equal(hits(hit.id), 3);
	assert_int_equal(hits(other.id), 1);
	serve();
	assert_int_equal(hits(hit.id), 3);	/* of the old site, which is still there */
	assert_int_equal(find("/a", 0, &hit), 0);
	assert_int_equal(hits(hit.id), 1);
	serve();
	assert_int_equal(find("/a", 0, &hit), 0);
	assert_int_equal(hits(hit.id), 1);
}

#define SWAP_LEN	20000
#define SWAP_SEEN	20	/* transfers of each of both sites */

/* Serves one of two sites and the other, in turn, until told to stop. A test's checks are for the process that began
 * it.
 */
static void keep_swapping(const struct site *sites, const volatile int *stop)
{
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; !*stop; i++)
		if (content_serve(&served.nd, &served.maps, &sites[i % 2], &quiet))
			_exit(1);
	_exit(0);
}

/* While sites are exchanged, every transfer is of one or the other from its first byte to its last. */
static void test_swap(void **state)
{
	static uint8_t want[2][SWAP_LEN], buf[LONGEST];
	struct site sites[2];
	int i, status, seen[2] = { 0, 0 };
	volatile int *stop;
	struct hit hit;
	pid_t pid;

	start_over();
	stop = mmap(NULL, sizeof(*stop), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(stop != MAP_FAILED);
	for (i = 0; i < 2; i++) {
		tree_bytes(want[i], SWAP_LEN, 77 + i);
		assert_int_equal(tree_file(&tree, "f", want[i], SWAP_LEN), 0);
		assert_int_equal(site_read(&served.nd, tree.dir, &quiet, &sites[i]), 0);
	}
	assert_int_equal(content_serve(&served.nd, &served.maps, &sites[1], &quiet), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		keep_swapping(sites, stop);
	while (seen[0] < SWAP_SEEN || seen[1] < SWAP_SEEN) {
		assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
		assert_int_equal(find("/f", 0, &hit), 0);
		fetch(&hit, 2992, buf);
		i = !memcmp(buf + hit.len - SWAP_LEN, want[1], SWAP_LEN);
		assert_memory_equal(buf + hit.len - SWAP_LEN, want[i], SWAP_LEN);
		seen[i]++;
	}
	*stop = 1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	munmap((void *)stop, sizeof(*stop));
	site_free(&sites[0]);
	site_free(&sites[1]);
}

static void test_maintenance(void **state)
{
	static uint8_t buf[LONGEST];
	struct expect page = { "503 Service Unavailable", "text/html; charset=utf-8", "soon", 4, 4 };
	struct hit files, hit;

	start_over();
	assert_int_equal(tree_file(&tree, "7", "seven", 5), 0);
	serve();
	assert_int_equal(find("/7", 0, &files), 0);
	fresh_tree();
	assert_int_equal(tree_file(&tree, "down.html", "soon", 4), 0);
	maintain("down.html");
	assert_int_equal(find("/7", 0, &hit), 0);
	fetch(&hit, 64, buf);
	check_response(buf, &hit, &page);
	assert_non_null(strstr((char *)buf, "\r\nRetry-After: 90\r\n"));
	assert_int_equal(find("/nothing", 3, &hit), 0);
	assert_int_equal(hit.status, 503);
	assert_int_equal(hit.variant, 3);
	assert_int_equal(reopen(files.id, files.variant, &hit), 0);
	/* another page, and other files meanwhile */
	assert_int_equal(tree_file(&tree, "down.html", "later", 5), 0);
	maintain("down.html");
	assert_int_equal(find("/", 0, &hit), 0);
	fetch(&hit, 64, buf);
	page.body = "later";
	page.len = page.sent = 5;
	check_response(buf, &hit, &page);
	assert_int_equal(serve_page(&served, NULL, 0), 0);
	assert_int_equal(find("/7", 0, &hit), 0);
	assert_int_equal(hit.id, files.id);
	assert_int_equal(serve_dir(&served, NULL), 0);
	assert_int_equal(find("/7", 0, &hit), -1);
	assert_int_equal(served.maps.state->now, 0);
	assert_int_equal(reopen(files.id, files.variant, &hit), -1);
	/* without files, too */
	maintain("down.html");
	assert_int_equal(find("/7", 0, &hit), 0);
	assert_int_equal(hit.status, 503);
	assert_int_equal(serve_page(&served, NULL, 0), 0);
	assert_int_equal(find("/7", 0, &hit), -1);
}

static int open_call(void)
{
	void *p = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, run_map(&run, handler, "content_call"),
		       0);

	if (p == MAP_FAILED)
		return -1;
	call = p;
	return 0;
}

static int set_up(void **state)
{
	static const struct pkt_layer layers[] = { IP4(), UDP(), DATA(20), { 0 } };

	if (run_open(&run, NULL))
		return -1;
	handler = run_add(&run, run_path("t/handlers/content.bpf.o"), NULL);
	if (handler < 0 || serve_open(&served, &run, handler) || open_call())
		return -1;
	pkt_build(&in, layers);
	return 0;
}

static int tear_down(void **state)
{
	serve_close(&served);
	tree_remove(&tree);
	run_close(&run);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing), cmocka_unit_test(test_bytes),  cmocka_unit_test(test_longest),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_names),  cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_redirection), cmocka_unit_test(test_errors),      cmocka_unit_test(test_reload),
		cmocka_unit_test(test_rest),        cmocka_unit_test(test_maintenance), cmocka_unit_test(test_hits),
		cmocka_unit_test(test_swap),
	};

	return cmocka_run_group_tests_name("content", tests, set_up, tear_down);
}

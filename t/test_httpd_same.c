// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_httpd_same.c - the handler httpd: what it remembers of the last request changes no answer
 *
 * Two instances with the same key get the same packets. One keeps the requests and payloads that it had last, as ever;
 * the other one's memory is wiped before each packet. Answers and counters have to be the same.
 */
#include "serve.h"	/* before cmocka.h, which has another fail() */
#include "httpd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include "rows.h"
#include "tree.h"

#define SEED	4711
#define PACKETS	4000
#define TEXTS	4	/* as in handlers/httpd/text.h: no test depends on it but for its speed */
#define LONGEST	1300

enum who { KEEPING = 1, FORGETTING };

/* Packets that wait until they are run: to change the chain takes long. */
#define BATCH	100

static struct batch {
	struct pkt in;
	struct run_out out;
	char	name[40];
} batch[BATCH];
static size_t waiting;

static struct run run;
static struct client clients[] = {
	{ .mss = 1460 }, { .mss = 1460, .ts = 1 }, { .mss = 536, .ts = 1 }, { .mss = 1460, .ts = 1, .v6 = 1 },
	{ .mss = 1460, .tag = 7 },
};

/* What is asked for, by turns; %d: one of some sizes. */
static const char *const requests[] = {
	"GET /%d HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n",
	"GET /%d HTTP/1.1\r\nHost: 192.0.2.2\r\nAccept: */*\r\n\r\n",
	"GET /%d HTTP/1.1\r\n\r\n",
	"GET /%d HTTP/1.0\r\nAccept: */*\r\n\r\n",
	"GET /%d HTTP/1.1\r\nConnection: close\r\n\r\n",
	"HEAD /%d HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n",
	"GET /?s=%d/r=404 HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n",
	"GET /?s=%d/t=5 HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n",
	"POST /%d HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
	"GET /%d HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
	"GET /1 HTTP/1.1\r\n\r\nGET /%d HTTP/1.1\r\n\r\n",
	"GET /file%d HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n",
	"GET /nothing/%d HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n",
	"GET /%d HTTP/1.1\r\nNot the end: of the header\r\n",
	"DELETE /%d HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n",
};

static const int sizes[] = { 0, 1, 7, 100, 101, 500, 1300, 1358, 1400, 5000, 20000 };

static long any(long n)
{
	return random() % n;
}

/* Wipes what instance <id> remembers. */
static void forget(uint32_t id)
{
	static const struct {
		const char *name;
		uint32_t count;
	} maps[] = { { "ndiv_texts", TEXTS }, { "ndiv_made", 1 } };
	struct bpf_map *map;
	uint32_t i, key;
	uint8_t *zeros;

	for (i = 0; i < COUNT(maps); i++) {
		map = bpf_object__find_map_by_name(run.handler[id].obj, maps[i].name);
		assert_non_null(map);
		assert_int_equal(bpf_map__max_entries(map), maps[i].count);
		zeros = calloc(run.cpu_count, (bpf_map__value_size(map) + 7) & ~7U);
		assert_non_null(zeros);
		for (key = 0; key < maps[i].count; key++)
			assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), &key, zeros, BPF_ANY), 0);
		free(zeros);
	}
}

/* For a while, the same few things come by turns. */
static struct {
	size_t request[3], size[2], client[2];
	int	window;		/* at most; 0: none that is small */
} some;

static void choose_some(void)
{
	size_t i;

	for (i = 0; i < COUNT(some.request); i++)
		some.request[i] = any(COUNT(requests));
	for (i = 0; i < COUNT(some.size); i++)
		some.size[i] = any(COUNT(sizes));
	for (i = 0; i < COUNT(some.client); i++)
		some.client[i] = any(COUNT(clients));
	some.window = any(3) ? 0 : 1 + any(2000);
}

/* A text, which is mostly one of those before, or much like one of them. */
static size_t write_request(char *text)
{
	size_t len = sprintf(text, requests[some.request[any(3)]], sizes[some.size[any(2)]]);
	size_t more = any(8) ? 0 : any(LONGEST - 200);

	/* a header that is as long as it gets */
	if (more && len > 4 && !memcmp(text + len - 4, "\r\n\r\n", 4)) {
		len += sprintf(text + len - 2, "X: ") - 2;
		memset(text + len, 'x', more);
		len += more;
		len += sprintf(text + len, "\r\n\r\n");
	}
	if (!any(8))
		text[any(len)] = any(2) ? "/0 \r\n:C"[any(7)] : random();
	return len;
}

static void say(const struct client *c)
{
	static char text[LONGEST + 100];
	size_t len = write_request(text);
	/* where a connection is, in multiples of what its responses have; and at its end, where that is near */
	uint32_t ack = 1 + 128 * (any(3) ? any(4) : c->ts ? 1000 : 7700);
	uint8_t flags = TH_ACK | TH_PSH | (any(10) ? 0 : TH_FIN);
	struct client lossy = *c;

	lossy.tsval += any(8) ? 0 : 4;	/* POS_LOSSY */
	client_say(&lossy, flags, 1, ack, text, len);
	if (some.window && any(2)) {
		put16(client_in.data + client_in.l4 + 14, any(some.window));
		pkt_resum(&client_in);
	}
	if (!any(20))
		client_in.data[client_in.payload + any(len)] ^= 1 << any(8);	/* and the checksum is wrong */
}

static void hear_next(struct batch *b)
{
	client_in = b->in;
	hear(&run, b->name);
}

/* Both instances do the same with what waits. */
static void compare_all(void)
{
	static struct ndiv_cpu first, second;
	struct batch *b;

	use(&run, KEEPING);
	for (b = batch; b < batch + waiting; b++) {
		hear_next(b);
		b->out = client_out;
		b->out.data = b->out.buf + (client_out.data - client_out.buf);
	}
	assert_int_equal(run_sum(&run, NDIV_CPU_RX, &first), 0);
	use(&run, FORGETTING);
	for (b = batch; b < batch + waiting; b++) {
		forget(FORGETTING);
		hear_next(b);
		if (b->out.act != client_out.act)
			fail_msg("%s: action %d and not %d", b->name, b->out.act, client_out.act);
		must_equal(b->name, b->out.data, b->out.len, client_out.data, client_out.len);
	}
	assert_int_equal(run_sum(&run, NDIV_CPU_RX, &second), 0);
	assert_memory_equal(first.counter[KEEPING], second.counter[FORGETTING], sizeof(first.counter[0]));
	assert_memory_equal(first.reason[KEEPING], second.reason[FORGETTING], sizeof(first.reason[0]));
	waiting = 0;
}

/* Both instances are to do the same with client_in. */
static void compare(const char *what, size_t i)
{
	struct batch *b = &batch[waiting++];

	b->in = client_in;
	snprintf(b->name, sizeof(b->name), "%s %zu", what, i);
	if (waiting == BATCH)
		compare_all();
}

static void open_all(void)
{
	size_t i;

	use(&run, KEEPING);
	for (i = 0; i < COUNT(clients); i++)
		must("SYN", client_dial(&run, &clients[i]));
}

static void test_requests(void **state)
{
	int i;

	srandom(SEED);
	open_all();
	for (i = 0; i < PACKETS; i++) {
		if (i % 25 == 0)
			choose_some();
		say(&clients[some.client[any(2)]]);
		compare("packet", i);
	}
	compare_all();
}

/* Each byte of a request matters, wherever it is, and of whatever length that is. */
static void test_each_byte(void **state)
{
	static char text[200];
	size_t len, at;

	open_all();
	for (len = 30; len < 100; len += 1 + len % 3) {
		memset(text, 'x', sizeof(text));
		memcpy(text, "GET /100 HTTP/1.1\r\nA:", 21);
		memcpy(text + len - 4, "\r\n\r\n", 4);
		for (at = 0; at < len; at++) {
			client_say(&clients[0], TH_ACK, 1, 1, text, len);
			compare("as it was, length", len);
			client_in.data[client_in.payload + at] ^= 1;
			pkt_resum(&client_in);
			compare("byte", at);
		}
	}
	compare_all();
}

/* What is loaded changes: so does the answer to the same request. */
static void test_site(void **state)
{
	static const char text[] = "GET /100 HTTP/1.1\r\nHost: 192.0.2.1\r\nAccept: */*\r\n\r\n";
	struct serve serve[2];
	struct tree tree;
	int i, id, n;

	open_all();
	assert_int_equal(tree_make(&tree), 0);
	for (id = KEEPING; id <= FORGETTING; id++)
		assert_int_equal(serve_open(&serve[id - 1], &run, id), 0);
	/* Now and then with another one in between that nobody has seen: what is served is in the same place again. */
	for (i = 0; i < 24; i++) {
		if (i % 6)
			assert_int_equal(tree_fill(&tree, "100", 50 + i, i), 0);
		for (id = KEEPING; id <= FORGETTING; id++)
			assert_int_equal(serve_dir(&serve[id - 1], i % 6 ? tree.dir : NULL), 0);
		if (i % 4 == 1)
			continue;
		client_say(&clients[i % 2], TH_ACK, 1, 1, text, sizeof(text) - 1);
		for (n = 0; n < 4; n++)
			compare("load", i);
		compare_all();
	}
	for (id = KEEPING; id <= FORGETTING; id++)
		serve_close(&serve[id - 1]);
	tree_remove(&tree);
}

static int load(void)
{
	int i;

	for (i = KEEPING; i <= FORGETTING; i++)
		if (run_add(&run, run_path("handlers/httpd.bpf.o"), NULL) != i)
			return -1;
	return 0;
}

int main(void)
{
	add("requests, by chance", test_requests, NULL);
	add("each byte of a request", test_each_byte, NULL);
	add("the same request, another site", test_site, NULL);
	return suite_run("httpd_same", &run, load);
}

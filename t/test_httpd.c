// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_httpd.c - the handler httpd: requests and responses
 *
 * A client of the test opens a connection and sends what a row says. The expected answer is composed in the harness,
 * from what docs/httpd.md promises, down to the last byte of the body: so nothing of a response is what happened to lie
 * in memory.
 */
#include "httpd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include "oracle.h"
#include "rows.h"

#define SEED		80
#define MUTATIONS	50000
#define PLAIN		1	/* handler id */

static struct run run;

static const struct client plain_client = { .mss = 1460 };

/* clang-format off */
/* Connections that each of the rows above is tried with. */
static const struct client clients[] = {
	{ .mss = 1460 },
	{ .mss = 1460, .ts = 1 },
	{ .mss = 1440, .v6 = 1, .ts = 1 },
	{ .mss = 1460, .tag = 10 },
	{ .mss = 1440, .v6 = 1, .tag = 0x200a },
};
/* clang-format on */

/* What the handler has to have counted for a row. */
static void check_http_counters(const struct http_row *row)
{
	int counters[3];
	int n = 0;

	counters[n++] = row->status == 400 || row->status == 405 ? OTHER : row->head ? HEAD : GET;
	counters[n++] = row->status == 200 ? S2XX : S4XX;
	if (row->close)
		counters[n++] = CLOSE;
	must(row->name, client_counted(&run, PLAIN, counters, n, 0));
}

/* The request as the first packet behind the SYN-ACK, and again: then it is a retransmission, with the same answer. */
static void test_http_row(void **state)
{
	const struct http_row *row = *state;
	uint8_t flags = TH_ACK | TH_PSH | (row->close ? TH_FIN : 0);
	size_t i, asked = strlen(row->request), len;
	static char text[9000];
	struct client c;
	char name[160];

	for (i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		c = clients[i];
		snprintf(name, sizeof(name), "%s (client %zu)", row->name, i);
		use(&run, PLAIN);
		must(name, client_dial(&run, &c));
		assert_int_equal(run_reset(&run), 0);
		client_say(&c, TH_ACK | TH_PSH, 1, 1, row->request, asked);
		hear(&run, name);
		len = http_response(text, row->status, row->close, row->head, row->size, row->number);
		must(name, client_expect(&c, flags, 1, 1 + (row->acked ? row->acked : asked), text, len));
		check_http_counters(row);
		hear(&run, name);
		must(name, client_compare());
	}
}

/* Only a part of the request has come. Never silence, and never the object: there is an end to it, though. */
static void test_parts(void **state)
{
	const struct http_row *row = *state;
	struct client c = plain_client;
	const char *end = strstr(row->request, "\r\n\r\n"), *status;
	size_t n, all = strlen(row->request);

	use(&run, PLAIN);
	must(row->name, client_dial(&run, &c));
	if (end)
		all = end + 4 - row->request;
	for (n = 1; n < all && n < 1400; n++) {
		client_say(&c, TH_ACK | TH_PSH, 1, 1, row->request, n);
		if (hear(&run, row->name) != XDP_TX)
			fail_msg("%s: %zu bytes of it: action %d", row->name, n, client_out.act);
		/* to whom as for the whole request, acknowledged, closed */
		if (!(client_out.data[client_in.l4 + 13] & TH_FIN) ||
		    get32(client_out.data + client_in.l4 + 8) != ROWS_CLIENT_ISN + 1 + n)
			fail_msg("%s: %zu bytes of it: not closed, or not acknowledged", row->name, n);
		status = (char *)client_out.data + client_in.l4 + 20;
		if (memcmp(status, "HTTP/1.1 4", 10))
			fail_msg("%s: %zu bytes of it: %.20s", row->name, n, status);
	}
}

/* --- sizes and segments --------------------------------------------------------------------------------------- */

/* Asks for <size> bytes; returns the status. The response is compared with what it has to be. */
static int get(const struct client *c, int size, size_t *payload)
{
	char request[64], name[64];
	static char text[9000];
	int len = snprintf(request, sizeof(request), "GET /%d HTTP/1.1\r\n\r\n", size), status;

	snprintf(name, sizeof(name), "MSS %d, GET /%d", c->mss, size);
	client_say(c, TH_ACK | TH_PSH, 1, 1, request, len);
	hear(&run, name);
	if (client_out.act != XDP_TX)
		fail_msg("%s: action %d", name, client_out.act);
	status = memcmp(client_out.data + client_in.l4 + (c->ts ? 32 : 20), "HTTP/1.1 200", 12) ? 416 : 200;
	*payload = http_response(text, status, status == 416, 0, status == 200 ? size : -1, NULL);
	must(name, client_expect(c, TH_ACK | TH_PSH | (status == 416 ? TH_FIN : 0), 1, 1 + len, text, *payload));
	return status;
}

struct mss_row {
	const char *name;
	struct client client;
	int	at_least;	/* bytes that must fit */
};

static const struct mss_row mss_rows[] = {
	{ "MSS 1460", { .mss = 1460 }, 1330 },
	{ "MSS 1460, timestamps", { .mss = 1460, .ts = 1 }, 1320 },
	{ "MSS 1440, v6", { .mss = 1440, .v6 = 1 }, 1310 },
	{ "MSS 1400", { .mss = 1400 }, 1270 },
	{ "MSS 1399", { .mss = 1399 }, 1200 },
	{ "MSS 1220, v6", { .mss = 1220, .v6 = 1 }, 1090 },
	{ "MSS 1000", { .mss = 1000 }, 400 },
	{ "MSS 536", { .mss = 536 }, 400 },
	{ "MSS 536, timestamps", { .mss = 536, .ts = 1 }, 390 },
	{ "MSS 400", { .mss = 400 }, 0 },
	{ "no MSS option", { .mss = 0 }, 400 },
	{ "no MSS option, v6", { .mss = 0, .v6 = 1 }, 1090 },
	{ "MSS 8960", { .mss = 8960 }, 2800 },
	{ "MSS 65535", { .mss = 65535 }, 2800 },
};

/* Every size from 0: objects up to the largest that fits, 416 above. No segment is longer than the client takes. */
static void test_mss(void **state)
{
	const struct mss_row *row = *state;
	struct client c = row->client;
	int size, status, fits = -1, limit = c.mss ? c.mss : c.v6 ? 1220 : 536;
	size_t payload;

	use(&run, PLAIN);
	must(row->name, client_dial(&run, &c));
	if (limit > 2900)
		limit = 2900;
	for (size = 0; size <= limit + 20; size += size < 200 || size > limit - 200 ? 1 : 7) {
		status = get(&c, size, &payload);
		if (c.mss < 2900 && payload + (c.ts ? 12 : 0) > (size_t)limit)
			fail_msg("%s: segment of %zu bytes for /%d", row->name, payload, size);
		if (status == 200 && fits != -1 && fits < size - 7)
			fail_msg("%s: /%d fits, but /%d did not", row->name, size, fits);
		if (status == 200)
			fits = size;
	}
	if (fits < row->at_least)
		fail_msg("%s: only %d bytes fit", row->name, fits);
}

/* --- more than one packet ------------------------------------------------------------------------------------- */

/* Two requests in a packet: the second one is answered when it comes again, as TCP has it. */
static void test_two_requests(void **state)
{
	static const char both[] = "GET /100 HTTP/1.1\r\n\r\nGET /200 HTTP/1.1\r\n\r\n";
	struct client c = plain_client;
	static char text[9000];
	size_t len;

	use(&run, PLAIN);
	must("two requests", client_dial(&run, &c));
	client_say(&c, TH_ACK | TH_PSH, 1, 1, both, sizeof(both) - 1);
	hear(&run, "first request");
	len = http_response(text, 200, 0, 0, 100, NULL);
	must("first request", client_expect(&c, TH_ACK | TH_PSH, 1, 1 + SENT, text, len));
	client_say(&c, TH_ACK | TH_PSH, 1 + SENT, 1 + len, both + SENT, sizeof(both) - 1 - SENT);
	hear(&run, "second request");
	must("second request", client_expect(&c, TH_ACK | TH_PSH, 1 + len, sizeof(both), text,
					     http_response(text, 200, 0, 0, 200, NULL)));
}

/* A whole connection: each packet as a client would send it, kept, then closed by the server. */
static void test_connection(void **state)
{
	static const char last[] = "GET /7 HTTP/1.1\r\nConnection: close\r\n\r\n";
	struct client c = { .mss = 1460, .ts = 1 };
	uint32_t seq = 1, ack = 1;
	static char text[9000];
	size_t len;
	int i;

	use(&run, PLAIN);
	must("connection", client_dial(&run, &c));
	for (i = 0; i < 1000; i++) {
		len = http_response(text, 200, 0, 0, 100, NULL);
		client_say(&c, TH_ACK | TH_PSH, seq, ack, HUNDRED_PLEASE, SENT);
		hear(&run, "request");
		must("request", client_expect(&c, TH_ACK | TH_PSH, ack, seq + SENT, text, len));
		seq += SENT;
		ack += len;
	}
	client_say(&c, TH_ACK | TH_PSH, seq, ack, last, sizeof(last) - 1);
	hear(&run, "last request");
	len = http_response(text, 200, 1, 0, 7, NULL);
	seq += sizeof(last) - 1;
	must("last request", client_expect(&c, TH_ACK | TH_PSH | TH_FIN, ack, seq, text, len));
	ack += len + 1;
	client_say(&c, TH_ACK | TH_FIN, seq, ack, NULL, 0);
	hear(&run, "FIN");
	must("FIN", client_expect(&c, TH_ACK, ack, seq + 1, NULL, 0));
}

/* Without timestamps a connection ends before its packets cannot be told from a guess. */
static void test_megabyte(void **state)
{
	struct client c = plain_client;
	uint32_t ack = 1;
	int i;

	use(&run, PLAIN);
	must("megabyte", client_dial(&run, &c));
	for (i = 0; i < 10000; i++) {
		client_say(&c, TH_ACK | TH_PSH, 1, ack, HUNDRED_PLEASE, SENT);
		if (hear(&run, "megabyte") != XDP_TX)
			fail_msg("after %u bytes: action %d", ack, client_out.act);
		ack += GOT;
		if (client_out.data[client_in.l4 + 13] & TH_FIN)
			break;
	}
	if (ack < 800000 || ack > 1 << 20)
		fail_msg("closed after %u bytes", ack);
}

/* --- anything at all ------------------------------------------------------------------------------------------ */

/* What is sent is always right, goes back to where it came from, and is a SYN-ACK's length unless a cookie was shown.
 */
static void check_answer(const char *name)
{
	struct ndiv_pkt pkt;
	const char *bad;

	hear(&run, name);
	if (client_out.act != XDP_TX)
		return;
	bad = oracle_judge(client_out.data, client_out.len, &pkt);
	if (bad)
		fail_msg("%s: wrong answer: %s", name, bad);
	if (memcmp(client_out.data, client_in.data + 6, 6) || memcmp(client_out.data + 6, client_in.data, 6))
		fail_msg("%s: answer to somebody else", name);
}

static void test_truncated(void **state)
{
	struct client c = { .mss = 1460, .ts = 1 };
	size_t full;

	use(&run, PLAIN);
	must("truncated", client_dial(&run, &c));
	client_say(&c, TH_ACK | TH_PSH, 1, 1, HUNDRED_PLEASE, SENT);
	full = client_in.len;
	for (client_in.len = 14; client_in.len < full; client_in.len++)
		if (hear(&run, "truncated") != XDP_PASS)
			fail_msg("request truncated to %zu bytes: action %d", client_in.len, client_out.act);
}

static void test_mutations(void **state)
{
	size_t count = http_row_count, at;
	const struct http_row *row;
	int i, n, replies = 0;
	struct client c;
	char name[160];

	srandom(SEED);
	use(&run, PLAIN);
	for (i = 0; i < MUTATIONS; i++) {
		if (i % 100 == 0) {
			c = clients[i / 100 % (sizeof(clients) / sizeof(clients[0]))];
			must("mutation", client_dial(&run, &c));
		}
		row = &http_rows[random() % count];
		snprintf(name, sizeof(name), "mutation %d of \"%s\"", i, row->name);
		client_say(&c, random() % 4 ? TH_ACK : random(), 1, 1, row->request, strlen(row->request));
		if (client_in.len > 1500)
			continue;
		for (n = random() % 6; n >= 0; n--) {
			at = random() % 3 ? client_in.l4 + random() % (client_in.len - client_in.l4)
					  : 12 + random() % (client_in.len - 12);
			client_in.data[at] = random() % 2 ? random() : "\r\n \t:,/0"[random() % 8];
		}
		if (random() % 8)
			pkt_resum(&client_in);
		check_answer(name);
		replies += client_out.act == XDP_TX;
	}
	/* else they are so wild that nothing was tested */
	assert_true(replies > MUTATIONS / 20);
}

/* The numbers above are those of the handler. */
static void test_names(void **state)
{
	static const char *const counters[] = { "syn",        "get",   "head", "other-method", "status-2xx",
						"status-4xx", "close", "fin",  "rst-sent" };
	static const char *const reasons[] = { "",           "ack",          "rst",         "flags",
					       "bad-cookie", "bad-checksum", "bad-options", "tx-full" };
	struct bpf_map *map = bpf_object__find_map_by_name(run.handler[PLAIN].obj, ".rodata.ndiv");
	struct ndiv_info info;
	uint32_t key = 0;
	size_t i;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(map), &key, &info), 0);
	for (i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		assert_string_equal(info.counters[i], counters[i]);
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		assert_string_equal(info.reasons[i], reasons[i]);
}

/* The transmit ring is full: no answer, no packet to the stack either, which would reset the connection. */
static void test_pressure(void **state)
{
	struct client c = plain_client;
	uint32_t key = NDIV_CPU_RX;
	int i;

	use(&run, PLAIN);
	must("pressure", client_dial(&run, &c));
	assert_int_equal(run_reset(&run), 0);
	for (i = 0; i < run.cpu_count; i++)
		run.values[i].pressure = UINT64_MAX;
	assert_int_equal(bpf_map_update_elem(run.cpus, &key, run.values, 0), 0);
	client_say(&c, TH_ACK | TH_PSH, 1, 1, HUNDRED_PLEASE, SENT);
	assert_int_equal(hear(&run, "pressure"), XDP_DROP);
	must("pressure", client_counted(&run, PLAIN, NULL, 0, R_TX_FULL));
}

static int open_run(void **state)
{
	if (run_open(&run, NULL))
		return -1;
	return run_add(&run, run_path("handlers/httpd.bpf.o"), NULL) == PLAIN ? 0 : -1;
}

static int close_run(void **state)
{
	run_close(&run);
	return 0;
}

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define ROWS_MAX	300

static struct CMUnitTest tests[2 * ROWS_MAX + COUNT(mss_rows) + 10];
static size_t test_count;

static void add(const char *name, CMUnitTestFunction fn, const void *row)
{
	tests[test_count++] = (struct CMUnitTest){ name, fn, NULL, NULL, (void *)row };
}

int main(void)
{
	static char names[ROWS_MAX][100];
	size_t i;

	if (http_row_count > ROWS_MAX)
		return 1;
	for (i = 0; i < http_row_count; i++) {
		add(http_rows[i].name, test_http_row, &http_rows[i]);
		snprintf(names[i], sizeof(names[i]), "%s, parts of it", http_rows[i].name);
		if (http_rows[i].status == 200)
			add(names[i], test_parts, &http_rows[i]);
	}
	for (i = 0; i < COUNT(mss_rows); i++)
		add(mss_rows[i].name, test_mss, &mss_rows[i]);
	add("two requests, one after the other", test_two_requests, NULL);
	add("a whole connection", test_connection, NULL);
	add("a megabyte without timestamps", test_megabyte, NULL);
	add("request truncated at every byte", test_truncated, NULL);
	add("mutations", test_mutations, NULL);
	add("names", test_names, NULL);
	add("pressure", test_pressure, NULL);
	return _cmocka_run_group_tests("httpd", tests, test_count, open_run, close_run);
}

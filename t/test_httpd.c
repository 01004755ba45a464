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
#include "grammar.h"
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

#define HTTP(first, rest)	"GET " first "\r\n" rest "\r\n"
#define CONN(value)		"Connection: " value "\r\n"
#define TEXT_OF(s)		.status = (s), .size = -1, .close = 1, .method = (s) == 400 ? ROW_OTHER : ROW_GET_OR_HEAD

/* clang-format off */
/* Of no use to a benchmark, so not among those of the harness. */
static const struct http_row odd_rows[] = {
	{ .name = "close is stronger than keep-alive", .request = HTTP("/9 HTTP/1.1", CONN("close, keep-alive")),
	  .status = 200, .size = 9, .close = 1 },
	{ .name = "close is stronger than keep-alive before it", .request = HTTP("/9 HTTP/1.1", CONN("keep-alive, close")),
	  .status = 200, .size = 9, .close = 1 },
	{ .name = "close is stronger in HTTP/1.0, too", .request = HTTP("/9 HTTP/1.0", CONN("close") CONN("keep-alive")),
	  .status = 200, .size = 9, .close = 1 },
	{ .name = "keep-alive twice", .request = HTTP("/9 HTTP/1.0", CONN("keep-alive,keep-alive")), .status = 200,
	  .size = 9 },
	{ .name = "a list of nothing, and close", .request = HTTP("/9 HTTP/1.1", CONN(",,\t, ,close")), .status = 200,
	  .size = 9, .close = 1 },
	{ .name = "close with a parameter", .request = HTTP("/9 HTTP/1.1", CONN("close;x=1")), .status = 200, .size = 9 },
	{ .name = "two words are no list", .request = HTTP("/9 HTTP/1.1", CONN("te close")), .status = 200, .size = 9 },
	{ .name = "keep-alive without a hyphen", .request = HTTP("/9 HTTP/1.0", CONN("keep\ralive")), .status = 200,
	  .size = 9, .close = 1 },
	{ .name = "a blank before the colon", .request = HTTP("/9 HTTP/1.1", "Connection : close\r\n"), .status = 200,
	  .size = 9 },
	{ .name = "the name at the end of the first line", .request = HTTP("/9?Connection:close HTTP/1.1", ""),
	  .status = 200, .size = 9 },
	{ .name = "an empty line before it", .request = "GET /9 HTTP/1.1\r\n\r\nConnection: close\r\n\r\n", .status = 200,
	  .size = 9, .acked = sizeof("GET /9 HTTP/1.1\r\n\r\n") - 1 },
	{ .name = "version with a digit more", .request = HTTP("/9 HTTP/1.10", ""), TEXT_OF(400) },
	{ .name = "version with a blank behind", .request = HTTP("/9 HTTP/1.1 ", ""), TEXT_OF(400) },
	{ .name = "version with a carriage return only", .request = "GET /9 HTTP/1.1\rHost: x\r\n\r\n", TEXT_OF(400) },
	{ .name = "five digits that are zero", .request = HTTP("/00000 HTTP/1.1", ""), .status = 200, .size = 0 },
	{ .name = "eleven digits", .request = HTTP("/00000000001 HTTP/1.1", ""), TEXT_OF(416) },
	{ .name = "ten digits", .request = HTTP("/1234567890 HTTP/1.1", ""), TEXT_OF(416) },
	{ .name = "HEAD of what is not there", .request = "HEAD /x HTTP/1.1\r\n\r\n", TEXT_OF(404), .head = 1 },
	{ .name = "method and nothing else", .request = "GET /", TEXT_OF(400) },
};
/* clang-format on */

static int of_status(int status)
{
	return status < 300 ? S2XX : status < 400 ? S3XX : status < 500 ? S4XX : S5XX;
}

/* What the handler has to have counted for a row, whose response has <len> bytes. */
static void check_http_counters(const struct http_row *row, size_t len)
{
	static const int methods[] = { GET, POST, OTHER };
	static struct ndiv_cpu got;
	int counters[3];
	int n = 0;

	run_sum(&run, NDIV_CPU_RX, &got);
	assert_int_equal(got.counter[PLAIN][BYTES], len);
	assert_int_equal(got.counter[PLAIN][SEGMENTS], 1);
	forget_sums(&run, PLAIN);
	counters[n++] = row->head ? HEAD : methods[row->method];
	counters[n++] = of_status(row->status);
	if (row->close)
		counters[n++] = CLOSE;
	must(row->name, client_counted(&run, PLAIN, counters, n, 0));
}

/* The response to <row> for client <c>. */
static size_t respond(char *text, const struct http_row *row, const struct client *c)
{
	const struct http_answer a = { row->status, row->close, row->size, row->head, row->method == ROW_POST, c->ts };

	return http_response(text, &a);
}

/* That of a kept connection without timestamps to a GET. */
static size_t object(char *text, int size)
{
	return http_response(text, &(struct http_answer){ .status = 200, .size = size });
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

	for (i = 0; i < COUNT(clients); i++) {
		c = clients[i];
		snprintf(name, sizeof(name), "%s (client %zu)", row->name, i);
		use(&run, PLAIN);
		must(name, client_dial(&run, &c));
		assert_int_equal(run_reset(&run), 0);
		client_say(&c, TH_ACK | TH_PSH, 1, 1, row->request, asked);
		hear(&run, name);
		len = respond(text, row, &c);
		must(name, client_expect(&c, flags, 1, 1 + (row->acked ? row->acked : asked), text, len));
		check_http_counters(row, len);
		hear(&run, name);
		must(name, client_compare());
	}
}

/*
 * Only a part of the request has come. Never silence, and there is an end to it: what the first line says is answered,
 * or it is a bad request.
 */
static void test_parts(void **state)
{
	const struct http_row *row = *state;
	struct client c = plain_client;
	const char *end = strstr(row->request, "\r\n\r\n"), *line = strchr(row->request + 2, '\n'), *status;
	size_t n, all = strlen(row->request);

	use(&run, PLAIN);
	must(row->name, client_dial(&run, &c));
	if (end > row->request)
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
		if (memcmp(status, line && row->request + n > line ? "HTTP/1.1 2" : "HTTP/1.1 ", 9))
			fail_msg("%s: %zu bytes of it: %.20s", row->name, n, status);
	}
}

/* --- sizes and segments --------------------------------------------------------------------------------------- */

/* Asks for <size> bytes. Returns the response's length if it is one segment, which has to be right; 0: it is more. */
static size_t get(const struct client *c, int size)
{
	const struct http_answer a = { .status = 200, .size = size, .ts = c->ts };
	char request[64], name[64];
	static char text[9000];
	int len = snprintf(request, sizeof(request), "GET /%d HTTP/1.1\r\n\r\n", size);
	size_t n = http_response(text, &a);

	snprintf(name, sizeof(name), "MSS %d, GET /%d", c->mss, size);
	client_say(c, TH_ACK | TH_PSH, 1, 1, request, len);
	hear(&run, name);
	if (client_out.act == XDP_REDIRECT)
		return 0;
	must(name, client_expect(c, TH_ACK | TH_PSH, 1, 1 + len, text, n));
	return n;
}

struct mss_row {
	const char *name;
	struct client client;
	int	at_least;	/* bytes that must fit */
};

static const struct mss_row mss_rows[] = {
	{ "MSS 1460", { .mss = 1460 }, 1290 },
	{ "MSS 1460, timestamps", { .mss = 1460, .ts = 1 }, 1300 },
	{ "MSS 1440, v6", { .mss = 1440, .v6 = 1 }, 1290 },
	{ "MSS 1440, v6, timestamps", { .mss = 1440, .v6 = 1, .ts = 1 }, 1300 },
	{ "MSS 1456, a tag", { .mss = 1456, .tag = 10 }, 1290 },
	{ "MSS 1440, v6, a tag, timestamps", { .mss = 1440, .v6 = 1, .tag = 10, .ts = 1 }, 1300 },
	{ "MSS 1400", { .mss = 1400 }, 1170 },
	{ "MSS 1399", { .mss = 1399 }, 1170 },
	{ "MSS 1220, v6", { .mss = 1220, .v6 = 1 }, 1040 },
	{ "MSS 1000", { .mss = 1000 }, 400 },
	{ "MSS 536", { .mss = 536 }, 400 },
	{ "MSS 536, timestamps", { .mss = 536, .ts = 1 }, 390 },
	{ "MSS 400, timestamps", { .mss = 400, .ts = 1 }, 110 },
	{ "no MSS option", { .mss = 0 }, 400 },
	{ "no MSS option, v6", { .mss = 0, .v6 = 1 }, 1040 },
	{ "MSS 8960", { .mss = 8960 }, 2700 },
	{ "MSS 65535", { .mss = 65535 }, 2700 },
};

/* Objects of one segment: from 0 on, up to a size. No segment is longer than the client takes, or a driver can send. */
static void test_mss(void **state)
{
	const struct mss_row *row = *state;
	int size, limit = row->client.mss ? row->client.mss : row->client.v6 ? 1220 : 536;
	struct client c = row->client;
	size_t len = 1;

	use(&run, PLAIN);
	must(row->name, client_dial(&run, &c));
	for (size = 0; size <= limit && size < 3000 && len; size++) {
		len = get(&c, size);
		if (client_out.len > NDIV_REPLY_MAX || len + (c.ts ? 12 : 0) > (size_t)limit)
			fail_msg("%s: segment of %zu bytes for /%d", row->name, len, size);
	}
	if (size - 2 < row->at_least)
		fail_msg("%s: only %d bytes fit", row->name, size - 2);
}

/* --- the grammar, by a second parser -------------------------------------------------------------------------- */

/*
 * Asks, and compares. <len> bytes, and a 0 behind them. Returns the status, or 0 if it is one that test_httpd_flow.c
 * looks at: more than one segment, or a body of which there is more to come.
 */
static int ask(const char *name, const struct client *c, const char *text, size_t len)
{
	static char response[9000];
	struct grammar_said said;
	size_t n;

	grammar_request(text, len, &said);
	said.a.ts = c->ts;
	if (said.a.size > 1200 && !said.a.head)
		return 0;
	client_say(c, TH_ACK | TH_PSH, 1, 1, text, len);
	hear(&run, name);
	if (said.a.post && said.rest && said.a.status == 200 && c->ts)
		return 0;
	if (said.rest)
		said.a.close = 1;
	n = http_response(response, &said.a);
	must(name, client_expect(c, TH_ACK | TH_PSH | (said.a.close ? TH_FIN : 0), 1, 1 + said.acked, response, n));
	return said.a.status;
}

static const struct http_row *any_row(size_t i)
{
	size_t odd = COUNT(odd_rows);

	return i < odd ? &odd_rows[i] : &http_rows[i - odd];
}

static size_t row_count(void)
{
	return COUNT(odd_rows) + http_row_count;
}

/* The first bytes of each request, all numbers of them, to all clients. */
static void test_prefixes(void **state)
{
	size_t i, k, n;
	struct client c;
	char name[160], text[256];

	use(&run, PLAIN);
	for (k = 0; k < COUNT(clients); k++) {
		c = clients[k];
		must("prefixes", client_dial(&run, &c));
		for (i = 0; i < row_count(); i++) {
			for (n = 1; n <= strlen(any_row(i)->request) && n < sizeof(text); n++) {
				snprintf(text, n + 1, "%s", any_row(i)->request);
				snprintf(name, sizeof(name), "%zu bytes of \"%s\", client %zu", n, any_row(i)->name, k);
				ask(name, &c, text, n);
			}
		}
	}
}

/* Puts something into the text of <len> bytes in place of something else; the new length, at most <max>. */
static size_t mutate(char *text, size_t len, size_t max)
{
	static const char *const bits[] = { "\r\n",
					    "\n",
					    "\r\n\r\n",
					    " ",
					    ",",
					    "/",
					    "?",
					    "0",
					    "9",
					    "close",
					    "keep-alive",
					    "Connection:",
					    "\r\nConnection: ",
					    "HTTP/1.0",
					    "HEAD /",
					    ", close",
					    "\t",
					    "\r",
					    "x",
					    "" };
	const char *bit = bits[random() % (sizeof(bits) / sizeof(bits[0]))];
	size_t at = random() % (len + 1), cut = random() % 4, put = strlen(bit);
	char byte[2] = { random() % 255 + 1, 0 };

	if (random() % 5 == 0) {
		bit = byte;
		put = 1;
	}
	if (cut > len - at)
		cut = len - at;
	if (len - cut + put > max)
		return len;
	memmove(text + at + put, text + at + cut, len - at - cut + 1);
	for (len += put - cut; put; put--)
		text[at + put - 1] = bit[put - 1];
	return len;
}

/* Requests that are nearly right, short enough for the number of lines never to be too much. */
static void test_grammar(void **state)
{
	int i, n, good = 0;
	char name[400], text[121];
	const struct http_row *row;
	struct client c;
	size_t len;

	srandom(SEED);
	use(&run, PLAIN);
	for (i = 0; i < MUTATIONS; i++) {
		if (i % 5000 == 0) {
			c = clients[i / 5000 % (COUNT(clients))];
			must("grammar", client_dial(&run, &c));
		}
		row = any_row(random() % row_count());
		len = snprintf(text, sizeof(text), "%s", row->request);
		if (len >= sizeof(text))
			continue;
		for (n = random() % 4; n >= 0; n--)
			len = mutate(text, len, sizeof(text) - 1);
		if (!len)
			continue;
		snprintf(name, sizeof(name), "mutation %d of \"%s\": \"%s\"", i, row->name, text);
		good += ask(name, &c, text, len) == 200;
	}
	if (good < MUTATIONS / 10)
		fail_msg("only %d requests were good", good);
}

/* --- the options of a SYN, by a second parser ------------------------------------------------------------------ */

/* Sends a SYN with <len> bytes of options; the SYN-ACK is as it has to be, or the SYN is dropped. */
static int syn(const char *name, const struct client *c, const uint8_t *options, int len)
{
	struct pkt_layer l = TCP(.dport = CLIENT_PORT, .seq = ROWS_CLIENT_ISN, .flags = TH_SYN,
				 .options = (const char *)options, .option_len = len);
	char told[20] = "\2\4";
	int ts, sack, class = grammar_syn(options, len, c->v6, &ts, &sack);

	client_build(&client_in, c, 0, &l, NULL, 0);
	if (hear(&run, name) != (class < 0 ? XDP_DROP : XDP_TX))
		fail_msg("%s: action %d", name, client_out.act);
	if (class < 0)
		return class;
	l = (struct pkt_layer)TCP(.sport = CLIENT_PORT, .dport = 40000, .ack = ROWS_CLIENT_ISN + 1,
				  .flags = TH_SYN | TH_ACK, .window = 65535, .options = told,
				  .seq = rows_isn(client_out.data, client_out.len), .option_len = 4);
	put16((uint8_t *)told + 2, c->v6 ? 1440 : 1460);
	if (ts >= 0)
		l.tcp.option_len +=
			client_ts(told + 4, get32(client_out.data + client_in.l4 + 28), get32(options + ts + 2));
	if (ts >= 0 && sack)
		memcpy(told + 4, "\4\2", 2);
	if (ts >= 0 && class >= 4) { /* one that scales */
		memcpy(told + 16, "\1\3\3", 4);
		l.tcp.option_len += 4;
	}
	if ((l.tcp.seq & (ts < 0 ? 15 : 31)) != (uint32_t) class << 1)
		fail_msg("%s: class: %u and not %d", name, l.tcp.seq & (ts < 0 ? 15 : 31), class << 1);
	client_build(&client_expected, c, 1, &l, NULL, 0);
	must(name, client_compare());
	return class;
}

/* Every MSS there is. */
static void test_every_mss(void **state)
{
	uint8_t options[4] = { 2, 4 };
	char name[32];
	int mss;

	use(&run, PLAIN);
	for (mss = 0; mss < 65536; mss += mss < 1500 || (mss > 8900 && mss < 9000) ? 1 : 97) {
		put16(options + 2, mss);
		snprintf(name, sizeof(name), "MSS %d", mss);
		syn(name, &clients[mss % (COUNT(clients))], options, sizeof(options));
	}
}

/* Options as stacks have them, in any order and number, and in half of them bytes that are wrong. */
static void test_options(void **state)
{
	static const char *const parts[] = { "\2\4\5\xb4",
					     "\1",
					     "\4\2",
					     "\3\3\7",
					     "\3\3\5",
					     "\3\3\xe",
					     "\3\3\1",
					     "\x8\xa\1\2\3\4\5\6\7\x9",
					     "\2\4\4\x1",
					     "\xfd\4\1\1",
					     "\x8\x8\1\1\1\1\1\1",
					     "\2\2" };
	int i, n, len, bad = 0;
	const char *part;
	uint8_t options[64];
	char name[32];

	srandom(SEED);
	use(&run, PLAIN);
	for (i = 0; i < MUTATIONS / 2; i++) {
		memset(options, 0, sizeof(options));
		for (len = 0; len < 30 && random() % 6; len += strlen(part)) {
			part = parts[random() % (sizeof(parts) / sizeof(parts[0]))];
			memcpy(options + len, part, strlen(part));
		}
		for (n = i % 2 ? random() % 3 : 0; n && len; n--)
			options[random() % len] = random() % 2 ? random() % 12 : random();
		snprintf(name, sizeof(name), "options %d", i);
		bad += syn(name, &clients[i / 2 % (COUNT(clients))], options, (len + 3) & ~3) < 0;
	}
	if (bad < MUTATIONS / 50)
		fail_msg("only %d were malformed", bad);
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
	len = object(text, 100);
	must("first request", client_expect(&c, TH_ACK | TH_PSH, 1, 1 + SENT, text, len));
	client_say(&c, TH_ACK | TH_PSH, 1 + SENT, 1 + len, both + SENT, sizeof(both) - 1 - SENT);
	hear(&run, "second request");
	must("second request", client_expect(&c, TH_ACK | TH_PSH, 1 + len, sizeof(both), text,
					     object(text, 200)));
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
		len = http_response(text, &(struct http_answer){ .status = 200, .size = 100, .ts = 1 });
		client_say(&c, TH_ACK | TH_PSH, seq, ack, HUNDRED_PLEASE, SENT);
		hear(&run, "request");
		must("request", client_expect(&c, TH_ACK | TH_PSH, ack, seq + SENT, text, len));
		seq += SENT;
		ack += len;
	}
	client_say(&c, TH_ACK | TH_PSH, seq, ack, last, sizeof(last) - 1);
	hear(&run, "last request");
	len = http_response(text, &(struct http_answer){ .status = 200, .size = 7, .close = 1, .ts = 1 });
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

/* No packet of which bytes are missing is answered, wherever it ends. */
static void test_truncated(void **state)
{
	const struct http_row *row = *state;
	struct client c;
	size_t full, k;

	use(&run, PLAIN);
	for (k = 0; k < COUNT(clients); k++) {
		c = clients[k];
		must("truncated", client_dial(&run, &c));
		client_say(&c, TH_ACK | TH_PSH, 1, 1, row->request, strlen(row->request));
		full = client_in.len;
		for (client_in.len = 14; client_in.len < full && client_in.len < 1600; client_in.len++)
			if (hear(&run, row->name) != XDP_PASS)
				fail_msg("%s: truncated to %zu bytes (client %zu): action %d", row->name, client_in.len,
					 k, client_out.act);
	}
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
			c = clients[i / 100 % (COUNT(clients))];
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
	static const char *const counters[] = { "syn",	      "get",	    "head",	   "post",	 "other-method",
						"status-2xx", "status-3xx", "status-4xx",  "status-5xx", "close",
						"fin",	      "bytes",	    "segments",	   "next-burst", "asked-again",
						"hole-filled", "body",	    "probe", "last-ack", "file", "stale" };
	static const char *const reasons[] = { "ack",          "rst",         "flags",
					       "bad-cookie", "bad-checksum", "bad-options", "tx-full",
					       "unreadable", "early",        "window",      "over-syn-rate",
					       "just-sent",  "stale" };

	must("names", run_names(&run, PLAIN, "httpd", counters, COUNT(counters), reasons, COUNT(reasons)));
}

/* The transmit ring is full: no answer, no packet to the stack either, which would reset the connection. */
static void test_pressure(void **state)
{
	struct client c = plain_client;

	use(&run, PLAIN);
	must("pressure", client_dial(&run, &c));
	assert_int_equal(run_reset(&run), 0);
	assert_int_equal(run_pressure(&run), 0);
	client_say(&c, TH_ACK | TH_PSH, 1, 1, HUNDRED_PLEASE, SENT);
	assert_int_equal(hear(&run, "pressure"), XDP_DROP);
	must("pressure", client_counted(&run, PLAIN, NULL, 0, R_TX_FULL));
}

static int load(void)
{
	return run_add(&run, run_path("handlers/httpd.bpf.o"), NULL) != PLAIN;
}

/* The request whole, in parts, and truncated. */
static void add_row(const struct http_row *row)
{
	add(row->name, test_http_row, row);
	add_also(row->name, "truncated", test_truncated, row);
	if (row->status == 200)
		add_also(row->name, "parts of it", test_parts, row);
}

int main(void)
{
	size_t i;

	for (i = 0; i < row_count(); i++)
		add_row(any_row(i));
	for (i = 0; i < COUNT(mss_rows); i++)
		add(mss_rows[i].name, test_mss, &mss_rows[i]);
	add("each request's first bytes", test_prefixes, NULL);
	add("mutations, by a second parser", test_grammar, NULL);
	add("every MSS", test_every_mss, NULL);
	add("options of SYNs, by a second parser", test_options, NULL);
	add("two requests, one after the other", test_two_requests, NULL);
	add("a whole connection", test_connection, NULL);
	add("a megabyte without timestamps", test_megabyte, NULL);
	add("mutations", test_mutations, NULL);
	add("names", test_names, NULL);
	add("pressure", test_pressure, NULL);
	return suite_run("httpd", &run, load);
}

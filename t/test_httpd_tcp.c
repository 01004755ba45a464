// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_httpd_tcp.c - the handler httpd: connections, and all that is no plain request
 */
#define _GNU_SOURCE	/* memmem() */
#include "httpd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <linux/bpf.h>
#include "oracle.h"
#include "rows.h"

/* Instances: the default one; a range of ports, addresses, one with a limit. */
enum who { PLAIN = 1, RANGE, LISTED, LIMITED };

static struct run run;

static const struct client plain_client = { .mss = 1460 };

/* --- the handshake -------------------------------------------------------------------------------------------- */

struct syn_row {
	const char *name;
	const char *options;
	int	len;
	int	ts;		/* offset of the timestamp option; 0: none */
	int	reason;		/* drop reason; 0: answered */
};

#define OPTIONS(s)	s, sizeof(s) - 1

/* clang-format off */
static const struct syn_row syn_rows[] = {
	{ "SYN without options", OPTIONS(""), 0, 0 },
	{ "SYN, MSS", OPTIONS("\2\4\5\xb4"), 0, 0 },
	{ "SYN of Linux", OPTIONS("\2\4\5\xb4\4\2\x8\xa\1\2\3\4\0\0\0\0\1\3\3\7"), 6, 0 },
	{ "SYN of Windows", OPTIONS("\2\4\5\xb4\1\3\3\x8\1\1\4\2"), 0, 0 },
	{ "SYN of a BSD", OPTIONS("\2\4\5\xb4\1\3\3\6\1\1\x8\xa\1\2\3\4\0\0\0\0\4\2\0\0"), 10, 0 },
	{ "SYN, timestamps alone", OPTIONS("\1\1\x8\xa\1\2\3\4\0\0\0\0"), 2, 0 },
	{ "SYN, timestamps first", OPTIONS("\x8\xa\1\2\3\4\0\0\0\0\2\4\5\xb4"), 0, 0 },
	{ "SYN, 40 NOPs", OPTIONS("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"),
	  0, 0 },
	{ "SYN, end of options", OPTIONS("\0\2\4\5"), 0, 0 },
	{ "SYN, timestamps behind the end of options", OPTIONS("\0\0\x8\xa\1\2\3\4\0\0\0\0"), 0, 0 },
	{ "SYN, unknown options", OPTIONS("\xfd\6\1\2\3\4\x1e\4\1\2\2\4\5\xb4\0\0"), 0, 0 },
	{ "SYN, fast open", OPTIONS("\2\4\5\xb4\x22\x0a\1\2\3\4\5\6\7\x8\0\0"), 0, 0 },
	{ "SYN, MSS of another length is none", OPTIONS("\2\6\5\xb4\0\0\0\0"), 0, 0 },
	{ "SYN, timestamps of another length are none", OPTIONS("\x8\x8\1\2\3\4\0\0\0\0\0\0"), 0, 0 },
	{ "SYN, option of length 0", OPTIONS("\2\0\5\xb4"), 0, R_OPTIONS },
	{ "SYN, option of length 1", OPTIONS("\2\1\5\xb4"), 0, R_OPTIONS },
	{ "SYN, option beyond the header", OPTIONS("\2\4\5\xb4\3\5\7\1"), 0, R_OPTIONS },
	{ "SYN, option of length 255", OPTIONS("\x8\xff\5\xb4"), 0, R_OPTIONS },
	{ "SYN, option whose length is missing", OPTIONS("\1\1\1\2"), 0, R_OPTIONS },
	{ "SYN of Linux without timestamps", OPTIONS("\2\4\5\xb4\1\1\4\2\1\3\3\7"), 0, 0 },
	{ "SYN, SACK permitted, end of options", OPTIONS("\2\4\5\xb4\4\2\0\0\x8\xa\1\2\3\4\0\0\0\0"), 0, 0 },
	{ "SYN, timestamps beyond the header", OPTIONS("\2\4\5\xb4\1\1\x8\xa\1\2\3\4"), 0, R_OPTIONS },
	{ "SYN, timestamps beyond the longest header",
	  OPTIONS("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\4\2\x8\xa"),
	  0, R_OPTIONS },
	{ "SYN, SACK beyond the header", OPTIONS("\2\4\5\xb4\1\1\5\xfa\1\2\3\4"), 0, R_OPTIONS },
};
/* clang-format on */

/* "SYN, timestamps first" has its option at offset 0: which 0 does not mean "none". */
static int ts_at(const struct syn_row *row)
{
	return row->ts ? row->ts : row->len && row->options[0] == 8 && row->options[1] == 10 ? 0 : -1;
}

static void test_syn_row(void **state)
{
	const struct syn_row *row = *state;
	const struct pkt_layer l = TCP(.dport = CLIENT_PORT, .seq = ROWS_CLIENT_ISN, .flags = TH_SYN,
				       .options = row->options, .option_len = row->len);
	struct client c = { .ts = ts_at(row) >= 0 };
	const char *wscale = c.ts ? memmem(row->options, row->len, "\3\3", 2) : NULL;
	char told[20] = "\2\4\5\xb4";
	struct pkt_layer back =
		TCP(.sport = CLIENT_PORT, .dport = 40000, .ack = ROWS_CLIENT_ISN + 1, .flags = TH_SYN | TH_ACK,
		    .window = 65535, .options = told, .option_len = c.ts ? 16 : 4);
	const int syn = SYN;

	use(&run, PLAIN);
	client_build(&client_in, &c, 0, &l, NULL, 0);
	if (hear(&run, row->name) != (row->reason ? XDP_DROP : XDP_TX))
		fail_msg("%s: action %d", row->name, client_out.act);
	must(row->name, client_counted(&run, PLAIN, &syn, !row->reason, row->reason));
	if (row->reason)
		return;
	back.tcp.seq = rows_isn(client_out.data, client_out.len);
	if (c.ts) {
		client_ts(told + 4, get32(client_out.data + client_in.l4 + 28),
			  get32((uint8_t *)row->options + ts_at(row) + 2));
		if (memmem(row->options, row->len, "\4\2", 2))
			memcpy(told + 4, "\4\2", 2);
		/* whatever the client's scale is, that of the server is 0 */
		memcpy(told + 16, "\1\3\3", 4);
		back.tcp.option_len += wscale ? 4 : 0;
		assert_int_equal(client_out.data[client_in.l4 + 12] >> 4, wscale ? 10 : 9);
	}
	client_build(&client_expected, &c, 1, &back, NULL, 0);
	must(row->name, client_compare());
	if (back.tcp.seq & 1)
		fail_msg("%s: odd initial sequence number", row->name);
}

/* --- all that is not a plain request -------------------------------------------------------------------------- */

enum answer { A_PASS, A_DROP, A_FIN, A_ACK, A_200 };

struct tcp_row {
	const char *name;
	int	flags;
	uint32_t seq, ack;	/* from the initial ones */
	const char *data;
	enum answer answer;
	int	reason;		/* A_DROP */
	int	ts;		/* a connection with timestamps */
	int	tsecr;		/* added to what the client echoes */
	int	bad_sum;
	int counters[4];
	int	count;
};

/* clang-format off */
static const struct tcp_row tcp_rows[] = {
	/* --- never answered --------------------------------------------------------------------------------- */
	{ .name = "ACK", .flags = TH_ACK, .seq = 1, .ack = 1, .answer = A_DROP, .reason = R_ACK },
	{ .name = "ACK of a response", .flags = TH_ACK, .seq = 1 + SENT, .ack = 1 + GOT, .answer = A_DROP,
	  .reason = R_ACK },
	{ .name = "ACK of the SYN-ACK, echoes what would ask for a burst", .flags = TH_ACK, .seq = 1, .ack = 1,
	  .ts = 1, .tsecr = 12 * 1408, .answer = A_DROP, .reason = R_ACK },
	{ .name = "ACK of the SYN-ACK, echoes what would ask for a file", .flags = TH_ACK, .seq = 1, .ack = 1,
	  .ts = 1, .tsecr = (1535 << 20) + 12 * 1408, .answer = A_DROP, .reason = R_ACK },
	{ .name = "RST", .flags = TH_RST, .seq = 1, .answer = A_DROP, .reason = R_RST },
	{ .name = "RST and ACK", .flags = TH_RST | TH_ACK, .seq = 1, .ack = 1, .answer = A_DROP, .reason = R_RST },
	{ .name = "RST with data", .flags = TH_RST | TH_ACK, .seq = 1, .ack = 1, .data = HUNDRED_PLEASE,
	  .answer = A_DROP,
	  .reason = R_RST },
	{ .name = "RST and FIN", .flags = TH_RST | TH_FIN | TH_ACK, .seq = 1, .ack = 1, .answer = A_DROP,
	  .reason = R_RST },
	{ .name = "RST and SYN", .flags = TH_RST | TH_SYN, .answer = A_DROP, .reason = R_RST },
	{ .name = "no flag", .flags = 0, .seq = 1, .data = HUNDRED_PLEASE, .answer = A_DROP, .reason = R_FLAGS },
	{ .name = "FIN without ACK", .flags = TH_FIN, .seq = 1, .answer = A_DROP, .reason = R_FLAGS },
	{ .name = "PSH without ACK", .flags = TH_PSH, .seq = 1, .data = HUNDRED_PLEASE, .answer = A_DROP,
	  .reason = R_FLAGS },
	{ .name = "SYN and FIN", .flags = TH_SYN | TH_FIN, .answer = A_DROP, .reason = R_FLAGS },
	{ .name = "SYN and ACK", .flags = TH_SYN | TH_ACK, .ack = 1, .answer = A_DROP, .reason = R_FLAGS },
	{ .name = "SYN, FIN and ACK", .flags = TH_SYN | TH_FIN | TH_ACK, .ack = 1, .answer = A_DROP,
	  .reason = R_FLAGS },
	{ .name = "request, wrong checksum", .flags = TH_ACK, .seq = 1, .ack = 1, .data = HUNDRED_PLEASE,
	  .bad_sum = 1,
	  .answer = A_DROP, .reason = R_CHECKSUM },
	{ .name = "FIN, wrong checksum", .flags = TH_ACK | TH_FIN, .seq = 1, .ack = 1, .bad_sum = 1, .answer = A_DROP,
	  .reason = R_CHECKSUM },
	{ .name = "SYN, wrong checksum", .flags = TH_SYN, .bad_sum = 1, .answer = A_DROP, .reason = R_CHECKSUM },

	/* --- cookies ---------------------------------------------------------------------------------------- */
	{ .name = "request, does not acknowledge our SYN", .flags = TH_ACK, .seq = 1, .ack = 0,
	  .data = HUNDRED_PLEASE,
	  .answer = A_ACK, .counters = { BODY }, .count = 1 },
	{ .name = "request, acknowledges 16 bytes before", .flags = TH_ACK, .seq = 1, .ack = -15,
	  .data = HUNDRED_PLEASE,
	  .answer = A_DROP, .reason = R_COOKIE },
	{ .name = "request, acknowledges far ahead", .flags = TH_ACK, .seq = 1, .ack = 1 + (1 << 20),
	  .data = HUNDRED_PLEASE,
	  .answer = A_DROP, .reason = R_COOKIE },
	{ .name = "request, acknowledges half a space ahead", .flags = TH_ACK, .seq = 1, .ack = 0x80000001,
	  .data = HUNDRED_PLEASE, .answer = A_DROP, .reason = R_COOKIE },
	{ .name = "FIN, acknowledges far ahead", .flags = TH_ACK | TH_FIN, .seq = 1, .ack = 1 + (1 << 20),
	  .answer = A_DROP,
	  .reason = R_COOKIE },
	{ .name = "request, echoes another timestamp", .flags = TH_ACK, .seq = 1, .ack = 1, .ts = 1, .tsecr = 1,
	  .data = HUNDRED_PLEASE, .answer = A_DROP, .reason = R_EARLY },
	{ .name = "FIN, echoes another timestamp", .flags = TH_ACK | TH_FIN, .seq = 1, .ack = 1, .ts = 1, .tsecr = -1,
	  .answer = A_DROP, .reason = R_EARLY },

	/* --- later in a connection -------------------------------------------------------------------------- */
	{ .name = "second request", .flags = TH_ACK | TH_PSH, .seq = 1 + SENT, .ack = 1 + GOT, .data = HUNDRED_PLEASE,
	  .answer = A_200, .counters = { GET, S2XX }, .count = 2 },
	{ .name = "request far on, with timestamps", .flags = TH_ACK | TH_PSH, .seq = 1 + SENT, .ack = 1 + (1 << 30),
	  .ts = 1,
	  .data = HUNDRED_PLEASE, .answer = A_200, .counters = { GET, S2XX }, .count = 2 },
	{ .name = "request without PSH", .flags = TH_ACK, .seq = 1, .ack = 1, .data = HUNDRED_PLEASE, .answer = A_200,
	  .counters = { GET, S2XX }, .count = 2 },
	{ .name = "request with URG", .flags = TH_ACK | TH_URG, .seq = 1, .ack = 1, .data = HUNDRED_PLEASE,
	  .answer = A_200,
	  .counters = { GET, S2XX }, .count = 2 },

	/* --- the end ---------------------------------------------------------------------------------------- */
	{ .name = "FIN at once", .flags = TH_ACK | TH_FIN, .seq = 1, .ack = 1, .answer = A_FIN, .counters = { FIN },
	  .count = 1 },
	{ .name = "FIN behind a response", .flags = TH_ACK | TH_FIN, .seq = 1 + SENT, .ack = 1 + GOT, .answer = A_FIN,
	  .counters = { FIN }, .count = 1 },
	{ .name = "FIN, with timestamps", .flags = TH_ACK | TH_FIN, .seq = 1 + SENT, .ack = 1 + GOT, .ts = 1,
	  .answer = A_FIN,
	  .counters = { FIN }, .count = 1 },
	{ .name = "FIN with PSH", .flags = TH_ACK | TH_FIN | TH_PSH, .seq = 1, .ack = 1, .answer = A_FIN,
	  .counters = { FIN },
	  .count = 1 },
	{ .name = "FIN that acknowledges ours", .flags = TH_ACK | TH_FIN, .seq = 1 + SENT, .ack = 1 + GOT + 1,
	  .answer = A_ACK,
	  .counters = { FIN }, .count = 1 },
	{ .name = "FIN that acknowledges ours, with timestamps", .flags = TH_ACK | TH_FIN, .seq = 1 + SENT,
	  .ack = 1 + GOT + 1, .ts = 1, .answer = A_ACK, .counters = { FIN }, .count = 1 },
	{ .name = "ACK of our FIN", .flags = TH_ACK, .seq = 1 + SENT, .ack = 1 + GOT + 1, .answer = A_DROP,
	  .reason = R_ACK },
	{ .name = "request behind our FIN", .flags = TH_ACK, .seq = 1 + SENT, .ack = 1 + GOT + 1,
	  .data = HUNDRED_PLEASE,
	  .answer = A_ACK, .counters = { BODY }, .count = 1 },
	{ .name = "request behind our FIN, with timestamps", .flags = TH_ACK, .seq = 1 + SENT, .ack = 1 + GOT + 1,
	  .ts = 1,
	  .data = HUNDRED_PLEASE, .answer = A_ACK, .counters = { BODY }, .count = 1 },
};
/* clang-format on */

/* What the client of <row> says, in <in>. */
static void say_row(const struct tcp_row *row, struct client *c)
{
	c->tsval += row->tsecr;
	client_say(c, row->flags, row->seq, row->ack, row->data, row->data ? strlen(row->data) : 0);
	c->tsval -= row->tsecr;
	if (row->bad_sum)
		client_in.data[client_in.l4 + 16] ^= 1;
}

static void test_tcp_row(void **state)
{
	const struct tcp_row *row = *state;
	size_t len = row->data ? strlen(row->data) : 0, told;
	struct client c = { .mss = 1460, .ts = row->ts };
	static char text[9000];

	use(&run, PLAIN);
	must(row->name, client_dial(&run, &c));
	assert_int_equal(run_reset(&run), 0);
	say_row(row, &c);
	hear(&run, row->name);
	forget_sums(&run, PLAIN);
	must(row->name, client_counted(&run, PLAIN, row->counters, row->count, row->reason));
	switch (row->answer) {
	case A_PASS:
	case A_DROP:
		if (client_out.act != (row->answer == A_PASS ? XDP_PASS : XDP_DROP))
			fail_msg("%s: action %d", row->name, client_out.act);
		return;
	case A_FIN:
		return must(row->name, client_expect(&c, TH_ACK | TH_FIN, row->ack, row->seq + 1, NULL, 0));
	case A_ACK:
		len += !!(row->flags & TH_FIN);
		return must(row->name, client_expect(&c, TH_ACK, row->ack, row->seq + len, NULL, 0));
	case A_200:
		told = http_response(text, &(struct http_answer){ .status = 200, .size = 100, .ts = row->ts });
		return must(row->name, client_expect(&c, TH_ACK | TH_PSH, row->ack, row->seq + len, text, told));
	}
}

/* FIN together with a request: the response closes, and acknowledges the FIN. */
static void test_request_with_fin(void **state)
{
	struct client c = plain_client;
	static char text[9000];

	use(&run, PLAIN);
	must("request with FIN", client_dial(&run, &c));
	client_say(&c, TH_ACK | TH_PSH | TH_FIN, 1, 1, HUNDRED_PLEASE, SENT);
	hear(&run, "request with FIN");
	must("request with FIN",
	     client_expect(&c, TH_ACK | TH_PSH | TH_FIN, 1, 1 + SENT + 1, text,
			   http_response(text, &(struct http_answer){ .status = 200, .size = 100, .close = 1 })));
}

/* A FIN whose timestamps come last in a long header: the answer is shorter than the place where they are. */
static void test_late_timestamps(void **state)
{
	struct client c = { .mss = 1460, .ts = 1 };
	char options[40] = "\1\1\5\x12";
	const struct pkt_layer l = TCP(.dport = CLIENT_PORT, .seq = ROWS_CLIENT_ISN + 1, .flags = TH_ACK | TH_FIN,
				       .options = options, .option_len = 32);
	struct pkt_layer fin;

	use(&run, PLAIN);
	must("late timestamps", client_dial(&run, &c));
	fin = l;
	fin.tcp.ack = c.isn + 1;
	client_say(&c, TH_ACK | TH_FIN, 1, 1, NULL, 0);
	client_ts(options + 20, CLIENT_TSVAL + 1, c.tsval);
	client_build(&client_in, &c, 0, &fin, NULL, 0);
	hear(&run, "late timestamps");
	must("late timestamps", client_expect(&c, TH_ACK | TH_FIN, 1, 2, NULL, 0));
}

/* Bytes of payload that answer the header of a body's request. */
static int answer_to(const char *request, uint16_t port)
{
	struct client c = { .mss = 1460, .ts = 1, .sport = port };
	uint8_t *tcp = client_out.data + 34;

	must(request, client_dial(&run, &c));
	client_say(&c, TH_ACK | TH_PSH, 1, 1, request, strlen(request));
	assert_int_equal(hear(&run, request), XDP_TX);
	assert_int_equal(get32(tcp + 8), get32(client_in.data + client_in.l4 + 4) + strlen(request));
	return client_out.len - 34 - (tcp[12] >> 4) * 4;
}

/* A client of HTTP/1.0 does not know 100 (Continue). */
static void test_expect(void **state)
{
	use(&run, PLAIN);
	assert_in_range(answer_to("POST / HTTP/1.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n", 40001), 20,
			100);
	assert_int_equal(answer_to("POST / HTTP/1.0\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n", 40002), 0);
	assert_int_equal(answer_to("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n", 40003), 0);
}

/* The SYN-ACK's numbers are those of this connection only, the same each time, and no row that could be continued. */
static void test_isn(void **state)
{
	static uint32_t isn[1000];
	struct client c = plain_client;
	int i, j, near = 0;

	use(&run, PLAIN);
	for (i = 0; i < 1000; i++) {
		c.sport = 10000 + i;
		must("isn", client_dial(&run, &c));
		isn[i] = c.isn;
		must("isn, again", client_dial(&run, &c));
		assert_int_equal(isn[i], c.isn);
		for (j = 0; j < i; j++)
			near += isn[i] - isn[j] < 1 << 16 || isn[j] - isn[i] < 1 << 16;
	}
	/* 500000 pairs at random: 15 would be near each other */
	if (near > 60)
		fail_msg("%d pairs of %d are near each other", near, 1000 * 999 / 2);
}

/* One SYN-ACK a second, and ten at once; a request is no SYN. */
static void test_syn_rate(void **state)
{
	struct client c = plain_client;
	static struct ndiv_cpu cpu;
	int i;

	use(&run, LIMITED);
	must("SYN rate", client_dial(&run, &c));
	for (i = 0; i < 30; i++)
		client_dial(&run, &(struct client){ .mss = 1460, .sport = 50000 + i });
	run_sum(&run, NDIV_CPU_RX, &cpu);
	assert_in_range(cpu.counter[LIMITED][SYN], 10, 20);
	assert_int_equal(cpu.counter[LIMITED][SYN] + cpu.reason[LIMITED][R_SYN_RATE], 31);
	client_say(&c, TH_ACK | TH_PSH, 1, 1, HUNDRED_PLEASE, SENT);
	assert_int_equal(hear(&run, "SYN rate"), XDP_TX);
}

/* The numbers of one connection are no good for another one. */
static void test_stolen(void **state)
{
	static struct ndiv_cpu cpu;
	struct client c = plain_client;

	use(&run, PLAIN);
	must("stolen", client_dial(&run, &c));
	c.sport = 40001;
	client_say(&c, TH_ACK | TH_PSH, 1, 1, HUNDRED_PLEASE, SENT);
	assert_int_equal(hear(&run, "from another port"), XDP_DROP);
	c.sport = 0;
	client_say(&c, TH_ACK | TH_PSH, 1, 1, HUNDRED_PLEASE, SENT);
	put32(client_in.data + client_in.l3 + 12, 0x0a4d0063);
	pkt_resum(&client_in);
	assert_int_equal(hear(&run, "from another address"), XDP_DROP);
	run_sum(&run, NDIV_CPU_RX, &cpu);
	assert_int_equal(cpu.reason[PLAIN][R_COOKIE], 2);
}

/* --- for whom ------------------------------------------------------------------------------------------------- */

struct whom_row {
	const char *name;
	enum who who;
	struct pkt_layer in[PKT_LAYERS];
	int	answered;	/* else passed unchanged */
};

#define SYN_TO(p)	TCP(.dport = (p), .flags = TH_SYN)

/* clang-format off */
static const struct whom_row whom_rows[] = {
	{ "SYN", PLAIN, { IP4(), SYN_TO(8000) }, 1 },
	{ "SYN, v6", PLAIN, { IP6(), SYN_TO(8000) }, 1 },
	{ "SYN, any address that comes here", PLAIN, { IP4(.dst = "10.78.1.2"), SYN_TO(8000) }, 1 },
	{ "SYN, padded", PLAIN, { IP4(), SYN_TO(8000), PAD(60) }, 1 },
	{ "SYN, two tags", PLAIN, { VLAN(.tci = 1), VLAN(.tci = 2), IP4(), SYN_TO(8000) }, 1 },
	{ "SYN, port 7999", PLAIN, { IP4(), SYN_TO(7999) }, 0 },
	{ "SYN, port 8001", PLAIN, { IP4(), SYN_TO(8001) }, 0 },
	{ "SYN, port 80", PLAIN, { IP6(), SYN_TO(80) }, 0 },
	{ "udp, port 8000", PLAIN, { IP4(), UDP(.dport = 8000), DATA(20) }, 0 },
	{ "from port 8000", PLAIN, { IP4(), TCP(.sport = 8000, .dport = 40000, .flags = TH_SYN) }, 0 },
	{ "SYN, another host's mac", PLAIN, { ETH(.dst = { 2, 0, 0, 0, 0x77, 3 }), IP4(), SYN_TO(8000) }, 0 },
	{ "SYN, broadcast mac", PLAIN, { ETH(.dst = { 255, 255, 255, 255, 255, 255 }), IP4(), SYN_TO(8000) }, 0 },
	{ "SYN, ip options", PLAIN, { IP4(.options = 4), SYN_TO(8000) }, 0 },
	{ "SYN, v6 extension header", PLAIN, { IP6(), EXT(60), SYN_TO(8000) }, 0 },
	{ "SYN, first fragment", PLAIN, { IP4(.frag = 0x2000), SYN_TO(8000), DATA(4) }, 0 },
	{ "SYN, later fragment", PLAIN, { IP4(.frag = 1, .proto = 6), DATA(40) }, 0 },
	{ "SYN, malformed", PLAIN, { IP4(), SYN_TO(8000), SET(F_TCP_DOFF, 4) }, 0 },
	{ "arp", PLAIN, { ETH(.proto = 0x0806), DATA(28) }, 0 },
	/* answered, these would be sent to many, or to nobody */
	{ "SYN from a multicast mac", PLAIN, { ETH(.src = { 1, 0, 0x5e, 0, 0, 1 }), IP4(), SYN_TO(8000) }, 0 },
	{ "SYN from a multicast address", PLAIN, { IP4(.src = "224.0.0.1"), SYN_TO(8000) }, 0 },
	{ "SYN from broadcast", PLAIN, { IP4(.src = "255.255.255.255"), SYN_TO(8000) }, 0 },
	{ "SYN from 0.0.0.0", PLAIN, { IP4(.src = "0.0.0.0"), SYN_TO(8000) }, 0 },
	{ "SYN from loopback", PLAIN, { IP4(.src = "127.0.0.1"), SYN_TO(8000) }, 0 },
	{ "SYN from a v6 multicast address", PLAIN, { IP6(.src = "ff02::1"), SYN_TO(8000) }, 0 },
	{ "SYN from ::", PLAIN, { IP6(.src = "::"), SYN_TO(8000) }, 0 },
	{ "SYN to a multicast address", PLAIN, { IP4(.dst = "224.0.0.1"), SYN_TO(8000) }, 0 },
	{ "SYN to a v6 multicast address", PLAIN, { IP6(.dst = "ff02::1"), SYN_TO(8000) }, 0 },
	{ "first port of the range", RANGE, { IP4(), SYN_TO(81) }, 1 },
	{ "last port of the range", RANGE, { IP6(), SYN_TO(90) }, 1 },
	{ "port before the range", RANGE, { IP4(), SYN_TO(80) }, 0 },
	{ "port behind the range", RANGE, { IP4(), SYN_TO(91) }, 0 },
	{ "listed address", LISTED, { IP4(), SYN_TO(8000) }, 1 },
	{ "address that is not listed", LISTED, { IP4(.dst = "10.78.1.2"), SYN_TO(8000) }, 0 },
	{ "listed v6 address", LISTED, { IP6(), SYN_TO(8000) }, 1 },
	{ "v6 address that is not listed", LISTED, { IP6(.dst = "fd77::3"), SYN_TO(8000) }, 0 },
};
/* clang-format on */

static void test_whom_row(void **state)
{
	const struct whom_row *row = *state;
	struct ndiv_pkt pkt;
	const char *bad;

	use(&run, row->who);
	pkt_build(&client_in, row->in);
	if (hear(&run, row->name) != (row->answered ? XDP_TX : XDP_PASS))
		fail_msg("%s: action %d", row->name, client_out.act);
	if (!row->answered)
		return;
	bad = oracle_judge(client_out.data, client_out.len, &pkt);
	if (bad)
		fail_msg("%s: %s", row->name, bad);
	/* a padded frame has a padded answer, and the padding is nothing of the frame before */
	if (client_in.len == 60 && (client_out.len != 60 || client_out.data[58] || client_out.data[59]))
		fail_msg("%s: padded with %02x%02x to %zu", row->name, client_out.data[58], client_out.data[59],
			 client_out.len);
}

static int load(void)
{
	static struct ndiv_prefixes addr = { .count4 = 1, .count6 = 1 };
	const struct run_option range[] = { { "ports", &(struct ndiv_ports){ 81, 90 }, 4 }, { 0 } };
	const struct run_option listed[] = { { "addr", &addr, sizeof(addr) }, { 0 } };
	const struct run_option limited[] = { { "syn-rate", &(uint32_t){ 1 }, 4 }, { 0 } };
	const char *path = run_path("handlers/httpd.bpf.o");

	inet_pton(AF_INET, PKT_IP4_SERVER, addr.list[0].addr);
	addr.list[0].mask[0] = UINT32_MAX;
	inet_pton(AF_INET6, PKT_IP6_SERVER, addr.list[1].addr);
	memset(addr.list[1].mask, 255, sizeof(addr.list[1].mask));
	return run_add(&run, path, NULL) != PLAIN || run_add(&run, path, range) != RANGE ||
	       run_add(&run, path, listed) != LISTED || run_add(&run, path, limited) != LIMITED;
}

int main(void)
{
	size_t i;

	for (i = 0; i < COUNT(syn_rows); i++)
		add(syn_rows[i].name, test_syn_row, &syn_rows[i]);
	for (i = 0; i < COUNT(tcp_rows); i++)
		add(tcp_rows[i].name, test_tcp_row, &tcp_rows[i]);
	for (i = 0; i < COUNT(whom_rows); i++)
		add(whom_rows[i].name, test_whom_row, &whom_rows[i]);
	add("request with FIN", test_request_with_fin, NULL);
	add("FIN, timestamps behind other options", test_late_timestamps, NULL);
	add("Expect is of HTTP/1.1", test_expect, NULL);
	add("initial sequence numbers", test_isn, NULL);
	add("limit of SYN-ACKs", test_syn_rate, NULL);
	add("numbers of another connection", test_stolen, NULL);
	return suite_run("httpd_tcp", &run, load);
}

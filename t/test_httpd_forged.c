// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_httpd_forged.c - the handler httpd: packets that no honest client sends on a connection, and what guessing
 * brings
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <linux/bpf.h>
#include <ndiv/abi.h>
#include "oracle.h"
#include "pkt.h"
#include "run.h"

#define HTTPD		1	/* handler id */
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define ISN		1000000
#define TSVAL		0x11223344
#define TH_ECE		0x40
#define TH_CWR		0x80
#define FORGED		1000000
#define HUNDRED		"GET /100 HTTP/1.1\r\n\r\n"
#define HUNDRED_LEN	(sizeof(HUNDRED) - 1)
#define LARGE		"GET /100000000 HTTP/1.1\r\n\r\n"
#define OPEN_OPTIONS	"\2\4\5\xb4\4\2\x8\xa\x11\x22\x33\x44\0\0\0\0"
#define OPEN_LEN	(sizeof(OPEN_OPTIONS) - 1)

static struct run run;
static struct pkt in;
static struct run_out out;
static uint32_t isn, stamp;	/* of the server */

enum expected { SILENCE, SYNACK, RESPONSE, ACK };

/* A packet of an open connection, with what differs from the next one that is right. */
struct row {
	const char *name;
	uint8_t	flags;
	enum expected expected;
	const char *data;
	uint32_t seq, ack, echo;	/* are added */
	uint32_t acked;			/* bytes of data that are acknowledged */
};

/* clang-format off */
static const struct row rows[] = {
	{ "SYN with data", TH_SYN, SYNACK, .data = HUNDRED },
	{ "SYN and PSH", TH_SYN | TH_PSH, SYNACK, .data = NULL },
	{ "SYN and URG", TH_SYN | TH_URG, SYNACK, .data = NULL },
	{ "SYN, ECE and CWR", TH_SYN | TH_ECE | TH_CWR, SYNACK, .data = NULL },
	{ "SYN and FIN", TH_SYN | TH_FIN, SILENCE, .data = NULL },
	{ "SYN and RST", TH_SYN | TH_RST, SILENCE, .data = NULL },
	{ "SYN and ACK", TH_SYN | TH_ACK, SILENCE, .data = NULL },
	{ "all flags", 0xff, SILENCE, .data = HUNDRED },
	{ "no flag", 0, SILENCE, .data = HUNDRED },
	{ "PSH alone", TH_PSH, SILENCE, .data = HUNDRED },
	{ "URG alone", TH_URG, SILENCE, .data = HUNDRED },
	{ "FIN alone", TH_FIN, SILENCE, .data = NULL },
	{ "RST", TH_RST, SILENCE, .data = NULL },
	{ "RST with ACK and data", TH_RST | TH_ACK, SILENCE, .data = HUNDRED },
	{ "nothing but an acknowledgement", TH_ACK, SILENCE, .data = NULL },
	{ "a request", TH_ACK | TH_PSH, RESPONSE, .data = HUNDRED, .acked = HUNDRED_LEN },
	{ "an urgent one", TH_ACK | TH_URG, RESPONSE, .data = HUNDRED, .acked = HUNDRED_LEN },
	{ "with congestion marks", TH_ACK | TH_ECE | TH_CWR, RESPONSE, .data = HUNDRED, .acked = HUNDRED_LEN },
	{ "with FIN", TH_ACK | TH_FIN, RESPONSE, .data = HUNDRED, .acked = HUNDRED_LEN + 1 },
	{ "FIN", TH_ACK | TH_FIN, ACK, .data = NULL, .acked = 1 },
	{ "a byte before", TH_ACK, SILENCE, .data = HUNDRED, .seq = -1 },
	{ "overlapping by half", TH_ACK, SILENCE, .data = HUNDRED, .seq = -10 },
	{ "a byte behind", TH_ACK, SILENCE, .data = HUNDRED, .seq = 1 },
	{ "sixteen bytes behind", TH_ACK, SILENCE, .data = HUNDRED, .seq = 16 },
	{ "behind the window", TH_ACK, SILENCE, .data = HUNDRED, .seq = 70000 },
	{ "far away", TH_ACK, SILENCE, .data = HUNDRED, .seq = 0x7fffffff },
	{ "FIN a byte behind", TH_ACK | TH_FIN, SILENCE, .data = NULL, .seq = 1 },
	{ "FIN behind the window", TH_ACK | TH_FIN, SILENCE, .data = NULL, .seq = 70000 },
	/* As if our FIN were acknowledged: what comes then is thrown away, and acknowledged. */
	{ "acknowledges what was never sent", TH_ACK, ACK, .data = HUNDRED, .ack = 1, .acked = HUNDRED_LEN },
	{ "acknowledges much that was never sent", TH_ACK, SILENCE, .data = HUNDRED, .ack = 160000 },
	{ "acknowledges not even the SYN", TH_ACK, ACK, .data = HUNDRED, .ack = -1, .acked = HUNDRED_LEN },
	{ "FIN, acknowledges what was never sent", TH_ACK | TH_FIN, ACK, .data = NULL, .ack = 1, .acked = 1 },
	{ "ACK of what was never sent", TH_ACK, SILENCE, .data = NULL, .ack = 1000 },
	{ "ACK of less than the SYN", TH_ACK, SILENCE, .data = NULL, .ack = -16 },
	{ "seq and ack wrong, their sum right", TH_ACK | TH_FIN, ACK, .data = HUNDRED, .seq = 1, .ack = -1,
	  .acked = HUNDRED_LEN + 1 },
	{ "wrong echo", TH_ACK, SILENCE, .data = HUNDRED, .echo = 1 },
	{ "wrong echo, less", TH_ACK, SILENCE, .data = HUNDRED, .echo = -1 },
	{ "wrong echo, in bit 4", TH_ACK, SILENCE, .data = HUNDRED, .echo = 16 },
	{ "wrong echo, in bit 30", TH_ACK, SILENCE, .data = HUNDRED, .echo = (3U << 29) + 2 },
	{ "FIN, wrong echo", TH_ACK | TH_FIN, SILENCE, .data = NULL, .echo = 16 },
	{ "keep-alive probe", TH_ACK, ACK, .data = NULL, .seq = -1, .acked = 1 },
	{ "keep-alive probe with a byte", TH_ACK, ACK, .data = "?", .seq = -1, .acked = 1 },
};
/* clang-format on */

static int turn(const char *name)
{
	if (run_rx(&run, in.data, in.len, &out))
		fail_msg("%s: test run failed", name);
	return out.act;
}

/* A packet of the client, into <in>. */
static void build(uint8_t flags, uint32_t seq, uint32_t ack, const char *options, int len, const char *data)
{
	const struct pkt_layer layers[] = {
		{ .type = PKT_ETH }, IP4(.id = 1),
		TCP(.seq = seq, .ack = flags & TH_ACK ? ack : 0, .flags = flags, .options = options, .option_len = len),
		{ .type = data ? PKT_DATA : PKT_END, .data = { .text = data } }, { .type = PKT_END },
	};

	pkt_build(&in, layers);
}

/* Opens the connection: what the server says then is known. */
static void dial(void)
{
	build(TH_SYN, ISN, 0, OPEN_OPTIONS, OPEN_LEN, NULL);
	assert_int_equal(turn("SYN"), XDP_TX);
	isn = get32(out.data + in.l4 + 4);
	stamp = get32(out.data + in.l4 + 28);
}

/* The answer has to be sound, and to the client. */
static void judge(const char *name)
{
	struct ndiv_pkt pkt;
	const char *bad = oracle_judge(out.data, out.len, &pkt);

	if (bad)
		fail_msg("%s: %s", name, bad);
	if (memcmp(out.data, in.data + 6, 6) || memcmp(out.data + in.l3 + 16, in.data + in.l3 + 12, 4))
		fail_msg("%s: the answer goes to somebody else", name);
}

static uint32_t end_of(const struct row *row)
{
	return row->data ? strlen(row->data) : 0;
}

static enum expected what_came(size_t l4, uint32_t payload)
{
	if (out.act == XDP_DROP)
		return SILENCE;
	if (out.data[l4 + 13] & TH_SYN)
		return SYNACK;
	return payload ? RESPONSE : ACK;
}

static void test_row(void **state)
{
	const struct row *row = *state;
	uint8_t options[12] = "\1\1\x8\xa";
	struct ndiv_pkt pkt = { 0 };
	uint32_t acked;

	dial();
	put32(options + 4, TSVAL + 1);
	put32(options + 8, stamp + row->echo);
	if (row->flags & TH_SYN)
		build(row->flags, ISN + row->seq, isn + 1, OPEN_OPTIONS, OPEN_LEN, row->data);
	else
		build(row->flags, ISN + 1 + row->seq, isn + 1 + row->ack, (char *)options, sizeof(options), row->data);
	if (turn(row->name) != XDP_TX && out.act != XDP_DROP)
		fail_msg("%s: action %d", row->name, out.act);
	if (out.act == XDP_TX) {
		judge(row->name);
		oracle_parse(out.data, out.len, out.len, &pkt);
	}
	if (what_came(in.l4, pkt.end - pkt.payload) != row->expected)
		fail_msg("%s: %s and %u bytes", row->name, out.act == XDP_DROP ? "dropped" : "answered",
			 pkt.end - pkt.payload);
	if (row->expected == SILENCE)
		return;
	acked = get32(out.data + in.l4 + 8) - ISN - (row->expected == SYNACK ? 0 : row->seq) - 1;
	if (acked != row->acked)
		fail_msg("%s: acknowledges %u bytes of %u", row->name, acked, end_of(row));
}

/* Each byte of the options at each value: the answer, if there is one, is sound and acknowledges no more than was sent.
 */
static void test_options(void **state)
{
	static const char sack[] = "\1\1\x8\xa________\1\1\5\xa________";
	const int is_syn = *state == NULL;
	const char *name = is_syn ? "SYN" : "request";
	uint8_t options[sizeof(sack) - 1];
	uint32_t acked;
	size_t i, len = is_syn ? OPEN_LEN : sizeof(options);
	int v;

	dial();
	for (i = 0; i < len; i++)
		for (v = 0; v < 256; v++) {
			memcpy(options, is_syn ? OPEN_OPTIONS : sack, len);
			if (!is_syn) {
				put32(options + 4, TSVAL + 1);
				put32(options + 8, stamp);
				put32(options + 16, isn + 100);
				put32(options + 20, isn + 200);
			}
			options[i] = v;
			build(is_syn ? TH_SYN : TH_ACK, ISN + !is_syn, isn + 1, (char *)options, len,
			      is_syn ? NULL : HUNDRED);
			if (turn(name) == XDP_DROP)
				continue;
			if (out.act != XDP_TX)
				fail_msg("%s, byte %zu is %02x: action %d", name, i, v, out.act);
			judge(name);
			acked = get32(out.data + in.l4 + 8) - ISN;
			if (acked > 1 + HUNDRED_LEN)
				fail_msg("%s, byte %zu is %02x: acknowledges %u", name, i, v, acked);
		}
}

/* What a forger sends, who has not seen our packets. */
struct forgery {
	const char *name;
	const char *data;
	uint8_t	flags;
	const char *options;	/* timestamps at byte 4, SACK at byte 16 */
	int	len;
};

#define STAMPS		"\1\1\x8\xa________"
#define SACKED		STAMPS "\1\1\5\xa________"

/* clang-format off */
static const struct forgery forgeries[] = {
	{ "forged: ACK", NULL, TH_ACK, STAMPS, 12 },
	{ "forged: ACK with SACK", NULL, TH_ACK, SACKED, 24 },
	{ "forged: request", LARGE, TH_ACK | TH_PSH, STAMPS, 12 },
	{ "forged: request without timestamps", HUNDRED, TH_ACK | TH_PSH, NULL, 0 },
	{ "forged: FIN", NULL, TH_ACK | TH_FIN, STAMPS, 12 },
	{ "forged: FIN without timestamps", NULL, TH_ACK | TH_FIN, NULL, 0 },
};
/* clang-format on */

static uint64_t random64(void)
{
	static uint64_t state = 0x123456789abcdefULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dULL;
}

/* Random addresses, ports and numbers into <in>, whose checksums are right again then. */
static void randomize(int options)
{
	uint8_t *ip = in.data + in.l3, *tcp = in.data + in.l4;
	uint64_t a = random64(), b = random64(), c = random64();

	put32(ip + 12, 0x0b000000 | (a & 0xffffff));
	put16(ip + 10, 0);
	put16(ip + 10, ~pkt_fold(pkt_sum(ip, 20, 0)));
	put16(tcp, a >> 32);
	put32(tcp + 4, b);
	put32(tcp + 8, b >> 32);
	if (options)
		put32(tcp + 28, c);
	if (options > 12)
		put32(tcp + 36, (b >> 32) + 1 + (c >> 40)); /* right of what is acknowledged: a hole */
	put16(tcp + 16, 0);
	put16(tcp + 16, ~pkt_l4_sum(in.data, in.l3, in.l4, in.end, IPPROTO_TCP));
}

/* Bytes of what is sent for the packet, at most. */
static uint64_t bytes_sent(void)
{
	const struct ndiv_meta *meta = (const struct ndiv_meta *)(out.buf + out.meta - sizeof(*meta));

	if (out.act == XDP_TX)
		return out.len;
	return out.act == XDP_REDIRECT ? (uint64_t)(meta->count & ~NDIV_META_SKIP) * meta->out_len : 0;
}

/* A forger gets less sent to a victim than he sends himself. */
static void test_forgery(void **state)
{
	const struct forgery *f = *state;
	uint64_t got = 0, sent = 0, n;
	uint32_t i, answered = 0;

	build(f->flags, 0, 1, f->options, f->len, f->data);
	for (i = 0; i < FORGED; i++) {
		randomize(f->len);
		turn(f->name);
		if (out.act == XDP_PASS)
			fail_msg("%s: passed", f->name);
		n = bytes_sent();
		got += in.len;
		sent += n;
		answered += !!n;
	}
	print_message("# %s: %u of %u answered, %llu bytes for %llu\n", f->name, answered, FORGED,
		      (unsigned long long)sent, (unsigned long long)got);
	if (sent >= got)
		fail_msg("%s: %llu bytes sent for %llu", f->name, (unsigned long long)sent, (unsigned long long)got);
}

static int open_run(void **state)
{
	return run_open(&run, NULL) || run_add(&run, run_path("handlers/httpd.bpf.o"), NULL) != HTTPD ? -1 : 0;
}

static int close_run(void **state)
{
	run_close(&run);
	return 0;
}

int main(void)
{
	static struct CMUnitTest tests[COUNT(rows) + COUNT(forgeries) + 2];
	size_t n = 0, i;

	for (i = 0; i < COUNT(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, test_row, .initial_state = (void *)&rows[i] };
	tests[n++] = (struct CMUnitTest){ "SYN, each byte of the options", test_options, .initial_state = NULL };
	tests[n++] = (struct CMUnitTest){ "request, each byte of the options", test_options, .initial_state = &run };
	for (i = 0; i < COUNT(forgeries); i++)
		tests[n++] = (struct CMUnitTest){ forgeries[i].name, test_forgery,
						  .initial_state = (void *)&forgeries[i] };
	return _cmocka_run_group_tests("httpd_forged", tests, n, open_run, close_run);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_load.c - the load source of the benchmark: what it makes of each packet of a server, right or wrong
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include "../bench/load.h"
#include "oracle.h"
#include "run.h"

#define SEED		7
#define MUTATIONS	20000
#define SIZE		100	/* of the object */
#define STEP		128	/* bytes of a request */
#define REQUESTS	3	/* of a connection */
#define PORT		2000	/* of the client */
#define SERVER_SEQ	0xfffffff0U /* the server's next sequence number: it wraps within the answer */
#define SERVER_STAMP	0x11223344
#define GEN		5
#define STAMP		(0x12000000 | (SERVER_SEQ & LOAD_POS_MASK)) /* ours, as it is when SERVER_SEQ is next */

enum { R_FIN = 1, R_SYN = 2, R_RST = 4, R_PSH = 8, R_ACK = 16 };

#define HEAD		"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 100\r\n\r\n"
#define BODY50		"0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLM"
#define BODY		BODY50 BODY50
#define HEADER_64	"X-Filler: ....................................................\r\n"
#define HEADER_512	HEADER_64 HEADER_64 HEADER_64 HEADER_64 HEADER_64 HEADER_64 HEADER_64 HEADER_64

static struct run run;
static struct run_out out;
static struct ndiv_cpu got;
static struct load_job job;
static struct load_live live;

/* A packet of the server, and what has to become of it. */
struct row {
	const char *name;
	int	flags;
	__u32	acked;		/* position that it acknowledges, without the generation */
	const char *text;
	int	counter;	/* that it raises, or -1 */
	int	act;		/* XDP_TX, _DROP, _PASS */
	int	answer;		/* flags of what is sent */
	int	reason;		/* of XDP_DROP */
	__u32	mark, stop, gen;
	__s64	surplus;
	int	stamp;		/* what is wrong with our timestamp: it is so much more. NO_STAMP: it is left out */
	int	kind;		/* of the request that is sent: enum load_text_kind */
	int	sport;		/* 0: 8000 */
	int	bad_sum;
	int	v6;
};

#define NO_STAMP	0x7fffffff
#define ANSWER		(R_ACK | R_PSH)
#define REQUEST		(R_ACK | R_PSH)

/* clang-format off */
static const struct row rows[] = {
	/* --- the way of a connection ------------------------------------------------------------------------ */
	{ "SYN-ACK", R_SYN | R_ACK, 0, "", LOAD_SYNACK, XDP_TX, .answer = REQUEST },
	{ "SYN-ACK, v6", R_SYN | R_ACK, 0, "", LOAD_SYNACK, XDP_TX, .answer = REQUEST, .v6 = 1 },
	{ "answer", ANSWER, STEP, HEAD BODY, LOAD_RESPONSE, XDP_TX, .answer = REQUEST },
	{ "answer, v6", ANSWER, STEP, HEAD BODY, LOAD_RESPONSE, XDP_TX, .answer = REQUEST, .v6 = 1 },
	{ "answer to the last but one", ANSWER, 2 * STEP, HEAD BODY, LOAD_RESPONSE, XDP_TX, .answer = REQUEST,
	  .kind = LOAD_CLOSE },
	{ "answer to the last one", ANSWER, 3 * STEP, HEAD BODY, LOAD_RESPONSE, XDP_DROP, .reason = LOAD_R_WAIT },
	{ "answer to the last one, with FIN", ANSWER | R_FIN, 3 * STEP, HEAD BODY, LOAD_RESPONSE, XDP_TX,
	  .answer = R_FIN | R_ACK },
	{ "the server closes before", ANSWER | R_FIN, STEP, HEAD BODY, LOAD_RESPONSE, XDP_TX,
	  .answer = R_FIN | R_ACK },
	{ "FIN", R_FIN | R_ACK, 3 * STEP, "", -1, XDP_TX, .answer = R_FIN | R_ACK },
	{ "our FIN is acknowledged", R_ACK, 3 * STEP + 1, "", LOAD_FIN, XDP_TX, .answer = R_SYN },
	{ "our FIN is acknowledged, v6", R_ACK, 3 * STEP + 1, "", LOAD_FIN, XDP_TX, .answer = R_SYN, .v6 = 1 },
	{ "nothing new", R_ACK, STEP, "", -1, XDP_DROP, .reason = LOAD_R_ACK },
	/* --- the mark --------------------------------------------------------------------------------------- */
	{ "mark moves on", ANSWER, STEP, HEAD BODY, LOAD_ALIVE, XDP_TX, .answer = REQUEST, .mark = 7 },
	{ "mark moves by all", ANSWER, STEP, HEAD BODY, LOAD_ALIVE, XDP_TX, .answer = REQUEST, .mark = 31 },
	{ "mark moves back", ANSWER, STEP + 2 * 31, HEAD BODY, LOAD_ALIVE, XDP_TX, .answer = REQUEST, .mark = 0 },
	{ "mark moves with the SYN-ACK", R_SYN | R_ACK, 2 * 3, "", LOAD_ALIVE, XDP_TX, .answer = REQUEST, .mark = 4 },
	{ "mark moves with the next connection", R_ACK, STEP + 1, "", LOAD_ALIVE, XDP_TX, .answer = R_SYN,
	  .mark = 1 },
	/* --- fewer of them ---------------------------------------------------------------------------------- */
	{ "stop: SYN-ACK", R_SYN | R_ACK, 0, "", LOAD_RETIRED, XDP_TX, .answer = R_RST, .stop = 1 },
	{ "stop: answer", ANSWER, STEP, HEAD BODY, LOAD_RETIRED, XDP_TX, .answer = R_RST, .stop = 1 },
	{ "stop: FIN", R_FIN | R_ACK, STEP, "", -1, XDP_TX, .answer = R_FIN | R_ACK, .stop = 1 },
	{ "stop: end", R_ACK, STEP + 1, "", LOAD_FIN, XDP_DROP, .reason = LOAD_R_END, .stop = 1 },
	{ "surplus: answer", ANSWER, STEP, HEAD BODY, LOAD_RETIRED, XDP_TX, .answer = R_RST, .surplus = 1 },
	{ "surplus: end", R_ACK, STEP + 1, "", LOAD_FIN, XDP_DROP, .reason = LOAD_R_END, .surplus = 1 },
	{ "of an earlier source", ANSWER, STEP, HEAD BODY, LOAD_STALE, XDP_TX, .answer = R_RST, .gen = GEN - 1 },
	{ "of a later one", ANSWER, STEP, HEAD BODY, LOAD_STALE, XDP_TX, .answer = R_RST, .gen = GEN + 1 },
	/* --- right answers ---------------------------------------------------------------------------------- */
	{ "HTTP/1.0", ANSWER, STEP, "HTTP/1.0 200 \r\nContent-Length:100\r\n\r\n" BODY, LOAD_RESPONSE, XDP_TX,
	  .answer = REQUEST },
	{ "lower case", ANSWER, STEP, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\ncontent-type: a/b\r\n\r\n" BODY,
	  LOAD_RESPONSE, XDP_TX, .answer = REQUEST },
	{ "upper case, blanks, after its like", ANSWER, STEP,
	  "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nCONTENT-LENGTH: \t   100\r\n\r\n" BODY,
	  LOAD_RESPONSE, XDP_TX, .answer = REQUEST },
	{ "long header", ANSWER, STEP,
	  "HTTP/1.1 200 OK\r\n" HEADER_512 "Content-Length: 100\r\n" HEADER_512 "\r\n" BODY,
	  LOAD_RESPONSE, XDP_TX, .answer = REQUEST },
	/* --- wrong ones ------------------------------------------------------------------------------------- */
	{ "404", ANSWER, STEP, "HTTP/1.1 404 No\r\nContent-Length: 100\r\n\r\n" BODY, LOAD_WRONG_STATUS, XDP_TX,
	  .answer = R_RST },
	{ "2000", ANSWER, STEP, "HTTP/1.1 2000 \r\nContent-Length: 100\r\n\r\n" BODY, LOAD_WRONG_STATUS, XDP_TX,
	  .answer = R_RST },
	{ "HTTP/2", ANSWER, STEP, "HTTP/2.0 200 OK\r\nContent-Length: 100\r\n\r\n" BODY, LOAD_WRONG_STATUS,
	  XDP_TX, .answer = R_RST },
	{ "no length", ANSWER, STEP, "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n" BODY, LOAD_WRONG_HEADER, XDP_TX,
	  .answer = R_RST },
	{ "another length", ANSWER, STEP, "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" BODY, LOAD_WRONG_HEADER,
	  XDP_TX, .answer = R_RST },
	{ "longer length", ANSWER, STEP, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" BODY, LOAD_WRONG_HEADER,
	  XDP_TX, .answer = R_RST },
	{ "length that is none", ANSWER, STEP, "HTTP/1.1 200 OK\r\nContent-Length: 100x\r\n\r\n" BODY,
	  LOAD_WRONG_HEADER,
	  XDP_TX, .answer = R_RST },
	{ "another name", ANSWER, STEP, "HTTP/1.1 200 OK\r\nContext-Length: 100\r\n\r\n" BODY, LOAD_WRONG_HEADER,
	  XDP_TX, .answer = R_RST },
	{ "length in the body only", ANSWER, STEP, "HTTP/1.1 200 OK\r\n\r\n\r\nContent-Length: 100\r\n" BODY,
	  LOAD_WRONG_HEADER, XDP_TX, .answer = R_RST },
	{ "length behind the place that is searched", ANSWER, STEP,
	  "HTTP/1.1 200 OK\r\n" HEADER_512 HEADER_512 "Content-Length: 100\r\n\r\n" BODY,
	  LOAD_WRONG_HEADER, XDP_TX, .answer = R_RST },
	{ "header ends too soon", ANSWER, STEP, HEAD BODY "x", LOAD_WRONG_HEADER, XDP_TX, .answer = R_RST },
	{ "header ends too late", ANSWER, STEP, HEAD BODY50 "0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKL",
	  LOAD_WRONG_HEADER, XDP_TX, .answer = R_RST },
	{ "first byte of the body", ANSWER, STEP, HEAD "x123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLM" BODY50,
	  LOAD_WRONG_BODY, XDP_TX, .answer = R_RST },
	{ "last byte of the body", ANSWER, STEP, HEAD BODY50 "0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLx",
	  LOAD_WRONG_BODY, XDP_TX, .answer = R_RST },
	{ "short", ANSWER, STEP, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", LOAD_WRONG_SHORT, XDP_TX,
	  .answer = R_RST },
	{ "one byte", ANSWER, STEP, "H", LOAD_WRONG_SHORT, XDP_TX, .answer = R_RST },
	{ "not what comes next", ANSWER, STEP, HEAD BODY, LOAD_WRONG_SEQ, XDP_TX, .answer = R_RST, .stamp = 1 },
	{ "an answer to nothing", ANSWER, 0, HEAD BODY, LOAD_WRONG_ACK, XDP_TX, .answer = R_RST },
	{ "an answer after the end", ANSWER, STEP + 1, HEAD BODY, LOAD_WRONG_ACK, XDP_TX, .answer = R_RST },
	{ "a SYN-ACK in the middle", R_SYN | R_ACK, STEP, "", LOAD_WRONG_ACK, XDP_TX, .answer = R_RST },
	/* --- not answered ----------------------------------------------------------------------------------- */
	{ "RST", R_RST | R_ACK, 0, "", LOAD_RESET, XDP_DROP, .reason = LOAD_R_RST },
	{ "SYN", R_SYN, 0, "", -1, XDP_DROP, .reason = LOAD_R_FLAGS },
	{ "SYN-ACK with FIN", R_SYN | R_ACK | R_FIN, 0, "", -1, XDP_DROP, .reason = LOAD_R_FLAGS },
	{ "SYN-ACK with data", R_SYN | R_ACK, 0, "x", -1, XDP_DROP, .reason = LOAD_R_FLAGS },
	{ "no flags", 0, STEP, "", -1, XDP_DROP, .reason = LOAD_R_FLAGS },
	{ "no timestamps", ANSWER, STEP, HEAD BODY, -1, XDP_DROP, .reason = LOAD_R_NO_STAMP, .stamp = NO_STAMP },
	{ "no timestamps in the SYN-ACK", R_SYN | R_ACK, 0, "", -1, XDP_DROP, .reason = LOAD_R_NO_STAMP,
	  .stamp = NO_STAMP },
	{ "wrong checksum", ANSWER, STEP, HEAD BODY, -1, XDP_DROP, .reason = LOAD_R_CHECKSUM, .bad_sum = 1 },
	{ "another server", ANSWER, STEP, HEAD BODY, -1, XDP_PASS, .sport = 8001 },
};
/* clang-format on */

/* --- packets ------------------------------------------------------------------------------------------------ */

static __u32 position(const struct row *row)
{
	return ((row->gen ? row->gen : GEN) << LOAD_GEN_SHIFT) + row->acked;
}

/* Sequence number that the server acknowledges with. */
static __u32 acked(const struct row *row)
{
	return load_base(PORT) + 1 + position(row);
}

static int options(const struct row *row, char *buf)
{
	int len = 0;

	if (row->flags & R_SYN) {
		memcpy(buf, "\2\4\5\264", 4);
		len = 4;
	}
	if (row->stamp == NO_STAMP)
		return len;
	memcpy(buf + len, "\1\1\10\12", 4);
	put32((uint8_t *)buf + len + 4, SERVER_STAMP);
	put32((uint8_t *)buf + len + 8, STAMP + row->stamp);
	return len + 12;
}

static void build(const struct row *row, struct pkt *p)
{
	const struct pkt_layer v4 = IP4(.src = PKT_IP4_SERVER, .dst = PKT_IP4_CLIENT);
	const struct pkt_layer v6 = IP6(.src = PKT_IP6_SERVER, .dst = PKT_IP6_CLIENT);
	const struct pkt_layer text = TEXT(row->text), sum = BAD_SUM(SUM_L4), end = { 0 };
	char buf[16];
	int len = options(row, buf);
	const struct pkt_layer layers[] = {
		ETH(.dst = PKT_MAC_CLIENT, .src = PKT_MAC_SERVER),
		row->v6 ? v6 : v4,
		TCP(.sport = row->sport ? row->sport : 8000, .dport = PORT, .seq = SERVER_SEQ, .ack = acked(row),
		    .flags = row->flags, .options = buf, .option_len = len),
		*row->text ? text : row->bad_sum ? sum : end,
		*row->text && row->bad_sum ? sum : end,
		end,
	};

	pkt_build(p, layers);
}

static void set_live(const struct row *row)
{
	__u32 zero = 0;

	live = (struct load_live){ .begun = GEN * 1000 + 17, .mark = row->mark, .stop = row->stop, .gen = GEN,
				   .gen_first = GEN, .surplus = row->surplus };
	assert_int_equal(bpf_map_update_elem(run_map(&run, 1, "load_live"), &zero, &live, 0), 0);
	assert_int_equal(run_reset(&run), 0);
}

/* --- what was sent ------------------------------------------------------------------------------------------ */

/* The request has to be the one that moves the mark to where it is. */
static void check_request(const struct row *row, const struct ndiv_pkt *pkt)
{
	int move = (int)row->mark - (int)LOAD_MARK(row->acked);
	const struct load_text *text = &job.text[row->kind][move & (LOAD_MOVES - 1)];

	assert_int_equal(pkt->end - pkt->payload, STEP + 2 * move);
	assert_memory_equal(out.data + pkt->payload, text->bytes, text->len);
}

/* The next connection: of the next port, with the mark of this round. */
static void check_syn(const struct row *row, const struct ndiv_pkt *pkt)
{
	const uint8_t *tcp = out.data + pkt->l4;

	assert_int_equal(get16(tcp), 1024 + 17);
	assert_int_equal(get32(tcp + 4), load_base(1024 + 17) + (GEN << LOAD_GEN_SHIFT) + 2 * row->mark);
	assert_int_equal(get32(tcp + 20), 0x02040000 | (row->v6 ? 1440 : 1460));
	assert_int_equal(get32(tcp + 32), 0);
}

static void check_sent(const struct row *row, const struct pkt *in)
{
	__u32 next = SERVER_SEQ + strlen(row->text) + !!(row->flags & (R_SYN | R_FIN));
	struct ndiv_pkt pkt;
	const uint8_t *tcp;
	const char *fault = oracle_judge(out.data, out.len, &pkt);

	if (fault)
		fail_msg("%s", fault);
	tcp = out.data + pkt.l4;
	assert_memory_equal(out.data, in->data + 6, 6);
	assert_memory_equal(out.data + 6, in->data, 6);
	assert_int_equal(tcp[13], row->answer);
	assert_int_equal(get16(tcp + 2), 8000);
	if (row->answer & R_SYN) {
		check_syn(row, &pkt);
		return;
	}
	assert_int_equal(get16(tcp), PORT);
	assert_int_equal(get32(tcp + 4), acked(row));
	assert_int_equal(get32(tcp + 28), SERVER_STAMP);
	if (row->answer & R_RST)
		return;
	assert_int_equal(get32(tcp + 8), next);
	assert_int_equal(get32(tcp + 24) & LOAD_POS_MASK, next & LOAD_POS_MASK);
	assert_true((int32_t)(get32(tcp + 24) - STAMP) >= 0);
	if (row->answer & R_PSH)
		check_request(row, &pkt);
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct pkt in;

	build(row, &in);
	set_live(row);
	assert_int_equal(run_rx(&run, in.data, in.len, &out), 0);
	assert_int_equal(run_sum(&run, NDIV_CPU_RX, &got), 0);
	assert_int_equal(out.act, row->act);
	if (row->counter >= 0)
		assert_int_equal(got.counter[1][row->counter], 1);
	if (row->act == XDP_DROP)
		assert_int_equal(got.reason[1][row->reason], 1);
	if (row->act == XDP_TX)
		check_sent(row, &in);
	if (row->act == XDP_PASS)
		assert_memory_equal(out.data, in.data, in.len);
}

/* Only what the row says is counted: a right answer, or one kind of wrong one. */
static void test_wrong_once(void **state)
{
	struct pkt in;
	size_t i;
	int c, n;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		build(&rows[i], &in);
		set_live(&rows[i]);
		assert_int_equal(run_rx(&run, in.data, in.len, &out), 0);
		assert_int_equal(run_sum(&run, NDIV_CPU_RX, &got), 0);
		for (c = LOAD_WRONG_FIRST, n = 0; c <= LOAD_WRONG_LAST; c++)
			n += got.counter[1][c];
		assert_int_equal(n, rows[i].counter >= LOAD_WRONG_FIRST);
		assert_int_equal(got.counter[1][LOAD_RESPONSE] + n <= 1, 1);
	}
}

/* Whatever comes: no crash, and what is sent is a sound packet. */
static void test_mutations(void **state)
{
	static const struct row syn_ack = { .flags = R_SYN | R_ACK, .text = "" };
	static const struct row answer = { .flags = ANSWER, .acked = STEP, .text = HEAD BODY };
	struct ndiv_pkt pkt;
	const char *fault;
	struct pkt in;
	int i, n;

	srand(SEED);
	set_live(&answer);
	for (i = 0; i < MUTATIONS; i++) {
		build(i & 1 ? &answer : &syn_ack, &in);
		for (n = 1 + rand() % 4; n; n--)
			in.data[in.l3 + rand() % (in.len - in.l3)] = rand();
		if (i & 2)
			pkt_resum(&in);
		assert_int_equal(run_rx(&run, in.data, in.len - (i & 4 ? rand() % 20 : 0), &out), 0);
		if (out.act != XDP_TX)
			continue;
		fault = oracle_judge(out.data, out.len, &pkt);
		if (fault)
			fail_msg("mutation %d: %s", i, fault);
	}
}

/* --- */

static void fill_job(void)
{
	struct load_text *text;
	int kind, move;

	for (kind = 0; kind < LOAD_KINDS; kind++)
		for (move = 1 - LOAD_MARKS; move < LOAD_MARKS; move++) {
			text = &job.text[kind][move & (LOAD_MOVES - 1)];
			text->len = STEP + 2 * move;
			memset(text->bytes, 'A' + kind, text->len);
			text->bytes[0] = 'a' + (move & 15);
			text->sum = htons(pkt_fold(pkt_sum(text->bytes, text->len, 0)));
		}
	memcpy(job.body, BODY, SIZE);
}

static int open_run(void **state)
{
	static const struct ndiv_self self = { .ifindex = 1, .mtu = 1500, .mac = PKT_MAC_CLIENT };
	static const struct ndiv_ports ports = { 1024, 2023 };
	static const __u32 size = SIZE, step = STEP, limit = REQUESTS * STEP;
	static const __u8 yes = 1;
	static const struct run_option options[] = {
		{ "ports", &ports, sizeof(ports) }, { "timestamps", &yes, 1 },	   { "size", &size, 4 },
		{ "step", &step, 4 },		    { "limit", &limit, 4 },	   { 0 },
	};
	__u32 zero = 0;

	fill_job();
	if (run_open(&run, &self) || run_add(&run, run_path("bench/load.bpf.o"), options) != 1)
		return -1;
	return bpf_map_update_elem(run_map(&run, 1, "load_job"), &zero, &job, 0);
}

static int close_run(void **state)
{
	run_close(&run);
	return 0;
}

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

int main(void)
{
	static struct CMUnitTest tests[COUNT(rows) + 2];
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL, NULL, (void *)&rows[i] };
	tests[i++] = (struct CMUnitTest)cmocka_unit_test(test_wrong_once);
	tests[i++] = (struct CMUnitTest)cmocka_unit_test(test_mutations);
	return _cmocka_run_group_tests("load", tests, COUNT(tests), open_run, close_run);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_httpd_flow.c - the handler httpd: whole connections, by a simulated client (harness/flow.h)
 *
 * A script is a list of requests: a letter (see script()) and a number of bytes each.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include "flow.h"

#define HTTPD		1	/* handler id */
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static struct run run;
static uint32_t only;	/* seed of the one run that is wanted, or 0 */

#define PLAIN		(FLOW_TS | FLOW_SACK | FLOW_DSACK)
#define CLEAN		100	/* per cent of the stream: each byte is sent once */

struct row {
	struct flow_setup setup;
	const char *script;
	uint32_t cost;		/* bytes sent per cent of the stream, at most; 0: not limited */
	uint32_t runs;		/* with other chances; 0: one */
	uint32_t stalls;	/* how many of them may end in silence, see check() */
};

static void get_in_parts(struct flow_ask *ask, uint32_t size)
{
	flow_get(ask, size, "");
	ask->status = 400;
	ask->is_text = 1;
	ask->close = 1;
}

/*
 * The requests of <text>: g: GET, c: GET that closes, h: HEAD, p: POST, P: POST that waits for 100 (Continue),
 * x: GET in parts, which is not understood.
 */
static uint32_t script(struct flow_ask *asks, const char *text, uint32_t traits)
{
	uint32_t n = 0, size;
	char what;
	int len;

	while (sscanf(text, " %c%u%n", &what, &size, &len) == 2 && n < FLOW_ASKS) {
		if (what == 'p' || what == 'P')
			flow_post(&asks[n], size, what == 'P');
		else if (what == 'h')
			flow_head(&asks[n], size);
		else if (what == 'x')
			get_in_parts(&asks[n], size);
		else
			flow_get(&asks[n], size, what == 'c' ? "Connection: close\r\n" : "");
		if (traits & (FLOW_FIN_WITH | FLOW_FIN_BEHIND | FLOW_PIPELINE | FLOW_ONE_PACKET) && !asks[n].close)
			asks[n].close = FLOW_EITHER;
		text += len;
		n++;
	}
	return n;
}

static const char *describe(const struct flow_setup *s, const char *text)
{
	static char buf[400];

	snprintf(buf, sizeof(buf),
		 "%s [%s] traits %x mss %u cut %u buffer %u rate %u kbit %u loss %u dup %u reorder %u "
		 "delay %u seed %u",
		 s->name, text, s->traits, s->mss, s->cut, s->buffer, s->rate, s->kbit, s->wire.loss, s->wire.dup,
		 s->wire.reorder, s->wire.delay_us, s->seed);
	return buf;
}

/*
 * Returns how many connections stalled, 0 or 1. Where packets get lost, some do: if the last segment of a response
 * comes, which acknowledges the request, but one before it does not, only the client's report of the hole (SACK) brings
 * it. Clients that cannot tell of it, and those whose report gets lost, wait for ever; so they do if the hole is at the
 * response's beginning, since nobody knows the request any more.
 */
static uint32_t check(const struct flow_setup *setup, const char *text, uint32_t cost, int lossy)
{
	struct flow_ask asks[FLOW_ASKS];
	struct flow_cost got;
	uint32_t count = script(asks, text, setup->traits);
	const char *bad;

	if (only && setup->seed != only)
		return 0;
	bad = flow_run(&run, HTTPD, setup, asks, count, &got);
	if (bad && !(lossy && got.stalled))
		fail_msg("%s: %s", describe(setup, text), bad);
	if (cost && got.sent > (uint64_t)got.stream * cost / 100)
		fail_msg("%s: %llu bytes sent for %u", describe(setup, text), (unsigned long long)got.sent, got.stream);
	return got.stalled;
}

/* Many connections that have this in common. */
struct setup_kind {
	const char *name;
	uint32_t traits, runs, seed;
	struct flow_wire wire;
	uint32_t stalls;
	const char *letters;	/* of requests */
};

/* clang-format off */
/*
 * Bodies that are waited for are not among those whose packets come late: from before one to behind it, our timestamps
 * go round half of their space, and what is as old as that is new again.
 */
static const struct setup_kind kinds[] = {
	{ "any client, nothing lost", FLOW_TS | FLOW_SACK, 300, 1, { 0, 0, 0, 0 }, 0, "gggghpP" },
	{ "any client, 1% lost", FLOW_TS | FLOW_SACK, 200, 2, { 10, 0, 0, 0 }, 5, "gggghpP" },
	{ "any client, 5% lost", FLOW_TS | FLOW_SACK, 200, 3, { 50, 0, 0, 0 }, 14, "gggghpP" },
	{ "any client, out of order", FLOW_TS | FLOW_SACK, 300, 4, { 0, 0, 100, 0 }, 0, "gggghpP" },
	{ "any client, twice", FLOW_TS | FLOW_SACK, 300, 5, { 0, 50, 0, 0 }, 0, "gggghpP" },
	{ "any client, all faults", FLOW_TS | FLOW_SACK, 200, 6, { 30, 30, 30, 0 }, 10, "gggghpP" },
};

static const struct flow_setup sized[] = {
	{ "sizes", PLAIN, .mss = 1460 },
	{ "sizes, IPv6", PLAIN | FLOW_V6, .mss = 1440 },
	{ "sizes, small segments", PLAIN, .mss = 536 },
	{ "sizes, lazy client", PLAIN | FLOW_LAZY, .mss = 1460 },
	{ "sizes, slow path", PLAIN | FLOW_LAZY, .mss = 1460, .wire = { .delay_us = 20000 } },
};

static const struct flow_setup near_sized[] = {
	{ "sizes, no timestamps", FLOW_SACK, .mss = 1460 },
	{ "sizes, no timestamps, IPv6", FLOW_SACK | FLOW_V6, .mss = 1440 },
	{ "sizes, no timestamps, small segments", 0, .mss = 536 },
};

static const struct row rows[] = {
	{ { "one small", PLAIN, .mss = 1460 }, .script = "g100", .cost = CLEAN },
	{ { "nothing", PLAIN, .mss = 1460 }, .script = "g0", .cost = CLEAN },
	{ { "handshake completed by the request", PLAIN | FLOW_NO_ACK, .mss = 1460 },
	  .script = "g100 g2000", .cost = CLEAN },
	{ { "close", PLAIN, .mss = 1460 }, .script = "c100", .cost = CLEAN },
	{ { "close, several bursts", PLAIN, .mss = 1460 }, .script = "c300000", .cost = CLEAN },
	{ { "keep-alive, changing sizes", PLAIN, .mss = 1460 },
	  .script = "g0 g1 g1000 g1400 g5000 g30000 g17 h5000 g100000 g1 h0 g29000 g64000 p10 g300000 c5",
	  .cost = CLEAN },
	{ { "many small ones", PLAIN, .mss = 1460 },
	  .script = "g1 g2 g3 g4 g5 g6 g7 g8 g9 g10 g11 g12 g13 g14 g15 "
		    "g16 g17 g18 g19 g20 g21 g22 g23 g24 g25 g26 g27 g28 g29 g30 c1",
	  .cost = CLEAN },
	{ { "IPv6", PLAIN | FLOW_V6, .mss = 1440 }, .script = "g100 g100000 h7 p3000 c1", .cost = CLEAN },
	{ { "tagged", PLAIN, .mss = 1460, .tag = 77 }, .script = "g100 g100000 h7 p3000 c1", .cost = CLEAN },
	{ { "tagged IPv6", PLAIN | FLOW_V6, .mss = 1440, .tag = 77 },
	  .script = "g100 g100000 h7 p3000 c1", .cost = CLEAN },
	{ { "without MSS", PLAIN, .mss = 0 }, .script = "g100 g100000 h7 p3000 c1", .cost = CLEAN },
	{ { "without MSS, IPv6", PLAIN | FLOW_V6, .mss = 0 }, .script = "g100 g100000 h7 p3000 c1", .cost = CLEAN },
	{ { "MSS of 200", PLAIN, .mss = 200 }, .script = "g100 g100000 h7 p3000 c1", .cost = CLEAN },
	{ { "MSS of 300", PLAIN, .mss = 300 }, .script = "g100 g100000 h7 p3000 c1", .cost = CLEAN },
	{ { "MSS of 536", PLAIN, .mss = 536 }, .script = "g100 g100000 h7 p3000 c1", .cost = CLEAN },
	{ { "MSS of 9000", PLAIN, .mss = 9000 }, .script = "g100 g2500 g3000 g100000 h7 p3000 c1", .cost = CLEAN },
	{ { "without SACK", FLOW_TS, .mss = 1460 }, .script = "g100 g100000 h7 p3000 c1", .cost = CLEAN },
	{ { "lazy", PLAIN | FLOW_LAZY, .mss = 1460 }, .script = "g100 g100000 h7 p3000 c1", .cost = CLEAN },
	{ { "strict PAWS", PLAIN | FLOW_STRICT, .mss = 1460 }, .script = "g100 g100000 h7 p30000 c1", .cost = CLEAN },
	{ { "POST", PLAIN, .mss = 1460 },
	  .script = "p0 p1 p100 p1300 p1500 p20000 p65536 p300000 g1000 p5 c1", .cost = CLEAN },
	{ { "POST of 3 MB", PLAIN, .mss = 1460 }, .script = "p3000000 g100", .cost = CLEAN },
	{ { "POST that waits", PLAIN, .mss = 1460 }, .script = "P1 P100 P20000 g1000 P300000 c1", .cost = CLEAN },
	{ { "POST, lossy", PLAIN, .mss = 1460, .wire = { 50, 0, 0, 2000 } },
	  .script = "p1 p100 p20000 P30000 g1000 c1", .runs = 20 },
	{ { "pipelined, a packet each", PLAIN | FLOW_PIPELINE, .mss = 1460 },
	  .script = "g100 g200 g1000 g3000 h7 g30000 g1" },
	{ { "pipelined, one packet", PLAIN | FLOW_ONE_PACKET, .mss = 1460 }, .script = "g100 g200 g1000 g3000 h7 g1" },
	{ { "pipelined, one packet, large one", PLAIN | FLOW_ONE_PACKET, .mss = 1460 }, .script = "g100 g300000 g1" },
	{ { "FIN with the request", PLAIN | FLOW_FIN_WITH, .mss = 1460 }, .script = "g100", .cost = CLEAN },
	{ { "FIN with the request, several bursts", PLAIN | FLOW_FIN_WITH, .mss = 1460 },
	  .script = "g300000", .cost = CLEAN },
	{ { "FIN with the second request", PLAIN | FLOW_FIN_WITH, .mss = 1460 },
	  .script = "g100 g30000", .cost = CLEAN },
	{ { "FIN behind the request", PLAIN | FLOW_FIN_BEHIND, .mss = 1460 }, .script = "g100" },
	{ { "FIN behind the request, delay", PLAIN | FLOW_FIN_BEHIND, .mss = 1460, .wire = { 0, 0, 0, 5000 } },
	  .script = "g300000" },
	{ { "probes", PLAIN | FLOW_PROBE, .mss = 1460 }, .script = "g100 g30000 g5 c1", .cost = CLEAN },
	{ { "probes with a byte", PLAIN | FLOW_PROBE_BYTE, .mss = 1460 },
	  .script = "g100 g30000 g5 c1", .cost = CLEAN },
	{ { "slow reader", PLAIN, .mss = 1460, .rate = 3000 }, .script = "g300000 c5" },
	{ { "slow reader, zero windows", PLAIN, .mss = 1460, .buffer = 6000, .rate = 700 }, .script = "g100000 c5" },
	{ { "window of one segment", PLAIN, .mss = 1460, .buffer = 1460 }, .script = "g100 g1000 c5" },
	{ { "window of two segments", PLAIN, .mss = 1460, .buffer = 2920 }, .script = "g20000 c5" },
	{ { "windows of two and of one, in turn", PLAIN, .mss = 1460, .buffer = 5486, .rate = 17000 },
	  .script = "g186860 c5" },
	{ { "window smaller than a segment", PLAIN, .mss = 1460, .buffer = 1000 }, .script = "g100 g500 c5" },
	{ { "windows scaled by 1", PLAIN, .mss = 1460, .wscale = 1 }, .script = "g100 g300000 c5", .cost = CLEAN },
	{ { "windows scaled by 5", PLAIN, .mss = 1460, .wscale = 5, .buffer = 40000 },
	  .script = "g100 g300000 c5", .cost = CLEAN },
	{ { "windows scaled by 7", PLAIN, .mss = 1460, .wscale = 7, .buffer = 64240 },
	  .script = "g100 g300000 c5", .cost = CLEAN },
	{ { "windows scaled by 9", PLAIN, .mss = 1460, .wscale = 9, .buffer = 64240 },
	  .script = "g100 g300000 c5", .cost = CLEAN },
	{ { "windows scaled by 10, jumbo frames", PLAIN, .mss = 8960, .wscale = 10, .buffer = 200000 },
	  .script = "g100 g300000 c5", .cost = CLEAN },
	{ { "windows scaled by 14", PLAIN, .mss = 1460, .wscale = 14, .buffer = 65536 },
	  .script = "g100 g300000 c5", .cost = CLEAN },
	{ { "windows scaled, slow reader", PLAIN, .mss = 1460, .wscale = 7, .buffer = 6000, .rate = 700 },
	  .script = "g100000 c5" },
	{ { "windows scaled, no timestamps", FLOW_SACK, .mss = 1460, .wscale = 7 },
	  .script = "g100 g3000 g8000 c1", .cost = CLEAN },
	{ { "windows taken back", PLAIN | FLOW_SHRINK, .mss = 1460, .rate = 3000 },
	  .script = "g100000 g3000 c5", .runs = 20 },
	{ { "no timestamps", FLOW_SACK, .mss = 1460 }, .script = "g100 g3000 g11000 h7 p100 g1 c1", .cost = CLEAN },
	{ { "no timestamps, IPv6", FLOW_SACK | FLOW_V6, .mss = 1440 },
	  .script = "g100 g3000 g10000 h7 p100 g1 c1", .cost = CLEAN },
	{ { "no timestamps, MSS of 536", FLOW_SACK, .mss = 536 }, .script = "g100 g3000 h7 p100 g1 c1", .cost = CLEAN },
	{ { "no timestamps, lossy", 0, .mss = 1460, .wire = { 50, 0, 0, 2000 } },
	  .script = "g100 g3000 g8000 h7 p100 g1 c1", .runs = 50, .stalls = 20 },
	{ { "talks behind the end", PLAIN | FLOW_TALK, .mss = 1460 }, .script = "c100", .cost = CLEAN },
	{ { "talks behind the end, large", PLAIN | FLOW_TALK, .mss = 1460 }, .script = "c100000", .cost = CLEAN },
	{ { "talks behind the end, no timestamps", FLOW_TALK, .mss = 1460 }, .script = "c100", .cost = CLEAN },
	{ { "closes late", PLAIN | FLOW_SLOW_FIN, .mss = 1460 }, .script = "g5 c100", .cost = CLEAN },
	{ { "requests cut in packets of 7", PLAIN, .mss = 1460, .cut = 7 }, .script = "x100" },
	{ { "numbers wrap around", PLAIN, .mss = 1460, .isn = 0xfffffff0, .tsval = 0xfffffff0 },
	  .script = "g100 g100000 p5000 c1", .cost = CLEAN },
	{ { "numbers wrap around, no timestamps", 0, .mss = 1460, .isn = 0xfffffff0 },
	  .script = "g100 g1000 p100 c1", .cost = CLEAN },
	{ { "everything twice", PLAIN, .mss = 1460, .wire = { 0, 1000, 0, 1000 } },
	  .script = "g100 g3000 g100000 p3000 h6 c1" },
	{ { "old packets all the time", PLAIN | FLOW_OLD, .mss = 1460 }, .script = "g100 g3000 g1 p3000 h6 c1" },
	{ { "old packets all the time, no timestamps", FLOW_OLD, .mss = 1460 }, .script = "g100 g3000 g1 p100 h6 c1" },
	{ { "out of order", PLAIN, .mss = 1460, .wire = { 0, 0, 200, 1000 } },
	  .script = "g100 g3000 g100000 g5 c1", .runs = 20 },
	{ { "lossy, 1%", PLAIN, .mss = 1460, .wire = { 10, 0, 0, 2000 } },
	  .script = "g100 g3000 g300000 g5 c1", .cost = 200, .runs = 20 },
	{ { "lossy, 5%", PLAIN, .mss = 1460, .wire = { 50, 0, 0, 2000 } },
	  .script = "g100 g3000 g300000 g5 c1", .cost = 200, .runs = 20 },
	{ { "lossy, 5%, no SACK", FLOW_TS, .mss = 1460, .wire = { 50, 0, 0, 2000 } },
	  .script = "g100 g3000 g300000 g5 c1", .cost = 300, .runs = 20 },
	{ { "lossy, 5%, merging", PLAIN | FLOW_MERGE, .mss = 1460, .wire = { 50, 0, 0, 2000 } },
	  .script = "g100 g3000 g300000 g5 c1", .cost = 200, .runs = 20 },
	{ { "all of it", PLAIN, .mss = 1460, .wire = { 50, 50, 50, 2000 } },
	  .script = "g100 g3000 g100000 g5 c1", .runs = 20 },
	{ { "FIN with it, lossy", PLAIN | FLOW_FIN_WITH, .mss = 1460, .wire = { 100, 20, 20, 2000 } },
	  .script = "g100 g30000", .runs = 30 },
	{ { "FIN behind it, lossy", PLAIN | FLOW_FIN_BEHIND, .mss = 1460, .wire = { 100, 20, 20, 2000 } },
	  .script = "g100 g30000", .runs = 30 },
	{ { "FIN behind it, merging, lossy", PLAIN | FLOW_MERGE | FLOW_FIN_BEHIND, .mss = 1460,
	    .wire = { 100, 20, 20, 2000 } },
	  .script = "g100 g30000", .runs = 30 },
	/* the client's timer asks again while the answer is on its way */
	{ { "10 Mbit/s", PLAIN, .mss = 1460, .kbit = 10000 }, .script = "g1000000 c5", .cost = 110 },
	{ { "2 Mbit/s", PLAIN, .mss = 1460, .kbit = 2000 }, .script = "g1000000 c5", .cost = 110 },
	{ { "1 Mbit/s, lazy", PLAIN | FLOW_LAZY, .mss = 1460, .kbit = 1000 }, .script = "g1000000 c5", .cost = 120 },
	{ { "500 kbit/s, no SACK", FLOW_TS, .mss = 1460, .kbit = 500 }, .script = "g300000 c5", .cost = 150 },
	{ { "128 kbit/s", PLAIN, .mss = 1460, .kbit = 128 }, .script = "g300000 c5", .cost = 200 },
	{ { "2 Mbit/s, lossy", PLAIN, .mss = 1460, .kbit = 2000, .wire = { 10, 0, 0, 1000 } },
	  .script = "g1000000 c5", .cost = 150, .runs = 5 },
	{ { "slow reader, lossy", PLAIN, .mss = 1460, .buffer = 6000, .rate = 700, .wire = { 50, 0, 0, 2000 } },
	  .script = "g100000 c5", .runs = 20 },
};
/* clang-format on */

static void judge_stalls(const char *name, uint32_t stalls, uint32_t runs, uint32_t most)
{
	if (stalls)
		print_message("# %s: %u of %u connections stalled\n", name, stalls, runs);
	if (stalls > most)
		fail_msg("%s: %u of %u connections stalled", name, stalls, runs);
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct flow_setup setup = row->setup;
	uint32_t i, runs = row->runs ? row->runs : 1, stalls = 0;

	for (i = 0; i < runs; i++) {
		setup.seed = 1 + i;
		setup.port = 40000 + i;
		stalls += check(&setup, row->script, row->cost, row->stalls);
	}
	judge_stalls(setup.name, stalls, runs, row->stalls);
}

/* Sizes around every number of segments that is treated in its own way, with and without a close. */
static void test_sizes(void **state)
{
	static const uint32_t counts[] = { 0,  1,  2,  3,  6,  7,  8,  9,  11, 12, 13, 14,
					   15, 16, 17, 18, 23, 24, 25, 26, 36, 37, 45 };
	const struct flow_setup *setup = *state;
	uint32_t unit = (setup->mss - 12) / 32 * 32, size, i;
	int32_t off;
	char text[40];

	for (i = 0; i < COUNT(counts); i++)
		for (off = -200; off < 40; off += 7) {
			size = counts[i] * unit + off;
			if ((int32_t)size < 0)
				continue;
			snprintf(text, sizeof(text), "g%u c%u", size, size);
			check(setup, text, CLEAN, 0);
		}
}

/* Likewise without timestamps: up to eight segments, else a text that says so. */
static void test_near_sizes(void **state)
{
	const struct flow_setup *setup = *state;
	uint32_t unit = ((setup->mss - 16) & ~127U) + 16, size, i;
	struct flow_ask asks[2];
	struct flow_cost cost;
	const char *bad;

	for (i = 0; i <= 9; i++)
		for (size = i * unit; size < i * unit + unit; size += 37) {
			flow_get(&asks[0], size, "");
			flow_get(&asks[1], size, "Connection: close\r\n");
			if (size + 256 > 8 * unit) {
				/* around there it depends on the header */
				if (size + 80 <= 8 * unit)
					continue;
				asks[0].status = 416;
				asks[0].is_text = 1;
				asks[0].close = 1;
			}
			bad = flow_run(&run, HTTPD, setup, asks, 2, &cost);
			if (bad || cost.sent > cost.stream)
				fail_msg("%s, %u bytes: %s", setup->name, size, bad ? bad : "sent too often");
		}
}

/* The server's numbers wrap around in the middle of a response: its sequence number, and its timestamp. */
static void test_wrap(void **state)
{
	static const char options[] = "\2\4\5\xb4\4\2\x8\xa\0\0\0\1\0\0\0\0";
	struct flow_setup setup = { .name = *state, .traits = PLAIN, .mss = 1460 };
	const uint32_t size = 1000000, near = -size + 20000;
	uint32_t isn, stamp, seqs = 0, stamps = 0, port;
	static struct run_out out;
	static struct pkt p;

	for (port = 1; port <= 65535; port++) {
		const struct pkt_layer syn[] = { { .type = PKT_ETH }, IP4(.id = 1),
						 TCP(.sport = port, .dport = FLOW_PORT, .flags = TH_SYN,
						     .options = options, .option_len = sizeof(options) - 1),
						 { .type = PKT_END } };

		pkt_build(&p, syn);
		assert_int_equal(run_rx(&run, p.data, p.len, &out), 0);
		isn = get32(out.data + p.l4 + 4);
		stamp = get32(out.data + p.l4 + 28);
		if (isn < near && stamp < near)
			continue;
		seqs += isn >= near;
		stamps += stamp >= near;
		setup.port = port;
		check(&setup, "g1000000 c100", CLEAN, 0);
	}
	assert_true(seqs && stamps);
}

static uint32_t chance(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*seed >> 33) % n;
}

/* Any client, any wire, any requests: all that was asked for comes. */
static void test_soup(void **state)
{
	static const uint16_t msss[] = { 200,  256,  300,  536,  900,  1220, 1300, 1400,
					 1420, 1440, 1452, 1460, 4000, 8960, 9000 };
	static const uint32_t sizes[] = { 10, 300, 1400, 3000, 20000, 60000, 200000 };
	const struct setup_kind *kind = *state;
	struct flow_setup s;
	uint64_t seed = kind->seed;
	char text[200];
	uint32_t i, n, len, stalls = 0;

	for (i = 0; i < kind->runs; i++) {
		s = (struct flow_setup){ .name = kind->name,  .seed = 1 + i, .port = 10000 + i };
		s.traits = kind->traits | (chance(&seed, 2) ? FLOW_V6 : 0) | (chance(&seed, 4) ? 0 : FLOW_LAZY) |
			   (chance(&seed, 4) ? 0 : FLOW_MERGE) | (chance(&seed, 4) ? 0 : FLOW_SLOW_FIN) |
			   (chance(&seed, 4) ? 0 : FLOW_NO_ACK) | (chance(&seed, 2) ? FLOW_STRICT : 0) |
			   (chance(&seed, 6) ? 0 : FLOW_FIN_WITH) | (chance(&seed, 2) ? FLOW_DSACK : 0);
		s.mss = msss[chance(&seed, COUNT(msss))];
		s.tag = chance(&seed, 3) ? 0 : 1 + chance(&seed, 4094);
		s.isn = chance(&seed, 3) ? chance(&seed, 1U << 31) : -chance(&seed, 3000);
		s.tsval = chance(&seed, 3) ? chance(&seed, 1U << 31) : -chance(&seed, 300);
		s.wscale = chance(&seed, 2) ? 0 : chance(&seed, 15);
		/* who scales has the room for it */
		s.buffer = chance(&seed, 2) ? 0 : 3 * s.mss + chance(&seed, 30000);
		if (s.wscale)
			s.buffer = 64240 + chance(&seed, 200000);
		else if (s.buffer > 65535)
			s.buffer = 65535;
		s.rate = chance(&seed, 3) ? 0 : 500 + chance(&seed, 20000);
		s.wire = kind->wire;
		s.wire.delay_us = chance(&seed, 2) ? 0 : chance(&seed, 30000);
		for (n = len = 0; n < 1 + chance(&seed, 5); n++)
			len += snprintf(text + len, sizeof(text) - len, "%c%u ",
					kind->letters[chance(&seed, strlen(kind->letters))],
					chance(&seed, sizes[chance(&seed, COUNT(sizes))]));
		if (chance(&seed, 2))
			snprintf(text + len, sizeof(text) - len, "c%u", chance(&seed, 30000));
		stalls += check(&s, text, 0, kind->stalls);
	}
	judge_stalls(kind->name, stalls, kind->runs, kind->stalls);
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

/* Rows that a test of the group is run with. */
#define ROWS(test, rows, name)	{ test, rows, COUNT(rows), sizeof((rows)[0]), offsetof(__typeof__((rows)[0]), name) }

static const char wrap_name[] = "the server's numbers wrap around";

static const struct group {
	void	(*test)(void **state);
	const void *rows;
	size_t	count, size, name;
} groups[] = {
	ROWS(test_row, rows, setup.name),
	ROWS(test_sizes, sized, name),
	ROWS(test_near_sizes, near_sized, name),
	ROWS(test_soup, kinds, name),
};

#define TESTS_MAX	200

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[TESTS_MAX];
	const struct group *g;
	size_t n = 0, i;

	only = argc > 2 ? atoi(argv[2]) : 0;
	for (g = groups; g < groups + COUNT(groups); g++)
		for (i = 0; i < g->count; i++) {
			const char *row = (const char *)g->rows + i * g->size,
				   *name = *(const char *const *)(row + g->name);

			/* for the debugger: name and seed of one */
			if (argc < 2 || !strcmp(argv[1], name))
				tests[n++] = (struct CMUnitTest){ name, g->test, .initial_state = (void *)row };
		}
	if (argc < 2)
		tests[n++] = (struct CMUnitTest){ wrap_name, test_wrap, .initial_state = (void *)wrap_name };
	return _cmocka_run_group_tests("httpd_flow", tests, n, open_run, close_run);
}

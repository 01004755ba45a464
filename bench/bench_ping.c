// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_ping.c - what an answered ping costs
 *
 * Echo requests as ping sends them, with 56 bytes of data. The limits are at work, but so high that none is refused:
 * the global one, as by default; in the cases "-source" that of the source network, too.
 */
#include <string.h>
#include "case.h"

#define DATA_LEN	56

static const uint32_t rate = 10000000, burst = 1000000;

static const struct run_option global[] = {
	{ "rate", &rate, sizeof(rate) },
	{ "burst", &burst, sizeof(burst) },
	{ 0 },
};

static const struct run_option per_source[] = {
	{ "rate", &rate, sizeof(rate) },
	{ "burst", &burst, sizeof(burst) },
	{ "per-source-rate", &rate, sizeof(rate) },
	{ "per-source-burst", &burst, sizeof(burst) },
	{ 0 },
};

static void build_echo(struct pkt *p, struct flow flow, const struct talk *talk)
{
	rows_echo(p, flow, 1, DATA_LEN);
}

/* The reply is the request but for the type. */
static const char *judge(const struct pkt *sent, const struct run_out *got, const struct ndiv_pkt *pkt)
{
	const uint8_t *request = sent->data + sent->l4, *reply = got->data + pkt->l4;

	if (got->len != sent->len)
		return "wrong length";
	if (reply[0] != (sent->v6 ? 129 : 0) || reply[1])
		return "no echo reply";
	return memcmp(reply + 4, request + 4, 4 + DATA_LEN) ? "id, number or data differ" : NULL;
}

#define PING \
	.handler = "handlers/ping.bpf.o", .verdict = NDIV_REPLY, .build = build_echo, .judge = judge, .bare_answers = 1

static const struct bench_case cases[] = {
	{ "ping/echo4", .options = global, .bare = "bare_echo4", PING },
	{ "ping/echo6", .options = global, .bare = "bare_echo6", .v6 = 1, PING },
	{ "ping/echo4-source", .options = per_source, .bare = "bare_echo4", PING },
	{ "ping/echo6-source", .options = per_source, .bare = "bare_echo6", .v6 = 1, PING },
};

int main(int argc, char **argv)
{
	struct suite s;
	int err;

	err = suite_begin(&s, "ping", argc, argv);
	if (!err)
		err = case_bench_all(&s, cases, sizeof(cases) / sizeof(cases[0]));
	return suite_end(&s, err);
}

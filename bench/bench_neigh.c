// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_neigh.c - what an answered ARP request and an answered neighbour solicitation cost
 *
 * As a kernel sends them: to all, to the group, with the sender's MAC address. The limit is at work, but so high that
 * none is refused. One flow: nothing in the handler depends on who asks.
 */
#include <string.h>
#include "case.h"

#define SERVER_MAC	"\x02\0\0\0\x77\x02"
#define CLIENT_MAC	"\x02\0\0\0\x77\x01"
#define TARGET6		"\xfd\x78\0\0\0\0\0\0\0\0\0\0\0\0\0\5"

static const uint32_t rate = 10000000, burst = 1000000;

static const struct ndiv_prefixes addr = {
	.count4 = 1,
	.count6 = 1,
	.list = {
		{ .addr = { __builtin_bswap32(0x0a4e0000) }, .mask = { __builtin_bswap32(0xffff0000) } },
		{ .addr = { __builtin_bswap32(0xfd780000) }, .mask = { 0xffffffff } },
	},
};

static const struct run_option options[] = {
	{ "rate", &rate, sizeof(rate) },
	{ "burst", &burst, sizeof(burst) },
	{ "addr", &addr, sizeof(addr) },
	{ 0 },
};

static const struct pkt_layer arp_request[] = {
	ETH(.dst = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, .proto = 0x0806),
	BYTES("\0\1\x08\0\6\4\0\1" CLIENT_MAC "\x0a\x4d\0\1" "\0\0\0\0\0\0" "\x0a\x4e\1\5"), PAD(60), { 0 },
};

static const struct pkt_layer arp_reply[] = {
	ETH(.dst = PKT_MAC_CLIENT, .src = PKT_MAC_SERVER, .proto = 0x0806),
	BYTES("\0\1\x08\0\6\4\0\2" SERVER_MAC "\x0a\x4e\1\5" CLIENT_MAC "\x0a\x4d\0\1"), PAD(60), { 0 },
};

static const struct pkt_layer solicitation[] = {
	ETH(.dst = { 0x33, 0x33, 0xff, 0, 0, 5 }), IP6(.dst = "ff02::1:ff00:5", .hops = 255), ICMP6(.type = 135),
	BYTES(TARGET6 "\1\1" CLIENT_MAC), { 0 },
};

static const struct pkt_layer advertisement[] = {
	ETH(.dst = PKT_MAC_CLIENT, .src = PKT_MAC_SERVER), IP6(.src = "fd78::5", .dst = PKT_IP6_CLIENT, .hops = 255),
	ICMP6(.type = 136, .id = 0x6000), BYTES(TARGET6 "\2\1" SERVER_MAC), { 0 },
};

static void build_arp(struct pkt *p, struct flow flow, const struct talk *talk)
{
	pkt_build(p, arp_request);
}

static void build_ns(struct pkt *p, struct flow flow, const struct talk *talk)
{
	pkt_build(p, solicitation);
}

static const char *compare(const struct run_out *got, const struct pkt_layer *layers)
{
	static struct pkt want;

	pkt_build(&want, layers);
	if (got->len != want.len)
		return "wrong length";
	return memcmp(got->data, want.data, want.len) ? "wrong answer" : NULL;
}

static const char *judge_arp(const struct pkt *sent, const struct run_out *got, const struct ndiv_pkt *pkt)
{
	return compare(got, arp_reply);
}

static const char *judge_ns(const struct pkt *sent, const struct run_out *got, const struct ndiv_pkt *pkt)
{
	return compare(got, advertisement);
}

#define NEIGH \
	.handler = "handlers/neigh.bpf.o", .verdict = NDIV_REPLY, .options = options, .bare = "bare_reply",            \
	.to_group = 1

static const struct bench_case cases[] = {
	{ "neigh/arp", .build = build_arp, .judge = judge_arp, NEIGH },
	{ "neigh/ns", .build = build_ns, .judge = judge_ns, .v6 = 1, NEIGH },
};

int main(int argc, char **argv)
{
	struct suite s;
	size_t i;
	int err;

	err = suite_begin(&s, "neigh", argc, argv);
	for (i = 0; !err && i < sizeof(cases) / sizeof(cases[0]); i++)
		err = case_bench(&s, &cases[i], 0);
	return suite_end(&s, err);
}

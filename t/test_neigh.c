// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_neigh.c - the handler neigh: what it answers, byte by byte, and what it does not
 *
 * The rows say it by examples. That nothing else is answered, and nothing otherwise, is judged by neigh_answer(), which
 * makes the answer out of the request by the RFCs, for all that mutations bring about.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include "neigh.h"
#include "oracle.h"
#include "suite.h"

#define SEED		4861
#define MUTATIONS	100000
#define NONE		-1

/* Instances, with other options each. */
enum who { PLAIN = 1, NOBODY, ONLY4, ONLY6, FIVE, FIVE_PASS, DEFAULT };

/* Its counters and reasons, as in handlers/neigh/neigh.h; checked by name in test_names(). */
enum { ARP_OK, PROBE_OK, NS_OK, DAD_OK, MALFORMED, HOP_LIMIT, BAD_CHECKSUM, FRAGMENT, OPTIONS, NOT_MINE, CLAIMED,
       OTHER_SENDER, NO_VLAN, BUFFERS, TX_FULL, RATE_PASSED };
enum { OVER_RATE = 1 };
enum { OVER_DROP, OVER_PASS };

struct row {
	const char *name;
	struct pkt_layer in[PKT_LAYERS];
	struct pkt_layer out[PKT_LAYERS]; /* none: passed as it is */
	int	counter;
	enum who who;		/* 0: PLAIN */
	int	pressure;
};

static struct run run;
static struct pkt in, expected;
static struct run_out out;
static struct ndiv_cpu got;

/* clang-format off */
static const struct row rows[] = {
	/* --- ARP, answered ---------------------------------------------------------------------------------- */
	{ "arp", { TO_ALL, ASK(I_SIM) }, { TO_CLIENT, TELL(I_SIM) }, .counter = ARP_OK },
	{ "arp, padded", { TO_ALL, ASK(I_SIM), PAD(60) }, { TO_CLIENT, TELL(I_SIM), PAD(60) }, .counter = ARP_OK },
	{ "arp, unicast", { ASK(I_SIM) }, { TO_CLIENT, TELL(I_SIM) }, .counter = ARP_OK },
	{ "arp, the last address", { TO_ALL, ASK(I_SIM2) }, { TO_CLIENT, TELL(I_SIM2) }, .counter = ARP_OK },
	{ "arp, trailer is not sent back", { TO_ALL, ASK(I_SIM), PAD(1000) }, { TO_CLIENT, TELL(I_SIM), PAD(60) },
	  .counter = ARP_OK },
	{ "arp, vlan", { TO_ALL, VLAN(.tci = 0x600a), ASK(I_SIM), PAD(60) },
	  { TO_CLIENT, VLAN(.tci = 0x600a), TELL(I_SIM), PAD(60) }, .counter = ARP_OK },
	{ "arp, 802.1ad and 802.1q", { TO_ALL, VLAN(.tci = 5, .tpid = 0x88a8), VLAN(.tci = 10), ASK(I_SIM), PAD(64) },
	  { TO_CLIENT, VLAN(.tci = 5, .tpid = 0x88a8), VLAN(.tci = 10), TELL(I_SIM), PAD(60) }, .counter = ARP_OK },
	{ "arp, target mac is of no interest", { TO_ALL, ARP("\0\1", M_CLIENT, I_CLIENT, M_OTHER, I_SIM) },
	  { TO_CLIENT, TELL(I_SIM) }, .counter = ARP_OK },
	{ "arp, asker in the same range", { TO_ALL, ARP("\0\1", M_CLIENT, I_SIM2, M_NONE, I_SIM) },
	  { TO_CLIENT, ARP("\0\2", M_SERVER, I_SIM, M_CLIENT, I_SIM2) }, .counter = ARP_OK },
	{ "arp probe", { TO_ALL, ARP("\0\1", M_CLIENT, I_NONE, M_NONE, I_SIM) },
	  { TO_CLIENT, ARP("\0\2", M_SERVER, I_SIM, M_CLIENT, I_NONE) }, .counter = PROBE_OK },
	{ "arp probe, vlan", { TO_ALL, VLAN(.tci = 10), ARP("\0\1", M_CLIENT, I_NONE, M_NONE, I_SIM) },
	  { TO_CLIENT, VLAN(.tci = 10), ARP("\0\2", M_SERVER, I_SIM, M_CLIENT, I_NONE) }, .counter = PROBE_OK },
	{ "arp, only IPv4 given", { TO_ALL, ASK(I_SIM) }, { TO_CLIENT, TELL(I_SIM) }, .counter = ARP_OK, .who = ONLY4 },

	/* --- ARP, passed ------------------------------------------------------------------------------------ */
	{ "arp reply", { ARP("\0\2", M_CLIENT, I_CLIENT, M_SERVER, I_SIM) }, .counter = NONE },
	{ "arp reply to all", { TO_ALL, ARP("\0\2", M_CLIENT, I_SIM, M_NONE, I_SIM) }, .counter = NONE },
	{ "rarp request by its number", { TO_ALL, ARP("\0\3", M_CLIENT, I_CLIENT, M_NONE, I_SIM) }, .counter = NONE },
	{ "arp, operation 0", { TO_ALL, ARP("\0\0", M_CLIENT, I_CLIENT, M_NONE, I_SIM) }, .counter = NONE },
	{ "arp, operation 0x101", { TO_ALL, ARP("\1\1", M_CLIENT, I_CLIENT, M_NONE, I_SIM) }, .counter = NONE },
	{ "rarp by its EtherType", { TO_ALL, BYTES(ARP_HEAD "\0\1" M_CLIENT I_CLIENT M_NONE I_SIM),
	  SET(F_ETH_PROTO, 0x8035) }, .counter = NONE },
	{ "arp of IEEE 802", { TO_ALL, BYTES("\0\6\x08\0\6\4\0\1" M_CLIENT I_CLIENT M_NONE I_SIM),
	  SET(F_ETH_PROTO, 0x0806) }, .counter = MALFORMED },
	{ "arp, hardware type 0x101", { TO_ALL, BYTES("\1\1\x08\0\6\4\0\1" M_CLIENT I_CLIENT M_NONE I_SIM),
	  SET(F_ETH_PROTO, 0x0806) }, .counter = MALFORMED },
	{ "arp for another protocol", { TO_ALL, BYTES("\0\1\x86\xdd\6\4\0\1" M_CLIENT I_CLIENT M_NONE I_SIM),
	  SET(F_ETH_PROTO, 0x0806) }, .counter = MALFORMED },
	{ "arp, hardware length 5", { TO_ALL, BYTES("\0\1\x08\0\5\4\0\1" M_CLIENT I_CLIENT M_NONE I_SIM),
	  SET(F_ETH_PROTO, 0x0806) }, .counter = MALFORMED },
	{ "arp, hardware length 255", { TO_ALL, BYTES("\0\1\x08\0\xff\4\0\1" M_CLIENT I_CLIENT M_NONE I_SIM),
	  SET(F_ETH_PROTO, 0x0806) }, .counter = MALFORMED },
	{ "arp, protocol length 16", { TO_ALL, BYTES("\0\1\x08\0\6\x10\0\1" M_CLIENT I_CLIENT M_NONE I_SIM),
	  SET(F_ETH_PROTO, 0x0806) }, .counter = MALFORMED },
	{ "arp, protocol length 0", { TO_ALL, BYTES("\0\1\x08\0\6\0\0\1" M_CLIENT I_CLIENT M_NONE I_SIM),
	  SET(F_ETH_PROTO, 0x0806) }, .counter = MALFORMED },
	{ "arp, a byte is missing", { TO_ALL, BYTES(ARP_HEAD "\0\1" M_CLIENT I_CLIENT M_NONE "\x0a\x4e\1"),
	  SET(F_ETH_PROTO, 0x0806) }, .counter = MALFORMED },
	{ "arp, nothing but the EtherType", { TO_ALL, SET(F_ETH_PROTO, 0x0806) }, .counter = MALFORMED },
	{ "arp behind three tags", { TO_ALL, VLAN(), VLAN(), VLAN(), ASK(I_SIM) }, .counter = NONE },
	{ "arp, address outside", { TO_ALL, ASK(I_STRANGE) }, .counter = NOT_MINE },
	{ "arp, address just below", { TO_ALL, ASK("\x0a\x4d\xff\xff") }, .counter = NOT_MINE },
	{ "arp, address excepted", { TO_ALL, ASK(I_EXCEPT) }, .counter = NOT_MINE },
	{ "arp, unspecified address", { TO_ALL, ASK(I_NONE) }, .counter = NOT_MINE },
	{ "arp, broadcast address", { TO_ALL, ASK("\xff\xff\xff\xff") }, .counter = NOT_MINE },
	{ "arp, no addresses given", { TO_ALL, ASK(I_SIM) }, .counter = NOT_MINE, .who = NOBODY },
	{ "arp, unspecified, no addresses given", { TO_ALL, ASK(I_NONE) }, .counter = NOT_MINE, .who = NOBODY },
	{ "arp, only IPv6 given", { TO_ALL, ASK(I_SIM) }, .counter = NOT_MINE, .who = ONLY6 },
	{ "arp to another host", { ETH(.dst = B_OTHER), ASK(I_SIM) }, .counter = NOT_MINE },
	{ "arp to a group", { ETH(.dst = { 1, 0, 0x5e, 0, 0, 1 }), ASK(I_SIM) }, .counter = NOT_MINE },
	{ "arp to nearly all", { ETH(.dst = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe }), ASK(I_SIM) },
	  .counter = NOT_MINE },
	{ "arp from a group", { ETH(.dst = B_ALL, .src = { 3, 0, 0, 0, 0x77, 1 }), ASK(I_SIM) }, .counter = NOT_MINE },
	{ "arp of our own", { ETH(.dst = B_ALL, .src = PKT_MAC_SERVER),
	  ARP("\0\1", M_SERVER, I_CLIENT, M_NONE, I_SIM) }, .counter = NOT_MINE },
	{ "arp in another's name", { TO_ALL, ARP("\0\1", M_OTHER, I_CLIENT, M_NONE, I_SIM) },
	  .counter = OTHER_SENDER },
	{ "arp from a frame of another", { ETH(.dst = B_ALL, .src = B_OTHER), ASK(I_SIM) }, .counter = OTHER_SENDER },
	{ "arp from 127.0.0.1", { TO_ALL, ARP("\0\1", M_CLIENT, "\x7f\0\0\1", M_NONE, I_SIM) },
	  .counter = OTHER_SENDER },
	{ "arp from a multicast address", { TO_ALL, ARP("\0\1", M_CLIENT, "\xe0\0\0\1", M_NONE, I_SIM) },
	  .counter = OTHER_SENDER },
	{ "arp from everybody", { TO_ALL, ARP("\0\1", M_CLIENT, "\xff\xff\xff\xff", M_NONE, I_SIM) },
	  .counter = OTHER_SENDER },
	{ "gratuitous arp request", { TO_ALL, ARP("\0\1", M_CLIENT, I_SIM, M_NONE, I_SIM) }, .counter = CLAIMED },
	{ "gratuitous arp request of others", { TO_ALL, ARP("\0\1", M_CLIENT, I_STRANGE, M_NONE, I_STRANGE) },
	  .counter = NOT_MINE },
	{ "arp, transmit ring full", { TO_ALL, ASK(I_SIM) }, .counter = TX_FULL, .pressure = 1 },

	/* --- neighbour solicitations, answered -------------------------------------------------------------- */
	{ "ns", { TO_GROUP(5), SOLICIT }, { TO_CLIENT, ADVERTISE }, .counter = NS_OK },
	{ "ns, group in a frame to us", { SOLICIT }, { TO_CLIENT, ADVERTISE }, .counter = NS_OK },
	{ "ns, unicast", { NS_IP("fd78::5"), NS(T_SIM SOURCE_MAC(M_CLIENT)) }, { TO_CLIENT, ADVERTISE },
	  .counter = NS_OK },
	{ "ns, no option: the answer is longer", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM) }, { TO_CLIENT, ADVERTISE },
	  .counter = NS_OK },
	{ "ns, unicast, no option", { NS_IP("fd78::5"), NS(T_SIM) }, { TO_CLIENT, ADVERTISE }, .counter = NS_OK },
	{ "ns, no option, padded", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM), PAD(80) }, { TO_CLIENT, ADVERTISE },
	  .counter = NS_OK },
	{ "ns, trailer is not sent back", { TO_GROUP(5), SOLICIT, PAD(200) }, { TO_CLIENT, ADVERTISE },
	  .counter = NS_OK },
	{ "ns, nonce", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM NONCE SOURCE_MAC(M_CLIENT)) }, { TO_CLIENT, ADVERTISE },
	  .counter = NS_OK },
	{ "ns, the option twice", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM SOURCE_MAC(M_CLIENT) SOURCE_MAC(M_CLIENT)) },
	  { TO_CLIENT, ADVERTISE }, .counter = NS_OK },
	{ "ns, unknown option of 16 bytes", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM "\xfd\2" NONCE "345678"
	  SOURCE_MAC(M_CLIENT)) }, { TO_CLIENT, ADVERTISE }, .counter = NS_OK },
	{ "ns, a target option means nothing", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM "\2\1" M_OTHER) },
	  { TO_CLIENT, ADVERTISE }, .counter = NS_OK },
	{ "ns, eight options", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM NONCE NONCE NONCE NONCE NONCE NONCE NONCE
	  SOURCE_MAC(M_CLIENT)) }, { TO_CLIENT, ADVERTISE }, .counter = NS_OK },
	{ "ns, reserved bits are ignored", { TO_GROUP(5), NS_IP(G_SIM), ICMP6(.type = 135, .id = 0xffff, .seq = 0xffff),
	  BYTES(T_SIM SOURCE_MAC(M_CLIENT)) }, { TO_CLIENT, ADVERTISE }, .counter = NS_OK },
	{ "ns, vlan", { TO_GROUP(5), VLAN(.tci = 0x600a), SOLICIT }, { TO_CLIENT, VLAN(.tci = 0x600a), ADVERTISE },
	  .counter = NS_OK },
	{ "ns, vlan, no option", { TO_GROUP(5), VLAN(.tci = 10), NS_IP(G_SIM), NS(T_SIM) },
	  { TO_CLIENT, VLAN(.tci = 10), ADVERTISE }, .counter = NS_OK },
	{ "ns, 802.1ad and 802.1q", { TO_GROUP(5), VLAN(.tci = 5, .tpid = 0x88a8), VLAN(.tci = 10), SOLICIT },
	  { TO_CLIENT, VLAN(.tci = 5, .tpid = 0x88a8), VLAN(.tci = 10), ADVERTISE }, .counter = NS_OK },
	{ "ns, from a link-local address", { TO_GROUP(5), NS_IP(G_SIM, .src = "fe80::1"), NS(T_SIM
	  SOURCE_MAC(M_CLIENT)) }, { TO_CLIENT, NA_IP("fd78::5", "fe80::1"), NA(0x6000, T_SIM) }, .counter = NS_OK },
	{ "ns, only IPv6 given", { TO_GROUP(5), SOLICIT }, { TO_CLIENT, ADVERTISE }, .counter = NS_OK, .who = ONLY6 },
	{ "dad", { TO_GROUP(5), NS_IP(G_SIM, .src = "::"), NS(T_SIM) }, { TO_CLIENT, DEFEND }, .counter = DAD_OK },
	{ "dad, nonce", { TO_GROUP(5), NS_IP(G_SIM, .src = "::"), NS(T_SIM NONCE) }, { TO_CLIENT, DEFEND },
	  .counter = DAD_OK },
	{ "dad, vlan", { TO_GROUP(5), VLAN(.tci = 10), NS_IP(G_SIM, .src = "::"), NS(T_SIM NONCE) },
	  { TO_CLIENT, VLAN(.tci = 10), DEFEND }, .counter = DAD_OK },

	/* --- neighbour solicitations, passed ---------------------------------------------------------------- */
	{ "ns, hop limit 254", { TO_GROUP(5), IP6(.dst = G_SIM, .hops = 254), NS(T_SIM SOURCE_MAC(M_CLIENT)) },
	  .counter = HOP_LIMIT },
	{ "ns, hop limit 1", { TO_GROUP(5), IP6(.dst = G_SIM, .hops = 1), NS(T_SIM SOURCE_MAC(M_CLIENT)) },
	  .counter = HOP_LIMIT },
	{ "ns, checksum wrong", { TO_GROUP(5), SOLICIT, BAD_SUM(SUM_L4) }, .counter = BAD_CHECKSUM },
	{ "ns, no checksum", { TO_GROUP(5), SOLICIT, BAD_SUM(SUM_NONE) }, .counter = BAD_CHECKSUM },
	{ "dad, checksum wrong", { TO_GROUP(5), NS_IP(G_SIM, .src = "::"), NS(T_SIM), BAD_SUM(SUM_L4) },
	  .counter = BAD_CHECKSUM },
	{ "ns, code 1", { TO_GROUP(5), NS_IP(G_SIM), ICMP6(.type = 135, .code = 1), BYTES(T_SIM) },
	  .counter = MALFORMED },
	{ "ns without a target", { TO_GROUP(5), NS_IP(G_SIM), ICMP6(.type = 135) }, .counter = MALFORMED },
	{ "ns with half a target", { TO_GROUP(5), NS_IP(G_SIM), NS("\xfd\x78\0\0\0\0\0\0") }, .counter = MALFORMED },
	{ "ns with half a target, padded by the rest", { TO_GROUP(5), NS_IP(G_SIM), NS("\xfd\x78\0\0\0\0\0\0"),
	  PAD(100) }, .counter = MALFORMED },
	{ "ns, 7 bytes of an option", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM "\1\1\2\0\0\0\x77") },
	  .counter = MALFORMED },
	{ "ns, one byte more", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM SOURCE_MAC(M_CLIENT) "x") },
	  .counter = MALFORMED },
	{ "ns, option of length 0", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM "\1\0" M_CLIENT) }, .counter = MALFORMED },
	{ "ns, unknown option of length 0", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM SOURCE_MAC(M_CLIENT) "\x0e\0" M_NONE) },
	  .counter = MALFORMED },
	{ "ns, option beyond the end", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM "\x0e\2" M_CLIENT) },
	  .counter = MALFORMED },
	{ "ns, option beyond the end, padded", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM "\x0e\2" M_CLIENT), PAD(200) },
	  .counter = MALFORMED },
	{ "ns, option of 2040 bytes", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM "\x0e\xff" M_CLIENT) },
	  .counter = MALFORMED },
	{ "ns, source option of 16 bytes", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM "\1\2" M_CLIENT "12345678") },
	  .counter = MALFORMED },
	{ "ns, nine options", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM NONCE NONCE NONCE NONCE NONCE NONCE NONCE NONCE
	  SOURCE_MAC(M_CLIENT)) }, .counter = MALFORMED },
	{ "ns in another's name", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM SOURCE_MAC(M_OTHER)) },
	  .counter = OTHER_SENDER },
	{ "ns, second option is another's", { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM SOURCE_MAC(M_CLIENT)
	  SOURCE_MAC(M_OTHER)) }, .counter = OTHER_SENDER },
	{ "ns from a group", { TO_GROUP(5), NS_IP(G_SIM, .src = "ff02::1"), NS(T_SIM SOURCE_MAC(M_CLIENT)) },
	  .counter = OTHER_SENDER },
	{ "ns from loopback", { TO_GROUP(5), NS_IP(G_SIM, .src = "::1"), NS(T_SIM SOURCE_MAC(M_CLIENT)) },
	  .counter = OTHER_SENDER },
	{ "ns from the target", { TO_GROUP(5), NS_IP(G_SIM, .src = "fd78::5"), NS(T_SIM SOURCE_MAC(M_CLIENT)) },
	  .counter = CLAIMED },
	{ "dad with a source option", { TO_GROUP(5), NS_IP(G_SIM, .src = "::"), NS(T_SIM SOURCE_MAC(M_CLIENT)) },
	  .counter = MALFORMED },
	{ "dad, unicast", { NS_IP("fd78::5", .src = "::"), NS(T_SIM) }, .counter = MALFORMED },
	{ "ns, target is a group", { TO_GROUP(5), NS_IP(G_SIM),
	  NS("\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\5" SOURCE_MAC(M_CLIENT)) }, .counter = NOT_MINE },
	{ "ns, address outside", { TO_GROUP(5), NS_IP(G_SIM),
	  NS("\xfd\x79\0\0\0\0\0\0\0\0\0\0\0\0\0\5" SOURCE_MAC(M_CLIENT)) }, .counter = NOT_MINE },
	{ "ns, address excepted", { TO_GROUP(9), NS_IP("ff02::1:ff00:9"),
	  NS("\xfd\x78\0\0\0\0\0\0\0\0\0\0\0\0\0\x09" SOURCE_MAC(M_CLIENT)) }, .counter = NOT_MINE },
	{ "ns, no addresses given", { TO_GROUP(5), SOLICIT }, .counter = NOT_MINE, .who = NOBODY },
	{ "ns, only IPv4 given", { TO_GROUP(5), SOLICIT }, .counter = NOT_MINE, .who = ONLY4 },
	{ "ns to another's group", { TO_GROUP(6), NS_IP("ff02::1:ff00:6"), NS(T_SIM SOURCE_MAC(M_CLIENT)) },
	  .counter = NOT_MINE },
	{ "ns to all nodes", { ETH(.dst = { 0x33, 0x33, 0, 0, 0, 1 }), NS_IP("ff02::1"), NS(T_SIM SOURCE_MAC(M_CLIENT)) },
	  .counter = NOT_MINE },
	{ "ns to a group of the same end", { TO_GROUP(5), NS_IP("ff05::1:ff00:5"), NS(T_SIM SOURCE_MAC(M_CLIENT)) },
	  .counter = NOT_MINE },
	{ "ns to another address", { NS_IP("fd78::6"), NS(T_SIM SOURCE_MAC(M_CLIENT)) }, .counter = NOT_MINE },
	{ "ns, frame to another group", { TO_GROUP(6), SOLICIT }, .counter = NOT_MINE },
	{ "ns, frame to all", { TO_ALL, SOLICIT }, .counter = NOT_MINE },
	{ "ns, frame to another host", { ETH(.dst = B_OTHER), SOLICIT }, .counter = NOT_MINE },
	{ "ns, unicast in a frame to the group", { TO_GROUP(5), NS_IP("fd78::5"), NS(T_SIM SOURCE_MAC(M_CLIENT)) },
	  .counter = NOT_MINE },
	{ "ns in a frame from a group", { ETH(.dst = B_GROUP(5), .src = { 3, 0, 0, 0, 0x77, 1 }), SOLICIT },
	  .counter = NOT_MINE },
	{ "dad of our own", { ETH(.dst = B_GROUP(5), .src = PKT_MAC_SERVER), NS_IP(G_SIM, .src = "::"), NS(T_SIM) },
	  .counter = NOT_MINE },
	{ "ns, first fragment", { TO_GROUP(5), NS_IP(G_SIM), FRAG(.more = 1), NS(T_SIM SOURCE_MAC(M_CLIENT)) },
	  .counter = FRAGMENT },
	{ "ns, atomic fragment", { TO_GROUP(5), NS_IP(G_SIM), FRAG(), NS(T_SIM SOURCE_MAC(M_CLIENT)) },
	  .counter = OPTIONS },
	{ "ns, hop-by-hop options", { TO_GROUP(5), NS_IP(G_SIM), EXT(0), NS(T_SIM SOURCE_MAC(M_CLIENT)) },
	  .counter = OPTIONS },
	{ "ns, transmit ring full", { TO_GROUP(5), SOLICIT }, .counter = TX_FULL, .pressure = 1 },

	/* --- not its business: passed, and not even counted ------------------------------------------------- */
	{ "neighbour advertisement", { NS_IP(PKT_IP6_SERVER), ICMP6(.type = 136, .id = 0x6000), BYTES(T_SIM TARGET_MAC) },
	  .counter = NONE },
	{ "router solicitation", { NS_IP("ff02::2"), ICMP6(.type = 133) }, .counter = NONE },
	{ "router advertisement", { NS_IP("ff02::1"), ICMP6(.type = 134), DATA(8) }, .counter = NONE },
	{ "redirect", { NS_IP(PKT_IP6_SERVER), ICMP6(.type = 137), DATA(32) }, .counter = NONE },
	{ "echo to a simulated address", { IP6(.dst = "fd78::5"), ICMP6(.id = 1, .seq = 2), DATA(9) },
	  .counter = NONE },
	{ "ICMP of type 135 in v4", { IP4(.dst = "10.78.1.5"), ICMP(.type = 135), BYTES(T_SIM) }, .counter = NONE },
	{ "tcp to a simulated address", { IP4(.dst = "10.78.1.5"), TCP(.flags = TH_SYN) }, .counter = NONE },
	{ "udp in v6", { IP6(), UDP(), DATA(9) }, .counter = NONE },
	{ "later fragment", { TO_GROUP(5), NS_IP(G_SIM), FRAG(.off = 8, .next = 58), DATA(48) }, .counter = NONE },
	{ "some other protocol", { ETH(.proto = 0x88cc), DATA(46) }, .counter = NONE },
};
/* clang-format on */

/* --- asking ----------------------------------------------------------------------------------------------------- */

/* Runs <in>: whatever happens, what is passed is unchanged. Returns the action. */
static int ask(const char *name)
{
	int err = run_rx(&run, in.data, in.len, &out);

	if (err)
		fail_msg("%s: test run failed: %d", name, err);
	if (out.act == XDP_PASS)
		must_equal(name, out.data, out.len, in.data, in.len);
	return out.act;
}

/* Runs <in> by PLAIN: it is answered as it must be, or passed. Returns whether it was answered. */
static int ask_right(const char *name)
{
	static uint8_t want[PKT_MAX];
	size_t len = neigh_answer(want, &in);

	if (ask(name) != (len ? XDP_TX : XDP_PASS))
		fail_msg("%s: action %d, but the right answer has %zu bytes", name, out.act, len);
	if (len)
		must_equal(name, out.data, out.len, want, len);
	return !!len;
}

/* All counters but <want> are 0. */
static void check_counters(const char *name, enum who who, int want)
{
	int i;

	run_sum(&run, NDIV_CPU_RX, &got);
	for (i = 0; i < NDIV_COUNTERS_MAX; i++)
		if (got.counter[who][i] != (i == want))
			fail_msg("%s: counter %d is %llu", name, i, got.counter[who][i]);
	for (i = 0; i < NDIV_REASONS_MAX; i++)
		if (got.reason[who][i])
			fail_msg("%s: reason %d is %llu", name, i, got.reason[who][i]);
	i = want >= ARP_OK && want <= DAD_OK ? NDIV_REPLY : NDIV_NEXT;
	if (got.verdict[who][i].packets != 1 || got.verdict[who][i].bytes != in.len)
		fail_msg("%s: verdict not counted", name);
}

static void test_row(void **state)
{
	const struct row *row = *state;
	enum who who = row->who ? row->who : PLAIN;

	use(&run, who);
	if (row->pressure)
		assert_int_equal(run_pressure(&run), 0);
	pkt_build(&in, row->in);
	if (ask(row->name) != (row->out[0].type ? XDP_TX : XDP_PASS))
		fail_msg("%s: action %d", row->name, out.act);
	check_counters(row->name, who, row->counter);
	if (row->out[0].type) {
		pkt_build(&expected, row->out);
		must_equal(row->name, out.data, out.len, expected.data, expected.len);
	}
	if (who == PLAIN && !row->pressure)
		ask_right(row->name);
}

/* A request of which bytes are missing is not answered. */
static void test_truncated(void **state)
{
	const struct row *row = *state;
	static struct pkt whole;

	use(&run, row->who ? row->who : PLAIN);
	pkt_build(&whole, row->in);
	in = whole;
	for (in.len = 14; in.len < whole.end; in.len++)
		if (ask(row->name) != XDP_PASS)
			fail_msg("%s: truncated to %zu bytes: action %d", row->name, in.len, out.act);
}

/* --- more than rows can say ------------------------------------------------------------------------------------- */

static const struct pkt_layer arp_layers[] = { TO_ALL, ASK(I_SIM), { 0 } };
static const struct pkt_layer ns_layers[] = { TO_GROUP(5), SOLICIT, { 0 } };
static const struct pkt_layer short_layers[] = { TO_GROUP(5), NS_IP(G_SIM), NS(T_SIM), { 0 } };

/* All lengths of what follows the request in the frame: none of it is sent back. */
static void test_trailers(void **state)
{
	const struct pkt_layer *const kinds[] = { arp_layers, ns_layers, short_layers };
	size_t kind, len;

	use(&run, PLAIN);
	for (kind = 0; kind < 3; kind++) {
		for (len = 0; len <= 1500; len++) {
			pkt_build(&in, kinds[kind]);
			for (; in.len < len; in.len++)
				in.data[in.len] = 0xee;
			assert_true(ask_right("trailer"));
		}
	}
}

/* One bit turned in what the checksum covers, addresses included: no answer. */
static void test_one_bit(void **state)
{
	size_t bit;

	use(&run, PLAIN);
	pkt_build(&in, ns_layers);
	for (bit = (in.l3 + 8) * 8; bit < in.len * 8; bit++) {
		in.data[bit / 8] ^= 1 << bit % 8;
		if (ask("one bit") != XDP_PASS)
			fail_msg("bit %zu turned, but answered", bit);
		in.data[bit / 8] ^= 1 << bit % 8;
	}
}

/* All addresses of a network, and the last bytes of a /64's: the group goes with the target. */
static void test_range(void **state)
{
	uint32_t i;

	srandom(SEED);
	use(&run, PLAIN);
	for (i = 0; i < 65536; i++) {
		pkt_build(&in, arp_layers);
		put16(in.data + 14 + 26, i);
		assert_int_equal(ask_right("range"), i != 0x0109);
	}
	for (i = 0; i < 10000; i++) {
		pkt_build(&in, ns_layers);
		put32(in.data + in.l4 + 16, random());
		put32(in.data + in.l4 + 20, random());
		memcpy(in.data + 3, in.data + in.l4 + 21, 3);
		memcpy(in.data + in.l3 + 37, in.data + in.l4 + 21, 3);
		pkt_resum(&in);
		assert_true(ask_right("range v6"));
	}
}

/* Anything at all is answered right, or passed unchanged. */
static void test_mutations(void **state)
{
	size_t count = sizeof(rows) / sizeof(rows[0]);
	int i, n, answered = 0;

	srandom(SEED);
	use(&run, PLAIN);
	for (i = 0; i < MUTATIONS; i++) {
		pkt_build(&in, rows[random() % count].in);
		for (n = random() % 4; n > 0; n--)
			in.data[random() % in.len] = random() % 4 ? random() : in.data[random() % in.len];
		if (in.l3 && random() % 4)
			pkt_resum(&in);
		answered += ask_right("mutation");
	}
	/* else the mutations are so wild that nothing was tested, or so tame */
	assert_in_range(answered, MUTATIONS / 100, MUTATIONS / 2);
}

/* In several buffers: passed, and counted. */
static void test_buffers(void **state)
{
	const struct pkt_layer *const kinds[] = { arp_layers, ns_layers, short_layers };
	size_t kind;

	use(&run, PLAIN);
	for (kind = 0; kind < 3; kind++) {
		pkt_build(&in, kinds[kind]);
		memset(in.data + in.len, 0xee, 6000 - in.len);
		in.len = 6000;
		assert_int_equal(run_reset(&run), 0);
		assert_int_equal(run_rx_split(&run, in.data, in.len, 1000, &out), 0);
		assert_int_equal(out.act, XDP_PASS);
		must_equal("buffers", out.data, out.len, in.data, in.len);
		check_counters("buffers", PLAIN, BUFFERS);
	}
}

/* The builder for clones, which takes over where a frame cannot grow. */
static void test_clone(void **state)
{
	static struct run_out from;
	struct ndiv_meta meta = { .magic = NDIV_META_CLONE, .handler = PLAIN, .count = 1, .burst = 77,
				  .flags = NDIV_F_IPV6 | NDIV_F_ICMP6 };

	use(&run, PLAIN);
	pkt_build(&in, short_layers);
	meta.l3 = in.l3;
	meta.l4 = in.l4;
	meta.out_len = in.l4 + 32;
	memcpy(from.buf, &meta, sizeof(meta));
	memcpy(from.buf + sizeof(meta), in.data, in.len);
	from.meta = sizeof(meta);
	from.len = in.len;
	assert_int_equal(run_copy(&run, &from, &out), 0);
	assert_int_equal(out.act, XDP_PASS);
	must_equal("clone", out.data, out.len, expected.data, neigh_answer(expected.data, &in));
}

/* Of the card's hints, which no test run has: the packet as the entry would hand it over. */
static void test_hw_vlan(void **state)
{
	const struct pkt_layer *const kinds[] = { arp_layers, ns_layers };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in.data, .data_out = out.buf, .repeat = 1);
	size_t kind;
	int i;

	use(&run, PLAIN);
	for (kind = 0; kind < 2; kind++) {
		pkt_build(&in, kinds[kind]);
		assert_int_equal(run_reset(&run), 0);
		for (i = 0; i < run.cpu_count; i++) {
			oracle_parse(in.data, in.len, in.len, &run.values[i].pkt);
			run.values[i].pkt.flags |= NDIV_F_HW_VLAN;
			run.values[i].pkt.path = run.conf->bank;
		}
		assert_int_equal(bpf_map_update_elem(run.cpus, &(uint32_t){ NDIV_CPU_RX }, run.values, 0), 0);
		opts.data_size_in = in.len;
		opts.data_size_out = RUN_MAX;
		assert_int_equal(bpf_prog_test_run_opts(run.handler[PLAIN].rx, &opts), 0);
		assert_int_equal(opts.retval, XDP_PASS);
		must_equal("removed tag", out.buf, opts.data_size_out, in.data, in.len);
		check_counters("removed tag", PLAIN, NO_VLAN);
	}
}

/* The builder for skbs, which does so in generic mode: the skb has been made long enough. */
static void test_skb(void **state)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in.data, .data_out = out.buf, .data_size_out = RUN_MAX,
		    .repeat = 1);
	size_t len;
	int i;

	use(&run, PLAIN);
	pkt_build(&in, short_layers);
	len = neigh_answer(expected.data, &in);
	opts.data_size_in = len;
	assert_int_equal(run_reset(&run), 0);
	for (i = 0; i < run.cpu_count; i++) {
		run.values[i].index = 0;
		run.values[i].pkt = (struct ndiv_pkt){ .flags = NDIV_F_IPV6 | NDIV_F_ICMP6, .l3 = in.l3, .l4 = in.l4,
						       .out_len = len, .out_count = 1 };
	}
	assert_int_equal(bpf_map_update_elem(run.cpus, &(uint32_t){ NDIV_CPU_RX }, run.values, 0), 0);
	assert_int_equal(bpf_prog_test_run_opts(run.handler[PLAIN].skb, &opts), 0);
	assert_int_equal(opts.retval, TC_ACT_REDIRECT);
	must_equal("skb", out.buf, opts.data_size_out, expected.data, len);
}

/* <n> requests, of ARP and neighbour discovery in turn; returns how many were answered, and <other> how many had <act>.
 */
static int ask_many(int n, int act, int *other)
{
	int i, answered = 0;

	*other = 0;
	for (i = 0; i < n; i++) {
		pkt_build(&in, i % 2 ? ns_layers : arp_layers);
		ask("many");
		answered += out.act == XDP_TX;
		*other += out.act == act;
	}
	return answered;
}

static void test_rate(void **state)
{
	static const struct pkt_layer others[] = { TO_ALL, ASK(I_STRANGE), { 0 } };
	int other;

	use(&run, FIVE);
	assert_int_equal(ask_many(50, XDP_DROP, &other), 5);
	assert_int_equal(other, 45);
	/* what it would not answer is not limited */
	pkt_build(&in, others);
	assert_int_equal(ask("others"), XDP_PASS);
	run_sum(&run, NDIV_CPU_RX, &got);
	assert_int_equal(got.reason[FIVE][OVER_RATE], 45);
	assert_int_equal(got.verdict[FIVE][NDIV_DROP].packets, 45);
	assert_int_equal(got.counter[FIVE][ARP_OK] + got.counter[FIVE][NS_OK], 5);
}

static void test_rate_pass(void **state)
{
	int other;

	use(&run, FIVE_PASS);
	assert_int_equal(ask_many(50, XDP_PASS, &other), 5);
	assert_int_equal(other, 45);
	run_sum(&run, NDIV_CPU_RX, &got);
	assert_int_equal(got.counter[FIVE_PASS][RATE_PASSED], 45);
	assert_int_equal(got.verdict[FIVE_PASS][NDIV_NEXT].packets, 45);
}

/* Without options but the addresses: 10000 a second, a tenth of a second's at once. */
static void test_default(void **state)
{
	struct timespec from, to;
	int other, answered;
	long ms;

	use(&run, DEFAULT);
	clock_gettime(CLOCK_MONOTONIC, &from);
	answered = ask_many(3000, XDP_DROP, &other);
	clock_gettime(CLOCK_MONOTONIC, &to);
	/* The burst, and ten for each millisecond that it took (emulated machines are slow), a tick more. */
	ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
	assert_in_range(answered, 1000, 1000 + 10 * (ms + 20));
}

/* The numbers above are those of the handler. */
static void test_names(void **state)
{
	static const char *const counters[] = { "arp", "arp-probe", "ns", "dad", "malformed", "hop-limit",
						"bad-checksum", "fragment", "options", "not-mine", "claimed",
						"other-sender", "no-vlan", "several-buffers", "tx-full",
						"over-rate-passed" };
	static const char *const reasons[] = { "over-rate" };

	must("names", run_names(&run, PLAIN, "neigh", counters, COUNT(counters), reasons, COUNT(reasons)));
}

static int load(void)
{
	static struct ndiv_prefixes v4, v6, both, except;
	const struct run_option options[][5] = {
		[PLAIN] = { U32("rate", 0), PREFIXES("addr", both), PREFIXES("except", except) },
		[NOBODY] = { U32("rate", 0) },
		[ONLY4] = { U32("rate", 0), PREFIXES("addr", v4) },
		[ONLY6] = { U32("rate", 0), PREFIXES("addr", v6) },
		[FIVE] = { U32("rate", 1), U32("burst", 5), PREFIXES("addr", both) },
		[FIVE_PASS] = { U32("rate", 1), U32("burst", 5), CHOICE("over", OVER_PASS), PREFIXES("addr", both) },
		[DEFAULT] = { PREFIXES("addr", both) },
	};
	int who;

	run_prefix(&v4, "10.78.0.0", 15);
	run_prefix(&v6, "fd78::", 32);
	run_prefix(&both, "10.78.0.0", 15);
	run_prefix(&both, "fd78::", 32);
	run_prefix(&except, "10.78.1.9", 32);
	run_prefix(&except, "fd78::9", 128);
	for (who = PLAIN; who <= DEFAULT; who++)
		if (run_add(&run, run_path("handlers/neigh.bpf.o"), options[who]) != who)
			return -1;
	return 0;
}

int main(void)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		add(rows[i].name, test_row, &rows[i]);
		add_also(rows[i].name, "truncated", test_truncated, &rows[i]);
	}
	add("what follows in the frame", test_trailers, NULL);
	add("one bit turned", test_one_bit, NULL);
	add("a whole network", test_range, NULL);
	add("mutations", test_mutations, NULL);
	add("several buffers", test_buffers, NULL);
	add("the builder for clones", test_clone, NULL);
	add("a tag that the card removed", test_hw_vlan, NULL);
	add("the builder for skbs", test_skb, NULL);
	add("limit, drop", test_rate, NULL);
	add("limit, pass", test_rate_pass, NULL);
	add("limit by default", test_default, NULL);
	add("names", test_names, NULL);
	return suite_run("neigh", &run, load);
}

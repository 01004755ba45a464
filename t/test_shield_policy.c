// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_shield_policy.c - what shield does with packets by its policy, and what rules count
 *
 * Packets come from 10.77.0.1 or fd77::1 to 10.77.0.2 or fd77::2, unless a row has others.
 */
#include <bpf/bpf.h>
#include "shield_rules.h"
#include "policy.h"

enum { PLAIN = 1, NARROW };		/* instances: all addresses; 10.77.0.2 only */

static uint32_t policies;

static void begin(uint32_t id)
{
	who = id;
	assert_int_equal(run_order(&run, &id, 1), 0);
	assert_int_equal(run_reset(&run), 0);
	assert_int_equal(shield_clear(&run, id), 0);
	now = START + 3600 * SECOND;
}

static void load(const char *name, const char *policy)
{
	if (shield_policy(&run, who, policy))
		fail_msg("%s: the policy is not taken", name);
	policies++;
}

/* --- packets */

enum what {
	TCP_SYN4, TCP_ACK4, UDP4, PING4, TCP_SYN6, UDP6, PING6, NS6, FAR_NS6, FRAG4, LATER4, FRAG6, GRE4, OTHER_MAC,
	/* <port> is the source's */
	DNS4, DNS6, FROM4,
	/* with options */
	OPT_UDP4, OPT_UDP6, OPT_SYN4, OPT_PING4, OPT_ACK4, OPT_FRAG4, OPT_NTP6, ATOMIC6,
};

static void build(enum what what, uint16_t port)
{
	const struct pkt_layer layers[][5] = {
		[TCP_SYN4] = { IP4(), TCP(.dport = port, .flags = TH_SYN) },
		[TCP_ACK4] = { IP4(), TCP(.dport = port, .flags = TH_ACK, .seq = 7, .ack = 7) },
		[UDP4] = { IP4(), UDP(.dport = port), DATA(100) },
		[PING4] = { IP4(), ICMP(.type = port), DATA(9) },
		[TCP_SYN6] = { IP6(), TCP(.dport = port, .flags = TH_SYN) },
		[UDP6] = { IP6(), UDP(.dport = port), DATA(100) },
		[PING6] = { IP6(), ICMP6(.type = port), DATA(9) },
		[NS6] = { IP6(.hops = 255), ICMP6(.type = 135), DATA(24) },
		[FAR_NS6] = { IP6(.hops = 254), ICMP6(.type = 135), DATA(24) },
		[FRAG4] = { IP4(.frag = 0x2000), UDP(.dport = port), DATA(40) },
		[LATER4] = { IP4(.frag = 0x0005, .proto = 17), DATA(48) },
		[FRAG6] = { IP6(), FRAG(.off = 8, .next = 17), DATA(48) },
		[GRE4] = { IP4(.proto = 47), DATA(48) },
		[DNS4] = { IP4(), UDP(.sport = port), DATA(100) },
		[DNS6] = { IP6(), UDP(.sport = port), DATA(100) },
		[FROM4] = { IP4(), TCP(.sport = port, .flags = TH_SYN) },
		[OPT_UDP4] = { IP4(.options = 4), UDP(.dport = port), DATA(9) },
		[OPT_UDP6] = { IP6(), EXT(60), UDP(.dport = port), DATA(9) },
		[OPT_SYN4] = { IP4(.options = 8), TCP(.dport = port, .flags = TH_SYN) },
		[OPT_PING4] = { IP4(.options = 4), ICMP(.type = port), DATA(9) },
		[OPT_ACK4] = { IP4(.options = 8), TCP(.dport = port, .flags = TH_ACK, .seq = 7, .ack = 7) },
		[OPT_FRAG4] = { IP4(.options = 4, .frag = 0x2000), UDP(.dport = port), DATA(40) },
		[OPT_NTP6] = { IP6(), EXT(0), UDP(.sport = 123, .dport = port), DATA(9) },
		[ATOMIC6] = { IP6(), FRAG(.off = 0), UDP(.dport = port), DATA(40) },
		[OTHER_MAC] = { ETH(.dst = { 2, 0, 0, 0, 0x77, 9 }), IP4(), UDP(.dport = port), DATA(9) },
	};

	pkt_build(&in, layers[what]);
}

struct packet_row {
	const char *policy;
	enum what what;
	uint16_t port;
	const char *from;	/* NULL: the lab's client */
	int	want;
	int	rule;		/* that counts it; 0: none does */
	int	refused;	/* by that rule; -1: it is not asked, and counts nothing */
};

/* clang-format off */
static const struct packet_row rows[] = {
	/* sources */
	{ "deny 10.77.0.1", UDP4, 53, NULL, DENIED, 1, 1 },
	{ "deny 10.77.0.1", TCP_SYN4, 80, NULL, DENIED, 1, 1 },
	{ "deny 10.77.0.1", TCP_ACK4, 80, NULL, DENIED, 1, 1 },
	{ "deny 10.77.0.1", PING4, 8, NULL, DENIED, 1, 1 },
	{ "deny 10.77.0.1", GRE4, 0, NULL, DENIED, 1, 1 },
	{ "deny 10.77.0.1", LATER4, 0, NULL, DENIED, 1, 1 },
	{ "deny 10.77.0.1", UDP4, 53, "10.77.0.0", PASS, 0, 0 },
	{ "deny 10.77.0.1", UDP4, 53, "10.77.0.3", PASS, 0, 0 },
	{ "deny 10.77.0.1", UDP4, 53, "10.77.1.1", PASS, 0, 0 },
	{ "deny 0.0.0.0/0", UDP4, 53, NULL, DENIED, 1, 1 },
	{ "deny 0.0.0.0/0", UDP6, 53, NULL, PASS, 0, 0 },
	{ "deny ::/0", UDP6, 53, NULL, DENIED, 1, 1 },
	{ "deny ::/0", UDP4, 53, NULL, PASS, 0, 0 },
	{ "deny fd77::1", UDP6, 53, NULL, DENIED, 1, 1 },
	{ "deny fd77::1", UDP6, 53, "fd77::3", PASS, 0, 0 },
	{ "deny fd77::/64", UDP6, 53, "fd77::ffff:ffff:ffff:ffff", DENIED, 1, 1 },
	{ "deny fd77::/64", UDP6, 53, "fd77:0:0:1::", PASS, 0, 0 },
	{ "deny fd77::/127, fd77::4/126", UDP6, 53, "fd77::7", DENIED, 1, 1 },
	{ "deny fd77::/127, fd77::4/126", UDP6, 53, "fd77::8", PASS, 0, 0 },
	{ "deny 10.0.0.0/8\nallow 10.77.0.0/24", UDP4, 53, NULL, PASS, 2, 0 },
	{ "deny 10.0.0.0/8\nallow 10.77.0.0/24", UDP4, 53, "10.78.0.1", DENIED, 1, 1 },
	{ "allow 10.77.0.0/24\ndeny 10.0.0.0/8", UDP4, 53, NULL, PASS, 1, 0 },
	{ "allow 10.0.0.0/8\ndeny 10.77.0.1", UDP4, 53, NULL, DENIED, 2, 1 },
	{ "deny 10.77.0.1\nallow 10.77.0.1", UDP4, 53, NULL, DENIED, 1, 1 },
	{ "set a { 10.1.0.0/16,\n10.77.0.0/16 }\ndeny @a", UDP4, 53, NULL, DENIED, 1, 1 },
	/* dry */
	{ "deny 10.77.0.1 dry", UDP4, 53, NULL, PASS, 1, 1 },
	{ "dry-run\ndeny 10.77.0.1", UDP4, 53, NULL, PASS, 1, 1 },
	{ "deny 10.77.0.1 dry\ndeny 10.0.0.0/8", UDP4, 53, NULL, DENIED, 1, 1 },
	{ "deny 10.77.0.1 dry\ndeny 10.0.0.0/8", UDP4, 53, NULL, DENIED, 2, 1 },
	{ "deny 10.0.0.0/8 dry\nallow 10.77.0.1", UDP4, 53, NULL, PASS, 1, -1 },
	{ "deny 10.0.0.0/8\nallow 10.77.0.1 dry", UDP4, 53, NULL, DENIED, 2, 0 },
	{ "service udp deny dry\nservice udp port 53 allow", UDP4, 53, NULL, PASS, 1, 1 },
	{ "service udp deny dry\nservice udp port 53 allow", UDP4, 53, NULL, PASS, 2, 0 },
	{ "service udp port 53 allow\nservice udp deny dry", UDP4, 53, NULL, PASS, 2, -1 },
	/* services */
	{ "service udp port 53 deny", UDP4, 53, NULL, DENIED, 1, 1 },
	{ "service udp port 53 deny", UDP6, 53, NULL, DENIED, 1, 1 },
	{ "service udp port 53 deny", UDP4, 54, NULL, PASS, 0, 0 },
	{ "service udp port 53 deny", TCP_SYN4, 53, NULL, PASS, 0, 0 },
	{ "service udp port 0-52,54-65535 deny", UDP4, 53, NULL, PASS, 0, 0 },
	{ "service udp port 0-52,54-65535 deny", UDP4, 1, NULL, DENIED, 1, 1 },
	{ "service udp port 0-52,54-65535 deny", UDP4, 65535, NULL, DENIED, 1, 1 },
	{ "service udp port 53 allow\nservice udp deny", UDP4, 53, NULL, PASS, 1, 0 },
	{ "service udp port 53 allow\nservice udp deny", UDP4, 80, NULL, DENIED, 2, 1 },
	{ "service udp deny\nservice udp port 53 allow", UDP4, 53, NULL, DENIED, 1, 1 },
	{ "service udp to 10.77.0.2 deny", UDP4, 53, NULL, DENIED, 1, 1 },
	{ "service udp to 10.77.0.0/24, fd77::/16 deny", UDP6, 53, NULL, DENIED, 1, 1 },
	{ "service udp to 10.77.0.3 deny", UDP4, 53, NULL, PASS, 0, 0 },
	{ "service udp to 10.77.0.3 deny\nservice any deny", UDP4, 53, NULL, DENIED, 2, 1 },
	{ "service udp to fd77::2 deny", UDP4, 53, NULL, PASS, 0, 0 },
	{ "service udp to 10.0.0.0/8 port 53 allow\nservice udp to 10.77.0.2 deny", UDP4, 53, NULL, PASS, 1, 0 },
	{ "service udp to 10.0.0.0/8 port 53 allow\nservice udp to 10.77.0.2 deny", UDP4, 54, NULL, DENIED, 2, 1 },
	{ "service icmp type 8 deny", PING4, 8, NULL, DENIED, 1, 1 },
	{ "service icmp type 8 deny", PING4, 11, NULL, PASS, 0, 0 },
	{ "service icmp deny", PING6, 128, NULL, PASS, 0, 0 },
	{ "service icmp6 type 128 deny", PING6, 128, NULL, DENIED, 1, 1 },
	{ "service icmp6 deny", NS6, 0, NULL, PASS, 0, 0 },		/* neighbour discovery */
	{ "deny ::/0", NS6, 0, NULL, PASS, 0, 0 },
	{ "deny ::/0", FAR_NS6, 0, NULL, DENIED, 1, 1 },			/* which no neighbour has sent */
	{ "service icmp6 type 135 deny", FAR_NS6, 0, NULL, DENIED, 1, 1 },
	{ "service protocol 47 deny", GRE4, 0, NULL, DENIED, 1, 1 },
	{ "service protocol 48 deny", GRE4, 0, NULL, PASS, 0, 0 },
	{ "service fragment deny", FRAG4, 53, NULL, DENIED, 1, 1 },
	{ "service fragment deny", LATER4, 0, NULL, DENIED, 1, 1 },
	{ "service fragment deny", FRAG6, 0, NULL, DENIED, 1, 1 },
	{ "service fragment deny", UDP4, 53, NULL, PASS, 0, 0 },
	{ "service udp deny", FRAG4, 53, NULL, PASS, 0, 0 },
	{ "service any deny", GRE4, 0, NULL, DENIED, 1, 1 },
	{ "service any deny", TCP_SYN4, 80, NULL, DENIED, 1, 1 },
	{ "service any deny", TCP_SYN6, 80, NULL, DENIED, 1, 1 },
	/* source ports */
	{ "service udp from port 53 deny", DNS4, 53, NULL, DENIED, 1, 1 },
	{ "service udp from port 53 deny", DNS6, 53, NULL, DENIED, 1, 1 },
	{ "service udp from port 53 deny", DNS4, 52, NULL, PASS, 0, 0 },
	{ "service udp from port 53 deny", DNS4, 54, NULL, PASS, 0, 0 },
	{ "service udp from port 53 deny", UDP4, 53, NULL, PASS, 0, 0 },
	{ "service udp from port 53 deny", FROM4, 53, NULL, PASS, 0, 0 },
	{ "service udp from port 0-52,54-65535 deny", DNS4, 53, NULL, PASS, 0, 0 },
	{ "service udp from port 0-52,54-65535 deny", DNS4, 65535, NULL, DENIED, 1, 1 },
	{ "service udp from port 53 port 54 deny", DNS4, 53, NULL, PASS, 0, 0 },
	{ "service udp from port 53 allow\nservice udp deny", DNS4, 53, NULL, PASS, 1, 0 },
	{ "service udp from port 53 allow\nservice udp deny", DNS4, 54, NULL, DENIED, 2, 1 },
	{ "service udp from port 123 deny dry\nservice udp deny", DNS4, 123, NULL, DENIED, 1, 1 },
	{ "service tcp from port 53 deny", FROM4, 53, NULL, DENIED, 1, 1 },
	{ "service udp from amplifiers deny", DNS4, 53, NULL, DENIED, 1, 1 },
	{ "service udp from amplifiers deny", DNS6, 11211, NULL, DENIED, 1, 1 },
	{ "service udp from amplifiers deny", DNS4, 54, NULL, PASS, 0, 0 },
	{ "service udp from amplifiers deny", FROM4, 53, NULL, PASS, 0, 0 },
	{ "service udp from amplifiers deny", UDP4, 53, NULL, PASS, 0, 0 },
	{ "service udp from port 123 port 1024-65535 allow\nservice udp from amplifiers deny dry", DNS4, 123, NULL, PASS, 2, 1 },
	{ "service udp from port 53 deny\nservice any deny", LATER4, 0, NULL, DENIED, 2, 1 },
	{ "service udp from port 53 deny\nservice any deny", PING4, 8, NULL, DENIED, 2, 1 },
	/* options */
	{ "service any with options deny", OPT_UDP4, 53, NULL, DENIED, 1, 1 },
	{ "service any with options deny", OPT_UDP6, 53, NULL, DENIED, 1, 1 },
	{ "service any with options deny", OPT_SYN4, 80, NULL, DENIED, 1, 1 },
	{ "service any with options deny", OPT_PING4, 8, NULL, DENIED, 1, 1 },
	{ "service any with options deny", UDP4, 53, NULL, PASS, 0, 0 },
	{ "service any with options deny", UDP6, 53, NULL, PASS, 0, 0 },
	{ "service udp with options deny", OPT_PING4, 8, NULL, PASS, 0, 0 },
	{ "service udp port 53 allow\nservice any with options deny", OPT_UDP4, 53, NULL, PASS, 1, 0 },
	{ "service udp from port 9 with options deny\nservice udp deny", OPT_UDP4, 53, NULL, DENIED, 2, 1 },
	{ "service any with options deny", OPT_ACK4, 80, NULL, NO_FLOW, 0, 0 },	/* of TCP, SYNs only */
	{ "service any with options deny", OPT_FRAG4, 53, NULL, DENIED, 1, 1 },
	{ "service fragment deny", OPT_FRAG4, 53, NULL, DENIED, 1, 1 },
	{ "service any with options deny", ATOMIC6, 53, NULL, DENIED, 1, 1 },	/* a fragment's header, but none */
	{ "service fragment deny", ATOMIC6, 53, NULL, PASS, 0, 0 },
	{ "service udp from amplifiers deny", OPT_NTP6, 53, NULL, DENIED, 1, 1 },
	{ "service udp from amplifiers with options deny", OPT_NTP6, 53, NULL, DENIED, 1, 1 },
	{ "service udp from amplifiers with options deny", DNS4, 123, NULL, PASS, 0, 0 },
	/* sets that need not be defined */
	{ "deny @bogons", UDP4, 53, "127.0.0.1", DENIED, 1, 1 },
	{ "deny @bogons", UDP4, 53, "203.0.113.255", DENIED, 1, 1 },
	{ "deny @bogons", UDP4, 53, "240.0.0.0", DENIED, 1, 1 },
	{ "deny @bogons", UDP6, 53, "2001:db8::1", DENIED, 1, 1 },
	{ "deny @bogons", UDP6, 53, "::ffff:10.0.0.1", DENIED, 1, 1 },
	{ "deny @bogons", UDP6, 53, "2001:4860::1", PASS, 0, 0 },
	{ "deny @bogons", UDP4, 53, NULL, PASS, 0, 0 },
	{ "deny @private", UDP4, 53, NULL, DENIED, 1, 1 },
	{ "deny @private", UDP4, 53, "172.32.0.0", PASS, 0, 0 },
	{ "deny @private", NS6, 0, "fe80::1", PASS, 0, 0 },
	{ "deny @bogons", UDP6, 53, "9abc::1", DENIED, 1, 1 },
	{ "deny @bogons\nallow 192.0.2.0/25", UDP4, 53, "192.0.2.1", PASS, 2, 0 },
	{ "deny @private, @bogons", UDP6, 53, "fd77::1", DENIED, 1, 1 },
	/* TCP: SYNs only; the rest goes by the table */
	{ "service tcp port 80 deny", TCP_SYN4, 80, NULL, DENIED, 1, 1 },
	{ "service tcp port 80 deny", TCP_SYN4, 81, NULL, PASS, 0, 0 },
	{ "service tcp port 80 deny", TCP_ACK4, 80, NULL, NO_FLOW, 0, 0 },
	/* trusted */
	{ "trust 10.77.0.1\nservice any deny", UDP4, 53, NULL, PASS, 1, 0 },
	{ "trust 10.77.0.1\nservice any deny", UDP4, 53, NULL, PASS, 2, -1 },
	{ "allow 10.77.0.1\nservice any deny", UDP4, 53, NULL, DENIED, 2, 1 },
	{ "trust 10.77.0.1 dry\nservice any deny", UDP4, 53, NULL, DENIED, 2, 1 },
	/* not for this host */
	{ "deny 0.0.0.0/0", OTHER_MAC, 53, NULL, PASS, 0, 0 },
	{ "", UDP4, 53, NULL, PASS, 0, 0 },
};
/* clang-format on */

/* Does rule <rule> count what it should? <counts>: it is asked. */
static void check_rule(const struct packet_row *row, uint32_t rule, int counts)
{
	struct policy_count c = shield_counted(&run, who, policies - 1, rule);

	if (c.packets != (uint64_t)counts || c.bytes != (uint64_t)counts * in.len)
		fail_msg("\"%s\": rule %u counts %llu packets, %llu bytes", row->policy, rule,
			 (unsigned long long)c.packets, (unsigned long long)c.bytes);
	if (!counts)
		return;
	if (c.refused != (uint64_t)row->refused || c.refused_bytes != (uint64_t)row->refused * in.len)
		fail_msg("\"%s\": rule %u refused %llu packets", row->policy, rule, (unsigned long long)c.refused);
}

static void test_packets(void **state)
{
	const struct packet_row *row;
	size_t i;
	int got;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		row = &rows[i];
		begin(PLAIN);
		load(row->policy, row->policy);
		build(row->what, row->port);
		if (row->from)
			set_source(row->from);
		got = arrive(row->policy);
		if (got != row->want)
			fail_msg("\"%s\", packet %d, port %u: %d and not %d", row->policy, row->what, row->port, got,
				 row->want);
		if (row->rule)
			check_rule(row, row->rule, row->refused >= 0);
		else
			check_rule(row, 1, 0);
	}
}

/* --- rates */

static int passed_of(int count, enum what what, uint16_t port)
{
	int n = 0;

	while (count--) {
		build(what, port);
		n += arrive("rate") == PASS;
	}
	return n;
}

/* As many as the burst, then none; later as many as have become due. */
static void test_limit(void **state)
{
	struct policy_count c;

	begin(PLAIN);
	load("limit", "service udp port 53 limit 1/s burst 5\nservice udp port 54 limit 1/s burst 7");
	assert_int_equal(passed_of(30, UDP4, 53), 5);
	assert_int_equal(arrive("above the rate"), LIMITED);
	assert_int_equal(passed_of(30, UDP4, 54), 7);
	assert_int_equal(passed_of(30, UDP4, 55), 30);
	now += 3 * SECOND;
	assert_int_equal(passed_of(30, UDP4, 53), 3);
	c = shield_counted(&run, who, policies - 1, 1);
	assert_int_equal(c.packets, 61);
	assert_int_equal(c.refused, 53);
	load("limit, dry", "service udp port 53 limit 1/s burst 5 dry");
	assert_int_equal(passed_of(30, UDP4, 53), 30);
	c = shield_counted(&run, who, policies - 1, 1);
	assert_int_equal(c.refused, 25);
}

static int passed_from(const char *source, enum what what)
{
	int i, n = 0;

	for (i = 0; i < 30; i++) {
		build(what, 53);
		set_source(source);
		n += arrive("rate of a source") == PASS;
	}
	return n;
}

/* Each network has a rate of its own: a /24, a /64. And each rule. */
static void test_source_limit(void **state)
{
	const char *policy = "service udp to 10.0.0.0/8 limit 1/s burst 5 per source\n"
			     "service udp to fd77::/16 limit 1/s burst 6 per source";
	struct policy_count c;

	begin(PLAIN);
	load("limit of sources", policy);
	assert_int_equal(passed_from("10.77.5.1", UDP4), 5);
	assert_int_equal(passed_from("10.77.5.200", UDP4), 0);
	assert_int_equal(passed_from("10.77.6.1", UDP4), 5);
	assert_int_equal(passed_from("fd77:5::1", UDP6), 6);
	assert_int_equal(passed_from("fd77:5::2:0:0:1", UDP6), 0);
	assert_int_equal(passed_from("fd77:5:0:1::1", UDP6), 6);
	c = shield_counted(&run, who, policies - 1, 1);
	assert_int_equal(c.packets, 90);
	assert_int_equal(c.refused, 80);
}

/* Each address, whatever its network has used up. */
static void test_address_limit(void **state)
{
	begin(PLAIN);
	load("limit of addresses", "service udp limit 1/s burst 5 per address");
	assert_int_equal(passed_from("10.77.5.1", UDP4), 5);
	assert_int_equal(passed_from("10.77.5.2", UDP4), 5);
	assert_int_equal(passed_from("10.77.5.1", UDP4), 0);
	assert_int_equal(passed_from("fd77:5::1", UDP6), 5);
	assert_int_equal(passed_from("fd77:5::2", UDP6), 5);
	assert_int_equal(passed_from("fd77:5::1", UDP6), 0);
}

/* Of <count> frames of <len> bytes: how many pass. */
static int passed_long(int count, uint16_t len)
{
	const uint16_t head = 14 + 20 + 8;
	const struct pkt_layer layers[] = { IP4(), UDP(), DATA(len - head), { 0 } };
	int n = 0;

	pkt_build(&in, layers);
	assert_int_equal(in.len, len);
	while (count--)
		n += arrive("rate of bytes") == PASS;
	return n;
}

/* By bytes, of frames: short or long ones, each takes its length, and no more and no less passes. */
static void test_byte_limit(void **state)
{
	struct policy_count c;

	begin(PLAIN);
	load("bytes", "service udp limit 1kB/s burst 64kB");
	assert_int_equal(passed_long(70, 1000), 64);
	now += 3 * SECOND;
	assert_int_equal(passed_long(2, 2000), 1);
	assert_int_equal(passed_long(2, 1000), 1);
	now += 2 * SECOND;
	assert_int_equal(passed_long(25, 100), 20);
	now += 9 * SECOND;
	assert_int_equal(passed_long(1, 9042), 0);
	now += SECOND;
	assert_int_equal(passed_long(2, 9042), 1);
	assert_int_equal(passed_long(10, 100), 9);
	now += 1000 * SECOND;
	assert_int_equal(passed_long(10, 9042), 7);
	c = shield_counted(&run, who, policies - 1, 1);
	assert_int_equal(c.packets, 70 + 2 + 2 + 25 + 1 + 2 + 10 + 10);
	assert_int_equal(c.refused, 6 + 1 + 1 + 5 + 1 + 1 + 1 + 3);
	assert_int_equal(c.refused_bytes, 6 * 1000 + 2000 + 1000 + 5 * 100 + 5 * 9042 + 100);
}

/* Of sources: whatever they send, in connections, too; and what is within it goes on to the services. */
static void test_limited_source(void **state)
{
	begin(PLAIN);
	load("limited source", "set some { 10.77.5.0/24, 10.77.6.0/24 }\nlimit @some rate 1/s burst 5\n"
			       "limit 10.77.7.0/24 rate 1/s burst 5 per address\nservice icmp deny");
	assert_int_equal(passed_from("10.77.4.1", UDP4), 30);
	assert_int_equal(passed_from("10.77.5.1", UDP4), 5);
	assert_int_equal(passed_from("10.77.6.1", UDP4), 0);
	assert_int_equal(passed_from("10.77.7.1", UDP4), 5);
	assert_int_equal(passed_from("10.77.7.2", UDP4), 5);
	build(TCP_ACK4, 80);
	set_source("10.77.5.1");
	assert_int_equal(arrive("TCP"), LIMITED);
	build(PING4, 8);
	set_source("10.77.7.3");
	assert_int_equal(arrive("within its rate, but denied"), DENIED);
}

/* --- changes */

/* Counters of a new policy begin at 0; those of the old one stay until the next. An address list narrows the policy. */
static void test_change(void **state)
{
	const uint32_t zero = 0;

	begin(PLAIN);
	load("change", "deny 10.77.0.1");
	build(UDP4, 53);
	assert_int_equal(arrive("old"), DENIED);
	assert_int_equal(shield_counted(&run, who, policies - 1, 1).packets, 1);
	load("change", "allow 10.77.0.1");
	assert_int_equal(shield_counted(&run, who, policies - 1, 1).packets, 0);
	assert_int_equal(arrive("new"), PASS);
	assert_int_equal(shield_counted(&run, who, policies - 1, 1).packets, 1);
	assert_int_equal(shield_counted(&run, who, policies - 2, 1).packets, 1);
	load("change", "deny 10.77.0.1");
	assert_int_equal(shield_counted(&run, who, policies - 1, 1).packets, 0);
	assert_int_equal(bpf_map_delete_elem(run_map(&run, who, "shield_policy"), &zero), 0);
	assert_int_equal(arrive("none"), PASS);
	policies = 0;
}

static void test_narrow(void **state)
{
	const uint32_t before = policies, zero = 0;

	policies = 0;
	begin(NARROW);
	load("narrow", "deny 0.0.0.0/0, ::/0");
	build(UDP4, 53);
	assert_int_equal(arrive("protected"), DENIED);
	build(UDP6, 53);
	assert_int_equal(arrive("not protected"), PASS);
	assert_int_equal(bpf_map_delete_elem(run_map(&run, who, "shield_policy"), &zero), 0);
	policies = before;
}

/* --- many prefixes: against a naive reference */

#define MANY	3000
#define ASKED	20000

struct plain {
	uint32_t addr[4], len, v6, rule;
};

static struct plain plain[MANY];

static int matches(const struct plain *p, const uint32_t *addr)
{
	uint32_t i, n;

	for (i = 0; i < 4 && i * 32 < p->len; i++) {
		n = p->len - i * 32 < 32 ? p->len - i * 32 : 32;
		if ((p->addr[i] ^ addr[i]) >> (32 - n))
			return 0;
	}
	return 1;
}

static uint32_t naive(const uint32_t *addr, uint32_t v6)
{
	uint32_t i, best = 0, rule = 0;

	for (i = 0; i < MANY; i++)
		if (plain[i].v6 == v6 && matches(&plain[i], addr) && (!rule || plain[i].len > best)) {
			best = plain[i].len;
			rule = plain[i].rule;
		}
	return rule;
}

/* A random address, in a part of the space that is small enough for prefixes to lie in each other. */
static void random_addr(uint32_t *addr, uint32_t v6)
{
	addr[0] = (uint32_t)random() << 1 ^ random();
	if (random() & 1)
		addr[0] = 0x0a000000 | (addr[0] & 0xfff);
	addr[1] = v6 ? random() & 3 : 0;
	addr[2] = v6 ? random() & 0x80000001 : 0;
	addr[3] = v6 ? (uint32_t)random() & 0xff : 0;
}

static void addr_text(const uint32_t *addr, uint32_t v6, char *text)
{
	uint32_t be[4];
	int i;

	for (i = 0; i < 4; i++)
		be[i] = htonl(addr[i]);
	inet_ntop(v6 ? AF_INET6 : AF_INET, be, text, INET6_ADDRSTRLEN);
}

/* Three rules have a third of them each; the same prefix in two of them belongs to the first. */
static char *random_policy(void)
{
	static const char *const verbs[] = { "", "\ndeny", "\nallow", "\ntrust" };
	char *policy = calloc(MANY, 64), *at = policy, text[INET6_ADDRSTRLEN];
	uint32_t i, k, n;

	assert_non_null(policy);
	for (i = 0; i < MANY; i++) {
		plain[i].v6 = i & 1;
		plain[i].len = 1 + random() % (plain[i].v6 ? 128 : 32);
		plain[i].rule = 1 + i * 3 / MANY;
		random_addr(plain[i].addr, plain[i].v6);
		for (k = 0; k < 4; k++) {
			n = plain[i].len <= k * 32 ? 0 : plain[i].len - k * 32;
			plain[i].addr[k] &= n >= 32 ? ~0U : n ? ~0U << (32 - n) : 0;
		}
		addr_text(plain[i].addr, plain[i].v6, text);
		at += sprintf(at, "%s %s/%u", i * 3 % MANY ? "," : verbs[plain[i].rule], text, plain[i].len);
	}
	return policy;
}

static void ask(uint32_t *addr, uint32_t v6)
{
	uint32_t rule = naive(addr, v6), r;
	char text[INET6_ADDRSTRLEN];
	uint64_t before[4];
	int got;

	addr_text(addr, v6, text);
	build(v6 ? UDP6 : UDP4, 53);
	set_source(text);
	for (r = 1; r <= 3; r++)
		before[r] = shield_counted(&run, who, policies - 1, r).packets;
	got = arrive(text);
	if (got != (rule == 1 ? DENIED : PASS))
		fail_msg("%s: %d, the reference says rule %u", text, got, rule);
	for (r = 1; r <= 3; r++)
		if (shield_counted(&run, who, policies - 1, r).packets != before[r] + (r == rule))
			fail_msg("%s: rule %u counts it or does not, the reference says rule %u", text, r, rule);
}

static void test_many(void **state)
{
	uint32_t addr[4], i, v6, n;
	char *policy;

	srandom(4711);
	policy = random_policy();
	begin(PLAIN);
	load("many", policy);
	free(policy);
	for (i = 0; i < ASKED; i++) {
		v6 = i & 1;
		/* in or beside one of them, or anywhere */
		random_addr(addr, v6);
		n = random() % MANY / 2 * 2 + v6;
		if (i % 3)
			memcpy(addr, plain[n].addr, sizeof(addr));
		if (i % 3 == 2)
			addr[v6 ? random() & 3 : 0] ^= 1U << random() % 32;
		ask(addr, v6);
	}
}

/* The names behind the numbers of this test. */
static void test_names(void **state)
{
	struct bpf_map *map = bpf_object__find_map_by_name(run.handler[PLAIN].obj, ".rodata.ndiv");
	const struct ndiv_info *info = map ? bpf_map__initial_value(map, &(size_t){ 0 }) : NULL;

	assert_non_null(info);
	assert_string_equal(info->reasons[DENIED], "denied");
	assert_string_equal(info->reasons[LIMITED], "limited");
	assert_string_equal(info->reasons[NO_FLOW], "bad-cookie");
}

static int setup(void **state)
{
	static const struct ndiv_prefixes narrow = {
		.count4 = 1, .list = { { .addr = { 0 }, .mask = { 0xffffffff } } },
	};
	static struct ndiv_prefixes addr;
	static const uint32_t zero, one = 1, many = 1000000;
	const struct run_option plain_options[] = { { "learn", &zero, 4 }, { "lookups", &one, 4 },
						    { "unknown", &many, 4 }, { 0 } };
	const struct run_option narrow_options[] = { { "learn", &zero, 4 }, { "addr", &addr, sizeof(addr) }, { 0 } };
	const char *path = "handlers/shield.bpf.o";

	addr = narrow;
	inet_pton(AF_INET, PKT_IP4_SERVER, addr.list[0].addr);
	if (shield_open(&run) || run_add(&run, run_path(path), plain_options) != PLAIN ||
	    run_add(&run, run_path(path), narrow_options) != NARROW)
		return -1;
	return 0;
}

static int teardown(void **state)
{
	run_close(&run);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),  cmocka_unit_test(test_packets), cmocka_unit_test(test_limit),
		cmocka_unit_test(test_source_limit), cmocka_unit_test(test_address_limit),
		cmocka_unit_test(test_byte_limit), cmocka_unit_test(test_limited_source),
		cmocka_unit_test(test_change), cmocka_unit_test(test_narrow),  cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("shield-policy", tests, setup, teardown);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_shield_ban.c - whom shield bans: the table, its places and ends, and how rules of a policy come to ban somebody
 *
 * Packets come from 10.77.0.1 or fd77::1 to 10.77.0.2 or fd77::2, unless a row has others. Time goes on from test to
 * test, so that nothing of one is at work in the next.
 */
#include <bpf/bpf.h>
#include "bans.h"	/* before cmocka, which has a macro fail() */
#include "shield_rules.h"
#include "harness/policy.h"

#define MINUTE	(60 * SECOND)
#define LARGE	1024		/* buckets */

enum { C_SET = 10, C_DRY, C_EVICTED, C_FULL };	/* counters */

static struct ban_view v;

/* A table of <buckets>, no policy, an hour later. */
static void begin(uint32_t buckets)
{
	const uint32_t zero = 0;

	ban_close(&v);
	assert_int_equal(shield_bans(&run, who, buckets, &v), 0);
	bpf_map_delete_elem(run_map(&run, who, "shield_policy"), &zero);
	assert_int_equal(run_reset(&run), 0);
	now += 60 * MINUTE;
}

static void load(const char *policy)
{
	if (shield_policy(&run, who, policy))
		fail_msg("%s: the policy is not taken", policy);
}

/* By a person, or by a rule in <line>. */
static enum ban_put ban(const char *prefix, uint64_t s, uint16_t line)
{
	return shield_set_ban(&v, prefix, now, s * 1000, line);
}

static int lift(const char *prefix)
{
	__u64 addr;
	__u8 shape;
	int n;

	assert_null(ban_prefix(prefix, strlen(prefix), &addr, &shape));
	n = ban_lift(&v, addr, shape, ban_tick(shield_ms(now)));
	ban_settle(&v, ban_tick(shield_ms(now)), wait_for_packets);
	return n;
}

static size_t count_bans(void)
{
	return ban_count(&v, ban_tick(shield_ms(now)));
}

static uint64_t counted(uint32_t n)
{
	assert_int_equal(run_sum(&run, NDIV_CPU_RX, &sum), 0);
	return sum.counter[who][n];
}

/* --- packets */

enum what { UDP4, SYN4, ACK4, PING4, GRE4, LATER4, UDP6, SYN6, NS6, OTHER_MAC };

static void build(enum what what, uint16_t port)
{
	const struct pkt_layer layers[][5] = {
		[UDP4] = { IP4(), UDP(.dport = port), DATA(100) },
		[SYN4] = { IP4(), TCP(.dport = port, .flags = TH_SYN) },
		[ACK4] = { IP4(), TCP(.dport = port, .flags = TH_ACK, .seq = 7, .ack = 7) },
		[PING4] = { IP4(), ICMP(.type = 8), DATA(9) },
		[GRE4] = { IP4(.proto = 47), DATA(48) },
		[LATER4] = { IP4(.frag = 0x0005, .proto = 17), DATA(48) },
		[UDP6] = { IP6(), UDP(.dport = port), DATA(100) },
		[SYN6] = { IP6(), TCP(.dport = port, .flags = TH_SYN) },
		[NS6] = { IP6(.hops = 255), ICMP6(.type = 135), DATA(24) },
		[OTHER_MAC] = { ETH(.dst = { 2, 0, 0, 0, 0x77, 9 }), IP4(), UDP(.dport = port), DATA(9) },
	};

	pkt_build(&in, layers[what]);
}

/* What becomes of a UDP packet from <source>. */
static int udp_from(const char *source)
{
	build(strchr(source, ':') ? UDP6 : UDP4, 99);
	set_source(source);
	return arrive(source);
}

static void expect(const char *source, int want)
{
	int got = udp_from(source);

	if (got != want)
		fail_msg("%s: %d and not %d", source, got, want);
}

struct row {
	const char *prefix, *policy;
	enum what what;
	const char *from;	/* NULL: the lab's client */
	int	want;
};

/* clang-format off */
static const struct row rows[] = {
	{ "10.77.0.1", "", UDP4, NULL, BANNED },
	{ "10.77.0.1", "", SYN4, NULL, BANNED },
	{ "10.77.0.1", "", ACK4, NULL, BANNED },
	{ "10.77.0.1", "", PING4, NULL, BANNED },
	{ "10.77.0.1", "", GRE4, NULL, BANNED },
	{ "10.77.0.1", "", LATER4, NULL, BANNED },
	{ "10.77.0.1", "", UDP4, "10.77.0.3", PASS },
	{ "10.77.0.1", "", UDP4, "10.77.1.1", PASS },
	{ "10.77.0.1", "", OTHER_MAC, NULL, PASS },
	{ "10.77.0.1", "", UDP6, NULL, PASS },
	{ "10.77.0.0/24", "", UDP4, NULL, BANNED },
	{ "10.77.0.0/24", "", UDP4, "10.77.0.255", BANNED },
	{ "10.77.0.0/24", "", UDP4, "10.77.1.0", PASS },
	{ "10.77.0.0/31", "", UDP4, NULL, BANNED },
	{ "10.77.0.0/31", "", UDP4, "10.77.0.2", PASS },
	{ "0.0.0.0/1", "", UDP4, NULL, BANNED },
	{ "128.0.0.0/1", "", UDP4, NULL, PASS },
	/* an address of IPv6 stands for its /64 */
	{ "fd77::1", "", UDP6, NULL, BANNED },
	{ "fd77::1", "", SYN6, NULL, BANNED },
	{ "fd77::1", "", UDP6, "fd77::ffff:0:0:1", BANNED },
	{ "fd77::1", "", UDP6, "fd77:0:0:1::1", PASS },
	{ "fd77::/64", "", UDP6, NULL, BANNED },
	{ "fd77::/48", "", UDP6, "fd77:0:0:ffff::1", BANNED },
	{ "fd77::/48", "", UDP6, "fd77:0:1::1", PASS },
	{ "8000::/1", "", UDP6, NULL, BANNED },
	{ "::/1", "", UDP6, NULL, PASS },
	/* an IPv4 address is none of IPv6 that begins like it */
	{ "253.119.0.0", "", UDP6, "fd77::1", PASS },
	{ "fd77::1", "", UDP4, "253.119.0.0", PASS },
	/* neighbour discovery is nobody's business */
	{ "fd77::1", "", NS6, NULL, PASS },
	/* trust wins, if it is not dry, and nothing else does */
	{ "10.77.0.1", "trust 10.77.0.1", UDP4, NULL, PASS },
	{ "10.77.0.1", "trust 10.77.0.0/16", SYN4, NULL, PASS },
	{ "10.77.0.0/24", "trust 10.77.0.1", UDP4, NULL, PASS },
	{ "10.77.0.0/24", "trust 10.77.0.1", UDP4, "10.77.0.3", BANNED },
	{ "fd77::1", "trust fd77::1", UDP6, NULL, PASS },
	{ "fd77::1", "trust fd77::2", UDP6, NULL, BANNED },
	{ "10.77.0.1", "trust 10.77.0.1 dry", UDP4, NULL, BANNED },
	{ "10.77.0.1", "dry-run\ntrust 10.77.0.1", UDP4, NULL, BANNED },
	{ "10.77.0.1", "trust 10.77.0.0/16\ndeny 10.77.0.1", UDP4, NULL, BANNED },
	{ "10.77.0.1", "allow 10.77.0.1", UDP4, NULL, BANNED },
	{ "10.77.0.1", "service udp allow", UDP4, NULL, BANNED },
	{ "10.77.0.3", "deny 10.77.0.1", UDP4, NULL, DENIED },
};
/* clang-format on */

static void test_packets(void **state)
{
	const struct row *row;
	size_t i;
	int got;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		row = &rows[i];
		begin(LARGE);
		load(row->policy);
		assert_int_equal(ban(row->prefix, 60, 0), BAN_PUT_DONE);
		build(row->what, 99);
		if (row->from)
			set_source(row->from);
		got = arrive(row->prefix);
		if (got != row->want)
			fail_msg("ban of %s, policy \"%s\", packet %d from %s: %d and not %d", row->prefix, row->policy,
				 row->what, row->from ? row->from : "the client", got, row->want);
	}
}

/* Without a table, and with an empty one. What a ban drops is no business of the policy's counters. */
static void test_none(void **state)
{
	begin(LARGE);
	expect("10.77.0.1", PASS);
	load("allow 10.77.0.1");
	assert_int_equal(ban("10.77.0.1", 60, 0), BAN_PUT_DONE);
	expect("10.77.0.1", BANNED);
	assert_int_equal(shield_counted(&run, who, 0, 1).packets, 0);
	assert_int_equal(shield_counted(&run, who, 1, 1).packets, 0);
	assert_int_equal(shield_no_bans(&run, who), 0);
	expect("10.77.0.1", PASS);
}

/* --- ends */

static void test_end(void **state)
{
	begin(LARGE);
	assert_int_equal(ban("10.77.0.1", 10, 0), BAN_PUT_DONE);
	assert_int_equal(ban("10.77.5.0/24", 20, 0), BAN_PUT_DONE);
	assert_int_equal(shield_set_ban(&v, "10.77.0.9", now, BAN_ENDLESS, 0), BAN_PUT_DONE);
	now += 9 * SECOND;
	expect("10.77.0.1", BANNED);
	now += 2 * SECOND;
	expect("10.77.0.1", PASS);
	expect("10.77.5.1", BANNED);
	assert_int_equal(count_bans(), 2);
	now += 10 * SECOND;
	expect("10.77.5.1", PASS);
	now += 1000 * 24 * 60 * MINUTE;
	expect("10.77.0.9", BANNED);
	/* again, shorter, and lifted */
	assert_int_equal(ban("10.77.0.1", 100, 0), BAN_PUT_DONE);
	assert_int_equal(ban("10.77.0.1", 10, 0), BAN_PUT_DONE);
	assert_int_equal(count_bans(), 2);
	now += 11 * SECOND;
	expect("10.77.0.1", PASS);
	assert_int_equal(lift("10.77.0.1"), 0);
	assert_int_equal(lift("10.77.0.9"), 1);
	expect("10.77.0.9", PASS);
	assert_int_equal(count_bans(), 0);
}

/* Prefixes of three lengths beside hosts, as long as there are such bans. */
static void test_lengths(void **state)
{
	begin(LARGE);
	assert_int_equal(ban("10.1.0.0/16", 10, 0), BAN_PUT_DONE);
	assert_int_equal(ban("10.2.2.0/24", 1000, 0), BAN_PUT_DONE);
	assert_int_equal(ban("10.3.3.128/25", 1000, 0), BAN_PUT_DONE);
	assert_int_equal(ban("10.3.4.0/25", 1000, 0), BAN_PUT_DONE);
	assert_int_equal(ban("10.4.0.0/17", 1000, 0), BAN_PUT_LENGTHS);
	assert_int_equal(ban("fd77:1::/48", 1000, 0), BAN_PUT_DONE);
	assert_int_equal(ban("10.4.0.1", 1000, 0), BAN_PUT_DONE);
	expect("10.1.9.9", BANNED);
	expect("10.2.2.9", BANNED);
	expect("10.3.3.200", BANNED);
	expect("10.3.3.1", PASS);
	expect("fd77:1:0:9::9", BANNED);
	/* that of the first one is over */
	now += 11 * SECOND;
	assert_int_equal(ban("10.4.0.0/17", 1000, 0), BAN_PUT_DONE);
	expect("10.1.9.9", PASS);
	expect("10.4.9.9", BANNED);
	assert_int_equal(ban("10.0.0.0/8", 1000, 0), BAN_PUT_LENGTHS);
	/* one of two is lifted, then the other */
	assert_int_equal(lift("10.3.3.128/25"), 1);
	assert_int_equal(ban("10.0.0.0/8", 1000, 0), BAN_PUT_LENGTHS);
	expect("10.3.4.1", BANNED);
	assert_int_equal(lift("10.3.4.0/25"), 1);
	assert_int_equal(ban("10.0.0.0/8", 1000, 0), BAN_PUT_DONE);
	expect("10.3.3.200", BANNED);
	ban_empty(&v);
	ban_settle(&v, ban_tick(shield_ms(now)), wait_for_packets);
	assert_int_equal(count_bans(), 0);
	expect("10.4.0.1", PASS);
	assert_int_equal(v.head->until[0][0], 0);
}

/* --- places */

/* Names of the <n> next hosts from *<from> on whose first bucket is <bucket>. */
static void crowd(uint32_t bucket, char name[][INET_ADDRSTRLEN], int n, uint32_t *from)
{
	int i = 0;

	for (; i < n; ++*from) {
		sprintf(name[i], "10.%u.%u.%u", *from >> 16 & 255, *from >> 8 & 255, *from & 255);
		i += shield_ban_place(&v, name[i], 0) == bucket;
	}
}

/* More than a bucket can hold: they are in their second ones, and those bans that are there already make room. */
static void test_collisions(void **state)
{
	char name[60][INET_ADDRSTRLEN];
	uint32_t from = 0x100000;
	int i;

	begin(32);
	crowd(7, name, 60, &from);
	for (i = 0; i < 40; i++)
		if (ban(name[i], 1000, 0) != BAN_PUT_DONE)
			fail_msg("no place for the ban %d of one bucket", i);
	for (i = 0; i < 60; i++)
		expect(name[i], i < 40 ? BANNED : PASS);
	/* those in second places stay when there is room in the first one */
	for (i = 0; i < 40; i += 2)
		assert_int_equal(lift(name[i]), 1);
	for (i = 0; i < 40; i++)
		expect(name[i], i & 1 ? BANNED : PASS);
	assert_int_equal(count_bans(), 20);
	/* those that were banned last end first */
	begin(32);
	for (i = 0; i < 8; i++)
		assert_int_equal(ban(name[i], 1000 - 100 * i, 0), BAN_PUT_DONE);
	now += 650 * SECOND;
	for (i = 0; i < 8; i++)
		expect(name[i], i < 4 ? BANNED : PASS);
}

/* A table that is three quarters full has everybody in it, and nobody else. */
static void test_crowded(void **state)
{
	char name[INET_ADDRSTRLEN];
	uint32_t i;

	begin(64);
	for (i = 0; i < 192; i++) {
		sprintf(name, "10.50.%u.%u", i >> 4, i & 15);
		if (ban(name, 1000, 0) != BAN_PUT_DONE)
			fail_msg("no place for ban %u", i);
	}
	assert_int_equal(count_bans(), 192);
	for (i = 0; i < 384; i++) {
		sprintf(name, "10.50.%u.%u", i >> 4, i & 15);
		expect(name, i < 192 ? BANNED : PASS);
	}
}

/* Eight places: what a person has set stays, what a rule has set goes, first the one that ends first. */
static void test_full(void **state)
{
	char name[INET_ADDRSTRLEN];
	int i;

	begin(2);
	for (i = 0; i < 8; i++) {
		sprintf(name, "10.60.0.%d", i);
		assert_int_equal(ban(name, 1000 - i, i == 3 || i == 5 ? 12 : 0), BAN_PUT_DONE);
	}
	assert_int_equal(ban("10.60.1.0", 2000, 0), BAN_PUT_EVICTED);
	expect("10.60.0.5", PASS);
	expect("10.60.0.3", BANNED);
	assert_int_equal(ban("10.60.1.1", 2000, 0), BAN_PUT_EVICTED);
	expect("10.60.0.3", PASS);
	assert_int_equal(ban("10.60.1.2", 2000, 0), BAN_PUT_FULL);
	/* of which one that is banned already has no need */
	assert_int_equal(ban("10.60.1.1", 3000, 0), BAN_PUT_DONE);
	for (i = 0; i < 8; i++) {
		sprintf(name, "10.60.0.%d", i);
		expect(name, i == 3 || i == 5 ? PASS : BANNED);
	}
	expect("10.60.1.0", BANNED);
	expect("10.60.1.1", BANNED);
	expect("10.60.1.2", PASS);
	assert_int_equal(count_bans(), 8);
}

/* --- rules that ban */

/* Sends <count> packets to port 53 from <source>; returns how many were passed. */
static int burst(const char *source, int count)
{
	int n = 0;

	while (count--) {
		build(strchr(source, ':') ? UDP6 : UDP4, 53);
		set_source(source);
		n += arrive(source) == PASS;
	}
	return n;
}

#define RULE	"service udp port 53 limit 20/s burst 5 per source"

static void test_automatic(void **state)
{
	begin(LARGE);
	load("\n" RULE " ban 10s after 3");
	/* however often in one second: once */
	assert_int_equal(burst("10.77.9.1", 30), 5);
	now += SECOND + SECOND / 20;
	assert_int_equal(burst("10.77.9.1", 30), 5);
	expect("10.77.9.1", PASS);
	assert_int_equal(counted(C_SET), 0);
	now += SECOND + SECOND / 20;
	assert_int_equal(burst("10.77.9.1", 30), 5);
	/* whatever it sends, but not its neighbour */
	expect("10.77.9.1", BANNED);
	expect("10.77.9.2", PASS);
	assert_int_equal(counted(C_SET), 1);
	assert_int_equal(count_bans(), 1);
	now += 9 * SECOND;
	expect("10.77.9.1", BANNED);
	now += 2 * SECOND;
	expect("10.77.9.1", PASS);
	/* strikes begin anew */
	assert_int_equal(burst("10.77.9.1", 30), 5);
	expect("10.77.9.1", PASS);
	assert_int_equal(counted(C_EVICTED) + counted(C_FULL) + counted(C_DRY), 0);
}

/* A source of IPv6 is a /64; who sends from fe80::/64 is one of many. The first time is enough without "after". */
static void test_automatic6(void **state)
{
	begin(LARGE);
	load(RULE " ban 1m");
	assert_int_equal(burst("fd77:9::1", 5), 5);
	expect("fd77:9::1", PASS);
	assert_int_equal(burst("fd77:9::1", 1), 0);
	expect("fd77:9::2:0:0:1", BANNED);
	expect("fd77:9:0:1::1", PASS);
	assert_int_equal(burst("fe80::1", 10), 5);
	expect("fe80::1", PASS);
	assert_int_equal(counted(C_SET), 1);
}

/* Strikes of more than a minute ago are none. Those of several sources and rules are apart. */
static void test_strikes(void **state)
{
	begin(LARGE);
	load(RULE " ban 10s after 2\nservice udp port 99 limit 1000/s");
	assert_int_equal(burst("10.77.9.1", 30), 5);
	now += MINUTE + 5 * SECOND;
	assert_int_equal(burst("10.77.9.1", 30), 5);
	expect("10.77.9.1", PASS);
	now += 5 * SECOND;
	assert_int_equal(burst("10.77.9.2", 30), 5);
	expect("10.77.9.2", PASS);
	now += 40 * SECOND;
	assert_int_equal(burst("10.77.9.1", 30), 5);
	expect("10.77.9.1", BANNED);
	assert_int_equal(burst("10.77.10.1", 6), 5);
	now += SECOND + SECOND / 20;
	assert_int_equal(burst("10.77.10.1", 6), 5);
	expect("10.77.10.1", BANNED);
	assert_int_equal(counted(C_SET), 2);
}

/* Dry rules ban nobody, and say whom they would have. Who is trusted is never asked. */
static void test_dry(void **state)
{
	begin(LARGE);
	load(RULE " ban 10s after 2 dry");
	burst("10.77.9.1", 30);
	now += SECOND + SECOND / 20;
	assert_int_equal(burst("10.77.9.1", 30), 30);
	assert_int_equal(counted(C_DRY), 1);
	load("dry-run\n" RULE " ban 10s");
	burst("10.77.10.1", 30);
	assert_int_equal(counted(C_DRY), 2);
	load("trust 10.77.11.1\n" RULE " ban 10s");
	assert_int_equal(burst("10.77.11.1", 30), 30);
	assert_int_equal(burst("10.77.11.2", 30), 5);
	expect("10.77.11.2", BANNED);
	assert_int_equal(counted(C_DRY), 2);
	assert_int_equal(counted(C_SET), 1);
	assert_int_equal(count_bans(), 1);
}

/* Automatic bans make room for each other, and never touch a person's. */
static void test_automatic_full(void **state)
{
	char name[INET_ADDRSTRLEN];
	int i;

	begin(2);
	load(RULE " ban 10m");
	for (i = 0; i < 7; i++) {
		sprintf(name, "10.60.0.%d", i);
		assert_int_equal(ban(name, 60, 0), BAN_PUT_DONE);
	}
	burst("10.77.20.1", 6);
	expect("10.77.20.1", BANNED);
	now += SECOND;
	burst("10.77.21.1", 6);
	expect("10.77.20.1", PASS);
	expect("10.77.21.1", BANNED);
	assert_int_equal(counted(C_EVICTED), 1);
	/* a person's ban of the same host is a person's */
	assert_int_equal(ban("10.77.21.1", 60, 0), BAN_PUT_DONE);
	burst("10.77.22.1", 6);
	expect("10.77.22.1", PASS);
	assert_int_equal(counted(C_FULL), 1);
	assert_int_equal(counted(C_SET), 2);
	for (i = 0; i < 7; i++) {
		sprintf(name, "10.60.0.%d", i);
		expect(name, BANNED);
	}
	/* over, and so free */
	now += MINUTE + SECOND;
	burst("10.77.23.1", 6);
	expect("10.77.23.1", BANNED);
	assert_int_equal(counted(C_EVICTED), 1);
	/* and without a table */
	assert_int_equal(shield_no_bans(&run, who), 0);
	burst("10.77.24.1", 6);
	expect("10.77.24.1", PASS);
	assert_int_equal(counted(C_FULL), 2);
}

/* --- a million, and the rest */

static int put_million(struct ban_view *view, uint32_t count)
{
	uint32_t i, tick = ban_tick(shield_ms(now));
	struct ban b = { .until = tick + 4000 };
	int bad = 0;

	for (i = 0; i < count; i++) {
		b.shape = i & 1 ? BAN_HOST6 : BAN_HOST4;
		b.addr = (uint64_t)(i * 2654435761u) << 32 | (i & 1 ? i : 0);
		bad += ban_put(view, &b, tick) != BAN_PUT_DONE;
	}
	return bad;
}

/* As many as the option says find a place, in a table of 32 MB. */
static void test_million(void **state)
{
	begin(ban_buckets(1000000));
	assert_int_equal(v.len, (524288 + 1) * 64);
	assert_int_equal(put_million(&v, 1000000), 0);
	assert_int_equal(count_bans(), 1000000);
	expect("158.55.121.178", PASS);		/* the address of i = 2 plus 1 */
	expect("60.110.243.98", BANNED);	/* that of i = 2 */
	begin(LARGE);
}

static void test_names(void **state)
{
	struct bpf_map *map = bpf_object__find_map_by_name(run.handler[who].obj, ".rodata.ndiv");
	const struct ndiv_info *info = map ? bpf_map__initial_value(map, &(size_t){ 0 }) : NULL;

	assert_non_null(info);
	assert_string_equal(info->reasons[DENIED], "denied");
	assert_string_equal(info->reasons[LIMITED], "limited");
	assert_string_equal(info->reasons[BANNED], "banned");
	assert_string_equal(info->counters[C_SET], "ban-set");
	assert_string_equal(info->counters[C_DRY], "ban-dry");
	assert_string_equal(info->counters[C_EVICTED], "ban-evicted");
	assert_string_equal(info->counters[C_FULL], "ban-full");
}

static int setup(void **state)
{
	static const uint32_t zero, one = 1, many = 1000000;
	const struct run_option options[] = { { "learn", &zero, 4 }, { "lookups", &one, 4 }, { "unknown", &many, 4 },
					      { 0 } };

	if (shield_open(&run) || run_add(&run, run_path("handlers/shield.bpf.o"), options) != (int)who)
		return -1;
	return run_order(&run, &who, 1);
}

static int teardown(void **state)
{
	ban_close(&v);
	run_close(&run);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	   cmocka_unit_test(test_packets),    cmocka_unit_test(test_none),
		cmocka_unit_test(test_end),	   cmocka_unit_test(test_lengths),    cmocka_unit_test(test_collisions),
		cmocka_unit_test(test_crowded),	   cmocka_unit_test(test_full),	      cmocka_unit_test(test_automatic),
		cmocka_unit_test(test_automatic6), cmocka_unit_test(test_strikes),    cmocka_unit_test(test_dry),
		cmocka_unit_test(test_automatic_full), cmocka_unit_test(test_million),
	};

	return cmocka_run_group_tests_name("shield-ban", tests, setup, teardown);
}

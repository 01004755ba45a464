// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_shield_keys.c - shield's secrets: the file, machines that share one, and one that follows another
 *
 * Two instances are two machines, whose own clocks have nothing to do with each other. A client's SYN is answered by
 * one of them, and its ACK comes to the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/shield.h"	/* before cmocka.h, which has another fail() */
#include <cmocka.h>
#include <bpf/bpf.h>
#include <ndiv/shield.h>
#include "rows.h"
#include "shield.h"

#define PORT		8000
#define SECOND		1000000000ULL
#define START_A		(1ULL << 40)		/* ns: the clock of A */
#define START_B		(3ULL << 41)
#define DAY		1790000022152ULL	/* ms: what time it is for A; 49.8 s into an epoch of 65.5 */
#define R_COOKIE	2			/* drop reason bad-cookie */

enum { A = 1, B };

static struct run run;
static struct pkt in;
static struct run_out out;
static struct ndiv_cpu sum;

/* --- machines */

static const uint64_t start[] = { [A] = START_A, [B] = START_B };
static uint64_t now[] = { [A] = START_A, [B] = START_B };

/* Machine <id> is <ms> after its start, by its own clock and by the day's; and stays there. */
static void set_time(uint32_t id, uint64_t ms)
{
	now[id] = start[id] + ms * 1000000;
	assert_int_equal(shield_teach(&run, id, 0, PORT, now[id], &shield_server), 0);
	assert_int_equal(shield_teach(&run, id, 1, PORT, now[id], &shield_server), 0);
}

static void put_secrets(uint32_t id, const struct shield_secrets *s)
{
	uint32_t zero = 0;

	assert_int_equal(bpf_map_update_elem(run_map(&run, id, ".data.secrets"), &zero, s, 0), 0);
}

/* <what> is the secret of machine <id>, whose time of day is <ahead> ms later than A's. */
static struct shield_secret secret_of(uint32_t id, uint64_t what, int64_t ahead)
{
	return (struct shield_secret){ .k = { what, ~what }, .number = what,
				       .ahead = DAY + ahead - shield_clock_ms(start[id]) };
}

static void share(uint32_t id, uint64_t what, int64_t ahead)
{
	const struct shield_secrets s = { .of = { secret_of(id, what, ahead) } };

	put_secrets(id, &s);
}

/* --- the client */

/* What a SYN-ACK said. */
struct said {
	uint32_t isn, tsval;
};

static void send_to(uint32_t id)
{
	assert_int_equal(run_order(&run, &id, 1), 0);
	assert_int_equal(run_reset(&run), 0);
	assert_int_equal(shield_clear(&run, id), 0);
	assert_int_equal(shield_set_clock(&run, id, now[id]), 0);
	if (run_rx(&run, in.data, in.len, &out))
		fail_msg("test run failed");
}

static void build(int v6, const struct pkt_layer *tcp)
{
	const struct pkt_layer layers[] = { { .type = v6 ? PKT_IP6 : PKT_IP4 }, *tcp, { 0 } };

	pkt_build(&in, layers);
}

static struct said dial(uint32_t id, int v6, int ts)
{
	const struct pkt_layer syn =
		TCP(.dport = PORT, .seq = ROWS_CLIENT_ISN, .flags = TH_SYN, .option_len = ts ? 20 : 4,
		    .options = "\2\4\5\xb4\4\2\x8\xa\1\2\3\4\0\0\0\0\1\3\3\7");
	struct said said = { 0 };

	build(v6, &syn);
	send_to(id);
	assert_int_equal(out.act, XDP_TX);
	said.isn = rows_isn(out.data, out.len);
	said.tsval = ts ? rows_tsval(out.data) : 0;
	return said;
}

/* Is the acknowledgement taken? */
static int answer(uint32_t id, int v6, int ts, const struct said *said)
{
	char options[12] = "\1\1\x8\xa\1\2\3\5";
	const struct pkt_layer ack = TCP(.dport = PORT, .seq = ROWS_CLIENT_ISN + 1, .ack = said->isn + 1,
					 .flags = TH_ACK, .options = options, .option_len = ts ? 12 : 0);

	put32((uint8_t *)options + 8, said->tsval);
	build(v6, &ack);
	send_to(id);
	if (out.act == XDP_PASS)
		return 1;
	assert_int_equal(out.act, XDP_DROP);
	assert_int_equal(run_sum(&run, NDIV_CPU_RX, &sum), 0);
	assert_int_equal(sum.reason[id][R_COOKIE], 1);
	return 0;
}

/* --- two machines */

struct pair_row {
	const char *name;
	uint64_t secret_a, secret_b;
	uint64_t asked, answered;	/* ms, from the start on */
	int64_t	ahead;			/* ms by which the clock of B is ahead of A's */
	int	good;			/* bits: 1 without timestamps, 2 with */
};

static const struct pair_row pairs[] = {
	{ "one secret", 1, 1, 0, 100, 0, 3 },
	{ "two secrets", 1, 2, 0, 100, 0, 0 },
	{ "in another epoch", 1, 1, 15000, 15000 + 2000, 0, 3 },
	{ "in another epoch, B is late", 1, 1, 15000, 15000 + 2000, -3900, 3 },
	{ "B is 3.9 s ahead", 1, 1, 0, 10, 3900, 3 },
	{ "B is 3.9 s ahead, in another epoch", 1, 1, 13500, 13510, 3900, 3 },
	{ "B is 3.5 s late", 1, 1, 0, 10, -3500, 3 },
	{ "B is 3.5 s late, A in another epoch", 1, 1, 16500, 16510, -3500, 3 },
	{ "B is 6 s late, A in another epoch", 1, 1, 16500, 16510, -6000, 0 },
	{ "B is 60 s ahead, in another epoch", 1, 1, 0, 10, 60000, 2 },
	{ "B is 90 s ahead", 1, 1, 0, 10, 90000, 0 },
};

static void test_pair(void **state)
{
	const struct pair_row *row = *state;
	struct said said;
	int v6, ts, got;

	share(A, row->secret_a, 0);
	share(B, row->secret_b, row->ahead);
	for (v6 = 0; v6 < 2; v6++)
		for (ts = 0; ts < 2; ts++) {
			set_time(A, row->asked);
			set_time(B, row->answered);
			said = dial(A, v6, ts);
			got = answer(B, v6, ts, &said);
			if (got != !!(row->good & 1 << ts))
				fail_msg("%s, v%d, timestamps %d: taken %d", row->name, v6 ? 6 : 4, ts, got);
		}
}

/* Without a secret of a file, the cookies of another machine are none. (The harness gives both the same random key.) */
static void test_random(void **state)
{
	static const struct shield_secrets none;
	struct said said;
	int ts;

	for (ts = 0; ts < 2; ts++) {
		share(A, 1, 0);
		put_secrets(B, &none);
		set_time(A, 0);
		set_time(B, 0);
		said = dial(A, 0, ts);
		assert_int_equal(answer(B, 0, ts, &said), 0);
		assert_int_equal(answer(A, 0, ts, &said), 1);
	}
}

/* --- a new secret */

/* Cookies of the former secret (0: the random one) are good until the time is over, and new ones are made with the new.
 */
static void follow(uint64_t former, int ts)
{
	struct shield_secrets s = { .of = { secret_of(A, former, 0) } };
	struct said old, new;

	if (!former)
		s.of[0] = (struct shield_secret){ 0 };
	put_secrets(A, &s);
	set_time(A, 0);
	old = dial(A, 0, ts);
	s.of[1] = secret_of(A, 77 + former, 0);
	s.now = 1;
	s.until = shield_clock_ms(start[A] + 10 * SECOND);
	put_secrets(A, &s);
	share(B, 77 + former, 0);
	set_time(A, 1000);
	set_time(B, 1000);
	assert_int_equal(answer(A, 0, ts, &old), 1);
	assert_int_equal(answer(B, 0, ts, &old), 0);
	new = dial(A, 0, ts);
	assert_int_equal(answer(A, 0, ts, &new), 1);
	assert_int_equal(answer(B, 0, ts, &new), 1);
	set_time(A, 10100);
	assert_int_equal(answer(A, 0, ts, &old), 0);
	assert_int_equal(answer(A, 0, ts, &new), 1);
}

static void test_follow(void **state)
{
	follow(5, 0);
	follow(6, 1);
	follow(0, 0);
	follow(0, 1);
}

/* --- the file */

#define GOOD	"00112233445566778899aabbccddEEFF"

struct file_row {
	const char *text, *want;	/* NULL: it is good */
};

static const struct file_row files[] = {
	{ GOOD, NULL },
	{ GOOD "\n", NULL },
	{ GOOD "\r\n", NULL },
	{ "", "f:1:1: expected 32 hexadecimal digits, found 0; `ndiv shield genkey` makes a secret" },
	{ "\n", "f:1:1: expected 32 hexadecimal digits, found 0; `ndiv shield genkey` makes a secret" },
	{ "0011", "f:1:5: expected 32 hexadecimal digits, found 4; `ndiv shield genkey` makes a secret" },
	{ "0x112233445566778899aabbccddeeff", "f:1:2: expected a hexadecimal digit" },
	{ GOOD "0", "f:1:34: expected 32 hexadecimal digits, found 33; `ndiv shield genkey` makes a secret" },
	{ GOOD " ", "f:1:33: expected the end of the file" },
	{ GOOD "\n" GOOD, "f:1:33: expected the end of the file" },
};

static void test_file(void **state)
{
	static const uint8_t want[NDIV_SHIELD_SECRET] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
							  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	uint8_t secret[NDIV_SHIELD_SECRET];
	struct ndiv nd = { .lock = -1 };
	size_t i;
	int err;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		err = secret_parse(&nd, "f", files[i].text, strlen(files[i].text), secret);
		assert_int_equal(err, files[i].want ? -EINVAL : 0);
		if (err)
			assert_string_equal(nd.err, files[i].want);
		else
			assert_memory_equal(secret, want, sizeof(want));
	}
}

/* The clock that machines share may not drift: ten years of it are less than a second off. */
static void test_clock(void **state)
{
	const uint64_t years = 10 * 31557600ULL;

	assert_true(llabs((long long)(shield_ms(years * SECOND) - years * 1000)) < 1000);
	assert_true(shield_ms(SECOND) >= 998 && shield_ms(SECOND) <= 1000);
}

static int setup(void **state)
{
	static const uint32_t zero, one = 1;
	const struct run_option options[] = { { "learn", &zero, 4 }, { "lookups", &one, 4 }, { 0 } };
	const char *path = "handlers/shield.bpf.o";

	if (shield_open(&run) || run_add(&run, run_path(path), options) != A ||
	    run_add(&run, run_path(path), options) != B)
		return -1;
	return 0;
}

static int teardown(void **state)
{
	run_close(&run);
	return 0;
}

/* Without cookies (before Linux 6.9) there is nothing to share. */
int main(void)
{
	static struct CMUnitTest tests[sizeof(pairs) / sizeof(pairs[0]) + 4];
	size_t n = 0, i;

	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_file);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_clock);
	if (shield_hands_over()) {
		for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
			tests[n++] = (struct CMUnitTest){ pairs[i].name, test_pair, NULL, NULL, (void *)&pairs[i] };
		tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_random);
		tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_follow);
	}
	return _cmocka_run_group_tests("shield-keys", tests, n, setup, teardown);
}

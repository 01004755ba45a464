// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_csum.c - the checksum helpers of the handler API, and what else computes: rewriting, hashing
 *
 * The handler "csum" calls them; each result is compared with a plain byte-by-byte sum.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include "handlers/csum.h"
#include "oracle.h"
#include "run.h"

#define SEED		4711
#define LONGEST		1500
#define RANDOM		20000

static struct run run;
static struct run_out out;
static struct csum_call *call;
static struct pkt pkt;

/* Runs <pkt> with what is in <call>, and returns the result. <linear>: see run_rx_split(). */
static int64_t ask_split(const char *name, uint32_t op, size_t linear)
{
	uint32_t calls = call->calls;
	int err;

	call->op = op;
	call->result = INT64_MIN;
	err = linear < pkt.len ? run_rx_split(&run, pkt.data, pkt.len, linear, &out) :
				 run_rx(&run, pkt.data, pkt.len, &out);
	if (err || call->calls != calls + 1)
		fail_msg("%s: not run: %d", name, err);
	return call->result;
}

static int64_t ask(const char *name, uint32_t op)
{
	return ask_split(name, op, pkt.len);
}

static uint64_t random64(void)
{
	return (uint64_t)random() << 33 ^ (uint64_t)random() << 11 ^ random();
}

/* A sum as the packet's words are read by a little-endian CPU, which is what the helpers work with. */
static uint16_t le(uint16_t sum)
{
	return sum >> 8 | sum << 8;
}

/* The same in big-endian arithmetic: adds the four halves of <sum>. */
static uint16_t fold64(uint64_t sum)
{
	uint32_t s = 0;

	for (; sum; sum >>= 16)
		s += sum & 0xffff;
	return pkt_fold(s);
}

/* 0 and 0xffff are the same number: which of them comes out depends on the order of the additions. */
static int same(uint16_t a, uint16_t b)
{
	return a == b || (a % 0xffff == 0 && b % 0xffff == 0);
}

static void test_fold(void **state)
{
	static const uint64_t edges[] = { 0, 1, 0xffff, 0x10000, 0x1fffe, 0xffffffff, 0x100000000, 0xffffffffffffffff,
					  0xfffffffffffeffff, 0xffff0000ffff0000, 0x8000800080008000 };
	int64_t got;
	size_t i;

	srandom(SEED);
	for (i = 0; i < RANDOM; i++) {
		call->sum = i < sizeof(edges) / sizeof(edges[0]) ? edges[i] : random64() >> random() % 64;
		got = ask("fold", CSUM_FOLD);
		if (got != fold64(call->sum))
			fail_msg("fold of %llx: %llx and not %x", call->sum, (unsigned long long)got,
				 fold64(call->sum));
	}
}

static void fill_random(uint8_t *p, size_t len)
{
	size_t i;
	int kind = random() % 8;

	for (i = 0; i < len; i++)
		p[i] = kind == 0 ? 0xff : kind == 1 ? 0 : random();
}

/* All lengths, at an even and an odd offset, in one buffer or several. */
static void sum_lengths(const char *name, uint32_t op, int split)
{
	uint16_t want;
	int64_t got;
	size_t linear;

	srandom(SEED);
	for (call->len = 0; call->len <= LONGEST; call->len++) {
		call->off = 14 + random() % 60;
		call->sum = random() % 3 ? random() : 0;
		pkt.len = call->off + call->len + random() % 9;
		if (pkt.len < 60)
			pkt.len = 60;
		fill_random(pkt.data, pkt.len);
		linear = split ? 14 + random() % (pkt.len - 14) : pkt.len;
		got = ask_split(name, op, linear);
		want = fold64((uint64_t)le(pkt_fold(pkt_sum(pkt.data + call->off, call->len, 0))) + call->sum);
		if (got < 0 || got > 0xffff || !same(got, want))
			fail_msg("%s: %u bytes at %u: %lld and not %u", name, call->len, call->off, (long long)got,
				 want);
	}
}

static void test_linear(void **state)
{
	sum_lengths("linear", CSUM_LINEAR, 0);
}

static void test_frags_linear(void **state)
{
	sum_lengths("frags, one buffer", CSUM_FRAGS, 0);
}

static void test_frags(void **state)
{
	sum_lengths("frags", CSUM_FRAGS, 1);
}

/* What is not there is not summed, but reported. */
static void test_beyond(void **state)
{
	static const uint32_t ops[] = { CSUM_LINEAR, CSUM_FRAGS };
	int64_t got;
	size_t i;

	srandom(SEED);
	call->sum = 0;
	for (i = 0; i < 4000; i++) {
		pkt.len = 60 + random() % 1000;
		fill_random(pkt.data, pkt.len);
		call->off = random() % pkt.len;
		call->len = pkt.len - call->off + 1 + random() % (i % 2 ? 4 : 3000);
		got = ask("beyond", ops[i / 2 % 2]);
		if (got >= 0)
			fail_msg("op %u: %u bytes at %u of %zu: %lld", ops[i / 2 % 2], call->len, call->off, pkt.len,
				 (long long)got);
	}
}

/* Longer than a page: as a jumbo frame is. */
static void test_long(void **state)
{
	static const uint32_t lengths[] = { 3000, 3506, 4096, 8191, 8972, 9000, 12345, 16000 };
	uint16_t want;
	int64_t got;
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		call->off = 14;
		call->len = lengths[i];
		call->sum = 0x12345;
		pkt.len = 14 + lengths[i];
		fill_random(pkt.data, pkt.len);
		got = ask("long", lengths[i] > 3506 ? CSUM_FRAGS : CSUM_LINEAR);
		want = fold64((uint64_t)le(pkt_fold(pkt_sum(pkt.data + 14, call->len, 0))) + call->sum);
		if (got < 0 || !same(got, want))
			fail_msg("%u bytes: %lld and not %u", lengths[i], (long long)got, want);
	}
}

/* A packet whose checksum is right has to be right after any of its words was replaced. */
static void replace(uint32_t op, size_t width)
{
	uint8_t to[4];
	int64_t got;
	size_t at;
	int i;

	srandom(SEED);
	for (i = 0; i < RANDOM; i++) {
		pkt.len = 64;
		fill_random(pkt.data, pkt.len);
		put16(pkt.data, 0);
		put16(pkt.data, ~pkt_fold(pkt_sum(pkt.data, pkt.len, 0)));
		at = 4 + random() % (60 / width) * width;
		fill_random(to, width);
		call->old = *(uint16_t *)pkt.data;
		call->from = call->to = 0;
		memcpy(&call->from, pkt.data + at, width);
		memcpy(&call->to, to, width);
		got = ask("replace", op);
		memcpy(pkt.data + at, to, width);
		*(uint16_t *)pkt.data = got;
		if (got < 0 || got > 0xffff || !same(pkt_fold(pkt_sum(pkt.data, pkt.len, 0)), 0xffff))
			fail_msg("check %04x, %x to %x: %04llx", call->old, call->from, call->to,
				 (unsigned long long)got);
	}
}

static void test_replace2(void **state)
{
	replace(CSUM_REPLACE2, 2);
}

static void test_replace4(void **state)
{
	replace(CSUM_REPLACE4, 4);
}

/*
 * RFC 1624, section 3: what must not come out as 0xffff when the right answer is 0: header sums of 0xcd7a and so on
 * with 0x5555 -> 0x3285, where the older formula gave 0xffff.
 */
static void test_rfc1624(void **state)
{
	call->old = 0xdd2f;
	call->from = 0x5555;
	call->to = 0x3285;
	assert_int_equal(ask("rfc1624", CSUM_REPLACE2), 0x0000);
}

static void build_ip(int v6, int l4, size_t len)
{
	const struct pkt_layer layers[] = {
		{ .type = v6 ? PKT_IP6 : PKT_IP4 },
		{ .type = l4 == IPPROTO_TCP ? PKT_TCP : l4 == IPPROTO_UDP ? PKT_UDP : v6 ? PKT_ICMP6 : PKT_ICMP },
		DATA(len),
		{ 0 },
	};

	pkt_build(&pkt, layers);
	fill_random(pkt.data + pkt.len - len, len);
	pkt_resum(&pkt);
}

static void test_ip4(void **state)
{
	uint8_t *l3;
	int i;

	srandom(SEED);
	for (i = 0; i < 2000; i++) {
		build_ip(0, IPPROTO_UDP, 8);
		l3 = pkt.data + pkt.l3;
		put16(l3 + 4, random());
		put32(l3 + 12, random());
		put32(l3 + 16, random());
		pkt_resum(&pkt);
		assert_int_equal(ask("header sum", CSUM_IP4), 0xffff);
		call->to = 1 + random() % 255;
		assert_int_equal(ask("set ttl", CSUM_TTL), 0xffff);
		assert_int_equal(out.data[pkt.l3 + 8], call->to);
		assert_int_equal(pkt_fold(pkt_sum(out.data + pkt.l3, 20, 0)), 0xffff);
		call->to = random() & 0xffff;
		assert_int_equal(ask("set length", CSUM_IP4_LEN), 0xffff);
		assert_int_equal(get16(out.data + pkt.l3 + 2), call->to);
		assert_int_equal(pkt_fold(pkt_sum(out.data + pkt.l3, 20, 0)), 0xffff);
	}
	assert_int_equal(ask("set header checksum", CSUM_IP4_SET), 0xffff);
	assert_memory_equal(out.data, pkt.data, pkt.len);
}

static void test_pseudo(void **state)
{
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	uint8_t head[40];
	int i, v6;

	srandom(SEED);
	for (i = 0; i < 400; i++) {
		v6 = i & 1;
		build_ip(v6, protos[i / 2 % 2], 20);
		fill_random(pkt.data + pkt.l3 + (v6 ? 8 : 12), v6 ? 32 : 8);
		pkt_resum(&pkt);
		memset(head, 0, sizeof(head));
		memcpy(head, pkt.data + pkt.l3 + (v6 ? 8 : 12), v6 ? 32 : 8);
		head[v6 ? 39 : 9] = pkt.proto;
		call->len = random() & 0xffff;
		/* a plain sum: the length counts wherever it stands */
		assert_true(same(ask("pseudo header", CSUM_PSEUDO),
				 le(pkt_fold(pkt_sum(head, sizeof(head), call->len)))));
	}
}

struct verify_case {
	const char *name;
	int	v6, l4;
};

/*
 * All lengths: right as built, wrong with one bit turned, whatever buffers the packet lies in. Flags tell what came
 * out, and the checksum that is 0xffff or 0 is no exception.
 */
static void test_verify(void **state)
{
	const struct verify_case *c = *state;
	size_t len, at, linear;

	srandom(SEED);
	for (len = 0; len <= LONGEST; len++) {
		build_ip(c->v6, c->l4, len);
		linear = len % 3 ? pkt.len : pkt.payload + random() % (pkt.len - pkt.payload + 1);
		/* the headers have to be in the first buffer */
		if (linear < pkt.l4 + 20)
			linear = pkt.len < pkt.l4 + 20 ? pkt.len : pkt.l4 + 20;
		if (ask_split(c->name, CSUM_VERIFY, linear) != 1 || !(call->flags & NDIV_F_L4_GOOD))
			fail_msg("%s: %zu bytes, %zu linear: right, but refused", c->name, len, linear);
		/* neither the ports' nor the lengths' bits: those of the payload, or the checksum's */
		at = len ? pkt.len - 1 - random() % len
			 : pkt.l4 + (c->l4 == IPPROTO_TCP   ? 16
				     : c->l4 == IPPROTO_UDP ? 6
							    : 2);
		pkt.data[at] ^= 1 << random() % 8;
		if (ask_split(c->name, CSUM_VERIFY, linear) != 0 || !(call->flags & NDIV_F_L4_BAD))
			fail_msg("%s: %zu bytes, %zu linear, byte %zu turned: wrong, but accepted", c->name, len,
				 linear, at);
	}
}

struct verify_row {
	const char *name;
	struct pkt_layer in[PKT_LAYERS];
	int	result;
	uint32_t flags;		/* of NDIV_F_L4_GOOD, NDIV_F_L4_BAD */
};

/* clang-format off */
static const struct verify_row verify_rows[] = {
	{ "v4 udp without checksum", { IP4(), UDP(), DATA(9), BAD_SUM(SUM_NONE) }, 1, NDIV_F_L4_GOOD },
	{ "v6 udp without checksum", { IP6(), UDP(), DATA(9), BAD_SUM(SUM_NONE) }, 0, NDIV_F_L4_BAD },
	{ "v4 tcp, checksum 0 is no excuse", { IP4(), TCP(), DATA(9), BAD_SUM(SUM_NONE) }, 0, NDIV_F_L4_BAD },
	{ "v4 icmp, checksum 0 is no excuse", { IP4(), ICMP(), DATA(9), BAD_SUM(SUM_NONE) }, 0, NDIV_F_L4_BAD },
	{ "v4 udp with padding", { IP4(), UDP(), PAD(60) }, 1, NDIV_F_L4_GOOD },
	{ "v4 tcp with padding", { IP4(), TCP(), PAD(60) }, 1, NDIV_F_L4_GOOD },
	{ "v4 tcp, tagged, with options", { VLAN(.tci = 1), VLAN(.tci = 2), IP4(.options = 12), TCP(), DATA(33) }, 1,
	  NDIV_F_L4_GOOD },
	{ "v6 udp behind extension headers", { IP6(), EXT(0), EXT(60, .len = 24), UDP(), DATA(33) }, 1,
	  NDIV_F_L4_GOOD },
	{ "v6 icmpv6 behind an atomic fragment header", { IP6(), FRAG(), ICMP6(), DATA(33) }, 1, NDIV_F_L4_GOOD },
	{ "v4 first fragment: not known", { IP4(.frag = 0x2000), UDP(), DATA(24) }, 0, 0 },
	{ "v4 later fragment: not known", { IP4(.frag = 1, .proto = 17), DATA(24) }, 0, 0 },
	{ "v6 first fragment: not known", { IP6(), FRAG(.more = 1), UDP(), DATA(24) }, 0, 0 },
	{ "v4 gre: none to verify", { IP4(.proto = 47), DATA(24) }, 0, 0 },
	{ "arp: none to verify", { ETH(.proto = 0x0806), DATA(28) }, 0, 0 },
	{ "v4 udp shorter than the ip packet", { IP4(), UDP(), DATA(31), SET(F_UDP_LEN, 20) }, 1, NDIV_F_L4_GOOD },
	{ "v6 udp shorter than the ip packet", { IP6(), UDP(), DATA(31), SET(F_UDP_LEN, 9) }, 1, NDIV_F_L4_GOOD },
	{ "v4 udp shorter than the ip packet, wrong", { IP4(), UDP(), DATA(31), SET(F_UDP_LEN, 20), BAD_SUM(SUM_L4) },
	  0,
	  NDIV_F_L4_BAD },
	{ "v4 udp, jumbo", { IP4(), UDP(), DATA(8972) }, 1, NDIV_F_L4_GOOD },
	{ "v6 tcp, jumbo, wrong", { IP6(), TCP(), DATA(8940), BAD_SUM(SUM_L4) }, 0, NDIV_F_L4_BAD },
};
/* clang-format on */

static void test_verify_row(void **state)
{
	const struct verify_row *row = *state;
	int64_t got;

	pkt_build(&pkt, row->in);
	got = ask(row->name, CSUM_VERIFY);
	if (got != row->result || (call->flags & (NDIV_F_L4_GOOD | NDIV_F_L4_BAD)) != row->flags)
		fail_msg("%s: %lld, flags %x", row->name, (long long)got, call->flags);
}

/* UDP sends 0xffff where the sum comes out as 0: look for such packets. */
static void test_udp_ffff(void **state)
{
	int seen = 0;
	uint32_t i;

	for (i = 0; i < 65536; i++) {
		build_ip(i & 1, IPPROTO_UDP, 2);
		put16(pkt.data + pkt.payload, i);
		pkt_resum(&pkt);
		if (get16(pkt.data + pkt.l4 + 6) != 0xffff)
			continue;
		seen++;
		assert_int_equal(ask("udp checksum 0xffff", CSUM_VERIFY), 1);
	}
	assert_true(seen > 0);
}

/* Verified once: what is known is not computed again. */
static void test_verify_twice(void **state)
{
	build_ip(0, IPPROTO_TCP, 100);
	assert_int_equal(ask("verify twice", CSUM_VERIFY_TWICE), 1);
	build_ip(1, IPPROTO_UDP, 100);
	assert_int_equal(ask("verify twice", CSUM_VERIFY_TWICE), 1);
}

static uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

/* SipHash-1-3 of <len> bytes, after the paper (Aumasson, Bernstein 2012). */
static uint64_t siphash13(const uint8_t key[16], const uint8_t *data, size_t len)
{
	uint64_t k[2], v[4], m = 0;
	size_t i, n;
	int rounds;

	memcpy(k, key, 16);
	v[0] = k[0] ^ 0x736f6d6570736575ULL;
	v[1] = k[1] ^ 0x646f72616e646f6dULL;
	v[2] = k[0] ^ 0x6c7967656e657261ULL;
	v[3] = k[1] ^ 0x7465646279746573ULL;
	for (i = 0; i <= len / 8 + 1; i++) {
		rounds = 1;
		m = 0;
		if (i <= len / 8) {
			for (n = 0; n < 8 && i * 8 + n < len; n++)
				m |= (uint64_t)data[i * 8 + n] << 8 * n;
			if (i == len / 8)
				m |= (uint64_t)len << 56;
		} else {
			v[2] ^= 0xff;
			rounds = 3;
		}
		v[3] ^= m;
		while (rounds--) {
			v[0] += v[1], v[1] = rotl(v[1], 13) ^ v[0], v[0] = rotl(v[0], 32);
			v[2] += v[3], v[3] = rotl(v[3], 16) ^ v[2];
			v[0] += v[3], v[3] = rotl(v[3], 21) ^ v[0];
			v[2] += v[1], v[1] = rotl(v[1], 17) ^ v[2], v[2] = rotl(v[2], 32);
		}
		v[0] ^= m;
	}
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void test_hash(void **state)
{
	/* SipHash-1-3 of 00 01 ... 0e with key 00 01 ... 0f, as in the test vectors of Rust's core::hash */
	static const uint8_t known_key[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	uint64_t words[2];
	int i;

	assert_int_equal(siphash13(known_key, known_key, 0), 0xabac0158050fc4dcULL);
	assert_int_equal(siphash13(known_key, known_key, 1), 0xc9f49bf37d57ca93ULL);
	srandom(SEED);
	for (i = 0; i < 2000; i++) {
		words[0] = call->sum = random64();
		call->from = random();
		call->to = random();
		words[1] = (uint64_t)call->from << 32 | call->to;
		assert_int_equal(ask("hash", CSUM_HASH), siphash13(run.key.b, (void *)words, 16));
	}
}

static int open_run(void **state)
{
	int id, fd;

	if (run_open(&run, NULL))
		return -1;
	id = run_add(&run, run_path("t/handlers/csum.bpf.o"), NULL);
	fd = id < 0 ? -1 : run_map(&run, id, "csum_call");
	if (fd < 0)
		return -1;
	call = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	/* anything will do as long as it is no malformed packet */
	build_ip(0, IPPROTO_UDP, 60);
	return call == MAP_FAILED ? -1 : 0;
}

static int close_run(void **state)
{
	run_close(&run);
	return 0;
}

static const struct verify_case verify_cases[] = {
	{ "v4 tcp", 0, IPPROTO_TCP },   { "v4 udp", 0, IPPROTO_UDP },   { "v4 icmp", 0, IPPROTO_ICMP },
	{ "v6 tcp", 1, IPPROTO_TCP },   { "v6 udp", 1, IPPROTO_UDP },   { "v6 icmpv6", 1, IPPROTO_ICMPV6 },
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(test_fold),	     cmocka_unit_test(test_linear),
		cmocka_unit_test(test_frags_linear), cmocka_unit_test(test_frags),
		cmocka_unit_test(test_beyond),	     cmocka_unit_test(test_long),
		cmocka_unit_test(test_replace2),     cmocka_unit_test(test_replace4),
		cmocka_unit_test(test_rfc1624),	     cmocka_unit_test(test_ip4),
		cmocka_unit_test(test_pseudo),	     cmocka_unit_test(test_udp_ffff),
		cmocka_unit_test(test_verify_twice), cmocka_unit_test(test_hash),
	};
	static struct CMUnitTest tests[COUNT(others) + COUNT(verify_cases) + COUNT(verify_rows)];
	size_t i, n = COUNT(others);

	memcpy(tests, others, sizeof(others));
	for (i = 0; i < COUNT(verify_cases); i++)
		tests[n++] = (struct CMUnitTest){ verify_cases[i].name, test_verify, NULL, NULL,
						  (void *)&verify_cases[i] };
	for (i = 0; i < COUNT(verify_rows); i++)
		tests[n++] = (struct CMUnitTest){ verify_rows[i].name, test_verify_row, NULL, NULL,
						  (void *)&verify_rows[i] };
	return _cmocka_run_group_tests("csum", tests, COUNT(tests), open_run, close_run);
}

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * hash.h - keyed hash for handlers, SipHash-1-3 of whole 64-bit words; and a mixer without a key
 *
 * SipHash (Aumasson and Bernstein, 2012) with 1 round a word and 3 at the end, the variant that is held to be strong
 * enough for hash tables and short-lived cookies. Keys are random and never leave the machine: ndiv fills a rodata or
 * map value named by the handler, see struct ndiv_key. BPF has no rotate instruction: a round costs about 3 ns.
 */
#ifndef NDIV_HASH_H
#define NDIV_HASH_H

#include <ndiv/handler.h>

/* A key. A handler that declares "const volatile struct ndiv_key ndiv_key SEC(".rodata.key")" gets a random one, which
 * survives a replacement of the handler. */
struct ndiv_key {
	__u64	k[2];
};

struct ndiv_sip {
	__u64	a, b, c, d;
};

static __always_inline __u64 ndiv_rotl(__u64 x, int n)
{
	return x << n | x >> (64 - n);
}

static __always_inline void ndiv_sip_round(struct ndiv_sip *s)
{
	s->a += s->b;
	s->b = ndiv_rotl(s->b, 13) ^ s->a;
	s->a = ndiv_rotl(s->a, 32);
	s->c += s->d;
	s->d = ndiv_rotl(s->d, 16) ^ s->c;
	s->a += s->d;
	s->d = ndiv_rotl(s->d, 21) ^ s->a;
	s->c += s->b;
	s->b = ndiv_rotl(s->b, 17) ^ s->c;
	s->c = ndiv_rotl(s->c, 32);
}

static __always_inline void ndiv_sip_init(struct ndiv_sip *s, const volatile struct ndiv_key *key)
{
	s->a = key->k[0] ^ 0x736f6d6570736575ULL;
	s->b = key->k[1] ^ 0x646f72616e646f6dULL;
	s->c = key->k[0] ^ 0x6c7967656e657261ULL;
	s->d = key->k[1] ^ 0x7465646279746573ULL;
}

static __always_inline void ndiv_sip_word(struct ndiv_sip *s, __u64 word)
{
	s->d ^= word;
	ndiv_sip_round(s);
	s->a ^= word;
}

/*
 * The end: the last word holds the length (<len>: bytes of all words and those of <tail>, below 256), and in its low
 * seven bytes those that are too few for a word of their own (<tail>).
 */
static __always_inline __u64 ndiv_sip_end(struct ndiv_sip *s, __u64 len, __u64 tail)
{
	ndiv_sip_word(s, len << 56 | tail);
	s->c ^= 0xff;
	ndiv_sip_round(s);
	ndiv_sip_round(s);
	ndiv_sip_round(s);
	return s->a ^ s->b ^ s->c ^ s->d;
}

/* Hash of two words. */
static __always_inline __u64 ndiv_siphash2(const volatile struct ndiv_key *key, __u64 x, __u64 y)
{
	struct ndiv_sip s;

	ndiv_sip_init(&s, key);
	ndiv_sip_word(&s, x);
	ndiv_sip_word(&s, y);
	return ndiv_sip_end(&s, 16, 0);
}

/*
 * Mixes the bits of <x> (the end of splitmix64): other numbers come of other numbers, and those of a counter look
 * random. It has no key and can be turned back: strangers who know or choose <x> know what comes of it, and can aim. So
 * it is for test traffic, never for tables, cookies, or whatever else they must not foresee: there, ndiv_siphash2().
 */
static __always_inline __u64 ndiv_mix(__u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

#endif

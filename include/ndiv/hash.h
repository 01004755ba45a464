/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * hash.h - keyed hash for handlers: SipHash-1-3 of whole 64-bit words
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

/*
 * In assembler, where each rotation is four instructions and nothing else is needed: clang weaves rounds into each
 * other until it has to keep half of them in memory.
 */
static __always_inline void ndiv_sip_round(struct ndiv_sip *s)
{
	__u64 t;

	asm("%[a] += %[b]; %[t] = %[b]; %[t] <<= 13; %[b] >>= 51; %[b] |= %[t]; %[b] ^= %[a];"
	    "%[t] = %[a]; %[t] <<= 32; %[a] >>= 32; %[a] |= %[t];"
	    "%[c] += %[d]; %[t] = %[d]; %[t] <<= 16; %[d] >>= 48; %[d] |= %[t]; %[d] ^= %[c];"
	    "%[a] += %[d]; %[t] = %[d]; %[t] <<= 21; %[d] >>= 43; %[d] |= %[t]; %[d] ^= %[a];"
	    "%[c] += %[b]; %[t] = %[b]; %[t] <<= 17; %[b] >>= 47; %[b] |= %[t]; %[b] ^= %[c];"
	    "%[t] = %[c]; %[t] <<= 32; %[c] >>= 32; %[c] |= %[t];"
	    : [a] "+r"(s->a), [b] "+r"(s->b), [c] "+r"(s->c), [d] "+r"(s->d), [t] "=&r"(t));
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

#endif

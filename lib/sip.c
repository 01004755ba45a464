// SPDX-License-Identifier: GPL-2.0-only
/* sip.c - SipHash (Aumasson and Bernstein, 2012), as in ndiv/hash.h, for any bytes */
#include <endian.h>
#include <string.h>
#include "internal.h"

struct sip {
	__u64	a, b, c, d;
};

static __u64 rotl(__u64 x, int n)
{
	return x << n | x >> (64 - n);
}

static void rounds(struct sip *s, int n)
{
	for (; n > 0; n--) {
		s->a += s->b;
		s->b = rotl(s->b, 13) ^ s->a;
		s->a = rotl(s->a, 32);
		s->c += s->d;
		s->d = rotl(s->d, 16) ^ s->c;
		s->a += s->d;
		s->d = rotl(s->d, 21) ^ s->a;
		s->c += s->b;
		s->b = rotl(s->b, 17) ^ s->c;
		s->c = rotl(s->c, 32);
	}
}

static void word(struct sip *s, int c, __u64 w)
{
	s->d ^= w;
	rounds(s, c);
	s->a ^= w;
}

__u64 sip_hash(int c, int d, const __u64 *key, const void *p, size_t len)
{
	struct sip s = { key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
			 key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL };
	const __u8 *at = p, *end = at + (len & ~(size_t)7);
	__u64 w;

	for (; at < end; at += 8) {
		memcpy(&w, at, 8);
		word(&s, c, le64toh(w));
	}
	w = 0;
	if (len & 7)
		memcpy(&w, at, len & 7);
	word(&s, c, le64toh(w) | (__u64)len << 56);
	s.c ^= 0xff;
	rounds(&s, d);
	return s.a ^ s.b ^ s.c ^ s.d;
}

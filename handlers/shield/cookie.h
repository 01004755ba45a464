/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cookie.h - SYN cookies: the whole of a half-open connection in the sequence number and the timestamp of the SYN-ACK
 *
 * With timestamps:	initial sequence number	25 bits of hash, 7 bits of options
 *			timestamp		23 bits of clock (units of 512 ms), 9 bits of options
 * Without:		initial sequence number	24 bits of hash, 8 bits of options
 *
 * Options and timestamp are hashed with addresses, ports and the client's sequence number, by SipHash-1-3. Its key is
 * another one in each epoch of 65.536 s, derived from the secret, so there is nothing to rotate. With timestamps the
 * cookie tells its epoch, and is good for 82 s; without, that of the current epoch is good, that of the one before for
 * 16 s more (and that of the next one for the last 4 s, for the clock of another machine may be ahead).
 *
 * Machines that share a secret also share the clock by which epochs are counted: that of the day, which differs from
 * the machine's own by shield_secret.ahead. A new secret comes beside the old one, whose cookies are good for a while.
 *
 * What a blind attacker has: with timestamps, 128 of 2^32 acknowledgement numbers are good for a right timestamp;
 * without, 192 of 2^32, and twice as many for 20.5 s of each 65.5: 252 on the average. Both are less than 1 in 2^24.
 *
 * MSS: with timestamps exact up to 1460, above rounded down to a multiple of 76 beyond that; without, one of three.
 */
#ifndef NDIV_SHIELD_COOKIE_H
#define NDIV_SHIELD_COOKIE_H

#include "shield.h"

#define EPOCH_SHIFT	16		/* ms */
#define EPOCH_GRACE	16384		/* ms of the next epoch in which a cookie is good still */
#define EPOCH_AHEAD	4096		/* ms */
#define STAMP_SHIFT	9		/* ms */
#define STAMP_BITS	23
#define STAMP_MASK	((1U << STAMP_BITS) - 1)
#define STAMP_AGE	160		/* units that a cookie is good */
#define STAMP_AHEAD	8		/* units that the clock of who made it may be ahead */
#define WSCALE_NONE	15
#define MSS_MIN		536
#define MSS_EXACT	1460
#define MSS_STEP	76
#define MSS_CODE_MAX	1023
#define PLAIN_CODES	192

/* What a SYN offered, as far as the listener takes it. */
struct offer {
	__u16	mss;
	__u8	wscale;			/* the client's; WSCALE_NONE: none */
	__u8	sack, ecn, ts;
	__be32	tsval;			/* the client's */
};

/* What an acknowledgement says of its cookie, besides TCP's header. */
struct echo {
	__u32	ts;			/* with timestamps, of which */
	__u32	tsecr;			/* is echoed */
};

/* The keys of one CPU, by secret and the two low bits of the epoch; made when they are needed. */
struct shield_keys {
	__u64	label[8];
	struct ndiv_key key[8];
	/* the acknowledgement at hand, where there is no room for it on the stack */
	struct shield_tcp tcp;
	struct echo echo;
	struct offer offer;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct shield_keys);
} shield_keys SEC(".maps");

/* A secret, and what time it is by its clock. */
struct secret {
	const volatile struct ndiv_key *key;
	__u64	label;			/* what the labels of its keys begin with */
	__u64	ms;
	__u32	nr;
};

/* Secret <nr> at <ms> by this machine's clock. */
static __always_inline void secret_take(struct secret *secret, __u32 nr, __u64 ms)
{
	const volatile struct shield_secret *s = &shield_secrets.of[nr & 1];

	secret->nr = nr & 1;
	secret->key = s->number ? (const volatile struct ndiv_key *)s->k : &ndiv_key;
	secret->label = (s->number << 40) + 1;	/* 0: no key */
	secret->ms = ms + s->ahead;
}

static __always_inline const struct ndiv_key *epoch_key(const struct secret *secret, __u64 epoch)
{
	__u32 zero = 0, i = secret->nr << 2 | (epoch & 3);
	struct shield_keys *keys = bpf_map_lookup_elem(&shield_keys, &zero);

	if (!keys)
		return NULL;
	/* Masked where the compiler cannot see that it needs not be: Linux 6.1 does not. */
	barrier_var(i);
	i &= 7;
	if (keys->label[i] != secret->label + epoch) {
		keys->key[i].k[0] = ndiv_siphash2(secret->key, epoch, 0);
		keys->key[i].k[1] = ndiv_siphash2(secret->key, epoch, 1);
		keys->label[i] = secret->label + epoch;
	}
	return &keys->key[i];
}

/* Codes of an MSS, and back. */
static __always_inline __u32 mss_code(__u32 mss)
{
	__u32 code = mss <= MSS_EXACT ? mss - MSS_MIN : MSS_EXACT - MSS_MIN + (mss - MSS_EXACT) / MSS_STEP;

	return code < MSS_CODE_MAX ? code : MSS_CODE_MAX;
}

static __always_inline __u16 mss_of(__u32 code)
{
	const __u32 exact = MSS_EXACT - MSS_MIN;

	return code <= exact ? code + MSS_MIN : MSS_EXACT + (code - exact) * MSS_STEP;
}

static __always_inline __u32 mss_class(__u32 mss, int v6)
{
	return mss >= (v6 ? 1440 : 1460) ? 2 : mss >= 1360;
}

static __always_inline __u16 mss_of_class(__u32 class, int v6)
{
	switch (class) {
	case 0:
		return v6 ? 1220 : MSS_MIN;
	case 1:
		return 1360;
	}
	return v6 ? 1440 : 1460;
}

/* The options in 16 bits, or without timestamps in 8. */
static __always_inline __u32 offer_code(const struct offer *offer, int v6)
{
	__u32 rest = offer->wscale << 2 | offer->sack << 1 | offer->ecn;

	return (offer->ts ? mss_code(offer->mss) : mss_class(offer->mss, v6)) << 6 | rest;
}

static __always_inline void offer_of(struct offer *offer, __u32 code, int ts, int v6)
{
	offer->ts = ts;
	offer->mss = ts ? mss_of(code >> 6) : mss_of_class(code >> 6, v6);
	offer->wscale = code >> 2 & 15;
	offer->sack = code >> 1 & 1;
	offer->ecn = code & 1;
}

/*
 * Hash of a SYN from <tcp>'s remote end with sequence number <isn>, whose options have <code>, of which <stamp> may
 * hold a part.
 */
static __always_inline __u64 cookie_hash(const struct ndiv_key *key, const struct shield_tcp *tcp, __u32 isn,
					 __u32 code, __u32 stamp)
{
	struct ndiv_sip sip;

	ndiv_sip_init(&sip, key);
	ndiv_sip_word(&sip, (__u64)tcp->remote[0] << 32 | tcp->local[0]);
	if (tcp->v6) {
		ndiv_sip_word(&sip, (__u64)tcp->remote[1] << 32 | tcp->local[1]);
		ndiv_sip_word(&sip, (__u64)tcp->remote[2] << 32 | tcp->local[2]);
		ndiv_sip_word(&sip, (__u64)tcp->remote[3] << 32 | tcp->local[3]);
	}
	ndiv_sip_word(&sip, (__u64)isn << 32 | (__u32)tcp->rport << 16 | tcp->lport);
	return ndiv_sip_end(&sip, tcp->v6 ? 47 : 23, (__u64)code << 32 | stamp);
}

#define CODE_TS		(1U << 16)	/* in what is hashed: with timestamps */

static __always_inline __u32 isn_ts(__u64 hash, __u32 code)
{
	return (__u32)hash << 7 | code >> STAMP_SHIFT;
}

static __always_inline __u32 isn_plain(__u64 hash, __u32 code)
{
	return (__u32)hash << 8 | code;
}

/* Makes the initial sequence number and timestamp of the answer to SYN <tcp>. 0, or below 0. */
static __always_inline int cookie_make(const struct shield_tcp *tcp, const struct offer *offer,
				       const struct secret *secret, __u32 *isn, __u32 *tsval)
{
	const struct ndiv_key *key = epoch_key(secret, secret->ms >> EPOCH_SHIFT);
	__u32 code = offer_code(offer, tcp->v6);

	if (!key)
		return -1;
	if (offer->ts) {
		*tsval = (__u32)(secret->ms >> STAMP_SHIFT) << STAMP_SHIFT | (code & ((1U << STAMP_SHIFT) - 1));
		*isn = isn_ts(cookie_hash(key, tcp, tcp->seq, code | CODE_TS, *tsval), code);
	} else {
		*isn = isn_plain(cookie_hash(key, tcp, tcp->seq, code, 0), code);
		*tsval = 0;
	}
	return 0;
}

/* Is the acknowledgement <tcp> of a cookie with timestamps, which echoes <tsecr>? Then 1, and the <offer>. */
static __always_inline int cookie_check_ts(const struct shield_tcp *tcp, __u32 tsecr, const struct secret *secret,
					   struct offer *offer)
{
	__u64 unit = secret->ms >> STAMP_SHIFT;
	__u32 isn = tcp->ack - 1, code = (isn & 127) << STAMP_SHIFT | (tsecr & ((1U << STAMP_SHIFT) - 1));
	__u32 age = ((__u32)unit - (tsecr >> STAMP_SHIFT) + STAMP_AHEAD) & STAMP_MASK;
	const struct ndiv_key *key;

	if (age > STAMP_AGE + STAMP_AHEAD)
		return 0;
	key = epoch_key(secret, (unit + STAMP_AHEAD - age) >> (EPOCH_SHIFT - STAMP_SHIFT));
	if (!key || isn_ts(cookie_hash(key, tcp, tcp->seq - 1, code | CODE_TS, tsecr), code) != isn)
		return 0;
	offer_of(offer, code, 1, tcp->v6);
	return 1;
}

static __always_inline int isn_of_epoch(const struct shield_tcp *tcp, const struct secret *secret, __u64 epoch)
{
	const struct ndiv_key *key = epoch_key(secret, epoch);
	__u32 isn = tcp->ack - 1, code = isn & 255;

	return key && isn_plain(cookie_hash(key, tcp, tcp->seq - 1, code, 0), code) == isn;
}

/* The same without timestamps. */
static __always_inline int cookie_check_plain(const struct shield_tcp *tcp, const struct secret *secret,
					      struct offer *offer)
{
	__u32 phase = secret->ms & ((1U << EPOCH_SHIFT) - 1), code = (tcp->ack - 1) & 255;
	__u64 epoch = secret->ms >> EPOCH_SHIFT;
	int good;

	if (code >= PLAIN_CODES)
		return 0;
	good = isn_of_epoch(tcp, secret, epoch);
	if (!good && phase < EPOCH_GRACE)
		good = isn_of_epoch(tcp, secret, epoch - 1);
	else if (!good && phase >= (1U << EPOCH_SHIFT) - EPOCH_AHEAD)
		good = isn_of_epoch(tcp, secret, epoch + 1);
	if (good)
		offer_of(offer, code, 0, tcp->v6);
	return good;
}

#endif

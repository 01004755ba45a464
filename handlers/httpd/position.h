/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * position.h - where a connection stands, told by the timestamp that its client echoes
 *
 * The timestamp of each of our packets is
 *
 *	hash + the client's next sequence number + ours when the response is through + state
 *
 * with a keyed hash of addresses and ports. The client echoes it in all that it sends. Less the hash and the packet's
 * own sequence and acknowledgement numbers, it tells what is left to do, and nobody but who got our packets can know
 * it:
 *
 *	0			between responses: a request may come
 *	POS_BODY + n		n bytes of a request's body are still to come
 *	POS_FILE ...		POS_FILE + (id << 20) + what follows, of a file that takes several segments: see below
 *	POS_EARLY and above	below 0: the client has sent more before it got our answer to what it had sent before
 *	anything else		so many bytes of a response has the client not acknowledged, and a mark
 *
 * Each of them is there twice, in both halves of the number space: when a body has come, the next state is in the other
 * half. So our timestamps only ever grow, by less than 2^31 at a time, as RFC 7323 wants it (5.2, PAWS).
 *
 * A file's response, unlike an object's, is not told by what is left of it: so if it takes several segments, its id is
 * part of the state. Its last segment has a timestamp of the other half without it. Then nothing is left; but the
 * client may echo the one before with nothing left as well, because it acknowledges several segments at once with the
 * timestamp of the first (RFC 7323, 4.3). The packets that follow are counted from that, see pos_grow().
 *
 * When a client retransmits, it sends its first unacknowledged byte again, with its current acknowledgement number. So
 * the client's timer is ours, as long as its request is not acknowledged. Where the response is one segment, that
 * acknowledges it. Where it is more, nothing does but our answer to the acknowledgement of all of it. The first burst
 * acknowledges nothing: if it is lost, the whole request comes again. Later ones, whose place and end the client knows
 * by then, leave POS_KEEP bytes: they do not tell us how long the request was. Each time these come again, one of them
 * is acknowledged, which tells the client that we are there. (Linux waits twice as long the next time all the same:
 * only a packet that is acknowledged as a whole makes it begin anew.)
 */
#ifndef NDIV_HTTPD_POSITION_H
#define NDIV_HTTPD_POSITION_H

#include <ndiv/content.h>
#include "httpd.h"

#define POS_HALF	(1U << 31)
#define POS_BODY	(1056U << 20)
#define POS_BODY_CLOSE	(1264U << 20)
#define POS_BODY_END	(1472U << 20)
#define POS_FILE	(1535U << 20)
#define POS_EARLY	(2047U << 20)
#define POS_FILE_BITS	20
#define POS_FILE_EARLY	4096	/* so many bytes below the next id's are this much less than 0 of that one */
/*
 * Marks in the low bits of what is left, which is a multiple of 32 without: the response closes (one is our FIN, one
 * tells it from the client's FIN); packets get lost; the request is not acknowledged before the client has all of the
 * response.
 */
#define POS_CLOSE	2
#define POS_LOSSY	4
#define POS_OWES	8
#define POS_STAYS	(POS_LOSSY | POS_OWES)	/* what is still there when nothing is left */
#define POS_PAID	16	/* instead of POS_OWES behind our FIN, which has acknowledged the request: timestamps do not go back */

#define POS_KEEP	16	/* bytes; no request for an object is shorter */

_Static_assert(POS_PAID == 2 * POS_OWES, "POS_PAID");
_Static_assert(POS_FILE - POS_FILE_EARLY > POS_BODY_END, "POS_FILE");
_Static_assert(POS_FILE + ((__u64)NDIV_CONTENT_IDS << POS_FILE_BITS) <= POS_EARLY, "POS_FILE");
_Static_assert(NDIV_CONTENT_RESPONSE + POS_FILE_EARLY < 1U << POS_FILE_BITS, "NDIV_CONTENT_RESPONSE");

#define OBJECT_MAX	(1U << 30)
#define BODY_MAX	(POS_BODY_CLOSE - POS_BODY - (1U << 20)) /* of a request's body that is waited for */

/*
 * States that have no segments to be compared with would be met by one guess in five. So they are only there while this
 * few bytes have been sent on the connection.
 */
#define POS_NEAR	(1U << 24)

/*
 * What the id of a file adds to a state. The response and the packet that asks for it have to fit between two ids, with
 * those that come early.
 */
static __always_inline __u32 pos_of_file(__u32 id)
{
	return POS_FILE + (id << POS_FILE_BITS);
}

/* What the file in <left> adds to it, or 0: there is none. */
static __always_inline __u32 pos_file(__u32 left)
{
	__u32 id = (left - POS_FILE + POS_FILE_EARLY) >> POS_FILE_BITS;

	return id < NDIV_CONTENT_IDS ? pos_of_file(id) : 0;
}

/* The id in what pos_file() returned. */
static __always_inline __u32 pos_file_id(__u32 file)
{
	return (file - POS_FILE) >> POS_FILE_BITS & (NDIV_CONTENT_IDS - 1);
}

/* By what a timestamp grows whose state has <from> of a file to one that has <to>: less than 2^31, in either half. */
static __always_inline __u32 pos_grow(__u32 from, __u32 to)
{
	return (to - from) & ~POS_HALF;
}

/* What is left of a response: <left> without the mark; 0 if no response could stand there. */
static __always_inline __u32 pos_rem(__u32 left, __u32 unit, __u32 *mark)
{
	__u32 rem = left & ~15U;

	*mark = left & 15;
	return left >= POS_BODY || *mark & ~(POS_CLOSE | POS_STAYS) || rem % unit ? 0 : rem;
}

/* Nothing is left, <taken> bytes of the packet not counted? */
static __always_inline int pos_is_idle(__u32 left, __u32 taken)
{
	return !((left - taken) & ~POS_STAYS);
}

/* Nothing but to acknowledge the request, <taken> bytes of which the packet has? */
static __always_inline int pos_owes(__u32 left, __u32 taken)
{
	return ((left - taken) & ~POS_LOSSY) == POS_OWES;
}

/* How many segments a burst has that ends where the next one begins, with <window> bytes to fill. Each divides 12. */
static __always_inline __u32 pos_burst(__u32 window, __u32 unit)
{
	if (window >= 12 * unit)
		return 12;
	if (window >= 6 * unit)
		return 6;
	if (window >= 2 * unit)
		return 2;
	return window >= unit;
}

/*
 * How many of the <n> segments of a response go first: all of a burst, or as many as leave a multiple of later ones,
 * but not one alone if there is room for more, which the client would acknowledge with a delay only. More than that
 * would be sent twice: an acknowledgement that comes where a burst may begin asks for it.
 */
static __always_inline __u32 pos_first_burst(__u32 n, __u32 window, __u32 unit)
{
	__u32 fit = window / unit, k, first;

	if (fit > NDIV_BURST_MAX)
		fit = NDIV_BURST_MAX;
	k = pos_burst(window, unit);
	if (!k || n <= k)
		return k ? n : 0;
	first = n % k;
	if (first < 2 && first + k <= fit)
		first += k;
	return first ? first : k;
}

#endif

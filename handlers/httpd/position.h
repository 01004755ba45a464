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
 *	POS_EARLY and above	below 0: the client has sent more before it got our answer to what it had sent before
 *	anything else		so many bytes of a response has the client not acknowledged, and a mark
 *
 * Each of them is there twice, in both halves of the number space: when a body has come, the next state is in the other
 * half. So our timestamps only ever grow, by less than 2^31 at a time, as RFC 7323 wants it (5.2, PAWS).
 *
 * When a client retransmits, it sends its first unacknowledged byte again, with its current acknowledgement number. So
 * a request is acknowledged by the last segment of its response only: if something was lost, the client's timer is
 * ours. The first burst acknowledges nothing of it: if that is lost, the whole request comes again. Later ones, whose
 * place and end the client knows by then, leave POS_KEEP bytes: they do not tell us how long the request was. Each time
 * these come again, one of them is acknowledged, or the client would wait twice as long the next time.
 */
#ifndef NDIV_HTTPD_POSITION_H
#define NDIV_HTTPD_POSITION_H

#include "httpd.h"

#define POS_HALF	(1U << 31)
#define POS_BODY	(1056U << 20)
#define POS_BODY_CLOSE	(1264U << 20)
#define POS_BODY_END	(1472U << 20)
#define POS_EARLY	(2047U << 20)
/*
 * Marks in the low bits of what is left, which is a multiple of 16 without: the response closes (one is our FIN, one
 * tells it from the client's FIN); packets get lost.
 */
#define POS_CLOSE	2
#define POS_LOSSY	4

#define POS_KEEP	16	/* bytes; no request for an object is shorter */

#define OBJECT_MAX	(1U << 30)
#define BODY_MAX	(POS_BODY_CLOSE - POS_BODY - (1U << 20)) /* of a request's body that is waited for */

/*
 * States that have no segments to be compared with would be met by one guess in five. So they are only there while this
 * few bytes have been sent on the connection.
 */
#define POS_NEAR	(1U << 24)

/* What is left of a response: <left> without the mark; 0 if no response could stand there. */
static __always_inline __u32 pos_rem(__u32 left, __u32 unit, __u32 *mark)
{
	__u32 rem = left & ~15U;

	*mark = left & 15;
	return left >= POS_BODY || *mark & ~(POS_CLOSE | POS_LOSSY) || rem % unit ? 0 : rem;
}

/* Nothing is left, <taken> bytes of the packet not counted? */
static __always_inline int pos_is_idle(__u32 left, __u32 taken)
{
	return left == taken || left == taken + POS_LOSSY;
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

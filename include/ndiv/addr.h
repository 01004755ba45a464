/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * addr.h - what kind of address is it?
 *
 * A handler that answers asks this of both addresses: an answer to a group, or in its name, would multiply what came.
 */
#ifndef NDIV_ADDR_H
#define NDIV_ADDR_H

#include <ndiv/handler.h>

/* One host's: neither unspecified ("this network"), nor loopback, group, reserved or broadcast. */
static __always_inline int ndiv_is_host4(__be32 addr)
{
	__u8 first = *(const __u8 *)&addr;

	return first && first != 127 && first < 224;
}

/* One host's: no group, and nothing out of ::/64, where the unspecified, the loopback and the mapped addresses are. */
static __always_inline int ndiv_is_host6(const struct in6_addr *addr)
{
	return addr->in6_u.u6_addr8[0] != 0xff && (addr->in6_u.u6_addr32[0] | addr->in6_u.u6_addr32[1]);
}

/* Are both the same? */
static __always_inline int ndiv_is_same6(const struct in6_addr *a, const struct in6_addr *b)
{
	const __be32 *x = a->in6_u.u6_addr32, *y = b->in6_u.u6_addr32;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]));
}

#endif

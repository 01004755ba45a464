/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * prefix.h - options of type NDIV_OPT_PREFIXES: is an address in the list?
 *
 * For the few prefixes of an option, compared one by one; an empty list holds every address.
 */
#ifndef NDIV_PREFIX_H
#define NDIV_PREFIX_H

#include <ndiv/handler.h>

static __always_inline int ndiv_prefixes_empty(const volatile struct ndiv_prefixes *list)
{
	return !(list->count4 | list->count6);
}

static __always_inline int ndiv_prefixes_have4(const volatile struct ndiv_prefixes *list, __be32 addr)
{
	__u32 i;

	for (i = 0; i < NDIV_PREFIXES_MAX && i < list->count4; i++)
		if ((addr & list->list[i].mask[0]) == list->list[i].addr[0])
			return 1;
	return ndiv_prefixes_empty(list);
}

static __always_inline int ndiv_prefixes_have6(const volatile struct ndiv_prefixes *list, const struct in6_addr *addr)
{
	const __be32 *a = addr->in6_u.u6_addr32;
	const volatile struct ndiv_prefix *p;
	__u32 i;

	for (i = 0; i < NDIV_PREFIXES_MAX; i++) {
		/* The IPv4 ones come first: then the difference wraps. */
		if (i - list->count4 >= list->count6)
			continue;
		p = &list->list[i];
		if (!(((a[0] & p->mask[0]) ^ p->addr[0]) | ((a[1] & p->mask[1]) ^ p->addr[1]) |
		      ((a[2] & p->mask[2]) ^ p->addr[2]) | ((a[3] & p->mask[3]) ^ p->addr[3])))
			return 1;
	}
	return ndiv_prefixes_empty(list);
}

/* Is the destination of <pkt>, which is an IP packet, in the list? */
static __always_inline int ndiv_prefixes_have_dst(struct xdp_md *ctx, const struct ndiv_pkt *pkt,
						  const volatile struct ndiv_prefixes *list)
{
	const struct ipv6hdr *ip6;
	const struct iphdr *ip4;

	if (pkt->flags & NDIV_F_IPV4) {
		ip4 = ndiv_ptr(ctx, pkt->l3, sizeof(*ip4));
		return ip4 && ndiv_prefixes_have4(list, ip4->daddr);
	}
	ip6 = ndiv_ptr(ctx, pkt->l3, sizeof(*ip6));
	return ip6 && ndiv_prefixes_have6(list, &ip6->daddr);
}

#endif

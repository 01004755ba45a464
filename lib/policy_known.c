// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_known.c - the sets of prefixes that every policy has
 *
 * Sources that no packet from the internet can rightly have (bogons), and those that only networks of one's own have
 * (private), after IANA's registries of special-purpose addresses (RFC 6890 and those named below).
 */
#include <string.h>
#include "policy.h"

static const char *const bogons[] = {
	"0.0.0.0/8", /* this network: RFC 791 */
	"127.0.0.0/8", /* loopback: RFC 1122 */
	"192.0.0.0/24", /* protocol assignments: RFC 6890 */
	"192.0.2.0/24", /* documentation: RFC 5737 */
	"198.18.0.0/15", /* benchmarks: RFC 2544 */
	"198.51.100.0/24", /* documentation: RFC 5737 */
	"203.0.113.0/24", /* documentation: RFC 5737 */
	"224.0.0.0/4", /* multicast, no source: RFC 1112 */
	"240.0.0.0/4", /* reserved, and the broadcast address: RFC 1112, RFC 919 */
	"::/96", /* unspecified, loopback, IPv4-compatible: RFC 4291 */
	"::ffff:0.0.0.0/96", /* IPv4-mapped: RFC 4291 */
	"100::/64", /* discard only: RFC 6666 */
	"2001:2::/48", /* benchmarks: RFC 5180 */
	"2001:10::/28", /* ORCHID: RFC 4843 */
	"2001:db8::/32", /* documentation: RFC 3849 */
	"3fff::/20", /* documentation: RFC 9637 */
	"5f00::/16", /* segment identifiers: RFC 9602 */
	"fec0::/10", /* site-local, no longer: RFC 3879 */
	"ff00::/8", /* multicast, no source: RFC 4291 */
	NULL,
};

static const char *const private[] = {
	"10.0.0.0/8", /* RFC 1918 */
	"100.64.0.0/10", /* shared by the customers of a provider: RFC 6598 */
	"169.254.0.0/16", /* link-local: RFC 3927 */
	"172.16.0.0/12", /* RFC 1918 */
	"192.168.0.0/16", /* RFC 1918 */
	"fc00::/7", /* unique local: RFC 4193 */
	"fe80::/10", /* link-local: RFC 4291 */
	NULL,
};

static const struct {
	const char *name;
	const char *const *prefix;
} known[] = {
	{ "bogons", bogons },
	{ "private", private },
};

/* The prefixes of the set <name>, a list that NULL ends; or NULL. */
const char *const *known_set(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].name, name))
			return known[i].prefix;
	return NULL;
}

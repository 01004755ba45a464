// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_known.c - the sets of prefixes and ports that every policy has
 *
 * Sources that no packet from the internet can rightly have (bogons), and those that only networks of one's own have
 * (private), after IANA's registries of special-purpose addresses (RFC 6890 and those named below). And the UDP ports
 * of servers that answer a small question with a large answer, and so are made to flood others. docs/shield-policy.md
 * lists them all, too.
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
	"::/16", /* unspecified, loopback, IPv4 in IPv6: RFC 4291. Not 64:ff9b::/96, which is NAT64's: RFC 6052 */
	"100::/8", /* reserved, as those up to 1000::/4: RFC 4291; discard only: RFC 6666 */
	"200::/7",
	"400::/6",
	"800::/5",
	"1000::/4",
	"2001:2::/48", /* benchmarks: RFC 5180 */
	"2001:10::/28", /* ORCHID: RFC 4843 */
	"2001:db8::/32", /* documentation: RFC 3849 */
	"3ffe::/16", /* 6bone, no longer: RFC 3701 */
	"3fff::/20", /* documentation: RFC 9637 */
	"4000::/2", /* reserved, as those up to fe00::/9: RFC 4291; segment identifiers: RFC 9602 */
	"8000::/2",
	"c000::/3",
	"e000::/4",
	"f000::/5",
	"f800::/6",
	"fe00::/9",
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
	"64:ff9b:1::/48", /* NAT64 of a network of one's own: RFC 8215 */
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

static const __u16 amplifiers[] = {
	17, /* quote of the day */
	19, /* chargen */
	53, /* DNS */
	69, /* TFTP */
	111, /* portmap */
	123, /* NTP */
	137, /* NetBIOS */
	161, /* SNMP */
	389, /* CLDAP */
	427, /* SLP */
	520, /* RIP */
	1434, /* MS SQL */
	1900, /* SSDP */
	3283, /* Apple remote desktop */
	3389, /* RDP */
	3702, /* WS-Discovery */
	5353, /* mDNS */
	5683, /* CoAP */
	10001, /* Ubiquiti discovery */
	10074, /* TP-240 phone systems */
	11211, /* memcached */
	27015, /* Steam */
	27960, /* Quake */
	32414, /* Plex */
	37810, /* video recorders: DHCPDiscover */
};

/* Amplifying port <i>, from 0 on; below 0 behind the last one. */
int known_amplifier(size_t i)
{
	return i < sizeof(amplifiers) / sizeof(amplifiers[0]) ? amplifiers[i] : -1;
}

/* The prefixes of the set <name>, a list that NULL ends; or NULL. */
const char *const *known_set(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].name, name))
			return known[i].prefix;
	return NULL;
}

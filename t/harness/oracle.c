// SPDX-License-Identifier: GPL-2.0-only
/*
 * oracle.c - what the parser ought to say, by a second parser
 *
 * Slow and plain: every byte is fetched by byte_at(), which knows the bounds, and nothing is computed twice.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "oracle.h"
#include "pkt.h"

struct view {
	const uint8_t *data;
	size_t	linear;
	struct ndiv_pkt *pkt;
};

static const char *say(const char *fmt, ...)
{
	static char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return text;
}

/* Are bytes <at> to <at> + <n> - 1 in the first buffer? */
static int there(const struct view *v, size_t at, size_t n)
{
	return at + n <= v->linear;
}

static uint32_t bytes_at(const struct view *v, size_t at, size_t n)
{
	uint32_t x = 0;

	while (n--)
		x = x << 8 | v->data[at++];
	return x;
}

/* Offset of what follows the tags; the EtherType is then in pkt->eth_proto. */
static int see_vlans(const struct view *v, size_t *at)
{
	static const uint32_t flag[2] = { NDIV_F_VLAN1, NDIV_F_VLAN2 };
	uint16_t type = bytes_at(v, 12, 2);
	int i;

	*at = 14;
	for (i = 0; i < 2 && (type == 0x8100 || type == 0x88a8); i++) {
		if (!there(v, *at, 4))
			return NDIV_R_VLAN_SHORT;
		v->pkt->vlan[i] = bytes_at(v, *at, 2);
		v->pkt->vlan_proto[i] = htons(type);
		v->pkt->flags |= flag[i];
		type = bytes_at(v, *at + 2, 2);
		*at += 4;
	}
	v->pkt->eth_proto = htons(type);
	return 0;
}

static int see_tcp(const struct view *v)
{
	struct ndiv_pkt *pkt = v->pkt;
	uint32_t hlen;

	if (!there(v, pkt->l4, 20) || pkt->l4 + 20u > pkt->end)
		return NDIV_R_L4_SHORT;
	hlen = (bytes_at(v, pkt->l4 + 12, 1) >> 4) * 4;
	if (hlen < 20 || pkt->l4 + hlen > pkt->end)
		return NDIV_R_TCP_DOFF;
	pkt->payload = pkt->l4 + hlen;
	pkt->flags |= NDIV_F_TCP;
	return 0;
}

static int see_udp(const struct view *v)
{
	struct ndiv_pkt *pkt = v->pkt;
	uint32_t len;

	if (!there(v, pkt->l4, 8) || pkt->l4 + 8u > pkt->end)
		return NDIV_R_L4_SHORT;
	len = bytes_at(v, pkt->l4 + 4, 2);
	if (len < 8)
		return NDIV_R_UDP_LEN;
	/* the length is the whole datagram's: a first fragment holds less */
	if (!(pkt->flags & NDIV_F_FRAG_FIRST) && pkt->l4 + len > pkt->end)
		return NDIV_R_UDP_LEN;
	pkt->payload = pkt->l4 + 8;
	pkt->flags |= NDIV_F_UDP;
	return 0;
}

static int see_l4(const struct view *v, size_t at)
{
	struct ndiv_pkt *pkt = v->pkt;
	int v4 = pkt->flags & NDIV_F_IPV4;

	pkt->l4 = at;
	pkt->payload = at;
	if (pkt->flags & NDIV_F_FRAG_LATER)
		return 0;
	/* the longest header has to end within the first 16 kB, which is as far as handlers can reach */
	if (at + 60 > 16383)
		return NDIV_R_L4_SHORT;
	if (pkt->proto == 6)
		return see_tcp(v);
	if (pkt->proto == 17)
		return see_udp(v);
	if (pkt->proto != (v4 ? 1 : 58))
		return 0;
	if (!there(v, at, 8) || at + 8 > pkt->end)
		return NDIV_R_L4_SHORT;
	pkt->flags |= v4 ? NDIV_F_ICMP : NDIV_F_ICMP6;
	return 0;
}

/* A fragment of <len> bytes at <off>. */
static int fragment_is_bad(const struct view *v, uint32_t off, int more, uint32_t len)
{
	v->pkt->flags |= off ? NDIV_F_FRAG_LATER : NDIV_F_FRAG_FIRST;
	return off + len > 65535 || (more && len % 8);
}

static int see_ip4(const struct view *v, size_t l3)
{
	struct ndiv_pkt *pkt = v->pkt;
	uint32_t hlen, total, frag;

	if (!there(v, l3, 20))
		return NDIV_R_IP4_SHORT;
	if (bytes_at(v, l3, 1) >> 4 != 4)
		return NDIV_R_IP4_VERSION;
	hlen = (bytes_at(v, l3, 1) & 15) * 4;
	total = bytes_at(v, l3 + 2, 2);
	if (hlen < 20 || hlen > total)
		return NDIV_R_IP4_IHL;
	if (l3 + total > pkt->len)
		return NDIV_R_IP4_LEN;
	pkt->end = l3 + total;
	if (!there(v, l3, hlen))
		return NDIV_R_IP4_SHORT;
	if (pkt_fold(pkt_sum(v->data + l3, hlen, 0)) != 0xffff) {
		pkt->flags |= NDIV_F_L3_BAD;
		return NDIV_R_IP4_CSUM;
	}
	pkt->flags |= NDIV_F_IPV4 | (hlen > 20 ? NDIV_F_IP_EXT : 0);
	pkt->proto = bytes_at(v, l3 + 9, 1);
	frag = bytes_at(v, l3 + 6, 2);
	if (frag & 0x3fff && fragment_is_bad(v, frag % 0x2000 * 8, !!(frag & 0x2000), total - hlen))
		return NDIV_R_IP4_FRAG;
	return see_l4(v, l3 + hlen);
}

/* Length of the extension header at <at> of type <type> by its own word; 0: <type> is none. */
static uint32_t ext_len(const struct view *v, size_t at, uint8_t type)
{
	switch (type) {
	case 0:
	case 43:
	case 60:
		return (bytes_at(v, at + 1, 1) + 1) * 8;
	case 51:
		return (bytes_at(v, at + 1, 1) + 2) * 4;
	case 44:
		return 8;
	}
	return 0;
}

static int is_ext(uint8_t type)
{
	return type == 0 || type == 43 || type == 44 || type == 51 || type == 60;
}

static int see_exts(const struct view *v, size_t *at)
{
	struct ndiv_pkt *pkt = v->pkt;
	uint32_t len, frag, count = 0;
	uint8_t type;

	while (is_ext(pkt->proto) && !(pkt->flags & NDIV_F_FRAG_LATER)) {
		type = pkt->proto;
		if (++count > NDIV_EXT_MAX || !there(v, *at, 8) || *at + 8 > pkt->end)
			return NDIV_R_IP6_EXT;
		len = ext_len(v, *at, type);
		if (*at + len > pkt->end)
			return NDIV_R_IP6_EXT;
		pkt->flags |= NDIV_F_IP_EXT;
		pkt->proto = bytes_at(v, *at, 1);
		frag = bytes_at(v, *at + 2, 2);
		*at += len;
		if (type == 44 && frag & 0xfff9 &&
		    fragment_is_bad(v, frag & 0xfff8, frag & 1, pkt->end - *at))
			return NDIV_R_IP6_FRAG;
	}
	return 0;
}

static int see_ip6(const struct view *v, size_t l3)
{
	struct ndiv_pkt *pkt = v->pkt;
	size_t at = l3 + 40;
	uint32_t len;
	int bad;

	if (!there(v, l3, 40))
		return NDIV_R_IP6_SHORT;
	if (bytes_at(v, l3, 1) >> 4 != 6)
		return NDIV_R_IP6_VERSION;
	len = bytes_at(v, l3 + 4, 2);
	pkt->proto = bytes_at(v, l3 + 6, 1);
	if (at + len > pkt->len || (!len && pkt->proto != 59))
		return NDIV_R_IP6_LEN;
	pkt->end = at + len;
	pkt->flags |= NDIV_F_IPV6;
	bad = see_exts(v, &at);
	return bad ? bad : see_l4(v, at);
}

static int see(const struct view *v)
{
	struct ndiv_pkt *pkt = v->pkt;
	size_t at;
	int bad;

	if (!there(v, 0, 14))
		return NDIV_R_ETH_SHORT;
	bad = see_vlans(v, &at);
	if (bad)
		return bad;
	pkt->l3 = at;
	pkt->l4 = at;
	pkt->payload = at;
	if (pkt->eth_proto == htons(0x0800))
		return see_ip4(v, at);
	if (pkt->eth_proto == htons(0x86dd))
		return see_ip6(v, at);
	return 0;
}

void oracle_parse(const uint8_t *data, size_t linear, size_t len, struct ndiv_pkt *pkt)
{
	const struct view v = { .data = data, .linear = linear, .pkt = pkt };

	memset(pkt, 0, sizeof(*pkt));
	pkt->len = len;
	pkt->end = len;
	pkt->reason = see(&v);
	if (pkt->reason)
		pkt->flags |= NDIV_F_MALFORMED;
}

const char *oracle_flags(uint32_t flags)
{
	static const char *const names[] = {
		"IPV4",	   "IPV6",	"TCP",	      "UDP",   "ICMP",	"ICMP6",     "IP_EXT",
		"FRAG_FIRST", "FRAG_LATER", "VLAN1", "VLAN2", "MALFORMED", "L3_BAD",
	};
	static char text[256];
	size_t i, n = 0;

	text[0] = 0;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & 1U << i)
			n += snprintf(text + n, sizeof(text) - n, "%s%s", n ? "|" : "", names[i]);
	return text;
}

static const char *differ(const char *what, uint32_t got, uint32_t want)
{
	return got == want ? NULL : say("%s is %u and ought to be %u", what, got, want);
}

static uint32_t tag(const struct ndiv_pkt *pkt, int i)
{
	return (uint32_t)pkt->vlan_proto[i] << 16 | pkt->vlan[i];
}

/* Flags that are set, and flags that ought to be: a string of each. */
static const char *differ_flags(uint32_t got, uint32_t want)
{
	char text[256];

	if ((got & NDIV_F_PARSED) == (want & NDIV_F_PARSED))
		return NULL;
	snprintf(text, sizeof(text), "%s", oracle_flags(got));
	return say("flags are %s and ought to be %s", text, oracle_flags(want));
}

const char *oracle_compare(const struct ndiv_pkt *got, const struct ndiv_pkt *want)
{
	const char *bad = differ("reason", got->reason, want->reason);

	if (!bad)
		bad = differ_flags(got->flags, want->flags);
	if (!bad)
		bad = differ("len", got->len, want->len);
	if (!bad)
		bad = differ("end", got->end, want->end);
	if (!bad)
		bad = differ("l3", got->l3, want->l3);
	if (!bad && want->flags & NDIV_F_VLAN1)
		bad = differ("vlan[0]", tag(got, 0), tag(want, 0));
	if (!bad && want->flags & NDIV_F_VLAN2)
		bad = differ("vlan[1]", tag(got, 1), tag(want, 1));
	if (bad || want->reason)
		return bad;
	bad = differ("eth_proto", ntohs(got->eth_proto), ntohs(want->eth_proto));
	if (!bad)
		bad = differ("l4", got->l4, want->l4);
	if (!bad)
		bad = differ("payload", got->payload, want->payload);
	return bad ? bad : differ("proto", got->proto, want->proto);
}

const char *oracle_invariants(const struct ndiv_pkt *got)
{
	uint32_t l4 = NDIV_F_TCP | NDIV_F_UDP | NDIV_F_ICMP | NDIV_F_ICMP6;

	if (got->end > got->len)
		return say("end %u beyond len %u", got->end, got->len);
	if (got->l3 > got->len || got->l4 > got->end || got->payload > got->end)
		return say("offset beyond the packet: l3 %u l4 %u payload %u end %u", got->l3, got->l4, got->payload,
			   got->end);
	if (got->l3 > got->l4 || got->l4 > got->payload)
		return say("offsets out of order: l3 %u l4 %u payload %u", got->l3, got->l4, got->payload);
	if (!!got->reason != !!(got->flags & NDIV_F_MALFORMED))
		return say("reason %u and flags %s", got->reason, oracle_flags(got->flags));
	if (got->reason > NDIV_R_MALFORMED_LAST)
		return say("reason %u is none of the parser's", got->reason);
	if (got->flags & l4 && !(got->flags & (NDIV_F_IPV4 | NDIV_F_IPV6)))
		return say("L4 without L3: %s", oracle_flags(got->flags));
	if (__builtin_popcount(got->flags & l4) > 1)
		return say("several L4 protocols: %s", oracle_flags(got->flags));
	return NULL;
}

const char *oracle_judge(const uint8_t *data, size_t len, struct ndiv_pkt *pkt)
{
	size_t end;

	oracle_parse(data, len, len, pkt);
	if (pkt->reason)
		return say("malformed, reason %u", pkt->reason);
	if (!(pkt->flags & (NDIV_F_IPV4 | NDIV_F_IPV6)))
		return say("no IP packet");
	if (pkt->flags & NDIV_F_FRAG)
		return NULL;
	end = pkt->end;
	if (pkt->flags & NDIV_F_UDP && !get16(data + pkt->l4 + 6) && pkt->flags & NDIV_F_IPV4)
		return NULL;
	if (pkt->flags & NDIV_F_UDP)
		end = pkt->l4 + get16(data + pkt->l4 + 4);
	if (pkt->flags & (NDIV_F_TCP | NDIV_F_UDP | NDIV_F_ICMP | NDIV_F_ICMP6) &&
	    pkt_l4_sum(data, pkt->l3, pkt->l4, end, pkt->proto) != 0xffff)
		return say("L4 checksum wrong");
	return NULL;
}

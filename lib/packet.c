// SPDX-License-Identifier: GPL-2.0-only
/* packet.c - what the headers of a packet say, in words */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <ndiv/shield.h>

enum {
	ETH_IP4 = 0x0800, ETH_IP6 = 0x86dd, ETH_TAG = 0x8100, ETH_TAG2 = 0x88a8, ETH_ARP = 0x0806,
	PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58,
	EXT_HOP = 0, EXT_ROUTE = 43, EXT_FRAGMENT = 44, EXT_AUTH = 51, EXT_DEST = 60,
};

/* Bytes that are known. */
struct bytes {
	const uint8_t *p;
	size_t len;
};

static int has(const struct bytes *b, size_t off, size_t len)
{
	return off <= b->len && len <= b->len - off;
}

static uint32_t get16(const struct bytes *b, size_t off)
{
	return b->p[off] << 8 | b->p[off + 1];
}

static void read_l4(struct ndiv_headers *h, const struct bytes *b, size_t off)
{
	if ((h->proto == PROTO_TCP || h->proto == PROTO_UDP) && has(b, off, 4)) {
		h->ports = 1;
		h->sport = get16(b, off);
		h->dport = get16(b, off + 2);
		if (h->proto == PROTO_TCP && has(b, off, 14))
			h->flags = b->p[off + 13];
	}
	if ((h->proto == PROTO_ICMP || h->proto == PROTO_ICMP6) && has(b, off, 1))
		h->type = b->p[off];
}

static void read_ip4(struct ndiv_headers *h, const struct bytes *b, size_t off)
{
	uint32_t frag;

	if (!has(b, off, 20) || b->p[off] >> 4 != 4)
		return;
	h->ip = 4;
	inet_ntop(AF_INET, b->p + off + 12, h->src, sizeof(h->src));
	inet_ntop(AF_INET, b->p + off + 16, h->dst, sizeof(h->dst));
	h->proto = b->p[off + 9];
	frag = get16(b, off + 6);
	h->fragment = !!(frag & 0x3fff);
	if (!(frag & 0x1fff))
		read_l4(h, b, off + (b->p[off] & 15) * 4);
}

/* What follows the IPv6 header, by way of up to eight extension headers. */
static void read_next(struct ndiv_headers *h, const struct bytes *b, size_t off)
{
	int i;

	for (i = 0; i < 8 && has(b, off, 8); i++) {
		if (h->proto == EXT_FRAGMENT) {
			h->fragment = 1;
			h->proto = b->p[off];
			if (get16(b, off + 2) >> 3)
				return;
			off += 8;
		} else if (h->proto == EXT_HOP || h->proto == EXT_ROUTE || h->proto == EXT_DEST) {
			h->proto = b->p[off];
			off += 8 + b->p[off + 1] * 8;
		} else if (h->proto == EXT_AUTH) {
			h->proto = b->p[off];
			off += 8 + b->p[off + 1] * 4;
		} else {
			break;
		}
	}
	read_l4(h, b, off);
}

static void read_ip6(struct ndiv_headers *h, const struct bytes *b, size_t off)
{
	if (!has(b, off, 40) || b->p[off] >> 4 != 6)
		return;
	h->ip = 6;
	inet_ntop(AF_INET6, b->p + off + 8, h->src, sizeof(h->src));
	inet_ntop(AF_INET6, b->p + off + 24, h->dst, sizeof(h->dst));
	h->proto = b->p[off + 6];
	read_next(h, b, off + 40);
}

void ndiv_headers_read(struct ndiv_headers *h, const void *data, size_t len)
{
	const struct bytes b = { .p = data, .len = len };
	size_t off = 12;

	memset(h, 0, sizeof(*h));
	h->type = h->flags = -1;
	while (has(&b, off, 6) && off < 20 && (get16(&b, off) == ETH_TAG || get16(&b, off) == ETH_TAG2))
		off += 4;
	if (!has(&b, off, 2))
		return;
	h->eth_type = get16(&b, off);
	if (h->eth_type == ETH_IP4)
		read_ip4(h, &b, off + 2);
	else if (h->eth_type == ETH_IP6)
		read_ip6(h, &b, off + 2);
}

static const char *proto_name(const struct ndiv_headers *h, char *buf, size_t len)
{
	switch (h->proto) {
	case PROTO_TCP:
		return "TCP";
	case PROTO_UDP:
		return "UDP";
	case PROTO_ICMP:
		return "ICMP";
	case PROTO_ICMP6:
		return "ICMPv6";
	}
	snprintf(buf, len, "protocol %u", h->proto);
	return buf;
}

/* As tcpdump has them: "S", "SA"; "-" for none. */
static void flags_text(int flags, char *buf)
{
	static const char letters[] = "FSRPAUEC";
	int i;

	for (i = 0; letters[i]; i++)
		if (flags >> i & 1)
			*buf++ = letters[i];
	if (!flags)
		*buf++ = '-';
	*buf = 0;
}

static void port_text(const struct ndiv_headers *h, const char *addr, uint32_t port, char *buf, size_t len)
{
	const char *open = h->ip == 6 && h->ports ? "[" : "", *close = h->ip == 6 && h->ports ? "]" : "";
	int n = snprintf(buf, len, "%s%s%s", open, addr, close);

	if (h->ports)
		snprintf(buf + n, len - n, ":%u", port);
}

void ndiv_headers_text(const struct ndiv_headers *h, char *buf, size_t len)
{
	char src[64], dst[64], proto[24], more[24] = "", flags[10];

	if (!h->ip) {
		if (h->eth_type == ETH_ARP)
			snprintf(buf, len, "ARP");
		else
			snprintf(buf, len, "EtherType 0x%04x", h->eth_type);
		return;
	}
	port_text(h, h->src, h->sport, src, sizeof(src));
	port_text(h, h->dst, h->dport, dst, sizeof(dst));
	if (h->flags >= 0) {
		flags_text(h->flags, flags);
		snprintf(more, sizeof(more), " %s", flags);
	} else if (h->type >= 0) {
		snprintf(more, sizeof(more), " type %d", h->type);
	}
	snprintf(buf, len, "%s > %s %s%s%s", src, dst, proto_name(h, proto, sizeof(proto)), more,
		 h->fragment ? ", fragment" : "");
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * segment.c - shortens TCP segments: what was captured where a host sends, or behind its GRO, can be much longer than a
 * packet
 */
#include <string.h>
#include "segment.h"

enum {
	ETH_LEN = 14, TAG_LEN = 4, IP4_LEN = 20, IP6_LEN = 40, TCP_LEN = 20, PROTO_TCP = 6,
};

static uint32_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

/* Offset of what follows the Ethernet header and its tags, two at most; in <*type> its EtherType. */
static uint32_t skip_link(const uint8_t *p, uint32_t *type)
{
	uint32_t off = ETH_LEN, i;

	*type = get16(p + 12);
	for (i = 0; i < 2 && (*type == 0x8100 || *type == 0x88a8); i++) {
		*type = get16(p + off + 2);
		off += TAG_LEN;
	}
	return off;
}

static void sum_header(uint8_t *ip, uint32_t len)
{
	uint32_t sum = 0, i;

	put16(ip + 10, 0);
	for (i = 0; i < len; i += 2)
		sum += get16(ip + i);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~(sum + (sum >> 16)));
}

/* An IP header that TCP follows. <len_at>: offset of the field that has its length. */
struct header {
	uint32_t len, len_at, packet;	/* of the header; of the packet, with it */
};

/* 0, or -1: it is none. */
static int read_header(const uint8_t *ip, uint32_t type, struct header *h)
{
	if (type == 0x0800 && ip[0] >> 4 == 4) {
		*h = (struct header){ .len = (ip[0] & 15) * 4, .len_at = 2, .packet = get16(ip + 2) };
		return h->len < IP4_LEN || ip[9] != PROTO_TCP || get16(ip + 6) & 0x3fff ? -1 : 0;
	}
	if (type == 0x86dd && ip[0] >> 4 == 6) {
		*h = (struct header){ .len = IP6_LEN, .len_at = 4, .packet = IP6_LEN + get16(ip + 4) };
		return ip[6] != PROTO_TCP ? -1 : 0;
	}
	return -1;
}

uint32_t segment_shorten(uint8_t *p, uint32_t len, uint32_t max)
{
	uint32_t type, l3, l4, data, cut, seq;
	struct header h;
	uint8_t *ip, *th;

	if (len <= max || max < 256)
		return 0;
	l3 = skip_link(p, &type);
	ip = p + l3;
	if (read_header(ip, type, &h) || l3 + h.packet > len)
		return 0;
	l4 = l3 + h.len;
	th = p + l4;
	data = l4 + (th[12] >> 4) * 4;
	cut = len - max;
	/* padding behind the packet goes first */
	if (cut <= len - (l3 + h.packet))
		return max;
	cut -= len - (l3 + h.packet);
	if (data < l4 + TCP_LEN || data + cut > l3 + h.packet)
		return 0;
	seq = get16(th + 4) << 16 | get16(th + 6);
	seq += cut;
	put16(th + 4, seq >> 16);
	put16(th + 6, seq);
	put16(ip + h.len_at, get16(ip + h.len_at) - cut);
	if (type == 0x0800)
		sum_header(ip, h.len);
	return max;
}

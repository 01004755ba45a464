// SPDX-License-Identifier: GPL-2.0-only
/*
 * pkt.c - packets for tests and benchmarks, composed of layers
 *
 * Layers are written front to back; each puts its number into the next-header field in front of it. Then SET() edits
 * the fields, and the checksums come last.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/if_ether.h>
#include "pkt.h"

#define ETH_LEN		14
#define IP4_LEN		20
#define IP6_LEN		40

uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

uint8_t pkt_pattern(size_t i)
{
	return 'a' + i % 23;
}

uint32_t pkt_sum(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *p = data;
	size_t i;

	for (i = 0; i < len; i++) {
		sum += i & 1 ? p[i] : p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

uint16_t pkt_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

uint16_t pkt_l4_sum(const uint8_t *frame, size_t l3, size_t l4, size_t end, uint8_t proto)
{
	int v6 = frame[l3] >> 4 == 6;
	uint32_t sum = 0;

	if (v6)
		sum = pkt_sum(frame + l3 + 8, 32, 0);
	else if (proto != IPPROTO_ICMP)
		sum = pkt_sum(frame + l3 + 12, 8, 0);
	if (v6 || proto != IPPROTO_ICMP)
		sum += proto + ((end - l4) >> 16) + ((end - l4) & 0xffff);
	return pkt_fold(pkt_sum(frame + l4, end - l4, pkt_fold(sum)));
}

static void bug(const char *what)
{
	fprintf(stderr, "pkt_build: %s\n", what);
	abort();
}

/* Room for <len> more bytes of <p>, which are 0. */
static uint8_t *grow(struct pkt *p, size_t len)
{
	uint8_t *at = p->data + p->len;

	if (p->len + len > PKT_MAX)
		bug("packet too long");
	memset(at, 0, len);
	p->len += len;
	p->end = p->len;
	return at;
}

/* What follows is of EtherType <proto>. */
static void says_eth(struct pkt *p, uint16_t proto)
{
	if (!get16(p->data + p->l2_proto))
		put16(p->data + p->l2_proto, proto);
}

/* What follows is of IP protocol <proto>. */
static void says_ip(struct pkt *p, uint8_t proto)
{
	if (!p->ext_next)
		bug("no IP header in front");
	/* 0 is the number of hop-by-hop options, and what says_ip() has not filled in yet */
	if (!p->data[p->ext_next])
		p->data[p->ext_next] = proto;
}

static void add_eth(struct pkt *p, const struct pkt_layer *l)
{
	static const uint8_t none[6], client[6] = PKT_MAC_CLIENT, server[6] = PKT_MAC_SERVER;
	uint8_t *at;

	if (p->len)
		bug("Ethernet header within a packet");
	at = grow(p, ETH_LEN);
	memcpy(at, l && memcmp(l->eth.dst, none, 6) ? l->eth.dst : server, 6);
	memcpy(at + 6, l && memcmp(l->eth.src, none, 6) ? l->eth.src : client, 6);
	p->l2_proto = 12;
	if (l)
		put16(at + 12, l->eth.proto);
}

static void add_vlan(struct pkt *p, const struct pkt_layer *l)
{
	says_eth(p, l->vlan.tpid ? l->vlan.tpid : ETH_P_8021Q);
	put16(grow(p, 4), l->vlan.tci);
	p->l2_proto = p->len - 2;
}

static void add_ip4(struct pkt *p, const struct pkt_layer *l)
{
	uint8_t hlen = IP4_LEN + l->ip4.options;
	uint8_t *at;

	says_eth(p, ETH_P_IP);
	p->l3 = p->len;
	p->l3_hlen = hlen;
	at = grow(p, hlen);
	at[0] = 0x40 | hlen / 4;
	put16(at + 4, l->ip4.id);
	put16(at + 6, l->ip4.frag);
	at[8] = l->ip4.ttl ? l->ip4.ttl : 64;
	at[9] = l->ip4.proto;
	inet_pton(AF_INET, l->ip4.src ? l->ip4.src : PKT_IP4_CLIENT, at + 12);
	inet_pton(AF_INET, l->ip4.dst ? l->ip4.dst : PKT_IP4_SERVER, at + 16);
	memset(at + IP4_LEN, 1, l->ip4.options);
	p->ext_next = p->l3 + 9;
}

static void add_ip6(struct pkt *p, const struct pkt_layer *l)
{
	uint8_t *at;

	says_eth(p, ETH_P_IPV6);
	p->l3 = p->len;
	p->l3_hlen = IP6_LEN;
	p->v6 = 1;
	at = grow(p, IP6_LEN);
	at[0] = 0x60;
	at[6] = l->ip6.next;
	at[7] = l->ip6.hops ? l->ip6.hops : 64;
	inet_pton(AF_INET6, l->ip6.src ? l->ip6.src : PKT_IP6_CLIENT, at + 8);
	inet_pton(AF_INET6, l->ip6.dst ? l->ip6.dst : PKT_IP6_SERVER, at + 24);
	p->ext_next = p->l3 + 6;
}

static void add_ext(struct pkt *p, const struct pkt_layer *l)
{
	uint16_t len = l->ext.len ? l->ext.len : l->ext.type == IPPROTO_AH ? 24 : 8;
	uint8_t *at;

	says_ip(p, l->ext.type);
	p->ext = p->len;
	at = grow(p, len);
	at[1] = l->ext.type == IPPROTO_AH ? len / 4 - 2 : len / 8 - 1;
	/* one option PadN that fills the header; a routing header takes it for type 1, 0 segments left */
	if (l->ext.type != IPPROTO_AH && len <= 256 + 4) {
		at[2] = 1;
		at[3] = len - 4;
	}
	if (l->ext.type == IPPROTO_ROUTING)
		at[3] = 0;
	p->ext_next = p->ext;
}

static void add_frag(struct pkt *p, const struct pkt_layer *l)
{
	uint8_t *at;

	says_ip(p, IPPROTO_FRAGMENT);
	p->ext = p->len;
	at = grow(p, 8);
	at[0] = l->frag.next;
	put16(at + 2, l->frag.off | l->frag.more);
	put32(at + 4, 0x12345678);
	p->ext_next = p->ext;
}

/* Begins the L4 header of <len> bytes. */
static uint8_t *add_l4(struct pkt *p, uint8_t proto, size_t len)
{
	uint8_t *at;

	says_ip(p, proto);
	p->proto = proto;
	p->l4 = p->len;
	at = grow(p, len);
	p->payload = p->len;
	return at;
}

static void add_tcp(struct pkt *p, const struct pkt_layer *l)
{
	size_t options = (l->tcp.option_len + 3) / 4 * 4;
	uint8_t *at = add_l4(p, IPPROTO_TCP, 20 + options);

	put16(at, l->tcp.sport ? l->tcp.sport : 40000);
	put16(at + 2, l->tcp.dport ? l->tcp.dport : 8000);
	put32(at + 4, l->tcp.seq);
	put32(at + 8, l->tcp.ack);
	at[12] = (20 + options) / 4 << 4;
	at[13] = l->tcp.flags;
	put16(at + 14, l->tcp.window ? l->tcp.window : 64240);
	if (options)
		memcpy(at + 20, l->tcp.options, l->tcp.option_len);
}

static void add_udp(struct pkt *p, const struct pkt_layer *l)
{
	uint8_t *at = add_l4(p, IPPROTO_UDP, 8);

	put16(at, l->udp.sport ? l->udp.sport : 40000);
	put16(at + 2, l->udp.dport ? l->udp.dport : 53);
}

static void add_icmp(struct pkt *p, const struct pkt_layer *l)
{
	int v6 = l->type == PKT_ICMP6;
	uint8_t *at = add_l4(p, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, 8);

	at[0] = l->icmp.type;
	if (!l->icmp.type && !l->icmp.code)
		at[0] = v6 ? 128 : 8;
	if (!v6 && l->icmp.type == 0xff)
		at[0] = 0;
	at[1] = l->icmp.code;
	put16(at + 4, l->icmp.id);
	put16(at + 6, l->icmp.seq);
	p->payload = p->l4;
}

static void add_data(struct pkt *p, const struct pkt_layer *l)
{
	size_t i, len = l->data.text && !l->data.len ? strlen(l->data.text) : l->data.len;
	uint8_t *at = grow(p, len);

	for (i = 0; i < len; i++)
		at[i] = l->data.text ? l->data.text[i] : pkt_pattern(i);
}

static void add_pad(struct pkt *p, size_t len)
{
	size_t end = p->end, now = p->len;

	if (len <= now)
		return;
	memset(grow(p, len - now), 0xee, len - now);
	p->end = end;
}

/* Lengths and what is missing in next-header fields. */
static void add_lengths(struct pkt *p)
{
	/* nothing follows: "no next header"; hop-by-hop options are numbered 0, which is right as it is */
	if (p->ext_next && !p->data[p->ext_next] && !p->l4)
		p->data[p->ext_next] = IPPROTO_NONE;
	if (p->l3 && p->v6)
		put16(p->data + p->l3 + 4, p->end - p->l3 - IP6_LEN);
	else if (p->l3)
		put16(p->data + p->l3 + 2, p->end - p->l3);
	if (p->l4 && p->proto == IPPROTO_UDP)
		put16(p->data + p->l4 + 4, p->end - p->l4);
}

static void need(size_t at)
{
	if (!at)
		bug("SET() or BAD_SUM() of a layer that is not there");
}

static void set_field(struct pkt *p, enum pkt_field field, uint32_t v)
{
	uint8_t *l3 = p->data + p->l3, *ext = p->data + p->ext, *l4 = p->data + p->l4;

	need(field == F_ETH_PROTO ? 1 : field < F_EXT_LEN ? p->l3 : field < F_TCP_DOFF ? p->ext : p->l4);
	switch (field) {
	case F_ETH_PROTO:
		put16(p->data + p->l2_proto, v);
		break;
	case F_IP4_VERSION:
	case F_IP6_VERSION:
		l3[0] = v << 4 | (l3[0] & 15);
		break;
	case F_IP4_IHL:
		l3[0] = (l3[0] & 0xf0) | v;
		break;
	case F_IP4_LEN:
		put16(l3 + 2, v);
		break;
	case F_IP4_FRAG:
		put16(l3 + 6, v);
		break;
	case F_IP4_PROTO:
		l3[9] = v;
		break;
	case F_IP6_LEN:
		put16(l3 + 4, v);
		break;
	case F_IP6_NEXT:
		l3[6] = v;
		break;
	case F_EXT_LEN:
		ext[1] = v;
		break;
	case F_EXT_NEXT:
		ext[0] = v;
		break;
	case F_TCP_DOFF:
		l4[12] = v << 4;
		break;
	case F_UDP_LEN:
		put16(l4 + 4, v);
		break;
	case F_FIELDS:
		bug("no such field");
	}
}

/* Where the L4 checksum is, or 0. */
static size_t l4_check(const struct pkt *p)
{
	if (!p->l4)
		return 0;
	return p->l4 + (p->proto == IPPROTO_TCP ? 16 : p->proto == IPPROTO_UDP ? 6 : 2);
}

/* Over the length that the header claims now, as far as there are bytes. */
static void sum_ip4(struct pkt *p)
{
	uint8_t *l3 = p->data + p->l3;
	size_t hlen = (l3[0] & 15) * 4;

	if (hlen < IP4_LEN)
		hlen = IP4_LEN;
	if (p->l3 + hlen > p->len)
		hlen = p->len - p->l3;
	put16(l3 + 10, 0);
	put16(l3 + 10, ~pkt_fold(pkt_sum(l3, hlen, 0)));
}

void pkt_resum(struct pkt *p)
{
	size_t check = l4_check(p), end = p->end;
	uint16_t sum;

	/* UDP has a length of its own, which may be less */
	if (check && p->proto == IPPROTO_UDP && get16(p->data + p->l4 + 4) >= 8 &&
	    p->l4 + get16(p->data + p->l4 + 4) < end)
		end = p->l4 + get16(p->data + p->l4 + 4);
	if (check) {
		put16(p->data + check, 0);
		sum = ~pkt_l4_sum(p->data, p->l3, p->l4, end, p->proto);
		put16(p->data + check, sum || p->proto != IPPROTO_UDP ? sum : 0xffff);
	}
	if (p->l3 && !p->v6)
		sum_ip4(p);
}

static void bad_sum(struct pkt *p, enum pkt_sum which)
{
	size_t check = which == SUM_IP4 ? p->l3 + 10 : l4_check(p);

	need(which == SUM_IP4 ? p->l3 : check);
	if (which == SUM_NONE)
		put16(p->data + check, 0);
	else
		put16(p->data + check, get16(p->data + check) ^ 0x0101);
}

static void add_layer(struct pkt *p, const struct pkt_layer *l)
{
	switch (l->type) {
	case PKT_VLAN:
		return add_vlan(p, l);
	case PKT_IP4:
		return add_ip4(p, l);
	case PKT_IP6:
		return add_ip6(p, l);
	case PKT_EXT:
		return add_ext(p, l);
	case PKT_FRAG:
		return add_frag(p, l);
	case PKT_TCP:
		return add_tcp(p, l);
	case PKT_UDP:
		return add_udp(p, l);
	case PKT_ICMP:
	case PKT_ICMP6:
		return add_icmp(p, l);
	case PKT_DATA:
		return add_data(p, l);
	case PKT_PAD:
		return add_pad(p, l->pad.len);
	default:
		return;
	}
}

void pkt_build(struct pkt *p, const struct pkt_layer *layers)
{
	const struct pkt_layer *l;

	memset(p, 0, offsetof(struct pkt, data));
	add_eth(p, layers->type == PKT_ETH ? layers : NULL);
	for (l = layers; l->type; l++)
		add_layer(p, l);
	add_lengths(p);
	for (l = layers; l->type; l++)
		if (l->type == PKT_SET)
			set_field(p, l->set.field, l->set.value);
	pkt_resum(p);
	for (l = layers; l->type; l++)
		if (l->type == PKT_BAD_SUM)
			bad_sum(p, l->bad);
}

const char *pkt_differs(const uint8_t *data, size_t len, const uint8_t *want, size_t want_len)
{
	static char text[100];
	size_t i;

	for (i = 0; i < len && i < want_len; i++) {
		if (data[i] == want[i])
			continue;
		snprintf(text, sizeof(text), "byte %zu is %02x and not %02x (%zu, %zu bytes)", i, data[i], want[i], len,
			 want_len);
		return text;
	}
	if (len == want_len)
		return NULL;
	snprintf(text, sizeof(text), "%zu bytes and not %zu", len, want_len);
	return text;
}

// SPDX-License-Identifier: GPL-2.0-only
/* shapes.c - the frames of floods */
#include <string.h>
#include <arpa/inet.h>
#include "pkt.h"
#include "shapes.h"

#define FA	(TH_FIN | TH_ACK)
#define SA	(TH_SYN | TH_ACK)
#define LAYERS	3
#define V4	SHAPES_V4
#define V6	SHAPES_V6

/* What of the transport's header is another one in each frame. */
enum varied {
	VARY_NONE,
	VARY_TCP,		/* source port, both numbers */
	VARY_UDP,		/* destination port */
	VARY_ICMP,		/* identifier and number */
};

struct kind {
	const char *name;
	uint32_t families;		/* a shape for each of them */
	enum varied varied;
	uint16_t frag;			/* of IPv4 */
	struct pkt_layer layer[LAYERS];	/* behind IP; TCP is for the port that is asked for */
};

#define LINUX_SYN	.option_len = 20, .options = "\2\4\5\xb4\4\2\x8\xa\1\2\3\4\0\0\0\0\1\3\3\7"
#define STAMPS		.option_len = 12, .options = "\1\1\x8\xa\1\2\3\4\5\6\7\x8"

static const struct kind kinds[] = {
	{ "syn", V4 | V6, VARY_TCP, 0, { TCP(.flags = TH_SYN, LINUX_SYN) } },
	{ "ack", V4 | V6, VARY_TCP, 0, { TCP(.flags = TH_ACK) } },
	{ "ack", V4 | V6, VARY_TCP, 0, { TCP(.flags = TH_ACK, STAMPS) } },
	{ "data", V4 | V6, VARY_TCP, 0, { TCP(.flags = TH_ACK | TH_PSH), DATA(400) } },
	{ "synack", V4 | V6, VARY_TCP, 0, { TCP(.flags = SA, .option_len = 4, .options = "\2\4\5\xb4") } },
	{ "rst", V4 | V6, VARY_TCP, 0, { TCP(.flags = TH_RST) } },
	{ "fin", V4 | V6, VARY_TCP, 0, { TCP(.flags = FA) } },
	{ "flags", V4 | V6, VARY_TCP, 0, { TCP(.flags = 0) } },
	{ "flags", V4 | V6, VARY_TCP, 0, { TCP(.flags = TH_SYN | TH_FIN) } },
	{ "flags", V4 | V6, VARY_TCP, 0, { TCP(.flags = TH_FIN | TH_PSH | TH_URG) } },
	/* what DNS, NTP and memcached are made to send to somebody else */
	{ "udp", V4 | V6, VARY_UDP, 0, { UDP(.sport = 53), DATA(1200) } },
	{ "udp", V4, VARY_UDP, 0, { UDP(.sport = 123), DATA(440) } },
	{ "udp", V4, VARY_UDP, 0, { UDP(.sport = 11211), DATA(1400) } },
	{ "icmp", V4, VARY_ICMP, 0, { ICMP(), DATA(56) } },
	{ "icmp", V6, VARY_ICMP, 0, { ICMP6(), DATA(56) } },
	{ "fragment", V4, VARY_NONE, 0x2000, { TCP(.flags = TH_ACK), DATA(404) } },
	{ "fragment", V4, VARY_NONE, 50, { TCP(.flags = TH_ACK), DATA(400) } },
	{ "malformed", V4, VARY_NONE, 0, { TCP(.flags = TH_SYN), SET(F_IP4_LEN, 1400) } },
	{ "malformed", V4, VARY_NONE, 0, { TCP(.flags = TH_SYN), SET(F_IP4_IHL, 3) } },
	{ "malformed", V4, VARY_NONE, 0, { TCP(.flags = TH_SYN), SET(F_TCP_DOFF, 3) } },
	{ "malformed", V6, VARY_NONE, 0, { TCP(.flags = TH_SYN), SET(F_TCP_DOFF, 15) } },
	{ "malformed", V4, VARY_NONE, 0, { UDP(.sport = 53), SET(F_UDP_LEN, 1000) } },
};

const char *const shapes_kinds[] = { "syn", "ack", "data", "synack", "rst", "fin", "flags", "udp", "icmp", "fragment",
				     "malformed", "mixed", NULL };

struct words {
	struct flood_shape *shape;
	uint32_t count;
};

static void add(struct words *w, size_t off, int in_ip, int in_l4, uint32_t mask)
{
	w->shape->word[w->count++] = (struct flood_word){ off, in_ip, in_l4, htonl(mask) };
}

/* The source: 17 bits of it, or <far> all of them, or 64 of IPv6. */
static void vary_source(struct words *w, const struct pkt *p, int in_l4, int far)
{
	if (!p->v6) {
		add(w, p->l3 + 12, 1, in_l4, far ? ~0U : ~FLOOD_MASK4);
		return;
	}
	add(w, p->l3 + 12, 0, in_l4, ~0U);
	add(w, p->l3 + 20, 0, in_l4, ~0U);
}

static size_t vary_transport(struct words *w, const struct pkt *p, enum varied varied)
{
	switch (varied) {
	case VARY_TCP:
		add(w, p->l4, 0, 1, 0xffff0000);
		add(w, p->l4 + 4, 0, 1, ~0U);
		add(w, p->l4 + 8, 0, 1, ~0U);
		return p->l4 + 16;
	case VARY_UDP:
		add(w, p->l4, 0, 1, 0x0000ffff);
		return p->l4 + 6;
	case VARY_ICMP:
		add(w, p->l4 + 4, 0, 1, ~0U);
		return p->l4 + 2;
	default:
		return 0;
	}
}

/* The checksum at <off>, inverted, as it lies in memory. */
static uint16_t base_of(const struct pkt *p, size_t off)
{
	uint16_t sum = 0;

	if (off)
		memcpy(&sum, p->data + off, sizeof(sum));
	return ~sum;
}

/* <k> by <family>, with what varies set to 0. */
static void build(struct pkt *p, const struct kind *k, uint32_t family, uint16_t port, int far)
{
	const struct pkt_layer ip4 = IP4(.src = far ? "0.0.0.0" : "198.18.0.0", .frag = k->frag);
	const struct pkt_layer ip6 = IP6(.src = "2001:db8::");
	struct pkt_layer layers[LAYERS + 2] = { family == V4 ? ip4 : ip6 };
	int i;

	for (i = 0; i < LAYERS; i++) {
		layers[i + 1] = k->layer[i];
		if (layers[i + 1].type == PKT_TCP)
			layers[i + 1].tcp.dport = port;
	}
	pkt_build(p, layers);
	if (k->varied == VARY_TCP) {
		memset(p->data + p->l4, 0, 2);
		memset(p->data + p->l4 + 4, 0, 8);
	} else if (k->varied == VARY_UDP) {
		memset(p->data + p->l4 + 2, 0, 2);
	} else if (k->varied == VARY_ICMP) {
		memset(p->data + p->l4 + 4, 0, 4);
	}
	if (k->varied != VARY_NONE)
		pkt_resum(p);
}

static void make(struct flood_shape *shape, const struct kind *k, uint32_t family, uint16_t port, int far)
{
	struct words w = { .shape = shape };
	static struct pkt p;

	build(&p, k, family, port, far);
	memset(shape, 0, sizeof(*shape));
	memcpy(shape->frame, p.data, p.len);
	shape->len = p.len;
	/* of ICMP no address is in the sum */
	vary_source(&w, &p, k->varied != VARY_NONE && !(k->varied == VARY_ICMP && !p.v6), far);
	shape->ip_sum = p.v6 ? 0 : p.l3 + 10;
	shape->l4_sum = vary_transport(&w, &p, k->varied);
	shape->ip_base = base_of(&p, shape->ip_sum);
	shape->l4_base = base_of(&p, shape->l4_sum);
}

uint32_t shapes_make(struct flood_shape *shapes, const char *kind, uint32_t families, uint16_t port)
{
	int all = !strcmp(kind, "mixed"), far = !!(families & SHAPES_FAR4);
	uint32_t count = 0, family;
	const struct kind *k;

	for (k = kinds; k < kinds + sizeof(kinds) / sizeof(kinds[0]); k++)
		for (family = V4; family <= V6 && (all || !strcmp(k->name, kind)); family++)
			if (k->families & families & family && count < FLOOD_SHAPES)
				make(&shapes[count++], k, family, port, far);
	return count;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pkt.h - packets for tests and benchmarks, composed of layers
 *
 * A packet is an array of layers, outermost first, that ends with a zero one:
 *
 *	static const struct pkt_layer syn[] = { VLAN(.tci = 10), IP4(), TCP(.dport = 8000, .flags = TH_SYN), { 0 } };
 *
 * What is left out is right by itself: addresses, lengths, next headers, checksums. SET() breaks one header field after
 * that; the checksums are computed over what SET() wrote, so that a row tests the field it names and not the checksum;
 * BAD_SUM() breaks a checksum.
 */
#ifndef T_PKT_H
#define T_PKT_H

#include <stddef.h>
#include <stdint.h>

#define PKT_MAX		16384
#define PKT_LAYERS	20	/* of a packet in a table */

/* Both ends, as in the lab. */
#define PKT_MAC_CLIENT	{ 0x02, 0x00, 0x00, 0x00, 0x77, 0x01 }
#define PKT_MAC_SERVER	{ 0x02, 0x00, 0x00, 0x00, 0x77, 0x02 }
#define PKT_IP4_CLIENT	"10.77.0.1"
#define PKT_IP4_SERVER	"10.77.0.2"
#define PKT_IP6_CLIENT	"fd77::1"
#define PKT_IP6_SERVER	"fd77::2"

enum pkt_tcp_flag {
	TH_FIN = 0x01,
	TH_SYN = 0x02,
	TH_RST = 0x04,
	TH_PSH = 0x08,
	TH_ACK = 0x10,
	TH_URG = 0x20,
};

enum pkt_type {
	PKT_END = 0,
	PKT_ETH,
	PKT_VLAN,
	PKT_IP4,
	PKT_IP6,
	PKT_EXT,
	PKT_FRAG,
	PKT_TCP,
	PKT_UDP,
	PKT_ICMP,
	PKT_ICMP6,
	PKT_DATA,
	PKT_PAD,
	PKT_SET,
	PKT_BAD_SUM,
};

/* Header fields that SET() can break. The last layer of that kind is meant, the first one for F_EXT0. */
enum pkt_field {
	F_ETH_PROTO = 0,	/* behind the tags */
	F_IP4_VERSION,
	F_IP4_IHL,
	F_IP4_LEN,
	F_IP4_FRAG,
	F_IP4_PROTO,
	F_IP6_VERSION,
	F_IP6_LEN,
	F_IP6_NEXT,
	F_EXT_LEN,		/* of the last extension header, fragment header included */
	F_EXT_NEXT,
	F_TCP_DOFF,
	F_UDP_LEN,
	F_FIELDS,
};

enum pkt_sum {
	SUM_IP4 = 1,		/* the IPv4 header checksum is wrong */
	SUM_L4,			/* the L4 checksum is wrong */
	SUM_NONE,		/* the L4 checksum is 0, "none" for UDP */
};

struct pkt_layer {
	enum pkt_type type;
	union {
		struct {
			uint8_t dst[6], src[6];		/* all 0: the lab's */
			uint16_t proto;			/* 0: by what follows */
		} eth;
		struct {
			uint16_t tci;
			uint16_t tpid;			/* 0: 802.1Q */
		} vlan;
		struct {
			const char *src, *dst;		/* NULL: the lab's */
			uint8_t ttl;			/* 0: 64 */
			uint8_t proto;			/* 0: by what follows */
			uint8_t options;		/* bytes of options (NOP), a multiple of 4 */
			uint16_t id;
			uint16_t frag;			/* flags and offset as on the wire */
		} ip4;
		struct {
			const char *src, *dst;
			uint8_t hops;			/* 0: 64 */
			uint8_t next;			/* 0: by what follows */
		} ip6;
		struct {
			uint8_t type;			/* IPPROTO_HOPOPTS, _ROUTING, _DSTOPTS, _AH */
			uint16_t len;			/* bytes, 0: 8 */
		} ext;
		struct {
			uint16_t off;			/* bytes, a multiple of 8 */
			uint8_t more;
			uint8_t next;			/* 0: by what follows */
		} frag;
		struct {
			uint16_t sport, dport;		/* 0: 40000, 8000 */
			uint32_t seq, ack;
			uint8_t flags;
			uint16_t window;		/* 0: 64240 */
			const char *options;		/* as they are; padded to a multiple of 4 */
			uint8_t option_len;
		} tcp;
		struct {
			uint16_t sport, dport;		/* 0: 40000, 53 */
		} udp;
		struct {
			uint8_t type, code;		/* 0 and 0: echo request; type 0xff: echo reply of ICMP */
			uint16_t id, seq;
		} icmp;
		struct {
			const char *text;		/* NULL: a pattern */
			uint16_t len;			/* 0: of the text */
		} data;
		struct {
			uint16_t len;			/* the frame is filled up to that with 0xee */
		} pad;
		struct {
			enum pkt_field field;
			uint32_t value;
		} set;
		enum pkt_sum bad;
	};
};

#define ETH(...)	{ .type = PKT_ETH, .eth = { __VA_ARGS__ } }
#define VLAN(...)	{ .type = PKT_VLAN, .vlan = { __VA_ARGS__ } }
#define IP4(...)	{ .type = PKT_IP4, .ip4 = { __VA_ARGS__ } }
#define IP6(...)	{ .type = PKT_IP6, .ip6 = { __VA_ARGS__ } }
#define EXT(t, ...)	{ .type = PKT_EXT, .ext = { (t), __VA_ARGS__ } }
#define FRAG(...)	{ .type = PKT_FRAG, .frag = { __VA_ARGS__ } }
#define TCP(...)	{ .type = PKT_TCP, .tcp = { __VA_ARGS__ } }
#define UDP(...)	{ .type = PKT_UDP, .udp = { __VA_ARGS__ } }
#define ICMP(...)	{ .type = PKT_ICMP, .icmp = { __VA_ARGS__ } }
#define ICMP6(...)	{ .type = PKT_ICMP6, .icmp = { __VA_ARGS__ } }
#define DATA(n)		{ .type = PKT_DATA, .data = { .len = (n) } }
#define TEXT(s)		{ .type = PKT_DATA, .data = { .text = (s) } }
#define BYTES(s)	{ .type = PKT_DATA, .data = { .text = (s), .len = sizeof(s) - 1 } }
#define PAD(n)		{ .type = PKT_PAD, .pad = { .len = (n) } }
#define SET(f, v)	{ .type = PKT_SET, .set = { (f), (v) } }
#define BAD_SUM(s)	{ .type = PKT_BAD_SUM, .bad = (s) }

/* A built packet. Offsets are 0 where there is no such layer. */
struct pkt {
	size_t	len;
	size_t	end;		/* of the IP packet, by what was built: padding follows */
	size_t	l2_proto;	/* where the EtherType behind the tags is */
	size_t	l3;
	size_t	ext;		/* the last extension header */
	size_t	ext_next;	/* the next-header byte in front of what is built now */
	size_t	l4;
	size_t	payload;
	uint8_t	l3_hlen;	/* as built */
	uint8_t	v6;
	uint8_t	proto;		/* of l4 */
	_Alignas(8) uint8_t data[PKT_MAX];
};

/* Builds <layers> into <p>. Aborts on a composition that makes no sense: that is a bug of the test. */
void pkt_build(struct pkt *p, const struct pkt_layer *layers);

/* Computes the checksums of <p> again, after its bytes were edited. */
void pkt_resum(struct pkt *p);

/* Sum of <len> bytes as RFC 1071 has it, byte by byte, not inverted; <sum> is what was added up so far. */
uint32_t pkt_sum(const void *data, size_t len, uint32_t sum);
uint16_t pkt_fold(uint32_t sum);

/* Sum of L4 part and pseudo header of the packet at <l3>; 0xffff if its checksum is right. */
uint16_t pkt_l4_sum(const uint8_t *frame, size_t l3, size_t l4, size_t end, uint8_t proto);

uint16_t get16(const uint8_t *p);
uint32_t get32(const uint8_t *p);
void put16(uint8_t *p, uint16_t v);
void put32(uint8_t *p, uint32_t v);

/* Are <len> bytes at <data> those at <want>? NULL, or what differs first, in static memory until the next call. */
const char *pkt_differs(const uint8_t *data, size_t len, const uint8_t *want, size_t want_len);

/* Byte <i> of the pattern of DATA(). */
uint8_t pkt_pattern(size_t i);

#endif

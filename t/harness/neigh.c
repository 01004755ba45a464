// SPDX-License-Identifier: GPL-2.0-only
/*
 * neigh.c - the right answers to questions of ARP and neighbour discovery, by the RFCs
 */
#include <string.h>
#include <arpa/inet.h>
#include "neigh.h"
#include "oracle.h"

static int is_one_of(const uint8_t *mac, const char *a, const char *b)
{
	return !memcmp(mac, a, 6) || (b && !memcmp(mac, b, 6));
}

/* From the frame's sender, one host and not us, of whom the packet says as well that it is he. */
static int right_sender(const uint8_t *frame, const uint8_t *said)
{
	return !(frame[6] & 1) && memcmp(frame + 6, M_SERVER, 6) && (!said || !memcmp(frame + 6, said, 6));
}

static void head_back(uint8_t *to, const uint8_t *from)
{
	memmove(to, from + 6, 6);
	memcpy(to + 6, M_SERVER, 6);
}

/* RFC 826: the reply to the request at <l3>, or 0. */
static size_t right_arp(uint8_t *to, const struct pkt *from, size_t l3)
{
	const uint8_t *p = from->data + l3, *sender = p + 14, *target = p + 24;

	if (from->len < l3 + 28 || memcmp(p, ARP_HEAD "\0\1", 8))
		return 0;
	if (!right_sender(from->data, p + 8) || !is_one_of(from->data, M_SERVER, "\xff\xff\xff\xff\xff\xff"))
		return 0;
	if (target[0] != 10 || (target[1] != 78 && target[1] != 79) || !memcmp(target, I_EXCEPT, 4))
		return 0;
	if (!memcmp(sender, target, 4))
		return 0;
	if (memcmp(sender, I_NONE, 4) && (!sender[0] || sender[0] == 127 || sender[0] >= 224))
		return 0;
	memcpy(to, from->data, from->len);
	head_back(to, from->data);
	memcpy(to + l3, ARP_HEAD "\0\2" M_SERVER, 14);
	memcpy(to + l3 + 14, target, 4);
	memcpy(to + l3 + 18, p + 8, 10);
	return from->len < 60 ? from->len : 60;
}

/* Options from <at> to <end>: sound, and no other sender than the frame's; <dad>: none at all. */
static int right_options(const uint8_t *frame, size_t at, size_t end, int dad)
{
	int count = 0;
	size_t len;

	for (; at < end; at += len, count++) {
		len = at + 2 <= end ? frame[at + 1] * 8 : 0;
		if (!len || at + len > end)
			return 0;
		if (frame[at] == 1 && (dad || len != 8 || !right_sender(frame, frame + at + 2)))
			return 0;
	}
	return count <= 8;
}

static int is_host6(const uint8_t *a)
{
	return a[0] != 0xff && memcmp(a, "\0\0\0\0\0\0\0\0", 8);
}

/* Is the frame, are both addresses those of a question to <target>? */
static int right_way(const uint8_t *frame, const uint8_t *ip, const uint8_t *target)
{
	static const uint8_t none[16];
	const uint8_t *src = ip + 8, *dst = ip + 24;
	uint8_t group[16] = "\xff\2\0\0\0\0\0\0\0\0\0\1\xff", mac[6] = "\x33\x33\xff";
	int dad = !memcmp(src, none, 16);

	if (!right_sender(frame, NULL) || (!dad && (!is_host6(src) || !memcmp(src, target, 16))))
		return 0;
	if (!memcmp(dst, target, 16))
		return !dad && is_one_of(frame, M_SERVER, NULL);
	memcpy(group + 13, target + 13, 3);
	memcpy(mac + 3, target + 13, 3);
	return !memcmp(dst, group, 16) && is_one_of(frame, M_SERVER, (char *)mac);
}

static void write_na(uint8_t *to, const struct pkt *from, const struct ndiv_pkt *pkt, int dad)
{
	const uint8_t *ip = from->data + pkt->l3;
	uint8_t *l4 = to + pkt->l4;

	memcpy(to, from->data, pkt->l4);
	head_back(to, from->data);
	memcpy(to + pkt->l3, "\x60\0\0\0\0\x20\x3a\xff", 8);
	memcpy(to + pkt->l3 + 8, ip + 48, 16);
	memcpy(to + pkt->l3 + 24, dad ? (const uint8_t *)"\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1" : ip + 8, 16);
	memcpy(l4, dad ? "\x88\0\0\0\x20\0\0\0" : "\x88\0\0\0\x60\0\0\0", 8);
	memcpy(l4 + 8, ip + 48, 16);
	memcpy(l4 + 24, TARGET_MAC, 8);
	put16(l4 + 2, ~pkt_l4_sum(to, pkt->l3, pkt->l4, pkt->l4 + 32, 58));
}

/* RFC 4861, 7.1.1 and 7.2.4: the advertisement, or 0. */
static size_t right_na(uint8_t *to, const struct pkt *from, const struct ndiv_pkt *pkt)
{
	const uint8_t *ip = from->data + pkt->l3, *l4 = from->data + pkt->l4, *target = l4 + 8;
	int dad = !memcmp(ip + 8, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);

	if (l4[0] != 135 || l4[1] || ip[7] != 255 || pkt->flags & (NDIV_F_FRAG | NDIV_F_IP_EXT))
		return 0;
	if (pkt->end < pkt->l4 + 24u || pkt_l4_sum(from->data, pkt->l3, pkt->l4, pkt->end, 58) != 0xffff)
		return 0;
	if (memcmp(target, T_SIM, 4) || !memcmp(target, "\xfd\x78\0\0\0\0\0\0\0\0\0\0\0\0\0\x09", 16))
		return 0;
	if (!right_way(from->data, ip, target) || !right_options(from->data, pkt->l4 + 24, pkt->end, dad))
		return 0;
	write_na(to, from, pkt, dad);
	return pkt->l4 + 32;
}

size_t neigh_answer(uint8_t *to, const struct pkt *from)
{
	struct ndiv_pkt pkt;

	oracle_parse(from->data, from->len, from->len, &pkt);
	if (pkt.reason)
		return 0;
	if (pkt.eth_proto == htons(0x0806))
		return right_arp(to, from, pkt.l3);
	return pkt.flags & NDIV_F_ICMP6 ? right_na(to, from, &pkt) : 0;
}

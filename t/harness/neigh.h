/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * neigh.h - questions of ARP and neighbour discovery, and the right answers, by the RFCs
 */
#ifndef T_NEIGH_H
#define T_NEIGH_H

#include <stddef.h>
#include <stdint.h>
#include "pkt.h"

/* MAC addresses, as text and as bytes */
#define M_CLIENT	"\x02\0\0\0\x77\x01"
#define M_SERVER	"\x02\0\0\0\x77\x02"
#define M_OTHER		"\x02\0\0\0\x77\x03"
#define M_NONE		"\0\0\0\0\0\0"
#define B_OTHER		{ 2, 0, 0, 0, 0x77, 3 }
#define B_ALL		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }
#define B_GROUP(n)	{ 0x33, 0x33, 0xff, 0, 0, (n) }

#define TO_ALL		ETH(.dst = B_ALL)
#define TO_CLIENT	ETH(.dst = PKT_MAC_CLIENT, .src = PKT_MAC_SERVER)
#define TO_GROUP(n)	ETH(.dst = B_GROUP(n))

/* 10.78.1.5 and fd78::5 are simulated; so are all of 10.78.0.0/15 and fd78::/32, but for the ones that end in 9. */
#define I_CLIENT	"\x0a\x4d\0\1"
#define I_SIM		"\x0a\x4e\1\5"
#define I_SIM2		"\x0a\x4f\xff\xff"
#define I_EXCEPT	"\x0a\x4e\1\x09"
#define I_STRANGE	"\x0a\x50\0\1"
#define I_NONE		"\0\0\0\0"
#define ARP_HEAD	"\0\1\x08\0\6\4"
#define ARP(op, sm, si, tm, ti)	BYTES(ARP_HEAD op sm si tm ti), SET(F_ETH_PROTO, 0x0806)
#define ASK(ti)		ARP("\0\1", M_CLIENT, I_CLIENT, M_NONE, ti)
#define TELL(si)	ARP("\0\2", M_SERVER, si, M_CLIENT, I_CLIENT)

#define T_SIM		"\xfd\x78\0\0\0\0\0\0\0\0\0\0\0\0\0\5"
#define SOURCE_MAC(m)	"\1\1" m
#define TARGET_MAC	"\2\1" M_SERVER
#define NONCE		"\x0e\1\1\2\3\4\5\6"
#define G_SIM		"ff02::1:ff00:5"
#define NS_IP(d, ...)	IP6(.dst = (d), .hops = 255, __VA_ARGS__)
#define NS(bytes)	ICMP6(.type = 135), BYTES(bytes)
#define NA_IP(s, d)	IP6(.src = (s), .dst = (d), .hops = 255)
#define NA(f, t)	ICMP6(.type = 136, .id = (f)), BYTES(t TARGET_MAC)
/* The most usual ones. */
#define SOLICIT		NS_IP(G_SIM), NS(T_SIM SOURCE_MAC(M_CLIENT))
#define ADVERTISE	NA_IP("fd78::5", PKT_IP6_CLIENT), NA(0x6000, T_SIM)
#define DEFEND		NA_IP("fd78::5", "ff02::1"), NA(0x2000, T_SIM)

/*
 * The answer that <from> must get, whatever it is, into <to>: its length, or 0: none. 10.78.0.0/15 and fd78::/32 are
 * simulated, but for 10.78.1.9 and fd78::9.
 */
size_t neigh_answer(uint8_t *to, const struct pkt *from);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shield.h - configuration, counters and drop reasons of shield, its clock, and what a packet is for it
 */
#ifndef NDIV_SHIELD_H
#define NDIV_SHIELD_H

#include <ndiv/hash.h>
#include <ndiv/limit.h>
#include <ndiv/prefix.h>
#include <ndiv/skb.h>
#include "table.h"

enum {
	TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32, TCP_ECE = 64, TCP_CWR = 128,

	TCP_LEN = 20,		/* header without options */
};

enum shield_window {
	SHIELD_WINDOW_CHECK,
	SHIELD_WINDOW_IGNORE,
};

struct shield_config {
	struct ndiv_ports ports;
	struct ndiv_prefixes addr;
	__u32	above;			/* SYNs per second of a service above which they are answered with cookies */
	__u32	unknown;		/* SYNs per second to services that are not known */
	__u32	learn;			/* s */
	__u32	lookups;		/* per second, after that */
	__u32	bans;			/* that the table has room for: read by the library, which makes it */
	__u8	window;			/* enum shield_window */
};

enum shield_counter {
	SHIELD_COOKIE_SENT,
	SHIELD_COOKIE_GOOD,
	SHIELD_SYN_PASSED,		/* below the rate, or to a service that is not known */
	SHIELD_SYN_PROBE,		/* passed, to see what the service answers now */
	SHIELD_HANDOVER,		/* connections handed to their listener */
	SHIELD_FLOW_SENT,		/* flows entered for what the host sent */
	SHIELD_FLOW_FOUND,		/* flows entered because the kernel has a socket for them */
	SHIELD_EVICTED,			/* flows that had to go before their time: half-open or closed ones */
	SHIELD_SERVICE,			/* services learnt, or learnt anew */
	SHIELD_UNTRACKED,		/* sent, but the table has no room for the flow */
	SHIELD_BAN_SET,			/* bans that rules have set */
	SHIELD_BAN_DRY,			/* ... and that dry ones would have */
	SHIELD_BAN_EVICTED,		/* automatic bans that had to go for others */
	SHIELD_BAN_FULL,		/* automatic bans for which there was no place */
};

enum shield_reason {
	SHIELD_R_FLAGS = 1,
	SHIELD_R_COOKIE,		/* ACK: no flow, and no cookie of ours */
	SHIELD_R_NO_FLOW,		/* the same of packets that cannot carry a cookie */
	SHIELD_R_WINDOW,
	SHIELD_R_CHECKSUM,
	SHIELD_R_OPTIONS,
	SHIELD_R_SYN_LIMIT,
	SHIELD_R_TX_FULL,
	SHIELD_R_TABLE_FULL,
	SHIELD_R_FRAGMENT,
	SHIELD_R_NOT_OPEN,		/* a segment that overtook the one that opens the connection */
	SHIELD_R_REFUSED,		/* the listener has gone, or cannot be handed connections */
	SHIELD_R_DENIED,		/* by a rule of the policy */
	SHIELD_R_LIMITED,		/* by the rate of a rule */
	SHIELD_R_BANNED,
	SHIELD_R_HEADERS,		/* IPv6: more extension headers than are read */
};

extern const volatile struct shield_config config;
extern const volatile struct ndiv_key ndiv_key;

extern volatile struct shield_clock shield_clock;

/*
 * Set by `ndiv replay`: packets come out of a file. There are no sockets: while shield learns, what belongs to no flow
 * is taken for part of a connection that is older than the file.
 */
extern const volatile __u8 shield_replays;

/* The clock stands still, and <skew> alone is the time: for replays, and tests that no machine is too slow for. */
extern const volatile __u8 shield_still;

extern volatile struct shield_secrets shield_secrets;

/* One TCP packet, from the side of the local host: it came from "remote", or is sent there. */
struct shield_tcp {
	__u32	remote[4], local[4];	/* IPv4: the first word */
	__be16	rport, lport;
	__u8	v6;
	__u8	flags;
	__u32	seq, ack;
	__u32	len;			/* in sequence numbers: SYN and FIN count */
	__u16	window;
};

static __always_inline __u64 shield_now(void)
{
	return (shield_still ? 0 : bpf_ktime_get_coarse_ns()) + shield_clock.skew;
}

#endif

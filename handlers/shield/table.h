/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.h - what shield keeps in its maps, for the kernel's side and for user space
 */
#ifndef NDIV_SHIELD_TABLE_H
#define NDIV_SHIELD_TABLE_H

#include <linux/types.h>

#define SHIELD_INLINE	inline __attribute__((always_inline, unused))

/*
 * The clock. <skew> (u) is added to the kernel's monotonic one: tests move time by it. <since>: when the first packet
 * came (ms), from which the time of learning counts.
 */
struct shield_clock {
	__u64	skew;
	__u64	since;
};

/* ns to ms: less than a second off in ten years, and without a division. */
static SHIELD_INLINE __u64 shield_ms(__u64 ns)
{
	return (ns >> 20) * 17592186 >> 24;
}

/*
 * --- secrets of the cookies: section .data.secrets
 *
 * One that machines share, and the one before it; without one, the handler's own random key is at work. User space
 * writes all of it: first the former one's place, when nobody uses it any more, then <now>.
 */
struct shield_secret {
	__u64	k[2];
	__u64	ahead;		/* ms from this machine's clock to that of the cookies, which all machines share */
	__u64	number;		/* of the change by which it came: its keys in caches go by it; 0: random, not shared */
};

struct shield_secrets {
	struct shield_secret of[2];
	__u64	until;		/* ms: until when cookies of the former one are good */
	__u32	now;		/* 0 or 1 */
	__u32	pad;
};
_Static_assert(sizeof(struct shield_secrets) == 80, "struct shield_secrets");

#define SECRET_GRACE	82000	/* ms that cookies of the former secret are good: as long as any */

/* --- flows: map shield_flows */

#define FLOW_SLOTS	(1U << 21)	/* twice as many as flows that are sure to find a place */
#define FLOW_GROUP	8		/* slots whose hints are one word */
#define FLOW_GROUPS	(FLOW_SLOTS / FLOW_GROUP)

enum flow_bits {
	FLOW_SYN	= 1,	/* this side has sent a SYN */
	FLOW_SEEN	= 2,	/* ... something with an ACK and no SYN */
	FLOW_FIN	= 4,
	FLOW_FIN_TAKEN	= 8,	/* ... an ACK of the other side's FIN */
	FLOW_RST	= 16,
	FLOW_LIBERAL	= 32,	/* remote: entered in the middle, so nobody knows the windows */
	FLOW_COOKIE	= 64,	/* remote: opened by a cookie */
};

enum flow_state {
	FLOW_SYN_SENT,		/* by the local side */
	FLOW_SYN_RECV,		/* the local side has answered one */
	FLOW_OPENING,		/* a good cookie came, the local side has sent nothing yet */
	FLOW_OPEN,
	FLOW_CLOSING,		/* one FIN */
	FLOW_LAST_ACK,		/* two, not all acknowledged */
	FLOW_TIME_WAIT,
	FLOW_CLOSED,		/* reset */
};

struct shield_flow {
	__u32	tag;		/* 0: empty */
	__u16	tag2;
	__u16	stamp;		/* of its last packet, units of 2.048 s */
	__u32	end[2];		/* behind the last that a side has sent */
	__u32	max[2];		/* up to which it may send: what the other side takes */
	__u16	window[2];	/* largest one that a side has announced, not scaled */
	__u8	bits[2];	/* enum flow_bits */
	__u8	scale;		/* remote side's: low half; local side's: high half */
	__u8	pad;
};
_Static_assert(sizeof(struct shield_flow) == 32, "struct shield_flow");

static SHIELD_INLINE enum flow_state flow_state(const struct shield_flow *f)
{
	__u8 remote = f->bits[0], local = f->bits[1], fins = (remote & FLOW_FIN) + (local & FLOW_FIN);

	if ((remote | local) & FLOW_RST)
		return FLOW_CLOSED;
	if (fins == 2 * FLOW_FIN)
		return remote & local & FLOW_FIN_TAKEN ? FLOW_TIME_WAIT : FLOW_LAST_ACK;
	if (fins)
		return FLOW_CLOSING;
	if (remote & FLOW_COOKIE && !(local & FLOW_SEEN))
		return FLOW_OPENING;
	if (remote & local & FLOW_SEEN)
		return FLOW_OPEN;
	if (remote & FLOW_SEEN)
		return remote & FLOW_LIBERAL || local & FLOW_SYN ? FLOW_OPEN : FLOW_SYN_RECV;
	if (local & FLOW_SEEN)
		return FLOW_OPEN;
	return remote & FLOW_SYN ? FLOW_SYN_RECV : FLOW_SYN_SENT;
}

/* --- services: map shield_services */

#define SERVICES	4096

enum service_flags {
	SERVICE_KNOWN	= 1,
	SERVICE_TS	= 2,	/* what the namespace allows */
	SERVICE_SACK	= 4,
	SERVICE_WSCALE	= 8,
	SERVICE_ECN	= 16,
	SERVICE_SCALED	= 32,	/* wscale is valid */
	SERVICE_REFUSES	= 64,	/* connections cannot be handed to it */
};

struct shield_service {
	__u32	addr[4];
	__be16	port;
	__u8	v6;
	__u8	flags;
	__u16	window;
	__u16	mss;		/* that it announces */
	__u8	wscale;
	__u8	pad[3];
	__u64	seen;		/* ms: when it has answered last */
	__u64	probe;		/* ms: when the next SYN is to be passed */
	__u64	hot;		/* ms: until when SYNs are answered with cookies */
	__u64	bucket;		/* of SYNs, see limit.h */
};
_Static_assert(sizeof(struct shield_service) == 64, "struct shield_service is one cache line");

/* The first place that the service at <addr> (IPv4: its first word) and <port> may have. */
static SHIELD_INLINE __u32 service_slot(const __u32 *addr, __be16 port, int v6)
{
	__u32 sum = addr[0] ^ (__u32)port << 16;

	if (v6)
		sum ^= addr[1] ^ addr[2] ^ addr[3];
	return sum * 0x9e3779b1U >> 16 & (SERVICES - 1);
}

#endif

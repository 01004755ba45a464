/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flow.h - whole connections of a web client, simulated: its TCP, its application, and the wire
 *
 * The server is the handler under test, run packet by packet. The client is a TCP of its own, written from RFC 9293,
 * 7323, 2018 and 2883: it knows nothing of how the server keeps its state. Time is virtual, chance is seeded: a run
 * that fails fails again. Whatever the server sends is judged when it leaves, before the wire may lose it.
 */
#ifndef T_FLOW_H
#define T_FLOW_H

#include <stdint.h>
#include "pkt.h"
#include "run.h"

#define FLOW_PORT	8000
#define FLOW_ASKS	64	/* requests of a connection, at most */

/* What the client is like, and what it does. */
enum flow_trait {
	FLOW_V6 = 1,
	FLOW_TS = 2,		/* timestamps */
	FLOW_SACK = 4,
	FLOW_DSACK = 8,
	FLOW_LAZY = 16,		/* PSH does not make it acknowledge at once */
	FLOW_STRICT = 32,	/* PAWS without the slack of 1 that Linux has */
	FLOW_MERGE = 64,	/* what it sends again begins at the first missing byte, and takes along what follows */
	FLOW_PIPELINE = 128,	/* does not wait for responses, a packet for each request */
	FLOW_ONE_PACKET = 256,	/* likewise, several requests in a packet */
	FLOW_FIN_WITH = 512,	/* FIN with the last request */
	FLOW_FIN_BEHIND = 1024,	/* FIN in a packet of its own, right behind the last request */
	FLOW_NO_ACK = 2048,	/* the first request completes the handshake */
	FLOW_OLD = 4096,	/* before each packet, the server gets all former ones again */
	FLOW_SHRINK = 8192,	/* takes back windows that it has announced */
	FLOW_PROBE = 16384,	/* keep-alive probes between requests: a second of silence, a probe, an answer */
	FLOW_PROBE_BYTE = 32768, /* likewise with a byte of garbage */
	FLOW_TALK = 65536,	/* goes on sending behind the server's FIN */
	FLOW_SLOW_FIN = 131072,	/* closes two seconds after the server */
};

/* Chances are per mille, of packets in each direction. */
struct flow_wire {
	uint16_t loss, dup, reorder;
	uint32_t delay_us;	/* one way */
};

struct flow_setup {
	const char *name;
	uint32_t traits;	/* enum flow_trait */
	uint16_t tag;		/* VLAN; 0: none */
	uint16_t mss;		/* 0: no such option */
	uint16_t port;		/* 0: 40000 */
	uint16_t cut;		/* bytes of a packet of a request, at most; 0: MSS */
	uint8_t	wscale;		/* 0: no such option */
	uint32_t isn, tsval;
	uint32_t buffer;	/* receive buffer; 0: 65535 bytes; more needs <wscale> */
	uint32_t rate;		/* bytes that the application reads in a millisecond; 0: all at once */
	struct flow_wire wire;
	uint32_t kbit;		/* that the wire carries in a second, from server to client; 0: any number */
	uint32_t seed;
};

#define FLOW_EITHER	2	/* it depends on what the server gets first */

/* A request, and what has to come back. */
struct flow_ask {
	char	head[256];	/* its header */
	uint32_t body;		/* bytes of its body */
	uint32_t size;		/* of the object */
	int	status;
	int	is_text;	/* the response is some text, and no object */
	int	head_only;	/* the response to HEAD */
	int	close;		/* the response closes; or FLOW_EITHER */
	int	expect;		/* the body waits for 100 (Continue) */
};

/* What a connection has taken. */
struct flow_cost {
	uint32_t stream;	/* bytes that the client has got in order */
	uint64_t sent;		/* bytes of payload that the server has sent */
	uint32_t answers;	/* packets that it has sent */
	uint32_t paws;		/* packets that the client did not believe for their timestamp */
	uint32_t timeouts;	/* of the client's retransmission timer */
	uint64_t us;		/* virtual time */
	int	stalled;	/* nobody had anything to say any more, but not all had been said */
};

/* Composes <ask>: an object of <size> bytes; <how>: more header lines, or "". */
void flow_get(struct flow_ask *ask, uint32_t size, const char *how);
void flow_head(struct flow_ask *ask, uint32_t size);
void flow_post(struct flow_ask *ask, uint32_t body, int expect);

/*
 * Runs one connection of <count> requests through handler <id>. Returns NULL, or what went wrong, with the virtual
 * time, in static memory. <cost> is filled in either case.
 */
const char *flow_run(struct run *r, uint32_t id, const struct flow_setup *setup, const struct flow_ask *asks,
		     uint32_t count, struct flow_cost *cost);

#endif

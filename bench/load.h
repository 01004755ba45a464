/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load.h - what the load source's handler (load.bpf.c), its starter (start.bpf.c) and its user side (source.c) share
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <ndiv/abi.h>

#define LOAD_BODY_MAX	8960		/* bytes of the longest object that is asked for */
#define LOAD_BODY_MIN	32		/* and of the shortest: so much is always behind a header that is looked at */
#define LOAD_TEXT_MAX	504		/* bytes of a request */
#define LOAD_START_MAX	128		/* bytes of a SYN */
#define LOAD_STAMP	28		/* of a SYN: offset of its timestamp, behind MSS and two NOPs, in the TCP header */

/*
 * The client's sequence numbers, counted from a number that its port has, are all that it remembers of a connection:
 *
 *	31      24 23                          6 5    1  0
 *	generation  requests so far (times step)  mark   FIN
 *
 * The generation is how often the port was used before; it makes each connection newer than the last one. The mark is
 * the round in which the connection was last counted as alive: requests are a multiple of LOAD_STEP bytes long, but for
 * one that moves the mark. The server acknowledges these numbers, and so tells them again with every answer.
 */
#define LOAD_STEP	64
#define LOAD_MARKS	32
#define LOAD_MARK(pos)	((pos) >> 1 & (LOAD_MARKS - 1))
#define LOAD_GEN_SHIFT	24
#define LOAD_GEN_MASK	0xff
#define LOAD_POS_MASK	((1U << LOAD_GEN_SHIFT) - 1)

/* Where the sequence numbers of a client's port begin. */
static inline __attribute__((always_inline)) __u32 load_base(__u32 port)
{
	__u32 x = port * 0x9e3779b1;

	return (x ^ x >> 15) * 0x85ebca6b;
}

/* Requests in all lengths that there can be: the mark moves by -31 to 31. */
#define LOAD_MOVES	64

struct load_text {
	__u32	sum;		/* of the bytes, not folded */
	__u32	len;
	char	bytes[LOAD_TEXT_MAX];
};
_Static_assert(sizeof(struct load_text) == 512, "struct load_text");

enum load_text_kind {
	LOAD_KEEP,		/* the connection goes on */
	LOAD_CLOSE,		/* its last request */
	LOAD_KINDS,
};

/* What is asked and what has to be answered. (u), before the first packet. */
struct load_job {
	struct load_text text[LOAD_KINDS][LOAD_MOVES];
	char	body[LOAD_BODY_MAX + 8];
};

/* What changes while it runs. */
struct load_live {
	__u64	begun;		/* connections so far: number of the next one (k) */
	__s64	surplus;		/* of connections, to be taken off (u, k) */
	__u32	mark;		/* of the round, below LOAD_MARKS (u) */
	__u32	stop;		/* no new connections, and no requests on those there are (u) */
	__u32	hint;		/* where in the last answer the line with the length was (k) */
	__u32	gen;		/* generation of the connection that was begun last (k) */
	__u32	gen_first;	/* of this source's first one: older ones are another's (u) */
	__u32	pad[7];
};
_Static_assert(sizeof(struct load_live) == 64, "struct load_live is one cache line");

/* Options of the handler, and what the starter has to know of them. */
struct load_config {
	struct ndiv_ports ports; /* of the client */
	__u16	port;		/* of the server */
	__u8	stamps;		/* with timestamps */
	__u8	pad;
	__u32	size;		/* of the object */
	__u32	step;		/* bytes of a request that does not move the mark */
	__u32	limit;		/* bytes of all requests of a connection */
};

/* Of the starter: the SYN of a port 0 with sequence number and timestamp 0. */
struct load_start {
	struct load_config config;
	__u32	len;
	__u32	l4;
	__u32	sum;		/* of the TCP header and its pseudo header, not folded */
};

/* Counters and drop reasons of the handler. */
enum load_counter {
	LOAD_SYN,		/* connections begun, in place of ended ones */
	LOAD_SYNACK,
	LOAD_REQUEST,		/* repeated ones, too */
	LOAD_RESPONSE,		/* right in every respect */
	LOAD_ALIVE,		/* connections that moved the mark */
	LOAD_FIN,		/* connections closed by both sides */
	LOAD_RESET,		/* by the server */
	LOAD_RETIRED,		/* reset by us: surplus, or at the end */
	LOAD_STALE,		/* likewise: of a source that was here before */
	LOAD_WRONG_STATUS,
	LOAD_WRONG_HEADER,	/* no Content-Length, another one, or no empty line where the header has to end */
	LOAD_WRONG_BODY,
	LOAD_WRONG_SEQ,		/* the answer is not the next thing that the server had to say */
	LOAD_WRONG_SHORT,	/* shorter than the object: cut in several segments, perhaps */
	LOAD_WRONG_ACK,		/* acknowledges what was not sent */
};

#define LOAD_WRONG_FIRST	LOAD_WRONG_STATUS
#define LOAD_WRONG_LAST		LOAD_WRONG_ACK
#define LOAD_COUNTERS		(LOAD_WRONG_LAST + 1)

enum load_reason {
	LOAD_R_ACK = 1,		/* nothing new in it */
	LOAD_R_RST,
	LOAD_R_CHECKSUM,
	LOAD_R_FLAGS,
	LOAD_R_NO_STAMP,	/* the server has forgotten our timestamps */
	LOAD_R_END,		/* a connection ended, and none is to follow */
	LOAD_R_WAIT,		/* the answer to the last request: the server's FIN has to follow */
};

#endif

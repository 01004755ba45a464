/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * httpd.h - configuration, counters and drop reasons of httpd, and what its handler tells its builder
 */
#ifndef NDIV_HTTPD_H
#define NDIV_HTTPD_H

#include <ndiv/handler.h>

struct httpd_config {
	struct ndiv_ports ports;
	struct ndiv_prefixes addr;
	__u32	syn_rate;	/* SYN-ACKs per second; 0: no limit */
};

enum httpd_counter {
	HTTPD_SYN,
	HTTPD_GET,
	HTTPD_HEAD,
	HTTPD_POST,		/* or PUT */
	HTTPD_OTHER_METHOD,
	HTTPD_2XX,
	HTTPD_3XX,
	HTTPD_4XX,
	HTTPD_5XX,
	HTTPD_CLOSE,		/* responses that close */
	HTTPD_FIN,
	HTTPD_BYTES,		/* of payload, sent */
	HTTPD_SEGMENTS,		/* with payload, sent */
	HTTPD_NEXT_BURST,	/* bursts sent because the one before was acknowledged */
	HTTPD_AGAIN,		/* requests that came again, answered from where the client is */
	HTTPD_HOLE,		/* segments sent again because the client told of a hole */
	HTTPD_BODY,		/* packets of request bodies */
	HTTPD_PROBE,		/* keep-alive probes */
	HTTPD_LAST_ACK,		/* requests acknowledged because the client has all of the response */
	HTTPD_FILE,		/* responses from the site that is loaded */
	HTTPD_STALE,		/* transfers whose file has been taken away: reset */
};

enum httpd_reason {
	HTTPD_R_ACK = 1,	/* nothing to answer; taken, because the stack knows no such connection */
	HTTPD_R_RST,
	HTTPD_R_FLAGS,
	HTTPD_R_COOKIE,
	HTTPD_R_CHECKSUM,
	HTTPD_R_OPTIONS,
	HTTPD_R_TX_FULL,
	HTTPD_R_UNREADABLE,	/* the request cannot be copied (does not happen) */
	HTTPD_R_EARLY,		/* sent before the answer to what came before it: the client will send it again */
	HTTPD_R_WINDOW,		/* the client's window has no room for a segment: it will tell when it has */
	HTTPD_R_SYN_RATE,	/* above the limit of SYN-ACKs: the client will ask again */
	HTTPD_R_JUST_SENT,	/* the same acknowledgement again: what follows it is on its way */
	HTTPD_R_STALE,		/* the file was taken away just now: the client will ask again */
};

/* What kind of packet the builder makes. */
enum httpd_kind {
	HTTPD_K_SYNACK,
	HTTPD_K_OBJECT,		/* segments of an object's response, the first ones or later ones */
	HTTPD_K_FILE,		/* segments of a file's response, likewise */
	HTTPD_K_TEXT,		/* a response with a text, in one segment */
	HTTPD_K_FIN,		/* FIN and ACK */
	HTTPD_K_ACK,
	HTTPD_K_RST,
};

enum httpd_args_flag {
	HTTPD_A_FIN = 1,	/* the response closes: its last segment has FIN */
	HTTPD_A_HEAD = 2,	/* header only */
	HTTPD_A_HEADER = 4,	/* the first segment begins with the header */
	HTTPD_A_SACK = 8,	/* SYN-ACK: SACK is permitted */
	HTTPD_A_WSCALE = 16,	/* SYN-ACK: windows are scaled */
	HTTPD_A_OWES = 8,	/* response: the last segment acknowledges no more than the others */
	HTTPD_A_KEEP = 16,	/* all but the last segment acknowledge POS_KEEP bytes less than that one, see position.h */
	HTTPD_A_ONE = 32,	/* they acknowledge one byte; neither flag: none */
	HTTPD_A_TWICE = 64,	/* the last segment is sent twice */
	HTTPD_A_PARTS = 128,	/* a file of several segments: all but its last one tell the id */
};

/*
 * From handler to builder. A packet without payload may end before the place where the asking one has its timestamps:
 * so those of its answer are here. Sequence and acknowledgement numbers in host byte order.
 */
struct httpd_args {
	__u8	kind;
	__u8	ts;		/* offset of the timestamp option in the asking packet's TCP header; 0: it has none */
	__u8	flags;		/* enum httpd_args_flag */
	__u8	page;		/* text: enum httpd_page; object: index of its status; file: enum ndiv_content_variant */
	union {
		struct {			/* no payload */
			__u32	seq, ack;
			__be32	tsval, tsecr;
		};
		struct {			/* response */
			__u32	delta;		/* our timestamp, from the one that the asking packet echoes */
			__u32	rem;		/* bytes from the first segment on; HEAD: size of the object */
			__u16	first;		/* bytes of the first segment */
			__u16	unit;		/* bytes of the later ones, but the second one may be shorter */
			__u16	acked;		/* bytes of the asking packet that the last segment acknowledges */
			union {
				__u8	pad;	/* bytes of X-Pad */
				__u16	id;	/* of a file */
			};
		};
	};
};
_Static_assert(sizeof(struct httpd_args) == NDIV_ARGS_LEN, "struct httpd_args");

#endif

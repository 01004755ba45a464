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
};

enum httpd_counter {
	HTTPD_SYN,
	HTTPD_GET,
	HTTPD_HEAD,
	HTTPD_OTHER_METHOD,
	HTTPD_2XX,
	HTTPD_4XX,
	HTTPD_CLOSE,		/* responses that close */
	HTTPD_FIN,
	HTTPD_RST_SENT,
};

enum httpd_reason {
	HTTPD_R_ACK = 1,	/* taken: the stack knows no such connection */
	HTTPD_R_RST,
	HTTPD_R_FLAGS,
	HTTPD_R_COOKIE,
	HTTPD_R_CHECKSUM,
	HTTPD_R_OPTIONS,
	HTTPD_R_TX_FULL,
	HTTPD_R_UNREADABLE,	/* the request cannot be copied (does not happen) */
};

/* What kind of packet the builder makes. */
enum httpd_kind {
	HTTPD_K_SYNACK,
	HTTPD_K_RESPONSE,
	HTTPD_K_FIN,		/* FIN and ACK */
	HTTPD_K_ACK,
	HTTPD_K_RST,
};

#define HTTPD_DIGITS	5	/* of a Content-Length */

/* From handler to builder. Sequence and acknowledgement numbers in host byte order. */
struct httpd_args {
	__u8	kind;
	__u8	ts;		/* offset of the timestamp option in the request's TCP header; 0: it has none */
	__u16	len;		/* of the TCP header and what follows it: behind it is padding */
	__u32	ack;
	union {
		/* No payload: such a packet may end before the place where the asking one has its timestamps. */
		struct {
			__u32	isn;		/* SYN-ACK */
			__be32	tsval, tsecr;
		};
		struct {			/* response */
			__u16	body;		/* bytes of the body that are sent: 0 for HEAD */
			__u8	page;		/* enum httpd_page */
			__u8	fin;		/* it closes */
			char	digits[HTTPD_DIGITS]; /* Content-Length */
			__u8	pad;		/* bytes of X-Pad */
			__u16	unused;
		};
	};
};
_Static_assert(sizeof(struct httpd_args) == 20 && sizeof(struct httpd_args) <= NDIV_ARGS_LEN, "struct httpd_args");

#endif

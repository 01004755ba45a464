/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rows.h - the packets that tests and benchmarks have in common
 */
#ifndef T_ROWS_H
#define T_ROWS_H

#include <stddef.h>
#include <stdint.h>
#include <ndiv/abi.h>
#include "pkt.h"

/* What the parser says about a packet. */
struct parse_row {
	const char *name;
	struct pkt_layer in[PKT_LAYERS];
	enum ndiv_reason reason;	/* 0: the packet is sound */
	uint32_t flags;			/* enum ndiv_flags, MALFORMED left out: reason says it */
	uint8_t	proto;			/* of a sound packet */
	uint16_t l4;			/* 0: as built; else of packets that pkt_build() has no L4 layer for */
};

extern const struct parse_row parse_rows[];
extern const size_t parse_row_count;

/*
 * One of 2^32 flows. The same number gives the same addresses and port. Flow 0 is the lab's client. <v6>: IPv6.
 */
struct flow {
	uint32_t n;
	int	v6;
};

/* Makes <p>, built as of flow 0, one of <flow>. */
void rows_set_flow(struct pkt *p, struct flow flow);

/* An echo request of <len> data bytes, sequence number <seq>. */
void rows_echo(struct pkt *p, struct flow flow, uint16_t seq, uint16_t len);

/*
 * What a client sends to a web server at port <port>, in the order of a connection. Each begins with rows_syn(); the
 * server's initial sequence number is in its answer: rows_isn().
 */
void rows_syn(struct pkt *p, struct flow flow, uint16_t port);
uint32_t rows_isn(const uint8_t *synack, size_t len);
/* Its timestamp; 0 if it has none. As Linux has the option: behind the MSS and, in its place or not, SACK. */
uint32_t rows_tsval(const uint8_t *synack);
void rows_ack(struct pkt *p, struct flow flow, uint16_t port, uint32_t isn);
void rows_request(struct pkt *p, struct flow flow, uint16_t port, uint32_t isn, const char *request);
/* FIN after a request of <sent> bytes and a response of <received>. */
void rows_fin(struct pkt *p, struct flow flow, uint16_t port, uint32_t isn, uint32_t sent, uint32_t received);

/* The client's initial sequence number in all of these. */
#define ROWS_CLIENT_ISN	1000000

/* What a web server answers to a request. */
struct http_row {
	const char *name;
	const char *request;
	int	status;
	int	close;
	int	size;		/* of the object; -1: a text of the status's */
	int	head;
	size_t	acked;		/* 0: all */
	int	method;		/* of what is counted: 0: by head */
};

/* Values of method. */
enum { ROW_GET_OR_HEAD, ROW_POST, ROW_OTHER };

extern const struct http_row http_rows[];
extern const size_t http_row_count;

/* A response of httpd. */
struct http_answer {
	int	status;
	int	close;
	int	size;		/* of the object, or below 0: a text */
	int	head;
	int	post;		/* the text is that for a body */
	int	ts;		/* the connection has timestamps */
};

/* The whole response into <buf>; returns its length. */
size_t http_response(char *buf, const struct http_answer *a);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * client.h - a TCP client that says one packet at a time, and knows what the answer has to be
 *
 * Functions that return a text return NULL if all is well, else what is wrong, in static memory until the next call.
 */
#ifndef T_CLIENT_H
#define T_CLIENT_H

#include "pkt.h"
#include "run.h"

#define CLIENT_PORT	8000
#define CLIENT_TSVAL	0x11223344

/* How a connection is opened, and what is known of it then. */
struct client {
	int	v6, tag;
	int	mss;			/* 0: no such option */
	int	ts;			/* with timestamps */
	uint16_t sport;			/* 0: 40000 */
	uint32_t isn, tsval;		/* the server's, once it has answered */
};

/* The last packet that was said, the answer to it, and what that had to be. */
extern struct pkt client_in, client_expected;
extern struct run_out client_out;

/*
 * Composes a packet of client <c>, with sequence number and acknowledgement counted from the initial ones; <back>: of
 * the server, to the client. Into <p>.
 */
void client_build(struct pkt *p, const struct client *c, int back, const struct pkt_layer *tcp, const char *data,
		  size_t len);

/* A packet of an open connection, into client_in. */
void client_say(const struct client *c, uint8_t flags, uint32_t seq, uint32_t ack, const char *data, size_t len);

/* Runs client_in: client_out.act tells what became of it. What is passed must be unchanged. */
const char *client_hear(struct run *r);

/* The answer has to be client_expected, but for padding, which is 0. */
const char *client_compare(void);

/* The answer has to be this packet of the server, byte for byte. */
const char *client_expect(const struct client *c, uint8_t flags, uint32_t seq, uint32_t ack, const char *data,
			  size_t len);

/* SYN, and a SYN-ACK that is as it has to be; fills isn and tsval. */
const char *client_dial(struct run *r, struct client *c);

/*
 * Since run_reset(), handler <id> has counted each of <counters> (as often as it is named), drop reason <reason> once
 * (0: none), and nothing else; and the core no drop.
 */
const char *client_counted(struct run *r, uint32_t id, const int *counters, int count, int reason);

/* A timestamp option with two NOPs in front: 12 bytes, which it returns. */
int client_ts(char *buf, uint32_t tsval, uint32_t tsecr);

#endif

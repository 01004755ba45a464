/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flow_sim.h - one simulated connection, as the files of flow.h share it
 *
 * Sequence numbers are relative ones here: each end's SYN has number 0.
 */
#ifndef T_FLOW_SIM_H
#define T_FLOW_SIM_H

#include "flow.h"

#define SIM_STREAM	(6U << 20)	/* bytes in one direction, at most */
#define SIM_EVENTS	2048		/* frames on their way */
#define SIM_RANGES	256		/* pieces out of order */
#define SIM_KEEP	4096		/* frames of the client that FLOW_OLD sends again */
#define SIM_NEVER	UINT64_MAX

struct sim_frame {
	uint64_t at, order;
	size_t	len;
	int	to_server;
	uint8_t	*data;		/* allocated */
};

struct sim_range {
	uint32_t from, to;
};

/* What the client's TCP sends. */
struct sim_tx {
	uint8_t	*bytes;		/* the stream; number 1 is bytes[0] */
	uint32_t len;
	uint32_t edge[2 * FLOW_ASKS]; /* numbers where the application made a break */
	uint32_t edges;
	uint32_t una, nxt, max;	/* max: the highest one that was sent, and one */
	uint32_t flight;	/* bytes that may be on their way */
	int	fin;		/* the application has closed */
	int	backoff;
	uint64_t timer;
};

/* What it receives. */
struct sim_rx {
	uint8_t	*bytes;
	uint32_t isn;
	uint32_t nxt, read;	/* in order up to; given to the application up to */
	uint32_t wscale;	/* of the windows that are announced, both ends being of one mind */
	uint32_t edge, edge_max; /* of the window that was announced last; that was ever announced */
	uint32_t fin;		/* number of the server's FIN, or 0 */
	uint32_t ts_recent, last_ack;
	struct sim_range ranges[SIM_RANGES], dup; /* sorted; what came again */
	uint32_t count;
	uint32_t newest;	/* where the latest piece begins */
	uint32_t pending;	/* packets that are not acknowledged */
	int	now;		/* acknowledge at once */
	uint64_t timer;
};

/* The application. */
struct sim_app {
	const struct flow_ask *asks;
	uint32_t count, written, done;
	uint32_t end[FLOW_ASKS]; /* number behind each request */
	uint32_t
		acked_at[FLOW_ASKS]; /* how far the server had sent when it acknowledged all of a request; 0: not yet */
	uint32_t pos;		/* of the stream: parsed up to */
	uint32_t left;		/* bytes of the body at hand */
	uint32_t size;		/* of the whole body */
	int	in_body, is_object, continued, closing;
	uint64_t read_at, probe_at, talk_at;
	int	probes;
	uint32_t probe_answers;
};

struct sim {
	struct run *run;
	uint32_t id;
	int	recents;	/* map, see sim_age() */
	int	recent_slot;	/* of it, or -1 */
	uint64_t recent_at;
	const struct flow_setup *setup;
	struct flow_cost *cost;
	uint64_t now, order, latest[2], random;
	uint64_t busy;		/* until then, the wire to the client has others to carry */
	struct sim_frame frames[SIM_EVENTS];
	uint32_t count;
	struct sim_frame old[SIM_KEEP];
	uint32_t old_count;
	int	open, trace;
	uint32_t room, server_room; /* bytes of payload in a packet of the client, of the server */
	struct sim_tx tx;
	struct sim_rx rx;
	struct sim_app app;
	/* what the server has shown so far */
	uint32_t server_end;	/* numbers that it has sent, to here */
	uint32_t server_fin;
	uint32_t server_ts;	/* the highest timestamp */
	uint32_t server_ack;	/* the highest acknowledgement number */
	int	server_seen;
	const char *bad;	/* the first fault */
	char	text[400];
};

static inline int sim_has(const struct sim *s, uint32_t trait)
{
	return !!(s->setup->traits & trait);
}

/* Offsets in its frames. */
static inline size_t sim_l3(const struct sim *s)
{
	return s->setup->tag ? 18 : 14;
}

static inline size_t sim_l4(const struct sim *s)
{
	return sim_l3(s) + (sim_has(s, FLOW_V6) ? 40 : 20);
}

/* Where the IP packet ends. */
static inline size_t sim_end(const struct sim *s, const uint8_t *frame)
{
	return sim_has(s, FLOW_V6) ? sim_l4(s) + get16(frame + sim_l3(s) + 4)
				   : sim_l3(s) + get16(frame + sim_l3(s) + 2);
}

/* A fault: the first one is kept. */
void sim_fail(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* 0 to <n> - 1. */
uint32_t sim_random(struct sim *s, uint32_t n);

/* A frame onto the wire, to the server or from it. */
enum { SIM_TO_CLIENT, SIM_TO_SERVER };
void sim_put(struct sim *s, int to_server, const uint8_t *data, size_t len);

/* flow_tcp.c: the client's TCP. */
void tcp_open(struct sim *s);
void tcp_take(struct sim *s, const uint8_t *frame);
void tcp_push(struct sim *s);			/* sends what there is and may be sent */
void tcp_write(struct sim *s, const void *data, uint32_t len, int edge);
void tcp_probe(struct sim *s, int byte);
void tcp_tell_window(struct sim *s);		/* if it is worth it */
void tcp_timers(struct sim *s);
uint64_t tcp_next_timer(const struct sim *s);

/* flow_app.c: the application. */
void app_step(struct sim *s);			/* reads what may be read, writes what may be written */
void app_timers(struct sim *s);
uint64_t app_next_timer(const struct sim *s);
int app_may_end(const struct sim *s);

#endif

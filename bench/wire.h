/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wire.h - packets through a lab: a generator in the kernel at the client's end of its wire, a sink for what comes back
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdint.h>
#include <bpf/libbpf.h>
#include "ends.h"
#include "pkt.h"

struct wire {
	struct ends ends;
	struct bpf_object *gen;
	const struct pkt *pkt;
	int	numbered, mixed;	/* see gen.h; to be set by wire_open_numbered() */
	int	udp;			/* socket of the server, to which the packets go */
	uint64_t read;			/* packets that were read from it */
};

/* How many packets so far */
struct wire_counts {
	uint64_t arrived;		/* at the server's driver */
	uint64_t back;			/* came back to the client */
	uint64_t stack;			/* the server's stack gave to the socket, or dropped there because it is full */
};

/*
 * Makes ready to send <pkt>, an UDP packet, over the wire of <lab>. 0, or below 0 and a message; call wire_close() in
 * either case. The calling thread may be in one of the lab's namespaces afterwards, until wire_close().
 */
int wire_open(struct wire *w, const char *lab, const struct pkt *pkt);

/* Likewise; but each frame has its number, from 0, in the first 8 bytes of its payload, and with <mixed> not all of its
 * bytes: gen_cut(). */
int wire_open_numbered(struct wire *w, const char *lab, const struct pkt *pkt, int mixed);
void wire_close(struct wire *w);

/*
 * Sends <count> frames, in bursts of 64. Returns when the last one was handed to the server's end. <ns>: time per
 * frame, as the kernel measured it, which is without the waiting (for RCU, some 20 ms) that comes before and after. 0,
 * or -errno.
 */
int wire_send(const struct wire *w, uint32_t count, uint32_t *ns);

/* 0, or -errno. Reads the socket empty. */
int wire_count(struct wire *w, struct wire_counts *c);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * httpd.h - what tests of httpd share: its counters, its usual request, how they run it
 */
#ifndef T_HTTPD_H
#define T_HTTPD_H

#include <bpf/bpf.h>
#include "client.h"
#include "suite.h"

/* As in handlers/httpd/httpd.h; test_names() of test_httpd.c compares the names. */
enum {
	SYN,
	GET,
	HEAD,
	POST,
	OTHER,
	S2XX,
	S3XX,
	S4XX,
	S5XX,
	CLOSE,
	FIN,
	BYTES,
	SEGMENTS,
	NEXT_BURST,
	AGAIN,
	HOLE,
	BODY,
	PROBE,
	LAST_ACK,
	FILES,
	STALE
};
enum {
	R_ACK = 1,
	R_RST,
	R_FLAGS,
	R_COOKIE,
	R_CHECKSUM,
	R_OPTIONS,
	R_TX_FULL,
	R_UNREADABLE,
	R_EARLY,
	R_WINDOW,
	R_SYN_RATE,
	R_JUST_SENT,
	R_STALE
};

#define HUNDRED_PLEASE	"GET /100 HTTP/1.1\r\n\r\n"
#define SENT		(sizeof(HUNDRED_PLEASE) - 1)
#define GOT		256	/* the response to it, without timestamps */

/* Runs what the client says, and returns what becomes of it. */
static inline int hear(struct run *r, const char *name)
{
	must(name, client_hear(r));
	return client_out.act;
}

/* Counters that count more than packets: set to 0. */
static inline void forget_sums(struct run *r, uint32_t id)
{
	uint32_t key = NDIV_CPU_RX;
	int i;

	assert_int_equal(bpf_map_lookup_elem(r->cpus, &key, r->values), 0);
	for (i = 0; i < r->cpu_count; i++) {
		r->values[i].counter[id][BYTES] = 0;
		r->values[i].counter[id][SEGMENTS] = 0;
	}
	assert_int_equal(bpf_map_update_elem(r->cpus, &key, r->values, 0), 0);
}

#endif

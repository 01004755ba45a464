/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * case.h - one kind of packet that changes hands: what it costs, with one flow or with a million of them
 *
 * In each run everything is loaded anew (so that chance in the placing of code is part of the spread), packets are sent
 * through one by one and what comes out is judged, then ndiv, a bare program and the empty one take turns; at the end,
 * the datapath's counters must tell of the right verdict for as many packets as were given to it.
 */
#ifndef BENCH_CASE_H
#define BENCH_CASE_H

#include "rows.h"
#include "run.h"
#include "suite.h"
#include "wrap.h"

/* What the client knows of its connection. */
struct talk {
	uint32_t isn, tsval;		/* the server's */
	uint32_t sent;			/* bytes of the client's request */
	uint32_t received;		/* bytes of the response */
};

/* Whose program a case is compared with, if it is none of bare.bpf.c. */
struct bench_other {
	const char *object;		/* below the build directory */
	const char *row;		/* "suite/case", instead of "...-bare" */
	/* Fills its maps. <flows>: BENCH_FLOWS of them, whose packets are like <p>; NULL: <p> is the only one. */
	int	(*fill)(struct bpf_object *obj, const struct pkt *p, const struct bench_flow *flows);
	uint32_t outcome;		/* what each packet has to meet: its map "outcomes" counts them */
};

struct bench_case {
	const char *name;		/* "suite/case" */
	const char *handler;		/* its object, below the build directory; NULL: an empty chain */
	const struct run_option *options;
	int (*setup)(
		struct run *r); /* makes the handler, which is loaded, ready; or NULL. 0, or below 0 and a message */
	enum ndiv_verdict verdict;	/* of each packet: REPLY, DROP, PASS, or NEXT and nobody takes it */
	uint8_t	reason;			/* the handler's, of DROP */
	int	v6;
	int	to_group;			/* it is not turned round: judge() looks at all of the answer */

	/* Called when the handler, which has id 1, has been loaded, before each batch of packets, and now and then
	 * while packets are built; or NULL. */
	int	(*prepare)(struct run *r);
	int	warm;			/* every flow has sent its packet before */
	uint32_t strays;		/* so many of a million packets may meet another verdict */

	/* Builds the packet of <flow>. */
	void	(*build)(struct pkt *p, struct flow flow, const struct talk *talk);
	/* Build what is sent before, or NULL: a SYN, whose answer has the ISN; then a request. */
	void	(*opening)(struct pkt *p, struct flow flow);
	void	(*request)(struct pkt *p, struct flow flow, const struct talk *talk);
	/* Is <got> the right answer to <sent>? NULL, or the fault. It was sent back, and is a sound packet: <pkt>.
	 * With to_group, nothing is known of it yet. */
	const char *(*judge)(const struct pkt *sent, const struct run_out *got, const struct ndiv_pkt *pkt);

	const char *bare;		/* program of bare.bpf.c that it is compared with */
	int	bare_answers;		/* which gives the right answer, too: judge it */
	const struct bench_other *other; /* which is in another object, with maps of its own; or NULL */
};

/* Measures it, with one flow or with <random> ones, and adds the rows. 0, or below 0 and a message. */
int case_bench(struct suite *s, const struct bench_case *c, int random);

/* Both for each of <count> cases. */
int case_bench_all(struct suite *s, const struct bench_case *cases, size_t count);

#endif

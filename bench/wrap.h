/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wrap.h - programs in front of what is measured, that make a fresh packet for each repetition; see wrap.bpf.c
 */
#ifndef BENCH_WRAP_H
#define BENCH_WRAP_H

#include <bpf/libbpf.h>
#include "layout.h"
#include "pkt.h"

struct wrap {
	struct bpf_object *obj;
	int	prog[BENCH_SLOTS];	/* the wrapper of each target */
};

/* Where packets like <p> differ by flow. */
void wrap_layout(struct bench_layout *l, const struct pkt *p);

/* Takes from <p>, or puts into <frame>, what its flow is about. */
void wrap_take(const struct bench_layout *l, const struct pkt *p, struct bench_flow *flow);
void wrap_put(const struct bench_layout *l, uint8_t *frame, const struct bench_flow *flow);

/*
 * Loads the wrappers for packets like <p>; <flows>: BENCH_FLOWS of them, the first one is the first packet's, or NULL:
 * all packets are <p>. <targets>: what they call. 0, or -errno and a message.
 */
int wrap_open(struct wrap *w, const struct pkt *p, const struct bench_flow *flows, const int targets[BENCH_SLOTS]);
void wrap_close(struct wrap *w);

#endif

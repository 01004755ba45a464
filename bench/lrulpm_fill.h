/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lrulpm_fill.h - what lrulpm.bpf.c finds in its maps
 */
#ifndef BENCH_LRULPM_FILL_H
#define BENCH_LRULPM_FILL_H

#include <bpf/libbpf.h>
#include "lrulpm.h"
#include "wrap.h"

/*
 * <obj>, which is loaded, has the million sources of million.h, all of them with <action>, and the flows of packets
 * like <p>: BENCH_FLOWS of them, or (<flows> is NULL) that of <p>. 0, or -errno and a message.
 */
int lrulpm_fill(struct bpf_object *obj, enum lrulpm action, const struct pkt *p, const struct bench_flow *flows);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load_conn.h - how a connection of the load source begins, for the handler and for the starter
 */
#ifndef BENCH_LOAD_CONN_H
#define BENCH_LOAD_CONN_H

#include <ndiv/handler.h>
#include "load.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct load_live);
} load_live SEC(".maps");

static __always_inline struct load_live *live_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&load_live, &zero);
}

struct conn_begin {
	__u32	port;
	__u32	seq;
	__u32	tsval;		/* 2^24 a second: newer than that of the port's last one, also for a TIME-WAIT of a minute */
};

/* The round at hand. To be read once for each packet: it may change at any time. */
static __always_inline __u32 mark_now(const struct load_live *live)
{
	return *(const volatile __u32 *)&live->mark & (LOAD_MARKS - 1);
}

/* Is the connection whose server has acknowledged <pos> one of this source's? */
static __always_inline int conn_is_ours(const struct load_live *live, __u32 pos)
{
	return ((live->gen - (pos >> LOAD_GEN_SHIFT)) & LOAD_GEN_MASK) <= live->gen - live->gen_first;
}

/* The next connection, on the next port. */
static __always_inline void conn_begin(struct load_live *live, const volatile struct load_config *config, __u32 mark,
				       struct conn_begin *to)
{
	__u64 n = __sync_fetch_and_add(&live->begun, 1);
	__u32 count = config->ports.hi - config->ports.lo + 1, gen = n / count;

	live->gen = gen;
	to->port = config->ports.lo + n % count;
	to->seq = load_base(to->port) + (gen << LOAD_GEN_SHIFT) + (mark << 1);
	to->tsval = bpf_ktime_get_coarse_ns() >> 6;
}

#endif

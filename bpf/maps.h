/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps.h - the core's maps. One set for each interface; those that handlers share (ndiv_cpus, the chains) are in the
 * handler API. All are pinned in the interface's directory and live until the last handler is detached.
 */
#ifndef NDIV_MAPS_H
#define NDIV_MAPS_H

#include <ndiv/handler.h>
#include <ndiv/tx.h>
#include <ndiv/in.h>

/* Configuration: a global variable, so that reading it needs no lookup. */
volatile struct ndiv_conf ndiv_conf SEC(".data.conf") = { .sample = 1023 };

/* For each number of copies, a devmap with as many entries, all of them this interface: broadcast makes the clones. */
struct ndiv_copies {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bpf_devmap_val));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, NDIV_BURST_MAX + 3);
	__type(key, __u32);
	__array(values, struct ndiv_copies);
} ndiv_copies SEC(".maps");

/* Programs of a capture. Never pinned: see enum ndiv_tap. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NDIV_TAPS);
	__type(key, __u32);
	__type(value, __u32);
} ndiv_taps SEC(".maps");

/* Builder programs for clones. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NDIV_BUILDERS);
	__type(key, __u32);
	__type(value, __u32);
} ndiv_clone SEC(".maps");

/* Postponed packets on their way to the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} ndiv_queue SEC(".maps");

struct ndiv_scratch {
	struct ndiv_postponed head;
	__u8 data[NDIV_POSTPONE_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ndiv_scratch);
} ndiv_scratch SEC(".maps");

/* What user space knows about the handlers; no program reads it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NDIV_HANDLERS_MAX);
	__type(key, __u32);
	__type(value, struct ndiv_entry);
} ndiv_handlers SEC(".maps");

#endif

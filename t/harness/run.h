/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * run.h - the datapath without an interface: loads the core and handlers, builds the chain, runs packets through it
 *
 * Everything runs by BPF_PROG_TEST_RUN on the CPU that the process is bound to. What runs behind a driver in real life,
 * the programs of a devmap, are loaded as plain XDP programs here, so that the clones of a burst can be run, too.
 */
#ifndef T_RUN_H
#define T_RUN_H

#include <stddef.h>
#include <stdint.h>
#include <bpf/libbpf.h>
#include <ndiv/abi.h>
#include "pkt.h"

#define RUN_MAX		(PKT_MAX + 512)

/* One of a handler's options, by name, as its bytes: see enum ndiv_option_type. */
struct run_option {
	const char *name;
	const void *value;
	size_t	len;
};

/* Their values, of the types of enum ndiv_option_type. */
#define U16(name, v)	{ name, &(uint16_t){ v }, 2 }
#define U32(name, v)	{ name, &(uint32_t){ v }, 4 }
#define BOOL(name, v)	{ name, &(uint8_t){ v }, 1 }
#define CHOICE(name, v)	{ name, &(uint8_t){ v }, 1 }
#define PREFIXES(name, v)	{ name, &(v), sizeof(v) }

struct run_handler {
	struct bpf_object *obj;
	char	name[NDIV_NAME_LEN];
	uint32_t want;
	int	rx, tx, in, clone, skb, done; /* programs, or -1 */
};

struct run {
	struct bpf_object *core;
	int	entry, again, copy, tx_entry, in_entry;	/* programs */
	int	cpus, chain, tx_chain, in_chain;		/* maps */
	struct ndiv_self self;			/* id: unused */
	struct ndiv_key_bytes {
		uint8_t	b[16];
	} key;					/* of all handlers that have one */
	uint8_t	still;				/* handlers whose clock can stand still are told that it does */
	volatile struct ndiv_conf *conf;	/* the live one */
	struct run_handler handler[NDIV_HANDLERS_MAX]; /* by id, from 1 */
	uint32_t count;				/* of handlers */
	int	cpu;				/* the one that everything runs on */
	int	cpu_count;			/* possible ones */
	struct ndiv_cpu *values;		/* of all CPUs */
};

/* What became of a packet. */
struct run_out {
	int	act;		/* XDP_... or TC_ACT_... */
	size_t	len;
	size_t	meta;		/* bytes of metadata in front of data[] */
	uint8_t	*data;		/* in buf */
	uint8_t	buf[RUN_MAX];
};

/*
 * Loads the core. <self>: as the handlers are to see the interface; NULL: the server's end of the lab, ifindex 1.
 * Prints what failed and returns below 0.
 */
int run_open(struct run *r, const struct ndiv_self *self);
void run_close(struct run *r);

/* What the core has as ndiv_seal. */
extern const uint64_t run_seal[2];

/* Loads the handler object at <path> and puts it at the end of the chain. Returns its id, or below 0. */
int run_add(struct run *r, const char *path, const struct run_option *options);

/* Writes the chain anew: the handlers <ids> in this order. */
int run_order(struct run *r, const uint32_t *ids, uint32_t count);

/* One prefix more in the option <p>. */
void run_prefix(struct ndiv_prefixes *p, const char *addr, int bits);

/*
 * Is handler <id> called <name>, are its counters and drop reasons (from 1 on), and has it no others? NULL, or what is
 * called otherwise, in static memory until the next call.
 */
const char *run_names(const struct run *r, uint32_t id, const char *name, const char *const *counters, size_t count,
		      const char *const *reasons, size_t reason_count);

/* Runs a frame through the entry program. 0, or -errno of the kernel. */
int run_rx(struct run *r, const void *data, size_t len, struct run_out *out);

/* Likewise with the first <linear> bytes in the first buffer and the rest in others. */
int run_rx_split(struct run *r, const void *data, size_t len, size_t linear, struct run_out *out);

/* Likewise as the agent presents it, postponed <rounds> times. */
int run_again(struct run *r, const void *data, size_t len, uint16_t rounds, struct run_out *out);

/* Runs a frame, without metadata, through program <prog>. */
int run_once(int prog, const void *data, size_t len, struct run_out *out);

/* The transmit path, and what goes up to the stack. */
int run_tx(struct run *r, const void *data, size_t len, struct run_out *out);
int run_in(struct run *r, const void *data, size_t len, struct run_out *out);

/*
 * What the driver would do next with <from>, a frame that was redirected to make clones: runs the copy program once
 * more on it. The n-th call since the redirection makes copy n.
 */
int run_copy(struct run *r, const struct run_out *from, struct run_out *out);

/* The end of a poll: handler <id>'s rx_done. */
int run_done(struct run *r, uint32_t id);

/* Counters: the sum over all CPUs. <sum>.pkt is the last packet's. */
int run_sum(struct run *r, enum ndiv_cpu_index which, struct ndiv_cpu *sum);

/* Sets all counters to 0. */
int run_reset(struct run *r);

/* The transmit ring is full: for ever, as jiffies go. 0, or -errno. */
int run_pressure(struct run *r);

/* An agent is alive for a minute, or there is none. */
void run_agent(struct run *r, int alive);

/* The clock by which postponed packets are due, in ns. */
uint64_t run_now(void);

/* A map of handler <id>, by name; below 0 if there is none. */
int run_map(struct run *r, uint32_t id, const char *name);

/* Path of a build product: "bpf/core.bpf.o" below $NDIV_BUILD or build/. Static, valid until the next call. */
const char *run_path(const char *name);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shield.h - for tests and benchmarks of shield: its clock, what it has learnt, and its table
 */
#ifndef T_SHIELD_H
#define T_SHIELD_H

#include "../../handlers/shield/table.h"
#include "run.h"

/* What a Linux server answers: all options allowed, scale 7. */
extern const struct shield_service shield_server;

/* run_open(), for tests: the clocks of what is loaded then stand still, wherever they are set. */
int shield_open(struct run *r);

/* Handler <id> knows <what> as the service of the lab's server at <port>, last seen at clock <ns>. 0, or -errno. */
int shield_teach(struct run *r, uint32_t id, int v6, uint16_t port, uint64_t ns,
		 const struct shield_service *what);

/* The datapath's milliseconds of clock <ns>. */
uint64_t shield_clock_ms(uint64_t ns);

/* Sets the clock of handler <id> to <ns>; it goes on from there, unless it stands still. */
int shield_set_clock(struct run *r, uint32_t id, uint64_t ns);

/* Can the kernel at hand be given connections? Before Linux 6.9, SYNs are passed. */
int shield_hands_over(void);

/* Empties the table of flows, and fills the buckets of all limits. */
int shield_clear(struct run *r, uint32_t id);

/* Fills every slot of the table with <f>. */
int shield_fill(struct run *r, uint32_t id, const struct shield_flow *f);

/* Calls <fn> for each flow in the table, and returns how many there are. <fn>: NULL, or changes it. */
int shield_each(struct run *r, uint32_t id, void (*fn)(struct shield_flow *f, void *arg), void *arg);

#endif

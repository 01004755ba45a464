/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * napi.h - receive work of a lab's end as threads: on a CPU that is chosen, with CPU time of its own
 *
 * Else what a veth device receives is handled in softirq on the sender's CPU, and charged to whom it interrupts there.
 */
#ifndef BENCH_NAPI_H
#define BENCH_NAPI_H

#include <stdint.h>
#include <sys/types.h>
#include "ends.h"

#define NAPI_THREADS_MAX	32

struct napi {
	pid_t	pid[NAPI_THREADS_MAX];
	int	count;
};

/*
 * Makes threads of the receive queues of lab0 at <end>, which must have GRO switched on. They go with the
 * lab. 0, or below 0 and a message.
 */
int napi_open(struct napi *n, struct ends *e, enum end end);

/* Binds them to <cpu>. Likewise. */
int napi_bind(const struct napi *n, int cpu);

/* Lets them go before all processes of their CPU, as softirq does. Likewise. */
int napi_prefer(const struct napi *n);

/* CPU time so far in ns: of the threads; of all threads of process <pid>. 0 if it cannot be read. */
uint64_t napi_ns(const struct napi *n);
uint64_t process_ns(pid_t pid);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * livefs.h - a file system of live captures: IF/rx.pcapng and so on, each open of which is a stream of its own
 *
 * One thread, one loop: requests of the kernel, and what the rings bring. A read that finds nothing waits here as a
 * request, not as a thread.
 */
#ifndef NDIV_LIVEFS_H
#define NDIV_LIVEFS_H

#include <signal.h>
#include <sys/types.h>
#include <ndiv/ndiv.h>

struct livefs_opts {
	const char *dir;
	struct ndiv_capture_opts capture; /* of each; its points are not looked at */
	uid_t uid; /* to whom files belong */
	gid_t gid;
	size_t buffer; /* bytes of a stream's */
};

/*
 * Mounts it, and serves it until it is unmounted or <*ended> is set. Then what readers still have to get goes to them,
 * for a moment. 0, or -1 after a message.
 */
int livefs_run(const struct livefs_opts *opts, const volatile sig_atomic_t *ended);

#endif

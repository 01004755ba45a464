/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * ndiv.h - libndiv: attach handlers to interfaces, configure them, read what they count
 *
 * Every call works in the network namespace of the calling thread and returns 0 or -errno, unless it says otherwise.
 * The library prints nothing and never exits; ndiv_error() has the message for people. Out parameters are untouched on
 * failure. All state is pinned below the BPF file system, so it outlives the process; nothing has to run.
 *
 * One thread at a time per handle. Two processes that change the same interface wait for each other.
 */
#ifndef NDIV_NDIV_H
#define NDIV_NDIV_H

#include <stddef.h>
#include <stdint.h>
#include <ndiv/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NDIV_VERSION "0.1.0"

/* A handle on one interface, whether or not ndiv is attached to it. */
struct ndiv;

enum ndiv_mode {
	NDIV_MODE_AUTO = 0,	/* native, else generic */
	NDIV_MODE_NATIVE,	/* in the driver, or not at all */
	NDIV_MODE_GENERIC,	/* behind the driver: works everywhere, slower */
};

/* Where messages go that are no errors (warnings, libbpf's log): <level> 0 error, 1 warning, 2 and 3 details. */
typedef void ndiv_log_fn(int level, const char *text);
void ndiv_set_log(ndiv_log_fn *fn, int max_level);

/*
 * Opens a handle on interface <ifname>. -ENODEV: no such interface; -EPERM: a capability is missing. With <readonly>
 * nothing is created or cleaned up. On failure *<out> is untouched, except that if <err> is not NULL the message is
 * copied there (<err_len> bytes).
 */
int ndiv_open(struct ndiv **out, const char *ifname, int readonly, char *err, size_t err_len);

/* Frees the handle; what is attached stays. NULL is allowed. */
void ndiv_close(struct ndiv *nd);

/* What the last failed call on this handle had to say: object, value, remedy. Valid until the next call. Never NULL. */
const char *ndiv_error(const struct ndiv *nd);

/* Warnings of the last successful call (such as "native mode refused: ..."), or "". */
const char *ndiv_warning(const struct ndiv *nd);

struct ndiv_attach_opts {
	size_t	sz;			/* sizeof(struct ndiv_attach_opts) */
	enum ndiv_mode mode;		/* for the first handler of an interface; later ones must agree or say AUTO */
	int	at;			/* place in the chain, from 0; below 0 (default -1): at the end */
	const char *const *options;	/* "name=value" */
	size_t	option_count;
};

/*
 * Attaches handler <what>: the name of one that comes with ndiv ("ping"), or the path of an object (contains a '/' or
 * ends in ".o"). The first handler also attaches ndiv to the interface. Attaching one that is there with the same
 * object and options changes nothing and returns 0; with others: -EEXIST (use ndiv_replace()). -EBUSY: another XDP
 * program is there, nothing was changed. -ENOENT: no such handler. -EINVAL, -ERANGE: an option.
 */
int ndiv_attach(struct ndiv *nd, const char *what, const struct ndiv_attach_opts *opts);

/*
 * Replaces an attached handler. <what> is its name, then it is loaded again from the object it came from; or another
 * object's path, which must have the same name. With <opts>->options (options that are not named keep their defaults;
 * with <keep> those given before). Maps of the same name and shape are taken over. Atomic: each packet meets the old or
 * the new one. -ENOENT: not attached.
 */
int ndiv_replace(struct ndiv *nd, const char *what, const struct ndiv_attach_opts *opts, int keep);

/* Detaches handler <name>, or all and ndiv itself (NULL). The last one takes ndiv with it. Nothing there: 0. */
int ndiv_detach(struct ndiv *nd, const char *name);

/* Puts the handlers into the order of <names>, which must name each attached one exactly once. */
int ndiv_order(struct ndiv *nd, const char *const *names, size_t count);

/* Policy for malformed packets that no handler took: 0 passes, 1 drops. */
int ndiv_drop_malformed(struct ndiv *nd, int drop);

/* Times the handlers for one packet in <one_in> (a power of two, default 1024). 0: never. */
int ndiv_sample(struct ndiv *nd, unsigned int one_in);

/* --- what is there ------------------------------------------------------------------------------------------ */

/* A handler on the interface, in the order of the chain. */
struct ndiv_handler_state {
	uint32_t id;
	struct ndiv_entry entry;	/* path, options as given, and the object's ndiv_info: see abi.h */
};

struct ndiv_state {
	int	attached;		/* 0: the rest is empty */
	char	ifname[16];		/* its name now */
	uint32_t ifindex;
	enum ndiv_mode mode;		/* NATIVE or GENERIC */
	char	why[512];		/* why it is generic: the driver's reason, or "asked for" */
	uint32_t prog_id;		/* of the entry program */
	int	tx;			/* a transmit handler is attached: 1 by tcx, 2 by clsact */
	int	in;			/* likewise a handler at tc ingress */
	int	hints;			/* the entry asks the card */
	int	agent;			/* an agent is alive */
	struct ndiv_conf conf;
	size_t	count;
	struct ndiv_handler_state handler[NDIV_HANDLERS_MAX];
};

int ndiv_state(struct ndiv *nd, struct ndiv_state *st);

/* Counters: the sum over all CPUs. Index of the arrays: handler id, 0 is the core. */
struct ndiv_stats {
	struct ndiv_count verdict[NDIV_HANDLERS_MAX][NDIV_VERDICTS];
	uint64_t reason[NDIV_HANDLERS_MAX][NDIV_REASONS_MAX];
	uint64_t counter[NDIV_HANDLERS_MAX][NDIV_COUNTERS_MAX];
	double	ns[NDIV_HANDLERS_MAX];	/* mean time of a call, clock subtracted; below 0: no sample yet */
	uint64_t packets;		/* that came in */
	uint64_t tx_lost;
	struct ndiv_count sent;
};

/*
 * Reads the counters of path <which>: receive path (NDIV_CPU_RX), transmit path (NDIV_CPU_TX), tc ingress
 * (NDIV_CPU_IN); <cpu> below 0: of all CPUs.
 */
int ndiv_stats(struct ndiv *nd, int which, int cpu, struct ndiv_stats *stats);

/* How many CPUs there can be: the values of <cpu> are 0 to one less. What the agent lost is counted with CPU 0. */
int ndiv_cpu_count(void);

/* Names for people, as in the listings. Never NULL. */
const char *ndiv_verdict_name(unsigned int verdict);
const char *ndiv_core_reason(unsigned int reason);
const char *ndiv_mode_name(enum ndiv_mode mode);

/*
 * Calls <fn> for each interface of this namespace to which ndiv is attached, until it returns other than 0, which is
 * then returned. What is left of interfaces that have vanished is removed on the way.
 */
int ndiv_each(int (*fn)(struct ndiv *nd, void *arg), void *arg, char *err, size_t err_len);

/* --- handlers and objects ----------------------------------------------------------------------------------- */

/* Finds the object of handler <what> (see ndiv_attach()). <path>: <len> bytes. */
int ndiv_find(const char *what, char *path, size_t len);

/* Reads what the object at <path> tells about itself, without loading it. */
int ndiv_read_info(const char *path, struct ndiv_info *info, char *err, size_t err_len);

/* What the options are when nobody sets them, in the words in which they are set; "" for none. Order: info->options. */
#define NDIV_VALUE_LEN	64

int ndiv_read_defaults(const char *path, char values[NDIV_OPTIONS_MAX][NDIV_VALUE_LEN], char *err, size_t err_len);

/* Calls <fn> with name and path of each handler that comes with ndiv. */
int ndiv_each_builtin(int (*fn)(const char *name, const char *path, void *arg), void *arg);

/* --- what kernel and interface offer ------------------------------------------------------------------------ */

/*
 * One row of ndiv_probe(): a thing that kernels or drivers differ in, whether it is there, and what ndiv does with it
 * or without it.
 */
struct ndiv_feature {
	const char *name;		/* short, stable: a key in JSON */
	int	present;		/* 1 yes, 0 no, -1 it cannot be told */
	const char *use;		/* what ndiv does, given that */
};

#define NDIV_FEATURES_MAX	32

struct ndiv_probe {
	char	kernel[65];		/* its release */
	char	driver[32];		/* of the interface, or "" */
	unsigned int mtu;		/* of the interface, bytes */
	size_t	count;
	struct ndiv_feature feature[NDIV_FEATURES_MAX];
};

/* Asks the kernel and, if <ifname> is not NULL, its driver. Nothing is attached or changed. 0, or -ENODEV, -EPERM... */
int ndiv_probe(const char *ifname, struct ndiv_probe *probe, char *err, size_t err_len);

/* --- agent -------------------------------------------------------------------------------------------------- */

/*
 * The agent presents postponed packets again. ndiv_agent_open() takes all interfaces of this namespace, and those that
 * are attached later; ndiv_agent_poll() works for up to <timeout_ms> (below 0: for ever). Only one agent per namespace:
 * -EBUSY.
 */
struct ndiv_agent;

struct ndiv_agent_stats {
	uint64_t taken;			/* postponed packets received from the datapath */
	uint64_t presented;		/* presented again */
	uint64_t lost;			/* not presented: no memory, interface gone, or refused by the kernel */
	uint64_t waiting;
};

int ndiv_agent_open(struct ndiv_agent **out, size_t max_waiting, char *err, size_t err_len);
int ndiv_agent_poll(struct ndiv_agent *ag, int timeout_ms);
void ndiv_agent_stats(const struct ndiv_agent *ag, struct ndiv_agent_stats *stats);
void ndiv_agent_close(struct ndiv_agent *ag);

#ifdef __cplusplus
}
#endif

#endif

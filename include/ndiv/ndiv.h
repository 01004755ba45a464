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
#include <sys/uio.h>
#include <ndiv/abi.h>
#include <ndiv/ring.h>

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

/* --- content: ready-made responses of a handler that serves HTTP, such as httpd ------------------------------- */

#define NDIV_URL_LEN	768
#define NDIV_DIR_LEN	4096

/* How far it is: <what> "read" (bytes; <total> 0: it is not known how many) or "load" (pages). */
typedef void ndiv_progress_fn(const char *what, uint64_t done, uint64_t total, void *arg);

/*
 * Serves the files of directory <dir>, instead of those that were served: all of them are read first, and one store
 * switches. Transfers of the old ones go on. What cannot be served (too large, too many, unreadable, a link out of
 * <dir>) fails, and nothing has changed. <fn>: NULL, or is told how far it is. -EAGAIN: too much has changed too often.
 */
int ndiv_content_root(struct ndiv *nd, const char *handler, const char *dir, ndiv_progress_fn *fn, void *arg);

/* The same with the directory that is served. -ENOENT: there is none. */
int ndiv_content_reload(struct ndiv *nd, const char *handler, ndiv_progress_fn *fn, void *arg);

/* Serves no files any more, and frees their memory. Transfers of them cannot go on. */
int ndiv_content_clear(struct ndiv *nd, const char *handler);

/*
 * Answers every request with the file at <page> and status 503, until it is called with NULL. <retry_s>: what
 * "Retry-After" says; 0: nothing. The files that were served stay loaded, and can be changed meanwhile.
 */
int ndiv_content_maintenance(struct ndiv *nd, const char *handler, const char *page, unsigned int retry_s);

struct ndiv_content_state {
	int	on;			/* files are served; 0: the next four are empty */
	char	root[NDIV_DIR_LEN];
	uint64_t since;			/* loaded: seconds since 1970 */
	uint32_t files;
	uint32_t skipped;		/* hidden ones */
	uint64_t bytes;			/* with heads */
	int	maintenance;		/* every request gets: */
	char	page[NDIV_DIR_LEN];
};

int ndiv_content_state(struct ndiv *nd, const char *handler, struct ndiv_content_state *st);

struct ndiv_content_file {
	char	url[NDIV_URL_LEN];	/* path */
	char	type[64];
	uint32_t status;		/* 200; 301: a redirection; else it is the page of that status */
	uint32_t size;			/* of the body, bytes */
	uint64_t etag;			/* as 16 hexadecimal digits; 0: none */
	uint64_t hits;			/* requests since it was loaded */
};

typedef int ndiv_content_fn(const struct ndiv_content_file *file, void *arg);

/* Calls <fn> for each file that is served, the maintenance page first, until it returns other than 0, which is then
 * returned. */
int ndiv_content_each(struct ndiv *nd, const char *handler, ndiv_content_fn *fn, void *arg);

/* --- what is there ------------------------------------------------------------------------------------------ */

/* A handler on the interface, in the order of the chain. */
struct ndiv_handler_state {
	uint32_t id;
	struct ndiv_entry entry;	/* path, options as given, and the object's ndiv_info: see abi.h */
};

#define NDIV_WARNINGS_MAX	4
#define NDIV_WARNING_LEN	768

struct ndiv_state {
	char	ifname[16];		/* its name now */
	uint32_t ifindex;
	int	attached;		/* 0: of the rest, only what <foreign> tells */
	uint32_t foreign;		/* not attached: index of another XDP program that is there, 0: none is */
	char	foreign_name[16];
	enum ndiv_mode mode;		/* NATIVE or GENERIC */
	char	why[512];		/* why it is generic: the driver's reason, or "asked for" */
	uint32_t prog_id;		/* of the entry program */
	int	tx;			/* a transmit handler is attached: 1 by tcx, 2 by clsact */
	int	in;			/* likewise a handler at tc ingress */
	int	hints;			/* the entry asks the card */
	int	agent;			/* an agent is alive */
	struct ndiv_conf conf;
	size_t	warnings;		/* what has changed, or does not work here, and the remedy */
	char	warning[NDIV_WARNINGS_MAX][NDIV_WARNING_LEN];
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
	int	attached;		/* ndiv is */
	uint32_t foreign;		/* index of another XDP program that is there, 0: none is */
	char	foreign_name[16];
	size_t	count;
	struct ndiv_feature feature[NDIV_FEATURES_MAX];
};

/* Asks the kernel and, if <ifname> is not NULL, its driver. Nothing is attached or changed. 0, or -ENODEV, -EPERM... */
int ndiv_probe(const char *ifname, struct ndiv_probe *probe, char *err, size_t err_len);

/* --- capture ------------------------------------------------------------------------------------------------ */

/*
 * A capture: packets as finished blocks of a pcapng file, in rings which the kernel's side writes and this process
 * reads in place. What it needs in the kernel is there as long as the process, or until ndiv_capture_close(); one
 * capture at a time for each interface. If ndiv is not attached, the capture brings a core with an empty chain, which
 * goes with it.
 *
 *	head -> file
 *	until the end: blocks = ndiv_capture_read(); blocks -> file; ndiv_capture_release()
 *	ndiv_capture_stop(); what is left, likewise; tail -> file
 */
struct ndiv_capture;

/* The texts have to outlive the capture. */
struct ndiv_capture_opts {
	size_t	sz;			/* sizeof(struct ndiv_capture_opts) */
	unsigned int points;		/* bits 1 << enum ndiv_point; 0: rx */
	uint32_t snaplen;		/* bytes kept of a packet, 64 to NDIV_SNAPLEN_MAX; 0: all */
	uint32_t ring;			/* bytes of the ring of each CPU, rounded up to a power of 2; 0: 4 MB or less */
	int	coarse;			/* time stamps of the coarse clock: some ms, but cheaper */
	unsigned int verdicts;		/* bits 1 << enum ndiv_verdict of the packets wanted at verdict; 0: all */
	const char *handler;		/* only what this one decided ("core", too); NULL: all */
	const char *reason;		/* only what was dropped for this reason; NULL: all */
	const char *filter;		/* only what matches this, at all points: pcap-filter(7); NULL or "": all */
	uint32_t sample;		/* of what is wanted, one of so many, at random; 0 or 1: all */
	int	record;			/* nobody reads, and old packets give way to new ones: ndiv_capture_snapshot() */
	int	idle;			/* all is made ready, and nothing captured before ndiv_capture_tap() */
	uint32_t rate;			/* at verdict: at most so many packets a second, the first ones; 0: no limit */
	int	rules;			/* at verdict: say which rule of shield's policy it was; needs privileges all along */
	int	card;			/* the card's time stamps, where it gives one; not of tx */
};

#define NDIV_SNAPLEN_MAX	262144
#define NDIV_RING_MIN		65536
#define NDIV_RING_MAX		(1U << 30)
#define NDIV_CAPTURE_HEAD	4096	/* bytes that are enough for head and tail */

struct ndiv_capture_stats {
	struct ndiv_ring_count point[NDIV_POINTS];	/* of all CPUs; <told> is of no use here */
	uint64_t used, size;		/* bytes of the fullest ring */
};

/* -EBUSY: another capture runs on the interface, or another XDP program is attached. ndiv_error(nd) tells. */
int ndiv_capture_open(struct ndiv_capture **out, struct ndiv *nd, const struct ndiv_capture_opts *opts);
void ndiv_capture_close(struct ndiv_capture *cap);

/* Is <filter> an expression? 0, or -errno and words for it in <err>. */
int ndiv_filter_check(const char *filter, char *err, size_t err_len);

/* The blocks that begin a file: section and interfaces. Bytes in <buf>, of NDIV_CAPTURE_HEAD. */
size_t ndiv_capture_head(const struct ndiv_capture *cap, void *buf);

/* The blocks that end a file: statistics of each interface so far. Likewise. */
size_t ndiv_capture_tail(const struct ndiv_capture *cap, void *buf);

/*
 * A file can also have only what came by way of one CPU: of what number, from 0 to ndiv_capture_cpus() - 1. Different
 * CPUs may be read by different threads. Blocks are in the order of time by themselves; else as ndiv_capture_tail(),
 * ndiv_capture_read() and ndiv_capture_release().
 */
int ndiv_capture_cpus(const struct ndiv_capture *cap);
size_t ndiv_capture_cpu_tail(const struct ndiv_capture *cap, int cpu, void *buf);
int ndiv_capture_cpu_read(struct ndiv_capture *cap, int cpu, struct iovec *iov, int count, uint64_t max_bytes,
			  uint64_t *packets);
void ndiv_capture_cpu_release(struct ndiv_capture *cap, int cpu);

/*
 * What is there, in the order of time over all CPUs: up to <count> spans of whole blocks, of which at most
 * <max_packets> and <max_bytes> (one block, if it is longer; 0: no limit). Returns how many spans are in <iov>, and in
 * <*packets> the number of their packets. It does not wait. The spans are valid until ndiv_capture_release(), which
 * gives their room back to the kernel's side and has to follow. -EBADMSG: a ring is broken (a bug: please report).
 */
int ndiv_capture_read(struct ndiv_capture *cap, struct iovec *iov, int count, uint64_t max_packets,
		      uint64_t max_bytes, uint64_t *packets);
void ndiv_capture_release(struct ndiv_capture *cap);

/* Of the points that were named at the beginning, these ones are captured from now on, and the others are not. */
int ndiv_capture_tap(struct ndiv_capture *cap, unsigned int points);

/*
 * What the rings of a recorder hold now, at least of the last <ms> (0: all of it), as a capture that has been stopped:
 * to be read and closed as such. The recorder goes on. It needs as much memory as there is in the rings. -EINVAL: it is
 * no recorder. -ENOMEM.
 */
int ndiv_capture_snapshot(struct ndiv_capture **out, const struct ndiv_capture *cap, uint64_t ms);

/* Of a snapshot: how old its oldest packet was when it was taken, ns; 0: there is none. */
uint64_t ndiv_capture_span(const struct ndiv_capture *snapshot);

/* With the card's clock: packets handed out so far for which the card gave no time, so they bear the host's. */
uint64_t ndiv_capture_unstamped(const struct ndiv_capture *cap);

/* Nothing more is captured; what is in the rings can be read. */
void ndiv_capture_stop(struct ndiv_capture *cap);

/* 0; -ENODEV: the interface has vanished; -ENOLINK: ndiv was detached from it; -EIDRM: somebody else took our programs
 * away. */
int ndiv_capture_check(const struct ndiv_capture *cap);

/*
 * Looks again which handlers are attached, and how the words of verdicts are to be. Every now and then: what is
 * attached later is a number until then.
 */
int ndiv_capture_refresh(struct ndiv_capture *cap);

void ndiv_capture_stats(const struct ndiv_capture *cap, struct ndiv_capture_stats *stats);

/* Does ndiv_capture_close() still need privileges? (On the transmit path before Linux 6.6.) Else they can be dropped.
 */
int ndiv_capture_needs_root(const struct ndiv_capture *cap);

const char *ndiv_point_name(enum ndiv_point point);

/*
 * Streams: one capture, several readers who come and go. Each stream is a file of its own, from its head on, of one
 * point, as pcapng or as pcap. It has a buffer; a reader who is too slow for it loses packets, and nobody else does.
 * What is lost is counted, and told in pcapng.
 *
 *	ndiv_stream_put(each stream, what ndiv_capture_read() gave)
 *	bytes = ndiv_stream_get(stream)
 */
struct ndiv_stream;

enum ndiv_format {
	NDIV_PCAPNG = 0,
	NDIV_PCAP,			/* with nanoseconds; neither verdicts nor losses can be told */
};

/* <point> is one of those of <cap>, which has to outlive the stream; <size>: bytes of the buffer. 0, -EINVAL, -ENOMEM.
 */
int ndiv_stream_open(struct ndiv_stream **out, const struct ndiv_capture *cap, enum ndiv_point point,
		     enum ndiv_format format, size_t size);

/* Takes the blocks of its point out of <count> spans of whole blocks. */
void ndiv_stream_put(struct ndiv_stream *st, const struct iovec *iov, int count);

/* Nothing more comes: statistics end the file. */
void ndiv_stream_end(struct ndiv_stream *st);

/* Up to <len> bytes of the file, wherever blocks begin. 0: there is nothing, yet, or any more. */
size_t ndiv_stream_get(struct ndiv_stream *st, void *buf, size_t len);

/* How many bytes could be got. */
size_t ndiv_stream_waiting(const struct ndiv_stream *st);

/* Packets that the buffer had no room for. */
uint64_t ndiv_stream_lost(const struct ndiv_stream *st);
void ndiv_stream_close(struct ndiv_stream *st);

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

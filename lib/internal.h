/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * internal.h - what the files of libndiv share
 *
 * State of an interface, all of it pinned, in /sys/fs/bpf/ndiv/<inode of the network namespace>/<ifindex>/:
 *
 *	link			the XDP link; it is pinned last and unpinned first: no link, no attachment
 *	tp_*, link_tx, link_in	links of the tracepoints, of the transmit path and of tc ingress
 *	ndiv_*, conf		the core's maps
 *	entry, verdict, ...	the core's programs, to build chains and to present packets again
 *	h<id>/			a handler: rx, tx, in, clone, skb, done (programs and link), m_<name> (its maps)
 */
#ifndef NDIV_INTERNAL_H
#define NDIV_INTERNAL_H

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ndiv/ndiv.h>

#define ROOT		"/sys/fs/bpf/ndiv"
#define STATE_LEN	64	/* of a state directory's name */
#define DIR_LEN		96	/* of a handler's directory in it */
#define PIN_LEN		192	/* of a pin's path */
#define CONFIG_MAX	4096	/* bytes of a handler's section .rodata.config */

struct ndiv {
	char	ifname[IFNAMSIZ];
	unsigned int ifindex;
	int	readonly;
	int	lock;			/* fd of the namespace's directory while locked, else -1 */
	char	dir[STATE_LEN];
	char	err[1024];
	char	warn[512];
};

/* err.c */
int	fail(struct ndiv *nd, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void	warn(struct ndiv *nd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	clear(struct ndiv *nd);
const char *err_text(int err);
void	log_text(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* caps.c */
int	check_caps(struct ndiv *nd);

/* path.c: directories and pins. Pins: 0 or -errno; get: fd or -errno. */
int	root_ready(struct ndiv *nd);
int	root_hidden(struct ndiv *nd);
unsigned long netns_inode(void);
int	state_lock(struct ndiv *nd);
int	state_dir(void);
void	state_unlock(struct ndiv *nd);
int	make_dir(const char *path);
int	remove_tree(const char *path);
void	pin_path(char *buf, const char *dir, const char *name);
int	pin(const char *dir, const char *name, int fd);
int	pin_get(const char *dir, const char *name);
__u32	prog_id(int fd);
__u32	pinned_prog_id(const char *dir, const char *name);
int	pinned(const char *dir, const char *name);
void	unpin(const char *dir, const char *name);
void	handler_dir(const struct ndiv *nd, unsigned int id, int new, char *buf);

/* link.c: XDP link and tracepoint links */
int	link_info(const char *dir, struct bpf_link_info *info);
int	link_lend(struct ndiv *nd, int entry, enum ndiv_mode mode);
int	link_xdp(struct ndiv *nd, int entry, enum ndiv_mode mode);
int	link_swap(struct ndiv *nd, int entry);
int	link_tracepoint(const char *dir, const char *name, int prog);
void	link_cut(const char *dir, const char *name);
int	link_mode(const struct ndiv *nd, enum ndiv_mode *mode);
int	other_program(struct ndiv *nd);
__u32	link_program(const struct ndiv *nd);
__u32	link_program_name(const struct ndiv *nd, char *name);

/* stray.c: state that is no longer where it belongs */
int	state_holds(const struct ndiv *nd);
void	strays_remove(struct ndiv *nd);
__u32	foreign_program(const struct ndiv *nd, char *name);

/* core.c */
struct core_bpf;
int	core_up(struct ndiv *nd, enum ndiv_mode mode);
void	core_down(struct ndiv *nd);
int	core_lend(struct ndiv *nd, int hints, struct core_bpf **core);
int	core_alone(struct ndiv *nd, struct core_bpf **core);
int	core_fits(struct ndiv *nd, enum ndiv_mode mode);

/* device.c */
int	device_suits(struct ndiv *nd);
void	device_refusal(const struct ndiv *nd, int prog, int err, char *buf, size_t len);

/* warning.c */
void	warn_clones(struct ndiv *nd);
void	state_warnings(const struct ndiv *nd, struct ndiv_state *st);

/* offload.c */
int	offload_due(const struct ndiv *nd);
int	offload_adjust(struct ndiv *nd);
void	offload_restore(const struct ndiv *nd);

/* conf.c: the memory-mapped configuration */
struct ndiv_conf *conf_map(const char *dir);
void	conf_unmap(struct ndiv_conf *conf);

/* entry.c: the table of handlers */
struct table {
	int	map;			/* fd */
	struct ndiv_entry e[NDIV_HANDLERS_MAX];	/* by id; 0 is not used */
};
int	table_open(struct ndiv *nd, struct table *tab);
void	table_close(struct table *tab);
int	table_find(const struct table *tab, const char *name);
int	table_free_id(const struct table *tab);
size_t	table_count(const struct table *tab);
int	table_sorted(const struct table *tab, unsigned int *ids);
int	table_write(struct ndiv *nd, const struct table *tab, unsigned int id);

/* ndiv.c */
int	change_by(struct ndiv *nd, int (*fn)(struct ndiv *nd, const struct table *tab, const void *arg), const void *arg);

/* object.c: a handler's object */
struct loaded {
	struct bpf_object *obj;
	struct ndiv_info info;
	struct bpf_program *rx, *tx, *in, *clone, *skb, *done;
};
/* What a handler has in a section of constants. */
struct constant {
	const char *section;	/* NULL: the end of a list */
	const void *value;
	size_t len;
};

/* For a handler that is loaded without an interface. */
struct alone {
	struct bpf_object *core;	/* whose maps it shares */
	const struct constant *constants;
};
const char *object_info(const void *p, size_t size, struct ndiv_info *info);
int	object_load(struct ndiv *nd, const char *path, unsigned int id, const char *opts, struct loaded *ld);
int	object_load_alone(struct ndiv *nd, const char *path, const char *opts, const struct alone *alone,
		      struct loaded *ld);
int	object_pin(struct ndiv *nd, struct loaded *ld, const char *dir);
void	object_close(struct loaded *ld);
void	object_map_name(const char *name, char *buf, size_t len);

/* find.c */
int	is_path(const char *what);
int	object_hash(const char *path, __u64 *hash);

/* sip.c: SipHash with <c> rounds a word and <d> at the end */
__u64	sip_hash(int c, int d, const __u64 *key, const void *p, size_t len);

/* option.c */
int	option_apply(struct ndiv *nd, const struct ndiv_info *info, void *config, size_t size, const char *opts);
void	option_text(const struct ndiv_option *opt, const void *config, size_t size, char *buf, size_t len);
int	option_check(struct ndiv *nd, const struct ndiv_info *info, const char *opts);
int	option_join(struct ndiv *nd, const char *old, const char *const *opts, size_t count, char *buf, size_t len);

/* chain.c */
void	wait_for_packets(void);
int	chain_apply(struct ndiv *nd, const struct table *tab, unsigned int fresh_id);

/* tc.c: programs on the transmit path, at ingress, and on the receive path in generic mode */
int	tx_up(struct ndiv *nd);
void	tx_down(struct ndiv *nd);
int	tx_kind(const struct ndiv *nd);
int	tx_lend(struct ndiv *nd, int prog, int *link);
void	tx_return(struct ndiv *nd, int *link);
int	in_up(struct ndiv *nd);
void	in_down(struct ndiv *nd);
int	in_kind(const struct ndiv *nd);
int	generic_up(struct ndiv *nd);
void	generic_down(struct ndiv *nd);

/* capture.c: what a capture is made of */
struct tap_bpf;

/* What readers need of an enhanced packet block. */
struct epb {
	__u32	type, len, interface, time_high, time_low, captured, original;
};

/* The ring of one CPU, as it is read. */
struct reader {
	struct ndiv_ring *ring;
	__u64	pos;			/* up to here it was handed out */
	__u64	limit;			/* up to here it can be */
	__u64	last;			/* time of the last block that was handed out */
	__u64	unstamped[NDIV_POINTS];	/* blocks handed out without a time of the card */
	int	busy;			/* a block was being written when <limit> was read */
};

/* What it takes to have the entry of a core that is attached ask the card, and then no longer. */
struct card {
	int	open;			/* what follows is valid */
	int	hints, plain;		/* the two entry programs */
	int	dir;			/* whose lock is that of the state */
};

struct ndiv_capture {
	struct ndiv *nd;
	struct ndiv_capture_opts opts;
	struct ndiv_tap_conf conf;
	struct tap_bpf *tap;
	struct core_bpf *core;		/* that was brought along; NULL: ndiv is attached */
	int	link;			/* XDP link: of that core, or to watch the one that is there; or -1 */
	int	taps;			/* the array of taps, or -1 */
	struct ndiv_conf *core_conf;	/* of the core that is attached; NULL: it was brought along */
	int	tx_link;		/* of tcx; -1: none */
	struct card card;
	int	filter[NDIV_POINTS];	/* programs in front of those that copy, or -1 */
	int	stopped;		/* nothing new comes */
	__u32	policy;			/* kernel's id of the policy whose rules have been written; 0: of none */
	unsigned int tapped;		/* points that are captured now: bits 1 << enum ndiv_point */
	struct table *tab;		/* handlers, as they were at the last look */
	struct ndiv_comment *outcomes;	/* likewise their words */
	char	ifname[IFNAMSIZ];
	void	*map;			/* all rings */
	size_t	map_len;
	struct reader *reader;
	int	cpus;
	int	force_barrier;		/* for tests: as if the CPU needed one */
	__u64	start;			/* ns since 1970 */
	__u64	span;			/* of a snapshot: ns */
};

#define ALL_CPUS	(-1)

/* The core's maps that taps use. */
struct tap_maps {
	int	cpus, chain, taps;
};
int	tap_load(struct ndiv_capture *cap, const struct tap_maps *maps);
int	tap_filter(struct ndiv_capture *cap, const struct tap_maps *maps);
int	tap_rings(struct ndiv_capture *cap);
int	tap_in(struct ndiv_capture *cap);
void	tap_unload(struct ndiv_capture *cap);
__u64	capture_clock(const struct ndiv_capture *cap);
size_t	capture_ring_bytes(const struct ndiv_capture *cap);
size_t	capture_head(const struct ndiv_capture *cap, unsigned int points, void *buf);
void	capture_count(const struct ndiv_capture *cap, int cpu, enum ndiv_point point, struct ndiv_ring_count *sum);

/* card.c: the card's clock */
int	card_check(struct ndiv *nd);
int	card_open(struct ndiv_capture *cap);
void	card_clean(struct ndiv_capture *cap);
void	card_close(struct ndiv_capture *cap);
int	card_asked(const struct ndiv_conf *conf);
void	card_time(const struct ndiv_capture *cap, struct reader *r, struct epb *b);
__u64	card_missing(const struct ndiv_capture *cap, int cpu, enum ndiv_point point);

/* outcome.c */
void	outcome_text(const struct table *tab, __u32 outcome, struct ndiv_comment *c);
int	outcome_has_rule(const struct table *tab, __u32 outcome);
int	outcomes_write(struct ndiv_capture *cap);
int	outcomes_check(struct ndiv_capture *cap);

/* rule.c */
int	rules_write(struct ndiv_capture *cap);

/* merge.c */
int	reader_skip(const struct ndiv_capture *cap, struct reader *r, __u64 since, __u64 *first);
__u64	ring_used(const struct ndiv_capture *cap, const struct reader *r);

/* pcapng.c */
size_t	pcapng_section(void *buf);
size_t	pcapng_interface(void *buf, const char *name, const char *about, const char *filter, __u32 snaplen);
struct pcapng_stats {
	__u32	interface;
	__u64	start, now, received, accepted, lost, delivered;
};
#define PCAPNG_UNKNOWN	(~0ULL)	/* <delivered> is not told */
size_t	pcapng_stats(void *buf, const struct pcapng_stats *st);

/* A packet of which <captured> bytes at <data> are known. <comment>: as much of it as a block has room for. */
struct pcapng_packet {
	__u64	ns;
	const void *data;
	__u32	captured, len;
	const char *comment;
};
#define PCAPNG_PACKET_EXTRA	512	/* bytes of its block besides the data, at most */
size_t	pcapng_packet(void *buf, const struct pcapng_packet *p);

/* state.c */
int	stats_read(int map, int which, int cpu, struct ndiv_stats *stats);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * snap.h - state and counters of interfaces at one moment, for the listings
 */
#ifndef NDIV_SNAP_H
#define NDIV_SNAP_H

#include <stddef.h>
#include <stdint.h>
#include <ndiv/ndiv.h>

#define SNAP_ERR_LEN 1200

/* One interface to which ndiv is attached. */
struct snap {
	struct ndiv_state st;
	double when; /* s, monotonic: when the counters were read */
	struct ndiv_stats stats[NDIV_CPU_COUNT]; /* by path, if snap_has() it */
	unsigned int cpus; /* 0 unless asked for */
	struct ndiv_stats *cpu[NDIV_CPU_COUNT]; /* the same for each CPU */
};

/* Ordered by index of the interface. */
struct snaps {
	uint32_t foreign; /* asked for one to which ndiv is not attached: index of the program that is there, or 0 */
	char foreign_name[16];
	size_t count;
	struct snap **snap;
};

/*
 * Reads interface <ifname> (one that is not attached gives none), or all of them (NULL). 0, or -errno with a message in
 * <err> of SNAP_ERR_LEN bytes; then <s> is empty.
 */
int snaps_read(struct snaps *s, const char *ifname, int per_cpu, char *err);
void snaps_free(struct snaps *s);
const struct snap *snaps_find(const struct snaps *s, uint32_t ifindex);

/* Handler ids in the order in which a packet meets them; the core, which has the last word, is the last. Returns the
 * number. */
size_t snap_ids(const struct snap *sn, unsigned int *ids);

const char *snap_handler(const struct snap *sn, unsigned int id);

/* What is counted for each handler: verdicts, drop reasons, counters of its own. */
#define SNAP_NAME_LEN 24
#define SNAP_KINDS    3

struct snap_kind {
	const char *title; /* of a column with its names */
	const char *plural; /* key in JSON */
	unsigned int count;
	uint64_t (*get)(const struct ndiv_stats *stats, unsigned int id, unsigned int n);
	/* Is there such a one, so that it is listed even at 0? */
	int (*has)(const struct snap *sn, unsigned int id, unsigned int n);
	/* <buf>: SNAP_NAME_LEN bytes, for one without a name of its own. */
	const char *(*name)(const struct snap *sn, unsigned int id, unsigned int n, char *buf);
};

extern const struct snap_kind snap_kinds[SNAP_KINDS];

static inline int snap_is_verdicts(const struct snap_kind *kind)
{
	return kind == &snap_kinds[0];
}

/* Is there path <which>? */
int snap_has(const struct ndiv_state *st, int which);

/* "tcx" or "clsact" for st.tx and st.in; NULL without handlers there. */
const char *snap_hook(int kind);

/* "transmit path (tcx)", for all paths but the receive path. <buf>: SNAP_TITLE_LEN bytes. */
#define SNAP_TITLE_LEN 32
const char *snap_title(const struct ndiv_state *st, int which, char *buf);

/* One packet in how many is timed; 0: none. */
uint32_t snap_sample(const struct ndiv_state *st);

/* Keys of the paths in JSON. */
extern const char *const snap_paths[NDIV_CPU_COUNT];

#endif

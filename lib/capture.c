// SPDX-License-Identifier: GPL-2.0-only
/*
 * capture.c - a capture's side in the kernel: its programs into the taps, its rings into memory; and out again
 *
 * Nothing of it is pinned. The array of taps is held by this process alone, so that the kernel empties it when the
 * process ends, and likewise the links; see enum ndiv_tap.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "internal.h"
#include "core.skel.h"
#include "tap.skel.h"
#include "filter.h"

#define RING_DEFAULT	(4U << 20)
#define RINGS_DEFAULT	(256ULL << 20)	/* of all CPUs together */
#define RING_SMALL	(512U << 10)	/* not less, unless it is asked for */
#define SNAPLEN_MIN	64
#define RATE_MAX	1000000
#define RATE_BURST_NS	100000000U		/* a tenth of a second's packets may come at once */
#define HELD_MS		5000			/* until the kernel has removed what a process left, at most */

/* CPUs whose stores others see in the order of the program. */
#if defined(__x86_64__) || defined(__i386__) || defined(__s390x__)
#define STORES_IN_ORDER	1
#else
#define STORES_IN_ORDER	0
#endif

const char *ndiv_point_name(enum ndiv_point point)
{
	static const char *const names[NDIV_POINTS] = { "rx", "verdict", "tx" };

	return point < NDIV_POINTS ? names[point] : "?";
}

static int wants(const struct ndiv_capture *cap, enum ndiv_point point)
{
	return cap->opts.points >> point & 1;
}

static int wants_rx(const struct ndiv_capture *cap)
{
	return wants(cap, NDIV_POINT_RX) || wants(cap, NDIV_POINT_VERDICT);
}

/* --- options */

static __u32 ring_default(int cpus)
{
	__u32 size = RING_DEFAULT;

	while (size > RING_SMALL && (__u64)size * cpus > RINGS_DEFAULT)
		size /= 2;
	return size;
}

static __u32 round_up_pow2(__u32 n)
{
	__u32 p = NDIV_RING_MIN;

	while (p < n)
		p *= 2;
	return p;
}

/* Takes over the options, with the defaults where nothing is said. */
static int take_opts(struct ndiv_capture *cap, const struct ndiv_capture_opts *o)
{
	struct ndiv *nd = cap->nd;

	if (o)
		memcpy(&cap->opts, o, o->sz < sizeof(*o) ? o->sz : sizeof(*o));
	if (!cap->opts.points)
		cap->opts.points = 1U << NDIV_POINT_RX;
	if (cap->opts.points >= 1U << NDIV_POINTS)
		return fail(nd, EINVAL, "capture points 0x%x: there are 0 to %d", cap->opts.points, NDIV_POINTS - 1);
	if (!cap->opts.snaplen)
		cap->opts.snaplen = NDIV_SNAPLEN_MAX;
	if (cap->opts.snaplen < SNAPLEN_MIN || cap->opts.snaplen > NDIV_SNAPLEN_MAX)
		return fail(nd, ERANGE, "snaplen %u: it has to be from %d to %d, or 0 for all", cap->opts.snaplen,
			    SNAPLEN_MIN, NDIV_SNAPLEN_MAX);
	if (cap->opts.ring > NDIV_RING_MAX)
		return fail(nd, ERANGE, "ring of %u bytes: at most %u are possible", cap->opts.ring, NDIV_RING_MAX);
	cap->opts.ring = cap->opts.ring ? round_up_pow2(cap->opts.ring) : ring_default(cap->cpus);
	if (cap->opts.rate > RATE_MAX)
		return fail(nd, ERANGE, "%u packets a second: at most %u can be asked for", cap->opts.rate, RATE_MAX);
	if ((cap->opts.rate || cap->opts.rules) && !wants(cap, NDIV_POINT_VERDICT))
		return fail(nd, EINVAL, "rate and rules are for the point verdict only, which is not captured");
	if ((cap->opts.verdicts || cap->opts.handler || cap->opts.reason) && !wants(cap, NDIV_POINT_VERDICT))
		return fail(nd, EINVAL, "verdict, handler and reason are known at the point verdict only, which is not "
			    "captured");
	if (cap->opts.card && wants(cap, NDIV_POINT_TX))
		return fail(nd, EINVAL,
			    "the card stamps what it receives: no time of it at the point tx, which is to be "
			    "captured");
	return 0;
}

/* --- clock */

static __u64 clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* What has to be added to CLOCK_MONOTONIC, which the programs read: by the closest of several looks at both. */
static __u64 clock_epoch(void)
{
	__u64 best = ~0ULL, epoch = 0, before, real, after;
	int i;

	for (i = 0; i < 32; i++) {
		before = clock_ns(CLOCK_MONOTONIC);
		real = clock_ns(CLOCK_REALTIME);
		after = clock_ns(CLOCK_MONOTONIC);
		if (after - before >= best)
			continue;
		best = after - before;
		epoch = real - (before + best / 2);
	}
	return epoch;
}

/* The time as the programs take it. */
__u64 capture_clock(const struct ndiv_capture *cap)
{
	return cap->conf.epoch + clock_ns(cap->conf.coarse ? CLOCK_MONOTONIC_COARSE : CLOCK_MONOTONIC);
}

/* --- programs and rings */

static void fill_conf(struct ndiv_capture *cap)
{
	struct ndiv_tap_conf *c = &cap->conf;
	unsigned int point, n = 0;

	c->size = cap->opts.ring;
	c->snaplen = cap->opts.snaplen;
	c->epoch = clock_epoch();
	c->coarse = !!cap->opts.coarse;
	c->card = !!cap->opts.card;
	c->barrier = cap->force_barrier || !STORES_IN_ORDER;
	if (cap->opts.record)
		c->mark_shift = __builtin_ctz(c->size / NDIV_RING_MARKS);
	if (cap->opts.sample > 1) {
		c->sample = (1ULL << 32) / cap->opts.sample;
		c->key = clock_ns(CLOCK_MONOTONIC) * 0x9e3779b97f4a7c15ULL;
	}
	if (cap->opts.rate) {
		c->gap = 1000000000ULL / cap->opts.rate;
		c->depth = RATE_BURST_NS > c->gap ? RATE_BURST_NS : c->gap;
	}
	c->ids = wants(cap, NDIV_POINT_RX) && wants(cap, NDIV_POINT_VERDICT);
	for (point = 0; point < NDIV_POINTS; point++)
		if (wants(cap, point))
			c->interface[point] = n++;
}

/* Bytes of one ring with its slack, in whole pages. */
size_t capture_ring_bytes(const struct ndiv_capture *cap)
{
	size_t page = getpagesize(),
	       n = sizeof(struct ndiv_ring) + cap->conf.size + cap->conf.snaplen + NDIV_BLOCK_EXTRA;

	return (n + page - 1) / page * page;
}

static void choose_programs(struct ndiv_capture *cap)
{
	struct tap_bpf *tap = cap->tap;

	bpf_program__set_autoload(tap->progs.ndiv_tap_rx, wants(cap, NDIV_POINT_RX));
	bpf_program__set_autoload(tap->progs.ndiv_tap_rx_skip, wants(cap, NDIV_POINT_RX));
	bpf_program__set_autoload(tap->progs.ndiv_tap_verdict, wants(cap, NDIV_POINT_VERDICT));
	bpf_program__set_autoload(tap->progs.ndiv_tap_verdict_skip, wants(cap, NDIV_POINT_VERDICT));
	bpf_program__set_autoload(tap->progs.ndiv_tap_tx, wants(cap, NDIV_POINT_TX));
	bpf_program__set_autoload(tap->progs.ndiv_tap_tx_skip, wants(cap, NDIV_POINT_TX));
}

/* Maps of the core where there is one; what else the handler API declares is not needed. */
static int share_maps(struct tap_bpf *tap, const struct tap_maps *maps)
{
	int err = bpf_map__set_autocreate(tap->maps.ndiv_skb, false);

	if (!err && maps->cpus >= 0)
		err = bpf_map__reuse_fd(tap->maps.ndiv_cpus, maps->cpus);
	if (!err && maps->chain >= 0)
		err = bpf_map__reuse_fd(tap->maps.ndiv_chain, maps->chain);
	return err;
}

/* Loads the programs, and makes the rings. */
int tap_load(struct ndiv_capture *cap, const struct tap_maps *maps)
{
	struct tap_bpf *tap = tap_bpf__open();
	int err;

	if (!tap)
		return fail(cap->nd, errno, "cannot open the capture's BPF object: %s", strerror(errno));
	cap->tap = tap;
	fill_conf(cap);
	memcpy((void *)&tap->rodata_tap->tap_conf, &cap->conf, sizeof(cap->conf));
	choose_programs(cap);
	err = share_maps(tap, maps);
	if (!err)
		err = bpf_map__set_value_size(tap->maps.ndiv_rings, capture_ring_bytes(cap));
	if (!err)
		err = bpf_map__set_max_entries(tap->maps.ndiv_rings, cap->cpus);
	if (!err && !cap->opts.rules)
		err = bpf_map__set_max_entries(tap->maps.ndiv_rules, 1);
	if (!err)
		err = tap_bpf__load(tap);
	if (err)
		return fail(cap->nd, -err, "cannot load the capture's programs, with a ring of %u bytes for each of %d "
			    "CPUs (a smaller one may do): %s", cap->conf.size, cap->cpus, err_text(err));
	return 0;
}

/* Maps the rings. */
int tap_rings(struct ndiv_capture *cap)
{
	size_t bytes = capture_ring_bytes(cap);
	int i;

	cap->map_len = bytes * cap->cpus;
	cap->map = mmap(NULL, cap->map_len, PROT_READ | PROT_WRITE, MAP_SHARED,
			bpf_map__fd(cap->tap->maps.ndiv_rings), 0);
	if (cap->map == MAP_FAILED)
		return fail(cap->nd, errno, "cannot map %zu bytes of rings: %s", cap->map_len, strerror(errno));
	cap->reader = calloc(cap->cpus, sizeof(*cap->reader));
	if (!cap->reader)
		return fail(cap->nd, ENOMEM, "out of memory");
	for (i = 0; i < cap->cpus; i++)
		cap->reader[i].ring = (struct ndiv_ring *)((char *)cap->map + i * bytes);
	return 0;
}

void tap_unload(struct ndiv_capture *cap)
{
	unsigned int point;

	if (cap->map && cap->map != MAP_FAILED)
		munmap(cap->map, cap->map_len);
	free(cap->reader);
	for (point = 0; point < NDIV_POINTS; point++) {
		if (cap->filter[point] >= 0)
			close(cap->filter[point]);
		cap->filter[point] = -1;
	}
	tap_bpf__destroy(cap->tap);
	cap->map = NULL;
	cap->reader = NULL;
	cap->tap = NULL;
}

/* --- the core that is tapped */

/* The array of taps of the core that is attached: it is in no directory, but the entry program uses it. */
static int find_taps(struct ndiv *nd)
{
	__u32 ids[64], len = sizeof(struct bpf_prog_info), i;
	struct bpf_prog_info info = { .map_ids = (__u64)(unsigned long)ids, .nr_map_ids = 64 };
	struct bpf_map_info map;
	int prog = pin_get(nd->dir, "entry"), fd, err;

	if (prog < 0)
		return prog;
	err = bpf_obj_get_info_by_fd(prog, &info, &len) ? -errno : 0;
	close(prog);
	for (i = 0; !err && i < info.nr_map_ids && i < 64; i++) {
		fd = bpf_map_get_fd_by_id(ids[i]);
		if (fd < 0)
			return -errno;
		len = sizeof(map);
		memset(&map, 0, sizeof(map));
		if (!bpf_obj_get_info_by_fd(fd, &map, &len) && !strcmp(map.name, "ndiv_taps"))
			return fd;
		close(fd);
	}
	return err ? err : -ENOENT;
}

static int is_held(int taps)
{
	__u32 slot = NDIV_TAP_HELD, prog;

	return !bpf_map_lookup_elem(taps, &slot, &prog);
}

/* One capture at a time. One that ended a moment ago may still be there: the kernel is about to remove it. */
static int wait_for_taps(struct ndiv_capture *cap)
{
	__u32 pid;
	int ms;

	for (ms = 0; is_held(cap->taps); ms += 10) {
		pid = __atomic_load_n(&cap->core_conf->capturer, __ATOMIC_RELAXED);
		if (pid && (!kill(pid, 0) || errno == EPERM))
			return fail(cap->nd, EBUSY, "process %u captures on it: one at a time", pid);
		if (ms >= HELD_MS)
			return fail(cap->nd, EBUSY, "another capture runs on it: one at a time");
		usleep(10000);
	}
	return 0;
}

static int find_core(struct ndiv_capture *cap, struct tap_maps *maps)
{
	struct ndiv *nd = cap->nd;
	int err;

	cap->taps = find_taps(nd);
	if (cap->taps < 0)
		return fail(nd, -cap->taps, "cannot find where packets are captured: %s; was ndiv attached by another "
			    "version? `ndiv detach %s` removes it", strerror(-cap->taps), nd->ifname);
	cap->core_conf = conf_map(nd->dir);
	if (!cap->core_conf)
		return fail(nd, errno, "cannot map %s/conf: %s", nd->dir, strerror(errno));
	err = wait_for_taps(cap);
	if (err)
		return err;
	maps->cpus = pin_get(nd->dir, "ndiv_cpus");
	maps->chain = pin_get(nd->dir, "ndiv_chain");
	cap->link = pin_get(nd->dir, "link");
	if (maps->cpus < 0 || maps->chain < 0 || cap->link < 0)
		return fail(nd, ENOENT, "maps are missing in %s", nd->dir);
	err = table_open(nd, cap->tab);
	if (err)
		return err;
	card_clean(cap);
	return cap->opts.card ? card_open(cap) : 0;
}

static int bring_core(struct ndiv_capture *cap, struct tap_maps *maps)
{
	cap->link = core_lend(cap->nd, cap->opts.card, &cap->core);
	if (cap->link < 0)
		return cap->link;
	if (offload_due(cap->nd))
		warn(cap->nd, "the card removes VLAN tags, so they are not in the capture (`ethtool -K %s rxvlan off`)",
		     cap->nd->ifname);
	maps->cpus = dup(bpf_map__fd(cap->core->maps.ndiv_cpus));
	maps->chain = dup(bpf_map__fd(cap->core->maps.ndiv_chain));
	cap->taps = dup(bpf_map__fd(cap->core->maps.ndiv_taps));
	return 0;
}

/* --- filter */

static int load_filter(struct ndiv_capture *cap, const struct filter *f, const struct tap_maps *maps,
		       enum ndiv_point point)
{
	static const struct filter_target targets[NDIV_POINTS] = {
		[NDIV_POINT_RX] = { .kind = FILTER_RX, .copy = NDIV_TAP_RX_COPY, .skip = NDIV_TAP_RX_SKIP },
		[NDIV_POINT_VERDICT] = { .kind = FILTER_VERDICT, .copy = NDIV_TAP_VERDICT_COPY,
					 .skip = NDIV_TAP_VERDICT_SKIP },
		[NDIV_POINT_TX] = { .kind = FILTER_TX, .copy = NDIV_TAP_RX_COPY, .skip = NDIV_TAP_RX_SKIP },
	};
	struct filter_target target = targets[point];

	target.taps = point == NDIV_POINT_TX ? bpf_map__fd(cap->tap->maps.ndiv_tx_taps) : cap->taps;
	target.chain = maps->chain;
	target.cpus = maps->cpus;
	cap->filter[point] = filter_load(f, &target);
	if (cap->filter[point] < 0)
		return fail(cap->nd, -cap->filter[point],
			    "the kernel refuses the filter \"%s\": %s (`ndiv -v capture ...` "
			    "shows the verifier's log)",
			    cap->opts.filter, strerror(-cap->filter[point]));
	return 0;
}

static int compile(const char *filter, struct filter *f, char *err, size_t err_len)
{
	char words[256] = "";
	int ret = filter_compile(filter, f, words, sizeof(words));

	if (ret)
		snprintf(err, err_len, "filter \"%s\": %s (pcap-filter(7) tells what is possible)", filter,
			 ret == -EINVAL ? words : strerror(-ret));
	return ret;
}

int ndiv_filter_check(const char *filter, char *err, size_t err_len)
{
	struct filter f;
	int ret = compile(filter, &f, err, err_len);

	if (!ret)
		filter_free(&f);
	return ret;
}

/* Compiles the expression, and makes a program of it for each point. */
int tap_filter(struct ndiv_capture *cap, const struct tap_maps *maps)
{
	unsigned int point;
	char said[1024];
	struct filter f;
	int err;

	if (!cap->opts.filter || !*cap->opts.filter)
		return 0;
	err = compile(cap->opts.filter, &f, said, sizeof(said));
	if (err)
		return fail(cap->nd, -err, "%s", said);
	for (point = 0; point < NDIV_POINTS && !err; point++)
		if (wants(cap, point))
			err = load_filter(cap, &f, maps, point);
	filter_free(&f);
	return err;
}

/* --- in and out */

static int set_tap(int taps, __u32 slot, int prog)
{
	return bpf_map_update_elem(taps, &slot, &prog, BPF_ANY) ? -errno : 0;
}

/* What belongs to a point of the receive path: the slot of what comes first is followed by those of the filter's ends.
 */
static int tap_point(struct ndiv_capture *cap, enum ndiv_point point, __u32 slot, const struct bpf_program *copy,
		     const struct bpf_program *skip)
{
	int taps = cap->taps, err;

	if (cap->filter[point] < 0)
		return set_tap(taps, slot, bpf_program__fd(copy));
	err = set_tap(taps, slot + 1, bpf_program__fd(copy));
	if (!err)
		err = set_tap(taps, slot + 2, bpf_program__fd(skip));
	return err ? err : set_tap(taps, slot, cap->filter[point]);
}

static int tap_tx(struct ndiv_capture *cap)
{
	int taps = bpf_map__fd(cap->tap->maps.ndiv_tx_taps), copy = bpf_program__fd(cap->tap->progs.ndiv_tap_tx), err;
	int filter = cap->filter[NDIV_POINT_TX];

	err = set_tap(taps, NDIV_TAP_RX_COPY, copy);
	if (!err)
		err = set_tap(taps, NDIV_TAP_RX_SKIP, bpf_program__fd(cap->tap->progs.ndiv_tap_tx_skip));
	return err ? err : tx_lend(cap->nd, filter < 0 ? copy : filter, &cap->tx_link);
}

/* From here on the array is ours. Any program will do. */
static int hold_taps(struct ndiv_capture *cap)
{
	const struct bpf_program *prog = wants(cap, NDIV_POINT_RX) ? cap->tap->progs.ndiv_tap_rx
								   : cap->tap->progs.ndiv_tap_verdict;

	if (!wants_rx(cap))
		return 0;
	if (cap->core_conf)
		__atomic_store_n(&cap->core_conf->capturer, getpid(), __ATOMIC_RELAXED);
	return set_tap(cap->taps, NDIV_TAP_HELD, bpf_program__fd(prog));
}

/* Puts the programs of a point where packets come by. */
static int tap_on(struct ndiv_capture *cap, enum ndiv_point point)
{
	struct tap_bpf *tap = cap->tap;

	switch (point) {
	case NDIV_POINT_RX:
		return tap_point(cap, point, NDIV_TAP_RX, tap->progs.ndiv_tap_rx, tap->progs.ndiv_tap_rx_skip);
	case NDIV_POINT_VERDICT:
		return tap_point(cap, point, NDIV_TAP_VERDICT, tap->progs.ndiv_tap_verdict,
				 tap->progs.ndiv_tap_verdict_skip);
	default:
		return tap_tx(cap);
	}
}

/* Takes away what comes first only: packets that are in a filter still find where it leads to. */
static void tap_off(struct ndiv_capture *cap, enum ndiv_point point)
{
	const __u32 slot = point == NDIV_POINT_RX ? NDIV_TAP_RX : NDIV_TAP_VERDICT;

	if (point == NDIV_POINT_TX)
		tx_return(cap->nd, &cap->tx_link);
	else
		bpf_map_delete_elem(cap->taps, &slot);
}

int ndiv_capture_tap(struct ndiv_capture *cap, unsigned int points)
{
	unsigned int point, on;
	int err;

	for (point = NDIV_POINTS; point--;) {
		on = points & cap->opts.points & 1U << point;
		if (on == (cap->tapped & 1U << point))
			continue;
		err = 0;
		if (on)
			err = tap_on(cap, point);
		else
			tap_off(cap, point);
		if (err)
			return fail(cap->nd, -err, "cannot tap the packets at %s: %s", ndiv_point_name(point),
				    strerror(-err));
		cap->tapped ^= 1U << point;
	}
	return 0;
}

/* From now on packets are captured, unless it is to be idle. */
int tap_in(struct ndiv_capture *cap)
{
	int err = hold_taps(cap);

	if (err)
		return fail(cap->nd, -err, "cannot hold the taps: %s", strerror(-err));
	return cap->opts.idle ? 0 : ndiv_capture_tap(cap, cap->opts.points);
}

void ndiv_capture_stop(struct ndiv_capture *cap)
{
	__u32 slot;

	ndiv_capture_tap(cap, 0);
	wait_for_packets();
	for (slot = 0; cap->taps >= 0 && slot < NDIV_TAP_HELD; slot++)
		bpf_map_delete_elem(cap->taps, &slot);
	cap->stopped = 1;
}

/* --- open and close */

static int open_locked(struct ndiv_capture *cap)
{
	struct tap_maps maps = { -1, -1, -1 };
	int err = 0;

	if (cap->opts.card)
		err = card_check(cap->nd);
	if (!err && wants_rx(cap))
		err = state_holds(cap->nd) ? find_core(cap, &maps) : bring_core(cap, &maps);
	if (!err)
		err = tap_load(cap, &maps);
	if (!err)
		err = tap_filter(cap, &maps);
	if (maps.cpus >= 0)
		close(maps.cpus);
	if (maps.chain >= 0)
		close(maps.chain);
	if (!err)
		err = tap_rings(cap);
	if (!err && wants(cap, NDIV_POINT_VERDICT))
		err = outcomes_check(cap);
	if (!err)
		err = tap_in(cap);
	return err;
}

static struct ndiv_capture *allocate(struct ndiv *nd)
{
	struct ndiv_capture *cap = calloc(1, sizeof(*cap));

	if (!cap)
		return NULL;
	cap->nd = nd;
	cap->link = cap->taps = cap->tx_link = -1;
	cap->filter[0] = cap->filter[1] = cap->filter[2] = -1;
	cap->cpus = libbpf_num_possible_cpus();
	cap->tab = calloc(1, sizeof(*cap->tab));
	cap->outcomes = calloc(NDIV_OUTCOMES, sizeof(*cap->outcomes));
	if (cap->tab)
		cap->tab->map = -1;
	snprintf(cap->ifname, sizeof(cap->ifname), "%s", nd->ifname);
	if (cap->tab && cap->outcomes && cap->cpus > 0)
		return cap;
	ndiv_capture_close(cap);
	return NULL;
}

int ndiv_capture_open(struct ndiv_capture **out, struct ndiv *nd, const struct ndiv_capture_opts *opts)
{
	struct ndiv_capture *cap;
	int err;

	clear(nd);
	if (nd->readonly)
		return fail(nd, EPERM, "the handle is read-only");
	cap = allocate(nd);
	if (!cap)
		return fail(nd, ENOMEM, "out of memory");
	err = take_opts(cap, opts);
	if (!err)
		err = state_lock(nd);
	if (!err) {
		err = open_locked(cap);
		state_unlock(nd);
	}
	if (err) {
		ndiv_capture_close(cap);
		return err;
	}
	cap->start = capture_clock(cap);
	*out = cap;
	return 0;
}

void ndiv_capture_close(struct ndiv_capture *cap)
{
	if (!cap)
		return;
	if (cap->tap)
		ndiv_capture_stop(cap);
	card_close(cap);
	tap_unload(cap);
	if (cap->link >= 0)
		close(cap->link);
	if (cap->core_conf && cap->core_conf->capturer == (__u32)getpid())
		__atomic_store_n(&cap->core_conf->capturer, 0, __ATOMIC_RELAXED);
	conf_unmap(cap->core_conf);
	if (cap->taps >= 0)
		close(cap->taps);
	core_bpf__destroy(cap->core);
	if (cap->tab)
		table_close(cap->tab);
	free(cap->tab);
	free(cap->outcomes);
	free(cap);
}

int ndiv_capture_check(const struct ndiv_capture *cap)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	char name[IFNAMSIZ];

	if (!if_indextoname(cap->nd->ifindex, name))
		return -ENODEV;
	if (cap->link < 0)
		return 0;
	if (!cap->stopped && !is_held(cap->taps))
		return -EIDRM;
	return bpf_obj_get_info_by_fd(cap->link, &info, &len) || !info.xdp.ifindex ? -ENOLINK : 0;
}

/* Only a filter of clsact has to be taken away; all else goes with its descriptor. */
int ndiv_capture_needs_root(const struct ndiv_capture *cap)
{
	return cap->tapped & 1U << NDIV_POINT_TX && cap->tx_link < 0;
}

/* --- head and tail of a file */

/* The interface of <point>; <host>: of its packets that bear the host's time, where others have the card's. */
static size_t head_interface(const struct ndiv_capture *cap, enum ndiv_point point, int host, void *buf)
{
	static const char *const about[NDIV_POINTS] = {
		"received, as the driver hands it in",
		"received, behind the handlers, with their verdict",
		"sent by the local stack",
	};
	const char *clock = host ? "; the host's clock" : "; the card's clock";
	char name[IFNAMSIZ + 16], part[48], text[128];

	snprintf(name, sizeof(name), "%s/%s%s", cap->ifname, ndiv_point_name(point), host ? "-host" : "");
	snprintf(part, sizeof(part), "; one packet of %u, at random", cap->opts.sample);
	snprintf(text, sizeof(text), "%s%s%s", about[point], cap->opts.sample > 1 ? part : "",
		 cap->conf.card ? clock : "");
	/* the expression is told once, so that NDIV_CAPTURE_HEAD is enough */
	return pcapng_interface(buf, name, text, host ? NULL : cap->opts.filter, cap->conf.snaplen);
}

size_t capture_head(const struct ndiv_capture *cap, unsigned int points, void *buf)
{
	size_t len = pcapng_section(buf);
	unsigned int point;
	int host;

	for (host = 0; host <= !!cap->conf.card; host++)
		for (point = 0; point < NDIV_POINTS; point++)
			if (points >> point & 1)
				len += head_interface(cap, point, host, (char *)buf + len);
	return len;
}

size_t ndiv_capture_head(const struct ndiv_capture *cap, void *buf)
{
	return capture_head(cap, cap->opts.points, buf);
}

/* What was counted at a point, of all CPUs or of one. */
void capture_count(const struct ndiv_capture *cap, int cpu, enum ndiv_point point, struct ndiv_ring_count *sum)
{
	const struct ndiv_ring_count *c;
	int i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < cap->cpus; i++) {
		if (cpu != ALL_CPUS && i != cpu)
			continue;
		c = &cap->reader[i].ring->count[point];
		/* what is counted last goes first: so the parts are never more than the whole */
		sum->lost += __atomic_load_n(&c->lost, __ATOMIC_ACQUIRE);
		sum->skipped += __atomic_load_n(&c->skipped, __ATOMIC_ACQUIRE);
		sum->rejected += __atomic_load_n(&c->rejected, __ATOMIC_ACQUIRE);
		sum->seen += __atomic_load_n(&c->seen, __ATOMIC_RELAXED);
	}
}

int ndiv_capture_cpus(const struct ndiv_capture *cap)
{
	return cap->cpus;
}

/* Of the interface for packets without the card's time: takes them out of <sum>. */
static size_t tail_host(const struct ndiv_capture *cap, int cpu, enum ndiv_point point, struct ndiv_ring_count *sum,
			void *buf)
{
	__u64 n = card_missing(cap, cpu, point);
	struct pcapng_stats st = {
		.interface = cap->conf.interface[point] + __builtin_popcount(cap->opts.points),
		.start = cap->start,
		.now = capture_clock(cap),
		.received = n,
		.accepted = n,
		.delivered = n,
	};

	sum->seen -= n < sum->seen ? n : sum->seen;
	return pcapng_stats(buf, &st);
}

size_t ndiv_capture_cpu_tail(const struct ndiv_capture *cap, int cpu, void *buf)
{
	struct pcapng_stats st = { .start = cap->start, .now = capture_clock(cap) };
	struct ndiv_ring_count sum;
	unsigned int point;
	size_t len = 0;

	for (point = 0; point < NDIV_POINTS; point++) {
		if (!wants(cap, point))
			continue;
		capture_count(cap, cpu, point, &sum);
		if (cap->conf.card)
			len += tail_host(cap, cpu, point, &sum, (char *)buf + len);
		st.interface = cap->conf.interface[point];
		st.received = sum.seen;
		st.accepted = sum.seen - sum.rejected;
		st.lost = sum.lost;
		/* of a recorder's packets, nobody counts those that were written over */
		st.delivered = cap->opts.record ? PCAPNG_UNKNOWN : st.accepted - sum.skipped - sum.lost;
		len += pcapng_stats((char *)buf + len, &st);
	}
	return len;
}

size_t ndiv_capture_tail(const struct ndiv_capture *cap, void *buf)
{
	return ndiv_capture_cpu_tail(cap, ALL_CPUS, buf);
}

void ndiv_capture_stats(const struct ndiv_capture *cap, struct ndiv_capture_stats *stats)
{
	unsigned int point;
	__u64 used;
	int i;

	memset(stats, 0, sizeof(*stats));
	for (point = 0; point < NDIV_POINTS; point++)
		capture_count(cap, ALL_CPUS, point, &stats->point[point]);
	stats->size = cap->conf.size;
	for (i = 0; i < cap->cpus; i++) {
		used = ring_used(cap, &cap->reader[i]);
		if (used > stats->used)
			stats->used = used;
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/* core.c - the core's programs and maps on an interface: up and down */
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "internal.h"
#include "core.skel.h"

/* What can be had from the kernel's metadata kfuncs needs a program that is bound to the device. */
#ifndef BPF_F_XDP_DEV_BOUND_ONLY
#define BPF_F_XDP_DEV_BOUND_ONLY	(1U << 6)
#endif

static struct core_bpf *core_open(struct ndiv *nd, int generic, int hints)
{
	struct core_bpf *core = core_bpf__open();
	struct ndiv_self *self;

	if (!core)
		return NULL;
	self = (struct ndiv_self *)&core->rodata_self->ndiv_self;
	self->ifindex = nd->ifindex;
	self->netns = netns_inode();
	self->generic = generic;
	if (getrandom((void *)core->rodata_seal->ndiv_seal, sizeof(core->rodata_seal->ndiv_seal), 0) < 0) {
		core_bpf__destroy(core);
		return NULL;
	}
	bpf_program__set_autoload(core->progs.ndiv_entry_hints, hints);
	if (hints) {
		bpf_program__set_ifindex(core->progs.ndiv_entry_hints, nd->ifindex);
		bpf_program__set_flags(core->progs.ndiv_entry_hints,
				       bpf_program__flags(core->progs.ndiv_entry_hints) | BPF_F_XDP_DEV_BOUND_ONLY);
	}
	return core;
}

struct tracepoint {
	const char *name;	/* the kernel's */
	const char *pin;
	struct bpf_program *prog;
};

#define TRACEPOINTS	4

static void list_tracepoints(struct core_bpf *core, struct tracepoint *tp)
{
	tp[0] = (struct tracepoint){ "xdp_exception", "tp_exception", core->progs.ndiv_tp_exception };
	tp[1] = (struct tracepoint){ "xdp_bulk_tx", "tp_bulk_tx", core->progs.ndiv_tp_bulk_tx };
	tp[2] = (struct tracepoint){ "xdp_devmap_xmit", "tp_devmap_xmit", core->progs.ndiv_tp_devmap_xmit };
	tp[3] = (struct tracepoint){ "xdp_redirect_err", "tp_redirect_err", core->progs.ndiv_tp_redirect_err };
}

/* What this kernel does not have must not hinder the rest from being loaded. */
static void omit_tracepoints(struct core_bpf *core)
{
	struct tracepoint tp[TRACEPOINTS];
	int i;

	list_tracepoints(core, tp);
	for (i = 0; i < TRACEPOINTS; i++)
		if (libbpf_find_vmlinux_btf_id(tp[i].name, BPF_TRACE_RAW_TP) <= 0)
			bpf_program__set_autoload(tp[i].prog, false);
}

/* Loads with all tracepoints, else with those that there are; with the entry for hints where kernel and driver have
 * them, else without. */
static int core_load(struct ndiv *nd, int generic, struct core_bpf **out)
{
	struct core_bpf *core;
	int omit, hints, err = -EINVAL;

	for (omit = 0; omit < 2; omit++)
		for (hints = !generic; hints >= 0; hints--) {
			core = core_open(nd, generic, hints);
			if (!core)
				return fail(nd, errno, "cannot open the core's BPF object: %s", strerror(errno));
			if (omit)
				omit_tracepoints(core);
			err = core_bpf__load(core);
			if (!err) {
				*out = core;
				return 0;
			}
			core_bpf__destroy(core);
		}
	return fail(nd, -err, "the kernel refuses ndiv's core programs: %s (it needs Linux 6.1 or newer with BTF; "
		    "`ndiv -vv ...` shows the verifier's log)", strerror(-err));
}

/* A devmap with <n> entries, all of them the interface, whose program makes packets of clones. */
static int copies_map(struct ndiv *nd, struct core_bpf *core, __u32 n)
{
	struct bpf_devmap_val val = { .ifindex = nd->ifindex };
	int fd, outer = bpf_map__fd(core->maps.ndiv_copies);
	__u32 i;

	fd = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "ndiv_copies", sizeof(__u32), sizeof(val), n, NULL);
	if (fd < 0)
		return -errno;
	val.bpf_prog.fd = bpf_program__fd(core->progs.ndiv_copy);
	for (i = 0; i < n; i++)
		if (bpf_map_update_elem(fd, &i, &val, BPF_ANY))
			break;
	if (i < n || bpf_map_update_elem(outer, &n, &fd, BPF_ANY)) {
		close(fd);
		return -errno;
	}
	close(fd);
	return 0;
}

static int fill_slot(struct bpf_map *map, __u32 slot, struct bpf_program *prog)
{
	int fd = bpf_program__fd(prog);

	return bpf_map_update_elem(bpf_map__fd(map), &slot, &fd, BPF_ANY) ? -errno : 0;
}

/* The chain of an interface without handlers: on every path the verdict comes first. */
static int fill_chains(struct core_bpf *core)
{
	__u32 path;
	int err;

	err = fill_slot(core->maps.ndiv_chain, NDIV_SLOT_VERDICT, core->progs.ndiv_verdict);
	if (!err)
		err = fill_slot(core->maps.ndiv_chain, NDIV_SLOT_POSTPONE, core->progs.ndiv_postpone_pkt);
	if (!err)
		err = fill_slot(core->maps.ndiv_chain, NDIV_SLOT_REPEAT, core->progs.ndiv_repeat_pkt);
	if (!err)
		err = fill_slot(core->maps.ndiv_chain, NDIV_SLOT_PARSE, core->progs.ndiv_parse_pkt);
	if (!err)
		err = fill_slot(core->maps.ndiv_skb, 0, core->progs.ndiv_rx_skb_more);
	if (!err)
		err = fill_slot(core->maps.ndiv_tx_chain, NDIV_SLOT_VERDICT, core->progs.ndiv_tx_verdict);
	if (!err)
		err = fill_slot(core->maps.ndiv_in_chain, NDIV_SLOT_VERDICT, core->progs.ndiv_in_verdict);
	for (path = 0; !err && path < NDIV_PATHS; path++) {
		err = fill_slot(core->maps.ndiv_chain, NDIV_SLOT_NEXT + path, core->progs.ndiv_verdict);
		if (!err)
			err = fill_slot(core->maps.ndiv_tx_chain, NDIV_SLOT_NEXT + path, core->progs.ndiv_tx_verdict);
		if (!err)
			err = fill_slot(core->maps.ndiv_in_chain, NDIV_SLOT_NEXT + path, core->progs.ndiv_in_verdict);
	}
	return err;
}

static int pin_maps(struct ndiv *nd, struct core_bpf *core)
{
	const struct {
		const char *name;
		struct bpf_map *map;
	} maps[] = {
		{ "ndiv_cpus", core->maps.ndiv_cpus }, { "ndiv_chain", core->maps.ndiv_chain },
		{ "ndiv_tx_chain", core->maps.ndiv_tx_chain }, { "ndiv_in_chain", core->maps.ndiv_in_chain },
		{ "ndiv_copies", core->maps.ndiv_copies },
		{ "ndiv_clone", core->maps.ndiv_clone }, { "ndiv_skb", core->maps.ndiv_skb },
		{ "ndiv_queue", core->maps.ndiv_queue }, { "ndiv_handlers", core->maps.ndiv_handlers },
		{ "conf", core->maps.data_conf },
	};
	size_t i;
	int err;

	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		err = pin(nd->dir, maps[i].name, bpf_map__fd(maps[i].map));
		if (err)
			return err;
	}
	return 0;
}

static int pin_progs(struct ndiv *nd, struct core_bpf *core)
{
	const struct {
		const char *name;
		struct bpf_program *prog;
	} progs[] = {
		{ "entry", core->progs.ndiv_entry }, { "entry_hints", core->progs.ndiv_entry_hints },
		{ "entry_again", core->progs.ndiv_entry_again }, { "verdict", core->progs.ndiv_verdict },
		{ "tx_entry", core->progs.ndiv_tx_entry }, { "tx_verdict", core->progs.ndiv_tx_verdict },
		{ "in_entry", core->progs.ndiv_in_entry }, { "in_verdict", core->progs.ndiv_in_verdict },
		{ "rx_skb", core->progs.ndiv_rx_skb }, { "reset", core->progs.ndiv_reset },
	};
	size_t i;
	int err;

	for (i = 0; i < sizeof(progs) / sizeof(progs[0]); i++) {
		if (bpf_program__fd(progs[i].prog) < 0)
			continue;
		err = pin(nd->dir, progs[i].name, bpf_program__fd(progs[i].prog));
		if (err)
			return err;
	}
	return 0;
}

/* Without these, nothing but the counter of lost packets and the mark of pressure is missing. */
static void pin_tracepoints(struct ndiv *nd, struct core_bpf *core)
{
	struct tracepoint tp[TRACEPOINTS];
	int i, fd, err;

	list_tracepoints(core, tp);
	for (i = 0; i < TRACEPOINTS; i++) {
		fd = bpf_program__fd(tp[i].prog);
		err = fd < 0 ? 0 : link_tracepoint(nd->dir, tp[i].pin, fd);
		if (fd < 0 || err)
			warn(nd, "tracepoint %s: %s: packets lost behind the verdict are not counted", tp[i].name,
			     fd < 0 ? "this kernel has none" : strerror(-err));
	}
}

/* All but the link. */
static int core_prepare(struct ndiv *nd, struct core_bpf *core)
{
	__u32 n;
	int err;

	err = make_dir(nd->dir);
	for (n = 1; !err && n <= NDIV_BURST_MAX + 2; n++)
		err = copies_map(nd, core, n);
	if (!err)
		err = fill_chains(core);
	if (!err)
		err = pin_maps(nd, core);
	if (!err)
		err = pin_progs(nd, core);
	if (err)
		return fail(nd, -err, "cannot set up the core in %s: %s", nd->dir, strerror(-err));
	pin_tracepoints(nd, core);
	return 0;
}

/*
 * What the entry of id 0, which is no handler's, keeps of the interface itself: why it is in generic mode, and whether
 * VLAN offload is to be turned on again.
 */
static int keep(struct ndiv *nd, const char *why, int rxvlan)
{
	struct table tab;
	int err;

	err = table_open(nd, &tab);
	if (err)
		return err;
	tab.e[0].has_tx = rxvlan;
	snprintf(tab.e[0].opts, sizeof(tab.e[0].opts), "%s", why);
	err = table_write(nd, &tab, 0);
	table_close(&tab);
	return err;
}

/* The last step. <refusal>: the driver's reason if it refuses native mode. */
static int core_link(struct ndiv *nd, int entry, enum ndiv_mode mode, char *refusal, size_t len)
{
	int err = link_xdp(nd, entry, mode);

	if (!err)
		return 0;
	if (mode == NDIV_MODE_NATIVE)
		device_refusal(nd, entry, err, refusal, len);
	return fail(nd, -err, "cannot attach in %s mode: %s", ndiv_mode_name(mode),
		    mode == NDIV_MODE_NATIVE ? refusal : strerror(-err));
}

/*
 * Sets everything up in <mode>, for the reason <why>. What has to be known for taking it down again is kept first: it
 * can be killed at any moment.
 */
static int core_try(struct ndiv *nd, enum ndiv_mode mode, const char *why, char *refusal, size_t len)
{
	int err, rxvlan = mode == NDIV_MODE_NATIVE && offload_due(nd);
	struct core_bpf *core = NULL;

	remove_tree(nd->dir);
	err = core_load(nd, mode == NDIV_MODE_GENERIC, &core);
	if (err)
		return err;
	err = core_prepare(nd, core);
	if (!err)
		err = keep(nd, why, rxvlan);
	if (!err && mode == NDIV_MODE_GENERIC)
		err = generic_up(nd);
	if (!err)
		err = core_link(nd, bpf_program__fd(core->progs.ndiv_entry), mode, refusal, len);
	if (!err && rxvlan && !offload_adjust(nd))
		err = keep(nd, why, 0);
	core_bpf__destroy(core);
	if (err)
		core_down(nd);
	return err;
}

/* Attaches the core with an empty chain. */
int core_up(struct ndiv *nd, enum ndiv_mode mode)
{
	char refusal[512] = "";
	int err;

	strays_remove(nd);
	err = other_program(nd);
	if (!err && mode == NDIV_MODE_AUTO)
		err = device_suits(nd);
	if (err)
		return err;
	if (mode == NDIV_MODE_GENERIC)
		return core_try(nd, mode, "asked for", NULL, 0);
	err = core_try(nd, NDIV_MODE_NATIVE, "", refusal, sizeof(refusal));
	if (!err || mode != NDIV_MODE_AUTO || !*refusal || err == -ENODEV || err == -EBUSY)
		return err;
	warn(nd, "the driver refuses native mode (%s): generic mode, which is slower", refusal);
	return core_try(nd, NDIV_MODE_GENERIC, refusal, NULL, 0);
}

/* Loads the core and ties it to the interface in <mode>, without a pin: the link goes with the process. */
static int lend_try(struct ndiv *nd, enum ndiv_mode mode, int hints, struct core_bpf **out)
{
	struct core_bpf *core = core_open(nd, mode == NDIV_MODE_GENERIC, hints);
	const struct bpf_program *entry;
	int err, link = -1;

	if (!core)
		return fail(nd, errno, "cannot open the core's BPF object: %s", strerror(errno));
	err = core_bpf__load(core);
	if (!err)
		err = fill_chains(core);
	entry = hints ? core->progs.ndiv_entry_hints : core->progs.ndiv_entry;
	if (!err) {
		link = link_lend(nd, bpf_program__fd(entry), mode);
		err = link < 0 ? link : 0;
	}
	if (!err) {
		*out = core;
		return link;
	}
	core_bpf__destroy(core);
	return fail(nd, -err, "cannot attach in %s mode: %s", ndiv_mode_name(mode), strerror(-err));
}

/*
 * A core with an empty chain, for a capture where ndiv is not attached: it passes everything, and nothing of it is
 * pinned. With <hints>, its entry asks the card, which is for native mode only. Returns the link, or -errno.
 */
int core_lend(struct ndiv *nd, int hints, struct core_bpf **out)
{
	int link, err = other_program(nd);

	if (err)
		return err;
	link = lend_try(nd, NDIV_MODE_NATIVE, hints, out);
	if (link >= 0 || hints)
		return link;
	warn(nd, "%s: generic mode, which is slower", nd->err);
	return lend_try(nd, NDIV_MODE_GENERIC, 0, out);
}

/* Was VLAN offload turned off? Leaves the handle's message alone. */
static int offload_is_off(struct ndiv *nd)
{
	char err[sizeof(nd->err)];
	struct table tab;
	int off = 0;

	memcpy(err, nd->err, sizeof(err));
	if (nd->ifname[0] && !table_open(nd, &tab)) {
		off = tab.e[0].has_tx;
		table_close(&tab);
	}
	memcpy(nd->err, err, sizeof(err));
	return off;
}

/* Removes all of it, whatever part is there. Leaves the handle's message alone. */
void core_down(struct ndiv *nd)
{
	int offload = offload_is_off(nd);

	link_cut(nd->dir, "link");
	if (offload)
		offload_restore(nd);
	tx_down(nd);
	in_down(nd);
	generic_down(nd);
	remove_tree(nd->dir);
}

/* A core with an empty chain that is attached to nothing, for test runs. Nothing of it is pinned. */
int core_alone(struct ndiv *nd, struct core_bpf **out)
{
	struct core_bpf *core = core_open(nd, 0, 0);
	struct tracepoint tp[TRACEPOINTS];
	int i, err;

	if (!core)
		return fail(nd, errno, "cannot open the core's BPF object: %s", strerror(errno));
	list_tracepoints(core, tp);
	for (i = 0; i < TRACEPOINTS; i++)
		bpf_program__set_autoload(tp[i].prog, false);
	err = core_bpf__load(core);
	if (!err)
		err = fill_chains(core);
	if (!err) {
		*out = core;
		return 0;
	}
	core_bpf__destroy(core);
	return fail(nd, -err, "the kernel refuses ndiv's core programs: %s (`ndiv -vv ...` shows the verifier's log)",
		    err_text(err));
}

/* A later handler may ask for a mode; it must be the one that is there. */
int core_fits(struct ndiv *nd, enum ndiv_mode mode)
{
	enum ndiv_mode now;
	int err;

	if (mode == NDIV_MODE_AUTO)
		return 0;
	err = link_mode(nd, &now);
	if (err)
		return fail(nd, -err, "cannot ask for the mode: %s", strerror(-err));
	if (now != mode)
		return fail(nd, EBUSY, "ndiv is attached in %s mode; detach all handlers to attach in %s mode",
			    ndiv_mode_name(now), ndiv_mode_name(mode));
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * card.c - the card's clock in a capture: whether there is one, having the card asked, and where its times go
 *
 * Only a program that is bound to the device may ask the card, and the kernel takes no such program into an array of
 * programs. So it is the entry that asks, for the taps behind it. A core that the capture brings along has that entry;
 * where ndiv is attached, the link goes from the plain one to that one, and back at the end.
 */
#include <string.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>
#include <bpf/btf.h>
#include "internal.h"
#include "netlink.h"

#define WITHOUT	"leave out -j, or take tcpdump -j adapter_unsynced, which has it of the socket"

/* Does the kernel have function <fn>; does it tell what drivers have (Linux 6.8)? */
static void ask_kernel(const char *fn, int *has, int *tells)
{
	struct btf *btf = btf__load_vmlinux_btf();

	*has = *tells = 0;
	if (libbpf_get_error(btf))
		return;
	*has = btf__find_by_name_kind(btf, fn, BTF_KIND_FUNC) > 0;
	*tells = btf__find_by_name_kind(btf, "netdev_xdp_rx_metadata", BTF_KIND_ENUM) > 0;
	btf__free(btf);
}

/* Before anything is loaded: can there be a time of the card at all? */
int card_check(struct ndiv *nd)
{
	struct netdev_xdp xdp;
	int has, tells;

	ask_kernel("bpf_xdp_metadata_rx_timestamp", &has, &tells);
	if (!has)
		return fail(nd, EOPNOTSUPP, "no time stamps of the card: this kernel gives XDP none, Linux 6.3 does; "
			    WITHOUT);
	if (tells && !netdev_xdp(nd->ifindex, &xdp) && !(xdp.metadata & XDP_META_TIMESTAMP))
		return fail(nd, EOPNOTSUPP, "no time stamps of the card: its driver gives XDP none (`ndiv probe %s`: "
			    "hint-timestamp); " WITHOUT, nd->ifname);
	return 0;
}

/* Of a core that is attached: does a capture that runs now want the card to be asked? */
int card_asked(const struct ndiv_conf *conf)
{
	__u32 pid = __atomic_load_n(&conf->capturer, __ATOMIC_RELAXED);

	return conf->capturer_hints && pid && (!kill(pid, 0) || errno == EPERM);
}

/* Has the entry of the core that is attached ask the card. The state is locked. */
int card_open(struct ndiv_capture *cap)
{
	struct card *c = &cap->card;
	struct ndiv *nd = cap->nd;
	int err;

	c->plain = pin_get(nd->dir, "entry");
	c->hints = pin_get(nd->dir, "entry_hints");
	c->dir = state_dir();
	c->open = 1;
	if (c->hints < 0)
		return fail(nd, EOPNOTSUPP, "no time stamps of the card: ndiv is attached to it in generic mode, or in "
			    "a way that the driver has none; " WITHOUT);
	if (c->plain < 0 || c->dir < 0)
		return fail(nd, ENOENT, "cannot open %s/entry or the directory above it", nd->dir);
	cap->core_conf->capturer_hints = 1;
	err = bpf_link_update(cap->link, c->hints, NULL) ? -errno : 0;
	return err ? fail(nd, -err, "cannot have the card asked for its time: %s", strerror(-err)) : 0;
}

/* Do handlers want the card to be asked? */
static int handlers_ask(const struct ndiv_capture *cap)
{
	struct ndiv_entry e;
	__u32 id;

	for (id = 1; id < NDIV_HANDLERS_MAX; id++)
		if (!bpf_map_lookup_elem(cap->tab->map, &id, &e) && e.used && e.info.want & NDIV_WANT_HINTS)
			return 1;
	return 0;
}

/* Fails where ndiv was detached meanwhile, and then there is nothing to be done. */
static void ask_no_more(struct ndiv_capture *cap, int plain)
{
	cap->core_conf->capturer_hints = 0;
	if (cap->tab->map >= 0 && !handlers_ask(cap))
		bpf_link_update(cap->link, plain, NULL);
}

/* What a capture has left that was killed. The state is locked. */
void card_clean(struct ndiv_capture *cap)
{
	int plain;

	if (!cap->core_conf->capturer_hints)
		return;
	plain = pin_get(cap->nd->dir, "entry");
	ask_no_more(cap, plain);
	if (plain >= 0)
		close(plain);
}

/* Back to the plain entry, unless handlers want the other one. What is needed was opened before privileges went. */
void card_close(struct ndiv_capture *cap)
{
	struct card *c = &cap->card;

	if (!c->open)
		return;
	c->open = 0;
	if (cap->core_conf->capturer_hints && c->dir >= 0 && !flock(c->dir, LOCK_EX))
		ask_no_more(cap, c->plain);
	if (c->plain >= 0)
		close(c->plain);
	if (c->hints >= 0)
		close(c->hints);
	if (c->dir >= 0)
		close(c->dir);
}

/* Gives a block that is about to be handed out its time of the card, or counts that there is none. See ring.h. */
void card_time(const struct ndiv_capture *cap, struct reader *r, struct epb *b)
{
	__u32 *end = (__u32 *)((char *)b + b->len) - 2;
	__u32 high = end[0], low = end[1];

	end[0] = 0;
	end[1] = b->len;
	if (high | low) {
		b->time_high = high;
		b->time_low = low;
		return;
	}
	__atomic_fetch_add(&r->unstamped[b->interface], 1, __ATOMIC_RELAXED);
	b->interface += __builtin_popcount(cap->opts.points);
}

/* Packets of <point> handed out so far, by way of <cpu> or of all, that bear the host's time. */
__u64 card_missing(const struct ndiv_capture *cap, int cpu, enum ndiv_point point)
{
	__u64 n = 0;
	int i;

	for (i = 0; i < cap->cpus; i++)
		if (cpu == ALL_CPUS || i == cpu)
			n += __atomic_load_n(&cap->reader[i].unstamped[cap->conf.interface[point]], __ATOMIC_RELAXED);
	return n;
}

uint64_t ndiv_capture_unstamped(const struct ndiv_capture *cap)
{
	unsigned int point;
	uint64_t n = 0;

	for (point = 0; point < NDIV_POINTS; point++)
		if (cap->opts.card && cap->opts.points >> point & 1)
			n += card_missing(cap, ALL_CPUS, point);
	return n;
}

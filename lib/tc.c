// SPDX-License-Identifier: GPL-2.0-only
/*
 * tc.c - programs at the tc hooks: the transmit path, ingress, and in generic mode the receive path behind XDP
 *
 * By tcx (Linux 6.6 and later), whose link is pinned like the others; else by a filter of the clsact qdisc, which is
 * found again by its handle and priority; a second pin of the program tells that it is there. The qdisc stays: others
 * may use it.
 */
#include <string.h>
#include <unistd.h>
#include "internal.h"

#define BPF_TCX_INGRESS_	46	/* <linux/bpf.h> has them from 6.6 on */
#define BPF_TCX_EGRESS_		47

#define BPF_F_BEFORE_		(1U << 3)

#define FILTER_HANDLE	0x6e64
#define FILTER_PRIORITY	0x6e64

/* One of the hooks. */
struct hook {
	const char *link;		/* pin of the tcx link */
	const char *prog;		/* pin of the program */
	const char *filter;		/* its second pin, if it is attached by clsact */
	enum bpf_attach_type tcx;
	enum bpf_tc_attach_point clsact;
	__u32 priority;
};

static const struct hook egress = { "link_tx", "tx_entry", "filter_tx", BPF_TCX_EGRESS_, BPF_TC_EGRESS,
				   FILTER_PRIORITY };
static const struct hook generic = { "link_rx_skb", "rx_skb", "filter_rx_skb", BPF_TCX_INGRESS_, BPF_TC_INGRESS,
				    FILTER_PRIORITY };
static const struct hook ingress = { "link_in", "in_entry", "filter_in", BPF_TCX_INGRESS_, BPF_TC_INGRESS,
				    FILTER_PRIORITY + 1 };

static int by_tcx(const struct ndiv *nd, const struct hook *hook, int prog)
{
	/*
	 * First at ingress: a program before ours could take a frame that is to be answered, or one for a handler. In
	 * generic mode what is to be answered must be taken first, which is attached before all others already.
	 */
	int first = hook == &generic || (hook == &ingress && !pinned(nd->dir, generic.link));
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = first ? BPF_F_BEFORE_ : 0);
	int err, fd = bpf_link_create(prog, nd->ifindex, hook->tcx, &opts);

	if (fd < 0)
		return -errno;
	err = pin(nd->dir, hook->link, fd);
	close(fd);
	return err;
}

static int by_clsact(const struct ndiv *nd, const struct hook *hook, int prog)
{
	LIBBPF_OPTS(bpf_tc_hook, h, .ifindex = nd->ifindex, .attach_point = hook->clsact);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = hook->priority, .prog_fd = prog,
		    .flags = BPF_TC_F_REPLACE);
	int err = bpf_tc_hook_create(&h);

	if (err && err != -EEXIST)
		return err;
	err = pin(nd->dir, hook->filter, prog);
	if (err)
		return err;
	err = bpf_tc_attach(&h, &opts);
	if (err)
		unpin(nd->dir, hook->filter);
	return err;
}

static int hook_up(struct ndiv *nd, const struct hook *hook)
{
	int prog, err;

	if (pinned(nd->dir, hook->link) || pinned(nd->dir, hook->filter))
		return 0;
	prog = pin_get(nd->dir, hook->prog);
	if (prog < 0)
		return fail(nd, -prog, "program %s is missing: %s", hook->prog, strerror(-prog));
	err = by_tcx(nd, hook, prog);
	if (err)
		err = by_clsact(nd, hook, prog);
	close(prog);
	if (err)
		return fail(nd, -err, "cannot attach to tc %s: %s", hook == &egress ? "egress" : "ingress",
			    strerror(-err));
	return 0;
}

static void hook_down(struct ndiv *nd, const struct hook *hook)
{
	LIBBPF_OPTS(bpf_tc_hook, h, .ifindex = nd->ifindex, .attach_point = hook->clsact);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = hook->priority);

	if (pinned(nd->dir, hook->link))
		link_cut(nd->dir, hook->link);
	if (!pinned(nd->dir, hook->filter))
		return;
	bpf_tc_detach(&h, &opts);
	unpin(nd->dir, hook->filter);
}

/*
 * A capture's program on the transmit path, behind all others. By tcx it goes with the process that has <*link>; the
 * filter of clsact (<*link> -1) stays if the process is killed, until the next capture takes its place.
 */
int tx_lend(struct ndiv *nd, int prog, int *link)
{
	LIBBPF_OPTS(bpf_tc_hook, h, .ifindex = nd->ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY + 1, .prog_fd = prog,
		    .flags = BPF_TC_F_REPLACE);
	int err;

	*link = bpf_link_create(prog, nd->ifindex, BPF_TCX_EGRESS_, NULL);
	if (*link >= 0)
		return 0;
	err = bpf_tc_hook_create(&h);
	if (!err || err == -EEXIST)
		err = bpf_tc_attach(&h, &opts);
	if (err)
		return fail(nd, -err, "cannot attach to tc egress: %s", strerror(-err));
	return 0;
}

void tx_return(struct ndiv *nd, int *link)
{
	LIBBPF_OPTS(bpf_tc_hook, h, .ifindex = nd->ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY + 1);

	if (*link < 0) {
		bpf_tc_detach(&h, &opts);
		return;
	}
	bpf_link_detach(*link);
	close(*link);
	*link = -1;
}

int tx_up(struct ndiv *nd)
{
	return hook_up(nd, &egress);
}

void tx_down(struct ndiv *nd)
{
	hook_down(nd, &egress);
}

/* How <hook> is attached: 0 not, 1 by tcx, 2 by clsact. */
static int hook_kind(const struct ndiv *nd, const struct hook *hook)
{
	if (pinned(nd->dir, hook->link))
		return 1;
	return pinned(nd->dir, hook->filter) ? 2 : 0;
}

int tx_kind(const struct ndiv *nd)
{
	return hook_kind(nd, &egress);
}

int in_up(struct ndiv *nd)
{
	return hook_up(nd, &ingress);
}

void in_down(struct ndiv *nd)
{
	hook_down(nd, &ingress);
}

int in_kind(const struct ndiv *nd)
{
	return hook_kind(nd, &ingress);
}

int generic_up(struct ndiv *nd)
{
	return hook_up(nd, &generic);
}

void generic_down(struct ndiv *nd)
{
	hook_down(nd, &generic);
}

// SPDX-License-Identifier: GPL-2.0-only
/* ends.c - both ends of a lab's wire */
#define _GNU_SOURCE	/* setns() */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_link.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "ends.h"
#include "pkt.h"

static int refuse(const struct ends *e, const char *why)
{
	fprintf(stderr, "bench: lab %s: %s; nothing is sent\n", e->lab, why);
	return -EPERM;
}

int ends_fault(const struct ends *e, const char *what, int err)
{
	fprintf(stderr, "bench: lab %s: %s: %s\n", e->lab, what, strerror(-err));
	return err;
}

static int has_record(const struct ends *e)
{
	char path[128], line[128];
	int up = 0;
	FILE *f;

	if (!*e->lab || *e->lab == '.' || strchr(e->lab, '/') || strlen(e->lab) > 40)
		return 0;
	snprintf(path, sizeof(path), "/run/ndiv-lab/%s", e->lab);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		up |= !strcmp(line, "state=up\n");
	if (f)
		fclose(f);
	return up;
}

static int open_netns(struct ends *e, enum end end)
{
	char path[128];

	snprintf(path, sizeof(path), "/run/netns/%s-%c", e->lab, end == END_CLIENT ? 'c' : 's');
	e->netns[end] = open(path, O_RDONLY | O_CLOEXEC);
	return e->netns[end] < 0 ? -errno : 0;
}

/* The mark is on both sides, and lab0 is a veth device with the lab's address. */
static int check_end(struct ends *e, enum end end)
{
	struct link *l = &e->link[end];
	static const uint8_t mac[ENDS][6] = { PKT_MAC_CLIENT, PKT_MAC_SERVER };
	char mark[64];
	int err;

	err = open_netns(e, end);
	if (err)
		return ends_fault(e, "open its namespace", err);
	err = ends_enter(e, end);
	if (err)
		return err;
	snprintf(mark, sizeof(mark), "ndiv-lab %s", e->lab);
	if (link_get("lo", l) || strcmp(l->alias, mark))
		return refuse(e, "its namespace does not bear the mark of lab/lab");
	if (link_get("lab0", l) || strcmp(l->kind, "veth") || memcmp(l->mac, mac[end], 6))
		return refuse(e, "lab0 is not what lab/lab makes");
	return 0;
}

static int check_lab(struct ends *e)
{
	const struct link *client = &e->link[END_CLIENT], *server = &e->link[END_SERVER];
	int err;

	if (!has_record(e))
		return refuse(e, "no lab of that name is up (lab/lab list)");
	err = check_end(e, END_SERVER);
	if (!err)
		err = check_end(e, END_CLIENT);
	if (err)
		return err;
	if (!client->away || !server->away || client->peer != server->ifindex || server->peer != client->ifindex)
		return refuse(e, "client and server are not on one wire");
	return 0;
}

int ends_open(struct ends *e, const char *lab)
{
	int err;

	memset(e, 0, sizeof(*e));
	e->lab = lab;
	e->home = e->netns[END_CLIENT] = e->netns[END_SERVER] = e->old = -1;
	e->home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (e->home < 0)
		return ends_fault(e, "open our namespace", -errno);
	err = check_lab(e);
	if (err || !e->link[END_CLIENT].prog)
		return err;
	e->old = bpf_prog_get_fd_by_id(e->link[END_CLIENT].prog);
	return e->old < 0 ? ends_fault(e, "get hold of the client's program", -errno) : 0;
}

int ends_swap(struct ends *e, int prog)
{
	int err = ends_enter(e, END_CLIENT);

	if (err)
		return err;
	e->swapped = 1;
	err = bpf_xdp_attach(e->link[END_CLIENT].ifindex, prog, XDP_FLAGS_DRV_MODE, NULL);
	return err ? ends_fault(e, "change the client's program", err) : 0;
}

void ends_close(struct ends *e)
{
	int end;

	if (e->swapped)
		ends_swap(e, e->old);
	if (e->home >= 0 && setns(e->home, CLONE_NEWNET))
		ends_fault(e, "go back to our namespace", -errno);
	for (end = 0; end < ENDS; end++)
		if (e->netns[end] >= 0)
			close(e->netns[end]);
	if (e->home >= 0)
		close(e->home);
	if (e->old >= 0)
		close(e->old);
	e->swapped = 0;
}

int ends_enter(const struct ends *e, enum end end)
{
	return setns(e->netns[end], CLONE_NEWNET) ? ends_fault(e, "enter its namespace", -errno) : 0;
}

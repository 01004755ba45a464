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

/* Keeps hold of the program that is there. */
static int keep_prog(struct ends *e, enum end end)
{
	if (!e->link[end].prog)
		return 0;
	e->old[end] = bpf_prog_get_fd_by_id(e->link[end].prog);
	return e->old[end] < 0 ? ends_fault(e, "get hold of its program", -errno) : 0;
}

int ends_open(struct ends *e, const char *lab)
{
	int err;

	memset(e, 0, sizeof(*e));
	e->lab = lab;
	e->netns[END_CLIENT] = e->netns[END_SERVER] = e->old[END_CLIENT] = e->old[END_SERVER] = -1;
	e->home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (e->home < 0)
		return ends_fault(e, "open our namespace", -errno);
	err = check_lab(e);
	if (!err)
		err = keep_prog(e, END_CLIENT);
	return err ? err : keep_prog(e, END_SERVER);
}

int ends_swap(struct ends *e, enum end end, int prog)
{
	int err = ends_enter(e, end);

	if (err)
		return err;
	e->swapped[end] = 1;
	err = bpf_xdp_attach(e->link[end].ifindex, prog, XDP_FLAGS_DRV_MODE, NULL);
	return err ? ends_fault(e, "change its program", err) : 0;
}

static void close_end(struct ends *e, enum end end)
{
	if (e->swapped[end])
		ends_swap(e, end, e->old[end]);
	if (e->netns[end] >= 0)
		close(e->netns[end]);
	if (e->old[end] >= 0)
		close(e->old[end]);
}

void ends_close(struct ends *e)
{
	close_end(e, END_CLIENT);
	close_end(e, END_SERVER);
	if (e->home >= 0 && setns(e->home, CLONE_NEWNET))
		ends_fault(e, "go back to our namespace", -errno);
	if (e->home >= 0)
		close(e->home);
}

int ends_enter(const struct ends *e, enum end end)
{
	return setns(e->netns[end], CLONE_NEWNET) ? ends_fault(e, "enter its namespace", -errno) : 0;
}

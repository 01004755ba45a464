// SPDX-License-Identifier: GPL-2.0-only
/* wire.c - packets through a lab */
#define _GNU_SOURCE	/* setns() */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/sock_diag.h>
#include <bpf/bpf.h>
#include "gen.h"
#include "link.h"
#include "run.h"
#include "wire.h"

#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES	(1U << 1)
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO	55
#endif

#define BURST		64

static int refuse(const struct wire *w, const char *why)
{
	fprintf(stderr, "bench: lab %s: %s; nothing is sent\n", w->lab, why);
	return -EPERM;
}

static int complain(const struct wire *w, const char *what, int err)
{
	fprintf(stderr, "bench: lab %s: %s: %s\n", w->lab, what, strerror(-err));
	return err;
}

/* --- is it a lab? ------------------------------------------------------------------------------------------- */

static int has_record(const struct wire *w)
{
	char path[128], line[128];
	int up = 0;
	FILE *f;

	if (!*w->lab || *w->lab == '.' || strchr(w->lab, '/') || strlen(w->lab) > 40)
		return 0;
	snprintf(path, sizeof(path), "/run/ndiv-lab/%s", w->lab);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		up |= !strcmp(line, "state=up\n");
	if (f)
		fclose(f);
	return up;
}

static int open_netns(struct wire *w, enum wire_end end)
{
	char path[128];

	snprintf(path, sizeof(path), "/run/netns/%s-%c", w->lab, end == WIRE_CLIENT ? 'c' : 's');
	w->netns[end] = open(path, O_RDONLY | O_CLOEXEC);
	return w->netns[end] < 0 ? -errno : 0;
}

/* The mark is on both sides, and lab0 is a veth device with the lab's address. <l> is filled. */
static int check_end(struct wire *w, enum wire_end end, struct link *l)
{
	static const uint8_t mac[WIRE_ENDS][6] = { PKT_MAC_CLIENT, PKT_MAC_SERVER };
	char mark[64];
	int err;

	err = open_netns(w, end);
	if (err)
		return complain(w, "open its namespace", err);
	err = wire_enter(w, end);
	if (err)
		return err;
	snprintf(mark, sizeof(mark), "ndiv-lab %s", w->lab);
	if (link_get("lo", l) || strcmp(l->alias, mark))
		return refuse(w, "its namespace does not bear the mark of lab/lab");
	if (link_get("lab0", l) || strcmp(l->kind, "veth") || memcmp(l->mac, mac[end], 6))
		return refuse(w, "lab0 is not what lab/lab makes");
	w->ifindex[end] = l->ifindex;
	return 0;
}

static int check_lab(struct wire *w, struct link *client)
{
	struct link server;
	int err;

	if (!has_record(w))
		return refuse(w, "no lab of that name is up (lab/lab list)");
	err = check_end(w, WIRE_SERVER, &server);
	if (!err)
		err = check_end(w, WIRE_CLIENT, client);
	if (err)
		return err;
	if (!client->away || !server.away || client->peer != server.ifindex || server.peer != client->ifindex)
		return refuse(w, "client and server are not on one wire");
	if (server.prog)
		return refuse(w, "the server has an XDP program already");
	return 0;
}

/* --- the generator ------------------------------------------------------------------------------------------ */

static int set_section(struct wire *w, const char *section, const void *value, size_t len)
{
	struct bpf_map *map = bpf_object__find_map_by_name(w->gen, section);
	size_t size = 0;
	/* libbpf before 1.4 says const */
	void *data = map ? (void *)bpf_map__initial_value(map, &size) : NULL;

	if (!data || len > size)
		return complain(w, section, -ENOENT);
	memcpy(data, value, len);
	return 0;
}

static int load(struct wire *w)
{
	struct gen_conf conf = { .len = w->pkt->len };
	int err;

	memcpy(conf.back, w->pkt->data + 6, 6);
	memcpy((uint8_t *)conf.back + 6, w->pkt->data, 6);
	w->gen = bpf_object__open_file(run_path("bench/gen.bpf.o"), NULL);
	if (!w->gen)
		return complain(w, "open gen.bpf.o", -errno);
	err = set_section(w, ".rodata.conf", &conf, sizeof(conf));
	if (!err)
		err = set_section(w, ".data.frame", w->pkt->data, w->pkt->len);
	if (err)
		return err;
	err = bpf_object__load(w->gen);
	return err ? complain(w, "load gen.bpf.o", err) : 0;
}

static int prog(const struct wire *w, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(w->gen, name));
}

/* The server's socket is never read while packets are sent: what is beyond its small buffer is dropped and counted. */
static int open_socket(struct wire *w)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int small = 1, err;

	memcpy(&addr.sin_addr, w->pkt->data + w->pkt->l3 + 16, 4);
	memcpy(&addr.sin_port, w->pkt->data + w->pkt->l4 + 2, 2);
	err = wire_enter(w, WIRE_SERVER);
	if (err)
		return err;
	w->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->udp < 0 || setsockopt(w->udp, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) ||
	    bind(w->udp, (struct sockaddr *)&addr, sizeof(addr)))
		return complain(w, "the server's socket", -errno);
	return wire_enter(w, WIRE_CLIENT);
}

int wire_open(struct wire *w, const char *lab, const struct pkt *pkt)
{
	struct link client;
	int err;

	memset(w, 0, sizeof(*w));
	w->lab = lab;
	w->pkt = pkt;
	w->home = w->netns[WIRE_CLIENT] = w->netns[WIRE_SERVER] = w->udp = w->old = -1;
	w->home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (w->home < 0)
		return complain(w, "open our namespace", -errno);
	err = check_lab(w, &client);
	if (!err)
		err = load(w);
	if (!err)
		err = open_socket(w);
	if (err)
		return err;
	if (client.prog) {
		w->old = bpf_prog_get_fd_by_id(client.prog);
		if (w->old < 0)
			return complain(w, "get hold of the client's program", -errno);
	}
	err = bpf_xdp_attach(w->ifindex[WIRE_CLIENT], prog(w, "gen_sink"), XDP_FLAGS_DRV_MODE, NULL);
	if (err)
		return complain(w, "attach the sink", err);
	w->swapped = 1;
	return 0;
}

/* The client gets back the program that it had. */
static void swap_back(struct wire *w)
{
	int err = wire_enter(w, WIRE_CLIENT);

	if (!err)
		err = bpf_xdp_attach(w->ifindex[WIRE_CLIENT], w->old, XDP_FLAGS_DRV_MODE, NULL);
	if (err)
		complain(w, "give the client its program back", err);
}

void wire_close(struct wire *w)
{
	int end;

	if (w->swapped)
		swap_back(w);
	if (w->home >= 0 && setns(w->home, CLONE_NEWNET))
		complain(w, "go back to our namespace", -errno);
	for (end = 0; end < WIRE_ENDS; end++)
		if (w->netns[end] >= 0)
			close(w->netns[end]);
	if (w->home >= 0)
		close(w->home);
	if (w->udp >= 0)
		close(w->udp);
	if (w->old >= 0)
		close(w->old);
	bpf_object__close(w->gen);
	w->gen = NULL;
	w->swapped = 0;
}

int wire_enter(const struct wire *w, enum wire_end end)
{
	return setns(w->netns[end], CLONE_NEWNET) ? complain(w, "enter its namespace", -errno) : 0;
}

int wire_send(const struct wire *w, uint32_t count, uint32_t *ns)
{
	struct xdp_md ctx = { .data_end = w->pkt->len, .ingress_ifindex = w->ifindex[WIRE_CLIENT] };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = w->pkt->data, .data_size_in = w->pkt->len, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = count, .batch_size = BURST,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	int err;

	if (!w->swapped)
		return -EPERM;
	err = wire_enter(w, WIRE_CLIENT);
	if (!err)
		err = bpf_prog_test_run_opts(prog(w, "gen_send"), &opts);
	*ns = opts.duration;
	return err ? complain(w, "send", err) : 0;
}

/* --- counters ----------------------------------------------------------------------------------------------- */

static int count_back(const struct wire *w, struct wire_counts *c)
{
	int map = bpf_object__find_map_fd_by_name(w->gen, "counts"), cpus = libbpf_num_possible_cpus(), i;
	struct gen_count *v = calloc(cpus, sizeof(*v));
	uint32_t zero = 0;

	if (!v || bpf_map_lookup_elem(map, &zero, v)) {
		free(v);
		return -ENOMEM;
	}
	for (i = 0; i < cpus; i++)
		c->back += v[i].back;
	free(v);
	return 0;
}

static int count_stack(struct wire *w, struct wire_counts *c)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);
	char buf[16];

	while (recv(w->udp, buf, sizeof(buf), 0) >= 0)
		w->read++;
	if (getsockopt(w->udp, SOL_SOCKET, SO_MEMINFO, info, &len))
		return -errno;
	c->stack = w->read + info[SK_MEMINFO_DROPS];
	return 0;
}

int wire_count(struct wire *w, struct wire_counts *c)
{
	struct link l;
	int err;

	memset(c, 0, sizeof(*c));
	err = wire_enter(w, WIRE_SERVER);
	if (!err)
		err = link_get("lab0", &l);
	c->arrived = l.rx_packets;
	if (!err)
		err = count_back(w, c);
	return err ? err : count_stack(w, c);
}

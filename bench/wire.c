// SPDX-License-Identifier: GPL-2.0-only
/* wire.c - packets through a lab */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <linux/bpf.h>
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

static int complain(const struct wire *w, const char *what, int err)
{
	return ends_fault(&w->ends, what, err);
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
	struct gen_conf conf = { .len = w->pkt->len, .number = w->numbered ? w->pkt->payload : 0, .mixed = w->mixed };
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
	err = ends_enter(&w->ends, END_SERVER);
	if (err)
		return err;
	w->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->udp < 0 || setsockopt(w->udp, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) ||
	    bind(w->udp, (struct sockaddr *)&addr, sizeof(addr)))
		return complain(w, "the server's socket", -errno);
	return ends_enter(&w->ends, END_CLIENT);
}

static int open_wire(struct wire *w, const char *lab)
{
	int err;

	err = ends_open(&w->ends, lab);
	if (!err && w->ends.link[END_SERVER].prog) {
		fprintf(stderr, "bench: lab %s: the server has an XDP program already; nothing is sent\n", lab);
		err = -EBUSY;
	}
	if (!err)
		err = load(w);
	if (!err)
		err = open_socket(w);
	return err ? err : ends_swap(&w->ends, END_CLIENT, prog(w, "gen_sink"));
}

int wire_open(struct wire *w, const char *lab, const struct pkt *pkt)
{
	*w = (struct wire){ .pkt = pkt, .udp = -1 };
	return open_wire(w, lab);
}

int wire_open_numbered(struct wire *w, const char *lab, const struct pkt *pkt, int mixed)
{
	*w = (struct wire){ .pkt = pkt, .udp = -1, .numbered = 1, .mixed = mixed };
	return open_wire(w, lab);
}

void wire_close(struct wire *w)
{
	ends_close(&w->ends);
	if (w->udp >= 0)
		close(w->udp);
	bpf_object__close(w->gen);
	w->gen = NULL;
}

int wire_send(const struct wire *w, uint32_t count, uint32_t *ns)
{
	struct xdp_md ctx = { .data_end = w->pkt->len, .ingress_ifindex = w->ends.link[END_CLIENT].ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = w->pkt->data, .data_size_in = w->pkt->len, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = count, .batch_size = BURST,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	int err;

	if (!w->ends.swapped[END_CLIENT])
		return -EPERM;
	err = ends_enter(&w->ends, END_CLIENT);
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
	err = ends_enter(&w->ends, END_SERVER);
	if (!err)
		err = link_get("lab0", &l);
	c->arrived = l.rx_packets;
	if (!err)
		err = count_back(w, c);
	return err ? err : count_stack(w, c);
}

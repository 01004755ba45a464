// SPDX-License-Identifier: GPL-2.0-only
/* wrap.c - loads the programs in front of what is measured */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <bpf/bpf.h>
#include "run.h"
#include "wrap.h"

void wrap_layout(struct bench_layout *l, const struct pkt *p)
{
	int tcp = p->proto == IPPROTO_TCP, udp = p->proto == IPPROTO_UDP;

	memset(l, 0, sizeof(*l));
	l->len = p->len;
	l->addr = p->l3 + 12;
	l->ip_check = p->v6 ? 0 : p->l3 + 10;
	l->port = p->l4 + (tcp || udp ? 0 : 4);
	l->ack = tcp ? p->l4 + 8 : 0;
	l->l4_check = p->l4 + (tcp ? 16 : udp ? 6 : 2);
}

void wrap_take(const struct bench_layout *l, const struct pkt *p, struct bench_flow *flow)
{
	memset(flow, 0, sizeof(*flow));
	memcpy(&flow->addr, p->data + l->addr, 4);
	memcpy(&flow->port, p->data + l->port, 2);
	memcpy(&flow->l4_check, p->data + l->l4_check, 2);
	if (l->ack)
		memcpy(&flow->ack, p->data + l->ack, 4);
	if (l->ip_check)
		memcpy(&flow->ip_check, p->data + l->ip_check, 2);
}

void wrap_put(const struct bench_layout *l, uint8_t *frame, const struct bench_flow *flow)
{
	memcpy(frame + l->addr, &flow->addr, 4);
	memcpy(frame + l->port, &flow->port, 2);
	memcpy(frame + l->l4_check, &flow->l4_check, 2);
	if (l->ack)
		memcpy(frame + l->ack, &flow->ack, 4);
	if (l->ip_check)
		memcpy(frame + l->ip_check, &flow->ip_check, 2);
}

static int complain(const char *what, int err)
{
	fprintf(stderr, "bench: wrap.bpf.o: %s: %s\n", what, strerror(-err));
	return err;
}

static int set_section(struct bpf_object *obj, const char *section, const void *value, size_t len)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, section);
	size_t size = 0;
	/* libbpf before 1.4 says const */
	void *data = map ? (void *)bpf_map__initial_value(map, &size) : NULL;

	if (!data || len > size)
		return complain(section, -ENOENT);
	memcpy(data, value, len);
	return 0;
}

static int fill_flows(struct bpf_object *obj, const struct bench_flow *flows)
{
	int fd = bpf_object__find_map_fd_by_name(obj, "flows");
	size_t size = BENCH_FLOWS * sizeof(*flows);
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return complain("map flows", -errno);
	memcpy(p, flows, size);
	munmap(p, size);
	return 0;
}

static int set_targets(struct wrap *w, const int targets[BENCH_SLOTS])
{
	static const char *const names[BENCH_SLOTS] = { "wrap_empty", "wrap_subject", "wrap_bare" };
	int map = bpf_object__find_map_fd_by_name(w->obj, "targets");
	uint32_t slot;

	for (slot = 0; slot < BENCH_SLOTS; slot++) {
		w->prog[slot] = bpf_program__fd(bpf_object__find_program_by_name(w->obj, names[slot]));
		if (bpf_map_update_elem(map, &slot, &targets[slot], 0))
			return complain(names[slot], -errno);
	}
	return 0;
}

int wrap_open(struct wrap *w, const struct pkt *p, const struct bench_flow *flows, const int targets[BENCH_SLOTS])
{
	struct bench_layout layout;
	int err;

	if (p->len > BENCH_FRAME_MAX)
		return complain("frame", -E2BIG);
	w->obj = bpf_object__open_file(run_path("bench/wrap.bpf.o"), NULL);
	if (!w->obj)
		return complain("open", -errno);
	wrap_layout(&layout, p);
	layout.random = !!flows;
	err = set_section(w->obj, ".rodata.layout", &layout, sizeof(layout));
	if (!err)
		err = set_section(w->obj, ".data.frame", p->data, p->len);
	if (!err && !flows)
		bpf_map__set_max_entries(bpf_object__find_map_by_name(w->obj, "flows"), 1);
	if (!err) {
		err = bpf_object__load(w->obj);
		if (err)
			complain("load", err);
	}
	if (!err && flows)
		err = fill_flows(w->obj, flows);
	return err ? err : set_targets(w, targets);
}

void wrap_close(struct wrap *w)
{
	bpf_object__close(w->obj);
	w->obj = NULL;
}

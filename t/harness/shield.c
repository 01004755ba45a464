// SPDX-License-Identifier: GPL-2.0-only
/* shield.c - for tests and benchmarks of shield */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include "shield.h"

#define TABLE_LEN	((size_t)FLOW_SLOTS * sizeof(struct shield_flow))

const struct shield_service shield_server = {
	.flags = SERVICE_KNOWN | SERVICE_TS | SERVICE_SACK | SERVICE_WSCALE | SERVICE_ECN | SERVICE_SCALED,
	.window = 65160, .mss = 1460, .wscale = 7, .probe = UINT64_MAX,
};

uint64_t shield_clock_ms(uint64_t ns)
{
	return shield_ms(ns);
}

int shield_teach(struct run *r, uint32_t id, int v6, uint16_t port, uint64_t ns, const struct shield_service *what)
{
	int map = run_map(r, id, "shield_services");
	struct shield_service s = *what;
	__u32 slot;

	if (inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? PKT_IP6_SERVER : PKT_IP4_SERVER, s.addr) != 1)
		return -EINVAL;
	s.port = htons(port);
	s.v6 = v6;
	s.seen = shield_clock_ms(ns);
	slot = service_slot(s.addr, s.port, v6);
	return bpf_map_update_elem(map, &slot, &s, BPF_ANY) ? -errno : 0;
}

int shield_open(struct run *r)
{
	int err = run_open(r, NULL);

	r->still = 1;
	return err;
}

int shield_set_clock(struct run *r, uint32_t id, uint64_t ns)
{
	int map = run_map(r, id, ".data.clock");
	struct shield_clock clock;
	struct timespec ts;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(map, &zero, &clock))
		return -errno;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	clock.skew = r->still ? ns : ns - (ts.tv_sec * 1000000000ULL + ts.tv_nsec);
	return bpf_map_update_elem(map, &zero, &clock, BPF_ANY) ? -errno : 0;
}

int shield_hands_over(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int takes = btf && btf__find_by_name_kind(btf, "bpf_tcp_req_attrs", BTF_KIND_STRUCT) > 0;

	btf__free(btf);
	return takes;
}

/* The table and its hints, mapped. */
struct table {
	struct shield_flow *flow;
	uint8_t	*hint;
};

static void *map_memory(struct run *r, uint32_t id, const char *name, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, run_map(r, id, name), 0);

	return p == MAP_FAILED ? NULL : p;
}

static void unmap(struct table *t)
{
	if (t->flow)
		munmap(t->flow, TABLE_LEN);
	if (t->hint)
		munmap(t->hint, FLOW_SLOTS);
}

static int map_table(struct run *r, uint32_t id, struct table *t)
{
	t->flow = map_memory(r, id, "shield_flows", TABLE_LEN);
	t->hint = map_memory(r, id, ".bss.hints", FLOW_SLOTS);
	if (t->flow && t->hint)
		return 0;
	unmap(t);
	return -ENOMEM;
}

/* Sets the buckets of all limits back. */
static int clear_limits(struct run *r, uint32_t id)
{
	const uint8_t zeros[128] = { 0 };
	__u32 zero = 0;

	return bpf_map_update_elem(run_map(r, id, ".data.limits"), &zero, zeros, BPF_ANY) ? -errno : 0;
}

/* Only what is in use is written: all of it would take 20 ms. */
int shield_clear(struct run *r, uint32_t id)
{
	struct table t;
	size_t i;

	if (map_table(r, id, &t))
		return -ENOMEM;
	for (i = 0; i < FLOW_SLOTS; i++) {
		if (!t.hint[i])
			continue;
		memset(&t.flow[i], 0, sizeof(t.flow[i]));
		t.hint[i] = 0;
	}
	unmap(&t);
	return clear_limits(r, id);
}

int shield_fill(struct run *r, uint32_t id, const struct shield_flow *f)
{
	struct table t;
	size_t i;

	if (map_table(r, id, &t))
		return -ENOMEM;
	for (i = 0; i < FLOW_SLOTS; i++)
		t.flow[i] = *f;
	memset(t.hint, 0xee, FLOW_SLOTS);
	unmap(&t);
	return 0;
}

int shield_each(struct run *r, uint32_t id, void (*fn)(struct shield_flow *f, void *arg), void *arg)
{
	struct table t;
	int count = 0;
	size_t i;

	if (map_table(r, id, &t))
		return -ENOMEM;
	for (i = 0; i < FLOW_SLOTS; i++) {
		if (!t.hint[i])
			continue;
		count++;
		if (fn)
			fn(&t.flow[i], arg);
	}
	unmap(&t);
	return count;
}

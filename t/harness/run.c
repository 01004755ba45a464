// SPDX-License-Identifier: GPL-2.0-only
/*
 * run.c - the datapath without an interface
 */
#define _GNU_SOURCE	/* sched_setaffinity() */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <arpa/inet.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include "run.h"

const uint64_t run_seal[2] = { 0x1122334455667788, 0x99aabbccddeeff00 };
static const struct ndiv_self lab_self = { .ifindex = 1, .mac = PKT_MAC_SERVER };

/* The test's own key, so that cookies are the same in every run. */
static const struct ndiv_key_bytes fixed_key = { "0123456789abcdef" };

static int log_warnings(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level > (getenv("RUN_DEBUG") ? LIBBPF_DEBUG : LIBBPF_WARN))
		return 0;
	return vfprintf(stderr, fmt, args);
}

const char *run_path(const char *name)
{
	static char path[512];
	const char *dir = getenv("NDIV_BUILD");

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "build", name);
	return path;
}

static int complain(const char *what, const char *which, int err)
{
	fprintf(stderr, "run: %s %s: %s\n", what, which, strerror(err < 0 ? -err : err));
	return err < 0 ? err : -err;
}

static int ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), m = strlen(tail);

	return n >= m && !strcmp(s + n - m, tail);
}

/* Binds the process to the CPU it runs on: the datapath's state is one CPU's. */
static int bind_cpu(struct run *r)
{
	cpu_set_t set;

	r->cpu = sched_getcpu();
	CPU_ZERO(&set);
	CPU_SET(r->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return complain("bind to", "a CPU", errno);
	r->cpu_count = libbpf_num_possible_cpus();
	r->values = calloc(r->cpu_count, sizeof(*r->values));
	return r->values ? 0 : -ENOMEM;
}

static int set_rodata(struct bpf_object *obj, const char *section, size_t offset, const void *value, size_t len)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, section);
	size_t size;
	void *data;

	if (!map)
		return -ENOENT;
	/* libbpf before 1.4 says const */
	data = (void *)bpf_map__initial_value(map, &size);
	if (!data || offset + len > size)
		return -ERANGE;
	memcpy((char *)data + offset, value, len);
	return 0;
}

static int prog_fd(struct bpf_object *obj, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, name);

	return prog ? bpf_program__fd(prog) : -1;
}

static int map_fd(struct bpf_object *obj, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);

	return map ? bpf_map__fd(map) : -1;
}

/* Nothing that needs a device or a tracepoint is loaded; what a devmap runs becomes plain XDP, see run.h. */
static void prepare_programs(struct bpf_object *obj)
{
	struct bpf_program *prog;
	const char *section;

	bpf_object__for_each_program(prog, obj) {
		section = bpf_program__section_name(prog);
		if (!strcmp(bpf_program__name(prog), "ndiv_entry_hints"))
			bpf_program__set_autoload(prog, false);
		else if (!strncmp(section, "tp", 2) && strcmp(section, "tp_btf/napi_poll"))
			bpf_program__set_autoload(prog, false);
		else if (ends_with(section, "/devmap"))
			bpf_program__set_expected_attach_type(prog, BPF_XDP);
	}
}

/* The devmaps that make clones: in a test run nothing is sent, so they need no entry. */
static int make_copies(struct run *r)
{
	int outer = map_fd(r->core, "ndiv_copies");
	uint32_t n;
	int fd, err;

	if (outer < 0)
		return complain("find map", "ndiv_copies", ENOENT);
	for (n = 1; n <= NDIV_BURST_MAX + 1; n++) {
		fd = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "copies", 4, sizeof(struct bpf_devmap_val), 1, NULL);
		if (fd < 0)
			return complain("create map", "copies", fd);
		err = bpf_map_update_elem(outer, &n, &fd, 0);
		close(fd);
		if (err)
			return complain("fill map", "ndiv_copies", err);
	}
	return 0;
}

static int set_slot(int map, uint32_t slot, int prog)
{
	return bpf_map_update_elem(map, &slot, &prog, 0);
}

static int map_conf(struct run *r)
{
	int fd = map_fd(r->core, ".data.conf");
	void *p;

	if (fd < 0)
		return complain("find map", ".data.conf", ENOENT);
	p = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return complain("map", ".data.conf", errno);
	r->conf = p;
	r->conf->sample = UINT32_MAX;	/* no clock, unless a test wants it */
	return 0;
}

static int load_core(struct run *r)
{
	const char *path = run_path("bpf/core.bpf.o");
	int err;

	r->core = bpf_object__open_file(path, NULL);
	if (!r->core)
		return complain("open", path, errno);
	prepare_programs(r->core);
	err = set_rodata(r->core, ".rodata.self", 0, &r->self, sizeof(r->self));
	if (err)
		return complain("set ndiv_self of", path, err);
	err = set_rodata(r->core, ".rodata.seal", 0, &run_seal, sizeof(run_seal));
	if (err)
		return complain("set ndiv_seal of", path, err);
	err = bpf_object__load(r->core);
	return err ? complain("load", path, err) : 0;
}

int run_open(struct run *r, const struct ndiv_self *self)
{
	int err;

	memset(r, 0, sizeof(*r));
	r->self = self ? *self : lab_self;
	r->key = fixed_key;
	libbpf_set_print(log_warnings);
	err = bind_cpu(r);
	if (!err)
		err = load_core(r);
	if (!err)
		err = map_conf(r);
	if (!err)
		err = make_copies(r);
	if (err)
		return err;
	r->entry = prog_fd(r->core, "ndiv_entry");
	r->again = prog_fd(r->core, "ndiv_entry_again");
	r->copy = prog_fd(r->core, "ndiv_copy");
	r->tx_entry = prog_fd(r->core, "ndiv_tx_entry");
	r->in_entry = prog_fd(r->core, "ndiv_in_entry");
	r->cpus = map_fd(r->core, "ndiv_cpus");
	r->chain = map_fd(r->core, "ndiv_chain");
	r->tx_chain = map_fd(r->core, "ndiv_tx_chain");
	r->in_chain = map_fd(r->core, "ndiv_in_chain");
	err = set_slot(r->chain, NDIV_SLOT_POSTPONE, prog_fd(r->core, "ndiv_postpone_pkt"));
	if (!err)
		err = set_slot(r->chain, NDIV_SLOT_REPEAT, prog_fd(r->core, "ndiv_repeat_pkt"));
	if (!err)
		err = set_slot(r->chain, NDIV_SLOT_PARSE, prog_fd(r->core, "ndiv_parse_pkt"));
	if (!err)
		err = run_order(r, NULL, 0);
	return err ? complain("fill", "the chain", err) : 0;
}

void run_close(struct run *r)
{
	uint32_t i;

	for (i = 1; i <= r->count; i++) {
		bpf_object__close(r->handler[i].obj);
		if (r->handler[i].done >= 0)
			close(r->handler[i].done);
	}
	if (r->conf)
		munmap((void *)r->conf, getpagesize());
	bpf_object__close(r->core);
	free(r->values);
	memset(r, 0, sizeof(*r));
}

/* A chain array that is being written, and which of a handler's programs (member of struct run_handler) goes into it.
 */
struct bank {
	int	map, verdict;
	size_t	prog;
};

/* Writes the first bank's path for packets that handlers have to <want>. */
static int fill_path(struct run *r, const struct bank *b, uint32_t path, uint32_t want, const uint32_t *ids,
		     uint32_t count)
{
	uint32_t slot = NDIV_SLOT_NEXT + path, i;
	const struct run_handler *h;
	int fd, err;

	for (i = 0; i < count; i++) {
		h = &r->handler[ids[i]];
		fd = *(const int *)((const char *)h + b->prog);
		if (fd < 0 || (h->want & want) != want)
			continue;
		err = set_slot(b->map, slot, fd);
		if (err)
			return err;
		slot = NDIV_SLOT_NEXT + ids[i] * NDIV_PATHS + path;
	}
	return set_slot(b->map, slot, b->verdict);
}

/*
 * Writes the bank that is in use: nothing runs meanwhile. What a former chain left in other slots is not reached any
 * more; to delete it would take the kernel 10 ms each.
 */
static int fill_bank(struct run *r, const struct bank *b, const uint32_t *ids, uint32_t count)
{
	int err = set_slot(b->map, NDIV_SLOT_VERDICT, b->verdict);

	if (!err)
		err = fill_path(r, b, 0, 0, ids, count);
	return err ? err : fill_path(r, b, NDIV_PATH_MALFORMED, NDIV_WANT_MALFORMED, ids, count);
}

int run_order(struct run *r, const uint32_t *ids, uint32_t count)
{
	const struct bank rx = { r->chain, prog_fd(r->core, "ndiv_verdict"), offsetof(struct run_handler, rx) };
	const struct bank tx = { r->tx_chain, prog_fd(r->core, "ndiv_tx_verdict"), offsetof(struct run_handler, tx) };
	const struct bank in = { r->in_chain, prog_fd(r->core, "ndiv_in_verdict"), offsetof(struct run_handler, in) };
	int err = fill_bank(r, &rx, ids, count);

	if (!err)
		err = fill_bank(r, &tx, ids, count);
	return err ? err : fill_bank(r, &in, ids, count);
}

/* Puts the interface's maps in the place of the handler's own. */
static int share_maps(struct run *r, struct bpf_object *obj)
{
	static const char *const names[] = { "ndiv_cpus", "ndiv_chain", "ndiv_tx_chain", "ndiv_in_chain",
					     "ndiv_skb" };
	struct bpf_map *map;
	size_t i;
	int err;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		map = bpf_object__find_map_by_name(obj, names[i]);
		if (!map)
			continue;
		err = bpf_map__reuse_fd(map, map_fd(r->core, names[i]));
		if (err)
			return complain("share map", names[i], err);
	}
	return 0;
}

static int set_option(struct bpf_object *obj, const struct ndiv_info *info, const struct run_option *o)
{
	int i;

	for (i = 0; i < NDIV_OPTIONS_MAX && info->options[i].type; i++)
		if (!strcmp(info->options[i].name, o->name))
			return set_rodata(obj, ".rodata.config", info->options[i].offset, o->value, o->len);
	return -ENOENT;
}

static int configure(struct run *r, struct run_handler *h, uint32_t id, const struct run_option *o)
{
	struct ndiv_self self = r->self;
	const struct ndiv_info *info;
	struct bpf_map *map;
	int err;

	map = bpf_object__find_map_by_name(h->obj, ".rodata.ndiv");
	info = map ? bpf_map__initial_value(map, &(size_t){ 0 }) : NULL;
	if (!info || info->abi != NDIV_ABI)
		return complain("find", "ndiv_info", ENOENT);
	memcpy(h->name, info->name, sizeof(h->name));
	h->want = info->want;
	self.id = id;
	err = set_rodata(h->obj, ".rodata.self", 0, &self, sizeof(self));
	if (err && err != -ENOENT)
		return complain("set ndiv_self of", h->name, err);
	err = set_rodata(h->obj, ".rodata.key", 0, &r->key, sizeof(r->key));
	if (err && err != -ENOENT)
		return complain("set the key of", h->name, err);
	err = set_rodata(h->obj, ".rodata.clock", 0, &r->still, sizeof(r->still));
	if (err && err != -ENOENT)
		return complain("set the clock of", h->name, err);
	for (; o && o->name; o++) {
		err = set_option(h->obj, info, o);
		if (err)
			return complain("set option", o->name, err);
	}
	return 0;
}

/* The kernel runs raw tracepoints for tests, but not those with BTF; the instructions are the same. */
static int load_done(const struct bpf_program *prog)
{
	return bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "done", "GPL", bpf_program__insns(prog),
			     bpf_program__insn_cnt(prog), NULL);
}

/* Tells the programs of a handler apart as the library does: by section and name. */
static void find_programs(struct run_handler *h)
{
	struct bpf_program *prog;
	const char *section;
	int fd;

	bpf_object__for_each_program(prog, h->obj) {
		section = bpf_program__section_name(prog);
		fd = bpf_program__fd(prog);
		if (!strcmp(section, "xdp.frags") || !strcmp(section, "xdp"))
			h->rx = fd;
		else if (ends_with(section, "/devmap"))
			h->clone = fd;
		else if (!strcmp(section, "tc") && ends_with(bpf_program__name(prog), "_tx"))
			h->tx = fd;
		else if (!strcmp(section, "tc") && ends_with(bpf_program__name(prog), "_in"))
			h->in = fd;
		else if (!strcmp(section, "tc"))
			h->skb = fd;
		else if (!strcmp(section, "tp_btf/napi_poll"))
			h->done = load_done(prog);
	}
}

int run_add(struct run *r, const char *path, const struct run_option *options)
{
	uint32_t id = r->count + 1, ids[NDIV_HANDLERS_MAX], i;
	struct run_handler *h = &r->handler[id];
	int err;

	h->obj = bpf_object__open_file(path, NULL);
	if (!h->obj)
		return complain("open", path, errno);
	r->count = id;
	h->rx = h->tx = h->in = h->clone = h->skb = h->done = -1;
	prepare_programs(h->obj);
	err = share_maps(r, h->obj);
	if (!err)
		err = configure(r, h, id, options);
	if (err)
		return err;
	err = bpf_object__load(h->obj);
	if (err)
		return complain("load", path, err);
	find_programs(h);
	for (i = 0; i < id; i++)
		ids[i] = i + 1;
	err = run_order(r, ids, id);
	if (!err && h->clone >= 0)
		err = set_slot(map_fd(r->core, "ndiv_clone"), id, h->clone);
	if (!err && h->skb >= 0)
		err = set_slot(map_fd(r->core, "ndiv_skb"), id, h->skb);
	return err ? complain("put into the chain", h->name, err) : (int)id;
}

/* Runs <prog> on <len> bytes at <data>, of which the first <meta> are metadata. <linear>: 0, or see run_rx_split(). */
static int run_xdp(struct run *r, int prog, const void *data, size_t len, size_t meta, size_t linear,
		   struct run_out *out)
{
	struct xdp_md in = { .data = meta, .data_end = linear ? linear : len }, md = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = len, .data_out = out->buf,
		    .data_size_out = sizeof(out->buf), .ctx_in = &in, .ctx_size_in = sizeof(in), .ctx_out = &md,
		    .ctx_size_out = sizeof(md), .repeat = 1);
	int err = bpf_prog_test_run_opts(prog, &opts);

	if (err)
		return err;
	out->act = opts.retval;
	out->meta = md.data - md.data_meta;
	out->data = out->buf + out->meta;
	out->len = opts.data_size_out - out->meta;
	return 0;
}

int run_rx(struct run *r, const void *data, size_t len, struct run_out *out)
{
	return run_xdp(r, r->entry, data, len, 0, 0, out);
}

int run_rx_split(struct run *r, const void *data, size_t len, size_t linear, struct run_out *out)
{
	return run_xdp(r, r->entry, data, len, 0, linear, out);
}

int run_again(struct run *r, const void *data, size_t len, uint16_t rounds, struct run_out *out)
{
	struct ndiv_again again = { .magic = NDIV_META_AGAIN, .rounds = rounds };
	static uint8_t buf[RUN_MAX];

	memcpy(buf, &again, sizeof(again));
	memcpy(buf + sizeof(again), data, len);
	return run_xdp(r, r->again, buf, sizeof(again) + len, sizeof(again), 0, out);
}

int run_copy(struct run *r, const struct run_out *from, struct run_out *out)
{
	return run_xdp(r, r->copy, from->buf, from->meta + from->len, from->meta, 0, out);
}

int run_once(int prog, const void *data, size_t len, struct run_out *out)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = len, .data_out = out->buf,
		    .data_size_out = sizeof(out->buf), .repeat = 1);
	int err = bpf_prog_test_run_opts(prog, &opts);

	if (err)
		return err;
	out->act = opts.retval;
	out->meta = 0;
	out->data = out->buf;
	out->len = opts.data_size_out;
	return 0;
}

int run_tx(struct run *r, const void *data, size_t len, struct run_out *out)
{
	return run_once(r->tx_entry, data, len, out);
}

int run_in(struct run *r, const void *data, size_t len, struct run_out *out)
{
	return run_once(r->in_entry, data, len, out);
}

int run_done(struct run *r, uint32_t id)
{
	uint64_t args[3] = { 0, 1, 64 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));

	if (r->handler[id].done < 0)
		return -ENOENT;
	return bpf_prog_test_run_opts(r->handler[id].done, &opts);
}

/* Adds up the 64-bit words of the counters, which is all that follows pkt. */
int run_sum(struct run *r, enum ndiv_cpu_index which, struct ndiv_cpu *sum)
{
	const size_t first = offsetof(struct ndiv_cpu, tx_lost) / 8, words = sizeof(*sum) / 8;
	uint64_t *to = (uint64_t *)sum;
	uint32_t key = which;
	size_t i;
	int cpu;

	if (bpf_map_lookup_elem(r->cpus, &key, r->values))
		return -errno;
	*sum = r->values[r->cpu];
	for (cpu = 0; cpu < r->cpu_count; cpu++) {
		if (cpu == r->cpu)
			continue;
		sum->seq += r->values[cpu].seq;
		for (i = first; i < words; i++)
			to[i] += ((const uint64_t *)&r->values[cpu])[i];
	}
	return 0;
}

int run_reset(struct run *r)
{
	uint32_t key;

	memset(r->values, 0, r->cpu_count * sizeof(*r->values));
	for (key = 0; key < NDIV_CPU_COUNT; key++)
		if (bpf_map_update_elem(r->cpus, &key, r->values, 0))
			return -errno;
	return 0;
}

int run_pressure(struct run *r)
{
	uint32_t key = NDIV_CPU_RX;
	int i;

	if (bpf_map_lookup_elem(r->cpus, &key, r->values))
		return -errno;
	for (i = 0; i < r->cpu_count; i++)
		r->values[i].pressure = UINT64_MAX;
	return bpf_map_update_elem(r->cpus, &key, r->values, 0) ? -errno : 0;
}

uint64_t run_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void run_agent(struct run *r, int alive)
{
	r->conf->agent_until = alive ? run_now() + 60000000000ULL : 0;
}

void run_prefix(struct ndiv_prefixes *p, const char *addr, int bits)
{
	struct ndiv_prefix *to = &p->list[p->count4 + p->count6];
	int v6 = !!strchr(addr, ':'), i;

	memset(to, 0, sizeof(*to));
	for (i = 0; i < bits; i++)
		((uint8_t *)to->mask)[i / 8] |= 0x80 >> i % 8;
	inet_pton(v6 ? AF_INET6 : AF_INET, addr, to->addr);
	for (i = 0; i < 4; i++)
		to->addr[i] &= to->mask[i];
	*(v6 ? &p->count6 : &p->count4) += 1;
}

/* <count> names of <max>, each in NDIV_NAME_LEN bytes at <got>; the one behind them is empty. */
static const char *names_differ(const char (*got)[NDIV_NAME_LEN], size_t max, const char *const *want, size_t count)
{
	static char text[100];
	const char *name;
	size_t i;

	for (i = 0; i < max && i <= count; i++) {
		name = i < count ? want[i] : "";
		if (!strcmp(got[i], name))
			continue;
		snprintf(text, sizeof(text), "number %zu is called \"%s\" and not \"%s\"", i, got[i], name);
		return text;
	}
	return NULL;
}

const char *run_names(const struct run *r, uint32_t id, const char *name, const char *const *counters, size_t count,
		      const char *const *reasons, size_t reason_count)
{
	struct bpf_map *map = bpf_object__find_map_by_name(r->handler[id].obj, ".rodata.ndiv");
	struct ndiv_info info;
	uint32_t key = 0;
	const char *bad;

	if (bpf_map_lookup_elem(bpf_map__fd(map), &key, &info))
		return "cannot read its names";
	bad = names_differ(&info.name, 1, &name, 1);
	if (!bad)
		bad = names_differ(info.counters, NDIV_COUNTERS_MAX, counters, count);
	if (!bad)
		bad = names_differ(info.reasons + 1, NDIV_REASONS_MAX - 1, reasons, reason_count);
	return bad;
}

int run_map(struct run *r, uint32_t id, const char *name)
{
	return map_fd(r->handler[id].obj, name);
}

// SPDX-License-Identifier: GPL-2.0-only
/* attack.c - a flood over the wire of a lab */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include "attack.h"
#include "flood.h"
#include "run.h"
#include "shapes.h"

#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES	(1U << 1)
#endif

static struct flood_shape shapes[FLOOD_SHAPES];

static int complain(const struct attack *a, const char *what, int err)
{
	return ends_fault(&a->ends, what, err);
}

static int prog(const struct attack *a, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(a->obj, name));
}

static int map(const struct attack *a, const char *name)
{
	return bpf_object__find_map_fd_by_name(a->obj, name);
}

static int set_conf(struct attack *a, const struct flood_conf *conf)
{
	struct bpf_map *m = bpf_object__find_map_by_name(a->obj, ".rodata.conf");
	size_t size = 0;
	/* libbpf before 1.4 says const */
	void *data = m ? (void *)bpf_map__initial_value(m, &size) : NULL;

	if (!data || size < sizeof(*conf))
		return complain(a, ".rodata.conf", -ENOENT);
	memcpy(data, conf, sizeof(*conf));
	return 0;
}

/* Each kind has addresses of its own: else one flood could be about what another one has left behind. */
static uint32_t seed_of(const char *kind)
{
	uint32_t seed = 0;

	while (*kind)
		seed = seed * 31 + (unsigned char)*kind++;
	return seed;
}

static int load(struct attack *a, const struct attack_opts *o)
{
	struct flood_conf conf = { .shapes = shapes_make(shapes, o->kind, o->families, o->port), .dry = o->dry,
				   .seed = seed_of(o->kind), .far = !!(o->families & SHAPES_FAR4) };
	uint32_t i;
	int err;

	if (!conf.shapes)
		return complain(a, o->kind, -EINVAL);
	for (i = 0; i < conf.shapes; i++)
		if (shapes[i].len > conf.len)
			conf.len = shapes[i].len;
	a->len = conf.len;
	conf.gap = o->rate ? 1000000000ULL * FLOOD_BURST / o->rate : 0;
	a->obj = bpf_object__open_file(run_path("bench/flood.bpf.o"), NULL);
	if (!a->obj)
		return complain(a, "open flood.bpf.o", -errno);
	err = set_conf(a, &conf);
	if (!err)
		err = bpf_object__load(a->obj);
	for (i = 0; !err && i < conf.shapes; i++)
		err = bpf_map_update_elem(map(a, "shapes"), &i, &shapes[i], BPF_ANY);
	return err ? complain(a, "load flood.bpf.o", err) : 0;
}

int attack_open(struct attack *a, const struct attack_opts *opts)
{
	int err;

	memset(a, 0, sizeof(*a));
	err = ends_open(&a->ends, opts->lab);
	if (!err)
		err = load(a, opts);
	return err ? err : ends_swap(&a->ends, END_CLIENT, prog(a, "flood_sink"));
}

void attack_close(struct attack *a)
{
	ends_close(&a->ends);
	bpf_object__close(a->obj);
	a->obj = NULL;
}

int attack_send(struct attack *a, uint32_t frames, uint32_t *ns)
{
	struct xdp_md ctx = { .data_end = a->len, .ingress_ifindex = a->ends.link[END_CLIENT].ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = shapes[0].frame, .data_size_in = a->len, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = frames, .batch_size = FLOOD_BURST,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	int err;

	if (!a->ends.swapped[END_CLIENT])
		return -EPERM;
	err = ends_enter(&a->ends, END_CLIENT);
	if (!err)
		err = bpf_prog_test_run_opts(prog(a, "flood_send"), &opts);
	*ns = opts.duration;
	return err && err != -EINTR ? complain(a, "send", err) : err;
}

int attack_counts(const struct attack *a, struct attack_counts *c)
{
	int cpus = libbpf_num_possible_cpus(), i;
	struct flood_count *v = calloc(cpus > 0 ? cpus : 1, sizeof(*v));
	uint32_t zero = 0;
	int err = v ? 0 : -ENOMEM;

	memset(c, 0, sizeof(*c));
	if (!err)
		err = bpf_map_lookup_elem(map(a, ".data.number"), &zero, &c->sent);
	if (!err)
		err = bpf_map_lookup_elem(map(a, "counts"), &zero, v);
	for (i = 0; !err && i < cpus; i++)
		c->answers += v[i].answers;
	free(v);
	return err ? complain(a, "counters", err) : 0;
}

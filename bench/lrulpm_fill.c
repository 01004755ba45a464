// SPDX-License-Identifier: GPL-2.0-only
/* lrulpm_fill.c - a million prefixes, a million flows */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include "lrulpm_fill.h"
#include "million.h"

static int put(struct bpf_object *obj, const char *name, const void *keys, const void *values, uint32_t count)
{
	int fd = bpf_object__find_map_fd_by_name(obj, name), err;
	uint32_t done = count;

	err = bpf_map_update_batch(fd, keys, values, &done, NULL);
	if (!err && done != count)
		err = -EIO;
	if (err)
		fprintf(stderr, "bench: lrulpm.bpf.o: %s: %u of %u could be entered: %s\n", name, done, count,
			strerror(-err));
	return err;
}

static int put_prefixes(struct bpf_object *obj, enum lrulpm action)
{
	struct lrulpm_prefix *keys = calloc(MILLION, sizeof(*keys));
	uint32_t *values = calloc(MILLION, sizeof(*values));
	int err = keys && values ? 0 : -ENOMEM;
	uint32_t n;

	for (n = 0; !err && n < MILLION; n++) {
		keys[n] = (struct lrulpm_prefix){ .len = 32, .addr = htonl(flood_far(n)) };
		values[n] = action;
	}
	if (!err)
		err = put(obj, "prefixes", keys, values, MILLION);
	free(keys);
	free(values);
	return err;
}

static void take_tuple(struct lrulpm_tuple *t, const struct pkt *p)
{
	memcpy(&t->source, p->data + p->l3 + 12, 8);
	memcpy(&t->source_port, p->data + p->l4, 4);
	t->proto = p->proto;
}

static int put_flows(struct bpf_object *obj, const struct pkt *first, const struct bench_flow *flows)
{
	uint32_t count = flows ? BENCH_FLOWS : 1, n;
	struct lrulpm_tuple *keys = calloc(count, sizeof(*keys));
	struct lrulpm_flow *values = calloc(count, sizeof(*values));
	int err = keys && values ? 0 : -ENOMEM;
	static struct pkt p;
	struct bench_layout layout;

	p = *first;
	wrap_layout(&layout, &p);
	for (n = 0; !err && n < count; n++) {
		if (flows)
			wrap_put(&layout, p.data, &flows[n]);
		take_tuple(&keys[n], &p);
	}
	if (!err)
		err = put(obj, "flows", keys, values, count);
	free(keys);
	free(values);
	return err;
}

int lrulpm_fill(struct bpf_object *obj, enum lrulpm action, const struct pkt *p, const struct bench_flow *flows)
{
	int err = put_prefixes(obj, action);

	return err ? err : put_flows(obj, p, flows);
}

// SPDX-License-Identifier: GPL-2.0-only
/* policy.c - policies for shield in tests and benchmarks */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "../../lib/policy.h"
#include "policy.h"

int shield_policy(struct run *r, uint32_t id, const char *text)
{
	const struct policy_maps maps = { run_map(r, id, "shield_policy"), run_map(r, id, "shield_rules"),
					  run_map(r, id, "shield_buckets") };
	struct ndiv_policy *p = calloc(1, sizeof(*p));
	struct ndiv nd = { .lock = -1 };
	int err = p ? policy_parse(&nd, "policy", text, strlen(text), p) : -ENOMEM;

	if (!err)
		err = policy_put(&nd, &maps, p);
	if (err)
		fprintf(stderr, "shield: %s\n", nd.err);
	if (p)
		policy_free(p);
	free(p);
	return err;
}

struct policy_count shield_counted(struct run *r, uint32_t id, uint32_t nr, uint32_t rule)
{
	struct policy_count *values = calloc(r->cpu_count, sizeof(*values)), sum = { 0 };
	uint32_t i = (nr & 1) * POLICY_RULES + rule;
	int c, err = !values || bpf_map_lookup_elem(run_map(r, id, "shield_rules"), &i, values);

	for (c = 0; c < r->cpu_count && !err; c++) {
		sum.packets += values[c].packets;
		sum.bytes += values[c].bytes;
		sum.refused += values[c].refused;
		sum.refused_bytes += values[c].refused_bytes;
	}
	free(values);
	return sum;
}

// SPDX-License-Identifier: GPL-2.0-only
/* bans.c - shield's table of bans in tests and benchmarks */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "bans.h"

int shield_bans(struct run *r, uint32_t id, uint32_t buckets, struct ban_view *v)
{
	static const __u64 key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	struct ndiv nd = { .lock = -1 };
	__u32 zero = 0;
	int fd = ban_make(&nd, buckets, key, v), err = 0;

	if (fd < 0) {
		fprintf(stderr, "shield: %s\n", nd.err);
		return fd;
	}
	if (bpf_map_update_elem(run_map(r, id, "shield_bans"), &zero, &fd, BPF_ANY))
		err = -errno;
	close(fd);
	return err;
}

int shield_no_bans(struct run *r, uint32_t id)
{
	__u32 zero = 0;

	return bpf_map_delete_elem(run_map(r, id, "shield_bans"), &zero) && errno != ENOENT ? -errno : 0;
}

static void parse(const char *prefix, __u64 *addr, __u8 *shape)
{
	const char *wrong = ban_prefix(prefix, strlen(prefix), addr, shape);

	if (!wrong)
		return;
	fprintf(stderr, "shield: \"%s\" %s\n", prefix, wrong);
	abort();
}

enum ban_put shield_set_ban(struct ban_view *v, const char *prefix, uint64_t ns, uint64_t ms, uint16_t line)
{
	__u32 tick = ban_tick(shield_ms(ns));
	struct ban ban = { .until = ms == BAN_ENDLESS ? BAN_FOREVER : tick + (ms >> BAN_TICK_SHIFT), .line = line };

	parse(prefix, &ban.addr, &ban.shape);
	return ban_put(v, &ban, tick);
}

uint32_t shield_ban_place(const struct ban_view *v, const char *prefix, int second)
{
	struct {
		__u64	addr;
		__u8	shape;
	} __attribute__((packed)) bytes;
	__u64 addr;

	parse(prefix, &addr, &bytes.shape);
	bytes.addr = addr;
	return ban_bucket_of(sip_hash(1, 3, v->head->key, &bytes, sizeof(bytes)), v->head->mask, second);
}

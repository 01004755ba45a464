/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inspect.h - what the policy says of a packet
 *
 * First its source, then the service that it is for. Of TCP the services are asked about SYNs only: what belongs to a
 * connection goes by the table. Neighbour discovery is nobody's business.
 */
#ifndef NDIV_SHIELD_INSPECT_H
#define NDIV_SHIELD_INSPECT_H

#include "policy.h"
#include "shield.h"

struct policy_line {
	__u32	word[POLICY_LINE / sizeof(__u32)];
};

/* An image; with as many lines as it needs. */
struct policy_image {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct policy_line));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct policy_image);
} shield_policy SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, POLICY_BANKS *POLICY_RULES);
	__type(key, __u32);
	__type(value, struct policy_count);
} shield_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, POLICY_BANKS *POLICY_RULES);
	__type(key, __u32);
	__type(value, struct policy_bucket);
} shield_buckets SEC(".maps");

/* By rule and source network, hashed. Nobody is ever inserted, so nobody can fill it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, POLICY_NETWORKS);
	__type(key, __u32);
	__type(value, __u64);
} shield_networks SEC(".maps");

enum inspected {
	INSPECT_PASS,		/* go on */
	INSPECT_TRUST,		/* ... and do not ask services */
	INSPECT_DENY,
	INSPECT_LIMIT,
};

/* --- tries */

/* The four bits of an address from bit <at> on. */
static __always_inline __u32 address_bits(__u64 hi, __u64 lo, __u32 at)
{
	return (at < 64 ? hi >> (60 - at) : lo >> (124 - at)) & 15;
}

/* Do the first <len> bits of both agree? Shifts by 64 are two. */
static __always_inline int same_prefix(const struct policy_leaf *leaf, __u64 hi, __u64 lo)
{
	__u32 len = leaf->len;

	if (!len)
		return 1;
	if (len <= 64)
		return !((hi ^ leaf->hi) >> (64 - len));
	return hi == leaf->hi && !((lo ^ leaf->lo) >> ((128 - len) & 63));
}

static __always_inline struct policy_line *image_line(void *image, __u32 line)
{
	return bpf_map_lookup_elem(image, &line);
}

static __always_inline void *image_now(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&shield_policy, &zero);
}

static __always_inline __u32 leaf_value(void *image, __u32 first, __u32 nr, __u64 hi, __u64 lo)
{
	struct policy_line *line = image_line(image, first + nr / 2);
	const struct policy_leaf *leaf;

	if (!line)
		return 0;
	leaf = nr & 1 ? (const struct policy_leaf *)line + 1 : (const struct policy_leaf *)line;
	return same_prefix(leaf, hi, lo) ? leaf->in : leaf->out;
}

/* What <e> says of the last byte of an IPv4 address. */
static __always_inline __u32 byte_value(void *image, __u32 first, __u32 e, __u64 hi)
{
	__u32 pair = POLICY_BYTE_PAIR(e), differs = ((__u32)(hi >> 32) ^ POLICY_BYTE_OF(e)) & 255;
	struct policy_line *line = image_line(image, first + pair / 8);
	__u32 i = pair % 8 * 2 + !!(differs >> (8 - POLICY_BYTE_BITS(e)));

	barrier_var(i);
	return line ? line->word[i & 15] : 0;
}

/* Word <i> of the line; the verifier has to be told. */
static __always_inline __u32 line_word(const struct policy_line *line, __u32 i)
{
	barrier_var(i);
	return line->word[i & 15];
}

/*
 * The value of address <hi>, <lo> in trie <which> of the policy: 0 if there is none. A function by itself, so that the
 * verifier looks at the loop once.
 */
__noinline __u32 shield_trie(__u32 which, __u64 hi, __u64 lo)
{
	struct policy_root root = { 0 };
	void *image = image_now();
	struct policy_head *head;
	struct policy_line *line;
	__u32 e, at, first, leaves, pairs;

	if (!image)
		return 0;
	head = (struct policy_head *)image_line(image, 0);
	if (!head)
		return 0;
	root = head->root[which & (POLICY_TRIES - 1)];
	leaves = head->leaves;
	pairs = head->pairs;
	if (!root.line)
		return 0;
	first = hi >> (64 - (root.bits & 31));
	line = image_line(image, root.line + first / 16);
	if (!line)
		return 0;
	e = line_word(line, first);
	for (at = 0; at < 128; at += POLICY_STRIDE) {
		if (at < root.bits)
			continue;
		if (POLICY_KIND(e) != POLICY_NODE)
			break;
		line = image_line(image, POLICY_REST(e));
		if (!line)
			return 0;
		e = line_word(line, address_bits(hi, lo, at));
	}
	if (POLICY_KIND(e) == POLICY_LEAF)
		return leaf_value(image, leaves, POLICY_REST(e), hi, lo);
	if (POLICY_KIND(e) == POLICY_BYTE)
		return byte_value(image, pairs, e, hi);
	return POLICY_KIND(e) == POLICY_VALUE ? POLICY_REST(e) : 0;
}

/* --- rules */

/* The bucket of rule <i> (bank included), or of network <net> by it. */
static __always_inline __u64 *bucket_of(const struct policy_rule *rule, __u32 i, __u64 net)
{
	struct policy_bucket *bucket;

	if (rule->per_source) {
		i = ndiv_siphash2(&ndiv_key, i, net) & (POLICY_NETWORKS - 1);
		return bpf_map_lookup_elem(&shield_networks, &i);
	}
	bucket = bpf_map_lookup_elem(&shield_buckets, &i);
	return bucket ? &bucket->word : NULL;
}

/* Counts rule <nr>, which is about <pkt>, and tells what it says. */
static __always_inline enum inspected rule_says(void *image, const struct policy_head *head, __u32 nr,
						struct ndiv_pkt *pkt, __u64 net)
{
	struct policy_line *line = image_line(image, head->rules + nr / 2);
	__u32 i = (head->bank & 1) * POLICY_RULES + nr;
	struct policy_count *count = bpf_map_lookup_elem(&shield_rules, &i);
	const struct policy_rule *rule;
	__u64 *bucket;
	enum inspected says = INSPECT_PASS;
	struct ndiv_limit limit;

	if (!line || !count)
		return INSPECT_PASS;
	rule = nr & 1 ? (const struct policy_rule *)line + 1 : (const struct policy_rule *)line;
	count->packets++;
	count->bytes += pkt->len;
	if (rule->action == POLICY_TRUST)
		return INSPECT_TRUST;
	if (rule->action == POLICY_DENY)
		says = INSPECT_DENY;
	if (rule->action == POLICY_LIMIT) {
		bucket = bucket_of(rule, i, net);
		limit = (struct ndiv_limit){ .gap = rule->gap, .depth = rule->depth };
		if (bucket && !ndiv_limit_take(bucket, &limit, shield_now()))
			says = INSPECT_LIMIT;
	}
	if (says != INSPECT_PASS) {
		pkt->rule = i;
		count->refused++;
		count->refused_bytes += pkt->len;
	}
	return says;
}

/*
 * What the rules in <cell> say of a packet from network <net>: the dry one is counted, the other one decides. By
 * itself, as shield_trie().
 */
__noinline int shield_cell(__u32 cell, __u64 net)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);
	void *image = image_now();
	struct policy_head *head = image ? (struct policy_head *)image_line(image, 0) : NULL;

	if (!cpu || !head)
		return INSPECT_PASS;
	if (POLICY_CELL_DRY(cell))
		rule_says(image, head, POLICY_CELL_DRY(cell), &cpu->pkt, net);
	if (!POLICY_CELL_RULE(cell))
		return INSPECT_PASS;
	return rule_says(image, head, POLICY_CELL_RULE(cell), &cpu->pkt, net);
}

/* --- a packet */

/* The column of <selector>, and its cell in row <row>. */
static __always_inline __u32 cell_at(__u32 row, __u32 selector)
{
	void *image = image_now();
	struct policy_head *head;
	struct policy_line *line;
	__u32 column, i, cells, width;

	if (!image)
		return 0;
	head = (struct policy_head *)image_line(image, 0);
	if (!head)
		return 0;
	cells = head->cells;
	width = head->width;
	line = image_line(image, head->columns + selector / 32);
	if (!line || !width)
		return 0;
	column = line_word(line, selector / 2 & 15) >> (selector & 1) * 16 & 0xffff;
	i = row * width + column;
	line = image_line(image, cells + i / 16);
	return line ? line_word(line, i) : 0;
}

/* What kind of packet it is. Below 0: one that no policy is about. */
static __always_inline __s32 selector_of(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	const struct ndiv_icmp *icmp;
	const __be16 *ports;

	if (pkt->flags & NDIV_F_FRAG)
		return POLICY_FRAGMENT;
	if (pkt->flags & (NDIV_F_TCP | NDIV_F_UDP)) {
		ports = ndiv_ptr(ctx, pkt->l4, 4);
		if (!ports)
			return -1;
		return (pkt->flags & NDIV_F_TCP ? POLICY_TCP : POLICY_UDP) + bpf_ntohs(ports[1]);
	}
	if (!(pkt->flags & (NDIV_F_ICMP | NDIV_F_ICMP6)))
		return POLICY_PROTO + pkt->proto;
	icmp = ndiv_ptr(ctx, pkt->l4, sizeof(*icmp));
	if (!icmp)
		return -1;
	if (pkt->flags & NDIV_F_ICMP)
		return POLICY_ICMP + icmp->type;
	return icmp->type >= 133 && icmp->type <= 137 ? -1 : POLICY_ICMP6 + icmp->type;
}

static __always_inline __u64 address_hi(const __u32 *addr, int v6)
{
	return (__u64)bpf_ntohl(addr[0]) << 32 | (v6 ? bpf_ntohl(addr[1]) : 0);
}

static __always_inline __u64 address_lo(const __u32 *addr, int v6)
{
	return v6 ? (__u64)bpf_ntohl(addr[2]) << 32 | bpf_ntohl(addr[3]) : 0;
}

/* A SYN, or no TCP at all. */
static __always_inline int begins(struct xdp_md *ctx, const struct ndiv_pkt *pkt)
{
	const __u8 *th;

	if (!(pkt->flags & NDIV_F_TCP))
		return 1;
	th = ndiv_ptr(ctx, pkt->l4, TCP_LEN);
	return th && (th[13] & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* What the policy says of <pkt>, whose addresses are in <tcp>. */
static __always_inline enum inspected inspect(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct shield_tcp *tcp)
{
	__u64 hi = address_hi(tcp->remote, tcp->v6);
	__u64 net = tcp->v6 ? hi : hi & 0xffffff0000000000ULL;	/* its /64, its /24 */
	enum inspected says = INSPECT_PASS;
	__s32 selector;
	__u32 cell;

	selector = selector_of(ctx, pkt);
	if (selector < 0)
		return INSPECT_PASS;
	cell = shield_trie(tcp->v6 ? POLICY_SOURCE6 : POLICY_SOURCE4, hi, address_lo(tcp->remote, tcp->v6));
	if (cell)
		says = shield_cell(cell, net);
	if (says != INSPECT_PASS || !begins(ctx, pkt))
		return says;
	cell = cell_at(shield_trie(tcp->v6 ? POLICY_DEST6 : POLICY_DEST4, address_hi(tcp->local, tcp->v6),
				   address_lo(tcp->local, tcp->v6)), selector);
	return cell ? shield_cell(cell, net) : INSPECT_PASS;
}

#endif

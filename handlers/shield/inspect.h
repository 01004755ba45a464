/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inspect.h - what bans and the policy say of a packet
 *
 * First its source, then the service that it is for. Of TCP the services are asked about SYNs only: what belongs to a
 * connection goes by the table. Neighbour discovery is nobody's business.
 */
#ifndef NDIV_SHIELD_INSPECT_H
#define NDIV_SHIELD_INSPECT_H

#include "banned.h"
#include "policy.h"

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
	INSPECT_SAYS = 7,	/* mask of these */
	INSPECT_STRIKE = 8,	/* the rule that decides wants exceeding it to be counted against the source */
	INSPECT_STRIKE_DRY = 16, /* ... the dry one */
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

/* Where a packet comes from. */
struct source {
	__u64	hi, lo;
};

/* The bucket of rule <i> (bank included), or that of the network or address <from> by it. */
static __always_inline __u64 *bucket_of(const struct policy_rule *rule, __u32 i, const struct ndiv_pkt *pkt,
					const struct source *from)
{
	__u64 hi = from->hi, lo = from->lo;
	struct policy_bucket *bucket;
	struct ndiv_sip s;

	if (rule->per == POLICY_PER_RULE) {
		bucket = bpf_map_lookup_elem(&shield_buckets, &i);
		return bucket ? &bucket->word : NULL;
	}
	if (rule->per == POLICY_PER_NETWORK) {
		lo = 0;
		if (pkt->flags & NDIV_F_IPV4)
			hi &= 0xffffff0000000000ULL;
	}
	ndiv_sip_init(&s, &ndiv_key);
	ndiv_sip_word(&s, i);
	ndiv_sip_word(&s, hi);
	ndiv_sip_word(&s, lo);
	i = ndiv_sip_end(&s, 24, 0) & (POLICY_NETWORKS - 1);
	return bpf_map_lookup_elem(&shield_networks, &i);
}

/* Is there still something in the bucket for <pkt>? What is longer than a whole bucket takes all of a full one. */
static __always_inline int within_rate(__u64 *bucket, const struct policy_rule *rule, const struct ndiv_pkt *pkt)
{
	struct ndiv_limit limit = { .gap = rule->gap, .depth = rule->depth };

	if (rule->by_bytes) {
		limit.gap = rule->gap * pkt->len >> 16;
		if (limit.gap > limit.depth)
			limit.gap = limit.depth;
	}
	return ndiv_limit_take(bucket, &limit, shield_now());
}

/* Rule <nr> of the policy, or NULL. */
static __always_inline const struct policy_rule *rule_at(void *image, const struct policy_head *head, __u32 nr)
{
	struct policy_line *line = image_line(image, head->rules + nr / 2);

	if (!line)
		return NULL;
	return nr & 1 ? (const struct policy_rule *)line + 1 : (const struct policy_rule *)line;
}

/* Counts rule <nr>, which is about <pkt>, and tells what it says. */
static __always_inline int rule_says(void *image, const struct policy_head *head, __u32 nr,
				     struct ndiv_pkt *pkt, const struct source *from)
{
	const struct policy_rule *rule = rule_at(image, head, nr);
	__u32 i = (head->bank & 1) * POLICY_RULES + nr;
	struct policy_count *count = bpf_map_lookup_elem(&shield_rules, &i);
	__u64 *bucket;
	int says = INSPECT_PASS;

	if (!rule || !count)
		return INSPECT_PASS;
	count->packets++;
	count->bytes += pkt->len;
	if (rule->action == POLICY_TRUST)
		return INSPECT_TRUST;
	if (rule->action == POLICY_DENY)
		says = INSPECT_DENY;
	if (rule->action == POLICY_LIMIT) {
		bucket = bucket_of(rule, i, pkt, from);
		if (bucket && !within_rate(bucket, rule, pkt))
			says = INSPECT_LIMIT;
		if (says == INSPECT_LIMIT && rule->ban)
			says |= INSPECT_STRIKE;
	}
	if (says != INSPECT_PASS) {
		pkt->rule = i;
		count->refused++;
		count->refused_bytes += pkt->len;
	}
	return says;
}

/*
 * What the rules in <cell> say of a packet from address <hi>, <lo>: the dry one is counted, the other one decides. Bits
 * of enum inspected. By itself, as shield_trie().
 */
__noinline int shield_cell(__u32 cell, __u64 hi, __u64 lo)
{
	struct source from = { .hi = hi, .lo = lo };
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);
	void *image = image_now();
	struct policy_head *head = image ? (struct policy_head *)image_line(image, 0) : NULL;
	int dry = 0, says = INSPECT_PASS;

	if (!cpu || !head)
		return INSPECT_PASS;
	if (POLICY_CELL_DRY(cell))
		dry = rule_says(image, head, POLICY_CELL_DRY(cell), &cpu->pkt, &from);
	if (POLICY_CELL_RULE(cell))
		says = rule_says(image, head, POLICY_CELL_RULE(cell), &cpu->pkt, &from);
	return says | (dry & INSPECT_STRIKE ? INSPECT_STRIKE_DRY : 0);
}

/* --- rules that ban */

/* All hosts of a link share fe80::/64: who bans one of them bans all. */
static __always_inline int is_link_local(__u64 addr, __u32 v6)
{
	return v6 && addr >> 54 == 0xfe80 >> 6;
}

/* <addr> has exceeded rule <nr>, which bans for it: now, or not yet. */
static __always_inline void rule_strikes(void *image, const struct policy_head *head, __u32 nr, struct ndiv_pkt *pkt,
					 __u64 addr, __u32 v6, int dry)
{
	const struct policy_rule *rule = rule_at(image, head, nr);
	__u32 i = (head->bank & 1) * POLICY_RULES + nr, tick = ban_tick(shield_ms(shield_now()));
	int result;

	if (!rule || !shield_strike(addr, i << 1 | v6, rule->after, tick))
		return;
	if (dry) {
		ndiv_count(pkt, SHIELD_BAN_DRY);
		return;
	}
	result = shield_ban(addr, v6 ? BAN_HOST6 : BAN_HOST4, rule->ban, rule->line, tick);
	if (result == BAN_NO_ROOM)
		ndiv_count(pkt, SHIELD_BAN_FULL);
	if (result == BAN_EVICTED)
		ndiv_count(pkt, SHIELD_BAN_EVICTED);
	if (result == BAN_SET || result == BAN_EVICTED)
		ndiv_count(pkt, SHIELD_BAN_SET);
}

/* Counts against <addr> what <says> of the rules in <cell>. By itself, so that the stack of shield_cell() is free. */
__noinline int shield_exceeds(__u32 cell, __u32 says, __u64 addr, __u32 v6)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);
	void *image = image_now();
	struct policy_head *head = image ? (struct policy_head *)image_line(image, 0) : NULL;

	v6 &= 1;
	if (!cpu || !head || is_link_local(addr, v6))
		return 0;
	if (says & INSPECT_STRIKE)
		rule_strikes(image, head, POLICY_CELL_RULE(cell), &cpu->pkt, addr, v6, 0);
	if (says & INSPECT_STRIKE_DRY)
		rule_strikes(image, head, POLICY_CELL_DRY(cell), &cpu->pkt, addr, v6, 1);
	return 0;
}

/* --- a packet */

/* What a packet is, and where it comes from: enum policy_selector, policy_origin. */
struct kind {
	__u32	selector, origin;
};

/* The first line of the cells for packets from <origin>. */
static __always_inline __u32 plane_at(void *image, __u32 origins, __u32 origin)
{
	struct policy_line *line = image_line(image, origins + POLICY_PLANE_LINES + origin / POLICY_LINE);
	__u32 plane;

	if (!line)
		return 0;
	plane = line_word(line, origin / 4 & 15) >> (origin & 3) * 8 & 255;
	line = image_line(image, origins + plane / 16);
	return line ? line_word(line, plane) : 0;
}

/* The column of <kind>, and its cell in row <row>. */
static __always_inline __u32 cell_at(__u32 row, const struct kind *kind)
{
	__u32 selector = kind->selector;
	void *image = image_now();
	struct policy_head *head;
	struct policy_line *line;
	__u32 column, i, cells, width;

	if (!image)
		return 0;
	head = (struct policy_head *)image_line(image, 0);
	if (!head)
		return 0;
	cells = head->origins ? plane_at(image, head->origins, kind->origin) : head->cells;
	width = head->width;
	line = image_line(image, head->columns + selector / 32);
	if (!line || !width || !cells)
		return 0;
	column = line_word(line, selector / 2 & 15) >> (selector & 1) * 16 & 0xffff;
	i = row * width + column;
	line = image_line(image, cells + i / 16);
	return line ? line_word(line, i) : 0;
}

/* Neighbour discovery: of the link, so no router has lowered its hop limit (RFC 4861, 6.1 and 7.1). */
static __always_inline int is_neighbour(struct xdp_md *ctx, const struct ndiv_pkt *pkt, __u8 type)
{
	const struct ipv6hdr *ip6;

	if (!(pkt->flags & NDIV_F_ICMP6) || type < 133 || type > 137)
		return 0;
	ip6 = ndiv_ptr(ctx, pkt->l3, sizeof(*ip6));
	return ip6 && ip6->hop_limit == 255;
}

/* What kind of packet it is. Below 0: one that no policy is about. */
static __always_inline int kind_of(struct xdp_md *ctx, const struct ndiv_pkt *pkt, struct kind *kind)
{
	const struct ndiv_icmp *icmp;
	const __be16 *ports;

	kind->origin = POLICY_NO_PORT;
	if (pkt->flags & NDIV_F_FRAG) {
		kind->selector = POLICY_FRAGMENT;
	} else if (pkt->flags & (NDIV_F_TCP | NDIV_F_UDP)) {
		ports = ndiv_ptr(ctx, pkt->l4, 4);
		if (!ports)
			return -1;
		kind->origin = bpf_ntohs(ports[0]);
		kind->selector = (pkt->flags & NDIV_F_TCP ? POLICY_TCP : POLICY_UDP) + bpf_ntohs(ports[1]);
	} else if (pkt->flags & (NDIV_F_ICMP | NDIV_F_ICMP6)) {
		icmp = ndiv_ptr(ctx, pkt->l4, sizeof(*icmp));
		if (!icmp || is_neighbour(ctx, pkt, icmp->type))
			return -1;
		kind->selector = (pkt->flags & NDIV_F_ICMP ? POLICY_ICMP : POLICY_ICMP6) + icmp->type;
	} else {
		kind->selector = POLICY_PROTO + pkt->proto;
	}
	if (pkt->flags & NDIV_F_IP_EXT)
		kind->origin += POLICY_OPTIONS;
	return 0;
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

/* Does the policy trust the source? Not so if it is a dry rule that does. Nothing is counted. */
static __always_inline int is_trusted(const struct shield_tcp *tcp)
{
	void *image = image_now();
	const struct policy_rule *rule;
	struct policy_head *head;
	__u32 nr;

	if (!image)
		return 0;
	nr = POLICY_CELL_RULE(shield_trie(tcp->v6 ? POLICY_SOURCE6 : POLICY_SOURCE4,
					  address_hi(tcp->remote, tcp->v6), address_lo(tcp->remote, tcp->v6)));
	head = (struct policy_head *)image_line(image, 0);
	if (!nr || !head)
		return 0;
	rule = rule_at(image, head, nr);
	return rule && rule->action == POLICY_TRUST;
}

/* Is the source of <pkt> banned at <tick>? Trust is asked for last: that costs more, and few are banned. */
static __always_inline int inspect_ban(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct shield_tcp *tcp,
				       __u32 tick)
{
	struct kind kind;

	return shield_banned(address_hi(tcp->remote, tcp->v6), tcp->v6, tick) && !kind_of(ctx, pkt, &kind) &&
	       !is_trusted(tcp);
}

/* What the rules in <cell> decide, if there are any; and what they count against the source. */
static __always_inline enum inspected cell_says(__u32 cell, __u64 hi, __u64 lo, __u32 v6)
{
	int says = cell ? shield_cell(cell, hi, lo) : INSPECT_PASS;

	if (says & ~INSPECT_SAYS)
		shield_exceeds(cell, says, hi, v6);
	return says & INSPECT_SAYS;
}

/* What the policy says of <pkt>, whose addresses are in <tcp>. */
static __always_inline enum inspected inspect(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct shield_tcp *tcp)
{
	__u64 hi = address_hi(tcp->remote, tcp->v6), lo = address_lo(tcp->remote, tcp->v6);
	enum inspected says;
	struct kind kind;
	__u32 cell;

	if (kind_of(ctx, pkt, &kind))
		return INSPECT_PASS;
	cell = shield_trie(tcp->v6 ? POLICY_SOURCE6 : POLICY_SOURCE4, hi, lo);
	says = cell_says(cell, hi, lo, tcp->v6);
	if (says != INSPECT_PASS || !begins(ctx, pkt))
		return says;
	cell = cell_at(shield_trie(tcp->v6 ? POLICY_DEST6 : POLICY_DEST4, address_hi(tcp->local, tcp->v6),
				   address_lo(tcp->local, tcp->v6)), &kind);
	return cell_says(cell, hi, lo, tcp->v6);
}

#endif

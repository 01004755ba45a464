// SPDX-License-Identifier: GPL-2.0-only
/*
 * lrulpm.bpf.c - a packet of a flow, or from a denied source, as most programs look it up: LPM trie, LRU hash
 *
 * The parser is that of bare.bpf.c. Checksums, sequence numbers and the age of a flow are nobody's business here.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/tcp.h>
#include "bare.h"
#include "lrulpm.h"

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, LRULPM_PREFIXES);
	__type(key, struct lrulpm_prefix);
	__type(value, __u32);
} prefixes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LRULPM_FLOWS);
	__type(key, struct lrulpm_tuple);
	__type(value, struct lrulpm_flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LRULPM_OUTCOMES);
	__type(key, __u32);
	__type(value, __u64);
} outcomes SEC(".maps");

static __always_inline enum lrulpm look_up(const struct iphdr *ip, const struct tcphdr *tcp, __u32 len)
{
	struct lrulpm_prefix source = { .len = 32, .addr = ip->saddr };
	struct lrulpm_tuple tuple = {
		.source = ip->saddr, .dest = ip->daddr, .source_port = tcp->source, .dest_port = tcp->dest,
		.proto = ip->protocol,
	};
	struct lrulpm_flow *flow;
	const __u32 *action;

	action = bpf_map_lookup_elem(&prefixes, &source);
	if (action && *action == LRULPM_DENY)
		return LRULPM_DENY;
	flow = bpf_map_lookup_elem(&flows, &tuple);
	if (!flow)
		return LRULPM_STRANGE;
	flow->packets++;
	flow->bytes += len;
	return LRULPM_ALLOW;
}

SEC("xdp.frags")
int lrulpm(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end, *ip, *tcp;
	struct ethhdr *eth = (void *)(long)ctx->data;
	__u8 proto = 0;
	__u64 *count;
	__be16 type;
	__u32 key;

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	type = eth->h_proto;
	ip = skip_tags(eth + 1, end, &type);
	tcp = skip_ip(ip, end, type, &proto);
	if (!tcp || tcp + sizeof(struct tcphdr) > end || type != bpf_htons(ETH_P_IP) || proto != IPPROTO_TCP)
		return XDP_PASS;
	key = look_up(ip, tcp, end - (void *)eth);
	count = bpf_map_lookup_elem(&outcomes, &key);
	if (count)
		(*count)++;
	return key == LRULPM_ALLOW ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * bare.bpf.c - plain XDP programs without ndiv: the harness, and what the diverter is compared with
 *
 * Each does as little as the job allows: no checksum is verified, nothing is counted, one kind of packet is known.
 */
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "bare.h"

/* First bytes of an echo of ICMP and ICMPv6. */
struct echo {
	__u16	type;		/* and the code, which is 0 */
	__u16	check;
};

#define ECHO4		bpf_htons(8 << 8)
#define ECHO4_REPLY	bpf_htons(0 << 8)
#define ECHO6		bpf_htons(128 << 8)
#define ECHO6_REPLY	bpf_htons(129 << 8)

/* The empty program, and the bare PASS. */
SEC("xdp.frags")
int bare_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

SEC("xdp.frags")
int bare_drop(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

static __always_inline void swap_mac(struct ethhdr *eth)
{
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
}

SEC("xdp.frags")
int bare_reply(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > (void *)(long)ctx->data_end)
		return XDP_PASS;
	swap_mac(eth);
	return XDP_TX;
}

/* A pure ACK to port 8000 is nothing to answer. */
SEC("xdp.frags")
int bare_ack(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp = (void *)(ip + 1);

	if ((void *)(tcp + 1) > (void *)(long)ctx->data_end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	if (ip->ihl != 5 || ip->protocol != IPPROTO_TCP || tcp->dest != bpf_htons(8000))
		return XDP_PASS;
	if (!tcp->ack || tcp->syn || tcp->fin || tcp->rst)
		return XDP_PASS;
	return bpf_ntohs(ip->tot_len) == (ip->ihl + tcp->doff) * 4 ? XDP_DROP : XDP_PASS;
}

static __always_inline void set_type(struct echo *icmp, __u16 type)
{
	__u32 sum = (__u32)icmp->check + icmp->type + (__u16)~type;

	icmp->type = type;
	icmp->check = sum + (sum >> 16);
}

SEC("xdp.frags")
int bare_echo4(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct echo *icmp = (void *)(ip + 1);
	__be32 addr;

	if ((void *)(icmp + 1) > (void *)(long)ctx->data_end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	if (ip->ihl != 5 || ip->protocol != IPPROTO_ICMP || icmp->type != ECHO4)
		return XDP_PASS;
	swap_mac(eth);
	addr = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = addr;
	set_type(icmp, ECHO4_REPLY);
	return XDP_TX;
}

SEC("xdp.frags")
int bare_echo6(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct ipv6hdr *ip = (void *)(eth + 1);
	struct echo *icmp = (void *)(ip + 1);
	struct in6_addr addr;

	if ((void *)(icmp + 1) > (void *)(long)ctx->data_end || eth->h_proto != bpf_htons(ETH_P_IPV6))
		return XDP_PASS;
	if (ip->nexthdr != IPPROTO_ICMPV6 || icmp->type != ECHO6)
		return XDP_PASS;
	swap_mac(eth);
	addr = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = addr;
	set_type(icmp, ECHO6_REPLY);
	return XDP_TX;
}

/* --- as much as ndiv's entry and verdict do: parse, count ----------------------------------------------------- */

struct count {
	__u64	packets;
	__u64	bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 256);	/* IP protocols */
	__type(key, __u32);
	__type(value, struct count);
} counts SEC(".maps");

/* Neither lengths nor checksums are verified, nor IPv6 extension headers followed. */
SEC("xdp.frags")
int bare_parse(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end, *p;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct count *c;
	__u8 proto = 0;
	__be16 type;
	__u32 key;

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	type = eth->h_proto;
	p = skip_ip(skip_tags(eth + 1, end, &type), end, type, &proto);
	if (!p || p + sizeof(struct tcphdr) > end)
		return XDP_PASS;
	key = proto;
	c = bpf_map_lookup_elem(&counts, &key);
	if (c) {
		c->packets++;
		c->bytes += end - (void *)eth;
	}
	return XDP_PASS;
}

/* --- a SYN-ACK with the kernel's cookie ------------------------------------------------------------------------ */

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/*
 * Turns the SYN into the SYN-ACK, whose options are the client's. Of what the checksum covers, sequence numbers and
 * flags change; addresses and ports change places.
 */
static __always_inline void turn_syn(struct iphdr *ip, struct tcphdr *tcp, __u32 cookie)
{
	__u32 *words = (__u32 *)tcp, addr = ip->saddr;
	__u64 sum = (__u16)~tcp->check;
	__be16 port = tcp->source;

	sum += (__u64)(__u32)~words[1] + (__u32)~words[2] + (__u32)~words[3];
	tcp->source = tcp->dest;
	tcp->dest = port;
	tcp->ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + 1);
	tcp->seq = bpf_htonl(cookie);
	tcp->ack = 1;
	sum += (__u64)words[1] + words[2] + words[3];
	tcp->check = ~fold(sum);
	ip->saddr = ip->daddr;
	ip->daddr = addr;
}

/* Loaded only where it is asked for: the helper is an option of the kernel. Knows one length of TCP options. */
SEC("?xdp.frags")
int bare_synack(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp = (void *)(ip + 1);
	__s64 cookie;

	if ((void *)(tcp + 1) + 12 > (void *)(long)ctx->data_end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	if (ip->ihl != 5 || ip->protocol != IPPROTO_TCP || tcp->doff != 8 || !tcp->syn || tcp->ack)
		return XDP_PASS;
	cookie = bpf_tcp_raw_gen_syncookie_ipv4(ip, tcp, sizeof(*tcp) + 12);
	if (cookie < 0)
		return XDP_DROP;
	swap_mac(eth);
	turn_syn(ip, tcp, cookie);
	return XDP_TX;
}

/* --- a chain of bare tail calls ------------------------------------------------------------------------------ */

/* Program n calls program n + 1, the last one passes: what a hop costs at least. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 9);
	__type(key, __u32);
	__type(value, __u32);
} tails SEC(".maps");

SEC("xdp.frags")
int bare_tail_0(struct xdp_md *ctx)
{
	bpf_tail_call_static(ctx, &tails, 1);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int bare_tail_1(struct xdp_md *ctx)
{
	bpf_tail_call_static(ctx, &tails, 2);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int bare_tail_2(struct xdp_md *ctx)
{
	bpf_tail_call_static(ctx, &tails, 3);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int bare_tail_3(struct xdp_md *ctx)
{
	bpf_tail_call_static(ctx, &tails, 4);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int bare_tail_4(struct xdp_md *ctx)
{
	bpf_tail_call_static(ctx, &tails, 5);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int bare_tail_5(struct xdp_md *ctx)
{
	bpf_tail_call_static(ctx, &tails, 6);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int bare_tail_6(struct xdp_md *ctx)
{
	bpf_tail_call_static(ctx, &tails, 7);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int bare_tail_7(struct xdp_md *ctx)
{
	bpf_tail_call_static(ctx, &tails, 8);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int bare_tail_8(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

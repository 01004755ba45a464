/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * job.h - a packet at hand: what of it is read, whether it is one to be protected, and its checksum
 */
#ifndef NDIV_SHIELD_JOB_H
#define NDIV_SHIELD_JOB_H

#include <ndiv/csum.h>
#include <ndiv/prefix.h>
#include "flow.h"

struct job {
	struct ndiv_frame frame;
	struct ndiv_pkt *pkt;
	struct shield_tcp tcp;
	struct flow_key key;
	__u64	ns, ms;			/* now */
};

static __always_inline void copy_addr(__u32 *to, const struct in6_addr *from)
{
	to[0] = from->in6_u.u6_addr32[0];
	to[1] = from->in6_u.u6_addr32[1];
	to[2] = from->in6_u.u6_addr32[2];
	to[3] = from->in6_u.u6_addr32[3];
}

/* Addresses, of a packet to this host or (<sent>) from it. 0, or below 0. */
static __always_inline int read_addr(struct job *job, int sent)
{
	struct shield_tcp *tcp = &job->tcp;
	const struct ipv6hdr *ip6;
	const struct iphdr *ip4;

	if (job->pkt->flags & NDIV_F_IPV4) {
		ip4 = ndiv_frame_ptr(&job->frame, job->pkt->l3, sizeof(*ip4));
		if (!ip4)
			return -1;
		tcp->v6 = 0;
		tcp->remote[0] = sent ? ip4->daddr : ip4->saddr;
		tcp->local[0] = sent ? ip4->saddr : ip4->daddr;
		tcp->remote[1] = tcp->remote[2] = tcp->remote[3] = 0;
		tcp->local[1] = tcp->local[2] = tcp->local[3] = 0;
		return 0;
	}
	ip6 = ndiv_frame_ptr(&job->frame, job->pkt->l3, sizeof(*ip6));
	if (!ip6)
		return -1;
	tcp->v6 = 1;
	copy_addr(tcp->remote, sent ? &ip6->daddr : &ip6->saddr);
	copy_addr(tcp->local, sent ? &ip6->saddr : &ip6->daddr);
	return 0;
}

static __always_inline void read_clock(struct job *job)
{
	job->ns = shield_now();
	job->ms = shield_ms(job->ns);
}

/*
 * The rest of a packet whose addresses have been read, and whose length is <len> (an skb may be longer than its IP
 * header can say). 0, or below 0.
 */
static __always_inline int read_tcp(struct job *job, int sent, __u32 len)
{
	const struct tcphdr *th = ndiv_frame_ptr(&job->frame, job->pkt->l4, sizeof(*th));
	struct shield_tcp *tcp = &job->tcp;

	if (!th)
		return -1;
	tcp->rport = sent ? th->dest : th->source;
	tcp->lport = sent ? th->source : th->dest;
	tcp->flags = ((const __u8 *)th)[13];
	tcp->seq = bpf_ntohl(th->seq);
	tcp->ack = bpf_ntohl(th->ack_seq);
	tcp->window = bpf_ntohs(th->window);
	tcp->len = len - job->pkt->payload + !!(tcp->flags & TCP_SYN) + !!(tcp->flags & TCP_FIN);
	if (!job->ns)
		read_clock(job);
	flow_hash(tcp, &job->key);
	return 0;
}

/* Is the local end one that is to be protected? */
static __always_inline int is_protected_host(const struct shield_tcp *tcp)
{
	struct in6_addr addr;

	if (!tcp->v6)
		return ndiv_prefixes_have4(&config.addr, tcp->local[0]);
	__builtin_memcpy(&addr, tcp->local, sizeof(addr));
	return ndiv_prefixes_have6(&config.addr, &addr);
}

static __always_inline int is_protected_port(const struct shield_tcp *tcp)
{
	__u16 port = bpf_ntohs(tcp->lport);

	return port >= config.ports.lo && port <= config.ports.hi;
}

/* Combinations that no stack sends: as netfilter has it, and RST with FIN. */
static __always_inline int flags_sound(__u8 flags)
{
	switch (flags & (TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST)) {
	case TCP_SYN:
	case TCP_SYN | TCP_ACK:
	case TCP_ACK:
	case TCP_FIN | TCP_ACK:
	case TCP_RST:
	case TCP_RST | TCP_ACK:
		return 1;
	}
	return 0;
}

/* Is the checksum right? A function by itself: see walk_packed(). */
__noinline int shield_verify_any(struct xdp_md *ctx)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);

	return cpu && ndiv_l4_verify(ctx, &cpu->pkt);
}

/*
 * Sum of the TCP header, whose length is 20, 32 or 40 bytes: no options, timestamps, or those of Linux's SYN. Below 0
 * if it is not all there.
 */
static __always_inline __s64 sum_header(struct xdp_md *ctx, __u32 l4, __u32 len)
{
	const __u32 *w = ndiv_ptr(ctx, l4, TCP_LEN);
	__u64 sum;

	if (!w)
		return -1;
	sum = (__u64)w[0] + w[1] + w[2] + w[3] + w[4];
	if (len == TCP_LEN)
		return sum;
	w = ndiv_ptr(ctx, l4 + TCP_LEN, 12);
	if (!w)
		return -1;
	sum += (__u64)w[0] + w[1] + w[2];
	if (len == TCP_LEN + 12)
		return sum;
	w = ndiv_ptr(ctx, l4 + TCP_LEN + 12, 8);
	return w ? (__s64)(sum + w[0] + w[1]) : -1;
}

/* Likewise, faster for what nearly all SYNs and first ACKs are: bare headers. */
static __always_inline int verify(struct xdp_md *ctx, struct job *job)
{
	const __u32 *r = job->tcp.remote, *l = job->tcp.local;
	__u32 len = job->pkt->end - job->pkt->l4;
	__s64 sum;

	if (len != TCP_LEN && len != TCP_LEN + 12 && len != TCP_LEN + 20)
		return shield_verify_any(ctx);
	sum = sum_header(ctx, job->pkt->l4, len);
	if (sum < 0)
		return 0;
	sum += (__u64)r[0] + l[0] + bpf_htons(IPPROTO_TCP) + bpf_htons(len);
	if (job->tcp.v6)
		sum += (__u64)r[1] + r[2] + r[3] + l[1] + l[2] + l[3];
	return ndiv_csum_fold(sum) == 0xffff;
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * start.bpf.c - begins connections of the load source: each frame of a test run becomes the SYN of the next one
 *
 * Test-run with live frames for the client's end of a lab, as gen.bpf.c. The frames travel to and fro then, as request
 * and answer: they are whole pages, where everything has room.
 */
#include "load_conn.h"

const volatile struct load_start start SEC(".rodata.start") = { .len = ETH_HLEN, .config = { .ports = { 1, 1 } } };

__u8 start_frame[LOAD_START_MAX] SEC(".data.frame") __attribute__((aligned(64))) = { 0 };

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static __always_inline int write_begin(struct xdp_md *ctx, const struct conn_begin *begin)
{
	struct tcphdr *tcp = ndiv_ptr(ctx, start.l4, sizeof(*tcp));
	__be32 *stamp = ndiv_ptr(ctx, start.l4 + LOAD_STAMP, sizeof(*stamp));
	__u64 sum = start.sum;

	if (!tcp)
		return -1;
	tcp->source = bpf_htons(begin->port);
	tcp->seq = bpf_htonl(begin->seq);
	sum += (__u64)tcp->source + tcp->seq;
	if (start.config.stamps) {
		if (!stamp)
			return -1;
		*stamp = bpf_htonl(begin->tsval);
		sum += *stamp;
	}
	tcp->check = ~fold(sum);
	return 0;
}

SEC("xdp.frags")
int load_start(struct xdp_md *ctx)
{
	struct load_live *live = live_get();
	struct conn_begin begin;

	if (!live || bpf_xdp_store_bytes(ctx, 0, start_frame, start.len))
		return XDP_DROP;
	conn_begin(live, &start.config, mark_now(live), &begin);
	return write_begin(ctx, &begin) ? XDP_DROP : XDP_TX;
}

/* For a server's end that has no program. */
SEC("xdp.frags")
int load_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * csum: calls the helpers of csum.h, rewrite.h and hash.h on behalf of test_csum
 */
#include "t.h"
#include "csum.h"
#include <ndiv/rewrite.h>
#include <ndiv/hash.h>

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.want = NDIV_WANT_MALFORMED,
	.name = "csum",
	.about = "test: computes checksums",
};

const volatile struct ndiv_key ndiv_key SEC(".rodata.key");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct csum_call);
} csum_call SEC(".maps");

static __always_inline __s64 verify_twice(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	int first = ndiv_l4_verify(ctx, pkt);
	__u8 *p = ndiv_ptr(ctx, pkt->l4, 1);

	if (p)
		*p += 1;
	return first == ndiv_l4_verify(ctx, pkt);
}

static __always_inline __s64 edit_ip4(struct iphdr *ip, const struct csum_call *c)
{
	if (!ip)
		return -1;
	if (c->op == CSUM_IP4_SET)
		ndiv_csum_ip4_set(ip);
	else if (c->op == CSUM_TTL)
		ndiv_set_ttl(ip, c->to);
	else if (c->op == CSUM_IP4_LEN)
		ndiv_set_ip4_len(ip, c->to);
	return ndiv_csum_fold(ndiv_csum_ip4(ip));
}

static __always_inline __s64 compute(struct xdp_md *ctx, struct ndiv_pkt *pkt, const struct csum_call *c)
{
	switch (c->op) {
	case CSUM_FOLD:
		return ndiv_csum_fold(c->sum);
	case CSUM_LINEAR:
		return ndiv_csum_linear(ctx, c->off, c->len, c->sum);
	case CSUM_FRAGS:
		return ndiv_csum_frags(ctx, c->off, c->len, c->sum);
	case CSUM_REPLACE2:
		return ndiv_csum_replace2(c->old, c->from, c->to);
	case CSUM_REPLACE4:
		return ndiv_csum_replace4(c->old, c->from, c->to);
	case CSUM_PSEUDO:
		return ndiv_csum_fold(ndiv_csum_pseudo(ctx, pkt, c->len));
	case CSUM_VERIFY:
		return ndiv_l4_verify(ctx, pkt);
	case CSUM_VERIFY_TWICE:
		return verify_twice(ctx, pkt);
	case CSUM_HASH:
		return ndiv_siphash2(&ndiv_key, c->sum, (__u64)c->from << 32 | c->to);
	}
	return edit_ip4(ndiv_ptr(ctx, pkt->l3, sizeof(struct iphdr)), c);
}

static __always_inline enum ndiv_verdict csum_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	__u32 zero = 0;
	struct csum_call *c = bpf_map_lookup_elem(&csum_call, &zero);

	if (!c)
		return NDIV_NEXT;
	c->result = compute(ctx, pkt, c);
	c->flags = pkt->flags;
	c->calls++;
	return NDIV_NEXT;
}

SEC("xdp.frags")
int csum(struct xdp_md *ctx)
{
	return ndiv_run(ctx, csum_handle, NULL);
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * content: makes the call of handlers/httpd/content.h that is in its map, whatever packet comes
 *
 * It is told apart by no port: test_content.c runs it by itself. Its builders write into the frame that they are given.
 */
#include <ndiv/handler.h>
#include "../../handlers/httpd/content.h"
#include "content.h"

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "content",
	.about = "test: finds and writes ready-made responses",
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct content_call);
} content_call SEC(".maps");

static __always_inline struct content_call *call_at_hand(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&content_call, &zero);
}

static __always_inline int find(const struct ndiv_pkt *pkt, struct content_call *c, struct content_hit *hit)
{
	__u32 now = content_now();
	__u64 etag = 0;
	__s32 id = -1;

	if (c->what == CALL_OPEN)
		return content_open(c->id, c->variant, hit);
	if (!now)
		return -1;
	if (c->what == CALL_ERROR) {
		id = content_error(now, c->status);
	} else if (content_maintenance(now)) {
		id = content_maintenance_id(now);
	} else {
		c->hash = content_hash(pkt, c->text, CALL_TEXT - 1, c->pos, c->len);
		id = content_find(now, c->hash);
		etag = content_etag(c->etag[0], c->etag[1]);
	}
	if (id < 0 || content_choose(id, c->want, etag, hit))
		return -1;
	content_count(hit->id);
	return 0;
}

static __always_inline enum ndiv_verdict content_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	struct content_call *c = call_at_hand();
	struct content_hit hit = { 0 };

	if (!c)
		return NDIV_NEXT;
	c->result = find(pkt, c, &hit);
	c->hit_len = hit.len;
	c->hit_id = hit.id;
	c->hit_status = hit.status;
	c->hit_variant = hit.variant;
	c->calls++;
	return NDIV_NEXT;
}

static __always_inline int content_build(const struct ndiv_frame *frame, struct ndiv_pkt *pkt, __u32 index)
{
	struct content_call *c = call_at_hand();

	if (!c)
		return -1;
	c->result = content_write(frame, c->off, c->id, c->variant, c->rem, c->bytes);
	c->calls++;
	return c->result < 0 ? -1 : 0;
}

SEC("xdp.frags")
int content(struct xdp_md *ctx)
{
	return ndiv_run(ctx, content_handle, content_build);
}

SEC("xdp.frags/devmap")
int content_clone(struct xdp_md *ctx)
{
	return ndiv_run_clone(ctx, content_build);
}

SEC("tc")
int content_skb(struct __sk_buff *skb)
{
	return ndiv_run_skb(skb, content_build);
}

char _license[] SEC("license") = "GPL";

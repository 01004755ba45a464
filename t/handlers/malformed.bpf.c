// SPDX-License-Identifier: GPL-2.0-only
/*
 * malformed: wants malformed packets: drops those with a wrong IPv4 header checksum, lets the others go on
 */
#include "t.h"

enum { MALFORMED_SUM = 5 };			/* reasons */
enum { MALFORMED_SOUND, MALFORMED_SEEN };	/* counters */

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.want = NDIV_WANT_MALFORMED,
	.name = "malformed",
	.about = "test: takes malformed packets",
	.reasons = { [MALFORMED_SUM] = "ip-checksum" },
	.counters = { [MALFORMED_SOUND] = "sound", [MALFORMED_SEEN] = "malformed" },
};

static __always_inline enum ndiv_verdict malformed_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	ndiv_count(pkt, pkt->flags & NDIV_F_MALFORMED ? MALFORMED_SEEN : MALFORMED_SOUND);
	if (pkt->flags & NDIV_F_MALFORMED && pkt->reason == NDIV_R_IP4_CSUM)
		return ndiv_drop(pkt, MALFORMED_SUM);
	return NDIV_NEXT;
}

SEC("xdp.frags")
int malformed(struct xdp_md *ctx)
{
	return ndiv_run(ctx, malformed_handle, NULL);
}

char _license[] SEC("license") = "GPL";

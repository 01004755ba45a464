// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * template - a handler to start from: counts UDP packets, and drops those to one port
 *
 * Copy it, rename "template", build it with `make handler SRC=path/to/my.bpf.c`.
 */
#include <ndiv/handler.h>

struct template_config {
	__u16	port;
};

enum { TEMPLATE_UDP };			/* counters */
enum { TEMPLATE_PORT = 1 };		/* drop reasons */

const volatile struct template_config config SEC(".rodata.config") = { .port = 9 };

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "template",
	.about = "counts UDP packets, drops those to one port",
	.counters = { [TEMPLATE_UDP] = "udp" },
	.reasons = { [TEMPLATE_PORT] = "port" },
	.options = {
		{ .name = "port", .help = "destination port of packets to be dropped", .type = NDIV_OPT_U16,
		  .offset = offsetof(struct template_config, port), .min = 1, .max = 65535 },
	},
};

static __always_inline enum ndiv_verdict template_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	struct udphdr *udp;

	if (!(pkt->flags & NDIV_F_UDP))
		return NDIV_NEXT;
	ndiv_count(pkt, TEMPLATE_UDP);
	udp = ndiv_ptr(ctx, pkt->l4, sizeof(*udp));
	if (udp && udp->dest == bpf_htons(config.port))
		return ndiv_drop(pkt, TEMPLATE_PORT);
	return NDIV_NEXT;
}

SEC("xdp.frags")
int template(struct xdp_md *ctx)
{
	return ndiv_run(ctx, template_handle, NULL);
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * lab_pass: what lab/lab puts on its own interfaces; no part of the datapath.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* as lab0.10 says */
#define LAB_VLAN 10

/* what cls_bpf takes for "it matches", so that the action of the filter runs */
#define LAB_MATCH -1
#define LAB_NO_MATCH 0

/*
 * Passes every packet. Native veth drops what XDP_TX or a redirect sends when
 * the peer has no XDP program of its own: only then does the peer run the NAPI
 * that would receive raw frames. On the client's end, it lets the replies of
 * the handlers on the server's end arrive. "frags", so that it does not limit
 * the MTU.
 */
SEC("xdp.frags")
int lab_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

/*
 * The two halves of a VLAN device for kernels without CONFIG_VLAN_8021Q, whose
 * filters redirect what matches to lab0 and to lab0.10. Section "classifier" is
 * "tc" by its older name: tc of iproute2 6.1 chooses a program by section only.
 */
SEC("classifier")
int lab_vlan_push(struct __sk_buff *skb)
{
	if (bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), LAB_VLAN))
		return LAB_NO_MATCH;
	return LAB_MATCH;
}

SEC("tc")
int lab_vlan_pop(struct __sk_buff *skb)
{
	if (!skb->vlan_present || skb->vlan_proto != bpf_htons(ETH_P_8021Q) ||
	    (skb->vlan_tci & 0xfff) != LAB_VLAN)
		return LAB_NO_MATCH;
	if (bpf_skb_vlan_pop(skb))
		return LAB_NO_MATCH;
	return LAB_MATCH;
}

char LICENSE[] SEC("license") = "GPL";

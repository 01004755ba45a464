// SPDX-License-Identifier: GPL-2.0-only
/* names.c - what people call verdicts, reasons and modes */
#include <ndiv/ndiv.h>

static const char *const verdict_names[NDIV_VERDICTS] = {
	[NDIV_NEXT] = "next", [NDIV_PASS] = "pass", [NDIV_DROP] = "drop", [NDIV_REPLY] = "reply",
	[NDIV_BURST] = "burst", [NDIV_POSTPONE] = "postpone", [NDIV_FORWARD] = "forward",
	[NDIV_REPEAT] = "repeat",
};

static const char *const core_reasons[] = {
	[NDIV_R_NONE] = "none", [NDIV_R_ETH_SHORT] = "eth-short", [NDIV_R_VLAN_SHORT] = "vlan-short",
	[NDIV_R_IP4_SHORT] = "ip4-short", [NDIV_R_IP4_VERSION] = "ip4-version", [NDIV_R_IP4_IHL] = "ip4-ihl",
	[NDIV_R_IP4_LEN] = "ip4-len", [NDIV_R_IP4_CSUM] = "ip4-checksum", [NDIV_R_IP4_FRAG] = "ip4-fragment",
	[NDIV_R_IP6_SHORT] = "ip6-short", [NDIV_R_IP6_VERSION] = "ip6-version", [NDIV_R_IP6_LEN] = "ip6-len",
	[NDIV_R_IP6_EXT] = "ip6-extension", [NDIV_R_IP6_FRAG] = "ip6-fragment", [NDIV_R_L4_SHORT] = "l4-short",
	[NDIV_R_TCP_DOFF] = "tcp-offset", [NDIV_R_UDP_LEN] = "udp-len", [NDIV_R_VERDICT] = "verdict",
	[NDIV_R_CHAIN] = "chain", [NDIV_R_NO_ROOM] = "no-room", [NDIV_R_BUILD] = "build",
	[NDIV_R_REDIRECT] = "redirect", [NDIV_R_NO_AGENT] = "no-agent", [NDIV_R_POSTPONE_FULL] = "postpone-full",
	[NDIV_R_POSTPONE_LONG] = "postpone-long", [NDIV_R_POSTPONE_ROUNDS] = "postpone-rounds",
	[NDIV_R_POSTPONE_LOST] = "postpone-lost",
};
_Static_assert(sizeof(core_reasons) / sizeof(core_reasons[0]) == NDIV_R_CORE_LAST + 1, "each core reason has a name");

const char *ndiv_verdict_name(unsigned int verdict)
{
	return verdict < NDIV_VERDICTS && verdict_names[verdict] ? verdict_names[verdict] : "?";
}

const char *ndiv_core_reason(unsigned int reason)
{
	return reason <= NDIV_R_CORE_LAST ? core_reasons[reason] : "?";
}

const char *ndiv_mode_name(enum ndiv_mode mode)
{
	static const char *const names[] = { "auto", "native", "generic" };

	return mode <= NDIV_MODE_GENERIC ? names[mode] : "?";
}

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * tcp.h - the options of a TCP header, one by one (RFC 9293, 3.1)
 */
#ifndef NDIV_TCP_H
#define NDIV_TCP_H

#include <ndiv/handler.h>

/* Kinds: MSS RFC 9293; WSCALE, TS RFC 7323; SACK_OK, SACK RFC 2018; MD5 RFC 2385; AO RFC 5925. */
enum ndiv_tcpopt {
	NDIV_TCPOPT_END = 0,
	NDIV_TCPOPT_NOP = 1,
	NDIV_TCPOPT_MSS = 2,
	NDIV_TCPOPT_WSCALE = 3,
	NDIV_TCPOPT_SACK_OK = 4,
	NDIV_TCPOPT_SACK = 5,
	NDIV_TCPOPT_TS = 8,
	NDIV_TCPOPT_MD5 = 19,
	NDIV_TCPOPT_AO = 29,
};

/* There are not more of them in a header: rounds of a loop over ndiv_tcp_option(). */
#define NDIV_TCPOPTS_MAX	40

/*
 * The option at offset <off> (bytes, the first one: 20) of the TCP header of <pkt>: its kind in bits 0 to 7, its length
 * in bits 8 to 15 (bytes, all of which lie in the header: the next one is at <off> + length). 0 at the end of the
 * options; below 0 if the length is wrong, or the frame's linear part ends before the option does.
 *
 * In a loop over it, <off> and what was found go through ndiv_forget() in each round: else the verifier looks at each
 * order in which options can come.
 */
static __always_inline int ndiv_tcp_option(const struct ndiv_frame *frame, const struct ndiv_pkt *pkt, __u32 off)
{
	__u32 doff = pkt->payload - pkt->l4, option = 1 << 8 | NDIV_TCPOPT_NOP;
	const __u8 *p;

	if (off >= doff)
		return 0;
	p = ndiv_frame_ptr(frame, pkt->l4 + off, 1);
	if (!p)
		return -1;
	if (*p == NDIV_TCPOPT_END)
		return 0;
	if (*p != NDIV_TCPOPT_NOP) {
		p = ndiv_frame_ptr(frame, pkt->l4 + off, 2);
		if (!p || off + 2 > doff || p[1] < 2 || off + p[1] > doff)
			return -1;
		option = p[1] << 8 | p[0];
	}
	return ndiv_forget(pkt, option, 0xffff);
}

#endif

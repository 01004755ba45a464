/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oracle.h - what the parser ought to say, by a second parser
 *
 * Written from the comments of abi.h and from the RFCs, byte by byte, with no line of bpf/parse.h in it.
 */
#ifndef T_ORACLE_H
#define T_ORACLE_H

#include <stddef.h>
#include <stdint.h>
#include <ndiv/abi.h>

/*
 * Parses the frame <data> of <len> bytes, the first <linear> of which are in the first buffer. Fills flags (with
 * NDIV_F_MALFORMED), len, end, l3, l4, payload, eth_proto, proto, reason, and vlan as far as the flags say. Of a
 * malformed packet, l4, payload and proto are not meant to be compared.
 */
void oracle_parse(const uint8_t *data, size_t linear, size_t len, struct ndiv_pkt *pkt);

/*
 * Compares what the parser under test says with the oracle. Returns NULL or what differs, in static memory, valid until
 * the next call.
 */
const char *oracle_compare(const struct ndiv_pkt *got, const struct ndiv_pkt *want);

/* What must hold of every packet whatever it is: offsets in order and within the frame. As above. */
const char *oracle_invariants(const struct ndiv_pkt *got);

/*
 * Is the frame a whole IP packet without any fault, L4 checksum included? For what we send. Returns NULL or the fault,
 * as above. <pkt> is filled, see oracle_parse().
 */
const char *oracle_judge(const uint8_t *data, size_t len, struct ndiv_pkt *pkt);

/* Names of the flags that the parser sets, for messages. As above. */
const char *oracle_flags(uint32_t flags);

#endif

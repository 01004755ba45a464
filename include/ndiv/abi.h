/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * abi.h - everything that crosses the border between kernel and user space
 *
 * Included by BPF programs and by user space alike. Each structure exists once, here; its size is asserted, its
 * padding is explicit. A field marked (k) is written by the BPF side, (u) by user space.
 */
#ifndef NDIV_ABI_H
#define NDIV_ABI_H

#include <linux/types.h>

/* C++ has another word for it. */
#ifdef __cplusplus
#define NDIV_ASSERT		static_assert
#else
#define NDIV_ASSERT		_Static_assert
#endif

/* Raised whenever a structure of this file changes; user space refuses to touch state of another number. */
#define NDIV_ABI		3

#define NDIV_NAME_LEN		24	/* names of handlers, reasons, counters and options, with the final 0 */
#define NDIV_HANDLERS_MAX	16	/* handler ids; 0 is the core itself, so 15 handlers fit one interface */
#define NDIV_REASONS_MAX	32	/* drop reasons of one handler */
#define NDIV_COUNTERS_MAX	32	/* counters of one handler */
#define NDIV_OPTIONS_MAX	32	/* options of one handler */
#define NDIV_ARGS_LEN		20	/* bytes that travel from a handler to its reply builder */
#define NDIV_BURST_MAX		16	/* packets of one burst */
#define NDIV_REPLY_MAX		3000	/* bytes of one reply that has to grow: what one page holds, on every driver */
#define NDIV_POSTPONE_LEN	3072	/* bytes of the longest packet that can be postponed */
#define NDIV_POSTPONE_ROUNDS	8	/* how often one packet can be postponed */
#define NDIV_DELAY_MAX		60000	/* ms, the longest delay of a postponed packet */

/*
 * What a handler decides about a packet. All but NEXT and REPEAT end the chain.
 * docs/handler-api.md tells what is counted for each.
 */
enum ndiv_verdict {
	NDIV_NEXT = 0,		/* not mine: ask the next handler; after the last one the packet is passed */
	NDIV_PASS,		/* to the local stack, with what the handlers changed */
	NDIV_DROP,		/* drop; pkt->reason tells why */
	NDIV_REPLY,		/* send one packet back through the interface it came from */
	NDIV_BURST,		/* send several packets back */
	NDIV_POSTPONE,		/* present it again, after pkt->param milliseconds */
	NDIV_FORWARD,		/* send it out of the interface whose index is pkt->param */
	NDIV_REPEAT,		/* ask the next handler, and present a copy again, after pkt->param milliseconds */
	NDIV_VERDICTS = 8,
	NDIV_REFUSED = 254,	/* core: the builder refused, so the packet is dropped */
	NDIV_INVALID = 255,	/* core: the handler returned something else */
};

/* Flags of a packet: what the parser saw (16 low bits), then what else is known or has been decided. */
enum ndiv_flags {
	NDIV_F_IPV4		= 1U << 0,
	NDIV_F_IPV6		= 1U << 1,
	NDIV_F_TCP		= 1U << 2,
	NDIV_F_UDP		= 1U << 3,
	NDIV_F_ICMP		= 1U << 4,	/* ICMP for IPv4 */
	NDIV_F_ICMP6		= 1U << 5,
	NDIV_F_IP_EXT		= 1U << 6,	/* IPv4 options or IPv6 extension headers are present */
	NDIV_F_FRAG_FIRST	= 1U << 7,	/* first fragment: the L4 header is here, its payload is not whole */
	NDIV_F_FRAG_LATER	= 1U << 8,	/* later fragment: no L4 header; l4 is the offset of its data */
	NDIV_F_VLAN1		= 1U << 9,	/* one tag at least: vlan[0] is valid */
	NDIV_F_VLAN2		= 1U << 10,	/* two tags: vlan[1] is valid */
	NDIV_F_MALFORMED	= 1U << 11,	/* headers contradict each other or the frame; reason tells how */
	NDIV_F_L3_BAD		= 1U << 12,	/* IPv4 header checksum is wrong (such a packet is MALFORMED, too) */

	NDIV_F_L4_GOOD		= 1U << 16,	/* L4 checksum verified, and right; see ndiv_l4_verify() */
	NDIV_F_L4_BAD		= 1U << 17,	/* L4 checksum verified, and wrong; neither flag: not known */
	NDIV_F_HW_HASH		= 1U << 18,	/* hw_hash and hw_hash_type are valid */
	NDIV_F_HW_TSTAMP	= 1U << 19,	/* hw_tstamp is valid */
	NDIV_F_HW_VLAN		= 1U << 20,	/* the card removed a tag: hw_vlan and hw_vlan_proto are valid */
	NDIV_F_AGAIN		= 1U << 21,	/* postponed before, rounds times */
	NDIV_F_TX		= 1U << 22,	/* seen on the transmit path */

	NDIV_F_TIMED		= 1U << 28,	/* core: a sample whose handlers are timed */
	NDIV_F_CLONE		= 1U << 29,	/* core: reply or burst has to be made in clones */
	NDIV_F_COPY		= 1U << 30,	/* core: pkt describes a clone, in the reply builder */
};

#define NDIV_F_FRAG		(NDIV_F_FRAG_FIRST | NDIV_F_FRAG_LATER)
#define NDIV_F_PARSED		0xffffU

/*
 * Reasons of the core (handler id 0). The first ones, up to NDIV_R_MALFORMED_LAST, are the parser's: they are
 * counted as counters of the core whenever seen, and as drop reasons when the interface's policy is to drop.
 */
enum ndiv_reason {
	NDIV_R_NONE = 0,
	NDIV_R_ETH_SHORT,	/* no whole Ethernet header */
	NDIV_R_VLAN_SHORT,	/* ends within a VLAN tag */
	NDIV_R_IP4_SHORT,	/* ends within the IPv4 header */
	NDIV_R_IP4_VERSION,	/* IPv4 by EtherType, another version in the header */
	NDIV_R_IP4_IHL,		/* header length below 20, or beyond the total length */
	NDIV_R_IP4_LEN,		/* total length beyond the frame */
	NDIV_R_IP4_CSUM,	/* header checksum wrong */
	NDIV_R_IP4_FRAG,	/* fragment that reaches beyond 65535 bytes, or is not a multiple of 8 */
	NDIV_R_IP6_SHORT,	/* ends within the IPv6 header */
	NDIV_R_IP6_VERSION,
	NDIV_R_IP6_LEN,		/* payload length beyond the frame, or 0 with a payload */
	NDIV_R_IP6_EXT,		/* extension header beyond the packet, or more than NDIV_EXT_MAX of them */
	NDIV_R_IP6_FRAG,
	NDIV_R_L4_SHORT,	/* ends within the TCP, UDP or ICMP header */
	NDIV_R_TCP_DOFF,	/* TCP data offset below 20 or beyond the packet */
	NDIV_R_UDP_LEN,		/* UDP length below 8 or beyond the packet */
	NDIV_R_MALFORMED_LAST = NDIV_R_UDP_LEN,
	NDIV_R_VERDICT,		/* a handler returned something that is no verdict */
	NDIV_R_CHAIN,		/* a slot of the chain was empty (a bug: please report) */
	NDIV_R_NO_ROOM,		/* reply cannot grow: too long, or the packet spans several buffers */
	NDIV_R_BUILD,		/* the handler's builder refused */
	NDIV_R_REDIRECT,	/* the kernel refused to redirect the packet or its clones */
	NDIV_R_NO_AGENT,	/* postponed, and no agent runs */
	NDIV_R_POSTPONE_FULL,	/* postponed, and the queue is full */
	NDIV_R_POSTPONE_LONG,	/* postponed, and longer than NDIV_POSTPONE_LEN */
	NDIV_R_POSTPONE_ROUNDS,	/* postponed more than NDIV_POSTPONE_ROUNDS times */
	NDIV_R_POSTPONE_LOST,	/* postponed, and the agent could not present it again: struct ndiv_conf, agent_lost */
	NDIV_R_CORE_LAST = NDIV_R_POSTPONE_LOST,
};

#define NDIV_EXT_MAX		8	/* IPv6 extension headers that the parser follows */

/*
 * What is known about one packet. Offsets count from the start of the frame, in bytes; lengths are in bytes; numbers
 * are in host byte order unless the type says otherwise. Per CPU; valid while the packet is in the chain.
 */
struct ndiv_pkt {
	__u32	flags;		/* enum ndiv_flags */
	__u32	len;		/* length of the frame as received, all buffers together */
	__u32	end;		/* end of the IP packet: l3 + its length by its own header; what follows is padding */
	__u16	l3;		/* IP header (or what follows the Ethernet header and its tags) */
	__u16	l4;		/* TCP, UDP, ICMP... header; data of a later fragment */
	__u16	payload;	/* what follows the TCP or UDP header; else equal to l4 */
	__be16	eth_proto;	/* EtherType behind the VLAN tags */
	__u8	proto;		/* IP protocol behind the extension headers */
	__u8	verdict;	/* core: enum ndiv_verdict */
	__u8	reason;		/* for NDIV_DROP, and of a malformed packet: enum ndiv_reason */
	__u8	handler;	/* core: id of the handler that decided */
	__u16	vlan[2];	/* VLAN tags (TCI: priority and id), the outer one first; see the VLAN flags */
	__be16	vlan_proto[2];	/* 802.1Q or 802.1ad, likewise */
	__u16	path;		/* core: enum ndiv_path */
	__u16	zero;		/* always 0, but the verifier does not know: see ndiv_forget() */
	__u16	out_len;	/* length of the reply, or of the longest packet of a burst, that the builder makes */
	__u8	out_count;	/* packets that the builder makes; 0: none, the frame goes as it is */
	__u8	rounds;		/* how often it was postponed so far */
	__u32	param;		/* NDIV_POSTPONE, NDIV_REPEAT: delay in ms; NDIV_FORWARD: interface index */
	__u32	hw_hash;	/* receive-side hash; see NDIV_F_HW_HASH */
	__u32	hw_hash_type;	/* enum xdp_rss_hash_type of the kernel: which headers it covers */
	__u16	hw_vlan;	/* TCI of the tag that the card removed */
	__be16	hw_vlan_proto;
	__u32	outcome;	/* core: what became of it: NDIV_OUTCOME(), and the XDP action << 16 */
	__u32	rule;		/* shield: what of its policy has refused it; set with its reasons that say so, only */
	/* second cache line */
	__u64	hw_tstamp;	/* ns, clock of the card */
	__u64	stamp;		/* core: when the handler of a timed packet began */
	__u8	args[NDIV_ARGS_LEN]; /* handler to builder; see ndiv_args() */
	__u32	pad2[7];
};
NDIV_ASSERT(sizeof(struct ndiv_pkt) == 128, "struct ndiv_pkt is two cache lines");

struct ndiv_count {
	__u64	packets;
	__u64	bytes;
};

struct ndiv_cost {
	__u64	ns;		/* spent in the timed calls, clock included */
	__u64	calls;
};

/*
 * State of one CPU for one interface: the packet at hand and all counters, in one value of a per-CPU array, so
 * that a program looks up once. Written by the BPF side only (k). One for each path: enum ndiv_cpu_index.
 */
struct ndiv_cpu {
	struct ndiv_pkt pkt;
	/* one cache line of private state of the core */
	__u64	seq;		/* packets that came in */
	__u64	pressure;	/* jiffies until which the transmit ring is taken to be full */
	__u16	burst;		/* number of the last reply or burst that was cloned */
	__u16	copy_burst;	/* number of the burst whose copies are being made */
	__u8	queued;		/* clones on their way to the driver's current batch */
	__u8	copy;		/* which of the clones this is */
	__u8	index;		/* which packet the builder makes of it */
	__u8	copy_drops;	/* clones dropped on purpose since the driver's last batch */
	__u64	tx_lost;	/* packets that the driver or its full ring refused after the verdict */
	struct ndiv_count sent;	/* packets handed to the driver: replies, bursts, forwarded */
	struct ndiv_cost clock;	/* the clock measured against itself: subtract it from the costs */

	struct ndiv_count verdict[NDIV_HANDLERS_MAX][NDIV_VERDICTS];
	__u64	reason[NDIV_HANDLERS_MAX][NDIV_REASONS_MAX];
	__u64	counter[NDIV_HANDLERS_MAX][NDIV_COUNTERS_MAX];
	struct ndiv_cost cost[NDIV_HANDLERS_MAX];
	__u64	done[NDIV_HANDLERS_MAX]; /* seq at this handler's last rx_done: the difference is the batch */
	__u64	again;		/* generic mode: rounds of the postponed packet that comes next, plus 1; 0: none does */
};
NDIV_ASSERT(sizeof(struct ndiv_cpu) == 10824, "struct ndiv_cpu");

enum ndiv_cpu_index {
	NDIV_CPU_RX = 0,	/* in the driver */
	NDIV_CPU_TX,		/* what the local stack sends, at tc egress */
	NDIV_CPU_IN,		/* what goes up to the local stack, at tc ingress */
	NDIV_CPU_COUNT,
};

/*
 * The chain arrays (receive, transmit, and tc ingress). A tail call whose slot the verifier knows becomes a direct
 * jump, some 3 ns instead of 70 where the CPU needs retpolines; so there is no variable index. Each handler has slots
 * of its own for what comes after it, by its id, and id 0 for what comes first: NDIV_SLOT_NEXT + id * NDIV_PATHS +
 * path. The path of a packet is chosen at the entry: one bit tells sound from malformed (only handlers that asked for
 * it are on that path), one bit which of two banks is in use: the other one is written and then switched to, so that
 * any change of the chain is atomic. Each path ends with the verdict.
 */
enum ndiv_slot {
	NDIV_SLOT_VERDICT = 0,
	NDIV_SLOT_POSTPONE,
	NDIV_SLOT_REPEAT,
	NDIV_SLOT_PARSE,	/* the entry behind its tap */
	NDIV_SLOT_NEXT = 16,
	NDIV_PATHS = 4,
	NDIV_SLOTS = NDIV_SLOT_NEXT + NDIV_HANDLERS_MAX * NDIV_PATHS,
};

/*
 * The array of taps, where a capture's programs are while it runs. Nothing holds it but the core's programs and the
 * process that captures: when that one ends, however it does, the kernel empties the array. It does so a moment later,
 * slot by slot, and would take out the programs of the next capture as well: so that one waits until the last slot is
 * empty, which a capture fills first and leaves to the kernel.
 */
enum ndiv_tap {
	NDIV_TAP_RX = 0,	/* what comes first: the filter, or the program that copies */
	NDIV_TAP_RX_COPY,	/* where the filter leads to */
	NDIV_TAP_RX_SKIP,
	NDIV_TAP_VERDICT,
	NDIV_TAP_VERDICT_COPY,
	NDIV_TAP_VERDICT_SKIP,
	NDIV_TAP_HELD,		/* never called: there is a capture, or what one left is still being removed */
	NDIV_TAPS,
};

/* What became of a packet, as a small number: a verdict, or the reason of a drop, of a handler. */
#define NDIV_OUTCOME(handler, verdict)		((handler) << 6 | (verdict))
#define NDIV_OUTCOME_DROPPED(handler, reason)	((handler) << 6 | 32 | (reason))

/*
 * The builder arrays (for clones, for skbs) have two banks, too: clones of the old chain's last packets meet the old
 * builders. Slot 0 of the one for skbs is the core's.
 */
#define NDIV_BUILDERS	(2 * NDIV_HANDLERS_MAX)

enum ndiv_path {
	NDIV_PATH_BANK = 1,		/* bit 0: the second bank */
	NDIV_PATH_MALFORMED = 2,	/* bit 1 */
};

/* What became of the packet of a test run, one value of a memory-mapped array: as in struct ndiv_pkt. (k) */
struct ndiv_note {
	__u32	outcome;
	__u32	rule;
};
NDIV_ASSERT(sizeof(struct ndiv_note) == 8, "struct ndiv_note");

/* Configuration of an interface, one value of a memory-mapped array. (u) all of it. */
struct ndiv_conf {
	__u32	bank;		/* bank of the receive chain in use: 0 or 1 */
	__u32	tx_bank;	/* likewise of the transmit chain */
	__u32	drop_malformed;	/* policy: 1 drops, 0 passes what no handler took */
	__u32	sample;		/* time the handlers for one packet in (sample + 1); a power of two minus 1 */
	__u64	agent_until;	/* CLOCK_MONOTONIC ns until which an agent is taken to be alive */
	__u64	agent_lost;	/* postponed packets that the agent could not present again */
	__u32	capturer;	/* process that captures; 0: none does */
	__u32	in_bank;	/* bank of the chain at tc ingress */
	__u32	capturer_hints;	/* 1: it wants what the card knows */
	__u32	pad[5];
};
NDIV_ASSERT(sizeof(struct ndiv_conf) == 64, "struct ndiv_conf is one cache line");

/* What a program is told when it is loaded: (u), constant afterwards. */
struct ndiv_self {
	__u32	id;		/* handler id */
	__u32	ifindex;	/* of the interface it is loaded for */
	__u32	netns;		/* inode of its network namespace: indices alone are not unique */
	__u32	mtu;		/* of that interface, when the program was loaded */
	__u8	mac[6];		/* of that interface */
	__u8	generic;	/* 1: generic mode, where clones share their data: replies that grow go by way of tc */
	__u8	pad;
};
NDIV_ASSERT(sizeof(struct ndiv_self) == 24, "struct ndiv_self");

/*
 * A handler tells about itself with one of these, in the section ".rodata.ndiv" of its object. User space only.
 */
enum ndiv_want {
	NDIV_WANT_MALFORMED	= 1U << 0,	/* present malformed packets, too */
	NDIV_WANT_HINTS		= 1U << 1,	/* ask the card for hash, timestamp and removed VLAN tag: a few ns a packet */
};

enum ndiv_option_type {
	NDIV_OPT_NONE = 0,	/* end of the table */
	NDIV_OPT_U16,
	NDIV_OPT_U32,
	NDIV_OPT_BOOL,		/* __u8: yes/no */
	NDIV_OPT_CHOICE,	/* __u8: index of a word of <choices> */
	NDIV_OPT_PORTS,		/* struct ndiv_ports: 8000 or 8000-8999 */
	NDIV_OPT_PREFIXES,	/* struct ndiv_prefixes: 10.0.0.0/8,fd00::/8 */
};

struct ndiv_option {
	char	name[NDIV_NAME_LEN];
	char	help[72];
	char	choices[40];	/* NDIV_OPT_CHOICE: "drop,pass" */
	__u32	type;		/* enum ndiv_option_type */
	__u32	offset;		/* of the variable in the section ".rodata.config" */
	__u32	min, max;	/* numbers: the range */
};
NDIV_ASSERT(sizeof(struct ndiv_option) == 152, "struct ndiv_option");

struct ndiv_info {
	__u32	abi;		/* NDIV_ABI */
	__u32	want;		/* enum ndiv_want */
	char	name[NDIV_NAME_LEN];
	char	about[72];	/* one line for the listing */
	char	reasons[NDIV_REASONS_MAX][NDIV_NAME_LEN];	/* by number; "" where there is none */
	char	counters[NDIV_COUNTERS_MAX][NDIV_NAME_LEN];
	struct ndiv_option options[NDIV_OPTIONS_MAX];
};
NDIV_ASSERT(sizeof(struct ndiv_info) == 104 + 2 * 768 + 32 * 152, "struct ndiv_info");

/* A range of ports, host byte order, both ends included. */
struct ndiv_ports {
	__u16	lo, hi;
};

/* A short list of prefixes, compared one by one: for options, not for policies. No prefix at all means any. */
#define NDIV_PREFIXES_MAX	8

struct ndiv_prefix {
	__be32	addr[4];	/* IPv4 in the first word, masked */
	__be32	mask[4];
};

struct ndiv_prefixes {
	__u32	count4;		/* IPv4 prefixes come first in the list, then IPv6 ones */
	__u32	count6;
	struct ndiv_prefix list[NDIV_PREFIXES_MAX];
};
NDIV_ASSERT(sizeof(struct ndiv_prefixes) == 8 + 32 * NDIV_PREFIXES_MAX, "struct ndiv_prefixes");

/*
 * XDP metadata in front of a frame that is cloned (reply and burst): it is copied into the clones, and is all that
 * the builder gets besides the frame as received. 32 bytes, the most that kernels before 6.8 allow.
 */
struct ndiv_meta {
	__u16	magic;		/* NDIV_META_CLONE */
	__u8	handler;	/* slot of its builders: ndiv_builder_slot() */
	__u8	count;		/* copies to be sent, and NDIV_META_SKIP; a later copy is dropped */
	__u16	burst;		/* low bits of struct ndiv_cpu, burst */
	__u16	out_len;
	__u16	l4;
	__u8	l3;
	__u8	flags;		/* seven low bits of the packet's flags, and NDIV_META_VLAN */
	__u8	args[NDIV_ARGS_LEN];
};
NDIV_ASSERT(sizeof(struct ndiv_meta) == 32, "struct ndiv_meta");

#define NDIV_META_CLONE		0x6e64
#define NDIV_META_SKIP		0x80	/* in count: the first copy is dropped, too */
#define NDIV_META_VLAN		0x80	/* in flags: a VLAN tag was in the frame */
#define NDIV_META_PAD		16	/* bytes in front of it in generic mode, where the kernel allows it */

/* Metadata in front of a postponed packet when the agent presents it again. */
struct ndiv_again {
	__u16	magic;		/* NDIV_META_AGAIN */
	__u16	rounds;
};

#define NDIV_META_AGAIN		0x6e61

/* A postponed packet on its way to the agent (ring buffer). The packet follows. */
struct ndiv_postponed {
	__u64	due;		/* CLOCK_MONOTONIC ns */
	__u32	ifindex;
	__u32	queue;
	__u32	len;		/* bytes of the packet */
	__u32	rounds;		/* with this one */
};
NDIV_ASSERT(sizeof(struct ndiv_postponed) == 24, "struct ndiv_postponed");

/* What `show` has to know about a handler on an interface: array indexed by handler id. (u) all of it. */
#define NDIV_PATH_LEN		256
#define NDIV_OPTS_LEN		1024

struct ndiv_entry {
	__u32	used;		/* 0: this id is free */
	__u32	order;		/* place in the chain, from 0 */
	__u32	has_tx;		/* has a program on the transmit path */
	__u32	has_in;		/* has a program at tc ingress */
	__u32	has_rx_done;
	__u32	has_build;
	__u32	prog_id;	/* kernel's id of the receive program */
	__u32	pad;
	__u64	since;		/* s since the epoch: attached or replaced */
	__u64	build;		/* hash of the object: was it built anew meanwhile? */
	char	path[NDIV_PATH_LEN];	/* the object it was loaded from */
	char	opts[NDIV_OPTS_LEN];	/* as given: name=value, separated by a blank */
	struct ndiv_info info;
};

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_verdict.c - the contract: what each verdict does to a packet, and what it counts
 *
 * Each row runs one packet through a chain of test handlers (handlers/). All counters of all handlers are compared, so
 * a row also says what is not counted.
 */
#include <string.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include "chain.h"
#include "suite.h"

/* What is expected of one of a handler's counters. */
struct count {
	enum who who;
	int	n;
	int	packets;
};

struct row {
	const char *name;
	int	set;
	enum who chain[CHAIN_MAX];
	struct pkt_layer in[PKT_LAYERS];
	int	drop_malformed;		/* policy */
	int	agent;			/* one is alive */
	int	pressure;		/* the transmit ring is full */
	int	rounds;			/* presented by the agent, for the n-th time */
	int	act;
	enum ndiv_verdict verdict;	/* counted */
	enum who by;			/* for whom */
	int	reason;			/* of a drop */
	enum who repeat;		/* it sends a copy ahead to the agent */
	int	no_copy;		/* the reason why it cannot */
	enum who reason_of;
	enum ndiv_reason malformed;	/* counted by the parser */
	struct count counts[3];		/* handlers' own counters */
	struct pkt_layer out[PKT_LAYERS]; /* none: as it came in */
	int	sent;			/* packets */
};

static struct pkt in, expected;
static struct run_out out;
static struct ndiv_cpu got, want;

/* clang-format off */
static const struct row rows[] = {
	/* --- nobody, PASS and NEXT -------------------------------------------------------------------------- */
	{ .name = "empty chain passes", .in = { IP4(), TO(T_ACCEPT), DATA(20) },
	  .act = XDP_PASS, .verdict = NDIV_PASS },
	{ .name = "empty chain passes what is no ip", .in = { ETH(.proto = 0x0806), DATA(28) },
	  .act = XDP_PASS, .verdict = NDIV_PASS },
	{ .name = "empty chain passes a packet of several buffers", .in = { IP4(), TO(T_ACCEPT), DATA(9000) },
	  .act = XDP_PASS, .verdict = NDIV_PASS },
	{ .name = "accept", .chain = { ACCEPT }, .in = { IP4(), TO(T_ACCEPT), DATA(20) },
	  .act = XDP_PASS, .verdict = NDIV_PASS, .by = ACCEPT },
	{ .name = "accept, v6 with extension headers", .chain = { ACCEPT },
	  .in = { IP6(), EXT(0), EXT(60), TO(T_ACCEPT), DATA(20) },
	  .act = XDP_PASS, .verdict = NDIV_PASS, .by = ACCEPT },
	{ .name = "accept, several buffers", .chain = { ACCEPT }, .in = { IP4(), TO(T_ACCEPT), DATA(9000) },
	  .act = XDP_PASS, .verdict = NDIV_PASS, .by = ACCEPT },
	{ .name = "accept, but it is for another port", .chain = { ACCEPT }, .in = { IP4(), TO(53), DATA(20) },
	  .act = XDP_PASS, .verdict = NDIV_PASS },
	{ .name = "three handlers, nobody wants it", .chain = { ACCEPT, DROP, REPLY }, .in = { IP4(), TCP() },
	  .act = XDP_PASS, .verdict = NDIV_PASS },
	{ .name = "three handlers, the second takes it", .chain = { DROP, ACCEPT, REPLY },
	  .in = { IP4(), TO(T_ACCEPT), DATA(20) }, .act = XDP_PASS, .verdict = NDIV_PASS, .by = ACCEPT },
	{ .name = "three handlers, the third takes it", .chain = { DROP, REPLY, ACCEPT },
	  .in = { IP4(), TO(T_ACCEPT), DATA(20) }, .act = XDP_PASS, .verdict = NDIV_PASS, .by = ACCEPT },
	{ .name = "order of the chain", .chain = { MARK1, MARK2 }, .in = { IP4(), TO(T_MARK), BYTES("\0__"), DATA(9),
	  BAD_SUM(SUM_NONE) }, .act = XDP_PASS, .verdict = NDIV_PASS,
	  .out = { IP4(), TO(T_MARK), TEXT("\x02\x0b\x0c"), DATA(9), BAD_SUM(SUM_NONE) } },
	{ .name = "order of the chain, the other way round", .chain = { MARK2, MARK1 }, .in = { IP4(), TO(T_MARK),
	  BYTES("\0__"), DATA(9), BAD_SUM(SUM_NONE) }, .act = XDP_PASS, .verdict = NDIV_PASS,
	  .out = { IP4(), TO(T_MARK), TEXT("\x02\x0c\x0b"), DATA(9), BAD_SUM(SUM_NONE) } },
	{ .name = "next, edited, then taken", .chain = { MARK1, ACCEPT, MARK2 }, .in = { IP4(), TO(T_MARK),
	  BYTES("\0__"),
	  BAD_SUM(SUM_NONE) }, .act = XDP_PASS, .verdict = NDIV_PASS,
	  .out = { IP4(), TO(T_MARK), TEXT("\x02\x0b\x0c"), BAD_SUM(SUM_NONE) } },

	/* --- PASS, modified --------------------------------------------------------------------------------- */
	{ .name = "untag", .chain = { UNTAG }, .in = { VLAN(.tci = 10), IP4(), TO(T_UNTAG), DATA(20) },
	  .act = XDP_PASS, .verdict = NDIV_PASS, .by = UNTAG, .out = { IP4(), TO(T_UNTAG), DATA(20) } },
	{ .name = "untag, the outer one of two", .chain = { UNTAG },
	  .in = { VLAN(.tci = 10, .tpid = 0x88a8), VLAN(.tci = 20), IP6(), TO(T_UNTAG), DATA(20) },
	  .act = XDP_PASS, .verdict = NDIV_PASS, .by = UNTAG, .out = { VLAN(.tci = 20), IP6(), TO(T_UNTAG),
	  DATA(20) } },
	{ .name = "untag, no tag", .chain = { UNTAG }, .in = { IP4(), TO(T_UNTAG), DATA(20) },
	  .act = XDP_PASS, .verdict = NDIV_PASS },

	/* --- DROP ------------------------------------------------------------------------------------------- */
	{ .name = "drop, first reason", .chain = { DROP }, .in = { IP4(), UDP(.sport = 40000, .dport = T_DROP),
	  DATA(9) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = DROP, .reason_of = DROP, .reason = 1 },
	{ .name = "drop, last reason", .chain = { DROP }, .in = { IP6(), UDP(.sport = 40001, .dport = T_DROP),
	  DATA(9) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = DROP, .reason_of = DROP, .reason = NDIV_REASONS_MAX - 1 },
	{ .name = "drop, several buffers", .chain = { DROP }, .in = { IP4(), TO(T_DROP), DATA(9000) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = DROP, .reason_of = DROP, .reason = 1 },
	{ .name = "drop behind others", .chain = { ACCEPT, REPLY, DROP }, .in = { IP4(), TO(T_DROP), DATA(9) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = DROP, .reason_of = DROP, .reason = 1 },

	/* --- REPLY in place --------------------------------------------------------------------------------- */
	{ .name = "reply v4", .chain = { REPLY }, .in = { IP4(.ttl = 3), TO(T_REPLY), TEXT("ask"), DATA(20) },
	  .act = XDP_TX, .verdict = NDIV_REPLY, .by = REPLY, .sent = 1,
	  .out = { BACK_ETH, BACK_IP4(), FROM(T_REPLY), TEXT("Rsk"), DATA(20) } },
	{ .name = "reply v6", .chain = { REPLY }, .in = { IP6(.hops = 255), TO(T_REPLY), TEXT("ask"), DATA(21) },
	  .act = XDP_TX, .verdict = NDIV_REPLY, .by = REPLY, .sent = 1,
	  .out = { BACK_ETH, BACK_IP6, FROM(T_REPLY), TEXT("Rsk"), DATA(21) } },
	{ .name = "reply, two tags", .chain = { REPLY }, .in = { VLAN(.tci = 1), VLAN(.tci = 2), IP4(.ttl = 255),
	  TO(T_REPLY), TEXT("ask") }, .act = XDP_TX, .verdict = NDIV_REPLY, .by = REPLY, .sent = 1,
	  .out = { BACK_ETH, VLAN(.tci = 1), VLAN(.tci = 2), BACK_IP4(), FROM(T_REPLY), TEXT("Rsk") } },
	{ .name = "reply, v4 options", .chain = { REPLY }, .in = { IP4(.options = 8), TO(T_REPLY), TEXT("ask") },
	  .act = XDP_TX, .verdict = NDIV_REPLY, .by = REPLY, .sent = 1,
	  .out = { BACK_ETH, BACK_IP4(.options = 8), FROM(T_REPLY), TEXT("Rsk") } },
	{ .name = "reply, short frame with padding", .chain = { REPLY }, .in = { IP4(), TO(T_REPLY), TEXT("ask"),
	  PAD(60) },
	  .act = XDP_TX, .verdict = NDIV_REPLY, .by = REPLY, .sent = 1,
	  .out = { BACK_ETH, BACK_IP4(), FROM(T_REPLY), TEXT("Rsk"), PAD(60) } },
	{ .name = "reply, no udp checksum", .chain = { REPLY }, .in = { IP4(), TO(T_REPLY), TEXT("ask"),
	  BAD_SUM(SUM_NONE) },
	  .act = XDP_TX, .verdict = NDIV_REPLY, .by = REPLY, .sent = 1,
	  .out = { BACK_ETH, BACK_IP4(), FROM(T_REPLY), TEXT("Rsk"), BAD_SUM(SUM_NONE) } },
	{ .name = "reply, several buffers", .chain = { REPLY }, .in = { IP4(), TO(T_REPLY), TEXT("ask"), DATA(9001) },
	  .act = XDP_TX, .verdict = NDIV_REPLY, .by = REPLY, .sent = 1,
	  .out = { BACK_ETH, BACK_IP4(), FROM(T_REPLY), TEXT("Rsk"), DATA(9001) } },
	{ .name = "reply, wrong udp checksum", .chain = { REPLY }, .in = { IP4(), TO(T_REPLY), TEXT("ask"),
	  BAD_SUM(SUM_L4) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = REPLY, .reason_of = REPLY, .reason = 1 },
	{ .name = "reply, wrong udp checksum, several buffers", .chain = { REPLY },
	  .in = { IP6(), TO(T_REPLY), DATA(9000), BAD_SUM(SUM_L4) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = REPLY, .reason_of = REPLY, .reason = 1 },
	{ .name = "reply, v6 without udp checksum", .chain = { REPLY }, .in = { IP6(), TO(T_REPLY), TEXT("ask"),
	  BAD_SUM(SUM_NONE) }, .act = XDP_DROP, .verdict = NDIV_DROP, .by = REPLY, .reason_of = REPLY, .reason = 1 },
	{ .name = "reply, first fragment is for the next", .chain = { REPLY }, .in = { IP4(.frag = 0x2000),
	  TO(T_REPLY),
	  DATA(16) }, .act = XDP_PASS, .verdict = NDIV_PASS },
	{ .name = "reply, but the ring is full", .chain = { REPLY }, .in = { IP4(), TO(T_REPLY), TEXT("ask") },
	  .pressure = 1,
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = REPLY, .reason_of = REPLY, .reason = 2 },

	/* --- REPLY by the builder --------------------------------------------------------------------------- */
	{ .name = "long, grows", .chain = { LONG }, .in = { IP4(.ttl = 9), TO(T_LONG), DATA(9) },
	  .act = XDP_TX, .verdict = NDIV_REPLY, .by = LONG, .sent = 1,
	  .out = { BACK_ETH, BACK_IP4(), FROM(T_LONG), FILLED(0, 1000 - 42), BAD_SUM(SUM_NONE) } },
	{ .name = "long, tag and options", .chain = { LONG }, .in = { VLAN(.tci = 10), IP4(.options = 4), TO(T_LONG),
	  DATA(9) },
	  .act = XDP_TX, .verdict = NDIV_REPLY, .by = LONG, .sent = 1,
	  .out = { BACK_ETH, VLAN(.tci = 10), BACK_IP4(.options = 4), FROM(T_LONG), FILLED(0, 1000 - 50),
	  BAD_SUM(SUM_NONE) } },
	{ .name = "long, grows out of a short frame with padding", .chain = { LONG }, .in = { IP4(), TO(T_LONG),
	  PAD(60) },
	  .act = XDP_TX, .verdict = NDIV_REPLY, .by = LONG, .sent = 1,
	  .out = { BACK_ETH, BACK_IP4(), FROM(T_LONG), FILLED(0, 1000 - 42), BAD_SUM(SUM_NONE) } },
	{ .name = "long, shrinks", .chain = { LONG }, .in = { IP4(), TO(T_LONG), DATA(2000) },
	  .act = XDP_TX, .verdict = NDIV_REPLY, .by = LONG, .sent = 1,
	  .out = { BACK_ETH, BACK_IP4(), FROM(T_LONG), FILLED(0, 1000 - 42), BAD_SUM(SUM_NONE) } },
	{ .name = "long, same length", .chain = { LONG }, .in = { IP4(), TO(T_LONG), DATA(1000 - 42) },
	  .act = XDP_TX, .verdict = NDIV_REPLY, .by = LONG, .sent = 1,
	  .out = { BACK_ETH, BACK_IP4(), FROM(T_LONG), FILLED(0, 1000 - 42), BAD_SUM(SUM_NONE) } },
	{ .name = "long, shrinks out of several buffers", .chain = { LONG }, .in = { IP4(), TO(T_LONG), DATA(9000) },
	  .act = XDP_TX, .verdict = NDIV_REPLY, .by = LONG, .sent = 1,
	  .out = { BACK_ETH, BACK_IP4(), FROM(T_LONG), FILLED(0, 1000 - 42), BAD_SUM(SUM_NONE) } },
	{ .name = "long, the longest", .set = 1, .chain = { LONG_3000 }, .in = { IP4(), TO(T_LONG), DATA(9) },
	  .act = XDP_TX, .verdict = NDIV_REPLY, .by = LONG_3000, .sent = 1,
	  .out = { BACK_ETH, BACK_IP4(), FROM(T_LONG), FILLED(0, LONGEST - 42), BAD_SUM(SUM_NONE) } },
	{ .name = "long, no room anywhere", .set = 1, .chain = { TOO_LONG }, .in = { IP4(), TO(T_LONG), DATA(9) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = TOO_LONG, .reason = NDIV_R_NO_ROOM },
	{ .name = "long, the builder refuses", .chain = { REFUSE }, .in = { IP4(), TO(T_LONG), DATA(9) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = REFUSE, .reason = NDIV_R_BUILD },

	/* --- BURST; what becomes of the clones: test_verdict_burst.c ---------------------------------------- */
	{ .name = "burst", .chain = { BURST }, .in = { IP4(), TO(T_BURST), DATA(9) },
	  .act = XDP_REDIRECT, .verdict = NDIV_BURST, .by = BURST },
	{ .name = "burst of one", .set = 1, .chain = { BURST_1 }, .in = { IP4(), TO(T_BURST), DATA(9) },
	  .act = XDP_REDIRECT, .verdict = NDIV_BURST, .by = BURST_1 },
	{ .name = "burst of sixteen", .set = 1, .chain = { BURST_16 }, .in = { IP4(), TO(T_BURST), DATA(9) },
	  .act = XDP_REDIRECT, .verdict = NDIV_BURST, .by = BURST_16 },
	{ .name = "burst of none", .set = 1, .chain = { BURST_0 }, .in = { IP4(), TO(T_BURST), DATA(9) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = BURST_0, .reason = NDIV_R_VERDICT },
	{ .name = "burst of seventeen", .set = 1, .chain = { BURST_17 }, .in = { IP4(), TO(T_BURST), DATA(9) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = BURST_17, .reason = NDIV_R_VERDICT },
	{ .name = "burst, too long", .set = 1, .chain = { BURST_LONG }, .in = { IP4(), TO(T_BURST), DATA(9) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = BURST_LONG, .reason = NDIV_R_NO_ROOM },
	{ .name = "burst, several buffers", .chain = { BURST }, .in = { IP4(), TO(T_BURST), DATA(9000) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = BURST, .reason = NDIV_R_NO_ROOM },

	/* --- REPEAT; the copy: test_verdict_queue.c ---------------------------------------------------------- */
	{ .name = "repeat", .set = 1, .chain = { REPEAT }, .in = { IP4(), TO(T_LONG), DATA(9) }, .agent = 1,
	  .act = XDP_PASS, .verdict = NDIV_PASS, .repeat = REPEAT, .counts = { { REPEAT, 0, 1 } } },
	{ .name = "repeat, and the next one replies", .set = 1, .chain = { REPEAT, LONG_3000 },
	  .in = { IP4(), TO(T_LONG), DATA(9) }, .agent = 1, .act = XDP_TX, .verdict = NDIV_REPLY, .by = LONG_3000,
	  .repeat = REPEAT, .sent = 1, .counts = { { REPEAT, 0, 1 } },
	  .out = { BACK_ETH, BACK_IP4(), FROM(T_LONG), FILLED(0, LONGEST - 42), BAD_SUM(SUM_NONE) } },
	{ .name = "repeat, seen again", .set = 1, .chain = { REPEAT, LONG_3000 }, .rounds = 1,
	  .in = { IP4(), TO(T_LONG), DATA(9) }, .agent = 1, .act = XDP_TX, .verdict = NDIV_REPLY, .by = LONG_3000,
	  .sent = 1, .counts = { { REPEAT, 1, 1 } },
	  .out = { BACK_ETH, BACK_IP4(), FROM(T_LONG), FILLED(0, LONGEST - 42), BAD_SUM(SUM_NONE) } },
	{ .name = "repeat, no agent", .set = 1, .chain = { REPEAT, LONG_3000 },
	  .in = { IP4(), TO(T_LONG), DATA(9) }, .act = XDP_TX, .verdict = NDIV_REPLY, .by = LONG_3000,
	  .repeat = REPEAT, .no_copy = NDIV_R_NO_AGENT, .sent = 1, .counts = { { REPEAT, 0, 1 } },
	  .out = { BACK_ETH, BACK_IP4(), FROM(T_LONG), FILLED(0, LONGEST - 42), BAD_SUM(SUM_NONE) } },
	{ .name = "repeat, too long for a copy", .set = 1, .chain = { REPEAT },
	  .in = { IP4(), TO(T_LONG), DATA(NDIV_POSTPONE_LEN - 41) }, .agent = 1, .act = XDP_PASS,
	  .verdict = NDIV_PASS, .repeat = REPEAT, .no_copy = NDIV_R_POSTPONE_LONG, .counts = { { REPEAT, 0, 1 } } },

	/* --- POSTPONE; what the agent gets: test_verdict_queue.c -------------------------------------------- */
	{ .name = "postpone, no agent", .chain = { POSTPONE }, .in = { IP4(), TO(T_POSTPONE), DATA(9) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = POSTPONE, .reason = NDIV_R_NO_AGENT,
	  .counts = { { POSTPONE, 0, 1 } } },
	{ .name = "postpone", .chain = { POSTPONE }, .in = { IP4(), TO(T_POSTPONE), DATA(9) }, .agent = 1,
	  .act = XDP_DROP, .verdict = NDIV_POSTPONE, .by = POSTPONE, .counts = { { POSTPONE, 0, 1 } } },
	{ .name = "postpone, seen again", .chain = { POSTPONE }, .in = { IP4(), TO(T_POSTPONE), TEXT("__"),
	  BAD_SUM(SUM_NONE) }, .agent = 1, .rounds = 1, .act = XDP_TX, .verdict = NDIV_REPLY, .by = POSTPONE,
	  .sent = 1,
	  .counts = { { POSTPONE, 1, 1 } },
	  .out = { BACK_ETH, BACK_IP4(), FROM(T_POSTPONE), TEXT("1_"), BAD_SUM(SUM_NONE) } },
	{ .name = "postpone, the last round", .set = 1, .chain = { POSTPONE_9 }, .in = { IP4(), TO(T_POSTPONE),
	  DATA(9) },
	  .agent = 1, .rounds = NDIV_POSTPONE_ROUNDS - 1, .act = XDP_DROP, .verdict = NDIV_POSTPONE, .by = POSTPONE_9,
	  .counts = { { POSTPONE_9, 1, 1 } } },
	{ .name = "postpone, a round too many", .set = 1, .chain = { POSTPONE_9 }, .in = { IP4(), TO(T_POSTPONE),
	  DATA(9) },
	  .agent = 1, .rounds = NDIV_POSTPONE_ROUNDS, .act = XDP_DROP, .verdict = NDIV_DROP, .by = POSTPONE_9,
	  .reason = NDIV_R_POSTPONE_ROUNDS, .counts = { { POSTPONE_9, 1, 1 } } },
	{ .name = "postpone, the longest", .chain = { POSTPONE }, .in = { IP4(), TO(T_POSTPONE),
	  DATA(NDIV_POSTPONE_LEN - 42) }, .agent = 1, .act = XDP_DROP, .verdict = NDIV_POSTPONE, .by = POSTPONE,
	  .counts = { { POSTPONE, 0, 1 } } },
	{ .name = "postpone, too long", .chain = { POSTPONE }, .in = { IP4(), TO(T_POSTPONE),
	  DATA(NDIV_POSTPONE_LEN - 41) },
	  .agent = 1, .act = XDP_DROP, .verdict = NDIV_DROP, .by = POSTPONE, .reason = NDIV_R_POSTPONE_LONG,
	  .counts = { { POSTPONE, 0, 1 } } },

	/* --- FORWARD ---------------------------------------------------------------------------------------- */
	{ .name = "forward", .chain = { FORWARD }, .in = { IP4(), TO(T_FORWARD), DATA(9) },
	  .act = XDP_REDIRECT, .verdict = NDIV_FORWARD, .by = FORWARD, .sent = 1 },
	{ .name = "forward, several buffers", .chain = { FORWARD }, .in = { IP4(), TO(T_FORWARD), DATA(9000) },
	  .act = XDP_REDIRECT, .verdict = NDIV_FORWARD, .by = FORWARD, .sent = 1 },
	{ .name = "forward to where it came from", .set = 1, .chain = { FORWARD_BACK }, .in = { IP4(), TO(T_FORWARD),
	  DATA(9) },
	  .act = XDP_TX, .verdict = NDIV_FORWARD, .by = FORWARD_BACK, .sent = 1 },

	/* --- no verdict ------------------------------------------------------------------------------------- */
	{ .name = "bad verdict 8", .chain = { BAD }, .in = { IP4(), UDP(.sport = 8, .dport = T_BAD) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = BAD, .reason = NDIV_R_VERDICT },
	{ .name = "bad verdict 255", .chain = { BAD }, .in = { IP4(), UDP(.sport = 255, .dport = T_BAD) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = BAD, .reason = NDIV_R_VERDICT },
	{ .name = "bad verdict 256", .chain = { BAD }, .in = { IP4(), UDP(.sport = 256, .dport = T_BAD) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = BAD, .reason = NDIV_R_VERDICT },
	{ .name = "bad verdict 257", .chain = { BAD }, .in = { IP4(), UDP(.sport = 257, .dport = T_BAD) },
	  .act = XDP_DROP, .verdict = NDIV_DROP, .by = BAD, .reason = NDIV_R_VERDICT },
	{ .name = "reply verdict by a handler without a builder", .chain = { BAD }, .in = { IP4(),
	  UDP(.sport = NDIV_REPLY,
	  .dport = T_BAD) }, .act = XDP_TX, .verdict = NDIV_REPLY, .by = BAD, .sent = 1 },
	{ .name = "burst verdict by a handler without a builder", .chain = { BAD }, .in = { IP4(),
	  UDP(.sport = NDIV_BURST,
	  .dport = T_BAD) }, .act = XDP_DROP, .verdict = NDIV_DROP, .by = BAD, .reason = NDIV_R_VERDICT },
	{ .name = "drop verdict without a reason", .chain = { BAD }, .in = { IP4(), UDP(.sport = NDIV_DROP,
	  .dport = T_BAD) }, .act = XDP_DROP, .verdict = NDIV_DROP, .by = BAD, .reason_of = BAD },

	/* --- malformed packets ------------------------------------------------------------------------------ */
	{ .name = "malformed passes", .chain = { ACCEPT, DROP, MARK1 }, .in = { IP4(), TO(T_ACCEPT), SET(F_UDP_LEN,
	  7) },
	  .act = XDP_PASS, .verdict = NDIV_PASS, .malformed = NDIV_R_UDP_LEN },
	{ .name = "malformed is dropped by policy", .chain = { ACCEPT, DROP, MARK1 },
	  .in = { IP4(), TO(T_ACCEPT), SET(F_UDP_LEN, 7) }, .drop_malformed = 1,
	  .act = XDP_DROP, .verdict = NDIV_DROP, .reason = NDIV_R_UDP_LEN, .malformed = NDIV_R_UDP_LEN },
	{ .name = "sound packets do not meet the policy", .chain = { ACCEPT }, .in = { IP4(), TO(53) },
	  .drop_malformed = 1,
	  .act = XDP_PASS, .verdict = NDIV_PASS },
	{ .name = "malformed, empty chain, dropped by policy", .in = { IP6(), TCP(), SET(F_TCP_DOFF, 15) },
	  .drop_malformed = 1, .act = XDP_DROP, .verdict = NDIV_DROP, .reason = NDIV_R_TCP_DOFF,
	  .malformed = NDIV_R_TCP_DOFF },
	{ .name = "malformed, taken by one that asked for it", .chain = { ACCEPT, MALFORMED, DROP },
	  .in = { IP4(), TO(T_ACCEPT), BAD_SUM(SUM_IP4) }, .act = XDP_DROP, .verdict = NDIV_DROP, .by = MALFORMED,
	  .reason_of = MALFORMED, .reason = 5, .malformed = NDIV_R_IP4_CSUM, .counts = { { MALFORMED, 1, 1 } } },
	{ .name = "malformed, seen by one that asked for it, then passed", .chain = { ACCEPT, MALFORMED, DROP },
	  .in = { IP4(), TO(T_ACCEPT), SET(F_IP4_LEN, 2000) }, .act = XDP_PASS, .verdict = NDIV_PASS,
	  .malformed = NDIV_R_IP4_LEN, .counts = { { MALFORMED, 1, 1 } } },
	{ .name = "malformed, seen by one that asked for it, then dropped by policy", .chain = { MALFORMED, ACCEPT },
	  .in = { IP4(), TO(T_ACCEPT), SET(F_IP4_LEN, 2000) }, .drop_malformed = 1, .act = XDP_DROP,
	  .verdict = NDIV_DROP,
	  .reason = NDIV_R_IP4_LEN, .malformed = NDIV_R_IP4_LEN, .counts = { { MALFORMED, 1, 1 } } },
	{ .name = "sound, seen by one that asked for malformed ones", .chain = { MALFORMED, ACCEPT },
	  .in = { IP4(), TO(T_ACCEPT) }, .act = XDP_PASS, .verdict = NDIV_PASS, .by = ACCEPT,
	  .counts = { { MALFORMED, 0, 1 } } },
	{ .name = "malformed, presented again", .chain = { POSTPONE, MALFORMED }, .rounds = 2,
	  .in = { IP4(), TO(T_POSTPONE), SET(F_IP4_LEN, 2000) }, .act = XDP_PASS, .verdict = NDIV_PASS,
	  .malformed = NDIV_R_IP4_LEN, .counts = { { MALFORMED, 1, 1 } } },
};

/* The transmit path: the test handler "tx", and what the core makes of verdicts that it does not have. */
struct tx_row {
	const char *name;
	enum who chain[CHAIN_MAX];
	struct pkt_layer in[PKT_LAYERS];
	int	act;
	enum ndiv_verdict verdict;
	enum who by;
	int	reason;
	int	learned, unseen;
};

static const struct tx_row tx_rows[] = {
	{ .name = "tx, empty chain", .in = { IP4(), TO(T_TX), DATA(9) }, .act = TC_ACT_UNSPEC, .verdict = NDIV_PASS,
	  .unseen = 1 },
	{ .name = "tx, handlers of the receive path only", .chain = { DROP, ACCEPT }, .in = { IP4(), TO(T_DROP),
	  DATA(9) },
	  .act = TC_ACT_UNSPEC, .verdict = NDIV_PASS, .unseen = 1 },
	{ .name = "tx, next", .chain = { ACCEPT, TX }, .in = { IP4(), TO(53), DATA(9) }, .act = TC_ACT_UNSPEC,
	  .verdict = NDIV_PASS },
	{ .name = "tx, drop", .chain = { ACCEPT, TX }, .in = { IP4(), TO(T_TX), DATA(9) }, .act = TC_ACT_SHOT,
	  .verdict = NDIV_DROP, .by = TX, .reason = 1 },
	{ .name = "tx, drop v6", .chain = { TX }, .in = { IP6(), TO(T_TX), DATA(9) }, .act = TC_ACT_SHOT,
	  .verdict = NDIV_DROP, .by = TX, .reason = 1 },
	{ .name = "tx, pass and learn", .chain = { TX }, .in = { IP4(), TO(T_LEARN), DATA(9) }, .act = TC_ACT_UNSPEC,
	  .verdict = NDIV_PASS, .by = TX, .learned = 1 },
	{ .name = "tx, malformed does not come to the handler", .chain = { TX }, .in = { IP4(), TO(T_TX),
	  SET(F_UDP_LEN, 7) }, .act = TC_ACT_UNSPEC, .verdict = NDIV_PASS, .unseen = 1 },
	{ .name = "tx, no ip", .chain = { TX }, .in = { ETH(.proto = 0x0806), DATA(28) }, .act = TC_ACT_UNSPEC,
	  .verdict = NDIV_PASS },
};
/* clang-format on */

static void expect(struct ndiv_cpu *cpu, enum who who, enum ndiv_verdict verdict, size_t bytes)
{
	cpu->verdict[who][verdict].packets++;
	cpu->verdict[who][verdict].bytes += bytes;
}

/* Those that were asked before somebody took it, in the order of the chain. */
static void expect_next(struct ndiv_cpu *cpu, const struct row *row, size_t bytes)
{
	int i;

	for (i = 0; i < CHAIN_MAX && row->chain[i] && row->chain[i] != row->by; i++)
		if (!row->malformed || row->chain[i] == MALFORMED)
			expect(cpu, row->chain[i], NDIV_NEXT, bytes);
}

/* A handler whose copy could not be made has said NEXT. */
static void expect_repeat(struct ndiv_cpu *cpu, const struct row *row, size_t bytes)
{
	if (!row->repeat)
		return;
	if (row->no_copy) {
		cpu->reason[CORE][row->no_copy] = 1;
		return;
	}
	memset(&cpu->verdict[row->repeat][NDIV_NEXT], 0, sizeof(struct ndiv_count));
	expect(cpu, row->repeat, NDIV_REPEAT, bytes);
}

static void expect_row(struct ndiv_cpu *cpu, const struct row *row, size_t bytes, size_t sent)
{
	size_t i;

	memset(cpu, 0, sizeof(*cpu));
	expect_next(cpu, row, bytes);
	expect_repeat(cpu, row, bytes);
	expect(cpu, row->by, row->verdict, bytes);
	if (row->verdict == NDIV_DROP)
		cpu->reason[row->reason_of][row->reason] = 1;
	if (row->malformed)
		cpu->counter[CORE][row->malformed] = 1;
	for (i = 0; i < 3 && row->counts[i].packets; i++)
		cpu->counter[row->counts[i].who][row->counts[i].n] = row->counts[i].packets;
	cpu->sent.packets = row->sent;
	cpu->sent.bytes = row->sent ? sent : 0;
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct run *r = &chain_runs[row->set];
	int err;

	assert_int_equal(chain_use(r, row->chain), 0);
	r->conf->drop_malformed = row->drop_malformed;
	run_agent(r, row->agent);
	if (row->pressure)
		assert_int_equal(run_pressure(r), 0);
	pkt_build(&in, row->in);
	pkt_build(&expected, row->out[0].type ? row->out : row->in);
	if (row->rounds)
		err = run_again(r, in.data, in.len, row->rounds, &out);
	else
		err = run_rx(r, in.data, in.len, &out);
	if (err)
		fail_msg("%s: test run failed: %d", row->name, err);
	if (out.act != row->act)
		fail_msg("%s: action %d and not %d", row->name, out.act, row->act);
	run_sum(r, NDIV_CPU_RX, &got);
	expect_row(&want, row, in.len, expected.len);
	must(row->name, chain_differs(&got, &want));
	if (out.act == XDP_PASS || out.act == XDP_TX || row->verdict == NDIV_FORWARD)
		must_equal(row->name, out.data, out.len, expected.data, expected.len);
	if (row->rounds && (!(got.pkt.flags & NDIV_F_AGAIN) || got.pkt.rounds != row->rounds))
		fail_msg("%s: presented again, but rounds are %u", row->name, got.pkt.rounds);
	if (!row->rounds && (got.pkt.flags & NDIV_F_AGAIN || got.pkt.rounds))
		fail_msg("%s: not presented again, but rounds are %u", row->name, got.pkt.rounds);
}

static void test_tx_row(void **state)
{
	const struct tx_row *row = *state;
	struct run *r = &chain_runs[0];

	assert_int_equal(chain_use(r, row->chain), 0);
	pkt_build(&in, row->in);
	pkt_build(&expected, row->in);
	if (run_tx(r, in.data, in.len, &out))
		fail_msg("%s: test run failed", row->name);
	if (out.act != row->act)
		fail_msg("%s: action %d and not %d", row->name, out.act, row->act);
	memset(&want, 0, sizeof(want));
	expect(&want, row->by, row->verdict, in.len);
	if (!row->unseen)
		want.counter[TX][2] = 1;
	if (!row->unseen && row->by != TX)
		expect(&want, TX, NDIV_NEXT, in.len);
	if (row->verdict == NDIV_DROP)
		want.reason[row->by][row->reason] = 1;
	want.counter[TX][0] = row->learned;
	run_sum(r, NDIV_CPU_TX, &got);
	must(row->name, chain_differs(&got, &want));
	must_equal(row->name, out.data, out.len, expected.data, expected.len);
	if (!(got.pkt.flags & NDIV_F_TX))
		fail_msg("%s: no flag TX", row->name);
	memset(&want, 0, sizeof(want));
	run_sum(r, NDIV_CPU_RX, &got);
	must("receive path of a sent packet", chain_differs(&got, &want));
}

/* What was learned from a sent packet is known when the answer comes, and not before. */
static void test_learn(void **state)
{
	static const struct pkt_layer answer[] = { IP4(.src = "10.77.0.99"), UDP(.sport = T_LEARN), { 0 } };
	static const struct pkt_layer question[] = { IP4(.dst = "10.77.0.99"), UDP(.dport = T_LEARN), { 0 } };
	const enum who chain[CHAIN_MAX] = { TX };
	struct run *r = &chain_runs[0];

	assert_int_equal(chain_use(r, chain), 0);
	pkt_build(&in, answer);
	assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	assert_int_equal(out.act, XDP_DROP);
	pkt_build(&in, question);
	assert_int_equal(run_tx(r, in.data, in.len, &out), 0);
	pkt_build(&in, answer);
	assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	assert_int_equal(out.act, XDP_PASS);
}

/* rx_done: once for each poll that brought packets, with their number; not for other polls. */
static void test_rx_done(void **state)
{
	static const struct pkt_layer any[] = { IP4(), TO(53), { 0 } };
	static const int batches[] = { 1, 5, 0, 64, 0, 0, 2 };
	const enum who chain[CHAIN_MAX] = { DONE };
	struct run *r = &chain_runs[0];
	size_t b;
	int i;

	assert_int_equal(chain_use(r, chain), 0);
	pkt_build(&in, any);
	for (b = 0; b < sizeof(batches) / sizeof(batches[0]); b++) {
		for (i = 0; i < batches[b]; i++)
			assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
		assert_int_equal(run_done(r, DONE), 0);
	}
	run_sum(r, NDIV_CPU_RX, &got);
	assert_int_equal(got.counter[DONE][0], 72);	/* seen */
	assert_int_equal(got.counter[DONE][1], 4);	/* batches */
	assert_int_equal(got.counter[DONE][2], 72);	/* packets of batches */
	assert_int_equal(got.counter[DONE][3], 0);	/* empty ones */
}

/* Samples: with all packets timed, each handler that was asked has one call more; else none. */
static void test_sample(void **state)
{
	static const struct pkt_layer any[] = { IP4(), TO(T_DROP), { 0 } };
	const enum who chain[CHAIN_MAX] = { ACCEPT, DROP, REPLY };
	struct run *r = &chain_runs[0];
	int i;

	assert_int_equal(chain_use(r, chain), 0);
	pkt_build(&in, any);
	r->conf->sample = 0;
	assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	r->conf->sample = 3;
	for (i = 0; i < 8; i++)
		assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	r->conf->sample = UINT32_MAX;
	run_sum(r, NDIV_CPU_RX, &got);
	assert_int_equal(got.cost[ACCEPT].calls, 3);
	assert_int_equal(got.cost[DROP].calls, 3);
	assert_int_equal(got.cost[REPLY].calls, 0);
	assert_int_equal(got.clock.calls, 3);
	assert_true(got.cost[DROP].ns > 0 && got.clock.ns > 0);
}

/* An empty slot of the chain is a bug of ours; it is counted and nothing breaks. */
static void test_empty_slot(void **state)
{
	static const struct pkt_layer any[] = { IP4(), TO(53), { 0 } };
	struct run *r = &chain_runs[0];
	uint32_t slot = NDIV_SLOT_NEXT;

	assert_int_equal(chain_use(r, (enum who[CHAIN_MAX]){ 0 }), 0);
	assert_int_equal(bpf_map_delete_elem(r->chain, &slot), 0);
	pkt_build(&in, any);
	assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	assert_int_equal(out.act, XDP_DROP);
	run_sum(r, NDIV_CPU_RX, &got);
	assert_int_equal(got.reason[CORE][NDIV_R_CHAIN], 1);
}

int main(void)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		add(rows[i].name, test_row, &rows[i]);
	for (i = 0; i < COUNT(tx_rows); i++)
		add(tx_rows[i].name, test_tx_row, &tx_rows[i]);
	add("what was learned from a sent packet", test_learn, NULL);
	add("end of a batch", test_rx_done, NULL);
	add("samples", test_sample, NULL);
	add("an empty slot", test_empty_slot, NULL);
	return _cmocka_run_group_tests("verdict", suite_tests, suite_count, chain_open, chain_close);
}

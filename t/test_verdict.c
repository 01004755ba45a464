// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_verdict.c - the contract: what each verdict does to a packet, and what it counts
 *
 * Each row runs one packet through a chain of test handlers (handlers/). All counters of all handlers are compared, so
 * a row also says what is not counted.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include "handlers/t.h"
#include "oracle.h"
#include "run.h"

#define CHAIN_MAX	4
#define LONGEST		3000	/* NDIV_REPLY_MAX */

/* Instances of the test handlers. Two sets, because one chain holds 15. */
enum who {
	CORE = 0,
	/* set 0 */
	ACCEPT = 1, UNTAG, DROP, REPLY, LONG, REFUSE, BURST, POSTPONE, FORWARD, BAD, MARK1, MARK2, TX, MALFORMED, DONE,
	/* set 1 */
	TOO_LONG = 1, LONG_3000, BURST_0, BURST_1, BURST_16, BURST_17, BURST_LONG, BURST_3000, BURST_FAIL, POSTPONE_9,
	POSTPONE_SLOW, FORWARD_BACK, FULL, REPEAT,
};

struct instance {
	int	set;
	enum who who;
	const char *object;
	struct run_option options[4];
};

#define U16(name, v)	{ name, &(uint16_t){ v }, 2 }
#define U32(name, v)	{ name, &(uint32_t){ v }, 4 }
#define BOOL(name, v)	{ name, &(uint8_t){ v }, 1 }

static const struct instance instances[] = {
	{ 0, ACCEPT, "accept", { { 0 } } },
	{ 0, UNTAG, "untag", { { 0 } } },
	{ 0, DROP, "drop", { { 0 } } },
	{ 0, REPLY, "reply", { U16("tag", 'R') } },
	{ 0, LONG, "long", { U16("size", 1000) } },
	{ 0, REFUSE, "long", { BOOL("refuse", 1) } },
	{ 0, BURST, "burst", { U16("count", 4), U16("size", 1200), U16("step", 50) } },
	{ 0, POSTPONE, "postpone", { { 0 } } },
	{ 0, FORWARD, "forward", { U32("to", 99) } },
	{ 0, BAD, "bad", { { 0 } } },
	{ 0, MARK1, "mark", { { 0 } } },
	{ 0, MARK2, "mark", { { 0 } } },
	{ 0, TX, "tx", { { 0 } } },
	{ 0, MALFORMED, "malformed", { { 0 } } },
	{ 0, DONE, "rxdone", { { 0 } } },
	{ 1, TOO_LONG, "long", { U16("size", 3600) } },
	{ 1, LONG_3000, "long", { U16("size", LONGEST) } },
	{ 1, BURST_0, "burst", { U16("count", 0) } },
	{ 1, BURST_1, "burst", { U16("count", 1) } },
	{ 1, BURST_16, "burst", { U16("count", 16), U16("size", 1400), U16("step", 10) } },
	{ 1, BURST_17, "burst", { U16("count", 17) } },
	{ 1, BURST_LONG, "burst", { U16("size", LONGEST + 1) } },
	{ 1, BURST_3000, "burst", { U16("count", 2), U16("size", LONGEST), U16("step", 200) } },
	{ 1, BURST_FAIL, "burst", { U16("count", 4), U16("size", 200), U16("step", 60) } },
	{ 1, POSTPONE_9, "postpone", { U16("rounds", 100) } },
	{ 1, POSTPONE_SLOW, "postpone", { U32("delay", 1500), U16("rounds", 100) } },
	{ 1, FORWARD_BACK, "forward", { U32("to", 1) } },
	{ 1, FULL, "full", { { 0 } } },
	{ 1, REPEAT, "repeat", { U16("port", T_LONG), U16("delay", 700) } },
};

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

static struct run runs[2];
static struct pkt in, expected;
static struct run_out out, copy;
static struct ndiv_cpu got, want;
static char fill[4096];			/* see T_FILL */

#define FILLED(index, n)	{ .type = PKT_DATA, .data = { .text = fill + (index), .len = (n) } }

#define BACK_ETH	ETH(.dst = PKT_MAC_CLIENT, .src = PKT_MAC_SERVER)
#define BACK_IP4(...)	IP4(.src = PKT_IP4_SERVER, .dst = PKT_IP4_CLIENT, __VA_ARGS__)
#define BACK_IP6	IP6(.src = PKT_IP6_SERVER, .dst = PKT_IP6_CLIENT)
#define TO(port)	UDP(.dport = (port))
#define FROM(port)	UDP(.sport = (port), .dport = 40000)

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

	/* --- BURST; what becomes of the clones: test_burst() ------------------------------------------------ */
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

	/* --- REPEAT; the copy: test_copy() ------------------------------------------------------------------ */
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

	/* --- POSTPONE; what the agent gets: test_queue() ---------------------------------------------------- */
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

static const char *const verdict_names[NDIV_VERDICTS] = { "NEXT",  "PASS",     "DROP",	  "REPLY",
							  "BURST", "POSTPONE", "FORWARD", "REPEAT" };

/* Every counter of every handler; fails with the name of the first that is wrong. */
static void compare_counters(const char *name, const struct ndiv_cpu *a, const struct ndiv_cpu *b)
{
	int who, i;

	for (who = 0; who < NDIV_HANDLERS_MAX; who++) {
		for (i = 0; i < NDIV_VERDICTS; i++)
			if (memcmp(&a->verdict[who][i], &b->verdict[who][i], sizeof(struct ndiv_count)))
				fail_msg("%s: verdict %s of handler %d: %llu packets, %llu bytes, not %llu, %llu", name,
					 verdict_names[i], who, a->verdict[who][i].packets, a->verdict[who][i].bytes,
					 b->verdict[who][i].packets, b->verdict[who][i].bytes);
		for (i = 0; i < NDIV_REASONS_MAX; i++)
			if (a->reason[who][i] != b->reason[who][i])
				fail_msg("%s: reason %d of handler %d: %llu and not %llu", name, i, who,
					 a->reason[who][i], b->reason[who][i]);
		for (i = 0; i < NDIV_COUNTERS_MAX; i++)
			if (a->counter[who][i] != b->counter[who][i])
				fail_msg("%s: counter %d of handler %d: %llu and not %llu", name, i, who,
					 a->counter[who][i], b->counter[who][i]);
	}
	if (a->sent.packets != b->sent.packets || a->sent.bytes != b->sent.bytes)
		fail_msg("%s: sent %llu packets, %llu bytes, not %llu, %llu", name, a->sent.packets, a->sent.bytes,
			 b->sent.packets, b->sent.bytes);
	if (a->tx_lost != b->tx_lost)
		fail_msg("%s: %llu lost", name, a->tx_lost);
}

static void compare_packet(const char *name, const struct run_out *o, const struct pkt *p)
{
	size_t i;

	if (o->len != p->len)
		fail_msg("%s: packet of %zu bytes and not %zu", name, o->len, p->len);
	for (i = 0; i < p->len; i++)
		if (o->data[i] != p->data[i])
			fail_msg("%s: byte %zu of %zu is %02x and not %02x", name, i, p->len, o->data[i], p->data[i]);
}

/* Puts the chain together; returns how long it is. */
static void use_chain(struct run *r, const enum who *chain)
{
	uint32_t ids[CHAIN_MAX], n;

	for (n = 0; n < CHAIN_MAX && chain[n]; n++)
		ids[n] = chain[n];
	assert_int_equal(run_order(r, ids, n), 0);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* The mark that a refusing driver leaves: for ever, as jiffies go. */
static void set_pressure(struct run *r)
{
	uint32_t key = NDIV_CPU_RX;
	int i;

	for (i = 0; i < r->cpu_count; i++)
		r->values[i].pressure = UINT64_MAX;
	assert_int_equal(bpf_map_update_elem(r->cpus, &key, r->values, 0), 0);
}

static void prepare(struct run *r, const struct row *row)
{
	assert_int_equal(run_reset(r), 0);
	use_chain(r, row->chain);
	r->conf->drop_malformed = row->drop_malformed;
	r->conf->agent_until = row->agent ? now() + 60000000000ULL : 0;
	if (row->pressure)
		set_pressure(r);
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct run *r = &runs[row->set];
	int err;

	prepare(r, row);
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
	compare_counters(row->name, &got, &want);
	if (out.act == XDP_PASS || out.act == XDP_TX || row->verdict == NDIV_FORWARD)
		compare_packet(row->name, &out, &expected);
	if (row->rounds && (!(got.pkt.flags & NDIV_F_AGAIN) || got.pkt.rounds != row->rounds))
		fail_msg("%s: presented again, but rounds are %u", row->name, got.pkt.rounds);
	if (!row->rounds && (got.pkt.flags & NDIV_F_AGAIN || got.pkt.rounds))
		fail_msg("%s: not presented again, but rounds are %u", row->name, got.pkt.rounds);
}

static void test_tx_row(void **state)
{
	const struct tx_row *row = *state;
	struct run *r = &runs[0];

	assert_int_equal(run_reset(r), 0);
	use_chain(r, row->chain);
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
	compare_counters(row->name, &got, &want);
	compare_packet(row->name, &out, &expected);
	if (!(got.pkt.flags & NDIV_F_TX))
		fail_msg("%s: no flag TX", row->name);
	memset(&want, 0, sizeof(want));
	run_sum(r, NDIV_CPU_RX, &got);
	compare_counters("receive path of a sent packet", &got, &want);
}

/* What was learned from a sent packet is known when the answer comes, and not before. */
static void test_learn(void **state)
{
	static const struct pkt_layer answer[] = { IP4(.src = "10.77.0.99"), UDP(.sport = T_LEARN), { 0 } };
	static const struct pkt_layer question[] = { IP4(.dst = "10.77.0.99"), UDP(.dport = T_LEARN), { 0 } };
	const enum who chain[CHAIN_MAX] = { TX };
	struct run *r = &runs[0];

	assert_int_equal(run_reset(r), 0);
	use_chain(r, chain);
	pkt_build(&in, answer);
	assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	assert_int_equal(out.act, XDP_DROP);
	pkt_build(&in, question);
	assert_int_equal(run_tx(r, in.data, in.len, &out), 0);
	pkt_build(&in, answer);
	assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	assert_int_equal(out.act, XDP_PASS);
}

/* One packet of a burst, as the builder of the test handlers makes it. */
static void expect_copy(struct pkt *p, int index, size_t len)
{
	const struct pkt_layer layers[] = { BACK_ETH, VLAN(.tci = 10), BACK_IP4(), FROM(T_BURST),
					    FILLED(index, len - 46), BAD_SUM(SUM_NONE), { 0 } };

	pkt_build(p, layers);
}

struct burst_case {
	const char *name;
	int	set;
	enum who who;
	int	count, size, step;
};

static const struct burst_case burst_of_four = { "clones of a burst", 0, BURST, 4, 1200, 50 };

/* Runs the copy program on <from> as often as the kernel would, spare clone included. Returns how many packets it made.
 */
static int run_copies(struct run *r, const struct burst_case *c, const struct run_out *from)
{
	int i, made = 0;

	for (i = 0; i <= c->count; i++) {
		if (run_copy(r, from, &copy))
			fail_msg("%s: copy %d: test run failed", c->name, i);
		if (copy.act == XDP_DROP)
			continue;
		if (copy.act != XDP_PASS || copy.meta)
			fail_msg("%s: copy %d: action %d, %zu bytes of metadata", c->name, i, copy.act, copy.meta);
		if (i >= c->count)
			fail_msg("%s: copy %d is one too many", c->name, i);
		made++;
		expect_copy(&expected, i, c->size - i * c->step);
		compare_packet(c->name, &copy, &expected);
	}
	return made;
}

/* The clones of a burst, spare one included; twice, so that the second burst begins to count anew. */
static void test_burst(void **state)
{
	static const struct pkt_layer ask[] = { VLAN(.tci = 10), IP4(), TO(T_BURST), DATA(30), { 0 } };
	const struct burst_case *c = *state;
	const enum who chain[CHAIN_MAX] = { c->who };
	struct run *r = &runs[c->set];
	uint64_t bytes = 0;
	int i, n;

	assert_int_equal(run_reset(r), 0);
	use_chain(r, chain);
	pkt_build(&in, ask);
	for (n = 0; n < 2; n++) {
		assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
		if (out.act != XDP_REDIRECT || out.meta != sizeof(struct ndiv_meta))
			fail_msg("%s: action %d, %zu bytes of metadata", c->name, out.act, out.meta);
		if (run_copies(r, c, &out) != c->count)
			fail_msg("%s: not %d packets", c->name, c->count);
	}
	for (i = 0; i < c->count; i++)
		bytes += 2 * (c->size - i * c->step);
	run_sum(r, NDIV_CPU_RX, &got);
	if (got.sent.packets != 2ULL * c->count || got.sent.bytes != bytes)
		fail_msg("%s: sent %llu packets, %llu bytes", c->name, got.sent.packets, got.sent.bytes);
	if (got.verdict[c->who][NDIV_BURST].packets != 2)
		fail_msg("%s: %llu bursts", c->name, got.verdict[c->who][NDIV_BURST].packets);
}

/* Two bursts of one poll: the packet at hand has changed when their copies are made, all that counts is in the
 * metadata. */
static void test_two_bursts(void **state)
{
	static const struct pkt_layer ask[] = { VLAN(.tci = 10), IP4(), TO(T_BURST), DATA(30), { 0 } };
	const enum who chain[CHAIN_MAX] = { BURST };
	static const struct pkt_layer another[] = { IP6(), TCP(), DATA(60), { 0 } };
	static struct run_out first, second;
	struct run *r = &runs[0];
	static struct pkt other;

	assert_int_equal(run_reset(r), 0);
	use_chain(r, chain);
	pkt_build(&in, ask);
	pkt_build(&other, another);
	assert_int_equal(run_rx(r, in.data, in.len, &first), 0);
	assert_int_equal(run_rx(r, in.data, in.len, &second), 0);
	assert_int_equal(run_rx(r, other.data, other.len, &out), 0);
	assert_int_equal(run_copies(r, &burst_of_four, &first), 4);
	assert_int_equal(run_copies(r, &burst_of_four, &second), 4);
}

/* A builder that refuses some of its packets: these are counted, the others are sent. */
static void test_burst_fails(void **state)
{
	static const struct pkt_layer ask[] = { VLAN(.tci = 10), IP4(), TO(T_BURST), DATA(30), { 0 } };
	/* 200, 140, 80 bytes; the fourth would have 20, which is no packet */
	const struct burst_case failing = { "burst that fails", 1, BURST_FAIL, 3, 200, 60 };
	const enum who chain[CHAIN_MAX] = { BURST_FAIL };
	struct run *r = &runs[1];

	assert_int_equal(run_reset(r), 0);
	use_chain(r, chain);
	pkt_build(&in, ask);
	assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	assert_int_equal(run_copies(r, &failing, &out), 3);
	run_sum(r, NDIV_CPU_RX, &got);
	assert_int_equal(got.reason[CORE][NDIV_R_BUILD], 1);
	assert_int_equal(got.sent.packets, 3);
}

/* A frame that is forwarded to this interface meets the copy program, too: it goes as it is. */
static void test_foreign_copy(void **state)
{
	static const struct pkt_layer frame[] = { IP4(), TO(T_ACCEPT), DATA(30), { 0 } };
	struct run *r = &runs[0];

	pkt_build(&in, frame);
	assert_int_equal(run_reset(r), 0);
	memcpy(out.buf, in.data, in.len);
	out.data = out.buf;
	out.len = in.len;
	out.meta = 0;
	assert_int_equal(run_copy(r, &out, &copy), 0);
	assert_int_equal(copy.act, XDP_PASS);
	compare_packet("foreign copy", &copy, &in);
	run_sum(r, NDIV_CPU_RX, &got);
	memset(&want, 0, sizeof(want));
	compare_counters("foreign copy", &got, &want);
}

/* Where there is no room for metadata, it travels in the frame. */
static void test_no_meta(void **state)
{
	static const struct pkt_layer ask[] = { VLAN(.tci = 10), IP4(), TO(T_BURST), DATA(126), { 0 } };
	const struct burst_case c = { "no room for metadata", 1, BURST_16, 16, 1400, 10 };
	const enum who chain[CHAIN_MAX] = { FULL, BURST_16 };
	struct run *r = &runs[1];

	assert_int_equal(run_reset(r), 0);
	use_chain(r, chain);
	pkt_build(&in, ask);
	assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	run_sum(r, NDIV_CPU_RX, &got);
	memset(&want, 0, sizeof(want));
	want.seq = 1;
	want.verdict[FULL][NDIV_NEXT] = (struct ndiv_count){ 1, in.len - 96 };
	want.verdict[BURST_16][NDIV_BURST] = (struct ndiv_count){ 1, in.len - 96 };
	compare_counters("no room for metadata", &got, &want);
	assert_int_equal(out.act, XDP_REDIRECT);
	/* a driver has no metadata, or all of it: none is given to the next test run, which allows less */
	assert_memory_equal(out.data, run_seal, sizeof(run_seal));
	memmove(out.buf, out.data, out.len);
	out.data = out.buf;
	out.meta = 0;
	assert_int_equal(run_copies(r, &c, &out), 16);
}

/* Somebody's packet that looks like it, but for one bit of the seal: it goes as it is. */
static void test_wrong_seal(void **state)
{
	static const struct pkt_layer ask[] = { VLAN(.tci = 10), IP4(), TO(T_BURST), DATA(126), { 0 } };
	const enum who chain[CHAIN_MAX] = { FULL, BURST_16 };
	struct run *r = &runs[1];
	static struct run_out forged;
	size_t byte;

	assert_int_equal(run_reset(r), 0);
	use_chain(r, chain);
	pkt_build(&in, ask);
	assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	for (byte = 0; byte < sizeof(run_seal); byte++) {
		forged.len = out.len;
		forged.data = forged.buf;
		memcpy(forged.buf, out.data, out.len);
		forged.buf[byte] ^= 0x10;
		assert_int_equal(run_copy(r, &forged, &copy), 0);
		assert_int_equal(copy.act, XDP_PASS);
		assert_int_equal(copy.len, forged.len);
		assert_memory_equal(copy.data, forged.data, forged.len);
	}
}

struct queued {
	int	count;
	struct ndiv_postponed head;
	uint8_t	data[NDIV_POSTPONE_LEN];
	size_t	len;
};

static int take(void *ctx, void *data, size_t len)
{
	struct queued *q = ctx;

	q->count++;
	memcpy(&q->head, data, sizeof(q->head));
	q->len = len - sizeof(q->head);
	memcpy(q->data, (char *)data + sizeof(q->head), q->len);
	return 0;
}

static struct ring_buffer *open_queue(struct run *r, struct queued *q)
{
	struct bpf_map *map = bpf_object__find_map_by_name(r->core, "ndiv_queue");
	struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(map), take, q, NULL);

	assert_non_null(ring);
	ring_buffer__consume(ring);	/* what other tests left */
	q->count = 0;
	return ring;
}

/* What the agent gets of a postponed packet, bit by bit. */
static void test_queue(void **state)
{
	static const struct pkt_layer ask[] = { IP4(), TO(T_POSTPONE), DATA(77), { 0 } };
	const struct row row = { .chain = { POSTPONE_SLOW }, .agent = 1 };
	static struct queued q;
	struct run *r = &runs[1];
	struct ring_buffer *ring = open_queue(r, &q);
	uint64_t before, after;

	prepare(r, &row);
	pkt_build(&in, ask);
	before = now();
	assert_int_equal(run_again(r, in.data, in.len, 3, &out), 0);
	after = now();
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	assert_int_equal(q.count, 1);
	assert_int_equal(q.head.rounds, 4);
	assert_int_equal(q.head.ifindex, 1);
	assert_int_equal(q.head.len, in.len);
	assert_true(q.len >= in.len);
	assert_memory_equal(q.data, in.data, in.len);
	assert_in_range(q.head.due, before + 1500000000ULL, after + 1500000000ULL);
}

/* What the agent gets of a repeated packet: it as it was, whatever became of it afterwards. */
static void test_copy(void **state)
{
	static const struct pkt_layer ask[] = { IP4(), TO(T_LONG), DATA(77), { 0 } };
	const struct row row = { .chain = { REPEAT, LONG_3000 }, .agent = 1 };
	static struct queued q;
	struct run *r = &runs[1];
	struct ring_buffer *ring = open_queue(r, &q);
	uint64_t before, after;

	prepare(r, &row);
	pkt_build(&in, ask);
	before = now();
	assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	after = now();
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	assert_int_equal(out.act, XDP_TX);
	assert_int_equal(q.count, 1);
	assert_int_equal(q.head.rounds, 1);
	assert_int_equal(q.head.len, in.len);
	assert_memory_equal(q.data, in.data, in.len);
	assert_in_range(q.head.due, before + 700000000ULL, after + 700000000ULL);
}

/* More than the queue holds: what does not fit is dropped and counted; each packet is counted once. */
static void test_queue_full(void **state)
{
	static const struct pkt_layer ask[] = { IP4(), TO(T_POSTPONE), DATA(3000), { 0 } };
	const struct row row = { .chain = { POSTPONE_SLOW }, .agent = 1 };
	static struct queued q;
	struct run *r = &runs[1];
	struct ring_buffer *ring = open_queue(r, &q);
	int i, n = 2000;

	prepare(r, &row);
	pkt_build(&in, ask);
	for (i = 0; i < n; i++)
		assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	run_sum(r, NDIV_CPU_RX, &got);
	assert_true(got.reason[CORE][NDIV_R_POSTPONE_FULL] > 0);
	assert_int_equal(got.reason[CORE][NDIV_R_POSTPONE_FULL], got.verdict[POSTPONE_SLOW][NDIV_DROP].packets);
	assert_int_equal(got.verdict[POSTPONE_SLOW][NDIV_DROP].packets +
			 got.verdict[POSTPONE_SLOW][NDIV_POSTPONE].packets, n);
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	assert_int_equal(q.count, got.verdict[POSTPONE_SLOW][NDIV_POSTPONE].packets);
}

/* rx_done: once for each poll that brought packets, with their number; not for other polls. */
static void test_rx_done(void **state)
{
	static const struct pkt_layer any[] = { IP4(), TO(53), { 0 } };
	static const int batches[] = { 1, 5, 0, 64, 0, 0, 2 };
	const enum who chain[CHAIN_MAX] = { DONE };
	struct run *r = &runs[0];
	size_t b;
	int i;

	assert_int_equal(run_reset(r), 0);
	use_chain(r, chain);
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
	struct run *r = &runs[0];
	int i;

	assert_int_equal(run_reset(r), 0);
	use_chain(r, chain);
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
	struct run *r = &runs[0];
	uint32_t slot = NDIV_SLOT_NEXT;

	assert_int_equal(run_reset(r), 0);
	use_chain(r, (enum who[CHAIN_MAX]){ 0 });
	assert_int_equal(bpf_map_delete_elem(r->chain, &slot), 0);
	pkt_build(&in, any);
	assert_int_equal(run_rx(r, in.data, in.len, &out), 0);
	assert_int_equal(out.act, XDP_DROP);
	run_sum(r, NDIV_CPU_RX, &got);
	assert_int_equal(got.reason[CORE][NDIV_R_CHAIN], 1);
}

static int load(struct run *r, int set)
{
	const struct instance *i;
	char name[64];
	size_t n;

	if (run_open(r, NULL))
		return -1;
	for (n = 0; n < sizeof(instances) / sizeof(instances[0]); n++) {
		i = &instances[n];
		if (i->set != set)
			continue;
		snprintf(name, sizeof(name), "t/handlers/%s.bpf.o", i->object);
		if (run_add(r, run_path(name), i->options) != (int)i->who)
			return -1;
	}
	return 0;
}

static int open_runs(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(fill); i++)
		fill[i] = T_FILL(0, i);
	return load(&runs[0], 0) || load(&runs[1], 1);
}

static int close_runs(void **state)
{
	run_close(&runs[0]);
	run_close(&runs[1]);
	return 0;
}

static const struct burst_case bursts[] = {
	{ "clones of a burst of four", 0, BURST, 4, 1200, 50 },
	{ "clones of a burst of one", 1, BURST_1, 1, 1200, 50 },
	{ "clones of a burst of sixteen", 1, BURST_16, 16, 1400, 10 },
	{ "clones of a burst of the longest", 1, BURST_3000, 2, LONGEST, 200 },
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(test_learn),	     cmocka_unit_test(test_two_bursts),
		cmocka_unit_test(test_burst_fails),  cmocka_unit_test(test_foreign_copy),
		cmocka_unit_test(test_no_meta),	     cmocka_unit_test(test_wrong_seal),
		cmocka_unit_test(test_queue),	     cmocka_unit_test(test_copy),
		cmocka_unit_test(test_queue_full),
		cmocka_unit_test(test_rx_done),	     cmocka_unit_test(test_sample),
		cmocka_unit_test(test_empty_slot),
	};
	static struct CMUnitTest tests[COUNT(rows) + COUNT(tx_rows) + COUNT(bursts) + COUNT(others)];
	size_t i, n = 0;

	for (i = 0; i < COUNT(rows); i++)
		tests[n++] = (struct CMUnitTest){ rows[i].name, test_row, NULL, NULL, (void *)&rows[i] };
	for (i = 0; i < COUNT(tx_rows); i++)
		tests[n++] = (struct CMUnitTest){ tx_rows[i].name, test_tx_row, NULL, NULL, (void *)&tx_rows[i] };
	for (i = 0; i < COUNT(bursts); i++)
		tests[n++] = (struct CMUnitTest){ bursts[i].name, test_burst, NULL, NULL, (void *)&bursts[i] };
	memcpy(tests + n, others, sizeof(others));
	return _cmocka_run_group_tests("verdict", tests, COUNT(tests), open_runs, close_runs);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * load - a load source for HTTP servers, without a connection table
 *
 * The client's end of httpd: each answer makes the next packet. A SYN-ACK makes the request, in the handshake's last
 * ACK; an answer the next request; the server's FIN ours; the ACK of that the SYN of the next connection. What has to
 * be remembered is in sequence numbers and timestamps, which the server tells again: see load.h. Packets that are lost
 * take their connection with them, unless the server repeats itself; the user side counts those that are alive, once a
 * round, and begins others for those that are not.
 */
#include <ndiv/handler.h>
#include <ndiv/csum.h>
#include "load.h"
#include "load_conn.h"
#include "load_answer.h"
#include "load_packet.h"

#define U32_OPTION(field, low, high)                                                                                   \
	{                                                                                                              \
		.name = #field, .help = "see bench/load.h", .type = NDIV_OPT_U32,                                      \
		.offset = offsetof(struct load_config, field), .min = low, .max = high                                 \
	}

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "load",
	.about = "load source for HTTP servers; bench/load starts it",
	.counters = {
		[LOAD_SYN] = "syn",
		[LOAD_SYNACK] = "syn-ack",
		[LOAD_REQUEST] = "request",
		[LOAD_RESPONSE] = "response",
		[LOAD_ALIVE] = "alive",
		[LOAD_FIN] = "fin",
		[LOAD_RESET] = "reset",
		[LOAD_RETIRED] = "retired",
		[LOAD_STALE] = "stale",
		[LOAD_WRONG_STATUS] = "wrong-status",
		[LOAD_WRONG_HEADER] = "wrong-header",
		[LOAD_WRONG_BODY] = "wrong-body",
		[LOAD_WRONG_SEQ] = "wrong-seq",
		[LOAD_WRONG_SHORT] = "wrong-short",
		[LOAD_WRONG_ACK] = "wrong-ack",
	},
	.reasons = {
		[LOAD_R_ACK] = "ack",
		[LOAD_R_RST] = "rst",
		[LOAD_R_CHECKSUM] = "bad-checksum",
		[LOAD_R_FLAGS] = "flags",
		[LOAD_R_NO_STAMP] = "no-timestamp",
		[LOAD_R_END] = "end",
		[LOAD_R_WAIT] = "wait-for-fin",
	},
	.options = {
		{ .name = "port", .help = "the server's port", .type = NDIV_OPT_U16,
		  .offset = offsetof(struct load_config, port), .min = 1, .max = 65535 },
		{ .name = "ports", .help = "the client's ports", .type = NDIV_OPT_PORTS,
		  .offset = offsetof(struct load_config, ports) },
		{ .name = "timestamps", .help = "offer them, and check sequence numbers by them",
		  .type = NDIV_OPT_BOOL, .offset = offsetof(struct load_config, stamps) },
		U32_OPTION(size, LOAD_BODY_MIN, LOAD_BODY_MAX),
		U32_OPTION(step, LOAD_STEP, LOAD_TEXT_MAX),
		U32_OPTION(limit, LOAD_STEP, LOAD_POS_MASK),
	},
};

/* Counts the connection, if it was not yet in round <mark>. */
static __always_inline void count_alive(struct ndiv_pkt *pkt, __u32 mark, __u32 pos)
{
	if (LOAD_MARK(pos) != mark)
		ndiv_count(pkt, LOAD_ALIVE);
}

/* Takes one off the surplus; 0 if there is none. */
static __always_inline int is_surplus(struct load_live *live)
{
	if (live->surplus <= 0)
		return 0;
	__sync_fetch_and_add(&live->surplus, -1);
	return 1;
}

static __always_inline enum ndiv_verdict reset(struct ndiv_pkt *pkt, const struct seen *seen, __u32 counter)
{
	struct load_args *args = ndiv_args(pkt);

	ndiv_count(pkt, counter);
	args->kind = LOAD_K_RST;
	args->seq = seen->ack;
	args->tsval = seen->tsecr;
	return packet_reply(pkt, args);
}

/* The next request; <next>: bytes that the server has said with this packet. */
static __always_inline enum ndiv_verdict request(struct ndiv_pkt *pkt, struct load_live *live, const struct seen *seen,
						 __u32 next)
{
	__u32 mark = mark_now(live), last = (seen->pos & LOAD_POS_MASK) + config.step >= config.limit;
	struct load_args *args = ndiv_args(pkt);

	count_alive(pkt, mark, seen->pos);
	ndiv_count(pkt, LOAD_REQUEST);
	args->kind = LOAD_K_REQUEST;
	args->text = last << 6 | ((mark - LOAD_MARK(seen->pos)) & (LOAD_MOVES - 1));
	args->seq = seen->ack;
	args->ack = seen->seq + next;
	/* The low 24 bits of our timestamp are those of the server's next sequence number. */
	args->tsval = seen->tsecr + ((args->ack - seen->tsecr) & LOAD_POS_MASK);
	return packet_reply(pkt, args);
}

static __always_inline enum ndiv_verdict take_synack(struct ndiv_pkt *pkt, struct load_live *live,
						     const struct seen *seen)
{
	if (seen->pos & 1 || (seen->pos & LOAD_POS_MASK) >= LOAD_STEP)
		return reset(pkt, seen, LOAD_WRONG_ACK);
	ndiv_count(pkt, LOAD_SYNACK);
	if (live->stop || is_surplus(live))
		return reset(pkt, seen, LOAD_RETIRED);
	return request(pkt, live, seen, 1);
}

/* Both sides have closed: the next connection. */
static __always_inline enum ndiv_verdict begin(struct ndiv_pkt *pkt, struct load_live *live, const struct seen *seen)
{
	struct load_args *args = ndiv_args(pkt);
	__u32 mark = mark_now(live);
	struct conn_begin next;

	ndiv_count(pkt, LOAD_FIN);
	if (live->stop || is_surplus(live))
		return ndiv_drop(pkt, LOAD_R_END);
	count_alive(pkt, mark, seen->pos);
	ndiv_count(pkt, LOAD_SYN);
	conn_begin(live, &config, mark, &next);
	args->kind = LOAD_K_SYN;
	args->seq = next.seq;
	args->port = next.port;
	args->tsval = next.tsval;
	args->tsecr = 0;
	return packet_reply(pkt, args);
}

static __always_inline enum ndiv_verdict take_fin(struct ndiv_pkt *pkt, const struct seen *seen)
{
	struct load_args *args = ndiv_args(pkt);

	args->kind = LOAD_K_FIN;
	args->seq = seen->ack;
	args->ack = seen->seq + seen->len + 1;
	args->tsval = seen->tsecr + seen->len + 1;
	return packet_reply(pkt, args);
}

static __always_inline enum ndiv_verdict take_answer(struct xdp_md *ctx, struct ndiv_pkt *pkt, struct load_live *live,
						     const struct seen *seen)
{
	__u32 pos = seen->pos & LOAD_POS_MASK;
	int wrong;

	if (pos < LOAD_STEP || seen->pos & 1)
		return reset(pkt, seen, LOAD_WRONG_ACK);
	if (config.stamps && (seen->tsecr ^ seen->seq) & LOAD_POS_MASK)
		return reset(pkt, seen, LOAD_WRONG_SEQ);
	wrong = answer_check(ctx, pkt, config.size, seen->seq);
	/* The compiler knows what it may return; the verifier does not, and needs the bounds that would be left out. */
	barrier_var(wrong);
	if (wrong)
		return reset(pkt, seen, wrong);
	ndiv_count(pkt, LOAD_RESPONSE);
	if (seen->flags & TCP_FIN)
		return take_fin(pkt, seen);
	if (live->stop || is_surplus(live))
		return reset(pkt, seen, LOAD_RETIRED);
	if (pos >= config.limit)
		return ndiv_drop(pkt, LOAD_R_WAIT);
	return request(pkt, live, seen, seen->len);
}

static __always_inline enum ndiv_verdict take(struct xdp_md *ctx, struct ndiv_pkt *pkt, struct load_live *live,
					      const struct seen *seen)
{
	if (!conn_is_ours(live, seen->pos))
		return reset(pkt, seen, LOAD_STALE);
	if (seen->flags & TCP_SYN)
		return take_synack(pkt, live, seen);
	if (seen->len)
		return take_answer(ctx, pkt, live, seen);
	if (seen->pos & 1)
		return begin(pkt, live, seen);
	if (seen->flags & TCP_FIN)
		return take_fin(pkt, seen);
	return ndiv_drop(pkt, LOAD_R_ACK);
}

static __always_inline enum ndiv_verdict load_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	struct load_args *args = ndiv_args(pkt);
	struct load_live *live = live_get();
	struct seen seen;
	int bad;

	if (!live || !packet_is_ours(ctx, pkt))
		return NDIV_NEXT;
	if (!ndiv_l4_verify(ctx, pkt))
		return ndiv_drop(pkt, LOAD_R_CHECKSUM);
	bad = packet_read(ctx, pkt, &seen);
	if (bad == LOAD_R_RST)
		ndiv_count(pkt, LOAD_RESET);
	if (bad)
		return ndiv_drop(pkt, bad);
	args->tsecr = seen.tsval;
	return take(ctx, pkt, live, &seen);
}

SEC("xdp.frags")
int load(struct xdp_md *ctx)
{
	return ndiv_run(ctx, load_handle, packet_build);
}

SEC("xdp.frags/devmap")
int load_clone(struct xdp_md *ctx)
{
	return ndiv_run_clone(ctx, packet_build);
}

SEC("tc")
int load_skb(struct __sk_buff *skb)
{
	return ndiv_run_skb(skb, packet_build);
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * core.bpf.c - the datapath, in the order a packet meets it
 *
 *	entry -> handlers, by tail calls through ndiv_chain -> verdict
 *
 * This file holds the programs; what they do is in the headers beside it: parse.h, hints.h, reply.h, postpone.h,
 * pressure.h, egress.h, generic.h, reset.h.
 */
#include "maps.h"
#include "parse.h"
#include "hints.h"
#include "reply.h"
#include "postpone.h"
#include "pressure.h"
#include "egress.h"
#include "generic.h"
#include "reset.h"

char _license[] SEC("license") = "GPL";

/* Every now and then a packet's handlers are timed; then the clock is timed, too. */
static __always_inline __u32 sample(struct ndiv_cpu *cpu)
{
	__u64 t;

	if (cpu->seq & ndiv_conf.sample)
		return 0;
	t = bpf_ktime_get_ns();
	cpu->clock.ns += bpf_ktime_get_ns() - t;
	cpu->clock.calls++;
	return NDIV_F_TIMED;
}

/* Parses, and calls the first handler of the right chain. What was known before is in pkt: flags, rounds. */
static __always_inline int parse(struct xdp_md *ctx, struct ndiv_cpu *cpu)
{
	struct ndiv_pkt *pkt = &cpu->pkt;
	struct cursor cur = {
		.data = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
		.len = bpf_xdp_get_buff_len(ctx),
	};

	pkt->len = cur.len;
	pkt->proto = 0;
	pkt->verdict = NDIV_NEXT;
	pkt->handler = 0;
	pkt->out_len = 0;
	pkt->out_count = 0;
	pkt->reason = ndiv_parse(&cur, pkt);
	pkt->path = ndiv_conf.bank;
	if (pkt->reason) {
		pkt->flags |= NDIV_F_MALFORMED;
		pkt->path |= NDIV_PATH_MALFORMED;
		cpu->counter[0][pkt->reason & (NDIV_COUNTERS_MAX - 1)]++;
	}
	ndiv_jump(ctx, &ndiv_chain, 0, pkt->path);
	cpu->reason[0][NDIV_R_CHAIN]++;
	return XDP_DROP;
}

/* <flags> and <rounds>: what is known already. Where packets are captured, the tap goes on to ndiv_parse_pkt. */
static __always_inline int enter(struct xdp_md *ctx, struct ndiv_cpu *cpu, __u32 flags, __u8 rounds)
{
	struct ndiv_pkt *pkt = &cpu->pkt;

	cpu->seq++;
	pkt->flags = flags | sample(cpu);
	pkt->rounds = rounds;
	bpf_tail_call_static(ctx, &ndiv_taps, NDIV_TAP_RX);
	return parse(ctx, cpu);
}

/* The rest of the entry, behind its tap. */
SEC("xdp.frags")
int ndiv_parse_pkt(struct xdp_md *ctx)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);

	return cpu ? parse(ctx, cpu) : XDP_ABORTED;
}

/* In generic mode, a postponed packet comes here again as an skb, right behind ndiv_entry_again on this CPU. */
static __always_inline int enter_again(struct xdp_md *ctx, struct ndiv_cpu *cpu)
{
	__u8 rounds = cpu->again - 1;

	cpu->again = 0;
	return enter(ctx, cpu, NDIV_F_AGAIN, rounds);
}

/* The first program of every packet, attached to the interface. */
SEC("xdp.frags")
int ndiv_entry(struct xdp_md *ctx)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);

	if (!cpu)
		return XDP_ABORTED;
	if (ndiv_self.generic && cpu->again)
		return enter_again(ctx, cpu);
	return enter(ctx, cpu, 0, 0);
}

/* The same for kernels and drivers with metadata kfuncs: bound to the device, so it can not be test-run. */
SEC("xdp.frags")
int ndiv_entry_hints(struct xdp_md *ctx)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);

	return cpu ? enter(ctx, cpu, hints(ctx, &cpu->pkt), 0) : XDP_ABORTED;
}

/*
 * The same for a postponed packet that the agent presents again. In generic mode it only makes an skb of it, on which
 * the kernel runs ndiv_entry: the chain must not see it here, and then once more.
 */
SEC("xdp.frags")
int ndiv_entry_again(struct xdp_md *ctx)
{
	struct ndiv_again *again = (void *)(long)ctx->data_meta;
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);
	__u8 rounds = 0;

	if ((void *)(again + 1) <= (void *)(long)ctx->data && again->magic == NDIV_META_AGAIN)
		rounds = again->rounds;
	bpf_xdp_adjust_meta(ctx, sizeof(*again));
	if (cpu && ndiv_self.generic) {
		cpu->again = rounds + 1;
		return XDP_PASS;
	}
	return cpu ? enter(ctx, cpu, NDIV_F_AGAIN, rounds) : XDP_ABORTED;
}

static __always_inline void count(struct ndiv_cpu *cpu, __u32 verdict)
{
	__u32 handler = cpu->pkt.handler & (NDIV_HANDLERS_MAX - 1);
	struct ndiv_count *c;

	verdict &= NDIV_VERDICTS - 1;
	c = &cpu->verdict[handler][verdict];
	c->packets++;
	c->bytes += cpu->pkt.len;
	cpu->pkt.outcome = NDIV_OUTCOME(handler, verdict);
}

/* <handler> and <reason> say why. */
static __always_inline int drop(struct ndiv_cpu *cpu, __u32 handler, __u32 reason)
{
	handler &= NDIV_HANDLERS_MAX - 1;
	reason &= NDIV_REASONS_MAX - 1;
	cpu->reason[handler][reason]++;
	count(cpu, NDIV_DROP);
	cpu->pkt.outcome = NDIV_OUTCOME_DROPPED(handler, reason);
	return XDP_DROP;
}

/* The end of the chain: no handler wanted the packet. */
static __always_inline int unclaimed(struct ndiv_cpu *cpu)
{
	struct ndiv_pkt *pkt = &cpu->pkt;

	if (pkt->flags & NDIV_F_MALFORMED && ndiv_conf.drop_malformed)
		return drop(cpu, 0, pkt->reason);
	count(cpu, NDIV_PASS);
	return XDP_PASS;
}

static __always_inline int reply(struct xdp_md *ctx, struct ndiv_cpu *cpu)
{
	struct ndiv_pkt *pkt = &cpu->pkt;
	int reason;

	if (!(pkt->flags & NDIV_F_CLONE) && pkt->verdict == NDIV_REPLY) {
		count(cpu, NDIV_REPLY);
		cpu->sent.packets++;
		cpu->sent.bytes += bpf_xdp_get_buff_len(ctx);
		return XDP_TX;
	}
	reason = clone(ctx, cpu);
	if (reason)
		return drop(cpu, 0, reason);
	count(cpu, pkt->verdict);
	return ndiv_self.generic ? XDP_PASS : XDP_REDIRECT;
}

static __always_inline int forward(struct xdp_md *ctx, struct ndiv_cpu *cpu)
{
	__u32 ifindex = cpu->pkt.param;

	count(cpu, NDIV_FORWARD);
	cpu->sent.packets++;
	cpu->sent.bytes += cpu->pkt.len;
	/* Not by redirect: its queue may hold clones, whose program this packet would meet. */
	if (ifindex == ndiv_self.ifindex)
		return XDP_TX;
	return bpf_redirect(ifindex, 0);
}

static __always_inline int carry_out(struct xdp_md *ctx, struct ndiv_cpu *cpu)
{
	switch (cpu->pkt.verdict) {
	case NDIV_NEXT:
		return unclaimed(cpu);
	case NDIV_PASS:
		count(cpu, NDIV_PASS);
		return XDP_PASS;
	case NDIV_DROP:
		return drop(cpu, cpu->pkt.handler, cpu->pkt.reason);
	case NDIV_REFUSED:
		return drop(cpu, 0, NDIV_R_BUILD);
	case NDIV_REPLY:
	case NDIV_BURST:
		return reply(ctx, cpu);
	case NDIV_FORWARD:
		return forward(ctx, cpu);
	case NDIV_POSTPONE:
		bpf_tail_call_static(ctx, &ndiv_chain, NDIV_SLOT_POSTPONE);
		return drop(cpu, 0, NDIV_R_CHAIN);
	case NDIV_REPEAT:
		bpf_tail_call_static(ctx, &ndiv_chain, NDIV_SLOT_REPEAT);
		return drop(cpu, 0, NDIV_R_CHAIN);
	}
	return drop(cpu, 0, NDIV_R_VERDICT);
}

/* Where packets are captured, the tap returns <act> instead. */
static __always_inline int finish(struct xdp_md *ctx, struct ndiv_cpu *cpu, int act)
{
	cpu->pkt.outcome |= act << 16;
	bpf_tail_call_static(ctx, &ndiv_taps, NDIV_TAP_VERDICT);
	return act;
}

/* The last program of every packet: the only place where verdicts are counted and carried out. */
SEC("xdp.frags")
int ndiv_verdict(struct xdp_md *ctx)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);

	return cpu ? finish(ctx, cpu, carry_out(ctx, cpu)) : XDP_ABORTED;
}

/* Verdict POSTPONE, which has a program of its own: it is large, and seldom. */
SEC("xdp.frags")
int ndiv_postpone_pkt(struct xdp_md *ctx)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);
	int reason;

	if (!cpu)
		return XDP_ABORTED;
	reason = postpone(ctx, &cpu->pkt);
	if (reason)
		drop(cpu, 0, reason);
	else
		count(cpu, NDIV_POSTPONE);
	return finish(ctx, cpu, XDP_DROP);
}

/*
 * Verdict REPEAT: a copy goes to the agent, the packet to what comes after the handler. Without the copy, for which
 * there is a reason, that is a NEXT. The slot is a variable here: each handler's program jumps to its own only.
 */
SEC("xdp.frags")
int ndiv_repeat_pkt(struct xdp_md *ctx)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);
	struct ndiv_pkt *pkt;
	__u32 slot;
	int reason;

	if (!cpu)
		return XDP_ABORTED;
	pkt = &cpu->pkt;
	reason = postpone(ctx, pkt);
	if (reason)
		cpu->reason[0][reason & (NDIV_REASONS_MAX - 1)]++;
	count(cpu, reason ? NDIV_NEXT : NDIV_REPEAT);
	slot = NDIV_SLOT_NEXT + pkt->handler * NDIV_PATHS + pkt->path;
	pkt->verdict = NDIV_NEXT;
	pkt->handler = 0;
	pkt->out_count = 0;
	bpf_tail_call(ctx, &ndiv_chain, slot);
	cpu->reason[0][NDIV_R_CHAIN]++;
	return XDP_DROP;
}

/*
 * Runs for each frame that leaves through one of the devmaps, when the driver's batch is sent: turns clones into
 * packets. A frame without our metadata was forwarded to this interface in the same batch.
 */
SEC("xdp.frags/devmap")
int ndiv_copy(struct xdp_md *ctx)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);
	__u32 handler;
	int act;

	if (!cpu)
		return XDP_DROP;
	act = copy_begin(ctx, cpu, &handler);
	if (act != XDP_TX)
		return act;
	bpf_tail_call(ctx, &ndiv_clone, handler);
	cpu->reason[0][NDIV_R_CHAIN]++;
	return XDP_DROP;
}

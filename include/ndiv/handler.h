/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * handler.h - the API for packet handlers
 *
 * A handler is a BPF object with a program that ndiv calls for each packet which an interface receives, in the
 * network driver, before the kernel builds an skb. handlers/template/ holds one of 40 lines to start from;
 * docs/tutorial.md leads from nothing to a running one.
 *
 *	#include <ndiv/handler.h>
 *
 *	const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = { .abi = NDIV_ABI, .name = "hello" };
 *
 *	static __always_inline enum ndiv_verdict hello_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
 *	{
 *		return NDIV_NEXT;
 *	}
 *
 *	SEC("xdp.frags")
 *	int hello(struct xdp_md *ctx)
 *	{
 *		return ndiv_run(ctx, hello_handle, NULL);
 *	}
 *
 *	char _license[] SEC("license") = "GPL";
 *
 * What is guaranteed when the handler is called
 *	- The packet has been parsed: <pkt> holds offsets, lengths and flags (abi.h, struct ndiv_pkt). A flag of a
 *	  protocol means that its fixed header is whole, within the linear part and consistent: with NDIV_F_IPV4 the
 *	  header length, total length and checksum are right; with NDIV_F_TCP the data offset is; with NDIV_F_UDP the
 *	  length is. Lengths come from the IP header, so padding of short frames is beyond pkt->end.
 *	- Malformed packets do not come, unless ndiv_info.want has NDIV_WANT_MALFORMED.
 *	- The L4 checksum has not been verified: call ndiv_l4_verify() before a packet is answered or trusted.
 *	- It runs in softirq context and is not interrupted by another packet on the same CPU.
 *
 * What each verdict does, and what it counts, is in docs/handler-api.md and beside enum ndiv_verdict. Each counts
 * one packet and pkt->len bytes for this handler and this CPU; NDIV_DROP also counts its reason.
 *
 * Pointers into the packet (from ndiv_ptr()) are invalid after: bpf_xdp_adjust_head(), bpf_xdp_adjust_tail(),
 * bpf_xdp_adjust_meta(), ndiv_set_len(), and any helper that the kernel documents to change packet data. Offsets
 * in <pkt> stay right as long as the head is not moved.
 *
 * Everything here is inlined; there are no calls between BPF programs but tail calls.
 */
#ifndef NDIV_HANDLER_H
#define NDIV_HANDLER_H

#include <stddef.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include <ndiv/abi.h>

#define NDIV_OFF_MASK	0x3fff	/* offsets are masked with this: headers and what is parsed directly lie below 16 kB */

/*
 * First 8 bytes of an ICMP or ICMPv6 message (RFC 792, RFC 4443). <linux/icmp.h> pulls in the C library's headers,
 * which do not exist for BPF.
 */
struct ndiv_icmp {
	__u8	type;
	__u8	code;
	__be16	check;
	__be16	id;		/* of an echo */
	__be16	seq;
};

enum {
	NDIV_ICMP_ECHO_REPLY	= 0,
	NDIV_ICMP_ECHO		= 8,
	NDIV_ICMP6_ECHO		= 128,
	NDIV_ICMP6_ECHO_REPLY	= 129,
};

/* Maps of the interface: ndiv puts the interface's own ones in their place when it loads the handler. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NDIV_CPU_COUNT);
	__type(key, __u32);
	__type(value, struct ndiv_cpu);
} ndiv_cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NDIV_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} ndiv_chain SEC(".maps");

/* Builder programs for skbs, in generic mode, by handler id; 0 is the core's, which prepares the next packet of a
 * burst. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NDIV_BUILDERS);
	__type(key, __u32);
	__type(value, __u32);
} ndiv_skb SEC(".maps");

/* Set when the handler is loaded: its id and its interface. */
const volatile struct ndiv_self ndiv_self SEC(".rodata.self") = { 0 };

/* Decides about a packet. <pkt> is never NULL. */
typedef enum ndiv_verdict ndiv_handle_fn(struct xdp_md *ctx, struct ndiv_pkt *pkt);

/*
 * A frame that a builder writes: in place or a clone (XDP), or an skb in generic mode. The compiler knows which, and
 * leaves only that code.
 */
struct ndiv_frame {
	int is_skb;
	struct xdp_md *xdp;
	struct __sk_buff *skb;
};

/*
 * Makes packet <index> (from 0) of a reply or burst, out of the frame as it was received, whose length is now
 * pkt->out_len; what is new is 0. It runs at once where the frame can grow in place, else later, in a clone; only
 * these fields of <pkt> are valid then: flags (IPV4, IPV6, TCP, UDP, ICMP, ICMP6, IP_EXT), l3, l4, out_len, out_count,
 * args. So it must depend on nothing but the frame, these fields and the handler's own maps. It reaches the frame with
 * ndiv_frame_ptr() and ndiv_frame_store(), and may shorten it with ndiv_frame_trim(). Returns 0, or below 0:
 * the packet is dropped and counted (reason "build").
 */
typedef int ndiv_build_fn(const struct ndiv_frame *frame, struct ndiv_pkt *pkt, __u32 index);

static __always_inline struct ndiv_cpu *ndiv_cpu(__u32 index)
{
	return bpf_map_lookup_elem(&ndiv_cpus, &index);
}

/*
 * Private: start and end of the linear part. Read by a load that the compiler cannot share: it would keep one in 32
 * bits and copy that, and the verifier knows no packet pointer of 32 bits (clang 14).
 */
static __always_inline void *ndiv_data(struct xdp_md *ctx)
{
	void *p;

	asm volatile("%0 = *(u32 *)(%1 + %2)" : "=r"(p) : "r"(ctx), "i"(offsetof(struct xdp_md, data)));
	return p;
}

static __always_inline void *ndiv_data_end(struct xdp_md *ctx)
{
	void *p;

	asm volatile("%0 = *(u32 *)(%1 + %2)" : "=r"(p) : "r"(ctx), "i"(offsetof(struct xdp_md, data_end)));
	return p;
}

/*
 * Pointer to <len> bytes of the packet's linear part at offset <off>, or NULL if they are not there. <len> must be a
 * constant. Lengths above a few kB, and packets of several buffers: bpf_xdp_load_bytes().
 */
static __always_inline void *ndiv_ptr(struct xdp_md *ctx, __u32 off, __u32 len)
{
	void *end = ndiv_data_end(ctx);
	void *p = ndiv_data(ctx) + (off & NDIV_OFF_MASK);

	if (p + len > end)
		return NULL;
	return p;
}

/* Bytes in the packet's linear part. In 64 bits: a packet pointer cut to 32 is none any more for the verifier. */
static __always_inline __u32 ndiv_linear(struct xdp_md *ctx)
{
	return ndiv_data_end(ctx) - ndiv_data(ctx);
}

/* The NDIV_ARGS_LEN bytes that a handler may fill for its builder. */
static __always_inline void *ndiv_args(struct ndiv_pkt *pkt)
{
	return pkt->args;
}

/*
 * <x>, of which the verifier forgets what it knew, but for being one of the bits of <mask>. It follows each value that
 * a variable may have on a way of its own: where ways join (behind a switch, at the head of a loop), a program that
 * parses must make them look alike, or the verifier walks them all to the end.
 */
static __always_inline __u32 ndiv_forget(const struct ndiv_pkt *pkt, __u32 x, __u32 mask)
{
	x += *(const volatile __u16 *)&pkt->zero;
	barrier_var(x);
	return x & mask;
}

/* Counts event <n> (below NDIV_COUNTERS_MAX) of this handler; its name is ndiv_info.counters[n]. */
static __always_inline void ndiv_count(struct ndiv_pkt *pkt, __u32 n)
{
	struct ndiv_cpu *cpu = (struct ndiv_cpu *)pkt;

	cpu->counter[ndiv_self.id & (NDIV_HANDLERS_MAX - 1)][n & (NDIV_COUNTERS_MAX - 1)]++;
}

/* Likewise, <by> of them. */
static __always_inline void ndiv_add(struct ndiv_pkt *pkt, __u32 n, __u64 by)
{
	struct ndiv_cpu *cpu = (struct ndiv_cpu *)pkt;

	cpu->counter[ndiv_self.id & (NDIV_HANDLERS_MAX - 1)][n & (NDIV_COUNTERS_MAX - 1)] += by;
}

/* "return ndiv_drop(pkt, REASON)": drops for reason <n> (below NDIV_REASONS_MAX), named by ndiv_info.reasons[n]. */
static __always_inline enum ndiv_verdict ndiv_drop(struct ndiv_pkt *pkt, __u8 n)
{
	pkt->reason = n;
	return NDIV_DROP;
}

/*
 * "return ndiv_reply(pkt, len)": the builder makes a frame of <len> bytes (at most NDIV_REPLY_MAX where it is longer
 * than the received one), Ethernet header included. To send the frame back as it stands, just return NDIV_REPLY.
 */
static __always_inline enum ndiv_verdict ndiv_reply(struct ndiv_pkt *pkt, __u32 len)
{
	pkt->out_len = len < 0xffff ? len : 0xffff;
	pkt->out_count = 1;
	return NDIV_REPLY;
}

/*
 * "return ndiv_burst(pkt, n, len)": the builder makes <n> frames (1 to NDIV_BURST_MAX) of at most <len> bytes
 * (to NDIV_REPLY_MAX). They are sent in order.
 */
static __always_inline enum ndiv_verdict ndiv_burst(struct ndiv_pkt *pkt, __u8 n, __u32 len)
{
	pkt->out_len = len < 0xffff ? len : 0xffff;
	pkt->out_count = n;
	return NDIV_BURST;
}

/* "return ndiv_postpone(pkt, ms)": present it again in <ms> milliseconds (0: as soon as possible). */
static __always_inline enum ndiv_verdict ndiv_postpone(struct ndiv_pkt *pkt, __u32 ms)
{
	pkt->param = ms;
	return NDIV_POSTPONE;
}

/*
 * "return ndiv_repeat(pkt, ms)": the packet goes on to the next handler, as by NDIV_NEXT, and a copy of it as it is now
 * is presented to the whole chain in <ms> milliseconds. If there can be no copy, the packet goes on all the same.
 */
static __always_inline enum ndiv_verdict ndiv_repeat(struct ndiv_pkt *pkt, __u32 ms)
{
	pkt->param = ms;
	return NDIV_REPEAT;
}

/* "return ndiv_forward(pkt, ifindex)": send it out of another interface, as it stands. */
static __always_inline enum ndiv_verdict ndiv_forward(struct ndiv_pkt *pkt, __u32 ifindex)
{
	pkt->param = ifindex;
	return NDIV_FORWARD;
}

/*
 * Is it any use to reply now? 0 while the interface's transmit ring refuses packets (and for three ticks of the
 * kernel's clock more): then a handler would rather postpone, pass or drop.
 */
static __always_inline int ndiv_can_reply(const struct ndiv_pkt *pkt)
{
	const struct ndiv_cpu *cpu = (const struct ndiv_cpu *)pkt;

	return !cpu->pressure || cpu->pressure <= bpf_jiffies64();
}

/* Makes the frame <len> bytes long. 0, or below 0 if it cannot grow. Invalidates pointers; what is new is 0. */
static __always_inline int ndiv_set_len(struct xdp_md *ctx, __u32 len)
{
	int now = bpf_xdp_get_buff_len(ctx);

	if ((int)len == now)
		return 0;
	return bpf_xdp_adjust_tail(ctx, (int)len - now);
}

/* Likewise, of an skb. */
static __always_inline void *ndiv_skb_data(struct __sk_buff *skb)
{
	void *p;

	asm volatile("%0 = *(u32 *)(%1 + %2)" : "=r"(p) : "r"(skb), "i"(offsetof(struct __sk_buff, data)));
	return p;
}

static __always_inline void *ndiv_skb_data_end(struct __sk_buff *skb)
{
	void *p;

	asm volatile("%0 = *(u32 *)(%1 + %2)" : "=r"(p) : "r"(skb), "i"(offsetof(struct __sk_buff, data_end)));
	return p;
}

/*
 * Is *<len>, which is below 2^31, 0? To be asked before a variable length is given to a helper: kernels before 6.8 want
 * to know that it is not, and learn it from a signed comparison only, which the compiler would simplify if it knew what
 * it has.
 */
static __always_inline int ndiv_is_zero(__u32 *len)
{
	barrier_var(*len);
	return (__s32)*len <= 0;
}

/* As ndiv_ptr(), for builders. */
static __always_inline void *ndiv_frame_ptr(const struct ndiv_frame *frame, __u32 off, __u32 len)
{
	void *p, *end;

	if (!frame->is_skb)
		return ndiv_ptr(frame->xdp, off, len);
	end = ndiv_skb_data_end(frame->skb);
	p = ndiv_skb_data(frame->skb) + (off & NDIV_OFF_MASK);
	if (p + len > end)
		return NULL;
	return p;
}

/* Copies <len> bytes (above 0) from <from> into the frame at offset <off>. 0, or below 0. Pointers: invalid then. */
static __always_inline int ndiv_frame_store(const struct ndiv_frame *frame, __u32 off, const void *from, __u32 len)
{
	if (ndiv_is_zero(&len))
		return -1;
	if (!frame->is_skb)
		return bpf_xdp_store_bytes(frame->xdp, off, (void *)from, len);
	return bpf_skb_store_bytes(frame->skb, off, from, len, 0);
}

/*
 * As ndiv_frame_store(), of 1 to <max> bytes (a constant); else below 0. Linux 6.1 has to see both bounds in the very
 * register that goes to the helper: so it is made from the one that is compared, and the compiler must not know that
 * it had the sum before.
 */
static __always_inline int ndiv_frame_store_max(const struct ndiv_frame *frame, __u32 off, const void *from, __u32 len,
						__u32 max)
{
	__u64 last = (__u64)len - 1;

	barrier_var(last);
	if (last > max - 1)
		return -1;
	barrier_var(last);
	if (!frame->is_skb)
		return bpf_xdp_store_bytes(frame->xdp, off, (void *)from, last + 1);
	return bpf_skb_store_bytes(frame->skb, off, from, last + 1, 0);
}

/* Writes 0 from offset <off> to <end>, up to 8 bytes: padding, in which nothing of the question must go back. */
static __always_inline int ndiv_frame_clear(const struct ndiv_frame *frame, __u32 off, __u32 end)
{
	__u8 *p;
	__u32 i;

	for (i = 0; i < 8 && off < end; i++, off++) {
		barrier_var(off);	/* else clang leaves out the mask, and Linux 6.1 does not know how far it is */
		p = ndiv_frame_ptr(frame, off, 1);
		if (!p)
			return -1;
		*p = 0;
	}
	return off < end ? -1 : 0;
}

/* Shortens the frame to <len> bytes. 0, or below 0. Pointers: invalid then. */
static __always_inline int ndiv_frame_trim(const struct ndiv_frame *frame, __u32 len)
{
	if (!frame->is_skb)
		return ndiv_set_len(frame->xdp, len);
	return bpf_skb_change_tail(frame->skb, len, 0);
}

/* Is the frame addressed to this interface's own MAC address? Neither to a group nor, in promiscuous mode, to others.
 */
static __always_inline int ndiv_to_me(struct xdp_md *ctx)
{
	const __u16 *p = ndiv_ptr(ctx, 0, ETH_HLEN);
	const volatile __u16 *mac = (const volatile __u16 *)ndiv_self.mac;

	return p && p[0] == mac[0] && p[1] == mac[1] && p[2] == mac[2];
}

/* Private: the clock runs for the packets chosen as samples only (struct ndiv_conf, sample). */
static __always_inline void ndiv_timer_start(struct ndiv_pkt *pkt)
{
	if (pkt->flags & NDIV_F_TIMED)
		pkt->stamp = bpf_ktime_get_ns();
}

static __always_inline void ndiv_timer_stop(struct ndiv_cpu *cpu, __u32 id)
{
	struct ndiv_cost *cost = &cpu->cost[id & (NDIV_HANDLERS_MAX - 1)];

	if (!(cpu->pkt.flags & NDIV_F_TIMED))
		return;
	cost->ns += bpf_ktime_get_ns() - cpu->pkt.stamp;
	cost->calls++;
}

/* Private: lets the builder work in place. Where the frame cannot grow, the verdict program will use clones. */
static __always_inline enum ndiv_verdict ndiv_build_here(struct xdp_md *ctx, struct ndiv_pkt *pkt, ndiv_build_fn *build)
{
	struct ndiv_frame frame = { .xdp = ctx };

	if (ndiv_set_len(ctx, pkt->out_len)) {
		pkt->flags |= NDIV_F_CLONE;
		return NDIV_REPLY;
	}
	return build(&frame, pkt, 0) < 0 ? NDIV_REFUSED : NDIV_REPLY;
}

/*
 * Private: goes on to what comes after handler <id> on the packet's path. One call for each path, because the slot has
 * to be known to the verifier (<id> is: it is a constant of the program); the sums keep the compiler from making one
 * call of the four. Returns only if the slot is empty.
 */
static __always_inline void ndiv_jump(void *ctx, void *chain, __u32 id, __u32 path)
{
	__u64 slot = NDIV_SLOT_NEXT + id * NDIV_PATHS;

	switch (path) {
	case 0:
		asm volatile("r1 = %0; r2 = %1; r3 = %2; call 12"
			     :: "r"(ctx), "r"(chain), "r"(slot) : "r0", "r1", "r2", "r3", "r4", "r5", "memory");
		break;
	case 1:
		asm volatile("r1 = %0; r2 = %1; r3 = %2; r3 += 1; call 12"
			     :: "r"(ctx), "r"(chain), "r"(slot) : "r0", "r1", "r2", "r3", "r4", "r5", "memory");
		break;
	case 2:
		asm volatile("r1 = %0; r2 = %1; r3 = %2; r3 += 2; call 12"
			     :: "r"(ctx), "r"(chain), "r"(slot) : "r0", "r1", "r2", "r3", "r4", "r5", "memory");
		break;
	case 3:
		asm volatile("r1 = %0; r2 = %1; r3 = %2; r3 += 3; call 12"
			     :: "r"(ctx), "r"(chain), "r"(slot) : "r0", "r1", "r2", "r3", "r4", "r5", "memory");
		break;
	}
}

/*
 * The body of a handler's receive program: calls <handle>, counts, and goes on to the next handler or to the verdict.
 * <build> makes replies and bursts; NULL where the handler only ever edits in place. With a builder, there must also be
 * programs that call ndiv_run_clone() and ndiv_run_skb() with it.
 */
static __always_inline int ndiv_run(struct xdp_md *ctx, ndiv_handle_fn *handle, ndiv_build_fn *build)
{
	__u32 id = ndiv_self.id & (NDIV_HANDLERS_MAX - 1);
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);
	enum ndiv_verdict verdict;
	struct ndiv_pkt *pkt;
	struct ndiv_count *next;

	if (!cpu)
		return XDP_ABORTED;
	pkt = &cpu->pkt;
	ndiv_timer_start(pkt);
	verdict = handle(ctx, pkt);
	if (verdict == NDIV_NEXT) {
		ndiv_timer_stop(cpu, id);
		next = &cpu->verdict[id][NDIV_NEXT];
		next->packets++;
		next->bytes += pkt->len;
		pkt->out_count = 0;
		ndiv_jump(ctx, &ndiv_chain, id, pkt->path);
		cpu->reason[0][NDIV_R_CHAIN]++;
		return XDP_DROP;
	}
	pkt->handler = id;
	if (build && verdict == NDIV_REPLY && pkt->out_count)
		verdict = ndiv_build_here(ctx, pkt, build);
	ndiv_timer_stop(cpu, id);
	pkt->verdict = verdict <= NDIV_INVALID ? verdict : NDIV_INVALID;
	bpf_tail_call_static(ctx, &ndiv_chain, NDIV_SLOT_VERDICT);
	cpu->reason[0][NDIV_R_CHAIN]++;
	return XDP_DROP;
}

/*
 * The bodies of a handler's builder programs, which the core calls for each clone, and for each skb in generic mode:
 *
 *	SEC("xdp.frags/devmap")
 *	int hello_clone(struct xdp_md *ctx)
 *	{
 *		return ndiv_run_clone(ctx, hello_build);
 *	}
 *
 *	SEC("tc")
 *	int hello_skb(struct __sk_buff *skb)
 *	{
 *		return ndiv_run_skb(skb, hello_build);
 *	}
 */
static __always_inline int ndiv_run_clone(struct xdp_md *ctx, ndiv_build_fn *build)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);
	struct ndiv_frame frame = { .xdp = ctx };

	if (!cpu)
		return XDP_DROP;
	if (build(&frame, &cpu->pkt, cpu->index) < 0) {
		cpu->reason[0][NDIV_R_BUILD]++;
		cpu->copy_drops++;
		return XDP_DROP;
	}
	cpu->sent.packets++;
	cpu->sent.bytes += bpf_xdp_get_buff_len(ctx);
	return XDP_PASS;
}

static __always_inline int ndiv_run_skb(struct __sk_buff *skb, ndiv_build_fn *build)
{
	struct ndiv_cpu *cpu = ndiv_cpu(NDIV_CPU_RX);
	struct ndiv_frame frame = { .is_skb = 1, .skb = skb };

	if (!cpu)
		return TC_ACT_SHOT;
	if (build(&frame, &cpu->pkt, cpu->index) < 0) {
		cpu->reason[0][NDIV_R_BUILD]++;
		return TC_ACT_SHOT;
	}
	cpu->sent.packets++;
	cpu->sent.bytes += skb->len + (skb->vlan_present ? 4 : 0); /* the tag is beside it, and sent */
	if (++cpu->index >= cpu->pkt.out_count)
		return bpf_redirect(ndiv_self.ifindex, 0);
	if (bpf_clone_redirect(skb, ndiv_self.ifindex, 0))
		cpu->tx_lost++;
	bpf_tail_call(skb, &ndiv_skb, 0);
	return TC_ACT_SHOT;
}

#endif

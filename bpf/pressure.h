/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pressure.h - what becomes of packets after the verdict
 *
 * A verdict that sends is carried out later, by the driver; that its ring is full shows in tracepoints only. They run
 * on the CPU that sent, so the mark that ndiv_can_reply() reads is one of that CPU, in the cache line it has at hand.
 */
#ifndef NDIV_PRESSURE_H
#define NDIV_PRESSURE_H

#include "maps.h"
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

struct ns_common {
	unsigned int inum;
} __attribute__((preserve_access_index));

struct net {
	struct ns_common ns;
} __attribute__((preserve_access_index));

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
} __attribute__((preserve_access_index));

struct bpf_prog;
struct bpf_map;

/* Ticks of the kernel's clock (1 to 10 ms each) for which one refusal counts as pressure. */
#define PRESSURE_TICKS	3

static __always_inline struct ndiv_cpu *ours(const struct net_device *dev)
{
	if ((__u32)dev->ifindex != ndiv_self.ifindex || dev->nd_net.net->ns.inum != ndiv_self.netns)
		return NULL;
	return ndiv_cpu(NDIV_CPU_RX);
}

static __always_inline void lost(struct ndiv_cpu *cpu, __u32 packets)
{
	if (cpu)
		cpu->tx_lost += packets;
}

/* This interface's own ring refused packets: others had better not be sent now. */
static __always_inline void refused(struct ndiv_cpu *cpu, __u32 packets)
{
	lost(cpu, packets);
	if (cpu && packets)
		cpu->pressure = bpf_jiffies64() + PRESSURE_TICKS;
}

/* The driver could not send what the verdict returned XDP_TX for. */
SEC("tp_btf/xdp_exception")
int BPF_PROG(ndiv_tp_exception, const struct net_device *dev, const struct bpf_prog *prog, __u32 act)
{
	if (act == XDP_TX)
		refused(ours(dev), 1);
	return 0;
}

/* veth and others send XDP_TX in bulk. */
SEC("tp_btf/xdp_bulk_tx")
int BPF_PROG(ndiv_tp_bulk_tx, const struct net_device *dev, int sent, int drops, int err)
{
	refused(ours(dev), drops);
	return 0;
}

/*
 * Clones, and what is forwarded: <to> refused it. Counted for the interface where the packets came from. The kernel
 * counts the copies that our own program dropped, too: they are not lost.
 */
SEC("tp_btf/xdp_devmap_xmit")
int BPF_PROG(ndiv_tp_devmap_xmit, const struct net_device *from, const struct net_device *to, int sent, int drops,
	     int err)
{
	struct ndiv_cpu *cpu = ours(from);
	int spare;

	if (!cpu)
		return 0;
	spare = cpu->copy_drops;
	cpu->copy_drops = 0;
	drops = drops > spare ? drops - spare : 0;
	if (to->ifindex == from->ifindex)
		refused(cpu, drops);
	else
		lost(cpu, drops);
	return 0;
}

/* The kernel could not even queue a redirected packet: no such interface, down, or too long for it. */
SEC("tp_btf/xdp_redirect_err")
int BPF_PROG(ndiv_tp_redirect_err, const struct net_device *dev)
{
	lost(ours(dev), 1);
	return 0;
}

#endif

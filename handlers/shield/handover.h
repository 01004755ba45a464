/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * handover.h - at tc ingress: a connection that a cookie has opened is handed to its listener
 *
 * The kernel makes a socket of the options that the cookie has kept, as if it had sent the SYN-ACK itself. It can do so
 * from Linux 6.9 on.
 */
#ifndef NDIV_SHIELD_HANDOVER_H
#define NDIV_SHIELD_HANDOVER_H

#include "service.h"

#define SK_LISTEN	10		/* TCP_LISTEN of the kernel */

/* The kernel's, whose layout is the interface. */
struct bpf_tcp_req_attrs {
	__u32	rcv_tsval;
	__u32	rcv_tsecr;
	__u16	mss;
	__u8	rcv_wscale;
	__u8	snd_wscale;
	__u8	ecn_ok;
	__u8	wscale_ok;
	__u8	sack_ok;
	__u8	tstamp_ok;
	__u8	usec_ts_ok;
	__u8	reserved[3];
};

extern int bpf_sk_assign_tcp_reqsk(struct __sk_buff *skb, struct sock *sk, struct bpf_tcp_req_attrs *attrs,
				   int attrs__sz) __ksym __weak;

static __always_inline int can_hand_over(void)
{
	return bpf_core_type_exists(struct bpf_tcp_req_attrs);
}

/* The kernel's socket for <tcp>, to be released; NULL: none. <ctx>: of XDP or tc. */
static __always_inline struct bpf_sock *find_socket(void *ctx, const struct shield_tcp *tcp)
{
	struct bpf_sock_tuple t;
	__u32 i;

	if (!tcp->v6) {
		t.ipv4.saddr = tcp->remote[0];
		t.ipv4.daddr = tcp->local[0];
		t.ipv4.sport = tcp->rport;
		t.ipv4.dport = tcp->lport;
		return bpf_skc_lookup_tcp(ctx, &t, sizeof(t.ipv4), BPF_F_CURRENT_NETNS, 0);
	}
	for (i = 0; i < 4; i++) {
		t.ipv6.saddr[i] = tcp->remote[i];
		t.ipv6.daddr[i] = tcp->local[i];
	}
	t.ipv6.sport = tcp->rport;
	t.ipv6.dport = tcp->lport;
	return bpf_skc_lookup_tcp(ctx, &t, sizeof(t.ipv6), BPF_F_CURRENT_NETNS, 0);
}

/*
 * Is there a socket for <tcp>, of a connection and not just a listener? A function by itself, with a stack of its own.
 */
__noinline int shield_has_socket(struct xdp_md *ctx, const struct shield_tcp *tcp)
{
	struct bpf_sock *sk;
	int found;

	if (!tcp)
		return 0;
	sk = find_socket(ctx, tcp);
	if (!sk)
		return 0;
	found = sk->state != SK_LISTEN;
	bpf_sk_release(sk);
	return found;
}

/* Hands <skb> to listener <sk>: 0, or below 0. */
static __always_inline int assign(struct __sk_buff *skb, struct bpf_sock *sk, const struct offer *offer, __u32 tsecr,
				  __u8 rcv_wscale)
{
	struct bpf_tcp_req_attrs attrs = {
		.mss = offer->mss, .sack_ok = offer->sack, .ecn_ok = offer->ecn, .tstamp_ok = offer->ts
	};
	struct sock *listener = (struct sock *)bpf_skc_to_tcp_sock(sk);

	if (!listener)
		return -1;
	if (offer->wscale != WSCALE_NONE) {
		attrs.wscale_ok = 1;
		attrs.snd_wscale = offer->wscale;
		attrs.rcv_wscale = rcv_wscale;
	}
	if (offer->ts) {
		attrs.rcv_tsval = bpf_ntohl(offer->tsval);
		attrs.rcv_tsecr = tsecr;
	}
	return bpf_sk_assign_tcp_reqsk(skb, listener, &attrs, sizeof(attrs));
}

#endif

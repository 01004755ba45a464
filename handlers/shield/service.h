/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * service.h - what the listeners of this host answer to a SYN
 *
 * A cookie must promise what the listener will keep: its window and scale, and no option that its network namespace has
 * switched off. So shield learns from the SYN-ACKs that the stack sends, and answers SYNs only to addresses and ports
 * of which it knows one. Every second, one SYN is passed, so what it knows stays right; a reset in answer to it means
 * that nobody listens any more.
 *
 * Only SYN-ACKs of this host make entries, so strangers can neither fill the table nor choose who shares a place.
 */
#ifndef NDIV_SHIELD_SERVICE_H
#define NDIV_SHIELD_SERVICE_H

#include <bpf/bpf_core_read.h>
#include "options.h"

#define SERVICE_TRIES	4
#define SERVICE_PROBE	1000		/* ms between SYNs that are passed */
#define SERVICE_OLD	120000		/* ms after which it is not known any more */
#define SERVICE_HOT	10000		/* ms that a flood is taken to last after its last sign */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SERVICES);
	__type(key, __u32);
	__type(value, struct shield_service);
} shield_services SEC(".maps");

/* Fields of the kernel's structures that are read. */
struct netns_ipv4 {
	__u8	sysctl_tcp_ecn, sysctl_tcp_syncookies, sysctl_tcp_sack, sysctl_tcp_window_scaling, sysctl_tcp_timestamps;
} __attribute__((preserve_access_index));

struct net {
	struct netns_ipv4 ipv4;
} __attribute__((preserve_access_index));

typedef struct {
	struct net *net;
} possible_net_t;

struct sock;

struct sock_common {
	possible_net_t skc_net;
	struct sock *skc_listener;
} __attribute__((preserve_access_index));

struct sock {
	struct sock_common __sk_common;
} __attribute__((preserve_access_index));

struct tcp_sock {
	_Bool	is_mptcp;
} __attribute__((preserve_access_index));

struct request_sock {
	struct sock_common __req_common;
} __attribute__((preserve_access_index));

struct inet_request_sock {
	struct request_sock req;
	__u16	snd_wscale : 4, wscale_ok : 1;
} __attribute__((preserve_access_index));

struct tcp_request_sock {
	struct inet_request_sock req;
} __attribute__((preserve_access_index));

static __always_inline int service_is(const struct shield_service *s, const struct shield_tcp *tcp)
{
	return s->flags & SERVICE_KNOWN && s->port == tcp->lport && s->v6 == tcp->v6 && s->addr[0] == tcp->local[0] &&
	       (!tcp->v6 ||
		(s->addr[1] == tcp->local[1] && s->addr[2] == tcp->local[2] && s->addr[3] == tcp->local[3]));
}

static __always_inline struct shield_service *service_at(const struct shield_tcp *tcp, __u32 i)
{
	i = (service_slot(tcp->local, tcp->lport, tcp->v6) + i) & (SERVICES - 1);
	return bpf_map_lookup_elem(&shield_services, &i);
}

/* The service that <tcp> is for, or NULL. */
static __always_inline struct shield_service *service_find(const struct shield_tcp *tcp)
{
	struct shield_service *s;
	__u32 i;

	for (i = 0; i < SERVICE_TRIES; i++) {
		s = service_at(tcp, i);
		if (!s || service_is(s, tcp))
			return s;
	}
	return NULL;
}

/* Likewise, one that has answered of late. */
static __always_inline struct shield_service *service_known(const struct shield_tcp *tcp, __u64 ms)
{
	struct shield_service *s = service_find(tcp);

	return s && ms - s->seen < SERVICE_OLD ? s : NULL;
}

/* Is it this SYN that is passed to see what comes? One CPU only takes it. */
static __always_inline int service_probe(struct shield_service *s, __u64 ms)
{
	__u64 due = *(volatile __u64 *)&s->probe;

	return ms >= due && __sync_val_compare_and_swap(&s->probe, due, ms + SERVICE_PROBE) == due;
}

/*
 * Are SYNs to be answered with cookies? By option always; else as long as more come than the rate, and SERVICE_HOT
 * longer. Those in between take from the bucket, too.
 */
static __always_inline int service_hot(struct shield_service *s, __u64 ms, __u64 ns)
{
	struct ndiv_limit limit;

	if (!config.above)
		return 1;
	limit = ndiv_limit(config.above, 0);
	if (!ndiv_limit_take(&s->bucket, &limit, ns) && s->hot < ms + SERVICE_HOT)
		s->hot = ms + SERVICE_HOT;
	return ms < s->hot;
}

/* The place of the service, or one for it: empty, or the one that was seen last the longest ago. */
static __always_inline struct shield_service *service_place(const struct shield_tcp *tcp)
{
	struct shield_service *s, *best = NULL;
	__u32 i;

	for (i = 0; i < SERVICE_TRIES; i++) {
		s = service_at(tcp, i);
		if (!s)
			return NULL;
		if (service_is(s, tcp))
			return s;
		if (!best || !(s->flags & SERVICE_KNOWN) || s->seen < best->seen)
			best = s;
		if (!(s->flags & SERVICE_KNOWN))
			break;
	}
	return best;
}

/* What the namespace allows, and whether connections can be handed to that listener. */
static __always_inline __u8 service_allows(struct tcp_request_sock *req)
{
	struct net *net = BPF_CORE_READ(req, req.req.__req_common.skc_net.net);
	struct tcp_sock *listener = (void *)BPF_CORE_READ(req, req.req.__req_common.skc_listener);
	__u8 flags = SERVICE_KNOWN;

	if (BPF_CORE_READ(net, ipv4.sysctl_tcp_timestamps))
		flags |= SERVICE_TS;
	if (BPF_CORE_READ(net, ipv4.sysctl_tcp_sack))
		flags |= SERVICE_SACK;
	if (BPF_CORE_READ(net, ipv4.sysctl_tcp_window_scaling))
		flags |= SERVICE_WSCALE;
	if (BPF_CORE_READ(net, ipv4.sysctl_tcp_ecn))
		flags |= SERVICE_ECN;
	if (!BPF_CORE_READ(net, ipv4.sysctl_tcp_syncookies))
		flags |= SERVICE_REFUSES;
	if (bpf_core_field_exists(listener->is_mptcp) && BPF_CORE_READ(listener, is_mptcp))
		flags |= SERVICE_REFUSES;
	return flags;
}

/* Learns from the SYN-ACK <tcp> of this host, whose options are <found>; <allows>: service_allows(). */
static __always_inline void service_learn(const struct shield_tcp *tcp, const struct options *found, __u8 allows,
					  __u64 ms)
{
	struct shield_service *s = service_place(tcp);
	__u8 flags = allows;

	if (!s || !found->mss)
		return;
	if (!service_is(s, tcp)) {
		s->flags = 0;
		__builtin_memcpy(s->addr, tcp->local, sizeof(s->addr));
		s->port = tcp->lport;
		s->v6 = tcp->v6;
		s->hot = 0;
		s->bucket = 0;
		s->probe = ms + SERVICE_PROBE;
	} else if (found->wscale == WSCALE_NONE) {
		flags |= s->flags & SERVICE_SCALED;	/* this client has not asked; it is what it was */
	}
	if (found->wscale != WSCALE_NONE) {
		flags |= SERVICE_SCALED;
		s->wscale = found->wscale;
	}
	s->window = tcp->window;
	s->mss = found->mss;
	s->seen = ms;
	barrier();
	s->flags = flags;
}

/* Nobody listens there. */
static __always_inline void service_forget(const struct shield_tcp *tcp)
{
	struct shield_service *s = service_find(tcp);

	if (s)
		s->flags = 0;
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * shield - keeps floods away from the TCP servers of this host
 *
 * Three programs see a connection:
 *
 *	in the driver	shield()	SYN: answered with a cookie; ACK: a cookie of ours? all else: part of a flow?
 *	tc ingress	shield_in()	the first segment behind a good cookie: handed to the listener
 *	tc egress	shield_tx()	what the host sends: flows, and what its listeners answer
 *
 * cookie.h, flow.h and service.h tell what is kept. docs/shield.md is the guide.
 */
#include <ndiv/handler.h>
#include <ndiv/in.h>
#include <ndiv/tx.h>
#include "flow.h"
#include "handover.h"
#include "inspect.h"
#include "job.h"
#include "synack.h"

const volatile struct shield_config config SEC(".rodata.config") = {
	.ports = { 1, 65535 }, .unknown = 1000, .learn = 60, .lookups = 1000, .bans = 1000000
};

const volatile struct ndiv_key ndiv_key SEC(".rodata.key") = { 0 };

volatile struct shield_clock shield_clock SEC(".data.clock") = { 0 };

const volatile __u8 shield_replays SEC(".rodata.replay") = 0;

const volatile __u8 shield_still SEC(".rodata.clock") = 0;

volatile struct shield_secrets shield_secrets SEC(".data.secrets") = { 0 };

/* Shared by all CPUs, each on a cache line of its own. */
struct shield_limits {
	__u64	unknown;		/* SYNs to services that are not known */
	__u64	pad1[7];
	__u64	lookups;
	__u64	pad2[7];
};

struct shield_limits shield_limits SEC(".data.limits") __attribute__((aligned(64))) = { 0 };

const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = {
	.abi = NDIV_ABI,
	.name = "shield",
	.want = NDIV_WANT_MALFORMED,
	.about = "keeps floods away from local TCP servers: SYN cookies, flow table",
	.counters = {
		[SHIELD_COOKIE_SENT] = "cookie-sent",
		[SHIELD_COOKIE_GOOD] = "cookie-good",
		[SHIELD_SYN_PASSED] = "syn-passed",
		[SHIELD_SYN_PROBE] = "syn-probe",
		[SHIELD_HANDOVER] = "handover",
		[SHIELD_FLOW_SENT] = "flow-sent",
		[SHIELD_FLOW_FOUND] = "flow-found",
		[SHIELD_EVICTED] = "evicted",
		[SHIELD_SERVICE] = "service",
		[SHIELD_UNTRACKED] = "untracked",
		[SHIELD_BAN_SET] = "ban-set",
		[SHIELD_BAN_DRY] = "ban-dry",
		[SHIELD_BAN_EVICTED] = "ban-evicted",
		[SHIELD_BAN_FULL] = "ban-full",
	},
	.reasons = {
		[SHIELD_R_FLAGS] = "bad-flags",
		[SHIELD_R_COOKIE] = "bad-cookie",
		[SHIELD_R_NO_FLOW] = "no-flow",
		[SHIELD_R_WINDOW] = "out-of-window",
		[SHIELD_R_CHECKSUM] = "bad-checksum",
		[SHIELD_R_OPTIONS] = "bad-options",
		[SHIELD_R_SYN_LIMIT] = "syn-limit",
		[SHIELD_R_TX_FULL] = "tx-full",
		[SHIELD_R_TABLE_FULL] = "table-full",
		[SHIELD_R_FRAGMENT] = "fragment",
		[SHIELD_R_NOT_OPEN] = "not-open",
		[SHIELD_R_REFUSED] = "refused",
		[SHIELD_R_DENIED] = "denied",
		[SHIELD_R_LIMITED] = "limited",
		[SHIELD_R_BANNED] = "banned",
		[SHIELD_R_HEADERS] = "ip-headers",
	},
	.options = {
		{ .name = "ports", .help = "local ports to protect",
		  .type = NDIV_OPT_PORTS, .offset = offsetof(struct shield_config, ports) },
		{ .name = "addr", .help = "local addresses to protect; none: whatever is sent to this MAC address",
		  .type = NDIV_OPT_PREFIXES, .offset = offsetof(struct shield_config, addr) },
		{ .name = "above", .help = "SYNs per second of a service above which they get cookies; 0: always",
		  .type = NDIV_OPT_U32, .offset = offsetof(struct shield_config, above), .min = 0,
		  .max = NDIV_LIMIT_RATE_MAX },
		{ .name = "unknown", .help = "SYNs per second that are passed to services not known yet",
		  .type = NDIV_OPT_U32, .offset = offsetof(struct shield_config, unknown), .min = 1,
		  .max = NDIV_LIMIT_RATE_MAX },
		{ .name = "learn", .help = "seconds during which each packet without a flow is looked up",
		  .type = NDIV_OPT_U32, .offset = offsetof(struct shield_config, learn), .min = 0, .max = 86400 },
		{ .name = "lookups", .help = "lookups per second after that",
		  .type = NDIV_OPT_U32, .offset = offsetof(struct shield_config, lookups), .min = 1,
		  .max = NDIV_LIMIT_RATE_MAX },
		{ .name = "bans", .help = "bans that the table has room for, once there is one",
		  .type = NDIV_OPT_U32, .offset = offsetof(struct shield_config, bans), .min = 1, .max = 16000000 },
		{ .name = "window", .help = "sequence numbers: check them, or not (asymmetric routes)",
		  .choices = "check,ignore", .type = NDIV_OPT_CHOICE, .offset = offsetof(struct shield_config, window) },
	},
};

/* --- connections older than shield ---------------------------------------------------------------------------- */

/* Since the first packet without a flow, is it still the time of learning? */
static __always_inline int is_learning(const struct job *job)
{
	if (!shield_clock.since)
		shield_clock.since = job->ms;
	return job->ms - shield_clock.since < config.learn * 1000ULL;
}

/* May the kernel be asked for a socket? Always while shield learns, else as often as the limit says. */
static __always_inline int may_look_up(const struct job *job)
{
	struct ndiv_limit limit = ndiv_limit(config.lookups, 0);

	return is_learning(job) || ndiv_limit_take(&shield_limits.lookups, &limit, job->ns);
}

/* Does the kernel know a socket for it? */
static __always_inline int is_older(struct xdp_md *ctx, struct job *job)
{
	if (shield_replays)
		return is_learning(job);
	return may_look_up(job) && shield_has_socket(ctx, &job->tcp);
}

/* --- SYN ---------------------------------------------------------------------------------------------------- */

/* Passed, as long as not too many are: the stack answers it, and shield learns from the answer. */
static __always_inline enum ndiv_verdict pass_syn(struct job *job)
{
	struct ndiv_limit limit = ndiv_limit(config.unknown, 0);

	if (!ndiv_limit_take(&shield_limits.unknown, &limit, job->ns))
		return ndiv_drop(job->pkt, SHIELD_R_SYN_LIMIT);
	ndiv_count(job->pkt, SHIELD_SYN_PASSED);
	return NDIV_NEXT;
}

/* Does the SYN ask for ECN as RFC 3168 has it, in a packet that is itself not capable of it? */
static __always_inline int asks_ecn(struct job *job)
{
	const __u8 *ip;

	if ((job->tcp.flags & (TCP_ECE | TCP_CWR)) != (TCP_ECE | TCP_CWR))
		return 0;
	ip = ndiv_frame_ptr(&job->frame, job->pkt->l3, 2);
	if (!ip)
		return 0;
	return job->tcp.v6 ? !(ip[1] >> 4 & 3) : !(ip[1] & 3);
}

/* What of <found> is kept for <svc>. Below 0 if a cookie cannot do justice to it. */
static __always_inline int make_offer(struct job *job, const struct shield_service *svc, const struct options *found,
				      struct offer *offer)
{
	__u32 mss = found->mss ? found->mss : MSS_MIN;

	if (found->odd || mss < (job->tcp.v6 ? 1220 : MSS_MIN) || job->pkt->flags & NDIV_F_IP_EXT)
		return -1;
	offer->mss = mss;
	offer->ts = found->ts && svc->flags & SERVICE_TS;
	offer->sack = found->sack && svc->flags & SERVICE_SACK;
	offer->ecn = svc->flags & SERVICE_ECN && asks_ecn(job);
	offer->wscale = svc->flags & SERVICE_WSCALE ? found->wscale : WSCALE_NONE;
	return offer->wscale != WSCALE_NONE && !(svc->flags & SERVICE_SCALED) ? -1 : 0;
}

/* The window that the listener will have: a multiple of the MSS, where that fits. */
static __always_inline __u16 whole_window(__u16 window, __u16 mss)
{
	return window > mss ? window - window % mss : window;
}

static __always_inline enum ndiv_verdict send_cookie(struct xdp_md *ctx, struct job *job,
						     const struct shield_service *svc, const struct options *found,
						     const struct offer *offer)
{
	struct synack_args *args = ndiv_args(job->pkt);
	struct secret secret;
	const __be32 *tsval;
	__u32 len;

	secret_take(&secret, shield_secrets.now, job->ms);
	if (cookie_make(&job->tcp, offer, &secret, &args->isn, &args->tsval))
		return ndiv_drop(job->pkt, SHIELD_R_OPTIONS);
	tsval = ndiv_ptr(ctx, job->pkt->l4 + found->ts + 2, sizeof(*tsval));
	if (!tsval)
		return ndiv_drop(job->pkt, SHIELD_R_OPTIONS);
	args->tsecr = *tsval;
	args->mss = svc->mss;
	args->window = whole_window(svc->window, offer->mss);
	args->wscale = offer->wscale == WSCALE_NONE ? WSCALE_NONE : svc->wscale & 15;
	args->sack = offer->sack;
	args->ts = offer->ts;
	args->ecn = offer->ecn;
	len = job->pkt->l4 + synack_len(args);
	if (len < ETH_ZLEN && job->pkt->len >= ETH_ZLEN)
		len = ETH_ZLEN;
	ndiv_count(job->pkt, SHIELD_COOKIE_SENT);
	return ndiv_reply(job->pkt, len);
}

/* A SYN that belongs to no flow. */
static __always_inline enum ndiv_verdict handle_syn(struct xdp_md *ctx, struct job *job)
{
	struct shield_service *svc = can_hand_over() ? service_known(&job->tcp, job->ms) : NULL;
	struct offer offer = { 0 };
	struct options found;

	if (!svc || svc->flags & SERVICE_REFUSES)
		return pass_syn(job);
	/* A socket in TIME-WAIT, which shield has not seen: it would stand in the way of the new connection. */
	if (is_learning(job) && shield_has_socket(ctx, &job->tcp)) {
		ndiv_count(job->pkt, SHIELD_SYN_PASSED);
		return NDIV_NEXT;
	}
	if (service_probe(svc, job->ms)) {
		ndiv_count(job->pkt, SHIELD_SYN_PROBE);
		return NDIV_NEXT;
	}
	if (!service_hot(svc, job->ms, job->ns)) {
		ndiv_count(job->pkt, SHIELD_SYN_PASSED);
		return NDIV_NEXT;
	}
	if (!ndiv_can_reply(job->pkt))
		return ndiv_drop(job->pkt, SHIELD_R_TX_FULL);
	if (read_options(&job->frame, job->pkt, NDIV_CPU_RX, &found))
		return ndiv_drop(job->pkt, SHIELD_R_OPTIONS);
	if (make_offer(job, svc, &found, &offer))
		return pass_syn(job);
	if (!verify(ctx, job))
		return ndiv_drop(job->pkt, SHIELD_R_CHECKSUM);
	return send_cookie(ctx, job, svc, &found, &offer);
}

/* --- ACK ---------------------------------------------------------------------------------------------------- */

static __always_inline int check_secret(const struct shield_tcp *tcp, const struct echo *echo,
					const struct secret *secret, struct offer *offer)
{
	if (!echo->ts)
		return cookie_check_plain(tcp, secret, offer);
	return cookie_check_ts(tcp, echo->tsecr, secret, offer);
}

/* The same with the former secret, of what is in shield_keys: a function by itself, for it is rarely needed. */
__noinline int shield_check_former(__u64 ms)
{
	__u32 zero = 0;
	struct shield_keys *keys = bpf_map_lookup_elem(&shield_keys, &zero);
	struct secret secret;

	if (!keys)
		return 0;
	secret_take(&secret, shield_secrets.now + 1, ms);
	return check_secret(&keys->tcp, &keys->echo, &secret, &keys->offer);
}

static __always_inline int check_former(const struct job *job, const struct echo *echo, struct offer *offer)
{
	__u32 zero = 0;
	struct shield_keys *keys = bpf_map_lookup_elem(&shield_keys, &zero);
	int good;

	if (!keys)
		return 0;
	keys->tcp = job->tcp;
	keys->echo = *echo;
	keys->offer = *offer;
	good = shield_check_former(job->ms);
	*offer = keys->offer;
	return good;
}

/* Is it the acknowledgement of a cookie? 1, 0, or below 0 if its options are malformed. */
static __always_inline int check_cookie(struct job *job, enum ndiv_cpu_index which, struct offer *offer, __u32 *tsecr)
{
	struct echo echo = { 0 };
	const __be32 *stamps;
	struct secret secret;
	int ts, good;

	ts = find_ts(&job->frame, job->pkt, which);
	if (ts < 0)
		return -1;
	if (ts) {
		stamps = ndiv_frame_ptr(&job->frame, job->pkt->l4 + ts + 2, 8);
		if (!stamps)
			return -1;
		offer->tsval = stamps[0];
		echo.ts = 1;
		echo.tsecr = *tsecr = bpf_ntohl(stamps[1]);
	}
	secret_take(&secret, shield_secrets.now, job->ms);
	good = check_secret(&job->tcp, &echo, &secret, offer);
	if (good || job->ms >= shield_secrets.until)
		return good;
	return check_former(job, &echo, offer);
}

/* A place in the table for a flow that has none, to be committed; or NULL. */
static __always_inline struct shield_flow *enter(struct job *job, struct flow_place *place)
{
	*place = flow_claim(&job->key, job->ms);
	if (place->flow && place->evicts)
		ndiv_count(job->pkt, SHIELD_EVICTED);
	return place->flow;
}

/* Enters the connection that a good cookie opens, in the place of <former> if there is one. */
static __always_inline enum ndiv_verdict open_flow(struct xdp_md *ctx, struct job *job, struct shield_flow *former,
						   const struct offer *offer)
{
	const struct shield_service *svc = service_known(&job->tcp, job->ms);
	int scaled = offer->wscale != WSCALE_NONE;
	struct flow_place place;
	struct shield_flow *f;

	if (!verify(ctx, job))
		return ndiv_drop(job->pkt, SHIELD_R_CHECKSUM);
	if (!svc || svc->flags & SERVICE_REFUSES)
		return ndiv_drop(job->pkt, SHIELD_R_REFUSED);
	f = former ? former : enter(job, &place);
	if (!f)
		return ndiv_drop(job->pkt, SHIELD_R_TABLE_FULL);
	flow_begin(f, 0, &job->tcp, scaled ? flow_scales(offer->wscale, svc->wscale) : 0, job->ms);
	f->bits[0] |= FLOW_SYN | FLOW_COOKIE;
	f->bits[1] = FLOW_SYN;
	f->max[0] = job->tcp.seq + svc->window;
	f->window[1] = scaled ? (svc->window >> (svc->wscale & 15)) + 1 : svc->window;
	if (!former)
		flow_commit(&place, &job->key);
	ndiv_count(job->pkt, SHIELD_COOKIE_GOOD);
	return NDIV_NEXT;
}

/* A flow that nobody knows the beginning of: its sequence numbers are taken as they come. */
static __always_inline int enter_flow(struct job *job, __u32 side, struct shield_flow *former, __u32 counter)
{
	struct flow_place place;
	struct shield_flow *f = former ? former : enter(job, &place);

	if (!f)
		return -1;
	flow_begin(f, side, &job->tcp, 0, job->ms);
	f->bits[0] |= FLOW_LIBERAL;
	if (!former)
		flow_commit(&place, &job->key);
	ndiv_count(job->pkt, counter);
	return 0;
}

/* Neither flow nor cookie: connections that are older than shield have a socket. Else it is dropped for <reason>. */
static __always_inline enum ndiv_verdict handle_stranger(struct xdp_md *ctx, struct job *job,
							 struct shield_flow *former, __u8 reason)
{
	if (!is_older(ctx, job))
		return ndiv_drop(job->pkt, reason);
	if (job->tcp.flags & (TCP_RST | TCP_SYN))
		return NDIV_NEXT;
	if (enter_flow(job, 0, former, SHIELD_FLOW_FOUND))
		return ndiv_drop(job->pkt, SHIELD_R_TABLE_FULL);
	return NDIV_NEXT;
}

/* An ACK that belongs to no flow, or only to <former>, which is over. */
static __always_inline enum ndiv_verdict handle_ack(struct xdp_md *ctx, struct job *job, struct shield_flow *former)
{
	struct offer offer = { 0 };
	__u32 tsecr = 0;
	int good = check_cookie(job, NDIV_CPU_RX, &offer, &tsecr);

	if (good < 0)
		return ndiv_drop(job->pkt, SHIELD_R_OPTIONS);
	if (good)
		return open_flow(ctx, job, former, &offer);
	return handle_stranger(ctx, job, former, SHIELD_R_COOKIE);
}

/* --- flows -------------------------------------------------------------------------------------------------- */

static __always_inline enum ndiv_verdict handle_new(struct xdp_md *ctx, struct job *job, struct shield_flow *former)
{
	__u8 kind = job->tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST);

	if (kind == TCP_SYN)
		return handle_syn(ctx, job);
	if (kind == TCP_ACK)
		return handle_ack(ctx, job, former);
	return handle_stranger(ctx, job, former, SHIELD_R_NO_FLOW);
}

/* The answer to a SYN that this host has sent. */
static __always_inline enum ndiv_verdict handle_answer(struct job *job, struct shield_flow *f)
{
	struct options found;
	__u8 local = f->scale >> 4;

	if (!(job->tcp.flags & TCP_ACK) || job->tcp.ack != f->end[1])
		return ndiv_drop(job->pkt, SHIELD_R_WINDOW);
	if (job->tcp.flags & TCP_RST) {
		flow_bits(f, 0, FLOW_RST);
		return NDIV_NEXT;
	}
	if (!(job->tcp.flags & TCP_SYN))
		return ndiv_drop(job->pkt, SHIELD_R_WINDOW);
	if (read_options(&job->frame, job->pkt, NDIV_CPU_RX, &found))
		return ndiv_drop(job->pkt, SHIELD_R_OPTIONS);
	f->end[0] = job->tcp.seq + job->tcp.len;
	f->max[0] = job->tcp.seq + 1 + f->window[1];
	f->window[0] = job->tcp.window;
	if (found.wscale == WSCALE_NONE || local == WSCALE_NONE)
		f->scale = 0;
	else
		flow_set_scale(f, flow_scales(found.wscale, local));
	flow_update(f, 0, &job->tcp, job->ms);
	return NDIV_NEXT;
}

/* A reset ends a flow only if it is exactly where the stack expects it: elsewhere the stack asks back (RFC 5961). */
static __always_inline void take_reset(struct job *job, struct shield_flow *f)
{
	if (job->tcp.seq == f->end[0] || f->bits[0] & FLOW_LIBERAL)
		flow_bits(f, 0, FLOW_RST);
}

static __always_inline enum ndiv_verdict handle_flow(struct xdp_md *ctx, struct job *job, struct shield_flow *f)
{
	enum flow_state state = flow_state(f);
	__u8 kind = job->tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST);

	if (flow_age(f, job->ms) > flow_timeout(state))
		return handle_new(ctx, job, f);
	if (state == FLOW_SYN_SENT)
		return handle_answer(job, f);
	if (kind == TCP_SYN && state != FLOW_CLOSED) {
		ndiv_count(job->pkt, SHIELD_SYN_PASSED);
		return NDIV_NEXT;	/* again, or a new one in TIME-WAIT; else the stack asks back */
	}
	if (kind == TCP_SYN)
		return handle_syn(ctx, job);
	if (config.window == SHIELD_WINDOW_CHECK && !flow_fits(f, 0, &job->tcp)) {
		if (kind == TCP_ACK && state != FLOW_OPEN && state != FLOW_CLOSING)
			return handle_ack(ctx, job, f);
		return ndiv_drop(job->pkt, SHIELD_R_WINDOW);
	}
	if (kind & TCP_RST)
		take_reset(job, f);
	else
		flow_update(f, 0, &job->tcp, job->ms);
	return NDIV_NEXT;
}

/* --- the three programs ------------------------------------------------------------------------------------- */

/* A fragment of a segment: which stacks that look for their path's MTU never send. */
static __always_inline int is_tcp_fragment(const struct ndiv_pkt *pkt)
{
	return pkt->flags & NDIV_F_FRAG && pkt->proto == IPPROTO_TCP;
}

/* Is the source banned? While there is no table, that costs a load. */
static __always_inline int is_banned(struct xdp_md *ctx, struct job *job)
{
	if (!bans_now())
		return 0;
	read_clock(job);
	return inspect_ban(ctx, job->pkt, &job->tcp, ban_tick(job->ms));
}

/* What the policy says, if there is one. */
static __always_inline enum ndiv_verdict handle_policy(struct xdp_md *ctx, struct job *job)
{
	if (!image_now())
		return NDIV_NEXT;
	switch (inspect(ctx, job->pkt, &job->tcp)) {
	case INSPECT_DENY:
		return ndiv_drop(job->pkt, SHIELD_R_DENIED);
	case INSPECT_LIMIT:
		return ndiv_drop(job->pkt, SHIELD_R_LIMITED);
	default:
		return NDIV_NEXT;
	}
}

/*
 * IPv6 with more extension headers than are read: the stack would take it, and neither bans nor rules could be asked
 * what is behind them. What else is malformed, the stack drops.
 */
static __always_inline enum ndiv_verdict handle_malformed(struct job *job)
{
	if (job->pkt->reason != NDIV_R_IP6_EXT || is_trusted(&job->tcp))
		return NDIV_NEXT;
	return ndiv_drop(job->pkt, SHIELD_R_HEADERS);
}

static __always_inline enum ndiv_verdict shield_handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
{
	struct job job = { .frame = { .xdp = ctx }, .pkt = pkt };
	struct shield_flow *f;

	if (!(pkt->flags & (NDIV_F_IPV4 | NDIV_F_IPV6)) || !ndiv_to_me(ctx))
		return NDIV_NEXT;
	if (read_addr(&job, 0) || !is_protected_host(&job.tcp))
		return NDIV_NEXT;
	if (pkt->flags & NDIV_F_MALFORMED)
		return handle_malformed(&job);
	if (is_banned(ctx, &job))
		return ndiv_drop(pkt, SHIELD_R_BANNED);
	if (handle_policy(ctx, &job) == NDIV_DROP)
		return NDIV_DROP;
	if (is_tcp_fragment(pkt))
		return ndiv_drop(pkt, SHIELD_R_FRAGMENT);
	if (!(pkt->flags & NDIV_F_TCP) || read_tcp(&job, 0, pkt->end) || !is_protected_port(&job.tcp))
		return NDIV_NEXT;
	if (!flags_sound(job.tcp.flags))
		return ndiv_drop(pkt, SHIELD_R_FLAGS);
	f = flow_find(&job.key);
	return f ? handle_flow(ctx, &job, f) : handle_new(ctx, &job, NULL);
}

SEC("xdp.frags")
int shield(struct xdp_md *ctx)
{
	return ndiv_run(ctx, shield_handle, synack_build);
}

SEC("xdp.frags/devmap")
int shield_clone(struct xdp_md *ctx)
{
	return ndiv_run_clone(ctx, synack_build);
}

SEC("tc")
int shield_skb(struct __sk_buff *skb)
{
	return ndiv_run_skb(skb, synack_build);
}

/* The service cannot take connections: from now on its SYNs are passed. */
static __always_inline enum ndiv_verdict refuse(struct job *job)
{
	struct shield_service *svc = service_find(&job->tcp);

	if (svc)
		svc->flags |= SERVICE_REFUSES;
	return ndiv_drop(job->pkt, SHIELD_R_REFUSED);
}

/* Hands the packet to listener <sk>, if it is the one that opens the connection. */
static __always_inline enum ndiv_verdict hand_over(struct __sk_buff *skb, struct job *job, struct bpf_sock *sk)
{
	const struct shield_service *svc = service_find(&job->tcp);
	struct offer offer = { 0 };
	__u32 tsecr = 0;

	if (!svc || check_cookie(job, NDIV_CPU_IN, &offer, &tsecr) <= 0)
		return ndiv_drop(job->pkt, SHIELD_R_NOT_OPEN);
	if (assign(skb, sk, &offer, tsecr, svc->wscale))
		return refuse(job);
	ndiv_count(job->pkt, SHIELD_HANDOVER);
	return NDIV_NEXT;
}

/* Segments of a flow that the local side has not answered yet. */
static __always_inline enum ndiv_verdict handle_opening(struct __sk_buff *skb, struct job *job)
{
	struct bpf_sock *sk = find_socket(skb, &job->tcp);
	enum ndiv_verdict verdict = NDIV_NEXT;

	if (!sk)
		return refuse(job);
	if (sk->state == SK_LISTEN)
		verdict = hand_over(skb, job, sk);
	bpf_sk_release(sk);
	return verdict;
}

static __always_inline enum ndiv_verdict shield_arrived(struct __sk_buff *skb, struct ndiv_pkt *pkt)
{
	struct job job = { .frame = { .is_skb = 1, .skb = skb }, .pkt = pkt };
	struct shield_flow *f;

	if (!can_hand_over() || (pkt->flags & (NDIV_F_TCP | NDIV_F_FRAG | NDIV_F_MALFORMED)) != NDIV_F_TCP)
		return NDIV_NEXT;
	if (read_addr(&job, 0) || read_tcp(&job, 0, pkt->end) || job.tcp.flags & (TCP_SYN | TCP_RST))
		return NDIV_NEXT;
	if (!is_protected_port(&job.tcp) || !is_protected_host(&job.tcp))
		return NDIV_NEXT;
	f = flow_find(&job.key);
	if (!f || flow_state(f) != FLOW_OPENING)
		return NDIV_NEXT;
	return handle_opening(skb, &job);
}

SEC("tc")
int shield_in(struct __sk_buff *skb)
{
	return ndiv_run_in(skb, shield_arrived);
}

/* The listener answers a SYN: what it says is what cookies have to say, too. */
static __always_inline void learn_service(struct __sk_buff *skb, struct job *job, const struct options *found,
					  __u8 *client_scale)
{
	struct bpf_sock *sk = skb->sk;
	struct tcp_request_sock *req = sk ? bpf_skc_to_tcp_request_sock(sk) : NULL;

	if (!req)
		return;		/* one of the kernel's own cookies */
	*client_scale = BPF_CORE_READ_BITFIELD_PROBED(&req->req, snd_wscale);
	service_learn(&job->tcp, found, service_allows(req), job->ms);
	ndiv_count(job->pkt, SHIELD_SERVICE);
}

/* A SYN or SYN-ACK of this host begins a flow, whatever was there. */
static __always_inline void send_syn(struct __sk_buff *skb, struct job *job, struct shield_flow *former)
{
	int answer = job->tcp.flags & TCP_ACK;
	__u8 client = WSCALE_MAX;
	struct flow_place place;
	struct options found;
	struct shield_flow *f;

	if (read_options(&job->frame, job->pkt, NDIV_CPU_TX, &found))
		found = (struct options){ .wscale = WSCALE_NONE };
	if (answer)
		learn_service(skb, job, &found, &client);
	f = former ? former : enter(job, &place);
	if (!f) {
		ndiv_count(job->pkt, SHIELD_UNTRACKED);
		return;
	}
	flow_begin(f, 1, &job->tcp, 0, job->ms);
	if (answer)
		f->bits[0] = FLOW_SYN;
	if (!answer)
		f->scale = flow_scales(0, found.wscale);
	else if (found.wscale != WSCALE_NONE)
		flow_set_scale(f, flow_scales(client, found.wscale));
	if (!former)
		flow_commit(&place, &job->key);
	ndiv_count(job->pkt, SHIELD_FLOW_SENT);
}

/* A flow begins anew with a SYN, unless that is the same one again. */
static __always_inline int is_again(const struct job *job, const struct shield_flow *f)
{
	return f && f->end[1] == job->tcp.seq + job->tcp.len;
}

static __always_inline enum ndiv_verdict shield_sent(struct __sk_buff *skb, struct ndiv_pkt *pkt)
{
	struct job job = { .frame = { .is_skb = 1, .skb = skb }, .pkt = pkt };
	struct shield_flow *f;

	if ((pkt->flags & (NDIV_F_TCP | NDIV_F_FRAG | NDIV_F_MALFORMED)) != NDIV_F_TCP)
		return NDIV_NEXT;
	if (read_addr(&job, 1) || read_tcp(&job, 1, pkt->len))
		return NDIV_NEXT;
	if (!is_protected_port(&job.tcp) || !is_protected_host(&job.tcp))
		return NDIV_NEXT;
	f = flow_find(&job.key);
	if (job.tcp.flags & TCP_SYN && !is_again(&job, f))
		send_syn(skb, &job, f);
	else if (f)
		flow_update(f, 1, &job.tcp, job.ms);
	else if (!(job.tcp.flags & TCP_RST) && enter_flow(&job, 1, NULL, SHIELD_FLOW_SENT))
		ndiv_count(pkt, SHIELD_UNTRACKED);
	if ((job.tcp.flags & (TCP_RST | TCP_ACK)) == (TCP_RST | TCP_ACK) && !job.tcp.seq)
		service_forget(&job.tcp);
	return NDIV_NEXT;
}

SEC("tc")
int shield_tx(struct __sk_buff *skb)
{
	return ndiv_run_tx(skb, shield_sent);
}

char _license[] SEC("license") = "GPL";

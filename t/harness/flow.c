// SPDX-License-Identifier: GPL-2.0-only
/*
 * flow.c - runs a simulated connection: the wire, the server, and what has to hold of all that the server sends
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <ndiv/abi.h>
#include "flow_sim.h"
#include "oracle.h"

#define TIME_MAX_US	900000000ULL
#define STEPS_MAX	200000
#define BURST_ROUNDS	(NDIV_BURST_MAX + 2)
#define RECENTS		8192	/* entries of the server's map, see sim_age() */
#define TICK_US		1000	/* of the kernel's clock, at least */
#define MARK		4	/* timestamps that know of no loss yet may follow those that do */
#define LATE_US		3000	/* a packet that others overtake comes so much later */

void sim_fail(struct sim *s, const char *fmt, ...)
{
	char text[300];
	va_list args;

	if (s->bad)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(s->text, sizeof(s->text), "at %llu us: %s", (unsigned long long)s->now, text);
	s->bad = s->text;
}

/* xorshift64* (Vigna) */
uint32_t sim_random(struct sim *s, uint32_t n)
{
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return (s->random * 0x2545f4914f6cdd1dULL >> 32) % n;
}

/* --- the wire */

/* When a frame is through that goes onto the wire now, which takes one after the other. */
static uint64_t carried(struct sim *s, int to_server, size_t len)
{
	uint32_t kbit = s->setup->kbit;

	if (to_server || !kbit)
		return s->now;
	s->busy = (s->busy < s->now ? s->now : s->busy) + len * 8000 / kbit;
	return s->busy;
}

static void put_frame(struct sim *s, int to_server, const uint8_t *data, size_t len, uint64_t late)
{
	struct sim_frame *f;
	uint64_t at = carried(s, to_server, len) + s->setup->wire.delay_us;

	if (s->count == SIM_EVENTS) {
		sim_fail(s, "a storm: %u frames are on their way", s->count);
		return;
	}
	if (!late && at < s->latest[to_server])
		at = s->latest[to_server];
	if (!late)
		s->latest[to_server] = at;
	f = &s->frames[s->count];
	*f = (struct sim_frame){ at + late, s->order++, len, to_server, malloc(len) };
	if (!f->data) {
		sim_fail(s, "test: no memory");
		return;
	}
	memcpy(f->data, data, len);
	s->count++;
}

/* For the debugger of a failed run: FLOW_TRACE=1 in the environment. */
static void trace(const struct sim *s, int to_server, const uint8_t *data)
{
	size_t l4 = sim_l4(s), end = sim_end(s, data);
	uint32_t client = s->setup->isn, server = s->rx.isn;

	fprintf(stderr, "%9llu %s flags %02x seq %u ack %u len %zu window %u ts %08x %08x\n",
		(unsigned long long)s->now, to_server ? "client" : "    server", data[l4 + 13],
		get32(data + l4 + 4) - (to_server ? client : server),
		get32(data + l4 + 8) - (to_server ? server : client), end - l4 - (data[l4 + 12] >> 4) * 4,
		get16(data + l4 + 14), get32(data + l4 + 24), get32(data + l4 + 28));
}

void sim_put(struct sim *s, int to_server, const uint8_t *data, size_t len)
{
	const struct flow_wire *w = &s->setup->wire;

	if (s->trace)
		trace(s, to_server, data);
	if (sim_random(s, 1000) >= w->loss)
		put_frame(s, to_server, data, len, sim_random(s, 1000) < w->reorder ? 1 + sim_random(s, LATE_US) : 0);
	if (w->dup && sim_random(s, 1000) < w->dup)
		put_frame(s, to_server, data, len, 1 + sim_random(s, LATE_US));
}

/* --- what has to hold of a packet of the server */

struct shown {
	uint32_t seq, ack, len, end;
	uint8_t flags;
	uint32_t tsval, tsecr;
};

/* Everything but data and numbers of <data> has to be as the asking packet's, turned round. */
static int is_turned(const struct sim *s, const uint8_t *a, const uint8_t *b)
{
	size_t l4 = sim_l4(s), n = sim_has(s, FLOW_V6) ? 16 : 4, at = l4 - 2 * n;

	return !memcmp(a, b + 6, 6) && !memcmp(a + 6, b, 6) && !memcmp(a + 12, b + 12, sim_l3(s) - 12) &&
	       !memcmp(a + at, b + at + n, n) && !memcmp(a + at + n, b + at, n) && !memcmp(a + l4, b + l4 + 2, 2) &&
	       !memcmp(a + l4 + 2, b + l4, 2);
}

static void read_shown(const struct sim *s, const uint8_t *f, const struct ndiv_pkt *pkt, struct shown *o)
{
	o->flags = f[pkt->l4 + 13];
	o->len = pkt->end - pkt->payload;
	o->seq = get32(f + pkt->l4 + 4);
	o->ack = get32(f + pkt->l4 + 8) - s->setup->isn;
	o->end = o->seq + o->len;
	o->tsval = o->tsecr = 0;
	if (sim_has(s, FLOW_TS) && pkt->payload - pkt->l4 >= 32) {
		const uint8_t *stamps = f + pkt->l4 + 24 + (o->flags & TH_SYN ? 4 : 0);

		o->tsval = get32(stamps);
		o->tsecr = get32(stamps + 4);
	}
}

/* The client's timestamp in <in>, whose options are where it puts them; 0 if it has none. */
static uint32_t stamp_of(const struct sim *s, const uint8_t *in)
{
	const uint8_t *option = in + sim_l4(s) + 20;

	if (!sim_has(s, FLOW_TS))
		return 0;
	if (in[sim_l4(s) + 13] & TH_SYN)
		option += (s->setup->mss ? 4 : 0) + (sim_has(s, FLOW_SACK) ? 4 : 0) + (s->setup->wscale ? 4 : 0);
	return get32(option + 4);
}

static void check_stamps(struct sim *s, const struct shown *o, uint32_t asked)
{
	const struct flow_wire *w = &s->setup->wire;
	int in_order = !w->dup && !w->reorder && !sim_has(s, FLOW_OLD);
	/* The answer to data that the client need not have sent again: it says no news, and may be dropped by PAWS. */
	int stale = s->cost->timeouts && !o->len && (int32_t)(o->ack - s->server_ack) <= 0;

	if (!sim_has(s, FLOW_TS))
		return;
	if (o->tsecr != asked)
		sim_fail(s, "the answer echoes %08x and not %08x", o->tsecr, asked);
	if ((int32_t)(o->ack - s->server_ack) > 0)
		s->server_ack = o->ack;
	if (in_order && !stale && s->server_seen &&
	    (int32_t)(o->tsval - s->server_ts) < -(s->cost->timeouts ? MARK : 1))
		sim_fail(s, "the timestamp goes back by %u", s->server_ts - o->tsval);
	if (!s->server_seen || (int32_t)(o->tsval - s->server_ts) > 0)
		s->server_ts = o->tsval;
}

/* Acknowledgement and place in the stream. <in>: the asking packet. */
static void check_numbers(struct sim *s, const struct shown *o, const uint8_t *in, size_t l4)
{
	uint32_t ack = get32(in + l4 + 8), window = get16(in + l4 + 14) << s->rx.wscale, end, i;
	struct sim_app *app = &s->app;

	if (o->ack < 1 || o->ack > s->tx.max)
		sim_fail(s, "acknowledges %u, when %u have been sent", o->ack, s->tx.max);
	if (o->len > s->server_room)
		sim_fail(s, "a segment of %u bytes, not %u", o->len, s->server_room);
	if (o->len && (int32_t)(o->end - ack - window) > 0)
		sim_fail(s, "sends up to %u in a window of %u", o->end - ack, window);
	if (!s->open)
		return;
	end = o->end - s->rx.isn;
	if (end > s->server_end && o->len)
		s->server_end = end;
	if (s->server_fin && end > s->server_fin + !o->len)
		sim_fail(s, "sends up to %u, behind the FIN at %u", end, s->server_fin);
	if (o->flags & TH_FIN) {
		if (s->server_fin && s->server_fin != end)
			sim_fail(s, "FIN at %u, and before at %u", end, s->server_fin);
		s->server_fin = end;
	}
	for (i = app->done; i < app->written; i++)
		if (o->ack >= app->end[i] && !app->acked_at[i])
			app->acked_at[i] = s->server_end;
}

/* A frame that the server sends, because it got <in>. */
static void judge(struct sim *s, const uint8_t *in, const struct run_out *out)
{
	const char *bad;
	struct ndiv_pkt pkt;
	struct shown o;
	uint8_t flags;

	bad = oracle_judge(out->data, out->len, &pkt);
	if (bad) {
		sim_fail(s, "a bad packet: %s", bad);
		return;
	}
	if (!is_turned(s, in, out->data))
		sim_fail(s, "a packet to somebody else");
	read_shown(s, out->data, &pkt, &o);
	flags = in[pkt.l4 + 13];
	if (o.flags & ~(TH_ACK | TH_PSH | TH_FIN | TH_SYN) || !(o.flags & TH_ACK) ||
	    !(o.flags & TH_SYN) != !(flags & TH_SYN))
		sim_fail(s, "flags %02x for %02x", o.flags, flags);
	check_stamps(s, &o, stamp_of(s, in));
	check_numbers(s, &o, in, pkt.l4);
	s->server_seen = 1;
	s->cost->answers++;
	s->cost->sent += o.len;
	sim_put(s, SIM_TO_CLIENT, out->data, out->len);
}

/* --- the server */

/* The clones of a burst: as many as it says, and perhaps others, which are dropped. */
static void run_burst(struct sim *s, const uint8_t *in, const struct run_out *first)
{
	const struct ndiv_meta *meta = (const struct ndiv_meta *)(first->buf + first->meta - sizeof(*meta));
	uint32_t want = meta->count & ~NDIV_META_SKIP, got = 0, i;
	static struct run_out copy;

	for (i = 0; i < BURST_ROUNDS && got < want && !s->bad; i++) {
		if (run_copy(s->run, first, &copy)) {
			sim_fail(s, "test: run_copy() failed");
		} else if (copy.act == XDP_PASS) {
			got++;
			judge(s, in, &copy);
		}
	}
	if (got != want)
		sim_fail(s, "%u packets of a burst of %u", got, want);
}

/* As the handler has it. */
struct recent {
	uint32_t ack;
	uint16_t tag, when;
	uint32_t end, unused;
};

/* The slot with something in it. */
static void find_recent(struct sim *s)
{
	static struct recent *values;
	int cpus = s->run->cpu_count;
	static uint32_t keys[RECENTS];
	uint32_t count = RECENTS, next, i;

	if (s->recent_slot >= 0)
		return;
	if (!values)
		values = calloc(RECENTS * cpus, sizeof(*values));
	if (!values || bpf_map_lookup_batch(s->recents, NULL, &next, keys, values, &count, NULL)) {
		sim_fail(s, "test: the table of recent answers cannot be read");
		return;
	}
	for (i = 0; i < count * cpus; i++)
		if (values[i].ack || values[i].end) {
			s->recent_slot = i / cpus;
			return;
		}
}

/* What the slot has becomes <ticks> older. */
static void age_slot(struct sim *s, uint32_t slot, uint16_t ticks)
{
	struct recent values[s->run->cpu_count];
	int i;

	if (bpf_map_lookup_elem(s->recents, &slot, values))
		return;
	for (i = 0; i < s->run->cpu_count; i++)
		values[i].when -= ticks;
	bpf_map_update_elem(s->recents, &slot, values, 0);
}

static void forget_recent(struct sim *s)
{
	struct recent none[s->run->cpu_count];
	uint32_t slot = s->recent_slot & ~1U;

	memset(none, 0, sizeof(none));
	bpf_map_update_elem(s->recents, &slot, none, 0);
	slot |= 1;
	bpf_map_update_elem(s->recents, &slot, none, 0);
}

/*
 * For some time, by the kernel's clock, the server does not answer an acknowledgement again. That clock knows nothing
 * of ours: so what the server remembers is made older by the time that has gone by here. <answered>: an acknowledgement
 * has just been answered; else: it is about to get something.
 */
static void sim_age(struct sim *s, int answered)
{
	uint64_t ticks = (s->now - s->recent_at) / TICK_US;

	if (s->recents < 0)
		return;
	if (answered && s->recent_slot < 0) {
		find_recent(s);
		s->recent_at = s->now;
	} else if (s->recent_slot >= 0 && ticks) {
		s->recent_at += ticks * TICK_US;
		age_slot(s, s->recent_slot & ~1U, ticks);
		age_slot(s, s->recent_slot | 1U, ticks);
	}
}

static void serve(struct sim *s, const uint8_t *data, size_t len)
{
	static struct run_out out;
	uint32_t answers = s->cost->answers;
	size_t l4 = sim_l4(s);

	sim_age(s, 0);
	if (run_rx(s->run, data, len, &out))
		sim_fail(s, "test: run_rx() failed");
	else if (out.act == XDP_TX)
		judge(s, data, &out);
	else if (out.act == XDP_REDIRECT)
		run_burst(s, data, &out);
	else if (out.act != XDP_DROP)
		sim_fail(s, "action %d", out.act);
	if (s->cost->answers != answers && l4 + (data[l4 + 12] >> 4) * 4 >= len)
		sim_age(s, 1);
}

/* Has the client sent the same before, but for the time? */
static int is_old(const struct sim *s, const struct sim_frame *f)
{
	size_t l4 = sim_l4(s);
	uint32_t i;

	for (i = 0; i < s->old_count; i++)
		if (s->old[i].len == f->len && !memcmp(s->old[i].data + l4, f->data + l4, 14))
			return 1;
	return 0;
}

/* A frame of the client, and, if so wanted and it is a new one, all former ones once more. */
static void serve_all(struct sim *s, struct sim_frame *f)
{
	int keep = sim_has(s, FLOW_OLD) && s->old_count < SIM_KEEP && !is_old(s, f);
	uint32_t i;

	for (i = 0; keep && i < s->old_count; i++)
		serve(s, s->old[i].data, s->old[i].len);
	serve(s, f->data, f->len);
	if (keep)
		s->old[s->old_count++] = *f;
	else
		free(f->data);
}

/* --- all of it */

static void deliver(struct sim *s, uint32_t i)
{
	struct sim_frame f = s->frames[i];

	s->frames[i] = s->frames[--s->count];
	if (f.to_server) {
		serve_all(s, &f);
		return;
	}
	tcp_take(s, f.data);
	free(f.data);
}

/* The next thing that happens. 0: nothing does. */
static int step(struct sim *s)
{
	uint64_t timer = tcp_next_timer(s), app = app_next_timer(s);
	uint32_t i, first = 0;

	for (i = 1; i < s->count; i++)
		if (s->frames[i].at < s->frames[first].at ||
		    (s->frames[i].at == s->frames[first].at && s->frames[i].order < s->frames[first].order))
			first = i;
	if (app < timer)
		timer = app;
	if (!s->count && timer == SIM_NEVER)
		return 0;
	if (s->count && s->frames[first].at <= timer) {
		s->now = s->frames[first].at;
		deliver(s, first);
		return 1;
	}
	s->now = timer;
	tcp_timers(s);
	app_timers(s);
	return 1;
}

static void run_all(struct sim *s)
{
	uint32_t steps = 0;

	tcp_open(s);
	while (!s->bad && step(s)) {
		if (s->now > TIME_MAX_US)
			sim_fail(s, "no end (%u of %u responses, %u bytes)", s->app.done, s->app.count, s->rx.nxt);
		if (++steps > STEPS_MAX)
			sim_fail(s, "a storm: %u steps", steps);
	}
	s->cost->stalled = !s->bad && !app_may_end(s);
	if (s->cost->stalled)
		sim_fail(s, "silence (%u of %u responses, %u bytes, FIN %u, %u of %u acknowledged)", s->app.done,
			 s->app.count, s->rx.nxt, s->rx.fin, s->tx.una, s->tx.max);
	s->cost->stream = s->rx.nxt;
	s->cost->us = s->now;
}

static void close_sim(struct sim *s)
{
	while (s->count)
		free(s->frames[--s->count].data);
	while (s->old_count)
		free(s->old[--s->old_count].data);
	if (s->recents < 0)
		return;
	find_recent(s);
	if (s->recent_slot >= 0)
		forget_recent(s);
}

/* Bytes of payload that the server may put into a packet: its smallest class of MSS is 256. */
static uint32_t server_room(const struct flow_setup *setup)
{
	uint32_t mss = setup->mss ? setup->mss : setup->traits & FLOW_V6 ? 1220 : 536;

	return (mss < 256 ? 256 : mss) - (setup->traits & FLOW_TS ? 12 : 0);
}

/* Streams of one connection at a time: too long for the stack, not worth an allocation each. */
static uint8_t sent_bytes[SIM_STREAM], got_bytes[SIM_STREAM];

const char *flow_run(struct run *r, uint32_t id, const struct flow_setup *setup, const struct flow_ask *asks,
		     uint32_t count, struct flow_cost *cost)
{
	uint32_t most = setup->mss && setup->mss < 1440 ? setup->mss : 1440;
	static struct sim s;

	memset(cost, 0, sizeof(*cost));
	memset(&s, 0, sizeof(s));
	s.run = r;
	s.id = id;
	s.setup = setup;
	s.cost = cost;
	s.random = setup->seed * 0x9e3779b97f4a7c15ULL | 1;
	s.recents = run_map(r, id, "recents");
	s.recent_slot = -1;
	s.room = most - (setup->traits & FLOW_TS ? 12 : 0);
	s.trace = !!getenv("FLOW_TRACE");
	s.server_room = server_room(setup);
	s.tx.bytes = sent_bytes;
	s.tx.flight = 10 * s.room;
	s.rx.bytes = got_bytes;
	s.rx.timer = SIM_NEVER;
	s.app.asks = asks;
	s.app.count = count;
	s.app.pos = 1;
	s.app.read_at = s.app.probe_at = s.app.talk_at = SIM_NEVER;
	run_all(&s);
	close_sim(&s);
	return s.bad;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * flow_tcp.c - the client's TCP in a simulated connection
 */
#include <string.h>
#include "flow_sim.h"

#define RTO_US		200000
#define RTO_MAX_US	60000000
#define DELAY_US	40000
#define WINDOW		65535	/* the server's, always */
#define BACKOFFS	20

static int before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static uint32_t stamp(const struct sim *s)
{
	return s->setup->tsval + s->now / 1000;
}

static int put_ts(const struct sim *s, uint8_t *o, uint32_t echo)
{
	memcpy(o, "\1\1\x08\x0a", 4);
	put32(o + 4, stamp(s));
	put32(o + 8, echo);
	return 12;
}

static int syn_options(const struct sim *s, uint8_t *o)
{
	int len = 0;

	if (s->setup->mss) {
		memcpy(o, "\2\4", 2);
		put16(o + 2, s->setup->mss);
		len = 4;
	}
	if (sim_has(s, FLOW_SACK)) {
		memcpy(o + len, "\1\1\4\2", 4);
		len += 4;
	}
	if (s->setup->wscale) {
		memcpy(o + len, "\1\3\3", 3);
		o[len + 3] = s->setup->wscale;
		len += 4;
	}
	return sim_has(s, FLOW_TS) ? len + put_ts(s, o + len, 0) : len;
}

/* SACK blocks: what came twice (RFC 2883), the piece that came last, the others (RFC 2018). */
static int sack_option(struct sim *s, uint8_t *o)
{
	struct sim_rx *rx = &s->rx;
	uint32_t most = sim_has(s, FLOW_TS) ? 3 : 4, n = 0, i, round;

	if (sim_has(s, FLOW_DSACK) && rx->dup.to != rx->dup.from) {
		put32(o + 4, rx->isn + rx->dup.from);
		put32(o + 8, rx->isn + rx->dup.to);
		n = 1;
	}
	rx->dup = (struct sim_range){ 0, 0 };
	for (round = 0; round < 2; round++)
		for (i = 0; i < rx->count && n < most; i++) {
			int newest = !before(rx->newest, rx->ranges[i].from) && before(rx->newest, rx->ranges[i].to);

			if (newest != !round)
				continue;
			put32(o + 4 + 8 * n, rx->isn + rx->ranges[i].from);
			put32(o + 8 + 8 * n++, rx->isn + rx->ranges[i].to);
		}
	if (!n)
		return 0;
	memcpy(o, "\1\1\5", 3);
	o[3] = 2 + 8 * n;
	return 4 + 8 * n;
}

/*
 * The window to announce, as the header has it. Without need, its edge neither goes back nor forward by less than is
 * worth it; to a scaled one's next whole step it does.
 */
static uint16_t announce(struct sim *s)
{
	uint32_t most = (uint32_t)WINDOW << s->rx.wscale, units;
	uint32_t buffer = s->setup->buffer ? s->setup->buffer : WINDOW, step = buffer / 2;
	struct sim_rx *rx = &s->rx;
	uint32_t edge = rx->nxt + buffer - (rx->nxt - rx->read);

	if (s->setup->mss && s->setup->mss < step)
		step = s->setup->mss;
	if (sim_has(s, FLOW_SHRINK) && !sim_random(s, 8))
		edge = rx->nxt + sim_random(s, 4000);
	else if (before(edge, rx->edge + step) && !before(rx->edge, rx->nxt))
		edge = rx->edge;
	if (edge - rx->nxt > most)
		edge = rx->nxt + most;
	units = (edge - rx->nxt + (1U << rx->wscale) - 1) >> rx->wscale;
	edge = rx->nxt + (units << rx->wscale);
	rx->edge = edge;
	if (before(rx->edge_max, edge))
		rx->edge_max = edge;
	return units;
}

/* Sends <len> bytes of <data>, number <seq>. */
static void send_segment(struct sim *s, uint32_t seq, uint8_t flags, const uint8_t *data, uint32_t len)
{
	int v6 = sim_has(s, FLOW_V6), n = 1;
	static struct pkt p;
	uint8_t options[44];
	struct pkt_layer l[6] = { { .type = PKT_ETH } }, tcp = TCP(.sport = s->setup->port, .dport = FLOW_PORT,
								   .seq = s->setup->isn + seq, .flags = flags,
								   .options = (const char *)options);

	if (s->setup->tag)
		l[n++] = (struct pkt_layer)VLAN(.tci = s->setup->tag);
	l[n].type = v6 ? PKT_IP6 : PKT_IP4;
	n++;
	if (flags & TH_SYN) {
		tcp.tcp.option_len = syn_options(s, options);
	} else {
		if (sim_has(s, FLOW_TS))
			tcp.tcp.option_len = put_ts(s, options, s->rx.ts_recent);
		if (sim_has(s, FLOW_SACK))
			tcp.tcp.option_len += sack_option(s, options + tcp.tcp.option_len);
	}
	if (flags & TH_ACK) {
		tcp.tcp.ack = s->rx.isn + s->rx.nxt;
		s->rx.last_ack = s->rx.nxt;
		s->rx.pending = 0;
		s->rx.now = 0;
		s->rx.timer = SIM_NEVER;
	}
	tcp.tcp.window = announce(s);
	l[n++] = tcp;
	if (len)
		l[n++] = (struct pkt_layer){ .type = PKT_DATA, .data = { .text = (const char *)data, .len = len } };
	pkt_build(&p, l);
	/* pkt_build() takes a window of 0 for none given */
	if (!tcp.tcp.window) {
		put16(p.data + p.l4 + 14, 0);
		pkt_resum(&p);
	}
	sim_put(s, SIM_TO_SERVER, p.data, p.len);
}

static void send_ack(struct sim *s)
{
	send_segment(s, s->tx.max, TH_ACK, NULL, 0);
}

static void start_timer(struct sim *s)
{
	uint64_t rto = (uint64_t)RTO_US << s->tx.backoff;

	rto += 2 * (uint64_t)s->setup->wire.delay_us;
	s->tx.timer = s->now + (rto < RTO_MAX_US ? rto : RTO_MAX_US);
}

void tcp_open(struct sim *s)
{
	s->tx.una = 0;
	s->tx.max = 1;
	s->tx.nxt = 1;
	s->rx.timer = SIM_NEVER;
	send_segment(s, 0, TH_SYN, NULL, 0);
	start_timer(s);
}

void tcp_write(struct sim *s, const void *data, uint32_t len, int edge)
{
	struct sim_tx *tx = &s->tx;

	if (len > SIM_STREAM - tx->len) {
		sim_fail(s, "test: stream too long");
		return;
	}
	memcpy(tx->bytes + tx->len, data, len);
	tx->len += len;
	if (edge && tx->edges < 2 * FLOW_ASKS)
		tx->edge[tx->edges++] = 1 + tx->len;
}

/* Where the packet that begins at <seq> ends. */
static uint32_t segment_end(const struct sim *s, uint32_t seq)
{
	uint32_t room = s->setup->cut && s->setup->cut < s->room ? s->setup->cut : s->room, end = 1 + s->tx.len, i;
	int merge = sim_has(s, FLOW_MERGE) && before(seq, s->tx.max);

	if (merge)
		room = s->room;
	if (end - seq > room)
		end = seq + room;
	if (!merge)
		for (i = 0; i < s->tx.edges; i++)
			if (before(seq, s->tx.edge[i]) && before(s->tx.edge[i], end))
				end = s->tx.edge[i];
	return end;
}

void tcp_push(struct sim *s)
{
	struct sim_tx *tx = &s->tx;
	uint32_t last = 1 + tx->len, end, limit = tx->flight < WINDOW ? tx->flight : WINDOW;
	uint8_t flags;

	if (!s->open)
		return;
	while (before(tx->nxt, last + tx->fin)) {
		end = segment_end(s, tx->nxt);
		if (end - tx->una > limit && tx->nxt != tx->una)
			break;
		flags = TH_ACK | (end == last || end - tx->nxt < s->room ? TH_PSH : 0);
		if (end == last && tx->fin)
			flags |= TH_FIN;
		send_segment(s, tx->nxt, flags, tx->bytes + tx->nxt - 1, end - tx->nxt);
		tx->nxt = end + !!(flags & TH_FIN);
		if (before(tx->max, tx->nxt))
			tx->max = tx->nxt;
		if (tx->timer == SIM_NEVER)
			start_timer(s);
	}
}

void tcp_probe(struct sim *s, int byte)
{
	send_segment(s, s->tx.una - 1, TH_ACK, (const uint8_t *)"?", !!byte);
}

void tcp_tell_window(struct sim *s)
{
	uint32_t buffer = s->setup->buffer ? s->setup->buffer : WINDOW, mss = s->setup->mss ? s->setup->mss : 536;
	struct sim_rx *rx = &s->rx;
	uint32_t grown = rx->read + buffer - rx->edge;

	if ((int32_t)grown >= (int32_t)(buffer / 2) || (int32_t)grown >= (int32_t)(2 * mss))
		send_ack(s);
}

/* What the packet at hand says, in relative numbers. */
struct seen {
	uint8_t	flags;
	uint32_t seq, ack, end;	/* end: FIN included */
	const uint8_t *data;
	uint32_t len;
	int	has_ts;
	uint32_t tsval;
};

static void read_frame(struct sim *s, const uint8_t *f, struct seen *seen)
{
	size_t l4 = sim_l4(s), end = sim_end(s, f), off;

	seen->flags = f[l4 + 13];
	if (!s->open && seen->flags & TH_SYN)
		s->rx.isn = get32(f + l4 + 4);
	seen->seq = get32(f + l4 + 4) - s->rx.isn;
	seen->ack = get32(f + l4 + 8) - s->setup->isn;
	off = l4 + (f[l4 + 12] >> 4) * 4;
	seen->data = f + off;
	seen->len = end - off;
	seen->end = seen->seq + seen->len + !!(seen->flags & TH_FIN) + !!(seen->flags & TH_SYN);
	seen->has_ts = off - l4 >= 32;
	/* behind two NOPs; a SYN-ACK has the MSS before it */
	seen->tsval = seen->has_ts ? get32(f + l4 + 24 + (seen->flags & TH_SYN ? 4 : 0)) : 0;
}

static void take_ack(struct sim *s, uint32_t ack)
{
	struct sim_tx *tx = &s->tx;

	if (!before(tx->una, ack) || before(tx->max, ack))
		return;
	tx->una = ack;
	if (before(tx->nxt, ack))
		tx->nxt = ack;
	tx->backoff = 0;
	tx->flight += s->room;
	if (tx->una == tx->max)
		tx->timer = SIM_NEVER;
	else
		start_timer(s);
}

/* Puts <from> to <to> among the pieces, and joins those that touch. */
static void add_range(struct sim *s, uint32_t from, uint32_t to)
{
	struct sim_range out[SIM_RANGES + 1], *r = s->rx.ranges;
	uint32_t n = 0, i = 0;

	s->rx.newest = from;
	while (i < s->rx.count && before(r[i].to, from))
		out[n++] = r[i++];
	while (i < s->rx.count && !before(to, r[i].from)) {
		from = before(r[i].from, from) ? r[i].from : from;
		to = before(to, r[i].to) ? r[i].to : to;
		i++;
	}
	out[n++] = (struct sim_range){ from, to };
	while (i < s->rx.count)
		out[n++] = r[i++];
	if (n > SIM_RANGES) {
		sim_fail(s, "test: too many pieces");
		return;
	}
	memcpy(r, out, n * sizeof(*r));
	s->rx.count = n;
}

/* All of it known? Then it is a repetition. */
static int is_known(const struct sim *s, uint32_t from, uint32_t to)
{
	uint32_t i;

	if (!before(s->rx.nxt, to))
		return 1;
	for (i = 0; i < s->rx.count; i++)
		if (!before(from, s->rx.ranges[i].from) && !before(s->rx.ranges[i].to, to))
			return 1;
	return 0;
}

/* Bytes that are there already have to be the same again. */
static void store(struct sim *s, const struct seen *seen)
{
	uint32_t i, at = seen->seq - 1;

	if (at + seen->len > SIM_STREAM) {
		sim_fail(s, "test: stream too long");
		return;
	}
	for (i = 0; i < s->rx.count + 1; i++) {
		struct sim_range known = i ? s->rx.ranges[i - 1] : (struct sim_range){ 1, s->rx.nxt };
		uint32_t from = before(known.from, seen->seq) ? seen->seq : known.from;
		uint32_t to = before(known.to, seen->seq + seen->len) ? known.to : seen->seq + seen->len;

		if (before(from, to) && memcmp(s->rx.bytes + from - 1, seen->data + from - seen->seq, to - from))
			sim_fail(s, "other bytes at %u to %u than before", from, to);
	}
	memcpy(s->rx.bytes + at, seen->data, seen->len);
}

/* Data and FIN of an acceptable packet. */
static void take_data(struct sim *s, const struct seen *seen)
{
	uint32_t had = s->rx.count, to = seen->seq + seen->len;
	struct sim_rx *rx = &s->rx;

	if (seen->flags & TH_FIN)
		rx->fin = to;
	if (is_known(s, seen->seq, to) && seen->len) {
		rx->dup = (struct sim_range){ seen->seq, to };
		rx->now = 1;
	}
	store(s, seen);
	if (before(rx->nxt, to))
		add_range(s, seen->seq, to);
	if (rx->count && !before(rx->nxt, rx->ranges[0].from)) {
		if (before(rx->nxt, rx->ranges[0].to))
			rx->nxt = rx->ranges[0].to;
		memmove(rx->ranges, rx->ranges + 1, --rx->count * sizeof(rx->ranges[0]));
	}
	if (rx->fin && rx->nxt == rx->fin) {
		rx->nxt++;
		rx->now = 1;
	}
	rx->pending++;
	if (had || rx->count || rx->pending >= 2 || (seen->flags & TH_PSH && !sim_has(s, FLOW_LAZY)))
		rx->now = 1;
	if (rx->timer == SIM_NEVER)
		rx->timer = s->now + DELAY_US;
}

/* RFC 7323, 5.3, R1: 1 if the packet is to be dropped. */
static int is_stale(struct sim *s, const struct seen *seen)
{
	uint32_t slack = sim_has(s, FLOW_STRICT) ? 0 : 1;

	if (!sim_has(s, FLOW_TS))
		return 0;
	if (before(seen->tsval + slack, s->rx.ts_recent)) {
		s->cost->paws++;
		return 1;
	}
	return 0;
}

/* R3: of an acceptable packet. */
static void take_stamp(struct sim *s, const struct seen *seen)
{
	if (!sim_has(s, FLOW_TS))
		return;
	if (!before(seen->tsval, s->rx.ts_recent) && !before(s->rx.last_ack, seen->seq))
		s->rx.ts_recent = seen->tsval;
}

/* Does the server's SYN have the option for it? Then both scale (RFC 7323, 2.2). */
static void take_wscale(struct sim *s, const uint8_t *tcp)
{
	const uint8_t *o = tcp + 20, *end = tcp + (tcp[12] >> 4) * 4;

	while (o < end && *o && !(o[0] == 3 && o[1] == 3))
		o += *o == 1 ? 1 : o[1];
	if (o >= end || !*o)
		return;
	if (!s->setup->wscale)
		sim_fail(s, "an option for the scale of windows that was not offered");
	s->rx.wscale = s->setup->wscale;
}

static void take_synack(struct sim *s, const struct seen *seen, const uint8_t *tcp)
{
	if (!(seen->flags & TH_SYN) || seen->ack != 1)
		return;
	s->open = 1;
	take_wscale(s, tcp);
	s->rx.nxt = 1;
	s->rx.read = 1;
	s->rx.edge = 1;
	s->rx.edge_max = 1;
	s->rx.ts_recent = seen->tsval;
	take_ack(s, 1);
	if (!sim_has(s, FLOW_NO_ACK))
		send_ack(s);
	app_step(s);
}

void tcp_take(struct sim *s, const uint8_t *frame)
{
	struct seen seen;
	struct sim_rx *rx = &s->rx;

	read_frame(s, frame, &seen);
	if (!s->open) {
		take_synack(s, &seen, frame + sim_l4(s));
		return;
	}
	if (is_stale(s, &seen)) {
		send_ack(s);
		return;
	}
	/*
	 * Not acceptable (R2): nothing new, from before what has been acknowledged, or beyond the window, whose edge
	 * was told to the server once.
	 */
	if (seen.flags & TH_SYN || (seen.end != seen.seq && !before(rx->nxt, seen.end)) ||
	    before(seen.end, rx->last_ack) || before(rx->edge_max + 1, seen.end)) {
		if (seen.len && !before(rx->nxt, seen.end))
			rx->dup = (struct sim_range){ seen.seq, seen.seq + seen.len };
		send_ack(s);
		return;
	}
	take_stamp(s, &seen);
	take_ack(s, seen.ack);
	if (seen.end != seen.seq)
		take_data(s, &seen);
	app_step(s);
	tcp_push(s);
	if (rx->now)
		send_ack(s);
}

static void retransmit(struct sim *s)
{
	struct sim_tx *tx = &s->tx;

	if (++tx->backoff > BACKOFFS) {
		sim_fail(s, "the client gave up: nothing is acknowledged from %u (of %u) on", tx->una, tx->max);
		return;
	}
	s->cost->timeouts++;
	if (!s->open) {
		send_segment(s, 0, TH_SYN, NULL, 0);
	} else {
		tx->nxt = tx->una;
		tx->flight = s->room;
		tcp_push(s);
	}
	start_timer(s);
}

void tcp_timers(struct sim *s)
{
	if (s->tx.timer <= s->now)
		retransmit(s);
	if (s->rx.timer <= s->now)
		send_ack(s);
}

uint64_t tcp_next_timer(const struct sim *s)
{
	return s->tx.timer < s->rx.timer ? s->tx.timer : s->rx.timer;
}

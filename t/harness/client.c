// SPDX-License-Identifier: GPL-2.0-only
/*
 * client.c - a TCP client that says one packet at a time, and knows what the answer has to be
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <linux/bpf.h>
#include "client.h"
#include "oracle.h"
#include "rows.h"

struct pkt client_in, client_expected;
struct run_out client_out;
static uint32_t said;	/* sequence number behind what the client said last */

static const char *wrong(const char *fmt, ...)
{
	static char text[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return text;
}

int client_ts(char *buf, uint32_t tsval, uint32_t tsecr)
{
	memcpy(buf, "\1\1\x08\x0a", 4);
	put32((uint8_t *)buf + 4, tsval);
	put32((uint8_t *)buf + 8, tsecr);
	return 12;
}

/* Options of the SYN. Returns their length. */
static int syn_options(const struct client *c, char *buf)
{
	int len = 0;

	if (c->mss) {
		memcpy(buf, "\2\4", 2);
		put16((uint8_t *)buf + 2, c->mss);
		len = 4;
	}
	return c->ts ? len + client_ts(buf + len, CLIENT_TSVAL, 0) : len;
}

void client_build(struct pkt *p, const struct client *c, int back, const struct pkt_layer *tcp, const char *data,
		  size_t len)
{
	struct pkt_layer layers[6] = { { .type = PKT_ETH } };
	int n = 1;

	if (back)
		layers[0] = (struct pkt_layer)ETH(.dst = PKT_MAC_CLIENT, .src = PKT_MAC_SERVER);
	if (c->tag)
		layers[n++] = (struct pkt_layer)VLAN(.tci = c->tag);
	if (c->v6 && back)
		layers[n++] = (struct pkt_layer)IP6(.src = PKT_IP6_SERVER, .dst = PKT_IP6_CLIENT);
	else if (c->v6)
		layers[n++] = (struct pkt_layer)IP6();
	else if (back)
		layers[n++] = (struct pkt_layer)IP4(.src = PKT_IP4_SERVER, .dst = PKT_IP4_CLIENT, .frag = 0x4000);
	else
		layers[n++] = (struct pkt_layer)IP4(.id = 0x4711);
	layers[n++] = *tcp;
	if (len)
		layers[n++] = (struct pkt_layer){ .type = PKT_DATA, .data = { .text = data, .len = len } };
	pkt_build(p, layers);
}

void client_say(const struct client *c, uint8_t flags, uint32_t seq, uint32_t ack, const char *data, size_t len)
{
	/* The server's timestamps count what has been sent both ways, and one more behind its FIN. */
	uint32_t echo = c->tsval + seq - 1 + ack - 1 + ((ack - 1) & 1);
	char options[12];
	const struct pkt_layer l = TCP(.sport = c->sport, .dport = CLIENT_PORT, .seq = ROWS_CLIENT_ISN + seq,
				       .ack = flags & TH_ACK ? c->isn + ack : 0, .flags = flags, .options = options,
				       .option_len = c->ts ? client_ts(options, CLIENT_TSVAL + 1, echo) : 0);

	said = seq + len + (flags & TH_FIN ? 1 : 0);

	client_build(&client_in, c, 0, &l, data, len);
}

const char *client_hear(struct run *r)
{
	int err = run_rx(r, client_in.data, client_in.len, &client_out);

	if (err)
		return wrong("test run failed: %d", err);
	if (client_out.act != XDP_PASS)
		return NULL;
	if (client_out.len != client_in.len || memcmp(client_out.data, client_in.data, client_in.len))
		return wrong("passed, but changed");
	return NULL;
}

/* A frame that came with 60 bytes at least has an answer with 60 bytes at least. */
static void pad_expected(void)
{
	struct pkt *p = &client_expected;

	if (client_in.len < 60 || p->len >= 60)
		return;
	memset(p->data + p->len, 0, 60 - p->len);
	p->len = 60;
}

const char *client_compare(void)
{
	const struct run_out *o = &client_out;
	const struct pkt *p = &client_expected;
	struct ndiv_pkt pkt;
	const char *bad;
	size_t i;

	if (o->act != XDP_TX)
		return wrong("no answer, but action %d", o->act);
	pad_expected();
	for (i = 0; i < o->len && i < p->len; i++)
		if (o->data[i] != p->data[i])
			return wrong("byte %zu is %02x and not %02x (%zu, %zu bytes; l4 at %zu, payload at %zu)", i,
				     o->data[i], p->data[i], o->len, p->len, p->l4, p->payload);
	if (o->len != p->len)
		return wrong("%zu bytes and not %zu", o->len, p->len);
	bad = oracle_judge(o->data, o->len, &pkt);
	return bad ? wrong("as expected, but %s", bad) : NULL;
}

const char *client_expect(const struct client *c, uint8_t flags, uint32_t seq, uint32_t ack, const char *data,
			  size_t len)
{
	uint32_t end = seq + len + (flags & TH_FIN ? 2 : 0);
	char options[12];
	struct pkt_layer l = TCP(.sport = CLIENT_PORT, .dport = c->sport ? c->sport : 40000, .seq = c->isn + seq,
				 .ack = flags & TH_ACK ? ROWS_CLIENT_ISN + ack : 0, .flags = flags, .window = 65535,
				 .options = options);

	if ((seq - 1) & 1)
		end = seq + 21; /* behind the FIN; enough for any mark that was there */
	if (c->ts)
		l.tcp.option_len = client_ts(options, c->tsval + said - 1 + end - 1, CLIENT_TSVAL + 1);
	client_build(&client_expected, c, 1, &l, data, len);
	return client_compare();
}

const char *client_dial(struct run *r, struct client *c)
{
	char asked[40], told[40] = "\2\4";
	const struct pkt_layer l = TCP(.sport = c->sport, .dport = CLIENT_PORT, .seq = ROWS_CLIENT_ISN, .flags = TH_SYN,
				       .options = asked, .option_len = syn_options(c, asked));
	struct pkt_layer back = TCP(.sport = CLIENT_PORT, .dport = c->sport ? c->sport : 40000,
				    .ack = ROWS_CLIENT_ISN + 1, .flags = TH_SYN | TH_ACK, .window = 65535,
				    .options = told, .option_len = 4);
	const char *bad;

	client_build(&client_in, c, 0, &l, NULL, 0);
	bad = client_hear(r);
	if (bad)
		return bad;
	if (client_out.act != XDP_TX)
		return wrong("SYN not answered, but action %d", client_out.act);
	c->isn = rows_isn(client_out.data, client_out.len);
	put16((uint8_t *)told + 2, c->v6 ? 1440 : 1460);
	if (c->ts) {
		c->tsval = get32(client_out.data + client_in.l4 + 28);
		back.tcp.option_len += client_ts(told + 4, c->tsval, CLIENT_TSVAL);
	}
	back.tcp.seq = c->isn;
	client_build(&client_expected, c, 1, &back, NULL, 0);
	return client_compare();
}

const char *client_counted(struct run *r, uint32_t id, const int *counters, int count, int reason)
{
	uint64_t want[NDIV_COUNTERS_MAX] = { 0 };
	static struct ndiv_cpu got;
	int i;

	for (i = 0; i < count; i++)
		want[counters[i]]++;
	run_sum(r, NDIV_CPU_RX, &got);
	for (i = 0; i < NDIV_COUNTERS_MAX; i++)
		if (got.counter[id][i] != want[i])
			return wrong("counter %d is %llu and not %llu", i, got.counter[id][i],
				     (unsigned long long)want[i]);
	for (i = 0; i < NDIV_REASONS_MAX; i++) {
		if (got.reason[id][i] != (reason && i == reason))
			return wrong("drop reason %d is %llu", i, got.reason[id][i]);
		if (got.reason[0][i])
			return wrong("drop reason %d of the core is %llu", i, got.reason[0][i]);
	}
	return NULL;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * rows.c - the packets that tests and benchmarks have in common: what clients send
 */
#include <netinet/in.h>
#include <string.h>
#include "rows.h"

/*
 * Spreads the flow's number over address and port: 10.64.0.0/10 or fd77::/64, ports from 1024. Since it is multiplied
 * by an odd number, each one gives another pair.
 */
void rows_set_flow(struct pkt *p, struct flow flow)
{
	uint32_t h = flow.n * 2654435761u;
	uint8_t *l3 = p->data + p->l3;

	if (!flow.n)
		return;
	if (flow.v6)
		put32(l3 + 20, h >> 10);
	else
		put32(l3 + 12, 0x0a400000 | h >> 10);
	if (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP)
		put16(p->data + p->l4, 1024 + (h & 0x3ff));
	else
		put16(p->data + p->l4 + 4, h & 0x3ff);
	pkt_resum(p);
}

void rows_echo(struct pkt *p, struct flow flow, uint16_t seq, uint16_t len)
{
	const struct pkt_layer v4[] = { IP4(), ICMP(.id = 77, .seq = seq), DATA(len), { 0 } };
	const struct pkt_layer v6[] = { IP6(), ICMP6(.id = 77, .seq = seq), DATA(len), { 0 } };

	pkt_build(p, flow.v6 ? v6 : v4);
	rows_set_flow(p, flow);
}

static void tcp(struct pkt *p, struct flow flow, const struct pkt_layer *l4, const char *text)
{
	struct pkt_layer layers[4] = { { .type = flow.v6 ? PKT_IP6 : PKT_IP4 }, *l4 };

	layers[2] = (struct pkt_layer)TEXT(text);
	pkt_build(p, layers);
	rows_set_flow(p, flow);
}

void rows_syn(struct pkt *p, struct flow flow, uint16_t port)
{
	/* MSS 1460, SACK permitted, window scale 7 */
	const struct pkt_layer l = TCP(.dport = port, .seq = ROWS_CLIENT_ISN, .flags = TH_SYN,
				       .options = "\2\4\5\xb4\1\1\4\2\1\3\3\7", .option_len = 12);

	tcp(p, flow, &l, "");
}

/* Where the TCP header of <frame> is. */
static const uint8_t *find_tcp(const uint8_t *frame)
{
	size_t l3 = 14;

	while (get16(frame + l3 - 2) == 0x8100 || get16(frame + l3 - 2) == 0x88a8)
		l3 += 4;
	return frame + l3 + (frame[l3] >> 4 == 6 ? 40 : (frame[l3] & 15) * 4);
}

uint32_t rows_isn(const uint8_t *synack, size_t len)
{
	return get32(find_tcp(synack) + 4);
}

uint32_t rows_tsval(const uint8_t *synack)
{
	const uint8_t *tcp = find_tcp(synack);

	return tcp[12] >> 4 >= 9 && tcp[26] == 8 ? get32(tcp + 28) : 0;
}

void rows_ack(struct pkt *p, struct flow flow, uint16_t port, uint32_t isn)
{
	const struct pkt_layer l = TCP(.dport = port, .seq = ROWS_CLIENT_ISN + 1, .ack = isn + 1, .flags = TH_ACK);

	tcp(p, flow, &l, "");
}

void rows_request(struct pkt *p, struct flow flow, uint16_t port, uint32_t isn, const char *request)
{
	const struct pkt_layer l = TCP(.dport = port, .seq = ROWS_CLIENT_ISN + 1, .ack = isn + 1,
				       .flags = TH_ACK | TH_PSH);

	tcp(p, flow, &l, request);
}

void rows_fin(struct pkt *p, struct flow flow, uint16_t port, uint32_t isn, uint32_t sent, uint32_t received)
{
	const struct pkt_layer l = TCP(.dport = port, .seq = ROWS_CLIENT_ISN + 1 + sent, .ack = isn + 1 + received,
				       .flags = TH_ACK | TH_FIN);

	tcp(p, flow, &l, "");
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_httpd.c - what each packet of an HTTP connection costs
 *
 * The packets of a keep-alive connection in its order: SYN, the handshake's last ACK, a request for 100 bytes as curl
 * sends it, FIN. And a request for 1300 bytes, whose response has some 1400 with its header. The same request for
 * 100 bytes when a site is loaded that has a file of that name. Then whole requests through a lab, beside those of
 * other servers.
 */
#define _GNU_SOURCE	/* strcasestr() */
#include <stdlib.h>
#include <string.h>
#include "serve.h"
#include "case.h"
#include "http.h"
#include "tree.h"

#define PORT	8000
#define GET(n)	"GET /" #n " HTTP/1.1\r\nHost: 10.77.0.2:8000\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n"
#define SIZE	100		/* of the file */
#define R_ACK	1		/* httpd's drop reason "ack" */

static void build_syn(struct pkt *p, struct flow flow)
{
	rows_syn(p, flow, PORT);
}

static void build_first(struct pkt *p, struct flow flow, const struct talk *talk)
{
	rows_syn(p, flow, PORT);
}

/* With MSS, SACK permitted, timestamps and window scale, as Linux sends it. */
static void build_linux(struct pkt *p, struct flow flow, const struct talk *talk)
{
	const struct pkt_layer layers[] = {
		{ .type = flow.v6 ? PKT_IP6 : PKT_IP4 },
		TCP(.dport = PORT, .seq = ROWS_CLIENT_ISN, .flags = TH_SYN, .option_len = 20,
		    .options = "\2\4\5\xb4\4\2\x8\xa\1\2\3\4\0\0\0\0\1\3\3\7"),
		{ 0 },
	};

	pkt_build(p, layers);
	rows_set_flow(p, flow);
}

static void build_ack(struct pkt *p, struct flow flow, const struct talk *talk)
{
	rows_ack(p, flow, PORT, talk->isn);
}

static void build_request(struct pkt *p, struct flow flow, const struct talk *talk)
{
	rows_request(p, flow, PORT, talk->isn, GET(100));
}

static void build_long(struct pkt *p, struct flow flow, const struct talk *talk)
{
	rows_request(p, flow, PORT, talk->isn, GET(1300));
}

static void build_fin(struct pkt *p, struct flow flow, const struct talk *talk)
{
	rows_fin(p, flow, PORT, talk->isn, talk->sent, talk->received);
}

/* A segment with <flags> that acknowledges all of <sent>, and begins where the client wants it. */
static const char *judge_segment(const struct pkt *sent, const uint8_t *tcp, uint8_t flags)
{
	const uint8_t *asked = sent->data + sent->l4;
	uint32_t len = sent->end - sent->payload + (asked[13] & (TH_SYN | TH_FIN) ? 1 : 0);

	if ((tcp[13] & ~TH_PSH) != flags)
		return "wrong TCP flags";
	if (get32(tcp + 8) != get32(asked + 4) + len)
		return "wrong acknowledgement number";
	if (asked[13] & TH_ACK && get32(tcp + 4) != get32(asked + 8))
		return "wrong sequence number";
	return NULL;
}

static const char *judge_synack(const struct pkt *sent, const struct run_out *got, const struct ndiv_pkt *pkt)
{
	return judge_segment(sent, got->data + pkt->l4, TH_SYN | TH_ACK);
}

static const char *judge_fin(const struct pkt *sent, const struct run_out *got, const struct ndiv_pkt *pkt)
{
	return judge_segment(sent, got->data + pkt->l4, TH_FIN | TH_ACK);
}

static const char *judge_response(const struct pkt *sent, const struct run_out *got, const struct ndiv_pkt *pkt)
{
	const char *fault = judge_segment(sent, got->data + pkt->l4, TH_ACK);
	char text[2048], *body, *length;
	size_t len = pkt->end - pkt->payload;
	int size = atoi((const char *)sent->data + sent->payload + strlen("GET /"));

	if (fault)
		return fault;
	if (len >= sizeof(text))
		return "too long";
	memcpy(text, got->data + pkt->payload, len);
	text[len] = 0;
	body = strstr(text, "\r\n\r\n");
	length = strcasestr(text, "\r\nContent-Length:");
	if (strncmp(text, "HTTP/1.1 200 ", 13) || !body || !length || atoi(length + 17) != size)
		return "not the response that was asked for";
	return body + 4 + size == text + len ? NULL : "wrong length of the body";
}

/* A site with the file "100", which comes before the object. */
static int load_site(struct run *r)
{
	struct serve serve;
	struct tree tree;
	int err = tree_make(&tree);

	if (err)
		return err;
	err = tree_fill(&tree, "100", SIZE, 1);
	if (!err)
		err = serve_open(&serve, r, 1);
	if (!err) {
		err = serve_dir(&serve, tree.dir);
		serve_close(&serve);
	}
	tree_remove(&tree);
	return err;
}

static const char *judge_file(const struct pkt *sent, const struct run_out *got, const struct ndiv_pkt *pkt)
{
	const char *fault = judge_response(sent, got, pkt);
	uint8_t want[SIZE];

	tree_bytes(want, SIZE, 1);
	if (!fault && memcmp(got->data + pkt->end - SIZE, want, SIZE))
		fault = "not the file";
	return fault;
}

#define HTTPD	.handler = "handlers/httpd.bpf.o"
#define REPLY	HTTPD, .verdict = NDIV_REPLY, .bare = "bare_reply"

static const struct bench_case cases[] = {
	{ "httpd/syn", HTTPD, .verdict = NDIV_REPLY, .build = build_first, .judge = judge_synack, .bare = "bare_synack",
	  .bare_answers = 1 },
	{ "httpd/syn-linux", REPLY, .build = build_linux, .judge = judge_synack },
	/* nothing is to be said: the handler takes it, so that the stack does not answer it by a reset */
	{ "httpd/ack", HTTPD, .verdict = NDIV_DROP, .reason = R_ACK, .build = build_ack, .opening = build_syn,
	  .bare = "bare_ack" },
	{ "httpd/request-100", REPLY, .build = build_request, .opening = build_syn, .judge = judge_response },
	{ "httpd/request-1400", REPLY, .build = build_long, .opening = build_syn, .judge = judge_response },
	{ "httpd/file-100", REPLY, .setup = load_site, .build = build_request, .opening = build_syn,
	  .judge = judge_file },
	{ "httpd/fin", REPLY, .build = build_fin, .opening = build_syn, .request = build_request, .judge = judge_fin },
};

int main(int argc, char **argv)
{
	struct suite s;
	int err;

	err = suite_begin(&s, "httpd", argc, argv);
	if (!err)
		err = case_bench_all(&s, cases, sizeof(cases) / sizeof(cases[0]));
	if (!err && s.lab)
		err = http_bench(&s);
	return suite_end(&s, err);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_shield.c - what a flood costs shield, and what a packet of a flow does
 *
 * SYNs and ACKs as Linux sends them, with timestamps, and ("-plain") without. The clock is set back before each batch,
 * so that cookies stay good; for shield/ack-good the table is emptied as well, so that each ACK opens a flow.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "aside.h"
#include "bans.h"
#include "case.h"
#include "flooded.h"
#include "guards.h"
#include "lrulpm_fill.h"
#include "million.h"
#include "policy.h"
#include "shield.h"

#define PORT	8000
#define START	(1ULL << 40)	/* ns: far from the end of an epoch */
#define START_LIMIT 1500000000	/* ns that are taken from a bucket of one packet a second */
#define R_COOKIE 2		/* shield's drop reason "bad-cookie" */
#define R_DENIED 13
#define R_LIMITED 14
#define R_BANNED 15
#define LAST_RULE (1 + MILLION_RULES + 1) /* of a policy: the sources' comes first */

static const uint32_t no_learning, one_lookup = 1;

static const struct run_option options[] = {
	{ "learn", &no_learning, sizeof(no_learning) },
	{ "lookups", &one_lookup, sizeof(one_lookup) },
	{ 0 },
};

static int reset_clock(struct run *r)
{
	int err = shield_set_clock(r, 1, START);

	if (!err)
		err = shield_teach(r, 1, 0, PORT, START, &shield_server);
	return err ? err : shield_teach(r, 1, 1, PORT, START, &shield_server);
}

static int reset_all(struct run *r)
{
	int err = reset_clock(r);

	return err ? err : shield_clear(r, 1);
}

static void tcp(struct pkt *p, struct flow flow, const struct pkt_layer *tcp)
{
	const struct pkt_layer layers[] = { { .type = flow.v6 ? PKT_IP6 : PKT_IP4 }, *tcp, { 0 } };

	pkt_build(p, layers);
	rows_set_flow(p, flow);
}

static void build_linux_syn(struct pkt *p, struct flow flow)
{
	const struct pkt_layer l = TCP(.dport = PORT, .seq = ROWS_CLIENT_ISN, .flags = TH_SYN, .option_len = 20,
				       .options = "\2\4\5\xb4\4\2\x8\xa\1\2\3\4\0\0\0\0\1\3\3\7");

	tcp(p, flow, &l);
}

static void build_empty_syn(struct pkt *p, struct flow flow, const struct talk *talk)
{
	const struct pkt_layer l = TCP(.dport = PORT, .seq = ROWS_CLIENT_ISN, .flags = TH_SYN);

	tcp(p, flow, &l);
}

static void build_syn(struct pkt *p, struct flow flow, const struct talk *talk)
{
	build_linux_syn(p, flow);
}

static void build_plain_syn(struct pkt *p, struct flow flow)
{
	rows_syn(p, flow, PORT);
}

static void build_plain_first(struct pkt *p, struct flow flow, const struct talk *talk)
{
	build_plain_syn(p, flow);
}

static void build_ack(struct pkt *p, struct flow flow, const struct talk *talk)
{
	char ts[12] = "\1\1\x8\xa\1\2\3\5";
	const struct pkt_layer l = TCP(.dport = PORT, .seq = ROWS_CLIENT_ISN + 1, .ack = talk->isn + 1, .flags = TH_ACK,
				       .options = ts, .option_len = sizeof(ts));

	put32((uint8_t *)ts + 8, talk->tsval);
	tcp(p, flow, &l);
}

/* A right timestamp, and a wrong number. */
static void build_bad(struct pkt *p, struct flow flow, const struct talk *talk)
{
	struct talk wrong = { .isn = talk->isn ^ 0x5a5a5a00, .tsval = talk->tsval };

	build_ack(p, flow, &wrong);
}

static void build_plain_ack(struct pkt *p, struct flow flow, const struct talk *talk)
{
	rows_ack(p, flow, PORT, talk->isn);
}

static void build_plain_bad(struct pkt *p, struct flow flow, const struct talk *talk)
{
	rows_ack(p, flow, PORT, talk->isn ^ 0x5a5a5a00);
}

/* --- policy */

/* The source of a flow where there is a policy: one of a million, and a port, so that each flow has another pair. */
static void set_source(struct pkt *p, struct flow flow)
{
	put32(p->data + p->l3 + 12, flood_far(flow.n));
	put16(p->data + p->l4, 1024 + flow.n / MILLION);
	pkt_resum(p);
}

static void open_source(struct pkt *p, struct flow flow)
{
	build_linux_syn(p, flow);
	set_source(p, flow);
}

static void build_source(struct pkt *p, struct flow flow, const struct talk *talk)
{
	open_source(p, flow);
}

static void build_source_ack(struct pkt *p, struct flow flow, const struct talk *talk)
{
	build_ack(p, flow, talk);
	set_source(p, flow);
}

static int load_policy(struct run *r, const char *verb, const char *rest)
{
	char *text = million_policy(verb, rest);
	int err = text ? shield_policy(r, 1, text) : -1;

	free(text);
	return err;
}

static int setup_deny(struct run *r)
{
	return load_policy(r, "deny", "");
}

/* Allowed by its address, and beyond the rate of its service. */
static int setup_limit(struct run *r)
{
	return load_policy(r, "allow", "service tcp port 8000 limit 1/s burst 1");
}

/* The bucket is empty, and stays so for the time of a batch. */
static int prepare_limit(struct run *r)
{
	const struct policy_bucket empty = { .word = START + START_LIMIT };
	uint32_t i;
	int err = reset_clock(r);

	for (i = 0; i < POLICY_BANKS && !err; i++)
		err = bpf_map_update_elem(run_map(r, 1, "shield_buckets"), &(uint32_t){ i * POLICY_RULES + LAST_RULE },
					  &empty, BPF_ANY);
	return err;
}

/* It denies nothing: what asking costs. */
static int setup_allow(struct run *r)
{
	return load_policy(r, "allow", "service tcp port 22 limit 1/s");
}

/* --- bans */

/* A million hosts, beside the policy: its sources, or <others>, which go on where those end. */
static int set_bans(struct run *r, int others)
{
	struct ban ban = { .until = BAN_FOREVER, .shape = BAN_HOST4 };
	struct ban_view v = { 0 };
	uint32_t n;
	int err = setup_allow(r);

	if (!err)
		err = shield_bans(r, 1, ban_buckets(MILLION), &v);

	for (n = 0; n < MILLION && !err; n++) {
		ban.addr = (uint64_t)(others ? (MILLION + 1 + n) * 2654435761U : flood_far(n)) << 32;
		err = ban_put(&v, &ban, 1) == BAN_PUT_DONE ? 0 : -1;
	}
	ban_close(&v);
	return err;
}

static int setup_bans(struct run *r)
{
	return set_bans(r, 0);
}

/* They ban nobody who comes: what asking costs. */
static int setup_other_bans(struct run *r)
{
	return set_bans(r, 1);
}

static const char *judge(const struct pkt *sent, const struct run_out *got, const struct ndiv_pkt *pkt)
{
	const uint8_t *tcp = got->data + pkt->l4;

	if (tcp[13] != (TH_SYN | TH_ACK))
		return "no SYN-ACK";
	if (get32(tcp + 8) != ROWS_CLIENT_ISN + 1)
		return "wrong acknowledgement number";
	return get16(tcp + 14) ? NULL : "the window is 0";
}

#define SHIELD	.handler = "handlers/shield.bpf.o", .options = options, .prepare = reset_clock
#define SYN	SHIELD, .verdict = NDIV_REPLY, .judge = judge, .bare = "bare_reply"
#define BAD	SHIELD, .verdict = NDIV_DROP, .reason = R_COOKIE, .bare = "bare_ack"
#define SOURCE	.build = build_source_ack, .opening = open_source
/* Of a million flows, some three find no place in the table. */
#define FLOW	.strays = 20, SHIELD, .verdict = NDIV_NEXT, .bare = "bare_pass", .warm = 1

/* Beside what the kernel's own maps take for the same: a million prefixes, and as many flows as there are. */
static int fill_allowed(struct bpf_object *obj, const struct pkt *p, const struct bench_flow *flows)
{
	return lrulpm_fill(obj, LRULPM_ALLOW, p, flows);
}

static int fill_denied(struct bpf_object *obj, const struct pkt *p, const struct bench_flow *flows)
{
	return lrulpm_fill(obj, LRULPM_DENY, p, flows);
}

static const struct bench_other lrulpm_flow = {
	.object = "bench/lrulpm.bpf.o", .row = "shield/lru-lpm", .fill = fill_allowed, .outcome = LRULPM_ALLOW,
};

static const struct bench_other lrulpm_deny = {
	.object = "bench/lrulpm.bpf.o", .row = "shield/lru-lpm-deny", .fill = fill_denied, .outcome = LRULPM_DENY,
};

static const struct bench_case cases[] = {
	{ "shield/syn", SYN, .build = build_syn },
	{ "shield/syn6", SYN, .build = build_syn, .v6 = 1 },
	{ "shield/syn-plain", SHIELD, .verdict = NDIV_REPLY, .judge = judge, .build = build_plain_first,
	  .bare = "bare_synack", .bare_answers = 1 },
	{ "shield/syn-empty", SYN, .build = build_empty_syn },
	{ "shield/ack-bad", BAD, .build = build_bad, .opening = build_linux_syn },
	{ "shield/ack-bad-plain", BAD, .build = build_plain_bad, .opening = build_plain_syn },
	{ "shield/deny", SHIELD, .setup = setup_deny, .verdict = NDIV_DROP, .reason = R_DENIED, .build = build_source,
	  .bare = "lrulpm", .other = &lrulpm_deny },
	{ "shield/ratelimited", .handler = "handlers/shield.bpf.o", .options = options, .prepare = prepare_limit,
	  .setup = setup_limit, .verdict = NDIV_DROP, .reason = R_LIMITED, .build = build_source, .bare = "bare_drop" },
	{ "shield/established-policy", .strays = 20, SHIELD, .verdict = NDIV_NEXT, .warm = 1, .setup = setup_allow,
	  SOURCE, .bare = "lrulpm", .other = &lrulpm_flow },
	{ "shield/banned", SHIELD, .setup = setup_bans, .verdict = NDIV_DROP, .reason = R_BANNED, .build = build_source,
	  .bare = "bare_drop" },
	{ "shield/established-bans", FLOW, .setup = setup_other_bans, SOURCE },
	{ "shield/established", FLOW, .build = build_ack, .opening = build_linux_syn },
	{ "shield/established6", FLOW, .build = build_ack, .opening = build_linux_syn, .v6 = 1 },
};

/* Only with random flows: one flow would be opened once. */
static const struct bench_case opening_cases[] = {
	{ "shield/ack-good", .handler = "handlers/shield.bpf.o", .options = options, .prepare = reset_all,
	  .verdict = NDIV_NEXT, .strays = 20, .build = build_ack, .opening = build_linux_syn, .bare = "bare_pass" },
	{ "shield/ack-good-plain", .handler = "handlers/shield.bpf.o", .options = options, .prepare = reset_all,
	  .verdict = NDIV_NEXT, .strays = 20, .build = build_plain_ack, .opening = build_plain_syn,
	  .bare = "bare_pass" },
};

/* MB of the policy in the kernel, or below 0. */
static double policy_mb(struct run *r)
{
	struct bpf_map_info info = { 0 };
	uint32_t zero = 0, id = 0, len = sizeof(info);
	int fd, err = bpf_map_lookup_elem(run_map(r, 1, "shield_policy"), &zero, &id);

	fd = err ? -1 : bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return -1;
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	close(fd);
	return err ? -1 : (double)info.max_entries * info.value_size / 1048576;
}

static int load_once(const char *text, struct samples *ms, struct samples *mb)
{
	static struct run r;
	double start;
	int err;

	if (run_open(&r, NULL) || run_add(&r, run_path("handlers/shield.bpf.o"), options) < 0)
		return -1;
	start = wall_seconds();
	err = shield_policy(&r, 1, text);
	samples_add(ms, (wall_seconds() - start) * 1e3);
	samples_add(mb, policy_mb(&r));
	run_close(&r);
	return err;
}

/* A million prefixes, a thousand rules: read, compiled, loaded. */
static int bench_load(struct suite *s)
{
	static struct samples ms, mb;
	const struct row rows[] = { { .name = "shield/policy-load", .unit = "ms", .value = &ms },
				    { .name = "shield/policy-size", .unit = "MB", .value = &mb } };
	char *text = million_policy("deny", "");
	uint32_t i;
	int err = text ? 0 : -1;

	for (i = 0; i < s->runs && !err; i++)
		err = load_once(text, &ms, &mb);
	free(text);
	if (err || samples_min(&mb) <= 0)
		return suite_fault(rows[0].name, "the policy cannot be loaded");
	suite_row(s, &rows[0]);
	suite_row(s, &rows[1]);
	return 0;
}

int main(int argc, char **argv)
{
	struct suite s;
	size_t i;
	int err;

	err = suite_begin(&s, "shield", argc, argv);
	if (!err)
		err = bench_load(&s);
	if (!err)
		err = case_bench_all(&s, cases, sizeof(cases) / sizeof(cases[0]));
	for (i = 0; !err && i < sizeof(opening_cases) / sizeof(opening_cases[0]); i++)
		err = case_bench(&s, &opening_cases[i], 1);
	if (!err && s.lab)
		err = guards_bench(&s);
	if (!err && s.lab)
		err = flooded_bench(&s);
	return suite_end(&s, err);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * guards.c - see guards.h
 *
 * A guard has to let a web server be reached, and then to answer each SYN of a flood, or to drop each one that comes
 * from a million sources. What it counted itself, and for answers what came back to the client's end, must be what was
 * sent.
 */
#define _GNU_SOURCE	/* asprintf() */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "aside.h"
#include "attack.h"
#include "front.h"
#include "guards.h"
#include "million.h"
#include "nft.h"
#include "peer.h"
#include "shapes.h"
#include "wrk.h"

#define RUNS_MOST	5	/* more would take too long */
#define BATCH		50000	/* SYNs that are timed */
#define BATCHES		5
#define WAIT_MS		1000	/* for what is under way when the generator has returned */
#define STRAYS		100	/* more that may come back: what a stack repeats; that shield passes: one a second */
#define COOKIE_SENT	0	/* shield's counter "cookie-sent" */
#define R_DENIED	13	/* its drop reason */

_Static_assert(PEER_PORT == 8000, "the rules below say so");

enum which {
	COOKIES,		/* of shield, and what is compared with them */
	KERNEL,
	SYNPROXY,
	POLICY,			/* of shield, and what is compared with it */
	SET,
	GUARDS,
};

struct bench {
	struct suite *s;
	struct ends ends;
	int	cpu;			/* of the flood and of both ends */
	struct ndiv *nd;		/* shield's, or NULL */
	char	*policy;		/* that denies the million */
	struct samples mpps[GUARDS];	/* millions of SYNs per second */
};

struct guard {
	const char *name;		/* of the row */
	enum which than;		/* whose row it is compared with; itself: none */
	int	drops;			/* all SYNs, of the million; if not, it answers each one */
	int	(*raise)(struct bench *b);
	int	(*lower)(struct bench *b);	/* called also if it was raised in part */
	int	(*count)(struct bench *b, uint64_t *count);	/* SYNs that it has answered or dropped so far */
};

/* --- shield ------------------------------------------------------------------------------------------------- */

static int raise_shield(struct bench *b)
{
	return front_attach(&b->ends, &b->nd);
}

static int lower_shield(struct bench *b)
{
	return front_detach(&b->ends, &b->nd);
}

static int raise_policy(struct bench *b)
{
	int err = raise_shield(b);

	return err ? err : front_policy(&b->ends, b->nd, b->policy);
}

/* SYNs that shield, the only handler, has <dropped> as denied, or answered. */
static int count_shield(struct bench *b, int dropped, uint64_t *count)
{
	static struct ndiv_stats stats;
	uint32_t id;
	int err = front_stats(&b->ends, b->nd, &stats);

	*count = 0;
	for (id = 1; !err && id < NDIV_HANDLERS_MAX; id++)
		*count += dropped ? stats.reason[id][R_DENIED] : stats.counter[id][COOKIE_SENT];
	return err;
}

static int count_cookies(struct bench *b, uint64_t *count)
{
	return count_shield(b, 0, count);
}

static int count_denied(struct bench *b, uint64_t *count)
{
	return count_shield(b, 1, count);
}

/* --- the kernel's own cookies ------------------------------------------------------------------------------- */

static int raise_cookies(struct bench *b)
{
	return front_sysctl(&b->ends, "ipv4/tcp_syncookies", "2");
}

static int lower_cookies(struct bench *b)
{
	return front_sysctl(&b->ends, "ipv4/tcp_syncookies", "1");
}

/* Of /proc/net/netstat: a line of names, and one of values. */
static int count_sent(struct bench *b, uint64_t *count)
{
	static char names[8192], values[8192];
	char *name, *value, *at_name = NULL, *at_value = NULL;
	int found = 0;
	FILE *f;

	if (ends_enter(&b->ends, END_SERVER))
		return -1;
	f = fopen("/proc/net/netstat", "r");
	while (f && !found && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		name = strtok_r(names, " \n", &at_name);
		value = strtok_r(values, " \n", &at_value);
		while (name && value && strcmp(name, "SyncookiesSent")) {
			name = strtok_r(NULL, " \n", &at_name);
			value = strtok_r(NULL, " \n", &at_value);
		}
		found = name && value;
	}
	if (f)
		fclose(f);
	if (!found)
		return suite_fault("shield/kernel-syncookies", "/proc/net/netstat has no SyncookiesSent");
	*count = strtoull(value, NULL, 10);
	return 0;
}

/* --- nftables ----------------------------------------------------------------------------------------------- */

/* As its manual has it: SYNs without connection tracking, and SYNPROXY for them and for the ACKs that follow. */
static int raise_synproxy(struct bench *b)
{
	static const char rules[] = "table ip bench {\n"
				    "	chain raw {\n"
				    "		type filter hook prerouting priority raw; policy accept;\n"
				    "		tcp dport 8000 tcp flags syn notrack\n"
				    "	}\n"
				    "	chain in {\n"
				    "		type filter hook input priority filter; policy accept;\n"
				    "		tcp dport 8000 ct state invalid,untracked synproxy mss 1460 wscale 7 "
				    "timestamp sack-perm\n"
				    "		ct state invalid drop\n"
				    "	}\n"
				    "}\n";
	int err = nft_run(&b->ends, rules);

	return err ? err : front_sysctl(&b->ends, "netfilter/nf_conntrack_tcp_loose", "0");
}

static int lower_synproxy(struct bench *b)
{
	return nft_run(&b->ends, "add table ip bench\ndelete table ip bench\n");
}

/* Of /proc/net/stat/synproxy: a line for each CPU, whose second number is that of SYNs, in hex. */
static int count_synproxy(struct bench *b, uint64_t *count)
{
	unsigned long long syns;
	char line[256];
	int lines = 0;
	FILE *f;

	if (ends_enter(&b->ends, END_SERVER))
		return -1;
	*count = 0;
	f = fopen("/proc/net/stat/synproxy", "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*x %llx", &syns) != 1)
			continue;
		*count += syns;
		lines++;
	}
	if (f)
		fclose(f);
	return lines ? 0 : suite_fault("shield/nft-synproxy", "/proc/net/stat/synproxy tells nothing");
}

/* Filled once, as that takes nft many seconds: by itself a set is asked about nothing. */
static int make_set(struct bench *b)
{
	char *list = million_list(), *rules = NULL;
	int err = list ? 0 : -1;

	if (!err && asprintf(&rules,
			     "table netdev bench {\n"
			     "	set sources { type ipv4_addr; size %u; elements = { %s } }\n"
			     "	counter denied { }\n"
			     "}\n",
			     MILLION, list) < 0)
		err = -1;
	if (err)
		suite_fault("shield/nft-set-drop", "no memory");
	else
		err = nft_run(&b->ends, rules);
	free(rules);
	free(list);
	return err;
}

/* The first hook that nftables has, in front of everything. */
static int raise_set(struct bench *b)
{
	return nft_run(&b->ends,
		       "table netdev bench {\n"
		       "	chain in {\n"
		       "		type filter hook ingress device \"lab0\" priority -500; policy accept;\n"
		       "		ip saddr @sources counter name \"denied\" drop\n"
		       "	}\n"
		       "}\n");
}

static int lower_set(struct bench *b)
{
	return nft_run(&b->ends, "table netdev bench {\n"
				 "	chain in { type filter hook ingress device \"lab0\" priority -500; }\n"
				 "}\n"
				 "flush chain netdev bench in\n"
				 "delete chain netdev bench in\n");
}

static int count_set(struct bench *b, uint64_t *count)
{
	return nft_count(&b->ends, "denied", count);
}

static const struct guard guards[GUARDS] = {
	[COOKIES] = { "shield/lab-synflood", COOKIES, 0, raise_shield, lower_shield, count_cookies },
	[KERNEL] = { "shield/kernel-syncookies", COOKIES, 0, raise_cookies, lower_cookies, count_sent },
	[SYNPROXY] = { "shield/nft-synproxy", COOKIES, 0, raise_synproxy, lower_synproxy, count_synproxy },
	[POLICY] = { "shield/lab-deny", POLICY, 1, raise_policy, lower_shield, count_denied },
	[SET] = { "shield/nft-set-drop", POLICY, 1, raise_set, lower_set, count_set },
};

/* --- one run ------------------------------------------------------------------------------------------------ */

/* A server is reached through it: it is no wall, and shield has learnt that there is a service. */
static int meet(struct bench *b, const struct guard *g)
{
	const struct wrk_opts opts = {
		.ends = &b->ends, .cpu = b->cpu, .connections = 1, .close = 1, .size = 1000,
	};
	struct wrk_result wrk;
	int err = wrk_run(&opts, &wrk);

	if (!err && (*wrk.trouble || wrk.requests < 1))
		err = suite_fault(g->name, "no request gets through: %s", wrk.trouble);
	return err;
}

/* How many SYNs were sent; that the guard has seen; that were answered. */
struct tally {
	uint64_t sent, seen, answers;
};

static int take_tally(struct bench *b, const struct guard *g, const struct attack *a, struct tally *t)
{
	struct attack_counts c;
	int err = attack_counts(a, &c);

	t->sent = c.sent;
	t->answers = c.answers;
	return err ? err : g->count(b, &t->seen);
}

static int about(uint64_t count, uint64_t n)
{
	return count + STRAYS >= n && count <= n + STRAYS;
}

/* Nothing was lost on the way there or back. What is still under way gets there. */
static int check_tally(struct bench *b, const struct guard *g, const struct attack *a, const struct tally *from)
{
	struct tally t;
	uint64_t sent = 0, seen = 0, answers = 0;
	int ms;

	for (ms = 0; ms < WAIT_MS; ms++) {
		if (take_tally(b, g, a, &t))
			return -1;
		sent = t.sent - from->sent;
		seen = t.seen - from->seen;
		answers = t.answers - from->answers;
		if (about(seen, sent) && about(answers, g->drops ? 0 : sent))
			return 0;
		sleep_ms(1);
	}
	return suite_fault(g->name, "%llu SYNs were sent, %llu counted as %s; %llu answers came back",
			   (unsigned long long)sent, (unsigned long long)seen, g->drops ? "dropped" : "answered",
			   (unsigned long long)answers);
}

static int time_flood(struct bench *b, const struct guard *g, struct attack *a, struct samples *mpps)
{
	struct tally from;
	uint32_t ns, i;

	if (take_tally(b, g, a, &from))
		return -1;
	for (i = 0; i < BATCHES; i++) {
		if (attack_send(a, BATCH, &ns) || !ns)
			return suite_fault(g->name, "the flood failed");
		samples_add(mpps, 1e3 / ns);
	}
	return check_tally(b, g, a, &from);
}

static int flood(struct bench *b, const struct guard *g, struct samples *to)
{
	const struct attack_opts opts = {
		.lab = b->s->lab, .kind = "syn", .families = SHAPES_V4 | (g->drops ? SHAPES_FAR4 : 0),
		.port = PEER_PORT,
	};
	struct samples mpps = { 0 };
	struct attack a;
	int err = attack_open(&a, &opts);

	if (!err)
		err = time_flood(b, g, &a, &mpps);
	attack_close(&a);
	samples_add(to, samples_median(&mpps));
	return err;
}

static int run_guard(struct bench *b, enum which which)
{
	const struct guard *g = &guards[which];
	int err = g->raise(b);

	if (!err)
		err = meet(b, g);
	if (!err)
		err = flood(b, g, &b->mpps[which]);
	if (g->lower(b))
		err = -1;
	return err;
}

/* --- all of it ---------------------------------------------------------------------------------------------- */

static int run_all(struct bench *b, uint32_t runs)
{
	struct peer_run haproxy;
	int err = peer_start(&haproxy, PEER_HAPROXY, &b->ends, b->s->cpu);
	uint32_t r, i;

	for (r = 0; !err && r < runs; r++)
		for (i = 0; !err && i < GUARDS; i++)
			err = run_guard(b, (i + r) % GUARDS);
	peer_stop(&haproxy, &b->ends);
	return err;
}

static void add_rows(const struct bench *b)
{
	uint32_t i;

	for (i = 0; i < GUARDS; i++) {
		struct row row = { .name = guards[i].name, .unit = "Mpps", .value = &b->mpps[i] };

		if (guards[i].than != i) {
			row.baseline = guards[guards[i].than].name;
			row.than = &b->mpps[guards[i].than];
		}
		suite_row(b->s, &row);
	}
}

static int prepare(struct bench *b)
{
	int err = ends_open(&b->ends, b->s->lab);

	b->cpu = take_other(b->s->cpu);
	if (!err && b->cpu < 0)
		err = suite_fault("shield/lab", "there is only one CPU: flood and server need one each");
	if (!err)
		err = front_prepare(&b->ends);
	b->policy = million_policy("deny", "");
	if (!err && !b->policy)
		err = suite_fault("shield/lab", "no memory");
	return err ? err : make_set(b);
}

int guards_bench(struct suite *s)
{
	struct bench *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return suite_fault("shield/lab", "no memory");
	b->s = s;
	err = prepare(b);
	if (!err)
		err = run_all(b, s->runs < RUNS_MOST ? s->runs : RUNS_MOST);
	if (!err)
		err = nft_run(&b->ends, "delete table netdev bench\n");
	if (!err)
		add_rows(b);
	ends_close(&b->ends);
	free(b->policy);
	free(b);
	return err;
}

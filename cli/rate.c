// SPDX-License-Identifier: GPL-2.0-only
/* rate.c - what happened between two snapshots, per second */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <ndiv/ndiv.h>
#include "rate.h"

/* One path of one interface: its counters now, and what has been added to them. */
struct rate {
	const struct snap *sn;
	int which; /* enum ndiv_cpu_index */
	double seconds;
	struct ndiv_stats added;
};

/* Counters that went back are those of an attachment that was made meanwhile. */
static uint64_t added(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

static void subtract_handler(struct ndiv_stats *to, const struct ndiv_stats *before, unsigned int id)
{
	struct ndiv_count *c;
	unsigned int n;

	for (n = 0; n < NDIV_VERDICTS; n++) {
		c = &to->verdict[id][n];
		c->packets = added(c->packets, before->verdict[id][n].packets);
		c->bytes = added(c->bytes, before->verdict[id][n].bytes);
	}
	for (n = 0; n < NDIV_REASONS_MAX; n++)
		to->reason[id][n] = added(to->reason[id][n], before->reason[id][n]);
	for (n = 0; n < NDIV_COUNTERS_MAX; n++)
		to->counter[id][n] = added(to->counter[id][n], before->counter[id][n]);
}

static void subtract(struct ndiv_stats *to, const struct ndiv_stats *before)
{
	unsigned int id;

	for (id = 0; id < NDIV_HANDLERS_MAX; id++)
		subtract_handler(to, before, id);
	to->packets = added(to->packets, before->packets);
	to->tx_lost = added(to->tx_lost, before->tx_lost);
	to->sent.packets = added(to->sent.packets, before->sent.packets);
	to->sent.bytes = added(to->sent.bytes, before->sent.bytes);
}

static void rate_fill(struct rate *r, const struct snap *now, const struct snaps *before, int which)
{
	const struct snap *old = snaps_find(before, now->st.ifindex);

	if (!old)
		old = now;
	r->sn = now;
	r->which = which;
	r->added = now->stats[which];
	subtract(&r->added, &old->stats[which]);
	r->seconds = now->when - old->when;
	if (r->seconds <= 0)
		r->seconds = 1;
}

/* Bits of the packets on which there was a verdict that ended the chain. */
static double bits_in(const struct rate *r)
{
	unsigned int id, n;
	double bytes = 0;

	for (id = 0; id < NDIV_HANDLERS_MAX; id++)
		for (n = NDIV_PASS; n < NDIV_REPEAT; n++)
			bytes += r->added.verdict[id][n].bytes;
	return bytes * 8;
}

/* --- text */

static const char *number(char *buf, double value, int exact)
{
	if (!exact)
		return out_short(buf, value);
	snprintf(buf, OUT_SHORT, "%.0f", value);
	return buf;
}

static void put_values(struct tab *t, const struct rate *r, const struct snap_kind *kind, unsigned int id,
		       unsigned int n, int exact, int new_handler)
{
	double packets = kind->get(&r->added, id, n), ns = r->sn->stats[r->which].ns[id];
	char buf[OUT_SHORT];

	tab_cell(t, "%s", number(buf, packets / r->seconds, exact));
	if (!snap_is_verdicts(kind))
		return;
	tab_cell(t, "%s", number(buf, r->added.verdict[id][n].bytes * 8 / r->seconds, exact));
	if (r->added.packets)
		tab_cell(t, "%.1f%%", 100 * packets / r->added.packets);
	else
		tab_cell(t, "-");
	if (new_handler && ns >= 0)
		tab_cell(t, "%.1f", ns);
	else
		tab_cell(t, "%s", "");
}

/* A row stays once there was something, so that lines do not jump with the rates. */
static void put_kind(FILE *f, const struct rate *r, const struct snap_kind *kind, int exact)
{
	int verdicts = snap_is_verdicts(kind), new_handler;
	unsigned int ids[NDIV_HANDLERS_MAX], n;
	size_t i, count = snap_ids(r->sn, ids);
	char buf[SNAP_NAME_LEN];
	struct tab t;

	tab_begin(&t, verdicts ? "llrrrr" : "llr");
	tab_head(&t, "handler");
	tab_head(&t, kind->title);
	tab_head(&t, verdicts ? "packets/s|bits/s|share|ns/packet" : "per second");
	for (i = 0; i < count; i++) {
		new_handler = 1;
		for (n = 0; n < kind->count; n++) {
			if (!kind->get(&r->sn->stats[r->which], ids[i], n))
				continue;
			tab_cell(&t, "%s", new_handler || exact ? snap_handler(r->sn, ids[i]) : "");
			tab_cell(&t, "%s", kind->name(r->sn, ids[i], n, buf));
			put_values(&t, r, kind, ids[i], n, exact, new_handler);
			new_handler = 0;
		}
	}
	if (tab_rows(&t) > 1 || verdicts)
		tab_end(&t, f, 2);
	else
		tab_drop(&t);
}

static void put_path(FILE *f, const struct rate *r, int exact)
{
	const struct ndiv_state *st = &r->sn->st;
	char in[OUT_SHORT], bits[OUT_SHORT], sent[OUT_SHORT], lost[OUT_SHORT], title[SNAP_TITLE_LEN];
	size_t i;

	number(in, r->added.packets / r->seconds, exact);
	number(bits, bits_in(r) / r->seconds, exact);
	number(sent, r->added.sent.packets / r->seconds, exact);
	number(lost, r->added.tx_lost / r->seconds, exact);
	if (r->which == NDIV_CPU_RX)
		out_line(f, "%s  %s  in %s packets/s %s bits/s  sent %s packets/s  lost %s/s%s", st->ifname,
			 ndiv_mode_name(st->mode), in, bits, sent, lost, st->agent ? "  agent" : "");
	else
		out_line(f, "%s  %s  %s packets/s %s bits/s", st->ifname, snap_title(st, r->which, title), in, bits);
	for (i = 0; i < SNAP_KINDS; i++)
		put_kind(f, r, &snap_kinds[i], exact);
	fputc('\n', f);
}

void rate_text(FILE *f, const struct snaps *now, const struct snaps *before, int exact)
{
	struct rate r;
	size_t i;
	int which;

	if (!now->count)
		fprintf(f, "ndiv is not attached\n\n");
	for (i = 0; i < now->count; i++) {
		for (which = 0; which < NDIV_CPU_COUNT; which++) {
			if (!snap_has(&now->snap[i]->st, which))
				continue;
			rate_fill(&r, now->snap[i], before, which);
			put_path(f, &r, exact);
		}
	}
}

/* --- JSON */

static void json_verdict(struct json *j, const char *key, const struct rate *r, unsigned int id, unsigned int n)
{
	json_open(j, key, '{');
	json_real(j, "packets", r->added.verdict[id][n].packets / r->seconds);
	json_real(j, "bits", r->added.verdict[id][n].bytes * 8 / r->seconds);
	json_close(j, '}');
}

static void json_kind(struct json *j, const struct rate *r, unsigned int id, const struct snap_kind *kind)
{
	char buf[SNAP_NAME_LEN];
	const char *name;
	unsigned int n;

	json_open(j, kind->plural, '{');
	for (n = 0; n < kind->count; n++) {
		if (!kind->get(&r->sn->stats[r->which], id, n))
			continue;
		name = kind->name(r->sn, id, n, buf);
		if (snap_is_verdicts(kind))
			json_verdict(j, name, r, id, n);
		else
			json_real(j, name, kind->get(&r->added, id, n) / r->seconds);
	}
	json_close(j, '}');
}

static void json_handler(struct json *j, const char *key, const struct rate *r, unsigned int id)
{
	double ns = r->sn->stats[r->which].ns[id];
	size_t i;

	json_open(j, key, '{');
	for (i = 0; i < SNAP_KINDS; i++)
		json_kind(j, r, id, &snap_kinds[i]);
	json_real(j, "ns", ns >= 0 ? ns : NAN);
	json_close(j, '}');
}

static void json_path(struct json *j, const struct rate *r)
{
	unsigned int ids[NDIV_HANDLERS_MAX];
	size_t i, n = snap_ids(r->sn, ids);

	json_open(j, snap_paths[r->which], '{');
	json_real(j, "packets", r->added.packets / r->seconds);
	json_real(j, "bits", bits_in(r) / r->seconds);
	json_open(j, "sent", '{');
	json_real(j, "packets", r->added.sent.packets / r->seconds);
	json_real(j, "bits", r->added.sent.bytes * 8 / r->seconds);
	json_close(j, '}');
	json_real(j, "tx_lost", r->added.tx_lost / r->seconds);
	json_handler(j, "core", r, 0);
	json_open(j, "handlers", '{');
	for (i = 0; i < n; i++)
		if (ids[i])
			json_handler(j, snap_handler(r->sn, ids[i]), r, ids[i]);
	json_close(j, '}');
	json_close(j, '}');
}

void rate_json(FILE *f, const struct snaps *now, const struct snaps *before)
{
	const struct ndiv_state *st;
	struct timespec ts;
	struct rate r;
	struct json j;
	size_t i;
	int which;

	clock_gettime(CLOCK_REALTIME, &ts);
	json_begin(&j, f, 0);
	json_open(&j, NULL, '{');
	json_real(&j, "time", ts.tv_sec + ts.tv_nsec / 1e9);
	json_open(&j, "interfaces", '[');
	for (i = 0; i < now->count; i++) {
		st = &now->snap[i]->st;
		json_open(&j, NULL, '{');
		json_text(&j, "ifname", st->ifname);
		json_uint(&j, "ifindex", st->ifindex);
		json_text(&j, "mode", ndiv_mode_name(st->mode));
		for (which = 0; which < NDIV_CPU_COUNT; which++) {
			if (!snap_has(st, which))
				continue;
			rate_fill(&r, now->snap[i], before, which);
			if (!which)
				json_real(&j, "seconds", r.seconds);
			json_path(&j, &r);
		}
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	json_end(&j);
}

// SPDX-License-Identifier: GPL-2.0-only
/* cmd_show.c - ndiv show: interfaces, their chains, options and counters */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include "cmd.h"
#include "out.h"
#include "snap.h"

#define CPU_COLUMNS 6 /* side by side; more go into another table below */

struct options {
	int json;
	int cpu;
	int all;
};

/* --- for people */

static int is_busy(const struct snap *sn, unsigned int cpu)
{
	int which;

	for (which = 0; which < NDIV_CPU_COUNT; which++)
		if (snap_has(&sn->st, which) && sn->cpu[which][cpu].packets)
			return 1;
	return 0;
}

/* CPUs that are shown: those that have seen a packet. */
static unsigned int busy_cpus(const struct snap *sn, int all, unsigned int *cpus)
{
	unsigned int i, count = 0;

	for (i = 0; i < sn->cpus; i++)
		if (all || is_busy(sn, i))
			cpus[count++] = i;
	return count;
}

struct block {
	const struct snap *sn;
	int which; /* enum ndiv_cpu_index */
	int all;
	int first; /* the one with the sums */
	const unsigned int *cpus;
	unsigned int cpu_count;
};

static void put_sums(struct tab *t, const struct block *b, const struct snap_kind *kind, unsigned int id,
		     unsigned int n, int new_handler)
{
	const struct ndiv_stats *stats = &b->sn->stats[b->which];

	tab_cell(t, "%" PRIu64, kind->get(stats, id, n));
	if (!snap_is_verdicts(kind))
		return;
	tab_cell(t, "%" PRIu64, (uint64_t)stats->verdict[id][n].bytes);
	if (new_handler && stats->ns[id] >= 0)
		tab_cell(t, "%.1f", stats->ns[id]);
	else
		tab_cell(t, "%s", "");
}

static void put_handler(struct tab *t, const struct block *b, const struct snap_kind *kind, unsigned int id)
{
	char buf[SNAP_NAME_LEN];
	unsigned int n, c;
	uint64_t value;
	int new_handler = 1;

	for (n = 0; n < kind->count; n++) {
		value = kind->get(&b->sn->stats[b->which], id, n);
		if (!value && !(b->all && kind->has(b->sn, id, n)))
			continue;
		tab_cell(t, "%s", new_handler ? snap_handler(b->sn, id) : "");
		tab_cell(t, "%s", kind->name(b->sn, id, n, buf));
		if (b->first)
			put_sums(t, b, kind, id, n, new_handler);
		for (c = 0; c < b->cpu_count; c++)
			tab_cell(t, "%" PRIu64, kind->get(&b->sn->cpu[b->which][b->cpus[c]], id, n));
		new_handler = 0;
	}
}

/* One kind of counters: sums, or some CPUs, or both. */
static void put_table(const struct block *b, const struct snap_kind *kind)
{
	int verdicts = snap_is_verdicts(kind);
	unsigned int ids[NDIV_HANDLERS_MAX], c;
	size_t i, n = snap_ids(b->sn, ids);
	char align[8 + CPU_COLUMNS];
	struct tab t;

	snprintf(align, sizeof(align), "ll%s%.*s",
		 !b->first  ? ""
		 : verdicts ? "rrr"
			    : "r",
		 (int)b->cpu_count, "rrrrrr");
	tab_begin(&t, align);
	tab_head(&t, "handler");
	tab_head(&t, kind->title);
	if (b->first)
		tab_head(&t, verdicts ? "packets|bytes|ns/packet" : "count");
	for (c = 0; c < b->cpu_count; c++)
		tab_cell(&t, "cpu%u", b->cpus[c]);
	for (i = 0; i < n; i++)
		put_handler(&t, b, kind, ids[i]);
	if (tab_rows(&t) > 1) {
		putchar('\n');
		tab_end(&t, stdout, 2);
	} else {
		tab_drop(&t);
	}
}

static void put_kind(const struct snap *sn, int which, const struct options *o, const struct snap_kind *kind)
{
	unsigned int *cpus = out_alloc((sn->cpus + 1) * sizeof(*cpus));
	unsigned int count = o->cpu ? busy_cpus(sn, o->all, cpus) : 0, done = 0;
	struct block b = { .sn = sn, .which = which, .all = o->all, .first = 1 };

	do {
		b.cpus = cpus + done;
		b.cpu_count = count - done < CPU_COLUMNS ? count - done : CPU_COLUMNS;
		put_table(&b, kind);
		b.first = 0;
		done += b.cpu_count;
	} while (done < count);
	free(cpus);
}

static void put_path(const struct snap *sn, int which, const struct options *o)
{
	const struct ndiv_stats *stats = &sn->stats[which];
	char title[SNAP_TITLE_LEN];
	size_t i;

	if (which == NDIV_CPU_RX)
		printf("\n  receive path: %" PRIu64 " packets; sent %" PRIu64 " packets, %" PRIu64 " bytes; %" PRIu64
		       " lost in transmission\n",
		       stats->packets, (uint64_t)stats->sent.packets, (uint64_t)stats->sent.bytes, stats->tx_lost);
	else
		printf("\n  %s: %" PRIu64 " packets\n", snap_title(&sn->st, which, title), stats->packets);
	for (i = 0; i < SNAP_KINDS; i++)
		put_kind(sn, which, o, &snap_kinds[i]);
}

static void put_chain(const struct ndiv_state *st)
{
	const struct ndiv_entry *e;
	char since[32];
	time_t when;
	size_t i;

	for (i = 0; i < st->count; i++) {
		e = &st->handler[i].entry;
		when = (time_t)e->since;
		if (!strftime(since, sizeof(since), "%Y-%m-%d %H:%M:%S", localtime(&when)))
			strcpy(since, "?");
		putchar('\n');
		out_line(stdout, "  %zu. %s (id %" PRIu32 ", program %" PRIu32 "%s%s%s) since %s", i + 1, e->info.name,
			 st->handler[i].id, e->prog_id, e->has_tx ? ", transmit path" : "",
			 e->has_in ? ", to the stack" : "",
			 e->has_rx_done ? ", rx_done" : "", since);
		out_line(stdout, "     object   %s", e->path);
		if (e->opts[0])
			out_line(stdout, "     options  %s", e->opts);
	}
}

static void put_text(const struct snap *sn, const struct options *o)
{
	const struct ndiv_state *st = &sn->st;
	uint32_t sample = snap_sample(st);
	size_t i;
	int which;

	out_line(stdout, "%s: index %" PRIu32 ", %s mode, entry program %" PRIu32 "%s, %s", st->ifname, st->ifindex,
		 ndiv_mode_name(st->mode), st->prog_id, st->hints ? " (asks the card)" : "",
		 st->agent ? "agent runs" : "no agent");
	if (st->why[0])
		out_line(stdout, "  why generic: %s", st->why);
	for (i = 0; i < st->warnings; i++)
		out_line(stdout, "  warning: %s", st->warning[i]);
	out_line(stdout, "  policy: malformed=%s sample=%" PRIu32, st->conf.drop_malformed ? "drop" : "pass", sample);
	put_chain(st);
	for (which = 0; which < NDIV_CPU_COUNT; which++)
		if (snap_has(st, which))
			put_path(sn, which, o);
}

static void list_text(const struct snaps *s, const struct options *o, const char *ifname)
{
	size_t i;

	if (!s->count && ifname && s->foreign)
		out_line(stdout, "%s: ndiv is not attached, but another XDP program: \"%s\", id %" PRIu32, ifname,
			 s->foreign_name, s->foreign);
	else if (!s->count && ifname)
		out_line(stdout, "%s: ndiv is not attached", ifname);
	else if (!s->count)
		printf("ndiv is attached to no interface of this network namespace\n");
	for (i = 0; i < s->count; i++) {
		if (i)
			putchar('\n');
		put_text(s->snap[i], o);
	}
}

/* --- JSON */

static void json_count(struct json *j, const char *key, const struct ndiv_count *c)
{
	json_open(j, key, '{');
	json_uint(j, "packets", c->packets);
	json_uint(j, "bytes", c->bytes);
	json_close(j, '}');
}

static void json_kind(struct json *j, const struct snap *sn, const struct ndiv_stats *stats, unsigned int id,
		      const struct snap_kind *kind, int all)
{
	char buf[SNAP_NAME_LEN];
	unsigned int n;

	json_open(j, kind->plural, '{');
	for (n = 0; n < kind->count; n++) {
		if (!kind->get(stats, id, n) && !(all && kind->has(sn, id, n)))
			continue;
		if (snap_is_verdicts(kind))
			json_count(j, kind->name(sn, id, n, buf), &stats->verdict[id][n]);
		else
			json_uint(j, kind->name(sn, id, n, buf), kind->get(stats, id, n));
	}
	json_close(j, '}');
}

static void json_handler(struct json *j, const char *key, const struct snap *sn, const struct ndiv_stats *stats,
			 unsigned int id, int all)
{
	size_t i;

	json_open(j, key, '{');
	for (i = 0; i < SNAP_KINDS; i++)
		json_kind(j, sn, stats, id, &snap_kinds[i], all);
	json_real(j, "ns", stats->ns[id] >= 0 ? stats->ns[id] : NAN);
	json_close(j, '}');
}

static void json_stats(struct json *j, const char *key, const struct snap *sn, const struct ndiv_stats *stats, int all)
{
	unsigned int ids[NDIV_HANDLERS_MAX];
	size_t i, n = snap_ids(sn, ids);

	json_open(j, key, '{');
	json_uint(j, "packets", stats->packets);
	json_count(j, "sent", &stats->sent);
	json_uint(j, "tx_lost", stats->tx_lost);
	json_handler(j, "core", sn, stats, 0, all);
	json_open(j, "handlers", '{');
	for (i = 0; i < n; i++)
		if (ids[i])
			json_handler(j, snap_handler(sn, ids[i]), sn, stats, ids[i], all);
	json_close(j, '}');
	json_close(j, '}');
}

/* "a=1 b=2": keyed by name. */
static void json_options(struct json *j, const char *opts)
{
	char text[NDIV_OPTS_LEN], *rest = text, *word, *value;

	snprintf(text, sizeof(text), "%s", opts);
	json_open(j, "options", '{');
	while ((word = strsep(&rest, " "))) {
		value = strchr(word, '=');
		if (!value)
			continue;
		*value++ = 0;
		json_text(j, word, value);
	}
	json_close(j, '}');
}

static void json_chain(struct json *j, const struct ndiv_state *st)
{
	const struct ndiv_entry *e;
	size_t i;

	json_open(j, "chain", '[');
	for (i = 0; i < st->count; i++) {
		e = &st->handler[i].entry;
		json_open(j, NULL, '{');
		json_text(j, "name", e->info.name);
		json_uint(j, "id", st->handler[i].id);
		json_uint(j, "prog_id", e->prog_id);
		json_text(j, "path", e->path);
		json_options(j, e->opts);
		json_uint(j, "since", e->since);
		json_bool(j, "tx", e->has_tx);
		json_bool(j, "in", e->has_in);
		json_bool(j, "rx_done", e->has_rx_done);
		json_bool(j, "build", e->has_build);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void json_state(struct json *j, const struct ndiv_state *st)
{
	size_t i;

	json_text(j, "ifname", st->ifname);
	json_uint(j, "ifindex", st->ifindex);
	json_text(j, "mode", ndiv_mode_name(st->mode));
	json_text(j, "why", st->why[0] ? st->why : NULL);
	json_uint(j, "prog_id", st->prog_id);
	json_bool(j, "hints", st->hints);
	json_bool(j, "agent", st->agent);
	json_text(j, "transmit", snap_hook(st->tx));
	json_text(j, "ingress", snap_hook(st->in));
	json_open(j, "warnings", '[');
	for (i = 0; i < st->warnings; i++)
		json_text(j, NULL, st->warning[i]);
	json_close(j, ']');
	json_open(j, "policy", '{');
	json_text(j, "malformed", st->conf.drop_malformed ? "drop" : "pass");
	json_uint(j, "sample", snap_sample(st));
	json_close(j, '}');
}

static void json_cpus(struct json *j, const struct snap *sn, int all)
{
	unsigned int *cpus = out_alloc((sn->cpus + 1) * sizeof(*cpus));
	unsigned int i, count = busy_cpus(sn, all, cpus);
	int which;

	json_open(j, "cpus", '[');
	for (i = 0; i < count; i++) {
		json_open(j, NULL, '{');
		json_uint(j, "cpu", cpus[i]);
		for (which = 0; which < NDIV_CPU_COUNT; which++)
			if (sn->cpu[which])
				json_stats(j, snap_paths[which], sn, &sn->cpu[which][cpus[i]], all);
		json_close(j, '}');
	}
	json_close(j, ']');
	free(cpus);
}

static void list_json(const struct snaps *s, const struct options *o)
{
	const struct snap *sn;
	struct json j;
	size_t i;
	int which;

	json_begin(&j, stdout, 1);
	json_open(&j, NULL, '[');
	for (i = 0; i < s->count; i++) {
		sn = s->snap[i];
		json_open(&j, NULL, '{');
		json_state(&j, &sn->st);
		json_chain(&j, &sn->st);
		for (which = 0; which < NDIV_CPU_COUNT; which++)
			if (snap_has(&sn->st, which))
				json_stats(&j, snap_paths[which], sn, &sn->stats[which], o->all);
		if (o->cpu)
			json_cpus(&j, sn, o->all);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_end(&j);
}

static int run(const void *opts, int argc, char **argv)
{
	const struct options *o = opts;
	char err[SNAP_ERR_LEN];
	struct snaps s;

	if (snaps_read(&s, argv[0], o->cpu, err)) {
		message("%s", err);
		return EXIT_FAILURE;
	}
	if (o->json)
		list_json(&s, o);
	else
		list_text(&s, o, argv[0]);
	snaps_free(&s);
	return EXIT_SUCCESS;
}

static const struct opt opts[] = {
	{ 'j', "json", OPT_FLAG, offsetof(struct options, json), NULL, "print JSON: an array of interfaces", 0, 0,
	  NULL },
	{ 'c', "cpu", OPT_FLAG, offsetof(struct options, cpu), NULL,
	  "counters of each CPU, too (those that saw a packet; with --all, each)", 0, 0, NULL },
	{ 'a', "all", OPT_FLAG, offsetof(struct options, all), NULL, "counters that are 0, too", 0, 0, NULL },
	{ 0 },
};

static const struct arg args[] = {
	{ ARG_OUR_IF, "IF", 1, 0 },
	{ 0 },
};

const struct cmd cmd_show = {
	.name = "show",
	.about = "Shows the interfaces to which ndiv is attached, or one: handlers, options, counters.",
	.text = "Handlers are listed in the order in which a packet meets them. \"core\" is ndiv itself: what it\n"
		"counts as pass is what no handler took. Malformed packets are counters of the core, whatever\n"
		"became of them. ns/packet is a handler's mean over all its packets.\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
};

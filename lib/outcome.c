// SPDX-License-Identifier: GPL-2.0-only
/* outcome.c - the words for what became of a packet, as a capture writes them, and which of them are wanted */
#include <string.h>
#include "internal.h"
#include "tap.skel.h"

#define PER_HANDLER	(NDIV_OUTCOMES / NDIV_HANDLERS_MAX)
#define COMMENT		1	/* code of the option */

/* One outcome: of handler <id>, <reason> below 0 unless it is a drop. */
struct outcome {
	unsigned int id, verdict;
	int	reason;
};

static struct outcome outcome_of(__u32 n)
{
	__u32 low = n % PER_HANDLER;
	struct outcome o = { .id = n / PER_HANDLER, .verdict = low, .reason = -1 };

	if (low >= PER_HANDLER / 2) {
		o.verdict = NDIV_DROP;
		o.reason = low - PER_HANDLER / 2;
	}
	return o;
}

static void handler_name(const struct table *tab, unsigned int id, char *buf, size_t len)
{
	if (!id)
		snprintf(buf, len, "core");
	else if (tab->e[id].used)
		snprintf(buf, len, "%s", tab->e[id].info.name);
	else
		snprintf(buf, len, "handler %u", id);
}

static void reason_name(const struct table *tab, const struct outcome *o, char *buf, size_t len)
{
	const char *name = o->id ? tab->e[o->id].info.reasons[o->reason] : ndiv_core_reason(o->reason);

	if (name[0])
		snprintf(buf, len, "%.*s", NDIV_NAME_LEN - 1, name);
	else
		snprintf(buf, len, "reason %d", o->reason);
}

static void write_text(const struct table *tab, const struct outcome *o, struct ndiv_comment *c)
{
	char handler[NDIV_NAME_LEN], reason[NDIV_NAME_LEN];

	handler_name(tab, o->id, handler, sizeof(handler));
	c->code = COMMENT;
	if (o->reason < 0) {
		c->len = snprintf(c->text, sizeof(c->text), "%s: %s", handler, ndiv_verdict_name(o->verdict));
		return;
	}
	reason_name(tab, o, reason, sizeof(reason));
	c->len = snprintf(c->text, sizeof(c->text), "%s: drop %s", handler, reason);
}

/* The words for <outcome>: number of NDIV_OUTCOME(). */
void outcome_text(const struct table *tab, __u32 outcome, struct ndiv_comment *c)
{
	struct outcome o = outcome_of(outcome);

	memset(c, 0, sizeof(*c));
	write_text(tab, &o, c);
}

/* Is it one of those with which shield leaves the number of a rule? By the names of its reasons. */
int outcome_has_rule(const struct table *tab, __u32 outcome)
{
	struct outcome o = outcome_of(outcome);
	char name[NDIV_NAME_LEN];

	handler_name(tab, o.id, name, sizeof(name));
	if (o.reason < 0 || strcmp(name, "shield"))
		return 0;
	reason_name(tab, &o, name, sizeof(name));
	return !strcmp(name, "denied") || !strcmp(name, "limited");
}

static int is_wanted(const struct ndiv_capture *cap, const struct outcome *o)
{
	const struct ndiv_capture_opts *opts = &cap->opts;
	char name[NDIV_NAME_LEN];

	if (opts->verdicts && !(opts->verdicts >> o->verdict & 1))
		return 0;
	if (opts->handler) {
		handler_name(cap->tab, o->id, name, sizeof(name));
		if (strcmp(name, opts->handler))
			return 0;
	}
	if (!opts->reason)
		return 1;
	if (o->reason < 0)
		return 0;
	reason_name(cap->tab, o, name, sizeof(name));
	return !strcmp(name, opts->reason);
}

/* Writes those words that are other ones now. */
int outcomes_write(struct ndiv_capture *cap)
{
	int map = bpf_map__fd(cap->tap->maps.ndiv_outcomes);
	struct ndiv_comment c;
	struct outcome o;
	__u32 n;

	for (n = 0; n < NDIV_OUTCOMES; n++) {
		o = outcome_of(n);
		if (o.reason < 0 && o.verdict >= NDIV_VERDICTS)
			continue;	/* no such verdict */
		memset(&c, 0, sizeof(c));
		if (is_wanted(cap, &o))
			write_text(cap->tab, &o, &c);
		if (!memcmp(&c, &cap->outcomes[n], sizeof(c)))
			continue;
		if (bpf_map_update_elem(map, &n, &c, BPF_ANY))
			return -errno;
		cap->outcomes[n] = c;
	}
	return 0;
}

/* Is there anything that could be wanted? A name that is mistyped would wait for ever. */
int outcomes_check(struct ndiv_capture *cap)
{
	const struct ndiv_capture_opts *opts = &cap->opts;
	struct outcome o;
	__u32 n;
	int err;

	for (n = 0; n < NDIV_OUTCOMES; n++) {
		o = outcome_of(n);
		if ((o.reason >= 0 || o.verdict < NDIV_VERDICTS) && is_wanted(cap, &o))
			break;
	}
	if (n == NDIV_OUTCOMES)
		return fail(cap->nd, ENOENT,
			    "nothing on it has verdict and handler %s and reason %s (`ndiv show -a %s` "
			    "lists what there is)",
			    opts->handler ? opts->handler : "(any)", opts->reason ? opts->reason : "(any)",
			    cap->nd->ifname);
	err = outcomes_write(cap);
	if (!err)
		err = rules_write(cap);
	return err ? fail(cap->nd, -err, "cannot write the words of verdicts: %s", strerror(-err)) : 0;
}

int ndiv_capture_refresh(struct ndiv_capture *cap)
{
	__u32 id;
	int err;

	if (cap->tab->map < 0)
		return 0;	/* no handlers */
	for (id = 0; id < NDIV_HANDLERS_MAX; id++)
		if (bpf_map_lookup_elem(cap->tab->map, &id, &cap->tab->e[id]))
			return -errno;
	err = outcomes_write(cap);
	return err ? err : rules_write(cap);
}

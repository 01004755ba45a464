// SPDX-License-Identifier: GPL-2.0-only
/*
 * rule.c - the words for rules of shield's policy, as a capture writes them with what they have refused
 *
 * Rules have numbers in two banks, which policies use by turns. As soon as another policy is seen at work, the words of
 * the other bank are taken away: so a rule of the next one is not called by those of the one before the last.
 */
#include <string.h>
#include <unistd.h>
#include "policy.h"
#include "tap.skel.h"

/* What is written, and of whom. */
struct words {
	int	map;
	__u32	denied, limited;	/* outcomes */
	const struct table *tab;
	int	other;			/* number of the first rule of the other bank; below 0: not known yet */
};

_Static_assert(NDIV_RULES == POLICY_BANKS * POLICY_RULES, "rules of all banks");

/* The outcome of shield's reason called <name>; 0: it has none. */
static __u32 outcome_called(const struct table *tab, __u32 id, const char *name)
{
	__u32 r;

	for (r = 1; r < NDIV_REASONS_MAX; r++)
		if (!strcmp(tab->e[id].info.reasons[r], name))
			return NDIV_OUTCOME_DROPPED(id, r);
	return 0;
}

static int write_rule(__u32 number, const struct policy_rule *rule, const struct policy_text *text, void *arg)
{
	struct words *w = arg;
	struct ndiv_rule_comment c = { .code = 1 };
	struct ndiv_comment plain;
	size_t len;

	w->other = number < POLICY_RULES ? POLICY_RULES : 0;
	if (rule->action == POLICY_DENY)
		c.outcome = w->denied;
	if (rule->action == POLICY_LIMIT)
		c.outcome = w->limited;
	if (!c.outcome)
		return 0;
	outcome_text(w->tab, c.outcome, &plain);
	len = snprintf(c.text, sizeof(c.text), "%.*s", (int)plain.len, plain.text);
	rule_text(text, c.text + len, sizeof(c.text) - len);
	c.len = strlen(c.text);
	return bpf_map_update_elem(w->map, &number, &c, BPF_ANY) ? -errno : 0;
}

static int clear_bank(int map, __u32 first)
{
	const struct ndiv_rule_comment none = { 0 };
	__u32 i;

	for (i = first; i < first + POLICY_RULES; i++)
		if (bpf_map_update_elem(map, &i, &none, BPF_ANY))
			return -errno;
	return 0;
}

/* The policy behind <slot> has the id <policy>, which is another one than before; 0: there is none. */
static int write_policy(struct ndiv_capture *cap, int slot, __u32 id, __u32 policy)
{
	struct words w = { .map = bpf_map__fd(cap->tap->maps.ndiv_rules), .tab = cap->tab, .other = -1 };
	int err;

	w.denied = outcome_called(cap->tab, id, "denied");
	w.limited = outcome_called(cap->tab, id, "limited");
	err = policy_texts(slot, write_rule, &w);
	if (!err && w.other >= 0)
		err = clear_bank(w.map, w.other);
	if (!err)
		cap->policy = policy;
	return err;
}

/* Writes them if they are other ones now. 0 or -errno. */
int rules_write(struct ndiv_capture *cap)
{
	__u32 zero = 0, policy = 0;
	char dir[DIR_LEN];
	int id, slot, err = 0;

	if (!cap->opts.rules)
		return 0;
	id = table_find(cap->tab, "shield");
	if (!id)
		return 0;
	handler_dir(cap->nd, id, 0, dir);
	slot = pin_get(dir, "m_shield_policy");
	if (slot < 0)
		return slot == -ENOENT ? 0 : slot;	/* it is just being replaced */
	if (!bpf_map_lookup_elem(slot, &zero, &policy) && policy != cap->policy)
		err = write_policy(cap, slot, id, policy);
	close(slot);
	return err;
}

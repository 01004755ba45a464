// SPDX-License-Identifier: GPL-2.0-only
/* shield_policy.c - what `ndiv shield` prints of a policy: its rules and what they counted, and how two differ */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "shield_policy.h"

/* --- show */

static int put_rule_json(const struct ndiv_policy_rule *rule, void *arg)
{
	struct json *j = arg;

	json_open(j, NULL, '{');
	json_uint(j, "line", rule->line);
	json_text(j, "rule", rule->text);
	json_bool(j, "dry", rule->dry);
	json_uint(j, "packets", rule->packets);
	json_uint(j, "bytes", rule->bytes);
	json_uint(j, "refused", rule->refused);
	json_uint(j, "refused_bytes", rule->refused_bytes);
	json_close(j, '}');
	return 0;
}

int policy_source_json(const struct policy_source *src, struct json *j)
{
	struct ndiv_policy_state st;
	int err = src->state(src->of, &st);

	if (err)
		return err;
	json_open(j, "policy", '{');
	json_bool(j, "loaded", st.loaded);
	json_text(j, "file", st.loaded ? st.from : NULL);
	json_uint(j, "since", st.since);
	json_bool(j, "dry_run", st.dry);
	json_uint(j, "prefixes", st.size.prefixes);
	json_uint(j, "bytes", st.size.bytes);
	json_open(j, "rules", '[');
	err = src->each(src->of, put_rule_json, j);
	json_close(j, ']');
	json_close(j, '}');
	return err;
}

static int put_rule(const struct ndiv_policy_rule *rule, void *arg)
{
	struct tab *t = arg;

	tab_cell(t, "%" PRIu32, rule->line);
	tab_cell(t, "%" PRIu64, rule->packets);
	tab_cell(t, "%" PRIu64, rule->bytes);
	tab_cell(t, "%" PRIu64, rule->refused);
	tab_cell(t, "%s", rule->dry ? "dry" : "");
	tab_cell(t, "%s", rule->text);
	return 0;
}

static void put_head(const char *ifname, const struct ndiv_policy_state *st)
{
	char when[32] = "?";
	time_t t = (time_t)st->since;
	struct tm tm;

	if (localtime_r(&t, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	out_line(stdout, "%s: policy: %s%s, %" PRIu32 " rules, %" PRIu32 " prefixes, %.1f MB, loaded %s", ifname,
		 st->from, st->dry ? " (dry run)" : "", st->size.rules, st->size.prefixes,
		 (double)st->size.bytes / 1048576, when);
}

int policy_source_show(const struct policy_source *src, const char *name)
{
	struct ndiv_policy_state st;
	struct tab t;
	int err = src->state(src->of, &st);

	if (err)
		return err;
	if (!st.loaded) {
		out_line(stdout, "%s: policy: none", name);
		return 0;
	}
	tab_begin(&t, "rrrrll");
	tab_head(&t, "line|packets|bytes|refused|dry|rule");
	err = src->each(src->of, put_rule, &t);
	if (err) {
		tab_drop(&t);
		return err;
	}
	put_head(name, &st);
	tab_end(&t, stdout, 2);
	return 0;
}

static int state_of(void *nd, struct ndiv_policy_state *st)
{
	return ndiv_policy_state(nd, st);
}

static int each_of(void *nd, ndiv_policy_fn *fn, void *arg)
{
	return ndiv_policy_each(nd, fn, arg);
}

int policy_show_json(struct ndiv *nd, struct json *j)
{
	return policy_source_json(&(struct policy_source){ state_of, each_of, nd }, j);
}

int policy_show(struct ndiv *nd, const char *ifname)
{
	return policy_source_show(&(struct policy_source){ state_of, each_of, nd }, ifname);
}

/* --- diff */

/* The texts of a policy's rules. */
struct texts {
	char (*text)[NDIV_POLICY_TEXT + 8];
	size_t count;
};

static int keep(const struct ndiv_policy_rule *rule, void *arg)
{
	struct texts *t = arg;

	t->text = out_realloc(t->text, (t->count + 1) * sizeof(*t->text));
	snprintf(t->text[t->count++], sizeof(*t->text), "%s%s", rule->text, rule->dry ? " [dry]" : "");
	return 0;
}

/* Lengths of the longest common part from each pair of places on, a row for each place in <a>. */
static uint16_t *common(const struct texts *a, const struct texts *b)
{
	size_t width = b->count + 1, i, k;
	uint16_t *len = out_alloc((a->count + 1) * width * sizeof(*len)), down, right;

	for (i = a->count; i-- > 0;)
		for (k = b->count; k-- > 0;) {
			down = len[(i + 1) * width + k];
			right = len[i * width + k + 1];
			if (!strcmp(a->text[i], b->text[k]))
				len[i * width + k] = len[(i + 1) * width + k + 1] + 1;
			else
				len[i * width + k] = down > right ? down : right;
		}
	return len;
}

static size_t print(const struct texts *a, const struct texts *b)
{
	size_t width = b->count + 1, i = 0, k = 0, changes = 0;
	uint16_t *len = common(a, b);

	while (i < a->count || k < b->count) {
		if (i < a->count && k < b->count && !strcmp(a->text[i], b->text[k])) {
			out_line(stdout, "  %s", a->text[i]);
			i++;
			k++;
		} else if (k == b->count || (i < a->count && len[(i + 1) * width + k] >= len[i * width + k + 1])) {
			out_line(stdout, "- %s", a->text[i++]);
			changes++;
		} else {
			out_line(stdout, "+ %s", b->text[k++]);
			changes++;
		}
	}
	free(len);
	return changes;
}

int policy_diff(struct ndiv *nd, const struct ndiv_policy *policy, size_t *changes)
{
	struct texts old = { 0 }, new = { 0 };
	int err = ndiv_policy_each(nd, keep, &old);

	if (!err) {
		ndiv_policy_rules(policy, keep, &new);
		*changes = print(&old, &new);
	}
	free(old.text);
	free(new.text);
	return err;
}

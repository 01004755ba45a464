// SPDX-License-Identifier: GPL-2.0-only
/* shield_ban.c - what `ndiv shield` prints of bans: how many, and which */
#include <inttypes.h>
#include "shield_ban.h"

/* --- how many */

static void put_state_json(struct json *j, const struct ndiv_bans_state *st)
{
	json_uint(j, "count", st->count);
	json_uint(j, "room", st->room);
	json_uint(j, "bytes", st->bytes);
}

int bans_show_json(struct ndiv *nd, struct json *j)
{
	struct ndiv_bans_state st;
	int err = ndiv_bans_state(nd, &st);

	if (err)
		return err;
	json_open(j, "bans", '{');
	put_state_json(j, &st);
	json_close(j, '}');
	return 0;
}

int bans_show(struct ndiv *nd, const char *ifname)
{
	struct ndiv_bans_state st;
	int err = ndiv_bans_state(nd, &st);

	if (err)
		return err;
	if (!st.room)
		out_line(stdout, "%s: bans: none", ifname);
	else
		out_line(stdout, "%s: bans: %" PRIu64 ", room for %" PRIu64 ", %.1f MB", ifname, st.count, st.room,
			 (double)st.bytes / 1048576);
	return 0;
}

/* --- which */

static int put_ban_json(const struct ndiv_ban *ban, void *arg)
{
	struct json *j = arg;

	json_open(j, NULL, '{');
	json_text(j, "prefix", ban->prefix);
	json_bool(j, "forever", ban->forever);
	json_real(j, "left_s", (double)ban->left_ms / 1000);
	json_uint(j, "end", (ban->end_ms + 500) / 1000);
	json_uint(j, "line", ban->line);
	json_close(j, '}');
	return 0;
}

int bans_list_json(struct ndiv *nd, const char *ifname)
{
	struct ndiv_bans_state st;
	struct json j;
	int err = ndiv_bans_state(nd, &st);

	if (err)
		return err;
	json_begin(&j, stdout, 1);
	json_open(&j, NULL, '{');
	json_text(&j, "interface", ifname);
	put_state_json(&j, &st);
	json_open(&j, "bans", '[');
	err = ndiv_bans_each(nd, put_ban_json, &j);
	json_close(&j, ']');
	json_close(&j, '}');
	json_end(&j);
	return err;
}

/* Its two largest units: 6d23h, 1h05m, 9m58s, 59s. */
static const char *left_text(const struct ndiv_ban *ban, char *buf, size_t len)
{
	uint64_t s = (ban->left_ms + 999) / 1000;

	if (ban->forever)
		snprintf(buf, len, "forever");
	else if (s >= 86400)
		snprintf(buf, len, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s % 86400 / 3600);
	else if (s >= 3600)
		snprintf(buf, len, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s % 3600 / 60);
	else if (s >= 60)
		snprintf(buf, len, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else
		snprintf(buf, len, "%" PRIu64 "s", s);
	return buf;
}

static int put_ban(const struct ndiv_ban *ban, void *arg)
{
	struct tab *t = arg;
	char left[48];

	tab_cell(t, "%s", ban->prefix);
	tab_cell(t, "%s", left_text(ban, left, sizeof(left)));
	if (ban->line)
		tab_cell(t, "line %" PRIu32 " of the policy", ban->line);
	else
		tab_cell(t, "hand");
	return 0;
}

int bans_list(struct ndiv *nd, const char *ifname)
{
	struct tab t;
	int err;

	tab_begin(&t, "lrl");
	tab_head(&t, "prefix|left|by");
	err = ndiv_bans_each(nd, put_ban, &t);
	if (!err)
		err = bans_show(nd, ifname);
	if (err || tab_rows(&t) == 1)
		tab_drop(&t);
	else
		tab_end(&t, stdout, 2);
	return err;
}

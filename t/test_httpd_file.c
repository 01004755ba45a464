// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_httpd_file.c - the handler httpd: files of several segments, told by the timestamps that clients echo
 *
 * A client says packets with any state; handlers/httpd/position.h has the numbers.
 */
#include "serve.h"	/* before cmocka.h, which has another fail() */
#include "httpd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/bpf.h>
#include "rows.h"
#include "tree.h"

#define HALF	(1U << 31)
#define OF(id)	((1535U << 20) + ((uint32_t)(id) << 20))
#define UNIT	1408	/* bytes of a segment among others: 1428, in whole thirty-twos */
#define LONG	100000	/* bytes of the file, and of the next one */
#define ASK	"GET /long HTTP/1.1\r\n\r\n"
#define ASK_S	"GET /short HTTP/1.1\r\n\r\n"
#define HTTPD	1

static struct run run;
static struct serve serve;
static struct tree tree;
static struct client client = { .mss = 1460, .ts = 1 };
static uint32_t id;	/* of /long */
static uint32_t base;	/* the server's timestamp at the beginning */

/* What comes, and what becomes of it. */
struct row {
	const char *name;
	const char *data;
	uint32_t left;		/* state, without the file's id */
	int	flags;		/* besides ACK */
	int	act;
	int	reason;
	int	counters[6], count;
	int	nobody;		/* the id is that of no file */
};

/* clang-format off */
static const struct row rows[] = {
	{ .name = "the end of a burst", .left = 12 * UNIT, .act = XDP_REDIRECT, .counters = { NEXT_BURST }, .count = 1 },
	{ .name = "the same, of one that closes", .left = 12 * UNIT + 2, .act = XDP_REDIRECT,
	  .counters = { NEXT_BURST }, .count = 1 },
	{ .name = "the same, where packets get lost", .left = 12 * UNIT + 4, .act = XDP_REDIRECT,
	  .counters = { NEXT_BURST }, .count = 1 },
	{ .name = "within a burst", .left = 13 * UNIT, .act = XDP_DROP, .reason = R_ACK },
	{ .name = "within a segment", .left = 12 * UNIT + 16, .act = XDP_DROP, .reason = R_EARLY },
	{ .name = "more than the file has", .left = 72 * UNIT, .act = XDP_DROP, .reason = R_COOKIE },
	{ .name = "all but more than that", .left = 60 * UNIT, .act = XDP_REDIRECT, .counters = { NEXT_BURST },
	  .count = 1 },
	{ .name = "no such file", .left = 12 * UNIT, .act = XDP_TX, .counters = { STALE }, .count = 1,
	  .nobody = 1 },
	{ .name = "the request again", .data = ASK, .left = 12 * UNIT + sizeof(ASK) - 1, .act = XDP_REDIRECT,
	  .counters = { AGAIN }, .count = 1 },
	{ .name = "its last bytes again", .data = "P/1.1\r\n\r\n", .left = 12 * UNIT + 9, .act = XDP_REDIRECT,
	  .counters = { AGAIN }, .count = 1 },
	{ .name = "the request again, no such file", .data = ASK, .left = 12 * UNIT + sizeof(ASK) - 1, .act = XDP_TX,
	  .counters = { STALE }, .count = 1, .nobody = 1 },
	{ .name = "something else meanwhile", .data = ASK_S, .left = 12 * UNIT, .act = XDP_DROP, .reason = R_EARLY },
	{ .name = "all has come", .left = 0, .act = XDP_DROP, .reason = R_ACK },
	{ .name = "more has been sent meanwhile", .left = -100, .data = ASK_S, .act = XDP_DROP, .reason = R_EARLY },
	{ .name = "a probe behind it", .left = 1, .act = XDP_TX, .counters = { PROBE }, .count = 1 },
	{ .name = "the next request", .data = ASK_S, .left = 0, .act = XDP_TX, .counters = { GET, S2XX, FILES },
	  .count = 3 },
	{ .name = "the next request again", .data = ASK_S, .left = sizeof(ASK_S) - 1, .act = XDP_TX,
	  .counters = { GET, S2XX, FILES }, .count = 3 },
	{ .name = "the next request, for an object", .data = HUNDRED_PLEASE, .left = 0, .act = XDP_TX,
	  .counters = { GET, S2XX }, .count = 2 },
	{ .name = "the next request, for the file", .data = ASK, .left = 0, .act = XDP_REDIRECT,
	  .counters = { GET, S2XX, FILES }, .count = 3 },
	{ .name = "FIN behind it", .flags = TH_FIN, .left = 0, .act = XDP_TX, .counters = { FIN }, .count = 1 },
};
/* clang-format on */

#define FAR	65536	/* bytes behind the last burst */

/* Says the packet of <row>, <at> bytes into the server's sequence. */
static void say(const struct row *row, uint32_t at)
{
	client.tsval = base + OF(row->nobody ? (id + 100) % 240 : id) + row->left;
	client_say(&client, TH_ACK | row->flags, 1, 1 + at, row->data, row->data ? strlen(row->data) : 0);
}

/* What has been answered at once, its timestamp is in the other half, and has no id. */
static void check_stamp(const struct row *row, uint32_t at)
{
	uint32_t len = client_out.len - client_in.l4 - 32, stamp = get32(client_out.data + client_in.l4 + 24), want;

	want = base + HALF + at + len + (row->data ? strlen(row->data) : 0);
	if (row->flags & TH_FIN)
		want += 3;	/* their FIN, and POS_CLOSE */
	if (stamp != want)
		fail_msg("%s: timestamp %x, want %x", row->name, stamp, want);
	if ((int32_t)(stamp - client.tsval - at) <= 0)
		fail_msg("%s: the timestamp does not grow", row->name);
}

static void test_row(void **state)
{
	const struct row *row = *state;
	uint32_t at = FAR * (1 + (row - rows));

	use(&run, HTTPD);
	say(row, at);
	if (hear(&run, row->name) != row->act)
		fail_msg("%s: action %d", row->name, client_out.act);
	forget_sums(&run, HTTPD);
	must(row->name, client_counted(&run, HTTPD, row->counters, row->count, row->reason));
	if (row->act == XDP_TX && row->count && row->counters[row->count - 1] == STALE)
		assert_int_equal(client_out.data[client_in.l4 + 13], TH_RST | TH_ACK);
	else if (row->act == XDP_TX && row->left != 1 && row->left != sizeof(ASK_S) - 1)
		check_stamp(row, at);
}

/*
 * Without timestamps, the low bits of what is acknowledged tell that two segments are missing: they are sent again, but
 * not if it may be another file by now.
 */
static void test_plain(void **state)
{
	static const char ask[] = "GET /middle HTTP/1.1\r\n\r\n";
	const int again = AGAIN, stale = STALE;
	struct client plain = { .mss = 1460, .sport = 41000 };

	use(&run, HTTPD);
	must("dial", client_dial(&run, &plain));
	must("reset", run_reset(&run) ? "failed" : NULL);
	client_say(&plain, TH_ACK, 1, 1 + 10 * 128 + 6 * 16, ask, sizeof(ask) - 1);
	assert_int_equal(hear(&run, "just loaded"), XDP_TX);
	assert_int_equal(client_out.data[client_in.l4 + 13], TH_RST | TH_ACK);
	must("just loaded", client_counted(&run, HTTPD, &stale, 1, 0));
	serve.maps.state->changed = 0;
	must("reset", run_reset(&run) ? "failed" : NULL);
	assert_int_equal(hear(&run, "long since loaded"), XDP_REDIRECT);
	forget_sums(&run, HTTPD);
	must("long since loaded", client_counted(&run, HTTPD, &again, 1, 0));
	/* as many as it has cannot be missing */
	must("reset", run_reset(&run) ? "failed" : NULL);
	client_say(&plain, TH_ACK, 1, 1 + 10 * 128 + 4 * 16, ask, sizeof(ask) - 1);
	assert_int_equal(hear(&run, "all missing"), XDP_DROP);
	must("all missing", client_counted(&run, HTTPD, NULL, 0, R_EARLY));
}

/* A transfer outlives one reload, but not two. */
static void test_reload(void **state)
{
	const struct row goes_on = { .name = "goes on", .left = 24 * UNIT };
	uint32_t at = 100 * FAR;
	int i;

	use(&run, HTTPD);
	for (i = 0; i < 3; i++, at += FAR) {
		say(&goes_on, at);
		assert_int_equal(hear(&run, goes_on.name), i < 2 ? XDP_REDIRECT : XDP_TX);
		assert_int_equal(tree_fill(&tree, "long", LONG, 10 + i), 0);
		assert_int_equal(serve_dir(&serve, tree.dir), 0);
	}
	assert_int_equal(client_out.data[client_in.l4 + 13], TH_RST | TH_ACK);
}

/* The entry of the only long file, in slot 0. */
static int find_long(void)
{
	struct ndiv_content_page *page = malloc(sizeof(*page));
	const struct ndiv_content_dir *dir = (const void *)page;
	uint32_t zero = 0, slot_fd, i;
	int fd, err = -1;

	if (!page || bpf_map_lookup_elem(serve.maps.sites, &zero, &slot_fd))
		return -1;
	fd = bpf_map_get_fd_by_id(slot_fd);
	if (fd >= 0 && !bpf_map_lookup_elem(fd, &zero, page))
		for (i = 0; i < NDIV_CONTENT_FILES; i++)
			if (dir->entry[i].len > LONG / 2) {
				id = i;
				err = 0;
			}
	if (fd >= 0)
		close(fd);
	free(page);
	return err;
}

static int set_up(void **state)
{
	if (run_open(&run, NULL) || run_add(&run, run_path("handlers/httpd.bpf.o"), NULL) != HTTPD)
		return -1;
	if (tree_make(&tree) || tree_fill(&tree, "long", LONG, 1) || tree_fill(&tree, "short", 100, 2) ||
	    tree_fill(&tree, "middle", 5000, 3))
		return -1;
	if (serve_open(&serve, &run, HTTPD) || serve_dir(&serve, tree.dir) || find_long())
		return -1;
	use(&run, HTTPD);
	must("dial", client_dial(&run, &client));
	base = client.tsval;
	return 0;
}

static int tear_down(void **state)
{
	serve_close(&serve);
	tree_remove(&tree);
	run_close(&run);
	return 0;
}

int main(void)
{
	struct CMUnitTest tests[sizeof(rows) / sizeof(rows[0]) + 2];
	size_t n;

	for (n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
		tests[n] = (struct CMUnitTest){ rows[n].name, test_row, NULL, NULL, (void *)&rows[n] };
	tests[n] = (struct CMUnitTest)cmocka_unit_test(test_plain);
	tests[n + 1] = (struct CMUnitTest)cmocka_unit_test(test_reload);
	return cmocka_run_group_tests_name("httpd_file", tests, set_up, tear_down);
}

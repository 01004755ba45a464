// SPDX-License-Identifier: GPL-2.0-only
/* cmd_replay.c - ndiv replay: a capture file through shield, to see what its policy would do with it */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "capcommon.h"
#include "cmd.h"
#include "replayfile.h"
#include "shield_policy.h"

#define OPTIONS_MAX 34 /* of shield, with those that are added here */

struct options {
	const char *policy, *passed, *dropped, *mac;
	int json;
};

struct session {
	const struct options *o;
	struct replayfile file;
	struct ndiv_replay *rp;
	uint8_t mac[6];
	const char *options[OPTIONS_MAX];
	size_t option_count;
	int one_way; /* the host has sent nothing in it */
	pcap_dumper_t *passed;
	FILE *dropped;
	uint8_t *block; /* for packets that are dropped */
	uint64_t packets, sent, truncated, odd, late, first, last;
	time_t shown;
};

static volatile sig_atomic_t ended;

/* --- who the host is */

static int parse_mac(const char *text, uint8_t *mac)
{
	unsigned int b[6];
	int i, end = 0;

	if (strlen(text) != 17 ||
	    sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &end) != 6 || end != 17)
		return -1;
	for (i = 0; i < 6; i++)
		mac[i] = b[i];
	return mac[0] & 1 ? -1 : 0;
}

#define MAC_TEXT 18

static const char *mac_text(const uint8_t *mac, char *buf)
{
	snprintf(buf, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return buf;
}

/* Several could be the host: those to which most is sent. */
static int ask_for_mac(const char *path, const struct replaylook *look)
{
	char told[REPLAYFILE_HOSTS] = { 0 }, mac[MAC_TEXT];
	const struct replayhost *h;
	int i, n, best;

	message("replay: %s: packets to several MAC addresses are in it: say which one is the host's", path);
	for (n = 0; n < 4; n++) {
		for (i = 0, best = -1; i < look->count; i++)
			if (look->host[i].to && !told[i] && (best < 0 || look->host[i].to > look->host[best].to))
				best = i;
		if (best < 0)
			break;
		told[best] = 1;
		h = &look->host[best];
		message("  --mac %s: %" PRIu64 " packets, the first one to %s", mac_text(h->mac, mac), h->to, h->addr);
	}
	return -1;
}

static const struct replayhost *find_mac(const struct replaylook *look, const uint8_t *mac)
{
	int i;

	for (i = 0; i < look->count; i++)
		if (!memcmp(look->host[i].mac, mac, 6))
			return &look->host[i];
	return NULL;
}

static int choose_mac(struct session *s, const struct replaylook *look)
{
	const struct replayhost *host = NULL;
	int i, count = 0;

	for (i = 0; i < look->count; i++)
		if (look->host[i].to) {
			host = &look->host[i];
			count++;
		}
	if (count > 1 || look->more)
		return ask_for_mac(s->file.path, look);
	if (!host) {
		message("replay: %s: no packet of IP in it is sent to a MAC address: there is nothing to replay",
			s->file.path);
		return -1;
	}
	memcpy(s->mac, host->mac, 6);
	return 0;
}

/* By option, or by what is in the file. */
static int find_host(struct session *s)
{
	const struct replayhost *host;
	struct replaylook look;

	if (s->o->mac && parse_mac(s->o->mac, s->mac))
		return opt_error(&cmd_replay, "--mac: \"%s\" is no MAC address of a host, such as 02:00:00:00:77:02",
				 s->o->mac);
	if (!strcmp(s->file.path, "-")) {
		if (s->o->mac)
			return 0;
		return opt_error(&cmd_replay, "standard input is read once only: say who the host is: --mac MAC");
	}
	if (replayfile_look(s->file.path, &look, &ended) || ended)
		return -1;
	if (!s->o->mac && choose_mac(s, &look))
		return -1;
	host = find_mac(&look, s->mac);
	s->one_way = !look.more && (!host || !host->from);
	return 0;
}

/* --- set-up */

static int has_option(const struct session *s, const char *name)
{
	size_t i, len = strlen(name);

	for (i = 0; i < s->option_count; i++)
		if (!strncmp(s->options[i], name, len) && s->options[i][len] == '=')
			return 1;
	return 0;
}

/*
 * Those that are given, and what a file needs: nothing answers its SYNs with cookies, so all of them are passed; and
 * where nobody sees the answers, connections are taken as they come.
 */
static int take_options(struct session *s, int argc, char **argv)
{
	int i;

	if (argc > OPTIONS_MAX - 2)
		return opt_error(&cmd_replay, "shield has not so many options");
	for (i = 0; i < argc; i++)
		s->options[s->option_count++] = argv[i];
	if (!has_option(s, "unknown"))
		s->options[s->option_count++] = "unknown=10000000";
	if (s->one_way && !has_option(s, "learn"))
		s->options[s->option_count++] = "learn=86400";
	else
		s->one_way = 0;
	return 0;
}

static int open_shield(struct session *s)
{
	struct ndiv_replay_opts o = { .sz = sizeof(o), .options = s->options, .option_count = s->option_count };
	struct ndiv_policy *policy = NULL;
	char err[1024] = "";
	int ret;

	memcpy(o.mac, s->mac, sizeof(o.mac));
	if (s->o->policy && ndiv_policy_read(&policy, s->o->policy, err, sizeof(err))) {
		message("%s", err);
		return -1;
	}
	ret = ndiv_replay_open(&s->rp, &o, policy, err, sizeof(err));
	ndiv_policy_free(policy);
	if (ret)
		message("replay: %s", err);
	return ret ? -1 : 0;
}

/* What is written must not be what is read. */
static int is_input(const struct session *s, const char *path)
{
	struct stat in, out;

	return strcmp(s->file.path, "-") && !stat(s->file.path, &in) && !stat(path, &out) && in.st_dev == out.st_dev &&
	       in.st_ino == out.st_ino;
}

static int cannot(const char *what, const char *path, const char *why)
{
	message("replay: cannot %s %s: %s", what, path, why);
	return -1;
}

static int open_passed(struct session *s)
{
	int snaplen = pcap_snapshot(s->file.pcap) > 0 ? pcap_snapshot(s->file.pcap) : 262144;
	pcap_t *p = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, snaplen, PCAP_TSTAMP_PRECISION_NANO);

	if (!p)
		return cannot("open", s->o->passed, "out of memory");
	s->passed = pcap_dump_open(p, s->o->passed);
	if (!s->passed)
		message("replay: %s", pcap_geterr(p));
	pcap_close(p);
	return s->passed ? 0 : -1;
}

static int open_dropped(struct session *s)
{
	char head[NDIV_CAPTURE_HEAD], mac[MAC_TEXT];
	size_t len;

	s->dropped = fopen(s->o->dropped, "we");
	if (!s->dropped)
		return cannot("open", s->o->dropped, strerror(errno));
	s->block = malloc(NDIV_REPLAY_MAX + NDIV_REPLAY_EXTRA);
	if (!s->block)
		return cannot("write", s->o->dropped, "out of memory");
	len = ndiv_replay_head(s->rp, mac_text(s->mac, mac), head);
	return fwrite(head, len, 1, s->dropped) == 1 ? 0 : cannot("write", s->o->dropped, strerror(errno));
}

static int check_files(const struct session *s)
{
	const char *const paths[] = { s->o->passed, s->o->dropped };
	int i;

	for (i = 0; i < 2; i++) {
		if (paths[i] && !strcmp(paths[i], "-"))
			return opt_error(&cmd_replay, "packets are written to a file, not to standard output");
		if (paths[i] && is_input(s, paths[i]))
			return opt_error(&cmd_replay, "%s is the file that is read", paths[i]);
	}
	if (paths[0] && paths[1] && !strcmp(paths[0], paths[1]))
		return opt_error(&cmd_replay, "%s: what is passed and what is dropped cannot go to one file", paths[0]);
	return 0;
}

static int open_files(struct session *s)
{
	if (s->o->passed && open_passed(s))
		return -1;
	return s->o->dropped ? open_dropped(s) : 0;
}

/* --- packets */

static void write_passed(struct session *s, const struct ndiv_replay_packet *pkt)
{
	const struct pcap_pkthdr head = {
		.ts = { .tv_sec = (time_t)(pkt->ns / 1000000000), .tv_usec = (suseconds_t)(pkt->ns % 1000000000) },
		.caplen = pkt->captured,
		.len = pkt->len,
	};

	pcap_dump((u_char *)s->passed, &head, pkt->data);
}

static void write_dropped(struct session *s, const struct ndiv_replay_packet *pkt)
{
	size_t len = ndiv_replay_block(pkt, ndiv_replay_why(s->rp), s->block);

	fwrite(s->block, len, 1, s->dropped);
}

static void take_time(struct session *s, uint64_t ns)
{
	if (!s->packets || ns < s->first)
		s->first = s->packets ? s->first : ns;
	if (s->packets && ns < s->last)
		s->late++;
	else
		s->last = ns;
	s->packets++;
}

static int replay_one(struct session *s, const struct ndiv_replay_packet *pkt)
{
	int way;

	take_time(s, pkt->ns);
	if (pkt->len < NDIV_REPLAY_MIN || pkt->len > NDIV_REPLAY_MAX) {
		s->odd++;
		return 0;
	}
	if (pkt->captured < pkt->len)
		s->truncated++;
	way = ndiv_replay_run(s->rp, pkt);
	if (way < 0)
		message("replay: packet %" PRIu64 ": %s", s->packets, ndiv_replay_error(s->rp));
	else if (way == NDIV_REPLAY_SENT)
		s->sent++;
	else if (way == NDIV_REPLAY_PASSED && s->passed)
		write_passed(s, pkt);
	else if (way == NDIV_REPLAY_DROPPED && s->dropped)
		write_dropped(s, pkt);
	return way < 0 ? -1 : 0;
}

/* On a terminal, how far it is, once a second. */
static void show_progress(struct session *s)
{
	int percent = replayfile_percent(&s->file);
	time_t now = time(NULL);

	if (!s->shown)
		s->shown = now;
	if (now == s->shown || !isatty(2))
		return;
	s->shown = now;
	fprintf(stderr, "\r\033[K%" PRIu64 " packets", s->packets);
	if (percent >= 0)
		fprintf(stderr, ", %d %%", percent);
}

/* 0; -1 after a message if not all of it was replayed. */
static int replay(struct session *s)
{
	struct ndiv_replay_packet pkt;
	int failed = 0;

	while (!ended && !failed && replayfile_next(&s->file, &pkt)) {
		failed = replay_one(s, &pkt);
		if (!(s->packets & 1023))
			show_progress(s);
	}
	if (isatty(2) && s->shown)
		fprintf(stderr, "\r\033[K");
	if (ended)
		message("replay: ended by a signal behind %" PRIu64 " packets", s->packets);
	if (s->file.broken)
		message("replay: %s: behind packet %" PRIu64 ": %s", s->file.path, s->packets,
			pcap_geterr(s->file.pcap));
	return ended || failed || s->file.broken ? -1 : 0;
}

/* --- what came of it */

struct result {
	struct ndiv_count passed, dropped, answered;
	uint64_t malformed;
	struct ndiv_stats rx, tx;
};

static void add(struct ndiv_count *to, const struct ndiv_count *c)
{
	to->packets += c->packets;
	to->bytes += c->bytes;
}

static int read_result(struct session *s, struct result *r)
{
	int id, i;

	memset(r, 0, sizeof(*r));
	if (ndiv_replay_stats(s->rp, NDIV_CPU_RX, &r->rx) || ndiv_replay_stats(s->rp, NDIV_CPU_TX, &r->tx)) {
		message("replay: %s", ndiv_replay_error(s->rp));
		return -1;
	}
	for (id = 0; id < 2; id++) {
		add(&r->passed, &r->rx.verdict[id][NDIV_PASS]);
		add(&r->dropped, &r->rx.verdict[id][NDIV_DROP]);
		add(&r->answered, &r->rx.verdict[id][NDIV_REPLY]);
	}
	for (i = 1; i <= NDIV_R_MALFORMED_LAST; i++)
		r->malformed += r->rx.counter[0][i];
	return 0;
}

static const char *reason_name(const struct session *s, int id, int reason)
{
	return id ? ndiv_replay_info(s->rp)->reasons[reason] : ndiv_core_reason(reason);
}

static void put_row(struct tab *t, const char *what, uint64_t packets)
{
	tab_cell(t, "%s", what);
	tab_cell(t, "%" PRIu64, packets);
	tab_cell(t, "%s", "");
}

static void put_count(struct tab *t, const char *what, const struct ndiv_count *c)
{
	tab_cell(t, "%s", what);
	tab_cell(t, "%" PRIu64, (uint64_t)c->packets);
	tab_cell(t, "%" PRIu64, (uint64_t)c->bytes);
}

static void put_reasons(const struct session *s, const struct result *r, struct tab *t)
{
	char name[NDIV_NAME_LEN + 2];
	int id, i;

	for (id = 0; id < 2; id++)
		for (i = 0; i < NDIV_REASONS_MAX; i++) {
			if (!r->rx.reason[id][i])
				continue;
			snprintf(name, sizeof(name), "  %s", reason_name(s, id, i));
			put_row(t, name, r->rx.reason[id][i]);
		}
}

static void put_table(const struct session *s, const struct result *r)
{
	struct tab t;

	tab_begin(&t, "lrr");
	tab_head(&t, "|packets|bytes");
	put_count(&t, "passed", &r->passed);
	if (r->answered.packets)
		put_count(&t, "answered", &r->answered);
	put_count(&t, "dropped", &r->dropped);
	put_reasons(s, r, &t);
	if (s->sent)
		put_row(&t, "sent by the host", s->sent);
	if (s->odd)
		put_row(&t, "not run: too short or too long", s->odd);
	if (r->malformed)
		put_row(&t, "malformed, of all", r->malformed);
	if (s->truncated)
		put_row(&t, "cut off when captured, of all", s->truncated);
	if (s->late)
		put_row(&t, "older than the one before, of all", s->late);
	tab_end(&t, stdout, 2);
}

static int state_of(void *rp, struct ndiv_policy_state *st)
{
	return ndiv_replay_policy(rp, st);
}

static int each_of(void *rp, ndiv_policy_fn *fn, void *arg)
{
	return ndiv_replay_rules(rp, fn, arg);
}

static int report(const struct session *s, const struct result *r)
{
	const struct policy_source src = { state_of, each_of, s->rp };
	char mac[MAC_TEXT];

	out_line(stdout, "%s: %" PRIu64 " packets in %.3f s, the host is %s", s->file.path, s->packets,
		 (double)(s->last - s->first) / 1e9, mac_text(s->mac, mac));
	if (s->one_way)
		out_line(stdout,
			 "%s: nothing in it is sent by the host: connections are taken as they come (learn=86400)",
			 s->file.path);
	put_table(s, r);
	return s->o->policy ? policy_source_show(&src, s->file.path) : 0;
}

static void count_json(struct json *j, const char *key, const struct ndiv_count *c)
{
	json_open(j, key, '{');
	json_uint(j, "packets", c->packets);
	json_uint(j, "bytes", c->bytes);
	json_close(j, '}');
}

static void reasons_json(struct json *j, const struct session *s, const struct result *r)
{
	int id, i;

	json_open(j, "reasons", '{');
	for (id = 0; id < 2; id++)
		for (i = 0; i < NDIV_REASONS_MAX; i++)
			if (r->rx.reason[id][i])
				json_uint(j, reason_name(s, id, i), r->rx.reason[id][i]);
	json_close(j, '}');
}

static void counters_json(struct json *j, const struct session *s, const struct result *r)
{
	const struct ndiv_info *info = ndiv_replay_info(s->rp);
	int i;

	json_open(j, "counters", '{');
	for (i = 0; i < NDIV_COUNTERS_MAX; i++)
		if (info->counters[i][0])
			json_uint(j, info->counters[i], r->rx.counter[1][i] + r->tx.counter[1][i]);
	json_close(j, '}');
}

static int report_json(const struct session *s, const struct result *r)
{
	const struct policy_source src = { state_of, each_of, s->rp };
	char mac[MAC_TEXT];
	struct json j;
	int err;

	json_begin(&j, stdout, 1);
	json_open(&j, NULL, '{');
	json_text(&j, "file", s->file.path);
	json_text(&j, "mac", mac_text(s->mac, mac));
	json_uint(&j, "packets", s->packets);
	json_real(&j, "seconds", (double)(s->last - s->first) / 1e9);
	json_bool(&j, "one_way", s->one_way);
	count_json(&j, "passed", &r->passed);
	count_json(&j, "answered", &r->answered);
	count_json(&j, "dropped", &r->dropped);
	reasons_json(&j, s, r);
	counters_json(&j, s, r);
	json_uint(&j, "sent", s->sent);
	json_uint(&j, "not_run", s->odd);
	json_uint(&j, "malformed", r->malformed);
	json_uint(&j, "truncated", s->truncated);
	json_uint(&j, "late", s->late);
	err = policy_source_json(&src, &j);
	json_close(&j, '}');
	json_end(&j);
	return err;
}

/* --- from beginning to end */

/* 0, or -1 after a message. */
static int close_files(struct session *s)
{
	int failed = 0;

	if (s->passed && (pcap_dump_flush(s->passed) || ferror(pcap_dump_file(s->passed))))
		failed = cannot("write", s->o->passed, strerror(errno));
	if (s->passed)
		pcap_dump_close(s->passed);
	if (s->dropped && (fflush(s->dropped) || ferror(s->dropped)))
		failed = cannot("write", s->o->dropped, strerror(errno));
	if (s->dropped)
		fclose(s->dropped);
	free(s->block);
	return failed;
}

static int work(struct session *s)
{
	struct result *r = calloc(1, sizeof(*r));
	int failed = replay(s);

	if (!r || read_result(s, r))
		failed = -1;
	else if (s->o->json ? report_json(s, r) : report(s, r)) {
		message("replay: %s", ndiv_replay_error(s->rp));
		failed = -1;
	}
	free(r);
	return failed;
}

static int run(const void *opts, int argc, char **argv)
{
	struct session s = { .o = opts, .file.path = argv[0] };
	int failed;

	capsignal_catch(&ended);
	failed = check_files(&s);
	if (!failed)
		failed = find_host(&s);
	if (!failed)
		failed = take_options(&s, argc - 1, argv + 1);
	if (failed == EXIT_USAGE)
		return failed;
	if (!failed)
		failed = open_shield(&s);
	if (!failed)
		failed = replayfile_open(&s.file, s.file.path);
	if (!failed)
		failed = open_files(&s);
	if (!failed)
		failed = work(&s);
	if (close_files(&s))
		failed = -1;
	replayfile_close(&s.file);
	ndiv_replay_close(s.rp);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const struct opt opts[] = {
	{ 'p', "policy", OPT_TEXT, offsetof(struct options, policy), "POLICY",
	  "the policy to be tried; without it, connections are all that counts", 0, 0, NULL },
	{ 0, "write-passed", OPT_TEXT, offsetof(struct options, passed), "FILE",
	  "write the packets that are passed: pcap, with nanoseconds", 0, 0, NULL },
	{ 0, "write-dropped", OPT_TEXT, offsetof(struct options, dropped), "FILE",
	  "write those that are dropped: pcapng, with reason and rule as a comment", 0, 0, NULL },
	{ 0, "mac", OPT_TEXT, offsetof(struct options, mac), "MAC",
	  "the host's MAC address; needed where the packets in FILE go to several", 0, 0, NULL },
	{ 'j', "json", OPT_FLAG, offsetof(struct options, json), NULL, "print JSON", 0, 0, NULL },
	{ 0 },
};

static const struct arg args[] = {
	{ ARG_FILE, "FILE", 0, 0 },
	{ ARG_SHIELD_OPTION, "NAME=VALUE", 1, 1 },
	{ 0 },
};

const struct cmd cmd_replay = {
	.name = "replay",
	.about = "Runs a capture file through shield, and tells what its policy would do.",
	.text = "FILE is pcap or pcapng, of Ethernet; -: standard input. NAME=VALUE are options of shield, as for\n"
		"`ndiv attach`. The programs are those that `ndiv attach IF shield` loads, but they are attached to\n"
		"nothing: no traffic is touched, and nothing is left. Their clock is that of the packets.\n\n"
		"What the host sends in FILE is shown to shield, so that it knows the connections. SYNs that no rule\n"
		"refuses are passed; live, they may be answered with cookies. See ndiv-shield(8).\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
};

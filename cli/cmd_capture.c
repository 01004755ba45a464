// SPDX-License-Identifier: GPL-2.0-only
/* cmd_capture.c - ndiv capture: packets into a file, or to the screen by tcpdump */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "capfile.h"
#include "cmd.h"

#define SNAPLEN_MIN 64
#define CHECK_MS    200 /* is the interface still there? */
#define STATUS_MS   1000
#define SLEEP_MIN   1000 /* us, when there is little to do; twice as long each time that there is nothing */
#define SLEEP_MAX   10000
#define MANY(ring)  ((ring) / 8) /* bytes at once, behind which it does not sleep */

struct options {
	const char *interface, *file, *points, *user, *verdict, *handler, *reason;
	int64_t count, snaplen, megabytes, rotate, files, ring, seconds;
	int coarse, numeric, quiet, promiscuous;
};

/* A capture that runs. */
struct session {
	const struct options *o;
	struct ndiv *nd;
	struct ndiv_capture *cap;
	struct capfile file;
	struct capfile_opts file_opts;
	int promiscuous; /* socket; -1: none */
	int64_t start, checked, shown; /* ms */
	uint64_t shown_packets, total;
	useconds_t sleep;
	uint64_t many; /* bytes */
	int drawn; /* a status line is on the screen */
};

static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
	ended = 1;
}

/* Without SA_RESTART: a write that waits is to return. SIGHUP: not where it is ignored, for nohup(1). */
static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGQUIT };
	struct sigaction sa = { .sa_handler = on_signal }, old;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &sa, NULL);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* --- options */

/* "rx,tx" into bits. 0: a word is none of <names>. */
static unsigned int parse_words(const char *text, const char *(*name)(unsigned int), unsigned int count)
{
	unsigned int bits = 0, i;
	size_t len;

	for (;; text += len + 1) {
		len = strcspn(text, ",");
		for (i = 0; i < count; i++)
			if (strlen(name(i)) == len && !memcmp(text, name(i), len))
				break;
		if (i == count)
			return 0;
		bits |= 1U << i;
		if (!text[len])
			return bits;
	}
}

static const char *point_name(unsigned int point)
{
	return ndiv_point_name(point);
}

static int parse_lists(const struct options *o, struct ndiv_capture_opts *c)
{
	c->points = 1U << (o->verdict || o->handler || o->reason ? NDIV_POINT_VERDICT : NDIV_POINT_RX);
	if (o->points)
		c->points = parse_words(o->points, point_name, NDIV_POINTS);
	if (!c->points)
		return opt_error(&cmd_capture, "--points: \"%s\" is no list of rx, verdict and tx", o->points);
	if (o->verdict)
		c->verdicts = parse_words(o->verdict, ndiv_verdict_name, NDIV_FORWARD + 1);
	if (o->verdict && !c->verdicts)
		return opt_error(&cmd_capture, "--verdict: \"%s\" is no list of pass, drop, reply, burst, postpone "
				 "and forward", o->verdict);
	return 0;
}

static int check_options(const struct options *o)
{
	if ((o->megabytes || o->rotate || o->files) && (!o->file || !strcmp(o->file, "-")))
		return opt_error(&cmd_capture, "--file-size, --rotate and --files need a file: -w FILE");
	if (o->files && !o->megabytes && !o->rotate)
		return opt_error(&cmd_capture, "--files needs --file-size or --rotate");
	if (o->snaplen && o->snaplen < SNAPLEN_MIN)
		return opt_error(&cmd_capture, "--snaplen: %" PRId64 " is too short; it has to be from %d on, or 0 for "
				 "all", o->snaplen, SNAPLEN_MIN);
	return 0;
}

/* --- who writes the files */

struct user {
	uid_t uid;
	gid_t gid;
	char name[64];
};

/* The user of -Z, or who called sudo. 1; 0 if it is to stay as it is; -1 after a message. */
static int find_user(const struct options *o, struct user *u)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	struct passwd *pw;
	int64_t id;

	if (o->user) {
		pw = getpwnam(o->user);
		if (!pw) {
			message("capture: --user: there is no user \"%s\"", o->user);
			return -1;
		}
		*u = (struct user){ .uid = pw->pw_uid, .gid = pw->pw_gid };
		snprintf(u->name, sizeof(u->name), "%s", o->user);
		return u->uid != geteuid();
	}
	if (geteuid() || !uid || !gid || parse_number(uid, 1, UINT32_MAX - 1, &id))
		return 0;
	u->uid = id;
	if (parse_number(gid, 0, UINT32_MAX - 1, &id))
		return 0;
	u->gid = id;
	pw = getpwuid(u->uid);
	snprintf(u->name, sizeof(u->name), "%s", pw ? pw->pw_name : uid);
	return 1;
}

/* From here on nothing needs root: the kernel's side is there, and goes by itself. */
static int drop_privileges(const struct session *s)
{
	struct user u;
	int found = find_user(s->o, &u);

	if (found <= 0)
		return found;
	if (ndiv_capture_needs_root(s->cap)) {
		message("capture: privileges are kept: tc has to be cleaned up at the end (Linux before 6.6)");
		return 0;
	}
	if (initgroups(u.name, u.gid) || setresgid(u.gid, u.gid, u.gid) || setresuid(u.uid, u.uid, u.uid)) {
		message("capture: cannot become user %s: %s", u.name, strerror(errno));
		return -1;
	}
	return 0;
}

/* Ends with the process, too. A socket that receives nothing. */
static int make_promiscuous(struct session *s, const char *ifname)
{
	struct packet_mreq mr = { .mr_ifindex = (int)if_nametoindex(ifname), .mr_type = PACKET_MR_PROMISC };

	s->promiscuous = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (s->promiscuous >= 0 &&
	    !setsockopt(s->promiscuous, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr, sizeof(mr)))
		return 0;
	message("capture: cannot make %s promiscuous: %s", ifname, strerror(errno));
	return -1;
}

/* --- what is shown */

static void human(char *buf, size_t len, double v)
{
	static const char units[] = " kMGT";
	int i = 0;

	while (v >= 1000 && units[i + 1]) {
		v /= 1000;
		i++;
	}
	snprintf(buf, len, i ? "%.1f %c" : "%.0f ", v, units[i]);
}

static uint64_t sum(const struct ndiv_capture_stats *st, size_t offset)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < NDIV_POINTS; i++)
		n += *(const uint64_t *)((const char *)&st->point[i] + offset);
	return n;
}

#define SUM(st, member) sum(st, offsetof(struct ndiv_ring_count, member))

/* One line on the terminal, again and again. */
static void show_status(struct session *s, int64_t now)
{
	double rate = (s->file.packets - s->shown_packets) * 1000.0 / (now - s->shown);
	char per_second[16], bytes[16];
	struct ndiv_capture_stats st;

	ndiv_capture_stats(s->cap, &st);
	human(per_second, sizeof(per_second), rate);
	human(bytes, sizeof(bytes), s->file.size);
	fprintf(stderr, "\r\033[K%" PRIu64 " packets, %sp/s, %" PRIu64 " lost, ring %.0f %%, %sB", s->file.packets,
		per_second, SUM(&st, lost), st.used * 100.0 / st.size, bytes);
	s->shown = now;
	s->shown_packets = s->file.packets;
	s->drawn = 1;
}

/* As tcpdump's; and where there is a filter, of how many it chose. */
static void show_counts(struct session *s)
{
	struct ndiv_capture_stats st;
	char of[48] = "";

	ndiv_capture_stats(s->cap, &st);
	if (SUM(&st, rejected))
		snprintf(of, sizeof(of), " (of %" PRIu64 ")", SUM(&st, seen));
	fprintf(stderr, "%s%" PRIu64 " packets captured\n%" PRIu64 " packets received by filter%s\n"
		"%" PRIu64 " packets dropped by kernel\n", s->drawn ? "\r\033[K" : "", s->file.packets,
		SUM(&st, seen) - SUM(&st, rejected), of, SUM(&st, lost));
}

/* --- at work */

static int write_block(struct session *s, size_t (*make)(const struct ndiv_capture *cap, void *buf))
{
	char buf[NDIV_CAPTURE_HEAD];
	struct iovec iov = { .iov_base = buf };

	iov.iov_len = make(s->cap, buf);
	return capfile_write(&s->file, &iov, 1, 0);
}

/* The file is full: statistics end it, and the next one begins. 1: it was the last one. */
static int next_file(struct session *s)
{
	if (capfile_is_last(&s->file))
		return 1;
	if (write_block(s, ndiv_capture_tail) || capfile_next(&s->file))
		return -1;
	return write_block(s, ndiv_capture_head);
}

/* Takes what is in the rings to the file. How many bytes, or -1 after a message. */
static int64_t transfer(struct session *s)
{
	uint64_t left = s->o->count ? s->o->count - s->file.packets : 0, packets = 0;
	struct iovec iov[CAPFILE_SPANS];
	int64_t bytes = 0;
	int n, i, failed;

	n = ndiv_capture_read(s->cap, iov, CAPFILE_SPANS, left, capfile_room(&s->file), &packets);
	if (n < 0) {
		message("capture: a ring is broken (%s): please report it", strerror(-n));
		return -1;
	}
	for (i = 0; i < n; i++)
		bytes += iov[i].iov_len;
	failed = n ? capfile_write(&s->file, iov, n, packets) : 0;
	ndiv_capture_release(s->cap);
	return failed ? -1 : bytes;
}

static int is_over(const struct session *s, int64_t now)
{
	if (s->o->count && s->file.packets >= (uint64_t)s->o->count)
		return 1;
	return ended || (s->o->seconds && now - s->start >= s->o->seconds);
}

/* Every now and then. -1 after a message if there is nothing to capture from any more. */
static int look_around(struct session *s, int64_t now)
{
	const char *clean = s->drawn ? "\r\033[K" : "";
	int err;

	if (!s->o->quiet && s->file_opts.path && isatty(2) && now - s->shown >= STATUS_MS)
		show_status(s, now);
	if (now - s->checked < CHECK_MS)
		return 0;
	s->checked = now;
	err = ndiv_capture_refresh(s->cap);
	if (!err)
		err = ndiv_capture_check(s->cap);
	if (!err)
		return 0;
	if (err == -ENODEV)
		message("%scapture: the interface has vanished", clean);
	else if (err == -ENOLINK)
		message("%scapture: ndiv was detached from the interface", clean);
	else
		message("%scapture: cannot read the handlers' names: %s", clean, strerror(-err));
	return -1;
}

/* Behind as much as that, <bytes>, there is no time to sleep. Else shortly, and longer each time that nothing was
 * there. */
static void rest(struct session *s, uint64_t bytes)
{
	if (bytes >= s->many)
		return;
	s->sleep = bytes ? SLEEP_MIN : s->sleep * 2 < SLEEP_MAX ? s->sleep * 2 : SLEEP_MAX;
	usleep(s->sleep);
}

/* Until it is over. 0, or -1 after a message. */
static int work(struct session *s)
{
	int64_t n, now = now_ms();
	int ret = 0;

	while (!ret && !is_over(s, now)) {
		n = transfer(s);
		if (n < 0)
			return -1;
		rest(s, n);
		now = now_ms();
		if (capfile_is_full(&s->file))
			ret = next_file(s);
		if (!ret)
			ret = look_around(s, now);
	}
	return ret < 0 ? -1 : 0;
}

/* What is still in the rings when nothing more is captured, and the statistics. */
static int finish(struct session *s)
{
	int64_t n = 1;
	int ret = 0;

	while (n > 0 && !ret && !(s->o->count && s->file.packets >= (uint64_t)s->o->count)) {
		n = transfer(s);
		if (n > 0 && capfile_is_full(&s->file))
			ret = next_file(s);
	}
	if (n < 0 || ret < 0)
		return -1;
	return write_block(s, ndiv_capture_tail);
}

static int capture(struct session *s, const char *ifname)
{
	struct ndiv_capture_stats st;
	int failed;

	s->start = s->shown = s->checked = now_ms();
	s->sleep = SLEEP_MIN;
	ndiv_capture_stats(s->cap, &st);
	s->many = MANY(st.size);
	failed = write_block(s, ndiv_capture_head);
	if (!failed)
		message("capture: listening on %s, into %s", ifname, s->file.path);
	failed = failed || work(s);
	ndiv_capture_stop(s->cap);
	/* a second signal ends a write that waits */
	ended = 0;
	if (s->file.fd >= 0 && finish(s))
		failed = 1;
	show_counts(s);
	return failed ? -1 : 0;
}

static int open_session(struct session *s, const char *ifname, const struct ndiv_capture_opts *c)
{
	const struct options *o = s->o;
	int err;

	s->nd = if_open(ifname);
	if (!s->nd)
		return -1;
	err = ndiv_capture_open(&s->cap, s->nd, c);
	if (err) {
		message("%s: %s", ifname, ndiv_error(s->nd));
		return -1;
	}
	if (o->promiscuous && make_promiscuous(s, ifname))
		return -1;
	s->file_opts = (struct capfile_opts){ .path = o->file, .bytes = o->megabytes * 1000000, .files = o->files,
					      .seconds = o->rotate, .numeric = o->numeric };
	if (drop_privileges(s))
		return -1;
	return capfile_open(&s->file, &s->file_opts, &ended);
}

static int run_session(const struct options *o, const char *ifname, const struct ndiv_capture_opts *c)
{
	struct session s = { .o = o, .promiscuous = -1, .file.fd = -1 };
	int failed;

	catch_signals();
	failed = open_session(&s, ifname, c);
	if (!failed)
		failed = capture(&s, ifname);
	if (s.file.opts && capfile_close(&s.file))
		failed = 1;
	if (s.promiscuous >= 0)
		close(s.promiscuous);
	ndiv_capture_close(s.cap);
	ndiv_close(s.nd);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The words of an expression, to one text. NULL after a message. */
static char *join(int count, char **words)
{
	size_t len = 1;
	char *text;
	int i;

	for (i = 0; i < count; i++)
		len += strlen(words[i]) + 1;
	text = calloc(1, len);
	if (!text) {
		message("capture: no memory for the expression");
		return NULL;
	}
	for (i = 0; i < count; i++) {
		strcat(text, i ? " " : "");
		strcat(text, words[i]);
	}
	return text;
}

static int run(const void *opts, int argc, char **argv)
{
	const struct options *o = opts;
	struct ndiv_capture_opts c = { .sz = sizeof(c), .snaplen = o->snaplen, .ring = o->ring * 1024,
				       .coarse = o->coarse, .handler = o->handler, .reason = o->reason };
	const char *ifname;
	char *filter;
	int status;

	if (!o->interface && !argc)
		return opt_error(&cmd_capture, "IF is missing");
	if (check_options(o) || parse_lists(o, &c))
		return EXIT_USAGE;
	ifname = o->interface ? o->interface : argv[0];
	filter = join(argc - !o->interface, argv + !o->interface);
	if (!filter)
		return EXIT_FAILURE;
	c.filter = filter;
	status = run_session(o, ifname, &c);
	free(filter);
	return status;
}

#define OPTION(letter, name, type, member, arg, help, min, max) \
	{                                                                                                              \
		letter, name, type, offsetof(struct options, member), arg, help, min, max, NULL                        \
	}

static const struct opt opts[] = {
	OPTION('i', "interface", OPT_TEXT, interface, "IF", "the interface, in place of the argument", 0, 0),
	OPTION('w', "write", OPT_TEXT, file, "FILE",
	       "write a pcapng file, or with - to standard output; without it, tcpdump prints what comes", 0, 0),
	OPTION('c', "count", OPT_NUMBER, count, "N", "end after N packets", 1, INT64_MAX),
	OPTION('s', "snaplen", OPT_NUMBER, snaplen, "BYTES", "keep so much of a packet; 0, the default: all", 0,
	       NDIV_SNAPLEN_MAX),
	OPTION('C', "file-size", OPT_NUMBER, megabytes, "MB", "begin another file after so many million bytes", 1,
	       1000000000),
	OPTION('G', "rotate", OPT_NUMBER, rotate, "SECONDS",
	       "begin another file after so long; FILE can be a name for strftime(3)", 1, 1000000000),
	OPTION('W', "files", OPT_NUMBER, files, "N",
	       "with -C: keep N files, then begin with the first one again; with -G alone: end after N files", 1,
	       1000000),
	OPTION('B', "buffer-size", OPT_NUMBER, ring, "KB", "size of the ring of each CPU; 4096 unless given", 64,
	       NDIV_RING_MAX / 1024),
	OPTION('a', "seconds", OPT_SECONDS, seconds, "SECONDS", "end after so long", 1, INT64_MAX / 1000),
	OPTION('P', "points", OPT_TEXT, points, "LIST",
	       "where: rx (default), verdict, tx, several with a comma between; see below", 0, 0),
	OPTION(0, "verdict", OPT_TEXT, verdict, "LIST", "only packets with one of these verdicts: pass,drop,reply,...",
	       0, 0),
	OPTION(0, "handler", OPT_TEXT, handler, "NAME", "only packets about which this handler decided, or core", 0,
	       0),
	OPTION(0, "reason", OPT_TEXT, reason, "NAME", "only packets that were dropped for this reason", 0, 0),
	OPTION(0, "coarse", OPT_FLAG, coarse, NULL, "cheaper times, exact to some milliseconds only", 0, 0),
	OPTION(0, "promiscuous", OPT_FLAG, promiscuous, NULL,
	       "packets to other hosts, too: also for the handlers, and as long as this runs", 0, 0),
	OPTION('n', "numeric", OPT_FLAG, numeric, NULL, "have tcpdump print addresses and ports as numbers", 0, 0),
	OPTION('q', "quiet", OPT_FLAG, quiet, NULL, "no status line while it runs", 0, 0),
	OPTION('Z', "user", OPT_TEXT, user, "USER",
	       "go on as this user, to whom files belong; the one who called sudo unless given", 0, 0),
	{ 0 },
};

static const struct arg args[] = {
	{ ARG_IF, "IF", 1, 0 },
	{ ARG_WORD, "EXPRESSION", 1, 1 },
	{ 0 },
};

const struct cmd cmd_capture = {
	.name = "capture",
	.about = "Captures packets in the driver, into a file or on the screen.",
	.text = "Points: rx, what the driver hands in, before any handler; verdict, behind the handlers, with\n"
		"verdict, handler and reason; tx, what the local stack sends. ndiv need not be attached.\n"
		"EXPRESSION chooses packets, as in tcpdump: pcap-filter(7). See ndiv-capture(8).\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
};

// SPDX-License-Identifier: GPL-2.0-only
/* cmd_capture.c - ndiv capture: packets into a file, or to the screen by tcpdump */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "capcommon.h"
#include "capwriter.h"
#include "cmd.h"

#define SNAPLEN_MIN 64
#define CHECK_MS    200 /* is the interface still there? */
#define STATUS_MS   1000
#define WATCH_US    20000 /* of the one who watches threads */

struct options {
	const char *interface, *file, *points, *user, *verdict, *handler, *reason;
	int64_t count, snaplen, megabytes, rotate, files, ring, seconds, sample;
	int clock, coarse, numeric, quiet, promiscuous, zstd, per_cpu;
};

/* A capture that runs. */
struct session {
	const struct options *o;
	struct ndiv *nd;
	struct ndiv_capture *cap;
	struct capwriter *writer; /* one, or one for each CPU */
	int writers;
	int promiscuous; /* socket; -1: none */
	int64_t start, checked, shown; /* ms */
	uint64_t shown_packets;
	int drawn; /* a status line is on the screen */
};

static volatile sig_atomic_t ended;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* --- options */

static int parse_lists(const struct options *o, struct ndiv_capture_opts *c)
{
	c->points = 1U << (o->verdict || o->handler || o->reason ? NDIV_POINT_VERDICT : NDIV_POINT_RX);
	if (o->points)
		c->points = points_parse(o->points);
	if (!c->points)
		return opt_error(&cmd_capture, "--points: \"%s\" is no list of rx, verdict and tx", o->points);
	if (o->verdict)
		c->verdicts = verdicts_parse(o->verdict);
	if (o->verdict && !c->verdicts)
		return opt_error(&cmd_capture, "--verdict: \"%s\" is no list of pass, drop, reply, burst, postpone "
				 "and forward", o->verdict);
	return 0;
}

static int check_options(const struct options *o)
{
	if ((o->megabytes || o->rotate || o->files) && (!o->file || !strcmp(o->file, "-")))
		return opt_error(&cmd_capture, "--file-size, --rotate and --files need a file: -w FILE");
	if (o->zstd && !o->file)
		return opt_error(&cmd_capture, "--zstd needs a file, or standard output: -w FILE");
	if (o->per_cpu && (!o->file || !strcmp(o->file, "-")))
		return opt_error(&cmd_capture, "--per-cpu needs a file: -w FILE");
	if (o->per_cpu && o->count)
		return opt_error(&cmd_capture, "--count: no number of packets ends the files of --per-cpu");
	if (o->files && !o->megabytes && !o->rotate)
		return opt_error(&cmd_capture, "--files needs --file-size or --rotate");
	if (o->snaplen && o->snaplen < SNAPLEN_MIN)
		return opt_error(&cmd_capture, "--snaplen: %" PRId64 " is too short; it has to be from %d on, or 0 for "
				 "all", o->snaplen, SNAPLEN_MIN);
	return 0;
}

/* --- set-up */

/* From here on nothing needs root: the kernel's side is there, and goes by itself. */
static int drop_privileges(const struct session *s)
{
	struct capuser u;
	int found = capuser_find(s->o->user, &u);

	if (found <= 0)
		return found;
	if (ndiv_capture_needs_root(s->cap)) {
		message("capture: privileges are kept: tc has to be cleaned up at the end (Linux before 6.6)");
		return 0;
	}
	return capuser_become(&u);
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

static uint64_t all_packets(const struct session *s)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < s->writers; i++)
		n += capwriter_packets(&s->writer[i]);
	return n;
}

/* Of the files at hand. */
static uint64_t all_bytes(const struct session *s)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < s->writers; i++)
		n += __atomic_load_n(&s->writer[i].file.size, __ATOMIC_RELAXED);
	return n;
}

/* One line on the terminal, again and again. */
static void show_status(struct session *s, int64_t now)
{
	uint64_t packets = all_packets(s);
	double rate = (packets - s->shown_packets) * 1000.0 / (now - s->shown);
	char per_second[16], bytes[16];
	struct ndiv_capture_stats st;

	ndiv_capture_stats(s->cap, &st);
	human(per_second, sizeof(per_second), rate);
	human(bytes, sizeof(bytes), all_bytes(s));
	fprintf(stderr, "\r\033[K%" PRIu64 " packets, %sp/s, %" PRIu64 " lost, ring %.0f %%, %sB", packets,
		per_second, SUM(&st, lost), st.used * 100.0 / st.size, bytes);
	s->shown = now;
	s->shown_packets = packets;
	s->drawn = 1;
}

/* As tcpdump's; and where there is a filter, of how many it chose; and what sampling left out. */
static void show_counts(struct session *s)
{
	struct ndiv_capture_stats st;
	char of[48] = "";

	if (s->drawn)
		fprintf(stderr, "\r\033[K");

	ndiv_capture_stats(s->cap, &st);
	if (SUM(&st, rejected))
		snprintf(of, sizeof(of), " (of %" PRIu64 ")", SUM(&st, seen));
	fprintf(stderr, "%" PRIu64 " packets captured\n%" PRIu64 " packets received by filter%s\n", all_packets(s),
		SUM(&st, seen) - SUM(&st, rejected), of);
	if (s->o->sample > 1)
		fprintf(stderr, "%" PRIu64 " packets left out by sampling\n", SUM(&st, skipped));
	fprintf(stderr, "%" PRIu64 " packets dropped by kernel\n", SUM(&st, lost));
	if (ndiv_capture_unstamped(s->cap))
		fprintf(stderr, "%" PRIu64 " packets without a time of the card: the host's clock, as interface "
			"IF/POINT-host\n", ndiv_capture_unstamped(s->cap));
}

/* --- at work */

static int is_over(const struct session *s, int64_t now)
{
	return ended || (s->o->seconds && now - s->start >= s->o->seconds);
}

/* Every now and then. -1 after a message if there is nothing to capture from any more. */
static int look_around(struct session *s, int64_t now)
{
	const char *clean = s->drawn ? "\r\033[K" : "";
	int err;

	if (!s->o->quiet && s->o->file && isatty(2) && now - s->shown >= STATUS_MS)
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

/* Until it is over. 0, or -1 after a message. */
static int work(struct session *s)
{
	int64_t now = now_ms();
	int ret = 0;

	while (!ret && !is_over(s, now)) {
		ret = capwriter_step(&s->writer[0]);
		now = now_ms();
		if (!ret)
			ret = look_around(s, now);
	}
	return ret < 0 ? -1 : 0;
}

/* --- a thread and a file for each CPU */

struct worker {
	pthread_t thread;
	struct capwriter *w;
	int failed;
};

/* One that fails ends them all. */
static void *work_cpu(void *arg)
{
	struct worker *k = arg;
	int ret = 0;

	while (!ret && !ended)
		ret = capwriter_step(k->w);
	k->failed = ret < 0;
	ended = 1;
	return NULL;
}

static int watch_workers(struct session *s)
{
	int64_t now;
	int failed = 0;

	while (!failed && !is_over(s, now = now_ms())) {
		failed = look_around(s, now);
		usleep(WATCH_US);
	}
	ended = 1;
	return failed;
}

static int work_all(struct session *s)
{
	struct worker *worker = calloc(s->writers, sizeof(*worker));
	int failed = 0, i, n, err;

	if (!worker) {
		message("capture: no memory for %d threads", s->writers);
		return -1;
	}
	for (n = 0; n < s->writers && !failed; n += !failed) {
		worker[n].w = &s->writer[n];
		err = pthread_create(&worker[n].thread, NULL, work_cpu, &worker[n]);
		failed = err ? -1 : 0;
		if (err)
			message("capture: cannot start a thread for CPU %d: %s", n, strerror(err));
	}
	if (!failed)
		failed = watch_workers(s);
	ended = 1;
	for (i = 0; i < n; i++) {
		pthread_join(worker[i].thread, NULL);
		failed = failed || worker[i].failed ? -1 : 0;
	}
	free(worker);
	return failed;
}

/* --- from beginning to end */

static int begin(struct session *s, const char *ifname)
{
	int i;

	for (i = 0; i < s->writers; i++)
		if (capwriter_begin(&s->writer[i], &ended))
			return -1;
	message("capture: listening on %s, into %s", ifname,
		s->o->per_cpu ? "a file for each CPU" : s->writer[0].file.path);
	return 0;
}

static int capture(struct session *s, const char *ifname)
{
	int failed, i;

	s->start = s->shown = s->checked = now_ms();
	if (begin(s, ifname))
		return -1;
	failed = s->o->per_cpu ? work_all(s) : work(s);
	ndiv_capture_stop(s->cap);
	/* a second signal ends a write that waits */
	ended = 0;
	for (i = 0; i < s->writers; i++)
		if (capwriter_finish(&s->writer[i]))
			failed = 1;
	show_counts(s);
	return failed ? -1 : 0;
}

/* "dir/out.pcapng", 3: "dir/out.cpu3.pcapng". */
static char *cpu_path(const char *path, int cpu)
{
	const char *name = strrchr(path, '/'), *dot;
	char *text;

	name = name ? name + 1 : path;
	dot = *name ? strchr(name + 1, '.') : NULL;
	if (!dot)
		dot = name + strlen(name);
	return asprintf(&text, "%.*s.cpu%d%s", (int)(dot - path), path, cpu, dot) < 0 ? NULL : text;
}

static int make_writer(const struct session *s, struct capwriter *w, int cpu)
{
	const struct options *o = s->o;

	*w = (struct capwriter){
		.cap = s->cap,
		.cpu = o->per_cpu ? cpu : CAPWRITER_ALL,
		.lazy = o->per_cpu,
		.count = o->count,
		.opts = { .path = o->file, .bytes = o->megabytes * 1000000, .files = o->files, .seconds = o->rotate,
			  .numeric = o->numeric, .zstd = o->zstd },
	};
	if (o->per_cpu)
		w->opts.path = cpu_path(o->file, cpu);
	return o->per_cpu && !w->opts.path ? -1 : 0;
}

static int make_writers(struct session *s)
{
	int n = s->o->per_cpu ? ndiv_capture_cpus(s->cap) : 1;

	s->writer = calloc(n, sizeof(*s->writer));
	while (s->writer && s->writers < n && !make_writer(s, &s->writer[s->writers], s->writers))
		s->writers++;
	if (s->writers == n)
		return 0;
	message("capture: no memory for %d files", n);
	return -1;
}

static int open_session(struct session *s, const char *ifname, const struct ndiv_capture_opts *c)
{
	int err;

	s->nd = if_open(ifname);
	if (!s->nd)
		return -1;
	err = ndiv_capture_open(&s->cap, s->nd, c);
	if (err) {
		message("%s: %s", ifname, ndiv_error(s->nd));
		return -1;
	}
	if (s->o->promiscuous && make_promiscuous(s, ifname))
		return -1;
	return make_writers(s) || drop_privileges(s) ? -1 : 0;
}

static int close_writers(struct session *s)
{
	int i, failed = 0;

	for (i = 0; i < s->writers; i++) {
		if (capwriter_close(&s->writer[i]))
			failed = 1;
		if (s->o->per_cpu)
			free((char *)s->writer[i].opts.path);
	}
	free(s->writer);
	return failed;
}

static int run_session(const struct options *o, const char *ifname, const struct ndiv_capture_opts *c)
{
	struct session s = { .o = o, .promiscuous = -1 };
	int failed;

	capsignal_catch(&ended);
	failed = open_session(&s, ifname, c);
	if (!failed)
		failed = capture(&s, ifname);
	if (close_writers(&s))
		failed = 1;
	if (s.promiscuous >= 0)
		close(s.promiscuous);
	ndiv_capture_close(s.cap);
	ndiv_close(s.nd);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(const void *opts, int argc, char **argv)
{
	const struct options *o = opts;
	struct ndiv_capture_opts c = { .sz = sizeof(c), .snaplen = o->snaplen, .ring = o->ring * 1024,
				       .coarse = o->coarse, .handler = o->handler, .reason = o->reason,
				       .sample = o->sample };
	const char *ifname;
	char *filter;
	int status;

	if (!o->interface && !argc)
		return opt_error(&cmd_capture, "IF is missing");
	if (check_options(o) || parse_lists(o, &c))
		return EXIT_USAGE;
	clock_choose(o->clock, &c);
	ifname = o->interface ? o->interface : argv[0];
	filter = expression_join(argc - !o->interface, argv + !o->interface);
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
	OPTION(0, "sample", OPT_NUMBER, sample, "N", "keep one packet of N, at random", 1, 1000000000),
	OPTION(0, "per-cpu", OPT_FLAG, per_cpu, NULL,
	       "a file for each CPU, and a thread that writes it: FILE becomes NAME.cpu0.pcapng and so on", 0, 0),
	OPTION(0, "zstd", OPT_FLAG, zstd, NULL, "compress, for Wireshark or zstd -d", 0, 0),
	OPTION(0, "coarse", OPT_FLAG, coarse, NULL, "cheaper times, exact to some milliseconds only", 0, 0),
	{ 'j', "time-stamp-type", OPT_CHOICE, offsetof(struct options, clock), NULL,
	  "whose clock: the host's (default), the same as --coarse, or the card's", 0, 0, clock_names },
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

static const struct cmd *const subs[] = { &cmd_capture_mount, &cmd_capture_record, &cmd_capture_save, NULL };

const struct cmd cmd_capture = {
	.name = "capture",
	.about = "Captures packets in the driver, into a file or on the screen.",
	.text = "Points: rx, what the driver hands in, before any handler; verdict, behind the handlers, with\n"
		"verdict, handler and reason; tx, what the local stack sends. ndiv need not be attached.\n"
		"EXPRESSION chooses packets, as in tcpdump: pcap-filter(7). See ndiv-capture(8).\n\n"
		"ndiv capture mount DIR: files that are live captures. ndiv capture record IF: what was there before\n"
		"something happened; ndiv capture save IF saves it. `ndiv help capture mount` and so on tells more.\n"
		"An interface that is called as one of these words goes with -i.\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
	.subs = subs,
};

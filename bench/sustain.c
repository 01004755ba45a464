// SPDX-License-Identifier: GPL-2.0-only
/*
 * sustain.c - half a minute of ndiv capture without a loss
 *
 *	generator, on our CPU -> lab0: ndiv capture -w - -> pipe -> checker, on the other CPUs
 *
 * Packets are numbered. The checker, a process of its own, reads the capture by the strict reader of the tests: number
 * after number, whole, nothing in between. Bursts have some 20 ms in between; the longest ones that lose nothing in a
 * short try are then sent for half a minute, or if that loses some, shorter ones.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "aside.h"
#include "gen.h"
#include "pcapng.h"
#include "run.h"
#include "sustain.h"
#include "wire.h"

#define TRY_S	  2
#define WHOLE_S	  30
#define READY_MS  10000
#define PIPE	  (1 << 20)
#define BUFFER	  (8 << 20)	/* longer than any span of blocks that is not whole */
#define SETTLE_US 300000	/* until the last packet has arrived */

struct load {
	const char *name, *lost;	/* of the rows */
	uint32_t len;
	int	mixed;
};

static const struct load loads[] = {
	{ "capture/30s-64", "capture/first-loss-64", 60, 0 },
	{ "capture/30s-1500", "capture/first-loss-1500", 1514, 0 },
	{ "capture/30s-mix", "capture/first-loss-mix", 1514, 1 },
};

static const uint32_t bursts[] = { 500, 1000, 2000, 5000, 10000, 20000, 35000, 50000, 75000, 100000, 150000, 200000 };

#define BURSTS	(sizeof(bursts) / sizeof(bursts[0]))

/* What the checker found. */
struct result {
	uint64_t packets;		/* 0 to this less one were there, each once */
	int	bad;
	char	fault[160];		/* why it ended before the file did */
};

struct outcome {
	struct result result;
	uint64_t sent;
	double	seconds;
};

static struct wire wire;
static struct pkt pkt;

/* --- checker */

/* <arg>: the reader, which has had as many packets as this one's number. */
static int is_right(const struct ng_packet *p, void *arg)
{
	const struct ng *ng = arg;
	uint32_t len = pkt.len - (wire.mixed ? gen_cut(ng->packets, pkt.len) : 0), from = pkt.payload + 8;
	uint64_t n;

	if (p->original != len || p->captured != len || p->lost)
		return -1;
	memcpy(&n, p->data + pkt.payload, sizeof(n));
	return n != ng->packets || memcmp(p->data, pkt.data, pkt.payload) ||
	       memcmp(p->data + from, pkt.data + from, len - from);
}

/* Bytes of the whole blocks among <len>. */
static size_t whole(const uint8_t *p, size_t len)
{
	size_t at = 0;
	uint32_t n;

	while (at + 8 <= len) {
		memcpy(&n, p + at + 4, sizeof(n));
		if (n > len - at || n < 12)
			break;
		at += n;
	}
	return at;
}

/* Reads to the end, whatever is in it: who writes is not to wait for ever. */
static void check_all(int fd, struct result *r)
{
	static struct ng ng;
	uint8_t *buf = malloc(BUFFER);
	size_t have = 0, n;
	ssize_t got = buf ? 1 : 0;

	ng.fn = is_right;
	ng.arg = &ng;
	r->bad = !buf;
	while (got > 0) {
		got = read(fd, buf + have, BUFFER - have);
		have += got > 0 ? got : 0;
		n = whole(buf, have);
		if (!r->bad && ng_read(&ng, buf, n))
			r->bad = 1;
		if (r->bad)
			n = have;
		memmove(buf, buf + n, have - n);
		have -= n;
	}
	r->packets = ng.packets;
	snprintf(r->fault, sizeof(r->fault), "%s", ng.fault);
	free(buf);
}

static pid_t start_checker(int cpu, int in, int other, int out)
{
	struct result r = { 0 };
	pid_t pid = fork();

	if (pid)
		return pid;
	close(other);
	step_aside(cpu);
	check_all(in, &r);
	_exit(write(out, &r, sizeof(r)) == sizeof(r) ? 0 : 1);
}

/* --- capture */

static pid_t start_capture(int cpu, int out, int said)
{
	const char *const argv[] = {
		"ndiv", "capture", "lab0", "-q", "-B", "32768", "-w", "-", "udp", "port", "9", NULL
	};
	pid_t pid = fork();

	if (pid)
		return pid;
	step_aside(cpu);
	if (dup2(out, 1) < 0 || dup2(said, 2) < 0)
		_exit(126);
	execv(run_path("ndiv"), (char **)argv);
	_exit(127);
}

/* Until it says that it is at work. */
static int wait_until_ready(int said)
{
	struct pollfd fd = { .fd = said, .events = POLLIN };
	char text[1024];
	size_t have = 0;
	ssize_t n;

	while (have < sizeof(text) - 1 && poll(&fd, 1, READY_MS) > 0) {
		n = read(said, text + have, sizeof(text) - 1 - have);
		if (n <= 0)
			break;
		have += n;
		text[have] = 0;
		if (strstr(text, "listening on"))
			return 0;
	}
	text[have] = 0;
	return suite_fault("capture", "ndiv capture is not at work: %s", text);
}

/* --- a try */

struct pipes {
	int	data[2], said[2], result[2];
};

static int open_pipes(struct pipes *p)
{
	if (pipe2(p->data, O_CLOEXEC) || pipe2(p->said, O_CLOEXEC) || pipe2(p->result, O_CLOEXEC))
		return suite_fault("capture", "pipe: %s", strerror(errno));
	fcntl(p->data[1], F_SETPIPE_SZ, PIPE);
	return 0;
}

static int send_for(uint32_t burst, double time, struct outcome *o)
{
	double begin = wall_seconds();
	uint32_t ns;

	while (wall_seconds() - begin < time) {
		if (wire_send(&wire, burst, &ns))
			return -1;
		o->sent += burst;
	}
	o->seconds = wall_seconds() - begin;
	usleep(SETTLE_US);
	return 0;
}

static int end_well(pid_t pid, const char *who)
{
	int status;

	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return suite_fault("capture", "the %s failed", who);
}

/* Captures meanwhile, and has the outcome checked. */
static int run_try(const struct suite *s, const struct load *l, uint32_t burst, double time, struct outcome *o)
{
	struct pipes p;
	pid_t capture, checker;
	int err;

	memset(o, 0, sizeof(*o));
	if (open_pipes(&p) || wire_open_numbered(&wire, s->lab, &pkt, l->mixed) || ends_enter(&wire.ends, END_SERVER))
		return -1;
	checker = start_checker(s->cpu, p.data[0], p.data[1], p.result[1]);
	capture = start_capture(s->cpu, p.data[1], p.said[1]);
	close(p.data[0]);
	close(p.data[1]);
	close(p.said[1]);
	close(p.result[1]);
	err = wait_until_ready(p.said[0]);
	if (!err)
		err = send_for(burst, time, o);
	kill(capture, SIGINT);
	if (end_well(capture, "capture") || end_well(checker, "checker") ||
	    read(p.result[0], &o->result, sizeof(o->result)) != sizeof(o->result))
		err = -1;
	close(p.said[0]);
	close(p.result[0]);
	wire_close(&wire);
	return err;
}

static int is_lossless(const struct outcome *o)
{
	return !o->result.bad && o->result.packets == o->sent;
}

static double rate(const struct outcome *o)
{
	return o->sent / o->seconds / 1e6;
}

/* --- search */

/* The longest bursts that lose nothing in a short try: their index plus 1. The next ones are the first to lose some. */
static int search(const struct suite *s, const struct load *l, double *lost)
{
	size_t low = 0, high = BURSTS, i;
	struct outcome o;

	while (low < high) {
		i = (low + high) / 2;
		if (run_try(s, l, bursts[i], TRY_S, &o))
			return -1;
		if (is_lossless(&o)) {
			low = i + 1;
		} else {
			high = i;
			*lost = rate(&o);
		}
	}
	return low;
}

static int bench(struct suite *s, const struct load *l)
{
	const struct pkt_layer layers[] = { IP4(), UDP(.dport = 9), DATA(l->len - 42), { 0 } };
	struct samples whole = { 0 }, lost = { 0 };
	struct outcome o = { .result.bad = 1 };
	double first = 0;
	int i;

	memset(&pkt, 0, sizeof(pkt));
	pkt_build(&pkt, layers);
	i = search(s, l, &first);
	for (; i > 0 && !is_lossless(&o); i--) {
		if (run_try(s, l, bursts[i - 1], WHOLE_S, &o))
			return -1;
		if (!is_lossless(&o))
			first = rate(&o);
	}
	if (!is_lossless(&o))
		return suite_fault(l->name, "not even bursts of %u packets: %llu sent, %llu there; %s", bursts[0],
				   (unsigned long long)o.sent, (unsigned long long)o.result.packets, o.result.fault);
	samples_add(&whole, rate(&o));
	suite_row(s, &(struct row){ .name = l->name, .unit = "Mpps", .value = &whole });
	samples_add(&lost, first);
	if (first)
		suite_row(s, &(struct row){ .name = l->lost, .unit = "Mpps", .value = &lost });
	return 0;
}

int sustain_bench(struct suite *s)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(loads) / sizeof(loads[0]); i++)
		err = bench(s, &loads[i]);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * sniff.c - sniffers against each other, through a lab
 *
 * Each one writes the same packets, chosen by the same expression, with buffers of the same size, to a file in memory.
 * It has the CPUs that the generator does not run on. Packets are sent in bursts with some 20 ms in between. Searched
 * for are the longest bursts of which every packet is in the file: counted by libpcap, not by the sniffer's own words.
 * That try is the result: packets per second, pauses included, and the sniffer's CPU time for each packet.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <bpf/bpf.h>
#include "aside.h"
#include "pcapcount.h"
#include "sniff.h"
#include "wire.h"

#define PACKETS		1500000		/* of a try, at most */
#define BURSTS_MAX	20
#define BURSTS_MIN	3
#define READY_MS	10000
#define IDLE_MS		300		/* a file that does not grow for so long is complete */
#define SETTLE_MS	100		/* until the last packet has arrived */
#define STRAYS		100		/* packets of others: MLD, ARP */
#define RUNS		3		/* each takes more than a minute */
#define WORDS		16

struct sniffer {
	const char *name;		/* of the row */
	const char *cpu;		/* likewise */
	const char *ready;		/* what it says when it is at work */
	const char *argv[WORDS];	/* @: the file; the expression follows by itself */
	int	bare;			/* it finds an XDP program there, which passes all: as the generator needs it */
};

/* Without a buffer's size all of them lose sooner. ndiv has one for each CPU, of which one receives. */
static const struct sniffer sniffers[] = {
	{ "capture/lab-lossless-64", "capture/lab-cpu-64", "listening on",
	  { "ndiv", "capture", "lab0", "-q", "-B", "32768", "-w", "@", "udp", "port", "9" }, 0 },
	{ "capture/tcpdump-64", "capture/tcpdump-cpu-64", "listening on",
	  { "tcpdump", "-i", "lab0", "-B", "32768", "-Z", "root", "-w", "@", "udp", "port", "9" }, 1 },
	{ "capture/dumpcap-64", "capture/dumpcap-cpu-64", "File:",
	  { "dumpcap", "-i", "lab0", "-B", "32", "-q", "-w", "@", "-f", "udp port 9" }, 1 },
	{ "capture/netsniff-64", "capture/netsniff-cpu-64", "Running!",
	  { "netsniff-ng", "-i", "lab0", "-S", "32MiB", "-s", "-o", "@", "-f", "udp port 9" }, 1 },
};

#define COUNT	(sizeof(sniffers) / sizeof(sniffers[0]))

static const uint32_t bursts[] = {
	2000, 5000, 10000, 20000, 35000, 50000, 75000, 100000, 150000, 200000, 300000, 500000
};

static struct wire wire;
static struct bpf_object *bare;
static char file[64], said[64];

static void run_sniffer(const struct sniffer *sn, int cpu)
{
	char *argv[WORDS];
	int i, fd = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	for (i = 0; i < WORDS - 1 && sn->argv[i]; i++)
		argv[i] = (char *)(strcmp(sn->argv[i], "@") ? sn->argv[i] : file);
	argv[i] = NULL;
	step_aside(cpu);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	if (!strcmp(argv[0], "ndiv"))
		execv(run_path("ndiv"), argv);
	else
		execvp(argv[0], argv);
	_exit(127);
}

static int has_said(const char *what)
{
	char text[4096];
	int fd = open(said, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	return !!strstr(text, what);
}

/* Returns its pid when it is at work, or -1. */
static pid_t start(const struct suite *s, const struct sniffer *sn)
{
	pid_t pid;
	int ms;

	unlink(file);
	unlink(said);
	pid = fork();
	if (!pid)
		run_sniffer(sn, s->cpu);
	for (ms = 0; pid > 0 && ms < READY_MS; ms += 10) {
		if (has_said(sn->ready))
			return pid;
		if (waitpid(pid, NULL, WNOHANG) == pid)
			break;
		usleep(10000);
	}
	suite_fault(sn->name, "%s does not run: see %s", sn->argv[0], said);
	return -1;
}

static off_t size(void)
{
	struct stat st;

	return stat(file, &st) ? 0 : st.st_size;
}

static void wait_until_idle(void)
{
	off_t before = -1, now;

	while ((now = size()) != before) {
		before = now;
		usleep(IDLE_MS * 1000);
	}
}

/* CPU time of a process so far, in s. Not its resource usage, which has what it did before it was ready. */
static double cpu_time(pid_t pid)
{
	unsigned long long ns = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	if (f)
		fclose(f);
	return ns / 1e9;
}

/* Its CPU time since it had used <before>, in s, or below 0. */
static double stop(const struct sniffer *sn, pid_t pid, double before)
{
	double used;
	int status;

	wait_until_idle();
	used = cpu_time(pid) - before;
	kill(pid, SIGINT);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
		return suite_fault(sn->name, "%s failed: see %s", sn->argv[0], said);
	return used;
}

/* --- a try */

struct try {
	uint64_t sent, arrived, kept;	/* by us; at the server's driver; in the file */
	double	seconds, cpu;
};

static int send_bursts(uint32_t burst, struct try *t)
{
	uint32_t n = PACKETS / burst, ns;
	struct wire_counts then, now;
	double begin;

	n = n > BURSTS_MAX ? BURSTS_MAX : n < BURSTS_MIN ? BURSTS_MIN : n;
	if (wire_count(&wire, &then))
		return -1;
	begin = wall_seconds();
	while (n--) {
		if (wire_send(&wire, burst, &ns))
			return -1;
		t->sent += burst;
	}
	t->seconds = wall_seconds() - begin;
	usleep(SETTLE_MS * 1000);
	if (wire_count(&wire, &now))
		return -1;
	t->arrived = now.arrived - then.arrived;
	return 0;
}

/*
 * On a machine that is busy with other things, the wire itself loses packets before any sniffer could see them; and
 * some packets of others arrive.
 */
static int is_lossless(const struct try *t)
{
	return t->kept >= (t->arrived < t->sent ? t->arrived - STRAYS : t->sent);
}

static int set_bare(const struct sniffer *sn, int on)
{
	int prog = bpf_program__fd(bpf_object__find_program_by_name(bare, "bare_pass"));
	int err = ends_enter(&wire.ends, END_SERVER);

	if (!err && sn->bare)
		err = bpf_xdp_attach(wire.ends.link[END_SERVER].ifindex, on ? prog : -1, XDP_FLAGS_DRV_MODE, NULL);
	return err ? suite_fault(sn->name, "cannot attach bare_pass") : 0;
}

static int try_burst(const struct suite *s, const struct sniffer *sn, uint32_t burst, struct try *t)
{
	double before;
	int64_t kept;
	pid_t pid;
	int err;

	memset(t, 0, sizeof(*t));
	if (set_bare(sn, 1))
		return -1;
	pid = start(s, sn);
	before = pid < 0 ? 0 : cpu_time(pid);
	err = pid < 0 ? -1 : send_bursts(burst, t);
	if (pid > 0 && !ends_enter(&wire.ends, END_SERVER))
		t->cpu = stop(sn, pid, before);
	set_bare(sn, 0);
	if (err || t->cpu < 0)
		return -1;
	kept = pcap_count(file);
	if (kept < 0 || (uint64_t)kept > t->sent)
		return suite_fault(sn->name, "%llu packets were sent, %lld are in %s", (unsigned long long)t->sent,
				   (long long)kept, file);
	t->kept = kept;
	unlink(file);
	return 0;
}

/* The longest bursts of which nothing is lost, by halves. */
static int search(const struct suite *s, const struct sniffer *sn, struct samples *mpps, struct samples *cpu)
{
	size_t low = 0, high = sizeof(bursts) / sizeof(bursts[0]), i;
	double best = 0, cost = 0;
	struct try t;

	while (low < high) {
		i = (low + high) / 2;
		if (try_burst(s, sn, bursts[i], &t))
			return -1;
		if (!is_lossless(&t)) {
			high = i;
			continue;
		}
		low = i + 1;
		best = t.kept / t.seconds / 1e6;
		cost = t.cpu * 1e9 / t.kept;
	}
	samples_add(mpps, best);
	samples_add(cpu, cost);
	return 0;
}

static int bench_all(struct suite *s)
{
	struct samples mpps[COUNT] = { 0 }, cpu[COUNT] = { 0 };
	uint32_t run;
	size_t i, k;
	int err = 0;

	for (run = 0; !err && run < RUNS; run++)
		for (i = 0; !err && i < COUNT; i++) {
			k = (i + run) % COUNT;
			err = search(s, &sniffers[k], &mpps[k], &cpu[k]);
		}
	for (i = 0; !err && i < COUNT; i++)
		suite_row(s, &(struct row){ .name = sniffers[i].name, .unit = "Mpps", .value = &mpps[i],
					    .baseline = i ? sniffers[0].name : NULL, .than = &mpps[0] });
	for (i = 0; !err && i < COUNT; i++)
		suite_row(s, &(struct row){ .name = sniffers[i].cpu, .unit = "ns", .value = &cpu[i],
					    .baseline = i ? sniffers[0].cpu : NULL, .than = &cpu[0] });
	return err;
}

int sniff_bench(struct suite *s)
{
	const struct pkt_layer layers[] = { IP4(), UDP(.dport = 9), DATA(18), { 0 } };	/* 60 bytes, 64 with the FCS */
	static struct pkt pkt;
	int err;

	snprintf(file, sizeof(file), "/dev/shm/ndiv-bench.%d.pcap", getpid());
	snprintf(said, sizeof(said), "/dev/shm/ndiv-bench.%d.said", getpid());
	pkt_build(&pkt, layers);
	err = wire_open(&wire, s->lab, &pkt);
	bare = err ? NULL : bpf_object__open_file(run_path("bench/bare.bpf.o"), NULL);
	if (!err && (!bare || bpf_object__load(bare)))
		err = suite_fault("capture/lab", "cannot load %s", run_path("bench/bare.bpf.o"));
	if (!err)
		err = bench_all(s);
	bpf_object__close(bare);
	wire_close(&wire);
	unlink(file);
	if (!err)
		unlink(said);
	return err;
}

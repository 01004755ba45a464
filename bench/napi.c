// SPDX-License-Identifier: GPL-2.0-only
/* napi.c - receive work as threads */
#define _GNU_SOURCE	/* setns(), unshare(), sched_setaffinity() */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include "napi.h"

#define WAIT_MS	2000	/* for the threads to come */

/* The namespace's sysfs is seen where it is mounted by one of its processes only: so by a child, for itself. */
static int switch_on(const struct ends *e, enum end end)
{
	int fd, err;

	if (setns(e->netns[end], CLONE_NEWNET) || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("sysfs", "/sys", "sysfs", 0, NULL))
		return errno;
	fd = open("/sys/class/net/lab0/threaded", O_WRONLY);
	if (fd < 0)
		return errno;
	err = write(fd, "1", 1) == 1 ? 0 : errno;
	close(fd);
	return err;
}

static int call_switch_on(const struct ends *e, enum end end)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		_exit(switch_on(e, end));
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

/* Is <pid> the thread of a receive queue of an interface named lab0? */
static int is_napi(const char *pid)
{
	char path[64], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	f = fopen(path, "r");
	if (f && !fgets(name, sizeof(name), f))
		*name = 0;
	if (f)
		fclose(f);
	return !strncmp(name, "napi/lab0-", 10);
}

/* All such threads that there are. */
static int find(struct napi *n)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;

	n->count = 0;
	while (dir && n->count < NAPI_THREADS_MAX && (d = readdir(dir)))
		if (isdigit((unsigned char)*d->d_name) && is_napi(d->d_name))
			n->pid[n->count++] = atoi(d->d_name);
	if (dir)
		closedir(dir);
	return n->count;
}

static int has(const struct napi *n, pid_t pid)
{
	int i;

	for (i = 0; i < n->count; i++)
		if (n->pid[i] == pid)
			return 1;
	return 0;
}

/* Takes those away that are in <old>. */
static void subtract(struct napi *n, const struct napi *old)
{
	int i, left = 0;

	for (i = 0; i < n->count; i++)
		if (!has(old, n->pid[i]))
			n->pid[left++] = n->pid[i];
	n->count = left;
}

int napi_bind(const struct napi *n, int cpu)
{
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	for (i = 0; i < n->count; i++)
		if (sched_setaffinity(n->pid[i], sizeof(set), &set)) {
			fprintf(stderr, "bench: cannot bind thread %d to CPU %d: %s\n", n->pid[i], cpu,
				strerror(errno));
			return -errno;
		}
	return 0;
}

int napi_prefer(const struct napi *n)
{
	const struct sched_param first = { .sched_priority = 1 };
	int i;

	for (i = 0; i < n->count; i++)
		if (sched_setscheduler(n->pid[i], SCHED_FIFO, &first)) {
			fprintf(stderr, "bench: cannot prefer thread %d: %s\n", n->pid[i], strerror(errno));
			return -errno;
		}
	return 0;
}

int napi_open(struct napi *n, struct ends *e, enum end end)
{
	struct napi old;
	int err, ms;

	find(&old);
	err = call_switch_on(e, end);
	if (err)
		return ends_fault(e, "make threads of its receive queues", err);
	/* bench/run.sh lets only one benchmark run: no other lab makes any meanwhile */
	for (ms = 0; ms < WAIT_MS; ms += 10) {
		find(n);
		subtract(n, &old);
		if (n->count)
			break;
		usleep(10000);
	}
	if (!n->count)
		return ends_fault(e, "find the threads of its receive queues (is GRO on?)", -ESRCH);
	return 0;
}

/* --- CPU time ----------------------------------------------------------------------------------------------- */

static uint64_t thread_ns(const char *path)
{
	unsigned long long ns = 0;
	FILE *f = fopen(path, "r");

	if (f && fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	if (f)
		fclose(f);
	return ns;
}

uint64_t napi_ns(const struct napi *n)
{
	uint64_t ns = 0;
	char path[64];
	int i;

	for (i = 0; i < n->count; i++) {
		snprintf(path, sizeof(path), "/proc/%d/schedstat", n->pid[i]);
		ns += thread_ns(path);
	}
	return ns;
}

uint64_t process_ns(pid_t pid)
{
	char path[320];
	uint64_t ns = 0;
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		if (!isdigit((unsigned char)*d->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, d->d_name);
		ns += thread_ns(path);
	}
	if (dir)
		closedir(dir);
	return ns;
}

// SPDX-License-Identifier: GPL-2.0-only
/* front.c - see front.h */
#define _GNU_SOURCE	/* memfd_create() */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <ndiv/shield.h>
#include "front.h"
#include "run.h"
#include "suite.h"

int front_file(const char *text)
{
	int fd = memfd_create("bench", MFD_CLOEXEC);
	size_t len = strlen(text);
	ssize_t n = 1;

	while (fd >= 0 && len && n > 0) {
		n = write(fd, text, len);
		text += n > 0 ? n : 0;
		len -= n > 0 ? n : 0;
	}
	if (fd >= 0 && !len && !lseek(fd, 0, SEEK_SET))
		return fd;
	if (fd >= 0)
		close(fd);
	return suite_fault("shield/lab", "cannot write a file in memory: %s", strerror(errno));
}

static void run_child(char *const argv[], int in)
{
	if (in >= 0 && dup2(in, 0) < 0)
		_exit(126);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp(argv[0], argv);
	_exit(127);
}

int front_run(const struct ends *e, char *const argv[], int in)
{
	int status = 0;
	pid_t pid;

	if (ends_enter(e, END_SERVER))
		return -1;
	pid = fork();
	if (!pid)
		run_child(argv, in);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return suite_fault("shield/lab", "cannot run %s: %s", argv[0], strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		suite_fault("shield/lab", "there is no %s: is it installed? (scripts/deps.sh bench)", argv[0]);
		return -ENOENT;
	}
	return status ? suite_fault("shield/lab", "%s failed at the server's end", argv[0]) : 0;
}

int front_sysctl(const struct ends *e, const char *name, const char *value)
{
	char path[128];
	int err = -1;
	FILE *f;

	if (ends_enter(e, END_SERVER))
		return -1;
	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	f = fopen(path, "w");
	if (f) {
		err = fputs(value, f) < 0;
		err |= fclose(f);
	}
	return err ? suite_fault("shield/lab", "cannot write %s into %s: %s", value, path, strerror(errno)) : 0;
}

int front_prepare(const struct ends *e)
{
	char *const route[] = { "ip", "route", "replace", "198.18.0.0/15", "via", "10.77.0.1", NULL };
	int err = front_run(e, route, -1);

	return err ? err : front_sysctl(e, "ipv4/tcp_max_tw_buckets", "0");
}

int front_attach(const struct ends *e, struct ndiv **nd)
{
	static const char *const options[] = { "learn=0" };
	const struct ndiv_attach_opts opts = {
		.sz = sizeof(opts), .mode = NDIV_MODE_NATIVE, .at = -1, .options = options, .option_count = 1,
	};
	char err[1024] = "";

	if (ends_enter(e, END_SERVER))
		return -1;
	if (ndiv_open(nd, "lab0", 0, err, sizeof(err)))
		return suite_fault("shield/lab", "%s", err);
	if (ndiv_attach(*nd, run_path("handlers/shield.bpf.o"), &opts))
		return suite_fault("shield/lab", "%s", ndiv_error(*nd));
	return 0;
}

int front_detach(const struct ends *e, struct ndiv **nd)
{
	int err = *nd && !ends_enter(e, END_SERVER) ? ndiv_detach(*nd, NULL) : 0;

	if (err)
		suite_fault("shield/lab", "%s", ndiv_error(*nd));
	ndiv_close(*nd);
	*nd = NULL;
	return err;
}

int front_policy(const struct ends *e, struct ndiv *nd, const char *text)
{
	struct ndiv_policy *policy = NULL;
	char path[64], err[1024] = "";
	int fd = front_file(text), ret;

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = ndiv_policy_read(&policy, path, err, sizeof(err));
	close(fd);
	if (ret)
		return suite_fault("shield/lab", "%s", err);
	ret = ends_enter(e, END_SERVER);
	if (!ret && ndiv_policy_load(nd, policy))
		ret = suite_fault("shield/lab", "%s", ndiv_error(nd));
	ndiv_policy_free(policy);
	return ret;
}

int front_stats(const struct ends *e, struct ndiv *nd, struct ndiv_stats *stats)
{
	if (ends_enter(e, END_SERVER))
		return -1;
	if (ndiv_stats(nd, NDIV_CPU_RX, -1, stats))
		return suite_fault("shield/lab", "%s", ndiv_error(nd));
	return 0;
}

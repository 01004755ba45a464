// SPDX-License-Identifier: GPL-2.0-only
/* wrk.c - see wrk.h */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
#include "peer.h"
#include "suite.h"
#include "wrk.h"

/* What wrk prints. */
static int read_result(FILE *f, struct wrk_result *res)
{
	char line[256];
	int err = 0;

	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, " requests in ") &&
		    sscanf(line, "%lf requests in %lfs", &res->requests, &res->seconds) != 2)
			err = suite_fault("wrk", "what does it mean: %s", line);
		if (strstr(line, "Non-2xx") || strstr(line, "Socket errors"))
			snprintf(res->trouble, sizeof(res->trouble), "%s", line);
	}
	if (!err && res->seconds <= 0)
		err = suite_fault("wrk", "no result; is it installed? (scripts/deps.sh bench)");
	return err;
}

static void exec_wrk(const struct wrk_opts *o, int out)
{
	char count[16], url[64];

	snprintf(count, sizeof(count), "-c%d", o->connections);
	snprintf(url, sizeof(url), "http://10.77.0.2:%d/%u", PEER_PORT, o->size);
	if (child_begin(o->ends, END_CLIENT, o->cpu) || dup2(out, 1) < 0)
		return;
	if (o->close)
		execlp("wrk", "wrk", "-t1", count, "-d1s", "-H", "Connection: close", url, NULL);
	else
		execlp("wrk", "wrk", "-t1", count, "-d1s", url, NULL);
}

int wrk_run(const struct wrk_opts *opts, struct wrk_result *res)
{
	int fd[2], err;
	pid_t pid;
	FILE *f;

	memset(res, 0, sizeof(*res));
	if (pipe(fd))
		return suite_fault("wrk", "pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		exec_wrk(opts, fd[1]);
		_exit(127);
	}
	close(fd[1]);
	f = fdopen(fd[0], "r");
	err = f && pid > 0 ? read_result(f, res) : suite_fault("wrk", "cannot be started");
	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (f)
		fclose(f);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/* peer.c - the web servers that are compared */
#define _GNU_SOURCE	/* setns(), sched_setaffinity() */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <ndiv/ndiv.h>
#include "napi.h"
#include "peer.h"
#include "pkt.h"
#include "run.h"
#include "source.h"
#include "suite.h"

#define WAIT_MS		5000	/* for a server to listen */
#define END_MS		5000	/* for it to end when told so */
#define OBJECT_MAX	1000

const uint32_t peer_sizes[PEER_SIZES] = { 100, 1000 };

/* --- children ----------------------------------------------------------------------------------------------- */

int child_begin(const struct ends *e, enum end end, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || setns(e->netns[end], CLONE_NEWNET) ||
	    sched_setaffinity(0, sizeof(set), &set) || setpriority(PRIO_PROCESS, 0, 0))
		return -errno;
	return 0;
}

void child_end(pid_t pid, int signal)
{
	int ms;

	kill(pid, signal);
	for (ms = 0; ms < END_MS; ms += 10) {
		if (waitpid(pid, NULL, WNOHANG))
			return;
		usleep(10000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* --- configurations ----------------------------------------------------------------------------------------- */

static FILE *create(const struct peer_run *p, const char *name)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	f = fopen(path, "w");
	if (!f)
		suite_fault("httpd/lab", "cannot write %s: %s", path, strerror(errno));
	return f;
}

/* The object of <size> bytes in quotation marks: nothing in it has a meaning there but the line's end. */
static void write_quoted(FILE *f, uint32_t size)
{
	char body[OBJECT_MAX];
	uint32_t i;

	source_pattern(body, size);
	fputc('"', f);
	for (i = 0; i < size; i++)
		if (body[i] == '\n')
			fputs("\\n", f);
		else
			fputc(body[i], f);
	fputc('"', f);
}

static int write_nginx(const struct peer_run *p)
{
	FILE *f = create(p, "nginx.conf");
	int i;

	if (!f)
		return -1;
	fprintf(f,
		"daemon off;\nmaster_process off;\nworker_processes 1;\npid %s/pid;\nerror_log stderr crit;\n"
		"events { worker_connections 4096; }\nhttp {\naccess_log off;\nkeepalive_requests 1000000000;\n"
		"client_body_temp_path %s/a;\nproxy_temp_path %s/b;\nfastcgi_temp_path %s/c;\nuwsgi_temp_path %s/d;\n"
		"scgi_temp_path %s/e;\nserver {\nlisten %d backlog=4096;\n",
		p->dir, p->dir, p->dir, p->dir, p->dir, p->dir, PEER_PORT);
	for (i = 0; i < PEER_SIZES; i++) {
		fprintf(f, "location = /%u { return 200 ", peer_sizes[i]);
		write_quoted(f, peer_sizes[i]);
		fprintf(f, "; }\n");
	}
	fprintf(f, "}\n}\n");
	return fclose(f);
}

static int write_haproxy(const struct peer_run *p)
{
	FILE *f = create(p, "haproxy.cfg");
	char body[OBJECT_MAX], name[16];
	int i, err = 0;

	if (!f)
		return -1;
	fprintf(f,
		"global\n  nbthread 1\n  maxconn 4096\ndefaults\n  mode http\n  timeout client 1m\n"
		"frontend f\n  bind :%d backlog 4096\n",
		PEER_PORT);
	for (i = 0; i < PEER_SIZES; i++)
		fprintf(f, "  http-request return status 200 content-type text/plain file %s/%u if { path /%u }\n",
			p->dir, peer_sizes[i], peer_sizes[i]);
	err = fclose(f);
	for (i = 0; i < PEER_SIZES && !err; i++) {
		snprintf(name, sizeof(name), "%u", peer_sizes[i]);
		f = create(p, name);
		if (!f)
			return -1;
		source_pattern(body, peer_sizes[i]);
		err = fwrite(body, 1, peer_sizes[i], f) != peer_sizes[i];
		err |= fclose(f);
	}
	return err;
}

/* --- start and stop ----------------------------------------------------------------------------------------- */

static int try_connect(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(PEER_PORT) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	inet_pton(AF_INET, PKT_IP4_SERVER, &addr.sin_addr);
	err = fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return err;
}

/* From the server's own namespace: there its address is local. */
static int wait_listen(const struct peer_run *p, struct ends *e, const char *name)
{
	int ms;

	if (ends_enter(e, END_SERVER))
		return -1;
	for (ms = 0; ms < WAIT_MS; ms += 10) {
		if (!try_connect())
			return 0;
		if (waitpid(p->pid, NULL, WNOHANG))
			return suite_fault("httpd/lab", "%s ended at once; is it installed? (scripts/deps.sh bench)",
					   name);
		usleep(10000);
	}
	return suite_fault("httpd/lab", "%s does not listen", name);
}

static int start_process(struct peer_run *p, struct ends *e, int cpu, const char *name, const char *conf,
			 const char *option)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", p->dir, conf);
	p->pid = fork();
	if (p->pid < 0)
		return suite_fault("httpd/lab", "cannot start %s: %s", name, strerror(errno));
	if (!p->pid) {
		if (!child_begin(e, END_SERVER, cpu) && !chdir("/"))
			execlp(name, name, option, path, *option == '-' && option[1] == 'f' ? "-db" : NULL, NULL);
		_exit(127);
	}
	return wait_listen(p, e, name);
}

static int start_ndiv(struct peer_run *p, struct ends *e)
{
	const struct ndiv_attach_opts opts = { .sz = sizeof(opts), .mode = NDIV_MODE_NATIVE, .at = -1 };
	char err[1024] = "";

	if (ends_enter(e, END_SERVER))
		return -1;
	if (ndiv_open(&p->nd, "lab0", 0, err, sizeof(err)))
		return suite_fault("httpd/lab", "%s", err);
	if (ndiv_attach(p->nd, run_path("handlers/httpd.bpf.o"), &opts))
		return suite_fault("httpd/lab", "%s", ndiv_error(p->nd));
	return 0;
}

int peer_start(struct peer_run *p, enum peer which, struct ends *e, int cpu)
{
	memset(p, 0, sizeof(*p));
	if (which == PEER_NDIV)
		return start_ndiv(p, e);
	snprintf(p->dir, sizeof(p->dir), "/tmp/ndiv-bench.XXXXXX");
	if (!mkdtemp(p->dir)) {
		*p->dir = 0;
		return suite_fault("httpd/lab", "cannot make a directory in /tmp: %s", strerror(errno));
	}
	if (which == PEER_NGINX)
		return write_nginx(p) ? -1 : start_process(p, e, cpu, "nginx", "nginx.conf", "-c");
	return write_haproxy(p) ? -1 : start_process(p, e, cpu, "haproxy", "haproxy.cfg", "-f");
}

static void remove_dir(const char *dir)
{
	pid_t pid = fork();

	if (!pid) {
		execlp("rm", "rm", "-rf", "--", dir, NULL);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

void peer_stop(struct peer_run *p, struct ends *e)
{
	if (p->pid > 0)
		child_end(p->pid, SIGTERM);
	if (p->nd && !ends_enter(e, END_SERVER) && ndiv_detach(p->nd, NULL))
		suite_fault("httpd/lab", "%s", ndiv_error(p->nd));
	ndiv_close(p->nd);
	if (*p->dir)
		remove_dir(p->dir);
	memset(p, 0, sizeof(*p));
}

uint64_t peer_ns(const struct peer_run *p)
{
	return p->pid > 0 ? process_ns(p->pid) : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* cmd_agent.c - ndiv agent: presents postponed packets again, until it is told to end */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "cmd.h"
#include "out.h"

#define POLL_MS 500 /* how long a signal can stay unseen, if it comes at a bad moment */

struct options {
	int64_t max;
	const char *pidfile;
	int foreground;
};

static volatile sig_atomic_t ended, asked;

static void on_end(int sig)
{
	ended = 1;
}

static void on_ask(int sig)
{
	asked = 1;
}

/* SIGINT is caught even if it was ignored, as it is in the background of a script; SIGHUP is not, for nohup(1). */
static void catch_signals(void)
{
	struct sigaction end = { .sa_handler = on_end }, ask = { .sa_handler = on_ask }, old;

	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGUSR1, &ask, NULL);
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &end, NULL);
}

static int write_pidfile(const char *path)
{
	FILE *f = fopen(path, "we");
	int failed;

	if (f) {
		failed = fprintf(f, "%ld\n", (long)getpid()) < 0;
		if (!fclose(f) && !failed)
			return 0;
	}
	message("pid file %s: %s", path, strerror(errno));
	return -1;
}

static void print_status(const struct ndiv_agent *ag)
{
	struct ndiv_agent_stats st;

	ndiv_agent_stats(ag, &st);
	printf("taken %" PRIu64 " presented %" PRIu64 " lost %" PRIu64 " waiting %" PRIu64 "\n", st.taken, st.presented,
	       st.lost, st.waiting);
	/* an agent that cannot be heard still works; that is an error when it ends */
	out_flush();
}

static int serve(struct ndiv_agent *ag)
{
	int err;

	while (!ended) {
		err = ndiv_agent_poll(ag, POLL_MS);
		if (err && err != -EINTR) {
			message("agent: %s", strerror(-err));
			return EXIT_FAILURE;
		}
		if (asked) {
			asked = 0;
			print_status(ag);
		}
	}
	return EXIT_SUCCESS;
}

static int run(const void *opts, int argc, char **argv)
{
	const struct options *o = opts;
	struct ndiv_agent *ag = NULL;
	char err[1024] = "";
	int ret;

	catch_signals();
	ret = ndiv_agent_open(&ag, (size_t)o->max, err, sizeof(err));
	if (ret) {
		message("agent: %s", *err ? err : strerror(-ret));
		return EXIT_FAILURE;
	}
	/* the pid file tells that the agent is at work: once around before; what fails here fails in serve(), too */
	ndiv_agent_poll(ag, 0);
	if (o->pidfile && write_pidfile(o->pidfile)) {
		ndiv_agent_close(ag);
		return EXIT_FAILURE;
	}
	verbose("agent: at work");
	ret = serve(ag);
	if (o->pidfile)
		unlink(o->pidfile);
	ndiv_agent_close(ag);
	return ret;
}

static const struct opt opts[] = {
	{ 0, "max", OPT_NUMBER, offsetof(struct options, max), "N", "packets that wait at most; 65536 unless given", 1,
	  1048576, NULL },
	{ 0, "pidfile", OPT_TEXT, offsetof(struct options, pidfile), "FILE",
	  "write the process id to FILE when at work, and remove FILE at the end", 0, 0, NULL },
	{ 'f', "foreground", OPT_FLAG, offsetof(struct options, foreground), NULL,
	  "stay in the foreground: always so, accepted for the sake of service files", 0, 0, NULL },
	{ 0 },
};

const struct cmd cmd_agent = {
	.name = "agent",
	.about = "Presents postponed packets again, on all interfaces of the network namespace.",
	.text = "Nothing else needs it: without an agent, what a handler postpones is dropped (reason no-agent).\n"
		"There is one agent in a network namespace. SIGTERM and SIGINT end it, SIGUSR1 has it print what\n"
		"it did; packets that wait are lost when it ends.\n",
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
};

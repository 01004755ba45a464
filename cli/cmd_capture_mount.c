// SPDX-License-Identifier: GPL-2.0-only
/* cmd_capture_mount.c - ndiv capture mount: files that are live captures */
#include <inttypes.h>
#include "capcommon.h"
#include "cmd.h"
#include "livefs.h"

#define SNAPLEN_MIN 64

struct options {
	const char *user;
	int64_t snaplen, ring, sample, buffer;
	int coarse;
};

static const struct options defaults = { .buffer = 16384 };

static volatile sig_atomic_t ended;

/* Before somebody reads, and does not see why that fails. */
static int check_filter(const char *filter)
{
	char err[1024] = "";

	if (!*filter || !ndiv_filter_check(filter, err, sizeof(err)))
		return 0;
	message("capture mount: %s", err);
	return -1;
}

static int run(const void *values, int argc, char **argv)
{
	const struct options *o = values;
	struct livefs_opts fs = {
		.dir = argv[0],
		.buffer = o->buffer * 1024,
		.capture = { .sz = sizeof(fs.capture), .snaplen = o->snaplen, .ring = o->ring * 1024,
			     .coarse = o->coarse, .sample = o->sample },
	};
	struct capuser user = { 0 };
	char *filter;
	int failed;

	if (o->snaplen && o->snaplen < SNAPLEN_MIN)
		return opt_error(&cmd_capture_mount, "--snaplen: %" PRId64 " is too short; it has to be from %d on, or "
				 "0 for all", o->snaplen, SNAPLEN_MIN);
	if (capuser_find(o->user, &user) < 0)
		return EXIT_FAILURE;
	fs.uid = user.uid;
	fs.gid = user.gid;
	filter = expression_join(argc - 1, argv + 1);
	if (!filter)
		return EXIT_FAILURE;
	fs.capture.filter = filter;
	capsignal_catch(&ended);
	failed = check_filter(filter) || livefs_run(&fs, &ended);
	free(filter);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define OPTION(letter, name, type, member, arg, help, min, max) \
	{                                                                                                              \
		letter, name, type, offsetof(struct options, member), arg, help, min, max, NULL                        \
	}

static const struct opt opts[] = {
	OPTION('s', "snaplen", OPT_NUMBER, snaplen, "BYTES", "keep so much of a packet; 0, the default: all", 0,
	       NDIV_SNAPLEN_MAX),
	OPTION('B', "buffer-size", OPT_NUMBER, ring, "KB", "size of the ring of each CPU; 4096 unless given", 64,
	       NDIV_RING_MAX / 1024),
	OPTION('b', "reader-buffer", OPT_NUMBER, buffer, "KB", "buffer for each reader; 16384 unless given", 64,
	       NDIV_RING_MAX / 1024),
	OPTION(0, "sample", OPT_NUMBER, sample, "N", "keep one packet of N, at random", 1, 1000000000),
	OPTION(0, "coarse", OPT_FLAG, coarse, NULL, "cheaper times, exact to some milliseconds only", 0, 0),
	OPTION('Z', "user", OPT_TEXT, user, "USER",
	       "to whom files belong, who alone may read them; the one who called sudo unless given", 0, 0),
	{ 0 },
};

static const struct arg args[] = {
	{ ARG_FILE, "DIR", 0, 0 },
	{ ARG_WORD, "EXPRESSION", 1, 1 },
	{ 0 },
};

const struct cmd cmd_capture_mount = {
	.name = "capture mount",
	.about = "Mounts a directory of files that are live captures.",
	.text = "DIR/IF/rx.pcapng, verdict.pcapng and tx.pcapng, and the same as .pcap: whoever reads one gets\n"
		"packets from then on, until it is closed: `tcpdump -r DIR/eth0/rx.pcapng`. Nothing is captured\n"
		"while nobody reads. It runs until DIR is unmounted. See ndiv-capture(8).\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run,
};

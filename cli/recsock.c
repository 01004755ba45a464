// SPDX-License-Identifier: GPL-2.0-only
/* recsock.c - between a recorder and who tells it to save */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "opt.h"
#include "recsock.h"

#define WORD	 "save "
#define CALL_MAX 64
#define WAIT_S	 1 /* for what a caller has to say */

/* An abstract name: it begins with a 0. */
static socklen_t name_of(unsigned int ifindex, struct sockaddr_un *sa)
{
	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	return offsetof(struct sockaddr_un, sun_path) + 1 +
	       snprintf(sa->sun_path + 1, sizeof(sa->sun_path) - 1, "ndiv/record/%u", ifindex);
}

int recsock_listen(unsigned int ifindex)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;
	struct sockaddr_un sa;
	socklen_t len = name_of(ifindex, &sa);

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&sa, len) && !listen(fd, 8))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* Whom the other end belongs to; -1: it cannot be told. */
static int64_t peer(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) ? -1 : (int64_t)cred.uid;
}

static int is_trusted(int fd)
{
	int64_t uid = peer(fd);

	return uid == 0 || uid == (int64_t)geteuid();
}

static int hear(int fd, int64_t *ms)
{
	const struct timeval t = { .tv_sec = WAIT_S };
	char line[CALL_MAX];
	ssize_t n;

	if (!is_trusted(fd))
		return -EPERM;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	n = recv(fd, line, sizeof(line) - 1, 0);
	if (n < 0)
		return -errno;
	line[n] = 0;
	if (strncmp(line, WORD, strlen(WORD)) || parse_number(line + strlen(WORD), -1, INT64_MAX / 1000000, ms))
		return -EPROTO;
	return 0;
}

int recsock_accept(int fd, int64_t *ms)
{
	int caller = accept4(fd, NULL, NULL, SOCK_CLOEXEC), err;

	if (caller < 0)
		return -errno;
	err = hear(caller, ms);
	if (!err)
		return caller;
	close(caller);
	return err;
}

void recsock_answer(int fd, int failed, const char *text)
{
	char line[RECSOCK_LINE];
	int n = snprintf(line, sizeof(line), "%d %s", !!failed, text);

	send(fd, line, n < (int)sizeof(line) ? (size_t)n : sizeof(line) - 1, MSG_NOSIGNAL);
	close(fd);
}

static int converse(int fd, int64_t ms, char *text, size_t len)
{
	char line[RECSOCK_LINE];
	ssize_t n;

	if (!is_trusted(fd))
		return -EPERM;
	n = snprintf(line, sizeof(line), WORD "%" PRId64, ms);
	if (send(fd, line, n, MSG_NOSIGNAL) < 0)
		return -errno;
	n = recv(fd, line, sizeof(line) - 1, 0);
	if (n < 0)
		return -errno;
	if (n < 2)
		return -ECONNRESET; /* it has ended meanwhile */
	line[n] = 0;
	snprintf(text, len, "%s", line + 2);
	return line[0] != '0';
}

int recsock_call(unsigned int ifindex, int64_t ms, char *text, size_t len)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), ret;
	struct sockaddr_un sa;
	socklen_t sa_len = name_of(ifindex, &sa);

	if (fd < 0)
		return -errno;
	ret = connect(fd, (struct sockaddr *)&sa, sa_len) ? -errno : converse(fd, ms, text, len);
	close(fd);
	return ret;
}

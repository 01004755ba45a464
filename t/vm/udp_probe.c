// SPDX-License-Identifier: GPL-2.0-only
/*
 * udp_probe.c - sends a datagram, and tells what comes back
 *
 *	udp_probe HOST PORT BYTES REPLIES MILLISECONDS
 *
 * Waits until REPLIES have come, or for so long. Prints how many came, and the length and the first byte of each:
 * "2 1158:A 1108:B". The bytes that the test handlers "long" and "burst" make are compared, too: "!" instead of the
 * first byte if one is wrong. Exit status 0 only if REPLIES came, and all of them were right.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "../handlers/t.h"

static char buf[65536];

static int open_socket(const char *host, int port)
{
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int is4 = inet_pton(AF_INET, host, &a4.sin_addr) == 1, fd;

	if (!is4 && inet_pton(AF_INET6, host, &a6.sin6_addr) != 1)
		return -1;
	fd = socket(is4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, is4 ? (void *)&a4 : (void *)&a6, is4 ? sizeof(a4) : sizeof(a6)))
		return -1;
	return fd;
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Is it the pattern of packet <index>? */
static int pattern_right(int index, ssize_t len)
{
	ssize_t i;

	for (i = 0; i < len; i++)
		if (buf[i] != T_FILL(index, i))
			return 0;
	return 1;
}

/* Prints what came; returns how many replies were right. */
static int receive(int fd, int port, int replies, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int fill = port == T_LONG || port == T_BURST;
	long end = now_ms() + ms, left;
	char text[4096] = "";
	int n = 0, right = 0, ok;
	ssize_t len;

	while (n < replies && (left = end - now_ms()) > 0) {
		if (poll(&pfd, 1, left) <= 0)
			continue;
		len = recv(fd, buf, sizeof(buf), 0);
		if (len < 0)
			break;
		ok = !fill || pattern_right(n, len);
		right += ok;
		n++;
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %zd:%c", len,
			 ok ? (len ? buf[0] : '-') : '!');
	}
	printf("%d%s\n", n, text);
	return right;
}

int main(int argc, char **argv)
{
	int fd, port, bytes, replies;

	if (argc != 6) {
		fprintf(stderr, "usage: udp_probe HOST PORT BYTES REPLIES MILLISECONDS\n");
		return 2;
	}
	port = atoi(argv[2]);
	bytes = atoi(argv[3]);
	replies = atoi(argv[4]);
	fd = open_socket(argv[1], port);
	if (fd < 0 || bytes < 0 || bytes > (int)sizeof(buf)) {
		perror("udp_probe");
		return 1;
	}
	memset(buf, '.', bytes);
	if (send(fd, buf, bytes, 0) != bytes) {
		perror("udp_probe: send");
		return 1;
	}
	return receive(fd, port, replies, atoi(argv[5])) == replies ? 0 : 1;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * capture.c - an example: the first COUNT packets of an interface as a pcapng file on standard output, by libndiv
 *
 *	cc capture.c $(pkg-config --cflags --libs libndiv) -o capture
 *	./capture eth0 100 >eth0.pcapng
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <ndiv/ndiv.h>

int main(int argc, char **argv)
{
	struct ndiv_capture_opts opts = { .sz = sizeof(opts), .points = 1 << NDIV_POINT_RX, .filter = "ip or ip6" };
	uint64_t left = argc > 2 ? strtoull(argv[2], NULL, 10) : 10, packets;
	char err[1024], block[NDIV_CAPTURE_HEAD];
	struct ndiv_capture *cap;
	struct iovec iov[64];
	struct ndiv *nd;
	int n;

	if (argc < 2 || ndiv_open(&nd, argv[1], 0, err, sizeof(err)))
		return fprintf(stderr, "capture: %s\n", argc < 2 ? "which interface?" : err), 1;
	if (ndiv_capture_open(&cap, nd, &opts))
		return fprintf(stderr, "capture: %s\n", ndiv_error(nd)), 1;
	fprintf(stderr, "listening\n");
	fwrite(block, 1, ndiv_capture_head(cap, block), stdout);
	while (left && !ndiv_capture_check(cap)) {
		/* the packets are where the kernel put them; they stay there until they are released */
		n = ndiv_capture_read(cap, iov, 64, left, 0, &packets);
		for (int i = 0; i < n; i++)
			fwrite(iov[i].iov_base, 1, iov[i].iov_len, stdout);
		ndiv_capture_release(cap);
		left -= packets;
		if (n <= 0)
			usleep(1000);
	}
	fwrite(block, 1, ndiv_capture_tail(cap, block), stdout);
	ndiv_capture_close(cap);
	ndiv_close(nd);
	return fflush(stdout) ? 1 : 0;
}

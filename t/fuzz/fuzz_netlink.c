// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_netlink.c - what the kernel answers about an interface
 *
 * The input: one byte that chooses the family, then the answer. It is at the very end of its memory, so that whatever
 * is read behind it is seen.
 */
#include <string.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include "../../lib/internal.h"
#include "../../lib/netlink.h"
#include "fuzz.h"

static void check(const struct netdev *dev)
{
	must(memchr(dev->name, 0, sizeof(dev->name)) && memchr(dev->kind, 0, sizeof(dev->kind)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netdev_xdp xdp;
	struct netdev dev;
	char *buf;
	int n;

	if (!size)
		return 0;
	buf = malloc(size);
	must(buf);
	memcpy(buf, data + 1, size - 1);
	n = netlink_payload(buf, (int)size - 1, *data & 1 ? sizeof(struct ifinfomsg) : sizeof(struct genlmsghdr));
	must(n < (int)size);
	if (n >= 0) {
		buf = realloc(buf, n ? n : 1);
		must(buf);
		netdev_read(buf, n, &dev);
		check(&dev);
		netdev_xdp_read(buf, n, &xdp);
	}
	free(buf);
	return 0;
}

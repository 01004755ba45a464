// SPDX-License-Identifier: GPL-2.0-only
/* device.c - is this the right interface to attach to, and if the driver says no, why? */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_link.h>
#include "internal.h"
#include "netlink.h"

/* Largest MTU of drivers that give each packet one page: page - headroom - skb_shared_info - Ethernet and two tags. */
#define ONE_PAGE_MTU	(4096 - 256 - 320 - 14 - 8)

/* Likewise of igb, ixgbe and others of Intel's, with buffers of 3 kB: less Ethernet, its checksum and two tags. */
#define BUFFER_3K_MTU	(3072 - 14 - 4 - 8)

static int is_kind(const struct netdev *dev, const char *kind)
{
	return !strcmp(dev->kind, kind);
}

static const char *name_of(unsigned int ifindex, char *buf)
{
	return ifindex && if_indextoname(ifindex, buf) ? buf : "its parent";
}

/* In automatic mode, some interfaces are more probably a mistake than a wish. 0 or -EOPNOTSUPP. */
int device_suits(struct ndiv *nd)
{
	char buf[IF_NAMESIZE];
	struct netdev dev;

	if (netdev_get(nd->ifindex, &dev))
		return 0;
	if (is_kind(&dev, "bridge"))
		return fail(nd, EOPNOTSUPP,
			    "it is a bridge: what its ports forward never comes this way. Attach to the ports "
			    "(`ip link show master %s`), or with --mode generic to see only what is for this host",
			    nd->ifname);
	if (is_kind(&dev, "vlan"))
		return fail(nd, EOPNOTSUPP,
			    "it is a VLAN device: attach to %s, handlers see the tag (pkt->vlan); or with "
			    "--mode generic to see only this VLAN, behind the driver",
			    name_of(dev.parent, buf));
	if (is_kind(&dev, "bond") || is_kind(&dev, "team"))
		warn(nd, "it is a %s: if native mode is refused, attach to its ports (`ip link show master %s`)",
		     dev.kind, nd->ifname);
	return 0;
}

/* The message that the last netlink request of libbpf got from the kernel. */
static char said[256];

static int listen_in(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	static const char prefix[] = "libbpf: Kernel error message: ";
	char text[sizeof(said) + sizeof(prefix)];

	vsnprintf(text, sizeof(text), fmt, ap);
	if (strncmp(text, prefix, strlen(prefix)))
		return 0;
	memcpy(said, text + strlen(prefix), sizeof(said));
	said[sizeof(said) - 1] = 0;
	said[strcspn(said, "\n")] = 0;
	return 0;
}

/*
 * Attaching by link gives an error number only; the older way gives the driver's own words. It fails for the same
 * reason; should it not, the program is taken off again.
 */
static void ask_driver(const struct ndiv *nd, int prog)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
	const __u32 flags = XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST;
	libbpf_print_fn_t before = libbpf_set_print(listen_in);

	said[0] = 0;
	if (!bpf_xdp_attach(nd->ifindex, prog, flags, &opts))
		bpf_xdp_detach(nd->ifindex, XDP_FLAGS_DRV_MODE, NULL);
	libbpf_set_print(before);
}

/* If it may be the MTU, the largest one that works, else 0. Drivers that say nothing most often mean this. */
static unsigned int largest_mtu(void)
{
	if (strstr(said, "frame size"))
		return BUFFER_3K_MTU;
	return !said[0] || strstr(said, "MTU") || strstr(said, "mtu") || strstr(said, "frag") ? ONE_PAGE_MTU : 0;
}

/* Why native mode was refused with <err>, for people, into <buf>: with the largest MTU that works where it is that. */
void device_refusal(const struct ndiv *nd, int prog, int err, char *buf, size_t len)
{
	struct netdev_xdp xdp;
	struct netdev dev;
	unsigned int max;
	int n, none;

	ask_driver(nd, prog);
	max = largest_mtu();
	n = snprintf(buf, len, "%s%s%s", strerror(-err), said[0] ? ": " : "", said);
	if (netdev_get(nd->ifindex, &dev) || n < 0 || (size_t)n >= len)
		return;
	none = err == -EOPNOTSUPP && !netdev_xdp(nd->ifindex, &xdp) && !(xdp.features & XDP_ACT_BASIC);
	if (none && !said[0])
		snprintf(buf + n, len - n, ": the driver has no XDP");
	else if (!none && max && dev.mtu > max)
		snprintf(buf + n, len - n,
			 "; the MTU is %u: drivers without support for packets of several buffers take at most "
			 "about %u (`ip link set %s mtu %u`)",
			 dev.mtu, max, nd->ifname, max);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* netlink.h - what the kernel tells about an interface */
#ifndef NDIV_NETLINK_H
#define NDIV_NETLINK_H

#include <stddef.h>
#include <net/if.h>
#include <linux/types.h>

struct netdev {
	char	name[IFNAMSIZ];
	char	kind[24];	/* "veth", "bridge", "bond", "vlan"...; "" for hardware */
	__u8	mac[6];
	__u32	mtu;
	__u32	parent;		/* ifindex of what it stands on (VLAN), or of its peer; 0: none */
	__u32	master;		/* ifindex of the bridge or bond that it is a port of; 0: none */
};

struct netdev_xdp {
	__u64	features;	/* enum netdev_xdp_act */
	__u64	metadata;	/* enum netdev_xdp_rx_metadata */
};

/* Of <linux/netdev.h>, which distributions have from 6.3 on. */
enum {
	XDP_ACT_BASIC = 1, XDP_ACT_REDIRECT = 2, XDP_ACT_NDO_XMIT = 4, XDP_ACT_RX_SG = 32,
	XDP_META_TIMESTAMP = 1, XDP_META_HASH = 2, XDP_META_VLAN = 4,
};

/* What an answer says: apart from the sockets, for t/fuzz. */
int	netlink_payload(char *buf, int n, size_t head);
void	netdev_read(const char *attrs, int len, struct netdev *dev);
void	netdev_xdp_read(const char *attrs, int len, struct netdev_xdp *xdp);

int	netdev_get(unsigned int ifindex, struct netdev *dev);
int	netdev_xdp(unsigned int ifindex, struct netdev_xdp *xdp);

#endif

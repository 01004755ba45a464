// SPDX-License-Identifier: GPL-2.0-only
/*
 * offload.c - VLAN receive offload, which hides the tag from native XDP
 *
 * A card that removes the tag gives it to the skb, which there is none of yet: a handler would take the packet for an
 * untagged one, and send its reply into the wrong VLAN. So it is turned off while ndiv is attached in native mode, and
 * said so. In generic mode the tag stays with the skb, and is put back when a reply is sent.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include "internal.h"

static int ethtool_value(const struct ndiv *nd, struct ethtool_value *val)
{
	struct ifreq ifr = { .ifr_data = (void *)val };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	memcpy(ifr.ifr_name, nd->ifname, sizeof(ifr.ifr_name));
	err = ioctl(fd, SIOCETHTOOL, &ifr) ? -errno : 0;
	close(fd);
	return err;
}

static int set_rxvlan(const struct ndiv *nd, int on)
{
	struct ethtool_value val = { .cmd = ETHTOOL_GFLAGS };
	int err = ethtool_value(nd, &val);

	if (err)
		return err;
	val.cmd = ETHTOOL_SFLAGS;
	val.data = on ? val.data | ETH_FLAG_RXVLAN : val.data & ~ETH_FLAG_RXVLAN;
	return ethtool_value(nd, &val);
}

static int rxvlan_on(const struct ndiv *nd)
{
	struct ethtool_value val = { .cmd = ETHTOOL_GFLAGS };

	return !ethtool_value(nd, &val) && val.data & ETH_FLAG_RXVLAN;
}

/* Has it to be turned off? */
int offload_due(const struct ndiv *nd)
{
	return rxvlan_on(nd);
}

/* 1 if it was on and is off now: offload_restore() is due when ndiv is detached. */
int offload_adjust(struct ndiv *nd)
{
	if (set_rxvlan(nd, 0) || rxvlan_on(nd)) {
		warn(nd, "the card removes VLAN tags and cannot be told otherwise: handlers take tagged packets for "
			 "untagged ones");
		return 0;
	}
	log_text(1, "%s: VLAN receive offload turned off, so that handlers see the tags (detaching turns it on again)",
		 nd->ifname);
	return 1;
}

void offload_restore(const struct ndiv *nd)
{
	set_rxvlan(nd, 1);
}

// SPDX-License-Identifier: GPL-2.0-only
/* link.c - what the kernel knows about an interface, by rtnetlink: sysfs shows that of the namespace where it was
 * mounted */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include "link.h"

static void copy(void *to, size_t len, const struct rtattr *a)
{
	size_t n = RTA_PAYLOAD(a);

	memcpy(to, RTA_DATA(a), n < len ? n : len);
}

static void copy_text(char *to, size_t len, const struct rtattr *a)
{
	copy(to, len - 1, a);
	to[len - 1] = 0;
}

static void take_all(struct link *l, const struct rtattr *a, int len, void (*fn)(struct link *, const struct rtattr *))
{
	for (; RTA_OK(a, len); a = RTA_NEXT(a, len))
		fn(l, a);
}

static void take_info(struct link *l, const struct rtattr *a)
{
	if (a->rta_type == IFLA_INFO_KIND)
		copy_text(l->kind, sizeof(l->kind), a);
}

static void take_xdp(struct link *l, const struct rtattr *a)
{
	if (a->rta_type == IFLA_XDP_PROG_ID)
		copy(&l->prog, sizeof(l->prog), a);
}

static void take(struct link *l, const struct rtattr *a)
{
	struct rtnl_link_stats64 stats = { 0 };

	switch (a->rta_type & NLA_TYPE_MASK) {
	case IFLA_ADDRESS:
		copy(l->mac, sizeof(l->mac), a);
		break;
	case IFLA_IFALIAS:
		copy_text(l->alias, sizeof(l->alias), a);
		break;
	case IFLA_MTU:
		copy(&l->mtu, sizeof(l->mtu), a);
		break;
	case IFLA_LINK:
		copy(&l->peer, sizeof(l->peer), a);
		break;
	case IFLA_LINK_NETNSID:
		l->away = 1;
		break;
	case IFLA_LINKINFO:
		take_all(l, RTA_DATA(a), RTA_PAYLOAD(a), take_info);
		break;
	case IFLA_XDP:
		take_all(l, RTA_DATA(a), RTA_PAYLOAD(a), take_xdp);
		break;
	case IFLA_STATS64:
		copy(&stats, sizeof(stats), a);
		l->rx_packets = stats.rx_packets;
		break;
	}
}

static int ask(int fd, const char *name)
{
	struct {
		struct nlmsghdr nh;
		struct ifinfomsg ifi;
		struct rtattr a;
		char name[IFNAMSIZ];
	} req = {
		.nh = { .nlmsg_len = sizeof(req), .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST },
		.a = { .rta_len = RTA_LENGTH(IFNAMSIZ), .rta_type = IFLA_IFNAME },
	};

	snprintf(req.name, sizeof(req.name), "%s", name);
	return send(fd, &req, sizeof(req), 0) < 0 ? -errno : 0;
}

static int answer(int fd, struct link *l)
{
	static char buf[32768] __attribute__((aligned(8)));
	const struct nlmsghdr *nh = (const void *)buf;
	const struct ifinfomsg *ifi = NLMSG_DATA(nh);
	ssize_t len = recv(fd, buf, sizeof(buf), 0);

	if (len < 0)
		return -errno;
	if (!NLMSG_OK(nh, len))
		return -EBADMSG;
	if (nh->nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)NLMSG_DATA(nh))->error;
	l->ifindex = ifi->ifi_index;
	take_all(l, IFLA_RTA(ifi), IFLA_PAYLOAD(nh), take);
	return 0;
}

int link_get(const char *name, struct link *l)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err;

	memset(l, 0, sizeof(*l));
	if (fd < 0)
		return -errno;
	err = ask(fd, name);
	if (!err)
		err = answer(fd, l);
	close(fd);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * netlink.c - one request, one answer: what the kernel tells about an interface
 *
 * By netlink and not from /sys, which shows the interfaces of the namespace it was mounted in.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include "internal.h"
#include "netlink.h"

/* A request with room for a few attributes. */
struct request {
	struct nlmsghdr nlh;
	union {
		struct ifinfomsg ifi;
		struct genlmsghdr genl;
	};
	char attrs[64];
};

static void put_attr(struct request *req, int type, const void *data, size_t len)
{
	struct nlattr *a = (void *)((char *)req + NLMSG_ALIGN(req->nlh.nlmsg_len));

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	memcpy((char *)a + NLA_HDRLEN, data, len);
	req->nlh.nlmsg_len = NLMSG_ALIGN(req->nlh.nlmsg_len) + NLA_ALIGN(a->nla_len);
}

/*
 * The <n> bytes of an answer at <buf> become its payload, what follows <head> bytes of family header. Its length, or
 * -errno, which is what the kernel answered if it refused.
 */
int netlink_payload(char *buf, int n, size_t head)
{
	const struct nlmsghdr *nlh = (const void *)buf;
	const size_t front = NLMSG_HDRLEN + NLMSG_ALIGN(head);
	int err;

	if (n < (int)sizeof(*nlh) || !NLMSG_OK(nlh, (unsigned int)n))
		return -EPROTO;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		if (nlh->nlmsg_len < NLMSG_LENGTH(sizeof(err)))
			return -EPROTO;
		memcpy(&err, buf + NLMSG_HDRLEN, sizeof(err));
		return err < 0 ? err : -EPROTO;
	}
	if (nlh->nlmsg_len < front)
		return -EPROTO;
	n = (int)(nlh->nlmsg_len - front);
	memmove(buf, buf + front, n);
	return n;
}

/* Sends <req>; the answer's payload behind <head> bytes of family header goes to <buf>. Its length, or -errno. */
static int ask(int protocol, struct request *req, size_t head, char *buf, size_t size)
{
	int fd, n, err = 0;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return -errno;
	req->nlh.nlmsg_flags = NLM_F_REQUEST;
	n = send(fd, req, req->nlh.nlmsg_len, 0) < 0 ? -1 : (int)recv(fd, buf, size, 0);
	if (n < 0)
		err = -errno;
	close(fd);
	return n < 0 ? err : netlink_payload(buf, n, head);
}

/* Attribute <type> among <len> bytes, or NULL. */
static const struct nlattr *attr(const void *attrs, int len, int type)
{
	const struct nlattr *a = attrs;

	while (len >= (int)sizeof(*a) && a->nla_len >= sizeof(*a) && a->nla_len <= len) {
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		len -= NLA_ALIGN(a->nla_len);
		a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len));
	}
	return NULL;
}

static void copy_attr(const struct nlattr *a, void *to, size_t len)
{
	size_t have = a ? (size_t)a->nla_len - NLA_HDRLEN : 0;

	memset(to, 0, len);
	if (a)
		memcpy(to, (const char *)a + NLA_HDRLEN, have < len ? have : len);
}

static void copy_kind(const struct nlattr *linkinfo, struct netdev *dev)
{
	if (!linkinfo)
		return;
	copy_attr(attr((const char *)linkinfo + NLA_HDRLEN, linkinfo->nla_len - NLA_HDRLEN, IFLA_INFO_KIND), dev->kind,
		  sizeof(dev->kind) - 1);
}

/* The attributes of a link. */
void netdev_read(const char *attrs, int len, struct netdev *dev)
{
	memset(dev, 0, sizeof(*dev));
	copy_attr(attr(attrs, len, IFLA_IFNAME), dev->name, sizeof(dev->name) - 1);
	copy_attr(attr(attrs, len, IFLA_ADDRESS), dev->mac, sizeof(dev->mac));
	copy_attr(attr(attrs, len, IFLA_MTU), &dev->mtu, sizeof(dev->mtu));
	copy_attr(attr(attrs, len, IFLA_LINK), &dev->parent, sizeof(dev->parent));
	copy_attr(attr(attrs, len, IFLA_MASTER), &dev->master, sizeof(dev->master));
	copy_kind(attr(attrs, len, IFLA_LINKINFO), dev);
}

/* 0 or -errno. */
int netdev_get(unsigned int ifindex, struct netdev *dev)
{
	struct request req = { .nlh = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
					.nlmsg_type = RTM_GETLINK } };
	char buf[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
	int n;

	memset(dev, 0, sizeof(*dev));
	req.ifi.ifi_index = ifindex;
	n = ask(NETLINK_ROUTE, &req, sizeof(struct ifinfomsg), buf, sizeof(buf));
	if (n < 0)
		return n;
	netdev_read(buf, n, dev);
	return 0;
}

static int family_id(const char *name)
{
	struct request req = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct genlmsghdr)), .nlmsg_type = GENL_ID_CTRL },
		.genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
	};
	char buf[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
	__u16 id = 0;
	int n;

	put_attr(&req, CTRL_ATTR_FAMILY_NAME, name, strlen(name) + 1);
	n = ask(NETLINK_GENERIC, &req, sizeof(struct genlmsghdr), buf, sizeof(buf));
	if (n < 0)
		return n;
	copy_attr(attr(buf, n, CTRL_ATTR_FAMILY_ID), &id, sizeof(id));
	return id;
}

/* From <linux/netdev.h>, which distributions have from 6.3 on. */
enum {
	CMD_DEV_GET = 1,
	A_DEV_IFINDEX = 1,
	A_DEV_XDP_FEATURES = 3,
	A_DEV_XDP_RX_METADATA = 5,
};

void netdev_xdp_read(const char *attrs, int len, struct netdev_xdp *xdp)
{
	memset(xdp, 0, sizeof(*xdp));
	copy_attr(attr(attrs, len, A_DEV_XDP_FEATURES), &xdp->features, sizeof(xdp->features));
	copy_attr(attr(attrs, len, A_DEV_XDP_RX_METADATA), &xdp->metadata, sizeof(xdp->metadata));
}

/* What the driver says of XDP: -ENOENT where the kernel cannot be asked (before 6.3). */
int netdev_xdp(unsigned int ifindex, struct netdev_xdp *xdp)
{
	struct request req = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct genlmsghdr)) },
		.genl = { .cmd = CMD_DEV_GET, .version = 1 },
	};
	char buf[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
	int n;

	memset(xdp, 0, sizeof(*xdp));
	n = family_id("netdev");
	if (n < 0)
		return n;
	req.nlh.nlmsg_type = n;
	put_attr(&req, A_DEV_IFINDEX, &ifindex, sizeof(ifindex));
	n = ask(NETLINK_GENERIC, &req, sizeof(struct genlmsghdr), buf, sizeof(buf));
	if (n < 0)
		return n;
	netdev_xdp_read(buf, n, xdp);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * warning.c - what does not hinder anybody from attaching, and yet will not work
 *
 * A handler is told the interface's MAC address and MTU when it is loaded. A driver that cannot be the target of a
 * redirect loses clones, and the kernel does not tell.
 */
#include <string.h>
#include <unistd.h>
#include "internal.h"
#include "netlink.h"

static const char no_target[] = "the driver does not send what is redirected to it: bursts, and replies that cannot "
				"grow in place, are lost and "
				"nobody is told. Detach, and attach with --mode generic";
static const char no_target_veth[] =
	"the other end of this veth receives nothing that is redirected: bursts, and replies that cannot grow in "
	"place, "
	"are lost and nobody is told. Attach an XDP program there, or turn GRO on (`ethtool -K ... gro on`)";

/* What is wrong with clones on this interface, or NULL. Before Linux 6.3 nobody knows. */
static const char *clones_lost(const struct ndiv *nd, enum ndiv_mode mode)
{
	struct netdev_xdp xdp;
	struct netdev dev;

	if (mode != NDIV_MODE_NATIVE || netdev_xdp(nd->ifindex, &xdp) || xdp.features & XDP_ACT_NDO_XMIT)
		return NULL;
	return !netdev_get(nd->ifindex, &dev) && !strcmp(dev.kind, "veth") ? no_target_veth : no_target;
}

/* For a handler that has just been loaded, with a builder. */
void warn_clones(struct ndiv *nd)
{
	enum ndiv_mode mode;
	const char *text;

	if (link_mode(nd, &mode))
		return;
	text = clones_lost(nd, mode);
	if (text)
		warn(nd, "%s", text);
}

static void add(struct ndiv_state *st, const char *fmt, ...)
{
	va_list ap;

	if (st->warnings == NDIV_WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(st->warning[st->warnings++], NDIV_WARNING_LEN, fmt, ap);
	va_end(ap);
}

/* What handler <id> was told when it was loaded; 0, or -errno if it has no use for it. */
static int told(const struct ndiv *nd, unsigned int id, struct ndiv_self *self)
{
	char dir[DIR_LEN], name[80];
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), zero = 0;
	int fd, err;

	handler_dir(nd, id, 0, dir);
	object_map_name(".rodata.self", name, sizeof(name));
	fd = pin_get(dir, name);
	if (fd < 0)
		return fd;
	err = bpf_obj_get_info_by_fd(fd, &info, &len) ? -errno : 0;
	if (!err)
		err = info.value_size != sizeof(*self) ? -EINVAL : bpf_map_lookup_elem(fd, &zero, self) ? -errno : 0;
	close(fd);
	return err;
}

/* Names of handlers: all that one interface can have. */
struct names {
	char	text[NDIV_HANDLERS_MAX * (NDIV_NAME_LEN + 2)];
	size_t	len;
};

static void add_name(struct names *names, const char *name)
{
	names->len += snprintf(names->text + names->len, NDIV_NAME_LEN + 2, "%s%.*s", names->len ? ", " : "",
			       NDIV_NAME_LEN - 1, name);
}

void state_warnings(const struct ndiv *nd, struct ndiv_state *st)
{
	struct names mac = {}, mtu = {}, clones = {};
	const char *lost = clones_lost(nd, st->mode);
	struct ndiv_self self;
	struct netdev now;
	size_t i;

	if (netdev_get(nd->ifindex, &now))
		return;	/* it has just gone */
	for (i = 0; i < st->count; i++) {
		if (st->handler[i].entry.has_build && lost)
			add_name(&clones, st->handler[i].entry.info.name);
		if (told(nd, st->handler[i].id, &self))
			continue;
		if (memcmp(self.mac, now.mac, sizeof(self.mac)))
			add_name(&mac, st->handler[i].entry.info.name);
		if (self.mtu != now.mtu)
			add_name(&mtu, st->handler[i].entry.info.name);
	}
	if (mac.len)
		add(st, "the MAC address has changed, these know the old one: %s (`ndiv replace --keep %s NAME`)",
		    mac.text, nd->ifname);
	if (mtu.len)
		add(st, "the MTU is %u now, these know another one: %s (`ndiv replace --keep %s NAME`)", now.mtu,
		    mtu.text, nd->ifname);
	if (clones.len)
		add(st, "%s: %s", clones.text, lost);
}

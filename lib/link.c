// SPDX-License-Identifier: GPL-2.0-only
/* link.c - what ties programs to the interface and to tracepoints */
#include <string.h>
#include <unistd.h>
#include <linux/if_link.h>
#include "internal.h"

int link_info(const char *dir, struct bpf_link_info *info)
{
	__u32 len = sizeof(*info);
	int fd, err;

	fd = pin_get(dir, "link");
	if (fd < 0)
		return fd;
	memset(info, 0, sizeof(*info));
	err = bpf_obj_get_info_by_fd(fd, info, &len) ? -errno : 0;
	close(fd);
	return err;
}

static int query(const struct ndiv *nd, struct bpf_xdp_query_opts *q)
{
	memset(q, 0, sizeof(*q));
	q->sz = sizeof(*q);
	return bpf_xdp_query(nd->ifindex, 0, q);
}

int link_mode(const struct ndiv *nd, enum ndiv_mode *mode)
{
	struct bpf_xdp_query_opts q;
	int err = query(nd, &q);

	if (err)
		return err;
	*mode = q.attach_mode == XDP_ATTACHED_SKB ? NDIV_MODE_GENERIC : NDIV_MODE_NATIVE;
	return 0;
}

static __u32 present(const struct bpf_xdp_query_opts *q)
{
	if (q->prog_id)
		return q->prog_id;
	if (q->drv_prog_id)
		return q->drv_prog_id;
	return q->skb_prog_id ? q->skb_prog_id : q->hw_prog_id;
}

/* Index of the XDP program that runs on the interface, or 0. */
__u32 link_program(const struct ndiv *nd)
{
	struct bpf_xdp_query_opts q;

	return query(nd, &q) ? 0 : present(&q);
}

/* Likewise; its name goes to <name> (BPF_OBJ_NAME_LEN bytes), "?" where it may not be asked for. */
__u32 link_program_name(const struct ndiv *nd, char *name)
{
	__u32 id = link_program(nd), len = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = {};
	int fd;

	if (!id)
		return 0;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		info.name[0] = 0;
	if (fd >= 0)
		close(fd);
	snprintf(name, BPF_OBJ_NAME_LEN, "%s", info.name[0] ? info.name : "?");
	return id;
}

/* Says which program is there already, if one is: -EBUSY. */
int other_program(struct ndiv *nd)
{
	char name[BPF_OBJ_NAME_LEN];
	__u32 id = link_program_name(nd, name);

	if (!id)
		return 0;
	if (!strcmp(name, "ndiv_entry") || !strcmp(name, "ndiv_entry_hint"))
		return fail(nd, EBUSY, "a capture runs on it, without handlers: end it first (`pgrep -af \"ndiv.* "
			    "capture\"`)");
	return fail(nd, EBUSY,
		    "another XDP program is attached: \"%s\", id %u; nothing was changed. Detach it first "
		    "(`bpftool net show dev %s` tells how it is attached; `ip link set dev %s xdp off`)",
		    name, id, nd->ifname, nd->ifname);
}

/* Attaches program <entry>, as long as the link is open that it returns. -errno if it cannot. */
int link_lend(struct ndiv *nd, int entry, enum ndiv_mode mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = mode == NDIV_MODE_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(entry, nd->ifindex, BPF_XDP, &opts);

	return fd < 0 ? -errno : fd;
}

/* The same, and pins the link: from then on ndiv is attached. */
int link_xdp(struct ndiv *nd, int entry, enum ndiv_mode mode)
{
	int fd = link_lend(nd, entry, mode), err;

	if (fd < 0)
		return fd;
	err = pin(nd->dir, "link", fd);
	close(fd);
	return err;
}

/* Puts another entry program in place of the one that runs; no packet is lost. */
int link_swap(struct ndiv *nd, int entry)
{
	int fd, err;

	fd = pin_get(nd->dir, "link");
	if (fd < 0)
		return fd;
	err = bpf_link_update(fd, entry, NULL) ? -errno : 0;
	close(fd);
	return err;
}

int link_tracepoint(const char *dir, const char *name, int prog)
{
	int fd, err;

	fd = bpf_raw_tracepoint_open(NULL, prog);
	if (fd < 0)
		return -errno;
	err = pin(dir, name, fd);
	close(fd);
	return err;
}

/* Detaches at once (a link that is just unpinned goes a moment later), and unpins. */
void link_cut(const char *dir, const char *name)
{
	int fd = pin_get(dir, name);

	if (fd >= 0) {
		bpf_link_detach(fd);
		close(fd);
	}
	unpin(dir, name);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe.c - what kernels and drivers differ in: the one list of it
 *
 * The code that uses a feature tries it and falls back; this tells beforehand what will come of that.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/membarrier.h>
#include <linux/sockios.h>
#include <bpf/btf.h>
#include "internal.h"
#include "netlink.h"

static void add(struct ndiv_probe *pr, const char *name, int present, const char *with, const char *without)
{
	struct ndiv_feature *f = &pr->feature[pr->count];

	if (pr->count == NDIV_FEATURES_MAX)
		return;
	f->name = name;
	f->present = present;
	f->use = present > 0 ? with : without;
	pr->count++;
}

static int has_type(const struct btf *btf, const char *name, __u32 kind)
{
	return btf ? btf__find_by_name_kind(btf, name, kind) > 0 : -1;
}

static int read_number(const char *path)
{
	int n = -1;
	FILE *f = fopen(path, "re");

	if (!f)
		return -1;
	if (fscanf(f, "%d", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

static void probe_tracepoints(struct ndiv_probe *pr, const struct btf *btf)
{
	static const char *const names[][2] = {
		{ "tp-xdp-exception", "btf_trace_xdp_exception" }, { "tp-xdp-bulk-tx", "btf_trace_xdp_bulk_tx" },
		{ "tp-xdp-devmap-xmit", "btf_trace_xdp_devmap_xmit" },
		{ "tp-xdp-redirect-err", "btf_trace_xdp_redirect_err" },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		add(pr, names[i][0], has_type(btf, names[i][1], BTF_KIND_TYPEDEF),
		    "lost packets counted, pressure marked", "packets that this way of sending loses are not counted");
	add(pr, "tp-napi-poll", has_type(btf, "btf_trace_napi_poll", BTF_KIND_TYPEDEF), "rx_done handlers run",
	    "handlers with rx_done are refused");
}

static void probe_kernel(struct ndiv_probe *pr)
{
	struct btf *btf = btf__load_vmlinux_btf();
	struct utsname uts;
	int jit;

	if (!uname(&uts))
		snprintf(pr->kernel, sizeof(pr->kernel), "%s", uts.release);
	if (libbpf_get_error(btf))
		btf = NULL;
	add(pr, "btf", !!btf, "programs are fitted to the kernel", "required: ndiv cannot attach");
	/* The file is there in the first network namespace only. */
	jit = read_number("/proc/sys/net/core/bpf_jit_enable");
	add(pr, "jit", jit, "programs run as machine code",
	    jit < 0 ? "as machine code if net.core.bpf_jit_enable is 1, which cannot be read in this namespace"
		    : "programs are interpreted, several times slower: sysctl net.core.bpf_jit_enable=1");
	add(pr, "xdp-live-frames", has_type(btf, "xdp_test_data", BTF_KIND_STRUCT),
	    "postponed packets are presented again", "postponed packets are lost");
	add(pr, "tcx", has_type(btf, "tcx_link", BTF_KIND_STRUCT), "tc programs are attached by tcx links",
	    "tc programs are attached by a clsact qdisc");
	add(pr, "xdp-hint-hash", has_type(btf, "bpf_xdp_metadata_rx_hash", BTF_KIND_FUNC),
	    "hints to handlers that want them", "no hash from the card");
	add(pr, "xdp-hint-timestamp", has_type(btf, "bpf_xdp_metadata_rx_timestamp", BTF_KIND_FUNC),
	    "hints to handlers that want them", "no timestamp from the card");
	add(pr, "xdp-hint-vlan", has_type(btf, "bpf_xdp_metadata_rx_vlan_tag", BTF_KIND_FUNC),
	    "hints to handlers that want them", "removed tags are not seen, so native mode turns rxvlan off");
	add(pr, "membarrier", syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) > 0,
	    "a changed chain waits for packets exactly", "a changed chain waits 20 ms for packets");
	probe_tracepoints(pr, btf);
	btf__free(btf);
}

static void driver_name(const char *ifname, char *buf, size_t len)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = { .ifr_data = (void *)&info };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	if (fd >= 0 && !ioctl(fd, SIOCETHTOOL, &ifr))
		snprintf(buf, len, "%.31s", info.driver);
	if (fd >= 0)
		close(fd);
}

/* 1 or 0, or -1 where the kernel cannot be asked. */
static int bit(int known, __u64 set, __u64 mask)
{
	return known ? !!(set & mask) : -1;
}

static void probe_driver(struct ndiv_probe *pr, unsigned int ifindex)
{
	struct netdev_xdp xdp;
	int known = !netdev_xdp(ifindex, &xdp);

	add(pr, "native", bit(known, xdp.features, XDP_ACT_BASIC), "native mode",
	    known ? "generic mode, which is slower" : "attaching tries native mode first");
	add(pr, "frags", bit(known, xdp.features, XDP_ACT_RX_SG), "jumbo frames and hardware GRO in several buffers",
	    "packets must fit one buffer: the MTU is bounded in native mode");
	add(pr, "redirect", bit(known, xdp.features, XDP_ACT_REDIRECT), "packets can be forwarded from here",
	    "NDIV_FORWARD and bursts need generic mode");
	add(pr, "redirect-target", bit(known, xdp.features, XDP_ACT_NDO_XMIT),
	    "bursts and replies that grow, by clones",
	    "bursts, and replies that cannot grow in place, are lost (some drivers have it only once a program is "
	    "attached)");
	add(pr, "hint-hash", bit(known, xdp.metadata, XDP_META_HASH), "pkt->hw_hash", "no hash from the card");
	add(pr, "hint-timestamp", bit(known, xdp.metadata, XDP_META_TIMESTAMP), "pkt->hw_tstamp",
	    "no timestamp from the card");
	add(pr, "hint-vlan", bit(known, xdp.metadata, XDP_META_VLAN), "pkt->hw_vlan",
	    "removed tags are not seen, so native mode turns rxvlan off");
}

static void probe_programs(struct ndiv_probe *pr, unsigned int ifindex)
{
	struct ndiv nd = { .lock = -1, .ifindex = ifindex };

	snprintf(nd.dir, sizeof(nd.dir), ROOT "/%lu/%u", netns_inode(), ifindex);
	pr->attached = state_holds(&nd);
	pr->foreign = foreign_program(&nd, pr->foreign_name);
}

int ndiv_probe(const char *ifname, struct ndiv_probe *probe, char *err, size_t err_len)
{
	struct netdev dev;
	unsigned int ifindex;

	ifindex = ifname ? if_nametoindex(ifname) : 0;
	if (ifname && !ifindex) {
		if (err && err_len)
			snprintf(err, err_len, "no such interface in this network namespace (`ip link` lists them)");
		return -ENODEV;
	}
	memset(probe, 0, sizeof(*probe));
	probe_kernel(probe);
	if (!ifname)
		return 0;
	driver_name(ifname, probe->driver, sizeof(probe->driver));
	probe_programs(probe, ifindex);
	if (!netdev_get(ifindex, &dev))
		probe->mtu = dev.mtu;
	probe_driver(probe, ifindex);
	return 0;
}

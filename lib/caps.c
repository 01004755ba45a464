// SPDX-License-Identifier: GPL-2.0-only
/* caps.c - may this process do what it is asked to? */
#include <stdio.h>
#include <linux/capability.h>
#include "internal.h"

static int has_cap(unsigned long long eff, int cap)
{
	return eff >> cap & 1;
}

/* Says which capability is missing, if one is. */
int check_caps(struct ndiv *nd)
{
	static const struct {
		int cap;
		const char *name;
	} needed[] = {
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN" }, { 39, "CAP_BPF" }, { 38, "CAP_PERFMON" },
	};
	unsigned long long eff = 0;
	char line[128];
	size_t i;
	FILE *f;

	f = fopen("/proc/self/status", "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %llx", &eff) == 1)
			break;
	fclose(f);
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!has_cap(eff, needed[i].cap) && (needed[i].cap == CAP_NET_ADMIN || !has_cap(eff, CAP_SYS_ADMIN)))
			return fail(nd, EPERM, "%s is missing: run it as root (sudo)", needed[i].name);
	return 0;
}

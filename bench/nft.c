// SPDX-License-Identifier: GPL-2.0-only
/* nft.c - nftables at the server's end of a lab */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "front.h"
#include "nft.h"
#include "suite.h"

int nft_run(const struct ends *e, const char *rules)
{
	char *const argv[] = { "nft", "-f", "-", NULL };
	int fd = front_file(rules), err;

	if (fd < 0)
		return fd;
	err = front_run(e, argv, fd);
	close(fd);
	if (err && err != -ENOENT)
		suite_fault("nft", "has the kernel nf_tables, with what these rules need? %.200s", rules);
	return err;
}

/*
 * What nft says of all that there is, without the elements of sets: if it is asked for the counter alone, it reads
 * them, which for a million takes it half a minute.
 */
int nft_count(const struct ends *e, const char *name, uint64_t *count)
{
	char line[256], head[64];
	unsigned long long packets;
	int in_it = 0, found = 0;
	FILE *f;

	if (ends_enter(e, END_SERVER))
		return -1;
	snprintf(head, sizeof(head), "counter %s {", name);
	f = popen("nft -t list ruleset", "r");
	while (f && fgets(line, sizeof(line), f)) {
		found |= in_it && sscanf(line, " packets %llu", &packets) == 1;
		in_it = !!strstr(line, head);
	}
	if (!f || pclose(f) || !found)
		return suite_fault("nft", "\"nft -t list ruleset\" shows no counter %s", name);
	*count = packets;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* judge.c - does a packet match an expression? By libpcap's own machine */
#include <stdlib.h>
#include <pcap.h>
#include "judge.h"

struct judge {
	struct bpf_program prog;
};

struct judge *judge_open(const char *expression)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);
	struct judge *j = calloc(1, sizeof(*j));

	if (pcap && j && pcap_compile(pcap, &j->prog, expression, 1, PCAP_NETMASK_UNKNOWN)) {
		free(j);
		j = NULL;
	}
	if (pcap)
		pcap_close(pcap);
	return j;
}

int judge_match(const struct judge *j, const uint8_t *data, size_t len)
{
	struct pcap_pkthdr h = { .caplen = len, .len = len };

	return !!pcap_offline_filter(&j->prog, &h, data);
}

void judge_close(struct judge *j)
{
	if (j)
		pcap_freecode(&j->prog);
	free(j);
}

int judge_run(const void *insns, size_t count, const uint8_t *data, size_t len)
{
	if (!bpf_validate(insns, count))
		return -1;
	return !!bpf_filter(insns, data, len, len);
}

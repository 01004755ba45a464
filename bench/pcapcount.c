// SPDX-License-Identifier: GPL-2.0-only
/* pcapcount.c - how many packets are in a capture file; apart, because <pcap.h> has types of libbpf's names */
#include <pcap.h>
#include "pcapcount.h"

int64_t pcap_count(const char *path)
{
	char err[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline(path, err);
	struct pcap_pkthdr *h;
	const u_char *data;
	int64_t n = 0;
	int ret;

	if (!pcap)
		return -1;
	while ((ret = pcap_next_ex(pcap, &h, &data)) == 1)
		n++;
	pcap_close(pcap);
	return ret == PCAP_ERROR_BREAK ? n : -1;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * filter_pcap.c - libpcap's expressions into classic BPF, by libpcap
 *
 * In a file of its own: <pcap.h> and libbpf both have a struct bpf_insn and a struct bpf_program, which differ.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <pcap.h>
#include "filter.h"

static int copy(const struct bpf_program *prog, struct filter *f)
{
	u_int i;

	f->insn = calloc(prog->bf_len, sizeof(*f->insn));
	if (!f->insn)
		return -ENOMEM;
	f->count = prog->bf_len;
	for (i = 0; i < prog->bf_len; i++)
		f->insn[i] = (struct filter_insn){ .code = prog->bf_insns[i].code, .jt = prog->bf_insns[i].jt,
						   .jf = prog->bf_insns[i].jf, .k = prog->bf_insns[i].k };
	return 0;
}

/* Compiles <text> for Ethernet. 0; -EINVAL with libpcap's words in <err>; -ENOMEM. filter_free() has to follow. */
int filter_compile(const char *text, struct filter *f, char *err, size_t err_len)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, FILTER_SNAPLEN);
	struct bpf_program prog;
	int ret;

	f->insn = NULL;
	f->count = 0;
	if (!pcap)
		return -ENOMEM;
	if (pcap_compile(pcap, &prog, text, 1, PCAP_NETMASK_UNKNOWN)) {
		snprintf(err, err_len, "%s", pcap_geterr(pcap));
		ret = -EINVAL;
	} else {
		ret = copy(&prog, f);
		pcap_freecode(&prog);
	}
	pcap_close(pcap);
	return ret;
}

void filter_free(struct filter *f)
{
	free(f->insn);
	f->insn = NULL;
	f->count = 0;
}

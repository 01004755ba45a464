/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * filter.h - libpcap's expressions as programs for the kernel
 */
#ifndef NDIV_FILTER_H
#define NDIV_FILTER_H

#include <stddef.h>
#include <stdint.h>

#define FILTER_SNAPLEN	262144

/* An instruction of classic BPF. */
struct filter_insn {
	uint16_t code;
	uint8_t	jt, jf;
	uint32_t k;
};

struct filter {
	struct filter_insn *insn;
	size_t	count;
};

int	filter_compile(const char *text, struct filter *f, char *err, size_t err_len);
void	filter_free(struct filter *f);

/* Where a packet comes from, and where it goes to. */
enum filter_kind {
	FILTER_RX,		/* XDP; by taps to <copy> or <skip>, else by <chain> to the parser */
	FILTER_VERDICT,		/* XDP; likewise, else returns the action that is in <cpus> */
	FILTER_TX,		/* tc; likewise, else TC_ACT_UNSPEC */
	FILTER_TEST_XDP,	/* returns 1 if it is wanted, else 0 */
	FILTER_TEST_TC,
};

struct filter_target {
	enum filter_kind kind;
	int	taps, chain, cpus;	/* maps */
	uint32_t copy, skip;		/* slots of taps */
};

struct bpf_insn;

/*
 * Translates into eBPF. 0 with <*out>, to be freed, and <*count>; -EINVAL: an instruction that is unknown; -E2BIG: too
 * long; -ENOMEM.
 */
int	filter_translate(const struct filter *f, const struct filter_target *target, struct bpf_insn **out,
			 size_t *count);

/* Translates and loads. Returns the program, or -errno; the verifier's words go to libbpf's log. */
int	filter_load(const struct filter *f, const struct filter_target *target);

#endif

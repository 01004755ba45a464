// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_filter.c - instructions of classic BPF, translated
 *
 * The input: a byte for the kind of program, then instructions of 8 bytes. Whatever they are, what comes out jumps
 * within itself, and ends.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include "../../lib/filter.h"
#include "fuzz.h"

#define INSNS	4096

static void check(const struct bpf_insn *insn, size_t count)
{
	size_t i, to;
	__u8 class;

	must(count && insn[count - 1].code == (BPF_JMP | BPF_EXIT));
	for (i = 0; i < count; i++) {
		class = insn[i].code & 7;
		must(insn[i].dst_reg <= 10);
		if (insn[i].code == (BPF_LD | BPF_DW)) /* BPF_IMM */
			i++;
		if ((class != BPF_JMP && class != BPF_JMP32) || insn[i].code == (BPF_JMP | BPF_CALL) ||
		    insn[i].code == (BPF_JMP | BPF_EXIT))
			continue;
		to = i + 1 + insn[i].off;
		must(to < count);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct filter_target target = { .copy = 1, .skip = 2 };
	struct filter_insn insn[INSNS];
	struct filter f = { .insn = insn };
	struct bpf_insn *out = NULL;
	size_t count = 0;
	int err;

	if (!size)
		return 0;
	target.kind = data[0] % (FILTER_TEST_TC + 1);
	f.count = (size - 1) / sizeof(*insn) < INSNS ? (size - 1) / sizeof(*insn) : INSNS;
	memcpy(insn, data + 1, f.count * sizeof(*insn));
	err = filter_translate(&f, &target, &out, &count);
	must(!err || err == -EINVAL || err == -E2BIG);
	must(!err == !!out);
	if (!err)
		check(out, count);
	free(out);
	return 0;
}

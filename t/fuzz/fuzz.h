/* SPDX-License-Identifier: GPL-2.0-only */
/* fuzz.h - what the targets have in common */
#ifndef T_FUZZ_H
#define T_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever comes in. */
#define must(x)	((x) ? (void)0 : abort())

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_segment.c - packets of a capture file that are longer than a test run can have
 *
 * The input is a frame; it is continued with zeros to 4096 bytes, so that it is too long.
 */
#include <string.h>
#include "../../lib/segment.h"
#include "fuzz.h"

#define LEN 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *frame = calloc(1, LEN);	/* as long as said */
	uint32_t max = 256 + size % 3000, len;

	must(frame);
	memcpy(frame, data, size < LEN ? size : LEN);
	len = segment_shorten(frame, LEN, max);
	must(!len || len == max);
	free(frame);
	return 0;
}

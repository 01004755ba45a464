// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_segment.c - packets of a capture file: what their headers say; and those longer than a test run can have
 *
 * The input is a frame; it is continued with zeros to 4096 bytes, so that it is too long.
 */
#include <string.h>
#include <ndiv/shield.h>
#include "../../lib/segment.h"
#include "fuzz.h"

#define LEN 4096

/* What the headers of any bytes say, is a line of text. */
static void look(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);	/* as long as said */
	char text[NDIV_HEADERS_TEXT];
	struct ndiv_headers h;
	size_t i;

	must(copy);
	memcpy(copy, data, size);
	ndiv_headers_read(&h, copy, size);
	ndiv_headers_text(&h, text, sizeof(text));
	must(*text && strlen(text) < sizeof(text) - 1);
	for (i = 0; text[i]; i++)
		must(text[i] >= ' ' && text[i] < 0x7f);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *frame = calloc(1, LEN);	/* as long as said */
	uint32_t max = 256 + size % 3000, len;

	must(frame);
	memcpy(frame, data, size < LEN ? size : LEN);
	len = segment_shorten(frame, LEN, max);
	must(!len || len == max);
	free(frame);
	look(data, size);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* capzip.c - compression while a capture is written: a row of zstd frames */
#include <stdlib.h>
#include <time.h>
#include <zstd.h>
#include "capzip.h"

#define LEVEL	 1 /* of zstd: nearly as fast as the disk */
#define FRAME	 (1U << 20) /* bytes, before compression */
#define FRAME_NS INT64_C(1000000000)

struct capzip {
	capzip_fn *fn;
	void *arg;
	ZSTD_CCtx *ctx;
	uint64_t frame; /* bytes in the frame that is open; 0: none is */
	int64_t begun; /* when it was */
	size_t size;
	char out[];
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

struct capzip *capzip_open(capzip_fn *fn, void *arg)
{
	size_t size = ZSTD_CStreamOutSize();
	struct capzip *z = calloc(1, sizeof(*z) + size);

	if (!z)
		return NULL;
	z->fn = fn;
	z->arg = arg;
	z->size = size;
	z->ctx = ZSTD_createCCtx();
	if (z->ctx && !ZSTD_isError(ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_compressionLevel, LEVEL)) &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_checksumFlag, 1)))
		return z;
	capzip_close(z);
	return NULL;
}

/* What follows begins another frame. */
static int broken(struct capzip *z, int err)
{
	ZSTD_CCtx_reset(z->ctx, ZSTD_reset_session_only);
	z->frame = 0;
	return err;
}

/* Until the compressor has taken all of <in>, or, at the end, has given out all. */
static int run(struct capzip *z, ZSTD_inBuffer *in, ZSTD_EndDirective how)
{
	ZSTD_outBuffer out;
	size_t left;
	int err;

	do {
		out = (ZSTD_outBuffer){ .dst = z->out, .size = z->size };
		left = ZSTD_compressStream2(z->ctx, &out, in, how);
		if (ZSTD_isError(left))
			return broken(z, -1);
		err = out.pos ? z->fn(z->arg, z->out, out.pos) : 0;
		if (err)
			return broken(z, err);
	} while (how == ZSTD_e_end ? left : in->pos < in->size);
	return 0;
}

int capzip_write(struct capzip *z, const struct iovec *iov, int count)
{
	ZSTD_inBuffer in;
	int i, err = 0;

	if (!z->frame)
		z->begun = now_ns();
	for (i = 0; i < count && !err; i++) {
		in = (ZSTD_inBuffer){ .src = iov[i].iov_base, .size = iov[i].iov_len };
		z->frame += in.size;
		err = run(z, &in, ZSTD_e_continue);
	}
	return err;
}

int capzip_is_due(const struct capzip *z)
{
	return z->frame >= FRAME || (z->frame && now_ns() - z->begun >= FRAME_NS);
}

int capzip_end(struct capzip *z)
{
	ZSTD_inBuffer in = { 0 };

	if (!z->frame)
		return 0;
	z->frame = 0;
	return run(z, &in, ZSTD_e_end);
}

void capzip_close(struct capzip *z)
{
	if (z)
		ZSTD_freeCCtx(z->ctx);
	free(z);
}

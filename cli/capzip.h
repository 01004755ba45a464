/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * capzip.h - compression while a capture is written: a row of zstd frames, each of them complete by itself
 *
 * A frame ends after a megabyte or a second. So a file that breaks off (disk full, killed) can be read up to there.
 */
#ifndef NDIV_CAPZIP_H
#define NDIV_CAPZIP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct capzip;

/* Writes <len> compressed bytes. Other than 0 ends it all. */
typedef int capzip_fn(void *arg, const void *data, size_t len);

/* NULL: no memory. */
struct capzip *capzip_open(capzip_fn *fn, void *arg);

/* Compresses all spans. 0; what <fn> returned, or -1 if the compressor failed. */
int capzip_write(struct capzip *z, const struct iovec *iov, int count);

/* Has the frame been open for long enough, or is it long enough? */
int capzip_is_due(const struct capzip *z);

/* Ends the frame, if one is open. As capzip_write(). */
int capzip_end(struct capzip *z);

void capzip_close(struct capzip *z);

#endif

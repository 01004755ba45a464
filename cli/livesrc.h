/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * livesrc.h - the captures behind livefs.h: one for what an interface receives, one for what it sends, each as long as
 * somebody reads, and each for all who do
 */
#ifndef NDIV_LIVESRC_H
#define NDIV_LIVESRC_H

#include <ndiv/ndiv.h>

struct livesrc;

/* A stream that is read: an open file. */
struct live {
	struct live *next; /* of the same capture */
	struct livesrc *src;
	struct ndiv_stream *stream;
	enum ndiv_point point;
	int ended; /* what is in the stream is all that comes */
	void *arg; /* the file system's */
};

/*
 * Begins one, and its capture if it is the first. 0; -errno after a message, which names the file as <what>.
 */
int live_open(struct live **out, unsigned int ifindex, enum ndiv_point point, enum ndiv_format format, size_t buffer,
	      const struct ndiv_capture_opts *opts, const char *what);

/* Ends it; the last one takes the capture along. */
void live_close(struct live *l);

/* Takes what the rings bring to the streams. <fn> is called for each of them. How many bytes came. */
size_t live_pump(void (*fn)(struct live *l));

/* Looks whether interfaces are still there. Streams of those that are not are ended. */
void live_check(void);

/* Ends all streams. */
void live_end_all(void);

/* Is there any? */
int live_any(void);

#endif

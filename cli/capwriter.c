// SPDX-License-Identifier: GPL-2.0-only
/* capwriter.c - from the rings of a capture to files */
#define _GNU_SOURCE
#include <string.h>
#include "capwriter.h"

#define SLEEP_MIN  1000 /* us, when there is little to do; twice as long each time that there is nothing */
#define SLEEP_MAX  10000
#define MANY(ring) ((ring) / 8) /* bytes at once, behind which it does not sleep */

static int write_bytes(struct capwriter *w, void *buf, size_t len)
{
	struct iovec iov = { .iov_base = buf, .iov_len = len };

	return capfile_write(&w->file, &iov, 1, 0);
}

static int write_head(struct capwriter *w)
{
	char buf[NDIV_CAPTURE_HEAD];

	return write_bytes(w, buf, ndiv_capture_head(w->cap, buf));
}

static int write_tail(struct capwriter *w)
{
	char buf[NDIV_CAPTURE_HEAD];

	return write_bytes(w, buf, w->cpu == CAPWRITER_ALL ? ndiv_capture_tail(w->cap, buf)
							   : ndiv_capture_cpu_tail(w->cap, w->cpu, buf));
}

static int begin_file(struct capwriter *w)
{
	w->begun = 1;
	return capfile_open(&w->file, &w->opts, w->ended) || write_head(w) ? -1 : 0;
}

int capwriter_begin(struct capwriter *w, const volatile sig_atomic_t *ended)
{
	struct ndiv_capture_stats st;

	ndiv_capture_stats(w->cap, &st);
	w->many = MANY(st.size);
	w->sleep = SLEEP_MIN;
	w->ended = ended;
	w->file.fd = -1;
	return w->lazy ? 0 : begin_file(w);
}

/* The file is full: statistics end it, and the next one begins. 1: it was the last one. */
static int next_file(struct capwriter *w)
{
	if (capfile_is_last(&w->file))
		return 1;
	return write_tail(w) || capfile_next(&w->file) || write_head(w) ? -1 : 0;
}

static int read_spans(struct capwriter *w, struct iovec *iov, uint64_t *packets)
{
	uint64_t room = w->begun ? capfile_room(&w->file) : (uint64_t)w->opts.bytes;
	uint64_t left = w->count ? w->count - w->file.packets : 0;

	if (w->cpu == CAPWRITER_ALL)
		return ndiv_capture_read(w->cap, iov, CAPFILE_SPANS, left, room, packets);
	return ndiv_capture_cpu_read(w->cap, w->cpu, iov, CAPFILE_SPANS, room, packets);
}

static void release(struct capwriter *w)
{
	if (w->cpu == CAPWRITER_ALL)
		ndiv_capture_release(w->cap);
	else
		ndiv_capture_cpu_release(w->cap, w->cpu);
}

/* Takes what is in the rings to the file. How many bytes, or -1 after a message. */
static int64_t transfer(struct capwriter *w)
{
	struct iovec iov[CAPFILE_SPANS];
	uint64_t packets = 0;
	int64_t bytes = 0;
	int n, i, failed = 0;

	n = read_spans(w, iov, &packets);
	if (n < 0) {
		message("capture: a ring is broken (%s): please report it", strerror(-n));
		return -1;
	}
	for (i = 0; i < n; i++)
		bytes += iov[i].iov_len;
	if (n && !w->begun)
		failed = begin_file(w);
	if (n && !failed)
		failed = capfile_write(&w->file, iov, n, packets);
	release(w);
	return failed ? -1 : bytes;
}

static int is_done(const struct capwriter *w)
{
	return w->count && w->file.packets >= w->count;
}

/* Behind as much as that, <bytes>, there is no time to sleep. Else shortly, and longer each time that nothing was
 * there. */
static void rest(struct capwriter *w, uint64_t bytes)
{
	if (bytes >= w->many)
		return;
	w->sleep = bytes ? SLEEP_MIN : w->sleep * 2 < SLEEP_MAX ? w->sleep * 2 : SLEEP_MAX;
	usleep(w->sleep);
}

int capwriter_step(struct capwriter *w)
{
	int64_t n = transfer(w);

	if (n < 0)
		return -1;
	if (is_done(w))
		return 1;
	rest(w, n);
	if (!w->begun)
		return 0;
	return capfile_is_full(&w->file) ? next_file(w) : capfile_flush(&w->file, 0);
}

int capwriter_finish(struct capwriter *w)
{
	int64_t n = 1;
	int ret = 0;

	if (w->begun && (w->file.fd < 0 || w->file.broken))
		return 0;	/* that has been said */
	while (n > 0 && !ret && !is_done(w)) {
		n = transfer(w);
		if (n > 0 && capfile_is_full(&w->file))
			ret = next_file(w);
	}
	if (n < 0 || ret < 0)
		return -1;
	return w->begun && (write_tail(w) || capfile_flush(&w->file, 1)) ? -1 : 0;
}

int capwriter_close(struct capwriter *w)
{
	return w->begun ? capfile_close(&w->file) : 0;
}

uint64_t capwriter_packets(const struct capwriter *w)
{
	return __atomic_load_n(&w->file.packets, __ATOMIC_RELAXED);
}

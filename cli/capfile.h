/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * capfile.h - where the blocks of a capture go: a file, one after the other, a ring of them, standard output, or
 * tcpdump
 *
 * Whatever fails, what was written before is left readable: a block that is cut off is taken away again.
 */
#ifndef NDIV_CAPFILE_H
#define NDIV_CAPFILE_H

#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/uio.h>

#define CAPFILE_SPANS 512 /* of one write, at most */

struct capfile_opts {
	const char *path; /* "-": standard output; NULL: tcpdump prints it */
	int64_t bytes; /* of a file, then comes the next one; 0: no limit */
	int64_t seconds; /* likewise */
	int64_t files; /* 0: no limit */
	int64_t first; /* number of the first file: how many there were before */
	int numeric; /* tcpdump -n */
	int zstd; /* compress */
};

struct capfile {
	const struct capfile_opts *opts;
	const volatile sig_atomic_t *ended; /* a signal came: do not wait any more */
	int fd;
	int is_file; /* and can be cut */
	pid_t child; /* tcpdump; 0: none */
	char path[PATH_MAX]; /* the file's name; what is no file has one in words */
	int64_t number; /* of files before this one */
	int64_t part; /* likewise since the last change of the name by time */
	int64_t due; /* monotonic seconds when the next file is to begin */
	char **names; /* of the last <files> ones, where the oldest is to go */
	uint64_t size; /* bytes written to it, before compression */
	uint64_t packets; /* in all files */
	int broken; /* writing has failed, and more would not help */
	struct capzip *zip; /* NULL: no compression */
	uint64_t written; /* compressed bytes in the file, and up to the last frame that is complete */
	uint64_t written_whole, size_whole, packets_whole; /* what <size> and <packets> were then */
};

/* Opens the first file. 0, or -1 after a message. */
int capfile_open(struct capfile *f, const struct capfile_opts *opts, const volatile sig_atomic_t *ended);

/*
 * Writes whole blocks, <packets> of them packets. 0; -1 after a message (without one if a signal ended it).
 */
int capfile_write(struct capfile *f, const struct iovec *iov, int count, uint64_t packets);

/* Every now and then: what has waited long enough to be compressed is written; or all. As capfile_write(). */
int capfile_flush(struct capfile *f, int all);

/* How many bytes more fit the file; 0: no limit. */
uint64_t capfile_room(const struct capfile *f);

/* Is the next file due? */
int capfile_is_full(const struct capfile *f);

/* Is it the last one that there may be? */
int capfile_is_last(const struct capfile *f);

/* Closes the file and opens the next one. As capfile_open(). */
int capfile_next(struct capfile *f);

/* Closes it, and waits for tcpdump. 0, or -1 after a message. */
int capfile_close(struct capfile *f);

#endif

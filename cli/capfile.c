// SPDX-License-Identifier: GPL-2.0-only
/* capfile.c - where the blocks of a capture go */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "capfile.h"
#include "capzip.h"
#include "cmd.h"

static int64_t now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* --- names */

static int digits(int64_t n)
{
	int d = 1;

	while (n /= 10)
		d++;
	return d;
}

/* The name of the next file: as tcpdump's, see ndiv-capture(8). */
static int make_name(struct capfile *f)
{
	const struct capfile_opts *o = f->opts;
	time_t t = time(NULL);
	struct tm tm;
	size_t len;

	len = o->seconds ? strftime(f->path, sizeof(f->path), o->path, localtime_r(&t, &tm))
			 : (size_t)snprintf(f->path, sizeof(f->path), "%s", o->path);
	if (!len || len + 21 > sizeof(f->path)) {
		message("capture: file name \"%s\": it is empty or too long", o->path);
		return -1;
	}
	if (o->files && !o->seconds)
		snprintf(f->path + len, 21, "%0*" PRId64, digits(o->files - 1) % 21, f->number % o->files);
	else if (o->bytes || (o->seconds && !strchr(o->path, '%')))
		snprintf(f->path + len, 21, f->part ? "%" PRId64 : "", f->part);
	return 0;
}

/* With limits of size and time: the oldest of <files> goes when there is one more. */
static int forget_oldest(struct capfile *f)
{
	const struct capfile_opts *o = f->opts;
	char **slot;

	if (!o->files || !o->seconds || !o->bytes)
		return 0;
	slot = &f->names[f->number % o->files];
	if (*slot && strcmp(*slot, f->path))
		unlink(*slot);
	free(*slot);
	*slot = strdup(f->path);
	return *slot ? 0 : -1;
}

static int fault(const struct capfile *f, const char *what, int err)
{
	message("capture: %s %s: %s%s", what, f->path, strerror(err),
		err == EACCES ? " (files are made as the user who called sudo, or the one of -Z: -Z root)" : "");
	return -1;
}

static int open_file(struct capfile *f)
{
	struct stat st;

	if (make_name(f))
		return -1;
	f->fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
	if (f->fd < 0)
		return fault(f, "cannot open", errno);
	f->is_file = !fstat(f->fd, &st) && S_ISREG(st.st_mode);
	f->size = f->size_whole = f->written = f->written_whole = 0;
	f->packets_whole = f->packets;
	f->due = f->opts->seconds ? now_seconds() + f->opts->seconds : 0;
	return forget_oldest(f);
}

/* --- tcpdump */

/* Reads from <fd>. Of a process group of its own: ^C is for us, and it ends when the pipe does. */
static void run_tcpdump(int fd, int numeric)
{
	const char *argv[] = { "tcpdump", "-l", "-r", "-", numeric ? "-n" : NULL, NULL };

	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(fd, 0) < 0)
		_exit(126);
	execvp("tcpdump", (char **)argv);
	message("capture: tcpdump, which prints what is captured: %s (install it, or write a file: -w FILE)",
		strerror(errno));
	_exit(127);
}

static int open_tcpdump(struct capfile *f)
{
	int fd[2];

	snprintf(f->path, sizeof(f->path), "tcpdump");
	if (pipe2(fd, O_CLOEXEC))
		return fault(f, "a pipe to", errno);
	f->child = fork();
	if (!f->child)
		run_tcpdump(fd[0], f->opts->numeric);
	close(fd[0]);
	f->fd = fd[1];
	return f->child < 0 ? fault(f, "cannot start", errno) : 0;
}

/* --- writing */

/* How much of the <done> bytes written from <iov> are whole blocks, and how many of those there are. */
static uint64_t whole_blocks(const struct iovec *iov, int count, uint64_t done, uint64_t *blocks)
{
	uint64_t whole = 0;
	uint32_t len;
	size_t off;
	int i;

	*blocks = 0;
	for (i = 0; i < count; i++)
		for (off = 0; off < iov[i].iov_len; off += len) {
			memcpy(&len, (const char *)iov[i].iov_base + off + 4, sizeof(len));
			if (whole + len > done)
				return whole;
			whole += len;
			++*blocks;
		}
	return whole;
}

/* What is left at the end of the file behind <whole> bytes is taken away. */
static void cut(struct capfile *f, uint64_t whole)
{
	if (f->is_file && (ftruncate(f->fd, whole) || lseek(f->fd, whole, SEEK_SET) < 0))
		fault(f, "cannot cut off the end of", errno);
}

/* Writes until all <left> spans are written. Returns the bytes; in <*err> the error, EINTR if a signal ended it. */
static uint64_t write_spans(struct capfile *f, struct iovec *left, int count, int *err)
{
	uint64_t done = 0;
	ssize_t n;

	*err = 0;
	while (count) {
		n = writev(f->fd, left, count < IOV_MAX ? count : IOV_MAX);
		if (n < 0 && (errno != EINTR || *f->ended)) {
			*err = errno;
			break;
		}
		if (n < 0)
			continue;
		done += n;
		for (; count && (size_t)n >= left->iov_len; left++, count--)
			n -= left->iov_len;
		if (count) {
			left->iov_base = (char *)left->iov_base + n;
			left->iov_len -= n;
		}
	}
	return done;
}

/* Says why no more could be written. <part>: what was written ends in the middle of a block, or of a frame. */
static int broken(struct capfile *f, int err, int part)
{
	f->broken = err != EINTR || (part && !f->is_file);
	if (err == EPIPE)
		message("capture: %s has been closed by its reader", f->path);
	else if (err != EINTR)
		fault(f, "cannot write", err);
	return -1;
}

/* Not all could be written: what is whole stays. */
static int give_up(struct capfile *f, const struct iovec *iov, int count, uint64_t packets, uint64_t done, int err)
{
	uint64_t blocks, whole = whole_blocks(iov, count, done, &blocks);

	if (whole != done)
		cut(f, f->size + whole);
	f->size += whole;
	f->packets += packets ? blocks : 0;
	return broken(f, err, whole != done);
}

/* Of the compressor. Returns the error. */
static int write_zipped(void *arg, const void *data, size_t len)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct capfile *f = arg;
	int err;

	f->written += write_spans(f, &iov, 1, &err);
	return err;
}

/* Frames that are complete stay. */
static int give_up_zipped(struct capfile *f, int err)
{
	int part = f->written != f->written_whole;

	if (part)
		cut(f, f->written_whole);
	f->written = f->written_whole;
	f->size = f->size_whole;
	f->packets = f->packets_whole;
	return broken(f, err < 0 ? EIO : err, part);
}

static int end_frame(struct capfile *f)
{
	int err = capzip_end(f->zip);

	if (err)
		return give_up_zipped(f, err);
	f->written_whole = f->written;
	f->size_whole = f->size;
	f->packets_whole = f->packets;
	return 0;
}

int capfile_flush(struct capfile *f, int all)
{
	return f->zip && (all || capzip_is_due(f->zip)) ? end_frame(f) : 0;
}

static int write_compressed(struct capfile *f, const struct iovec *iov, int count, uint64_t packets)
{
	int i, err = capzip_write(f->zip, iov, count);

	if (err)
		return give_up_zipped(f, err);
	for (i = 0; i < count; i++)
		f->size += iov[i].iov_len;
	f->packets += packets;
	return capfile_flush(f, 0);
}

int capfile_write(struct capfile *f, const struct iovec *iov, int count, uint64_t packets)
{
	struct iovec left[CAPFILE_SPANS];
	uint64_t done;
	int err;

	if (f->zip)
		return write_compressed(f, iov, count, packets);
	memcpy(left, iov, count * sizeof(*iov));
	done = write_spans(f, left, count, &err);
	if (err)
		return give_up(f, iov, count, packets, done, err);
	f->size += done;
	f->packets += packets;
	return 0;
}

/* --- open, next, close */

int capfile_open(struct capfile *f, const struct capfile_opts *opts, const volatile sig_atomic_t *ended)
{
	memset(f, 0, sizeof(*f));
	f->opts = opts;
	f->ended = ended;
	f->number = f->part = opts->first;
	f->fd = -1;
	if (opts->zstd)
		f->zip = capzip_open(write_zipped, f);
	if (opts->zstd && !f->zip)
		return fault(f, "no memory to compress", ENOMEM);
	if (!opts->path)
		return open_tcpdump(f);
	if (!strcmp(opts->path, "-")) {
		snprintf(f->path, sizeof(f->path), "standard output");
		f->fd = dup(1);
		return f->fd < 0 ? fault(f, "cannot use", errno) : 0;
	}
	if (opts->files) {
		f->names = calloc(opts->files, sizeof(*f->names));
		if (!f->names)
			return fault(f, "no memory for the names of", ENOMEM);
	}
	return open_file(f);
}

uint64_t capfile_room(const struct capfile *f)
{
	uint64_t limit = f->opts->bytes;

	if (!limit)
		return 0;
	return f->size < limit ? limit - f->size : 1;
}

int capfile_is_full(const struct capfile *f)
{
	if (f->opts->bytes && f->size >= (uint64_t)f->opts->bytes)
		return 1;
	return f->due && now_seconds() >= f->due;
}

int capfile_is_last(const struct capfile *f)
{
	const struct capfile_opts *o = f->opts;

	return o->seconds && !o->bytes && o->files && f->number + 1 >= o->files;
}

static int close_file(struct capfile *f)
{
	int failed = f->zip && end_frame(f), err = close(f->fd) ? errno : 0;

	f->fd = -1;
	return failed ? -1 : err ? fault(f, "cannot write", err) : 0;
}

int capfile_next(struct capfile *f)
{
	int by_time = f->due && now_seconds() >= f->due;

	if (close_file(f))
		return -1;
	f->number++;
	f->part = by_time && strchr(f->opts->path, '%') ? 0 : f->part + 1;
	return open_file(f);
}

/* It has said itself what went wrong. */
static int wait_for_tcpdump(const struct capfile *f)
{
	int status;

	while (waitpid(f->child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -1;
}

int capfile_close(struct capfile *f)
{
	int err = f->fd >= 0 ? close_file(f) : 0;
	int64_t i;

	if (f->child > 0 && wait_for_tcpdump(f))
		err = -1;
	for (i = 0; f->names && i < f->opts->files; i++)
		free(f->names[i]);
	free(f->names);
	f->names = NULL;
	capzip_close(f->zip);
	f->zip = NULL;
	return err;
}

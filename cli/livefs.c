// SPDX-License-Identifier: GPL-2.0-only
/*
 * livefs.c - a file system of live captures, by FUSE
 *
 *	/		a directory for each Ethernet interface of the network namespace
 *	/IF/		POINT.pcapng and POINT.pcap
 *
 * Inodes: the interface's index and, in the low bits, 0 for its directory, else the file.
 */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 34
#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "cmd.h"
#include "livefs.h"
#include "livesrc.h"

#define FILE_BITS 3
#define FORMATS	  2
#define FILES	  (NDIV_POINTS * FORMATS)
#define NAME_LEN  24
#define READ_MAX  (1U << 20) /* bytes of a reply */
#define BUSY_MS	  1 /* between looks into the rings, where packets come */
#define IDLE_MS	  10 /* where none do */
#define CHECK_MS  200
#define LINGER_MS 2000 /* for readers, at the end */

/* A read that waits. */
struct pending {
	struct pending *next;
	fuse_req_t req;
	size_t size;
	int interrupted;
};

/* An open file. */
struct handle {
	struct live *live;
	struct pending *reads;
	struct fuse_pollhandle *poll; /* somebody waits by poll(2); NULL: nobody */
};

static const struct livefs_opts *opts;

/* --- names and inodes */

static const char *file_name(unsigned int file, char *buf)
{
	snprintf(buf, NAME_LEN, "%s.%s", ndiv_point_name(file / FORMATS), file % FORMATS ? "pcap" : "pcapng");
	return buf;
}

static fuse_ino_t ino_of(unsigned int ifindex, unsigned int low)
{
	return (fuse_ino_t)ifindex << FILE_BITS | low;
}

static unsigned int ifindex_of(fuse_ino_t ino)
{
	return ino >> FILE_BITS;
}

static unsigned int low_of(fuse_ino_t ino)
{
	return ino & ((1U << FILE_BITS) - 1);
}

static int is_ethernet(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;
	struct ifreq req;

	memset(&req, 0, sizeof(req));
	strncpy(req.ifr_name, name, sizeof(req.ifr_name) - 1);
	err = fd < 0 || ioctl(fd, SIOCGIFHWADDR, &req);
	if (fd >= 0)
		close(fd);
	return !err && req.ifr_hwaddr.sa_family == ARPHRD_ETHER;
}

/* 0, or -1: there is no such file (any more). */
static int attributes(fuse_ino_t ino, struct stat *st)
{
	char name[IF_NAMESIZE];

	if (ino != FUSE_ROOT_ID && (low_of(ino) > FILES || !if_indextoname(ifindex_of(ino), name)))
		return -1;
	*st = (struct stat){ .st_ino = ino, .st_uid = opts->uid, .st_gid = opts->gid, .st_nlink = 1,
			     .st_mode = S_IFREG | 0400 };
	if (ino == FUSE_ROOT_ID || !low_of(ino)) {
		st->st_mode = S_IFDIR | 0500;
		st->st_nlink = 2;
	}
	return 0;
}

/* Inode of <name> in the root; 0: there is none. */
static fuse_ino_t find_interface(const char *name)
{
	return is_ethernet(name) ? ino_of(if_nametoindex(name), 0) : 0;
}

static fuse_ino_t find_file(fuse_ino_t dir, const char *name)
{
	char buf[NAME_LEN];
	unsigned int i;

	for (i = 0; i < FILES; i++)
		if (!strcmp(name, file_name(i, buf)))
			return ino_of(ifindex_of(dir), i + 1);
	return 0;
}

/* --- directories: nothing is kept by the kernel, interfaces come and go */

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = { 0 };

	if (parent == FUSE_ROOT_ID)
		e.ino = find_interface(name);
	else if (!low_of(parent))
		e.ino = find_file(parent, name);
	if (!e.ino || attributes(e.ino, &e.attr))
		fuse_reply_err(req, ENOENT);
	else
		fuse_reply_entry(req, &e);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	if (attributes(ino, &st))
		fuse_reply_err(req, ENOENT);
	else
		fuse_reply_attr(req, &st, 0);
}

/* A listing, made when the directory is opened. */
struct listing {
	char *text;
	size_t len;
};

static int list_one(fuse_req_t req, struct listing *l, const char *name, fuse_ino_t ino, mode_t mode)
{
	struct stat st = { .st_ino = ino, .st_mode = mode };
	size_t more = fuse_add_direntry(req, NULL, 0, name, NULL, 0);
	char *text = realloc(l->text, l->len + more);

	if (!text)
		return -1;
	l->text = text;
	fuse_add_direntry(req, text + l->len, more, name, &st, l->len + more);
	l->len += more;
	return 0;
}

static int list_interfaces(fuse_req_t req, struct listing *l)
{
	struct if_nameindex *list = if_nameindex(), *i;
	int err = list ? 0 : -1;

	for (i = list; !err && i->if_index; i++)
		if (is_ethernet(i->if_name))
			err = list_one(req, l, i->if_name, ino_of(i->if_index, 0), S_IFDIR);
	if (list)
		if_freenameindex(list);
	return err;
}

static int list_files(fuse_req_t req, struct listing *l, unsigned int ifindex)
{
	char name[NAME_LEN];
	unsigned int i;
	int err = 0;

	for (i = 0; i < FILES && !err; i++)
		err = list_one(req, l, file_name(i, name), ino_of(ifindex, i + 1), S_IFREG);
	return err;
}

static void free_listing(struct listing *l)
{
	if (l)
		free(l->text);
	free(l);
}

static void on_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct listing *l = calloc(1, sizeof(*l));
	int err = !l || list_one(req, l, ".", ino, S_IFDIR) || list_one(req, l, "..", FUSE_ROOT_ID, S_IFDIR);

	if (!err)
		err = ino == FUSE_ROOT_ID ? list_interfaces(req, l) : list_files(req, l, ifindex_of(ino));
	fi->fh = (uintptr_t)l;
	if (!err && !fuse_reply_open(req, fi))
		return;
	free_listing(l);
	if (err)
		fuse_reply_err(req, ENOMEM);
}

static void on_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	const struct listing *l = (const struct listing *)(uintptr_t)fi->fh;
	size_t from = off < 0 || (size_t)off > l->len ? l->len : (size_t)off, left = l->len - from;

	fuse_reply_buf(req, l->text + from, left < size ? left : size);
}

static void on_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	free_listing((struct listing *)(uintptr_t)fi->fh);
	fuse_reply_err(req, 0);
}

/* --- files */

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	unsigned int file = low_of(ino) - 1;
	struct handle *h = calloc(1, sizeof(*h));
	char ifname[IF_NAMESIZE] = "?", name[NAME_LEN], what[2 * IF_NAMESIZE + NAME_LEN];
	int err;

	if_indextoname(ifindex_of(ino), ifname);
	snprintf(what, sizeof(what), "%s/%s", ifname, file_name(file, name));
	err = h ? live_open(&h->live, ifindex_of(ino), file / FORMATS, file % FORMATS ? NDIV_PCAP : NDIV_PCAPNG,
			    opts->buffer, &opts->capture, what)
		: -ENOMEM;
	if (err) {
		free(h);
		fuse_reply_err(req, -err);
		return;
	}
	h->live->arg = h;
	fi->fh = (uintptr_t)h;
	fi->direct_io = 1;
	fi->nonseekable = 1;
	if (!fuse_reply_open(req, fi))
		return;
	/* who wanted it is gone */
	live_close(h->live);
	free(h);
}

static void reply_bytes(fuse_req_t req, struct ndiv_stream *stream, size_t size)
{
	static char buf[READ_MAX];

	fuse_reply_buf(req, buf, ndiv_stream_get(stream, buf, size < sizeof(buf) ? size : sizeof(buf)));
}

/* A signal for who reads. The loop answers: libfuse is in the midst of something. */
static void on_interrupt(fuse_req_t req, void *data)
{
	((struct pending *)data)->interrupted = 1;
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct handle *h = (struct handle *)(uintptr_t)fi->fh;
	struct pending *p, **at;

	if (!h->reads && (h->live->ended || ndiv_stream_waiting(h->live->stream))) {
		reply_bytes(req, h->live->stream, size);
		return;
	}
	p = fi->flags & O_NONBLOCK ? NULL : calloc(1, sizeof(*p));
	if (!p) {
		fuse_reply_err(req, fi->flags & O_NONBLOCK ? EAGAIN : ENOMEM);
		return;
	}
	p->req = req;
	p->size = size;
	for (at = &h->reads; *at; at = &(*at)->next)
		;
	*at = p;
	fuse_req_interrupt_func(req, on_interrupt, p);
}

static void on_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph)
{
	struct handle *h = (struct handle *)(uintptr_t)fi->fh;
	int ready = h->live->ended || ndiv_stream_waiting(h->live->stream);

	if (ph && h->poll)
		fuse_pollhandle_destroy(h->poll);
	if (ph)
		h->poll = ph;
	fuse_reply_poll(req, ready ? POLLIN | POLLRDNORM : 0);
}

static void on_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *h = (struct handle *)(uintptr_t)fi->fh;

	live_close(h->live);
	if (h->poll)
		fuse_pollhandle_destroy(h->poll);
	free(h);
	fuse_reply_err(req, 0);
}

static const struct fuse_lowlevel_ops ops = {
	.lookup = on_lookup,
	.getattr = on_getattr,
	.opendir = on_opendir,
	.readdir = on_readdir,
	.releasedir = on_releasedir,
	.open = on_open,
	.read = on_read,
	.poll = on_poll,
	.release = on_release,
};

/* --- what waits */

/* Answers the reads of a file that can be answered, in order; and those that were interrupted. */
static void serve(struct live *l)
{
	struct handle *h = l->arg;
	struct pending **at = &h->reads, *p;
	int ready = l->ended || ndiv_stream_waiting(l->stream);

	if (ready && h->poll) {
		fuse_lowlevel_notify_poll(h->poll);
		fuse_pollhandle_destroy(h->poll);
		h->poll = NULL;
	}
	while ((p = *at)) {
		ready = l->ended || ndiv_stream_waiting(l->stream);
		if (!ready && !p->interrupted) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		/* from here on libfuse does not know of <p> */
		fuse_req_interrupt_func(p->req, NULL, NULL);
		if (p->interrupted)
			fuse_reply_err(p->req, EINTR);
		else
			reply_bytes(p->req, l->stream, p->size);
		free(p);
	}
}

/* --- the loop */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* One request of the kernel's, if there is one within <ms> (below 0: whenever). 0, or -1 at the end. */
static int request(struct fuse_session *se, struct fuse_buf *buf, int ms)
{
	struct pollfd fd = { .fd = fuse_session_fd(se), .events = POLLIN };
	int n = poll(&fd, 1, ms);

	if (n <= 0)
		return n && errno != EINTR ? -1 : 0;
	n = fuse_session_receive_buf(se, buf);
	if (n > 0)
		fuse_session_process_buf(se, buf);
	return n > 0 || n == -EINTR || n == -EAGAIN ? 0 : -1;
}

static void loop(struct fuse_session *se, const volatile sig_atomic_t *ended)
{
	struct fuse_buf buf = { 0 };
	int64_t checked = 0, end = 0, now = 0;
	int ms = IDLE_MS;

	while (!fuse_session_exited(se) && !(end && (now > end || !live_any()))) {
		if (request(se, &buf, live_any() ? ms : CHECK_MS))
			break;
		ms = live_pump(serve) ? BUSY_MS : IDLE_MS;
		now = now_ms();
		if (now - checked >= CHECK_MS) {
			live_check();
			checked = now;
		}
		if (*ended && !end) {
			live_end_all();
			end = now + LINGER_MS;
		}
	}
	free(buf.mem);
}

/* --- mount */

static void from_fuse(enum fuse_log_level level, const char *fmt, va_list ap)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = 0;
	if (level <= FUSE_LOG_ERR)
		message("capture mount: %s", text);
}

/* What a process left that was killed: it answers nothing but that nobody is there. */
static void clear_dead_mount(const char *dir)
{
	struct stat st;

	if (stat(dir, &st) && errno == ENOTCONN && !umount2(dir, MNT_DETACH))
		message("capture mount: %s: unmounted what a process left that was killed", dir);
}

/* Others than root may only come in if they are told to. */
static struct fuse_session *make_session(void)
{
	char *argv[] = { "ndiv", "-o", "ro,nosuid,nodev,noexec,fsname=ndiv,subtype=capture",
			 opts->uid ? "-oallow_other,default_permissions" : "-odefault_permissions", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(4, argv);
	struct fuse_session *se;

	fuse_set_log_func(from_fuse);
	se = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	fuse_opt_free_args(&args);
	return se;
}

static int check_dir(const char *dir)
{
	struct stat st;
	int err = stat(dir, &st) ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;

	if (err)
		message("capture mount: %s: %s (it has to be a directory)", dir, strerror(err));
	return err ? -1 : 0;
}

int livefs_run(const struct livefs_opts *o, const volatile sig_atomic_t *ended)
{
	struct fuse_session *se;

	opts = o;
	clear_dead_mount(o->dir);
	if (check_dir(o->dir))
		return -1;
	se = make_session();
	if (!se || fuse_session_mount(se, o->dir)) {
		message("capture mount: cannot mount %s: is there /dev/fuse (`modprobe fuse`)?", o->dir);
		if (se)
			fuse_session_destroy(se);
		return -1;
	}
	message("capture: mounted on %s", o->dir);
	loop(se, ended);
	fuse_session_unmount(se);
	fuse_session_destroy(se);
	return 0;
}

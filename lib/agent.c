// SPDX-License-Identifier: GPL-2.0-only
/*
 * agent.c - presents postponed packets again when they are due
 *
 * Each interface's ring buffer is drained into one heap, ordered by due time. A packet is presented by running the
 * entry program on it with the kernel's live-frame mode, so the whole chain meets it again and its verdict is carried
 * out. Once a second it also does what the handler shield wants of user space.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "internal.h"
#include "shield.h"

#define ALIVE_NS	3000000000ULL	/* how long the datapath trusts a sign of life */
#define RUN_DIR		"/run/ndiv"
#define SCAN_NS		1000000000ULL	/* how often interfaces are looked for, and life is shown */

/* An interface that the agent serves. */
struct served {
	struct served *next;
	struct ndiv_agent *agent;
	unsigned int ifindex;
	char dir[DIR_LEN];
	struct ndiv_conf *conf;
	struct ring_buffer *ring;
	int queue, again;		/* map and program */
	int seen;			/* in this scan */
};

struct packet {
	struct ndiv_postponed head;
	struct ndiv_again again;	/* metadata in front of the frame: the two are given to the kernel as one */
	__u8 data[];
};

struct ndiv_agent {
	struct served *served;
	struct packet **heap;
	size_t count, max;
	int epoll, only;
	__u64 next_scan;
	__u64 next_word;		/* when the log may be told of losses again */
	struct ndiv_agent_stats stats;
};

static __u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* --- heap ---------------------------------------------------------------------------------------------------- */

static int before(const struct packet *a, const struct packet *b)
{
	return a->head.due < b->head.due;
}

static void heap_push(struct ndiv_agent *ag, struct packet *p)
{
	size_t i = ag->count++, up;

	for (; i > 0; i = up) {
		up = (i - 1) / 2;
		if (!before(p, ag->heap[up]))
			break;
		ag->heap[i] = ag->heap[up];
	}
	ag->heap[i] = p;
}

static struct packet *heap_pop(struct ndiv_agent *ag)
{
	struct packet *top = ag->heap[0], *last = ag->heap[--ag->count];
	size_t i = 0, down;

	for (;;) {
		down = 2 * i + 1;
		if (down >= ag->count)
			break;
		if (down + 1 < ag->count && before(ag->heap[down + 1], ag->heap[down]))
			down++;
		if (!before(ag->heap[down], last))
			break;
		ag->heap[i] = ag->heap[down];
		i = down;
	}
	ag->heap[i] = last;
	return top;
}

/* --- packets ------------------------------------------------------------------------------------------------- */

/* Counted for the interface, and said once a second. */
static void lose(struct ndiv_agent *ag, struct served *sv, unsigned int ifindex, int err)
{
	ag->stats.lost++;
	if (sv)
		__atomic_fetch_add(&sv->conf->agent_lost, 1, __ATOMIC_RELAXED);
	if (now_ns() < ag->next_word)
		return;
	ag->next_word = now_ns() + SCAN_NS;
	log_text(1, "postponed packet of interface %u lost: %s (%llu so far)", ifindex, strerror(err),
		 (unsigned long long)ag->stats.lost);
}

static int take(void *arg, void *data, size_t size)
{
	struct served *sv = arg;
	struct ndiv_agent *ag = sv->agent;
	struct ndiv_postponed *head = data;
	struct packet *p;

	ag->stats.taken++;
	if (size < sizeof(*head) || head->len > size - sizeof(*head)) {
		lose(ag, sv, sv->ifindex, EPROTO);
		return 0;
	}
	p = ag->count < ag->max ? malloc(sizeof(*p) + head->len) : NULL;
	if (!p) {
		lose(ag, sv, sv->ifindex, ag->count < ag->max ? ENOMEM : ENOBUFS);
		return 0;
	}
	p->head = *head;
	p->again.magic = NDIV_META_AGAIN;
	p->again.rounds = head->rounds;
	memcpy(p->data, head + 1, head->len);
	heap_push(ag, p);
	return 0;
}

static struct served *find_served(struct ndiv_agent *ag, unsigned int ifindex)
{
	struct served *sv;

	for (sv = ag->served; sv; sv = sv->next)
		if (sv->ifindex == ifindex)
			return sv;
	return NULL;
}

static void present(struct ndiv_agent *ag, struct packet *p)
{
	struct xdp_md ctx = {
		.data = sizeof(p->again), .data_end = sizeof(p->again) + p->head.len,
		.ingress_ifindex = p->head.ifindex, .rx_queue_index = p->head.queue,
	};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = &p->again, .data_size_in = ctx.data_end, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = 1, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 1);
	struct served *sv = find_served(ag, p->head.ifindex);
	int err;

	err = sv ? bpf_prog_test_run_opts(sv->again, &run) : -ENODEV;
	if (err)
		lose(ag, sv, p->head.ifindex, -err);
	else
		ag->stats.presented++;
	free(p);
}

static void present_due(struct ndiv_agent *ag)
{
	__u64 now = now_ns();

	while (ag->count && ag->heap[0]->head.due <= now)
		present(ag, heap_pop(ag));
}

/* --- interfaces ---------------------------------------------------------------------------------------------- */

/* What waits for <sv> is lost: its chain is gone, and another one that has come in its place is not meant. */
static void lose_waiting(struct ndiv_agent *ag, struct served *sv)
{
	size_t n = ag->count, i;

	ag->count = 0;
	for (i = 0; i < n; i++) {
		if (ag->heap[i]->head.ifindex != sv->ifindex) {
			heap_push(ag, ag->heap[i]);
			continue;
		}
		lose(ag, sv, sv->ifindex, ECANCELED);
		free(ag->heap[i]);
	}
}

static void drop_served(struct ndiv_agent *ag, struct served *sv)
{
	if (sv->conf && sv->ring) {
		__atomic_store_n(&sv->conf->agent_until, 0, __ATOMIC_RELAXED);
		ring_buffer__consume(sv->ring);
		lose_waiting(ag, sv);
	}
	if (sv->queue >= 0)
		epoll_ctl(ag->epoll, EPOLL_CTL_DEL, sv->queue, NULL);
	ring_buffer__free(sv->ring);
	conf_unmap(sv->conf);
	if (sv->queue >= 0)
		close(sv->queue);
	if (sv->again >= 0)
		close(sv->again);
	free(sv);
}

static int serve(struct ndiv_agent *ag, const struct ndiv *nd)
{
	struct served *sv = calloc(1, sizeof(*sv));
	struct epoll_event ev = { .events = EPOLLIN };

	if (!sv)
		return -ENOMEM;
	sv->agent = ag;
	sv->ifindex = nd->ifindex;
	sv->seen = 1;
	snprintf(sv->dir, sizeof(sv->dir), "%s", nd->dir);
	sv->conf = conf_map(nd->dir);
	sv->queue = pin_get(nd->dir, "ndiv_queue");
	sv->again = pin_get(nd->dir, "entry_again");
	sv->ring = sv->queue < 0 ? NULL : ring_buffer__new(sv->queue, take, sv, NULL);
	if (!sv->conf || sv->again < 0 || !sv->ring || epoll_ctl(ag->epoll, EPOLL_CTL_ADD, sv->queue, &ev)) {
		drop_served(ag, sv);
		return -EIO;
	}
	sv->next = ag->served;
	ag->served = sv;
	return 0;
}

/* Was ndiv detached and attached again meanwhile? Then the maps are others. */
static int same_queue(const struct served *sv)
{
	struct bpf_map_info a = {}, b = {};
	__u32 len_a = sizeof(a), len_b = sizeof(b);
	int fd = pin_get(sv->dir, "ndiv_queue"), same;

	if (fd < 0)
		return 0;
	same = !bpf_obj_get_info_by_fd(fd, &a, &len_a) && !bpf_obj_get_info_by_fd(sv->queue, &b, &len_b) &&
	       a.id == b.id;
	close(fd);
	return same;
}

static int see(struct ndiv *nd, void *arg)
{
	struct ndiv_agent *ag = arg;
	struct served *sv = find_served(ag, nd->ifindex);

	shield_tick(nd);
	if (sv && same_queue(sv)) {
		sv->seen = 1;
		return 0;
	}
	return serve(ag, nd), 0;
}

/* Looks which interfaces there are, forgets those that are gone, and shows the others that the agent lives. */
static void scan(struct ndiv_agent *ag)
{
	struct served **p, *sv;
	char err[256];

	for (sv = ag->served; sv; sv = sv->next)
		sv->seen = 0;
	ndiv_each(see, ag, err, sizeof(err));
	for (p = &ag->served; (sv = *p);) {
		if (!sv->seen) {
			*p = sv->next;
			drop_served(ag, sv);
			continue;
		}
		__atomic_store_n(&sv->conf->agent_until, now_ns() + ALIVE_NS, __ATOMIC_RELAXED);
		p = &sv->next;
	}
}

/* --- calls --------------------------------------------------------------------------------------------------- */

/* A lock on a file that only root can open, which is free again as soon as its holder is dead. Its fd, or -errno. */
static int be_the_only_one(void)
{
	char path[64];
	int fd, err;

	if (mkdir(RUN_DIR, 0700) && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), RUN_DIR "/agent-%lu", netns_inode());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	close(fd);
	return err;
}

int ndiv_agent_open(struct ndiv_agent **out, size_t max_waiting, char *err, size_t err_len)
{
	struct ndiv nobody = { .lock = -1 };
	struct ndiv_agent *ag;
	int ret;

	ret = check_caps(&nobody);
	if (!ret)
		ret = root_hidden(&nobody);
	if (ret) {
		if (err && err_len)
			snprintf(err, err_len, "%s", nobody.err);
		return ret;
	}
	ret = -ENOMEM;
	ag = calloc(1, sizeof(*ag));
	if (!ag)
		return ret;
	ag->max = max_waiting ? max_waiting : 65536;
	ag->heap = calloc(ag->max, sizeof(*ag->heap));
	ag->epoll = epoll_create1(EPOLL_CLOEXEC);
	ag->only = be_the_only_one();
	if (ag->heap && ag->epoll >= 0 && ag->only >= 0) {
		*out = ag;
		return 0;
	}
	if (ag->only < 0)
		ret = ag->only;
	if (err && err_len)
		snprintf(err, err_len, "%s", ret == -EBUSY ? "another agent serves this network namespace already" :
			 strerror(-ret));
	ndiv_agent_close(ag);
	return ret;
}

static int min_ms(int a, long long ns)
{
	long long ms = ns <= 0 ? 0 : (ns + 999999) / 1000000;

	return a >= 0 && a < ms ? a : (int)ms;
}

static int wait_ms(const struct ndiv_agent *ag, int left)
{
	__u64 now = now_ns();
	int ms = min_ms(left, (long long)(ag->next_scan - now));

	return ag->count ? min_ms(ms, (long long)(ag->heap[0]->head.due - now)) : ms;
}

int ndiv_agent_poll(struct ndiv_agent *ag, int timeout_ms)
{
	__u64 end = now_ns() + (timeout_ms < 0 ? 0 : timeout_ms * 1000000ULL);
	struct epoll_event ev[16];
	struct served *sv;
	int left = timeout_ms;

	do {
		if (now_ns() >= ag->next_scan) {
			scan(ag);
			ag->next_scan = now_ns() + SCAN_NS;
		}
		if (epoll_wait(ag->epoll, ev, 16, wait_ms(ag, left)) < 0)
			return -errno;
		for (sv = ag->served; sv; sv = sv->next)
			ring_buffer__consume(sv->ring);
		present_due(ag);
		if (timeout_ms >= 0)
			left = now_ns() >= end ? 0 : (int)((end - now_ns()) / 1000000 + 1);
	} while (timeout_ms < 0 || left > 0);
	return 0;
}

void ndiv_agent_stats(const struct ndiv_agent *ag, struct ndiv_agent_stats *stats)
{
	*stats = ag->stats;
	stats->waiting = ag->count;
}

void ndiv_agent_close(struct ndiv_agent *ag)
{
	struct served *sv;

	if (!ag)
		return;
	while ((sv = ag->served)) {
		ag->served = sv->next;
		drop_served(ag, sv);
	}
	while (ag->count)
		free(ag->heap[--ag->count]);
	free(ag->heap);
	if (ag->epoll >= 0)
		close(ag->epoll);
	if (ag->only >= 0)
		close(ag->only);
	free(ag);
}

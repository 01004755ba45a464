// SPDX-License-Identifier: GPL-2.0-only
/* source.c - the user side of the load source */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include "aside.h"
#include "pkt.h"
#include "run.h"
#include "source.h"

#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES	(1U << 1)
#endif

#define PORTS_FIRST	1024
#define PORTS_LAST	65535
#define BURST		64	/* SYNs in one go: a veth device's ring has room for 256 frames */
#define STOP_MS		20000	/* that the last answers may take */
#define LOOK_MS		20
#define QUIET_MS	3000	/* then those that are left are dead */

static int complain(const struct source *s, const char *what, int err)
{
	return ends_fault(&s->ends, what, err);
}

/* --- what is asked ------------------------------------------------------------------------------------------ */

void source_pattern(char *body, uint32_t size)
{
	static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ\n";
	uint32_t i;

	for (i = 0; i < size; i++)
		body[i] = text[(i - size) % 64];	/* it ends with the body, see docs/httpd.md */
}

/* The request up to where it is filled up. Its length, or below 0. */
static int write_head(const struct source *s, enum load_text_kind kind, char *to, size_t len)
{
	const char *host = s->o.v6 ? "[" PKT_IP6_SERVER "]" : PKT_IP4_SERVER;
	int n;

	n = snprintf(to, len, "GET %s HTTP/1.1\r\nHost: %s:%u\r\n%sX-Load: ", s->o.path, host, s->o.port,
		     kind == LOAD_CLOSE ? "Connection: close\r\n" : "");
	return n < 0 || (size_t)n >= len ? -E2BIG : n;
}

/* The request that moves the mark by <move>. 0, or below 0: there is no room. */
static int write_text(const struct source *s, enum load_text_kind kind, int move, struct load_text *text)
{
	char buf[LOAD_TEXT_MAX + 1];
	int n = write_head(s, kind, buf, sizeof(buf)), len = (int)s->config.step + 2 * move;

	if (n < 0 || len > LOAD_TEXT_MAX || n + 5 > len)
		return -E2BIG;
	memset(buf + n, '.', len - n - 4);
	memcpy(buf + len - 4, "\r\n\r\n", 4);
	text->len = len;
	memcpy(text->bytes, buf, len);
	/* in the byte order of the packet, as the kernel adds it up */
	text->sum = htons(pkt_fold(pkt_sum(buf, len, 0)));
	return 0;
}

static int write_job(const struct source *s, struct load_job *job)
{
	int kind, move;

	for (kind = 0; kind < LOAD_KINDS; kind++)
		for (move = 1 - LOAD_MARKS; move < LOAD_MARKS; move++)
			if (write_text(s, kind, move, &job->text[kind][move & (LOAD_MOVES - 1)]))
				return -E2BIG;
	memcpy(job->body, s->o.body, s->o.size);
	return 0;
}

/* Lengths and limits that follow from what is asked. */
static int configure(struct source *s)
{
	char buf[LOAD_TEXT_MAX];
	int n = write_head(s, LOAD_CLOSE, buf, sizeof(buf));
	uint32_t most;

	if (n < 0)
		return complain(s, "the path is too long", n);
	s->config.port = s->o.port;
	s->config.ports = (struct ndiv_ports){ PORTS_FIRST, PORTS_LAST };
	s->config.stamps = s->o.stamps;
	s->config.size = s->o.size;
	s->config.step = (n + 5 + 2 * (LOAD_MARKS - 1) + LOAD_STEP - 1) / LOAD_STEP * LOAD_STEP;
	/* Neither may sequence numbers overtake those of the port's next connection, nor timestamps wrap. */
	most = LOAD_POS_MASK / s->config.step - 1;
	if (most > (1U << 27) / (s->o.size + 1024))
		most = (1U << 27) / (s->o.size + 1024);
	s->config.limit = (s->o.requests && s->o.requests < most ? s->o.requests : most) * s->config.step;
	return 0;
}

/* --- the handler -------------------------------------------------------------------------------------------- */

static int attach(struct source *s)
{
	const struct load_config *c = &s->config;
	char text[6][32], err[1024] = "";
	const char *options[6];
	const struct ndiv_attach_opts opts = {
		.sz = sizeof(opts), .mode = NDIV_MODE_NATIVE, .at = -1, .options = options, .option_count = 6,
	};
	int i;

	snprintf(text[0], sizeof(text[0]), "port=%u", c->port);
	snprintf(text[1], sizeof(text[1]), "ports=%u-%u", c->ports.lo, c->ports.hi);
	snprintf(text[2], sizeof(text[2]), "timestamps=%s", c->stamps ? "yes" : "no");
	snprintf(text[3], sizeof(text[3]), "size=%u", c->size);
	snprintf(text[4], sizeof(text[4]), "step=%u", c->step);
	snprintf(text[5], sizeof(text[5]), "limit=%u", c->limit);
	for (i = 0; i < 6; i++)
		options[i] = text[i];
	if (ndiv_open(&s->nd, "lab0", 0, err, sizeof(err))) {
		fprintf(stderr, "bench: lab %s: %s\n", s->ends.lab, err);
		return -EIO;
	}
	if (ndiv_attach(s->nd, run_path("bench/load.bpf.o"), &opts)) {
		fprintf(stderr, "bench: lab %s: %s\n", s->ends.lab, ndiv_error(s->nd));
		return -EIO;
	}
	return 0;
}

static int find_handler(struct source *s)
{
	struct ndiv_state *st = calloc(1, sizeof(*st));
	size_t i;

	if (st && !ndiv_state(s->nd, st))
		for (i = 0; i < st->count; i++)
			if (!strcmp(st->handler[i].entry.info.name, "load")) {
				s->id = st->handler[i].id;
				s->prog = st->handler[i].entry.prog_id;
			}
	free(st);
	return s->id ? 0 : complain(s, "find the handler", -ENOENT);
}

/* A map of the handler's, by name; below 0. */
static int open_map(const struct source *s, const char *name)
{
	struct bpf_map_info info;
	struct bpf_prog_info prog = { 0 };
	uint32_t ids[16], len = sizeof(prog), i;
	int fd = bpf_prog_get_fd_by_id(s->prog), err;

	prog.map_ids = (uint64_t)(uintptr_t)ids;
	prog.nr_map_ids = 16;
	err = fd < 0 ? -errno : bpf_obj_get_info_by_fd(fd, &prog, &len);
	if (fd >= 0)
		close(fd);
	for (i = 0; !err && i < prog.nr_map_ids && i < 16; i++) {
		fd = bpf_map_get_fd_by_id(ids[i]);
		memset(&info, 0, sizeof(info));
		len = sizeof(info);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && !strcmp(info.name, name))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return complain(s, name, err ? err : -ENOENT);
}

static int put_job(struct source *s)
{
	struct load_job *job = calloc(1, sizeof(*job));
	int map = open_map(s, "load_job"), err = job ? 0 : -ENOMEM;
	uint32_t zero = 0;

	if (map < 0) {
		free(job);
		return map;
	}
	if (!err)
		err = write_job(s, job);
	if (!err && bpf_map_update_elem(map, &zero, job, 0))
		err = -errno;
	close(map);
	free(job);
	return err ? complain(s, "tell the handler what to ask for", err) : 0;
}

/* --- the starter -------------------------------------------------------------------------------------------- */

/* The SYN of port 0, with sequence number and timestamp 0. */
static void build_syn(const struct source *s, struct pkt *p, struct load_start *start)
{
	static const char stamp[] = "\1\1\10\12\0\0\0\0\0\0\0\0";
	char options[4 + 12] = "\2\4";
	uint16_t mss = s->ends.link[END_CLIENT].mtu - (s->o.v6 ? 60 : 40);
	const struct pkt_layer v4 = IP4(), v6 = IP6();
	const struct pkt_layer layers[] = {
		s->o.v6 ? v6 : v4,
		TCP(.dport = s->o.port, .flags = TH_SYN, .window = 65535, .options = options,
		    .option_len = s->o.stamps ? 16 : 4),
		{ 0 },
	};

	put16((uint8_t *)options + 2, mss);
	memcpy(options + 4, stamp, 12);
	pkt_build(p, layers);
	put16(p->data + p->l4, 0);
	put32(p->data + p->l4 + 4, 0);
	put16(p->data + p->l4 + 16, 0);
	start->config = s->config;
	start->len = p->len;
	start->l4 = p->l4;
	start->sum = htons(pkt_l4_sum(p->data, p->l3, p->l4, p->end, IPPROTO_TCP));
}

static int set_section(struct source *s, const char *section, const void *value, size_t len)
{
	struct bpf_map *map = bpf_object__find_map_by_name(s->start, section);
	size_t size = 0;
	/* libbpf before 1.4 says const */
	void *data = map ? (void *)bpf_map__initial_value(map, &size) : NULL;

	if (!data || len > size)
		return complain(s, section, -ENOENT);
	memcpy(data, value, len);
	return 0;
}

/* <live>: the handler's map, that the starter shares. */
static int load_starter(struct source *s, int live)
{
	static struct pkt p;
	struct load_start start;
	int err;

	build_syn(s, &p, &start);
	s->start = bpf_object__open_file(run_path("bench/start.bpf.o"), NULL);
	if (!s->start)
		return complain(s, "open start.bpf.o", -errno);
	err = set_section(s, ".rodata.start", &start, sizeof(start));
	if (!err)
		err = set_section(s, ".data.frame", p.data, p.len);
	if (!err)
		err = bpf_map__reuse_fd(bpf_object__find_map_by_name(s->start, "load_live"), live);
	if (!err)
		err = bpf_object__load(s->start);
	return err ? complain(s, "load start.bpf.o", err) : 0;
}

static int share_live(struct source *s)
{
	int map = open_map(s, "load_live"), err;
	void *p;

	if (map < 0)
		return map;
	p = mmap(NULL, sizeof(*s->live), PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	err = p == MAP_FAILED ? complain(s, "map load_live", -errno) : load_starter(s, map);
	close(map);
	if (p == MAP_FAILED)
		return err;
	s->live = p;
	/* As if the ports had been used since long ago: the server may remember those of the last source. */
	s->live->gen = s->live->gen_first = (uint64_t)time(NULL) & LOAD_GEN_MASK;
	s->live->begun = (uint64_t)s->live->gen * (s->config.ports.hi - s->config.ports.lo + 1);
	return err;
}

/* A veth device sends what XDP answers only if its other end has a program, too. */
static int wake_server(struct source *s)
{
	if (s->ends.link[END_SERVER].prog)
		return 0;
	return ends_swap(&s->ends, END_SERVER,
			 bpf_program__fd(bpf_object__find_program_by_name(s->start, "load_pass")));
}

/* Begins <count> connections. Returns when the last SYN was sent. */
static int begin(struct source *s, uint64_t count)
{
	struct xdp_md ctx = { .ingress_ifindex = s->ends.link[END_CLIENT].ifindex };
	uint8_t data[LOAD_START_MAX] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = sizeof(data), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .batch_size = BURST, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	int prog = bpf_program__fd(bpf_object__find_program_by_name(s->start, "load_start")), err = 0;
	const struct bpf_map *map = bpf_object__find_map_by_name(s->start, ".rodata.start");
	size_t size;
	const struct load_start *start = bpf_map__initial_value((struct bpf_map *)map, &size);

	opts.data_size_in = start->len;
	ctx.data_end = start->len;
	for (; count; count -= opts.repeat) {
		opts.repeat = count < BURST ? count : BURST;
		err = bpf_prog_test_run_opts(prog, &opts);
		if (err)
			break;
		s->begun += opts.repeat;
		s->started += opts.repeat;
	}
	return err ? complain(s, "begin connections", err) : 0;
}

/* --- from outside ------------------------------------------------------------------------------------------- */

static int check_opts(const struct source *s)
{
	const struct source_opts *o = &s->o;

	if (o->size < LOAD_BODY_MIN || o->size > LOAD_BODY_MAX || !o->connections ||
	    o->connections > SOURCE_CONNECTIONS_MAX || *o->path != '/' || !o->port)
		return complain(s, "size, path, port or number of connections", -ERANGE);
	return 0;
}

int source_open(struct source *s, const struct source_opts *opts)
{
	int err;

	memset(s, 0, sizeof(*s));
	s->o = *opts;
	err = ends_open(&s->ends, opts->lab);
	if (!err)
		err = check_opts(s);
	if (!err)
		err = configure(s);
	if (!err)
		err = ends_swap(&s->ends, END_CLIENT, -1);
	if (!err)
		err = attach(s);
	if (!err)
		err = find_handler(s);
	if (!err)
		err = put_job(s);
	if (!err)
		err = share_live(s);
	return err ? err : wake_server(s);
}

void source_close(struct source *s)
{
	if (s->live)
		munmap(s->live, sizeof(*s->live));
	bpf_object__close(s->start);
	if (s->nd && ndiv_detach(s->nd, NULL))
		fprintf(stderr, "bench: lab %s: %s\n", s->ends.lab, ndiv_error(s->nd));
	ndiv_close(s->nd);
	ends_close(&s->ends);
	memset(s, 0, sizeof(*s));
}

int source_start(struct source *s)
{
	int err = ends_enter(&s->ends, END_CLIENT);

	return err ? err : begin(s, s->o.connections);
}

int source_counts(struct source *s, struct source_counts *c)
{
	static struct ndiv_stats stats;
	int err = ends_enter(&s->ends, END_CLIENT), i;

	if (!err)
		err = ndiv_stats(s->nd, NDIV_CPU_RX, -1, &stats);
	if (err)
		return complain(s, "read the counters", err);
	memset(c, 0, sizeof(*c));
	for (i = 0; i < LOAD_COUNTERS; i++)
		c->n[i] = stats.counter[s->id][i];
	for (i = LOAD_WRONG_FIRST; i <= LOAD_WRONG_LAST; i++)
		c->wrong += c->n[i];
	c->bad_checksum = stats.reason[s->id][LOAD_R_CHECKSUM];
	c->no_stamp = stats.reason[s->id][LOAD_R_NO_STAMP];
	c->restarted = s->restarted;
	c->tx_lost = stats.tx_lost;
	return 0;
}

const char *source_counter(int i)
{
	static const char *const names[LOAD_COUNTERS] = {
		"syn",          "syn_ack",    "requests",  "responses",   "alive",
		"fin",          "reset",      "retired",   "stale",       "wrong_status",
		"wrong_header", "wrong_body", "wrong_seq", "wrong_short", "wrong_ack",
	};

	return names[i];
}

int source_round(struct source *s)
{
	struct source_counts c;
	int64_t more;
	int err;

	err = source_counts(s, &c);
	if (err)
		return err;
	more = (int64_t)s->o.connections - (int64_t)(c.n[LOAD_ALIVE] - s->alive + s->begun);
	s->alive = c.n[LOAD_ALIVE];
	s->begun = 0;
	s->live->surplus = more < 0 ? -more : 0;
	s->live->mark = (s->live->mark + 1) % LOAD_MARKS;
	if (more <= 0)
		return 0;
	s->restarted += more;
	return begin(s, more);
}

/* Connections that have not ended, as far as nothing was lost or came twice. */
static int64_t open_count(const struct source *s, const struct source_counts *c)
{
	return s->started + c->n[LOAD_SYN] - c->n[LOAD_FIN] - c->n[LOAD_RETIRED] - c->n[LOAD_RESET] - c->wrong;
}

int source_stop(struct source *s)
{
	struct source_counts last = { 0 }, now;
	int ms, quiet = 0, err;

	s->live->stop = 1;
	for (ms = 0; ms < STOP_MS; ms += LOOK_MS) {
		err = source_counts(s, &now);
		if (err)
			return err;
		quiet = memcmp(now.n, last.n, sizeof(now.n)) ? 0 : quiet + LOOK_MS;
		if (open_count(s, &now) <= 0 || quiet >= QUIET_MS)
			return 0;
		last = now;
		sleep_ms(LOOK_MS);
	}
	return complain(s, "end the connections", -ETIMEDOUT);
}

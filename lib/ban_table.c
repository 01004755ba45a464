// SPDX-License-Identifier: GPL-2.0-only
/*
 * ban_table.c - the table of bans, as user space changes it while packets are looked up in it, and rules set bans:
 * handlers/shield/ban.h says how it lies there
 *
 * One process at a time is here (the library's lock), but the kernel's side may write at the same time.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>
#include "ban.h"

/* How many buckets there are for <bans>: two places for each. */
__u32 ban_buckets(__u32 bans)
{
	__u32 n = BAN_BUCKETS_MIN;

	while (n < 1U << 24 && n * (BAN_SLOTS / 2) < bans)
		n *= 2;
	return n;
}

static int map_table(int fd, __u32 lines, int prot, struct ban_view *v)
{
	size_t len = (size_t)lines * sizeof(struct ban_bucket);
	void *p = mmap(NULL, len, prot, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	v->head = p;
	v->bucket = (struct ban_bucket *)p + 1;
	v->len = len;
	return 0;
}

void ban_close(struct ban_view *v)
{
	if (v->len)
		munmap(v->head, v->len);
	memset(v, 0, sizeof(*v));
}

/* A new map with an empty table: fd, or -errno. <key>: of the hash; NULL: a random one. */
int ban_make(struct ndiv *nd, __u32 buckets, const __u64 *key, struct ban_view *v)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	int fd, err;

	memset(v, 0, sizeof(*v));
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "shield_table", sizeof(__u32), sizeof(struct ban_bucket), buckets + 1,
			    &opts);
	err = fd < 0 ? -errno : map_table(fd, buckets + 1, PROT_READ | PROT_WRITE, v);
	if (!err && key)
		memcpy(v->head->key, key, sizeof(v->head->key));
	else if (!err && getrandom(v->head->key, sizeof(v->head->key), 0) != (ssize_t)sizeof(v->head->key))
		err = -errno;
	if (err) {
		ban_close(v);
		if (fd >= 0)
			close(fd);
		return fail(nd, -err, "cannot create a map of %zu bytes for bans: %s",
			    ((size_t)buckets + 1) * sizeof(struct ban_bucket), err_text(err));
	}
	v->head->len[0][0] = BAN_SHAPE_LEN(BAN_HOST4);
	v->head->len[1][0] = BAN_SHAPE_LEN(BAN_HOST6);
	v->head->mask = buckets - 1;
	v->head->magic = BAN_MAGIC;
	return fd;
}

static int view_sound(const struct ban_view *v)
{
	__u64 buckets = v->len / sizeof(struct ban_bucket) - 1;

	return v->head->magic == BAN_MAGIC && v->head->mask == buckets - 1 && !(buckets & (buckets - 1));
}

/* The table in <slot>, a map shield_bans. 0, -ENOENT: there is none, or -errno. */
int ban_view(int slot, int prot, struct ban_view *v)
{
	__u32 lines;
	int fd, err;

	memset(v, 0, sizeof(*v));
	fd = slot_map(slot, sizeof(struct ban_bucket), BAN_BUCKETS_MIN + 1, &lines);
	if (fd < 0)
		return fd;
	err = map_table(fd, lines, prot, v);
	close(fd);
	if (err || view_sound(v))
		return err;
	ban_close(v);
	return -EPROTO;
}

/* --- places */

static __u64 hash_of(const struct ban_view *v, __u64 addr, __u8 shape)
{
	struct {
		__u64	addr;
		__u8	shape;
	} __attribute__((packed)) bytes = { addr, shape };

	return sip_hash(1, 3, v->head->key, &bytes, sizeof(bytes));
}

/* The buckets of a prefix. */
struct places {
	struct ban_bucket *b[2];
};

static struct places places_of(const struct ban_view *v, __u64 addr, __u8 shape)
{
	__u64 hash = hash_of(v, addr, shape);

	return (struct places){ { v->bucket + ban_bucket_of(hash, v->head->mask, 0),
				  v->bucket + ban_bucket_of(hash, v->head->mask, 1) } };
}

/* Writes <ban> into slot <i> of its bucket <second>, if that still yields. 0, or -1. */
static int write_at(const struct places *at, int second, int i, const struct ban *ban, __u32 tick)
{
	if (ban_take(at->b[second], i, tick))
		return -1;
	if (second)
		ban_raise(&at->b[0]->more, ban->until);
	ban_write(at->b[second], i, ban);
	return 0;
}

/* The slot of <b> that yields most, and how readily: ban_yields(). Below 0: none. */
static int weakest(const struct ban_bucket *b, __u32 tick, __u32 *yields)
{
	int i, best = -1;
	__u32 y;

	*yields = 0;
	for (i = 0; i < BAN_SLOTS; i++) {
		y = ban_yields(BAN_READ(b->until[i]), BAN_READ(b->line[i]), tick);
		if (y <= *yields)
			continue;
		*yields = y;
		best = i;
	}
	return best;
}

static int put_free(const struct places *at, const struct ban *ban, __u32 tick)
{
	int second, i;
	__u32 yields;

	for (second = 0; second < 2; second++) {
		i = weakest(at->b[second], tick, &yields);
		if (yields == BAN_YIELDS_ALL && !write_at(at, second, i, ban, tick))
			return 0;
	}
	return -1;
}

/* Takes the ban in slot <i> of <b>, which goes on as one in the other of its buckets, out of the way. 0, or -1. */
static int move_away(const struct ban_view *v, struct ban_bucket *b, int i, __u32 tick)
{
	struct ban ban = { b->addr[i], BAN_READ(b->until[i]), b->line[i], b->shape[i] };
	struct places at = places_of(v, ban.addr, ban.shape);
	int second = at.b[0] == b, to;
	__u32 yields;

	to = weakest(at.b[second], tick, &yields);
	if (yields != BAN_YIELDS_ALL || write_at(&at, second, to, &ban, tick))
		return -1;
	BAN_WRITE(b->until[i], BAN_FREE);
	return 0;
}

/* Makes room in one of the buckets. It is there twice for a moment, and never missing. */
static int make_room(const struct ban_view *v, const struct places *at, __u32 tick)
{
	int second, i;

	for (second = 0; second < 2; second++)
		for (i = 0; i < BAN_SLOTS; i++)
			if (!move_away(v, at->b[second], i, tick))
				return 0;
	return -1;
}

static int put_evicting(const struct places *at, const struct ban *ban, __u32 tick)
{
	__u32 yields[2];
	int slot[2], second;

	slot[0] = weakest(at->b[0], tick, &yields[0]);
	slot[1] = weakest(at->b[1], tick, &yields[1]);
	second = yields[1] > yields[0];
	return yields[second] ? write_at(at, second, slot[second], ban, tick) : -1;
}

/* It is banned already: what is new is that end, and who has set it. */
static int put_again(const struct places *at, const struct ban *ban, __u32 tick)
{
	int second, i;

	for (second = 0; second < 2; second++) {
		i = ban_find(at->b[second], ban->addr, ban->shape, tick);
		if (i < 0)
			continue;
		if (second)
			ban_raise(&at->b[0]->more, ban->until);
		BAN_WRITE(at->b[second]->line[i], ban->line);
		BAN_WRITE(at->b[second]->until[i], ban->until);
		return 0;
	}
	return -1;
}

/* Bans of that length have to be looked for from now on. 0, or -1: there are too many lengths. */
static int open_length(struct ban_view *v, const struct ban *ban, __u32 tick)
{
	__u32 v6 = BAN_SHAPE_V6(ban->shape), *until = v->head->until[v6];
	__u8 len = BAN_SHAPE_LEN(ban->shape), *lens = v->head->len[v6];
	int i, free = -1;

	for (i = 0; i < BAN_LENGTHS; i++) {
		if (lens[i] == len) {
			ban_raise(&until[i], ban->until);
			return 0;
		}
		if (free < 0 && BAN_READ(until[i]) <= tick && i)
			free = i;
	}
	if (free < 0)
		return -1;
	BAN_WRITE(lens[free], len);
	__sync_synchronize();
	ban_raise(&until[free], ban->until);
	return 0;
}

/* Sets <ban>, whose time is not over. */
enum ban_put ban_put(struct ban_view *v, const struct ban *ban, __u32 tick)
{
	struct places at = places_of(v, ban->addr, ban->shape);

	if (open_length(v, ban, tick))
		return BAN_PUT_LENGTHS;
	if (!put_again(&at, ban, tick) || !put_free(&at, ban, tick))
		return BAN_PUT_DONE;
	if (!make_room(v, &at, tick) && !put_free(&at, ban, tick))
		return BAN_PUT_DONE;
	return put_evicting(&at, ban, tick) ? BAN_PUT_FULL : BAN_PUT_EVICTED;
}

/* --- lifting */

/* Ends the ban of just this prefix. Returns how often it was there: 0 or 1, or 2 if two CPUs have set it at once. */
int ban_lift(struct ban_view *v, __u64 addr, __u8 shape, __u32 tick)
{
	struct places at = places_of(v, addr, shape);
	int second, i, count = 0;

	for (second = 0; second < 2; second++)
		for (i = ban_find(at.b[second], addr, shape, tick); i >= 0;
		     i = ban_find(at.b[second], addr, shape, tick), count++)
			BAN_WRITE(at.b[second]->until[i], BAN_FREE);
	return count;
}

/* Is there a ban of a shorter prefix that holds this one? Its shape, <by>. */
int ban_holder(const struct ban_view *v, __u64 addr, __u8 shape, __u32 tick, __u8 *by)
{
	__u32 v6 = BAN_SHAPE_V6(shape), i, len;
	struct places at;
	__u64 cut;

	for (i = 1; i < BAN_LENGTHS; i++) {
		len = v->head->len[v6][i];
		if (!len || len >= BAN_SHAPE_LEN(shape))
			continue;
		cut = addr & ~0ULL << (64 - len);
		*by = BAN_SHAPE(v6, len);
		at = places_of(v, cut, *by);
		if (ban_find(at.b[0], cut, *by, tick) >= 0 || ban_find(at.b[1], cut, *by, tick) >= 0)
			return 1;
	}
	return 0;
}

struct ends {
	struct ban_head *head;
	__u32	until[2][BAN_LENGTHS];
};

static int note_end(const struct ban *ban, void *arg)
{
	struct ends *e = arg;
	__u32 v6 = BAN_SHAPE_V6(ban->shape), i;

	for (i = 0; i < BAN_LENGTHS; i++)
		if (e->head->len[v6][i] == BAN_SHAPE_LEN(ban->shape) && e->until[v6][i] < ban->until)
			e->until[v6][i] = ban->until;
	return 0;
}

/*
 * After bans were lifted: the last end of each length, as it is now. A rule may set a ban meanwhile, and find the end
 * that is about to be taken back late enough; so, when all packets that may have done so are through (<wait>), they are
 * counted again.
 */
void ban_settle(struct ban_view *v, __u32 tick, void (*wait)(void))
{
	struct ends e = { .head = v->head };
	__u32 old, f, i;

	ban_each(v, tick, note_end, &e);
	for (f = 0; f < 2; f++)
		for (i = 0; i < BAN_LENGTHS; i++) {
			old = BAN_READ(v->head->until[f][i]);
			if (old > e.until[f][i])
				__sync_val_compare_and_swap(&v->head->until[f][i], old, e.until[f][i]);
		}
	wait();
	ban_each(v, tick, note_end, &e);
	for (f = 0; f < 2; f++)
		for (i = 0; i < BAN_LENGTHS; i++)
			ban_raise(&v->head->until[f][i], e.until[f][i]);
}

/* Lifts all of them. What is set meanwhile may go, or stay. */
void ban_empty(struct ban_view *v)
{
	struct ban_bucket *b, *end = v->bucket + v->head->mask + 1;
	int i;

	for (b = v->bucket; b < end; b++) {
		for (i = 0; i < BAN_SLOTS; i++)
			if (BAN_READ(b->until[i]) != BAN_FREE && BAN_READ(b->until[i]) != BAN_BUSY)
				BAN_WRITE(b->until[i], BAN_FREE);
		if (BAN_READ(b->more))
			BAN_WRITE(b->more, 0);
	}
}

/* --- reading */

static int ban_read(const struct ban_bucket *b, int i, __u32 tick, struct ban *ban)
{
	ban->until = BAN_READ(b->until[i]);
	ban->addr = BAN_READ(b->addr[i]);
	ban->line = BAN_READ(b->line[i]);
	ban->shape = BAN_READ(b->shape[i]);
	return ban->until > tick;
}

int ban_each(const struct ban_view *v, __u32 tick, int (*fn)(const struct ban *ban, void *arg), void *arg)
{
	const struct ban_bucket *b, *end = v->bucket + v->head->mask + 1;
	struct ban ban;
	int i, ret = 0;

	for (b = v->bucket; b < end; b++)
		for (i = 0; i < BAN_SLOTS && !ret; i++)
			if (ban_read(b, i, tick, &ban))
				ret = fn(&ban, arg);
	return ret;
}

static int count_one(const struct ban *ban, void *arg)
{
	++*(size_t *)arg;
	return 0;
}

size_t ban_count(const struct ban_view *v, __u32 tick)
{
	size_t n = 0;

	ban_each(v, tick, count_one, &n);
	return n;
}

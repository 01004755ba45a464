/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * content.h - serves ready-made responses: finds the one for a URL, and writes any part of it into a frame
 *
 * ndiv/content.h tells how they are kept. Nothing loaded: content_now() is 0, and that one load is all it costs. Else
 * finding costs the cache lines of a bucket or two and an entry, writing those of an entry, two sums and the bytes.
 *
 *	now = content_now();
 *	id = now ? content_find(now, content_hash(...)) : -1;
 *	if (id >= 0 && !content_choose(id, want, etag, &hit))
 *		... respond with hit.len bytes, of which the builder calls content_write() for each segment
 *
 * hit.id and hit.variant are all that a transfer has to carry. A transfer that goes on asks content_open() first: if
 * its site has been taken away, there is nothing to go on with.
 */
#ifndef NDIV_HTTPD_CONTENT_H
#define NDIV_HTTPD_CONTENT_H

#include <ndiv/content.h>
#include <ndiv/hash.h>

#define CONTENT_SEGMENT	2992	/* bytes that are written at once: NDIV_REPLY_MAX, in whole units */

_Static_assert(CONTENT_SEGMENT <= NDIV_CONTENT_TAIL && CONTENT_SEGMENT % NDIV_CONTENT_UNIT == 0, "CONTENT_SEGMENT");

volatile struct ndiv_content ndiv_content SEC(".data.content") = { 0 };

struct content_site {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);	/* of any number of pages */
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct ndiv_content_page));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, NDIV_CONTENT_SLOTS);
	__type(key, __u32);
	__array(values, struct content_site);
} content_sites SEC(".maps");

/* Requests, by id. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NDIV_CONTENT_IDS);
	__type(key, __u32);
	__type(value, __u64);
} content_hits SEC(".maps");

/* What a request asks for, besides the URL; bits. */
enum content_want {
	CONTENT_W_CLOSE	= 1,	/* answer with "Connection: close" */
	CONTENT_W_HEAD	= 2,
	CONTENT_W_ETAG	= 4,	/* the client has the one with the ETag given */
};

/* A response. */
struct content_hit {
	__u32	len;		/* of head and body: a multiple of NDIV_CONTENT_WHOLE */
	__u16	id;
	__u16	status;
	__u8	variant;	/* enum ndiv_content_variant */
};

/* What is served; to be read once for a packet. 0: nothing. */
static __always_inline __u32 content_now(void)
{
	return ndiv_content.now;
}

/*
 * Has what is served been served for so long that what a client has got of it is not of something else? For those who
 * carry no id. It reads the clock.
 */
static __always_inline int content_settled(void)
{
	__u32 changed = ndiv_content.changed;

	return !changed || (__u32)(bpf_ktime_get_boot_ns() / 1000000000) - changed > NDIV_CONTENT_REST_S;
}

/* Is every request to get the same page? */
static __always_inline int content_maintenance(__u32 now)
{
	return now & NDIV_CONTENT_MAINT;
}

static __always_inline void *content_site(__u32 slot)
{
	return bpf_map_lookup_elem(&content_sites, &slot);
}

static __always_inline struct ndiv_content_dir *content_dir(void *site)
{
	__u32 zero = 0;

	return site ? bpf_map_lookup_elem(site, &zero) : NULL;
}

/* The slot that <id> names. */
static __always_inline __u32 content_slot(__u32 id)
{
	return (id >> 8 & 1) | ((id & (NDIV_CONTENT_HALF - 1)) >= NDIV_CONTENT_FILES ? 2 : 0);
}

/*
 * Hash of the <len> bytes of a URL's path (up to NDIV_CONTENT_PATH, as it is in the request, without what follows a
 * '?') at offset <pos> of <text>. Offsets are masked with <mask>, a constant; up to eight bytes behind that are read.
 */
static __always_inline __u64 content_hash(const struct ndiv_pkt *pkt, const char *text, __u32 mask, __u32 pos,
					  __u32 len)
{
	struct ndiv_key key = { { ndiv_content.key[0], ndiv_content.key[1] } };
	struct ndiv_sip sip;
	__u32 rest = len, i;
	__u64 word, hash;

	ndiv_sip_init(&sip, &key);
	for (i = 0; i < NDIV_CONTENT_PATH / 8 && rest >= 8; i++) {
		pos = ndiv_forget(pkt, pos, mask);
		rest = ndiv_forget(pkt, rest, 255);
		ndiv_sip_word(&sip, *(const __u64 *)(text + pos));
		pos += 8;
		rest -= 8;
	}
	pos = ndiv_forget(pkt, pos, mask);
	word = *(const __u64 *)(text + pos) & ((1ULL << (8 * (rest & 7))) - 1);
	hash = ndiv_sip_end(&sip, len, word);
	return hash ? hash : 1;
}

/* Four bytes of eight hexadecimal digits, the first one lowest in <w>. */
static __always_inline __u32 content_hex(__u64 w)
{
	w = (w & 0x0f0f0f0f0f0f0f0fULL) + 9 * (w >> 6 & 0x0101010101010101ULL);
	w = (w << 4 | w >> 8) & 0x00ff00ff00ff00ffULL;
	w = (w | w >> 8) & 0x0000ffff0000ffffULL;
	return bpf_ntohl((__u32)(w | w >> 16));
}

/*
 * The ETag of the 16 characters behind the quote in "If-None-Match", in two words. What is none may be taken for one:
 * then it is its sender who gets a 304 for nothing.
 */
static __always_inline __u64 content_etag(__u64 first, __u64 second)
{
	return (__u64)content_hex(first) << 32 | content_hex(second);
}

/* The entry of a URL, or below 0. */
static __always_inline __s32 content_look(const struct ndiv_content_dir *dir, __u64 hash)
{
	const struct ndiv_content_bucket *one = &dir->bucket[hash & (NDIV_CONTENT_BUCKETS - 1)];
	const struct ndiv_content_bucket *two = &dir->bucket[(hash >> 9) & (NDIV_CONTENT_BUCKETS - 1)];
	__u32 i;

#pragma unroll
	for (i = 0; i < NDIV_CONTENT_WAYS; i++)
		if (one->way[i].hash == hash)
			return one->way[i].entry;
#pragma unroll
	for (i = 0; i < NDIV_CONTENT_WAYS; i++)
		if (two->way[i].hash == hash)
			return two->way[i].entry;
	return -1;
}

/*
 * A variant's head. <variant> is below NDIV_CONTENT_VARIANTS, and was compared; the mask is for Linux 6.1,
 * which does not know that any more when the compiler has put it aside.
 */
static __always_inline const struct ndiv_content_head *content_head(const struct ndiv_content_entry *entry,
								    __u32 variant)
{
	barrier_var(variant);
	return &entry->head[variant & 7];
}

/* Fills <hit> for response <id> of <dir>. 0, or -1 if there is none. */
static __always_inline int content_get(const struct ndiv_content_dir *dir, __u32 id, __u32 variant,
				       struct content_hit *hit)
{
	const struct ndiv_content_entry *entry = &dir->entry[id & (NDIV_CONTENT_HALF - 1)];
	const struct ndiv_content_head *head = content_head(entry, variant);

	if (variant >= NDIV_CONTENT_VARIANTS || !head->len)
		return -1;
	hit->len = head->len + (variant <= NDIV_CONTENT_CLOSE ? entry->len : 0);
	hit->status = head->status;
	hit->id = id;
	hit->variant = variant;
	return 0;
}

/* A request that <id> answers. */
static __always_inline void content_count(__u32 id)
{
	__u64 *hits = bpf_map_lookup_elem(&content_hits, &id);

	if (hits)
		++*hits;
}

/* The id of the response for the URL of <hash>, or -1: there is no such file. */
static __always_inline __s32 content_find(__u32 now, __u64 hash)
{
	__u32 half = !!(now & NDIV_CONTENT_SLOT);
	const struct ndiv_content_dir *dir = now & NDIV_CONTENT_ON ? content_dir(content_site(half)) : NULL;
	__s32 entry = dir ? content_look(dir, hash) : -1;

	return entry < 0 ? -1 : (__s32)(half * NDIV_CONTENT_HALF + entry);
}

/* The id of the page that every request gets in maintenance mode. */
static __always_inline __u32 content_maintenance_id(__u32 now)
{
	return !!(now & NDIV_CONTENT_MAINT_SLOT) * NDIV_CONTENT_HALF +
	       (now >> NDIV_CONTENT_MAINT_ID & (NDIV_CONTENT_HALF - 1));
}

/* The id of the site's own page for an error, such as 404, or -1: it has none. */
static __always_inline __s32 content_error(__u32 now, __u32 status)
{
	__u32 half = !!(now & NDIV_CONTENT_SLOT), n = status - NDIV_CONTENT_STATUS, entry;
	const struct ndiv_content_dir *dir;

	if (!(now & NDIV_CONTENT_ON) || n >= NDIV_CONTENT_ERRORS)
		return -1;
	dir = content_dir(content_site(half));
	barrier_var(n);
	entry = dir ? dir->error[n & 255] : 0;	/* the mask: see content_head() */
	return entry ? (__s32)(half * NDIV_CONTENT_HALF + entry - 1) : -1;
}

/*
 * Response <id> as a request wants it. <etag>: the 64 bits of "If-None-Match", with CONTENT_W_ETAG. 0, or -1: it is
 * not there.
 */
static __always_inline int content_choose(__u32 id, __u32 want, __u64 etag, struct content_hit *hit)
{
	const struct ndiv_content_dir *dir = content_dir(content_site(content_slot(id)));
	const struct ndiv_content_entry *entry;
	__u32 variant = want & (CONTENT_W_CLOSE | CONTENT_W_HEAD);

	if (!dir || id >= NDIV_CONTENT_IDS)
		return -1;
	entry = &dir->entry[id & (NDIV_CONTENT_HALF - 1)];
	if (want & CONTENT_W_ETAG && entry->etag && entry->etag == etag)
		variant = NDIV_CONTENT_SAME | (want & CONTENT_W_CLOSE);
	return content_get(dir, id, variant, hit);
}

/* The response of a transfer that goes on. 0, or -1: it is no longer there. */
static __always_inline int content_open(__u32 id, __u32 variant, struct content_hit *hit)
{
	const struct ndiv_content_dir *dir = content_dir(content_site(content_slot(id)));

	return dir && id < NDIV_CONTENT_IDS ? content_get(dir, id, variant, hit) : -1;
}

/*
 * Private: copies <len> bytes at <at> of the stream, both multiples of 16, to <off>. Returns their sum, or below 0.
 * Both bounds of the length have to be in the very register that goes to the helper, for Linux 6.1.
 */
static __always_inline __s64 content_copy(const struct ndiv_frame *frame, void *site, __u32 off, __u32 at, __u32 len)
{
	__u32 nr = 1 + at / NDIV_CONTENT_PAGE, from = at & (NDIV_CONTENT_PAGE - NDIV_CONTENT_UNIT);
	struct ndiv_content_page *page = bpf_map_lookup_elem(site, &nr);
	__u64 last = (__u64)len - 1;
	int err;

	barrier_var(last);
	if (!page || last > CONTENT_SEGMENT - 1)
		return -1;
	barrier_var(last);
	if (frame->is_skb)
		err = bpf_skb_store_bytes(frame->skb, off, page->data + from, last + 1, 0);
	else
		err = bpf_xdp_store_bytes(frame->xdp, off, page->data + from, last + 1);
	if (err)
		return -1;
	return (__u64)page->sums[(from + last + 1) / NDIV_CONTENT_UNIT] +
	       (__u16)~page->sums[from / NDIV_CONTENT_UNIT];
}

/*
 * Writes <len> bytes of a response, the first of which is <rem> bytes before its end, both multiples of 16, and <len>
 * up to CONTENT_SEGMENT, to offset <off> of the frame. Returns their sum, to be folded, or below 0. Pointers: invalid
 * then.
 */
static __always_inline __s64 content_write(const struct ndiv_frame *frame, __u32 off, __u32 id, __u32 variant,
					   __u32 rem, __u32 len)
{
	void *site = content_site(content_slot(id));
	const struct ndiv_content_dir *dir = content_dir(site);
	const struct ndiv_content_entry *entry;
	const struct ndiv_content_head *first;
	__u32 head, all, at, cut;
	__s64 sum = 0, more;

	if (!dir || variant >= NDIV_CONTENT_VARIANTS || id >= NDIV_CONTENT_IDS)
		return -1;
	entry = &dir->entry[id & (NDIV_CONTENT_HALF - 1)];
	first = content_head(entry, variant);
	head = first->len;
	all = head + (variant <= NDIV_CONTENT_CLOSE ? entry->len : 0);
	if (!len || len > CONTENT_SEGMENT || len > rem || rem > all)
		return -1;
	at = all - rem;
	if (at < head) {
		cut = head - at < len ? head - at : len;
		sum = content_copy(frame, site, off, first->off + at, cut);
		off += cut;
		at += cut;
		len -= cut;
	}
	if (!len || sum < 0)
		return sum;
	more = content_copy(frame, site, off, entry->body + at - head, len);
	return more < 0 ? more : sum + more;
}

#endif

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * shield.h - the part of libndiv that belongs to the handler shield: the secret that machines share, the policy, bans
 *
 * All of it is about the shield that is attached to the interface of <nd>. 0 or -errno; ndiv_error(nd) tells more.
 */
#ifndef NDIV_SHIELD_LIB_H
#define NDIV_SHIELD_LIB_H

#include <ndiv/ndiv.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NDIV_SHIELD_SECRET	16	/* bytes of a secret; twice as many hexadecimal digits in its file */

/*
 * Cookies are made with the secret in file <path> from now on; NULL: with a random one. The file holds hexadecimal
 * digits, and belongs to root or the caller, whom nobody else can read it with. Cookies of the secret before stay good
 * for as long as they would have been.
 */
int ndiv_shield_keys(struct ndiv *nd, const char *path);

struct ndiv_shield_keys {
	int	shared;			/* a secret from a file is at work */
	uint32_t mark;			/* of the secret: equal on machines that share it; tells nothing about it */
	int64_t	off_ms;			/* how far the cookies' clock is from the time of day: the agent sets it */
};

int ndiv_shield_keys_state(struct ndiv *nd, struct ndiv_shield_keys *state);

/* --- policy -------------------------------------------------------------------------------------------------- */

/* A policy, read from a file and found good. docs/shield-policy.md has the language. */
struct ndiv_policy;

/* 0, or -errno and in <err> what is wrong: "FILE:LINE:COLUMN: expected ..., found ...". Needs no privilege. */
int ndiv_policy_read(struct ndiv_policy **out, const char *path, char *err, size_t err_len);
void ndiv_policy_free(struct ndiv_policy *policy);

/* What the policy will be in the kernel. */
struct ndiv_policy_size {
	uint32_t rules;
	uint32_t prefixes;		/* of sources, each counted once */
	uint64_t bytes;
};

int ndiv_policy_size(const struct ndiv_policy *policy, struct ndiv_policy_size *size, char *err, size_t err_len);

/*
 * Puts <policy> in the place of the one that is at work, between two packets; its counters begin at 0. If it fails, the
 * old one stays.
 */
int ndiv_policy_load(struct ndiv *nd, const struct ndiv_policy *policy);
int ndiv_policy_unload(struct ndiv *nd);

#define NDIV_POLICY_TEXT	248
#define NDIV_POLICY_FROM	192

struct ndiv_policy_rule {
	uint32_t line;			/* of the file */
	int	dry;			/* counted, not enforced */
	char	text[NDIV_POLICY_TEXT];
	uint64_t packets, bytes;	/* that it was about */
	uint64_t refused, refused_bytes; /* of them; dry: that it would have */
};

struct ndiv_policy_state {
	int	loaded;			/* if not, the rest is 0 */
	int	dry;			/* the whole of it */
	uint64_t since;			/* s since 1970 */
	struct ndiv_policy_size size;
	char	from[NDIV_POLICY_FROM];	/* the file */
};

int ndiv_policy_state(struct ndiv *nd, struct ndiv_policy_state *state);

/* Calls <fn> for each rule of the policy that is at work, in order, until it returns other than 0; returns that. */
typedef int ndiv_policy_fn(const struct ndiv_policy_rule *rule, void *arg);
int ndiv_policy_each(struct ndiv *nd, ndiv_policy_fn *fn, void *arg);

/* The same for the rules of <policy>, which count nothing. */
int ndiv_policy_rules(const struct ndiv_policy *policy, ndiv_policy_fn *fn, void *arg);

/* --- bans ---------------------------------------------------------------------------------------------------- */

/*
 * Bans <prefix>, an address or prefix as people write it, for <time>: "30s", "10m", "2h", "7d", "forever". An IPv6
 * address alone stands for its /64. What is banned already gets that time.
 */
int ndiv_ban(struct ndiv *nd, const char *prefix, const char *time);

struct ndiv_ban_result {
	size_t	set;
	size_t	over;			/* not set: the time of their line is over */
	size_t	evicted;		/* bans set by rules that had to go for them */
};

/*
 * The same for the lines of a file: "PREFIX [TIME | @SECONDS [line:N]]", the seconds since 1970. <time>: of lines that
 * have none; NULL: each has one. A file with an error changes nothing.
 */
int ndiv_ban_file(struct ndiv *nd, const char *path, const char *time, struct ndiv_ban_result *result);

/* Lifts the ban of just this prefix; NULL: all bans. */
int ndiv_unban(struct ndiv *nd, const char *prefix);

struct ndiv_bans_state {
	uint64_t count;
	uint64_t room;			/* 0: there is no table yet */
	uint64_t bytes;
};

int ndiv_bans_state(struct ndiv *nd, struct ndiv_bans_state *state);

#define NDIV_BAN_PREFIX	64

struct ndiv_ban {
	char	prefix[NDIV_BAN_PREFIX];
	int	forever;
	uint64_t left_ms;		/* forever: 0 */
	uint64_t end_ms;		/* since 1970; likewise */
	uint32_t line;			/* of the policy whose rule has set it; 0: a person has */
};

/* Calls <fn> for each ban, by address, until it returns other than 0; returns that. */
typedef int ndiv_ban_fn(const struct ndiv_ban *ban, void *arg);
int ndiv_bans_each(struct ndiv *nd, ndiv_ban_fn *fn, void *arg);

/* Writes them to <path>, for ndiv_ban_file(). */
int ndiv_bans_save(struct ndiv *nd, const char *path);

/* --- packets ------------------------------------------------------------------------------------------------- */

/* What the headers of an Ethernet frame say, as far as they are there. */
struct ndiv_headers {
	int	ip;			/* 4 or 6; 0: the rest is not known */
	uint32_t eth_type;		/* behind the tags */
	char	src[46], dst[46];
	uint32_t proto;			/* behind the extension headers that can be walked */
	int	fragment;		/* it is one */
	int	ports;			/* the next two are known: TCP and UDP */
	uint32_t sport, dport;
	int	flags;			/* TCP's; below 0: not known */
	int	type;			/* of ICMP and ICMPv6; below 0: not known */
};

/* Of the <len> bytes at <data>. */
void ndiv_headers_read(struct ndiv_headers *h, const void *data, size_t len);

/* In words, for a line: "10.77.0.1:5000 > 10.77.0.2:80 TCP S". */
#define NDIV_HEADERS_TEXT 160
void ndiv_headers_text(const struct ndiv_headers *h, char *buf, size_t len);

/* --- replay -------------------------------------------------------------------------------------------------- */

/*
 * A shield that is attached to nothing: packets out of a file run through its very programs, and no other packet does.
 * Nothing of it is pinned; it goes with the process. The thread that opens it stays on its CPU until it is closed, and
 * has to be the one that runs the packets: what is counted is kept by CPU.
 */
struct ndiv_replay;

struct ndiv_replay_opts {
	size_t	sz;			/* sizeof(struct ndiv_replay_opts) */
	uint8_t	mac[6];			/* of the host whose shield it is */
	const char *const *options;	/* of shield: "name=value" */
	size_t	option_count;
};

/* 0, or -errno and words for it in <err>. <policy>: NULL: none. */
int ndiv_replay_open(struct ndiv_replay **out, const struct ndiv_replay_opts *opts, const struct ndiv_policy *policy,
		     char *err, size_t err_len);
void ndiv_replay_close(struct ndiv_replay *rp);
const char *ndiv_replay_error(const struct ndiv_replay *rp);

/* Bytes of the longest packet that can be run: what IP can have, with an Ethernet header and tags. */
#define NDIV_REPLAY_MAX 65557
#define NDIV_REPLAY_MIN 14

struct ndiv_replay_packet {
	uint64_t ns;			/* its time, since 1970: shield's clock follows it, and never goes back */
	const void *data;
	uint32_t captured;		/* bytes that are known */
	uint32_t len;			/* that it had, NDIV_REPLAY_MIN to _MAX; the rest is taken for zeros */
};

/* What became of a packet. */
enum ndiv_replay_way {
	NDIV_REPLAY_SENT,		/* it is the host's own: shield saw it being sent */
	NDIV_REPLAY_PASSED,
	NDIV_REPLAY_DROPPED,
	NDIV_REPLAY_ANSWERED,
};

/* Runs <pkt>: enum ndiv_replay_way, or -errno. */
int ndiv_replay_run(struct ndiv_replay *rp, const struct ndiv_replay_packet *pkt);

/* Of the packet that was run last, unless it was sent: "shield: drop denied, line 3: deny @bad". */
const char *ndiv_replay_why(struct ndiv_replay *rp);

/*
 * A pcapng file of packets, each with a comment: bytes in <buf>. The head has up to NDIV_CAPTURE_HEAD, the block of a
 * packet up to NDIV_REPLAY_EXTRA besides its data.
 */
#define NDIV_REPLAY_EXTRA 512
size_t ndiv_replay_head(const struct ndiv_replay *rp, const char *name, void *buf);
size_t ndiv_replay_block(const struct ndiv_replay_packet *pkt, const char *comment, void *buf);

/* Counters so far, as those of an interface; id 0 is the core, 1 shield. 0 or -errno. */
int ndiv_replay_stats(struct ndiv_replay *rp, int which, struct ndiv_stats *stats);
const struct ndiv_info *ndiv_replay_info(const struct ndiv_replay *rp);

/* As ndiv_policy_state() and ndiv_policy_each(). */
int ndiv_replay_policy(struct ndiv_replay *rp, struct ndiv_policy_state *state);
int ndiv_replay_rules(struct ndiv_replay *rp, ndiv_policy_fn *fn, void *arg);

#ifdef __cplusplus
}
#endif

#endif

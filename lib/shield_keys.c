// SPDX-License-Identifier: GPL-2.0-only
/*
 * shield_keys.c - the secret of shield's cookies: read from a file, put beside the one before, its clock kept
 *
 * Machines that share a secret must count the same epochs, which are those of the time of day. Nobody in the kernel
 * asks for that: user space says how far it is from the machine's own clock, and the agent says it anew when the clock
 * was set.
 */
#include <ctype.h>
#include <endian.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <ndiv/shield.h>
#include "shield.h"

#define DIGITS		(2 * NDIV_SHIELD_SECRET)
#define FILE_MAX	4096
#define CLOCK_SLACK	250	/* ms that the clocks may be apart before the agent does something */

/* --- the file */

static int file_unsafe(struct ndiv *nd, const char *path, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return fail(nd, EINVAL, "%s is no file", path);
	if (st->st_uid && st->st_uid != geteuid())
		return fail(nd, EPERM, "%s belongs to user %u, who then knows the secret: chown root %s", path,
			    (unsigned int)st->st_uid, path);
	if (st->st_mode & 077)
		return fail(nd, EPERM, "%s has mode %04o, so others than its owner may read or change it: chmod 600 %s",
			    path, (unsigned int)st->st_mode & 07777, path);
	return 0;
}

/* What is in <path>, ended by 0: its length, or -errno. */
static ssize_t file_read(struct ndiv *nd, const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return fail(nd, errno, "cannot read %s: %s", path, strerror(errno));
	err = fstat(fd, &st) ? fail(nd, errno, "%s: %s", path, strerror(errno)) : file_unsafe(nd, path, &st);
	n = err ? err : read(fd, buf, size - 1);
	if (!err && n < 0)
		n = fail(nd, errno, "cannot read %s: %s", path, strerror(errno));
	close(fd);
	if (n >= 0)
		buf[n] = 0;
	return n;
}

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* The secret in <text>, which has <len> characters and comes from <path>. What it says never shows what it has read. */
int secret_parse(struct ndiv *nd, const char *path, const char *text, size_t len, __u8 *secret)
{
	size_t n, end;

	for (n = 0; n < len && isxdigit((unsigned char)text[n]); n++)
		;
	for (end = n; end < len && (text[end] == '\n' || text[end] == '\r'); end++)
		;
	if (end < len)
		return fail(nd, EINVAL, "%s:1:%zu: expected %s", path, n + 1,
			    n < DIGITS ? "a hexadecimal digit" : "the end of the file");
	if (n != DIGITS)
		return fail(nd, EINVAL,
			    "%s:1:%zu: expected %d hexadecimal digits, found %zu; `ndiv shield genkey` makes a secret",
			    path, n + 1, DIGITS, n);
	for (n = 0; n < NDIV_SHIELD_SECRET; n++)
		secret[n] = digit(text[2 * n]) << 4 | digit(text[2 * n + 1]);
	return 0;
}

static int secret_read(struct ndiv *nd, const char *path, __u8 *secret)
{
	char text[FILE_MAX];
	ssize_t n = file_read(nd, path, text, sizeof(text));
	int err = n < 0 ? (int)n : secret_parse(nd, path, text, n, secret);

	explicit_bzero(text, sizeof(text));
	return err;
}

/* --- the clock */

/* ms from the datapath's clock to the time of day. */
static __u64 clock_ahead(const volatile struct shield_clock *clock)
{
	return clock_ns(CLOCK_REALTIME) / 1000000 - shield_ms(clock_ns(CLOCK_MONOTONIC) + clock->skew);
}

/* --- the maps */

struct maps {
	volatile struct shield_secrets *secrets;
	volatile struct shield_clock *clock;
};

static void maps_close(struct maps *maps)
{
	if (maps->secrets)
		munmap((void *)maps->secrets, sizeof(*maps->secrets));
	if (maps->clock)
		munmap((void *)maps->clock, sizeof(*maps->clock));
}

static int maps_open(const char *dir, int prot, struct maps *maps)
{
	maps->secrets = shield_section(dir, "m__data_secrets", sizeof(*maps->secrets), prot);
	maps->clock = shield_section(dir, "m__data_clock", sizeof(*maps->clock), PROT_READ);
	if (maps->secrets && maps->clock)
		return 0;
	maps_close(maps);
	return -ENOENT;
}

/* --- changing it */

/*
 * Makes <secret> (NULL: the handler's own) the one that cookies are made with. The place of the one before the last is
 * written when no packet can need it any more.
 */
static void secret_put(struct maps *maps, const __u8 *secret)
{
	volatile struct shield_secrets *s = maps->secrets;
	__u32 now = s->now & 1, next = !now;
	__u64 number = s->of[now].number > s->of[next].number ? s->of[now].number : s->of[next].number, k[2] = { 0 };

	if (secret)
		memcpy(k, secret, sizeof(k));
	s->until = 0;
	wait_for_packets();
	s->of[next].k[0] = le64toh(k[0]);
	s->of[next].k[1] = le64toh(k[1]);
	s->of[next].ahead = secret ? clock_ahead(maps->clock) : 0;
	s->of[next].number = secret ? number + 1 : 0;
	s->until = shield_ms(clock_ns(CLOCK_MONOTONIC) + maps->clock->skew) + SECRET_GRACE;
	__atomic_store_n(&s->now, next, __ATOMIC_RELEASE);
	explicit_bzero(k, sizeof(k));
}

static int keys_locked(struct ndiv *nd, const struct table *tab, const void *secret)
{
	char dir[DIR_LEN];
	struct maps maps;
	int err = shield_dir(nd, tab, dir);

	if (err)
		return err;
	if (maps_open(dir, PROT_READ | PROT_WRITE, &maps))
		return shield_other(nd);
	if (secret || maps.secrets->of[maps.secrets->now & 1].number)
		secret_put(&maps, secret);
	maps_close(&maps);
	return 0;
}

int ndiv_shield_keys(struct ndiv *nd, const char *path)
{
	__u8 secret[NDIV_SHIELD_SECRET];
	int err;

	clear(nd);
	err = path ? secret_read(nd, path, secret) : 0;
	if (!err)
		err = change_by(nd, keys_locked, path ? secret : NULL);
	explicit_bzero(secret, sizeof(secret));
	return err;
}

/* --- looking at it */

int ndiv_shield_keys_state(struct ndiv *nd, struct ndiv_shield_keys *state)
{
	static const char label[] = "mark";
	struct ndiv_shield_keys st = {};
	struct shield_secret now;
	char dir[DIR_LEN];
	struct maps maps;
	int err = shield_find(nd, dir);

	if (err)
		return err;
	if (maps_open(dir, PROT_READ, &maps))
		return shield_other(nd);
	now = *(struct shield_secret *)&maps.secrets->of[maps.secrets->now & 1];
	if (now.number) {
		st.shared = 1;
		st.mark = sip_hash(2, 4, now.k, label, sizeof(label));
		st.off_ms = (int64_t)(now.ahead - clock_ahead(maps.clock));
	}
	explicit_bzero(&now, sizeof(now));
	maps_close(&maps);
	*state = st;
	return 0;
}

/* For the agent: sets the clock of shared secrets where the time of day has been set. <dir>: of the handler. */
void keys_tick(const char *dir)
{
	struct maps maps;
	__u64 ahead;
	int i;

	if (maps_open(dir, PROT_READ | PROT_WRITE, &maps))
		return;
	ahead = clock_ahead(maps.clock);
	for (i = 0; i < 2; i++)
		if (maps.secrets->of[i].number && maps.secrets->of[i].ahead - ahead + CLOCK_SLACK > 2 * CLOCK_SLACK)
			maps.secrets->of[i].ahead = ahead;
	maps_close(&maps);
}

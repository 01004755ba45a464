// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_option.c - "name=value" into a handler's configuration
 *
 * A handler that does not exist, with an option of each type. A row says what is given, and what has to come of it: the
 * bytes, or the message, and then the configuration is as before. Masks are computed a second time, bit by bit.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include "../lib/internal.h"	/* before cmocka.h, which has another fail() */
#include <cmocka.h>

#define ROWS_MAX	200
#define FILL		0xa5	/* what is not to be written */
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

struct config {
	__u16	tight;
	__u16	word;
	__u32	number;
	__u16	crooked;
	__u8	flag;
	__u8	choice;
	struct ndiv_ports ports;
	struct ndiv_prefixes nets;
	__u32	last;
};

#define AT(field)	offsetof(struct config, field)

static const struct ndiv_info info = {
	.abi = NDIV_ABI,
	.name = "made-up",
	.options = {
		{ .name = "tight", .type = NDIV_OPT_U16, .offset = AT(tight), .min = 5, .max = 100 },
		{ .name = "word", .type = NDIV_OPT_U16, .offset = AT(word), .min = 0, .max = 65535 },
		{ .name = "number", .type = NDIV_OPT_U32, .offset = AT(number), .min = 0, .max = 4294967295U },
		{ .name = "flag", .type = NDIV_OPT_BOOL, .offset = AT(flag) },
		{ .name = "choice", .type = NDIV_OPT_CHOICE, .offset = AT(choice), .choices = "drop,pass,to-stack" },
		{ .name = "ports", .type = NDIV_OPT_PORTS, .offset = AT(ports) },
		{ .name = "nets", .type = NDIV_OPT_PREFIXES, .offset = AT(nets) },
		/* mistakes of a handler's author */
		{ .name = "crooked", .type = NDIV_OPT_U16, .offset = AT(crooked), .min = 1, .max = 100000 },
		{ .name = "strange", .type = 99, .offset = 0 },
		{ .name = "beyond", .type = NDIV_OPT_U32, .offset = sizeof(struct config), .min = 0, .max = 9 },
		{ .name = "far", .type = NDIV_OPT_BOOL, .offset = 0xffffffff },
		{ .name = "askew", .type = NDIV_OPT_PORTS, .offset = AT(ports) + 1 },
		{ .name = "last", .type = NDIV_OPT_U32, .offset = AT(last), .min = 0, .max = 9 },
	},
};

static const struct ndiv_info bare = { .abi = NDIV_ABI, .name = "bare" };

#define KNOWN	"it has tight, word, number, flag, choice, ports, nets, crooked, strange, beyond, far, askew, last"

#define LIES(at, size) "lies at " at ", which is not aligned or outside of section .rodata.config (" size " bytes)"

static struct ndiv nd;

static void fill(struct config *c)
{
	memset(c, FILL, sizeof(*c));
}

/* --- what is taken ------------------------------------------------------------------------------------------- */

struct good_row {
	const char *opts;
	size_t at;
	size_t size;
	__u64 want;		/* as a number of <size> bytes; ports: lo + hi * 65536 */
};

#define NUMBER(text, field, value)	{ text, AT(field), sizeof(((struct config *)0)->field), value }
#define PORTS(text, lo, hi)		NUMBER(text, ports, (lo) + (hi) * 65536ULL)

static const struct good_row good_rows[] = {
	NUMBER("tight=5", tight, 5),
	NUMBER("tight=100", tight, 100),
	NUMBER("tight=007", tight, 7),
	NUMBER("tight=00000000000000000000000000000000000000000000000000000000000000042", tight, 42),
	NUMBER("word=0", word, 0),
	NUMBER("word=65535", word, 65535),
	NUMBER("word=00000", word, 0),
	NUMBER("number=0", number, 0),
	NUMBER("number=2147483648", number, 2147483648U),
	NUMBER("number=4294967295", number, 4294967295U),
	NUMBER("crooked=65535", crooked, 65535),
	NUMBER("flag=yes", flag, 1),
	NUMBER("flag=no", flag, 0),
	NUMBER("choice=drop", choice, 0),
	NUMBER("choice=pass", choice, 1),
	NUMBER("choice=to-stack", choice, 2),
	NUMBER("last=9", last, 9),
	PORTS("ports=1", 1, 1),
	PORTS("ports=65535", 65535, 65535),
	PORTS("ports=8000-8999", 8000, 8999),
	PORTS("ports=80-80", 80, 80),
	PORTS("ports=1-65535", 1, 65535),
	PORTS("ports=0080-0090", 80, 90),
	PORTS("ports=000000000000000000000000000000000000080-00000000000000000000000000000000090", 80, 90),
	/* several: blanks in a row are one, the last one of a name counts */
	NUMBER("  tight=6  ", tight, 6),
	NUMBER("tight=6 tight=7 tight=8", tight, 8),
	NUMBER("word=1 tight=6 flag=no", tight, 6),
};

static void test_good(void **state)
{
	const struct good_row *row = *state;
	struct config before, got;
	size_t i;

	fill(&before);
	fill(&got);
	assert_int_equal(option_apply(&nd, &info, &got, sizeof(got), row->opts), 0);
	assert_memory_equal((char *)&got + row->at, &row->want, row->size);
	if (strchr(row->opts, ' '))
		return;
	for (i = 0; i < sizeof(got); i++)	/* nothing beside it */
		if (i < row->at || i >= row->at + row->size)
			assert_int_equal(((__u8 *)&got)[i], ((__u8 *)&before)[i]);
	assert_int_equal(option_check(&nd, &info, row->opts), 0);
}

/* --- what is refused ----------------------------------------------------------------------------------------- */

struct bad_row {
	const char *opts;
	int err;
	const char *says;
};

#define RANGE(value, name, range) \
	{                                                                                                              \
		name "=" value, ERANGE, "made-up: option " name ": \"" value "\" is not a number from " range          \
	}
#define TIGHT(value)	RANGE(value, "tight", "5 to 100")
#define PORT(value)                                                                                          \
	{ "ports=" value, ERANGE,                                                                            \
	  "made-up: option ports: \"" value "\" is neither a port from 1 to 65535 nor a range such as 8000-8999" }
#define WORD(name, value, what)	{ name "=" value, EINVAL, "made-up: option " name ": \"" value "\" is " what }
#define NET(list, word)                                                                        \
	{ "nets=" list, EINVAL, "made-up: option nets: \"" word "\" in \"" list                \
				"\" is no prefix such as 192.0.2.0/24 or 2001:db8::/32" }
#define UNKNOWN(text, name)	{ text, EINVAL, "made-up: unknown option \"" name "\"; " KNOWN }

static const struct bad_row bad_rows[] = {
	TIGHT("4"), TIGHT("101"), TIGHT("0"), TIGHT(""), TIGHT("-5"), TIGHT("+5"), TIGHT("5.0"), TIGHT("0x10"),
	TIGHT("ten"), TIGHT("10k"), TIGHT("10\t"), TIGHT("\n10"), TIGHT("1,0"), TIGHT("=10"), TIGHT("65541"),
	TIGHT("\xd9\xa1\xd9\xa0"),	/* digits, but not ours */
	RANGE("65536", "word", "0 to 65535"),
	RANGE("65537", "word", "0 to 65535"),
	RANGE("-1", "word", "0 to 65535"),
	RANGE("4294967296", "number", "0 to 4294967295"),
	RANGE("18446744073709551616", "number", "0 to 4294967295"),
	RANGE("18446744073709551617", "number", "0 to 4294967295"),
	RANGE("99999999999999999999999999999999999999999999", "number", "0 to 4294967295"),
	RANGE("65536", "crooked", "1 to 65535"),
	RANGE("70000", "crooked", "1 to 65535"),
	RANGE("0", "crooked", "1 to 65535"),
	WORD("flag", "", "neither yes nor no"),
	WORD("flag", "1", "neither yes nor no"),
	WORD("flag", "Yes", "neither yes nor no"),
	WORD("flag", "yess", "neither yes nor no"),
	WORD("flag", "ye", "neither yes nor no"),
	WORD("choice", "", "none of drop,pass,to-stack"),
	WORD("choice", "dro", "none of drop,pass,to-stack"),
	WORD("choice", "dropp", "none of drop,pass,to-stack"),
	WORD("choice", "drop,pass", "none of drop,pass,to-stack"),
	WORD("choice", "PASS", "none of drop,pass,to-stack"),
	WORD("choice", "0", "none of drop,pass,to-stack"),
	PORT(""), PORT("0"), PORT("65536"), PORT("-"), PORT("80-"), PORT("-80"), PORT("90-80"), PORT("0-80"),
	PORT("80-65536"), PORT("80-90-100"), PORT("80,90"), PORT("http"), PORT("80:90"), PORT("--80"),
	PORT("18446744073709551697"),
	/* longer than any port, and only at its end something else */
	PORT("0000000000000000000000000000080x"), PORT("0000000000000000000000000000080-90x"),
	PORT("00000000000000000000000000000800000"),
	NET("10.0.0.0/33", "10.0.0.0/33"), NET("10.0.0.0/", "10.0.0.0/"), NET("10.0.0/8", "10.0.0/8"),
	NET("10.0.0.0/-1", "10.0.0.0/-1"), NET("10.0.0.0/8/8", "10.0.0.0/8/8"), NET("10.0.0.256", "10.0.0.256"),
	NET("10", "10"), NET("/8", "/8"), NET(",", ""), NET("10.0.0.0/8,", ""), NET(",10.0.0.0/8", ""),
	NET("10.0.0.0/8,,fd00::/8", ""), NET("10.0.0.0/255.0.0.0", "10.0.0.0/255.0.0.0"), NET("::/129", "::/129"),
	NET("fd00:::/8", "fd00:::/8"), NET("fe80::1%eth0", "fe80::1%eth0"), NET("g::/8", "g::/8"),
	NET("::/18446744073709551616", "::/18446744073709551616"), NET("any", "any"),
	NET("1.2.3.4,5.6.7.8/40,9.9.9.9", "5.6.7.8/40"),
	NET("0000:0000:0000:0000:0000:0000:0000:0000/0000000000000000000000000000000000000000",
	    "0000:0000:0000:0000:0000:0000:0000:0000/0000000000000000000000000000000000000000"),
	{ "nets=1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,::5,::6,::7,::8,::9", ERANGE,
	  "made-up: option nets: more than 8 prefixes" },
	UNKNOWN("colour=red", "colour"),
	UNKNOWN("Tight=6", "Tight"),
	UNKNOWN("tigh=6", "tigh"),
	UNKNOWN("tight2=6", "tight2"),
	UNKNOWN("=6", ""),
	UNKNOWN("=", ""),
	{ "tight", EINVAL, "made-up: \"tight\" is no option: write name=value" },
	{ "--tight", EINVAL, "made-up: \"--tight\" is no option: write name=value" },
	{ "strange=1", EINVAL,
	  "made-up: option strange has the unknown type 99: the object was built for another ndiv" },
	{ "beyond=1", EINVAL, "made-up: option beyond " LIES("284", "284") },
	{ "far=yes", EINVAL, "made-up: option far " LIES("4294967295", "284") },
	{ "askew=80", EINVAL, "made-up: option askew " LIES("13", "284") },
	/* a bad one among good ones */
	{ "tight=1 word=7", ERANGE, "made-up: option tight: \"1\" is not a number from 5 to 100" },
	{ "tight=6 word=7 tight=x", ERANGE, "made-up: option tight: \"x\" is not a number from 5 to 100" },
};

static void test_bad(void **state)
{
	const struct bad_row *row = *state;
	struct config before, got;

	fill(&before);
	fill(&got);
	clear(&nd);
	assert_int_equal(option_apply(&nd, &info, &got, sizeof(got), row->opts), -row->err);
	assert_string_equal(ndiv_error(&nd), row->says);
	assert_memory_equal(&got, &before, sizeof(got));
	if (strncmp(row->opts, "beyond", 6))	/* it does not know how long the section is */
		assert_int_equal(option_check(&nd, &info, row->opts), -row->err);
}

/* No options at all, and no section. */
static void test_bare(void **state)
{
	assert_int_equal(option_apply(&nd, &bare, NULL, 0, ""), 0);
	assert_int_equal(option_apply(&nd, &bare, NULL, 0, "  "), 0);
	assert_int_equal(option_apply(&nd, &bare, NULL, 0, "tight=6"), -EINVAL);
	assert_string_equal(ndiv_error(&nd), "bare: unknown option \"tight\"; it has none");
	assert_int_equal(option_apply(&nd, &info, NULL, 0, "tight=6"), -EINVAL);
	assert_string_equal(ndiv_error(&nd),
			    "made-up: option tight " LIES("0", "0"));
}

/* A full table: the one that is last is found, and the message ends where its buffer does. */
static void test_full_table(void **state)
{
	static struct ndiv_info full = { .name = "full" };
	__u16 values[NDIV_OPTIONS_MAX] = {};
	size_t i;

	for (i = 0; i < NDIV_OPTIONS_MAX; i++) {
		snprintf(full.options[i].name, NDIV_NAME_LEN, "option-with-a-name-%04zu", i);
		full.options[i].type = NDIV_OPT_U16;
		full.options[i].offset = i * sizeof(values[0]);
		full.options[i].max = 9;
	}
	assert_int_equal(option_apply(&nd, &full, values, sizeof(values), "option-with-a-name-0031=7"), 0);
	assert_int_equal(values[NDIV_OPTIONS_MAX - 1], 7);
	assert_int_equal(option_apply(&nd, &full, values, sizeof(values), "option-with-a-name-0032=7"), -EINVAL);
	assert_non_null(strstr(ndiv_error(&nd), "unknown option \"option-with-a-name-0032\"; it has option-with-"));
}

/* --- prefixes ------------------------------------------------------------------------------------------------ */

static int bit(const void *bytes, int i)
{
	return ((const __u8 *)bytes)[i / 8] >> (7 - i % 8) & 1;
}

/* Is <p> the first <len> bits of <addr>, and nothing else? */
static void check_prefix(const struct ndiv_prefix *p, const __u8 *addr, int len)
{
	int i;

	for (i = 0; i < 128; i++) {
		assert_int_equal(bit(p->mask, i), i < len);
		assert_int_equal(bit(p->addr, i), i < len && bit(addr, i));
	}
}

static void check_lengths(int family, const __u8 *addr, int bits)
{
	char text[INET6_ADDRSTRLEN], opt[128];
	struct config got;
	int len;

	for (len = -1; len <= bits; len++) {	/* -1: none is given */
		inet_ntop(family, addr, text, sizeof(text));
		if (len < 0)
			snprintf(opt, sizeof(opt), "nets=%s", text);
		else
			snprintf(opt, sizeof(opt), "nets=%s/%d", text, len);
		fill(&got);
		assert_int_equal(option_apply(&nd, &info, &got, sizeof(got), opt), 0);
		assert_int_equal(got.nets.count4, family == AF_INET);
		assert_int_equal(got.nets.count6, family == AF_INET6);
		check_prefix(&got.nets.list[0], addr, len < 0 ? bits : len);
	}
}

static void test_masks(void **state)
{
	__u8 addr[16] = {};
	int n, i;

	srandom(1);
	for (n = 0; n < 50; n++) {
		for (i = 0; i < 16; i++)
			addr[i] = !n ? 0xff : random();
		check_lengths(AF_INET6, addr, 128);
		memset(addr + 4, 0, 12);
		check_lengths(AF_INET, addr, 32);
	}
}

/* IPv4 ones come first, each family in the order given. */
static void test_prefix_order(void **state)
{
	static const __u8 four[] = { 192, 0, 2, 1, [15] = 0 }, six[16] = { 0xfd, 1 }, seven[16] = { 0xfd, 2 };
	struct config got;

	fill(&got);
	assert_int_equal(option_apply(&nd, &info, &got, sizeof(got),
				      "nets=fd01::/16,192.0.2.1,fd02::/16,10.1.2.3/8,::ffff:1.2.3.4/0,0.0.0.0/0"), 0);
	assert_int_equal(got.nets.count4, 3);
	assert_int_equal(got.nets.count6, 3);
	check_prefix(&got.nets.list[0], four, 32);
	check_prefix(&got.nets.list[1], (const __u8[16]){ 10 }, 8);
	check_prefix(&got.nets.list[2], four, 0);
	check_prefix(&got.nets.list[3], six, 16);
	check_prefix(&got.nets.list[4], seven, 16);
	check_prefix(&got.nets.list[5], six, 0);
	assert_int_equal(got.last, 0xa5a5a5a5);
}

/* An empty list is one: any. As many as there is room for. */
static void test_prefix_count(void **state)
{
	struct config got;

	fill(&got);
	assert_int_equal(option_apply(&nd, &info, &got, sizeof(got), "nets="), 0);
	assert_int_equal(got.nets.count4 + got.nets.count6, 0);
	assert_int_equal(option_apply(&nd, &info, &got, sizeof(got), "nets=1.1.1.1,::1,1.1.1.2,::2,1.1.1.3,::3,"
				      "1.1.1.4,::4"), 0);
	assert_int_equal(got.nets.count4, 4);
	assert_int_equal(got.nets.count6, 4);
	check_prefix(&got.nets.list[7], (const __u8[16]){ [15] = 4 }, 128);
}

/* Too long for any list, whatever is in it. */
static void test_prefix_long(void **state)
{
	char opt[5 + 512 + 1] = "nets=";
	struct config before, got;

	memset(opt + 5, '1', sizeof(opt) - 6);
	opt[sizeof(opt) - 1] = 0;
	fill(&before);
	fill(&got);
	assert_int_equal(option_apply(&nd, &info, &got, sizeof(got), opt), -ERANGE);
	assert_string_equal(ndiv_error(&nd), "made-up: option nets: too long: 511 characters at most");
	assert_memory_equal(&got, &before, sizeof(got));
}

/* --- join ---------------------------------------------------------------------------------------------------- */

struct join_row {
	const char *name;
	const char *old;
	const char *opts[8];
	const char *want;	/* NULL: refused */
	int err;
	const char *says;
};

static const struct join_row join_rows[] = {
	{ .name = "join: nothing", .old = "", .want = "" },
	{ .name = "join: one", .old = "", .opts = { "a=1" }, .want = "a=1" },
	{ .name = "join: in the order given", .old = "", .opts = { "b=2", "a=1", "c=" }, .want = "b=2 a=1 c=" },
	{ .name = "join: the last one of a name counts",
	  .old = "",
	  .opts = { "a=1", "b=2", "a=3" },
	  .want = "b=2 a=3" },
	{ .name = "join: twice the same", .old = "", .opts = { "a=1", "a=1" }, .want = "a=1" },
	{ .name = "keep: all", .old = "a=1 b=2", .want = "a=1 b=2" },
	{ .name = "keep: those that are not given anew",
	  .old = "a=1 b=2 c=3",
	  .opts = { "b=5" },
	  .want = "a=1 c=3 b=5" },
	{ .name = "keep: none", .old = "a=1 b=2", .opts = { "b=3", "a=4" }, .want = "b=3 a=4" },
	{ .name = "keep: a name that begins like another", .old = "rate=1 rate-max=2", .opts = { "rate=3" },
	  .want = "rate-max=2 rate=3" },
	{ .name = "keep: a name that another begins with", .old = "rate=1 rate-max=2", .opts = { "rate-max=3" },
	  .want = "rate=1 rate-max=3" },
	{ .name = "keep: a name that ends like another", .old = "max=1 rate-max=2", .opts = { "rate-max=3" },
	  .want = "max=1 rate-max=3" },
	{ .name = "join: a value with = in it", .old = "a=b=c", .opts = { "b=a=c" }, .want = "a=b=c b=a=c" },
	{ .name = "join: a blank", .old = "", .opts = { "a=1 b=2" }, .err = EINVAL,
	  .says = "option \"a=1 b=2\" has a blank in it" },
	{ .name = "join: a blank at the end", .old = "", .opts = { "a=1 " }, .err = EINVAL,
	  .says = "option \"a=1 \" has a blank in it" },
	{ .name = "join: a tab", .old = "x=1", .opts = { "a=1", "b=\t" }, .err = EINVAL,
	  .says = "option \"b=\t\" has a blank in it" },
	{ .name = "join: a newline", .old = "", .opts = { "a=\n" }, .err = EINVAL,
	  .says = "option \"a=\n\" has a blank in it" },
	{ .name = "join: an empty one", .old = "", .opts = { "a=1", "" }, .err = EINVAL,
	  .says = "an option is empty: write name=value" },
};

static void test_join(void **state)
{
	const struct join_row *row = *state;
	char buf[NDIV_OPTS_LEN] = "untouched";
	size_t n = 0;

	while (n < COUNT(row->opts) && row->opts[n])
		n++;
	clear(&nd);
	assert_int_equal(option_join(&nd, row->old, n ? row->opts : NULL, n, buf, sizeof(buf)), -row->err);
	assert_string_equal(buf, row->want ? row->want : "untouched");
	assert_string_equal(ndiv_error(&nd), row->want ? "no error" : row->says);
}

/* As long as the buffer, and one more. */
static void test_join_long(void **state)
{
	char one[512], two[513], buf[NDIV_OPTS_LEN];
	const char *opts[] = { one, two };

	memset(one, 'x', sizeof(one));
	memset(two, 'y', sizeof(two));
	one[1] = two[1] = '=';
	one[sizeof(one) - 1] = 0;
	two[sizeof(two) - 2] = 0;
	assert_int_equal(option_join(&nd, "", opts, 2, buf, sizeof(buf)), 0);
	assert_int_equal(strlen(buf), sizeof(buf) - 1);
	assert_memory_equal(buf + sizeof(one), two, strlen(two) + 1);
	two[sizeof(two) - 2] = 'y';
	two[sizeof(two) - 1] = 0;
	strcpy(buf, "untouched");
	assert_int_equal(option_join(&nd, "", opts, 2, buf, sizeof(buf)), -E2BIG);
	assert_string_equal(buf, "untouched");
	assert_string_equal(ndiv_error(&nd), "options longer than 1023 bytes altogether");
}

/* What was joined is what is applied: the longest, too, whose end is not lost. */
static void test_join_apply(void **state)
{
	char zeros[1001], buf[NDIV_OPTS_LEN];
	const char *opts[] = { zeros, "flag=yes", "choice=pass", "tight=6" };
	struct config got;

	memset(zeros, '0', sizeof(zeros) - 1);
	zeros[sizeof(zeros) - 1] = 0;
	memcpy(zeros, "word=", 5);
	zeros[sizeof(zeros) - 2] = '9';
	assert_int_equal(option_join(&nd, "", opts, 1, buf, sizeof(buf)), 0);
	fill(&got);
	assert_int_equal(option_apply(&nd, &info, &got, sizeof(got), buf), 0);
	assert_int_equal(got.word, 9);
	assert_int_equal(option_join(&nd, "flag=no word=1", opts + 1, 3, buf, sizeof(buf)), 0);
	assert_int_equal(option_apply(&nd, &info, &got, sizeof(got), buf), 0);
	assert_int_equal(got.flag, 1);
	assert_int_equal(got.word, 1);
	assert_int_equal(got.choice, 1);
	assert_int_equal(got.tight, 6);
}

/* Text of any length that was not joined: nothing is cut off in silence. */
static void test_too_long(void **state)
{
	char text[NDIV_OPTS_LEN + 64];
	struct config before, got;

	memset(text, ' ', sizeof(text));
	strcpy(text + sizeof(text) - 16, "colour=red");
	fill(&before);
	fill(&got);
	assert_int_equal(option_apply(&nd, &info, &got, sizeof(got), text), -E2BIG);
	assert_string_equal(ndiv_error(&nd), "made-up: options longer than 1023 bytes altogether");
	assert_memory_equal(&got, &before, sizeof(got));
}

int main(void)
{
	static struct CMUnitTest tests[ROWS_MAX];
	const struct CMUnitTest last[] = {
		cmocka_unit_test(test_bare), cmocka_unit_test(test_full_table), cmocka_unit_test(test_masks),
		cmocka_unit_test(test_prefix_order), cmocka_unit_test(test_prefix_count),
		cmocka_unit_test(test_prefix_long), cmocka_unit_test(test_join_long),
		cmocka_unit_test(test_join_apply), cmocka_unit_test(test_too_long),
	};
	static char names[ROWS_MAX][120];
	size_t i, n = 0;

	_Static_assert(COUNT(good_rows) + COUNT(bad_rows) + COUNT(join_rows) + COUNT(last) < ROWS_MAX, "rows");
	for (i = 0; i < COUNT(good_rows); i++, n++) {
		snprintf(names[n], sizeof(names[n]), "taken: %.100s", good_rows[i].opts);
		tests[n] = (struct CMUnitTest){ names[n], test_good, NULL, NULL, (void *)&good_rows[i] };
	}
	for (i = 0; i < COUNT(bad_rows); i++, n++) {
		snprintf(names[n], sizeof(names[n]), "refused: row %zu, %.*s", i, (int)strcspn(bad_rows[i].opts, "\n"),
			 bad_rows[i].opts);
		tests[n] = (struct CMUnitTest){ names[n], test_bad, NULL, NULL, (void *)&bad_rows[i] };
	}
	for (i = 0; i < COUNT(join_rows); i++, n++)
		tests[n] = (struct CMUnitTest){ join_rows[i].name, test_join, NULL, NULL, (void *)&join_rows[i] };
	memcpy(tests + n, last, sizeof(last));
	return _cmocka_run_group_tests("option", tests, n + COUNT(last), NULL, NULL);
}

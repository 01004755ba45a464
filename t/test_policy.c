// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_policy.c - the compiler of policies: what it refuses and how it says so, and that its tables say what the rules
 * do
 *
 * The image is read here as the kernel's side reads it, and asked about random packets; the reference goes through the
 * rules one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/policy.h"	/* before cmocka.h, which has another fail() */
#include <cmocka.h>
#include "tree.h"

static struct tree tree;

static struct ndiv_policy policy;
static struct ndiv nd;
static struct image img;
static int bytes_met;		/* entries for a last byte that were met */

static int parse(const char *text, size_t len)
{
	memset(&nd, 0, sizeof(nd));
	return policy_parse(&nd, "p", text, len, &policy);
}

/* --- errors */

struct bad_row {
	const char *text, *want;
};

#define A_RATE	"a rate from 1/s to 10000000/s, or from 1kB/s to 10GB/s"
#define PREFIX	"is no address or prefix such as 192.0.2.0/24 or 2001:db8::/32"

/* clang-format off */
static const struct bad_row bads[] = {
	{ "x", "p:1:1: expected set, trust, allow, deny, limit, service or dry-run, found \"x\"" },
	{ "\n\n   x", "p:3:4: expected set, trust, allow, deny, limit, service or dry-run, found \"x\"" },
	{ "# c\n\tx", "p:2:2: expected set, trust, allow, deny, limit, service or dry-run, found \"x\"" },
	{ "\"deny\"", "p:1:1: expected set, trust, allow, deny, limit, service or dry-run, found the text \"deny\"" },
	{ "{", "p:1:1: expected set, trust, allow, deny, limit, service or dry-run, found \"{\"" },
	{ "dry-run deny", "p:1:9: expected the end of the line, found \"deny\"" },
	{ "deny", "p:1:5: expected a prefix, or @ and the name of a set, found the end of the file" },
	{ "deny\n", "p:1:5: expected a prefix, or @ and the name of a set, found the end of the line" },
	{ "deny # 10.0.0.1\n", "p:1:16: expected a prefix, or @ and the name of a set, found the end of the line" },
	{ "deny 10.0.0.1,", "p:1:15: expected a prefix, or @ and the name of a set, found the end of the file" },
	{ "deny 10.0.0.1 10.0.0.2", "p:1:15: expected the end of the line, found \"10.0.0.2\"" },
	{ "deny 10.0.0.1 dry dry", "p:1:19: expected the end of the line, found \"dry\"" },
	{ "deny 10.0.0", "p:1:6: \"10.0.0\" " PREFIX },
	{ "deny 10.0.0.1/33", "p:1:6: \"10.0.0.1/33\" " PREFIX },
	{ "deny 10.0.0.1/", "p:1:6: \"10.0.0.1/\" " PREFIX },
	{ "deny 10.0.0.1/+8", "p:1:6: \"10.0.0.1/+8\" " PREFIX },
	{ "deny 10.0.0.1/99999999999999999999", "p:1:6: \"10.0.0.1/99999999999999999999\" " PREFIX },
	{ "deny ::1/129", "p:1:6: \"::1/129\" " PREFIX },
	{ "deny 1:2:3:4:5:6:7:8:9", "p:1:6: \"1:2:3:4:5:6:7:8:9\" " PREFIX },
	{ "deny 10.0.0.1/24", "p:1:6: \"10.0.0.1/24\" has bits set behind its length" },
	{ "deny 2001:db8::1/64", "p:1:6: \"2001:db8::1/64\" has bits set behind its length" },
	{ "deny 2001:db8::/16", "p:1:6: \"2001:db8::/16\" has bits set behind its length" },
	{ "deny @none", "p:1:6: no set \"none\" is defined above" },
	{ "set", "p:1:4: expected a name of up to 31 small letters, digits, - and _, found the end of the file" },
	{ "set A { }", "p:1:5: expected a name of up to 31 small letters, digits, - and _, found \"A\"" },
	{ "set a { }\nset a { }", "p:2:5: there is a set \"a\" already" },
	{ "set a", "p:1:6: expected \"{\" and prefixes, or \"file\" and its name, found the end of the file" },
	{ "set a {\n10.0.0.1", "p:2:9: expected a prefix or \"}\", found the end of the file" },
	{ "set a { deny }", "p:1:9: \"deny\" " PREFIX },
	{ "set a { } deny", "p:1:11: expected the end of the line, found \"deny\"" },
	{ "set a file", "p:1:11: expected the name of a file, found the end of the file" },
	{ "set a file /none/x", "cannot read /none/x: No such file or directory" },
	{ "set a file /tmp", "/tmp is no file" },
	{ "set a file \"x", "p:1:12: the text that begins here has no end on its line: expected \"" },
	{ "service", "p:1:8: expected any, tcp, udp, icmp, icmp6, fragment or protocol, found the end of the file" },
	{ "service tcp", "p:1:12: expected allow, deny or limit, found the end of the file" },
	{ "service tcp type 8 deny", "p:1:13: expected allow, deny or limit, found \"type\"" },
	{ "service any port 8 deny", "p:1:13: expected allow, deny or limit, found \"port\"" },
	{ "service tcp port deny", "p:1:18: expected a port from 0 to 65535, or a range such as 8000-8999, found \"deny\"" },
	{ "service tcp port 65536 deny", "p:1:18: expected a port from 0 to 65535, or a range such as 8000-8999, found \"65536\"" },
	{ "service tcp port 9-8 deny", "p:1:18: expected a port from 0 to 65535, or a range such as 8000-8999, found \"9-8\"" },
	{ "service tcp port -8 deny", "p:1:18: expected a port from 0 to 65535, or a range such as 8000-8999, found \"-8\"" },
	{ "service tcp port 8- deny", "p:1:18: expected a port from 0 to 65535, or a range such as 8000-8999, found \"8-\"" },
	{ "service tcp port 80, deny", "p:1:22: expected a port from 0 to 65535, or a range such as 8000-8999, found \"deny\"" },
	{ "service icmp type 256 deny", "p:1:19: expected a type from 0 to 255, or a range such as 3-4, found \"256\"" },
	{ "service protocol deny", "p:1:18: expected a protocol's number from 0 to 255, found \"deny\"" },
	{ "service tcp to port 80 deny", "p:1:16: \"port\" " PREFIX },
	{ "service tcp to 10.0.0.1, deny", "p:1:26: \"deny\" " PREFIX },
	{ "service tcp trust", "p:1:13: expected allow, deny or limit, found \"trust\"" },
	{ "service tcp limit", "p:1:18: expected " A_RATE ", found the end of the file" },
	{ "service tcp limit 0/s", "p:1:19: expected " A_RATE ", found \"0/s\"" },
	{ "service tcp limit 10", "p:1:19: expected " A_RATE ", found \"10\"" },
	{ "service tcp limit 10/m", "p:1:19: expected " A_RATE ", found \"10/m\"" },
	{ "service tcp limit 10000001/s", "p:1:19: expected " A_RATE ", found \"10000001/s\"" },
	{ "service tcp limit 10/s burst", "p:1:29: expected a number of packets from 1 to 1000000, found the end of the file" },
	{ "service tcp limit 10/s burst 0", "p:1:30: expected a number of packets from 1 to 1000000, found \"0\"" },
	{ "service tcp limit 10/s per", "p:1:27: expected source or address, found the end of the file" },
	{ "service tcp limit 10/s per source burst 5", "p:1:35: expected the end of the line, found \"burst\"" },
	{ "service tcp limit 1kB", "p:1:19: expected " A_RATE ", found \"1kB\"" },
	{ "service tcp limit kB/s", "p:1:19: expected " A_RATE ", found \"kB/s\"" },
	{ "service tcp limit 0kB/s", "p:1:19: expected " A_RATE ", found \"0kB/s\"" },
	{ "service tcp limit 11GB/s", "p:1:19: expected " A_RATE ", found \"11GB/s\"" },
	{ "service tcp limit 18446744073709551617kB/s", "p:1:19: expected " A_RATE ", found \"18446744073709551617kB/s\"" },
	{ "service tcp limit 1Mb/s", "p:1:19: expected " A_RATE ", found \"1Mb/s\"" },
	{ "service tcp limit 1MB/s burst 9", "p:1:31: expected a number of bytes from 64kB to 1GB, found \"9\"" },
	{ "service tcp limit 1MB/s burst 63kB", "p:1:31: expected a number of bytes from 64kB to 1GB, found \"63kB\"" },
	{ "service tcp limit 1MB/s burst 2GB", "p:1:31: expected a number of bytes from 64kB to 1GB, found \"2GB\"" },
	{ "service tcp limit 9/s burst 9kB", "p:1:29: expected a number of packets from 1 to 1000000, found \"9kB\"" },
	{ "service tcp from 10.0.0.1", "p:1:18: expected port (for addresses there are allow, deny, trust and limit), found \"10.0.0.1\"" },
	{ "service tcp from amplifiers", "p:1:18: expected port (for addresses there are allow, deny, trust and limit), found \"amplifiers\"" },
	{ "service udp from 53", "p:1:18: expected port or amplifiers (for addresses there are allow, deny, trust and limit), found \"53\"" },
	{ "service udp from amplifiers", "p:1:28: expected allow, deny or limit, found the end of the file" },
	{ "service udp from amplifiers,53 deny", "p:1:28: expected allow, deny or limit, found \",\"" },
	{ "service icmp from port 1 deny", "p:1:14: expected allow, deny or limit, found \"from\"" },
	{ "service tcp from port 1-x deny", "p:1:23: expected a port from 0 to 65535, or a range such as 8000-8999, found \"1-x\"" },
	{ "service tcp to 10.0.0.1 from port 1 deny", "p:1:25: expected allow, deny or limit, found \"from\"" },
	{ "service tcp with deny", "p:1:18: expected options, found \"deny\"" },
	{ "limit 10.0.0.1", "p:1:15: expected rate, and how many packets or bytes a second, found the end of the file" },
	{ "limit 10.0.0.1 rate x", "p:1:21: expected " A_RATE ", found \"x\"" },
	{ "limit rate 5/s", "p:1:7: \"rate\" " PREFIX },
	{ "set bogons { }\nset bogons { }", "p:2:5: there is a set \"bogons\" already" },
	{ "deny @bogon", "p:1:6: no set \"bogon\" is defined above" },
	{ "deny \x01", "p:1:6: the character 0x01 has no place outside of comments and texts" },
	{ "deny \xc3\xa4", "p:1:6: the character 0xc3 has no place outside of comments and texts" },
};
/* clang-format on */

static void test_bad(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		if (!parse(bads[i].text, strlen(bads[i].text)))
			fail_msg("\"%s\" is taken", bads[i].text);
		if (strcmp(nd.err, bads[i].want))
			fail_msg("\"%s\":\n%s\nand not\n%s", bads[i].text, nd.err, bads[i].want);
		policy_free(&policy);
	}
}

static void test_zero_byte(void **state)
{
	assert_int_equal(parse("deny 10.0.0.1\0", 14), -EINVAL);
	assert_string_equal(nd.err, "p:1:14: the character 0x00 has no place outside of comments and texts");
	policy_free(&policy);
}

/* What is too long, or too many. */
static void test_limits(void **state)
{
	char word[300], *many = calloc(1, 40000), *at = many;
	int i;

	memset(word, 'a', sizeof(word));
	assert_int_equal(parse(word, sizeof(word)), -EINVAL);
	assert_string_equal(nd.err, "p:1:1: a word is longer than 255 characters");
	policy_free(&policy);
	word[0] = '"';
	assert_int_equal(parse(word, sizeof(word)), -EINVAL);
	assert_string_equal(nd.err, "p:1:1: a text is longer than 255 characters");
	policy_free(&policy);
	for (i = 0; i < 1023; i++)
		at += sprintf(at, "deny 10.%d.%d.0/24\n", i / 256, i % 256);
	assert_int_equal(parse(many, at - many), 0);
	policy_free(&policy);
	at += sprintf(at, "deny ::1\n");
	assert_int_equal(parse(many, at - many), -EINVAL);
	assert_string_equal(nd.err, "p:1024:1: more than 1023 rules");
	policy_free(&policy);
	free(many);
}

/* --- files of prefixes */

static void put_file(const char *name, const char *text)
{
	assert_int_equal(tree_file(&tree, name, text, strlen(text)), 0);
}

static int read_policy(char *err, size_t len)
{
	struct ndiv_policy *p = NULL;
	int ret = ndiv_policy_read(&p, tree_path(&tree, "policy"), err, len);

	if (!ret) {
		assert_int_equal(p->source.count, 3);
		assert_int_equal(strncmp(p->rule[1].text, "deny @list (3 prefixes, ", 24), 0);
		assert_int_equal(strlen(p->rule[1].text), 24 + 8 + 1);
	}
	ndiv_policy_free(p);
	return ret;
}

static void test_file(void **state)
{
	char err[1024] = "", want[1024];

	put_file("policy", "set list file \"list.txt\"\ndeny @list\n");
	put_file("list.txt", "# some\n10.0.0.0/8\n\n  2001:db8::/32  # and another\r\n\t192.0.2.1");
	assert_int_equal(read_policy(err, sizeof(err)), 0);
	put_file("list.txt", "10.0.0.0/8\n  10.1.1.1/8 # x\n");
	assert_int_equal(read_policy(err, sizeof(err)), -EINVAL);
	snprintf(want, sizeof(want), "%s/list.txt:2:3: \"10.1.1.1/8\" has bits set behind its length", tree.dir);
	assert_string_equal(err, want);
	put_file("list.txt", "\x1b[31mred\n");
	assert_int_equal(read_policy(err, sizeof(err)), -EINVAL);
	snprintf(want, sizeof(want), "%s/list.txt:1:1: \"?[31mred\" " PREFIX, tree.dir);
	assert_string_equal(err, want);
}

/* --- what the image says */

static const void *line(__u32 nr)
{
	assert_true(nr < img.count);
	return image_at(&img, nr);
}

static __u32 byte_value(const struct policy_root *root, __u32 e, __u64 hi)
{
	const struct policy_head *head = line(0);
	const struct policy_pair *pair = line(head->pairs + POLICY_BYTE_PAIR(e) / 8);
	__u32 differs = ((__u32)(hi >> 32) & 255) ^ POLICY_BYTE_OF(e);

	assert_true(root == &head->root[POLICY_SOURCE4] || root == &head->root[POLICY_DEST4]);
	bytes_met += root->bits == 24;
	pair += POLICY_BYTE_PAIR(e) % 8;
	return differs >> (8 - POLICY_BYTE_BITS(e)) ? pair->out : pair->in;
}

static __u32 trie_value(const struct policy_root *root, __u64 hi, __u64 lo)
{
	const struct policy_head *head = line(0);
	struct prefix addr = { .hi = hi, .lo = lo, .len = 128 }, in = { 0 };
	const struct policy_leaf *leaf;
	__u32 e, at;

	if (!root->line)
		return 0;
	at = hi >> (64 - root->bits);
	e = ((const __u32 *)line(root->line + at / 16))[at % 16];
	for (at = root->bits; POLICY_KIND(e) == POLICY_NODE; at += 4) {
		assert_true(at < 128);
		e = ((const __u32 *)line(POLICY_REST(e)))[(at < 64 ? hi >> (60 - at) : lo >> (124 - at)) & 15];
	}
	if (POLICY_KIND(e) == POLICY_VALUE)
		return e;
	if (POLICY_KIND(e) == POLICY_BYTE)
		return byte_value(root, e, hi);
	assert_int_equal(POLICY_KIND(e), POLICY_LEAF);
	leaf = (const struct policy_leaf *)line(head->leaves + POLICY_REST(e) / 2) + POLICY_REST(e) % 2;
	in = (struct prefix){ .hi = leaf->hi, .lo = leaf->lo, .len = leaf->len };
	return prefix_holds(&in, &addr) ? leaf->in : leaf->out;
}

static __u32 source_says(const struct prefix *addr)
{
	const struct policy_head *head = line(0);

	return trie_value(&head->root[addr->v6 ? POLICY_SOURCE6 : POLICY_SOURCE4], addr->hi, addr->lo);
}

/* Where the cells for <origin> begin. */
static __u32 plane_of(const struct policy_head *head, __u32 origin)
{
	const __u8 *planes;

	if (!head->origins)
		return head->cells;
	planes = line(head->origins + POLICY_PLANE_LINES + origin / POLICY_LINE);
	return ((const __u32 *)line(head->origins +
				    planes[origin % POLICY_LINE] / 16))[planes[origin % POLICY_LINE] % 16];
}

static __u32 service_says(const struct prefix *addr, __u32 selector, __u32 origin)
{
	const struct policy_head *head = line(0);
	__u32 row = trie_value(&head->root[addr->v6 ? POLICY_DEST6 : POLICY_DEST4], addr->hi, addr->lo);
	__u16 column = ((const __u16 *)line(head->columns + selector / 32))[selector % 32];
	__u32 i = row * head->width + column;

	return ((const __u32 *)line(plane_of(head, origin) + i / 16))[i % 16];
}

/* The reference: of rules in order, the first one that is not dry, and the first dry one before it. */
struct verdict {
	__u32	rule, dry;
};

static void hear(struct verdict *v, __u32 rule)
{
	if (v->rule)
		return;
	if (!policy.rule[rule].dry && !policy.dry)
		v->rule = rule;
	else if (!v->dry)
		v->dry = rule;
}

static __u32 source_reference(const struct prefix *addr)
{
	struct verdict v = { 0 };
	size_t i;
	int len;

	for (len = 128; len >= 0; len--)
		for (i = 0; i < policy.source.count; i++)
			if (policy.source.p[i].len == len && prefix_holds(&policy.source.p[i], addr))
				hear(&v, policy.source.p[i].rule);
	return POLICY_CELL(v.rule, v.dry);
}

static int service_matches(const struct rule *r, const struct prefix *addr, __u32 selector, __u32 origin)
{
	int dest = !r->dest.count, range = 0, from = !r->from.count;
	__u32 port = origin % POLICY_OPTIONS;
	size_t i;

	for (i = 0; i < r->dest.count; i++)
		dest |= prefix_holds(&r->dest.p[i], addr);
	for (i = 0; i < r->what.count; i++)
		range |= selector >= r->what.r[i].first && selector <= r->what.r[i].last;
	for (i = 0; i < r->from.count; i++)
		from |= port >= r->from.r[i].first && port <= r->from.r[i].last;
	return r->is_service && dest && range && from && (!r->options || origin >= POLICY_OPTIONS);
}

static __u32 service_reference(const struct prefix *addr, __u32 selector, __u32 origin)
{
	struct verdict v = { 0 };
	__u32 r;

	for (r = 1; r <= policy.rule_count; r++)
		if (service_matches(&policy.rule[r], addr, selector, origin))
			hear(&v, r);
	return POLICY_CELL(v.rule, v.dry);
}

/* --- random policies */

static __u64 random64(void)
{
	return (__u64)random() << 42 ^ (__u64)random() << 21 ^ random();
}

/* Of few bits, so that prefixes lie in each other; and now and then any. */
static struct prefix random_addr(void)
{
	struct prefix p = { .v6 = random() & 1, .len = 128 };

	p.hi = random() % 4 ? 0x0a00000000000000ULL | (__u64)(random() & 0x303) << 32 : random64();
	if (p.v6) {
		p.hi ^= random() & 0x11;
		p.lo = random() & 1 ? random() & 0xf : random64();
	} else {
		p.hi &= 0xffffffff00000000ULL;
		p.len = 32;
	}
	return p;
}

static void put_prefix(FILE *f)
{
	struct prefix p = random_addr();

	p.len = random() % (p.len + 1);
	p.hi &= p.len >= 64 ? ~0ULL : p.len ? ~0ULL << (64 - p.len) : 0;
	p.lo &= p.len == 128 ? ~0ULL : p.len > 64 ? ~0ULL << (128 - p.len) : 0;
	if (p.v6)
		fprintf(f, " %x:%x:%x:%x:%x:%x:%x:%x/%u", (__u32)(p.hi >> 48), (__u32)(p.hi >> 32) & 0xffff,
			(__u32)(p.hi >> 16) & 0xffff, (__u32)p.hi & 0xffff, (__u32)(p.lo >> 48),
			(__u32)(p.lo >> 32) & 0xffff, (__u32)(p.lo >> 16) & 0xffff, (__u32)p.lo & 0xffff, p.len);
	else
		fprintf(f, " %u.%u.%u.%u/%u", (__u32)(p.hi >> 56), (__u32)(p.hi >> 48) & 255, (__u32)(p.hi >> 40) & 255,
			(__u32)(p.hi >> 32) & 255, p.len);
}

static void put_prefixes(FILE *f)
{
	int n = random() % 5;

	put_prefix(f);
	while (n--) {
		fputc(',', f);
		put_prefix(f);
	}
}

static void put_service(FILE *f)
{
	static const char *const protos[] = { "any", "tcp", "udp", "icmp", "icmp6", "fragment" };
	int proto = random() % 6, first;

	fprintf(f, "service %s", protos[proto]);
	first = random() % 100;
	if ((proto == 1 || proto == 2) && !(random() % 8))
		fprintf(f, " from port %d-%ld,65535", first, first + random() % 30);
	if (random() & 1) {
		fputs(" to", f);
		put_prefixes(f);
	}
	first = random() % 100;
	if (proto && proto < 5 && random() % 4)
		fprintf(f, " %s %d,%d-%ld", proto < 3 ? "port" : "type", first, first, first + random() % 50);
	if (!(random() % 16))
		fputs(" with options", f);
	fputs(random() & 1 ? " deny" : " allow", f);
}

static void make_policy(void)
{
	static const char *const verbs[] = { "deny", "allow", "trust" };
	int rules = 1 + random() % 40;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	while (rules--) {
		if (random() & 1) {
			put_service(f);
		} else {
			fputs(verbs[random() % 3], f);
			put_prefixes(f);
		}
		fputs(random() % 3 ? "\n" : " dry\n", f);
	}
	fclose(f);
	if (parse(text, len))
		fail_msg("%s\n%s", nd.err, text);
	free(text);
	assert_int_equal(image_make(&nd, &policy, 0, &img), 0);
}

static void ask(void)
{
	struct prefix addr = random_addr();
	__u32 selector = (__u32[]){ POLICY_TCP, POLICY_UDP, POLICY_ICMP, POLICY_ICMP6, POLICY_PROTO,
				    POLICY_FRAGMENT }[random() % 6];

	__u32 origin = selector == POLICY_TCP || selector == POLICY_UDP ? random() % 130 : POLICY_NO_PORT;

	if (origin == 129)
		origin = 65535;
	if (random() & 1)
		origin += POLICY_OPTIONS;
	if (selector != POLICY_FRAGMENT)
		selector += random() % 160;
	/* the edge of a prefix, from outside and inside */
	if (policy.source.count && random() & 1) {
		addr = policy.source.p[random() % policy.source.count];
		if (random() & 1)
			addr.hi -= addr.v6 ? !addr.lo-- : 1ULL << 32;
		addr.len = addr.v6 ? 128 : 32;
	}
	assert_int_equal(source_says(&addr), source_reference(&addr));
	assert_int_equal(service_says(&addr, selector, origin), service_reference(&addr, selector, origin));
}

static void test_random(void **state)
{
	int i, k;

	srandom(815);
	for (i = 0; i < 500; i++) {
		make_policy();
		for (k = 0; k < 400; k++)
			ask();
		image_drop(&img);
		policy_free(&policy);
	}
}

/* With so many prefixes that the root is the large one. */
static void test_large(void **state)
{
	static const char text[] = "deny 10.0.0.0/8\nallow 10.1.0.0/16\ndeny 2001:db8::/32";
	struct prefix addr, p;
	int i;

	srandom(42);
	assert_int_equal(parse(text, strlen(text)), 0);
	policy.source.count = 0;	/* others in their place, in the order of the rules, too */
	for (i = 0; i < 150000; i++) {
		p = (struct prefix){ .v6 = i & 1, .rule = 1 + i / 50000, .hi = random64(), .len = 9 + random() % 24 };
		p.hi &= ~0ULL << (64 - p.len);
		assert_int_equal(prefixes_add(&policy.source, &p), 0);
	}
	assert_int_equal(image_make(&nd, &policy, 0, &img), 0);
	assert_int_equal(((const struct policy_head *)line(0))->root[POLICY_SOURCE4].bits, 24);
	assert_int_equal(((const struct policy_head *)line(0))->root[POLICY_SOURCE6].bits, 24);
	for (i = 0; i < 1000; i++) {
		addr = policy.source.p[random() % policy.source.count];
		addr.hi |= random64() >> addr.len;
		if (!addr.v6)
			addr.hi &= 0xffffffff00000000ULL;
		addr.len = addr.v6 ? 128 : 32;
		assert_int_equal(source_says(&addr), source_reference(&addr));
	}
	assert_true(bytes_met > 20);
	image_drop(&img);
	policy_free(&policy);
}

/* Services that would need too many cells are refused. */
static void test_cells(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int i;

	assert_non_null(f);
	for (i = 0; i < 1023; i++)
		fprintf(f, "service tcp to 10.0.%d.%d port %d,%d deny\n", i / 256, i % 256, i, i < 2 ? 2000 : i);
	fclose(f);
	assert_int_equal(parse(text, len), 0);
	assert_int_equal(image_make(&nd, &policy, 0, &img), -E2BIG);
	assert_string_equal(nd.err, "p: its services tell 1024 kinds of addresses, 1025 kinds of ports and 1 kinds of "
				    "source ports apart: more than 1048576 cells; use fewer destinations or ranges");
	policy_free(&policy);
	free(text);
}

/* So are more kinds of source ports than there are planes. */
static void test_planes(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int i;

	assert_non_null(f);
	for (i = 0; i < 256; i++)
		fprintf(f, "service udp from port %d deny\n", i);
	fclose(f);
	assert_int_equal(parse(text, len), 0);
	assert_int_equal(image_make(&nd, &policy, 0, &img), -E2BIG);
	assert_string_equal(nd.err, "p: its services tell more than 256 kinds of source ports apart");
	policy_free(&policy);
	assert_int_equal(parse(text, len - strlen("service udp from port 255 deny\n")), 0);
	assert_int_equal(image_make(&nd, &policy, 0, &img), 0);
	image_drop(&img);
	policy_free(&policy);
	free(text);
}

/* A rate of bytes: ns for each, and for a full bucket. */
static void test_bytes(void **state)
{
	static const struct {
		const char *text;
		__u64	gap, depth;
	} rows[] = {
		{ "service udp limit 1kB/s", 65536000000ULL, 65536000000ULL },
		{ "service udp limit 1MB/s burst 1MB", 65536000, 1000000000 },
		{ "service udp limit 10MB/s", 6553600, 100000000 },
		{ "service udp limit 10GB/s burst 64kB", 6553, 10000000 },
	};
	const struct policy_rule *rule;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].text, strlen(rows[i].text)), 0);
		assert_int_equal(image_make(&nd, &policy, 0, &img), 0);
		rule = (const struct policy_rule *)line(((const struct policy_head *)line(0))->rules) + 1;
		assert_true(rule->by_bytes);
		assert_int_equal(rule->gap, rows[i].gap);
		assert_int_equal(rule->depth, rows[i].depth);
		image_drop(&img);
		policy_free(&policy);
	}
}

/* --- sets that need not be defined */

struct known_row {
	const char *addr;
	int bogon, private;
};

static const struct known_row known[] = {
	{ "0.0.0.0", 1, 0 },
	{ "8.8.8.8", 0, 0 },
	{ "9.255.255.255", 0, 0 },
	{ "10.0.0.1", 0, 1 },
	{ "11.0.0.0", 0, 0 },
	{ "100.63.255.255", 0, 0 },
	{ "100.64.0.1", 0, 1 },
	{ "100.128.0.0", 0, 0 },
	{ "127.0.0.1", 1, 0 },
	{ "169.254.169.254", 0, 1 },
	{ "172.15.255.255", 0, 0 },
	{ "172.31.255.255", 0, 1 },
	{ "172.32.0.0", 0, 0 },
	{ "192.0.0.1", 1, 0 },
	{ "192.0.1.0", 0, 0 },
	{ "192.0.2.1", 1, 0 },
	{ "192.168.3.4", 0, 1 },
	{ "192.169.0.0", 0, 0 },
	{ "198.17.255.255", 0, 0 },
	{ "198.19.255.255", 1, 0 },
	{ "198.51.100.9", 1, 0 },
	{ "203.0.113.255", 1, 0 },
	{ "203.0.114.0", 0, 0 },
	{ "223.255.255.255", 0, 0 },
	{ "224.0.0.1", 1, 0 },
	{ "255.255.255.255", 1, 0 },
	{ "::", 1, 0 },
	{ "::1", 1, 0 },
	{ "::ffff:8.8.8.8", 1, 0 },
	{ "64:ff9b::808:808", 0, 0 },
	{ "64:ff9b:1::1", 0, 1 },
	{ "100::1", 1, 0 },
	{ "1fff::1", 1, 0 },
	{ "2001:2::1", 1, 0 },
	{ "2001:2:1::1", 0, 0 },
	{ "2001:1f::1", 1, 0 },
	{ "2001:20::1", 0, 0 },
	{ "2001:db8::1", 1, 0 },
	{ "2001:4860:4860::8888", 0, 0 },
	{ "2001::1", 0, 0 },
	{ "2002:c000::1", 0, 0 },
	{ "3fff:fff::1", 1, 0 },
	{ "3fff:1000::1", 0, 0 },
	{ "4000::", 1, 0 },
	{ "5f00::1", 1, 0 },
	{ "bfff::1", 1, 0 },
	{ "dfff::1", 1, 0 },
	{ "efff::1", 1, 0 },
	{ "f7ff::1", 1, 0 },
	{ "fbff::1", 1, 0 },
	{ "fc00::1", 0, 1 },
	{ "fdff::1", 0, 1 },
	{ "fe00::1", 1, 0 },
	{ "fe80::1", 0, 1 },
	{ "febf::1", 0, 1 },
	{ "fec0::1", 1, 0 },
	{ "ff02::1", 1, 0 },
};

/* Is rule 1 about <text>? */
static int is_denied(const char *text)
{
	struct prefix addr;

	assert_null(prefix_parse(text, strlen(text), &addr));
	return source_says(&addr) == POLICY_CELL(1, 0);
}

static void test_known(void **state)
{
	static const char *const text[] = { "deny @bogons", "deny @private" };
	const struct known_row *row;
	size_t i, k;

	for (k = 0; k < 2; k++) {
		assert_int_equal(parse(text[k], strlen(text[k])), 0);
		assert_int_equal(strncmp(policy.rule[1].text, text[k], strlen(text[k])), 0);
		assert_int_equal(image_make(&nd, &policy, 0, &img), 0);
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
			row = &known[i];
			if (is_denied(row->addr) != (k ? row->private : row->bogon))
				fail_msg("%s: %s", text[k], row->addr);
		}
		image_drop(&img);
		policy_free(&policy);
	}
}

static int setup(void **state)
{
	return tree_make(&tree);
}

static int teardown(void **state)
{
	tree_remove(&tree);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),    cmocka_unit_test(test_zero_byte), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_file),   cmocka_unit_test(test_random),	 cmocka_unit_test(test_large),
		cmocka_unit_test(test_cells),  cmocka_unit_test(test_planes),	 cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_known),
	};

	return cmocka_run_group_tests_name("policy", tests, setup, teardown);
}

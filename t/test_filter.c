// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_filter.c - tcpdump's expressions in the kernel match what libpcap says they match
 *
 * Each expression is translated for XDP and for tc, and meets packets of all kinds, sound ones and such with random
 * bytes in them: in one piece, in several buffers, and with a VLAN tag beside the packet, as the stack leaves it to the
 * card. The judge is libpcap's machine. Then there are programs at random, with instructions in any order that is
 * valid.
 */
#include <errno.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <cmocka.h>
#include "../lib/filter.h"
#include "judge.h"
#include "run.h"

#define LEN_MAX		1600
#define PACKETS		6000		/* for each expression: a million for all of them */
#define PROGRAMS	1500
#define INSNS		24		/* of a program at random */

static const char *const expressions[] = {
	"",
	"ip",
	"ip6",
	"arp",
	"rarp",
	"tcp",
	"udp",
	"icmp",
	"icmp6",
	"igmp",
	"sctp",
	"ah",
	"esp",
	"pim",
	"vrrp",
	"not ip",
	"ip or ip6",
	"not arp and not tcp",
	"broadcast",
	"multicast",
	"ip multicast",
	"ip6 multicast",
	"ether broadcast",
	"ether multicast",
	"host 10.77.0.1",
	"src host 10.77.0.1",
	"dst host 10.77.0.2",
	"src or dst host 10.77.0.2",
	"src and dst host 10.77.0.2",
	"not host 10.77.0.1",
	"ip host 10.77.0.1",
	"arp host 10.77.0.1",
	"host fd77::1",
	"src host fd77::1",
	"dst host fd77::2",
	"net 10.0.0.0/8",
	"src net 10.77.0.0/16",
	"dst net 10.77.0.0 mask 255.255.255.0",
	"net 10.77",
	"net fd77::/16",
	"src net fd77::/64",
	"dst net fe80::/10",
	"port 80",
	"src port 1025",
	"dst port 53",
	"tcp port 80",
	"udp port 53",
	"tcp src port 80",
	"udp dst port 9",
	"portrange 1-1024",
	"src portrange 1000-2000",
	"tcp dst portrange 8000-8999",
	"not port 22",
	"tcp port 80 or tcp port 443",
	"port 80 and host 10.77.0.1",
	"host 10.77.0.1 and not port 22",
	"ether host 02:00:00:00:77:01",
	"ether src 02:00:00:00:77:01",
	"ether dst 02:00:00:00:77:02",
	"ether proto 0x0800",
	"ether proto \\ip6",
	"ether proto 0x88b5",
	"ip proto 17",
	"ip6 proto 6",
	"proto 1",
	"ip proto \\tcp",
	"ip6 protochain 6",
	"ip protochain 17",
	"protochain 58",
	"less 100",
	"greater 100",
	"len > 64",
	"len <= 60",
	"len = 60",
	"len & 1 = 0",
	"tcp[13] & 2 != 0",
	"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
	"tcp[tcpflags] == tcp-ack",
	"tcp[tcpflags] & tcp-rst != 0",
	"tcp[0:2] = 80",
	"tcp[4:4] > 0x80000000",
	"tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420",
	"ip[0] & 0xf != 5",
	"ip[6:2] & 0x1fff = 0",
	"ip[6] & 0x20 != 0",
	"ip[8] < 5",
	"ip[2:2] > 576",
	"ip[9] = 6",
	"ip6[6] = 17",
	"ip6[7] < 64",
	"ip6[40] = 128",
	"udp[4:2] > 8",
	"udp[8] = 0x3f",
	"icmp[icmptype] = icmp-echo",
	"icmp[icmptype] = icmp-echoreply",
	"icmp[0] = 8 and icmp[1] = 0",
	"icmp6[icmp6type] = icmp6-echo",
	"ether[0] & 1 = 0",
	"ether[6:4] = 0x02000000",
	"ether[12:2] > 0x600",
	"ether[14] >> 4 = 4",
	"ether[100] = 46",
	"ether[1000:4] != 0",
	"ether[10:4] = 0x77020800",
	"ether[9:4] != 0",
	"ether[11:2] != 0",
	"ether[13:4] != 0",
	"ether[15:2] > 100",
	"ether[14:2] & 0xfff = 10",
	"ether[12:4] = 0x8100000a",
	"ether[ether[14]:1] = 0",
	"ether[ether[15]:2] > 1000",
	"ether[ether[13]:4] != 0",
	"ether[ether[0] + 7:4] = 0",
	"ether[ether[11]:4] != 0",
	"ether[(ether[13] & 15):4] > 65536",
	"ether[(ether[5] & 7) + 8:4] > 0x1000000",
	"vlan",
	"vlan 10",
	"vlan and ip",
	"vlan 10 and tcp",
	"vlan 10 and vlan 20",
	"vlan and vlan and udp",
	"vlan and host 10.77.0.1",
	"vlan 10 and tcp port 80",
	"not vlan",
	"ip or (vlan and ip)",
	"vlan and ip6 and udp",
	"mpls",
	"mpls 100",
	"mpls and ip",
	"pppoed",
	"pppoes",
	"pppoes and ip",
	"llc",
	"stp",
	"ipx",
	"isis",
	"iso",
	"clnp",
	"atalk",
	"aarp",
	"decnet src 10.1",
	"lat",
	"moprc",
	"netbeui",
	"geneve",
	"vlan and not ip",
	"(tcp or udp) and (port 53 or port 80)",
	"tcp and not (src port 80 or dst port 80)",
	"ip and ip[0] & 0xf > 5 and tcp",
	"ip[(ip[0] & 0xf) * 4] = 8",
	"len / 4 * 4 = len",
	"len % 7 = 3",
	"ip[4:2] % 2 = 0",
	"ip[4:2] / ip[8] > 10",
	"ip[4:2] % ip[8] = 1",
	"ip[4:2] << ip[9] > 100",
	"ip[12:4] >> ip[9] & 1 = 1",
	"-ip[8] + 64 = 0",
	"ip[4:2] ^ ip[10:2] > 0x8000",
	"ip[16:4] * 3 > ip[12:4]",
	"ip[8] - ip[9] > 0",
	"ip[0] + ip6[0] > 0x65",
	"tcp and ((ip[2:2] - ((ip[0] & 0xf) << 2)) - ((tcp[12] & 0xf0) >> 2)) != 0",
	"host 10.77.0.1 or host 10.77.0.2 or host 10.78.0.1 or net 192.168.0.0/16 or net 172.16.0.0/12",
	"icmp or icmp6 or arp or (udp and portrange 67-68) or (tcp[13] & 7 != 0)",
};

#define COUNT	(sizeof(expressions) / sizeof(expressions[0]))

static uint64_t state_ = 1;

static uint32_t rnd(void)
{
	state_ ^= state_ << 13;
	state_ ^= state_ >> 7;
	state_ ^= state_ << 17;
	return state_ >> 16;
}

/* --- packets */

static const struct pkt_layer kinds[][PKT_LAYERS] = {
	{ IP4(), TCP(.dport = 80, .flags = TH_SYN), { 0 } },
	{ IP4(), TCP(.sport = 80, .flags = TH_ACK), DATA(200), { 0 } },
	{ IP4(), TCP(.dport = 8000, .flags = TH_FIN), DATA(7), { 0 } },
	{ IP4(), UDP(.dport = 53), DATA(30), { 0 } },
	{ IP4(), UDP(.sport = 1025, .dport = 9), DATA(18), { 0 } },
	{ IP4(), ICMP(), DATA(56), { 0 } },
	{ IP6(), TCP(.dport = 80, .flags = TH_SYN), { 0 } },
	{ IP6(), UDP(.dport = 53), DATA(100), { 0 } },
	{ IP6(), ICMP6(), DATA(56), { 0 } },
	{ IP6(), EXT(0), EXT(60), TCP(.dport = 80), { 0 } },
	{ VLAN(.tci = 10), IP4(), TCP(.dport = 80, .flags = TH_ACK), { 0 } },
	{ VLAN(.tci = 10), VLAN(.tci = 20), IP4(), UDP(.dport = 53), DATA(4), { 0 } },
	{ VLAN(.tci = 30), IP6(), UDP(.dport = 53), DATA(4), { 0 } },
	{ IP4(), UDP(.dport = 7), DATA(1400), { 0 } },
};

/* EtherTypes that expressions ask for, and that no kind has. */
static const uint16_t types[] = { 0x0806, 0x8035, 0x8847, 0x8848, 0x8863, 0x8864, 0x6003, 0x6004,
				  0x6002, 0x809b, 0x80f3, 0x88a8, 0x8137, 0x88b5, 50,     1500 };

/* A packet of <*len> bytes: sound, or not in some places; seldom nothing but random bytes. */
static void make_packet(uint8_t *data, size_t *len)
{
	static struct pkt p;
	uint32_t i, n;

	pkt_build(&p, kinds[rnd() % (sizeof(kinds) / sizeof(kinds[0]))]);
	memcpy(data, p.data, p.len);
	*len = p.len;
	for (n = rnd() % 3 ? rnd() % 4 : 0, i = 0; i < n; i++)
		data[rnd() % (rnd() % 2 ? 64 : *len) % *len] = rnd();
	if (!(rnd() % 8)) {
		n = types[rnd() % (sizeof(types) / sizeof(types[0]))];
		data[12] = n >> 8;
		data[13] = n;
	}
	if (!(rnd() % 64))
		for (i = 0; i < *len; i++)
			data[i] = rnd();
	if (!(rnd() % 8))
		data[23] = rnd() % 2 ? 132 : rnd() % 128;
	if (!(rnd() % 8)) {
		n = 14 + rnd() % (*len - 14);
		*len = n;
	}
}

/* --- programs in the kernel */

static int run_prog(int prog, const uint8_t *data, size_t len, size_t linear)
{
	struct xdp_md md = { .data_end = linear };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = data, .data_size_in = len, .repeat = 1,
		    .ctx_in = linear ? &md : NULL, .ctx_size_in = linear ? sizeof(md) : 0);
	int err = bpf_prog_test_run_opts(prog, &o);

	if (err)
		fail_msg("test run of %zu bytes, %zu linear: %s", len, linear, strerror(errno));
	return o.retval;
}

static int load(const struct filter *f, enum filter_kind kind)
{
	const struct filter_target target = { .kind = kind };

	return filter_load(f, &target);
}

/* A program that takes the first VLAN tag of the packet out of it, as receive offload does, and calls the filter. */
static int tagger(int *map)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_6, .src_reg = BPF_REG_1 },
		{ .code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = __builtin_bswap16(0x8100) },
		{ .code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 10 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_skb_vlan_push },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_6 },
		{ .code = BPF_LD | BPF_DW, .dst_reg = BPF_REG_2, .src_reg = BPF_PSEUDO_MAP_FD, .imm = *map },
		{ 0 },
		{ .code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 99 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "tagger", "GPL", insns, sizeof(insns) / sizeof(insns[0]), NULL);
}

static int tag_map = -1, tag_prog = -1;

/* The packet as it is behind that. */
static size_t tagged(uint8_t *to, const uint8_t *data, size_t len)
{
	static const uint8_t tag[] = { 0x81, 0x00, 0, 10 };

	memcpy(to, data, 12);
	memcpy(to + 12, tag, 4);
	memcpy(to + 16, data + 12, len - 12);
	return len + 4;
}

struct subject {
	const char *name;
	int	xdp, tc;
	uint64_t matched;
};

static int judge_any(const struct judge *j, const struct filter *f, const uint8_t *data, size_t len)
{
	return j ? judge_match(j, data, len) : judge_run(f->insn, f->count, data, len);
}

/* One packet in all ways. */
static void compare(struct subject *s, const struct judge *j, const struct filter *f)
{
	static uint8_t data[PKT_MAX], with_tag[PKT_MAX + 4];
	size_t len, linear;
	int want;

	make_packet(data, &len);
	want = judge_any(j, f, data, len);
	s->matched += want;
	if (run_prog(s->xdp, data, len, 0) != want)
		fail_msg("\"%s\": XDP does not say %d to a packet of %zu bytes", s->name, want, len);
	linear = 14 + rnd() % (len - 13);
	if (linear < len && run_prog(s->xdp, data, len, linear) != want)
		fail_msg("\"%s\": XDP does not say %d to %zu bytes, %zu of them linear", s->name, want, len, linear);
	/* test runs for tc want a whole IP header */
	if (len < 14 + 40)
		return;
	if (run_prog(s->tc, data, len, 0) != want)
		fail_msg("\"%s\": tc does not say %d to a packet of %zu bytes", s->name, want, len);
	want = judge_any(j, f, with_tag, tagged(with_tag, data, len));
	s->matched += want;
	if (run_prog(tag_prog, data, len, 0) != want)
		fail_msg("\"%s\": tc does not say %d to a packet of %zu bytes with a tag beside it", s->name, want,
			 len);
}

static void compare_all(struct subject *s, const struct judge *j, const struct filter *f, uint32_t packets)
{
	const uint32_t zero = 0;
	uint32_t i;

	s->xdp = load(f, FILTER_TEST_XDP);
	s->tc = load(f, FILTER_TEST_TC);
	if (s->xdp < 0 || s->tc < 0)
		fail_msg("\"%s\": not loaded: %s, %s", s->name, strerror(-s->xdp), strerror(-s->tc));
	assert_int_equal(bpf_map_update_elem(tag_map, &zero, &s->tc, BPF_ANY), 0);
	for (i = 0; i < packets; i++)
		compare(s, j, f);
	close(s->xdp);
	close(s->tc);
}

static void tcpdump_expressions(void **state)
{
	struct subject s = { 0 };
	struct filter f;
	char err[256];
	struct judge *j;
	size_t i, matching = 0;

	for (i = 0; i < COUNT; i++) {
		s = (struct subject){ .name = expressions[i] };
		if (filter_compile(s.name, &f, err, sizeof(err)))
			fail_msg("\"%s\": %s", s.name, err);
		j = judge_open(s.name);
		assert_non_null(j);
		compare_all(&s, j, &f, PACKETS);
		judge_close(j);
		filter_free(&f);
		matching += s.matched > 0;
	}
	assert_true(i * PACKETS >= 900000);
	/* they are not all refused by everything */
	assert_true(matching > COUNT * 3 / 4);
}

/* --- programs at random */

static struct filter_insn random_insn(uint32_t left)
{
	static const uint16_t codes[] = {
		BPF_LD | BPF_W | BPF_ABS,
		BPF_LD | BPF_H | BPF_ABS,
		BPF_LD | BPF_B | BPF_ABS,
		BPF_LD | BPF_W | BPF_IND,
		BPF_LD | BPF_H | BPF_IND,
		BPF_LD | BPF_B | BPF_IND,
		BPF_LD | BPF_IMM,
		BPF_LD | BPF_MEM,
		BPF_LD | BPF_W | BPF_LEN,
		BPF_LDX | BPF_IMM,
		BPF_LDX | BPF_MEM,
		BPF_LDX | BPF_W | BPF_LEN,
		BPF_LDX | BPF_B | BPF_MSH,
		BPF_ST,
		BPF_STX,
		BPF_ALU | BPF_ADD,
		BPF_ALU | BPF_SUB | BPF_K,
		BPF_ALU | BPF_MUL | BPF_K,
		BPF_ALU | BPF_DIV | BPF_K,
		BPF_ALU | BPF_MOD | BPF_K,
		BPF_ALU | BPF_AND | BPF_K,
		BPF_ALU | BPF_OR | BPF_K,
		BPF_ALU | BPF_XOR | BPF_K,
		BPF_ALU | BPF_LSH | BPF_K,
		BPF_ALU | BPF_RSH | BPF_K,
		BPF_ALU | BPF_NEG,
		BPF_ALU | BPF_ADD | BPF_X,
		BPF_ALU | BPF_SUB | BPF_X,
		BPF_ALU | BPF_MUL | BPF_X,
		BPF_ALU | BPF_DIV | BPF_X,
		BPF_ALU | BPF_MOD | BPF_X,
		BPF_ALU | BPF_AND | BPF_X,
		BPF_ALU | BPF_OR | BPF_X,
		BPF_ALU | BPF_XOR | BPF_X,
		BPF_ALU | BPF_LSH | BPF_X,
		BPF_ALU | BPF_RSH | BPF_X,
		BPF_JMP | BPF_JEQ | BPF_K,
		BPF_JMP | BPF_JGT | BPF_K,
		BPF_JMP | BPF_JGE | BPF_K,
		BPF_JMP | BPF_JSET | BPF_K,
		BPF_JMP | BPF_JEQ | BPF_X,
		BPF_JMP | BPF_JGT | BPF_X,
		BPF_JMP | BPF_JGE | BPF_X,
		BPF_JMP | BPF_JSET | BPF_X,
		BPF_MISC | BPF_TAX,
		BPF_MISC | BPF_TXA,
	};
	struct filter_insn i = { .code = codes[rnd() % (sizeof(codes) / sizeof(codes[0]))] };
	uint8_t class = BPF_CLASS(i.code), what = BPF_OP(i.code);

	i.k = rnd() % 8 ? rnd() % 64 : rnd() % 4 ? rnd() % 2000 : rnd();
	if (class == BPF_ST || class == BPF_STX || (class <= BPF_LDX && BPF_MODE(i.code) == BPF_MEM))
		i.k %= BPF_MEMWORDS;
	if (class == BPF_ALU && (what == BPF_LSH || what == BPF_RSH))
		i.k %= 32;
	if (class == BPF_ALU && (what == BPF_DIV || what == BPF_MOD) && !i.k)
		i.k = 3;
	if (class == BPF_JMP) {
		i.jt = rnd() % (left < 5 ? left : 5);
		i.jf = rnd() % (left < 5 ? left : 5);
	}
	return i;
}

/* All of M set first: libpcap's machine begins with what is there. Then the instructions, and "return A". */
static size_t random_program(struct filter_insn *to)
{
	size_t n = 0, k;

	for (k = 0; k < BPF_MEMWORDS; k++)
		to[n++] = (struct filter_insn){ .code = BPF_ST, .k = k };
	for (k = 0; k < INSNS; k++)
		to[n++] = random_insn(INSNS - k);
	to[n++] = (struct filter_insn){ .code = BPF_RET | BPF_A };
	return n;
}

/* Is each instruction reached by some way? The verifier wants it so. */
static int is_connected(const struct filter_insn *insn, size_t count)
{
	uint8_t reached[BPF_MEMWORDS + INSNS + 1] = { 1 };
	size_t i;

	for (i = 0; i < count; i++) {
		if (!reached[i])
			return 0;
		if (BPF_CLASS(insn[i].code) == BPF_JMP)
			reached[i + 1 + insn[i].jt] = reached[i + 1 + insn[i].jf] = 1;
		else if (i + 1 < count)
			reached[i + 1] = 1;
	}
	return 1;
}

static void any_program(void **state)
{
	struct filter_insn insn[BPF_MEMWORDS + INSNS + 1];
	struct filter f = { .insn = insn };
	struct subject s;
	uint64_t matched = 0;
	char name[32];
	int i;

	for (i = 0; i < PROGRAMS; i++) {
		do {
			f.count = random_program(insn);
		} while (!is_connected(insn, f.count));
		snprintf(name, sizeof(name), "program %d", i);
		s = (struct subject){ .name = name };
		compare_all(&s, NULL, &f, 20);
		matched += s.matched;
	}
	assert_in_range(matched, PROGRAMS, 40 * PROGRAMS - PROGRAMS);
}

/* --- what is refused */

static void refused(void **state)
{
	static const struct filter_insn bad[] = {
		{ BPF_RET | BPF_X, 0, 0, 0 },    { 0xffff, 0, 0, 0 },
		{ BPF_MISC | 0x40, 0, 0, 0 },    { BPF_JMP | BPF_JA, 0, 0, 7 },
		{ BPF_JMP | BPF_JA, 0, 0, -2U }, { BPF_JMP | BPF_JEQ, 5, 0, 0 },
		{ BPF_JMP | BPF_JEQ, 0, 5, 0 },  { BPF_ST, 0, 0, 16 },
		{ BPF_LD | BPF_MEM, 0, 0, 16 },  { BPF_LD | 0xe0, 0, 0, 0 },
		{ BPF_ALU | 0xf0, 0, 0, 0 },     { BPF_JMP | 0xf0, 0, 0, 0 },
	};
	struct filter_insn insn[2] = { { 0 }, { BPF_RET | BPF_K, 0, 0, 1 } };
	const struct filter_target target = { .kind = FILTER_TEST_XDP };
	struct bpf_insn *out = NULL;
	struct filter f = { insn, 2 };
	char err[256] = "";
	size_t i, count;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		insn[0] = bad[i];
		assert_int_equal(filter_translate(&f, &target, &out, &count), -EINVAL);
	}
	f.count = 0;
	assert_int_equal(filter_translate(&f, &target, &out, &count), -EINVAL);
	insn[0] = (struct filter_insn){ .code = BPF_LD | BPF_IMM };
	f.count = 1;
	assert_int_equal(filter_translate(&f, &target, &out, &count), -EINVAL);
	assert_null(out);
	assert_int_equal(filter_compile("port nix and", &f, err, sizeof(err)), -EINVAL);
	assert_true(strlen(err) > 0);
	filter_free(&f);
}

static int up(void **state)
{
	tag_map = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "tag", 4, 4, 1, NULL);
	tag_prog = tagger(&tag_map);
	return tag_map < 0 || tag_prog < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcpdump_expressions), cmocka_unit_test(any_program), cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests_name("filter", tests, up, NULL);
}

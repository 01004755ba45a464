// SPDX-License-Identifier: GPL-2.0-only
/*
 * filter.c - classic BPF, as libpcap's compiler makes it, into eBPF
 *
 *	r6	the context
 *	r7	A
 *	r8	X
 *	r9	tc: 4 if a VLAN tag waits beside the packet, which an expression has to see where it will be; else 0
 *	stack	word for helpers, M[0..15], and the bytes around such a tag
 *
 * A load reads the linear part directly, and by a helper what is beyond. It ends the filter, with "no", where the
 * packet ends: as in the kernel's and in libpcap's own machine. All arithmetic is in 32 bits.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/pkt_cls.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <ndiv/abi.h>
#include "filter.h"

#define CTX	BPF_REG_6
#define A	BPF_REG_7
#define X	BPF_REG_8
#define TAG	BPF_REG_9

#define WORD		(-8)			/* on the stack */
#define MEM(k)		(WORD - 4 - 4 * (int)(k))
#define NEAR_TAG	(MEM(BPF_MEMWORDS) - 12) /* bytes 8 to 19 of the packet with its tag; aligned to 4 */
#define LOOPS		(NEAR_TAG - 8)		/* jumps back so far */
#define TAG_AT		12			/* where the tag belongs */
#define TAG_LEN		4

#define DIRECT_MAX	0x3fff			/* beyond this offset, by the helper only */
#define OFFSET_MAX	0x7fffffff
#define LOOPS_MAX	16			/* headers that "protochain" follows */
#define INSNS_MAX	32000			/* jumps have 16 bits */

/* A jump whose target was not there yet. */
struct jump {
	size_t	at;
	size_t	to;			/* classic instruction, or one of the ends */
};

#define TO_ACCEPT	((size_t)-1)
#define TO_REJECT	((size_t)-2)

struct code {
	const struct filter *f;
	const struct filter_target *target;
	struct bpf_insn *insn;
	size_t	count, room;
	size_t	*start;			/* of each classic instruction */
	struct jump *jump;
	size_t	jumps, jump_room;
	int	err;
};

/* --- instructions */

static void emit(struct code *c, struct bpf_insn insn)
{
	struct bpf_insn *more;

	if (c->count == c->room) {
		c->room = c->room * 2 + 256;
		more = realloc(c->insn, c->room * sizeof(*more));
		if (!more) {
			c->err = -ENOMEM;
			c->room = c->count;
			return;
		}
		c->insn = more;
	}
	c->insn[c->count++] = insn;
}

static void op(struct code *c, __u8 code, int dst, int src, int off, __s32 imm)
{
	emit(c, (struct bpf_insn){ .code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm });
}

static void move(struct code *c, int dst, int src)
{
	op(c, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void set(struct code *c, int dst, __u32 value)
{
	op(c, BPF_ALU | BPF_MOV | BPF_K, dst, 0, 0, value);
}

static void add(struct code *c, int dst, __s32 value)
{
	op(c, BPF_ALU64 | BPF_ADD, dst, 0, 0, value);	/* BPF_K */
}

static void load(struct code *c, __u8 size, int dst, int src, int off)
{
	op(c, BPF_LDX | BPF_MEM | size, dst, src, off, 0);
}

static void store(struct code *c, __u8 size, int off, int src)
{
	op(c, BPF_STX | BPF_MEM | size, BPF_REG_10, src, off, 0);
}

static void call(struct code *c, __s32 helper)
{
	op(c, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

static void load_map(struct code *c, int dst, int fd)
{
	op(c, BPF_LD | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, fd);	/* BPF_IMM */
	op(c, 0, 0, 0, 0, 0);
}

/* A jump to a place of the program that comes later: returned, for land(). */
static size_t skip(struct code *c, __u8 code, int dst, int src, __s32 imm)
{
	op(c, code, dst, src, 0, imm);
	return c->count - 1;
}

static void land(struct code *c, size_t at)
{
	if (!c->err)
		c->insn[at].off = c->count - at - 1;
}

/* A jump to classic instruction <to>, or to an end. */
static void jump(struct code *c, __u8 code, int dst, int src, __s32 imm, size_t to)
{
	struct jump *more;

	if (c->jumps == c->jump_room) {
		c->jump_room = c->jump_room * 2 + 64;
		more = realloc(c->jump, c->jump_room * sizeof(*more));
		if (!more) {
			c->err = -ENOMEM;
			c->jump_room = c->jumps;
			return;
		}
		c->jump = more;
	}
	c->jump[c->jumps++] = (struct jump){ .at = c->count, .to = to };
	op(c, code, dst, src, 0, imm);
}

static void go(struct code *c, size_t to)
{
	jump(c, BPF_JMP | BPF_JA, 0, 0, 0, to);
}

/* What can never be true. A jump that looks as if it could be otherwise: the verifier refuses what nothing leads to. */
static void never(struct code *c)
{
	jump(c, BPF_JMP | BPF_JGE | BPF_K, A, 0, 0, TO_REJECT);
}

/* --- loads from the packet */

static int is_tc(const struct code *c)
{
	return c->target->kind == FILTER_TX || c->target->kind == FILTER_TEST_TC;
}

static int bytes(__u8 size)
{
	return size == BPF_W ? 4 : size == BPF_H ? 2 : 1;
}

/* From the byte order of the net. */
static void swap(struct code *c, __u8 size, int dst)
{
	if (size != BPF_B)
		op(c, BPF_ALU | BPF_END | BPF_TO_BE, dst, 0, 0, size == BPF_W ? 32 : 16);
}

/* By the helper, from offset r2. */
static void load_far(struct code *c, __u8 size, int dst)
{
	move(c, BPF_REG_1, CTX);
	move(c, BPF_REG_3, BPF_REG_10);
	add(c, BPF_REG_3, WORD);
	set(c, BPF_REG_4, bytes(size));
	call(c, is_tc(c) ? BPF_FUNC_skb_load_bytes : BPF_FUNC_xdp_load_bytes);
	jump(c, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 0, TO_REJECT);
	load(c, size, dst, BPF_REG_10, WORD);
	swap(c, size, dst);
}

/*
 * A packet whose tag waits beside it: bytes up to 12 are where they are, those from 16 on are 4 bytes earlier; what
 * lies in between, or touches it, is on the stack. r2: the offset, with the tag.
 */
static void load_tagged(struct code *c, __u8 size, int dst)
{
	size_t before, behind, done;
	int i;

	before = skip(c, BPF_JMP | BPF_JLE | BPF_K, BPF_REG_2, 0, TAG_AT - bytes(size));
	behind = skip(c, BPF_JMP | BPF_JGE | BPF_K, BPF_REG_2, 0, TAG_AT + TAG_LEN);
	move(c, BPF_REG_3, BPF_REG_10);
	op(c, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_3, BPF_REG_2, 0, 0);
	set(c, dst, 0);
	for (i = 0; i < bytes(size); i++) {
		load(c, BPF_B, BPF_REG_4, BPF_REG_3, NEAR_TAG - (TAG_AT - TAG_LEN) + i);
		op(c, BPF_ALU | BPF_LSH | BPF_K, dst, 0, 0, 8);
		op(c, BPF_ALU | BPF_OR | BPF_X, dst, BPF_REG_4, 0, 0);
	}
	done = skip(c, BPF_JMP | BPF_JA, 0, 0, 0);
	land(c, behind);
	add(c, BPF_REG_2, -TAG_LEN);
	land(c, before);
	load_far(c, size, dst);
	land(c, done);
}

/* From offset r2 into <dst>. <most>: what r2 can be, as far as it is known. */
static void load_packet(struct code *c, __u8 size, int dst, __u64 most)
{
	size_t tagged = 0, far[2], done[2];
	int i, fars = 0, dones = 0;

	jump(c, BPF_JMP | BPF_JGT | BPF_K, BPF_REG_2, 0, OFFSET_MAX, TO_REJECT);
	if (is_tc(c))
		tagged = skip(c, BPF_JMP | BPF_JNE | BPF_K, TAG, 0, 0);
	if (most > DIRECT_MAX) {
		far[fars++] = skip(c, BPF_JMP | BPF_JGT | BPF_K, BPF_REG_2, 0, DIRECT_MAX);
		/*
		 * Changes nothing, but verifiers before Linux 6.8 follow branches that cannot be taken, with bounds
		 * that contradict each other, and then take the sum below for no pointer.
		 */
		op(c, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, DIRECT_MAX);
	}
	load(c, BPF_W, BPF_REG_1, CTX, is_tc(c) ? offsetof(struct __sk_buff, data) : offsetof(struct xdp_md, data));
	load(c, BPF_W, BPF_REG_4, CTX,
	     is_tc(c) ? offsetof(struct __sk_buff, data_end) : offsetof(struct xdp_md, data_end));
	op(c, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_1, BPF_REG_2, 0, 0);
	move(c, BPF_REG_3, BPF_REG_1);
	add(c, BPF_REG_3, bytes(size));
	far[fars++] = skip(c, BPF_JMP | BPF_JGT | BPF_X, BPF_REG_3, BPF_REG_4, 0);
	load(c, size, dst, BPF_REG_1, 0);
	swap(c, size, dst);
	done[dones++] = skip(c, BPF_JMP | BPF_JA, 0, 0, 0);
	if (is_tc(c)) {
		land(c, tagged);
		load_tagged(c, size, dst);
		done[dones++] = skip(c, BPF_JMP | BPF_JA, 0, 0, 0);
	}
	for (i = 0; i < fars; i++)
		land(c, far[i]);
	load_far(c, size, dst);
	for (i = 0; i < dones; i++)
		land(c, done[i]);
}

static void load_at(struct code *c, __u8 size, int dst, __u32 k)
{
	if (k > OFFSET_MAX) {
		never(c);
		return;
	}
	set(c, BPF_REG_2, k);
	load_packet(c, size, dst, k);
}

static void load_len(struct code *c, int dst)
{
	if (is_tc(c)) {
		load(c, BPF_W, dst, CTX, offsetof(struct __sk_buff, len));
		op(c, BPF_ALU | BPF_ADD | BPF_X, dst, TAG, 0, 0);
		return;
	}
	move(c, BPF_REG_1, CTX);
	call(c, BPF_FUNC_xdp_get_buff_len);
	op(c, BPF_ALU | BPF_MOV | BPF_X, dst, BPF_REG_0, 0, 0);
}

/* LD and LDX. */
static void put_load(struct code *c, const struct filter_insn *i, int dst)
{
	__u8 size = BPF_SIZE(i->code);

	switch (BPF_MODE(i->code)) {
	case BPF_IMM:
		return set(c, dst, i->k);
	case BPF_MEM:
		if (i->k >= BPF_MEMWORDS)
			break;
		return load(c, BPF_W, dst, BPF_REG_10, MEM(i->k));
	case BPF_LEN:
		return load_len(c, dst);
	case BPF_ABS:
		return load_at(c, size, dst, i->k);
	case BPF_IND:
		move(c, BPF_REG_2, X);
		set(c, BPF_REG_3, i->k);
		op(c, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_2, BPF_REG_3, 0, 0);
		return load_packet(c, size, dst, ~0ULL);
	case BPF_MSH:
		load_at(c, BPF_B, dst, i->k);
		op(c, BPF_ALU | BPF_AND | BPF_K, dst, 0, 0, 0xf);
		op(c, BPF_ALU | BPF_LSH | BPF_K, dst, 0, 0, 2);
		return;
	}
	c->err = -EINVAL;
}

/* --- the other instructions */

static void put_store(struct code *c, const struct filter_insn *i, int src)
{
	if (i->k >= BPF_MEMWORDS)
		c->err = -EINVAL;
	else
		store(c, BPF_W, MEM(i->k), src);
}

/* Shifts by 32 or more make 0. */
static void put_shift(struct code *c, __u8 what, int by_x, __u32 k)
{
	size_t far, done;

	if (!by_x) {
		if (k < 32)
			op(c, BPF_ALU | what | BPF_K, A, 0, 0, k);
		else
			set(c, A, 0);
		return;
	}
	far = skip(c, BPF_JMP32 | BPF_JGT | BPF_K, X, 0, 31);
	op(c, BPF_ALU | what | BPF_X, A, X, 0, 0);
	done = skip(c, BPF_JMP | BPF_JA, 0, 0, 0);
	land(c, far);
	set(c, A, 0);
	land(c, done);
}

static void put_alu(struct code *c, const struct filter_insn *i)
{
	__u8 what = BPF_OP(i->code);
	int by_x = BPF_SRC(i->code) == BPF_X;

	switch (what) {
	case BPF_LSH:
	case BPF_RSH:
		return put_shift(c, what, by_x, i->k);
	case BPF_DIV:
	case BPF_MOD:
		/* by 0: the end, with "no" */
		if (by_x)
			jump(c, BPF_JMP32 | BPF_JEQ | BPF_K, X, 0, 0, TO_REJECT);
		else if (!i->k)
			return never(c);
		break;
	case BPF_NEG:
		return op(c, BPF_ALU | BPF_NEG, A, 0, 0, 0);
	case BPF_ADD:
	case BPF_SUB:
	case BPF_MUL:
	case BPF_OR:
	case BPF_AND:
	case BPF_XOR:
		break;
	default:
		c->err = -EINVAL;
		return;
	}
	op(c, BPF_ALU | what | (by_x ? BPF_X : BPF_K), A, by_x ? X : 0, 0, by_x ? 0 : i->k);
}

/* Where a jump over <n> instructions from <at> leads to; beyond the end is nowhere. */
static size_t target(struct code *c, size_t at, __u64 n)
{
	if (n < c->f->count - at - 1)
		return at + 1 + n;
	c->err = -EINVAL;
	return TO_REJECT;
}

/* A loop, as libpcap makes one for "protochain" only: not for ever. */
static void put_back(struct code *c, size_t at, __u32 n)
{
	if (n > at + 1) {
		c->err = -EINVAL;
		return;
	}
	load(c, BPF_DW, BPF_REG_1, BPF_REG_10, LOOPS);
	add(c, BPF_REG_1, 1);
	store(c, BPF_DW, LOOPS, BPF_REG_1);
	jump(c, BPF_JMP | BPF_JGT | BPF_K, BPF_REG_1, 0, LOOPS_MAX, TO_REJECT);
	go(c, at + 1 - n);
}

static void put_jump(struct code *c, const struct filter_insn *i, size_t at)
{
	__u8 what = BPF_OP(i->code);
	int by_x = BPF_SRC(i->code) == BPF_X;

	if (what == BPF_JA)
		return i->k >> 31 ? put_back(c, at, -i->k) : go(c, target(c, at, i->k));
	if (what != BPF_JEQ && what != BPF_JGT && what != BPF_JGE && what != BPF_JSET) {
		c->err = -EINVAL;
		return;
	}
	jump(c, BPF_JMP32 | what | (by_x ? BPF_X : BPF_K), A, by_x ? X : 0, by_x ? 0 : i->k, target(c, at, i->jt));
	if (i->jf)
		go(c, target(c, at, i->jf));
}

static void put_return(struct code *c, const struct filter_insn *i)
{
	if (BPF_RVAL(i->code) == BPF_A) {
		jump(c, BPF_JMP32 | BPF_JNE | BPF_K, A, 0, 0, TO_ACCEPT);
		go(c, TO_REJECT);
	} else if (BPF_RVAL(i->code) == BPF_K) {
		go(c, i->k ? TO_ACCEPT : TO_REJECT);
	} else {
		c->err = -EINVAL;
	}
}

static void put_insn(struct code *c, const struct filter_insn *i, size_t at)
{
	if (i->code > 0xff) {
		c->err = -EINVAL;
		return;
	}
	switch (BPF_CLASS(i->code)) {
	case BPF_LD:
		return put_load(c, i, A);
	case BPF_LDX:
		return put_load(c, i, X);
	case BPF_ST:
		return put_store(c, i, A);
	case BPF_STX:
		return put_store(c, i, X);
	case BPF_ALU:
		return put_alu(c, i);
	case BPF_JMP:
		return put_jump(c, i, at);
	case BPF_RET:
		return put_return(c, i);
	case BPF_MISC:
		if (BPF_MISCOP(i->code) == BPF_TAX)
			op(c, BPF_ALU | BPF_MOV | BPF_X, X, A, 0, 0);
		else if (BPF_MISCOP(i->code) == BPF_TXA)
			op(c, BPF_ALU | BPF_MOV | BPF_X, A, X, 0, 0);
		else
			c->err = -EINVAL;
	}
}

/* --- beginning and ends */

/* Is there a tag beside the packet? Then what is around it goes on the stack: 4 bytes, the tag, 4 bytes. */
static void put_tag(struct code *c)
{
	size_t none;

	set(c, TAG, 0);
	load(c, BPF_W, BPF_REG_0, CTX, offsetof(struct __sk_buff, vlan_present));
	none = skip(c, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0);
	set(c, TAG, TAG_LEN);
	move(c, BPF_REG_1, CTX);
	set(c, BPF_REG_2, TAG_AT - 4);
	move(c, BPF_REG_3, BPF_REG_10);
	add(c, BPF_REG_3, WORD);
	set(c, BPF_REG_4, 8);
	call(c, BPF_FUNC_skb_load_bytes);
	jump(c, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 0, TO_REJECT);
	load(c, BPF_W, BPF_REG_0, BPF_REG_10, WORD);
	store(c, BPF_W, NEAR_TAG, BPF_REG_0);
	load(c, BPF_W, BPF_REG_0, BPF_REG_10, WORD + 4);
	store(c, BPF_W, NEAR_TAG + 8, BPF_REG_0);
	load(c, BPF_W, BPF_REG_0, CTX, offsetof(struct __sk_buff, vlan_proto));
	store(c, BPF_H, NEAR_TAG + 4, BPF_REG_0);
	load(c, BPF_W, BPF_REG_0, CTX, offsetof(struct __sk_buff, vlan_tci));
	op(c, BPF_ALU | BPF_END | BPF_TO_BE, BPF_REG_0, 0, 0, 16);
	store(c, BPF_H, NEAR_TAG + 6, BPF_REG_0);
	land(c, none);
}

static void begin(struct code *c)
{
	int k;

	move(c, CTX, BPF_REG_1);
	set(c, A, 0);
	set(c, X, 0);
	op(c, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, WORD, 0);
	for (k = 0; k < BPF_MEMWORDS; k++)
		op(c, BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, MEM(k), 0);
	for (k = 0; k < 3; k++)
		op(c, BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, NEAR_TAG + 4 * k, 0);
	/* both ends can be reached, as the verifier wants it, whatever the filter does; the stack is never NULL */
	jump(c, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_10, 0, 0, TO_ACCEPT);
	jump(c, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_10, 0, 0, TO_REJECT);
	op(c, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, LOOPS, 0);
	if (is_tc(c))
		put_tag(c);
}

static void tail_call(struct code *c, int map, __u32 slot)
{
	move(c, BPF_REG_1, CTX);
	load_map(c, BPF_REG_2, map);
	set(c, BPF_REG_3, slot);
	call(c, BPF_FUNC_tail_call);
}

static void leave(struct code *c, __s32 value)
{
	op(c, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value);
	op(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* What the verdict left: the action. */
static void leave_verdict(struct code *c)
{
	size_t none;

	op(c, BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, WORD, NDIV_CPU_RX);
	load_map(c, BPF_REG_1, c->target->cpus);
	move(c, BPF_REG_2, BPF_REG_10);
	add(c, BPF_REG_2, WORD);
	call(c, BPF_FUNC_map_lookup_elem);
	none = skip(c, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0);
	load(c, BPF_W, BPF_REG_0, BPF_REG_0, offsetof(struct ndiv_pkt, outcome));
	op(c, BPF_ALU | BPF_RSH | BPF_K, BPF_REG_0, 0, 0, 16);
	op(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	land(c, none);
	leave(c, XDP_ABORTED);
}

/* The capture is just coming to its end, and there is neither a program that copies nor one that skips: as without it.
 */
static void leave_untapped(struct code *c)
{
	switch (c->target->kind) {
	case FILTER_RX:
		tail_call(c, c->target->chain, NDIV_SLOT_PARSE);
		return leave(c, XDP_DROP);
	case FILTER_VERDICT:
		return leave_verdict(c);
	case FILTER_TX:
		return leave(c, TC_ACT_UNSPEC);
	case FILTER_TEST_XDP:
	case FILTER_TEST_TC:
		return leave(c, 0);
	}
}

static int is_test(const struct code *c)
{
	return c->target->kind == FILTER_TEST_XDP || c->target->kind == FILTER_TEST_TC;
}

/* Returns where the two ends are. */
static void put_ends(struct code *c, size_t *accept, size_t *reject)
{
	*accept = c->count;
	if (is_test(c))
		leave(c, 1);
	else
		tail_call(c, c->target->taps, c->target->copy);
	*reject = c->count;
	if (!is_test(c))
		tail_call(c, c->target->taps, c->target->skip);
	leave_untapped(c);
}

static void resolve(struct code *c, size_t accept, size_t reject)
{
	size_t i, to;

	for (i = 0; i < c->jumps; i++) {
		to = c->jump[i].to;
		to = to == TO_ACCEPT ? accept : to == TO_REJECT ? reject : c->start[to];
		c->insn[c->jump[i].at].off = to - c->jump[i].at - 1;
	}
}

static void translate(struct code *c)
{
	size_t accept, reject, i;

	begin(c);
	for (i = 0; i < c->f->count && !c->err; i++) {
		c->start[i] = c->count;
		put_insn(c, &c->f->insn[i], i);
	}
	if (!i || BPF_CLASS(c->f->insn[i - 1].code) != BPF_RET)
		c->err = c->err ? c->err : -EINVAL;
	put_ends(c, &accept, &reject);
	if (!c->err && c->count > INSNS_MAX)
		c->err = -E2BIG;
	if (!c->err)
		resolve(c, accept, reject);
}

int filter_translate(const struct filter *f, const struct filter_target *target, struct bpf_insn **out,
		     size_t *count)
{
	struct code c = { .f = f, .target = target };

	c.start = calloc(f->count + 1, sizeof(*c.start));
	if (!c.start)
		return -ENOMEM;
	translate(&c);
	free(c.start);
	free(c.jump);
	if (c.err) {
		free(c.insn);
		return c.err;
	}
	*out = c.insn;
	*count = c.count;
	return 0;
}

int filter_load(const struct filter *f, const struct filter_target *target)
{
	int tc = target->kind == FILTER_TX || target->kind == FILTER_TEST_TC, fd, err;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = tc ? 0 : BPF_F_XDP_HAS_FRAGS,
		    .expected_attach_type = tc ? 0 : BPF_XDP); /* as of all that it calls */
	struct bpf_insn *insn;
	size_t count;

	err = filter_translate(f, target, &insn, &count);
	if (err)
		return err;
	fd = bpf_prog_load(tc ? BPF_PROG_TYPE_SCHED_CLS : BPF_PROG_TYPE_XDP, "ndiv_filter", "GPL", insn, count, &opts);
	err = errno;
	free(insn);
	return fd < 0 ? -err : fd;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * chain.c - puts the handlers of the table into the chain arrays, atomically
 *
 * The bank that is not in use is written, then one store switches to it: each packet meets the old chain or the new
 * one, whole. When no packet can be in the old one any more, it is emptied, so that its programs can go.
 */
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <linux/membarrier.h>
#include "internal.h"

/* A bank of a chain array, to be written. */
struct bank {
	int map;
	int verdict;			/* program */
	__u32 nr;			/* 0 or 1 */
};

/* Waits until every program that runs now has ended: an RCU grace period. */
void wait_for_packets(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(20000);	/* nohz_full kernels refuse: longer than any softirq runs */
}

static int set_slot(int map, __u32 slot, int prog)
{
	return bpf_map_update_elem(map, &slot, &prog, BPF_ANY) ? -errno : 0;
}

static __u32 slot_after(unsigned int id, __u32 path)
{
	return NDIV_SLOT_NEXT + id * NDIV_PATHS + path;
}

static void clear_bank(int map, __u32 nr)
{
	unsigned int id;
	__u32 slot;

	for (id = 0; id < NDIV_HANDLERS_MAX; id++) {
		slot = slot_after(id, nr);
		bpf_map_delete_elem(map, &slot);
		slot = slot_after(id, nr | NDIV_PATH_MALFORMED);
		bpf_map_delete_elem(map, &slot);
	}
}

/* Program <pin> of handler <id>; of the successor, where that is <fresh>. */
static int handler_prog(struct ndiv *nd, unsigned int id, unsigned int fresh, const char *pin)
{
	char dir[DIR_LEN];

	handler_dir(nd, id, id == fresh, dir);
	return pin_get(dir, pin);
}

/* Writes one path of a bank: those handlers of the table that have program <pin> and that <want> selects. */
static int write_path(struct ndiv *nd, const struct table *tab, unsigned int fresh, const char *pin,
		      const struct bank *bank, __u32 path)
{
	__u32 want = path & NDIV_PATH_MALFORMED ? NDIV_WANT_MALFORMED : 0;
	unsigned int ids[NDIV_HANDLERS_MAX], last = 0;
	int n = table_sorted(tab, ids), i, prog, err;

	for (i = 0; i < n; i++) {
		if ((tab->e[ids[i]].info.want & want) != want)
			continue;
		prog = handler_prog(nd, ids[i], fresh, pin);
		if (prog == -ENOENT)
			continue;	/* it has no such program */
		if (prog < 0)
			return prog;
		err = set_slot(bank->map, slot_after(last, path), prog);
		close(prog);
		if (err)
			return err;
		last = ids[i];
	}
	return set_slot(bank->map, slot_after(last, path), bank->verdict);
}

static int write_bank(struct ndiv *nd, const struct table *tab, unsigned int fresh, const char *pin,
		      const struct bank *bank)
{
	int err;

	clear_bank(bank->map, bank->nr);
	err = write_path(nd, tab, fresh, pin, bank, bank->nr);
	if (err)
		return err;
	return write_path(nd, tab, fresh, pin, bank, bank->nr | NDIV_PATH_MALFORMED);
}

/* Writes the bank of <name> that <current> does not use, and switches. */
static int switch_bank(struct ndiv *nd, const struct table *tab, unsigned int fresh, const char *name,
		       const char *verdict, const char *pin, __u32 *current)
{
	struct bank bank = { .map = pin_get(nd->dir, name), .verdict = pin_get(nd->dir, verdict) };
	__u32 old = __atomic_load_n(current, __ATOMIC_RELAXED);
	int err = -ENOENT;

	bank.nr = !old;
	if (bank.map >= 0 && bank.verdict >= 0)
		err = write_bank(nd, tab, fresh, pin, &bank);
	if (!err) {
		__atomic_store_n(current, bank.nr, __ATOMIC_RELEASE);
		wait_for_packets();
		clear_bank(bank.map, old);
	}
	if (bank.map >= 0)
		close(bank.map);
	if (bank.verdict >= 0)
		close(bank.verdict);
	return err;
}

/* Clears bank <nr> of a builder array. */
static void clear_builders(int map, __u32 nr)
{
	__u32 id, slot;

	for (id = 1; id < NDIV_HANDLERS_MAX; id++) {
		slot = nr * NDIV_HANDLERS_MAX + id;
		bpf_map_delete_elem(map, &slot);
	}
}

/* Writes the builders of each handler into bank <nr> of array <name>. */
static int write_builders(struct ndiv *nd, const struct table *tab, unsigned int fresh, const char *name,
			  const char *pin, __u32 nr)
{
	int map = pin_get(nd->dir, name), prog, err = 0;
	unsigned int id;

	if (map < 0)
		return map;
	clear_builders(map, nr);
	for (id = 1; id < NDIV_HANDLERS_MAX && !err; id++) {
		prog = tab->e[id].used ? handler_prog(nd, id, fresh, pin) : -ENOENT;
		if (prog < 0)
			continue;
		err = set_slot(map, nr * NDIV_HANDLERS_MAX + id, prog);
		close(prog);
	}
	close(map);
	return err;
}

static void empty_builders(struct ndiv *nd, const char *name, __u32 nr)
{
	int map = pin_get(nd->dir, name);

	if (map < 0)
		return;
	clear_builders(map, nr);
	close(map);
}

/* The entry that asks the card, if handlers or a capture want it to be asked. */
static int choose_entry(struct ndiv *nd, const struct table *tab, const struct ndiv_conf *conf)
{
	int hints = card_asked(conf), prog, err;
	unsigned int id;

	for (id = 1; id < NDIV_HANDLERS_MAX; id++)
		hints |= tab->e[id].used && tab->e[id].info.want & NDIV_WANT_HINTS;
	prog = hints ? pin_get(nd->dir, "entry_hints") : -ENOENT;
	if (prog < 0)
		prog = pin_get(nd->dir, "entry");
	if (prog < 0)
		return prog;
	err = link_swap(nd, prog);
	close(prog);
	return err;
}

/* The hooks that only those handlers need that have programs for them. */
static int tc_apply(struct ndiv *nd, const struct table *tab)
{
	int tx = 0, in = 0, err = 0;
	unsigned int id;

	for (id = 1; id < NDIV_HANDLERS_MAX; id++) {
		tx |= tab->e[id].used && tab->e[id].has_tx;
		in |= tab->e[id].used && tab->e[id].has_in;
	}
	if (tx)
		err = tx_up(nd);
	else
		tx_down(nd);
	if (in && !err)
		err = in_up(nd);
	else if (!in)
		in_down(nd);
	return err;
}

/*
 * Makes the chains what <tab> says. Handler <fresh> (0: none) is taken from where its successor is pinned. Builders
 * come before the chain that needs them.
 */
int chain_apply(struct ndiv *nd, const struct table *tab, unsigned int fresh)
{
	struct ndiv_conf *conf = conf_map(nd->dir);
	__u32 old;
	int err;

	if (!conf)
		return fail(nd, errno, "cannot map %s/conf: %s", nd->dir, strerror(errno));
	old = __atomic_load_n(&conf->bank, __ATOMIC_RELAXED);
	err = write_builders(nd, tab, fresh, "ndiv_clone", "clone", !old);
	if (!err)
		err = write_builders(nd, tab, fresh, "ndiv_skb", "skb", !old);
	if (!err)
		err = choose_entry(nd, tab, conf);
	if (!err)
		err = switch_bank(nd, tab, fresh, "ndiv_chain", "verdict", "rx", &conf->bank);
	if (!err) {
		empty_builders(nd, "ndiv_clone", old);
		empty_builders(nd, "ndiv_skb", old);
	}
	if (!err)
		err = switch_bank(nd, tab, fresh, "ndiv_tx_chain", "tx_verdict", "tx", &conf->tx_bank);
	if (!err)
		err = switch_bank(nd, tab, fresh, "ndiv_in_chain", "in_verdict", "in", &conf->in_bank);
	conf_unmap(conf);
	if (err)
		return fail(nd, -err, "cannot change the chain: %s", strerror(-err));
	return tc_apply(nd, tab);
}

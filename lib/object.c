// SPDX-License-Identifier: GPL-2.0-only
/* object.c - a handler's object: what it tells about itself, how it is loaded, pinned and found */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "internal.h"
#include "netlink.h"

static struct bpf_map *section(struct bpf_object *obj, const char *name)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
		if (!strcmp(bpf_map__name(map), name))
			return map;
	return NULL;
}

static int name_ok(const char *s)
{
	size_t i;

	for (i = 0; s[i]; i++)
		if (i + 1 >= NDIV_NAME_LEN ||
		    !(islower((unsigned char)s[i]) || isdigit((unsigned char)s[i]) || s[i] == '-'))
			return 0;
	return i > 0;
}

static void terminate(char names[][NDIV_NAME_LEN], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		names[i][NDIV_NAME_LEN - 1] = 0;
}

/* Copies the info out of the <size> bytes of a section, with all its strings ended. NULL, or what is wrong with it. */
const char *object_info(const void *p, size_t size, struct ndiv_info *info)
{
	size_t i;

	if (!p || size < sizeof(*info))
		return "its section .rodata.ndiv does not hold a struct ndiv_info";
	memcpy(info, p, sizeof(*info));
	if (info->abi != NDIV_ABI)
		return "it was built for another version of the handler API: build it again";
	info->name[NDIV_NAME_LEN - 1] = 0;
	info->about[sizeof(info->about) - 1] = 0;
	terminate(info->reasons, NDIV_REASONS_MAX);
	terminate(info->counters, NDIV_COUNTERS_MAX);
	for (i = 0; i < NDIV_OPTIONS_MAX; i++) {
		info->options[i].name[NDIV_NAME_LEN - 1] = 0;
		info->options[i].help[sizeof(info->options[i].help) - 1] = 0;
		info->options[i].choices[sizeof(info->options[i].choices) - 1] = 0;
	}
	if (!name_ok(info->name))
		return "its name is not made of lower-case letters, digits and dashes";
	if (!strcmp(info->name, "core"))
		return "its name is \"core\", which is what the listings call ndiv itself";
	return NULL;
}

/* The info of an opened object. NULL, or what is wrong with it. */
static const char *get_info(struct bpf_object *obj, struct ndiv_info *info)
{
	struct bpf_map *map = section(obj, ".rodata.ndiv");
	const void *p;
	size_t size;

	if (!map)
		return "it has no section .rodata.ndiv: is it an ndiv handler? See ndiv/handler.h";
	p = bpf_map__initial_value(map, &size);
	return object_info(p, size, info);
}

static int copy_error(char *err, size_t err_len, const char *path, const char *what, int code)
{
	if (err && err_len)
		snprintf(err, err_len, "%s: %s", path, what);
	return code;
}

/* libbpf's words for a file that is no object are its own numbers. */
static const char *open_text(int err)
{
	return err == LIBBPF_ERRNO__FORMAT || err == LIBBPF_ERRNO__LIBELF ? "it is no BPF object (ELF): build one with "
									    "`make handler SRC=...`" : err_text(err);
}

int ndiv_read_info(const char *path, struct ndiv_info *info, char *err, size_t err_len)
{
	struct bpf_object *obj = bpf_object__open(path);
	struct ndiv_info found;
	const char *wrong;
	int code = -errno;

	if (!obj)
		return copy_error(err, err_len, path, open_text(-code), code);
	wrong = get_info(obj, &found);
	bpf_object__close(obj);
	if (wrong)
		return copy_error(err, err_len, path, wrong, -EINVAL);
	*info = found;
	return 0;
}

int ndiv_read_defaults(const char *path, char values[NDIV_OPTIONS_MAX][NDIV_VALUE_LEN], char *err, size_t err_len)
{
	struct ndiv_info *info;
	struct bpf_object *obj;
	const void *config = NULL;
	struct bpf_map *map;
	size_t size = 0, i;
	int ret;

	info = calloc(1, sizeof(*info));
	if (!info)
		return copy_error(err, err_len, path, "out of memory", -ENOMEM);
	ret = ndiv_read_info(path, info, err, err_len);
	obj = ret ? NULL : bpf_object__open(path);
	map = obj ? section(obj, ".rodata.config") : NULL;
	if (map)
		config = bpf_map__initial_value(map, &size);
	for (i = 0; i < NDIV_OPTIONS_MAX && !ret; i++)
		option_text(&info->options[i], config, config ? size : 0, values[i], NDIV_VALUE_LEN);
	bpf_object__close(obj);
	free(info);
	return ret;
}

static int ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static int one(struct ndiv *nd, const char *path, struct bpf_program **slot, struct bpf_program *prog, const char *what)
{
	if (*slot)
		return fail(nd, EINVAL, "%s: it has two %s programs: %s and %s", path, what, bpf_program__name(*slot),
			    bpf_program__name(prog));
	*slot = prog;
	return 0;
}

/* Which of a handler's programs is <prog>? */
static int classify(struct ndiv *nd, const char *path, struct loaded *ld, struct bpf_program *prog)
{
	const char *name = bpf_program__name(prog);

	switch (bpf_program__type(prog)) {
	case BPF_PROG_TYPE_XDP:
		if (strncmp(bpf_program__section_name(prog), "xdp.frags", 9))
			return fail(nd, EINVAL, "%s: program %s is in section \"%s\": it must be in \"xdp.frags\"",
				    path, name, bpf_program__section_name(prog));
		if (bpf_program__expected_attach_type(prog) == BPF_XDP_DEVMAP)
			return one(nd, path, &ld->clone, prog, "xdp.frags/devmap");
		return one(nd, path, &ld->rx, prog, "xdp.frags");
	case BPF_PROG_TYPE_SCHED_CLS:
		if (ends_with(name, "_tx"))
			return one(nd, path, &ld->tx, prog, "transmit");
		if (ends_with(name, "_in"))
			return one(nd, path, &ld->in, prog, "tc ingress");
		if (ends_with(name, "_skb"))
			return one(nd, path, &ld->skb, prog, "skb builder");
		return fail(nd, EINVAL, "%s: the name of tc program %s ends in none of _tx, _in and _skb", path, name);
	case BPF_PROG_TYPE_TRACING:
		return one(nd, path, &ld->done, prog, "rx_done");
	default:
		return fail(nd, EINVAL, "%s: program %s: section \"%s\" has no place in a handler", path, name,
			    bpf_program__section_name(prog));
	}
}

static int find_programs(struct ndiv *nd, const char *path, struct loaded *ld)
{
	struct bpf_program *prog;
	int err;

	bpf_object__for_each_program(prog, ld->obj) {
		err = classify(nd, path, ld, prog);
		if (err)
			return err;
	}
	if (!ld->rx)
		return fail(nd, EINVAL, "%s: it has no program in section \"xdp.frags\"", path);
	if (!ld->clone != !ld->skb)
		return fail(nd, EINVAL,
			    "%s: a builder needs both a program in \"xdp.frags/devmap\" and one in \"tc\" whose "
			    "name ends in _skb",
			    path);
	return 0;
}

/* A map of the core, to be closed. */
static int core_map(struct ndiv *nd, const struct alone *alone, const char *name)
{
	struct bpf_map *map = alone ? bpf_object__find_map_by_name(alone->core, name) : NULL;

	if (!alone)
		return pin_get(nd->dir, name);
	return map ? dup(bpf_map__fd(map)) : -ENOENT;
}

/* The interface's own maps in place of those that the headers declare. */
static int share_maps(struct ndiv *nd, struct bpf_object *obj, const struct alone *alone)
{
	static const char *const shared[] = { "ndiv_cpus", "ndiv_chain", "ndiv_tx_chain", "ndiv_in_chain",
					      "ndiv_skb" };
	struct bpf_map *map;
	int fd, err;
	size_t i;

	for (i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		map = section(obj, shared[i]);
		if (!map)
			continue;
		fd = core_map(nd, alone, shared[i]);
		if (fd < 0)
			return fail(nd, -fd, "cannot open %s/%s: %s", nd->dir, shared[i], strerror(-fd));
		err = bpf_map__reuse_fd(map, fd);
		close(fd);
		if (err)
			return fail(nd, -err, "cannot share map %s: %s", shared[i], err_text(err));
	}
	return 0;
}

/* Pins must not have a dot in their names. */
void object_map_name(const char *name, char *buf, size_t len)
{
	size_t i;

	snprintf(buf, len, "m_%s", name);
	for (i = 0; buf[i]; i++)
		if (buf[i] == '.' || buf[i] == '/')
			buf[i] = '_';
}

static int same_shape(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return 0;
	return info.type == bpf_map__type(map) && info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) && info.max_entries == bpf_map__max_entries(map) &&
	       info.map_flags == bpf_map__map_flags(map);
}

/* Takes over what the handler <id> that is there keeps in its maps: those of the same name and shape, but no constants.
 */
static int inherit_maps(struct ndiv *nd, struct bpf_object *obj, unsigned int id)
{
	char dir[DIR_LEN], name[80];
	struct bpf_map *map;
	int fd, err = 0;

	handler_dir(nd, id, 0, dir);
	bpf_object__for_each_map(map, obj) {
		if (strstr(bpf_map__name(map), ".rodata") || strstr(bpf_map__name(map), ".data.const") ||
		    !strncmp(bpf_map__name(map), "ndiv_", 5))
			continue;
		object_map_name(bpf_map__name(map), name, sizeof(name));
		fd = pin_get(dir, name);
		if (fd < 0)
			continue;
		if (same_shape(map, fd))
			err = bpf_map__reuse_fd(map, fd);
		close(fd);
		if (err)
			return fail(nd, -err, "cannot take over map %s: %s", bpf_map__name(map), err_text(err));
	}
	return 0;
}

/* The key of the handler <id> that is there, so that what it gave out stays valid; else a new one. */
static int fill_key(struct ndiv *nd, struct bpf_map *map, unsigned int id)
{
	char dir[DIR_LEN], name[80];
	__u8 key[64];
	__u32 zero = 0;
	size_t size = bpf_map__value_size(map);
	int fd, err;

	if (size > sizeof(key))
		return fail(nd, EINVAL, "section .rodata.key is longer than %zu bytes", sizeof(key));
	handler_dir(nd, id, 0, dir);
	object_map_name(".rodata.key", name, sizeof(name));
	fd = pin_get(dir, name);
	err = fd < 0 || !same_shape(map, fd) || bpf_map_lookup_elem(fd, &zero, key);
	if (fd >= 0)
		close(fd);
	if (err && getrandom(key, size, 0) != (ssize_t)size)
		return fail(nd, errno, "no random numbers: %s", strerror(errno));
	err = bpf_map__set_initial_value(map, key, size);
	return err ? fail(nd, -err, "cannot set the key: %s", err_text(err)) : 0;
}

/* As the interface is now, which is not always as it was when the handle was opened. */
static int fill_self(struct ndiv *nd, struct bpf_object *obj, unsigned int id)
{
	struct ndiv_self self = { .id = id, .ifindex = nd->ifindex, .netns = netns_inode() };
	struct bpf_map *map = section(obj, ".rodata.self");
	enum ndiv_mode mode;
	struct netdev dev;
	int err;

	if (!map)
		return 0;	/* it uses nothing of it: all its programs do nothing */
	err = netdev_get(nd->ifindex, &dev);
	if (err)
		return fail(nd, -err, "cannot ask for MAC address and MTU: %s", strerror(-err));
	self.mtu = dev.mtu;
	memcpy(self.mac, dev.mac, sizeof(self.mac));
	self.generic = !link_mode(nd, &mode) && mode == NDIV_MODE_GENERIC;
	return bpf_map__set_initial_value(map, &self, sizeof(self)) ?
	       fail(nd, EINVAL, "section .rodata.self is no struct ndiv_self: build the object again") : 0;
}

static int fill_config(struct ndiv *nd, struct loaded *ld, const char *opts)
{
	struct bpf_map *map = section(ld->obj, ".rodata.config");
	char config[CONFIG_MAX];
	const void *init;
	size_t size = 0;
	int err;

	init = map ? bpf_map__initial_value(map, &size) : NULL;
	if (size > sizeof(config))
		return fail(nd, EINVAL, "%s: section .rodata.config is longer than %zu bytes", ld->info.name,
			    sizeof(config));
	if (init)
		memcpy(config, init, size);
	err = option_apply(nd, &ld->info, config, size, opts);
	if (err || !size)
		return err;
	return bpf_map__set_initial_value(map, config, size)
		       ? fail(nd, EINVAL, "%s: cannot set the options", ld->info.name)
		       : 0;
}

/* Constants of a handler that is attached to nothing. */
static int fill_alone(struct ndiv *nd, struct bpf_object *obj, const struct alone *alone)
{
	const struct constant *c;
	struct bpf_map *map;
	int err;

	for (c = alone->constants; c->section; c++) {
		map = section(obj, c->section);
		err = map ? bpf_map__set_initial_value(map, c->value, c->len) : -ENOENT;
		if (err)
			return fail(nd, -err, "cannot set section %s: %s: was it built with another ndiv?", c->section,
				    err_text(err));
	}
	return 0;
}

static int prepare_alone(struct ndiv *nd, const char *path, const char *opts, const struct alone *alone,
			 struct loaded *ld)
{
	int err = find_programs(nd, path, ld);

	if (!err)
		err = share_maps(nd, ld->obj, alone);
	if (!err)
		err = fill_alone(nd, ld->obj, alone);
	return err ? err : fill_config(nd, ld, opts);
}

static int prepare(struct ndiv *nd, const char *path, unsigned int id, const char *opts, struct loaded *ld)
{
	struct bpf_map *key;
	int err;

	err = find_programs(nd, path, ld);
	if (!err)
		err = share_maps(nd, ld->obj, NULL);
	if (!err)
		err = inherit_maps(nd, ld->obj, id);
	if (!err)
		err = fill_self(nd, ld->obj, id);
	if (!err)
		err = fill_config(nd, ld, opts);
	key = section(ld->obj, ".rodata.key");
	if (!err && key)
		err = fill_key(nd, key, id);
	return err;
}

static void refused(struct ndiv *nd, const char *path, const struct loaded *ld, int err)
{
	if (ld->done && libbpf_find_vmlinux_btf_id("napi_poll", BPF_TRACE_RAW_TP) <= 0)
		fail(nd, -err,
		     "%s: it has a program for the end of a batch, and this kernel has no tracepoint napi_poll", path);
	else
		fail(nd, -err, "%s: the kernel refuses it: %s (`ndiv -v ...` shows the verifier's log)", path,
		     err_text(err));
}

/* As handler <id> of the interface; or <alone>. */
static int load(struct ndiv *nd, const char *path, unsigned int id, const char *opts, const struct alone *alone,
		struct loaded *ld)
{
	const char *wrong;
	int err;

	memset(ld, 0, sizeof(*ld));
	ld->obj = bpf_object__open(path);
	if (!ld->obj)
		return fail(nd, errno, "%s: %s", path, open_text(errno));
	wrong = get_info(ld->obj, &ld->info);
	if (wrong)
		err = fail(nd, EINVAL, "%s: %s", path, wrong);
	else if (alone)
		err = prepare_alone(nd, path, opts, alone, ld);
	else
		err = prepare(nd, path, id, opts, ld);
	if (!err) {
		err = bpf_object__load(ld->obj);
		if (err)
			refused(nd, path, ld, err);
	}
	if (err)
		object_close(ld);
	return err;
}

/* Loads the object at <path> as handler <id>, taking over from the one of that id if there is one. */
int object_load(struct ndiv *nd, const char *path, unsigned int id, const char *opts, struct loaded *ld)
{
	return load(nd, path, id, opts, NULL, ld);
}

/* Loads it for a core that is attached to nothing. */
int object_load_alone(struct ndiv *nd, const char *path, const char *opts, const struct alone *alone, struct loaded *ld)
{
	return load(nd, path, 0, opts, alone, ld);
}

void object_close(struct loaded *ld)
{
	bpf_object__close(ld->obj);
	ld->obj = NULL;
}

static int pin_programs(struct loaded *ld, const char *dir)
{
	const struct {
		const char *name;
		struct bpf_program *prog;
	} progs[] = {
		{ "rx", ld->rx }, { "tx", ld->tx }, { "in", ld->in }, { "clone", ld->clone }, { "skb", ld->skb },
		{ "done", ld->done },
	};
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(progs) / sizeof(progs[0]) && !err; i++)
		if (progs[i].prog)
			err = pin(dir, progs[i].name, bpf_program__fd(progs[i].prog));
	return err;
}

static int pin_maps(struct bpf_object *obj, const char *dir)
{
	struct bpf_map *map;
	char name[80];
	int err = 0;

	bpf_object__for_each_map(map, obj) {
		if (!strncmp(bpf_map__name(map), "ndiv_", 5) || bpf_map__fd(map) < 0)
			continue;	/* shared ones */
		object_map_name(bpf_map__name(map), name, sizeof(name));
		err = pin(dir, name, bpf_map__fd(map));
		if (err)
			break;
	}
	return err;
}

/* Pins all of it in <dir>, which is made anew. */
int object_pin(struct ndiv *nd, struct loaded *ld, const char *dir)
{
	int err;

	remove_tree(dir);
	err = make_dir(dir);
	if (!err)
		err = pin_programs(ld, dir);
	if (!err)
		err = pin_maps(ld->obj, dir);
	if (!err)
		return 0;
	remove_tree(dir);
	return fail(nd, -err, "cannot pin the handler in %s: %s", dir, err_text(err));
}

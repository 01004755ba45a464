// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_object.c - ndiv_read_info() on an object whose section .rodata.ndiv is the input
 *
 * All else of the object is sound: libbpf 1.1 crashes on most objects that are not, and that is not what is tested
 * here. FUZZ_OBJECT names the object, FUZZ_OFFSET and FUZZ_SIZE tell where in it the section is.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../../lib/internal.h"
#include "fuzz.h"

static char object[1 << 20];
static size_t object_len, offset, room;

static size_t env_number(const char *name)
{
	const char *text = getenv(name);

	must(text && *text);
	return strtoul(text, NULL, 0);
}

static void load(void)
{
	const char *path = getenv("FUZZ_OBJECT");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd < 0 ? -1 : read(fd, object, sizeof(object));

	must(n > 0);
	close(fd);
	object_len = n;
	offset = env_number("FUZZ_OFFSET");
	room = env_number("FUZZ_SIZE");
	must(offset < object_len && room <= object_len - offset);
}

static void nothing(int level, const char *text)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ndiv_info info, before;
	char path[40], err[256] = "";
	int fd = memfd_create("object", MFD_CLOEXEC);

	if (!object_len)
		load();
	memcpy(object + offset, data, size < room ? size : room);
	must(fd >= 0 && write(fd, object, object_len) == (ssize_t)object_len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ndiv_set_log(nothing, 0);
	memset(&info, 0x5a, sizeof(info));
	before = info;
	if (ndiv_read_info(path, &info, err, sizeof(err)))
		must(*err && !memcmp(&info, &before, sizeof(info)));
	else
		must(info.abi == NDIV_ABI && *info.name);
	close(fd);
	return 0;
}

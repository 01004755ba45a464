// SPDX-License-Identifier: GPL-2.0-only
/*
 * conf.c - the configuration of an interface, mapped into memory
 *
 * Each field has one writer at a time and is one word: a store is enough, and never writes back its neighbours.
 */
#include <sys/mman.h>
#include <unistd.h>
#include "internal.h"

/* NULL with errno set if it is not there. */
struct ndiv_conf *conf_map(const char *dir)
{
	int fd = pin_get(dir, "conf");
	void *p;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	p = mmap(NULL, sizeof(struct ndiv_conf), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

void conf_unmap(struct ndiv_conf *conf)
{
	if (conf)
		munmap(conf, sizeof(*conf));
}

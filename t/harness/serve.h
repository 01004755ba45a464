/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * serve.h - a site for a handler that runs without an interface
 *
 * Includes the library's own headers: before cmocka.h, which has another fail().
 */
#ifndef T_SERVE_H
#define T_SERVE_H

#include "../../lib/content.h"
#include "run.h"

struct serve {
	struct content_maps maps;
	struct ndiv nd;		/* what failed */
};

/* Each prints what failed and returns below 0. */

/* The maps of handler <id>, until serve_close(). */
int serve_open(struct serve *s, struct run *r, uint32_t id);
void serve_close(struct serve *s);

/* Serves the files in <dir>; NULL: none. */
int serve_dir(struct serve *s, const char *dir);

/* Maintenance mode with the page at <path>; NULL: off. */
int serve_page(struct serve *s, const char *path, unsigned int retry_s);

/* As if nothing had ever been loaded: else ids that were in use would rest. */
void serve_forget(struct serve *s);

#endif

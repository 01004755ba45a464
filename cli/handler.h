/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * handler.h - what a handler's object tells about itself, in words
 */
#ifndef NDIV_CLI_HANDLER_H
#define NDIV_CLI_HANDLER_H

#include <stddef.h>
#include <ndiv/ndiv.h>

/*
 * Finds the object of handler <what> and reads what it tells. <path>: PATH_MAX bytes. 0, or -errno with a message in
 * <err>.
 */
int handler_read(const char *what, char *path, struct ndiv_info *info, char *err, size_t err_len);

/* The type of an option in one word. */
const char *handler_type(const struct ndiv_option *opt);

/* What its value looks like: "NUMBER", "drop|pass". <buf>: HANDLER_VALUE_LEN bytes. */
#define HANDLER_VALUE_LEN 48
void handler_value(const struct ndiv_option *opt, char *buf);

#endif

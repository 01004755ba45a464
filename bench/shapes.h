/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shapes.h - the frames of floods: kinds by name, each of one or several shapes that take turns
 */
#ifndef BENCH_SHAPES_H
#define BENCH_SHAPES_H

#include <stdint.h>
#include "flood.h"

/* Families, to be combined. */
#define SHAPES_V4	1
#define SHAPES_V6	2
/* And of IPv4, sources from anywhere, flood_far(): for a server's end that answers none of them. */
#define SHAPES_FAR4	4

/* Their names, ended by NULL. */
extern const char *const shapes_kinds[];

/*
 * Fills <shapes>, FLOOD_SHAPES of them, with those of <kind> and <families>, for <port> of the server. Returns how many
 * there are; 0: there is no such kind.
 */
uint32_t shapes_make(struct flood_shape *shapes, const char *kind, uint32_t families, uint16_t port);

#endif

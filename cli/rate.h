/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rate.h - what happened between two snapshots, per second
 */
#ifndef NDIV_RATE_H
#define NDIV_RATE_H

#include <stdio.h>
#include "out.h"
#include "snap.h"

/*
 * Tables of all interfaces in <now>, lines of headers not indented. <before>: the snapshot before; one that is not
 * there has rates of 0. <exact>: whole numbers, for scripts; else short ones.
 */
void rate_text(FILE *f, const struct snaps *now, const struct snaps *before, int exact);

/* The same as an object {"time", "interfaces"} in one line. */
void rate_json(FILE *f, const struct snaps *now, const struct snaps *before);

#endif

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * shield.h - the part of libndiv that belongs to the handler shield: the secret that machines share
 *
 * All of it is about the shield that is attached to the interface of <nd>. 0 or -errno; ndiv_error(nd) tells more.
 */
#ifndef NDIV_SHIELD_LIB_H
#define NDIV_SHIELD_LIB_H

#include <ndiv/ndiv.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NDIV_SHIELD_SECRET	16	/* bytes of a secret; twice as many hexadecimal digits in its file */

/*
 * Cookies are made with the secret in file <path> from now on; NULL: with a random one. The file holds hexadecimal
 * digits, and belongs to root or the caller, whom nobody else can read it with. Cookies of the secret before stay good
 * for as long as they would have been.
 */
int ndiv_shield_keys(struct ndiv *nd, const char *path);

struct ndiv_shield_keys {
	int	shared;			/* a secret from a file is at work */
	uint32_t mark;			/* of the secret: equal on machines that share it; tells nothing about it */
	int64_t	off_ms;			/* how far the cookies' clock is from the time of day: the agent sets it */
};

int ndiv_shield_keys_state(struct ndiv *nd, struct ndiv_shield_keys *state);

#ifdef __cplusplus
}
#endif

#endif

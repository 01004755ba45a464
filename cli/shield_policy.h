/* SPDX-License-Identifier: GPL-2.0-only */
/* shield_policy.h - what `ndiv shield` prints of a policy */
#ifndef NDIV_SHIELD_POLICY_CLI_H
#define NDIV_SHIELD_POLICY_CLI_H

#include <ndiv/shield.h>
#include "out.h"

/* As JSON into the object that is open, or as lines. 0 or -errno: ndiv_error(nd) tells. */
int policy_show_json(struct ndiv *nd, struct json *j);
int policy_show(struct ndiv *nd, const char *ifname);

/* The same of a policy that is elsewhere: of <of>, as ndiv_policy_state() and ndiv_policy_each() have it. */
struct policy_source {
	int (*state)(void *of, struct ndiv_policy_state *st);
	int (*each)(void *of, ndiv_policy_fn *fn, void *arg);
	void *of;
};

int policy_source_json(const struct policy_source *src, struct json *j);
int policy_source_show(const struct policy_source *src, const char *name);

/* What loading <policy> would change, line by line. 0 or -errno; *<changes>: how many rules come or go. */
int policy_diff(struct ndiv *nd, const struct ndiv_policy *policy, size_t *changes);

#endif

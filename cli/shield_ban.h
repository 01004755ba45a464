/* SPDX-License-Identifier: GPL-2.0-only */
/* shield_ban.h - what `ndiv shield` prints of bans */
#ifndef NDIV_SHIELD_BAN_CLI_H
#define NDIV_SHIELD_BAN_CLI_H

#include <ndiv/shield.h>
#include "out.h"

/* How many there are: as JSON into the object that is open, or as a line. 0 or -errno: ndiv_error(nd) tells. */
int bans_show_json(struct ndiv *nd, struct json *j);
int bans_show(struct ndiv *nd, const char *ifname);

/* Likewise each of them. */
int bans_list_json(struct ndiv *nd, const char *ifname);
int bans_list(struct ndiv *nd, const char *ifname);

#endif

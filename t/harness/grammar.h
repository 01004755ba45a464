/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * grammar.h - what has to be the answer to a request, to a SYN: a second parser
 */
#ifndef T_GRAMMAR_H
#define T_GRAMMAR_H

#include <stddef.h>
#include <stdint.h>
#include "rows.h"

/* What has to be the answer to a request. */
struct grammar_said {
	struct http_answer a;
	size_t	acked;
	uint32_t rest;		/* bytes of a body that are still to come */
};

/* The answer to <text>, which has <len> bytes and a 0 behind them. */
void grammar_request(const char *text, size_t len, struct grammar_said *said);

/*
 * What a SYN with <len> bytes of options at <o> is told: its class, by MSS and scale of windows, or -1: malformed.
 * <ts>: offset of the timestamps, or -1. <sack>: it is permitted.
 */
int grammar_syn(const uint8_t *o, int len, int v6, int *ts, int *sack);

#endif

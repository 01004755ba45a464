/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * policy.h - policies for shield in tests and benchmarks
 */
#ifndef T_POLICY_H
#define T_POLICY_H

#include "../../handlers/shield/policy.h"
#include "run.h"

/* The policy <text> is at work in handler <id>, in the place of the one before. Its file is called "policy". */
int shield_policy(struct run *r, uint32_t id, const char *text);

/* What rule <rule> of handler <id> counted, in the bank of the <nr>-th policy (from 0). */
struct policy_count shield_counted(struct run *r, uint32_t id, uint32_t nr, uint32_t rule);

#endif

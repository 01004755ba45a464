/* SPDX-License-Identifier: GPL-2.0-only */
/* segment.h - a TCP segment that is longer than it may be */
#ifndef NDIV_SEGMENT_H
#define NDIV_SEGMENT_H

#include <stdint.h>

#define SEGMENT_MIN 54 /* Ethernet, IPv4 and TCP without options */

/*
 * Frame <p> of <len> bytes, all of them there, is a TCP segment that is too long: takes from the beginning of its data
 * what is more than <max>, so that it ends where it did by its sequence number. Returns the new length; 0: it is none,
 * or its headers alone are too long, or contradict each other.
 */
uint32_t segment_shorten(uint8_t *p, uint32_t len, uint32_t max);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * http.h - requests per second through a lab, and what a request costs the server: httpd, nginx and haproxy
 *
 * Everything that the server's end does runs in threads that are bound to one CPU: the receive work of its interface,
 * with the XDP programs and the stack, and the server's process. Their CPU time is what a request costs. What the
 * client's end does is not counted.
 */
#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#include "suite.h"

/* Adds the rows httpd/lab-*, nginx-*, haproxy-*. 0, or below 0 and a message. The lab: with GRO. */
int http_bench(struct suite *s);

#endif

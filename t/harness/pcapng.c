// SPDX-License-Identifier: GPL-2.0-only
/* pcapng.c - a strict reader of pcapng */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "pcapng.h"

#define SECTION	0x0a0d0d0aU

static int fault(struct ng *ng, const char *fmt, ...)
{
	size_t n = snprintf(ng->fault, sizeof(ng->fault), "packet %llu: ", (unsigned long long)ng->packets);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ng->fault + n, sizeof(ng->fault) - n, fmt, ap);
	va_end(ap);
	return -1;
}

static uint16_t get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t get_time(const uint8_t *p)
{
	return (uint64_t)get32(p) << 32 | get32(p + 4);
}

static size_t padded(size_t n)
{
	return (n + 3) / 4 * 4;
}

static int pad_is_zero(const uint8_t *p, size_t from)
{
	for (; from % 4; from++)
		if (p[from])
			return 0;
	return 1;
}

/* An option: its code, and <len> bytes at <value>. */
typedef int option_fn(struct ng *ng, void *to, uint16_t code, const uint8_t *value, uint16_t len);

static int read_options(struct ng *ng, const uint8_t *p, size_t len, option_fn *fn, void *to)
{
	uint16_t code, n;
	uint32_t seen = 0;

	while (len) {
		if (len < 4)
			return fault(ng, "%zu bytes are left over behind the options", len);
		code = get16(p);
		n = get16(p + 2);
		if (!code)
			return n || len != 4 ? fault(ng, "the end of options is not the end") : 0;
		if (code >= 32 || seen >> code & 1)
			return fault(ng, "option %u is unknown or there twice", code);
		seen |= 1U << code;
		if (padded(n) > len - 4)
			return fault(ng, "option %u of %u bytes is longer than the block", code, n);
		if (!pad_is_zero(p + 4, n))
			return fault(ng, "option %u: padding is not zero", code);
		if (fn(ng, to, code, p + 4, n))
			return fault(ng, "option %u of %u bytes is not what it should be", code, n);
		p += 4 + padded(n);
		len -= 4 + padded(n);
	}
	return fault(ng, "no end of options");
}

static int get_text(char *to, const uint8_t *value, uint16_t len)
{
	if (!len || len >= NG_TEXT || memchr(value, 0, len))
		return -1;
	memcpy(to, value, len);
	to[len] = 0;
	return 0;
}

static int section_option(struct ng *ng, void *to, uint16_t code, const uint8_t *value, uint16_t len)
{
	char text[NG_TEXT];

	return code != 3 && code != 4 ? -1 : get_text(text, value, len);
}

static int read_section(struct ng *ng, const uint8_t *p, size_t len)
{
	if (ng->has_section++)
		return fault(ng, "a second section");
	if (len < 16 || get32(p) != 0x1a2b3c4d || get16(p + 4) != 1 || get16(p + 6))
		return fault(ng, "no section of version 1.0 in our order of bytes");
	if (get64(p + 8) != ~0ULL)
		return fault(ng, "the section claims to know its length");
	return read_options(ng, p + 16, len - 16, section_option, NULL);
}

static int interface_option(struct ng *ng, void *to, uint16_t code, const uint8_t *value, uint16_t len)
{
	struct ng_interface *i = to;
	char text[NG_TEXT];

	if (code == 2)
		return get_text(i->name, value, len);
	if (code == 3)
		return get_text(text, value, len);
	if (code == 9)
		return len != 1 || value[0] != 9;
	return code == 11 ? len < 2 || value[0] : -1;
}

static int read_interface(struct ng *ng, const uint8_t *p, size_t len)
{
	struct ng_interface *i = &ng->interface[ng->count];

	if (ng->packets || ng->count == NG_INTERFACES)
		return fault(ng, "an interface behind packets, or too many");
	if (len < 8 || get16(p) != 1 || get16(p + 2))
		return fault(ng, "no Ethernet interface");
	i->snaplen = get32(p + 4);
	ng->count++;
	if (read_options(ng, p + 8, len - 8, interface_option, i))
		return -1;
	return i->name[0] ? 0 : fault(ng, "an interface without a name");
}

static int packet_option(struct ng *ng, void *to, uint16_t code, const uint8_t *value, uint16_t len)
{
	struct ng_packet *k = to;

	switch (code) {
	case 1:
		return get_text(k->comment, value, len);
	case 2:
		k->flags = get32(value);
		return len != 4;
	case 4:
		k->lost = get64(value);
		return len != 8 || !k->lost;
	case 5:
		k->id = get64(value);
		return len != 8;
	case 6:
		k->queue = get32(value);
		return len != 4;
	case 7:
		k->xdp = len == 9 ? (int)get64(value + 1) : -1;
		return len != 9 || value[0] != 2;
	}
	return -1;
}

static int read_packet(struct ng *ng, const uint8_t *p, size_t len)
{
	struct ng_packet k = { .flags = ~0U, .queue = ~0U, .xdp = -1 };
	size_t room;

	if (len < 20)
		return fault(ng, "a block of %zu bytes is no packet", len);
	k.interface = get32(p);
	k.time = get_time(p + 4);
	k.captured = get32(p + 12);
	k.original = get32(p + 16);
	k.data = p + 20;
	room = padded(k.captured);
	if (k.interface >= ng->count || k.captured > k.original || k.captured > ng->interface[k.interface].snaplen)
		return fault(ng, "interface %u, %u of %u bytes", k.interface, k.captured, k.original);
	if (room > len - 20 || !pad_is_zero(k.data, k.captured))
		return fault(ng, "longer than its block, or padding is not zero");
	if (read_options(ng, k.data + room, len - 20 - room, packet_option, &k))
		return -1;
	ng->unordered += k.time < ng->time;
	ng->time = k.time;
	ng->interface[k.interface].packets++;
	ng->interface[k.interface].told += k.lost;
	if (ng->fn && ng->fn(&k, ng->arg))
		return fault(ng, "it is not the one that was sent");
	ng->packets++;
	return 0;
}

static int stats_option(struct ng *ng, void *to, uint16_t code, const uint8_t *value, uint16_t len)
{
	struct ng_interface *i = to;

	if (code == 4)
		i->received = get64(value);
	else if (code == 6)
		i->accepted = get64(value);
	else if (code == 7)
		i->dropped = get64(value);
	else if (code == 8)
		i->delivered = get64(value);
	else if (code != 2 && code != 3)
		return -1;
	return len != 8;
}

static int read_stats(struct ng *ng, const uint8_t *p, size_t len)
{
	if (len < 12 || get32(p) >= ng->count)
		return fault(ng, "statistics of no interface");
	ng->interface[get32(p)].stats++;
	return read_options(ng, p + 12, len - 12, stats_option, &ng->interface[get32(p)]);
}

static int read_block(struct ng *ng, uint32_t type, const uint8_t *p, size_t len)
{
	if (type == SECTION)
		return read_section(ng, p, len);
	if (!ng->has_section)
		return fault(ng, "it does not begin with a section");
	switch (type) {
	case 1:
		return read_interface(ng, p, len);
	case 5:
		return read_stats(ng, p, len);
	case 6:
		return read_packet(ng, p, len);
	}
	return fault(ng, "unknown block %u", type);
}

int ng_read(struct ng *ng, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t n;

	while (len) {
		if (len < 12)
			return fault(ng, "%zu bytes are no block", len);
		n = get32(p + 4);
		if (n < 12 || n % 4 || n > len)
			return fault(ng, "a block of %u bytes, and %zu are left", n, len);
		if (get32(p + n - 4) != n)
			return fault(ng, "%u bytes by its beginning, %u by its end", n, get32(p + n - 4));
		if (read_block(ng, get32(p), p + 8, n - 12))
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* test_packet.c - what the headers of a packet say, in words */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <ndiv/shield.h>
#include "pkt.h"

struct packet_row {
	const char *want;
	struct pkt_layer layers[6];
};

/* clang-format off */
static const struct packet_row rows[] = {
	{ "10.77.0.1:9 > 10.77.0.2:80 TCP SA", { IP4(), TCP(.sport = 9, .dport = 80, .flags = TH_SYN | TH_ACK) } },
	{ "10.77.0.1:9 > 10.77.0.2:80 TCP -", { IP4(), TCP(.sport = 9, .dport = 80) } },
	{ "[fd77::1]:9 > [fd77::2]:80 TCP FRPAUEC", { IP6(), TCP(.sport = 9, .dport = 80, .flags = 0xfd) } },
	{ "10.77.0.1:9 > 10.77.0.2:53 UDP", { IP4(), UDP(.sport = 9, .dport = 53), DATA(9) } },
	{ "10.77.0.1:9 > 10.77.0.2:53 UDP", { VLAN(5), IP4(), UDP(.sport = 9, .dport = 53), DATA(9) } },
	{ "[fd77::1]:9 > [fd77::2]:53 UDP", { VLAN(5), VLAN(6), IP6(), UDP(.sport = 9, .dport = 53), DATA(9) } },
	{ "10.77.0.1 > 10.77.0.2 ICMP type 8", { IP4(), ICMP(.type = 8), DATA(9) } },
	{ "fd77::1 > fd77::2 ICMPv6 type 128", { IP6(), ICMP6(.type = 128), DATA(9) } },
	{ "10.77.0.1:9 > 10.77.0.2:53 UDP, fragment", { IP4(.frag = 0x2000), UDP(.sport = 9, .dport = 53), DATA(9) } },
	{ "10.77.0.1 > 10.77.0.2 UDP, fragment", { IP4(.frag = 5, .proto = 17), DATA(9) } },
	{ "fd77::1 > fd77::2 UDP, fragment", { IP6(), FRAG(.off = 8, .next = 17), DATA(48) } },
	{ "10.77.0.1 > 10.77.0.2 protocol 47", { IP4(.proto = 47), DATA(9) } },
	{ 0 },
};
/* clang-format on */

static void expect(const void *data, size_t len, const char *want)
{
	void *copy = malloc(len ? len : 1);	/* as long as said, for the sanitizer */
	char text[NDIV_HEADERS_TEXT];
	struct ndiv_headers h;

	memcpy(copy, data, len);
	ndiv_headers_read(&h, copy, len);
	ndiv_headers_text(&h, text, sizeof(text));
	free(copy);
	if (want)
		assert_string_equal(text, want);
	assert_true(strlen(text) > 2);
}

static void test_rows(void **state)
{
	const struct packet_row *row;
	static struct pkt p;
	size_t len;

	for (row = rows; row->want; row++) {
		pkt_build(&p, row->layers);
		expect(p.data, p.len, row->want);
		for (len = 0; len < p.len; len++)
			expect(p.data, len, NULL);
	}
}

static void test_others(void **state)
{
	static const uint8_t arp[64] = { [12] = 8, [13] = 6 }, lldp[64] = { [12] = 0x88, [13] = 0xcc };

	expect(arp, sizeof(arp), "ARP");
	expect(lldp, sizeof(lldp), "EtherType 0x88cc");
}

/* Cut off in the middle: what is there is told. */
static void test_cut(void **state)
{
	static const struct pkt_layer layers[] = { IP4(), TCP(.sport = 9, .dport = 80, .flags = TH_ACK), { 0 } };
	static struct pkt p;

	pkt_build(&p, layers);
	expect(p.data, 33, "EtherType 0x0800");
	expect(p.data, 34, "10.77.0.1 > 10.77.0.2 TCP");
	expect(p.data, 38, "10.77.0.1:9 > 10.77.0.2:80 TCP");
	expect(p.data, 48, "10.77.0.1:9 > 10.77.0.2:80 TCP A");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

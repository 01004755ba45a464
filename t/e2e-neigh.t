#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-neigh.t: the handler neigh makes real clients believe that a range of servers is there
#
#	client: its own kernel, curl, arping, ndisc6, tshark  ---- veth ----  lab0: ndiv, neigh, httpd | the stack
#
# The client has addresses in 10.79.0.0/24 and fd79::/64, of which it asks for all others on the wire. With a VLAN tag:
# 10.79.20.0/24 and fd79:20::/64. None of them is the server's.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

MAC=02:00:00:00:77:02
NETS=10.79.0.0/24,10.79.20.0/24,fd79::/16
EXCEPT=10.79.0.254,10.79.20.254,fd79::fe,fd79:20::fe

# ask KIND ADDRESS [ARGUMENT...]: neigh.py, as the client that it is.
ask() {
	local source=10.79.0.254

	[ "${2##*:*}" ] || source=fd79::fe
	c "$top/t/neigh.py" ask lab0 "$1" "$2" --source "$source" "${@:3}"
}

counter() { count ".handlers.neigh.counters.\"$1\""; }

# --- a device with a VLAN tag ---------------------------------------------------

# tag_up: tag0 on the client, by a process: whoever has no VLAN devices has tc, whose packets generic XDP leaves alone.
tag_up() {
	c ip link add tag0 address 02:00:00:00:77:20 type veth peer name tag0-end || return
	c ip link set dev tag0-end addrgenmode none
	c ip link set dev tag0-end up
	c ip link set dev tag0 up
	c ethtool -K tag0 tx off tso off gso off >/dev/null
	c_bg "$top/t/neigh.py" tag lab0 20 tag0-end >"$tmp/tag" 2>&1
	wait_for grep -q ready "$tmp/tag"
}

# --- what clients see -------------------------------------------------------------

# addresses NETWORK: of servers, a hundred and more: all of an IPv4 network, some out of a /64, as `ip` writes them.
addresses() {
	local i

	case $1 in
	*:*) for ((i = 1; i <= 120; i++)); do
		printf '%s%x:%x:%x:%x\n' "$1" "$((i % 3 + 1))" "$((i * 40503 % 65535 + 1))" "$((i * 7))" "$((i * 257))"
	done ;;
	*) for ((i = 1; i <= 253; i++)); do echo "$1.$i"; done ;;
	esac
}

# known DEV: addresses whose MAC address the client's kernel has learned to be the server's.
known() { c ip -j neigh show dev "$1" | jq -r --arg mac "$MAC" '.[] | select(.lladdr == $mac).dst' | sort; }

# serves NAME DEV NETWORK: each address is a web server.
serves() {
	local name="$mode, $1" n host

	addresses "$3" >"$tmp/addresses"
	n=$(wc -l <"$tmp/addresses")
	while read -r host; do
		[ "${host##*:*}" ] || host="[$host]"
		printf 'url = "http://%s:8000/100"\noutput = "%s"\n' "$host" "$tmp/ignored"
	done <"$tmp/addresses" >"$tmp/curl"
	c ip neigh flush dev "$2"
	is "$name: each of $n addresses serves" \
		"$(c curl -s -g -m 60 --fail-early --noproxy '*' -w '%{http_code} %{size_download}\n' -K "$tmp/curl" | sort | uniq -c | xargs)" \
		"$n 200 100"
	is "$name: ip neigh shows the MAC address for each" "$(known "$2" | grep -cxFf "$tmp/addresses")" "$n"
}

arpings() {
	local said

	said=$(c arping -c 3 -I lab0 10.79.0.77)
	is "$mode, arping: broadcast and unicast" "$(grep -c "from 10.79.0.77 \[$MAC\]" <<<"$said")" 3
	is "$mode, arping: no answer too many" "$(grep Received <<<"$said")" 'Received 3 response(s)'
	c arping -D -c 2 -w 2 -I lab0 10.79.0.78 >"$tmp/said"
	is "$mode, arping -D: the address is taken" "$?" 1
	c arping -D -c 1 -w 1 -I lab0 10.80.0.78 >"$tmp/said"
	is "$mode, arping -D: one outside is not" "$?" 0
}

ndiscs() {
	is "$mode, ndisc6" "$(c ndisc6 -q -1 -r 2 -w 1000 fd79::1:2:3:4 lab0)" "${MAC^^}"
	is "$mode, ndisc6: from a link-local address" \
		"$(c ndisc6 -q -1 -r 2 -w 1000 -s "$(link_local)" fd79::77 lab0)" "${MAC^^}"
	c ndisc6 -q -1 -r 1 -w 500 fd7a::1 lab0 >"$tmp/said"
	is "$mode, ndisc6: nobody is outside" "$? $(<"$tmp/said")" '2 '
}

link_local() { c ip -6 -j addr show dev lab0 | jq -r '[.[].addr_info[]? | select(.scope == "link").local][0]'; }

# v6_state ADDRESS: of DAD, on the client.
v6_state() {
	c ip -6 -j addr show dev lab0 | jq -r --arg a "$1" \
		'.[].addr_info[] | select(.local == $a) | if .dadfailed then "failed" elif .tentative then "" else "good" end'
}
v6_settled() { [ -n "$(v6_state "$1")" ]; }

# dad ADDRESS: what the client's kernel finds out when it takes this address.
dad() {
	c ip address add "$1/128" dev lab0
	wait_for v6_settled "$1"
	v6_state "$1"
	c ip address del "$1/128" dev lab0
}

dads() {
	c sh -c 'cd /proc/sys/net/ipv6/conf/lab0 && echo 1 >accept_dad && echo 1 >dad_transmits'
	is "$mode, a kernel's DAD: the address is taken" "$(dad fd79::9:9)" failed
	is "$mode, a kernel's DAD: one outside is not" "$(dad fd7a::9:9)" good
}

# What no client does on demand: without tag, with one, with two.
asks() {
	local tags name

	for tags in '' 20 30,40; do
		name="$mode, tags ${tags:-none}"
		set -- ${tags:+--tags "$tags"}
		is "$name: arp" "$(ask arp 10.79.0.5 "$@")" "$MAC to 10.79.0.254"
		is "$name: arp probe" "$(ask probe 10.79.0.5 "$@")" "$MAC to 0.0.0.0"
		is "$name: ns" "$(ask ns fd79::5 "$@")" "$MAC to fd79::fe flags 6 length 32"
		is "$name: ns without option, whose answer is longer" "$(ask short fd79::5 "$@")" \
			"$MAC to fd79::fe flags 6 length 32"
		is "$name: dad" "$(ask dad fd79::5 "$@")" "$MAC to ff02::1 flags 2 length 32"
	done
	is "$mode: gratuitous arp is no question" "$(ask claim 10.79.0.5 --wait 0.2)" ''
	is "$mode: and is counted" "$(counter claimed)" 1
}

# All that came is accounted for.
accounts() {
	each_once "$mode: each packet is counted once"
	adds_up "$mode: each answer is counted as what it is" .handlers.neigh.verdicts.reply.packets \
		'.handlers.neigh.counters | [.arp, ."arp-probe", .ns, .dad] | add'
	is "$mode: nothing dropped" "$(count .handlers.neigh.verdicts.drop.packets) $(count '.core.reasons | add')" '0 0'
	is "$mode: nothing lost on the way out" "$(count .tx_lost)" 0
	is "$mode: no fault was found in what clients sent" \
		"$(count '.handlers.neigh.counters | [.malformed, ."bad-checksum", ."hop-limit", ."other-sender"] | add')" 0
}

# --- tshark, an independent judge -------------------------------------------------

capture_start() {
	c_bg tcpdump -i lab0 -s 0 -U --immediate-mode -w "$tmp/cap" arp or icmp6 or vlan 2>"$tmp/tcpdump"
	tcpdump=$LAB_PID
	wait_for grep -q 'listening on' "$tmp/tcpdump" || bail "tcpdump: $(<"$tmp/tcpdump")"
}

captured() { tcpdump -n -r "$tmp/cap" icmp6 2>/dev/null | grep -q 'echo reply'; }

# capture_stop: once all is in the file: a ping is the last thing.
capture_stop() {
	c ping -q -c 1 fd77::2 >"$tmp/ignored"
	wait_for captured || bail 'tcpdump has lost the end'
	kill "$tcpdump"
	wait "$tcpdump" 2>/dev/null
}

shark() { tshark -n -r "$tmp/cap" -Y "$1" "${@:2}" 2>/dev/null; }

judge() {
	local n

	n=$(shark 'icmpv6.type == 136' | wc -l)
	check "$mode, tshark: ARP replies" "$(shark "arp.opcode == 2 && arp.src.hw_mac == $MAC" | wc -l) > 500"
	check "$mode, tshark: advertisements" "$n > 240"
	is "$mode, tshark: each checksum is right" "$(shark 'icmpv6.type == 136 && icmpv6.checksum.status == 1' | wc -l)" "$n"
	is "$mode, tshark: nothing malformed" "$(shark '(arp || icmpv6) && _ws.malformed')" ''
	is "$mode, tshark: nothing to remark" "$(shark '(arp || icmpv6.type == 136) && _ws.expert.severity >= warn')" ''
	is "$mode, tshark: no address is claimed by two" "$(shark arp.duplicate-address-detected)" ''
	is "$mode, tshark: the host flags, and no router" "$(shark "icmpv6.type == 136 && eth.src == $MAC && ipv6.src == fd79::/16" \
		-T fields -e icmpv6.nd.na.flag.r -e icmpv6.nd.na.flag.o | sort -u | tr 'TF' 'tf' | sed 's/true/1/g; s/false/0/g')" \
		$'0\t1'
}

# --- the test ---------------------------------------------------------------------

lab_up "$@" || bail 'no lab'
ok 'a device with a VLAN tag' tag_up
c ip address add 10.79.0.254/24 dev lab0
c ip address add fd79::fe/64 dev lab0 nodad
c ip address add 10.79.20.254/24 dev tag0
c ip address add fd79:20::fe/64 dev tag0 nodad
ok 'the server takes frames for all groups' s ip link set dev lab0 allmulticast on

for mode in native generic; do
	ok "$mode: attach neigh" nd attach lab0 neigh addr="$NETS" except="$EXCEPT" rate=0 --mode "$mode"
	ok "$mode: attach httpd" nd attach lab0 httpd
	is "it is $mode" "$(json '.[0].mode')" "$mode"
	capture_start
	serves v4 lab0 10.79.0
	serves v6 lab0 fd79::
	serves 'tagged, v4' tag0 10.79.20
	serves 'tagged, v6' tag0 fd79:20::
	arpings
	ndiscs
	dads
	capture_stop
	judge
	asks
	accounts
	ok "$mode: detach" nd detach lab0
	ok "$mode: nothing is left" nothing_left
	is "$mode: and nobody answers" "$(ask arp 10.79.0.5 --wait 0.2)$(ask ns fd79::5 --wait 0.2)" ''
done

# addresses that the machine has
mode=native
s ip address add 10.79.0.9/32 dev lab0
ok 'attach, with an exception' nd attach lab0 neigh addr=10.79.0.0/24 except=10.79.0.9
is 'the stack answers for it' "$(ask arp 10.79.0.9)" "$MAC to 10.79.0.254"
is 'and not the handler' "$(counter arp) $(counter not-mine)" '0 1'
ok 'without the exception' nd replace lab0 neigh addr=10.79.0.0/24
is 'one answer, and not two' "$(ask arp 10.79.0.9 --count 2 --wait 0.3)" "$MAC to 10.79.0.254"$'\n'"$MAC to 10.79.0.254"
is 'by the handler' "$(counter arp)" 2
ok 'without addresses' nd replace lab0 neigh
is 'nobody is simulated' "$(ask arp 10.79.0.5 --wait 0.2)$(ask ns fd79::5 --wait 0.2)" ''

# another MAC address
s ip link set dev lab0 address 02:00:00:00:77:05
ok 'replaced, when the MAC address has changed' nd replace --keep lab0 neigh addr=10.79.0.0/24
is 'the new one is told' "$(ask arp 10.79.0.5 --peer 02:00:00:00:77:05)" '02:00:00:00:77:05 to 10.79.0.254'
s ip link set dev lab0 address "$MAC"

# above the limit
ok 'with a limit' nd replace lab0 neigh addr=10.79.0.0/24 rate=1 burst=20
answered=$(ask arp 10.79.0.5 --count 200 --wait 0.3 | wc -l)
check 'the burst is answered, and not much more' "$answered >= 20 && $answered < 100"
is 'the others are dropped, and counted' "$(count '.handlers.neigh.reasons."over-rate"')" $((200 - answered))
ok 'detach' nd detach lab0
ok 'nothing is left' nothing_left
done_testing

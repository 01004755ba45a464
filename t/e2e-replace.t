#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-replace.t: a chain that is changed while packets flow: none is lost, none is answered twice
#
# All packets are numbered: by ping, and by udp.py. Addresses are nobody's, so that the stack cannot stand in.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

# flood_start: ping in the background.
flood_start() {
	c_bg ping -f 10.78.1.2 >"$tmp/flood" 2>&1
	flood=$LAB_PID
	wait_for count_reaches .packets 1000
}

# flood_end NAME: ends it. The last one may still be on its way when ping is told to end; the handler has answered it.
flood_end() {
	local sent received

	ok "$1: still asked" kill -INT "$flood"
	wait "$flood"
	# in flood mode it prints a dot for each packet, and takes it back for each answer
	sent=$(grep -aoE '[0-9]+ packets transmitted' "$tmp/flood" | grep -o '^[0-9]*')
	received=$(grep -aoE '[0-9]+ received' "$tmp/flood" | grep -o '^[0-9]*')
	check "$1: each is answered" "$sent > 1000 && $sent - $received <= 1"
	ok "$1: none is answered twice" sh -c "! grep -aE 'duplicates|errors' '$tmp/flood'"
	is "$1: the handler has answered as many" "$(count .handlers.ping.verdicts.reply.packets)" "$sent"
	is "$1: nothing in the core" "$(count '.core.reasons | add')" 0
}

# --- the handler that answers -------------------------------------------------

replace_ping() {
	local i

	ok "$mode: attach ping" nd attach lab0 ping rate=0 --mode "$mode"
	flood_start
	for i in {1..20}; do
		nd replace --keep lab0 ping burst="$i" || fail "$mode: replace $i"
	done
	flood_end "$mode: 20 replacements"
	is "$mode: the last one is in use" "$(json '.[0].chain[0].options.burst')" 20
	nd detach lab0
}

# Two versions that can be told apart: each number comes back once, from the one or the other.
replace_reply() {
	local asked said tag

	ok "$mode: attach reply" nd attach lab0 "$handlers/reply.bpf.o" tag=65 --mode "$mode"
	rm -f "$tmp/enough"
	c_bg "$top/t/udp.py" ask 10.78.1.2 7004 10000000 --until "$tmp/enough" >"$tmp/asked"
	asked=$LAB_PID
	wait_for count_reaches .handlers.reply.verdicts.reply.packets 100
	for tag in {66..75}; do
		nd replace lab0 "$handlers/reply.bpf.o" tag="$tag" || fail "$mode: replace by $tag"
	done
	ok "$mode: still asked while it was replaced" kill -0 "$asked"
	touch "$tmp/enough"
	wait "$asked"
	said=$(<"$tmp/asked")
	is "$mode: versions: each comes back, once" "$(jq -c '[.sent - .received, .lost, .twice, .wrong]' <<<"$said")" \
		'[0,0,0,0]'
	check "$mode: versions: each has answered" "$(jq '.tags | length' <<<"$said") == 11"
	is "$mode: versions: the last one in the end" "$(udp ask 10.78.1.2 7004 10 | jq -c .tags)" '{"K":10}'
	nd detach lab0
}

# --- other handlers come and go beside it -------------------------------------

come_and_go() {
	local i

	ok "$mode: attach ping" nd attach lab0 ping rate=0 --mode "$mode"
	flood_start
	for i in {1..4}; do
		nd attach lab0 "$handlers/accept.bpf.o" --at 0 || fail "$mode: attach accept"
		nd attach lab0 "$handlers/drop.bpf.o" || fail "$mode: attach drop"
		nd order lab0 drop accept ping || fail "$mode: order"
		nd set lab0 malformed=drop sample=16 || fail "$mode: set"
		nd detach lab0 accept || fail "$mode: detach accept"
		nd detach lab0 drop || fail "$mode: detach drop"
	done
	flood_end "$mode: attach, order, set, detach beside it"
	nd detach lab0
}

# --- connections of a server that is replaced ---------------------------------

replace_httpd() {
	local load i

	ok "$mode: attach httpd" nd attach lab0 httpd --mode "$mode"
	c_bg wrk -t 2 -c 50 -d 300 http://10.78.1.2:8000/100 >"$tmp/wrk" 2>&1
	load=$LAB_PID
	wait_for count_reaches .handlers.httpd.counters.get 1000
	for i in {1..10}; do
		nd replace lab0 httpd ports="8000-$((8000 + i))" || fail "$mode: replace httpd $i"
	done
	ok "$mode: still asked while it was replaced" kill -INT "$load"
	wait "$load"
	check "$mode: wrk was served" "$(awk '/requests in/ { print $1 }' "$tmp/wrk") > 1000"
	ok "$mode: no socket error, no other status" sh -c "! grep -E 'Socket errors|Non-2xx' '$tmp/wrk'"
	is "$mode: the key was kept: no bad cookie" "$(count '.handlers.httpd.reasons."bad-cookie"')" 0
	nd detach lab0
}

lab_up "$@" || bail 'no lab'
for mode in native generic; do
	replace_ping
	replace_reply
	come_and_go
	replace_httpd
	ok "$mode: nothing is left" nothing_left
done
done_testing

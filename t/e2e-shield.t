#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-shield.t: the handler shield in front of real servers: connections are what they would be without it, and live
# through floods, changes of the chain, and being older than shield
#
#	client: tcp.py, wrk  ---- veth ----  lab0: ndiv, shield | the stack: tcp.py, haproxy
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/haproxy.sh
. "$(dirname "$0")/haproxy.sh"

# hold ADDRESS: a connection to port 80, which has said hello. Its pid is in held.
hold() {
	rm -f "$tmp/hello"
	c_bg "$top/t/tcp.py" hold "$1" 80 "$tmp/hello" 2>"$tmp/hold.log"
	held=$LAB_PID
	wait_for -t 20 grep -q hello "$tmp/hello"
}

gone() { ! s ss -Htn state established 'sport = :80' | grep -q .; }

drop() {
	kill "$held"
	wait "$held" 2>/dev/null
	wait_for gone
}

# options: what `ss -ti` tells of the accepted socket's options, and of the client's.
options() {
	s ss -tinoH state established 'sport = :80' | words snd_wnd
	c ss -tinoH state established 'dport = :80' | words -
}

words() { grep -oE "\<(ts|sack|ecn|ecnseen|(wscale|mss|pmtu|advmss|rcvmss|rcv_space|rcv_ssthresh|$1):[0-9,]+)( |$)" | xargs; }

cookies() { json '.[0].in.handlers.shield.counters.handover'; }

# by_cookie ADDRESS: a connection that shield has answered the SYN of: now and then, one is passed to the stack.
by_cookie() {
	local before

	for _ in 1 2 3; do
		before=$(cookies)
		hold "$1" || return 1
		[ "$(cookies)" = "$before" ] || return 0
		drop
	done
	echo "three connections without a cookie"
	return 1
}

# client_offers TS SACK WSCALE ECN MSS MSS6: what the client's SYNs have.
client_offers() {
	c sysctl -qw net.ipv4.tcp_timestamps="$1" net.ipv4.tcp_sack="$2" net.ipv4.tcp_window_scaling="$3" \
		net.ipv4.tcp_ecn="$4"
	c ip route replace 10.77.0.0/24 dev lab0 src 10.77.0.1 advmss "$5"
	c ip -6 route replace fd77::/64 dev lab0 advmss "$6"
}

# each FUNCTION MSS...: for all combinations of what a client offers; without timestamps, a cookie has room for three
# values of the MSS, these among them.
each() {
	local ts sack wscale ecn mss function=$1

	shift
	for ts in 0 1; do for sack in 0 1; do for wscale in 0 1; do for ecn in 0 1; do for mss in "$@"; do
		client_offers "$ts" "$sack" "$wscale" "$ecn" "$mss" "$((mss == 1460 ? 1440 : mss))"
		"$function" "ts $ts, sack $sack, wscale $wscale, ecn $ecn, mss $mss"
	done; done; done; done; done
	# with timestamps, it is exact
	for mss in 1411 1220; do
		client_offers 1 1 1 0 "$mss" "$mss"
		"$function" "mss $mss"
	done
	client_offers 1 1 1 0 1460 1440
}

# What `options` tells without shield.
declare -A plain

note_plain() {
	local address

	for address in 10.77.0.2 fd77::2; do
		hold "$address" || fail "without shield, $address: $1"
		plain["$address $1"]=$(options)
		drop
	done
}

compare() {
	local address

	for address in 10.77.0.2 fd77::2; do
		if by_cookie "$address" >"$tmp/why" 2>&1; then
			is "$mode: $address, $1" "$(options)" "${plain["$address $1"]}"
			drop
		else
			fail "$mode: $address, $1" "$(<"$tmp/why")"
		fi
	done
}

learnt() { [ "$(json '.[0].tx.handlers.shield.counters.service')" -gt "$1" ]; }

# Connects until the stack has been asked again.
until_learnt() {
	local before

	before=$(json '.[0].tx.handlers.shield.counters.service')
	until learnt "$before"; do
		hold 10.77.0.2 && drop || return 1
	done
	before=$(json '.[0].tx.handlers.shield.counters.service')
	until learnt "$before"; do
		hold fd77::2 && drop || return 1
	done
}

# What the server's namespace has switched off is not promised.
restricted() {
	local setting

	for setting in tcp_timestamps tcp_sack tcp_window_scaling tcp_ecn; do
		s sysctl -qw "net.ipv4.$setting=0"
		nd detach lab0
		note_plain "without $setting"
		ok "$mode: attach again" nd attach lab0 shield --mode "$mode"
		until_learnt
		compare "without $setting"
		s sysctl -qw "net.ipv4.$setting=$([ "$setting" = tcp_ecn ] && echo 2 || echo 1)"
	done
	ok "$mode: all is allowed again" until_learnt
}

# A connection that is older than shield: idle while it is attached, then it speaks.
older() {
	hold "$1"
	ok "$mode: attach with a connection open, $*" nd attach lab0 shield --mode "$mode" "${@:2}"
	kill -USR1 "$held"
	ok "$mode: it goes on, $*" wait_for grep -q 'echo 1' "$tmp/hello"
	check "$mode: it was found, $*" "$(count .handlers.shield.counters.'"flow-found"') == 1"
	drop
	ok "$mode: detach" nd detach lab0
}

dropped() { count ".handlers.shield.reasons.\"$1\""; }

# flooded ADDRESS FRAGMENTS: nothing of a flood gets to the stack, and connections go on.
flooded() {
	local before said reached

	hold "$1"
	before=$(json '.[0].in.packets')
	said=$(c "$top/t/tcp.py" flood lab0 "$1" 80 3000)
	is "$mode: flood of $1" "${said%% r*}" 'syn 3000 ack 3000 synack 3000'
	reached=$(($(json '.[0].in.packets') - before))
	if has_cookies; then
		check "$mode: flood of $1: next to nothing reached the stack" "$reached < 100"
		is "$mode: flood of $1: nothing half open" "$(s ss -Htn state syn-recv | wc -l)" 0
	fi
	kill -USR1 "$held"
	ok "$mode: flood of $1: the open connection goes on" wait_for grep -q 'echo 1' "$tmp/hello"
	drop
	if hold "$1" 2>"$tmp/why"; then
		pass "$mode: flood of $1: a new connection"
	else
		fail "$mode: flood of $1: a new connection" "$(<"$tmp/why")"
	fi
	drop
}

# load NAME ARGUMENT...: wrk for a second: no error, no other status.
load() {
	local name=$1 said

	shift
	said=$(c wrk -t 2 -c 50 -d 1 "$@" 2>&1)
	if grep -q 'Requests/sec' <<<"$said" && ! grep -qE 'Socket errors|Non-2xx' <<<"$said" &&
		[ "$(awk '/requests in/ { print $1 }' <<<"$said")" -gt 100 ]; then
		pass "$name"
	else
		fail "$name" "$said"
	fi
}

# changed: all that can be done to the chain, while wrk asks.
changed() {
	local i

	c_bg wrk -t 2 -c 100 -d 300 http://10.77.0.2:81/ >"$tmp/wrk" 2>&1
	for ((i = 1; i <= 5; i++)); do
		ok "$mode: attach under load, $i" nd attach lab0 shield --mode "$mode"
		wait_for -t 20 count_reaches .handlers.shield.verdicts.next.packets 2000 || fail "$mode: no load"
		ok "$mode: replace under load, $i" nd replace lab0 shield learn="$i"
		ok "$mode: detach under load, $i" nd detach lab0
	done
	kill -INT "$LAB_PID"
	wait "$LAB_PID"
	ok "$mode: wrk has ended well" grep -q Requests/sec "$tmp/wrk"
	is "$mode: no error" "$(grep -E 'Socket errors|Non-2xx' "$tmp/wrk")" ''
}

no_cookies() {
	hold 10.77.0.2
	is "$mode: an old kernel: no cookie" "$(count .handlers.shield.counters.'"cookie-sent"')" 0
	check "$mode: an old kernel: SYNs are passed" "$(count .handlers.shield.counters.'"syn-passed"') > 1"
	drop
}

lab_up "$@" || bail 'no lab'
s_bg "$top/t/tcp.py" serve 80
wait_for listens 80 || bail 'no server'
haproxy_start 81
each note_plain 1460 1360
for mode in native generic; do
	ok "$mode: attach" nd attach lab0 shield --mode "$mode"
	if ! has_cookies; then
		no_cookies
	elif [ "$mode" = native ]; then
		each compare 1460 1360
		restricted
	else
		for address in 10.77.0.2 fd77::2; do hold "$address"; drop; done
		client_offers 1 1 1 0 1411 1411
		compare 'mss 1411'
		client_offers 1 1 1 0 1460 1440
	fi
	load "$mode: haproxy, keep-alive" http://10.77.0.2:81/
	load "$mode: haproxy, close" -H 'Connection: close' http://10.77.0.2:81/
	load "$mode: haproxy, v6, close" -H 'Connection: close' 'http://[fd77::2]:81/'
	load "$mode: haproxy, vlan, close" -H 'Connection: close' http://10.77.10.2:81/
	is "$mode: no loss, no refusal" "$(json '.[0].rx.core.reasons, .[0].in.handlers.shield.reasons |
		to_entries[] | select(.value > 0)')" ''
	flooded 10.77.0.2
	flooded fd77::2
	check "$mode: ACKs without a cookie" "$(dropped bad-cookie) >= 6000"
	check "$mode: SYN-ACKs and resets without a flow" "$(dropped no-flow) >= 12000"
	check "$mode: no flags" "$(dropped bad-flags) == 6000"
	check "$mode: fragments" "$(dropped fragment) == 3000"
	c curl -s -m 30 10.77.0.2:82/
	is "$mode: where nobody listens, a reset" "$?" 7
	ok "$mode: detach" nd detach lab0
	older 10.77.0.2
	older fd77::2 learn=0
	changed
	ok "$mode: nothing is left" nothing_left
done
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-faults.t: the handler faults on live interfaces: what is lost, doubled, late or out of order is what it says
#
#	client: udp.py, curl | lab0: ndiv, faults  ---- veth ----  lab0: ndiv, faults, reply or httpd | the stack: a web server
#
# On both ends, because a handler sees what is received: the server's faults are those of requests, the client's those of
# answers.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/wire.sh
. "$(dirname "$0")/wire.sh"

# of SIDE FILTER: what faults has counted there.
of() {
	"$build/ndiv" -n "$LAB-$1" show -aj lab0 | jq -r ".[0].rx.handlers.faults$2"
}

# faults SIDE [OPTION...]: these faults, from now on; what was counted goes on, and so does the sequence.
faults() {
	"$build/ndiv" -n "$LAB-$1" replace lab0 faults ports=1-9999 "${@:2}" || fail "$mode: faults ${*:2}"
}

# mark SIDE FILTER: remembers a counter; since SIDE FILTER: what was added.
declare -A marks
mark() { marks[$1$2]=$(of "$1" "$2"); }
since() { echo $(($(of "$1" "$2") - marks[$1$2])); }

said() { jq -c "$1" <<<"$2"; }

drops() {
	local answer lost

	mark s .reasons.fault
	mark c .reasons.fault
	faults s drop=100
	faults c drop=100
	answer=$(udp ask 10.77.0.2 7004 1000 --wait 0.3)
	lost=$(($(since s .reasons.fault) + $(since c .reasons.fault)))
	is "$mode: drop: what is lost was dropped" "$(said .lost "$answer")" "$lost"
	check "$mode: drop: about a tenth each way" "$lost > 100 && $lost < 300"
	check "$mode: drop: on both sides" "$(since s .reasons.fault) > 50 && $(since c .reasons.fault) > 45"
	is "$mode: drop: nothing else is wrong" "$(said '[.twice, .wrong]' "$answer")" '[0,0]'
}

duplicates() {
	local answer

	faults s
	faults c duplicate=1000
	is "$mode: duplicate, all answers" "$(said '[.received, .lost, .twice]' "$(udp ask 10.77.0.2 7004 300 --each 2)")" \
		'[600,0,0]'
	faults c
	mark s .verdicts.repeat.packets
	faults s duplicate=100 duplicate-ms=20
	answer=$(udp ask fd77::2 7004 1000)
	check "$mode: duplicate, some requests: none lost" \
		"$(said .lost "$answer") == 0 && $(since s .verdicts.repeat.packets) > 45"
	is "$mode: duplicate, some requests: answered twice" "$(said '.received - .sent' "$answer")" \
		"$(since s .verdicts.repeat.packets)"
}

delays() {
	faults s delay=1000 delay-ms=40 jitter-ms=20
	faults c delay=1000 delay-ms=30
	answer=$(udp ask 10.77.0.2 7004 200)
	is "$mode: delay: none is lost, none comes twice" "$(said '[.received, .lost, .twice]' "$answer")" '[200,0,0]'
	is "$mode: delay: none is faster" "$(said '.fastest >= 70' "$answer")" true
	check "$mode: delay: overtaken by those with less of it" "$(said .late "$answer") > 10"
}

reorders() {
	faults s reorder=100 reorder-ms=20
	faults c
	answer=$(udp ask 10.77.0.2 7004 2000)
	is "$mode: reorder: none is lost, none comes twice" "$(said '[.received, .lost, .twice]' "$answer")" \
		'[2000,0,0]'
	check "$mode: reorder: some come late" "$(said .late "$answer") > 10"
}

# The stack takes no notice of what has a wrong checksum.
corruption() {
	local before

	faults c
	mark s .counters.corrupted
	faults s corrupt=200
	before=$(s nstat -asz UdpInCsumErrors | awk '/Udp/ { print $2 }')
	s_bg "$top/t/udp.py" listen 7001 >"$tmp/heard"
	wait_for grep -q ready "$tmp/heard"
	udp send 10.77.0.2 7001 500
	ok "$mode: corrupt: the rest is heard" wait_for heard_rest
	is "$mode: corrupt: the stack has seen as many wrong checksums" \
		"$(($(s nstat -asz UdpInCsumErrors | awk '/Udp/ { print $2 }') - before))" "$(since s .counters.corrupted)"
	check "$mode: corrupt: about a fifth" "$(since s .counters.corrupted) > 50 && $(since s .counters.corrupted) < 150"
	kill "$LAB_PID" && wait "$LAB_PID" 2>/dev/null
}

heard_rest() {
	[ "$(grep -c '^[0-9]' "$tmp/heard")" = $((500 - $(since s .counters.corrupted))) ]
}

# TCP of the kernel gets everything through, and so does a server that keeps no state.
tcp() {
	local all=(drop=20 corrupt=20 duplicate=20 delay=20 delay-ms=5 jitter-ms=5 reorder=20)

	faults s "${all[@]}"
	faults c "${all[@]}"
	ok "$mode: tcp: a file" c curl -sf -m 60 -o "$tmp/got" http://10.77.0.2:8080/file
	ok "$mode: tcp: as it was" cmp "$tmp/file" "$tmp/got"
	for kind in .reasons.fault .counters.corrupted .verdicts.repeat.packets .counters.delayed .counters.reordered; do
		check "$mode: tcp: there was a fault, $kind" "$(of s "$kind") > 0 && $(of c "$kind") > 0"
	done
}

serve() {
	mkdir "$tmp/www"
	head -c 1000000 /dev/urandom >"$tmp/file"
	ln "$tmp/file" "$tmp/www/file"
	s_bg python3 -m http.server --bind :: --directory "$tmp/www" 8080 >"$tmp/www.log" 2>&1
	wait_for c curl -sf -o "$tmp/ignored" http://10.77.0.2:8080/
}

lab_up "$@" || bail 'no lab'
serve || bail 'no server'
c ip link set lab0 xdpdrv off
for mode in native generic; do
	ok "$mode: attach" nd attach lab0 faults --mode "$mode"
	ok "$mode: attach, client" ndc attach lab0 faults --mode "$mode"
	nd attach lab0 "$handlers/reply.bpf.o" || fail "$mode: attach reply"
	agents_start
	drops
	duplicates
	delays
	reorders
	corruption
	tcp
	agents_stop
	each_once "$mode: each packet is counted once"
	is "$mode: no reason to drop of the core" "$(count '.core.reasons | add')" 0
	ok "$mode: detach" nd detach lab0
	ok "$mode: detach, client" ndc detach lab0
	ok "$mode: nothing is left" nothing_left
done
done_testing

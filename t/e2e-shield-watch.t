#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# shellcheck disable=SC2016 # messages with backquotes
#
# e2e-shield-watch.t: `ndiv shield watch`: samples of what shield drops, with reason and rule; tshark reads the file
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/capture.sh
. "$(dirname "$0")/capture.sh"

# watch ARGUMENT...: in the background, when it is at work; what it shows is in $tmp/out.
watch() {
	: >"$tmp/said"
	"$build/ndiv" -n "$LAB-s" shield watch "$@" >"$tmp/out" 2>"$tmp/said" &
	capture=$!
	wait_for grep -q 'listening on' "$tmp/said"
}

put() {
	cat >"$tmp/policy"
	ok "$mode: a policy" nd shield load lab0 "$tmp/policy"
}

dropped() { count ".handlers.shield.reasons.\"$1\""; }

reaches() { [ "$(dropped "$1")" -ge "$2" ]; }

# lines: of what is shown, without the time.
lines() { sed 's/^[0-9:]*\.[0-9]\{6\} //' "$tmp/out"; }

# counted: packets shown, dropped, left out, lost.
counted() { sed -n 's/.*watch: \([0-9]*\) packets of \([0-9]*\) .* \([0-9]*\) left .* \([0-9]*\) lost/\1 \2 \3 \4/p' "$tmp/said"; }

ping1() { c ping -qc 1 -W 1 -s 56 "$1" >/dev/null; }

# ack: one that belongs to nothing, from port 1234.
ack() {
	c python3 -c '
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
s.sendto(struct.pack("!HHIIBBHHH", 1234, 80, 1, 1, 0x50, 16, 100, 0, 0), ("10.77.0.2", 0))'
}

screen() {
	local n

	put <<-'END'
		deny 203.0.113.0/24
		service icmp deny
		service tcp port 81-82 deny
		service icmp6 type 128 deny
	END
	watch lab0 --rate 0
	ping1 10.77.0.2
	ok "$mode: a ping is shown" wait_for grep -q 'ICMP type 8' "$tmp/out"
	# the client may send it again
	c curl -s -m 1 http://10.77.0.2:82/ >/dev/null
	ok "$mode: a SYN is shown" wait_for grep -q 'TCP S' "$tmp/out"
	ack
	ok "$mode: an ACK is shown" wait_for grep -q 'TCP A' "$tmp/out"
	ping1 fd77::2
	ok "$mode: IPv6 is shown" wait_for grep -q 'ICMPv6' "$tmp/out"
	stops "$mode: it ends"
	is "$mode: what they are, and why they were dropped" "$(lines | sed 's/1:[0-9]* > 10.77.0.2:82/1:PORT > 10.77.0.2:82/' | uniq)" \
		'denied by line 2 (service icmp deny): 10.77.0.1 > 10.77.0.2 ICMP type 8, 98 bytes
denied by line 3 (service tcp port 81-82 deny): 10.77.0.1:PORT > 10.77.0.2:82 TCP S, 74 bytes
bad-cookie: 10.77.0.1:1234 > 10.77.0.2:80 TCP A, 54 bytes
denied by line 4 (service icmp6 type 128 deny): fd77::1 > fd77::2 ICMPv6 type 128, 118 bytes'
	n=$(lines | wc -l)
	is "$mode: counts" "$(counted)" "$n $n 0 0"
	watch lab0 --reason bad-cookie -c 1 --json
	ping1 10.77.0.2
	ack
	ends "$mode: by reason, as JSON" 0
	is "$mode: JSON" "$(jq -c 'del(.time)' "$tmp/out")" \
		'{"reason":"bad-cookie","src":"10.77.0.1","dst":"10.77.0.2","proto":6,"sport":1234,"dport":80,"flags":16,"fragment":false,"bytes":54}'
	check "$mode: JSON: the time" "$(jq '.time | floor' "$tmp/out") + 300 > $(date +%s)"
	watch lab0 -c 1 --json
	ping1 10.77.0.2
	ends "$mode: JSON, with a rule" 0
	is "$mode: JSON, with a rule" "$(jq -c '[.reason, .line, .rule, .type]' "$tmp/out")" '["denied",2,"service icmp deny",8]'
}

# file: as pcapng, for tshark.
file() {
	local before

	before=$(dropped denied)
	watch lab0 --rate 0 -w "$tmp/w"
	udp send 10.77.0.2 9 20 >/dev/null
	put <<<'service udp port 9 deny'
	c ping -qf -c 3 10.77.0.2 >/dev/null
	ok "$mode: file: the policy is seen" wait_for another_rule
	stops "$mode: file: it ends"
	before=$(($(dropped denied) - before))
	judged "$mode: file" "$tmp/w" "$before"
	is "$mode: file: reason and rule" "$(fields "$tmp/w" -Y udp.dstport==9 -e frame.comment | sort -u | tail -n 1)" \
		'shield: drop denied, line 1: service udp port 9 deny'
	is "$mode: file: whole packets" "$(fields "$tmp/w" -Y 'frame.len != frame.cap_len' -e frame.number)" ''
	is "$mode: file: counts" "$(counted)" "$before $before 0 0"
}

# another_rule: one more packet, and the newest ones are told by the rule.
another_rule() {
	udp send 10.77.0.2 9 1 >/dev/null
	tshark -nr "$tmp/w" -T fields -e frame.comment 2>/dev/null | grep -q 'line 1: service udp port 9 deny'
}

# left_out: by rate, and by chance: all that was dropped is shown or counted as left out.
left_out() {
	local before n

	put <<<'service udp port 9 deny'
	for how in '--rate 1' '--rate 0 --sample 10'; do
		before=$(dropped denied)
		# shellcheck disable=SC2086 # two words
		watch lab0 $how
		udp send 10.77.0.2 9 2000 >/dev/null
		ok "$mode: $how: all are dropped" wait_for -t 20 reaches denied $((before + 2000))
		stops "$mode: $how: it ends"
		n=$(grep -c 'denied' "$tmp/out")
		is "$mode: $how: counts" "$(counted)" "$n 2000 $((2000 - n)) 0"
		check "$mode: $how: some are shown, and most are not" "$n > 0 && $n < 1000"
	done
}

# changed: another policy meanwhile. Right behind the change, no rule is told, but never a wrong one.
changed() {
	put <<<'service icmp deny # a'
	watch lab0 --rate 0
	ok "$mode: changed: the first one" wait_for tells 'by line 1 (service icmp deny)'
	put <<<$'\ndeny 10.77.0.1'
	ok "$mode: changed: the second one" wait_for tells 'by line 2 (deny 10.77.0.1)'
	put <<<$'\n\nservice any deny'
	ok "$mode: changed: the third one" wait_for tells 'by line 3 (service any deny)'
	ok "$mode: changed: no policy" nd shield unload lab0
	stops "$mode: changed: it ends"
	is "$mode: changed: none that was wrong" "$(lines | grep -v '^denied: ' | sed 's/: .*//' | uniq)" \
		$'denied by line 1 (service icmp deny)\ndenied by line 2 (deny 10.77.0.1)\ndenied by line 3 (service any deny)'
}

# tells TEXT: it does, behind one more ping.
tells() {
	c ping -qc 1 -W 0.1 10.77.0.2 >/dev/null
	grep -qF "$1" "$tmp/out"
}

errors() {
	exits 'not attached' 1 'ndiv: lab0: shield is not attached: `ndiv attach lab0 shield`' nd shield watch lab0
	ok 'attach' nd attach lab0 shield learn=0
	exits 'no such reason' 1 'ndiv: lab0: nothing on it has verdict and handler shield and reason x (`ndiv show -a lab0` lists what there is)' \
		nd shield watch lab0 --reason x
	watch lab0
	exits 'one at a time' 1 "ndiv: lab0: process $capture captures on it: one at a time" nd shield watch lab0
	stops 'it ends'
	exits 'usage' 2 'ndiv shield watch: --json is for the screen, and not for a file' nd shield watch lab0 -j -w x
	exits 'usage: no interface' 2 'ndiv shield watch: IF is missing' nd shield watch
	is 'completion of the word' "$("$build/ndiv" complete -- shield wa)" watch
	is 'completion of its options' "$("$build/ndiv" complete -- shield watch --ra)" --rate
	ok 'help' sh -c "'$build/ndiv' help shield watch | grep -q '^Usage: ndiv shield watch'"
	watch lab0 -w "$tmp/gone"
	ok 'detach' nd detach lab0
	ends 'it ends when shield is detached' 1
	is 'it says why' "$(grep -c 'ndiv was detached from the interface' "$tmp/said")" 1
}

lab_up "$@" || bail 'no lab'
mode=any
errors
for mode in native generic; do
	ok "$mode: attach" nd attach lab0 shield --mode "$mode" learn=0
	screen
	left_out
	file
	changed
	ok "$mode: detach" nd detach lab0
	ok "$mode: nothing is left" nothing_left
done
done_testing

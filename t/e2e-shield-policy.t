#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-shield-policy.t: `ndiv shield check, load, show, diff, unload`: from a file to packets, and what its rules counted
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/haproxy.sh
. "$(dirname "$0")/haproxy.sh"

# rule N FIELD: of the policy at work.
rule() { nd shield show -j lab0 | jq -r ".policy.rules[$(($1 - 1))].$2"; }

dropped() { count ".handlers.shield.reasons.\"$1\""; }

pings() { c ping -qc 1 -W "${2:-10}" "$1" >"$tmp/ping" 2>&1; }

silent() { ! pings "$1" 1; }

fetches() { [ "$(c curl -s -m "${2:-30}" "http://$1/")" = hello ]; }

refused() { ! fetches "$1" 2; }

put() { cat >"$tmp/policy"; }

load() { ok "$1" nd shield load lab0 "$tmp/policy"; }

# errors: a bad policy is refused, by its place, and changes nothing.
errors() {
	put <<<'service tcp port 80x deny'
	exits 'check: a bad one' 1 \
		"ndiv: $tmp/policy:1:18: expected a port from 0 to 65535, or a range such as 8000-8999, found \"80x\"" \
		"$build/ndiv" shield check "$tmp/policy"
	exits 'load: a bad one' 1 \
		"ndiv: $tmp/policy:1:18: expected a port from 0 to 65535, or a range such as 8000-8999, found \"80x\"" \
		nd shield load lab0 "$tmp/policy"
	exits 'check: none' 1 "ndiv: cannot read $tmp/none: No such file or directory" "$build/ndiv" shield check "$tmp/none"
	exits 'usage: no action' 2 'ndiv shield: ACTION is missing' nd shield
	exits 'usage: another action' 2 'ndiv shield: "x" is none of show|check|diff|load|unload|ban|bans|unban|keys|genkey' nd shield x
	exits 'usage: no file' 2 'ndiv shield: load: it takes IF and FILE behind its name' nd shield load lab0
}

# sources: of both families, in and out of a set.
sources() {
	echo '10.77.0.1   # the client' >"$tmp/list"
	put <<-'END'
		set bad file "list"
		deny @bad
		deny fd77::1
	END
	load "$mode: a policy"
	ok "$mode: a denied address, ping" silent 10.77.0.2
	ok "$mode: a denied address, HTTP" refused 10.77.0.2
	ok "$mode: a denied address, IPv6" refused '[fd77::2]'
	check "$mode: the rule counts" "$(rule 1 refused) > 1"
	is "$mode: all that it is about is refused" "$(rule 1 packets)" "$(rule 1 refused)"
	is "$mode: the reason counts as the rules do" "$(dropped denied)" "$(($(rule 1 refused) + $(rule 2 refused)))"
	put <<<'deny 10.77.0.3'
	load "$mode: another policy"
	is "$mode: its counters begin at 0" "$(rule 1 packets)" 0
	ok "$mode: nobody is denied" fetches 10.77.0.2
	ok "$mode: nobody is denied, ping" pings 10.77.0.2
}

# services: TCP by its SYNs, so that what is open stays.
services() {
	rm -f "$tmp/hello"
	c_bg "$top/t/tcp.py" hold 10.77.0.2 82 "$tmp/hello" 2>"$tmp/hold.log"
	held=$LAB_PID
	ok "$mode: a connection" wait_for -t 20 grep -q hello "$tmp/hello"
	put <<-'END'
		service tcp port 80 allow
		service icmp type 8 limit 1/s burst 1
		service icmp6 deny
		service tcp deny
		service any deny dry
	END
	load "$mode: services"
	ok "$mode: an allowed port" fetches 10.77.0.2
	ok "$mode: an allowed port, IPv6" fetches '[fd77::2]'
	ok "$mode: another port" refused 10.77.0.2:81
	kill -USR1 "$held"
	ok "$mode: the open connection goes on" wait_for grep -q 'echo 1' "$tmp/hello"
	kill "$held"
	wait "$held" 2>/dev/null
	ok "$mode: no ping6" silent fd77::2
	c ping -qc 20 -i 0.01 -W 1 10.77.0.2 >"$tmp/ping" 2>&1
	check "$mode: pings above the rate" "$(rule 2 refused) > 0 && $(rule 2 refused) < $(rule 2 packets)"
	is "$mode: the reason counts as the rule does" "$(dropped limited)" "$(rule 2 refused)"
}

# dry: counted, and let through.
dry() {
	put <<-'END'
		dry-run
		deny 10.77.0.1, fd77::1
		service any deny
	END
	load "$mode: a dry run"
	ok "$mode: dry: HTTP" fetches 10.77.0.2
	ok "$mode: dry: ping6" pings fd77::2
	check "$mode: dry: it counts what it would refuse" "$(rule 1 refused) > 1"
	is "$mode: dry: show says so" "$(rule 1 dry)" true
}

# replaced: while a client fetches without end, the policy is exchanged, and the handler under it.
replaced() {
	local i

	put <<-'END'
		set nobody { 192.0.2.0/24, 2001:db8::/32 }
		deny @nobody
		service tcp port 80,81 allow
		service tcp port 22 limit 100/s
	END
	load "$mode: under load: policy"
	c_bg wrk -t 1 -c 20 -d 300 -H 'Connection: close' http://10.77.0.2:80/ >"$tmp/wrk" 2>&1
	wrk=$LAB_PID
	for i in 1 2 3 4 5; do
		wait_for -t 20 count_above "$(rule 2 packets)" || fail "$mode: no load"
		load "$mode: under load: again, $i"
	done
	ok "$mode: under load: replace" nd replace --keep lab0 shield learn="$i"
	is "$mode: under load: the policy is still there" "$(rule 1 rule)" "$(nd shield diff lab0 "$tmp/policy" | sed -n 's/^  deny/deny/p')"
	ok "$mode: under load: unload" nd shield unload lab0
	is "$mode: nothing is loaded" "$(nd shield show -j lab0 | jq .policy.loaded)" false
	kill -INT "$wrk"
	wait "$wrk"
	is "$mode: no request has failed" "$(grep -E 'read [1-9]|write [1-9]|timeout [1-9]|Non-2xx' "$tmp/wrk")" ''
}

count_above() { [ "$(rule 2 packets)" -gt "$1" ]; }

# words: rules are shown as they were written, whatever they say, and are the same when they are read again.
words() {
	local rules

	rules=$(cat <<-'END'
		deny @bogons dry
		deny @private, 192.0.2.9
		limit 198.18.0.0/15 rate 10MB/s burst 1MB per address
		service udp from amplifiers to 192.0.2.1 port 1024-65535 limit 100kB/s
		service udp from port 53, 123-124 allow
		service tcp from port 0-1023 port 80 limit 20/s burst 50 per source ban 10m after 5
		service any with options deny
		service icmp6 type 128 with options limit 5/s per address
		service fragment limit 1GB/s per source dry
		service protocol 47, 50-51 deny
	END
	)
	put <<<"$rules"
	load 'every word'
	is 'every word: shown' "$(nd shield show -j lab0 | jq -r '.policy.rules[].rule')" "$rules"
	is 'every word: read again' "$(nd shield diff lab0 "$tmp/policy" | sed 's/ \[dry\]$//')" "  ${rules//$'\n'/$'\n'  }"
	nd shield show -j lab0 | jq -r '.policy.rules[].rule' >"$tmp/again"
	is 'every word: what is shown is a policy' "$(nd shield diff lab0 "$tmp/again" | grep -c '^  ')" 10
}

# shows: what people and programs see.
shows() {
	put <<-'END'
		# of three lines
		deny 192.0.2.1
		allow 192.0.2.2   dry
	END
	is 'check' "$("$build/ndiv" shield check "$tmp/policy")" "$tmp/policy: good: 2 rules, 2 prefixes, 0.5 MB"
	is 'check --json' "$("$build/ndiv" shield check -j "$tmp/policy" | jq -c '[.rules, .prefixes]')" '[2,2]'
	load 'load'
	is 'show: rules' "$(nd shield show lab0 | tail -n 3 | sed 's/  */ /g; s/ $//')" \
		$' line packets bytes refused dry rule\n 2 0 0 0 deny 192.0.2.1\n 3 0 0 0 dry allow 192.0.2.2 dry'
	is 'diff: nothing' "$(nd shield diff lab0 "$tmp/policy")" $'  deny 192.0.2.1\n  allow 192.0.2.2 dry [dry]'
	put <<-'END'
		deny 192.0.2.9
		allow 192.0.2.2 dry
		service udp deny
	END
	is 'diff' "$(nd shield diff lab0 "$tmp/policy")" \
		$'- deny 192.0.2.1\n+ deny 192.0.2.9\n  allow 192.0.2.2 dry [dry]\n+ service udp deny'
}

lab_up "$@" || bail 'no lab'
s_bg "$top/t/tcp.py" serve 82
haproxy_start 80 81
exits 'not attached' 1 "ndiv: lab0: shield is not attached: \`ndiv attach lab0 shield\`" nd shield show lab0
ok 'attach' nd attach lab0 shield
is 'no policy' "$(nd shield show lab0 | tail -n 1)" 'lab0: policy: none'
words
shows
errors
is 'what was bad has changed nothing' "$(rule 1 rule)" 'deny 192.0.2.1'
ok 'detach' nd detach lab0
for mode in native generic; do
	ok "$mode: attach" nd attach lab0 shield --mode "$mode"
	sources
	services
	dry
	replaced
	ok "$mode: detach" nd detach lab0
	ok "$mode: nothing is left" nothing_left
done
done_testing

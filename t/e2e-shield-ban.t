#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-shield-ban.t: `ndiv shield ban, bans, unban`: from people, files and rules to packets, and through replacements
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

# bans FILTER: of what `ndiv shield bans` tells.
bans() { nd shield bans -j lab0 | jq -r "$1"; }

prefixes() { bans '[.bans[].prefix] | join(" ")'; }

dropped() { count '.handlers.shield.reasons.banned'; }

pings() { c ping -qc 1 -W 1 "$1" >"$tmp/ping" 2>&1; }

silent() { ! pings "$1"; }

fails() { exits "$1" 1 "ndiv: lab0: $2" nd shield "${@:3}"; }

put() { cat >"$tmp/list"; }

# errors: what is refused, and why.
errors() {
	local time='is no time such as 30s, 10m, 2h, 7d or forever, up to 3650d'

	fails 'no address' '"x" is no address or prefix such as 192.0.2.0/24 or 2001:db8::/32' ban lab0 x 10m
	fails 'no time' "\"10\" $time" ban lab0 192.0.2.1 10
	fails 'no time: 0' "\"0s\" $time" ban lab0 192.0.2.1 0s
	fails 'no time: too long' "\"3651d\" $time" ban lab0 192.0.2.1 3651d
	fails 'everybody' '"::/0" is everybody: a policy can do that' ban lab0 ::/0 1h
	fails 'not banned' "192.0.2.1 is not banned (\`ndiv shield bans lab0\` lists those that are)" unban lab0 192.0.2.1
	exits 'usage: no time' 2 \
		'ndiv shield: ban: it takes IF, PREFIX and TIME, or IF, --file and perhaps TIME, behind its name' \
		nd shield ban lab0 192.0.2.1
	exits 'usage: unban nobody' 2 'ndiv shield: unban: it takes IF and PREFIX, or IF and --all, behind its name' \
		nd shield unban lab0
	exits 'usage: an option of another' 2 'ndiv shield: bans: it takes no --all' nd shield bans lab0 --all
	put <<<'192.0.2.1 1h x'
	fails 'a bad file: origin' "$tmp/list:1:14: \"x\" is no line of a policy such as line:12" ban lab0 --file "$tmp/list"
	put <<<$'192.0.2.1 1h\n192.0.2.300 1h'
	fails 'a bad file: address' \
		"$tmp/list:2:1: \"192.0.2.300\" is no address or prefix such as 192.0.2.0/24 or 2001:db8::/32" \
		ban lab0 --file "$tmp/list"
	put <<<'192.0.2.1 @x'
	fails 'a bad file: end' "$tmp/list:1:11: \"@x\" is no second since 1970 such as @1764072000" ban lab0 --file "$tmp/list"
	put <<<'192.0.2.1   # for how long?'
	fails 'a bad file: no time' \
		"$tmp/list:1:13: expected a time, found the end of the line; a TIME of the command is that of all lines without one" \
		ban lab0 --file "$tmp/list"
	is 'nothing of it is banned' "$(prefixes)" ''
	bad_rule 'ban 10m' 32 'expected "per source" before a ban, found "ban"'
	bad_rule 'per source ban forever' 47 'expected a time from 1s to 365d, such as 30s, 10m, 2h or 7d, found "forever"'
	bad_rule 'per source ban 10m after 51' 57 'expected a number of times from 1 to 50, found "51"'
	bad_rule 'per source ban 10m after' 56 'expected a number of times from 1 to 50, found the end of the line'
}

# bad_rule END COLUMN MESSAGE: of a policy.
bad_rule() {
	echo "service udp port 53 limit 20/s $1" >"$tmp/policy"
	exits "rule: $1" 1 "ndiv: $tmp/policy:1:$2: $3" "$build/ndiv" shield check "$tmp/policy"
}

# shown: what people see.
shown() {
	ok 'ban: forever' nd shield ban lab0 192.0.2.1 forever
	ok 'ban: a prefix' nd shield ban lab0 198.51.100.0/24 30d
	ok 'ban: IPv6' nd shield ban lab0 2001:db8::1 forever
	is 'bans' "$(nd shield bans lab0 | sed 's/29d23h/30d00h/; s/  */ /g; s/ $//')" \
		$'lab0: bans: 3, room for 1048576, 32.0 MB\n prefix left by\n 192.0.2.1 forever hand\n 198.51.100.0/24 30d00h hand\n 2001:db8::/64 forever hand'
	is 'show' "$(nd shield show lab0 | sed -n 2p)" 'lab0: bans: 3, room for 1048576, 32.0 MB'
	is 'show --json' "$(nd shield show -j lab0 | jq -c '[.bans.count, .bans.room, .policy.loaded]')" '[3,1048576,false]'
	is 'bans --json' "$(bans '[.bans[0] | .prefix, .forever, .left_s, .line] | tostring')" '["192.0.2.1",true,0,0]'
	fails 'unban: part of a prefix' '198.51.100.7 is not banned by itself, but 198.51.100.0/24 is' unban lab0 198.51.100.7
	ok 'unban' nd shield unban lab0 198.51.100.0/24
	is 'it is gone' "$(prefixes)" '192.0.2.1 2001:db8::/64'
	ok 'unban: all' nd shield unban lab0 --all
	is 'all are gone' "$(prefixes)" ''
	ok 'unban: all of none' nd shield unban lab0 --all
}

# by_hand: to packets, of both families, and until it is lifted.
by_hand() {
	ok "$mode: ban" nd shield ban lab0 10.77.0.1 1h
	ok "$mode: banned" silent 10.77.0.2
	check "$mode: counted" "$(dropped) > 0"
	ok "$mode: another family" pings fd77::2
	ok "$mode: ban, IPv6" nd shield ban lab0 fd77::/48 1h
	ok "$mode: banned, IPv6" silent fd77::2
	ok "$mode: replace" nd replace --keep lab0 shield learn=7
	ok "$mode: still banned" silent 10.77.0.2
	ok "$mode: unban" nd shield unban lab0 10.77.0.1
	ok "$mode: lifted" pings 10.77.0.2
	ok "$mode: the other one stays" silent fd77::2
	ok "$mode: a short one" nd shield ban lab0 10.77.0.1 1s
	ok "$mode: it ends" wait_for -t 20 pings 10.77.0.2
	echo 'trust fd77::1' >"$tmp/policy"
	ok "$mode: trust" nd shield load lab0 "$tmp/policy"
	ok "$mode: trusted" pings fd77::2
	ok "$mode: unload" nd shield unload lab0
	ok "$mode: no more" silent fd77::2
	ok "$mode: unban all" nd shield unban lab0 --all
	ok "$mode: nobody is banned" pings fd77::2
}

# by_rule: pings above a rate, which a rule counts against their source.
by_rule() {
	cat >"$tmp/policy" <<-'END'
		# two lines
		service icmp type 8 limit 1/s burst 1 per source ban 1h after 2
	END
	ok "$mode: a rule that bans" nd shield load lab0 "$tmp/policy"
	c_bg ping -q -i 0.05 10.77.0.2 >"$tmp/flood" 2>&1
	flood=$LAB_PID
	ok "$mode: it bans" wait_for -t 60 is_banned
	kill -INT "$flood"
	wait "$flood"
	is "$mode: by its line" "$(bans '.bans[0].line')" 2
	is "$mode: shown so" "$(nd shield bans lab0 | tail -n 1 | sed 's/.*  //')" 'line 2 of the policy'
	is "$mode: counted" "$(count '.handlers.shield.counters."ban-set"')" 1
	ok "$mode: nothing of it comes through" silent 10.77.0.2
	ok "$mode: unban it" nd shield unban lab0 10.77.0.1
	ok "$mode: unload it" nd shield unload lab0
	ok "$mode: ping again" pings 10.77.0.2
}

is_banned() { [ "$(prefixes)" = 10.77.0.1 ]; }

# saved: to a file, through a detachment, and back with the same ends.
saved() {
	put <<-END
		# prefix, end, origin
		10.77.0.1 1h

		192.0.2.1 forever line:7
		192.0.2.2 @$(($(date +%s) - 5))
		2001:db8::/32
	END
	is 'a file' "$(nd shield ban lab0 --file "$tmp/list" 2h)" 'lab0: 3 bans set, 1 were over already, 0 of rules had to go'
	is 'all of it' "$(prefixes)" '10.77.0.1 192.0.2.1 2001:db8::/32'
	ok 'save' nd shield bans lab0 --save "$tmp/saved"
	is 'lines' "$(sed 's/@[0-9]*/@N/' "$tmp/saved")" \
		$'10.77.0.1 @N\n192.0.2.1 forever line:7\n2001:db8::/32 @N'
	ok 'detach' nd detach lab0
	ok 'attach' nd attach lab0 shield
	is 'no bans' "$(prefixes)" ''
	ok 'restore' nd shield ban lab0 --file "$tmp/saved"
	ok 'restored' silent 10.77.0.2
	ok 'save again' nd shield bans lab0 --save "$tmp/again"
	is 'the same ends' "$(<"$tmp/again")" "$(<"$tmp/saved")"
	is 'for nobody else' "$(stat -c %a "$tmp/again")" 600
	is 'nothing else is left' "$(find "$tmp" -name 'again?*' -o -name 'saved?*')" ''
	exits 'save: nowhere' 1 "ndiv: lab0: cannot write $tmp/none/x: No such file or directory" \
		nd shield bans lab0 --save "$tmp/none/x"
	exits 'save: no file' 1 'ndiv: lab0: /dev/null is no file that could be replaced: name another one' \
		nd shield bans lab0 --save /dev/null
	ln -s "$tmp/again" "$tmp/link"
	exits 'save: a link' 1 "ndiv: lab0: $tmp/link is no file that could be replaced: name another one" \
		nd shield bans lab0 --save "$tmp/link"
}

# million: of hosts, into a table as large as the option says.
million() {
	awk 'BEGIN { for (i = 0; i < 1000000; i++) printf "%d.%d.%d.%d 1h\n", 20 + i / 65536, i / 256 % 256, i % 256, 7 }' >"$tmp/list"
	is 'a million' "$(nd shield ban lab0 --file "$tmp/list")" 'lab0: 1000000 bans set, 0 were over already, 0 of rules had to go'
	is 'a million: counted' "$(nd shield show -j lab0 | jq .bans.count)" 1000003
	is 'a million: listed' "$(nd shield bans lab0 | wc -l)" 1000005
	ok 'a million: and this one' silent 10.77.0.2
	ok 'another size' nd replace --keep lab0 shield bans=100
	ok 'it survives' silent 10.77.0.2
	fails 'which is too small' \
		"the 1000003 bans that there are have no room in a table as small as shield's option bans says: \`ndiv replace --keep lab0 shield bans=N\` with a larger N" \
		ban lab0 192.0.2.9 1h
	ok 'a larger one' nd replace --keep lab0 shield bans=2000000
	ok 'a larger one: ban' nd shield ban lab0 192.0.2.9 1h
	is 'all of them, and one more' "$(nd shield show -j lab0 | jq -c .bans)" '{"count":1000004,"room":2097152,"bytes":67108928}'
	ok 'a larger one: still banned' silent 10.77.0.2
	ok 'unban a million' nd shield unban lab0 --all
	ok 'nobody' pings 10.77.0.2
}

lab_up "$@" || bail 'no lab'
fails 'not attached' "shield is not attached: \`ndiv attach lab0 shield\`" ban lab0 192.0.2.1 1h
ok 'attach' nd attach lab0 shield
is 'no table' "$(nd shield bans lab0)" 'lab0: bans: none'
errors
shown
saved
million
ok 'detach' nd detach lab0
for mode in native generic; do
	ok "$mode: attach" nd attach lab0 shield --mode "$mode"
	by_hand
	by_rule
	ok "$mode: detach" nd detach lab0
	ok "$mode: nothing is left" nothing_left
done
done_testing

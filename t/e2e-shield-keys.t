#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-shield-keys.t: `ndiv shield keys`: which files it takes, and that connections go on while secrets change
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/haproxy.sh
. "$(dirname "$0")/haproxy.sh"

keys() { nd shield show -j lab0 | jq -r ".keys$1"; }

# A secret that nobody else may read.
secret() { (umask 77 && "$build/ndiv" shield genkey >"$1"); }

refused() {
	exits "$1" 1 "ndiv: lab0: $2" nd shield keys lab0 "$3"
	is "$1: nothing has changed" "$(keys .shared)" "$shared"
}

# files: those that are refused.
files() {
	refused 'no file' "cannot read $tmp/none: No such file or directory" "$tmp/none"
	refused 'a directory' "$tmp is no file" "$tmp"
	rm -f "$tmp/open"
	secret "$tmp/open"
	chmod 640 "$tmp/open"
	refused 'others may read it' \
		"$tmp/open has mode 0640, so others than its owner may read or change it: chmod 600 $tmp/open" "$tmp/open"
	chmod 602 "$tmp/open"
	refused 'others may change it' \
		"$tmp/open has mode 0602, so others than its owner may read or change it: chmod 600 $tmp/open" "$tmp/open"
	chmod 600 "$tmp/open"
	chown 65534 "$tmp/open"
	refused 'it belongs to others' \
		"$tmp/open belongs to user 65534, who then knows the secret: chown root $tmp/open" "$tmp/open"
	(umask 77 && echo 0123 >"$tmp/short")
	refused 'too short' \
		"$tmp/short:1:5: expected 32 hexadecimal digits, found 4; \`ndiv shield genkey\` makes a secret" "$tmp/short"
}

# The clock of the cookies, as somebody has left it who set the time of day: 8 bytes of each secret.
spoil_clock() {
	local pin

	pin=$(echo "$(lab_netns_dir)"/*/h*/m__data_secrets)
	bpftool -j map dump pinned "$pin" | jq -r '.[0].value | (.[:16] + [range(8) | "0x00"] + .[24:48] +
		[range(8) | "0x00"] + .[56:]) | join(" ")' >"$tmp/value"
	# shellcheck disable=SC2046 # a list
	bpftool map update pinned "$pin" key hex 00 00 00 00 value hex $(sed 's/0x//g' "$tmp/value")
}

clock_is_right() { [ "$(keys '.clock_off_s | fabs < 1')" = true ]; }

lab_up "$@" || bail 'no lab'
exits 'not attached' 1 "ndiv: lab0: shield is not attached: \`ndiv attach lab0 shield\`" nd shield show lab0
ok 'attach ping' nd attach lab0 ping
exits 'another handler' 1 "ndiv: lab0: shield is not attached: \`ndiv attach lab0 shield\`" nd shield keys lab0 random
ok 'attach' nd attach lab0 shield
is 'a random key' "$(nd shield show lab0 | head -n 1)" 'lab0: keys: random, of this machine'
shared=false
files
secret "$tmp/a"
secret "$tmp/b"
cp -p "$tmp/a" "$tmp/c"
is 'a secret is 32 digits' "$(grep -cxE '[0-9a-f]{32}' "$tmp/a")" 1
haproxy_start 81
# Connections without end, while the secret changes; not more than some 200 a second: half of the client's ports are
# 14,000, and a port that comes again too soon is one of a connection that shield knows, which needs no cookie.
echo 'function delay() return 100 end' >"$tmp/slow.lua"
c_bg wrk -t 1 -c 20 -d 300 -s "$tmp/slow.lua" -H 'Connection: close' http://10.77.0.2:81/ >"$tmp/wrk" 2>&1
wrk=$LAB_PID
good() { [ "$(count .handlers.shield.counters.'"cookie-good"')" -ge "$1" ]; }
more() {
	! has_cookies || wait_for -t 30 good $(($(count .handlers.shield.counters.'"cookie-good"') + 60))
}
ok 'cookies' more
ok 'a secret' nd shield keys lab0 "$tmp/a"
shared=true
mark=$(keys .mark)
is 'it is shared' "$(keys .shared)" true
files
ok 'cookies of a shared secret' more
ok 'another secret' nd shield keys lab0 "$tmp/b"
check 'its mark is another one' "0x$(keys .mark) != 0x$mark"
ok 'cookies of the other secret' more
ok 'the same secret, from another file' nd shield keys lab0 "$tmp/c"
is 'its mark is the same' "$(keys .mark)" "$mark"
ok 'replace' nd replace --keep lab0 shield learn=1
is 'the secret is still there' "$(keys .mark)" "$mark"
ok 'cookies' more
ok 'random again' nd shield keys lab0 random
is 'it is not shared' "$(keys .shared)" false
ok 'cookies' more
kill -INT "$wrk"
wait "$wrk"
is 'no connection has failed' "$(grep -E 'read [1-9]|write [1-9]|timeout [1-9]|Non-2xx' "$tmp/wrk")" ''
ok 'a secret' nd shield keys lab0 "$tmp/a"
ok 'its clock is right' clock_is_right
ok 'the clock is set' spoil_clock
check 'and wrong now' "$(keys '.clock_off_s | fabs > 1000 | if . then 1 else 0 end')"
s_bg "$build/ndiv" agent
ok 'the agent sets it right' wait_for -t 20 clock_is_right
is 'the secret is the same' "$(keys .mark)" "$mark"
ok 'detach' nd detach lab0
done_testing

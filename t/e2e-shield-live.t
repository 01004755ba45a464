#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-shield-live.t: 500 downloads, and everything that can be done to shield meanwhile: each of them comes, to the last
# byte
#
#	client: fetch.py, bench/flood  ---- veth ----  lab0: ndiv, shield | nginx
#
# The downloads are slow ones, and do not end before the file that they wait for is there.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/haproxy.sh
. "$(dirname "$0")/haproxy.sh"
# shellcheck source=t/nginx.sh
. "$(dirname "$0")/nginx.sh"

COUNT=500
SIZE=1000000

open_count() { s ss -Htn state established "sport = :80" | wc -l; }
all_open() { [ "$(open_count)" = "$COUNT" ]; }

# sent: packets that the server's end has sent.
sent() { s ip -j -s link show dev lab0 | jq '.[0].stats64.tx.packets'; }
sent_above() { [ "$(sent)" -gt "$1" ]; }

# during NAME COMMAND...: and the downloads go on.
during() {
	ok "$@"
	wait_for -t 120 sent_above $(($(sent) + COUNT)) || fail "$1: nothing is sent any more"
}

put() { cat >"$tmp/policy"; }

refused() { ! nd shield load lab0 "$tmp/policy" 2>"$tmp/why"; }

gone() { ! kill -0 "$1" 2>/dev/null; }

killed() {
	kill -KILL "$agent"
	wait_for -q gone "$agent" && [ "$(nd show -j lab0 | jq '.[0].chain | length')" = 1 ]
}

# cycle NAME MODE: all that can be done to it, once.
cycle() {
	during "$1: attach" nd attach lab0 shield --mode "$2"
	put <<<'service tcp port 80 allow'
	during "$1: policy" nd shield load lab0 "$tmp/policy"
	put <<<'service tcp deny'
	during "$1: one that lets nobody in" nd shield load lab0 "$tmp/policy"
	put <<<'deny nobody'
	during "$1: a bad one" refused
	during "$1: no policy" nd shield unload lab0
	during "$1: replace" nd replace lab0 shield learn=1
	during "$1: a secret" nd shield keys lab0 "$tmp/key"
	agent_start "$1: agent"
	disown "$agent" # bash would tell of its death
	during "$1: replace, with options" nd replace lab0 shield learn=0 unknown=10 above=100
	during "$1: agent killed" killed
	agent_start "$1: another agent"
	during "$1: a random secret" nd shield keys lab0 random
	during "$1: another handler in front of it" nd attach --at 0 lab0 ping
	during "$1: behind it" nd order lab0 shield ping
	agent_stop "$1: the agent ends"
	during "$1: detach" nd detach lab0
}

lab_up "$@" || bail 'no lab'
nginx_start 80 "$SIZE"
(umask 77 && "$build/ndiv" shield genkey >"$tmp/key")
c "$top/t/fetch.py" get http://10.77.0.2:80 --sizes "$SIZE" --count "$COUNT" --parallel "$COUNT" --timeout 600 \
	--slow "$tmp/faster" >"$tmp/said" &
fetch=$!
ok 'all downloads have begun' wait_for -t 120 all_open
cycle native native
cycle generic generic
"$build/bench/flood" -l "$LAB" -k mixed >"$tmp/flood" &
flood=$!
cycle flood native
kill "$flood"
wait "$flood"
check 'there was a flood' "$(jq .sent "$tmp/flood") > 1000"
is 'all downloads are under way' "$(open_count)" "$COUNT"
ok 'attach, for the rest' nd attach lab0 shield
touch "$tmp/faster"
wait "$fetch"
is 'each download is complete, and right' "$(jq -c '[.right, .errors]' "$tmp/said")" "[$COUNT,{}]"
ok 'detach' nd detach lab0
ok 'nothing is left' nothing_left
done_testing

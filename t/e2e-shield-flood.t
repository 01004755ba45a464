#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-shield-flood.t: haproxy and nginx behind shield, and a flood of each kind: no client fails, connections that were
# open stay so, and each packet of the flood is counted by what became of it
#
#	client: bench/flood, curl, fetch.py, wrk, h2load, iperf3, tcp.py  ---- veth ----
#	lab0: ndiv, shield | haproxy, nginx behind it, iperf3, tcp.py
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/clients.sh
. "$(dirname "$0")/clients.sh"
# shellcheck source=t/haproxy.sh
. "$(dirname "$0")/haproxy.sh"
# shellcheck source=t/nginx.sh
. "$(dirname "$0")/nginx.sh"

# shellcheck disable=SC2034 # for clients.sh
SIZES=0,1,100,1400,20000,100000
HAPROXY=http://10.77.0.2:80 NGINX='http://[fd77::2]:82'

# --- counters -----------------------------------------------------------------

# sum FILTER: of all numbers that it gives.
sum() { json ".[0].rx | [$1 | if type == \"object\" then .[] else . end] | add"; }

# rules FIELD: of all rules of the policy.
rules() { nd shield show -j lab0 | jq "[.policy.rules[]?.$1] | add // 0"; }

# What becomes of packets, by kind: each of these is one number that only grows.
declare -A became=(
	[cookie]='(.handlers.shield.counters | ."cookie-sent", ."syn-passed", ."syn-probe"), (.handlers.shield.reasons | ."tx-full", ."syn-limit")'
	[passed]='.handlers.shield.counters | ."syn-passed", ."syn-probe"'
	[malformed]=.core.reasons
	[all]='.handlers.shield.reasons, .core.reasons, (.handlers.shield.counters | ."cookie-sent", ."syn-passed", ."syn-probe")'
)

# outcome NAME: one of these, of a drop reason, or of the policy.
outcome() {
	case $1 in
	rules) rules packets ;;
	all) echo $(($(sum "${became[all]}") + $(rules packets) - $(rules refused))) ;;
	*) sum "${became[$1]:-.handlers.shield.reasons.\"$1\"}" ;;
	esac
}

became_above() { [ "$(outcome "$1")" -gt "$2" ]; }

# arrived: frames that the client's end has handed over, which nothing but the flood does by XDP.
arrived() { c ethtool -S lab0 | awk '/_xdp_xmit:/ { n += $2 } END { print n + 0 }'; }

arrived_above() { [ "$(arrived)" -gt "$1" ]; }

# --- clients ------------------------------------------------------------------

# hold ADDRESS: a connection that has said hello; its pid is in held, its file in $tmp/hold.
hold() {
	rm -f "$tmp/hold"
	c_bg "$top/t/tcp.py" hold "$1" 83 "$tmp/hold" 2>"$tmp/hold.log"
	held=$LAB_PID
	wait_for -t 60 grep -q hello "$tmp/hold"
}

# session ADDRESS: a new one, that is asked for one thing.
session() {
	local pid status

	rm -f "$tmp/session"
	c_bg "$top/t/tcp.py" hold "$1" 83 "$tmp/session" 2>"$tmp/session.log"
	pid=$LAB_PID
	wait_for -t 60 grep -q hello "$tmp/session" && kill -USR1 "$pid" && wait_for -t 60 grep -q 'echo 1' "$tmp/session"
	status=$?
	kill "$pid"
	wait "$pid" 2>/dev/null
	return "$status"
}

# iperf NAME OPTION...: 4 MB, by a server of its own, which ends with it.
iperf() {
	s_bg iperf3 -s -1 -p 5201 >"$tmp/iperf.log" 2>&1
	wait_for -t 20 listens 5201
	is "$1: iperf3" "$(c iperf3 -c 10.77.0.2 -p 5201 -n 4M -J "${@:2}" | jq '.error // (.end.sum_sent.bytes >= 4194304)')" \
		true
	wait "$LAB_PID"
}

# without_error NAME URL OPTION...: wrk for a second.
without_error() {
	local said

	said=$(c wrk -t 1 -c 20 -d 1 --timeout 60 "${@:3}" "$2" 2>&1)
	if grep -q 'Requests/sec' <<<"$said" && ! grep -qE 'Socket errors|Non-2xx' <<<"$said"; then
		pass "$1: wrk"
	else
		fail "$1: wrk" "$said"
	fi
}

# many NAME: those that are many requests.
many() {
	fetch "$1: haproxy, closed" "$HAPROXY" 200 --close --timeout 300
	load_h2load "$1" "$HAPROXY/1400" 500
	without_error "$1" "$HAPROXY/100" -H 'Connection: close'
	iperf "$1, up"
	iperf "$1, down" -R
}

# clients NAME [many]: while something goes on. The slow one is there from the begin to the end.
clients() {
	rm -f "$tmp/faster"
	c "$top/t/fetch.py" get "$HAPROXY" --sizes 100000 --count 5 --parallel 5 --slow "$tmp/faster" --timeout 300 \
		>"$tmp/slow" &
	slow=$!
	fetch "$1: haproxy, kept" "$HAPROXY" 150 --timeout 300
	fetch "$1: nginx, IPv6, closed" "$NGINX" 50 --close --timeout 300
	[ -z "${2:-}" ] || many "$1"
	is "$1: curl" "$(c curl -s -m 300 "$HAPROXY/100")" "$object"
	is "$1: curl, IPv6" "$(c curl -s -m 300 'http://[fd77::2]:80/100')" "$object"
	here "$1: a new session" session 10.77.0.2
	kill -USR1 "$held"
	asked=$((asked + 1))
	ok "$1: the old session goes on" wait_for -t 60 grep -q "echo $asked\$" "$tmp/hold"
}

slow_done() {
	touch "$tmp/faster"
	wait "$slow"
	is "$1: the slow clients" "$(jq -c '[.right, .errors]' "$tmp/slow")" '[5,{}]'
}

# --- floods -------------------------------------------------------------------

# flooded KIND OUTCOME [SLACK [many]]: while the flood goes on, all clients are served; and of what has arrived, as many as
# that became OUTCOME, but for SLACK; `+`: or more, because clients' packets become that, too.
flooded() {
	local kind=$1 flood sent before was now

	was=$(outcome "$2") before=$(arrived)
	"$build/bench/flood" -l "$LAB" -k "$kind" -p 80 >"$tmp/flood" &
	flood=$!
	ok "$kind: it is there" wait_for -t 60 arrived_above $((before + 1000))
	clients "$kind" "${4:-}"
	slow_done "$kind"
	ok "$kind: it still is" wait_for -t 60 arrived_above "$(arrived)"
	kill -TERM "$flood"
	wait "$flood"
	sent=$(jq .sent "$tmp/flood") now=$(($(arrived) - before))
	check "$kind: it was one" "$now > 2000 && $now <= $sent"
	wait_for -q -t 20 became_above "$2" $((was + now - 1))
	was=$(($(outcome "$2") - was))
	case ${3:-0} in
	+) check "$kind: $2" "$was >= $now" ;;
	*) check "$kind: $2" "$was <= $now && $was >= $now - ${3:-0}" ;;
	esac
}

# shellcheck disable=SC2034 # for clients.sh
from=c asked=0
lab_up "$@" || bail 'no lab'
object=$("$top/t/fetch.py" body 100)
nginx_start 82 ${SIZES//,/ }
proxy_start 80 82
s_bg "$top/t/tcp.py" serve 83
ok 'sessions' wait_for listens 83
# those who do not exist have a way back, as on the internet: without, the stack answers none of the SYNs that it gets
ok 'a route' s ip route add 198.18.0.0/15 via 10.77.0.1
ok 'a route, IPv6' s ip route add 2001:db8::/32 via fd77::1
ok 'attach' nd attach lab0 shield
ok 'what is malformed is dropped' nd set lab0 malformed=drop
here 'a session' hold 10.77.0.2
clients 'no flood' many
slow_done 'no flood'
is 'no flood: nothing was dropped' "$(json '.[0].rx | .core.reasons, .handlers.shield.reasons | to_entries[] | select(.value > 0)')" ''

# an old kernel has a thousand SYNs a second passed, and clients are not served better than the rest
if has_cookies; then
	passed=$(outcome passed) cookies=$(outcome cookie)
	flooded syn cookie + many
	check 'syn: few of them were passed' "($(outcome passed) - $passed) * 10 < $(outcome cookie) - $cookies"
	check 'syn: and are half open' "$(s ss -Htn state syn-recv | wc -l) <= $(outcome passed) - $passed"
fi
# of blind ACKs, one in 2^24 is taken for a cookie
flooded ack bad-cookie 3
flooded data bad-cookie 3
flooded fin bad-cookie 3
flooded synack no-flow
flooded rst no-flow
flooded flags bad-flags
flooded fragment fragment
flooded malformed malformed
cat >"$tmp/policy" <<-'END'
	service udp			deny
	service icmp type 8		limit 100/s
	service icmp6 type 128		limit 100/s
END
ok 'a policy' nd shield load lab0 "$tmp/policy"
flooded udp denied
ok 'the policy again' nd shield load lab0 "$tmp/policy"
flooded icmp rules
is 'icmp: limited' "$(outcome limited)" "$(rules refused)"
ok 'the policy again' nd shield load lab0 "$tmp/policy"
! has_cookies || flooded mixed all + many
clients 'after all floods'
slow_done 'after all floods'
kill "$held"
ok 'detach' nd detach lab0
ok 'nothing is left' nothing_left
done_testing

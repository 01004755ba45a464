# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# e2e.sh: what the end-to-end tests (e2e-*.t) have in common: TAP, ndiv in a lab, its counters
#
#	. "$(dirname "$0")/e2e.sh"
#	lab_up
#	ok 'ping is attached' nd attach lab0 ping
#	is 'one handler' "$(json '.[0].chain | length')" 1
#	done_testing
#
# Nothing here waits for a fixed time: wait_for of lab/lib.sh polls. A script that ends before done_testing prints no plan,
# so it has failed.

top=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/..
top=$(readlink -f "$top")
build=$(readlink -f "${NDIV_BUILD:-$top/build}")
# shellcheck disable=SC2034 # for the scripts
handlers=$build/t/handlers
tmp=$(mktemp -d)
points=0

trap 'rm -rf "$tmp"' EXIT
cd "$top" || exit 1
# shellcheck source=lab/lib.sh
. lab/lib.sh

# --- TAP ----------------------------------------------------------------------

diag() { echo "# ${*//$'\n'/$'\n'# }"; }

# pass NAME, fail NAME [DIAGNOSTICS]
pass() {
	points=$((points + 1))
	echo "ok $points - $1"
}

fail() {
	points=$((points + 1))
	echo "not ok $points - $1"
	diag "${@:2}"
}

# ok NAME CMD...: passes if CMD succeeds; shows what it said if not.
ok() {
	local name=$1 said

	shift
	if said=$("$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "status $?: $*"$'\n'"$said"
	fi
}

# here NAME CMD...: the same in this shell, for a function that sets variables or leaves something running.
here() {
	local name=$1

	shift
	if "$@" >"$tmp/here" 2>&1; then
		pass "$name"
	else
		fail "$name" "status $?: $*"$'\n'"$(<"$tmp/here")"
	fi
}

# is NAME GOT WANT
is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got:  $2"$'\n'"want: $3"
	fi
}

# check NAME EXPRESSION: arithmetic that has to be true.
check() {
	if (($2)); then
		pass "$1"
	else
		fail "$1" "$2 is not so"
	fi
}

# exits NAME STATUS MESSAGE CMD...: status and standard error, exactly; only the first line if MESSAGE is one line and
# what follows is the usage.
exits() {
	local name=$1 want=$2 message=$3 said status

	shift 3
	said=$("$@" 2>&1 >/dev/null)
	status=$?
	[ "$want" != 2 ] || said=${said%%$'\n'Usage:*}
	if [ "$status" = "$want" ] && [ "$said" = "$message" ]; then
		pass "$name"
	else
		fail "$name" "$*"$'\n'"status $status, want $want"$'\n'"said: $said"$'\n'"want: $message"
	fi
}

# bail MESSAGE: nothing that follows could make sense.
bail() {
	echo "Bail out! $*"
	exit 1
}

done_testing() { echo "1..$points"; }

# --- ndiv in the lab ----------------------------------------------------------

# nd ARGUMENT...: ndiv on the server's side.
nd() { "$build/ndiv" -n "$LAB-s" "$@"; }

# json FILTER: of what `ndiv show` tells of lab0; null becomes 0.
json() { nd show -aj lab0 | jq -r "$1 | if . == null then 0 else . end"; }

# count PATH: one counter, such as .handlers.ping.verdicts.reply.packets
count() { json ".[0].rx$1"; }

# count_is PATH N: for wait_for.
count_is() { [ "$(count "$1")" = "$2" ]; }
count_reaches() { [ "$(count "$1")" -ge "$2" ]; }

# adds_up NAME FILTER FILTER: two numbers of lab0's counters that have to be equal, and not 0, read at once. What clients
# have sent before they ended may still be on its way, so it may take a moment; a packet that is counted twice, or not at
# all, stays.
adds_up() { ok "$1" wait_for -t 10 json_agrees ".[0].rx | ($2)" ".[0].rx | ($3)"; }

# shellcheck disable=SC2317 # for wait_for
json_agrees() {
	local both

	both=$(nd show -aj lab0 | jq -r "[($1), ($2)] | \"\(.[0]) \(.[1])\"")
	echo "$both"
	[ "${both% *}" = "${both#* }" ] && [ "${both% *}" -gt 0 ]
}

# each_once NAME: every packet has got one verdict, of the core or of a handler; "next" and "repeat" are none yet.
each_once() {
	adds_up "$1" .packets '[.core.verdicts, .handlers[].verdicts | to_entries[] |
		select(.key != "next" and .key != "repeat") | .value.packets] | add'
}

# lab_netns_dir: where the state of the server's namespace is pinned.
lab_netns_dir() { echo "/sys/fs/bpf/ndiv/$(stat -Lc %i "/run/netns/$LAB-s")"; }

# nothing_left: neither in the BPF file system nor on the interface.
nothing_left() {
	local left=0

	if [ -e "$(lab_netns_dir)" ]; then
		echo "left: $(find "$(lab_netns_dir)" | head)"
		left=1
	fi
	if s ip link show lab0 | grep -E 'xdp|prog/'; then
		echo 'a program is left on lab0'
		left=1
	fi
	if s tc filter show dev lab0 ingress | grep -q ndiv || s tc filter show dev lab0 egress | grep -q ndiv; then
		echo 'a tc filter of ndiv is left'
		left=1
	fi
	return "$left"
}

# has_cookies: shield can answer SYNs: from Linux 6.9 on. Before, it leaves them to the stack.
has_cookies() { grep -q ' bpf_sk_assign_tcp_reqsk$' /proc/kallsyms; }

# udp ARGUMENT...: udp.py on the client.
udp() { c "$top/t/udp.py" "$@"; }

# agent_start NAME: a point; runs an agent for the lab, until agent_stop.
agent_start() {
	rm -f "$tmp/agent.pid"
	"$build/ndiv" -n "$LAB-s" agent --pidfile "$tmp/agent.pid" >"$tmp/agent.log" 2>&1 &
	agent=$!
	if wait_for test -s "$tmp/agent.pid"; then
		pass "$1"
	else
		fail "$1" "$(<"$tmp/agent.log")"
	fi
}

# agent_stop NAME: a point, too: it ends with status 0.
agent_stop() {
	kill "$agent"
	wait "$agent"
	is "$1" "status $? $(<"$tmp/agent.log")" 'status 0 '
}

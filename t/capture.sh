# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # of e2e.sh
#
# capture.sh: what the end-to-end tests of ndiv capture have in common. To be read behind e2e.sh.

# start ARGUMENT...: ndiv capture in the background, when it is at work; what it says is in $tmp/said.
start() {
	: >"$tmp/said"
	"$build/ndiv" -n "$LAB-s" capture "$@" >"$tmp/out" 2>"$tmp/said" &
	capture=$!
	wait_for grep -q 'listening on' "$tmp/said"
}

# ends NAME STATUS: a point: it ends by itself, with that status.
ends() {
	wait "$capture" 2>/dev/null
	is "$1" "status $?" "status $2"
}

# stops NAME: likewise, when it is told to, as by ^C.
stops() {
	kill -INT "$capture"
	ends "$1" 0
}

said() { grep -v 'listening on' "$tmp/said"; }

# counts CAPTURED SEEN LOST
counts() { printf '%s packets captured\n%s packets received by filter\n%s packets dropped by kernel' "$@"; }

# judged NAME FILE PACKETS: tcpdump, tshark and capinfos read all of it, and have nothing to complain about.
judged() {
	local n said

	n=$(tcpdump -nr "$2" 2>"$tmp/tcpdump" | wc -l)
	is "$1: tcpdump reads it" "$n $(grep -v '^reading from' "$tmp/tcpdump")" "$3 "
	n=$(tshark -nr "$2" 2>"$tmp/tshark" | wc -l)
	is "$1: tshark reads it" "$n $(grep -v '^Running as user' "$tmp/tshark")" "$3 "
	said=$(capinfos -Tmc -o "$2" 2>&1 | tail -n 1)
	is "$1: capinfos: packets, in order" "${said#*,}" "$3,True"
}

fields() { tshark -nr "$1" -T fields "${@:2}" 2>/dev/null; }

# holds FILE PACKETS
holds() { [ "$(fields "$1" -e frame.number | wc -l)" = "$2" ]; }

# flood COUNT: so many pings, each of which must be answered.
flood() { c ping -q -f -c "$1" -s 64 10.77.0.2 | grep -q " $1 received"; }

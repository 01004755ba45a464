#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-stack.t: what no handler takes comes to the local stack as before: TCP and UDP servers behind an attached interface
#
#	client: iperf3, curl  ---- veth ----  lab0: ndiv, ping, httpd | the stack: iperf3, an HTTP server
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

serve() {
	head -c 20000000 /dev/urandom >"$tmp/file"
	s_bg python3 -m http.server --bind :: --directory "$tmp" 8080 >"$tmp/http" 2>&1
	s_bg iperf3 -s >"$tmp/iperf3" 2>&1
	wait_for c curl -sf -o "$tmp/ignored" http://10.77.0.2:8080/http
	# the server waits for its next client once this one is gone
	wait_for c iperf3 -c 10.77.0.2 -n 1
}

# file NAME URL: comes whole.
file() {
	ok "$1: fetched" c curl -sf -g -m 20 -o "$tmp/got" "$2"
	ok "$1: whole" cmp "$tmp/file" "$tmp/got"
}

# iperf NAME ARGUMENT...: data goes through. The server may still be busy with the client before.
iperf() {
	ok "$1: no error" wait_for iperf_once "${@:2}"
	check "$1: bytes arrive" "$(jq '.end | (.sum_received // .sum) | .bytes' "$tmp/iperf") > 1000000"
}

iperf_once() { c iperf3 -J -t 1 "$@" >"$tmp/iperf"; }

traffic() {
	file "$1: http v4" http://10.77.0.2:8080/file
	file "$1: http v6" 'http://[fd77::2]:8080/file'
	file "$1: http, vlan" http://10.77.10.2:8080/file
	iperf "$1: iperf3 v4" -c 10.77.0.2
	iperf "$1: iperf3 v6" -c fd77::2
	iperf "$1: iperf3, to the client" -c 10.77.0.2 -R
	iperf "$1: iperf3 udp" -c 10.77.0.2 -u -b 200M
	ok "$1: a closed port is refused" sh -c "nsenter --net=/run/netns/$LAB-c -- curl -s http://10.77.0.2:8081/; [ \$? = 7 ]"
}

lab_up "$@" || bail 'no lab'
serve || bail 'no servers'
file 'without ndiv' http://10.77.0.2:8080/file
iperf 'without ndiv' -c 10.77.0.2
for mode in native generic; do
	nd attach lab0 ping rate=0 --mode "$mode" || fail "attach ping, $mode"
	nd attach lab0 httpd || fail "attach httpd, $mode"
	nd attach lab0 "$handlers/tx.bpf.o" || fail "attach tx, $mode"
	traffic "$mode"
	is "$mode: the handlers took nothing of it" \
		"$(json '[.[0].rx.handlers[].verdicts | .drop.packets, .reply.packets] | add')" 0
	is "$mode: the core dropped nothing" "$(count '.core.reasons | add')" 0
	check "$mode: all of it was seen" "$(count .core.verdicts.pass.packets) > 10000"
	is "$mode: nothing of it was malformed" "$(count '.core.counters | add')" 0
	is "$mode: nothing of what is sent was malformed" "$(json '.[0].tx.core.counters | add')" 0
	nd detach lab0 || fail "detach, $mode"
	file "after $mode" http://10.77.0.2:8080/file
done
done_testing

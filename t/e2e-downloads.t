#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-downloads.t: long objects over a bad wire: all of them come, to the last byte, for not much more than they have
#
#	client: fetch.py ---- lab0: faults ---- lab0: faults, httpd
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/clients.sh
. "$(dirname "$0")/clients.sh"

URL=http://10.77.0.2:8000
SIZES=1000000

ndc() { "$build/ndiv" -n "$LAB-c" "$@"; }

# wire [FAULT...]: from now on, both ways, in 1/1000.
wire() {
	nd replace lab0 faults "$@" || fail "faults $*"
	ndc replace lab0 faults "$@" || fail "faults $*, client"
}

faults() {
	"$build/ndiv" -n "$LAB-$1" show -aj lab0 |
		jq '.[0].rx.handlers.faults | [.reasons.fault, .verdicts.repeat.packets, .verdicts.postpone.packets] | add'
}

# downloads NAME COUNT PERCENT FAULT...: so many; httpd sends at most PERCENT of their bytes.
downloads() {
	local before server client

	wire "${@:4}"
	before=$(count .handlers.httpd.counters.bytes)
	server=$(faults s) client=$(faults c)
	fetch "$1" "$URL" "$2" --timeout 300
	check "$1: there were faults, both ways" "$(faults s) - $server > 20 && $(faults c) - $client > 20"
	check "$1: bytes sent" "$(count .handlers.httpd.counters.bytes) - $before < $2 * $SIZES * $3 / 100"
}

agents_start() {
	local side

	for side in s c; do
		"$build/ndiv" -n "$LAB-$side" agent --pidfile "$tmp/agent-$side.pid" >"$tmp/agent-$side.log" 2>&1 &
		agents+=($!)
		wait_for alive "$side" || bail "no agent: $(<"$tmp/agent-$side.log")"
	done
}

alive() { "$build/ndiv" -n "$LAB-$1" show -j lab0 | jq -e '.[0].agent' >/dev/null; }

from=c agents=()
lab_up "$@" || bail 'no lab'
c ip link set lab0 xdpdrv off
for side in s c; do
	"$build/ndiv" -n "$LAB-$side" attach lab0 faults || bail 'no faults'
done
nd attach lab0 httpd || bail 'no httpd'
agents_start
downloads '5% lost' 200 200 drop=50
downloads 'lost, doubled, disordered, late' 50 300 drop=20 duplicate=20 reorder=20 delay=20 delay-ms=5 jitter-ms=5
is 'nothing was strange to httpd' \
	"$(count '.handlers.httpd.reasons | [."bad-cookie", ."bad-checksum", ."bad-options", .flags]' | tr -d ' \n')" \
	'[0,0,0,0]'
kill "${agents[@]}"
wait "${agents[@]}"
done_testing

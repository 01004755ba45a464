# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # of e2e.sh
#
# wire.sh: a bad wire between both sides of the lab: the handler faults on each of them, and an agent for it. To be
# sourced after e2e.sh.
#
#	lab_up; wire_attach		# before other handlers
#	agents_start
#	wire drop=50			# from now on, both ways
#	agents_stop
#
# WIRE_PORTS: a range of ports, if not all are spoiled.

# ndc ARGUMENT...: ndiv on the client's side.
ndc() { "$build/ndiv" -n "$LAB-c" "$@"; }

# wire_attach: natively on the client's side, where lab/lib.sh has a program of its own.
wire_attach() {
	c ip link set lab0 xdpdrv off
	nd attach lab0 faults || bail 'no faults'
	ndc attach lab0 faults --mode native || bail 'no faults on the client'
}

# wire [FAULT...]: from now on, both ways, in 1/1000.
wire() {
	nd replace lab0 faults ${WIRE_PORTS:+"ports=$WIRE_PORTS"} "$@" || fail "faults $*"
	ndc replace lab0 faults ${WIRE_PORTS:+"ports=$WIRE_PORTS"} "$@" || fail "faults $*, client"
}

# faulty SIDE: what faults has done there.
faulty() {
	"$build/ndiv" -n "$LAB-$1" show -aj lab0 |
		jq '.[0].rx.handlers.faults | [.reasons.fault, .verdicts.repeat.packets, .verdicts.postpone.packets] | add'
}

# agents_start: one for each side.
agents_start() {
	local side

	agents=()
	for side in s c; do
		"$build/ndiv" -n "$LAB-$side" agent --pidfile "$tmp/agent-$side.pid" >"$tmp/agent-$side.log" 2>&1 &
		agents+=($!)
		wait_for has_agent "$side" || bail "no agent: $(<"$tmp/agent-$side.log")"
	done
}

has_agent() { "$build/ndiv" -n "$LAB-$1" show -j lab0 | jq -e '.[0].agent' >/dev/null; }

agents_stop() {
	kill "${agents[@]}"
	wait "${agents[@]}"
}

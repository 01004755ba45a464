#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317,SC2016 # what is called by check; messages have backquotes
#
# job-kernel.sh: what check-kernels.sh has done on each kernel, in a virtual machine or natively
#
# Prints TAP without numbers, and what the verifier said as comments "# verifier {...}".
set -u

cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
# shellcheck source=lab/lib.sh
. lab/lib.sh
# shellcheck source=t/vm/checks.sh
. t/vm/checks.sh

trap 'rm -rf "$tmp"' EXIT

series=$(uname -r | cut -d. -f1-2)

# verifier OBJECT: each of its programs is accepted; the cost goes to a file.
verifier() { s build/vm/verifier_cost "$series" lab0 "$1" >>"$costs"; }

verifier_all() {
	local object

	costs=$tmp/costs
	for object in build/bpf/core.bpf.o build/handlers/*.bpf.o "$objects"/*.bpf.o; do
		check "verifier: ${object#build/}" verifier "$object"
	done
	sed 's/^/# verifier /' "$costs"
}

# A test binary: its points bear its name, what it does not say counts as failed. cmocka says "not ok" to what is skipped.
binary() {
	local name=${1##*/}

	CMOCKA_MESSAGE_OUTPUT=TAP NDIV_BUILD=build timeout 1800 "$1" 2>&1 | awk -v name="$name" '
		/^1\.\.[0-9]+/ { plan = substr($1, 4) + 0; next }
		/^(not )?ok/ {
			n++
			skip = tolower($0) ~ /# *skip/
			word = /^not/ && !skip ? "not ok" : "ok"
			failed += word == "not ok"
			sub(/^(not )?ok *[0-9]* *(- *)?/, "")
			if (skip) {
				sub(/# *[Ss][Kk][Ii][Pp] */, "")
				$0 = $0 " # SKIP " (said == "" ? "no reason given" : said)
			}
			print word " - " name ": " $0
			said = ""
			next
		}
		{ said = $0; sub(/^#? */, "", said); print "#   " $0 }
		END { if (n < plan || !n) print "not ok - " name ": said " n " of " plan " points" }'
	[ "${PIPESTATUS[0]}" -lt 124 ] || echo "not ok - $name: ended with status ${PIPESTATUS[0]}"
}

binaries() {
	local file

	for file in build/t/test_*; do
		[ ! -x "$file" ] || binary "$file"
	done
}

native() {
	check 'native: attach' attach_native
	deaf 1
	check 'native: ping' pings "$server4" echo4
	check 'native: ping of IPv6' pings "$server6" echo6
	check 'native: ping with VLAN tag' vlan_ping
	check 'native: a range that nobody has' neighbours
	check 'native: attach httpd' attach_httpd
	check 'native: HTTP' http4
	check 'native: HTTP over IPv6' http6
	check 'native: HTTP, 1300 bytes' http_large
	check 'native: attach the test handlers' attach_test_handlers
	check 'native: show warns of nothing' no_warnings
	check 'native: reply' reply
	check 'native: reply that grows' long
	check 'native: reply that grows to 1514 bytes' long_max 1514
	check 'native: burst' burst
	check 'native: burst of 16' burst_max
	check 'native: postpone' postpone
	check 'native: postpone, then pass' postpone_pass
	check 'native: postpone for 300 ms, 3 times' postpone_delay
	check 'native: postpone without an agent' postpone_alone
	check 'native: replace under traffic' replace_live
	check 'native: what is passed reaches the stack' through_stack 1000000
	check 'native: transmit path' transmit_kind
	check 'native: capture of what is sent' capture_tx
	check 'native: detach, twice' detach
	deaf 0
	check 'native: nothing is left' nothing_left
}

# tcx where the kernel has it, since 6.6.
transmit_kind() {
	local kind=clsact

	{ [ "${series%.*}" -gt 6 ] || [ "${series#*.}" -ge 6 ]; } && kind=tcx
	transmit || return 1
	[ "$(shown transmit)" = "$kind" ] || { echo "not by $kind"; return 1; }
}

generic() {
	check 'generic: attach' attach_generic
	deaf 1
	check 'generic: ping' pings "$server4" echo4
	check 'generic: ping of IPv6' pings "$server6" echo6
	if s ip -d link show lab0.10 | grep -q 'vlan protocol'; then
		check 'generic: ping with VLAN tag' vlan_ping
	else
		skip 'generic: ping with VLAN tag' \
			"no VLAN devices in this kernel: the lab redirects by tc instead, and generic XDP does not see what tc redirected"
	fi
	check 'generic: a range that nobody has' neighbours
	check 'generic: attach the test handlers' attach_test_handlers
	check 'generic: reply that grows' long
	check 'generic: burst of 16' burst_max
	check 'generic: postpone' postpone
	check 'generic: postpone, then pass' postpone_pass
	agent_down
	check 'generic: what is passed reaches the stack' through_stack 1000000
	check 'generic: detach, twice' detach
	deaf 0
	check 'generic: nothing is left' nothing_left
}

# --- what to attach to

# refused CMD...: fails, and the message has all of the words that are then in <words>.
refused() {
	local said word

	! said=$("$@" 2>&1) || { echo "not refused"; return 1; }
	echo "$said"
	for word in "${words[@]}"; do
		[[ $said == *"$word"* ]] || { echo "it does not say: $word"; return 1; }
	done
}

# falls_back IF: no native mode; automatically generic mode, and it is said why; nothing is left.
falls_back() {
	local words=("cannot attach in native mode: Operation not supported")

	refused n attach --mode native "$1" ping && n attach "$1" ping && n show "$1" | tee /dev/stderr |
		grep -q '^  why generic: Operation not supported' && n detach "$1" && ! s ip link show "$1" | grep xdp
}

# Only generic mode, when asked for.
generic_only() { n attach --mode generic "$1" ping && n show "$1" | tee /dev/stderr | grep -q ' generic mode' && n detach "$1"; }

# A bond has native mode, and says that its ports may be meant.
a_bond() { n attach bond9 ping 2>&1 | tee /dev/stderr | grep -q 'it is a bond: .*`ip link show master bond9`' && n detach bond9; }

# target NAME ARGUMENT...: makes such an interface, or the point is skipped.
target() {
	local name=$1 said

	shift
	said=$(s ip link add "$@" 2>&1) && s ip link set "$name" up && return
	skip "target: $name" "this kernel: $said"
	return 1
}

targets() {
	local words

	if target br9 br9 type bridge; then
		words=('it is a bridge' 'Attach to the ports (`ip link show master br9`)')
		check 'target: a bridge is refused, with a word on its ports' refused n attach br9 ping
		check 'target: a bridge in generic mode' generic_only br9
	fi
	if target vlan9 link lab0 name vlan9 type vlan id 9; then
		words=('it is a VLAN device: attach to lab0')
		check 'target: a VLAN device is refused, with a word on its parent' refused n attach vlan9 ping
		check 'target: a VLAN device in generic mode' generic_only vlan9
	fi
	! target bond9 bond9 type bond || check 'target: a bond, with a word on its ports' a_bond
	! target dummy9 dummy9 type dummy || check 'target: dummy falls back' falls_back dummy9
	! target macvlan9 link lab0 name macvlan9 type macvlan || check 'target: macvlan falls back' falls_back macvlan9
	check 'target: lo falls back' falls_back lo
}

jumbo() {
	check 'jumbo: attach' attach_native
	deaf 1
	check 'jumbo: ping, 8000 bytes' pings "$server4" echo4 8000
	check 'jumbo: ping of IPv6, 8000 bytes' pings "$server6" echo6 8000
	check 'jumbo: what is passed reaches the stack' through_stack 1000000
	check 'jumbo: detach' detach
	deaf 0
}

binaries
lab_up >/dev/null || { echo 'not ok - lab'; exit 1; }
verifier_all
native
generic
targets
lab_down
lab_up --mtu 9000 >/dev/null || { echo 'not ok - lab with MTU 9000'; exit 1; }
jumbo
lab_down
exit 0

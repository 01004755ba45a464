#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh [SUITE]: runs the benchmark, all suites or one, and updates build/bench.json
#
# `make bench` calls it when everything is built. RUNS=n measures so often; CPU=n runs there.

set -u

cd "$(dirname "$(readlink -f "$0")")/.." || exit
build=${NDIV_BUILD:-build}
result=$build/bench.json
stats=/proc/sys/kernel/bpf_stats_enabled
stats_old=
pid=
status=0

say() { printf 'bench: %s\n' "$*" >&2; }

# shellcheck source=lab/lib.sh
. lab/lib.sh

# suites: prints the names of those that are built.
suites() {
	local bin

	for bin in "$build"/bench/bench_*; do
		[ ! -x "$bin" ] || echo "${bin##*/bench_}"
	done
}

# stats_off: while it is on, the kernel reads the clock twice for every run of a program: five times what is left of the
# harness without.
stats_off() {
	[ "$(cat "$stats" 2>/dev/null)" = 1 ] || return 0
	stats_old=1
	say "kernel.bpf_stats_enabled is on: switched off until the end"
	echo 0 >"$stats"
}

# shellcheck disable=SC2317 # the trap calls it
clean_up() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null
	[ -z "$pid" ] || wait "$pid"
	[ -z "$stats_old" ] || echo "$stats_old" >"$stats"
	rm -f /dev/shm/ndiv-bench.*
}

# These suites also send packets, through a lab of their own. GRO, so that both ends receive by NAPI.
needs_lab() { [[ $1 =~ ^(core|httpd|capture|shield)$ ]]; }
lab_options() { ! [[ $1 =~ ^(httpd|shield)$ ]] || echo --gro on; }

# merge SUITE FILE: puts the rows of FILE in the place of the suite's old ones.
merge() {
	local old=''

	[ ! -f "$result" ] || old=$(sed -n '/^{"name": "/{s/,$//;p}' "$result" | grep -v "^{\"name\": \"$1/")
	{
		echo '['
		printf '%s\n' "$old" "$(cat "$2")" | sed '/^$/d' | sed '$!s/$/,/'
		echo ']'
	} >"$result.new" && mv "$result.new" "$result"
}

# run_suite SUITE
run_suite() {
	local rows=$build/bench/$1.rows args=()

	[ -z "${RUNS:-}" ] || args+=(-n "$RUNS")
	[ -z "${CPU:-}" ] || args+=(-c "$CPU")
	if needs_lab "$1"; then
		# shellcheck disable=SC2046 # words
		lab_up $(lab_options "$1") || return 1
		args+=(-l "$LAB")
	fi
	# in the background, so that a signal is not kept waiting until it has ended
	"$build/bench/bench_$1" ${args[@]+"${args[@]}"} -o "$rows" &
	pid=$!
	wait "$pid" || { pid=; return 1; }
	pid=
	merge "$1" "$rows" && lab_down
}

names=$(suites)
[ -n "$names" ] || { say "nothing is built: run make bench"; exit 1; }
if [ -n "${1:-}" ]; then
	grep -qxF -- "$1" <<<"$names" || { say "no such suite: $1; there are: ${names//$'\n'/ }"; exit 2; }
	names=$1
fi
[ "$(id -u)" = 0 ] || { say "not root: BPF and network namespaces need it; try sudo"; exit 1; }

# two at once would disturb each other, and the second one find the setting of the first
exec 8>/run/lock/ndiv-bench || exit 1
flock -n 8 || { say "another benchmark runs"; exit 1; }

trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
stats_off
printf 'Linux %s, %s, %s CPUs, load %s, %s\n' "$(uname -r)" \
	"$(sed -n 's/^model name.*: *//p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(cut -d ' ' -f 1-3 /proc/loadavg)" \
	"$(date -u +%Y-%m-%dT%H:%MZ)"
for name in $names; do
	echo
	run_suite "$name" || { say "suite $name failed: its rows in $result are those of an earlier run, if any"; status=1; }
done
[ ! -f "$result" ] || printf '\n%s\n' "$result"
exit "$status"

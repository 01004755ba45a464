#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check-kernels.sh: the tests and a short run of ndiv, on several kernels
#
# KERNELS="6.1 6.12 running": which ones. "running" is the one that runs now, natively; the others are Debian's, in emulated
# machines (kernel.sh). What they said stays in build/vm/, the verifier's costs in build/verifier.json; compared with
# t/vm/verifier-baseline.json, a program that costs a fifth more is told about, and does not fail. A new baseline is a copy
# of the one file to the other.
set -u

# shellcheck source=t/vm/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

# What the lab and the tests need.
modules=(veth 8021q sch_ingress cls_bpf act_mirred bridge bonding dummy macvlan)
limit=3600
kernels=${KERNELS:-6.1 6.12 running}
out=$top/build/vm
costs=$top/build/verifier.json
baseline=$here/verifier-baseline.json

# natively LOG, emulated LOG KERNEL: leave their report in LOG.job.
natively() {
	echo "--- begin $(uname -r)" >"$1.job"
	timeout "$limit" "$here/job-kernel.sh" >>"$1.job" 2>&1 </dev/null
}

emulated() {
	local kernel

	kernel=$("$here/kernel.sh" "$2") && "$here/initramfs.sh" "$kernel" "$1.img" "${modules[@]}" &&
		boot "$kernel" "$1.img" "$1" "$limit" -- /ndiv/t/vm/job-kernel.sh
}

run_kernel() {
	local log=$out/$1

	rm -f "$log.job" "$log.console"
	if [ "$1" = running ]; then
		natively "$log" || machine_failed "$log"
	else
		emulated "$log" "$1" || machine_failed "$log"
	fi
	rm -f "$log.img"
}

release() { sed -n 's/^--- begin //p' "$out/$1.job"; }

table() {
	local kernel p f s

	printf '\n%-28s %-9s %7s %7s %8s\n' kernel machine passed failed skipped
	for kernel in $kernels; do
		read -r p f s < <(count "$out/$kernel.job")
		printf '%-28s %-9s %7d %7d %8d\n' "$(release "$kernel" | grep . || echo "$kernel")" \
			"$([ "$kernel" = running ] && echo native || echo emulated)" "$p" "$f" "$s"
	done
}

# One line for each program and kernel, so that awk can read it, too.
write_costs() {
	local kernel

	for kernel in $kernels; do
		sed -n 's/^# verifier {/{/p' "$out/$kernel.job"
	done | sed '1!s/^/,/' | { echo '['; cat; echo ']'; } >"$costs"
}

# cost_table: rows are programs, columns kernels: instructions, and milliseconds.
cost_table() {
	awk -F '"' '
		function number(name) { return match($0, "\"" name "\": [0-9]+") ? substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 4) : "" }
		/"kernel"/ {
			k = $4; p = $8 " " $12
			if (!(k in col)) { col[k] = ++cols; name[cols] = k }
			if (!(p in row)) { row[p] = ++rows; label[rows] = p }
			cell[p, k] = /"error"/ ? "refused" : sprintf("%d  %7.1f", number("insns"), number("usec") / 1000)
		}
		END {
			printf "\nverifier: instructions, ms\n%-32s", ""
			for (i = 1; i <= cols; i++) printf " %18s", name[i]
			print ""
			for (r = 1; r <= rows; r++) {
				printf "%-32s", label[r]
				for (i = 1; i <= cols; i++) printf " %18s", cell[label[r], name[i]]
				print ""
			}
		}' "$costs"
}

# regressions: instructions only; the time is the weather.
regressions() {
	[ -r "$baseline" ] || return 0
	awk -F '"' '
		!/"insns"/ { next }
		{ key = $4 ": " $8 " " $12; match($0, /"insns": [0-9]+/); n = substr($0, RSTART + 9, RLENGTH - 9) + 0 }
		FNR == NR { old[key] = n; next }
		key in old && n > old[key] * 1.2 && n > old[key] + 100 {
			printf "warning: verifier, Linux %s: %d instructions, %d in the baseline\n", key, n, old[key]
		}' "$baseline" "$costs"
}

total() {
	local kernel p f s passed=0 failed=0 skipped=0

	for kernel in $kernels; do
		read -r p f s < <(count "$out/$kernel.job")
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	done
	echo
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

[ "$(id -u)" = 0 ] || die "not root: the tests load programs and make network namespaces"
build_tools || exit 1
for kernel in $kernels; do
	SECONDS=0
	run_kernel "$kernel"
	read -r p f s < <(count "$out/$kernel.job")
	echo "$kernel: $p passed, $f failed, $s skipped in $SECONDS s"
done
for kernel in $kernels; do
	details "$kernel" "$out/$kernel.job"
done
write_costs
cost_table
regressions
table
total

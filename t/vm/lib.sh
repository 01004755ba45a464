# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# lib.sh: what the scripts of this folder share on the host's side

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck disable=SC2034 # for those who source this
top=$(dirname "$(dirname "$here")")
# shellcheck disable=SC2034
cache=${NDIV_CACHE:-${XDG_CACHE_HOME:-/var/cache}/ndiv-vm}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$@"; exit 1; }

# apt_install PACKAGE...: with apt, if this is root on a machine that has it.
apt_install() {
	command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return 1
	say "installing $*"
	DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null ||
		{ apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null; }
}

# run_machine COMMAND...: one machine, with what boot() has set.
run_machine() {
	rm -f "$log.job" "$log.console"
	(
		flock 9
		# shellcheck disable=SC2154 # the caller's
		nice -n 10 timeout -k 5 "$seconds" ${prefix[@]+"${prefix[@]}"} "${qemu[@]}" -machine q35 -accel "${NDIV_ACCEL:-tcg}" -cpu max \
			-smp 2 -m 1024 -nodefaults -no-user-config -display none -no-reboot \
			-kernel "$kernel"/boot/vmlinuz-* -initrd "$initramfs" -serial "file:$log.console" -serial "file:$log.job" \
			-append "console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable -- $*" "${options[@]}" 9>&-
	) 9>"$cache/.one-vm" </dev/null || say "the machine did not end within $seconds s, or could not start"
}

# Kernels patch their code while other CPUs run, and behind a breakpoint (int3) that these meet at worst. Emulated in software,
# a CPU at times still sees the breakpoint when it is over, and the kernel gives up. Before init that is not ours.
half_patched() { grep -q 'Oops: int3' "$log.console" 2>/dev/null && ! grep -q '^--- begin' "$log.job"; }

# boot KERNEL INITRAMFS LOG SECONDS QEMU_OPTION... -- COMMAND...: runs COMMAND in a virtual machine, emulated in software
# unless NDIV_ACCEL says otherwise. What it says is in LOG.job, what the kernel says in LOG.console. One machine at a time, whoever
# starts it: they take all of a core. <prefix> is the command in which QEMU runs, if any. Fails if the machine did not come to its end, COMMAND failed, or the kernel complained.
boot() {
	local kernel=$1 initramfs=$2 log=$3 seconds=$4 options=() qemu end try

	shift 4
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	mapfile -t qemu < <("$here/kernel.sh" qemu)
	[ ${#qemu[@]} -gt 0 ] || return 1
	for try in 1 2 3; do
		run_machine "$@"
		half_patched || break
		say "the emulator ran half patched code while the kernel started (try $try): again"
	done
	end=$(tail -n 1 "$log.job" 2>/dev/null)
	[ "$end" = '--- end 0' ] || return 1
	! grep -qE 'BUG:|WARNING:|Oops|Call Trace|rcu.*stall|Kernel panic' "$log.console" ||
		{ say "the kernel complained: $log.console"; return 1; }
}

# build_tools: the programs of this folder, into build/vm.
build_tools() {
	local tool flags

	mkdir -p "$top/build/vm" "$cache" || return 1
	flags=$(pkg-config --cflags --libs libbpf) || { say "libbpf is missing: make deps"; return 1; }
	for tool in verifier_cost udp_probe; do
		# shellcheck disable=SC2086 # words
		${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -Wno-unused-parameter -o "$top/build/vm/$tool" "$here/$tool.c" $flags || return 1
	done
	make -s -C "$top" handler SRC=t/vm/later.bpf.c OUT=build/vm/later.bpf.o >/dev/null
}

# count JOB: prints passed, failed, skipped points of what a job said.
count() {
	awk '/^not ok/ { f++ } /^ok/ { if (/# SKIP/) s++; else p++ } END { print p + 0, f + 0, s + 0 }' "$1"
}

# details NAME JOB: what failed, with the end of what it said, and what was skipped, why.
details() {
	awk -v name="$1" '
		function flush(i) {
			if (title) {
				print title
				for (i = n > 12 ? n - 11 : 1; i <= n; i++) print said[i]
			}
			title = ""; n = 0
		}
		/^#   / { said[++n] = $0; next }
		/^not ok/ { if (title) flush(); sub(/^not ok - /, ""); title = "failed, " name ": " $0; next }
		{ flush() }
		/^ok.*# SKIP/ { sub(/^ok - /, ""); sub(/ # SKIP /, ": "); print "skipped, " name ": " $0 }
		END { flush() }' "$2"
}

# machine_failed LOG: adds a failed point if the job did not come to its end, and shows the end of the console.
machine_failed() {
	echo "not ok - the machine came to its end" >>"$1.job"
	tail -n 30 "$1.console" 2>/dev/null | sed 's/^/#   /' >>"$1.job"
}

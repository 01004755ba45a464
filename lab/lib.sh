# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# lib.sh: the lab for bash scripts. Works with and without `set -eu`.
#
#	. lab/lib.sh
#	lab_up --mtu 9000		# sets LAB; gone when the script ends
#	s_bg python3 -m http.server 80	# its pid is in LAB_PID
#	wait_for c curl -s 10.77.0.2	# 5 seconds at most
#	s ip -s link show lab0
#
# LAB_TRACE=1 prints each command on standard error as it is run.

LAB=
LAB_PID=
_lab_cmd=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lab
_lab_made=()
_lab_old_exit=

# lab_up [NAME] [OPTIONS OF lab up]: makes a lab that belongs to this script and
# removes it when the script ends; sets LAB. May be called again: LAB is the last
# one, all are removed. An EXIT trap set before is kept and runs after that; one
# set afterwards has to end with lab_exit. Traps of INT, TERM and HUP are set to exit
# unless the script has its own.
lab_up() {
	local signal

	if [ ${#_lab_made[@]} = 0 ]; then
		_lab_old_exit=$(trap -p EXIT)
		trap lab_exit EXIT
		for signal in HUP:129 INT:130 TERM:143; do
			# shellcheck disable=SC2064 # the status is known now
			[ -n "$(trap -p "${signal%:*}")" ] ||
				trap "exit ${signal#*:}" "${signal%:*}"
		done
	fi
	# a signal is handled after this line: LAB, the only thing set by it, has to
	# be enough for lab_exit
	LAB=$("$_lab_cmd" up --owner "$$" "$@") || { LAB=; return 1; }
	_lab_made+=("$LAB")
}

# lab_down [NAME]: removes the lab, LAB if none is named, and all that runs in it.
# No lab (any more): nothing to do.
lab_down() {
	local name=${1:-$LAB}

	[ "$name" != "$LAB" ] || LAB=
	[ -z "$name" ] || [ ! -e "/run/ndiv-lab/$name" ] || "$_lab_cmd" down "$name"
}

# lab_exit: what the EXIT trap does; keeps the exit status.
lab_exit() {
	local status=$? name

	set +e
	trap '' HUP INT TERM
	for name in ${LAB:+"$LAB"} ${_lab_made[@]+"${_lab_made[@]}"}; do
		lab_down "$name"
	done
	if [ -n "$_lab_old_exit" ]; then
		eval "set -- $_lab_old_exit" # trap -- COMMAND EXIT
		(exit "$status")
		eval "$3"
	fi
	exit "$status"
}

# c CMD..., s CMD..., o CMD...: run a command (no shell function) on the client,
# the server, the third side of a lab with --outer.
c() { _lab_run client "$@"; }
s() { _lab_run server "$@"; }
o() { _lab_run outer "$@"; }

# c_bg CMD..., s_bg CMD..., o_bg CMD...: the same in the background. LAB_PID is the command's
# own pid; `c CMD &` would give that of a subshell, whose death does not end CMD.
c_bg() { _lab_run_bg client "$@"; }
s_bg() { _lab_run_bg server "$@"; }
o_bg() { _lab_run_bg outer "$@"; }

_lab_run() {
	_lab_check "$@" || return 1
	_lab_trace "$@"
	nsenter --net="/run/netns/$LAB-${1:0:1}" -- "${@:2}"
}

_lab_run_bg() {
	_lab_check "$@" || return 1
	_lab_trace "$@" '&'
	nsenter --net="/run/netns/$LAB-${1:0:1}" -- "${@:2}" &
	# shellcheck disable=SC2034 # for the caller
	LAB_PID=$!
}

_lab_check() {
	[ $# -ge 2 ] || { echo "lab: no command for the $1" >&2; return 1; }
	[ -n "$LAB" ] || { echo "lab: no lab is up, cannot run: ${*:2}" >&2; return 1; }
}

# _lab_trace SIDE WORD...: quoted where a shell would need it.
_lab_trace() {
	local word line="$1#"

	[ "${LAB_TRACE:-0}" = 1 ] || return 0
	for word in "${@:2}"; do
		case $word in
		'&' | *[!A-Za-z0-9_./:,=@%+-]* | '') [ "$word" = '&' ] || word=${word@Q} ;;
		esac
		line+=" $word"
	done
	printf '%s\n' "$line" >&2
}

# wait_for [-q] [-t SECONDS] CMD...: runs CMD (a function, too) until it succeeds,
# 20 times a second, 30 seconds by default. Fails after that and shows what the
# last try said, unless -q. CMD itself must come to an end.
wait_for() {
	local quiet='' seconds=30 said now end LAB_TRACE=0

	while true; do
		case ${1:-} in
		-q) quiet=1 ;;
		-t) seconds=$2; shift ;;
		*) break ;;
		esac
		shift
	done
	# monotonic, in 1/100 s
	read -r now _ </proc/uptime
	end=$((10#${now/./} + seconds * 100))
	until said=$("$@" 2>&1); do
		read -r now _ </proc/uptime
		if [ "$((10#${now/./}))" -ge "$end" ]; then
			[ -n "$quiet" ] ||
				printf 'lab: not so within %s s: %s\n%s\n' "$seconds" "$*" "$said" >&2
			return 1
		fi
		sleep 0.05
	done
}

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# clients.sh: HTTP clients for the end-to-end tests, 100 at once each. To be sourced after e2e.sh.
#
#	from=c					# the side of the lab that they are on
#	SIZES=0,100
#	fetch 'kept' http://10.77.0.2:8000 500	# a point
#
# An object's URL ends with its size, so the last part of a URL is how many bytes have to come.

# shellcheck disable=SC2154 # top is of e2e.sh, from of the script

# fetch NAME URL COUNT [OPTION...]: COUNT objects URL/N, N of SIZES, by fetch.py; each byte is checked.
fetch() {
	local said

	said=$("$from" "$top/t/fetch.py" get "$2" --sizes "$SIZES" --count "$3" --parallel 100 "${@:4}")
	is "$1: each response is right" "$(jq -c '[.right, .errors]' <<<"$said")" "[$3,{}]"
}

# load_h2load NAME URL COUNT [OPTION...]
load_h2load() {
	local said

	said=$("$from" h2load --h1 -n "$3" -c 100 -t 1 -T 60 -N 60 "${@:4}" "$2" 2>&1)
	is "$1: h2load" "$(sed -nE '/^(requests|status codes):/p; s/^traffic:.*\(([0-9]+)\) data$/\1/p' <<<"$said")" \
		"requests: $3 total, $3 started, $3 done, $3 succeeded, 0 failed, 0 errored, 0 timeout
status codes: $3 2xx, 0 3xx, 0 4xx, 0 5xx
$(($3 * ${2##*/}))"
}

# load_ab NAME URL COUNT [OPTION...]
load_ab() {
	local said bytes=$(($3 * ${2##*/}))

	[[ " ${*:4} " != *' -i '* ]] || bytes=0
	said=$("$from" ab -q -s 60 -n "$3" -c 100 "${@:4}" "$2" 2>&1)
	is "$1: ab${4:+ ${*:4}}" \
		"$(awk '/^(Complete|Failed|Non-2xx|Write)/ { print $1, $NF } /^HTML transferred/ { print $3 }' <<<"$said" |
			paste -sd' ')" "Complete $3 Failed 0 $bytes"
}

# load_wrk NAME URL [OPTION...]: for one second.
load_wrk() {
	local said

	said=$("$from" wrk -t 1 -c 100 -d 1 --timeout 60 "${@:3}" "$2" 2>&1)
	if grep -q Requests/sec <<<"$said" && ! grep -qE 'Socket errors|Non-2xx' <<<"$said" &&
		[ "$(awk '/requests in/ { print $1 }' <<<"$said")" -ge 100 ]; then
		pass "$1: wrk"
	else
		fail "$1: wrk" "$said"
	fi
}

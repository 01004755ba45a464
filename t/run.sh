#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh [FILE...]: runs tests, and tells at the end how many passed
#
# FILE: a C test (a binary in build/t) or a script (t/*.t); all of them if none is named, and those with sanitizers
# (build/san/t) if they were built. Each one prints TAP; prove runs them one after the other. The last line is alone and
# plain: "N passed, N failed, N skipped", test points each. A test that ends without having said so, or says less than
# it planned, counts as one failed point at least. Exit status 0 only if some point passed, and none failed or was
# skipped: what cannot run has failed.
set -u

cd "$(dirname "$(readlink -f "$0")")/.." || exit 1

# No test takes that long, in seconds.
LIMIT=900

# one FILE: runs it for prove, and keeps what it said.
one() {
	local log=$RUN_DIR/${1//\//_} status

	case $1 in
	*.t) timeout "$LIMIT" "$1" ;;
	*) NDIV_BUILD=${1%/t/*} CMOCKA_MESSAGE_OUTPUT=TAP timeout "$LIMIT" "$1" ;;
	esac | tee "$log.tap"
	status=${PIPESTATUS[0]}
	echo "$status" >"$log.status"
	exit "$status"
}

# count FILE: prints its passed, failed and skipped points.
count() {
	local log=$RUN_DIR/${1//\//_}

	[ -e "$log.status" ] || { echo 0 1 0; return; }
	awk -v status="$(<"$log.status")" '
		/^1\.\.[0-9]+/	{ plan = substr($1, 4) + 0; planned = 1 }
		/^not ok/	{ failed++ }
		/^ok/		{ if (tolower($0) ~ /# *skip/) skipped++; else passed++ }
		END {
			missing = plan - passed - failed - skipped
			if (missing > 0)
				failed += missing
			else if (!planned || missing < 0 || (status != 0 && !failed))
				failed++
			print passed + 0, failed + 0, skipped + 0
		}' "$log.tap"
}

total() {
	local file p f s passed=0 failed=0 skipped=0

	for file in "$@"; do
		read -r p f s < <(count "$file")
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	done
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$passed" -gt 0 ] && [ "$failed" = 0 ] && [ "$skipped" = 0 ]
}

if [ "${1:-}" = --one ]; then
	one "$2"
fi
if [ "$(id -u)" != 0 ]; then
	echo "run.sh: not root: the tests load programs and make network namespaces" >&2
	exit 1
fi
if [ $# = 0 ]; then
	for file in build/t/test_* build/san/t/test_* t/*.t; do
		[ -x "$file" ] && set -- "$@" "$file"
	done
fi
RUN_DIR=$(mktemp -d) || exit 1
export RUN_DIR
trap 'rm -rf "$RUN_DIR"' EXIT
prove -f --exec "t/run.sh --one" "$@"
status=$?
total "$@" || status=1
exit "$status"

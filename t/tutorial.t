#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tutorial.t: what docs/tutorial.md says is true, word by word
#
# Its blocks "```c FILE" are written, its blocks "```sh" run one after the other in
# one shell, and each line of a block "```text" must be in what the last commands
# printed; white space and what differs each time (ids, dates, stray packets) aside.
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1

dir=$(mktemp -d) || exit 1
LAB=
# shellcheck disable=SC2317 # called by the trap
at_exit() {
	[ -z "$LAB" ] || lab/lab down "$LAB"
	rm -rf "$dir"
}
trap at_exit EXIT
trap 'exit 143' HUP INT TERM

# blocks: docs/tutorial.md into files NN.c, NN.sh, NN.text; the first line of a .c is the file's name.
awk -v dir="$dir" '
	/^```(c|sh|text)( |$)/ { out = sprintf("%s/%02d.%s", dir, ++n, substr($1, 4)); if ($2) print $2 >out; next }
	/^```/	{ if (out) close(out); out = ""; next }
	out	{ print >out }' docs/tutorial.md

count=0 failed=0
ok() { echo "ok $((++count)) - $1"; }
not_ok() { echo "not ok $((++count)) - $1"; failed=$((failed + 1)); }

# What is compared of a line.
same() {
	sed -E 's/program [0-9]+/program N/; s/since .*/since DATE/; s/[ \t]+/ /g; s/^ | $//g; / next /s/[0-9]+/N/g' "$@"
}

# expect FILE OUTPUT: each line of FILE that is not empty.
expect() {
	local line missing=''

	while read -r line; do
		[ -z "$line" ] || same "$2" | grep -qxF -- "$line" || missing+="#   $line"$'\n'
	done < <(same "$1")
	[ -z "$missing" ] || printf '# missing:\n%s# printed:\n%s\n' "$missing" "$(sed 's/^/#   /' "$2")"
	[ -z "$missing" ]
}

home=$dir/home
mkdir "$home"
for block in "$dir"/*.c "$dir"/*.sh "$dir"/*.text; do
	echo "${block##*/}"
done | sort >"$dir/list"
[ "$(sed 's/.*\.//' "$dir/list" | sort -u | wc -l)" = 3 ] || not_ok 'the tutorial has code, commands and output'

while read -r block; do
	case $block in
	*.c)
		name=$(head -n 1 "$dir/$block")
		tail -n +2 "$dir/$block" >"$home/echo/$name"
		;;
	*.sh)
		# the lab goes even if this test is killed
		sed -i "s/lab up/lab up --owner $$/" "$dir/$block"
		HOME=$home
		# shellcheck disable=SC1090 # one shell, as the reader has
		if . "$dir/$block" >"$dir/out" 2>&1; then
			ok "$(head -n 1 "$dir/$block") ..."
		else
			not_ok "$(head -n 1 "$dir/$block") ..."
			sed 's/^/# /' "$dir/out"
		fi
		;;
	*.text)
		if expect "$dir/$block" "$dir/out"; then
			ok "prints: $(head -n 1 "$dir/$block") ..."
		else
			not_ok "prints: $(head -n 1 "$dir/$block") ..."
		fi
		;;
	esac
done <"$dir/list"
cd "$NDIV" || exit 1

if ! ip netns list | grep -qF "$LAB-s" && [ ! -e "/run/ndiv-lab/$LAB" ]; then
	ok 'nothing is left of the lab'
	LAB=
else
	not_ok 'nothing is left of the lab'
fi
echo "1..$count"
exit $((failed > 0))

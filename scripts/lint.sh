#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lint.sh: all that can be said about the sources without running them
#
# Checks what git knows of, and shows each check's outcome. Exit status: 0 if all
# are good, else 1.
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1

log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0

# check NAME FUNCTION [ARG...]
check() {
	local name=$1

	shift
	if "$@" >"$log" 2>&1; then
		passed=$((passed + 1))
		printf 'ok      %s\n' "$name"
	else
		failed=$((failed + 1))
		printf 'not ok  %s\n' "$name"
		sed 's/^/        /' "$log"
	fi
}

files() { git ls-files "$@" | while read -r file; do [ ! -f "$file" ] || echo "$file"; done; }

# Shell scripts, whatever their names: by the first line, or by shellcheck's own mark.
shell_files() {
	files | while read -r file; do
		head -n 3 "$file" | tr -d '\0' | grep -qE '^#!.*[/ ](ba)?sh( |$)|^# shellcheck shell=' && echo "$file"
	done
}

sources() {
	files '*.[ch]' Makefile .clang-format .clang-tidy
	files | grep -E '^(scripts|\.ci|cli/completion)/|\.(sh|t|py)$|^lab/lab$'
	shell_files
}

formatted() { files '*.[ch]' | xargs scripts/format --check; }

shell_scripts() {
	shell_files | xargs shellcheck -x -P SCRIPTDIR -P . && files 'cli/completion/*' | xargs shellcheck -s bash
}

licensed() {
	sources | sort -u | grep -vE '^(\.clang|Makefile)' | while read -r file; do
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: ' || echo "$file: no SPDX-License-Identifier in its first lines"
	done >"$log.spdx"
	cat "$log.spdx"
	[ ! -s "$log.spdx" ]
	local status=$?
	rm "$log.spdx"
	return $status
}

headers_are_dual() {
	! grep -L 'SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)' include/ndiv/*.h handlers/template/* | grep .
}

ascii() { ! files | grep -v '^LICENSE' | xargs grep -nIP '[^\x00-\x7f]'; }
blanks() { ! files | grep -v '^LICENSE' | xargs grep -nIE '[[:blank:]]+$'; }

ends_with_newline() {
	! files | while read -r file; do
		[ ! -s "$file" ] || [ -z "$(tail -c 1 "$file" | tr -d '\0')" ] || ! grep -qI . "$file" || echo "$file"
	done | grep .
}

# Files that documents point to.
links() {
	! files '*.md' | while read -r file; do
		grep -oE '\]\([^)#:]+' "$file" | cut -c3- | while read -r to; do
			[ -e "$(dirname "$file")/$to" ] || echo "$file: no $to"
		done
	done | grep .
}

# The units as they are installed, but with what was built here.
units() {
	local dir=$log.units file

	mkdir "$dir"
	for file in dist/*.service; do
		sed -e "s|@BINDIR@|$PWD/build|; s|@DATADIR@|$PWD/dist|; s|@DOCDIR@|$PWD/docs|" "$file" >"$dir/$(basename "$file")"
	done
	cp "$dir/ndiv-shield@.service" "$dir/ndiv-shield@lo.service"
	# what it has to say of other units is not ours
	systemd-analyze --man=no verify "$dir/ndiv-agent.service" "$dir/ndiv-shield@lo.service" 2>&1 | grep ndiv
	local said=${PIPESTATUS[0]}${PIPESTATUS[1]}
	rm -r "$dir"
	[ "$said" = 01 ]
}

# tidy_some FLAGS... -- FILE...: clang-tidy's own chatter is left out
tidy_some() {
	local flags=()

	while [ "$1" != -- ]; do
		flags+=("$1")
		shift
	done
	shift
	clang-tidy --quiet "$@" -- -std=gnu11 -Iinclude "${flags[@]}" 2>"$log.err"
	local status=$?
	grep -v 'warnings\? generated' "$log.err"
	rm "$log.err"
	return $status
}

tidy() {
	local user bpf multiarch

	multiarch=$(cc -print-multiarch 2>/dev/null)
	# t/test_parse_native.c compiles BPF code with cc, which overlooks the assembler in functions that are not called
	mapfile -t user < <(files '*.c' | grep -v -e '\.bpf\.c$' -e _native)
	mapfile -t bpf < <(files '*.bpf.c')
	tidy_some -D_GNU_SOURCE -Ibuild/gen -It/harness '-DNDIV_HANDLERDIR=""' -- "${user[@]}" &&
		tidy_some -target bpf -O2 -g -idirafter "/usr/include/${multiarch:-x86_64-linux-gnu}" -- "${bpf[@]}"
}

# The compilers there are, the oldest that will do and the newest.
compilers() {
	local all

	all=$(find /usr/bin /usr/local/bin -regex '.*/clang-[0-9]+' -printf '%f\n' | sort -uV | awk -F- '$2 >= 14')
	{ sed -n '1p;$p' <<<"$all"; grep -x clang-19 <<<"$all"; } | sort -uV
}

bpf_objects() {
	local object objects

	objects=$(files '*.bpf.c' | grep -v '^handlers/' | sed 's/\.c$/.o/')
	objects+=" $(files 'handlers/*/*.bpf.c' | sed 's,^handlers/.*/,handlers/,; s/\.c$/.o/')"
	objects=$(for object in $objects; do echo "build/$1/$object"; done)
	# shellcheck disable=SC2086 # a list
	make -s ERR=1 CLANG="$1" B="build/$1" $objects
}

make -s all >"$log" 2>&1 || { cat "$log"; exit 1; }
check 'C code is laid out as .clang-format says' formatted
check 'clang-tidy has nothing to say' tidy
check 'shellcheck has nothing to say' shell_scripts
check 'each source names its licence' licensed
check 'headers and template may be used under BSD-2-Clause' headers_are_dual
check 'plain ASCII' ascii
check 'no blanks at the end of lines' blanks
check 'each file ends with a newline' ends_with_newline
check 'documents point to files that are there' links
check 'systemd takes the units' units
for clang in $(compilers); do
	check "BPF objects by $clang without a warning" bpf_objects "$clang"
done
printf 'lint: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]

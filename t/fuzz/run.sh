#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh [SECONDS [TARGET...]]: builds the fuzz targets, and runs each for so long (10 unless given)
#
# TARGET: option, info, object, netlink, content, filter, policy, prefix, ban, segment; all of them unless given. What they find, and the inputs they go on
# from the next time, is in build/fuzz. Exit status 0 only if each has run and found nothing. Needs what `make` needs, and
# libFuzzer (Debian: libclang-rt-14-dev, which clang recommends). No root.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1

seconds=${1:-10}
shift
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "usage: run.sh [SECONDS [TARGET...]]" >&2; exit 2; }
[ $# -gt 0 ] || set -- option info object netlink content filter policy prefix ban segment
clang=${CLANG:-clang}
out=build/fuzz
flags=(-std=gnu11 -g -O1 -Wall -Wextra -Wno-unused-parameter -fno-sanitize-recover=undefined -fno-omit-frame-pointer
	-Iinclude -Ibuild/gen '-DNDIV_HANDLERDIR=""')
read -ra libs <<<"$(pkg-config --libs libbpf) -lelf -lz -lpcap"

die() { echo "fuzz: $*" >&2; exit 1; }

# The library, and the target, each instrumented.
build() {
	local source object objects=()

	for source in lib/*.c; do
		object=$out/$(basename "$source" .c).o
		objects+=("$object")
		"$clang" "${flags[@]}" -fsanitize=fuzzer-no-link,address,undefined -c "$source" -o "$object" || return 1
	done
	for target in "$@"; do
		"$clang" "${flags[@]}" -fsanitize=fuzzer,address,undefined "t/fuzz/fuzz_$target.c" "${objects[@]}" \
			"${libs[@]}" -o "$out/fuzz_$target" || return 1
	done
}

# seeds TARGET: inputs to begin with.
seeds() {
	local object dir=$out/seeds/$1

	mkdir -p "$dir"
	case $1 in
	option)
		printf 'number=1 word=20\0flag=yes\nchoice=pass\nports=80-90\nnets=10.0.0.0/8,fd00::/8\nnumber=4294967295' >"$dir/all"
		;;
	info | object)
		for object in build/handlers/*.bpf.o; do
			object_section "$object" "$dir/$(basename "$object")"
			printf 'rate=5 burst=2 ports=80' >>"$dir/$(basename "$object")"
		done
		;;
	content)
		# a name, and a list with one file
		printf 'a b/index.html\0\7\0\0\0\5\0\0\0\1\2\3\4\5\6\7\x8\xc8\0\2\0\2\0\0\0/xyz' >"$dir/list"
		printf '\xc3\xa9%%?#/404.html\0' >"$dir/name"
		;;
	filter)
		# "tcp port 80" and a loop, each as a program of one kind
		printf '\0\x28\0\0\0\x0c\0\0\0\x15\0\0\4\0\x08\0\0\x30\0\0\0\x17\0\0\0\x15\0\0\2\x06\0\0\0\xb1\0\0\0\x0e\0\0\0\x06\0\0\0\0\0\4\0\x06\0\0\0\0\0\0\0' >"$dir/rx"
		printf '\4\x87\0\0\0\0\0\0\0\5\0\0\0\xfe\xff\xff\xff\x06\0\0\0\0\0\0\0' >"$dir/loop"
		;;
	policy)
		printf 'set a { 10.0.0.0/8,\n2001:db8::/32 }\ntrust @a, 192.0.2.1 dry\ndeny 10.1.0.0/16, 0.0.0.0/0, ::/0\n' >"$dir/sources"
		printf 'dry-run\nservice tcp to 10.0.0.1, fd00::/8 port 80,8000-8999 limit 100/s burst 5 per source ban 10m after 5 dry # x\nservice any deny\nservice icmp6 type 3-4 allow\nservice protocol 47 deny\nservice fragment deny\n' >"$dir/services"
		printf 'deny @bogons dry\nlimit @private, 192.0.2.0/24 rate 10/s per address\nservice udp from amplifiers to 10.0.0.1 port 1024-65535 limit 10MB/s burst 1MB per address\nservice tcp from port 53,123-124 with options deny\nservice any with options limit 5kB/s per source\n' >"$dir/origins"
		;;
	prefix)
		printf '# some\n10.0.0.0/8\n\n  2001:db8::/32 # x\r\n192.0.2.1' >"$dir/list"
		printf '00112233445566778899aabbccddeeff\n' >"$dir/secret"
		;;
	ban)
		printf '\1# some\n10.0.0.0/8 forever\n\n  2001:db8::1 10m # x\r\n192.0.2.1 @1764072000 line:12\n192.0.2.2' >"$dir/list"
		;;
	segment)
		printf '\2\0\0\0w\1\2\0\0\0w\2\x08\0\x45\0\x0f\xf2\0\1\0\0\x40\6\0\0\n\x4d\0\1\n\x4d\0\2\0\x50\1\0\0\0\0\7\0\0\0\7\x50\x10\0\xff' >"$dir/ip4"
		printf '\2\0\0\0w\1\2\0\0\0w\2\x81\0\0\5\x86\xdd\x60\0\0\0\x0f\xc6\6\x40\xfd' >"$dir/ip6"
		;;
	netlink)
		# a link called eth0 with MTU 1500, of kind "vlan" and on another link; then what a driver says of XDP
		printf '\1\x4c\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\7\0\0\0\0\0\0\0\0\0\0\0\x9\0\3\0eth0\0\0\0\0\x8\0\4\0\xdc\5\0\0\x8\0\5\0\2\0\0\0\x10\0\x12\0\x9\0\1\0vlan\0\0\0\0' >"$dir/link"
		printf '\0\x34\0\0\0\x20\0\0\0\0\0\0\0\0\0\0\0\1\1\0\0\x8\0\1\0\2\0\0\0\xc\0\3\0\x7f\0\0\0\0\0\0\0\xc\0\5\0\7\0\0\0\0\0\0\0' >"$dir/xdp"
		printf '\1\x24\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\xed\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' >"$dir/error"
		;;
	esac
}

# section_of OBJECT: sets where its section .rodata.ndiv is, and how long.
section_of() {
	read -r offset size < <(LC_ALL=C readelf -SW "$1" | sed 's/^ *\[ *[0-9]*\]//' | awk '$1 == ".rodata.ndiv" { print $4, $5 }')
	[ -n "$size" ] || die "$1 has no section .rodata.ndiv"
	offset=$((16#$offset)) size=$((16#$size))
}

# object_section OBJECT FILE: its section .rodata.ndiv.
object_section() {
	section_of "$1"
	tail -c +$((offset + 1)) "$1" | head -c "$size" >"$2"
}

# fuzz TARGET
fuzz() {
	local dir=$out/$1 longest=16384

	if [ "$1" = object ]; then
		section_of build/handlers/template.bpf.o
		export FUZZ_OBJECT=build/handlers/template.bpf.o FUZZ_OFFSET=$offset FUZZ_SIZE=$size
	fi
	mkdir -p "$dir/corpus"
	seeds "$1"
	"$out/fuzz_$1" -max_total_time="$seconds" -max_len="$longest" -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
		-artifact_prefix="$dir/" "$dir/corpus" "$out/seeds/$1" >"$dir/log" 2>&1 || return 1
	# one that ran nothing has found nothing
	awk '/^stat::number_of_executed_units:/ { n = $2 } END { print n; exit !(n > 100) }' "$dir/log" >"$dir/runs"
}

mkdir -p "$out"
make -s all || die 'cannot build ndiv'
echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | "$clang" -fsanitize=fuzzer -x c - -o "$out/probe" 2>"$out/log" ||
	die "$clang has no libFuzzer (Debian: apt install libclang-rt-14-dev): $(head -n 1 "$out/log")"
build "$@" || die 'cannot build the targets'
passed=0 failed=0
for target in "$@"; do
	if fuzz "$target"; then
		passed=$((passed + 1))
		printf 'ok      %-8s %s inputs in %s s\n' "$target" "$(<"$out/$target/runs")" "$seconds"
	else
		failed=$((failed + 1))
		printf 'not ok  %-8s see %s\n' "$target" "$out/$target/log"
		grep -aE 'ERROR|runtime error|SUMMARY|Test unit written|^ +#[0-9]+ ' "$out/$target/log" | head -n 25 | sed 's/^/        /'
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

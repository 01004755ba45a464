#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# initramfs.sh: the whole file system of a virtual machine, in one archive
#
#	initramfs.sh KERNEL OUT [MODULE...]
#
# KERNEL is a folder of kernel.sh. The tools are this machine's own, with the
# libraries that ldd names; the project is in /ndiv, as it is here; MODULEs and what
# they depend on are loaded by the init script in that order.
set -u

# shellcheck source=t/vm/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

# Everything else is busybox's, whose shell would prefer its own ip to the real one: the shell is bash.
tools=(bash curl ethtool flock ip mount nproc nsenter ping stat tc timeout unshare)

[ $# -ge 2 ] || { say "usage: initramfs.sh KERNEL OUT [MODULE...]"; exit 2; }
kernel=$1 out=$(readlink -f "$2")
shift 2
root=$(mktemp -d) || exit 1
trap 'rm -rf "$root"' EXIT

need_tools() {
	local pair missing=()

	for pair in busybox:busybox-static cpio:cpio xz:xz-utils curl:curl ethtool:ethtool ip:iproute2 tc:iproute2 ping:iputils-ping; do
		command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
	done
	[ ${#missing[@]} = 0 ] || apt_install "${missing[@]}" || die "missing: ${missing[*]}"
}

folders() {
	mkdir -p "$root"/{dev,etc,ndiv,proc,root,run,sys,tmp,usr/bin,usr/lib,usr/lib64,var} &&
		ln -s bin "$root/usr/sbin" && ln -s ../run "$root/var/run" &&
		ln -s usr/bin "$root/bin" && ln -s usr/bin "$root/sbin" &&
		ln -s usr/lib "$root/lib" && ln -s usr/lib64 "$root/lib64"
}

# libraries FILE...: copies the shared libraries that the programs need.
libraries() {
	ldd "$@" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// && !/:$/ { print $1 }' | sort -u |
		while read -r file; do
			[ -e "$root$file" ] || { mkdir -p "$root${file%/*}" && cp -L "$file" "$root$file"; } || return 1
		done
}

copy_tools() {
	local tool path

	cp "$(command -v busybox)" "$root/usr/bin/busybox" || return 1
	while read -r tool; do
		ln -s busybox "$root/usr/bin/$tool"
	done < <(busybox --list | grep -vxE 'busybox|init|linuxrc')
	for tool in "${tools[@]}"; do
		path=$(command -v "$tool") || { say "$tool is missing"; return 1; }
		rm -f "$root/usr/bin/$tool"
		cp -L "$path" "$root/usr/bin/$tool" && libraries "$path" || return 1
	done
	ln -sf bash "$root/usr/bin/sh"
	printf 'root:x:0:0:root:/root:/bin/bash\n' >"$root/etc/passwd"
	printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
}

# copy_project: what was built, the lab, the tests.
copy_project() {
	local file files=()

	while read -r file; do
		files+=("$file")
	done < <(cd "$top" && find build/ndiv build/bpf build/handlers build/t build/bench build/vm lab t -type f \
		! \( -path 'build/bench/*' ! -name '*.bpf.o' \) \
		! -name '*.d' ! -name '*.[ch]' ! -path '*/harness/*' ! -name '*.img' ! -name '*.log' ! -name '*.json' 2>/dev/null)
	(cd "$top" && cp --parents -L "${files[@]}" "$root/ndiv/") || return 1
	while read -r file; do
		libraries "$file" || return 1
	done < <(find "$root/ndiv/build" -type f -perm -u+x)
}

# dependencies MODULE...: paths in the order of loading.
dependencies() {
	local modules=("$kernel"/lib/modules/*) name

	for name in "$@"; do
		awk -v name="$name" '{
			base = $1; sub(/:$/, "", base); path = base
			sub(/.*\//, "", base); sub(/\.ko.*/, "", base); gsub(/-/, "_", base)
		} base == name { for (i = NF; i > 1; i--) print $i; print path; found = 1 }
		END { exit !found }' "${modules[0]}/modules.dep" ||
			grep -q "/${name//_/[_-]}\.ko\$" "${modules[0]}/modules.builtin" ||
			{ say "this kernel has no module $name"; return 1; }
	done | awk -v dir="${modules[0]}" '!seen[$1]++ { print dir "/" $1 }'
}

# copy_modules MODULE...
copy_modules() {
	local path name list

	list=$(dependencies "$@") || return 1
	mkdir -p "$root/modules"
	for path in $list; do
		name=${path##*/}
		name=${name%%.*}.ko
		case $path in
		*.xz) xz -dc "$path" >"$root/modules/$name" || return 1 ;;
		*) cp "$path" "$root/modules/$name" || return 1 ;;
		esac
		echo "$name" >>"$root/modules/list"
	done
}

need_tools
if ! folders || ! copy_tools || ! copy_project || ! copy_modules "$@" || ! install -m 755 "$here/init" "$root/init" ||
	! (cd "$root" && find . | cpio --quiet -o -H newc) >"$out"; then
	die "cannot make $out"
fi

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# deps.sh [--check] SET...: what has to be installed, and installs it
#
# SET: build, demo, test, bench, browser, lint, fuzz, vm, fresh. A thing is missing if it is not there,
# not if its package is not: a compiler of your own is as good. Where something
# is missing it is installed by apt-get (Debian 12 and 13, Ubuntu 24.04); where
# nothing is, nothing is called. With --check it is only said.
set -u

scripts=$(dirname "$(readlink -f "$0")")

# SET  PROBE  PACKAGE, one for each line. PROBE: cmd:NAME, hdr:NAME, pc:NAME>=VERSION (pkg-config),
# or a function of this script.
needs() {
	cat <<-'EOF'
		build	cmd:cc			gcc
		build	hdr:stdlib.h		libc6-dev
		build	cmd:ar			binutils
		build	cmd:clang		clang
		build	cmd:pkg-config		pkg-config
		build	pc:libbpf>=1.1		libbpf-dev
		build	hdr:libelf.h		libelf-dev
		build	hdr:zlib.h		zlib1g-dev
		build	hdr:pcap.h		libpcap-dev
		build	hdr:curses.h		libncurses-dev
		build	hdr:zstd.h		libzstd-dev
		build	hdr:fuse3/fuse.h	libfuse3-dev
		build	has_bpftool		bpftool
		lab	cmd:ip			iproute2
		lab	cmd:ethtool		ethtool
		lab	cmd:ping		iputils-ping
		lab	cmd:flock		util-linux
		demo	cmd:curl		curl
		demo	cmd:wrk			wrk
		demo	cmd:jq			jq
		test	hdr:cmocka.h		libcmocka-dev
		test	cmd:prove		perl
		test	cmd:openssl		openssl
		test	cmd:ps			procps
		lab	cmd:sysctl		procps
		test	cmd:curl		curl
		test	cmd:wrk			wrk
		test	cmd:jq			jq
		test	cmd:tcpdump		tcpdump
		test	cmd:tshark		tshark
		test	cmd:zstd		zstd
		test	cmd:iperf3		iperf3
		test	cmd:python3		python3
		test	has_iputils_arping	iputils-arping
		test	cmd:ndisc6		ndisc6
		bench	cmd:wrk			wrk
		bench	cmd:nginx		nginx
		bench	cmd:haproxy		haproxy
		bench	cmd:nft			nftables
		test	cmd:nft			nftables
		test	cmd:haproxy		haproxy
		test	cmd:nginx		nginx
		test	cmd:h2load		nghttp2-client
		test	cmd:ab			apache2-utils
		test	cmd:node		nodejs
		browser	has_browser		chromium
		bench	cmd:dumpcap		tshark
		bench	cmd:netsniff-ng		netsniff-ng
		lint	cmd:clang-format	clang-format
		lint	cmd:clang-tidy		clang-tidy
		lint	cmd:shellcheck		shellcheck
		lint	cmd:perl		perl
		lint	cmd:systemd-analyze	systemd
		lint	has_newest_clang	newest-clang
		fuzz	has_fuzzer		libclang-rt
		vm	cmd:qemu-system-x86_64	qemu-system-x86
		vm	cmd:cpio		cpio
		vm	has_busybox		busybox-static
		fresh	cmd:debootstrap		debootstrap
	EOF
}

say() { printf 'deps: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

has_bpftool() { "$scripts/bpftool.sh" >/dev/null; }
has_browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null
has_busybox() { [ -x /bin/busybox ] && ! ldd /bin/busybox >/dev/null 2>&1; }
# There is another one of the same name, with other options.
has_iputils_arping() { arping -V 2>/dev/null | grep -q iputils; }

# also_of SET: the sets that SET includes, with itself.
also_of() {
	case $1 in
	build | lab) echo "$1" ;;
	demo | test) echo "build lab $1" ;;
	bench | browser) echo "build lab test $1" ;;
	lint | fuzz | vm | fresh) echo "build $1" ;;
	*) return 1 ;;
	esac
}

has() {
	case $1 in
	cmd:*) command -v "${1#cmd:}" >/dev/null ;;
	hdr:*) [ -e "/usr/include/${1#hdr:}" ] || [ -e "/usr/local/include/${1#hdr:}" ] ;;
	pc:*)
		local name=${1#pc:}
		pkg-config --atleast-version="${name#*>=}" "${name%>=*}" 2>/dev/null
		;;
	*) "$1" ;;
	esac
}

# has_package NAME: does the archive have it, and not only as another one's alias?
has_package() { LC_ALL=C apt-cache policy "$1" | grep -q 'Candidate: [0-9]'; }

# The newest clang of the archive: BPF objects are built with it, too.
newest_clang() {
	local name

	for name in $(apt-cache pkgnames clang- | grep -E '^clang-[0-9]+$' | sort -rV); do
		has_package "$name" && echo "$name" && return
	done
}

clang_major() { clang -dumpversion | cut -d. -f1; }

has_fuzzer() {
	[ -n "$(find "$(clang -print-resource-dir)" -name 'libclang_rt.fuzzer*.a' 2>/dev/null)" ]
}

# With no archive to ask, two compilers will do.
has_newest_clang() {
	local name

	name=$(newest_clang)
	if [ -n "$name" ]; then
		command -v "$name" >/dev/null
	else
		[ "$(find /usr/bin -regex '.*/clang-[0-9]+' | wc -l)" -ge 2 ]
	fi
}

# What is installed for package $1 on this system.
real_name() {
	case $1 in
	bpftool) has_package bpftool && echo bpftool || echo linux-tools-generic ;;
	newest-clang) newest_clang ;;
	libclang-rt) echo "libclang-rt-$(clang_major)-dev" ;;
	*) echo "$1" ;;
	esac
}

# quiet_servers PACKAGE...: servers that are only compared are among them. The system is not to start those, neither now
# nor later.
quiet_servers() {
	local package

	for package in "$@"; do
		case $package in nginx | haproxy) quiet+=("$package") ;; esac
	done
	[ ${#quiet[@]} != 0 ] && [ ! -e /usr/sbin/policy-rc.d ] || return 0
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
	trap 'rm -f /usr/sbin/policy-rc.d; systemctl disable -q "${quiet[@]}" 2>/dev/null' EXIT
}

install() {
	local package packages=()

	quiet_servers "$@"
	export DEBIAN_FRONTEND=noninteractive
	say "apt-get update"
	apt-get -qq update || say "apt-get update failed; trying with the lists that are there"
	for package in "$@"; do
		packages+=("$(real_name "$package")")
	done
	say "apt-get install ${packages[*]}"
	apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --no-install-recommends \
		"${packages[@]}" >/dev/null </dev/null
}

check=''
[ "${1:-}" != --check ] || { check=1; shift; }
[ $# -gt 0 ] || { say "usage: deps.sh [--check] SET..."; exit 2; }
sets=''
for set in "$@"; do
	more=$(also_of "$set") || { say "no set \"$set\": build, lab, demo, test, bench, browser, lint, fuzz, vm, fresh"; exit 2; }
	sets+=" $more"
done
sets+=' '

missing=()
quiet=()
while read -r set probe package; do
	[[ $sets == *" $set "* ]] || continue
	[[ " ${missing[*]} " != *" $package "* ]] || continue
	has "$probe" || missing+=("$package")
done < <(needs)
[ ${#missing[@]} -gt 0 ] || exit 0

[ -z "$check" ] || die "missing: ${missing[*]} (make deps installs what is missing)"
command -v apt-get >/dev/null || die "missing: ${missing[*]} (by Debian's names); there is no apt-get, please install them"
[ "$(id -u)" = 0 ] || die "missing: ${missing[*]}; run this as root: it installs them by apt-get"
# the compiler first: its run-time library goes by its version
mapfile -t first < <(printf '%s\n' "${missing[@]}" | grep -vx libclang-rt)
[ ${#first[@]} = 0 ] || install "${first[@]}" || die "apt-get install failed"
[ ${#first[@]} = ${#missing[@]} ] || install libclang-rt || die "apt-get install failed"

for package in "${missing[@]}"; do
	while read -r set probe name; do
		[ "$name" != "$package" ] || [[ $sets != *" $set "* ]] || has "$probe" ||
			die "$package is installed, but ${probe#*:} is still missing"
	done < <(needs)
done

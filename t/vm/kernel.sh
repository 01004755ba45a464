#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel.sh: Debian's kernel packages and a QEMU, fetched with apt into a cache
#
#	kernel.sh VERSION [FLAVOUR]	VERSION: 6.1, 6.12, ... FLAVOUR: cloud-amd64
#					(default) or amd64; prints the folder that
#					holds boot/vmlinuz-* and lib/modules/*
#	kernel.sh qemu			prints the command that starts QEMU, one word
#					a line; installs it if it is missing
#
# The packages are only downloaded and unpacked, never installed. Another suite
# than the machine's is reached through an apt root of our own in the cache, so
# nothing of the machine's apt is changed. What is in the cache is used as it is;
# NDIV_VM_REFRESH=1 looks for newer packages. NDIV_CACHE is the cache's place,
# NDIV_QEMU a QEMU to use instead, NDIV_DEBIAN_MIRROR an archive to use instead of the
# machine's own (needed where that is not Debian's).
set -u

# shellcheck source=t/vm/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The archive that the machine itself uses.
mirror() {
	[ -z "${NDIV_DEBIAN_MIRROR:-}" ] || { echo "$NDIV_DEBIAN_MIRROR"; return; }
	# shellcheck disable=SC2016 # expanded by apt
	apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
		awk '$2 == "Debian" && $3 == "Debian" { print $1; exit }'
}

# private SUITE: sets <apt>, options for an apt root with only that suite.
private() {
	local root=$cache/apt/$1 uri

	uri=$(mirror)
	[ -n "$uri" ] || { say "this machine's apt has no Debian archive: set NDIV_DEBIAN_MIRROR"; return 1; }
	[ -r "$keyring" ] || { say "$keyring is missing (apt install debian-archive-keyring)"; return 1; }
	mkdir -p "$root/lists/partial" "$root/archives/partial" || return 1
	: >"$root/status"
	echo "deb [arch=amd64 signed-by=$keyring] $uri $1 main" >"$root/sources.list"
	apt=(-o "Dir::Etc::sourcelist=$root/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$root/lists"
		-o "Dir::State::status=$root/status" -o "Dir::Cache=$root" -o "Dir::Cache::archives=$root/archives"
		-o APT::Architecture=amd64 -o APT::Architectures=amd64 -o APT::Sandbox::User=root)
	[ -e "$root/fresh" ] && [ -z "${NDIV_VM_REFRESH:-}" ] && return 0
	# an index that is not there is only a warning for apt
	apt-get -qq "${apt[@]}" update >&2 && apt-cache "${apt[@]}" pkgnames | grep -q . && touch "$root/fresh"
}

# own: sets <apt>, the machine's own apt.
own() {
	apt=(-o APT::Sandbox::User=root)
}

# candidate PACKAGE: the version that <apt> would take, without its epoch.
candidate() {
	apt-cache "${apt[@]}" policy "$1" | awk '$1 == "Candidate:" && $2 != "(none)" { sub(/^[0-9]+:/, "", $2); print $2 }'
}

# image META: the package with the image on which the meta package depends.
image() {
	apt-cache "${apt[@]}" depends --important "$1" |
		awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ && !seen++ { print $2 }'
}

# offers VERSION META: the apt chosen has it.
offers() {
	case $(candidate "$2") in
	"$1".*) ;;
	*) return 1 ;;
	esac
}

# find_suite VERSION META: sets <apt> to the first that has it.
find_suite() {
	local suite

	own
	offers "$1" "$2" && return 0
	for suite in bookworm-backports trixie bookworm trixie-backports; do
		private "$suite" && offers "$1" "$2" && return 0
	done
	return 1
}

# unpack FOLDER PACKAGE...: downloads and unpacks; FOLDER is there whole or not at all.
unpack() {
	local to=$1 deb

	shift
	rm -rf "$to.new" "$to.deb"
	mkdir -p "$to.new" "$to.deb" || return 1
	(cd "$to.deb" && apt-get -qq "${apt[@]}" download "$@" >&2) || { say "cannot download $*"; return 1; }
	for deb in "$to.deb"/*.deb; do
		dpkg-deb -x "$deb" "$to.new" || return 1
	done
	rm -rf "$to" "$to.deb" && mv "$to.new" "$to"
}

# depend FOLDER: modules.dep, which an installed package would make for itself.
depend() {
	local release

	command -v depmod >/dev/null || apt_install kmod || { say "depmod is missing (apt install kmod)"; return 1; }
	for release in "$1"/lib/modules/*; do
		depmod -b "$1" "${release##*/}" || return 1
	done
}

# Which kernel it is, is written beside it, so that the cache answers without apt.
kernel() {
	local meta=linux-image-$2 mark=$cache/$1-$2 package

	if [ -s "$mark" ] && [ -z "${NDIV_VM_REFRESH:-}" ]; then
		package=$(<"$mark")
		[ -d "$cache/$package" ] && { echo "$cache/$package"; return; }
	fi
	find_suite "$1" "$meta" || die "no suite that can be reached has $meta $1"
	package=$(image "$meta")
	[ -n "$package" ] || die "$meta depends on no linux-image"
	[ -d "$cache/$package" ] || { unpack "$cache/$package" "$package" && depend "$cache/$package"; } || exit 1
	echo "$package" >"$mark"
	echo "$cache/$package"
}

# --- QEMU ---------------------------------------------------------------------

has_igb() { "$@" -device igb,help 2>/dev/null | grep -q '^igb options'; }

print_words() { printf '%s\n' "$@"; }

# Debian 12's QEMU is too old for igb; the one of its backports runs without being
# installed, with the libraries that the older one needs as well.
newer_qemu() {
	local dir=$cache/qemu

	command=(env "QEMU_MODULE_DIR=$dir/none" "$dir/usr/bin/qemu-system-x86_64" -L "$dir/usr/share/qemu"
		-L "$dir/usr/share/seabios")
	has_igb "${command[@]}" && return 0
	[ ! -e "$cache/no-newer-qemu" ] || [ -n "${NDIV_VM_REFRESH:-}" ] || return 1
	private bookworm-backports &&
		unpack "$dir" qemu-system-x86 qemu-system-common qemu-system-data seabios &&
		has_igb "${command[@]}" && return 0
	: >"$cache/no-newer-qemu"
	return 1
}

qemu() {
	local command=("${NDIV_QEMU:-qemu-system-x86_64}")

	if ! command -v "${command[0]}" >/dev/null; then
		[ -z "${NDIV_QEMU:-}" ] || die "NDIV_QEMU=$NDIV_QEMU: no such command"
		apt_install qemu-system-x86 || die "qemu-system-x86_64 is missing (apt install qemu-system-x86)"
	fi
	if [ -n "${NDIV_QEMU:-}" ] || has_igb "${command[@]}" || newer_qemu; then
		print_words "${command[@]}"
	else
		print_words qemu-system-x86_64
	fi
}

case ${1:-} in
qemu) qemu ;;
[1-9]*.[0-9]*) kernel "$1" "${2:-cloud-amd64}" ;;
*) say "usage: kernel.sh VERSION [FLAVOUR] | qemu"; exit 2 ;;
esac

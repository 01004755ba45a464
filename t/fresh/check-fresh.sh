#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check-fresh.sh [DIST...]: the README's two commands, as a new user would run them
#
# For each of bookworm (Debian 12), trixie (Debian 13) and noble (Ubuntu 24.04), a
# minimal system with git and make, and nothing else, is debootstrapped into a
# folder; there this repository's HEAD is cloned, and `make demo` and `make check`
# are run. This finds the package that everybody has but the new user.
#
# It all happens in mount and PID namespaces of its own, which take mounts and
# processes with them however this ends; the folder is removed here, or by the next
# run. The kernel is the one that runs. NDIV_CACHE (/var/cache/ndiv) keeps the bare
# systems and downloaded packages, for a week; NDIV_DEBIAN and NDIV_UBUNTU name
# other mirrors. Logs are in build/fresh/. NDIV_KEEP=1 keeps a folder that failed;
# NDIV_RUN="COMMAND" is run in the clone instead of `make check`.
set -u

say() { printf 'fresh: %s\n' "$*"; }
die() { printf 'fresh: %s\n' "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die "not root: debootstrap, mounts and the tests need it"
repo=$(readlink -f "$(dirname "$(readlink -f "$0")")/../..")
cache=${NDIV_CACHE:-/var/cache/ndiv}/fresh
logs=$repo/build/fresh
mkdir -p "$cache" "$logs" || exit 1

if [ "${1:-}" != --inside ]; then
	# Whatever ends this one ends unshare; that tells the one inside, which cleans up, and holds the lock as long.
	setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child=TERM --mount-proc \
		"$0" --inside "$@" &
	inner=$!
	trap 'disown "$inner"; kill -KILL "$inner"' HUP INT TERM
	wait "$inner" 2>/dev/null
	status=$?
	flock -w 120 "$logs/.lock" true
	exit "$status"
fi
shift
exec 9>"$logs/.lock"
flock -n 9 || die "another check-fresh runs here"

debian=${NDIV_DEBIAN:-http://deb.debian.org/debian}
security=${NDIV_DEBIAN_SECURITY:-http://deb.debian.org/debian-security}
ubuntu=${NDIV_UBUNTU:-http://archive.ubuntu.com/ubuntu}
ubuntu_key=F6ECB3762474EDA9D21B7022871920D1991BC93C	# Ubuntu Archive Automatic Signing Key (2018)
minutes=90	# of one make, at most
passed=0 failed=0 skipped=0
root=

# --- cleaning up

remove_root() {
	[ -n "$root" ] || return 0
	! mountpoint -q "$root" || umount -R -l "$root" || return
	rm -rf --one-file-system "${root:?}" "$root.lock"
	root=
}

at_exit() {
	local status=$?

	trap '' HUP INT TERM
	# this is process 1 of its namespace: all others are of this run
	kill -KILL -1 2>/dev/null
	remove_root
	exit "$status"
}

# Folders of runs that were killed: nobody holds their lock.
sweep() {
	local folder

	for folder in "$cache"/root.??????; do
		[ -d "$folder" ] || continue
		exec 8>"$folder.lock"
		! flock -n 8 || rm -rf --one-file-system "${folder:?}" "$folder.lock"
		exec 8>&-
	done
}

# --- the bare system

mirror_of() {
	case $1 in
	bookworm | trixie) echo "$debian" ;;
	noble) echo "$ubuntu" ;;
	*) return 1 ;;
	esac
}

# fetch URL FILE: as apt would, with its proxies.
fetch() { timeout 120 /usr/lib/apt/apt-helper -o APT::Sandbox::User=root download-file "$1" "$2" >/dev/null 2>&1; }

# Debian has no package of Ubuntu's key: it comes from Ubuntu's archive, and is checked by its fingerprint.
ubuntu_keyring() {
	local key=/usr/share/keyrings/ubuntu-archive-keyring.gpg dir=$cache/ubuntu-keyring path

	[ ! -r "$key" ] || { echo "$key"; return; }
	key=$dir$key
	if [ ! -r "$key" ]; then
		mkdir -p "$dir"
		fetch "$ubuntu/dists/noble/main/binary-$(dpkg --print-architecture)/Packages.gz" "$dir/Packages.gz" || return
		path=$(zcat "$dir/Packages.gz" | sed -n 's,^Filename: \(.*/ubuntu-keyring_.*\),\1,p' | head -n 1)
		fetch "$ubuntu/$path" "$dir/keyring.deb" && dpkg-deb -x "$dir/keyring.deb" "$dir" || return
	fi
	[ "$(gpg --show-keys --with-colons "$key" 2>/dev/null | grep -c "^fpr:.*:$ubuntu_key:")" = 1 ] || return
	# only that one key
	gpg --no-default-keyring --keyring "$key" --export "$ubuntu_key" >"$dir/key.gpg" 2>/dev/null && echo "$dir/key.gpg"
}

keyring_of() {
	case $1 in
	noble) ubuntu_keyring ;;
	*) echo /usr/share/keyrings/debian-archive-keyring.gpg ;;
	esac
}

sources_of() {
	case $1 in
	noble) printf 'deb %s %s main universe\n' "$ubuntu" "$1" "$ubuntu" "$1-updates" "$ubuntu" "$1-security" ;;
	*) printf 'deb %s %s main\n' "$debian" "$1" "$debian" "$1-updates" "$security" "$1-security" ;;
	esac
}

# bare DIST: makes $cache/DIST.tar, unless there is a recent one.
bare() {
	local dist=$1 tar=$cache/$1.tar dir=$root/bare keyring script=''

	[ -z "$(find "$tar" -mtime -7 2>/dev/null)" ] || return 0
	keyring=$(keyring_of "$dist")
	[ -n "$keyring" ] || { echo "no key for $dist"; return 1; }
	mkdir -p "$dir"
	# an older debootstrap does not know noble, but all of Ubuntu is done the same way
	[ -e "/usr/share/debootstrap/scripts/$dist" ] || script=/usr/share/debootstrap/scripts/gutsy
	debootstrap --variant=minbase --include=git,make --keyring="$keyring" "$dist" "$dir" "$(mirror_of "$dist")" \
		${script:+"$script"} || return 1
	sources_of "$dist" >"$dir/etc/apt/sources.list"
	rm -rf "$dir"/etc/apt/sources.list.d/* "$dir"/var/cache/apt/archives/*.deb
	tar -C "$dir" -cf "$tar.new" --one-file-system . && mv "$tar.new" "$tar"
	local status=$?
	rm -rf --one-file-system "$dir"
	return $status
}

# --- the user

# furnish DIST: what a machine has besides its packages: a network, devices, kernel file systems.
furnish() {
	local dist=$1

	mkdir -p "$root/sys" "$root/proc" "$root/dev" "$cache/apt-$dist/partial"
	cp /etc/resolv.conf /etc/hosts "$root/etc/"
	# how apt gets out from here: proxies, and whether dates can be relied on
	apt-config dump | grep -E '^Acquire::(https?::|Check-)' >"$root/etc/apt/apt.conf.d/90host"
	mount -t proc proc "$root/proc" &&
		mount -t sysfs sysfs "$root/sys" &&
		mount -t bpf bpf "$root/sys/fs/bpf" &&
		mount --rbind /dev "$root/dev" &&
		mount -t tmpfs tmpfs "$root/run" &&
		mount --bind "$cache/apt-$dist" "$root/var/cache/apt/archives" &&
		git clone --quiet --bare --no-hardlinks "$repo" "$root/srv/ndiv.git"
}

# interruptible CMD...: a trap runs at once, and not when CMD has come to its end.
interruptible() {
	"$@" &
	wait $!
}

# user COMMAND: as root after a login.
user() {
	timeout -k 30 "${minutes}m" chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root TERM=dumb LANG=C bash -c "cd /root && $1" </dev/null
}

# try DIST WHAT COMMAND: one line, with the time it took.
try() {
	local log=$logs/$1-${2//[^A-Za-z0-9]/-}.log start=$SECONDS

	if interruptible user "$3" >"$log" 2>&1; then
		passed=$((passed + 1))
		say "$1: $2 ok ($((SECONDS - start)) s)"
	else
		failed=$((failed + 1))
		say "$1: $2 FAILED after $((SECONDS - start)) s, the end of $log:"
		tail -n 25 "$log" | sed 's/^/    /'
		return 1
	fi
}

check() {
	local dist=$1 bad=0

	mirror_of "$dist" >/dev/null || die "no distribution \"$dist\": bookworm, trixie, noble"
	root=$(mktemp -d "$cache/root.XXXXXX") || die "cannot make a folder in $cache"
	exec 8>"$root.lock"
	flock 8
	mount --bind "$root" "$root" || die "cannot mount"
	if ! fetch "$(mirror_of "$dist")/dists/$dist/InRelease" "$root/InRelease"; then
		skipped=$((skipped + 3))
		say "$dist: skipped, $(mirror_of "$dist") cannot be reached or does not have it"
	elif ! { interruptible bare "$dist" && tar -C "$root" -xf "$cache/$dist.tar" && furnish "$dist"; } >"$logs/$dist-bare.log" 2>&1; then
		failed=$((failed + 3))
		say "$dist: cannot make a bare system, the end of $logs/$dist-bare.log:"
		tail -n 15 "$logs/$dist-bare.log" | sed 's/^/    /'
	else
		try "$dist" clone 'git clone -q /srv/ndiv.git ndiv' &&
			try "$dist" 'make demo' 'cd ndiv && make demo' || bad=1
		try "$dist" "${NDIV_RUN:-make check}" "cd ndiv && ${NDIV_RUN:-make check}" || bad=1
	fi
	if [ "$bad" = 1 ] && [ -n "${NDIV_KEEP:-}" ]; then
		umount -R -l "$root"
		mv "$root" "$cache/kept.$dist.$$" && say "$dist: kept without its mounts: $cache/kept.$dist.$$"
		rm -f "$root.lock"
		root=
	fi
	remove_root
	exec 8>&-
}

trap at_exit EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
sweep
[ $# -gt 0 ] || set -- bookworm trixie noble
for dist in "$@"; do
	check "$dist"
done
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]

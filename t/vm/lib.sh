# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# lib.sh: what the scripts of this folder share on the host's side

# shellcheck disable=SC2034 # for those who source this
cache=${NDIV_CACHE:-${XDG_CACHE_HOME:-/var/cache}/ndiv-vm}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$@"; exit 1; }

# install PACKAGE...: with apt, if this is root on a machine that has it.
install() {
	command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return 1
	say "installing $*"
	DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >&2 ||
		{ apt-get -qq update >&2 && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >&2; }
}

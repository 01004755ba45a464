# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # of e2e.sh
#
# haproxy.sh: a web server that says "hello", on the kernel's own TCP. To be sourced after e2e.sh.

# haproxy_start PORT...: a point; on all addresses of the server's side.
haproxy_start() {
	local port

	{
		cat <<-'END'
			defaults
				mode http
				timeout client 60s
				timeout connect 5s
				timeout server 60s
			frontend web
				http-request return status 200 content-type text/plain string hello
		END
		for port in "$@"; do
			echo "	bind :::$port v4v6"
		done
	} >"$tmp/haproxy.cfg"
	s_bg haproxy -f "$tmp/haproxy.cfg" >"$tmp/haproxy.log" 2>&1
	ok 'haproxy' wait_for listens "${@: -1}"
}

# listens PORT: somebody does.
listens() { s ss -Hltn "sport = :$1" | grep -q ":$1 "; }

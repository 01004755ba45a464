# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # of e2e.sh
#
# nginx.sh: a web server with objects of given sizes, on the kernel's own TCP, and haproxy in front of it. To be sourced
# after e2e.sh, and for what is started here after haproxy.sh.
#
# The object /N is what fetch.py expects there.

# nginx_conf <HTTP: prints an nginx.conf whose part "http" is HTTP, and all of whose files are in $tmp/nginx.
nginx_conf() {
	cat <<-EOF
		daemon off;
		user root;
		worker_processes 1;
		pid $tmp/nginx/pid;
		error_log $tmp/nginx/error.log warn;
		events { worker_connections 4000; }
		http {
			client_body_temp_path $tmp/nginx/body;
			proxy_temp_path $tmp/nginx/proxy;
			fastcgi_temp_path $tmp/nginx/fastcgi;
			uwsgi_temp_path $tmp/nginx/uwsgi;
			scgi_temp_path $tmp/nginx/scgi;
	EOF
	cat
	echo '}'
}

# nginx_start PORT SIZE...: a point; on all addresses of the server's side.
nginx_start() {
	local port=$1 size

	mkdir -p "$tmp/nginx" "$tmp/www"
	for size in "${@:2}"; do
		"$top/t/fetch.py" body "$size" >"$tmp/www/$size"
	done
	nginx_conf >"$tmp/nginx.conf" <<-EOF
		access_log off;
		keepalive_requests 1000000;
		send_timeout 600s;
		server {
			listen [::]:$port ipv6only=off backlog=4096;
			root $tmp/www;
		}
	EOF
	s_bg nginx -p "$tmp/nginx" -c "$tmp/nginx.conf" 2>"$tmp/nginx.err"
	ok 'nginx' wait_for listens "$port"
}

# proxy_start PORT TO: a point; haproxy at PORT, whose only server is at port TO of this host.
proxy_start() {
	cat >"$tmp/proxy.cfg" <<-EOF
		global
			maxconn 4000
		defaults
			mode http
			timeout connect 60s
			timeout client 600s
			timeout server 600s
		listen proxy
			bind :::$1 v4v6 backlog 4096
			server web 127.0.0.1:$2
	EOF
	s_bg haproxy -f "$tmp/proxy.cfg" >"$tmp/proxy.log" 2>&1
	ok 'haproxy' wait_for listens "$1"
}

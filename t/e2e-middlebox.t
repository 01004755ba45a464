#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-middlebox.t: httpd behind what is usually in front of a server: strict NAT, SYNPROXY, haproxy, nginx
#
#	outer: fetch.py, wrk, h2load, ab ---- lab1: client, the middlebox, lab0: faults ---- lab0: faults, httpd
#
# httpd is the only server of each. 100 clients at once, connections kept and closed; then the same with loss, duplicates
# and disorder on the wire between middlebox and httpd, both ways. No client sees an error, conntrack calls no packet
# invalid, and no proxy has anything to say against its server.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/wire.sh
. "$(dirname "$0")/wire.sh"
# shellcheck source=t/clients.sh
. "$(dirname "$0")/clients.sh"
# shellcheck source=t/nginx.sh
. "$(dirname "$0")/nginx.sh"

# Bytes of what is fetched: each of these, all bytes checked; and what the load generators fetch.
SIZES=0,1,64,100,536,1000,1200,1400,20000,100000
LOAD_SIZE=1000
# What the wire does to a packet, in 1/1000, on each side.
FAULTS=(drop=10 duplicate=10 reorder=20)
# shellcheck disable=SC2034 # for wire.sh
WIRE_PORTS=8000-8199

# --- traffic ----------------------------------------------------------------------

# traffic NAME URL: all clients, the wire being good; then bad. NN in the URL is another number for each of them, so that
# no connection needs a port again which another one had: SYNPROXY takes the SYN of one that conntrack has not forgotten,
# and then loses the connection, whatever the server is.
traffic() {
	local url=$2

	wire
	faulty_before=$(($(faulty s) + $(faulty c)))
	fetch "$1, kept" "${url/NN/01}" 1000
	fetch "$1, closed" "${url/NN/02}" 500 --close
	fetch "$1, head" "${url/NN/03}" 200 --head
	load_h2load "$1" "${url/NN/04}/$LOAD_SIZE" 2000
	load_wrk "$1" "${url/NN/05}/$LOAD_SIZE"
	load_ab "$1" "${url/NN/06}/$LOAD_SIZE" 1000
	load_ab "$1" "${url/NN/07}/$LOAD_SIZE" 1000 -k
	sound "$1"
	wire "${FAULTS[@]}"
	fetch "$1, bad wire, kept" "${url/NN/08}" 400
	fetch "$1, bad wire, closed" "${url/NN/09}" 150 --close
	load_h2load "$1, bad wire" "${url/NN/10}/$LOAD_SIZE" 500
	load_ab "$1, bad wire" "${url/NN/11}/$LOAD_SIZE" 100
	spoiled "$1"
}

# --- the wire ---------------------------------------------------------------------

# sound NAME: httpd has found nothing wrong, and there was no fault.
sound() {
	is "$1: no packet was strange to httpd" \
		"$(count '.handlers.httpd.reasons | [."bad-cookie", ."bad-checksum", ."bad-options", .flags]' | tr -d ' \n')" \
		'[0,0,0,0]'
	is "$1: the wire was good" "$(($(faulty s) + $(faulty c) - faulty_before))" 0
}

spoiled() {
	local now

	now=$(($(faulty s) + $(faulty c)))
	check "$1: the wire was bad" "$now - faulty_before > 30"
	is "$1: nothing was lost but by faults" "$(count '.core.reasons | add') $(count .tx_lost)" '0 0'
}

# --- netfilter --------------------------------------------------------------------

# rules FILE: what the kernel cannot do fails here, by name.
rules() {
	local said

	if said=$(c nft -f - 2>&1); then
		pass "$1: the kernel takes the rules"
	else
		fail "$1: the kernel takes the rules" "$said"
		return 1
	fi
}

strict() {
	local file

	# written by those that are there once conntrack is in use
	for file in tcp_be_liberal=0 tcp_loose=0; do
		# shellcheck disable=SC2016 # expanded by the inner shell
		c sh -c 'echo "$2" >"/proc/sys/net/netfilter/nf_conntrack_$1"' - "${file%=*}" "${file#*=}" ||
			fail "$1: nf_conntrack_$file"
	done
}

# counter NAME: packets of a named counter of netfilter.
counter() { c nft -j list counter inet box "$1" | jq '.nftables[] | .counter? | select(.) | .packets'; }

# none_invalid NAME: and it would have been counted: one packet that belongs to no connection is.
none_invalid() {
	is "$1: no packet was invalid" "$(counter invalid)" 0
	s python3 -c "if True:
		import socket, struct
		raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
		raw.sendto(struct.pack('!HHLLBBHHH', 8100, 9, 1, 1, 5 << 4, 0x10, 100, 0, 0), ('10.76.0.2', 0))"
	ok "$1: a stray packet is" wait_for counter_is invalid 1
}

counter_is() { [ "$(counter "$1")" = "$2" ]; }

nat() {
	rules nat <<-'EOF' || return 0
		table inet box {
			counter invalid { }
			counter masqueraded { }
			chain pre {
				type filter hook prerouting priority filter;
				ct state invalid counter name invalid drop
			}
			chain post {
				type nat hook postrouting priority srcnat;
				oifname lab0 counter name masqueraded masquerade
			}
		}
	EOF
	strict nat
	traffic nat http://10.77.0.2:80NN
	wire
	fetch 'nat, v6, kept' 'http://[fd77::2]:8099' 500
	fetch 'nat, v6, closed' 'http://[fd77::2]:8099' 300 --close
	none_invalid nat
	check 'nat: each connection was translated' "$(counter masqueraded) > 2500"
	c nft delete table inet box
}

synproxy() {
	rules synproxy <<-'EOF' || return 0
		table inet box {
			counter invalid { }
			counter proxied { }
			chain raw {
				type filter hook prerouting priority raw;
				iifname lab1 tcp dport 8100-8199 tcp flags & (syn | ack) == syn notrack
			}
			chain forward {
				type filter hook forward priority filter;
				iifname lab1 tcp dport 8100-8199 ct state invalid,untracked counter name proxied synproxy mss 1460 wscale 7 timestamp sack-perm
				ct state invalid counter name invalid drop
			}
		}
	EOF
	strict synproxy
	# A SYN, or its answer, that is lost behind it is not repeated: then the connection hangs, whatever the server is
	# (nginx in the place of httpd lost 18 of 400 with 3% loss). So handshakes are spared.
	FAULTS+=(only=data)
	traffic synproxy http://10.77.0.2:81NN
	unset 'FAULTS[-1]'
	none_invalid synproxy
	check 'synproxy: it has answered the SYNs' "$(counter proxied) > 3000"
	c nft delete table inet box
}

# --- proxies ----------------------------------------------------------------------

haproxy_start() {
	cat >"$tmp/haproxy.cfg" <<-'EOF'
		global
			log stdout format raw local0
			maxconn 4000
		defaults
			log global
			timeout connect 30s
			timeout client 60s
			timeout server 60s
			retries 0
			log-format "state=%ts mode=%b status=%ST"
		listen http
			mode http
			bind 10.76.0.1:8101
			http-reuse always
			server ndiv 10.77.0.2:8000
		listen tcp
			mode tcp
			log-format "state=%ts mode=%b status=-"
			bind 10.76.0.1:8102
			server ndiv 10.77.0.2:8000
	EOF
	c_bg haproxy -db -f "$tmp/haproxy.cfg" >"$tmp/haproxy.log" 2>"$tmp/haproxy.err"
	haproxy=$LAB_PID
	wait_for o curl -sf -o "$tmp/ignored" http://10.76.0.1:8101/1 || bail "haproxy: $(<"$tmp/haproxy.err")"
}

# A session's state is "--" if all went well; its first letter is who broke it off: c and C are the client.
haproxy_log() { grep "mode=$1" "$tmp/haproxy.log" | grep -v -e 'state=--' -e 'state=[cC]' | sort | uniq -c; }

haproxies() {
	haproxy_start
	traffic 'haproxy, http' http://10.76.0.1:8101
	traffic 'haproxy, tcp' http://10.76.0.1:8102
	kill -USR1 "$haproxy"
	wait "$haproxy"
	is 'haproxy, http: no line that blames the server' "$(haproxy_log http)" ''
	is 'haproxy, tcp: no line that blames the server' "$(haproxy_log tcp)" ''
	check 'haproxy, http: it has written a line for each' "$(grep -c mode=http "$tmp/haproxy.log") > 6000"
	check 'haproxy, tcp: it has written a line for each' "$(grep -c mode=tcp "$tmp/haproxy.log") > 2000"
	is 'haproxy: only good responses' "$(grep 'state=-- mode=http' "$tmp/haproxy.log" | grep -v status=200 | sort | uniq -c)" \
		''
}

nginx_front() {
	mkdir "$tmp/nginx"
	nginx_conf >"$tmp/nginx.conf" <<-EOF
		log_format short '\$status \$upstream_status';
		access_log $tmp/nginx/access.log short;
		keepalive_requests 100000;
		proxy_http_version 1.1;
		proxy_next_upstream off;
		proxy_connect_timeout 30s;
		upstream kept { server 10.77.0.2:8000; keepalive 200; keepalive_requests 100000; }
		upstream closed { server 10.77.0.2:8000; }
		server {
			listen 10.76.0.1:8103;
			location / { proxy_pass http://kept; proxy_set_header Connection ""; }
		}
		server {
			listen 10.76.0.1:8104;
			location / { proxy_pass http://closed; proxy_set_header Connection close; }
		}
	EOF
	c_bg nginx -p "$tmp/nginx" -c "$tmp/nginx.conf" 2>"$tmp/nginx.err"
	nginx=$LAB_PID
	wait_for o curl -sf -o "$tmp/ignored" http://10.76.0.1:8103/1 || bail "nginx: $(<"$tmp/nginx.err")"
}

nginxes() {
	nginx_front
	traffic 'nginx, kept' http://10.76.0.1:8103
	traffic 'nginx, closed' http://10.76.0.1:8104
	kill -QUIT "$nginx"
	wait "$nginx"
	is 'nginx: no line in its error log' "$(sort "$tmp/nginx/error.log" | head -n 5)" ''
	# 499: wrk has gone, its second is over
	is 'nginx: only good responses' "$(grep -vx -e '200 200' -e '499 -' "$tmp/nginx/access.log" | sort | uniq -c)" ''
	check 'nginx: it has written a line for each' "$(wc -l <"$tmp/nginx/access.log") > 12000"
}

from=o
lab_up --outer "$@" || bail 'no lab'
wire_attach
nd attach lab0 httpd ports=8000-8199 || bail 'no httpd'
agents_start
# by hand: BOXES=nat t/e2e-middlebox.t
for box in ${BOXES:-nat synproxy haproxies nginxes}; do
	"$box"
done
agents_stop
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-shield-nodes.t: two machines with one address and one secret: a connection whose SYN one of them has answered is
# opened by the other
#
#	outer: tcp.py ---- client A: the router ---- server A: shield, tcp.py
#	                        \--- client B ------ server B: shield, tcp.py
#
# Both servers have the addresses 10.99.0.1 and fd99::1. The router sends all to A, but for connections from the ports
# 50000 to 50999: of them, A gets the SYN, and B the rest, as when the paths of an ECMP group change just then.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/haproxy.sh
. "$(dirname "$0")/haproxy.sh"

# at NODE COMMAND...: with the lab of A or of B.
at() { local LAB=${nodes[$1]}; "${@:2}"; }

counter() { at "$1" json ".[0].$2.handlers.shield.counters.\"$3\""; }
dropped() { at "$1" count ".handlers.shield.reasons.\"$2\""; }

# one_way NETNS...: no answer of the kernel's own to paths that differ there and back.
one_way() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	"$@" sh -c 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >"$f" || exit; done
		echo 1 >/proc/sys/net/ipv4/ip_forward && echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
}

# link: a wire between the router and what is in front of B.
link() {
	at A c ip link add to-b type veth peer name to-a netns "${nodes[B]}-c" &&
		at A c ip -batch - <<-'END' &&
			link set dev to-b up
			address add 10.98.0.1/30 dev to-b
			address add fd98::1/64 dev to-b nodad
			route add 10.99.0.1 via 10.77.0.2
			route add fd99::1 via fd77::2
			route add 10.99.0.1 via 10.98.0.2 table 99
			route add fd99::1 via fd98::2 table 99
			rule add fwmark 99 table 99
		END
		at A c ip -6 rule add fwmark 99 table 99 &&
		at B c ip -batch - <<-'END' &&
			link set dev to-a up
			address add 10.98.0.2/30 dev to-a
			address add fd98::2/64 dev to-a nodad
			route add 10.99.0.1 via 10.77.0.2
			route add fd99::1 via fd77::2
			route add 10.76.0.0/24 via 10.98.0.1
			route add fd76::/64 via fd98::1
		END
		at B s ip -batch - <<-'END'
			route add 10.76.0.0/24 via 10.77.0.1
			route add fd76::/64 via fd77::1
		END
}

# node NAME: its server.
node() {
	at "$1" s ip -batch - <<-'END' &&
		address add 10.99.0.1/32 dev lo
		address add fd99::1/128 dev lo nodad
	END
		at "$1" s_bg "$top/t/tcp.py" serve 80
	at "$1" wait_for -t 20 listens 80
}

split() {
	at A c nft -f - <<-'END'
		table inet split {
			chain pre {
				type filter hook prerouting priority mangle;
				tcp dport 80 tcp sport 50000-50999 tcp flags & (syn | ack) != syn meta mark set 99
			}
		}
	END
}

# all_to_b, by_ports: where whole connections go.
all_to_b() {
	at A c ip route replace 10.99.0.1 via 10.98.0.2 && at A c ip -6 route replace fd99::1 via fd98::2
}

by_ports() {
	at A c ip route replace 10.99.0.1 via 10.77.0.2 && at A c ip -6 route replace fd99::1 via fd77::2
}

# whole ADDRESS: a connection that is not split, so that shield has seen what the service answers.
whole() {
	rm -f "$tmp/whole"
	at A o_bg "$top/t/tcp.py" hold "$1" 80 "$tmp/whole" 2>"$tmp/whole.log"
	wait_for -t 20 grep -q hello "$tmp/whole" && kill "$LAB_PID"
}

next_port=50000

# try ADDRESS: a connection that is split, from another port each time. Its pid is in tried.
try() {
	port=$next_port
	next_port=$((next_port + 1))
	rm -f "$tmp/said"
	at A o_bg "$top/t/tcp.py" from "$1" 80 "$port" >"$tmp/said" 2>"$tmp/said.log"
	tried=$LAB_PID
}

end_try() {
	kill "$tried"
	wait "$tried" 2>/dev/null
}

cookies() { counter A rx cookie-sent; }
cookies_above() { [ "$(cookies)" -gt "$1" ]; }
dropped_above() { [ "$(dropped B bad-cookie)" -gt "$1" ]; }

# on NODE: connections from that port which its kernel has.
on() { at "$1" s ss -Htn state established "dport = :$port" | wc -l; }

# served ADDRESS: now and then it is the SYN of the second connection that A passes to its stack, and not that of the
# first, whatever the client does; then B cannot know it.
served() {
	for _ in 1 2 3; do
		try "$1"
		wait_for -t 60 grep -q 'echo 1' "$tmp/said" && return 0
		end_try
	done
	return 1
}

# opened NAME ADDRESS: by B, whose kernel then has it, and not A's.
opened() {
	local before

	before=$(counter B in handover)
	here "$1: B serves what A has answered" served "$2"
	is "$1: B has handed it over" "$(counter B in handover)" $((before + 1))
	is "$1: it is B's, and not A's" "$(on B) $(on A)" '1 0'
	end_try
}

# strange NAME ADDRESS: B does not know the cookie.
strange() {
	local before sent

	before=$(dropped B bad-cookie) sent=$(cookies)
	try "$2"
	ok "$1: A answers the SYN" wait_for -t 60 cookies_above "$sent"
	ok "$1: B drops the ACK" wait_for -t 60 dropped_above "$before"
	is "$1: nobody has it" "$(on A) $(on B) $(cat "$tmp/said")" '0 0 '
	end_try
}

keys() { at "$1" nd shield keys lab0 "$2"; }
mark() { at "$1" nd shield show -j lab0 | jq -r .keys.mark; }

declare -A nodes
lab_up --outer "$@" || bail 'no lab'
nodes[A]=$LAB
lab_up "$@" || bail 'no second lab'
nodes[B]=$LAB
ok 'the wire to B' link
ok 'paths may differ' one_way at A c
ok 'on both' one_way at B c
ok 'the router splits' split
for node in A B; do
	here "$node: a server" node "$node"
	ok "$node: attach" at "$node" nd attach lab0 shield
done
if ! has_cookies; then
	# no machine makes any, so none can be honoured; connections that are whole go on
	is 'an old kernel: no cookie' "$(cookies)" 0
	here 'an old kernel: A serves' whole 10.99.0.1
	done_testing
	exit
fi
for address in 10.99.0.1 fd99::1; do
	ok 'all to B' all_to_b
	here "$address: B serves" whole "$address"
	ok 'by ports' by_ports
	here "$address: A serves" whole "$address"
	strange "$address, secrets of their own" "$address"
done
(umask 77 && "$build/ndiv" shield genkey >"$tmp/key")
ok 'A gets the secret' keys A "$tmp/key"
ok 'B gets the secret' keys B "$tmp/key"
is 'it is the same' "$(mark A)" "$(mark B)"
for address in 10.99.0.1 fd99::1; do
	for i in 1 2; do
		opened "$address, one secret, $i" "$address"
	done
done
ok 'A gets another secret' keys A random
strange 'secrets differ' 10.99.0.1
for node in A B; do
	ok "$node: detach" at "$node" nd detach lab0
done
done_testing

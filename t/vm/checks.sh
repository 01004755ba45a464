# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# checks.sh: what ndiv has to do on any interface, as functions that succeed or not
#
# For scripts that have sourced lab/lib.sh and have a lab in LAB, made by lab/lab or of real cards: handlers on the server's
# lab0, the client asks. What a failed check printed becomes part of the report.

port=8000
server4=10.77.0.2
server6=fd77::2
vlan4=10.77.10.2
vlan6=fd77:10::2
objects=build/t/handlers
tmp=$(mktemp -d)	# the script that sources this removes it

n() { build/ndiv -n "$LAB-s" "$@"; }
udp() { c build/vm/udp_probe "$@"; }

# --- reports ------------------------------------------------------------------

# check NAME CMD...: one test point.
check() {
	local name=$1 said

	shift
	if said=$("$@" 2>&1); then
		echo "ok - $name"
	else
		echo "not ok - $name"
		printf '%s\n' "$said" | sed 's/^/#   /'
	fi
}

# skip NAME REASON
skip() { echo "ok - $1 # SKIP $2"; }

# Everything that may tell why something failed.
state() {
	n show lab0
	s ip -s -d link show lab0
	c ip -s link show lab0
}

# --- questions to ndiv --------------------------------------------------------

# shown FIELD: a field of `ndiv show --json` outside of all lists: mode, why, transmit.
shown() {
	n show --json lab0 | sed -n "s/^    \"$1\": \"\{0,1\}\([^\"]*\)\"\{0,1\},\$/\1/p"
}

# counted NAME: the sum of all counters, reasons and such of that name.
counted() {
	n show --json lab0 | sed -n "s/^ *\"$1\": \([0-9][0-9]*\),\{0,1\}\$/\1/p" | awk '{ sum += $1 } END { print sum + 0 }'
}

# verdicts HANDLER VERDICT: packets.
verdicts() {
	n show --json lab0 | awk -v h="\"$1\": {" -v v="\"$2\": {" '
		index($0, "\"rx\": {") { rx = 1 } index($0, "\"tx\": {") { rx = 0 }
		rx && index($0, h) { in_h = 1 } in_h && index($0, v) { in_v = 1 }
		in_v && /"packets":/ { gsub(/[^0-9]/, ""); print; exit }'
}

# more THAN NAME...: counter NAME is above that now.
more() {
	local now

	now=$(counted "$2")
	[ "$now" -gt "$1" ] || { echo "counter $2: $1 before, $now now"; return 1; }
}

# --- the server's stack -------------------------------------------------------

# deaf 1|0: whether the stack leaves pings unanswered, so that a reply can only be ndiv's.
deaf() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	s sh -c 'echo $0 >/proc/sys/net/ipv4/icmp_echo_ignore_all; echo $0 >/proc/sys/net/ipv6/icmp/echo_ignore_all' "$1"
}

# --- the checks ---------------------------------------------------------------

attach_native() { n attach --mode native lab0 ping rate=0; }
attach_generic() { n attach --mode generic lab0 ping rate=0 && [ "$(shown mode)" = generic ]; }

# pings ADDRESS COUNTER [SIZE]: all answered, and by the handler.
pings() {
	local before

	before=$(counted "$2")
	c ping -n -q -c 3 -i 0.2 -W 2 -s "${3:-56}" "$1" && more "$before" "$2"
}

# A range that nobody has: the client's kernel asks for it on the wire. Cards keep back what is sent to groups.
neighbours() {
	s ip link set dev lab0 allmulticast on && n attach lab0 neigh addr=10.79.0.0/24,fd79::/64 &&
		c ip route replace 10.79.0.0/24 dev lab0 && c ip route replace fd79::/64 dev lab0 || return 1
	pings 10.79.0.7 echo4 && pings 10.79.0.200 echo4 && pings fd79::7 echo6 && pings fd79::12:3456 echo6
}

# http URL BYTES [CURL_OPTION...]
http() {
	local url=$1 bytes=$2 got

	shift 2
	got=$(c curl -sS -g -m 8 -o /dev/null -w '%{http_code} %{size_download}' "$@" "$url") || { echo "curl: $got"; return 1; }
	[ "$got" = "200 $bytes" ] || { echo "status and bytes: $got"; return 1; }
}

attach_httpd() { n attach lab0 httpd "ports=$port"; }
http4() { http "http://$server4:$port/1000" 1000; }
http6() { http "http://[$server6]:$port/1000" 1000; }
http_large() { http "http://$server4:$port/1300" 1300; }

attach_test_handlers() {
	local handler

	for handler in reply long burst postpone; do
		n attach lab0 "$objects/$handler.bpf.o" || return 1
	done
}

# Each of the drivers says, once a program is attached, that it sends what is redirected.
no_warnings() { n show lab0 && n show --json lab0 | grep -q '"warnings": \[\]'; }

# The handler verifies the checksum that the card, or nobody, has filled in.
reply() { udp "$server4" 7004 30 1 2000 && udp "$server6" 7004 1001 1 2000; }
# A frame of 1000 bytes for one of 60.
long() { udp "$server4" 7005 18 1 2000 | tee /dev/stderr | grep -q '^1 958:A$'; }
# The largest one: options of the handler.
long_max() {
	n replace lab0 "$objects/long.bpf.o" "size=$1" && udp "$server4" 7005 18 1 2000 | tee /dev/stderr |
		grep -q "^1 $(($1 - 42)):A\$"
}
# Four frames of 1200, 1150, ... bytes, in order.
burst() { udp "$server4" 7006 18 4 2000 | tee /dev/stderr | grep -q '^4 1158:A 1108:B 1058:C 1008:D$'; }
burst_max() {
	n replace lab0 "$objects/burst.bpf.o" count=16 size=1400 && udp "$server4" 7006 18 16 3000 | tee /dev/stderr |
		grep -q '^16 1358:A .* 608:P$'
}

agent_up() {
	build/ndiv -n "$LAB-s" agent --pidfile "$tmp/agent.pid" >"$tmp/agent.log" 2>&1 &
	wait_for test -s "$tmp/agent.pid" && [ "$(shown agent)" = true ] && return 0
	cat "$tmp/agent.log"
	return 1
}
agent_down() { [ ! -s "$tmp/agent.pid" ] || { kill "$(cat "$tmp/agent.pid")"; wait_for test ! -e "$tmp/agent.pid"; }; }
agent_gone() { [ "$(shown agent)" = false ]; }

# postponed ROUNDS BYTES: presented again that often, then answered.
postponed() { udp "$server4" 7007 "$2" 1 3000 | tee /dev/stderr | grep -q "^1 $2:$1\$"; }
postpone() { agent_up && postponed 1 100 && postponed 1 1400; }
# What is passed the second time goes to the stack, which says that nobody listens; and it is postponed only once.
postpone_pass() {
	local n

	n attach lab0 build/vm/later.bpf.o || return 1
	c build/vm/udp_probe "$server4" 7107 50 1 500
	sleep 0.5
	n="$(verdicts later postpone) $(verdicts later pass)"
	n detach lab0 later
	[ "$n" = '1 1' ] || { echo "postponed and passed: $n times"; return 1; }
}
postpone_delay() {
	n replace lab0 "$objects/postpone.bpf.o" delay=300 rounds=3 && postponed 3 100
}
postpone_alone() {
	local before

	agent_down && wait_for agent_gone && before=$(counted no-agent) || return 1
	! udp "$server4" 7007 100 1 300 && more "$before" no-agent
}

# No ping is lost while handlers are replaced, attached and detached.
replace_live() {
	local pid i

	c_bg ping -n -q -c 150 -i 0.02 -W 2 "$server4" >"$tmp/replace.ping" 2>&1
	pid=$LAB_PID
	for i in 1 2 3 4 5; do
		n replace lab0 ping rate=0 "over=$([ $((i % 2)) = 0 ] && echo drop || echo pass)" || return 1
	done
	wait "$pid"
	cat "$tmp/replace.ping"
	grep -q ' 0% packet loss' "$tmp/replace.ping"
}

# Tagged packets are seen as such, and answered with the tag.
vlan_ping() { pings "$vlan4" echo4 && pings "$vlan6" echo6; }
vlan_http() { http "http://$vlan4:$port/1000" 1000; }

# What is passed reaches a server of the local stack unharmed: as much as MB megabytes, and GRO may work on it.
through_stack() {
	local www=$tmp/www pid

	mkdir -p "$www"
	[ -s "$www/$1" ] || head -c "$1" /dev/zero | tr '\0' 'x' >"$www/$1"
	s_bg busybox httpd -f -p 80 -h "$www" >/dev/null 2>&1
	pid=$LAB_PID
	wait_for s curl -s -o /dev/null 127.0.0.1 && http "http://$server4/$1" "$1"
	set -- $?
	kill "$pid"
	return "$1"
}

# The transmit path: the handler drops what the server sends to port 7011.
transmit() {
	local before

	n attach lab0 "$objects/tx.bpf.o" && before=$(counted port) && echo "by $(n show lab0 | grep 'transmit path')" || return 1
	s build/vm/udp_probe 10.77.0.1 7011 100 1 200
	more "$before" port
}

listens() { grep -q 'listening on' "$tmp/said"; }

# A capture of what the host sends, by tcx or clsact: one that is killed, and the next one is none the worse.
capture_tx() {
	local pid

	build/ndiv -n "$LAB-s" capture lab0 -P tx -w "$tmp/killed" 2>"$tmp/said" &
	pid=$!
	wait_for listens && kill -9 "$pid"
	wait "$pid"
	: >"$tmp/said"
	build/ndiv -n "$LAB-s" capture lab0 -P tx -c 5 -w "$tmp/tx" icmp 2>"$tmp/said" &
	pid=$!
	if ! wait_for listens || ! s ping -n -q -c 5 -i 0.2 -W 2 10.77.0.1; then
		kill "$pid"
	fi
	wait "$pid"
	cat "$tmp/said"
	grep -q '^5 packets captured' "$tmp/said"
}

detach() { n detach lab0 && n detach lab0; }

# Nothing is left of ndiv but, before tcx, an empty clsact qdisc.
nothing_left() {
	local dir

	dir=/sys/fs/bpf/ndiv/$(stat -Lc %i "/run/netns/$LAB-s")
	[ ! -e "$dir" ] || [ -z "$(find "$dir" -mindepth 1)" ] || { echo "left:"; find "$dir"; return 1; }
	! s ip link show lab0 | grep xdp || return 1
	! { s tc filter show dev lab0 ingress; s tc filter show dev lab0 egress; } 2>/dev/null | grep -i ndiv
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-httpd.t: the handler httpd serves real clients, and leaves alone what other servers there are
#
#	client: curl, wrk, tshark  ---- veth ----  lab0: ndiv, httpd | the stack: a web server, iperf3
#
# On veth a response does not fit into the request's frame, so each one is made in a clone; in generic mode, behind tc.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

LINE='0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ'

# get URL [ARGUMENT...]: the body; fails as curl does, an HTTP error included.
get() { c curl -sf -m 30 --noproxy '*' "${@:2}" "http://$1"; }

# object N: what /N has to be: the end of many lines.
object() { yes "$LINE" | head -c "$((($1 + 63) / 64 * 64))" | tail -c "$1"; }

# is_object NAME URL N [ARGUMENT...]
is_object() {
	get "$2" "${@:4}" >"$tmp/got"
	object "$3" >"$tmp/want"
	ok "$1" cmp "$tmp/got" "$tmp/want"
}

# status URL [ARGUMENT...]: status code and whether the server closed.
status() {
	c curl -s -m 30 -o "$tmp/body" -D "$tmp/head" -w '%{http_code}' "${@:2}" "http://$1"
	grep -qi '^connection: close' "$tmp/head" && echo ' close'
}

# load NAME ARGUMENT... URL: wrk for 3 s: no socket error, no other status, and some requests.
load() {
	local name=$1 said

	shift
	said=$(c wrk -t 2 -c 100 -d 3 "$@" 2>&1)
	if grep -q 'Requests/sec' <<<"$said" && ! grep -qE 'Socket errors|Non-2xx' <<<"$said" &&
		[ "$(awk '/requests in/ { print $1 }' <<<"$said")" -gt 1000 ]; then
		pass "$name"
	else
		fail "$name" "$said"
	fi
}

curls() {
	local n

	for n in 0 1 63 64 65 100 536 1000 1300 1400 2800 20000 30000 1000000; do
		is_object "$mode: /$n" "10.77.0.2:8000/$n" "$n"
		is_object "$mode: v6 /$n" "[fd77::2]:8000/$n" "$n" -g
	done
	is_object "$mode: an address that is nobody's" 10.78.3.4:8000/500 500
	is_object "$mode: a v6 address that is nobody's" '[fd78::34]:8000/500' 500 -g
	is_object "$mode: HTTP/1.0" 10.77.0.2:8000/1000 1000 -0
	is_object "$mode: close" 10.77.0.2:8000/1000 1000 -H 'Connection: close'
	is "$mode: HEAD" "$(get 10.77.0.2:8000/1234 -I | tr -d '\r' | grep -i '^content-length' | tr -s ' ')" 'Content-Length: 1234'
	is "$mode: help" "$(get 10.77.0.2:8000/ | head -c 10)" 'ndiv httpd'
	is "$mode: two requests, one connection" \
		"$(get '10.77.0.2:8000/[10-29]' -w '%{num_connects}' -o "$tmp/ignored" | tr -d '\n')" 10000000000000000000
	is_object "$mode: 10k" 10.77.0.2:8000/10k 10240
	is_object "$mode: ten objects of 10k on one connection" '10.77.0.2:8000/[10-19]k' $((145 * 1024))
	is "$mode: not found" "$(status 10.77.0.2:8000/x)" '404 close'
	is "$mode: too large" "$(status 10.77.0.2:8000/2g)" '416 close'
	is "$mode: a status that is asked for" "$(status '10.77.0.2:8000/?s=100/r=503')" '503'
	is "$mode: closed when it is asked for" "$(status '10.77.0.2:8000/?s=100/C')" '200 close'
	is "$mode: another method" "$(status 10.77.0.2:8000/ -X DELETE)" '405 close'
	is "$mode: bad request" "$(status 10.77.0.2:8000/ -X 'no/method')" '400 close'
	is "$mode: header longer than a packet" "$(status 10.77.0.2:8000/9 -H "X: $(printf '%03000d' 0)")" '200 close'
	is "$mode: proxy request" "$(status www.example.org/9 -x 10.77.0.2:8000)" '200'
}

# upload NAME N ARGUMENT...: N bytes are taken, and the connection is good for another request.
upload() {
	head -c "$2" /dev/zero >"$tmp/upload"
	is "$mode: $1" "$(c curl -s -m 30 -T "$tmp/upload" "${@:3}" -o "$tmp/body" 10.77.0.2:8000/ -o "$tmp/ignored" \
		--next -s 10.77.0.2:8000/10 -o "$tmp/ignored" -w ' %{num_connects}') $(<"$tmp/body")" ' 0 Received.'
}

uploads() {
	is "$mode: POST" "$(status 10.77.0.2:8000/ -d x=y)" '200'
	upload 'PUT of 1 byte' 1
	upload 'PUT of 1000 bytes' 1000
	upload 'PUT of 100 kB' 100000
	upload 'PUT of 10 MB, with 100-continue' 10000000 -H 'Expect: 100-continue'
	upload 'PUT of 3 MB, without' 3000000 -H 'Expect:'
	is "$mode: PUT, close" "$(status 10.77.0.2:8000/ -T "$tmp/upload" -H 'Connection: close')" '200 close'
	is "$mode: chunks" "$(status 10.77.0.2:8000/ -T - <<<x)" '411 close'
}

# All that came is accounted for: what the handler took, and what the stack got.
accounts() {
	each_once "$mode: each packet is counted once"
	adds_up "$mode: each answer is sent" .sent.packets \
		'.handlers.httpd.counters | .syn + .segments + .fin + .body + .probe + ."last-ack"'
	is "$mode: no reason to drop of the core" "$(count '.core.reasons | add')" 0
	is "$mode: nothing lost on the way out" "$(count .tx_lost)" 0
	is "$mode: every cookie was right, and every checksum" \
		"$(count '.handlers.httpd.reasons | [."bad-cookie", ."bad-checksum", ."bad-options"]' | tr -d ' \n')" '[0,0,0]'
}

# --- tshark, an independent judge -------------------------------------------------

capture_start() {
	c_bg tcpdump -i lab0 -s 0 -U --immediate-mode -w "$tmp/cap" 2>"$tmp/tcpdump"
	tcpdump=$LAB_PID
	wait_for grep -q 'listening on' "$tmp/tcpdump" || bail "tcpdump: $(<"$tmp/tcpdump")"
}

# closed: all connections to the handler have come to their end.
closed() { ! c ss -Htn state connected exclude time-wait | grep ':8000 *$'; }

captured() { tcpdump -n -r "$tmp/cap" icmp 2>/dev/null | grep -q 'echo reply'; }

# capture_stop: once all is in the file: a ping is the last thing.
capture_stop() {
	ok "$mode: all connections have come to their end" wait_for closed
	c ping -q -c 1 10.77.0.2 >"$tmp/ignored"
	wait_for captured || bail 'tcpdump has lost the end'
	kill "$tcpdump"
	wait "$tcpdump" 2>/dev/null
}

# shark FILTER [ARGUMENT...]: the packets of the capture for which it holds.
shark() {
	tshark -n -r "$tmp/cap" -d tcp.port==8000,http -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
		-Y "tcp.port == 8000 && ($1)" "${@:2}" 2>/dev/null
}

# Each kind of connection once: 9 connections, 19 responses.
converse() {
	local url=$1

	get "$url/[0-9]" -o "$tmp/ignored"
	get "$url/1000" -0 -o "$tmp/ignored"
	get "$url/1000" -H 'Connection: close' -o "$tmp/ignored"
	get "$url/1000" -I -o "$tmp/ignored"
	get "$url/{,100000}" -o "$tmp/ignored"
	status "$url/x" -g
	status "$url/123456789012345" -g
	status "$url/" -g -d x=y
	status "$url/" -g -X 'no/method'
}

# The capture of two conversations is that of sound connections.
judge() {
	local all codes

	codes=$(printf '200,%.0s' {1..15})404,416,200,400
	all=$(shark tcp | wc -l)
	check "$mode, tshark: packets" "$all > 100"
	is "$mode, tshark: each checksum was verified" "$(shark 'tcp.checksum.status == 1' | wc -l)" "$all"
	is "$mode, tshark: no bad checksum" "$(shark 'tcp.checksum.status == 0 || ip.checksum.status == 0')" ''
	is "$mode, tshark: nothing malformed" "$(shark '_ws.malformed || _ws.expert.severity >= error')" ''
	is "$mode, tshark: no fault of the server's" "$(shark 'tcp.srcport == 8000 && tcp.analysis.flags')" ''
	is "$mode, tshark: no reset" "$(shark 'tcp.flags.reset == 1')" ''
	is "$mode, tshark: connections" "$(shark 'tcp.flags.syn == 1 && tcp.srcport == 8000' | wc -l)" 18
	is "$mode, tshark: FINs of the server" "$(shark 'tcp.flags.fin == 1 && tcp.srcport == 8000' | wc -l)" 18
	is "$mode, tshark: FINs of the client" "$(shark 'tcp.flags.fin == 1 && tcp.dstport == 8000' | wc -l)" 18
	is "$mode, tshark: responses" "$(shark http.response -T fields -e http.response.code | paste -sd,)" "$codes,$codes"
}

judged() {
	capture_start
	converse 10.77.0.2:8000 >"$tmp/ignored"
	converse '[fd77::2]:8000' >"$tmp/ignored"
	capture_stop
	judge
}

# --- other servers behind it ------------------------------------------------------

servers_start() {
	mkdir "$tmp/www"
	head -c 3000000 /dev/urandom >"$tmp/www/file"
	s_bg python3 -m http.server --bind :: --directory "$tmp/www" 80 >"$tmp/www.log" 2>&1
	s_bg iperf3 -s >"$tmp/iperf.log" 2>&1
	ok 'a web server' wait_for get 10.77.0.2:80/ -o "$tmp/ignored"
	ok 'an iperf3 server' wait_for iperf 10.77.0.2 -n 1000
}

# iperf ADDRESS ARGUMENT...: one run. The server takes one client at a time, and says so while it is not done with the last.
iperf() { c iperf3 -J -c "$@" >"$tmp/iperf" || { jq .error "$tmp/iperf"; return 1; }; }

# arrives NAME ADDRESS ARGUMENT...: 50 MB, or what had arrived of them when the sender was done.
arrives() {
	ok "$1" wait_for -t 20 iperf "${@:2}" -n 50M
	check "$1: bytes" "$(jq '.end.sum_received.bytes' "$tmp/iperf") > 40000000"
}

servers_work() {
	local address

	for address in 10.77.0.2 '[fd77::2]'; do
		get "$address/file" -g -o "$tmp/got"
		ok "$mode: web server, $address" cmp "$tmp/got" "$tmp/www/file"
	done
	arrives "$mode: iperf3" 10.77.0.2
	arrives "$mode: iperf3, v6" fd77::2
	arrives "$mode: iperf3, from the server" 10.77.0.2 -R
	c curl -s -m 30 10.77.0.2:8001/
	is "$mode: where nobody listens, a reset" "$?" 7
}

# replaced: ten times while wrk asks.
replaced() {
	local i

	c_bg wrk -t 2 -c 100 -d 300 http://10.77.0.2:8000/100 >"$tmp/wrk" 2>&1
	wait_for count_reaches .handlers.httpd.counters.get 1000 || fail "$mode: wrk has not begun"
	for ((i = 1; i <= 10; i++)); do
		nd replace lab0 httpd --keep || fail "$mode: replace $i"
	done
	kill -INT "$LAB_PID"
	wait "$LAB_PID"
	ok "$mode: replaced under wrk, which has ended well" grep -q Requests/sec "$tmp/wrk"
	is "$mode: replaced under wrk, no error" "$(grep -E 'Socket errors|Non-2xx' "$tmp/wrk")" ''
}

lab_up "$@" || bail 'no lab'
servers_start
for mode in native generic; do
	ok "$mode: attach" nd attach lab0 httpd --mode "$mode"
	curls
	accounts
	uploads
	judged
	servers_work
	replaced
	load "$mode: wrk, keep-alive" http://10.77.0.2:8000/100
	load "$mode: wrk, close" -H 'Connection: close' http://10.77.0.2:8000/100
	load "$mode: wrk v6, keep-alive" 'http://[fd77::2]:8000/1000'
	load "$mode: wrk v6, close" -H 'Connection: close' 'http://[fd77::2]:8000/1000'
	ok "$mode: detach" nd detach lab0
	ok "$mode: nothing is left" nothing_left
	ok "$mode: and nobody answers" test "$(c curl -s -m 5 -o "$tmp/ignored" -w '%{http_code}' 10.77.0.2:8000/1)" = 000
done

mode=native
ok 'attach with options' nd attach lab0 httpd ports=8100-8110 addr=10.77.0.2/32,fd77::2/128
is_object 'first port' 10.77.0.2:8100/10 10
is_object 'last port, v6' '[fd77::2]:8110/10' 10 -g
ok 'no port of ours' test "$(status 10.77.0.2:8111/10)" = 000
ok 'no address of ours' test "$(c curl -s -m 1 -o "$tmp/ignored" -w '%{http_code}' 10.78.0.1:8100/10)" = 000
ok 'another range while it runs' nd replace --keep lab0 httpd ports=8000
is_object 'it is there' 10.77.0.2:8000/10 10
ok 'the former one is gone' test "$(status 10.77.0.2:8100/10)" = 000
ok 'without addresses' nd replace lab0 httpd
is_object 'vlan' 10.77.10.2:8000/1000 1000
is_object 'vlan v6' '[fd77:10::2]:8000/1000' 1000 -g
load 'vlan, wrk' http://10.77.10.2:8000/1000
accounts
ok 'detach' nd detach lab0
lab_down

# No frame is longer than every driver can send.
lab_up --mtu 9000 || bail 'no lab with jumbo frames'
for mode in native generic; do
	ok "jumbo, $mode: attach" nd attach lab0 httpd --mode "$mode"
	for n in 100 1400 2800 3000 8000 100000; do
		is_object "jumbo, $mode: /$n" "10.77.0.2:8000/$n" "$n"
		is_object "jumbo, $mode: v6 /$n" "[fd77::2]:8000/$n" "$n" -g
	done
	accounts
	ok "jumbo, $mode: detach" nd detach lab0
done
done_testing

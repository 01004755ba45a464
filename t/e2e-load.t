#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-load.t: the load source of the benchmark asks rightly, and tells right answers from wrong ones
#
#	client: load  ---- veth ----  lab0: ndiv, httpd | a server of the stack's, which answers wrongly
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

# load ARGUMENT...: its JSON, in $tmp/said; the exit status is its own.
load() { "$build/bench/load" -l "$LAB" "$@" >"$tmp/said"; }

# said FILTER: of what the last load said.
said() { jq -r "$1" "$tmp/said"; }

# right NAME COUNT ARGUMENT...: so many answers at least, and none wrong; and httpd has counted the same.
right() {
	local name=$1 want=$2 before

	shift 2
	before=$(count .handlers.httpd.counters.get)
	ok "$name" load -n "$want" -t 60 "$@"
	check "$name: answers" "$(said .responses) >= $want"
	is "$name: none is wrong" "$(said '[.wrong, .bad_checksum, .no_timestamp, .reset, .tx_lost]' | jq -c .)" '[0,0,0,0,0]'
	is "$name: as many requests, as httpd says" "$(said .requests)" "$(($(count .handlers.httpd.counters.get) - before))"
	is "$name: each was answered" "$(said '.requests - .responses')" 0
}

# closed: all connections of the last load came to an end.
closed() {
	is "$1: as many ends as begins" "$(said '.syn_ack - .fin - .retired')" 0
}

# retransmitted: segments that the server's kernel has sent again.
# shellcheck disable=SC2016 # fields of awk
retransmitted() { s awk '/^Tcp:/ && $13 ~ /^[0-9]/ { print $13 }' /proc/net/snmp; }

# closed_but NAME N: the same, of a server that has sent N segments twice: what comes twice is counted twice.
closed_but() {
	local open

	open=$(said '.syn_ack - .fin - .retired')
	check "$1: as many ends as begins" "${open#-} <= $2"
}

# wrong NAME COUNTER ARGUMENT...: it says so, and the exit status is 1.
wrong() {
	local name=$1 counter=$2 status

	shift 2
	load -t 60 -n 1 "$@"
	status=$?
	check "$name: some" "$(said ".$counter") > 0"
	is "$name: and no right answer, status" "$(said .responses) $status" '0 1'
}

none_open() { [ -z "$(s ss -Htn state established)" ]; }

lab_up "$@" || bail 'no lab'
ok 'httpd is attached' nd attach lab0 httpd ports=8000-8001
right 'keep-alive' 5000
closed 'keep-alive'
right 'close' 5000 -k 1
closed 'close'
right '7 requests a connection, 1000 bytes, v6' 5000 -k 7 -s 1000 -6
closed '7 requests a connection'
right 'without timestamps' 5000 -o -k 3
right '200 connections' 5000 -c 200
right 'one connection' 500 -c 1 -p 8001

# The server forgets all of them, and has another key afterwards: they are found dead, and others are begun.
before=$(count .handlers.httpd.counters.get)
"$build/bench/load" -l "$LAB" -t 60 >"$tmp/said" &
pid=$!
ok 'it runs' wait_for -t 20 count_reaches .handlers.httpd.counters.get $((before + 1000))
ok 'httpd is gone' nd detach lab0
ok 'httpd is back' nd attach lab0 httpd ports=8000-8001
ok 'and is asked again' wait_for -t 20 count_reaches .handlers.httpd.counters.get 1000
kill -INT "$pid"
wait "$pid"
is 'status' $? 0
check 'connections that were begun again' "$(said .restarted) >= 64"
is 'no wrong answer' "$(said .wrong)" 0

tr '\n' x >"$tmp/body" < <(c curl -s http://10.77.0.2:8000/100)
wrong 'another body' wrong_body -b "$tmp/body"
wrong 'another length' wrong_header -s 200 -u '/300?'
wrong 'another status' wrong_status -u /nothing-of-100
wrong 'an answer that is shorter' wrong_short -s 1000 -u '/300?'

ok 'httpd is detached' nd detach lab0

# A server on the kernel's own TCP, whose idea of the protocol is not ours.
cat >"$tmp/server.py" <<'END'
import asyncio

BODY = (b"0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ\n" * 16)[-1000:]


async def serve(reader, writer):
    closing = False
    try:
        while not closing:
            head = await reader.readuntil(b"\r\n\r\n")
            closing = b"Connection: close" in head
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + BODY)
            await writer.drain()
        writer.close()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass


async def main():
    async with await asyncio.start_server(serve, "", 8000, backlog=1000) as server:
        await server.serve_forever()


asyncio.run(main())
END
s_bg python3 "$tmp/server.py"
server=$LAB_PID
wait_for s curl -s -o /dev/null http://10.77.0.2:8000/ || bail 'the server does not answer'
for how in '-k 1' '-k 7' ''; do
	again=$(retransmitted)
	# shellcheck disable=SC2086 # words
	ok "the kernel's TCP, $how" load -n 2000 -t 60 -s 1000 $how
	check "the kernel's TCP, $how: answers" "$(said .responses) >= 2000"
	is "the kernel's TCP, $how: none is wrong" "$(said '[.wrong, .bad_checksum, .no_timestamp, .reset]' | jq -c .)" '[0,0,0,0]'
	closed_but "the kernel's TCP, $how" $(($(retransmitted) - again))
done
ok 'none of its connections is open' wait_for none_open
kill "$server"
exits 'no server: status' 1 '' load -t 60 -n 1
is 'no server: resets' "$(said '(.reset > 0), .responses' | paste -sd' ')" 'true 0'

exits 'no lab' 1 'bench: lab nosuch: no lab of that name is up (lab/lab list); nothing is sent' \
	"$build/bench/load" -l nosuch
exits 'no port' 2 'load: -p 0: want a number from 1 to 65535' "$build/bench/load" -l "$LAB" -p 0
is 'the server has no program left' "$(s ip link show lab0 | grep -c xdp)" 0
is 'the client has its program back' "$(c ip link show lab0 | grep -o 'name lab_pass')" 'name lab_pass'
ok 'and reaches the server' c ping -c 1 10.77.0.2
done_testing

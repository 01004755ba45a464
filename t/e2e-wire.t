#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-wire.t: an independent judge: tshark finds nothing wrong with any packet that ndiv sends
#
#	client: tcpdump, ping, curl, wrk, udp.py  ---- veth ----  lab0: ndiv
#
# All that passes the client's end is captured, and then looked at with every checksum verified.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

checks=(-d 'tcp.port==8000,http' -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE)

capture_start() {
	c_bg tcpdump -q -U -n -i lab0 -B 65536 -w "$tmp/pcap" 2>"$tmp/tcpdump"
	capture=$LAB_PID
	wait_for grep -q 'listening on' "$tmp/tcpdump"
}

# Everything is in the file once tcpdump has seen the last ping, which comes after it.
capture_end() {
	c ping -q -c 1 -p 656e64 -s 33 10.77.0.2 >"$tmp/ignored"
	wait_for grep -qa 'endendendend' "$tmp/pcap"
	kill -INT "$capture"
	wait "$capture"
}

# look FILTER [OPTION...]: the frames of the capture that are so, and what tshark had to say beside them.
look() {
	local filter=$1 status

	shift
	tshark -r "$tmp/pcap" -n "${checks[@]}" -Y "$filter" "$@" 2>"$tmp/tshark"
	status=$?
	grep -v 'Running as user' "$tmp/tshark"
	[ "$status" = 0 ] || echo "tshark ended with $status"
}

# What no frame may be: name and filter. When the kernel of a client computes a checksum in software that comes to 0, it writes
# 0xffff (CSUM_MANGLED_0, RFC 768's rule, for TCP as well): the same value in one's complement, and tshark complains.
faults=(
	'no malformed frame' '_ws.malformed or _ws.short or _ws.unreassembled'
	'no wrong IPv4 checksum' 'ip.checksum.status == 0'
	'no wrong TCP checksum' 'tcp.checksum.status == 0 and not (tcp.dstport == 8000 and tcp.checksum == 0xffff)'
	'no wrong UDP checksum' 'udp.checksum.status == 0'
	'no wrong ICMP checksum' 'icmp.checksum.status == 0 or icmpv6.checksum.status == 0'
	'no expert has an error' '_ws.expert.severity == error'
	'each segment is what the client expected'
	'tcp.srcport == 8000 and (tcp.analysis.lost_segment or tcp.analysis.out_of_order)'
	'no response that is no HTTP' 'tcp.srcport == 8000 and tcp.len > 0 and not http and not tcp.segment_data'
	'each lifetime is 64' '(ip.src == 10.78.1.2 and ip.ttl != 64) or (ipv6.src == fd78::2 and ipv6.hlim != 64)'
)

# One look for all of them; only if there is something, one for each. The first frame's line is in the point's name, so that
# a summary of failed points tells it; its bytes are in the diagnostics.
judge() {
	local i all='' found=''

	for ((i = 1; i < ${#faults[@]}; i += 2)); do
		all+="${all:+ or }(${faults[i]})"
	done
	all=$(look "$all")
	for ((i = 0; i < ${#faults[@]}; i += 2)); do
		[ -z "$all" ] || found=$(look "${faults[i + 1]}")
		if [ -z "$found" ]; then
			pass "$1: ${faults[i]}"
		else
			fail "$1: ${faults[i]}, but:${found%%$'\n'*}" "$(look "${faults[i + 1]}" -x | head -n 60)"
		fi
	done
	is "$1: no fault at all" "$(head -n 3 <<<"$all")" ''
	is "$1: tcpdump lost nothing" "$(grep -o '[0-9]* packets dropped by kernel' "$tmp/tcpdump")" '0 packets dropped by kernel'
}

# Enough of each kind was looked at, or all of the above means nothing.
enough() {
	local seen

	seen=$(tshark -r "$tmp/pcap" -n -d tcp.port==8000,http -T fields -e icmp.type -e icmpv6.type -e http.response.code -e udp.srcport -e vlan.id \
		-E separator=, 2>"$tmp/tshark" | awk -F, '
			$1 == "0"	{ seen["echo4"]++ }
			$2 == 129		{ seen["echo6"]++ }
			$3 != ""		{ seen[$3]++ }
			$4 >= 7004 && $4 <= 7006 { seen[$4]++ }
			$5 != ""		{ seen["tagged"]++ }
			END			{ for (kind in seen) if (seen[kind] >= 10) print kind }' | sort | tr '\n' ' ')
	is "$1: ten of each kind at least" "$seen" '200 404 405 416 7004 7005 7006 echo4 echo6 tagged '
}

pings() {
	local size

	for size in 0 1 56 1000 1472; do
		c ping -q -f -c 50 -s "$size" 10.78.1.2
		c ping -q -f -c 50 -s "$((size > 1452 ? 1452 : size))" fd78::2
		c ping -q -f -c 50 -s "$((size > 1400 ? 1400 : size))" 10.77.10.2
	done >"$tmp/ignored"
}

webs() {
	local url

	for url in 10.78.1.2:8000 '[fd78::2]:8000' 10.77.10.2:8000; do
		c curl -sg -m 20 "http://$url/" "http://$url/2g" "http://$url/x"
		c curl -s -m 20 "http://${url/[/\\[}/[0-1300:13]"
		c curl -s -m 20 -H 'Connection: close' "http://${url/[/\\[}/[0-200:7]"
		c curl -s -m 20 -I "http://${url/[/\\[}/[0-20]"
		c curl -s -m 20 -0 "http://${url/[/\\[}/[0-20]"
		c curl -s -m 20 -d a=b "http://${url/[/\\[}/[0-9]"
		c curl -s -m 20 -X DELETE "http://${url/[/\\[}/[0-9]"
		c curl -s -m 20 "http://${url/[/\\[}/[20-29]g"
		c curl -s -m 20 "http://${url/[/\\[}/[1400-100000:3333]"
		c curl -s -m 20 -H 'Connection: close' "http://${url/[/\\[}/[1400-100000:33333]"
		c curl -s -m 20 "http://${url/[/\\[}/[1400-1409]"
		c curl -s -m 20 "http://${url/[/\\[}/x[0-9]"
	done >"$tmp/ignored"
}

datagrams() {
	udp ask 10.77.0.2 7004 200
	udp ask fd77::2 7004 200
	udp ask 10.77.0.2 7005 200 --pattern
	udp ask 10.77.0.2 7006 100 --pattern --each 4
	udp tagged lab0 10 7005 50 --pattern
	udp tagged lab0 10 7006 50 --pattern --each 4
} >"$tmp/ignored"

lab_up "$@" || bail 'no lab'
for mode in native generic; do
	nd attach lab0 ping rate=0 --mode "$mode" || fail "attach ping, $mode"
	nd attach lab0 httpd || fail "attach httpd, $mode"
	for name in reply long burst; do
		nd attach lab0 "$handlers/$name.bpf.o" || fail "attach $name, $mode"
	done
	capture_start
	pings
	webs
	datagrams
	capture_end
	judge "$mode"
	enough "$mode"
	nd detach lab0 || fail "detach, $mode"
done
done_testing

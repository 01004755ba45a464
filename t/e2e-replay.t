#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-replay.t: `ndiv replay`: capture files through shield; tcpdump and tshark have to read what it writes
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/haproxy.sh
. "$(dirname "$0")/haproxy.sh"

cap=$tmp/a.pcap
mac=02:00:00:00:77:02

# frames: makes $cap of what frames.py is told on standard input.
frames() { "$top/t/frames.py" "$cap"; }

policy() { cat >"$tmp/policy"; }

# replay ARGUMENT...: of $cap with the policy.
replay() { "$build/ndiv" replay "$cap" --policy "$tmp/policy" "$@"; }

# got FILTER [ARGUMENT...]: of its JSON.
got() { replay -j "${@:2}" | jq -c "$1"; }

verdicts='[.passed.packets, .dropped.packets, .sent]'

# Of this namespace: others may work at the same time.
pins() { find "/sys/fs/bpf/ndiv/$(stat -Lc %i /proc/self/ns/net)" 2>/dev/null | LC_ALL=C sort; }

# rules: what each rule counts, and what becomes of the packets.
rules() {
	frames <<-'END'
		1000.0 to udp 10.77.0.1:5000 10.77.0.2:53 data=20
		1000.1 to udp 203.0.113.9:5000 10.77.0.2:53 data=20
		1000.15 to udp [2001:db8::7]:5000 [fd77::2]:53 data=20
		1000.2 to icmp 10.77.0.1 10.77.0.2 data=20
		1000.25 to icmp 10.77.0.1 10.77.0.2 data=20
		1001.3 to icmp 10.77.0.1 10.77.0.2 data=20
		1001.400000123 to tcp 10.77.0.1:1000 10.77.0.2:80 flags=S
		1001.5 to tcp 10.77.0.1:1001 10.77.0.2:81 flags=S
	END
	policy <<-'END'
		deny 203.0.113.0/24, 2001:db8::/32
		service icmp limit 1/s burst 1
		service tcp port 80 allow
		service tcp deny
		service udp deny dry
	END
	is 'rules' "$(got '[.policy.rules[] | [.line, .packets, .refused]]')" '[[1,2,2],[2,3,1],[3,1,0],[4,1,1],[5,1,1]]'
	is 'rules: bytes' "$(got '[.policy.rules[0] | .bytes, .refused_bytes]')" '[144,144]'
	is 'verdicts' "$(got '[.packets, .seconds, .mac, .passed, .dropped, .answered.packets]')" \
		"[8,1.5,\"$mac\",{\"packets\":4,\"bytes\":240},{\"packets\":4,\"bytes\":260},0]"
	is 'reasons' "$(got .reasons)" '{"denied":3,"limited":1}'
	replay --write-passed "$tmp/passed" --write-dropped "$tmp/dropped" >"$tmp/out"
	is 'people see it' "$(sed 's/  */ /g; s/ $//; s/, loaded .*//' "$tmp/out")" "$cap: 8 packets in 1.500 s, the host is $mac
$cap: nothing in it is sent by the host: connections are taken as they come (learn=86400)
 packets bytes
 passed 4 240
 dropped 4 260
 denied 3
 limited 1
$cap: policy: $tmp/policy, 5 rules, 2 prefixes, 0.8 MB
 line packets bytes refused dry rule
 1 2 144 2 deny 203.0.113.0/24, 2001:db8::/32
 2 3 186 1 service icmp limit 1/s burst 1
 3 1 54 0 service tcp port 80 allow
 4 1 54 1 service tcp deny
 5 1 62 1 dry service udp deny dry"
	is 'what was passed, with nanoseconds' "$(tcpdump -ttnr "$tmp/passed" --time-stamp-precision=nano 2>/dev/null | sed 's/ IP.*//')" \
		$'1000.000000000\n1000.200000000\n1001.300000000\n1001.400000123'
	is 'what was dropped, and why' "$(tshark -nr "$tmp/dropped" -T fields -e frame.time_epoch -e frame.comment 2>/dev/null)" \
		$'1000.100000000\tshield: drop denied, line 1: deny 203.0.113.0/24, 2001:db8::/32
1000.150000000\tshield: drop denied, line 1: deny 203.0.113.0/24, 2001:db8::/32
1000.250000000\tshield: drop limited, line 2: service icmp limit 1/s burst 1
1001.500000000\tshield: drop denied, line 4: service tcp deny'
	is 'both together are the file' \
		"$(for f in "$tmp/passed" "$tmp/dropped"; do tcpdump -xttnr "$f" 2>/dev/null; done | grep -c '0x0000')" 8
	is 'without a policy' "$("$build/ndiv" replay -j "$cap" | jq -c "[$verdicts, .policy.loaded]")" '[[8,0,0],false]'
	is 'shield has its options' "$(got "$verdicts" addr=192.0.2.0/24)" '[8,0,0]'
	is 'again: the same' "$(replay -j | grep -v since)" "$(replay -j | grep -v since)"
}

# formats: pcapng, microseconds, standard input.
formats() {
	local want f

	want=$(got '[.seconds, .passed, .dropped, .reasons]')
	for f in pcapng pcap; do
		editcap -F "$f" "$cap" "$tmp/b" 2>/dev/null
		is "$f: the same" "$("$build/ndiv" replay -j "$tmp/b" -p "$tmp/policy" | jq -c '[.seconds, .passed, .dropped, .reasons]')" "$want"
	done
	is 'standard input' "$("$build/ndiv" replay -j - -p "$tmp/policy" --mac "$mac" <"$cap" |
		jq -c '[.seconds, .passed, .dropped, .reasons]')" "$want"
}

# rates: the clock is that of the packets, whatever the machine's is.
rates() {
	policy <<<'service udp limit 100/s burst 10'
	awk 'BEGIN { for (i = 0; i < 1000; i++) printf "%.4f to udp 10.77.0.1:5 10.77.0.2:53\n", 5000 + i / 1000 }' | frames
	is 'rate: 1000 in a second, 100/s and 10 at once' "$(got "$verdicts")" '[109,891,0]'
	awk 'BEGIN { for (i = 0; i < 1000; i++) printf "%.4f to udp 10.77.0.1:5 10.77.0.2:53\n", 5000 + i / 100 }' | frames
	is 'rate: 1000 in ten seconds' "$(got "$verdicts")" '[1000,0,0]'
	awk 'BEGIN { for (i = 0; i < 1000; i++) printf "%.4f to udp 10.77.0.1:5 10.77.0.2:53\n", 5000 - i / 100 }' | frames
	is 'rate: the clock does not go back' "$(got "[.late, $verdicts]")" '[999,[10,990,0]]'
	awk 'BEGIN { for (i = 0; i < 20000; i++) printf "5000.%09d to tcp 10.77.0.1:%d 10.77.0.2:80 flags=S\n", i, i }' | frames
	is 'SYNs: all that no rule refuses' "$(got "$verdicts")" '[20000,0,0]'
	is 'SYNs: unless it is asked for' "$(got "[$verdicts, .reasons]" unknown=1000)" '[[100,19900,0],{"syn-limit":19900}]'
}

# flows: the host's own packets are in the file, too.
flows() {
	policy <<<'service tcp port 80 allow'
	frames <<-'END'
		2000.0 to tcp 10.77.0.1:1000 10.77.0.2:80 flags=S seq=99
		2000.1 from tcp 10.77.0.1:1000 10.77.0.2:80 flags=SA seq=199 ack=100
		2000.2 to tcp 10.77.0.1:1000 10.77.0.2:80 flags=A seq=100 ack=200
		2000.3 to tcp 10.77.0.1:1000 10.77.0.2:80 flags=PA seq=100 ack=200 data=100
		2000.4 from tcp 10.77.0.1:1000 10.77.0.2:80 flags=PA seq=200 ack=200 data=20000
		2000.5 to tcp 10.77.0.1:1000 10.77.0.2:80 flags=A seq=200 ack=20200
		2000.6 to tcp 10.77.0.1:1000 10.77.0.2:80 flags=A seq=200 ack=20201
		2000.7 to tcp 10.77.0.1:1000 10.77.0.2:80 flags=A seq=2000000 ack=20200
		2000.8 to tcp 10.77.0.9:1000 10.77.0.2:80 flags=A seq=1 ack=1
	END
	exits 'flows: who is the host?' 1 "ndiv: replay: $cap: packets to several MAC addresses are in it: say which one is the host's
ndiv:   --mac $mac: 7 packets, the first one to 10.77.0.2
ndiv:   --mac 02:00:00:00:77:01: 2 packets, the first one to 10.77.0.1" replay
	is 'flows' "$(got "[$verdicts, .reasons, .one_way]" --mac "$mac" learn=0)" \
		'[[4,3,2],{"bad-cookie":1,"out-of-window":2},false]'
	is 'flows: a stranger, while shield learns' "$(got "[$verdicts, .reasons]" --mac "$mac")" '[[5,2,2],{"out-of-window":2}]'
	is 'flows: counters of both ways' "$(got '.counters | [.["syn-passed"], .["flow-sent"], .["flow-found"]]' --mac "$mac")" '[1,1,1]'
	sed -n 's/^X//p' <<-'END' | frames
		X1000.0 to tcp 10.77.0.1:1000 10.77.0.2:80 flags=A seq=1 ack=1
		X1059.9 to tcp 10.77.0.1:1001 10.77.0.2:80 flags=A seq=1 ack=1
		X1060.1 to tcp 10.77.0.1:1002 10.77.0.2:80 flags=A seq=1 ack=1
		X1060.2 to tcp 10.77.0.1:1000 10.77.0.2:80 flags=A seq=9 ack=9
	END
	is 'one way: connections as they come' "$(got "[$verdicts, .one_way]")" '[[4,0,0],true]'
	is 'learning for 60 seconds of the file' "$(got "[$verdicts, .reasons, .one_way]" learn=60)" '[[3,1,0],{"bad-cookie":1},false]'
}

# cut: what was cut off when it was captured makes no difference.
cut() {
	policy <<<'service udp port 53 deny'
	frames <<-'END'
		1000 to udp 10.77.0.1:5000 10.77.0.2:53 data=1400 cut=60
		1001 to udp 10.77.0.1:5000 10.77.0.2:54 data=1400 cut=60
		1002 to tcp 10.77.0.1:1000 10.77.0.2:80 flags=S
		1003 from tcp 10.77.0.1:1000 10.77.0.2:80 flags=SA seq=199 ack=1
		1004 to tcp 10.77.0.1:1000 10.77.0.2:80 flags=A seq=1 ack=200 data=1000 cut=54
		1005 from tcp 10.77.0.1:1000 10.77.0.2:80 flags=A seq=200 ack=1001 data=40000 cut=54
		1006 to tcp 10.77.0.1:1000 10.77.0.2:80 flags=A seq=1001 ack=40200
	END
	is 'cut off' "$(got "[$verdicts, .truncated, .malformed, .reasons]" --mac "$mac" learn=0)" '[[4,1,2],4,0,{"denied":1}]'
	ok 'cut off: written' replay --mac "$mac" --write-dropped "$tmp/dropped"
	is 'cut off: written as it was' "$(tshark -nr "$tmp/dropped" -T fields -e frame.cap_len -e frame.len 2>/dev/null)" $'60\t1442'
	check 'cut off: it is said' "$(replay --mac "$mac" | grep -c 'cut off when captured, of all  *4') == 1"
}

# headers: malformed packets have a path of their own through the chain, here as well.
headers() {
	policy <<<'deny 10.77.0.1'
	frames <<-'END'
		1000 to udp [fd77::1]:5000 [fd77::2]:53 ext=8
		1001 to udp [fd77::1]:5000 [fd77::2]:53 ext=9
		1002 to tcp [fd77::1]:5000 [fd77::2]:80 flags=S ext=9
		1003 to udp 10.77.0.1:5000 10.77.0.2:53
	END
	is 'more headers than are read' "$(got "[$verdicts, .malformed, .reasons]")" '[[1,3,0],2,{"denied":1,"ip-headers":2}]'
}

# bad: files that are none, or not of Ethernet, or end too early.
bad() {
	policy <<<'deny 10.77.0.1'
	frames <<-'END'
		link 113
		1000 to udp 10.77.0.1:5000 10.77.0.2:53
	END
	exits 'another link type' 1 \
		"ndiv: replay: $cap: its packets are LINUX_SLL, and only Ethernet can be replayed: capture on one interface, not on \"any\"" replay
	frames <<-'END'
		1000 to udp 10.77.0.1:5000 10.77.0.2:53
		1001 to udp 10.77.0.1:5000 10.77.0.2:53
		stub 5
	END
	exits 'it ends too early' 1 \
		"ndiv: replay: $cap: behind packet 1: truncated dump file; tried to read 42 captured bytes, only got 37" replay
	is 'it ends too early: what was there' "$(got "$verdicts" 2>/dev/null)" '[0,1,0]'
	: >"$cap"
	exits 'an empty file' 1 "ndiv: replay: $cap: truncated dump file; tried to read 4 file header bytes, only got 0" replay
	frames </dev/null
	exits 'no packet' 1 "ndiv: replay: $cap: no packet of IP in it is sent to a MAC address: there is nothing to replay" replay
	is 'no packet, but a MAC address' "$(got "[.packets, .seconds, $verdicts]" --mac "$mac")" '[0,0,[0,0,0]]'
	cap=$tmp/none exits 'no file' 1 "ndiv: replay: $tmp/none: No such file or directory" replay
	frames <<<'1000 to udp 10.77.0.1:5000 10.77.0.2:53'
	policy <<<'deny 10.77.0.1/33'
	exits 'a bad policy' 1 "$("$build/ndiv" shield check "$tmp/policy" 2>&1)" replay
	policy <<<'deny 10.77.0.1'
	exits 'a bad option' 1 'ndiv: replay: shield: unknown option "x"; it has ports, addr, above, unknown, learn, lookups, bans, window' replay x=1
	exits 'a bad MAC address' 2 'ndiv replay: --mac: "01:00:00:00:00:01" is no MAC address of a host, such as 02:00:00:00:77:02' \
		replay --mac 01:00:00:00:00:01
	exits 'standard input' 2 'ndiv replay: standard input is read once only: say who the host is: --mac MAC' "$build/ndiv" replay -
	exits 'into itself' 2 "ndiv replay: $cap is the file that is read" replay --write-passed "$cap"
	exits 'both into one' 2 "ndiv replay: $tmp/x: what is passed and what is dropped cannot go to one file" \
		replay --write-passed "$tmp/x" --write-dropped "$tmp/x"
	exits 'nowhere to write' 1 "ndiv: replay: cannot open $tmp/no/x: No such file or directory" replay --write-dropped "$tmp/no/x"
	exits 'a full disk' 1 'ndiv: replay: cannot write /dev/full: No space left on device' replay --write-dropped /dev/full
}

# ended: by a signal, in the middle of a file that goes on.
ended() {
	mkfifo "$tmp/fifo"
	"$build/ndiv" replay - --mac "$mac" -p "$tmp/policy" -j <"$tmp/fifo" >"$tmp/out" 2>"$tmp/said" &
	replayed=$!
	exec 9>"$tmp/fifo"
	cat "$cap" >&9
	ok '^C: it runs' wait_for is_loaded "$replayed"
	kill -INT "$replayed"
	exec 9>&-
	wait "$replayed"
	is '^C: it ends' "status $?" 'status 1'
	is '^C: it says so' "$(sed 's/behind [01] packets/behind N packets/' "$tmp/said")" 'ndiv: replay: ended by a signal behind N packets'
	ok '^C: what was counted is told' jq -e .passed "$tmp/out"
}

# is_loaded PID: that process has programs.
is_loaded() { grep -qs '^prog_type:' "/proc/$1/fdinfo/"*; }

# captured: real connections, both ways, as ndiv capture saw them: nothing of them is dropped.
captured() {
	lab_up "$@" || bail 'no lab'
	haproxy_start 80
	"$build/ndiv" -n "$LAB-s" capture lab0 -P rx,tx -w "$tmp/real" >"$tmp/capture" 2>&1 &
	capture=$!
	ok 'a capture' wait_for grep -q 'listening on' "$tmp/capture"
	for _ in 1 2 3 4 5; do
		c curl -s -o /dev/null http://10.77.0.2/
		c curl -s -o /dev/null 'http://[fd77::2]/'
		c ping -qc 1 10.77.0.2 >/dev/null
	done
	kill -INT "$capture"
	wait "$capture"
	mac=$(s ip -j link show lab0 | jq -r '.[0].address')
	cap=$tmp/real
	policy <<-'END'
		service tcp port 80 limit 100/s
		service icmp allow
	END
	is 'captured: nothing is dropped' "$(got '[.dropped.packets, .answered.packets, .reasons]' --mac "$mac" learn=0)" '[0,0,{}]'
	is 'captured: the rules count' "$(got '[.policy.rules[] | [.packets, .refused]]' --mac "$mac" learn=0)" '[[10,0],[5,0]]'
	check 'captured: what the host has sent' "$(got .sent --mac "$mac" learn=0) > 30"
}

before=$(pins)
rules
formats
rates
flows
cut
headers
bad
ended
is 'nothing is pinned' "$(pins)" "$before"
captured "$@"
done_testing

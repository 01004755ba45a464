#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# shellcheck disable=SC2016 # messages with backquotes
#
# e2e-capture.t: ndiv capture, and what tcpdump, tshark and capinfos have to say about its files
#
#	client: ping, UDP  ---- veth ----  lab0: ndiv capture | handlers | the stack
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/capture.sh
. "$(dirname "$0")/capture.sh"

# --- ndiv is not attached

lab_up "$@" || bail 'no lab'
start lab0 -w "$tmp/a"
ok 'pings are answered while they are captured' flood 5000
stops 'it ends'
# echo requests only: the counter is of the client's, ARP and MLD may be there as well
n=$(fields "$tmp/a" -Y icmp.type==8 -e icmp.seq | sort -n | uniq | wc -l)
is 'each packet is there, once' "$n $(fields "$tmp/a" -Y icmp.type==8 -e icmp.seq | wc -l)" '5000 5000'
all=$(tcpdump -nr "$tmp/a" 2>/dev/null | wc -l)
is 'the counts' "$(said)" "$(counts "$all" "$all" 0)"
judged 'plain file' "$tmp/a" "$all"
is 'the interface has a name' "$(fields "$tmp/a" -c 1 -e frame.interface_name)" lab0/rx
is 'received, queue 0 or 1' "$(fields "$tmp/a" -e frame.packet_flags_direction -e frame.interface_queue | sort -u | tr '\t\n' ' ,' |
	sed 's/0x00000001 [01],//g')" ''
is 'all bytes of the packet' "$(fields "$tmp/a" -Y icmp.type==8 -e frame.len -e frame.cap_len | sort -u)" $'106\t106'
is 'all sums are right' "$(fields "$tmp/a" -o icmp.check_checksum:TRUE -Y 'icmp.type==8 && icmp.checksum.status!=1' -e frame.number)" ''
ok 'nothing is left' nothing_left

start lab0 -w "$tmp/a"
exits 'two captures' 1 'ndiv: lab0: a capture runs on it, without handlers: end it first (`pgrep -af "ndiv.* capture"`)' nd capture lab0
exits 'a capture, then a handler' 1 'ndiv: lab0: a capture runs on it, without handlers: end it first (`pgrep -af "ndiv.* capture"`)' \
	nd attach lab0 ping
stops 'the first one ends'

# --- number, length, time

start lab0 -c 100 -s 64 -w "$tmp/b"
ok 'pings' flood 500
ends 'it ends by itself' 0
judged '-c' "$tmp/b" 100
is '-s' "$(fields "$tmp/b" -Y icmp.type==8 -e frame.cap_len -e frame.len | sort -u)" $'64\t106'
start lab0 -a 0.5 -w "$tmp/b"
ends '-a: it ends by itself' 0

# --- standard output, and tcpdump

start lab0 -c 10 -w -
ok 'pings' flood 50
ends '-w -: it ends' 0
judged 'standard output' "$tmp/out" 10
start -i lab0 -c 10 -n
ok 'pings' flood 50
ends 'tcpdump prints: it ends' 0
is 'tcpdump prints' "$(grep -c . "$tmp/out")" 10
check 'addresses are numbers' "$(grep -c '10.77.0.1 > 10.77.0.2: ICMP echo request' "$tmp/out") > 0"

# --- expressions

start lab0 -P rx,tx -w "$tmp/f" icmp and host 10.77.0.2 or '(ip6 and icmp6[0] = 128)'
ok 'pings' flood 100
c ping -q -c 5 -i 0.01 fd77::2 >/dev/null
c ping -q -c 5 -i 0.01 10.77.10.2 >/dev/null
stops 'filter: it ends'
is 'filter: what matches, both ways' "$(fields "$tmp/f" -e frame.interface_name -e icmp.type -e icmpv6.type | LC_ALL=C sort | uniq -c |
	tr -s ' \t' ' ' | paste -sd,)" ' 5 lab0/rx 128, 100 lab0/rx 8 , 100 lab0/tx 0 '
is 'filter: is named in the file' "$(capinfos "$tmp/f" | sed -n 's/ *Filter string = //p' | sort -u)" \
	'icmp and host 10.77.0.2 or (ip6 and icmp6[0] = 128)'
is 'filter: the counts' "$(said | sed 's/ (of .*)/ (of N)/')" "$(counts 205 '205' 0 | sed 's/filter$/filter (of N)/')"
check 'filter: it saw more' "$(said | sed -n 's/.*(of \(.*\))/\1/p') > 205"
exits 'filter: no expression' 1 'ndiv: lab0: filter "prot 80": can'"'"'t parse filter expression: syntax error (pcap-filter(7) tells what is possible)' \
	nd capture lab0 prot 80

# --- several files

start lab0 -C 1 -w "$tmp/c"
ok 'pings' flood 20000
stops '-C: it ends'
n=0 bytes=0
for file in "$tmp"/c*; do
	n=$((n + $(tcpdump -nr "$file" 2>/dev/null | wc -l)))
	bytes=$(stat -c %s "$file")
	check "-C: $(basename "$file") is not longer than a block more" "$bytes <= 1000000 + 600"
done
is '-C: their names' "$(cd "$tmp" && echo c*)" 'c c1 c2 c3'
is '-C: all packets are in them' "$n packets captured" "$(said | head -n 1)"
judged '-C: the second one' "$tmp/c1" "$(tcpdump -nr "$tmp/c1" 2>/dev/null | wc -l)"

start lab0 -C 1 -W 2 -w "$tmp/w"
ok 'pings' flood 20000
stops '-C -W: it ends'
is '-C -W: two files stay' "$(cd "$tmp" && echo w*)" 'w0 w1'
is '-C -W: the last packet is there' "$(for f in "$tmp"/w?; do fields "$f" -Y icmp -e icmp.seq; done | sort -n | tail -n 1)" 20000

start lab0 -G 1 -W 2 -w "$tmp/g"
ends '-G -W: it ends by itself' 0
is '-G -W: two files' "$(cd "$tmp" && echo g*)" 'g g1'
judged '-G: the second one' "$tmp/g1" "$(tcpdump -nr "$tmp/g1" 2>/dev/null | wc -l)"

# --- what becomes of packets

ok 'attach ping' nd attach lab0 ping rate=1 burst=10
start lab0 -P rx,verdict,tx -w "$tmp/v"
c ping -q -f -c 100 -W 1 10.78.1.2 >/dev/null 2>&1
c ping -q -c 1 -s 40 fd77::2 >/dev/null 2>&1
s ping -q -c 3 -i 0.01 -W 1 -s 41 10.77.0.1 >/dev/null 2>&1
stops 'points: it ends'
judged 'points' "$tmp/v" "$(tcpdump -nr "$tmp/v" 2>/dev/null | wc -l)"
is 'points: interfaces' "$(capinfos "$tmp/v" | sed -n 's/ *Name = //p' | tr '\n' ' ')" 'lab0/rx lab0/verdict lab0/tx '
requests='icmp.type==8 && ip.dst==10.78.1.2'
is 'each packet before the handlers' "$(fields "$tmp/v" -Y "$requests && frame.interface_name==\"lab0/rx\"" -e frame.number | wc -l)" 100
is 'what was dropped, and why' "$(fields "$tmp/v" -Y 'frame.verdict.ebpf_xdp==1' -e frame.comment | sort | uniq -c |
	tr -s ' ')" " $(count '.handlers.ping.reasons."over-rate"') ping: drop over-rate"
is 'what was sent back, as it was sent' "$(fields "$tmp/v" -Y 'frame.verdict.ebpf_xdp==3 && icmp.type==0' -e frame.packet_flags_direction \
	-e frame.comment -e ip.src | sort | uniq -c | tr -s ' \t' ' ')" " $(count .handlers.ping.counters.echo4) 0x00000002 ping: reply 10.78.1.2"
is 'numbers tie both together' "100 $(fields "$tmp/v" -Y "$requests && frame.interface_name==\"lab0/rx\"" -e frame.packet_id | sort)" \
	"$(fields "$tmp/v" -Y 'frame.interface_name=="lab0/verdict" && ip.addr==10.78.1.2' -e frame.number | wc -l) $(fields "$tmp/v" -Y 'frame.interface_name=="lab0/verdict" && (icmp.type==0 || frame.verdict.ebpf_xdp==1) && ip.addr==10.78.1.2' -e frame.packet_id | sort)"
is 'what the host sends' "$(fields "$tmp/v" -Y 'frame.interface_name=="lab0/tx" && icmp.type==8' -e ip.dst -e frame.packet_flags_direction | sort | uniq -c |
	tr -s ' \t' ' ')" ' 3 10.77.0.1 0x00000002'
start lab0 --reason over-rate -w "$tmp/r"
c ping -q -f -c 100 -W 1 10.78.1.2 >/dev/null 2>&1
stops '--reason: it ends'
check '--reason: some were dropped' "$(fields "$tmp/r" -e frame.number | wc -l) > 50"
is '--reason: only those' "$(fields "$tmp/r" -e frame.comment | sort -u)" 'ping: drop over-rate'

# --- a handler that comes while it runs

start lab0 -P verdict -w "$tmp/h"
ok 'attach drop' nd attach lab0 "$handlers/drop.bpf.o" --at 0
named() { udp send 10.77.0.2 7003 2 >/dev/null 2>&1; [ "$(fields "$tmp/h" -Y udp.dstport==7003 -e frame.comment | tail -n 1 | cut -c-10)" = 'drop: drop' ]; }
ok 'it is known by its name soon' wait_for named
stops 'it ends'
ok 'detach drop' nd detach lab0 drop

# --- VLAN tags that the stack leaves to the card

start lab0 -P tx -w "$tmp/t"
s ping -q -c 3 -i 0.01 -W 1 10.77.10.1 >/dev/null 2>&1
stops 'tx with tags: it ends'
is 'tx: tags are in the packets' "$(tcpdump -nr "$tmp/t" 'vlan 10 and icmp' 2>/dev/null | wc -l)" 3
start lab0 -P tx -w "$tmp/t" vlan 10 and icmp
s ping -q -c 3 -i 0.01 -W 1 10.77.10.1 >/dev/null 2>&1
s ping -q -c 3 -i 0.01 -W 1 10.77.0.1 >/dev/null 2>&1
stops 'tx with a filter of tags: it ends'
judged 'tx: the filter sees tags' "$tmp/t" 3

# --- by the library

s "$build/examples/capture" lab0 50 >"$tmp/lib" 2>"$tmp/said" &
capture=$!
wait_for grep -q listening "$tmp/said"
c ping -q -f -c 200 -W 1 10.78.1.2 >/dev/null 2>&1
ends 'the example ends' 0
judged 'the example' "$tmp/lib" 50

# --- from within Wireshark: tshark takes the same way

mkdir "$tmp/extcap"
install -m 755 cli/extcap/ndiv "$tmp/extcap/ndiv"
export NDIV=$build/ndiv
# As root it looks into the system's folder only. In a mount namespace of its own, that is ours.
shark() {
	s unshare -m sh -c 'mount --bind "$0" "$(tshark -G folders 2>/dev/null | sed -nE "s/^(Global )?Extcap path:[[:blank:]]*//p")" && exec tshark "$@"' \
		"$tmp/extcap" "$@"
}
is 'extcap: the interface is listed' "$(shark -D 2>/dev/null | grep -o 'ndiv-lab0 .*')" 'ndiv-lab0 (ndiv: lab0, in the driver)'
is 'extcap: Ethernet' "$(shark -L -i ndiv-lab0 2>/dev/null | grep -o 'EN10MB.*')" 'EN10MB (Ethernet)'
shark -i ndiv-lab0 -f 'icmp and host 10.78.1.2' -c 50 -w "$tmp/shark" >/dev/null 2>"$tmp/shark.said" &
capture=$!
captured() { c ping -q -c 5 -i 0.01 -W 1 10.78.1.2 >/dev/null 2>&1; ! kill -0 "$capture" 2>/dev/null; }
ok 'extcap: tshark has its packets' wait_for -t 20 captured
ends 'extcap: tshark ends' 0
judged 'extcap' "$tmp/shark" 50
unset NDIV

# --- what goes wrong

ok 'no limit any more' nd replace --keep lab0 ping rate=0

start lab0 -w "$tmp/x1"
exits 'another capture' 1 "ndiv: lab0: process $capture captures on it: one at a time" nd capture lab0 -w "$tmp/x2"
stops 'the first one ends'
exits 'no such interface' 1 'ndiv: nix0: no such interface in this network namespace (`ip link` lists them)' \
	nd capture nix0 -w "$tmp/x"
exits 'no interface' 2 'ndiv capture: IF is missing' nd capture -w "$tmp/x"
exits 'no such point' 2 'ndiv capture: --points: "rx,xx" is no list of rx, verdict and tx' nd capture lab0 -P rx,xx
exits 'no such verdict' 2 'ndiv capture: --verdict: "dorp" is no list of pass, drop, reply, burst, postpone and forward' \
	nd capture lab0 --verdict dorp
exits 'verdict without its point' 1 \
	'ndiv: lab0: verdict, handler and reason are known at the point verdict only, which is not captured' \
	nd capture lab0 -P rx --verdict drop
exits 'no such reason' 1 \
	'ndiv: lab0: nothing on it has verdict and handler (any) and reason nix (`ndiv show -a lab0` lists what there is)' \
	nd capture lab0 --reason nix
exits 'files without a limit' 2 'ndiv capture: --files needs --file-size or --rotate' nd capture lab0 -w "$tmp/x" -W 3
exits 'files and no file' 2 'ndiv capture: --file-size, --rotate and --files need a file: -w FILE' nd capture lab0 -C 3
exits 'too short' 2 'ndiv capture: --snaplen: 63 is too short; it has to be from 64 on, or 0 for all' nd capture lab0 -s 63
exits 'a file that cannot be' 1 "ndiv: capture: cannot open $tmp/no/x: No such file or directory" \
	nd capture lab0 -w "$tmp/no/x"

mkdir "$tmp/full"
mount -t tmpfs -o size=64k none "$tmp/full"
start lab0 -w "$tmp/full/a"
ok 'pings' flood 2000
ends 'full disk: it ends' 1
is 'full disk: it says so' "$(said | head -n 1)" "ndiv: capture: cannot write $tmp/full/a: No space left on device"
n=$(said | sed -n 's/ packets captured//p')
check 'full disk: something is there' "$n > 100"
judged 'full disk' "$tmp/full/a" "$n"
umount "$tmp/full"

mkfifo "$tmp/fifo"
head -c 3000 "$tmp/fifo" >/dev/null &
start lab0 -w "$tmp/fifo"
c ping -q -f -c 2000 10.77.0.2 >/dev/null
ends 'a reader that goes: it ends' 1
is 'a reader that goes: it says so' "$(said | head -n 1)" "ndiv: capture: $tmp/fifo has been closed by its reader"

start lab0 -w "$tmp/d"
ok 'pings' flood 100
ok 'detach all meanwhile' nd detach lab0
ends 'detached: it ends' 1
is 'detached: it says so' "$(said | head -n 1)" 'ndiv: capture: ndiv was detached from the interface'
judged 'detached' "$tmp/d" "$(said | sed -n 's/ packets captured//p')"

s ip link add gone0 type veth peer name gone1
s ethtool -K gone0 rxvlan off
s ip link set gone0 up
s ip link set gone1 up
start gone0 -w "$tmp/e"
s ip link del gone0
ends 'an interface that vanishes: it ends' 1
is 'an interface that vanishes: it says so' "$(said | head -n 1)" 'ndiv: capture: the interface has vanished'
judged 'an interface that vanishes' "$tmp/e" "$(said | sed -n 's/ packets captured//p')"

# --- killed

ok 'attach ping' nd attach lab0 ping rate=0
start lab0 -P rx,verdict,tx -w "$tmp/k"
kill -9 "$capture"
ends 'killed' 137
untapped() { [ "$(bpftool -j net show 2>/dev/null | grep -c ndiv_tap)" = 0 ] && ! s tc filter show dev lab0 egress | grep -q ndiv_tap; }
ok 'killed: nothing is tapped any more' wait_for untapped
start lab0 -w "$tmp/l"
ok 'the next one can run' flood 1000
stops 'the next one ends'
is 'all is there' "$(fields "$tmp/l" -Y icmp.type==8 -e frame.number | wc -l)" 1000
ok 'detach' nd detach lab0
ok 'nothing is left' nothing_left
start lab0 -w "$tmp/k"
kill -9 "$capture"
ends 'killed without handlers' 137
ok 'killed without handlers: nothing is left' wait_for nothing_left

# One behind the other: the kernel still takes away what one left when the next one begins.
ok 'attach ping' nd attach lab0 ping rate=0
all=''
for i in 1 2 3 4 5 6; do
	start lab0 -P rx,verdict -w "$tmp/q" icmp
	c ping -q -f -c 100 10.77.0.2 >/dev/null
	wait_for holds "$tmp/q" 200
	if [ $((i % 2)) = 0 ]; then kill -INT "$capture"; else kill -9 "$capture"; fi
	wait "$capture" 2>/dev/null
	all+=" $(fields "$tmp/q" -e frame.number | wc -l)"
done
is 'one behind the other, killed or not' "$all" ' 200 200 200 200 200 200'
ok 'detach' nd detach lab0

# --- whose file it is

mkdir -m 777 "$tmp/user"
chmod 711 "$tmp"
SUDO_UID=65534 SUDO_GID=65534 start lab0 -w "$tmp/user/a"
ok 'pings' flood 100
is 'root no more' "$(ps -o uid= -p "$capture" | tr -d ' ')" 65534
stops 'by sudo: it ends'
is 'the file is of the user who called sudo' "$(stat -c %u:%g "$tmp/user/a")" 65534:65534
ok 'nothing is left' nothing_left
exits 'no such user' 1 'ndiv: capture: --user: there is no user "nix"' nd capture lab0 -Z nix -w "$tmp/x"

# --- generic mode

ok 'attach ping, generic' nd attach lab0 ping rate=0 --mode generic
start lab0 -P rx,verdict -w "$tmp/y"
ok 'pings' flood 1000
stops 'generic: it ends'
is 'generic: each packet is there twice' "$(fields "$tmp/y" -Y 'icmp && ip.addr==10.77.0.2' -e frame.number | wc -l)" 2000
judged 'generic' "$tmp/y" "$(said | sed -n 's/ packets captured//p')"
ok 'detach' nd detach lab0
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-capture-mount.t: ndiv capture mount: files that are live captures, read by tcpdump, tshark, cp and cat
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/capture.sh
. "$(dirname "$0")/capture.sh"

dir=$tmp/live
mkdir "$dir"
# a file system that nobody serves any more would be in the way of its removal
trap 'umount -l "$dir" 2>/dev/null; rm -rf "$tmp"' EXIT

# serve ARGUMENT...: mounts it, in the background.
serve() {
	: >"$tmp/said"
	"$build/ndiv" -n "$LAB-s" capture mount "$@" "$dir" >"$tmp/out" 2>"$tmp/said" &
	capture=$! server=$!
	wait_for grep -q 'mounted on' "$tmp/said"
}

said() { grep -v 'mounted on' "$tmp/said"; }

# reads NAME FILE: in the background, to $tmp/NAME, until it is told to stop; it has begun when this returns. Its pid is
# in $reader.
reads() {
	rm -f "$tmp/$1"
	cat "$dir/$2" >"$tmp/$1" 2>"$tmp/$1.said" &
	reader=$!
	wait_for test -s "$tmp/$1"
}

tapped() { s bpftool net show dev lab0 | grep -q driver; }
ended() { ! kill -0 "$1" 2>/dev/null; }
mounted() { mountpoint -q "$dir"; }
gone() { ! mounted; }

lab_up "$@" || bail 'no lab'

# --- what is there

serve
is 'a directory for each Ethernet interface' "$(cd "$dir" && echo *)" \
	"$(s ip -br link | awk '$1 != "lo" { sub(/@.*/, "", $1); print $1 }' | LC_ALL=C sort | paste -sd' ')"
is 'its files' "$(cd "$dir/lab0" && echo *)" 'rx.pcap rx.pcapng tx.pcap tx.pcapng verdict.pcap verdict.pcapng'
is 'for their owner only' "$(stat -c '%A %u %s' "$dir/lab0/rx.pcapng")" '-r-------- 0 0'
ok 'no file of another name' test ! -e "$dir/lab0/foo.pcapng" -a ! -e "$dir/nix" -a ! -e "$dir/lo"
ok 'none can be written' sh -c "! (echo >'$dir/lab0/rx.pcapng') 2>/dev/null && ! touch '$dir/x' 2>/dev/null"
ok 'nobody reads: nothing is captured' nothing_left

# --- whoever reads

# the noise for those who wait for packets
c_bg ping -q -i 0.01 10.77.0.2 >/dev/null
pings=$LAB_PID
is 'tcpdump -r, ten packets' "$(timeout 60 tcpdump -nr "$dir/lab0/rx.pcapng" -c 10 icmp 2>/dev/null | wc -l)" 10
is 'tcpdump with its own expression' "$(timeout 60 tcpdump -nr "$dir/lab0/tx.pcapng" -c 3 'icmp[0] = 0' 2>/dev/null | grep -c 'echo reply')" 3
is 'tshark -r, ten packets' "$(timeout 60 tshark -nr "$dir/lab0/rx.pcapng" -c 10 2>/dev/null | wc -l)" 10
is 'tshark: the interface' "$(timeout 60 tshark -nr "$dir/lab0/verdict.pcapng" -c 1 -T fields -e frame.interface_name -e frame.comment 2>/dev/null)" \
	$'lab0/verdict\tcore: pass'
is 'tcpdump -r of the twin' "$(timeout 60 tcpdump -nr "$dir/lab0/verdict.pcap" -c 10 2>/dev/null | wc -l)" 10
is 'tshark -r of the twin' "$(timeout 60 tshark -nr "$dir/lab0/tx.pcap" -c 10 2>/dev/null | wc -l)" 10
cp "$dir/lab0/rx.pcapng" "$tmp/cp" &
reader=$!
copied() { [ "$(stat -c %s "$tmp/cp" 2>/dev/null || echo 0)" -gt 3000 ]; }
ok 'cp copies' wait_for copied
kill "$reader"
wait "$reader" 2>/dev/null
check 'cp: it can be read' "$(tshark -nr "$tmp/cp" 2>/dev/null | wc -l) > 10"
kill "$pings"
wait "$pings" 2>/dev/null
ok 'all have left: nothing is captured any more' wait_for nothing_left

# --- several at once, each from when it came

reads a lab0/rx.pcapng
a=$reader
ok 'pings' flood 300
reads b lab0/rx.pcapng
b=$reader
reads d lab0/rx.pcap
d=$reader
reads e lab0/tx.pcapng
e=$reader
ok 'pings' flood 500
# holds_pings NAME N
holds_pings() { [ "$(fields "$tmp/$1" -Y icmp -e frame.number | wc -l)" = "$2" ]; }
ok 'the first has all' wait_for holds_pings a 800
ok 'the second has those since it came' wait_for holds_pings b 500
ok 'the twin has them, too' wait_for holds_pings d 500
ok 'what was sent is in the other file' wait_for holds_pings e 500
is 'each once' "$(fields "$tmp/b" -Y icmp -e icmp.seq | sort -n)" "$(seq 500)"
is 'the same bytes in the twin' "$(fields "$tmp/d" -Y icmp -e frame.time_epoch -e icmp.seq -e data.data)" \
	"$(fields "$tmp/b" -Y icmp -e frame.time_epoch -e icmp.seq -e data.data)"
is 'the twin has nanoseconds' "$(capinfos -t "$tmp/d" | tail -n 1)" 'File type:           Wireshark/tcpdump/... - nanosecond pcap'
kill "$b" "$d" "$e"
wait "$b" "$d" "$e" 2>/dev/null
ok 'the others left: the first one goes on' flood 100
ok 'it has all of it' wait_for holds_pings a 900

# --- a read that waits

kill -INT "$a"
kill -TERM "$a"
ok 'a signal ends a read that waits' wait_for ended "$a"
reads a lab0/rx.pcapng
kill -9 "$reader"
ok 'kill -9, too' wait_for ended "$reader" 2>/dev/null
ok 'nothing is captured any more' wait_for nothing_left
cat >"$tmp/poll.py" <<'END'
import os, select, subprocess, sys
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK)
p = select.poll()
p.register(fd, select.POLLIN)
print(len(p.poll(5000)), len(os.read(fd, 4096)) > 100)
try:
    while True:
        os.read(fd, 4096)
except BlockingIOError:
    print("would block")
ping = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL)
print(len(p.poll(5000)), len(os.read(fd, 4096)) > 60)
ping.wait()
try:
    os.lseek(fd, 0, os.SEEK_SET)
except OSError as e:
    print(e.strerror)
END
is 'poll, no blocking, no going back' "$(python3 "$tmp/poll.py" "$dir/lab0/rx.pcapng" nsenter --net="/run/netns/$LAB-c" ping -q -c 3 -i 0.01 10.77.0.2)" \
	$'1 True\nwould block\n1 True\nIllegal seek'

# --- one at a time, beside ndiv capture

ok 'nothing is captured any more' wait_for nothing_left
start lab0 -w "$tmp/x"
other=$capture
is 'a capture runs: a file cannot be opened' "$(timeout 5 cat "$dir/lab0/rx.pcapng" 2>&1 | tr -d "\0")" "cat: $dir/lab0/rx.pcapng: Device or resource busy"
kill -INT "$other"
wait "$other"
capture=$server

# --- handlers

ok 'attach ping' nd attach lab0 ping rate=0
reads v lab0/verdict.pcapng
reader_v=$reader
ok 'pings' flood 100
verdicts_are() { [ "$(fields "$tmp/v" -Y icmp -e frame.comment -e frame.verdict.ebpf_xdp | sort | uniq -c | tr -s ' \t' ' ')" = "$1" ]; }
ok 'verdicts' wait_for verdicts_are ' 100 ping: reply 3'
exits 'a capture, while somebody reads' 1 "ndiv: lab0: process $capture captures on it: one at a time" nd capture lab0 -w "$tmp/x"
ok 'detach all meanwhile' nd detach lab0
ok 'detached: the file ends' wait_for ended "$reader_v"
judged 'detached' "$tmp/v" "$(fields "$tmp/v" -e frame.number | wc -l)"
reads v lab0/rx.pcapng
ok 'and can be opened again' flood 10
kill "$reader"
wait "$reader" 2>/dev/null
ok 'nothing is left' wait_for nothing_left

# --- the interface vanishes

s ip link add gone0 type veth peer name gone1
s ethtool -K gone0 rxvlan off
s ip link set gone0 up
s ip link set gone1 up
reads g gone0/tx.pcapng
s ip link del gone0
ok 'an interface that vanishes: the file ends' wait_for ended "$reader"
ok 'its directory is gone' test ! -e "$dir/gone0"
judged 'an interface that vanishes' "$tmp/g" "$(fields "$tmp/g" -e frame.number | wc -l)"
s ip link add new0 type veth peer name new1
ok 'one that comes has one' test -e "$dir/new0/rx.pcapng"
s ip link del new0

# --- the end

reads u lab0/rx.pcapng
ok 'pings' flood 100
ok 'not while it is read' sh -c "! umount '$dir' 2>/dev/null"
kill "$capture"
ok 'told to end: readers get the rest' wait_for ended "$reader"
ok 'and it is unmounted' wait_for gone
ok 'it ends' wait_for ended "$capture"
is 'all packets are there' "$(fields "$tmp/u" -Y icmp -e icmp.seq | sort -n)" "$(seq 100)"
judged 'told to end' "$tmp/u" "$(fields "$tmp/u" -e frame.number | wc -l)"
ok 'nothing is left' nothing_left

serve
umount "$dir"
ends 'unmounted: it ends by itself' 0

serve
reads k lab0/rx.pcapng
kill -9 "$capture"
ends 'killed' 137
ok 'killed: the reader does not hang' wait_for ended "$reader"
ok 'killed: nothing is captured any more' wait_for nothing_left
serve
is 'mounted again, at the same place' "$(said)" "ndiv: capture mount: $dir: unmounted what a process left that was killed"
ok 'and it works' test -e "$dir/lab0/rx.pcapng"
kill "$capture"
ends 'it ends' 0

# --- options

# one who reads no further than a pipe takes it, as long as nobody takes it from there
serve -s 64 -b 64
mkfifo "$tmp/slow"
cat "$dir/lab0/rx.pcapng" >"$tmp/slow" &
reader=$!
exec 7<"$tmp/slow"
ok 'a slow reader has begun' wait_for tapped
ok 'a slow reader: pings' flood 5000
cat <&7 >"$tmp/s" &
rest=$!
# A loss is told by a packet that comes behind it.
all_told() {
	local n lost

	c ping -q -c 1 -W 1 10.77.0.2 >/dev/null
	n=$(fields "$tmp/s" -e frame.number | wc -l)
	lost=$(fields "$tmp/s" -e frame.drop_count | awk '{ n += $1 } END { print n + 0 }')
	[ "$lost" -gt 0 ] && [ $((n + lost)) -ge 5000 ]
}
ok 'a slow reader: all are there, or told' wait_for -t 60 all_told
kill "$reader"
wait "$reader" "$rest" 2>/dev/null
exec 7<&-
check 'a slow reader lost some' "$(fields "$tmp/s" -e frame.number | wc -l) < 5000"
is '-s' "$(fields "$tmp/s" -Y icmp -e frame.cap_len | sort -u)" 64
kill "$capture"
ends 'it ends' 0

: >"$tmp/said"
"$build/ndiv" -n "$LAB-s" capture mount "$dir" icmp and host 10.77.0.2 2>"$tmp/said" &
capture=$!
wait_for grep -q 'mounted on' "$tmp/said"
reads x lab0/rx.pcapng
c ping -q -c 5 -i 0.01 fd77::2 >/dev/null
ok 'an expression: pings' flood 20
ok 'an expression: what it wants' wait_for holds "$tmp/x" 20
is 'an expression: the file names it' "$(capinfos "$tmp/x" | sed -n 's/ *Filter string = //p')" 'icmp and host 10.77.0.2'
kill "$capture"
ends 'it ends' 0
wait "$reader"

# as USER CMD...
as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
chmod 711 "$tmp"
serve -Z nobody
is 'whose files they are' "$(stat -c '%U %A' "$dir/lab0/rx.pcapng")" 'nobody -r--------'
as 65534 cat "$dir/lab0/rx.pcapng" >"$tmp/n" &
reader=$!
ok 'that user can read' wait_for test -s "$tmp/n"
ok 'nobody else can' sh -c "! setpriv --reuid 1234 --clear-groups ls '$dir' 2>/dev/null"
kill "$capture"
ends 'it ends' 0
wait "$reader"

# --- what goes wrong

exits 'no directory' 2 'ndiv capture mount: DIR is missing' nd capture mount
exits 'no such directory' 1 "ndiv: capture mount: $tmp/no: No such file or directory (it has to be a directory)" \
	nd capture mount "$tmp/no"
exits 'no directory, but a file' 1 "ndiv: capture mount: $tmp/n: Not a directory (it has to be a directory)" \
	nd capture mount "$tmp/n"
exits 'no such user' 1 'ndiv: capture: --user: there is no user "nix"' nd capture mount -Z nix "$dir"
exits 'too short' 2 'ndiv capture mount: --snaplen: 63 is too short; it has to be from 64 on, or 0 for all' \
	nd capture mount -s 63 "$dir"
exits 'an expression that is none' 1 'ndiv: capture mount: filter "prot 80": can'"'"'t parse filter expression: syntax error (pcap-filter(7) tells what is possible)' \
	nd capture mount "$dir" prot 80
is 'help' "$("$build/ndiv" help capture mount | head -n 1)" "$("$build/ndiv" capture mount --help | head -n 1)"
is 'completion of the word' "$("$build/ndiv" complete -- capture mou)" mount
is 'completion of its options' "$("$build/ndiv" complete -- capture mount --r)" --reader-buffer
ok 'nothing is left' nothing_left
done_testing

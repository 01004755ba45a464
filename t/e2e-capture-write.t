#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-capture-write.t: ways to write less, or faster: sampling, compression, a file for each CPU
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/capture.sh
. "$(dirname "$0")/capture.sh"

# captured: how many packets, by what it said.
captured() { said | sed -n 's/ packets captured$//p'; }

# sequence FILE...: numbers of the echo requests therein, sorted.
sequence() { for file; do fields "$file" -Y icmp.type==8 -e icmp.seq; done | sort -n; }

lab_up "$@" || bail 'no lab'

# --- one of N

start lab0 --sample 10 -P rx,verdict -w "$tmp/s" icmp
ok 'pings' flood 5000
stops '--sample: it ends'
judged '--sample' "$tmp/s" "$(captured)"
# 500, with a standard deviation of 21
n=$(fields "$tmp/s" -Y 'frame.interface_name=="lab0/rx"' -e frame.number | wc -l)
check '--sample: about one of 10' "$n > 350 && $n < 650"
is '--sample: the same ones at both points' \
	"$(fields "$tmp/s" -Y 'frame.interface_name=="lab0/rx"' -e frame.packet_id | sort)" \
	"$(fields "$tmp/s" -Y 'frame.interface_name=="lab0/verdict"' -e frame.packet_id | sort)"
is '--sample: the counts' "$(said | sed 's/ (of .*)//')" "$((2 * n)) packets captured
10000 packets received by filter
$((10000 - 2 * n)) packets left out by sampling
0 packets dropped by kernel"
is '--sample: the file says so' "$(capinfos "$tmp/s" | sed -n 's/ *Description = .*; //p' | sort -u)" \
	'one packet of 10, at random'
exits '--sample: not 0' 2 'ndiv capture: --sample: "0" is out of range; it has to be from 1 to 1000000000' \
	nd capture lab0 --sample 0

# --- compressed

start lab0 --zstd -w "$tmp/z.zst" icmp
ok 'pings' flood 5000
stops '--zstd: it ends'
ok '--zstd: zstd has nothing to complain about' zstd -qt "$tmp/z.zst"
zstd -qdc "$tmp/z.zst" >"$tmp/z"
judged '--zstd' "$tmp/z" 5000
is '--zstd: tshark reads it as it is' "$(sequence "$tmp/z.zst" | uniq | wc -l)" 5000
check '--zstd: it is shorter' "2 * $(stat -c %s "$tmp/z.zst") < $(stat -c %s "$tmp/z")"
start lab0 --zstd -c 100 -w - icmp
ok 'pings' flood 200
ends '--zstd -w -: it ends' 0
zstd -qdc "$tmp/out" >"$tmp/z"
judged '--zstd -w -' "$tmp/z" 100

start lab0 --zstd -C 1 -w "$tmp/y.zst" icmp
ok 'pings' flood 10000
stops '--zstd -C: it ends'
n=0
for file in "$tmp"/y.zst*; do
	zstd -qdc "$file" >"$tmp/z"
	n=$((n + $(tcpdump -nr "$tmp/z" 2>/dev/null | wc -l)))
	check "--zstd -C: $(basename "$file") had not more than a block too much" "$(stat -c %s "$tmp/z") <= 1000000 + 600"
done
check '--zstd -C: several files' "$(find "$tmp" -name 'y.zst*' | wc -l) > 1"
is '--zstd -C: all packets are in them' "$n" 10000

# A frame ends after a second, so what is killed later has left something that can be read.
start lab0 --zstd -w "$tmp/k.zst" icmp
ok 'pings' flood 1000
readable() { zstd -qdc "$tmp/k.zst" >"$tmp/z" 2>/dev/null && holds "$tmp/z" 1000; }
ok '--zstd: packets are in the file soon' wait_for readable
kill -9 "$capture"
ends '--zstd, killed' 137
judged '--zstd, killed' "$tmp/z" 1000

mkdir "$tmp/full"
mount -t tmpfs -o size=256k none "$tmp/full"
start lab0 --zstd -w "$tmp/full/a.zst"
c ping -q -f -c 30000 -s 1000 10.77.0.2 >/dev/null
ends '--zstd, full disk: it ends' 1
is '--zstd, full disk: it says so' "$(said | head -n 1)" \
	"ndiv: capture: cannot write $tmp/full/a.zst: No space left on device"
check '--zstd, full disk: something is there' "$(captured) > 1000"
ok '--zstd, full disk: the last frame is whole' zstd -qt "$tmp/full/a.zst"
zstd -qdc "$tmp/full/a.zst" >"$tmp/z"
judged '--zstd, full disk' "$tmp/z" "$(captured)"
umount "$tmp/full"
exits '--zstd and no file' 2 'ndiv capture: --zstd needs a file, or standard output: -w FILE' nd capture lab0 --zstd

# --- a file for each CPU: a veth pair is received on the CPU that sends

start lab0 --per-cpu -w "$tmp/p.pcapng" icmp
c taskset -c 0 ping -q -f -c 2000 10.77.0.2 >/dev/null
c taskset -c 1 ping -q -f -c 3000 10.77.0.2 >/dev/null
stops '--per-cpu: it ends'
is '--per-cpu: the files' "$(cd "$tmp" && echo p.*)" 'p.cpu0.pcapng p.cpu1.pcapng'
is '--per-cpu: the counts' "$(said | sed 's/ (of .*)//')" "$(counts 5000 5000 0)"
for cpu in 0 1; do
	judged "--per-cpu, CPU $cpu" "$tmp/p.cpu$cpu.pcapng" "$(tcpdump -nr "$tmp/p.cpu$cpu.pcapng" 2>/dev/null | wc -l)"
done
is '--per-cpu: all packets are in them' "$(sequence "$tmp"/p.cpu?.pcapng)" "$({ seq 2000; seq 3000; } | sort -n)"
check '--per-cpu: both have some' "$(sequence "$tmp/p.cpu0.pcapng" | wc -l) > 1000 && $(sequence "$tmp/p.cpu1.pcapng" | wc -l) > 1000"

start lab0 --per-cpu --zstd -C 1 -w "$tmp/q" icmp
c taskset -c 1 ping -q -f -c 10000 -s 64 10.77.0.2 >/dev/null
stops '--per-cpu --zstd -C: it ends'
for file in "$tmp"/q.*; do zstd -qdc "$file" >"$file.plain"; done
is '--per-cpu --zstd -C: all packets are in them' "$(sequence "$tmp"/q.*.plain)" "$(seq 10000)"
check '--per-cpu --zstd -C: several files' "$(find "$tmp" -name 'q.cpu1*.plain' | wc -l) > 1"

mkdir -p "$tmp/full"
mount -t tmpfs -o size=64k none "$tmp/full"
start lab0 --per-cpu -w "$tmp/full/a"
c ping -q -f -c 2000 10.77.0.2 >/dev/null
ends '--per-cpu, full disk: it ends' 1
is '--per-cpu, full disk: it says so' "$(said | grep "cannot write" | sort -u | sed "s,$tmp,,; s,cpu.,cpuN,")" "ndiv: capture: cannot write /full/a.cpuN: No space left on device"
umount "$tmp/full"

exits '--per-cpu and no file' 2 'ndiv capture: --per-cpu needs a file: -w FILE' nd capture lab0 --per-cpu
exits '--per-cpu to standard output' 2 'ndiv capture: --per-cpu needs a file: -w FILE' nd capture lab0 --per-cpu -w -
exits '--per-cpu with a number' 2 'ndiv capture: --count: no number of packets ends the files of --per-cpu' \
	nd capture lab0 --per-cpu -c 3 -w "$tmp/x"
ok 'nothing is left' nothing_left
done_testing

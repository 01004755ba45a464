#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# shellcheck disable=SC2016 # messages with backquotes
#
# e2e-capture-record.t: a flight recorder: nothing is written until something happens; then what was there before
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/capture.sh
. "$(dirname "$0")/capture.sh"

# record ARGUMENT...: in the background, when it is at work.
record() {
	: >"$tmp/said"
	"$build/ndiv" -n "$LAB-s" capture record lab0 "$@" >"$tmp/out" 2>"$tmp/said" &
	capture=$!
	wait_for grep -q 'recording lab0' "$tmp/said"
}

said() { grep -v 'recording lab0' "$tmp/said"; }
save() { nd capture save lab0 "$@"; }
# without_time: of what `capture save` says.
without_time() { sed 's/ of [0-9.]* s$/ of T s/'; }
sequence() { fields "$1" -Y icmp.type==8 -e icmp.seq | sort -n; }

lab_up "$@" || bail 'no lab'

# --- by a command

record -w "$tmp/a" icmp
ok 'pings' flood 1000
ok 'nothing is written' test ! -e "$tmp/a"
is 'save' "$(save | without_time)" "$tmp/a: 1000 packets of T s"
judged 'save' "$tmp/a" 1000
is 'save: each packet, once' "$(sequence "$tmp/a")" "$(seq 1000)"
ok 'pings' flood 10
is 'save again: another file' "$(save | without_time)" "$tmp/a1: 1010 packets of T s"
is 'what is old is still there' "$(fields "$tmp/a1" -e frame.number | wc -l)" 1010
is 'it has said so, too' "$(said | without_time)" "ndiv: capture: asked to save: $tmp/a: 1000 packets of T s
ndiv: capture: asked to save: $tmp/a1: 1010 packets of T s"
aged() { rm -f "$tmp"/a?*; [ "$(save -t 0.05 | without_time | sed 's/.*: //')" = '0 packets of T s' ]; }
ok 'the last 50 ms: after a while, nothing' wait_for aged
is '... which is a file' "$(tshark -nr "$(find "$tmp" -name 'a?*')" 2>&1 | grep -v '^Running as')" ''
exits 'another one' 1 'ndiv: lab0: a capture runs on it, without handlers: end it first (`pgrep -af "ndiv.* capture"`)' \
	nd capture record lab0 -w "$tmp/x"
stops 'it ends'
ok 'nothing is left' nothing_left
exits 'nobody records' 1 'ndiv: lab0: nobody records it (`ndiv capture record lab0 -w FILE` does)' nd capture save lab0

# --- more than there is room for

record -B 64 -s 64 -w "$tmp/b" icmp
for _ in 1 2 3; do c taskset -c 0 ping -q -f -c 3000 -s 64 10.77.0.2 >/dev/null; done
c taskset -c 0 ping -q -f -c 5000 -s 64 10.77.0.2 >/dev/null
said=$(save)
n=$(fields "$tmp/b" -e frame.number | wc -l)
is 'a ring that was gone around: what it says' "$(without_time <<<"$said")" "$tmp/b: $n packets of T s"
judged 'a ring that was gone around' "$tmp/b" "$n"
check 'a ring that was gone around: it is nearly full' "$(stat -c %s "$tmp/b") > 60000 && $n < 5000"
is 'a ring that was gone around: the last ones, without a gap' "$(sequence "$tmp/b")" "$(seq $((5001 - n)) 5000)"
stops 'it ends'

# --- several files; signals

record -W 2 -w "$tmp/c" icmp
for n in 10 20 30; do
	flood "$n" >/dev/null
	save
done >/dev/null
is '-W: the names' "$(cd "$tmp" && echo c?)" 'c0 c1'
is '-W: the first one is written over' "$(fields "$tmp/c0" -e frame.number | wc -l) $(fields "$tmp/c1" -e frame.number | wc -l)" '60 30'
kill -USR1 "$capture"
ok 'SIGUSR1' wait_for grep -q ' signal: .*/c1: 60 packets' "$tmp/said"
stops 'it ends'
record --zstd -w "$tmp/d-%Y.zst" icmp
ok 'pings' flood 100
is 'a name with the time, compressed' "$(save | without_time)" "$tmp/d-$(date +%Y).zst: 100 packets of T s"
zstd -qdc "$tmp/d-$(date +%Y).zst" >"$tmp/z"
judged 'compressed' "$tmp/z" 100
stops 'it ends'

# --- drops

ok 'attach ping' nd attach lab0 ping rate=1 burst=1
record -P verdict --on-drop over-rate --rate 20 -w "$tmp/e" icmp
# unanswered, a flood of pings is one of 100 in a second
c ping -q -f -c 150 -W 1 10.78.1.2 >/dev/null 2>&1
ok 'drops: they make a file' wait_for grep -q "packets dropped for over-rate: $tmp/e: " "$tmp/said"
check 'drops: they are in it' "$(fields "$tmp/e" -Y 'frame.comment=="ping: drop over-rate"' -e frame.number | wc -l) >= 20"
# with some quiet seconds before
again() {
	c ping -q -c 2 -i 2.5 -W 1 10.78.1.2 >/dev/null 2>&1
	c ping -q -f -c 150 -W 1 10.78.1.2 >/dev/null 2>&1
	grep -q "packets dropped for over-rate: $tmp/e1: " "$tmp/said"
}
ok 'drops: later on, another one' wait_for -t 20 again
exits 'a capture meanwhile' 1 "ndiv: lab0: process $capture captures on it: one at a time" nd capture lab0 -w "$tmp/x"
ok 'detach meanwhile' nd detach lab0
ends 'detached: it ends' 1
is 'detached: it says so' "$(said | tail -n 1)" 'ndiv: capture: ndiv was detached from the interface'
exits 'no such reason' 1 'ndiv: lab0: nothing on it drops for a reason "nix" (`ndiv show -a lab0` lists what there is)' \
	nd capture record lab0 -w "$tmp/x" --on-drop nix

# --- disks, users, kills

mkdir "$tmp/full"
mount -t tmpfs -o size=64k none "$tmp/full"
record -w "$tmp/full/a"
ok 'pings' flood 2000
exits 'full disk: who asked is told' 1 "ndiv: lab0: cannot save to $tmp/full/a: see what the recorder said" nd capture save lab0
is 'full disk: it says why' "$(said | head -n 1)" "ndiv: capture: cannot write $tmp/full/a: No space left on device"
n=$(tcpdump -nr "$tmp/full/a" 2>/dev/null | wc -l)
check 'full disk: something is there' "$n > 100"
judged 'full disk' "$tmp/full/a" "$n"
umount "$tmp/full"
is 'full disk: it goes on' "$(save -t 0 | grep -c "$tmp/full/a: ")" 1
kill -9 "$capture"
ends 'killed' 137
ok 'killed: nothing is left' wait_for nothing_left

mkdir -m 777 "$tmp/user"
chmod 711 "$tmp"
SUDO_UID=65534 SUDO_GID=65534 record -w "$tmp/user/a" icmp
is 'root no more' "$(ps -o uid= -p "$capture" | tr -d ' ')" 65534
ok 'pings' flood 10
exits 'another user cannot ask' 1 'ndiv: lab0: the recorder hung up: it has ended, or runs as another user (root may ask any)' \
	s setpriv --reuid 1234 --clear-groups "$build/ndiv" capture save lab0
is 'root can' "$(save | without_time)" "$tmp/user/a: 10 packets of T s"
is 'the file is of the user who called sudo' "$(stat -c %u:%g "$tmp/user/a")" 65534:65534
stops 'it ends'

s ip link add gone0 type veth peer name gone1
s ethtool -K gone0 rxvlan off
"$build/ndiv" -n "$LAB-s" capture record gone0 -w "$tmp/x" 2>"$tmp/said" &
capture=$!
wait_for grep -q 'recording gone0' "$tmp/said"
s ip link del gone0
ends 'an interface that vanishes: it ends' 1
is 'an interface that vanishes: it says so' "$(tail -n 1 "$tmp/said")" 'ndiv: capture: the interface has vanished'

# --- what goes wrong

exits 'no file' 2 'ndiv capture record: a file is missing: -w FILE' nd capture record lab0
exits 'no file, but standard output' 2 'ndiv capture record: a file is missing: -w FILE' nd capture record lab0 -w -
exits 'no interface' 2 'ndiv capture record: IF is missing' nd capture record -w "$tmp/x"
exits 'no such interface' 1 'ndiv: nix0: no such interface in this network namespace (`ip link` lists them)' \
	nd capture save nix0
exits 'no such point' 2 'ndiv capture record: --points: "xx" is no list of rx, verdict and tx' \
	nd capture record lab0 -w "$tmp/x" -P xx
exits 'time and number' 2 'ndiv capture record: --files: names with % are not written over again' \
	nd capture record lab0 -w "$tmp/%s" -W 3
is 'completion' "$("$build/ndiv" complete -- capture record --on)" --on-drop
ok 'nothing is left' nothing_left
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# shellcheck disable=SC2016 # messages with backquotes
#
# e2e-capture-clock.t: whose clock tells the time of captured packets: ndiv capture -j
#
# veth has the kernel's function for time stamps, and no card: so each packet bears the host's time, and says so.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/capture.sh
. "$(dirname "$0")/capture.sh"

card=(-j adapter_unsynced)
# now_and FILE: the time of its first packet, in whole seconds, is not later than now, and not older than ten minutes.
recent() { fields "$1" -c 1 -e frame.time_epoch | awk -v now="$(date +%s)" '{ exit !($1 <= now + 1 && $1 > now - 600) }'; }
names() { fields "$1" -e frame.interface_name | sort -u; }
asks() { nd show lab0 | grep -q 'asks the card'; }
does_not_ask() { ! asks; }

lab_up "$@" || bail 'no lab'

# --- ndiv is not attached

start lab0 "${card[@]}" -w "$tmp/a" icmp
exits 'another capture' 1 'ndiv: lab0: a capture runs on it, without handlers: end it first (`pgrep -af "ndiv.* capture"`)' nd capture lab0
ok 'pings' flood 500
stops 'it ends'
is 'without a time of the card: counted' "$(said | tail -n 1)" \
	"500 packets without a time of the card: the host's clock, as interface IF/POINT-host"
is 'without a time of the card: an interface of its own' "$(names "$tmp/a")" lab0/rx-host
is 'its statistics' "$(capinfos "$tmp/a" | sed -n 's/ *\(Name\|Number of packets\) = //p' | paste -sd,)" 'lab0/rx,0,lab0/rx-host,500'
ok "it is the host's time" recent "$tmp/a"
judged 'no stamps' "$tmp/a" 500
ok 'nothing is left' nothing_left

start lab0 -j host_lowprec -w "$tmp/b" icmp
ok 'pings' flood 100
stops 'host_lowprec: it ends'
is 'host_lowprec: one interface' "$(names "$tmp/b")" lab0/rx
judged 'host_lowprec' "$tmp/b" 100

# --- ndiv is attached: the card is asked as long as that is wanted

ok 'attach ping' nd attach lab0 ping rate=0
ok 'the card is not asked' does_not_ask
start lab0 "${card[@]}" -P rx,verdict -w "$tmp/c" icmp
ok 'it is asked during the capture' asks
ok 'pings' flood 500
ok 'another handler' nd attach lab0 "$handlers/drop.bpf.o"
ok 'it is still asked' asks
ok 'detach that' nd detach lab0 drop
ok 'it is still asked' asks
stops 'it ends'
ok 'the card is asked no more' does_not_ask
is 'both points' "$(fields "$tmp/c" -e frame.interface_name | sort | uniq -c | tr -s ' \n' ' ')" ' 500 lab0/rx-host 500 lab0/verdict-host '
judged 'attached' "$tmp/c" 1000
mkdir -m 777 "$tmp/user"
chmod 711 "$tmp"
SUDO_UID=65534 SUDO_GID=65534 start lab0 "${card[@]}" -w "$tmp/user/a"
ok 'pings' flood 100
stops 'by sudo: it ends'
ok 'by sudo: the card is asked no more' does_not_ask

start lab0 "${card[@]}" -w "$tmp/k"
kill -9 "$capture"
ends 'killed' 137
start lab0 -w "$tmp/l"
ok 'the next capture puts it right' does_not_ask
stops 'it ends'

# --- the flight recorder

: >"$tmp/said"
"$build/ndiv" -n "$LAB-s" capture record "${card[@]}" -w "$tmp/r" lab0 icmp >"$tmp/out" 2>"$tmp/said" &
capture=$!
saved() { nd capture save lab0 >"$tmp/save" 2>&1; }
ok 'recorder: it is there' wait_for saved
ok 'pings' flood 100
ok 'recorder: save' saved
check 'recorder: it tells how many have no time of the card' \
	"$(sed -n 's/.*, \([0-9]*\) of them without a time of the card/\1/p' "$tmp/save") == 100"
stops 'recorder: it ends'
ok 'detach' nd detach lab0
ok 'nothing is left' nothing_left

# --- where there is none

exits 'of what is sent' 1 'ndiv: lab0: the card stamps what it receives: no time of it at the point tx, which is to be captured' \
	nd capture lab0 -P rx,tx "${card[@]}"
exits 'no such clock' 2 'ndiv capture: --time-stamp-type: "adapter" is none of host|host_lowprec|adapter_unsynced' nd capture lab0 -j adapter
exits 'a driver that has none' 1 'ndiv: lo: no time stamps of the card: its driver gives XDP none (`ndiv probe lo`: hint-timestamp); leave out -j, or take tcpdump -j adapter_unsynced, which has it of the socket' \
	nd capture lo "${card[@]}"
ok 'attach ping, generic' nd attach lab0 ping rate=0 --mode generic
exits 'generic mode' 1 'ndiv: lab0: no time stamps of the card: ndiv is attached to it in generic mode, or in a way that the driver has none; leave out -j, or take tcpdump -j adapter_unsynced, which has it of the socket' \
	nd capture lab0 "${card[@]}"
ok 'detach' nd detach lab0
ok 'nothing is left' nothing_left
done_testing

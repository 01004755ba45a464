#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-capture-lossless.t: every packet is in the file, once, and as it was sent: they have numbers, and all their bytes
# are known
#
# However slow this machine is, nothing may be lost: what is sent at once fits the ring, and the next comes when the
# file has it. So the ring, 4 MB, is gone around again and again.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/capture.sh
. "$(dirname "$0")/capture.sh"

port=7999
rounds=8
sent=0

# numbered COUNT LENGTH
numbered() {
	c "$top/t/sequence.py" send 10.77.0.2 $port "$sent" "$1" "$2"
	sent=$((sent + $1))
}

# plain FILE...: the packets of these files as one pcap file, in the order of time
plain() {
	case $1 in
	*.zst) zstd -qdc "$1" 2>/dev/null | tcpdump -r - -w - 2>/dev/null ;;
	*.cpu*) mergecap -F nsecpcap -w - "$@" ;;
	*) tcpdump -r "$1" -w - 2>/dev/null ;;
	esac
}

has_all() { [ "$(plain "$@" | "$top/t/sequence.py" check $port "$sent" | cut -d' ' -f1)" = "$sent" ]; }

# proof NAME FILES ARGUMENT...: 64-byte frames, full ones, and any in between. Less than 4 MB in each round.
proof() {
	local name=$1 files=$2 round missing=''

	sent=0
	start lab0 -B 4096 "${@:3}" udp port $port
	for ((round = 0; round < rounds; round++)); do
		numbered 5000 22
		numbered 1000 1472
		numbered 1000 0
		# shellcheck disable=SC2086 # a pattern
		wait_for -t 30 has_all $files || missing+=" $round"
	done
	is "$name: after each round all are there" "$missing" ''
	stops "$name: it ends"
	is "$name: the counts" "$(said | sed 's/ (of .*)//')" "$(counts $sent $sent 0)"
	# shellcheck disable=SC2086
	is "$name: each once, whole, in order" "$(plain $files | "$top/t/sequence.py" check $port "$sent")" \
		"$sent there, 0 missing, 0 twice, 0 wrong, 0 late"
}

lab_up "$@" || bail 'no lab'
proof 'a file' "$tmp/a" -w "$tmp/a"
check 'a file: the ring was gone around' "$(stat -c %s "$tmp/a") > 3 * 4194304"
proof 'a file for each CPU' "$tmp/b.cpu*" --per-cpu -w "$tmp/b"
proof 'compressed' "$tmp/c.zst" --zstd -w "$tmp/c.zst"
ok 'attach ping' nd attach lab0 ping
proof 'behind the handlers' "$tmp/d" -P verdict -w "$tmp/d"
ok 'detach' nd detach lab0

# That the check can fail: a file that lacks one, has one twice, and one that is wrong.
start lab0 -w "$tmp/e" udp port $port
sent=0
numbered 100 100
sent=50
numbered 1 100
stops 'an odd file: it ends'
editcap -F nsecpcap "$tmp/e" "$tmp/odd" 7
printf '\xff' | dd of="$tmp/odd" bs=1 seek=$((24 + 16 + 60)) conv=notrunc 2>/dev/null
is 'what is wrong is seen' "$("$top/t/sequence.py" check $port 100 <"$tmp/odd")" '98 there, 2 missing, 1 twice, 1 wrong, 0 late'
done_testing

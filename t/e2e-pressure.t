#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-pressure.t: packets that get lost behind the verdict are counted, and handlers are told
#
#	client: refuses what is sent to it  ---- veth ----  lab0: ndiv, test handlers that reply
#
# A veth takes packets of XDP_TX and of a redirect only if its other end polls for them: with an XDP program, or GRO. And
# it has room for 256 of them. The test handler "reply" replies if ndiv_can_reply(), else it drops the packet with the
# reason "pressure". The mark lasts for three ticks, which is 3 to 30 ms.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

REPLY_PORT=7004
BURST_PORT=7006

verdict() { count ".handlers.$1.verdicts.$2.packets"; }
pressed() { count .handlers.reply.reasons.pressure; }
live() { nd show --json lab0 | jq '.[0].rx.tx_lost'; }

# client_refuses, client_takes: what comes by XDP.
client_refuses() {
	c ip link set lab0 xdpdrv off
	c ethtool -K lab0 gro off
}

# ip mounts a BPF file system and makes directories in it: not in the host's.
client_takes() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount sh -c 'mount -t bpf bpf /sys/fs/bpf && exec nsenter --net="$0" -- "$@"' "/run/netns/$LAB-c" \
		ip link set lab0 xdpdrv object "$build/bpf/lab_pass.bpf.o" section xdp.frags
}

# answered: an echo of the handler comes back, as soon as the mark has gone.
answered() { [ "$(udp ask 10.77.0.2 "$REPLY_PORT" 1 --wait 0.2 --linger 0.001 | jq .received)" = 1 ]; }

no_pressure() {
	is 'all is well: each comes back' "$(udp ask 10.77.0.2 "$REPLY_PORT" 500 | jq .received)" 500
	is 'all is well: nothing is lost' "$(live)" 0
	is 'all is well: no pressure' "$(pressed)" 0
}

# Each packet was either replied to, and that was lost, or the handler knew better.
refused() {
	local sent=2000 lost pressure replied

	client_refuses
	udp send 10.77.0.2 "$REPLY_PORT" "$sent"
	ok 'refused: all have come in' wait_for all_decided "$sent"
	lost=$(live) pressure=$(pressed) replied=$(($(verdict reply reply) - 500))
	check 'refused: show tells of losses' "$lost > 0"
	check 'refused: the handler sees the pressure' "$pressure > 0"
	is 'refused: each reply was lost, and is counted as such' "$lost" "$replied"
	is 'refused: and none besides' "$((replied + pressure))" "$sent"
	check 'refused: most of them were not even made' "$pressure > replied"
	udp send 10.77.0.2 "$REPLY_PORT" "$sent"
	ok 'refused: all have come in' wait_for all_decided $((2 * sent))
	check 'refused again: it rises, live' "$(live) > $lost"
	is 'refused: in the text, too' "$(nd show lab0 | grep -o '[0-9]* lost in transmission')" "$(live) lost in transmission"
}

# all_decided N: by reply, since no_pressure.
all_decided() { [ $(($(verdict reply reply) + $(verdict reply drop) - 500)) = "$1" ]; }

recovered() {
	local lost

	client_takes
	ok 'taken again: it answers' wait_for answered
	lost=$(live)
	is 'taken again: each comes back' "$(udp ask 10.77.0.2 "$REPLY_PORT" 500 | jq .received)" 500
	is 'taken again: nothing is lost any more' "$(live)" "$lost"
}

# blast: 20 times 60 datagrams for burst that the kernel makes of one, so that they come in as one batch, each time with
# some for reply at once behind them.
blast() {
	c python3 - "$BURST_PORT" "$REPLY_PORT" <<-'EOF'
		import socket, sys
		UDP_SEGMENT = 103
		sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 40)
		for _ in range(20):
		    for port in sys.argv[1:]:
		        sock.sendto(bytes(40 * 60), ("10.77.0.2", int(port)))
	EOF
}

# overrun LOST PRESSURE: more in one go than the client's ring takes, until both have risen.
overrun() {
	blast || return 1
	[ "$(live)" -gt "$1" ] && [ "$(pressed)" -gt "$2" ]
}

ring_full() {
	local lost pressure

	ok 'bursts of 16' nd attach lab0 "$handlers/burst.bpf.o" count=16 size=1400 step=20
	lost=$(live) pressure=$(pressed)
	ok 'a full ring: losses are counted, and another handler of the chain sees the pressure' \
		wait_for -t 30 overrun "$lost" "$pressure"
	check 'a full ring: what is lost was sent' "$(live) < $(count .sent.packets)"
	is 'a full ring: no other reason' "$(count '.core.reasons | add')" 0
	ok 'a full ring: over soon' wait_for answered
	is 'a full ring: each comes back again' "$(udp ask 10.77.0.2 "$REPLY_PORT" 200 | jq .received)" 200
}

lab_up --mtu 1500 || bail 'no lab'
ok 'attach' nd attach lab0 "$handlers/reply.bpf.o" --mode native
no_pressure
refused
recovered
ring_full
ok 'detach' nd detach lab0
ok 'nothing is left' nothing_left
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-loss.t: what the driver refuses after the verdict is counted, and tells the handlers to hold back
#
# Natively, a veth refuses what XDP sends as long as its other end does not receive raw frames: so the client's program is
# taken away for a while. It is another lab's business only if it happens there.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

# The client's lab0 receives raw frames, or does not.
deaf() { c ip link set lab0 xdpdrv off && c ethtool -K lab0 gro off; }
hearing() { c ip link set lab0 xdpdrv object "$build/bpf/lab_pass.bpf.o" section xdp.frags; }

lab_up "$@" || bail 'no lab'
first=$LAB
lab_up "$@" || bail 'no second lab'
second=$LAB
for LAB in "$first" "$second"; do
	for name in reply long burst; do
		nd attach lab0 "$handlers/$name.bpf.o" || fail "attach $name"
	done
	nd attach lab0 ping rate=0 || fail 'attach ping'
done

LAB=$first
is 'at first all arrive' "$(udp ask 10.77.0.2 7004 100 | jq .received)" 100
is 'nothing is lost' "$(count .tx_lost)" 0
deaf || bail 'the client cannot be made deaf'

c "$top/t/udp.py" send 10.77.0.2 7004 1
ok 'a reply in place: lost, and counted' wait_for count_is .tx_lost 1
# the kernel sends no clones to a device that cannot have them, and says nothing: they are not counted as sent, though
sent=$(count .sent.packets)
c "$top/t/udp.py" send 10.77.0.2 7005 10
c "$top/t/udp.py" send 10.77.0.2 7006 10
ok 'a reply that grows: decided' wait_for count_is .handlers.long.verdicts.reply.packets 10
ok 'a burst: decided' wait_for count_is .handlers.burst.verdicts.burst.packets 10
is 'neither is counted as sent, unless as lost' "$(($(count .sent.packets) - sent - $(count .tx_lost) + 1))" 0

# a handler that asks ndiv_can_reply() before it does the work
c "$top/t/udp.py" send 10.77.0.2 7004 300
ok 'pressure: the handler holds back' wait_for count_reaches .handlers.reply.reasons.pressure 100
c ping -q -i 0.001 -c 200 -W 1 10.77.0.2 >"$tmp/ignored"
ok 'pressure: ping leaves it to the stack' wait_for count_reaches '.handlers.ping.counters."tx-full"' 1

hearing || bail 'the client stays deaf'
ok 'pressure: over' wait_for test "$(udp ask 10.77.0.2 7004 10 --wait 0.1 | jq .received)" -gt 0
is 'all arrive again' "$(udp ask 10.77.0.2 7004 100 | jq .received)" 100

LAB=$second
is 'the other lab, whose interface has the same index, lost nothing' \
	"$(count .tx_lost) $(json '.[0].ifindex')" "0 $(LAB=$first json '.[0].ifindex')"
is 'and never held back' "$(count .handlers.reply.reasons.pressure)" 0
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-ping.t: the handler ping answers real pings
#
#	client: ping  ---- veth ----  lab0: ndiv, ping | the stack, which answers as well
#
# That it was the handler is told by its counters, and by addresses that nobody owns.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

# flood NAME COUNT ARGUMENT...: not one is lost, not one comes twice, and the handler has sent each.
flood() {
	local name=$1 n=$2 before said

	shift 2
	before=$(count .handlers.ping.verdicts.reply.packets)
	said=$(c ping -q -f -c "$n" "$@" 2>&1)
	is "$name: all are answered, each once" \
		"$(grep -o '[0-9]* packets transmitted.*received\|duplicates\|errors' <<<"$said")" \
		"$n packets transmitted, $n received"
	is "$name: by the handler" "$(($(count .handlers.ping.verdicts.reply.packets) - before))" "$n"
}

# one ADDRESS [ARGUMENT...]: one ping; the TTL of the reply.
one() {
	c ping -n -c 1 -W 10 "$@" | grep -o 'ttl=[0-9]*'
}

# tagged NAME COUNT SIZE: frames with a VLAN tag, not by way of lab0.10: made by tc, that sends what generic XDP leaves alone.
tagged() {
	local before

	before=$(count .handlers.ping.verdicts.reply.packets)
	is "$1: all are answered, each once" "$(udp tagged lab0 10 0 "$2" --size "$3" | jq -c '[.sent, .received, .lost, .twice, .wrong]')" \
		"[$2,$2,0,0,0]"
	is "$1: by the handler" "$(($(count .handlers.ping.verdicts.reply.packets) - before))" "$2"
}

floods() {
	flood "$1, v4" 20000 -s 1400 10.77.0.2
	flood "$1, v6" 20000 -s 1400 fd77::2
	tagged "$1, vlan" 500 1400
	flood "$1, no data" 2000 -s 0 10.77.0.2
	flood "$1, an address that is nobody's" 2000 10.78.1.2
	flood "$1, a v6 address that is nobody's" 2000 fd78::1:2
	is "$1, ttl" "$(one 10.77.0.2)" ttl=64
	is "$1, hop limit" "$(one fd77::2)" ttl=64
}

lab_up "$@" || bail 'no lab'
for mode in native generic; do
	ok "attach, $mode" nd attach lab0 ping rate=0 --mode "$mode"
	is "it is $mode" "$(json '.[0].mode')" "$mode"
	floods "$mode"
	[ "$mode" = generic ] || flood 'native, lab0.10 v4' 2000 -s 1400 10.77.10.2
	[ "$mode" = generic ] || flood 'native, lab0.10 v6' 2000 -s 1400 fd77:10::2
	is "$mode, nothing was lost on the way out" "$(count .tx_lost)" 0
	each_once "$mode, no packet is unaccounted for"
	ok "detach, $mode" nd detach lab0
done

# above the limit
ok 'attach with a limit' nd attach lab0 ping rate=1 burst=50
c ping -q -f -c 500 -W 1 10.78.1.2 >"$tmp/limited" 2>&1
received=$(grep -o '[0-9]* received' "$tmp/limited" | cut -d' ' -f1)
check 'the burst is answered, and not much more' "$received >= 50 && $received < 75"
is 'the others are dropped, and counted' "$(count '.handlers.ping.reasons."over-rate"')" $((500 - received))
ok 'a limit changed while it runs' nd replace --keep lab0 ping rate=0
is 'the other option is kept' "$(json '.[0].chain[0].options.burst')" 50
ok 'not limited any more' c ping -q -f -c 2000 10.78.1.2

# the stack answers what the handler does not
s ip address add 10.77.0.200/24 dev lab0
is 'fragments are answered by the stack' "$(one -s 4000 10.77.0.200)" ttl=64
check 'and counted by the handler' "$(count .handlers.ping.counters.fragment) >= 1"
ok 'detach' nd detach lab0
ok 'nothing is left' nothing_left
lab_down

# jumbo frames
lab_up --mtu 9000 || bail 'no lab with jumbo frames'
for mode in native generic; do
	ok "jumbo: attach, $mode" nd attach lab0 ping rate=0 --mode "$mode"
	flood "jumbo $mode, v4" 2000 -M 'do' -s 8972 10.77.0.2
	flood "jumbo $mode, v6" 2000 -M 'do' -s 8952 fd77::2
	tagged "jumbo $mode, vlan" 200 8968
	ok "jumbo: detach, $mode" nd detach lab0
done
done_testing

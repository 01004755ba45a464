#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-contract.t: each verdict, and each hook, on a live interface, by the test handlers of t/handlers
#
#	client: udp.py  ---- veth ----  lab0: ndiv, a test handler | the stack: udp.py
#
# All of it in native and in generic mode. test_verdict.c has the details; here the question is whether the packets
# really get where they ought to.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

# attach NAME [OPTION...]: the test handler of that name, alone on lab0.
attach() {
	ok "$mode: attach $1" nd attach lab0 "$handlers/$1.bpf.o" --mode "$mode" "${@:2}"
}

detach() { nd detach lab0 || fail "$mode: detach"; }

# verdict HANDLER VERDICT: packets.
verdict() { count ".handlers.$1.verdicts.$2.packets"; }

# listen SIDE FILE ARGUMENT...: udp.py listen in the background; what it hears goes into FILE.
listen() {
	local side=$1 file=$2

	shift 2
	"${side}_bg" "$top/t/udp.py" listen "$@" >"$file"
	listener=$LAB_PID
	wait_for grep -q ready "$file"
}

hush() { kill "$listener" && wait "$listener" 2>/dev/null; }

# heard FILE N: so many datagrams.
heard() { [ "$(grep -c '^[0-9]' "$1")" = "$2" ]; }

# sum FILTER JSON: of what udp.py ask said.
said() { jq -c "$1" <<<"$2"; }

agent_is() { [ "$(json '.[0].agent | tostring')" = "$1" ]; }
tx_dropped() { [ "$(json '.[0].tx.handlers.tx.reasons.port')" = "$1" ]; }

all_back='[.sent, .received, .lost, .twice, .wrong]'

accept_and_drop() {
	attach accept
	listen s "$tmp/heard" 7001
	udp send 10.77.0.2 7001 100
	udp send fd77::2 7001 100
	ok "$mode: accept: the stack gets each" wait_for heard "$tmp/heard" 200
	is "$mode: accept: counted" "$(verdict accept pass)" 200
	hush
	detach

	attach drop
	listen s "$tmp/heard" 7003
	udp send 10.77.0.2 7003 100 --source-port 40000
	udp send 10.77.0.2 7003 50 --source-port 40001
	ok "$mode: drop: counted" wait_for count_is .handlers.drop.verdicts.drop.packets 150
	is "$mode: drop: with the reasons" "$(count '.handlers.drop.reasons | [.even, .odd]' | tr -d ' \n')" '[100,50]'
	ok "$mode: drop: nothing was heard" heard "$tmp/heard" 0
	hush
	detach
}

# What lab0 itself hears was untagged.
untag() {
	attach untag
	listen s "$tmp/heard" 7002 --dev lab0
	udp tagged lab0 10 7002 50 --wait 0.1 --linger 0.01 >"$tmp/ignored"
	ok "$mode: untag: the stack gets each without the tag" wait_for heard "$tmp/heard" 50
	is "$mode: untag: counted" "$(verdict untag pass)" 50
	hush
	detach
}

reply() {
	attach reply tag=84
	is "$mode: reply: each comes back once" "$(said "$all_back" "$(udp ask 10.77.0.2 7004 2000)")" '[2000,2000,0,0,0]'
	is "$mode: reply v6" "$(said "$all_back" "$(udp ask fd77::2 7004 2000)")" '[2000,2000,0,0,0]'
	is "$mode: reply, 1400 bytes" "$(said "$all_back" "$(udp ask 10.77.0.2 7004 500 --size 1400)")" '[500,500,0,0,0]'
	is "$mode: reply, tagged" "$(said "$all_back" "$(udp tagged lab0 10 7004 500)")" '[500,500,0,0,0]'
	is "$mode: reply: by the handler" "$(said .tags "$(udp ask 10.77.0.2 7004 10)")" '{"T":10}'
	is "$mode: reply: counted" "$(verdict reply reply)" 5010
	is "$mode: reply: as sent, too" "$(count .sent.packets)" 5010
	is "$mode: reply: nothing lost" "$(count .tx_lost)" 0
	detach
}

# On veth a reply that grows takes the way of the clones; in generic mode, that of tc.
long() {
	attach long size=1500
	is "$mode: long: each is answered whole" \
		"$(said '[.sent, .received, .wrong, (.lengths | unique)]' "$(udp ask 10.77.0.2 7005 1000 --pattern)")" \
		'[1000,1000,0,[1458]]'
	is "$mode: long, tagged" \
		"$(said '[.sent, .received, .wrong, (.lengths | unique)]' "$(udp tagged lab0 10 7005 300 --pattern)")" \
		'[300,300,0,[1454]]'
	is "$mode: long: counted" "$(verdict long reply)" 1300
	is "$mode: long: as sent, too" "$(count '.sent | [.packets, .bytes]' | tr -d ' \n')" '[1300,1950000]'
	is "$mode: long: no reason to drop" "$(count '.core.reasons | add')" 0
	detach
	attach long refuse=yes
	is "$mode: long: the builder refuses" "$(udp ask 10.77.0.2 7005 20 --wait 0.1 | jq .received)" 0
	is "$mode: long: which is counted" "$(count .core.reasons.build)" 20
	detach
}

burst() {
	attach burst count=4 size=1200 step=50
	is "$mode: burst: all packets of each, in order" \
		"$(said '[.sent, .received, .wrong, .lengths[0:8]]' "$(udp ask 10.77.0.2 7006 1000 --pattern --each 4)")" \
		'[1000,4000,0,[1158,1108,1058,1008,1158,1108,1058,1008]]'
	is "$mode: burst, tagged" \
		"$(said '[.sent, .received, .wrong, .lengths[0:5]]' "$(udp tagged lab0 10 7006 100 --pattern --each 4)")" \
		'[100,400,0,[1154,1104,1054,1004,1154]]'
	is "$mode: burst: counted" "$(verdict burst burst)" 1100
	is "$mode: burst: each packet as sent" "$(count '.sent | [.packets, .bytes]' | tr -d ' \n')" '[4400,4950000]'
	detach
	attach burst count=16 size=1400 step=20
	is "$mode: burst of 16" \
		"$(said '[.sent, .received, .wrong, .tags.A, .tags.P]' "$(udp ask 10.77.0.2 7006 200 --pattern --each 16)")" \
		'[200,3200,0,200,200]'
	is "$mode: burst of 16: no reason to drop" "$(count '.core.reasons | add')" 0
	is "$mode: burst of 16: nothing lost" "$(count .tx_lost)" 0
	detach
}

postpone() {
	attach postpone rounds=3 delay=20
	is "$mode: postpone, no agent: nothing comes back" "$(udp ask 10.77.0.2 7007 20 --wait 0.1 | jq .received)" 0
	is "$mode: postpone, no agent: counted" "$(count '.core.reasons."no-agent"')" 20
	agent_start "$mode: the agent starts"
	ok "$mode: show knows it" wait_for agent_is true
	is "$mode: postpone: seen again, three times" \
		"$(said "$all_back, .tags" "$(udp ask 10.77.0.2 7007 500 --wait 3)" | tr -d '\n')" '[500,500,0,0,0]{"3":500}'
	is "$mode: postpone: counted" "$(verdict postpone postpone)" 1500
	is "$mode: postpone: seen first, seen again" \
		"$(count '.handlers.postpone.counters | [.first, .again]' | tr -d ' \n')" '[520,1500]'
	is "$mode: postpone, tagged" "$(said "$all_back" "$(udp tagged lab0 10 7007 50 --wait 3)")" '[50,50,0,0,0]'
	detach
	attach postpone rounds=9
	ok "$mode: the agent finds what is attached later" wait_for agent_is true
	is "$mode: postpone without end: nothing comes back" "$(udp ask 10.77.0.2 7007 20 --wait 0.3 | jq .received)" 0
	ok "$mode: postpone without end: counted" wait_for count_is '.core.reasons."postpone-rounds"' 20
	agent_stop "$mode: the agent ends"
	ok "$mode: show knows it" wait_for agent_is false
	detach
}

# Each datagram is answered twice: itself, and its copy.
repeat() {
	attach repeat port=7004 delay=20
	nd attach lab0 "$handlers/reply.bpf.o" || fail "$mode: attach reply"
	is "$mode: repeat, no agent: no copy, and nothing lost" "$(said "$all_back" "$(udp ask 10.77.0.2 7004 20)")" \
		'[20,20,0,0,0]'
	is "$mode: repeat, no agent: counted" "$(count '.core.reasons."no-agent"')" 20
	is "$mode: repeat, no agent: they went on" "$(count .handlers.reply.verdicts.reply.packets)" 20
	agent_start "$mode: the agent starts"
	ok "$mode: show knows it" wait_for agent_is true
	is "$mode: repeat: each twice" "$(said "$all_back" "$(udp ask 10.77.0.2 7004 500 --each 2)")" '[500,1000,0,0,0]'
	is "$mode: repeat: counted" "$(verdict repeat repeat)" 500
	is "$mode: repeat: seen first, seen again" \
		"$(count '.handlers.repeat.counters | [.first, .again]' | tr -d ' \n')" '[520,500]'
	agent_stop "$mode: the agent ends"
	detach
}

# A second veth pair on the server's side; frames that are forwarded to one end arrive at the other.
forward() {
	s ip link add fwd0 type veth peer name fwd1
	s ip link set fwd0 up
	s ip link set fwd1 up
	# a redirect to a veth needs the other end to receive raw frames
	s ethtool -K fwd1 gro on
	attach forward to="$(s ip -j link show fwd0 | jq '.[0].ifindex')"
	s_bg "$top/t/udp.py" frames fwd1 7008 >"$tmp/frames"
	listener=$LAB_PID
	wait_for grep -q ready "$tmp/frames"
	udp send 10.77.0.2 7008 300 --size 500
	ok "$mode: forward: each arrives there" wait_for heard "$tmp/frames" 300
	is "$mode: forward: whole" "$(awk '/^[0-9]/ { print $1 }' "$tmp/frames" | sort -u)" 542
	is "$mode: forward: counted" "$(verdict forward forward)" 300
	hush
	detach
	s ip link delete fwd0
	attach forward to=9999
	udp send 10.77.0.2 7008 30
	ok "$mode: forward to nowhere: lost, and counted" wait_for count_is .tx_lost 30
	detach
}

rx_done() {
	attach rxdone
	c ping -q -f -c 3000 10.77.0.2 >"$tmp/ignored"
	is "$mode: rx_done: each packet belongs to one batch" "$(count '.handlers.rxdone.counters | .seen - .packets')" 0
	is "$mode: rx_done: no empty batch" "$(count .handlers.rxdone.counters.empty)" 0
	check "$mode: rx_done: once for a batch, not for a packet" \
		"$(count .handlers.rxdone.counters.batches) > 0 && $(count .handlers.rxdone.counters.batches) <= $(count .handlers.rxdone.counters.packets)"
	detach
}

# The tx handler drops what goes to port 7011. Replies pass it by, except those that generic mode makes at tc ingress.
tx_of_replies() {
	local dropped=0 ask=(udp ask 10.77.0.2 --source-port 7011 --wait 0.2)

	[ "$mode" = native ] || dropped=20
	nd attach lab0 "$handlers/reply.bpf.o" || fail "$mode: tx: attach reply"
	nd attach lab0 "$handlers/long.bpf.o" || fail "$mode: tx: attach long"
	nd attach lab0 "$handlers/burst.bpf.o" count=4 || fail "$mode: tx: attach burst"
	is "$mode: tx: sees no reply in place" "$("${ask[@]}" 7004 20 | jq .received)" 20
	is "$mode: tx: replies that grow" "$("${ask[@]}" 7005 20 | jq .received)" "$((20 - dropped))"
	is "$mode: tx: bursts" "$("${ask[@]}" 7006 20 --each 4 | jq .received)" "$((4 * (20 - dropped)))"
	is "$mode: tx: replies are counted where they pass" "$(json '.[0].tx.handlers.tx.reasons.port')" "$((80 + 5 * dropped))"
}

transmit() {
	attach tx
	listen c "$tmp/heard" 7011
	s "$top/t/udp.py" send 10.77.0.1 7011 40
	s "$top/t/udp.py" send fd77::1 7011 40
	ok "$mode: tx: dropped, and counted" wait_for tx_dropped 80
	ok "$mode: tx: nothing was heard" heard "$tmp/heard" 0
	hush
	# an answer is welcome only once something was sent there
	c "$top/t/udp.py" send 10.77.0.2 9999 5 --source-port 7012
	ok "$mode: tx: unknown before" wait_for count_is .handlers.tx.reasons.unknown 5
	s "$top/t/udp.py" send 10.77.0.1 7012 3
	is "$mode: tx: learned" "$(json '.[0].tx.handlers.tx.counters.learned')" 3
	c "$top/t/udp.py" send 10.77.0.2 9999 5 --source-port 7012
	ok "$mode: tx: known afterwards" wait_for count_is .handlers.tx.counters.known 5
	ok "$mode: tx: all else goes out" c ping -q -f -c 500 10.77.0.2
	tx_of_replies
	detach
}

in_counts() { [ "$(json '.[0].in.handlers.in | .counters.seen, .reasons.port, .verdicts.pass.packets' | xargs)" = "$1" ]; }

ingress() {
	attach in
	listen s "$tmp/heard" 7013
	udp send 10.77.0.2 7013 40
	udp send fd77::2 7013 30
	udp send 10.77.10.2 7013 20
	ok "$mode: in: the stack gets what is passed" wait_for heard "$tmp/heard" 90
	hush
	listen s "$tmp/heard" 7014
	udp send 10.77.0.2 7014 40
	udp send fd77::2 7014 30
	udp send 10.77.10.2 7014 20
	ok "$mode: in: each is counted by itself" wait_for in_counts '180 90 90'
	ok "$mode: in: nothing of what is dropped was heard" heard "$tmp/heard" 0
	hush
	ok "$mode: in: all else" c ping -q -f -c 500 10.77.0.2
	detach
}

chain() {
	local name

	attach accept
	for name in drop reply long burst postpone forward bad mark rxdone tx malformed untag csum in; do
		nd attach lab0 "$handlers/$name.bpf.o" || fail "$mode: attach $name"
	done
	is "$mode: a chain of 15" "$(json '.[0].chain | length')" 15
	is "$mode: a chain of 15: reply" "$(said "$all_back" "$(udp ask 10.77.0.2 7004 500)")" '[500,500,0,0,0]'
	is "$mode: a chain of 15: burst" "$(udp ask 10.77.0.2 7006 100 --pattern --each 4 | jq .received)" 400
	is "$mode: a chain of 15: long" "$(udp ask 10.77.0.2 7005 100 --pattern | jq .received)" 100
	is "$mode: a chain of 15: the bad one" "$(udp ask 10.77.0.2 7009 10 --wait 0.1 | jq .received)" 0
	is "$mode: a chain of 15: is counted" "$(count .core.reasons.verdict)" 10
	ok "$mode: a chain of 15: the stack" c ping -q -f -c 500 10.77.0.2
	ok "$mode: a chain of 15: another order" nd order lab0 in csum untag malformed tx rxdone mark bad forward postpone \
		burst long reply drop accept
	is "$mode: a chain of 15: reply" "$(said "$all_back" "$(udp ask 10.77.0.2 7004 500)")" '[500,500,0,0,0]'
	detach
}

lab_up "$@" || bail 'no lab'
for mode in native generic; do
	accept_and_drop
	untag
	reply
	long
	burst
	postpone
	repeat
	forward
	rx_done
	transmit
	ingress
	chain
	ok "$mode: nothing is left" nothing_left
done
done_testing

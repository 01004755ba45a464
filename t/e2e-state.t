#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-state.t: what is attached stays attached, and what is detached leaves nothing, whatever is done twice or killed
# halfway
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

reply=$handlers/reply.bpf.o

# chain: the names of the handlers, in order.
chain() { json '[.[0].chain[]?.name] | join(" ")'; }

# pinned: all that is pinned for the server, with the ids of programs and maps: it must not change.
pinned() {
	find "$(lab_netns_dir)" | sort
	json '.[0] | [.prog_id, (.chain[]? | .prog_id)]'
}

answers() { c ping -q -c 1 -W 2 10.78.1.2; }
is_silent() { ! c ping -q -c 1 -W 0.3 10.78.1.2; }

twice() {
	local before

	ok "$mode: attach" nd attach lab0 ping rate=0 --mode "$mode"
	before=$(pinned)
	ok "$mode: attach again" nd attach lab0 ping rate=0 --mode "$mode"
	is "$mode: which changes nothing" "$(pinned)" "$before"
	exits "$mode: attach with another option" 1 \
		"ndiv: lab0: handler ping is attached already, from $build/handlers/ping.bpf.o with options \"rate=0\": \`ndiv replace lab0 ping ...\` changes it" \
		nd attach lab0 ping rate=1
	is "$mode: which changes nothing" "$(pinned)" "$before"
	ok "$mode: it answers" answers
	ok "$mode: attach another one" nd attach lab0 "$reply"
	is "$mode: at the end" "$(chain)" 'ping reply'
	ok "$mode: attach a third one in front" nd attach lab0 "$handlers/accept.bpf.o" --at 0
	is "$mode: in front" "$(chain)" 'accept ping reply'
	ok "$mode: another order" nd order lab0 reply ping accept
	is "$mode: it is there" "$(chain)" 'reply ping accept'
	ok "$mode: detach one" nd detach lab0 ping
	is "$mode: the others stay" "$(chain)" 'reply accept'
	ok "$mode: detach it again" nd detach lab0 ping
	is "$mode: which changes nothing" "$(chain)" 'reply accept'
	ok "$mode: it does not answer any more" is_silent
	ok "$mode: detach the others, one by one" nd detach lab0 reply
	ok "$mode: the last one" nd detach lab0 accept
	ok "$mode: nothing is left" nothing_left
	ok "$mode: detach, nothing there" nd detach lab0
	ok "$mode: detach a handler, nothing there" nd detach lab0 ping
	ok "$mode: nothing is made by that" nothing_left
}

# A failed attach undoes what it did.
failed() {
	ok 'attach fails: a verifier refusal' sh -c "! '$build/ndiv' -n $LAB-s attach lab0 '$tmp/refused.bpf.o' 2>'$tmp/said'"
	check 'the message names the object' "$(grep -c refused.bpf.o "$tmp/said") == 1"
	ok 'nothing is left' nothing_left
	nd attach lab0 ping rate=0
	ok 'attach fails beside another' sh -c "! '$build/ndiv' -n $LAB-s attach lab0 '$tmp/refused.bpf.o' 2>'$tmp/said'"
	is 'the other stays' "$(chain)" ping
	ok 'and answers' answers
	ok 'replace fails' sh -c "! '$build/ndiv' -n $LAB-s replace lab0 ping rate=x 2>'$tmp/said'"
	ok 'it still answers' answers
	ok 'verbose: the verifier log' sh -c "'$build/ndiv' -n $LAB-s -v attach lab0 '$tmp/refused.bpf.o' 2>&1 | grep -q 'R1'"
	nd detach lab0
}

# A handler that the verifier refuses: it reads the packet without a look at its end.
make_refused() {
	cat >"$tmp/refused.bpf.c" <<-'EOS'
		#include <ndiv/handler.h>
		const struct ndiv_info ndiv_info SEC(".rodata.ndiv") = { .abi = NDIV_ABI, .name = "refused" };
		static __always_inline enum ndiv_verdict handle(struct xdp_md *ctx, struct ndiv_pkt *pkt)
		{
			return *(__u32 *)(long)ctx->data ? NDIV_PASS : NDIV_NEXT;
		}
		SEC("xdp.frags")
		int refused(struct xdp_md *ctx)
		{
			return ndiv_run(ctx, handle, NULL);
		}
		char _license[] SEC("license") = "GPL";
	EOS
	make -s handler SRC="$tmp/refused.bpf.c" OUT="$tmp/refused.bpf.o"
}

# --- another program on the interface -----------------------------------------

foreign() {
	local id before

	s ip link set lab0 xdpdrv off
	s ip link set lab0 "$1" object "$build/bpf/lab_pass.bpf.o" section xdp.frags || fail "attach $1"
	id=$(s ip -j link show lab0 | jq '.[0].xdp.prog.id // .[0].xdp.attached[0].prog.id')
	before=$(s ip -d link show lab0)
	exits "$1: refused, with its name and id" 1 \
		"ndiv: lab0: another XDP program is attached: \"lab_pass\", id $id; nothing was changed. Detach it first (\`bpftool net show dev lab0\` tells how it is attached; \`ip link set dev lab0 xdp off\`)" \
		nd attach lab0 ping
	is "$1: nothing was changed" "$(s ip -d link show lab0)" "$before"
	ok "$1: nothing pinned" test ! -e "$(lab_netns_dir)"
	ok "$1: detach leaves it alone" nd detach lab0
	is "$1: it is still there" "$(s ip -d link show lab0)" "$before"
	s ip link set lab0 "$1" off
}

# --- killed -------------------------------------------------------------------

# Commands are killed at random times; whatever they leave, the next one copes with it, and detach leaves nothing.
killed() {
	local i pid bad=0

	for i in {1..60}; do
		case $((i % 4)) in
		0) "$build/ndiv" -n "$LAB-s" detach lab0 >"$tmp/said" 2>&1 & ;;
		1) "$build/ndiv" -n "$LAB-s" attach lab0 ping rate=0 >"$tmp/said" 2>&1 & ;;
		2) "$build/ndiv" -n "$LAB-s" attach lab0 "$reply" >"$tmp/said" 2>&1 & ;;
		3) "$build/ndiv" -n "$LAB-s" replace lab0 ping rate=0 burst="$i" >"$tmp/said" 2>&1 & ;;
		esac
		pid=$!
		# busy for some 0 to 300 ms: a command takes about as long
		for ((n = RANDOM % 30; n > 0; n--)); do
			read -rt 0.01 <>"$tmp/never"
		done
		kill -9 "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
		if [ $((i % 6)) = 0 ]; then
			if ! nd show -j lab0 >"$tmp/shown" 2>"$tmp/said" || ! jq . <"$tmp/shown" >/dev/null; then
				fail "round $i: show" "$(<"$tmp/said")"
			fi
			if ! nd attach lab0 "$handlers/accept.bpf.o" 2>"$tmp/said"; then
				fail "round $i: attach" "$(<"$tmp/said")"
			fi
			if ! nd detach lab0 2>"$tmp/said" || ! nothing_left >"$tmp/left"; then
				fail "round $i: detach" "$(<"$tmp/said")" "$(<"$tmp/left")"
				bad=1
			fi
		fi
	done
	is 'commands killed at random: detach leaves nothing' "$bad" 0
	ok 'and it works again' nd attach lab0 ping rate=0
	ok 'it answers' answers
	nd detach lab0
}

killed_agent() {
	ok 'attach postpone' nd attach lab0 "$handlers/postpone.bpf.o" rounds=1 delay=500
	agent_start 'the agent runs'
	ok 'show knows it' wait_for agent_is true
	is 'it works' "$(udp ask 10.77.0.2 7007 3 --wait 3 | jq .received)" 3
	exits 'a second one is refused' 1 'ndiv: agent: another agent serves this network namespace already' nd agent
	kill -9 "$agent"
	wait "$agent" 2>/dev/null
	ok 'show works' nd show
	ok 'show knows that it is gone, soon' wait_for -t 15 agent_is false
	is 'packets are dropped, not lost without a trace' \
		"$(udp ask 10.77.0.2 7007 5 --wait 0.1 | jq .received) $(count '.core.reasons."no-agent"')" '0 5'
	agent_start 'another one takes its place'
	is 'it works' "$(udp ask 10.77.0.2 7007 3 --wait 3 | jq .received)" 3
	kill -9 "$agent"
	wait "$agent" 2>/dev/null
	ok 'detach' nd detach lab0
	ok 'nothing is left' nothing_left
}

agent_is() { [ "$(json '.[0].agent | tostring')" = "$1" ]; }

# --- interfaces that vanish, or are renamed -----------------------------------

vanished() {
	s ip link add gone0 type veth peer name gone1
	ok 'attach to another interface' nd attach gone0 ping
	ok 'and to lab0' nd attach lab0 ping rate=0
	s ip link set gone0 name moved0
	is 'renamed: it is known by its name' "$(nd show -j moved0 | jq -r '.[0].ifname')" moved0
	s ip link delete moved0
	is 'deleted: it is listed no more' "$(nd show -j | jq -r '[.[].ifname] | join(" ")')" lab0
	ok 'the other one answers' answers
	ok 'detach it' nd detach lab0
	ok 'nothing is left' nothing_left
}

# Two at once: one after the other, and none gets lost.
at_once() {
	local i pids=() name

	for name in accept drop reply burst long mark; do
		"$build/ndiv" -n "$LAB-s" attach lab0 "$handlers/$name.bpf.o" 2>>"$tmp/said" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || fail 'one of six at once' "$(<"$tmp/said")"
	done
	is 'six commands at once: all are attached' "$(json '[.[0].chain[].name] | sort | join(" ")')" \
		'accept burst drop long mark reply'
	pids=()
	for name in accept drop reply burst long mark; do
		"$build/ndiv" -n "$LAB-s" detach lab0 "$name" 2>>"$tmp/said" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || fail 'one of six at once' "$(<"$tmp/said")"
	done
	ok 'six detached at once: nothing is left' nothing_left
}

mkfifo "$tmp/never"
lab_up "$@" || bail 'no lab'
make_refused || bail 'no compiler'
for mode in native generic; do
	twice
done
failed
foreign xdpdrv
foreign xdpgeneric
killed
killed_agent
vanished
at_once
done_testing

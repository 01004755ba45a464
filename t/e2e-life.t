#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-life.t: what can happen to an interface while ndiv is attached, what it can be attached to, and what is left if a
# command is killed
#
# All in network namespaces of its own. Where this kernel has no device of a kind, the point says so: then the kernel
# itself must have said that it does not know it.
# shellcheck disable=SC2016 # messages have backquotes, and mean them
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

rxvlan_off='VLAN receive offload turned off, so that handlers see the tags (detaching turns it on again)'
KILLS=100
PARALLEL=20
no_interface='no such interface in this network namespace (`ip link` lists them)'

# in_x CMD...: in a third namespace, that x_up makes.
in_x() { nsenter --net="/run/netns/$LAB-x" -- "$@"; }
ndx() { "$build/ndiv" -n "$LAB-x" "$@"; }
x_up() { ip netns add "$LAB-x" && in_x ip link set lo up; }
x_down() { [ ! -e "/run/netns/$LAB-x" ] || ip netns delete "$LAB-x"; }
trap 'x_down; rm -rf "$tmp"' EXIT

shown() { nd show -j | jq -c "$1"; }
answered() { c ping -n -q -c 1 -W 1 10.78.0.1; }
pins() { find "/sys/fs/bpf/ndiv/$1" 2>/dev/null; }
netns_inode() { stat -Lc %i "/run/netns/$LAB-$1"; }

# warns NAME MESSAGE CMD...: succeeds, and that is what it says.
warns() { exits "$1" 0 "$2" "${@:3}"; }

# none_of NETNS: no map that programs of ndiv carry names this namespace, so there is no such program either.
none_of() {
	local want id left=0

	want=$(printf '%08x' "$1")
	want="0x${want:6:2} 0x${want:4:2} 0x${want:2:2} 0x${want:0:2}"
	for id in $(bpftool -j map show | jq '.[] | select(.name // "" | test("rodata.self")) | .id'); do
		# the third word of struct ndiv_self; a map can vanish meanwhile
		if [ "$(bpftool -j map dump id "$id" 2>/dev/null | jq -r '.[0].value[8:12] | join(" ")' 2>/dev/null)" = "$want" ]; then
			echo "map $id of $(bpftool -j prog show | jq -c "[.[] | select(.map_ids // [] | index($id)) | .name]")"
			left=1
		fi
	done
	return "$left"
}

# --- down, renamed, moved, deleted --------------------------------------------

up_and_down() {
	ok "$mode: attach" nd attach lab0 ping rate=0 --mode "$mode"
	s ip link set lab0 down
	is "$mode: down: show tells of it" "$(shown '[.[0].ifname, .[0].mode]')" "[\"lab0\",\"$mode\"]"
	s ip link set lab0 up
	ok "$mode: up again: it answers" wait_for answered
	s ip link set lab0 down
	ok "$mode: attach while it is down" nd attach lab0 "$handlers/drop.bpf.o"
	is "$mode: a chain of two" "$(shown '[.[0].chain[].name]')" '["ping","drop"]'
	ok "$mode: detach while it is down" nd detach lab0 ping
	is "$mode: a chain of one" "$(shown '[.[0].chain[].name]')" '["drop"]'
	s ip link set lab0 up
	ok "$mode: detach" nd detach lab0
	ok "$mode: nothing is left" nothing_left
}

renamed() {
	ok "$mode: attach" nd attach lab0 ping rate=0 --mode "$mode"
	s ip link set lab0 down
	s ip link set lab0 name other
	s ip link set other up
	is "$mode: renamed: show tells the name it has now" "$(shown '[.[].ifname]')" '["other"]'
	exits "$mode: renamed: the old name" 1 "ndiv: lab0: $no_interface" nd show lab0
	ok "$mode: renamed: it answers" wait_for answered
	ok "$mode: renamed: replace" nd replace --keep other ping burst=7
	is "$mode: renamed: with the options" "$(shown '.[0].chain[0].options')" '{"rate":"0","burst":"7"}'
	s ip link set other down
	s ip link set other name lab0
	s ip link set lab0 up
	ok "$mode: renamed back: detach" nd detach lab0
	ok "$mode: nothing is left" nothing_left
}

# there and back: the lab's addresses are gone afterwards, so a pair of its own
pair_up() {
	s ip link add life0 type veth peer name life1
	s ip link set life0 up
	s ip link set life1 up
}

moved() {
	local old said

	old=$(netns_inode s)
	pair_up
	ok "$mode: attach" nd attach life0 "$handlers/tx.bpf.o" --mode "$mode"
	s ip link set life0 netns "$LAB-x"
	is "$mode: moved: show in the old namespace" "$(nd show)" 'ndiv is attached to no interface of this network namespace'
	is "$mode: moved: that has cleaned up" "$(pins "$old")" ''
	ok "$mode: moved: no program is on it" life_is_bare
	is "$mode: moved: show in the new one" "$(ndx show life0)" 'life0: ndiv is not attached'
	ok "$mode: moved: attach" ndx attach life0 ping --mode "$mode"
	ok "$mode: moved: detach" ndx detach life0
	in_x ip link delete life0

	pair_up
	ok "$mode: attach" nd attach life0 "$handlers/tx.bpf.o" --mode "$mode"
	s ip link set life0 netns "$LAB-x"
	is "$mode: moved: show in the new one first" "$(ndx show life0)" 'life0: ndiv is not attached'
	said='ndiv: warning: life0: it came with ndiv attached to it in another network namespace: detached there'
	[ "$mode" = generic ] || said+=$'\n'"ndiv: warning: life0: $rxvlan_off"
	warns "$mode: moved: attach in the new one first" "$said" ndx attach life0 ping --mode "$mode"
	is "$mode: moved: nothing is left in the old one" "$(pins "$old")" ''
	is "$mode: moved: one chain" "$(ndx show -j | jq -c '[.[0].chain[].name]')" '["ping"]'
	is "$mode: moved: the old one knows nothing" "$(nd show -j)" '[]'
	in_x ip link set life0 netns "$LAB-s"
	ok "$mode: moved back: attach" nd attach life0 ping --mode "$mode"
	is "$mode: moved back: nothing is left" "$(pins "$(netns_inode x)")" ''
	s ip link delete life0
	is "$mode: deleted: show" "$(nd show -j)" '[]'
	is "$mode: deleted: that has cleaned up" "$(pins "$old")" ''
}

# life_is_bare: no program, of either hook, is on life0 in namespace x.
life_is_bare() {
	local found

	found=$(in_x bpftool -j net show | jq '.[0] | [(.xdp[], .tc[]) | select(.devname == "life0")] | length')
	[ "$found" = 0 ]
}

deleted() {
	pair_up
	agent_start "$mode: the agent starts"
	ok "$mode: attach" nd attach life0 "$handlers/postpone.bpf.o" --mode "$mode"
	ok "$mode: the agent serves it" wait_for agent_serves life0
	s ip link delete life0
	ok "$mode: deleted: cleaned up by the agent" wait_for test ! -e "$(lab_netns_dir)"
	is "$mode: deleted: show" "$(nd show -j)" '[]'
	exits "$mode: deleted: detach" 1 "ndiv: life0: $no_interface" nd detach life0
	pair_up
	ok "$mode: one of the same name: attach" nd attach life0 "$handlers/postpone.bpf.o" --mode "$mode"
	ok "$mode: one of the same name: the agent serves it" wait_for agent_serves life0
	ok "$mode: one of the same name: detach" nd detach life0
	s ip link delete life0
	agent_stop "$mode: the agent ends"
	ok "$mode: nothing is left" nothing_left
}

agent_serves() { [ "$(nd show -j "$1" | jq '.[0].agent')" = true ]; }

# an index that is used again is another interface's
index_reused() {
	s ip link add life0 index 777 type veth peer name life1
	ok 'index 777: attach' nd attach life0 ping
	s ip link delete life0
	s ip link add life2 index 777 type veth peer name life3
	is 'index 777 is another one now: show' "$(nd show life2)" 'life2: ndiv is not attached'
	ok 'index 777 is another one now: attach' nd attach life2 "$handlers/drop.bpf.o"
	is 'index 777: nothing of the old one' "$(shown '[.[0].ifname, .[0].chain[].name]')" '["life2","drop"]'
	s ip link delete life2
	is 'index 777: show cleans up' "$(nd show -j)" '[]'
	ok 'index 777: nothing is left' nothing_left
}

# --- what to attach to --------------------------------------------------------

# device NAME ARGUMENT...: makes one, or tells by a point that this kernel has none of that kind, and fails.
device() {
	local name=$1 said

	shift
	said=$(s ip link add "$@" 2>&1) && { s ip link set "$name" up; return; }
	case $said in
	*'Unknown device type'* | *'Operation not supported'*) pass "$name: not on this kernel: $said" ;;
	*) fail "$name: ip link add" "$said" ;;
	esac
	return 1
}

targets() {
	if device br9 br9 type bridge; then
		exits 'a bridge' 1 'ndiv: br9: it is a bridge: what its ports forward never comes this way. Attach to the ports (`ip link show master br9`), or with --mode generic to see only what is for this host' \
			nd attach br9 ping
		exits 'a bridge: native' 1 'ndiv: br9: cannot attach in native mode: Operation not supported: Underlying driver does not support XDP in native mode' \
			nd attach br9 ping --mode native
		ok 'a bridge: generic' nd attach br9 ping --mode generic
		is 'a bridge: why' "$(shown '.[0].why')" '"asked for"'
		ok 'a bridge: detach' nd detach br9
	fi
	if device vlan9 link lab0 name vlan9 type vlan id 9; then
		exits 'a VLAN device' 1 'ndiv: vlan9: it is a VLAN device: attach to lab0, handlers see the tag (pkt->vlan); or with --mode generic to see only this VLAN, behind the driver' \
			nd attach vlan9 ping
		ok 'a VLAN device: generic' nd attach vlan9 ping --mode generic
		ok 'a VLAN device: detach' nd detach vlan9
	fi
	if device bond9 bond9 type bond; then
		ok 'a bond' nd attach bond9 ping
		ok 'a bond: detach' nd detach bond9
	fi
	if device dummy9 dummy9 type dummy; then
		refuses_native dummy9
	fi
	if device mv9 link lab0 name mv9 type macvlan; then
		refuses_native mv9
	fi
	s ip link set lo up
	refuses_native lo
	s ip tuntap add tap9 mode tap
	ok 'a tap' nd attach tap9 ping --mode native
	is 'a tap is native' "$(shown '.[0].mode')" '"native"'
	ok 'a tap: detach' nd detach tap9
	s ip tuntap add tun9 mode tun
	exits 'a tun' 1 'ndiv: tun9: it is no Ethernet interface (link type 65534): ndiv needs one' nd attach tun9 ping
	exits 'none' 1 "ndiv: none9: $no_interface" nd attach none9 ping
	exits 'a long name' 1 'ndiv: sixteen-letters9: "sixteen-letters9" is too long for an interface'\''s name' \
		nd attach sixteen-letters9 ping
	exits 'no name' 1 "ndiv: : $no_interface" nd attach '' ping
	for name in br9 vlan9 bond9 dummy9 mv9 tap9 tun9; do
		s ip link delete "$name" 2>/dev/null
	done
	ok 'targets: nothing is left' nothing_left
}

# refuses_native IF: a driver without XDP; the MTU is not to blame, whatever it is.
refuses_native() {
	local why='Operation not supported: Underlying driver does not support XDP in native mode'

	s ip link set "$1" mtu 9000 2>/dev/null
	exits "$1: native" 1 "ndiv: $1: cannot attach in native mode: $why" nd attach "$1" ping --mode native
	is "$1: native never falls back" "$(nd show -j)" '[]'
	warns "$1: auto" "ndiv: warning: $1: the driver refuses native mode ($why): generic mode, which is slower" \
		nd attach "$1" ping
	is "$1: auto is generic" "$(shown '.[0].mode')" '"generic"'
	is "$1: and show tells why" "$(shown '.[0].why')" "\"$why\""
	is "$1: in the text, too" "$(nd show | sed -n 's/^ *why generic: //p')" "$why"
	ok "$1: detach" nd detach "$1"
	ok "$1: generic" nd attach "$1" ping --mode generic
	is "$1: generic: why" "$(shown '.[0].why')" '"asked for"'
	ok "$1: detach" nd detach "$1"
}

# A driver that has XDP, and says no: its own words are shown, and the MTU is not blamed for it.
driver_says_no() {
	local why='veth: XDP expects number of rx queues not less than peer tx queues'

	s ip link add life0 mtu 9000 numrxqueues 1 type veth peer name life1 mtu 9000 numtxqueues 4
	s ethtool -L life1 tx 4
	s ip link set life0 up
	s ip link set life1 up
	exits 'the driver says no' 1 "ndiv: life0: cannot attach in native mode: No space left on device: $why" \
		nd attach life0 ping --mode native
	is 'the driver says no: nothing is attached' "$(nd show -j)" '[]'
	ok 'the driver says no: nothing is left' test ! -e "$(lab_netns_dir)"
	warns 'the driver says no: auto' \
		"ndiv: warning: life0: the driver refuses native mode (No space left on device: $why): generic mode, which is slower" \
		nd attach life0 ping
	is 'the driver says no: show tells why' "$(shown '.[0].why')" "\"No space left on device: $why\""
	exits 'generic is there, native is asked for' 1 \
		'ndiv: life0: ndiv is attached in generic mode; detach all handlers to attach in native mode' \
		nd attach life0 "$handlers/drop.bpf.o" --mode native
	ok 'generic is there, auto is asked for' nd attach life0 "$handlers/drop.bpf.o" --mode auto
	s ip link delete life0
	nd show >"$tmp/ignored"
}

# --- others -------------------------------------------------------------------

other_program() {
	local flag=$1 said id

	# ip mounts a BPF file system of its own and makes directories there: not in the host's
	unshare --mount sh -c 'mount -t bpf bpf /sys/fs/bpf && exec nsenter --net="$0" -- "$@"' "/run/netns/$LAB-s" \
		ip link set lab0 "$flag" object "$build/bpf/lab_pass.bpf.o" section xdp.frags
	id=$(s ip -j link show lab0 | jq '.[0].xdp.prog.id')
	for mode in auto native generic; do
		exits "$flag: another program: $mode" 1 "ndiv: lab0: another XDP program is attached: \"lab_pass\", id $id; nothing was changed. Detach it first (\`bpftool net show dev lab0\` tells how it is attached; \`ip link set dev lab0 xdp off\`)" \
			nd attach lab0 ping --mode "$mode"
	done
	ok "$flag: another program: detach" nd detach lab0
	is "$flag: another program: is left alone" "$(s ip -j link show lab0 | jq '.[0].xdp.prog.id')" "$id"
	is "$flag: another program: show" "$(nd show lab0)" \
		"lab0: ndiv is not attached, but another XDP program: \"lab_pass\", id $id"
	is "$flag: another program: show all" "$(nd show)" 'ndiv is attached to no interface of this network namespace'
	is "$flag: another program: probe" "$(nd probe lab0 | sed -n 3p)" \
		"another XDP program is there: \"lab_pass\", id $id: ndiv cannot attach"
	is "$flag: another program: probe -j" "$(nd probe -j lab0 | jq -c '[.attached, .foreign]')" \
		"[false,{\"name\":\"lab_pass\",\"prog_id\":$id}]"
	s ip link set lab0 "$flag" off
	ok "$flag: another program: nothing is left" nothing_left
}

# --- kernels that lack something

# without NAME CMD...: as on a kernel that has no tracepoint NAME, as far as its BTF tells.
without() {
	local name=$1

	sed "s/btf_trace_$name/btf_gone__$name/" /sys/kernel/btf/vmlinux >"$tmp/btf"
	shift
	unshare --mount sh -c 'mount --bind "$0" /sys/kernel/btf/vmlinux && exec "$@"' "$tmp/btf" "$build/ndiv" -n "$LAB-s" "$@"
}

no_tracepoint() {
	local name pins

	for name in xdp_exception xdp_bulk_tx xdp_devmap_xmit xdp_redirect_err; do
		warns "no $name: attach" \
			"ndiv: warning: lab0: tracepoint $name: this kernel has none: packets lost behind the verdict are not counted" \
			without "$name" attach lab0 ping rate=0
		pins=$(pins "$(netns_inode s)" | sed -n 's,.*/tp_,,p' | sort | tr '\n' ' ')
		is "no $name: the others are there" "$pins" "$(other_pins "$name")"
		ok "no $name: it answers" answered
		is "no $name: probe" "$(without "$name" probe -j | jq -c '[.features | to_entries[] | select(.value.present == false and (.key | startswith("tp-"))) | .key]')" \
			"[\"tp-${name//_/-}\"]"
		ok "no $name: detach" nd detach lab0
	done
	exits 'no napi_poll: a handler that needs it' 1 \
		"ndiv: lab0: $handlers/rxdone.bpf.o: it has a program for the end of a batch, and this kernel has no tracepoint napi_poll" \
		without napi_poll attach lab0 "$handlers/rxdone.bpf.o"
	ok 'no napi_poll: nothing is left' nothing_left
}

# other_pins NAME: all but that one.
other_pins() {
	local pin

	for pin in bulk_tx devmap_xmit exception redirect_err; do
		[ "xdp_$pin" = "$1" ] || printf '%s ' "$pin"
	done
}

# --- what show warns of

life_answers() {
	[ "$(in_x "$top/t/udp.py" ask 10.79.0.2 "$1" 10 --wait 0.2 "${@:2}" | jq -c '[.sent, .received]')" = "$got" ]
}

# A pair whose other end, in namespace x, has neither a program nor GRO: what is redirected gets lost.
no_target() {
	local lost='the other end of this veth receives nothing that is redirected: bursts, and replies that cannot grow in place, are lost and nobody is told. Attach an XDP program there, or turn GRO on (`ethtool -K ... gro on`)'
	local said="ndiv: warning: life0: $lost" shown_lost="[\"burst: $lost\"]" got

	pair_up
	s ip link set life1 netns "$LAB-x"
	s ip address add 10.79.0.2/24 dev life0
	in_x ip address add 10.79.0.1/24 dev life1
	in_x ip link set life1 up
	in_x ethtool -K life1 gro off tx off
	s ethtool -K life0 rxvlan off
	# before Linux 6.3 the kernel cannot be asked
	[ "$(nd probe -j life0 | jq '.features."redirect-target".present')" != null ] || said='' shown_lost='[]'
	warns 'no target: attach' "$said" nd attach life0 "$handlers/burst.bpf.o" count=4
	warns 'no target: nothing is said of a handler that needs none' '' nd attach life0 ping
	is 'no target: show' "$(shown '.[0].warnings')" "$shown_lost"
	is 'no target: in the text, too' "$(nd show life0 | sed -n 's/^ *warning: burst: /ndiv: warning: life0: /p')" "$said"
	got='[10,0]'
	ok 'no target: bursts are lost' life_answers 7006 --each 4
	is 'no target: and nobody is told' "$(nd show -j life0 | jq '.[0].rx | [.tx_lost, (.core.reasons | add)] | map(. // 0) | add')" 0
	warns 'no target: replace' "$said" nd replace --keep life0 burst
	in_x ethtool -K life1 gro on
	is 'a target: show' "$(shown '.[0].warnings')" '[]'
	got='[10,40]'
	ok 'a target: bursts get there' wait_for life_answers 7006 --each 4
	warns 'a target: replace' '' nd replace --keep life0 burst
	ok 'a target: detach' nd detach life0
	in_x ethtool -K life1 gro off
	warns 'no target: generic mode needs none' '' nd attach life0 "$handlers/burst.bpf.o" count=4 --mode generic
	is 'no target: generic mode: show' "$(shown '.[0].warnings')" '[]'
	ok 'no target: generic mode: bursts get there' wait_for life_answers 7006 --each 4
	ok 'no target: detach' nd detach life0
	s ip link delete life0
}

# What a handler was told when it was loaded.
changed() {
	local mac='the MAC address has changed, these know the old one: ' remedy='(`ndiv replace --keep life0 NAME`)'
	local mtu='the MTU is 1400 now, these know another one: '

	pair_up
	ok 'changed: attach' nd attach life0 ping --mode generic
	nd attach life0 "$handlers/drop.bpf.o"
	is 'changed: nothing yet' "$(shown '.[0].warnings')" '[]'
	s ip link set life0 address 02:00:00:00:79:99
	is 'changed: MAC address' "$(shown '.[0].warnings')" "[\"${mac}ping, drop $remedy\"]"
	ok 'changed: MAC address: replace one' nd replace --keep life0 ping
	is 'changed: MAC address: the other one' "$(shown '.[0].warnings')" "[\"${mac}drop $remedy\"]"
	s ip link set life0 mtu 1400
	is 'changed: MTU, too' "$(shown '.[0].warnings')" "[\"${mac}drop $remedy\",\"${mtu}ping, drop $remedy\"]"
	is 'changed: in the text' "$(nd show life0 | sed -n 's/^ *warning: //p' | wc -l)" 2
	ok 'changed: replace' nd replace --keep life0 ping
	ok 'changed: replace' nd replace --keep life0 drop
	is 'changed: nothing any more' "$(shown '.[0].warnings')" '[]'
	ok 'changed: detach' nd detach life0
	s ip link delete life0
}

rxvlan() { s ethtool -k lab0 | sed -n 's/^rx-vlan-offload: //p'; }

vlan_offload() {
	s ethtool -K lab0 rxvlan on
	warns 'rxvlan: attach' "ndiv: warning: lab0: $rxvlan_off" nd attach lab0 ping --mode native
	is 'rxvlan: off while attached' "$(rxvlan)" off
	warns 'rxvlan: a second handler says nothing' '' nd attach lab0 "$handlers/drop.bpf.o"
	ok 'rxvlan: detach one' nd detach lab0 ping
	is 'rxvlan: still off' "$(rxvlan)" off
	ok 'rxvlan: detach the last one' nd detach lab0 drop
	is 'rxvlan: on again' "$(rxvlan)" on
	warns 'rxvlan: generic mode needs nothing' '' nd attach lab0 ping --mode generic
	is 'rxvlan: on in generic mode' "$(rxvlan)" on
	ok 'rxvlan: detach' nd detach lab0
	s ethtool -K lab0 rxvlan off
	warns 'rxvlan off: attach' '' nd attach lab0 ping --mode native
	ok 'rxvlan off: detach' nd detach lab0
	is 'rxvlan off: stays off' "$(rxvlan)" off

	pair_up
	nd attach life0 ping --mode native 2>"$tmp/ignored"
	s ip link set life0 netns "$LAB-x"
	ndx attach life0 ping --mode generic 2>"$tmp/ignored"
	is 'rxvlan: on again after a move' "$(in_x ethtool -k life0 | sed -n 's/^rx-vlan-offload: //p')" on
	ok 'rxvlan: detach' ndx detach life0
	in_x ip link delete life0
}

# --- who may, and where -------------------------------------------------------

denied() {
	local nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --) copy=$tmp/bin/ndiv

	# nobody may read it
	mkdir "$tmp/bin"
	cp "$build/ndiv" "$tmp/bin"
	cp -r "$build/handlers" "$tmp/bin"
	chmod -R a+rX "$tmp"
	for command in 'attach lab0 ping' 'detach lab0' 'show lab0' 'replace lab0 ping' 'set lab0 sample=0' 'order lab0 ping'; do
		# shellcheck disable=SC2086 # words
		exits "not root: $command" 1 'ndiv: lab0: CAP_NET_ADMIN is missing: run it as root (sudo)' \
			s "${nobody[@]}" "$copy" $command
	done
	exits 'not root: agent' 1 'ndiv: agent: CAP_NET_ADMIN is missing: run it as root (sudo)' s "${nobody[@]}" "$copy" agent
	exits 'CAP_NET_ADMIN alone' 1 'ndiv: lab0: CAP_BPF is missing: run it as root (sudo)' \
		s setpriv --bounding-set=-all,+net_admin -- "$copy" attach lab0 ping
	exits 'no CAP_PERFMON' 1 'ndiv: lab0: CAP_PERFMON is missing: run it as root (sudo)' \
		s setpriv --bounding-set=-all,+net_admin,+bpf -- "$copy" attach lab0 ping
	exits 'another namespace, not root' 1 "ndiv: network namespace \"$LAB-s\" in /run/netns: Operation not permitted (CAP_SYS_ADMIN is needed: run it as root)" \
		"${nobody[@]}" "$copy" -n "$LAB-s" show
	ok 'handlers can be listed by anybody' "${nobody[@]}" "$copy" handlers
	exits 'a read-only BPF file system' 1 "ndiv: lab0: cannot make /sys/fs/bpf/ndiv/$(netns_inode s): Read-only file system" \
		unshare --mount sh -c 'mount -o bind,ro /sys/fs/bpf /sys/fs/bpf && exec "$@"' sh "$build/ndiv" -n "$LAB-s" attach lab0 ping
	exits 'ip netns exec' 1 'ndiv: lab0: no BPF file system at /sys/fs/bpf in this mount namespace (`ip netns exec` hides it): use `ndiv -n NETNS ...` from outside, or mount it: mount -t bpf -o mode=0700 bpf /sys/fs/bpf' \
		ip netns exec "$LAB-s" "$build/ndiv" attach lab0 ping
	ok 'denied: nothing is left' nothing_left
}

# --- small things -------------------------------------------------------------

repeated() {
	ok 'attach' nd attach lab0 ping rate=5 burst=7
	before=$(shown '.[0].chain')
	warns 'again, the same' '' nd attach lab0 ping rate=5 burst=7
	is 'nothing has changed' "$(shown '.[0].chain')" "$before"
	exits 'again, with others' 1 "ndiv: lab0: handler ping is attached already, from $build/handlers/ping.bpf.o with options \"rate=5 burst=7\": \`ndiv replace lab0 ping ...\` changes it" \
		nd attach lab0 ping rate=6
	is 'nothing has changed, either' "$(shown '.[0].chain')" "$before"
	exits 'a value out of range' 1 'ndiv: lab0: ping: option rate: "-1" is not a number from 0 to 10000000' \
		nd replace lab0 ping rate=-1
	is 'nor by that' "$(shown '.[0].chain')" "$before"
	ok 'detach' nd detach lab0
	warns 'detach again' '' nd detach lab0
	warns 'detach one that is not there' '' nd detach lab0 ping
	exits 'replace one that is not there' 1 'ndiv: lab0: handler ping is not attached (`ndiv show lab0` lists those that are)' \
		nd replace lab0 ping
	exits 'order without handlers' 1 'ndiv: lab0: ndiv is not attached' nd order lab0 ping
	exits 'set without handlers' 1 'ndiv: lab0: ndiv is not attached' nd set lab0 malformed=drop
	ok 'repeated: nothing is left' nothing_left
}

ordered() {
	nd attach lab0 "$handlers/drop.bpf.o"
	nd attach lab0 "$handlers/reply.bpf.o"
	nd attach lab0 "$handlers/accept.bpf.o" --at 0
	is 'order: as attached' "$(shown '[.[0].chain[].name]')" '["accept","drop","reply"]'
	ok 'order' nd order lab0 reply accept drop
	is 'order: as asked for' "$(shown '[.[0].chain[].name]')" '["reply","accept","drop"]'
	exits 'order: one is missing' 1 'ndiv: lab0: 2 handlers are named, 3 are attached: name each one once' \
		nd order lab0 reply accept
	exits 'order: one twice' 1 'ndiv: lab0: handler reply is named twice' nd order lab0 reply reply drop
	exits 'order: one that is not there' 1 'ndiv: lab0: handler ping is not attached (`ndiv show lab0` lists those that are)' \
		nd order lab0 reply accept ping
	exits 'a place that is not there' 1 'ndiv: lab0: place 7 in the chain: it has 3 handlers, so 0 to 3' \
		nd attach lab0 ping --at 7
	is 'order: as before' "$(shown '[.[0].chain[].name]')" '["reply","accept","drop"]'
	ok 'set' nd set lab0 malformed=drop sample=64
	is 'set: shown' "$(nd show lab0 | sed -n 's/^ *policy: //p')" 'malformed=drop sample=64'
	ok 'set: never' nd set lab0 sample=0 malformed=pass
	is 'set: shown' "$(nd show lab0 | sed -n 's/^ *policy: //p')" 'malformed=pass sample=0'
	ok 'order: detach' nd detach lab0
	ok 'attach anew' nd attach lab0 ping
	is 'set: lasts until ndiv is detached' "$(nd show lab0 | sed -n 's/^ *policy: //p')" 'malformed=pass sample=1024'
	ok 'detach' nd detach lab0
}

counters_reused() {
	nd attach lab0 "$handlers/drop.bpf.o"
	nd attach lab0 ping rate=0
	c ping -q -f -c 200 10.78.0.1 >"$tmp/ignored"
	is 'id 2 has counted' "$(json '[.[0].chain[1].id, .[0].rx.handlers.ping.verdicts.reply.packets] | join(" ")')" '2 200'
	ok 'id 2 is free' nd detach lab0 ping
	ok 'id 2 is used again' nd attach lab0 "$handlers/accept.bpf.o"
	is 'counters of id 2 start at 0' \
		"$(json '[.[0].chain[1].id] + [.[0].rx.handlers.accept | (.verdicts[].packets, .verdicts[].bytes, .reasons[], .counters[])] | add')" 2
	ok 'detach' nd detach lab0
}

probe() {
	is 'probe: JSON: the kernel' "$(nd probe -j | jq -r .kernel)" "$(uname -r)"
	is 'probe: JSON: each row says whether, and what comes of it' \
		"$(nd probe -j lab0 | jq '[.features[] | ((.present | type) == "boolean" or .present == null) and (.use | length) > 0] | all')" true
	is 'probe: JSON: the interface' "$(nd probe -j lab0 | jq -c '[.ifname, .driver, .mtu]')" '["lab0","veth",1500]'
	is 'probe: native on veth' "$(nd probe -j lab0 | jq .features.native.present)" true
	is 'probe: not on lo' "$(nd probe -j lo | jq .features.native.present)" false
	is 'probe: no interface, no driver' "$(nd probe -j | jq '.features | has("native")')" false
	is 'probe: text: the interface' "$(nd probe lab0 | sed -n 2p)" 'interface lab0, driver veth, mtu 1500'
	is 'probe: text: as many rows' "$(nd probe lab0 | tail -n +3 | wc -l)" "$(nd probe -j lab0 | jq '.features | length')"
	exits 'probe: none' 1 "ndiv: none9: $no_interface" nd probe none9
	ok 'probe: changes nothing' nothing_left
}

# --- many at once -------------------------------------------------------------

# each_ok FILE N: N lines, all of them "0".
each_ok() { [ "$(sort "$1" | uniq -c | tr -s ' ')" = " $2 0" ] || { cat "$1"; return 1; }; }

parallel() {
	local i

	for ((i = 0; i < PARALLEL; i++)); do
		case $((i % 4)) in
		0) (nd attach lab0 ping 2>>"$tmp/said"; echo $? >>"$tmp/status") & ;;
		1) (nd detach lab0 2>>"$tmp/said"; echo $? >>"$tmp/status") & ;;
		2) (nd attach lab0 "$handlers/drop.bpf.o" 2>>"$tmp/said"; echo $? >>"$tmp/status") & ;;
		3) (nd show -j 2>>"$tmp/said" | jq -e . >>"$tmp/ignored"; echo "${PIPESTATUS[0]}" >>"$tmp/status") & ;;
		esac
	done
	wait
	ok "$PARALLEL at once: each succeeds" each_ok "$tmp/status" "$PARALLEL"
	is "$PARALLEL at once: none complains" "$(<"$tmp/said")" ''
	ok "$PARALLEL at once: attach" nd attach lab0 ping
	is "$PARALLEL at once: what is shown is what runs" "$(json '.[0].prog_id')" "$(s ip -j link show lab0 | jq '.[0].xdp.prog.id')"
	ok "$PARALLEL at once: detach" nd detach lab0
	ok "$PARALLEL at once: nothing is left" nothing_left

	# in several namespaces: who leaves the directory of them all empty removes it
	: >"$tmp/status"
	for ((i = 0; i < PARALLEL; i++)); do
		if ((i % 2)); then
			(nd attach lo ping --mode generic && nd detach lo; echo $? >>"$tmp/status") 2>>"$tmp/said" &
		else
			(ndx attach lo ping --mode generic && ndx detach lo; echo $? >>"$tmp/status") 2>>"$tmp/said" &
		fi
	done
	wait
	ok 'two namespaces at once: each succeeds' each_ok "$tmp/status" "$PARALLEL"
	is 'two namespaces at once: none complains' "$(<"$tmp/said")" ''
	ok 'two namespaces at once: nothing is left' nothing_left
}

# --- kill -9 ------------------------------------------------------------------

# What is shown after a kill has to be what is there.
consistent() {
	local names

	nd show -j >"$tmp/shown" || return 1
	names=$(jq -r '[.[0].chain[]?.name] | join(" ")' "$tmp/shown")
	case " $names " in
	*' ping '*) answered || { echo "ping is shown (chain: $names), and does not answer"; return 1; } ;;
	*) ! answered || { echo "ping is not shown (chain: $names), and answers"; return 1; } ;;
	esac
}

# repaired I: the next command, which is not the same each time, works and puts all in order.
repaired() {
	if (($1 % 10 == 9)); then
		nd detach lab0 && nothing_left
	elif (($1 % 3 == 0)); then
		nd attach lab0 "$handlers/accept.bpf.o" && consistent
	else
		nd show -j | jq -e .
	fi
}

killed() {
	local i bad=0 died=0 took after
	local -a commands=(
		"attach lab0 ping rate=0" "attach lab0 $handlers/tx.bpf.o --at 0" "replace --keep lab0 ping burst=9"
		"attach lab0 $handlers/done.bpf.o" "order lab0 ping tx done" "detach lab0 tx" "replace lab0 ping rate=0"
		"detach lab0 ping" "detach lab0"
	)

	# how long one takes bounds the moments
	took=${EPOCHREALTIME/[.,]/}
	nd attach lab0 ping rate=0
	took=$((${EPOCHREALTIME/[.,]/} - took))
	nd detach lab0
	RANDOM=4711
	# As many as hit while there was something to kill: on a busy machine, that takes more of them.
	for ((i = 0; i < KILLS || (died <= KILLS / 4 && i < 20 * KILLS); i++)); do
		# in 1/10 ms; the commands that load nothing are faster
		after=$(((RANDOM * 32768 + RANDOM) % (took / (i % 2 ? 100 : 600)) + 1))
		# shellcheck disable=SC2086 # words
		{ timeout -s KILL "$(printf '0.%04d' "$after")" "$build/ndiv" -n "$LAB-s" ${commands[i % ${#commands[@]}]}; } >"$tmp/ignored" 2>&1
		[ $? != 137 ] || died=$((died + 1))
		repaired "$i" >"$tmp/said" 2>&1 || { bad=$((bad + 1)); diag "kill $i after $after: $(<"$tmp/said")"; }
	done
	is "$i kills: each time the next command works, and show is right" "$bad" 0
	check "$i kills: enough of them in time" "$died > KILLS / 4"
	ok 'killed: detach' nd detach lab0
	ok 'killed: nothing is left' nothing_left
}

lab_up --mtu 1500 || bail 'no lab'
x_up || bail 'no namespace'
for mode in native generic; do
	up_and_down
	renamed
	moved
	deleted
done
index_reused
targets
driver_says_no
other_program xdpdrv
other_program xdpgeneric
no_tracepoint
no_target
changed
vlan_offload
denied
repeated
ordered
counters_reused
probe
parallel
killed
for name in s x; do
	ok "no program of namespace $name is left" wait_for none_of "$(netns_inode "$name")"
done
done_testing

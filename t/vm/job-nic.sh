#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # what is called by check
#
# job-nic.sh MODE: what check-nics.sh has done in each machine
#
# The machine has two cards of one model on one wire. They become the two ends of a lab, with the offloads that the driver turns on by
# itself. MODE is the one that `ndiv attach` should find: native or generic. TAP without numbers; "# driver NAME" and the like are for
# the table.
set -u

cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
# shellcheck source=lab/lib.sh
. lab/lib.sh
# shellcheck source=t/vm/checks.sh
. t/vm/checks.sh
trap 'rm -rf "$tmp"' EXIT

expected=${1:-native}
LAB=vm

# --- the wire -----------------------------------------------------------------

# side NETNS HOST INTERFACE
side() {
	local key

	ip netns add "$1" && ip link set dev "$3" netns "$1" name lab0 || return 1
	for key in ipv4/ping_group_range='0 2147483647' ipv6/conf/default/accept_dad=0 ipv6/conf/default/router_solicitations=0 \
		ipv6/conf/lab0/accept_dad=0 ipv6/conf/lab0/router_solicitations=0; do
		nsenter --net="/run/netns/$1" sh -c "echo ${key#*=} >/proc/sys/net/${key%%=*}" || return 1
	done
	nsenter --net="/run/netns/$1" ip -batch - <<-END
		link set dev lo up
		link add link lab0 name lab0.10 type vlan id 10
		link set dev lab0 up
		link set dev lab0.10 up
		address add 10.77.0.$2/24 dev lab0
		address add fd77::$2/64 dev lab0 nodad
		address add 10.77.10.$2/24 dev lab0.10
		address add fd77:10::$2/64 dev lab0.10 nodad
	END
}

reach() { c ping -n -q -c 1 -W 1 "$server4" && c ping -n -q -c 1 -W 1 "$server6" && c ping -n -q -c 1 -W 1 "$vlan4"; }
wire() { side vm-c 1 eth0 && side vm-s 2 eth1 && wait_for -t 20 reach; }

# feature c|s NAME: is it on?
feature() { "$1" ethtool -k lab0 | grep -q "^$2: on"; }

# --- checks of a card only ----------------------------------------------------

attach() { n attach lab0 ping rate=0 && n show lab0 && [ "$(shown mode)" = "$expected" ]; }

# Many flows, which a card with several queues spreads over them.
flows() {
	local i

	for i in $(seq 32); do
		udp "$server4" 7004 100 1 2000 || { echo "flow $i"; return 1; }
	done
}

# While ndiv is attached in native mode, handlers have to see the tags; afterwards the card is as it was.
vlan_offload_back() { feature s rx-vlan-offload; }

link_again() {
	s ip link set dev lab0 down && s ip link set dev lab0 up && s ip link set dev lab0.10 up &&
		s ip address replace fd77::2/64 dev lab0 nodad && s ip address replace fd77:10::2/64 dev lab0.10 nodad &&
		wait_for -t 20 c ping -n -q -c 1 -W 1 "$server4"
}

down_up() { link_again && pings "$server4" echo4; }

nothing_lost() { n show lab0 | tee /dev/stderr | grep -q ' 0 lost in transmission'; }

mtu() { c ip link set dev lab0 mtu "$1" && s ip link set dev lab0 mtu "$1"; }
jumbo_attach() { n attach lab0 ping rate=0 && n show lab0; }
jumbo_reach() { wait_for -t 20 c ping -n -q -c 1 -W 1 "$server4"; }

# A refusal has to tell the largest MTU that works; with that it has to.
jumbo_native() {
	local said told

	said=$(n attach --mode native lab0 ping rate=0 2>&1) && return 0
	echo "$said"
	# shellcheck disable=SC2016 # no expansion is meant
	told=$(sed -n 's/.*`ip link set lab0 mtu \([0-9]*\)`.*/\1/p' <<<"$said")
	[ -n "$told" ] && mtu "$told" && n attach --mode native lab0 ping rate=0 && jumbo_reach
}

# --- the order of things ------------------------------------------------------

vlan() {
	if [ "$vlan_offload" = on ]; then
		check 'VLAN, offload on' vlan_ping
		check 'VLAN, offload on: HTTP' vlan_http
	else
		skip 'VLAN, offload on' "the card has none: $(s ethtool -k lab0 | grep '^rx-vlan-offload')"
		skip 'VLAN, offload on: HTTP' "the card has none"
		check 'VLAN' vlan_ping
	fi
}

checksums() {
	if feature c tx-checksumming; then
		check 'checksum offload on' reply
	else
		skip 'checksum offload on' 'the card has none'
		check 'checksums' reply
	fi
}

jumbo() {
	local said

	if ! said=$(mtu 9000 2>&1); then
		skip 'jumbo' "the card has none: $said"
		return
	fi
	if ! said=$(jumbo_reach && c ping -n -q -c 3 -i 0.2 -W 2 -s 8000 "$server4" 2>&1); then
		skip 'jumbo' "the emulated card loses such frames without ndiv, too: $(tail -n 1 <<<"$said")"
		return
	fi
	if [ "$expected" = native ]; then
		check 'jumbo: native, or told the largest MTU' jumbo_native
		n detach lab0
		mtu 9000
	fi
	check 'jumbo: attach' jumbo_attach
	echo "# jumbo $(shown mode)"
	check 'jumbo: the link is back' jumbo_reach
	deaf 1
	check 'jumbo: ping, 8000 bytes' pings "$server4" echo4 8000
	deaf 0
	check 'jumbo: what is passed' through_stack 1000000
	n detach lab0
	mtu 1500
}

card() {
	check 'attach' attach
	echo "# mode $(shown mode)"
	echo "# why $(shown why)"
	deaf 1
	check 'ping' pings "$server4" echo4
	check 'ping of IPv6' pings "$server6" echo6
	check 'ping, 1400 bytes' pings "$server4" echo4 1400
	check 'a range that nobody has' neighbours
	check 'attach httpd' attach_httpd
	check 'HTTP' http4
	check 'HTTP over IPv6' http6
	check 'attach the test handlers' attach_test_handlers
	check 'show warns of nothing' no_warnings
	checksums
	vlan
	check 'reply that grows' long
	check 'reply that grows to 1514 bytes' long_max 1514
	check 'burst' burst
	check 'burst of 16' burst_max
	check 'postpone' postpone
	check 'postpone, then pass' postpone_pass
	check 'postpone for 300 ms, 3 times' postpone_delay
	agent_down
	check 'replace under traffic' replace_live
	check '32 flows' flows
	check 'what is passed reaches the stack' through_stack 1000000
	check 'transmit path' transmit
	check 'nothing was lost' nothing_lost
	if [ "$driver" = vmxnet3 ]; then
		skip 'link down and up' 'the driver runs no XDP program any more then (Linux 6.12; seen with one that is not of ndiv)'
	elif [ "$link_again" = yes ]; then
		check 'link down and up' down_up
	else
		skip 'link down and up' 'the emulated card does not come back without ndiv, either'
	fi
	check 'detach, twice' detach
	deaf 0
	check 'nothing is left' nothing_left
}

driver=$(basename "$(readlink /sys/class/net/eth0/device/driver)")
echo "# driver $driver"
if ! said=$(wire 2>&1); then
	printf 'not ok - wire\n%s\n' "$said"
	ip link
	exit 1
fi
feature s rx-vlan-offload && vlan_offload=on || vlan_offload=off
echo "# offloads $(s ethtool -k lab0 | sed -n 's/^\(rx-checksumming\|tx-checksumming\|tcp-segmentation-offload\|generic-receive-offload\|large-receive-offload\|rx-vlan-offload\|tx-vlan-offload\): on.*/\1/p' | tr '\n' ' ')"
echo "# queues $(s ethtool -l lab0 2>/dev/null | awk '/^Current/ { now = 1 } now && /Combined|RX|TX/ { printf "%s %s ", $1, $2 }')"
link_again=yes
link_again >/dev/null 2>&1 || link_again=no
card
[ "$vlan_offload" = off ] || check 'VLAN offload is on again' vlan_offload_back
jumbo
exit 0

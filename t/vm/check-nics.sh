#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check-nics.sh: ndiv on emulated network cards
#
# NICS="e1000 e1000e igb vmxnet3 virtio-net": which ones. KERNEL=6.12: on which of Debian's kernels. For each a machine with two
# of them on one wire. What they said stays in build/vm/nic-*.
set -u

# shellcheck source=t/vm/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

modules=(8021q sch_ingress cls_bpf e1000 e1000e igb vmxnet3 virtio_net virtio_pci)
limit=600
nics=${NICS:-e1000 e1000e igb vmxnet3 virtio-net}
series=${KERNEL:-6.12}
out=$top/build/vm
mac=02:00:00:00:77:0

# mode NIC: what its driver can do in mainline.
mode() {
	case $1 in
	igb | vmxnet3 | virtio-net*) echo native ;;
	*) echo generic ;;
	esac
}

# wires: QEMU's own hub carries no checksum or segmentation offload, and has one queue. virtio-net gets them only from a tap of the
# host; both taps are on a bridge, in a network namespace that vanishes with the machine.
can_tap() { [ -c /dev/net/tun ] && unshare --net "$here/taps.sh" true 2>/dev/null; }

# options NIC: sets <options> and <prefix>, the command in which QEMU runs.
options() {
	local i id

	prefix=()
	options=()
	case $1 in
	virtio-net)
		if can_tap; then
			prefix=(unshare --net "$here/taps.sh")
			for i in 1 2; do
				options+=(-netdev "tap,id=n$i,ifname=tap$i,script=no,downscript=no,vhost=off,queues=4")
				options+=(-device "virtio-net-pci,netdev=n$i,mac=$mac$i,mq=on,vectors=10,romfile=")
			done
			return
		fi
		say "no taps here: virtio-net has one queue and no offloads"
		id=virtio-net-pci
		;;
	*) id=$1 ;;
	esac
	for i in 1 2; do
		# igb brings virtual functions along: it needs a slot of its own
		[ "$1" != igb ] || options+=(-device "pcie-root-port,id=slot$i,chassis=$i,slot=$i")
		options+=(-netdev "hubport,id=n$i,hubid=1")
		options+=(-device "$id,netdev=n$i,mac=$mac$i,romfile=$([ "$1" != igb ] || echo ",bus=slot$i")")
	done
}

# run_nic NIC: leaves its report in $out/nic-NIC.job.
run_nic() {
	local log=$out/nic-$1 options prefix

	rm -f "$log.job" "$log.console"
	if ! "${qemu[@]}" -device "${1/%virtio-net/virtio-net-pci},help" 2>/dev/null | grep -q options; then
		echo "ok - all # SKIP this QEMU has no $1" >"$log.job"
		return
	fi
	options "$1"
	boot "$kernel" "$image" "$log" "$limit" "${options[@]}" -- /ndiv/t/vm/job-nic.sh "$(mode "$1")" 2> >(grep -v 'hub 1 is not' >&2) ||
		machine_failed "$log"
}

# said NIC WORD: what the job told for the table.
said() { sed -n "s/^# $2 //p" "$out/nic-$1.job" | head -n 1; }

# table: a row for each check, a column for each card.
table() {
	local nic files=()

	for nic in $nics; do
		files+=("$out/nic-$nic.job")
	done
	awk -v nics="$nics" '
		FNR == 1 { c++ }
		/^# (driver|mode|jumbo) / { info[$2, c] = $3 }
		/^(not )?ok - / {
			r = /^not/ ? "FAILED" : / # SKIP / ? "n/a" : "ok"
			sub(/^(not )?ok - /, ""); sub(/ # SKIP .*/, "")
			if (!($0 in row)) { row[$0] = ++rows; name[rows] = $0 }
			cell[$0, c] = r
		}
		END {
			n = split(nics, nic, " ")
			line("card", nic)
			split("driver mode jumbo", what, " ")
			for (k = 1; k <= 3; k++) { for (i = 1; i <= n; i++) v[i] = info[what[k], i]; line(what[k] (k == 3 ? " mode" : ""), v) }
			for (r = 1; r <= rows; r++) { for (i = 1; i <= n; i++) v[i] = cell[name[r], i]; line(name[r], v) }
		}
		function line(head, v) {
			printf "%-40s", head
			for (i = 1; i <= n; i++) printf " %11s", v[i] == "" ? "-" : v[i]
			print ""
		}' "${files[@]}"
}

[ "$(id -u)" = 0 ] || die "not root: the tests need it"
build_tools || exit 1
mapfile -t qemu < <("$here/kernel.sh" qemu)
image=$out/nic.img
kernel=$("$here/kernel.sh" "$series" amd64) && "$here/initramfs.sh" "$kernel" "$image" "${modules[@]}" || exit 1
passed=0 failed=0 skipped=0
for nic in $nics; do
	SECONDS=0
	run_nic "$nic"
	read -r p f s < <(count "$out/nic-$nic.job")
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	echo "$nic: $p passed, $f failed, $s skipped in $SECONDS s"
done
rm -f "$image"
for nic in $nics; do
	details "$nic" "$out/nic-$nic.job"
done
echo
for nic in $nics; do
	echo "$nic: Linux $(sed -n 's/^--- begin //p' "$out/nic-$nic.job"), $(said "$nic" mode) mode, why not native: $(said "$nic" why); on by itself: $(said "$nic" offloads); queues: $(said "$nic" queues)"
done
echo
table
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]

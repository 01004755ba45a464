#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# taps.sh CMD...: runs CMD in this network namespace, with tap1 and tap2 on a bridge of their own
#
# To be run in a namespace made for it: unshare --net taps.sh CMD...
set -e

ip -batch - <<END
link add name br0 type bridge mcast_snooping 0
tuntap add dev tap1 mode tap multi_queue vnet_hdr
tuntap add dev tap2 mode tap multi_queue vnet_hdr
link set dev br0 addrgenmode none
link set dev tap1 mtu 9000 addrgenmode none
link set dev tap2 mtu 9000 addrgenmode none
link set dev tap1 master br0
link set dev tap2 master br0
link set dev br0 up
link set dev tap1 up
link set dev tap2 up
END
exec "$@"

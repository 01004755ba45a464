#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-clients.t: httpd and the clients that people have: curl, wrk, h2load, ab, Python's and Node's
#
#	client: all of them  ---- veth ----  lab0: ndiv, httpd
#
# Connections kept and closed, GET and HEAD, IPv4 and IPv6, sizes from nothing to the largest; each body is compared to
# the last byte, where a client shows it, and its length where it does not. A browser: t/browser/browser.t.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/clients.sh
. "$(dirname "$0")/clients.sh"

# Bytes of what is fetched, and of the largest there is.
SIZES=0,1,63,64,65,100,536,1000,1200,1400,20000,1000000
LARGEST=1200

# object N: what /N has to be.
object() { "$top/t/fetch.py" body "$1"; }

# curl_each NAME URL [OPTION...]: each size.
curl_each() {
	local n wrong=()

	for n in ${SIZES//,/ }; do
		c curl -sf -g -m 60 "${@:3}" -o "$tmp/got" "$2/$n" && cmp -s "$tmp/got" "$want/$n" || wrong+=("$n")
	done
	is "$1" "${wrong[*]}" ''
}

# curl_kept NAME URL: all sizes on one connection.
curl_kept() {
	local n args=()

	mkdir "$tmp/kept"
	for n in ${SIZES//,/ }; do
		args+=(-o "$tmp/kept/$n" "$2/$n")
	done
	is "$1: one connection" "$(c curl -sf -g -m 60 -w '%{num_connects}\n' "${args[@]}" | awk '{ n += $1 } END { print n }')" 1
	ok "$1: each object is right" diff -r "$want" "$tmp/kept"
	rm -r "$tmp/kept"
}

# curl_head NAME URL
curl_head() {
	local n said=()

	for n in ${SIZES//,/ }; do
		said+=("$(c curl -sf -g -m 60 -I "$2/$n" | tr -d '\r ' | sed -n 's/^content-length://Ip')")
	done
	is "$1" "${said[*]}" "${SIZES//,/ }"
}

curls() {
	curl_each "$1: curl" "$2"
	curl_each "$1: curl, close" "$2" -H 'Connection: close'
	curl_each "$1: curl, HTTP/1.0" "$2" -0
	curl_each "$1: curl, HTTP/1.0, kept" "$2" -0 -H 'Connection: keep-alive'
	curl_kept "$1: curl, kept" "$2"
	curl_head "$1: curl, head" "$2"
}

# node NAME URL COUNT [close] [head]
node() {
	local said

	said=$(c "$node" "$top/t/fetch.js" "$2" "$want" "$3" 100 "${@:4}")
	is "$1: each response is right" "$(jq -c '[.right, .errors]' <<<"$said")" "[$3,{}]"
	if [[ " ${*:4} " == *' close '* ]]; then
		is "$1: a connection each" "$(jq .connections <<<"$said")" "$3"
	else
		check "$1: connections are kept" "$(jq .connections <<<"$said") <= 100"
	fi
}

scripts() {
	fetch "$1: http.client, kept" "$2" 900
	fetch "$1: http.client, closed" "$2" 500 --close
	fetch "$1: http.client, head" "$2" 300 --head
	fetch "$1: http.client, head, closed" "$2" 300 --head --close
	fetch "$1: urllib" "$2" 300 --urllib
	fetch "$1: urllib, head" "$2" 300 --urllib --head
	node "$1: node, kept" "$2" 900
	node "$1: node, closed" "$2" 500 close
	node "$1: node, head" "$2" 300 head
	node "$1: node, head, closed" "$2" 300 head close
}

loads() {
	load_wrk "$1, kept" "$2/$LARGEST"
	load_wrk "$1, closed" "$2/$LARGEST" -H 'Connection: close'
	load_h2load "$1, kept" "$2/$LARGEST" 3000
	load_h2load "$1, kept" "$2/0" 1000
	load_ab "$1, closed" "$2/$LARGEST" 2000
	load_ab "$1, kept" "$2/$LARGEST" 2000 -k
	load_ab "$1, head" "$2/$LARGEST" 1000 -i
	load_ab "$1, head, kept" "$2/$LARGEST" 1000 -i -k
}

from=c
node=$(command -v nodejs || command -v node) || bail 'no nodejs: scripts/deps.sh test'
lab_up "$@" || bail 'no lab'
want=$tmp/want
mkdir "$want"
for n in ${SIZES//,/ }; do
	object "$n" >"$want/$n"
done
for mode in native generic; do
	ok "$mode: attach" nd attach lab0 httpd --mode "$mode"
	curls "$mode" http://10.77.0.2:8000
	scripts "$mode" http://10.77.0.2:8000
	loads "$mode" http://10.77.0.2:8000
	curls "$mode, v6" 'http://[fd77::2]:8000'
	fetch "$mode, v6: http.client, kept" 'http://[fd77::2]:8000' 500
	node "$mode, v6: node, closed" 'http://[fd77::2]:8000' 300 close
	is "$mode: nothing was strange to httpd" \
		"$(count '.handlers.httpd.reasons | [."bad-cookie", ."bad-checksum", ."bad-options", .flags]' | tr -d ' \n')" \
		'[0,0,0,0]'
	is "$mode: nothing lost, no reason to drop of the core" "$(count .tx_lost) $(count '.core.reasons | add')" '0 0'
	ok "$mode: detach" nd detach lab0
done
done_testing

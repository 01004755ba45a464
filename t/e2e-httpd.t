#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-httpd.t: the handler httpd serves real clients: curl and wrk
#
#	client: curl, wrk  ---- veth ----  lab0: ndiv, httpd
#
# On veth a response does not fit into the request's frame, so each one is made in a clone; in generic mode, behind tc.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

LINE='0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ'

# get URL [ARGUMENT...]: the body; fails as curl does, an HTTP error included.
get() { c curl -sf -m 5 --noproxy '*' "${@:2}" "http://$1"; }

# object N: what /N has to be.
object() { yes "$LINE" | head -c "$1"; }

# is_object NAME URL N [ARGUMENT...]
is_object() {
	get "$2" "${@:4}" >"$tmp/got"
	object "$3" >"$tmp/want"
	ok "$1" cmp "$tmp/got" "$tmp/want"
}

# status URL [ARGUMENT...]: status code and whether the server closed.
status() {
	c curl -s -m 5 -o "$tmp/body" -D "$tmp/head" -w '%{http_code}' "${@:2}" "http://$1"
	grep -qi '^connection: close' "$tmp/head" && echo ' close'
}

# load NAME ARGUMENT... URL: wrk for 3 s: no socket error, no other status, and some requests.
load() {
	local name=$1 said

	shift
	said=$(c wrk -t 2 -c 100 -d 3 "$@" 2>&1)
	if grep -q 'Requests/sec' <<<"$said" && ! grep -qE 'Socket errors|Non-2xx' <<<"$said" &&
		[ "$(awk '/requests in/ { print $1 }' <<<"$said")" -gt 1000 ]; then
		pass "$name"
	else
		fail "$name" "$said"
	fi
}

curls() {
	local n

	for n in 0 1 63 64 65 100 536 1000 1300; do
		is_object "$mode: /$n" "10.77.0.2:8000/$n" "$n"
		is_object "$mode: v6 /$n" "[fd77::2]:8000/$n" "$n" -g
	done
	is_object "$mode: an address that is nobody's" 10.78.3.4:8000/500 500
	is_object "$mode: a v6 address that is nobody's" '[fd78::34]:8000/500' 500 -g
	is_object "$mode: HTTP/1.0" 10.77.0.2:8000/1000 1000 -0
	is_object "$mode: close" 10.77.0.2:8000/1000 1000 -H 'Connection: close'
	is "$mode: HEAD" "$(get 10.77.0.2:8000/1234 -I | tr -d '\r' | grep -i '^content-length')" 'Content-Length:  1234'
	is "$mode: help" "$(get 10.77.0.2:8000/ | head -c 10)" 'ndiv httpd'
	is "$mode: two requests, one connection" \
		"$(get '10.77.0.2:8000/[10-29]' -w '%{num_connects}' -o "$tmp/ignored" | tr -d '\n')" 10000000000000000000
	is "$mode: not found" "$(status 10.77.0.2:8000/x)" '404 close'
	is "$mode: too large" "$(status 10.77.0.2:8000/5000)" '416 close'
	is "$mode: POST" "$(status 10.77.0.2:8000/ -d x=y)" '405 close'
	is "$mode: bad request" "$(status 10.77.0.2:8000/ -X 'no/method')" '400 close'
	is "$mode: header too large" "$(status 10.77.0.2:8000/1 -H "X: $(printf '%01300d' 0)")" '431 close'
}

# All that came is accounted for: what the handler took, and what the stack got.
accounts() {
	is "$mode: each packet is counted once" "$(count .packets)" \
		"$(json '[.[0].rx.core.verdicts, .[0].rx.handlers.httpd.verdicts | to_entries[] |
			select(.key != "next") | .value.packets] | add')"
	is "$mode: each answer is sent" "$(count .sent.packets)" "$(count .handlers.httpd.verdicts.reply.packets)"
	is "$mode: no reason to drop of the core" "$(count '.core.reasons | add')" 0
	is "$mode: nothing lost on the way out" "$(count .tx_lost)" 0
	is "$mode: every cookie was right, and every checksum" \
		"$(count '.handlers.httpd.reasons | [."bad-cookie", ."bad-checksum", ."bad-options"]' | tr -d ' \n')" '[0,0,0]'
}

lab_up "$@" || bail 'no lab'
for mode in native generic; do
	ok "$mode: attach" nd attach lab0 httpd --mode "$mode"
	curls
	accounts
	load "$mode: wrk, keep-alive" http://10.77.0.2:8000/100
	load "$mode: wrk, close" -H 'Connection: close' http://10.77.0.2:8000/100
	load "$mode: wrk v6, keep-alive" 'http://[fd77::2]:8000/1000'
	load "$mode: wrk v6, close" -H 'Connection: close' 'http://[fd77::2]:8000/1000'
	ok "$mode: detach" nd detach lab0
	ok "$mode: nothing is left" nothing_left
	ok "$mode: and nobody answers" test "$(c curl -s -m 5 -o "$tmp/ignored" -w '%{http_code}' 10.77.0.2:8000/1)" = 000
done

mode=native
ok 'attach with options' nd attach lab0 httpd ports=8100-8110 addr=10.77.0.2/32,fd77::2/128
is_object 'first port' 10.77.0.2:8100/10 10
is_object 'last port, v6' '[fd77::2]:8110/10' 10 -g
ok 'no port of ours' test "$(status 10.77.0.2:8111/10)" = 000
ok 'no address of ours' test "$(c curl -s -m 1 -o "$tmp/ignored" -w '%{http_code}' 10.78.0.1:8100/10)" = 000
ok 'another range while it runs' nd replace --keep lab0 httpd ports=8000
is_object 'it is there' 10.77.0.2:8000/10 10
ok 'the former one is gone' test "$(status 10.77.0.2:8100/10)" = 000
ok 'without addresses' nd replace lab0 httpd
is_object 'vlan' 10.77.10.2:8000/1000 1000
is_object 'vlan v6' '[fd77:10::2]:8000/1000' 1000 -g
load 'vlan, wrk' http://10.77.10.2:8000/1000
accounts
ok 'detach' nd detach lab0
done_testing

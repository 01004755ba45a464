#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-site.t: real clients fetch the files of a site from the handler httpd: whole, in part lost, while it is exchanged
#
#	client: curl, wrk; nft loses packets  ---- veth ----  lab0: ndiv, httpd with a site
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

site=$tmp/site
URL=http://10.77.0.2:8000

# noise N SEED: N bytes, the same for the same seed.
noise() { openssl enc -aes-128-ctr -K "$(printf '%032d' "$2")" -iv 0 -in /dev/zero 2>/dev/null | head -c "$1"; }

make_site() {
	mkdir -p "$site/img"
	printf '<h1>home</h1>' >"$site/index.html"
	noise 500 1 >"$site/small.css"
	noise 9000 2 >"$site/img/logo.png"
	noise 100000 3 >"$site/img/photo.jpg"
	noise 1000000 4 >"$site/long.bin"
	printf 'a file' >"$site/100"
	printf 'lost: own page' >"$site/404.html"
	printf 'no: own page' >"$site/405.html"
	noise 30000 5 >"$site/416.html"
	printf 'down: own page' >"$tmp/down.html"
}

# get URL [ARGUMENT...]: status, and whether the server closed; the body is in $tmp/got, the head in $tmp/head.
get() {
	c curl -s -g -m 60 --noproxy '*' -D "$tmp/head" -o "$tmp/got" -w '%{http_code}' "${@:2}" "$URL$1"
	grep -qi '^connection: close' "$tmp/head" && echo ' close'
}

# is_file NAME URL FILE [ARGUMENT...]
is_file() {
	local status

	status=$(get "$2" "${@:4}")
	is "$mode: $1" "${status% close} $(cmp "$tmp/got" "$3" 2>&1)" '200 '
}

# head_has FIELD: its value.
field() { tr -d '\r' <"$tmp/head" | sed -n "s/^$1: //Ip"; }

files() {
	is_file 'index' / "$site/index.html"
	is_file 'one segment' /small.css "$site/small.css"
	is_file 'a query is not looked at' '/small.css?v=2' "$site/small.css"
	is_file 'a burst' /img/logo.png "$site/img/logo.png"
	is_file 'a file comes before the object of its name' /100 "$site/100"
	is "$mode: an object beside them" "$(get /101; wc -c <"$tmp/got")" 200101
	is "$mode: content type" "$(get /small.css >/dev/null; field content-type)" 'text/css; charset=utf-8'
	is "$mode: HEAD" "$(get /img/logo.png -I; field content-length)" 2009000
	is "$mode: HTTP/1.0" "$(get /small.css -0; cmp "$tmp/got" "$site/small.css")" '200 close'
	is "$mode: own page for 404" "$(get /no/such; cat "$tmp/got")" $'404 close\nlost: own page'
	is "$mode: own page for 405" "$(get / -X DELETE; cat "$tmp/got")" $'405 close\nno: own page'
	is "$mode: no page for 400" "$(get / -X no/method; cat "$tmp/got")" $'400 close\nThis is no HTTP/1.x request.'
	etags
}

etags() {
	get /img/logo.png >"$tmp/ignored"
	etag=$(field etag)
	is "$mode: 304 for the ETag that it has" "$(get /img/logo.png -H "If-None-Match: $etag"; field etag)" "304$etag"
	is "$mode: a weak one is the same" "$(get /img/logo.png -H "if-none-match: W/$etag")" 304
	is "$mode: 200 for another one" "$(get /img/logo.png -H 'If-None-Match: "0123456789abcdef"')" 200
	is "$mode: 200 for what is no ETag" "$(get /img/logo.png -H "If-None-Match: ${etag%\"}")" 200
	is "$mode: 304 with HEAD" "$(get /img/logo.png -I -H "If-None-Match: $etag")" 304
}

long_files() {
	is_file '70 segments' /img/photo.jpg "$site/img/photo.jpg"
	is_file 'a megabyte' /long.bin "$site/long.bin"
	is_file 'a megabyte, close' /long.bin "$site/long.bin" -H 'Connection: close'
	is "$mode: own page of two bursts" "$(get /2g; cmp "$tmp/got" "$site/416.html")" '416 close'
	keep_alive
}

# Long and short ones, files and objects, in turn on one connection.
keep_alive() {
	local names=(long.bin small.css img/photo.jpg 50000 img/photo.jpg img/logo.png 70 long.bin) name urls=()

	for name in "${names[@]}"; do
		urls+=("$URL/$name")
		cat "$site/$name" 2>/dev/null || { c curl -sf "$URL/$name"; }
	done >"$tmp/want"
	c curl -sf -m 60 -w '%{stderr}%{num_connects}' "${urls[@]}" >"$tmp/got" 2>"$tmp/connects"
	is "$mode: eight on one connection" "$(<"$tmp/connects") $(cmp "$tmp/got" "$tmp/want" 2>&1)" '10000000 '
}

# Without timestamps, the numbers of a connection have room for eight segments.
without_timestamps() {
	mode='no timestamps'
	c sysctl -qw net.ipv4.tcp_timestamps=0
	files
	is "$mode: too long" "$(get /img/photo.jpg; cat "$tmp/got")" \
		$'416 close\nToo large: 1g is the limit; without TCP timestamps, eight segments.'
	is "$mode: two on one connection" "$(c curl -sf -w '%{stderr}%{num_connects}' "$URL/img/logo.png" "$URL/small.css" \
		2>&1 >"$tmp/got"; cat "$site/img/logo.png" "$site/small.css" | cmp - "$tmp/got")" 10
	c sysctl -qw net.ipv4.tcp_timestamps=1
}

# lose ON: one packet of twenty, in both directions.
lose() {
	c nft -f - <<-END
		table netdev loss {
			chain in { type filter hook ingress device lab0 priority 0; numgen random mod 100 < 5 counter drop; }
			chain out { type filter hook egress device lab0 priority 0; numgen random mod 100 < 5 counter drop; }
		}
	END
}

lossy() {
	mode='loss'
	lose || bail 'nft cannot lose packets'
	is_file 'a megabyte' /long.bin "$site/long.bin"
	is_file 'a megabyte, close' /long.bin "$site/long.bin" -H 'Connection: close'
	is_file 'a burst' /img/logo.png "$site/img/logo.png"
	keep_alive
	check "$mode: both ways" \
		"$(c nft -j list table netdev loss | jq '[.. | .counter? | objects | .packets] | length == 2 and min > 0' |
			grep -c true)"
	c nft delete table netdev loss
}

# under_load NAME COMMAND...: while wrk fetches all files, which must not see an error but of HTTP.
under_load() {
	local name=$1

	shift
	cat >"$tmp/urls.lua" <<-'END'
		local urls, n = { "/", "/small.css", "/img/logo.png", "/img/photo.jpg", "/long.bin" }, 0
		request = function()
			n = n + 1
			return wrk.format("GET", urls[n % #urls + 1])
		end
	END
	# on a busy machine, what was lost may come again after more than the two seconds that wrk gives it
	c_bg wrk -t 1 -c 20 -d 600 --timeout 30 -s "$tmp/urls.lua" "$URL" >"$tmp/wrk" 2>&1
	wrk=$LAB_PID
	load_goes_on
	"$@"
	kill -INT "$wrk"
	wait "$wrk"
	if grep -q 'Requests/sec' "$tmp/wrk" && ! grep -q 'Socket errors' "$tmp/wrk"; then
		pass "$name"
	else
		fail "$name" "$(<"$tmp/wrk")"
	fi
}

# load_goes_on: waits for some more requests.
load_goes_on() { wait_for count_reaches .handlers.httpd.counters.file $(($(count .handlers.httpd.counters.file) + 100)); }

# One file becomes another one, of another length; and each transfer is of either, whole. Only one reload for each load:
# a transfer that is slow, because the machine is, does not outlive two.
reload() {
	noise $((200000 + 1000 * $1)) $((10 + $1)) >"$site/img/photo.jpg"
	nd httpd lab0 reload || return
	load_goes_on
	is_file "reload $1" /img/photo.jpg "$site/img/photo.jpg"
}

maintenances() {
	local i

	for i in 1 2 3; do
		nd httpd lab0 maintenance "$tmp/down.html" --retry 90
		load_goes_on
		is "$mode: maintenance $i" "$(get /img/photo.jpg; cat "$tmp/got")" '503down: own page'
		nd httpd lab0 maintenance off
		load_goes_on
		is_file "maintenance $i is over" /img/photo.jpg "$site/img/photo.jpg"
	done
}

maintenance() {
	nd httpd lab0 maintenance "$tmp/down.html" --retry 90
	is "$mode: maintenance: an object" "$(get /100; field retry-after)" 50390
	is "$mode: maintenance: DELETE" "$(get / -X DELETE; cat "$tmp/got")" $'503 close\ndown: own page'
	is "$mode: maintenance: POST" "$(get / -d x=y; cat "$tmp/got")" '503down: own page'
	is "$mode: maintenance: a body that is not whole" \
		"$(get / -T "$site/long.bin" -H Expect:; cat "$tmp/got")" $'503 close\ndown: own page'
	is "$mode: maintenance: no request" "$(get / -X no/method; cat "$tmp/got")" $'503 close\ndown: own page'
	nd httpd lab0 maintenance "$site/long.bin"
	is "$mode: maintenance: a page of several bursts" "$(get /; cmp "$tmp/got" "$site/long.bin")" 503
	is "$mode: maintenance: which is too long for a body that is not whole" \
		"$(get / -T "$site/long.bin" -H Expect:; cat "$tmp/got")" $'503 close\nDown for maintenance.'
	nd httpd lab0 maintenance off
	is_file 'maintenance is over' / "$site/index.html"
}

# begin: fetches long.bin into $tmp/raw, but waits before the most of it: the window is full meanwhile.
begin() {
	cp "$site/long.bin" "$tmp/want"
	rm -f "$tmp/go" "$tmp/raw"
	mkfifo "$tmp/go"
	printf 'GET /long.bin HTTP/1.0\n\n' >"$tmp/ask"
	# shellcheck disable=SC2016 # that bash expands it
	c_bg bash -c 'exec 3<>/dev/tcp/10.77.0.2/8000 && cat "$0/ask" >&3 && head -c 100000 <&3 && read -r <"$0/go" &&
		cat <&3' "$tmp" >"$tmp/raw" 2>"$tmp/said"
	client=$LAB_PID
	wait_for is_under_way || fail "$mode: no transfer"
}

is_under_way() { [ "$(stat -c %s "$tmp/raw")" = 100000 ]; }

# A transfer under way ends with the bytes that it began with, or not at all.
under_way() {
	local i

	begin
	noise 1000000 20 >"$site/long.bin"
	nd httpd lab0 reload
	is_file 'another file is served' /long.bin "$site/long.bin"
	echo >"$tmp/go"
	wait "$client"
	is "$mode: the old one ends" "$? $(tail -c 1000000 "$tmp/raw" | cmp - "$tmp/want" 2>&1)" '0 '
	begin
	for i in 21 22; do
		noise 1000000 "$i" >"$site/long.bin"
		nd httpd lab0 reload
	done
	echo >"$tmp/go"
	wait "$client"
	is "$mode: reset when it is gone" "$? $(<"$tmp/said")" '1 cat: -: Connection reset by peer'
	is "$mode: and counted" "$(count .handlers.httpd.counters.stale)" 1
	is_file 'the newest one' /long.bin "$site/long.bin"
}

make_site
lab_up "$@" || bail 'no lab'
mode=native
ok 'attach' nd attach lab0 httpd
ok 'root' nd httpd lab0 root "$site"
files
long_files
maintenance
without_timestamps
lossy
mode=load
for i in 1 2 3; do
	under_load "reload $i under load" reload "$i"
done
under_load 'maintenance under load' maintenances
is 'no transfer was given up' "$(count .handlers.httpd.counters.stale)" 0
mode=reload
under_way
mode=cleared
ok 'clear' nd httpd lab0 clear
is "$mode: nothing but objects" "$(get /; grep -c '^ndiv httpd' "$tmp/got")" 2001
is 'every cookie was right, and every checksum' \
	"$(count '.handlers.httpd.reasons | [."bad-cookie", ."bad-checksum", ."bad-options"]' | tr -d ' \n')" '[0,0,0]'
is 'no reason to drop of the core' "$(count '.core.reasons | add')" 0
done_testing

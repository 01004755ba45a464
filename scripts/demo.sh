#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# demo.sh: ndiv at work, in a lab of its own that is gone afterwards
#
# Two network namespaces with a wire between them. Handlers ping and httpd are
# attached to the server's end; the client asks, and nothing but ndiv answers.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

# shellcheck source=lab/lib.sh
. lab/lib.sh

SECONDS_OF_WRK=${SECONDS_OF_WRK:-3}
PORT=8000
SERVER4=10.77.0.2
SERVER6=fd77::2

bold='' dim='' off=''
if [ -t 1 ]; then
	bold=$'\e[1m' dim=$'\e[2m' off=$'\e[0m'
fi

exec 3>&1	# for what is typed, whoever reads what comes of it

say() { printf '\n%s%s%s\n\n' "$bold" "$*" "$off"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }
typed() { printf '  %s%s%s\n' "$dim" "$*" "$off" >&3; }
indent() { sed 's/^/      /'; }

thousands() { sed -E ':again; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; t again' <<<"$1"; }

# server CMD...: ndiv on the server's side, shown as one would type it there.
server() {
	typed "server# ndiv $*"
	build/ndiv -n "$LAB-s" "$@" | indent
}

# client CMD...: its output; fails as CMD does.
client() {
	typed "client\$ $*"
	c "$@"
}

show_ping() {
	client ping -n -c 3 -i 0.2 "$1" | grep -E 'bytes from|loss' | indent || die "ping $1 got no answer"
}

# show_curl HOST BYTES: asks for an object, and counts what comes.
show_curl() {
	local url="http://$1:$PORT/$2" line

	typed "client\$ curl $url"
	line=$(c curl -sS -g -o /dev/null -w '%{http_code} %{size_download} %{time_total}' "$url") || die "no answer from $url"
	awk '{ printf "      status %s, %s bytes, %.1f ms\n", $1, $2, $3 * 1000 }' <<<"$line"
	[ "${line% *}" = "200 $2" ] || die "that is not what was asked for"
}

# show_wrk [OPTION...]: sets RATE.
show_wrk() {
	local out

	typed "client\$ wrk -t 2 -c 100 -d $SECONDS_OF_WRK${1:+ $1 \"$2\"} http://$SERVER4:$PORT/100"
	out=$(c wrk -t 2 -c 100 -d "$SECONDS_OF_WRK" "$@" "http://$SERVER4:$PORT/100") || die "wrk failed"
	grep -E 'Latency|requests in|Requests/sec|Socket errors|Non-2xx' <<<"$out" | sed 's/^ */      /'
	RATE=$(awk '/^Requests\/sec/ { printf "%d", $2 }' <<<"$out")
	[ "${RATE:-0}" -gt 0 ] || die "wrk got no answer"
	! grep -qE 'Socket errors|Non-2xx' <<<"$out" || die "wrk saw errors"
}

# One line for each handler and verdict; for drops, also why.
table() {
	build/ndiv -n "$LAB-s" show --json lab0 | jq -r '
		.[0].rx as $rx | .[0].chain[].name as $name | $rx.handlers[$name] as $h | $h.verdicts | to_entries |
		to_entries[] | [(if .key == 0 then $name else "" end), .value.key, .value.value.packets, .value.value.bytes,
			(if .key > 0 or $h.ns == null then "" elif $h.ns < 1 then "< 1" else ($h.ns | round) end),
			(if .value.key == "drop" then $h.reasons | to_entries | map("\(.key) \(.value)") | join(", ") else "" end)] |
		@tsv' | awk -F '\t' '
		function thousands(n, rest) {
			for (; length(n) > 3; n = substr(n, 1, length(n) - 3))
				rest = "," substr(n, length(n) - 2) rest
			return n rest
		}
		BEGIN { printf "      %-8s %-8s %14s %16s %10s\n", "handler", "verdict", "packets", "bytes", "ns/packet" }
		{ printf "      %-8s %-8s %14s %16s %10s  %s\n", $1, $2, thousands($3), thousands($4), $5, $6 ? "(" $6 ")" : "" }'
}

[ "$(id -u)" = 0 ] || die "not root: network namespaces and BPF need it; try sudo make demo"

say "A lab: two network namespaces and a wire"
cat <<EOT
      client  $(printf '%-10s' 10.77.0.1) -------------- $SERVER4  server
              fd77::1                   $SERVER6    handlers are attached here, to lab0
EOT
lab_up "demo-$$" >/dev/null

say "The handlers: one program each, in the driver, before the kernel has built an skb"
server attach lab0 ping rate=0
server attach lab0 httpd "ports=$PORT"
server set lab0 sample=64
typed "server# ss -Hltn    (which sockets listen)"
s ss -Hltn | indent
echo "      none: no process on this side will answer"

say "ping"
show_ping $SERVER4
show_ping $SERVER6

say "HTTP: /N is an object of N bytes"
for size in 0 1 100 1000; do
	show_curl $SERVER4 $size
done
show_curl "[$SERVER6]" 1000

say "Load: 100 connections that stay, then one connection for each request"
show_wrk
keep=$RATE
show_wrk -H 'Connection: close'
close=$RATE

say "What came of it"
printf '      %-32s %10s requests/s\n' 'connections that stay' "$(thousands "$keep")" \
	'a connection for each request' "$(thousands "$close")"
echo
table
echo
cat <<'EOT'
      next: not mine, ask the next one. reply: answered in the driver. drop: needs no answer; in brackets, why.
      ns/packet: what a packet costs in that handler, measured for one in 64. `ndiv top` shows all this live.
EOT

say "And away with it"
server detach lab0
lab_down
echo "      no program on the interface, no interface, nothing left in /sys/fs/bpf"

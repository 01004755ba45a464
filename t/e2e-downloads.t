#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-downloads.t: long objects over a bad wire: all of them come, to the last byte, for not much more than they have
#
#	client: fetch.py ---- lab0: faults ---- lab0: faults, httpd
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/wire.sh
. "$(dirname "$0")/wire.sh"
# shellcheck source=t/clients.sh
. "$(dirname "$0")/clients.sh"

URL=http://10.77.0.2:8000
SIZES=1000000

# downloads NAME COUNT PERCENT FAULT...: so many; httpd sends at most PERCENT of their bytes.
downloads() {
	local before server client

	wire "${@:4}"
	before=$(count .handlers.httpd.counters.bytes)
	server=$(faulty s) client=$(faulty c)
	fetch "$1" "$URL" "$2" --timeout 300
	check "$1: there were faults, both ways" "$(faulty s) - $server > 20 && $(faulty c) - $client > 20"
	check "$1: bytes sent" "$(count .handlers.httpd.counters.bytes) - $before < $2 * $SIZES * $3 / 100"
}

from=c
lab_up "$@" || bail 'no lab'
wire_attach
nd attach lab0 httpd || bail 'no httpd'
agents_start
downloads '5% lost' 200 200 drop=50
downloads 'lost, doubled, disordered, late' 50 300 drop=20 duplicate=20 reorder=20 delay=20 delay-ms=5 jitter-ms=5
is 'nothing was strange to httpd' \
	"$(count '.handlers.httpd.reasons | [."bad-cookie", ."bad-checksum", ."bad-options", .flags]' | tr -d ' \n')" \
	'[0,0,0,0]'
agents_stop
done_testing

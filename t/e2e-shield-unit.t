#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-shield-unit.t: what the systemd unit does, and the policy that comes with it: nobody's connection is cut, least of
# all one to port 22
#
#	client: tcp.py, curl  ---- veth ----  lab0: ndiv, shield | tcp.py at port 22, haproxy
#
# There is no systemd here: its commands are taken from the installed unit, and run one by one as it would.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"
# shellcheck source=t/haproxy.sh
. "$(dirname "$0")/haproxy.sh"

root=$tmp/root
unit=$root/usr/local/lib/systemd/system/ndiv-shield@.service
policy=$root/usr/local/share/ndiv/shield.policy

# As they stand in /etc/ndiv/shield-lab0.conf. What was installed for another place has to be told where it is.
export NDIV_HANDLER_PATH=$root/usr/local/lib/ndiv
export OPTIONS='learn=5 unknown=2000' POLICY=$policy KEY=$tmp/key

# unit SETTING: runs its commands in the server's namespace, up to the first that fails.
unit() {
	local line

	while read -r line; do
		line=${line//%I/lab0}
		line=${line//\/var\/lib\/ndiv/$tmp}
		line=${line#-}
		line=${line//\/usr\/local/$root/usr/local}
		s bash -c "${line//\$\$/\$}" || return 1
	done < <(sed -n "s/^$1=//p" "$unit")
}

# start: as systemd: what comes before must have succeeded.
start() { unit ExecStartPre && unit ExecStart; }

# fails COMMAND...: it does, and says where the policy is wrong.
fails() {
	! "$@" 2>"$tmp/why" && grep -q "^ndiv: $tmp/policy:" "$tmp/why"
}

option() { nd show -j lab0 | jq -r ".[0].chain[0].options.$1"; }

shown() { nd shield show -j lab0 | jq -r "$1"; }

# hold PORT: a connection that has said hello; its pid is in held.
hold() {
	rm -f "$tmp/hello"
	c_bg "$top/t/tcp.py" hold 10.77.0.2 "$1" "$tmp/hello" 2>"$tmp/hold.log"
	held=$LAB_PID
	wait_for -t 20 grep -q hello "$tmp/hello"
}

# goes_on N: the connection is asked, and gives its Nth answer.
goes_on() {
	kill -USR1 "$held"
	wait_for -t 20 grep -q "echo $1" "$tmp/hello"
}

# session: a new one, as a person's who logs in.
session() {
	rm -f "$tmp/session"
	c_bg "$top/t/tcp.py" hold "$1" 22 "$tmp/session" 2>"$tmp/session.log"
	wait_for -t 20 grep -q hello "$tmp/session" && kill "$LAB_PID"
}

# works NAME N: the old session, a new one, one by IPv6, and the web.
works() {
	ok "$1: the old session goes on" goes_on "$2"
	here "$1: a new session" session 10.77.0.2
	here "$1: a new session, IPv6" session fd77::2
	is "$1: the web" "$(c curl -s -m 60 http://10.77.0.2/)" hello
}

ok 'install' make -s install DESTDIR="$root" PREFIX=/usr/local
ok 'the policy is good' "$build/ndiv" shield check "$policy"
is 'nothing but the rate of port 22 is not dry' \
	"$(sed 's/#.*//' "$policy" | grep -E 'deny|limit' | grep -v 'dry *$' | sed 's/[ \t][ \t]*/ /g')" \
	'service tcp port 22 limit 50/s burst 500 per source'
lab_up "$@" || bail 'no lab'
s_bg "$top/t/tcp.py" serve 22
ok 'port 22' wait_for listens 22
haproxy_start 80
here 'a session' hold 22
works 'before' 1
ok 'start' start
is 'its option is set' "$(option learn)" 5
is 'the policy is loaded' "$(shown .policy.loaded)" true
is 'no secret is shared: there is no file' "$(shown .keys.shared)" false
works 'started' 2
is 'nobody was refused' "$(shown '[.policy.rules[] | select(.dry | not) | .refused] | add')" 0
(umask 77 && "$build/ndiv" shield genkey >"$KEY")
cp "$policy" "$tmp/policy"
POLICY=$tmp/policy
echo 'deny 192.0.2.1' >>"$tmp/policy"
ok 'reload, with another policy and a secret' unit ExecReload
is 'it is the other one' "$(shown '.policy.rules[-1].rule')" 'deny 192.0.2.1'
is 'the secret is shared' "$(shown .keys.shared)" true
works 'reloaded' 3
echo 'deny nobody' >>"$tmp/policy"
ok 'reload fails with a bad one' fails unit ExecReload
is 'the one before is at work' "$(shown '.policy.rules[-1].rule')" 'deny 192.0.2.1'
works 'not reloaded' 4
# stop: as systemd.
stop() { unit ExecStop && unit ExecStopPost; }

ok 'a ban' nd shield ban lab0 192.0.2.9 1h
ok 'stop' stop
is 'the ban is saved' "$(cut -d' ' -f1 "$tmp/bans-lab0")" 192.0.2.9
ok 'nothing is left' nothing_left
works 'stopped' 5
ok 'it does not start with a bad policy' fails start
ok 'and leaves nothing' nothing_left
POLICY=$policy
ok 'start again' start
works 'started again' 6
kill "$held"
is 'the ban is set again' "$(nd shield bans -j lab0 | jq -r '.. | .prefix? // empty')" 192.0.2.9
ok 'stop again' stop
done_testing

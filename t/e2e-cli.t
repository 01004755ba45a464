#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-cli.t: the command: what it says and how it ends
#
# Errors are compared word for word: what was wrong, with which object, and what to do.
# shellcheck disable=SC2016 # backquotes are part of what it says
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

no_if='nope: no such interface in this network namespace (`ip link` lists them)'
no_handler='(`ndiv handlers` lists those that come with ndiv; a file'"'"'s name contains a / or ends in .o)'

# usage NAME MESSAGE ARGUMENT...: the command line is wrong.
usage() { exits "$1" 2 "$2" nd "${@:3}"; }

# error NAME MESSAGE ARGUMENT...: the command line is right, but it cannot be done.
error() { exits "$1" 1 "ndiv: $2" nd "${@:3}"; }

usages() {
	exits 'no command' 2 'ndiv: COMMAND is missing' nd
	usage 'unknown command' 'ndiv: unknown command "frobnicate"; `ndiv help` lists them' frobnicate
	usage 'a command is not abbreviated' 'ndiv: unknown command "att"; `ndiv help` lists them' att
	usage 'attach nothing' 'ndiv attach: IF is missing' attach
	usage 'attach no handler' 'ndiv attach: HANDLER is missing' attach lab0
	usage 'attach: place out of range' 'ndiv attach: --at: "99" is out of range; it has to be from 0 to 14' \
		attach lab0 ping --at 99
	usage 'attach: place is no number' 'ndiv attach: --at: "1x" is not a number; it has to be from 0 to 14' \
		attach lab0 ping --at 1x
	usage 'attach: no such mode' 'ndiv attach: --mode: "fast" is none of auto|native|generic' attach lab0 ping --mode fast
	usage 'attach: no such option' 'ndiv attach: unknown option --frobnicate' attach lab0 ping --frobnicate
	usage 'detach nothing' 'ndiv detach: IF is missing' detach
	usage 'show too much' 'ndiv show: "lab1" is one argument too many' show lab0 lab1
	usage 'agent: number out of range' 'ndiv agent: --max: "0" is out of range; it has to be from 1 to 1048576' agent --max 0
	usage 'top: delay out of range' 'ndiv top: --delay: "0" is out of range; it has to be from 0.1 to 3600' top -d 0
	usage 'top: delay is a point' 'ndiv top: --delay: "." is not a number; it has to be from 0.1 to 3600' top -d .
	usage 'top: delay is nothing' 'ndiv top: --delay: "" is not a number; it has to be from 0.1 to 3600' top -d ''
	usage 'help of nothing' 'ndiv help: unknown command "nope"; `ndiv help` lists them' help nope
	usage 'set: no such value' 'ndiv set: malformed: "eat" is none of drop|pass' set lab0 malformed=eat
	usage 'set: no power of two' 'ndiv set: sample: "3" is neither 0 nor a power of two from 1 to 2147483648' \
		set lab0 sample=3
	usage 'set: no such setting' 'ndiv set: "foo=1" is no setting; there are malformed=drop|pass and sample=N' \
		set lab0 foo=1
}

errors() {
	error 'attach: no such interface' "$no_if" attach nope ping
	error 'detach: no such interface' "$no_if" detach nope
	error 'show: no such interface' "$no_if" show nope
	error 'attach: no such handler' \
		"lab0: no handler \"nope\": $build/handlers/nope.bpf.o: No such file or directory $no_handler" attach lab0 nope
	error 'attach: no such file' "lab0: no handler \"./nope.o\": ./nope.o: No such file or directory $no_handler" \
		attach lab0 ./nope.o
	error 'attach: no object of a handler' \
		"lab0: $build/bpf/core.bpf.o: it has no section .rodata.ndiv: is it an ndiv handler? See ndiv/handler.h" \
		attach lab0 "$build/bpf/core.bpf.o"
	error 'attach: unknown option' \
		'lab0: ping: unknown option "foo"; it has rate, burst, per-source-rate, per-source-burst, over, addr' \
		attach lab0 ping foo=1
	error 'attach: option is no number' 'lab0: ping: option rate: "x" is not a number from 0 to 10000000' \
		attach lab0 ping rate=x
	error 'attach: option out of range' 'lab0: ping: option rate: "10000001" is not a number from 0 to 10000000' \
		attach lab0 ping rate=10000001
	error 'attach: option below 0' 'lab0: ping: option rate: "-1" is not a number from 0 to 10000000' \
		attach lab0 ping rate=-1
	error 'attach: option without a value' 'lab0: ping: "rate" is no option: write name=value' attach lab0 ping rate
	error 'attach: no such choice' 'lab0: ping: option over: "maybe" is none of drop,pass' attach lab0 ping over=maybe
	error 'detach from what is not attached' 'lab0: ndiv is not attached' order lab0 ping
	error 'replace what is not attached' 'lab0: handler ping is not attached (`ndiv show lab0` lists those that are)' \
		replace lab0 ping
	exits 'no such namespace' 1 \
		'ndiv: network namespace "nope" in /run/netns: No such file or directory (`ip netns list` shows those that there are)' \
		"$build/ndiv" -n nope show
	ok 'after all these, nothing is there' nothing_left
}

# Neither the number of an error, nor libbpf's own words, are an answer.
no_object() {
	local file said

	printf 'no ELF' >"$tmp/text.o"
	: >"$tmp/empty.o"
	head -c 3000 "$build/t/handlers/reply.bpf.o" >"$tmp/half.o"
	cp "$build/ndiv" "$tmp/other.o"
	mkdir "$tmp/dir.o"
	for file in text empty half other dir; do
		said=$(nd attach lab0 "$tmp/$file.o" 2>&1)
		is "attach $file.o: fails" "$?" 1
		check "attach $file.o: names it in one line" "$(grep -c "$tmp/$file.o" <<<"$said") == 1"
		check "attach $file.o: in words" "$(grep -ciE 'unknown error|libbpf|errno' <<<"$said") == 0"
	done
	ok 'nothing is there' nothing_left
}

chains() {
	nd attach lab0 ping rate=5
	error 'other options' \
		"lab0: handler ping is attached already, from $build/handlers/ping.bpf.o with options \"rate=5\": \`ndiv replace lab0 ping ...\` changes it" \
		attach lab0 ping rate=6
	error 'another mode' 'lab0: ndiv is attached in native mode; detach all handlers to attach in generic mode' \
		attach lab0 httpd --mode generic
	error 'order: not attached' 'lab0: handler httpd is not attached (`ndiv show lab0` lists those that are)' \
		order lab0 httpd
	error 'order: twice' 'lab0: 2 handlers are named, 1 are attached: name each one once' order lab0 ping ping
	ok 'detach' nd detach lab0
	is 'show: nothing attached' "$(nd show lab0)" 'lab0: ndiv is not attached'
	is 'show: nothing anywhere' "$(nd show)" 'ndiv is attached to no interface of this network namespace'
	is 'show -j: nothing anywhere' "$(nd show -j)" '[]'
}

# Without the rights: which are missing is said. 65534: nobody.
rights() {
	chmod 755 "$tmp"
	exits 'attach without rights' 1 'ndiv: lo: CAP_NET_ADMIN is missing: run it as root (sudo)' \
		setpriv --reuid 65534 --clear-groups --inh-caps=-all "$build/ndiv" attach lo ping
	ok 'version without rights' setpriv --reuid 65534 --clear-groups --inh-caps=-all "$build/ndiv" version
	ok 'help without rights' setpriv --reuid 65534 --clear-groups --inh-caps=-all "$build/ndiv" help
	exits 'output that cannot be written' 1 'ndiv: cannot write to standard output: No space left on device' \
		sh -c "'$build/ndiv' help 3>&1 >/dev/full"
}

# without_reader CMD...: its output goes to a pipe that nobody reads. The shell's word for who died of SIGPIPE is 141.
without_reader() {
	local status

	rm -f "$tmp/pipe"
	mkfifo "$tmp/pipe"
	# shellcheck disable=SC2094 # one end of each kind
	exec 8<>"$tmp/pipe" 9>"$tmp/pipe" 8<&-
	"$@" >&9 9>&-
	status=$?
	exec 9>&-
	return "$status"
}

no_reader() {
	nd attach lab0 ping
	exits 'nobody reads: show' 141 '' without_reader nd show
	exits 'nobody reads: top' 141 '' without_reader nd top -b -d 0.1
	exits 'nobody reads: help' 141 '' without_reader "$build/ndiv" help
	exits 'nobody reads, SIGPIPE is ignored' 1 'ndiv: cannot write to standard output: Broken pipe' \
		without_reader env --ignore-signal=PIPE "$build/ndiv" -n "$LAB-s" show
	ok 'detach' nd detach lab0
}

helps() {
	local name

	for name in attach detach replace order set show top agent handlers httpd shield replay probe version help; do
		ok "help $name" sh -c "'$build/ndiv' $name --help | grep -q '^Usage: ndiv $name'"
		is "help $name is $name --help" "$("$build/ndiv" help "$name")" "$("$build/ndiv" "$name" --help)"
		ok "$name is in the man page" grep -q "^\\.Cm $name\$\|^\\.It Cm $name\|^\\.Cm $name " docs/man/ndiv.8
	done
	is 'version' "$("$build/ndiv" version | awk '{ print $1, $2 }')" \
		"ndiv $(sed -n 's/^#define NDIV_VERSION "\(.*\)"/\1/p' include/ndiv/ndiv.h)"
}

# Everything that is JSON can be read, and says the same as the text.
jsons() {
	nd attach lab0 ping rate=0
	nd attach lab0 httpd
	c ping -q -f -c 100 10.77.0.2 >"$tmp/ignored"
	ok 'show -j' sh -c "'$build/ndiv' -n $LAB-s show -j | jq -e '.[0].chain | length == 2'"
	ok 'show -acj' sh -c "'$build/ndiv' -n $LAB-s show -acj | jq -e '.[0].cpus | length > 0'"
	is 'sum of the CPUs' "$(nd show -acj lab0 | jq '[.[0].cpus[].rx.handlers.ping.verdicts.reply.packets] | add')" \
		"$(count .handlers.ping.verdicts.reply.packets)"
	ok 'the text has the same number' sh -c "'$build/ndiv' -n $LAB-s show lab0 | grep -qE 'reply +100 '"
	ok 'handlers -j' sh -c "'$build/ndiv' handlers -j | jq -e 'map(.name) | contains([\"ping\", \"httpd\"])'"
	ok 'handlers -j ping' sh -c "'$build/ndiv' handlers -j ping | jq -e '.[0].options.rate.max == 10000000'"
	ok 'probe -j' sh -c "'$build/ndiv' -n $LAB-s probe -j lab0 | jq -e .features"
	ok 'version -j' sh -c "'$build/ndiv' version -j | jq -e ."
	is 'top -bj: three lines, each an object' \
		"$(nd top -bj -d .1 -c 3 lab0 | jq -c '.interfaces | length' | tr '\n' ' ')" '1 1 1 '
	ok 'detach' nd detach lab0
}

lab_up "$@" || bail 'no lab'
usages
errors
no_object
chains
rights
no_reader
helps
jsons
done_testing

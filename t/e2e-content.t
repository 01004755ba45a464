#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# e2e-content.t: ndiv httpd: which files are served, what is said of those that cannot be, and what outlives what
# shellcheck disable=SC2016 # backquotes are part of what it says
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

site=$tmp/site

usage() { exits "$1" 2 "$2" nd "${@:3}"; }
error() { exits "$1" 1 "ndiv: $2" nd "${@:3}"; }

# shown FILTER: of what `ndiv httpd lab0 show` tells.
shown() { nd httpd lab0 show -j | jq -r "$1"; }

make_site() {
	mkdir -p "$site/img" "$site/.git"
	printf '<h1>home</h1>' >"$site/index.html"
	printf 'body {}' >"$site/style.css"
	head -c 100000 /dev/zero >"$site/img/big one.png"
	printf 'lost' >"$site/404.html"
	printf 'secret' >"$site/.git/config"
}

usages() {
	usage 'no action' 'ndiv httpd: ACTION is missing' httpd lab0
	usage 'unknown action' 'ndiv httpd: "rot" is none of root|reload|clear|maintenance|show' httpd lab0 rot
	usage 'root without a directory' 'ndiv httpd: root: DIR is missing' httpd lab0 root
	usage 'maintenance without a page' 'ndiv httpd: maintenance: PAGE or "off" is missing' httpd lab0 maintenance
	usage 'reload with an argument' 'ndiv httpd: reload: "x" is one argument too many' httpd lab0 reload x
	usage 'retry out of range' 'ndiv httpd: --retry: "86401" is out of range; it has to be from 0 to 86400' \
		httpd lab0 maintenance "$site/404.html" --retry 86401
}

not_there() {
	error 'ndiv is not attached' 'lab0: ndiv is not attached: `ndiv attach lab0 httpd`' httpd lab0 root "$site"
	error 'show: ndiv is not attached' 'lab0: ndiv is not attached: `ndiv attach lab0 httpd`' httpd lab0 show
	nd attach lab0 ping
	error 'httpd is not attached' 'lab0: handler httpd is not attached: `ndiv attach lab0 httpd`' httpd lab0 show
	nd detach lab0
	ok 'nothing is left' nothing_left
}

serve() {
	ok 'attach' nd attach lab0 httpd
	is 'nothing is served' "$(nd httpd lab0 show)" 'lab0: no files are served'
	error 'reload: nothing is loaded' 'lab0: no files are loaded: `ndiv httpd lab0 root DIR` does it' httpd lab0 reload
	ok 'root' nd httpd lab0 root "$site"
	is 'root is shown' "$(shown .root)" "$site"
	is 'files' "$(shown '[.files[] | "\(.status) \(.url) \(.type) \(.size)"] | join("; ")')" \
		'404 null text/html; charset=utf-8 4; 200 /img/big%20one.png image/png 100000; 200 / text/html; charset=utf-8 13; 200 /style.css text/css; charset=utf-8 7'
	is 'hidden files' "$(shown .hidden)" 1
	is 'ETags: 16 digits, all different, none of an error page' \
		"$(shown '.files[] | .etag | strings | select(test("^[0-9a-f]{16}$"))' | sort -u | wc -l)" 3
	ok 'the text has them, too' sh -c "'$build/ndiv' -n $LAB-s httpd lab0 show | grep -q '^  /style.css  *text/css; charset=utf-8  *7 '"
	etag=$(shown '.files[] | select(.url == "/style.css").etag')
}

outlive() {
	printf 'body { color: red }' >"$site/style.css"
	is 'a changed file is not served before a reload' "$(shown '.files[] | select(.url == "/style.css").etag')" "$etag"
	ok 'replace' nd replace lab0 httpd
	is 'content outlives a replacement' "$(shown '.files[] | select(.url == "/style.css").etag')" "$etag"
	ok 'reload' nd httpd lab0 reload
	is 'a reload takes the change' "$(shown '.files[] | select(.url == "/style.css").size')" 19
	rm "$site/404.html"
	ok 'root by a relative path' env -C "$site" "$build/ndiv" -n "$LAB-s" httpd lab0 root .
	is 'the full path is kept' "$(shown .root)" "$site"
	is 'a file that is gone is gone' "$(shown '.files | length')" 3
}

maintenance() {
	printf 'be right back' >"$tmp/down.html"
	ok 'maintenance' nd httpd lab0 maintenance "$tmp/down.html"
	is 'its page is shown' "$(shown .maintenance)" "$tmp/down.html"
	is 'it comes first' "$(shown '.files[0] | "\(.status) \(.size)"')" '503 13'
	is 'the files are there still' "$(shown '.files | length')" 4
	ok 'the text says so' sh -c "'$build/ndiv' -n $LAB-s httpd lab0 show | head -n 1 | grep -qx 'lab0: maintenance: every request gets $tmp/down.html'"
	ok 'reload meanwhile' nd httpd lab0 reload
	ok 'maintenance off' nd httpd lab0 maintenance off
	is 'it is over' "$(shown '"\(.maintenance) \(.root)"')" "null $site"
	error 'no such page' "lab0: $tmp/nope: No such file or directory" httpd lab0 maintenance "$tmp/nope"
	error 'a directory is no page' "lab0: $site: it is no file" httpd lab0 maintenance "$site"
}

# What cannot be served is named, and what is served goes on.
refusals() {
	local before

	before=$(shown .since,.files)
	error 'no such directory' "lab0: $tmp/nope: No such file or directory" httpd lab0 root "$tmp/nope"
	error 'a file is no directory' "lab0: $site/index.html: Not a directory" httpd lab0 root "$site/index.html"
	ln -s /etc/passwd "$site/link"
	error 'a link that leaves the directory' \
		"lab0: $site/link: the symbolic link leaves the directory: put a copy in its place" httpd lab0 reload
	rm "$site/link"
	head -c 1038337 /dev/zero >"$site/huge"
	error 'a huge file' \
		"lab0: $site/huge: 1038337 bytes: a file may have up to 1038336; serve it from somewhere else" httpd lab0 reload
	rm "$site/huge"
	mkfifo "$site/pipe"
	error 'a pipe' "lab0: $site/pipe: it is neither file nor directory: remove it" httpd lab0 reload
	rm "$site/pipe"
	is 'what was served is served' "$(shown .since,.files)" "$before"
}

completes() {
	is 'complete: actions' "$("$build/ndiv" complete -- httpd lab0 '' | tr '\n' ' ')" 'root reload clear maintenance show '
	is 'complete: options' "$("$build/ndiv" complete -- httpd lab0 root --r)" --retry
}

ends() {
	ok 'clear' nd httpd lab0 clear
	is 'nothing is served again' "$(nd httpd lab0 show)" 'lab0: no files are served'
	ok 'detach' nd detach lab0
	ok 'nothing is left' nothing_left
}

make_site
lab_up "$@" || bail 'no lab'
usages
not_there
serve
outlive
maintenance
refusals
completes
ends
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# browser.t: httpd and a browser: Chromium, headless, shows an object and fetches many by a script (make check-browser)
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/../e2e.sh"

# Bytes of what is fetched.
SIZES=0,1,64,100,536,1000,1200

object() { "$top/t/fetch.py" body "$1"; }

# dom URL [OPTION...]: the page as it is once its scripts are done.
dom() {
	HOME=$tmp c timeout 120 "$chromium" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--no-first-run --user-data-dir="$tmp/profile" --virtual-time-budget=60000 "${@:2}" \
		--dump-dom "$1" 2>"$tmp/chromium.log"
}

# pre FILE: what Chromium shows of a text.
pre() { perl -0777 -ne 'print $1 if m{<pre[^>]*>(.*?)</pre>}s' "$1"; }

shows() {
	dom "$2/$3" >"$tmp/dom"
	pre "$tmp/dom" >"$tmp/got"
	object "$3" >"$tmp/want"
	ok "$1" cmp "$tmp/got" "$tmp/want"
}

# page URL: a page whose script fetches each size five times, by as many connections as the browser likes, GET and HEAD.
page() {
	local n

	echo "<!doctype html><title>fetch</title><pre id=said></pre><script>"
	echo "const url = '$1', want = {"
	for n in ${SIZES//,/ }; do
		echo "$n: '$(object "$n" | base64 -w 0)',"
	done
	cat <<-'EOF'
		};
		let right = 0, errors = [];

		async function get(n, method) {
			const response = await fetch(`${url}/${n}`, { method, cache: 'no-store' });
			const body = new Uint8Array(await response.arrayBuffer());
			const expected = method === 'HEAD' ? '' : atob(want[n]);

			if (response.status !== 200 || response.headers.get('content-length') !== String(atob(want[n]).length))
				errors.push(`${method} ${n}: ${response.status}, ${response.headers.get('content-length')}`);
			else if (body.length !== expected.length || !body.every((b, i) => b === expected.charCodeAt(i)))
				errors.push(`${method} ${n}: another body`);
			else
				right++;
		}

		const all = [];
		for (let i = 0; i < 5; i++)
			for (const n in want)
				for (const method of ['GET', 'HEAD'])
					all.push(get(n, method).catch((error) => errors.push(`${method} ${n}: ${error}`)));
		Promise.all(all).then(() => { document.getElementById('said').textContent =
			`${right} right; ${errors.join(', ')}`; });
		</script>
	EOF
}

# scripted NAME URL: the page is a file, which may fetch from anywhere for once.
scripted() {
	page "$2" >"$tmp/page.html"
	dom "file://$tmp/page.html" --disable-web-security >"$tmp/dom"
	is "$1" "$(grep -o '<pre id="said">[^<]*' "$tmp/dom" | cut -d'>' -f2)" "$((10 * $(tr , '\n' <<<"$SIZES" | wc -l))) right; "
}

for chromium in chromium chromium-browser google-chrome ''; do
	! command -v "${chromium:-false}" >"$tmp/ignored" || break
done
[ -n "$chromium" ] || bail 'no chromium: scripts/deps.sh browser'
lab_up "$@" || bail 'no lab'
ok 'attach' nd attach lab0 httpd
shows 'an object is shown' http://10.77.0.2:8000 1000
shows 'the largest one, v6' 'http://[fd77::2]:8000' "${SIZES##*,}"
scripted 'a script fetches' http://10.77.0.2:8000
scripted 'a script fetches, v6' 'http://[fd77::2]:8000'
check 'there were as many requests' "$(count '.handlers.httpd.counters | .get + .head') >= 140"
is 'nothing was strange to httpd' \
	"$(count '.handlers.httpd.reasons | [."bad-cookie", ."bad-checksum", ."bad-options", .flags]' | tr -d ' \n')" \
	'[0,0,0,0]'
done_testing

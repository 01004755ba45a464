#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# browser.t: httpd and a browser: Chromium, headless (make check-browser)
#
# It shows an object, fetches many by a script, and shows a site whose page takes style sheet, script, images and another
# page from the same server, some of them in many segments, also while packets get lost.
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/../e2e.sh"

# Bytes of what is fetched.
SIZES=0,1,64,100,536,1000,1200,1400,20000,100000

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

# picture WIDTH HEIGHT: a PNG, of noise, so that it stays long.
picture() {
	python3 - "$1" "$2" <<-'EOF'
		import random, struct, sys, zlib
		chunk = lambda kind, data: struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
		width, height = int(sys.argv[1]), int(sys.argv[2])
		random.seed(width)
		rows = b"".join(b"\0" + random.randbytes(3 * width) for _ in range(height))
		sys.stdout.buffer.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
			chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))
	EOF
}

make_site() {
	site=$tmp/site
	mkdir -p "$site/img" "$site/sub"
	picture 7 5 >"$site/img/small.png"
	picture 400 250 >"$site/img/large.png"
	echo '#said { color: rgb(1, 2, 3); }' >"$site/style.css"
	echo '<!doctype html><title>other</title><p id=other>another page' >"$site/sub/index.html"
	{
		printf '// %065536d\n' 0
		cat <<-'EOF'
			const picture = (name) => { const i = document.getElementById(name); return `${i.naturalWidth}x${i.naturalHeight}`; };
			window.addEventListener('load', () => {
				const said = document.getElementById('said');
				const other = document.getElementById('frame').contentDocument.getElementById('other');

				said.textContent = [picture('small'), picture('large'), getComputedStyle(said).color,
					other.textContent.trim()].join('; ');
			});
		EOF
	} >"$site/script.js"
	cat >"$site/index.html" <<-'EOF'
		<!doctype html><title>site</title><link rel=stylesheet href=/style.css><script src=/script.js></script>
		<img id=small src=img/small.png><img id=large src=/img/large.png><iframe id=frame src=sub/></iframe>
		<pre id=said></pre>
	EOF
}

# site NAME URL
site() {
	dom "$2/" >"$tmp/dom"
	is "$1" "$(grep -o '<pre id="said">[^<]*' "$tmp/dom" | cut -d'>' -f2)" '7x5; 400x250; rgb(1, 2, 3); another page'
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
check 'there were as many requests' "$(count '.handlers.httpd.counters | .get + .head') >= 200"
make_site
ok 'a site' nd httpd lab0 root "$site"
site 'it is shown' http://10.77.0.2:8000
site 'v6' 'http://[fd77::2]:8000'
ok 'packets get lost' nd attach lab0 faults drop=50 duplicate=20
ok 'before httpd gets them' nd order lab0 faults httpd
site 'it is shown' http://10.77.0.2:8000
scripted 'a script fetches' http://10.77.0.2:8000
check 'some were' "$(count '.handlers.faults.reasons.fault') > 0"
check 'these were files' "$(count '.handlers.httpd.counters.file') >= 18"
is 'nothing was strange to httpd' \
	"$(count '.handlers.httpd.reasons | [."bad-cookie", ."bad-checksum", ."bad-options", .flags]' | tr -d ' \n')" \
	'[0,0,0,0]'
done_testing

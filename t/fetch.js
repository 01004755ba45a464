#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-only
/*
 * fetch.js - an HTTP client in Node for the end-to-end tests
 *
 *	fetch.js URL DIR COUNT PARALLEL [close] [head]
 *
 * Fetches URL/N for each file N in DIR, COUNT requests in all, by PARALLEL clients at once, and compares the body with
 * the file. Prints one line of JSON as fetch.py does; exits with 1 if anything was wrong.
 */
'use strict';

const fs = require('fs');
const http = require('http');
const path = require('path');

const [url, dir, count, parallel, ...words] = process.argv.slice(2);
const close = words.includes('close');
const head = words.includes('head');
const files = fs.readdirSync(dir).map((name) => ({ name, data: fs.readFileSync(path.join(dir, name)) }));
const agent = new http.Agent({ keepAlive: !close, maxSockets: Number(parallel) });
const sockets = new Set();
const report = { requests: Number(count), right: 0, connections: 0, errors: {} };

function judge(response, body, want) {
	if (response.statusCode !== 200)
		return `status ${response.statusCode}`;
	if (response.headers['content-length'] !== String(want.length))
		return `Content-Length ${response.headers['content-length']} of ${want.length}`;
	if ((response.headers.connection === 'close') !== close)
		return `Connection: ${response.headers.connection}`;
	if (!response.complete)
		return 'not complete';
	return body.equals(head ? Buffer.alloc(0) : want) ? '' : `body of ${want.length} bytes differs`;
}

function fetch(file) {
	return new Promise((resolve) => {
		const headers = close ? { Connection: 'close' } : {};
		const options = { agent, headers, method: head ? 'HEAD' : 'GET', timeout: 60000 };
		const request = http.request(`${url}/${file.name}`, options, (response) => {
			const parts = [];

			response.on('data', (part) => parts.push(part));
			response.on('error', (error) => resolve(String(error)));
			response.on('end', () => resolve(judge(response, Buffer.concat(parts), file.data)));
		});

		request.on('socket', (socket) => sockets.add(socket));
		request.on('timeout', () => request.destroy(new Error('timed out')));
		request.on('error', (error) => resolve(String(error)));
		request.end();
	});
}

async function main() {
	const said = await Promise.all(Array.from({ length: report.requests }, (_, i) => fetch(files[i % files.length])));

	for (const word of said) {
		if (word)
			report.errors[word] = (report.errors[word] || 0) + 1;
		else
			report.right++;
	}
	report.connections = sockets.size;
	agent.destroy();
	console.log(JSON.stringify(report));
	process.exitCode = report.right === report.requests ? 0 : 1;
}

main();

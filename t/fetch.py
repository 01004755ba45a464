#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""fetch.py - an HTTP client for the end-to-end tests, which looks at every byte

body N                 prints what httpd serves as /N
get URL                fetches URL/N for each of --sizes, --count requests in all, by --parallel clients at once

What get prints is one line of JSON: requests, right (status 200, Content-Length, body to the last byte, connection kept
or closed as asked), connections, bytes (of bodies), and errors: what went wrong, and how often. It exits with 1 if
anything did.
"""
import argparse
import collections
import http.client
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

LINE = b"0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ\n"

# what a slow client reads at a time, and how long it waits then (s)
SIP = 512
PAUSE = 0.2


def body(size):
    """What httpd serves as an object of <size> bytes: the one place where the tests know it."""
    return (LINE * (size // len(LINE) + 1))[-size:] if size else b""


class Wrong(Exception):
    """What a response ought not to be."""


def judge(response, data, size, args):
    if response.status != 200:
        raise Wrong("status %d" % response.status)
    length = response.getheader("Content-Length")
    if length is None and response.getheader("Transfer-Encoding") != "chunked":
        raise Wrong("no length")
    if length is not None and int(length) != size:
        raise Wrong("Content-Length %s of %d" % (length, size))
    want = b"" if args.head else body(size)
    if len(data) != len(want):
        raise Wrong("%d bytes of %d" % (len(data), len(want)))
    if data != want:
        raise Wrong("byte %d of %d" % (next(i for i, b in enumerate(data) if b != want[i]), size))


class Client:
    """Fetches by http.client, on one connection as long as it is kept, or on a new one for each request."""

    def __init__(self, args):
        self.args = args
        self.url = urllib.parse.urlsplit(args.url)
        self.method = "HEAD" if args.head else "GET"
        self.headers = {"Connection": "close"} if args.close else {}
        self.conn = None
        self.connections = 0

    def drop(self):
        if self.conn:
            self.conn.close()
        self.conn = None

    def read(self, response):
        """All of it; with --slow, little by little, and the end not before the file is there."""
        data = []
        while self.args.slow and not os.path.exists(self.args.slow):
            if response.length > SIP:
                data.append(response.read(SIP))
            time.sleep(PAUSE)
        return b"".join(data) + response.read()

    def fetch(self, size):
        if not self.conn:
            self.conn = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=self.args.timeout)
            self.connections += 1
        try:
            self.conn.request(self.method, "%s/%d" % (self.url.path, size), headers=self.headers)
            response = self.conn.getresponse()
            data = self.read(response)
            judge(response, data, size, self.args)
            if not self.args.close and response.will_close:
                raise Wrong("not kept")
            if self.args.close and not response.will_close:
                raise Wrong("not closed")
        except Exception:
            self.drop()
            raise
        if self.args.close:
            self.drop()
        return len(data)


class UrlClient(Client):
    """Fetches by urllib.request, which closes after each request."""

    def fetch(self, size):
        self.connections += 1
        request = urllib.request.Request("%s/%d" % (self.args.url, size), method=self.method)
        try:
            with urllib.request.urlopen(request, timeout=self.args.timeout) as response:
                data = response.read()
                judge(response, data, size, self.args)
        except urllib.error.HTTPError as error:
            raise Wrong("status %d" % error.code) from error
        return len(data)


class Tally:
    """What all clients have in common: what became of their requests."""

    def __init__(self, args):
        self.args = args
        self.lock = threading.Lock()
        self.start = threading.Barrier(args.parallel)
        self.errors = collections.Counter()
        self.right = self.bytes = self.connections = 0

    def fetch(self, client, size):
        try:
            n = client.fetch(size)
        except (Wrong, OSError, http.client.HTTPException) as error:
            with self.lock:
                self.errors["%s: %s" % (type(error).__name__, error)] += 1
        else:
            with self.lock:
                self.right += 1
                self.bytes += n

    def work(self, number):
        """Client <number>: its share of the requests. None goes on to its second before all are at their first."""
        client = (UrlClient if self.args.urllib else Client)(self.args)
        self.start.wait()
        for i in range(number, self.args.count, self.args.parallel):
            self.fetch(client, self.args.sizes[(i + i // self.args.parallel) % len(self.args.sizes)])
            if i == number and self.args.count >= self.args.parallel:
                self.start.wait()
        client.drop()
        with self.lock:
            self.connections += client.connections

    def report(self):
        return {
            "requests": self.args.count,
            "right": self.right,
            "connections": self.connections,
            "bytes": self.bytes,
            "errors": dict(self.errors.most_common(10)),
        }


def get(args):
    tally = Tally(args)
    workers = [threading.Thread(target=tally.work, args=(i,)) for i in range(args.parallel)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(json.dumps(tally.report()))
    return 0 if tally.right == args.count else 1


def main():
    parser = argparse.ArgumentParser(description="HTTP client for tests")
    sub = parser.add_subparsers(dest="command", required=True)
    p = sub.add_parser("body")
    p.add_argument("size", type=int)
    p = sub.add_parser("get")
    p.add_argument("url")
    p.add_argument("--sizes", type=lambda s: [int(n) for n in s.split(",")], default=[100])
    p.add_argument("--count", type=int, default=1)
    p.add_argument("--parallel", type=int, default=1)
    p.add_argument("--close", action="store_true", help="a connection for each request")
    p.add_argument("--head", action="store_true", help="HEAD and not GET")
    p.add_argument("--urllib", action="store_true", help="by urllib.request and not http.client")
    p.add_argument("--slow", metavar="FILE", help="read as a slow client does, as long as there is no FILE")
    p.add_argument("--timeout", type=float, default=60)
    args = parser.parse_args()
    if args.command == "get":
        return get(args)
    sys.stdout.buffer.write(body(args.size))
    return 0


if __name__ == "__main__":
    sys.exit(main())

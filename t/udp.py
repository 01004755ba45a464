#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""udp.py - a UDP client and server for the end-to-end tests

ask HOST PORT COUNT    sends COUNT datagrams, one numbered unlike the other, and tells what came back
send HOST PORT COUNT   sends them and waits for nothing
listen PORT            prints "LENGTH TEXT" for each that comes, until it is killed; "ready" first
frames DEV PORT        likewise for frames with UDP to PORT that arrive on DEV, whoever they are for
tagged DEV VID PORT COUNT  as ask, but with frames of its own, which have a VLAN tag; PORT 0: echo requests

What ask prints is one line of JSON: sent, received, lost (numbers that never came back), twice (more often than
--each), tags (first bytes of the answers, and how often), lengths, wrong (answers that are none of ours), late (that
came after an answer to a datagram sent later), fastest (ms that the quickest answer took).
"""
import argparse
import collections
import json
import os
import socket
import struct
import sys
import time

WINDOW = 96  # answers that are on their way at once; a veth holds 256

# what the module socket has no names for
ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
SOL_PACKET = 263
PACKET_AUXDATA = 8
TP_STATUS_VLAN_VALID = 1 << 4


def family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def datagram(i, size):
    """One byte that the handler writes over, then the number, then a filling."""
    return (b"?%08d" % i).ljust(size, b".")


class Answers:
    def __init__(self, args):
        self.args = args
        self.seen = collections.Counter()
        self.tags = collections.Counter()
        self.lengths = []
        self.wrong = 0
        self.received = 0
        self.sent_at = {}
        self.newest = -1
        self.late = 0
        self.fastest = None

    def take(self, data):
        self.received += 1
        self.lengths.append(len(data))
        self.tags[chr(data[0]) if data else ""] += 1
        if self.args.pattern:
            # packet i of a burst is filled with the alphabet, from its i-th letter
            first = data[0] - 65
            ok = all(b == 65 + (first + k) % 16 for k, b in enumerate(data))
            self.wrong += not ok
        elif not data[1:9].isdigit() or len(data) != self.args.size:
            self.wrong += 1
        else:
            self.note(int(data[1:9]))

    def note(self, i):
        self.seen[i] += 1
        self.late += i < self.newest
        self.newest = max(self.newest, i)
        took = (time.monotonic() - self.sent_at.get(i, 0)) * 1000
        if self.fastest is None or took < self.fastest:
            self.fastest = took

    def report(self, sent):
        each = self.args.each
        return {
            "sent": sent,
            "received": self.received,
            "lost": sum(1 for i in range(sent) if not self.seen[i]),
            "twice": sum(1 for n in self.seen.values() if n > each),
            "wrong": self.wrong,
            "tags": dict(sorted(self.tags.items())),
            "lengths": self.lengths[:32],
            "late": self.late,
            "fastest": self.fastest,
        }


class Udp:
    def __init__(self, args):
        self.args = args
        self.sock = socket.socket(family(args.host), socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        if args.source_port:
            self.sock.bind(("", args.source_port))
        self.sock.connect((args.host, args.port))

    def send(self, i):
        try:
            self.sock.send(datagram(i, self.args.size))
        except ConnectionRefusedError:
            pass  # an error of the datagram before; this one is as good as sent

    def recv(self, seconds):
        self.sock.settimeout(seconds)
        return self.sock.recv(65536)


def ask_with(args, line):
    answers = Answers(args)
    sent = given_up = 0
    quiet_since = time.monotonic()
    while answers.received + given_up < args.count * args.each:
        if args.until and os.path.exists(args.until):
            args.count = min(args.count, sent)
        while sent < args.count and sent * args.each - answers.received - given_up < WINDOW:
            answers.sent_at[sent] = time.monotonic()
            line.send(sent)
            sent += 1
        try:
            answers.take(line.recv(0.05))
            quiet_since = time.monotonic()
        except socket.timeout:
            # what is lost must not stop the rest
            if time.monotonic() - quiet_since > args.wait:
                given_up = sent * args.each - answers.received
        except ConnectionRefusedError:
            pass
    # an answer too many would come now
    try:
        while True:
            answers.take(line.recv(args.linger))
    except socket.timeout:
        pass
    print(json.dumps(answers.report(sent)))


def send(args):
    sock = socket.socket(family(args.host), socket.SOCK_DGRAM)
    if args.source_port:
        sock.bind(("", args.source_port))
    for i in range(args.count):
        sock.sendto(datagram(i, args.size), (args.host, args.port))


def listen(args):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    if args.dev:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, args.dev.encode())
    sock.bind(("::", args.port))
    print("ready", flush=True)
    while True:
        data, _ = sock.recvfrom(65536)
        print(len(data), data[:24].decode("latin-1"), flush=True)


def frames(args):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    sock.bind((args.dev, 0))
    print("ready", flush=True)
    while True:
        data, where = sock.recvfrom(65536)
        if where[2] == socket.PACKET_OUTGOING:
            continue
        if len(data) >= 42 and data[23] == 17 and struct.unpack("!H", data[36:38])[0] == args.port:
            print(len(data), data[42:66].decode("latin-1"), flush=True)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def tagged_frame(args, i):
    """An Ethernet frame with one tag, IPv4, and UDP without checksum or an ICMP echo request."""
    text = datagram(i, args.size)
    if args.port:
        proto, l4 = 17, struct.pack("!HHHH", 40000, args.port, 8 + len(text), 0) + text
    else:
        proto, head = 1, struct.pack("!HHHH", 0x0800, 0, 77, i & 0xFFFF)
        l4 = head[:2] + struct.pack("!H", checksum(head + text)) + head[4:] + text
    ip = struct.pack("!HHHHBBH", 0x4500, 20 + len(l4), i & 0xFFFF, 0, 64, proto, 0)
    ip += socket.inet_aton(args.source) + socket.inet_aton(args.host)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    macs = bytes.fromhex("020000007702020000007701")
    return macs + struct.pack("!HHH", 0x8100, args.vid, 0x0800) + ip + l4


def vlan_of(ancillary):
    """The tag that the kernel took out of a frame: PACKET_AUXDATA, struct tpacket_auxdata."""
    for _, kind, data in ancillary:
        if kind == PACKET_AUXDATA and len(data) >= 20:
            status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", data[:20])
            return tci & 0xFFF if status & TP_STATUS_VLAN_VALID else None
    return None


class Wire:
    """A socket for tagged frames that looks like a UDP one to ask_with()."""

    def __init__(self, args):
        self.args = args
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        self.sock.bind((args.dev, 0))

    def send(self, i):
        self.sock.send(tagged_frame(self.args, i))

    def recv(self, seconds):
        deadline = time.monotonic() + seconds
        while True:
            self.sock.settimeout(max(deadline - time.monotonic(), 0.0001))
            data, ancillary, _, where = self.sock.recvmsg(65536, 256)
            if where[2] == socket.PACKET_OUTGOING or vlan_of(ancillary) != self.args.vid:
                continue
            if data[23] == 17 and struct.unpack("!H", data[34:36])[0] == self.args.port:
                return data[42 : 14 + struct.unpack("!H", data[16:18])[0]]
            if data[23] == 1 and not self.args.port and data[34] == 0:
                return data[42 : 14 + struct.unpack("!H", data[16:18])[0]]


def add_ask_options(p):
    p.add_argument("--size", type=int, default=32, help="bytes of a datagram")
    p.add_argument("--each", type=int, default=1, help="answers to each datagram")
    p.add_argument("--pattern", action="store_true", help="answers are those of the handlers long and burst")
    p.add_argument("--wait", type=float, default=1.0, help="seconds without an answer before one is lost")
    p.add_argument("--until", help="file: no more is sent once it exists")
    p.add_argument("--linger", type=float, default=0.2, help="seconds for answers too many")


def main():
    parser = argparse.ArgumentParser(description="UDP client and server for tests")
    sub = parser.add_subparsers(dest="command", required=True)
    for name in ("ask", "send"):
        p = sub.add_parser(name)
        p.add_argument("host")
        p.add_argument("port", type=int)
        p.add_argument("count", type=int)
        p.add_argument("--source-port", type=int, default=0)
        add_ask_options(p)
    p = sub.add_parser("tagged")
    p.add_argument("dev")
    p.add_argument("vid", type=int)
    p.add_argument("port", type=int)
    p.add_argument("count", type=int)
    p.add_argument("--source", default="10.77.10.1")
    p.add_argument("--host", default="10.77.10.2")
    add_ask_options(p)
    p = sub.add_parser("listen")
    p.add_argument("port", type=int)
    p.add_argument("--dev")
    p = sub.add_parser("frames")
    p.add_argument("dev")
    p.add_argument("port", type=int)
    args = parser.parse_args()
    if args.command == "ask":
        ask_with(args, Udp(args))
    elif args.command == "tagged":
        ask_with(args, Wire(args))
    else:
        {"send": send, "listen": listen, "frames": frames}[args.command](args)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)

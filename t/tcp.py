#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tcp.py - a TCP server, a client and a flood for the end-to-end tests of shield

serve PORT             says "hello" to each connection, then "echo N" for each line, until the client closes
hold HOST PORT FILE    connects and closes, connects again, writes what the server has said to FILE, and keeps the
                       connection until it is killed; on SIGUSR1 asks again and appends the answer
from HOST PORT SPORT    connects and closes, connects from port SPORT, prints what the server says and how it
                       answers, and keeps the connection until it is killed
flood DEV HOST PORT COUNT  COUNT frames of each kind from random addresses: SYN, ACK, SYN-ACK, RST, FIN, no flag,
                       fragments; prints how many of each
"""
import os
import random
import signal
import socket
import struct
import sys
import threading

SYN, ACK, RST, FIN = 2, 16, 4, 1


def family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def talk(conn):
    conn.sendall(b"hello\n")
    count = 0
    while conn.recv(4096):
        count += 1
        conn.sendall(b"echo %d\n" % count)
    conn.close()


def serve(port):
    listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("::", port))
    listener.listen(256)
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=talk, args=(conn,), daemon=True).start()


def connect(host, port):
    conn = socket.socket(family(host))
    conn.connect((host, port))
    return conn


def take_probe(host, port):
    """shield passes one SYN a second: this one, if it is due."""
    conn = connect(host, port)
    conn.shutdown(socket.SHUT_WR)
    while conn.recv(4096):
        pass
    conn.close()


def from_port(host, port, sport):
    take_probe(host, port)
    conn = socket.socket(family(host))
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    conn.bind(("", sport))
    conn.connect((host, port))
    print(conn.recv(4096).decode().strip(), flush=True)
    conn.sendall(b"more\n")
    print(conn.recv(4096).decode().strip(), flush=True)
    signal.pause()


def hold(host, port, path):
    take_probe(host, port)
    conn = connect(host, port)
    log = open(path, "ab", buffering=0)
    signal.signal(signal.SIGUSR1, lambda *_: conn.sendall(b"more\n"))
    while True:
        data = conn.recv(4096)
        if not data:
            return
        log.write(data)


def total(data):
    if len(data) & 1:
        data += b"\0"
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def segment(src, dst, port, flags, rng):
    """A TCP header, with an MSS if it is a SYN's; its checksum is right."""
    options = b"\2\4\5\xa0" if flags & SYN else b""
    size = 20 + len(options)
    head = struct.pack("!HHIIBBHHH", rng.randrange(1024, 65536), port, rng.getrandbits(32), rng.getrandbits(32),
                       size << 2, flags, 1024, 0, 0) + options
    pseudo = src + dst + (struct.pack("!BBH", 0, 6, size) if len(src) == 4 else struct.pack("!II", size, 6))
    return head[:16] + struct.pack("!H", total(pseudo + head)) + head[18:]


def ip4(src, dst, payload, frag=0):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 7, frag, 64, 6, 0, src, dst)
    return b"\x08\x00" + head[:10] + struct.pack("!H", total(head)) + head[12:] + payload


def ip6(src, dst, payload):
    return b"\x86\xdd" + struct.pack("!IHBB16s16s", 0x60000000, len(payload), 6, 64, src, dst) + payload


def stranger(v6, rng):
    if v6:
        return bytes.fromhex("fd79") + rng.randbytes(14)
    return bytes([10, 79, rng.randrange(256), rng.randrange(1, 255)])


def flood(dev, host, port, count):
    rng = random.Random(1)
    v6 = ":" in host
    dst = socket.inet_pton(family(host), host)
    ends = bytes.fromhex("020000007702020000007701")  # of the lab
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind((dev, 0))
    kinds = {"syn": SYN, "ack": ACK, "synack": SYN | ACK, "rst": RST, "fin": FIN | ACK, "none": 0, "fragment": ACK}
    if v6:
        del kinds["fragment"]
    for _ in range(count):
        for kind, flags in kinds.items():
            src = stranger(v6, rng)
            tcp = segment(src, dst, port, flags, rng)
            if v6:
                packet = ip6(src, dst, tcp)
            else:
                packet = ip4(src, dst, tcp + b"data", 0x2000) if kind == "fragment" else ip4(src, dst, tcp, 0x4000)
            wire.send((ends + packet).ljust(60, b"\0"))
    print(" ".join(f"{kind} {count}" for kind in kinds))


def main(args):
    if args[:1] == ["serve"] and len(args) == 2:
        serve(int(args[1]))
    elif args[:1] == ["hold"] and len(args) == 4:
        hold(args[1], int(args[2]), args[3])
    elif args[:1] == ["from"] and len(args) == 4:
        from_port(args[1], int(args[2]), int(args[3]))
    elif args[:1] == ["flood"] and len(args) == 5:
        flood(args[1], args[2], int(args[3]), int(args[4]))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except KeyboardInterrupt:
        code = 0
    sys.stdout.flush()
    os._exit(code)

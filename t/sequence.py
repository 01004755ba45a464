#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""sequence.py - UDP packets of which each is known by its number, to the last byte

send HOST PORT FIRST COUNT LENGTH   sends packets FIRST to FIRST + COUNT - 1 with LENGTH bytes of payload; 0: any length
check PORT COUNT                    reads a pcap file, of tcpdump's, from standard input, in which 0 to COUNT - 1 should be

What check prints is one line: how many there are, and how many of them are missing, there twice, wrong in a byte, or
older than the one before.
"""
import random
import socket
import struct
import sys

HEAD = 12
LONGEST = 1472
BYTES = random.Random(6).randbytes(65536 + LONGEST)


def payload(number, length):
    at = number * 7919 % 65536
    return struct.pack(">QI", number, length) + BYTES[at:at + length - HEAD]


def length_of(number, length):
    return length or HEAD + random.Random(number).randrange(LONGEST - HEAD + 1)


def send(host, port, first, count, length):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    for n in range(first, first + count):
        s.sendto(payload(n, length_of(n, length)), (host, port))


def packets(f):
    """Time and frame of each, of a file of either order and precision."""
    head = f.read(24)
    order = "<" if head[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    while True:
        record = f.read(16)
        if len(record) < 16:
            return
        s, fraction, captured, _ = struct.unpack(order + "IIII", record)
        yield (s, fraction), f.read(captured)


def check(port, count):
    seen = bytearray(count)
    twice = wrong = late = 0
    last = (0, 0)
    for time, frame in packets(sys.stdin.buffer):
        udp = 14 + (frame[14] & 15) * 4
        if struct.unpack_from(">H", frame, udp + 2)[0] != port:
            continue
        data = frame[udp + 8:]
        number, length = struct.unpack_from(">QI", data) if len(data) >= HEAD else (count, 0)
        late += time < last
        last = time
        if number >= count or data[:length] != payload(number, length) or len(data) < length:
            wrong += 1
        elif seen[number]:
            twice += 1
        else:
            seen[number] = 1
    print(sum(seen), "there,", count - sum(seen), "missing,", twice, "twice,", wrong, "wrong,", late, "late")


if sys.argv[1] == "send":
    send(sys.argv[2], *map(int, sys.argv[3:7]))
else:
    check(int(sys.argv[2]), int(sys.argv[3]))

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""frames.py OUT.pcap <LIST: a capture file with nanoseconds, one frame a line

    TIME to|from tcp|udp|icmp ADDRESS[:PORT] HOST[:PORT] [flags=SA] [seq=N] [ack=N] [data=N] [ext=N] [cut=N] [mac=XX:..]

TIME is in seconds. "to": to the host, whose MAC address is 02:00:00:00:77:02, from ADDRESS; "from": from the host, to
ADDRESS. ext: so many extension headers, of IPv6. cut: so many bytes of it are in the file. All sums are right. A line "link N" sets the link type, "stub N" ends
the file with a packet of which N bytes are missing.
"""
import ipaddress
import re
import struct
import sys

HOST, PEER = bytes.fromhex("020000007702"), bytes.fromhex("020000007701")
FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16}
PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1}


def fold(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def split(end):
    address, _, port = end.rpartition(":") if re.search(r"(\]|^[0-9.]+):\d+$", end) else (end, "", "0")
    return ipaddress.ip_address(address.strip("[]")), int(port)


def segment(proto, ports, o):
    data = b"x" * int(o.get("data", 0))
    if proto == "tcp":
        flags = sum(FLAGS[c] for c in o.get("flags", "S"))
        head = struct.pack("!HHIIBBHHH", *ports, int(o.get("seq", 0)), int(o.get("ack", 0)), 5 << 4, flags, 65535, 0, 0)
        return head + data, 16
    if proto == "udp":
        return struct.pack("!HHHH", *ports, 8 + len(data), 0) + data, 6
    return struct.pack("!BBHHH", 8, 0, 0, 1, 1) + data, 2


def packet(proto, src, dst, ports, o):
    body, at = segment(proto, ports, o)
    number = PROTOCOLS[proto] if src.version == 4 or proto != "icmp" else 58
    pseudo = src.packed + dst.packed + struct.pack("!II", len(body), number)
    total = fold(body if number == 1 else pseudo + body)
    body = body[:at] + struct.pack("!H", total) + body[at + 2 :]
    if src.version == 6:
        n = int(o.get("ext", 0))
        chain = [60] * n + [number]
        body = b"".join(bytes([after, 0, 1, 4, 0, 0, 0, 0]) for after in chain[1:]) + body
        return b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(body), chain[0], 64) + src.packed + dst.packed + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, number, 0) + src.packed + dst.packed
    return b"\x08\x00" + head[:10] + struct.pack("!H", fold(head)) + head[12:] + body


def frame(words):
    way, proto, remote, local = words[:4]
    o = dict(word.split("=", 1) for word in words[4:])
    (raddr, rport), (laddr, lport) = split(remote), split(local)
    host = bytes.fromhex(o["mac"].replace(":", "")) if "mac" in o else HOST
    if way == "to":
        data = host + PEER + packet(proto, raddr, laddr, (rport, lport), o)
    else:
        data = PEER + host + packet(proto, laddr, raddr, (lport, rport), o)
    return data, int(o.get("cut", len(data)))


def main():
    link, records = 1, []
    for line in sys.stdin:
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "link":
            link = int(words[1])
        elif words[0] == "stub":
            records[-1] = records[-1][: -int(words[1])]
        else:
            whole, _, fraction = words[0].partition(".")
            data, cut = frame(words[1:])
            head = struct.pack("<IIII", int(whole), int((fraction + "0" * 9)[:9]), min(cut, len(data)), len(data))
            records.append(head + data[:cut])
    with open(sys.argv[1], "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link) + b"".join(records))


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""neigh.py - frames for the end-to-end test of neigh

ask DEV KIND ADDRESS   sends questions that no client sends on demand, and tells what comes back, a line for each:
                       the MAC address it says and what else there is to know of that kind. KIND: arp, probe (sender
                       0.0.0.0), claim (sender is the target), ns, short (a solicitation without option), dad
tag DEV VID END        a VLAN device for kernels without: what arrives at END goes out of DEV with a tag, and what
                       arrives at DEV with that tag goes out of END; "ready" first, then until it is killed
"""
import argparse
import select
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True  # the sources' directory stays as it is
from udp import ETH_P_ALL, PACKET_AUXDATA, SO_RCVBUFFORCE, SOL_PACKET, checksum, vlan_of

ETH_P_ARP = 0x0806
ETH_P_IPV6 = 0x86DD
NS, NA = 135, 136


def open_wire(dev):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    sock.bind((dev, 0))
    return sock


def recv_frame(sock):
    """A frame as it was on the wire, its first tag put back; None: one of our own."""
    data, ancillary, _, where = sock.recvmsg(65536, 256)
    if where[2] == socket.PACKET_OUTGOING:
        return None
    vid = vlan_of(ancillary)
    if vid is None:
        return data
    return data[:12] + struct.pack("!HH", 0x8100, vid) + data[12:]


def mac_text(mac):
    return ":".join("%02x" % b for b in mac)


# --- questions ----------------------------------------------------------------


def arp(kind, mac, source, target):
    sender = {"arp": source, "probe": b"\0\0\0\0", "claim": target}[kind]
    return b"\xff" * 6, ETH_P_ARP, struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + sender + bytes(6) + target


def icmp6_sum(source, dest, message):
    return checksum(source + dest + struct.pack("!II", len(message), 58) + message)


def ns(kind, mac, source, target):
    group = bytes.fromhex("ff0200000000000000000001ff") + target[13:]
    if kind == "dad":
        source = bytes(16)
    message = struct.pack("!BBHI", NS, 0, 0, 0) + target
    if kind == "ns":
        message += b"\1\1" + mac
    message = message[:2] + struct.pack("!H", icmp6_sum(source, group, message)) + message[4:]
    head = struct.pack("!IHBB", 6 << 28, len(message), 58, 255) + source + group
    return b"\x33\x33" + group[12:], ETH_P_IPV6, head + message


def tell_arp(data, mac, source, target):
    """The MAC address that an ARP reply tells, or None if it is none for us."""
    if len(data) < 28 or data[:8] != struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2):
        return None
    if data[18:24] != mac or data[14:18] != target:
        return None
    return "%s to %s" % (mac_text(data[8:14]), socket.inet_ntoa(data[24:28]))


def tell_na(data, mac, source, target):
    """Likewise of an advertisement: with its flags, its destination and its length."""
    if len(data) < 64 or data[6] != 58 or data[40] != NA or data[48:64] != target or data[8:24] != target:
        return None
    message = data[40 : 40 + struct.unpack("!H", data[4:6])[0]]
    if data[7] != 255 or icmp6_sum(data[8:24], data[24:40], message):
        return "wrong"
    lladdr = mac_text(message[26:32]) if message[24:26] == b"\2\1" else "none"
    dest = socket.inet_ntop(socket.AF_INET6, data[24:40])
    return "%s to %s flags %x length %d" % (lladdr, dest, message[4] >> 4, len(message))


def ask(args):
    family = socket.AF_INET6 if ":" in args.address else socket.AF_INET
    source, target = (socket.inet_pton(family, a) for a in (args.source, args.address))
    sock = open_wire(args.dev)
    mac = sock.getsockname()[4]
    v6 = family == socket.AF_INET6
    dest, proto, data = (ns if v6 else arp)(args.kind, mac, source, target)
    tags = b"".join(struct.pack("!HH", 0x8100, vid) for vid in args.tags)
    for _ in range(args.count):
        sock.send((dest + mac + tags + struct.pack("!H", proto) + data).ljust(60, b"\0"))
    head = mac + args.peer + tags + struct.pack("!H", proto)
    answers = 0
    end = time.monotonic() + args.wait
    while time.monotonic() < end and answers < args.count:
        if not select.select([sock], [], [], max(0, end - time.monotonic()))[0]:
            break
        frame = recv_frame(sock)
        if not frame or frame[: len(head)] != head:
            continue
        told = (tell_na if v6 else tell_arp)(frame[len(head) :], mac, source, target)
        if told:
            print(told)
            answers += 1
            end = time.monotonic() + args.wait


# --- a VLAN device --------------------------------------------------------------


def tag(args):
    dev, end = open_wire(args.dev), open_wire(args.end)
    mark = struct.pack("!HH", 0x8100, args.vid)
    print("ready", flush=True)
    while True:
        for sock in select.select([dev, end], [], [])[0]:
            frame = recv_frame(sock)
            if not frame:
                continue
            if sock is end:
                dev.send(frame[:12] + mark + frame[12:])
            elif frame[12:16] == mark:
                end.send(frame[:12] + frame[16:])


def main():
    parser = argparse.ArgumentParser(description="frames for the test of neigh")
    sub = parser.add_subparsers(dest="command", required=True)
    p = sub.add_parser("ask")
    p.add_argument("dev")
    p.add_argument("kind", choices=("arp", "probe", "claim", "ns", "short", "dad"))
    p.add_argument("address")
    p.add_argument("--source", required=True)
    p.add_argument("--peer", type=lambda s: bytes.fromhex(s.replace(":", "")), default="02:00:00:00:77:02")
    p.add_argument("--tags", type=lambda s: [int(v) for v in s.split(",")], default=[])
    p.add_argument("--count", type=int, default=1)
    p.add_argument("--wait", type=float, default=1.0, help="seconds without an answer before there is none")
    p = sub.add_parser("tag")
    p.add_argument("dev")
    p.add_argument("vid", type=int)
    p.add_argument("end")
    args = parser.parse_args()
    {"ask": ask, "tag": tag}[args.command](args)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)

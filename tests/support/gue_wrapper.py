#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Wraps IP packets into UDP for a kernel that can only unwrap them (Debian's has no FOU sender).

    gue_wrapper.py INTERFACE SOURCE DESTINATION PORT PREFIX…

What comes in by the interface for one of the prefixes leaves as outer IP, UDP, inner IP (GUE
variant 1, draft-ietf-intarea-gue, or FOU: the same bytes), with SOURCE and DESTINATION outside and
a source port that follows from the inner flow. The kernel of this namespace finds the way to
DESTINATION and computes the outer IP checksum; the UDP checksum is ours. DF is set: packets too
large are lost, and told of on stderr. Standard library.
"""

import ipaddress
import socket
import struct
import sys
import zlib

SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
PACKET_HOST = 0  # for us, not what a bridge showed to everyone
ETH_P_ALL, ETH_P_IP, ETH_P_IPV6 = 3, 0x0800, 0x86DD
UDP = 17
TTL = 64
FIRST_PORT, PORTS = 49152, 16384  # the dynamic ones
HAS_PORTS = {6, 17, 132}


def flow_port(inner):
    """One source port for one flow; of fragments, which show no ports, by addresses alone."""
    if inner[0] >> 4 == 4:
        header, protocol = (inner[0] & 0xF) * 4, inner[9]
        key, whole = inner[12:20], not struct.unpack_from("!H", inner, 6)[0] & 0x3FFF
    else:
        header, protocol, key, whole = 40, inner[6], inner[8:40], True
    key += bytes([protocol])
    if whole and protocol in HAS_PORTS:
        key += inner[header:header + 4]
    return FIRST_PORT + zlib.crc32(key) % PORTS


def checksum(data):
    """RFC 1071: words of 16 bits in ones' complement are numbers modulo 65535."""
    total = int.from_bytes(data + b"\0" * (len(data) % 2), "big") % 0xFFFF
    return 0xFFFF - total or 0xFFFF  # zero would mean that there is none (RFC 768)


def wrap(inner, source, destination, port):
    """The whole outer packet; source and destination are of ipaddress, of one version."""
    length = 8 + len(inner)
    header = struct.pack("!HHH", flow_port(inner), port, length)
    ends = source.packed + destination.packed
    if source.version == 4:
        pseudo = ends + struct.pack("!HH", UDP, length)
        # Total length, identity and checksum are the kernel's to fill in.
        outer = struct.pack("!BBHHHBBH", 0x45, 0, 0, 0, 0x4000, TTL, UDP, 0) + ends
    else:
        pseudo = ends + struct.pack("!II", length, UDP)
        outer = struct.pack("!IHBB", 6 << 28, length, UDP, TTL) + ends
    return outer + header + struct.pack(
        "!H", checksum(pseudo + header + b"\0\0" + inner)) + inner


def inner_of(frame):
    """The IP packet of a frame without the padding behind it, and its destination; or None."""
    kind = struct.unpack_from("!H", frame, 12)[0] if len(frame) >= 14 else 0
    packet = frame[14:]
    if kind == ETH_P_IP and len(packet) >= 20:
        length, destination = struct.unpack_from("!H", packet, 2)[0], packet[16:20]
    elif kind == ETH_P_IPV6 and len(packet) >= 40:
        length, destination = 40 + struct.unpack_from("!H", packet, 4)[0], packet[24:40]
    else:
        return None
    return packet[:length], ipaddress.ip_address(destination)


def main(interface, source, destination, port, *prefixes):
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    networks = [ipaddress.ip_network(prefix) for prefix in prefixes]
    receiver = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    receiver.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    receiver.bind((interface, ETH_P_ALL))
    family = socket.AF_INET if source.version == 4 else socket.AF_INET6
    sender = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    print("ready", flush=True)
    while True:
        frame, (_, _, kind, *_) = receiver.recvfrom(1 << 16)
        found = inner_of(frame) if kind == PACKET_HOST else None
        if not found or not any(found[1] in network for network in networks):
            continue
        try:
            sender.sendto(wrap(found[0], source, destination, int(port)), (str(destination), 0))
        except OSError as error:
            print(f"{len(found[0])} bytes for {found[1]}: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

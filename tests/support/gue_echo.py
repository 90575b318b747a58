#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Sends one scapy-made ICMP echo request inside UDP; prints the inner packet that comes back.

    gue_echo.py OUTER-DESTINATION INNER-SOURCE INNER-DESTINATION SIZE [DAMAGED-BYTE]

SIZE is the inner packet's; one bit of a byte of it may be wrong on purpose.
"""

import json
import socket
import sys

from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6

PORT = 6080


def request(source, destination, size):
    body = bytes(n & 0xFF for n in range(size))
    if ":" in source:
        return IPv6(src=source, dst=destination, hlim=9) / ICMPv6EchoRequest(
            id=0x5EED, seq=3, data=body[:size - 48])
    return IP(src=source, dst=destination, ttl=9) / ICMP(id=0x5EED, seq=3) / body[:size - 28]


def told(data, sender, asked):
    """What is in the answer, for the test to judge."""
    answer = IP(data) if data[0] >> 4 == 4 else IPv6(data)
    reply = answer[ICMP] if ICMP in answer else answer[ICMPv6EchoReply]
    sent = asked[ICMP] if ICMP in asked else asked[ICMPv6EchoRequest]
    return {"from": sender[0], "from_port": sender[1], "source": answer.src,
            "destination": answer.dst, "type": reply.type, "length": len(data),
            "same": bytes(reply)[4:] == bytes(sent)[4:]}


def main(outer, source, destination, size, damaged=None):
    family = socket.AF_INET6 if ":" in outer else socket.AF_INET
    udp = socket.socket(family, socket.SOCK_DGRAM)
    udp.bind(("", PORT))  # the way back is wrapped for this port
    udp.settimeout(0.7)
    asked = request(source, destination, int(size))
    inner = bytearray(bytes(asked))
    if damaged is not None:
        inner[int(damaged)] ^= 0x40
    udp.sendto(inner, (outer, PORT))
    try:
        print(json.dumps(told(*udp.recvfrom(1 << 16), asked)))
    except TimeoutError:
        print("null")


main(*sys.argv[1:])

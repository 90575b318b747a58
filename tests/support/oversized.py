#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Sends one SCTP packet that may not be fragmented and prints what path MTU the kernel then knows.
Or one that is to be fragmented.

    oversized.py ADDRESS SIZE             SIZE: of the whole IP packet; runs in a guest, standard
    oversized.py ADDRESS SIZE in-pieces   library
"""

import socket
import struct
import sys
import time

SCTP = 132
IP_MTU_DISCOVER, IP_MTU = 10, 14
IPV6_MTU_DISCOVER, IPV6_MTU = 23, 24
DONT, DO = 0, 2  # fragment as needed; set DF, fragment never


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def packet(size):
    """A common header with a tag of nobody's, and one DATA chunk up to that size."""
    chunk = struct.pack("!BBHIHHI", 0, 3, size - 12, 1, 0, 0, 0).ljust(size - 12, b"\0")
    header = struct.pack("!HHI", 7777, 7778, 0x5EED5EED)
    return header + struct.pack("<I", crc32c(header + bytes(4) + chunk)) + chunk


def main(address, size, in_pieces):
    v6 = ":" in address
    family, level = (socket.AF_INET6, socket.IPPROTO_IPV6) if v6 else (socket.AF_INET,
                                                                       socket.IPPROTO_IP)
    raw = socket.socket(family, socket.SOCK_RAW, SCTP)
    raw.setsockopt(level, IPV6_MTU_DISCOVER if v6 else IP_MTU_DISCOVER,
                   DONT if in_pieces else DO)
    raw.connect((address, 0))
    raw.send(packet(size - (40 if v6 else 20)))
    if in_pieces:
        return

    def known():
        """As a new socket learns it: what sent stays open, or nobody takes the error, but when that
        comes while it is still sending it keeps the route that it has (ip6_sk_update_pmtu())."""
        with socket.socket(family, socket.SOCK_RAW, SCTP) as asking:
            asking.connect((address, 0))
            return asking.getsockopt(level, IPV6_MTU if v6 else IP_MTU)
    deadline = time.monotonic() + 3
    while known() >= size and time.monotonic() < deadline:
        time.sleep(0.01)
    print(known())


main(sys.argv[1], int(sys.argv[2]), sys.argv[3:] == ["in-pieces"])

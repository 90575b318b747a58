#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""ICMP echo requests of a given size, from a namespace or a guest.

    echo(space, "198.51.100.1", 1400) == {"answers": 1, "told": None}

As a program it prints that as JSON: echo.py ADDRESS SIZE [--count N] [--fragment]
[--source ADDRESS]. The size is the whole IP packet's. The packet may not be cut unless it is said
so, and what the kernel believes of the path plays no part. Standard library: guests run it.
"""

import argparse
import json
import os
import socket
import struct
import time

IP_MTU_DISCOVER, IP_RECVERR = 10, 11
IPV6_MTU_DISCOVER, IPV6_RECVERR = 23, 25
DONT, PROBE = 0, 3  # may be cut; DF, whatever the path was said to carry
SECONDS = 1.0       # for the last answer


def echo(host, address, size, count=1, fragment=False, source=None):
    """answers: how many came back whole; told: the path MTU of the last ICMP error, or None."""
    words = [os.path.abspath(__file__), address, size, "--count", count]
    words += ["--fragment"] if fragment else []
    words += ["--source", source] if source else []
    return json.loads(host.shell(" ".join(map(str, words))).stdout)


def checksum(data):
    total = int.from_bytes(data + b"\0" * (len(data) % 2), "big") % 0xFFFF
    return ~total & 0xFFFF or 0xFFFF


class Echo:
    def __init__(self, options):
        self.v6 = ":" in options.address
        level = socket.IPPROTO_IPV6 if self.v6 else socket.IPPROTO_IP
        self.socket = socket.socket(socket.AF_INET6 if self.v6 else socket.AF_INET,
                                    socket.SOCK_RAW, 58 if self.v6 else 1)
        self.socket.setsockopt(level, IPV6_MTU_DISCOVER if self.v6 else IP_MTU_DISCOVER,
                               DONT if options.fragment else PROBE)
        self.socket.setsockopt(level, IPV6_RECVERR if self.v6 else IP_RECVERR, 1)
        if options.source:
            self.socket.bind((options.source, 0))
        self.socket.connect((options.address, 0))
        self.socket.settimeout(0.02)
        self.identity = os.getpid() & 0xFFFF
        self.body = bytes(n & 0xFF for n in range(options.size - (48 if self.v6 else 28)))
        self.answered = set()
        self.refused = 0  # by ICMP errors
        self.told = None

    def request(self, number):
        def header(kind, total):
            return struct.pack("!BBHHH", kind, 0, total, self.identity, number)
        if self.v6:  # the kernel fills in the checksum
            return header(128, 0) + self.body
        return header(8, checksum(header(8, 0) + self.body)) + self.body

    def send(self, number):
        try:
            self.socket.send(self.request(number))
        except OSError:  # an error that came for an earlier one
            self.hear_errors()

    def hear(self):
        try:
            data = self.socket.recv(65536)
        except OSError:
            self.hear_errors()
            return
        message = data if self.v6 else data[(data[0] & 0xF) * 4:]
        kind, _, _, identity, number = struct.unpack_from("!BBHHH", message)
        if kind == (129 if self.v6 else 0) and identity == self.identity \
                and message[8:] == self.body:
            self.answered.add(number)

    def hear_errors(self):
        """struct sock_extended_err: errno, origin, type, code, pad, info (the MTU), data."""
        try:
            _, control, _, _ = self.socket.recvmsg(65536, 1024, socket.MSG_ERRQUEUE)
        except OSError:
            return
        for _, _, data in control:
            number, *_, info, _ = struct.unpack_from("=IBBBBII", data)
            if number == 90:  # EMSGSIZE
                self.refused += 1
                self.told = info


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("size", type=int)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--fragment", action="store_true")
    parser.add_argument("--source")
    options = parser.parse_args()
    asked = Echo(options)
    for number in range(options.count):
        asked.send(number)
        asked.hear()
    deadline = time.monotonic() + SECONDS
    while len(asked.answered) + asked.refused < options.count and time.monotonic() < deadline:
        asked.hear()
    print(json.dumps({"answers": len(asked.answered), "told": asked.told}))


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""One end of TCP connections that carry bytes both ways at once; prints how it went, as JSON.

    tcp_peer.py listen PORT BYTES CONNECTIONS [--ready FILE]
    tcp_peer.py connect PORT BYTES ADDRESS…      one connection to each, one after the other

Each end sends so many bytes that follow from its role, ends its direction, and compares what came.
"whole" says for each connection whether that was all. Standard library: guests run it.
"""

import argparse
import hashlib
import json
import select
import socket
import time

SECONDS = 20


def content(role, size):
    """Bytes that differ everywhere, so that none can stand for another."""
    blocks = (hashlib.sha256(f"{role}/{number}".encode()).digest()
              for number in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def exchange(connection, sent, size):
    """Sends all, receives until the other has ended; the bytes that came."""
    connection.setblocking(False)
    came, ended, at = bytearray(), False, 0
    deadline = time.monotonic() + SECONDS
    while (not ended or at is not None) and time.monotonic() < deadline:
        readable, writable, _ = select.select(
            [] if ended else [connection], [] if at is None else [connection], [], 1)
        if writable:
            at += connection.send(sent[at:at + 65536])
            if at == len(sent):
                connection.shutdown(socket.SHUT_WR)
                at = None
        if readable:
            data = connection.recv(65536)
            came += data
            ended = not data or len(came) > size
    return bytes(came)


def listen(options):
    """Connections of either version of IP, as they come."""
    with socket.create_server(("", options.port), family=socket.AF_INET6,
                              dualstack_ipv6=True) as listener:
        listener.settimeout(SECONDS)
        if options.ready:
            with open(options.ready, "w", encoding="utf-8"):
                pass
        for _ in range(int(options.rest[0])):
            yield listener.accept()[0]


def connect(options):
    for address in options.rest:
        yield socket.create_connection((address, options.port), SECONDS)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["listen", "connect"])
    parser.add_argument("port", type=int)
    parser.add_argument("bytes", type=int)
    parser.add_argument("rest", nargs="+")
    parser.add_argument("--ready")
    options = parser.parse_args()
    ours = content(options.role, options.bytes)
    theirs = content("connect" if options.role == "listen" else "listen", options.bytes)
    whole = []
    for connection in listen(options) if options.role == "listen" else connect(options):
        with connection:
            whole.append(exchange(connection, ours, options.bytes) == theirs)
    print(json.dumps({"whole": whole}))
    return 0 if all(whole) else 1


if __name__ == "__main__":
    raise SystemExit(main())

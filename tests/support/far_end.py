#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The far end of ip-udp tunnels that does nothing but answer pings in them (IPv4).

    far_end.py PORT

A line on stdout for each other packet that comes: the address of ours that it came to, then inner
source, destination and protocol. Standard library.
"""

import ipaddress
import socket
import struct
import sys

IP_PKTINFO = 8  # of linux/in.h
ICMP, ECHO, REPLY = 1, 8, 0


def checksum(data):
    """RFC 1071: words of 16 bits in ones' complement are numbers modulo 65535."""
    return 0xFFFF - int.from_bytes(data + b"\0" * (len(data) % 2), "big") % 0xFFFF


def answer(request):
    icmp = bytes([REPLY, 0, 0, 0]) + request[24:]
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    header = request[:10] + bytes(2) + request[16:20] + request[12:16]
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + icmp


def main():
    port = int(sys.argv[1])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tunnel:
        tunnel.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        tunnel.bind(("", port))
        print("ready", flush=True)
        while True:
            inner, ancillary, _, (gateway, _) = tunnel.recvmsg(65535, 64)
            if len(inner) >= 28 and inner[0] == 0x45 and inner[9] == ICMP and inner[20] == ECHO:
                # From the address that it was sent to: there may be several.
                tunnel.sendmsg([answer(inner)], [ancillary[0]], 0, (gateway, port))
            elif len(inner) >= 20:
                came_to = ancillary[0][2][8:12]
                print(*map(ipaddress.IPv4Address, (came_to, inner[12:16], inner[16:20])), inner[9],
                      flush=True)


if __name__ == "__main__":
    main()

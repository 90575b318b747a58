# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""ARP and neighbour discovery as bytes, and who lives where."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from packets import (BROADCAST, CORE4, CORE6, FAR4, FAR6, GATE4, GATE6, GATE_MAC, HOST4, HOST6,
                     HOST_MAC, MACS, PEER4, PEER6, PEER_MAC, WAN4, WAN6, Frame, ether, from_gate,
                     from_host, icmp6, ip_frame, mac_bytes, udp_packet)

ZERO_MAC = "00:00:00:00:00:00"
SOURCE_LINK, TARGET_LINK = 1, 2  # options of RFC 4861
SOLICITATION, ADVERTISEMENT = 135, 136
ROUTER, SOLICITED, OVERRIDE = 0x80, 0x40, 0x20


def arp_body(operation: int, sender_mac: str, sender: str, target_mac: str, target: str,
             hardware: int = 1, protocol: int = 0x0800, sizes: tuple[int, int] = (6, 4)) -> bytes:
    return (struct.pack("!HHBBH", hardware, protocol, *sizes, operation)
            + mac_bytes(sender_mac) + ipaddress.IPv4Address(sender).packed
            + mac_bytes(target_mac) + ipaddress.IPv4Address(target).packed)


def arp(port: str, dst: str, operation: int, sender_mac: str, sender: str, target_mac: str,
        target: str, **fields) -> Frame:
    body = arp_body(operation, sender_mac, sender, target_mac, target, **fields)
    return port, ether(dst, sender_mac, 0x0806, body)


def arp_request(port: str, sender_mac: str, sender: str, target: str) -> Frame:
    return arp(port, BROADCAST, 1, sender_mac, sender, ZERO_MAC, target)


def arp_reply(port: str, sender_mac: str, sender: str, target_mac: str, target: str) -> Frame:
    return arp(port, target_mac, 2, sender_mac, sender, target_mac, target)


def solicited_node(address: str) -> tuple[str, str]:
    """The multicast address and MAC that listen for questions about `address`."""
    low = ipaddress.IPv6Address(address).packed[-3:]
    group = ipaddress.IPv6Address(bytes.fromhex("ff0200000000000000000001ff") + low)
    return str(group), "33:33:ff:" + low.hex(":")


def option(kind: int, mac: str) -> bytes:
    return bytes([kind, 1]) + mac_bytes(mac)


def solicitation(port: str, mac: str, src: str, target: str, *, dst: str | None = None,
                 dst_mac: str | None = None, options: bytes | None = None, code: int = 0,
                 hlim: int = 255, error: int = 0, cut: int | None = None) -> Frame:
    group, group_mac = solicited_node(target)
    options = option(SOURCE_LINK, mac) if options is None else options
    rest = (bytes(4) + ipaddress.IPv6Address(target).packed + options)[:cut]
    packet = icmp6(src, dst or group, SOLICITATION, code, rest, error, hlim=hlim, fl=0)
    return port, ip_frame(dst_mac or group_mac, mac, packet)


def advertisement(port: str, mac: str, src: str, dst_mac: str, dst: str, flags: int, *,
                  target: str | None = None, options: bytes | None = None, code: int = 0,
                  hlim: int = 255, error: int = 0, cut: int | None = None) -> Frame:
    options = option(TARGET_LINK, mac) if options is None else options
    rest = (bytes([flags, 0, 0, 0]) + ipaddress.IPv6Address(target or src).packed + options)[:cut]
    packet = icmp6(src, dst, ADVERTISEMENT, code, rest, error, hlim=hlim, fl=0)
    return port, ip_frame(dst_mac, mac, packet)


@dataclass(frozen=True)
class Neighbor:
    port: str
    address: str
    mac: str
    probe: Frame  # a packet that makes the device ask for this neighbour

    def asked(self) -> Frame:
        """The device's question."""
        if ":" in self.address:
            return solicitation(self.port, MACS[self.port], self.us(), self.address)
        return arp_request(self.port, MACS[self.port], self.us(), self.address)

    def answer(self) -> Frame:
        ours = MACS[self.port]
        if ":" in self.address:
            return advertisement(self.port, self.mac, self.address, ours, self.us(),
                                 SOLICITED | OVERRIDE)
        return arp_reply(self.port, self.mac, self.address, ours, self.us())

    def us(self) -> str:
        v6 = ":" in self.address
        return (CORE6 if v6 else CORE4) if self.port == "core0" else (WAN6 if v6 else WAN4)


def _probe(src: str, dst: str, sender=from_host) -> Frame:
    return sender(udp_packet(src, dst, 9, 9, b""))


NEIGHBORS = (
    Neighbor("wan0", GATE4, GATE_MAC, _probe(HOST4, FAR4)),
    Neighbor("wan0", GATE6, GATE_MAC, _probe(HOST6, FAR6)),
    Neighbor("wan0", PEER4, PEER_MAC, _probe(HOST4, PEER4)),
    Neighbor("wan0", PEER6, PEER_MAC, _probe(HOST6, PEER6)),
    Neighbor("core0", HOST4, HOST_MAC, _probe(FAR4, HOST4, from_gate)),
    Neighbor("core0", HOST6, HOST_MAC, _probe(FAR6, HOST6, from_gate)),
)

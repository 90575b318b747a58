# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Probes of ip-udp tunnels, which come by time: told from other frames, answered, and counted."""

from __future__ import annotations

from collections import Counter

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import Ether

from packets import PEER4, PEER6, PEER_MAC, WAN0_MAC, Frame

IP_UDP = 6080
_PORT = IP_UDP.to_bytes(2, "big")
FAR_GATE = "198.51.100.1"
# As the configurations of cases name them
TUNNELS = {PEER4: "gw-4", PEER6: "gw-6", FAR_GATE: "gw-far"}


def _parts(frame: Frame):
    """(outer IP, UDP, inner IP) of IP in UDP, or nothing."""
    port, raw = frame
    if port != "wan0" or (raw[12:14] + raw[23:24] + raw[36:38] != b"\x08\0\x11" + _PORT
                          and raw[12:14] + raw[20:21] + raw[56:58] != b"\x86\xdd\x11" + _PORT):
        return None
    outer = Ether(raw).payload
    udp = outer.payload
    inner = bytes(udp.payload)
    if len(inner) < 40:
        return None
    return outer, udp, (IPv6 if inner[0] >> 4 == 6 else IP)(inner)


def _is_request(inner) -> bool:
    if isinstance(inner, IPv6):
        return inner.nh == 58 and bytes(inner.payload)[0] == 128
    return inner.proto == 1 and bytes(inner.payload)[0] == 8


def is_probe(frame: Frame) -> bool:
    parts = _parts(frame)
    if parts is None:
        return False
    outer, _, inner = parts
    return (outer.src, outer.dst) == (inner.src, inner.dst) and _is_request(inner)


def answer_to(frame: Frame, how: str) -> tuple[str, Frame]:
    """The tunnel that asked, and the far gateway's answer."""
    outer, _, inner = _parts(frame)
    echo = inner.payload
    if isinstance(inner, IPv6):
        data = bytes(ICMPv6EchoRequest(bytes(echo)).data)
        reply = (IPv6(src=inner.dst, dst=inner.src, hlim=64)
                 / ICMPv6EchoReply(id=echo.id, seq=echo.seq, data=data))
    else:
        reply = (IP(src=inner.dst, dst=inner.src, ttl=64, id=0x77)
                 / ICMP(type=0, id=echo.id, seq=echo.seq) / bytes(echo.payload))
    if how == "inside":
        header = (IPv6(src=outer.dst, dst=outer.src) if isinstance(outer, IPv6)
                  else IP(src=outer.dst, dst=outer.src))
        reply = header / UDP(sport=50505, dport=IP_UDP) / bytes(reply)
    return TUNNELS[outer.dst], ("wan0", bytes(Ether(src=PEER_MAC, dst=WAN0_MAC) / reply))


def probe_counters(probes: list[Frame], answers: list[Frame]) -> Counter:
    """What probes and their answers add to the counters."""
    counters: Counter = Counter()
    for frame in probes:
        counters.update({("ports", "wan0", "originated"): 1, ("ports", "wan0", "tx"): 1,
                         ("tunnels", TUNNELS[_parts(frame)[0].dst], "tx"): 1})
    for frame in answers:
        counters.update({("ports", "wan0", "rx"): 1, ("ports", "wan0", "consumed"): 1})
        if parts := _parts(frame):
            counters.update({("tunnels", TUNNELS[parts[0].src], "rx"): 1})
    return counters

# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The tunnel: rules, ports, what is kept of the IP header, what is too big."""

from collections import Counter
from dataclasses import replace

from case import (BASE, DROP_5000, DROP_PEELED_5000, FIXED_PEER, NO_PORT, SMALL_TUNNEL, SMALL_WAN,
                  HOSTS_ARE_SOURCES, TUNNEL, WRONG_WAY, Case, Config, dropped, drops, originated, passed, peeled, split, wrapped)
from cases_icmp import too_big
from packets import (ENCAP, FAR4, FAR6, GATE4, GATE6, HOST4, HOST6, PEER4, WAN4, Ip4, Ip6, back, chunk,
                     data, foreign, fragments, from_gate, from_host, from_peer, hop, native, sctp,
                     text, to_gate, to_host, to_peer, udp_packet, wrap)

_good = sctp(data())


def wraps(name: str, packet: Ip4 | Ip6, config: Config = BASE, dport: int = ENCAP) -> Case:
    return Case(f"tunnel/{name}", (from_host(packet),),
                (to_peer(hop(wrap(packet, dport=dport))),), wrapped(), config)


def peels(name: str, packet: Ip4 | Ip6, config: Config = BASE, sport: int = ENCAP) -> Case:
    return Case(f"tunnel/{name}", (from_peer(wrap(packet, sport=sport)),),
                (to_host(hop(packet)),), peeled(), config)


CASES: list[Case] = []

# DSCP, ECN, DF, identification, flow label: as received
for ecn in range(4):
    for dscp in (0, 46):
        tos = dscp << 2 | ecn
        CASES += [wraps(f"tos-{tos:02x}-up", native(_good, tos=tos)),
                  peels(f"tos-{tos:02x}-down", back(_good, tos=tos)),
                  wraps(f"class-{tos:02x}-up", native(_good, True, tc=tos)),
                  peels(f"class-{tos:02x}-down", back(_good, True, tc=tos))]
for name, fields in {"df": {"flags": "DF"}, "no-df": {"flags": ""}, "id-0": {"id": 0},
                     "id-ffff": {"id": 0xFFFF, "flags": ""}, "ttl-2": {"ttl": 2},
                     "ttl-255": {"ttl": 255}}.items():
    CASES += [wraps(f"{name}-up", native(_good, **fields)),
              peels(f"{name}-down", back(_good, **fields))]
for name, fields in {"label-0": {"fl": 0}, "label-fffff": {"fl": 0xFFFFF},
                     "hop-limit-2": {"hlim": 2}, "hop-limit-255": {"hlim": 255}}.items():
    CASES += [wraps(f"{name}-up", native(_good, True, **fields)),
              peels(f"{name}-down", back(_good, True, **fields))]

# Frames of all sizes, each with a checksum over it; 1500 is all that the tunnel's port takes.
for length in (60, 64, 65, 127, 128, 255, 256, 511, 512, 1023, 1024, 1279, 1280, 1491, 1492):
    for v6, header in ((False, 20), (True, 40)):
        packet = sctp(data(length - header - 28, pad=False)) if length - header >= 29 else (
            sctp(chunk(11)))
        name = "v6" if v6 else "v4"
        CASES += [wraps(f"size-{length}-up-{name}", native(packet, v6)),
                  peels(f"size-{length}-down-{name}", back(packet, v6))]

# Rules: the first that matches
CASES += [
    drops("tunnel/rule-drop-source-port", from_host(native(sctp(data(), sport=5000))),
          "rule_drop", DROP_5000),
    drops("tunnel/rule-drop-destination-port", from_host(native(sctp(data(), dport=5000), True)),
          "rule_drop", DROP_5000),
    drops("tunnel/rule-drop-bypassed", from_gate(foreign(sctp(data(), sport=5000))),
          "rule_drop", DROP_5000),
    drops("tunnel/rule-drop-peeled", from_peer(wrap(back(sctp(data(), dport=5000)))),
          "rule_drop", DROP_5000, tunnel="inner"),
    drops("tunnel/rule-from-tunnel", from_peer(wrap(back(sctp(data(), sport=5000), True))),
          "rule_drop", DROP_PEELED_5000, tunnel="inner"),
    peels("rule-from-tunnel-other-port", back(sctp(data(), sport=5001)), DROP_PEELED_5000),
    wraps("rule-from-tunnel-is-not-for-native", native(sctp(data(), dport=5000)),
          DROP_PEELED_5000),
    wraps("rule-drop-port-below", native(sctp(data(), sport=4999)), DROP_5000),
    wraps("rule-drop-port-above", native(sctp(data(), dport=5001)), DROP_5000),
    wraps("rule-drop-port-swapped", native(sctp(data(), dport=0x8813)), DROP_5000),
    peels("rule-drop-other-port-peeled", back(sctp(data())), DROP_5000),
]
_udp_5000 = udp_packet(HOST4, PEER4, 5000, 5000, text(20))
CASES += [Case("tunnel/rule-drop-is-not-for-udp", (from_host(_udp_5000),),
               (to_peer(hop(_udp_5000)),), passed("core0", "wan0"), DROP_5000)]

# Plain SCTP: passes where the peer may do either, not where its port is configured.
for v6 in (False, True):
    name, plain = "v6" if v6 else "v4", back(_good, v6)
    CASES += [Case(f"tunnel/plain-from-peer-{name}", (from_peer(plain),), (to_host(hop(plain)),),
                   passed("wan0", "core0"))]
_other = replace(back(_good), src="203.0.113.9")
CASES += [
    drops("tunnel/downgrade", from_peer(back(_good)), "encap_downgrade", FIXED_PEER,
          tunnel="to"),
    drops("tunnel/downgrade-init", from_peer(back(sctp(chunk(1, bytes(16)), vtag=0))),
          "encap_downgrade", FIXED_PEER,
          tunnel="to"),
    Case("tunnel/downgrade-is-not-for-others", (from_peer(_other),), (to_host(hop(_other)),),
         passed("wan0", "core0"), FIXED_PEER),
    drops("tunnel/downgrade-v6", from_peer(back(_good, True)), "encap_downgrade", FIXED_PEER,
          tunnel="to"),
    wraps("fixed-port-up", native(_good), FIXED_PEER, dport=4500),
    wraps("fixed-port-up-v6", native(_good, True), FIXED_PEER, dport=65000),
    peels("fixed-port-down", back(_good), FIXED_PEER, sport=4500),
    peels("fixed-port-down-v6", back(_good, True), FIXED_PEER, sport=65000),
    peels("fixed-port-others-any", _other, FIXED_PEER, sport=40000),
    *[Case(f"tunnel/fixed-port-default-for-others-v{p.version}", (from_host(p),),
           (to_gate(hop(wrap(p))),), wrapped(), FIXED_PEER)
      for p in (replace(native(_good), dst=GATE4), replace(native(_good, True), dst=GATE6))],
    drops("tunnel/fixed-port-of-other-family", from_peer(wrap(back(_good, True), sport=4500)),
          "encap_port", FIXED_PEER, tunnel="coat"),
    *[drops(f"tunnel/fixed-port-from-{port}", from_peer(wrap(back(_good), sport=port)),
            "encap_port", FIXED_PEER, tunnel="coat")
      for port in (4499, 4501, 4500 ^ 256, 0x9411, 9899)],
    drops("tunnel/no-port-v4", from_host(native(_good)), "encap_port_unknown", NO_PORT,
          tunnel="to"),
    drops("tunnel/no-port-v6", from_host(native(_good, True)), "encap_port_unknown", NO_PORT,
          tunnel="to"),
    peels("no-port-down", back(_good), NO_PORT, sport=40000),
]

# Too big. The sender hears what it may send: 8 bytes less than the tunnel's port carries.


def told(name: str, packet: Ip4 | Ip6, mtu: int, config: Config = BASE,
         tunnel: str = "to") -> Case:
    return Case(f"tunnel/too-big-{name}", (from_host(packet),),
                (to_host(too_big(packet, mtu)),),
                dropped("too_big", "core0", tunnel=tunnel) + originated("core0"), config)


def _sized(length: int, v6: bool = False, **ip) -> Ip4 | Ip6:
    """A native packet of `length` bytes of IP."""
    return native(sctp(data(length - (40 if v6 else 20) - 28, pad=False)), v6, **ip)


CASES += [
    told("v4-by-1", _sized(1493), 1492),
    told("v4-1500", _sized(1500), 1492),
    told("v6-by-1", _sized(1493, True), 1492),
    told("v6-1500", _sized(1500, True), 1492),
    wraps("just-fits-small-v4", _sized(1392), SMALL_WAN),
    wraps("just-fits-small-v6", _sized(1392, True), SMALL_WAN),
    told("small-v4", _sized(1393), 1392, SMALL_WAN),
    told("small-v6", _sized(1393, True), 1392, SMALL_WAN),
    wraps("just-fits-tunnel-mtu-v4", _sized(1332), SMALL_TUNNEL),
    wraps("just-fits-tunnel-mtu-v6", _sized(1332, True), SMALL_TUNNEL),
    told("tunnel-mtu-v4", _sized(1333), 1332, SMALL_TUNNEL),
    told("tunnel-mtu-v6", _sized(1333, True), 1332, SMALL_TUNNEL),
]
_big4, _big6 = Ip4(HOST4, FAR4, 6, text(1381)), Ip6(HOST6, FAR6, 6, text(1361))
_fits4, _fits6 = replace(_big4, payload=text(1380)), replace(_big6, payload=text(1360))
CASES += [
    told("bypass-v4", _big4, 1400, SMALL_WAN, tunnel=""),
    told("bypass-v6", _big6, 1400, SMALL_WAN, tunnel=""),
    *[Case(f"tunnel/just-fits-bypass-v{p.version}", (from_host(p),), (to_gate(hop(p)),),
           passed("core0", "wan0"), SMALL_WAN) for p in (_fits4, _fits6)],
]


def fragmented(name: str, packet: Ip4, mtu: int, config: Config = BASE) -> Case:
    outer = hop(wrap(packet))
    pieces = fragments(outer, mtu)
    return Case(f"tunnel/fragmented-{name}", (from_host(packet),),
                tuple(to_peer(piece) for piece in pieces),
                wrapped() + split("wan0", len(pieces) - 1)
                + Counter({("tunnels", TUNNEL, "tx"): len(pieces) - 1}), config)


CASES += [
    fragmented("by-1", _sized(1493, flags=""), 1500),
    fragmented("1500", _sized(1500, flags=""), 1500),
    fragmented("tos", _sized(1500, flags="", tos=0xB9, id=0xFFFE), 1500),
    fragmented("small", _sized(1500, flags=""), 1400, SMALL_WAN),
    fragmented("tunnel-mtu", _sized(1500, flags=""), 1340, SMALL_TUNNEL),
    Case("tunnel/fragmented-bypass", (from_host(replace(_big4, flags="")),),
         tuple(to_gate(p) for p in fragments(hop(replace(_big4, flags="")), 1400)),
         passed("core0", "wan0") + split("wan0"), SMALL_WAN),
    Case("tunnel/fragmented-fragment", (from_host(replace(_big4, flags="MF", payload=text(1384))),),
         tuple(to_gate(replace(p, flags="MF"))
               for p in fragments(hop(replace(_big4, flags="", payload=text(1384))), 1400)),
         passed("core0", "wan0") + split("wan0"), SMALL_WAN),
    Case("tunnel/fragmented-later-fragment",
         (from_host(replace(_big4, flags="", frag=100)),),
         tuple(to_gate(replace(p, frag=p.frag + 100))
               for p in fragments(hop(replace(_big4, flags="")), 1400)),
         passed("core0", "wan0") + split("wan0"), SMALL_WAN),
]

# Who cannot be outside, and what would leave where no answer is taken in
CASES += [
    drops("tunnel/source-is-a-host", from_peer(wrap(replace(back(_good), src="10.10.0.8"))),
          "encap_source", HOSTS_ARE_SOURCES, tunnel="coat"),
    drops("tunnel/source-is-us", from_peer(wrap(replace(back(_good), src=WAN4))), "martian",
          HOSTS_ARE_SOURCES),
    drops("tunnel/routed-by-another-port", from_gate(replace(native(_good), src=FAR4, dst=HOST4)),
          "encap_route", WRONG_WAY, tunnel="to"),
]

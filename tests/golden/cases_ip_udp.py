# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""IP in UDP between two gateways: every pair of IP versions, what is copied, what is refused."""

import struct
from collections import Counter
from dataclasses import replace

import cases_route as route
from case import (Case, Config, advance, answered, consumed, dropped, inject, meanwhile, originated,
                  passed, split)
from cases_fragment import cut, largest, merged, numbered, recut
from cases_icmp import error4, error6, expired, from_us, too_big
from cases_route import FIRST, FIRST_MAC, SECOND, SECOND_MAC, TWO
from flow_hash import first_identification, flow_hash
from packets import (CORE4, CORE6, DEST_OPTIONS, FAR4, FAR6, GATE4, GATE6, HOST4, HOST6, ICMP, ICMP6,
                     PEER4, PEER6, SCTP, TCP_PROTO, UDP_PROTO, WAN0_MAC, WAN4, WAN6, Ip4, Ip6, chunk,
                     data, foreign, fragments, from_gate, from_host, from_peer, hop, icmp4, icmp6,
                     ip_frame, sctp, text, to_gate, to_host, to_peer, udp, udp_packet)
from probes import FAR_GATE

PORT = 6080
# Far hosts have no route: only the rules lead to them, 20 and b through gw-4, 21 and c through gw-6
FAR = {(False, False): "10.20.0.9", (True, False): "2001:db8:b::9",
       (False, True): "10.21.0.9", (True, True): "2001:db8:c::9"}
NAME = {False: "gw-4", True: "gw-6"}
VERSIONS = [(v6, over6) for v6 in (False, True) for over6 in (False, True)]


def config(name: str, *, keys: str = "", wan_mtu: int = 1500, rules: str = "",
           answers: str = "inside") -> Config:
    return Config(name, f"""
[[port]]
name = "core0"
device = "ring:core0"
mac = "02:00:00:00:00:01"
address = ["10.10.0.1/24", "2001:db8:a::1/64"]
[[port]]
name = "wan0"
device = "ring:wan0"
mac = "02:00:00:00:00:02"
mtu = {wan_mtu}
address = ["203.0.113.1/24", "2001:db8:1::1/64"]
[[route]]
to = "198.51.100.0/24"
next-hop = "203.0.113.254"
[[route]]
to = "2001:db8:f::/48"
next-hop = "2001:db8:1::fe"
[[tunnel]]
name = "gw-4"
via = "ip-udp"
port = "wan0"
peer = "203.0.113.77:6080"
{keys}
[[tunnel]]
name = "gw-6"
via = "ip-udp"
port = "wan0"
peer = "[2001:db8:1::77]:6080"
{keys}
{rules}
[[rule]]
name = "through-gw-4"
from = "core0"
to = ["10.20.0.0/16", "2001:db8:b::/48"]
tunnel = "gw-4"
[[rule]]
name = "through-gw-6"
from = "core0"
to = ["10.21.0.0/16", "2001:db8:c::/48"]
tunnel = "gw-6"
""", answers)


IP_UDP = config("ip-udp")
NATIVE_ANSWERS = config("ip-udp-native-answers", answers="native")
NOBODY_ANSWERS = config("ip-udp-nobody-answers", answers="")
SMALL = config("ip-udp-small", keys="mtu = 1400")
NARROW = config("ip-udp-narrow", keys="mtu = 1300")
LISTEN = config("ip-udp-listen", keys="listen = 7000\nttl = 9", answers="native")
_STANDBY = """
[[rule]]
name = "standby"
from = "core0"
to = "10.30.0.0/16"
tunnel = ["gw-4", "gw-6"]
"""
STANDBY = config("ip-udp-standby", rules=_STANDBY)
STANDBY_STAYS = config("ip-udp-standby-stays", rules=_STANDBY + 'revert = "never"\n')

_good = sctp(data())


def out(packet_bytes: bytes, v6: bool, over6: bool, **ip) -> Ip4 | Ip6:
    """From the host to a far host."""
    return (Ip6(HOST6, FAR[True, over6], SCTP, packet_bytes, **ip) if v6
            else Ip4(HOST4, FAR[False, over6], SCTP, packet_bytes, **ip))


def home(packet_bytes: bytes, v6: bool, over6: bool, **ip) -> Ip4 | Ip6:
    """From a far host to the host."""
    return (Ip6(FAR[True, over6], HOST6, SCTP, packet_bytes, **ip) if v6
            else Ip4(FAR[False, over6], HOST4, SCTP, packet_bytes, **ip))


def tos(packet: Ip4 | Ip6) -> int:
    return packet.tc if isinstance(packet, Ip6) else packet.tos


def coat(packet: Ip4 | Ip6, over6: bool, flow: int | None = None, ttl: int = 64,
         peer: str = "") -> Ip4 | Ip6:
    """What leaves for the far gateway."""
    flow = flow_hash(packet) if flow is None else flow
    src, dst = (WAN6, PEER6) if over6 else (WAN4, PEER4)
    dst = peer or dst
    datagram = udp(src, dst, 0xC000 | flow & 0x3FFF, PORT, packet.raw())
    if over6:
        return Ip6(src, dst, UDP_PROTO, datagram, hlim=ttl, tc=tos(packet), fl=flow >> 12)
    return Ip4(src, dst, UDP_PROTO, datagram, ttl=ttl, tos=tos(packet), id=0)


def arriving(payload: bytes | Ip4 | Ip6, over6: bool, dport: int = PORT, src: str = "",
             tos: int = 0, **fields) -> Ip4 | Ip6:
    """What comes from the far gateway."""
    payload = payload if isinstance(payload, bytes) else payload.raw()
    packet = udp_packet(src or (PEER6 if over6 else PEER4), WAN6 if over6 else WAN4, 50505, dport,
                        payload, **fields)
    return replace(packet, **({"tc": tos} if over6 else {"tos": tos}))


def into(over6: bool, n: int = 1) -> Counter:
    return passed("core0", "wan0", n) + Counter({("tunnels", NAME[over6], "tx"): n})


def lost(reason: str, port: str, over6: bool, arrived: bool = True) -> Counter:
    counters = dropped(reason, port) + Counter({("tunnels", NAME[over6], "dropped"): 1})
    return counters + Counter({("tunnels", NAME[over6], "rx"): 1} if arrived else {})


def label(v6: bool, over6: bool) -> str:
    return f"v{6 if v6 else 4}-over-v{6 if over6 else 4}"


def wraps(name: str, packet: Ip4 | Ip6, over6: bool, config: Config = IP_UDP, **fields) -> Case:
    return Case(f"ip-udp/{name}", (from_host(packet),), (to_peer(coat(hop(packet), over6, **fields)),),
                into(over6), config)


def peels(name: str, outer: Ip4 | Ip6, inner: Ip4 | Ip6, over6: bool,
          config: Config = IP_UDP) -> Case:
    return Case(f"ip-udp/{name}", (from_peer(outer),), (to_host(hop(inner)),),
                passed("wan0", "core0") + Counter({("tunnels", NAME[over6], "rx"): 1}), config)


def refuses(name: str, outer: Ip4 | Ip6, reason: str, over6: bool, config: Config = IP_UDP,
            **fields) -> Case:
    return Case(f"ip-udp/{name}", (from_peer(outer),), (), lost(reason, "wan0", over6, **fields),
                config)


CASES: list[Case] = []

# Both ways in every pair of versions; DSCP and ECN go out with the packet.
for v6, over6 in VERSIONS:
    pair = label(v6, over6)
    for value in (0, 1, 2, 3, 0xB8, 0xB9, 0xBA, 0xBB):
        field = {"tc" if v6 else "tos": value}
        packet = out(_good, v6, over6, **field)
        CASES += [wraps(f"tos-{value:02x}-out-{pair}", packet, over6)]
        inner = home(_good, v6, over6, **field)
        CASES += [peels(f"tos-{value:02x}-home-{pair}", arriving(inner, over6, tos=value), inner,
                        over6)]
    for ttl in (2, 255):
        field = {"hlim" if v6 else "ttl": ttl}
        inner = home(_good, v6, over6, **field)
        CASES += [wraps(f"ttl-{ttl}-out-{pair}", out(_good, v6, over6, **field), over6),
                  peels(f"ttl-{ttl}-home-{pair}", arriving(inner, over6), inner, over6)]
    for length in (64, 65, 200, 1399, 1400, 1500 - (48 if over6 else 28)):
        packet = sctp(data(length - (40 if v6 else 20) - 28, pad=False))
        if length < 90:
            packet = sctp(chunk(11))
        inner = home(packet, v6, over6)
        CASES += [wraps(f"size-{length}-out-{pair}", out(packet, v6, over6), over6),
                  peels(f"size-{length}-home-{pair}", arriving(inner, over6), inner, over6)]
    CASES += [wraps(f"ports-{i}-{pair}", out(sctp(data(), sport=1000 + i), v6, over6), over6)
              for i in range(4)]
CASES += [
    wraps("no-df", out(_good, False, False, flags="", id=0xFFFF), False),
    wraps("label", out(_good, True, True, fl=0xFFFFF), True),
    wraps("extension-header", out(_good, True, False, ext=((DEST_OPTIONS, b"\0\1\4\0\0\0\0"),)),
          False, flow=flow_hash(out(_good, True, False))),
    *[wraps(f"ttl-configured-{label(v6, over6)}", out(_good, v6, over6), over6, LISTEN, ttl=9)
      for v6, over6 in VERSIONS],
    *[peels(f"listen-{label(v6, over6)}", arriving(home(_good, v6, over6), over6, dport=7000),
            home(_good, v6, over6), over6, LISTEN) for v6, over6 in VERSIONS],
    *[wraps(f"native-answers-{label(v6, over6)}", out(_good, v6, over6), over6, NATIVE_ANSWERS)
      for v6, over6 in VERSIONS],
]

# ECN on the way home: RFC 6040 figure 4, inner by outer; 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE.
_COMBINED = {(0, 0): 0, (0, 1): 0, (0, 2): 0, (0, 3): None, (1, 0): 1, (1, 1): 1, (1, 2): 1,
             (1, 3): 3, (2, 0): 2, (2, 1): 1, (2, 2): 2, (2, 3): 3, (3, 0): 3, (3, 1): 3,
             (3, 2): 3, (3, 3): 3}
for v6, over6 in VERSIONS:
    for (inside, outside), result in _COMBINED.items():
        field = "tc" if v6 else "tos"
        inner = home(_good, v6, over6, **{field: 0x28 | inside})
        outer = arriving(inner, over6, tos=0xB8 | outside)
        name = f"ecn-{inside}-in-{outside}-{label(v6, over6)}"
        CASES += [refuses(name, outer, "encap_ecn", over6) if result is None else
                  peels(name, outer, replace(inner, **{field: 0x28 | result}), over6)]

# Who may send, and what
for v6, over6 in VERSIONS:
    pair, inner = label(v6, over6), home(_good, v6, over6)
    stranger = "2001:db8:1::78" if over6 else "203.0.113.78"
    CASES += [
        refuses(f"source-{pair}", arriving(inner, over6, src=stranger), "encap_source", over6),
        refuses(f"source-broken-{pair}", arriving(b"\0", over6, src=stranger, chksum=1),
                "encap_source", over6),
        Case(f"ip-udp/other-port-{pair}", (from_peer(arriving(inner, over6, dport=6081)),), (),
             dropped("local", "wan0"), IP_UDP),
        refuses(f"checksum-{pair}", arriving(inner, over6, chksum=0x1234), "udp_csum", over6),
        refuses(f"length-{pair}", arriving(inner, over6, length=7), "udp_len", over6),
        peels(f"trailing-{pair}", arriving(inner.raw() + b"behind", over6), inner, over6),
        refuses(f"cut-{pair}", arriving(inner.raw()[:-1], over6), "ip6_len" if v6 else "ip4_len",
                over6),
        refuses(f"tcp-inside-{pair}",
                arriving(replace(inner, **{"nh" if v6 else "proto": TCP_PROTO}), over6),
                "encap_inner", over6),
        refuses(f"udp-inside-{pair}", arriving(udp_packet(inner.src, inner.dst, 53, 53, b"x"), over6),
                "encap_inner", over6),
        refuses(f"from-ourselves-{pair}",
                arriving(replace(inner, src=CORE6 if v6 else CORE4), over6), "martian", over6),
        refuses(f"group-inside-{pair}",
                arriving(replace(inner, dst="ff0e::1" if v6 else "239.0.0.1"), over6), "multicast",
                over6),
        refuses(f"sctp-broken-{pair}", arriving(home(sctp(), v6, over6), over6), "sctp_empty", over6),
        refuses(f"sctp-crc-0-{pair}", arriving(home(sctp(data(), crc=0), v6, over6), over6),
                "sctp_crc", over6),
        *[refuses(f"nested-{dport}-{pair}",
                  arriving(udp_packet(inner.src, inner.dst, 9, dport, inner.raw()), over6),
                  "encap_nest", over6) for dport in (6080, 9899)],
        *[refuses(f"nested-protocol-{proto}-{pair}",
                  arriving(replace(inner, payload=inner.raw(),
                                   **{"nh" if v6 else "proto": proto}), over6),
                  "encap_nest", over6) for proto in (4, 41)],
    ]
for over6 in (False, True):
    pair = "over-v6" if over6 else "over-v4"
    CASES += [refuses(f"empty-{pair}", arriving(b"", over6), "encap_empty", over6),
              *[refuses(f"gue-{first:02x}-{pair}", arriving(bytes([first]) + bytes(39), over6),
                        "encap_gue", over6) for first in (0x00, 0x0F, 0x3F, 0x50, 0x70, 0x80, 0xFF)]]
_inner4 = home(_good, False, False)
CASES += [
    peels("checksum-0-v4", arriving(_inner4, False, chksum=0), _inner4, False),
    refuses("checksum-0-v6", arriving(home(_good, False, True), True, chksum=0), "udp_csum0", True),
    refuses("inner-checksum", arriving(_inner4.with_checksum_error(1), False), "ip4_csum", False),
    refuses("inner-header", arriving(replace(_inner4, ihl=4), False), "ip4_hdr", False),
    refuses("routing-header-outside",
            replace(arriving(_inner4, True), ext=((43, b"\0\4\1" + bytes(4)),)), "ip6_routing",
            True),
    # A neighbour of the far gateway that spoofs its address goes where any packet goes.
    Case("ip-udp/no-way-home", (from_peer(arriving(replace(_inner4, dst="10.99.0.1"), False)),), (),
         lost("no_route", "wan0", False), IP_UDP),
]


# ICMP goes through, and what is for us is answered the way it came.
def _echo(size: int = 24) -> bytes:
    return struct.pack("!HH", 0xBEEF, 7) + text(size)


for over6 in (False, True):
    ask4 = icmp4(FAR[False, over6], HOST4, 8, 0, _echo())
    ask6 = icmp6(FAR[True, over6], HOST6, 128, 0, _echo())
    CASES += [peels(f"echo-for-host-{label(False, over6)}", arriving(ask4, over6), ask4, over6),
              peels(f"echo-for-host-{label(True, over6)}", arriving(ask6, over6), ask6, over6)]
    for us in (WAN4, CORE4, WAN6, CORE6):
        v6 = ":" in us
        far = FAR[v6, over6]
        request = icmp6(far, us, 128, 0, _echo()) if v6 else icmp4(far, us, 8, 0, _echo(), id=3)
        reply = icmp6(us, far, 129, 0, _echo()) if v6 else icmp4(us, far, 0, 0, _echo(), id=3)
        CASES += [Case(f"ip-udp/echo-for-us-{us}-{label(v6, over6)}",
                       (from_peer(arriving(request, over6)),),
                       (to_peer(coat(from_us(reply), over6)),),
                       answered("wan0") + Counter({("tunnels", NAME[over6], "rx"): 1,
                                                   ("tunnels", NAME[over6], "tx"): 1}), IP_UDP)]
    CASES += [refuses(f"echo-reply-of-nobody-{'v6' if over6 else 'v4'}",
                      arriving(icmp4(FAR[False, over6], WAN4, 0, 0, _echo()), over6),
                      "icmp_unhandled", over6)]

# Hops. Who sent from far hears of it through the tunnel.
for v6, over6 in VERSIONS:
    old = {"hlim" if v6 else "ttl": 1}
    packet, inner = out(_good, v6, over6, **old), home(_good, v6, over6, **old)
    us = CORE6 if v6 else CORE4
    CASES += [Case(f"ip-udp/ttl-1-out-{label(v6, over6)}", (from_host(packet),),
                   (to_host(expired(packet, us)),),
                   lost("ttl", "core0", over6, arrived=False) + originated("core0"), IP_UDP),
              Case(f"ip-udp/ttl-1-home-{label(v6, over6)}", (from_peer(arriving(inner, over6)),),
                   (to_peer(coat(expired(inner, us), over6)),),
                   lost("ttl", "wan0", over6) + originated("wan0")
                   + Counter({("tunnels", NAME[over6], "tx"): 1}), IP_UDP)]


# Too big. The sender hears what is left inside; what may be cut is cut inside, each piece whole.
def sized(length: int, v6: bool, over6: bool, **ip) -> Ip4 | Ip6:
    return out(sctp(data(length - (40 if v6 else 20) - 28, pad=False)), v6, over6, **ip)


for v6, over6 in VERSIONS:
    for config_, mtu in ((IP_UDP, 1500), (SMALL, 1400)):
        inside = mtu - (48 if over6 else 28)
        packet = sized(inside + 1, v6, over6)
        CASES += [Case(f"ip-udp/too-big-{mtu}-{label(v6, over6)}", (from_host(packet),),
                       (to_host(too_big(packet, inside)),),
                       lost("too_big", "core0", over6, arrived=False) + originated("core0"),
                       config_),
                  wraps(f"just-fits-{mtu}-{label(v6, over6)}", sized(inside, v6, over6), over6,
                        config_)]
        if v6:
            continue
        for length in (inside + 1, 1500):
            packet = hop(sized(length, False, over6, flags="", tos=0x2A))
            pieces = fragments(packet, inside)
            CASES += [Case(f"ip-udp/fragmented-{mtu}-{length}-{label(v6, over6)}",
                           (from_host(replace(packet, ttl=64)),),
                           tuple(to_peer(coat(p, over6, flow_hash(packet))) for p in pieces),
                           into(over6) + split("wan0", len(pieces) - 1)
                           + Counter({("tunnels", NAME[over6], "tx"): len(pieces) - 1}), config_)]
# 1280 bytes of IPv6 pass everywhere: then the coat is cut, not the packet.
def coat_cut(packet: Ip6, over6: bool, mtu: int) -> list[Ip4 | Ip6]:
    outer, number = coat(packet, over6), first_identification(int(over6))
    if not over6:
        return fragments(replace(outer, id=number & 0xFFFF, flags=""), mtu)
    return [replace(p, fl=outer.fl) for p in recut(replace(outer, fl=number), mtu)]


for over6 in (False, True):
    for length in (1276, 1280):
        packet = sized(length, True, over6)
        left = coat_cut(hop(packet), over6, 1300)
        CASES.append(Case(f"ip-udp/coat-cut-{length}-{label(True, over6)}", (from_host(packet),),
                          tuple(to_peer(p) for p in left),
                          into(over6) + split("wan0", len(left) - 1)
                          + Counter({("tunnels", NAME[over6], "tx"): len(left) - 1}), NARROW,
                          fresh=True))
    packet = sized(1284, True, over6)
    CASES.append(Case(f"ip-udp/coat-not-cut-too-big-{label(True, over6)}", (from_host(packet),),
                      (to_host(too_big(packet, 1280)),),
                      lost("too_big", "core0", over6, arrived=False) + originated("core0"), NARROW))
_OPTIONS = (DEST_OPTIONS, b"\0\1\4\0\0\0\0")
# What came in pieces is put together for the rules, and each piece that leaves gets a coat.
for v6, over6 in VERSIONS:
    for config_, mtu in ((IP_UDP, 1500), (SMALL, 1400)):
        packet = numbered(out(sctp(data(3000)), v6, over6))
        came = cut(packet, 1440)
        left = recut(hop(packet), min(largest(came), mtu - (48 if over6 else 28)))
        CASES += [Case(f"ip-udp/fragments-out-{mtu}-{label(v6, over6)}",
                       tuple(from_host(p) for p in came[::-1]),
                       tuple(to_peer(coat(p, over6, flow_hash(packet))) for p in left),
                       merged("core0", "wan0", len(came), len(left))
                       + Counter({("tunnels", NAME[over6], "tx"): len(left)}), config_)]
    # Home: pieces that each have a coat, a coat that was cut, and both.
    packet = numbered(home(sctp(data(2600)), v6, over6))
    came = cut(packet, 1000)
    CASES += [Case(f"ip-udp/fragments-home-{label(v6, over6)}",
                   tuple(from_peer(arriving(p, over6)) for p in came[::-1]),
                   tuple(to_host(hop(p)) for p in came),
                   merged("wan0", "core0", len(came), len(came))
                   + Counter({("tunnels", NAME[over6], "rx"): len(came)}), IP_UDP)]
    if v6:
        # Options were cut too: only the first piece shows what follows them.
        packet = numbered(home(sctp(data(2600)), True, over6, ext=(_OPTIONS,)))
        came = cut(packet, 1000)
        CASES += [Case(f"ip-udp/fragments-home-options-{label(True, over6)}",
                       tuple(from_peer(arriving(p, over6)) for p in came[::-1]),
                       tuple(to_host(hop(p)) for p in came),
                       merged("wan0", "core0", len(came), len(came))
                       + Counter({("tunnels", NAME[over6], "rx"): len(came)}), IP_UDP),
                  Case(f"ip-udp/fragments-home-options-tcp-{label(True, over6)}",
                       tuple(from_peer(arriving(p, over6))
                             for p in cut(numbered(replace(packet, nh=TCP_PROTO)), 1000)), (),
                       lost("encap_inner", "wan0", over6) + Counter({
                           ("ports", "wan0", "rx"): len(came) - 1,
                           ("ports", "wan0", "held"): len(came) - 1,
                           ("tunnels", NAME[over6], "rx"): len(came) - 1}), IP_UDP, fresh=True)]
    packet = home(sctp(data(1300)), v6, over6)
    outer = cut(numbered(arriving(packet, over6)), 800)
    CASES += [Case(f"ip-udp/coat-in-fragments-{label(v6, over6)}",
                   tuple(from_peer(p) for p in outer[::-1]), (to_host(hop(packet)),),
                   merged("wan0", "core0", len(outer), 1)
                   + Counter({("tunnels", NAME[over6], "rx"): 1}), IP_UDP)]
    packet = numbered(home(sctp(data(2000)), v6, over6))
    came = cut(packet, 1200)
    outers = [p for piece in came for p in cut(numbered(arriving(piece, over6)), 800)]
    CASES += [Case(f"ip-udp/coat-and-packet-in-fragments-{label(v6, over6)}",
                   tuple(from_peer(p) for p in outers[::-1]), tuple(to_host(hop(p)) for p in came),
                   merged("wan0", "core0", len(outers), len(came))
                   + Counter({("tunnels", NAME[over6], "rx"): len(came)}), IP_UDP)]
    # A ping through the tunnel, in pieces
    us, far = (CORE6, FAR[True, over6]) if v6 else (CORE4, FAR[False, over6])
    rest = struct.pack("!HH", 7, 1) + text(2500)
    ask = numbered(icmp6(far, us, 128, 0, rest) if v6 else icmp4(far, us, 8, 0, rest))
    reply = from_us(icmp6(us, far, 129, 0, rest, fl=ask.fl) if v6
                    else icmp4(us, far, 0, 0, rest, id=ask.id, flags=""))
    came = cut(ask, 1000)
    left = recut(reply, largest(came))
    CASES += [Case(f"ip-udp/echo-in-fragments-{label(v6, over6)}",
                   tuple(from_peer(arriving(p, over6)) for p in came),
                   tuple(to_peer(coat(p, over6, flow_hash(p, fragment=True))) for p in left),
                   consumed("wan0") + originated("wan0", len(left)) + Counter({
                       ("ports", "wan0", "rx"): len(came) - 1,
                       ("ports", "wan0", "merged"): len(came) - 1,
                       ("tunnels", NAME[over6], "rx"): len(came),
                       ("tunnels", NAME[over6], "tx"): len(left)}), IP_UDP)]
# Nobody cut the packet inside: it is too long for its way, and may be cut, or not; one of them is
# even too long for a buffer.
for over6, size in ((False, 4000), (True, 4000), (False, 12000), (True, 12000)):
    packet = numbered(home(sctp(data(size)), False, over6))
    came, left = cut(numbered(arriving(packet, over6)), 1400), fragments(hop(packet), 1500)
    CASES += [Case(f"ip-udp/long-inside-{size}-{NAME[over6]}", tuple(from_peer(p) for p in came),
                   tuple(to_host(p) for p in left), merged("wan0", "core0", len(came), len(left))
                   + Counter({("tunnels", NAME[over6], "rx"): 1}), IP_UDP)]
    packet = home(sctp(data(size)), False, over6)
    came = cut(numbered(arriving(packet, over6)), 1400)
    CASES += [Case(f"ip-udp/long-inside-df-{size}-{NAME[over6]}", tuple(from_peer(p) for p in came),
                   (to_peer(coat(error4(packet, CORE4, 3, 4, 1500), over6)),),
                   lost("too_big", "wan0", over6) + originated("wan0") + Counter({
                       ("ports", "wan0", "rx"): len(came) - 1,
                       ("ports", "wan0", "merged"): len(came) - 1,
                       ("tunnels", NAME[over6], "tx"): 1}), IP_UDP)]
# A piece that is longer than a buffer, in a coat that was cut
packet = replace(numbered(home(text(12000), False, False)), flags="MF")
came = cut(numbered(arriving(packet, False)), 1400)
CASES += [Case("ip-udp/long-fragment-inside", tuple(from_peer(p) for p in came), (),
               lost("segmented", "wan0", False) + Counter({
                   ("ports", "wan0", "rx"): len(came) - 1,
                   ("ports", "wan0", "merged"): len(came) - 1}), IP_UDP)]

# Nobody at the far end
for v6, over6 in VERSIONS:
    packet = out(_good, v6, over6)
    CASES += [Case(f"ip-udp/down-{label(v6, over6)}", (from_host(packet),), (),
                   lost("tunnel_down", "core0", over6, arrived=False), NOBODY_ANSWERS)]
    CASES += [Case(f"ip-udp/falls-and-rises-{label(v6, over6)}", (), (),
                   lost("tunnel_down", "core0", over6, arrived=False) + into(over6), IP_UDP,
                   then=(meanwhile(1400, NAME[not over6]), inject(from_host(packet)),
                         meanwhile(1400, *NAME.values()),
                         inject(from_host(packet), expect=(to_peer(coat(hop(packet), over6)),))),
                   fresh=True)]
# Standby: the second takes over, and gives back, or does not.
_spare = Ip4(HOST4, "10.30.0.9", SCTP, _good)


def _by(over6: bool):
    return inject(from_host(_spare), expect=(to_peer(coat(hop(_spare), over6)),))


for config_, back in ((STANDBY, False), (STANDBY_STAYS, True)):
    CASES += [Case("ip-udp/standby", (), (),
                   into(False, 3 if not back else 2) + into(True, 1 if not back else 2), config_,
                   then=(_by(False), meanwhile(1400, "gw-6"), _by(True),
                         meanwhile(1400, "gw-4", "gw-6"), _by(back),
                         meanwhile(1400, "gw-4"), _by(False)), fresh=True)]
CASES += [Case("ip-udp/standby-none", (), (), lost("tunnel_down", "core0", False, arrived=False),
               STANDBY, then=(advance(1400), inject(from_host(_spare))), fresh=True)]

# Probes and data take one way, of several next hops by those on the tunnel's port: the first one
# answers, but on the other port.
_TWO_HOPS = Config("ip-udp-two-next-hops", TWO.toml.replace(
    f'["{FIRST}", "{SECOND}"]', f'["{SECOND}", "{FIRST}"]') + f"""
[[tunnel]]
name = "gw-far"
via = "ip-udp"
port = "wan0"
peer = "{FAR_GATE}:6080"
[[rule]]
name = "through-gw-far"
from = "core0"
to = "10.20.0.0/16"
tunnel = "gw-far"
""")
packet = out(_good, False, False)
_counters = (originated("wan0") + originated("core0") + consumed("wan0") + consumed("core0")
             + passed("core0", "wan0") + Counter({("tunnels", "gw-far", "tx"): 1}))
# The first probe was made before the case, and waited for the next hop.
_counters.update({("ports", "wan0", "originated"): -1, ("ports", "wan0", "held"): -1})
CASES += [Case("ip-udp/by-the-next-hop-on-its-port", (), (), _counters, _TWO_HOPS,
               then=(advance(1000, route.ask(FIRST), route.ask(SECOND)),
                     inject(route.answer(FIRST_MAC, FIRST),
                            route.answer(SECOND_MAC, SECOND)),
                     meanwhile(400, "gw-far"),
                     inject(from_host(packet), expect=(("wan0", ip_frame(
                         FIRST_MAC, WAN0_MAC, coat(hop(packet), False, peer=FAR_GATE))),))),
               fresh=True, resolved=False)]


# What routers say of what we sent. The tunnel learns, and so does the sender.
def router(over6: bool, quote: bytes, kind: tuple[int, int], word: int = 0, **fields):
    rest = struct.pack("!I", word) + quote
    return from_gate(icmp6(GATE6, WAN6, *kind, rest, **fields) if over6
                     else icmp4(GATE4, WAN4, *kind, rest, **fields))


TOO_BIG, GONE = {False: (3, 4), True: (2, 0)}, {False: (3, 1), True: (1, 3)}

for v6, over6 in VERSIONS:
    packet = sized(1440, v6, over6)
    sent = coat(hop(packet), over6)
    inside = 1400 - (48 if over6 else 28)
    heard = hop(packet)
    told = too_big(heard, inside)
    coat_bytes = 48 if over6 else 28
    pair = label(v6, over6)
    first = router(over6, sent.raw()[:500], TOO_BIG[over6], 1400)
    # Of the packet, the quote holds what a router quoted.
    cut = heard.raw()[:500 - coat_bytes]

    def about(kind: tuple[int, int], word: int = 0, us: str = CORE6 if v6 else CORE4, heard=heard,
              cut=cut):
        if isinstance(heard, Ip6):
            return from_us(icmp6(us, heard.src, *kind, struct.pack("!I", word) + cut, fl=0))
        return from_us(icmp4(us, heard.src, *kind, struct.pack("!I", word) + cut, tos=0xC0, id=0))

    CASES += [
        Case(f"ip-udp/router-too-big-{pair}", (first,),
             (to_host(about((2, 0) if v6 else (3, 4), inside)),),
             consumed("wan0") + originated("core0")
             + lost("too_big", "core0", over6, arrived=False) + originated("core0"), IP_UDP,
             then=(inject(from_host(packet), expect=(to_host(too_big(packet, inside)),)),),
             fresh=True),
        Case(f"ip-udp/router-gone-{pair}", (router(over6, sent.raw()[:500], GONE[over6]),),
             (to_host(about((1, 3) if v6 else (3, 1))),),
             consumed("wan0") + originated("core0"), IP_UDP),
    ]
    # Whoever makes such errors uses up what is said because of them, and no more.
    told_of = to_host(about((2, 0) if v6 else (3, 4), inside))
    CASES += [Case(f"ip-udp/router-errors-a-second-{pair}", (first,) * 32, (told_of,) * 32,
                   consumed("wan0", 128) + originated("core0", 100)
                   + lost("too_big", "core0", over6, arrived=False) + originated("core0"), IP_UDP,
                   then=(inject(*[first] * 32, expect=(told_of,) * 32),
                         inject(*[first] * 32, expect=(told_of,) * 32),
                         inject(*[first] * 32, expect=(told_of,) * 4),
                         inject(from_host(packet), expect=(to_host(too_big(packet, inside)),))),
                   fresh=True)]
    # Where the UDP port cannot be compared with what it is made of, anybody may have made the error:
    # nobody is told, and no size changes. An inner header that says it is a later piece hides it as
    # well; one of a first piece does not.
    header = 40 if v6 else 20
    first, later, *_ = recut(numbered(out(sctp(data(2900)), v6, over6)), 1400)
    for name, quote in (("coat", sent.raw()[:coat_bytes]),
                        ("header", sent.raw()[:coat_bytes + header]),
                        ("port", sent.raw()[:coat_bytes + header + 3]),
                        ("later-piece", coat(later, over6, 0).raw()[:500])):
        CASES += [
            Case(f"ip-udp/router-unproven-{name}-{pair}",
                 (router(over6, quote, TOO_BIG[over6], 1300 if over6 else 576),), (),
                 consumed("wan0") + into(over6), IP_UDP,
                 then=(inject(from_host(packet), expect=(to_peer(sent),)),)),
            Case(f"ip-udp/router-unproven-gone-{name}-{pair}",
                 (router(over6, quote, GONE[over6]),), (),
                 lost("icmp_untrusted", "wan0", over6, arrived=False), IP_UDP)]
    CASES += [Case(f"ip-udp/router-untrusted-first-piece-{pair}",
                   (router(over6, coat(first, over6, flow_hash(heard) ^ 1).raw()[:500],
                           TOO_BIG[over6], 1300),), (),
                   lost("icmp_untrusted", "wan0", over6, arrived=False), IP_UDP)]
    # Only senders of SCTP are told.
    ping = icmp6(HOST6, FAR[True, over6], 128, 0, _echo()) if v6 else (
        icmp4(HOST4, FAR[False, over6], 8, 0, _echo()))
    CASES += [Case(f"ip-udp/router-gone-no-sctp-{pair}",
                   (router(over6, coat(ping, over6).raw(), GONE[over6]),), (), consumed("wan0"),
                   IP_UDP)]
    forged = replace(sent, payload=bytes([sent.payload[0] ^ 1]) + sent.payload[1:])
    for name, frame, reason in (
            ("port", router(over6, forged.raw()[:500], TOO_BIG[over6], 1400), "icmp_untrusted"),
            ("mtu", router(over6, sent.raw()[:500], TOO_BIG[over6], 575), "icmp_untrusted"),
            ("mtu-larger", router(over6, sent.raw()[:500], TOO_BIG[over6], 1500),
             "icmp_untrusted"),
            ("checksum", router(over6, sent.raw()[:500], TOO_BIG[over6], 1400, error=1), "icmp")):
        CASES += [Case(f"ip-udp/router-untrusted-{name}-{pair}", (frame,), (),
                       lost(reason, "wan0", over6, arrived=False), IP_UDP)]
    other = replace(sent, dst="2001:db8:1::78" if over6 else "203.0.113.78")
    CASES += [Case(f"ip-udp/router-of-nobody-{pair}",
                   (router(over6, other.raw()[:500], GONE[over6]),), (),
                   dropped("icmp_unhandled", "wan0"), IP_UDP)]


# Behind a NAT: the far gateway asks for the address by which it knows us. It is answered in that
# name; nobody else is, and nothing else.
def _asks(far: str, name: str, kind: int, **ip) -> Ip4 | Ip6:
    if ":" in far:
        return icmp6(far, name, {8: 128, 0: 129}[kind], 0, _echo(), **ip)
    return icmp4(far, name, kind, 0, _echo(), **ip)


for over6, names in ((False, ("192.0.2.80", FAR4, "203.0.113.80")),
                     (True, ("2001:db8:80::80", FAR6, "2001:db8:1::80"))):
    far, host, gate = (PEER6, HOST6, FAR6) if over6 else (PEER4, HOST4, FAR4)
    pair = "v6" if over6 else "v4"
    for name in names:  # to which there is no route, one by a router, one on the link
        ask = _asks(far, name, 8, **({} if over6 else {"id": 3}))
        reply = from_us(_asks(name, far, 0, **({} if over6 else {"id": 3})))
        CASES += [Case(f"ip-udp/nat-probe-{name}", (from_peer(arriving(ask, over6)),),
                       (to_peer(coat(reply, over6)),),
                       answered("wan0") + Counter({("tunnels", NAME[over6], "rx"): 1,
                                                   ("tunnels", NAME[over6], "tx"): 1}), IP_UDP)]
    through = Counter({("tunnels", NAME[over6], "rx"): 1})
    for what, inner in (("echo-of-others", _asks(FAR[over6, over6], gate, 8)),
                        ("answer", _asks(far, gate, 0)),
                        ("host", _asks(far, host, 8))):
        home_ = what == "host"  # one behind us answers for itself
        CASES += [Case(f"ip-udp/nat-not-for-{what}-{pair}", (from_peer(arriving(inner, over6)),),
                       ((to_host if home_ else to_gate)(hop(inner)),),
                       (passed("wan0", "core0") if home_ else passed("wan0", "wan0")) + through,
                       IP_UDP)]
    native = _asks(far, gate, 8)
    CASES += [Case(f"ip-udp/nat-not-for-native-{pair}", (from_peer(native),),
                   (to_gate(hop(native)),), passed("wan0", "wan0"), IP_UDP),
              refuses(f"nat-probe-checksum-{pair}",
                      arriving(_asks(far, names[0], 8, error=1), over6), "icmp", over6)]


# What routers on our side say about SCTP that came out of a tunnel goes back into it.
BY_PORT = replace(IP_UDP, name="ip-udp-by-port", toml=IP_UDP.toml.replace(
    'tunnel = "gw-4"', 'sctp-port = [36412]\ntunnel = "gw-4"'))
NEAR4, NEAR6 = "10.10.0.254", "2001:db8:a::fe"
ABOUT = {False: ((3, 4, 1300), (3, 2, 0), (3, 1, 0), (11, 0, 0), (12, 0, 0)),
         True: ((2, 0, 1300), (1, 3, 0), (3, 0, 0), (4, 1, 6))}


def says(packet: Ip4 | Ip6, kind: int, code: int, word: int = 0, length: int = 500,
         to: str = "") -> Ip4 | Ip6:
    rest = struct.pack("!I", word) + packet.raw()[:length]
    if isinstance(packet, Ip6):
        return icmp6(NEAR6, to or packet.src, kind, code, rest)
    return icmp4(NEAR4, to or packet.src, kind, code, rest)


for v6, over6 in VERSIONS:
    pair, packet = label(v6, over6), hop(home(sctp(data(1200)), v6, over6))
    header = 40 if v6 else 20
    kind = ABOUT[v6][0]
    CASES += [wraps(f"error-{about[0]}-{about[1]}-{pair}", says(packet, *about), over6)
              for about in ABOUT[v6]]
    CASES += [wraps(f"error-quotes-{n}-{pair}", says(packet, *kind, length=header + n), over6)
              for n in (0, 3, 4, 8)]
    piece = recut(numbered(packet), 1000)[1]
    other = home(sctp(data(), dport=9, sport=9), v6, over6)
    error = says(packet, *kind)
    CASES += [
        wraps(f"error-about-later-piece-{pair}", says(piece, *kind), over6),
        Case(f"ip-udp/error-while-down-{pair}", (from_host(error),), (),
             lost("tunnel_down", "core0", over6, arrived=False), NOBODY_ANSWERS),
        # Natively there is no way to the far hosts.
        Case(f"ip-udp/error-about-tcp-{pair}",
             (from_host(says(replace(packet, **{"nh" if v6 else "proto": TCP_PROTO}), *kind)),), (),
             dropped("no_route", "core0"), IP_UDP),
        Case(f"ip-udp/error-for-another-{pair}",
             (from_host(says(packet, *kind, to="2001:db8:99::1" if v6 else "10.99.0.1")),), (),
             dropped("no_route", "core0"), IP_UDP),
        Case(f"ip-udp/error-expired-{pair}",
             (from_host(replace(error, **{"hlim" if v6 else "ttl": 1})),), (),
             lost("ttl", "core0", over6, arrived=False), IP_UDP)]
    if not over6:  # the rule asks for a port, of either end
        CASES += [
            wraps(f"error-by-port-{pair}", error, over6, BY_PORT),
            Case(f"ip-udp/error-of-other-port-{pair}", (from_host(says(other, *kind)),), (),
                 dropped("no_route", "core0"), BY_PORT),
            wraps(f"error-without-port-{pair}", says(other, *kind, length=header), over6, BY_PORT)]


# Plain SCTP where the rules tunnel what goes the other way
PLAIN_IN = config("ip-udp-plain-in", rules="""
[[rule]]
name = "plain-back"
from = "wan0"
to = ["10.10.0.0/24", "2001:db8:a::/64"]
action = "bypass"
""")
REST = config("ip-udp-rest", rules="""
[[rule]]
name = "not-5000"
sctp-port = [5000]
action = "bypass"
""")
for v6, over6 in VERSIONS:
    pair, plain = label(v6, over6), home(_good, v6, over6)
    passes = Case(f"ip-udp/plain-{pair}", (from_gate(plain),), (to_host(hop(plain)),),
                  passed("wan0", "core0"), PLAIN_IN)
    ported = home(sctp(data(), sport=5000), v6, over6)
    CASES += [
        Case(f"ip-udp/downgrade-{pair}", (from_gate(plain),), (),
             lost("encap_downgrade", "wan0", over6, arrived=False), IP_UDP),
        Case(f"ip-udp/downgrade-while-down-{pair}", (from_gate(plain),), (),
             lost("encap_downgrade", "wan0", over6, arrived=False), NOBODY_ANSWERS),
        passes,
        # The rules would send the other way natively as well.
        Case(f"ip-udp/plain-by-port-{pair}", (from_gate(ported),), (to_host(hop(ported)),),
             passed("wan0", "core0"), REST),
        Case(f"ip-udp/downgrade-other-port-{pair}", (from_gate(plain),), (),
             lost("encap_downgrade", "wan0", over6, arrived=False), REST)]
_plain = Ip4("10.30.0.9", HOST4, SCTP, _good)
CASES += [Case("ip-udp/downgrade-standby", (from_gate(_plain),), (),
               lost("encap_downgrade", "wan0", False, arrived=False), STANDBY)]
for p in (foreign(_good), foreign(_good, True)):
    CASES += [Case(f"ip-udp/plain-from-others-v{p.version}", (from_gate(p),), (to_host(hop(p)),),
                   passed("wan0", "core0"), IP_UDP)]


# Nobody is asked: up while the next hop is there.
UNASKED = config("ip-udp-unasked", keys='liveness = "none"', answers="")
UNASKED_SMALL = config("ip-udp-unasked-small", keys='liveness = "none"\nmtu = 1400', answers="")
for v6, over6 in VERSIONS:
    pair = label(v6, over6)
    for config_, mtu in ((UNASKED, 1500), (UNASKED_SMALL, 1400)):
        inside = mtu - (48 if over6 else 28)
        packet, long = sized(inside, v6, over6), sized(inside + 1, v6, over6)
        CASES += [
            Case(f"ip-udp/unasked-{mtu}-{pair}", (), (), into(over6), config_,
                 then=(advance(100), inject(from_host(packet),
                                            expect=(to_peer(coat(hop(packet), over6)),))),
                 fresh=True),
            Case(f"ip-udp/unasked-too-big-{mtu}-{pair}", (), (),
                 lost("too_big", "core0", over6, arrived=False) + originated("core0"), config_,
                 then=(advance(100), inject(from_host(long),
                                            expect=(to_host(too_big(long, inside)),))),
                 fresh=True)]
    packet = out(_good, v6, over6)
    CASES += [Case(f"ip-udp/unasked-next-hop-unknown-{pair}", (), (),
                   lost("tunnel_down", "core0", over6, arrived=False), UNASKED,
                   then=(inject(from_host(packet)),), fresh=True, resolved=False)]

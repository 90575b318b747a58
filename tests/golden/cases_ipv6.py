# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""IPv6: header, length, extension headers, addresses, fragments, forwarding."""

import struct
from dataclasses import replace

from case import Case, drops, passed, peeled, wrapped
from packets import (DEST_OPTIONS, FAR6, FRAGMENT, HOP_BY_HOP, HOST6, HOST_MAC, NO_NEXT, PEER6,
                     ROUTING, SCTP, TCP_PROTO, UDP_PROTO, Ip6, back, data, foreign, from_gate,
                     from_host, from_peer, hop, ip_frame, native, sctp, text, to_gate, to_host,
                     to_peer, wrap)

_good = native(sctp(data()), True)
_away = Ip6(HOST6, FAR6, TCP_PROTO, text(40))


def _cut(packet: Ip6, length: int) -> tuple[str, bytes]:
    port, frame = from_host(packet)
    return port, frame[:14 + length]


HEADER = [
    *[drops(f"ipv6/header-{n}-bytes", _cut(_good, n), "ip6_hdr") for n in (1, 20, 39)],
    *[drops(f"ipv6/version-{v}", from_host(replace(_good, version=v)), "ip6_hdr")
      for v in (0, 4, 7, 14)],
    *[drops(f"ipv6/payload-length-{what}", from_host(replace(_good, plen=n)), "ip6_len")
      for what, n in (("plus-1", len(_good.payload) + 1), ("65535", 65535))],
    drops("ipv6/payload-length-0", from_host(replace(_good, plen=0)), "sctp_short"),
]

# Extension headers, without their first byte (next header, which the chain fills in)

_PADN = bytes([0, 1, 4, 0, 0, 0, 0])  # eight bytes in all: one PadN option of four
_ROUTER_ALERT = bytes([0, 5, 2, 0, 0, 1, 0])
HBH, HBH_ALERT = (HOP_BY_HOP, _PADN), (HOP_BY_HOP, _ROUTER_ALERT)
DEST = (DEST_OPTIONS, _PADN)
DEST_LONG = (DEST_OPTIONS, bytes([2, 1, 20]) + bytes(20))
ROUTE_4 = (ROUTING, bytes([2, 4, 0, 0, 0, 0, 0]) + bytes(16))  # segment routing, none left


def _route_0(left: int) -> tuple[int, bytes]:
    return ROUTING, bytes([2, 0, left, 0, 0, 0, 0]) + bytes(15) + b"\1"


def frag(offset: int, more: bool, ident: int = 0xC0FFEE) -> tuple[int, bytes]:
    return FRAGMENT, struct.pack("!BHI", 0, offset << 3 | more, ident)


ATOMIC = frag(0, False)


def _ext(*ext: tuple[int, bytes], base: Ip6 = _away) -> Ip6:
    return replace(base, ext=ext)


EXTENSION = [drops(f"ipv6/extension-{what}", from_host(packet), reason)
             for what, packet, reason in (
    ("nine", _ext(*[DEST] * 9), "ip6_ext_limit"),
    ("nine-with-hop-by-hop", _ext(HBH, *[DEST] * 8), "ip6_ext_limit"),
    ("hundred", _ext(*[DEST] * 100), "ip6_ext_limit"),
    ("nine-sctp", _ext(*[DEST] * 9, base=_good), "ip6_ext_limit"),
    ("hop-by-hop-second", _ext(DEST, HBH), "ip6_ext_order"),
    ("hop-by-hop-twice", _ext(HBH, HBH), "ip6_ext_order"),
    ("hop-by-hop-after-routing", _ext(ROUTE_4, HBH), "ip6_ext_order"),
    ("hop-by-hop-last-of-three", _ext(HBH, DEST, HBH, base=_good), "ip6_ext_order"),
    ("hop-by-hop-after-atomic", _ext(ATOMIC, HBH), "ip6_ext_order"),
    ("past-end", Ip6(HOST6, FAR6, SCTP, b"", ext=((DEST_OPTIONS, bytes([1]) + _PADN[1:]),)),
     "ip6_ext_trunc"),
    ("length-255", _ext((HOP_BY_HOP, b"\xff" + _PADN[1:])), "ip6_ext_trunc"),
    ("one-byte", Ip6(HOST6, FAR6, DEST_OPTIONS, b"\x84"), "ip6_ext_trunc"),
    ("seven-bytes", Ip6(HOST6, FAR6, DEST_OPTIONS, b"\x84\0\1\4\0\0\0"), "ip6_ext_trunc"),
    ("none", Ip6(HOST6, FAR6, DEST_OPTIONS, b""), "ip6_ext_trunc"),
    ("fragment-cut", Ip6(HOST6, FAR6, FRAGMENT, b"\x84\0\0\0\0\0\0"), "ip6_ext_trunc"),
    ("second-past-end", _ext(HBH, (DEST_OPTIONS, b"\x09" + _PADN[1:])), "ip6_ext_trunc"),
    ("two-fragment-headers", _ext(frag(0, True), ATOMIC, base=_good), "ip6_ext_order"),
    ("rh0", _ext(_route_0(1)), "ip6_rh0"),
    ("rh0-none-left", _ext(_route_0(0)), "ip6_rh0"),
    ("rh0-sctp", _ext(HBH, _route_0(1), base=_good), "ip6_rh0"),
    ("rh0-behind-atomic", _ext(ATOMIC, _route_0(1)), "ip6_rh0"),
)]
_route_4_left = (ROUTING, bytes([2, 4, 1, 0, 0, 0, 0]) + bytes(16))
EXTENSION += [
    drops("ipv6/extension-segments-left-wrapped", from_host(_ext(_route_4_left, base=_good)),
          "ip6_routing", tunnel="to"),
    drops("ipv6/extension-segments-left-peeled",
          from_peer(_ext(_route_4_left, base=wrap(back(sctp(data()), True)))), "ip6_routing",
          tunnel="coat"),
    Case("ipv6/extension-segments-left-passes", (from_host(_ext(_route_4_left)),),
         (to_gate(hop(_ext(_route_4_left))),), passed("core0", "wan0")),
]
EXTENSION += [Case(f"ipv6/extension-{what}-passes", (from_host(packet),), (to_gate(hop(packet)),),
                   passed("core0", "wan0"))
              for what, packet in (
    ("eight", _ext(*[DEST] * 8)), ("hop-by-hop-and-seven", _ext(HBH, *[DEST] * 7)),
    ("hop-by-hop", _ext(HBH)), ("router-alert", _ext(HBH_ALERT)), ("routing-4", _ext(ROUTE_4)),
    ("exact-end", Ip6(HOST6, FAR6, NO_NEXT, b"", ext=(DEST_LONG,))),
    ("no-next-header", Ip6(HOST6, FAR6, NO_NEXT, text(9))))]
EXTENSION += [case for what, ext in (
    ("hop-by-hop", (HBH,)), ("destination", (DEST_LONG,)), ("eight", (DEST,) * 8),
    ("atomic", (ATOMIC,)), ("hop-by-hop-routing-atomic-destination",
                            (HBH, ROUTE_4, ATOMIC, DEST)))
    for up, down in ((_ext(*ext, base=_good), _ext(*ext, base=back(sctp(data()), True))),)
    for case in (
        Case(f"ipv6/extension-{what}-wrapped", (from_host(up),), (to_peer(hop(wrap(up))),),
             wrapped()),
        Case(f"ipv6/extension-{what}-peeled", (from_peer(wrap(down)),), (to_host(hop(down)),),
             peeled()))]

_whole = sctp(data(400))
FRAGMENTS = [
    *[drops(f"ipv6/fragment-first-{what}", from_gate(Ip6(FAR6, HOST6, nh, payload, ext=ext)),
            "ip6_frag_hdr")
      for what, nh, payload, ext in (
          ("empty", SCTP, b"", (frag(0, True),)),
          ("sctp-8-bytes", SCTP, _whole[:8], (frag(0, True),)),
          ("udp-7-bytes", UDP_PROTO, text(7), (frag(0, True),)),
          ("options-only", SCTP, b"", (frag(0, True), DEST)))],
]

ADDRESS = [drops(f"ipv6/martian-source-{src}", from_host(replace(_good, src=src)), "martian")
           for src in ("::", "::1", "ff02::1", "ff0e::1234", "::ffff:10.10.0.7")]
ADDRESS += [
    drops("ipv6/martian-land", from_host(replace(_good, src=PEER6)), "martian"),
    drops("ipv6/martian-land-bypass", from_host(replace(_away, src=FAR6)), "martian"),
    drops("ipv6/martian-destination-loopback", from_host(replace(_away, dst="::1")), "martian"),
    drops("ipv6/martian-destination-mapped", from_host(replace(_good, dst="::ffff:203.0.113.77")),
          "martian"),
    drops("ipv6/multicast", ("core0", ip_frame("33:33:00:00:00:01", HOST_MAC,
                                               Ip6(HOST6, "ff02::1", UDP_PROTO, text(20)))),
          "multicast"),
    drops("ipv6/multicast-sctp", ("core0", ip_frame("33:33:00:01:00:03", HOST_MAC,
                                                    replace(_good, dst="ff0e::1:3"))),
          "multicast"),
    drops("ipv6/unicast-in-multicast-frame",
          ("core0", ip_frame("33:33:00:00:00:01", HOST_MAC, _away)), "multicast"),
    drops("ipv6/link-local-source", from_host(replace(_good, src="fe80::7")), "link_local"),
    drops("ipv6/link-local-destination", from_host(replace(_away, dst="fe80::77")), "link_local"),
    drops("ipv6/link-local-source-high", from_host(replace(_away, src="febf::7")), "link_local"),
    *[Case(f"ipv6/source-{src}-passes", (from_host(replace(_away, src=src)),),
           (to_gate(hop(replace(_away, src=src))),), passed("core0", "wan0"))
      for src in ("fec0::7", "fe7f::7", "fd00::7", "::2", "feff::1")],
    drops("ipv6/no-route", from_host(replace(_away, dst="2001:db8:dead::1")), "no_route"),
    drops("ipv6/no-route-sctp", from_host(replace(_good, dst="2001:db8:dead::1")), "no_route"),
]

FORWARD = [
    Case(f"ipv6/forward-{what}", (from_host(packet),), (to_gate(hop(packet)),),
         passed("core0", "wan0"))
    for what, packet in (
        ("tcp", _away), ("unknown-protocol", replace(_away, nh=253)),
        ("hop-limit-2", replace(_away, hlim=2)), ("hop-limit-255", replace(_away, hlim=255)),
        ("traffic-class-and-label", replace(_away, tc=0xB9, fl=0xFFFFF)),
        ("1500-bytes", replace(_away, payload=text(1460))),
        ("empty", replace(_away, payload=b"")),
        ("sctp-elsewhere", Ip6(HOST6, FAR6, SCTP, sctp(data()))))
]
_in = foreign(sctp(data()), True)
FORWARD += [Case("ipv6/forward-sctp-in", (from_gate(_in),), (to_host(hop(_in)),),
                 passed("wan0", "core0"))]

CASES = HEADER + EXTENSION + FRAGMENTS + ADDRESS + FORWARD

# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""ICMP and ICMPv6: echo for our own addresses, errors to senders, and when to be silent."""

import struct
from dataclasses import replace

from case import Case, advance, answered, dropped, drops, inject, originated
from packets import (CORE4, CORE6, FAR4, FAR6, HOST4, HOST6, ICMP, ICMP6, TCP_PROTO, WAN4, WAN6,
                     Ip4, Ip6, back, data, from_host, from_peer, icmp4, icmp6, native, sctp, text,
                     to_host, to_peer, wrap)

OUR_TTL = 64  # of what the device originates


def from_us(packet: Ip4 | Ip6) -> Ip4 | Ip6:
    return replace(packet, **{"hlim" if isinstance(packet, Ip6) else "ttl": OUR_TTL})


def error4(packet: Ip4, src: str, kind: int, code: int, word: int = 0) -> Ip4:
    """An error about `packet`: at most 576 bytes (RFC 1812 section 4.3.2.3)."""
    quote = packet.raw()[:576 - 28]
    return from_us(icmp4(src, packet.src, kind, code, struct.pack("!I", word) + quote,
                         tos=0xC0, id=0))  # precedence: RFC 1812 section 4.3.2.5


def error6(packet: Ip6, src: str, kind: int, code: int, word: int = 0) -> Ip6:
    """An error about `packet`: at most 1280 bytes (RFC 4443 section 2.4)."""
    quote = packet.raw()[:1280 - 48]
    return from_us(icmp6(src, packet.src, kind, code, struct.pack("!I", word) + quote, fl=0))


def too_big(packet: Ip4 | Ip6, mtu: int) -> Ip4 | Ip6:
    """What a host on core0 hears of a packet that leaves larger than it may."""
    if isinstance(packet, Ip6):
        return error6(packet, CORE6, 2, 0, mtu)
    return error4(packet, CORE4, 3, 4, mtu)


def expired(packet: Ip4 | Ip6, us: str) -> Ip4 | Ip6:
    return error6(packet, us, 3, 0) if isinstance(packet, Ip6) else error4(packet, us, 11, 0)


CASES: list[Case] = []

# Echo


def _echo(size: int) -> bytes:
    return struct.pack("!HH", 0xBEEF, 7) + text(size)


def answers(name: str, request: Ip4 | Ip6, reply: Ip4 | Ip6) -> Case:
    return Case(f"icmp/{name}", (from_host(request),), (to_host(from_us(reply)),),
                answered("core0"))


for size in (0, 1, 55, 56, 57, 1400):
    CASES += [answers(f"echo-{size}", icmp4(HOST4, CORE4, 8, 0, _echo(size)),
                      icmp4(CORE4, HOST4, 0, 0, _echo(size))),
              answers(f"echo-{size}-v6", icmp6(HOST6, CORE6, 128, 0, _echo(size)),
                      icmp6(CORE6, HOST6, 129, 0, _echo(size)))]
CASES += [
    answers("echo-ttl-1", icmp4(HOST4, CORE4, 8, 0, _echo(8), ttl=1),
            icmp4(CORE4, HOST4, 0, 0, _echo(8))),
    answers("echo-hop-limit-1-v6", icmp6(HOST6, CORE6, 128, 0, _echo(8), hlim=1),
            icmp6(CORE6, HOST6, 129, 0, _echo(8))),
    answers("echo-tos", icmp4(HOST4, CORE4, 8, 0, _echo(8), tos=0xB8),
            icmp4(CORE4, HOST4, 0, 0, _echo(8), tos=0xB8)),
    answers("echo-other-port-of-ours", icmp4(HOST4, WAN4, 8, 0, _echo(8)),
            icmp4(WAN4, HOST4, 0, 0, _echo(8))),
    answers("echo-other-port-of-ours-v6", icmp6(HOST6, WAN6, 128, 0, _echo(8)),
            icmp6(WAN6, HOST6, 129, 0, _echo(8))),
    drops("icmp/echo-checksum", from_host(icmp4(HOST4, CORE4, 8, 0, _echo(8), error=1)), "icmp"),
    drops("icmp/echo-checksum-v6", from_host(icmp6(HOST6, CORE6, 128, 0, _echo(8), error=0x8000)),
          "icmp"),
    *[drops(f"icmp/short-{n}", from_host(Ip4(HOST4, CORE4, ICMP, b"\x08\0\xf7\xff\0\0\0\0"[:n])),
            "icmp") for n in (0, 1, 7)],
    *[drops(f"icmp/short-{n}-v6", from_host(Ip6(HOST6, CORE6, ICMP6, bytes([128] + [0] * 7)[:n])),
            "icmp") for n in (0, 1, 7)],
    *[drops(f"icmp/unhandled-{kind}", from_host(icmp4(HOST4, CORE4, kind, 0, bytes(16))),
            "icmp_unhandled") for kind in (0, 13, 17, 40)],
    *[drops(f"icmp/unhandled-{kind}-v6", from_host(icmp6(HOST6, CORE6, kind, 0, bytes(16))),
            "icmp_unhandled") for kind in (129, 127, 200)],
]

# Nobody here pings: what answers an echo that was not sent, or is an error about one, is nobody's.
_asked4, _asked6 = icmp4(CORE4, HOST4, 8, 0, _echo(16)), icmp6(CORE6, HOST6, 128, 0, _echo(16))
CASES += [
    drops("icmp/reply-to-nobody", from_host(icmp4(HOST4, CORE4, 0, 0, _echo(16))),
          "icmp_unhandled"),
    drops("icmp/reply-to-nobody-v6", from_host(icmp6(HOST6, CORE6, 129, 0, _echo(16))),
          "icmp_unhandled"),
    *[drops(f"icmp/error-{kind}-{code}-about-no-echo", from_host(
        icmp4(HOST4, CORE4, kind, code, bytes(4) + _asked4.raw())), "icmp_unhandled")
      for kind, code in ((3, 1), (3, 4), (11, 0))],
    *[drops(f"icmp/error-{kind}-about-no-echo-v6", from_host(
        icmp6(HOST6, CORE6, kind, 0, bytes(4) + _asked6.raw())), "icmp_unhandled")
      for kind in (1, 2, 3)],
]

# TTL used up: the sender is told, in the words of what it sent.
_tcp4, _tcp6 = Ip4(HOST4, FAR4, TCP_PROTO, text(40)), Ip6(HOST6, FAR6, TCP_PROTO, text(40))
_good = sctp(data())


def _aged(packet: Ip4 | Ip6, ttl: int) -> Ip4 | Ip6:
    return replace(packet, **({"hlim": ttl} if isinstance(packet, Ip6) else {"ttl": ttl}))


for ttl in (0, 1):
    for what, packet in (("bypass", _tcp4), ("bypass-v6", _tcp6), ("sctp", native(_good)),
                         ("sctp-v6", native(_good, True)),
                         ("long", replace(_tcp4, payload=text(1400))),
                         ("long-v6", replace(_tcp6, payload=text(1400)))):
        old = _aged(packet, ttl)
        us = CORE6 if isinstance(packet, Ip6) else CORE4
        CASES += [Case(f"icmp/ttl-{ttl}-{what}", (from_host(old),), (to_host(expired(old, us)),),
                       dropped("ttl", "core0", tunnel="to" if "sctp" in what else "")
                       + originated("core0"))]
    for what, packet in (("from-wan", back(_good)), ("from-wan-v6", back(_good, True)),
                         ("encapsulated", wrap(back(_good))),
                         ("encapsulated-v6", wrap(back(_good, True)))):
        old = _aged(packet, ttl)
        us = WAN6 if isinstance(packet, Ip6) else WAN4
        CASES += [Case(f"icmp/ttl-{ttl}-{what}", (from_peer(old),), (to_peer(expired(old, us)),),
                       dropped("ttl", "wan0", tunnel="inner" if "encapsulated" in what else "")
                       + originated("wan0"))]

# No error about an error, a later fragment, or what a link broadcast (RFC 1812 section 4.3.2.7).
CASES += [
    drops("icmp/silent-about-error",
          from_host(icmp4(HOST4, FAR4, 3, 3, bytes(4) + _tcp4.raw()[:28], ttl=1)), "ttl"),
    drops("icmp/silent-about-time-exceeded",
          from_host(icmp4(HOST4, FAR4, 11, 0, bytes(4) + _tcp4.raw()[:28], ttl=1)), "ttl"),
    drops("icmp/silent-about-redirect",
          from_host(icmp4(HOST4, FAR4, 5, 0, bytes(4) + _tcp4.raw()[:28], ttl=1)), "ttl"),
    drops("icmp/silent-about-error-v6",
          from_host(icmp6(HOST6, FAR6, 1, 4, bytes(4) + _tcp6.raw(), hlim=1)), "ttl"),
    drops("icmp/silent-about-later-fragment",
          from_host(replace(_tcp4, ttl=1, frag=10, flags="")), "ttl"),
]
_ping4 = icmp4(HOST4, FAR4, 8, 0, _echo(8), ttl=1)
_ping6 = icmp6(HOST6, FAR6, 128, 0, _echo(8), hlim=1)
CASES += [Case(f"icmp/ttl-of-echo-v{p.version}", (from_host(p),), (to_host(expired(p, us)),),
               dropped("ttl", "core0") + originated("core0"))
          for p, us in ((_ping4, CORE4), (_ping6, CORE6))]

# At most 100 errors a second, whatever comes; the next second has its own.
_old = from_host(replace(_tcp4, ttl=1))
_told = to_host(expired(replace(_tcp4, ttl=1), CORE4))
CASES += [Case(
    "icmp/errors-a-second", (_old,) * 32, (_told,) * 32,
    dropped("ttl", "core0", 192) + originated("core0", 132), fresh=True,
    then=(inject(*[_old] * 32, expect=[_told] * 32), inject(*[_old] * 32, expect=[_told] * 32),
          inject(*[_old] * 32, expect=[_told] * 4), inject(*[_old] * 32), advance(1000),
          inject(*[_old] * 32, expect=[_told] * 32)))]

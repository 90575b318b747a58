# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""IPv4: header, lengths, checksum, options, addresses, fragments, forwarding."""

from dataclasses import replace

from case import DROP_5000, Case, drops, passed, peeled, wrapped
from packets import (BROADCAST, FAR4, HOST4, HOST_MAC, PEER4, SCTP, TCP_PROTO, UDP_PROTO, Ip4, back,
                     data, foreign, from_gate, from_host, from_peer, hop, internet_checksum,
                     ip_frame, native, sctp, text, to_gate, to_host, to_peer, wrap)

_good = native(sctp(data()))
_away = Ip4(HOST4, FAR4, TCP_PROTO, text(40))  # bypassed


def _cut(packet: Ip4, length: int) -> tuple[str, bytes]:
    port, frame = from_host(packet)
    return port, frame[:14 + length]


HEADER = [
    drops("ipv4/header-19-bytes", _cut(_good, 19), "ip4_hdr"),
    drops("ipv4/header-1-byte", _cut(_good, 1), "ip4_hdr"),
    *[drops(f"ipv4/version-{v}", from_host(replace(_good, version=v)), "ip4_hdr")
      for v in (0, 5, 6, 15)],
    *[drops(f"ipv4/ihl-{n}", from_host(replace(_good, ihl=n)), "ip4_hdr") for n in (0, 1, 4)],
    drops("ipv4/ihl-beyond-total-length", from_host(replace(_away, ihl=15, len=59)), "ip4_len"),
]

LENGTH = [
    drops("ipv4/total-length-0", from_host(replace(_good, len=0)), "ip4_len"),
    drops("ipv4/total-length-19", from_host(replace(_good, len=19)), "ip4_len"),
    drops("ipv4/total-length-frame-plus-1", from_host(replace(_good, len=len(_good.raw()) + 1)),
          "ip4_len"),
    drops("ipv4/total-length-65535", from_host(replace(_good, len=65535)), "ip4_len"),
    drops("ipv4/total-length-below-options",
          from_host(replace(_away, options=b"\1" * 8, len=27)), "ip4_len"),
    drops("ipv4/total-length-header-only", from_host(replace(_good, len=20)), "sctp_short"),
]

CHECKSUM = [drops(f"ipv4/checksum-bit-{bit}", from_host(_good.with_checksum_error(1 << bit)),
                  "ip4_csum") for bit in (0, 7, 15)]


def _flipped(offset: int, bit: int) -> tuple[str, bytes]:
    port, frame = from_host(_good)
    flipped = bytearray(frame)
    flipped[14 + offset] ^= 1 << bit
    return port, bytes(flipped)


CHECKSUM += [drops(f"ipv4/header-flip-{what}", _flipped(offset, bit), "ip4_csum")
             for what, offset, bit in (("tos", 1, 2), ("id", 5, 0), ("df", 6, 6), ("ttl", 8, 1),
                                       ("protocol", 9, 3), ("source", 15, 0),
                                       ("destination", 19, 7))]


def _with_sum(packet: Ip4, wanted: int) -> Ip4:
    """The packet with the identification that makes the header checksum the one wanted."""
    # Ones' complement: the field plus everything else is 0xffff; so is the identification.
    rest = replace(packet, id=0, chksum=wanted).raw()
    return replace(packet, id=internet_checksum(rest[:20]))


# Checksum arithmetic where an incremental update goes wrong most easily.
_after_zero = _with_sum(hop(_away), 0x0000)
_after_wrap_zero = _with_sum(hop(wrap(_good)), 0x0000)
CHECKSUM += [
    Case("ipv4/checksum-becomes-0000", (from_host(replace(_away, id=_after_zero.id)),),
         (to_gate(_after_zero),), passed("core0", "wan0")),
    Case("ipv4/checksum-becomes-0000-wrapped",
         (from_host(replace(_good, id=_after_wrap_zero.id)),), (to_peer(_after_wrap_zero),),
         wrapped()),
    *[Case(f"ipv4/checksum-was-{wanted:04x}", (from_host(packet),), (to_gate(hop(packet)),),
           passed("core0", "wan0"))
      for wanted in (0x0000, 0x00FF, 0xFEFF, 0xFF00, 0xFFFE)
      for packet in (_with_sum(_away, wanted),)],
]


def _options(raw: bytes) -> Ip4:
    return replace(_away, options=raw)


OPTIONS = [drops(f"ipv4/option-{what}", from_host(_options(raw)), reason) for what, raw, reason in (
    ("lsrr", bytes([131, 7, 4, 198, 51, 100, 1, 0]), "ip4_srcroute"),
    ("ssrr", bytes([137, 7, 4, 198, 51, 100, 1, 0]), "ip4_srcroute"),
    ("lsrr-exhausted", bytes([131, 7, 8, 198, 51, 100, 1, 0]), "ip4_srcroute"),
    ("lsrr-behind-nops", bytes([1, 1, 1, 131, 3, 4, 0, 0]), "ip4_srcroute"),
    ("record-route", bytes([7, 7, 4, 0, 0, 0, 0, 0]), "ip4_opt"),
    ("timestamp", bytes([68, 8, 5, 0, 0, 0, 0, 0]), "ip4_opt"),
    ("security", bytes([130, 3, 0, 0]), "ip4_opt"),
    ("stream-id", bytes([136, 4, 0, 1]), "ip4_opt"),
    ("router-alert", bytes([148, 4, 0, 0]), "ip4_opt"),
    ("unknown", bytes([94, 4, 0, 0]), "ip4_opt"),
    ("length-0", bytes([7, 0, 0, 0]), "ip4_opt"),
    ("length-1", bytes([7, 1, 0, 0]), "ip4_opt"),
    ("length-beyond", bytes([7, 5, 4, 0]), "ip4_opt"),
    ("length-missing", bytes([1, 1, 1, 7]), "ip4_opt"),
    ("length-255-in-40", bytes([68, 255]) + bytes(38), "ip4_opt"),
)]
OPTIONS += [drops("ipv4/option-lsrr-on-sctp",
                  from_host(replace(_good, options=bytes([131, 3, 4, 0]))), "ip4_srcroute")]
OPTIONS += [Case(f"ipv4/option-{what}-passes", (from_host(_options(raw)),),
                 (to_gate(hop(_options(raw))),), passed("core0", "wan0"))
            for what, raw in (("nops", b"\1" * 4), ("eol", bytes(4)), ("nops-eol", b"\1\1\1\0"),
                              ("40-bytes", b"\1" * 39 + b"\0"),
                              ("eol-then-bytes", bytes([0, 131, 3, 4])))]
_opt_up, _opt_down = (replace(p, options=b"\1\1\1\0") for p in (_good, back(sctp(data()))))
OPTIONS += [
    Case("ipv4/option-nops-wrapped", (from_host(_opt_up),), (to_peer(hop(wrap(_opt_up))),),
         wrapped()),
    Case("ipv4/option-nops-peeled", (from_peer(wrap(_opt_down)),), (to_host(hop(_opt_down)),),
         peeled()),
]


ADDRESS = [drops(f"ipv4/martian-source-{src}", from_host(replace(_good, src=src)), "martian")
           for src in ("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "224.0.0.1",
                       "239.255.255.255", "255.255.255.255")]
ADDRESS += [
    drops("ipv4/martian-land", from_host(replace(_good, src=PEER4)), "martian"),
    drops("ipv4/martian-land-bypass", from_host(replace(_away, src=FAR4)), "martian"),
    drops("ipv4/martian-land-encapsulated",
          from_peer(wrap(replace(back(sctp(data())), src=HOST4))), "martian"),
    drops("ipv4/martian-destination-loopback", from_host(replace(_away, dst="127.0.0.1")),
          "martian"),
    *[drops(f"ipv4/multicast-{dst}", ("core0", ip_frame(mac, HOST_MAC, replace(_away, dst=dst))),
            "multicast")
      for dst, mac in (("224.0.0.1", "01:00:5e:00:00:01"), ("239.1.2.3", "01:00:5e:01:02:03"),
                       ("255.255.255.255", BROADCAST), ("10.10.0.255", BROADCAST))],
    drops("ipv4/directed-broadcast", from_host(replace(_away, dst="203.0.113.255")), "multicast"),
    drops("ipv4/directed-broadcast-sctp", from_host(replace(_good, dst="203.0.113.255")),
          "multicast"),
    drops("ipv4/unicast-in-broadcast-frame", ("core0", ip_frame(BROADCAST, HOST_MAC, _away)),
          "multicast"),
    *[Case(f"ipv4/source-{src}-passes", (from_host(replace(_away, src=src)),),
           (to_gate(hop(replace(_away, src=src))),), passed("core0", "wan0"))
      for src in ("1.0.0.1", "126.255.255.255", "128.0.0.1", "223.255.255.255")],
    drops("ipv4/no-route", from_host(replace(_away, dst="192.0.2.1")), "no_route"),
    drops("ipv4/no-route-sctp", from_host(replace(_good, dst="192.0.2.1")), "no_route"),
]


# Fragments of others pass; cases_fragment.py has those that are put together.

_udp_tail = Ip4(HOST4, PEER4, UDP_PROTO, text(64), frag=100, flags="")
FRAGMENT = [Case("ipv4/fragment-udp-bypass", (from_host(_udp_tail),), (to_peer(hop(_udp_tail)),),
                 passed("core0", "wan0"))]

# Everything that is not SCTP of a rule is routed as it is.
FORWARD = [
    Case(f"ipv4/forward-{what}", (from_host(packet),), (to_gate(hop(packet)),),
         passed("core0", "wan0"))
    for what, packet in (
        ("tcp", _away), ("unknown-protocol", replace(_away, proto=253)),
        ("esp", replace(_away, proto=50)), ("empty", replace(_away, payload=b"")),
        ("icmp", replace(_away, proto=1, payload=bytes.fromhex("0800f7ff00000000"))),
        ("ttl-2", replace(_away, ttl=2)), ("ttl-255", replace(_away, ttl=255)),
        ("id-0-no-df", replace(_away, id=0, flags="")),
        ("evil-bit", replace(_away, flags="evil")),
        ("tos-ff", replace(_away, tos=0xFF)),
        ("1500-bytes", replace(_away, payload=text(1480))),
        ("sctp-elsewhere", Ip4(HOST4, FAR4, SCTP, sctp(data()))))
]
_in = foreign(sctp(data()))
_same = Ip4("203.0.113.77", "198.51.100.9", TCP_PROTO, text(20))
FORWARD += [
    Case("ipv4/forward-sctp-in", (from_gate(_in),), (to_host(hop(_in)),),
         passed("wan0", "core0")),
    Case("ipv4/forward-same-port", (from_peer(_same),), (to_gate(hop(_same)),),
         passed("wan0", "wan0")),
]

CASES = HEADER + LENGTH + CHECKSUM + OPTIONS + ADDRESS + FRAGMENT + FORWARD

# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""UDP on the tunnel's port: lengths, checksums, what is inside, and what is none of ours."""

import struct
from dataclasses import replace

from case import BASE, Case, Config, dropped, drops, passed, peeled, wrapped
from packets import (CORE4, CORE6, ENCAP, FAR4, FAR6, HOST4, HOST6, PEER4, PEER6, UDP_PROTO, Ip4,
                     Ip6, back, chunk, data, from_gate, from_host, from_peer, hop, native, sctp,
                     text, to_gate, to_host, to_peer, udp, udp_packet, wrap)

_good = sctp(data())
_ends = {False: (PEER4, HOST4), True: (PEER6, HOST6)}


def _coat(payload: bytes, v6: bool = False, **udp_fields) -> Ip4 | Ip6:
    """UDP to the tunnel around any bytes."""
    return udp_packet(*_ends[v6], ENCAP, ENCAP, payload, **udp_fields)


def refused(name: str, packet: Ip4 | Ip6, reason: str, config: Config = BASE,
            tunnel: str = "coat") -> Case:
    family = "v6" if isinstance(packet, Ip6) else "v4"
    return drops(f"udp/{name}-{family}", from_peer(packet), reason, config, tunnel)


def peels(name: str, packet: Ip4 | Ip6, inner: Ip4 | Ip6) -> Case:
    family = "v6" if isinstance(packet, Ip6) else "v4"
    return Case(f"udp/{name}-{family}", (from_peer(packet),), (to_host(hop(inner)),), peeled())


CASES: list[Case] = []
for v6 in (False, True):
    ip, (src, dst) = (Ip6 if v6 else Ip4), _ends[v6]
    inner = back(_good, v6)
    size = 8 + len(_good)

    # Length. Beneath 8 bytes there is no header to believe.
    CASES += [refused(f"length-{n}", _coat(_good, v6, length=n), "udp_len")
              for n in (0, 1, 7, size + 1, 65535)]
    CASES += [refused(f"cut-to-{n}", ip(src, dst, UDP_PROTO, udp(src, dst, ENCAP, ENCAP, b"")[:n]),
                      "udp_len", tunnel="") for n in (4, 7)]

    # Inside: at least a common header and one chunk header
    CASES += [refused(f"holds-{n}", _coat(_good[:n], v6), "encap_empty")
              for n in (0, 1, 11, 12, 15)]
    CASES += [refused("length-8-of-more", replace(_coat(b"", v6), payload=_coat(b"", v6).payload
                                                  + _good), "encap_empty")]
    CASES += [peels("holds-16", _coat(sctp(chunk(11)), v6), back(sctp(chunk(11)), v6))]

    # What stands behind the datagram is no part of it.
    CASES += [peels(f"trailing-{n}", replace(wrap(inner), payload=wrap(inner).payload + text(n)),
                    inner) for n in (1, 3, 4, 100)]

    # Checksum
    right = struct.unpack_from("!H", wrap(inner).payload, 6)[0]
    CASES += [refused(f"checksum-bit-{bit}", wrap(inner, chksum=right ^ 1 << bit), "udp_csum")
              for bit in (0, 8, 15)]
    CASES += [refused("checksum-complement", wrap(inner, chksum=right ^ 0xFFFF), "udp_csum")]
    damaged = bytearray(wrap(inner).payload)
    damaged[-1] ^= 0x80
    CASES += [refused("payload-bit", replace(wrap(inner), payload=bytes(damaged)), "udp_csum")]
    ported = bytearray(wrap(inner).payload)
    ported[1] ^= 0x01
    CASES += [refused("source-port-bit", replace(wrap(inner), payload=bytes(ported)), "udp_csum")]
    other = wrap(replace(inner, src="2001:db8:1::78" if v6 else "203.0.113.78"))
    CASES += [refused("pseudo-header", replace(other, src=src), "udp_csum")]
    CASES += [refused("checksum-0", wrap(inner, chksum=0), "udp_csum0")] if v6 else [
        peels("checksum-0", wrap(inner, chksum=0), inner)]

    # Encapsulation in encapsulation, and SCTP that merely looks like it
    CASES += [refused("nested", _coat(udp(src, dst, ENCAP, ENCAP, _good), v6), "encap_nest"),
              refused("nested-other-source",
                      _coat(udp(src, dst, 40000, ENCAP, _good), v6), "encap_nest"),
              refused("nested-thrice",
                      _coat(udp(src, dst, ENCAP, ENCAP, udp(src, dst, ENCAP, ENCAP, _good)), v6),
                      "encap_nest")]
    lookalike = sctp(data(), sport=ENCAP, dport=ENCAP, vtag=len(_good) << 16 | 0x5EED)
    CASES += [peels("not-nested-right-crc", _coat(lookalike, v6), back(lookalike, v6))]
    for off in (-1, 1):
        near = sctp(data(), sport=ENCAP, dport=ENCAP, vtag=len(_good) + off << 16 | 0x5EED)
        CASES += [peels(f"not-nested-length-{off:+}", _coat(near, v6), back(near, v6))]

    # Source port of any sender; source addresses that the tunnel allows
    CASES += [peels(f"source-port-{port}", wrap(inner, sport=port), inner)
              for port in (1, 1024, 9899, 65535)]
    CASES += [peels("source-allowed", wrap(replace(inner, src=f"{src}9" if v6 else "203.0.113.9")),
                    replace(inner, src=f"{src}9" if v6 else "203.0.113.9"))]
    foreign_source = wrap(replace(inner, src=FAR6 if v6 else FAR4))
    CASES += [Case(f"udp/source-not-allowed-{'v6' if v6 else 'v4'}", (from_gate(foreign_source),),
                   (), dropped("encap_source", "wan0", tunnel="coat"))]

    CASES += [peels("tos-and-id", wrap(replace(inner, **({"tc": 0x2F} if v6 else
                                                         {"tos": 0x2F, "id": 7, "flags": ""}))),
                    replace(inner, **({"tc": 0x2F} if v6 else
                                      {"tos": 0x2F, "id": 7, "flags": ""})))]

    # Not ours: another port, another address, another direction
    far = FAR6 if v6 else FAR4
    name = "v6" if v6 else "v4"
    for what, packet in (
            ("other-port", udp_packet(src, dst, ENCAP, ENCAP + 1, _good)),
            ("answer-from-port", udp_packet(src, dst, ENCAP, 40000, _good)),
            ("other-port-nonsense", udp_packet(src, dst, 9, 9, text(3), length=3, chksum=1)),
            ("other-port-checksum-0", udp_packet(src, dst, 53, 53, text(30), chksum=0))):
        CASES += [Case(f"udp/{what}-passes-{name}", (from_peer(packet),), (to_host(hop(packet)),),
                       passed("wan0", "core0"))]
    for what, payload in (("encapsulated", _good), ("empty", b""), ("nonsense", text(7))):
        transit = udp_packet(src, far, ENCAP, ENCAP, payload)
        CASES += [Case(f"udp/transit-{what}-{name}", (from_peer(transit),),
                       (to_gate(hop(transit)),), passed("wan0", "wan0"))]
        outward = udp_packet(dst, src, ENCAP, ENCAP, payload)
        CASES += [Case(f"udp/outward-{what}-{name}", (from_host(outward),),
                       (to_peer(hop(outward)),), passed("core0", "wan0"))]
    CASES += [drops(f"udp/to-us-{what}-{name}", frame(packet), "local")
              for what, frame, packet in (
                  ("dns", from_host, udp_packet(dst, CORE6 if v6 else CORE4, 4000, 53, text(20))),
                  ("encap-from-core", from_host,
                   udp_packet(dst, CORE6 if v6 else CORE4, ENCAP, ENCAP, _good)),
                  ("encap-on-wan", from_peer,
                   udp_packet(src, "2001:db8:1::1" if v6 else "203.0.113.1", ENCAP, ENCAP,
                              _good)))]
    CASES += [drops(f"udp/tcp-to-us-{name}",
                    from_host(ip(dst, CORE6 if v6 else CORE4, 6, text(20))), "local")]


# A checksum that comes out as 0 is sent as 0xffff (RFC 768). These tags make it so.
for v6, tag in ((False, 0x31D55), (True, 0x25B76)):
    packet, name = sctp(chunk(11), vtag=tag), "v6" if v6 else "v4"
    up, down = native(packet, v6), back(packet, v6)
    assert wrap(up).payload[6:8] == wrap(down).payload[6:8] == b"\xff\xff"
    CASES += [Case(f"udp/checksum-ffff-sent-{name}", (from_host(up),), (to_peer(hop(wrap(up))),),
                   wrapped()),
              peels("checksum-ffff", wrap(down), down)]

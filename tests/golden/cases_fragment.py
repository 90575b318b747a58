# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Fragments: what is put together, what passes as it is, what leaves, and who is dropped."""

import struct
from collections import Counter
from dataclasses import replace
from itertools import count

from case import (BASE, DROP_5000, SMALL_WAN, TUNNEL, Case, Config, Counters, advance, config,
                  consumed, dropped, inject, originated, passed)
from cases_icmp import error4, error6, expired, from_us, too_big
from cases_ipv6 import DEST, HBH, frag
from packets import (CORE4, CORE6, DEST_OPTIONS, FAR4, FAR6, HOST4, HOST6, ICMP, ICMP6, PEER4, PEER6,
                     SCTP, TCP_PROTO, UDP_PROTO, WAN4, Frame, Ip4, Ip6, back, chunk, crc_error, data,
                     foreign, from_gate, from_host, from_peer, hop, icmp4, icmp6, native, sctp, text,
                     to_gate, to_host, to_peer, wrap)

SHORT = config("short-frag-timeout", engine="fragment-timeout = 1")
LITTLE = config("little-frag-memory", engine="fragment-memory = 1")

_ids = count(0x4000)  # the device remembers what it gave up: nobody's fragments meet another's


def cut(packet: Ip4 | Ip6, size: int, keep: int = 0) -> list[Ip4 | Ip6]:
    """Pieces of `size` bytes of data, a multiple of 8. IPv6: the first `keep` extension headers go
    with every piece; `fl`, which no one else uses here, is the identification."""
    if isinstance(packet, Ip4):
        parts = [packet.payload[at:at + size] for at in range(0, len(packet.payload), size)]
        return [replace(packet, payload=part, frag=i * size // 8,
                        flags="+".join(filter(None, (packet.flags, "MF" if i + 1 < len(parts) else ""))))
                for i, part in enumerate(parts)]
    rest = replace(packet, ext=packet.ext[keep:])
    body, first = rest.chain() + rest.payload, rest.ext[0][0] if rest.ext else packet.nh
    parts = [body[at:at + size] for at in range(0, len(body), size)]
    return [replace(packet, nh=first, payload=part,
                    ext=packet.ext[:keep] + (frag(i * size // 8, i + 1 < len(parts), packet.fl),))
            for i, part in enumerate(parts)]


def recut(packet: Ip4 | Ip6, mtu: int, keep: int = 0) -> list[Ip4 | Ip6]:
    """Pieces for a path of `mtu`, as few as there can be."""
    header = 20 + len(packet.options) if isinstance(packet, Ip4) else (
        48 + len(replace(packet, ext=packet.ext[:keep]).chain()))
    return cut(packet, (mtu - header) // 8 * 8, keep)


def numbered(packet: Ip4 | Ip6) -> Ip4 | Ip6:
    """With an identification of its own, and without DF."""
    number = next(_ids)
    return replace(packet, fl=number) if isinstance(packet, Ip6) else replace(packet, id=number,
                                                                             flags="")


def merged(inp: str, out: str, came: int, left: int) -> Counters:
    return (passed(inp, out) + Counter({
        ("ports", inp, "rx"): came - 1, ("ports", inp, "merged"): came - 1,
        ("ports", out, "split"): left - 1, ("ports", out, "tx"): left - 1}))


def lost(port: str, came: int, reason: str, *, merged: bool = False, tunnel: str = "") -> Counters:
    """All `came` are dropped; or, when they were merged, the one that they became."""
    if not merged:
        return dropped(reason, port, came, tunnel)
    return dropped(reason, port, 1, tunnel) + Counter({
        ("ports", port, "rx"): came - 1, ("ports", port, "merged"): came - 1})


def largest(pieces: list[Ip4 | Ip6]) -> int:
    return max(len(piece.raw()) for piece in pieces)


def orders(pieces: list) -> dict[str, list]:
    return {"in-order": pieces, "reversed": pieces[::-1], "mixed": pieces[1::2] + pieces[0::2]}


CASES: list[Case] = []


def goes(name: str, pieces: list, out: list, coat: str = "", config: Config = BASE,
         way: str = "up") -> None:
    """`coat`: "on", "off" or none."""
    counters = merged(*(("core0", "wan0") if way == "up" else ("wan0", "core0")), len(pieces),
                      len(out))
    if coat == "on":
        counters += Counter({("tunnels", TUNNEL, "tx"): len(out)})
    if coat == "off":
        counters += Counter({("tunnels", TUNNEL, "rx"): 1})
    come = {"up": from_host, "down": from_peer, "transit": from_gate}[way]
    leave = to_peer if way == "up" else to_host
    CASES.append(Case(f"fragment/{name}", tuple(come(p) for p in pieces),
                      tuple(leave(hop(p)) for p in out), counters, config))


def ups(name: str, packet: Ip4 | Ip6, size: int, mtu: int = 1500, keep: int = 0,
        config: Config = BASE) -> None:
    packet = numbered(packet)
    for order in orders(cut(packet, size, keep)):
        packet = numbered(packet)
        pieces = cut(packet, size, keep)
        out = recut(wrap(packet), min(mtu, largest(pieces)), keep)
        goes(f"{name}-{order}", orders(pieces)[order], out, "on", config)


def downs(name: str, packet: Ip4 | Ip6, size: int, keep: int = 0) -> None:
    for order in ("in-order", "reversed", "mixed"):
        packet = numbered(packet)
        pieces = cut(wrap(packet), size, keep)
        goes(f"{name}-{order}", orders(pieces)[order], recut(packet, largest(pieces), keep), "off",
             way="down")


_message = sctp(data(3000))
for v6 in (False, True):
    family = "v6" if v6 else "v4"
    ups(f"wrapped-{family}", native(_message, v6), 1480 if not v6 else 1448)
    ups(f"wrapped-small-pieces-{family}", native(_message, v6), 200)
    # The coat makes one piece more.
    ups(f"wrapped-full-{family}", native(sctp(data(2 * 1400 - 28)), v6), 1400)
    downs(f"peeled-{family}", back(_message, v6), 1480 if not v6 else 1448)
    downs(f"peeled-small-pieces-{family}", back(_message, v6), 200)
    # Pieces larger than the path are cut again.
    ups(f"wrapped-to-small-path-{family}", native(_message, v6), 1480 if not v6 else 1448, 1400,
        config=SMALL_WAN)
    # Without a tunnel too: what comes is what leaves.
    for order in ("in-order", "reversed", "mixed"):
        came = cut(numbered(foreign(_message, v6)), 1000)
        goes(f"bypassed-{family}-{order}", orders(came)[order], came, way="transit")
    # As large as there are packets, with the coat on; and one byte more.
    most = 65527 - (40 if v6 else 20) - 28
    packet = numbered(native(sctp(data(most, pad=False)), v6))
    pieces = cut(packet, 1448)
    goes(f"wrapped-64k-{family}", pieces, recut(wrap(packet), largest(pieces)), "on")
    packet = numbered(native(sctp(data(most + 1, pad=False)), v6))
    pieces = cut(packet, 1448)
    CASES.append(Case(f"fragment/no-room-for-coat-{family}", tuple(from_host(p) for p in pieces),
                      (to_host(too_big(packet, 65527)),),
                      lost("core0", len(pieces), "too_big", merged=True, tunnel="to")
                      + originated("core0")))

# Headers in front of the Fragment header go with every piece, those behind it with the first.
for keep, headers in ((0, (DEST,)), (1, (HBH,)), (1, (HBH, DEST)), (2, (HBH, DEST, DEST))):
    ups(f"headers-v6-{keep}-of-{len(headers)}", replace(native(_message, True), ext=headers), 1024,
        keep=keep)
    downs(f"headers-v6-{keep}-of-{len(headers)}-peeled", replace(back(_message, True), ext=headers),
          1024, keep)
ups("options-v4", replace(native(_message), options=b"\1\1\1\0"), 1024)

# What of the first fragment counts: TTL and flow label, never those of later ones.
for v6 in (False, True):
    family = "v6" if v6 else "v4"
    packet = numbered(native(_message, v6))
    pieces = cut(packet, 1440)
    hops = "hlim" if v6 else "ttl"
    odd = [pieces[0], replace(pieces[1], **{hops: 1}), replace(pieces[2], **{hops: 200})]
    goes(f"hops-of-first-{family}", odd[::-1], recut(wrap(packet), largest(pieces)), "on")

# ECN (RFC 3168 section 5.3): congestion met by one fragment is the packet's.
for v6 in (False, True):
    field, family = ("tc", "v6") if v6 else ("tos", "v4")
    for marks, whole in (((2, 3), 3), ((3, 2), 3), ((1, 3), 3), ((2, 2), 2), ((3, 3), 3),
                         ((0xB8, 0xB8), 0xB8), ((0xBA, 0xBB), 0xBB), ((2, 0), 0), ((2, 1), 2)):
        packet = numbered(native(sctp(data(1500)), v6))
        pieces = [replace(p, **{field: mark}) for p, mark in zip(cut(packet, 1000), marks)]
        goes(f"ecn-{marks[0]}-{marks[1]}-{family}", pieces,
             recut(replace(wrap(packet), **{field: whole}), largest(pieces)), "on")
    for marks in ((3, 0), (0, 3)):
        pieces = [replace(p, **{field: mark}) for p, mark in
                  zip(cut(numbered(native(sctp(data(1500)), v6)), 1000), marks)]
        CASES.append(Case(f"fragment/ecn-{marks[0]}-{marks[1]}-{family}",
                          tuple(from_host(p) for p in pieces), (), lost("core0", 2, "frag_ecn")))

# DF on fragments: they leave as they came; larger than the path, the sender is told.
_df = replace(numbered(native(sctp(data(2600)))), flags="DF")
_pieces = cut(_df, 1376)
goes("df-fits", _pieces, recut(wrap(_df), 1396), "on", SMALL_WAN)
_df = replace(numbered(native(sctp(data(2600)))), flags="DF")
_pieces = cut(_df, 1384)
CASES += [Case("fragment/df-too-big", tuple(from_host(p) for p in _pieces),
               (to_host(too_big(_df, 1400)),),
               lost("core0", len(_pieces), "too_big", merged=True, tunnel="to")
               + originated("core0"), SMALL_WAN)]


# Exact copies go alone, overlaps take everything along (RFC 5722; RFC 8200 section 4.5).


def _frames(pieces: list[Ip4 | Ip6]) -> tuple[Frame, ...]:
    return tuple(from_host(p) for p in pieces)


for v6 in (False, True):
    family = "v6" if v6 else "v4"
    packet = numbered(native(_message, v6))
    a, b, c = cut(packet, 1200)
    CASES += [Case(f"fragment/duplicates-{family}", _frames([a, a, c, a, c, b]),
                   tuple(to_peer(hop(p)) for p in recut(wrap(packet), largest([a]))),
                   merged("core0", "wan0", 3, 3) + Counter({("tunnels", TUNNEL, "tx"): 3})
                   + dropped("frag_duplicate", "core0", 3))]

    def pieces_at(*places: tuple[int, int, bool]) -> list[Ip4 | Ip6]:
        """(first unit, bytes, whether more follow)"""
        number = next(_ids)
        return [Ip6(HOST6, PEER6, SCTP, text(size), ext=(frag(at, more, number),)) if v6 else
                Ip4(HOST4, PEER4, SCTP, text(size), id=number, frag=at, flags="MF" if more else "")
                for at, size, more in places]

    for what, places in {
            "one-unit": ((0, 800, True), (99, 800, True)),
            "before": ((99, 800, True), (0, 800, True)),
            "inside": ((0, 800, True), (50, 8, True)),
            "around": ((50, 8, True), (0, 800, True)),
            "longer-copy": ((0, 800, True), (0, 808, True)),
            "shorter-copy": ((0, 800, True), (0, 792, True)),
            "two-ends": ((100, 300, False), (200, 30, False)),
            "another-end": ((100, 300, False), (100, 299, False)),
            "behind-end": ((100, 300, False), (200, 8, True)),
            "end-before-what-came": ((200, 8, True), (100, 30, False)),
            "end-or-not": ((100, 304, True), (100, 304, False))}.items():
        # Whatever comes of it afterwards goes the same way, also what was missing.
        CASES += [Case(f"fragment/overlap-{what}-{family}",
                       _frames(pieces_at(*places, (300, 8, True), (20, 8, True), (0, 160, True))), (),
                       lost("core0", 5, "frag_overlap"))]

# A first fragment without its SCTP header: what follows, or came before, waits for nothing.
_tiny_id = next(_ids)
_tiny = [Ip4(HOST4, PEER4, SCTP, text(8), id=_tiny_id, flags="MF"),
         Ip4(HOST4, PEER4, SCTP, text(16), id=_tiny_id, frag=1, flags="")]
CASES += [Case("fragment/tiny-first-then-rest", tuple(from_host(p) for p in _tiny), (),
               lost("core0", 2, "frag_tiny")),
          Case("fragment/tiny-rest-then-first",
               tuple(from_host(replace(p, id=_tiny_id + 0x4000)) for p in _tiny[::-1]), (),
               lost("core0", 2, "frag_tiny"))]
# Too short, too long
for what, piece in {
        "first-8-bytes": Ip4(HOST4, PEER4, SCTP, text(8), flags="MF"),
        "first-9-bytes": Ip4(HOST4, PEER4, SCTP, text(9), flags="MF"),
        "no-data": Ip4(HOST4, PEER4, SCTP, b"", flags="MF"),
        "no-data-last": Ip4(HOST4, PEER4, SCTP, b"", frag=4, flags=""),
        "no-data-v6": Ip6(HOST6, PEER6, SCTP, b"", ext=(frag(4, True),)),
        "17-bytes": Ip4(HOST4, PEER4, SCTP, text(17), frag=4, flags="MF"),
        "17-bytes-first": Ip4(HOST4, PEER4, SCTP, text(17), flags="MF"),
        "17-bytes-v6": Ip6(HOST6, PEER6, SCTP, text(17), ext=(frag(4, True),)),
        "17-bytes-to-us": Ip4(HOST4, CORE4, TCP_PROTO, text(17), flags="MF")}.items():
    CASES += [Case(f"fragment/tiny-{what}", (from_host(replace(piece, **(
        {} if ":" in piece.src else {"id": next(_ids)}))),), (), lost("core0", 1, "frag_tiny"))]
for what, piece in {
        "v4": Ip4(HOST4, PEER4, SCTP, text(8), frag=8189, flags=""),
        "v4-options": Ip4(HOST4, PEER4, SCTP, text(4), frag=8189, flags="", options=b"\1\1\1\0"),
        "v4-bypass": Ip4(HOST4, FAR4, TCP_PROTO, text(8), frag=8189, flags=""),
        "v4-last-unit": Ip4(HOST4, FAR4, TCP_PROTO, text(1), frag=8191, flags=""),
        "v6": Ip6(HOST6, PEER6, SCTP, text(8), ext=(frag(8191, False),)),
        "v6-headers": Ip6(HOST6, PEER6, SCTP, text(1), ext=(HBH, frag(8191, False))),
        "v6-bypass": Ip6(HOST6, FAR6, TCP_PROTO, text(8), ext=(frag(8191, False),)),
        # RFC 8200 would allow it; as a whole packet it would be longer than 65535 bytes.
        "v6-with-header": Ip6(HOST6, PEER6, SCTP, text(1), ext=(frag(8187, False),))}.items():
    CASES += [Case(f"fragment/oversize-{what}", (from_host(replace(piece, **(
        {} if ":" in piece.src else {"id": next(_ids)}))),), (), lost("core0", 1, "frag_oversize"))]
# Only together with the first fragment's header are they too much.
_last = numbered(Ip4(HOST4, PEER4, SCTP, text(11), frag=8188))
CASES += [Case("fragment/oversize-with-first-header",
               _frames([_last, replace(_last, frag=0, flags="MF", payload=text(16),
                                       options=b"\1\1\1\0")]), (),
               lost("core0", 2, "frag_oversize"))]

# Never complete


def held(port: str, n: int = 1) -> Counters:
    return Counter({("ports", port, "rx"): n, ("ports", port, "held"): n})


for v6 in (False, True):
    family = "v6" if v6 else "v4"
    packet = numbered(native(_message, v6))
    a, b, c = cut(packet, 1200)
    out = tuple(to_peer(hop(p)) for p in recut(wrap(packet), largest([a])))
    CASES += [
        Case(f"fragment/held-{family}", _frames([a, c]), (), held("core0", 2), fresh=True),
        Case(f"fragment/timeout-{family}", _frames([a, c]), (),
             lost("core0", 2, "frag_timeout"), SHORT, (advance(1100),), fresh=True),
        # Time runs from the first that came.
        Case(f"fragment/timeout-from-first-{family}", _frames([a]), (),
             lost("core0", 2, "frag_timeout"), SHORT,
             (advance(900), inject(*_frames([c])), advance(200)), fresh=True),
        Case(f"fragment/within-time-{family}", _frames([a]), (),
             merged("core0", "wan0", 3, len(out)) + Counter({("tunnels", TUNNEL, "tx"): len(out)}),
             SHORT, (advance(400), inject(*_frames([c])), advance(400),
                     inject(*_frames([b]), expect=out)), fresh=True),
        # What was given up by time may come again.
        Case(f"fragment/again-after-timeout-{family}", _frames([a, c]), (),
             merged("core0", "wan0", 3, len(out)) + Counter({("tunnels", TUNNEL, "tx"): len(out)})
             + lost("core0", 2, "frag_timeout"),
             SHORT, (advance(1100), inject(*_frames([b, c, a]), expect=out)), fresh=True),
    ]
# To us: then we are the host, and say so when the first fragment is there.
for v6 in (False, True):
    family, us = ("v6", CORE6) if v6 else ("v4", CORE4)
    body = struct.pack("!HH", 7, 1) + text(2500)
    ask = numbered(icmp6(HOST6, us, 128, 0, body) if v6 else icmp4(HOST4, us, 8, 0, body))
    a, b, c = cut(ask, 1000)
    answer = error6(a, us, 3, 1) if v6 else error4(a, us, 11, 1)
    CASES += [
        Case(f"fragment/timeout-for-us-{family}", _frames([c, a]), (),
             lost("core0", 2, "frag_timeout") + originated("core0"), SHORT,
             (advance(1100, to_host(answer)),), fresh=True),
        Case(f"fragment/timeout-for-us-without-first-{family}", _frames([c, b]), (),
             lost("core0", 2, "frag_timeout"), SHORT, (advance(1100),), fresh=True),
    ]
# One MB is 442 buffers of 2368 bytes and half as many datagrams. The oldest go, and what still
# comes of them is not held for nothing.
_flood = [cut(numbered(native(_message)), 1200) for _ in range(250)]
CASES += [Case("fragment/limit-datagrams", _frames([pieces[0] for pieces in _flood]), (),
               held("core0", 221) + lost("core0", 29 + 1, "frag_limit"), LITTLE,
               (inject(*_frames([_flood[0][1]])),), fresh=True)]
_long = cut(numbered(native(sctp(data(500 * 24)))), 24)
CASES += [Case("fragment/limit-buffers", _frames(_long[:-1]), (),
               lost("core0", len(_long) - 1, "frag_limit"), LITTLE, fresh=True)]

# Rules see the ports, classify the chunks, and the tunnel the UDP header of what came in fragments.
_ported = cut(numbered(native(sctp(data(2000), dport=5000))), 1200)
CASES += [Case("fragment/rule-by-port", _frames(_ported[::-1]), (),
               lost("core0", 2, "rule_drop", merged=True), DROP_5000)]
_bad = cut(numbered(native(sctp(chunk(0, text(2000), length=3000)))), 1200)
CASES += [Case("fragment/chunk-beyond-end", _frames(_bad), (),
               lost("core0", 2, "chunk_trunc", merged=True))]


def from_tunnel(name: str, packet: Ip4 | Ip6, reason: str = "", whole: Ip4 | Ip6 | None = None) -> None:
    pieces = cut(packet, 1200)
    if reason:
        CASES.append(Case(f"fragment/{name}", tuple(from_peer(p) for p in pieces), (),
                          lost("wan0", len(pieces), reason, merged=True, tunnel="coat")))
    else:
        goes(name, pieces, recut(whole, largest(pieces)), "off", way="down")


_inner4, _inner6 = numbered(back(sctp(data(2000)))), numbered(back(sctp(data(2000)), True))
from_tunnel("udp-checksum-wrong-v4", wrap(_inner4, chksum=0xBAD), "udp_csum")
from_tunnel("udp-checksum-wrong-v6", wrap(_inner6, chksum=0xBAD), "udp_csum")
from_tunnel("udp-checksum-0-v4", wrap(numbered(_inner4), chksum=0), whole=replace(
    _inner4, id=_inner4.id + 2))
from_tunnel("udp-checksum-0-v6", wrap(numbered(_inner6), chksum=0), "udp_csum0")
_nested = wrap(wrap(numbered(_inner4)))
from_tunnel("nested", _nested, "encap_nest")

# Others' fragments are nobody's business here: they pass as they are.


def passes(name: str, inp: str, *pieces: Ip4 | Ip6) -> None:
    up = inp == "core0"
    come, leave = (from_host, to_gate) if up else (from_gate, to_host)
    CASES.append(Case(f"fragment/passes-{name}", tuple(come(p) for p in pieces),
                      tuple(leave(hop(p)) for p in pieces),
                      passed(inp, "wan0" if up else "core0", len(pieces))))


for v6 in (False, True):
    family, far, host = ("v6", FAR6, HOST6) if v6 else ("v4", FAR4, HOST4)
    for what, proto in (("udp", UDP_PROTO), ("tcp", TCP_PROTO), ("icmp", ICMP6 if v6 else ICMP)):
        pieces = cut(numbered((Ip6 if v6 else Ip4)(host, far, proto, text(2000))), 1200)
        passes(f"{what}-up-{family}", "core0", *pieces)
        pieces = cut(numbered((Ip6 if v6 else Ip4)(far, host, proto, text(2000))), 1200)
        passes(f"{what}-down-{family}", "wan0", *pieces)
# UDP to a host by somebody who is no peer: only to the tunnel's port is it refused.
for v6 in (False, True):
    family = "v6" if v6 else "v4"
    pieces = cut(numbered(wrap(foreign(sctp(data(2000)), v6))), 1200)
    CASES += [Case(f"fragment/of-a-stranger-{family}", tuple(from_gate(p) for p in pieces),
                   (to_host(hop(pieces[1])),),
                   dropped("encap_source", "wan0", tunnel="to") + passed("wan0", "core0"))]
# A peer's UDP to another port is put together to be looked at, and leaves as it came.
pieces = cut(numbered(Ip4(PEER4, HOST4, UDP_PROTO, struct.pack("!HHHH", 53, 53, 2008, 0) + text(2000))),
             1200)
goes("udp-of-a-peer-to-another-port", pieces, pieces, way="down")
# IPv6 options may hide SCTP from all but the first fragment: what has some is put together.
pieces = cut(numbered(Ip6(HOST6, PEER6, TCP_PROTO, text(2000), ext=(DEST,))), 1200)
goes("options-hide-tcp-v6", pieces[::-1], pieces)

# For us


def echoes(name: str, size: int, piece: int, v6: bool, mtu: int = 1500, us6: str = CORE6) -> None:
    rest = struct.pack("!HH", 7, 1) + text(size)
    ask = numbered(icmp6(HOST6, us6, 128, 0, rest) if v6 else icmp4(HOST4, CORE4, 8, 0, rest))
    reply = from_us(icmp6(us6, HOST6, 129, 0, rest, fl=ask.fl) if v6
                    else icmp4(CORE4, HOST4, 0, 0, rest, id=ask.id, flags=""))
    pieces = cut(ask, piece)
    out = recut(reply, min(mtu, largest(pieces)))
    CASES.append(Case(f"fragment/{name}", _frames(pieces[::-1]),
                      tuple(to_host(p) for p in out),
                      consumed("core0") + originated("core0", len(out))
                      + Counter({("ports", "core0", "rx"): len(pieces) - 1,
                                 ("ports", "core0", "merged"): len(pieces) - 1})))


echoes("echo-link-local", 3000, 1448, True, us6="fe80::ff:fe00:1")
for v6 in (False, True):
    family = "v6" if v6 else "v4"
    echoes(f"echo-{family}", 3000, 1448, v6)
    echoes(f"echo-small-{family}", 100, 48, v6)
    echoes(f"echo-64k-{family}", 65535 - (48 if v6 else 28), 1448, v6)
pieces = cut(numbered(Ip4(HOST4, CORE4, TCP_PROTO, text(2000))), 1200)
CASES += [Case("fragment/for-us-and-nobody-listens", _frames(pieces), (),
               lost("core0", 2, "local", merged=True))]
# The last hop of what came in fragments
packet = replace(numbered(native(sctp(data(2000)))), ttl=1)
pieces = cut(packet, 1200)
CASES += [Case("fragment/ttl-1", _frames(pieces), (to_host(expired(packet, CORE4)),),
               lost("core0", 2, "ttl", merged=True, tunnel="to") + originated("core0"))]
# Two that do not belong together: another protocol, another host
_one, _two = cut(numbered(native(sctp(data(2000)))), 1200)
_other = replace(_two, src="10.10.0.8")
CASES += [Case("fragment/of-two-hosts", _frames([_one, _other]), (), held("core0", 2), fresh=True)]

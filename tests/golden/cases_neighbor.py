# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""ARP, neighbour discovery, and packets that wait for a neighbour."""

from collections import Counter

from case import (Case, Counters, advance, answered, consumed, dropped, drops, inject, link,
                  originated, passed, wrapped)
from cases_fragment import numbered, recut
from neighbors import (NEIGHBORS, OVERRIDE, ROUTER, SOLICITED, SOURCE_LINK, ZERO_MAC, Neighbor,
                       advertisement, arp, arp_body, arp_reply, arp_request, option, solicitation,
                       solicited_node)
from packets import (BROADCAST, CORE0_MAC, CORE4, CORE6, HOST4, HOST6, HOST_MAC, PEER4, PEER6,
                     PEER_MAC, TCP_PROTO, WAN0_MAC, WAN4, WAN6, Ip4, Ip6, data, ether, from_host,
                     hop, native, sctp, text, to_peer, wrap)

ALL_NODES, ALL_NODES_MAC = "ff02::1", "33:33:00:00:00:01"
LINK_LOCAL = {"core0": "fe80::ff:fe00:1", "wan0": "fe80::ff:fe00:2"}
NEW_MAC = "02:00:00:00:0a:99"

CASES: list[Case] = []

# ARP


def arp_answers(name: str, request: tuple, us: str, host_mac: str, host: str) -> Case:
    port, ours = request[0], CORE0_MAC if request[0] == "core0" else WAN0_MAC
    return Case(f"neighbor/arp-{name}", (request,), (arp_reply(port, ours, us, host_mac, host),),
                answered(port))


_ask = arp_request("core0", HOST_MAC, HOST4, CORE4)
CASES += [
    arp_answers("request", _ask, CORE4, HOST_MAC, HOST4),
    arp_answers("request-padded", (_ask[0], _ask[1] + bytes(18)), CORE4, HOST_MAC, HOST4),
    arp_answers("request-wan", arp_request("wan0", PEER_MAC, PEER4, WAN4), WAN4, PEER_MAC, PEER4),
    arp_answers("request-unicast", arp("core0", CORE0_MAC, 1, HOST_MAC, HOST4, CORE0_MAC, CORE4),
                CORE4, HOST_MAC, HOST4),
    arp_answers("probe", arp_request("core0", HOST_MAC, "0.0.0.0", CORE4), CORE4, HOST_MAC,
                "0.0.0.0"),
]


def _arp_raw(body: bytes) -> tuple[str, bytes]:
    return "core0", ether(BROADCAST, HOST_MAC, 0x0806, body)


_body = (1, HOST_MAC, HOST4, ZERO_MAC, CORE4)
CASES += [drops(f"neighbor/arp-{what}", frame, "arp") for what, frame in (
    ("for-another", arp_request("core0", HOST_MAC, HOST4, "10.10.0.8")),
    ("from-broadcast", arp_request("core0", HOST_MAC, "10.10.0.255", CORE4)),
    ("from-network", arp_request("core0", HOST_MAC, "10.10.0.0", CORE4)),
    ("for-our-other-port", arp_request("core0", HOST_MAC, HOST4, WAN4)),
    ("announcement", arp_request("core0", HOST_MAC, HOST4, HOST4)),
    ("cut-27", _arp_raw(arp_body(*_body)[:27])),
    ("cut-0", _arp_raw(b"")),
    ("hardware", _arp_raw(arp_body(*_body, hardware=6))),
    ("protocol", _arp_raw(arp_body(*_body, protocol=0x86DD))),
    ("hardware-size", _arp_raw(arp_body(*_body, sizes=(8, 4)))),
    ("protocol-size", _arp_raw(arp_body(*_body, sizes=(6, 16)))),
    ("operation-0", _arp_raw(arp_body(0, *_body[1:]))),
    ("operation-3", _arp_raw(arp_body(3, *_body[1:]))),
    ("sender-mac-broadcast", _arp_raw(arp_body(1, BROADCAST, HOST4, ZERO_MAC, CORE4))),
    ("sender-mac-multicast", _arp_raw(arp_body(1, "01:00:5e:00:00:01", HOST4, ZERO_MAC, CORE4))),
    ("sender-mac-zero", _arp_raw(arp_body(1, ZERO_MAC, HOST4, ZERO_MAC, CORE4))),
    ("sender-multicast", _arp_raw(arp_body(1, HOST_MAC, "224.0.0.1", ZERO_MAC, CORE4))),
    ("sender-loopback", _arp_raw(arp_body(1, HOST_MAC, "127.0.0.1", ZERO_MAC, CORE4))),
)]
CASES += [Case("neighbor/arp-reply-unasked",
               (arp_reply("core0", HOST_MAC, "10.10.0.66", CORE0_MAC, CORE4),), (),
               consumed("core0"))]

# Neighbour discovery


def nd_answers(name: str, frame: tuple, us: str, to_mac: str, to: str,
               flags: int = ROUTER | SOLICITED | OVERRIDE) -> Case:
    port, ours = frame[0], CORE0_MAC if frame[0] == "core0" else WAN0_MAC
    return Case(f"neighbor/nd-{name}", (frame,),
                (advertisement(port, ours, us, to_mac, to, flags),), answered(port))


def _ns(**fields) -> tuple[str, bytes]:
    return solicitation("core0", HOST_MAC, fields.pop("src", HOST6), fields.pop("target", CORE6),
                        **fields)


_group, _group_mac = solicited_node(CORE6)
_unknown_option = bytes([200, 2]) + bytes(14)
CASES += [
    nd_answers("solicitation", _ns(), CORE6, HOST_MAC, HOST6),
    nd_answers("solicitation-wan", solicitation("wan0", PEER_MAC, PEER6, WAN6), WAN6, PEER_MAC,
               PEER6),
    nd_answers("solicitation-unicast", _ns(dst=CORE6, dst_mac=CORE0_MAC), CORE6, HOST_MAC, HOST6),
    nd_answers("solicitation-unicast-no-option", _ns(dst=CORE6, dst_mac=CORE0_MAC, options=b""),
               CORE6, HOST_MAC, HOST6),
    nd_answers("solicitation-link-local", _ns(src="fe80::7"), CORE6, HOST_MAC, "fe80::7"),
    nd_answers("solicitation-for-link-local", _ns(src="fe80::7", target=LINK_LOCAL["core0"]),
               LINK_LOCAL["core0"], HOST_MAC, "fe80::7"),
    nd_answers("solicitation-unknown-option",
               _ns(options=_unknown_option + option(SOURCE_LINK, HOST_MAC)), CORE6, HOST_MAC,
               HOST6),
    nd_answers("duplicate-detection", _ns(src="::", options=b""), CORE6, ALL_NODES_MAC, ALL_NODES,
               ROUTER | OVERRIDE),
]
_to_us = ("core0", HOST_MAC, HOST6, CORE0_MAC, CORE6, SOLICITED | OVERRIDE)
CASES += [drops(f"neighbor/nd-{what}", frame, "nd") for what, frame in (
    ("hop-limit-254", _ns(hlim=254)),
    ("hop-limit-1", _ns(hlim=1)),
    ("checksum", _ns(error=0x0100)),
    ("code", _ns(code=1)),
    ("cut", _ns(cut=19)),
    ("for-another", _ns(target="2001:db8:a::8")),
    ("for-our-other-port", _ns(target=WAN6)),
    ("target-multicast", _ns(target="ff02::1", dst=_group, dst_mac=_group_mac)),
    ("option-length-0", _ns(options=bytes(8))),
    ("option-beyond", _ns(options=bytes([SOURCE_LINK, 2]) + bytes(6))),
    ("option-cut", _ns(options=option(SOURCE_LINK, HOST_MAC)[:6])),
    ("option-multicast-mac", _ns(options=option(SOURCE_LINK, "33:33:00:00:00:01"))),
    ("unspecified-to-unicast", _ns(src="::", dst=CORE6, dst_mac=CORE0_MAC, options=b"")),
    ("unspecified-with-option", _ns(src="::")),
    ("source-multicast", _ns(src="ff02::1")),
    ("advertisement-hop-limit-254", advertisement(*_to_us, hlim=254)),
    ("advertisement-checksum", advertisement(*_to_us, error=1)),
    ("advertisement-code", advertisement(*_to_us, code=7)),
    ("advertisement-cut", advertisement(*_to_us, cut=19)),
    ("advertisement-target-multicast", advertisement(*_to_us, target="ff02::1")),
    ("advertisement-option-length-0", advertisement(*_to_us, options=bytes(8))),
    ("advertisement-solicited-to-all",
     advertisement("core0", HOST_MAC, HOST6, ALL_NODES_MAC, ALL_NODES, SOLICITED)),
)]
CASES += [Case("neighbor/nd-advertisement-unasked",
               (advertisement("core0", HOST_MAC, "2001:db8:a::66", CORE0_MAC, CORE6,
                              SOLICITED | OVERRIDE),), (), consumed("core0"))]

# Waiting for a neighbour. The packet's way is counted as it is held: out of one port's account,
# into the other's.


def waiting(inp: str, out: str, n: int = 1) -> Counters:
    counters = passed(inp, out, n)
    return counters - Counter({("ports", out, "tx"): n})


def held(out: str, n: int = 1) -> Counters:
    return Counter({("ports", out, "held"): n})


def lost(out: str, reason: str, n: int = 1) -> Counters:
    return Counter({("ports", out, "dropped"): n, ("drops", reason, out): n})


def _later(neighbor: Neighbor, i: int) -> tuple[tuple, tuple]:
    """The i-th packet to a neighbour as it comes and as it leaves."""
    v6 = ":" in neighbor.address
    packet = (Ip6(HOST6, neighbor.address, TCP_PROTO, text(20 + i), fl=i) if v6
              else Ip4(HOST4, neighbor.address, TCP_PROTO, text(20 + i), id=i))
    return from_host(packet), to_peer(hop(packet))


def _datagram(neighbor: Neighbor) -> list:
    """Of 64 KiB, in pieces for a link of 1280 bytes."""
    v6 = ":" in neighbor.address
    whole = (Ip6(HOST6, neighbor.address, TCP_PROTO, text(65480)) if v6
             else Ip4(HOST4, neighbor.address, TCP_PROTO, text(65480)))
    return recut(numbered(whole), 1280)


def _fresh(name: str, counters: Counters, *then) -> Case:
    return Case(f"neighbor/{name}", counters=counters, then=then, fresh=True, resolved=False)


for neighbor in (NEIGHBORS[2], NEIGHBORS[3]):
    family = "nd" if ":" in neighbor.address else "arp"
    frames = [_later(neighbor, i) for i in range(72)]
    arrive, leave = [f[0] for f in frames], [f[1] for f in frames]
    asked = neighbor.asked()
    pieces = _datagram(neighbor)
    CASES += [
        _fresh(f"{family}-answered", passed("core0", "wan0", 3) + originated("wan0")
               + consumed("wan0"),
               inject(*arrive[:2], expect=[asked]), inject(neighbor.answer(), expect=leave[:2]),
               inject(arrive[2], expect=leave[2:3])),
        _fresh(f"{family}-answered-late", passed("core0", "wan0", 2) + originated("wan0", 3)
               + consumed("wan0"),
               inject(arrive[0], expect=[asked]), advance(1000, asked),
               inject(arrive[1]), advance(1000, asked), advance(900),
               inject(neighbor.answer(), expect=leave[:2])),
        _fresh(f"{family}-unanswered", waiting("core0", "wan0") + originated("wan0", 3)
               + lost("wan0", "neighbor_unresolved"),
               inject(arrive[0], expect=[asked]), advance(1000, asked), advance(1000, asked),
               advance(1000), advance(1000)),
        _fresh(f"{family}-unanswered-then-more", waiting("core0", "wan0", 3)
               + originated("wan0", 4) + lost("wan0", "neighbor_unresolved", 2) + held("wan0"),
               inject(arrive[0], expect=[asked]), advance(1000, asked), advance(1000, asked),
               advance(1000), inject(arrive[1]), advance(4000),
               inject(arrive[2], expect=[asked])),
        _fresh(f"{family}-queue-of-64", waiting("core0", "wan0", 72)
               + Counter({("ports", "wan0", "tx"): 64}) + originated("wan0") + consumed("wan0")
               + lost("wan0", "neighbor_queue", 8),
               inject(*arrive, expect=[asked]), inject(neighbor.answer(), expect=leave[8:72])),
        _fresh(f"{family}-datagram-of-64k", passed("core0", "wan0", len(pieces))
               + originated("wan0") + consumed("wan0"),
               inject(*map(from_host, pieces), expect=[asked]),
               inject(neighbor.answer(), expect=[to_peer(hop(piece)) for piece in pieces])),
    ]

# A packet for the tunnel waits with its coat on, behind those that came before it.
_sctp = native(sctp(data()))
_tcp = Ip4(HOST4, PEER4, TCP_PROTO, text(30))
_peer = NEIGHBORS[2]
CASES += [
    _fresh("held-with-coat", passed("core0", "wan0", 2) + wrapped() + originated("wan0")
           + consumed("wan0"),
           inject(from_host(_tcp), from_host(_sctp), from_host(_tcp), expect=[_peer.asked()]),
           inject(_peer.answer(),
                  expect=[to_peer(hop(_tcp)), to_peer(hop(wrap(_sctp))), to_peer(hop(_tcp))])),
    # Who asks for us is known.
    _fresh("request-teaches", passed("core0", "wan0") + answered("wan0"),
           inject(arp_request("wan0", PEER_MAC, PEER4, WAN4),
                  expect=[arp_reply("wan0", WAN0_MAC, WAN4, PEER_MAC, PEER4)]),
           inject(from_host(_tcp), expect=[to_peer(hop(_tcp))])),
    _fresh("solicitation-teaches", passed("core0", "wan0") + answered("wan0"),
           inject(solicitation("wan0", PEER_MAC, PEER6, WAN6),
                  expect=[advertisement("wan0", WAN0_MAC, WAN6, PEER_MAC, PEER6,
                                        ROUTER | SOLICITED | OVERRIDE)]),
           inject(_later(NEIGHBORS[3], 0)[0], expect=[_later(NEIGHBORS[3], 0)[1]])),
    # Nobody asked: no entry, so the first packet asks.
    _fresh("reply-unasked-teaches-nothing", waiting("core0", "wan0") + originated("wan0")
           + consumed("wan0") + held("wan0"),
           inject(_peer.answer()), inject(from_host(_tcp), expect=[_peer.asked()])),
]


def _resolved(name: str, counters: Counters, *then) -> Case:
    return Case(f"neighbor/{name}", counters=counters, then=then, fresh=True)


def _moved(packet: Ip4, mac: str) -> tuple[str, bytes]:
    port, frame = to_peer(packet)
    return port, bytes.fromhex(mac.replace(":", "")) + frame[6:]


# A station that moved says so, asked or not; what it says must be about itself.
CASES += [
    _resolved("announcement-moves", passed("core0", "wan0") + dropped("arp", "wan0"),
              inject(arp_request("wan0", NEW_MAC, PEER4, PEER4)),
              inject(from_host(_tcp), expect=[_moved(hop(_tcp), NEW_MAC)])),
    _resolved("announcement-on-other-port", passed("core0", "wan0") + dropped("arp", "core0"),
              inject(arp_request("core0", NEW_MAC, PEER4, PEER4)),
              inject(from_host(_tcp), expect=[to_peer(hop(_tcp))])),
    _resolved("our-address-is-not-learned", dropped("address_conflict", "core0")
              + originated("core0") + passed("core0", "wan0"),
              inject(arp_request("core0", NEW_MAC, CORE4, CORE4),
                     expect=[arp_request("core0", CORE0_MAC, CORE4, CORE4)]),
              inject(from_host(_tcp), expect=[to_peer(hop(_tcp))])),
]

# An entry in use is confirmed with the station itself, 30 s after it was last confirmed; packets
# go on meanwhile.
for neighbor, poll in (
        (NEIGHBORS[2], arp("wan0", PEER_MAC, 1, WAN0_MAC, WAN4, ZERO_MAC, PEER4)),
        (NEIGHBORS[3], solicitation("wan0", WAN0_MAC, WAN6, PEER6, dst=PEER6, dst_mac=PEER_MAC))):
    family = "nd" if ":" in neighbor.address else "arp"
    poll = (poll[0], bytes.fromhex(PEER_MAC.replace(":", "")) + poll[1][6:])
    (arrive, leave), (arrive2, leave2) = (_later(neighbor, i) for i in range(2))
    begin = (inject(arrive, expect=[neighbor.asked()]), inject(neighbor.answer(), expect=[leave]),
             advance(29000), advance(2000, poll))
    CASES += [
        _fresh(f"{family}-poll-answered", passed("core0", "wan0", 2) + originated("wan0", 2)
               + consumed("wan0", 2), *begin, inject(arrive2, expect=[leave2]),
               inject(neighbor.answer()), advance(1000), advance(1000)),
        _fresh(f"{family}-poll-unanswered", passed("core0", "wan0", 2) + originated("wan0", 5)
               + consumed("wan0"), *begin, advance(1000, poll), inject(arrive2, expect=[leave2]),
               advance(1000, poll), advance(1000, neighbor.asked())),
    ]

# Links
CASES += [
    Case("neighbor/link-up-" + port, counters=originated(port, 6), fresh=True, resolved=False,
         then=(link(port, True, arp_request(port, mac, "0.0.0.0", us4),
                    *[solicitation(port, mac, "::", us, options=b"")
                      for us in (us6, LINK_LOCAL[port])],
                    arp_request(port, mac, us4, us4),
                    *[advertisement(port, mac, us, ALL_NODES_MAC, ALL_NODES, ROUTER | OVERRIDE)
                      for us in (us6, LINK_LOCAL[port])]),))
    for port, mac, us4, us6 in (("core0", CORE0_MAC, CORE4, CORE6),
                                ("wan0", WAN0_MAC, WAN4, WAN6))
]

# Somebody else has an address of ours: dropped by name and, at most every ten seconds, told.
_THIEF = "02:00:00:00:0a:66"
_defence = arp_request("core0", CORE0_MAC, CORE4, CORE4)
_defence6 = advertisement("core0", CORE0_MAC, CORE6, ALL_NODES_MAC, ALL_NODES, ROUTER | OVERRIDE)


def _conflict(name: str, frame: tuple[str, bytes], defence: tuple[str, bytes]) -> Case:
    return Case(f"neighbor/conflict-{name}",
                counters=dropped("address_conflict", "core0", 3) + originated("core0", 2),
                fresh=True, resolved=False,
                then=(inject(frame, expect=(defence,)), inject(frame), advance(10000),
                      inject(frame, expect=(defence,))))


CASES += [
    _conflict("announcement", arp_request("core0", _THIEF, CORE4, CORE4), _defence),
    _conflict("asks-in-our-name", arp_request("core0", _THIEF, CORE4, HOST4), _defence),
    _conflict("answers-the-probe", arp_reply("core0", _THIEF, CORE4, CORE0_MAC, "0.0.0.0"), _defence),
    _conflict("advertisement", advertisement("core0", _THIEF, CORE6, ALL_NODES_MAC, ALL_NODES,
                                             OVERRIDE), _defence6),
    # Our own frame, back from a loop in the network: no second station.
    Case("neighbor/conflict-is-not-with-oneself", (arp_request("core0", CORE0_MAC, CORE4, CORE4),),
         (arp_reply("core0", CORE0_MAC, CORE4, CORE0_MAC, CORE4),), answered("core0"), fresh=True,
         resolved=False),
]

# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Two ports that are a wire: everything crosses bit for bit, but what a tunnel is there for."""

from collections import Counter
from dataclasses import replace

from case import TUNNEL, Case, Config, dropped, originated, passed, peeled, split, wrapped
from cases_icmp import error4, error6
from neighbors import arp_request, solicitation
from cases_fragment import cut, largest, merged, numbered, orders, recut
from packets import (BROADCAST, CORE0_MAC, ENCAP, HOST4, HOST6, HOST_MAC, PEER4, PEER_MAC, SCTP,
                     Ip4, Ip6, back, chunk, data, ether, fragments, ip_frame, native, sctp, text,
                     udp_packet, vlan, wrap)


def wire(name: str, tunnel: str = "", rules: str = "") -> Config:
    return Config(name, f"""
[[port]]
name = "core0"
device = "ring:core0"
[[port]]
name = "wan0"
device = "ring:wan0"
[[wire]]
ports = ["core0", "wan0"]
[[tunnel]]
name = "{TUNNEL}"
via = "sctp-udp"
port = "wan0"
hosts = ["10.10.0.0/24", "2001:db8:a::/64"]
sources = ["203.0.113.0/24", "2001:db8:1::/64"]
{tunnel}
{rules}
[[rule]]
name = "to-peer"
from = "core0"
to = ["203.0.113.0/24", "2001:db8:1::/64"]
tunnel = "{TUNNEL}"
""")


WIRE = wire("wire")
WIRE_FIXED = wire("wire-fixed", 'peer = "203.0.113.77:4500"')
WIRE_DROP = wire("wire-drop", rules="""
[[rule]]
name = "not-5000"
sctp-port = 5000
action = "drop"
""")
WIRE_SMALL = wire("wire-small", "mtu = 1340")
ENDS = {"core0": "wan0", "wan0": "core0"}


def case(name: str, frame, out, counters, config: Config = WIRE) -> Case:
    out = (out,) if out and isinstance(out[0], str) else out
    return Case(f"wire/{name}", (frame,), out, counters, config, resolved=False)


def crosses(name: str, port: str, raw: bytes, config: Config = WIRE) -> Case:
    return case(f"{name}-{port}", (port, raw), (ENDS[port], raw), passed(port, ENDS[port]), config)


def lost(name: str, frame, reason: str, tunnel: str, config: Config = WIRE) -> Case:
    return case(name, frame, (), dropped(reason, frame[0], tunnel=tunnel), config)


def up(packet: Ip4 | Ip6, tags: bytes = b"", pad: bytes = b"") -> tuple[str, bytes]:
    """From the host to the peer: they see each other's stations."""
    return "core0", ether(PEER_MAC, HOST_MAC, packet.ETHER_TYPE, packet.raw() + pad, tags)


def down(packet: Ip4 | Ip6, tags: bytes = b"", pad: bytes = b"") -> tuple[str, bytes]:
    return "wan0", ether(HOST_MAC, PEER_MAC, packet.ETHER_TYPE, packet.raw() + pad, tags)


def across(frame: tuple[str, bytes]) -> tuple[str, bytes]:
    return ENDS[frame[0]], frame[1]


_good = sctp(data())
_tcp = Ip4(HOST4, PEER4, 6, text(40))
_bad_checksum = _tcp.with_checksum_error(1)
_tags = {"untagged": b"", "vlan": vlan(40), "priority": vlan(0xE000), "qinq": vlan(7, 0x88A8) + vlan(40),
         "stacked": vlan(7) + vlan(40)}

CASES: list[Case] = []
for port in ENDS:
    for name, raw in {
        "lldp": ether("01:80:c2:00:00:0e", HOST_MAC, 0x88CC, text(46)),
        "lacp": ether("01:80:c2:00:00:02", HOST_MAC, 0x8809, text(110)),
        "stp": ether("01:80:c2:00:00:00", HOST_MAC, 38, text(46)),
        "arp": arp_request(port, HOST_MAC, HOST4, PEER4)[1],
        "arp-padded": arp_request(port, HOST_MAC, HOST4, PEER4)[1] + bytes(18),
        "nd": solicitation(port, HOST_MAC, HOST6, "2001:db8:1::77")[1],
        "short": bytes(13),
        "addresses-only": text(14),
        "mpls": ether(PEER_MAC, HOST_MAC, 0x8847, text(60)),
        "three-tags": ether(PEER_MAC, HOST_MAC, 0x0800, _good, vlan(1) + vlan(2) + vlan(3)),
        "tag-cut": ether(PEER_MAC, HOST_MAC, 0x8100, b"\0"),
        "broadcast": ip_frame(BROADCAST, HOST_MAC, _tcp),
        "ttl-1": ip_frame(PEER_MAC, HOST_MAC, replace(_tcp, ttl=1)),
        "ip-options": ip_frame(PEER_MAC, HOST_MAC, replace(_tcp, options=bytes.fromhex("83040400"))),
        "ip-checksum": ip_frame(PEER_MAC, HOST_MAC, _bad_checksum),
        "ip-length": ip_frame(PEER_MAC, HOST_MAC, replace(_tcp, len=2000)),
        "ip-version": ip_frame(PEER_MAC, HOST_MAC, replace(_tcp, version=5)),
        "martian": ip_frame(PEER_MAC, HOST_MAC, replace(_tcp, src="127.0.0.1")),
        "jumbo-padding": ip_frame(PEER_MAC, HOST_MAC, _tcp) + text(300),
        "fragment": ip_frame(PEER_MAC, HOST_MAC, replace(_tcp, flags="MF", frag=3)),
        "udp-of-others": ip_frame(PEER_MAC, HOST_MAC,
                                  udp_packet("192.0.2.1", "192.0.2.2", ENCAP, ENCAP, _good)),
        "udp-cut": ip_frame(PEER_MAC, HOST_MAC, Ip4("192.0.2.1", "192.0.2.2", 17, text(7))),
        "sctp-of-others": ip_frame(PEER_MAC, HOST_MAC, Ip4("192.0.2.1", "192.0.2.2", SCTP, _good)),
        "sctp-broken-of-others": ip_frame(PEER_MAC, HOST_MAC,
                                          Ip4("192.0.2.1", "192.0.2.2", SCTP, text(40))),
        "sctp-short-of-others": ip_frame(PEER_MAC, HOST_MAC,
                                         Ip4("192.0.2.1", "192.0.2.2", SCTP, text(11))),
        "to-the-engine": ip_frame(CORE0_MAC, HOST_MAC, _tcp),
    }.items():
        CASES.append(crosses(name, port, raw))
    for name, tags in _tags.items():
        CASES.append(crosses(f"tcp-{name}", port, ether(PEER_MAC, HOST_MAC, 0x0800, _tcp.raw(), tags)))

# SCTP gets past no rule by what stands in front of it: options do not hide it, and what cannot be
# read is dropped where a rule could want it.
_alert, _record = bytes.fromhex("94040000"), bytes.fromhex("070704") + bytes(5)
_three = vlan(1) + vlan(2) + vlan(3)
_broken = {
    "tags": (_three, {}, "eth_vlan"),
    "four-tags": (_three + vlan(4), {}, "eth_vlan"),
    "checksum": (b"", {"checksum": 1}, "ip4_csum"),
    "options": (b"", {"options": bytes.fromhex("94050000")}, "ip4_opt"),
    "source-route": (b"", {"options": bytes.fromhex("83030400")}, "ip4_srcroute"),
    "length": (b"", {"len": 2000}, "ip4_len"),
    "header": (b"", {"ihl": 4}, "ip4_hdr"),
}


def _made(packet: Ip4, change: dict) -> Ip4:
    change = dict(change)
    wrong = change.pop("checksum", 0)
    packet = replace(packet, **change)
    return packet.with_checksum_error(wrong) if wrong else packet


for name, options in {"alert": _alert, "record": _record, "both": _alert + _record}.items():
    there = replace(native(_good), options=options)
    answer = replace(back(_good), options=options)
    CASES += [
        case(f"options-wrapped-{name}", up(there), across(up(wrap(there))), wrapped()),
        case(f"options-peeled-{name}", down(wrap(answer)), across(down(answer)), peeled()),
        case(f"options-plain-{name}", down(answer), across(down(answer)), passed("wan0", "core0")),
        lost(f"options-rule-{name}", up(replace(native(sctp(data(), dport=5000)), options=options)),
             "rule_drop", "", WIRE_DROP),
    ]
for name, (tags, change, reason) in _broken.items():
    CASES += [
        lost(f"hidden-{name}", up(_made(native(_good), change), tags), reason, ""),
        lost(f"hidden-in-udp-{name}", down(_made(wrap(back(_good)), change), tags), reason, ""),
        case(f"hidden-tcp-{name}", up(_made(replace(_tcp, dst=PEER4), change), tags),
             across(up(_made(replace(_tcp, dst=PEER4), change), tags)), passed("core0", "wan0")),
        case(f"hidden-other-udp-{name}",
             down(_made(udp_packet(PEER4, "192.0.2.2", ENCAP, ENCAP, _good), change), tags),
             across(down(_made(udp_packet(PEER4, "192.0.2.2", ENCAP, ENCAP, _good), change), tags)),
             passed("wan0", "core0")) if name != "source-route" else
        lost(f"hidden-any-udp-{name}",
             down(_made(udp_packet(PEER4, "192.0.2.2", ENCAP, ENCAP, _good), change), tags), reason, ""),
    ]
CASES += [
    lost("hidden-martian", up(replace(native(_good), src="127.0.0.1")), "martian", ""),
    lost("hidden-land", up(replace(native(_good), src=PEER4)), "martian", ""),
    lost("hidden-v6-tags", up(native(_good, True), _three), "eth_vlan", ""),
    lost("hidden-v6-length", up(replace(native(_good, True), plen=2000)), "ip6_len", ""),
    case("port-in-three-tags", down(udp_packet(PEER4, HOST4, 53, 4000, _good), _three),
         across(down(udp_packet(PEER4, HOST4, 53, 4000, _good), _three)), passed("wan0", "core0")),
    case("source-route-where-no-rule-is", ("wan0", down(replace(back(_good), options=bytes.fromhex("83030400")))[1]),
         (), dropped("ip4_srcroute", "wan0")),
]

# The tunnel: the same stations, the same tags, no hop counted
for name, tags in _tags.items():
    for v6 in (False, True):
        there, answer = native(_good, v6), back(_good, v6)
        suffix = f"{name}-{'v6' if v6 else 'v4'}"
        CASES += [
            case(f"wrapped-{suffix}", up(there, tags), across(up(wrap(there), tags)), wrapped()),
            case(f"peeled-{suffix}", down(wrap(answer), tags), across(down(answer, tags)), peeled()),
            case(f"wrapped-padding-{suffix}", up(there, tags, text(9)),
                 across(up(wrap(there), tags)), wrapped()),
            case(f"peeled-padding-{suffix}", down(wrap(answer), tags, text(9)),
                 across(down(answer, tags)), peeled()),
        ]
CASES += [
    case("wrapped-ttl-1", up(native(_good, ttl=1)), across(up(wrap(native(_good, ttl=1)))), wrapped()),
    case("peeled-ttl-1", down(wrap(back(_good, ttl=1))), across(down(back(_good, ttl=1))), peeled()),
    case("wrapped-fixed-port", up(native(_good)), across(up(wrap(native(_good), dport=4500))),
         wrapped(), WIRE_FIXED),
    case("plain-from-peer", down(back(_good)), across(down(back(_good))), passed("wan0", "core0")),
    # What is for the tunnel, and wrong, is dropped by the same names as elsewhere.
    lost("downgrade", down(back(_good)), "encap_downgrade", "to", WIRE_FIXED),
    lost("source", down(wrap(replace(back(_good), src="198.51.100.9"))), "encap_source", "coat"),
    lost("port", down(wrap(back(_good), sport=4501)), "encap_port", "coat", WIRE_FIXED),
    lost("empty", down(wrap(back(b""))), "encap_empty", "coat"),
    lost("peeled-broken", down(wrap(back(sctp(chunk(0, text(12))[:10])))), "chunk_trunc", "inner"),
    lost("rule", up(native(sctp(data(), dport=5000))), "rule_drop", "", WIRE_DROP),
    lost("rule-peeled", down(wrap(back(sctp(data(), sport=5000)))), "rule_drop", "inner", WIRE_DROP),
]


def sized(length: int, v6: bool = False, **ip) -> Ip4 | Ip6:
    return native(sctp(data(length - (40 if v6 else 20) - 28, pad=False)), v6, **ip)


def told(name: str, packet: Ip4 | Ip6, mtu: int, config: Config, tags: bytes = b"") -> Case:
    """In the name of the peer, from the peer's station: nobody else is known to the host."""
    v6 = isinstance(packet, Ip6)
    says = error6(packet, packet.dst, 2, 0, mtu) if v6 else error4(packet, packet.dst, 3, 4, mtu)
    error = ether(HOST_MAC, PEER_MAC, packet.ETHER_TYPE, says.raw(), tags)
    return case(f"too-big-{name}", up(packet, tags), ("core0", error),
                dropped("too_big", "core0", tunnel="to") + originated("core0"), config)


CASES += [
    case("just-fits", up(sized(1492)), across(up(wrap(sized(1492)))), wrapped()),
    told("v4", sized(1493), 1492, WIRE),
    told("v6", sized(1493, True), 1492, WIRE),
    told("tagged", sized(1493), 1492, WIRE, vlan(40)),
    told("small", sized(1333), 1332, WIRE_SMALL),
]
# Nobody is told about a frame for a group, nor one that says it is from a group.
for name, there, here in (("broadcast", BROADCAST, HOST_MAC), ("multicast", "01:00:5e:00:00:09", HOST_MAC),
                          ("from-a-group", PEER_MAC, "03:00:00:00:00:09")):
    CASES.append(lost(f"too-big-{name}", ("core0", ip_frame(there, here, sized(1493))), "too_big", "to"))
_whole = sized(1500, flags="")
_pieces = fragments(wrap(_whole), 1340)
CASES += [
    case("split", up(_whole, vlan(40)), tuple(across(up(p, vlan(40))) for p in _pieces),
         wrapped() + split("wan0", len(_pieces) - 1)
         + Counter({("tunnels", TUNNEL, "tx"): len(_pieces) - 1}), WIRE_SMALL),
]

# Fragments: those that a tunnel may want are put together, others cross bit for bit.


def in_pieces(name: str, frames, out, counters, config: Config = WIRE) -> Case:
    return Case(f"wire/fragments-{name}", tuple(frames), tuple(out), counters, config, resolved=False)


for v6 in (False, True):
    family = "v6" if v6 else "v4"
    for order in ("in-order", "reversed", "mixed"):
        packet = numbered(native(sctp(data(3000)), v6))
        pieces = cut(packet, 1200)
        out = recut(wrap(packet), largest(pieces))
        CASES.append(in_pieces(f"wrapped-{family}-{order}", (up(p, vlan(40)) for p in orders(pieces)[order]),
                               (across(up(p, vlan(40))) for p in out),
                               merged("core0", "wan0", len(pieces), len(out))
                               + Counter({("tunnels", TUNNEL, "tx"): len(out)})))
        packet = numbered(back(sctp(data(3000)), v6))
        pieces = cut(wrap(packet), 1200)
        out = recut(packet, largest(pieces))
        CASES.append(in_pieces(f"peeled-{family}-{order}", (down(p) for p in orders(pieces)[order]),
                               (across(down(p)) for p in out),
                               merged("wan0", "core0", len(pieces), len(out))
                               + Counter({("tunnels", TUNNEL, "rx"): 1})))
    # No rule wants them whatever their ports are: as they come, one by one, broken or not.
    pieces = cut(numbered(back(text(2000), v6)), 1200)
    CASES += [in_pieces(f"unwanted-{family}", (down(p) for p in pieces[::-1]),
                        (across(down(p)) for p in pieces[::-1]), passed("wan0", "core0", 2)),
              in_pieces(f"unwanted-half-{family}", (down(pieces[1]),), (across(down(pieces[1])),),
                        passed("wan0", "core0"))]
    # A rule wants to see their ports, and then does not want them: they leave as they were.
    pieces = cut(numbered(back(sctp(data(2000)), v6)), 1200)
    CASES.append(in_pieces(f"looked-at-{family}", (down(p, vlan(7)) for p in pieces[::-1]),
                           (across(down(p, vlan(7))) for p in pieces),
                           merged("wan0", "core0", 2, 2), WIRE_DROP))
    pieces = cut(numbered(native(sctp(data(2000), dport=5000), v6)), 1200)
    CASES.append(in_pieces(f"rule-{family}", (up(p) for p in pieces), (),
                           dropped("rule_drop", "core0") + Counter({
                               ("ports", "core0", "rx"): 1, ("ports", "core0", "merged"): 1}),
                           WIRE_DROP))
    # Plain SCTP of a peer that encapsulates gets no further in pieces either.
    pieces = cut(numbered(back(sctp(data(2000)), v6)), 1200)
    if not v6:
        CASES.append(in_pieces("downgrade", (down(p) for p in pieces), (),
                               dropped("encap_downgrade", "wan0", tunnel="to") + Counter({
                                   ("ports", "wan0", "rx"): 1, ("ports", "wan0", "merged"): 1}),
                               WIRE_FIXED))
    # A stranger's for the tunnel's port
    pieces = cut(numbered(wrap(replace(back(sctp(data(2000)), v6), src="2001:db8:9::9" if v6 else "198.51.100.9"))), 1200)
    CASES.append(in_pieces(f"of-a-stranger-{family}", (down(p) for p in pieces),
                           (across(down(pieces[1])),),
                           dropped("encap_source", "wan0", tunnel="to") + passed("wan0", "core0")))
# Different tags, different networks
_pieces = cut(numbered(native(sctp(data(2000)))), 1200)
CASES.append(Case("wire/fragments-of-two-vlans", (up(_pieces[0], vlan(7)), up(_pieces[1], vlan(8))), (),
                  Counter({("ports", "core0", "rx"): 2, ("ports", "core0", "held"): 2}), WIRE,
                  fresh=True, resolved=False))

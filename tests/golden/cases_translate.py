# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""ICMP errors about SCTP in UDP, on their way to a native host that never heard of UDP."""

import struct
from dataclasses import replace

from case import BASE, FIXED_PEER, TUNNEL, Case, Config, dropped, drops, passed
from cases_wire import WIRE
from packets import (DEST_OPTIONS, GATE4, GATE6, HOST4, HOST6, PEER4, PEER6, Ip4, Ip6, chunk, data,
                     from_gate, from_peer, hop, icmp4, icmp6, native, sctp, text, to_host,
                     udp_packet, wrap)

CASES: list[Case] = []


def error(quote: bytes, v6: bool, kind: int, code: int, word: int = 0, src: str = "",
          dst: str = "", **fields) -> Ip4 | Ip6:
    """A router's error, to the host when nothing else is said."""
    rest = struct.pack("!I", word) + quote
    return (icmp6(src or GATE6, dst or HOST6, kind, code, rest, **fields) if v6
            else icmp4(src or GATE4, dst or HOST4, kind, code, rest, **fields))


def translates(name: str, packet: Ip4 | Ip6, before: tuple, after: tuple, quote: int | None = None,
               config: Config = BASE, dport: int = 9899) -> list[Case]:
    """The error (type, code, word) about `packet` in UDP, and about the packet itself."""
    v6 = isinstance(packet, Ip6)
    sent = hop(packet)
    quoted, shown = wrap(sent, dport=dport).raw()[:quote], sent.raw()[:quote and quote - 8]
    cases = []
    for whose, src, sender in (("router", "", from_gate), ("peer", PEER6 if v6 else PEER4, from_peer)):
        heard = error(quoted, v6, *before, src=src)
        told = error(shown, v6, *after, src=src)
        cases += [Case(f"translate/{name}-{whose}-{'v6' if v6 else 'v4'}", (sender(heard),),
                       (to_host(hop(told)),), passed("wan0", "core0"), config)]
    return cases


_good = sctp(data())
_init = sctp(chunk(1, struct.pack("!IIHHI", 0x0A0B0C0D, 65536, 10, 10, 1)), vtag=0)
for v6 in (False, True):
    packet = native(_good, v6)
    big = native(sctp(data(1400)), v6)
    header = 40 if v6 else 20
    gone, no_port = ((1, 3, 0), (1, 4, 0)) if v6 else ((3, 1, 0), (3, 3, 0))
    # SCTP hosts obey Protocol Unreachable; in ICMPv6 that is an unrecognized Next Header, at byte 6.
    no_protocol = (4, 1, 6) if v6 else (3, 2, 0)
    expired = (3, 0, 0) if v6 else (11, 0, 0)
    too_big = (2, 0) if v6 else (3, 4)
    CASES += [
        *translates("port-unreachable", packet, no_port, no_protocol),
        *translates("port-unreachable-about-init", native(_init, v6), no_port, no_protocol),
        *translates("host-unreachable", packet, gone, gone),
        *translates("time-exceeded", packet, expired, expired),
        *translates("least-quote", packet, gone, gone, header + 16),
        *translates("too-big", big, (*too_big, 1400), (*too_big, 1392), 500),
        *translates("fixed-port", packet, no_port, no_protocol, None, FIXED_PEER,
                    65000 if v6 else 4500),
    ]
    quote = wrap(hop(packet)).raw()
    big_quote = wrap(hop(big)).raw()[:500]
    name = "v6" if v6 else "v4"

    def refused(what: str, packet: Ip4 | Ip6, reason: str = "icmp_untrusted",
                config: Config = BASE) -> Case:
        counters = dropped(reason, "wan0", tunnel="to")
        return Case(f"translate/untrusted-{what}-{name}", (from_gate(packet),), (), counters, config)

    CASES += [
        refused("mtu", error(big_quote, v6, *too_big, 1279 if v6 else 575)),
        refused("mtu-0", error(big_quote, v6, *too_big, 0)),
        refused("mtu-larger", error(big_quote, v6, *too_big, len(wrap(big).raw()))),
        refused("short-quote", error(quote[:header + 8], v6, *gone)),
        refused("almost-a-tag", error(quote[:header + 15], v6, *gone)),
        refused("port", error(wrap(hop(packet), dport=9898).raw(), v6, *gone)),
        refused("port-of-fixed", error(quote, v6, *gone), config=FIXED_PEER),
        refused("receiver", error(quote, v6, *gone, dst="2001:db8:a::8" if v6 else "10.10.0.8")),
        refused("checksum", error(quote, v6, *gone, error=1), "icmp"),
    ]
    # Errors about anything else are nobody's business here.
    others = {
        "native": hop(packet).raw(),
        "other-port": wrap(hop(packet), sport=9898).raw(),
        "too-short-for-ports": quote[:header + 7],
        "of-nobody": wrap(replace(hop(packet), src="2001:db8:f::1" if v6 else "10.99.0.1")).raw(),
    }
    for what, bytes_ in others.items():
        heard = error(bytes_, v6, *gone)
        CASES += [Case(f"translate/errors-pass-{what}-{name}", (from_gate(heard),),
                       (to_host(hop(heard)),), passed("wan0", "core0"))]
    # A wire: the same, and no hop counted.
    heard, told = error(quote, v6, *no_port), error(hop(packet).raw(), v6, *no_protocol)
    frame = from_gate(heard)
    answer = from_gate(told)
    CASES += [
        Case(f"translate/wire-{name}", (frame,), (("core0", answer[1]),), passed("wan0", "core0"),
             WIRE, resolved=False),
        Case(f"translate/wire-untrusted-{name}",
             (from_gate(error(quote[:header + 8], v6, *gone)),), (),
             dropped("icmp_untrusted", "wan0", tunnel="to"), WIRE, resolved=False),
        Case(f"translate/wire-errors-pass-{name}",
             (from_gate(error(others["native"], v6, *gone)),),
             (("core0", from_gate(error(others["native"], v6, *gone))[1]),),
             passed("wan0", "core0"), WIRE, resolved=False)]
# Source quench (RFC 6633) and redirects from beyond the link
CASES += [Case(f"translate/untrusted-kind-{kind}",
               (from_gate(error(wrap(hop(native(_good))).raw(), False, kind, 0)),), (),
               dropped("icmp_untrusted", "wan0", tunnel="to")) for kind in (4, 5)]
CASES += translates("parameter-problem", native(_good), (12, 0, 1 << 24), (12, 0, 1 << 24))
CASES += translates("parameter-problem-in-sctp", native(_good), (12, 0, 30 << 24),
                    (12, 0, 22 << 24))
CASES += [drops(f"translate/untrusted-pointer-{at}",
                from_gate(error(wrap(hop(native(_good))).raw(), False, 12, 0, at << 24)),
                "icmp_untrusted", tunnel="to") for at in (20, 27)]

# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Routes with several next hops: the first that answers is used."""

from collections import Counter

from case import Case, Config, advance, consumed, inject, originated, passed
from neighbors import arp_reply, arp_request
from packets import CORE0_MAC, HOST4, HOST_MAC, WAN0_MAC, Ip4, hop, ip_frame, mac_bytes, text

# Each on a port of its own: in which order neighbours of one port are asked is nobody's business.
FIRST, SECOND = "203.0.113.253", "10.10.0.253"
FIRST_MAC, SECOND_MAC = "02:00:00:00:01:fd", "02:00:00:00:0a:fd"
PORT = {FIRST: ("wan0", WAN0_MAC, "203.0.113.1"), SECOND: ("core0", CORE0_MAC, "10.10.0.1")}

TWO = Config("two-next-hops", f"""
[[port]]
name = "core0"
device = "ring:core0"
mac = "{CORE0_MAC}"
address = "10.10.0.1/24"
[[port]]
name = "wan0"
device = "ring:wan0"
mac = "{WAN0_MAC}"
address = "203.0.113.1/24"
[[route]]
to = "198.51.100.0/24"
next-hop = ["{FIRST}", "{SECOND}"]
""")

_packet = Ip4(HOST4, "198.51.100.9", 6, text(40))
_arrives = ("core0", ip_frame(CORE0_MAC, HOST_MAC, _packet))


def ask(address: str):
    port, mac, us = PORT[address]
    return arp_request(port, mac, us, address)


def poll(mac: str, address: str):
    port, frame = ask(address)
    return port, mac_bytes(mac) + frame[6:]


def answer(mac: str, address: str):
    port, us_mac, us = PORT[address]
    return arp_reply(port, mac, address, us_mac, us)


def by(mac: str, address: str):
    port, us_mac, _ = PORT[address]
    return port, ip_frame(mac, us_mac, hop(_packet))


_first, _second = (FIRST_MAC, FIRST), (SECOND_MAC, SECOND)
# Both are asked for before any packet comes, and again a second later.
_known = (advance(1000, ask(FIRST), ask(SECOND)), inject(answer(*_first), answer(*_second)))
_asked = originated("wan0") + originated("core0") + consumed("wan0") + consumed("core0")
_there, _here = passed("core0", "wan0"), passed("core0", "core0")


def case(name: str, counters: Counter, *then) -> Case:
    return Case(f"route/{name}", (), (), counters, TWO, then, fresh=True, resolved=False)


CASES = [
    case("the-first-that-answers", _asked + _there, *_known, inject(_arrives, expect=(by(*_first),))),
    case("the-second-when-the-first-never-answered",
         originated("wan0") + originated("core0") + consumed("core0") + _here,
         advance(1000, ask(FIRST), ask(SECOND)), inject(answer(*_second)),
         inject(_arrives, expect=(by(*_second),))),
    # Asked every second (and looked after every 50 ms); silent for three, it is given up; a word
    # from it brings it back.
    case("the-second-when-the-first-is-gone",
         _asked + originated("wan0", 5) + originated("core0", 4) + consumed("wan0")
         + consumed("core0", 4) + _there + _there + _here,
         *_known,
         *[step for _ in range(3) for step in (
             advance(1050, poll(*_first), poll(*_second)), inject(answer(*_second)))],
         inject(_arrives, expect=(by(*_first),)),
         advance(1050, ask(FIRST), poll(*_second)), inject(answer(*_second)),
         inject(_arrives, expect=(by(*_second),)),
         advance(950, ask(FIRST)), inject(answer(*_first)),
         inject(_arrives, expect=(by(*_first),))),
]

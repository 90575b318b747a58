# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Ports in several networks: hosts behind a VLAN, a tunnel on a VLAN, priority tags."""

from dataclasses import replace

from case import BASE, TUNNEL, Case, Config, answered, consumed, drops, inject, originated, passed
from case import peeled, wrapped
from cases_icmp import too_big
from neighbors import arp_reply, arp_request
from packets import (BROADCAST, CORE0_MAC, GATE_MAC, HOST_MAC, PEER_MAC, WAN0_MAC, Ip4, back,
                     data, ether, from_host, hop, ip_frame, native, sctp, text, to_host, vlan, wrap)

# 10.10.0.0/24 is core0's VLAN 40, the tunnel is on wan0's VLAN 7; both ports have untagged
# networks beside them.
VLANS = Config("vlans", f"""
[[port]]
name = "core0"
device = "ring:core0"
mac = "{CORE0_MAC}"
address = "10.99.0.1/24"
vlan = [{{ id = 40, address = ["10.10.0.1/24"] }},
        {{ id = 41, address = ["10.41.0.1/24"] }}]
[[port]]
name = "wan0"
device = "ring:wan0"
mac = "{WAN0_MAC}"
vlan = [{{ id = 7, address = ["203.0.113.1/24"] }}]
[[tunnel]]
name = "{TUNNEL}"
via = "sctp-udp"
port = "wan0.7"
hosts = ["10.10.0.0/24"]
[[rule]]
name = "to-peer"
from = "core0.40"
tunnel = "{TUNNEL}"
""")


def tagged(frame: tuple[str, bytes], *vids: int, tpid: int = 0x8100) -> tuple[str, bytes]:
    port, raw = frame
    return port, raw[:12] + b"".join(vlan(v, tpid) for v in vids) + raw[12:]


HOST, PEER, GUEST = "10.10.0.7", "203.0.113.77", "10.41.0.9"
GUEST_MAC = "02:00:00:00:0b:09"
_ask_host = tagged(("core0", arp_request("core0", CORE0_MAC, "10.10.0.1", HOST)[1]), 40)
_ask_peer = tagged(("wan0", arp_request("wan0", WAN0_MAC, "203.0.113.1", PEER)[1]), 7)
_host_says = tagged(arp_reply("core0", HOST_MAC, HOST, CORE0_MAC, "10.10.0.1"), 40)
_peer_says = tagged(arp_reply("wan0", PEER_MAC, PEER, WAN0_MAC, "203.0.113.1"), 7)


def up(packet: Ip4, *vids: int) -> tuple[str, bytes]:
    return tagged(("core0", ip_frame(CORE0_MAC, HOST_MAC, packet)), *vids)


def down(packet: Ip4, *vids: int) -> tuple[str, bytes]:
    return tagged(("wan0", ip_frame(WAN0_MAC, PEER_MAC, packet)), *vids)


def out_wan(packet: Ip4) -> tuple[str, bytes]:
    return tagged(("wan0", ip_frame(PEER_MAC, WAN0_MAC, packet)), 7)


def out_core(packet: Ip4) -> tuple[str, bytes]:
    return tagged(("core0", ip_frame(HOST_MAC, CORE0_MAC, packet)), 40)


_packet, _answer = native(sctp(data())), back(sctp(data()))
_learned = (inject(up(_packet, 40), expect=(_ask_peer,)),
            inject(_peer_says, expect=(out_wan(hop(wrap(_packet))),)),
            inject(down(wrap(_answer), 7), expect=(_ask_host,)),
            inject(_host_says, expect=(out_core(hop(_answer)),)))
_learning = (wrapped() + peeled() + originated("core0") + originated("wan0") + consumed("core0")
             + consumed("wan0"))


def fresh(name: str, counters, *then, config: Config = VLANS) -> Case:
    return Case(f"vlan/{name}", (), (), counters, config, then, fresh=True, resolved=False)


_ping = Ip4(HOST, "10.10.0.1", 1, bytes.fromhex("0800e5ca12340001"), flags="")
_pong = Ip4("10.10.0.1", HOST, 1, bytes.fromhex("0000edca12340001"), flags="", ttl=64)
_big = native(sctp(data(1493 - 20 - 28, pad=False)))
_ask_us = arp_request("core0", HOST_MAC, HOST, "10.10.0.1")

CASES = [
    fresh("through-the-tunnel", _learning, *_learned),
    # 802.1Q leaves the priority of what is forwarded to the bridge; here it starts anew.
    fresh("priority-bits-in", _learning + wrapped(), *_learned,
          inject(up(_packet, 0xE000 | 40), expect=(out_wan(hop(wrap(_packet))),))),
    fresh("arp-answered-with-a-tag", answered("core0"),
          inject(tagged(_ask_us, 40),
                 expect=(tagged(arp_reply("core0", CORE0_MAC, "10.10.0.1", HOST_MAC, HOST), 40),))),
    fresh("ping-answered-with-a-tag", answered("core0") + answered("core0"),
          inject(tagged(_ask_us, 40),
                 expect=(tagged(arp_reply("core0", CORE0_MAC, "10.10.0.1", HOST_MAC, HOST), 40),)),
          inject(up(_ping, 40), expect=(out_core(_pong),))),
    fresh("too-big-told-with-a-tag",
          _learning + originated("core0") + drops("x", up(_big, 40), "too_big", tunnel="to").counters,
          *_learned, inject(up(_big, 40), expect=(out_core(too_big(_big, 1492)),))),
]

# Who asks for an address of another VLAN gets no answer; what is of no VLAN here goes no further.
CASES += [replace(case, resolved=False) for case in (
    drops("vlan/arp-of-another-vlan", tagged(_ask_us, 41), "arp", VLANS),
    drops("vlan/arp-of-the-untagged", _ask_us, "arp", VLANS),
    drops("vlan/unknown-one", up(_packet, 42), "vlan_unknown", VLANS),
    drops("vlan/no-network-untagged", ("wan0", ip_frame(WAN0_MAC, PEER_MAC, wrap(_answer))),
          "vlan_unknown", VLANS),
    drops("vlan/service-tag", tagged(up(_packet), 40, tpid=0x88A8), "vlan_unknown", VLANS),
    drops("vlan/inside-of-a-vlan", up(_packet, 40, 41), "vlan_unknown", VLANS),
    drops("vlan/tag-cut", ("core0", up(_packet, 40)[1][:17]), "eth_vlan", VLANS),
    drops("vlan/header-only", ("core0", up(_packet, 40)[1][:18]), "ip4_hdr", VLANS),
    drops("vlan/other-protocol", ("core0", ether(CORE0_MAC, HOST_MAC, 0x88CC, text(50), vlan(40))),
          "eth_type", VLANS),
    drops("vlan/broadcast", tagged(("core0", ip_frame(BROADCAST, HOST_MAC, _packet)), 40),
          "multicast", VLANS),
)]

# VLAN 0 is a priority and no VLAN: the frame is as good as untagged.
CASES += [
    Case("vlan/priority-tag", (tagged(from_host(_packet), 0xA000),),
         (("wan0", ip_frame(PEER_MAC, WAN0_MAC, hop(wrap(_packet)))),), wrapped(), BASE),
    drops("vlan/priority-tag-of-no-network", tagged(("wan0", ip_frame(WAN0_MAC, PEER_MAC, _answer)), 0),
          "vlan_unknown", VLANS),
]
CASES[-1] = replace(CASES[-1], resolved=False)

# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Frames: too short, tagged, for others, of other protocols, padded, in bursts."""

import struct

from case import Case, drops, dropped, passed, peeled, wrapped
from packets import (CORE0_MAC, ENCAP, FAR4, FAR6, HOST4, HOST6, HOST_MAC, WAN0_MAC, Ip4, back,
                     chunk, data, ether, from_host, from_peer, hop, ip_frame, native, sctp, text, to_gate,
                     to_host, to_peer, udp_packet, vlan, wrap)

_ip = native(sctp(data()))
_frame = from_host(_ip)[1]
_lldp = bytes.fromhex("02070402000000000104070306020600780000")


def _tagged(*tags: bytes) -> tuple[str, bytes]:
    return "core0", ether(CORE0_MAC, HOST_MAC, 0x0800, _ip.raw(), b"".join(tags))


def _cut_tag(length: int) -> tuple[str, bytes]:
    """A frame of an 802.1Q tag that ends before the tag does."""
    return "core0", _tagged(vlan(40))[1][:length]


SHORT = [drops(f"ethernet/short-{n}", ("core0", _frame[:n]), "eth_short") for n in (1, 6, 13)]
SHORT += [drops("ethernet/header-only", ("core0", _frame[:14]), "ip4_hdr")]

VLAN = [drops(f"ethernet/vlan-cut-{n}", _cut_tag(n), "eth_vlan") for n in (14, 15, 17)]
VLAN += [
    drops("ethernet/vlan-second-cut", ("core0", _tagged(vlan(40), vlan(41))[1][:20]), "eth_vlan"),
    drops("ethernet/vlan-three-tags", _tagged(vlan(40), vlan(41), vlan(42)), "eth_vlan"),
    drops("ethernet/vlan-three-tags-qinq", _tagged(vlan(40, 0x88A8), vlan(41), vlan(42)),
          "eth_vlan"),
    drops("ethernet/vlan-unknown", _tagged(vlan(40)), "vlan_unknown"),
    drops("ethernet/vlan-unknown-4095", _tagged(vlan(4095)), "vlan_unknown"),
    drops("ethernet/vlan-two-tags", _tagged(vlan(40), vlan(41)), "vlan_unknown"),
    drops("ethernet/vlan-two-tags-qinq", _tagged(vlan(40, 0x88A8), vlan(41)), "vlan_unknown"),
]

DESTINATION = [
    drops("ethernet/other-station", ("core0", ip_frame("02:00:00:00:00:99", HOST_MAC, _ip)),
          "eth_dst"),
    drops("ethernet/other-port-of-ours", ("core0", ip_frame(WAN0_MAC, HOST_MAC, _ip)), "eth_dst"),
] + [
    drops(f"ethernet/other-station-bit-{bit}", ("core0", ip_frame(mac, HOST_MAC, _ip)), "eth_dst")
    for bit, mac in ((1, "00:00:00:00:00:01"), (40, "02:00:00:00:01:01"), (47, "02:00:00:00:00:00"))
]

TYPE = [
    drops("ethernet/type-lldp", ("core0", ether("01:80:c2:00:00:0e", HOST_MAC, 0x88CC, _lldp)),
          "eth_type"),
    drops("ethernet/type-llc", ("core0", ether(CORE0_MAC, HOST_MAC, 38, text(38))), "eth_type"),
    drops("ethernet/type-mpls", ("core0", ether(CORE0_MAC, HOST_MAC, 0x8847, text(46))),
          "eth_type"),
    drops("ethernet/type-says-ip6", ("core0", ether(CORE0_MAC, HOST_MAC, 0x86DD, _ip.raw())),
          "ip6_hdr"),
    drops("ethernet/type-says-ip4",
          ("core0", ether(CORE0_MAC, HOST_MAC, 0x0800, native(sctp(data()), True).raw())),
          "ip4_hdr"),
]

# The least frame is 60 bytes; what fills it is not the packet.
_forty = Ip4(HOST4, FAR4, 253, text(20))
_cookie_ack = sctp(b"\x0b\x00\x00\x04")
PADDING = [
    Case("ethernet/padding-bypass", (from_host(_forty, text(6)),), (to_gate(hop(_forty)),),
         passed("core0", "wan0")),
    Case("ethernet/padding-wrapped", (from_host(native(_cookie_ack), text(10)),),
         (to_peer(hop(wrap(native(_cookie_ack)))),), wrapped()),
    Case("ethernet/padding-peeled", (from_peer(wrap(back(_cookie_ack)), text(2)),),
         (to_host(hop(back(_cookie_ack))),), peeled()),
    Case("ethernet/padding-wrapped-v6", (from_host(native(_cookie_ack, True), text(40)),),
         (to_peer(hop(wrap(native(_cookie_ack, True)))),), wrapped()),
    Case("ethernet/padding-peeled-v6", (from_peer(wrap(back(_cookie_ack, True)), text(33)),),
         (to_host(hop(back(_cookie_ack, True))),), peeled()),
]


def _burst_up(n: int) -> Case:
    """Every fourth packet of another kind; all leave by one port in the order of arrival."""
    packets, out, tunnelled = [], [], 0
    for i in range(n):
        if i % 4 == 0:
            packet = native(sctp(data(20 + i, i)), id=i)
        elif i % 4 == 1:
            packet = udp_packet(HOST4, FAR4, 2000 + i, 53, text(i), id=i)
        elif i % 4 == 2:
            packet = native(sctp(data(20 + i, i)), True, fl=i)
        else:
            packet = udp_packet(HOST6, FAR6, 2000 + i, ENCAP, sctp(data(i)), fl=i)
        packets.append(from_host(packet))
        tunnelled += i % 2 == 0
        out.append(to_peer(hop(wrap(packet))) if i % 2 == 0 else to_gate(hop(packet)))
    return Case(f"ethernet/burst-up-{n}", tuple(packets), tuple(out),
                wrapped(tunnelled) + passed("core0", "wan0", n - tunnelled))


def _burst_down(n: int) -> Case:
    packets, out, count = [], [], passed("wan0", "core0", 0)
    for i in range(n):
        if i % 5 == 4:
            packets.append(from_peer(wrap(back(sctp(data(i, i)), id=i), chksum=0xBAD)))
            count += dropped("udp_csum", "wan0", tunnel="coat")
            continue
        v6 = i % 5 in (2, 3)
        packet = back(sctp(data(20 + i, i)), v6, **({"fl": i} if v6 else {"id": i}))
        bypass = i % 2 == 1
        packets.append(from_peer(packet if bypass else wrap(packet, sport=9899 + i)))
        out.append(to_host(hop(packet)))
        count += passed("wan0", "core0") if bypass else peeled()
    return Case(f"ethernet/burst-down-{n}", tuple(packets), tuple(out), count)


def _burst_crossing(n: int) -> Case:
    up = [native(sctp(data(20, i)), id=i) for i in range(n)]
    down = [back(sctp(data(20, i)), id=i) for i in range(n)]
    return Case(f"ethernet/burst-crossing-{n}",
                tuple(frame for u, d in zip(up, down)
                      for frame in (from_host(u), from_peer(wrap(d)))),
                tuple(frame for u, d in zip(up, down)
                      for frame in (to_peer(hop(wrap(u))), to_host(hop(d)))),
                wrapped(n) + peeled(n))


def _life_of_an_association() -> Case:
    """Handshake, data, shutdown: 16 packets of either side, each side's in one burst. Whatever a
    packet changes, the next one of its burst finds changed, and nothing overtakes."""
    ours, theirs = 0x5EED0001, 0x0FACADE1
    init = struct.pack("!IIHHI", ours, 65535, 10, 10, 1000)
    init_ack = struct.pack("!IIHHI", theirs, 65535, 10, 10, 2000) + chunk(7, text(64))
    sack = chunk(3, struct.pack("!IIHH", 1000, 65535, 0, 0))
    up = [sctp(chunk(1, init), vtag=0), sctp(chunk(10, text(64)), data(64, 0), vtag=theirs)]
    up += [sctp(data(100 + i, i), vtag=theirs) for i in range(1, 13)]
    up += [sctp(chunk(7, struct.pack("!I", 2013)), vtag=theirs), sctp(chunk(14), vtag=theirs)]
    down = [sctp(chunk(2, init_ack), vtag=ours), sctp(chunk(11), sack, vtag=ours)]
    down += [sctp(sack, data(200 + i, i), vtag=ours) for i in range(1, 14)]
    down += [sctp(chunk(8), vtag=ours)]
    assert len(up) + len(down) == 32
    there = [native(packet, id=i) for i, packet in enumerate(up)]
    here = [back(packet, id=i) for i, packet in enumerate(down)]
    return Case("ethernet/burst-life-of-an-association",
                tuple(frame for u, d in zip(there, here)
                      for frame in (from_host(u), from_peer(wrap(d)))),
                tuple(to_peer(hop(wrap(u))) for u in there) + tuple(to_host(hop(d)) for d in here),
                wrapped(16) + peeled(16))


_mixed_bad = [from_host(_ip), ("core0", _frame[:13]), from_host(native(b"\0" * 11)),
              from_host(native(sctp())), from_host(_ip.with_checksum_error(1)), from_host(_ip)]
BURST = [_burst_up(1), _burst_up(32), _burst_up(33), _burst_up(96), _burst_down(32),
         _burst_down(80), _burst_crossing(32), _life_of_an_association()]
BURST += [Case("ethernet/burst-good-among-bad", tuple(_mixed_bad),
               (to_peer(hop(wrap(_ip))),) * 2,
               wrapped(2) + dropped("eth_short", "core0") + dropped("sctp_short", "core0")
               + dropped("sctp_empty", "core0") + dropped("ip4_csum", "core0"))]

CASES = SHORT + VLAN + DESTINATION + TYPE + PADDING + BURST

# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""A gateway behind a NAT, as docs/network.md has it: real kernels talk through nftables' NAT."""

import itertools

import pytest

from support.association import LOAD, Health, assert_whole, connect, listen
from support.capture import AS_GUE, Capture, judge
from support.netns import Net
from support.penstock import Penstock, far_gateway_config, running
from support.process import wait_until
from support.router import Router, Side
from support.uml import Interface, Kernel

BEHIND, NAT, FAR = "192.168.1.2", "192.0.2.80", "192.0.2.1"
LAN = {"a": "10.10.0", "b": "10.20.0"}
_ports = itertools.count(7000)

# What a border router does with its one address, and what a cloud does with an address for each.
KINDS = {
    "masquerade": f"""
        nft add rule ip nat in iifname far udp dport 6080 dnat to {BEHIND}
        nft add rule ip nat out oifname far masquerade""",
    "1-to-1": f"""
        nft add rule ip nat in iifname far ip daddr {NAT} dnat to {BEHIND}
        nft add rule ip nat out oifname far ip saddr {BEHIND} snat to {NAT}"""}


class BehindNat:
    """Gateway a behind a NAT, gateway b in the open, a native kernel behind each."""

    def __init__(self, net, kind):
        self.spaces = {name: net.namespace(name) for name in LAN}
        self.router = Router(net, Side(self.spaces["a"], "wan", ["192.168.1.1/24"]),
                             Side(self.spaces["b"], "wan", [f"{NAT}/24"]))
        self.router.space.shell(f"""
            for conf in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 1 > $conf; done
            nft add table ip nat
            nft add chain ip nat in '{{ type nat hook prerouting priority dstnat; }}'
            nft add chain ip nat out '{{ type nat hook postrouting priority srcnat; }}'
            {KINDS[kind]}""")
        for space in self.spaces.values():
            space.tap("tap")
        self.hosts = {name: Kernel(net, name, [Interface(self.spaces[name], "tap",
                                                         [f"{lan}.2/24"])],
                                   routes=[("default", f"{lan}.1")])
                      for name, lan in LAN.items()}
        for host in self.hosts.values():
            host.ready()

    def gateways(self, build):
        for name, far, wan, peer in (("a", "b", BEHIND, FAR), ("b", "a", FAR, NAT)):
            config = far_gateway_config(("tap", [f"{LAN[name]}.1/24"]), ("wan", [f"{wan}/24"]),
                                        {"site": f"{peer}:6080"}, [f"{LAN[far]}.0/24"])
            if name == "a":
                config += '[[route]]\nto = "0.0.0.0/0"\nnext-hop = "192.168.1.1"\n'
            yield Penstock(self.spaces[name], build, config, f"penstock-{name}")


@pytest.fixture(scope="module", params=KINDS)
def behind_nat(request):
    with Net() as net:
        yield BehindNat(net, request.param)


def test_sctp_both_ways(behind_nat, build, sctp_peer):
    with running(*behind_nat.gateways(build)) as penstocks:
        wait_until(lambda: all(p.tunnels()["site"]["state"] == "up" for p in penstocks), 10,
                   lambda: f"both ends are up: {[p.said() for p in penstocks]}")
        a, b = behind_nat.hosts.values()
        with Capture(behind_nat.router.space, "far") as capture:
            for active, passive, lan in ((a, b, LAN["b"]), (b, a, LAN["a"])):
                port, health = next(_ports), Health.of(active, passive)
                server = listen(passive, sctp_peer, f"{lan}.2", *LOAD, port=port)
                client = connect(active, sctp_peer, f"{lan}.2", *LOAD, port=port)
                assert_whole(client.report(), server.report())
                health.assert_clean()
        wire = judge(capture.path, *AS_GUE)
        assert len([packet for packet in wire.packets if packet.sctp]) > 200
        # Nothing leaves a tunnel that was for a gateway: no naked ping, nor SCTP.
        assert not wire.native()
        assert not [packet for packet in wire.packets if packet.icmp and not
                    packet.fields["udp.dstport"]]
        for penstock in penstocks:
            penstock.assert_no_loss("too_big")
            assert penstock.tunnels()["site"]["mtu"] == 1500

# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""A router inside a site that takes less than the tunnel: what it says to the other site's hosts goes
through the tunnel, like the SCTP that it is about."""

import itertools

import pytest

from support.association import LOAD, Health, assert_whole, connect, listen
from support.capture import AS_GUE, Capture, judge
from support.netns import Net
from support.penstock import Penstock, far_gateway_config, running
from support.process import wait_until
from support.router import Router, Side
from support.uml import Interface, Kernel

FAMILIES = ("IPv4", "IPv6")
NARROW = 1300
A = {"IPv4": "10.11.0.2", "IPv6": "2001:db8:11::2"}
NETWORKS = {"a": ["10.11.0.0/24", "2001:db8:11::/64"], "b": ["10.20.0.0/24", "2001:db8:b::/64"]}
CORE = {"a": ["10.10.0.1/24", "2001:db8:a::1/64"], "b": ["10.20.0.1/24", "2001:db8:b::1/64"]}
WAN = {"a": "203.0.113.1", "b": "203.0.113.2"}
_ports = itertools.count(8000)


class Sites:
    """host a ── router (1300) ── gateway a ══ gateway b ── host b"""

    def __init__(self, net):
        self.a, self.b, lan = (net.namespace(name) for name in ("a", "b", "lan"))
        net.veth((self.a, "wan"), (self.b, "wan"))
        self.router = Router(net, Side(self.a, "core", ["10.10.0.254/24", "2001:db8:a::fe/64"]),
                             Side(lan, "router", ["10.11.0.254/24", "2001:db8:11::fe/64"]))
        for prefix, via in zip(NETWORKS["b"], ("10.10.0.1", "2001:db8:a::1")):
            self.router.route("near", prefix, via)
        self.router.set_path_mtu(NARROW)
        lan.tap("tap")
        lan.bridge("lan", ["router", "tap"])
        self.b.tap("core")
        self.host_a = Kernel(net, "a", [Interface(lan, "tap", [f"{A['IPv4']}/24",
                                                               f"{A['IPv6']}/64"])],
                             routes=[("default", "10.11.0.254"), ("default", "2001:db8:11::fe")])
        self.host_b = Kernel(net, "b", [Interface(self.b, "core", ["10.20.0.2/24",
                                                                   "2001:db8:b::2/64"])],
                             routes=[("default", "10.20.0.1"), ("default", "2001:db8:b::1")])
        for host in (self.host_a, self.host_b):
            host.ready()

    def gateways(self, build):
        for name, far, space in (("a", "b", self.a), ("b", "a", self.b)):
            config = far_gateway_config(("core", CORE[name]), ("wan", [f"{WAN[name]}/24"]),
                                        {"site": f"{WAN[far]}:6080"}, NETWORKS[far])
            if name == "a":
                for prefix, via in zip(NETWORKS["a"], ("10.10.0.254", "2001:db8:a::fe")):
                    config += f'[[route]]\nto = "{prefix}"\nnext-hop = "{via}"\n'
            yield Penstock(space, build, config, f"penstock-{name}")


@pytest.fixture(scope="module")
def sites():
    with Net() as net:
        yield Sites(net)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_other_site_learns_it(sites, build, sctp_peer, family):
    with running(*sites.gateways(build)) as penstocks:
        wait_until(lambda: all(p.tunnels()["site"]["state"] == "up" for p in penstocks), 10,
                   lambda: f"both ends are up: {[p.said() for p in penstocks]}")
        port, health = next(_ports), Health.of(sites.host_a, sites.host_b)
        inside, wan = Capture(sites.a, "core"), Capture(sites.a, "wan")
        server = listen(sites.host_a, sctp_peer, A[family], *LOAD, port=port)
        client = connect(sites.host_b, sctp_peer, A[family], *LOAD, port=port)
        assert_whole(client.report(60), server.report(60))
        health.assert_clean()
        wanted = "2" if family == "IPv6" else "3"
        field = "icmpv6.type" if family == "IPv6" else "icmp.type"

        def errors(wire):
            return [p for p in wire.packets if wanted in p.fields[field]]

        told = errors(judge(inside.stop()))
        assert told, "the router refused something"
        went = errors(judge(wan.stop(), *AS_GUE))
        assert len(went) == len(told)
        assert all(p.fields["udp.dstport"][:1] == ["6080"] for p in went), "none of it natively"
        for penstock in penstocks:
            penstock.assert_no_loss("too_big")

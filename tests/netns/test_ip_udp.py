# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""ip-udp between two gateways with real kernels behind them, and towards Linux's own fou."""

import itertools

import pytest

from support.association import LOAD, Health, assert_whole, connect, listen
from support.capture import Capture, judge
from support.netns import Net
from support.penstock import Penstock, far_gateway_config, running
from support.process import wait_until
from support.topology import SiteToSite
from support.uml import Interface, Kernel

PORT = 6080
ROOM = 1500 - 40 - 8  # what either IP version leaves inside
INSIDE = ("-d", f"udp.port=={PORT},ip")
MODULES = "/usr/lib/uml/modules/*/kernel/net"
FOU = ("ipv4/ip_tunnel ipv4/tunnel4 ipv4/ipip ipv6/sit ipv6/tunnel6 ipv6/ip6_tunnel ipv4/fou "
       "ipv6/fou6").split()
_ports = itertools.count(6000)


def is_up(penstock, name="site-b"):
    return penstock.tunnels()[name]["state"] == "up"


def wait_until_up(*penstocks):
    for penstock in penstocks:
        wait_until(lambda: is_up(penstock), 5, lambda: f"the tunnel is up\n{penstock.said()}")


def talk(active, passive, sctp_peer, address):
    port = next(_ports)
    health = Health.of(active, passive)
    server = listen(passive, sctp_peer, address, *LOAD, port=port)
    assert_whole(connect(active, sctp_peer, address, *LOAD, port=port).report(), server.report())
    health.assert_clean()


class FarGateways(SiteToSite):
    """Two gateways whose far end is the other one, over either IP version."""

    version = "IPv4"
    mtu = ROOM

    def _gateway(self, build, name, far_name):
        near, far = self._sides[name], self._sides[far_name]
        config = far_gateway_config(("tap", near["gateway"]), ("wan", near["wan"]),
                                    {"site-b": peer_of(far["wan"], self.version)}, far["lan"])
        return Penstock(self.spaces[name], build, config, f"penstock-{name}")


def peer_of(addresses, version):
    address = addresses[version == "IPv6"].split("/")[0]
    return f"[{address}]:{PORT}" if version == "IPv6" else f"{address}:{PORT}"


@pytest.fixture(scope="module")
def sites():
    with Net() as net:
        yield FarGateways(net)


@pytest.mark.parametrize("outside", ["IPv4", "IPv6"])
def test_associations_of_both_families(sites, build, sctp_peer, outside):
    sites.version = outside
    with sites.gateways(build) as penstocks:
        wait_until_up(*penstocks)
        captures = sites.captures()
        talk(sites.west, sites.east, sctp_peer, sites.east_address["IPv4"])
        talk(sites.east, sites.west, sctp_peer, sites.west_address["IPv6"])
        wan = judge(captures["wan"][0].stop(), *INSIDE)
        for access in captures["access"]:
            wire = judge(access.stop())
            assert len(wire.native()) > 200 and not wire.encapsulated(PORT)
        assert len(wan.encapsulated(PORT)) > 200 and not wan.native()
        # Associations have source ports of their own, so that queues and links share the load.
        sources = {packet.udp_ports[0] for packet in wan.encapsulated(PORT)}
        assert len(sources) >= 4 and all(port >= 49152 for port in sources), sources
        for penstock in penstocks:
            penstock.assert_no_loss()
            assert penstock.tunnels()["site-b"]["mtu"] == 1500


def test_a_far_gateway_that_dies_and_comes_back(sites, build, sctp_peer):
    sites.version = "IPv4"
    west, east = (sites._gateway(build, *names) for names in (("west", "east"), ("east", "west")))
    with running(west):
        wait_until_up(west, east)
        east.process.kill()  # as if it lost power
        wait_until(lambda: not is_up(west), 2, lambda: f"silence is noticed\n{west.said()}")
        sites.west.run(f"{sctp_peer} connect --port 7 --peer {sites.east_address['IPv4']} || true",
                       timeout=30)
        assert west.drops()["tunnel_down"] > 0
        with running(sites._gateway(build, "east", "west")) as [east]:
            wait_until_up(west, east)
            talk(sites.west, sites.east, sctp_peer, sites.east_address["IPv4"])


class Linux:
    """A gateway between a native kernel and one that takes IP out of UDP by itself.

    Debian's kernel cannot put it in (NET_FOU_IP_TUNNELS): what it says comes back natively.
    """

    inner = {"IPv4": "10.20.0.2", "IPv6": "2001:db8:b::2"}

    def __init__(self, net):
        self.space = net.namespace("gateway")
        for tap in ("tapW", "tapE"):
            self.space.tap(tap)
        self.west = Kernel(
            net, "west", [Interface(self.space, "tapW", ["10.10.0.2/24", "2001:db8:a::2/64"], ROOM)],
            routes=[("default", "10.10.0.1"), ("default", "2001:db8:a::1")])
        self.east = Kernel(
            net, "east",
            [Interface(self.space, "tapE", ["203.0.113.14/24", "2001:db8:1::e/64", "10.20.0.2/32",
                                            "2001:db8:b::2/128"])],
            routes=[("10.10.0.0/24", f"203.0.113.1 mtu {ROOM}"),
                    ("2001:db8:a::/64", f"2001:db8:1::1 mtu {ROOM}")])
        for kernel in (self.west, self.east):
            kernel.ready()
        self.east.run("\n".join(f"busybox insmod {MODULES}/{module}.ko" for module in FOU) + """
            ip link set tunl0 up; ip link set sit0 up; ip link set ip6tnl0 up
            ip link set ip6tnl0 type ip6tnl mode any || true
            for conf in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $conf; done""")

    def gateway(self, build, outside):
        peer = f"[2001:db8:1::e]:{PORT}" if outside == "IPv6" else f"203.0.113.14:{PORT}"
        config = far_gateway_config(
            ("tapW", ["10.10.0.1/24", "2001:db8:a::1/64"]),
            ("tapE", ["203.0.113.1/24", "2001:db8:1::1/64"]), {"site-b": peer},
            ["10.20.0.0/24", "2001:db8:b::/64"])
        # What it says comes back natively.
        config += ('[[rule]]\nname = "plain-back"\nfrom = "wan0"\naction = "bypass"\n'
                   'to = ["10.10.0.0/24", "2001:db8:a::/64"]\n')
        return Penstock(self.space, build, config)


@pytest.fixture(scope="module")
def linux():
    with Net() as net:
        yield Linux(net)


@pytest.mark.parametrize("outside,how,inside", [
    ("IPv4", "gue", "IPv4"), ("IPv4", "gue", "IPv6"), ("IPv4", "ipproto 4", "IPv4"),
    ("IPv6", "gue", "IPv6"), ("IPv6", "ipproto 41", "IPv6")])
def test_linux_takes_it_out(linux, build, sctp_peer, outside, how, inside):
    fou = "ip -6 fou" if outside == "IPv6" else "ip fou"
    linux.east.run(f"{fou} add port {PORT} {how}")
    try:
        with running(linux.gateway(build, outside)) as [penstock]:
            wait_until_up(penstock)  # it answers pings inside, natively
            capture = Capture(linux.space, "tapE")
            talk(linux.west, linux.east, sctp_peer, linux.inner[inside])
            wire = judge(capture.stop(), *INSIDE)
            outward = {packet.destination for packet in wire.encapsulated(PORT)}
            assert len(wire.encapsulated(PORT)) > 100, outward
            assert penstock.tunnels()["site-b"]["mtu"] == 1500
            penstock.assert_no_loss()
    finally:
        linux.east.run(f"{fou} del port {PORT}")

# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""`ip-udp` between real kernels: to Linux's own receiver, and between two gateways whose path carries
less, or more, than the links say."""

import pytest

from support.capture import AS_GUE, GUE_PORT, Capture, judge
from support.fou import GATEWAY, INNER, OUTER, FouPeer
from support.frames import by_sender, frames_in
from support.netns import Net
from support.penstock import Penstock
from support.sites import CORE, FAMILIES, HOST, Sites, gateway, native_host, talk, tunnelled
from support.sites import INNER as FAR_HOST

ETHERNET = 14

class ToLinux:
    """A native kernel, a gateway, and a kernel that takes UDP 6080 apart by itself."""

    def __init__(self, net, outer):
        self.outer = outer
        self.space = net.namespace("gateway")
        self.space.tap("tap")
        self.peer = FouPeer(net, self.space, "wan", outer=outer)
        self.west = native_host(net, "west", self.space, "tap", HOST["a"],
                                ("10.10.0.1", "2001:db8:a::1"))
        self.peer.ready()
        self.west.ready()

    def gateway(self, build):
        lengths = {"IPv4": 24, "IPv6": 64}
        # The kernel's inner hosts are behind the tunnel; the way there is to the kernel itself.
        routes = [("10.20.0.0/24", OUTER["IPv4"]), ("2001:db8:b::/64", OUTER["IPv6"])]
        return Penstock(self.space, build, gateway(
            ("tap", CORE["a"]), ("wan", [f"{GATEWAY[f]}/{lengths[f]}" for f in FAMILIES]),
            OUTER[self.outer], ["10.20.0.0/24", "2001:db8:b::/64"], routes=routes))


@pytest.fixture(scope="module", params=FAMILIES)
def to_linux(request):
    with Net() as net:
        yield ToLinux(net, request.param)


@pytest.mark.parametrize("family", FAMILIES)
def test_linux_takes_it_apart(to_linux, build, sctp_peer, family):
    with tunnelled(to_linux.gateway(build)) as [penstock]:
        with Capture(to_linux.space, "wan") as capture:
            talk(sctp_peer, to_linux.west, to_linux.peer.kernel, INNER[family])
        wire = judge(capture.path, *AS_GUE)
        assert len([packet for packet in wire.packets if packet.sctp]) > 100
        assert not wire.native()
        tunnel = penstock.tunnels()["site-b"]
        assert tunnel["mtu"] == 1500 and tunnel["rx_packets"] > 50
        penstock.assert_no_loss("too_big")


@pytest.fixture(scope="module", params=[1400, 1280, 9000], ids="path {}".format)
def sites(request):
    with Net() as net:
        yield Sites(net, request.param)


BIG_MESSAGES = ("--messages", "60", "--streams", "3", "--sizes", "100,1400,9000,64000")


def families_that_fit(path_mtu):
    """Of 1280 bytes less is left inside than IPv6 may be told."""
    return FAMILIES if path_mtu > 1280 else ("IPv4",)


@pytest.mark.parametrize("outer", FAMILIES)
def test_the_path_decides_how_large_packets_are(sites, build, sctp_peer, outer):
    path_mtu = sites.router.path_mtu
    with tunnelled(*sites.gateways(build, outer)) as penstocks:
        sites.wait_for_path_mtu(penstocks)
        with sites.capture("a", "wan") as capture:
            for family in families_that_fit(path_mtu):
                talk(sctp_peer, sites.a, sites.b, FAR_HOST[family], BIG_MESSAGES)
        wire = judge(capture.path, *AS_GUE)
        assert len([packet for packet in wire.packets if packet.sctp]) > 100
        assert not wire.native()
        assert_filled(wire, path_mtu)
        for penstock in penstocks:
            penstock.assert_no_loss("too_big")


def assert_filled(wire, path_mtu):
    """What hosts say is in packets, either way, as large as the path takes, but for SCTP's padding
    to four bytes; none is larger. (Probes of the tunnel may be.)"""
    frames = frames_in(wire.path)
    senders = by_sender(frames[packet.number - 1] for packet in wire.packets if not packet.icmp)
    largest = [max(map(len, sent)) - ETHERNET for sent in senders.values()]
    assert len(largest) == 2 and all(path_mtu - 4 < length <= path_mtu for length in largest), \
        (path_mtu, largest)


@pytest.fixture(scope="module")
def jumbo_hosts():
    """Kernels whose links carry 9000 bytes, and a path of 1400."""
    with Net() as net:
        yield Sites(net, 1400, link_mtu=9000)


@pytest.mark.parametrize("outer", FAMILIES)
def test_hosts_with_jumbo_packets_are_told_of_a_narrow_path(jumbo_hosts, build, sctp_peer, outer):
    sites = jumbo_hosts
    with tunnelled(*sites.gateways(build, outer)) as penstocks:
        sites.wait_for_path_mtu(penstocks)
        with (sites.capture("a", "wan") as wan, sites.capture("a", "tap") as one,
              sites.capture("b", "tap") as other):
            for family in FAMILIES:
                talk(sctp_peer, sites.a, sites.b, FAR_HOST[family], BIG_MESSAGES)
        wire = judge(wan.path, *AS_GUE)
        assert len(wire.encapsulated(GUE_PORT)) > 100
        assert_filled(wire, 1400)
        for access, penstock in zip((one, other), penstocks):
            told = [packet for packet in judge(access.path).packets if is_too_big(packet)]
            assert told, access.path
            penstock.assert_no_loss("too_big")
            assert penstock.drops()["too_big"] >= len(told)


def is_too_big(packet):
    return packet.fields["icmp.type"][:1] == ["3"] or packet.fields["icmpv6.type"][:1] == ["2"]

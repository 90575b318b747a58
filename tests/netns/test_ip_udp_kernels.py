# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""`ip-udp` between real kernels: to Linux's own receiver, and between two gateways whose path carries
less, or more, than the links say."""

import itertools
from contextlib import contextmanager

import pytest

from support.association import LOAD, Health, assert_whole, connect, listen
from support.capture import AS_GUE, Capture, judge
from support.fou import GATEWAY, INNER, OUTER, FouPeer
from support.netns import Net
from support.penstock import ENGINE, Penstock
from support.process import wait_until
from support.router import Router, Side
from support.uml import Interface, Kernel

FAMILIES = ("IPv4", "IPv6")
_ports = itertools.count(6000)


def gateway(core, wan, peer, to, mtu=1500, routes=()):
    """core and wan are (interface, addresses); what is `to` goes into the tunnel to `peer`."""
    text = ENGINE
    for number, (name, (interface, addresses)) in enumerate((("core0", core), ("wan0", wan))):
        text += (f'[[port]]\nname = "{name}"\nmtu = {mtu}\n'
                 f'device = "net_af_packet{number},iface={interface},qdisc_bypass=0"\n'
                 f"address = {addresses}\n".replace("'", '"'))
    for prefix, via in routes:
        text += f'[[route]]\nto = "{prefix}"\nnext-hop = "{via}"\n'
    peer = f"[{peer}]" if ":" in peer else peer
    text += f'[[tunnel]]\nname = "site-b"\nvia = "ip-udp"\nport = "wan0"\npeer = "{peer}:6080"\n'
    return text + (f'[[rule]]\nname = "out"\nfrom = "core0"\nto = {to}\n'.replace("'", '"')
                   + 'tunnel = "site-b"\n')


@contextmanager
def running(*penstocks):
    try:
        wait_until(lambda: all(p.tunnels()["site-b"]["state"] == "up" for p in penstocks), 10,
                   "the tunnel is up")
        yield penstocks
        for penstock in penstocks:
            penstock.assert_balanced()
            penstock.stop()
    finally:
        for penstock in penstocks:
            penstock.process.kill()


def talk(sctp_peer, active, passive, address, load=LOAD):
    port = next(_ports)
    health = Health.of(active, passive)
    server = listen(passive, sctp_peer, address, *load, port=port)
    assert_whole(connect(active, sctp_peer, address, *load, port=port).report(), server.report())
    health.assert_clean()


def host(net, name, space, tap, addresses, gateways):
    return Kernel(net, name, [Interface(space, tap, addresses)],
                  routes=[("default", via) for via in gateways])


CORE = ["10.10.0.1/24", "2001:db8:a::1/64"]
HOST = ["10.10.0.2/24", "2001:db8:a::2/64"]


class ToLinux:
    """A native kernel, a gateway, and a kernel that takes UDP 6080 apart by itself."""

    def __init__(self, net, outer):
        self.outer = outer
        self.space = net.namespace("gateway")
        self.space.tap("tap")
        self.peer = FouPeer(net, self.space, "wan", outer=outer)
        self.west = host(net, "west", self.space, "tap", HOST, ("10.10.0.1", "2001:db8:a::1"))
        self.peer.ready()
        self.west.ready()

    def gateway(self, build):
        lengths = {"IPv4": 24, "IPv6": 64}
        # The kernel's inner hosts are behind the tunnel; the way there is to the kernel itself.
        routes = [("10.20.0.0/24", OUTER["IPv4"]), ("2001:db8:b::/64", OUTER["IPv6"])]
        return Penstock(self.space, build, gateway(
            ("tap", CORE), ("wan", [f"{GATEWAY[f]}/{lengths[f]}" for f in FAMILIES]),
            OUTER[self.outer], ["10.20.0.0/24", "2001:db8:b::/64"], routes=routes))


@pytest.fixture(scope="module", params=FAMILIES)
def to_linux(request):
    with Net() as net:
        yield ToLinux(net, request.param)


@pytest.mark.parametrize("family", FAMILIES)
def test_linux_takes_it_apart(to_linux, build, sctp_peer, family):
    with running(to_linux.gateway(build)) as [penstock]:
        with Capture(to_linux.space, "wan") as capture:
            talk(sctp_peer, to_linux.west, to_linux.peer.kernel, INNER[family])
        wire = judge(capture.path, *AS_GUE)
        assert len([packet for packet in wire.packets if packet.sctp]) > 100
        assert not wire.native()
        tunnel = penstock.tunnels()["site-b"]
        assert tunnel["mtu"] == 1500 and tunnel["rx_packets"] > 50
        penstock.assert_no_loss("too_big")


class Sites:
    """Two gateways with a native kernel each, and a router between them."""

    def __init__(self, net, mtu):
        self.mtu = mtu
        self.spaces = {name: net.namespace(name) for name in ("a", "b")}
        self.router = Router(net, Side(self.spaces["a"], "wan", ["203.0.113.254/24",
                                                                "2001:db8:1::fe/64"]),
                             Side(self.spaces["b"], "wan", ["198.51.100.254/24",
                                                           "2001:db8:2::fe/64"]), mtu=mtu)
        for space in self.spaces.values():
            space.tap("tap")
        self.a = host(net, "a", self.spaces["a"], "tap", HOST, ("10.10.0.1", "2001:db8:a::1"))
        self.b = host(net, "b", self.spaces["b"], "tap", ["10.20.0.2/24", "2001:db8:b::2/64"],
                      ("10.20.0.1", "2001:db8:b::1"))
        for kernel in (self.a, self.b):
            kernel.ready()

    def gateways(self, build, outer):
        wan = {"a": ["203.0.113.1/24", "2001:db8:1::1/64"],
               "b": ["198.51.100.1/24", "2001:db8:2::1/64"]}
        core = {"a": CORE, "b": ["10.20.0.1/24", "2001:db8:b::1/64"]}
        hop = {"a": ("203.0.113.254", "2001:db8:1::fe"), "b": ("198.51.100.254", "2001:db8:2::fe")}
        to = {"a": ["10.20.0.0/24", "2001:db8:b::/64"], "b": ["10.10.0.0/24", "2001:db8:a::/64"]}
        made = []
        for name, far in (("a", "b"), ("b", "a")):
            peer = wan[far][FAMILIES.index(outer)].split("/")[0]
            routes = [("0.0.0.0/0", hop[name][0]), ("::/0", hop[name][1])]
            made.append(Penstock(self.spaces[name], build, gateway(
                ("tap", core[name]), ("wan", wan[name]), peer, to[name], max(self.mtu, 1500), routes),
                f"penstock-{name}"))
        return made


@pytest.fixture(scope="module", params=[1400, 1280, 9000], ids="path {}".format)
def sites(request):
    with Net() as net:
        yield Sites(net, request.param)


@pytest.mark.parametrize("outer", FAMILIES)
def test_the_path_decides_how_large_packets_are(sites, build, sctp_peer, outer):
    # Of 1280 bytes less is left inside than IPv6 may be told.
    families = FAMILIES if sites.mtu > 1280 else ("IPv4",)
    with running(*sites.gateways(build, outer)) as penstocks:
        wait_until(lambda: all(p.tunnels()["site-b"]["mtu"] == sites.mtu for p in penstocks), 20,
                   lambda: f"the path MTU is found: {[p.tunnels() for p in penstocks]}")
        with Capture(sites.spaces["a"], "wan") as capture:
            for family in families:
                address = {"IPv4": "10.20.0.2", "IPv6": "2001:db8:b::2"}[family]
                talk(sctp_peer, sites.a, sites.b, address,
                     ("--messages", "60", "--streams", "3", "--sizes", "100,1400,9000,64000"))
        wire = judge(capture.path, *AS_GUE)
        assert len([packet for packet in wire.packets if packet.sctp]) > 100
        assert not wire.native()
        for penstock in penstocks:
            penstock.assert_no_loss("too_big")

# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Two sites by `ip-udp`: a native kernel and a gateway each, and between them a path of some MTU,
which may be a bad wire for a part of the way.

    sites = Sites(net, 1400)
    with tunnelled(*sites.gateways(build, outer="IPv6")) as penstocks:
        sites.wait_for_path_mtu(penstocks)
        talk(sctp_peer, sites.a, sites.b, INNER["IPv4"])

    kernel a ──tap gateway wan── [left, bad wire, right] ── router ──wan gateway tap── kernel b
"""

import itertools
from contextlib import contextmanager

from support.association import LOAD, Health, assert_whole, connect, listen
from support.capture import Capture
from support.penstock import ENGINE, Penstock, running
from support.process import wait_until
from support.router import LEAST_MTU, Router, Side
from support.uml import Interface, Kernel

FAMILIES = ("IPv4", "IPv6")
INNER = {"IPv4": "10.20.0.2", "IPv6": "2001:db8:b::2"}  # of kernel b

# By site: what its kernel has, its gateway has towards it and towards the path, and the next hops.
HOST = {"a": ["10.10.0.2/24", "2001:db8:a::2/64"], "b": ["10.20.0.2/24", "2001:db8:b::2/64"]}
CORE = {"a": ["10.10.0.1/24", "2001:db8:a::1/64"], "b": ["10.20.0.1/24", "2001:db8:b::1/64"]}
_WAN = {"a": ["203.0.113.1/24", "2001:db8:1::1/64"], "b": ["198.51.100.1/24", "2001:db8:2::1/64"]}
_HOP = {"a": ["203.0.113.254", "2001:db8:1::fe"], "b": ["198.51.100.254", "2001:db8:2::fe"]}
_NETWORKS = {"a": ["10.10.0.0/24", "2001:db8:a::/64"], "b": ["10.20.0.0/24", "2001:db8:b::/64"]}
_ROUTER = {"a": ["203.0.113.254/24", "2001:db8:1::fe/64"],
           "b": ["198.51.100.254/24", "2001:db8:2::fe/64"]}

_ports = itertools.count(6000)


def gateway(core, wan, peer, to, mtu=1500, routes=(), engine=""):
    """core and wan are (interface, addresses); what is `to` goes into the tunnel to `peer`; engine
    has more lines for its section."""
    text = ENGINE.replace("[engine]", f"[engine]\n{engine}")
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
def tunnelled(*penstocks):
    """running(), and their tunnels are up."""
    with running(*penstocks):
        wait_until(lambda: all(p.tunnels()["site-b"]["state"] == "up" for p in penstocks), 10,
                   "the tunnel is up")
        yield penstocks


def talk(sctp_peer, active, passive, address, load=LOAD, timeout=20):
    """An association from its begin to its end: everything arrives, and nobody complains."""
    port = next(_ports)
    health = Health.of(active, passive)
    server = listen(passive, sctp_peer, address, *load, port=port)
    client = connect(active, sctp_peer, address, *load, port=port)
    assert_whole(client.report(timeout), server.report(timeout))
    health.assert_clean()


def native_host(net, name, space, tap, addresses, gateways, mtu=1500):
    return Kernel(net, name, [Interface(space, tap, addresses, mtu)],
                  routes=[("default", via) for via in gateways])


class Sites:
    """The kernels, and all between them but the gateways."""

    def __init__(self, net, path_mtu, link_mtu=None, with_wire=False):
        """link_mtu: of every link, the kernels' too; else what the path needs, or 1500. with_wire:
        in the namespace `wire` a bad wire has to join "left" and "right"."""
        self.link_mtu = link_mtu or max(path_mtu, LEAST_MTU)
        self.spaces = {name: net.namespace(name) for name in ("a", "b")}
        near = Side(self.spaces["a"], "wan", _ROUTER["a"])
        if with_wire:
            self.wire = net.namespace("wire")
            net.veth((self.spaces["a"], "wan"), (self.wire, "left"), self.link_mtu)
            near.namespace, near.interface = self.wire, "right"
        self.router = Router(net, near, Side(self.spaces["b"], "wan", _ROUTER["b"]),
                             mtu=self.link_mtu)
        self.router.set_path_mtu(path_mtu)
        for space in self.spaces.values():
            space.tap("tap", self.link_mtu)
        self.a, self.b = (native_host(net, name, space, "tap", HOST[name],
                                      [address.split("/")[0] for address in CORE[name]],
                                      self.link_mtu) for name, space in self.spaces.items())
        for kernel in (self.a, self.b):
            kernel.ready()

    def gateways(self, build, outer, engine=""):
        # Probes of gateways that were there before are nothing for these.
        self.router.forget_neighbors()
        return [self._gateway(build, outer, engine, *names) for names in (("a", "b"), ("b", "a"))]

    def _gateway(self, build, outer, engine, name, far):
        peer = _WAN[far][FAMILIES.index(outer)].split("/")[0]
        return Penstock(
            self.spaces[name], build,
            gateway(("tap", CORE[name]), ("wan", _WAN[name]), peer, _NETWORKS[far], self.link_mtu,
                    zip(("0.0.0.0/0", "::/0"), _HOP[name]), engine), f"penstock-{name}")

    def capture(self, name, interface):
        """At the gateway of that site: "tap" or "wan"."""
        space = self.spaces[name]
        return Capture(space, interface, f"{space.net.directory}/{name}-{interface}.pcap",
                       longest=10_000)

    def wait_for_path_mtu(self, penstocks):
        wait_until(lambda: all(p.tunnels()["site-b"]["mtu"] == self.router.path_mtu
                               for p in penstocks), 20,
                   lambda: f"the path MTU is found: {[p.tunnels() for p in penstocks]}")

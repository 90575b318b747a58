# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The two networks in which kernels talk through Penstock.

    Direct:     west (native) ── penstock ── east (RFC 6951 itself)
    SiteToSite: west (native) ── penstock ══ penstock ── east (native)

A native host leaves room for the UDP header in its MTU; tests of the path MTU raise it.
"""

from contextlib import contextmanager

from support.capture import ENCAP_PORT, Capture
from support.penstock import Penstock, gateway_config, running
from support.uml import Interface, Kernel

ROOM_FOR_UDP = 1492


class Direct:
    """One gateway between a native kernel and one that encapsulates."""

    west_address = {"IPv4": "10.10.0.2", "IPv6": "2001:db8:a::2"}
    east_address = {"IPv4": "203.0.113.14", "IPv6": "2001:db8:1::e"}

    def __init__(self, net):
        self.space = net.namespace("gateway")
        for tap in ("tapW", "tapE"):
            self.space.tap(tap)
        self.west = Kernel(
            net, "west",
            [Interface(self.space, "tapW", ["10.10.0.2/24", "2001:db8:a::2/64"], ROOM_FOR_UDP)],
            routes=[("default", "10.10.0.1"), ("default", "2001:db8:a::1")])
        self.east = Kernel(
            net, "east",
            [Interface(self.space, "tapE", ["203.0.113.14/24", "2001:db8:1::e/64"])],
            routes=[("10.10.0.0/24", "203.0.113.1"), ("2001:db8:a::/64", "2001:db8:1::1")],
            encap=ENCAP_PORT)
        for kernel in (self.west, self.east):
            kernel.ready()

    @contextmanager
    def gateways(self, build, core="tapW", wan="tapE", workers=1, engine=""):
        """The gateway, running; on a good end it must balance and stop in time. `engine`: more keys
        of its section."""
        config = gateway_config(
            (core, ["10.10.0.1/24", "2001:db8:a::1/64"]),
            (wan, ["203.0.113.1/24", "2001:db8:1::1/64"]),
            hosts=["10.10.0.0/24", "2001:db8:a::/64"], peers=["203.0.113.0/24", "2001:db8:1::/64"])
        config = config.replace("workers = 1", f"workers = {workers}\n{engine}")
        with running(Penstock(self.space, build, config)) as penstocks:
            yield penstocks

    def captures(self):
        """Captures by what is said there."""
        return {"access": [Capture(self.space, "tapW")], "wan": [Capture(self.space, "tapE")]}


class SiteToSite:
    """Two gateways, each with native kernels behind it."""

    mtu = ROOM_FOR_UDP  # of the native kernels
    west_address = {"IPv4": "10.10.0.2", "IPv6": "2001:db8:a::2"}
    east_address = {"IPv4": "10.20.0.2", "IPv6": "2001:db8:b::2"}

    _sides = {
        "west": {"lan": ["10.10.0.0/24", "2001:db8:a::/64"],
                 "gateway": ["10.10.0.1/24", "2001:db8:a::1/64"],
                 "wan": ["203.0.113.1/24", "2001:db8:1::1/64"],
                 "host": ["10.10.0.2/24", "2001:db8:a::2/64"]},
        "east": {"lan": ["10.20.0.0/24", "2001:db8:b::/64"],
                 "gateway": ["10.20.0.1/24", "2001:db8:b::1/64"],
                 "wan": ["203.0.113.2/24", "2001:db8:1::2/64"],
                 "host": ["10.20.0.2/24", "2001:db8:b::2/64"]}}

    def __init__(self, net):
        self.spaces = {name: net.namespace(name) for name in self._sides}
        net.veth((self.spaces["west"], "wan"), (self.spaces["east"], "wan"))
        self.west, self.east = (self._host(net, name) for name in self._sides)
        for kernel in (self.west, self.east):
            kernel.ready()

    def _host(self, net, name):
        space = self.spaces[name]
        space.tap("tap")
        side = self._sides[name]
        return Kernel(net, name, [Interface(space, "tap", side["host"], self.mtu)],
                      routes=[("default", _bare(address)) for address in side["gateway"]])

    @contextmanager
    def gateways(self, build):
        with running(self._gateway(build, "west", "east"),
                     self._gateway(build, "east", "west")) as penstocks:
            yield penstocks

    def _gateway(self, build, name, far_name):
        near, far = self._sides[name], self._sides[far_name]
        config = gateway_config(
            ("tap", near["gateway"]), ("wan", near["wan"]), hosts=near["lan"], peers=far["lan"],
            routes=zip(far["lan"], (_bare(address) for address in far["wan"])))
        return Penstock(self.spaces[name], build, config, f"penstock-{name}")

    def captures(self):
        west, east = self.spaces.values()
        folder = west.net.directory
        return {"access": [Capture(west, "tap", f"{folder}/west.pcap"),
                           Capture(east, "tap", f"{folder}/east.pcap")],
                "wan": [Capture(west, "wan", f"{folder}/wan.pcap")]}


def _bare(address):
    return address.split("/")[0]

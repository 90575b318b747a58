# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Two kernels that say everything that neighbours say: ARP, ND, ICMP, TCP, and all that in VLANs.

    pair = Pair(net).ready()              # two guests, each on a tap of pair.space, mute as yet
    BadWire(pair.space, "west", "east")   # or whatever is to be tested between the taps
    with pair.talking():
        pair.chat()                       # resolves, pings and exchanges data, on every network

Outside of `talking` no frame leaves a guest: captures of both taps that begin before and end after
it are of the same frames, and can be compared byte for byte (frames.assert_crossed).
"""

import itertools
import json
import os
from contextlib import contextmanager

from support.process import wait_until
from support.uml import Interface, Kernel

_TCP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tcp_peer.py")
_ports = itertools.count(7000)

# net/8021q needs the rest.
_MODULES = ("net/llc/llc", "net/802/stp", "net/802/garp", "net/802/mrp", "net/8021q/8021q")

# A network for each way to be tagged: its name, what makes its device, its number.
NETWORKS = {
    "plain": ([], 0),
    "vlan": (["link add link eth0 name vlan type vlan id 40"], 40),
    "qinq": (["link add link eth0 name outer type vlan proto 802.1ad id 100",
              "link set outer up",
              "link add link outer name qinq type vlan id 41"], 41)}
# An interface that is down would lose what the other says first: it stays up and says nothing.
_MUTE, _SPEAK = (f"tc qdisc replace dev eth0 root {kind}" for kind in ("blackhole", "pfifo"))

TAGS = 8  # bytes of two, on top of the guests' MTU

_ENDS = {"west": 1, "east": 2}


def address(end, network, family):
    """Of "west" or "east" on one of the networks."""
    number, host = NETWORKS[network][1], _ENDS[end]
    return f"10.30.{number}.{host}" if family == "IPv4" else f"2001:db8:30:{number:x}::{host}"


class Pair:
    """The kernels "west" and "east"; nothing joins their taps yet."""

    def __init__(self, net, mtu=1500):
        self.net, self.mtu = net, mtu
        self.space = net.namespace("between")
        self.kernels = {}
        for end in _ENDS:
            self.space.tap(end, mtu + TAGS)
            plain = [f"{address(end, 'plain', 'IPv4')}/24", f"{address(end, 'plain', 'IPv6')}/64"]
            self.kernels[end] = Kernel(net, end, [Interface(self.space, end, plain, mtu)],
                                       modules=_MODULES, prepare=[*_tagged(end), _MUTE])

    def ready(self):
        for kernel in self.kernels.values():
            kernel.ready()
        return self

    @contextmanager
    def talking(self):
        """From here to there the guests say what they have to say."""
        for kernel in self.kernels.values():
            kernel.run(_SPEAK)
        yield self
        for kernel in self.kernels.values():
            kernel.run(_MUTE)

    def chat(self, networks=tuple(NETWORKS), size=50_000):
        """Resolves neighbours, pings with the largest packet and exchanges data, on each network
        and in either version of IP; fails if an answer or a byte is missing."""
        self.resolve_anew()
        targets = [address("east", network, family) for network in networks
                   for family in ("IPv4", "IPv6")]
        self.kernels["west"].run("\n".join(
            f"busybox ping -c 1 -W 2 -s {self.mtu - (48 if ':' in target else 28)} {target}"
            for target in targets))
        self.exchange(targets, size)

    def resolve_anew(self):
        """Forgets the neighbours: the next packet asks for them."""
        for kernel in self.kernels.values():
            kernel.run("ip neigh flush all; ip -6 neigh flush all")

    def exchange(self, targets, size):
        """A TCP connection from west to each of east's addresses, so many bytes each way."""
        west, east, port = self.kernels["west"], self.kernels["east"], next(_ports)
        ready = os.path.join(east.share, f"tcp-{port}")
        server = east.start(f"exec {_TCP} listen {port} {size} {len(targets)} "
                            f"--ready /run/share/tcp-{port}")
        wait_until(lambda: os.path.exists(ready) or server.done(), 10, "the server listens")
        client = west.start(f"exec {_TCP} connect {port} {size} {' '.join(targets)}")
        for end in (client, server):
            result = end.wait(40)
            assert result.status == 0, (targets, result)
            assert json.loads(result.stdout) == {"whole": [True] * len(targets)}


def _tagged(end):
    """The devices for tagged frames, with their addresses. Tags come on top of the MTU."""
    lines = []
    for network, (makers, _) in NETWORKS.items():
        if not makers:
            continue
        lines += [f"ip {maker}" for maker in makers]
        lines += [f"ip link set {network} up",
                  "echo 0 > /proc/sys/net/ipv6/conf/{0}/accept_dad".format(network),
                  f"ip address add {address(end, network, 'IPv4')}/24 dev {network}",
                  f"ip address add {address(end, network, 'IPv6')}/64 dev {network} nodad"]
    return lines

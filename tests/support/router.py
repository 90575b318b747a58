# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""A router between two networks: a path of some MTU, which may lose packets or keep silent.

    router = Router(net, Side(gateway, "wan", ["203.0.113.254/24"]),
                    Side(far, "eth", ["198.51.100.254/24"]), mtu=1400)
    router.lose("near", every=10)

It is the kernel of a namespace of its own; its interfaces are called "near" and "far". The hosts'
interfaces carry 1500 bytes or more: what is too large is refused by the router, as on a real path.
"""

import ipaddress
import re
from dataclasses import dataclass

LEAST_MTU = 1500  # of the links
IPV6_LEAST = 1280

# A router that counts its ICMP errors by the second would make tests depend on the time.
_ROUTING = """
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
echo 0 > /proc/sys/net/ipv4/icmp_ratelimit
echo 0 > /proc/sys/net/ipv6/icmp/ratelimit
echo 100000 > /proc/sys/net/ipv4/icmp_msgs_per_sec 2>/dev/null || true
nft add table netdev faults
nft add table inet silence
nft add chain inet silence out '{ type filter hook output priority 0; }'
"""


@dataclass
class Side:
    """An interface to be made for somebody, and the router's addresses on that network."""

    namespace: object
    interface: str
    addresses: list


class Router:
    """Routes IPv4 and IPv6 between its two sides; goes with the net."""

    def __init__(self, net, near, far, mtu=1500):
        self.space = net.namespace("router")
        self.link_mtu = max(mtu, LEAST_MTU)
        self._routes = []  # (side, prefix, next hop or None)
        self.space.shell(_ROUTING)
        for name, side in (("near", near), ("far", far)):
            net.veth((self.space, name), (side.namespace, side.interface), self.link_mtu)
            self._join(name, side.addresses)
            self.space.shell(f"nft add chain netdev faults {name} "
                             f"'{{ type filter hook ingress device {name} priority 0; }}'")
        self.set_path_mtu(mtu)

    def route(self, side, prefix, via):
        """What is behind a host of that side."""
        self._routes.append((side, prefix, via))
        self.set_path_mtu(self.path_mtu)

    def set_path_mtu(self, mtu):
        """The largest packet that is forwarded, either way; at most what the links carry.

        Larger ones are answered with "fragmentation needed" or "packet too big", or, without DF,
        cut. IPv6 has no path below 1280.
        """
        assert mtu <= self.link_mtu, f"the links carry {self.link_mtu}"
        self.path_mtu = mtu
        for side, prefix, via in self._routes:
            version = ipaddress.ip_network(prefix).version
            allowed = mtu if version == 4 else max(mtu, IPV6_LEAST)
            hop = f"via {via} " if via else ""
            # Locked: else a router heeds the link's MTU only.
            self.space.shell(f"ip -{version} route replace {prefix} {hop}dev {side} "
                             f"mtu lock {allowed}\nip -{version} route flush cache")

    def lose(self, side, every=None, percent=None, match=""):
        """Loses what comes from that side: each n-th packet (repeatable), or so many by chance.

        match narrows it down in nft's words: "udp dport 6080". Rules add up.
        """
        assert (every is None) != (percent is None)
        chance = (f"numgen inc mod {every} {every - 1}" if every
                  else f"numgen random mod 1000 < {round(percent * 10)}")
        self.space.shell(f"nft 'add rule netdev faults {side} {match} {chance} counter drop'")

    def lost(self, side):
        """How many were lost so far by what `lose` set up."""
        rules = self.space.shell(f"nft list chain netdev faults {side}").stdout
        return sum(int(count) for count in re.findall(r"counter packets (\d+)", rules))

    def heal(self, side):
        """Loses no more from that side; the count begins anew."""
        self.space.shell(f"nft flush chain netdev faults {side}")

    def forget_neighbors(self):
        """And what waits for one, which would reach whoever answers for that address next."""
        self.space.shell("ip neigh flush all\nip -6 neigh flush all")

    def keep_silent(self):
        """From now on no ICMP error leaves: too large packets vanish without a word."""
        self.space.shell(
            "nft add rule inet silence out icmp type '{ destination-unreachable, time-exceeded }'"
            " drop\nnft add rule inet silence out icmpv6 type "
            "'{ destination-unreachable, packet-too-big, time-exceeded }' drop")

    def speak(self):
        self.space.shell("nft flush chain inet silence out")

    def _join(self, name, addresses):
        """Addresses whose networks get their routes from us."""
        if any(":" in address for address in addresses):
            self.space.shell(f"echo 0 > /proc/sys/net/ipv6/conf/{name}/disable_ipv6")
        for address in addresses:
            self.space.shell(f"ip address add {address} dev {name} noprefixroute")
            self._routes.append((name, str(ipaddress.ip_interface(address).network), None))

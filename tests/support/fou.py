# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The Linux kernel as the far end of an `ip-udp` tunnel: GUE or FOU, as Linux users set them up.

    peer = FouPeer(net, gateway, "wan")          # makes gateway's interface "wan"
    peer.ready()
    peer.kernel.run("…")

    gateway "wan" .1 ──┬── .9 kernel: fou, ipip, sit, ip6tnl; inner hosts 10.20.0.9, 2001:db8:b::9
      203.0.113.0/24   └── .250 wrapper: wraps what the kernel sends to 10.10.0.0/24, 2001:db8:a::/64

Inwards the kernel judges every packet: UDP, outer and inner IP. Outwards it routes its native
answers to the wrapper (gue_wrapper.py), for Debian's kernel has no FOU sender; they leave with the
kernel's own outer address. Both versions of IP, inside and outside.
"""

import os

from support.capture import GUE_PORT
from support.uml import Interface, Kernel

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gue_wrapper.py")

GATEWAY = {"IPv4": "203.0.113.1", "IPv6": "2001:db8:1::1"}
OUTER = {"IPv4": "203.0.113.9", "IPv6": "2001:db8:1::9"}
_WRAPPER = {"IPv4": "203.0.113.250", "IPv6": "2001:db8:1::fa"}
_LENGTH = {"IPv4": 24, "IPv6": 64}
INNER = {"IPv4": "10.20.0.9", "IPv6": "2001:db8:b::9"}
OURS = {"IPv4": "10.10.0.0/24", "IPv6": "2001:db8:a::/64"}  # inner networks behind the gateway
COAT = {"IPv4": 28, "IPv6": 48}                             # outer IP and UDP

_MODULES = ("net/ipv4/tunnel4", "net/ipv4/ip_tunnel", "net/ipv4/ipip", "net/ipv6/sit",
            "net/ipv6/tunnel6", "net/ipv6/ip6_tunnel", "net/ipv4/fou")


class FouPeer:
    """The kernel, the wrapper and the LAN; goes with the net.

    outer: the version of IP that the way back is wrapped in. receiver: "gue" takes either version
    inside, in the outer version of either; "ipproto 4" and "ipproto 41" are FOU and take one. A
    packet that the receiver's kind does not foresee is not answered.
    """

    def __init__(self, net, space, interface, outer="IPv4", receiver="gue", mtu=1500):
        self.outer, self.mtu = outer, mtu
        self.space = net.namespace("fou")
        wrapping = net.namespace("wrapper")  # of its own: a bridge's namespace answers ARP as well
        net.veth((self.space, "gateway"), (space, interface), mtu)
        net.veth((self.space, "wrapper"), (wrapping, "lan"), mtu)
        self.space.tap("peer", mtu)
        self.space.bridge("lan", ["gateway", "wrapper", "peer"])
        wrapping.address("lan", *(f"{_WRAPPER[f]}/{_LENGTH[f]}" for f in _WRAPPER))
        self.kernel = Kernel(
            net, "fou", [Interface(self.space, "peer", [f"{OUTER[f]}/{_LENGTH[f]}" for f in OUTER],
                                   mtu)], modules=_MODULES, prepare=self._tunnels(receiver))
        self._wrapper = wrapping.start(
            [PROGRAM, "lan", OUTER[outer], GATEWAY[outer], GUE_PORT, *OURS.values()],
            "wrapper")

    def ready(self):
        self._wrapper.wait_for_output("ready\n")
        self.kernel.ready()
        return self

    def inner_mtu(self):
        """The largest inner packet that fits when it is wrapped."""
        return self.mtu - COAT[self.outer]

    def _tunnels(self, receiver):
        lines = [f"ip {option} fou add port {GUE_PORT} {receiver}" for option in ("-4", "-6")]
        # Over IPv4: what takes packets that no other tunnel does. Over IPv6 that takes no IPv4.
        lines += [f"ip link set {device} up" for device in ("tunl0", "sit0")]
        lines += ["ip link add any6 type ip6tnl mode any "
                  f"local {OUTER['IPv6']} remote {GATEWAY['IPv6']}",
                  "ip link set any6 up",
                  "for conf in /proc/sys/net/ipv4/conf/*; do echo 0 > $conf/rp_filter; done"]
        for family, address in INNER.items():
            lines += [f"ip address add {address} dev lo",
                      f"ip route add {OURS[family]} via {_WRAPPER[family]} dev eth0 "
                      f"src {address} mtu {self.inner_mtu()}"]
        return lines

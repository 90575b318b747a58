# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Which way ip-udp takes to a far gateway, what of it may fail, and who takes over."""

import os
import time

import pytest

from support import far_end
from support.netns import Net
from support.penstock import ENGINE, Penstock
from support.process import wait_until

# An SCTP packet as a host sends it, by a raw socket: COOKIE ACK, its checksum not looked at.
_SEND = """
import socket
packet = bytes.fromhex('96048e3c5eed000112345678') + bytes([11, 0, 0, 4])
socket.socket(socket.AF_INET, socket.SOCK_RAW, 132).sendto(packet, ('10.20.0.9', 0))
"""
FIRST, SECOND = "198.51.100.1", "203.0.113.13"

CONFIG = ENGINE + """
[[port]]
name = "core0"
device = "net_af_packet0,iface=core,qdisc_bypass=0"
address = "10.10.0.1/24"
[[port]]
name = "wan0"
device = "net_af_packet1,iface=wan,qdisc_bypass=0"
address = "203.0.113.1/24"
"""


def tunnels(liveness="probe"):
    text = "".join(f"""
[[tunnel]]
name = "{name}"
via = "ip-udp"
port = "wan0"
peer = "{peer}:6080"
liveness = "{liveness}"
""" for name, peer in (("first", FIRST), ("second", SECOND)))
    return text + """
[[rule]]
name = "out"
from = "core0"
to = "10.20.0.0/16"
tunnel = ["first", "second"]
"""


def route(*hops):
    return f'[[route]]\nto = "198.51.100.0/24"\nnext-hop = {list(hops)}\n'.replace("'", '"')


class Ways:
    """A gateway; on either side a router to the first far gateway, on one the second one too."""

    def __init__(self, net):
        self.gateway = net.namespace("gateway")
        self.sides = {"core": net.namespace("inside"), "wan": net.namespace("outside")}
        for name, space in self.sides.items():
            net.veth((self.gateway, name), (space, "eth"))
            space.shell("echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter\n"
                        "echo 0 > /proc/sys/net/ipv4/conf/eth/rp_filter")
            space.address("lo", f"{FIRST}/32")
        self.inside, self.outside = self.sides["core"], self.sides["wan"]
        self.inside.address("eth", "10.10.0.254/24")
        self.inside.route("default", "10.10.0.1")
        self.outside.address("eth", "203.0.113.14/24", f"{SECOND}/24")
        self.ends = {name: space.start([os.path.abspath(far_end.__file__), "6080"], f"far-{name}")
                     for name, space in self.sides.items()}
        for end in self.ends.values():
            end.wait_for_output("ready")

    def send(self):
        self.inside.run("/usr/bin/python3", "-c", _SEND)

    def arrived(self, side, peer=""):
        return self.ends[side].stdout.count(f"{peer} 10.10.0.254 10.20.0.9 132\n")


@pytest.fixture
def ways():
    with Net() as net:
        yield Ways(net)


def states(penstock):
    return {name: tunnel["state"] for name, tunnel in penstock.tunnels().items()}


def goes_by(ways, penstock, name):
    """What is sent now leaves through that tunnel, on the wan side."""
    time.sleep(0.2)  # tunnels are chosen anew some times a second
    peer = {"first": FIRST, "second": SECOND}[name]
    got = ways.arrived("wan", peer)
    ways.send()
    wait_until(lambda: ways.arrived("wan", peer) == got + 1, 5,
               lambda: f"SCTP comes out to {peer}\n{penstock.said()}")
    assert penstock.drops().get("encap_route", 0) == 0


def wait_for(penstock, first, second="up", within=5):
    wanted = {"first": first, "second": second}
    wait_until(lambda: states(penstock) == wanted, within, lambda: f"{wanted}\n{penstock.said()}")


def end(penstock):
    penstock.assert_balanced()
    penstock.stop()


def test_of_two_next_hops_that_on_the_tunnels_port(ways, build):
    penstock = Penstock(ways.gateway, build,
                        CONFIG + route("10.10.0.254", "203.0.113.14") + tunnels())
    wait_for(penstock, "up")
    goes_by(ways, penstock, "first")
    # Its death is the tunnel's, though the other next hop lives and would be answered.
    ways.outside.run("ip", "address", "del", "203.0.113.14/24", "dev", "eth")
    ways.outside.run("ip", "address", "replace", f"{SECOND}/24", "dev", "eth")
    wait_for(penstock, "down", within=10)
    assert penstock.tunnels()["first"]["why"] == "its far end does not answer"
    goes_by(ways, penstock, "second")
    ways.outside.address("eth", "203.0.113.14/24")
    wait_for(penstock, "up", within=10)
    goes_by(ways, penstock, "first")
    end(penstock)


def test_a_far_end_that_nobody_asks(ways, build):
    for far in ways.ends.values():
        far.kill()
    penstock = Penstock(ways.gateway, build, CONFIG + route("203.0.113.14") + tunnels("none"))
    wait_for(penstock, "up")
    assert penstock.tunnels()["first"]["mtu"] == 1500
    sent = penstock.tunnels()["first"]["tx_packets"]
    ways.send()
    wait_until(lambda: penstock.tunnels()["first"]["tx_packets"] == sent + 1, 5, "SCTP leaves")
    assert sent == 0  # no probes
    # The next hop goes, and comes back.
    ways.outside.run("ip", "address", "del", "203.0.113.14/24", "dev", "eth")
    ways.outside.run("ip", "address", "replace", f"{SECOND}/24", "dev", "eth")
    wait_for(penstock, "down", within=10)
    assert penstock.tunnels()["first"]["why"] == "its next hop does not answer"
    time.sleep(0.2)
    ways.send()
    wait_until(lambda: penstock.tunnels()["second"]["tx_packets"] == 1, 5, "the standby is used")
    ways.outside.address("eth", "203.0.113.14/24")
    wait_for(penstock, "up", within=10)
    # And so does the link.
    ways.outside.run("ip", "link", "set", "eth", "down")
    wait_for(penstock, "down", "down", within=10)
    ways.outside.run("ip", "link", "set", "eth", "up")
    wait_for(penstock, "up", within=10)
    end(penstock)

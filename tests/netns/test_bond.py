# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Two links that are one: LACP between two gateways.

    near ── core [west] trunk ══ trunk [east] core ── far
"""

import pytest

from support.netns import Net
from support.penstock import Penstock
from support.process import wait_until

CONFIG = """
[engine]
workers = {workers}
idle = "adaptive"
hugepages = "none"
memory = 128
[control]
socket = "{{socket}}"
[[port]]
name = "core0"
device = "net_af_packet0,iface=core"
address = "{core}"
[[port]]
name = "trunk"
device = "net_bonding0,mode=4,member=(net_af_packet1,iface=m0),member=(net_af_packet2,iface=m1)"
address = "{trunk}"
[[route]]
to = "{beyond}"
next-hop = "{next_hop}"
[[rule]]
name = "rest"
action = "bypass"
"""
WEST = {"core": "10.10.0.1/24", "trunk": "203.0.113.1/28", "beyond": "10.20.0.0/24",
        "next_hop": "203.0.113.2"}
EAST = {"core": "10.20.0.1/24", "trunk": "203.0.113.2/28", "beyond": "10.10.0.0/24",
        "next_hop": "203.0.113.1"}


@pytest.fixture
def spaces():
    with Net() as net:
        made = {name: net.namespace(name) for name in ("near", "west", "east", "far")}
        for member in ("m0", "m1"):
            net.veth((made["west"], member), (made["east"], member))
        for host, gateway, address, via in (("near", "west", "10.10.0.2/24", "10.10.0.1"),
                                            ("far", "east", "10.20.0.2/24", "10.20.0.1")):
            net.veth((made[gateway], "core"), (made[host], "eth0"))
            made[host].address("eth0", address)
            made[host].route("default", via)
        yield made


@pytest.mark.parametrize("workers", [1, 2])
def test_lacp_between_two_gateways(spaces, build, workers):
    west, east = (Penstock(spaces[name], build, CONFIG.format(workers=workers, **side), name)
                  for name, side in (("west", WEST), ("east", EAST)))
    for gateway in (west, east):
        assert gateway.ports()["trunk"]["driver"] == "net_bonding"
    wait_until(lambda: all(g.ports()["trunk"]["state"] == "up" for g in (west, east)), 20,
               "both ends agree")
    spaces["near"].run("busybox", "ping", "-c", "20", "-i", "0.1", "-W", "2", "10.20.0.2")
    for gateway in (west, east):
        gateway.assert_balanced()
        gateway.assert_no_loss("tx_down", "neighbor_unresolved")
        gateway.stop()

# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The kernel behind a GUE tunnel answers scapy: what fails later, through Penstock, is not its."""

import json
import os

import pytest

from support.capture import AS_GUE, GUE_PORT, Capture, judge
from support.fou import GATEWAY, INNER, OUTER, FouPeer
from support.gue_wrapper import flow_port
from support.netns import Net

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support/gue_echo.py")
ASKING = {"IPv4": "10.10.0.2", "IPv6": "2001:db8:a::2"}
LENGTH = {"IPv4": 24, "IPv6": 64}
ECHO_REPLY = {"IPv4": 0, "IPv6": 129}


class Site:
    """A namespace that is a gateway's kernel only, and the peer."""

    def __init__(self, net, outer, receiver="gue"):
        self.outer = outer
        self.gateway = net.namespace("gateway")
        self.peer = FouPeer(net, self.gateway, "wan", outer, receiver)
        self.gateway.address("wan", *(f"{GATEWAY[f]}/{LENGTH[f]}" for f in GATEWAY))
        self.peer.ready()

    def echo(self, inner, size=100, damaged=()):
        """What came back for an echo request from behind the gateway."""
        done = self.gateway.run(PROGRAM, OUTER[self.outer], ASKING[inner], INNER[inner], size,
                                *damaged)
        return json.loads(done.stdout)


@pytest.fixture(scope="module", params=["IPv4", "IPv6"])
def site(request):
    with Net() as net:
        yield Site(net, request.param)


@pytest.mark.parametrize("inner", ["IPv4", "IPv6"])
def test_an_echo_in_udp_is_answered_in_udp(site, inner):
    with Capture(site.gateway, "wan") as capture:
        answer = site.echo(inner)
    from_port = answer.pop("from_port")
    assert answer == {"from": OUTER[site.outer], "source": INNER[inner],
                      "destination": ASKING[inner], "type": ECHO_REPLY[inner], "length": 100,
                      "same": True}
    assert from_port >= 49152
    wire = judge(capture.path, *AS_GUE)
    tunnelled = [packet for packet in wire.packets
                 if "udp" in packet.fields["frame.protocols"][0].split(":")]
    assert [packet.fields["udp.dstport"][0] for packet in tunnelled] == [str(GUE_PORT)] * 2


@pytest.mark.parametrize("inner", ["IPv4", "IPv6"])
def test_the_largest_that_fits_is_answered_whole(site, inner):
    assert site.echo(inner, site.peer.inner_mtu())["length"] == site.peer.inner_mtu()


@pytest.mark.parametrize("place", [0, 99], ids=["version", "data"])
def test_the_kernel_judges_what_is_inside(site, place):
    assert site.echo("IPv4", damaged=[place]) is None


def test_fou_takes_the_one_protocol_that_it_was_told(net):
    site = Site(net, "IPv4", receiver="ipproto 4")
    assert site.echo("IPv4")["same"]
    assert site.echo("IPv6") is None


def test_a_flow_keeps_its_port_and_flows_have_many():
    def packet(source, port):
        return (bytes.fromhex("4500002000010000400600000a1400") + bytes([source])
                + bytes.fromhex("0a0a0002") + port.to_bytes(2, "big") + b"\x00\x50" + bytes(8))
    assert flow_port(packet(9, 5000)) == flow_port(packet(9, 5000))
    ports = {flow_port(packet(source, port)) for source in (8, 9) for port in range(5000, 5050)}
    assert len(ports) > 90 and min(ports) >= 49152

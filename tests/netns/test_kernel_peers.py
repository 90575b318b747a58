# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Real Linux kernels talk SCTP through Penstock, and cannot tell that it is there."""

import itertools
import os
import time

import pytest

from support.association import LOAD, Health, assert_whole, connect, listen
from support.capture import ENCAP_PORT, judge
from support.netns import Net
from support.topology import ROOM_FOR_UDP, Direct, SiteToSite

OVERSIZED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support/oversized.py")
SHUTDOWN_COMPLETE = 14
_ports = itertools.count(5000)


@pytest.fixture(scope="module", params=[Direct, SiteToSite], ids=["to a peer", "site to site"])
def topology(request):
    with Net() as net:
        yield request.param(net)


@pytest.fixture(scope="module")
def direct():
    with Net() as net:
        yield Direct(net)


def talk(topology, sctp_peer, family, client="west"):
    """One association with data both ways, asked for by that side."""
    if client == "west":
        active, passive, address = topology.west, topology.east, topology.east_address[family]
    else:
        active, passive, address = topology.east, topology.west, topology.west_address[family]
    port = next(_ports)
    health = Health.of(active, passive)
    server = listen(passive, sctp_peer, address, *LOAD, port=port)
    assert_whole(connect(active, sctp_peer, address, *LOAD, port=port).report(), server.report())
    health.assert_clean()


def judge_all(captures):
    return {side: [judge(capture.stop()) for capture in some] for side, some in captures.items()}


def assert_apart(wires):
    """On the access side everything is native, on the WAN side nothing is; all CRCs are right."""
    for wire in wires["access"]:
        assert len(wire.native()) > 100 and not wire.encapsulated()
        assert wire.chunks(SHUTDOWN_COMPLETE)
    for wire in wires["wan"]:
        assert len(wire.encapsulated()) > 100 and not wire.native()
        assert wire.chunks(SHUTDOWN_COMPLETE)
        assert {packet.udp_ports for packet in wire.encapsulated()} == {(ENCAP_PORT, ENCAP_PORT)}


def assert_same(wires):
    """What is seen native on one side is what is seen in UDP on the other: none more, none less."""
    counts = {len([packet for packet in wire.packets if packet.sctp])
              for side in wires.values() for wire in side}
    assert len(counts) == 1, counts


def assert_counted(penstock, wire):
    tunnel = penstock.tunnels()["site-b"]
    assert tunnel["rx_packets"] + tunnel["tx_packets"] == len(wire.encapsulated()), tunnel


@pytest.mark.parametrize("client", ["west", "east"])
@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_association(topology, build, sctp_peer, family, client):
    with topology.gateways(build) as penstocks:
        captures = topology.captures()
        talk(topology, sctp_peer, family, client)
        wires = judge_all(captures)
        assert_apart(wires)
        assert_same(wires)
        for penstock in penstocks:
            penstock.assert_no_loss()
            assert_counted(penstock, wires["wan"][0])


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_a_native_sender_is_told_the_path_mtu(direct, build, sctp_peer, family):
    with direct.gateways(build) as [penstock]:
        captures = direct.captures()
        direct.west.run("ip link set eth0 mtu 1500")
        try:
            told = direct.west.run(f"{OVERSIZED} {direct.east_address[family]} 1500").stdout
            assert int(told) == ROOM_FOR_UDP
            talk(direct, sctp_peer, family)  # with the MTU that it was told
        finally:
            direct.west.run(f"ip link set eth0 mtu {ROOM_FOR_UDP}")
        assert_apart(judge_all(captures))
        penstock.assert_no_loss("too_big")
        assert penstock.drops().get("too_big") == 1


@pytest.mark.parametrize("size", [1493, 4000, 65527])
@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_fragments_arrive(topology, build, family, size):
    """One kernel cuts, another one puts together; what it gets has the right CRC, and is of nobody's
    association."""
    with topology.gateways(build) as penstocks:
        # More pieces than may wait for a neighbour: all of them are to be known.
        topology.west.reach(topology.east_address[family])
        before = topology.east.snmp()
        topology.west.run(f"{OVERSIZED} {topology.east_address[family]} {size} in-pieces")
        deadline = time.monotonic() + 3
        grown = {}
        while not grown.get("SctpOutOfBlues") and time.monotonic() < deadline:
            after = topology.east.snmp()
            grown = {name: value - before[name] for name, value in after.items()}
        assert grown["SctpOutOfBlues"] == 1 and grown["SctpChecksumErrors"] == 0, grown
        for penstock in penstocks:
            penstock.assert_no_loss()
            assert sum(port["merged"] for port in penstock.ports().values()) >= size // 1492
            assert sum(port["split"] for port in penstock.ports().values()) >= size // 1492


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_large_pings_are_answered(direct, build, family):
    """By us, from what was put together; by the far kernel, with fragments that passed as they are."""
    with direct.gateways(build) as [penstock]:
        near = {"IPv4": "10.10.0.1", "IPv6": "2001:db8:a::1"}[family]
        for size in (1600, 20000, 65507 if family == "IPv4" else 65487):
            for address in (near, direct.east_address[family]):
                direct.west.run(f"busybox ping -c 2 -i 0.1 -W 2 -s {size} {address}")
        penstock.assert_no_loss()


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_what_is_not_sctp_passes(direct, build, family):
    with direct.gateways(build) as [penstock]:
        far = direct.east_address[family]
        near = {"IPv4": "10.10.0.1", "IPv6": "2001:db8:a::1"}[family]
        direct.west.run(f"busybox ping -c 3 -i 0.1 -W 2 {far}")
        direct.west.run(f"busybox ping -c 3 -i 0.1 -W 2 {near}")
        penstock.assert_no_loss()

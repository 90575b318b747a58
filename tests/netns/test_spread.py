# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Two workers share out by software what comes to one of them: all packets between two hosts of which
one speaks RFC 6951 have one outer tuple, and whoever spreads by that gives all to one queue."""

from contextlib import contextmanager

import pytest

from support.association import Health, assert_whole, connect, listen
from support.capture import judge
from support.netns import Net
from support.topology import ROOM_FOR_UDP, Direct

ASSOCIATIONS = 16
RELOADS = 6
# Messages that need one packet, and such as need several.
PACED = ("--messages", "40", "--streams", "5", "--sizes", "64,400,1400,4000", "--pace", "20")
SPREAD = 'spread = "software"\n'
MORE = '[[route]]\nto = "198.51.100.0/24"\nnext-hop = "203.0.113.14"\n'


@pytest.fixture(scope="module")
def direct():
    with Net() as net:
        yield Direct(net)


@contextmanager
def native_mtu(topology, mtu):
    topology.west.run(f"ip link set eth0 mtu {mtu}")
    try:
        yield
    finally:
        topology.west.run(f"ip link set eth0 mtu {ROOM_FOR_UDP}")


def start(topology, sctp_peer, family, first_port):
    """Both ends of many associations between the same two hosts, one a port."""
    address = topology.east_address[family]
    ports = range(first_port, first_port + ASSOCIATIONS)
    ends = [listen(topology.east, sctp_peer, address, *PACED, port=port) for port in ports]
    return ends + [connect(topology.west, sctp_peer, address, *PACED, port=port) for port in ports]


def reload_meanwhile(penstock, ends):
    with open(penstock.file, encoding="utf-8") as file:
        plain = file.read()
    before = penstock.ctl("show", "version")["generation"]
    for number in range(RELOADS):
        penstock.write_config(plain if number % 2 else plain + MORE)
        penstock.ctl("config", "reload")
    assert penstock.ctl("show", "version")["generation"] == before + RELOADS
    assert not any(end.done() for end in ends), "the reloads must fall into the traffic"


def assert_shared(penstock):
    """Whoever received them, both workers did their part."""
    ports, workers = penstock.ports(), penstock.ctl("show", "workers")["workers"]
    assert ports["wan0"]["spread_out"] > 100, ports["wan0"]
    assert {port["spread"] for port in ports.values()} == {"inner flow, by software"}
    handed = sum(port["spread_out"] for port in ports.values())
    assert handed == sum(row["spread_out"] for row in workers)
    assert handed == sum(row["spread_in"] for row in workers)
    total = sum(row["packets"] for row in workers)
    assert all(row["packets"] > total / 20 for row in workers), workers


def directions(wire):
    """The packets of each association and direction, by their CRCs, in the order on that wire.
    Those in fragments apart: the kernel, as a NIC does, puts what shows no ports into another
    receive queue than the rest, and between two queues there is no order to be kept."""
    seen = {}
    for packet in wire.packets:
        if packet.sctp:
            ends = (packet.source, packet.destination, packet.fields["sctp.srcport"][0],
                    packet.fields["sctp.dstport"][0], packet.was_cut)
            seen.setdefault(ends, []).append(packet.fields["sctp.checksum"][0])
    return seen


def assert_order(came, left, source):
    """What `source` sent left in the order in which it came. It may be fewer: too large a packet
    comes once more, in fragments."""
    came, left = directions(came), directions(left)
    ours = [ends for ends in came if ends[0] == source]
    assert len({ends[:4] for ends in ours}) == ASSOCIATIONS
    for ends in ours:
        rest = iter(came[ends])
        for n, crc in enumerate(left.get(ends, ())):
            assert crc in rest, f"{ends}: number {n} of {left[ends]} that came as {came[ends]}"
        assert ends[4] or len(left[ends]) > 40, ends


@pytest.mark.parametrize("mtu", [ROOM_FOR_UDP, 1500], ids=["whole", "some in fragments"])
@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_many_associations_of_one_outer_tuple(direct, build, sctp_peer, family, mtu):
    with direct.gateways(build, workers=2, engine=SPREAD) as [penstock], native_mtu(direct, mtu):
        captures = direct.captures()
        health = Health.of(direct.west, direct.east)
        ends = start(direct, sctp_peer, family, 7000 + mtu)
        reload_meanwhile(penstock, ends)
        assert_whole(*(end.report(60) for end in ends))
        health.assert_clean(ASSOCIATIONS)
        assert_shared(penstock)
        penstock.assert_no_loss("too_big")
        access, wan = (judge(captures[side][0].stop()) for side in ("access", "wan"))
        assert_order(access, wan, direct.west_address[family])
        assert_order(wan, access, direct.east_address[family])
        if mtu > ROOM_FOR_UDP:
            assert penstock.ports()["core0"]["merged"] > 0, "the native host sent no fragments"

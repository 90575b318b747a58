# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The kernels among themselves, without Penstock: what fails later is not theirs."""

import itertools
import os

import pytest

from support.association import LOAD, Health, assert_whole, connect, listen
from support.capture import ENCAP_PORT, Capture, judge
from support.uml import Interface, Kernel

SERVER = {"IPv4": "10.0.0.2", "IPv6": "2001:db8::2"}
_ports = itertools.count(5000)


class Lan:
    """Two kernels on one bridge."""

    def __init__(self, net, sctp=None):
        self.space = net.namespace("lan")
        for tap in ("tapA", "tapB"):
            self.space.tap(tap)
        self.space.bridge("lan", ["tapA", "tapB"])
        self.client, self.server = (
            Kernel(net, name, [Interface(self.space, tap, [f"10.0.0.{host}/24",
                                                           f"2001:db8::{host}/64"])], sctp=sctp)
            for name, tap, host in (("client", "tapA", 1), ("server", "tapB", 2)))
        for kernel in (self.client, self.server):
            kernel.ready()


@pytest.fixture(scope="module")
def lan(module_net):
    return Lan(module_net)


def talk(lan, sctp_peer, address):
    """One association with data both ways; returns the judged wire."""
    port = next(_ports)
    health = Health.of(lan.client, lan.server)
    with Capture(lan.space, "tapA") as capture:
        server = listen(lan.server, sctp_peer, address, *LOAD, port=port)
        client = connect(lan.client, sctp_peer, address, *LOAD, port=port)
        assert_whole(client.report(), server.report())
    health.assert_clean()
    return judge(capture.path)


@pytest.mark.parametrize("family", SERVER)
def test_native(lan, sctp_peer, family):
    for kernel in (lan.client, lan.server):
        kernel.encapsulate(0)
    wire = talk(lan, sctp_peer, SERVER[family])
    assert len(wire.native()) > 100
    assert not wire.encapsulated()


@pytest.mark.parametrize("family", SERVER)
def test_in_udp(lan, sctp_peer, family):
    for kernel in (lan.client, lan.server):
        kernel.encapsulate(ENCAP_PORT)
    wire = talk(lan, sctp_peer, SERVER[family])
    assert len(wire.encapsulated()) > 100
    assert not wire.native()
    assert {packet.udp_ports for packet in wire.encapsulated()} == {(ENCAP_PORT, ENCAP_PORT)}


def test_the_peer_finds_a_live_association(lan, sctp_peer):
    address = SERVER["IPv4"]
    options = ("--messages", "40", "--pace", "10")
    server = listen(lan.server, sctp_peer, address, *options, port=6000)
    client = connect(lan.client, sctp_peer, address, *options, port=6000)
    alive = [assoc for assoc in _while_running(client, lan.client.assocs) if assoc]
    assert alive and alive[0][0]["RPORT"] == "6000"
    assert [text.lstrip("*") for text in alive[0][0]["RADDRS"]] == [address]
    assert_whole(client.report(), server.report())


def test_power_loss_is_not_a_shutdown(net, sctp_peer):
    lan = Lan(net, sctp={"association_max_retrans": 2, "rto_max": 400})
    options = ("--messages", "10000", "--pace", "5")
    server = listen(lan.server, sctp_peer, SERVER["IPv4"], *options)
    client = connect(lan.client, sctp_peer, SERVER["IPv4"], *options)
    while not lan.client.assocs():
        pass
    lan.server.kill()
    report = client.report()
    assert report["end"] == "lost" and not report["shutdown_seen"], report
    assert server
    lan.client.shutdown()


def test_nothing_is_left_behind(lan, net):
    space = net.namespace("short")
    name, directory = space.name, net.directory
    process = space.start(["sleep", "60"], "sleep")
    net.close()
    assert process.status is not None
    assert not os.path.exists(f"/run/netns/{name}") and not os.path.exists(directory)
    assert lan.client.run("true").status == 0


def _while_running(end, ask):
    answers = []
    while not end.done():
        answers.append(ask())
    return answers

# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""usrsctp's programs talk through Penstock: with each other, and with kernels."""

import pytest

from support.association import Health, assert_whole, connect, listen
from support.capture import ENCAP_PORT, Capture, judge
from support.netns import Net
from support.topology import Direct
from support.usrsctp import ECHO_PORT, EchoServer, LineClient, lines

SHUTDOWN_COMPLETE = 14
# usrsctp knows nothing of the UDP header to come, and its echo server takes 10 KB at a time.
LOAD = ("--messages", "60", "--streams", "5", "--sizes", "64,200,1400,4000")


class Peers(Direct):
    """A usrsctp host beside each of the kernels, with the same addresses."""

    def __init__(self, net):
        super().__init__(net)
        self.near, self.far = net.namespace("near"), net.namespace("far")
        net.veth((self.space, "core"), (self.near, "eth0"))
        net.veth((self.space, "wan"), (self.far, "eth0"))
        self.near.run("ip", "link", "set", "eth0", "mtu", "1492")
        self.near.address("eth0", "10.10.0.2/24", "2001:db8:a::2/64")
        self.far.address("eth0", "203.0.113.14/24", "2001:db8:1::e/64")
        for via in ("10.10.0.1", "2001:db8:a::1"):
            self.near.route("default", via)
        self.far.route("10.10.0.0/24", "203.0.113.1")
        self.far.route("2001:db8:a::/64", "2001:db8:1::1")


@pytest.fixture(scope="module")
def peers():
    with Net() as net:
        yield Peers(net)


def assert_apart(access, wan):
    access, wan = judge(access.stop()), judge(wan.stop())
    assert access.native() and not access.encapsulated()
    assert wan.encapsulated() and not wan.native()
    assert len(access.native()) == len(wan.encapsulated())
    for wire in (access, wan):
        assert wire.chunks(SHUTDOWN_COMPLETE)


def client_talks(peers, address):
    client = LineClient(peers.near, address)
    client.exchange(lines())
    client.shut_down()


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_usrsctp_to_usrsctp(peers, build, family):
    with peers.gateways(build, core="core", wan="wan") as [penstock]:
        captures = [Capture(peers.space, interface) for interface in ("core", "wan")]
        server = EchoServer(peers.far, ENCAP_PORT)
        client_talks(peers, peers.east_address[family])
        assert_apart(*captures)
        penstock.assert_no_loss()
        server.stop()


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_usrsctp_to_kernel(peers, build, sctp_peer, family):
    address = peers.east_address[family]
    with peers.gateways(build, core="core", wan="tapE") as [penstock]:
        captures = [Capture(peers.space, interface) for interface in ("core", "tapE")]
        health = Health.of(peers.east)
        server = listen(peers.east, sctp_peer, address, "--echo", port=ECHO_PORT)
        client_talks(peers, address)
        assert_whole(server.report())
        health.assert_clean()
        assert_apart(*captures)
        penstock.assert_no_loss()


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_kernel_to_usrsctp(peers, build, sctp_peer, family):
    address = peers.east_address[family]
    with peers.gateways(build, core="tapW", wan="wan") as [penstock]:
        captures = [Capture(peers.space, interface) for interface in ("tapW", "wan")]
        health = Health.of(peers.west)
        server = EchoServer(peers.far, ENCAP_PORT)
        client = connect(peers.west, sctp_peer, address, *LOAD, "--expect-echo", port=ECHO_PORT)
        assert_whole(client.report())
        health.assert_clean()
        assert_apart(*captures)
        penstock.assert_no_loss()
        server.stop()

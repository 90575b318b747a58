# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""usrsctp's programs among themselves, without Penstock: what fails later is not theirs."""

import pytest

from support.capture import ENCAP_PORT, Capture, judge
from support.usrsctp import EchoServer, LineClient, lines

SHUTDOWN_CHUNKS = (7, 8, 14)


@pytest.mark.parametrize("udp_port", [None, ENCAP_PORT], ids=["native", "in UDP"])
@pytest.mark.parametrize("address", ["10.0.0.2", "2001:db8::2"], ids=["IPv4", "IPv6"])
def test_echo(net, address, udp_port):
    near, far = net.namespace("near"), net.namespace("far")
    net.veth((near, "eth0"), (far, "eth0"))
    near.address("eth0", "10.0.0.1/24", "2001:db8::1/64")
    far.address("eth0", "10.0.0.2/24", "2001:db8::2/64")
    with Capture(near, "eth0") as capture:
        EchoServer(far, udp_port)
        client = LineClient(near, address, udp_port)
        client.exchange(lines())
        client.shut_down()
    wire = judge(capture.path)
    assert all(wire.chunks(kind) for kind in SHUTDOWN_CHUNKS)
    assert wire.encapsulated() if udp_port else wire.native()
    assert not (wire.native() if udp_port else wire.encapsulated())

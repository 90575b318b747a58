# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Two kernels chat over a wire of the tests: what Penstock has to carry as a wire, without it."""

import pytest

from support.bad_wire import BadWire
from support.capture import Capture, judge
from support.chatter import NETWORKS, Pair, address
from support.frames import assert_crossed, frames_in
from support.netns import Net

# What must have been said, by the bytes behind the two addresses of a frame.
SAID = {"ARP": "0806", "IPv4": "0800", "IPv6": "86dd", "VLAN": "81000028",
        "QinQ": "88a8006481000029"}


@pytest.fixture(scope="module")
def pair():
    with Net() as net:
        yield Pair(net).ready()


def test_all_is_said_and_crosses_bit_for_bit(pair):
    wire = BadWire(pair.space, "west", "east")
    captures = [Capture(pair.space, tap) for tap in pair.kernels]
    with pair.talking():
        pair.chat()
    counts = wire.stop()
    west, east = (capture.stop() for capture in captures)
    assert_crossed(west, east)
    frames = frames_in(west)
    for what, begins in SAID.items():
        assert any(frame[12:].startswith(bytes.fromhex(begins)) for frame in frames), what
    # Neighbours ask for each other on every network: ND behind the tags.
    for network, tags in (("plain", 0), ("vlan", 4), ("qinq", 8)):
        assert any(frame[12 + tags:14 + tags] == b"\x86\xdd" and frame[54 + tags] == 135
                   for frame in frames), network
    assert max(map(len, frames)) == 1514 + 8, "the largest packet, in two tags"
    assert counts["west"]["seen"] + counts["east"]["seen"] == len(frames)
    assert judge(west)


def test_a_bad_wire_is_survived(pair):
    wire = BadWire(pair.space, "west", "east", seed=5, loss=3, duplicate=3, reorder=3)
    with pair.talking():
        pair.exchange([address("east", "vlan", "IPv4")], 200_000)
    counts = wire.stop()
    assert sum(side["lost"] for side in counts.values()) > 0


def test_outside_of_talking_nothing_is_said(pair):
    captures = [Capture(pair.space, tap) for tap in pair.kernels]
    pair.kernels["west"].run(f"busybox ping -c 1 -W 1 {address('east', 'plain', 'IPv4')} || true")
    assert [frames_in(capture.stop()) for capture in captures] == [[], []]


def test_every_network_has_a_name_of_its_own():
    assert len({number for _, number in NETWORKS.values()}) == len(NETWORKS)

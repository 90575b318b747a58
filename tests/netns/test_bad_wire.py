# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The bad wire of the tests: good without faults, and bad in the same way each time."""

import os
from collections import Counter

import pytest

from support.bad_wire import BadWire, Direction, Faults
from support.capture import Capture
from support.frames import (assert_crossed, frames_in, send, timed_frames_in,
                            transparent_frames)
from support.process import wait_until

WEST, EAST = "02:00:00:00:00:01", "02:00:00:00:00:02"
COUNT = 600
PCAP_HEADER = 24


def numbered(count):
    """Frames of a type that no kernel answers."""
    header = bytes.fromhex((EAST + WEST).replace(":", "") + "88b5")
    return [header + number.to_bytes(4, "big") + bytes(60) for number in range(count)]


class Line:
    """west ── bad wire ── east: two mute ends, captured"""

    def __init__(self, net, **faults):
        self.west, self.east = net.namespace("west"), net.namespace("east")
        wire = net.namespace("wire")
        net.veth((wire, "left"), (self.west, "eth"))
        net.veth((wire, "right"), (self.east, "eth"))
        self.wire = BadWire(wire, "left", "right", **faults)
        self.captures = [Capture(space, "eth", f"{net.directory}/{name}.pcap")
                         for name, space in (("west", self.west), ("east", self.east))]

    def end(self):
        """What each end saw, and what the wire counted."""
        counts = self.wire.stop()
        return [capture.stop() for capture in self.captures], counts


def test_without_faults_every_frame_crosses_bit_for_bit(net):
    line = Line(net)
    here, there = (transparent_frames(*ends) for ends in ((WEST, EAST), (EAST, WEST)))
    send(line.west, "eth", here.values())
    send(line.east, "eth", there.values())
    (west, east), counts = line.end()
    assert_crossed(west, east)
    assert Counter(frames_in(east)) == Counter([*here.values(), *there.values()])
    assert counts["left"]["seen"] == counts["right"]["seen"] == len(here)
    assert counts["left"]["lost"] == counts["left"]["reordered"] == 0


def test_the_same_seed_is_the_same_wire(net):
    faults = {"seed": 7, "loss": 5, "duplicate": 5, "reorder": 5, "corrupt": 5}
    model = Direction(0, Faults(**faults))
    expected = [frame for sent in numbered(COUNT) for frame in model.take(sent)] + model.flush()
    for _ in range(2):
        line = Line(net, **faults)
        send(line.west, "eth", numbered(COUNT))
        (_, east), counts = line.end()
        assert frames_in(east) == expected
        assert counts["left"] == model.counts
        assert counts["right"]["seen"] == 0


def test_another_seed_is_another_wire():
    def fate(seed, side):
        model = Direction(side, Faults(seed=seed, loss=5, duplicate=5, reorder=5))
        return [frame for sent in numbered(COUNT) for frame in model.take(sent)]
    assert fate(1, 0) == fate(1, 0)
    assert fate(1, 0) != fate(2, 0)
    assert fate(1, 0) != fate(1, 1)


@pytest.mark.parametrize("fault", ["loss", "duplicate", "reorder", "corrupt"])
def test_each_fault_does_what_it_says(fault):
    model = Direction(0, Faults(seed=3, **{fault: 10}))
    sent = numbered(COUNT)
    left = [frame for frame in sent for frame in model.take(frame)] + model.flush()
    told = {"loss": "lost", "duplicate": "duplicated", "reorder": "reordered",
            "corrupt": "corrupted"}[fault]
    count = model.counts.pop(told)
    assert COUNT / 20 < count < COUNT / 5 and model.counts.pop("seen") == COUNT
    assert not any(model.counts.values())
    if fault == "loss":
        assert len(left) == COUNT - count and left == sorted(left)
    elif fault == "duplicate":
        assert Counter(Counter(left).values()) == {1: COUNT - count, 2: count}
    elif fault == "reorder":
        assert sorted(left) == sent and left != sent
        assert max(abs(left.index(frame) - number) for number, frame in enumerate(sent)) <= 8
    else:
        wrong = [(one, other) for one, other in zip(sent, left) if one != other]
        assert len(wrong) == count
        assert all(bin(int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).count("1") == 1
                   and one[:14] == other[:14] for one, other in wrong)


def test_what_is_held_back_crosses_when_nothing_follows(net):
    line = Line(net, reorder=100)
    send(line.west, "eth", numbered(1))
    wait_until(lambda: os.path.getsize(line.captures[1].path) > PCAP_HEADER, 5, "it crosses")
    (_, east), counts = line.end()
    assert frames_in(east) == numbered(1) and counts["left"]["reordered"] == 1


def test_a_delay_keeps_the_order(net):
    line = Line(net, delay=100)
    send(line.west, "eth", numbered(50))
    (west, east), _ = line.end()
    assert_crossed(west, east)
    late = [there - here for (here, _), (there, _) in zip(timed_frames_in(west),
                                                          timed_frames_in(east))]
    assert len(late) == 50 and min(late) >= 0.099
